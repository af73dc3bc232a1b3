"""The pictures of the front page, as places for SVG: weeks with their intervals, defects by queue, ratios of returns.

Each has the same in words as rows of a table. Nothing here counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf, log, sqrt
from statistics import median

from grader.language import _, number, numerals
from grader.outcomes import Defect, Figure, percent, rate
from grader.outcomes.association import FEWEST_EVENTS, Association
from grader.outcomes.brief import Week
from grader.outcomes.changes import Reading
from grader.outcomes.period import Period
from grader.report.causes import severity_rank
from grader.report.forest import Mark, Tick
from grader.report.reading import unbounded
from grader.statistics.association import Ratio

_UNIT = " %"
WIDTH, HEIGHT = 360, 156  # of a chart of weeks
LEFT, RIGHT, TOP, BOTTOM = 42, 10, 18, 24
LABELS = 5  # weeks that are named below it, at most
NO_QUEUE = "no queue"  # the key of conversations without one, as in list.js
CODES, QUEUES = 12, 10  # of the picture of defects; the table has all codes
RATIOS = 12
_TOPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class Point:
    """A week's place; the ends of its interval, and whether they go on beyond the picture. `ends`: of the figure, where
    a part is not known.
    """

    x: float
    y: float
    low: float
    high: float
    beyond: bool
    told: str
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class Series:
    """One line of a chart: stretches of points that are joined, in a shape of its own."""

    name: str
    shape: str  # circle, square
    lines: tuple[tuple[Point, ...], ...]

    @property
    def points(self) -> tuple[Point, ...]:
        """All of them."""
        return tuple(point for line in self.lines for point in line)


@dataclass(frozen=True)
class WeekRow:
    """A week as a row of the table: each series as (value, interval, count)."""

    week: str
    cells: tuple[tuple[str, str, str], ...]
    broken: bool


@dataclass(frozen=True)
class Chart:
    """A figure over weeks. `breaks`: places where the judge changed."""

    key: str
    title: str
    label: str
    series: tuple[Series, ...]
    breaks: tuple[float, ...]
    levels: tuple[tuple[float, str], ...]  # y, label
    weeks: tuple[tuple[float, str], ...]  # x, label
    rows: tuple[WeekRow, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM

    @property
    def empty(self) -> bool:
        """No week has a reading."""
        return not any(series.points for series in self.series)


def chart(key: str, title: str, lines: Sequence[tuple[str, Sequence[Week]]], known: str) -> Chart:
    """The chart of these lines, all over the same weeks. `known`: the last Monday of which returns are known."""
    weeks = lines[0][1]
    readings = [w.reading for _name, line in lines for w in line if w.reading is not None]
    low, high = _ends(readings)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(weeks))

    def x(n: int) -> float:
        return round(LEFT + step * (n + 0.5), 1)

    def y(v: float) -> float:
        share = (min(max(v, low), high) - low) / (high - low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    mean = bool(readings) and readings[0].scale == "mean"
    middle = (low + high) / 2
    levels = tuple((y(v), f"{v:.0f}" if mean else _axis(v)) for v in (low, middle, high))
    names = [Period(date.fromisoformat(w.week)).name for w in weeks]
    every = max(1, -(-len(weeks) // LABELS))
    shown = [n for n in range(len(weeks)) if (len(weeks) - 1 - n) % every == 0]
    return Chart(
        key=key, title=title,
        label=_("{title}, week by week from {first} to {last}", title=title, first=names[0], last=names[-1]),
        series=tuple(
            Series(name, ("circle", "square")[i], _stretches(line, names, x, y, high))
            for i, (name, line) in enumerate(lines)
        ),
        breaks=tuple(round(x(n) - step / 2, 1) for n in range(len(weeks)) if any(line[n].broken for _n, line in lines)),
        levels=levels,
        weeks=tuple((x(n), names[n].partition("-")[2]) for n in shown),
        rows=tuple(
            WeekRow(
                names[n], tuple(_cell(line[n], known) for _name, line in lines),
                any(line[n].broken for _n, line in lines),
            )
            for n in range(len(weeks))
        ),
    )  # fmt: skip


def _axis(v: float) -> str:
    return numerals(f"{100 * v:.3g} %")


def _ends(readings: Sequence[Reading]) -> tuple[float, float]:
    """The scale: all points, and the usual interval. What goes beyond ends in an arrow."""
    if readings and readings[0].scale == "mean":
        return 1.0, 5.0
    if not readings:
        return 0.0, 1.0
    wanted = max(max(r.highest.value for r in readings) * 1.1, median(r.highest.high for r in readings), 0.01)
    return 0.0, next((t for t in _TOPS if t >= wanted - 1e-9), 1.0)


def _stretches(
    weeks: Sequence[Week], names: Sequence[str], x: Callable[[int], float], y: Callable[[float], float], top: float
) -> tuple[tuple[Point, ...], ...]:
    lines: list[list[Point]] = [[]]
    for n, week in enumerate(weeks):
        r = week.reading
        if week.broken or r is None:
            lines.append([])
        if r is not None:
            told = f"{names[n]}: {value(r)} ({interval(r)})"
            middle = (r.lowest.value + r.highest.value) / 2
            low, high = (r.lowest.low, r.highest.high) if r.bounded else (middle, middle)
            ends = (y(r.lowest.value), y(r.highest.value)) if r.n_unknown else None
            lines[-1].append(Point(x(n), y(middle), y(low), y(high), high > top + 1e-9, told, ends))
    return tuple(tuple(line) for line in lines if line)


def _cell(week: Week, known: str) -> tuple[str, str, str]:
    if week.reading is None:
        return "–", "", _("not yet known") if known and week.week > known else _("nothing to count")
    return value(week.reading), interval(week.reading), count(week.reading)


# ── a reading in words ──


def value(r: Reading | None) -> str:
    """The figure; both ends where a part is not known: `52.5–57.6 %`."""
    if r is None:
        return "–"
    low, high = r.lowest.value, r.highest.value
    if r.scale == "mean":
        return number(low, 2)
    return between(low, high) if r.n_unknown else numerals(percent(low))


def interval(r: Reading | None) -> str:
    """The 95 % interval; of a mean of few ratings there is none."""
    if r is None:
        return ""
    low, high = r.lowest.low, r.highest.high
    if r.scale == "mean":
        if not r.bounded:
            return unbounded(r)
        return _("{low} to {high}", low=number(low, 2), high=number(high, 2))
    return _("{low} to {high}", low=numerals(percent(low)), high=numerals(percent(high)))


def count(r: Reading) -> str:
    """Numerator and denominator."""
    if r.scale == "mean":
        return _("{n} rated of {of}", n=number(r.n), of=number(r.of))
    n = number(r.n)
    if r.n_unknown:
        n = _("{low} to {high}", low=n, high=number(r.n + r.n_unknown))
    told = _("{n} of {of}", n=n, of=number(r.of))
    return _("{count}, weighted", count=told) if r.weighted else told


def between(low: float | None, high: float | None) -> str:
    """`4.1–9.8 %`, empty where there is none."""
    if low is None or high is None:
        return ""
    return numerals(f"{percent(low).removesuffix(_UNIT)}–{percent(high)}")


# ── defects by code and queue ──

LINE, HEADER, ALL, PHONE = 30, 34, 1150, 330  # of the picture of defects: its width on a desk, on a phone
NAMES, NAMES_WIDE = 330, 500  # the column of the codes' titles: with many queues, with few
NARROW, WIDE, WIDE_FROM = 72, 170, 108  # a queue's column; where there is room for the share beside the number
LETTER = 6.6  # the width of a letter
RADIUS = 11.0


@dataclass(frozen=True)
class Spot:
    """A code in a queue. `ring` is the rate, `disc` its lower end: radii whose areas they are. Nothing assessable has
    neither.
    """

    queue: str
    ring: float
    disc: float
    n: int
    known: bool
    told: str
    share: str = ""
    key: str = ""  # of the queue, as the list's filter has it

    @property
    def text(self) -> str:
        """What stands beside the spot."""
        return number(self.n) if self.known else "–"


@dataclass(frozen=True)
class MatrixRow:
    """A code with its spots. `drawn`: it stands in the picture, and not in the table alone."""

    code: str
    title: str
    severity: str
    drawn: bool
    spots: tuple[Spot, ...]


@dataclass(frozen=True)
class Matrix:
    """Defects by code and queue. `cell` and `narrow`: how wide a queue's column is on a desk and on a phone."""

    queues: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    top: str  # the rate of the largest ring
    beyond: bool  # some of few conversations are higher, and as large
    n_queues_left_out: int
    cell: int
    narrow: int
    names: int
    line: int = LINE
    header: int = HEADER
    wide_from: int = WIDE_FROM

    @property
    def drawn(self) -> tuple[MatrixRow, ...]:
        """Rows of the picture."""
        return tuple(row for row in self.rows if row.drawn)

    def short(self, title: str) -> str:
        """A code's title as far as there is room beside its mark."""
        return self.cut(title, self.names - 36)

    def cut(self, name: str, width: int) -> str:
        """A name as far as there is room in `width` pixels."""
        return _cut(name, int((width - 8) / LETTER))


