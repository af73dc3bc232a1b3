"""Whatever goes wrong in the middle of a run is told as what it is, and costs no judgement that was paid for."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from conftest import REPOSITORY
from engine_parts import ALPHA, BETA, SmallJudge, Workplace, counts, failure, opinion, rubric, talk, workplace

from grader import engine
from grader.errors import JudgeError, PromptError, StoreError
from grader.judge import Case, Opinion
from grader.model import Evidence, Verdict


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path) as made:
        yield made


# Failures


def test_what_may_pass_is_tried_again_and_what_will_not_only_when_asked(place: Workplace) -> None:
    fate = {"c000": failure("rate_limited"), "c001": failure("too_long", retryable=False)}

    def say(case: Case) -> Opinion:
        return fate.get(case.conversation.conversation_id) or opinion(case)

    assert counts(place.run(SmallJudge(say))) == ("incomplete", 4, 4)
    assert place.rows("select state from run") == [("incomplete",)]
    fate.clear()
    assert counts(place.run(SmallJudge(say))) == ("incomplete", 2, 0)
    assert place.plan.n_failed_before == 2
    assert {i for i, _ in place.judge.asked} == {"c000"}
    assert counts(place.run(SmallJudge(say), retry_failed=True)) == ("complete", 2, 0)
    assert place.plan.n_failed_before == 0
    assert place.store.standing_failures() == []
    assert place.rows("select count(*), count(distinct key) from judgement") == [(8, 8)]


def test_failing_again_is_kept_as_a_second_time(place: Workplace) -> None:
    for _ in range(2):
        place.run(SmallJudge(lambda _case: failure()), rubrics=(BETA,))
    assert {f["n_times"] for f in place.store.standing_failures()} == {2}


def test_a_dead_endpoint_ends_the_run_early(place: Workplace) -> None:
    place.fill(*(talk(f"d{n}") for n in range(50)))
    summary = place.run(SmallJudge(lambda _case: failure("connection")), abort=5, concurrency=2)
    assert summary.state == "aborted"
    assert isinstance(summary.error, JudgeError)
    assert "connection: no answer" in summary.error.message
    assert 5 <= len(place.judge.asked) <= 7
    assert place.rows("select n_failed from run") == [(len(place.judge.asked),)]


def test_answers_that_needed_no_call_do_not_hide_a_dead_endpoint(place: Workplace) -> None:
    def say(case: Case) -> Opinion:
        if case.questions[0].rubric.name == "beta":
            return opinion(case, stats=None)  # ruled without asking
        return failure("connection")

    place.fill(*(talk(f"d{n}") for n in range(20)))
    assert place.run(SmallJudge(say), abort=5, concurrency=1).state == "aborted"


def test_failures_after_a_first_answer_do_not_end_the_run(place: Workplace) -> None:
    def say(case: Case) -> Opinion:
        return opinion(case) if len(place.judge.asked) == 1 else failure()

    place.judge = judge = SmallJudge(say)
    assert counts(place.run(judge, abort=2, concurrency=1)) == ("incomplete", 1, 7)


def test_an_endpoint_that_refuses_everything_stops_the_run_and_what_was_paid_is_kept(place: Workplace) -> None:
    async def late(case: Case) -> Opinion:
        await asyncio.sleep(0.05)
        return opinion(case)

    def say(case: Case) -> Opinion | Awaitable[Opinion]:
        if case.conversation.conversation_id == "c001":
            raise JudgeError("the endpoint refuses the key")
        return late(case)

    summary = place.run(SmallJudge(say), rubrics=(BETA,), concurrency=3)
    assert counts(summary) == ("refused", 2, 0)  # c000 and c002 were in flight; c003 was never asked
    assert summary.error is not None
    assert "refuses the key" in summary.error.message
    assert sorted(place.rows("select conversation_id from judgement")) == [("c000",), ("c002",)]
    assert place.rows("select state, n_judged, n_failed from run") == [("refused", 2, 0)]


def test_a_prompt_that_does_not_render_stops_the_run_the_same_way(place: Workplace) -> None:
    def say(case: Case) -> Opinion:
        if case.conversation.conversation_id == "c001":
            raise PromptError("system.j2:3: no such name")
        return opinion(case)

    summary = place.run(SmallJudge(say), rubrics=(BETA,), concurrency=1)
    assert counts(summary) == ("aborted", 1, 0)
    assert isinstance(summary.error, PromptError)


def test_a_fault_in_a_judge_is_a_failure_that_names_the_line_and_repeats_no_customers_word(place: Workplace) -> None:
    def say(case: Case) -> Opinion:
        if case.conversation.conversation_id == "c001":
            raise ValueError(case.conversation.messages[0].text)
        return opinion(case)

    assert counts(place.run(SmallJudge(say), rubrics=(BETA,))) == ("incomplete", 3, 1)
    ((cause, detail, retryable),) = place.rows("select cause, detail, retryable from failure")
    assert (cause, retryable) == ("internal_error", True)
    assert detail.startswith("ValueError at test_engine_faults.py:")
    assert "order" not in detail
    for journal in place.journals.iterdir():
        assert "where is order c001" not in journal.read_text()


@pytest.mark.parametrize("missing", ["a code", "a rubric", "one twice"])
def test_a_judge_that_leaves_a_code_out_gives_a_failure_whose_call_is_paid(place: Workplace, missing: str) -> None:
    def say(case: Case) -> Opinion:
        whole = opinion(case)
        verdicts = whole.verdicts["alpha"]
        cut = {"a code": {"alpha": verdicts[:1]}, "a rubric": {}, "one twice": {"alpha": verdicts + verdicts[:1]}}
        return opinion(case, verdicts=cut[missing])

    summary = place.run(SmallJudge(say), rubrics=(ALPHA,))
    assert counts(summary) == ("incomplete", 0, 4)
    assert place.rows("select count(*) from verdict") == [(0,)]
    assert place.rows("select distinct cause from failure") == [("internal_error",)]
    assert place.rows("select count(*), sum(cost_usd) from call") == [(4, pytest.approx(0.04))]


@pytest.mark.parametrize("text", ["\ud83d", "a\0b", "\U0010ffff", "x" * 1_000_000])
def test_whatever_a_model_says_the_run_goes_on(place: Workplace, text: str) -> None:
    def say(case: Case) -> Opinion:
        if case.conversation.conversation_id != "c001":
            return opinion(case)
        verdict = Verdict(
            criterion="lost", answer="absent", reasoning=text, evidence=(Evidence(message=1, quote=text),)
        )
        return opinion(case, verdicts={"beta": (verdict,)})

    summary = place.run(SmallJudge(say), rubrics=(BETA,))
    if text == "\ud83d":  # half a pair is no text: it can neither be stored nor shown
        assert counts(summary) == ("incomplete", 3, 1)
        assert place.rows("select cause, detail from failure") == [("bad_reply", "the reply holds what is no text")]
        assert place.rows("select count(*) from call") == [(4,)]
    else:
        assert counts(summary) == ("complete", 4, 0)
        key = place.plan.drawn[1].keys[0]
        (stored,) = place.store.judgements([key])
        assert stored.verdicts[0].reasoning == text
        assert stored.verdicts[0].evidence[0].quote == text


# Stopping


def test_asked_once_to_stop_it_finishes_what_is_in_flight(place: Workplace) -> None:
    stop = engine.Stop()
    told: list[bool] = []

    async def say(case: Case) -> Opinion:
        if not stop.requested:
            stop.request()
        await asyncio.sleep(0.02)
        return opinion(case)

    place.judge = judge = SmallJudge(say)
    summary = place.run(judge, concurrency=3, stop=stop, on_progress=lambda p: told.append(p.stopping))
    assert counts(summary) == ("interrupted", 3, 0)
    assert True in told
    assert place.rows("select state, n_judged from run") == [("interrupted", 3)]
    assert counts(place.run()) == ("complete", 5, 0)


def test_asked_twice_to_stop_it_drops_what_is_in_flight_and_keeps_what_was_answered(place: Workplace) -> None:
    stop = engine.Stop()

    async def say(case: Case) -> Opinion:
        if len(place.judge.asked) < 3:
            return opinion(case)
        stop.request()
        stop.request()
        await asyncio.sleep(60)
        raise AssertionError("it was not dropped")

    place.judge = judge = SmallJudge(say)
    assert counts(place.run(judge, concurrency=1, stop=stop)) == ("interrupted", 2, 0)
    assert place.rows("select count(*) from judgement") == [(2,)]
    assert counts(place.run()) == ("complete", 6, 0)
    assert place.rows("select count(*), count(distinct key) from judgement") == [(8, 8)]


def test_a_reply_that_has_arrived_is_kept_even_if_the_second_stop_comes_while_it_is_written(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(fd: int, fsync: Callable[[int], None] = os.fsync) -> None:
        time.sleep(0.05)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", slowly)
    place.fill(*(talk(f"d{n}") for n in range(40)))
    answered = 0
    stop = engine.Stop()

    def say(case: Case) -> Opinion:
        nonlocal answered
        answered += 1
        if answered >= 20:  # its own line, and those of others, are on their way to the disk
            asyncio.get_running_loop().call_soon(stop.request)
        return opinion(case)

    place.run(SmallJudge(say), concurrency=16, stop=stop)
    judged = place.rows("select count(*) from judgement")[0][0]
    assert judged == answered
    assert place.rows("select n_judged from run") == [(answered,)]
    place.run()
    assert place.rows("select count(*), count(distinct key) from judgement") == [(88, 88)]


@pytest.mark.parametrize("times", [1, 2])
def test_asked_to_stop_when_all_is_done_it_is_complete(place: Workplace, times: int) -> None:
    stop = engine.Stop()

    def say(case: Case) -> Opinion:
        if len(place.judge.asked) == 8:
            for _ in range(times):
                asyncio.get_running_loop().call_soon(stop.request)
        return opinion(case)

    place.judge = judge = SmallJudge(say)
    assert counts(place.run(judge, concurrency=1, stop=stop)) == ("complete", 8, 0)


# What cannot be kept


def test_a_journal_that_cannot_be_made_ends_the_run_before_anything_is_called_or_stored(place: Workplace) -> None:
    place.journals.write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="journal cannot be written") as caught:
        place.run()
    assert "nothing was called" in (caught.value.cure or "")
    assert place.judge.asked == []
    assert place.rows("select count(*) from run") == [(0,)]


def full_disk_behind_the_journal() -> None:
    """From now on writing to this process's journal says that no space is left."""
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if str(entry.readlink()).endswith(".jsonl"):
                full = os.open("/dev/full", os.O_WRONLY)
                os.dup2(full, int(entry.name))
                os.close(full)
        except FileNotFoundError:
            continue


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_ends_the_run_and_what_was_journaled_before_is_stored(place: Workplace) -> None:
    def say(case: Case) -> Opinion:
        if len(place.judge.asked) == 4:
            full_disk_behind_the_journal()
        return opinion(case)

    place.judge = judge = SmallJudge(say)
    with pytest.raises(StoreError, match="No space left"):
        place.run(judge, concurrency=1)
    assert len(judge.asked) == 4
    assert place.rows("select count(*) from judgement") == [(3,)]
    assert counts(place.run()) == ("complete", 5, 0)


