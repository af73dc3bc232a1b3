"""What only the user of an Intercom export can say: who is the AI, what teams and attributes mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.ingest.sources.option_values import OptionValues
from grader.model import JsonValue


@dataclass(frozen=True, slots=True)
class Options:
    """Ids and names as Intercom has them; names of attributes in any case."""

    ai_ids: tuple[str, ...] = ()  # authors who are the AI agent, whatever their type: one that writes as a teammate
    bot_role: str | None = None  # of a bot of which Intercom does not say that it is its AI agent: system, ai, unknown
    teams: Mapping[str, str] = field(default_factory=dict)  # team id = queue
    queue: str | None = None  # the custom attribute that holds the queue
    reason: str | None = None  # the custom attribute that holds the contact reason
    orders: tuple[str, ...] = ()  # custom attributes that hold an order's number
    split_reopened: bool = True  # a return to a closed conversation is a conversation of its own


def options(values: Mapping[str, JsonValue]) -> Options:
    """The options that these values say. Raises InputError for a name or a value that cannot be used."""
    given = OptionValues(values, Options.__slots__, "intercom")
    return Options(
        ai_ids=given.words("ai_ids"),
        bot_role=given.choice("bot_role", "unknown", "system", "ai", "unknown") if "bot_role" in values else None,
        teams=given.pairs("teams"),
        queue=given.word("queue"),
        reason=given.word("reason"),
        orders=given.words("orders"),
        split_reopened=given.flag("split_reopened", default=True),
    )
