"""The key of the identities: made once, for its owner alone, never shown. And no identity stands in the database."""

from __future__ import annotations

import json
import pickle
import stat
import threading
from pathlib import Path

import duckdb
import pytest
from conftest import Main

from grader.errors import StoreError
from grader.model import Contact, Conversation, Identity, Message, Role
from grader.people import Key, Keyring, People, keyed, shown
from grader.store import open_store

PHONE, EMAIL, CUSTOMER = "+55 11 98765-4321", "Dana.Reyes@mail.example", "K-77-dana"
TEXT = "0123456789abcdef" * 4
OPENSSL = "8300a3ba32e7d3c1a4b7b962473488cf"


def conversation(conversation_id: str = "c1", **fields: object) -> Conversation:
    identities = (Identity(kind="phone", value=PHONE), Identity(kind="email", value=EMAIL),
                  Identity(kind="customer_id", value=CUSTOMER))  # fmt: skip
    return Conversation.model_validate({
        "conversation_id": conversation_id, "contact": Contact(identities=identities, name="Dana"),
        "messages": (Message(role=Role.CUSTOMER, text="hi"),), **fields,
    })  # fmt: skip


def pieces() -> list[bytes]:
    """What a file must not hold of these identities, in any writing that was used."""
    return [b"98765", b"5511987", b"dana.reyes", b"dana.reyes".upper(), b"Dana.Reyes", b"K-77"]


def write(path: Path, *records: Conversation) -> Path:
    path.write_text("".join(f"{record.model_dump_json()}\n" for record in records), encoding="utf-8")
    return path


# The key


def test_the_key_is_made_when_it_is_first_needed_for_its_owner_alone(workspace: Path, main: Main) -> None:
    key = workspace / ".grader" / "identity.key"
    nobody = Conversation(conversation_id="n", messages=(Message(role=Role.CUSTOMER, text="hi"),))
    assert main("ingest", write(workspace / "a.jsonl", nobody), "-w", workspace).code == 0
    assert not key.exists()
    assert main("ingest", write(workspace / "b.jsonl", conversation()), "-w", workspace).code == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) == 64
    assert [p.name for p in key.parent.iterdir()] == ["identity.key"]
    assert ".grader/" in (workspace / ".gitignore").read_text().splitlines()


