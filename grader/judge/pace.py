"""How many requests may be in flight now: ramped up at the start, held and halved when the endpoint says 429.

All time comes from the running loop. Every HTTP attempt takes a slot; a call that backs off holds none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

HALVE_EVERY_SECONDS = 1.0


class Pace:
    """At most `limit` requests in flight, `start` at first, one more every `step_seconds` until a 429 comes.

    After a 429 the allowance is halved (at most once a second) and nothing is sent before the hold ends; then it grows
    by one for every allowance-full of successes, up to the limit.
    """

    def __init__(self, limit: int, start: int, *, step_seconds: float = 0.01) -> None:
        self.limit = limit
        self._allowed = min(start, limit)
        self._step = step_seconds
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._hold_until = self._halved_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._grown_at: float | None = None
        self._throttled = False
        self._successes = 0

    @property
    def allowed(self) -> int:
        """How many may be in flight now."""
        return self._allowed

    def held_for(self) -> float:
        """Seconds until the next request may leave; 0 when one may leave now."""
        return max(0.0, self._hold_until - asyncio.get_running_loop().time())

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a place among the requests in flight, hold it for the block."""
        await self._enter()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._wake()

    async def _enter(self) -> None:
        if not self._waiting and self._free():
            self._in_flight += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._wake()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the place was given in the same moment: hand it on
                self._in_flight -= 1
                self._wake()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def _free(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._hold_until:
            return False
        if not self._throttled and self._allowed < self.limit:
            if self._grown_at is None:
                self._grown_at = now
            grown = int((now - self._grown_at) / self._step)
            if grown:
                self._allowed = min(self.limit, self._allowed + grown)
                self._grown_at += grown * self._step
        return self._in_flight < self._allowed

    def _wake(self) -> None:
        while self._waiting and self._free():
            turn = self._waiting.popleft()
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)
        ramping = not self._throttled and self._allowed < self.limit
        if self._waiting and self._timer is None and (self.held_for() > 0 or ramping):
            delay = self.held_for() or self._step
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._wake()

    def hold(self, seconds: float) -> None:
        """The endpoint asked for a pause: send nothing for so long, and fewer at a time afterwards."""
        now = asyncio.get_running_loop().time()
        if now >= self._halved_until:  # the requests that are in flight together are told no together
            self._allowed = max(1, self._allowed // 2)
            self._throttled, self._successes = True, 0
            self._halved_until = now + max(seconds, HALVE_EVERY_SECONDS)
        self._hold_until = max(self._hold_until, now + seconds)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    def succeeded(self) -> None:
        """A request was answered: room to grow again after a throttling."""
        if not self._throttled or self._allowed >= self.limit:
            return
        self._successes += 1
        if self._successes >= self._allowed:
            self._successes = 0
            self._allowed += 1
            self._wake()
