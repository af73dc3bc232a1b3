"""Two versions on the same labels, and one version twice."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.statistics.paired import (
    Change,
    Crossed,
    Pair,
    compare,
    crossed_change,
    flip_bound,
    flip_rate,
    holm,
    mcnemar,
    power,
    tango,
    weighted_change,
)

sys.path.insert(0, str(REPOSITORY / "benchmarks"))

from coverage_counts import LEAST, SCORE, SHARES, WEIGHTED, changed, exact, weighted


def test_the_exact_test_of_paired_proportions_is_a_binomial_one() -> None:
    assert mcnemar(1, 8) == pytest.approx(2 * (1 + 9) / 2**9)
    assert mcnemar(150, 86) == pytest.approx(3.716e-5, abs=5e-9)  # Agresti, approval ratings; z² 17.36
    assert mcnemar(0, 0) == 1
    with pytest.raises(ValueError, match="negative"):
        mcnemar(-1, 2)


def test_p_of_many_are_adjusted_as_holm_does() -> None:
    # m = 4: 0.005·4, 0.01·3, then 0.03·2 and 0.04·1, which is no less than the one before it
    assert holm([0.03, 0.005, 0.04, 0.01]) == pytest.approx([0.06, 0.02, 0.06, 0.03])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_how_often_a_fall_is_found_is_exact() -> None:
    # Six pairs, all of which get worse: 2 / 2^6 < .05, so it is found when all six differ, and five are too few.
    assert power(6, 1.0, 0.5) == pytest.approx(0.5**6)
    assert power(5, 1.0, 0.0) == 0
    assert power(60, 0.9, 0.9, regained=0) == 0  # nothing ever differs
    # By hand for 7 pairs of which each gets worse with ½: found at 6 of 6 or 7 of 7.
    assert power(7, 1.0, 0.5) == pytest.approx(8 * 0.5**7)


@pytest.mark.parametrize(("n", "regained", "share"), [
    (30, None, 0.358), (60, None, 0.727), (100, None, 0.929),
    (30, 0.1, 0.531), (60, 0.1, 0.951), (100, 0.1, 0.999), (30, 0, 0.572), (60, 0, 0.988),
])  # fmt: skip
def test_the_power_of_golden_sets_is_what_a_simulation_finds(n: int, regained: float | None, share: float) -> None:
    assert power(n, 0.9, 0.7, regained=regained) == pytest.approx(share, abs=6e-4)
    better = 0.1 * (0.7 if regained is None else regained)
    rng = np.random.default_rng(n)
    drawn = rng.multinomial(n, [better, 0.2 + better, 0.8 - 2 * better], 4_000)
    found = np.mean([mcnemar(int(b), int(w)) < 0.05 and w > b for b, w, _ in drawn])
    assert found == pytest.approx(share, abs=4 * 0.5 / 4_000**0.5)


def test_the_score_interval_is_tangos() -> None:
    # T. Tango (1998), section 6.2 (Karacan et al.): 32 pairs, 9 and 3 discordant.
    assert tango(9, 3, 32) == pytest.approx((-0.027, 0.390), abs=5e-4)
    # Fagerland, Lydersen & Laake (2014), airway hyper-responsiveness: 21 pairs, 1 and 7.
    assert tango(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 300), st.data())
def test_the_score_interval_holds_its_point_is_a_mirror_and_never_collapses(n: int, data: st.DataObject) -> None:
    b = data.draw(st.integers(0, n))
    c = data.draw(st.integers(0, n - b))
    low, high = tango(b, c, n)
    assert -1 <= low <= (b - c) / n <= high <= 1
    assert high - low > 1 / n
    assert tango(c, b, n) == pytest.approx((-high, -low), abs=1e-6)
    least, most = tango(b, c, n, 1.6448536269514722)
    assert low - 1e-9 <= least <= most <= high + 1e-9


def test_pairs_that_cannot_be_are_refused() -> None:
    for counts in ((1, 1, 1), (0, 0, 0), (-1, 0, 5)):
        with pytest.raises(ValueError, match="no pairs"):
            tango(*counts)


def pairs(*rows: tuple[bool | None, bool, bool, int]) -> list[Pair]:
    return [Pair(truth, a, b) for truth, a, b, n in rows for _ in range(n)]


def test_positives_and_negatives_are_compared_apart() -> None:
    found = compare(
        pairs((True, True, True, 40), (True, False, True, 8), (True, True, False, 2), (True, False, False, 10),
              (False, True, True, 190), (False, True, False, 6), (False, False, True, 4)), seed=1,
    )  # fmt: skip
    se, sp = found.sensitivity, found.specificity
    assert (se.point, sp.point) == pytest.approx((0.1, -0.01))
    assert (se.n_better, se.n_worse, se.n) == (8, 2, 60)
    assert (sp.n_better, sp.n_worse, sp.n) == (4, 6, 200)
    assert se.p_exact == pytest.approx(0.109375)
    assert (se.low, se.high) == pytest.approx(tango(8, 2, 60))
    assert se.least is not None
    assert se.low is not None
    assert se.low < se.least < 0.1
    assert found.not_applicable.point is None
    assert "not applicable" in found.not_applicable.reason


def test_no_positives_is_none_with_a_sentence() -> None:
    found = compare(pairs((False, True, True, 5)), seed=1).sensitivity
    assert found.point is found.least is found.p_exact is None
    assert "No human-positive labels" in found.reason
    weighted = compare([Pair(False, True, True, 1.0), Pair(False, True, True, 2.0)], seed=1).sensitivity
    assert weighted.point is None
    assert "No human-positive labels" in weighted.reason


def test_a_label_counts_by_what_it_stands_for() -> None:
    few, many = {"weight": 2.0, "stratum": "flagged"}, {"weight": 40.0, "stratum": "clean"}
    rows = [Pair(False, False, True, **few)] * 30 + [Pair(False, True, True, **few)] * 70  # type: ignore[arg-type]
    rows += [Pair(False, True, False, **many)] * 2 + [Pair(False, True, True, **many)] * 98  # type: ignore[arg-type]
    found = compare(rows, seed=1).specificity
    assert found.point == pytest.approx((30 * 2 - 2 * 40) / (100 * 2 + 100 * 40))
    assert (found.n_better, found.n_worse) == (30, 2)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    assert compare(rows, seed=1) == compare(rows, seed=1)
    # A bootstrap that can only draw what it saw is sure of a stratum in which nothing changed.
    same = [Pair(True, True, True, **few)] * 40 + [Pair(True, True, True, **many)] * 40  # type: ignore[arg-type]
    sure = weighted_change(same, True, "", seed=1, resampling="multinomial")
    careful = weighted_change(same, True, "", seed=1)
    assert (sure.low, sure.high) == (0, 0)
    assert careful.low is not None
    assert careful.high is not None
    assert careful.low < -0.005
    assert careful.high > 0.005
    with pytest.raises(ValueError, match="above 0"):
        weighted_change([Pair(True, True, True, -1.0)], True, "", seed=1)


def test_both_verdicts_as_strata_give_the_same_point_and_a_narrower_interval() -> None:
    cells = [
        Crossed(True, True, 300, 50, 12), Crossed(True, False, 100, 8, 12), Crossed(False, True, 50, 6, 4),
        Crossed(False, False, 4550, 2, 106),
    ]  # fmt: skip
    se, sp = crossed_change(cells, seed=1)
    positives = 300 * 50 / 62 + 100 * 8 / 20 + 50 * 6 / 10 + 4550 * 2 / 108
    assert se.point == pytest.approx((30 - 40) / positives)
    assert (se.n_better, se.n_worse, se.n) == (6, 8, 66)
    assert sp.point == pytest.approx((100 * 12 / 20 - 50 * 4 / 10) / (5000 - positives))
    rows = []
    for c in cells:
        w = c.n_population / (c.n_fires + c.n_clean)
        rows += [Pair(True, c.a_fires, c.b_fires, w, str(c))] * c.n_fires
        rows += [Pair(False, not c.a_fires, not c.b_fires, w, str(c))] * c.n_clean
    other = compare(rows, seed=1).specificity
    assert other.point == pytest.approx(sp.point)
    assert width(sp) < width(other)
    assert [x.point for x in crossed_change([], seed=1)] == [None, None]
    with pytest.raises(ValueError, match="no stratum"):
        Crossed(True, True, 3, 2, 2)


def width(change: Change) -> float:
    assert change.low is not None
    assert change.high is not None
    return change.high - change.low


def test_intervals_of_a_change_hold_the_truth() -> None:
    """200 repetitions; a true .95 falls below .91 in one of 100, and the seed is fixed."""
    rng = np.random.default_rng(5)
    held = [0, 0, 0]
    for repeat in range(200):
        y = rng.random(3000) < 0.1
        a = np.where(y, rng.random(3000) < 0.7, rng.random(3000) < 0.05)
        again = rng.random(3000) < 0.6  # B answers anew in two of five
        b = np.where(again, a, np.where(y, rng.random(3000) < 0.9, rng.random(3000) < 0.02))
        truth = 0.4 * (0.9 - 0.7)
        drawn = np.concatenate(
            [rng.choice(np.flatnonzero(a == side), n, replace=False) for side, n in ((1, 90), (0, 210))]
        )
        rows = [
            Pair(
                bool(y[i]),
                bool(a[i] == y[i]),
                bool(b[i] == y[i]),
                float((a == a[i]).sum() / (90 if a[i] else 210)),
                bool(a[i]),
            )
            for i in drawn
        ]
        cells = []
        for va in (True, False):
            for vb in (True, False):
                inside = (a == va) & (b == vb)
                mine = drawn[inside[drawn]]
                cells.append(Crossed(va, vb, int(inside.sum()), int(y[mine].sum()), int((~y[mine]).sum())))
        srs = rng.choice(3000, 300, replace=False)
        plain = compare([Pair(bool(y[i]), bool(a[i] == y[i]), bool(b[i] == y[i])) for i in srs], seed=repeat)
        for k, found in enumerate((
            compare(rows, seed=repeat, draws=1000).sensitivity, crossed_change(cells, seed=repeat, draws=1000)[0],
            plain.sensitivity,
        )):  # fmt: skip
            assert found.low is not None
            assert found.high is not None
            held[k] += found.low <= truth <= found.high
    assert min(held) / 200 >= 0.91, held


def test_flips_are_pairs_of_runs_that_differ_and_a_missing_verdict_is_no_answer() -> None:
    found = flip_rate([("a", "a")] * 97 + [("a", "b")] * 2 + [("a", None)] + [("a",)])
    assert (found.rate.n, found.rate.of, found.n_once) == (2, 99, 2)
    assert found.rate.point == pytest.approx(2 / 99)
    three = flip_rate([("a", "a", "b")] + [("a", "a", "a")] * 9)
    assert three.rate.point == pytest.approx(2 / 3 / 10)
    assert three.rate.low is not None
    assert three.rate.high is not None
    assert 0 < three.rate.low < 2 / 30 < three.rate.high < 0.5
    never = flip_rate([("a", None), ()])
    assert never.rate.point is None
    assert "judged twice" in never.rate.reason
    assert flip_bound(never) == 1
    assert flip_rate([("a", "a")] * 200).rate.high == pytest.approx(0.0189, abs=5e-4)


# ── coverage; all settings are in benchmarks/coverage_counts.py ──


def test_intervals_of_plain_shares_hold_the_truth_but_for_their_known_dips() -> None:
    for figure, asked in SHARES.values():
        held = [exact(n, share, figure) for share, n in asked if n <= 200]
        assert min(held, default=1.0) >= SCORE, held
    assert exact(1_000, 0.2, SHARES["raw rate"][0]) >= LEAST
    both, least, most = changed(60, 0.1, 0.05)
    assert min(both, least, most) >= 0.93


def test_bounds_of_a_weighted_change_hold_and_without_what_is_added_they_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def held() -> dict[str, float]:
        return weighted(np.random.default_rng(1), *WEIGHTED[0], 150, 300)

    assert min(held().values()) >= 0.91  # 150 repetitions of a true .955 fall below in one of a hundred tries
    monkeypatch.setattr("grader.statistics.paired.ADDED", 1e-9)
    assert held()["its upper bound"] < 0.9
