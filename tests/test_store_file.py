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
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from conftest import REPOSITORY

from grader.errors import StoreError
from grader.model import Contact, Conversation, Event, Identity, Label, Message, Outcome, Policy, Role, ToolCall
from grader.store import open_store
from grader.store.connection import Step, connect, migrations


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


# Migrations


def first_database(path: Path) -> None:
    """A database as the very first schema had it, with something in every table that ingest fills, by plain SQL."""
    connect(path, steps=migrations()[:1]).close()
    with duckdb.connect(str(path)) as raw:
        raw.execute("""
            insert into conversation by name select 'c1' as conversation_id, 'cv_1' as content_hash,
                'cr_1' as record_hash,
                'chat' as channel, 'orders' as queue, 'en' as language, null as reason, 'ct_1' as contact_id,
                timestamp '2026-08-03 18:02:00' as started_at, -240 as started_offset_minutes, 2 as n_messages,
                9 as n_chars, true as has_tools, false as has_human, true as has_handoff, '{"k": [1]}' as attributes,
                '{"contact":{"identities":[{"kind":"phone","value":"+1 415 555 0100"}],"name":null},
                  "started_at":"2026-08-03T14:02:00-04:00","ended_at":null}' as as_given;
            insert into message by name select 'c1' as conversation_id, 1 as number, 'customer' as role, 'text' as kind,
                'hi' as text;
            insert into message by name select 'c1' as conversation_id, 2 as number, 'ai' as role, 'tool_call' as kind,
                'looking' as text, '[{"id":"t","name":"look","arguments":{"n":1}}]' as tool_calls;
            insert into event by name select 'c1' as conversation_id, 1 as position, 'handoff' as kind, 2 as after;
            insert into contact values ('ct_1', null);
            insert into identity values ('phone', '14155550100', 'ct_1');
            insert into policy by name select 'p' as policy_id, '1' as version, 'po_1' as policy_hash, 'R1' as text,
                ['orders'] as queues, date '2026-01-01' as valid_from;
            insert into outcome by name select 'c1' as conversation_id, 4.0 as csat;
            insert into label by name select 'c1' as conversation_id, 'r' as rubric, '1' as rubric_version,
                'x' as criterion, 'me' as reviewer, 'present' as answer, true as near_miss;
            insert into judgement by name select 'vk_1' as key, 'run' as run_id, 'c1' as conversation_id,
                'cv_1' as content_hash, 'r' as rubric, '1' as rubric_version, 'ru' as rubric_hash, 'pr' as prompt_hash,
                'llm' as judge, 'm' as model, 'pa' as parameters_hash, 0 as repeat, false as truncated,
                timestamp '2026-09-01' as judged_at;
            insert into verdict values ('vk_1', 'x', 'present', 'verified', 'because');
            insert into evidence values ('vk_1', 'x', 1, 2, 'looking', true, null);
        """)


