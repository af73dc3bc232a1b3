"""Files in, records out: conversations, policies, outcomes and labels, row by row in bounded memory.

`read` is the way in. Every row of a file comes out as a Kept or a Rejected, none is lost and none is guessed at. The
readers stand in the table `FORMATS`, those of other programs' exports in `sources`; nothing here knows the database.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, Protocol

from grader.errors import InputError
from grader.ingest import canonical, openai_chat, plain, policies
from grader.ingest.jsontext import decode, parse
from grader.ingest.mapped import MappedReader
from grader.ingest.mapping import Mapping
from grader.ingest.mapping_file import EXAMPLE, example_mapping, load_mapping, load_options
from grader.ingest.rows import (
    ROW_LIMIT,
    Incoming,
    Kept,
    Ledger,
    Note,
    Parsed,
    Problem,
    SeenIds,
    UnfitError,
    excerpt,
    key_of,
    short_hash,
)
from grader.ingest.schema import json_schema
from grader.ingest.source import Layout, Source, json_layout
from grader.ingest.sources import chatwoot, intercom, langfuse, otel_genai, whatsapp_business, whatsapp_txt, zendesk
from grader.ingest.sources.logged import behind_prefix
from grader.model import Conversation, JsonValue, Rejected

__all__ = [
    "FORMATS", "NAMES", "ROW_LIMIT", "Incoming", "Kept", "Mapping", "Note", "Reading", "Rejected", "example_mapping",
    "expand", "json_schema", "load_mapping", "load_options", "read",
]  # fmt: skip

_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", *policies.SUFFIXES)
_LOOKED_AT = 20  # first rows by which a format is recognised


@dataclass(frozen=True, slots=True)
class Sample:
    """What a format is recognised by: the file's name, its beginning, and its first rows as far as they are JSON."""

    path: Path
    rows: list[JsonValue]
    head: bytes = b""
    behind: list[JsonValue] = field(default_factory=list)  # objects that stand behind a time or a level, as in a log

    @property
    def logged(self) -> list[JsonValue]:
        """The first rows, and those of a log."""
        return [*self.rows, *self.behind]


class RecordReader(Protocol):
    """Makes a record of one JSON row, or puts into the ledger why it cannot."""

    def __call__(self, row: JsonValue, ledger: Ledger, /) -> Incoming | None: ...


class Recogniser(Protocol):
    """Tells why a file is of this format, None if it does not look like it."""

    def __call__(self, sample: Sample, /) -> str | None: ...


class FormatReader(Protocol):
    """Reads the rows of one file, by the format's options where it has some."""

    def __call__(self, source: Source, ledger: Ledger, /, *options: Any) -> Iterable[Parsed]: ...


