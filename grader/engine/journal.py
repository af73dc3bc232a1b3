"""The journal: what a run is, then every finished call as one line of JSON, on disk before anything else happens.

A line is written whole or, after a kill, torn at the very end of the file; a torn end is left out. Lines of many calls
share one fsync. With its inputs, the journals are all that the database can be made from again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from grader.errors import InputError, StoreError
from grader.model import CallStats, JsonValue, Judgement
from grader.store import CallRecord, RunItem

FORMAT = 1


@dataclass(frozen=True)
class Head:
    """The first line: the run's row, the rubrics that it uses, and the prompt as (hash, text)."""

    run_id: str
    run: Mapping[str, JsonValue] = field(default_factory=dict)
    rubrics: Sequence[Mapping[str, JsonValue]] = ()
    prompt: tuple[str, JsonValue] | None = None


@dataclass(frozen=True)
class Items:
    """Some of what the run is about; these lines follow the head."""

    items: tuple[RunItem, ...]


@dataclass(frozen=True)
class Entry:
    """One finished call: its judgements (or failures), and what it took."""

    judgements: tuple[Judgement, ...]
    call: CallRecord | None


@dataclass(frozen=True)
class End:
    """The last line: how the run ended, as fields of its row."""

    changes: Mapping[str, JsonValue]


Line = Head | Items | Entry | End


def written(line: Line) -> bytes:
    """The line as it stands in the file."""
    if isinstance(line, Entry):
        return _written_entry(line)
    if isinstance(line, Head):
        told: dict[str, JsonValue] = {
            "journal": FORMAT, "run_id": line.run_id, "run": dict(line.run), "rubrics": [dict(r) for r in line.rubrics],
            "prompt": line.prompt,
        }  # fmt: skip
    else:
        told = {"items": line.items} if isinstance(line, Items) else {"end": dict(line.changes)}
    return json.dumps(told, allow_nan=False).encode() + b"\n"


def _written_entry(entry: Entry) -> bytes:
    judgements = ",".join(j.model_dump_json(exclude_defaults=True) for j in entry.judgements)
    call = "null"
    if entry.call:
        c = entry.call
        call = json.dumps({"call_id": c.call_id, "called_at": c.called_at.isoformat()})[:-1]
        call += f',"stats":{c.stats.model_dump_json()}}}'
    return f'{{"call":{call},"judgements":[{judgements}]}}\n'.encode()


def _parsed(raw: bytes, run_id: str) -> Line:
    """What a line says. Raises ValueError (pydantic's and json's included), KeyError or TypeError when it is none."""
    data = json.loads(raw)
    if "journal" in data:
        if data["journal"] != FORMAT:
            raise ValueError(f"a journal of format {data['journal']}, which needs a newer Grader")
        prompt = (str(data["prompt"][0]), data["prompt"][1]) if data["prompt"] else None
        return Head(str(data["run_id"]), data["run"], data["rubrics"], prompt)
    if "items" in data:
        return Items(tuple((c, r, k, bool(again), float(p), s) for c, r, k, again, p, s in data["items"]))
    if "end" in data:
        return End(dict(data["end"]))
    call = None
    if data["call"]:
        call = CallRecord(
            data["call"]["call_id"], run_id, datetime.fromisoformat(data["call"]["called_at"]),
            CallStats.model_validate(data["call"]["stats"]),
        )  # fmt: skip
    return Entry(tuple(Judgement.model_validate(j) for j in data["judgements"]), call)


class Journal:
    """One run's journal, open for writing. `append` returns when the line is on disk.

    Raises StoreError when a line cannot be written; from then on every line is refused, so that none is ever torn.
    """

    def __init__(self, path: Path, first: Iterable[Line]) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise StoreError(
                f"{error.filename or path}: the journal cannot be written: {error.strerror}",
                cure="check the rights of [workspace] state_dir; nothing was called",
            ) from error
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._broken: StoreError | None = None
        self.end = 0  # bytes with everything that was handed in
        self.on_disk = 0  # bytes that are there after any kill
        try:
            for line in first:
                self.write(line)
        except StoreError:
            self._file.close()
            with contextlib.suppress(OSError):
                path.unlink()
            raise

    @property
    def name(self) -> str:
        """The file's name, under which the database remembers how far it has been taken in."""
        return self.path.name

    def write(self, line: Line) -> None:
        """Put a line on disk now; for before and after the calls."""
        raw = written(line)
        self.end += len(raw)
        self._write(raw)
        self.on_disk = self.end

    def _write(self, raw: bytes) -> None:
        if self._broken:
            raise self._broken
        try:
            view = memoryview(raw)
            while view:
                view = view[self._file.write(view) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._broken = StoreError(
                f"{self.path}: the journal cannot be written: {error.strerror}", cure="make room, then run again"
            )
            with contextlib.suppress(OSError):
                self._file.truncate(self.on_disk)  # half a line must not be followed by another one
            raise self._broken from error

    def append(self, raw: bytes) -> asyncio.Future[None]:
        """Put a line on disk: its place is taken at once, and ends at `end`; the future is done when it is there."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.end += len(raw)
        self._waiting.append((raw, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return asyncio.shield(done)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await loop.run_in_executor(self._disk, self._write, b"".join(raw for raw, _ in batch))
            except StoreError as error:
                for _, done in batch:
                    done.set_exception(error)
                    done.exception()  # whoever waited may be gone
                continue
            self.on_disk += sum(len(raw) for raw, _ in batch)
            for _, done in batch:
                done.set_result(None)

    async def flushed(self) -> None:
        """Wait until nothing is being written."""
        while self._flushing is not None and not self._flushing.done():
            await asyncio.wait([self._flushing])

    def close(self) -> None:
        """Close the file; what was appended must be flushed before."""
        self._disk.shutdown()
        self._file.close()


@dataclass(frozen=True)
class Damage:
    """A whole line that cannot be read: its number, where it begins, and what is wrong."""

    path: Path
    line: int
    byte: int
    reason: str

    def error(self, n_more: int = 0) -> InputError:
        """As an error that says how to go on."""
        more = f" (and {n_more} more damaged lines)" if n_more else ""
        return InputError(
            f"the journal is damaged at byte {self.byte}: {self.reason}{more}; every whole line is taken in",
            file=str(self.path),
            line=self.line,
            cure=f"restore the file from a backup, or delete line {self.line}: what it held is judged, and paid, again",
        )


def read(path: Path, start: int = 0) -> Iterator[tuple[Line | Damage, int]]:
    """(line, size up to and with it) for every whole line from byte `start` on. A torn last line is left out.

    `start` should be the end of a line; where it is none, the file was changed, and is read from its beginning.
    """
    run_id = path.stem
    number = 0
    with path.open("rb") as file:
        if start:
            file.seek(start - 1)
            if file.read(1) != b"\n":
                start = 0
        file.seek(start)
        end = start
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            number += 1
            end += len(raw)
            try:
                line: Line | Damage = _parsed(raw, run_id)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
                reason = str(error).splitlines()[0] if isinstance(error, ValueError) else "it is no line of a journal"
                line = Damage(path, number + _lines_before(path, start), end - len(raw), reason)
            yield line, end


def _lines_before(path: Path, byte: int) -> int:
    """How many lines end before this byte."""
    n, left = 0, byte
    with path.open("rb") as file:
        while left > 0 and (part := file.read(min(left, 1 << 20))):
            n += part.count(b"\n")
            left -= len(part)
    return n


def journals(folder: Path) -> Sequence[Path]:
    """The journals of a workspace, oldest first."""
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
