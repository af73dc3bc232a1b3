"""A run judges what is missing, once, at the pace and for the money that it was given, and leaves a true account."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from engine_parts import ALPHA, BETA, SmallJudge, Workplace, counts, failure, opinion, rubric, stats, talk, workplace

from grader.errors import InputError, RubricError
from grader.judge import Case, Opinion
from grader.model import Policy


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path) as made:
        yield made


# Once


def test_everything_is_judged_once_and_the_same_again_judges_nothing(place: Workplace) -> None:
    assert counts(place.run()) == ("complete", 8, 0)
    assert sorted(place.judge.asked) == sorted((f"c00{n}", r) for n in range(4) for r in ("alpha", "beta"))
    before = place.results()
    journals = list(place.journals.iterdir())
    assert counts(place.run()) == ("complete", 0, 0)
    assert list(place.journals.iterdir()) == journals  # with nothing to lose there is nothing to journal
    assert place.judge.asked == []
    assert place.plan.n_reused == 8
    after = place.results()
    changed = {"run", "run_item"}
    assert {t: rows for t, rows in after.items() if t not in changed} == {
        t: rows for t, rows in before.items() if t not in changed
    }
    told = place.rows(
        "select n_planned, n_reused, n_judged, n_failed, state, cost_usd from run order by started_at, n_reused"
    )
    assert told == [(8, 0, 8, 0, "complete", pytest.approx(0.08)), (8, 8, 0, 0, "complete", 0)]
    assert place.rows("select reused, count(*), count(distinct key) from run_item group by reused order by 1") == [
        (False, 8, 8), (True, 8, 8),
    ]  # fmt: skip


def test_what_is_new_is_judged_and_the_rest_reused(place: Workplace) -> None:
    place.run()
    place.fill(talk("new"))
    assert counts(place.run()) == ("complete", 2, 0)
    assert {i for i, _ in place.judge.asked} == {"new"}


def test_a_conversation_that_changed_is_judged_again_and_its_old_verdicts_come_back_into_use(place: Workplace) -> None:
    place.run()
    old, new = talk("c001"), talk("c001", "something else", "indeed")
    place.fill(new)
    assert counts(place.run()) == ("complete", 2, 0)
    place.fill(old)
    assert counts(place.run()) == ("complete", 0, 0)
    assert place.plan.n_reused == 8


@pytest.mark.parametrize(
    "change", [{"model": "m2"}, {"parameters": {"temperature": 1}}, {"prompt_hash": "pr_other"}, {"name": "signals"}]
)
def test_another_judge_prompt_or_parameter_judges_anew_beside_the_old(place: Workplace, change: dict[str, Any]) -> None:
    place.run()
    assert counts(place.run(SmallJudge(**change))) == ("complete", 8, 0)
    assert place.rows("select count(*), count(distinct key) from judgement") == [(16, 16)]


def test_a_repeat_is_a_judgement_of_its_own(place: Workplace) -> None:
    place.run()
    assert counts(place.run(repeat=1)) == ("complete", 8, 0)
    assert counts(place.run(repeat=1)) == ("complete", 0, 0)
    assert place.rows("select repeat, count(*) from judgement group by 1 order by 1") == [(0, 8), (1, 8)]


def test_conversations_with_the_very_same_content_are_judged_once(place: Workplace) -> None:
    place.fill(talk("twin1", "hi", "hello"), talk("twin2", "hi", "hello"))
    assert counts(place.run()) == ("complete", 10, 0)
    assert place.plan.n_items == 12
    assert place.plan.n_reused == 2
    found = place.rows(
        "select run_item.conversation_id, reused, count(*) from run_item join judgement using (key) "
        "where run_item.conversation_id like 'twin%' group by all order by 1"
    )
    assert [(reused, n) for _, reused, n in found] == [(False, 2), (True, 2)]
    assert counts(place.run()) == ("complete", 0, 0)
    assert place.plan.n_reused == 12


def test_one_grouped_call_gives_all_judgements_and_is_paid_once(place: Workplace) -> None:
    assert counts(place.run()) == ("complete", 8, 0)
    summary = place.run(group_all=True)
    assert counts(summary) == ("complete", 8, 0)
    assert place.judge.asked == [(f"c00{n}", "alpha", "beta") for n in range(4)]
    assert summary.progress.n_calls == 4
    assert summary.progress.cost_usd == pytest.approx(0.04)
    grouped = f"select count(*), count(distinct call_id) from judgement where run_id = '{summary.run_id}'"
    assert place.rows(grouped) == [(8, 4)]
    assert place.rows("select count(*), count(distinct key) from judgement") == [(16, 16)]
    assert counts(place.run(group_all=True)) == ("complete", 0, 0)
    assert counts(place.run(rubrics=(ALPHA,), group_all=True)) == ("complete", 0, 0)  # a group of one is none


def test_a_policy_in_force_is_part_of_what_was_judged_and_the_day_is_the_sources_own(place: Workplace) -> None:
    place.fill(talk("evening", queue="q", started_at="2026-08-31T22:00:00-04:00"))  # 1 September in UTC
    seen: list[int] = []

    def say(case: Case) -> Opinion:
        seen.append(len(case.policies))
        return opinion(case)

    place.run(SmallJudge(say), select=[("id", "evening")])
    new = Policy(policy_id="p", text="No exceptions.", queues=("q",), valid_from=date(2026, 9, 1))
    place.store.add([(new, None, None)])
    assert counts(place.run(SmallJudge(say), select=[("id", "evening")])) == ("complete", 0, 0)
    place.store.add([(new.model_copy(update={"valid_from": date(2026, 8, 31)}), None, None)])
    assert counts(place.run(SmallJudge(say), select=[("id", "evening")])) == ("complete", 2, 0)
    assert seen == [0, 0, 1, 1]


# The sample


def test_a_sample_is_drawn_the_same_again_and_a_larger_one_holds_it(place: Workplace) -> None:
    place.fill(*(talk(f"d{n}") for n in range(36)))
    place.run(sample=5, seed=7)
    five = {i for i, _ in place.judge.asked}
    assert len(five) == 5
    place.run(sample=5, seed=7)
    assert place.judge.asked == []
    assert counts(place.run(sample=9, seed=7)) == ("complete", 8, 0)
    assert not five & {i for i, _ in place.judge.asked}
    place.run(sample=5, seed=8)
    assert {d.conversation_id for d in place.plan.drawn} != five
    told = place.rows(
        "select n_planned, n_population, seed, inclusion_probability, count(*) from run join run_item using (run_id) "
        "group by all order by 1, 3, run.n_planned"
    )
    assert told == [(10, 40, 7, 0.125, 20), (10, 40, 8, 0.125, 10), (18, 40, 7, 0.225, 18)]


def test_nothing_to_judge_is_an_input_error_that_says_why(tmp_path: Path) -> None:
    empty = Workplace(tmp_path)
    with pytest.raises(InputError, match="no conversations yet") as caught:
        empty.run()
    assert "grader ingest" in (caught.value.cure or "")
    empty.fill(talk("c"))
    with pytest.raises(InputError, match="no conversation meets queue:x, since:2026-01-01"):
        empty.run(select=[("queue", "x"), ("since", "2026-01-01")])
    assert empty.rows("select count(*) from run") == [(0,)]
    empty.close()


# Rubrics


def test_a_changed_meaning_under_an_unchanged_version_is_refused_and_says_what_changed(place: Workplace) -> None:
    place.run()
    changed = rubric("alpha", "late")
    with pytest.raises(RubricError, match=r"alpha@1\.0\.0 changed in meaning.*rude: removed") as caught:
        place.run(rubrics=(changed, BETA))
    assert "grader rubric new-version alpha" in (caught.value.cure or "")
    assert place.rows("select count(*) from run") == [(1,)]
    next_version = rubric("alpha", "late", version="1.1.0")
    assert counts(place.run(rubrics=(next_version, BETA))) == ("complete", 4, 0)


def test_a_changed_label_is_taken_in_and_judges_nothing_again(place: Workplace) -> None:
    place.run()
    titled = rubric("alpha", "late", "rude", title="Better words", severity="critical")
    assert counts(place.run(rubrics=(titled, BETA))) == ("complete", 0, 0)
    assert place.rows("select distinct title, severity from criterion where rubric = 'alpha'") == [
        ("Better words", "critical")
    ]
    assert place.rows("select count(*) from rubric") == [(2,)]


# Pace


@pytest.mark.parametrize("concurrency", [1, 3, 200])
def test_no_more_calls_are_in_flight_than_asked_for(place: Workplace, concurrency: int) -> None:
    place.fill(*(talk(f"d{n}") for n in range(60)))
    judge = SmallJudge(seconds=0.001)
    assert counts(place.run(judge, concurrency=concurrency)) == ("complete", 128, 0)
    assert judge.n_most <= concurrency
    assert judge.n_most >= min(concurrency, 40)


def test_conversations_are_read_a_few_at_a_time(place: Workplace) -> None:
    place.fill(*(talk(f"d{n:03d}") for n in range(300)))
    most = 0

    def say(case: Case) -> Opinion:
        nonlocal most
        if len(place.judge.asked) % 150 == 0:
            most = max(most, sum(isinstance(thing, Case) for thing in gc.get_objects()))
        return opinion(case)

    place.run(SmallJudge(say), concurrency=4)
    assert 0 < most <= 4 + 8 + 2  # in flight, in the queue, in hands; 608 pieces of work in all


# Money


def test_the_budget_is_never_exceeded_and_the_same_command_goes_on(place: Workplace) -> None:
    judge = SmallJudge(seconds=0.001)
    summary = place.run(judge, budget=0.035, reserve=0.01, concurrency=8)
    assert counts(summary) == ("budget", 3, 0)
    assert summary.progress.cost_usd == pytest.approx(0.03)
    assert place.rows("select state, n_judged from run") == [("budget", 3)]
    assert counts(place.run(budget=0.035, reserve=0.01)) == ("budget", 3, 0)
    assert counts(place.run(budget=0.035, reserve=0.01)) == ("complete", 2, 0)
    assert place.rows("select count(*), count(distinct key) from judgement") == [(8, 8)]


def test_a_reservation_that_is_too_high_slows_the_run_and_does_not_end_it(place: Workplace) -> None:
    # Each call costs 0.01, but 0.03 is set aside: two fit at a time, all eight cost 0.08 of 0.10.
    judge = SmallJudge(seconds=0.001)
    summary = place.run(judge, budget=0.1, reserve=0.03, concurrency=8)
    assert counts(summary) == ("complete", 8, 0)
    assert judge.n_most <= 3


def test_a_call_whose_cost_is_not_told_counts_as_what_was_set_aside(place: Workplace) -> None:
    def say(case: Case) -> Opinion:
        return opinion(case, stats=stats(None, prompt_tokens=None, completion_tokens=None))

    summary = place.run(SmallJudge(say), budget=0.05, reserve=0.02, concurrency=1)
    assert counts(summary) == ("budget", 2, 0)
    assert summary.progress.cost_usd is None  # and never 0
    assert place.rows("select cost_usd from run") == [(None,)]


def test_no_budget_at_all_calls_nothing(place: Workplace) -> None:
    assert counts(place.run(budget=0.0, reserve=0.01)) == ("budget", 0, 0)
    assert place.judge.asked == []
    free = SmallJudge(lambda case: opinion(case, stats=stats(0.0)))
    assert counts(place.run(free, budget=0.0, reserve=0.0)) == ("complete", 8, 0)  # what costs nothing needs none


def test_a_call_that_was_never_answered_costs_nothing_that_is_known(place: Workplace) -> None:
    summary = place.run(SmallJudge(lambda _case: failure()))
    assert counts(summary) == ("incomplete", 0, 8)
    assert summary.progress.cost_usd == 0
    assert summary.progress.causes == {"timeout": 8}
