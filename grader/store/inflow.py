"""What comes in: conversations, policies, outcomes and labels, told apart as new, changed or unchanged.

The same record twice changes nothing; a record under a known id with other content replaces the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from grader.model import Conversation, Identity, JsonValue, Label, Outcome, Policy, digest, offset_minutes
from grader.store.connection import Connection

Incoming = Conversation | Policy | Outcome | Label

_NO_IDENTITY = {"", "anonymous", "anonymus", "unknown", "none", "null", "n/a", "na", "-", "undefined", "guest"}


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
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ") if at else None


def add(con: Connection, batch: Sequence[tuple[Incoming, str | None, int | None]], ingest_id: str | None) -> AddCounts:
    """Take in (record, file, line) triples, in one transaction. Of the same id twice in a batch the last one stands."""
    conversations = [(r, f, n) for r, f, n in batch if isinstance(r, Conversation)]
    with con.transaction():
        counts = _add_conversations(con, conversations, ingest_id)
        counts += _replace(
            con, "policy", ("policy_id", "version"), [_policy(r) for r, _, _ in batch if isinstance(r, Policy)]
        )
        counts += _replace(
            con, "outcome", ("conversation_id",), [_outcome(r) for r, _, _ in batch if isinstance(r, Outcome)]
        )
        keys = ("conversation_id", "rubric", "rubric_version", "criterion", "reviewer")
        counts += _replace(con, "label", keys, [_label(r) for r, _, _ in batch if isinstance(r, Label)])
    return counts


def _add_conversations(
    con: Connection, triples: Sequence[tuple[Conversation, str | None, int | None]], ingest_id: str | None
) -> AddCounts:
    if not triples:
        return AddCounts()
    ids = list({c.conversation_id for c, _, _ in triples})
    known: dict[str, str] = dict(
        con.rows(
            "select conversation_id, record_hash from conversation where conversation_id in (select unnest(?))", [ids]
        )
    )
    latest: dict[str, tuple[Conversation, str, str | None, int | None]] = {}
    n_new = n_changed = n_unchanged = 0
    for conversation, file, line in triples:
        key, record_hash = conversation.conversation_id, digest("cr", conversation)
        before = latest[key][1] if key in latest else known.get(key)
        if before == record_hash:
            n_unchanged += 1
            continue
        n_new, n_changed = (n_new + 1, n_changed) if before is None else (n_new, n_changed + 1)
        latest[key] = (conversation, record_hash, file, line)
    replaced = [key for key in latest if key in known]
    if replaced:
        for table in ("conversation", "message", "event"):
            con.rows(f"delete from {table} where conversation_id in (select unnest(?))", [replaced])
    contacts = _contacts(con, {key: c.contact.identities for key, (c, _, _, _) in latest.items()})
    fresh = list(latest.values())
    con.insert(
        "conversation",
        [_conversation(c, h, contacts[c.conversation_id], file, line, ingest_id) for c, h, file, line in fresh],
    )
    con.insert("message", [row for c, *_ in fresh for row in _messages(c)])
    con.insert("event", [row for c, *_ in fresh for row in _events(c)])
    return AddCounts(n_new, n_changed, n_unchanged)


def _conversation(
    c: Conversation, record_hash: str, contact_id: str | None, file: str | None, line: int | None, ingest_id: str | None
) -> dict[str, JsonValue]:
    times = [m.at for m in c.messages if m.at]
    started = c.started_at or min(times, default=None)
    ended = c.ended_at or max(times, default=None)
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
        "n_messages": len(c.messages),
        "n_chars": sum(len(m.text) for m in c.messages),
        "tools_recorded": c.tools_recorded,
        "has_tools": c.has_tools,
        "has_human": c.has_human,
        "has_handoff": c.has_handoff,
        "attributes": c.attributes or None,
        # What the columns cannot give back: the times as the source said them, the contact as it was shown.
        "as_given": c.model_dump(mode="json", include={"contact", "started_at", "ended_at"}),
        "source_file": file,
        "source_line": line,
        "ingest_id": ingest_id,
    }


def _messages(c: Conversation) -> Iterable[dict[str, JsonValue]]:
    for number, m in enumerate(c.messages, 1):
        yield {
            "conversation_id": c.conversation_id,
            "number": number,
            "role": m.role.value,
            "kind": m.kind.value,
            "text": m.text,
            "sent_at": utc_text(m.at),
            "sent_offset_minutes": offset_minutes(m.at),
            "tool_calls": [call.model_dump(mode="json") for call in m.tool_calls] or None,
            "tool_call_id": m.tool_call_id,
            "name": m.name,
            "is_error": m.is_error,
            "attributes": m.attributes or None,
        }


def _events(c: Conversation) -> Iterable[dict[str, JsonValue]]:
    for position, e in enumerate(c.events, 1):
        yield {
            "conversation_id": c.conversation_id,
            "position": position,
            "kind": e.kind,
            "after": e.after,
            "happened_at": utc_text(e.at),
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
    by_key = {tuple(row[key] for key in keys): row for row in rows}
    columns = ", ".join(f'"{name}"' for name in rows[0])
    same = " and ".join(f"old.{key} = new.{key}" for key in keys)
    con.rows(f"create or replace temp table incoming as select {columns} from {table} limit 0")
    con.insert("incoming", list(by_key.values()), like=table)
    con.rows(
        "delete from incoming as new using (select * from incoming intersect "
        f"select {columns} from {table}) as old where {same}"
    )
    (n_left,) = con.rows("select count(*) from incoming")[0]
    (n_changed,) = con.rows(
        f"select count(*) from incoming as new where exists (select 1 from {table} as old where {same})"
    )[0]
    if n_changed:
        con.rows(f"delete from {table} as old using incoming as new where {same}")
    con.rows(f"insert into {table} ({columns}) select {columns} from incoming")
    con.rows("drop table incoming")
    return AddCounts(n_left - n_changed, n_changed, len(rows) - n_left)


def normalise(identity: Identity) -> tuple[str, str] | None:
    """(kind, value) under which two writings of one identity meet; None when it identifies nobody."""
    kind, value = identity.kind.strip().lower(), identity.value.strip()
    if value.lower() in _NO_IDENTITY:
        return None
    if kind in {"phone", "whatsapp", "tel", "mobile"}:
        digits = re.sub(r"\D", "", value)
        return ("phone", digits.removeprefix("00")) if len(digits) >= 6 else None
    return (kind, value.lower()) if kind in {"email", "e-mail", "mail"} else (kind, value)


def _contacts(con: Connection, identities: dict[str, tuple[Identity, ...]]) -> dict[str, str | None]:
    """The contact of each conversation. Contacts that share an identity are merged, and the merge is kept."""
    wanted = {key: sorted({n for n in map(normalise, shown) if n is not None}) for key, shown in identities.items()}
    pairs = sorted({pair for shown in wanted.values() for pair in shown})
    found: dict[str, str | None] = dict.fromkeys(identities)
    if not pairs:
        return found
    owner: dict[tuple[str, str], str] = {
        (kind, value): contact
        for kind, value, contact in con.rows(
            "select i.kind, i.value, i.contact_id from identity as i join "
            "(select unnest(?) as kind, unnest(?) as value) as w using (kind, value)",
            [[kind for kind, _ in pairs], [value for _, value in pairs]],
        )
    }
    already = set(owner)
    merged: dict[str, str] = {}
    made: set[str] = set()

    def root(contact: str) -> str:
        while contact in merged:
            contact = merged[contact]
        return contact

    for shown in wanted.values():
        roots = sorted({root(owner[pair]) for pair in shown if pair in owner})
        if not shown:
            continue
        keep = roots[0] if roots else digest("ct", list(shown[0]))
        if not roots:
            made.add(keep)
        for other in roots[1:]:
            merged[other] = keep
        for pair in shown:
            owner.setdefault(pair, keep)
    for key, shown in wanted.items():
        found[key] = root(owner[shown[0]]) if shown else None
    con.insert("contact", [{"contact_id": contact, "merged_into": None} for contact in sorted(made)])
    con.insert(
        "identity",
        [{"kind": k, "value": v, "contact_id": root(owner[k, v])} for k, v in pairs if (k, v) not in already],
    )
    for old, new in ((old, root(old)) for old in merged):
        con.rows("update identity set contact_id = ? where contact_id = ?", [new, old])
        con.rows("update conversation set contact_id = ? where contact_id = ?", [new, old])
        con.rows("update contact set merged_into = ? where contact_id = ?", [new, old])
    return found
