"""`grader calibrate`: a run held against blind labels: what the judge's verdicts are worth, and what the rates are."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import console
from grader.cli.reviewed import before_counting
from grader.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.calibration.calibrate import Calibrated
    from grader.config import Settings
    from grader.labelling.plan import LabelPlan
    from grader.statistics.figure import Figure
    from grader.store import Store

PlanArgument = Annotated[
    str | None,
    typer.Argument(metavar="[PLAN]", help="The label plan's id, or its beginning, or its file; else the latest.",
                   show_default=False),
]  # fmt: skip
SplitOption = Annotated[
    str | None,
    typer.Option("--split", help="Labels of these splits: train, dev, test, several with commas, or all. Reading test "
                 "is noted and counted. [train,dev]", metavar="NAMES", show_default=False),
]  # fmt: skip


def calibrate(
    plan_id: PlanArgument = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Hold this run against the labels; else the run of the plan.")
    ] = None,
    split: SplitOption = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Slices too: queue, reason, week, channel, language. Repeatable.")
    ] = None,
    code: Annotated[list[str] | None, typer.Option("--code", "-c", help="Only this criterion. Repeatable.")] = None,
    later: Annotated[
        list[str] | None,
        typer.Option("--later", metavar="RUN", help="Carry the rates over to this later run of the same judge."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of the draws behind intervals.")] = 0,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="One page of it as HTML, in this file or folder; - is stdout.",
            show_default=False,
        ),
    ] = None,
    open_it: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser; without --out it goes to reports/.")
    ] = False,
    lines: Annotated[
        bool, typer.Option("--lines", help="A line to quote of every code, not only of calibrated ones.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print, and keep nothing.")] = False,
    language: console.LanguageOption = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Hold a judge against blind labels: its errors, the corrected rates, how far people agree, and what to do next.

    Per code: the rate at which reviewers would find it, corrected for the judge's errors, beside the raw one;
    sensitivity, specificity, precision and kappa with 95 % intervals; agreement between reviewers; and whether the code
    is calibrated. All is kept, and shown wherever a figure of this judge is. docs/calibration.md explains every column.

    Example:
      grader calibrate
      grader calibrate --split all --by queue -o calibration.html
      grader calibrate --later 20261130
    """
    import grader
    from grader.calibration.calibrate import calibrated, figure_row
    from grader.calibration.carried import carried
    from grader.calibration.held import DIMENSIONS, hold
    from grader.calibration.instrument import of_run
    from grader.calibration.kept import keep, kept
    from grader.calibration.openings import by_rubric, purpose
    from grader.calibration.repeats import flips
    from grader.calibration.splits import split_names, without_examples
    from grader.cli.calibrated import named, questions_named, tell
    from grader.cli.db import looked_at
    from grader.cli.progress import steps
    from grader.outcomes.figures import find_run
    from grader.store import open_store

    wanted = split_names(split or "train,dev")
    for name in by or ():
        if name not in DIMENSIONS:
            raise ConfigError(f"--by {name!r} is no slice", cure=f"one of {', '.join(DIMENSIONS)}")
    if out == "-" and (as_json or open_it):
        raise ConfigError("--out - is for the page on stdout alone", cure="leave out --json and --open")
    if later and dry_run:
        raise ConfigError("--later reads what is kept, and --dry-run keeps nothing", cure="leave out one of them")
    settings = console.settings(workspace, {"report.language": language})
    if not dry_run:
        before_counting(settings)
    writes = not dry_run or "test" in wanted
    opened = (
        open_store(settings.workspace.database, create=False, people=console.people(settings))
        if writes else looked_at(settings)
    )  # fmt: skip
    with opened as store:
        plan = chosen_plan(store, plan_id)
        run_id = find_run(store, run) if run else plan.run_id
        judges = of_run(store, run_id).values()
        splits, without_train = without_examples(store, plan, split, judges)
        if without_train:
            console.note("this rubric has examples from train (grader disagreements): its labels are left out")
        # Before the test split is read: what a typing error opened was opened for nothing.
        later_runs = [find_run(store, x) for x in later or ()]
        asked = questions_named(store, plan, code or ())
        now = datetime.now(UTC)
        held = hold(
            store, plan, run_id, splits, purpose=purpose("calibrate", judges),
            zone=settings.workspace.tz, timezone=settings.workspace.timezone, now=now, only=asked,
        )  # fmt: skip
        if code:
            held = held.only(named(held.codes, code))
        repeated = {
            (rubric, criterion): seen
            for rubric, one in held.instruments.items()
            for criterion, seen in flips(store, one).items()
            if seen.rate.of
        }
        with steps("codes", quiet=quiet) as progress:
            found = calibrated(
                held, seed=seed, now=now, grader_version=grader.__version__, by=by or (), flips=repeated,
                n_openings=max(by_rubric(store, plan, held.instruments).values(), default=0), progress=progress,
            )  # fmt: skip
        if not dry_run:
            keep(store, found)
        rows = kept(store, calibration_id=found.calibration_id) if not dry_run else []
        carried_over = (
            {name: [(k.name, carried(store, k, name)) for k in rows if k.dimension is None] for name in later_runs}
            if later_runs
            else {}
        )
    path = _page(found, carried_over, settings, out) if out or open_it else None
    if out == "-":
        return
    if as_json:
        from grader.calibration.calibrate import code_row, report_line

        console.out_json({
            "calibration": found.calibration_id, "plan": plan.plan_id, "run": run_id, "splits": held.splits,
            "seed": seed, "kept": not dry_run, "n_openings": found.n_openings, "n_held_back": held.n_held_back,
            "n_changed": held.n_changed, "n_frame": len(held.seen), "frame_even": held.even, "page": path,
            "codes": [
                {"name": c.code.name, **code_row(c), "line": report_line(c, began=held.began)} for c in found.codes
            ],
            "no_rate_together": [
                {"name": one.name, "members": list(one.members), "why": f"the labels {lacks}"}
                for one, lacks in held.lacking
            ],
            "later": {r: [{"name": n, **figure_row(f)} for n, f in rows] for r, rows in carried_over.items()},
        })  # fmt: skip
    else:
        tell(found, carried_over, kept_it=not dry_run, lines=lines)
        if path is not None:
            console.out(path)
    if open_it and path is not None:
        typer.launch(path.resolve().as_uri())