def test_a_database_of_the_first_schema_is_read_by_the_newest_program(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    first_database(path)
    with open_store(path) as store:
        identity = Identity(kind="phone", value="+1 415 555 0100")
        call = ToolCall(id="t", name="look", arguments={"n": 1})
        assert store.conversation("c1") == Conversation.model_validate({
            "conversation_id": "c1", "channel": "chat", "queue": "orders", "language": "en",
            "contact": Contact(identities=(identity,)), "started_at": "2026-08-03T14:02:00-04:00",
            "messages": [{"role": "customer", "text": "hi"},
                         {"role": "ai", "kind": "tool_call", "text": "looking", "tool_calls": [call]}],
            "events": (Event(kind="handoff", after=2),), "attributes": {"k": [1]},
        })  # fmt: skip
        later = "select initiated_by, state, ai_version, excluded, truncated from conversation"
        assert store.rows(later) == [("customer", None, None, None, False)]
        assert [p.policy_id for p in store.policies()] == ["p"]
        assert [j.verdicts[0].evidence[0].quote for j in store.judgements(["vk_1"])] == ["looking"]
        assert store.population([("contact", "ct_1")]) == ["c1"]
        label = Label(
            conversation_id="c1", rubric="r", rubric_version="1", criterion="x", answer="absent", reviewer="me"
        )
        changed = store.add([
            (Outcome(conversation_id="c1", csat=5), None, None), (label, None, None),
            (Policy(policy_id="p", text="R2"), None, None),
        ])  # fmt: skip
        assert changed.changed == 3
        numbers = [number for (number,) in store.rows("select number from migration order by number")]
        assert numbers == [number for number, _, _ in migrations()]


def test_a_bound_that_is_too_small_is_only_ever_raised(tmp_path: Path) -> None:
    for memory, more in (("12MB", "61.0 MiB"), ("300MB", "953.6 MiB")):
        connection = connect(tmp_path / f"{memory}.duckdb", memory=memory, threads=1)
        connection._make_room()
        assert connection.rows("select current_setting('memory_limit')") == [(more,)]
        connection.close()


def test_a_large_database_is_brought_up_to_date_whatever_memory_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    first_database(path)
    with duckdb.connect(str(path)) as raw:
        raw.execute(
            "insert into message by name select 'm' || i // 20 as conversation_id, i % 20 + 1 as number, "
            "'customer' as role, 'text' as kind, repeat('word ' || i, 30) as text from range(60000) as r(i)"
        )
        raw.execute(
            "insert into conversation select conversation.* replace ('m' || i as conversation_id) "
            "from conversation, range(3000) as r(i)"
        )
    with open_store(path, memory="12MB", threads=2) as store:
        assert store.rows("select initiated_by, count(*) from conversation group by 1") == [("customer", 3001)]
        assert store.rows("select current_setting('memory_limit')") == [("11.4 MiB",)]


def steps(folder: Path, *sql: str) -> Sequence[Step]:
    """The first migration as it ships, then these."""
    folder.mkdir(exist_ok=True)
    number, name, first = migrations()[0]
    for n, text in enumerate((first, *sql), number):
        (folder / f"{n:04d}_{name if n == 1 else 'next'}.sql").write_text(text, encoding="utf-8")
    (folder / "README.md").write_text("not a migration")
    return migrations(folder)


def test_steps_are_taken_in_order_and_only_once(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    first_database(path)
    new = steps(tmp_path / "m", "alter table label add column weight double", "update label set weight = 0.5")
    for _ in range(2):
        connection = connect(path, steps=new)
        assert connection.rows("select weight from label") == [(0.5,)]
        assert connection.rows("select number from migration order by 1") == [(1,), (2,), (3,)]
        connection.rows("update label set weight = weight")
        connection.close()


def test_a_step_that_fails_leaves_the_database_as_it_was_before_it(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    first_database(path)
    failing = "alter table label add column other double; update label set other = 1; select * from no_such_table"
    bad = steps(tmp_path / "m", "alter table label add column weight double", failing)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"(?s)no_such_table.*0003_next"):
            connect(path, steps=bad)
    connection = connect(path, steps=bad[:2])
    columns = {n for (n,) in connection.rows("select column_name from duckdb_columns() where table_name = 'label'")}
    assert "weight" in columns
    assert "other" not in columns
    assert connection.rows("select number from migration order by 1") == [(1,), (2,)]
    assert connection.rows("select conversation_id from label") == [("c1",)]
    connection.close()


def test_a_first_schema_that_fails_makes_no_file(tmp_path: Path) -> None:
    bad = [(1, "first", "create table conversation (x integer); create tabel oops (y integer)")]
    with pytest.raises(StoreError, match="0001_first"):
        connect(tmp_path / "grader.duckdb", steps=bad)
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    connect(path, steps=steps(tmp_path / "m", "select 1")).close()
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"schema is number 2, this Grader knows 1") as caught:
            connect(path, read_only=read_only, steps=migrations()[:1])
        assert "upgrade grader" in (caught.value.cure or "")


def test_an_older_database_cannot_be_read_only_before_it_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    first_database(path)
    new = steps(tmp_path / "m", "select 1")
    with pytest.raises(StoreError, match="wants 2") as caught:
        connect(path, read_only=True, steps=new)
    assert "grader db info" in (caught.value.cure or "")
    connect(path, steps=new).close()
    connect(path, read_only=True, steps=new).close()


def test_migrations_are_numbered_without_a_gap(tmp_path: Path) -> None:
    steps(tmp_path / "m", "select 1", "select 1")
    (tmp_path / "m" / "0002_next.sql").unlink()
    with pytest.raises(StoreError, match="not numbered"):
        migrations(tmp_path / "m")
    assert [number for number, _, _ in migrations()] == list(range(1, len(migrations()) + 1))
