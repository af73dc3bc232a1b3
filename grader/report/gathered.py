"""The conversations of a report, read in batches and packed as they come, so that memory stays small.

What is packed waits in a temporary file; what the pages need of it beside (index, labels, the findings that are
readable without a script) is kept. Too many conversations for one file are split into parts of about the same size.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import IO

from grader.outcomes import Case, Ranked
from grader.report.case_view import CaseView, FindingView
from grader.report.dictionary import MIN_CASES, Dictionary
from grader.report.index import Index
from grader.report.overview import words
from grader.report.pack import Chunk, Shapes

MAX_STATIC_FINDINGS = 40  # so many are readable without JavaScript; with it, all conversations are
LEARNT_CASES = 1000  # the first ones, of which the dictionary is made
CHUNK_CASES = 128  # 64 would make a file of 10,000 conversations 5 % larger
CHUNK_UNITS = 800_000  # of text; one long conversation is a chunk of its own
_ROW_BYTES = 160  # of the index, about


@dataclass(frozen=True)
class Limits:
    """What one file holds at most; beyond that a report is split into parts."""

    n_conversations: int = 20_000
    n_bytes: int = 40_000_000


@dataclass
class Part:
    """What one file holds: its index, and where its chunks wait."""

    index: Index
    chunks: list[tuple[int, int]] = field(default_factory=list)  # (begin, length) in the temporary file
    severities: Counter[str] = field(default_factory=Counter)  # of the worst finding of each conversation
    n_flagged: int = 0
    n_bytes: int = 0


@dataclass
class Gathered:
    """Every conversation of a report, packed. `labels` words the answers that stand in them."""

    _waiting: IO[bytes]
    shapes: Shapes = field(default_factory=Shapes)
    parts: list[Part] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    static: list[tuple[CaseView, FindingView]] = field(default_factory=list)
    any_signals: bool = False  # whether signals can be compared with the judge anywhere

    @property
    def n_flagged(self) -> int:
        """How many of them have a proved finding."""
        return sum(part.n_flagged for part in self.parts)

    @property
    def n_cases(self) -> int:
        """How many there are."""
        return sum(len(part.index.rows) for part in self.parts)

    def chunks(self, part: Part) -> Iterator[str]:
        """The chunks of a part, in order."""
        for begin, length in part.chunks:
            self._waiting.seek(begin)
            yield self._waiting.read(length).decode("ascii")


@contextmanager
def gathered(
    ids: Sequence[str],
    read: Callable[[Sequence[str]], Iterable[Case]],
    shown: Callable[[Case], CaseView],
    ranked: Mapping[str, Ranked],
    *,
    at_once: int,
    limits: Limits | None,
    uncalibrated: frozenset[str] = frozenset(),
    tell: Callable[[int, int], None] | None = None,
) -> Iterator[Gathered]:
    """Pack these conversations, `at_once` in memory together. Without limits all of them are one part. `tell` hears how
    many of how many are packed.
    """
    with tempfile.TemporaryFile() as waiting:
        found = Gathered(waiting)
        most = len(ids)
        if limits is not None and most > limits.n_conversations:
            most = ceil(most / ceil(most / limits.n_conversations))
        packing = _Packing(found, waiting, most, limits.n_bytes if limits else None, uncalibrated)
        first: list[tuple[CaseView, Ranked]] = []
        for start in range(0, len(ids), at_once):
            cases = (
                (shown(case), ranked[case.conversation.conversation_id]) for case in read(ids[start : start + at_once])
            )
            if packing.begun:
                packing.add_all(cases)
            else:
                first += cases
                if len(first) >= LEARNT_CASES or start + at_once >= len(ids):
                    packing.begin(first)
                    first.clear()
            if tell is not None:
                tell(min(start + at_once, len(ids)), len(ids))
        packing.end()
        _elsewhere(found)
        yield found


class _Packing:
    def __init__(
        self, found: Gathered, waiting: IO[bytes], most: int, n_bytes: int | None, uncalibrated: frozenset[str]
    ) -> None:
        self.begun = False
        self._found, self._waiting = found, waiting
        self._most, self._n_bytes = most, n_bytes
        self._uncalibrated = uncalibrated
        self._rows: list[tuple[CaseView, Ranked]] = []
        self._used: set[str] = set()
        self._deepest: list[CaseView] = []
        self._dictionary = Dictionary()
        self._chunk = Chunk(found.shapes, self._dictionary)
        found.parts.append(Part(Index(uncalibrated)))

    def begin(self, first: Sequence[tuple[CaseView, Ranked]]) -> None:
        """The first conversations, of which all files learn what is frequent."""
        self.begun = True
        self._found.shapes.learn(case for case, _ in first[:CHUNK_CASES])
        self._dictionary = Dictionary(_texts(first), words=len(first) >= MIN_CASES)
        self._chunk = Chunk(self._found.shapes, self._dictionary)
        self.add_all(first)

    def add_all(self, cases: Iterable[tuple[CaseView, Ranked]]) -> None:
        for case, row in cases:
            self.add(case, row)

    def add(self, case: CaseView, ranked: Ranked) -> None:
        if self._chunk.n_cases and (
            self._chunk.n_cases >= CHUNK_CASES
            or self._chunk.n_units >= CHUNK_UNITS
            or len(self._found.parts[-1].index.rows) + len(self._rows) >= self._most
        ):
            self._close()
        self._chunk.add(case)
        self._rows.append((case, ranked))
        self._used |= {case.resolved, case.reason, case.mood}
        self._found.any_signals |= ranked.compared
        if len(self._deepest) < MAX_STATIC_FINDINGS and any(f.supported for f in case.findings):
            self._deepest.append(case)

    def end(self) -> None:
        if self._chunk.n_cases:
            self._close()
        for part in self._found.parts:
            part.index.dictionary = self._dictionary
        self._found.labels = {code: words(code) for code in sorted(self._used) if code}
        self._found.static = _static(self._deepest)

    def _close(self) -> None:
        packed = self._chunk.packed().encode("ascii")
        part = self._found.parts[-1]
        size = len(packed) + _ROW_BYTES * len(self._rows)
        full = len(part.index.rows) + len(self._rows) > self._most
        if part.chunks and (full or (self._n_bytes is not None and part.n_bytes + size > self._n_bytes)):
            part = Part(Index(self._uncalibrated))
            self._found.parts.append(part)
        part.index.starts.append(len(part.index.rows))
        for case, ranked in self._rows:
            part.index.add(case, ranked)
            part.n_flagged += bool(ranked.n_flagged)
            part.severities[case.severity] += 1
        part.chunks.append((self._waiting.seek(0, 2), len(packed)))
        part.n_bytes += size
        self._waiting.write(packed)
        self._chunk, self._rows = Chunk(self._found.shapes, self._dictionary), []


def _texts(cases: Iterable[tuple[CaseView, Ranked]]) -> Iterator[str]:
    """What people and judges wrote."""
    for case, _ in cases:
        for line in case.lines:
            for piece in line.pieces:
                yield "".join(segment.text for segment in piece.segments)
        for group in case.groups:
            for verdict in group.verdicts:
                yield verdict.reasoning


def _static(cases: Sequence[CaseView]) -> list[tuple[CaseView, FindingView]]:
    """The first finding of each of these, then the second of each that has one, and so on."""
    by_case = [[(case, f) for f in case.findings if f.supported] for case in cases]
    deepest = max(map(len, by_case), default=0)
    pairs = [found[depth] for depth in range(deepest) for found in by_case if depth < len(found)]
    return pairs[:MAX_STATIC_FINDINGS]


def _elsewhere(found: Gathered) -> None:
    """For each part, in which other one the conversations stand that came next."""
    if len(found.parts) < 2:
        return
    where = {row["id"]: n for n, part in enumerate(found.parts, 1) for row in part.index.rows}
    for number, part in enumerate(found.parts, 1):
        nexts = {row["next"] for row in part.index.rows}
        part.index.elsewhere = {i: where[i] for i in sorted(nexts) if where.get(i, number) != number}