def test_no_command_shows_the_key_or_an_identity(workspace: Path, main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_IDENTITY_KEY", TEXT)
    said = []
    for args in (
        ["ingest", write(workspace / "a.jsonl", conversation())], ["config", "show"], ["config", "show", "--json"],
        ["doctor", "--json"], ["contacts"], ["contacts", "--json"], ["contacts", "--barred"], ["contacts", "--merges"],
        ["db", "list"], ["db", "info"], ["db", "verify"], ["prompt", "show", "c1"],
    ):  # fmt: skip
        ended = main(*args, "-w", workspace)
        said.append(ended.out + ended.err)
    assert "people.identity_key" in said[1]
    for text in said:
        assert TEXT not in text
        assert not [piece for piece in pieces() if piece.decode() in text]
    assert not (workspace / ".grader" / "identity.key").exists()


def test_a_key_has_no_text() -> None:
    key = Key(TEXT)
    assert TEXT not in f"{key!r}{key}{Keyring(Path('x'), TEXT)!r}"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_the_hash_of_an_identity_is_hmac_sha256() -> None:
    """HMAC-SHA256 by openssl: printf 'phone\\n5511987654321' | openssl dgst -sha256 -hmac $TEXT."""
    assert Key(TEXT).hash("phone", "5511987654321") == OPENSSL
    assert Key(f" {TEXT}\n").fingerprint == Key(TEXT).fingerprint
    assert len({Key(TEXT).hash(*pair) for pair in (("a", "b"), ("ab", ""), ("", "ab"), ("a", "c"))}) == 4


@pytest.mark.parametrize("how", ["gone", "another", "short", "in the environment"])
def test_another_key_or_none_is_told_with_the_way_out(
    workspace: Path, main: Main, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    key = workspace / ".grader" / "identity.key"
    main("ingest", write(workspace / "a.jsonl", conversation()), "-w", workspace)
    if how == "gone":
        key.unlink()
    elif how == "in the environment":
        monkeypatch.setenv("GRADER_IDENTITY_KEY", TEXT)
    else:
        key.write_text(TEXT if how == "another" else "short")
    ended = main("ingest", write(workspace / "b.jsonl", conversation("c2")), "-w", workspace)
    assert ended.code == 2
    wanted = {"gone": "is not there", "another": "is not the key", "short": "at least 32 characters",
              "in the environment": "GRADER_IDENTITY_KEY is not the key"}  # fmt: skip
    assert wanted[how] in ended.err
    assert "→" in ended.err
    assert TEXT not in ended.err
    if how == "gone":
        assert not key.exists()
    checks = {
        check["name"]: check["status"] for check in json.loads(main("doctor", "--json", "-w", workspace).out)["checks"]
    }
    assert checks["identity key"] == "fail"
    for reading in (["contacts"], ["db", "verify"], ["db", "list"]):
        assert main(*reading, "-w", workspace).code == 0  # what only reads needs no key


def test_a_key_that_others_can_read_is_pointed_out(workspace: Path, main: Main) -> None:
    main("ingest", write(workspace / "a.jsonl", conversation()), "-w", workspace)
    (workspace / ".grader" / "identity.key").chmod(0o644)
    checks = {check["name"]: check for check in json.loads(main("doctor", "--json", "-w", workspace).out)["checks"]}
    assert checks["identity key"]["status"] == "warn"
    assert "\nwarn identity key " in main("doctor", "-w", workspace).out  # a blank after the longest name


def test_of_two_processes_that_make_the_key_at_once_both_have_the_same(tmp_path: Path) -> None:
    found: list[str] = []
    rings = [Keyring(tmp_path / "state" / "identity.key") for _ in range(8)]
    threads = [threading.Thread(target=lambda ring=ring: found.append(ring.key(None).fingerprint)) for ring in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


# What is stored


def test_no_file_of_the_workspace_holds_an_identity(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    with open_store(path) as store:
        store.add([(conversation(), None, None)])
        store.add([(conversation(queue="other"), None, None)])  # replaced: what is left of the old row is no better
    for file in tmp_path.rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            assert not [piece for piece in pieces() if piece in held], file.name


def test_a_record_written_another_way_is_unchanged_and_another_key_makes_all_else(tmp_path: Path) -> None:
    other = conversation()
    identities = (Identity(kind="Tel", value="5511 8765 4321"), Identity(kind="e-mail", value=EMAIL.upper()),
                  Identity(kind="Customer ID", value=CUSTOMER))  # fmt: skip
    same = other.model_copy(update={"contact": Contact(identities=identities, name="Dana")})
    with open_store(tmp_path / "grader.duckdb") as store:
        store.add([(other, None, None)])
        assert store.add([(same, None, None)]).unchanged == 1
        back = store.conversation("c1")
        assert back is not None
        assert back.record_hash == store.rows("select record_hash from conversation")[0][0]
    one, two = (keyed(other, Key(text), None) for text in (TEXT, TEXT[::-1]))
    assert one.record_hash != two.record_hash != other.record_hash
    assert not set(shown(one)) & set(shown(two))
    assert one.content_hash == other.content_hash


def plain_database(path: Path, *records: Conversation) -> None:
    """A database as a Grader of the second schema left it."""
    from grader.store.connection import connect, migrations

    with open_store(path) as store:
        store.add([(record, None, None) for record in records])
    with duckdb.connect(str(path)) as raw:
        older = " ".join(sql for _, _, sql in migrations()[:2]) + "create table migration ("
        for (table,) in raw.execute("select table_name from duckdb_tables() where not internal").fetchall():
            if f"create table {table} (" not in older:  # a later schema brought it
                raw.execute(f"drop table {table}")
        raw.execute("create table contact (contact_id varchar not null, merged_into varchar)")
        raw.execute(
            "create table identity (kind varchar not null, value varchar not null, contact_id varchar not null)"
        )
        for record in records:
            given = record.model_dump_json(include={"contact", "started_at", "ended_at", "initiated_by"})
            raw.execute(
                "update conversation set as_given = ?, record_hash = ?, "
                "contact_id = if(contact_id is null, null, 'ct_old') where conversation_id = ?",
                [given, record.record_hash, record.conversation_id],
            )
            for identity in record.contact.identities:
                raw.execute("insert into identity values (?, ?, 'ct_old')", [identity.kind, identity.value])
        raw.execute("delete from migration where number > 2")
    connect(path, steps=migrations()[:2], read_only=True).close()
    assert [piece for piece in pieces() if piece in path.read_bytes()]


def test_a_database_with_plain_identities_is_changed_whole_and_holds_none_after(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    records = [conversation(f"c{n}", attributes={"n": n}) for n in range(50)]
    alone = Conversation(conversation_id="n", messages=(Message(role=Role.CUSTOMER, text="hi"),))
    plain_database(path, *records, alone)
    with pytest.raises(StoreError, match="grader db info"), open_store(path, read_only=True):
        pass
    with open_store(path, memory="12MB", threads=1) as store:
        assert store.rows("select count(distinct contact_id), count(contact_id) from conversation") == [(1, 50)]
        again = store.add([(record, None, None) for record in (*records, alone)])
        assert (again.unchanged, again.changed) == (51, 0)
        for record in store.conversations([r.conversation_id for r in records]):
            hashes = store.rows("select record_hash from conversation where conversation_id = ?",
                                [record.conversation_id])  # fmt: skip
            assert hashes == [(record.record_hash,)]
    for file in (path, path.with_name("grader.duckdb.wal")):
        if file.exists():
            assert not [piece for piece in pieces() if piece in file.read_bytes()]
    assert sorted(p.name for p in tmp_path.iterdir()) == [".grader", "grader.duckdb"]
    with duckdb.connect(str(path), read_only=True) as raw:
        tags = raw.execute("select tags from duckdb_databases() where database_name = 'grader'").fetchall()
    assert "v1" in str(tags)  # DuckDB 1.5 reads it as before


def test_a_change_that_is_cut_off_leaves_the_old_database_and_is_done_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    plain_database(path, conversation())
    wrong = People(Keyring(tmp_path / "none", "too short"))
    with pytest.raises(StoreError, match="at least 32"), open_store(path, people=wrong):
        pass
    with duckdb.connect(str(path), read_only=True) as raw:
        assert raw.execute("select count(*) from conversation where as_given like '%Dana.Reyes%'").fetchall() == [(1,)]
    with pytest.raises(StoreError, match="grader db info"), open_store(path, read_only=True):
        pass
    with open_store(path):
        pass
    with open_store(path, read_only=True) as store:
        assert store.rows("select count(*) from shown") == [(3,)]
    assert not [piece for piece in pieces() if piece in path.read_bytes()]


def test_a_rebuild_of_a_database_with_plain_identities_holds_none(workspace: Path, main: Main) -> None:
    database = workspace / "grader.duckdb"
    plain_database(database, conversation())
    (workspace / ".grader" / "identity.key").unlink()
    assert main("db", "rebuild", "--yes", "-w", workspace).code == 0
    assert not [piece for piece in pieces() if piece in database.read_bytes()]
    assert json.loads(main("contacts", "--json", "-w", workspace).out)["with_contact"] == 1
    assert main("db", "verify", "-w", workspace).code == 0


def test_what_a_killed_ingest_left_is_settled_by_the_next_command_that_writes(workspace: Path, main: Main) -> None:
    database = workspace / "grader.duckdb"
    with open_store(database) as store:
        ingest_id = store.begin_ingest("a.jsonl", "canonical", None)
        store.add([(conversation("c1"), "a.jsonl", 1)], ingest_id)
        email = Contact(identities=(Identity(kind="email", value=EMAIL),))
        store.add([(conversation("c2", contact=email), "a.jsonl", 2)], ingest_id)  # and here it is killed
    with pytest.raises(StoreError, match="was killed"), open_store(database, read_only=True):
        pass
    found = json.loads(main("contacts", "--json", "-w", workspace).out)  # looks, and brings up to date first
    assert (found["with_contact"], found["contacts"]) == (2, 1)
    with open_store(database, read_only=True) as store:
        assert store.rows("select count(*) from unsettled") == [(0,)]
