"""Rubric files → `Rubric` records. Knows where rubrics stand (`rubrics/<name>/<version>.yaml`) and how to find one.

Every complaint is a RubricError with file, line, field and cure. Nothing here knows a judge or a conversation.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from grader.errors import RubricError
from grader.model import Role
from grader.rubric import yaml_text
from grader.rubric.record import NEEDS, SEVERITIES, VERSION, Criterion, Example, MisplacedError, Rubric, version_key

_SUFFIXES = (".yaml", ".yml")
_FIELDS = {
    "rubric": tuple(Rubric.model_fields),
    "criterion": tuple(Criterion.model_fields),
    "example": tuple(Example.model_fields),
}
_REQUIRED = frozenset({"name", "version", "criteria", "code", "question", "answer", "transcript"})
_CHOICES: dict[str, tuple[str, ...]] = {
    "severity": SEVERITIES,
    "needs": NEEDS,
    "proof": tuple(role.value for role in Role),
    "scale": get_args(Criterion.model_fields["scale"].annotation),
}


def load(path: str | os.PathLike[str]) -> Rubric:
    """The rubric in this file. Raises RubricError that names file, line, field and cure."""
    problems: list[RubricError] = []
    rubric = read(path, problems)
    if rubric is None:
        first, *others = problems
        if others:
            more = f"and {len(others)} more problem{'s' if len(others) > 1 else ''} in this file"
            raise RubricError(
                f"{first.reason} ({more})", file=first.file, line=first.line, field=first.field, cure=first.cure
            )
        raise first
    return rubric


def read(path: str | os.PathLike[str], problems: list[RubricError]) -> Rubric | None:
    """Like `load`, but appends every problem to `problems` and returns None where there is one."""
    file = Path(path)
    name = str(path)
    try:
        data, lines = yaml_text.parse(_bytes(file), name)
    except RubricError as error:
        problems.append(error)
        return None
    if not isinstance(data, dict):
        cure = "begin with `name:`, `version:` and `criteria:`; a shipped rubric shows how"
        problems.append(RubricError("a rubric is a mapping of fields", file=name, line=1, cure=cure))
        return None
    try:
        rubric = Rubric.model_validate(data)
    except ValidationError as error:
        problems.extend(_told(error, data, lines, name))
        return None
    found = [*_placed(rubric, file, lines, name), *_both_options(rubric, lines, name)]
    problems.extend(found)
    return None if found else rubric


def lines(path: str | os.PathLike[str]) -> dict[yaml_text.Path, int]:
    """The line of every value in this file, by its path. Raises RubricError where it is no YAML."""
    return yaml_text.parse(_bytes(Path(path)), str(path))[1]


def load_all(folder: str | os.PathLike[str]) -> list[Rubric]:
    """Every version of every rubric below the folder, by name and version. Raises RubricError at the first bad file."""
    rubrics: dict[tuple[str, str], tuple[Rubric, Path]] = {}
    for path in files(folder):
        rubric = load(path)
        first = rubrics.setdefault((rubric.name, rubric.version), (rubric, path))
        if first[1] != path:
            raise RubricError(
                f"{rubric.reference} stands here and in {first[1]}",
                file=str(path),
                cure="give one another version or name",
            )
    return sorted((r for r, _ in rubrics.values()), key=lambda r: (r.name, version_key(r.version)))


def newest(folder: str | os.PathLike[str]) -> list[Rubric]:
    """The newest version of each rubric below the folder, by name. Older files are not read."""
    return [find(folder, name) for name in _names(Path(folder))]


def files(folder: str | os.PathLike[str]) -> list[Path]:
    """The rubric files below the folder: `<name>/<version>.yaml`, and any YAML file that stands in it directly."""
    root = Path(folder)
    if not root.is_dir():
        raise RubricError(
            "there is no such folder of rubrics", file=str(folder), cure="`grader init` makes a workspace with rubrics"
        )
    found = (path for pattern in ("*", "*/*") for path in root.glob(pattern) if _is_rubric_file(path, root))
    return sorted(found)


def find(folder: str | os.PathLike[str], reference: str) -> Rubric:
    """`accuracy` (its newest version), `accuracy@1.0.0`, or the path of a YAML file."""
    return load(locate(folder, reference))


def locate(folder: str | os.PathLike[str], reference: str) -> Path:
    """The file that `find` reads. Raises RubricError, with the nearest names, where there is none."""
    reference = reference.strip()
    if reference.endswith(_SUFFIXES) or "/" in reference or os.sep in reference:
        return Path(reference)
    name, at, version = reference.partition("@")
    if not name or (at and not version):
        raise RubricError(f"{reference!r} names no rubric", cure="write a name, name@1.0.0, or the path of a YAML file")
    root = Path(folder)
    versions = _versions(root, name)
    if not versions:
        names = _names(root)
        raise RubricError(f"there is no rubric {name!r} in {folder}", cure=_instead(name, names, "rubrics"))
    if not at:
        return versions[max(versions, key=version_key)]
    if version not in versions:
        known = sorted(versions, key=version_key)
        raise RubricError(f"rubric {name} has no version {version!r}", cure=_instead(version, known, "versions"))
    return versions[version]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise RubricError("there is no such file", file=str(file), cure="check the path") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RubricError(f"cannot be read: {reason}", file=str(file), cure="check the path and its rights") from error


def _is_rubric_file(path: Path, root: Path) -> bool:
    relative = path.relative_to(root)
    return (
        path.suffix in _SUFFIXES and path.is_file() and not any(part.startswith((".", "_")) for part in relative.parts)
    )


def _names(root: Path) -> list[str]:
    names = {path.parent.name if path.parent != root else load(path).name for path in files(root)}
    return sorted(names)


def _versions(root: Path, name: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files(root):
        if path.parent == root:
            rubric = load(path) if path.stem == name or not (root / name).is_dir() else None
            if rubric is None or rubric.name != name:
                continue
            version = rubric.version
        elif path.parent.name == name:
            version = path.stem
            if not VERSION.fullmatch(version):
                raise RubricError(
                    "the file's name is no version",
                    file=str(path),
                    cure=f"name it as in {name}/1.0.0.yaml, or move it away",
                )
        else:
            continue
        if version in found:
            raise RubricError(
                f"{name}@{version} stands here and in {found[version]}", file=str(path), cure="remove one of the two"
            )
        found[version] = path
    return found


def _instead(word: str, known: Iterable[str], what: str) -> str:
    known = list(known)
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}? ({what}: {', '.join(known)})"
    return f"{what} that are there: {', '.join(known) or 'none'}"


def _placed(rubric: Rubric, file: Path, lines: Mapping[yaml_text.Path, int], name: str) -> list[RubricError]:
    """A file that is named like a version stands in the folder of its name and says the same version inside."""
    if not VERSION.fullmatch(file.stem):
        return []
    found = []
    if rubric.version != file.stem:
        found.append(
            RubricError(
                f"the file says {rubric.version}, its name says {file.stem}", file=name, line=lines.get(("version",)),
                field="version", cure="make both the same; `grader rubric new-version` writes the next one",
            )
        )  # fmt: skip
    folder = file.absolute().parent.name
    if rubric.name != folder:
        found.append(
            RubricError(
                f"the file says {rubric.name}, its folder says {folder}", file=name, line=lines.get(("name",)),
                field="name", cure="make both the same",
            )
        )  # fmt: skip
    return found


def _both_options(rubric: Rubric, lines: Mapping[yaml_text.Path, int], name: str) -> list[RubricError]:
    return [
        RubricError(
            "`options` and `options_from` are both given", file=name, line=_line(("criteria", index), lines),
            field=f"criteria.{criterion.code}", cure="keep one of the two",
        )
        for index, criterion in enumerate(rubric.criteria)
        if criterion.options is not None and criterion.options_from is not None
    ]  # fmt: skip


def _line(path: yaml_text.Path, lines: Mapping[yaml_text.Path, int]) -> int | None:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _told(
    error: ValidationError, data: Mapping[str, Any], lines: Mapping[yaml_text.Path, int], file: str
) -> list[RubricError]:
    """Pydantic's complaints in our words, each with its line."""
    found = []
    for item in error.errors(include_url=False):
        context = item.get("ctx") or {}
        cause = context.get("error")
        path = (*item["loc"], *(cause.path if isinstance(cause, MisplacedError) else ()))
        message, cure = _complaint(item["type"], path, item.get("input"), item["msg"], context)
        found.append(RubricError(message, file=file, line=_line(path, lines), field=_field(path, data), cure=cure))
    return found


