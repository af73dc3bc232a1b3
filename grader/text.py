"""What the judge sees of a text, and when two texts count as the same words.

`neutralise` is applied to what the judge reads, never to what is stored; `fold` is how quotes are compared, so that a
quote of what the judge saw is found in what is stored. Both are pure; nothing here knows a message.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Invisible characters that can hide instructions or split words: zero width, bidi controls, soft hyphen, tag block,
# variation selectors are kept (they make emoji). Tab and newline stay.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Chat-template markers of the common model families. The bracket is replaced by a look-alike, so that the words stay
# readable and the tokenizer sees no control token.
_ROLE_MARKER = re.compile(r"<(?=\|[^<>|\n]{1,40}\|>|/?(?:s|start_of_turn|end_of_turn|bos|eos)>)|\[(?=/?INST\])")
_MARKER_BRACKET = {"<": "‹", "[": "⁅"}

_SAME = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
    "‹": "<", "⁅": "[",
})  # fmt: skip


def neutralise(text: str) -> str:
    """The text as the judge may see it: no invisible or control characters, no chat-template markers that work."""
    text = _CONTROL.sub(" ", _INVISIBLE.sub("", text.replace("\r\n", "\n")))
    return _ROLE_MARKER.sub(lambda m: _MARKER_BRACKET[m.group()], text)


class Folded(NamedTuple):
    """A folded text and, for each of its characters, where in the original it came from: text[start:end]."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def fold(text: str) -> Folded:
    """Unicode-normalised (NFKC), typographic quotes and dashes made plain, invisible characters dropped, white space
    folded to one blank, trimmed. Case is kept: a verbatim quote has the case of its source.
    """
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    pending_space = -1
    for start, cluster in _clusters(text):
        if _INVISIBLE.fullmatch(cluster):
            continue
        for char in unicodedata.normalize("NFKC", _INVISIBLE.sub("", cluster)).translate(_SAME):
            if char.isspace() or _CONTROL.fullmatch(char):
                if out and pending_space < 0:
                    pending_space = start
                continue
            if pending_space >= 0:
                out.append(" ")
                starts.append(pending_space)
                ends.append(start)
                pending_space = -1
            out.append(char)
            starts.append(start)
            ends.append(start + len(cluster))
    return Folded("".join(out), tuple(starts), tuple(ends))


def _clusters(text: str) -> list[tuple[int, str]]:
    """Base character plus the combining marks that follow it, with its index: the unit that NFKC may compose."""
    if text.isascii():
        return list(enumerate(text))
    found: list[tuple[int, str]] = []
    for index, char in enumerate(text):
        if found and unicodedata.combining(char):
            start, base = found[-1]
            found[-1] = (start, base + char)
        else:
            found.append((index, char))
    return found


def fold_text(text: str) -> str:
    """`fold(text).text`, without the positions: several times faster, for the common case of a plain comparison."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_SAME)
    return " ".join(_CONTROL.sub(" ", plain).split())
