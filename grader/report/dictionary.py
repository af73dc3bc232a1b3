"""Texts as bytes in which a word that stands all over a report is one byte or two: what gzip cannot see beyond its
window of 32 KB.

Made of the first conversations of a report, so that the rest can be packed as they come. A byte is a character of
ASCII, a separator, a word or letter of the dictionary, or leads one of two bytes; what has no code stands in UTF-8
between ESCAPE and END. Codes that are letters of UTF-8 would be two and three bytes long: a tenth more of a file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest

SEPARATORS = (0x1C, 0x1D, 0x1E)
ESCAPE, END = 0x1F, 0xFF  # around UTF-8, which has no 0xFF
MARK = "\x1f"  # before a character that is a separator less 0x40
_PLAIN = frozenset((0x09, 0x0A, *range(0x20, 0x7F)))
_FREE = tuple(byte for byte in range(256) if byte not in _PLAIN and byte not in (*SEPARATORS, ESCAPE, END))
_N_LEADS = 40
ONES, LEADS = _FREE[:-_N_LEADS], _FREE[-_N_LEADS:]  # bytes that are a word, bytes that lead 256 words each
_N_PAIRS = 256 * _N_LEADS

_WORD = re.compile(r"( ?[^\W\d_]{2,})")
_LETTER = re.compile(r"[^\x00-\x7f]")
_RUN = re.compile(r"[\t\n\x20-\x7e]+|[^\t\n\x20-\x7e]")
_LEAST = 4  # so often a word stands in the first conversations
_KEPT = 2  # stretches between words that are so short come again and again, and there are not many different ones
MIN_CASES = 200  # fewer need no words, only the letters that ASCII does not have


class Dictionary:
    """Words and letters by code. Without texts it has none. `words`: whether it has more than letters."""

    def __init__(self, texts: Iterable[str] = (), *, words: bool = True) -> None:
        counted: Counter[str] = Counter()
        for text in texts:
            if words:
                counted.update(_WORD.findall(text))
            if not text.isascii():
                counted.update(_LETTER.findall(text))
        often = [(word, n) for word, n in counted.items() if n >= _LEAST and not "\ud800" <= word <= "\udfff"]

        # A letter without a code costs four bytes. The most frequent come first among those of two bytes: their codes
        # have few different leads, which gzip makes short.
        self.ones = [word for word, _ in nsmallest(len(ONES), often, key=lambda x: (-x[1], x[0]))]
        has = set(self.ones)
        gains = ((-n * ((len(word) if len(word) > 1 else 4) - 2), word) for word, n in often if word not in has)
        chosen = [word for gain, word in nsmallest(_N_PAIRS, gains) if gain < 0]
        self.pairs = sorted(chosen, key=lambda word: (-counted[word], word))
        self._codes = _Codes()
        self._codes |= {word: bytes((ONES[n],)) for n, word in enumerate(self.ones)}
        self._codes |= {word: bytes((LEADS[n >> 8], n & 255)) for n, word in enumerate(self.pairs)}
        for word in (*self.ones, *self.pairs):
            if word[0] != " " and len(word) > 1 and f" {word}" not in self._codes:
                self._codes[f" {word}"] = b" " + self._codes[word]

    def written(self, text: str) -> bytes:
        """The text with codes for words. What is no Unicode becomes `?`."""
        return b"".join(map(self._codes.__getitem__, _WORD.split(text)))


class _Codes(dict[str, bytes]):
    """Codes by word; of another stretch of text what it is written as."""

    def __missing__(self, text: str) -> bytes:
        if text.isascii() and text.isprintable():
            written = text.encode()
            if len(text) <= _KEPT:
                self[text] = written
            return written
        parts: list[bytes] = []
        unwritten: list[str] = []
        for part in _RUN.findall(text):
            found = part.encode() if part.isascii() and (part.isprintable() or part[0] in "\t\n ") else self.get(part)
            if found is None:
                unwritten.append(part)
                continue
            if unwritten:
                parts.append(_escaped(unwritten))
                unwritten = []
            parts.append(found)
        if unwritten:
            parts.append(_escaped(unwritten))
        return b"".join(parts)


def _escaped(characters: list[str]) -> bytes:
    # What would be a separator is marked as being none; who reads takes the mark away when the texts are separate.
    marked = "".join(f"{MARK}{chr(ord(c) + 0x40)}" if "\x1c" <= c <= MARK else c for c in characters)
    return bytes((ESCAPE,)) + marked.encode("utf-8", "replace") + bytes((END,))
