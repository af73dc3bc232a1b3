"""From a foreign row, by a mapping, to fields with our names. What no key of the mapping uses is left to attributes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta

from grader.ingest import openai_chat, transcript
from grader.ingest.canonical import is_role
from grader.ingest.fields import Found, read_time, with_offset
from grader.ingest.jsontext import parse
from grader.ingest.mapping import FLAGS, TIMES, Mapping, Pick, Picks, plain
from grader.ingest.paths import (
    Keys,
    find,
    first,
    flag,
    is_blank,
    minutes,
    number,
    on_scale,
    several,
    without,
    word_of,
)
from grader.ingest.rows import Ledger, UnfitError, named
from grader.ingest.sources import html_text
from grader.model import JsonValue

Row = dict[str, JsonValue]
_Around = tuple[Row, set[Keys]]  # the row that a message's list stands in, and what of it is used

_MAX_UNUSED = 500
_CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
_DATED = re.compile(r"%[YyGxc]|^(?:iso|epoch|excel)")
_EXCEL = datetime(1899, 12, 30)  # noqa: DTZ001 - day 0 of a spreadsheet, by the clock on the wall


class Picker:
    """Applies one mapping. Problems go to the ledger under the name that the file has for the field."""

    def __init__(self, mapping: Mapping, ledger: Ledger) -> None:
        self._mapping, self._ledger = mapping, ledger
        self.unused: Counter[str] = Counter()  # columns that nothing uses, with how many rows had them

    def head(self, rows: Sequence[Row], used: set[Keys]) -> Found:
        """The conversation's own fields and its contact: of several rows the first that says something. References are
        those of all rows.
        """
        held = ("messages", "transcript")
        picks = {key: pick for key, pick in self._mapping.conversation.items() if key not in held}
        found = self._agreed(picks, rows, used)
        name = self._agreed({k: p for k, p in self._mapping.contact.items() if k == "name"}, rows, used).get("name")
        kinds = {kind: pick for kind, pick in self._mapping.contact.items() if kind != "name"}
        identities = self._listed(kinds, rows, used, of_all=False)
        references = self._listed(self._mapping.references, rows, used, of_all=True)
        return {**found, "contact": {"identities": identities, "name": name}, "references": references}

    def _listed(self, picks: Picks, rows: Sequence[Row], used: set[Keys], *, of_all: bool) -> list[JsonValue]:
        """{"kind", "value"} of every value of these picks: of the first row that has some, or of all rows."""
        found: dict[tuple[str, str], Found] = {}
        for kind, pick in picks.items():
            for row in rows:
                given = [self._replaced(pick, one) for one in several(pick, row, used)]
                for value in given:
                    if not is_blank(value):
                        found.setdefault((kind, str(value)), {"kind": kind, "value": value})
                if given and not of_all:
                    break
        return list(found.values())

    def handoff(self, rows: Sequence[Row], used: set[Keys]) -> tuple[Found, int | None] | None:
        """(what is said of the hand-off to people, the row that tells of it first; None: all of them do), or None where
        there was none.
        """
        picks = self._mapping.handoff
        if not picks:
            return None
        told = [self._fields(picks, row, used, f"row[{n}]." if len(rows) > 1 else "") for n, row in enumerate(rows, 1)]
        hits = [
            n for n, one in enumerate(told) if (one.get("when") if "when" in picks else "at" in one or "note" in one)
        ]
        if not hits:
            return None
        said = {key: value for n in reversed(hits) for key, value in told[n].items() if key != "when"}
        return said, None if len(hits) == len(rows) else hits[0]

    def transcribed(self, row: Row, used: set[Keys], started: JsonValue) -> list[JsonValue]:
        """The messages that stand in a row's text."""
        pick = self._mapping.conversation["transcript"]
        text = first(pick, row, used)
        try:
            if not isinstance(text, str):
                raise UnfitError(f"must be text, this is {named(text)}", "name the column of the conversation's text")
            form, roles = self._mapping.transcript, self._mapping.roles
            made: list[JsonValue] = list(transcript.messages(text, form, roles, self._moment, started, self._ledger))
        except UnfitError as error:
            self._ledger.problem(pick.source, error.reason, error.cure)
            return []
        return made

    def outcome(self, identity: JsonValue, rows: Sequence[Row], used: set[Keys]) -> Found | None:
        """The outcome that the rows tell, None where they tell none."""
        found = self._agreed(self._mapping.outcome, rows, used)
        return {"type": "outcome", "conversation_id": identity, **found} if found else None

    def identity(self, row: Row, used: set[Keys]) -> JsonValue:
        """The id of the conversation that a row belongs to, None where it has none."""
        pick = self._mapping.conversation["conversation_id"]
        return self._fields({"conversation_id": pick}, row, used, "").get("conversation_id")

    def listed(self, row: Row, used: set[Keys]) -> list[JsonValue]:
        """The messages of a row's list, by [message] where there is one, else as OpenAI's or ours."""
        pick = self._mapping.conversation["messages"]
        found = first(pick, row, used)
        try:
            if isinstance(found, str):
                found = parse(found, self._ledger)
            if not isinstance(found, list):
                raise UnfitError(f"must be a list of messages, this is {named(found)}", "name the path of the list")
        except UnfitError as error:
            self._ledger.problem(pick.source, error.reason, error.cure)
            return []
        opening, made = self._mapping.opening, list[JsonValue]()
        if opening and not is_blank(first(opening["text"], row, used)):
            made.append(self._message(opening, row, used, ""))
        if not self._mapping.messages:
            return [*made, *openai_chat.messages(found, self._ledger)]
        for position, item in enumerate(found, 1):
            touched: set[Keys] = set()
            where = f"{pick.source}[{position}]"
            if not isinstance(item, dict):
                self._ledger.problem(where, f"must be an object, this is {named(item)}", "correct the row")
                continue
            message = self._message(self._mapping.messages[0], item, touched, f"{where}.", (row, used))
            if rest := without(item, touched):
                message["attributes"] = rest
            made.append(message)
        return made

    def of_row(self, row: Row, number_: int, used: set[Keys]) -> list[Found]:
        """The messages that one row of its own makes: one, or with [[message]] those whose text is not blank."""
        where = f"row[{number_}]."
        made = []
        for picks in self._mapping.messages:
            if self._mapping.several and is_blank(first(picks["text"], row, used)):
                continue
            made.append(self._message(picks, row, used, where))
        return made

    def rest(self, row: Row, used: Iterable[Keys]) -> Found:
        """What nothing used, as far as the mapping wants it kept."""
        left = {key: value for key, value in without(row, used).items() if not is_blank(value)}
        self.unused.update(key[:80] for key in left if key in self.unused or len(self.unused) < _MAX_UNUSED)
        wanted = self._mapping.attributes
        return left if wanted is None else {key: value for key, value in left.items() if key in wanted}

    def _agreed(self, picks: Picks, rows: Sequence[Row], used: set[Keys]) -> Found:
        found: Found = {}
        for position, row in enumerate(rows, 1):
            where = f"row[{position}]." if len(rows) > 1 else ""
            for key, value in self._fields(picks, row, used, where).items():
                if key not in found:
                    found[key] = value
                elif found[key] != value:
                    self._ledger.note(f"{picks[key].key} differs between rows of one conversation, the first was taken")
        return found

    def _message(self, picks: Picks, item: Row, used: set[Keys], where: str, around: _Around = ({}, set())) -> Found:
        text = first(picks["text"], item, used)
        words = ("text", "role", "kind", "tool_calls")
        message = self._fields({k: pick for k, pick in picks.items() if k not in words}, item, used, where)
        if isinstance(text, list) and all(isinstance(one, str) for one in text):
            text = "\n".join(text)
        if isinstance(text, (dict, list, bool)):
            reason = f"must be text, this is {named(text)}"
            self._ledger.problem(f"{where}{picks['text'].source}", reason, "name the path of the text itself")
        message["text"] = text if text is None or isinstance(text, str) else str(text)
        if picks["text"].html and message["text"]:
            message["text"] = html_text.to_text(message["text"])
        for key, known in (("role", self._mapping.roles), ("kind", self._mapping.kinds)):
            if key in picks:
                theirs = word_of(self._fields({key: picks[key]}, item, used, where).get(key))
                message[key] = None if theirs is None else known.get(plain(theirs), theirs)
        if role := self._same_as(picks["role"], item, used, around):
            message["role"] = role
        elif message["role"] is not None and picks["role"].default is not None and not is_role(message["role"]):
            message["role"] = picks["role"].default
        if message["role"] is None:
            self._ledger.note(f"{picks['role'].source} was blank, those messages are kept with the role unknown")
            message["role"] = "unknown"
        if "tool_calls" in picks:
            message["tool_calls"] = self._calls(picks["tool_calls"], item, used, where)
        return message

    def _same_as(self, pick: Pick, item: Row, used: set[Keys], around: _Around) -> str | None:
        """The role that `equals` gives, where what stands for the author stands in that column too."""
        if not pick.equals:
            return None
        own = plain(word_of(first(pick, item, used)) or "")
        for path, role in pick.equals.items():
            for holder, touched in ((item, used), around):
                value, keys = find(holder, path)
                if keys:
                    touched.add(keys)
                    if own and own == plain(word_of(value) or ""):
                        return role
                    break
        return None

    def _calls(self, pick: Pick, item: Row, used: set[Keys], where: str) -> JsonValue:
        found = first(pick, item, used)
        if isinstance(found, str):
            if not found.strip():
                return None
            try:
                found = parse(found, self._ledger)
            except UnfitError as error:
                self._ledger.problem(f"{where}{pick.source}", error.reason, error.cure)
                return None
        return [openai_chat.call(one) for one in found] if isinstance(found, list) else found

    def _fields(self, picks: Picks, row: Row, used: set[Keys], where: str) -> Found:
        """What the picks find: blanks left out, words replaced, times and numbers read."""
        found: Found = {}
        for key, pick in picks.items():
            value = first(pick, row, used)
            value = pick.default if is_blank(value) else self._replaced(pick, value)
            if value is None:
                continue
            try:
                found[key] = self._value(key, pick, value)
            except UnfitError as error:
                self._ledger.problem(f"{where}{pick.source}", error.reason, error.cure)
        return found

    @staticmethod
    def _replaced(pick: Pick, value: JsonValue) -> JsonValue:
        """The value in our words."""
        value = value.strip() if isinstance(value, str) else value
        if pick.values and (word := word_of(value)) is not None:
            return pick.values.get(plain(word), value if pick.default is None else pick.default)
        return value

    def _value(self, key: str, pick: Pick, value: JsonValue) -> JsonValue:
        if key in TIMES:
            return self._time(value)
        if key in FLAGS:
            return flag(value)
        if key == "csat":
            return on_scale(number(value), pick.scale)
        if key in ("resolution_minutes", "handle_minutes"):
            return minutes(value, pick.unit)
        return value

    def _moment(self, text: str) -> datetime | time:
        """A time, or a time of day, in a transcript."""
        text = text.strip(" ,-")
        for form in (*self._mapping.time_formats, *_CLOCKS):
            if not _DATED.search(form):
                try:
                    return datetime.strptime(text, form).time()  # noqa: DTZ007 - the day gives the zone
                except ValueError:
                    continue
        return self._time(text)

    def _time(self, value: JsonValue) -> datetime:
        formats = self._mapping.time_formats
        if not formats:
            return read_time(value, self._ledger)
        for form in formats:
            try:
                if form == "iso":
                    return read_time(value, self._ledger)
                if form == "excel":
                    return with_offset(_EXCEL + timedelta(seconds=round(number(value) * 86_400)), self._ledger)
                if form in ("epoch_s", "epoch_ms"):
                    return read_time(number(value) * (1000 if form == "epoch_s" else 1), self._ledger)
                if not _DATED.search(form):
                    continue  # a time of day
                at = datetime.strptime(str(value), form)  # noqa: DTZ007 - the zone is put in below
                if 1900 <= at.year < 3000:
                    return with_offset(at, self._ledger)
            except (UnfitError, ValueError, OverflowError):
                continue
        cure = f"time.formats has {', '.join(formats)}; add the one that this is"
        raise UnfitError(f"is no time in the mapping's formats: {named(value)}", cure)
