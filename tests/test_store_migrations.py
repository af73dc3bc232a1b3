"""Databases of older Graders are brought up to date, step by step, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from grader.errors import StoreError
from grader.model import Contact, Conversation, Event, Identity, Label, Outcome, Policy, ToolCall
from grader.people import Keyring, People
from grader.store import open_store
from grader.store.connection import Step, connect, migrations


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
    people = People(Keyring(tmp_path / "identity.key"))
    with open_store(path, people=people) as store:
        key = Keyring(tmp_path / "identity.key").key(None)
        identity = Identity(kind="phone", value=f"id_{key.hash('phone', '14155550100')}")
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
        contact = f"ct_{key.hash('phone', '14155550100')}"
        assert store.population([("contact", contact)]) == ["c1"]
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
    people = People(Keyring(tmp_path / "identity.key"))
    with open_store(path, memory="12MB", threads=2, people=people) as store:
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
