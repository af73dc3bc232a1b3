"""What the grade side reads back: conversations whole, policies, and the population that a sample is drawn from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from difflib import get_close_matches

from grader.errors import InputError
from grader.model import Conversation, Event, JsonValue, Message, Policy, Reference
from grader.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Member:
    """What planning needs of a conversation, without its text."""

    conversation_id: str
    content_hash: str
    queue: str | None
    channel: str | None
    language: str | None
    happened_at: datetime | None  # in the offset that the source gave, else UTC
    n_chars: int
    n_messages: int
    has_tools: bool
    has_human: bool
    has_handoff: bool


_FILTERS = {
    "queue": "queue",
    "channel": "channel",
    "language": "language",
    "reason": "reason",
    "contact": "contact_id",
    "id": "conversation_id",
    "since": "started_at",
    "until": "started_at",
    "handoff": "has_handoff",
    "human": "has_human",
    "tools": "has_tools",
}
SELECTABLE = tuple(_FILTERS)
STRATA_FIELDS = ("queue", "reason", "channel", "language", "ai_version")
NOTHING = "(none)"  # selects conversations that have no queue, no language, …


def population(con: Connection, select: Sequence[tuple[str, str]] = (), *, zone: tzinfo = UTC) -> list[str]:
    """The ids of the conversations that meet the selection, in order: the first column of `frame`."""
    return [i for (i,) in frame(con, select, zone=zone)]


def frame(
    con: Connection, select: Sequence[tuple[str, str]] = (), fields: Sequence[str] = (), *, zone: tzinfo = UTC
) -> list[tuple[str, ...]]:
    """(id, fields …) of the conversations that meet the selection, in order. The same name twice means either;
    different names mean both.

    A time without an offset is in `zone`; a day after `until` counts whole. Raises InputError on a name that cannot be
    selected by, or a value that does not fit it, and on a field that is none of STRATA_FIELDS.
    """
    for field in fields:
        if field not in STRATA_FIELDS:
            raise InputError(f"{field!r} makes no strata", field="--by", cure=f"one of {', '.join(STRATA_FIELDS)}")
    clauses: dict[str, list[str]] = {}
    parameters: dict[str, object] = {}
    for number, (name, value) in enumerate(select):
        if name not in _FILTERS:
            near = get_close_matches(name, SELECTABLE, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise InputError(
                f"{name!r} cannot be selected by", field="--select", cure=f"{meant}One of {', '.join(SELECTABLE)}"
            )
        if not value.isprintable():
            raise InputError(f"{value!r} is no text", field=f"--select {name}", cure=f"write {name}:VALUE")
        comparison, operand = _condition(name, value, zone)
        clauses.setdefault(name, []).append(f"{_FILTERS[name]} {comparison.format(f'$p{number}')}")
        if operand is not None:
            parameters[f"p{number}"] = operand
    where = " and ".join(f"({' or '.join(parts)})" for parts in clauses.values()) or "true"
    columns = "".join(f", coalesce(nullif(trim({field}), ''), '{NOTHING}')" for field in fields)
    return con.rows(f"select conversation_id{columns} from conversation where {where} order by 1", parameters)


def content_hashes(con: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The content hash of these conversations, by id; an unknown id is left out."""
    found = con.rows(
        "select conversation_id, content_hash from conversation where conversation_id in (select unnest(?))",
        [list(ids)],
    )
    return dict(found)


def members(con: Connection, ids: Sequence[str]) -> list[Member]:
    """These conversations without their texts, by id; an unknown id is left out."""
    found = con.rows(
        "select conversation_id, content_hash, queue, channel, language, started_at, started_offset_minutes, n_chars, "
        "n_messages, has_tools, has_human, has_handoff from conversation where conversation_id in (select unnest(?)) "
        "order by conversation_id",
        [list(ids)],
    )
    return [Member(i, h, q, c, la, _aware(t, offset), *rest) for i, h, q, c, la, t, offset, *rest in found]


def _condition(name: str, value: str, zone: tzinfo) -> tuple[str, object]:
    """What stands behind the column, with `{}` for the parameter, and the parameter; None: there is none."""
    if name in {"since", "until"}:
        return "< {}" if name == "until" else ">= {}", _time(name, value, zone)
    if name in {"handoff", "human", "tools"}:
        if value.lower() not in {"yes", "no", "true", "false"}:
            raise InputError(
                f"{value!r} is neither yes nor no", field=f"--select {name}", cure=f"{name}:yes or {name}:no"
            )
        return "= {}", value.lower() in {"yes", "true"}
    if value == NOTHING:
        return "is null", None
    return "= {}", value


def _time(name: str, value: str, zone: tzinfo) -> datetime:
    """The moment in UTC, as the database keeps times."""
    try:
        at = datetime.fromisoformat(value)
        if name == "until" and not set("T :") & set(value):
            at += timedelta(days=1)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise InputError(
            f"{value!r} is no date",
            field=f"--select {name}",
            cure=f"write it as {name}:2026-09-01 or {name}:2026-09-01T08:00+02:00",
        ) from None


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
    for conversation_id, kind, after, at, offset, from_role, to_role, note in con.rows(
        "select conversation_id, kind, after, happened_at, happened_offset_minutes, from_role, to_role, note "
        "from event where conversation_id in (select unnest(?)) order by conversation_id, position",
        [wanted],
    ):
        event = Event(kind=kind, after=after, at=_aware(at, offset), from_role=from_role, to_role=to_role, note=note)
        events.setdefault(conversation_id, []).append(event)
    references: dict[str, list[Reference]] = {}
    for conversation_id, kind, value in con.rows(
        "select conversation_id, kind, value from reference where conversation_id in (select unnest(?)) order by rowid",
        [wanted],
    ):
        references.setdefault(conversation_id, []).append(Reference(kind=kind, value=value))
    found: dict[str, Conversation] = {}
    for (
        conversation_id,
        channel,
        queue,
        language,
        reason,
        tools_recorded,
        state,
        ai_version,
        excluded,
        truncated,
        attributes,
        as_given,
    ) in con.rows(
        "select conversation_id, channel, queue, language, reason, tools_recorded, state, ai_version, excluded, "
        "truncated, attributes, as_given "
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
            state=state,
            ai_version=ai_version,
            excluded=excluded,
            truncated=truncated,
            references=tuple(references.get(conversation_id, ())),
            messages=tuple(messages.get(conversation_id, ())),
            events=tuple(events.get(conversation_id, ())),
            attributes=_json(attributes) or {},
            **_json(as_given),
        )
    return [found[key] for key in wanted if key in found]


def as_given(conversation: Conversation) -> JsonValue:
    """What the columns cannot give back: the times as the source said them, the contact as it was shown."""
    return conversation.model_dump(mode="json", include={"contact", "started_at", "ended_at", "initiated_by"})


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
        "select key from failure where key in (select unnest(?)) "
        "and not exists (select 1 from judgement where judgement.key = failure.key) "
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
