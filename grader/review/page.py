"""The one page of the review app: HTML with one script and one style, both named by hash in its policy.

Nothing of a plan stands in it: conversations, questions and names come later, to the session that may see them. The
scripts and styles that draw a conversation are the report's own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader import language, report
from grader.report import unseen
from grader.report.render import script_json

_OURS = Path(__file__).parent / "pages"
_SHARED = Path(report.__file__).parent / "templates"
STYLES = (_SHARED / "tokens.css", _SHARED / "transcript.css", _OURS / "review.css", _OURS / "panel.css")
SCRIPTS = (
    *(_SHARED / name for name in ("start.js", "case.js")),
    *(_OURS / name for name in ("outbox.js", "evidence.js", "state.js", "panel.js", "compare.js", "dialogs.js", "review.js")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Served:
    """The page, and the content security policy that it has to be served with."""

    html: str
    policy: str


@cache
def page(code: str = "en") -> Served:
    """The page in this language at first; it can be switched there, so all catalogues come with it."""
    style, script = _joined(STYLES), _joined(SCRIPTS)
    data = {
        "language": code,
        "languages": dict(language.LANGUAGES),
        "tags": {each: language.tag(each) for each in language.LANGUAGES},
        "words": {each: language.catalogue_of_scripts(each) for each in language.LANGUAGES},
        "unseen": {"pattern": unseen.PATTERN, "names": unseen.NAMES, "many": unseen.MANY},
    }
    filled = {"lang": language.tag(code), "style": style, "script": script, "data": str(script_json(data))}
    shell = (_OURS / "review.html").read_text(encoding="utf-8")
    html = re.sub("@(lang|style|script|data)@", lambda found: filled[found[1]], shell)
    policy = (
        f"default-src 'none'; script-src 'sha256-{_sha256(script)}'; style-src 'sha256-{_sha256(style)}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Served(html, policy)


def _joined(paths: tuple[Path, ...]) -> str:
    # A carriage return would be a newline to the browser, and another hash.
    return "\n".join(path.read_text(encoding="utf-8").replace("\r\n", "\n") for path in paths)


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
