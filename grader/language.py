"""The languages of the interface: texts from gettext catalogues, numbers and plurals by the rules of CLDR.

English is what stands in the code. One language holds at a time, for what is written in it: `with use("pt"): …`.
What customers, rubrics and judges wrote is never translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

LANGUAGES: Mapping[str, str] = {"en": "English", "pt": "Português"}
_LOCALES = {"en": "en_US", "pt": "pt_BR"}
# As English writes numbers, so that what is written the other way already, a date or a version is left alone.
_NUMBER = re.compile(r"(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\d|[.,]\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_FIELD = re.compile(r"\{(\w+)\}")
_END = re.compile(r"(?<=\.) (?=[A-Z0-9])")
_WITHIN = r"(?:(?!\. [A-Z]).)*?"  # what is filled in ends with its sentence; `{told}` may be several
RETOLD = "sentences.po"  # what is made in English where data are made, and retold where it is shown

_current: ContextVar[str] = ContextVar("language", default="en")


@contextmanager
def use(code: str) -> Iterator[None]:
    """Within this, texts and numbers are of that language: a key of `LANGUAGES`."""
    if code not in LANGUAGES:
        raise ValueError(f"no language {code!r}: {', '.join(LANGUAGES)}")
    token = _current.set(code)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> str:
    """The language that holds now."""
    return _current.get()


def tag(code: str) -> str:
    """As HTML's `lang` wants it: `pt-BR`."""
    return _LOCALES[code].replace("_", "-") if code != "en" else "en"


def _(text: str, /, **values: object) -> str:
    """The text in the language that holds, with its `{names}` filled in."""
    found = catalogue(current()).get(text, text)
    told = found if isinstance(found, str) else found[0]
    return told.format(**values) if values else told


def ngettext(one: str, many: str, n: int, /, **values: object) -> str:
    """The singular or plural text for `n`, by the language's own rule; `{n}` is written as a number of it."""
    found = catalogue(current()).get(one, (one, many))
    forms = (found, found) if isinstance(found, str) else found
    first = (n in (0, 1)) if current() == "pt" else n == 1
    return forms[0 if first else 1].format(n=number(n), **values)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks a text for the catalogues; it is translated where it is shown."""
    return text


def number(n: float, digits: int = 0) -> str:
    """`1,234.5` as the language writes it."""
    return numerals(f"{n:,.{digits}f}")


def numerals(text: str) -> str:
    """A text in which numbers are written the English way, with the language's own commas and points."""
    if current() == "en":
        return text
    from babel.numbers import get_decimal_symbol, get_group_symbol

    locale = _locale(current())
    marks = {",": get_group_symbol(locale), ".": get_decimal_symbol(locale)}
    return _NUMBER.sub(lambda found: "".join(marks.get(c, c) for c in found[0]), text)


def day(at: date) -> str:
    """`Mon 3 Aug 2026`, under whatever locale the machine has."""
    if current() == "en":
        return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}"
    from babel.dates import format_skeleton

    return format_skeleton("yMMMEd", at, locale=_locale(current()))


def short_day(at: date) -> str:
    """`2026-08-03`."""
    if current() == "en":
        return f"{at:%Y-%m-%d}"
    from babel.dates import format_date

    return format_date(at, "short", locale=_locale(current()))


def moment(at: datetime) -> str:
    """`Monday, 3 August 2026, 14:05`."""
    if current() == "en":
        return f"{at:%A, %-d %B %Y, %H:%M}"
    from babel.dates import format_date

    return f"{format_date(at, 'full', locale=_locale(current()))}, {at:%H:%M}"


def days(first: date, last: date) -> str:
    """`14 to 20 September 2026`."""
    if current() == "en":
        year = "" if first.year == last.year else f" {first.year}"
        month = "" if first.month == last.month and not year else f" {first:%B}"
        return f"{first.day}{month}{year} to {last.day} {last:%B %Y}"
    from babel.dates import format_interval

    return format_interval(first, last, "yMMMMd", locale=_locale(current()))


