"""`grader compare`: two judges on the same labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import console
from grader.cli.reviewed import before_counting
from grader.errors import ConfigError

if TYPE_CHECKING:
    from grader.calibration.sides import Wanted
    from grader.config import Settings
    from grader.store import Store

JUDGE = "a run (its id or the beginning) or a rubric's version (accuracy@1.1.0)"
PlanOption = Annotated[
    str | None,
    typer.Option(
        "--plan", metavar="PLAN", help="The label plan; else the latest with labels of these rubrics.",
        show_default=False,
    ),
]  # fmt: skip


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=f"The old judge: {JUDGE}.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The new one, named likewise.", show_default=False)],
    plan: PlanOption = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Labels of train, dev, test, several with commas, or all; test is noted and counted. [train,dev]",
            show_default=False,
        ),
    ] = None,
    code: Annotated[
        list[str] | None, typer.Option("--code", "-c", help="This criterion: accuracy.invented_deadline. Repeatable.")
    ] = None,
    changed: Annotated[int, typer.Option(min=0, help="Conversations to show of each code; --json has all.")] = 3,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Two rubric versions, prompts or models on the same labelled conversations: what got better, what got worse, and
    where.

    Only labelled conversations need be judged by both. Of a version, the run counts that judged most of them by it, of
    these the latest; name a run where two models used one version. What people call present is seen only by a flag with
    proof. docs/versions.md tells more.

    Example:
      grader compare accuracy@1.0.0 accuracy@1.1.0
      grader compare run_20260901 run_20260908 --code invented_deadline --changed 10
    """
    del quiet
    from grader.calibration.compare import compared
    from grader.calibration.sides import common, find_plan, find_side
    from grader.calibration.splits import split_names, without_examples
    from grader.cli.compared import document, tell

    settings = console.settings(workspace)
    before_counting(settings)
    with _opened(settings, split_names(split or "train,dev")) as store:
        wanted = named(store, a, "A"), named(store, b, "B")
        rubrics = common(store, *wanted)
        labels = find_plan(store, plan, rubrics)
        old, new = (find_side(store, one, labels, rubrics) for one in wanted)
        judges = [*old.instruments.values(), *new.instruments.values()]
        splits, without_train = without_examples(store, labels, split, judges)
        if without_train:
            console.note("a rubric has examples from train (grader disagreements): its labels are left out")
        found = compared(store, labels, old, new, splits, codes=code or (), now=datetime.now(UTC))
    if as_json:
        console.out_json(document(found))
        return
    tell(found, changed)


def named(store: Store, text: str, place: str) -> Wanted:
    """The judge that an argument names. Raises ConfigError where there is none."""
    from grader.calibration.sides import Wanted, reference_of
    from grader.outcomes.figures import find_run

    found = reference_of(text)
    if found is not None:
        return found
    if "@" in text:
        raise ConfigError(f"{place} {text!r} is no version of a rubric", cure="write accuracy@1.1.0")
    known = {name for (name,) in store.rows("select distinct name from rubric")}
    if text in known:
        versions = [v for (v,) in store.rows("select version from rubric where name = ? order by version", [text])]
        raise ConfigError(
            f"{place} {text!r} names a rubric and no version",
            cure=f"one of {', '.join(f'{text}@{v}' for v in versions)}",
        )
    return Wanted(text, find_run(store, text))


@contextmanager
def _opened(settings: Settings, splits: Sequence[str]) -> Iterator[Store]:
    """For reading; for writing where the test split is opened, which is noted."""
    from grader.cli.db import looked_at
    from grader.store import open_store

    if "test" not in splits:
        with looked_at(settings) as store:
            yield store
        return
    with open_store(settings.workspace.database, create=False, people=console.people(settings)) as store:
        yield store
