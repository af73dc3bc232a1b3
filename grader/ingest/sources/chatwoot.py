"""Chatwoot: conversations and messages as its API gives them, and logs of its webhooks → canonical rows.

A row of the file is a conversation object, a message of a page of messages, a survey's answer, or a webhook. The rows
of one conversation may stand anywhere in the file; they are gathered by its number, and the last word on each message
counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from grader.ingest import canonical
from grader.ingest.fields import MAX_ID
from grader.ingest.rows import Incoming, Ledger, Parsed, Problem, named
from grader.ingest.source import Source
from grader.ingest.sources.chatwoot_messages import type_of
from grader.ingest.sources.chatwoot_options import Options, options
from grader.ingest.sources.chatwoot_talk import Talk
from grader.ingest.sources.gathered import Item, gathered, refused
from grader.ingest.sources.logged import Logged, Row, logged, objects, part, payloads
from grader.model import JsonValue

__all__ = ["Options", "options", "read", "recognises"]

EVENTS = {
    "conversation_created", "conversation_opened", "conversation_resolved", "conversation_status_changed",
    "conversation_updated", "conversation_typing_on", "conversation_typing_off", "message_created", "message_updated",
    "webwidget_triggered", "contact_created", "contact_updated", "inbox_created", "inbox_updated",
}  # fmt: skip
_WHOLE = {
    "conversation",
    "conversation_created",
    "conversation_opened",
    "conversation_resolved",
    "conversation_status_changed",
    "conversation_updated",
}  # the row is the conversation
_OTHER = {"webwidget_triggered", "contact_created", "contact_updated", "inbox_created", "inbox_updated"}
_CURE = "hand in what Chatwoot's API or webhooks give (docs/sources/chatwoot.md), or use a mapping"
_NO_TALK = "nothing to mend: it says nothing of a conversation; grep such rows out where every row has to go in"


def recognises(rows: list[JsonValue]) -> str | None:
    """Why these first rows are Chatwoot's, None if nothing says so."""
    for row in rows:
        for value, _ in payloads(row, _is_payload):
            if isinstance(value, dict) and (why := _sign(value)):
                return why
    return None


def _sign(value: Row) -> str | None:
    event = value.get("event")
    if isinstance(event, str) and event in EVENTS and value.keys() & {"conversation", "inbox", "inbox_id", "account"}:
        return f"a row is Chatwoot's webhook {event}"
    if _is_message(value) or any(_is_message(one) for one in objects(value.get("messages"))):
        return "messages have Chatwoot's message_type"
    if _is_conversation(value):
        return "a row is a conversation with an inbox_id and a contact_inbox or meta"
    return next((why for one in objects(_listed(value)) if (why := _sign(one))), None)


def _is_payload(value: JsonValue) -> bool:
    if not isinstance(value, dict):
        return False
    event = value.get("event")
    if isinstance(event, str) and event in EVENTS:
        return True
    return _is_one(value) or any(map(_is_one, objects(_listed(value)))) or _is_empty_page(value)


def _is_one(value: Row) -> bool:
    return _is_message(value) or _is_conversation(value) or _is_rating(value)


def _is_message(value: Row) -> bool:
    there = value.keys() & {"conversation_id", "conversation", "inbox_id", "content_type", "content_attributes"}
    return len(there) > 1 and (type_of(value) is not None or {"content_attributes", "message_type"} <= value.keys())


def _is_conversation(value: Row) -> bool:
    if "message_type" in value:
        return False
    has_inbox = "inbox_id" in value and bool(part(value, "meta") or part(value, "contact_inbox"))
    return has_inbox or any(map(_is_message, objects(value.get("messages"))))


def _is_rating(value: Row) -> bool:
    return {"rating", "conversation_id"} <= value.keys() and bool(value.keys() & {"feedback_message", "message_id"})


def _listed(value: Row) -> list[JsonValue]:
    """What a page of the API lists: conversations, messages, or answers to surveys."""
    holder = part(value, "data") or value
    payload = holder.get("payload")
    if isinstance(payload, dict):
        return [one for listed in payload.values() if isinstance(listed, list) for one in listed]
    return payload if isinstance(payload, list) else []


def _is_empty_page(value: Row) -> bool:
    holder = part(value, "data") or value
    return holder.get("payload") == [] and value.keys() <= {"data", "meta", "payload"}


def read(source: Source, ledger: Ledger, options: Options = Options()) -> Iterator[Parsed]:  # noqa: B008 - frozen
    """Every row of the file. Raises InputError where the disk has no room to gather them."""
    yield from gathered(_items(source, ledger, options), partial(_joined, options=options, ledger=ledger))


