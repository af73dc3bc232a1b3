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
from typing import NamedTuple

_TOKEN = re.compile(r"\d+(?:[.,:/\-]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*")
# A run of marks is looked at from its first mark only, else a text of nothing but dots would take quadratic time.
_END = re.compile(r"(?<![.!?…])[.!?…]++(?=[\s\"'»)*_]|$)|\n+|¡|¿")
_BREAK = re.compile(r"[,;:()]")
_STEM = 3  # letters that a word pattern has at least: they are its index
_GAP = 3
_LONGEST = 120  # words of a sentence
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


def word_set(text: str) -> frozenset[str]:
    """Words that stand in a text, for a list that reads like one."""
    return frozenset(text.split())


def plain(text: str) -> str:
    """Lower case, no accents, plain marks; as many characters as before when the text is NFC."""
    return text.lower().replace("`", "'") if text.isascii() else text.translate(_PLAIN)


class Sentence(NamedTuple):
    """Words `first` to `last` (exclusive) and characters `start` to `end` of a text. `asks`: it ends in a question."""

    first: int
    last: int
    start: int
    end: int
    asks: bool


class Hit(NamedTuple):
    """A phrase of `concept` stands at words `first` to `last` (exclusive) of sentence number `sentence`."""

    concept: str
    first: int
    last: int
    sentence: int


_NONE: Mapping[int, Sequence[Hit]] = {}


@dataclass(frozen=True, slots=True)
class Words:
    """A text as its words and sentences. `text` is the original in NFC, from which quotes are cut."""

    text: str
    tokens: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    hits: Mapping[str, Mapping[int, Sequence[Hit]]] = field(default_factory=dict)  # by concept, then by sentence

    def of(self, *concepts: str) -> list[Hit]:
        """The hits of these concepts, in the order of the text."""
        if self.hits.keys().isdisjoint(concepts):
            return []
        found = [hit for concept in concepts for hits in self.hits.get(concept, _NONE).values() for hit in hits]
        return sorted(found, key=lambda hit: hit.first) if len(concepts) > 1 else found

    def has(self, *concepts: str) -> bool:
        """Whether any of these concepts stands anywhere in the text."""
        return not self.hits.keys().isdisjoint(concepts)

    def within(self, sentence: int, *concepts: str) -> list[Hit]:
        """The hits of these concepts in this sentence."""
        return [hit for concept in concepts for hit in self.hits.get(concept, _NONE).get(sentence, ())]

    def near(self, hit: Hit, *concepts: str, before: int = 4) -> bool:
        """Whether one of these concepts stands in the hit, or up to `before` words before it with no comma between."""
        first, start = hit.first - before, self.starts[hit.first]
        return any(
            first <= other.first < hit.last and not _BREAK.search(self.text, self.ends[other.last - 1], start)
            for other in self.within(hit.sentence, *concepts)
        )

    def sentence_of(self, token: int) -> int:
        """The number of the sentence in which this word stands."""
        return max(0, bisect_right(self.sentences, token, key=lambda s: s.first) - 1)

    def plain_sentence(self, sentence: int) -> str:
        """The sentence in lower case without accents."""
        s = self.sentences[sentence]
        return plain(self.text[s.start : s.end])

    def quote(self, sentence: int, first: int | None = None, last: int | None = None) -> str:
        """The sentence as it was written; when it is long, the part of it around words `first` to `last`."""
        if not self.sentences:
            return self.text.strip()[:_QUOTE]
        s = self.sentences[sentence]
        if s.end - s.start <= _QUOTE:
            return self.text[s.start : s.end].strip()
        at = s.first if first is None else first
        upto = at + 1 if last is None else last
        while upto < s.last and self.ends[upto] - self.starts[at] <= _QUOTE:
            upto += 1
        return self.text[self.starts[at] : min(self.ends[max(at, upto - 1)], self.starts[at] + _QUOTE)]


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
        while token - first > _LONGEST:  # what is compared within a sentence stays bounded
            cut = first + _LONGEST
            found.append(Sentence(first, cut, start, starts[cut], opened or "?" in mark))
            first, start = cut, starts[cut]
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


@dataclass(frozen=True, slots=True)
class _Rest:
    """What follows a phrase's first word. One of the words `soon`, if any, must stand in the next `reach` words: most
    candidates fall by that, at a fraction of the cost of following them.
    """

    concept: str
    items: tuple[_Item, ...]
    soon: frozenset[str] | None
    reach: int
    stem: str = ""


def _rest(concept: str, items: tuple[_Item, ...], stem: str = "") -> _Rest:
    words: frozenset[str] = frozenset()
    reach = 1
    for item in items:
        if item.gap:
            reach += item.gap
            continue
        if item.stems:
            return _Rest(concept, items, None, 0, stem)
        words |= item.exact
        if not item.optional:
            return _Rest(concept, items, words, reach, stem)
        reach += 1
    return _Rest(concept, items, None, 0, stem)


_NO_REST: list[_Rest] = []


class Phrases:
    """Many concepts' phrases, indexed by their first word, so that one pass over a text finds them all."""

    def __init__(self, concepts: Mapping[str, Iterable[str]]) -> None:
        self._exact: dict[str, list[_Rest]] = {}
        self._stems: dict[str, list[_Rest]] = {}
        for concept, lines in concepts.items():
            for line in lines:
                self._add(concept, tuple(_item(part) for part in line.split()))

    def _add(self, concept: str, items: tuple[_Item, ...]) -> None:
        head, rest = items[0], items[1:]
        if head.gap or head.optional:
            raise ValueError(f"a phrase of {concept} begins with something that may be missing")
        for word in head.exact:
            self._exact.setdefault(word, []).append(_rest(concept, rest))
        for stem in head.stems:
            self._stems.setdefault(stem[:_STEM], []).append(_rest(concept, rest, stem))

    def find(self, tokens: Sequence[str], sentences: Sequence[Sentence]) -> dict[str, dict[int, list[Hit]]]:
        """All hits by concept and sentence, each in the order of the text."""
        found: dict[str, dict[int, list[Hit]]] = {}
        exact, stems = self._exact, self._stems
        for number, sentence in enumerate(sentences):
            end = sentence.last
            for i in range(sentence.first, end):
                token = tokens[i]
                candidates = exact.get(token, _NO_REST)
                if token[:_STEM] in stems:
                    candidates = [*candidates, *(c for c in stems[token[:_STEM]] if token.startswith(c.stem))]
                elif not candidates:
                    continue
                for c in candidates:
                    if c.soon is not None and c.soon.isdisjoint(tokens[i + 1 : i + 1 + c.reach]):
                        continue
                    last = _follows(c.items, 0, tokens, i + 1, end) if c.items else i + 1
                    if last >= 0:
                        found.setdefault(c.concept, {}).setdefault(number, []).append(Hit(c.concept, i, last, number))
        return found
