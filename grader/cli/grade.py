"""`grader grade` and `grader failures`."""

from __future__ import annotations

from typing import Annotated

import typer

from grader.cli import console, judge_options
from grader.cli.checked import before_grading
from grader.cli.judging import DATABASE_MEMORY, run
from grader.errors import ConfigError, InputError


def grade(
    sample: Annotated[
        int | None, typer.Option("--sample", "-n", min=1, help="Draw so many at random; all by default.", metavar="N")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=-(2**63), max=2**63 - 1, help="Seed of the draw; the same seed draws the same.")
    ] = 0,
    select: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these: queue:returns,since:2026-09-01,until:2026-09-30,language:pt,handoff:yes,id:…",
            metavar="NAME:VALUE",
        ),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(help="Exactly the sample that grader sample drew: its plan file or id.", metavar="FILE|ID"),
    ] = None,
    rubric: judge_options.RubricsOption = None,
    judge: judge_options.JudgeOption = None,
    model: judge_options.ModelOption = None,
    base_url: judge_options.BaseUrlOption = None,
    group: judge_options.GroupOption = None,
    concurrency: judge_options.ConcurrencyOption = None,
    budget: judge_options.BudgetOption = None,
    repeat: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Judge again under another repeat number, to see it waver.")
    ] = 0,
    repeats: Annotated[
        int, typer.Option(min=1, max=100, help="Judge each conversation so many times: --repeat and the next numbers.")
    ] = 1,
    retry_failed: judge_options.RetryFailedOption = False,
    no_golden: Annotated[
        bool, typer.Option("--no-golden", help="Do not judge golden sets again first, though the judge has changed.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done and cost.")] = False,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Judge conversations against the rubrics. Running the same command again resumes; nothing is paid twice.

    Where a golden set of a rubric exists and the model, the prompt, the parameters or the rubric are not those it was
    frozen or checked with, it is judged again first, within the budget: docs/golden.md.

    Ctrl-C once finishes the calls in flight and stops; twice stops at once. Exit codes: 0 all judged, 2 the endpoint or
    the input is at fault, 3 something could not be judged (run again), 4 the budget is reached, 130 interrupted.

    Example:
      grader grade --sample 200 --seed 1 --select queue:returns --budget 2.50
      grader grade --plan .grader/samples/sa_….json
    """
    if plan is not None and (sample is not None or seed or select):
        raise ConfigError(
            "--plan says already which conversations are drawn",
            cure="leave out --sample, --seed and --select, or draw another plan: grader sample",
        )
    if repeat + repeats > 2**31:
        raise ConfigError(f"--repeats {repeats} from --repeat {repeat} on is too far", cure="a smaller --repeat")
    settings = console.settings(workspace, {
        "judge.kind": judge, "judge.model": model, "judge.base_url": base_url, "judge.group": group,
        "engine.concurrency": concurrency, "engine.budget_usd": budget,
    })  # fmt: skip
    from grader.calibration.trust import of_runs
    from grader.store import open_store

    with open_store(
        settings.workspace.database, read_only=dry_run, create=False, memory=DATABASE_MEMORY, threads=2,
        people=console.people(settings),
    ) as store:  # fmt: skip
        again, spent = before_grading(
            settings, store, rubric or (), left_out=no_golden, dry_run=dry_run, quiet=quiet, as_json=as_json
        )
        if again and again[-1].stopped:
            if as_json:
                console.out_json({"golden": [one.as_json() for one in again]})
            again[-1].outcome.finish()
        outcome = run(
            settings, store, rubrics=rubric or (), select=selection(select or ()), sample=sample, seed=seed, plan=plan,
            repeat=repeat, repeats=repeats, retry_failed=retry_failed, dry_run=dry_run, quiet=quiet,
            spent=spent,
        )  # fmt: skip
        told = of_runs(store, [outcome.summary.run_id]).lines() if outcome.summary is not None else ()
    if as_json:
        golden = {"golden": [one.as_json() for one in again]} if again else {}
        console.out_json({**outcome.as_json(), **golden, **({"calibration": told} if told else {})})
    else:
        console.out(outcome.line())
        for line in told:
            console.note(line)
        if outcome.summary is not None and outcome.summary.progress.n_judged:
            console.note("next: grader report")
    outcome.finish()


def selection(texts: list[str] | tuple[str, ...]) -> list[tuple[str, str]]:
    """`queue:returns,since:2026-09-01` as pairs. Raises InputError with the names that can be selected by."""
    from grader.store import SELECTABLE

    found = []
    for part in (p.strip() for text in texts for p in text.split(",") if p.strip()):
        name, colon, value = part.partition(":")
        if not colon or not value:
            raise InputError(
                f"{part!r} is not NAME:VALUE",
                field="--select",
                cure=f"write queue:returns; names: {', '.join(SELECTABLE)}",
            )
        found.append((name.strip(), value.strip()))
    return found


def failures(
    run_id: Annotated[
        str | None, typer.Option("--run", help="Only of this run, by id or its beginning; all that stand by default.")
    ] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """List what could not be judged, and why. A failure stands until its judgement is there.

    What passes by itself (time-out, 429, 5xx, a reply that was no answer) is tried again by the same `grader grade`,
    the rest only with --retry-failed, once its cause is mended. docs/configuration.md explains each cause.

    Example:
      grader failures --json
    """
    settings = console.settings(workspace)
    from grader.outcomes import find_run
    from grader.store import open_store

    with open_store(settings.workspace.database, read_only=True) as store:
        if run_id is not None:
            run_id = find_run(store, run_id)
        found = store.standing_failures(run_id)
    if as_json:
        console.out_json(found)
        return
    if not found:
        console.out("nothing failed" + (f" in run {run_id}" if run_id else ""))
        return
    columns = ("conversation", "rubric", "model", "cause", "tries>", "last (UTC)", "detail")
    console.table(columns, [
        (f["conversation_id"], f["rubric"], f["model"], f["cause"] + ("" if f["retryable"] else " *"), f["n_times"],
         f"{f['failed_at']:%m-%d %H:%M}", f["detail"])
        for f in found
    ])  # fmt: skip
    lasting = sum(not f["retryable"] for f in found)
    console.note(f"{len(found)} judgements are missing; `grader grade` with the options of their run tries again")
    if lasting:
        console.note(f"* {lasting} do not pass by themselves: mend the cause, then add --retry-failed")