def matrix(defects: Sequence[Defect], queues: Sequence[str | None], name: Callable[[str | None], str]) -> Matrix | None:
    """Every code in the biggest queues, the most severe and then the most frequent first; None where there are none."""
    shown = list(queues[:QUEUES])
    whole = sorted(
        (d for d in defects if d.slice == "all"), key=lambda d: (severity_rank(d.severity), -d.n_flagged, d.code)
    )
    if len(shown) < 2 or not whole:
        return None
    found = {(d.rubric, d.rubric_version, d.code, d.queue): d for d in defects if d.slice == "queue"}
    rates = {key: rate(d, lambda d: d.flagged) for key, d in found.items()}
    picked = [r for (_r, _v, _c, queue), r in rates.items() if queue in shown]
    # One or two conversations of a queue do not set the scale.
    most = max((r.point or 0.0 for r in picked), default=0.0)
    top = max((r.point for r in picked if r.point and r.of >= 5), default=most)
    rows: list[MatrixRow] = []
    n_drawn = 0
    for d in whole:
        spots = tuple(
            _spot(rates.get((d.rubric, d.rubric_version, d.code, q)), name(q), q or NO_QUEUE, top) for q in shown
        )
        drawn = n_drawn < CODES and any(spot.n for spot in spots)
        rows.append(MatrixRow(d.code, d.title, d.severity, drawn, spots))
        n_drawn += drawn
    names = min(NAMES_WIDE, max(NAMES, ALL - WIDE * len(shown)))
    return Matrix(
        queues=tuple(name(q) for q in shown), rows=tuple(rows), top=numerals(percent(top)), beyond=most > top,
        n_queues_left_out=len(queues) - len(shown),
        cell=min(WIDE, max(NARROW, (ALL - names) // len(shown))), narrow=max(NARROW, PHONE // len(shown)),
        names=names,
    )  # fmt: skip


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"


def _spot(found: Figure | None, queue: str, key: str, top: float) -> Spot:
    if found is None or found.point is None:
        return Spot(queue, 0.0, 0.0, 0, False, _("nothing assessable"), key=key)
    ring, disc = (round(RADIUS * sqrt(min(1.0, v / (top or 1.0))), 1) for v in (found.point, found.low or 0.0))
    ends = between(found.low, found.high)
    share = numerals(percent(found.point)) + (f" ({ends})" if ends else "")
    told = _("{share}, {n} of {of}", share=share, n=number(found.n), of=number(found.of))
    ring, disc = (ring, disc) if found.n else (0.0, 0.0)
    return Spot(queue, ring, disc, found.n, True, told, numerals(percent(found.point)), key)


# ── verdict × return ──


@dataclass(frozen=True)
class RatioRow:
    """A code: how much more often who has it came back. `mark` None: too few to draw."""

    code: str
    title: str
    severity: str
    ratio: str
    interval: str
    verdict: str
    beyond: bool  # noise, after allowing for all codes
    mark: Mark | None
    with_it: str
    without: str
    difference: str
    corrected: str
    p: str


@dataclass(frozen=True)
class Ratios:
    """Ratios of returns on a scale on which doubling is as far as halving."""

    rows: tuple[RatioRow, ...]
    ticks: tuple[Tick, ...]
    one: float
    n_not_known: int
    n_handed_over: int
    most: int  # events of the code that has most
    fewest: int = FEWEST_EVENTS

    @property
    def drawn(self) -> tuple[RatioRow, ...]:
        """Rows of the picture: those that are surest, in their order."""
        told = [row for row in self.rows if row.mark is not None]
        surest = {row.code for row in sorted(told, key=lambda row: not row.beyond)[:RATIOS]}
        return tuple(row for row in told if row.code in surest)


def ratios(found: Sequence[Association]) -> Ratios | None:
    """Every defect code, those that go most with a return first; None where no code was asked."""
    if not found:
        return None
    told = [a.pooled.ratio for a in found if a.enough and a.pooled is not None]
    low, high = _span(told)

    def at(v: float) -> float:
        return round(100 * (log(min(max(v, low), high)) - log(low)) / (log(high) - log(low)), 2)

    ticks, v = [], low
    while v <= high * 1.001:
        ticks.append(Tick(at(v), numerals(f"×{v:g}")))
        v *= 2
    return Ratios(
        tuple(_ratio_row(a, at, low, high) for a in found), tuple(ticks), at(1.0),
        max(a.n_not_known for a in found), max(a.n_handed_over for a in found), max(a.table.cases for a in found),
    )  # fmt: skip


def _span(told: Iterable[Ratio]) -> tuple[float, float]:
    points = [r.point for r in told if 0 < r.point < inf]
    high = next((t for t in (2.0, 4.0, 8.0) if t >= max(points, default=1.0) * 1.3), 16.0)
    low = next((t for t in (0.5, 0.25, 0.125) if t <= min(points, default=1.0) / 1.3), 0.0625)
    return low, high


def _ratio_row(a: Association, at: Callable[[float], float], low: float, high: float) -> RatioRow:
    with_it = _("{share} of {n}", share=numerals(percent(a.risk.point)), n=number(a.table.n))
    without = _("{share} of {n}", share=numerals(percent(a.control_risk.point)), n=number(a.table.n_control))
    d = a.difference
    difference = "–" if d is None else numerals(
        f"{_points(d.point)} ({_points(d.low)} – {_points(d.high)})"
    )  # fmt: skip
    if not a.enough or a.pooled is None:
        few = _("too few: {n} of {fewest} returns", n=number(a.table.cases), fewest=number(FEWEST_EVENTS))
        return RatioRow(
            a.code, a.title, a.severity, "–", "", few, False, None, with_it, without, difference, "–", "–"
        )  # fmt: skip
    r, p = a.pooled.ratio, a.p_adjusted
    beyond = p is not None and p < 0.05
    if beyond:
        verdict = _("more often, beyond noise") if r.point > 1 else _("less often, beyond noise")
    else:
        verdict = _("may be noise")
    mark = Mark("diamond", not beyond, at(r.point), at(r.low), at(r.high), r.low < low - 1e-9, r.high > high + 1e-9)
    return RatioRow(
        a.code, a.title, a.severity, _times(r.point), _("{low} to {high}", low=_times(r.low), high=_times(r.high)),
        verdict, beyond, mark, with_it, without, difference,
        "–" if a.corrected is None else _times(a.corrected.point), "–" if p is None else _p(p),
    )  # fmt: skip


def _p(p: float) -> str:
    return numerals("<0.001" if p < 0.0005 else f"{p:.3f}")


def _times(v: float) -> str:
    return "×∞" if v == inf else numerals(f"×{v:.2f}")


def _points(v: float) -> str:
    return f"{'+' if v > 0 else '−' if v < 0 else ''}{abs(100 * v):.1f}"
