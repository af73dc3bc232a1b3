"""How many requests may be in flight now: ramped up at the start, held and cut back when the endpoint says 429.

All time comes from the running loop. Every HTTP attempt takes a slot; a call that backs off holds none.
"""

from __future__ import annotations

import asyncio
from collections import deque

EASE_EVERY_SECONDS = 1.0  # requests that are in flight together are told no together
MANY = 0.3  # a larger share of refusals means that far too much is in flight
FEWEST_ANSWERS = 10  # before anything is concluded from that share


class Pace:
    """At most `limit` requests in flight, `start` at first, one more every `step_seconds` until too many are refused.

    After a 429 nothing is sent before the pause that it asks for is over. One less may be in flight then, or half as
    many when more than a third of the recent answers were refusals, at most once a second. After such a halving the
    allowance grows by one for every allowance-full of successes, up to the limit.
    """

    def __init__(self, limit: int, start: int, *, step_seconds: float = 0.01) -> None:
        self.limit = limit
        self._allowed = max(1, min(start, limit))
        self._step = step_seconds
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._hold_until = self._eased_until = self._halved_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._grown_at: float | None = None
        self._halved = False
        self._successes = 0  # towards the next growth
        self._taken = self._refused = 0  # recent answers

    @property
    def allowed(self) -> int:
        """How many may be in flight now."""
        return self._allowed

    @property
    def in_flight(self) -> int:
        """How many are."""
        return self._in_flight

    def held_for(self) -> float:
        """Seconds until the next request may leave; 0 when one may leave now."""
        return max(0.0, self._hold_until - asyncio.get_running_loop().time())

    def slot(self) -> Pace:
        """`async with pace.slot():` waits for a place among the requests in flight and holds it for the block."""
        return self

    async def __aenter__(self) -> None:
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

    async def __aexit__(self, *_: object) -> None:
        self._in_flight -= 1
        self._wake()

    def _free(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._hold_until:
            return False
        if not self._halved and self._allowed < self.limit:
            if self._grown_at is None:
                self._grown_at = now
            grown = int((now - self._grown_at) / self._step)
            if grown > 0:
                self._allowed = min(self.limit, self._allowed + grown)
                self._grown_at += grown * self._step
        return self._in_flight < self._allowed

    def _wake(self) -> None:
        while self._waiting and self._free():
            turn = self._waiting.popleft()
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)
        ramping = not self._halved and self._allowed < self.limit
        if self._waiting and self._timer is None and (self.held_for() > 0 or ramping):
            delay = self.held_for() or self._step
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._wake()

    def hold(self, seconds: float) -> None:
        """The endpoint refused a request and asks for a pause: send nothing for so long, and less afterwards."""
        now = asyncio.get_running_loop().time()
        self._note(refused=1)
        answers = self._taken + self._refused
        if now >= self._halved_until and answers >= FEWEST_ANSWERS and self._refused > MANY * answers:
            self._allowed = max(1, self._allowed // 2)
            self._halved = True
            self._halved_until = self._eased_until = now + max(seconds, EASE_EVERY_SECONDS)
            self._taken = self._refused = self._successes = 0
        elif now >= self._eased_until:
            self._allowed = max(1, self._allowed - 1)
            self._eased_until = now + max(seconds, EASE_EVERY_SECONDS)
            if self._grown_at is not None:
                self._grown_at = self._eased_until  # the first ramp goes on a moment later
        self._hold_until = max(self._hold_until, now + seconds)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    def _note(self, *, taken: int = 0, refused: int = 0) -> None:
        self._taken += taken
        self._refused += refused
        if self._taken + self._refused > 2 * max(self.limit, FEWEST_ANSWERS):  # what is old counts for less
            self._taken //= 2
            self._refused //= 2

    def succeeded(self) -> None:
        """A request was answered: room to grow again after a halving."""
        self._note(taken=1)
        if not self._halved or self._allowed >= self.limit:
            return
        self._successes += 1
        if self._successes >= self._allowed:
            self._successes = 0
            self._allowed += 1
            self._wake()
