"""A workspace is made here: the rubrics, prompts and settings that ship with Grader, copied to where a user edits them.

Nothing that exists is ever overwritten. What ships stands in the wheel, or in the checkout that Grader runs from.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.config import FILE, SETTINGS, Setting, find
from grader.errors import GraderError, InputError

SHIPPED = ("rubrics", "prompts", "datasets")
FOLDERS = ("datasets", "reports")
IGNORED = "# the database, journals and reports hold customers' words\ngrader.duckdb*\n.grader/\nreports/\n"
HEAD = """\
# A Grader workspace. Every setting is here, commented out, with its default; `grader config show` tells what is used
# and where it came from. Environment variables and flags come before this file. The key of the endpoint is never
# written here: export OPENAI_API_KEY=… (or name another variable with api_key_env).
"""


# What a table that is empty by default looks like.
EXAMPLES = {
    "prices": ('[prices."my-model"]', "input = 0.40", "cached_input = 0.10", "output = 1.60"),
    "gate.floors": ("[gate.floors]", '"accuracy.invented_deadline" = 0.8'),
    "queues": ('[queues."returns"]', 'owner = "Ana"', 'fail_if = ["recontact_rate.low > 0.25", "csat_ai.high < 3.5"]'),
}


def shipped(name: str) -> Path:
    """The folder `rubrics`, `prompts` or `datasets` that came with this installation."""
    package = Path(__file__).parent
    for folder in (package / "shipped" / name, package.parent / name):
        if name in SHIPPED and folder.is_dir():
            return folder
    raise GraderError(
        f"this installation of Grader has no {name}", cure="install it again: pip install --force-reinstall"
    )


@dataclass(frozen=True, slots=True)
class Made:
    """What `init` did. Paths are relative to `root`; `kept` existed and were not touched."""

    root: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]


def init(root: Path) -> Made:
    """Makes `root` a workspace, adding what is missing. Raises InputError where that cannot be written."""
    written, kept = [], []
    try:
        root = root.expanduser().absolute()
        root.mkdir(parents=True, exist_ok=True)
        for name in FOLDERS:
            (root / name).mkdir(exist_ok=True)
        for name, content in _files(root):
            target = root / name
            if target.exists() or target.is_symlink():
                kept.append(name)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, content)
            written.append(name)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError("a file stands where a folder is wanted", file=error.filename, cure="move it away") from error
    except RuntimeError as error:  # ~name of nobody
        raise InputError(str(error), file=str(root)) from error
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=error.filename, cure="name a folder that can be written"
        ) from error
    return Made(root, tuple(written), tuple(kept))


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    existing = find(root)
    if existing is None or existing.parent != root:  # settings in pyproject.toml would be hidden by a new grader.toml
        yield FILE, template().encode()
    else:
        yield existing.name, b""
    yield ".gitignore", IGNORED.encode()
    for folder in ("rubrics", "prompts"):
        source = shipped(folder)
        for path in sorted(source.rglob("*")):
            inside = path.relative_to(source)
            if path.is_file() and not any(part.startswith((".", "__")) for part in inside.parts):
                yield f"{folder}/{inside.as_posix()}", path.read_bytes()


def _write(target: Path, content: bytes) -> None:
    # Whole or not at all: a half written file would be kept by the next init.
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def template() -> str:
    """The text of a new `grader.toml`: every setting, commented out, with its meaning and default."""
    parts = [HEAD]
    section = ""
    tables: list[str] = []
    for item in SETTINGS:
        name = item.key.rpartition(".")[2]
        if item.key.partition(".")[0] != section:
            parts.extend(tables)
            tables = []
            section = item.key.partition(".")[0]
            if section != item.key:
                parts.append(f"[{section}]")
        if isinstance(item.default, Mapping) and item.default:
            rows = "".join(f"# {key} = {_toml(value)}\n" for key, value in item.default.items())
            tables.append(f"{_doc(item)}# [{item.key}]\n{rows}")
        elif item.key in EXAMPLES:
            tables.append(_doc(item) + "".join(f"## {line}\n" for line in EXAMPLES[item.key]))
        else:
            parts.append(f"{_doc(item)}# {name} = {_toml(item.default)}\n")
    return "\n".join(parts + tables)


def _doc(item: Setting) -> str:
    return f"## {item.doc.replace('`', '')}\n"


def _toml(value: object) -> str:
    if value is None:
        return '"none"'
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)  # a TOML text is written as a JSON text
