"""Figures as marks on a scale: a point in a shape of its own, its interval as a line, an arrow where that goes on.

Places are in percent of the picture's width, so that one picture fits a desk and a phone. Nothing here counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Literal

from grader.language import _, number, numerals, retold
from grader.statistics.figure import Figure, percent, percents

Shape = Literal["diamond", "circle", "square"]
_TOPS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
_STEPS = {0.01: 0.002, 0.02: 0.005, 0.05: 0.01, 0.1: 0.02, 0.15: 0.05, 0.2: 0.05, 0.25: 0.05, 0.3: 0.1, 0.4: 0.1,
          0.5: 0.1, 0.6: 0.2, 0.8: 0.2, 1.0: 0.2}  # fmt: skip

LONG, AT_ONCE = 260, 180  # characters: of a text that is parted, and of what is shown of it


@dataclass(frozen=True)
class Told:
    """A figure in words. `value` is a dash where there is none, and `reason` then says why."""

    value: str
    interval: str
    count: str
    method: str
    reason: str
    known: bool
    counted: str = ""  # the count without what was counted

    @property
    def text(self) -> str:
        """In a line: `4.8 % (3.1 to 8.8)`, or why there is none."""
        if not self.known:
            return self.reason
        return f"{self.value} ({self.interval})" if self.interval else self.value


def told(f: Figure, *, of: str = "") -> Told:
    """A rate; `of` says what was counted (`labels`)."""
    counted = _("{n} of {of}", n=number(f.n), of=number(f.of)) if f.of else ""
    count = f"{counted} {_(of)}" if counted and of else counted
    method, reason = retold(f.method), retold(f.reason)
    return Told(percent(f.point), percents(f.low, f.high), count, method, reason, f.point is not None, counted)


def told_number(f: Figure) -> Told:
    """A coefficient, with two decimals."""
    ends = count = ""
    if f.low is not None and f.high is not None:
        ends = _("{low} to {high}", low=coefficient(f.low), high=coefficient(f.high))
    if f.of and f.point is not None:
        count = _("{n} of {of} agree", n=number(f.n), of=number(f.of))
    value = "–" if f.point is None else coefficient(f.point)
    return Told(value, ends, count, retold(f.method), retold(f.reason), f.point is not None)


def coefficient(x: float) -> str:
    """With two decimals. Only an exact 1 or 0 is written as one."""
    text = f"{x:.2f}"
    if text in ("1.00", "-1.00", "0.00", "-0.00") and x not in (-1, 0, 1):
        return numerals({"1.00": ">0.99", "-1.00": "<−0.99", "0.00": "<0.01", "-0.00": ">−0.01"}[text])
    return numerals(text.replace("-", "−"))


def parted(text: str) -> tuple[str, str]:
    """A text that is long as its beginning, up to the end of a sentence or word, and the rest; a short one whole."""
    if len(text) <= LONG:
        return text, ""
    end = text.rfind(". ", 0, AT_ONCE) + 1
    if end > 0:
        return text[:end], text[end + 1 :]
    end = max(text.rfind(" ", 0, AT_ONCE), 0) or AT_ONCE
    return f"{text[:end]} …", f"… {text[end:].lstrip()}"


@dataclass(frozen=True)
class Tick:
    """A line of the grid with its label."""

    x: float
    label: str


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`, with its grid."""

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def at(self, value: float) -> float:
        """The place of a value in percent of the width, at an end where it is beyond."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 3)


def _ticks(high: float, step: float) -> tuple[Tick, ...]:
    n = round(high / step)
    return tuple(
        Tick(round(100 * i / n, 3), numerals(f"{100 * step * i:.4g}") + (" %" if i == n else "")) for i in range(n + 1)
    )


WHOLE = Scale(0.0, 1.0, _ticks(1.0, 0.2))


def coefficient_scale(figures: Iterable[Figure]) -> Scale:
    """From 0 to 1, and as far below 0 as a point or an interval goes."""
    known = [f for f in figures if f.point is not None]
    lowest = min((x for f in known for x in (f.point, f.low) if x is not None), default=0.0)
    below = ceil(max(-lowest, 0.0) * 5 - 1e-9)  # steps of 0.2
    steps = range(-below, 6)
    ticks = tuple(
        Tick(round(100 * (i + below) / (5 + below), 3), numerals(f"{i / 5:.1f}".replace("-", "−"))) for i in steps
    )
    return Scale(-below / 5, 1.0, ticks)


def rate_scale(figures: Iterable[Figure]) -> Scale:
    """From 0 to a round number that holds all points and the usual interval. One code that is hardly known does not
    press all others together: what goes beyond ends in an arrow.
    """
    known = [f for f in figures if f.point is not None]
    points = [f.point for f in known if f.point is not None]
    highs = [f.high for f in known if f.high is not None]
    wanted = max([*(1.1 * p for p in points), 1.3 * median(highs) if highs else 0.0, 0.01])
    wanted = min(wanted, max([*highs, *points, 0.01]))
    top = next((t for t in _TOPS if t >= wanted - 1e-9), 1.0)
    return Scale(0.0, top, _ticks(top, _STEPS[top]))


@dataclass(frozen=True)
class Mark:
    """A figure's place on a scale."""

    shape: Shape
    hollow: bool
    x: float
    low: float
    high: float
    beyond_low: bool
    beyond_high: bool


