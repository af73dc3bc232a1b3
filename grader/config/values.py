"""The kinds of value that a setting can have: how each is read from TOML, from a variable's text, and shown.

A kind raises ValueError with what it expected; the loader adds where the value stood. `Secret` never shows its text.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, Protocol

from grader.errors import ConfigError

MASK = "***"
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
SECRET_NAME = re.compile(r"key|token|secret|passw|authori[sz]ation|cookie|credential", re.IGNORECASE)


class Secret:
    """A text that does not show itself: not in repr, str, a format, JSON, a pickle or a traceback. `reveal()` gives it.

    `shown` is what may be printed in its place, such as the name of the variable that it was read from.
    """

    __slots__ = ("__value", "missing", "shown")

    def __init__(self, value: str, shown: str = MASK, *, missing: str | None = None) -> None:
        self.__value = value
        self.shown = shown
        self.missing = missing  # name of the variable that should have held it

    def reveal(self) -> str:
        """The text itself; a ConfigError where the variable that should hold it is not set."""
        if self.missing:
            raise ConfigError(f"the environment variable {self.missing} is not set", cure=f"export {self.missing}=…")
        return self.__value

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.__value == other.__value

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not stored")


def mask(secret: Secret | None) -> str | None:
    """What may be printed of a secret."""
    return None if secret is None else secret.shown


class Kind(Protocol):
    """How a setting's value is read, and shown. `expected` completes the sentence: expected …"""

    @property
    def expected(self) -> str: ...  # noqa: D102 - told by the class

    def read(self, raw: object) -> Any:
        """The value for what TOML gave, or ValueError."""

    def parse(self, text: str) -> object:
        """What TOML would have given for a variable's text, or ValueError."""

    def show(self, value: Any) -> object:
        """The value as JSON can hold it, secrets masked."""


def _none(raw: object) -> bool:
    return isinstance(raw, str) and raw.strip().lower() == "none"


@dataclass(frozen=True, slots=True)
class Text:
    """A text on one line that is not blank."""

    optional: bool = False

    @property
    def expected(self) -> str:
        """What it takes."""
        return "a text" + (' or "none"' if self.optional else "")

    def read(self, raw: object) -> str | None:
        """The trimmed text."""
        if self.optional and (raw is None or _none(raw)):
            return None
        if not isinstance(raw, str) or not raw.strip() or not raw.strip().isprintable():
            raise ValueError(self.expected)
        return raw.strip()

    def parse(self, text: str) -> object:
        """As it is."""
        return text

    def show(self, value: Any) -> object:
        """As it is."""
        return value


@dataclass(frozen=True, slots=True)
class Word(Text):
    """The name of an environment variable. A value that looks otherwise may be a key, and is never repeated."""

    optional: bool = True

    @property
    def expected(self) -> str:
        """What it takes."""
        return "the NAME of an environment variable in capitals, such as MY_LLM_KEY (not the key itself)"

    def read(self, raw: object) -> str | None:
        """The name."""
        name = Text.read(self, raw)
        if name is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,99}", name):
            raise ValueError(self.expected)
        return name


@dataclass(frozen=True, slots=True)
class Country(Text):
    """A country by its two letters."""

    optional: bool = True

    @property
    def expected(self) -> str:
        """What it takes."""
        return 'a country\'s two letters, such as BR, or "none"'

    def read(self, raw: object) -> str | None:
        """The letters in capitals."""
        name = Text.read(self, raw)
        if name is not None and not re.fullmatch(r"[A-Za-z]{2}", name):
            raise ValueError(self.expected)
        return name and name.upper()


class Choice:
    """One of some words."""

    __slots__ = ("options",)

    def __init__(self, *options: str) -> None:
        self.options = options

    @property
    def expected(self) -> str:
        """What it takes."""
        return "one of " + ", ".join(self.options)

    def read(self, raw: object) -> str:
        """The option, whatever its case."""
        if isinstance(raw, str) and raw.strip().lower() in self.options:
            return raw.strip().lower()
        raise ValueError(self.expected)

    def parse(self, text: str) -> object:
        """As it is."""
        return text

    def show(self, value: Any) -> object:
        """As it is."""
        return value