def retold(sentence: str) -> str:
    """A sentence that was made in English, and may have been kept so, in the language that holds.

    It is found by the text that it was made from, `N_("{n} of {of} codes")`, which stands in `sentences.po`; what was
    filled in stays, but for numbers and days, and for `{told…}`, which is a sentence of the same kind. Several
    sentences are told one by one. What was made from no such text comes back as it is.
    """
    return sentence if current() == "en" or not sentence else _retold(current(), sentence)


@lru_cache(maxsize=4096)
def _retold(code: str, sentence: str) -> str:
    told = catalogue(code).get(sentence)
    if told is not None:
        return told if isinstance(told, str) else told[0]
    for made in _made_from(code):
        if made.most in sentence and (found := made.pattern.fullmatch(sentence)):
            return made.told.format(**{name: _filled(code, name, text) for name, text in found.groupdict().items()})
    parts = _END.split(sentence, maxsplit=1)
    if len(parts) > 1:
        return " ".join(_retold(code, part) for part in parts)
    if "; " in sentence:
        return "; ".join(_retold(code, part) for part in sentence.split("; "))
    if sentence.endswith((".", ":")):  # `name:`, and a sentence that the page ends
        return _retold(code, sentence[:-1]) + sentence[-1]
    name, colon, rest = sentence.partition(": ")
    return f"{name}: {_retold(code, rest)}" if colon and " " not in name else sentence


def _filled(code: str, name: str, text: str) -> str:
    if name.startswith("told"):
        return _retold(code, text)
    return short_day(date.fromisoformat(text)) if _DAY.fullmatch(text) else numerals(text)


@dataclass(frozen=True, slots=True)
class _Made:
    pattern: re.Pattern[str]
    most: str  # the longest stretch of it that is not filled in
    told: str


@cache
def _made_from(code: str) -> Sequence[_Made]:
    """The texts that sentences are made from: those with most words of their own first."""
    found = []
    for text, entry in _entries(code).items():
        if entry.file == RETOLD and isinstance(entry.told, str) and "{" in text:
            parts = _FIELD.split(text)
            own = parts[::2]
            seen: set[str] = set()
            pattern = re.escape(own[0])
            for name, after in zip(parts[1::2], own[1:], strict=True):
                inside = ".*?" if name == "told" else _WITHIN
                pattern += (f"(?P={name})" if name in seen else f"(?P<{name}>{inside})") + re.escape(after)
                seen.add(name)
            found.append((sum(map(len, own)), _Made(re.compile(pattern, re.DOTALL), max(own, key=len), entry.told)))
    return [made for _, made in sorted(found, key=lambda pair: -pair[0])]


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def _locale(code: str) -> Locale:
    from babel import Locale

    return Locale.parse(_LOCALES[code])


@dataclass(frozen=True, slots=True)
class _Entry:
    told: str | tuple[str, str]
    in_script: bool
    file: str


@cache
def catalogue(code: str) -> Mapping[str, str | tuple[str, str]]:
    """English text → text, or (singular, plural) under the English singular. Empty for English."""
    return {text: entry.told for text, entry in _entries(code).items()}


@cache
def catalogue_of_scripts(code: str) -> Mapping[str, str | tuple[str, str]]:
    """The part of the catalogue that pages' scripts need: what stands under a comment `#. script`."""
    return {text: entry.told for text, entry in _entries(code).items() if entry.in_script}


@cache
def _entries(code: str) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    if code == "en":
        return found
    from babel.messages.pofile import read_po

    folder = files("grader") / "languages" / code
    for file in sorted(folder.iterdir(), key=lambda e: e.name):
        if file.name.endswith(".po"):
            with file.open("rb") as stream:
                for message in read_po(stream, locale=_LOCALES[code]):
                    in_script = "script" in message.auto_comments
                    if isinstance(message.id, str):
                        if message.id:
                            found[message.id] = _Entry(str(message.string), in_script, file.name)
                    else:
                        forms = message.string or ()
                        found[message.id[0]] = _Entry((forms[0], forms[-1]), in_script, file.name)
    return found
