"""The database as a file: made whole or not at all, brought up to date by number, honest about what is in the way."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import duckdb
import pytest
from conftest import REPOSITORY

from grader.errors import StoreError
from grader.model import Conversation, Message, Role
from grader.store import open_store
from grader.store.connection import connect


def talk(conversation_id: str, *texts: str) -> Conversation:
    messages = tuple(Message(role=Role.CUSTOMER, text=text) for text in texts or ("hello",))
    return Conversation(conversation_id=conversation_id, messages=messages)


def python(code: str, *args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, timeout=60,
    )  # fmt: skip


def started(code: str, *args: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)], stdout=subprocess.PIPE, stdin=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


HOLD = """
    import sys
    from pathlib import Path
    from grader.store import open_store
    with open_store(Path(sys.argv[1]), read_only=sys.argv[2] == "ro"):
        print("open", flush=True)
        sys.stdin.readline()
"""


# Who may have it


def test_a_second_process_is_told_who_holds_the_database_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    holder = started(HOLD, path, "rw")
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        for read_only in (False, True):
            with pytest.raises(StoreError, match=rf"held by another process.*PID {holder.pid}\b") as caught:
                connect(path, read_only=read_only)
            assert "wait until it ends" in (caught.value.cure or "")
    finally:
        holder.communicate("\n", timeout=30)
    connect(path, read_only=True).close()


def test_readers_do_not_stand_in_each_others_way_but_in_the_writers(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    connect(path).close()
    holder = started(HOLD, path, "ro")
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        connect(path, read_only=True).close()
        with pytest.raises(StoreError, match="held by another process"):
            connect(path)
    finally:
        holder.communicate("\n", timeout=30)


def test_opening_it_twice_in_one_process_in_different_ways_is_a_store_error(tmp_path: Path) -> None:
    with open_store(tmp_path / "g.duckdb"), pytest.raises(StoreError, match="open already"):
        connect(tmp_path / "g.duckdb", read_only=True)


# What may stand there


def test_reading_or_asking_not_to_create_makes_no_file(tmp_path: Path) -> None:
    for read_only in (True, False):
        with pytest.raises(StoreError, match="no database yet") as caught:
            connect(tmp_path / "grader.duckdb", read_only=read_only, create=False)
        assert "grader ingest" in (caught.value.cure or "")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist") as caught:
        connect(tmp_path / "no" / "grader.duckdb")
    assert caught.value.cure == f"mkdir -p {tmp_path / 'no'}"


@pytest.mark.parametrize("content", [b"", b"hello", b"conversation_id,text\n" * 1000, b"\0" * 8192, b"PAR1" * 4096])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "grader.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="no DuckDB database"):
        connect(path)
    assert path.read_bytes() == content


def test_a_database_of_another_kind_is_refused_without_asking_the_network(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    other = sqlite3.connect(path)
    other.execute("create table conversation (x)")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="no DuckDB database") as caught:
        connect(path)
    assert "download" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "create table sales (x integer)",
        "create table migration (id integer)",  # other programs have migrations too
        "create table migration (number integer, name varchar); insert into migration values (1, 'x')",
        "create table conversation (x integer)",
    ],
)
def test_a_foreign_duckdb_database_is_refused_and_left_as_it_is(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "grader.duckdb"
    with duckdb.connect(str(path)) as raw:
        raw.execute(sql)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not one of Grader's"):
        connect(path)
    assert path.read_bytes() == before


def test_a_folder_in_the_databases_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="this is a folder"):
        connect(tmp_path)


def test_a_damaged_database_is_named_as_such_with_the_way_to_make_it_again(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    with open_store(path) as store:
        store.add([(talk(f"c{n}", os.urandom(500).hex()), None, None) for n in range(200)])
    raw = bytearray(path.read_bytes())
    for block in range(12_288, len(raw), 4_096):  # behind the three headers
        raw[block + 100] ^= 0xFF
    path.write_bytes(raw)
    with pytest.raises(StoreError, match="damaged") as caught, open_store(path) as store:
        store.conversations([f"c{n}" for n in range(200)])
    assert "grader db rebuild" in (caught.value.cure or "")


@pytest.mark.skipif(not hasattr(os, "setuid") or os.getuid() != 0, reason="only root can become nobody")
def test_no_permission_is_a_store_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        connect(folder / "grader.duckdb").close()
        (folder / "grader.duckdb").chmod(0o600)
        (folder / "closed").mkdir(mode=0o700)
        done = python(
            """
            import os, sys
            from pathlib import Path
            import duckdb
            from grader.errors import StoreError
            from grader.store.connection import connect, migrations
            steps = migrations()  # nobody may not be able to read the package
            os.setuid(65534)
            for path in sys.argv[1:]:
                try:
                    connect(Path(path), steps=steps)
                except StoreError as error:
                    print(error.message.partition(": ")[2], "|", error.cure)
            """,
            folder / "grader.duckdb", folder / "new.duckdb", folder / "closed" / "grader.duckdb",
        )  # fmt: skip
    told = done.stdout.splitlines()
    assert len(told) == 3, done
    assert all("ermission" in line and "None" not in line for line in told), told


# Making it


def test_making_it_leaves_nothing_else_behind(tmp_path: Path) -> None:
    connect(tmp_path / "grader.duckdb").close()
    assert [p.name for p in tmp_path.iterdir()] == ["grader.duckdb"]


def test_a_kill_at_any_moment_of_making_it_leaves_no_database_or_a_whole_one(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from grader.store import connection
        connection.migrations()
        for n in map(int, sys.argv[2:]):
            folder = Path(sys.argv[1], str(n))
            folder.mkdir()
            child = os.fork()  # DuckDB has not been asked for anything yet
            if child:
                print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
                continue
            left = n
            def trace(frame, event, arg):
                global left
                left -= 1
                if left <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return trace
            sys.settrace(trace)
            connection.connect(folder / "grader.duckdb")
            sys.settrace(None)
            os._exit(0)
    """
    moments = (50, 200, 350, 500, 650, 800, 950, 1100, 1250, 100_000)
    ends = [int(line) for line in python(code, tmp_path, *map(str, moments)).stdout.split()]
    for n in moments:
        path = tmp_path / str(n) / "grader.duckdb"
        if path.exists():
            with open_store(path, read_only=True) as store:
                assert store.rows("select count(*) from conversation") == [(0,)]
        with open_store(path) as store:  # whatever was left, the next one makes do
            store.add([(talk("c"), None, None)])
    assert ends[:3] == [-signal.SIGKILL] * 3
    assert ends[-1] == 0


