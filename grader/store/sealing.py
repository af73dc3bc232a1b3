"""The key's fingerprint, and the one-time change of a database of an older Grader, which kept identities in plain text.

The change is one transaction; what it leaves in unused pages of the file goes when the file is written anew.
"""

from __future__ import annotations

from pathlib import Path

from grader.errors import OldSchemaError
from grader.people import Key, People, keyed, shown
from grader.store import contacts, outflow
from grader.store.connection import Connection, rewrite

_AT_ONCE = 2_000  # conversations


def fingerprint(con: Connection) -> str | None:
    """That of the key which the identities are stored with; None: there are none yet."""
    return next((found for (found,) in con.rows("select key_fingerprint from people")), None)


def key(con: Connection, people: People, *, scrubbed: bool = True) -> Key:
    """The key, its fingerprint noted with the first identity. Inside a transaction. Raises StoreError."""
    known = fingerprint(con)
    found = people.keyring.key(known)
    if known is None:
        con.rows("insert into people values (?, ?, ?)", [found.fingerprint, people.barred_above, scrubbed])
    return found


def wanted(con: Connection) -> bool:
    """Whether there are identities in plain text."""
    return bool(con.rows("select 1 from plain limit 1"))


def undone(con: Connection) -> bool:
    """Whether an older Grader, or one that was killed, left something to do before anything else."""
    left = "exists (from plain) or exists (from unsettled) or exists (select 1 from people where not scrubbed)"
    return bool(con.rows(f"select {left}")[0][0])


def check_done(con: Connection) -> None:
    """Raises OldSchemaError where contacts wait to be settled: figures would be of half of them."""
    if con.rows("select exists (from plain) or exists (from unsettled)")[0][0]:
        raise OldSchemaError(
            f"{con.path}: an ingest was killed before it had told its contacts apart",
            cure="take the same files in again, or run `grader db info` once",
        )


def seal(con: Connection, people: People) -> None:
    """Replace every identity by its keyed hash, wherever it stands. Inside a transaction."""
    secret = key(con, people, scrubbed=False)
    ids = [i for (i,) in con.rows("select conversation_id from plain order by rowid")]
    con.rows("create or replace temp table sealed (conversation_id varchar, record_hash varchar, as_given json)")
    for start in range(0, len(ids), _AT_ONCE):
        found = outflow.conversations(con, ids[start : start + _AT_ONCE])
        stored = [keyed(conversation, secret, people.phone_region) for conversation in found]
        con.insert(
            "sealed",
            [
                {"conversation_id": c.conversation_id, "record_hash": c.record_hash, "as_given": outflow.as_given(c)}
                for c in stored
            ],
        )
        contacts.note(con, {c.conversation_id: shown(c) for c in stored}, ())
    con.rows(
        "update conversation set contact_id = null, record_hash = sealed.record_hash, as_given = sealed.as_given "
        "from sealed where sealed.conversation_id = conversation.conversation_id"
    )
    con.rows("drop table sealed; delete from plain")
    contacts.settle(con, people.barred_above)


def unscrubbed(con: Connection) -> bool:
    """Whether unused pages of the file may still hold identities in plain text."""
    return bool(con.rows("select 1 from people where not scrubbed"))


def scrub(path: Path) -> None:
    """Write the file anew, from what is in it now, and put it in the old one's place."""
    rewrite(path, "update people set scrubbed = true")
