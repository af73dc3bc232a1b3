"""The port of a plan's sessions. A browser keeps what waits by address and port, and a page of the next session finds
it at the same port alone: so the port is remembered beside the journals, and is the first that is tried.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable
from pathlib import Path

from grader.errors import ConfigError

ADDRESS = "127.0.0.1"
PORT, N_PORTS = 8737, 50  # the first one, and how many after it are tried
FILE = "port"
_TAKEN = (errno.EADDRINUSE, errno.EACCES)


def listening(folder: Path, port: int | None, warn: Callable[[str], None]) -> socket.socket:
    """A socket at this port; without one at the plan's last port, else at the first free one. Raises ConfigError."""
    last = _last(folder)
    found = None
    wanted = [port] if port is not None else [*([last] if last else []), *range(PORT, PORT + N_PORTS)]
    for number in wanted:
        if (found := _bound(number)) is not None:
            break
    if found is None:
        raise ConfigError(f"port {wanted[0]} is taken", cure="--port 0 takes any free one")
    number = found.getsockname()[1]
    if last and number != last:
        why = "is taken" if port is None else f"is not {number}"
        warn(
            f"port {last}, where this plan was reviewed last, {why}: answers that wait in a browser are sent from "
            f"there alone; if a page said that some do, end this and start again with --port {last} once it is free"
        )
    with contextlib.suppress(OSError):  # a wish, no need
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / FILE).write_text(f"{number}\n", encoding="ascii")
    return found


def _last(folder: Path) -> int | None:
    try:
        number = int((folder / FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return number if 0 < number < 65536 else None


def _bound(number: int) -> socket.socket | None:
    # Named as TCP, since asyncio sends at once (TCP_NODELAY) only what is; else each answer waits 40 ms for the
    # acknowledgement of its own head.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((ADDRESS, number))
        found.listen(128)
    except OSError as error:
        found.close()
        if error.errno in _TAKEN:
            return None
        raise ConfigError(f"port {number}: {error.strerror}", cure="--port 0 takes any free one") from error
    return found
