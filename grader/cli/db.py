"""`grader db`: what the database holds, whether it is whole, and how to make it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import console
from grader.errors import InputError, ThresholdError

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.store import Store

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _db() -> None:
    """Inspect, list, verify and rebuild the database.

    Example:
      grader db info
    """


@app.command("info")
def info(workspace: console.WorkspaceOption = None, as_json: console.JsonOption = False) -> None:
    """What the database holds: rows by table, queues, channels, languages, dates, runs.

    Example:
      grader db info --json
    """
    settings = console.settings(workspace)
    with looked_at(settings) as store:
        found = store.contents()
    if as_json:
        console.out_json({"database": settings.workspace.database, **found})
        return
    console.out(f"{settings.workspace.database}")
    console.table(["table", "rows>"], found["tables"].items())
    for name in ("queue", "channel", "language"):
        if found[name]:
            console.table([name, "conversations>"], found[name].items())
    if found["from"]:
        console.out(f"conversations from {found['from']:%Y-%m-%d} to {found['to']:%Y-%m-%d} (UTC)")
    if found["runs"]:
        columns = ["run", "state", "judge", "planned>", "reused>", "judged>", "failed>"]
        columns += ["golden"] if any(r["golden"] for r in found["runs"]) else []
        console.table(columns, [[r[c.rstrip(">")] for c in columns] for r in found["runs"]])


@contextmanager
def looked_at(settings: Settings) -> Iterator[Store]:
    """The database for reading, so that a read-only disk will do; brought up to date first where it is of an older
    Grader.
    """
    from grader.errors import OldSchemaError
    from grader.store import open_store

    database = settings.workspace.database
    with ExitStack() as stack:
        try:
            yield stack.enter_context(open_store(database, read_only=True))
        except OldSchemaError:
            yield stack.enter_context(open_store(database, create=False, people=console.people(settings)))


@app.command("list")
def listed(
    select: Annotated[
        list[str] | None, typer.Option(help="Only these: queue:returns,since:2026-09-01,…", metavar="NAME:VALUE")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many; the first by id.")] = 50,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """The conversations that are there: id, start, queue, channel, language, messages, hand-off.

    --select takes the same names as in `grader grade`: queue, channel, language, reason, contact, id, since, until,
    handoff, human, tools.

    Example:
      grader db list --select queue:returns --limit 10
    """
    from grader.cli.grade import selection

    settings = console.settings(workspace)
    with looked_at(settings) as store:
        ids = store.population(selection(select or ()), zone=settings.workspace.tz)
        found = store.members(ids[:limit])
    if as_json:
        console.out_json({"conversations": len(ids), "listed": found})
        return
    columns = ("conversation", "started (UTC)", "queue", "channel", "language", "messages>", "hand-off")
    console.table(columns, [
        (m.conversation_id, m.happened_at and f"{m.happened_at.astimezone(UTC):%Y-%m-%d %H:%M}", m.queue, m.channel,
         m.language, m.n_messages, "yes" if m.has_handoff else "no")
        for m in found
    ])  # fmt: skip
    if len(ids) > len(found):
        console.note(f"{len(found)} of {len(ids)} conversations; --limit shows more")


@app.command("verify")
def verify(workspace: console.WorkspaceOption = None, as_json: console.JsonOption = False) -> None:
    """Check that what is stored is whole: hashes, keys, quotes, and that every journal is taken in.

    Example:
      grader db verify
    """
    settings = console.settings(workspace)
    from grader.engine.verify import INPUTS
    from grader.engine.verify import verify as check

    with looked_at(settings) as store:
        found = check(store, settings.workspace.state_dir / "journal")
    if as_json:
        console.out_json(
            [{"check": c.name, "checked": c.n_checked, "wrong": c.n_wrong, "examples": c.examples} for c in found]
        )
    else:
        console.table(["check", "checked>", "wrong>", "examples"], [
            (c.name, c.n_checked, c.n_wrong, ", ".join(c.examples)) for c in found
        ])  # fmt: skip
    wrong = sum(c.n_wrong for c in found)
    if wrong:
        cure = "grader db rebuild --yes makes the results again from the journals"
        if any(c.n_wrong for c in found if c.name in INPUTS):
            cure = "move the database away, then grader db rebuild --yes, and grader ingest the files again"
        raise ThresholdError(f"{wrong} things are not as they should be", cure=cure)


@app.command("rebuild")
def rebuild(
    force: Annotated[bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")] = False,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Make the results again from the journals: judgements, verdicts, evidence, failures, calls.

    The old file is kept beside the new one. Conversations, policies, outcomes and labels are copied over from it when
    it can be read; when it cannot, ingest them again afterwards.

    Example:
      grader db rebuild --yes
    """
    settings = console.settings(workspace)
    database, journals = settings.workspace.database, settings.workspace.state_dir / "journal"
    from grader.engine.journal import journals as listed

    files = listed(journals)
    if not files and not database.exists():
        raise InputError(
            f"there are no journals in {journals}, and no database", cure="nothing can be rebuilt from nothing"
        )
    if not force:
        if as_json:
            console.out_json({"database": database, "journals": len(files), "done": False})
        else:
            console.out(f"{len(files)} journals in {journals} would be read into a new {database.name}; --yes does it")
        return
    from grader.engine.rebuild import rebuild as again

    at = datetime.now(UTC)
    aside = database.with_name(f"{database.name}.{at:%Y%m%dT%H%M%S}-{at.microsecond // 1000:03d}.old")
    people = console.people(settings)
    from grader.calibration import golden, promotions
    from grader.labelling import given
    from grader.store import open_store

    state, damaged = settings.workspace.state_dir, []
    try:
        done = again(database, journals, aside, state / "samples", people=people)
    except InputError as error:
        damaged.append(error)
    with open_store(database, create=False, people=people) as store:
        for kept, folder in ((given, "labels"), (golden, "golden"), (promotions, "promotions")):
            try:
                kept.keep_again(store, state / folder)
            except InputError as error:  # a damaged file takes nothing with it that is whole
                damaged.append(error)
    for told in damaged[:-1]:
        console.error(told)
    if damaged:
        raise damaged[-1]
    if as_json:
        console.out_json({
            "database": database, "journals": done.n_journals, "done": True, "kept": done.kept,
            "judgements": done.n_judgements, "conversations": done.n_conversations, "lost": done.lost,
        })  # fmt: skip
        return
    console.out(
        f"{done.n_judgements} judgements from {done.n_journals} journals, {done.n_conversations} conversations copied"
    )
    if done.kept:
        console.note(f"the old database is {done.kept}")
    if done.lost:
        console.note(f"could not be read from it: {', '.join(done.lost)}")
    if not done.n_conversations:
        console.note("no conversations could be copied: grader ingest takes them in again")
