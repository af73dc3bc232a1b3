"""Intercom's API JSON: conversations and tickets, one by one, listed or searched → conversations and outcomes.

A row is a conversation or a ticket, also where many stand in one reply. What holds neither (a tag, a job, one message)
is rejected as what it is. `intercom_thread` reads what was said, `intercom_record` everything around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grader.ingest import canonical
from grader.ingest.rows import Incoming, Ledger, Parsed, Problem, named
from grader.ingest.source import Source
from grader.ingest.sources.intercom_options import Options, options
from grader.ingest.sources.intercom_record import conversation_row, rows_of, ticket_row
from grader.ingest.sources.objects import Node, Row, Value, beginning, values
from grader.model import JsonValue

__all__ = ["Options", "options", "read", "recognises"]

_LISTS = ("conversations", "tickets", "data")
_API = "GET https://api.intercom.io"
_ONE_BY_ONE = f"ask for the conversations themselves: {_API}/conversations/ID"
_REPLIES = {
    "tag": "a tag",
    "job": "the state of a job",
    "contact": "a contact",
    "user": "a contact",
    "lead": "a contact",
    "admin": "a teammate",
    "team": "a team",
    "conversation_part": "one part of a conversation",
    "ticket_part": "one part of a ticket",
    "user_message": "one message",
    "admin_message": "one message",
    "notification_event": "a webhook's event, which has only what is new",
}


_DEFAULT = Options()


def read(source: Source, ledger: Ledger, options: Options = _DEFAULT) -> Iterator[Parsed]:
    """Every conversation and ticket of the file; what is neither comes as a problem."""
    for value in values(source, ledger):
        if value.problem:
            ledger.settle()
            yield Parsed(value.line, value.begin, problem=value.problem)
            continue
        listed = _listed(value.json)
        if listed is None:
            yield _one(value, value.json, "", value.begin, value.size, options, ledger)
            continue
        key, items = listed
        for number, item in enumerate(items, 1):
            size = value.size // len(items)
            yield _one(value, item, f"{key}[{number}]", beginning(item), size, options, ledger)
        if not items:
            ledger.settle()
            problem = Problem(key, "is empty: this page of a list holds no conversation", "leave the file out")
            yield Parsed(value.line, value.begin, problem=problem)


def _listed(value: JsonValue) -> tuple[str, list[JsonValue]] | None:
    """(field, its items) of a reply that lists conversations or tickets."""
    if not isinstance(value, dict) or _is_conversation(value) or _is_ticket(value):
        return None
    for key in _LISTS:
        found = value.get(key)
        if isinstance(found, list) and (not found or key != "data" or any(map(_is_either, found))):
            return key, found
    return None


def _one(value: Value, item: JsonValue, path: str, begin: bytes, size: int, options: Options, ledger: Ledger) -> Parsed:
    records: list[Incoming] = []
    if isinstance(item, dict):
        for key in ("conversation", "ticket"):  # as some scripts wrap it
            own = _is_either(item) and "id" in item
            if isinstance(item.get(key), dict) and not own and _is_either(item[key]):
                beside = item.get(f"{key}_parts", item.get("parts"))  # asked for by itself, and put beside it
                item, path = item[key], f"{path}.{key}" if path else key
                if isinstance(beside, (list, dict)) and not _has_parts(item, f"{key}_parts"):
                    item = {**item, f"{key}_parts": beside}
    if not isinstance(item, dict) or not _is_either(item):
        reason, cure = _why_not(item)
        ledger.problem(path or None, reason, cure)
    else:
        node = Node(item, path, ledger)
        row = ticket_row(node, options) if _is_ticket(item) else conversation_row(node, options)
        records += _built(*rows_of(node, row, options), ledger)
    problem = ledger.settle()
    return Parsed(value.line, begin, () if problem else tuple(records), problem, size=size)


def _built(conversations: list[Row], outcomes: list[Row], ledger: Ledger) -> list[Incoming]:
    """The records, as far as nothing is wrong."""
    made: list[Incoming | None] = []
    for row in conversations:
        made += [canonical.conversation(row, ledger)] if not ledger.problems else []
    for outcome in outcomes:
        made += [canonical.record({"type": "outcome", **outcome}, ledger)] if not ledger.problems else []
    return [record for record in made if record is not None]


# ── what an object is ──


def _is_either(value: JsonValue) -> bool:
    return isinstance(value, dict) and (_is_conversation(value) or _is_ticket(value))


def _has_parts(value: Mapping[str, JsonValue], key: str) -> bool:
    holder = value.get(key)
    return bool(holder.get(key) if isinstance(holder, dict) else holder)


def _is_conversation(value: Mapping[str, JsonValue]) -> bool:
    return value.get("type") in (None, "conversation") and "messages" not in value and (
        isinstance(value.get("conversation_parts"), (dict, list))
        or (isinstance(value.get("source"), dict) and bool({"author", "body", "delivered_as"} & value["source"].keys()))
    )  # fmt: skip


def _is_ticket(value: Mapping[str, JsonValue]) -> bool:
    return value.get("type") in (None, "ticket") and (
        isinstance(value.get("ticket_parts"), (dict, list))
        or (isinstance(value.get("ticket_attributes"), dict) and "ticket_state" in value)
    )


def _why_not(value: JsonValue) -> tuple[str, str]:
    """(why this is no conversation, what to do)."""
    if not isinstance(value, dict):
        return f"a row must be an object, this is {named(value)}", _ONE_BY_ONE
    kind = value.get("type")
    if kind == "error.list":
        errors = value.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        said = str(first.get("message") or first.get("code") or "nothing more")
        return f"Intercom answered with an error, no conversation: {said[:120]}", "mend the request and export again"
    if value.get("deleted") is True:
        return "a conversation that was deleted: nothing of it is left", "leave the row out"
    if kind in ("conversation", "ticket"):
        lacks = "source and conversation_parts" if kind == "conversation" else "ticket_parts"
        return f"a {kind} without {lacks}: only that it exists", f"ask for it whole: {_API}/{kind}s/ID"
    belongs = value.get("conversation_id") if isinstance(value.get("conversation_id"), (str, int)) else None
    cure = f"ask for its conversation: {_API}/conversations/{str(belongs)[:40]}" if belongs else _ONE_BY_ONE
    if isinstance(kind, str):
        what = _REPLIES.get(kind) or f"an object of the type {kind[:60]!r}"
        return f"{what}, which holds no conversation", cure
    keys = ", ".join(str(key)[:40] for key in list(value)[:8]) or "none"
    return f"holds no conversation (its fields: {keys})", cure


def recognises(rows: list[JsonValue]) -> str | None:
    """Why these first rows are Intercom's, None if nothing says so."""
    for value in rows:
        for item in value[:3] if isinstance(value, list) else (value,):
            if isinstance(item, dict) and (why := _sign(item)):
                return why
    return None


