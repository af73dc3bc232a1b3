"""A conversation as lines to show: texts cut where quotes begin and end, tool data indented, days and hand-offs.

Every character of the source is kept; only control characters get a visible form. Pure; knows no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from grader.evidence import locate, written
from grader.language import N_, _, ngettext
from grader.model import Conversation, Event, Kind, Message, Role, offset_minutes

_CONTROL = {n: 0x2400 + n for n in range(0x20) if n not in (0x09, 0x0A)}
_CONTROL[0x7F] = 0x2421
_CONTROL.update(dict.fromkeys(range(0x80, 0xA0), 0xFFFD))

LENGTHS = ("duration_seconds", "duration", "seconds")  # attributes that tell how long a voice note is
_LONG = timedelta(minutes=30)  # of silence, which is told
_MAX_DEPTH = 12  # deeper levels are not indented further, so that nesting cannot blow a text up
_JSON_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|\s+|"', re.DOTALL)


@dataclass(frozen=True)
class Segment:
    """A stretch of text and the numbers of the findings that quote all of it."""

    text: str
    findings: tuple[int, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A text of a message: what was said, or the data of a tool call or result (`data`). `result` is the number of the
    message that answers a call, `took` how long that was, as far as the source tells.
    """

    segments: tuple[Segment, ...]
    n_chars: int
    data: bool = False
    title: str = ""
    result: int | None = None
    took: str = ""


@dataclass(frozen=True)
class Line:
    """One entry of the transcript: a message, an event between messages, or the first of a day (`day`). `name`: of the
    colleague or the AI that wrote. `wait`: how long nothing was said before. `length`: of a voice note. `answers`: the
    number of the call that this result belongs to and is shown with.
    """

    number: int | None
    role: str
    kind: str
    time: str
    day: str
    pieces: tuple[Piece, ...] = ()
    event: str = ""
    error: bool = False
    name: str = ""
    wait: str = ""
    length: str = ""
    answers: int | None = None


@dataclass(frozen=True)
class Quote:
    """A finding's number and the words that it quotes from one message."""

    finding: int
    message: int
    quote: str


def visible(text: str) -> str:
    """The text with control characters as pictures, character for character. Tab and newline stay."""
    return text if text.isprintable() else text.translate(_CONTROL)  # most are, and are told in no time


def cut(text: str, spans: Iterable[tuple[int, int, int]]) -> tuple[Segment, ...]:
    """Cut the text at the ends of (start, end, finding) spans, so that overlaps need no nesting.

    Joined, the segments are the text again, with `visible` applied.
    """
    kept = [(max(0, start), min(len(text), end), finding) for start, end, finding in spans]
    kept = [span for span in kept if span[0] < span[1]]
    if not kept:
        return (Segment(visible(text)),) if text else ()
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
    answered = _answered(conversation.messages)
    of_call = {result: call for (call, _place), result in answered.items()}
    out: list[Line] = []
    today = ""
    last: datetime | None = None

    def add(at: datetime | None, **fields: object) -> None:
        nonlocal today, last
        day = day_of(at) if at else today
        wait = _("{duration} later", duration=duration(last, at)) if last and at and at - last >= _LONG else ""
        time = f"{at:%H:%M}" if at else ""
        out.append(Line(time=time, day=day if day != today else "", wait=wait, **fields))  # type: ignore[arg-type]
        today, last = day, at or last

    for number, message in enumerate([None, *conversation.messages]):
        if message is not None:
            add(
                message.at, number=number, role=message.role.value, kind=_kind(message),
                pieces=_pieces(message, by_message.get(number, ()), _results(number, conversation.messages, answered)),
                error=bool(message.is_error), name=visible(sender(message)), length=_length(message),
                answers=of_call.get(number),
            )  # fmt: skip
        for event in events.get(number, ()):
            # an event without a zone of its own is told on the clock of the messages around it
            at = event.at
            if at is not None and message is not None and message.at is not None and message.at.tzinfo:
                at = at.astimezone(message.at.tzinfo)
            add(at, number=None, role="event", kind=event.kind, event=_event(event))
    return tuple(out)


