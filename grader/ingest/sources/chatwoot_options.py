"""What a user may have to say about a Chatwoot account, because no export says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.ingest.sources.option_values import OptionValues
from grader.model import JsonValue


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may have to say about a Chatwoot account."""

    ai_senders: tuple[str, ...] = ()  # users through whose access token the AI agent writes: ids, names or e-mails
    queue: str = "inbox"  # or "team"
    inboxes: Mapping[str, str] = field(default_factory=dict)  # id of an inbox = its queue; the API gives ids only
    reason_attribute: str | None = None  # the custom attribute that holds the contact reason
    reason_labels: tuple[str, ...] = ()  # labels that are contact reasons; "*": any, where there is one only
    spam_labels: tuple[str, ...] = ()
    test_labels: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)  # custom attribute = order, ticket, …
    account_in_id: bool = False  # conversation ids are account/number: for exports of several accounts
    resolved_words: tuple[str, ...] = ()  # what Chatwoot's lines say of resolving, in a language that is not known here
    split_reopened: bool = True  # a return to a resolved conversation is a conversation of its own


def options(values: Mapping[str, JsonValue]) -> Options:
    """The options as they were given. Raises InputError for a name or a value that is none."""
    given = OptionValues(values, tuple(Options.__dataclass_fields__), "chatwoot")
    return Options(
        ai_senders=given.words("ai_senders"),
        queue=given.choice("queue", "inbox", "inbox", "team"),
        inboxes=given.pairs("inboxes"),
        reason_attribute=given.word("reason_attribute"),
        reason_labels=given.words("reason_labels"),
        spam_labels=given.words("spam_labels"),
        test_labels=given.words("test_labels"),
        references=given.pairs("references"),
        account_in_id=given.flag("account_in_id", default=False),
        resolved_words=given.words("resolved_words"),
        split_reopened=given.flag("split_reopened", default=True),
    )
