"""A filled form, read: each answer with its place in the file. Whether it fits the plan is `intake`'s question.

A row is one answer; a place that is still empty is none. JSONL and CSV are told apart by how the file begins.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.errors import InputError
from grader.labelling.sheet import FORM, FORMAT, FORMAT_VERSION, GUIDE, HASH, ITEM, NOT_ASKED, NOTE, TEXT, unguarded
from grader.model import JsonValue, Rejected, parse_time

SHOWN = 60  # characters of a value in a message


@dataclass(frozen=True, slots=True)
class Given:
    """One answer as it stands in the file. `problem`: what is wrong with it whatever the plan says, and the cure."""

    line: int
    item_id: str
    form_id: str
    text_hash: str
    text: str | None  # None: the file does not have it
    question: str
    answer: str
    note: str | None = None
    message: int | None = None
    quote: str | None = None
    labelled_at: datetime | None = None
    problem: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """What a file holds. `rubrics`: the version that each question is asked in, as the file says."""

    file: str
    form_id: str
    format: str
    size: int
    rubrics: dict[str, str]
    given: tuple[Given, ...]
    rejected: tuple[Rejected, ...]


def read(path: Path) -> Filled:
    """The answers of a form. Raises InputError where the file is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(path), cure="name the filled form") from error
    if raw.startswith(b"PK"):
        raise InputError("is a workbook", file=str(path), cure="save it as CSV UTF-8 and import that")
    try:
        utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = raw.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"is no UTF-8: byte {error.start + 1:,}", file=str(path), cure="save it as CSV UTF-8 (comma delimited)"
        ) from error
    made = _jsonl(path, text) if text.lstrip().startswith("{") else _csv(path, text)
    given, rejected, rubrics = made
    forms = [g.form_id for g in given] or [rubrics.pop(FORM, "")]
    rubrics.pop(FORM, None)
    kind = "labels-jsonl" if text.lstrip().startswith("{") else "labels-csv"
    return Filled(str(path), forms[0], kind, len(raw), rubrics, tuple(given), tuple(rejected))


_Made = tuple[list[Given], list[Rejected], dict[str, str]]


def _jsonl(path: Path, text: str) -> _Made:
    given: list[Given] = []
    rejected: list[Rejected] = []
    rubrics: dict[str, str] = {}
    form_id = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            rejected.append(_bad(path, number, None, f"is no JSON: {error}", "mend the line, or export again", line))
            continue
        kind = row.get("type") if isinstance(row, dict) else None
        if kind == "form":
            if row.get("format") != FORMAT or row.get("format_version") != FORMAT_VERSION:
                raise InputError(
                    f"a form of format {row.get('format')!r} {row.get('format_version')!r}, this Grader knows "
                    f"{FORMAT} {FORMAT_VERSION}", file=str(path), line=number, cure="upgrade grader, or export again",
                )  # fmt: skip
            form_id = str(row.get(FORM))
            asked = row.get("questions")
            for q in asked if isinstance(asked, list) else ():
                if isinstance(q, dict):
                    rubrics[str(q.get("name"))] = str(q.get("rubric"))
        elif kind == "item" and isinstance(row.get("answers"), dict):
            if not form_id:
                raise InputError(
                    "an item stands before the line of the form", file=str(path), line=number,
                    cure="keep the first line of the export, which says what is asked",
                )  # fmt: skip
            given += _of_item(number, form_id, row)
        else:
            rejected.append(_bad(path, number, None, "is neither form nor item", "export again", line))
    if not form_id:
        raise InputError("is no form", file=str(path), cure="grader label export writes forms")
    return given, rejected, {**rubrics, FORM: form_id}


