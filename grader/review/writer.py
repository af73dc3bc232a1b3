"""The one that writes to the database: a thread that takes journals in whenever the database is free, and lets go of it
at once, so that `grader grade` can start at any moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from grader.errors import GraderError
from grader.model import Rejected
from grader.review.journal import Journal, note_taken
from grader.review.session import Person, Session, n_waiting, waiting_until
from grader.review.taking import of_journal, take
from grader.store import Store

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds, while another program holds the database
GATHER = 0.3  # seconds after an act in which others may come along

Opened = Callable[[], AbstractContextManager[Store]]


class Writer:
    """Takes in what waits. `within_process` is held while the database is open: one process opens it once."""

    def __init__(self, session: Session, opened: Opened, within_process: threading.Lock) -> None:
        self._session, self._opened, self._lock = session, opened, within_process
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="labels", daemon=True)
        self._rejected: list[Rejected] = []
        self._begun: set[str] = set()  # journals that were held against the database as a whole

    def start(self) -> None:
        """Begin; what waits from an earlier session is taken in first."""
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        """Something was settled."""
        self._wake.set()

    def end(self, seconds: float) -> int:
        """Try once more for so long; returns how many answers wait still."""
        self._ending.set()
        self._wake.set()
        self._thread.join(seconds)
        return sum(n_waiting(p) for p in self._session.people)

    def rejected(self) -> list[Rejected]:
        """What will not be taken in, and why."""
        return list(self._rejected)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            self._wake.wait()
            self._wake.clear()
            last = self._ending.is_set()
            if not last:
                self._ending.wait(GATHER)
            if self._flushed():
                pause = FIRST_PAUSE
                if last:
                    return
            else:
                if last:
                    time.sleep(FIRST_PAUSE)
                else:
                    self._ending.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                self._wake.set()

    def _flushed(self) -> bool:
        todo = [
            (p, n)
            for p in self._session.people
            if (n := len(p.journal.acts)) and (p.taken_to < n or p.journal.path.name not in self._begun)
        ]
        if not any(self._has_labels(p, n) for p, n in todo):
            for person, n in todo:
                person.taken_to = n
            return True
        try:
            with self._lock, self._opened() as store:
                self._session.held = None
                for person, n in sorted(todo, key=lambda one: one[0].role == "adjudicator"):
                    self._take(store, person, n)
        except GraderError as error:
            self._session.held = error
            return False
        note_taken(self._session.folder, {p.journal.path.name: p.taken_to for p in self._session.people})
        return True

    def _take(self, store: Store, person: Person, n: int) -> None:
        """The first time all of the journal is held against the database; then what came since."""
        name = person.journal.path.name
        if name in self._begun:
            waiting = waiting_until(person, n)
        else:
            kept = person.journal
            waiting = of_journal(Journal(kept.path, kept.plan_id, kept.name, kept.role, kept.acts[:n]))
        took = take(store, self._session.plan, waiting, datetime.now(UTC))
        self._begun.add(name)
        person.taken_to = n
        person.n_refused += len(took.rejected)
        self._rejected += took.rejected

    def _has_labels(self, person: Person, n: int) -> bool:
        first = person.taken_to if person.journal.path.name in self._begun else 0
        return any(a.kind in ("submit", "change", "undo", "dispute") for a in person.journal.acts[first:n])
