"""What a page shows, and what of it is still English: for tests of pages in another language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from conftest import REPOSITORY
from report_data import RUBRICS
from test_language import asked

from grader import language

SHOWN = ("title", "aria-label", "alt", "placeholder")  # attributes that are read
_NOT_READ = {"script", "style", "code", "pre"}  # commands and data are the same in every language
_EMPTY = {"meta", "link", "br", "hr", "img", "input", "wbr", "rect", "line", "circle", "path", "polyline"}
_CONDITION = re.compile(r"\w+ [<>]=? [\d.]+")
_DECIMAL = re.compile(r"(?<![\w.@-])\d+\.\d{1,2}(?![\w.-])")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skipped: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        skipped = self._skips or tag in _NOT_READ or (known.get("lang") == "en" and tag != "html")
        if not skipped:
            self.found += [text for name in SHOWN if (text := known.get(name))]
        if tag not in _EMPTY:
            self._skipped.append(skipped)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [text for name, text in attrs if name in SHOWN and text and not self._skips]

    def handle_endtag(self, tag: str) -> None:
        if tag not in _EMPTY and self._skipped:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._skips:
            self.found.append(" ".join(data.split()))

    @property
    def _skips(self) -> bool:
        return bool(self._skipped) and self._skipped[-1]


def shown(page: str) -> list[str]:
    """Every text that a reader of the page sees or hears, in order."""
    reader = _Reader()
    reader.feed(page)
    return reader.found


@cache
def _others() -> str:
    """What rubrics, customers and people of the sample wrote, in one line: it is never translated."""
    texts: list[str] = []

    def gather(value: Any) -> None:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            for inside in value.values():
                gather(inside)
        elif isinstance(value, list):
            for inside in value:
                gather(inside)

    for path in sorted(Path(REPOSITORY / "grader").rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            gather(json.loads(line))
    for rubric in RUBRICS.values():
        gather(rubric.model_dump(mode="json"))
    return " ".join(" ".join(text.split()) for text in texts)


def english(texts: Iterable[str], theirs: Iterable[str] = (), code: str = "pt") -> Iterator[str]:
    """Of what a page shows, what is an English text of the interface, or has one in it: `text: where`.

    `theirs`: words that others chose in the world that is shown.
    """
    told = language.catalogue(code)
    same = " ".join(" ".join(form) if isinstance(form, tuple) else form for form in told.values())
    whole: set[str] = set()
    parts: dict[str, str] = {}
    for text in asked():
        for one in [text] if isinstance(text, str) else text:
            if told.get(text if isinstance(text, str) else text[0]) == one:
                continue  # the same word in both
            whole.add(one)
            for part in re.split(r"\{\w+\}", one):
                words = part.strip(" :;,.()–")
                if words not in same and len(re.findall(r"[A-Za-z]{2,}", words)) >= 2 and len(words) >= 8:
                    parts[words] = one
    anywhere = re.compile("|".join(rf"(?<!\w){re.escape(p)}(?!\w)" for p in sorted(parts, key=len, reverse=True)))
    known = set(theirs)
    for text in texts:
        if text in known or (len(text) > 3 and text in _others()):
            continue
        if text in whole and text not in same:
            yield f"{text!r}"
        elif found := anywhere.search(text):
            yield f"{parts[found[0]]!r} in {text!r}"


def points(texts: Iterable[str]) -> list[str]:
    """What shows a decimal point where a comma is due; a condition of `grader.toml` is written as there."""
    return [text for text in texts if _DECIMAL.search(_CONDITION.sub("", text)) and text not in _others()]
