"""Opening the database: made atomically, migrated by number, its foreign errors mapped here and nowhere else."""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from grader.errors import HeldError, OldSchemaError, StoreError

Row = tuple[Any, ...]
_T = TypeVar("_T")

Step = tuple[int, str, str]  # a migration: number, name, SQL

_NUMBERED = re.compile(r"^(\d{4})_(\w+)\.sql$")
_HELD = re.compile(r"Conflicting lock is held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")
_BODY_CHARS = 4_000_000  # of one INSERT: a text this long or longer travels alone
_ROWS_AT_ONCE = 100
_ROOM_MB = (64, 256, 1_000, 4_000, 16_000)
_PATIENCE_SECONDS = 1.0
_ABANDONED_SECONDS = 3600  # a database that has been in the making for so long was left by a process that is gone
# What is needed is built in. Without this, a file of another kind makes DuckDB look for an extension on the network.
_CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def migrations(folder: Path | None = None) -> list[Step]:
    """(number, name, SQL) in order. Raises StoreError when a number is missing or stands twice."""
    source = folder if folder is not None else files("grader.store") / "migrations"
    found = sorted(
        (int(match[1]), match[2], entry.read_text(encoding="utf-8"))
        for entry in source.iterdir()
        if (match := _NUMBERED.match(entry.name))
    )
    if [number for number, _, _ in found] != list(range(1, len(found) + 1)):
        raise StoreError(f"the migrations are not numbered 1, 2, 3 …: {[number for number, _, _ in found]}")
    return found


class _Cramped(Exception):  # noqa: N818 - named for what happened
    """A statement inside `atomically` needs more memory than is set, and more may be had."""


