"""The journal: every finished call as one line of JSON, on disk before anything else happens with it.

A line is written whole or, after a kill, torn at the very end of the file; a torn end is left out and written over by
nothing. Lines of many calls share one fsync.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from grader.errors import InputError, StoreError
from grader.model import CallStats, Judgement
from grader.store import CallRecord

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One finished call: its judgements (or failures), and what it took."""

    judgements: tuple[Judgement, ...]
    call: CallRecord | None


def written(entry: Entry) -> bytes:
    """The entry as its line."""
    judgements = ",".join(j.model_dump_json(exclude_defaults=True) for j in entry.judgements)
    call = "null"
    if entry.call:
        c = entry.call
        call = json.dumps({"call_id": c.call_id, "called_at": c.called_at.isoformat()})[:-1]
        call += f',"stats":{c.stats.model_dump_json()}}}'
    return f'{{"call":{call},"judgements":[{judgements}]}}\n'.encode()


def read_entry(line: bytes, run_id: str) -> Entry:
    """The entry of a line. Raises ValueError (pydantic's and json's included) when it is none."""
    data = json.loads(line)
    call = None
    if data["call"]:
        call = CallRecord(
            data["call"]["call_id"], run_id, datetime.fromisoformat(data["call"]["called_at"]),
            CallStats.model_validate(data["call"]["stats"]),
        )  # fmt: skip
    return Entry(tuple(Judgement.model_validate(j) for j in data["judgements"]), call)


class Journal:
    """One run's journal, open for writing. `append` returns when the line is on disk."""

    def __init__(self, path: Path, run_id: str, started_at: datetime) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.name = path.name
        try:
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise StoreError(f"{path}: the journal cannot be written: {error.strerror}") from error
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: list[tuple[bytes, asyncio.Future[int]]] = []
        self._flushing: asyncio.Task[None] | None = None
        head = {"journal": FORMAT, "run_id": run_id, "started_at": started_at.isoformat()}
        self._size = self._write((json.dumps(head) + "\n").encode())

    def _write(self, raw: bytes) -> int:
        view = memoryview(raw)
        while view:
            view = view[self._file.write(view) :]
        os.fsync(self._file.fileno())
        return len(raw)

    async def append(self, line: bytes) -> int:
        """Put a line on disk; returns the size of the journal up to and with it."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((line, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return await asyncio.shield(done)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await loop.run_in_executor(self._disk, self._write, b"".join(line for line, _ in batch))
            except OSError as error:
                failed = StoreError(
                    f"the journal cannot be written: {error.strerror}", cure="make room, then run again"
                )
                for _, done in batch:
                    done.set_exception(failed)
                continue
            for line, done in batch:
                self._size += len(line)
                done.set_result(self._size)

    async def close(self) -> None:
        """Wait for what is being written, then close."""
        if self._flushing is not None:
            await self._flushing
        self._disk.shutdown()
        self._file.close()


def run_of(path: Path) -> str:
    """The run that a journal belongs to. Raises InputError when the file is no journal."""
    with path.open("rb") as file:
        first = file.readline(10_000)
    try:
        head = json.loads(first)
        if head["journal"] != FORMAT:
            raise InputError(f"a journal of format {head['journal']}", file=str(path), line=1, cure="upgrade grader")
        return str(head["run_id"])
    except (ValueError, KeyError, TypeError):
        raise InputError(
            "this file is no journal of Grader's", file=str(path), line=1, cure="move it out of the journal folder"
        ) from None


def read(path: Path, start: int = 0) -> Iterator[tuple[Entry, int]]:
    """(entry, size up to and with it) for every whole line from byte `start` on. A torn last line is left out.

    Raises InputError, with the line's place, when a whole line is damaged.
    """
    run_id = run_of(path)
    with path.open("rb") as file:
        end = start or len(file.readline())
        file.seek(end)
        for line in file:
            if not line.endswith(b"\n"):
                return
            end += len(line)
            try:
                yield read_entry(line, run_id), end
            except (ValueError, KeyError, TypeError, ValidationError) as error:
                raise InputError(
                    f"the journal is damaged at byte {end - len(line)}: {str(error).splitlines()[0]}",
                    file=str(path),
                    cure="restore the file from a backup, or cut the damaged line out; the other lines are whole",
                ) from error


def journals(folder: Path) -> Sequence[Path]:
    """The journals of a workspace, oldest first."""
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
