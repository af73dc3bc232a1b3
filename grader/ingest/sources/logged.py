"""The JSON payloads of a log, wherever they stand: one per line, behind a time and a level as loggers write them, in
lists, or in the envelope that a collector put around each (`{"headers": …, "body": {…}}`). What a payload means is not
known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from grader.ingest.jsontext import decode, parse
from grader.ingest.rows import Ledger, Parsed, Problem, UnfitError, without_file
from grader.ingest.source import Source, json_layout
from grader.model import JsonValue

Row = dict[str, JsonValue]

_HOLDERS = (
    "body", "rawBody", "raw_body", "payload", "data", "event", "json", "webhook", "record", "message", "jsonPayload",
    "_source", "request", "detail", "Records", "records", "Sns", "Message", "items", "conversations",
)  # fmt: skip
_PREFIX = 200  # characters that may stand before the object on a line of a log
_DATED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?")
_TIMES = ("received_at", "receivedAt", "logged_at", "@timestamp", "timestamp", "time", "ts", "createdAt", "created_at")
_DEEPEST = 4  # envelopes in envelopes


@dataclass(frozen=True, slots=True)
class Logged:
    """One payload: the line and the beginning of the row that holds it, its share of that row's bytes, and the
    envelope's fields, {} where it stood by itself.
    """

    line: int
    begin: bytes
    size: int
    value: JsonValue
    envelope: Mapping[str, JsonValue]

    @property
    def logged_at(self) -> JsonValue:
        """When the collector wrote it down, None if the envelope does not say."""
        return next((self.envelope[key] for key in _TIMES if self.envelope.get(key) is not None), None)


def logged(source: Source, ledger: Ledger, is_payload: Callable[[JsonValue], bool]) -> Iterator[Logged | Parsed]:
    """Every payload of the file, and every row that is no JSON as Parsed with its problem. A value that is no payload
    anywhere comes as it is: what is wrong with it is for the format to say.
    """
    layout = json_layout(source.head)
    if layout == "values" and source.head.lstrip()[:1] == b"[":
        layout = "array"
    for raw in source.rows(layout):
        begin = raw.raw[:1024]
        problem = raw.problem
        if problem is None:
            try:
                value, written = parse(decode(raw.raw, ledger), ledger), {}
            except UnfitError as error:
                behind = behind_prefix(raw.raw)
                value, written = behind or (None, {})
                problem = None if behind else Problem(None, error.reason, error.cure)
        ledger.settle()
        if problem is not None:
            yield Parsed(raw.line, begin, problem=problem)
            continue
        found = list(payloads(value, is_payload))
        if not found:
            reason = "an empty list: nothing stands in it"
            yield Parsed(raw.line, begin, problem=Problem(None, reason, "leave it out"))
        for one, envelope in found:
            yield Logged(raw.line, begin, len(raw.raw) // len(found), one, {**written, **envelope})


def behind_prefix(line: bytes) -> tuple[JsonValue, Row] | None:
    """(the object that a line of a log ends in, an envelope with the time before it), None where there is none."""
    at = line.find(b"{")
    if not 0 < at <= _PREFIX or not line.rstrip().endswith(b"}"):
        return None
    try:
        before, value = decode(line[:at]), parse(decode(line[at:]), Ledger())
    except UnfitError:
        return None
    if '"' in before or "[{" in before + "{":
        return None  # a piece of JSON
    time = _DATED.search(before)
    return value, ({"time": time[0].replace(",", ".")} if time else {})


def payloads(
    value: JsonValue, is_payload: Callable[[JsonValue], bool], depth: int = 0
) -> Iterator[tuple[JsonValue, Mapping[str, JsonValue]]]:
    """(payload, envelope) of a value: of each element of a list, and of what an envelope holds."""
    if isinstance(value, list):
        for item in value:
            yield from payloads(item, is_payload, depth)
        return
    if isinstance(value, dict) and not is_payload(value) and depth < _DEEPEST:
        for key in _HOLDERS:
            inner = _as_json(value.get(key))
            found = list(payloads(inner, is_payload, depth + 1)) if isinstance(inner, (dict, list)) else []
            if found and all(is_payload(one) for one, _ in found):
                rest = {name: other for name, other in value.items() if name != key}
                yield from ((one, {**rest, **envelope}) for one, envelope in found)
                return
    yield value, {}


def _as_json(value: JsonValue) -> JsonValue:
    """A text that holds an object or a list, read; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return parse(value, Ledger())
        except UnfitError:
            return None
    return value


def kept(value: JsonValue, ledger: Ledger, without: Collection[str] = ()) -> JsonValue:
    """The value as attributes keep it: without the fields named, without what says nothing (null, "", [], {}), and
    with embedded files replaced by their beginning, length and hash.
    """
    if isinstance(value, dict):
        inner = {key: kept(item, ledger, without) for key, item in value.items() if key not in without}
        return {key: item for key, item in inner.items() if item is not None and item not in ("", [], {})}
    if isinstance(value, list):
        return [kept(item, ledger, without) for item in value]
    return without_file(value, ledger) if isinstance(value, str) else value


def objects(value: JsonValue) -> list[Row]:
    """The objects in a list, none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def part(row: Row, key: str) -> Row:
    """The object under a key, {} where there is none."""
    value = row.get(key)
    return value if isinstance(value, dict) else {}
