"""Writing small files and reading them: what the tests of ingest share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from grader.ingest import Kept, Reading, Rejected, read

GOOD = {"conversation_id": "a", "messages": [{"role": "customer", "text": "hi"}]}


def put(folder: Path, content: bytes | str | list[Any], name: str = "rows.jsonl") -> Path:
    """A file with these bytes, this text, or these rows as JSON Lines."""
    path = folder / name
    if isinstance(content, list):
        content = "".join(json.dumps(row) + "\n" for row in content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def taken(path: Path, **options: Any) -> tuple[list[Kept], list[Rejected]]:
    rows = list(read(path, **options))
    return [r for r in rows if isinstance(r, Kept)], [r for r in rows if isinstance(r, Rejected)]


def one(folder: Path, row: Any, **options: Any) -> Any:
    """The single record of a file with this one row."""
    kept, rejected = taken(put(folder, [row]), **options)
    assert not rejected, rejected
    assert len(kept) == 1
    return kept[0].record


def refused(folder: Path, row: Any, **options: Any) -> Rejected:
    """The single rejection of a file with this one row."""
    kept, rejected = taken(put(folder, [row]), **options)
    assert not kept
    assert len(rejected) == 1
    return rejected[0]


def notes(reading: Reading) -> str:
    list(reading)
    return "\n".join(f"{note.text} ×{note.n}" for note in reading.notes())


plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=5,
)
