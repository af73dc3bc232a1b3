"""What can still be read of another database file: everything but the results, which come from journals.

Tables that lean on each other are copied together or not at all, so that no conversation is left without its messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.errors import StoreError
from grader.store.connection import Connection

_GROUPS = (
    ("conversation", "message", "event", "contact", "identity"),
    ("policy",),
    ("outcome",),
    ("label",),
    ("ingest", "rejection"),
    ("rubric", "criterion"),
    ("prompt",),
    ("run", "run_item"),
)


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
        for group in _GROUPS:
            try:
                with con.transaction():
                    for table in group:
                        con.rows(f"insert into {table} by name select * from old.{table}")
            except StoreError:
                lost += group
    finally:
        con.rows("detach old")
    return Salvaged(int(con.rows("select count(*) from conversation")[0][0]), tuple(lost))
