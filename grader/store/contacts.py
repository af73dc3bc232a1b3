"""Who is behind a conversation: identities that were shown together belong to one contact.

What a conversation shows is noted with it (`note`); which contact that makes it is settled afterwards, for many at
once (`settle`). Nothing here knows an identity's text: they come in as keyed hashes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import groupby

from grader.model import JsonValue
from grader.people import Pair
from grader.store.connection import Connection, Row

UNSETTLED_AT_MOST = 100_000  # identities that wait, before they are settled in the middle of a file


def guess(pairs: Sequence[Pair]) -> str | None:
    """The contact that a conversation makes by itself; None where it shows nobody."""
    return f"ct_{min(value for _, value in pairs)}" if pairs else None


def note(con: Connection, shown: Mapping[str, Sequence[Pair]], replaced: Collection[str]) -> int:
    """What these conversations show now; `replaced` were there before. Returns how many rows have to be settled."""
    before: dict[str, set[Pair]] = {key: set() for key in replaced}
    if replaced:
        for key, kind, value in con.rows(
            "select conversation_id, kind, replace(value::varchar, '-', '') from shown "
            "where conversation_id in (select unnest(?))",
            [[*replaced]],
        ):
            before[key].add((kind, value))
    changed = {key: pairs for key, pairs in shown.items() if set(pairs) != before.get(key, set())}
    if gone := [key for key in changed if before.get(key)]:
        con.rows("delete from shown where conversation_id in (select unnest(?))", [gone])
    rows = [
        {"conversation_id": key, "kind": kind, "value": value}
        for key, pairs in changed.items()
        for kind, value in sorted(set(pairs))
    ]
    con.insert("shown", rows)
    waiting = [{**row, "gone": False, "fresh": row["conversation_id"] not in before} for row in rows]
    waiting += [
        {"conversation_id": key, "kind": kind, "value": value, "gone": True, "fresh": False}
        for key in gone
        for kind, value in sorted(before[key] - set(changed[key]))
    ]
    con.insert("unsettled", waiting)
    return len(waiting)


def settle(con: Connection, barred_above: int | None) -> None:
    """Give the conversations that wait their contacts, bar what too many share, and log what became of contacts.

    Inside a transaction. `barred_above` None: as last time; another number than last time counts everything again.
    """
    before = next((k for (k,) in con.rows("select barred_above from people")), None)
    if before is None:
        return
    recount = barred_above is not None and barred_above != before
    if recount:
        con.rows("insert into unsettled select conversation_id, kind, value, false, false from shown")
    elif not con.rows("select 1 from unsettled limit 1"):
        return
    at = datetime.now(UTC).replace(tzinfo=None)
    con.rows(
        "create or replace temp table settling as select ?::timestamp as settled_at, ?::integer as barred_above, "
        "?::boolean as recount",
        [at, before if barred_above is None else barred_above, recount],
    )
    con.rows(_sql("settle"))
    while True:
        con.rows(_sql("settle_label"))
        (n_changed,) = con.rows(
            "select count(*) from label join next_label using (value) where label.label <> next_label.label"
        )[0]
        con.rows("create or replace temp table label as select value, label from next_label")
        if not n_changed:
            break
    con.rows(_sql("settle_end"))
    _log_new(con, con.rows(_sql("settle_new")), at)
    con.rows("delete from unsettled")
    for table in _TEMPORARY:
        con.rows(f"drop table {table}")


def _log_new(con: Connection, rows: Sequence[Row], at: datetime) -> None:
    """The merges of contacts that came in together: nobody has seen them apart, but a merge it is all the same.
    (new contact, old one, is it new, conversation, hashes) in the order in which they came in.
    """
    found: list[dict[str, JsonValue]] = []
    for new, members in groupby(rows, key=lambda row: row[0]):
        above: dict[str, str] = {}  # of each hash, another of its contact; the smallest names it and is above itself
        before: dict[str, str] = {}  # hash that names a contact now → what it was called before

        def root(value: str, above: dict[str, str] = above) -> str:
            while above[value] != value:
                above[value] = above[above[value]]
                value = above[value]
            return value

        for _, old, fresh, conversation_id, values in members:
            known = {root(value): value for value in reversed(values) if value in above}
            name = min([*known, *values])
            staying = before.keys() & known.keys() or {min(known, default=name)}  # the others end in it
            for other, by in known.items():
                if not fresh or other in staying:
                    continue
                ends = f"ct_{other}"
                if ends == new:  # the one that was there takes the newcomer's name
                    ends = before.get(min(staying), new)
                if ends != new:
                    found.append({
                        "contact_id": ends, "new_contact_id": new, "value": by, "conversation_id": conversation_id,
                    })  # fmt: skip
            called = old or next((before[other] for other in sorted(staying) if other in before), None)
            if called is not None:
                before[name] = called
            above |= dict.fromkeys([*known, *values], name)
    if not found:
        return
    for row in found:
        row |= {"changed_at": at.isoformat(sep=" "), "change": "merged", "kind": None}
    con.insert("contact_change", found)
    con.rows(  # what ended in a new one was taken for a mere change of name
        "delete from contact_change where change = 'renamed' and changed_at = ? and contact_id in (select unnest(?))",
        [at, [row["contact_id"] for row in found]],
    )
    con.rows(
        "update contact_change set kind = shown.kind from shown "
        "where contact_change.kind is null and contact_change.change = 'merged' and shown.value = contact_change.value"
    )


_TEMPORARY = (
    "settling", "touched", "shared", "newly_barred", "freed", "joining_nobody", "seed", "affected", "edge", "label",
    "next_label", "settled",
)  # fmt: skip


@cache
def _sql(name: str) -> str:
    return (files("grader.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