def _of_item(line: int, form_id: str, row: dict[str, JsonValue]) -> Iterator[Given]:
    note, text = row.get(NOTE), row.get(TEXT)
    problem: tuple[str, str] | None = None
    at = None
    if note is not None and not isinstance(note, str):
        note, problem = None, (f"the note is {_shown(note)}, which is no text", "write it in quotes, or null")
    try:
        at = parse_time(row.get("labelled_at"))
    except ValueError:
        at = str(row.get("labelled_at"))
    if at is not None and not isinstance(at, datetime):
        at, problem = None, (f"labelled_at {_shown(at)} is no time", "write 2026-09-14T10:00:00Z, or leave it out")
    for question, value in row["answers"].items():
        more = value if isinstance(value, dict) else {}
        answer = more.get("answer") if more else value
        if answer is None or answer == "":
            continue
        wrong = problem
        if not isinstance(answer, str):
            wrong, answer = (f"the answer is {_shown(answer)}, which is no text", "write one of the answers"), ""
        message, quote, own = more.get("message"), more.get("quote"), more.get(NOTE)
        if message is not None and (isinstance(message, bool) or not isinstance(message, int) or message < 1):
            wrong, message = (f"message {_shown(message)} is no number of a message", "count from 1"), None
        if not all(one is None or isinstance(one, str) for one in (quote, own)):
            wrong, quote, own = ("quote or note is no text", "write it in quotes, or null"), None, None
        yield Given(
            line, str(row.get(ITEM)), form_id, str(row.get(HASH)), text if isinstance(text, str) else None, question,
            _sound(answer) or "", _sound(own if own is not None else note), message, _sound(quote), at, wrong,
        )  # fmt: skip


def _csv(path: Path, text: str) -> _Made:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    given: list[Given] = []
    rubrics: dict[str, str] = {}
    forms: list[str] = []
    try:
        columns = [unguarded(c).strip() for c in next(rows, [])]
        missing = [c for c in (ITEM, FORM, HASH) if c not in columns]
        if missing:
            raise InputError(
                f"is no form: it has no column {missing[0]}", file=str(path),
                cure="keep the first row of the export; grader label export writes forms",
            )  # fmt: skip
        twice = [c for c in columns if c and columns.count(c) > 1]
        if twice:
            raise InputError(f"two columns are called {twice[0]}", file=str(path), cure="keep one of them")
        before = rows.line_num
        for cells in rows:
            line, before = before + 1, rows.line_num
            row = dict(zip(columns, (unguarded(c) for c in cells), strict=False))
            item = row.get(ITEM, "").strip()
            if item == GUIDE[0]:
                rubrics = {c: row[c].strip() for c in columns if "." in c and c in row}
            if item not in GUIDE and any(c.strip() for c in cells):
                forms.append(row.get(FORM, "").strip())
                given += _of_row(line, item, columns, row)
    except csv.Error as error:
        raise InputError(
            f"is no CSV: {error}", file=str(path), line=rows.line_num, cure="save it as CSV again"
        ) from error
    return given, [], {**rubrics, FORM: next(iter(forms), "")}


def _of_row(line: int, item: str, columns: Sequence[str], row: dict[str, str]) -> Iterator[Given]:
    texts = [c for c in columns if c == TEXT or c.startswith(f"{TEXT} ")]
    text = "".join(row.get(c, "") for c in texts) if texts else None
    note = _sound(row.get(NOTE, "").strip()) or None
    for question in columns:
        answer = row.get(question, "").strip()
        if "." in question and answer not in ("", NOT_ASKED):
            yield Given(
                line, item, row.get(FORM, "").strip(), row.get(HASH, "").strip(), text, question,
                _sound(answer) or "", note,
            )  # fmt: skip


def _bad(path: Path, line: int, field: str | None, reason: str, cure: str, text: str) -> Rejected:
    return Rejected(str(path), line, field, reason, cure, (_sound(text) or "")[:200])


def _sound(text: str | None) -> str | None:
    """The text without half a surrogate pair, which JSON can write and no database keeps."""
    return None if text is None else text.encode("utf-8", "replace").decode()


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:SHOWN]
