"""Canonical conversations that need no second look: most of a file, and several times as fast as the careful reader.

Only what `canonical` would take as it is, without a note, is taken here, through the same tables and readers. For all
else (a problem, a word or a field that is not known, a blank) `canonical` decides, as if nobody had looked before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import ValidationError

from grader.ingest import canonical
from grader.ingest.fields import MAX_ID, read_time
from grader.ingest.rows import Incoming, Ledger, UnfitError
from grader.model import Conversation, JsonValue, Kind
from grader.text import neutralise

# Any way of writing a time whose digits mean the same to `datetime` as to `fields.read_time`, with its offset.
_TIME = re.compile(
    r"(?:19|2[0-9])[0-9]{2}-[01][0-9]-[0-3][0-9][T ]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{3}|\.[0-9]{6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)

_Values = dict[str, JsonValue]
_Reader = Callable[[JsonValue, Ledger], JsonValue]


class _NotPlainError(Exception):
    """It takes the careful reader. Never leaves this module."""


def record(row: JsonValue, ledger: Ledger) -> Incoming | None:
    """The record that one row says, None with problems in the ledger."""
    if isinstance(row, dict) and row.get("type") in (None, "conversation"):
        try:
            return _conversation(row, ledger)
        except (_NotPlainError, UnfitError, ValidationError, ValueError):
            pass
    return canonical.record(row, ledger)


def _conversation(row: _Values, ledger: Ledger) -> Conversation:
    found = _taken(row, _CONVERSATION, _CONVERSATION_ALIASES, ledger)
    found.pop("type", None)
    messages = found.get("messages")
    if "conversation_id" not in found or not messages:
        raise _NotPlainError
    if not any(_says_something(message) for message in messages):
        raise _NotPlainError
    if any(event["after"] > len(messages) for event in found.get("events", ())):
        raise _NotPlainError
    if "customer_id" in found:
        identities = found.setdefault("contact", {}).setdefault("identities", [])
        identity = {"kind": "customer_id", "value": found.pop("customer_id")}
        if identity not in identities:
            identities.append(identity)
    return Conversation.model_validate(found)


def _taken(
    raw: Mapping[str, JsonValue], readers: Mapping[str, _Reader], aliases: Mapping[str, str], ledger: Ledger
) -> _Values:
    """What the fields hold. Of a field and its alias only one may stand there, and an alias says something."""
    found: _Values = {}
    for key, value in raw.items():
        read = readers.get(key)
        if read is None:
            name = aliases.get(key)
            if name is None or name in raw or name in found or value is None:
                raise _NotPlainError
            found[name] = readers[name](value, ledger)
        elif value is not None:
            found[key] = read(value, ledger)
    return found


def _says_something(message: _Values) -> bool:
    text = message["text"]
    if text.isascii() and text.isprintable() and not text.isspace() and text:
        return True
    return "tool_calls" in message or message["kind"] in canonical.SENT or bool(neutralise(text).strip())


# ── values: as those of `fields`, for what says something and needs no change ──


def _short(value: JsonValue, ledger: Ledger) -> str:  # noqa: ARG001 - one signature for all readers
    if type(value) is not str or not value or value.isspace():
        raise _NotPlainError
    return value


def _id(value: JsonValue, ledger: Ledger) -> str:  # noqa: ARG001
    if type(value) is not str or not value or len(value) > MAX_ID or value != value.strip():
        raise _NotPlainError
    return value


def _text(value: JsonValue, ledger: Ledger) -> str:  # noqa: ARG001
    if type(value) is not str:
        raise _NotPlainError
    return value


def _flag(value: JsonValue, ledger: Ledger) -> bool:  # noqa: ARG001
    if type(value) is not bool:
        raise _NotPlainError
    return value


def _object(value: JsonValue, ledger: Ledger) -> _Values:  # noqa: ARG001
    if type(value) is not dict:
        raise _NotPlainError
    return value


def _anything(value: JsonValue, ledger: Ledger) -> JsonValue:  # noqa: ARG001
    return value


def _time(value: JsonValue, ledger: Ledger) -> datetime:
    if type(value) is str and _TIME.fullmatch(value):
        return datetime.fromisoformat(value)
    return read_time(value, ledger)


def _whole(value: JsonValue, ledger: Ledger) -> int:  # noqa: ARG001
    if type(value) is not int or value < 0:
        raise _NotPlainError
    return value


def _one_of(words: Mapping[str, JsonValue]) -> _Reader:
    def read(value: JsonValue, ledger: Ledger) -> JsonValue:  # noqa: ARG001
        if type(value) is not str or value not in words:
            raise _NotPlainError
        return words[value]

    return read


def _list_of(read: _Reader) -> _Reader:
    def read_all(value: JsonValue, ledger: Ledger) -> list[JsonValue]:
        if type(value) is not list:
            raise _NotPlainError
        return [read(one, ledger) for one in value]

    return read_all


# ── objects ──


def _message(value: JsonValue, ledger: Ledger) -> _Values:
    found = _taken(_object(value, ledger), _MESSAGE, _MESSAGE_ALIASES, ledger)
    if "role" not in found:
        raise _NotPlainError
    text = found.setdefault("text", "")
    calls = found.get("tool_calls")
    if calls == []:
        del found["tool_calls"]
    if "kind" not in found:
        found["kind"] = canonical.kind_of(found["role"], text, bool(calls))
    return found


def _whole_object(readers: Mapping[str, _Reader], required: frozenset[str]) -> _Reader:
    """An object with some of these fields."""

    def read(value: JsonValue, ledger: Ledger) -> _Values:
        found = _taken(_object(value, ledger), readers, {}, ledger)
        if not required <= found.keys():
            raise _NotPlainError
        return found

    return read


def _contact(value: JsonValue, ledger: Ledger) -> _Values:
    found = _taken(_object(value, ledger), _CONTACT, {}, ledger)
    identities = found.get("identities", ())
    if len(identities) > 1 and any(one in identities[:n] for n, one in enumerate(identities)):
        raise _NotPlainError  # one that is shown twice
    return found


_PAIR = _whole_object({"kind": _id, "value": _id}, frozenset({"kind", "value"}))
_CONTACT: Mapping[str, _Reader] = {"identities": _list_of(_PAIR), "name": _short}
_ROLE = _one_of(canonical.ROLES)
_MESSAGE: Mapping[str, _Reader] = {
    "role": _ROLE,
    "kind": _one_of({**canonical.KINDS, **{kind.value: kind for kind in Kind}}),
    "text": _text,
    "at": _time,
    "tool_calls": _list_of(_whole_object({"id": _short, "name": _id, "arguments": _anything}, frozenset({"name"}))),
    "tool_call_id": _short,
    "name": _short,
    "is_error": _flag,
    "attributes": _object,
}
_EVENT: Mapping[str, _Reader] = {
    "kind": _id, "after": _whole, "at": _time, "from_role": _ROLE, "to_role": _ROLE, "note": _short,
}  # fmt: skip
_CONVERSATION: Mapping[str, _Reader] = {
    "type": _anything,  # looked at before
    "conversation_id": _id, "channel": _short, "queue": _short, "language": _short, "reason": _short,
    "contact": _contact, "customer_id": _id, "started_at": _time, "ended_at": _time,
    "state": _one_of({word: state for state, words in canonical.STATES.items() for word in words}),
    "ai_version": _short, "initiated_by": _one_of({word: word for word in ("customer", "business")}),
    "excluded": _one_of({word: word for word in ("spam", "test", "survey", "outbound")}),
    "references": _list_of(_PAIR), "truncated": _flag, "tools_recorded": _flag, "messages": _list_of(_message),
    "events": _list_of(_whole_object(_EVENT, frozenset({"kind", "after"}))), "attributes": _object,
}  # fmt: skip
_MESSAGE_ALIASES = {alias: name for name, aliases in canonical.MESSAGE.aliases.items() for alias in aliases}
_CONVERSATION_ALIASES = {
    alias: name for name, aliases in canonical.SHAPES["conversation"].aliases.items() for alias in aliases
}
