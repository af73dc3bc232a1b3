"""`grader demo`: the whole way once, on the sample that ships, in a workspace of its own."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from grader.cli import console, judge_options
from grader.cli import figures as shown
from grader.errors import InputError

AUTHOR = "author"  # the reviewer whose labels ship with the sample
RECORDS = ("conversations.jsonl", "outcomes.jsonl", "labels.jsonl")


MADE_HERE = Path(".grader", "demo")  # what tells a demo's workspace from one of the user's


def _own(folder: Path) -> Path:
    """The folder, when the sample may go there."""
    from grader.config import FILE

    there = [name for name in (FILE, "grader.duckdb") if (folder / name).exists()]
    if there and not (folder / MADE_HERE).exists():
        raise InputError(
            f"{folder} is a workspace of its own (it has a {there[0]}): the synthetic sample would be mixed into it",
            cure="name a new folder: grader demo grader-demo",
        )
    return folder


def demo(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The demo's own workspace; grader-demo by default.")
    ] = None,
    judge: judge_options.JudgeOption = None,
    model: judge_options.ModelOption = None,
    base_url: judge_options.BaseUrlOption = None,
    sample: Annotated[int | None, typer.Option("--sample", "-n", min=1, help="Grade so many, at random.")] = None,
    budget: judge_options.BudgetOption = None,
    concurrency: judge_options.ConcurrencyOption = None,
    workspace: console.WorkspaceOption = None,
    open_report: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Grade the bundled sample (128 synthetic conversations) and write its report.

    Without an endpoint the offline signals judge; with OPENAI_API_KEY or GRADER_BASE_URL set, that model does: 512
    calls of about 5,000 tokens (--sample 10: 40 calls). Running it again judges nothing twice. A workspace of your own
    is refused: the sample would be mixed into it.

    Example:
      grader demo
    """
    from grader.calibration import against_labels
    from grader.calibration.trust import of_run
    from grader.cli.judging import DATABASE_MEMORY, run
    from grader.config import load
    from grader.ingest.load import load as ingest
    from grader.outcomes import figures as count
    from grader.report import write
    from grader.store import open_store
    from grader.workspace import init, shipped

    folder = _own(console.target(folder, workspace, Path("grader-demo")))
    init(folder)
    (folder / MADE_HERE).parent.mkdir(exist_ok=True)
    (folder / MADE_HERE).write_text("This workspace was made by grader demo. Its sample is synthetic.\n", "utf-8")
    settings = load({
        "judge.kind": judge, "judge.model": model, "judge.base_url": base_url,
        "engine.concurrency": concurrency, "engine.budget_usd": budget,
    }, folder)  # fmt: skip
    datasets = shipped("datasets")
    console.note("SYNTHETIC sample: 128 conversations of an invented shop, labelled by their authors")
    people = console.people(settings)
    with open_store(settings.workspace.database, people=people) as store:
        for path in (*(datasets / name for name in RECORDS), *sorted((datasets / "policies").glob("*.md"))):
            loaded = ingest(path, store)
            told = f"{path.name}: kept {loaded.kept} + rejected {loaded.rejected} = {loaded.rows_in} rows in"
            console.note(f"{told} ({loaded.new} new, {loaded.changed} changed, {loaded.unchanged} unchanged)")
    with open_store(settings.workspace.database, memory=DATABASE_MEMORY, threads=2, people=people) as store:
        outcome = run(settings, store, sample=sample, quiet=quiet)
    with open_store(settings.workspace.database, read_only=True) as store:
        run_id = outcome.summary.run_id if outcome.summary else None
        found = count(store, run_id)
        agreement = against_labels(store, found.about.run_id, AUTHOR)
        path = write(store, settings, run_id=run_id)
        trusted = of_run(store, found.about.run_id)
    if as_json:
        console.out_json({**outcome.as_json(), "report": path, "headline": found.headline, "against_labels": agreement,
                          "calibration": trusted.lines()})  # fmt: skip
    else:
        console.out()
        shown.headline(found, trusted)
        console.out()
        shown.defects(found, trusted)
        console.out()
        shown.against_labels(agreement, AUTHOR)
        if outcome.bench.judge.name == "signals":
            console.out()
            console.out("Judged by offline signals, not by an LLM: set OPENAI_API_KEY or GRADER_BASE_URL to use one.")
        console.out()
        shown.calibration_lines(trusted)
        console.out(outcome.line())
        console.out(f"report: {path}")
        program = "grader" if shutil.which("grader") else f"{shlex.quote(sys.executable)} -m grader"
        named = shlex.quote(str(folder))
        console.note(f"next: {program} brief -w {named} --week 2026-W41 --weeks 6 --against 6 --open")
    if open_report:
        typer.launch(str(path))
    outcome.finish()
