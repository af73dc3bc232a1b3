"""The kinds of value that a field of ours can take, each with its reader and its JSON Schema side by side.

A `Shape` lists the fields of one object. Reader and published schema both follow from it, so that they accept the
same rows. A reader gives plain values, None for unknown; the records are built from them in `canonical`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone

from grader.ingest.rows import Ledger, UnfitError, misspelt, named, nearest
from grader.model import JsonValue

Schema = dict[str, JsonValue]
Found = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a field may hold. `read` raises UnfitError; None never reaches it, a missing value is the Shape's matter."""

    read: Callable[[JsonValue, Ledger], JsonValue]
    schema: Schema
    shape: Shape | None = None  # of the object, or of each object in the list
    blank: bool = False  # a blank text says nothing, as null does, where the field may be left out

    def says(self, value: JsonValue, *, needed: bool = False) -> bool:
        """The value is there: neither null, nor blank where a blank says nothing."""
        return value is not None and not (self.blank and not needed and isinstance(value, str) and not value.strip())


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of one object. An alias stands for its field where that says nothing; the first one wins."""

    name: str
    fields: Mapping[str, FieldType]
    required: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    keeps_unknown: bool = True  # the record has attributes, or stands in one that has
    closed: bool = False  # a field that it does not know may change what the others mean: it is refused

    @property
    def known(self) -> tuple[str, ...]:
        """Every name that is understood."""
        return (*self.fields, *(alias for names in self.aliases.values() for alias in names))

    def take(self, raw: Mapping[str, JsonValue], where: str, ledger: Ledger) -> tuple[Found, Found]:
        """(what the fields hold, what stood there besides). Problems go to the ledger, under `where`."""
        found: Found = {}
        extra: Found = {}
        for key, value in raw.items():
            kind = self.fields.get(key)
            if kind is None:
                extra[key] = value
            elif kind.says(value, needed=key in self.required):
                _read(kind, value, found, key, f"{where}{key}", ledger)
        if extra:
            self._take_aliases(raw, found, extra, where, ledger)
            for key in extra:
                if self.closed:
                    self.refuse(key, self.known, f"{where}{key}", ledger)
                else:
                    ledger.unknown_field(self.name, key, self.known, kept=self.keeps_unknown)
        for key in self.required:
            if raw.get(key) is None and key not in found and not self._alias_given(raw, key):
                near = misspelt(key, extra)
                cure = f"{near[:80]!r} stands there; did you mean {key!r}?" if near else f"every {self.name} needs it"
                ledger.problem(f"{where}{key}", "is missing", cure)
        return found, extra

    def refuse(self, key: str, known: tuple[str, ...], path: str, ledger: Ledger, line: int | None = None) -> None:
        """A field that is not known is a problem of the row."""
        near = nearest(key, known)
        hint = f"did you mean {near!r}? " if near else "take it out; "
        ledger.problem(path[:80], f"a {self.name} has no such field", f"{hint}its fields: {', '.join(known)}", line)

    def _take_aliases(
        self, raw: Mapping[str, JsonValue], found: Found, extra: Found, where: str, ledger: Ledger
    ) -> None:
        for key, names in self.aliases.items():
            kind, needed = self.fields[key], key in self.required
            if kind.says(raw.get(key), needed=needed):
                continue
            for alias in names:
                value = extra.get(alias)
                if kind.says(value, needed=needed):
                    del extra[alias]
                    _read(kind, value, found, key, f"{where}{alias}", ledger)
                    break
                extra.pop(alias, None)

    def _alias_given(self, raw: Mapping[str, JsonValue], key: str) -> bool:
        return any(raw.get(alias) is not None for alias in self.aliases.get(key, ()))


def _read(kind: FieldType, value: JsonValue, found: Found, key: str, path: str, ledger: Ledger) -> None:
    try:
        found[key] = kind.read(value, ledger)
    except UnfitError as error:
        ledger.problem(path, error.reason, error.cure)


# ── texts ──

MAX_ID = 1_000  # characters of an id
_LARGEST = 10**20  # a whole number in the place of a text


def _is_whole(value: JsonValue) -> bool:
    """A whole number as JSON Schema sees it: 5 and 5.0, no truth value."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


