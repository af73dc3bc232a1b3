"""From counts by stratum to rates of the population: what a figure is told as, and by which method.

Where everybody had the same chance to be drawn, a rate is the plain share with Wilson's interval. Else each record has
`parts`, its counts in every layer of the sample, and the rate is weighted by what each layer stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from grader.outcomes.share import Bounds, Share, percent
from grader.statistics.figure import WILSON, Figure, undefined
from grader.statistics.stratified import FEWEST, Mean, Rated, Stratum, weighted_mean, weighted_rate

NOTHING = "Nothing was counted that this could be a share of."
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Layer:
    """A stratum of the sample behind a run. `number` is its place among them, `name` None where it has none."""

    number: int
    name: str | None
    inclusion_probability: float
    n_drawn: int

    @property
    def n_population(self) -> float:
        """How many its drawn ones stand for."""
        return self.n_drawn / self.inclusion_probability

    @property
    def weight(self) -> float:
        """How many one of them stands for."""
        return 1 / self.inclusion_probability


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What a record counts within one layer; None: nothing at all of its slice was drawn there."""

    layer: Layer
    counts: T | None


def rate(record: Any, share: Callable[[Any], Share]) -> Figure:
    """A rate of a record that may have `parts`, such as `rate(headline, lambda h: h.resolved)`. `n` of `of` are plain
    counts, so that the point is n / of only where nothing is weighted; where `of` is 0 there is no point.
    """
    plain, parts = share(record), record.parts
    if not parts:
        low, high = plain.interval or (None, None)
        return Figure(plain.rate, low, high, plain.n, plain.of, WILSON, "" if plain.of else NOTHING)
    strata = []
    for part in parts:
        mine = Share(0, 0) if part.counts is None else share(part.counts)
        strata.append(Stratum(part.layer.n_population, part.layer.n_drawn, mine.n, mine.of))
    found = weighted_rate(strata)
    if found is None:
        return undefined(NOTHING, "weighted", n=plain.n, of=plain.of)
    return Figure(found.point, found.low, found.high, plain.n, plain.of, found.method)


def mean(record: Any, sums: Callable[[Any], tuple[int, float, float]], *, lowest: float, highest: float) -> Mean | None:
    """A weighted mean; `sums(record)` are how many rated, their sum and their sum of squares. None where nothing is
    weighted, or fewer than FEWEST rated.
    """
    parts = record.parts
    if not parts or sums(record)[0] < FEWEST:
        return None
    strata = []
    for part in parts:
        of, total, squares = (0, 0.0, 0.0) if part.counts is None else sums(part.counts)
        strata.append(Rated(part.layer.n_population, part.layer.n_drawn, of, total, squares))
    return weighted_mean(strata, lowest=lowest, highest=highest)


def with_parts(
    rows: Sequence[dict[str, Any]], make: Callable[..., T], key: Callable[[dict[str, Any]], object],
    layers: Sequence[Layer], nested: Callable[[dict[str, Any]], bool],
) -> list[T]:  # fmt: skip
    """Rows by slice, and by slice and layer (`layer` None: over all), as one record a slice with its parts.

    `nested(row)`: the strata were made by what makes the slice, so that a layer without a row has nothing of it. Else a
    layer of which nothing was drawn into the slice may still hold some of it, and widens the interval.
    """
    counts: dict[object, dict[int, T]] = {}
    for row in rows:
        if (layer := row["layer"]) is not None:
            counts.setdefault(key(row), {})[layer] = make(**_without_layer(row))
    found = []
    for row in rows:
        if row["layer"] is None:
            mine = counts.get(key(row), {})
            inside = nested(row)
            parts = tuple(Part(layer, mine.get(layer.number)) for layer in layers if layer.number in mine or not inside)
            found.append(make(**_without_layer(row), parts=parts))
    return found


def _without_layer(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "layer"}


def told(found: Figure) -> str:
    """A rate as text, with what it is made of: `2.4 % (3 of 126)`, `5.1 % weighted (3 of 126)`."""
    weighted = " weighted" if found.weighted else ""
    return f"{percent(found.point)}{weighted} ({found.n:,} of {found.of:,})"


@dataclass(frozen=True, slots=True)
class Ends:
    """A rate of which a part may not be known: with that left out, as if none of it counted, as if all did."""

    bounds: Bounds
    known: Figure
    low: Figure
    high: Figure

    @property
    def interval(self) -> tuple[float, float] | None:
        """From the lower end of the interval of `low` to the upper end of the one of `high`."""
        return None if self.low.low is None or self.high.high is None else (self.low.low, self.high.high)


def ends(record: Any, bounds: Callable[[Any], Bounds]) -> Ends:
    """As `rate`, of `Bounds`."""
    return Ends(
        bounds(record), rate(record, lambda r: bounds(r).known), rate(record, lambda r: bounds(r).low),
        rate(record, lambda r: bounds(r).high),
    )  # fmt: skip
