"""YAML text → plain data plus the line of every value, so that a complaint can name its line.

Stricter than YAML on purpose: a key twice, a bare `no` that YAML reads as a boolean, merge keys and tags are refused
with a cure, because each of them silently says something else than its author meant.
"""

from __future__ import annotations

from typing import Any

import yaml

from grader.errors import RubricError

Path = tuple[str | int, ...]

_BOOLEAN_FIELDS = frozenset({"near_miss", "cites_policy"})
_TRUE = frozenset({"true", "yes", "on"})
_READ_AS = {
    "tag:yaml.org,2002:bool": "a boolean",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:null": "nothing",
}
_MAX_VALUES = 20_000  # aliases of aliases can unfold to billions
_MAX_BYTES = 2_000_000


def parse(raw: bytes, file: str) -> tuple[Any, dict[Path, int]]:
    """The data and its lines (1-based, by path). Raises RubricError with file and line."""
    if len(raw) > _MAX_BYTES:
        raise RubricError(f"{len(raw):,} bytes are no rubric", file=file, cure="a rubric is a page or two of YAML")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise RubricError("this is no UTF-8 text", file=file, line=line, cure="save the file as UTF-8") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        cure = "put a text with `: ` or ` #` in it in quotes, or under `>-`; indent with blanks, not tabs"
        raise RubricError(
            f"this is no YAML: {what}", file=file, line=mark.line + 1 if mark else None, cure=cure
        ) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise RubricError(
            "a control character stands here, which YAML does not allow", file=file, line=line, cure="remove it"
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RubricError("this is no YAML that can be read", file=file, cure="nest less deeply") from error
    if node is None:
        raise RubricError("the file is empty", file=file, cure="copy one of the shipped rubrics and change it")
    reader = _Reader(file)
    return reader.value(node, (), frozenset()), reader.lines


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.n_values = 0

    def value(self, node: yaml.Node, path: Path, above: frozenset[int]) -> Any:
        self.n_values += 1
        self.lines[path] = node.start_mark.line + 1
        if self.n_values > _MAX_VALUES:
            raise self.refusal(node, path, "too many values", "write less, and use fewer aliases")
        if id(node) in above:
            raise self.refusal(node, path, "this alias stands inside of what it names", "write the values out")
        above = above | {id(node)}
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self.mapping(node, path, above)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.value(item, (*path, index), above) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        raise self.refusal(node, path, f"the tag {node.tag} has no place in a rubric", "remove the tag")

    def mapping(self, node: yaml.MappingNode, path: Path, above: frozenset[int]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise self.refusal(key_node, path, "merge keys (<<) are not read", "write the fields out")
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.refusal(key_node, path, "a list or a mapping cannot be a key", "use a plain word")
            key = self.text(key_node, path, "the key")
            if key in found:
                raise self.refusal(
                    key_node, path, f"the key `{key}` stands here a second time (first on line {first[key]})",
                    "keep one of the two",
                )  # fmt: skip
            first[key] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, (*path, key), above)
            self.lines[(*path, key)] = key_node.start_mark.line + 1
        return found

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        if node.tag == "tag:yaml.org,2002:bool" and path and path[-1] in _BOOLEAN_FIELDS:
            return node.value.lower() in _TRUE
        if node.tag == "tag:yaml.org,2002:null" and not node.value:
            return None  # a field left empty; the record says whether it may be
        return self.text(node, path, "this value")

    def text(self, node: yaml.ScalarNode, path: Path, what: str) -> str:
        if node.tag == "tag:yaml.org,2002:str":
            return str(node.value)
        read_as = _READ_AS.get(node.tag)
        if read_as is None:
            raise self.refusal(node, path, f"the tag {node.tag} has no place in a rubric", "remove the tag")
        shown = node.value or "an empty text"
        message = f"YAML reads {what} `{shown}` as {read_as}, and a text is meant"
        version = path and path[-1] == "version" and what != "the key"
        cure = "write three numbers, as in 1.0.0" if version else f'put it in quotes: "{node.value}"'
        raise self.refusal(node, path, message, cure)

    def refusal(self, node: yaml.Node, path: Path, message: str, cure: str) -> RubricError:
        line = node.start_mark.line + 1
        return RubricError(message, file=self.file, line=line, field=written(path) or None, cure=cure)


def written(path: Path) -> str:
    """A path as people write it, list items counted from 1: `criteria[2].severity`."""
    out = ""
    for part in path:
        out += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if out else part
    return out
