"""Who the contacts are, for a person to read: how many conversations have one, what joins them, what joins nobody.

Nobody's phone or address comes out of here: the database does not have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from grader.store.connection import Connection


@dataclass(frozen=True)
class Kind:
    """Identities of one kind. `says_nothing`: conversations in which such a field holds nothing that identifies."""

    kind: str
    identities: int
    conversations: int
    barred: int
    says_nothing: int


@dataclass(frozen=True)
class Barred:
    """An identity that joins nobody, since so many contacts share it."""

    kind: str
    value: str  # the keyed hash
    contacts: int
    conversations: int
    examples: tuple[str, ...]
    barred_at: datetime


@dataclass(frozen=True)
class Covered:
    """How many of the conversations of a channel have a contact."""

    channel: str | None
    conversations: int
    with_contact: int


@dataclass(frozen=True)
class Large:
    """One of the contacts with the most conversations."""

    contact_id: str
    conversations: int
    identities: int


@dataclass(frozen=True)
class Change:
    """What became of a contact, and the identity that made it. `new_contact_id` None: there is no identity any more."""

    changed_at: datetime
    change: str  # merged, split, renamed
    contact_id: str
    new_contact_id: str | None
    kind: str | None
    value: str | None
    conversation_id: str | None


@dataclass(frozen=True)
class Roster:
    """Conversations = with a contact + only barred identities + none that identifies."""

    conversations: int
    with_contact: int
    only_barred: int
    contacts: int
    recurring: int  # contacts with more than one conversation
    barred_above: int | None  # None: no identity has come in yet
    channels: tuple[Covered, ...]
    kinds: tuple[Kind, ...]
    largest: tuple[Large, ...]
    changes: dict[str, int]

    @property
    def without_identity(self) -> int:
        """Conversations that show nothing by which somebody could be known."""
        return self.conversations - self.with_contact - self.only_barred


def roster(con: Connection, *, n_largest: int = 5) -> Roster:
    """The whole of it, by numbers."""
    ((conversations, with_contact, only_barred, contacts),) = con.rows(
        "select count(*), count(contact_id), count(*) filter (contact_id is null and conversation_id in "
        "(select conversation_id from shown)), count(distinct contact_id) from conversation"
    )
    ((recurring,),) = con.rows(
        "select count(*) from (select contact_id from conversation where contact_id is not null group by contact_id "
        "having count(*) > 1)"
    )
    largest = con.rows(
        "select contact_id, count(distinct conversation_id) as n, count(distinct value) from conversation "
        "join shown using (conversation_id) where value not in (select value from barred) and contact_id in ("
        "select contact_id from conversation where contact_id is not null group by contact_id "
        "order by count(*) desc, contact_id limit ?) group by contact_id order by n desc, contact_id",
        [n_largest],
    )
    channels = con.rows(
        "select channel, count(*) as n, count(contact_id) from conversation group by channel order by n desc, channel"
    )
    return Roster(
        conversations, with_contact, only_barred, contacts, recurring,
        next((k for (k,) in con.rows("select barred_above from people")), None),
        tuple(Covered(*row) for row in channels),
        tuple(Kind(*row) for row in con.rows(_sql("roster_kinds"))),
        tuple(Large(*row) for row in largest),
        dict(con.rows("select change, count(*) from contact_change group by change order by change")),
    )  # fmt: skip


def barred(con: Connection) -> list[Barred]:
    """The identities that join nobody, most shared first."""
    return [Barred(k, v, n, m, tuple(examples), at) for k, v, n, m, examples, at in con.rows(_sql("roster_barred"))]


def changes(con: Connection, limit: int | None = None) -> list[Change]:
    """What became of contacts, the latest first."""
    found = con.rows(
        "select changed_at, change, contact_id, new_contact_id, kind, 'id_' || replace(value::varchar, '-', ''), "
        "conversation_id from contact_change "
        "order by changed_at desc, change, contact_id, new_contact_id limit ?",
        [limit if limit is not None else 2**62],
    )
    return [Change(*row) for row in found]


@cache
def _sql(name: str) -> str:
    return (files("grader.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
