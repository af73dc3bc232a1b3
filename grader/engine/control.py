"""What a run is told and what it tells: its options, the wish to stop, its progress, how it ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grader.errors import GraderError
from grader.judge import Case


@dataclass
class Progress:
    """Where a run stands. Counts are of judgements; `cost_usd` is None once a call had no known price."""

    n_todo: int
    n_done: int = 0
    n_judged: int = 0
    n_failed: int = 0
    n_failed_for_good: int = 0  # of those, the ones that do not pass by themselves
    n_calls: int = 0
    n_attempts: int = 0
    n_in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0
    causes: dict[str, int] = field(default_factory=dict)
    stopping: bool = False


@dataclass(frozen=True)
class Options:
    """How a run spends money and time. `reserve(case)` is the most that a call is thought to cost, None: unknown."""

    concurrency: int
    budget_usd: float | None = None
    abort_after_failures: int = 20
    reserve: Callable[[Case], float | None] = lambda _case: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True)
class Summary:
    """How a run ended. `state`: complete, incomplete (failures), interrupted, budget, refused (by the endpoint),
    aborted (by another error, or by too many failures).
    """

    run_id: str
    state: str
    progress: Progress
    error: GraderError | None = None


class Stop:
    """Asked once, a run takes no new work and finishes what is in flight; asked twice, it drops that too."""

    def __init__(self) -> None:
        self.requested = False
        self.at_once = False
        self._act: Callable[[], None] | None = None

    def request(self) -> None:
        """Ask to stop; the second time, at once."""
        self.at_once = self.requested
        self.requested = True
        if self._act is not None:
            self._act()

    @contextmanager
    def listening(self, act: Callable[[], None]) -> Iterator[None]:
        """Within the block, SIGINT and SIGTERM ask to stop (where the loop can take signals); each time `act` runs."""
        self._act = act
        loop = asyncio.get_running_loop()
        taken: list[signal.Signals] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self.request)
            except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
                continue
            taken.append(number)
        try:
            yield
        finally:
            self._act = None
            for number in taken:
                loop.remove_signal_handler(number)
