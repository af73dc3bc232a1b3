"""`grader brief`: one page of a week for the owner of AI operations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import console, narrow
from grader.cli.metrics import DATABASE_MEMORY
from grader.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from grader.calibration.trust import Trusted
    from grader.config import Settings
    from grader.outcomes.brief import Brief
    from grader.outcomes.episodes import Episodes, Where
    from grader.outcomes.quality import Judged
    from grader.report.brief_page import Failing, Page

FORMATS = ("md", "html")


def brief(
    week: narrow.WeekOption = None,
    weeks: narrow.WeeksOption = 1,
    against: Annotated[
        int, typer.Option("--against", min=1, max=52, help="So many weeks before are what it is held to.")
    ] = 4,
    window: narrow.WindowOption = "7d",
    run: narrow.RunOption = None,
    form: Annotated[
        str | None, typer.Option("--format", "-f", help="md or html; both files by default.", show_default=False)
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="PATH", help="A file, a folder, or - for stdout (Markdown). [reports/]"),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    language: console.LanguageOption = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """One page of a week: figures, what changed beyond noise, warning signs, the two biggest queues, what to fix first.

    The last whole week by default; `--weeks 4` makes it the four that end with it. Every number has a reference, and
    every reference the command that lists its conversations.

    Example:
      grader brief --week 2026-W38 --open
      grader brief --weeks 4 --out - > brief.md
    """
    from grader.outcomes.period import Period, last_whole, monday

    del quiet
    if form is not None and form not in FORMATS:
        raise ConfigError(f"--format {form!r} is not known", cure="md or html; both by default")
    if out == "-" and (as_json or open_it):
        raise ConfigError("--out - is for Markdown or HTML on stdout alone", cure="leave out --open and --json")
    hours = narrow.hours(window)
    settings = console.settings(workspace, {"report.language": language})
    from grader.calibration.trust import of_runs
    from grader.language import use
    from grader.outcomes.brief import brief as gather
    from grader.outcomes.episodes import opened
    from grader.outcomes.figures import find_run
    from grader.outcomes.quality import judged
    from grader.report.brief import html, markdown, page
    from grader.store import open_store

    zone = settings.workspace.timezone
    with open_store(settings.workspace.database, read_only=True, memory=DATABASE_MEMORY) as store:
        whole = find_run(store, run) if run else None
        with opened(store, timezone=zone) as episodes, judged(store, episodes, run=whole, timezone=zone) as verdicts:
            data_end = episodes.data_end
            if data_end is None:
                raise InputError("there is no conversation with a time", cure="grader ingest PATH…")
            last = monday(week) if week else _latest(episodes, last_whole(data_end, settings.workspace.tz))
            found = gather(
                episodes, verdicts, Period(last, weeks), data_end=data_end, n_synthetic=episodes.n_synthetic,
                baseline_weeks=against, window_hours=hours, zone=settings.workspace.tz,
            )  # fmt: skip
            trusted = of_runs(store, found.judged_by)
            backlog = trusted if found.backlog_by == found.judged_by else of_runs(store, found.backlog_by)
            failing = {}
            for code in dict.fromkeys([settings.report.language, *(["en"] if as_json else [])]):
                with use(code):
                    failing[code] = _failing(settings, found, episodes, verdicts, hours, trusted)
    folder = settings.workspace.reports if out is None or out == "-" else Path(out)
    link = _links(
        folder if folder.is_dir() else folder.parent, found.runs if out != "-" else (), settings.report.language
    )

    def made_in(code: str) -> Page:
        return page(
            found, zone=settings.workspace.tz, owners=settings.queues, failing=failing[code],
            hour_cost=settings.figures.human_hour_cost, currency=settings.figures.currency, run=whole, link=link,
            workspace=str(settings.root), trusted=trusted, backlog=backlog,
        )  # fmt: skip

    with use(settings.report.language):
        made = made_in(settings.report.language)
        if out == "-":
            text = html(made) if form == "html" else markdown(made)
            print(console.clean(text, one_line=False), end="")
            return
        texts = {"md": markdown(made), "html": html(made)}
    paths = _write(settings, found, texts, form, Path(out) if out else None)
    if as_json:
        # What programs read is the same in every language.
        told = {"week": found.period.name, "weeks": weeks, "paths": paths, "brief": found, "page": made_in("en")}
        console.out_json(told)
    else:
        for path in paths:
            console.out(path)
    if open_it:
        typer.launch(paths[-1].resolve().as_uri())


def _latest(episodes: Episodes, last: date) -> date:
    """The last week, not after this one, in which a customer began anything; this one where there is none."""
    from datetime import date as day

    from grader.outcomes.metrics import of_episodes

    weeks = [m.slice for m in of_episodes(episodes, "week") if m.slice and m.slice <= last.isoformat()]
    return day.fromisoformat(max(weeks)) if weeks else last


def _links(folder: Path, runs: Sequence[str], spoken: str) -> Callable[[str], str | None]:
    """Where in this folder the report of one of these runs shows a conversation, the one in this language first."""
    from urllib.parse import quote

    from grader.report.index import ids_in
    from grader.report.write import file_name

    names = dict.fromkeys(file_name(run, "html", spoken=code) for run in runs for code in (spoken, "en"))
    there = {name: ids_in((folder / name).read_text(encoding="utf-8", errors="replace"))
             for name in names if (folder / name).is_file()}  # fmt: skip

    def link(conversation_id: str) -> str | None:
        name = next((name for name, ids in there.items() if conversation_id in ids), None)
        return None if name is None else f"{quote(name)}#c={quote(conversation_id, safe='')}"

    return link


def _failing(
    settings: Settings, found: Brief, episodes: Episodes, verdicts: Judged, hours: int, trusted: Trusted
) -> list[Failing]:  # fmt: skip
    """The conditions of grader.toml that hold in these weeks, over all and for every queue that has any."""
    from grader.language import _, numerals, retold
    from grader.outcomes.brief import WAITS_FOR_RETURNS
    from grader.outcomes.metrics import of_episodes
    from grader.outcomes.thresholds import condition
    from grader.report.believed import of_figure
    from grader.report.brief_page import Failing
    from grader.report.reading import count, value

    wanted: list[tuple[str, str | None, str | None, tuple[str, ...]]] = [
        ("figures.fail_if", None, None, settings.figures.fail_if),
        *((f"queues.{name}.fail_if", name, q.owner, q.fail_if) for name, q in settings.queues.items()),
    ]
    failing: list[Failing] = []
    for key, queue, owner, texts in wanted:
        for text in texts:
            try:
                asked = condition(text)
            except InputError as error:
                origin = settings.origin("queues" if queue else "figures.fail_if")
                raise ConfigError(f"{origin}: {key}: {error.reason}", cure=error.cure) from error
            period = found.known if asked.figure in WAITS_FOR_RETURNS else found.period
            where: Where = {"week": period.ends} | ({"queue": queue} if queue else {})
            counts = next(iter(of_episodes(episodes, window_hours=hours, where=where)), None)
            judged = next(iter(verdicts.slices(None, where)), None) if asked.of_verdicts else None
            if asked.holds(counts, judged):
                reading = asked.reading(counts, judged)
                told = f"{value(reading)}, {count(reading)}" if reading else numerals(f"{asked.of(counts):.4g}")
                told += f"; {retold(of_figure(trusted, asked.figure).short)}" if asked.of_verdicts else ""
                failing.append(Failing(queue, owner, _("{condition} (it is {value})", condition=text, value=told)))
    return failing


def _write(settings: Settings, found: Brief, texts: dict[str, str], form: str | None, out: Path | None) -> list[Path]:
    from grader.report.write import put

    span = f"-{found.period.n_weeks}w" if found.period.n_weeks > 1 else ""
    window = f"-{found.window_hours}h" if found.window_hours != 168 else ""
    name = f"brief-{found.period.name}{span}{window}"
    paths = []
    if out is not None and out.suffix.lstrip(".") in texts and form is None:
        form = out.suffix.lstrip(".")
    for kind in [form] if form else FORMATS:
        folder = settings.workspace.reports if out is None else out
        path = out if out is not None and form and not out.is_dir() else folder / f"{name}.{kind}"
        try:
            put(path, [texts[kind]])
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be written: {error.strerror or error}", cure="name another place with --out"
            ) from error
        paths.append(path)
    return paths
