"""From a plan to a running session: material, people, a port, and an end that loses nothing.

Loopback only, IPv4: there is no option to be heard by another machine.
"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from grader.model import Rejected
from grader.report.write import Settings
from grader.review.connections import AT_ONCE, Bounded
from grader.review.material import Material
from grader.review.ports import ADDRESS, listening
from grader.review.reporting import Reports
from grader.review.server import Server
from grader.review.session import Person, Role, Session
from grader.review.writer import Writer
from grader.store import Store

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
    readable: Opened, port: int | None, reveal: bool, language: str,
    tell: Callable[[list[Address], list[Person]], None],
    warn: Callable[[str], None],
) -> Ended:  # fmt: skip
    """Serve until the process is asked to end. `tell` is given the addresses once they answer. `port`: None for the
    one that the plan had before. `warn` is told what it means that this one could not be had.
    """
    session = Session(material, folder, people, reveal=reveal, language=language)
    within_process = threading.Lock()
    writer = Writer(session, writable, within_process)
    reports = Reports(settings, material.plan.run_id, folder, readable, within_process)
    tokens = {secrets.token_urlsafe(24): person for person in session.served()}
    listens = listening(folder, port, warn)
    number = listens.getsockname()[1]
    config = uvicorn.Config(
        Server(session, writer, tokens, reports).app(number), log_config=None, access_log=False, server_header=False,
        lifespan="off", ws="none", http=Bounded, loop="asyncio", timeout_graceful_shutdown=int(_LAST_SECONDS),
        proxy_headers=False, timeout_keep_alive=30, backlog=AT_ONCE,
    )  # fmt: skip
    running = _Running(config)
    writer.start()
    try:
        addresses = [Address(p.name, p.role, f"http://{ADDRESS}:{number}/s/{token}/") for token, p in tokens.items()]
        with _quiet_log(), _ending(running):
            tell(addresses, session.served())
            running.run(sockets=[listens])
    finally:
        listens.close()
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
