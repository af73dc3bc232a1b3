"""The brief as records: what its page says, ready to be written down as Markdown or as HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from grader.language import _
from grader.report.believed import Believed
from grader.report.reading import STATES
from grader.report.spark import Spark


class Owner(Protocol):
    """What is set for a queue."""

    @property
    def owner(self) -> str | None:
        """Who answers for it."""


@dataclass(frozen=True)
class Failing:
    """A threshold of grader.toml that is passed: by which queue (None: over all), and what the figure is."""

    queue: str | None
    owner: str | None
    text: str


@dataclass(frozen=True)
class Line:
    """One figure: its value now and before, as text. `state` is a key of `STATES`."""

    title: str
    about: str  # within how long, and of which weeks where these are not the weeks of the brief
    now: str
    interval: str
    count: str
    before: str
    before_count: str
    change: str
    state: str
    ref: int
    trend: Spark | None = None
    believed: Believed | None = None  # of verdicts
    people: str = ""  # what reviewers would find, where that can be told
    zero: str = ""  # what is left open where nothing was flagged

    @property
    def verdict(self) -> str:
        """What the change amounts to."""
        return _(STATES[self.state])


@dataclass(frozen=True)
class Sign:
    """A warning sign. `state`: on, off, or unknown, where it cannot be told."""

    title: str
    state: str
    text: str
    refs: tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Where something to fix shows: a contact reason in a queue."""

    text: str
    examples: tuple[tuple[str, str | None], ...]  # id, and where a report beside this page shows it
    ref: int


@dataclass(frozen=True)
class Item:
    """One thing to fix."""

    fix: str
    what: str
    volume: str
    returned: str
    hours: str
    places: tuple[Place, ...]
    more: int
    ref: int


@dataclass(frozen=True)
class Queue:
    """One of the busiest queues."""

    name: str
    owner: str | None
    n: str
    lines: tuple[Line, ...]
    ref: int


@dataclass(frozen=True)
class Reference:
    """Where a number comes from: the command for these weeks, and for those before."""

    number: int
    title: str
    now: str
    before: str | None


@dataclass
class References:
    """References as they are given out: the same command twice is one."""

    found: list[Reference] = field(default_factory=list)
    _known: dict[tuple[str, str | None], int] = field(default_factory=dict)

    def number(self, title: str, now: str, before: str | None = None) -> int:
        """The number of these commands."""
        if (now, before) not in self._known:
            self._known[now, before] = len(self.found) + 1
            self.found.append(Reference(len(self.found) + 1, title, now, before))
        return self._known[now, before]


@dataclass(frozen=True)
class Page:
    """The page, ready to be written down. In texts `[3]` is a reference."""

    title: str
    days: str
    these: str  # the head of the column
    lead: tuple[str, ...]
    notices: tuple[str, ...]
    scope: str | None  # with names that others chose
    lines: tuple[Line, ...]
    believed: tuple[str, ...]  # a line for each rubric
    audit: str | None
    capacity: str
    changed: tuple[tuple[str, str, int], ...]  # state, sentence, reference
    unchanged: str
    watched: tuple[tuple[str, int], ...]
    compared: str
    signs: tuple[Sign, ...]
    failing: tuple[Failing, ...]
    queues: tuple[Queue, ...]
    items: tuple[Item, ...]
    backlog: str
    no_items: str
    judged: tuple[str, ...]
    means: tuple[tuple[str, str], ...]
    references: tuple[Reference, ...]
    workspace: str  # the folder that the commands are run in
