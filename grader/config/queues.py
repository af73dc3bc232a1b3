"""What is set for each queue: who answers for it, and past which thresholds it fails.

The conditions are texts here; `grader.outcomes.thresholds` knows what they may say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from grader.config.values import Table, Text


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts, each on one line."""

    @property
    def expected(self) -> str:
        """What it takes."""
        return "a list of texts"

    def read(self, raw: object) -> tuple[str, ...]:
        """The trimmed texts, in their order."""
        if isinstance(raw, (str, Mapping)) or not isinstance(raw, (list, tuple)):
            raise ValueError(self.expected)
        return tuple(str(Text().read(item)) for item in raw)

    def parse(self, text: str) -> object:
        """Texts between semicolons."""
        return [part for part in text.split(";") if part.strip()]

    def show(self, value: Any) -> object:
        """As a plain list."""
        return list(value)


@dataclass(frozen=True, slots=True)
class Queue:
    """Who answers for a queue, and past which thresholds it fails."""

    owner: str | None = None
    fail_if: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Queues(Table):
    """What is set for a queue, by its name."""

    @property
    def expected(self) -> str:
        """What it takes."""
        return 'a table such as [queues."returns"] with owner (a text) and fail_if (a list of conditions)'

    def read(self, raw: object) -> Mapping[str, Any]:
        """`Queue` records by name."""
        if not isinstance(raw, Mapping):
            raise ValueError(self.expected)
        queues: dict[str, Queue] = {}
        for name, row in raw.items():
            if not isinstance(row, Mapping):
                raise ValueError(self.expected)
            if unknown := sorted(row.keys() - {"owner", "fail_if"}):
                raise ValueError(f"only owner and fail_if for the queue {name!r}, not {unknown[0]!r}")
            try:
                owner = Text().read(row["owner"]) if "owner" in row else None
                queues[name] = Queue(owner, Texts().read(row.get("fail_if", ())))
            except ValueError:
                raise ValueError(f"owner of the queue {name!r} to be a text, and fail_if a list of texts") from None
        return MappingProxyType(queues)

    def show(self, value: Any) -> object:
        """As plain tables."""
        return {name: {"owner": q.owner, "fail_if": list(q.fail_if)} for name, q in value.items()}
