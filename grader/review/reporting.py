"""The report of the plan's run within the session, so that a finding can be disputed where it is read."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import unescape
from pathlib import Path

from grader.errors import RefusedError
from grader.language import _
from grader.report import write
from grader.report.render import Document
from grader.report.write import Settings
from grader.store import Store

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}\.html")
_SESSION = '<script type="application/json" id="review">{"dispute": "../api/dispute", "app": "../"}</script>'


class Reports:
    """Written once, when it is first asked for; kept beside the journals."""

    def __init__(
        self, settings: Settings, run_id: str, folder: Path, opened: Callable[[], AbstractContextManager[Store]],
        within_process: threading.Lock,
    ) -> None:  # fmt: skip
        self._settings, self._run_id, self._folder = settings, run_id, folder / "report"
        self._opened, self._lock = opened, within_process
        self._index: Path | None = None

    def file(self, name: str) -> Document:
        """A file of the report; its first page where none is named. Raises HeldError while the database is held and
        none was written yet.
        """
        with self._lock:
            if self._index is None:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                with self._opened() as store:
                    self._index = write(store, self._settings, run_id=self._run_id, out=self._folder)
        path = self._folder / name if name else self._index
        if not _NAME.fullmatch(path.name) or not path.is_file():
            raise RefusedError(404, _("there is no such page"))
        return within(path.read_text(encoding="utf-8"))


def within(html: str) -> Document:
    """A page of the report that may ask this server: what its own policy allows, which goes into the header, and that.
    It is told where it is by an element with the id `review`.
    """
    found = _POLICY.search(html)
    policy = unescape(found[1]) if found else "default-src 'none'"
    if found:
        html = html[: found.start()] + html[found.end() :]
    end = html.rfind("</body>")
    end = end if end >= 0 else len(html)
    return Document(html[:end] + _SESSION + html[end:], f"{policy}; connect-src 'self'; frame-ancestors 'none'")
