"""Rows that are scattered over a file come together, in bounded memory, and leave nothing behind."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st
from ingest_reading import values

from grader.errors import InputError
from grader.ingest.rows import ROW_LIMIT, Parsed, Problem
from grader.ingest.sources.gathered import Item, gathered, refused


def item(line: int, *names: str, value: Any = None, size: int = 10) -> Item:
    return Item(names, line, b"begin %d" % line, size, value)


def groups(found: list[Item | Parsed], **options: Any) -> list[list[Item]]:
    seen: list[list[Item]] = []

    def join(items: list[Item]) -> Iterator[Parsed]:
        seen.append(items)
        yield Parsed(items[0].line, b"", rows=len(items))

    list(gathered(found, join, **options))
    return seen


def lines_of(found: list[Item | Parsed], **options: Any) -> list[list[int]]:
    return [[one.line for one in group] for group in groups(found, **options)]


def test_groups_come_in_the_order_of_their_first_rows_and_keep_the_order_of_theirs() -> None:
    found: list[Item | Parsed] = [item(1, "b"), item(2, "a"), item(3, "b"), item(4, "c"), item(5, "a")]
    assert lines_of(found) == [[1, 3], [2, 5], [4]]


def test_rows_that_share_any_name_belong_together_even_through_a_later_one() -> None:
    found: list[Item | Parsed] = [
        item(1, "phone"), item(2, "id"), item(3, "other"), item(4, "phone", "id"), item(5, "id", "new"), item(6, "new"),
        item(7, "x", "y"), item(8, "y", "other"),
    ]  # fmt: skip
    assert lines_of(found) == [[1, 2, 4, 5, 6], [3, 7, 8]]


@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=3), max_size=30))
def test_groups_are_those_of_a_plain_union_find(rows: list[list[int]]) -> None:
    parent = {name: name for row in rows for name in row}

    def root(name: int) -> int:
        while parent[name] != name:
            name = parent[name]
        return name

    for row in rows:
        for name in row[1:]:
            parent[root(name)] = root(row[0])
    expected: dict[int, list[int]] = {}
    for line, row in enumerate(rows):
        expected.setdefault(root(row[0]), []).append(line)
    found: list[Item | Parsed] = [item(line, *map(str, row)) for line, row in enumerate(rows)]
    assert lines_of(found) == list(expected.values())


@given(st.lists(values, max_size=5))
def test_rows_come_back_as_they_went_in(rows: list[Any]) -> None:
    found: list[Item | Parsed] = [item(n, "a", value=value, size=n) for n, value in enumerate(rows)]
    back = groups(found)
    assert [(i.line, i.begin, i.size, i.value) for group in back for i in group] == [
        (n, b"begin %d" % n, n, value) for n, value in enumerate(rows)
    ]


def test_what_is_parsed_already_is_passed_on() -> None:
    bad = Parsed(2, b"", problem=Problem(None, "no JSON", "mend it"))
    out = list(gathered([item(1, "a"), bad, item(3, "a")], lambda rows: [Parsed(1, b"", rows=len(rows))]))
    assert out == [bad, Parsed(1, b"", rows=2)]


def test_a_group_that_is_too_large_is_rejected_row_by_row() -> None:
    found = [item(1, "a"), item(2, "b"), item(3, "a"), item(4, "a")]
    out = list(gathered(found, lambda rows: [Parsed(rows[0].line, b"", rows=len(rows))], most=2))
    assert [(one.line, one.rows, bool(one.problem)) for one in out] == [
        (1, 1, True), (3, 1, True), (4, 1, True), (2, 1, False),
    ]  # fmt: skip
    assert out[0].problem
    assert "one of 3 rows" in out[0].problem.reason
    assert out[0].begin == b"begin 1"
    huge = [item(1, "a", size=ROW_LIMIT), item(2, "a", size=1)]
    assert all(one.problem for one in gathered(huge, lambda rows: []))


def test_a_refused_group_names_the_row_to_blame() -> None:
    out = list(refused([item(3, "a"), item(7, "a")], Problem("at", "is no time", "mend it"), 1))
    assert [one.problem.reason if one.problem else None for one in out] == [
        "another row of this conversation is bad, that of line 7", "is no time",
    ]  # fmt: skip


def test_no_room_on_disk_is_told_with_a_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect

    def full(*args: Any, **options: Any) -> Any:
        con = real(*args, **options)
        con.execute("pragma max_page_count = 20")
        return con

    monkeypatch.setattr(sqlite3, "connect", full)
    found = [item(n, "a", value="x" * 1000) for n in range(1000)]
    with pytest.raises(InputError, match="cannot be put in order on disk") as error:
        list(gathered(found, lambda rows: []))
    assert "TMPDIR" in (error.value.cure or "")


_PROGRAM = """
import os, resource, sys
from pathlib import Path
from grader.ingest.sources.gathered import Item, gathered
from grader.ingest.rows import Parsed

folder, n = sys.argv[1], int(sys.argv[2])
rss = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
largest = hidden = 0
def items():
    for line in range(n):
        yield Item((f"c{line % 997}",), line, b"", 2000, {"line": line, "text": "x" * 2000})
def join(rows):
    assert [row.value["line"] for row in rows] == sorted(row.value["line"] for row in rows)
    yield Parsed(rows[0].line, b"", rows=len(rows))
before, rows = rss(), 0
for count, one in enumerate(gathered(items(), join, memory=1 << 20)):
    rows += one.rows
    if count == 5:
        hidden = sum(path.stat().st_size for path in Path("/proc/self/fd").iterdir()
                     if path.is_symlink() and folder in os.readlink(path))
        assert not os.listdir(folder), "the file has a name that would be left over"
        if len(sys.argv) > 3:
            os.kill(os.getpid(), 9)
print(rows, hidden, rss() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at the program's open files in /proc")
@pytest.mark.parametrize("killed", [False, True])
def test_a_file_much_larger_than_its_memory_goes_through_and_leaves_nothing(tmp_path: Path, killed: bool) -> None:
    """30,000 rows of 2,000 characters are 60 MB, held in 1 MB of memory."""
    args = [sys.executable, "-c", _PROGRAM, str(tmp_path), "30000", *(["die"] if killed else [])]
    env = {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(tmp_path), "SQLITE_TMPDIR": str(tmp_path)}
    done = subprocess.run(args, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert not list(tmp_path.iterdir())
    if killed:
        assert done.returncode == -9
        return
    assert done.returncode == 0, done.stderr
    rows, hidden, grown = map(int, done.stdout.split())
    assert rows == 30_000
    assert hidden > 60_000_000
    assert grown < 20_000_000, f"{grown:,} bytes"
