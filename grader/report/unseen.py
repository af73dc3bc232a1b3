"""Characters that a reader cannot see and that hide words, split them, or turn their order: how they are found.

One pattern for both sides: the page's script gets it with the data and shows a chip for each; what is written here
without the script gets `[U+202E]`. What spelling or an emoji needs stays as it is. Stored text is never touched.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain, groupby

Ranges = tuple[tuple[int, int], ...]

_CONTROL: Ranges = ((0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F), (0x2028, 0x2029))
# Unicode's Default_Ignorable_Code_Point, without joiners and selectors, and the annotation marks.
_IGNORED: Ranges = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180E, 0x180E),
    (0x200B, 0x200B), (0x200E, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE00FF), (0xE01F0, 0xE0FFF),
)  # fmt: skip
_JOINERS: Ranges = ((0x200C, 0x200D),)
_SELECTORS: Ranges = ((0x180B, 0x180D), (0x180F, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_EVERY = _CONTROL + _IGNORED + _JOINERS + _SELECTORS
# Scripts from Arabic to Khmer and Mongolian, whose spelling needs joiners after a letter.
_JOINING: Ranges = ((0x600, 0x109F), (0x1700, 0x18AF), (0xA800, 0xABFF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC),
                    (0x10A00, 0x11FFF), (0x1E900, 0x1E95F))  # fmt: skip
_EMOJI: Ranges = ((0x2190, 0x21FF), (0x2300, 0x2BFF), (0x3030, 0x3030), (0x303D, 0x303D), (0x1F000, 0x1FAFF))


def _inside(ranges: Ranges) -> str:
    """The inside of a character class, in the characters themselves: Python and JavaScript read it alike."""
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


# England, Scotland and Wales: the flags that are spelt in tag characters.
_FLAGS = "|".join("".join(chr(0xE0000 + ord(c)) for c in f"gb{land}") for land in ("eng", "sct", "wls"))
_NON_JOINER, _JOINER = chr(0x200C), chr(0x200D)
ALL = _inside(_EVERY)
_HIDDEN = (
    f"[{_inside(_CONTROL + _IGNORED)}]"
    # a joiner, unless it follows a letter that may need it, or makes one emoji of two
    f"|(?<![{_inside(_JOINING)}])(?:{_NON_JOINER}"
    f"|{_JOINER}(?!(?<=[{_inside(_EMOJI)}{chr(0xFE0F)}]{_JOINER})[{_inside(_EMOJI)}]))"
    # a selector that has nothing to select from
    rf"|(?<![^\s{ALL}])[{_inside(_SELECTORS)}]"
)
PATTERN = f"{chr(0x1F3F4)}(?:{_FLAGS}){chr(0xE007F)}|((?:{_HIDDEN})+)"  # group 1: a run of what is to be shown
_FOUND = re.compile(PATTERN)

NAMES = {
    f"{code:04X}": unicodedata.name(chr(code))
    for code in chain.from_iterable(range(first, last + 1) for first, last in _EVERY if last <= 0xFFFF)
    if unicodedata.name(chr(code), "")
}
MANY = 12  # so many different ones in a row are told as a number


def written_out(text: str) -> str:
    """The text with each hidden character as `[U+202E]`; many in a row as their number."""
    return text if text.isascii() and text.isprintable() else _FOUND.sub(_marks, text)


def _marks(match: re.Match[str]) -> str:
    run = match[1]
    if run is None:
        return match[0]
    same = [(char, len(list(group))) for char, group in groupby(run)]
    if len(same) > MANY:
        return f"[{len(run):,} invisible characters]"
    return "".join(f"[U+{ord(char):04X}{f' ×{n:,}' if n > 1 else ''}]" for char, n in same)
