"""Text to words, and phrase lists to hits. Phrases are data; matching is one pass, linear in the text.

Words are lower case without accents, as hurried people write them, and each knows its place in the original, so that a
hit can be quoted verbatim. A phrase is words in order: `a|b` either, `ship*` any word that begins so, `?me` may be
missing, `..` up to three words between (`..6`: six), all within one sentence. Knows no conversation.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\d+(?:[.,:/\-]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*")
_END = re.compile(r"[.!?…]+(?=[\s\"'»)*_]|$)|\n+|¡|¿")
_STEM = 3  # letters that a word pattern has at least: they are its index
_GAP = 3
_QUOTE = 280  # characters of a quote: what a reader takes in at a glance


class _Plain(dict[int, int]):
    """Character → the plain lower-case letter under it, one for one, so that places stay what they were."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        plain = unicodedata.normalize("NFKD", char)[0].lower()
        found = ord(_MARKS.get(char) or (plain if len(plain) == 1 else char))
        self[code] = found
        return found


_MARKS = dict.fromkeys("’‘`´ʼ′", "'") | dict.fromkeys("–—‐‑−", "-") | dict.fromkeys("“”„«»", '"') | {"\u00a0": " "}
_PLAIN = _Plain()


def plain(text: str) -> str:
    """Lower case, no accents, plain marks; as many characters as before when the text is NFC."""
    return text.translate(_PLAIN)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words `first` to `last` (exclusive) and characters `start` to `end` of a text. `asks`: it ends in a question."""

    first: int
    last: int
    start: int
    end: int
    asks: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase of `concept` stands at words `first` to `last` (exclusive) of sentence number `sentence`."""

    concept: str
    first: int
    last: int
    sentence: int


@dataclass(frozen=True, slots=True)
class Words:
    """A text as its words and sentences. `text` is the original in NFC, from which quotes are cut."""

    text: str
    tokens: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    hits: Mapping[str, tuple[Hit, ...]] = field(default_factory=dict)

    def of(self, *concepts: str) -> list[Hit]:
        """The hits of these concepts, in the order of the text."""
        found = [hit for concept in concepts for hit in self.hits.get(concept, ())]
        return sorted(found, key=lambda hit: hit.first) if len(concepts) > 1 else found

    def has(self, *concepts: str) -> bool:
        """Whether any of these concepts stands anywhere in the text."""
        return any(concept in self.hits for concept in concepts)

    def within(self, sentence: int, *concepts: str) -> list[Hit]:
        """The hits of these concepts in this sentence."""
        return [hit for hit in self.of(*concepts) if hit.sentence == sentence]

    def sentence_of(self, token: int) -> int:
        """The number of the sentence in which this word stands."""
        return max(0, bisect_right(self.sentences, token, key=lambda s: s.first) - 1)

    def quote(self, sentence: int, first: int | None = None, last: int | None = None) -> str:
        """The sentence as it was written; when it is long, the part of it around words `first` to `last`."""
        s = self.sentences[sentence]
        if s.end - s.start <= _QUOTE:
            return self.text[s.start : s.end].strip()
        at = s.first if first is None else first
        upto = at + 1 if last is None else last
        while upto < s.last and self.ends[upto] - self.starts[at] <= _QUOTE:
            upto += 1
        return self.text[self.starts[at] : self.ends[max(at, upto - 1)]]


def read(text: str, phrases: Phrases | None = None) -> Words:
    """The text as words, with the hits of these phrases."""
    if not text or text.isspace():
        return Words(text="")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    folded = plain(text)
    tokens, starts, ends = [], [], []
    for match in _TOKEN.finditer(folded):
        tokens.append(match.group())
        starts.append(match.start())
        ends.append(match.end())
    sentences = _sentences(folded, starts)
    hits = phrases.find(tokens, sentences) if phrases else {}
    return Words(text, tuple(tokens), tuple(starts), tuple(ends), tuple(sentences), hits)


