"""What waits in the journals of the review app, taken in before a command counts labels."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from grader.cli import console
from grader.errors import StoreError

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.model import Rejected
    from grader.store import Store


def take_in(settings: Settings) -> tuple[int, list[Rejected]]:
    """Take in whatever waits, of every plan: how many answers are new, and what is rejected. Raises StoreError."""
    from grader.review.taking import plans_with_journals, take, waiting_of
    from grader.store import open_store

    now, n_new = datetime.now(UTC), 0
    rejected: list[Rejected] = []
    with open_store(settings.workspace.database, create=False, people=console.people(settings)) as store:
        for plan, folder in plans_with_journals(store, settings.workspace.state_dir):
            for one in waiting_of(store, plan, folder):
                took = take(store, plan, one, now)
                n_new += took.n_new
                rejected += took.rejected
    return n_new, rejected


def before_counting(settings: Settings) -> None:
    """What waits is taken in, and told; where that cannot be done now, it is told and the command goes on without."""
    if not any((settings.workspace.state_dir / "review").glob("lp_*/rj_*.jsonl")):
        return
    from grader.cli.db import looked_at

    try:
        with looked_at(settings) as store:
            n = _n_waiting(settings, store)
        if not n:
            return
        n_new, _rejected = take_in(settings)
    except StoreError as error:
        console.note(f"answers of the review app may wait, and are not counted: {error.message}")
        return
    if n_new:
        console.note(f"taken in from the review app: {n_new:,} {'answer' if n_new == 1 else 'answers'}")


def _n_waiting(settings: Settings, store: Store) -> int:
    from grader.review.taking import plans_with_journals, waiting_of

    return sum(
        len(one)
        for plan, folder in plans_with_journals(store, settings.workspace.state_dir)
        for one in waiting_of(store, plan, folder)
    )
