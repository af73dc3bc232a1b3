"""Two rubrics compared field by field, the next version of a file, and the guard against a silent change of meaning.

Knows files and records; what was stored of a rubric is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from grader.errors import RubricError
from grader.rubric.load import load
from grader.rubric.record import VERSION, Criterion, Example, Rubric, version_key

Part = Literal["major", "minor", "patch"]
PARTS: tuple[Part, ...] = ("major", "minor", "patch")
_LABELS = frozenset({"title", "description", "severity", "version"})


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `meaning`: it reaches the judge. `before` or `after` is None where there was or is nothing."""

    criterion: str | None
    field: str
    before: str | None
    after: str | None
    meaning: bool

    def __str__(self) -> str:
        """In words, on one line: `invented_deadline: severity, high → critical`."""
        place = f"{self.criterion}: " if self.criterion else ""
        if self.field == "criterion":
            return f"{place}{'added' if self.before is None else 'removed'}"
        return f"{place}{self.field}, {_short(self.before)} → {_short(self.after)}"


def diff(a: Rubric, b: Rubric) -> list[Change]:
    """What differs from `a` to `b`: the rubric's own fields, then criteria in the order of `b`, then removed ones."""
    found = [
        Change(None, field, str(before), str(after), meaning=field not in _LABELS)
        for field in ("name", "version", "title", "description")
        if (before := getattr(a, field)) != (after := getattr(b, field))
    ]
    for criterion in b.criteria:
        if criterion.code not in a.codes:
            found.append(Change(criterion.code, "criterion", None, criterion.question, meaning=True))
        else:
            found.extend(_changes(a.criterion(criterion.code), criterion))
    gone = [criterion for criterion in a.criteria if criterion.code not in b.codes]
    found.extend(Change(criterion.code, "criterion", criterion.question, None, meaning=True) for criterion in gone)
    kept = [[code for code in one.codes if code in other.codes] for one, other in ((a, b), (b, a))]
    if kept[0] != kept[1]:
        found.append(Change(None, "order of criteria", ", ".join(kept[0]), ", ".join(kept[1]), meaning=True))
    return found


def check_unchanged(rubric: Rubric, stored_meaning_hash: str | None, stored: Rubric | None = None) -> None:
    """Raises RubricError where verdicts were stored under this name and version with another meaning.

    `stored`: the rubric as it was then, where it is known; the message then says what changed.
    """
    if stored_meaning_hash is None or stored_meaning_hash == rubric.meaning_hash:
        return
    changes = [str(change) for change in diff(stored, rubric) if change.meaning] if stored else []
    told = f" ({'; '.join(changes[:3])}{'; …' if len(changes) > 3 else ''})" if changes else ""
    cure = f"`grader rubric new-version {rubric.name}` writes the next version"
    lists = sorted({c.options_from for c in rubric.criteria if c.options_from})
    if lists:
        cure += f"; or undo the change in the file or in workspace.{lists[0]} of grader.toml"
    else:
        cure += "; or undo the change"
    raise RubricError(
        f"rubric {rubric.reference} changed in meaning under an unchanged version{told}: its verdicts would be mixed",
        cure=cure,
    )


def next_version(version: str, part: Part) -> str:
    """`1.2.3` → `2.0.0`, `1.3.0` or `1.2.4`."""
    major, minor, patch = version_key(version)
    if part == "major":
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if part == "minor" else f"{major}.{minor}.{patch + 1}"


def new_version(path: Path, part: Part) -> Path:
    """Writes a copy of this file as its next version, comments kept, and returns its path. Never overwrites."""
    target, text = next_file(path, part)
    write_new(target, text)
    return target


def next_file(path: Path, part: Part) -> tuple[Path, str]:
    """Where the next version of this file belongs, and its text. Raises RubricError where it is there already."""
    rubric = load(path)
    version = next_version(rubric.version, part)
    folder = path.parent if VERSION.fullmatch(path.stem) else path.parent / rubric.name
    for suffix in (".yaml", ".yml"):
        if (folder / f"{version}{suffix}").exists():
            raise RubricError(
                "this version is there already", file=str(folder / f"{version}{suffix}"),
                cure=f"edit it, or start from it: grader rubric new-version {rubric.name}@{version}",
            )  # fmt: skip
    text = path.read_bytes().decode("utf-8-sig")
    return folder / f"{version}{path.suffix}", _with_version(text, rubric.version, version)


def write_new(target: Path, text: str) -> None:
    """A file that was not there. Raises RubricError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RubricError(
            f"cannot be written: {reason}", file=str(target), cure="check the folder and its rights"
        ) from error


def _with_version(text: str, old: str, new: str) -> str:
    """The text with the value of its top-level `version` replaced, and nothing else."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    for key, value in pairs:
        if key.value == "version":
            start, end = int(value.start_mark.index), int(value.end_mark.index)
            return text[:start] + text[start:end].replace(old, new) + text[end:]
    raise RubricError("there is no version in this file", field="version", cure="add `version: 1.0.0`")


def _changes(a: Criterion, b: Criterion) -> list[Change]:
    return [
        Change(b.code, field, _written(before), _written(after), meaning=field not in _LABELS)
        for field in Criterion.model_fields
        if (before := _comparable(a, field)) != (after := _comparable(b, field))
    ]


def _comparable(criterion: Criterion, field: str) -> Any:
    value = getattr(criterion, field)
    if field in ("needs", "proof"):
        return sorted(value)
    return list(value.items()) if isinstance(value, dict) else value


def _written(value: Any) -> str | None:
    """A field's value as people read it; None where it is empty."""
    if value is None or value == () or value == []:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return str(value)
    return "\n".join(_item(item) for item in value)


def _item(item: str | tuple[str, str] | Example) -> str:
    if isinstance(item, Example):
        near = ", near miss" if item.near_miss else ""
        why = f"\n  ({item.why})" if item.why else ""
        return f"{item.answer}{near}:\n  " + item.transcript.replace("\n", "\n  ") + why
    return item if isinstance(item, str) else ": ".join(part for part in item if part)


def _short(text: str | None) -> str:
    if text is None:
        return "nothing"
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"“{line[:57]}…”"
