"""What became of a conversation in Chatwoot: from what its rows saw of its status and assignee, one after the other,
the hand-offs, closings and assignments between its messages.

`pending` is Chatwoot's word for "with the bot": pending → open is the hand-off to people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from grader.ingest.sources.logged import Row
from grader.ingest.sources.timeline import Numbered, in_order
from grader.model import JsonValue

_WORDS = ("open", "resolved", "pending", "snoozed")
_BY_EVENT = {"conversation_opened": "open", "conversation_resolved": "resolved"}
NOBODY = ("", "")


@dataclass(frozen=True, slots=True)
class Sight:
    """What one row says of status and assignee; None where it does not say. `told`: it is there to say so."""

    item: int  # position of the row in its group
    at: datetime | None  # when that was so, None where the row does not tell
    by: datetime | None  # the last activity before it, the next best
    status: str | None = None
    before: str | None = None
    assignee: tuple[str, str] | None = None  # (user or agent_bot, id); NOBODY
    told: bool = False


def status_of(value: JsonValue, event: JsonValue = None) -> str | None:
    """Chatwoot's word for a status, None where there is none. The name of an event says more than its payload."""
    if isinstance(event, str) and event in _BY_EVENT:
        return _BY_EVENT[event]
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return value.strip().lower()
    whole = isinstance(value, int) and not isinstance(value, bool)
    return _WORDS[value] if whole and 0 <= value < len(_WORDS) else None


def changed(payload: Row, name: str) -> tuple[JsonValue, JsonValue] | None:
    """(previous, current) of an attribute, where a webhook names it among what changed."""
    listed = payload.get("changed_attributes")
    for one in listed if isinstance(listed, list) else [listed]:
        pair = one.get(name) if isinstance(one, dict) else None
        if isinstance(pair, dict) and "current_value" in pair:
            return pair.get("previous_value"), pair["current_value"]
    return None


def events(
    sights: Sequence[Sight], messages: Sequence[Row], times: Numbered[datetime], items: Numbered[int]
) -> Iterator[Row]:
    """The events, in the order of what was seen. `times` and `items` find messages by their time, and by the row that
    showed them first.
    """
    if all(sight.at for sight in sights):
        sights, _ = in_order(sights, lambda sight: sight.at)
    status: str | None = None
    assignee: tuple[str, str] | None = None
    pending_since = 0  # messages that there were before the bot had the conversation
    resolved_at = 0  # messages that there were when it was resolved
    for sight in sights:
        if status == "resolved" == sight.status and sight.told:
            # Resolved again: what the customer wrote in between had reopened it, if no row says so.
            after = _position(sight, times, items)
            if any(m["role"] == "customer" and m["kind"] != "event" for m in messages[resolved_at:after]):
                yield _event("closed", after, sight.at, None, None, "resolved")
                resolved_at = after
        before = sight.before or status
        new_status = sight.status is not None and sight.status != status
        moved = None not in (assignee, sight.assignee) and sight.assignee != assignee
        after = _position(sight, times, items) if new_status or moved else 0
        if sight.status and new_status and sight.status != before and (before or sight.told):
            kind, from_role, to_role = _meaning(before, sight.status, messages[:after], pending_since)
            note = f"{before} → {sight.status}" if before else sight.status
            yield _event(kind, after, sight.at, from_role, to_role, note)
        if new_status and sight.status == "resolved":
            resolved_at = after
        if new_status and sight.status == "pending":
            pending_since = after if status else 0
        if assignee and sight.assignee and moved:
            yield _assigned(after, sight.at, assignee, sight.assignee)
        status = sight.status or status
        assignee = sight.assignee or assignee


def _position(sight: Sight, times: Numbered[datetime], items: Numbered[int]) -> int:
    """The number of the last message before it: by time, or else by what rows before this one had shown."""
    known = sight.at or sight.by
    return times.until(known) if known else items.until(sight.item)


def _event(
    kind: str, after: int, at: datetime | None, from_role: str | None, to_role: str | None, note: str | None
) -> Row:
    time = at.isoformat() if at else None
    return {"kind": kind, "after": after, "at": time, "from_role": from_role, "to_role": to_role, "note": note}


def _meaning(
    before: str | None, after: str, messages: Sequence[Row], pending_since: int
) -> tuple[str, str | None, str | None]:
    """(kind, from role, to role) of a change of status after these messages."""
    if after == "resolved":
        return "closed", None, None
    if after == "snoozed":
        return "snoozed", None, None
    if before == "pending" and after == "open":
        # What a colleague had put aside, and no bot answered since, is taken up again: nobody handed it over.
        put_aside = next(_spoken(messages[:pending_since][::-1]), None) == "human"
        if put_aside and "ai" not in _spoken(messages[pending_since:]):
            return "reopened", None, None
        return "handoff", "ai" if "ai" in _spoken(messages) else None, "human"
    if after == "pending" and before == "open":
        return "pending", None, None
    return "opened" if before is None else "reopened", None, None


def _spoken(messages: Sequence[Row]) -> Iterator[str]:
    return (m["role"] for m in messages if m["role"] in ("ai", "human") and m["kind"] != "note")


def _assigned(after: int, at: datetime | None, before: tuple[str, str], now: tuple[str, str]) -> Row:
    role = {"user": "human", "agent_bot": "ai"}
    if now == NOBODY:
        return _event("unassigned", after, at, role.get(before[0]), None, None)
    return _event("assigned", after, at, role.get(before[0]), role.get(now[0]), f"{now[0]} {now[1]}".strip())
