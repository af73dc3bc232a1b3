"""The page of the review app: one document with one style and one script, both named by hash, the same for everybody.

What it shows of a session comes by JSON; only the languages of the interface stand in it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from grader import language
from grader.model import JsonValue
from grader.report import unseen
from grader.report.render import Document, document

FOLDER = Path(__file__).parent / "pages"
TEMPLATE = "review.html"
STYLES_OF_REPORT = ("tokens.css", "transcript.css")
SCRIPTS_OF_REPORT = ("start.js", "case.js", "selection.js")


@cache
def page(code: str) -> Document:
    """The page in this language. Its script can take any other: all catalogues stand in it."""
    with language.use(code):
        return document(
            FOLDER, TEMPLATE, (*STYLES_OF_REPORT, *_own("css")), (*SCRIPTS_OF_REPORT, *_own("js")),
            policy="connect-src 'self'; frame-ancestors 'none'",
            data={
                "language": code, "languages": words(), "unseen": unseen_characters(),
                "names": dict(language.LANGUAGES), "tags": {each: language.tag(each) for each in language.LANGUAGES},
            },
            lang=language.tag(code),
        )  # fmt: skip


def refused_page(error: str, cure: str | None, back: str) -> Document:
    """What a browser shows that opened what cannot be had: why, what to do, and the way back."""
    error, cure = error[:1].upper() + error[1:], cure and cure[:1].upper() + cure[1:]
    return document(
        FOLDER, "refused.html", (*STYLES_OF_REPORT, *_own("css")), (), policy="frame-ancestors 'none'", data=None,
        lang=language.tag(language.current()), error=error, cure=cure, back=back,
    )  # fmt: skip


def _own(kind: str) -> tuple[str, ...]:
    """The app's files, `main.js` last: the others only define."""
    names = sorted(p.name for p in FOLDER.glob(f"*.{kind}"))
    return tuple(sorted(names, key=lambda name: name == f"main.{kind}"))


def words() -> dict[str, JsonValue]:
    """The texts of the page's script in every language."""
    return {code: dict(language.catalogue_of_scripts(code)) for code in language.LANGUAGES}


def unseen_characters() -> dict[str, JsonValue]:
    """How characters that cannot be seen are found and called."""
    return {"pattern": unseen.PATTERN, "names": unseen.NAMES, "many": unseen.MANY}