def _page(
    found: Calibrated, later: Mapping[str, Sequence[tuple[str, Figure]]], settings: Settings, out: str | None
) -> Path | None:
    """Write the page and return where; to stdout for `-`."""
    from grader.language import use
    from grader.report.calibration import html, page
    from grader.report.write import put

    with use(settings.report.language):
        text = html(page(found, later=later, zone=settings.workspace.tz))
    if out == "-":
        print(console.clean(text, one_line=False) if sys.stdout.isatty() else text, end="")
        return None
    folder = settings.workspace.reports if out is None else Path(out)
    path = folder / f"calibration-{found.calibration_id[:11]}.html" if out is None or folder.is_dir() else folder
    try:
        put(path, [text])
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror or error}", cure="name another place with --out"
        ) from error
    return path


def chosen_plan(store: Store, plan_id: str | None) -> LabelPlan:
    """The plan that is named, else the latest with labels, else the latest. Raises ConfigError where there is none."""
    from grader.labelling.given import kept_plan

    if plan_id is None:
        plans = [found for found, _ in store.label_plans()]
        if not plans:
            raise ConfigError("there is no label plan here", cure="grader label plan draws one")
        labelled = {found for (found,) in store.rows("select distinct plan_id from label_record", [])}
        plan_id = next((found for found in plans if found in labelled), plans[0])
    return kept_plan(store, plan_id)