def _text_or_whole(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if _is_whole(value):
        if abs(value) > _LARGEST:
            raise UnfitError("is too large a number", "put it in quotes")
        return str(int(value))
    raise UnfitError(f"must be text, this is {named(value)}", "put it in quotes")


def _id(value: JsonValue, ledger: Ledger) -> str:  # noqa: ARG001 - one signature for all readers
    text = _text_or_whole(value)
    if not text.strip():
        raise UnfitError("is blank", "give it a value")
    if len(text) > MAX_ID:
        raise UnfitError(
            f"has {len(text):,} characters, at most {MAX_ID:,} are an id or a name", "is it the right field?"
        )
    return text


def _short(value: JsonValue, ledger: Ledger) -> str | None:  # noqa: ARG001
    text = _text_or_whole(value)
    return text if text.strip() else None


def _text(value: JsonValue, ledger: Ledger) -> str:  # noqa: ARG001
    if not isinstance(value, str):
        raise UnfitError(f"must be text, this is {named(value)}", 'put it in quotes; an empty message is ""')
    return value


def _word(value: JsonValue, ledger: Ledger) -> str:  # noqa: ARG001
    if not isinstance(value, str) or not value.strip():
        what = "is blank" if isinstance(value, str) else f"must be text, this is {named(value)}"
        raise UnfitError(what, "give it a value")
    return value


_NOT_BLANK: Schema = {"type": "string", "pattern": r"\S"}
_WHOLE: Schema = {"type": "integer", "minimum": -_LARGEST, "maximum": _LARGEST}
ID = FieldType(_id, {"anyOf": [{**_NOT_BLANK, "maxLength": MAX_ID}, _WHOLE]})
SHORT = FieldType(_short, {"anyOf": [{"type": ["string", "null"]}, _WHOLE]})
TEXT = FieldType(_text, {"type": ["string", "null"]})
WORD = FieldType(_word, _NOT_BLANK)


# ── numbers, truth values, anything ──


def _flag(value: JsonValue, ledger: Ledger) -> bool:  # noqa: ARG001
    if not isinstance(value, bool):
        raise UnfitError(f"must be true or false, this is {named(value)}", "write true, false or null")
    return value


def number(low: float, high: float, *, whole: bool = False) -> FieldType:
    """A number between two ends, both included."""
    bounds = f"from {low:,.0f} to {high:,.0f}"

    def read(value: JsonValue, ledger: Ledger) -> float:  # noqa: ARG001
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and (not whole or _is_whole(value))
        if not fits or not low <= value <= high:
            raise UnfitError(
                f"must be a {'whole ' if whole else ''}number, {bounds}; this is {named(value)}",
                "correct it, or write null where it is not known",
            )
        return int(value) if whole else float(value)

    kind = "integer" if whole else "number"
    return FieldType(read, {"type": [kind, "null"], "minimum": low, "maximum": high}, blank=True)


def one_of(*names: str, blank: bool = True) -> FieldType:
    """One of these words."""

    def read(value: JsonValue, ledger: Ledger) -> str:  # noqa: ARG001
        if not isinstance(value, str) or value not in names:
            raise UnfitError(f"must be one of {', '.join(names)}; this is {named(value)}", "use one of them, or null")
        return value

    return FieldType(read, {"enum": [*names, None]}, blank=blank)


def _object(value: JsonValue, ledger: Ledger) -> JsonValue:  # noqa: ARG001
    if not isinstance(value, dict):
        raise UnfitError(f"must be an object, this is {named(value)}", 'write {"name": value, …}')
    return value


def _anything(value: JsonValue, ledger: Ledger) -> JsonValue:  # noqa: ARG001
    return value


FLAG = FieldType(_flag, {"type": ["boolean", "null"]}, blank=True)
OBJECT = FieldType(_object, {"type": ["object", "null"]})
ANYTHING = FieldType(_anything, {})


def object_of(shape: Shape) -> FieldType:
    """An object with a shape of its own."""
    return FieldType(_object, {"type": ["object", "null"]}, shape)


def list_of(shape: Shape, *, needed: bool = False) -> FieldType:
    """A list of objects of one shape; where it is needed, of one at least."""

    def read(value: JsonValue, ledger: Ledger) -> JsonValue:  # noqa: ARG001
        if not isinstance(value, list):
            raise UnfitError(
                f"must be a list, this is {named(value)}", f"write [{{…}}, …], one object per {shape.name}"
            )
        if needed and not value:
            raise UnfitError("is empty", f"leave the row out, or give it its {shape.name}s")
        return value

    return FieldType(read, {"type": "array", "minItems": 1} if needed else {"type": ["array", "null"]}, shape)


def _names(value: JsonValue, ledger: Ledger) -> tuple[str, ...]:
    if isinstance(value, str):
        return (_word(value, ledger).strip(),)
    if not isinstance(value, list):
        raise UnfitError(f"must be a list of names, this is {named(value)}", 'write ["orders", "returns"]')
    return tuple(_word(item, ledger).strip() for item in value)


NAMES = FieldType(_names, {"anyOf": [_NOT_BLANK, {"type": "array", "items": _NOT_BLANK}, {"type": "null"}]})


# ── times ──

_LEAP = r"(?:19|2[0-9])(?:0[48]|[2468][048]|[13579][26])|2[048]00"
_DAY = (
    r"(?:(?:19|2[0-9])[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:" + _LEAP + r")-02-29)"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
_OFFSET = r"(?: ?(?:[Zz]|UTC|GMT|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?))?"
TIME_PATTERN = rf"^[ \t]*(?:{_DAY}(?:[Tt ]{_CLOCK}{_OFFSET})?|[1-9][0-9]{{8,9}}|[1-9][0-9]{{11,12}})[ \t]*$(?!\n)"
DATE_PATTERN = rf"^{_DAY}$(?!\n)"
_TIME = re.compile(TIME_PATTERN)
_DATE = re.compile(DATE_PATTERN)
# Seconds and milliseconds since 1970, told apart by their size: from 1973 to the year 3000 they cannot be confused.
SECONDS = (100_000_000, 32_503_679_999)
MILLISECONDS = (100_000_000_000, 32_503_679_999_999)
_TIME_CURE = "write ISO 8601 such as 2026-08-03T14:02:00-04:00, or seconds or milliseconds since 1970; null if unknown"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_time(value: JsonValue, ledger: Ledger) -> datetime:
    """A time with its offset; one that names none is in the ledger's zone. Raises UnfitError."""
    if isinstance(value, datetime):
        return with_offset(value, ledger)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _since_1970(value)
    if not isinstance(value, str) or not _TIME.search(value):
        raise UnfitError(f"is no time that can be read: {named(value)}", _TIME_CURE)
    text = value.strip(" \t")
    if text.isdigit():
        return _since_1970(int(text))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:  # a way of writing that the pattern allows and Python does not
        text = text.upper().replace("UTC", "Z").replace("GMT", "Z")
        at = datetime.fromisoformat(text.replace(" Z", "Z").replace(" +", "+").replace(" -", "-"))
    return with_offset(at, ledger)


def _since_1970(value: float) -> datetime:
    if SECONDS[0] <= value <= SECONDS[1]:
        seconds = float(value)
    elif MILLISECONDS[0] <= value <= MILLISECONDS[1]:
        seconds = value / 1000
    else:
        raise UnfitError(f"is no time that can be read: {named(value)}", _TIME_CURE)
    return _EPOCH + timedelta(microseconds=round(seconds * 1_000_000))


def with_offset(at: datetime, ledger: Ledger) -> datetime:
    """The time with a plain offset for its zone: a zone's rules make equal times unequal around its shifts."""
    if at.tzinfo is None:
        at = at.replace(tzinfo=ledger.timezone)
    offset = at.utcoffset()
    return at.replace(tzinfo=timezone(offset) if offset else UTC)


def _read_date(value: JsonValue, ledger: Ledger) -> date:  # noqa: ARG001
    if not isinstance(value, str) or not _DATE.search(value):
        raise UnfitError(f"is no date: {named(value)}", "write it as 2026-09-01, or leave it out")
    return date.fromisoformat(value)


TIME = FieldType(
    read_time,
    {
        "anyOf": [
            {"type": "string", "pattern": TIME_PATTERN},
            {"type": "number", "minimum": SECONDS[0], "maximum": SECONDS[1]},
            {"type": "number", "minimum": MILLISECONDS[0], "maximum": MILLISECONDS[1]},
            {"type": "null"},
        ],
        "examples": ["2026-08-03T14:02:00-04:00", "2026-08-03 14:02", 1785780120, 1785780120000],
    },
    blank=True,
)
DATE = FieldType(_read_date, {"anyOf": [{"type": "string", "pattern": DATE_PATTERN}, {"type": "null"}]}, blank=True)
