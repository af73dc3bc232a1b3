"""One row's bytes → a JSON value, stricter than `json`: what says two things or nothing is refused with its place.

A key that stands twice would silently lose its first value; NaN and infinities are no JSON; half a surrogate pair is
no character and becomes U+FFFD, the only change that ever happens to a text.
"""

from __future__ import annotations

import json
import math
import re

from grader.ingest.rows import Ledger, UnfitError, excerpt
from grader.model import JsonValue

MAX_CONTAINERS = 1_000_000  # lists and objects in one row; each takes fifty times its two characters in memory
MAX_DEPTH = 100  # lists and objects in each other; what stores and judges read must be able to walk them

_SURROGATE = re.compile("[\ud800-\udfff]")
_FROM_CP1252 = ("iconv -f CP1252 -t UTF-8", "utf8")
_ONE_PER_LINE = "write one JSON object per line"


def decode(raw: bytes, ledger: Ledger | None = None) -> str:
    """UTF-8 bytes as text. Raises UnfitError that names the byte, and how to mend the ledger's file."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnfitError(
            f"byte {error.start + 1} of the row (0x{raw[error.start]:02x}) is no UTF-8",
            f"write the file as UTF-8, for example: {(ledger or Ledger()).command(*_FROM_CP1252)}",
        ) from None


def parse(text: str, ledger: Ledger) -> JsonValue:
    """The value that the text says. Raises UnfitError."""
    n_containers = text.count("[") + text.count("{")
    if n_containers > MAX_CONTAINERS:
        raise UnfitError(f"the row has more than {MAX_CONTAINERS:,} lists and objects", "split the row")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        near = excerpt(text[max(error.pos - 15, 0) : error.pos + 15])
        raise UnfitError(f"no JSON: {error.msg} at character {error.pos + 1}, near {near!r}", _ONE_PER_LINE) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # Python refuses to read whole numbers of thousands of digits
        raise UnfitError("a number has too many digits", "write it as text") from None
    if n_containers > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise _too_deep()
    if "\\ud" in text or "\\uD" in text:
        value = _whole_characters(value, ledger)
    return value


def _too_deep() -> UnfitError:
    return UnfitError(f"lists and objects stand in each other more than {MAX_DEPTH} deep", "flatten the value")


def _pairs(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise UnfitError(f"the key {twice[:80]!r} stands twice in one object", "keep one of the two, or rename one")
    return found


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnfitError(f"the number {text[:40]} is too large", "write it as text, or as null where it is not known")
    return value


def _constant(name: str) -> float:
    raise UnfitError(f"{name} is no JSON", "write null where a number is not known")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_number, parse_constant=_constant)


def _deeper_than(value: JsonValue, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            child
            for holder in level
            for child in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(child, (dict, list))
        ] if isinstance(level[0], (dict, list)) else []  # fmt: skip
        if not level:
            return False
    return True


def _whole_characters(value: JsonValue, ledger: Ledger) -> JsonValue:
    if isinstance(value, str):
        if not _SURROGATE.search(value):
            return value
        ledger.note("half a surrogate pair in a text is no character, it became U+FFFD")
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole_characters(item, ledger) for item in value]
    if isinstance(value, dict):
        return _pairs(
            [(_whole_characters(key, ledger), _whole_characters(item, ledger)) for key, item in value.items()]
        )
    return value