class OptionsReader(Protocol):
    """Checks the options that are given for a format. Raises InputError for what it does not know."""

    def __call__(self, values: MappingOf[str, JsonValue], /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name, how it is recognised and how it is read. `options` is None where it has none."""

    name: str
    recognises: Recogniser
    read: FormatReader
    options: OptionsReader | None = None


def _json_rows(record: RecordReader, source: Source, ledger: Ledger, *_: object) -> Iterator[Parsed]:
    """Rows of JSON, each by itself through `record`."""
    for raw in source.rows(_layout(source)):
        begin = raw.raw[:1024]
        if raw.problem:
            yield Parsed(raw.line, begin, problem=raw.problem)
            continue
        made = None
        try:
            made = record(parse(decode(raw.raw, ledger), ledger), ledger)
        except UnfitError as error:
            ledger.problem(None, error.reason, error.cure)
        problem = ledger.settle()
        yield Parsed(raw.line, begin, () if problem or made is None else (made,), problem, size=len(raw.raw))


def _layout(source: Source) -> Layout:
    return json_layout(source.head)


def _named_as_policy(sample: Sample) -> str | None:
    name = sample.path.name.lower().removesuffix(".gz")
    return "its name ends in .md" if name.endswith(policies.SUFFIXES) else None


# Asked in this order. A format of a helpdesk is a file beside these and one more line here.
FORMATS: tuple[Format, ...] = (
    Format("policy", _named_as_policy, lambda source, ledger, *_: [policies.read(source, ledger)]),
    Format("intercom", lambda sample: intercom.recognises(sample.rows), intercom.read, intercom.options),
    Format("zendesk", lambda sample: zendesk.recognises(sample.rows), zendesk.read, zendesk.options),
    Format("chatwoot", lambda sample: chatwoot.recognises(sample.logged), chatwoot.read, chatwoot.options),
    Format(
        "whatsapp_business",
        lambda sample: whatsapp_business.recognises(sample.logged), whatsapp_business.read, whatsapp_business.options,
    ),
    Format(
        "whatsapp_txt",
        lambda sample: whatsapp_txt.recognises_text(sample.head, sample.path.name), whatsapp_txt.read,
        whatsapp_txt.options,
    ),
    Format("otel_genai", lambda sample: otel_genai.recognises(sample.rows), otel_genai.read, otel_genai.options),
    Format("langfuse", lambda sample: langfuse.recognises(sample.rows), langfuse.read, langfuse.options),
    Format(
        "openai_chat",
        lambda sample: openai_chat.recognises(sample.rows),
        lambda source, ledger, *_: _json_rows(openai_chat.Reader().record, source, ledger),
    ),
    Format("canonical", lambda sample: canonical.recognises(sample.rows), partial(_json_rows, plain.record)),
)  # fmt: skip
NAMES = (*(known.name for known in FORMATS), "mapped")
WITH_OPTIONS = tuple(known.name for known in FORMATS if known.options)


class Reading(Iterator[Kept | Rejected]):
    """One file being read: iterate it once. `format` and `why` say how it is understood."""

    def __init__(
        self,
        source: Source,
        format: str,  # noqa: A002 - the field's word
        why: str,
        rows: Iterable[Parsed],
        ledger: Ledger,
    ) -> None:
        self.path, self.size, self.format, self.why = source.path, source.size, format, why
        self._source, self._ledger, self._rows = source, ledger, rows
        self._out = self._told_apart()

    def __iter__(self) -> Iterator[Kept | Rejected]:
        return self

    def __next__(self) -> Kept | Rejected:
        return next(self._out)

    @property
    def position(self) -> int:
        """How many of the file's `size` bytes have been used."""
        return self._source.position

    def notes(self) -> list[Note]:
        """What was unusual in the rows so far and was taken in all the same."""
        return self._ledger.notes()

    def unused(self) -> dict[str, int]:
        """Of a mapped file: columns that the mapping does not use, with how many rows had them."""
        return dict(self._rows.unused) if isinstance(self._rows, MappedReader) else {}

    def _told_apart(self) -> Iterator[Kept | Rejected]:
        """Rows one by one; a second, different row under an id that the file has shown is rejected."""
        seen = SeenIds()
        for row in self._rows:
            problem = row.problem or self._known_before(row, seen)
            if problem:
                line, field = problem.line or row.line, problem.field
                yield Rejected(str(self.path), line, field, problem.reason, problem.cure, excerpt(row.begin))
                continue
            for position, record in enumerate(row.records):
                first = position == 0
                yield Kept(row.line, record, row.rows if first else 0, row.size if first else 0)

    def _known_before(self, row: Parsed, seen: SeenIds) -> Problem | None:
        for record in row.records:
            identity, content = key_of(record), short_hash(_said(record))
            if seen.first(identity, content) != content:
                what = identity[2:].replace("\0", ", ")
                return Problem(
                    "policy_id" if identity[0] == "p" else "conversation_id",
                    f"another {type(record).__name__.lower()} with this id ({what[:80]}) stands in the file before",
                    "keep one of them; a newer version goes in from a file of its own, after this one",
                )
        return None


def _said(record: Incoming) -> str:
    """Everything that a record says: two records are the same if this is."""
    if isinstance(record, Conversation):
        return f"{record.model_dump_json(exclude={'messages'})}{','.join(record.written_messages)}"
    return record.model_dump_json()


def read(
    path: Path | str,
    *,
    format: str | None = None,  # noqa: A002 - the field's word
    mapping: Mapping | Path | str | None = None,
    timezone: tzinfo = UTC,
    content: Path | None = None,
    ahead: int | None = None,
    options: MappingOf[str, JsonValue] | None = None,
) -> Reading:
    """Read one file: each row of it comes out as Kept or Rejected, in the file's order.

    Without `format` it is recognised from the first rows; a mapping makes it "mapped", but for Markdown, which is a
    policy. Times without an offset are in `timezone`. `content`: the bytes are there, and `path` only names them.
    `ahead`: of a file with a row per message, how many rows are searched for what does not stand together (None: all).
    `options`: what the format is to be told, such as which ids are the bot's. Raises InputError if the file is not one
    that can be read, or for an option that its format does not have.
    """
    if isinstance(mapping, (Path, str)):
        mapping = load_mapping(mapping)
    if format is not None and format not in NAMES:
        raise InputError(f"there is no format {format!r}", file=str(path), cure=f"use one of {', '.join(NAMES)}")
    source = Source(Path(path), content)
    if format is None:
        format, why = _recognised(source, mapping)  # noqa: A001
    else:
        why = "as asked"
    if format == "mapped":
        if mapping is None:
            raise InputError("this needs a mapping", file=str(path), cure=f"--map mapping.toml; {EXAMPLE}")
        if options:
            raise InputError(
                "a mapped file has no options", file=str(path),
                cure=f"leave out {', '.join(options)}: the mapping says all",
            )  # fmt: skip
        ledger = Ledger(timezone, name_unknown=False, command=source.command)
        rows = MappedReader(source, mapping, ledger, ahead)
        return Reading(source, format, f"{why}, {rows.format} by {mapping.file}", rows, ledger)
    known = next(known for known in FORMATS if known.name == format)
    ledger = Ledger(timezone, name_unknown=format == "canonical", command=source.command)
    if known.options is None:
        if options:
            raise InputError(
                f"the format {format} has no options", file=str(path),
                cure=f"leave out {', '.join(options)}; formats with options: {', '.join(WITH_OPTIONS)}",
            )  # fmt: skip
        return Reading(source, format, why, known.read(source, ledger), ledger)
    return Reading(source, format, why, known.read(source, ledger, known.options(options or {})), ledger)


def _recognised(source: Source, mapping: Mapping | None) -> tuple[str, str]:
    """(format, why)."""
    policy = _named_as_policy(Sample(source.path, []))
    if policy:
        return "policy", policy
    if mapping is not None:
        return "mapped", "a mapping is given"
    name = source.path.name.lower().removesuffix(".gz")
    if name.endswith((".csv", ".tsv")):
        if why := langfuse.recognises_table(source):
            return "langfuse", why
        header = excerpt(source.head.split(b"\n", 1)[0])
        raise InputError(
            "a CSV needs a mapping that says what its columns mean", file=str(source.path),
            cure=f"--map mapping.toml; {EXAMPLE}. The header: {header}",
        )  # fmt: skip
    rows: list[JsonValue] = []
    behind: list[JsonValue] = []
    n_rows = 0
    for raw in islice(source.rows(_layout(source)), _LOOKED_AT):
        n_rows += 1
        try:
            rows.append(parse(decode(raw.raw), Ledger()))
        except UnfitError:
            logged = behind_prefix(raw.raw)
            behind += [logged[0]] if logged else []
    sample = Sample(source.path, rows, source.head, behind)
    for known in FORMATS:
        if why := known.recognises(sample):
            return known.name, why
    if (
        n_rows
        and not any(isinstance(row, (dict, list)) for row in rows)
        and not name.endswith((".jsonl", ".ndjson", ".json"))
    ):
        raise InputError(
            f"this is not JSON; it begins with {excerpt(source.head)[:60]!r}", file=str(source.path),
            cure="hand in JSON Lines, a CSV with --map mapping.toml, or a policy as .md; --format says what it is",
        )  # fmt: skip
    return "canonical", "the file has no rows" if not n_rows else "nothing says that it is another format"


def expand(paths: Sequence[str]) -> list[Path]:
    """Files for paths, folders and globs, each file once. Folders give their files by name, subfolders too.

    Raises InputError where something matches nothing.
    """
    found: dict[str, Path] = {}
    for given in paths:
        for path in _matches(given):
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def _matches(given: str) -> list[Path]:
    path = Path(given).expanduser() if given.startswith("~") else Path(given)
    try:
        if path.is_dir():
            found = _in_folder(path)
        elif path.exists() or path.is_symlink() or not glob.has_magic(given):
            return [path]
        else:
            hits = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute patterns
            found = [file for hit in hits for file in (_in_folder(Path(hit)) if Path(hit).is_dir() else [Path(hit)])]
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"the path cannot be used: {error}", file=given, cure="check the path") from error
    if not found:
        looked_for = f"files that end in {', '.join(_SUFFIXES)}, also with .gz, were looked for"
        raise InputError("nothing to take in is there", file=given, cure=f"check the path or pattern; {looked_for}")
    return found


def _in_folder(folder: Path) -> list[Path]:
    """The files with a known suffix, in subfolders too; hidden ones and READMEs are left out."""
    found = []
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent) / name for name in names if _is_data(name)]
    return sorted(found)


def _refuse(error: OSError) -> NoReturn:
    raise error


def _is_data(name: str) -> bool:
    plain = name.lower().removesuffix(".gz")
    return plain.endswith(_SUFFIXES) and not plain.startswith((".", "readme"))