def mark(f: Figure, scale: Scale, shape: Shape, *, hollow: bool = False) -> Mark | None:
    """None where there is no point: nothing is drawn that nobody measured."""
    if f.point is None:
        return None
    low, high = (f.point, f.point) if f.low is None or f.high is None else (f.low, f.high)
    return Mark(
        shape, hollow, scale.at(f.point), scale.at(low), scale.at(high),
        low < scale.low - 1e-9, high > scale.high + 1e-9,
    )  # fmt: skip


@dataclass(frozen=True)
class Lane:
    """One figure of a row: what it is called, its words and its mark. Without a shape it is told and not drawn."""

    name: str
    shape: Shape | None
    told: Told
    mark: Mark | None = None


@dataclass(frozen=True)
class Bound:
    """A line across a row's first lane that its figure is held to: an ideal, a floor, a reference."""

    kind: Literal["ideal", "floor", "least"]
    lane: int
    x: float
    text: str


@dataclass(frozen=True)
class Row:
    """A code with its figures; those in `aside` are told and not drawn."""

    title: str
    code: str
    severity: str
    standing: str
    lanes: tuple[Lane, ...]
    aside: tuple[Lane, ...] = ()
    bounds: tuple[Bound, ...] = ()
    n: str = ""

    @property
    def drawn(self) -> bool:
        """There is anything to draw."""
        return any(lane.mark for lane in self.lanes)

    @property
    def why(self) -> str:
        """The one reason for which nothing is drawn, where it is one."""
        reasons = {lane.told.reason for lane in self.lanes if not lane.told.known}
        return reasons.pop() if not self.drawn and len(reasons) == 1 else ""

    @property
    def beside(self) -> str:
        """Figures without a mark, in a line."""
        return " · ".join(f"{lane.name} {lane.told.value}" for lane in self.aside if lane.told.known)

    @property
    def label(self) -> str:
        """The picture in words."""
        return f"{self.code}: " + "; ".join(f"{lane.name} {lane.told.text}" for lane in self.lanes)


@dataclass(frozen=True)
class Group:
    """Rows on one scale under a heading. `folded`: they are many, and open on demand."""

    title: str
    about: str
    scale: Scale
    rows: tuple[Row, ...]
    folded: bool = False

    @property
    def empty(self) -> bool:
        """No row has anything to draw: a scale would only take up room."""
        return not any(row.drawn for row in self.rows)


@dataclass(frozen=True)
class Plot:
    """A picture of all codes, with what its shapes mean, and the same as rows of a table."""

    label: str
    legend: tuple[tuple[Shape, bool, str], ...]  # shape, hollow, meaning
    groups: tuple[Group, ...]
    bounds: tuple[tuple[str, str], ...] = ()  # kind, meaning

    @property
    def untold(self) -> tuple[tuple[str, str], ...]:
        """(figure, why there is none) of what has no mark, each reason once; not where the marks have the same one."""
        rows = [row for group in self.groups for row in group.rows]
        codes: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            said = {lane.told.reason for lane in row.lanes}
            for lane in row.aside:
                if not lane.told.known and lane.told.reason not in said:
                    codes.setdefault((lane.name, lane.told.reason), []).append(row.code)
        return tuple(
            (name if len(of) == len(rows) else _("{figure} of {codes}", figure=name, codes=", ".join(of)), reason)
            for (name, reason), of in codes.items()
        )

    @property
    def cells(self) -> Sequence[tuple[str, str, Told]]:
        """(code, figure, words) of every figure."""
        return [
            (row.code, lane.name, lane.told)
            for group in self.groups for row in group.rows for lane in (*row.lanes, *row.aside)
        ]  # fmt: skip
