"""What the owner of AI operations has to know of some weeks: the figures, what changed beyond noise, warnings, the
backlog.

Readings and comparisons only; words and pages are made in `grader.report.brief`. A figure that waits for returns is
of the last weeks whose windows are over. Verdicts are compared only where the same rubric, prompt, model and judge
made them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from grader.errors import InputError
from grader.language import N_
from grader.outcomes import changes
from grader.outcomes.capacity import Capacity, freed
from grader.outcomes.changes import Change, Reading
from grader.outcomes.episodes import Episodes, Where
from grader.outcomes.metrics import RATES, Metrics, of_episodes
from grader.outcomes.period import WEEK, Period
from grader.outcomes.quality import QUALITY, Judged, Slice, Theme, comparable, themes
from grader.outcomes.share import Share

IN_FRONT = 2  # queues that have a part of their own
CAUSES = 6  # that can be fixed, biggest first
WATCHED = 4  # changes that are outside noise on their own, but not after allowing for all comparisons
TREND_WEEKS = 12
_RATINGS = {"csat_ai": N_("CSAT, AI alone"), "csat_human": N_("CSAT, with a human")}
WAITS_FOR_RETURNS = frozenset(
    name for name, rate in RATES.items() if rate.of in ("matured", "ai_matured", "human_matured")
)
TITLES: Mapping[str, str] = {
    **{k: r.title for k, r in RATES.items()}, **_RATINGS, **{k: f.title for k, f in QUALITY.items()},
}  # fmt: skip
# Whether more of it is bad; None: neither.
BAD: Mapping[str, bool | None] = {
    "ai_resolution": False, "containment": None, "false_containment": True, "recontact": True, "escalation": None,
    "csat_ai": False, "csat_human": False, **{k: f.bad for k, f in QUALITY.items()},
}  # fmt: skip
HEADLINES = (
    "ai_resolution", "resolved", "containment", "false_containment", "recontact", "csat_ai", "csat_human",
    "handoff_resolved", "critical_defect",
)  # fmt: skip
OF_A_QUEUE = ("ai_resolution", "false_containment", "recontact", "escalation", "csat_ai", "handoff_resolved",
              "critical_defect")  # fmt: skip
# Each with the slices in which it is looked for: ratings only within a reason, since reasons come and go.
WARNINGS: Mapping[str, tuple[str | None, ...]] = {
    "recontact": (None, "queue", "reason"), "csat_ai": ("reason",), "irritated_after_ai": (None, "queue", "reason"),
    "escalated_too_late": (None, "queue", "reason"),
}  # fmt: skip
_COMPARED = tuple(BAD)
_COMPLEMENT, _COMPLEMENT_OF = "containment", "escalation"
_DIMENSIONS = (None, "queue", "reason")


@dataclass(frozen=True, slots=True)
class Told:
    """One figure of one slice: now and before, what changed, and the weeks that both are of. `broken`: the judge
    changed in between, so that nothing is compared.
    """

    figure: str
    dimension: str | None
    slice: str | None
    period: Period
    baseline: Period
    now: Reading | None
    before: Reading | None
    change: Change | None
    broken: bool = False

    @property
    def worse(self) -> bool | None:
        """The change is beyond noise and for the worse; None where neither is better."""
        bad = BAD[self.figure]
        if self.change is None or self.change.direction == "none" or bad is None:
            return None
        return (self.change.direction == "up") == bad


@dataclass(frozen=True, slots=True)
class OfQueue:
    """One of the queues in front."""

    queue: str | None
    n_episodes: int
    figures: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Warned:
    """A sign to watch. `signs` are the slices in which it got worse beyond noise; `overall` is over all; `tested`: in
    so many slices there was enough on both sides, of the dimension that the sign is about.
    """

    figure: str
    overall: Told
    signs: tuple[Told, ...]
    tested: int


@dataclass(frozen=True, slots=True)
class Week:
    """One point of a trend. `broken`: the line does not go on from the week before."""

    week: str
    reading: Reading | None
    broken: bool


@dataclass(frozen=True, slots=True)
class Brief:
    """Everything that the page says. `known`: the weeks of the figures that wait for returns."""

    period: Period
    known: Period
    baseline: Period
    window_hours: int
    data_end: datetime
    over: bool  # the weeks were over when the data ended
    n_episodes: int
    n_judged: int
    n_in_part: int
    n_synthetic: int
    audit: Mapping[str, int]  # of the AI-resolved ones that were judged: what the judge said
    coverage: Share
    told_by_judge: Share  # returns of which only the judge's contact reasons tell what they are about
    headlines: tuple[Told, ...]
    trends: Mapping[str, tuple[Week, ...]]
    changed: tuple[Told, ...]
    watched: tuple[Told, ...]
    compared: Mapping[str, tuple[int, int]]  # by dimension: compared, of asked
    queues: tuple[OfQueue, ...]
    warnings: tuple[Warned, ...]
    themes: tuple[Theme, ...]
    n_themes: int
    backlog: Period
    capacity: Capacity | None
    instruments: tuple[str, ...]
    undecided: frozenset[str]
    causes_decided: bool
    runs: tuple[str, ...]
    judged_by: tuple[str, ...]  # those of them behind the figures of these weeks
    backlog_by: tuple[str, ...]  # and behind the backlog
    weighted: bool
    waiting: Mapping[str, int]  # by run that did not come to its end: conversations that still wait
    scopes: tuple[str, ...]  # what alone could be drawn to be judged; none: everything could


def brief(
    episodes: Episodes, verdicts: Judged, period: Period, *, data_end: datetime, n_synthetic: int,
    baseline_weeks: int = 4, window_hours: int = 168, zone: tzinfo,
) -> Brief:  # fmt: skip
    """The brief of these weeks, against the weeks before. Raises InputError where there is nothing in them."""
    known = last_known(period, data_end, timedelta(hours=window_hours), zone)
    weighing = _Weighing(episodes, verdicts, period, known, baseline_weeks, window_hours)
    now = weighing.metrics(period)
    if (None, "all") not in now:
        raise InputError(
            f"no conversation that a customer began in week {period.name}", field="--week",
            cure="grader metrics --by week tells which weeks there are",
        )  # fmt: skip
    told = weighing.everything()
    by_key = {(t.figure, t.dimension, t.slice): t for t in told}
    queues = sorted(
        ((m.n_episodes, name) for (dimension, name), m in now.items() if dimension == "queue"),
        key=lambda found: (-found[0], found[1] is None, found[1] or ""),
    )
    backlog = Period(period.last, period.n_weeks + baseline_weeks)
    found = [t for t in themes(verdicts.ledger(window_hours, {"week": backlog.ends})) if t.fix is not None]
    audited = Counter(row["resolution"] for row in verdicts.audit(window_hours, {"week": known.ends}))
    judged = weighing.verdicts(period).get((None, "all"))
    overall = now[None, "all"]
    return Brief(
        period=period, known=known, baseline=period.before(baseline_weeks), window_hours=window_hours,
        data_end=data_end, over=period.ends_at(zone).replace(tzinfo=None) <= data_end,
        n_episodes=overall.n_episodes, n_judged=judged.n_conversations if judged else 0,
        n_in_part=judged.n_in_part if judged else 0, n_synthetic=n_synthetic, audit=audited,
        coverage=overall.coverage, told_by_judge=Share(overall.n_issue_judged, overall.n_came_back),
        headlines=tuple(by_key[figure, None, "all"] for figure in HEADLINES),
        trends=_trends(episodes, verdicts, Period(period.last, max(TREND_WEEKS, period.n_weeks)), known, window_hours),
        changed=tuple(sorted((t for t in told if t.change and t.change.direction != "none"), key=_strength)),
        watched=tuple(
            sorted((t for t in told if t.change and t.change.p < 0.05 and t.change.direction == "none"), key=_strength)
        )[:WATCHED],
        compared={
            name or "all": (sum(t.change is not None for t in asked), len(asked))
            for name in _DIMENSIONS
            for asked in [[t for t in told if t.dimension == name and t.figure != _COMPLEMENT]]
        },
        queues=tuple(
            OfQueue(name, n, tuple(by_key[figure, "queue", name] for figure in OF_A_QUEUE))
            for n, name in queues[:IN_FRONT]
        ),
        warnings=tuple(
            Warned(
                figure, by_key[figure, None, "all"], tuple(t for t in looked if t.worse),
                sum(t.change is not None for t in looked),
            )
            for figure, dimensions in WARNINGS.items()
            for looked in [[t for t in told if t.figure == figure and t.dimension in dimensions]]
        ),
        themes=tuple(found[:CAUSES]), n_themes=len(found), backlog=backlog,
        capacity=next(iter(freed(episodes, window_hours=window_hours, where={"week": known.ends})), None),
        instruments=tuple(sorted({i for w in weighing.instruments(period) for rubric in w.values() for i in rubric})),
        undecided=verdicts.undecided(), causes_decided=any(c.fix for c in verdicts.ledger(window_hours)),
        runs=verdicts.runs, judged_by=verdicts.runs_in({"week": period.ends}),
        backlog_by=verdicts.runs_in({"week": backlog.ends}), weighted=not verdicts.even, scopes=verdicts.scopes,
        waiting=verdicts.waiting,
    )  # fmt: skip


def last_known(period: Period, data_end: datetime, window: timedelta, zone: tzinfo) -> Period:
    """The last weeks, not after these, whose windows are all over: conversations of a week end soon after it."""
    last = period.last
    while Period(last).ends_at(zone).replace(tzinfo=None) > data_end - window:
        last -= WEEK
    return Period(last, period.n_weeks)


def _strength(told: Told) -> tuple[float, str, str]:
    return (told.change.p if told.change else 1.0), told.figure, told.slice or ""


class _Weighing:
    """Readings of both periods by figure and slice; each query is made once."""

    def __init__(
        self, episodes: Episodes, verdicts: Judged, period: Period, known: Period, baseline_weeks: int, hours: int
    ) -> None:
        self._episodes, self._verdicts, self._hours = episodes, verdicts, hours
        self._period, self._known, self._weeks = period, known, baseline_weeks
        self._metrics: dict[Period, dict[tuple[str | None, str | None], Metrics]] = {}
        self._slices: dict[Period, dict[tuple[str | None, str | None], Slice]] = {}
        self._judged = verdicts.instruments()

    def metrics(self, period: Period) -> dict[tuple[str | None, str | None], Metrics]:
        """By dimension and slice."""
        if period not in self._metrics:
            where: Where = {"week": period.ends}
            self._metrics[period] = {
                (by, m.slice): m for by in _DIMENSIONS
                for m in of_episodes(self._episodes, by, window_hours=self._hours, where=where)
            }  # fmt: skip
        return self._metrics[period]

    def verdicts(self, period: Period) -> dict[tuple[str | None, str | None], Slice]:
        """The same of verdicts."""
        if period not in self._slices:
            where: Where = {"week": period.ends}
            self._slices[period] = {
                (by, s.slice): s for by in _DIMENSIONS for s in self._verdicts.slices(by, where)
            }  # fmt: skip
        return self._slices[period]

    def instruments(self, period: Period) -> list[dict[str, tuple[str, ...]]]:
        """What judged each week of these in which anything was judged, the latest first."""
        return [found for w in _weeks(period) if (found := self._judged.get(w))]

    def everything(self) -> list[Told]:
        """Every figure over all, by queue and by reason, each change adjusted for all of them."""
        slices = [(None, "all"), *(key for key in self.metrics(self._period) if key[0])]
        told = [self._told(figure, *key) for figure in _COMPARED for key in slices]
        # Escalated and contained are two sides of one thing, and one question.
        asked = changes.adjusted([None if t.figure == _COMPLEMENT else t.change for t in told])
        p_of = {
            (t.dimension, t.slice): c.p_adjusted
            for t, c in zip(told, asked, strict=True) if c and t.figure == _COMPLEMENT_OF
        }  # fmt: skip
        return [
            replace(t, change=c if t.figure != _COMPLEMENT else t.change and replace(
                t.change, p_adjusted=p_of.get((t.dimension, t.slice))
            ))
            for t, c in zip(told, asked, strict=True)
        ]  # fmt: skip

    def _told(self, figure: str, dimension: str | None, name: str | None) -> Told:
        period = self._known if figure in WAITS_FOR_RETURNS else self._period
        baseline = period.before(self._weeks)
        now = self.reading(figure, period, dimension, name)
        broken = False
        if figure in QUALITY:
            found = self._alike(figure, period, baseline)
            broken, baseline = found is None, found or baseline
        before = None if broken else self.reading(figure, baseline, dimension, name)
        return Told(figure, dimension, name, period, baseline, now, before, changes.change(before, now), broken)

    def _alike(self, figure: str, period: Period, baseline: Period) -> Period | None:
        """The weeks right before that the same judge judged; None where it changed at once, or within the period."""
        mine = self.instruments(period)
        if any(not comparable(figure, mine[0], other) for other in mine[1:]):
            return None
        last, n_alike, n = period.before(1).last, 0, 0
        for week in _weeks(baseline):
            found = self._judged.get(week)
            if found and mine and not comparable(figure, mine[0], found):
                break
            n += 1
            n_alike = n if found else n_alike
        if n_alike:
            return Period(last, n_alike)
        return baseline if n == baseline.n_weeks else None  # nothing was judged then, or another judge did

    def reading(self, figure: str, period: Period, dimension: str | None, name: str | None) -> Reading | None:
        """The figure of one slice of these weeks."""
        if figure in QUALITY:
            found = self.verdicts(period).get((dimension, name))
            return None if found is None else changes.of_estimate(found.figures[figure])
        counts = self.metrics(period).get((dimension, name))
        return None if counts is None else changes.of_readable(counts, figure)


def _weeks(period: Period) -> list[str]:
    """Its Mondays, the latest first."""
    return [(period.last - WEEK * n).isoformat() for n in range(period.n_weeks)]


def _trends(
    episodes: Episodes, verdicts: Judged, span: Period, known: Period, window_hours: int
) -> dict[str, tuple[Week, ...]]:
    where: Where = {"week": span.ends}
    metrics = {m.slice: m for m in of_episodes(episodes, "week", window_hours=window_hours, where=where)}
    return trends(span, known, metrics, {s.slice: s for s in verdicts.slices("week", where)}, verdicts.instruments())


def trends(
    span: Period, known: Period, metrics: Mapping[str | None, Metrics], slices: Mapping[str | None, Slice],
    judged: Mapping[str | None, Mapping[str, tuple[str, ...]]], figures: Sequence[str] = HEADLINES,
) -> dict[str, tuple[Week, ...]]:  # fmt: skip
    """Week by week, of every figure: `metrics` and `slices` by week, with what judged each. Where the judge changed,
    the line is broken; a week after `known` has no figure that waits for returns.
    """
    found: dict[str, tuple[Week, ...]] = {}
    for figure in figures:
        points: list[Week] = []
        before: Mapping[str, tuple[str, ...]] | None = None
        for week in reversed(_weeks(span)):
            if figure in QUALITY:
                mine, there = judged.get(week), slices.get(week)
                reading = None if there is None else changes.of_estimate(there.figures[figure])
                broken = bool(before and mine) and not comparable(figure, before or {}, mine or {})
                before = mine or before
            else:
                late = figure in WAITS_FOR_RETURNS and week > known.last.isoformat()
                counts = None if late else metrics.get(week)
                reading, broken = None if counts is None else changes.of_readable(counts, figure), False
            points.append(Week(week, reading, broken))
        found[figure] = tuple(points)
    return found
