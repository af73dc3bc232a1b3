"""The page as one HTML file that needs nothing else: no network, one script, one style, both named by hash in its CSP.

Texts of others reach the page in two ways only: escaped by Jinja, or as JSON that the script puts into text nodes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import jinja2
from markupsafe import Markup, escape

from grader import language
from grader.report import unseen
from grader.report.case_view import SEVERITIES
from grader.report.causes import severity_word
from grader.report.gathered import Gathered, Part
from grader.report.index import Index
from grader.report.overview import words
from grader.report.tiles import plural
from grader.report.transcript import visible
from grader.report.view import Page

_FOLDER = Path(__file__).parent / "templates"
STYLES = ("tokens.css", "page.css", "front.css", "transcript.css", "case.css", "labels.css", "list.css", "print.css")
SCRIPTS = (
    "start.js", "data.js", "search.js", "case.js", "selection.js", "labels.js", "answering.js", "list.js", "rows.js",
    "main.js",
)  # fmt: skip
_UNSAFE_IN_SCRIPT = re.compile(f"[<>&{unseen.ALL}]")


@dataclass(frozen=True)
class PartFile:
    """A part of a split report as the others name it. `severities`: conversations by their worst finding."""

    href: str
    n: int
    n_flagged: int
    first: int
    last: int
    severities: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Place:
    """Which file of a report this is: the whole of it, or of a split one the front or a part (`number`, from 1)."""

    kind: Literal["whole", "front", "part"] = "whole"
    number: int = 0
    front: str = ""
    files: tuple[PartFile, ...] = ()


WHOLE = Place()


def html(
    page: Page, gathered: Gathered, place: Place = WHOLE, extra: Mapping[str, object] | None = None
) -> Iterator[str]:
    """The whole file, in stretches. `extra` are more values for the script, under names that are not taken yet."""
    style, script = _joined(STYLES), _joined(SCRIPTS)
    index, part = _index(gathered, place), None if place.kind == "front" else gathered.parts[max(0, place.number - 1)]
    yield from (
        _environment()
        .get_template("page.html")
        .generate(
            page=page,
            place=place,
            n_here=len(index.rows) if page.all else sum(bool(row["codes"]) for row in index.rows),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            csp=f"default-src 'none'; script-src 'sha256-{_sha256(script)}'; style-src 'sha256-{_sha256(style)}'; "
            "img-src data:; base-uri 'none'; form-action 'none'",
            data=script_json(
                {
                    "codes": page.codes,
                    "options": page.labels,
                    "shapes": gathered.shapes.records,
                    "shared": list(gathered.shapes.shared),
                    "signals": page.signals,
                    "all": page.all,
                    "place": place,
                    "run": page.run_id,
                    "masked": page.masked,
                    "unseen": {
                        "pattern": unseen.PATTERN,
                        "any": f"[{unseen.ALL}]",
                        "names": unseen.NAMES,
                        "many": unseen.MANY,
                    },
                    "language": language.current(),
                    "words": language.catalogue_of_scripts(language.current()),
                    **(extra or {}),
                }
            ),
            index=Markup(index.packed(words=part is not None)),  # noqa: S704 - digits
            chunks=_chunks(gathered, part),
            same_todo=_same_todo(page),
            words=words,
            plural=plural,
            lang=language.tag(language.current()),
        )
    )


def part_files(gathered: Gathered, folder: str) -> tuple[PartFile, ...]:
    """The parts of a split report as files of a folder: `part-01.html` and so on."""
    files, first = [], 1
    for number, part in enumerate(gathered.parts, 1):
        n = len(part.index.rows)
        severities = tuple((s, part.severities[s]) for s in SEVERITIES if part.severities[s])
        files.append(PartFile(f"{folder}part-{number:02}.html", n, part.n_flagged, first, first + n - 1, severities))
        first += n
    return tuple(files)


def _index(gathered: Gathered, place: Place) -> Index:
    """Of the part; on the front of all of them, where a part stands for a chunk."""
    if place.kind != "front":
        return gathered.parts[max(0, place.number - 1)].index
    whole = Index()
    for part in gathered.parts:
        whole.starts.append(len(whole.rows))
        whole.rows.extend(part.index.rows)
    return whole


def _chunks(gathered: Gathered, part: Part | None) -> Iterator[Markup]:
    for chunk in gathered.chunks(part) if part is not None else ():
        yield Markup(chunk)  # noqa: S704 - digits


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
