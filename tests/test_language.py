"""The interface in other languages: nothing is left in English, nothing is left over, and numbers are written right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from conftest import REPOSITORY

from grader import language

PACKAGE = REPOSITORY / "grader"
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
EXTRACTORS = {
    ".py": "python", ".js": "javascript", ".html": "jinja2.ext:babel_extract", ".md": "jinja2.ext:babel_extract",
}  # fmt: skip
OPTIONS = {"trimmed": "true", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}
LANGUAGES = [code for code in language.LANGUAGES if code != "en"]


def marked(path: Path) -> Iterator[str]:
    """The first text of every call that marks one, as Python reads it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS and node.args:
            text = node.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value
            assert not isinstance(text, ast.JoinedStr), f"{path.name}:{node.lineno}: {{names}} are filled in afterwards"


@cache
def asked() -> dict[str | tuple[str, ...], set[Path]]:
    """Every text that the code marks for translation, with the files it stands in."""
    found: dict[str | tuple[str, ...], set[Path]] = {}
    for path in sorted(PACKAGE.rglob("*")):
        if method := EXTRACTORS.get(path.suffix):
            for _line, text, *_rest in extract_from_file(method, path, keywords=KEYWORDS, options=OPTIONS):
                found.setdefault(tuple(text) if isinstance(text, list | tuple) else text, set()).add(path)
    return found


Told = str | tuple[str, ...]


def entries(code: str) -> Iterator[tuple[Path, Told, Told, bool]]:
    for path in sorted((PACKAGE / "languages" / code).glob("*.po")):
        with path.open("rb") as stream:
            for message in read_po(stream, abort_invalid=True):
                if message.id:
                    told = [m if isinstance(m, str) else tuple(m or ()) for m in (message.id, message.string)]
                    yield path, told[0], told[1], "script" in message.auto_comments


def one(text: str | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def test_no_marked_text_is_hidden_from_the_catalogues_inside_another_text() -> None:
    found = {one(text) for text in asked()}
    hidden = {text: path.name for path in PACKAGE.rglob("*.py") for text in marked(path) if text not in found}
    assert hidden == {}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_of_the_interface_is_in_every_language(code: str) -> None:
    there = {text for _, text, _, _ in entries(code)}
    missing = {one(text): [p.name for p in paths] for text, paths in asked().items() if text not in there}
    assert missing == {}


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_catalogue_holds_a_text_that_nothing_shows_or_holds_one_twice(code: str) -> None:
    texts = [text for _, text, _, _ in entries(code)]
    assert sorted(one(t) for t in texts if t not in asked()) == []
    assert sorted(one(t) for t in set(texts) if texts.count(t) > 1) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_translation_is_there_and_keeps_the_names_that_are_filled_in(code: str) -> None:
    for path, text, told, _ in entries(code):
        names = set(re.findall(r"\{\w+\}", one(text) if isinstance(text, str) else " ".join(text)))
        for form in [told] if isinstance(told, str) else told:
            assert form.strip(), f"{path.name}: {one(text)!r} has no translation"
            extra = set(re.findall(r"\{\w+\}", form)) ^ names
            allowed = {"{n}"} if isinstance(text, tuple) else set()  # a singular may write out its number
            assert extra <= allowed, f"{path.name}: {one(text)!r}: {extra}"


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_a_script_shows_is_marked_so_that_the_page_carries_it(code: str) -> None:
    in_scripts = {t for t, paths in asked().items() if any(p.suffix == ".js" for p in paths)}
    marked = {text for _, text, _, marked in entries(code) if marked}
    assert sorted(map(one, in_scripts ^ marked)) == []


def test_numbers_are_written_as_the_language_writes_them() -> None:
    with language.use("pt"):
        assert language.number(1234567.5, 1) == "1.234.567,5"
        assert (
            language.numerals("1,204 of 3,000: 40.1 % (38.4–41.9 %), <0.1 %")
            == "1.204 of 3.000: 40,1 % (38,4–41,9 %), <0,1 %"
        )
    assert language.numerals("1,204.5") == "1,204.5"


def test_the_language_that_was_holds_again_afterwards() -> None:
    with language.use("pt"):
        with language.use("en"):
            assert language.current() == "en"
        assert language.current() == "pt"
    assert language.current() == "en"
    with pytest.raises(ValueError, match="no language 'xx'"), language.use("xx"):
        pass