def _items(source: Source, ledger: Ledger, options: Options) -> Iterator[Item | Parsed]:
    for row in logged(source, ledger, _is_payload):
        if isinstance(row, Parsed):
            yield row
            continue
        for value in _rows(row.value, ledger):
            yield _item(value, row, options)


def _rows(value: JsonValue, ledger: Ledger) -> Iterator[JsonValue]:
    """The rows that a payload holds: itself, or what its page lists. A page's `meta` goes with its first message."""
    if not isinstance(value, dict) or isinstance(value.get("event"), str) or _is_one(value):
        yield value
        return
    if _is_empty_page(value):
        ledger.note("a page of the API lists nothing")
        ledger.settle()
        return
    listed = _listed(value)
    if not listed:
        yield value
        return
    for position, one in enumerate(listed):
        first = position == 0 and isinstance(one, dict) and _is_message(one)
        yield {**one, "page_meta": part(value, "meta")} if first else one


def _item(value: JsonValue, row: Logged, options: Options) -> Item | Parsed:
    """A row with the number of its conversation, or what is wrong with it."""

    def rejected(field: str | None, reason: str, cure: str) -> Parsed:
        return Parsed(row.line, row.begin, problem=Problem(field, reason, cure))

    if not isinstance(value, dict):
        return rejected(None, f"a row must be an object, this is {named(value)}", _CURE)
    event = value.get("event")
    about = event if isinstance(event, str) and event in EVENTS else _what(value)
    if about is None:
        keys = ", ".join(key[:40] for key in list(value)[:8]) or "none"
        return rejected(None, f"this is no conversation, message or webhook of Chatwoot's (its fields: {keys})", _CURE)
    conversation = value if about in _WHOLE else part(value, "current_conversation") or part(value, "conversation")
    if not conversation and about in _OTHER:
        return rejected("event", f"{about} is about no conversation", _NO_TALK)
    identity = conversation.get("id")
    if about not in _WHOLE and value.get("conversation_id") is not None:
        identity = value["conversation_id"]
    if isinstance(identity, bool) or not isinstance(identity, (int, str)) or not str(identity).strip():
        return rejected("conversation.id", "the row does not say which conversation it belongs to", _CURE)
    number = str(identity).strip()
    if len(number) > MAX_ID:
        return rejected("conversation.id", f"has {len(number):,} characters, at most {MAX_ID:,} are an id", _CURE)
    account = part(value, "account").get("id") or _account(value) or _account(conversation)
    account = str(account) if isinstance(account, (int, str)) and not isinstance(account, bool) else None
    if options.account_in_id:
        if account is None:
            reason = "the row does not say its account, which account_in_id needs"
            return rejected("account_id", reason, "leave the option out where there is one account only")
        number = f"{account}/{number}"
    found = {"about": about, "payload": value, "id": number, "account": account, "logged_at": row.logged_at}
    return Item((number,), row.line, row.begin, row.size, found)


def _what(value: Row) -> str | None:
    """message, rating or conversation: what a row of the API is."""
    if _is_message(value):
        return "message"
    return "rating" if _is_rating(value) else "conversation" if _is_conversation(value) else None


def _account(holder: Row) -> JsonValue:
    inner = (one.get("account_id") for one in objects(holder.get("messages")))
    return holder.get("account_id") or next((one for one in inner if one), None)


def _joined(items: list[Item], options: Options, ledger: Ledger) -> Iterator[Parsed]:
    """One conversation from all of its rows, or every row rejected."""
    accounts = {item.value["account"] for item in items} - {None}
    number = items[0].value["id"]
    if len(accounts) > 1:
        reason = f"conversation {number[:60]} stands in the file for {len(accounts)} accounts"
        yield from refused(items, Problem("account_id", reason, "give the option account_in_id=true"))
        return
    talk = Talk(number, options, ledger)
    for position, item in enumerate(items):
        talk.see(position, item.value)
    row = talk.conversation()
    # Read as a whole first: what is wrong with it is told by the numbers that its messages have there.
    whole = canonical.record(row, ledger) if row else None
    parts = talk.parts(row) if row and whole is not None else []
    rows = [*parts, *talk.outcomes(parts)] if whole is not None or not ledger.problems else []
    made = [whole if one is row else canonical.record(one, ledger) for one in rows]
    records: list[Incoming] = [record for record in made if record is not None]
    problem = ledger.settle(len(items))
    if problem is None and not records:
        problem = Problem(
            "messages", f"the file has no message of conversation {number[:60]}", "export its messages too"
        )
    if problem is not None:
        yield from refused(items, problem, talk.row_of(problem.field) if whole is None else None)
        return
    size = sum(item.size for item in items)
    yield Parsed(items[0].line, items[0].begin, tuple(records), rows=len(items), size=size)