def _range(what: str, low: float | None, high: float | None, optional: bool) -> str:
    limits = f" of at least {low}" if high is None and low is not None else f" from {low} to {high}"
    return what + limits + (' or "none"' if optional else "")


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within limits."""

    low: float
    high: float | None = None
    optional: bool = False

    @property
    def expected(self) -> str:
        """What it takes."""
        return _range("a number", self.low, self.high, self.optional)

    def read(self, raw: object) -> float | None:
        """The number."""
        if self.optional and (raw is None or _none(raw)):
            return None
        if isinstance(raw, bool) or not isinstance(raw, (int, float)):
            raise ValueError(self.expected)
        if not self.low <= raw <= (sys.float_info.max if self.high is None else self.high):  # refuses NaN too
            raise ValueError(self.expected)
        return float(raw)

    def parse(self, text: str) -> object:
        """The number that the text writes, else the text."""
        try:
            return float(text)
        except ValueError:
            return text

    def show(self, value: Any) -> object:
        """As it is."""
        return value


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number within limits."""

    low: int
    high: int | None = None
    optional: bool = False

    @property
    def expected(self) -> str:
        """What it takes."""
        return _range("a whole number", self.low, self.high, self.optional)

    def read(self, raw: object) -> int | None:
        """The number."""
        if self.optional and (raw is None or _none(raw)):
            return None
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise ValueError(self.expected)
        if raw < self.low or (self.high is not None and raw > self.high):
            raise ValueError(self.expected)
        return raw

    def parse(self, text: str) -> object:
        """The number that the text writes, else the text."""
        return int(text) if re.fullmatch(r"\s*[+-]?[0-9]{1,30}\s*", text) else text

    def show(self, value: Any) -> object:
        """As it is."""
        return value


