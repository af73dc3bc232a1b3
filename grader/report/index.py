"""The index of a file: what the list, the filters and the order need to know of each conversation, in columns.

All of it is decoded before the first row is drawn, so that it holds no transcript and no reasoning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from grader.outcomes import Ranked
from grader.report.case_view import CaseView
from grader.report.dictionary import Dictionary
from grader.report.pack import TEXT, squeezed, unsqueezed
from grader.report.transcript import visible

_NAMED = ("queue", "channel", "language", "reason", "res", "by", "back", "when")  # few different values each
_INDEX = re.compile(r'<script type="text/plain" id="index">([^<]*)</script>')
_WORDS = 96  # characters of a conversation's beginning
UNSUPPORTED, WAVERING, PARTLY, UNCALIBRATED = 1, 2, 4, 8  # why a finding deserves a second look, as bits
SAME, DIFFERS = 1, 2  # whether signals and judge agree; 0: the two cannot be compared


@dataclass
class Index:
    """Rows in reading order. `uncalibrated` are the codes whose judge nobody held against enough labels."""

    uncalibrated: frozenset[str] = frozenset()
    rows: list[dict[str, Any]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # the first row of each chunk
    dictionary: Dictionary = field(default_factory=Dictionary)  # of the texts, here and in chunks
    elsewhere: dict[str, int] = field(default_factory=dict)  # conversations that came next → number of their part

    def add(self, case: CaseView, ranked: Ranked) -> None:
        """The next conversation."""
        low = UNSUPPORTED * bool(ranked.unsupported) | WAVERING * bool(ranked.wavering) | PARTLY * ranked.partly
        low |= UNCALIBRATED * any(code in self.uncalibrated for code in ranked.flagged)
        at = ranked.started_at
        self.rows.append({
            "id": case.id, "queue": case.queue, "channel": case.channel, "language": case.language,
            "reason": ranked.reason and visible(ranked.reason), "res": case.resolved, "by": ranked.handled_by,
            "back": ranked.came_back, "when": case.when.split(",")[0],
            "codes": ranked.flagged, "weak": ranked.unsupported, "signals": _signals(ranked), "low": low,
            "at": None if at is None else int(at.replace(tzinfo=UTC).timestamp() // 60),
            "length": ranked.n_messages or 0, "words": _cut(case.excerpt), "next": case.next_id,
        })  # fmt: skip

    def columns(self, *, words: bool = True) -> dict[str, Any]:
        """By column; values that are few stand once. `words`: with the dictionary that texts need."""
        rows = self.rows
        found: dict[str, Any] = {"n": len(rows), "starts": self.starts, "elsewhere": self.elsewhere}
        found["dictionary"] = [self.dictionary.ones, self.dictionary.pairs] if words else [[], []]
        for name in _NAMED:
            values, of = _few([row[name] for row in rows])
            found[name] = {"values": values, "of": of}
        coded, _ = _few([code for row in rows for code in (*row["codes"], *row["weak"])])
        number = {code: n for n, code in enumerate(coded)}
        for name in ("codes", "weak"):
            values, of = _few([tuple(number[code] for code in row[name]) for row in rows])
            found[name] = {"values": values, "of": of}
        found["code"] = coded
        for name in ("id", "at", "length", "signals", "low"):
            found[name] = [row[name] for row in rows]
        return found

    def packed(self, *, words: bool = True) -> str:
        """As one string of ASCII: the columns, then the beginnings."""
        columns = json.dumps(self.columns(words=words), ensure_ascii=False, separators=(",", ":"))
        beginnings = [self.dictionary.written(row["words"]) for row in self.rows] if words else []
        return squeezed([columns.encode("utf-8", "replace"), TEXT.join(beginnings)])


def ids_in(html: str) -> frozenset[str]:
    """The conversations that a report's file, or the front of a split one, leads to; none where it is no report."""
    found = _INDEX.search(html)
    try:
        return frozenset(json.loads(unsqueezed(found[1])[0])["id"]) if found else frozenset()
    except (ValueError, KeyError, OSError):  # of another version, or cut off
        return frozenset()


def _signals(ranked: Ranked) -> int:
    return DIFFERS if ranked.disputed else SAME if ranked.compared else 0


def _cut(words: str) -> str:
    """What a row has room for."""
    return words if len(words) <= _WORDS else words[: _WORDS - 1].rstrip("… ") + "…"


def _few(values: Sequence[Hashable]) -> tuple[list[Any], list[int]]:
    """The different values by first appearance, and the place of each value among them."""
    places: dict[Hashable, int] = {}
    of = [places.setdefault(value, len(places)) for value in values]
    return list(places), of
