"""A rate of a population from a sample drawn with unequal chances: strata in, an estimate with its interval out.

A stratum is a part of the population from which every member was drawn with the same chance. Its share of the
population is known, so a part that was drawn more often counts no more than it is there. Pure; no database here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054  # the 97.5 % point of the normal distribution
FEWEST = 10  # of the denominator; with fewer, an estimate says little


@dataclass(frozen=True, slots=True)
class Stratum:
    """`n` of `of` in the figure's denominator, among `n_drawn` that were drawn of `n_population`.

    Who was drawn and stands in no denominator (not applicable, not judged) is `n_drawn - of`.
    """

    n_population: float
    n_drawn: int
    n: int
    of: int

    def __post_init__(self) -> None:
        if not (0 <= self.n <= self.of <= self.n_drawn <= self.n_population * (1 + 1e-9)):
            raise ValueError(f"no stratum of counts: {self}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate in [0, 1] with its 95 % interval. `n` of `of` are what was counted, without weights."""

    point: float
    low: float
    high: float
    n: int
    of: int
    method: str


def weighted_rate(strata: Sequence[Stratum]) -> Estimate | None:
    """The rate in the population: sum of W_h n_h / sum of W_h of_h, W_h = n_population / n_drawn. None of nothing.

    Interval: with v_h the share of the denominator that stratum h makes up, p_h = n/of, and [l_h, u_h] its Jeffreys
    interval (0 at n = 0, 1 at n = of), MOVER (Zou & Donner 2008, Stat. Med. 27:1693) gives
    low = p - sqrt(Σ v_h² (p_h - l_h)² + z² V), high = p + sqrt(Σ v_h² (u_h - p_h)² + z² V). V is the variance that
    comes from not knowing the v_h: d_h = of/n_drawn is a rate too, and its variance is taken at (of + ½)/(n_drawn + 1).
    A sample is one of a process, not of a finite list, so that a census has an interval as well.
    """
    told = [s for s in strata if s.n_drawn]
    total = sum(s.n_population for s in told)
    size = sum(s.n_population * s.of / s.n_drawn for s in told)
    if not size:
        return None
    from scipy.stats import beta

    point = sum(s.n_population * s.n / s.n_drawn for s in told) / size
    below = above = unknown = 0.0
    for s in told:
        weight = s.n_population * s.of / s.n_drawn / size
        p = s.n / s.of if s.of else 0.5
        low = float(beta.ppf(0.025, s.n + 0.5, s.of - s.n + 0.5)) if s.n else 0.0
        high = float(beta.ppf(0.975, s.n + 0.5, s.of - s.n + 0.5)) if s.n < s.of else 1.0
        below += (weight * (p - low)) ** 2
        above += (weight * (high - p)) ** 2
        inside = (s.of + 0.5) / (s.n_drawn + 1)
        spread = inside * (1 - inside) / s.n_drawn if s.of < s.n_drawn else 0.0
        unknown += (s.n_population / size * (p - point)) ** 2 * spread
        unknown += s.n_population / total * (p - point) ** 2 / total  # the share of a stratum in the process
    n, of = sum(s.n for s in told), sum(s.of for s in told)
    low = 0.0 if n == 0 else max(0.0, point - sqrt(below + Z95**2 * unknown))
    high = 1.0 if n == of else min(1.0, point + sqrt(above + Z95**2 * unknown))
    return Estimate(point, low, high, n, of, "stratified, MOVER-Jeffreys")
