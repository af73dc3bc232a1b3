"""One figure with its interval, or the sentence that says why there is none; and the intervals of a single proportion.

What cannot be told is None with a reason: never NaN, never a 0 or 1 that nobody measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, sqrt

from grader.language import _, numerals

Z95 = 1.959963984540054  # the 97.5 % point of the normal distribution
Z95_ONE_SIDED = 1.6448536269514722  # its 95 % point
WILSON = "Wilson"  # the method of a plain share, n of `of`


@dataclass(frozen=True, slots=True)
class Figure:
    """A point with its 95 % interval, from `n` of `of` that were counted without weights.

    `point` None has a `reason`, a sentence for people; its interval may be there all the same (0 to 1: nothing is
    known). A `reason` beside a point says why the figure is to be read with care.
    """

    point: float | None
    low: float | None
    high: float | None
    n: int
    of: int
    method: str
    reason: str = ""

    def __post_init__(self) -> None:
        if any(x is not None and not isfinite(x) for x in (self.point, self.low, self.high)):
            raise ValueError(f"no figure: {self}")
        if self.point is None and not self.reason:
            raise ValueError("a figure that is not there says why")
        if (self.low is None) != (self.high is None):
            raise ValueError(f"an interval has two ends: {self}")
        ends = [x for x in (self.low, self.point, self.high) if x is not None]
        if any(a > b + 1e-9 for a, b in pairwise(ends)):
            raise ValueError(f"an interval holds its point: {self}")

    @property
    def weighted(self) -> bool:
        """The point is not simply n / of."""
        return self.point is not None and self.method != WILSON

    @property
    def width(self) -> float | None:
        """From end to end, None without an interval."""
        return None if self.low is None or self.high is None else self.high - self.low


def undefined(reason: str, method: str, *, n: int = 0, of: int = 0) -> Figure:
    """A figure that is not there."""
    return Figure(None, None, None, n, of, method, reason)


def wilson(n: float, of: float, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval for n of `of`: (p + z²/2N ± z √(p(1-p)/N + z²/4N²)) / (1 + z²/N).

    E. B. Wilson (1927), J. Am. Stat. Assoc. 22:209; method 3 in R. G. Newcombe (1998), Stat. Med. 17:857. It holds for
    a simple random sample. Nothing of nothing gives (0, 1): nothing is known.
    """
    if of == 0:
        return 0.0, 1.0
    middle = n + z * z / 2
    half = z * sqrt(n * (of - n) / of + z * z / 4)
    low = 0.0 if n == 0 else (middle - half) / (of + z * z)
    high = 1.0 if n == of else (middle + half) / (of + z * z)
    return low, high


def jeffreys(n: int, of: int, confidence: float = 0.95, *, lean: float = 0.0) -> tuple[float, float]:
    """The Jeffreys interval: tails of Beta(n + ½, of - n + ½); 0 where n is 0, 1 where n is `of`, (0, 1) of nothing.

    L. D. Brown, T. T. Cai & A. DasGupta (2001), Stat. Sci. 16:101. `lean` labels are moved outwards at either end: with
    ½ it is the interval of Clopper and Pearson.
    """
    if of == 0:
        return 0.0, 1.0
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = 0.0 if n == 0 else float(betaincinv(n + 0.5 - lean, of - n + 0.5 + lean, tail))
    high = 1.0 if n == of else float(betaincinv(n + 0.5 + lean, of - n + 0.5 - lean, 1 - tail))
    return low, high


def at_most(n: int, of: int, confidence: float = 0.95) -> float:
    """The one-sided upper bound of Clopper & Pearson (1934), Biometrika 26:404; for none of N, 1 - (1 - c)^(1/N)."""
    if not 0 <= n <= of:
        raise ValueError(f"no count: {n} of {of}")
    if n == of:
        return 1.0
    from scipy.special import betaincinv

    return float(betaincinv(n + 1, of - n, confidence))


def proportion(n: int, of: int, nothing: str) -> Figure:
    """n of `of` of a simple random sample, with Wilson's interval; `nothing` is said where `of` is 0."""
    if not 0 <= n <= of:
        raise ValueError(f"no count: {n} of {of}")
    low, high = wilson(n, of)
    return Figure(n / of if of else None, low, high, n, of, WILSON, "" if of else nothing)


