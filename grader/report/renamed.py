"""Names that stand for what cannot be written, the same in the whole report: `conversation-1`, `queue-2`.

Ids of conversations, queues and other short fields are what figures, filters, links and files are held together by. One
that holds personal data is replaced as a whole, so that two different ones never become the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from grader.model import Conversation
from grader.redaction import Redaction

FIELDS = ("queue", "channel", "language", "reason")
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_CODE = re.compile(r"[a-z]{2}(?:[-_][A-Za-z]{2,4})*")  # a language's code is nobody's name
_FEW = 100  # so many to one: somebody happens to be called by a word of a big queue's name


def spelt(text: str) -> str:
    """The words of an id or a code: `ask_lia`, `askLia` → `ask lia`, `ask Lia`."""
    return _CAMEL.sub(" ", text.replace("_", " "))


def short(text: str, redaction: Redaction) -> str:
    """A code, as it is where nothing in it is personal."""
    masked, words = redaction(text), spelt(text)
    return masked if masked != text or words == text else masked if redaction(words) == words else redaction(words)


class Renamed:
    """The report's names. All of a run are met before the first is written, then `settle` says what they are called;
    what was not met is judged by the rules, or by the redaction that comes with it.
    """

    def __init__(self, rules: Redaction) -> None:
        self._rules = rules
        self._names: dict[tuple[str, str], str] = {}
        self._met: dict[tuple[str, str], list[int]] = {}  # how many have it, and in how many one word is a name
        self._certain: set[tuple[str, str]] = set()
        self._counts: dict[str, int] = {}
        self._given: set[tuple[str, str]] = set()  # names that stand for others
        self._patterns: list[tuple[re.Pattern[str], str]] | None = None

    def meet(self, conversation: Conversation, redaction: Redaction) -> None:
        """What this conversation tells of its id and its short fields."""
        self.of("conversation", conversation.conversation_id, redaction, known=True)
        for kind in FIELDS:
            if value := getattr(conversation, kind):
                counts = self._met.setdefault((kind, value), [0, 0])
                counts[0] += 1
                found = _found(value, redaction)
                counts[1] += bool(found)
                if any(len(words.split()) > 1 for words in found) or _found(value, self._rules):
                    self._certain.add((kind, value))

    def settle(self) -> None:
        """All were met: from here on their names stand."""
        for key, (n, hits) in sorted(self._met.items()):
            if key not in self._names:
                personal = key in self._certain or (hits > 0 and hits * _FEW >= n)
                self._names[key] = self._new(key[0]) if personal and not _code(*key) else key[1]
        self._patterns = None

    def of(self, kind: str, value: str, redaction: Redaction | None = None, *, known: bool = False) -> str:
        """What it is called. `known`: the redaction knows what its own conversation tells, so that the answer stands;
        else a clean one may turn out to hold a name yet.
        """
        if (kind, value) in self._names:
            return self._names[kind, value]
        personal = (kind, value) in self._given or (
            not _code(kind, value) and bool(_found(value, redaction or self._rules))
        )
        name = self._new(kind) if personal else value
        if personal or known:
            self._names[kind, value] = name
            self._patterns = None
        return name

    def known(self, kind: str, value: str) -> bool:
        """Whether what it is called stands already."""
        return (kind, value) in self._names

    def text(self, text: str) -> str:
        """A text about the run with the names in it that stand for others."""
        if self._patterns is None:
            hidden = {v: name for (kind, v), name in self._names.items() if name != v and kind in FIELDS}
            self._patterns = [
                (re.compile(rf"(?<!\w){re.escape(value)}(?!\w)"), hidden[value])
                for value in sorted(hidden, key=lambda v: (-len(v), v))
            ]
        for pattern, name in self._patterns:
            text = pattern.sub(name, text)
        return self._rules(text)

    def inside(self, written: str) -> str:
        """The same of every text in JSON."""
        try:
            return json.dumps(self._inside(json.loads(written)), ensure_ascii=False)
        except ValueError:
            return self.text(written)

    def _inside(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._inside(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._inside(inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value

    def _new(self, kind: str) -> str:
        while True:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            key = kind, f"{kind}-{self._counts[kind]}"
            if key not in self._met and key not in self._names:
                self._given.add(key)
                return key[1]


def _found(value: str, redaction: Redaction) -> list[str]:
    return [text[start:end] for text in dict.fromkeys((value, spelt(value))) for start, end, _ in redaction.spans(text)]


def _code(kind: str, value: str) -> bool:
    return kind == "language" and _CODE.fullmatch(value) is not None
