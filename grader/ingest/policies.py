"""A policy as a Markdown file: YAML front matter that says what it covers and when, then the text as the agent had it.

One file is one row. Scalars of the front matter are read as they are written, so that the version 1.10 stays 1.10.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import yaml

from grader.ingest import canonical
from grader.ingest.jsontext import decode
from grader.ingest.rows import ROW_LIMIT, Incoming, Ledger, Parsed, Problem, UnfitError, excerpt
from grader.ingest.source import Source
from grader.model import JsonValue

SUFFIXES = (".md", ".markdown")
SHAPE = canonical.SHAPES["policy"]
FIELDS = ("policy_id", "version", "title", "queues", "valid_from", "valid_to")

_FENCED = re.compile(r"\A\s*---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)(.*)\Z", re.DOTALL | re.MULTILINE)
_NOTHING = {"", "~", "null", "Null", "NULL"}
_MAX_FRONT = 64 * 1024  # characters of front matter
_MAX_BRACKETS = 100  # the time that YAML takes grows with the square of them


def front_matter_for(path: Path) -> str:
    """What to put at the top of a policy file that has no front matter, with names made from the file's."""
    name = re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).strip("_") or "returns"
    return f"---\npolicy_id: {name}\nversion: 1\ntitle: …\nqueues: [orders, returns]\nvalid_from: 2026-01-01\n---"


def read(source: Source, ledger: Ledger) -> Parsed:
    """The file as one row."""
    raw = bytearray()
    for chunk in source.chunks():
        raw += chunk
        if len(raw) > ROW_LIMIT:
            reason = f"the file has more than {ROW_LIMIT:,} bytes"
            return Parsed(1, bytes(raw[:1024]), problem=Problem(None, reason, "is it a policy?"))
    start = bytes(raw[:1024])
    if source.failure:
        return Parsed(1, start, problem=source.failure)
    lines: dict[str, int] = {}  # of each field
    try:
        record = _policy(decode(bytes(raw), ledger), source.path, lines, ledger)
    except UnfitError as error:
        ledger.problem(None, error.reason, error.cure, error.line)
        record = None
    problem = ledger.settle()
    if problem and problem.line is None and problem.field:
        problem = replace(problem, line=lines.get(problem.field))
    return Parsed(1, start, () if problem or record is None else (record,), problem, size=len(raw))


def _policy(text: str, path: Path, lines: dict[str, int], ledger: Ledger) -> Incoming | None:
    text = text.replace("\r\n", "\n")
    fenced = _FENCED.match(text)
    if not fenced:
        raise UnfitError(
            "a policy needs front matter that says what it is and when it holds",
            f"put this at the top of the file, with your values:\n{front_matter_for(path)}",
        )
    front = _front(fenced[1], text.count("\n", 0, fenced.start(1)) + 1, lines)
    for key in front:
        if key not in FIELDS:
            SHAPE.refuse(key, FIELDS, key, ledger)
    row = {key: value for key, value in front.items() if key in FIELDS}
    lines.setdefault("text", text.count("\n", 0, fenced.start(2)) + 1)
    return canonical.record({**row, "type": "policy", "text": fenced[2].strip("\n")}, ledger)


def _front(text: str, begins: int, lines: dict[str, int]) -> dict[str, JsonValue]:
    """The fields of the front matter, whose first line is `begins` of the file; the line of each goes into `lines`."""
    cure = "write one `name: value` per line; put a value with `: ` in it in quotes"
    if len(text) > _MAX_FRONT:
        raise UnfitError("the front matter is longer than 64 KiB", "close it with a line ---")
    if max(text.count("["), text.count("{")) > _MAX_BRACKETS:
        raise UnfitError("lists stand in each other too deep for front matter", cure)
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = begins + error.problem_mark.line if error.problem_mark else begins
        raise UnfitError(f"the front matter is no YAML: {error.problem}", cure, line) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnfitError(f"the front matter is no YAML: {excerpt(str(error))}", cure) from None
    if not isinstance(node, yaml.MappingNode):
        raise UnfitError("the front matter is no list of names with values", cure)
    found: dict[str, JsonValue] = {}
    for name, value in node.value:
        key = _plain(name)
        line = begins + name.start_mark.line
        if not isinstance(key, str):
            raise UnfitError("the front matter has a name that is no text", cure, line)
        if key in found:
            raise UnfitError(f"{key[:80]!r} stands twice in the front matter", "keep one of the two", line)
        lines[key] = line
        found[key] = _plain(value)
    return {key: None if isinstance(value, str) and value in _NOTHING else value for key, value in found.items()}


def _plain(node: yaml.Node) -> JsonValue:
    """A scalar as it is written, a list of them; anything else is no value of front matter and stays an object."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [item.value if isinstance(item, yaml.ScalarNode) else {} for item in node.value]
    return {}
