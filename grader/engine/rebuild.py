"""The database again, from the journals and what can be read of the old file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.engine import absorb
from grader.errors import StoreError
from grader.store import copy_inflow, open_store


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did. `kept`: where the old database is now, None when there was none."""

    kept: Path | None
    n_journals: int
    n_judgements: int
    n_conversations: int


def rebuild(database: Path, journal_folder: Path, aside: Path) -> Rebuilt:
    """Move the old database aside and make a new one. Raises StoreError or InputError; the old file is never lost."""
    kept = None
    if database.exists():
        database.rename(aside)
        wal = database.with_name(database.name + ".wal")
        if wal.exists():
            wal.rename(aside.with_name(aside.name + ".wal"))
        kept = aside
    with open_store(database) as store:
        n_conversations = 0
        if kept is not None:
            try:
                n_conversations = copy_inflow(kept, store)
            except StoreError:
                n_conversations = 0  # the old file cannot be read: that is why it is being rebuilt
        done = absorb(store, journal_folder, from_start=True)
    return Rebuilt(kept, done.n_journals, done.n_judgements, n_conversations)
