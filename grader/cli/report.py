"""`grader report`: the HTML file, or its figures as JSON or CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from grader.cli import console
from grader.errors import ConfigError

# DuckDB's share; a statement that needs more is given it. 50,000 conversations: a peak of 480 MB instead of 1,070 MB.
DATABASE_MEMORY = "256MB"


def report(
    run: Annotated[str | None, typer.Option(help="The run, by id or its beginning; the latest by default.")] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write; - is stdout. [reports/RUN.html]")
    ] = None,
    form: Annotated[str, typer.Option("--format", "-f", help="html, json or csv.")] = "html",
    every: Annotated[bool, typer.Option("--all", help="Show unflagged conversations too, up to the same cap.")] = False,
    redact: Annotated[
        bool, typer.Option("--redact", help="Mask personal data in all that is written, by rules.")
    ] = False,
    anonymous_agents: Annotated[
        bool, typer.Option("--anonymous-agents", help="Call the people who answered Agent 1, Agent 2 …")
    ] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    language: console.LanguageOption = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Write the report of a run: one HTML file that needs no network, or its figures as JSON or CSV.

    More than 20,000 conversations or 40 MB become a front and parts, in a folder beside it. CSV has one row per
    verdict. A text cell that a spreadsheet would take for a formula begins with an apostrophe.

    Example:
      grader report --open
      grader report --format csv --out verdicts.csv
      grader report --redact --anonymous-agents
    """
    from grader import outcomes
    from grader.language import use
    from grader.report import FORMATS, Masks, text, write
    from grader.report.write import parts_in, parts_of
    from grader.store import open_store

    del quiet
    if form not in FORMATS:
        raise ConfigError(f"--format {form!r} is not known", cure=f"one of {', '.join(FORMATS)}")
    if open_it and (form != "html" or out == "-"):
        raise ConfigError("--open needs an HTML file", cure="leave out --open, or --format and --out -")
    if as_json and out == "-":
        raise ConfigError("--json and --out - both want stdout", cure="leave out one; --format json --out - prints all")
    settings = console.settings(workspace, {"report.language": language})
    masks = Masks(redact=redact, anonymous_agents=anonymous_agents)
    spoken = settings.report.language if form == "html" else "en"  # what programs read is the same in every language
    with use(spoken), open_store(settings.workspace.database, read_only=True, memory=DATABASE_MEMORY) as store:
        run_id = outcomes.find_run(store, run)
        if out == "-":
            for stretch in text(store, settings, run_id=run_id, form=form, every=every, masks=masks):
                _print(stretch)
            path = None
        else:
            place = Path(out) if out else None
            path = write(store, settings, run_id=run_id, out=place, form=form, every=every, masks=masks)
        gone = len(outcomes.missing(store, run_id)) if form == "csv" else 0
    if gone:
        console.note(f"{gone} judgements failed or are pending and have no row; --format json lists them")
    if path is None:
        return
    parts = parts_in(path) if form == "html" else []
    if parts:
        console.note(f"too much for one file: {len(parts)} parts are in {parts_of(path)}, keep them beside {path.name}")
    if as_json:
        console.out_json({"run_id": run_id, "format": form, "path": path, **({"parts": parts} if parts else {})})
    else:
        console.out(path)
    if open_it:
        typer.launch(path.resolve().as_uri())


def _print(stretch: str) -> None:
    # A file or a pipe gets the very text; a terminal must not be steered by what a customer wrote.
    sys.stdout.write(console.clean(stretch, one_line=False) if sys.stdout.isatty() else stretch)
