"""`grader quality` and `grader ledger`: what the judge found, in weights, and the backlog of what to fix."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console, narrow
from grader.cli.metrics import DATABASE_MEMORY, slice_cell

if TYPE_CHECKING:
    from grader.calibration.trust import Trusted
    from grader.config import Settings
    from grader.outcomes.episodes import Where
    from grader.outcomes.quality import Cause, Judged, Slice
    from grader.statistics.stratified import Estimate

SHOWN = ("resolved", "critical_defect", "handoff_resolved", "escalated_too_late", "missed_escalation",
         "irritated_after_ai")  # fmt: skip
KINDS = {"escalation": "a human took over", "non_resolution": "not solved"}


def quality(
    by: Annotated[
        str | None, typer.Option("--by", help="week, queue, reason, channel, language or ai_version.")
    ] = None,
    week: narrow.WeekOption = None,
    weeks: narrow.WeeksOption = 1,
    queue: narrow.QueueOption = None,
    reason: narrow.ReasonOption = None,
    channel: narrow.ChannelOption = None,
    language: narrow.LanguageOption = None,
    ai_version: narrow.VersionOption = None,
    run: narrow.RunOption = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """What the judge found: solved, defects, quality of hand-offs, escalations too early and too late, mood.

    Of each week one run counts, the one that judged most of it, with the weights of its sample. By week, a line says
    where rubric, prompt, model or judge changed: figures on both sides of it do not compare. Each figure says whether
    its judge was held against people's labels (grader calibrate).

    Example:
      grader quality --by queue
      grader quality --by week --queue returns
    """
    from grader.cli.figures import calibration_lines
    from grader.outcomes.quality import QUALITY

    del quiet
    where = narrow.narrowed(
        week=week, weeks=weeks, queue=queue, reason=reason, channel=channel, language=language, ai_version=ai_version
    )
    settings = console.settings(workspace)
    with _opened(settings, run, where) as (found, trusted):
        slices, instruments = found.slices(by, where), found.instruments()
        reasons = found.escalation_reasons(where) if by is None else []
        even, runs, scopes, waiting = found.even, found.runs, found.scopes, found.waiting
    if as_json:
        console.out_json({
            "by": by, "runs": runs, "weighted": not even, "scopes": scopes, "waiting": waiting,
            "escalation_reasons": {option: _estimate_document(e) for option, e in reasons},
            "calibration": trusted.lines(),
            "slices": [_document(s, trusted) for s in slices],
            "instruments": {w or "(not known)": judged for w, judged in instruments.items()},
        })  # fmt: skip
        return
    if not slices:
        console.note("no conversation of these was judged: grader grade")
        return
    if by is None:
        # Errors were found over all that was judged: a part of it has no rate by people.
        _page(slices[0], reasons, trusted, weighted=not even, whole=not narrow.parted(where))
    else:
        _table(slices, by, instruments if by == "week" else {})
    _tell_zeros(slices, QUALITY if by is None else SHOWN, trusted)
    console.out()
    calibration_lines(trusted)
    named = f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs, of each week the one that judged most"
    console.note(f"{named}; " + ("every conversation had the same chance" if even else "weighted by how it was drawn"))
    for run_id, n in waiting.items():
        console.note(
            f"run {run_id} did not come to its end: {n:,} conversations wait, and what was judged is no random part"
        )
    if scopes:
        console.note(f"about {'; '.join(scopes)} only: nothing else could be drawn")


@contextmanager
def _opened(settings: Settings, run: str | None, where: Where) -> Iterator[tuple[Judged, Trusted]]:
    from grader.calibration.trust import of_runs
    from grader.outcomes.episodes import opened
    from grader.outcomes.figures import find_run
    from grader.outcomes.quality import judged
    from grader.store import open_store

    zone = settings.workspace.timezone
    with open_store(settings.workspace.database, read_only=True, memory=DATABASE_MEMORY) as store:
        whole = find_run(store, run) if run else None
        with opened(store, timezone=zone) as episodes, judged(store, episodes, run=whole, timezone=zone) as found:
            narrow.point_out(episodes, where)
            yield found, of_runs(store, found.runs_in(where))


def estimate_cells(e: Estimate | None) -> tuple[str, str, str]:
    """Rate, interval and counts; the counts are those of the sample, the rate that of what it was drawn from."""
    from grader.outcomes.share import percent

    if e is None:
        return "–", "–", "0 of 0"
    return percent(e.point), f"{percent(e.low)} to {percent(e.high)}", f"{e.n:,} of {e.of:,}"


def _page(
    s: Slice, reasons: list[tuple[str, Estimate]], trusted: Trusted, *, weighted: bool, whole: bool
) -> None:  # fmt: skip
    from grader.outcomes.quality import QUALITY
    from grader.report.believed import by_people, of_cause, of_figure

    people = {
        name: by_people(of_figure(trusted, name), e.n, e.of, weighted=weighted)
        for name, e in s.figures.items() if e is not None and whole and not QUALITY[name].inverted
    }  # fmt: skip
    columns = ["figure", "rate>", "95 % interval", "count>", "from", "judge"]
    rows: list[tuple[str, ...]] = [
        (f.title, *estimate_cells(s.figures[name]), ", ".join(f.rubrics), of_figure(trusted, name).short)
        for name, f in QUALITY.items()
    ]
    if any(people.values()):
        columns.append("by people")
        rows = [(*row, people.get(name, "")) for row, name in zip(rows, QUALITY, strict=True)]
    console.table(columns, rows)
    console.out(_stands_for(s))
    if reasons:
        console.out()
        console.table(
            ["why a human took over", "of hand-offs>", "95 % interval", "count>", "judge"],
            [(option, *estimate_cells(e), of_cause(trusted, "escalation", option).short) for option, e in reasons],
        )


def _tell_zeros(slices: Sequence[Slice], figures: Iterable[str], trusted: Trusted) -> None:
    """What each figure leaves open in which nothing was flagged anywhere here."""
    from grader.outcomes.quality import QUALITY
    from grader.report.believed import of_figure, zero

    for name in figures:
        told = {
            text for s in slices if (e := s.figures[name]) is not None
            and (text := zero(name, e.n, e.of, of_figure(trusted, name)))
        }  # fmt: skip
        for text in sorted(told):
            console.out(f"{QUALITY[name].title}, where nothing was flagged: {text}")


def _stands_for(s: Slice) -> str:
    if abs(s.volume - s.n_conversations) < 0.5:
        return f"{s.n_conversations:,} judged conversations"
    return f"{s.n_conversations:,} judged conversations, which stand for {s.volume:,.0f}"


def _table(slices: list[Slice], by: str, instruments: dict[str | None, dict[str, tuple[str, ...]]]) -> None:
    from grader.outcomes.quality import QUALITY, comparable
    from grader.outcomes.share import percent
    from grader.report.reading import small

    shown = SHOWN
    columns = (by, "judged>", *(f"{small(QUALITY[name].title)}>" for name in shown))
    rows: list[tuple[str, ...]] = []
    before: str | None = None
    for s in slices:
        if instruments and before is not None and s.slice is not None:
            broken = [n for n in shown if not comparable(n, instruments.get(before, {}), instruments.get(s.slice, {}))]
            if broken:
                rows.append(("── the judge changed ──", "", *("/" if n in broken else "" for n in shown)))
        cells = [
            "–" if (e := s.figures[name]) is None else f"{percent(e.point)} ({e.n:,}/{e.of:,})" for name in shown
        ]  # fmt: skip
        rows.append((slice_cell(by, s.slice), f"{s.n_conversations:,}", *cells))
        before = s.slice
    console.table(columns, rows)


def _document(s: Slice, trusted: Trusted) -> dict[str, Any]:
    from grader.report.believed import of_figure
    from grader.report.export import composite

    return {
        "slice": s.slice, "n_conversations": s.n_conversations, "n_in_part": s.n_in_part, "volume": s.volume,
        "figures": {
            name: e and _estimate_document(e) | {"calibration": composite(of_figure(trusted, name))}
            for name, e in s.figures.items()
        },
    }  # fmt: skip


def _estimate_document(e: Estimate) -> dict[str, Any]:
    return {"n": e.n, "of": e.of, "rate": e.point, "low": e.low, "high": e.high, "method": e.method}


def ledger(
    week: narrow.WeekOption = None,
    weeks: narrow.WeeksOption = 1,
    queue: narrow.QueueOption = None,
    reason: narrow.ReasonOption = None,
    window: narrow.WindowOption = "7d",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many lines of the table.")] = 25,
    run: narrow.RunOption = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, all lines.")] = False,
    quiet: console.QuietOption = False,
) -> None:
    """The backlog: why humans took over and what was not solved, by cause, contact reason and queue.

    Ranked by the human hours that each costs (those of the conversation, and of the return about the same issue), then
    by volume; what nobody can fix stands last. Volumes are those of what the sample was drawn from.

    Example:
      grader ledger --queue returns
      grader ledger --week 2026-W38 --weeks 4 --csv > backlog.csv
    """
    from grader.errors import ConfigError
    from grader.outcomes.quality import FIXES, themes
    from grader.report.believed import of_cause
    from grader.report.export import composite
    from grader.report.reading import rounded

    del quiet
    if as_json and as_csv:
        raise ConfigError("--json and --csv both want stdout", cure="leave out one")
    hours = narrow.hours(window)
    where = narrow.narrowed(week=week, weeks=weeks, queue=queue, reason=reason)
    settings = console.settings(workspace)
    with _opened(settings, run, where) as (found, trusted):
        causes = found.ledger(hours, where)
    if as_json:
        console.out_json({
            "window": window, "calibration": trusted.lines(),
            "causes": [
                asdict(c) | {"fix": c.fix, "calibration": composite(of_cause(trusted, c.kind, c.cause))}
                for c in causes
            ],
        })  # fmt: skip
        return
    if as_csv:
        _csv(causes, trusted)
        return
    if not causes:
        console.note(
            "no escalation or failure of these has a cause: the rubric `resolution` names them, and the offline "
            "judge decides few"
        )
        return
    fixable = [c for c in causes if c.fix is not None]
    console.table(
        ("what happened", "cause", "fix", "volume>", "judged>", "came back>", "hours>", "examples"),
        [
            (KINDS[t.kind], t.cause, t.fix or "–", rounded(t.total("volume")), f"{t.total('n'):,.0f}",
             f"{t.total('n_came_back'):.0f} of {t.total('n_matured'):.0f}",
             rounded(t.total("hours"), 1) + (f" + {n:.0f} not known" if (n := t.total("n_hours_unknown")) else ""),
             ", ".join(t.examples))
            for t in themes(causes)
        ],
        title="by cause",
    )  # fmt: skip
    console.out()
    console.table(
        ("what happened", "cause", "reason", "queue", "volume>", "judged>", "came back>", "hours>", "fix", "examples"),
        [_line(c) for c in causes[:limit]],
        title="by cause, reason and queue",
    )
    console.out()
    console.out("; ".join(f"{KINDS[kind]}, by cause: {of_cause(trusted, kind).short}" for kind in KINDS))
    if len(causes) > limit:
        console.note(f"… and {len(causes) - limit} more lines: --limit {len(causes)}, --csv or --json has them")
    unfixed = len(causes) - len(fixable)
    console.note(
        f"came back: about the same issue within {window}, of those whose window is over; hours are at least these; a "
        "conversation can stand in a line of each kind, so do not add up across; "
        f"{unfixed} of {len(causes)} lines name a cause that is not fixed by a change "
        f"({', '.join(sorted({cause for (_, cause), fix in FIXES.items() if fix is None}))})"
    )
    console.note("a line's conversations: grader trace escalation_cause --cause CAUSE --reason REASON --queue QUEUE")


def _line(c: Cause) -> tuple[str, ...]:
    from grader.report.reading import rounded

    unknown = f" + {c.n_hours_unknown} not known" if c.n_hours_unknown else ""
    return (
        KINDS[c.kind], c.cause, c.reason or "(not known)", c.queue or "(none)", rounded(c.volume), f"{c.n:,}",
        f"{c.n_came_back:,} of {c.n_matured:,}", f"{rounded(c.hours, 1)}{unknown}", c.fix or "–", ", ".join(c.examples),
    )  # fmt: skip


def _csv(causes: list[Cause], trusted: Trusted) -> None:
    from grader.report.believed import of_cause

    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, cause in enumerate(causes):
        row = asdict(cause) | {"fix": cause.fix, "examples": " ".join(cause.examples)}
        row["calibration"] = of_cause(trusted, cause.kind, cause.cause).short
        if number == 0:
            writer.writerow(row)
        writer.writerow([console.csv_cell(value) if isinstance(value, str) else value for value in row.values()])
