"""`grader review`: the review app on this machine, for the people of a label plan."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import console
from grader.errors import ConfigError, HeldError

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.labelling.plan import LabelPlan
    from grader.review.material import Material
    from grader.review.serve import Address, Ended
    from grader.review.session import Person, Role
    from grader.store import Store

WAIT = 1.0  # seconds between two looks at a database that is held


def review(
    plan_id: Annotated[
        str | None, typer.Argument(metavar="PLAN", help="The plan's id, or its beginning; else the latest.")
    ] = None,
    run: Annotated[str | None, typer.Option("--run", help="The latest plan of this run.", show_default=False)] = None,
    reviewers: Annotated[
        str | None, typer.Option(help="Whose addresses to open: ana,ben; else all of the plan.", show_default=False)
    ] = None,
    adjudicator: Annotated[
        str | None, typer.Option(help="Who decides where reviewers differ: none of them.", show_default=False)
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="Who reads the report and disputes findings, and labels nothing.", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            show_default=False,
            help="The port; else the plan's last one, or 8737 and what is free then.",
        ),
    ] = None,
    reveal: Annotated[str, typer.Option(help="When a reviewer sees the judge's answer: item or never.")] = "item",
    language: Annotated[str, typer.Option(help="Of the pages: en or pt.")] = "en",
    open_it: Annotated[bool, typer.Option("--open/--no-open", help="Open the first address in the browser.")] = False,
    flush: Annotated[bool, typer.Option("--flush", help="Take in what waits from earlier sessions, and end.")] = False,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Label a plan in the browser: blind until the answer is given, keyboard first, every answer kept at once.

    Each person gets an address of their own, which opens on this machine only. Answers go into the database whenever
    no other command holds it; what waits meanwhile is on disk and is never lost. Ctrl-C ends. docs/review.md tells
    more.

    Example:
      grader review
      grader review --reviewers ana --adjudicator cleo --open
    """
    del quiet
    from grader.language import LANGUAGES

    if plan_id and run:
        raise ConfigError("--run and a plan are two answers to one question", cure="name one of them")
    if reveal not in ("item", "never"):
        raise ConfigError(f"--reveal {reveal!r} is not known", cure="item or never")
    if language not in LANGUAGES:
        raise ConfigError(f"--language {language!r} is not known", cure=" or ".join(LANGUAGES))
    settings = console.settings(workspace)
    if flush:
        _flush(settings, as_json=as_json)
        return
    from grader.review.journal import alone

    material, folder = _material(settings, plan_id, run)
    people = _people(material.plan, reviewers, adjudicator, owner)
    with alone(folder):
        ended = _serve(material, folder, people, settings, port, reveal, language, open_it=open_it, as_json=as_json)
    _tell_end(ended, folder)


def _serve(
    material: Material, folder: Path, people: list[tuple[str, Role]], settings: Settings, port: int | None, reveal: str,
    language: str, *, open_it: bool, as_json: bool,
) -> Ended:  # fmt: skip
    from grader.cli.db import looked_at
    from grader.review.serve import served

    def tell(addresses: list[Address], there: list[Person]) -> None:
        if as_json:
            told = [{"name": a.name, "role": a.role, "url": a.url} for a in addresses]
            print(json.dumps({"plan": material.plan.plan_id, "people": told}), flush=True)
        else:
            _tell_addresses(material, addresses, there)
        if open_it and addresses:
            typer.launch(addresses[0].url)

    return served(
        material, folder, people, settings, writable=lambda: _writable(settings), readable=lambda: looked_at(settings),
        port=port, reveal=reveal == "item", language=language, tell=tell, warn=console.note,
    )  # fmt: skip


def _tell_addresses(material: Material, addresses: list[Address], there: list[Person]) -> None:
    console.out(f"plan {material.plan.plan_id}: {len(material.plan.drawn):,} conversations, run {material.plan.run_id}")
    gone = len(material.plan.drawn) - len(material.conversations)
    if gone:
        console.note(f"{gone:,} of them are gone, or changed since the plan was drawn: they are left out")
    for torn in (p for p in there if p.journal.n_torn):
        console.note(f"{torn.name}: {torn.journal.n_torn} line of the journal was cut off by a kill, and is left out")
    for a in addresses:
        console.out(f"{a.name} ({a.role}): {a.url}")
    console.note("each address is one person's: whoever has it answers under that name. Ctrl-C ends.")
    console.out("")


