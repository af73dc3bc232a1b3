"""Means of samples, with intervals."""

from __future__ import annotations

from math import sqrt


def t_interval(mean: float, variance: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a mean of n values with this sample variance: mean ± t sqrt(variance / n), n - 1 degrees."""
    from scipy.stats import t

    half = float(t.ppf(0.975, n - 1)) * sqrt(variance / n)
    return mean - half, mean + half
