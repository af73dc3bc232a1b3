"""Means of samples, with intervals, and whether two of them differ."""

from __future__ import annotations

from math import sqrt


def t_interval(mean: float, variance: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a mean of n values with this sample variance: mean ± t sqrt(variance / n), n - 1 degrees."""
    from scipy.stats import t

    half = float(t.ppf(0.975, n - 1)) * sqrt(variance / n)
    return mean - half, mean + half


def welch(first: tuple[float, float, int], second: tuple[float, float, int]) -> tuple[float, float, float, float]:
    """(difference, low, high, p) of two means, each as (mean, sample variance, n); the variances may differ.

    B. L. Welch (1947), Biometrika 34:28, with the degrees of freedom of Satterthwaite. At least one variance is above
    0.
    """
    from scipy.stats import t

    (m1, v1, n1), (m2, v2, n2) = first, second
    e1, e2 = v1 / n1, v2 / n2
    error = sqrt(e1 + e2)
    degrees = (e1 + e2) ** 2 / (e1**2 / (n1 - 1) + e2**2 / (n2 - 1))
    half = float(t.ppf(0.975, degrees)) * error
    difference = m1 - m2
    p = 2 * float(t.sf(abs(difference) / error, degrees))
    return difference, difference - half, difference + half, p
