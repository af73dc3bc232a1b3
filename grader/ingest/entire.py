"""Which conversations of a file with a row per message are not there in whole, told by one pass over the rows' ids.

A conversation with a hole would be judged wrongly, and would replace a good copy that is stored. Spoilt is one whose
rows stand apart, and one of which a bad row is a part, or may be. Only 64-bit hashes of ids are held.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from grader.ingest.fields import MAX_ID
from grader.ingest.mapping import Mapping
from grader.ingest.paths import first, is_blank
from grader.ingest.picking import Picker
from grader.ingest.rows import Ledger, Problem, SeenIds, named
from grader.ingest.tables import Cells, SourceRow

_APART, _BAD, _BESIDE = range(3)  # its rows stand apart; a row of it is bad; a bad row beside it may be its own
_MAX_PENDING = 100
_MOVED = 100  # places by which a cell is looked for


@dataclass(frozen=True, slots=True)
class Doubt:
    """Whose a bad row may be: these conversations', those' whose ids begin so, or (`anybody`) that of any beside it."""

    ids: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()  # an id that the row breaks off in
    anybody: bool = False

    def may_be_of(self, identity: str) -> bool:
        """The row may belong to this conversation, which stands beside it."""
        return self.anybody or identity in self.ids or any(identity.startswith(start) for start in self.begun)


class Owner:
    """Says to which conversation a row belongs. `columns` are those of a CSV, none for a JSONL."""

    def __init__(self, mapping: Mapping, columns: Sequence[str]) -> None:
        self._mapping, self._columns = mapping, list(columns)
        self._pick = mapping.conversation["conversation_id"]
        self._ledger = Ledger()
        self._picker = Picker(mapping, self._ledger)
        self.column = self._pick.source
        self._made = bool(self._pick.values) or self._pick.pattern is not None or self._pick.join is not None
        bare = len(self._pick.paths) == 1 and not self._made
        self._bare = self._pick.paths[0] if columns and bare else None  # most files: the cell as it is

    def identity(self, row: SourceRow) -> tuple[str | None, Problem | None]:
        """The conversation that a row belongs to, or what is wrong with the row."""
        if row.value is None:
            return None, row.problem
        if self._bare and (cell := row.value[self._bare].strip()):
            return cell, None
        found = self._picker.identity(row.value, set())
        problem = self._ledger.settle()
        if isinstance(found, (str, int)) and not isinstance(found, bool) and not problem:
            return str(found), None
        what = "is blank" if found is None else f"is no id: {named(found)}"
        return None, problem or Problem(self.column, what, "every row needs the id of its conversation")

    def doubt(self, row: SourceRow) -> Doubt | None:
        """Whose a row without an identity may be, None if it holds no message that anybody could miss."""
        if row.value is not None:
            return Doubt(anybody=True) if self._is_message(row.value) else None
        if not self._pick.paths or self._made:
            return Doubt(anybody=True)
        seen = [self._in_cells(seems) for seems in row.seems] if self._columns else [self._in_json(row.raw)]
        return Doubt(
            frozenset[str]().union(*(doubt.ids for doubt in seen)),
            frozenset[str]().union(*(doubt.begun for doubt in seen)),
            not seen or any(doubt.anybody for doubt in seen),
        )

    def _is_message(self, row: dict[str, object]) -> bool:
        picks = [pick for of_one in self._mapping.messages for key, pick in of_one.items() if key in ("text", "role")]
        return any(not is_blank(first(pick, row, set())) for pick in picks if pick.paths)

    def _in_cells(self, seems: Cells) -> Doubt:
        """By its cells; the id's may have moved by as many places as there are cells too many or too few."""
        cells, last = seems.found, len(seems.found) - 1
        moved = len(cells) - len(self._columns)
        ids: set[str] = set()
        begun: set[str] = set()
        anybody = abs(moved) > _MOVED
        for place in (self._columns.index(path) for path in self._pick.paths):
            from_, to = max(place + max(min(moved, 0), -_MOVED), 0), min(place + min(max(moved, 0), _MOVED), last)
            for at in range(from_, to + 1):
                cell = cells[at].strip()
                if cell and len(cell) <= MAX_ID:
                    (begun if seems.cut and at == last else ids).add(cell)
            anybody = anybody or (place > last and seems.cut)
        garbled = any("\ufffd" in cell for cell in ids | begun)
        return Doubt(frozenset(ids), frozenset(begun), anybody or garbled or not (ids or begun))

    def _in_json(self, raw: bytes) -> Doubt:
        """By what stands behind the id's key, wherever in the row that is; a row that breaks off may be anybody's."""
        text = raw.decode("utf-8", "replace").strip()
        ids = {found for path in self._pick.paths for found in _values_of(path.rpartition(".")[2], text)}
        cut = not text.endswith("}") or any("\ufffd" in one for one in ids)
        return Doubt(frozenset(ids), anybody=cut or not ids)