def test_what_a_killed_maker_left_is_swept_away_in_time_but_never_what_is_being_made(tmp_path: Path) -> None:
    old, young, other = (
        tmp_path / name for name in (".grader.duckdb.1-a.new", ".grader.duckdb.2-b.new", ".x.duckdb.3-c.new")
    )
    for path in (old, young, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (time.time() - 7200,) * 2)
    connect(tmp_path / "grader.duckdb").close()
    assert not old.exists()
    assert young.exists()
    assert other.exists()


def test_processes_that_make_it_at_once_end_with_one_whole_database(tmp_path: Path) -> None:
    code = """
        import os, sys, time
        from pathlib import Path
        from grader.errors import StoreError
        from grader.model import Conversation, Message
        from grader.store import open_store
        children = []
        start = time.time() + 0.2
        for name in sys.argv[2:]:
            child = os.fork()
            if child:
                children.append(child)
                continue
            time.sleep(start - time.time())
            while time.time() < start + 50:
                try:
                    with open_store(Path(sys.argv[1])) as store:
                        store.add([(Conversation(conversation_id=name, messages=(Message(role="ai"),)), None, None)])
                    os._exit(0)
                except StoreError as error:
                    assert "held by another process" in str(error), error
                    time.sleep(0.02)
            os._exit(1)
        print([os.waitpid(child, 0)[1] for child in children])
    """
    path = tmp_path / "grader.duckdb"
    assert python(code, path, "c0", "c1", "c2", "c3").stdout == "[0, 0, 0, 0]\n"
    with open_store(path, read_only=True) as store:
        assert store.rows("select conversation_id from conversation order by 1") == [(f"c{n}",) for n in range(4)]
    assert [p.name for p in tmp_path.iterdir()] == ["grader.duckdb"]


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    connect(tmp_path / "grader.duckdb").close()
    assert [p.name for p in tmp_path.iterdir()] == ["grader.duckdb"]


def test_a_full_disk_is_a_store_error_and_what_was_committed_stays(tmp_path: Path) -> None:
    code = """
        import json, os, resource, sys
        from pathlib import Path
        from grader.errors import StoreError
        from grader.model import Conversation, Message
        from grader.store import open_store
        for limit in map(int, sys.argv[2:]):
            folder = Path(sys.argv[1], str(limit))
            folder.mkdir()
            if child := os.fork():
                os.waitpid(child, 0)
                continue
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            kept = 0
            try:
                with open_store(folder / "grader.duckdb") as store:
                    while True:
                        messages = (Message(role="ai", text=os.urandom(50_000).hex()),)
                        store.add([(Conversation(conversation_id=f"c{kept}", messages=messages), None, None)])
                        kept += 1
            except StoreError as error:
                print(json.dumps([kept, error.message, error.cure]), flush=True)
            os._exit(0)
    """
    limits = ("1000", "100000", "1500000")
    told = [json.loads(line) for line in python(code, tmp_path, *limits).stdout.splitlines()]
    for limit, (kept, message, cure) in zip(limits, told, strict=True):
        assert "no file may grow so large" in message
        assert cure
        path = tmp_path / limit / "grader.duckdb"
        assert path.exists() == (kept > 0)
        if kept:
            with open_store(path) as store:
                assert store.rows("select count(*) from conversation") == [(kept,)]
        assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == []
    assert told[-1][0] > 0


def test_a_made_database_can_be_read_by_duckdb_1_5(tmp_path: Path) -> None:
    connect(tmp_path / "grader.duckdb").close()
    header = (tmp_path / "grader.duckdb").read_bytes()[:24]
    assert header[8:12] == b"DUCK"
    assert 64 <= int.from_bytes(header[12:20], "little") <= 68  # 1.5.6 reads 64 to 68
