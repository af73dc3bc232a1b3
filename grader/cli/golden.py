"""`grader golden`: freeze, list, show, check: is a judge that was changed still as good?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from grader.cli import console, judge_options
from grader.cli.reviewed import before_counting
from grader.errors import ConfigError

app = typer.Typer(no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The set's name.", show_default=False)]


@app.callback()
def _golden() -> None:
    """Known answers, judged again whenever the judge changes: freeze a set, list, show and check it.

    Example:
      grader golden check
    """


@app.command("freeze")
def freeze(
    name: NameArgument,
    plan_id: Annotated[
        str, typer.Option("--plan", help="The label plan: its id, or its beginning, or its file.", show_default=False)
    ],
    rubric: Annotated[
        str | None, typer.Option("--rubric", "-r", help="Of this rubric, where the plan is about several.")
    ] = None,
    run: Annotated[str | None, typer.Option(help="Whose verdicts are the baseline; the plan's run by default.")] = None,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="Known positives, at most.")] = 60,
    negatives: Annotated[int, typer.Option(min=0, max=10_000, help="Known negatives, at most.")] = 60,
    seed: Annotated[int, typer.Option(min=-(2**63), max=2**63 - 1, help="Of the choice.")] = 0,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Freeze conversations whose answers people know, with what the judge said of them.

    Answers come from the train and dev labels of a plan; the test split stays shut. A set is never changed: freeze
    another under another name. docs/golden.md tells more.

    Example:
      grader golden freeze accuracy-1 --plan PLAN --rubric accuracy
    """
    del quiet
    import grader
    from grader.calibration.golden import check_name, document, golden_sets, keep, read, write
    from grader.calibration.golden import freeze as chosen
    from grader.cli.checked import tell_frozen
    from grader.labelling.given import kept_plan
    from grader.outcomes.figures import find_run
    from grader.store import open_store

    check_name(name)
    settings = console.settings(workspace)
    before_counting(settings)
    path = settings.workspace.state_dir / "golden" / f"{name}.json"
    with open_store(settings.workspace.database, create=False, people=console.people(settings)) as store:
        plan = kept_plan(store, plan_id)
        found = chosen(
            store, name, plan, rubric=rubric, run_id=find_run(store, run) if run else plan.run_id, positives=size,
            negatives=negatives, seed=seed, grader_version=grader.__version__, now=datetime.now(UTC),
        )  # fmt: skip
        golden = found.golden
        # A file system may not tell capitals apart, so names that differ in nothing else are one.
        there = [one for one in golden_sets(store) if one.name.casefold() == name.casefold()]
        there += [read(path)] if path.exists() else []
        if any(one.golden_id != golden.golden_id for one in there):
            raise ConfigError(
                f"there is a golden set {there[0].name!r} already, and a set is never changed",
                cure="freeze this one under another name",
            )
        if not path.exists():
            write(golden, path)
        keep(store, golden)
    if as_json:
        console.out_json({**document(golden), "file": path, "known": bool(there), "left_out": {
            "open": found.n_open, "neither": found.n_neither, "changed": found.n_changed, "unjudged": found.n_unjudged,
        }})  # fmt: skip
        return
    tell_frozen(found, size, negatives)
    console.out(f"{'the same set as before' if there else 'golden set'} {name} ({golden.golden_id})")
    console.out(f"written to {path}")
    console.note(f"next: grader golden check {name} --model ANOTHER, or just grader grade, which checks by itself")


