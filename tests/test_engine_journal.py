"""The journal holds what was paid for, whatever happens between a reply and the database, wherever a line is torn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from engine_parts import ALPHA, BETA, SmallJudge, Workplace, failure, opinion, rubric, workplace
from hypothesis import given
from hypothesis import strategies as st

from grader import engine
from grader.engine.journal import Damage, End, Entry, Head, Items, Journal, read, written
from grader.engine.rebuild import rebuild
from grader.errors import InputError, StoreError
from grader.judge import Case, Opinion
from grader.model import CallStats, Evidence, Failure, Judgement, Support, Verdict
from grader.store import CallRecord

AT = datetime(2026, 9, 1, 12, 0, 0, 123, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path) as made:
        yield made


def only(folder: Path) -> Path:
    (journal,) = folder.glob("*.jsonl")
    return journal


def forget(place: Workplace, *, marks: bool = True) -> None:
    """What a process that was killed right after its journal's last line leaves in the database."""
    for table in ("judgement", "verdict", "evidence", "failure", "call"):
        place.rows(f"delete from {table}")
    if marks:
        place.rows("delete from journal")
        place.rows("update run set state = 'running', finished_at = null, n_judged = 0, n_failed = 0, cost_usd = 0")


def mixed(case: Case) -> Opinion:
    return failure() if case.conversation.conversation_id == "c002" else opinion(case)


# Lines

safe = st.text(st.characters(codec="utf-8"), max_size=30)
evidence = st.builds(Evidence, message=st.integers(0, 99), quote=safe, verified=st.booleans(), problem=st.none() | safe)
verdicts = st.builds(
    Verdict, criterion=safe, answer=safe, reasoning=st.none() | safe,
    evidence=st.lists(evidence, max_size=2).map(tuple), support=st.sampled_from(Support),
)  # fmt: skip
failures = st.builds(
    Failure, cause=safe, detail=safe, retryable=st.booleans(), http_status=st.none() | st.integers(0, 999)
)
judgements = st.builds(
    Judgement, key=safe, conversation_id=safe, content_hash=safe, rubric=safe, rubric_version=safe, rubric_hash=safe,
    prompt_hash=safe, policy_hash=st.none() | safe, judge=safe, model=safe, parameters_hash=safe,
    repeat=st.integers(0, 9), truncated=st.booleans(), judged_at=st.just(AT),
    verdicts=st.lists(verdicts, max_size=2).map(tuple), failure=st.none() | failures, call_id=st.none() | safe,
)  # fmt: skip
stats = st.builds(
    CallStats, model=safe, mode=safe, attempts=st.integers(0, 9), cost_usd=st.none() | st.floats(0, 1e6),
    waited_ms=st.floats(0, 1e9), finish_reason=st.none() | safe,
)  # fmt: skip
calls = st.none() | st.builds(CallRecord, call_id=safe, run_id=st.just("run"), called_at=st.just(AT), stats=stats)
items = st.tuples(safe, safe, safe, st.booleans(), st.floats(0, 1), st.none() | safe)
fields = st.dictionaries(safe, safe, max_size=2)
lines = st.one_of(
    st.builds(Entry, st.lists(judgements, max_size=2).map(tuple), calls),
    st.builds(Items, st.lists(items, max_size=2).map(tuple)),
    st.builds(End, st.dictionaries(safe, st.none() | safe | st.integers(), max_size=2)),
    st.builds(Head, safe, fields, st.lists(fields, max_size=2), st.none() | st.tuples(safe, fields)),
)  # fmt: skip


