"""Words that stand all over a report, each as one character: what gzip cannot see beyond its window of 32 KB.

Made of the first conversations of a report, so that the rest can be packed as they come.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import chain

# Not what is marked as itself, and what follows: the mark would then stand before the word's code.
_WORD = re.compile("( ?(?<!\x1f)[^\\W\\d_]{2,})")
# Characters of one byte that no text that is shown has, for what stands most often; then letters of two bytes in UTF-8
# that few texts of a report use, then private ones of three.
_ONE_BYTE = tuple(map(chr, chain(range(0x01, 0x09), range(0x0E, 0x1C))))
_CODES = tuple(map(chr, chain(range(0x180, 0x800), range(0xE000, 0xF000))))
CODE = "[\x01-\x08\x0e-\x1b\u0180-\u07ff\ue000-\uefff]"
ESCAPE = "\x1f"  # the character that follows is itself, or a control character that is 0x40 less
_OWN = re.compile(f"{CODE}|[\x1c-\x1f]")
_LEAST = 4  # so often a word stands in the first conversations
MIN_CASES = 200  # fewer do not need it


class Dictionary:
    """Words by code. Without texts it has none."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        counted: Counter[str] = Counter()
        own: set[str] = set()
        for text in texts:
            counted.update(_WORD.findall(text))
            own.update(_OWN.findall(text))
        often = [(word, n) for word, n in counted.items() if n >= _LEAST]
        most = [word for word, _ in sorted(often, key=lambda x: (-x[1] * (len(x[0]) - 1), x[0]))]
        short = most[: len(_ONE_BYTE)]
        gain = sorted((-n * (len(word) - 2), word) for word, n in often if word not in short and len(word) > 2)
        codes = [*_ONE_BYTE[: len(short)], *(code for code in _CODES if code not in own)]
        self._codes = dict(zip([*short, *(word for _, word in gain)], codes, strict=False))
        after_blank = {f" {word}": f" {code}" for word, code in self._codes.items() if word[0] != " "}
        self._written = after_blank | self._codes

    @property
    def words(self) -> dict[str, str]:
        """Code → word."""
        return {code: word for word, code in self._codes.items()}

    def written(self, text: str) -> str:
        """The text with codes for words. What looks like a code is marked as being itself."""
        if not text.isprintable() or not text.isascii():
            text = _OWN.sub(_itself, text)
        if not self._codes:
            return text
        written = self._written.get
        return "".join([written(part, part) for part in _WORD.split(text)])


def _itself(found: re.Match[str]) -> str:
    return ESCAPE + (chr(ord(found[0]) + 0x40) if found[0] < " " else found[0])
