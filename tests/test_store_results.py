"""Results may be written twice, in pieces and in any order: what is stored is the same, and success ends a failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_parts import fresh_store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import StoreError
from grader.model import CallStats, Conversation, Evidence, Failure, Judgement, Message, Role, Support, Verdict
from grader.store import CallRecord, Store

AT = datetime(2026, 9, 1, 12, tzinfo=UTC)
TABLES = ("judgement", "verdict", "evidence", "failure", "call")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store(tmp_path) as opened:
        yield opened


def judgement(key: str, *, at: datetime = AT, failure: Failure | None = None, **fields: Any) -> Judgement:
    quote = Evidence(message=1, quote=f"words of {key}", verified=True)
    verdicts = (
        Verdict(criterion="b", answer="present", reasoning="é\0", evidence=(quote, quote), support=Support.VERIFIED),
        Verdict(criterion="a", answer="absent"),
    )
    return Judgement(**{
        "key": key, "conversation_id": "c", "content_hash": "cv_1", "rubric": "r", "rubric_version": "1.0.0",
        "rubric_hash": "ru", "prompt_hash": "pr", "policy_hash": None, "judge": "llm", "model": "m",
        "parameters_hash": "pa", "judged_at": at, "verdicts": () if failure else verdicts, "failure": failure,
        "call_id": f"ca_{key}", **fields,
    })  # fmt: skip


def failed(key: str, minutes: int = 0, *, cause: str = "timeout", retryable: bool = True, **fields: Any) -> Judgement:
    failure = Failure(cause=cause, detail=f"{cause} at {minutes}", retryable=retryable)
    return judgement(key, at=AT + timedelta(minutes=minutes), failure=failure, **fields)


def call(key: str, run: str = "run", cost: float | None = 0.5) -> CallRecord:
    stats = CallStats(model="m", mode="json", attempts=1, prompt_tokens=10, completion_tokens=2, cost_usd=cost)
    return CallRecord(f"ca_{key}", run, AT, stats)


def stored(store: Store) -> dict[str, list[Any]]:
    return {table: store.rows(f"select * from {table} order by all") for table in TABLES}


def test_a_judgement_comes_back_as_it_was(store: Store) -> None:
    given_ = judgement("k", repeat=3, truncated=True, policy_hash="ps")
    store.append("run", [given_])
    (back,) = store.judgements(["k", "unknown"])
    assert back == given_.model_copy(update={"verdicts": given_.verdicts[::-1]})  # by criterion
    assert store.judged(["k", "unknown"]) == {"k"}


def test_appending_twice_stores_once_and_says_how_many_were_new(store: Store) -> None:
    batch = [judgement("k1"), failed("k2"), judgement("k3")]
    assert store.append("run", batch, [call("k1"), call("k3")]) == 2
    before = stored(store)
    assert store.append("another", batch, [call("k1"), call("k3")]) == 0
    assert stored(store) == before


def test_the_same_key_twice_in_one_batch_is_stored_once_the_first_one(store: Store) -> None:
    assert store.append("run", [judgement("k", model="first"), judgement("k", model="second")]) == 1
    assert store.rows("select model from judgement") == [("first",)]
    assert store.rows("select count(*) from verdict union all select count(*) from evidence") == [(2,), (2,)]


entries = st.lists(
    st.tuples(st.sampled_from(["k1", "k2", "k3", "k4"]), st.sampled_from([None, 1, 2])), min_size=1, max_size=8
)


@given(entries, st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_replay_after_any_part_gives_what_one_go_gives(
    store: Store, entries: list[tuple[str, int | None]], data: st.DataObject
) -> None:
    batch = [judgement(key) if minutes is None else failed(key, minutes) for key, minutes in entries]
    calls = [call(key) for key, _ in entries]
    for table in TABLES:
        store.rows(f"delete from {table}")
    store.append("run", batch, calls)
    whole = stored(store)
    for table in TABLES:
        store.rows(f"delete from {table}")
    cut = data.draw(st.integers(0, len(batch)))
    store.append("run", batch[:cut], calls[:cut], ("run.jsonl", cut))
    store.append("run", batch, calls, ("run.jsonl", len(batch)))
    assert stored(store) == whole
    assert store.absorbed("run.jsonl") == len(batch)


def test_results_and_mark_are_written_together_or_not_at_all(store: Store) -> None:
    broken = judgement("k2").model_copy(update={"model": None})
    with pytest.raises(StoreError):
        store.append("run", [judgement("k1"), broken], [call("k1")], ("run.jsonl", 100))
    assert store.absorbed("run.jsonl") == 0
    assert all(rows == [] for rows in stored(store).values())
    store.append("run", [judgement("k1")], [], ("run.jsonl", 50))
    assert store.absorbed("run.jsonl") == 50


# Failures


def known(store: Store, *ids: str) -> None:
    store.add([
        (Conversation(conversation_id=i, messages=(Message(role=Role.AI, text=i),)), None, None) for i in ids
    ])  # fmt: skip


def about(store: Store, conversation_id: str) -> dict[str, Any]:
    ((content_hash,),) = store.rows(
        "select content_hash from conversation where conversation_id = ?", [conversation_id]
    )
    return {"conversation_id": conversation_id, "content_hash": content_hash}


def test_a_failure_stands_until_its_judgement_is_there(store: Store) -> None:
    known(store, "c")
    store.append("run1", [failed("k", **about(store, "c"))])
    assert [f["key"] for f in store.standing_failures()] == ["k"]
    store.append("run2", [judgement("k")])
    assert store.standing_failures() == []
    assert store.failed_for_good(["k"]) == set()
    assert store.rows("select count(*) from failure") == [(1,)]  # kept as history


def test_the_latest_failure_of_a_key_stands_with_how_often_it_was_tried(store: Store) -> None:
    known(store, "c")
    details = about(store, "c")
    store.append("run1", [failed("k", 1, **details)])
    earlier = Failure(cause="server_error", detail="first", retryable=True, http_status=503)
    store.append("run0", [judgement("k", at=AT, failure=earlier, **details)])
    (found,) = store.standing_failures()
    # The status is that of the latest one, which had none, and not one of an earlier failure.
    assert (found["cause"], found["http_status"], found["n_times"], found["run_id"]) == ("timeout", None, 2, "run1")
    assert [f["n_times"] for f in store.standing_failures("run0")] == [2]
    assert store.standing_failures("no such run") == []


def test_whether_a_failure_passes_is_decided_by_the_latest_one(store: Store) -> None:
    store.append(
        "run", [failed("k1", 0, retryable=False), failed("k1", 1), failed("k2", 0), failed("k2", 1, retryable=False)]
    )
    assert store.failed_for_good(["k1", "k2", "k3"]) == {"k2"}


def test_the_failure_of_a_conversation_that_changed_since_is_only_told_of_its_run(store: Store) -> None:
    known(store, "c")
    store.append("run", [failed("k", **about(store, "c"))])
    store.add([(Conversation(conversation_id="c", messages=(Message(role=Role.AI, text="new"),)), None, None)])
    assert store.standing_failures() == []
    assert [f["key"] for f in store.standing_failures("run")] == ["k"]


def test_what_does_not_fit_into_the_memory_bound_is_stored_all_the_same_and_once(tmp_path: Path) -> None:
    long = Verdict(criterion="a", answer="absent", reasoning="é" * 8_000_000)
    many = [("c", "r", f"k{n:06}" * 20, False, 0.5, None) for n in range(40_000)]
    with fresh_store(tmp_path, memory="12MB", threads=2) as store:
        assert store.append("run", [judgement("k"), judgement("long", verdicts=(long,))], [call("k")]) == 2
        store.begin_run(run_row("run"), lambda: [many[:20_000], many[20_000:]], ("run.jsonl", 10))
        assert store.rows("select current_setting('memory_limit')") == [("244.1 MiB",)]  # it was tried with less
        assert store.judgements(["long"])[0].verdicts == (long,)
        counted = (
            "select (select count(*) from judgement), (select count(*) from call), (select count(*) from run_item)"
        )
        assert store.rows(counted) == [(2, 1, 40_000)]


# Runs


def run_row(run_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "run_id": run_id, "started_at": "2026-09-01 10:00:00", "state": "running", "judge": "llm", "model": "m",
        "parameters": {}, "rubrics": [], "selection": {}, "seed": 0, "n_population": 3, "n_planned": 3, "n_reused": 0,
        "n_judged": 0, "n_failed": 0, "cost_usd": 0.0, "grader_version": "0", "command": None, **fields,
    }  # fmt: skip


def test_a_run_begins_with_everything_it_is_about_or_not_at_all(store: Store) -> None:
    items = [("c", "r", f"k{n}", False, 0.5, None) for n in range(5)]

    def breaking() -> Iterator[list[Any]]:
        yield items[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.begin_run(run_row("run"), breaking, ("run.jsonl", 10))
    assert store.rows("select count(*) from run union all select count(*) from run_item") == [(0,), (0,)]
    for _ in range(2):
        store.begin_run(run_row("run"), lambda: [items[:2], items[2:]], ("run.jsonl", 10))
    assert store.rows("select count(*), count(distinct key) from run_item") == [(5, 5)]
    assert store.rows("select count(*) from run") == [(1,)]
    assert store.absorbed("run.jsonl") == 10


def test_a_killed_run_is_counted_from_what_it_left(store: Store) -> None:
    store.start_run(run_row("killed"))
    store.start_run(run_row("unpriced"))
    store.start_run(run_row("nothing"))
    store.start_run(run_row("done", state="complete", n_judged=7))
    store.append("killed", [judgement("k1"), judgement("k2"), failed("k3", 5), failed("k3", 6), failed("k1", 1)],
                 [call("k1", "killed"), call("k2", "killed", 0.25)])  # fmt: skip
    store.append("unpriced", [judgement("k4")], [call("k4", "unpriced", None)])
    store.end_killed_runs()
    told = store.rows("select run_id, state, n_judged, n_failed, cost_usd, finished_at::varchar from run order by 1")
    assert told == [
        ("done", "complete", 7, 0, 0.0, None),
        ("killed", "interrupted", 2, 1, 0.75, "2026-09-01 12:06:00"),
        ("nothing", "interrupted", 0, 0, 0.0, "2026-09-01 10:00:00"),
        ("unpriced", "interrupted", 1, 0, None, "2026-09-01 12:00:00"),
    ]


def test_changed_labels_of_a_rubric_replace_the_old_ones_and_the_first_use_stays(store: Store) -> None:
    def keep(label: str, at: datetime) -> None:
        criteria = [{"code": "x", "position": 1, "title": label, "severity": "low", "scale": "defect"}]
        store.add_rubric("r", "1.0.0", ("meaning", label), label, {"title": label}, criteria, at)

    keep("old", AT)
    keep("new", AT + timedelta(days=1))
    assert store.rubric_hashes("r", "1.0.0") == ("meaning", "new")
    assert store.rubric_body("r", "1.0.0") == {"title": "new"}
    assert store.rows("select title, first_used_at::varchar from rubric") == [("new", "2026-09-01 12:00:00")]
    assert store.rows("select title from criterion") == [("new",)]
    assert store.rubric_hashes("r", "2.0.0") is None
    assert store.rubric_body("r", "2.0.0") is None


def test_ten_thousand_keys_are_looked_up_at_once(store: Store) -> None:
    keys = [f"vk_{n:032x}" for n in range(10_000)]
    store.append("run", [judgement(keys[0]), failed(keys[1], retryable=False)])
    assert store.judged(keys) == {keys[0]}
    assert store.failed_for_good(keys) == {keys[1]}
    assert store.judged([]) == set()
    assert store.failed_for_good([]) == set()
