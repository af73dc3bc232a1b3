"""Conversations packed so that a page holds thousands and its script unpacks the few that are looked at.

A chunk is some conversations as gzip in base 85: first their shape as JSON, then texts that several share, then the
texts that a search looks through, then all others, so that a search reads no more than it must. `templates/data.js` is
the other side. Records travel generically, by the names of their fields: one more field needs nothing here.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass

from grader.report.case_view import CaseView
from grader.report.dictionary import Dictionary
from grader.report.transcript import Segment

PART, CASE, TEXT = "\x1c", "\x1d", "\x1e"  # between parts, conversations and texts of a chunk

# What a search looks through, by record and field; identities, codes, queues and reasons it finds in the index.
SEARCHED: Mapping[str, frozenset[str]] = {
    "CaseView": frozenset({"csat_comment", "next_id"}),
    "FindingView": frozenset({"reasoning"}),
    "Line": frozenset({"event", "name"}),
    "Piece": frozenset({"segments", "title"}),
    "ReturnView": frozenset({"id", "references"}),
}
# What is not packed: a conversation has it from its row in the index, a piece from its text.
LEFT_OUT: Mapping[str, frozenset[str]] = {
    "CaseView": frozenset({"id", "queue", "channel", "language", "excerpt"}),
    "Piece": frozenset({"n_chars"}),
}
# What is packed first, so that what quotes it can say where it stands.
FIRST: Mapping[str, tuple[str, ...]] = {"CaseView": ("lines",)}
# Values in a chunk's JSON. Numbers of 0 and more are themselves, as are true, false and null.
NEXT_SEARCHED, NEXT_OTHER, FIRST_SHARED = -1, -2, -3  # a text; -3, -4 … are those that several share
LIST, CUT, DICT, NUMBER, WITHIN = 0, -1, -2, -3, -4  # what an array begins with; 1 and more is a record of that shape
_LOCAL = 12  # so long a text is told by its place, where the same conversation has it already, also within another
_SAFE = str.maketrans("<>&", ",./")  # base 85 without what HTML knows

Shapes = dict[str, list[str]]  # record → names of its fields; its place in here, from 1, stands for it


def units(text: str) -> int:
    """How long a text is in a browser: in UTF-16."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def squeezed(text: str) -> str:
    """A text as gzip in base 85, the same for the same text. What is no Unicode becomes `?`."""
    packed = gzip.compress(text.encode("utf-8", "replace"), 9, mtime=0)
    return base64.b85encode(packed).decode("ascii").translate(_SAFE)


class Chunk:
    """Conversations being packed. `shapes` is shared by all chunks of a file and grows with what is met."""

    def __init__(self, shapes: Shapes, dictionary: Dictionary) -> None:
        self.n_cases = 0
        self.n_units = 0  # of texts, roughly what a browser must hold to unpack it
        self._shapes = shapes
        self._dictionary = dictionary
        self._known: dict[type, tuple[int, list[str], frozenset[str]]] = {}
        self._trees: list[str] = []
        self._shared: dict[str, int] = {"": FIRST_SHARED}
        self._seen: set[str] = set()
        self._texts: tuple[list[str], list[str]] = ([], [])
        self._searched: list[str] = []
        self._other: list[str] = []
        self._local: dict[str, int] = {}
        self._n_local = 0
        self._in_search: set[str] = set()

    def add(self, case: CaseView) -> None:
        """One conversation more."""
        self._searched, self._other, self._local, self._n_local, self._in_search = [], [], {}, 0, set()
        tree = self._record(case)
        self._trees.append(json.dumps(tree, separators=(",", ":"), allow_nan=False))
        for texts, mine in zip(self._texts, (self._searched, self._other), strict=True):
            texts.append(TEXT.join(map(self._dictionary.written, mine)))
            self.n_units += len(texts[-1])
        self.n_cases += 1

    def packed(self) -> str:
        """All of it as one string of ASCII."""
        shared = TEXT.join(map(self._dictionary.written, self._shared))
        return squeezed(PART.join([f"[{','.join(self._trees)}]", shared, *(CASE.join(t) for t in self._texts)]))

    def _record(self, record: object) -> list[object]:
        kind = type(record)
        number, names, searched = self._known.get(kind) or self._shape(kind)
        return [number, *[self._value(getattr(record, name), name in searched) for name in names]]

    def _shape(self, kind: type) -> tuple[int, list[str], frozenset[str]]:
        name = kind.__name__
        if name not in self._shapes:
            first, out = FIRST.get(name, ()), LEFT_OUT.get(name, frozenset())
            rest = [f.name for f in fields(kind) if f.name not in first]
            self._shapes[name] = [f for f in (*first, *rest) if f not in out]
        number = list(self._shapes).index(name) + 1
        self._known[kind] = number, self._shapes[name], SEARCHED.get(name, frozenset())
        return self._known[kind]

    def _value(self, value: object, searched: bool) -> object:
        if isinstance(value, str):
            return self._text(value, searched)
        if value is None or value is True or value is False or (isinstance(value, int) and value >= 0):
            return value
        if isinstance(value, tuple | list):
            if value and type(value[0]) is Segment:
                return self._cut(value, searched)
            return [LIST, *[self._value(item, searched) for item in value]]
        if is_dataclass(value):
            return self._record(value)
        if isinstance(value, int | float):
            return [NUMBER, value]
        if isinstance(value, Mapping):
            pairs = [(self._text(str(k), False), self._value(v, searched)) for k, v in value.items()]
            return [DICT, *(part for pair in pairs for part in pair)]
        raise TypeError(f"a {type(value).__name__} cannot be packed")

    def _cut(self, segments: Sequence[Segment], searched: bool) -> list[object]:
        """A text and where it is cut: pairs of length and findings, none where all of it is one stretch of nobody's."""
        whole = self._text("".join(s.text for s in segments), searched)
        if len(segments) == 1 and not segments[0].findings:
            return [CUT, whole]
        return [CUT, whole, *(part for s in segments for part in (units(s.text), list(s.findings)))]

    def _text(self, text: str, searched: bool) -> object:
        if text == "" or (not searched and text in self._shared):
            return self._shared[text]
        if text in self._local and (not searched or text in self._in_search):
            return str(self._local[text])
        if not searched and text in self._seen:
            self._shared[text] = FIRST_SHARED - len(self._shared)
            return self._shared[text]
        if not searched and len(text) >= _LOCAL and (within := self._within(text)):
            return within
        if len(text) >= _LOCAL or searched:
            self._local[text] = self._n_local
        self._n_local += 1
        if searched:
            self._in_search.add(text)
            self._searched.append(text)
            return NEXT_SEARCHED
        self._seen.add(text)
        self._other.append(text)
        return NEXT_OTHER

    def _within(self, text: str) -> list[object]:
        """Where a text stands in another one of the same conversation."""
        for whole in self._searched:
            at = whole.find(text)
            if at >= 0:
                return [WITHIN, self._local[whole], units(whole[:at]), units(text)]
        return []
