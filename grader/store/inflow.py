"""What comes in: conversations, policies, outcomes and labels, told apart as new, changed or unchanged.

The same record twice changes nothing; a record under a known id with other content replaces the old one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files

from grader.errors import StoreError
from grader.model import Conversation, JsonValue, Kind, Label, Outcome, Policy, Role, offset_minutes
from grader.people import People, keyed, shown
from grader.store import contacts, sealing
from grader.store.connection import Connection
from grader.store.outflow import as_given

GREETED_WITHIN = timedelta(hours=1)  # a greeting stands at the head of a chat that the customer opened

Incoming = Conversation | Policy | Outcome | Label


@dataclass(frozen=True)
class AddCounts:
    """How many of the records handed in were new, changed or unchanged."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: AddCounts) -> AddCounts:
        return AddCounts(self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged)


def utc_text(at: datetime | None) -> str | None:
    """A time as the database keeps it: UTC, without a zone."""
    return at.astimezone(UTC).isoformat(sep=" ")[:-6] if at else None


def add(
    con: Connection, batch: Sequence[tuple[Incoming, str | None, int | None]], ingest_id: str | None, people: People
) -> tuple[AddCounts, int]:
    """Take in (record, file, line) triples, in one transaction. Of the same id twice in a batch the last one stands.
    Returns with the counts how many identities wait to be settled; without an `ingest_id` none do.
    """
    return con.atomically(lambda: _add(con, batch, ingest_id, people))


def _add(
    con: Connection, batch: Sequence[tuple[Incoming, str | None, int | None]], ingest_id: str | None, people: People
) -> tuple[AddCounts, int]:
    conversations = _keyed(con, [(r, f, n) for r, f, n in batch if isinstance(r, Conversation)], people)
    counts, waiting = _add_conversations(con, conversations, ingest_id)
    counts += _replace(
        con, "policy", ("policy_id", "version"), [_policy(r) for r, _, _ in batch if isinstance(r, Policy)]
    )
    counts += _replace(
        con, "outcome", ("conversation_id",), [_outcome(r) for r, _, _ in batch if isinstance(r, Outcome)]
    )
    counts += replace_labels(con, [r for r, _, _ in batch if isinstance(r, Label)])
    if ingest_id is None and conversations:
        contacts.settle(con, people.barred_above)
        waiting = 0
    return counts, waiting


def replace_labels(con: Connection, labels: Sequence[Label]) -> AddCounts:
    """One row for each reviewer's answer to a criterion on a conversation: the latest. Within a transaction."""
    keys = ("conversation_id", "rubric", "rubric_version", "criterion", "reviewer")
    return _replace(con, "label", keys, [_label(x) for x in labels])


_Triple = tuple[Conversation, str | None, int | None]  # record, file, line


def _keyed(con: Connection, triples: Sequence[_Triple], people: People) -> list[_Triple]:
    """The conversations with their identities as they are stored. No text of one goes further than this."""
    if not any(c.contact.identities for c, _, _ in triples):
        return list(triples)
    key = sealing.key(con, people)
    return [(keyed(c, key, people.phone_region), file, line) for c, file, line in triples]


