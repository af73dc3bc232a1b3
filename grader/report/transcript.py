"""A conversation as lines to show: texts cut where quotes begin and end, tool data indented, days and hand-offs.

Every character of the source is kept; only control characters get a visible form. Pure; knows no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from grader.evidence import locate, written
from grader.model import Conversation, Event, Kind, Message, Role, offset_minutes

_CONTROL = {n: 0x2400 + n for n in range(0x20) if n not in (0x09, 0x0A)}
_CONTROL[0x7F] = 0x2421
_CONTROL.update(dict.fromkeys(range(0x80, 0xA0), 0xFFFD))

_MAX_DEPTH = 12  # deeper levels are not indented further, so that nesting cannot blow a text up
_JSON_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|\s+|"', re.DOTALL)


@dataclass(frozen=True)
class Segment:
    """A stretch of text and the numbers of the findings that quote all of it."""

    text: str
    findings: tuple[int, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A text of a message: what was said, or the data of a tool call or result (`data`)."""

    segments: tuple[Segment, ...]
    n_chars: int
    data: bool = False
    title: str = ""


@dataclass(frozen=True)
class Line:
    """One entry of the transcript: a message, an event between messages, or the first of a day (`day`)."""

    number: int | None
    role: str
    kind: str
    time: str
    day: str
    pieces: tuple[Piece, ...] = ()
    event: str = ""
    error: bool = False


@dataclass(frozen=True)
class Quote:
    """A finding's number and the words that it quotes from one message."""

    finding: int
    message: int
    quote: str


def visible(text: str) -> str:
    """The text with control characters as pictures, character for character. Tab and newline stay."""
    return text.translate(_CONTROL)


def cut(text: str, spans: Iterable[tuple[int, int, int]]) -> tuple[Segment, ...]:
    """Cut the text at the ends of (start, end, finding) spans, so that overlaps need no nesting.

    Joined, the segments are the text again, with `visible` applied.
    """
    kept = [(max(0, start), min(len(text), end), finding) for start, end, finding in spans]
    kept = [span for span in kept if span[0] < span[1]]
    edges = sorted({0, len(text), *(edge for start, end, _ in kept for edge in (start, end))})
    return tuple(
        Segment(visible(text[a:b]), tuple(sorted({f for start, end, f in kept if start <= a and b <= end})))
        for a, b in pairwise(edges)
    )


def indent_json(text: str) -> str:
    """JSON text with line breaks and indents put between its words; anything else as it is.

    Lexical, so that no digit, escape or doubled key changes.
    """
    stripped = text.strip()
    if stripped[:1] not in ("{", "["):
        return text
    out: list[str] = []
    open_brackets: list[str] = []
    words = [word for word in _JSON_WORD.findall(stripped) if not word.isspace()]
    for index, word in enumerate(words):
        if out and not open_brackets:
            return text  # something after the end
        if word in ("{", "["):
            open_brackets.append(word)
            out.append(word)
            if words[index + 1 : index + 2] not in (["}"], ["]"]):
                out.append(_break(len(open_brackets)))
        elif word in ("}", "]"):
            if not open_brackets or open_brackets.pop() != {"}": "{", "]": "["}[word]:
                return text
            if words[index - 1] not in ("{", "["):
                out.append(_break(len(open_brackets)))
            out.append(word)
        elif word == ",":
            out.append("," + _break(len(open_brackets)))
        elif word == ":":
            out.append(": ")
        elif word == '"':
            return text  # a string that never ends
        else:
            out.append(word)
    return text if open_brackets else "".join(out)


def _break(depth: int) -> str:
    return "\n" + "  " * min(depth, _MAX_DEPTH)


def lines(conversation: Conversation, quotes: Sequence[Quote] = ()) -> tuple[Line, ...]:
    """The transcript in order. `day` is set on the first line of each day, in the source's own offset."""
    by_message: dict[int, list[Quote]] = {}
    for quote in quotes:
        by_message.setdefault(quote.message, []).append(quote)
    events: dict[int, list[Event]] = {}
    for event in conversation.events:
        events.setdefault(min(event.after, len(conversation.messages)), []).append(event)
    out: list[Line] = []
    today = ""

    def add(at: datetime | None, **fields: object) -> None:
        nonlocal today
        day = day_of(at) if at else today
        out.append(Line(time=f"{at:%H:%M}" if at else "", day=day if day != today else "", **fields))  # type: ignore[arg-type]
        today = day

    for number, message in enumerate([None, *conversation.messages]):
        if message is not None:
            add(
                message.at, number=number, role=message.role.value, kind=_kind(message),
                pieces=_pieces(message, by_message.get(number, ())), error=bool(message.is_error),
            )  # fmt: skip
        for event in events.get(number, ()):
            # an event without a zone of its own is told on the clock of the messages around it
            at = event.at
            if at is not None and message is not None and message.at is not None and message.at.tzinfo:
                at = at.astimezone(message.at.tzinfo)
            add(at, number=None, role="event", kind=event.kind, event=_event(event))
    return tuple(out)


def _kind(message: Message) -> str:
    return Kind.TOOL_CALL.value if message.tool_calls and not message.text else message.kind.value


def _pieces(message: Message, quotes: Sequence[Quote]) -> tuple[Piece, ...]:
    """The texts of a message. Data is shown indented, or as it stands where a quote only fits it like that."""
    left = list(quotes)
    pieces = []
    if message.text or not message.tool_calls:
        data = message.role is Role.TOOL or message.kind is Kind.TOOL_RESULT
        shown = [indent_json(message.text), message.text] if data else [message.text]
        pieces.append(_piece(shown, left, data=data, title=message.name or ""))
    for call in message.tool_calls:
        whole = written(call)
        arguments = whole.removeprefix(call.name).lstrip()
        pieces.append(_piece([indent_json(arguments), arguments, whole], left, data=True, title=call.name))
    return tuple(pieces)


def _piece(writings: Sequence[str], left: list[Quote], *, data: bool, title: str) -> Piece:
    """The writing in which most of the quotes left are found; those leave `left`."""
    best: tuple[str, dict[Quote, tuple[int, int]]] = (writings[0], {})
    for text in dict.fromkeys(writings) if left else ():
        found = {quote: span for quote in left if (span := locate(text, quote.quote))}
        if len(found) > len(best[1]):
            best = (text, found)
    text, found = best
    left[:] = [quote for quote in left if quote not in found]
    return Piece(
        segments=cut(text, [(*span, quote.finding) for quote, span in found.items()]),
        n_chars=len(text),
        data=data,
        title=visible(title),
    )


def _event(event: Event) -> str:
    words = "Hand-off" if event.kind == "handoff" else event.kind[:1].upper() + event.kind[1:].replace("_", " ")
    if event.from_role and event.to_role:
        words += f": {event.from_role.value} → {event.to_role.value}"
    return visible(f"{words} ({event.note})" if event.note else words)


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_of(at: datetime) -> str:
    """`Mon 3 Aug 2026`, the same under every locale."""
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}"


def zone_of(at: datetime) -> str:
    """`UTC`, `UTC−04:00`."""
    minutes = offset_minutes(at)
    if not minutes:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '−'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