def _sentences(folded: str, starts: Sequence[int]) -> list[Sentence]:
    """Cut at . ! ? … before a blank, at line ends, and before ¡ and ¿. A piece without words joins no sentence."""
    found: list[Sentence] = []
    start = token = 0
    total = len(starts)
    cuts = [(m.start(), m.end(), m.group()) for m in _END.finditer(folded)] + [(len(folded), len(folded), "")]
    opened = False
    for at, end, mark in cuts:
        first = token
        while token < total and starts[token] < at:
            token += 1
        if token > first:
            found.append(Sentence(first, token, start, end if mark not in "¡¿" else at, opened or "?" in mark))
        start = end
        opened = mark == "¿"
    return found


@dataclass(frozen=True, slots=True)
class _Item:
    """One place in a phrase: these words, or words that begin like these, perhaps missing; or a gap of `gap` words."""

    exact: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()
    optional: bool = False
    gap: int = 0

    def takes(self, token: str) -> bool:
        return token in self.exact or (bool(self.stems) and token.startswith(self.stems))


def _item(text: str) -> _Item:
    if text.startswith(".."):
        return _Item(gap=int(text[2:] or _GAP))
    optional = text.startswith("?")
    words = text.removeprefix("?").split("|")
    stems = tuple(word[:-1] for word in words if word.endswith("*"))
    if any(len(stem) < _STEM for stem in stems):
        raise ValueError(f"{text!r}: a stem has at least {_STEM} letters")
    return _Item(frozenset(word for word in words if not word.endswith("*")), stems, optional)


def _follows(items: tuple[_Item, ...], k: int, tokens: Sequence[str], i: int, end: int) -> int:
    """Where the phrase that begins with item `k` at word `i` ends, or -1. Gaps are bounded, so this is too."""
    while k < len(items):
        item = items[k]
        if item.gap:
            for skip in range(min(item.gap, end - i) + 1):
                found = _follows(items, k + 1, tokens, i + skip, end)
                if found >= 0:
                    return found
            return -1
        if i < end and item.takes(tokens[i]):
            i += 1
        elif not item.optional:
            return -1
        k += 1
    return i


class Phrases:
    """Many concepts' phrases, indexed by their first word, so that one pass over a text finds them all."""

    def __init__(self, concepts: Mapping[str, str | Iterable[str]]) -> None:
        self._exact: dict[str, list[tuple[str, tuple[_Item, ...]]]] = {}
        self._stems: dict[str, list[tuple[str, str, tuple[_Item, ...]]]] = {}
        for concept, lines in concepts.items():
            for line in lines.splitlines() if isinstance(lines, str) else lines:
                if line.strip():
                    self._add(concept, tuple(_item(part) for part in line.split()))

    def _add(self, concept: str, items: tuple[_Item, ...]) -> None:
        head, rest = items[0], items[1:]
        if head.gap or head.optional:
            raise ValueError(f"a phrase of {concept} begins with something that may be missing")
        for word in head.exact:
            self._exact.setdefault(word, []).append((concept, rest))
        for stem in head.stems:
            self._stems.setdefault(stem[:_STEM], []).append((stem, concept, rest))

    def find(self, tokens: Sequence[str], sentences: Sequence[Sentence]) -> dict[str, tuple[Hit, ...]]:
        """All hits by concept, each in the order of the text."""
        found: dict[str, list[Hit]] = {}
        exact, stems = self._exact, self._stems
        for number, sentence in enumerate(sentences):
            end = sentence.last
            for i in range(sentence.first, end):
                token = tokens[i]
                for concept, rest in exact.get(token, ()):
                    last = _follows(rest, 0, tokens, i + 1, end)
                    if last >= 0:
                        found.setdefault(concept, []).append(Hit(concept, i, last, number))
                for stem, concept, rest in stems.get(token[:_STEM], ()):
                    if token.startswith(stem):
                        last = _follows(rest, 0, tokens, i + 1, end)
                        if last >= 0:
                            found.setdefault(concept, []).append(Hit(concept, i, last, number))
        return {concept: tuple(hits) for concept, hits in found.items()}