def _field(path: yaml_text.Path, data: Mapping[str, Any]) -> str | None:
    """The path with the criterion's code in place of its position, where it has one."""
    if len(path) > 1 and path[0] == "criteria" and isinstance(path[1], int):
        criteria = data.get("criteria")
        item = criteria[path[1]] if isinstance(criteria, list) and path[1] < len(criteria) else None
        code = item.get("code") if isinstance(item, dict) else None
        if isinstance(code, str) and code:
            return yaml_text.written(("criteria", code, *path[2:]))
    return yaml_text.written(path) or None


def _complaint(
    kind: str, path: yaml_text.Path, value: Any, message: str, context: Mapping[str, Any]
) -> tuple[str, str | None]:
    last = str(next((part for part in reversed(path) if isinstance(part, str)), ""))
    if kind == "extra_forbidden":
        level = "example" if "examples" in path else "criterion" if len(path) > 1 else "rubric"
        return f"a {level} has no such field", _instead(last, _FIELDS[level], "fields")
    if kind == "missing":
        return "is missing", f"add `{last}:`"
    if last in _CHOICES and kind in ("literal_error", "enum"):
        return f"{value!r} is not known here", _instead(str(value), _CHOICES[last], "known")
    if kind == "string_pattern_mismatch":
        if last == "version":
            return f"{value!r} is no version", "write three numbers, as in 1.0.0"
        fitting = "_".join("".join(c if c.isascii() and c.isalnum() else " " for c in str(value).lower()).split())
        rule = "small letters, digits and _ (a to z first, at most 64)"
        near = f", as in {fitting}" if fitting[:1].isalpha() else ""
        return f"{value!r} cannot be a {last}", f"use {rule}{near}"
    if kind == "value_error":
        return str(context.get("error", message)), None
    if value is None or kind == "string_too_short":
        return "is empty", "fill it in" if last in _REQUIRED else "fill it in, or leave the field out"
    if kind == "string_unicode":
        return "half a surrogate pair is no character", "write the character itself"
    if kind == "tuple_type":
        return "a list is expected here", f"write [{value}]" if isinstance(value, str) else "write it as a list: [a, b]"
    wanted = {
        "string_type": "a text",
        "tuple_type": "a list",
        "dict_type": "a mapping",
        "bool_parsing": "true or false",
    }
    expected = wanted.get(kind) or ("a mapping of fields" if kind.startswith(("model", "dataclass")) else None)
    return (f"{expected} is expected here", None) if expected else (message, None)
