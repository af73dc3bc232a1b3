"""The judge's errors from labels in strata by verdict: by hand, and beside what would be wrong."""

from __future__ import annotations

import sys

import pytest
from conftest import REPOSITORY

from grader.statistics.accuracy import ADDS_NOTHING, Accuracy, accuracy, calibrate
from grader.statistics.figure import Figure
from grader.statistics.frame import Labelled, Part, Stratum, Truth, Verdict, parts_of

sys.path.insert(0, str(REPOSITORY / "benchmarks"))

from coverage_calibration import LEAST, MEAN, Setting, errors

PARTS = (Part("fires", 400, 38, 62), Part("clean", 4_800, 2, 98))
FIRES, THETA = 400 * 0.38, 400 * 0.38 + 4_800 * 0.02  # conversations: found by the judge, true


def inside(found: Figure) -> bool:
    assert found.point is not None
    assert found.low is not None
    assert found.high is not None
    return found.low < found.point < found.high


def test_errors_are_weighted_by_the_shares_of_verdicts() -> None:
    found = accuracy(PARTS, seed=1)
    assert found.sensitivity.point == pytest.approx(FIRES / THETA)  # 152 of 248: .613, and not 38 of 40
    assert found.specificity.point == pytest.approx(4_800 * 0.98 / (5_200 - THETA))
    assert found.positive_value.point == pytest.approx(0.38)
    assert found.negative_value.point == pytest.approx(0.98)
    assert found.youden.point == pytest.approx(FIRES / THETA + 4_800 * 0.98 / (5_200 - THETA) - 1)
    po = (FIRES + 4_800 * 0.98) / 5_200
    pe = (400 * THETA + 4_800 * (5_200 - THETA)) / 5_200**2
    assert found.kappa.point == pytest.approx((po - pe) / (1 - pe))
    assert (found.sensitivity.n, found.sensitivity.of) == (38, 40)
    assert (found.specificity.n, found.specificity.of) == (98, 160)
    assert (found.kappa.n, found.kappa.of) == (136, 200)
    for figure in (found.sensitivity, found.specificity, found.positive_value, found.negative_value, found.kappa):
        assert inside(figure)


def test_strata_of_one_verdict_are_added_up() -> None:
    split = (
        Part("fires", 300, 30, 40, name="refunds"), Part("fires", 100, 8, 22, name="orders"),
        Part("clean", 4_800, 2, 98),
    )  # fmt: skip
    found = accuracy(split, seed=1)
    fires = 300 * 30 / 70 + 100 * 8 / 30
    assert found.positive_value.point == pytest.approx(fires / 400)
    assert found.sensitivity.point == pytest.approx(fires / (fires + 96))


def test_what_is_not_applicable_is_no_negative_and_a_flag_on_it_is_wrong() -> None:
    parts = (Part("fires", 100, 30, 10, 10), Part("clean", 700, 1, 68, 1), Part("not_applicable", 200, 0, 2, 48))
    found = accuracy(parts, seed=1)
    clean = 100 * 0.2 + 700 * 68 / 70 + 200 * 0.04
    assert found.positive_value.point == pytest.approx(0.6)
    assert found.specificity.point == pytest.approx((clean - 20) / clean)
    assert found.sensitivity.point == pytest.approx(60 / 70)
    assert found.negative_value.point == pytest.approx(69 / 70)
    agreed = (60 + 700 * 68 / 70 + 192) / 1_000
    truth = (70, clean, 1_000 - 70 - clean)
    by_chance = (100 * truth[0] + 700 * truth[1] + 200 * truth[2]) / 1_000**2
    assert found.kappa.point == pytest.approx((agreed - by_chance) / (1 - by_chance))


def test_reviewers_who_found_it_everywhere_leave_false_alarms_unknown() -> None:
    found = accuracy((Part("fires", 90, 30, 0), Part("clean", 10, 10, 0)), seed=1)
    assert found.specificity.point is None
    assert found.specificity.reason.startswith("No human-negative labels")
    assert found.youden.point is None
    assert found.kappa.point is None
    assert found.negative_value.point == found.negative_value.low == 0
    only = accuracy((Part("fires", 90, 30, 10),), seed=1).negative_value
    assert only.reason.startswith("The judge called nothing clean")


def test_no_verdict_at_all_has_no_error_and_the_rate_of_the_labels() -> None:
    found = calibrate((Part("missing", 500, 20, 80),), simple_random=True, seed=1)
    for name in Accuracy.__dataclass_fields__:
        figure = getattr(found.accuracy, name)
        assert figure.point is None
        assert figure.reason == "No conversation has a verdict."
    assert found.corrected.point == pytest.approx(0.2)
    assert found.raw.point is None
    assert found.raw.reason.startswith("The judge answered no conversation")


def test_contacts_that_are_alike_widen_every_error() -> None:
    strata: list[Stratum] = [("fires", ""), ("clean", "")]
    labels = [
        Labelled(strata[0 if contact < 40 else 1], "fires" if contact % 3 == 0 else "clean", str(contact))
        for contact in range(120) for _ in range(3)
    ]  # fmt: skip
    parts = parts_of({strata[0]: 600, strata[1]: 2_400}, labels)
    plain, wider = accuracy(parts, seed=1), accuracy(parts, labels, seed=1)
    for name in Accuracy.__dataclass_fields__:
        one, other = getattr(plain, name), getattr(wider, name)
        assert other.point == one.point
        assert 1.4 < other.width / one.width < 1.9, name


# ── coverage; all settings are in benchmarks/coverage_calibration.py ──

FEW_WRONG = Setting(0.2, 0.9, 0.98, 100)  # 30 flags, of which two or three are wrong


@pytest.mark.parametrize("design", ["simple random", "30 % judge-positive", "clustered", "not applicable"])
def test_intervals_of_errors_hold_the_truth(design: str) -> None:
    held = {name: t.coverage for name, t in errors(design, FEW_WRONG, 300, 300, seed=1).items()}
    assert min(held.values()) >= 0.92, held  # 300 repetitions of a true .95 fall below .92 in one of a hundred tries
    assert sum(held.values()) >= MEAN * len(held), held


def test_ends_that_do_not_lean_outwards_fail_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.statistics.accuracy.LEAN", 0.0)
    held = errors("30 % judge-positive", FEW_WRONG, 600, 300, seed=1)
    assert held["positive_value"].coverage < LEAST


def test_contacts_widen_what_people_alone_say_as_they_widen_what_is_corrected() -> None:
    """100 contacts of four alike: a judge that narrows the interval by a third is not called useless for it."""
    table: dict[tuple[Verdict, Truth], int] = {
        ("fires", "fires"): 72, ("fires", "clean"): 8, ("clean", "fires"): 8, ("clean", "clean"): 312
    }  # fmt: skip
    labels = [
        Labelled((verdict, ""), truth, f"{verdict} {truth} {i // 4}")
        for (verdict, truth), n in table.items() for i in range(n)
    ]  # fmt: skip
    parts = parts_of({("fires", ""): 400, ("clean", ""): 1_600}, labels)
    found = calibrate(parts, labels, simple_random=True, seed=1)
    assert found.people.point == 0.2
    assert (found.people.width or 0) > 1.2 * (found.corrected.width or 1)
    assert ADDS_NOTHING not in found.notes
