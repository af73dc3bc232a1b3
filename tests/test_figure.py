"""A figure and the intervals of one proportion."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.statistics.figure import (
    Figure,
    at_most,
    audit_of,
    jeffreys,
    proportion,
    recall_audit,
    stratified_audit,
    undefined,
)


def test_a_figure_is_no_nan_and_says_why_it_is_not_there() -> None:
    bad = ((math.nan, 0, 1), (0.5, math.nan, 1), (0.5, 0, math.inf), (0.5, None, 1), (0.5, 0.6, 0.7))
    for point, low, high in bad:
        with pytest.raises(ValueError, match=r"no figure|interval"):
            Figure(point, low, high, 1, 2, "")
    with pytest.raises(ValueError, match="says why"):
        undefined("", "")
    assert undefined("because", "x").width is None


def test_intervals_of_one_proportion_are_the_published_ones() -> None:
    found = proportion(81, 263, "")  # Newcombe (1998), Stat. Med. 17:857, table I, method 3
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert jeffreys(0, 100)[1] == pytest.approx(0.025, abs=5e-4)
    assert jeffreys(0, 0) == (0, 1)
    assert at_most(0, 120) == pytest.approx(1 - 0.05 ** (1 / 120))
    assert proportion(0, 0, "Nothing.") == Figure(None, 0, 1, 0, 0, "Wilson", "Nothing.")
    for counts in ((3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="no count"):
            proportion(*counts, "")
        with pytest.raises(ValueError, match="no count"):
            at_most(*counts)


@given(st.integers(1, 500), st.data())
def test_a_bound_holds_the_share_and_falls_with_more_labels(of: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, of))
    low, high = jeffreys(n, of)
    assert low <= n / of <= high
    assert n / of < at_most(n, of) <= at_most(n, of, 0.975) or n == of
    assert at_most(n, of + 1) < at_most(n, of) or n == of


def test_a_rate_of_zero_says_what_the_audit_can_exclude() -> None:
    found = recall_audit(0, 120, 4_800)
    assert found.at_most == pytest.approx(0.0247, abs=5e-5)
    assert found.high == pytest.approx(0.0303, abs=5e-5)
    assert "none had it: at most 2.5 % of the 4,800" in found.sentence
    assert "one-sided 95 % bound, Clopper-Pearson; two-sided 3.0 %" in found.sentence
    assert "3 had it" in recall_audit(3, 120, 4_800).sentence
    nothing = recall_audit(0, 0, 4_800)
    assert (nothing.at_most, nothing.high) == (1, 1)
    assert "Nobody reviewed" in nothing.sentence
    with pytest.raises(ValueError, match="no audit"):
        recall_audit(0, 5, 4)


def test_an_audit_of_several_strata_counts_what_any_of_them_shows() -> None:
    """None of 120 in the 850 of the first, 9 of 20 in the 100 of the second: 9 / 20 × 100 / 950 = 4.7 % is seen."""
    found = stratified_audit([(0, 120, 850), (9, 20, 100)])
    assert (found.n_missed, found.n_reviewed, found.n_clean) == (9, 140, 950)
    assert 9 / 20 * 100 / 950 < found.at_most < found.high < 0.1
    assert "9 had it" in found.sentence
    assert "weighted by stratum" in found.sentence
    assert audit_of(9, 140, 950, found.at_most, found.high) == found
    # None at all: no less than if all were one sample in proportion, for misses may stand in either.
    assert stratified_audit([(0, 100, 500), (0, 100, 500)]).at_most >= recall_audit(0, 200, 1_000).at_most
    # Who was not looked at may have it.
    assert stratified_audit([(0, 100, 900), (0, 0, 100)]).at_most > 0.1
    assert stratified_audit([]) == recall_audit(0, 0, 0)
