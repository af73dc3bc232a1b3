"""Means of ratings on a scale, with intervals."""

from __future__ import annotations

from math import exp, log, sqrt


def scale_interval(mean: float, variance: float, n: int, *, lowest: float, highest: float) -> tuple[float, float]:
    """The 95 % interval of a mean of n ratings with this sample variance, on a scale from `lowest` to `highest`.

    Made on the logit of the mean's place on the scale, with t and n - 1 degrees of freedom, since ratings crowd at an
    end: mean ± t s / √n held the truth in .77 to .92 of the draws where nine in ten gave the best rating (n of 10 to
    60), this in at least .94 (`tests/test_means.py`). A quarter of a rating at either end is added to the variance for
    what few ratings did not show; `stratified.weighted_mean` is the same in weights. At an end itself it is unbounded.
    """
    from scipy.special import stdtrit

    place = (mean - lowest) / (highest - lowest)
    if not 0 < place < 1:
        return lowest, highest
    ends = ((highest - mean) ** 2 + (mean - lowest) ** 2) / (4 * n**2)
    half = float(stdtrit(n - 1, 0.975)) * sqrt(variance / n + ends)
    half = min(50.0, half / (highest - lowest) / (place * (1 - place)))
    middle = log(place / (1 - place))
    low, high = (lowest + (highest - lowest) / (1 + exp(-(middle + step))) for step in (-half, half))
    return low, high
