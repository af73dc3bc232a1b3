"""The languages of the interface: texts from gettext catalogues, numbers and plurals by the rules of CLDR.

English is what stands in the code. One language holds at a time, for what is written in it: `with use("pt"): …`.
What customers, rubrics and judges wrote is never translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

LANGUAGES: Mapping[str, str] = {"en": "English", "pt": "Português"}
_LOCALES = {"en": "en_US", "pt": "pt_BR"}
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")

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


@cache
def _locale(code: str) -> Locale:
    from babel import Locale

    return Locale.parse(_LOCALES[code])


@cache
def catalogue(code: str) -> Mapping[str, str | tuple[str, str]]:
    """English text → text, or (singular, plural) under the English singular. Empty for English."""
    return {text: told for text, (told, _where) in _entries(code).items()}


@cache
def catalogue_of_scripts(code: str) -> Mapping[str, str | tuple[str, str]]:
    """The part of the catalogue that pages' scripts need: what stands under a comment `#. script`."""
    return {text: told for text, (told, in_script) in _entries(code).items() if in_script}


@cache
def _entries(code: str) -> dict[str, tuple[str | tuple[str, str], bool]]:
    found: dict[str, tuple[str | tuple[str, str], bool]] = {}
    if code == "en":
        return found
    from babel.messages.pofile import read_po

    folder = files("grader") / "languages" / code
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".po"):
            with entry.open("rb") as stream:
                for message in read_po(stream, locale=_LOCALES[code]):
                    in_script = "script" in message.auto_comments
                    if isinstance(message.id, str):
                        if message.id:
                            found[message.id] = str(message.string), in_script
                    else:
                        forms = message.string or ()
                        found[message.id[0]] = (forms[0], forms[-1]), in_script
    return found
