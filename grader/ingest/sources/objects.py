"""The JSON values of a file, and the objects in them, as readers of helpdesk exports walk them.

A `Node` knows its path in the source, so that a problem names the field as its owner knows it. Strict readers put what
cannot be read into the ledger; lenient ones, for what goes to the attributes anyway, give None. What objects mean is
not known here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from grader.ingest.fields import read_time
from grader.ingest.jsontext import decode, parse
from grader.ingest.rows import EXCERPT, Ledger, Problem, UnfitError, named
from grader.ingest.source import Source, json_layout
from grader.model import JsonValue

Row = dict[str, JsonValue]

_LARGEST_ID = 10**20
MAX_TEXT = 2_048  # characters of a text in the attributes
MAX_ATTRIBUTES = 16_384  # characters of all texts in the attributes of one record


@dataclass(frozen=True, slots=True)
class Value:
    """One JSON value of a file, or one in the list that the file is; with a problem, None."""

    line: int
    begin: bytes
    size: int
    json: JsonValue
    problem: Problem | None = None


def values(source: Source, ledger: Ledger) -> Iterator[Value]:
    """The values of a file in order. A list of objects is its objects, each at the line where the list begins."""
    layout = "array" if source.head.lstrip()[:1] == b"[" else json_layout(source.head)
    for raw in source.rows(layout):
        begin, size = raw.raw[: EXCERPT * 4], len(raw.raw)
        if raw.problem:
            yield Value(raw.line, begin, size, None, raw.problem)
            continue
        try:
            value = parse(decode(raw.raw, ledger), ledger)
        except UnfitError as error:
            yield Value(raw.line, begin, size, None, Problem(None, error.reason, error.cure))
            continue
        if isinstance(value, list) and value:
            yield from (Value(raw.line, beginning(one), size // len(value), one) for one in value)
        else:
            yield Value(raw.line, begin, size, value)


def beginning(value: JsonValue) -> bytes:
    """How a value that stands inside another begins: an excerpt for people, without writing all of it."""
    if isinstance(value, dict):
        plain = {key: one for key, one in list(value.items())[:8] if not isinstance(one, (dict, list))}
        value = {key: one[:EXCERPT] if isinstance(one, str) else one for key, one in plain.items()}
    elif isinstance(value, list):
        value = f"a list of {len(value)}"
    return json.dumps(value, ensure_ascii=False)[: EXCERPT * 2].encode("utf-8", "replace")


class Node:
    """An object of the source. An empty one stands for what is missing or null."""

    __slots__ = ("ledger", "path", "raw")

    def __init__(self, raw: Mapping[str, JsonValue], path: str, ledger: Ledger) -> None:
        self.raw, self.path, self.ledger = raw, path, ledger

    def where(self, key: str) -> str:
        """The path of one of its fields."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """The field is there and not null."""
        return self.raw.get(key) is not None

    # ── strict: what cannot be read is a problem of the row ──

    def text(self, key: str) -> str:
        """A text as it is, "" where there is none."""
        value = self.raw.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        self._problem(key, f"must be text, this is {named(value)}")
        return ""

    def time(self, key: str) -> datetime | None:
        """A time, None where there is none."""
        value = self.raw.get(key)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            return read_time(value, self.ledger)
        except UnfitError as error:
            self.ledger.problem(self.where(key), error.reason, error.cure)
            return None

    def child(self, key: str) -> Node:
        """An object in it."""
        value = self.raw.get(key)
        if value is not None and not isinstance(value, dict):
            self._problem(key, f"must be an object, this is {named(value)}")
        return self.look(key)

    def children(self, key: str) -> list[Node]:
        """The objects of a list in it, in order."""
        value = self.raw.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self._problem(key, f"must be a list, this is {named(value)}")
            return []
        for number, one in enumerate(value, 1):
            if not isinstance(one, dict):
                self._problem(f"{key}[{number}]", f"must be an object, this is {named(one)}")
        return self.listed(key)

    def _problem(self, key: str, reason: str) -> None:
        self.ledger.problem(self.where(key), reason, "export it again; null where it is not known")

    # ── lenient: None for what is not what was looked for ──

    def look(self, key: str) -> Node:
        """An object in it, an empty one for anything else."""
        value = self.raw.get(key)
        return Node(value if isinstance(value, dict) else {}, self.where(key), self.ledger)

    def listed(self, key: str) -> list[Node]:
        """The objects of a list in it; what is no object is left out."""
        value = self.raw.get(key)
        found = enumerate(value, 1) if isinstance(value, list) else ()
        return [Node(one, f"{self.where(key)}[{n}]", self.ledger) for n, one in found if isinstance(one, dict)]

    def id(self, key: str) -> str | None:
        """An id: a text or a whole number that says something. 0 stands for nobody."""
        return as_id(self.raw.get(key))

    def ids(self, key: str) -> list[str]:
        """The ids in a list."""
        value = self.raw.get(key)
        return [one for one in map(as_id, value) if one] if isinstance(value, list) else []

    def word(self, key: str) -> str | None:
        """A word of the source's own vocabulary, lower-cased and trimmed."""
        value = self.id(key)
        return value.lower() if value else None

    def flag(self, key: str) -> bool | None:
        """True or false, if it is one."""
        value = self.raw.get(key)
        return value if isinstance(value, bool) else None

    def number(self, key: str) -> float | None:
        """A number, if it is one."""
        value = self.raw.get(key)
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST_ID
        return float(value) if fits else None  # type: ignore[arg-type]  # None and texts do not fit

    def moment(self, key: str) -> datetime | None:
        """A time, if it is one."""
        try:
            return read_time(self.raw.get(key), self.ledger)
        except UnfitError:
            return None


def as_id(value: JsonValue) -> str | None:
    """An id as text, None for what is none: null, a blank, 0, a truth value, an object."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        return value.strip() if value.strip(" \t\r\n0") else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and value and abs(value) < _LARGEST_ID else None


# ── what the source says and Grader has no field for ──


def attributes(given: Mapping[str, JsonValue], ledger: Ledger) -> Row:
    """What is worth keeping of these fields: no nulls, no empty lists, no files, and only so much text."""
    left = [MAX_ATTRIBUTES]
    return {key: kept for key, value in given.items() if (kept := _bounded(value, left, ledger)) is not None}


def _bounded(value: JsonValue, left: list[int], ledger: Ledger) -> JsonValue:
    if isinstance(value, dict):
        inner = {key[:200]: kept for key, one in value.items() if (kept := _bounded(one, left, ledger)) is not None}
        return inner or None
    if isinstance(value, list):
        return [kept for one in value if (kept := _bounded(one, left, ledger)) is not None] or None
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) > MAX_TEXT:
        ledger.note(f"a text among the attributes has more than {MAX_TEXT:,} characters: its beginning is kept")
        value = f"{value[:64]}… ({len(value):,} characters)"
    left[0] -= 8 + (len(value) if isinstance(value, str) else 0)
    if left[0] < 0:
        ledger.note(f"what a row says besides is more than {MAX_ATTRIBUTES:,} characters: the rest of it is left out")
        return None
    return value


def without_query(address: JsonValue) -> str | None:
    """An address without what may be a key to it."""
    if not isinstance(address, str) or not address.strip():
        return None
    try:
        parts = urlsplit(address.strip()[:MAX_TEXT])
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return None
