"""What the grade side reads back: conversations whole, policies, and the population that a sample is drawn from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from grader.errors import InputError
from grader.model import Conversation, Event, JsonValue, Message, Policy
from grader.store.connection import Connection


@dataclass(frozen=True)
class Member:
    """What planning needs of a conversation, without its text."""

    conversation_id: str
    content_hash: str
    queue: str | None
    happened_at: datetime | None  # UTC
    n_chars: int
    n_messages: int
    has_tools: bool
    has_human: bool
    has_handoff: bool


_FILTERS = {
    "queue": ("queue", "="),
    "channel": ("channel", "="),
    "language": ("language", "="),
    "reason": ("reason", "="),
    "contact": ("contact_id", "="),
    "id": ("conversation_id", "="),
    "since": ("started_at", ">="),
    "until": ("started_at", "<"),
    "handoff": ("has_handoff", "="),
    "human": ("has_human", "="),
    "tools": ("has_tools", "="),
}
SELECTABLE = tuple(_FILTERS)


def population(con: Connection, select: Sequence[tuple[str, str]] = ()) -> list[Member]:
    """Every conversation that meets the selection, by id. The same name twice means either; different names mean both.

    Raises InputError on a name that cannot be selected by, or a value that does not fit it.
    """
    clauses: dict[str, list[str]] = {}
    parameters: list[object] = []
    for name, value in select:
        if name not in _FILTERS:
            raise InputError(
                f"{name!r} cannot be selected by", field="--select", cure=f"one of {', '.join(SELECTABLE)}"
            )
        column, comparison = _FILTERS[name]
        clauses.setdefault(name, []).append(f"{column} {comparison} ?")
        parameters.append(_operand(name, value))
    # The parameters follow the clauses, so the clauses are written in the order of first appearance of their names.
    ordered = sorted(range(len(select)), key=lambda i: list(clauses).index(select[i][0]))
    where = " and ".join(f"({' or '.join(parts)})" for parts in clauses.values()) or "true"
    found = con.rows(
        "select conversation_id, content_hash, queue, started_at, n_chars, n_messages, has_tools, has_human, "
        f"has_handoff from conversation where {where} order by conversation_id",
        [parameters[i] for i in ordered],
    )
    return [Member(i, h, q, _aware(t, 0), *rest) for i, h, q, t, *rest in found]


def _operand(name: str, value: str) -> object:
    if name in {"since", "until"}:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise InputError(
                f"{value!r} is no date",
                field=f"--select {name}",
                cure=f"write it as {name}:2026-09-01 or {name}:2026-09-01T08:00+02:00",
            ) from None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None)
    if name in {"handoff", "human", "tools"}:
        if value.lower() not in {"yes", "no", "true", "false"}:
            raise InputError(
                f"{value!r} is neither yes nor no", field=f"--select {name}", cure=f"{name}:yes or {name}:no"
            )
        return value.lower() in {"yes", "true"}
    return value


def conversations(con: Connection, ids: Sequence[str]) -> list[Conversation]:
    """The conversations with these ids, whole, in the order of `ids`; an unknown id is left out."""
    wanted = list(dict.fromkeys(ids))
    messages: dict[str, list[Message]] = {}
    for conversation_id, *rest in con.rows(
        "select conversation_id, role, kind, text, sent_at, sent_offset_minutes, tool_calls, tool_call_id, name, "
        "is_error, attributes from message where conversation_id in (select unnest(?)) "
        "order by conversation_id, number",
        [wanted],
    ):
        messages.setdefault(conversation_id, []).append(_message(rest))
    events: dict[str, list[Event]] = {}
    for conversation_id, kind, after, at, from_role, to_role, note in con.rows(
        "select conversation_id, kind, after, happened_at, from_role, to_role, note from event "
        "where conversation_id in (select unnest(?)) order by conversation_id, position",
        [wanted],
    ):
        event = Event(kind=kind, after=after, at=_aware(at, 0), from_role=from_role, to_role=to_role, note=note)
        events.setdefault(conversation_id, []).append(event)
    found: dict[str, Conversation] = {}
    for conversation_id, channel, queue, language, reason, tools_recorded, attributes, as_given in con.rows(
        "select conversation_id, channel, queue, language, reason, tools_recorded, attributes, as_given "
        "from conversation where conversation_id in (select unnest(?))",
        [wanted],
    ):
        found[conversation_id] = Conversation(
            conversation_id=conversation_id,
            channel=channel,
            queue=queue,
            language=language,
            reason=reason,
            tools_recorded=tools_recorded,
            messages=tuple(messages.get(conversation_id, ())),
            events=tuple(events.get(conversation_id, ())),
            attributes=_json(attributes) or {},
            **_json(as_given),
        )
    return [found[key] for key in wanted if key in found]


def policies(con: Connection) -> list[Policy]:
    """Every policy and version, in a stable order."""
    names = ("policy_id", "version", "title", "text", "queues", "valid_from", "valid_to")
    found = con.rows(f"select {', '.join(names)} from policy order by policy_id, valid_from nulls first, version")
    return [Policy(**dict(zip(names, row, strict=True))) for row in found]


def existing(con: Connection, table: str, column: str, values: Iterable[str]) -> set[str]:
    """Which of these values stand in that column."""
    asked = list(values)
    if not asked:
        return set()
    return {
        value
        for (value,) in con.rows(
            f"select distinct {column} from {table} where {column} in (select unnest(?))",
            [asked],
        )
    }


def failed_for_good(con: Connection, keys: Iterable[str]) -> set[str]:
    """Which of these keys have no judgement, and a latest failure that is not retryable."""
    asked = list(keys)
    if not asked:
        return set()
    found = con.rows(
        "select key from failure where key in (select unnest(?)) and key not in (select key from judgement) "
        "group by key having not arg_max(retryable, failed_at)",
        [asked],
    )
    return {key for (key,) in found}


def _message(row: Sequence[JsonValue]) -> Message:
    role, kind, text, at, offset, tool_calls, tool_call_id, name, is_error, attributes = row
    return Message(
        role=role,
        kind=kind,
        text=text,
        at=_aware(at, offset),
        tool_calls=_json(tool_calls) or (),
        tool_call_id=tool_call_id,
        name=name,
        is_error=is_error,
        attributes=_json(attributes) or {},
    )


def _json(value: str | None) -> JsonValue:
    return None if value is None else json.loads(value)


def _aware(at: datetime | None, offset_minutes: int | None) -> datetime | None:
    """The stored UTC time in the offset that its source gave."""
    if at is None:
        return None
    zone = timezone(timedelta(minutes=offset_minutes)) if offset_minutes else UTC
    return at.replace(tzinfo=UTC).astimezone(zone)
