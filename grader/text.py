"""What the judge sees of a text, and when two texts count as the same words.

`neutralise` is applied to what the judge reads, never to what is stored; `fold` is how quotes are compared, so that a
quote of what the judge saw is found in what is stored. Both are pure; nothing here knows a message.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Invisible characters that can hide instructions or split words: zero width, bidi controls, soft hyphen, tag block.
# What emoji are made with is kept for the judge (zero-width joiner, variation selectors). Tab and newline stay.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
)
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# Chat-template markers of the common model families. The bracket is replaced by a look-alike, so that the words stay
# readable and the tokenizer sees no control token.
_ROLE_MARKER = re.compile(
    r"<(?=[|｜][^<>|｜\n]{1,40}[|｜]>|/?(?:s|start_of_turn|end_of_turn|bos|eos)>|</?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
)
_MARKER_BRACKET = {"<": "‹", "[": "⁅"}

# For comparing, what emoji are made with does not count either: models drop it or add it.
_SKIPPED = re.compile(f"[{_UNSEEN}\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_ALIKE = {
    "'": "‘’‚‛′`´｀`´＇", '"': "“”„‟″«»＂", "-": "‐‑‒–—―−⁻₋﹘", "<": "‹", "[": "⁅",
}  # fmt: skip
_SAME = str.maketrans({other: plain for plain, others in _ALIKE.items() for other in others})
_HALF = re.compile("[\ud800-\udfff]")  # half a surrogate pair is shown to the judge as U+FFFD
MANY_MARKS = 30  # on one letter, as in Unicode's stream-safe text; sorting them takes quadratic time
_LONG = 2_000


def neutralise(text: str) -> str:
    """The text as the judge may see it: no invisible or control characters, no chat-template markers that work."""
    text = _CONTROL.sub(" ", _INVISIBLE.sub("", text.replace("\r\n", "\n")))
    return _ROLE_MARKER.sub(lambda m: _MARKER_BRACKET[m.group()], text)


def fold_text(text: str) -> str:
    """The words of a text, for comparing: Unicode-normalised (NFKC), typographic quotes and dashes made plain,
    invisible characters dropped, white space folded to one blank, trimmed.

    Case is kept: a verbatim quote has the case of its source.
    """
    if text.isascii():
        return " ".join(_CONTROL.sub(" ", text.replace("`", "'")).split())
    text = _HALF.sub("\ufffd", _SKIPPED.sub("", text)).translate(_SAME)
    if len(text) > _LONG:
        text = _fewer_marks(text)
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFKC", text)).split())


def _fewer_marks(text: str) -> str:
    kept, run = [], 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= MANY_MARKS:
            kept.append(char)
    return "".join(kept)


class Folded(NamedTuple):
    """A folded text and, for each of its characters, where in the original it came from: text[start:end], which is
    empty for a blank that Unicode's normal form brings in.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


# Letters that NFKC may merge with the one before although they are no combining marks: Hangul vowels and finals, the
# vowel signs of a few scripts, halfwidth voicing marks. Each is a part of its predecessor's cluster.
_MERGING = frozenset(
    "\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u0f73\u0f75\u0f81\u0fb5\u0fb7"
    "\u102e\u1b35\uff9e\uff9f\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af\U00011930"
) | {chr(code) for first, last in ((0x1161, 0x1175), (0x11A8, 0x11C2)) for code in range(first, last + 1)}
# Plain words go through as they are; the last letter before anything else may be the base of what follows.
_PIECE = re.compile(r"(?P<plain>[!-_a-~]+(?: [!-_a-~]+)*(?=[\x00-`{-\x7f]|$))|(?P<other>[^\s\x00-\x1f\x7f-\x9f]+)")


def fold(text: str) -> Folded:
    """`fold_text(text)` with the place of each character in the original."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def add(piece: str, start: int, end: int, step: int) -> None:
        """A piece that came from text[start:end]: character by character (step 1), or each from the whole (step 0)."""
        if out and blank:
            out.append(" ")
            starts.append(min(ends[-1], start))
            ends.append(max(ends[-1], start))
        out.append(piece)
        starts.extend(range(start, end) if step else [start] * len(piece))
        ends.extend(range(start + 1, end + 1) if step else [end] * len(piece))

    blank = False
    done = 0
    for match in _PIECE.finditer(text):
        blank = blank or match.start() > done
        done = match.end()
        if match.lastgroup == "plain":
            add(match.group(), match.start(), match.end(), 1)
            blank = False
            continue
        for start, end, cluster in _clusters(match.group(), match.start()):
            for word in re.split(r"(\s+)", unicodedata.normalize("NFKC", cluster)):
                if word and not word.isspace():
                    add(word, start, end, 0)
                    blank = False
                else:
                    blank = blank or bool(word)
    return Folded("".join(out), tuple(starts), tuple(ends))


def _clusters(text: str, offset: int) -> list[tuple[int, int, str]]:
    """What NFKC composes together, with its place: a letter with all that merges into it, the skipped left out."""
    found: list[tuple[int, int, str]] = []
    start, end, cluster = 0, 0, ""
    for index, char in enumerate(_HALF.sub("\ufffd", text).translate(_SAME), start=offset):
        if not char.isascii():
            if _SKIPPED.match(char):
                continue
            if cluster and (unicodedata.combining(char) or char in _MERGING):
                if len(cluster) <= MANY_MARKS:
                    cluster += char
                end = index + 1
                continue
        if cluster:
            found.append((start, end, cluster))
        start, end, cluster = index, index + 1, char
    if cluster:
        found.append((start, end, cluster))
    return found
