"""Figures of a population from a sample drawn with unequal chances: strata in, an estimate with its interval out.

A stratum is a part of the population from which every member was drawn with the same chance. Its share of the
population is known, so a part that was drawn more often counts no more than it is there. A sample is one of a process,
not of a finite list, so that a census has an interval as well. Pure; no database here. `benchmarks/coverage_sample.py`
measures how often the intervals hold the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, sqrt
from typing import Protocol, Self, TypeVar

Z95 = 1.959963984540054  # the 97.5 % point of the normal distribution
FEWEST = 10  # of the denominator; with fewer, an estimate says little
ALIKE = 1.25  # strata whose weights differ by no more than this factor count as one for the interval


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

    def __add__(self, other: Stratum) -> Stratum:
        return Stratum(
            self.n_population + other.n_population, self.n_drawn + other.n_drawn, self.n + other.n, self.of + other.of
        )


@dataclass(frozen=True, slots=True)
class Rated:
    """`of` ratings with their sum and the sum of their squares, among `n_drawn` that were drawn of `n_population`."""

    n_population: float
    n_drawn: int
    of: int
    total: float
    squares: float

    def __post_init__(self) -> None:
        if not (0 <= self.of <= self.n_drawn <= self.n_population * (1 + 1e-9)):
            raise ValueError(f"no stratum of counts: {self}")

    def __add__(self, other: Rated) -> Rated:
        return Rated(
            self.n_population + other.n_population, self.n_drawn + other.n_drawn, self.of + other.of,
            self.total + other.total, self.squares + other.squares,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate in [0, 1] with its 95 % interval. `n` of `of` are what was counted, without weights."""

    point: float
    low: float
    high: float
    n: int
    of: int
    method: str


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its 95 % interval, from `of` ratings."""

    point: float
    low: float
    high: float
    of: int
    method: str


def weighted_rate(strata: Sequence[Stratum]) -> Estimate | None:
    """The rate in the population: sum of W_h n_h / sum of W_h of_h, W_h = n_population / n_drawn. None of nothing.

    Interval: with v_h the share of the denominator that stratum h makes up, p_h = n/of, and [l_h, u_h] its own
    interval, MOVER (Zou & Donner 2008, Stat. Med. 27:1693) gives
    low = p - sqrt(Σ v_h² (p_h - l_h)² + z² V), high = p + sqrt(Σ v_h² (u_h - p_h)² + z² V). V is the variance that
    comes from not knowing the v_h: d_h = of/n_drawn is a rate too, and its variance is taken at (of + ½)/(n_drawn + 1).

    [l_h, u_h] is Clopper and Pearson's: with Jeffreys' interval some rates were covered in .90 to .93 of the draws,
    for 4 % less width. For the interval, strata of like weights are one: of many small ones each adds as if it alone
    could hold all that was not seen. What stratification gains is left out with it.
    """
    told = [s for s in strata if s.n_drawn]
    size = sum(s.n_population * s.of / s.n_drawn for s in told)
    if not size:
        return None
    total = sum(s.n_population for s in told)
    point = sum(s.n_population * s.n / s.n_drawn for s in told) / size
    below = above = unknown = 0.0
    for s in alike(told, lambda s: s.n_population / s.n_drawn):
        weight = s.n_population * s.of / s.n_drawn / size
        p = s.n / s.of if s.of else 0.5
        low, high = _own_interval(s.n, s.of)
        below += (weight * (p - low)) ** 2
        above += (weight * (high - p)) ** 2
        inside = (s.of + 0.5) / (s.n_drawn + 1)
        spread = inside * (1 - inside) / s.n_drawn if s.of < s.n_drawn else 0.0
        unknown += (s.n_population / size * (p - point)) ** 2 * spread
        unknown += s.n_population / total * (p - point) ** 2 / total  # the share of a stratum in the process
    n, of = sum(s.n for s in told), sum(s.of for s in told)
    # What was seen is there: with any yes the rate is not 0, with any no not 1.
    low = max(n / total, point - sqrt(below + Z95**2 * unknown))
    high = min(1 - (of - n) / total, point + sqrt(above + Z95**2 * unknown))
    return Estimate(point, low, high, n, of, "weighted by strata, MOVER")


@lru_cache(maxsize=10_000)
def _own_interval(n: int, of: int) -> tuple[float, float]:
    """Of one stratum alone; [0, 1] of nothing."""
    from scipy.special import betaincinv

    low = float(betaincinv(n, of - n + 1, 0.025)) if n else 0.0
    high = float(betaincinv(n + 1, of - n, 0.975)) if n < of else 1.0
    return low, high


def weighted_mean(strata: Sequence[Rated], *, lowest: float, highest: float) -> Mean | None:
    """The mean rating in the population, on a scale from `lowest` to `highest`. None of nothing.

    m = Σ W_h total_h / Σ W_h of_h. Its variance is the linearised one of a ratio (Särndal, Swensson & Wretman 1992,
    5.6): Σ N_h² s_h² / n_h over (Σ W_h of_h)², s_h² the variance of (y - m) for who rated and 0 for who did not. The
    interval is made on the logit of m's place on the scale, with t and Satterthwaite's degrees of freedom, since
    ratings crowd at an end: m ± t SE held the truth in .82 to .95 of the draws. A quarter of a rating at either end,
    of the largest weight, is added to the variance for what few ratings did not show.
    """
    told = [s for s in strata if s.n_drawn]
    size = sum(s.n_population / s.n_drawn * s.of for s in told)
    if not size:
        return None
    point = sum(s.n_population / s.n_drawn * s.total for s in told) / size
    of = sum(s.of for s in told)
    method = "weighted by strata, linearised, logit"
    place = (point - lowest) / (highest - lowest)
    groups = alike(told, lambda s: s.n_population / s.n_drawn)
    if not 1e-12 < place < 1 - 1e-12:  # all at one end: as for a rate of 0, of so many as the weights leave
        effective = size**2 / sum((s.n_population / s.n_drawn) ** 2 * s.of for s in groups)
        reach = (highest - lowest) * (1 - 0.025 ** (1 / effective))
        low, high = (lowest, lowest + reach) if place < 0.5 else (highest - reach, highest)
        return Mean(point, low, high, of, method)
    parts = []
    for s in groups:
        squares = max(0.0, s.squares - 2 * point * s.total + s.of * point**2)
        if s.n_drawn > 1:
            squares = max(0.0, squares - (s.total - s.of * point) ** 2 / s.n_drawn) / (s.n_drawn - 1)
        parts.append((s.n_population**2 * squares / s.n_drawn / size**2, max(1, s.of - 1)))
    variance = sum(v for v, _ in parts)
    lost = sum(v**2 / df for v, df in parts)
    largest = max(s.n_population / s.n_drawn for s in groups if s.of)
    ends = (largest / size) ** 2 / 4 * ((highest - point) ** 2 + (point - lowest) ** 2)
    half = t975(max(1.0, variance**2 / lost) if lost else 1.0) * sqrt(variance + ends)
    half = min(50.0, half / (highest - lowest) / (place * (1 - place)))
    middle = log(place / (1 - place))
    low, high = (lowest + (highest - lowest) / (1 + exp(-(middle + step))) for step in (-half, half))
    return Mean(point, low, high, of, method)


def t975(df: float) -> float:
    """The 97.5 % point of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.975))


class Weighed(Protocol):
    """Counts of a stratum, to which those of another can be added."""

    def __add__(self, other: Self, /) -> Self: ...


_S = TypeVar("_S", bound=Weighed)


def alike(strata: Sequence[_S], weight: Callable[[_S], float]) -> list[_S]:
    """Strata of like weights (within ALIKE) as one, from the least weight up."""
    found: list[_S] = []
    least = 0.0
    for s in sorted(strata, key=weight):
        if found and weight(s) <= least * ALIKE:
            found[-1] = found[-1] + s
        else:
            found.append(s)
            least = weight(s)
    return found
