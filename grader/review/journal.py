"""A person's journal: every act a line of JSON, on disk before the act is told to be done. It is only ever added to.

A last line that was torn by a kill is no act: nobody was told that it was done. One process at a time writes to the
journals of a plan.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from grader.errors import ConfigError, StoreError
from grader.model import JsonValue, digest
from grader.review.acts import Act, read, written

VERSION = 1
SUFFIX = ".jsonl"
TAKEN = "taken.json"


def folder_of(state_dir: Path, plan_id: str) -> Path:
    """Where a plan's journals are."""
    return state_dir / "review" / plan_id


def path_of(folder: Path, role: str, name: str) -> Path:
    """Where this person's journal is; the name does not stand in it, since names may hold anything."""
    return folder / (digest("rj", [role, name])[:20] + SUFFIX)


@dataclass(slots=True)
class Journal:
    """One person's acts. `n_torn`: lines that are none, left out. `after`: what every new act has to be later than."""

    path: Path
    plan_id: str
    name: str
    role: str
    acts: list[Act] = field(default_factory=list)
    n_torn: int = 0
    after: datetime | None = None
    _end: int = 0  # where whole lines end
    _stream: int | None = None

    def now(self) -> datetime:
        """The time of the next act: later than the last one's, and than `after`, whatever the clock does."""
        at = datetime.now(UTC)
        last = max([one for one in (self.acts[-1].at if self.acts else None, self.after) if one], default=None)
        return at if last is None or at > last else last + timedelta(microseconds=1)

    def append(self, *acts: Act) -> None:
        """Keep the acts; they are on disk when this returns. Raises StoreError, and then nothing is kept."""
        try:
            self._hold()
            self._write(_lines(acts))
        except OSError as error:
            raise StoreError(
                f"{self.path}: cannot be written: {error.strerror or error}", cure="make room, or check the rights"
            ) from error
        self.acts += acts

    def _hold(self) -> None:
        """Have the file open that is there now, with all acts in it. Raises StoreError where it is another."""
        there = self.path.stat() if self.path.exists() else None
        if there is None and (self._stream is not None or self._end):
            self.close()
            self._end = 0  # somebody removed it: what it held is known, and written again
        if self._stream is None:
            anew = self._end == 0
            self._open()
            if anew and self.acts:
                self._write(_lines(self.acts))
        elif there is not None and (there.st_ino, there.st_size) != (os.fstat(self._stream).st_ino, self._end):
            raise StoreError(
                f"{self.path}: was changed while the app runs",
                cure="end grader review and start it again: it goes on with what the file holds",
            )

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._stream = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._stream, self._end)  # what a kill left of a line
        if self._end == 0:
            head = {"journal": VERSION, "plan_id": self.plan_id, "role": self.role, "name": self.name}
            self._write(json.dumps(head))
            _sync_folder(self.path.parent)

    def _write(self, line: str) -> None:
        assert self._stream is not None  # noqa: S101 - opened by `append`
        data = line.encode() + b"\n"
        os.lseek(self._stream, self._end, os.SEEK_SET)
        done = 0
        try:
            while done < len(data):
                done += os.write(self._stream, data[done:])
            os.fsync(self._stream)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._stream, self._end)
            raise
        self._end += len(data)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            os.close(self._stream)
            self._stream = None


def _lines(acts: Iterable[Act]) -> str:
    return "\n".join(json.dumps(written(act), allow_nan=False) for act in acts)


def opened(folder: Path, plan_id: str, role: str, name: str) -> Journal:
    """This person's journal with what is in it, ready to be added to."""
    path = path_of(folder, role, name)
    return _read(path) or Journal(path, plan_id, name, role)


def all_of(folder: Path) -> list[Journal]:
    """Every journal of a plan."""
    return [found for path in sorted(folder.glob(f"rj_*{SUFFIX}")) if (found := _read(path)) is not None]


def _read(path: Path) -> Journal | None:
    """None where there is none, or one that was torn before its first act."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}", cure="check the rights") from error
    found: Journal | None = None
    end = 0
    for line in data.splitlines(keepends=True):
        row = _row(line)
        if found is None:
            if not isinstance(row, dict) or row.get("journal") != VERSION:
                if line.endswith(b"\n"):
                    raise StoreError(f"{path}: is no journal of this Grader", cure="move it away, or upgrade grader")
                return None
            found = Journal(path, str(row["plan_id"]), str(row["name"]), str(row["role"]))
        elif row is None or not line.endswith(b"\n"):
            found.n_torn += 1
            if not line.endswith(b"\n"):
                break
        else:
            try:
                found.acts.append(read(row))
            except (KeyError, TypeError, ValueError):
                found.n_torn += 1
        end += len(line)
        found._end = end
    return found


def _row(line: bytes) -> Mapping[str, JsonValue] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def note_taken(folder: Path, counts: Mapping[str, int]) -> None:
    """Note how many acts of each journal are in the database, for a session that cannot ask it. Only what is shown
    leans on it, never what is taken in.
    """
    path = folder / TAKEN
    with contextlib.suppress(OSError):
        path.with_suffix(".part").write_text(json.dumps(dict(counts)), encoding="utf-8")
        path.with_suffix(".part").replace(path)


def noted_taken(folder: Path) -> dict[str, int]:
    """What was noted; nothing where nothing usable was."""
    try:
        found = json.loads((folder / TAKEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    counts = found.items() if isinstance(found, dict) else ()
    return {str(name): n for name, n in counts if isinstance(n, int)}


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While this holds, no other process reviews the plan. The system ends it with the process, so that a killed one
    leaves nothing in the way. Raises ConfigError where another process has it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written to: {error.strerror}", cure="check the rights") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(handle, 20).decode("ascii", "replace").strip()
            raise ConfigError(
                f"this plan is being reviewed already (PID {pid or 'not known'})",
                cure="use the addresses that it printed, or end it first (Ctrl-C)",
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)
