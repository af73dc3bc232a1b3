"""Rows that belong together but stand scattered over a file, gathered by the names that they share.

Rows go into a temporary SQLite database that spills to disk, so that a file may be larger than memory; it has no name
on disk, and is gone when it is closed or the process dies. What a row means, and what its names are, is the format's.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from grader.errors import InputError
from grader.ingest.rows import EXCERPT, ROW_LIMIT, Parsed, Problem
from grader.model import JsonValue

MAX_GROUP = 50_000  # rows of one group
MEMORY = 32 * 1024 * 1024  # bytes of the database that are held in memory

_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_TABLES = """
create table row (
    seq integer primary key, grp integer not null, line integer not null, size integer not null, begin blob, value text
);
create table name (name blob primary key, grp integer not null) without rowid;
create table merged (grp integer primary key, root integer not null);
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One row to be gathered. Rows that share any of their `names` (one at least) belong together."""

    names: tuple[str, ...]
    line: int
    begin: bytes
    size: int
    value: JsonValue  # as JSON gives it; comes back equal


def gathered(
    found: Iterable[Item | Parsed],
    join: Callable[[list[Item]], Iterable[Parsed]],
    *,
    memory: int = MEMORY,
    most: int = MAX_GROUP,
) -> Iterator[Parsed]:
    """What `join` makes of each group: its rows in the order found, the groups in the order of their first rows.

    What is Parsed already is passed on as it comes. A group of more than `most` rows, or ROW_LIMIT bytes, is not
    handed to `join`: each of its rows is rejected. Raises InputError where the disk has no room.
    """
    rows = _Rows(memory)
    try:
        for one in found:
            if isinstance(one, Parsed):
                yield one
            else:
                rows.add(one)
        for group, n, size in rows.groups():
            if n > most or size > ROW_LIMIT:
                reason = f"it belongs to one of {n:,} rows ({size:,} bytes); at most {most:,} ({ROW_LIMIT:,}) are read"
                problem = Problem(None, reason, "split the file by time; is it one conversation or customer at all?")
                yield from (Parsed(line, begin, problem=problem) for line, begin in rows.beginnings(group))
            else:
                yield from join(rows.of(group))
    except sqlite3.Error as error:
        raise InputError(
            f"the rows of the file cannot be put in order on disk: {error}",
            cure="it takes about as much room as the unpacked file: free some, or set TMPDIR to a disk that has it",
        ) from error
    finally:
        rows.close()


def refused(items: list[Item], problem: Problem, bad: int | None = None) -> Iterator[Parsed]:
    """All rows of a group, rejected: a conversation with a hole would be judged wrongly. `bad`: the one to blame."""
    for position, item in enumerate(items):
        if bad is None or position == bad:
            yield Parsed(item.line, item.begin, problem=problem)
        else:
            reason = f"another row of this conversation is bad, that of line {items[bad].line}"
            yield Parsed(item.line, item.begin, problem=Problem(problem.field, reason, "mend that row"))


class _Rows:
    """The database. A group has the number of its first row; groups that turn out to be one keep the smaller."""

    def __init__(self, memory: int) -> None:
        # Without a name: SQLite makes a file that nobody else sees and that is deleted as soon as it is open.
        self._con = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in (f"cache_size = -{max(memory // 1024, 64)}", "temp_store = file", "journal_mode = off"):
            self._con.execute(f"pragma {pragma}")
        self._con.executescript(_TABLES)
        self._con.execute("begin")
        self._n = 0
        self._n_merged = 0

    def close(self) -> None:
        self._con.close()

    def add(self, item: Item) -> None:
        self._n += 1
        row = (self._n, self._group(item.names), item.line, item.size, item.begin[: 4 * EXCERPT], _written(item.value))
        self._con.execute("insert into row values (?, ?, ?, ?, ?, ?)", row)

    def _group(self, names: tuple[str, ...]) -> int:
        """The group of a row with these names; groups that it ties together become one."""
        known: set[int] = set()
        unknown: list[bytes] = []
        for name in dict.fromkeys(names):
            key = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=16).digest()
            hit = self._con.execute("select grp from name where name = ?", (key,)).fetchone()
            if hit is None:
                unknown.append(key)
            else:
                known.add(self._root(hit[0]))
        group = min(known, default=self._n)
        for other in known - {group}:
            self._con.execute("insert into merged values (?, ?)", (other, group))
            self._n_merged += 1
        for key in unknown:
            self._con.execute("insert into name values (?, ?)", (key, group))
        return group

    def _root(self, group: int) -> int:
        root = "select root from merged where grp = ?"
        while self._n_merged and (hit := self._con.execute(root, (group,)).fetchone()):
            group = hit[0]
        return group

    def groups(self) -> Iterator[tuple[int, int, int]]:
        """(group, number of rows, their bytes), in the order of their first rows."""
        if self._n_merged:
            # A root is smaller than what was merged into it, so one pass upwards leaves no chain.
            last = 0
            while hit := self._con.execute("select min(grp) from merged where grp > ?", (last,)).fetchone()[0]:
                last = hit
                self._con.execute("update merged set root = ? where grp = ?", (self._root(last), last))
            self._con.execute(
                "update row set grp = (select root from merged where merged.grp = row.grp) "
                "where grp in (select grp from merged)"
            )
        self._con.execute("create index by_group on row (grp, seq, size)")
        yield from self._con.execute("select grp, count(*), sum(size) from row group by grp order by grp")

    def of(self, group: int) -> list[Item]:
        found = self._con.execute("select line, size, begin, value from row where grp = ? order by seq", (group,))
        return [Item((), line, begin, size, json.loads(value)) for line, size, begin, value in found]

    def beginnings(self, group: int) -> Iterator[tuple[int, bytes]]:
        yield from self._con.execute("select line, begin from row where grp = ? order by seq", (group,))