@app.command("list")
def listed(
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """The golden sets, and what the latest check of each came to.

    Example:
      grader golden list
    """
    del quiet
    from grader.calibration.golden import golden_sets
    from grader.calibration.recheck import history
    from grader.cli.db import looked_at

    settings = console.settings(workspace)
    with looked_at(settings) as store:
        found = [(one, history(store, one)) for one in golden_sets(store)]
    if as_json:
        console.out_json([
            {"name": one.name, "golden_id": one.golden_id, "positives": one.n_positives, "negatives": one.n_negatives,
             "baseline": one.instrument, "run_id": one.run_id, "frozen_at": one.frozen_at, "checks": checks}
            for one, checks in found
        ])  # fmt: skip
        return
    if not found:
        console.out("there is no golden set yet: grader golden freeze NAME --plan PLAN")
        return
    columns = ("set", "rubric", "positives>", "negatives>", "frozen (UTC)", "baseline", "checks>", "the latest")
    console.table(columns, [
        (one.name, one.instrument.rubric, one.n_positives, one.n_negatives, f"{one.frozen_at:%Y-%m-%d}",
         one.instrument.name, len(checks), f"{checks[-1].instrument}: {checks[-1].outcome}" if checks else None)
        for one, checks in found
    ])  # fmt: skip


@app.command("show")
def show(
    name: NameArgument,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """A set's items with what people and the baseline say of them, and its checks so far.

    Example:
      grader golden show accuracy-1
    """
    del quiet
    from grader.calibration.golden import document, golden_set
    from grader.calibration.recheck import changed, history
    from grader.cli.checked import tell_set
    from grader.cli.db import looked_at

    settings = console.settings(workspace)
    with looked_at(settings) as store:
        golden = golden_set(store, name)
        gone, checks = changed(store, golden), history(store, golden)
    if as_json:
        console.out_json({**document(golden), "changed": gone, "checks": checks})
        return
    tell_set(golden, gone, checks)


@app.command("check")
def check(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One set; all of the rubrics that are asked by default.")
    ] = None,
    rubric: judge_options.RubricsOption = None,
    judge: judge_options.JudgeOption = None,
    model: judge_options.ModelOption = None,
    base_url: judge_options.BaseUrlOption = None,
    group: judge_options.GroupOption = None,
    concurrency: judge_options.ConcurrencyOption = None,
    budget: judge_options.BudgetOption = None,
    repeat: Annotated[
        int,
        typer.Option(min=0, max=2**31 - 1, help="Another number judges all anew: has it changed behind its name?"),
    ] = 0,
    retry_failed: judge_options.RetryFailedOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be judged and cost.")] = False,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Judge a set again with this judge, and say whether it got worse than the baseline by more than chance.

    Exact McNemar, on known positives and known negatives apart, over all codes and by code. Exit codes: 0 passed, 1
    failed, 3 too little to tell or something could not be judged (run again), 4 the budget is reached.

    Example:
      grader golden check accuracy-1 --model another-model
      grader golden check --repeat 202612        # the same judge, nothing reused
    """
    from grader.cli.checked import check_sets
    from grader.cli.judging import DATABASE_MEMORY
    from grader.engine.setup import load_rubrics
    from grader.store import open_store

    settings = console.settings(workspace, {
        "judge.kind": judge, "judge.model": model, "judge.base_url": base_url, "judge.group": group,
        "engine.concurrency": concurrency, "engine.budget_usd": budget,
    })  # fmt: skip
    with open_store(
        settings.workspace.database, read_only=dry_run, create=False, memory=DATABASE_MEMORY, threads=2,
        people=console.people(settings),
    ) as store:  # fmt: skip
        loaded = load_rubrics(settings, rubric or ())
        found = check_sets(
            settings, store, loaded, name, repeat=repeat, retry_failed=retry_failed, dry_run=dry_run, quiet=quiet,
            as_json=as_json,
        )  # fmt: skip
    told: list[dict[str, Any]] = [one.as_json() for one in found]
    if as_json:
        console.out_json({"checks": told})
    if found[-1].stopped:
        found[-1].outcome.finish()
    outcomes = {one.checked.outcome for one in found if one.checked is not None}
    if "failed" in outcomes:
        raise typer.Exit(1)
    if "insufficient" in outcomes:
        raise typer.Exit(3)
