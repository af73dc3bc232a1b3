"""`grader metrics`: what happened, over everything that was taken in, whether it was judged or not."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console
from grader.errors import ConfigError

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.outcomes.capacity import Capacity
    from grader.outcomes.metrics import Metrics
    from grader.outcomes.share import Bounds, Mean, Share

DATABASE_MEMORY = "3GB"  # DuckDB's share; a statement that needs more is given it
MOST_REASONS = 12  # rows of the page's table of reasons; --by reason has all


def metrics(
    by: Annotated[
        str | None, typer.Option("--by", help="week, queue, reason, channel, language or ai_version.")
    ] = None,
    window: Annotated[str, typer.Option(help="How long a return counts: 24h, 72h, 7d or 30d.")] = "7d",
    select: Annotated[
        list[str] | None,
        typer.Option(help="Only these, as in grade: queue:returns,since:2026-09-01,…", metavar="NAME:VALUE"),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(help="From this sample alone, weighted: its plan file or id (grader sample).", metavar="FILE|ID"),
    ] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a row per slice.")] = False,
    quiet: console.QuietOption = False,
) -> None:
    """Containment, resolution by the AI, returns, ratings, times and capacity freed, over all conversations.

    These come from what was taken in, not from a judge; but where nothing else tells it, the judge's contact reasons
    say whether a return is about the same issue. AI-resolved: closed, answered by the AI, no human, and no return
    about the same issue within the window. Only windows that are over count; docs/metrics.md defines each.
    `grader trace FIGURE` lists the conversations behind a figure.

    Example:
      grader metrics --by queue
      grader metrics --by week --window 72h --csv > weeks.csv
      grader metrics --plan .grader/samples/sa_….json
    """
    from grader.cli.grade import selection
    from grader.outcomes.capacity import freed
    from grader.outcomes.episodes import WINDOWS, checked, opened
    from grader.outcomes.metrics import of_episodes
    from grader.store import open_store

    del quiet
    if as_json and as_csv:
        raise ConfigError("--json and --csv both want stdout", cure="leave out one")
    if window not in WINDOWS:
        raise ConfigError(f"--window {window!r} is not known", cure=f"one of {', '.join(WINDOWS)}")
    hours = WINDOWS[window]
    checked(by, hours)
    settings = console.settings(workspace)
    if plan is not None:
        if as_csv or select:
            raise ConfigError("--plan goes with --by, --window and --json", cure="leave out --csv and --select")
        from grader.cli import sampled
        from grader.outcomes.sampled import sampled_metrics

        with open_store(settings.workspace.database, read_only=True, memory=DATABASE_MEMORY) as store:
            sample = sampled.sample_id(store, plan)
            drawn = sampled_metrics(store, sample, by=by, window_hours=hours, timezone=settings.workspace.timezone)
        sampled.tell(drawn, by, window, sample, as_json=as_json)
        return
    with open_store(settings.workspace.database, read_only=True, memory=DATABASE_MEMORY) as store:
        ids = store.population(selection(select), zone=settings.workspace.tz) if select else None
        with opened(store, ids=ids, timezone=settings.workspace.timezone) as episodes:
            found = of_episodes(episodes, by, window_hours=hours)
            capacity = freed(episodes, by, window_hours=hours)
            page = by is None and not as_csv
            windows = {name: of_episodes(episodes, window_hours=h) for name, h in WINDOWS.items()} if page else {}
            left_out = episodes.left_out()
            reasons = of_episodes(episodes, "reason", window_hours=hours) if page and not as_json else []
    if as_json:
        console.out_json(_documents(found, capacity, windows, by, window, settings))
    elif as_csv:
        _csv(found, capacity)
    elif not found:
        console.note("no conversation that a customer began")
    elif by is None:
        _rates(found[0], window)
        _windows({name: of[0] for name, of in windows.items()})
        _ratings(found[0], reasons)
        _times(found[0])
        _freed(capacity, settings)
        _foot(found[0], left_out)
    else:
        _table(found, {c.slice: c for c in capacity}, by, window, settings)


def _rates(m: Metrics, window: str) -> None:
    within = f"within {window}"
    rows = [
        ("contained", *share_cells(m.contained), "closed without a human: deflection"),
        ("AI-resolved", *bounds_cells(m.ai_resolved), f"answered by the AI, no human, not back about it {within}"),
        (
            "false containment", *bounds_cells(m.false_containment),
            f"of those by the AI alone: back about it {within}",
        ),
        ("came back after the AI", *share_cells(m.came_back_after_ai), f"about anything {within}"),
        ("came back, same issue", *bounds_cells(m.same_issue), within),
        ("the same, after a human", *bounds_cells(m.same_issue_after_human), within),
        ("came back, about anything", *share_cells(m.came_back), within),
        ("return could be seen", *share_cells(m.coverage), "customer and time are known: the coverage of all returns"),
        ("escalated to a human", *share_cells(m.escalated), "of the closed ones"),
        ("answered at all", *share_cells(m.answered), "by the AI or a human"),
    ]  # fmt: skip
    console.table(["figure", "rate>", "95 % interval", "count>", ""], rows)


def _windows(by_window: dict[str, Metrics]) -> None:
    columns = ("came back within", "same issue>", "about anything>", "after the AI, same issue>", "not yet known>")
    console.out()
    console.table(columns, [
        (name, _short_bounds(m.same_issue), _short(m.came_back), _short_bounds(m.false_containment),
         f"{m.n_not_yet_known:,}")
        for name, m in by_window.items()
    ])  # fmt: skip


def _ratings(m: Metrics, reasons: Sequence[Metrics]) -> None:
    """By reason first: over all, an AI that gets the easy reasons looks better than a human."""
    rated = sorted((r for r in reasons if r.n_csat_ai + r.n_csat_human), key=lambda r: (r.slice is None, -r.n_episodes))
    rows = [(r.slice or "(not known)", *_rated(r)) for r in rated[:MOST_REASONS]]
    more = len(rated) - MOST_REASONS
    if more > 0:
        rows.append((f"… {more} more: grader metrics --by reason", "", "", "", ""))
    console.out()
    console.table(
        ("CSAT by reason", "without a human>", "rated of>", "with a human>", "rated of>"),
        [*rows, ("all reasons", *_rated(m))],
    )


def _rated(m: Metrics) -> tuple[str, str, str, str]:
    ai, human = m.csat_response_ai, m.csat_response_human
    return (
        mean_cell(m.csat_ai), f"{ai.n:,} of {ai.of:,}", mean_cell(m.csat_human), f"{human.n:,} of {human.of:,}",
    )  # fmt: skip


def _times(m: Metrics) -> None:
    waiting = f", {m.n_first_answer_waited:,} without" if m.n_first_answer_waited else ""
    not_over = f", {m.n_resolution_waited:,} open" if m.n_resolution_waited else ""
    timed = [
        ("time to first answer", seconds_cell(m.first_answer_median), seconds_cell(m.first_answer_p90),
         f"{m.n_answered:,} answered{waiting}"),
        ("time to resolution", seconds_cell(m.resolution_median), seconds_cell(m.resolution_p90),
         f"{m.n_timed:,} closed{not_over}"),
    ]  # fmt: skip
    if m.n_handled:
        said = f"{m.n_handled:,} of {m.n_handed_over:,} with a human say it"
        timed.append(("human handle time", f"{m.handle_median:.1f} min", "–", said))
    console.out()
    console.table(["time", "median>", "90 % within>", "of"], timed)


def _freed(capacity: Sequence[Capacity], settings: Settings) -> None:
    from grader.outcomes.capacity import FEWEST_HANDLED

    console.out()
    told = next(iter(capacity), None)
    if told is None or told.hours is None:
        console.out(
            f"capacity freed: not known; it takes the handle minutes of {FEWEST_HANDLED} humans for a reason "
            "(`handle_minutes` of outcomes)"
        )
        return
    rows = [
        (p.reason or "(not known)", f"{p.n_resolved:,}" + (f" to {p.n_resolved + p.n_unknown:,}" * bool(p.n_unknown)),
         f"{p.handled.median:.1f} min" if p.handled else "too few known", f"{p.handled.n:,}" if p.handled else "–",
         f"{p.n_resolved * p.handled.median / 60:.1f} h" if p.handled else "–")
        for p in told.parts[:MOST_REASONS]
    ]  # fmt: skip
    console.table(("capacity freed", "AI-resolved>", "a human's median>", "known of>", "hours>"), rows)
    console.out(
        f"capacity freed: {freed_cell(told, settings)}; it assumes that a human would have taken the median of the "
        f"same reason{_left_out(told)}"
    )


def _left_out(told: Capacity) -> str:
    return f"; {told.n_not_counted:,} resolved ones of other reasons count nothing" if told.n_not_counted else ""


def freed_cell(told: Capacity | None, settings: Settings) -> str:
    """Hours with both ends, and money where an hour has a price."""
    if told is None or told.hours is None:
        return "–"
    point, low, high = told.hours
    text = f"{point:,.1f} h ({low:,.1f} to {high:,.1f})"
    if money := told.money(settings.figures.human_hour_cost):
        text += f", {money[0]:,.0f} {settings.figures.currency} ({money[1]:,.0f} to {money[2]:,.0f})"
    return text


def _foot(m: Metrics, left_out: dict[str, int]) -> None:
    ended = f"data end {m.data_end:%Y-%m-%d %H:%M} UTC" if m.data_end else "no times"
    console.out()
    console.out(
        f"{m.n_episodes:,} episodes that a customer began: {m.n_closed:,} closed, {m.n_open:,} open\n"
        f"windows over {m.n_matured:,}, not yet {m.n_not_yet_known:,}, no identity {m.n_no_identity:,}, "
        f"no time {m.n_no_time:,} · {ended}"
    )
    if m.n_issue_judged:
        told = (
            f"of {m.n_issue_judged:,} of {m.n_came_back:,} returns the judge's contact reasons tell what they are about"
        )
        console.out(told)
    if left_out:
        console.out(f"not counted: {', '.join(f'{why} {n:,}' for why, n in left_out.items())}")


def _table(found: list[Metrics], freed: dict[str | None, Capacity], by: str, window: str, settings: Settings) -> None:
    columns = (
        by, "episodes>", "not yet>", "contained>", "AI-resolved>", "back, same>", "back, any>", "seen>", "escalated>",
        "CSAT AI>",
        "CSAT human>", "freed>",
    )  # fmt: skip
    console.table(columns, [
        (slice_cell(by, m.slice), f"{m.n_episodes:,}", f"{m.n_not_yet_known:,}", _short(m.contained),
         _short_bounds(m.ai_resolved),
         _short_bounds(m.same_issue), _short(m.came_back), _short(m.coverage), _short(m.escalated),
         _rating(m.csat_ai, m.csat_response_ai), _rating(m.csat_human, m.csat_response_human),
         _hours(freed.get(m.slice)))
        for m in found
    ])  # fmt: skip
    price = settings.figures.human_hour_cost
    money = f"; an hour costs {price:g} {settings.figures.currency}" if price is not None else ""
    console.note(
        f"AI-resolved and back: of those whose {window} are over (not yet: those that are not); `a to b`: the issue of "
        "some is not known; seen: of how many a return could be seen; CSAT: mean (rated/all); freed: hours, assuming "
        f"the median of humans for the "
        f"same reason{money}"
    )


def slice_cell(by: str, name: str | None) -> str:
    """A slice as a table names it; a week by its number too."""
    if name is None:
        return "(not known)"
    if by != "week":
        return name
    from datetime import date

    from grader.outcomes.period import Period

    return f"{name} ({Period(date.fromisoformat(name)).name})"


def share_cells(share: Share) -> tuple[str, str, str]:
    """Rate, interval and counts."""
    from grader.outcomes.share import percent

    low, high = share.interval or (0.0, 1.0)
    interval = f"{percent(low)} to {percent(high)}" if share.of else "–"
    return percent(share.rate), interval, f"{share.n:,} of {share.of:,}"


def bounds_cells(bounds: Bounds) -> tuple[str, str, str]:
    """The same; both ends where a part is not known."""
    from grader.outcomes.share import percent

    if not bounds.n_unknown:
        return share_cells(bounds.low)
    low, high = bounds.interval or (0.0, 1.0)
    rates = f"{percent(bounds.low.rate)} to {percent(bounds.high.rate)}"
    return rates, f"{percent(low)} to {percent(high)}", f"{bounds.low.n:,} to {bounds.high.n:,} of {bounds.of:,}"


def _short(share: Share) -> str:
    from grader.outcomes.share import percent

    return f"{percent(share.rate)} ({share.n:,}/{share.of:,})"


def _short_bounds(bounds: Bounds) -> str:
    from grader.outcomes.share import percent

    if not bounds.n_unknown:
        return _short(bounds.low)
    low, high = bounds.low, bounds.high
    return f"{percent(low.rate)} to {percent(high.rate)} ({low.n:,}–{high.n:,}/{bounds.of:,})"


def mean_cell(mean: Mean) -> str:
    """A mean with its interval, where there are ratings enough for one."""
    if mean.value is None:
        return "–"
    return f"{mean.value:.2f}" + (f" ({mean.interval[0]:.2f} to {mean.interval[1]:.2f})" if mean.interval else "")


def _rating(mean: Mean, response: Share) -> str:
    value = "–" if mean.value is None else f"{mean.value:.2f}"
    return f"{value} ({response.n:,}/{response.of:,})"


def _hours(capacity: Capacity | None) -> str:
    return "–" if capacity is None or capacity.hours is None else f"{capacity.hours[0]:,.1f} h"


def seconds_cell(value: float | None) -> str:
    """A time in its own unit."""
    if value is None:
        return "not reached"  # half of them, or nine in ten, were not there while they were watched
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.1f} min" if value < 7200 else f"{value / 3600:.1f} h"


def _documents(
    found: Sequence[Metrics], capacity: Sequence[Capacity], windows: dict[str, list[Metrics]], by: str | None,
    window: str, settings: Settings,
) -> dict[str, Any]:  # fmt: skip
    freed = {c.slice: c for c in capacity}
    document: dict[str, Any] = {
        "by": by, "window": window,
        "slices": [_document(m) | {"capacity": _capacity(freed.get(m.slice), settings)} for m in found],
    }  # fmt: skip
    if windows:
        document["windows"] = {
            name: {"same_issue": bounds_document(m.same_issue), "came_back": share_document(m.came_back),
                   "false_containment": bounds_document(m.false_containment), "n_not_yet_known": m.n_not_yet_known}
            for name, of in windows.items() for m in of
        }  # fmt: skip
    return document


def share_document(s: Share) -> dict[str, Any]:
    """Counts as they are, the rate beside them: null where nothing is known."""
    return {"n": s.n, "of": s.of, "rate": s.rate, "interval": s.interval}


def bounds_document(b: Bounds) -> dict[str, Any]:
    """The same with both ends, where a part is not known."""
    return {"n": b.n, "n_unknown": b.n_unknown, "of": b.of, "low": b.low.rate, "high": b.high.rate,
            "interval": b.interval}  # fmt: skip


def mean_document(m: Mean) -> dict[str, Any]:
    """A mean with its interval; null with too few ratings."""
    return {"n": m.n, "mean": m.value, "interval": m.interval}


def _document(m: Metrics) -> dict[str, Any]:
    from grader.outcomes.share import Share

    rates: dict[str, Any] = {}
    for name, share in (
        ("contained", m.contained), ("came_back", m.came_back), ("came_back_after_ai", m.came_back_after_ai),
        ("escalated", m.escalated), ("coverage", m.coverage), ("answered", m.answered),
        ("csat_response_ai", m.csat_response_ai), ("csat_response_human", m.csat_response_human),
        ("ai_resolved", m.ai_resolved), ("false_containment", m.false_containment), ("same_issue", m.same_issue),
        ("same_issue_after_human", m.same_issue_after_human),
    ):  # fmt: skip
        rates[name] = share_document(share) if isinstance(share, Share) else bounds_document(share)
    return {**asdict(m), **rates, "csat_ai": mean_document(m.csat_ai), "csat_human": mean_document(m.csat_human)}


def _capacity(told: Capacity | None, settings: Settings) -> dict[str, Any] | None:
    if told is None:
        return None
    price = settings.figures.human_hour_cost
    return {
        "hours": told.hours, "money": told.money(price), "human_hour_cost": price,
        "currency": settings.figures.currency, "n_counted": told.n_counted, "n_not_counted": told.n_not_counted,
        "assumes": "a human would have taken the median minutes of the same reason",
        "reasons": [asdict(part) for part in told.parts],
    }  # fmt: skip


def _csv(found: list[Metrics], capacity: Sequence[Capacity]) -> None:
    freed = {c.slice: c.hours for c in capacity}
    documents = [asdict(m) | {
        "contained_rate": m.contained.rate, "ai_resolved_low": m.ai_resolved.low.rate,
        "ai_resolved_high": m.ai_resolved.high.rate, "false_containment_low": m.false_containment.low.rate,
        "false_containment_high": m.false_containment.high.rate, "same_issue_low": m.same_issue.low.rate,
        "same_issue_high": m.same_issue.high.rate, "came_back_rate": m.came_back.rate,
        "coverage_rate": m.coverage.rate, "escalated_rate": m.escalated.rate,
        "csat_ai": m.csat_ai.value, "csat_human": m.csat_human.value,
        "csat_response_ai_rate": m.csat_response_ai.rate, "csat_response_human_rate": m.csat_response_human.rate,
        "hours_freed": (freed.get(m.slice) or (None,))[0],
    } for m in found]  # fmt: skip
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if documents:
        writer.writerow(documents[0])
        for document in documents:
            writer.writerow(
                [console.csv_cell(value) if isinstance(value, str) else value for value in document.values()]
            )
