"""Conversations packed so that a page holds thousands and its script unpacks the few that are looked at.

A chunk is some conversations as gzip in base 85: their shape as JSON, texts that several share, then streams of texts
of one kind, which gzip makes smaller together than mixed; those that a search looks through come first.
`templates/data.js` is the other side. Records travel generically, by the names of their fields: one more field needs
nothing here.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import accumulate, chain

from grader.report.case_view import CaseView
from grader.report.dictionary import SEPARATORS, Dictionary
from grader.report.transcript import Line, Segment

CASE, TEXT = (bytes((separator,)) for separator in SEPARATORS[1:])  # between conversations and texts of a stream

# The streams: what the customer said, what all others said, and else what a search looks through; then the judge's
# reasons for what is no finding, and all other texts.
CUSTOMER, SAID, SEARCHED, REASON, OTHER = range(5)
_N_STREAMS = 5
# Which text goes where, by record and field. Identities, codes, queues and reasons are searched in the index.
_STREAMS: Mapping[str, Mapping[str, int]] = {
    "CaseView": {"csat_comment": SEARCHED, "next_id": SEARCHED},
    "FindingView": {"reasoning": SEARCHED},
    "Line": {"event": SEARCHED, "name": SEARCHED},
    "Piece": {"segments": SAID, "title": SEARCHED},
    "ReturnView": {"id": SEARCHED, "references": SEARCHED},
    "VerdictView": {"reasoning": REASON},
}
# What is not packed: a conversation has it from its row in the index, a piece from its text.
LEFT_OUT: Mapping[str, frozenset[str]] = {
    "CaseView": frozenset({"id", "queue", "channel", "language", "excerpt"}),
    "Piece": frozenset({"n_chars"}),
}
# What is packed first, so that what quotes it can say where it stands.
FIRST: Mapping[str, tuple[str, ...]] = {"CaseView": ("lines",)}
# Values in a chunk's JSON. Numbers of 0 and more are themselves, as are true, false and null. A text is the next one of
# a stream, -1 of the first, -2 of the second …, or one of those that several share, or, written as "3", the
# conversation's own with that number.
FIRST_SHARED = -1 - _N_STREAMS
LIST, CUT, DICT, NUMBER, WITHIN = 0, -1, -2, -3, -4  # what an array begins with; 1 and more is a record of that shape
_LOCAL = 12  # so long a text is told by its place, where the same conversation has it already, also within another
_SAFE = str.maketrans("<>&", ",./")  # base 85 without what HTML knows
_BACK = str.maketrans(",./", "<>&")

_NONE = object()  # the default of a field that must stand in its record
_BLANK: Mapping[str, object] = {"''": FIRST_SHARED, "None": None, "False": False, "()": [LIST]}  # others, as packed


@dataclass
class Shapes:
    """What all chunks of a file have in common. `records`: by kind, whose place in here, from 1, stands for it, its
    fields, each with what it is where a record ends before it. `shared`: texts of many conversations, by number.
    """

    records: dict[str, dict[str, object]] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=lambda: {"": FIRST_SHARED})

    def learn(self, cases: Iterable[CaseView]) -> None:
        """What several of these conversations share is told once for the whole file."""
        trial = Chunk(self, Dictionary())
        for case in cases:
            trial.add(case)
        self.shared = trial.shared


def units(text: str) -> int:
    """How long a text is in a browser: in UTF-16."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def squeezed(parts: Iterable[bytes]) -> str:
    """These parts, behind a line that tells their lengths, as gzip in base 85: the same for the same parts."""
    parts = list(parts)
    line = json.dumps([len(part) for part in parts], separators=(",", ":")).encode()
    packed = gzip.compress(b"".join([line, b"\n", *parts]), 9, mtime=0)
    return base64.b85encode(packed).decode("ascii").translate(_SAFE)


def unsqueezed(digits: str) -> list[bytes]:
    """The parts again."""
    line, _, rest = gzip.decompress(base64.b85decode(digits.translate(_BACK))).partition(b"\n")
    ends = list(accumulate(json.loads(line)))
    return [rest[start:end] for start, end in zip([0, *ends], ends, strict=False)]


