"""The database again, from the journals and what can be read of the old file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.engine.absorb import Absorbed, absorb
from grader.errors import InputError, StoreError
from grader.people import People
from grader.sampling.plan import document
from grader.sampling.plan import read as read_plan
from grader.store import Salvaged, check_free, open_store


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did. `kept`: where the old database is now, None when there was none; `lost`: the tables that
    could not be read from it.
    """

    kept: Path | None
    n_journals: int
    n_judgements: int
    n_conversations: int
    lost: tuple[str, ...] = ()


def rebuild(
    database: Path, journal_folder: Path, aside: Path, plans: Path | None = None, *, people: People | None = None
) -> Rebuilt:
    """Make a new database beside the old one, then let them change places: until then nothing is touched.
    `plans`: the folder of plan files, whose samples are kept again.

    Raises StoreError when another process holds the database, and InputError for a damaged journal or plan, once
    everything that is whole is in the new database.
    """
    check_free(database)
    if aside.exists():
        raise StoreError(f"{aside} is there already", cure="move it away, then run it again")
    making = database.with_name(f".{database.name}.rebuild")
    _remove(making)
    try:
        with open_store(making, people=people) as store:
            saved = store.salvage(database) if database.exists() else Salvaged(0, ())
            done, damaged = Absorbed(), None
            try:
                done = absorb(store, journal_folder, from_start=True)
            except InputError as error:
                damaged = error
            for path in sorted(plans.glob("*.json")) if plans is not None else ():
                try:
                    store.add_sample(document(read_plan(path)))
                except InputError as error:
                    damaged = damaged or error
        with open_store(making, people=people):
            pass  # an old file had identities in plain text: what is left of them in unused pages goes
        kept = aside if database.exists() else None
        try:
            for old, new in _with_log(database, aside):
                old.rename(new)
            making.rename(database)
        except OSError as error:
            raise StoreError(f"{database}: cannot be replaced: {error.strerror}", cure="check the rights") from error
    finally:
        _remove(making)
    if damaged is not None:
        raise damaged
    return Rebuilt(kept, done.n_journals, done.n_judgements, saved.n_conversations, saved.lost)


def _with_log(database: Path, aside: Path) -> Iterator[tuple[Path, Path]]:
    """The file and its write-ahead log, where they are there, with their new names."""
    for suffix in ("", ".wal"):
        old = database.with_name(database.name + suffix)
        if old.exists():
            yield old, aside.with_name(aside.name + suffix)


def _remove(database: Path) -> None:
    for suffix in ("", ".wal"):
        with contextlib.suppress(FileNotFoundError):
            database.with_name(database.name + suffix).unlink()
