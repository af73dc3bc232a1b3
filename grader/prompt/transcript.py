"""A conversation → the JSON text that stands alone in the transcript's message.

All text goes through `neutralise`. Where the whole is longer than its budget it is cut in a stated way: the head and
the tail stay, what is left out is named in place, and message numbers never shift. Nothing is ever a template here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from grader.model import Conversation, Event, Kind, Message, Role, ToolCall
from grader.text import neutralise

MIN_CHARS = 1_000  # below this not even the first and the last message can be shown
_HEAD_SHARE = 0.4  # of what is left when the middle is dropped: the request stands at the head, the outcome at the tail
_TOOL_LIMITS = (2_000, 600)  # tool results are shortened first: long lists of fields, of which a few matter
_MIN_LIMIT = 60
_END = "\n]}"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Written(NamedTuple):
    """The transcript as JSON text, and whether anything was left out."""

    text: str
    truncated: bool


class _Entry(NamedTuple):
    number: int  # of the message; an event has the number of the message before it
    line: str
    is_message: bool


def write(conversation: Conversation, max_chars: int) -> Written:
    """The conversation as JSON, one message a line, in at most `max_chars` characters (at least MIN_CHARS)."""
    max_chars = max(max_chars, MIN_CHARS)
    opening = _opening(conversation, None)
    entries = _entries(conversation, None, None)
    if len(opening) + _size(entries) + len(_END) <= max_chars:
        return Written(_joined(opening, [entry.line for entry in entries]), truncated=False)
    opening = _opening(conversation, max_chars // 10)
    room = max_chars - len(opening) - len(_END)
    text_limit = max(room // 4, _MIN_LIMIT)
    tool_limits = [min(limit, text_limit) for limit in _TOOL_LIMITS]
    for of_tools, of_texts in ((tool_limits[0], None), (tool_limits[1], None), (tool_limits[1], text_limit)):
        entries = _entries(conversation, of_tools, of_texts)
        if _size(entries) <= room:
            return Written(_joined(opening, [entry.line for entry in entries]), truncated=True)
    while (kept := _head_and_tail(entries, room)) is None and text_limit > _MIN_LIMIT:
        text_limit = max(text_limit // 2, _MIN_LIMIT)
        entries = _entries(conversation, min(tool_limits[1], text_limit), text_limit)
    return Written(_joined(opening, kept if kept is not None else [_omitted(entries)]), truncated=True)


def _joined(opening: str, lines: list[str]) -> str:
    return opening + ",".join("\n" + line for line in lines) + _END


def _opening(conversation: Conversation, limit: int | None) -> str:
    facts: dict[str, Any] = {}
    if conversation.channel:
        facts["channel"] = _shortened(neutralise(conversation.channel), limit)
    if conversation.queue:
        facts["queue"] = _shortened(neutralise(conversation.queue), limit)
    if conversation.started_at:
        facts["started_at"] = _time(conversation.started_at, None) + _offset(conversation.started_at)
    facts["tool_calls_recorded"] = conversation.has_tools
    return '{"conversation": ' + _json(facts) + ', "messages": ['


def _entries(conversation: Conversation, tool_limit: int | None, text_limit: int | None) -> list[_Entry]:
    zone = conversation.started_at.tzinfo if conversation.started_at else None
    waiting = sorted(conversation.events, key=lambda event: event.after)
    found: list[_Entry] = []
    position = 0
    for number, message in enumerate(conversation.messages, start=1):
        while position < len(waiting) and waiting[position].after < number:
            found.append(_event(waiting[position], number - 1, zone, text_limit))
            position += 1
        limit = tool_limit if message.role is Role.TOOL or message.kind is Kind.TOOL_RESULT else text_limit
        line = _json(_message(number, message, zone, limit, tool_limit))
        found.append(_Entry(number, line, is_message=True))
    found.extend(_event(event, len(conversation.messages), zone, text_limit) for event in waiting[position:])
    return found


def _message(
    number: int, message: Message, zone: tzinfo | None, limit: int | None, tool_limit: int | None
) -> dict[str, Any]:
    shown: dict[str, Any] = {"n": number, "role": message.role.value}
    if message.at:
        shown["at"] = _time(message.at, zone)
    if message.kind is not Kind.TEXT:
        shown["kind"] = message.kind.value
    if message.name:
        shown["name"] = _shortened(neutralise(message.name), limit)
    if message.is_error:
        shown["error"] = True
    if message.text or not message.tool_calls:
        shown["text"] = _shortened(neutralise(message.text), limit)
    if message.tool_calls:
        shown["calls"] = list(_calls(message.tool_calls, tool_limit))
    return shown


def _calls(calls: tuple[ToolCall, ...], limit: int | None) -> Iterator[str]:
    used = 0
    for index, call in enumerate(calls):
        line = _shortened(neutralise(call_text(call)), limit)
        used += len(line)
        if limit is not None and index and used > 2 * limit:
            yield f"[… {len(calls) - index} more calls left out …]"
            return
        yield line


def call_text(call: ToolCall) -> str:
    """A tool call as it is written for the judge, and as `evidence` looks for its quotes: name, then JSON."""
    arguments = call.arguments
    if arguments is None:
        return call.name
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return f"{call.name} {arguments}".strip()


def _event(event: Event, number: int, zone: tzinfo | None, limit: int | None) -> _Entry:
    shown: dict[str, Any] = {"event": _shortened(neutralise(event.kind), limit)}
    if event.at:
        shown["at"] = _time(event.at, zone)
    if event.from_role:
        shown["from"] = event.from_role.value
    if event.to_role:
        shown["to"] = event.to_role.value
    if event.note:
        shown["note"] = _shortened(neutralise(event.note), limit)
    return _Entry(number, _json(shown), is_message=False)


def _shortened(text: str, limit: int | None) -> str:
    """The text's head and tail around a statement of how much is missing, in about `limit` characters of JSON."""
    if limit is None or _json_length(text) <= limit:
        return text
    keep = limit
    while keep > _MIN_LIMIT // 2:
        head, tail = keep * 2 // 3, keep - keep * 2 // 3
        if head + tail < len(text):
            shown = f"{text[:head]} [… {len(text) - head - tail:,} characters left out …] {text[len(text) - tail :]}"
            if _json_length(shown) <= limit + 40:
                return shown
        keep = keep * 3 // 4
    return f"[… {len(text):,} characters left out …]"


