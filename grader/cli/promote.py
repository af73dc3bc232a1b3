"""`grader promote`: may a new version take the place of the old one?"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import console
from grader.cli.compare import JUDGE, PlanOption, named
from grader.cli.reviewed import before_counting
from grader.errors import ConfigError

if TYPE_CHECKING:
    from grader.calibration.sides import Wanted
    from grader.config import Settings
    from grader.labelling.plan import LabelPlan
    from grader.statistics.promotion import Gate
    from grader.store import Store


def promote(
    new: Annotated[
        str | None, typer.Argument(metavar="NEW", help=f"The new judge: {JUDGE}.", show_default=False)
    ] = None,
    over: Annotated[
        str | None,
        typer.Option(
            metavar="OLD",
            help="The judge to replace; else the last one promoted, else that of the plan's run.",
            show_default=False,
        ),
    ] = None,
    plan: PlanOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only what needs no label: nothing is opened, nothing is kept.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="The decisions so far.")] = False,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """The gate for a new rubric version, prompt or model: pass, hold or fail, by code, with what to do next.

    The labels are those of the test split. It is opened, and the opening noted, only where all else is in order: both
    judged it, the new one was repeated, reviewers agree and disagreements are decided. Not worse by more than the
    margins of [gate] in grader.toml, on what people see and on what they do not; critical codes above their floor;
    better than chance; stable. Too little data is hold, never pass. Exit 0: pass, 1: hold or fail. docs/versions.md.

    Example:
      grader promote accuracy@1.1.0 --dry-run
      grader promote accuracy@1.1.0 --over accuracy@1.0.0
      grader promote --list
    """
    del quiet
    import grader
    from grader.calibration.promote import decided
    from grader.calibration.promotions import keep, promotions
    from grader.calibration.sides import common, find_plan, find_side, rubric_names
    from grader.cli.db import looked_at
    from grader.cli.promoted import document, tell, tell_list
    from grader.store import open_store

    settings = console.settings(workspace)
    before_counting(settings)
    if listed:
        if new is not None or over is not None:
            raise ConfigError("--list takes no judge", cure="leave out one of them")
        with looked_at(settings) as store:
            tell_list(promotions(store), as_json=as_json)
        return
    if new is None:
        raise ConfigError(
            "which version is to be promoted?", cure="grader promote accuracy@1.1.0; --list tells of before"
        )
    opened = (
        looked_at(settings) if dry_run
        else open_store(settings.workspace.database, create=False, people=console.people(settings))
    )  # fmt: skip
    folder = settings.workspace.state_dir / "promotions"
    told = []
    with opened as store:
        wanted = named(store, new, "NEW")
        rubrics = rubric_names(store, wanted)
        before = named(store, over, "--over") if over is not None else None
        labels = find_plan(store, plan, common(store, before, wanted) if before else rubrics)
        now = datetime.now(UTC)
        for rubric in sorted({q.rubric for q in labels.questions} & rubrics):
            old = before or _in_place(store, rubric, labels)
            if rubric not in common(store, old, wanted):
                continue
            one = decided(
                store, labels, find_side(store, old, labels, {rubric}), find_side(store, wanted, labels, {rubric}),
                rubric, _gate(settings), now=now, grader_version=grader.__version__, dry_run=dry_run,
            )  # fmt: skip
            told.append((one, None if dry_run else keep(store, one, folder)))
    undecided = sorted(rubrics - {one.rubric for one, _ in told})
    if undecided:
        names = ", ".join(undecided)
        console.note(f"nothing is decided about {names}: plan {labels.plan_id[:11]} has no labels that both answer")
    if as_json:
        console.out_json(
            {"dry_run": dry_run, "undecided": undecided, "decisions": [document(one, known) for one, known in told]}
        )
    else:
        for one, known in told:
            tell(one, known)
    if not told or any(one.outcome != "pass" and not (dry_run and one.ready) for one, _ in told):
        raise typer.Exit(1)


def _in_place(store: Store, rubric: str, plan: LabelPlan) -> Wanted:
    from grader.calibration.promotions import in_place
    from grader.calibration.sides import Wanted

    last = in_place(store, rubric)
    run_id = last.to_run if last is not None else plan.run_id
    return Wanted(run_id, run_id)


def _gate(settings: Settings) -> Gate:
    from grader.statistics.promotion import Gate

    return Gate(**{f.name: getattr(settings.gate, f.name) for f in fields(Gate)})
