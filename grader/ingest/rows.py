"""What reading a file gives: rows that became records, rows that could not, and notes about what was unusual.

One `Ledger` per file collects problems and notes while a row is read. Nothing here knows a format.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from difflib import get_close_matches

from grader.model import Conversation, JsonValue, Label, Outcome, Policy

ROW_LIMIT = 64 * 1024 * 1024  # bytes of one row; a longer one is rejected without being held in memory
MAX_INLINE = 2048  # characters of a file inside a text that are kept; longer ones leave their hash
EXCERPT = 160  # characters of a rejected row that are shown and stored

Incoming = Conversation | Policy | Outcome | Label


@dataclass(frozen=True, slots=True)
class Kept:
    """A record, and the line on which its row begins. `rows`: how many rows of the file it was made from (a mapped
    file has a row per message; the second record of a row has 0). `size`: their bytes.
    """

    line: int
    record: Incoming
    rows: int = 1
    size: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row, before it is known which row of which file. `field` is None for the whole row, `line`
    where it is the row's first.
    """

    field: str | None
    reason: str
    cure: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """One row, or the rows of one conversation, as a format's reader saw it: records, or the problem."""

    line: int
    begin: bytes | str  # how the row begins
    records: tuple[Incoming, ...] = ()
    problem: Problem | None = None
    rows: int = 1
    size: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """Something unusual that was taken in all the same, said once per file with how many rows had it."""

    text: str
    n: int


class UnfitError(Exception):
    """A value that its field cannot take. Leaves this package as a Problem, never as an exception."""

    def __init__(self, reason: str, cure: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.cure, self.line = reason, cure, line


def _on_some_file(program: str, mark: str) -> str:
    return f"{program} < FILE > {mark}-FILE"


class Ledger:
    """What is noticed while one file is read. `timezone` is that of times which say none; `command` writes how a
    program makes a better copy of the file, to be pasted into a shell.
    """

    MAX_PROBLEMS = 50
    MAX_NOTES = 200

    def __init__(
        self,
        timezone: tzinfo = UTC,
        *,
        name_unknown: bool = True,
        command: Callable[[str, str], str] = _on_some_file,
    ) -> None:
        self.timezone = timezone
        self.command = command
        self.problems: list[Problem] = []
        self._name_unknown = name_unknown
        self._noted: Counter[Hashable] = Counter()
        self._of_row: Counter[Hashable] = Counter()
        self._n_beyond = 0

    def problem(self, field: str | None, reason: str, cure: str, line: int | None = None) -> None:
        """Something because of which the row cannot go in."""
        if len(self.problems) < self.MAX_PROBLEMS:
            self.problems.append(Problem(field, reason, cure, line))

    def note(self, text: str) -> None:
        """Something unusual in the row, counted once for the row if it goes in."""
        self._of_row[text] += 1

    def unknown_field(self, shape: str, key: str, known: tuple[str, ...], *, kept: bool) -> None:
        """A field that Grader does not know; it is kept in the attributes where the record has any."""
        if self._name_unknown or not kept:
            self._of_row[(shape, key, known, kept)] += 1

    def settle(self, rows: int = 1) -> Problem | None:
        """End a row, or the `rows` of one conversation: notes count if it is whole, each at most once for a row; else
        the first problem, with how many more there are.
        """
        problems, self.problems = self.problems, []
        if not problems:
            beyond = 0
            for key, n in self._of_row.items():
                if key in self._noted or len(self._noted) < self.MAX_NOTES:
                    self._noted[key] += min(n, rows)
                else:
                    beyond = max(beyond, min(n, rows))
            self._n_beyond += beyond
        self._of_row.clear()
        if len(problems) < 2:
            return problems[0] if problems else None
        first, rest = problems[0], problems[1:]
        others = ", ".join(dict.fromkeys(p.field or "the row" for p in rest[:3])) + (", …" if len(rest) > 3 else "")
        many = f"{len(rest)}" if len(problems) < self.MAX_PROBLEMS else f"{len(rest)} or more"
        more = f"{first.reason} (and {many} more in this row: {others})"
        return Problem(first.field, more, first.cure, first.line)

    def notes(self) -> list[Note]:
        """The notes so far, in the order in which they first came up."""
        found = [Note(key if isinstance(key, str) else _unknown(key), n) for key, n in self._noted.items()]
        return found + ([Note("more notes of other kinds, not listed", self._n_beyond)] if self._n_beyond else [])


def _unknown(key: Hashable) -> str:
    assert isinstance(key, tuple)  # noqa: S101 - made by unknown_field alone
    shape, name, known, kept = key
    near = nearest(name, known)
    hint = f"; did you mean {near!r}?" if near else ""
    where = "it is kept in the attributes" if kept else f"a {shape} has no place for it, it is left out"
    return f"the {shape} field {name[:80]!r} is not one of Grader's, {where}{hint}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one was probably meant to be."""
    found = get_close_matches(name[:80].lower(), list(known), 1, 0.75)
    return found[0] if found and found[0] != name else None


def misspelt(wanted: str, given: Iterable[str]) -> str | None:
    """Which of the names that stand there was probably meant to be the wanted one."""
    by_plain = {name[:80].lower(): name for name in given}
    found = get_close_matches(wanted.lower(), list(by_plain), 1, 0.75)
    return by_plain[found[0]] if found else None


def excerpt(raw: bytes | str) -> str:
    """How a row begins, on one line."""
    text = raw[: EXCERPT * 4].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[: EXCERPT * 4]
    line = " ".join(text.split())
    plain = "".join(c if c.isprintable() else "\ufffd" for c in line)
    return plain if len(plain) <= EXCERPT else plain[: EXCERPT - 1] + "…"


def without_file(text: str, ledger: Ledger) -> str:
    """The text; of a file in it (a data URL, base64) its beginning, length and hash: nobody reads it here."""
    if len(text) <= MAX_INLINE or " " in text[:MAX_INLINE]:
        return text
    ledger.note("a file stood inside a message, its first characters, length and hash are kept")
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{text[:64]}… ({len(text):,} characters, sha256 {mark})"


def named(value: JsonValue) -> str:
    """A value in a message: what it is, and what it says if that is short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value!r:.40}" if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
    if isinstance(value, str):
        return f"the text {value[:60]!r}" + ("…" if len(value) > 60 else "")
    return "a list" if isinstance(value, (list, tuple)) else "an object" if isinstance(value, Mapping) else "this"


def key_of(record: Incoming) -> str:
    """What makes a record the same one as another of its kind."""
    if isinstance(record, Conversation):
        return f"c\0{record.conversation_id}"
    if isinstance(record, Outcome):
        return f"o\0{record.conversation_id}"
    if isinstance(record, Policy):
        return f"p\0{record.policy_id}\0{record.version}"
    parts = (record.conversation_id, record.rubric, record.rubric_version, record.criterion, record.reviewer)
    return "l\0" + "\0".join(parts)


def short_hash(text: str) -> int:
    """64 bits of BLAKE2b, never 0."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big") or 1


