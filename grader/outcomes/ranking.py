"""The conversations of a run in reading order, each with what a list shows of it and can be narrowed by.

Reads only. What is most worth reading is decided in `sql/ranking.sql`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grader.outcomes.figures import find_run, query
from grader.outcomes.reader import Reader

BACK_HOURS = 168  # a return counts for this long, as in the figures
_LISTS = ("flagged", "unsupported", "disputed", "wavering")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A conversation in reading order. None is not known."""

    conversation_id: str
    n_flagged: int
    n_unsupported: int
    flagged: tuple[str, ...]  # codes, the severest first
    unsupported: tuple[str, ...]
    compared: bool  # the signals were asked about a code that the judge answered, of the very text
    disputed: tuple[str, ...]  # codes in which the two differ
    wavering: tuple[str, ...]  # codes that the same judge flagged at one time and not at another
    partly: bool  # the judge saw only a part of it
    queue: str | None
    channel: str | None
    language: str | None
    reason: str | None  # as judged, else as the source says
    resolved: str | None
    handled_by: str | None  # ai, human or both: as the source says, else who spoke
    came_back: str  # same, unsure, other, no, early (not yet known) or unknown
    csat: float | None
    started_at: datetime | None
    n_messages: int | None
    worth: int


def ranking(reader: Reader, run_id: str | None = None) -> tuple[Ranked, ...]:
    """Every conversation of the run, most worth reading first."""
    found = reader.records(query("ranking", "returns"), [find_run(reader, run_id), BACK_HOURS])
    for row in found:
        row.update({name: tuple(row[name]) for name in _LISTS})
    return tuple(Ranked(**row) for row in found)
