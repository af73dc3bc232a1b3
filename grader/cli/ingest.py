"""`grader ingest` and `grader schema`: arguments in, one call to the library, what happened out."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console
from grader.errors import GraderError, InputError

if TYPE_CHECKING:
    from datetime import tzinfo

    from grader.config import Settings
    from grader.ingest import Kept, Mapping, Note, Reading, Rejected
    from grader.ingest.load import Loaded, Progress
    from grader.ingest.preview import Tally
    from grader.store import Store

    _File = tuple[Path, Path | None]  # how it is called, and where its bytes are if not there

FORMATS = (
    "auto", "canonical", "openai_chat", "mapped", "policy", "intercom", "zendesk", "chatwoot", "whatsapp_business",
    "whatsapp_txt", "otel_genai", "langfuse",
)  # fmt: skip
KINDS = ("conversation", "policy", "outcome", "label")
MAPPING = "mapping"  # what `grader schema` prints an example of
STDIN = "-"
PREVIEW_ROWS = 100_000  # rows in which a preview looks for what does not stand together; ingest looks at all
PREVIEW_TALLY = 10_000  # rows of which a preview tells what they come to
TALLIED = (
    "rows", "kept", "rejected", "conversations", "with_identity", "with_times", "closed", "ratings", "messages",
)  # fmt: skip
SHOWN_CHARACTERS = 300  # of a message, in a preview
SHOWN_NOTES = 15  # of a file
DATABASE_MEMORY = "200MB"  # that DuckDB takes
SHOW_PROGRESS_FROM = 4 * 1024 * 1024  # bytes of a file; a smaller one is in before a bar can be read


def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH…", help="Files, folders, globs, - for standard input; .gz is unpacked."),
    ] = None,
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="mapping.toml for foreign CSV or JSONL, or a table of [options]."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="What a format is to be told: bot_ids=777 (docs/sources)."),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME", help=f"One of {', '.join(FORMATS)}.", show_default=True)
    ] = "auto",
    preview: Annotated[
        bool, typer.Option("--preview", help="Show the first conversations as they would come in; write nothing.")
    ] = False,
    n: Annotated[int, typer.Option("-n", metavar="N", min=1, help="How many records a preview shows.")] = 3,
    strict: Annotated[bool, typer.Option("--strict", help="A file with any bad row does not go in at all.")] = False,
    rejections: Annotated[
        bool, typer.Option("--rejections", help="List the rows that the last ingest of each file rejected.")
    ] = False,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", metavar="ZONE", help="Zone of times that name none, else the workspace's."),
    ] = None,
    database: Annotated[
        Path | None, typer.Option("--database", metavar="FILE", help="The DuckDB file, else the workspace's.")
    ] = None,
    json: console.JsonOption = False,
    quiet: console.QuietOption = False,
    workspace: console.WorkspaceOption = None,
) -> None:
    """Take in conversations, policies, outcomes and labels. The same file twice changes nothing.

    Formats: Grader's JSON Lines, OpenAI chat-completions JSONL, CSV and JSONL by a mapping, policies in Markdown, and
    the exports of Intercom, Zendesk, Chatwoot, WhatsApp (Business webhooks, .txt), OpenTelemetry GenAI and Langfuse;
    docs/sources has a page for each, with its options.
    A bad row is rejected with its line, field and cure, the rest goes in: rows in = kept + rejected.
    A mapping says what the columns of a CSV mean; `grader schema mapping` prints an example to start from.

    Exit codes: 0 something went in (or a file had no rows), 2 a file could not be read, was refused by --strict, or
    every row of it was rejected.

    Example:
      grader ingest conversations/*.jsonl.gz policies/
      grader schema mapping > mapping.toml
      grader ingest tickets.csv --map mapping.toml --preview
      zstd -dc conversations.jsonl.zst | grader ingest -
      grader ingest --rejections
    """
    flags = {"workspace.database": database, "workspace.timezone": timezone}
    settings = console.settings(workspace, flags, needed=not (preview or database))
    if rejections:
        _list_rejections(settings.workspace.database, paths or [], as_json=json)
        return
    if not paths:
        raise InputError("no path is given", cure="grader ingest conversations.jsonl; folders and globs work too")
    if preview and len(paths) > 1 and paths[-1].isdecimal() and not Path(paths[-1]).exists():
        n = max(int(paths.pop()), 1)  # --preview 5
    if format_ not in FORMATS:
        raise InputError(f"there is no format {format_!r}", field="--format", cure=f"use one of {', '.join(FORMATS)}")

    from grader.ingest import expand, load_mapping, load_options

    options, mapped = load_options(map_) if map_ else ({}, False)
    mapping = load_mapping(map_) if map_ and mapped else None
    options |= _options(option or [])
    given = expand([path for path in paths if path != STDIN])
    form = None if format_ == "auto" else format_
    with _standard_input(wanted=STDIN in paths) as stdin:
        files: list[_File] = [(path, None) for path in given] + ([(Path(STDIN), stdin)] if stdin else [])
        if preview:
            _preview(files, form, mapping, options, settings.workspace.tz, n, as_json=json)
        else:
            _take_in(files, form, mapping, options, settings, strict=strict, quiet=quiet, as_json=json)


def _options(given: list[str]) -> dict[str, Any]:
    """`name=value` as pairs; of a name that comes again the values are joined by a comma, as a list is written."""
    found: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise InputError(f"{text!r} is not NAME=VALUE", field="--option", cure="for example --option bot_ids=777")
        name = name.strip()
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def schema(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help=f"One of {', '.join(KINDS)}; without it, any row. {MAPPING}: an example of a mapping for --map.",
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of Grader's JSON Lines (exactly what ingest accepts), or an example of a mapping.

    Example:
      grader schema conversation > conversation.schema.json
      grader schema mapping > mapping.toml
    """
    from grader.ingest import example_mapping, json_schema

    if kind == MAPPING:
        text = example_mapping().rstrip("\n")
        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig")
        # A mapping is UTF-8; on a stream that is not, TOML's escapes say the same.
        console.out(text if utf8 else "".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in text))
        return
    if kind is not None and kind not in KINDS:
        raise InputError(f"there is no record {kind!r}", cure=f"use one of {', '.join((*KINDS, MAPPING))}")
    console.out_json(json_schema(kind))


@contextmanager
def _standard_input(*, wanted: bool) -> Iterator[Path | None]:
    """Standard input as a file, since a file is read more than once; None where it is not wanted."""
    if not wanted:
        yield None
        return
    import shutil
    import tempfile

    if sys.stdin is None:
        raise InputError("standard input is closed", file=STDIN, cure="name a file, or pipe one in")
    if sys.stdin.isatty():
        console.note("reading standard input; Ctrl-D ends it")
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path


def _take_in(
    files: Sequence[_File], form: str | None, mapping: Mapping | None, options: dict[str, Any], settings: Settings,
    *, strict: bool, quiet: bool, as_json: bool,
) -> None:  # fmt: skip
    from grader.ingest.load import load
    from grader.store import open_store

    done: list[Loaded] = []
    failed: list[GraderError] = []
    zone = settings.workspace.tz
    with (
        open_store(settings.workspace.database, memory=DATABASE_MEMORY, people=console.people(settings)) as store,
        store.contacts_at_the_end(),
    ):
        for path, content in files:
            try:
                with _progress(content or path, wanted=not quiet) as tell:
                    done.append(load(path, store, format=form, mapping=mapping, timezone=zone, content=content,
                                     options=options, strict=strict, on_progress=tell))  # fmt: skip
            except KeyboardInterrupt:
                console.note(f"interrupted in {path}; whole batches are in, the same command again takes in the rest")
                raise
            except InputError as error:
                # One file that cannot be read does not keep the others out; the exit code tells.
                failed.append(error)
                console.error(error)
                continue
            _tell(done[-1], as_json=as_json)
        open_ends = _unmatched(store, done, settings)
    for note in open_ends:
        console.note(f"note: {note.text}")
    if as_json:
        console.out_json(_as_json(done, failed, open_ends))
    elif len(files) > 1:
        rows = sum(one.rows_in for one in done)
        kept, rejected = sum(one.kept for one in done), sum(one.rejected for one in done)
        console.out(f"{len(done)} of {len(files)} files: kept {kept:,} + rejected {rejected:,} = {rows:,} rows in")
    if failed or any(one.rejected and not one.kept for one in done):
        raise typer.Exit(InputError.exit_code)


def _unmatched(store: Store, done: Sequence[Loaded], settings: Settings) -> list[Note]:
    """What of the kinds of record that came in counts nowhere yet, in the whole database."""
    from grader.ingest import Note
    from grader.ingest.unmatched import unknown_labels, without_conversation
    from grader.rubric import load_all

    kinds = [kind for kind in ("label", "outcome") if any(one.records[kind] for one in done)]
    notes = [note for kind in kinds for note in without_conversation(store, kind)]
    if "label" not in kinds or settings.file is None:
        return notes
    known: dict[tuple[str, str], dict[str, tuple[str, ...] | None]] = {}
    for rubric, version, code in store.rows("select rubric, rubric_version, code from criterion"):  # used by a run
        known.setdefault((rubric, version), {})[code] = None
    lists = {"contact_reasons": settings.workspace.contact_reasons}
    try:
        for rubric in load_all(settings.workspace.rubrics):
            filled = rubric.with_options(lists) if all(lists.get(name) for name in rubric.lists_needed) else rubric
            known[rubric.name, rubric.version] = {
                one.code: one.answers if one.scale == "defect" or one.options else None for one in filled.criteria
            }
    except GraderError as error:
        return [*notes, Note(f"labels were not held against the rubrics: {error.message}", 0)]
    return [*notes, *unknown_labels(store, known)]


def _tell(one: Loaded, *, as_json: bool) -> None:
    if not as_json:
        console.out(_summary(one))
    for rejected in one.first_rejections:
        console.note(_rejection(rejected))
    if one.bad > len(one.first_rejections):
        listed = f"grader ingest --rejections {shlex.quote(one.path)}"
        console.note(f"… and {one.bad - len(one.first_rejections):,} more: {listed}")
    if one.refused:
        console.note(f"{one.path}: {one.bad:,} rows are bad, so nothing of it went in (--strict)")
    for note in one.notes[:SHOWN_NOTES]:
        console.note(f"note: {one.path}: {note.text} ({_rows(note.n)})")
    if len(one.notes) > SHOWN_NOTES:
        console.note(f"note: {one.path}: … and {len(one.notes) - SHOWN_NOTES} more notes; --json has them")
    if not one.rows_in:
        console.note(f"note: {one.path}: the file has no rows")


def _summary(one: Loaded) -> str:
    records = ", ".join(f"{n:,} {_plural(kind, n)}" for kind, n in one.records.items()) or "no records"
    return (
        f"{one.path}: kept {one.kept:,} + rejected {one.rejected:,} = {one.rows_in:,} rows in\n"
        f"  {records}: new {one.new:,}, changed {one.changed:,}, unchanged {one.unchanged:,}"
        f"  ({one.format}: {one.why})"
    )


def _rows(n: int) -> str:
    return "in 1 row" if n == 1 else f"in {n:,} rows"


def _plural(kind: str, n: int) -> str:
    return kind if n == 1 else "policies" if kind == "policy" else f"{kind}s"


def _rejection(row: Rejected) -> str:
    field = f" {row.field}:" if row.field else ""
    return f"{row.file}:{row.line}:{field} {row.reason}\n  → {row.cure}"


def _as_json(done: Sequence[Loaded], failed: Sequence[GraderError], notes: Sequence[Note]) -> dict[str, Any]:
    totals = ("rows_in", "kept", "rejected", "new", "changed", "unchanged")
    return {
        "files": [
            {
                "path": one.path, "format": one.format, "why": one.why, "refused": one.refused, "bad": one.bad,
                **{name: getattr(one, name) for name in totals},
                "records": one.records,
                "rejections": [_fields(row) for row in one.first_rejections],
                "notes": [{"text": note.text, "n": note.n} for note in one.notes],
            }
            for one in done
        ],
        "notes": [{"text": note.text, "n": note.n} for note in notes],
        "unreadable": [{"message": error.message, "cure": error.cure} for error in failed],
        **{name: sum(getattr(one, name) for one in done) for name in totals},
    }  # fmt: skip


def _fields(row: Rejected) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("file", "line", "field", "reason", "cure", "excerpt")}


@contextmanager
def _progress(path: Path, *, wanted: bool) -> Iterator[Progress | None]:
    """A bar over a big file's bytes, on a terminal; nothing elsewhere."""
    screen = console.console(stderr=True)
    try:
        size = path.stat().st_size
    except OSError:
        size = 0  # the reader will say what is wrong
    if not wanted or not screen.is_terminal or size < SHOW_PROGRESS_FROM:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=screen, transient=True) as bar:
        task = bar.add_task(console.clean(path.name), total=size, rows=0)
        yield lambda position, rows: bar.update(task, completed=position, rows=rows)


def _preview(
    files: Sequence[_File], form: str | None, mapping: Mapping | None, options: dict[str, Any], zone: tzinfo, n: int,
    *, as_json: bool,
) -> None:  # fmt: skip
    from grader.ingest import read
    from grader.ingest.preview import Tally

    shown: list[dict[str, Any]] = []
    refused = False
    for path, content in files:
        try:
            reading = read(path, format=form, mapping=mapping, timezone=zone, content=content, ahead=PREVIEW_ROWS,
                           options=options)  # fmt: skip
        except InputError as error:  # the next file may be read all the same, as ingest does
            refused = True
            console.error(error)
            continue
        rows = list(islice(reading, n))
        tally, whole = Tally(), True
        for row in chain(rows, reading):
            tally.add(row)
            if tally.rows >= PREVIEW_TALLY:
                whole = next(reading, None) is None
                break
        refused |= tally.rejected > 0 and not tally.kept
        if as_json:
            shown.append(_preview_json(reading, rows, tally, whole=whole))
        else:
            _preview_text(reading, rows, tally, whole=whole)
    if as_json:
        console.out_json(shown)
    if refused:
        raise typer.Exit(InputError.exit_code)


def _preview_json(reading: Reading, rows: Sequence[Kept | Rejected], tally: Tally, *, whole: bool) -> dict[str, Any]:
    from grader.ingest import Rejected

    return {
        "path": str(reading.path), "format": reading.format, "why": reading.why,
        "rows": [_fields(r) if isinstance(r, Rejected) else {"line": r.line, "record": r.record} for r in rows],
        "looked_at": {"whole_file": whole, **{name: getattr(tally, name) for name in TALLIED}},
        "unused": reading.unused(),
        "notes": [{"text": note.text, "n": note.n} for note in reading.notes()],
    }  # fmt: skip


def _preview_text(reading: Reading, rows: Sequence[Kept | Rejected], tally: Tally, *, whole: bool) -> None:
    from grader.ingest import Rejected
    from grader.ingest.preview import lines_of

    console.out(f"{reading.path} ({reading.format}: {reading.why})")
    for row in rows:
        console.out()
        if isinstance(row, Rejected):
            console.out(f"rejected {_rejection(row)}")
        else:
            for line in lines_of(row.record, SHOWN_CHARACTERS):
                console.out(console.clean(line))
    console.out()
    for line in tally.lines(whole=whole):
        console.out(line)
    if tally.first_rejected and tally.first_rejected not in rows:
        console.out(f"rejected first: {_rejection(tally.first_rejected)}")
    if reading.unused():
        console.out("columns that the mapping does not use: " + ", ".join(sorted(reading.unused())))
    for note in reading.notes():
        console.out(f"note: {note.text} ({_rows(note.n)})")
    console.note("\nnothing was written; without --preview the file goes in")


def _list_rejections(database: Path, paths: Sequence[str], *, as_json: bool) -> None:
    from grader.store import open_store

    where = "where path in (select unnest(?))" if paths else ""
    with open_store(database, read_only=True) as store:
        found = store.records(
            f"select file, line, field, reason, cure, excerpt from rejection where ingest_id in "  # noqa: S608 - no input in it
            f"(select arg_max(ingest_id, started_at) from ingest {where} group by path) order by file, line",
            [list(paths)] if paths else [],
        )
    if as_json:
        console.out_json(found)
        return
    for row in found:
        field = f" {row['field']}:" if row["field"] else ""
        console.out(f"{row['file']}:{row['line']}:{field} {row['reason']}\n  → {row['cure']}\n  {row['excerpt']}")
    console.note(f"{len(found):,} rejected rows")
