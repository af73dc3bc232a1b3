"""What can still be read of another database file: everything but the results, which come from journals.

Tables that lean on each other are copied together or not at all, so that no conversation is left without its messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.errors import StoreError
from grader.people import People
from grader.store import sealing
from grader.store.connection import Connection

_GROUPS = (
    ("conversation", "message", "event", "reference", "shown", "unsettled", "barred", "contact_change", "people",
     "plain"),
    ("policy",),
    ("outcome",),
    ("label",),
    ("ingest", "rejection"),
    ("rubric", "criterion"),
    ("prompt",),
    ("run", "run_item"),
    ("sample", "sample_stratum", "sample_item"),
    ("label_plan", "label_stratum", "label_cell", "label_draw", "label_item"),
    ("label_record",),
    ("split_opening",),
    ("calibration", "calibration_code"),
    ("golden_set", "golden_item"),
    ("golden_check",),
    ("promotion",),
)  # fmt: skip
_SINCE = {  # the number of the schema that brought a table; the others were there from the start
    "reference": 2, "shown": 3, "unsettled": 3, "barred": 3, "contact_change": 3, "people": 3, "plain": 3,
    "sample": 4, "sample_stratum": 4, "sample_item": 4,
    "label_plan": 5, "label_stratum": 5, "label_cell": 5, "label_draw": 5, "label_item": 5, "label_record": 5,
    "split_opening": 5,
    "calibration": 6, "calibration_code": 6, "golden_set": 6, "golden_item": 6, "golden_check": 6, "promotion": 6,
}  # fmt: skip
_NOTE_PLAIN = (
    "insert into plain select conversation_id from conversation "
    "where json_array_length(as_given, '$.contact.identities') > 0"
)


@dataclass(frozen=True)
class Salvaged:
    """How many conversations were copied, and the tables that could not be read."""

    n_conversations: int
    lost: tuple[str, ...]


def salvage(old: Path, con: Connection, people: People) -> Salvaged:
    """Copy inputs, rubrics, prompts and runs from `old` into an empty database; results are left out. A table that is
    younger than `old` stays empty; identities that `old` has in plain text are replaced by their keyed hashes.
    """
    quoted = str(old).replace("'", "''")
    try:
        con.rows(f"attach '{quoted}' as old (read_only)")
    except StoreError:
        return Salvaged(0, tuple(table for group in _GROUPS for table in group))
    lost: list[str] = []
    try:
        schema = _schema(con)
        for group in _GROUPS:
            try:
                with con.transaction():
                    for table in group:
                        if schema >= _SINCE.get(table, 0):
                            con.rows(f"insert into {table} by name select * from old.{table}")
                    if group[0] == "conversation" and schema < _SINCE["plain"]:
                        con.rows(_NOTE_PLAIN)
            except StoreError:
                lost += group
    finally:
        con.rows("detach old")
    if sealing.wanted(con):
        con.atomically(lambda: sealing.seal(con, people))
    return Salvaged(int(con.rows("select count(*) from conversation")[0][0]), tuple(lost))


def _schema(con: Connection) -> int:
    """The number of the old file's schema; where that cannot be read, that of ours."""
    try:
        found = con.rows("select max(number) from old.migration")[0][0]
    except StoreError:
        found = None
    return int(found or max(_SINCE.values()))