@given(st.lists(lines, max_size=5))
def test_any_line_is_read_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, given_: list[Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "run.jsonl"
    path.write_bytes(b"".join(written(line) for line in given_))
    assert path.read_bytes().count(b"\n") == len(given_)
    found = list(read(path))
    assert [line for line, _ in found] == given_
    assert [end for _, end in found][-1:] == ([path.stat().st_size] if given_ else [])


# Dying


def test_what_was_journaled_and_not_stored_is_taken_in_by_the_next_run(place: Workplace) -> None:
    place.run(SmallJudge(mixed), group_all=True)
    before = place.results()
    for lost in ((), ("run", "run_item"), ("run", "run_item", "rubric", "criterion", "prompt")):
        forget(place)
        for table in lost:  # killed before even the run was noted
            place.rows(f"delete from {table}")
        assert place.absorb() == engine.Absorbed(1, 6)
        assert place.results() == before
        assert place.absorb() == engine.Absorbed(0, 0)
    assert place.run(SmallJudge(mixed), group_all=True).progress.n_judged == 0
    assert place.plan.n_reused == 6


def test_taking_in_again_from_the_start_changes_nothing(place: Workplace) -> None:
    place.run(SmallJudge(mixed))
    place.run(SmallJudge(), repeat=1)
    before = place.results()
    assert place.absorb(from_start=True) == engine.Absorbed(2, 0)
    assert place.results() == before


def test_a_run_that_was_killed_is_interrupted_with_what_it_did_and_spent(place: Workplace) -> None:
    place.run(SmallJudge(mixed))
    journal = only(place.journals)
    without_end = journal.read_bytes().splitlines(keepends=True)[:-1]
    journal.write_bytes(b"".join(without_end))
    forget(place)
    place.absorb()
    assert place.rows("select state, n_judged, n_failed, cost_usd, finished_at is null from run") == [
        ("interrupted", 6, 2, pytest.approx(0.06), False)
    ]


def test_the_last_line_torn_at_any_byte_costs_that_line_and_nothing_else(place: Workplace) -> None:
    place.run(rubrics=(BETA,))
    journal = only(place.journals)
    whole = journal.read_bytes()
    *before, last, _end = whole.splitlines(keepends=True)
    kept = b"".join(before)
    for cut in range(len(last)):
        journal.write_bytes(kept + last[:cut])
        assert [end for _, end in read(journal)][-1] == len(kept), cut
        assert not any(isinstance(line, Damage) for line, _ in read(journal)), cut
    for cut in (0, 1, len(last) // 2, len(last) - 1):
        forget(place)
        journal.write_bytes(kept + last[:cut])
        assert place.absorb() == engine.Absorbed(1, 3), cut
        assert place.absorb() == engine.Absorbed(0, 0), cut  # a torn end is not looked at for ever
    summary = place.run(rubrics=(BETA,))
    assert summary.progress.n_judged == 1
    assert place.rows("select count(*), count(distinct key) from judgement") == [(4, 4)]


def test_a_first_line_torn_at_any_byte_is_an_empty_journal(place: Workplace) -> None:
    place.run()
    journal = only(place.journals)
    first = journal.read_bytes().splitlines(keepends=True)[0]
    for cut in (0, 1, 20, len(first) - 1):
        forget(place)
        journal.write_bytes(first[:cut])
        place.absorb()
        assert place.rows("select count(*) from judgement") == [(0,)]


def test_a_journal_that_was_restored_whole_is_taken_in_whole(place: Workplace) -> None:
    place.run(rubrics=(BETA,))
    journal = only(place.journals)
    whole = journal.read_bytes()
    forget(place)
    journal.write_bytes(whole[:-500])  # torn in the middle of a line, and marked as taken in up to there
    place.absorb()
    journal.write_bytes(whole)
    place.absorb()
    assert place.rows("select count(*), count(distinct key) from judgement") == [(4, 4)]


# Damage


@pytest.mark.parametrize(
    "damage", [b'{"call": nul', b"\xff\xfe\x00", b"[]", b'{"judgements": []}', b"null", b'"x"', b"", b"{}"]
)
def test_a_damaged_line_is_named_and_everything_else_is_taken_in(place: Workplace, damage: bytes) -> None:
    place.run(rubrics=(BETA,))
    other = place.run(repeat=1)
    first, second = sorted(place.journals.glob("*.jsonl"), key=lambda p: p.stem == other.run_id)
    whole = first.read_bytes().splitlines(keepends=True)
    byte = sum(map(len, whole[:3]))
    first.write_bytes(b"".join([*whole[:3], damage + b"\n", *whole[4:]]))
    forget(place)
    error = place.absorb()
    assert isinstance(error, InputError)
    assert (error.file, error.line) == (str(first), 4)
    assert f"damaged at byte {byte}" in error.message
    assert "order" not in error.message
    assert "delete line 4" in (error.cure or "")
    assert place.rows("select count(*), count(distinct key) from judgement") == [(3 + 8, 3 + 8)]
    assert isinstance(place.absorb(), InputError)  # it is not forgotten
    first.write_bytes(b"".join([*whole[:3], *whole[4:]]))  # the cure
    assert place.absorb() == engine.Absorbed(1, 0)
    assert second.exists()
    assert place.run(rubrics=(BETA,)).progress.n_judged == 1


def test_many_damaged_lines_are_counted(place: Workplace) -> None:
    place.run(rubrics=(BETA,))
    journal = only(place.journals)
    whole = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*whole[:2], b"x\n", b"y\n", b"z\n", *whole[2:]]))
    forget(place)
    error = place.absorb()
    assert isinstance(error, InputError)
    assert "and 2 more damaged lines" in error.message
    assert error.line == 3