def _json_length(text: str) -> int:
    """Characters that the text takes inside JSON; what neutralise leaves is escaped by one backslash at most."""
    return len(text) + text.count('"') + text.count("\\") + text.count("\n") + text.count("\t")


def _head_and_tail(entries: list[_Entry], room: int) -> list[str] | None:
    """The lines at the head and the tail that fit around a statement of what is missing; None if not both ends do."""
    free = room - len(_omitted(entries)) - 2
    head = _fitting([len(e.line) + 2 for e in entries], int(free * _HEAD_SHARE))
    used = sum(len(e.line) + 2 for e in entries[:head])
    tail = _fitting([len(e.line) + 2 for e in reversed(entries)], free - used)
    dropped = entries[head : len(entries) - tail]
    if not head or not tail:
        return None
    if not dropped:
        return [entry.line for entry in entries]
    return [*(e.line for e in entries[:head]), _omitted(dropped), *(e.line for e in entries[len(entries) - tail :])]


def _fitting(sizes: list[int], room: int) -> int:
    for count, size in enumerate(sizes):
        room -= size
        if room < 0:
            return count
    return len(sizes)


def _omitted(dropped: list[_Entry]) -> str:
    numbers = [entry.number for entry in dropped if entry.is_message]
    n_events = len(dropped) - len(numbers)
    parts = []
    if numbers:
        first, last = numbers[0], numbers[-1]
        parts.append(f"message {first}" if first == last else f"messages {first}-{last}")
    if n_events:
        parts.append(f"{n_events} event{'s' if n_events > 1 else ''}")
    return _json({"omitted": f"{' and '.join(parts)}, left out for length"})


def _size(entries: list[_Entry]) -> int:
    return sum(len(entry.line) + 2 for entry in entries)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _time(at: datetime, zone: tzinfo | None) -> str:
    """With the weekday, which dates in promises are checked against; in the zone in which the conversation began."""
    if zone is not None:
        with suppress(OverflowError):  # the first or the last day of the calendar
            at = at.astimezone(zone)
    return f"{_DAYS[at.weekday()]} {at.year:04}-{at.month:02}-{at.day:02} {at.hour:02}:{at.minute:02}"


def _offset(at: datetime) -> str:
    return f" {at.isoformat()[-6:]}" if at.utcoffset() else " UTC"
