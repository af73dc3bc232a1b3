"""The records that every stage shares, and the canonical hash that gives them identity.

Records are frozen. A conversation holds one `Message` per message of the source, in the source's order, so that
message numbers mean the same in the source, the prompt, the evidence and the report. Times are UTC; the offset that
the source gave is kept beside them. Unknown is None.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

JsonValue = Any  # what json.loads returns; pydantic's recursive alias costs a third of the validation time


class Record(BaseModel):
    """A frozen record that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical_json(value: JsonValue) -> str:
    """One text per value: sorted keys, no blanks, UTF-8 unescaped, NaN refused."""
    return _CANONICAL.encode(value)


def _jsonable(value: object) -> JsonValue:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_jsonable
)
_quoted = json.JSONEncoder(ensure_ascii=False).encode  # a text as JSON


def digest(prefix: str, value: JsonValue) -> str:
    """`prefix_` + the first 128 bits of SHA-256 over the canonical JSON: the identity of a record."""
    return _digest(prefix, canonical_json(value))


def _digest(prefix: str, written: str) -> str:
    return f"{prefix}_{hashlib.sha256(written.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


class Role(StrEnum):
    """Who speaks."""

    CUSTOMER = "customer"
    AI = "ai"
    HUMAN = "human"
    TOOL = "tool"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What a message is. `file` is any attachment that is neither voice nor image."""

    TEXT = "text"
    VOICE = "voice"
    IMAGE = "image"
    FILE = "file"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    NOTE = "note"
    EVENT = "event"


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def parse_time(value: object) -> object:
    """ISO 8601 text to an aware datetime; a time without offset is UTC (ingest maps a workspace's zone before).

    Offsets are kept in whole minutes. Raises ValueError for a time that UTC puts outside the years 1 to 9999.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is UTC:
        return value
    offset = value.utcoffset()
    if offset is None:
        return value.replace(tzinfo=UTC)
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC this time is outside the years 1 to 9999") from None
    minutes = round(offset / timedelta(minutes=1))
    if offset != timedelta(minutes=minutes):
        return value.astimezone(timezone(timedelta(minutes=minutes)))
    return value


Time = Annotated[datetime, BeforeValidator(parse_time)]  # aware; its own offset is kept, comparisons are in UTC


def offset_minutes(at: datetime | None) -> int | None:
    """Minutes east of UTC in the original writing, None where there is no time."""
    if at is None or at.tzinfo is UTC:
        return None if at is None else 0
    delta = at.utcoffset()
    return None if delta is None else round(delta / timedelta(minutes=1))


class ToolCall(Record):
    """A call that the agent made. Arguments are what the source gave: an object, or the raw text if it was no JSON."""

    id: str | None = None
    name: Text
    arguments: JsonValue = None


class Message(Record):
    """One message of the source. A tool result has `tool_call_id` and `name` where the source has them."""

    role: Role
    kind: Kind = Kind.TEXT
    text: str = ""
    at: Time | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    is_error: bool | None = None
    attributes: dict[str, JsonValue] = Field(default_factory=dict)


class Event(Record):
    """Something that happened beside the messages. `after`: number of the last message before it, 0 = before all."""

    kind: Text
    after: Annotated[int, Field(ge=0)]
    at: Time | None = None
    from_role: Role | None = None
    to_role: Role | None = None
    note: str | None = None


class Identity(Record):
    """One way in which a contact is known: a phone, email, whatsapp_id, customer_id, helpdesk_id, …"""

    kind: Text
    value: Text


class Contact(Record):
    """The person behind a conversation, as the identities that this conversation shows."""

    identities: tuple[Identity, ...] = ()
    name: str | None = None


class Reference(Record):
    """What a conversation is about, as a field of the source says: an order, a ticket, …"""

    kind: Text
    value: Text


class Conversation(Record):
    """One contact, as its messages in order. `attributes` keeps what the source said and Grader has no field for."""

    conversation_id: Text
    channel: str | None = None
    queue: str | None = None
    language: str | None = None
    reason: str | None = None  # contact reason as the source gives it; the judge's own is a verdict
    contact: Contact = Contact()
    started_at: Time | None = None
    ended_at: Time | None = None
    state: Literal["open", "closed"] | None = None  # None: the source does not say
    ai_version: str | None = None  # of the AI agent that answered
    initiated_by: Literal["customer", "business"] | None = None  # None: see store.inflow
    # Neither the start of a recontact window nor a recontact, for this reason.
    excluded: Literal["spam", "test", "survey", "outbound"] | None = None
    references: tuple[Reference, ...] = ()
    truncated: bool = False  # the source itself has cut messages off
    # True: the source records tool calls, so that a missing call means that none was made. None: not known.
    tools_recorded: bool | None = None
    messages: tuple[Message, ...]
    events: tuple[Event, ...] = ()
    attributes: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """Identity of what a judge can see. Contact, attributes and outcomes do not count, so that enriching a
        conversation does not make it new.
        """
        # Written by hand: of millions of messages, most are a text and a time.
        head = canonical_json({
            "channel": self.channel,
            "events": [[e.kind, e.after, _seen(e.at), e.from_role, e.to_role, e.note] for e in self.events],
        })  # fmt: skip
        tail: dict[str, JsonValue] = {
            "queue": self.queue,
            "started_at": _seen(self.started_at),
            "tools_recorded": self.has_tools,
        }
        if self.truncated:
            tail["truncated"] = True
        return _digest("cv", f'{head[:-1]},"messages":[{",".join(self._written()[2])}],{canonical_json(tail)[1:]}')

    @property
    def record_hash(self) -> str:
        """Identity of the whole record. A field that came later counts only where it says something, so that what an
        older Grader stored stays the same.
        """
        record = self.model_dump(mode="json", exclude={"messages"})
        said = {name: value for name, value in record.items() if value or name not in _LATER}
        head = canonical_json({name: value for name, value in said.items() if name < "messages"})
        tail = canonical_json({name: value for name, value in said.items() if name > "messages"})
        messages = ",".join(self._written()[1])
        return _digest("cr", f'{head[:-1]},"messages":[{messages}],{tail[1:]}')

    @property
    def written_messages(self) -> list[str]:
        """Each message as JSON: what every message has, and under `more` what few have, in its own order."""
        return self._written()[0]

    def _written(self) -> tuple[list[str], list[str], list[str]]:
        """Each message as it is stored, as a record, as a judge sees it. Kept, since an ingest needs it four times."""
        kept: tuple[tuple[Message, ...], list[str], list[str], list[str]] | None = self.__dict__.get("_kept")
        if kept is None or kept[0] is not self.messages:  # a copy may have other messages
            ways = [_write(m) for m in self.messages]
            kept = self.messages, [way[0] for way in ways], [way[1] for way in ways], [way[2] for way in ways]
            self.__dict__["_kept"] = kept
        return kept[1:]

    @property
    def has_tools(self) -> bool:
        """Tool calls are recorded in this conversation's source (said by the source, or seen here)."""
        return bool(self.tools_recorded) or any(
            m.tool_calls or m.role is Role.TOOL or m.kind is Kind.TOOL_RESULT for m in self.messages
        )

    @property
    def has_human(self) -> bool:
        """A human colleague spoke to the customer (internal notes do not count)."""
        return any(m.role is Role.HUMAN and m.kind is not Kind.NOTE for m in self.messages)

    @property
    def has_handoff(self) -> bool:
        """A human took over, or an event says that one should have."""
        return self.has_human or any(e.kind == "handoff" for e in self.events)

    @property
    def happened_at(self) -> datetime | None:
        """The time that decides which policy was in force: the start, else the earliest time that any message has."""
        return self.started_at or min((m.at for m in self.messages if m.at), default=None)


_LATER = frozenset({  # their defaults are all of them nothing: None, False, empty
    "state", "ai_version", "initiated_by", "excluded", "references", "truncated",
})  # fmt: skip


def _seen(at: datetime | None) -> list[JsonValue] | None:
    """The moment and the offset: the judge reads local times."""
    return [at.astimezone(UTC).isoformat(), offset_minutes(at)] if at else None


def _write(m: Message) -> tuple[str, str, str]:
    """A message as JSON in three ways: for the store, the canonical record, what a judge can see."""
    at, text, role, kind = m.at, _quoted(m.text), m.role, m.kind
    if at is None:
        said = seen = "null"
    else:
        moment = at.isoformat()
        utc = moment.endswith("+00:00")
        said = f'"{moment[:-6]}Z"' if utc else f'"{moment}"'
        seen = f'["{moment}",0]' if utc else canonical_json(_seen(at))
    if m.tool_call_id is None and m.name is None and m.is_error is None and not m.tool_calls and not m.attributes:
        return (  # most are a text and a time
            f'{{"role":"{role}","kind":"{kind}","text":{text},"at":{said}}}',
            (
                f'{{"at":{said},"attributes":{{}},"is_error":null,"kind":"{kind}","name":null,"role":"{role}",'
                f'"text":{text},"tool_call_id":null,"tool_calls":[]}}'
            ),
            f'["{role}","{kind}",{text},{seen},null,null,null,[]]',
        )
    record = m.model_dump(mode="json")
    more = json.dumps({name: record[name] for name in _MORE if record[name] not in (None, [], {})}, ensure_ascii=False)
    rest = canonical_json([m.tool_call_id, m.name, m.is_error, [[c.id, c.name, c.arguments] for c in m.tool_calls]])
    return (
        f'{{"role":"{role}","kind":"{kind}","text":{text},"at":{said},"more":{more}}}',
        canonical_json(record),
        f'["{role}","{kind}",{text},{seen},{rest[1:]}',
    )


_MORE = ("tool_calls", "tool_call_id", "name", "is_error", "attributes")


class Policy(Record):
    """A text that the agent had to follow, on the queues and dates that it covers (both dates inclusive).

    An empty `queues` means every queue; None for a date means open on that side.
    """

    policy_id: Text
    version: Text = "1"
    title: str | None = None
    text: Text
    queues: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def policy_hash(self) -> str:
        """Identity of what a judge can see of it."""
        return digest("po", [self.policy_id, self.version, self.title, self.text])

    def in_force(self, queue: str | None, on: date | None) -> bool:
        """Whether it covered this queue on this day. Without a time, only an undated policy covers a conversation."""
        if self.queues and (queue is None or queue not in self.queues):
            return False
        if on is None:
            return self.valid_from is None and self.valid_to is None
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


class Outcome(Record):
    """What happened after a conversation, as another system knows it. Recontact is computed, not ingested."""

    conversation_id: Text
    csat: Annotated[float, Field(ge=1, le=5)] | None = None  # 1 (worst) to 5
    csat_comment: str | None = None
    handled_by: Literal["ai", "human", "both"] | None = None
    resolution_minutes: Annotated[float, Field(ge=0)] | None = None
    handle_minutes: Annotated[float, Field(ge=0)] | None = None  # that a human spent on it
    observed_at: Time | None = None
    attributes: dict[str, JsonValue] = Field(default_factory=dict)


class Label(Record):
    """A human's answer to one criterion. `verdict_visible`: did they see the judge's answer first?"""

    conversation_id: Text
    rubric: Text
    rubric_version: Text
    criterion: Text
    answer: Text
    reviewer: Text
    message: Annotated[int, Field(ge=1)] | None = None
    quote: str | None = None
    clause: str | None = None
    note: str | None = None
    near_miss: bool = False
    verdict_visible: bool | None = None
    labelled_at: Time | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row, or an answer of a form, that could not be taken in: where, which field, why, how to mend it, how it
    begins.
    """

    file: str
    line: int
    field: str | None
    reason: str
    cure: str
    excerpt: str


class Evidence(Record):
    """A verbatim quote that a judge offered. `message` is a 1-based number, 0 for a clause of the policy."""

    message: int
    quote: str
    verified: bool = False
    problem: str | None = None  # not_found, wrong_message, wrong_role, no_such_message, too_short; None when verified


class Answer(StrEnum):
    """The answers of the `defect` scale; a `choice` allows its options and `cannot_assess`."""

    PRESENT = "present"
    ABSENT = "absent"
    NOT_APPLICABLE = "not_applicable"
    CANNOT_ASSESS = "cannot_assess"


class Support(StrEnum):
    """What stands behind a verdict."""

    VERIFIED = "verified"  # a quote that code has found where the judge said, by a role that can prove the criterion
    UNSUPPORTED = "unsupported"  # present, but no quote that holds: never counts as flagged
    NOT_NEEDED = "not_needed"  # absent, not applicable, cannot assess, a choice
    RULED = "ruled"  # answered by code without asking: what the criterion needs is not there


class Verdict(Record):
    """The answer of one judge to one criterion on one conversation."""

    criterion: str
    answer: str
    reasoning: str | None = None
    evidence: tuple[Evidence, ...] = ()
    support: Support = Support.NOT_NEEDED

    @property
    def flagged(self) -> bool:
        """A present defect that is proved."""
        return self.answer == Answer.PRESENT and self.support is Support.VERIFIED


class CallStats(Record):
    """What one call took. Tokens and cost are None where the endpoint or the price list does not tell."""

    model: str
    mode: str
    attempts: int  # HTTP requests that this call took, retries and re-asks included
    reasks: int = 0
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None  # of the request that answered
    waited_ms: float = 0.0  # back-off between attempts
    request_id: str | None = None
    finish_reason: str | None = None


class Failure(Record):
    """A judgement that could not be had: never a score, never dropped."""

    cause: str  # rate_limited, server_error, timeout, connection, bad_request, refused, truncated_reply, bad_reply, …
    detail: str
    retryable: bool
    http_status: int | None = None


class Judgement(Record):
    """What one judge said of one conversation by one rubric: verdicts, or a failure. `key` is the verdict key."""

    key: str
    conversation_id: str
    content_hash: str
    rubric: str
    rubric_version: str
    rubric_hash: str
    prompt_hash: str
    policy_hash: str | None
    judge: str  # "llm" or "signals"
    model: str
    parameters_hash: str
    repeat: int = 0
    truncated: bool = False
    judged_at: Time
    verdicts: tuple[Verdict, ...] = ()
    failure: Failure | None = None
    call_id: str | None = None  # shared by the judgements that one grouped call gave; None: no call was made
