"""The values of a format's options, as a mapping file or `--option name=value` gives them, each read or refused.

From a command line every value is a text; lists are then written with commas, pairs as `a=b,c=d`.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.errors import InputError
from grader.ingest.rows import named, nearest
from grader.model import JsonValue

_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


class OptionValues:
    """The options that were given for one format. Raises InputError for a name that it does not have."""

    def __init__(self, given: Mapping[str, JsonValue], known: tuple[str, ...], format_name: str) -> None:
        self._given, self._format = given, format_name
        for name in given:
            if name not in known:
                near = nearest(name, known)
                hint = f"did you mean {near!r}? " if near else ""
                raise InputError(f"{format_name} has no option {name!r}", cure=f"{hint}it has {', '.join(known)}")

    def _refused(self, name: str, what: str, cure: str) -> InputError:
        return InputError(f"{what}; this is {named(self._given[name])}", field=f"option {name}", cure=cure)

    def word(self, name: str, default: str | None = None) -> str | None:
        """A text that is not blank."""
        value = self._given.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self._refused(name, "must be a text", f'for example {name}="…"')
        return value.strip()

    def choice(self, name: str, default: str, *allowed: str) -> str:
        """One of these words."""
        value = self._given.get(name, default)
        if not isinstance(value, str) or value.strip().lower() not in allowed:
            raise self._refused(name, f"must be one of {', '.join(allowed)}", "use one of them")
        return value.strip().lower()

    def flag(self, name: str, *, default: bool) -> bool:
        """true or false; from a command line yes and no as well."""
        value = self._given.get(name, default)
        if isinstance(value, str) and value.strip().lower() in _FLAGS:
            return _FLAGS[value.strip().lower()]
        if not isinstance(value, bool):
            raise self._refused(name, "must be true or false", f"{name}=true or {name}=false")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number between two ends, both included."""
        value = self._given.get(name, default)
        try:
            number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
        except (ValueError, OverflowError):
            number = None
        if number is None or not low <= number <= high:
            raise self._refused(name, f"must be a number from {low:g} to {high:g}", f"for example {name}={default:g}")
        return number

    def words(self, name: str) -> tuple[str, ...]:
        """A list of words, lower-cased; as a text with commas between them."""
        value = self._given.get(name, ())
        listed = value.split(",") if isinstance(value, str) else [value] if _is_word(value) else value
        if not isinstance(listed, (list, tuple)) or not all(_is_word(one) for one in listed):
            raise self._refused(name, "must be a list of words", f'{name} = ["a", "b"], or {name}=a,b')
        return tuple(plain for one in listed if (plain := str(one).strip().lower()))

    def pairs(self, name: str) -> dict[str, str]:
        """A table of words; as a text `a=b,c=d`."""
        value = self._given.get(name, {})
        if isinstance(value, str):
            parts = [part.partition("=") for part in value.split(",") if part.strip()]
            if all(sign and key.strip() and word.strip() for key, sign, word in parts):
                return {key.strip(): word.strip() for key, _, word in parts}
        elif isinstance(value, Mapping) and all(_is_word(word) and str(word).strip() for word in value.values()):
            return {str(key).strip(): str(word).strip() for key, word in value.items()}
        raise self._refused(name, "must be a table of words", f'{name} = {{ a = "b" }}, or {name}=a=b,c=d')


def _is_word(value: JsonValue) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)
