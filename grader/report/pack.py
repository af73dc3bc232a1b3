"""Conversations packed so that a page holds thousands and its script unpacks the few that are looked at.

A chunk is some conversations as gzip in base64: first their shape as JSON, then texts that several share, then the
texts that a search looks through, then all others, so that a search reads no more than it must. `templates/data.js` is
the other side. Records travel generically, by the names of their fields: one more field needs nothing here.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass

from grader.report.case_view import CaseView
from grader.report.transcript import Segment

PART, CASE, TEXT, ESCAPE = "\x1c", "\x1d", "\x1e", "\x1f"  # between parts, conversations and texts of a chunk
_SEPARATORS = re.compile("[\x1c-\x1f]")

# What a search looks through, by record and field; identities, codes, queues and reasons it finds in the index.
SEARCHED: Mapping[str, frozenset[str]] = {
    "CaseView": frozenset({"csat_comment", "next_id"}),
    "FindingView": frozenset({"reasoning"}),
    "Line": frozenset({"event"}),
    "Piece": frozenset({"segments", "title"}),
}
# Values in a chunk's JSON. Numbers of 0 and more are themselves, as are true, false and null.
NEXT_SEARCHED, NEXT_OTHER, FIRST_SHARED = -1, -2, -3  # a text; -3, -4 … are those that several share
LIST, CUT, DICT, NUMBER = 0, -1, -2, -3  # what an array begins with; 1 and more is a record of that shape
_LOCAL = 12  # so long a text is told by its place, where the same conversation has it already

Shapes = dict[str, list[str]]  # record → names of its fields; its place in here, from 1, stands for it


def units(text: str) -> int:
    """How long a text is in a browser: in UTF-16."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def squeezed(text: str) -> str:
    """A text as gzip in base64, the same for the same text. What is no Unicode becomes `?`."""
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), 9, mtime=0)).decode("ascii")


class Chunk:
    """Conversations being packed. `shapes` is shared by all chunks of a file and grows with what is met."""

    def __init__(self, shapes: Shapes) -> None:
        self.n_cases = 0
        self.n_units = 0  # of texts, roughly what a browser must hold to unpack it
        self._shapes = shapes
        self._numbers = {name: n for n, name in enumerate(shapes, 1)}
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
            texts.append(TEXT.join(map(_escaped, mine)))
            self.n_units += len(texts[-1])
        self.n_cases += 1

    def packed(self) -> str:
        """All of it as one string of ASCII."""
        shared = TEXT.join(map(_escaped, self._shared))
        return squeezed(PART.join([f"[{','.join(self._trees)}]", shared, *(CASE.join(t) for t in self._texts)]))

    def _record(self, record: object) -> list[object]:
        name = type(record).__name__
        number = self._numbers.get(name)
        if number is None:
            self._shapes[name] = [f.name for f in fields(record)]  # type: ignore[arg-type]
            number = self._numbers[name] = len(self._numbers) + 1
        searched = SEARCHED.get(name, frozenset())
        return [number, *(self._value(getattr(record, f), f in searched) for f in self._shapes[name])]

    def _value(self, value: object, searched: bool) -> object:
        if isinstance(value, str):
            return self._text(str(value), searched)
        if value is None or isinstance(value, bool) or (isinstance(value, int) and value >= 0):
            return value
        if isinstance(value, int | float):
            return [NUMBER, value]
        if isinstance(value, Mapping):
            pairs = [(self._text(str(k), False), self._value(v, searched)) for k, v in value.items()]
            return [DICT, *(part for pair in pairs for part in pair)]
        if is_dataclass(value):
            return self._record(value)
        if isinstance(value, Sequence):
            if value and all(isinstance(item, Segment) for item in value):
                return self._cut(value, searched)
            return [LIST, *(self._value(item, searched) for item in value)]
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


def _escaped(text: str) -> str:
    return _SEPARATORS.sub(lambda found: ESCAPE + chr(ord(found[0]) + 0x40), text)
