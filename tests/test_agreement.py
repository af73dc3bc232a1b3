"""Agreement between reviewers: published answers, a second way to compute, and what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.statistics.agreement import (
    Answers,
    ac1_standard_error,
    between_reviewers,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    positive_agreement,
    raw_agreement,
    self_agreement,
)
from grader.statistics.figure import Figure
from grader.statistics.kappa import cohen_kappa, kappa_of_table, weighted_kappa


def table(a: int, b: int, c: int, d: int) -> list[tuple[str, str]]:
    """Both yes, yes and no, no and yes, both no."""
    return [("yes", "yes")] * a + [("yes", "no")] * b + [("no", "yes")] * c + [("no", "no")] * d


def ends(found: Figure) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


# K. Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C: four observers, twelve units.
FOUR = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
UNITS = list(zip(*[[None if x == "." else int(x) for x in row.split()] for row in FOUR], strict=True))


def test_alpha_with_gaps_is_krippendorffs() -> None:
    assert krippendorff_alpha(UNITS, seed=1).point == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(UNITS, seed=1, level="ordinal").point == pytest.approx(0.815, abs=5e-4)
    assert krippendorff_alpha(UNITS, seed=1, level="interval").point == pytest.approx(0.849, abs=5e-4)
    assert krippendorff_alpha(UNITS, seed=1, level="ratio").point == pytest.approx(0.797, abs=5e-4)


def test_ac1_with_gaps_is_gwets() -> None:
    found = gwet_ac1(UNITS)  # Gwet, Handbook of Inter-Rater Reliability: .77544, SE .14295, [.461, 1]
    assert found.point == pytest.approx(0.77544, abs=5e-6)
    assert ac1_standard_error(UNITS) == pytest.approx(0.14295, abs=5e-6)
    assert ends(found) == pytest.approx((0.46081, 1), abs=5e-6)


def test_kappa_is_cohens_and_a_skewed_code_shows_why_ac1_stands_beside_it() -> None:
    assert kappa_of_table([[20, 5], [10, 15]]).point == pytest.approx(0.4)  # (.7 - .5) / (1 - .5)
    skewed = table(118, 5, 2, 0)
    assert cohen_kappa(*zip(*skewed, strict=True)).point == pytest.approx(-0.0234, abs=5e-5)
    assert gwet_ac1(skewed).point == pytest.approx(0.9408, abs=5e-5)


def test_fleiss_kappa_is_his_own_example() -> None:
    """J. L. Fleiss (1971), ten subjects, fourteen raters, five categories: .210 (as tabled in many texts)."""
    counts = (
        "0 0 0 0 14", "0 2 6 4 2", "0 0 3 5 6", "0 3 9 2 0", "2 2 8 1 1", "7 7 0 0 0", "3 2 6 3 0", "2 5 3 2 2",
        "6 5 2 1 0", "0 2 2 3 7",
    )  # fmt: skip
    items = [[c for c, n in enumerate(map(int, row.split())) for _ in range(n)] for row in counts]
    assert fleiss_kappa(items) == pytest.approx(0.210, abs=5e-4)
    with pytest.raises(ValueError, match="equally many"):
        fleiss_kappa([(1, 2), (1, 1, 2)])
    assert fleiss_kappa([(1, 1)]) is None


@st.composite
def units(draw: st.DrawFn) -> list[list[int | None]]:
    answer = st.one_of(st.none(), st.integers(0, 3))
    return draw(st.lists(st.lists(answer, min_size=1, max_size=5), min_size=1, max_size=12))


def alpha_by_pairs(items: Sequence[Answers]) -> float | None:
    """1 - (mean disagreement of pairs within items, items of m answers weighing m) / (of all pairs of answers)."""
    kept = [[a for a in item if a is not None] for item in items]
    kept = [item for item in kept if len(item) > 1]
    pooled = [a for item in kept for a in item]
    if len(set(pooled)) < 2:
        return None
    within = sum(sum(a != b for a, b in permutations(item, 2)) / (len(item) - 1) for item in kept) / len(pooled)
    between = sum(a != b for a, b in permutations(pooled, 2)) / (len(pooled) * (len(pooled) - 1))
    return 1 - within / between


@settings(max_examples=100, deadline=None)
@given(units())
def test_alpha_is_what_pairs_counted_one_by_one_give(items: list[list[int | None]]) -> None:
    found = krippendorff_alpha(items, seed=1, resamples=100)
    wanted = alpha_by_pairs(items)
    if wanted is None:
        assert found.point is None
        assert found.reason
    else:
        assert found.point == pytest.approx(wanted)
    for other in (gwet_ac1(items), raw_agreement(items, seed=1), positive_agreement(items, 1, seed=1)):
        assert other.point is not None or other.reason


def test_a_seed_gives_one_interval_whatever_the_order() -> None:
    items = table(20, 4, 6, 70)
    first = krippendorff_alpha(items, seed=3)
    assert krippendorff_alpha(items[::-1], seed=3) == first
    assert krippendorff_alpha(items, seed=4) != first
    low, high = ends(first)
    assert 0.4 < low < 0.75 < high < 0.95


def test_positive_agreement_of_two_is_twice_the_common_ones_over_all() -> None:
    found = positive_agreement(table(12, 3, 5, 80), "yes", seed=1)
    assert found.point == pytest.approx(24 / 32)
    assert (found.n, found.of) == (12, 20)
    low, high = ends(found)
    # Wilson for 12 of 20 is .387 to .781; 2s / (1 + s) carries it over.
    assert (low, high) == pytest.approx((2 * 0.3866 / 1.3866, 2 * 0.7812 / 1.7812), abs=1e-4)
    three = positive_agreement([("y", "y", "n"), ("y", "y", "y"), ("n", "n", "n"), ("y", "n", None)], "y", seed=1)
    assert three.point == pytest.approx((2 + 6) / (4 + 6 + 1))


def test_weights_change_kappa_and_equal_weights_do_not() -> None:
    first, second = zip(*table(20, 5, 10, 15), strict=True)
    plain = cohen_kappa(first, second)
    same = weighted_kappa(first, second, [2.0] * 50, ["x"] * 50, seed=1)
    assert same.point == pytest.approx(plain.point)
    assert ends(same) == pytest.approx(ends(plain), abs=0.03)  # bootstrap beside Wald
    weights = [10.0 if b == "no" else 1.0 for b in second]
    # Cells 20, 50, 10, 150 of 230: po 170/230, pe (70·30 + 160·200)/230².
    pe = (70 * 30 + 160 * 200) / 230**2
    found = weighted_kappa(first, second, weights, list(second), seed=1)
    assert found.point == pytest.approx((170 / 230 - pe) / (1 - pe))
    with pytest.raises(ValueError, match="above 0"):
        weighted_kappa(first, second, [0.0] * 50, ["x"] * 50, seed=1)


def test_agreement_without_a_flaw_is_no_certainty() -> None:
    items = [(1, 1)] * 5 + [(0, 0)] * 45
    first, second = zip(*items, strict=True)
    found = [
        krippendorff_alpha(items, seed=1), gwet_ac1(items), gwet_ac1(items, seed=1), cohen_kappa(first, second),
        raw_agreement(items, seed=1), weighted_kappa(first, second, [3.0] * 50, ["x"] * 50, seed=1),
        positive_agreement(items, 1, seed=1),
    ]  # fmt: skip
    for figure in found:
        low, high = ends(figure)
        assert figure.point == high == 1
        assert 0 < low < 0.97, figure.method


def test_one_category_one_reviewer_and_no_overlap_are_none_with_a_sentence() -> None:
    same, apart = [("no", "no")] * 30, [("no", None), (None, "yes"), ("yes",)]
    for found in (krippendorff_alpha(same, seed=1), gwet_ac1(same), gwet_ac1(same, n_categories=2)):
        assert found.point is found.low is None
        assert found.reason.startswith("Every answer is the same")
        assert found.of == 30
    assert cohen_kappa(*zip(*same, strict=True)).reason.startswith("Every answer is the same")
    assert raw_agreement(same, seed=1).point == 1
    assert positive_agreement(same, "yes", seed=1).reason.startswith("No reviewer saw the code")
    for found in (
        krippendorff_alpha(apart, seed=1), gwet_ac1(apart), raw_agreement(apart, seed=1),
        positive_agreement(apart, "yes", seed=1), cohen_kappa(["no", None], [None, "yes"]),
        kappa_of_table([[0, 0], [0, 0]]), weighted_kappa(["no", None], [None, "yes"], [1, 1], ["", ""], seed=1),
    ):  # fmt: skip
        assert found.point is None
        assert found.reason.startswith("No item was answered by two reviewers")
    alone = between_reviewers([("yes",), ("no",), (None,)], "yes", n_reviewers=1, seed=1, twice=[("yes", "yes")])
    for found in (alone.alpha, alone.ac1, alone.raw, alone.positive):
        assert found.point is None
        assert "single-reviewer" in found.reason
    assert (alone.n_items, alone.n_overlap, alone.itself.point) == (2, 0, 1)


def test_agreement_with_oneself_has_wilsons_interval_and_none_without_duplicates() -> None:
    found = self_agreement([("yes", "yes")] * 18 + [("yes", "no")] * 2 + [("yes", None)])
    assert (found.n, found.of, found.point) == (18, 20, 0.9)
    assert ends(found) == pytest.approx((0.69897, 0.97213), abs=1e-5)
    assert self_agreement([]).point is None
    assert "answered an item twice" in self_agreement([(None, "yes")]).reason


def test_all_of_it_at_once() -> None:
    found = between_reviewers(table(12, 3, 5, 80), "yes", n_reviewers=2, seed=1, twice=[("no", "no")] * 9)
    assert (found.n_items, found.n_overlap) == (100, 100)
    assert found.raw.point == pytest.approx(0.92)
    assert found.alpha.point is not None
    assert found.ac1.point is not None
    assert found.alpha.point < found.ac1.point  # the skewed code
    assert found.itself.of == 9


def test_a_rare_answer_has_a_wide_interval_and_none_that_is_short() -> None:
    """Drawn from what was seen alone, 99 alike and one apart would give alpha 0 to 0."""
    low, high = ends(krippendorff_alpha([("no", "no")] * 99 + [("no", "yes")], seed=1))
    assert low < 0
    assert high > 0.3


def test_levels_with_distances_need_numbers() -> None:
    with pytest.raises(ValueError, match="needs numbers"):
        krippendorff_alpha([("a", "b")], seed=1, level="interval")