def test_a_line_deleted_before_the_mark_moves_nothing_out_of_reach(place: Workplace) -> None:
    place.run(rubrics=(BETA,))
    journal = only(place.journals)
    whole = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*whole[:2], *whole[3:]]))  # the mark now stands behind the end
    assert place.absorb() == engine.Absorbed(1, 0)
    assert place.absorb() == engine.Absorbed(0, 0)


def test_a_file_that_is_no_journal_is_named(place: Workplace) -> None:
    place.journals.mkdir()
    (place.journals / "notes.jsonl").write_text("my notes\n")
    (place.journals / "README.md").write_text("not looked at")
    error = place.absorb()
    assert isinstance(error, InputError)
    assert "notes.jsonl:1" in error.message


def test_a_journal_of_a_newer_program_is_refused_as_such(place: Workplace) -> None:
    place.journals.mkdir()
    (place.journals / "run.jsonl").write_text('{"journal": 99, "run_id": "run"}\n')
    error = place.absorb()
    assert isinstance(error, InputError)
    assert "format 99, which needs a newer Grader" in error.message


# Writing


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    Journal(path, [Head("run")]).close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="File exists"):
        Journal(path, [Head("run")])
    assert path.read_bytes() == before


def test_a_journal_whose_first_line_cannot_be_written_is_not_left_behind(tmp_path: Path) -> None:
    limited = tmp_path / "run.jsonl"
    code = (
        "import resource, sys; from pathlib import Path; from grader.engine.journal import Head, Journal\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "Journal(Path(sys.argv[1]), [Head('run', {'x': 'y' * 1000})])\n"
    )
    import subprocess
    import sys

    from conftest import REPOSITORY

    done = subprocess.run(
        [sys.executable, "-c", code, str(limited)], capture_output=True, text=True, cwd=REPOSITORY, check=False
    )
    assert "StoreError" in done.stderr
    assert "File too large" in done.stderr
    assert not limited.exists()


# The database again


def moved(place: Workplace) -> Path:
    return place.folder / "grader.duckdb.old"


def test_a_lost_database_is_made_again_from_its_inputs_and_the_journals(place: Workplace) -> None:
    place.run(SmallJudge(mixed))
    place.run(SmallJudge(mixed), group_all=True)
    place.run(rubrics=(rubric("alpha", "late", "rude", title="New words"), BETA), repeat=1)
    before = place.results()
    inputs = place.store.conversations([f"c00{n}" for n in range(4)])
    place.close()
    place.database.unlink()
    done = rebuild(place.database, place.journals, moved(place))
    assert (done.kept, done.n_journals, done.n_judgements, done.n_conversations) == (None, 3, 20, 0)
    place.fill(*inputs)
    assert place.results() == before
    assert place.run(SmallJudge(mixed)).progress.n_judged == 0


def test_rebuilding_a_whole_database_changes_nothing_and_keeps_the_old_one(place: Workplace) -> None:
    place.run(SmallJudge(mixed))
    before, conversations = place.results(), place.store.conversations(["c000", "c003"])
    place.close()
    done = rebuild(place.database, place.journals, moved(place))
    assert (done.kept, done.n_judgements, done.n_conversations, done.lost) == (moved(place), 6, 4, ())
    assert moved(place).exists()
    assert place.results() == before
    assert place.store.conversations(["c000", "c003"]) == conversations


def test_results_that_no_journal_has_are_gone_after_a_rebuild_and_journaled_ones_come_back(place: Workplace) -> None:
    place.run()
    place.rows("update verdict set answer = 'present', support = 'verified'")
    place.rows("delete from judgement where conversation_id = 'c001'")
    place.close()
    rebuild(place.database, place.journals, moved(place))
    assert place.rows("select answer, count(*) from verdict group by 1 order by 1") == [("absent", 4), ("present", 8)]
    assert place.rows("select count(*) from judgement") == [(8,)]


