"""How many came back by some day, where many have not been watched that long yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cumulative:
    """The share that came back by a day, in [0, 1], with its 95 % interval. `n_watched`: still under watch that day."""

    day: float
    point: float
    low: float
    high: float
    n: int
    n_watched: int


def came_back_by(days: Sequence[float], came_back: Sequence[bool], day: float) -> Cumulative | None:
    """1 - S(day) by Kaplan & Meier (1958), J. Am. Stat. Assoc. 53:457, with the log-log interval, by scipy.

    `days`: until the customer came back, or until watching ended. None where nobody was watched; nothing is said beyond
    the last day that anybody was watched (`day` later than that gives None).
    """
    if len(days) != len(came_back):
        raise ValueError("a time for each")
    if not days or day > max(days):
        return None
    import warnings

    from scipy.stats import CensoredData, ecdf

    events = [t for t, event in zip(days, came_back, strict=True) if event]
    watched = [t for t, event in zip(days, came_back, strict=True) if not event]
    n_watched = sum(t >= day for t in days)
    if not events:
        return Cumulative(day, 0.0, 0.0, _none_of(n_watched), len(days), n_watched)
    survival = ecdf(CensoredData(uncensored=events, right=watched)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the interval is not defined before the first event
        interval: Any = survival.confidence_interval(
            0.95, method="log-log"
        )  # its ends are curves, whatever the stubs say
    left, most, least = (float(curve.evaluate([day])[0]) for curve in (survival, interval.high, interval.low))
    point, low, high = 1 - left, 1 - most, 1 - least
    if point == 0:
        low, high = 0.0, _none_of(n_watched)
    elif low != low or high != high:  # everybody came back: NaN
        low, high = 0.0, 1.0
    return Cumulative(day, point, low, high, len(days), n_watched)


def _none_of(n: int) -> float:
    """The upper 97.5 % bound where none of n who were watched for the whole time came back (Clopper & Pearson)."""
    return float(1 - 0.025 ** (1 / n)) if n else 1.0
