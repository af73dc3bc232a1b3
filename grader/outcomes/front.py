"""What a head of CX wants of a run at a glance: what happened in its weeks, how it went before, what to fix first, and
which findings go with a return.

What happened is counted over all episodes of the weeks that the run lies in; hand-offs and causes are of the run's own
verdicts. Of weeks before, the run that judged most of each one counts, and the line of weeks breaks where the judge
changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from grader.outcomes import chain, changes
from grader.outcomes.association import Association, associations
from grader.outcomes.brief import TREND_WEEKS, Week, last_known, trends
from grader.outcomes.changes import Reading
from grader.outcomes.episodes import Where, opened
from grader.outcomes.figures import find_run
from grader.outcomes.metrics import Metrics, of_episodes
from grader.outcomes.period import WEEK, Period
from grader.outcomes.quality import QUALITY, Slice, Theme, judged, themes, undecided_by
from grader.outcomes.reader import Reader

FIGURES = ("ai_resolution", "false_containment", "recontact", "csat_ai", "csat_human", "handoff_resolved",
           "critical_defect")  # fmt: skip
HANDOFF = ("context_passed", "not_repeated")  # known of more hand-offs than whether it was solved
WINDOW_HOURS = 168
FIXES, PLACES = 5, 2  # causes that are told, biggest first; of each, the places where it costs most
MOST_WEEKS = 26  # that a trend goes back
STRAGGLERS = 0.05  # of a run, half of them at either end: so few do not double the weeks that it is about


@dataclass(frozen=True, slots=True)
class Weeks:
    """The weeks that a run is about: those that hold `n_inside` of its `n` conversations; `n_untimed` have no time."""

    period: Period
    known: Period  # the last weeks whose windows are all over
    n: int
    n_inside: int
    n_untimed: int


@dataclass(frozen=True, slots=True)
class Front:
    """`weeks` None: no conversation of the run has a time, and nothing is known of what happened around it. `readings`:
    by name of `FIGURES`, None where there is nothing to divide by. `fixes`: the biggest of `n_fixes` causes.
    """

    weeks: Weeks | None
    data_end: datetime | None
    metrics: Metrics | None
    readings: Mapping[str, Reading | None]
    trends: Mapping[str, tuple[Week, ...]]
    fixes: tuple[Theme, ...]
    n_fixes: int
    causes_decided: bool
    undecided: frozenset[str]
    associations: tuple[Association, ...]
    handoffs: Mapping[str, Reading] = field(default_factory=dict)  # what is known of the parts of a hand-off
    window_hours: int = WINDOW_HOURS

    @property
    def examples(self) -> tuple[str, ...]:
        """Conversations that what to fix points at."""
        return tuple(e for theme in self.fixes for line in theme.lines[:PLACES] for e in line.examples)


def front(reader: Reader, run_id: str | None = None, *, zone: tzinfo) -> Front:
    """The front of a run (the latest when `run_id` is None); weeks are those of `zone`. Raises as `find_run`."""
    run_id = find_run(reader, run_id)
    timezone = str(getattr(zone, "key", "UTC"))
    by_week: list[tuple[date | None, int]] = reader.rows(chain.text("quality", "weeks"), [run_id, timezone])
    about = associations(reader, run_id, window_hours=WINDOW_HOURS)
    with opened(reader, timezone=timezone) as episodes:
        end = episodes.data_end
        with judged(reader, episodes, run=run_id, timezone=timezone) as mine:
            # One judge over the whole run, and over each of its weeks.
            whole = next(iter(mine.slices()), None)
            own, instruments = mine.slices("week"), mine.instruments()
            causes = mine.ledger(WINDOW_HOURS)
        weeks = None if end is None else _weeks(by_week, end, zone)
        found = [t for t in themes(causes) if t.fix is not None]
        metrics: Metrics | None = None
        lines: dict[str, tuple[Week, ...]] = {}
        if weeks is not None:
            span = Period(weeks.period.last, min(MOST_WEEKS, max(TREND_WEEKS, weeks.period.n_weeks)))
            inside: Where = {"week": weeks.period.ends}
            metrics = next(iter(of_episodes(episodes, window_hours=WINDOW_HOURS, where=inside)), None)
            counts = of_episodes(episodes, "week", window_hours=WINDOW_HOURS, where={"week": span.ends})
            first, last = weeks.period.ends  # of the run's few conversations before, the runs of those weeks tell
            slices: dict[str | None, Slice] = {s.slice: s for s in own if s.slice and first <= s.slice <= last}
            judges = {week: told for week, told in instruments.items() if week in slices}
            if span.first < weeks.period.first:
                before = Period(weeks.period.first - WEEK, (weeks.period.first - span.first) // WEEK)
                with judged(reader, episodes, timezone=timezone, weeks=before.ends) as others:
                    slices = {s.slice: s for s in others.slices("week")} | slices
                    judges = others.instruments() | judges
            lines = _begun(
                trends(span, weeks.known, {m.slice: m for m in counts}, slices, judges, FIGURES), weeks.period
            )
    return Front(
        weeks, end, metrics, {name: _reading(name, metrics, whole) for name in FIGURES}, lines, tuple(found[:FIXES]),
        len(found), any(c.fix for c in causes), undecided_by(whole), tuple(about),
        {name: r for name in HANDOFF if (r := _reading(name, None, whole)) is not None},
    )  # fmt: skip


def _begun(lines: Mapping[str, tuple[Week, ...]], period: Period) -> dict[str, tuple[Week, ...]]:
    """From the first week in which anything is known, or the period's own first."""
    silent = 0
    for points in zip(*lines.values(), strict=True):
        if any(p.reading for p in points) or points[0].week >= period.first.isoformat():
            break
        silent += 1
    return {name: points[silent:] for name, points in lines.items()}


def _reading(name: str, metrics: Metrics | None, whole: Slice | None) -> Reading | None:
    if whole is not None and name in whole.figures:
        return changes.of_estimate(whole.figures[name])
    if metrics is None or name in QUALITY:
        return None
    return changes.of_readable(metrics, name)


def _weeks(by_week: Sequence[tuple[date | None, int]], end: datetime, zone: tzinfo) -> Weeks | None:
    """From the first to the last week of a run; a few conversations far off do not count for that."""
    timed = [(week, n) for week, n in by_week if week is not None]
    if not timed:
        return None
    total, untimed = sum(n for _, n in timed), sum(n for week, n in by_week if week is None)
    first, last = timed[0][0], timed[-1][0]
    start, stop = _inner(timed, total), _inner(timed[::-1], total)
    if 2 * (stop - start + WEEK) <= last - first + WEEK:
        first, last = start, stop
    period = Period(last, (last - first) // WEEK + 1)
    known = last_known(period, end, timedelta(hours=WINDOW_HOURS), zone)
    inside = sum(n for week, n in timed if first <= week <= last)
    return Weeks(period, known, total + untimed, inside, untimed)


def _inner(timed: Sequence[tuple[date, int]], total: int) -> date:
    """The first week before which no more than half of the stragglers lie."""
    passed = 0
    for week, n in timed:
        passed += n
        if passed > total * STRAGGLERS / 2:
            return week
    return timed[-1][0]
