"""One file into a store, batch by batch: what the command `grader ingest` does.

A batch is whole or not at all; after an interruption the same command again takes in the rest, since what is there
already changes nothing. The store is an argument; this module knows only what it asks of one.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, Protocol

from grader.errors import InputError
from grader.ingest import Incoming, Kept, Mapping, Note, Reading, Rejected, read
from grader.model import JsonValue

MAX_RECORDS = 2_000
MAX_BYTES = 8 * 1024 * 1024
SHOWN = 10  # rejections of a file that are kept at hand; all of them are stored
_PROGRESS_EVERY = 200  # rows

Progress = Callable[[int, int], None]  # (bytes used, rows so far)


class Counts(Protocol):
    """How many of the records handed in were new, changed or unchanged."""

    @property
    def new(self) -> int:
        """Under an id that was not there."""

    @property
    def changed(self) -> int:
        """Under a known id, with other content."""

    @property
    def unchanged(self) -> int:
        """There already."""


class Sink(Protocol):
    """What is asked of a store."""

    def begin_ingest(self, path: str, format: str, size: int | None) -> str:  # noqa: A002 - the field's word
        """Note that a file is being read; returns the id that its rows carry."""

    def add(self, batch: Sequence[tuple[Incoming, str, int]], ingest_id: str) -> Counts:
        """Take in (record, file, line) triples, all or none."""

    def add_rejections(self, ingest_id: str, rejected: Sequence[Rejected]) -> None:
        """Keep the rows that could not be taken in."""

    def end_ingest(self, ingest_id: str, rows_in: int, kept: int, rejected: int, counts: Any) -> None:
        """Note how the file was read."""


@dataclass
class Loaded:
    """How one file went in. Rows in = kept + rejected; new + changed + unchanged are records."""

    path: str
    format: str
    why: str
    kept: int = 0
    rejected: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: int = 0  # rows that were bad themselves; stored with their reasons
    refused: bool = False  # strict: a row was bad, so nothing went in and every row counts as rejected
    records: Counter[str] = field(default_factory=Counter)
    first_rejections: list[Rejected] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def rows_in(self) -> int:
        """Rows that the file has."""
        return self.kept + self.rejected


@dataclass(frozen=True)
class _Sum:
    new: int
    changed: int
    unchanged: int


def load(
    path: Path,
    store: Sink,
    *,
    format: str | None = None,  # noqa: A002 - the field's word
    mapping: Mapping | None = None,
    timezone: tzinfo = UTC,
    content: Path | None = None,
    strict: bool = False,
    on_progress: Progress | None = None,
    options: MappingOf[str, JsonValue] | None = None,
) -> Loaded:
    """Take one file in. With `strict` nothing goes in if any row is bad; the file is then read twice. `content`: the
    bytes are there, and `path` only names them.

    Raises InputError if the file cannot be read at all. On KeyboardInterrupt the batches so far stay and are counted.
    """

    def reading() -> Reading:
        return read(path, format=format, mapping=mapping, timezone=timezone, content=content, options=options)

    first = reading()
    ingest_id = store.begin_ingest(str(path), first.format, first.size)
    loaded = Loaded(str(path), first.format, first.why)
    taking = _Taking(store, ingest_id, loaded, on_progress)
    try:
        with _without_collector():
            if strict:
                taking.check(first)
                if not loaded.rejected:
                    taking.take(reading(), strict=True)
            else:
                taking.take(first)
    finally:
        counts = _Sum(loaded.new, loaded.changed, loaded.unchanged)
        store.end_ingest(ingest_id, loaded.rows_in, loaded.kept, loaded.rejected, counts)
    return loaded


@contextmanager
def _without_collector() -> Iterator[None]:
    """A batch is hundreds of thousands of objects, none of them in a circle: looking for circles among them again and
    again takes a quarter of the time. They are looked for between batches.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class _Taking:
    """The batches of one file."""

    def __init__(self, store: Sink, ingest_id: str, loaded: Loaded, on_progress: Progress | None) -> None:
        self._store, self._id, self._loaded, self._tell = store, ingest_id, loaded, on_progress
        self._batch: list[tuple[Incoming, str, int]] = []
        self._bad: list[Rejected] = []
        self._rows = self._bytes = 0

    def take(self, reading: Reading, *, strict: bool = False) -> None:
        n = 0
        for n, row in enumerate(reading, 1):
            if isinstance(row, Kept):
                # The second record of a row goes with the first, so that a row is whole or not at all.
                if row.rows and (len(self._batch) >= MAX_RECORDS or self._bytes >= MAX_BYTES):
                    self._flush()
                self._batch.append((row.record, str(reading.path), row.line))
                self._rows += row.rows
                self._bytes += row.size
            elif strict:
                raise InputError(
                    "the file changed while it was being read", file=row.file, line=row.line,
                    cure="run the command again when nothing writes to it",
                )  # fmt: skip
            else:
                self._reject(row)
            self._progress(reading, n)
        self._flush()
        self._loaded.notes = reading.notes()
        self._progress(reading, 0)

    def check(self, reading: Reading) -> None:
        """Read to the end and keep only what is bad; if anything is, every row counts as rejected."""
        rows = 0
        for n, row in enumerate(reading, 1):
            if isinstance(row, Kept):
                rows += row.rows
            else:
                self._reject(row)
            self._progress(reading, n)
        self._flush()
        if self._loaded.rejected:
            self._loaded.refused = True
            self._loaded.rejected += rows
            self._loaded.notes = reading.notes()

    def _reject(self, row: Rejected) -> None:
        self._bad.append(row)
        self._loaded.bad += 1
        if len(self._loaded.first_rejections) < SHOWN:
            self._loaded.first_rejections.append(row)
        if len(self._bad) >= MAX_RECORDS:
            self._flush()

    def _flush(self) -> None:
        if self._batch:
            counts = self._store.add(self._batch, self._id)
            self._loaded.new += counts.new
            self._loaded.changed += counts.changed
            self._loaded.unchanged += counts.unchanged
            self._loaded.kept += self._rows
            self._loaded.records.update(type(record).__name__.lower() for record, _, _ in self._batch)
        if self._bad:
            self._store.add_rejections(self._id, self._bad)
            self._loaded.rejected += len(self._bad)
        self._batch, self._bad, self._rows, self._bytes = [], [], 0, 0
        gc.collect(1)

    def _progress(self, reading: Reading, n: int) -> None:
        if self._tell and n % _PROGRESS_EVERY == 0:
            self._tell(reading.position, self._loaded.rows_in + self._rows + len(self._bad))
