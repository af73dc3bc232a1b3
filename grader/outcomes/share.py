"""A count of a count: how a rate is kept, bounded and written.

Counts are stored and rates computed, so slices add up and a denominator is never lost. Pure; no database here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054  # the 97.5 % point of the normal distribution


def wilson(n: int, of: int, z: float = Z95) -> tuple[float, float]:
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


def percent(rate: float | None) -> str:
    """A rate as text with one decimal. Only an exact 0 or 1 is written 0 % or 100 %; None is written as a dash."""
    if rate is None:
        return "–"
    if rate in (0, 1):
        return f"{rate * 100:.0f} %"
    shown = f"{rate * 100:.1f}"
    return {"0.0": "<0.1 %", "100.0": ">99.9 %"}.get(shown, f"{shown} %")


def dollars(amount: float | None) -> str:
    """An amount as text, at least two digits that count. Unknown is `unknown`, and only an exact 0 is written 0."""
    if amount is None:
        return "unknown"
    if amount == 0:
        return "0 USD"
    if amount >= 1:
        return f"{amount:,.2f} USD"
    return "<0.0001 USD" if amount < 0.0001 else f"{amount:.2g} USD" if amount < 0.1 else f"{amount:.2f} USD"
