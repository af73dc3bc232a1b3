"""Reads a report's file as its script does: the index, and every conversation out of its chunks."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from typing import Any

from grader.report.dictionary import END, ESCAPE, LEADS, ONES
from grader.report.pack import CASE, FIRST_SHARED, TEXT

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


def inflated(digits: str) -> list[bytes]:
    line, _, rest = gzip.decompress(base64.b85decode(digits.translate(_BACK))).partition(b"\n")
    parts, at = [], 0
    for length in json.loads(line):
        parts.append(rest[at : at + length])
        at += length
    assert at == len(rest)
    return parts


def expanded(written: bytes, dictionary: list[list[str]]) -> str:
    ones, pairs = dictionary
    byte_words, found, at = dict(zip(ONES, ones, strict=False)), [], 0
    while at < len(written):
        byte = written[at]
        at += 1
        if byte == ESCAPE:
            end = written.index(END, at)
            found.append(written[at:end].decode())
            at = end + 1
        elif byte in LEADS:
            found.append(pairs[256 * LEADS.index(byte) + written[at]])
            at += 1
        else:
            found.append(byte_words.get(byte) or chr(byte))
    return "".join(found)


def itself(text: str) -> str:
    return re.sub("\x1f(.)", lambda found: chr(ord(found[1]) - 0x40), text)


class Packed:
    """One file of a report."""

    def __init__(self, html: str) -> None:
        found = _Scripts(html)
        self.data = found.data
        columns, beginnings = inflated(found.index)
        self.index: dict[str, Any] = json.loads(columns)
        self.index["words"] = self.texts(self.expanded(beginnings))
        self.shapes = [list(record.items()) for record in found.data["shapes"].values()]
        self.chunks = [inflated(chunk) for chunk in found.chunks]

    def expanded(self, text: bytes) -> str:
        return expanded(text, self.index["dictionary"])

    @staticmethod
    def texts(stream: str) -> list[str]:
        return [itself(text) for text in stream.split(TEXT.decode())]

    def few(self, name: str, row: int) -> Any:
        column = self.index[name]
        return column["values"][column["of"][row]]

    @property
    def cases(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for chunk in self.chunks:
            trees, own, *streams = chunk
            shared = self.data["shared"] + self.texts(self.expanded(own))
            cases = zip(*(self.expanded(s).split(CASE.decode()) for s in streams), strict=True)
            for tree, texts in zip(json.loads(trees), cases, strict=True):
                row = len(found)
                case = _Reading(self, shared, [self.texts(text) for text in texts]).value(tree)
                case["id"] = self.index["id"][row]
                case |= {name: self.few(name, row) for name in ("queue", "channel", "language")}
                found.append(case)
        return found


class _Reading:
    def __init__(self, packed: Packed, shared: list[str], streams: list[list[str]]) -> None:
        self._packed, self._shared = packed, shared
        self._next = [iter(stream) for stream in streams]
        self._local: list[str] = []

    def text(self, mark: int | str) -> str:
        if isinstance(mark, str):
            return self._local[int(mark)]
        if mark <= FIRST_SHARED:
            return self._shared[FIRST_SHARED - mark]
        self._local.append(next(self._next[-1 - mark]))
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
        shape = self._packed.shapes[kind - 1]
        rest += [blank for _, blank in shape[len(rest) :]]
        record = {name: self.value(item) for (name, _), item in zip(shape, rest, strict=True)}
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