def sender(message: Message) -> str:
    """The name of the colleague or the AI that wrote, where the source tells; "" for everybody else."""
    if message.role not in (Role.HUMAN, Role.AI):
        return ""
    author = message.attributes.get("author")
    given = (message.name, message.attributes.get("sender"), author.get("name") if isinstance(author, dict) else author)
    return next((name.strip() for name in given if isinstance(name, str) and name.strip()), "")


def _answered(messages: Sequence[Message]) -> dict[tuple[int, int], int]:
    """(call's message, place of the call in it) → number of its result, where nobody spoke in between."""
    found: dict[tuple[int, int], int] = {}
    waiting: dict[tuple[int, int], tuple[str | None, str]] = {}
    for number, message in enumerate(messages, 1):
        if message.role is Role.TOOL or message.kind is Kind.TOOL_RESULT:
            same = [key for key, (identity, _name) in waiting.items() if identity and identity == message.tool_call_id]
            named = [key for key, (identity, name) in waiting.items()
                     if name == message.name and (identity is None or message.tool_call_id is None)]  # fmt: skip
            for key in (same or named)[:1]:
                found[key] = number
                del waiting[key]
        elif message.tool_calls:
            waiting |= {(number, place): (call.id, call.name) for place, call in enumerate(message.tool_calls)}
        else:
            waiting = {}
    return found


def _results(
    number: int, messages: Sequence[Message], answered: Mapping[tuple[int, int], int]
) -> dict[int, tuple[int, str]]:
    """Of the calls in one message: place → (number of the result, how long it took)."""
    begun = messages[number - 1].at
    found = {}
    for place in range(len(messages[number - 1].tool_calls)):
        if (result := answered.get((number, place))) is not None:
            ended = messages[result - 1].at
            seconds = (ended - begun).total_seconds() if begun and ended else 0
            found[place] = result, _("{n} s", n=round(seconds)) if seconds >= 1 else ""
    return found


def _length(message: Message) -> str:
    """`0:42`, of a voice note whose source says so."""
    if message.kind is not Kind.VOICE:
        return ""
    given = (message.attributes.get(name) for name in LENGTHS)
    seconds = next(
        (n for n in given if isinstance(n, int | float) and not isinstance(n, bool) and 0 < n < 36_000), None
    )
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}" if seconds else ""


def _kind(message: Message) -> str:
    return Kind.TOOL_CALL.value if message.tool_calls and not message.text else message.kind.value


def _pieces(message: Message, quotes: Sequence[Quote], results: Mapping[int, tuple[int, str]]) -> tuple[Piece, ...]:
    """The texts of a message. Data is shown indented; a quote may be of what stands there without indents."""
    left = list(quotes)
    pieces = []
    if message.text or not message.tool_calls:
        data = message.role is Role.TOOL or message.kind is Kind.TOOL_RESULT
        shown = [indent_json(message.text), message.text] if data else [message.text]
        pieces.append(_piece(shown, left, data=data, title=(message.name or "") if data else ""))
    for place, call in enumerate(message.tool_calls):
        whole = written(call)
        arguments = whole.removeprefix(call.name).lstrip()
        shown = [indent_json(arguments), arguments, whole]
        result, took = results.get(place, (None, ""))
        pieces.append(replace(_piece(shown, left, data=True, title=call.name), result=result, took=took))
    return tuple(pieces)


def _piece(writings: Sequence[str], left: list[Quote], *, data: bool, title: str) -> Piece:
    """The writing in which most of the quotes left are found; those leave `left`."""
    best: tuple[str, dict[Quote, tuple[int, int]]] = (writings[0], {})
    for text in dict.fromkeys(writings) if left else ():
        found = {quote: span for quote in left if (span := locate(text, quote.quote))}
        if len(found) > len(best[1]):
            best = (text, found)
    text, found = best
    if found and text != writings[0] and "".join(text.split()) == "".join(writings[0].split()):
        text, found = writings[0], {quote: _moved(span, text, writings[0]) for quote, span in found.items()}
    left[:] = [quote for quote in left if quote not in found]
    return Piece(
        segments=cut(text, [(*span, quote.finding) for quote, span in found.items()]),
        n_chars=len(text),
        data=data,
        title=visible(title),
    )