def _add_conversations(con: Connection, triples: Sequence[_Triple], ingest_id: str | None) -> tuple[AddCounts, int]:
    if not triples:
        return AddCounts(), 0
    ids = list({c.conversation_id for c, _, _ in triples})
    known: dict[str, str] = {}
    contact_of: dict[str, str | None] = {}
    whole: dict[str, int] = {}  # messages of those that their source has not cut off
    for key, record_hash, contact_id, truncated, n_messages in con.rows(
        "select conversation_id, record_hash, contact_id, truncated, n_messages from conversation "
        "where conversation_id in (select unnest(?))",
        [ids],
    ):
        known[key] = record_hash
        contact_of[key] = contact_id
        if not truncated:
            whole[key] = n_messages
    latest: dict[str, tuple[Conversation, str, str | None, int | None]] = {}
    n_new = n_changed = n_unchanged = 0
    for conversation, file, line in triples:
        key, record_hash = conversation.conversation_id, _record_hash(conversation)
        before = latest[key][1] if key in latest else known.get(key)
        # A list of tickets without their comments must not take the place of the tickets.
        shorter = conversation.truncated and len(conversation.messages) <= whole.get(key, 0)
        if before == record_hash or shorter:
            n_unchanged += 1
            continue
        n_new, n_changed = (n_new + 1, n_changed) if before is None else (n_new, n_changed + 1)
        latest[key] = (conversation, record_hash, file, line)
        if conversation.truncated:
            whole.pop(key, None)
        else:
            whole[key] = len(conversation.messages)
    pairs = {key: shown(c) for key, (c, _, _, _) in latest.items()}
    replaced = [key for key in latest if key in known]
    waiting = contacts.note(con, pairs, replaced)
    if replaced:
        for table in ("conversation", "message", "event", "reference"):
            con.rows(f"delete from {table} where conversation_id in (select unnest(?))", [replaced])
    for key in latest.keys() - known.keys():
        contact_of[key] = contacts.guess(pairs[key])
    fresh = list(latest.values())
    con.insert(
        "conversation",
        [_conversation(c, h, contact_of[c.conversation_id], file, line, ingest_id) for c, h, file, line in fresh],
    )
    con.insert_written("message", _WRITTEN, _INSERT_MESSAGE, [part for c, *_ in fresh for part in _messages(c)])
    con.insert("event", [row for c, *_ in fresh for row in _events(c)])
    con.insert("reference", [row for c, *_ in fresh for row in _references(c)])
    return AddCounts(n_new, n_changed, n_unchanged), waiting


def _record_hash(conversation: Conversation) -> str:
    try:
        return conversation.record_hash
    except (ValueError, RecursionError) as error:  # NaN, or nested deeper than a JSON text may be
        raise StoreError(
            f"conversation {conversation.conversation_id} cannot be kept: {error}",
            cure="such values are refused when a file is taken in: grader ingest",
        ) from error


def _conversation(
    c: Conversation, record_hash: str, contact_id: str | None, file: str | None, line: int | None, ingest_id: str | None
) -> dict[str, JsonValue]:
    started = c.happened_at
    ended = c.ended_at or max((m.at for m in c.messages if m.at), default=None)
    return {
        "conversation_id": c.conversation_id,
        "content_hash": c.content_hash,
        "record_hash": record_hash,
        "channel": c.channel,
        "queue": c.queue,
        "language": c.language,
        "reason": c.reason,
        "contact_id": contact_id,
        "started_at": utc_text(started),
        "started_offset_minutes": offset_minutes(started),
        "ended_at": utc_text(ended),
        "state": c.state,
        "ai_version": c.ai_version,
        **_spoken(c),
        "excluded": c.excluded,
        "truncated": c.truncated,
        "n_messages": len(c.messages),
        "n_chars": sum(len(m.text) for m in c.messages),
        "tools_recorded": c.tools_recorded,
        "has_tools": c.has_tools,
        "has_human": c.has_human,
        "has_handoff": c.has_handoff,
        "attributes": c.attributes or None,
        "as_given": as_given(c),
        "source_file": file,
        "source_line": line,
        "ingest_id": ingest_id,
    }


_SPEAKERS = frozenset({Role.CUSTOMER, Role.AI, Role.HUMAN})


def _spoken(c: Conversation) -> dict[str, JsonValue]:
    """Who spoke, and when it was asked and answered. Notes and tools do not count, and unknown speakers are nobody.

    Who began, where the source does not say: the customer, who may have been greeted first. The business, where the
    customer never wrote, or wrote more than an hour after the business did. None: nobody known speaks.
    """
    began = first = asked = answered = None
    has_customer = has_ai = has_first = False
    for m in c.messages:
        role = m.role
        if m.kind is Kind.NOTE or role not in _SPEAKERS:
            continue
        if not has_first:
            has_first, first, began = True, m.at, "business"
        if role is not Role.CUSTOMER:
            has_ai = has_ai or role is Role.AI
            answered = answered or (m.at if has_customer else None)
        elif not has_customer:
            has_customer, asked = True, m.at
            late = first is not None and asked is not None and asked - first > GREETED_WITHIN
            began = "business" if late else "customer"
    return {
        "initiated_by": c.initiated_by or began,
        "has_ai": has_ai,
        "asked_at": utc_text(asked),
        "answered_at": utc_text(answered),
    }


