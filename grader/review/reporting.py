"""The report of the plan's run within the session, so that a finding can be disputed where it is read."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import unescape
from pathlib import Path
from typing import TypeVar

from grader.errors import RefusedError
from grader.language import _
from grader.report import write
from grader.report.gathered import Limits
from grader.report.render import Document
from grader.report.write import LIMITS, Settings, parts_of
from grader.store import Store

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}\.html")
_SCRIPT = "const reach = (address, how) => fetch(address, how);"  # what the file itself does not have
_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()}'"
_DATA = '<script type="application/json" id="data">'


T = TypeVar("T")


class Reports:
    """Written once, when it is first asked for; kept beside the journals."""

    def __init__(
        self, settings: Settings, run_id: str, folder: Path, opened: Callable[[], AbstractContextManager[Store]],
        within_process: threading.Lock, limits: Limits = LIMITS,
    ) -> None:  # fmt: skip
        self._settings, self._run_id, self._folder = settings, run_id, folder / "report"
        self._opened, self._lock, self._limits = opened, within_process, limits
        self._index: Path | None = None

    def read(self, what: Callable[[Store], T]) -> T:
        """What this reads of the database. Raises HeldError while that is held."""
        with self._lock, self._opened() as store:
            return what(store)

    def file(self, name: str, folder: str = "") -> Document:
        """A file of the report; its first page where none is named. `folder`: that of a split report's parts. Raises
        HeldError while the database is held and none was written yet.
        """
        with self._lock:
            if self._index is None:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                with self._opened() as store:
                    self._index = write(  # reviewers read it: nobody is told what the others answered
                        store, self._settings, run_id=self._run_id, out=self._folder, limits=self._limits,
                        people=False,
                    )  # fmt: skip
        parts = parts_of(self._index)
        if folder not in ("", parts.name):
            raise RefusedError(404, _("there is no such page"))
        within_folder = parts if folder else self._folder
        path = within_folder / name if name or folder else self._index
        if not _NAME.fullmatch(path.name) or not path.is_file():
            raise RefusedError(404, _("there is no such page"))
        return within(path.read_text(encoding="utf-8"), up="../" * (2 if folder else 1))


def within(html: str, up: str = "../") -> Document:
    """A page of the report that may ask this server: what its own policy allows, which goes into the header, and that.
    It is told where it is by an element with the id `review`, and given what reaches it, a script of one line that is
    named by hash as its own is; `up` leads to the session's address.
    """
    found = _POLICY.search(html)
    policy = unescape(found[1]) if found else "default-src 'none'"
    if found:
        html = html[: found.start()] + html[found.end() :]
    told = json.dumps({"dispute": f"{up}api/dispute", "app": up})
    session = f'<script type="application/json" id="review">{told}</script><script>{_SCRIPT}</script>'
    policy = policy.replace("script-src ", f"script-src {_HASH} ", 1)
    at = html.find(_DATA)  # before all that the page's script waits for
    at = at if at >= 0 else len(html)
    return Document(html[:at] + session + html[at:], f"{policy}; connect-src 'self'; frame-ancestors 'none'")
