"""A ratio of risks in a population from a sample drawn with unequal chances, also where the outcome decided the chance.

A plain ratio of such a sample is biased: where those who came back were drawn more often, both risks are too high, and
not by the same factor. Pure; no database here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

from grader.statistics.association import Pooled, Ratio, Table
from grader.statistics.stratified import alike, t975


@dataclass(frozen=True, slots=True)
class Tables:
    """2×2 tables of one stratum of the sample, by what they are pooled over (the contact reason, say)."""

    n_population: float
    n_drawn: int
    tables: Mapping[Any, Table]

    def __post_init__(self) -> None:
        inside = sum(t.total for t in self.tables.values())
        if not (inside <= self.n_drawn <= self.n_population * (1 + 1e-9)):
            raise ValueError(f"no stratum of counts: {self}")

    def __add__(self, other: Tables) -> Tables:
        both = {name: _sum(self.tables.get(name), other.tables.get(name)) for name in {**self.tables, **other.tables}}
        return Tables(self.n_population + other.n_population, self.n_drawn + other.n_drawn, both)


def _sum(*tables: Table | None) -> Table:
    there = [t for t in tables if t is not None]
    return Table(
        sum(t.cases for t in there), sum(t.n for t in there), sum(t.control_cases for t in there),
        sum(t.n_control for t in there),
    )  # fmt: skip


def weighted_ratio(strata: Sequence[Tables]) -> Pooled | None:
    """Mantel and Haenszel's ratio of risks in the population, pooled over the tables, from a weighted sample.

    With the expanded cells A = Σ W a, N1, B, N0 and T = N1 + N0 of each table: R / S = Σ A N0 / T over Σ B N1 / T. The
    variance of its logarithm is linearised: each member's part in dR / R - dS / S, its variance within each stratum,
    Σ N_h² s_h² / n_h; strata of like weights are one; t with Satterthwaite's degrees of freedom, in which a stratum
    counts its events. It stands where the sample was drawn by the outcome too, where a plain ratio does not. None where
    a risk is 0, so that there is no logarithm. `p_same` is None: Breslow and Day's test is for plain counts.
    """
    told = [s for s in strata if s.n_drawn]
    names = list({name: None for s in told for name in s.tables})
    cells: dict[Any, tuple[float, float, float, float]] = {}
    for name in names:
        mine = [(s.n_population / s.n_drawn, s.tables[name]) for s in told if name in s.tables]
        cells[name] = (
            sum(w * t.cases for w, t in mine), sum(w * t.n for w, t in mine),
            sum(w * t.control_cases for w, t in mine), sum(w * t.n_control for w, t in mine),
        )  # fmt: skip
    cells = {name: cell for name, cell in cells.items() if cell[1] and cell[3]}
    r = sum(a * n0 / (n1 + n0) for a, n1, _, n0 in cells.values())
    s_ = sum(b * n1 / (n1 + n0) for _, n1, b, n0 in cells.values())
    if not r or not s_:
        return None
    variance = lost = 0.0
    for stratum in alike(told, lambda s: s.n_population / s.n_drawn):
        total = squares = 0.0
        events = 0
        for name, (a, n1, b, n0) in cells.items():
            if (table := stratum.tables.get(name)) is None:
                continue
            size = n1 + n0
            with_it = -a * n0 / size**2 / r - (b / size - b * n1 / size**2) / s_
            without = (a / size - a * n0 / size**2) / r + b * n1 / size**2 / s_
            for n, part in (
                (table.cases, with_it + n0 / size / r), (table.n - table.cases, with_it),
                (table.control_cases, without - n1 / size / s_), (table.n_control - table.control_cases, without),
            ):  # fmt: skip
                total += n * part
                squares += n * part**2
            events += table.cases + table.control_cases
        if stratum.n_drawn > 1:
            squares = max(0.0, squares - total**2 / stratum.n_drawn) / (stratum.n_drawn - 1)
        own = stratum.n_population**2 * squares / stratum.n_drawn
        variance += own
        lost += own**2 / max(1, events - 1)
    if not variance:
        return None
    df = max(1.0, variance**2 / lost)
    half = t975(df) * sqrt(variance)
    ratio = Ratio(r / s_, r / s_ * exp(-half), r / s_ * exp(half), "weighted Mantel-Haenszel, linearised")
    from scipy.special import stdtr

    return Pooled(ratio, 2 * float(stdtr(df, -abs(log(r / s_)) / sqrt(variance))), None, len(cells))
