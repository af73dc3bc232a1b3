"""A figure week by week as a small picture: points with their intervals, and a line that never runs across a break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from grader.language import _, number
from grader.outcomes.brief import TITLES, Week
from grader.outcomes.changes import Reading
from grader.outcomes.period import Period
from grader.outcomes.share import percent

WIDTH, HEIGHT, PAD = 168, 40, 5
FEW = 10


@dataclass(frozen=True)
class Dot:
    """One week: its place, and the ends of its interval."""

    x: float
    y: float
    low: float
    high: float
    r: float  # by how many it rests on
    told: str
    few: bool  # it rests on fewer than 10


@dataclass(frozen=True)
class Spark:
    """The picture: stretches of dots that are joined, places where the judge changed, and the same in words."""

    lines: tuple[tuple[Dot, ...], ...]
    breaks: tuple[float, ...]
    label: str
    scale: str  # from the bottom to the top
    rows: tuple[tuple[str, str, bool], ...]  # week, value, the judge changed before it
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def paths(self) -> tuple[str, ...]:
        """Each joined stretch as the points of a polyline."""
        return tuple(" ".join(f"{d.x:.1f},{d.y:.1f}" for d in line) for line in self.lines if len(line) > 1)

    @property
    def dots(self) -> tuple[Dot, ...]:
        """All of them."""
        return tuple(dot for line in self.lines for dot in line)


def spark(weeks: Sequence[Week], figure: str) -> Spark:
    """The picture of these weeks. A week without a reading, and a change of the judge, end the line."""
    told = [w.reading for w in weeks if w.reading is not None]
    mean = any(r.scale == "mean" for r in told)
    bottom, top = (1.0, 5.0) if mean else (0.0, max((r.highest.value for r in told), default=1.0) * 1.25 or 0.05)
    top = min(top, 5.0 if mean else 1.0)
    step = (WIDTH - 2 * PAD) / max(1, len(weeks) - 1)

    def y(v: float) -> float:
        share = (min(max(v, bottom), top) - bottom) / (top - bottom)
        return HEIGHT - PAD - share * (HEIGHT - 2 * PAD)

    lines: list[list[Dot]] = [[]]
    breaks: list[float] = []
    rows: list[tuple[str, str, bool]] = []
    for n, week in enumerate(weeks):
        x = PAD + step * n
        r = week.reading
        name = Period(date.fromisoformat(week.week)).name
        if week.broken:
            breaks.append(x - step / 2)
        if week.broken or r is None:
            lines.append([])
        if r is not None:
            text = _value(r)
            middle = (r.lowest.value + r.highest.value) / 2
            low, high = (r.lowest.low, r.highest.high) if r.bounded else (middle, middle)
            lines[-1].append(Dot(x, y(middle), y(low), y(high), _radius(r.size), f"{name}: {text}", r.size < FEW))
            rows.append((name, text, week.broken))
    joined = tuple(tuple(line) for line in lines if line)
    scale = _("{low} to {high}", low=round(bottom), high=round(top) if mean else percent(top))
    label = _("{title}, {n} of {of} weeks, from {scale}", title=_(TITLES[figure]), n=len(rows), of=len(weeks),
              scale=scale)  # fmt: skip
    return Spark(joined, tuple(breaks), label, scale, tuple(rows))


def _radius(n: int) -> float:
    return 1.6 if n < FEW else 2.4 if n < 50 else 3.2


def _value(r: Reading) -> str:
    if r.scale == "mean":
        return _("{value} ({n} rated)", value=number(r.lowest.value, 2), n=r.n)
    share = percent(r.lowest.value)
    if r.n_unknown:
        share = _("{low} to {high}", low=share, high=percent(r.highest.value))
    return _("{share} (of {n})", share=share, n=r.of)
