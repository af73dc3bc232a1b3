"""Estimators against known answers, against a library that was written by others, and against simulated truth."""

from __future__ import annotations

import json
import math
import random
import warnings
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.statistics.association import (
    JudgeError,
    Table,
    benjamini_hochberg,
    corrected_pooled,
    corrected_ratio,
    holm,
    mantel_haenszel,
    relative_risk,
    risk_difference,
    score_interval,
)
from grader.statistics.survival import came_back_by

REFERENCE = REPOSITORY.parent / "shared" / "data" / "statistics_reference.json"


@pytest.fixture(scope="module")
def known() -> Any:
    if not REFERENCE.exists():
        pytest.skip("../shared/data is absent")
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


@pytest.mark.realdata
def test_relative_risks_are_the_known_ones(known: Any) -> None:
    assert known["relative_risk"]
    for case in known["relative_risk"]:
        table = Table(case["exposed_cases"], case["exposed"], case["control_cases"], case["control"])
        found = relative_risk(table)
        assert found is not None
        assert found.point == pytest.approx(case["rr"], abs=case["tol"])
        assert score_interval(table) == pytest.approx(tuple(case["ci95_score"]), abs=case["tol"])
        wanted = case["ci95_log"] or case["ci95_score"]
        assert (found.low, found.high) == pytest.approx(tuple(wanted), abs=case["tol"])


@pytest.mark.realdata
def test_the_pooled_ratio_is_the_known_one(known: Any) -> None:
    case = known["mantel_haenszel_rr"]
    found = mantel_haenszel([Table(*stratum) for stratum in case["strata_a_n1_b_n0"]])
    assert found is not None
    assert found.ratio.point == pytest.approx(case["rr_mh"], abs=case["tol"])
    assert (found.ratio.low, found.ratio.high) == pytest.approx(tuple(case["ci95"]), abs=case["tol"])
    assert (found.p_none, found.p_same) == pytest.approx((case["cmh_p"], case["breslow_day_p"]), abs=case["tol"])


@pytest.mark.realdata
def test_the_share_that_came_back_is_the_known_one(known: Any) -> None:
    case = known["kaplan_meier_recontact"]
    came_back = [bool(x) for x in case["recontacted"]]
    found = came_back_by(case["days"], came_back, 7)
    assert found is not None
    assert found.point == pytest.approx(case["cum_recontact_day7"], abs=case["tol"])
    for day, left in zip(case["times"], case["surv"], strict=True):
        step = came_back_by(case["days"], came_back, day)
        assert step is not None
        assert 1 - step.point == pytest.approx(left, abs=case["tol"])