def _references(c: Conversation) -> Iterable[dict[str, JsonValue]]:
    for r in dict.fromkeys(c.references):
        yield {"conversation_id": c.conversation_id, "kind": r.kind, "value": r.value}


# What `sql/insert_message.sql` takes apart: messages as `Conversation.written_messages` has them.
_WRITTEN: JsonValue = {
    "conversation_id": "VARCHAR",
    "before": "INTEGER",
    "messages": [{"role": "VARCHAR", "kind": "VARCHAR", "text": "VARCHAR", "at": "VARCHAR", "more": "JSON"}],
}
_INSERT_MESSAGE = (files("grader.store") / "sql" / "insert_message.sql").read_text(encoding="utf-8")
_PART_CHARS = 1_000_000


def _messages(c: Conversation) -> Iterable[tuple[str, str]]:
    """(id, JSON of so many of its messages) in order. `before`: how many messages stand before them."""
    begin, size, written = 0, 0, c.written_messages
    for number, one in enumerate(written):
        if size > 0 and size + len(one) > _PART_CHARS:
            yield c.conversation_id, _part(c, begin, written[begin:number])
            begin, size = number, 0
        size += len(one)
    yield c.conversation_id, _part(c, begin, written[begin:])


def _part(c: Conversation, before: int, written: Sequence[str]) -> str:
    return (
        f'{{"conversation_id":{json.dumps(c.conversation_id, ensure_ascii=False)},"before":{before},'
        f'"messages":[{",".join(written)}]}}'
    )


def _events(c: Conversation) -> Iterable[dict[str, JsonValue]]:
    for position, e in enumerate(c.events, 1):
        yield {
            "conversation_id": c.conversation_id,
            "position": position,
            "kind": e.kind,
            "after": e.after,
            "happened_at": utc_text(e.at),
            "happened_offset_minutes": offset_minutes(e.at),
            "from_role": e.from_role.value if e.from_role else None,
            "to_role": e.to_role.value if e.to_role else None,
            "note": e.note,
        }


def _policy(p: Policy) -> dict[str, JsonValue]:
    return {**p.model_dump(mode="json"), "policy_hash": p.policy_hash}


def _outcome(o: Outcome) -> dict[str, JsonValue]:
    return {**o.model_dump(mode="json"), "observed_at": utc_text(o.observed_at), "attributes": o.attributes or None}


def _label(x: Label) -> dict[str, JsonValue]:
    return {**x.model_dump(mode="json"), "labelled_at": utc_text(x.labelled_at)}


def _replace(con: Connection, table: str, keys: Sequence[str], rows: Sequence[dict[str, JsonValue]]) -> AddCounts:
    """Rows by key: unchanged ones stay, changed ones are replaced, new ones come in. Told apart in the database."""
    if not rows:
        return AddCounts()
    by_key: dict[tuple[JsonValue, ...], dict[str, JsonValue]] = {}
    n_again = 0  # rows whose key comes again in this batch, with other content: changed before they were stored
    for row in rows:
        key = tuple(row[name] for name in keys)
        n_again += key in by_key and by_key[key] != row
        by_key[key] = row
    columns = ", ".join(f'"{name}"' for name in rows[0])
    same = " and ".join(f"old.{name} = new.{name}" for name in keys)
    con.rows(f"create or replace temp table incoming as select {columns} from {table} limit 0")
    con.insert("incoming", list(by_key.values()), like=table)
    con.rows(
        "delete from incoming as new using (select * from incoming intersect "
        f"select {columns} from {table} semi join incoming using ({', '.join(keys)})) as old where {same}"
    )
    (n_left,) = con.rows("select count(*) from incoming")[0]
    (n_changed,) = con.rows(
        f"select count(*) from incoming as new where exists (select 1 from {table} as old where {same})"
    )[0]
    if n_changed:
        con.rows(f"delete from {table} as old using incoming as new where {same}")
    con.rows(f"insert into {table} ({columns}) select {columns} from incoming")
    con.rows("drop table incoming")
    return AddCounts(n_left - n_changed, n_changed + n_again, len(rows) - n_left - n_again)
