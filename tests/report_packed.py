"""Reads a report's file as its script does: the index, and every conversation out of its chunks."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from typing import Any

from grader.report.dictionary import CODE
from grader.report.pack import CASE, PART, TEXT

_BACK = str.maketrans(",./", "<>&")


class _Scripts(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.data: dict[str, Any] = {}
        self.index = ""
        self.chunks: list[str] = []
        self._at: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._at = dict(attrs) if tag == "script" else {}

    def handle_endtag(self, tag: str) -> None:
        self._at = {}

    def handle_data(self, data: str) -> None:
        if self._at.get("id") == "data":
            self.data = json.loads(data)
        elif self._at.get("id") == "index":
            self.index = data
        elif "data-chunk" in self._at:
            self.chunks.append(data)


def inflated(digits: str) -> str:
    return gzip.decompress(base64.b85decode(digits.translate(_BACK))).decode()


class Packed:
    """One file of a report."""

    def __init__(self, html: str) -> None:
        found = _Scripts(html)
        self.data = found.data
        self.index: dict[str, Any] = json.loads(inflated(found.index))
        self._shapes = list(found.data["shapes"].values())
        self._words = dict(zip(*self.index["dictionary"], strict=True))
        self.chunks = [inflated(chunk) for chunk in found.chunks]

    def expanded(self, text: str) -> str:
        return re.sub(f"\x1f(.)|{CODE}", self._character, text, flags=re.DOTALL)

    def _character(self, found: re.Match[str]) -> str:
        if found[1] is None:
            return str(self._words.get(found[0], found[0]))
        return chr(ord(found[1]) - 0x40) if found[1] < "\x80" else found[1]

    def few(self, name: str, row: int) -> Any:
        column = self.index[name]
        return column["values"][column["of"][row]]

    @property
    def cases(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for chunk in self.chunks:
            trees, shared, searched, other = chunk.split(PART)
            common = [self.expanded(text) for text in shared.split(TEXT)]
            for tree, mine, rest in zip(json.loads(trees), searched.split(CASE), other.split(CASE), strict=True):
                row = len(found)
                case = _Reading(self, common, mine.split(TEXT), rest.split(TEXT)).value(tree)
                case["id"] = self.index["id"][row]
                case |= {name: self.few(name, row) for name in ("queue", "channel", "language")}
                found.append(case)
        return found


class _Reading:
    def __init__(self, packed: Packed, shared: list[str], searched: list[str], other: list[str]) -> None:
        self._packed, self._shared = packed, shared
        self._next = {-1: iter(searched), -2: iter(other)}
        self._local: list[str] = []

    def text(self, mark: int | str) -> str:
        if isinstance(mark, str):
            return self._local[int(mark)]
        if mark <= -3:
            return self._shared[-3 - mark]
        self._local.append(self._packed.expanded(next(self._next[mark])))
        return self._local[-1]

    def value(self, packed: Any) -> Any:
        if isinstance(packed, str) or (isinstance(packed, int) and not isinstance(packed, bool) and packed < 0):
            return self.text(packed)
        if not isinstance(packed, list):
            return packed
        kind, *rest = packed
        if kind == 0:
            return [self.value(item) for item in rest]
        if kind == -1:
            return self.cut(rest)
        if kind == -2:
            return {self.text(key): self.value(item) for key, item in zip(rest[::2], rest[1::2], strict=True)}
        if kind == -3:
            return rest[0]
        if kind == -4:
            whole, start, length = rest
            units = self._local[whole].encode("utf-16-le", "surrogatepass")
            return units[2 * start : 2 * (start + length)].decode("utf-16-le", "surrogatepass")
        record = {name: self.value(item) for name, item in zip(self._packed._shapes[kind - 1], rest, strict=True)}
        if "segments" in record:
            record["n_chars"] = sum(len(segment["text"]) for segment in record["segments"])
        return record

    def cut(self, packed: list[Any]) -> list[dict[str, Any]]:
        whole = self.text(packed[0])
        if len(packed) == 1:
            return [{"text": whole, "findings": []}]
        units, at, found = whole.encode("utf-16-le", "surrogatepass"), 0, []
        for length, findings in zip(packed[1::2], packed[2::2], strict=True):
            text = units[2 * at : 2 * (at + length)].decode("utf-16-le", "surrogatepass")
            found.append({"text": text, "findings": findings})
            at += length
        return found