class SeenIds:
    """Which ids a file has shown, and a hash of what stood under each: 16 bytes per slot, whatever an id's length.

    Two ids share a 64-bit hash with a chance of about 3 in a million in a file of ten million; the second would then
    be rejected as another row under a known id, which is said, not silent.
    """

    def __init__(self) -> None:
        self._n = 0
        self._slots = array("Q", bytes(16 * 1024))  # pairs: id hash (0: free), content hash

    def __len__(self) -> int:
        return self._n

    def first(self, identity: str, content: int) -> int:
        """The content hash that this id was first seen with, which is `content` if it was not seen before."""
        if 3 * self._n >= len(self._slots):  # two thirds of the pairs are taken
            self._grow()
        return self._place(short_hash(identity), content)

    def get(self, identity: str) -> int | None:
        """What `first` kept for this id, None if it was not seen."""
        key, slots, mask = short_hash(identity), self._slots, len(self._slots) // 2 - 1
        at = key & mask
        while (there := slots[2 * at]) != key:
            if not there:
                return None
            at = (at + 1) & mask
        return slots[2 * at + 1]

    def _place(self, key: int, content: int) -> int:
        slots, mask = self._slots, len(self._slots) // 2 - 1
        at = key & mask
        while (there := slots[2 * at]) != key:
            if not there:
                slots[2 * at], slots[2 * at + 1] = key, content
                self._n += 1
                return content
            at = (at + 1) & mask
        return slots[2 * at + 1]

    def _grow(self) -> None:
        old, self._slots, self._n = self._slots, array("Q", bytes(16 * len(self._slots))), 0
        for at in range(0, len(old), 2):
            if old[at]:
                self._place(old[at], old[at + 1])