def test_a_half_written_line_is_taken_off_again_and_nothing_follows_it(tmp_path: Path) -> None:
    code = """
        import asyncio, resource, sys
        from pathlib import Path
        from grader.engine.journal import End, Head, Journal
        from grader.errors import StoreError

        async def main(path):
            journal = Journal(path, [Head("run")])
            resource.setrlimit(resource.RLIMIT_FSIZE, (journal.on_disk + 50, resource.RLIM_INFINITY))
            for line in (b"x" * 100, b"y"):
                try:
                    await journal.append(line + b"\\n")
                except StoreError as error:
                    print(error.message.rpartition(": ")[2])
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)  # there is room again
            print(path.stat().st_size == journal.on_disk)

        asyncio.run(main(Path(sys.argv[1])))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "run.jsonl")], capture_output=True, text=True,
        cwd=REPOSITORY, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["File too large", "File too large", "True"], done


def test_after_a_write_that_failed_no_later_one_moves_the_mark_past_it(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.engine.run.WRITE_BATCH", 1)

    async def say(case: Case) -> Opinion:
        if len(place.judge.asked) <= 2 and case.conversation.conversation_id == "c000":
            place.rows("create unique index once on verdict (answer)")  # its two verdicts are both absent
            return opinion(case)
        await asyncio.sleep(0.3)
        place.rows("drop index if exists once")
        return opinion(case)

    place.judge = judge = SmallJudge(say)
    absent = rubric("alpha", "late", "rude", "cold")
    assert place.run(judge, rubrics=(absent,), concurrency=2).state == "aborted"
    assert place.rows("select count(*) from judgement") == [(0,)]
    place.absorb()
    paid = len(judge.asked)
    assert paid >= 2
    assert place.rows("select count(*), count(distinct key) from judgement") == [(paid, paid)]


def test_a_database_that_fails_in_the_middle_loses_nothing_that_was_journaled(place: Workplace) -> None:
    def say(case: Case) -> Opinion:
        if len(place.judge.asked) == 3:
            place.rows("create unique index once on verdict (support)")
        return opinion(case)

    place.judge = judge = SmallJudge(say)
    summary = place.run(judge, concurrency=1)
    assert summary.state == "aborted"
    assert isinstance(summary.error, StoreError)
    place.rows("drop index once")
    assert place.rows("select count(*) from judgement") == [(0,)]
    place.absorb()
    paid = len(judge.asked)
    assert place.rows("select count(*), count(distinct key) from judgement") == [(paid, paid)]
    assert counts(place.run()) == ("complete", 8 - paid, 0)
