"""A plan as a file: JSON, one line for each row of its long lists; written whole or not at all, read with care.

Samples and label plans are kept so; what stands in a plan, and whether it was changed by hand, its own module knows.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from grader.errors import InputError, StoreError
from grader.model import JsonValue


def text(document: Mapping[str, JsonValue], lists: Collection[str]) -> str:
    """The file's text. `lists`: the fields that hold lists, whose rows get a line each."""
    lines = []
    for name, value in document.items():
        if name in lists and isinstance(value, list):
            rows = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in value)
            lines.append(f'  "{name}": [\n{rows}\n  ]')
        else:
            lines.append(f'  "{name}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write(written: str, path: Path, cure: str, what: str = "plan") -> None:
    """Write the file, whole or not at all. Raises StoreError with the cure given; `what` it is to people."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(written.encode("utf-8", "surrogatepass"))
        part.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: the {what} cannot be written: {error.strerror}", cure=cure) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def read(path: Path, wanted: tuple[str, int], what: str, redraw: str) -> dict[str, Any]:
    """The document that a file holds. `wanted`: its format and the version of it; `what`: the plan's name to people.

    Raises InputError where the file cannot be read, or holds no such plan; `redraw` is the cure.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(path), cure="name the plan file") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no plan: {error}", file=str(path), cure=redraw) from error
    if not isinstance(data, dict) or data.get("format") != wanted[0]:
        raise InputError(f"is no {what}: it does not begin as one", file=str(path), cure=redraw)
    if data.get("format_version") != wanted[1]:
        raise InputError(
            f"a plan of format {data.get('format_version')!r}, this Grader knows {wanted[1]}", file=str(path),
            cure="upgrade grader, or draw it again",
        )  # fmt: skip
    return data
