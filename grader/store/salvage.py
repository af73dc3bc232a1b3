"""What can still be read of another database file: everything but the results, which come from journals.

Tables that lean on each other are copied together or not at all, so that no conversation is left without its messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.errors import StoreError
from grader.store.connection import Connection

_GROUPS = (
    ("conversation", "message", "event", "reference", "contact", "identity"),
    ("policy",),
    ("outcome",),
    ("label",),
    ("ingest", "rejection"),
    ("rubric", "criterion"),
    ("prompt",),
    ("run", "run_item"),
    ("sample", "sample_stratum", "sample_item"),
)
# Tables that a later step of the schema brought: a database of an older Grader never had them, so they are not lost.
_SINCE = {"reference": 2, "sample": 4, "sample_stratum": 4, "sample_item": 4}


@dataclass(frozen=True)
class Salvaged:
    """How many conversations were copied, and the tables that could not be read."""

    n_conversations: int
    lost: tuple[str, ...]


def salvage(old: Path, con: Connection) -> Salvaged:
    """Copy inputs, rubrics, prompts and runs from `old` into an empty database; results are left out."""
    quoted = str(old).replace("'", "''")
    try:
        con.rows(f"attach '{quoted}' as old (read_only)")
    except StoreError:
        return Salvaged(0, tuple(table for group in _GROUPS for table in group))
    lost: list[str] = []
    try:
        for group in _tables(con):
            try:
                with con.transaction():
                    for table in group:
                        con.rows(f"insert into {table} by name select * from old.{table}")
            except StoreError:
                lost += group
    finally:
        con.rows("detach old")
    return Salvaged(int(con.rows("select count(*) from conversation")[0][0]), tuple(lost))


def _tables(con: Connection) -> list[tuple[str, ...]]:
    """The groups of tables that `old` has by its schema's number; all where even that cannot be read."""
    try:
        number = con.rows("select max(number) from old.migration")[0][0]
    except StoreError:
        return list(_GROUPS)
    return [kept for group in _GROUPS if (kept := tuple(t for t in group if _SINCE.get(t, 1) <= number))]