class Connection:
    """One connection to one database file. SQL in, rows out; every DuckDB error leaves as a StoreError.

    `room`: the memory limits to try, one after the other, when a statement does not fit into the one that was set.
    """

    def __init__(self, raw: duckdb.DuckDBPyConnection, path: Path, room: Sequence[str] = ()) -> None:
        self._raw = raw
        self.path = path
        self._room = list(room)
        self._in_transaction = self._may_repeat = False
        self._schemas: dict[str, str] = {}

    def rows(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        """All rows of one statement."""
        return self._run(sql, parameters)[1]

    def records(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[dict[str, Any]]:
        """All rows of one statement, by column name."""
        names, rows = self._run(sql, parameters)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _run(self, sql: str, parameters: Sequence[object] | Mapping[str, object]) -> tuple[list[str], list[Row]]:
        with _mapped(self.path):
            while True:
                try:
                    result = self._raw.execute(sql, parameters or None)
                    return [column[0] for column in result.description or []], result.fetchall()
                except duckdb.OutOfMemoryException as error:
                    # One message of 20 MB does not fit into what thousands of usual ones need.
                    if not self._room or (self._in_transaction and not self._may_repeat):
                        raise
                    if self._in_transaction:
                        raise _Cramped from error
                    self._make_room()

    def bound(self, memory: str) -> None:
        """From now on DuckDB takes no more than this, but for a statement that does not fit into it."""
        with _mapped(self.path):
            self._raw.execute(f"set memory_limit = '{memory}'")
            # What is appended stays in memory until a checkpoint: a small bound wants them often.
            self._raw.execute(f"set checkpoint_threshold = '{max(2, _megabytes(memory) // 6):.0f}MB'")

    def _make_room(self) -> None:
        self._raw.execute(f"set memory_limit = '{self._room.pop(0)}'")

    def insert(self, table: str, rows: Sequence[Mapping[str, object]], *, like: str | None = None) -> None:
        """Append many rows: they travel as JSON parameters of a few MB, columns by the first row's names.

        `like` names the table whose column types hold, for a temporary one made after it.
        """
        if not rows:
            return
        columns = rows[0].keys()
        schema = json.dumps([{name: self._types(like or table)[name] for name in columns}])
        names = ", ".join(f'"{name}"' for name in columns)
        for body in _bodies(self._pieces(table, rows)):
            self.rows(
                f"insert into {table} ({names}) select {names} from (select unnest(r) "
                "from (select unnest(from_json(?, ?)) as r))",
                [body, schema],
            )

    def insert_written(self, table: str, shape: object, sql: str, written: Sequence[tuple[str, str]]) -> None:
        """Append to a table what is written as JSON objects already, each with what it is of.

        `sql` takes a list of them and its schema, and inserts; `shape` is DuckDB's types of one object.
        """
        if not written:
            return
        for of, part in written:
            try:
                part.encode()
            except UnicodeEncodeError as error:
                raise self._unkept(table, of, error) from error
        schema = json.dumps([shape])
        for body in _bodies(part for _, part in written):
            self.rows(sql, [body, schema])

    def _pieces(self, table: str, rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
        """The rows as JSON, many at once unless they are long: each call of the encoder costs as much as a row."""
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            try:
                part = _encoded(some)
            except (ValueError, RecursionError):  # NaN, half a surrogate pair, nested without end
                part = ",".join(self._piece(table, row) for row in some)
            if len(part) > _BODY_CHARS and len(some) > 1:
                yield from (self._piece(table, row) for row in some)
            else:
                yield part

    def _piece(self, table: str, row: Mapping[str, object]) -> str:
        try:
            return _encoded([row])
        except (ValueError, RecursionError) as error:
            raise self._unkept(table, next(iter(row.values())), error) from error

    def _unkept(self, table: str, of: object, error: Exception) -> StoreError:
        reason = "half a surrogate pair" if isinstance(error, UnicodeEncodeError) else str(error)
        return StoreError(
            f"{self.path}: a row for table {table} cannot be kept ({of}): {reason}",
            cure="such values are refused or mended when a file is taken in: grader ingest",
        )

    def _types(self, table: str) -> dict[str, object]:
        if table not in self._schemas:
            found = self.rows(
                "select column_name, data_type from duckdb_columns() where table_name = ? and not internal", [table]
            )
            self._schemas[table] = json.dumps(
                {name: [kind[:-2]] if kind.endswith("[]") else kind for name, kind in found}
            )
        types: dict[str, object] = json.loads(self._schemas[table])
        return types

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. After an error DuckDB lets a commit pass and drops the rows: so every error rolls back."""
        self.rows("begin transaction")
        self._in_transaction = True
        try:
            yield
            self.rows("commit")
        except BaseException:
            with contextlib.suppress(StoreError):  # the error that led here is the one to report
                self.rows("rollback")
            raise
        finally:
            self._in_transaction = False

    def atomically(self, work: Callable[[], _T]) -> _T:
        """What `work` does, all or nothing; done again from its start when it did not fit into the memory."""
        while True:
            self._may_repeat = True
            try:
                with self.transaction():
                    return work()
            except _Cramped:
                with _mapped(self.path):
                    self._make_room()
            finally:
                self._may_repeat = False

    def close(self) -> None:
        """Close; what was committed is on disk."""
        self._raw.close()


def _bodies(parts: Iterable[str]) -> Iterator[str]:
    """Lists of a few MB, of JSON objects or of some with commas between them."""
    held: list[str] = []
    size = 0
    for part in parts:
        if held and size + len(part) > _BODY_CHARS:
            yield f"[{','.join(held)}]"
            held, size = [], 0
        held.append(part)
        size += len(part)
    yield f"[{','.join(held)}]"


def _encoded(rows: Sequence[Mapping[str, object]]) -> str:
    """The rows as JSON objects with commas between them."""
    text = json.dumps(rows, ensure_ascii=False, allow_nan=False)
    text.encode()
    return text[1:-1]


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise _as_store_error(error, path) from error


# What stands in DuckDB's message, what it means, and the one thing to do.
_MEANINGS = (
    ("not a valid DuckDB database", "this file is no DuckDB database",
     "name another file as [workspace] database, or move this one away"),
    ("is an existing extension", "this file is no DuckDB database",
     "name another file as [workspace] database, or move this one away"),
    ("Is a directory", "this is a folder", "name a file as [workspace] database"),
    ("Permission denied", "no permission", "check who owns the file and its folder"),
    ("Read-only file system", "the file system is read-only", "put [workspace] database elsewhere"),
    ("different configuration", "this program has it open already, in another way", None),
    ("No space left", "the disk is full", "make room, then run the same command again"),
    ("Disk quota", "the disk quota is used up", "make room, then run the same command again"),
    ("File too large", "no file may grow so large here", "raise the limit (ulimit -f), then run it again"),
    ("Out of Memory", "DuckDB ran out of memory", "close other programs, then run the same command again"),
    ("failed to allocate", "DuckDB ran out of memory", "close other programs, then run the same command again"),
    ("Corrupt database file", "the file is damaged", "grader db rebuild makes the database again from the journals"),
    ("Could not read enough bytes", "the file is cut off",
     "grader db rebuild makes the database again from the journals"),
    ("Failure while replaying WAL", "the file's write-ahead log is damaged",
     "grader db rebuild makes the database again from the journals"),
)  # fmt: skip


def _as_store_error(error: duckdb.Error, path: Path) -> StoreError:
    text = str(error)
    if held := _HELD.search(text):
        return HeldError(
            f"{path}: the database is held by another process (PID {held['pid']}, {held['program']})",
            cure="wait until it ends, or end it",
            pid=int(held["pid"]),
        )
    if "Could not set lock" in text:
        return HeldError(f"{path}: the database is held by another process", cure="wait until it ends, or end it")
    if "version number" in text and "can only read" in text:
        return StoreError(f"{path}: written by a newer DuckDB: {text}", cure="upgrade duckdb: pip install -U duckdb")
    for words, meaning, cure in _MEANINGS:
        if words in text:
            return StoreError(f"{path}: {meaning} ({text.splitlines()[0]})", cure=cure)
    return StoreError(f"{path}: {text}")


def connect(
    path: Path, *, read_only: bool = False, create: bool = True, memory: str | None = None,
    threads: int | None = None, steps: Sequence[Step] | None = None,
) -> Connection:  # fmt: skip
    """Open the database, brought to the newest schema; made, atomically, when it is not there, if `create` says so
    (never when `read_only`).

    `memory` ("64MB") and `threads` bound what DuckDB takes; `memory` gives way to a statement that does not fit into
    it. `steps` are the migrations, by default those that ship. Raises StoreError.
    """
    steps = migrations() if steps is None else steps
    try:
        there = path.exists()
    except OSError as error:
        raise StoreError(f"{path}: cannot be looked at: {error.strerror}", cure="check the folder's rights") from error
    if not there:
        if read_only or not create:
            raise StoreError(f"{path}: there is no database yet", cure="grader ingest PATH… makes it")
        _create(path, steps)
    config: dict[str, str | bool | int | float | list[str]] = {**_CONFIG}
    if threads:
        config["threads"] = threads
    with _mapped(path):
        raw = _opened(path, read_only=read_only, config=config)
    connection = Connection(raw, path, _room(memory) if memory else ())
    try:
        _migrate(connection, steps, read_only=read_only)  # before any bound: a step may rewrite whole tables
        if memory:
            connection.bound(memory)
    except BaseException:
        connection.close()
        raise
    return connection


def _opened(
    path: Path, *, read_only: bool, config: dict[str, str | bool | int | float | list[str]]
) -> duckdb.DuckDBPyConnection:
    """A program that only writes down a few answers is done in a moment: so long is waited for it."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.05)


def _room(memory: str) -> list[str]:
    """The larger bounds to try after this one ("12MB", "3GB")."""
    return [f"{more}MB" for more in _ROOM_MB if more > _megabytes(memory)]


def _megabytes(memory: str) -> float:
    return float(memory[:-2]) * {"MB": 1, "GB": 1_000}[memory[-2:]]


def check_free(path: Path) -> None:
    """Raises StoreError when another process holds the database; a file that is damaged or absent is free."""
    if not path.exists():
        return
    try:
        duckdb.connect(str(path), read_only=True, config={**_CONFIG}).close()
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise _as_store_error(error, path) from error


def _create(path: Path, steps: Sequence[Step]) -> None:
    """Build the database beside its place and move it there whole, so that nobody ever sees half of one."""
    if not path.parent.is_dir():
        raise StoreError(f"{path}: the folder {path.parent} does not exist", cure=f"mkdir -p {path.parent}")
    building = path.with_name(f".{path.name}.{os.getpid()}-{time.time_ns():x}.new")
    try:
        _sweep(path)
        with _mapped(path):
            # Readable by DuckDB 1.5 too: a team's tools need not all be upgraded on one day.
            raw = duckdb.connect(str(building), config={**_CONFIG, "storage_compatibility_version": "v1.5.0"})
        connection = Connection(raw, path)
        try:
            _migrate(connection, steps, read_only=False)
            connection.rows("checkpoint")
        finally:
            connection.close()
        _put(building, path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be made: {error.strerror}", cure="check the folder's permissions") from error
    finally:
        building.unlink(missing_ok=True)
        building.with_name(building.name + ".wal").unlink(missing_ok=True)


def rewrite(path: Path, last: str) -> None:
    """Copy what is in the database into a new file, do `last` there, and put it in the old one's place: nothing that
    was deleted is left in unused pages.
    """
    building = path.with_name(f".{path.name}.{os.getpid()}-{time.time_ns():x}.new")
    quoted = str(building).replace("'", "''")
    connection = connect(path, create=False)
    try:
        (own,) = connection.rows("select current_database()")[0]
        connection.rows(f"attach '{quoted}' as written (storage_version 'v1.5.0')")
        connection.rows(f'copy from database "{own}" to written')
        connection.rows("use written")
        connection.rows(last)
        connection.rows("checkpoint written")
        connection.rows(f'use "{own}"')
        connection.rows("detach written")
        connection.rows("checkpoint")  # the old write-ahead log must not be replayed into the new file
        connection.close()
        building.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be replaced: {error.strerror}", cure="check the folder's rights") from error
    finally:
        connection.close()
        building.unlink(missing_ok=True)
        building.with_name(building.name + ".wal").unlink(missing_ok=True)


def _put(building: Path, path: Path) -> None:
    """Give the finished file its name. Where another process has made one meanwhile, theirs stands."""
    try:
        os.link(building, path)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        building.rename(path)  # a file system without hard links


def _sweep(path: Path) -> None:
    """Remove what processes that were killed while making this database left behind."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.new*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink()


def _migrate(connection: Connection, steps: Sequence[Step], *, read_only: bool) -> None:
    """Each step in a transaction of its own, with its line in the table `migration`."""
    tables = {name for (name,) in connection.rows("select table_name from duckdb_tables() where not internal")}
    if tables and not {"migration", "conversation"} <= tables:
        raise StoreError(
            f"{connection.path}: a DuckDB database, but not one of Grader's",
            cure="name another file as [workspace] database",
        )
    done = {n for (n,) in connection.rows("select number from migration")} if tables else set()
    newest = max(done, default=0)
    if newest > len(steps):
        raise StoreError(
            f"{connection.path}: its schema is number {newest}, this Grader knows {len(steps)}",
            cure="upgrade grader: the file was written by a newer one",
        )
    waiting = [step for step in steps if step[0] not in done]
    if waiting and read_only:
        raise OldSchemaError(
            f"{connection.path}: its schema is number {newest}, this Grader wants {len(steps)}",
            cure="run `grader db info` once to bring it up to date",
        )
    for number, name, sql in waiting:
        with connection.transaction():
            if number == 1:
                connection.rows(_MIGRATION)
            try:
                connection.rows(sql)
            except StoreError as error:
                raise StoreError(
                    f"{error.message}\nstep {number:04d}_{name} of the schema failed, the database is as before it",
                    cure="keep the file, and report this",
                ) from error
            at = datetime.now(UTC).replace(tzinfo=None)
            connection.rows("insert into migration values (?, ?, ?)", [number, name, at])


_MIGRATION = "create table migration (number integer not null, name varchar not null, applied_at timestamp not null)"