def _sign(row: Mapping[str, JsonValue]) -> str | None:
    kind = row.get("type")
    if _is_ticket(row) and isinstance(row.get("ticket_parts", {}), dict):
        return "rows are tickets of Intercom's API"
    if _is_conversation(row) and (kind == "conversation" or isinstance(row.get("conversation_parts"), dict)):
        return "rows are conversations of Intercom's API"
    if kind in ("conversation.list", "ticket.list"):
        return f"it is Intercom's {kind}"
    listed = _listed(row)
    if listed and any(isinstance(item, dict) and _sign(item) for item in listed[1][:3]):
        return "it lists conversations of Intercom's API"
    for key in ("conversation", "ticket"):
        if isinstance(row.get(key), dict) and not {"messages", "event"} & row.keys() and (why := _sign(row[key])):
            return why
    return "it is a reply of Intercom's API" if _is_reply(row, kind) else None


def _is_reply(row: Mapping[str, JsonValue], kind: JsonValue) -> bool:
    """One of the replies that hold no conversation: recognised so that they are rejected as what they are."""
    return (
        (kind == "tag" and "applied_by" in row)
        or (kind == "job" and "resource_type" in row)
        or (kind in ("conversation_part", "ticket_part") and "part_type" in row)
        or (kind in ("user_message", "admin_message") and "message_type" in row)
        or (kind == "notification_event" and "topic" in row)
        or (kind == "error.list" and "errors" in row and "request_id" in row)
        or (row.get("object") == "conversation" and row.get("deleted") is True)
        or (isinstance(row.get("customers"), list) and kind is None and row.keys() <= {"customers", "id"})
    )
