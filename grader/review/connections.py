"""So many connections and no more: whoever opens one after another, or sends a request letter by letter, uses up places
that are taken away again, and nobody is kept out by it.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 120  # a browser opens six; what a system allows a process begins at 256
AT_ONCE = 32  # that are accepted before any of them can be taken away again


class Bounded(H11Protocol):
    """A connection. Where there are too many, the oldest on which nothing is being answered is closed."""

    there: ClassVar[dict[Bounded, None]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, in the place of another if need be."""
        super().connection_made(transport)
        self.there[self] = None
        if len(self.there) > MOST:
            idle = (one for one in self.there if one.cycle is None or one.cycle.response_complete)
            gone = next(idle, self)
            del self.there[gone]
            gone.transport.abort()

    def data_received(self, data: bytes) -> None:
        """One that asks is younger than one that is only there."""
        super().data_received(data)
        if self.cycle is not None and self in self.there:
            del self.there[self]
            self.there[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Its place is free."""
        self.there.pop(self, None)
        super().connection_lost(exc)
