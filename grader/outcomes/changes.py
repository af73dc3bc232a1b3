"""Whether a figure changed beyond noise: two readings of it, with intervals, and many such questions at once.

A difference has the interval that the intervals of both sides give (MOVER: G. Y. Zou and A. Donner 2008, Stat. Med.
27:1693; for two shares with Wilson's intervals this is Newcombe's method 10). What is not known is put against the
change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, hypot, sqrt

from grader.outcomes.metrics import Metrics
from grader.outcomes.share import Z95, Bounds, Mean, Share, wilson
from grader.statistics.association import benjamini_hochberg
from grader.statistics.stratified import Estimate

FEWEST = 10  # of the denominator, on each side, for a change to be told


@dataclass(frozen=True, slots=True)
class Point:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure of some period: as low and as high as it may be, where a part is not known. `n` of `of`; for a mean `of`
    are those that could have rated. `scale`: rate, mean.
    """

    lowest: Point
    highest: Point
    n: int
    of: int
    n_unknown: int = 0
    scale: str = "rate"
    weighted: bool = False

    @property
    def bounded(self) -> bool:
        """There is an interval: a mean of few ratings, or of ratings that are all the same, has the whole scale."""
        return self.scale != "mean" or (self.lowest.low, self.highest.high) != (1.0, 5.0)

    @property
    def size(self) -> int:
        """How many it rests on."""
        return self.n if self.scale == "mean" else self.of


@dataclass(frozen=True, slots=True)
class Change:
    """From one reading to another: between `low` and `high`, in the figure's own unit. `direction` is up, down, or none
    where the change may be noise; `p_adjusted` counts all questions that were asked with it.
    """

    point: float
    low: float
    high: float
    p: float
    p_adjusted: float | None = None

    @property
    def direction(self) -> str:
        """Beyond noise: after the adjustment for all the other questions, at 5 %."""
        p = self.p if self.p_adjusted is None else self.p_adjusted
        return "none" if p >= 0.05 else "up" if self.point > 0 else "down"


def of_share(share: Share) -> Reading | None:
    """None of nothing."""
    if share.rate is None or share.interval is None:
        return None
    point = Point(share.rate, *share.interval)
    return Reading(point, point, share.n, share.of)


def of_bounds(bounds: Bounds) -> Reading | None:
    """Both ends, where a part is not known."""
    if not bounds.of:
        return None
    low, high = (Point(s.n / s.of, *wilson(s.n, s.of)) for s in (bounds.low, bounds.high))
    return Reading(low, high, bounds.n, bounds.of, bounds.n_unknown)


def of_mean(mean: Mean, asked: int) -> Reading | None:
    """`asked`: how many could have rated. Without an interval (few ratings, or all the same) it is the whole scale."""
    if mean.value is None:
        return None
    point = Point(mean.value, *(mean.interval or (1.0, 5.0)))
    return Reading(point, point, mean.n, asked, scale="mean")


def of_estimate(estimate: Estimate | None) -> Reading | None:
    """A rate of verdicts."""
    if estimate is None:
        return None
    point = Point(estimate.point, estimate.low, estimate.high)
    return Reading(point, point, estimate.n, estimate.of, weighted=estimate.method != "Wilson")


def of_readable(m: Metrics, figure: str) -> Reading | None:
    """A figure of episodes by its name in `RATES`, or csat_ai, csat_human."""
    if figure == "csat_ai":
        return of_mean(m.csat_ai, m.csat_response_ai.of)
    if figure == "csat_human":
        return of_mean(m.csat_human, m.csat_response_human.of)
    rate = m.rate(figure)
    return of_bounds(rate) if isinstance(rate, Bounds) else of_share(rate)


def change(before: Reading | None, now: Reading | None) -> Change | None:
    """None where either is not there or rests on fewer than `FEWEST`."""
    if before is None or now is None or min(before.size, now.size) < FEWEST:
        return None
    least = now.lowest.value - before.highest.value  # if all that is not known is against a rise
    most = now.highest.value - before.lowest.value
    low = least - hypot(now.lowest.value - now.lowest.low, before.highest.high - before.highest.value)
    high = most + hypot(now.highest.high - now.highest.value, before.lowest.value - before.lowest.low)
    # How far the interval would have to be stretched to reach 0, in its own half-widths.
    if least > 0:
        z = Z95 * least / (least - low) if least > low else float("inf")
    elif most < 0:
        z = Z95 * -most / (high - most) if high > most else float("inf")
    else:
        z = 0.0
    point = (least + most) / 2
    return Change(point, low, high, erfc(z / sqrt(2)))


def adjusted(changes: Sequence[Change | None]) -> list[Change | None]:
    """The same, each with its p for all that were asked (Benjamini and Hochberg)."""
    told = [c for c in changes if c is not None]
    found = iter(benjamini_hochberg([c.p for c in told]))
    return [None if c is None else Change(c.point, c.low, c.high, c.p, next(found)) for c in changes]