def _material(settings: Settings, plan_id: str | None, run: str | None) -> tuple[Material, Path]:
    """What the session needs; what was kept of it while another program holds the database, or a wait for that."""
    from grader.cli.db import looked_at
    from grader.labelling.given import kept_plan
    from grader.review.journal import folder_of
    from grader.review.material import kept, taken

    told = False
    while True:
        try:
            with looked_at(settings) as store:
                plan = kept_plan(store, plan_id, run)
                folder = folder_of(settings.workspace.state_dir, plan.plan_id)
                return taken(store, plan, folder), folder
        except HeldError as error:
            found = _kept(settings, plan_id)
            material = kept(found) if found else None
            if material is not None and found is not None and run in (None, material.plan.run_id):
                console.note(f"{error.message}: going on with what was kept, answers wait on disk until it is free")
                return material, found
            if not told:
                console.note(f"{error.message}\nwaiting until it is free; Ctrl-C leaves")
                told = True
            time.sleep(WAIT)


def _kept(settings: Settings, plan_id: str | None) -> Path | None:
    """The folder of a plan that was reviewed before; the latest where none is named."""
    from grader.review.material import FILE

    found = [p for p in (settings.workspace.state_dir / "review").glob(f"lp_*/{FILE}") if p.is_file()]
    wanted = plan_id.rpartition("/")[2].removesuffix(".json") if plan_id else ""
    found = [p for p in found if p.parent.name.startswith(wanted)]
    if plan_id and len(found) != 1:
        return None
    return max(found, key=lambda p: p.stat().st_mtime).parent if found else None


def _people(
    plan: LabelPlan, reviewers: str | None, adjudicator: str | None, owner: str | None
) -> list[tuple[str, Role]]:
    """Who gets an address. Raises ConfigError for a name that cannot be what it is named as."""
    wanted = _names(reviewers) if reviewers is not None else list(plan.reviewers)
    for name in wanted:
        if name not in plan.reviewers:
            raise ConfigError(f"--reviewers {name!r} is not in this plan", cure=f"of {', '.join(plan.reviewers)}")
    thirds, owners = _names(adjudicator), _names(owner)
    for option, given, names in (("--adjudicator", adjudicator, thirds), ("--owner", owner, owners)):
        if given is not None and not names:
            raise ConfigError(f"{option} {given!r} names nobody", cure=f"{option} NAME")
        for name in names:
            if name in plan.reviewers:
                raise ConfigError(f"{option} {name!r} is one of the plan's reviewers", cure="name somebody else")
    if both := set(thirds) & set(owners):
        raise ConfigError(f"{sorted(both)[0]!r} cannot decide blind and read the report", cure="name two people")
    if not wanted and not thirds and not owners:
        raise ConfigError("nobody is named", cure="--reviewers ana,ben")
    return [
        *((name, "reviewer") for name in wanted), *((name, "adjudicator") for name in thirds),
        *((name, "owner") for name in owners),
    ]  # fmt: skip


def _names(text: str | None) -> list[str]:
    names = list(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))
    if bad := [name for name in names if not name.isprintable()]:
        raise ConfigError(f"{bad[0]!r} is no name", cure="letters, figures and blanks")
    return names


@contextmanager
def _writable(settings: Settings) -> Iterator[Store]:
    from grader.store import open_store

    with open_store(settings.workspace.database, create=False, people=console.people(settings)) as store:
        yield store


def _tell_end(ended: Ended, folder: Path) -> None:
    for name, _role, n_submitted, n_items in ended.progress:
        if n_items:  # an owner has none
            console.note(f"{name}: {n_submitted:,} of {n_items:,} items submitted")
    if ended.n_waiting:
        answers = "answer waits" if ended.n_waiting == 1 else "answers wait"
        held = f" ({ended.held_by})" if ended.held_by else ""
        console.note(
            f"{ended.n_waiting:,} {answers} in {folder}{held}; taken in by the next grader review, label status, "
            "label import, label adjudicate or calibrate, or now by grader review --flush"
        )
    for one in ended.rejected[:10]:
        console.note(f"not taken in: {one.field}: {one.reason}\n  → {one.cure}")


def _flush(settings: Settings, *, as_json: bool) -> None:
    from grader.cli.reviewed import take_in

    n_new, rejected = take_in(settings)
    if as_json:
        console.out_json({"new": n_new, "rejected": rejected})
        return
    console.out(f"taken in {n_new:,}, rejected {len(rejected):,}")
    for one in rejected[:10]:
        console.note(f"{one.field}: {one.reason}\n  → {one.cure}")