@pytest.mark.parametrize("how", ["garbage", "damaged", "cut"])
def test_a_database_that_cannot_be_read_is_set_aside_and_what_can_be_read_is_copied(place: Workplace, how: str) -> None:
    place.run()
    place.close()
    raw = bytearray(place.database.read_bytes())
    if how == "garbage":
        raw = bytearray(b"garbage" * 1000)
    elif how == "cut":
        del raw[len(raw) // 2 :]
    else:
        for block in range(12_288, len(raw), 4_096):
            raw[block + 100] ^= 0xFF
    place.database.write_bytes(raw)
    done = rebuild(place.database, place.journals, moved(place))
    assert moved(place).read_bytes() == raw
    assert done.n_judgements == 8
    assert done.lost
    assert place.rows("select count(*) from run_item") == [(8,)]
    # Conversations came over whole or not at all.
    assert done.n_conversations == (0 if "message" in done.lost else 4)
    assert place.rows("select count(*), sum(n_messages) from conversation") == [
        place.rows("select count(distinct conversation_id), nullif(count(*), 0) from message")[0]
    ]


def test_conversations_are_not_copied_without_all_that_belongs_to_them(place: Workplace) -> None:
    place.run()
    place.rows("drop table shown")
    place.close()
    done = rebuild(place.database, place.journals, moved(place))
    assert done.lost == (
        "conversation", "message", "event", "reference", "shown", "unsettled", "barred", "contact_change", "people",
        "plain",
    )  # fmt: skip
    assert place.rows("select (select count(*) from conversation) + (select count(*) from message)") == [(0,)]
    assert done.n_judgements == 8


def test_a_damaged_journal_does_not_stand_in_a_rebuilds_way_but_is_told(place: Workplace) -> None:
    place.run()
    journal = only(place.journals)
    whole = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*whole[:5], b"x\n", *whole[6:]]))
    place.close()
    with pytest.raises(InputError, match="damaged"):
        rebuild(place.database, place.journals, moved(place))
    assert place.rows("select count(*) from judgement") == [(7,)]
    assert [p.name for p in place.folder.iterdir() if p.name.startswith(".")] == []


def test_a_database_that_is_in_use_is_not_rebuilt(place: Workplace) -> None:
    import subprocess
    import sys

    from conftest import REPOSITORY

    place.run()
    place.close()
    code = (
        "import sys; from pathlib import Path; from grader.store import open_store\n"
        "with open_store(Path(sys.argv[1])):\n print('open', flush=True)\n sys.stdin.readline()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(place.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreError, match=f"PID {holder.pid}"):
            rebuild(place.database, place.journals, moved(place))
        assert not moved(place).exists()
    finally:
        holder.communicate(b"\n", timeout=30)


def test_an_older_set_aside_database_is_never_written_over(place: Workplace) -> None:
    place.run()
    place.close()
    moved(place).write_text("precious")
    with pytest.raises(StoreError, match="there already"):
        rebuild(place.database, place.journals, moved(place))
    assert moved(place).read_text() == "precious"


def test_a_dry_look_at_journals_writes_nothing(place: Workplace) -> None:
    place.run(SmallJudge(mixed))
    forget(place)
    place.close()
    before = place.database.read_bytes()
    from grader.store import open_store

    with open_store(place.database, read_only=True) as store:
        keys = engine.waiting(store, place.journals)
        plan = engine.make_plan(store, SmallJudge(), (ALPHA, BETA), also_judged=keys)
    assert len(keys) == 6
    assert (plan.n_reused, plan.n_todo) == (6, 2)
    assert place.database.read_bytes() == before


def test_the_journal_repeats_what_was_asked_only_as_far_as_it_must(place: Workplace) -> None:
    """It holds quotes and ids; whole conversations stay in the database."""
    place.run()
    text = only(place.journals).read_text()
    assert "It comes tomorrow." in text  # the quote
    assert "where is order" not in text
    first = json.loads(text.splitlines()[0])
    assert first["run"]["run_id"] == only(place.journals).stem
    assert [line for line, _ in read(only(place.journals)) if isinstance(line, Damage)] == []


def test_a_copy_of_a_journal_in_the_folder_stores_nothing_twice(place: Workplace) -> None:
    place.run(SmallJudge(mixed))
    journal = only(place.journals)
    shutil.copy(journal, journal.with_name(f"copy of {journal.name}"))
    before = place.results()
    place.absorb()
    assert place.results() == before
