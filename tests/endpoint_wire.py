"""The HTTP of the stand-in endpoint: keep-alive connections on a raw protocol, whole answers and broken ones.

A connection hands each request to `answer`, writes what comes back, and notes in the `Book` what it saw.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

BROKEN = frozenset({"hang", "trickle", "reset", "cut", "half_head"})  # what a connection itself can suffer
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Response(NamedTuple):
    """What goes back, `seconds` from now. `how`: whole, or one of BROKEN."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    how: str = "whole"


@dataclass
class Book:
    """What the server saw. Requests are known by the hash of their messages, `paid` are the completions it made."""

    requests: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    abandoned: int = 0  # the client went away before the answer
    impatient: int = 0  # came before the pause was over that a 429 had asked for
    connections: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    by_prompt: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    arrivals: list[float] = field(default_factory=list)
    throttled: list[tuple[float, float]] = field(default_factory=list)  # when, seconds asked for

    @property
    def paid_again(self) -> int:
        """Completions made for messages that had one already."""
        return sum(n - 1 for n in self.paid.values())

    def shown(self) -> dict[str, Any]:
        """As JSON; times are seconds of one clock."""
        return vars(self) | {"paid_again": self.paid_again, "n_paid": sum(self.paid.values())}


Answer = Callable[[str, str, Mapping[str, str], bytes], Response]


class Connection(asyncio.Protocol):
    """HTTP/1.1, one request at a time in the order of arrival."""

    def __init__(
        self, answer: Answer, book: Callable[[], Book], opened: set[Connection], skew_seconds: float
    ) -> None:  # fmt: skip
        self._answer, self._book, self._opened, self._skew = answer, book, opened, skew_seconds
        self._buffer = bytearray()
        self._busy = False
        self._keep = True
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._book().connections += 1
        self._opened.add(self)

    def abort(self) -> None:
        """Hang up without a word."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._opened.discard(self)
        if self._busy:
            self._book().abandoned += 1
            self._done()
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._advance()

    def _advance(self) -> None:
        while not self._busy and not self._transport.is_closing():
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            first, *rest = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
            words = first.split(" ")
            size = headers.get("content-length", "0")
            if len(words) != 3 or not size.isdigit() or "transfer-encoding" in headers:
                self._keep = False
                self._write(Response(400, b'{"error": {"message": "A Content-Length is needed."}}'))
                return
            total = end + 4 + int(size)
            if len(self._buffer) < total:
                if headers.get("expect") == "100-continue" and len(self._buffer) == end + 4:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            raw = bytes(self._buffer[end + 4 : total])
            del self._buffer[:total]
            connection = headers.get("connection", "").lower()
            self._keep = connection != "close" and (words[2] == "HTTP/1.1" or connection == "keep-alive")
            self._begin(self._answer(words[0], words[1], headers, raw))

    def _begin(self, response: Response) -> None:
        book = self._book()
        self._busy = True
        book.in_flight += 1
        book.max_in_flight = max(book.max_in_flight, book.in_flight)
        if response.how == "hang":
            return
        if response.seconds:
            self._timer = asyncio.get_running_loop().call_later(response.seconds, self._end, response)
        else:
            self._end(response)

    def _end(self, response: Response) -> None:
        self._timer = None
        self._book().statuses[response.status] += 1
        if response.how == "trickle":
            self._head(response)
            self._trickle(response.body, 0)
            return
        self._done()
        self._write(response)
        self._advance()

    def _done(self) -> None:
        self._busy = False
        self._book().in_flight -= 1

    def _trickle(self, body: bytes, at: int) -> None:
        """A byte at a time: never silent for long, done after minutes."""
        self._transport.write(body[at : at + 1])
        if at + 1 < len(body):
            self._timer = asyncio.get_running_loop().call_later(0.05, self._trickle, body, at + 1)
        else:
            self._done()

    def _head(self, response: Response) -> None:
        lines = [
            f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, 'Unknown')}",
            f"Date: {_date(int(time.time() + self._skew))}",
            "Content-Type: application/json",
            f"Content-Length: {len(response.body)}",
            *(f"{name}: {value}" for name, value in response.headers),
        ]
        if not self._keep:
            lines.append("Connection: close")
        self._transport.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def _write(self, response: Response) -> None:
        if response.how == "reset":
            self._transport.abort()
        elif response.how == "half_head":
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            self._transport.close()
        elif response.how == "cut":
            self._head(response)
            self._transport.write(response.body[: len(response.body) // 2])
            self._transport.close()
        else:
            self._head(response)
            self._transport.write(response.body)
            if not self._keep:
                self._transport.close()


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
