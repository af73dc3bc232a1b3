"""The interval of a mean of ratings holds the truth, also where nearly all give the best one."""

from __future__ import annotations

import numpy as np
import pytest

from grader.outcomes.share import Mean
from grader.statistics.means import scale_interval
from grader.statistics.stratified import Rated, weighted_mean

CROWDED = ([0.02, 0.02, 0.03, 0.13, 0.8], [0.03, 0, 0, 0.07, 0.9], [0.1, 0.1, 0.2, 0.3, 0.3], [0.85, 0.1, 0, 0, 0.05])


@pytest.mark.parametrize("n", [10, 30, 60])
@pytest.mark.parametrize("chances", CROWDED)
def test_the_interval_of_a_mean_rating_holds_the_truth(chances: list[float], n: int) -> None:
    rng = np.random.default_rng(n)
    truth = sum(rating * chance for rating, chance in enumerate(chances, 1))
    held = told = 0
    for ratings in rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], (2_000, n), p=chances):
        ends = Mean(n, float(ratings.sum()), float((ratings**2).sum())).interval
        if ends is not None:
            told += 1
            held += ends[0] <= truth <= ends[1]
    assert held / told >= 0.925  # .935 less what 1,000 to 2,000 draws leave open


def test_it_stays_within_the_scale_and_is_that_of_one_stratum() -> None:
    ratings = [5.0] * 18 + [4.0, 1.0]
    mean = Mean(20, sum(ratings), sum(r * r for r in ratings))
    assert mean.interval is not None
    low, high = mean.interval
    assert 1 < low < 4.75 < high < 5
    squares = sum(r * r for r in ratings)
    whole = weighted_mean([Rated(20, 20, 20, sum(ratings), squares)], lowest=1, highest=5)
    assert whole is not None
    assert (whole.low, whole.high) == pytest.approx((low, high))
    assert scale_interval(5.0, 0.0, 20, lowest=1, highest=5) == (1, 5)
