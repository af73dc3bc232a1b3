"""Personal data in texts, found by rules and replaced by marks: `[email 1]`, `[name 2]`; the same value, the same mark.

By rule, so that it finds what has a shape, what a field tells, and names that people introduce themselves with. Other
names, places and stories have no shape and remain. Orders, tickets, tracking codes, prices and dates stay: without them
nobody could follow a conversation, and only the shop's own system leads from them to a person. Pure; text in, text out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from grader.redaction.names import (
    NOBODY,
    PARTICLES,
    hailed,
    introduced,
    pattern_of,
    plain,
    signed,
    thanked,
    told,
    told_in,
)
from grader.redaction.shapes import shaped
from grader.redaction.spoken import colleagues, longer, spoken_of, tax_numbers

__all__ = [
    "KINDS",
    "Label",
    "Redaction",
    "Span",
    "colleagues",
    "hailed",
    "introduced",
    "longer",
    "masked",
    "moved",
    "plain_label",
    "signed",
    "spoken_of",
    "tax_numbers",
    "thanked",
    "told",
    "told_in",
]

KINDS = ("email", "phone", "CPF", "CNPJ", "card", "IBAN", "IP", "document", "address", "postcode", "birth date", "link",
         "handle", "name", "agent")  # fmt: skip
# What follows a name and ends there is a part of it: `Sheila Braithwaite.`, where Sheila is known.
_SURNAME = re.compile(r" ([^\W\d_a-zà-ÿ][^\W\d_]{2,}(?:-[^\W\d_]+)?)(?=[.,;!?)]|\s*$)", re.M)
Label = Callable[[str, int], str]
Span = tuple[int, int, str]  # start, end, and the mark that takes their place


def plain_label(kind: str, n: int) -> str:
    """`[email 1]`; people who work there are `Agent 1`."""
    return f"Agent {n}" if kind == "agent" else f"[{kind} {n}]"


@dataclass
class Redaction:
    """What is masked in one conversation. `personal`: everything that the rules find; without it only what is known."""

    label: Label = plain_label
    personal: bool = True
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _known: list[tuple[re.Pattern[str], str, str, str]] = field(default_factory=list)  # pattern, kind, key, value

    def know(self, kind: str, value: str) -> None:
        """This value is masked as this kind wherever it stands."""
        value = value.strip()
        folded = value.casefold()
        if len(value) < 2 or not any(c.isalnum() for c in value) or any(folded == known[3] for known in self._known):
            return
        if kind not in {"name", "agent"} or "@" in value:
            self._known.append((re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.I), kind, folded, folded))
        elif folded not in NOBODY:
            self._known.append((pattern_of(value), kind, self._owner(kind, value), folded))
        self._known.sort(key=lambda known: (known[1] != "agent", -len(known[3])))

    def names(self) -> list[str]:
        """The names that are known, folded."""
        return [value for _, kind, _, value in self._known if kind in {"name", "agent"}]

    def _owner(self, kind: str, value: str) -> str:
        """The name that was known before and that this one is a part of, or the other way round: Lia is Lia Souza."""
        parts = set(plain(value).split()) - PARTICLES
        for _, other, key, known in self._known:
            theirs = set(plain(known).split()) - PARTICLES
            if other == kind and parts and theirs and (parts <= theirs or theirs <= parts):
                return key
        return value.casefold()

    def spans(self, text: str) -> list[Span]:
        """What is masked, in order and apart from each other."""
        taken: list[tuple[int, int, str, str]] = []
        covered = bytearray(len(text))

        def take(start: int, end: int, kind: str, key: str) -> None:
            if start < end and covered.find(1, start, end) < 0:
                covered[start:end] = b"\1" * (end - start)
                taken.append((start, end, kind, key))

        if self.personal:
            for start, end, kind, key in shaped(text):
                take(start, end, kind, key)
        for pattern, kind, key, _value in self._known:
            for match in pattern.finditer(text):
                start, end = match.span()
                more = _SURNAME.match(text, end) if kind in {"name", "agent"} else None
                if more and more[1].lower() not in NOBODY and covered.find(1, end, more.end(1)) < 0:
                    end = more.end(1)
                take(start, end, kind, key)
        return [(start, end, self._mark(kind, key)) for start, end, kind, key in sorted(taken)]

    def __call__(self, text: str) -> str:
        """The text with marks in it."""
        return masked(text, self.spans(text))

    def _mark(self, kind: str, key: str) -> str:
        if (kind, key) not in self._numbers:
            self._numbers[kind, key] = self._counts[kind] = self._counts.get(kind, 0) + 1
        return self.label(kind, self._numbers[kind, key])


def masked(text: str, spans: Iterable[Span]) -> str:
    """The text with each span replaced by its mark."""
    out: list[str] = []
    at = 0
    for start, end, mark in spans:
        out += [text[at:start], mark]
        at = end
    return "".join([*out, text[at:]])


def moved(span: tuple[int, int], spans: Iterable[Span]) -> tuple[int, int]:
    """Where a stretch of the text stands in the masked one; a mark that it touches belongs to it as a whole."""
    start, end = span
    before = upto = 0
    for a, b, mark in spans:
        grown = len(mark) - (b - a)
        if b <= span[0]:
            before += grown
            upto += grown
        elif a < span[1]:
            start, end = min(start, a), max(end, b)
            upto += grown
    return start + before, end + upto