@dataclass(frozen=True, slots=True)
class PathKind:
    """A path; the loader makes it absolute."""

    @property
    def expected(self) -> str:
        """What it takes."""
        return "a path"

    def read(self, raw: object) -> Path:
        """The path, `~` expanded."""
        if isinstance(raw, Path):
            raw = str(raw)
        if not isinstance(raw, str) or not raw.strip() or not raw.isprintable():
            raise ValueError(self.expected)
        try:
            return Path(raw).expanduser()
        except RuntimeError:
            raise ValueError(self.expected) from None

    def parse(self, text: str) -> object:
        """As it is."""
        return text

    def show(self, value: Any) -> object:
        """As text."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Url:
    """The address of an endpoint; user, password and query are hidden when shown."""

    @property
    def expected(self) -> str:
        """What it takes."""
        return (
            "an address that begins with http:// or https://, such as http://localhost:11434/v1 (no /chat/completions)"
        )

    def read(self, raw: object) -> str | None:
        """The address without a slash at its end."""
        if raw is None or _none(raw):
            return None
        if not isinstance(raw, str):
            raise ValueError(self.expected)
        text = raw.strip().rstrip("/")
        parts = _split(text)
        if parts is None or text.endswith("/chat/completions"):
            raise ValueError(self.expected)
        return text

    def parse(self, text: str) -> object:
        """As it is."""
        return text

    def show(self, value: Any) -> object:
        """Without user, password and query."""
        parts = _split(value) if value else None
        if parts is None:
            return value
        user, query = MASK + "@" if parts["user"] else "", "?" + MASK if parts["query"] else ""
        return f"{parts['scheme']}{user}{parts['rest']}{query}"


def _split(url: str) -> dict[str, str | None] | None:
    # urllib.parse is lenient about hosts and blanks, and costs more to import than this.
    found = re.fullmatch(
        r"(?P<scheme>https?://)(?:(?P<user>[^/?#\s]*)@)?(?P<rest>(?:[^/?#\s:@\[\]]+|\[[0-9a-fA-F:.%]+\])(?::[0-9]{1,5})?"
        r"(?:/[^?#\s]*)?)(?P<query>[?#]\S*)?",
        url,
        re.IGNORECASE,
    )
    return found.groupdict() if found else None


def _json(text: str, expected: str) -> object:
    import json

    try:
        value: object = json.loads(text)
    except ValueError:
        raise ValueError(f"{expected}, written as a JSON object") from None
    return value


@dataclass(frozen=True, slots=True)
class Table:
    """A table of anything that JSON can hold."""

    @property
    def expected(self) -> str:
        """What it takes."""
        return "a table"

    def read(self, raw: object) -> Mapping[str, Any]:
        """The table, with dates refused, since no request can carry them."""
        if not isinstance(raw, Mapping) or not _is_json(raw):
            raise ValueError(f"{self.expected} of texts, numbers, lists and tables")
        return MappingProxyType(dict(raw))

    def parse(self, text: str) -> object:
        """The JSON object that the text writes."""
        return _json(text, self.expected)

    def show(self, value: Any) -> object:
        """Values whose names sound like secrets are masked."""
        return _masked(value)


def _is_json(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and _is_json(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_is_json, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, int))


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        # max_tokens and token_ids are numbers, not secrets
        return {k: MASK if SECRET_NAME.search(k) and isinstance(v, str) else _masked(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Reasons(Table):
    """Contact reasons: value and meaning."""

    @property
    def expected(self) -> str:
        """What it takes."""
        return 'a table of at least two reasons, such as order_status = "Where an order is"'

    def read(self, raw: object) -> Mapping[str, str]:
        """The table in its order."""
        if not isinstance(raw, Mapping) or len(raw) < 2:
            raise ValueError(self.expected)
        for value, meaning in raw.items():
            if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,63}", value) or value in ("cannot_assess", "not_applicable"):
                raise ValueError("reasons named with a-z, 0-9 and _ (not cannot_assess or not_applicable)")
            if not isinstance(meaning, str) or not meaning.strip():
                raise ValueError("a meaning for every reason")
        return MappingProxyType({value: meaning.strip() for value, meaning in raw.items()})

    def show(self, value: Any) -> object:
        """As a plain table: nothing in it is secret."""
        return dict(value)


@dataclass(frozen=True, slots=True)
class Headers(Table):
    """HTTP headers. `${NAME}` in a value is read from the environment; a secret must not be written out."""

    @property
    def expected(self) -> str:
        """What it takes."""
        return 'a table of header names and texts, such as X-Team = "cx"'

    def read(self, raw: object) -> Mapping[str, str]:
        """The templates by name; `fill` makes them values."""
        if not isinstance(raw, Mapping):
            raise ValueError(self.expected)
        for name, template in raw.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not isinstance(template, str):
                raise ValueError(self.expected)
            if SECRET_NAME.search(name) and not VARIABLE.search(template):
                raise ValueError(f'no secret in {name}: write {name} = "${{NAME_OF_A_VARIABLE}}" and set that variable')
            if not VARIABLE.sub("", template).isascii() or not template.isprintable():
                raise ValueError(f"plain ASCII on one line in {name}")
        return MappingProxyType(dict(raw))

    def fill(self, templates: Mapping[str, str], environ: Mapping[str, str]) -> Mapping[str, Secret]:
        """The headers, each a Secret that shows its template; one whose variable is not set raises when revealed."""
        found: dict[str, Secret] = {}
        for name, template in templates.items():
            missing = next((v for v in VARIABLE.findall(template) if not environ.get(v, "").strip()), None)
            value = VARIABLE.sub(lambda m: environ.get(m[1], "").strip(), template)
            if not value.isascii() or not value.isprintable():
                raise ConfigError(
                    f"judge.headers: the variable that {name} names holds more than plain ASCII on one line"
                )
            found[name] = Secret(value, template, missing=missing)
        return MappingProxyType(found)

    def show(self, value: Any) -> object:
        """The templates, not what the variables hold."""
        return {name: secret.shown for name, secret in value.items()}


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens. `cached_input` is None where cached tokens cost as much as others."""

    input: float
    output: float
    cached_input: float | None = None


@dataclass(frozen=True, slots=True)
class Prices(Table):
    """Prices by model."""

    @property
    def expected(self) -> str:
        """What it takes."""
        return 'a table such as [prices."my-model"] with input and output, USD per million tokens'

    def read(self, raw: object) -> Mapping[str, Any]:
        """`Price` records by model."""
        if not isinstance(raw, Mapping):
            raise ValueError(self.expected)
        amount = Number(0, 1e9)
        prices: dict[str, Price] = {}
        for model, row in raw.items():
            if isinstance(row, Mapping) and (unknown := sorted(row.keys() - {"input", "output", "cached_input"})):
                raise ValueError(f"only input, output and cached_input for {model!r}, not {unknown[0]!r}")
            if not isinstance(row, Mapping) or not {"input", "output"} <= row.keys():
                raise ValueError(f"input and output for {model!r}")
            values = {}
            for name, number in row.items():
                try:
                    values[name] = amount.read(number)
                except ValueError:
                    raise ValueError(f"{name} of {model!r} to be a number that is not negative") from None
            prices[model] = Price(values["input"] or 0.0, values["output"] or 0.0, values.get("cached_input"))
        return MappingProxyType(prices)

    def show(self, value: Any) -> object:
        """As plain tables."""
        return {
            model: {"input": p.input, "output": p.output, "cached_input": p.cached_input} for model, p in value.items()
        }
