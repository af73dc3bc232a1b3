"""A count of a count: how a rate is kept, bounded and written.

Counts are stored and rates computed, so slices add up and a denominator is never lost. Pure; no database here.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.statistics.figure import Z95 as Z95
from grader.statistics.figure import percent as percent
from grader.statistics.figure import wilson as wilson

FEWEST_RATINGS = 10  # for an interval of a mean


@dataclass(frozen=True, slots=True)
class Share:
    """`n` of `of`. The rate is None when there is nothing to divide by."""

    n: int
    of: int

    @property
    def rate(self) -> float | None:
        """n / of, or None."""
        return self.n / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval, or None when `of` is 0."""
        return wilson(self.n, self.of) if self.of else None


@dataclass(frozen=True, slots=True)
class Bounds:
    """`n` of `of`, where of `n_unknown` more it is not known whether they count. Only the `n_cases` among `of` can be
    unknown at all, such as those who came back when it is asked what about.
    """

    n: int
    n_unknown: int
    of: int
    n_cases: int

    @property
    def known(self) -> Share:
        """What is not known is left out, above and below."""
        return Share(self.n, self.of - self.n_unknown)

    @property
    def low(self) -> Share:
        """As if nothing of what is not known counted."""
        return Share(self.n, self.of)

    @property
    def high(self) -> Share:
        """As if all of what is not known counted."""
        return Share(self.n + self.n_unknown, self.of)

    @property
    def interval(self) -> tuple[float, float] | None:
        """From the lower end of the 95 % Wilson interval of `low` to the upper one of `high`; None when `of` is 0."""
        return (wilson(self.low.n, self.of)[0], wilson(self.high.n, self.of)[1]) if self.of else None


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of `n` ratings by their sum and the sum of their squares, so that slices add up."""

    n: int
    sum: float
    squares: float

    @property
    def value(self) -> float | None:
        """sum / n, or None."""
        return self.sum / self.n if self.n else None

    @property
    def variance(self) -> float | None:
        """Of the ratings, in the sample's unbiased form; None with fewer than two."""
        if self.n < 2:
            return None
        return max(0.0, (self.squares - self.sum * self.sum / self.n) / (self.n - 1))

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval within the scale of 1 to 5 (`scale_interval`); None with fewer than `FEWEST_RATINGS`, or
        where all ratings are the same, which tells nothing of how they spread.
        """
        from grader.statistics.means import scale_interval

        if self.n < FEWEST_RATINGS or not self.variance or self.value is None:
            return None
        return scale_interval(self.value, self.variance, self.n, lowest=1.0, highest=5.0)


def dollars(amount: float | None) -> str:
    """An amount as text, at least two digits that count. Unknown is `unknown`, and only an exact 0 is written 0."""
    if amount is None:
        return "unknown"
    if amount == 0:
        return "0 USD"
    if amount >= 1:
        return f"{amount:,.2f} USD"
    return "<0.0001 USD" if amount < 0.0001 else f"{amount:.2g} USD" if amount < 0.1 else f"{amount:.2f} USD"


def counted(share: Share) -> str:
    """A share as text, with what it is made of: `2.4 % (3 of 126)`."""
    return f"{percent(share.rate)} ({share.n:,} of {share.of:,})"