def percent(rate: float | None) -> str:
    """A rate as text with one decimal, as the language writes it. Only an exact 0 or 1 is written 0 % or 100 %; None is
    written as a dash.
    """
    if rate is None:
        return "–"
    if rate in (0, 1):
        return f"{rate * 100:.0f} %"
    shown = f"{rate * 100:.1f}"
    return numerals({"0.0": "<0.1 %", "100.0": ">99.9 %"}.get(shown, f"{shown} %"))


def percents(low: float | None, high: float | None) -> str:
    """Two ends as text, `3.1 to 8.8`, in percent; empty without them. Only an exact 0 or 1 is written 0 or 100."""
    if low is None or high is None:
        return ""
    low_end, high_end = (percent(end).removesuffix(" %") for end in (low, high))
    return _("{low} to {high}", low=low_end, high=high_end)


@dataclass(frozen=True, slots=True)
class Audit:
    """What a blind review of conversations judged clean says of those that the judge missed.

    `at_most` is the one-sided 95 % bound of Clopper and Pearson: it says what can be excluded, so only one side errs.
    `high` is the upper end of their two-sided interval, the same at 97.5 %.
    """

    n_missed: int
    n_reviewed: int
    n_clean: int
    at_most: float
    high: float
    sentence: str


def recall_audit(n_missed: int, n_reviewed: int, n_clean: int) -> Audit:
    """`n_missed` of `n_reviewed` conversations, drawn at random among the `n_clean` judged clean, had the defect.

    0 of 120: at most 2.5 % (1 - .05^(1/120) = 2.47 %), two-sided 3.0 % (1 - .025^(1/120) = 3.03 %). With nothing
    reviewed nothing is excluded: at most 100 %.
    """
    if not 0 <= n_missed <= n_reviewed <= n_clean:
        raise ValueError(f"no audit of counts: {n_missed} of {n_reviewed} of {n_clean}")
    if not n_reviewed:
        said = (
            "Nobody reviewed conversations that were judged clean: how many the judge missed is not known, "
            "and a rate of zero would mean nothing."
        )
        return Audit(0, 0, n_clean, 1.0, 1.0, said)
    return audit_of(n_missed, n_reviewed, n_clean, at_most(n_missed, n_reviewed), at_most(n_missed, n_reviewed, 0.975))


def stratified_audit(cells: Sequence[tuple[int, int, int]]) -> Audit:
    """The same of cells (missed, reviewed, clean) drawn with different chances: θ + √Σ W² (u - p)², W a cell's share of
    the clean ones, p = missed / reviewed and u its bound by Clopper and Pearson (MOVER, as in corrected rates).
    A cell that nobody reviewed may all be missed.
    """
    n_missed, n_reviewed, n_clean = (sum(column) for column in zip(*cells, strict=True)) if cells else (0, 0, 0)
    if len(cells) < 2 or not n_reviewed:
        return recall_audit(n_missed, n_reviewed, n_clean)
    ends = []
    for confidence in (0.95, 0.975):
        point = away = 0.0
        for k, n, size in cells:
            p = k / n if n else 1.0
            point += size / n_clean * p
            away += (size / n_clean * (at_most(k, n, confidence) - p)) ** 2
        ends.append(min(1.0, point + sqrt(away)))
    return audit_of(n_missed, n_reviewed, n_clean, *ends)


def audit_of(n_missed: int, n_reviewed: int, n_clean: int, bound: float, high: float) -> Audit:
    """An audit with these bounds, by which of the two methods they show themselves."""
    if not n_reviewed:
        return recall_audit(n_missed, n_reviewed, n_clean)
    how = "Clopper-Pearson" if abs(bound - at_most(n_missed, n_reviewed)) < 1e-9 else "weighted by stratum"
    found = "none" if not n_missed else f"{n_missed:,}"
    said = (
        f"Of {n_reviewed:,} reviewed conversations that were judged clean, {found} had it: at most {percent(bound)} "
        f"of the {n_clean:,} judged clean do (one-sided 95 % bound, {how}; two-sided {percent(high)})."
    )
    return Audit(n_missed, n_reviewed, n_clean, bound, high, said)