TABLES = st.builds(
    lambda n, m, a, b: Table(round(a * n), n, round(b * m), m),
    st.integers(1, 400), st.integers(1, 400), st.floats(0, 1), st.floats(0, 1),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(TABLES)
def test_a_ratio_lies_in_its_interval_and_agrees_with_statsmodels(table: Table) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    found, score = relative_risk(table), score_interval(table)
    if not table.cases + table.control_cases:
        assert found is None
        assert score is None
        return
    assert found is not None
    assert score is not None
    assert 0 <= found.low <= found.point <= found.high
    assert found.high < math.inf or not table.control_cases
    if not (0 < table.cases < table.n and 0 < table.control_cases < table.n_control):
        return  # statsmodels' search does not end at the edges
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = confint_proportions_2indep(
            table.cases, table.n, table.control_cases, table.n_control, compare="ratio", method="score"
        )
    assert score == pytest.approx(theirs, rel=1e-5)


@settings(max_examples=80, deadline=None)
@given(st.lists(TABLES, min_size=1, max_size=6))
def test_pooling_agrees_with_statsmodels(strata: list[Table]) -> None:
    from statsmodels.stats.contingency_tables import StratifiedTable

    found = mantel_haenszel(strata)
    if found is None:
        return
    tables = [
        np.array([[t.cases, t.n - t.cases], [t.control_cases, t.n_control - t.control_cases]], float) for t in strata
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = StratifiedTable(tables, shift_zeros=False)
        assert found.ratio.point == pytest.approx(theirs.riskratio_pooled, rel=1e-9)
        test = theirs.test_null_odds()
    if found.p_none is None:
        assert math.isnan(test.pvalue)
    else:
        assert found.p_none == pytest.approx(test.pvalue, abs=1e-9)


def test_a_difference_has_newcombes_interval() -> None:
    found = risk_difference(Table(56, 70, 48, 80))  # example (a) of the paper
    assert found is not None
    assert (found.point, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_what_cannot_be_said_is_none_and_what_is_no_count_is_refused() -> None:
    assert relative_risk(Table(0, 0, 3, 9)) is None
    assert relative_risk(Table(0, 5, 0, 9)) is None
    assert risk_difference(Table(0, 0, 3, 9)) is None
    assert mantel_haenszel([]) is None
    assert mantel_haenszel([Table(3, 9, 0, 9)]) is None
    everybody = relative_risk(Table(9, 9, 7, 7))
    assert everybody is not None
    assert everybody.low < 1 < everybody.high
    with pytest.raises(ValueError, match="no table"):
        Table(4, 3, 0, 1)


def test_the_crude_ratio_is_misled_by_the_reason_and_the_pooled_one_is_not() -> None:
    """One reason has many findings and many recontacts, the other few of both; within each there is no association."""
    strata = [Table(160, 400, 40, 100), Table(5, 50, 95, 950)]
    crude = relative_risk(Table(165, 450, 135, 1050))
    pooled = mantel_haenszel(strata)
    assert crude is not None
    assert pooled is not None
    assert crude.low > 2
    assert pooled.ratio.point == pytest.approx(1)
    assert pooled.ratio.low < 1 < pooled.ratio.high


def test_false_discoveries_are_bounded_and_the_order_is_kept() -> None:
    assert benjamini_hochberg([0.04, 0.001, 0.5]) == pytest.approx([0.06, 0.003, 0.5])
    assert benjamini_hochberg([]) == []


def test_holms_step_down_multiplies_the_smallest_most_and_never_falls() -> None:
    # Sorted .005, .01, .03, .04: × 4 = .02, × 3 = .03, × 2 = .06, × 1 = .04, which may not be below .06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_interval_of_a_ratio_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    held = total = 0
    for _ in range(2_000):
        table = Table(int(rng.binomial(60, 0.2)), 60, int(rng.binomial(240, 0.1)), 240)
        found = relative_risk(table)
        total += found is not None
        held += found is not None and found.low <= 2 <= found.high
    assert total > 1_990
    assert 0.93 <= held / total <= 0.97


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.7, 0.95), (0.85, 0.9), (0.6, 0.99)])
def test_a_ratio_that_the_judge_blurred_is_found_again(sensitivity: float, specificity: float) -> None:
    """True risks .30 and .15 (ratio 2), defect rate .2, 6,000 conversations, 150 + 150 labels."""
    rng = np.random.default_rng(11)
    held = n = 0
    points, blurred = [], []
    for number in range(200):
        defect = rng.random(6_000) < 0.2
        flagged = rng.random(6_000) < np.where(defect, sensitivity, 1 - specificity)
        back = rng.random(6_000) < np.where(defect, 0.3, 0.15)
        hit, miss = np.flatnonzero(flagged), np.flatnonzero(~flagged)
        some, other = rng.choice(hit, 150, replace=False), rng.choice(miss, 150, replace=False)
        error = JudgeError(int(defect[some].sum()), 150, int(defect[other].sum()), 150)
        table = Table(int(back[hit].sum()), len(hit), int(back[miss].sum()), len(miss))
        found, crude = corrected_ratio(table, error, seed=number, draws=4_000), relative_risk(table)
        assert crude is not None
        blurred.append(crude.point)
        if found is not None:
            n += 1
            points.append(found.point)
            held += found.low <= 2 <= found.high
    assert n == 200
    assert np.median(blurred) < 1.8
    assert np.median(points) == pytest.approx(2, abs=0.06)
    assert held / n >= 0.92


