"""A golden set held against new verdicts: counts and p by hand, and nothing passed for lack of data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from calibrate_parts import half_right
from conftest import Main
from hypothesis import given
from hypothesis import strategies as st

from grader.calibration.golden import GoldenSet, Known, document, golden_sets, named, parsed
from grader.calibration.instrument import Instrument, of_run
from grader.calibration.recheck import Checked, compared, held_against
from grader.store import open_store

JUDGE = Instrument("llm", "m1", "pa_1", "pr_1", "alpha", "1.0.0", "ru_1")


def golden(*rows: tuple[str, str, str, int]) -> GoldenSet:
    """From (code, expected, baseline, how many)."""
    items = tuple(
        Known(f"c-{code}-{expected}-{baseline}-{n}", "cv", code, expected, baseline)
        for code, expected, baseline, many in rows
        for n in range(many)
    )
    return named(GoldenSet("", "set", "lp_1", "run_1", JUDGE, 0, items, "0", datetime(2026, 9, 1, tzinfo=UTC)))


def checked(one: GoldenSet, now: Iterable[tuple[str, str, str, str, int]] = (), **how: tuple[str, ...]) -> Checked:
    """Everything as at the baseline, but for (code, expected, baseline, now, how many)."""
    verdicts: dict[tuple[str, str], str | None] = {(i.conversation_id, i.criterion): i.baseline for i in one.items}
    for code, expected, baseline, verdict, many in now:
        for n in range(many):
            verdicts[f"c-{code}-{expected}-{baseline}-{n}", code] = None if verdict == "-" else verdict
    return compared(one, verdicts, **how)


WHOLE = golden(
    ("late", "present", "present", 27), ("late", "present", "absent", 3), ("rude", "present", "present", 30),
    ("late", "absent", "absent", 30), ("rude", "absent", "absent", 29), ("rude", "absent", "present", 1),
)  # fmt: skip


def test_nothing_changed_is_passed() -> None:
    found = checked(WHOLE)
    assert found.outcome == "passed"
    assert (found.positives.n, found.positives.n_before, found.positives.n_after, found.positives.p) == (60, 57, 57, 1)
    assert (found.negatives.n, found.negatives.n_before, found.negatives.n_after) == (60, 59, 59)
    assert "57 of 60 known positives found, 57 before (the same)" in found.sentence


def test_six_lost_and_none_won_are_the_fewest_that_fail() -> None:
    # 2 / 2^5 = .0625, 2 / 2^6 = .03125
    assert checked(WHOLE, [("rude", "present", "present", "absent", 5)]).outcome == "passed"
    found = checked(WHOLE, [("rude", "present", "present", "absent", 6)])
    assert (found.outcome, found.positives.p) == ("failed", 0.03125)
    assert "51 of 60 known positives found, 57 before (6 lost, 0 won, p 0.031)" in found.sentence


def test_what_is_won_weighs_against_what_is_lost() -> None:
    moved = [("rude", "present", "present", "absent", 6), ("late", "present", "absent", "present", 1)]
    found = checked(WHOLE, moved)
    assert (found.positives.n_worse, found.positives.n_better) == (6, 1)
    assert found.positives.p == 2 * (1 + 7) / 2**7
    assert found.outcome == "passed"


def test_a_gain_never_fails() -> None:
    one = golden(("late", "present", "present", 20), ("late", "present", "absent", 20))
    found = checked(one, [("late", "present", "absent", "present", 20)])
    assert (found.positives.p < 0.001, found.outcome) == (True, "passed")


def test_false_alarms_fail_as_misses_do() -> None:
    found = checked(WHOLE, [("late", "absent", "absent", "present", 6)])
    assert (found.outcome, found.positives.n_worse, found.negatives.n_worse) == ("failed", 0, 6)


def test_what_is_present_without_proof_is_not_found_and_no_false_alarm() -> None:
    found = checked(
        WHOLE, [("rude", "present", "present", "unsupported", 6), ("late", "absent", "absent", "unsupported", 6)]
    )
    assert (found.outcome, found.positives.n_worse, found.negatives.n_worse) == ("failed", 6, 0)


@pytest.mark.parametrize("verdict", ["cannot_assess", "not_applicable"])
def test_what_the_judge_does_not_say_is_not_found(verdict: str) -> None:
    assert checked(WHOLE, [("rude", "present", "present", verdict, 6)]).positives.n_worse == 6


def test_a_code_can_fail_where_the_others_hide_it_and_p_is_adjusted_for_their_number() -> None:
    one = golden(*(("late", "present", b, 20) for b in ("present", "absent")), ("rude", "present", "present", 20),
                 ("cold", "present", "present", 1))  # fmt: skip
    moved = [("rude", "present", "present", "absent", 8), ("late", "present", "absent", "present", 8)]
    found = checked(one, moved)
    assert found.positives.p == 1
    ps = {h.criterion: h.p for h in found.codes}
    # late and rude each 2 / 2^8, of three codes: times 3; cold 1
    assert ps == {"late": 3 * 2 / 2**8, "rude": 3 * 2 / 2**8, "cold": 1}
    assert found.outcome == "failed"
    assert "By code: rude: 12 of 20" in found.sentence
    assert checked(one, [(*m[:4], 7) for m in moved]).outcome == "failed"  # 3 · 2 / 2^7 = .047
    assert checked(one, [(*m[:4], 6) for m in moved]).outcome == "passed"  # 3 · 2 / 2^6 = .094


def test_few_known_positives_never_pass_and_may_fail() -> None:
    few = golden(("late", "present", "present", 29))
    assert checked(few).outcome == "insufficient"
    assert checked(golden(("late", "present", "present", 30))).outcome == "passed"
    assert checked(few, [("late", "present", "present", "absent", 6)]).outcome == "failed"
    assert "29 known positives, 30 are needed" in checked(few).sentence
    assert "no known negatives" in checked(few).sentence


def test_a_missing_answer_decides_nothing_however_bad_the_others_are() -> None:
    moved = [("rude", "present", "present", "absent", 20), ("late", "absent", "absent", "-", 1)]
    found = checked(WHOLE, moved)
    assert (found.outcome, found.n_missing, found.negatives.n) == ("insufficient", 1, 59)
    assert "1 of 120 answers could not be had" in found.sentence


def test_what_changed_or_is_not_asked_is_left_out_and_not_missing() -> None:
    gone = tuple(f"c-late-absent-absent-{n}" for n in range(4))
    found = checked(WHOLE, gone=gone, unasked=("rude",))
    assert (found.positives.n, found.negatives.n, found.n_missing, found.outcome) == (30, 26, 0, "passed")
    assert (found.changed, found.unasked) == (gone, ("rude",))


@given(st.lists(st.tuples(st.sampled_from(["late", "rude"]), st.sampled_from(["present", "absent"]),
                          st.sampled_from(["present", "absent", "unsupported"]), st.integers(1, 3)), max_size=6),
       st.integers())  # fmt: skip
def test_a_set_reads_back_from_its_document_and_any_change_of_it_is_another(
    rows: list[tuple[str, str, str, int]], seed: int
) -> None:
    one = golden(*rows)
    assert parsed(document(one)) == one
    other = parsed({**document(one), "seed": seed})
    assert (named(other).golden_id == one.golden_id) is (seed == one.seed)


def test_what_a_judge_was_shown_as_examples_is_left_out_of_its_check(
    workspace: Path, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    plan = half_right(workspace, main)
    done = main("golden", "freeze", "first", "--plan", plan)
    assert done.code == 0, done.err
    with open_store(workspace / "grader.duckdb") as store:
        (frozen,) = golden_sets(store)
        judge = of_run(store, frozen.run_id)["accuracy"]
        train = "select conversation_id from label_draw where plan_id = ? and split = 'train'"
        mine = {i for (i,) in store.rows(train, [plan])} & set(frozen.conversations)
        assert mine
        before = held_against(store, frozen, judge, frozen.codes, frozen.run_id)
        store.open_split(plan, "train", "disagreements --as rubric-examples into accuracy@1.0.0: x", datetime.now(UTC))
        after = held_against(store, frozen, judge, frozen.codes, frozen.run_id)
    assert before.taught == ()
    assert set(after.taught) == mine
    assert after.positives.n + after.negatives.n == sum(i.conversation_id not in mine for i in frozen.items)
