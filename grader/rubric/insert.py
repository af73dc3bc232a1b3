"""Examples put into the text of a rubric file, and nothing else of it changed: comments, order and layout stay.

The text is cut open at the end of a criterion's examples; what results is read again and held against what it must be.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from grader.errors import RubricError
from grader.rubric import yaml_text
from grader.rubric.record import Criterion, Example, Rubric

_WIDTH = 120
_PLAIN = 104  # characters of a value that stands on the line of its key
_CURE = "write them in by hand; or write the criterion and its `examples:` in lines of their own, without anchors"


def with_examples(text: str, added: Mapping[str, Sequence[Example]], file: str) -> str:
    """The text with these examples behind those of each criterion, by code. Raises RubricError where the file is
    written in a way in which that cannot be done for certain.
    """
    before = parsed(text, file)
    newline = "\r\n" if "\r\n" in text else "\n"
    pieces = []
    for code, examples in added.items():
        before.criterion(code)
        at, lines = _place(text, code, examples, file)
        pieces.append((at, "".join(line + newline for line in lines)))
    out = text
    for at, piece in sorted(pieces, reverse=True):
        lead = "" if at == 0 or out[at - 1] == "\n" else newline
        out = out[:at] + lead + piece + out[at:]
    try:
        same = parsed(out, file) == _expected(before, added)
    except RubricError:
        same = False
    if not same:
        raise RubricError("examples cannot be put into this file as it is written", file=file, cure=_CURE)
    return out


def parsed(text: str, file: str) -> Rubric:
    """The rubric that a text holds, wherever it stands. Raises RubricError."""
    data, _ = yaml_text.parse(text.encode("utf-8", "surrogatepass"), file)
    try:
        return Rubric.model_validate(data)
    except ValidationError as error:
        what = error.errors(include_url=False)[0]["msg"]
        raise RubricError(f"is no rubric: {what}", file=file, cure="grader rubric lint FILE tells where") from error


def _expected(rubric: Rubric, added: Mapping[str, Sequence[Example]]) -> Rubric:
    criteria = [
        Criterion(**{**_fields(c), "examples": (*c.examples, *added.get(c.code, ()))}) for c in rubric.criteria
    ]  # fmt: skip
    return Rubric(**{**_fields(rubric), "criteria": tuple(criteria)})


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).model_fields}


def _place(text: str, code: str, examples: Sequence[Example], file: str) -> tuple[int, list[str]]:
    """Where the lines go, and the lines."""
    criterion = _criterion(text, code, file)
    found = _value(criterion, "examples")
    if found is None:
        indent = criterion.start_mark.column
        lines = [" " * indent + "examples:"]
        return _after(text, criterion), lines + _lines(examples, indent + 2, indent + 4)
    if not isinstance(found, yaml.SequenceNode) or found.flow_style or not found.value:
        line = found.start_mark.line + 1
        raise RubricError("these examples stand on one line", file=file, line=line, field=code, cure=_CURE)
    return _after(text, found), _lines(examples, found.start_mark.column, found.value[0].start_mark.column)


def _criterion(text: str, code: str, file: str) -> yaml.MappingNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    criteria = _value(root, "criteria") if isinstance(root, yaml.MappingNode) else None
    for node in criteria.value if isinstance(criteria, yaml.SequenceNode) and not criteria.flow_style else ():
        if isinstance(node, yaml.MappingNode) and not node.flow_style:
            named = _value(node, "code")
            if named is not None and named.value == code:
                return node
    raise RubricError("this criterion does not stand in lines of its own", file=file, field=code, cure=_CURE)


def _value(node: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _after(text: str, node: yaml.Node) -> int:
    """The beginning of the line behind the last one of a node; blank lines and comments behind it do not count."""
    while isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    end = int(node.end_mark.index)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        end = len(text[:end].rstrip())
    line_end = text.find("\n", end)
    return len(text) if line_end < 0 else line_end + 1


def _lines(examples: Sequence[Example], dash: int, key: int) -> list[str]:
    """The examples in the shipped files' own style."""
    out = []
    for example in examples:
        fields = [f"answer: {_short(example.answer)}"]
        if example.near_miss:
            fields.append("near_miss: true")
        fields += ["transcript: |-", *(f"  {line}" for line in example.transcript.split("\n"))]
        fields += _why(example.why, key) if example.why else []
        head, *rest = fields
        out.append(" " * dash + "-" + " " * (key - dash - 1) + head)
        out += [" " * key + line for line in rest]
    return out


def _why(why: str, indent: int) -> list[str]:
    if len(why) <= _PLAIN:
        return [f"why: {_short(why)}"]
    wrapped = textwrap.wrap(why, _WIDTH - indent - 2, break_long_words=False, break_on_hyphens=False)
    return ["why: >-", *(f"  {line}" for line in wrapped)]


def _short(text: str) -> str:
    """A value on the line of its key: as it is where YAML reads it as that text, else in quotes."""
    try:
        plain = text[:1].isalpha() and yaml.safe_load(f"k: {text}") == {"k": text}
    except yaml.YAMLError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)
