"""The page as one HTML file that needs nothing else: no network, one script, one style, both named by hash in its CSP.

Texts of others reach the page in two ways only: escaped by Jinja, or as JSON that the script puts into text nodes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jinja2
from markupsafe import Markup, escape

from grader import language
from grader.report import unseen
from grader.report.causes import severity_word
from grader.report.overview import words
from grader.report.tiles import plural
from grader.report.transcript import visible
from grader.report.view import MAX_STATIC_FINDINGS, Page

_FOLDER = Path(__file__).parent / "templates"
STYLES = ("tokens.css", "page.css", "front.css", "transcript.css", "case.css", "print.css")
SCRIPTS = ("start.js", "case.js", "list.js", "main.js")
_UNSAFE_IN_SCRIPT = re.compile(f"[<>&{unseen.ALL}]")


def html(page: Page) -> str:
    """The whole file."""
    style, script = _joined(STYLES), _joined(SCRIPTS)
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            csp=f"default-src 'none'; script-src 'sha256-{_sha256(script)}'; style-src 'sha256-{_sha256(style)}'; "
            "img-src data:; base-uri 'none'; form-action 'none'",
            data=script_json(
                {
                    "cases": page.cases,
                    "codes": page.codes,
                    "options": _labels(page),
                    "all": page.all,
                    "unseen": {"pattern": unseen.PATTERN, "names": unseen.NAMES, "many": unseen.MANY},
                    "language": language.current(),
                    "words": language.catalogue_of_scripts(language.current()),
                }
            ),
            static_findings=_static(page),
            same_todo=_same_todo(page),
            words=words,
            plural=plural,
            lang=language.tag(language.current()),
        )
    )


class Document(NamedTuple):
    """A page, and the policy that goes with it as a header."""

    html: str
    csp: str


def document(
    folder: Path, name: str, styles: tuple[str, ...], scripts: tuple[str, ...], *, policy: str, data: object,
    **values: object,
) -> Document:  # fmt: skip
    """A page of another part: template, styles and scripts are looked up in its folder, then among the report's.
    `policy`: what its CSP says beyond the hashes.
    """
    style, script = _joined(styles, folder), _joined(scripts, folder)
    csp = (
        f"default-src 'none'; script-src 'sha256-{_sha256(script)}'; style-src 'sha256-{_sha256(style)}'; "
        f"img-src data:; base-uri 'none'; form-action 'none'; {policy}"
    )
    html = (
        _environment(folder)
        .get_template(name)
        .render(
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            csp=csp.replace("; frame-ancestors 'none'", ""),  # of no effect in a page itself
            data=script_json(data),
            **values,
        )
    )
    return Document(html, csp)


def page_html(name: str, styles: tuple[str, ...], **values: object) -> str:
    """A page without any script: its style stands in it, named by hash in its CSP."""
    style = _joined(styles)
    csp = f"default-src 'none'; style-src 'sha256-{_sha256(style)}'; img-src data:; base-uri 'none'; form-action 'none'"
    shown = Markup(style)  # noqa: S704 - our own file
    lang = language.tag(language.current())
    return _environment().get_template(name).render(style=shown, csp=csp, lang=lang, **values).lstrip()


def template(name: str) -> jinja2.Template:
    """A template of plain text: nothing is escaped, the one who renders it says how others' words are written."""
    environment = _environment().overlay(autoescape=False)
    return environment.get_template(name)


def _refs(text: str) -> Markup:
    """`[3]` as a link to the reference with that number."""
    parts = re.split(r"\[(\d+)\]", text)
    found = [
        Markup('<a class="ref" href="#r{0}">{0}</a>').format(part) if n % 2 else escape(_shown(part))
        for n, part in enumerate(parts)
    ]
    return Markup("").join(found)


def script_json(value: object) -> Markup:
    """JSON that can stand in a script element: nothing in it can end the element or begin markup, or cannot be seen."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=vars)
    safe = _UNSAFE_IN_SCRIPT.sub(_escaped, text)
    return Markup(safe)  # noqa: S704 - no character that HTML knows is left


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def _labels(page: Page) -> dict[str, str]:
    used = {case.resolved for case in page.cases} | {case.reason for case in page.cases}
    used |= {case.mood for case in page.cases}
    return {code: words(code) for code in sorted(used) if code}


def _static(page: Page) -> list[tuple[object, object]]:
    """(case, finding) pairs that are readable without JavaScript: the first finding of each case, then the rest."""
    by_case = [[(case, f) for f in case.findings if f.supported] for case in page.cases]
    deepest = max(map(len, by_case), default=0)
    pairs: list[tuple[object, object]] = [
        found[depth] for depth in range(deepest) for found in by_case if depth < len(found)
    ]
    return pairs[:MAX_STATIC_FINDINGS]


def _same_todo(page: Page) -> str:
    """What every rubric wants, where they all want the same."""
    wanted = {r.todo for r in page.believed}
    return wanted.pop() if len(page.believed) > 1 and len(wanted) == 1 else ""


def _shown(value: object) -> object:
    """Control and invisible characters of others' texts get a visible form; what is markup already stays."""
    return unseen.written_out(visible(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _joined(names: tuple[str, ...], folder: Path = _FOLDER) -> str:
    # A carriage return would be a newline to the browser, and another hash.
    paths = [folder / name if (folder / name).exists() else _FOLDER / name for name in names]
    return "\n".join(path.read_text(encoding="utf-8").replace("\r\n", "\n") for path in paths)


@cache
def _environment(folder: Path = _FOLDER) -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _FOLDER]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {"refs": _refs, "retold": language.retold}
    found.globals |= {"_": language._, "ngettext": language.ngettext, "number": language.number}
    found.globals["severity_word"] = severity_word
    return found
