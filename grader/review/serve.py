"""From a plan to a running session: material, people, a port, and an end that loses nothing.

Loopback only, IPv4: there is no option to be heard by another machine.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import secrets
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from grader.errors import ConfigError
from grader.model import Rejected
from grader.report.write import Settings
from grader.review.material import Material
from grader.review.reporting import Reports
from grader.review.server import Server
from grader.review.session import Person, Role, Session
from grader.review.writer import Writer
from grader.store import Store

ADDRESS = "127.0.0.1"
PORT, N_PORTS = 8737, 50  # the first one, and how many after it are tried
_TOKEN = re.compile(r"/s/[A-Za-z0-9_-]+")
_LAST_SECONDS = 3.0  # for requests that are under way when the session ends
FLUSH_SECONDS = 3.0  # for what waits, when the session ends

Opened = Callable[[], AbstractContextManager[Store]]


@dataclass(frozen=True, slots=True)
class Address:
    """Whose address it is."""

    name: str
    role: Role
    url: str


@dataclass(frozen=True, slots=True)
class Ended:
    """What a session came to. `n_waiting`: answers that are kept and not yet in the database."""

    progress: tuple[tuple[str, Role, int, int], ...]  # name, role, submitted, items
    n_waiting: int
    held_by: str | None
    rejected: tuple[Rejected, ...]


def served(
    material: Material, folder: Path, people: Sequence[tuple[str, Role]], settings: Settings, *, writable: Opened,
    readable: Opened, port: int, reveal: bool, language: str, tell: Callable[[list[Address], list[Person]], None],
) -> Ended:  # fmt: skip
    """Serve until the process is asked to end. `tell` is given the addresses once they answer."""
    session = Session(material, folder, people, reveal=reveal, language=language)
    within_process = threading.Lock()
    writer = Writer(session, writable, within_process)
    reports = Reports(settings, material.plan.run_id, folder, readable, within_process)
    tokens = {secrets.token_urlsafe(24): person for person in session.served()}
    listening = _listening(port)
    number = listening.getsockname()[1]
    config = uvicorn.Config(
        Server(session, writer, tokens, reports).app(number), log_config=None, access_log=False, server_header=False,
        lifespan="off", ws="none", http="h11", loop="asyncio", timeout_graceful_shutdown=int(_LAST_SECONDS),
        proxy_headers=False, timeout_keep_alive=30,
    )  # fmt: skip
    running = _Running(config)
    writer.start()
    try:
        addresses = [Address(p.name, p.role, f"http://{ADDRESS}:{number}/s/{token}/") for token, p in tokens.items()]
        with _quiet_log(), _ending(running):
            tell(addresses, session.served())
            running.run(sockets=[listening])
    finally:
        listening.close()
        n_waiting = writer.end(FLUSH_SECONDS)
        for person in session.people:
            person.journal.close()
    progress = tuple(
        (p.name, p.role, told["n_submitted"], told["n_items"])
        for p in session.served()
        if (told := session.progress(p))
    )
    return Ended(progress, n_waiting, session.held_by(), tuple(writer.rejected()))


class _Running(uvicorn.Server):
    """uvicorn would raise the signal again after an orderly end; ours ends with what is left to do."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to `_ending`."""
        yield


@contextmanager
def _ending(running: uvicorn.Server) -> Iterator[None]:
    """A signal ends the session in order; a second one at once."""

    def stop(number: int, frame: object) -> None:
        del number, frame
        if running.should_exit:
            running.force_exit = True
        running.should_exit = True

    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {one: signal.signal(one, stop) for one in wanted}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _listening(port: int) -> socket.socket:
    """A socket at this port, or the next one that is free where the usual one is wanted. Raises ConfigError."""
    for number in range(port, port + N_PORTS) if port == PORT else [port]:
        # Named as TCP, since asyncio sends at once (TCP_NODELAY) only what is; else each answer waits 40 ms for the
        # acknowledgement of its own head.
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((ADDRESS, number))
            found.listen(128)
        except OSError as error:
            found.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise ConfigError(f"port {number}: {error.strerror}", cure="--port 0 takes any free one") from error
        else:
            return found
    raise ConfigError(f"port {port} is taken", cure="--port 0 takes any free one")


class _Scrubbed(logging.Handler):
    """Errors of the server, without tokens and without what a request held."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write it to stderr."""
        lines = [record.getMessage()]
        if record.exc_info and record.exc_info[1]:
            lines += traceback.format_exception(record.exc_info[1])
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(_TOKEN.sub("/s/…", "\n".join(lines)) + "\n")


@contextmanager
def _quiet_log() -> Iterator[None]:
    logger, handler = logging.getLogger("uvicorn"), _Scrubbed(logging.ERROR)
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
