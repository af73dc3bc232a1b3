"""`grader label`: plan, export, import, adjudicate, status: blind labels with known chances."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import console
from grader.cli.labelled import taken_in, tell_plan, tell_status
from grader.cli.reviewed import before_counting
from grader.errors import ConfigError, InputError

if TYPE_CHECKING:
    from grader.labelling.form import Form
    from grader.labelling.plan import LabelPlan
    from grader.store import Store

app = typer.Typer(no_args_is_help=True)
PlanArgument = Annotated[
    str | None,
    typer.Argument(metavar="PLAN", help="The plan's id, or its beginning, or its file; else the latest.",
                   show_default=False),
]  # fmt: skip
OutOption = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FILE", help="A new file: .csv for a spreadsheet, .jsonl for a program.",
                 show_default=False),
]  # fmt: skip


@app.callback()
def _label() -> None:
    """Blind labels by people: draw what is labelled, hand it out, take it in, decide disagreements.

    Example:
      grader label plan -n 200 --seed 1 --reviewers ana,ben
    """


@app.command("plan")
def plan(
    run: Annotated[
        str | None, typer.Option("--run", help="The run whose judged conversations are drawn from; else the latest.")
    ] = None,
    code: Annotated[
        list[str] | None, typer.Option("--code", "-c", help="This criterion: accuracy.invented_deadline. Repeatable.")
    ] = None,
    rubric: Annotated[
        list[str] | None, typer.Option("--rubric", "-r", help="All criteria of this rubric. Repeatable.")
    ] = None,
    n: Annotated[int, typer.Option("--size", "-n", min=1, help="Conversations to label.", metavar="N")] = 200,
    seed: Annotated[
        int, typer.Option(min=-(2**63), max=2**63 - 1, help="Seed of the draw; the same seed draws the same.")
    ] = 0,
    positives: Annotated[float, typer.Option(help="Share of the places for what the judge flagged, at least.")] = 0.25,
    reviewers: Annotated[str, typer.Option(help="Who labels, by name: ana,ben.")] = "reviewer",
    overlap: Annotated[int, typer.Option(min=0, help="Conversations that two reviewers label.")] = 50,
    duplicates: Annotated[int, typer.Option(min=0, help="Conversations that each reviewer gets twice.")] = 10,
    select: Annotated[
        list[str] | None,
        typer.Option(help="Only these, as in grade: queue:returns,since:2026-09-01,…", metavar="NAME:VALUE"),
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Draw only from what the judge called clean: to find what it missed.")
    ] = False,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Draw conversations for labelling from what a run judged, and write down each one's chance before the first label.

    One conversation is labelled on all criteria that are asked. What the judge flagged gets a quarter of the places,
    evenly by code. The plan names verdicts: it is not for reviewers, who get `grader label export`. The same command
    on the same data is the same plan. docs/labels.md tells more.

    Example:
      grader label plan --rubric accuracy -n 200 --seed 1 --reviewers ana,ben
      grader label plan -c invented_deadline -c status_without_lookup -n 150 --positives 0.3
      grader label plan --audit -n 120
    """
    del quiet
    import grader
    from grader.cli.grade import selection
    from grader.labelling.frame import gone, make_plan, questions
    from grader.labelling.plan import document, export_command, read, write
    from grader.outcomes.figures import find_run
    from grader.store import open_store

    names = tuple(part.strip() for part in reviewers.split(",") if part.strip())
    if not names or len(set(names)) < len(names) or not all(name.isprintable() for name in names):
        raise ConfigError(f"--reviewers {reviewers!r} names nobody, or somebody twice", cure="--reviewers ana,ben")
    settings = console.settings(workspace)
    with open_store(settings.workspace.database, create=False, people=console.people(settings)) as store:
        run_id = find_run(store, run)
        drawn = make_plan(
            store, run_id, questions(store, run_id, rubric or (), code or ()), n=n, seed=seed, positives=positives,
            reviewers=names, overlap=overlap, duplicates=duplicates, select=selection(select or ()),
            zone=settings.workspace.tz, grader_version=grader.__version__, now=datetime.now(UTC), audit=audit,
        )  # fmt: skip
        path = settings.workspace.state_dir / "labels" / f"{drawn.plan_id}.json"
        known = None
        if path.exists():
            try:
                known = read(path)
            except InputError:
                known = None  # not what was written: it is written again
        if known is None:
            write(drawn, path)
        drawn = known or drawn
        n_gone = gone(store, drawn)
        store.add_label_plan(document(drawn))
    if as_json:
        console.out_json({**document(drawn), "n_gone": n_gone, "plan": path})
        return
    tell_plan(drawn, n, n_gone)
    console.out(f"{'the same plan as before' if known else 'plan'} {drawn.plan_id}")
    console.out(f"written to {path}: it names strata, so keep it from those who label")
    file = f"labels-{names[0].replace('/', '-')}.csv"
    console.note(f"next: grader review {drawn.plan_id[:11]} opens it in the browser, for everybody")
    console.note(f"or as a file: {export_command(drawn, file)}")


