"""What figures are read from: the reading half of the store, so that nothing here can write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from grader.model import Conversation, Policy


class Reader(Protocol):
    """The part of `grader.store.Store` that is used here."""

    def rows(self, sql: str, parameters: Sequence[object], /) -> list[tuple[Any, ...]]:
        """All rows of one statement."""
        ...

    def records(self, sql: str, parameters: Sequence[object], /) -> list[dict[str, Any]]:
        """All rows of one statement, by column name."""
        ...

    def conversations(self, ids: Sequence[str], /) -> list[Conversation]:
        """Conversations in the order of `ids`; an unknown id is left out."""
        ...

    def policies(self) -> list[Policy]:
        """Every policy and version."""
        ...
