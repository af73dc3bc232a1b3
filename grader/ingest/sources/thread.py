"""The messages and events of one conversation while it is read, laid out in the order of time.

The source may list oldest or newest first, or in no order; ties stay as it has them. Nothing here knows a source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from grader.ingest.rows import Ledger
from grader.ingest.sources.objects import Row

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass
class _Step:
    """What one entry of the source holds: a message, and what happened with it."""

    at: datetime | None
    first: bool = False
    messages: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)


class Thread:
    """One conversation in the making. `begin` an entry of the source, then say what it holds."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []

    def begin(self, at: datetime | None, *, first: bool = False) -> None:
        """The next entry of the source, and when it was. `first`: it opened the conversation, whatever times say."""
        self._steps.append(_Step(at, first))

    def message(self, role: str, text: str, *, kind: str | None = None, attributes: Row | None = None) -> None:
        """A message of this entry."""
        step = self._steps[-1]
        row: Row = {"role": role, "text": text, "at": step.at, "kind": kind, "attributes": attributes or {}}
        step.messages.append({key: value for key, value in row.items() if value is not None})

    def event(
        self, kind: str, *, from_role: str | None = None, to_role: str | None = None, note: str | None = None
    ) -> None:
        """Something that happened in this entry, after its message."""
        step = self._steps[-1]
        row: Row = {"kind": kind, "at": step.at, "from_role": from_role, "to_role": to_role, "note": note}
        step.events.append({key: value for key, value in row.items() if value is not None})

    def laid_out(self, ledger: Ledger) -> tuple[list[Row], list[Row]]:
        """(messages, events) in the order of time. An entry without a time stays behind the one before it."""
        messages: list[Row] = []
        events: list[Row] = []
        for step in self._in_order(ledger):
            messages += step.messages
            events += ({**event, "after": len(messages)} for event in step.events)
        return messages, events

    def _in_order(self, ledger: Ledger) -> list[_Step]:
        steps = [step for step in self._steps if not step.first]
        timed = [step.at for step in steps if step.at is not None]
        newest_first = len(timed) > 1 and timed[0] > timed[-1] and all(a >= b for a, b in pairwise(timed))
        if newest_first:
            steps.reverse()
        keyed: list[tuple[datetime, _Step]] = []
        last = _EARLIEST
        for step in steps:
            last = step.at or last
            keyed.append((last, step))
        if any(a > b for (a, _), (b, _) in pairwise(keyed)):
            ledger.note("the source had the messages of a conversation out of order: they are in the order of time")
            keyed.sort(key=lambda pair: pair[0])
        elif newest_first:
            ledger.note("the source lists the newest message first: they are in the order of time")
        opening = [step for step in self._steps if step.first]
        for step in opening:
            if step.at and keyed and step.messages and any(_EARLIEST < at < step.at for at, _ in keyed):
                ledger.note("a conversation is said to begin later than its messages: its first message has no time")
                step.messages = [{k: v for k, v in message.items() if k != "at"} for message in step.messages]
        return [*opening, *(step for _, step in keyed)]
