"""A record as lines that a person can check against the source."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.ingest.rows import Incoming, Kept
from grader.model import Conversation, JsonValue, Message, Outcome, Rejected, Role


@dataclass
class Tally:
    """What the rows of a file come to, of which a preview shows only the first."""

    kept: int = 0
    rejected: int = 0
    first_rejected: Rejected | None = None
    conversations: int = 0
    with_identity: int = 0
    with_times: int = 0  # every message says when
    closed: int = 0
    ratings: int = 0
    messages: Counter[str] = field(default_factory=Counter)  # by role

    def add(self, row: Kept | Rejected) -> None:
        """One more row."""
        if isinstance(row, Rejected):
            self.rejected += 1
            self.first_rejected = self.first_rejected or row
            return
        self.kept += row.rows
        record = row.record
        if isinstance(record, Outcome):
            self.ratings += record.csat is not None
        if isinstance(record, Conversation):
            self.conversations += 1
            self.with_identity += bool(record.contact.identities)
            self.with_times += all(message.at for message in record.messages)
            self.closed += record.state == "closed"
            self.messages.update(message.role.value for message in record.messages)

    @property
    def rows(self) -> int:
        """Rows so far."""
        return self.kept + self.rejected

    def lines(self, *, whole: bool) -> Iterator[str]:
        """In words. `whole`: these are all rows of the file."""
        of = f"all rows of the file, {self.rows:,}" if whole else f"its first {self.rows:,} rows"
        yield f"{of}: kept {self.kept:,} + rejected {self.rejected:,}"
        if self.conversations:
            said = " · ".join(
                f"{role.value} {self.messages[role.value]:,}" for role in Role if self.messages[role.value]
            )
            yield f"  conversations: {self.conversations:,}; messages by role: {said}"
            known = f"  of them with a known contact: {self.with_identity:,}, with all times: {self.with_times:,}"
            yield f"{known}, closed: {self.closed:,}"
        if self.ratings:
            yield f"  ratings: {self.ratings:,}"
        if self.messages[Role.UNKNOWN.value]:
            yield "  unknown is never taken for the AI: the notes, or docs/sources, tell how to say who it was"


def lines_of(record: Incoming, width: int) -> Iterator[str]:
    """A conversation as its head and numbered messages; another record as its fields. Texts are cut at `width`."""
    if not isinstance(record, Conversation):
        yield type(record).__name__.lower()
        for name, value in record.model_dump(mode="json", exclude_defaults=True).items():
            yield f"  {name}: {_cut(value, width)}"
        return
    yield f"conversation {record.conversation_id}"
    head = record.model_dump(mode="json", exclude_defaults=True, exclude={"conversation_id", "messages", "events"})
    for name, value in head.items():
        yield f"  {name}: {_cut(value, width)}"
    for number, message in enumerate(record.messages, 1):
        yield from _message(number, message, width)
        yield from (f"       · {event.kind}" for event in record.events if event.after == number)


def _message(number: int, message: Message, width: int) -> Iterator[str]:
    kind = "" if message.kind == "text" else f" ({message.kind.value})"
    at = f" {message.at.isoformat(sep=' ', timespec='seconds')}" if message.at else ""
    error = ", an error" if message.is_error else ""
    yield f"  {number:>3}. {message.role.value}{kind}{error}{at}: {_cut(message.text, width)}"
    for call in message.tool_calls:
        yield f"       > {call.name} {_cut(call.arguments, width)}"
    if message.attributes:
        yield f"       attributes: {_cut(message.attributes, width)}"


def _cut(value: JsonValue, width: int) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[:width]}… ({len(text):,} characters)"
