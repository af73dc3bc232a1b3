"""A file of Zendesk's JSON, taken apart: which tickets, comments, audits, log events, ratings … stand in it, and of
which ticket each is.

Replies of the API, one object per line, and tickets with their comments inside all come out as the same units. What is
none of them, or of no ticket, comes as a problem that says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from grader.ingest.rows import Ledger, Parsed, Problem, named
from grader.ingest.source import Source
from grader.ingest.sources.gathered import Item
from grader.ingest.sources.objects import Row, Value, as_id, beginning, values
from grader.ingest.sources.zendesk_hooks import (
    event_ticket,
    is_event,
    is_message,
    message_conversation,
    message_unit,
    survey_ticket,
)
from grader.model import JsonValue

_LISTS: Mapping[str, str] = {
    "tickets": "ticket", "comments": "comment", "audits": "audit", "ticket_audits": "audit",
    "conversation_log": "event",
    "ticket_events": "ticket_event", "satisfaction_ratings": "rating", "ticket_metrics": "metric",
    "ticket_metric": "metric", "agent_engagement_data": "engagement", "chats": "chat", "events": "event",
    "requests": "ticket", "results": "", "data": "", "messages": "message", "survey_responses": "survey",
}  # fmt: skip
_SINGLE: Mapping[str, str] = {
    "ticket": "ticket", "request": "ticket", "comment": "comment", "audit": "audit", "satisfaction_rating": "rating",
    "ticket_metric": "metric", "chat": "chat", "survey_response": "survey",
}  # fmt: skip
_SIDELOADED = ("users", "groups", "organizations", "metric_sets", "ticket_fields")
_TICKET_URL = re.compile(r"/tickets/(\d{1,20})/(?:comments|audits|conversation_log)")
_TICKET_ID = re.compile(rb'"ticket_id"\s*:\s*"?(\d{1,20})')
_KEPT_OF_USERS = ("role", "email", "phone", "external_id", "locale")
_WHAT = {
    "comment": "a comment", "audit": "an audit", "event": "an event of a conversation log", "rating": "a rating",
    "ticket_event": "an event of a ticket", "metric": "a ticket's metrics", "engagement": "an engagement",
    "hook": "an event of a webhook", "survey": "an answered survey",
}  # fmt: skip
_CURE = "hand in tickets, their comments or audits, or conversation logs; docs/sources/zendesk.md says how to get them"


@dataclass(frozen=True, slots=True)
class _Page:
    """What stands around a unit: its ticket, the people and groups that came along, whether another page follows."""

    ticket: str | None
    about: Row
    more: bool
    conversation: str | None = None  # of Sunshine Conversations


def units(source: Source, ledger: Ledger) -> Iterator[Item | Parsed]:
    """Every unit of the file by the name of its ticket or chat, and what is none as Parsed with its problem."""
    for value in values(source, ledger):
        ledger.settle()
        if value.problem:
            yield _unreadable(value)
        else:
            yield from _of_value(value)


def _unreadable(value: Value) -> Item | Parsed:
    """A row that cannot be read spoils the ticket that it names: a conversation with a hole would be judged wrongly."""
    found = _TICKET_ID.search(value.begin)
    if not found or value.problem is None:
        return Parsed(value.line, value.begin, problem=value.problem)
    bad = {
        "kind": "bad",
        "name": found[1].decode(),
        "path": "",
        "reason": value.problem.reason,
        "cure": value.problem.cure,
    }
    return Item((f"t{found[1].decode()}",), value.line, value.begin, value.size, bad)


def _of_value(value: Value) -> Iterator[Item | Parsed]:
    row = value.json
    if not isinstance(row, dict):
        yield _refused(value, None, f"a row must be an object, this is {named(row)}", value.begin)
        return
    kind = kind_of(row)
    if kind:
        yield _unit(value, kind, row, "", _Page(_own_ticket(row), {}, more=False), value.begin, value.size)
        return
    single = {key: one for key, one in row.items() if key in _SINGLE and isinstance(one, dict)}
    lists = {key: one for key, one in row.items() if key in _LISTS and isinstance(one, list)}
    if not single and not any(lists.values()):
        yield _refused(value, None, _why_not(row, empty=bool(lists)), value.begin)
        return
    page = _Page(_ticket_of_page(row), _about(row), _has_more(row), message_conversation(row))
    size = value.size // (len(single) + sum(map(len, lists.values())))
    for key, one in single.items():
        yield _unit(value, _SINGLE[key], one, key, page, beginning(one), size)
    for key, found in lists.items():
        for number, one in enumerate(found, 1):
            own = _LISTS[key] or (kind_of(one) if isinstance(one, dict) else "")
            last = _Page(page.ticket, page.about, page.more and number == len(found), page.conversation)
            yield _unit(value, own, one, f"{key}[{number}]", last, beginning(one), size)


def _unit(value: Value, kind: str, one: JsonValue, path: str, page: _Page, begin: bytes, size: int) -> Item | Parsed:
    if not isinstance(one, dict):
        return _refused(value, path, f"must be an object, this is {named(one)}", begin)
    if not kind:
        return _refused(value, path or None, _why_not(one), begin)
    if kind == "event" and is_message(one):  # events of a webhook of Sunshine Conversations
        kind = "message"
    if kind == "message":
        name = (message_conversation(one) if is_message(one) else None) or page.conversation
        if name is None or not is_message(one):
            reason = "is no message" if name else "is missing: a message of no conversation"
            cure = 'write {"conversation": {"id": "…"}, "messages": […]} around the reply'
            return _refused(value, f"{path}.conversation.id" if path else "conversation.id", reason, begin, cure)
        kind, one, group = "event", message_unit(one), f"s{name}"
    elif kind == "chat":
        name = as_id(one.get("id"))
        if name is None:
            return _refused(value, f"{path}.id" if path else "id", "is missing: a chat has one", begin)
        group = f"c{name}"
    else:
        ticket = as_id(one.get("id")) if kind == "ticket" else _own_ticket(one) or page.ticket
        ticket = event_ticket(one) if kind == "hook" else survey_ticket(one) if kind == "survey" else ticket
        if ticket is None:
            where = "id" if kind == "ticket" else "ticket_id"
            reason = "is missing: a ticket has one" if kind == "ticket" else f"is missing: {_WHAT[kind]} of no ticket"
            cure = 'write {"ticket_id": 123, "comments": […]} around the reply, or keep its links' if kind in (
                "comment", "event") else "export it again"  # fmt: skip
            return _refused(value, f"{path}.{where}" if path else where, reason, begin, cure)
        name, group = ticket, f"t{ticket}"
    unit = {"kind": kind, "name": name, "path": path, "raw": one, "about": _needed(page.about, one), "more": page.more}
    return Item((group,), value.line, begin, size, unit)


def _refused(value: Value, field: str | None, reason: str, begin: bytes, cure: str = _CURE) -> Parsed:
    return Parsed(value.line, begin, problem=Problem(field, reason, cure))


# ── what an object is ──


def kind_of(row: Mapping[str, JsonValue]) -> str:
    """What kind of unit an object is by its own fields, "" if it is none."""
    if is_event(row):
        return "hook"
    if is_message(row):
        return "message"
    if survey_ticket(row):
        return "survey"
    if isinstance(row.get("child_events"), list) and "ticket_id" in row:
        return "ticket_event"
    if isinstance(row.get("events"), list) and "ticket_id" in row and "id" in row:
        return "audit"
    if isinstance(row.get("author"), dict) and isinstance(row.get("content"), dict) and "type" in row:
        return "event"
    if "engagement_id" in row and "ticket_id" in row:
        return "engagement"
    if "score" in row and "ticket_id" in row:
        return "rating"
    if "full_resolution_time_in_minutes" in row and "ticket_id" in row:
        return "metric"
    if "visitor" in row and ("history" in row or row.get("type") in ("chat", "offline_msg")):
        return "chat"
    if "author_id" in row and {"body", "html_body", "plain_body"} & row.keys() and "ticket_forms" not in row:
        return "comment" if {"public", "ticket_id", "audit_id"} & row.keys() else ""
    is_ticket = "status" in row and {"requester_id", "requester", "submitter_id"} & row.keys()
    return "ticket" if is_ticket and {"description", "subject", "raw_subject", "comments", "via"} & row.keys() else ""


def _why_not(row: Mapping[str, JsonValue], *, empty: bool = False) -> str:
    """Why there is nothing of a ticket in it."""
    if empty:
        return "is an empty page: nothing stands in its list"
    if "error" in row or "errors" in row:
        said = row.get("description") or row.get("error") or row.get("errors")
        return f"Zendesk answered with an error, no ticket: {str(said)[:120]}"
    if any(isinstance(row.get(key), list) for key in _SIDELOADED):
        return "holds only users, groups or the like; they say something only in a reply together with tickets"
    keys = ", ".join(map(str, list(row)[:8]))[:160] or "none"
    return f"holds no ticket, comment, audit, conversation log, chat or rating (its fields: {keys})"


def _own_ticket(row: Mapping[str, JsonValue]) -> str | None:
    return as_id(row.get("ticket_id"))


# ── what stands around ──


def _ticket_of_page(row: Mapping[str, JsonValue]) -> str | None:
    """The one ticket that a reply is about: said by itself, or in the addresses of its other pages."""
    ticket = row.get("ticket")
    said = _own_ticket(row) or (as_id(ticket.get("id")) if isinstance(ticket, dict) else None)
    if said:
        return said
    links = row.get("links")
    addresses = [row.get("next_page"), row.get("previous_page"), row.get("url")]
    addresses += list(links.values()) if isinstance(links, dict) else []
    for address in addresses:
        if isinstance(address, str) and (found := _TICKET_URL.search(unquote(address[:2_000]))):
            return found[1]
    return None


def _has_more(row: Mapping[str, JsonValue]) -> bool:
    """Another page of the same ticket follows. Lists over all tickets do not tell."""
    if _ticket_of_page(row) is None:
        return False
    meta = row.get("meta")
    return (isinstance(meta, dict) and meta.get("has_more") is True) or isinstance(row.get("next_page"), str)


def _about(row: Mapping[str, JsonValue]) -> Row:
    """People, groups, metrics and field titles that came along, by id."""
    users = {i: {key: user.get(key) for key in _KEPT_OF_USERS} for i, user in _by_id(row.get("users"))}
    groups = {i: group.get("name") for i, group in _by_id(row.get("groups"))}
    metrics = dict(_by_id(row.get("metric_sets"), "ticket_id"))
    fields = {i: one.get("title") for i, one in _by_id(row.get("ticket_fields"))}
    return {"users": users, "groups": groups, "metrics": metrics, "fields": fields}


def _by_id(listed: JsonValue, key: str = "id") -> Iterator[tuple[str, Row]]:
    for one in _objects(listed):
        if found := as_id(one.get(key)):
            yield found, one


def _needed(about: Row, unit: Row) -> Row:
    """Of what came along, the part that this unit speaks of."""
    if not any(about.values()):
        return {}
    ids = {found for key, one in unit.items() if key.endswith("_id") and (found := as_id(one))}
    for key in ("events", "child_events", "comments"):
        ids.update(found for one in _objects(unit.get(key)) if (found := as_id(one.get("author_id"))))
    fields = {found for one in _objects(unit.get("custom_fields")) if (found := as_id(one.get("id")))}
    wanted: dict[str, set[str | None]] = {
        "users": {*ids},
        "groups": {*ids},
        "metrics": {as_id(unit.get("id"))},
        "fields": {*fields},
    }
    needed = {key: {i: one for i, one in about[key].items() if i in wanted[key]} for key in wanted}
    return {key: one for key, one in needed.items() if one}


def _objects(value: JsonValue) -> list[Row]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
