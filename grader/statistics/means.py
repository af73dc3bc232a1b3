"""Means of samples, with intervals."""

from __future__ import annotations

from math import sqrt


def t_interval(mean: float, variance: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a mean of n values with this sample variance: mean ± t sqrt(variance / n), n - 1 degrees."""
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975)) * sqrt(variance / n)
    return mean - half, mean + half
