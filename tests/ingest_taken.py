"""Reading a file by one format's module, with its options: what the tests of chats and traces share."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from conftest import REPOSITORY

from grader.ingest.rows import Ledger, Parsed
from grader.ingest.source import Source
from grader.model import Conversation, Message, Outcome

SAMPLES = REPOSITORY.parent / "shared" / "data" / "raw_formats"


@dataclass
class Taken:
    """What reading one file gave."""

    parsed: list[Parsed]
    notes: str

    @property
    def conversations(self) -> list[Conversation]:
        return [record for row in self.parsed for record in row.records if isinstance(record, Conversation)]

    @property
    def outcomes(self) -> list[Outcome]:
        return [record for row in self.parsed for record in row.records if isinstance(record, Outcome)]

    @property
    def messages(self) -> list[Message]:
        return [message for conversation in self.conversations for message in conversation.messages]

    @property
    def one(self) -> Conversation:
        assert not self.rejected, self.rejected[0].problem
        (conversation,) = self.conversations
        return conversation

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.one.messages]

    @property
    def rejected(self) -> list[Parsed]:
        return [row for row in self.parsed if row.problem]

    @property
    def kept(self) -> int:
        return sum(row.rows for row in self.parsed if not row.problem)


def taken(module: Any, path: Path, zone: str = "UTC", **given: Any) -> Taken:
    """The file as this module reads it, with these options."""
    source = Source(path)
    ledger = Ledger(ZoneInfo(zone), name_unknown=False, command=source.command)
    parsed = list(module.read(source, ledger, module.options(given)))
    return Taken(parsed, "\n".join(f"{note.text} ×{note.n}" for note in ledger.notes()))


def lines(folder: Path, *rows: Any) -> Path:
    """A file of JSON Lines."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def said(record: Conversation) -> list[tuple[str, str]]:
    """Who said what."""
    return [(m.role.value, m.text) for m in record.messages]


def real_rows(folder: Path) -> list[tuple[Path, list[Any]]]:
    """The first JSON rows of every sample file."""
    found: list[tuple[Path, list[Any]]] = []
    for path in sorted(path for path in folder.rglob("*.json*") if path.suffix != ".gz"):
        text = path.read_text(encoding="utf-8")
        try:
            rows = [json.loads(text)]
        except ValueError:
            rows = [json.loads(line) for line in text.splitlines()[:20] if line.strip()]
        found.append((path, rows))
    return found


ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1.5e300,
    "",
    " ",
    "\u200e",
    [],
    {},
    [[]],
    {"a": None},
    [None],
    "x" * 3000,
    "[{",
    '{"role": 3}',
]


def mutated(value: Any, dice: random.Random) -> Any:
    """The value with one thing in it changed: a wrong type, a key gone or renamed, a list shuffled, deep nesting."""
    holders: list[Any] = []

    def walk(one: Any) -> None:
        if isinstance(one, (dict, list)) and one:
            holders.append(one)
            for inner in one.values() if isinstance(one, dict) else one:
                walk(inner)

    walk(value)
    holder = dice.choice(holders)
    key = dice.choice(list(holder)) if isinstance(holder, dict) else dice.randrange(len(holder))
    match dice.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[str(key) + dice.choice(["_", ".0", "Id"])] = holder.pop(key)
        case 2 if isinstance(holder, list):
            dice.shuffle(holder)
        case 3:
            for _ in range(dice.randrange(1, 60)):
                holder[key] = [holder[key]] if dice.random() < 0.5 else {"parts": holder[key]}
        case 4 if isinstance(holder[key], str):
            holder[key] = holder[key][: dice.randrange(len(holder[key]) + 1)]
        case _:
            holder[key] = deepcopy(dice.choice(ODD))
    return value