def test_a_ratio_pooled_over_reasons_is_found_again_behind_a_judge_that_errs() -> None:
    """Two reasons: defects in .1 and .3, returns in .1 and .25, doubled by a defect in both. The crude ratio is
    confounded and blurred; pooled it is blurred; corrected it is 2.
    """
    rng = np.random.default_rng(23)
    held = n = 0
    points, pooled_points, crude_points = [], [], []
    for number in range(150):
        reason = rng.random(6_000) < 0.5
        defect = rng.random(6_000) < np.where(reason, 0.1, 0.3)
        flagged = rng.random(6_000) < np.where(defect, 0.75, 0.05)
        back = rng.random(6_000) < np.where(reason, 0.1, 0.25) * np.where(defect, 2, 1)
        tables = [
            Table(*(int(x) for x in (back[m & flagged].sum(), (m & flagged).sum(), back[m & ~flagged].sum(),
                                     (m & ~flagged).sum())))
            for m in (reason, ~reason)
        ]  # fmt: skip
        some = rng.choice(np.flatnonzero(flagged), 150, replace=False)
        other = rng.choice(np.flatnonzero(~flagged), 150, replace=False)
        error = JudgeError(int(defect[some].sum()), 150, int(defect[other].sum()), 150)
        pooled = mantel_haenszel(tables)
        crude = relative_risk(Table(*(
            int(x) for x in (back[flagged].sum(), flagged.sum(), back[~flagged].sum(), (~flagged).sum())
        )))  # fmt: skip
        assert pooled is not None
        assert crude is not None
        found = corrected_pooled(pooled.ratio, error, seed=number, draws=4_000)
        pooled_points.append(pooled.ratio.point)
        crude_points.append(crude.point)
        if found is not None:
            n += 1
            points.append(found.point)
            held += found.low <= 2 <= found.high
    assert n == 150
    assert np.median(pooled_points) < 1.85
    assert np.median(crude_points) > np.median(pooled_points) + 0.15
    assert np.median(points) == pytest.approx(2, abs=0.12)
    assert held / n >= 0.92


def test_a_judge_that_tells_nothing_apart_gives_no_corrected_ratio() -> None:
    table = Table(140, 1_000, 1_000, 10_000)
    assert corrected_ratio(table, JudgeError(12, 100, 10, 100), seed=1) is None
    assert corrected_ratio(table, JudgeError(0, 0, 10, 100), seed=1) is None
    pooled = mantel_haenszel([table])
    assert pooled is not None
    assert corrected_pooled(pooled.ratio, JudgeError(12, 100, 10, 100), seed=1) is None
    assert corrected_pooled(pooled.ratio, JudgeError(70, 100, 0, 0), seed=1) is None
    with pytest.raises(ValueError, match="draws"):
        corrected_ratio(table, JudgeError(70, 100, 5, 100), seed=1, draws=10)


def test_open_windows_do_not_count_as_resolved_nor_are_they_left_out() -> None:
    """28 days of conversations, one in five comes back within 7: two simple ways of counting are both wrong."""
    rng = random.Random(3)
    days, came_back = [], []
    naive = early = closed = n_closed = 0
    for _ in range(20_000):
        left = 28 * rng.random()
        after = 7 * rng.random() if rng.random() < 0.2 else math.inf
        seen = after <= left
        days.append(min(after, left, 7.0))
        came_back.append(seen)
        naive += seen
        early += seen or left >= 7
        closed += seen and left >= 7
        n_closed += left >= 7
    found = came_back_by(days, came_back, 7.0)
    assert found is not None
    assert found.low < 0.2 < found.high
    assert naive / 20_000 < 0.19 < closed / n_closed < 0.21
    assert naive / early > 0.21


def test_nobody_came_back_is_no_certainty() -> None:
    found = came_back_by([7.0] * 20, [False] * 20, 7)
    assert found is not None
    assert (found.point, found.low) == (0, 0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert came_back_by([3.0, 4.0], [True, False], 7) is None  # nobody was watched so long
    assert came_back_by([], [], 7) is None
    early = came_back_by([1.0, 7.0, 7.0], [True, False, False], 0.5)
    assert early is not None
    assert early.point == 0
    assert early.high > 0.5
