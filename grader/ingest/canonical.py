"""Grader's own JSON Lines: one conversation, policy, outcome or label per object. Other JSON readers end here too.

The shapes below are the format; docs/formats.md says them in words and `schema` publishes them. Names and roles that
real exports use are understood, what is not known is kept in the attributes, and texts are taken as they are.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pydantic import ValidationError

from grader.ingest.fields import (
    ANYTHING,
    DATE,
    FLAG,
    ID,
    NAMES,
    OBJECT,
    SHORT,
    TEXT,
    TIME,
    WORD,
    Found,
    Shape,
    list_of,
    number,
    object_of,
    one_of,
)
from grader.ingest.rows import Incoming, Ledger, Problem, misspelt, named, nearest
from grader.model import (
    Contact,
    Conversation,
    Event,
    Identity,
    JsonValue,
    Kind,
    Label,
    Message,
    Outcome,
    Policy,
    Reference,
    Role,
    ToolCall,
)
from grader.text import neutralise

ROLES: Mapping[str, Role] = MappingProxyType({
    **{role.value: role for role in Role},
    "user": Role.CUSTOMER, "end user": Role.CUSTOMER, "visitor": Role.CUSTOMER,
    "assistant": Role.AI, "bot": Role.AI, "ai agent": Role.AI, "agent ai": Role.AI, "chatbot": Role.AI,
    "human agent": Role.HUMAN, "operator": Role.HUMAN,
    "function": Role.TOOL, "developer": Role.SYSTEM,
})  # fmt: skip
KINDS: Mapping[str, Kind] = MappingProxyType({
    **{kind.value.replace("_", " "): kind for kind in Kind},
    "message": Kind.TEXT, "audio": Kind.VOICE, "voice note": Kind.VOICE, "photo": Kind.IMAGE, "picture": Kind.IMAGE,
    "video": Kind.FILE, "document": Kind.FILE, "attachment": Kind.FILE,
})  # fmt: skip
_PLAIN = (
    "conversation_id", "channel", "queue", "language", "reason", "started_at", "ended_at", "tools_recorded",
    "ai_version", "initiated_by", "excluded", "truncated",
)  # fmt: skip
STATES = {
    "open": {"open", "opened", "pending", "snoozed", "new", "active", "on hold", "hold"},
    "closed": {"closed", "close", "resolved", "solved", "done", "ended", "finished", "archived"},
}
TYPES = ("conversation", "policy", "outcome", "label")

_MANY = 1_000_000_000
SENT = {Kind.VOICE, Kind.IMAGE, Kind.FILE}  # something was sent, if only without words
_WRAPPED = {"messages", "conversation_id", "id"}  # a list of objects with one of these may be the rows themselves
_CALL = Shape("tool call", {"id": SHORT, "name": ID, "arguments": ANYTHING}, required=("name",))
MESSAGE = Shape(
    "message",
    {
        "role": WORD, "kind": SHORT, "text": TEXT, "at": TIME, "tool_calls": list_of(_CALL), "tool_call_id": SHORT,
        "name": SHORT, "is_error": FLAG, "attributes": OBJECT,
    },
    required=("role",),
    aliases={"text": ("content",), "at": ("timestamp", "created_at"), "is_error": ("error",)},
    descriptions={
        "role": "customer, ai, human, tool, system or unknown; also user, assistant, bot, ai_agent, human_agent, "
        "operator, function, developer, in any case. Any other is kept as unknown, with source_role in attributes.",
        "kind": "text, voice, image, file, tool_call, tool_result, note or event; follows from the rest where missing.",
        "text": "Taken as it is. A voice note's transcript, an image's caption.",
        "tool_call_id": "In a tool's result: the id of the call that it answers.",
    },
)  # fmt: skip
_EVENT = Shape(
    "event",
    {
        "kind": ID,
        "after": number(0, _MANY, whole=True),
        "at": TIME,
        "from_role": SHORT,
        "to_role": SHORT,
        "note": SHORT,
    },
    required=("kind", "after"),
    descriptions={"after": "Number of the last message before it; 0: before all."},
)
_IDENTITY = Shape("identity", {"kind": ID, "value": ID}, required=("kind", "value"))
_REFERENCE = Shape("reference", {"kind": ID, "value": ID}, required=("kind", "value"))
_CONTACT = Shape("contact", {"identities": list_of(_IDENTITY), "name": SHORT})
_TYPE = {name: one_of(name, blank=False) for name in TYPES}
SHAPES: Mapping[str, Shape] = MappingProxyType({
    "conversation": Shape(
        "conversation",
        {
            "type": _TYPE["conversation"], "conversation_id": ID, "channel": SHORT, "queue": SHORT, "language": SHORT,
            "reason": SHORT, "contact": object_of(_CONTACT), "customer_id": SHORT, "started_at": TIME,
            "ended_at": TIME, "state": SHORT, "ai_version": SHORT, "initiated_by": one_of("customer", "business"),
            "excluded": one_of("spam", "test", "survey", "outbound"), "references": list_of(_REFERENCE),
            "truncated": FLAG, "tools_recorded": FLAG, "messages": list_of(MESSAGE, needed=True),
            "events": list_of(_EVENT), "attributes": OBJECT,
        },
        required=("conversation_id", "messages"),
        aliases={"conversation_id": ("id",), "started_at": ("created_at",)},
        descriptions={
            "reason": "The contact reason as the source gives it.",
            "state": "open or closed; also resolved, solved, done, ended, pending, snoozed, new. None: not known.",
            "ai_version": "The version of the AI agent that answered, as the source names it.",
            "initiated_by": "Who began. Missing: the business, if the customer never wrote, or over an hour later.",
            "excluded": "Why it starts no recontact window and is no recontact.",
            "references": "What it is about, as a field of the source says: orders, tickets.",
            "truncated": "true: the source itself has cut messages off.",
            "customer_id": "Short for an identity of the kind customer_id.",
            "tools_recorded": "true: the source records tool calls, so a missing call means that none was made.",
        },
    ),
    "policy": Shape(
        "policy",
        {
            "type": _TYPE["policy"], "policy_id": ID, "version": SHORT, "title": SHORT, "text": WORD, "queues": NAMES,
            "valid_from": DATE, "valid_to": DATE,
        },
        required=("type", "policy_id", "text"),
        descriptions={"queues": "The queues that it covers; none: every queue.", "valid_to": "The last day, included."},
        closed=True,
    ),
    "outcome": Shape(
        "outcome",
        {
            "type": _TYPE["outcome"], "conversation_id": ID, "csat": number(1, 5), "csat_comment": SHORT,
            "handled_by": one_of("ai", "human", "both"), "resolution_minutes": number(0, _MANY),
            "handle_minutes": number(0, _MANY), "observed_at": TIME, "attributes": OBJECT,
        },
        required=("type", "conversation_id"),
        descriptions={"csat": "1 (worst) to 5 (best).", "handle_minutes": "Minutes that a human spent on it."},
    ),
    "label": Shape(
        "label",
        {
            "type": _TYPE["label"], "conversation_id": ID, "rubric": ID, "rubric_version": ID, "criterion": ID,
            "answer": ID, "reviewer": ID, "message": number(1, _MANY, whole=True), "quote": SHORT, "clause": SHORT,
            "note": SHORT, "near_miss": FLAG, "verdict_visible": FLAG, "labelled_at": TIME,
        },
        required=("type", "conversation_id", "rubric", "rubric_version", "criterion", "answer", "reviewer"),
        descriptions={"verdict_visible": "Did the reviewer see the judge's answer first?"},
        keeps_unknown=False,
    ),
})  # fmt: skip


def record(row: JsonValue, ledger: Ledger) -> Incoming | None:
    """The record that one row says, None with problems in the ledger."""
    if not isinstance(row, dict):
        ledger.problem(None, f"a row must be an object, this is {named(row)}", "write one JSON object per line")
        return None
    kind = row.get("type")
    if kind is not None and kind not in TYPES:
        near = nearest(kind, TYPES) if isinstance(kind, str) else None
        hint = f"did you mean {near!r}? " if near else ""
        ledger.problem("type", f"is {named(kind)}", f"{hint}use one of {', '.join(TYPES)}, or leave it out")
        return None
    try:
        return conversation(row, ledger) if kind in (None, "conversation") else _other(kind, row, ledger)
    except ValidationError as error:
        # The shapes are at least as strict as the records; should one be laxer, the row is told apart all the same.
        first = error.errors()[0]
        ledger.problem(".".join(map(str, first["loc"])) or None, first["msg"], "correct the value")
        return None


def _other(kind: str, row: Mapping[str, JsonValue], ledger: Ledger) -> Incoming | None:
    """A policy, an outcome or a label. Only an outcome has attributes to keep what is not known."""
    found, extra = SHAPES[kind].take(row, "", ledger)
    if ledger.problems:
        return None
    given = {key: value for key, value in found.items() if value is not None and key not in ("type", "attributes")}
    if kind == "outcome":
        return Outcome(**given, attributes=merged(found.get("attributes"), extra))
    if kind == "label":
        return Label(**given)
    policy = Policy(**given)
    if policy.valid_from and policy.valid_to and policy.valid_to < policy.valid_from:
        reason = f"is {policy.valid_to}, before valid_from ({policy.valid_from}): it would never be in force"
        ledger.problem("valid_to", reason, "correct one of the two dates")
        return None
    return policy


def conversation(row: Mapping[str, JsonValue], ledger: Ledger) -> Conversation | None:
    """A conversation from an object with the canonical names, None with problems in the ledger."""
    found, extra = SHAPES["conversation"].take(row, "", ledger)
    _hint(row, ledger)
    messages = [
        message
        for number_, raw in _items(found, "messages", ledger)
        if (message := _message(raw, f"messages[{number_}].", ledger)) is not None
    ]
    events = [
        event
        for number_, raw in _items(found, "events", ledger)
        if (event := _event(raw, f"events[{number_}].", len(messages), extra, ledger)) is not None
    ]
    contact = _contact(found, extra, ledger)
    references = tuple(
        Reference(**given)
        for n, raw in _items(found, "references", ledger)
        if len(given := _REFERENCE.take(raw, f"references[{n}].", ledger)[0]) == 2
    )
    if not ledger.problems and not any(_says_something(message) for message in messages):
        cure = "leave the conversation out: nothing in it can be judged"
        ledger.problem("messages", "hold no word, no call and no file", cure)
    if ledger.problems:
        return None
    fields = {key: found[key] for key in _PLAIN if found.get(key) is not None}
    if (state := _state(found.get("state"), extra, ledger)) is not None:
        fields["state"] = state
    return Conversation(
        **fields,
        contact=contact,
        references=references,
        messages=tuple(messages),
        events=tuple(events),
        attributes=merged(found.get("attributes"), extra),
    )


def _hint(row: Mapping[str, JsonValue], ledger: Ledger) -> None:
    """Where the whole row is of another kind, the cure says so."""
    if not ledger.problems or (row.get("conversation_id") is not None and row.get("messages") is not None):
        return
    first = ledger.problems[0]
    for kind, sign in (("policy", "policy_id"), ("label", "criterion"), ("outcome", "csat")):
        if sign in row and "messages" not in row and "type" not in row:
            ledger.problems[0] = Problem(first.field, first.reason, f'if it is a {kind}, add "type": "{kind}"')
            return
    if "messages" in row or misspelt("messages", row):
        return
    cure = "if another field holds it, write a mapping (grader schema mapping prints one to start from)"
    for key, value in row.items():
        if isinstance(value, list) and value and isinstance(value[0], dict) and _WRAPPED & value[0].keys():
            path = f".{key}[]" if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) else f".[{json.dumps(key)}][]"
            command = ledger.command(f"jq -c {shlex.quote(path)}", "rows")
            cure = f"if the rows stand in {key[:40]!r}, write them one per line: {command}"
    ledger.problems[0] = Problem(first.field, first.reason, cure)


def _says_something(message: Message) -> bool:
    """There is something that a judge could see: words, a call, a file."""
    return bool(message.tool_calls) or message.kind in SENT or bool(neutralise(message.text).strip())


def _items(found: Found, key: str, ledger: Ledger, where: str = "") -> Iterator[tuple[int, Mapping[str, JsonValue]]]:
    for position, raw in enumerate(found.get(key) or (), 1):
        if isinstance(raw, dict):
            yield position, raw
        else:
            ledger.problem(f"{where}{key}[{position}]", f"must be an object, this is {named(raw)}", "correct the row")


def _message(raw: Mapping[str, JsonValue], where: str, ledger: Ledger) -> Message | None:
    found, extra = MESSAGE.take(raw, where, ledger)
    calls = []
    for position, item in _items(found, "tool_calls", ledger, where):
        given, more = _CALL.take(item, f"{where}tool_calls[{position}].", ledger)
        extra |= {f"tool_calls[{position}].{key}": value for key, value in more.items()}
        if given.get("name") is not None:
            calls.append(ToolCall(**given))
    if ledger.problems:
        return None
    role = _role(found["role"], "source_role", extra, ledger)
    text = found.get("text", "")
    fields = {key: found[key] for key in ("at", "tool_call_id", "name", "is_error") if found.get(key) is not None}
    if calls:
        fields["tool_calls"] = tuple(calls)
    kind = _kind(found.get("kind"), role, text, bool(calls), extra, ledger)
    attributes = merged(found.get("attributes"), extra)
    return Message(role=role, kind=kind, text=text, attributes=attributes, **fields)


def is_role(word: str) -> bool:
    """A word for a role that is known here."""
    return word in ROLES or _plain(word) in ROLES


def _role(raw: str, keep_as: str, extra: Found, ledger: Ledger) -> Role:
    role = ROLES.get(raw) or ROLES.get(_plain(raw))
    if role is None:
        plain = _plain(raw)
        near = None if plain == "agent" else nearest(plain, ROLES)
        hint = f"; did you mean {near!r}?" if near else "; say whether it is ai or human" if plain == "agent" else ""
        ledger.note(f"the role {raw[:60]!r} is not known, its messages are kept as unknown{hint}")
        extra[keep_as] = raw
        role = Role.UNKNOWN
    return role


def _kind(raw: str | None, role: Role, text: str, calls: bool, extra: Found, ledger: Ledger) -> Kind:
    if raw is not None:
        kind = KINDS.get(_plain(raw))
        if kind is not None:
            return kind
        ledger.note(f"the kind {raw[:60]!r} is not known, it follows from the message's role and calls")
        extra["source_kind"] = raw
    return kind_of(role, text, calls)


def kind_of(role: Role, text: str, calls: bool) -> Kind:
    """What a message is that does not say so."""
    if role is Role.TOOL:
        return Kind.TOOL_RESULT
    return Kind.TOOL_CALL if calls and not text.strip() else Kind.TEXT


def _state(raw: str | None, extra: Found, ledger: Ledger) -> str | None:
    if raw is None:
        return None
    for state, words in STATES.items():
        if _plain(raw) in words:
            return state
    ledger.note(f"the state {raw[:60]!r} is neither open nor closed, it is kept in the attributes")
    extra["source_state"] = raw
    return None


def _plain(word: str) -> str:
    return " ".join(word.lower().replace("_", " ").replace("-", " ").split())


def _event(raw: Mapping[str, JsonValue], where: str, n_messages: int, extra: Found, ledger: Ledger) -> Event | None:
    found, more = _EVENT.take(raw, where, ledger)
    extra |= {f"{where}{key}": value for key, value in more.items()}
    if ledger.problems:
        return None
    if found["after"] > n_messages:
        reason = f"is {found['after']}, but there are {n_messages} messages"
        ledger.problem(f"{where}after", reason, "use the number of the last message before the event, 0 for none")
        return None
    for side in ("from_role", "to_role"):
        if found.get(side) is not None:
            found[side] = _role(found[side], f"{where}{side}", extra, ledger)
    return Event(**{key: value for key, value in found.items() if value is not None})


def _contact(found: Found, extra: Found, ledger: Ledger) -> Contact:
    given, more = _CONTACT.take(found.get("contact") or {}, "contact.", ledger)
    extra |= {f"contact.{key}": value for key, value in more.items()}
    identities = []
    for position, item in _items(given, "identities", ledger, "contact."):
        where = f"contact.identities[{position}]."
        pair, besides = _IDENTITY.take(item, where, ledger)
        extra |= {f"{where}{key}": value for key, value in besides.items()}
        if pair.keys() == {"kind", "value"}:
            identities.append(Identity(**pair))
    if found.get("customer_id") is not None:
        identities.append(Identity(kind="customer_id", value=found["customer_id"]))
    return Contact(identities=tuple(dict.fromkeys(identities)), name=given.get("name"))


def merged(attributes: Mapping[str, JsonValue] | None, extra: Found) -> Found:
    """Attributes with what else stood in the row; of two under one name both stay."""
    both = dict(attributes or {})
    for key, value in extra.items():
        free = key
        while free in both and both[free] != value:
            free += "'"
        both[free] = value
    return both


def recognises(rows: list[JsonValue]) -> str | None:
    """Why these first rows are canonical, None if nothing says so."""
    for row in rows:
        if isinstance(row, dict):
            if row.get("type") in TYPES:
                return f'a row says "type": "{row["type"]}"'
            if "messages" in row and ("conversation_id" in row or "id" in row):
                return "rows have conversation_id and messages"
    return None