def _moved(span: tuple[int, int], text: str, other: str) -> tuple[int, int]:
    """The place of the same characters in another text that differs in white space alone."""
    there = [index for index, char in enumerate(other) if not char.isspace()]
    before, upto = (len("".join(text[:edge].split())) for edge in span)
    return (there[before], there[upto - 1] + 1) if before < upto else (0, 0)


_ROLES = {
    Role.CUSTOMER: N_("Customer"), Role.AI: N_("AI"), Role.HUMAN: N_("Human"), Role.TOOL: N_("Tool"),
    Role.SYSTEM: N_("System"), Role.UNKNOWN: N_("Unknown speaker"),
}  # fmt: skip
_EVENTS = {
    "handoff": N_("Hand-off"), "closed": N_("Closed"), "opened": N_("Opened"), "reopened": N_("Opened again"),
    "assigned": N_("Assigned"), "resolved": N_("Marked as solved"), "snoozed": N_("Snoozed"),
}  # fmt: skip


def _event(event: Event) -> str:
    known = _EVENTS.get(event.kind)
    words = _(known) if known else event.kind[:1].upper() + event.kind[1:].replace("_", " ")
    if event.from_role and event.to_role:
        words += f": {_(_ROLES[event.from_role])} → {_(_ROLES[event.to_role])}"
    elif event.from_role or event.to_role:
        who = event.to_role or event.from_role
        words += f": {'→ ' if event.to_role else ''}{_(_ROLES[who]) if who else ''}"
    return visible(f"{words} ({event.note})" if event.note else words)


def duration(start: datetime, end: datetime) -> str:
    """`45 minutes`, `5 hours`, `2 days`: whole units, rounded down."""
    minutes = int(max(end - start, timedelta(0)).total_seconds() // 60)
    if minutes >= 1440:
        return ngettext("{n} day", "{n} days", minutes // 1440)
    if minutes >= 60:
        return ngettext("{n} hour", "{n} hours", minutes // 60)
    return ngettext("{n} minute", "{n} minutes", minutes) if minutes else _("less than a minute")


_CODE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?")
# ISO 639-1, without `br`: who writes it means Brazil, and would hear Breton.
_LANGUAGES = re.compile(
    "a[abefkmnrsvyz]|b[aegimnos]|c[aehorsuvy]|d[aevz]|e[elnostu]|f[afijory]|g[adlnuv]|h[aeiortuyz]|i[adegikostu]|j[av]|"
    "k[agijklmnorsuvwy]|l[abginotuv]|m[ghiklnrsty]|n[abdeglnorvy]|o[cjmrs]|p[ailst]|qu|r[mnouw]|s[acdegiklmnoqrstuvw]|"
    "t[aeghiklnorstwy]|u[gkrz]|v[eio]|w[ao]|xh|y[io]|z[ahu]"
)
_SHORTER = {"por": "pt", "eng": "en", "spa": "es", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "ita": "it"}
_NO_LANGUAGE = ("und", "mul", "zxx", "mis")


def language_tag(code: str | None) -> str:
    """The source's code as HTML's `lang` wants it: `pt_br` is `pt-BR`. What is no code is "": not known."""
    match = _CODE.fullmatch((code or "").strip())
    if not match:
        return ""
    language = match[1].lower()
    language = _SHORTER.get(language, language)
    if language in _NO_LANGUAGE or (len(language) == 2 and not _LANGUAGES.fullmatch(language)):
        return ""
    return "-".join(part for part in (language, (match[2] or "").title(), (match[3] or "").upper()) if part)


_DAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
_MONTHS = (N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
           N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec"))  # fmt: skip


def day_of(at: datetime) -> str:
    """`Mon 3 Aug 2026` in the page's language, the same under every locale."""
    return f"{_(_DAYS[at.weekday()])} {at.day} {_(_MONTHS[at.month - 1])} {at.year}"


def zone_of(at: datetime) -> str:
    """`UTC`, `UTC−04:00`."""
    minutes = offset_minutes(at)
    if not minutes:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '−'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
