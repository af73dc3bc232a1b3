"""Langfuse's objects, wherever a file has them: traces, observations and scores, in one form.

Downloads of a trace or a session, pages of the API, lists, and the lines of a storage export, with names written
`sessionId` or `session_id`. What they mean for a conversation is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from grader.ingest.jsontext import parse
from grader.ingest.mapping import Csv
from grader.ingest.rows import Ledger, UnfitError
from grader.ingest.source import Source
from grader.ingest.sources.genai_messages import short
from grader.ingest.tables import SourceRow
from grader.ingest.tables import rows as table_rows
from grader.model import JsonValue

Row = dict[str, JsonValue]

_TYPES = {
    "generation", "span", "event", "agent", "tool", "chain", "retriever", "evaluator", "embedding", "guardrail",
}  # fmt: skip
_TRACE_SIGNS = {
    "session_id", "user_id", "html_path", "observations", "bookmarked", "public", "tags", "release", "external_id",
}  # fmt: skip
_NUMBER = re.compile(r"-?\d{1,15}\.\d{1,15}|-?\d{1,3}")  # longer whole ones are ids
_SCORE_SIGNS = {"data_type", "source", "string_value", "config_id", "observation_id", "author_user_id"}


def plain(raw: Mapping[str, JsonValue]) -> Row:
    """The object with its names as a storage export writes them."""
    row = {re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower(): value for key, value in raw.items()}
    for old, new in (("prompt", "input"), ("completion", "output")):  # as version 1 named them
        if row.get(old) is not None and row.get(new) is None and row.get("trace_id"):
            row[new] = row.pop(old)
    return row


def kind_of(row: Row) -> str | None:
    """trace, observation or score; None for anything else. The row has its plain names."""
    if any(not isinstance(row.get(key), (str, int, type(None))) for key in ("id", "trace_id")):
        return None
    timed = "start_time" in row or "end_time" in row
    if row.get("trace_id") and (timed or str(row.get("type", "")).lower() in _TYPES):
        return "observation"
    belongs = row.get("trace_id") or row.get("session_id")
    if belongs and "name" in row and ("value" in row or "string_value" in row) and _SCORE_SIGNS & row.keys():
        return "score"
    signs = _TRACE_SIGNS & row.keys()
    talk = "input" in row or "output" in row or isinstance(row.get("observations"), list)
    if row.get("id") and not row.get("trace_id") and talk and "timestamp" in row and signs:
        return "trace"
    return None


def is_csv(source: Source) -> bool:
    """The file is a table as the export button writes it, not JSON."""
    return source.head.lstrip()[:1] not in (b"{", b"[") and b"," in source.head.split(b"\n", 1)[0]


def table(source: Source) -> Iterator[SourceRow]:
    """The rows of a table, its cells read as what they were: JSON, numbers, nothing where they are blank."""
    for row in table_rows(source, Csv()):
        value = None if row.value is None else {key: _cell(str(cell)) for key, cell in row.value.items()}
        yield replace(row, value=value)


def _cell(cell: str) -> JsonValue:
    text = cell.strip()
    if text[:1] in ("{", "[", '"') or text in ("null", "true", "false"):
        try:
            return parse(text, Ledger())
        except UnfitError:
            return cell
    return float(text) if _NUMBER.fullmatch(text) else cell or None


def holds(value: JsonValue) -> bool:
    """A value that is one of Langfuse's objects, or holds some."""
    return isinstance(value, dict) and next(rows_in(value), None) is not None


def rows_in(value: JsonValue, session: str | None = None) -> Iterator[Row | None]:
    """Every object that a value holds, each with `is` (its kind); None for each entry of such a list that is none."""
    if isinstance(value, list):
        for item in value:
            found = list(rows_in(item, session))
            yield from found or [None]
        return
    if not isinstance(value, dict):
        return
    row = plain(value)
    inner = value.get("trace")
    if isinstance(inner, dict) and kind_of(plain(inner)) == "trace":  # what the button "Download JSON" gives
        besides = {key: one for key, one in row.items() if key in ("observations", "scores") and isinstance(one, list)}
        yield from rows_in({**inner, **besides}, session)
        return
    for holder in ("data", "traces"):
        listed = row.get(holder)
        if isinstance(listed, list) and kind_of(row) is None:
            own = short(row.get("id")) if holder == "traces" else None
            yield from rows_in(listed, own or session)
            return
    kind = kind_of(row)
    if kind is None:
        return
    nested = {key: row.pop(key) for key in ("observations", "scores") if isinstance(row.get(key), list)}
    row["is"] = kind
    if session and not row.get("session_id"):
        row["session_id"] = session
    yield row
    if kind != "trace":
        return
    for key, wanted in (("observations", "observation"), ("scores", "score")):
        for one in nested.get(key, []):
            if isinstance(one, str):
                continue  # lists of traces name them by their ids alone
            made = plain(one) if isinstance(one, dict) else {}
            made.setdefault("trace_id", row["id"])
            yield made | {"is": wanted} if kind_of(made) == wanted else None