def _values_of(key: str, text: str) -> Iterator[str]:
    for found in re.finditer(rf'(?<=[".]){re.escape(key)}"\s*:\s*(?:("(?:[^"\\]|\\.)*")|(-?\d+)\s*[,}}\]])', text):
        if found[2]:
            yield found[2]
            continue
        try:
            yield str(json.loads(found[1], strict=False)).strip()
        except ValueError:
            yield "\ufffd"


@dataclass
class Spoilt:
    """The conversations that are not there in whole, with the line of the row that tells."""

    _begun: SeenIds = field(default_factory=SeenIds)
    _why: SeenIds = field(default_factory=SeenIds)

    def begins(self, identity: str, line: int) -> None:
        """Rows of this conversation begin here; if others stood before, they stand apart."""
        if self._begun.first(identity, line) != line:
            self.spoil(identity, line, _APART)

    def spoil(self, identity: str, line: int, how: int) -> None:
        """Because of the row of this line; the first such row is told."""
        self._why.first(identity, 4 * line + how)

    def why(self, identity: str, line: int, column: str) -> Problem | None:
        """Why no row of this conversation, of which some begin at `line`, can go in; None where it is whole."""
        told = self._why.get(identity)
        if told is None:
            return None
        other, how = divmod(told, 4)
        name = repr(identity[:60])
        begun = self._begun.get(identity)
        if how == _APART:
            sort = f"sort the file by {column}, and by time within; or write scattered = true in [conversation]"
            if begun is not None and begun < line:
                return Problem(column, f"conversation {name} began at line {begun}, and other rows stand between", sort)
            return Problem(column, f"more rows of conversation {name} begin at line {other}, behind others", sort)
        if how == _BAD:
            return Problem(column, bad_elsewhere(other), "mend that row")
        reason = f"line {other} does not say which conversation it belongs to, and may be a part of this one ({name})"
        return Problem(column, reason, "mend that row, or take it out")


def bad_elsewhere(line: int) -> str:
    """What the good rows of a conversation are told."""
    return f"another row of this conversation is bad, that of line {line}"


def survey(rows: Iterable[SourceRow], owner: Owner) -> Spoilt:
    """One pass over the rows."""
    spoilt = Spoilt()
    current: str | None = None
    pending: list[tuple[int, Doubt]] = []  # bad rows that may be of the conversation that follows
    for row in rows:
        identity, _ = owner.identity(row)
        if identity is not None:
            if identity != current:
                spoilt.begins(identity, row.line)
                current = identity
            for line, doubt in pending:
                if doubt.may_be_of(identity):
                    spoilt.spoil(identity, line, _BESIDE)
            pending.clear()
            continue
        bad = owner.doubt(row)
        if bad is None:
            continue
        for one in bad.ids | bad.begun:
            spoilt.spoil(one, row.line, _BAD)
        if current is not None and bad.may_be_of(current):
            spoilt.spoil(current, row.line, _BESIDE)
        if len(bad.ids) == 1 and not bad.anybody:
            (current,) = bad.ids
        if len(pending) < _MAX_PENDING:
            pending.append((row.line, bad))
        else:
            pending[-1] = (row.line, Doubt(anybody=True))
    return spoilt
