"""What Zendesk sends rather than lists: events of its webhooks, and messages of Sunshine Conversations → the units that
its API would give for the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from grader.ingest.sources.objects import Row, as_id
from grader.model import JsonValue

_EVENT = "zen:event-type:ticket."
_TICKET = re.compile(r"zen:ticket:(\d{1,20})")
# Where a message of the business comes from tells who wrote it; a program of somebody else's tells nothing.
_SOURCES = {"zd:agentworkspace": "agent", "zd:answerbot": "bot"}
_AUTHORS = {"user": "user", "appuser": "user"}


def is_event(row: Mapping[str, JsonValue]) -> bool:
    """An event of a ticket that a webhook tells."""
    kind = row.get("type")
    return isinstance(kind, str) and kind.startswith(_EVENT) and isinstance(row.get("detail"), dict)


def event_ticket(row: Mapping[str, JsonValue]) -> str | None:
    """The ticket that an event is about."""
    subject = row.get("subject")
    told = _TICKET.search(subject) if isinstance(subject, str) else None
    detail = row.get("detail")
    return (told[1] if told else None) or (as_id(detail.get("id")) if isinstance(detail, dict) else None)


def event_units(row: Row) -> tuple[Row, str, Row, Row]:
    """(the ticket as the event shows it, comment or audit, that unit, what is known of its author)."""
    detail, event = _object(row.get("detail")), _object(row.get("event"))
    at, kind = row.get("time"), str(row["type"]).removeprefix(_EVENT)
    ticket = {**detail, "updated_at": detail.get("updated_at") or at}
    comment = _object(event.get("comment"))
    if comment:
        author = _object(comment.get("author"))
        own = as_id(author.get("id"))
        said = {
            "id": comment.get("id"), "author_id": own, "body": comment.get("body"), "public": comment.get("is_public"),
            "created_at": at, "attachments": comment.get("attachments"),
        }  # fmt: skip
        staff = author.get("is_staff")
        role = None if not isinstance(staff, bool) else "agent" if staff else "end-user"
        return ticket, "comment", said, {own: {"role": role}} if own and role else {}
    changed: Row = {"type": kind}
    if kind == "status_changed":
        before, now = (_word(event.get(key)) for key in ("previous", "current"))
        changed = {"type": "Change", "field_name": "status", "previous_value": before, "value": now}
    return ticket, "audit", {"id": row.get("id"), "created_at": at, "events": [changed]}, {}


def is_message(row: Mapping[str, JsonValue]) -> bool:
    """A message of Sunshine Conversations, or the event of its webhook that carries one."""
    told = _object(_object(row.get("payload")).get("message")) or row
    return "received" in told and isinstance(told.get("author"), dict) and isinstance(told.get("content"), dict)


def message_conversation(row: Mapping[str, JsonValue]) -> str | None:
    """The conversation of such a message, as far as it says."""
    around = _object(_object(row.get("payload")).get("conversation")) or _object(row.get("conversation"))
    return as_id(around.get("id")) or as_id(row.get("conversationId")) or as_id(row.get("conversation_id"))


def message_unit(row: Row) -> Row:
    """The message as an event of a conversation log. An author of the business is a bot or an agent where Zendesk's own
    programs wrote it, or where the message says that an AI did; else nobody knows.
    """
    told = _object(_object(row.get("payload")).get("message")) or row
    author, source = _object(told.get("author")), _object(told.get("source"))
    kind = str(author.get("type") or "").lower()
    subtypes = author.get("subtypes")
    by_ai = isinstance(subtypes, list) and "AI" in subtypes
    who = _AUTHORS.get(kind) or ("bot" if by_ai else _SOURCES.get(str(source.get("type") or "").lower(), kind or None))
    user = _object(author.get("user"))
    return {
        "id": told.get("id"), "type": "Messaging::ConversationMessage", "created_at": told.get("received"),
        "author": {"type": who, "zen:sunco:user_id": author.get("userId") or user.get("id")},
        "content": told.get("content"), "source": {"type": source.get("type")}, "metadata": {},
    }  # fmt: skip


def survey_ticket(row: Mapping[str, JsonValue]) -> str | None:
    """The ticket that a survey was about; None for what is no answered survey."""
    subjects = row.get("subjects")
    if not isinstance(row.get("answers"), list) or not isinstance(subjects, list):
        return None
    said = (value for one in subjects for value in _object(one).values() if isinstance(value, str))
    return next((found[1] for value in said if (found := _TICKET.search(value))), None)


def _object(value: JsonValue) -> Row:
    return value if isinstance(value, dict) else {}


def _word(value: JsonValue) -> str | None:
    return value.lower() if isinstance(value, str) else None
