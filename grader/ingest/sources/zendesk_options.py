"""What only the user of a Zendesk export can say: who is the bot, what groups, fields and ratings mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.errors import InputError
from grader.ingest.sources.option_values import OptionValues
from grader.model import JsonValue

_GOOD_BAD = {"good": 5.0, "bad": 1.0}


@dataclass(frozen=True, slots=True)
class Options:
    """Ids as Zendesk has them. `bot_ids` None: not said, so that nobody can tell a bot from an agent in a ticket."""

    bot_ids: tuple[str, ...] | None = None  # users that are the AI; empty: none is, every agent is a human
    groups: Mapping[str, str] = field(default_factory=dict)  # group id = queue
    reason: str | None = None  # id or title of the ticket field that holds the contact reason
    orders: tuple[str, ...] = ()  # ids or titles of ticket fields that hold an order's number
    satisfaction: Mapping[str, float] = field(default_factory=lambda: dict(_GOOD_BAD))  # word = CSAT; none: left out
    split_reopened: bool = True  # a return to a solved ticket is a conversation of its own


def options(values: Mapping[str, JsonValue]) -> Options:
    """The options that these values say. Raises InputError for a name or a value that cannot be used."""
    values = {name: str(value) if type(value) is int else value for name, value in values.items()}
    given = OptionValues(values, Options.__slots__, "zendesk")
    return Options(
        bot_ids=given.words("bot_ids") if values.get("bot_ids") is not None else None,
        groups=given.pairs("groups"),
        reason=given.word("reason"),
        orders=given.words("orders"),
        satisfaction=_scores(given.pairs("satisfaction")) if values.get("satisfaction") is not None else _GOOD_BAD,
        split_reopened=given.flag("split_reopened", default=True),
    )


def _scores(pairs: Mapping[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for word, text in pairs.items():
        try:
            found[word.lower()] = float(text)
        except ValueError:
            found[word.lower()] = 0
        if not 1 <= found[word.lower()] <= 5:
            cure = "satisfaction = { good = 5, bad = 1 }, or satisfaction=good=5,bad=1; {} leaves them out"
            raise InputError(f"{word} = {text!r} is no CSAT from 1 to 5", field="option satisfaction", cure=cure)
    return found