class Chunk:
    """Conversations being packed. `shapes` grows with the kinds of records that are met."""

    def __init__(self, shapes: Shapes, dictionary: Dictionary) -> None:
        self.n_cases = 0
        self.n_units = 0  # of texts, roughly what a browser must hold to unpack it
        self._shapes = shapes
        self._dictionary = dictionary
        self._known: dict[type, tuple[int, list[tuple[str, int, object]]]] = {}
        self._trees: list[str] = []
        self.shared = dict(shapes.shared)
        self._seen: set[str] = set()
        self._streams: list[list[bytes]] = [[] for _ in range(_N_STREAMS)]
        self._texts: list[list[str]] = [[] for _ in range(_N_STREAMS)]
        self._local: dict[str, int] = {}
        self._n_local = 0
        self._in_search: set[str] = set()
        self._said = SAID

    def add(self, case: CaseView) -> None:
        """One conversation more."""
        self._texts, self._local, self._n_local, self._in_search = [[] for _ in self._streams], {}, 0, set()
        tree = self._record(case)
        self._trees.append(json.dumps(tree, separators=(",", ":"), allow_nan=False))
        for stream, mine in zip(self._streams, self._texts, strict=True):
            stream.append(TEXT.join(map(self._dictionary.written, mine)))
            self.n_units += sum(map(len, mine))
        self.n_cases += 1

    def packed(self) -> str:
        """All of it as one string of ASCII."""
        own = list(self.shared)[len(self._shapes.shared) :]
        shared = TEXT.join(map(self._dictionary.written, own))
        return squeezed([f"[{','.join(self._trees)}]".encode(), shared, *map(CASE.join, self._streams)])

    def _record(self, record: object) -> list[object]:
        if isinstance(record, Line):
            self._said = CUSTOMER if record.role == "customer" else SAID
        number, names = self._known.get(type(record)) or self._shape(type(record))
        values = [(getattr(record, name), stream, blank) for name, stream, blank in names]
        while values and values[-1][0] is not True and values[-1][0] == values[-1][2]:
            values.pop()
        return [number, *[self._value(value, stream) for value, stream, _ in values]]

    def _shape(self, kind: type) -> tuple[int, list[tuple[str, int, object]]]:
        name, records = kind.__name__, self._shapes.records
        blanks = {f.name: f.default if repr(f.default) in _BLANK else _NONE for f in fields(kind)}
        if name not in records:
            first, out = FIRST.get(name, ()), LEFT_OUT.get(name, frozenset())
            names = [f for f in (*first, *(f for f in blanks if f not in first)) if f not in out]
            records[name] = {f: _BLANK.get(repr(blanks[f])) for f in names}
        number, streams = list(records).index(name) + 1, _STREAMS.get(name, {})
        self._known[kind] = number, [(f, streams.get(f, OTHER), blanks[f]) for f in records[name]]
        return self._known[kind]

    def _value(self, value: object, stream: int) -> object:
        if isinstance(value, str):
            return self._text(value, stream)
        if value is None or value is True or value is False or (isinstance(value, int) and value >= 0):
            return value
        if isinstance(value, tuple | list):
            if value and type(value[0]) is Segment:
                return self._cut(value)
            return [LIST, *[self._value(item, stream) for item in value]]
        if is_dataclass(value):
            return self._record(value)
        if isinstance(value, int | float):
            return [NUMBER, value]
        if isinstance(value, Mapping):
            pairs = [(self._text(str(k), OTHER), self._value(v, stream)) for k, v in value.items()]
            return [DICT, *(part for pair in pairs for part in pair)]
        raise TypeError(f"a {type(value).__name__} cannot be packed")

    def _cut(self, segments: Sequence[Segment]) -> list[object]:
        """A text and where it is cut: pairs of length and findings, none where all of it is one stretch of nobody's."""
        whole = self._text("".join(s.text for s in segments), self._said)
        if len(segments) == 1 and not segments[0].findings:
            return [CUT, whole]
        return [CUT, whole, *(part for s in segments for part in (units(s.text), list(s.findings)))]

    def _text(self, text: str, stream: int) -> object:
        searched = stream <= SEARCHED
        if text == "" or (not searched and text in self.shared):
            return self.shared[text]
        if text in self._local and (not searched or text in self._in_search):
            return str(self._local[text])
        if not searched and text in self._seen:
            self.shared[text] = FIRST_SHARED - len(self.shared)
            return self.shared[text]
        if stream == OTHER and len(text) >= _LOCAL and (within := self._within(text)):
            return within
        if len(text) >= _LOCAL or searched:
            self._local[text] = self._n_local
        self._n_local += 1
        if searched:
            self._in_search.add(text)
        else:
            self._seen.add(text)
        self._texts[stream].append(text)
        return -1 - stream

    def _within(self, text: str) -> list[object]:
        """Where a text stands in another one of the same conversation."""
        for whole in chain(*self._texts[: SEARCHED + 1]):
            at = whole.find(text)
            if at >= 0:
                return [WITHIN, self._local[whole], units(whole[:at]), units(text)]
        return []