@app.command("export")
def export(
    reviewer: Annotated[str, typer.Option(help="Whose form.", show_default=False)],
    out: OutOption,
    plan_id: PlanArgument = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Write what one reviewer labels: transcripts, questions, places for answers, and nothing of any verdict.

    The CSV opens in a spreadsheet: a row a conversation, a column a question; the rows (question) and (answers) say
    what is asked. Fill in what you like, save it as CSV UTF-8, import it; the rest can follow.

    Example:
      grader label export --reviewer ana -o labels-ana.csv
    """
    del quiet
    from grader.labelling.given import reviewers_form

    _write_form(
        plan_id, lambda store, plan: reviewers_form(store, plan, reviewer), out, workspace,
        f"--reviewer {shlex.quote(reviewer)}", as_json=as_json,
    )  # fmt: skip


@app.command("adjudicate")
def adjudicate(
    out: OutOption,
    plan_id: PlanArgument = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Write what the reviewers answered differently, for a third to decide: without names, answers or verdicts.

    What the third answers becomes the reference: `grader label import FILE --reviewer NAME`, NAME being none of the
    plan's reviewers.

    Example:
      grader label adjudicate -o disagreements.csv
      grader label import disagreements.csv --reviewer cleo
    """
    del quiet
    from grader.labelling.given import adjudication_form

    _write_form(
        plan_id, adjudication_form, out, workspace, "--reviewer NAME, who is none of the plan's reviewers",
        as_json=as_json,
    )  # fmt: skip


def _write_form(
    plan_id: str | None,
    make: Callable[[Store, LabelPlan], Form],
    out: Path,
    workspace: Path | None,
    who: str,
    *,
    as_json: bool,
) -> None:
    from grader.cli.db import looked_at
    from grader.labelling.given import kept_plan
    from grader.labelling.sheet import csv_text, jsonl

    settings = console.settings(workspace)
    suffix = out.suffix.lower()
    if suffix not in (".csv", ".jsonl"):
        raise ConfigError(f"--out {out} is neither .csv nor .jsonl", cure="the ending says which it is to be")
    before_counting(settings)
    with looked_at(settings) as store:
        form = make(store, kept_plan(store, plan_id))
    text = csv_text(form) if suffix == ".csv" else jsonl(form)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("xb") as file:
            file.write(text.encode("utf-8", "replace"))
    except FileExistsError:
        raise InputError(
            "is there already, and may hold labels", file=str(out), cure="name another file, or move it away"
        ) from None
    except OSError as error:
        with contextlib.suppress(OSError):
            out.unlink()  # what is there in part holds no labels, and would stand in the way of the next attempt
        raise InputError(f"cannot be written: {error.strerror}", file=str(out), cure="name another place") from error
    n_answers = sum(len(i.asked) for i in form.items)
    if as_json:
        console.out_json({"file": out, "form": form.form_id, "items": len(form.items), "answers_asked": n_answers})
        return
    console.out(f"{out}: {len(form.items):,} items, {n_answers:,} answers asked")
    if form.n_gone:
        console.note(f"left out, gone or changed since they were labelled: {form.n_gone:,}")
    console.note(f"next: fill it in, then grader label import {shlex.quote(str(out))} {who}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A filled form, or labels from elsewhere.")],
    reviewer: Annotated[str | None, typer.Option(help="Who filled it in.", show_default=False)] = None,
    plan_id: Annotated[
        str | None, typer.Option("--plan", help="The plan, where several have this form.", show_default=False)
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(help="Labels from elsewhere, under this name: kept apart, part of no rate.", show_default=False),
    ] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Take in a filled form: kept + rejected = answers in. Empty places are no answers; the same file twice changes
    nothing; a changed answer is a second record, and the first one stays.

    An answer is rejected, with line, question and cure, where its item, its text or the rubric's version is not the
    plan's. `--origin NAME` takes records as `grader schema label` describes them, from another tool or time: they were
    not drawn, so no rate counts them; work on a rubric may.

    Example:
      grader label import labels-ana.csv --reviewer ana
      grader label import old-labels.jsonl --origin helpdesk-qa
    """
    del quiet
    settings = console.settings(workspace)
    if (origin is None) == (reviewer is None):
        raise ConfigError("a form needs --reviewer, labels from elsewhere --origin", cure="give one of them")
    before_counting(settings)
    taken_in(settings, file, reviewer, plan_id, origin, datetime.now(UTC), as_json=as_json)


@app.command("status")
def status(
    plan_id: PlanArgument = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """How far the reviewers are, by reviewer and criterion, and which disagreements are open. Tells no answers.

    Example:
      grader label status
    """
    del quiet
    from grader.cli.db import looked_at
    from grader.labelling.given import kept_plan
    from grader.labelling.progress import status as progress

    settings = console.settings(workspace)
    before_counting(settings)
    with looked_at(settings) as store:
        found = progress(store, kept_plan(store, plan_id))
    tell_status(found, as_json=as_json)
