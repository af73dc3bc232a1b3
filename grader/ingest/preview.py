"""A record as lines that a person can check against the source."""

from __future__ import annotations

import json
from collections.abc import Iterator

from grader.ingest.rows import Incoming
from grader.model import Conversation, JsonValue, Message


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
