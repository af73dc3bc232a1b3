"""The gate: what passes, what is held, what fails, and what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.statistics.figure import Figure, undefined
from grader.statistics.paired import change, flip_rate
from grader.statistics.promotion import Check, Evidence, Gate, decide, decide_all

GOOD = Evidence(
    code="invented_deadline",
    sensitivity=change(12, 2, 150, ""), specificity=change(8, 7, 700, ""), not_applicable=None,
    new_sensitivity=Figure(0.9, 0.84, 0.94, 135, 150, ""), youden=Figure(0.85, 0.8, 0.9, 0, 0, ""),
    flips=flip_rate([("a", "a")] * 499 + [("a", "b")]),
)  # fmt: skip


def test_a_version_that_is_better_passes_and_every_check_says_what_it_saw() -> None:
    found = decide(GOOD)
    assert found.outcome == "pass"
    assert [c.name for c in found.checks] == ["sensitivity", "specificity", "better than chance", "repeats"]
    assert found.reasons[0] == (
        "Not worse: sensitivity changed by +6.7 points on 150 human-positives (12 better, 2 worse), at least +2.9 "
        "points with 95 % confidence; -5.0 points is allowed."
    )
    assert "two runs differ on 0.2% (1 of 500 conversations)" in found.reasons[3]


@pytest.mark.parametrize(
    ("changed", "outcome", "said"),
    [
        ({"sensitivity": change(0, 0, 14, "")}, "hold", "Too few human-positives: 14 of the 15 it takes. Label 1"),
        ({"sensitivity": change(1, 1, 30, "")}, "hold", "Not shown: sensitivity changed by +0.0 points"),
        ({"sensitivity": change(1, 60, 150, "")}, "fail", "Worse: sensitivity changed by -39.3 points"),
        ({"sensitivity": change(0, 0, 0, "No human-positive labels.")}, "hold", "No human-positive labels."),
        ({"specificity": change(1, 60, 700, "")}, "fail", "Worse: specificity"),
        ({"specificity": change(0, 0, 60, "")}, "hold", "Not shown: specificity"),
        ({"youden": Figure(0.1, -0.05, 0.3, 0, 0, "")}, "hold", "Not shown to be better than chance"),
        ({"youden": Figure(-0.2, -0.3, -0.1, 0, 0, "")}, "fail", "No better than chance"),
        ({"youden": undefined("No labels.", "")}, "hold", "No labels."),
        ({"flips": flip_rate([("a", "a")] * 99)}, "hold", "Too few repeats: 99 conversations. Judge 1 more"),
        ({"flips": flip_rate([])}, "hold", "No conversation was judged twice"),
        ({"flips": flip_rate([("a", "a")] * 98 + [("a", "b")] * 2)}, "hold", "Repeats are not shown to be stable"),
        ({"flips": flip_rate([("a", "a")] * 90 + [("a", "b")] * 10)}, "fail", "The judge contradicts itself"),
        ({"not_applicable": change(0, 9, 20, "")}, "fail", "Worse: agreement on not applicable"),
        ({"shortage": ("3 labels of 30 conversations judged clean: label 2 more of them.",)}, "hold", "label 2 more"),
        ({"n_openings": 4}, "hold", "opened for 4 judges; after 3"),
    ],
)  # fmt: skip
def test_too_little_is_hold_and_what_is_shown_to_be_worse_fails(
    changed: dict[str, object], outcome: str, said: str
) -> None:
    found = decide(replace(GOOD, **changed))  # type: ignore[arg-type]
    assert found.outcome == outcome, found.reasons
    assert len(found.reasons) == 1
    assert said in found.reasons[0]


def test_a_critical_code_has_a_floor() -> None:
    for floor, outcome in ((0.8, "pass"), (0.9, "hold"), (0.97, "fail")):
        found = decide(GOOD, Gate(floors={"invented_deadline": floor, "other": 0.99}))
        assert found.outcome == outcome
        assert f"floor {floor:.2f}" in found.checks[-1].sentence
    unknown = decide(replace(GOOD, new_sensitivity=undefined("Nobody.", "")), Gate(floors={"invented_deadline": 0.5}))
    assert unknown.outcome == "hold"


def test_checks_of_others_count_and_where_people_do_not_agree_nothing_else_does() -> None:
    found = decide(replace(GOOD, held=(Check("judgements", "hold", "2 are missing."),)))
    assert (found.outcome, found.reasons) == ("hold", ("2 are missing.",))
    worse = replace(GOOD, sensitivity=change(0, 90, 150, ""), unreliable="Reviewers do not agree.")
    assert (decide(worse).outcome, decide(worse).reasons) == ("hold", ("Reviewers do not agree.",))


def test_without_an_opening_only_what_needs_no_label_is_checked() -> None:
    closed = replace(GOOD, sensitivity=None, specificity=None, new_sensitivity=None, youden=None)
    assert [c.name for c in decide(closed, Gate(floors={"invented_deadline": 0.9})).checks] == ["repeats"]


def test_a_floor_is_a_codes_own_or_that_of_critical_ones() -> None:
    gate = Gate(floors={"a": 0.9})
    assert [gate.floor("a", "low"), gate.floor("b", "critical"), gate.floor("b", "high")] == [0.9, 0.7, None]


def test_a_rubric_is_as_good_as_the_worst_of_its_codes_and_nothing_is_hold() -> None:
    held, failed = replace(GOOD, n_openings=9), replace(GOOD, sensitivity=change(0, 90, 150, ""))
    assert decide_all([GOOD, GOOD])[0] == "pass"
    assert decide_all([GOOD, held])[0] == "hold"
    assert decide_all([held, failed, GOOD])[0] == "fail"
    assert decide_all([]) == ("hold", ())
