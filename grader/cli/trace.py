"""`grader trace`: the conversations behind a figure, so that no number has to be believed."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console, narrow
from grader.cli.metrics import DATABASE_MEMORY, seconds_cell
from grader.errors import ConfigError, InputError

if TYPE_CHECKING:
    from grader.calibration.trust import Trusted
    from grader.outcomes.episodes import Episodes, Where
    from grader.outcomes.quality import Judged

MEASURED = {  # figures that are no rate: the column with the value, and the one that says which count
    "csat_ai": ("csat", "rated_ai"), "csat_human": ("csat", "rated_human"),
    "first_answer_seconds": ("first_answer_seconds", "answered"), "resolution_seconds": ("seconds", "timed"),
    "handle_minutes": ("handle_minutes", "handled"),
}  # fmt: skip
LISTED = ("episodes", "returns", "capacity")  # everything; each with its status; what the AI freed
AUDIT = "ai_resolution_judged"
CAUSES = {"escalation_cause": "escalation", "non_resolution_cause": "non_resolution"}
_FOLLOWED = ("same_issue", "issue_unknown", "matched_by")  # what is told of a return


@dataclass(frozen=True)
class Traced:
    """The rows of a figure, and the figure as they give it. `shown` names the column that is printed of each row."""

    told: str
    rows: list[dict[str, Any]]
    shown: str = "counts"


def trace(
    figure: Annotated[str, typer.Argument(help="The figure; an unknown one gives the list of them.")],
    week: narrow.WeekOption = None,
    weeks: narrow.WeeksOption = 1,
    queue: narrow.QueueOption = None,
    reason: narrow.ReasonOption = None,
    channel: narrow.ChannelOption = None,
    language: narrow.LanguageOption = None,
    ai_version: narrow.VersionOption = None,
    cause: Annotated[
        str | None, typer.Option("--cause", help="With escalation_cause or non_resolution_cause: which one.")
    ] = None,
    window: narrow.WindowOption = "7d",
    run: narrow.RunOption = None,
    only: Annotated[str | None, typer.Option("--only", help="yes, no or unknown: only the rows that count so.")] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a row per conversation.")] = False,
    quiet: console.QuietOption = False,
) -> None:
    """List the conversations behind a figure of `grader metrics`, `quality`, `ledger` or `brief`.

    Each row says whether it counts; the last line is the figure. `returns` lists every episode with its status
    (recontacted, no_recontact, open_window, no_identity, …), the one that came back, and how the issue was matched.
    `grader show CONVERSATION` prints a conversation.

    Example:
      grader trace false_containment --queue returns
      grader trace returns --csv > returns.csv
      grader trace escalation_cause --cause missing_integration --week 2026-W38 --weeks 4
    """
    del quiet
    from grader.outcomes.metrics import RATES
    from grader.outcomes.quality import QUALITY

    figure = figure if figure in RATES else figure.removesuffix("_rate")  # as `grader check` calls them
    known = (*RATES, *MEASURED, *LISTED, *QUALITY, AUDIT, *CAUSES)
    if figure not in known:
        from difflib import get_close_matches

        near = get_close_matches(figure, known, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"there is no figure {figure!r}", field="FIGURE", cure=f"{meant}One of {', '.join(known)}")
    if (figure in CAUSES) != (cause is not None):
        raise InputError("--cause goes with escalation_cause or non_resolution_cause, and they need it",
                         field="--cause", cure="grader ledger lists the causes")  # fmt: skip
    if as_json and as_csv:
        raise ConfigError("--json and --csv both want stdout", cure="leave out one")
    if only is not None and only not in ("yes", "no", "unknown"):
        raise InputError(f"{only!r} is not known", field="--only", cure="yes, no or unknown")
    hours = narrow.hours(window)
    where = narrow.narrowed(
        week=week, weeks=weeks, queue=queue, reason=reason, channel=channel, language=language, ai_version=ai_version
    )
    settings = console.settings(workspace)
    from grader.calibration.trust import of_runs
    from grader.outcomes.episodes import opened
    from grader.outcomes.figures import find_run
    from grader.outcomes.quality import judged
    from grader.store import open_store

    zone = settings.workspace.timezone
    with (
        open_store(settings.workspace.database, read_only=True, memory=DATABASE_MEMORY) as store,
        opened(store, timezone=zone) as episodes,
    ):
        narrow.point_out(episodes, where)
        if figure in RATES or figure in MEASURED or figure in LISTED:
            found = _of_episodes(episodes, figure, hours, where)
        else:
            whole = find_run(store, run) if run else None
            with judged(store, episodes, run=whole, timezone=zone) as verdicts:
                trusted = of_runs(store, verdicts.runs_in(where))
                found = _of_verdicts(verdicts, trusted, figure, cause, hours, where)
    wanted = {"yes": "yes", "no": "no", "unknown": "not known"}.get(only or "")
    rows = [row for row in found.rows if wanted is None or row["counts"] == wanted]
    if as_json:
        console.out_json({"figure": figure, "told": found.told, "rows": rows})
        return
    if as_csv:
        _csv(rows)
        return
    columns = ("conversation", "began (UTC)", "queue", "reason", found.shown.replace("_", " "), "")
    console.table(columns, [
        (row["conversation_id"], _time(row["started_at"]), row["queue"], row["reason"], row[found.shown], _more(row))
        for row in rows
    ])  # fmt: skip
    console.out(found.told)


def _of_episodes(episodes: Episodes, figure: str, hours: int, where: Where) -> Traced:
    from grader.outcomes import changes
    from grader.outcomes.brief import TITLES
    from grader.outcomes.metrics import RATES
    from grader.outcomes.share import Bounds, Mean
    from grader.report.reading import count, value

    if figure == "capacity":
        return _capacity(episodes, hours, where)
    if figure in ("episodes", "returns"):
        rows = _counted(episodes.rows([*_FOLLOWED, "status", "by_ai", "handed_over"], "true", hours, where))
        for row in rows:
            alone = "the AI alone" if row["by_ai"] else "nobody known"
            row["handled_by"] = "a human too" if row["handed_over"] else alone
        statuses = Counter(row["status"] for row in rows)
        told = f"{figure}: {len(rows):,} {'conversation' if len(rows) == 1 else 'conversations'}"
        if figure == "returns":
            told += "".join(f", {status} {n:,}" for status, n in sorted(statuses.items()))
        return Traced(told, rows, "status" if figure == "returns" else "handled_by")
    if figure in MEASURED:
        column, of = MEASURED[figure]
        rows = _counted(episodes.rows([*_FOLLOWED, column], of, hours, where))
        values = sorted(row[column] for row in rows)
        if figure in TITLES:
            mean = Mean(len(values), sum(values), sum(v * v for v in values))
            reading = changes.of_mean(mean, len(values))
            return Traced(f"{TITLES[figure]}: {value(reading)} ({len(values):,} rated)", rows, column)
        return Traced(f"{figure}: {_middle(values, figure)}", rows, column)
    rate = RATES[figure]
    rows = episodes.rows([*_FOLLOWED, *(name for name in (rate.yes, rate.unknown) if name)], rate.of, hours, where)
    for row in rows:
        row["counts"] = "not known" if rate.unknown and row[rate.unknown] else "yes" if row[rate.yes] else "no"
    n = Counter(row["counts"] for row in rows)
    found = changes.of_bounds(Bounds(n["yes"], n["not known"], len(rows), n["yes"] + n["not known"]))
    return Traced(f"{rate.title}: {value(found)} ({count(found)})", rows)


def _middle(values: Sequence[float], figure: str) -> str:
    if not values:
        return "nothing to count"
    half, most = values[(len(values) - 1) // 2], values[-(-len(values) * 9 // 10) - 1]
    if figure == "handle_minutes":
        from statistics import median

        return f"median {median(values):.1f} min of {len(values):,}"
    without = "those that still wait or are open are not in it: grader metrics has them"
    return f"median {seconds_cell(half)}, 90 % within {seconds_cell(most)}, of {len(values):,}; {without}"


def _capacity(episodes: Episodes, hours: int, where: Where) -> Traced:
    from grader.outcomes.capacity import FEWEST_HANDLED, freed
    from grader.report.reading import freed_text

    usual = {h["reason"]: h["median"] for h in episodes.handle_minutes() if h["n"] >= FEWEST_HANDLED}
    columns, of = [*_FOLLOWED, "ai_resolved", "ai_issue_unknown"], "ai_resolved or ai_issue_unknown"
    rows = []
    for row in episodes.rows(columns, of, hours, where):
        minutes = usual.get(row["reason"])
        text = "too few handle times of humans" if minutes is None else f"{minutes:.1f}"
        state = "not known" if row["ai_issue_unknown"] else "no" if minutes is None else "yes"
        rows.append(row | {"counts": state, "minutes": text})
    told = next(iter(freed(episodes, window_hours=hours, where=where)), None)
    return Traced(f"capacity freed: {freed_text(told)}", rows, "minutes")


def _of_verdicts(
    verdicts: Judged, trusted: Trusted, figure: str, cause: str | None, hours: int, where: Where
) -> Traced:
    from grader.outcomes import changes
    from grader.outcomes.quality import QUALITY
    from grader.report.believed import of_cause, of_figure, zero
    from grader.report.reading import count, value

    if figure in CAUSES:
        found = _caused(verdicts, CAUSES[figure], cause or "", hours, where)
        return replace(found, told=f"{found.told}; {of_cause(trusted, CAUSES[figure], cause).short}")
    if figure == AUDIT:
        rows = _counted(verdicts.audit(hours, where))
        said = Counter(row["resolution"] for row in rows)
        words = ", ".join(f"{n:,} {word}" for word, n in said.most_common())
        status = trusted.choice("resolution", "resolved")
        return Traced(f"AI-resolved and judged: {len(rows):,}: {words or 'none'}; {status.short}", rows, "resolution")
    wanted = QUALITY[figure]
    parts = ("context_passed", "not_repeated", "resolved") if figure == "handoff_resolved" else ()
    rows = verdicts.rows([*dict.fromkeys((wanted.yes, *parts)), "codes"], wanted.of, where)
    for row in rows:
        row["counts"] = "yes" if row[wanted.yes] else "no"
        missing = [name.replace("_", " ") for name in parts if not row[name]]
        row["why"] = f"not: {', '.join(missing)}" if missing else ", ".join(row["codes"] or ())
    estimates = [s.figures[figure] for s in verdicts.slices(None, where)]
    told = changes.of_estimate(estimates[0] if estimates else None)
    status = of_figure(trusted, figure)
    left_open = zero(figure, told.n, told.of, status) if told is not None else ""
    more = "".join(f"; {text}" for text in (status.short, left_open) if text)
    return Traced(f"{wanted.title}: {value(told)} ({count(told)}){more}", rows)


def _caused(verdicts: Judged, kind: str, cause: str, hours: int, where: Where) -> Traced:
    from grader.report.reading import rounded

    rows = _counted(verdicts.caused(kind, cause, hours, where))
    volume = float(sum(row["weight"] for row in rows))
    known = [row for row in rows if row["minutes"] is not None]
    cost = sum(row["minutes"] * row["weight"] for row in known) / 60
    back, matured = sum(bool(row["came_back_in"]) for row in rows), sum(row["matured"] for row in rows)
    unknown = f" at least, of {len(rows) - len(known):,} not known" if len(known) < len(rows) else ""
    for row in rows:
        row["minutes"] = "not known" if row["minutes"] is None else f"{row['minutes']:.1f}"
    judged = "" if abs(volume - len(rows)) < 0.5 else f", {len(rows):,} of them judged"
    return Traced(
        f"{kind}, {cause}: volume {rounded(volume)}{judged}, {rounded(cost, 1)} hours{unknown}, "
        f"came back {back:,} of {matured:,}",
        rows, "minutes",
    )  # fmt: skip


def _counted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"counts": "yes"} for row in rows]


def _csv(rows: list[dict[str, Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow([
            console.csv_cell(" ".join(value) if isinstance(value, list) else value)
            if isinstance(value, (str, list)) else value
            for value in row.values()
        ])  # fmt: skip


def _time(at: Any) -> str:
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _more(row: dict[str, Any]) -> str:
    told = [str(row["why"])] if row.get("why") else []
    if row.get("came_back_in"):
        how = row.get("matched_by")
        issue = f"same issue, by {how}" if how else "issue not known" if row.get("issue_unknown") else "another issue"
        told.append(f"came back {_time(row['next_at'])} in {row['came_back_in']} ({issue})")
    return "; ".join(told)
