"""`grader metrics`: what happened, over everything that was taken in, whether it was judged or not."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console
from grader.errors import ConfigError

if TYPE_CHECKING:
    from grader.outcomes.metrics import Metrics
    from grader.outcomes.share import Bounds, Share


def metrics(
    by: Annotated[
        str | None, typer.Option("--by", help="week, queue, reason, channel, language or ai_version.")
    ] = None,
    window: Annotated[str, typer.Option(help="How long a return counts: 24h, 72h, 7d or 30d.")] = "7d",
    select: Annotated[
        list[str] | None,
        typer.Option(help="Only these, as in grade: queue:returns,since:2026-09-01,…", metavar="NAME:VALUE"),
    ] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a row per slice.")] = False,
    quiet: console.QuietOption = False,
) -> None:
    """Containment, resolution by the AI, returns, ratings and times, over all conversations.

    These come from what was taken in, not from a judge. AI-resolved: closed, answered by the AI, no human, and no
    return about the same issue within the window. Only windows that are over count; docs/metrics.md defines each.

    Example:
      grader metrics --by queue
      grader metrics --by week --window 72h --csv > weeks.csv
    """
    from grader.cli.grade import selection
    from grader.outcomes.metrics import WINDOWS
    from grader.outcomes.metrics import metrics as count
    from grader.store import open_store

    del quiet
    if as_json and as_csv:
        raise ConfigError("--json and --csv both want stdout", cure="leave out one")
    if window not in WINDOWS:
        raise ConfigError(f"--window {window!r} is not known", cure=f"one of {', '.join(WINDOWS)}")
    settings = console.settings(workspace)
    with open_store(settings.workspace.database, read_only=True) as store:
        ids = store.population(selection(select), zone=settings.workspace.tz) if select else None
        found = count(
            store, by=by, window_hours=WINDOWS[window], ids=ids, timezone=settings.workspace.timezone
        )  # fmt: skip
    if as_json:
        console.out_json({"by": by, "window": window, "slices": [_document(m) for m in found]})
    elif as_csv:
        _csv(found)
    elif not found:
        console.note("no conversation that a customer began")
    elif by is None:
        _page(found[0], window)
    else:
        _table(found, by, window)


def _page(m: Metrics, window: str) -> None:
    rows = [
        ("contained", *_share(m.contained), "closed without a human: deflection"),
        ("AI-resolved", *_bounds(m.ai_resolved), f"answered by the AI, no human, not back about it within {window}"),
        (
            "false containment",
            *_bounds(m.false_containment),
            f"of those by the AI alone: back about it within {window}",
        ),
        ("came back, same issue", *_bounds(m.same_issue), f"within {window}"),
        ("came back, about anything", *_share(m.came_back), f"within {window}"),
        ("return could be seen", *_share(m.coverage), "customer and time are known"),
        ("answered at all", *_share(m.answered), "by the AI or a human"),
    ]
    console.table(["figure", "rate>", "95 % interval", "count>", ""], rows)
    console.out()
    timed = [
        ("CSAT without a human", _mean(m.csat_ai), f"{m.n_csat_ai:,} of {m.n_episodes - m.n_handed_over:,} rated"),
        ("CSAT with a human", _mean(m.csat_human), f"{m.n_csat_human:,} of {m.n_handed_over:,} rated"),
        ("time to first answer", _times(m.first_answer_median, m.first_answer_p90, 60), f"{m.n_answered:,} answered"),
        ("first to last message", _times(m.minutes_median, m.minutes_p90, 1), f"{m.n_timed:,} closed"),
    ]
    if m.n_handled:
        handled = f"{m.n_handled:,} of {m.n_handed_over:,} with a human say it"
        timed.append(("human handle time", f"{m.handle_median:.1f} min (median)", handled))
    console.table(["figure", "value", "of"], timed)
    console.out()
    ended = f"data end {m.data_end:%Y-%m-%d %H:%M} UTC" if m.data_end else "no times"
    console.out(
        f"{m.n_episodes:,} episodes that a customer began: {m.n_closed:,} closed, {m.n_open:,} open\n"
        f"windows over {m.n_matured:,}, not yet {m.n_not_yet_known:,}, no identity {m.n_no_identity:,}, "
        f"no time {m.n_no_time:,} · {ended}"
    )


def _table(found: list[Metrics], by: str, window: str) -> None:
    columns = (by, "episodes>", "contained>", "AI-resolved>", "back, same>", "back, any>", "CSAT AI>", "CSAT human>")
    console.table(columns, [
        (m.slice or "(not known)", f"{m.n_episodes:,}", _short(m.contained), _short_bounds(m.ai_resolved),
         _short_bounds(m.same_issue), _short(m.came_back), _rated(m.csat_ai, m.n_csat_ai),
         _rated(m.csat_human, m.n_csat_human))
        for m in found
    ])  # fmt: skip
    console.note(f"AI-resolved and back: of those whose {window} are over; `a to b`: the issue of some is not known")


def _share(share: Share) -> tuple[str, str, str]:
    from grader.outcomes.share import percent

    low, high = share.interval or (0.0, 1.0)
    interval = f"{percent(low)} to {percent(high)}" if share.of else "–"
    return percent(share.rate), interval, f"{share.n:,} of {share.of:,}"


def _bounds(bounds: Bounds) -> tuple[str, str, str]:
    from grader.outcomes.share import percent

    if not bounds.n_unknown:
        return _share(bounds.low)
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


def _mean(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _rated(value: float | None, n: int) -> str:
    return f"{_mean(value)} ({n:,})"


def _times(median: float | None, p90: float | None, per_minute: float) -> str:
    if median is None or p90 is None:
        return "–"
    return f"{median / per_minute:.1f} min (median), {p90 / per_minute:.1f} min (p90)"


def _document(m: Metrics) -> dict[str, Any]:
    """Counts as they are, rates beside them: null where nothing is known, both ends where a part is not."""
    rates: dict[str, Any] = {
        name: {"n": s.n, "of": s.of, "rate": s.rate, "interval": s.interval}
        for name, s in (("contained", m.contained), ("came_back", m.came_back), ("coverage", m.coverage),
                        ("answered", m.answered))
    }  # fmt: skip
    rates |= {
        name: {"n": b.n, "n_unknown": b.n_unknown, "of": b.of, "low": b.low.rate, "high": b.high.rate,
               "interval": b.interval}
        for name, b in (("ai_resolved", m.ai_resolved), ("false_containment", m.false_containment),
                        ("same_issue", m.same_issue))
    }  # fmt: skip
    return {**asdict(m), **rates, "csat_ai": m.csat_ai, "csat_human": m.csat_human}


def _csv(found: list[Metrics]) -> None:
    from grader.report.export import cell

    documents = [asdict(m) | {
        "contained_rate": m.contained.rate, "ai_resolved_low": m.ai_resolved.low.rate,
        "ai_resolved_high": m.ai_resolved.high.rate, "same_issue_low": m.same_issue.low.rate,
        "same_issue_high": m.same_issue.high.rate, "came_back_rate": m.came_back.rate,
        "csat_ai": m.csat_ai, "csat_human": m.csat_human,
    } for m in found]  # fmt: skip
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if documents:
        writer.writerow(documents[0])
        for document in documents:
            writer.writerow([cell(value) if isinstance(value, str) else value for value in document.values()])
