"""Opening the database: made atomically, migrated by number, its foreign errors mapped here and nowhere else."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from grader.errors import StoreError

Row = tuple[Any, ...]

_NUMBERED = re.compile(r"^(\d{4})_(\w+)\.sql$")
_HELD = re.compile(r"Conflicting lock is held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")


def migrations(folder: Path | None = None) -> list[tuple[int, str, str]]:
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


class Connection:
    """One connection to one database file. SQL in, rows out; every DuckDB error leaves as a StoreError."""

    def __init__(self, raw: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._raw = raw
        self.path = path
        self._schemas: dict[str, str] = {}

    def rows(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        """All rows of one statement."""
        with _mapped(self.path):
            return self._raw.execute(sql, parameters or None).fetchall()

    def records(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[dict[str, Any]]:
        """All rows of one statement, by column name."""
        with _mapped(self.path):
            result = self._raw.execute(sql, parameters or None)
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def insert(self, table: str, rows: Sequence[Mapping[str, object]], *, like: str | None = None) -> None:
        """Append many rows in one statement: they travel as one JSON parameter, columns by the first row's names.

        `like` names the table whose column types hold, for a temporary one made after it.
        """
        if not rows:
            return
        columns = rows[0].keys()
        schema = json.dumps([{name: self._types(like or table)[name] for name in columns}])
        body = json.dumps(rows, ensure_ascii=False, allow_nan=False)
        names = ", ".join(f'"{name}"' for name in columns)
        self.rows(
            f"insert into {table} ({names}) select {names} from (select unnest(r) "
            "from (select unnest(from_json(?, ?)) as r))",
            [body, schema],
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
        try:
            yield
        except BaseException:
            with contextlib.suppress(StoreError):  # the error that led here is the one to report
                self.rows("rollback")
            raise
        self.rows("commit")

    def close(self) -> None:
        """Close; what was committed is on disk."""
        self._raw.close()


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise _as_store_error(error, path) from error


def _as_store_error(error: duckdb.Error, path: Path) -> StoreError:
    text = str(error)
    if held := _HELD.search(text):
        return StoreError(
            f"{path}: the database is held by another process (PID {held['pid']}, {held['program']})",
            cure="wait until it ends, or end it; reports can be made from a copy of the file",
        )
    if "Could not set lock" in text:
        return StoreError(f"{path}: the database is held by another process", cure="wait until it ends, or end it")
    if "version number" in text and "can only read" in text:
        return StoreError(f"{path}: written by a newer DuckDB: {text}", cure="upgrade duckdb: pip install -U duckdb")
    if "not a valid DuckDB database" in text:
        return StoreError(
            f"{path}: this file is no DuckDB database", cure="name another file with --database, or move this one away"
        )
    if "No space left" in text or "Out of Memory" in text:
        return StoreError(f"{path}: {text.splitlines()[0]}", cure="make room, then run the same command again")
    return StoreError(f"{path}: {text}")


def connect(
    path: Path, *, read_only: bool = False, memory: str | None = None, threads: int | None = None
) -> Connection:
    """Open the database, brought to the newest schema; made, atomically, when it is not there (not when `read_only`).

    `memory` ("256MB") and `threads` bound what DuckDB takes. Raises StoreError.
    """
    if not path.exists():
        if read_only:
            raise StoreError(f"{path}: there is no database yet", cure="grader ingest PATH… makes it")
        _create(path)
    config: dict[str, str | bool | int | float | list[str]] = {}
    if memory:
        config["memory_limit"] = memory
    if threads:
        config["threads"] = threads
    with _mapped(path):
        raw = duckdb.connect(str(path), read_only=read_only, config=config)
    connection = Connection(raw, path)
    try:
        _migrate(connection, migrations(), read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path) -> None:
    """Build the database beside its place and move it there whole, so that nobody ever sees half of one."""
    if not path.parent.is_dir():
        raise StoreError(f"{path}: the folder {path.parent} does not exist", cure=f"mkdir -p {path.parent}")
    building = path.with_name(f".{path.name}.{os.getpid()}-{time.time_ns():x}.new")
    try:
        with _mapped(path):
            # Readable by DuckDB 1.5 too: a team's tools need not all be upgraded on one day.
            raw = duckdb.connect(str(building), config={"storage_compatibility_version": "v1.5.0"})
        connection = Connection(raw, building)
        try:
            _migrate(connection, migrations(), read_only=False)
            connection.rows("checkpoint")
        finally:
            connection.close()
        # Another process may have made it meanwhile: then theirs stands.
        with contextlib.suppress(FileExistsError):
            os.link(building, path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be made: {error.strerror}", cure="check the folder's permissions") from error
    finally:
        building.unlink(missing_ok=True)
        building.with_name(building.name + ".wal").unlink(missing_ok=True)


def _migrate(connection: Connection, steps: Sequence[tuple[int, str, str]], *, read_only: bool) -> None:
    there = connection.rows("select 1 from duckdb_tables() where table_name = 'migration'")
    done = {n for (n,) in connection.rows("select number from migration")} if there else set()
    newest = max(done, default=0)
    if newest > len(steps):
        raise StoreError(
            f"{connection.path}: its schema is number {newest}, this Grader knows {len(steps)}",
            cure="upgrade grader: the file was written by a newer one",
        )
    waiting = [step for step in steps if step[0] not in done]
    if not waiting:
        return
    if not there and connection.rows("select 1 from duckdb_tables() where not internal limit 1"):
        raise StoreError(
            f"{connection.path}: a DuckDB database, but not one of Grader's",
            cure="name another file as [workspace] database",
        )
    if read_only:
        raise StoreError(
            f"{connection.path}: its schema is number {newest}, this Grader wants {len(steps)}",
            cure="run `grader db info` once to bring it up to date",
        )
    with connection.transaction():
        if not there:
            connection.rows(
                "create table migration (number integer not null, name varchar not null, applied_at timestamp not null)"
            )
        for number, name, sql in waiting:
            connection.rows(sql)
            connection.rows(
                "insert into migration values (?, ?, ?)", [number, name, datetime.now(UTC).replace(tzinfo=None)]
            )
