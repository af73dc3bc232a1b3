"""`grader trace`: the conversations behind a figure, so that no number has to be believed."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console, narrow
from grader.cli.metrics import DATABASE_MEMORY
from grader.errors import ConfigError, InputError

if TYPE_CHECKING:
    from grader.outcomes.episodes import Episodes, Where
    from grader.outcomes.quality import Judged

MEASURED = {  # figures that are no rate: the column with the value, and the one that says which count
    "csat_ai": ("csat", "rated_ai"), "csat_human": ("csat", "rated_human"),
    "first_answer_seconds": ("first_answer_seconds", "answered"), "resolution_seconds": ("seconds", "timed"),
    "handle_minutes": ("handle_minutes", "handled"), "episodes": ("closed", "true"),
}  # fmt: skip
LISTED = ("returns", "capacity")  # every episode with its status; what the AI freed
CAUSES = {"escalation_cause": "escalation", "non_resolution_cause": "non_resolution"}


@dataclass(frozen=True)
class Traced:
    """The rows of a figure. `of` and `yes` are their counts; `value` names the column of a measured figure."""

    title: str
    rows: list[dict[str, Any]]
    yes: str | None = None
    unknown: str | None = None
    value: str | None = None

    def counts(self, row: dict[str, Any]) -> str:
        """Whether a row is in the numerator."""
        if self.unknown and row[self.unknown]:
            return "not known"
        return "yes" if self.yes is None or row[self.yes] else "no"

    @property
    def line(self) -> str:
        """The figure, as the rows give it."""
        n = len(self.rows)
        weight = float(sum(row.get("weight", 1) for row in self.rows))
        told = f"{self.title}: {n:,} conversations" + (
            f", which stand for {weight:,.0f}" if abs(weight - n) > 0.5 else ""
        )
        if self.value == "minutes":
            known = [row for row in self.rows if row["minutes"] is not None]
            hours = sum(row["minutes"] * row.get("weight", 1) for row in known) / 60
            back = sum(bool(row["came_back_in"]) for row in self.rows)
            matured = sum(row.get("matured", True) for row in self.rows)
            unknown = f" ({n - len(known):,} without)" if len(known) < n else ""
            return f"{told}, {hours:,.1f} hours{unknown}, came back {back:,} of {matured:,}"
        if self.value == "status":
            by_status = Counter(row["status"] for row in self.rows)
            return f"{told}: " + ", ".join(f"{status} {k:,}" for status, k in sorted(by_status.items()))
        if self.value and self.value != "closed":
            values = [row[self.value] for row in self.rows]
            return told + (f", mean {sum(values) / n:.2f}" if n else "")
        if self.yes is None:
            return told
        yes = sum(self.counts(row) == "yes" for row in self.rows)
        n_unknown = sum(self.counts(row) == "not known" for row in self.rows)
        return f"{self.title}: {yes:,} of {n:,}" + (f", {n_unknown:,} not known" if n_unknown else "")


def trace(
    figure: Annotated[str, typer.Argument(help="The figure; without one that is known, the list of them.")],
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

    Each row says whether it counts; the last line counts them up to the figure. `returns` lists every episode with its
    status (recontacted, no_recontact, open_window, no_identity, …), which one came back, and how the issue was matched.

    Example:
      grader trace false_containment --queue returns
      grader trace returns --csv > returns.csv
      grader trace escalation_cause --cause missing_integration --week 2026-W38 --weeks 4
    """
    del quiet
    from grader.outcomes.metrics import RATES
    from grader.outcomes.quality import QUALITY

    known = (*RATES, *MEASURED, *LISTED, *QUALITY, *CAUSES)
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
    from grader.outcomes.episodes import opened
    from grader.outcomes.figures import find_run
    from grader.outcomes.quality import judged
    from grader.store import open_store

    zone = settings.workspace.timezone
    with (
        open_store(settings.workspace.database, read_only=True, memory=DATABASE_MEMORY) as store,
        opened(store, timezone=zone) as episodes,
    ):
        if figure in RATES or figure in MEASURED or figure in LISTED:
            found = _of_episodes(episodes, figure, hours, where)
        else:
            whole = find_run(store, run) if run else None
            with judged(store, episodes, run=whole, timezone=zone) as verdicts:
                found = _of_verdicts(verdicts, figure, cause, hours, where)
    wanted = {"yes": "yes", "no": "no", "unknown": "not known"}.get(only or "")
    rows = [row for row in found.rows if wanted is None or found.counts(row) == wanted]
    if as_json:
        console.out_json({
            "figure": figure, "title": found.title, "told": found.line,
            "rows": [row | {"counts": found.counts(row)} for row in rows],
        })  # fmt: skip
        return
    if as_csv:
        _csv(rows, found)
        return
    columns = ("conversation", "began (UTC)", "queue", "reason", found.value or "counts", "afterwards")
    console.table(columns, [
        (row["conversation_id"], _time(row["started_at"]), row["queue"], row["reason"],
         str(row[found.value]) if found.value else found.counts(row), _afterwards(row))
        for row in rows
    ])  # fmt: skip
    console.out(found.line)


def _of_episodes(episodes: Episodes, figure: str, hours: int, where: Where) -> Traced:
    from grader.outcomes.capacity import FEWEST_HANDLED
    from grader.outcomes.metrics import RATES

    if figure == "capacity":
        usual = {h["reason"]: h["median"] for h in episodes.handle_minutes() if h["n"] >= FEWEST_HANDLED}
        rows = episodes.rows([], "ai_resolved", hours, where)
        return Traced("capacity freed", [row | {"minutes": usual.get(row["reason"])} for row in rows], value="minutes")
    if figure == "returns":
        rows = episodes.rows(["status", "matched_by", "same_issue", "issue_unknown"], "true", hours, where)
        return Traced("returns", rows, value="status")
    if figure in MEASURED:
        value, of = MEASURED[figure]
        return Traced(figure, episodes.rows([value], of, hours, where), value=value)
    rate = RATES[figure]
    columns = [name for name in (rate.yes, rate.unknown) if name]
    return Traced(rate.title, episodes.rows(columns, rate.of, hours, where), rate.yes, rate.unknown)


def _of_verdicts(verdicts: Judged, figure: str, cause: str | None, hours: int, where: Where) -> Traced:
    from grader.outcomes.quality import QUALITY

    if figure in CAUSES:
        rows = verdicts.caused(CAUSES[figure], cause or "", hours, where)
        return Traced(f"{CAUSES[figure]}, {cause}", rows, value="minutes")
    wanted = QUALITY[figure]
    return Traced(wanted.title, verdicts.rows([wanted.yes], wanted.of, where), wanted.yes)


def _csv(rows: list[dict[str, Any]], found: Traced) -> None:
    from grader.report.export import cell

    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        told = row | {"counts": found.counts(row)}
        if number == 0:
            writer.writerow(told)
        writer.writerow([cell(value) if isinstance(value, str) else value for value in told.values()])


def _time(at: Any) -> str:
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _afterwards(row: dict[str, Any]) -> str:
    if row.get("came_back_in"):
        how = f" (same issue by {row['matched_by']})" if row.get("matched_by") else ""
        return f"came back {_time(row['next_at'])} in {row['came_back_in']}{how}"
    return ""
