"""What a mapping says: which column or path of a foreign CSV or JSONL holds which of our fields.

The records alone; `mapping_file` reads and checks the file that they come from, and docs/formats.md walks through it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import tzinfo

from grader.model import JsonValue

TIMES = ("started_at", "ended_at", "at", "observed_at")
FLAGS = ("is_error", "tools_recorded", "truncated", "when")
MINUTES = {"milliseconds": 1 / 60_000, "seconds": 1 / 60, "minutes": 1.0, "hours": 60.0, "days": 1440.0}
CLOCKS = {"hh:mm:ss": (60.0, 1.0, 1 / 60), "hh:mm": (60.0, 1.0), "mm:ss": (1.0, 1 / 60)}  # minutes of each part


@dataclass(frozen=True, slots=True)
class Pick:
    """Where one of our fields comes from: the first of some paths that holds something, all of them, or a constant."""

    key: str  # as it stands in the mapping: conversation.queue
    paths: tuple[str, ...] = ()
    constant: JsonValue = None
    values: MappingOf[str, JsonValue] = field(default_factory=dict)
    default: JsonValue = None
    scale: tuple[float, float] | None = None
    unit: str = "minutes"
    join: str | None = None  # what the paths hold, put together with this between: a date and a time
    pattern: re.Pattern[str] | None = None  # of the value only what this finds
    split: str | None = None  # the value is several, with one of these signs between
    every: bool = False  # each of the paths is one value, not only the first that is filled
    html: bool = False  # of a text: markup, to be read as its words
    equals: MappingOf[str, str] = field(default_factory=dict)  # of a role: where that path holds the same, it is this

    @property
    def source(self) -> str:
        """The column, for messages."""
        return (" and " if self.join is not None or self.every else " or ").join(self.paths) or self.key


Picks = MappingOf[str, Pick]


@dataclass(frozen=True, slots=True)
class Csv:
    """How a CSV is written; None: seen from its first line."""

    delimiter: str | None = None
    encoding: str = "utf-8"
    quote: str = '"'
    columns: tuple[str, ...] = ()  # names, for a file without a header line
    skip: int = 0  # lines above the header


@dataclass(frozen=True, slots=True)
class Transcript:
    """How the messages stand in a text. Without `line`: a name, a colon, a blank, with a time before them or none."""

    line: re.Pattern[str] | None = None  # with groups: who, text, at
    speakers: frozenset[str] | None = None  # plain names; None: whoever begins a line so
    others: str | None = None  # the role of names that [roles] does not have; None: as they are
    html: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, checked. `messages` holds one set of picks per message that a row makes; empty: as they are."""

    file: str
    conversation: Picks
    contact: Picks = field(default_factory=dict)
    references: Picks = field(default_factory=dict)
    handoff: Picks = field(default_factory=dict)
    opening: Picks = field(default_factory=dict)  # the first message, where it stands beside the list of the others
    messages: tuple[Picks, ...] = ()
    several: bool = False  # [[message]]: several messages per row, blank ones left out
    transcript: Transcript = Transcript()
    outcome: Picks = field(default_factory=dict)
    roles: MappingOf[str, str] = field(default_factory=dict)
    kinds: MappingOf[str, str] = field(default_factory=dict)
    time_formats: tuple[str, ...] = ()
    timezone: tzinfo | None = None
    by_time: bool = False  # messages are put in the order of their times
    attributes: tuple[str, ...] | None = None  # which unused columns are kept; None: all
    scattered: bool = False  # the rows of one conversation may stand anywhere
    rows: str | None = None  # the path of the list that holds the rows
    format: str | None = None
    csv: Csv = Csv()

    @property
    def only_outcomes(self) -> bool:
        """The rows hold outcomes alone."""
        return not self.messages and not {"messages", "transcript"} & self.conversation.keys()

    @property
    def by_message(self) -> bool:
        """A conversation's messages stand on rows of their own."""
        return bool(self.messages) and "messages" not in self.conversation

    def all_picks(self) -> list[Pick]:
        """Every pick whose paths are those of a row (not of a message in a row's list)."""
        of_rows = self.messages if self.by_message else ()
        around = (self.conversation, self.contact, self.references, self.handoff, self.opening, self.outcome)
        tables = (*around, *of_rows)
        return [pick for picks in tables for pick in picks.values()]


def plain(word: str) -> str:
    """A value of theirs as it is looked up: without blanks around it, in lower case."""
    return word.strip().casefold()
