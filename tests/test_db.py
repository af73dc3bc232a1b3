"""`grader db`: what is there, whether it is whole, and made again; each with one JSON document on request."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from engine_parts import SmallJudge, Workplace, failure, opinion, talk

from grader import cli
from grader.judge import Case, Opinion
from grader.model import Conversation
from grader.store import open_store


class Ended(NamedTuple):
    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Grader = Callable[..., Ended]


def conversations() -> list[Conversation]:
    return [talk(f"c{n}", queue="orders" if n else None, started_at=f"2026-09-0{n + 1}T10:00Z") for n in range(3)]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which two runs were made, with a failure in the first."""

    def say(case: Case) -> Opinion:
        return failure() if case.conversation.conversation_id == "c2" else opinion(case)

    folder = tmp_path_factory.mktemp("judged")
    place = Workplace(folder)
    place.fill(*conversations())
    place.run(SmallJudge(say))
    place.run()
    place.close()
    (folder / "grader.toml").touch()
    (folder / ".grader").mkdir()
    place.journals.rename(folder / ".grader" / "journal")
    return folder


@pytest.fixture
def shop(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the commands are run."""
    shutil.copytree(judged, tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def grader(shop: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Grader:
    def run(*args: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, args)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Ended(ended.value.code, *capfd.readouterr())

    return run


def sql(shop: Path, statement: str) -> list[tuple[Any, ...]]:
    with open_store(shop / "grader.duckdb") as store:
        return store.rows(statement)


def test_info_tells_tables_queues_dates_and_runs(grader: Grader) -> None:
    told = grader("db", "info", "--json").json
    assert told["tables"]["conversation"] == 3
    assert told["tables"]["judgement"] == 6
    assert told["queue"] == {"orders": 2, "(none)": 1}
    assert (told["from"], told["to"]) == ("2026-09-01T10:00:00+00:00", "2026-09-03T10:00:00+00:00")
    assert [(r["state"], r["judged"], r["failed"]) for r in told["runs"]] == [("complete", 2, 0), ("incomplete", 4, 2)]
    text = grader("db", "info").out
    assert "conversations from 2026-09-01 to 2026-09-03 (UTC)" in text
    assert "(none)" in text


def test_the_conversations_can_be_listed_and_selected(grader: Grader) -> None:
    told = grader("db", "list", "--select", "queue:orders", "--limit", "1")
    assert told.out.splitlines()[-1].split() == ["c1", "2026-09-02", "10:00", "orders", "–", "–", "2", "no"]
    assert "1 of 2 conversations" in told.err
    found = grader("db", "list", "--json").json
    assert (found["conversations"], [m["conversation_id"] for m in found["listed"]]) == (3, ["c0", "c1", "c2"])


@pytest.mark.parametrize("command", ["info", "verify", "list"])
def test_what_only_looks_stands_in_no_readers_way(grader: Grader, shop: Path, command: str) -> None:
    code = "import duckdb, sys; duckdb.connect('grader.duckdb', read_only=True); print(1, flush=True); input()"
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=shop) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"1\n"
        assert grader("db", command).code == 0
        reader.communicate(b"\n")


def test_what_a_killed_run_left_in_its_journal_is_waiting_and_not_wrong(grader: Grader, shop: Path) -> None:
    sql(shop, "update journal set absorbed_bytes = 0")
    for table in ("judgement", "verdict", "evidence", "run_item", "run"):
        sql(shop, f"delete from {table}")
    done = grader("db", "verify", "--json")
    assert done.code == 0
    assert [c["checked"] for c in done.json if c["check"] == "journaled judgements that the next grade takes in"] == [6]


def test_nothing_is_promised_to_be_rebuilt_out_of_nothing(grader: Grader, shop: Path) -> None:
    shutil.rmtree(shop / ".grader")
    (shop / "grader.duckdb").unlink()
    assert grader("db", "rebuild").code == grader("db", "rebuild", "--yes").code == 2


def test_info_of_an_empty_database_is_no_error(grader: Grader, shop: Path) -> None:
    (shop / "grader.duckdb").unlink()
    with open_store(shop / "grader.duckdb"):
        pass
    assert grader("db", "info").code == 0
    assert grader("db", "info", "--json").json["from"] is None


def test_a_whole_database_verifies(grader: Grader) -> None:
    done = grader("db", "verify", "--json")
    assert done.code == 0
    assert all(check["wrong"] == 0 and check["checked"] > 0 for check in done.json if "policy" not in check["check"])


@pytest.mark.parametrize(
    ("tampering", "named", "cure"),
    [
        (
            "update evidence set quote = 'never said'",
            "verified quotes",
            "grader db rebuild --yes makes the results again",
        ),
        ("delete from verdict where criterion = 'rude'", "judgements with a verdict for each", "grader db rebuild"),
        ("insert into judgement from judgement", "judgements stored once", "grader db rebuild"),
        ("update message set text = 'other'", "conversation hashes", "grader ingest the files again"),
    ],
)
def test_what_was_tampered_with_ends_with_1_names_examples_and_the_cure_works(
    grader: Grader, shop: Path, tampering: str, named: str, cure: str
) -> None:
    sql(shop, tampering)
    done = grader("db", "verify")
    assert done.code == 1
    assert cure in done.err
    wrong = [line for line in done.out.splitlines() if named in line]
    assert len(wrong) == 1
    told = grader("db", "verify", "--json")
    assert told.code == 1
    assert next(c for c in told.json if c["check"].startswith(named))["examples"]
    if "ingest" in cure:
        (shop / "grader.duckdb").rename(shop / "away.duckdb")
    assert grader("db", "rebuild", "--yes").code == 0
    if "ingest" in cure:
        with open_store(shop / "grader.duckdb") as store:
            store.add([(c, None, None) for c in conversations()])
    assert grader("db", "verify").code == 0


def test_a_rebuild_says_what_it_would_do_and_does_nothing_without_yes(grader: Grader, shop: Path) -> None:
    before = (shop / "grader.duckdb").read_bytes()
    done = grader("db", "rebuild")
    assert done.code == 0
    assert "2 journals" in done.out
    assert "--yes does it" in done.out
    assert grader("db", "rebuild", "--json").json["done"] is False
    assert (shop / "grader.duckdb").read_bytes() == before
    assert list(shop.glob("*.old")) == []


def test_a_rebuild_keeps_the_old_file_and_gives_the_same_results(grader: Grader, shop: Path) -> None:
    query = "select * from judgement order by all"
    before = sql(shop, query)
    told = grader("db", "rebuild", "--yes", "--json").json
    assert (told["done"], told["judgements"], told["journals"], told["conversations"], told["lost"]) == (
        True,
        6,
        2,
        3,
        [],
    )
    assert Path(told["kept"]).exists()
    assert sql(shop, query) == before
    assert grader("db", "verify").code == 0


def test_a_corrupted_database_is_told_and_made_again(grader: Grader, shop: Path) -> None:
    path = shop / "grader.duckdb"
    path.write_bytes(b"\xde\xad" * 50_000)
    for command in ("info", "verify"):
        done = grader("db", command)
        assert done.code == 2
        assert "no DuckDB database" in done.err
    done = grader("db", "rebuild", "--yes")
    assert done.code == 0
    assert "6 judgements from 2 journals, 0 conversations copied" in done.out
    assert "grader ingest" in done.err
    assert sql(shop, "select state from run order by started_at") == [("incomplete",), ("complete",)]


def test_nothing_at_all_cannot_be_rebuilt(grader: Grader, shop: Path) -> None:
    (shop / "grader.duckdb").unlink()
    for journal in (shop / ".grader" / "journal").iterdir():
        journal.unlink()
    done = grader("db", "rebuild", "--yes")
    assert done.code == 2
    assert "nothing" in done.err
    assert not (shop / "grader.duckdb").exists()
