"""Reading one file with one format's reader, and spoiling files in all the ways that a log can be spoilt."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.ingest.rows import Ledger, Parsed, Problem
from grader.ingest.source import Source
from grader.model import Conversation, Outcome


@dataclass
class Read:
    """What came of a file."""

    parsed: list[Parsed]
    notes: str

    @property
    def conversations(self) -> list[Conversation]:
        return [one for parsed in self.parsed for one in parsed.records if isinstance(one, Conversation)]

    @property
    def outcomes(self) -> list[Outcome]:
        return [one for parsed in self.parsed for one in parsed.records if isinstance(one, Outcome)]

    @property
    def problems(self) -> list[Problem]:
        return [parsed.problem for parsed in self.parsed if parsed.problem]

    @property
    def kept(self) -> int:
        """Rows of the file that records were made of."""
        return sum(parsed.rows for parsed in self.parsed if not parsed.problem)

    @property
    def rows(self) -> int:
        return self.kept + len(self.problems)


def read(module: ModuleType, path: Path, **options: Any) -> Read:
    """The whole file, by the reader of a format."""
    ledger = Ledger(name_unknown=False)
    parsed = list(module.read(Source(path), ledger, module.options(options)))
    for one in parsed:
        assert bool(one.records) != bool(one.problem), "a row is kept with a record, or rejected with a reason"
        assert one.problem is None or (one.problem.reason and one.problem.cure and one.rows == 1)
    return Read(parsed, "\n".join(f"{note.text} ×{note.n}" for note in ledger.notes()))


def lines(rows: list[Any]) -> bytes:
    """The rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def spoilt_values(rows: list[Any], seed: int) -> list[Any]:
    """The rows with some values replaced by others of every kind, keys lost, null everywhere, or order shaken."""
    chance = random.Random(seed)
    copy = json.loads(json.dumps(rows))
    how = seed % 6
    if how == 0:
        chance.shuffle(copy)
    if how == 1:
        return [_everywhere_null(row, chance) for row in copy]
    for holder, key in _some(copy, chance, 1 + seed % 4):
        if how == 2 and isinstance(holder, dict):
            holder.pop(key, None)
        elif how == 3 and isinstance(holder[key], (dict, list)):
            holder[key] = json.dumps(holder[key])
        else:
            holder[key] = chance.choice(_odd(holder[key]))
    return [_shaken(row, chance) for row in copy]


def _odd(value: Any) -> list[Any]:
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    return [
        None, True, False, 0, -1, 10**30, 1e300, "", " ", "\x00\u2028", "x" * 5000, "9" * 40, [], {}, [None], [[]],
        deep, {"id": None}, [value], {"value": value}, "2021-13-45", 99999999999999, -0.0, "true",
    ]  # fmt: skip


def _some(rows: list[Any], chance: random.Random, n: int) -> Iterator[tuple[Any, Any]]:
    places = list(_places(rows))
    yield from chance.sample(places, min(n, len(places)))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def _everywhere_null(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        return {k: None if chance.random() < 0.15 else _everywhere_null(v, chance) for k, v in value.items()}
    return [_everywhere_null(v, chance) for v in value] if isinstance(value, list) else value


def _shaken(value: Any, chance: random.Random) -> Any:
    """Keys in another order."""
    if isinstance(value, dict):
        return {key: _shaken(value[key], chance) for key in chance.sample(list(value), len(value))}
    return [_shaken(one, chance) for one in value] if isinstance(value, list) else value


def spoilt_bytes(raw: bytes, seed: int) -> bytes:
    """The bytes cut off, with some of them changed, in another encoding, or with strange line ends."""
    chance = random.Random(seed)
    how = seed % 5
    if how == 0:
        return raw[: chance.randrange(1, len(raw))]
    if how == 1:
        spoilt = bytearray(raw)
        for _ in range(chance.randrange(1, 8)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        return b"{" + bytes(spoilt)[1:]
    if how == 2:
        return raw.decode().encode("latin-1", "replace")
    if how == 3:
        return raw.replace(b"\n", b"\r\n", chance.randrange(3)).replace(b'"', b"'", chance.randrange(3))
    at = sorted(chance.randrange(len(raw)) for _ in range(2))
    return raw[: at[0]] + raw[at[1] :]
