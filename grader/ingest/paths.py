"""Reaching into a foreign row: dotted paths, what is left beside them, and values as people write them in cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.ingest.fields import Found
from grader.ingest.mapping import CLOCKS, MINUTES, Pick, plain
from grader.ingest.rows import UnfitError, named
from grader.model import JsonValue

Keys = tuple[str, ...]  # the way to a value, key by key

_TRUE = {"true", "yes", "y", "1", "t", "x", "sim", "sí", "si", "oui", "ja"}
_FALSE = {"false", "no", "n", "0", "f", "não", "nao", "non", "nein"}
_EXACT = 2**53  # whole numbers below this are exact as floats


def paths_in(value: JsonValue, depth: int = 3) -> list[str]:
    """The paths that a row offers, for messages; lists are not entered."""
    if not isinstance(value, dict) or not depth:
        return []
    found: list[str] = []
    for key, inner in value.items():
        found += [f"{key}.{deeper}" for deeper in paths_in(inner, depth - 1)] or [key]
    return found


def find(value: JsonValue, path: str) -> tuple[JsonValue, Keys]:
    """(what stands at a dotted path, the keys that lead there); no keys: nothing stands there.

    A key with dots in it is found too: the longest reading of the path's beginning wins.
    """
    if isinstance(value, dict):
        if path in value:
            return value[path], (path,)
        at = len(path)
        while (at := path.rfind(".", 0, at)) > 0:
            if path[:at] in value:
                found, keys = find(value[path[:at]], path[at + 1 :])
                if keys:
                    return found, (path[:at], *keys)
    elif isinstance(value, list):
        head, _, tail = path.partition(".")
        if head.isascii() and head.isdigit() and len(head) < 10 and int(head) < len(value):
            if not tail:
                return value[int(head)], (head,)
            found, keys = find(value[int(head)], tail)
            if keys:
                return found, (head, *keys)
    return None, ()


def without(row: dict[str, JsonValue], used: Iterable[Keys]) -> Found:
    """A copy of the row without what stands at these paths; an object that is left empty goes too."""
    rest = dict(row)
    for keys in used:
        _remove(rest, keys)
    return rest


def _remove(holder: Found, keys: Keys) -> None:
    key = keys[0]
    if key not in holder:
        return
    inner = holder[key]
    if len(keys) == 1:
        del holder[key]
    elif isinstance(inner, dict):
        copied = dict(inner)
        _remove(copied, keys[1:])
        if copied:
            holder[key] = copied
        else:
            del holder[key]


def first(pick: Pick, row: JsonValue, used: set[Keys]) -> JsonValue:
    """The first of the pick's paths that holds something, as it is (or what its pattern finds in it). Another that
    holds something too stays unused. With `join`, the texts of all of them.
    """
    if pick.join is not None:
        words = [word for one in all_of(pick, row, used) if (word := word_of(one)) is not None and word.strip()]
        return _part(pick, pick.join.join(word.strip() for word in words) or None)
    return _part(pick, _first(pick, row, used))


def all_of(pick: Pick, row: JsonValue, used: set[Keys]) -> list[JsonValue]:
    """What stands at each of the pick's paths, blanks left out; the constant, if it is one."""
    if not pick.paths:
        return [pick.constant]
    found = [find(row, path) for path in pick.paths]
    used.update(keys for _, keys in found if keys)
    return [value for value, keys in found if keys and not is_blank(value)]


def several(pick: Pick, row: JsonValue, used: set[Keys]) -> list[JsonValue]:
    """The values of an identity or a reference: one, or of every path, of a list, or between the signs that split."""
    found = all_of(pick, row, used) if pick.every else [first(pick, row, used)]
    values = [inner for one in found for inner in (one if isinstance(one, list) else [one])]
    if pick.split:
        signs = f"[{re.escape(pick.split)}]"
        values = [piece.strip() for one in values for piece in (
            re.split(signs, one) if isinstance(one, str) else [one])]  # fmt: skip
    return [_part(pick, one) if pick.every else one for one in values if not is_blank(one)]


def _part(pick: Pick, value: JsonValue) -> JsonValue:
    """What the pick's pattern finds in a value: its first group, or all that it matched. None: nothing."""
    if pick.pattern is None or is_blank(value):
        return value
    text = word_of(value)
    hit = pick.pattern.search(text) if text is not None else None
    return None if hit is None else next((group for group in hit.groups() if group is not None), hit[0])


def _first(pick: Pick, row: JsonValue, used: set[Keys]) -> JsonValue:
    if not pick.paths:
        return pick.constant
    blank: JsonValue = None
    for path in pick.paths:
        value, keys = find(row, path)
        if not keys:
            continue
        used.add(keys)
        if not is_blank(value):
            return value
        blank = value if blank is None else blank
    return blank


def is_blank(value: JsonValue) -> bool:
    """Nothing stands there, or only white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def word_of(value: JsonValue) -> str | None:
    """A value that can stand in a map of words, None for one that cannot."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return str(value) if isinstance(value, (str, int, float)) else None


def flag(value: JsonValue) -> bool:
    """A truth value, or a word for one. Raises UnfitError."""
    word = plain(word_of(value) or "")
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise UnfitError(f"must be true or false, this is {named(value)}", "map it with values = { … = true }")


def number(value: JsonValue) -> float:
    """A number, or a text that is one; a lone decimal comma is understood."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(?:[.,][0-9]{1,15})?", text):
        raise UnfitError(f"is no number: {named(value)}", 'map words with values = { "good" = 5, "bad" = 1 }')
    return float(text.replace(",", "."))


def minutes(value: JsonValue, unit: str) -> float:
    """A duration in minutes: a number of the unit, or a text as a clock shows it."""
    parts = CLOCKS.get(unit)
    if parts is None:
        return number(value) * MINUTES[unit]
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(rf"[0-9]{{1,6}}(?::[0-5][0-9]){{{len(parts) - 1}}}(?:[.,][0-9]{{1,9}})?", text):
        raise UnfitError(f"is no duration as {unit}: {named(value)}", "correct the unit in the mapping")
    return sum(float(piece.replace(",", ".")) * size for piece, size in zip(text.split(":"), parts, strict=True))


def on_scale(value: float, scale: tuple[float, float] | None) -> float:
    """A rating moved to 1 … 5, end to end and in proportion between."""
    if scale is None:
        return value
    low, high = scale
    share = (value - low) / (high - low)
    if not 0 <= share <= 1:
        raise UnfitError(f"is {value:g}, outside the scale {low:g} to {high:g}", "correct the scale in the mapping")
    return 1 + 4 * share
