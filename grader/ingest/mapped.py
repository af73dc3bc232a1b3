"""A foreign CSV or JSONL, read by a mapping: rows in, conversations and outcomes out.

A conversation is one row (its messages in a list), or several rows that follow each other. Only the rows of one
conversation are held at a time; which conversations the file does not hold in whole is told before (`entire`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

from grader.errors import InputError
from grader.ingest import canonical
from grader.ingest.entire import Owner, bad_elsewhere, survey
from grader.ingest.fields import Found
from grader.ingest.jsontext import decode, parse
from grader.ingest.mapping import Mapping, Pick
from grader.ingest.paths import Keys, find, first, paths_in
from grader.ingest.picking import Picker
from grader.ingest.rows import ROW_LIMIT, Incoming, Ledger, Parsed, Problem, UnfitError, named
from grader.ingest.source import Source, json_layout
from grader.ingest.sources.gathered import Item, gathered
from grader.ingest.sources.objects import beginning
from grader.ingest.sources.timeline import in_order
from grader.ingest.tables import SourceRow, columns
from grader.ingest.tables import rows as table_rows
from grader.model import Conversation, Event, JsonValue, Kind, Role

MAX_GROUP = 50_000  # rows of one conversation

_NEEDED = ("conversation_id", "messages", "transcript", "role", "text")
_LOOKED_AT = 50  # rows of a JSONL in which a path must show up
_PLACE = re.compile(r"(messages|row)\[(\d+)\]\.?")


class MappedReader:
    """Reads one file by a mapping. `unused` counts the columns that nothing uses.

    `ahead`: how many rows are searched for conversations that are not there in whole, None for all of the file.
    """

    def __init__(self, source: Source, mapping: Mapping, ledger: Ledger, ahead: int | None = None) -> None:
        self._source, self._mapping, self._ledger, self._ahead = source, mapping, ledger, ahead
        ledger.timezone = mapping.timezone or ledger.timezone
        self._picker = Picker(mapping, ledger)
        self.format = mapping.format or _format_of(source)
        self._check_columns() if self.format == "csv" else self._check_paths()

    @property
    def unused(self) -> Counter[str]:
        """Columns that nothing uses, with how many rows had them."""
        return self._picker.unused

    def __iter__(self) -> Iterator[Parsed]:
        if self._mapping.scattered:
            return gathered(self._scattered(), self._gathered)
        return self._grouped() if self._mapping.by_message else (self._alone(row) for row in self._rows(self._ledger))

    def _rows(self, ledger: Ledger) -> Iterator[SourceRow]:
        if self.format == "csv":
            yield from table_rows(self._source, self._mapping.csv)
            return
        path = self._mapping.rows
        for raw in self._source.rows(json_layout(self._source.head)):
            begin = raw.raw[:1024]
            try:
                value = None if raw.problem else parse(decode(raw.raw, ledger), ledger)
                if raw.problem is None and not isinstance(value, dict):
                    raise UnfitError(f"a row must be an object, this is {named(value)}", "write one object per line")
                listed = _listed(value, path) if path and value is not None else None
            except UnfitError as error:
                problem = Problem(None, error.reason, error.cure)
                yield SourceRow(raw.line, begin, 0, problem=problem, raw=raw.raw)
                continue
            if listed is None:
                unread = raw.raw if raw.problem else b""
                yield SourceRow(raw.line, begin, len(raw.raw), value, raw.problem, raw=unread)
                continue
            for number, item in enumerate(listed, 1):
                size = len(raw.raw) // len(listed)
                if isinstance(item, dict):
                    yield SourceRow(raw.line, beginning(item), size, item)
                    continue
                problem = Problem(f"{path}[{number}]", f"must be an object, this is {named(item)}", "correct the row")
                yield SourceRow(raw.line, beginning(item), size, None, problem, raw=_written(item))

    # ── does the mapping fit the file? ──

    def _check_columns(self) -> None:
        names, _, _ = columns(self._source, self._mapping.csv)
        for pick in self._mapping.all_picks():
            for path in (*pick.paths, *pick.equals):
                if path not in names:
                    raise self._absent(pick, path, names)

    def _check_paths(self) -> None:
        """The fields that nothing goes without are found somewhere in the first rows. Others may be rare."""
        needed = [p for p in self._mapping.all_picks() if p.key.rpartition(".")[2] in _NEEDED and p.paths]
        listed = self._mapping.conversation.get("messages")
        inner = [p for p in self._mapping.messages[0].values() if p.key.rpartition(".")[2] in _NEEDED and p.paths] \
            if listed and self._mapping.messages else []  # fmt: skip
        names: dict[str, None] = {}
        inner_names: dict[str, None] = {}
        n_rows = n_items = 0
        for row in islice(self._rows(Ledger()), _LOOKED_AT):
            if row.value is None:
                continue
            n_rows += 1
            names.update(dict.fromkeys(paths_in(row.value)))
            needed = [pick for pick in needed if not _is_there(pick, row.value)]
            for item in islice(_items(listed, row.value), _LOOKED_AT):
                n_items += 1
                inner_names.update(dict.fromkeys(paths_in(item)))
                inner = [pick for pick in inner if not _is_there(pick, item)]
        if needed and n_rows:
            raise self._absent(needed[0], needed[0].source, list(names))
        if inner and n_items:
            raise self._absent(inner[0], inner[0].source, list(inner_names))

    def _absent(self, pick: Pick, path: str, names: list[str]) -> InputError:
        shown = ", ".join(name[:60] for name in names[:60]) + (", …" if len(names) > 60 else "")
        what = "columns" if self.format == "csv" else "paths"
        return InputError(
            f"names {path!r}, which {self._source.path.name} does not have", file=self._mapping.file, field=pick.key,
            cure=f"its {what}: {shown}",
        )  # fmt: skip

    # ── one row ──

    def _alone(self, row: SourceRow) -> Parsed:
        """A row that is a conversation, or an outcome, by itself."""
        if row.value is None:
            return Parsed(row.line, row.begin, problem=row.problem)
        used: set[Keys] = set()
        records: list[Incoming] = []
        if self._mapping.only_outcomes:
            outcome = self._picker.outcome(self._picker.identity(row.value, used), [row.value], used)
            if outcome is None and not self._ledger.problems:
                self._ledger.problem(None, "no outcome stands in the row", "leave out the rows that have none")
            records += self._built(outcome and {**outcome, "attributes": self._picker.rest(row.value, used)})
        else:
            head = self._picker.head([row.value], used)
            if "transcript" in self._mapping.conversation:
                messages = self._picker.transcribed(row.value, used, head.get("started_at"))
            else:
                messages = self._picker.listed(row.value, used)
            head["messages"] = [one for one, _ in self._sorted([(one, 0) for one in messages])]
            outcome = self._picker.outcome(head.get("conversation_id"), [row.value], used)
            handoff = self._picker.handoff([row.value], used)
            head["attributes"] = self._picker.rest(row.value, used)
            records += self._handed_over(self._built(head), handoff, [0] * len(messages)) + self._built(outcome)
        problem = self._ledger.settle()
        if problem:
            return Parsed(row.line, row.begin, problem=self._in_their_words(problem))
        return Parsed(row.line, row.begin, tuple(records), size=row.size)

    def _built(self, row: Found | None) -> list[Incoming]:
        record = canonical.record(row, self._ledger) if row and not self._ledger.problems else None
        return [] if record is None else [record]

    def _sorted(self, messages: list[tuple[JsonValue, int]]) -> list[tuple[JsonValue, int]]:
        """(message, its row), by time if the mapping wants that."""
        ordered, moved = in_order(messages, lambda pair: _at(pair[0]))
        if moved and not self._mapping.by_time:
            self._ledger.note(
                "a conversation's messages do not stand in the order of their times, they are kept as they stand; "
                "sort = true in [time] puts them in order"
            )
        return ordered if self._mapping.by_time else messages

    @staticmethod
    def _handed_over(
        records: list[Incoming], handoff: tuple[Found, int | None] | None, origin: list[int]
    ) -> list[Incoming]:
        """The conversation with its hand-off. `origin`: the row of each message."""
        if handoff is None:
            return records
        said, row = handoff
        return [
            one.model_copy(update={"events": (*one.events, _handoff(one, said, row, origin))})
            if isinstance(one, Conversation)
            else one
            for one in records
        ]

    def _in_their_words(self, problem: Problem) -> Problem:
        """The problem under the name that the file has for the field, where ours was named."""
        if not problem.field:
            return problem
        place = _PLACE.match(problem.field)
        if place and place[1] == "row":
            return replace(problem, field=problem.field[place.end() :])
        by_message = self._mapping.messages[0] if place and self._mapping.by_message else {}
        picks = {**self._mapping.outcome, **(by_message or self._mapping.conversation)}
        key = problem.field[place.end() :] if place and by_message else problem.field
        return replace(problem, field=picks[key].source if key in picks else problem.field)

    # ── several rows, one conversation ──

    def _grouped(self) -> Iterator[Parsed]:
        names = columns(self._source, self._mapping.csv)[0] if self.format == "csv" else []
        owner = Owner(self._mapping, names)
        spoilt = survey(islice(self._rows(Ledger()), self._ahead), owner)
        group: list[SourceRow] = []
        current: str | None = None
        size = 0
        unfit: Problem | None = None  # why no row of the current conversation goes in
        column = owner.column
        for row in self._rows(self._ledger):
            identity, problem = owner.identity(row)
            if identity is None:
                yield Parsed(row.line, row.begin, problem=problem)
                continue
            if identity != current:
                yield from self._together(group)
                group, size, current = [], 0, identity
                unfit = spoilt.why(identity, row.line, column)
            group.append(row)
            size += row.size
            if not unfit and (len(group) > MAX_GROUP or size > ROW_LIMIT):
                reason = f"conversation {identity[:60]!r} has more than {MAX_GROUP:,} rows or {ROW_LIMIT:,} bytes"
                unfit = Problem(column, reason, "is this column the conversation's id?")
            if unfit:
                yield from (Parsed(one.line, one.begin, problem=unfit) for one in group)
                group = []
        yield from self._together(group)

    def _scattered(self) -> Iterator[Item | Parsed]:
        """The rows by their conversation, to be brought together through a temporary file."""
        owner = Owner(self._mapping, columns(self._source, self._mapping.csv)[0] if self.format == "csv" else [])
        for row in self._rows(self._ledger):
            identity, problem = owner.identity(row)
            doubt = owner.doubt(row) if identity is None else None
            begin = row.begin if isinstance(row.begin, bytes) else row.begin.encode("utf-8", "replace")
            if identity is not None:
                yield Item((identity,), row.line, begin, row.size, {"row": row.value})
            elif doubt is not None and len(doubt.ids) == 1 and not doubt.anybody and problem is not None:
                # A bad row that says whose it is: its conversation would have a hole.
                bad = {"field": problem.field, "reason": problem.reason, "cure": problem.cure}
                yield Item(tuple(doubt.ids), row.line, begin, row.size, {"row": None, "bad": bad})
            else:
                if doubt is not None:
                    self._ledger.note("a bad row does not say whose it is: one of the conversations may lack a message")
                    self._ledger.settle()
                yield Parsed(row.line, row.begin, problem=problem)

    def _gathered(self, items: list[Item]) -> Iterator[Parsed]:
        group = [
            SourceRow(
                one.line, one.begin, one.size, one.value["row"],
                Problem(**one.value["bad"]) if "bad" in one.value else None,
            )
            for one in items
        ]  # fmt: skip
        bad = next((row for row in group if row.problem), None)
        if bad is None:
            yield from self._together(group)
            return
        other = Problem(None, bad_elsewhere(bad.line), "mend that row")
        yield from (Parsed(row.line, row.begin, problem=row.problem or other) for row in group)

    def _together(self, group: list[SourceRow]) -> Iterator[Parsed]:
        """The rows of one conversation: one record; or every row rejected, the bad one with its reason."""
        if not group:
            return
        records, problem, bad = self._joined(group)
        if problem is None:
            size = sum(row.size for row in group)
            yield Parsed(group[0].line, group[0].begin, tuple(records), rows=len(group), size=size)
            return
        other = Problem(problem.field, bad_elsewhere(group[bad].line), "mend that row")
        for position, row in enumerate(group):
            yield Parsed(row.line, row.begin, problem=problem if position == bad else other)

    def _joined(self, group: list[SourceRow]) -> tuple[list[Incoming], Problem | None, int]:
        """(the records that the rows make, the problem if there is one, the position of the row that has it)."""
        values = [row.value or {} for row in group]
        used: set[Keys] = set()
        head = self._picker.head(values, used)
        outcome = self._picker.outcome(head.get("conversation_id"), values, used)
        handoff = self._picker.handoff(values, used)
        found: list[tuple[JsonValue, int]] = []
        besides: Found = {}
        for position, value in enumerate(values):
            of_row = set(used)
            made = self._picker.of_row(value, position + 1, of_row)
            rest = self._picker.rest(value, of_row)
            if made and rest:
                made[0]["attributes"] = rest
            elif rest:
                besides[f"row {position + 1}"] = rest
            found += ((one, position) for one in made)
        found = self._sorted(found)
        messages, origin = [one for one, _ in found], [position for _, position in found]
        built = self._built({**head, "messages": messages, "attributes": besides})
        records = self._handed_over(built, handoff, origin) + self._built(outcome)
        problem = self._ledger.settle(len(group))
        if problem is None:
            return records, None, 0
        place = _PLACE.match(problem.field or "")
        at = 0
        if place:
            at = int(place[2]) - 1 if place[1] == "row" else origin[int(place[2]) - 1]
        return [], self._in_their_words(problem), at


def _listed(value: JsonValue, path: str) -> list[JsonValue]:
    """The rows in the list that stands at a path. Raises UnfitError."""
    found, keys = find(value, path)
    if isinstance(found, list) and found:
        return found
    what = "is an empty list" if found == [] else f"must be a list, this is {named(found)}" if keys else "is missing"
    raise UnfitError(f"{path} {what}: it holds no rows", "correct rows in the mapping, or leave the value out")


def _written(value: JsonValue) -> bytes:
    return json.dumps(value).encode()


def _at(message: JsonValue) -> datetime | None:
    at = message.get("at") if isinstance(message, dict) else None
    return at if isinstance(at, datetime) else None


def _handoff(talk: Conversation, said: Found, row: int | None, origin: list[int]) -> Event:
    """Where people took over: at the time that is said; else in the row that tells of it; else before the first of
    their messages after the AI's, or behind the AI's last one.
    """
    ai = [n for n, m in enumerate(talk.messages, 1) if m.role is Role.AI and m.kind is not Kind.NOTE]
    human = [n for n, m in enumerate(talk.messages, 1) if m.role is Role.HUMAN and m.kind is not Kind.NOTE]
    at = said.get("at")
    if at is not None and any(m.at for m in talk.messages):
        after = max((n for n, m in enumerate(talk.messages, 1) if m.at and m.at <= at), default=0)
    elif row is not None:
        own = [n for n, place in enumerate(origin, 1) if place == row]
        by_ai = bool(own) and own[-1] in ai
        after = own[-1] if by_ai else (own[0] - 1 if own else sum(place < row for place in origin))
    else:
        first = next((n for n in human if not ai or n > ai[0]), None)
        after = first - 1 if first else ai[-1] if ai else len(talk.messages)
    note = said.get("note")
    from_role = Role.AI if any(n <= after for n in ai) else None
    return Event(kind="handoff", after=after, at=at, from_role=from_role, to_role=Role.HUMAN,
                 note=None if note is None else str(note))  # fmt: skip


def _is_there(pick: Pick, row: JsonValue) -> bool:
    return any(find(row, path)[1] for path in pick.paths)


def _items(listed: Pick | None, row: dict[str, JsonValue]) -> Iterator[dict[str, JsonValue]]:
    """The objects in a row's list of messages, none where it is no list."""
    found = first(listed, row, set()) if listed else None
    if isinstance(found, str):
        try:
            found = parse(found, Ledger())
        except UnfitError:
            return
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, dict))


def _format_of(source: Source) -> str:
    """csv or jsonl, by the name, else by the first sign of the file."""
    name = source.path.name.lower().removesuffix(".gz")
    if name.endswith((".csv", ".tsv", ".txt")):
        return "csv"
    if name.endswith((".jsonl", ".ndjson", ".json")):
        return "jsonl"
    return "jsonl" if source.head.lstrip()[:1] in (b"{", b"[") else "csv"
