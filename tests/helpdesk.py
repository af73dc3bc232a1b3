"""Reading a helpdesk's export in the tests: files written and read by the format's own module, and files spoilt."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.errors import InputError
from grader.ingest import Kept, Note, Reading, Rejected
from grader.ingest.rows import Ledger
from grader.ingest.source import Source
from grader.model import Conversation, Outcome


@dataclass
class Read:
    """What came of one file."""

    kept: list[Kept] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.kept) + len(self.rejected)

    @property
    def conversations(self) -> list[Conversation]:
        return [one.record for one in self.kept if isinstance(one.record, Conversation)]

    @property
    def outcomes(self) -> list[Outcome]:
        return [one.record for one in self.kept if isinstance(one.record, Outcome)]

    @property
    def told(self) -> str:
        return "\n".join(f"{note.text} ×{note.n}" for note in self.notes)

    def only(self) -> Conversation:
        assert not self.rejected, self.rejected
        assert len(self.conversations) == 1, self.conversations
        return self.conversations[0]


def write(folder: Path, content: bytes | str | Any, name: str = "export.json") -> Path:
    """A file with these bytes, this text, or this value as JSON; a tuple is written as JSON Lines."""
    if isinstance(content, tuple):
        content = "".join(json.dumps(row) + "\n" for row in content)
    elif not isinstance(content, (bytes, str)):
        content = json.dumps(content)
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(module: ModuleType, path: Path, zone: tzinfo = UTC, **options: Any) -> Read:
    """The file as the format reads it, by the accounting that `grader ingest` has."""
    ledger = Ledger(zone, name_unknown=False)
    source = Source(path)
    chosen = (module.options(options),) if options else ()
    reading = Reading(source, module.__name__, "", module.read(source, ledger, *chosen), ledger)
    found = Read()
    for one in reading:
        (found.kept if isinstance(one, Kept) else found.rejected).append(one)  # type: ignore[arg-type]
    found.notes = reading.notes()
    return found


def said(conversation: Conversation) -> list[tuple[str, str]]:
    return [(message.role.value, message.text) for message in conversation.messages]


def happened(conversation: Conversation) -> list[tuple[str, int]]:
    return [(event.kind, event.after) for event in conversation.events]


# ── spoilt files ──

WRONG: tuple[Any, ...] = (
    None, True, 0, -5, 5.5, 10**30, 1e300, "", " ", "x", "\u0000\ud83d", "<p>", "1734537460", [], {}, [[]], [None],
    [1, "a"], {"a": {"b": []}}, "y" * 3000,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path in a value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def changed(value: Any, path: tuple[Any, ...], *put: Any) -> Any:
    """A copy in which something else stands at the path, or nothing."""
    value = copy.deepcopy(value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    if put:
        holder[path[-1]] = copy.deepcopy(put[0])
    else:
        del holder[path[-1]]
    return value


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        items = [(key, _shuffled(one, chance)) for key, one in value.items()]
        chance.shuffle(items)
        return dict(items)
    return [_shuffled(one, chance) for one in value] if isinstance(value, list) else value


def too_deep(value: Any) -> bool:
    """More than a hundred lists and objects in each other: the whole value is one row that is rejected."""
    return any(len(path) > 100 for path in places(value))


def nulled(value: Any, below: int = 2) -> Any:
    """Null everywhere but at the top."""
    if isinstance(value, dict):
        return {key: nulled(one, below - 1) if below > 0 else None for key, one in value.items()}
    if isinstance(value, list):
        return [nulled(one, below) for one in value]
    return value if below > 0 else None


def spoilt_values(seeds: list[Any], n: int, seed: int) -> Iterator[Any]:
    """Values that are JSON, and wrong in one to three places."""
    chance = random.Random(seed)
    for _ in range(n):
        value = copy.deepcopy(chance.choice(seeds))
        for _ in range(chance.randint(1, 3)):
            where = chance.choice([path for path in places(value) if path] or [()])
            if not where:
                break
            match chance.randrange(5):
                case 0 | 1:
                    value = changed(value, where, chance.choice(WRONG))
                case 2:
                    value = changed(value, where)
                case 3:
                    deep: Any = "deep"
                    for _ in range(60):
                        deep = [deep] if chance.random() < 0.5 else {"a": deep}
                    value = changed(value, where, deep)
                case _:
                    value = _shuffled(value, chance)
        yield value


def spoilt_bytes(seeds: list[Any], n: int, seed: int) -> Iterator[bytes]:
    """Files that are cut off, written over, in another encoding, or run into each other."""
    chance = random.Random(seed)
    for _ in range(n):
        value = chance.choice(seeds)
        text = json.dumps(value, ensure_ascii=False, indent=chance.choice([None, 1]))
        raw = bytearray(text.encode())
        match chance.randrange(6):
            case 0:
                raw = raw[: chance.randrange(len(raw))]
            case 1:
                for _ in range(chance.randint(1, 8)):
                    raw[chance.randrange(len(raw))] = chance.randrange(256)
            case 2:
                raw = bytearray(text.encode("latin-1", "replace"))
            case 3:
                raw = bytearray(text.encode("utf-16"))
            case 4:
                raw = raw + raw[chance.randrange(len(raw)) :]
            case _:
                at = chance.randrange(len(raw))
                raw[at:at] = b"\xef\xbb\xbf" if chance.random() < 0.3 else b'"[{}],:\\u0000\n'
        yield bytes(raw)


def survives(module: ModuleType, path: Path) -> Read | None:
    """Read it: every row is kept or rejected with a reason and a cure. None: the file as a whole is refused."""
    try:
        found = read(module, path)
    except InputError:
        return None
    assert all(one.reason and one.cure for one in found.rejected)
    assert found.rows or not path.read_bytes().strip(b" \t\r\n[],\xef\xbb\xbf")
    return found
