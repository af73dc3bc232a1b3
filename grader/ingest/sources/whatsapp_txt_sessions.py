"""The rows of a WhatsApp chat, cut into sessions by silence; each becomes a conversation.

Who speaks is what the user's names say. An id is made of the chat and of the session's first moment, so that it stays
when the file grows at its end, a message is edited, or the export is made again with media.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from grader.ingest import canonical
from grader.ingest.rows import ROW_LIMIT, Incoming, Ledger, Parsed, Problem, SeenIds
from grader.ingest.sources.gathered import MAX_GROUP
from grader.ingest.sources.whatsapp_txt_rows import Row, plain_name
from grader.ingest.sources.whatsapp_txt_texts import Said, said
from grader.model import JsonValue, digest


@dataclass(frozen=True, slots=True)
class Chat:
    """Who is who in a chat. `key` is what tells it from other chats; None: nothing does."""

    roles: Mapping[str, str]  # by plain name
    key: str | None
    title: str | None = None  # the partner or group, as the file's name or WhatsApp's notice says it
    note: str | None = None


def chat_of(names: Sequence[str], given: Mapping[str, str], title: str | None, key: str | None) -> Chat:
    """The chat of these speakers. A name without a role is unknown; but in a chat of two, or with the one whom the
    title names, the other side of somebody who is the AI or a colleague is the customer.
    """
    roles = {plain_name(name): role for name, role in given.items()}
    unnamed = [name for name in names if name not in roles]
    business = any(roles.get(name) in ("ai", "human") for name in names)
    titled = plain_name(title) if title else None
    partner = titled if titled in unnamed else unnamed[0] if len(names) == 2 and len(unnamed) == 1 else None
    note = None
    if business and partner:
        roles[partner] = "customer"
        note = f"{partner[:60]!r} is taken for the customer: the chat's other side is the AI or a colleague"
    key = key or titled or next((name for name in names if roles.get(name) not in ("ai", "human")), None)
    return Chat(roles, plain_name(key) if key else None, title, note)


@dataclass(frozen=True, slots=True)
class _Spoken:
    row: Row
    said: Said
    at: datetime | None  # with the offset that the zone had

    @property
    def by_person(self) -> bool:
        return self.row.speaker is not None and not self.said.notice and self.at is not None


class Sessions:
    """Cuts one chat. A session ends with a silence longer than `idle`; notices neither begin nor end one."""

    def __init__(self, chat: Chat, idle: timedelta, ledger: Ledger) -> None:
        self._chat, self._idle, self._ledger = chat, idle, ledger
        self._ids = SeenIds()
        self._clock = _Clock(ledger.timezone)

    def of(self, rows: Iterable[Row]) -> Iterator[Parsed]:
        """Every row in a conversation or with its problem, in the file's order."""
        held: list[_Spoken] = []
        last: datetime | None = None  # somebody's last words
        size = 0
        too_big: Problem | None = None
        for row in rows:
            at = self._clock.at(row.at) if row.at else None
            text = "\n".join(row.texts).rstrip("\n")
            found = said(text) if row.speaker is not None else Said(text, "event", notice=True)
            spoken = _Spoken(row, found, at)
            if spoken.by_person and at:
                if last and abs(at - last) > self._idle:
                    yield from _each(held, too_big) if too_big else self._joined(held, closed=at > last)
                    held, size, too_big = [], 0, None
                last = at
            held.append(spoken)
            size += row.size
            if too_big or len(held) > MAX_GROUP or size > ROW_LIMIT:
                reason = f"the session has more than {MAX_GROUP:,} messages or {ROW_LIMIT:,} bytes"
                too_big = Problem(None, reason, "--option idle_minutes with a smaller number cuts it")
                yield from _each(held, too_big)
                held = []
        yield from _each(held, too_big) if too_big else self._joined(held, closed=False)

    def _joined(self, held: list[_Spoken], *, closed: bool) -> Iterator[Parsed]:
        """The rows of one session: one conversation; or every row rejected, the bad one with its reason. `closed`: the
        chat went on after a long silence. Whether the last session is over, the file does not tell.
        """
        if not held:
            return
        bad = next((one.row for one in held if one.row.problem), None)
        if bad:
            reason = f"another row of this conversation is bad, that of line {bad.line}"
            yield from _each(held, Problem(None, reason, "mend that row"))
            return
        if not any(one.by_person for one in held):
            reason = "nobody speaks here, there are only WhatsApp's notices"
            yield from _each(held, Problem(None, reason, "leave it out"))
            return
        for one in held:
            for note in (*one.row.notes, *([one.said.odd] if one.said.odd else [])):
                self._ledger.note(note)
        record = canonical.record(self._row(held) | ({"state": "closed"} if closed else {}), self._ledger)
        problem = self._ledger.settle(len(held))
        if problem or record is None:
            yield from _each(held, problem)
            return
        records: tuple[Incoming, ...] = (record,)
        size = sum(one.row.size for one in held)
        yield Parsed(held[0].row.line, held[0].row.begin, records, rows=len(held), size=size)

    def _row(self, held: list[_Spoken]) -> dict[str, JsonValue]:
        """The canonical row of a session."""
        people = [one for one in held if one.by_person]
        times = [one.at for one in people if one.at]
        started, ended = min(times), max(times)
        shown = sorted(held, key=lambda one: one.at or started)
        if shown != held:
            self._ledger.note("messages stood out of the order of time, they were put into it")
        roles = [self._role(one) for one in shown]
        first = next(role for one, role in zip(shown, roles, strict=True) if one.by_person)
        row: dict[str, JsonValue] = {
            "conversation_id": self._id(people[0]),
            "channel": "whatsapp",
            "started_at": started,  # of what people said: a notice may come months later
            "ended_at": ended,
            "contact": self._contact(people),
            "messages": [_message(one, role) for one, role in zip(shown, roles, strict=True)],
            "attributes": {"chat": self._chat.title} if self._chat.title else {},
        }
        if first in ("customer", "ai", "human"):
            row["initiated_by"] = "customer" if first == "customer" else "business"
        return row

    def _role(self, one: _Spoken) -> str:
        if not one.by_person:
            return "system"
        speaker = one.row.speaker or ""
        role = self._chat.roles.get(plain_name(speaker))
        if role is None:
            cure = "say who it is with the option roles"
            self._ledger.note(f"{speaker[:60]!r} has no role, what was said under this name is kept as unknown; {cure}")
        return role or "unknown"

    def _id(self, first: _Spoken) -> str:
        at = first.row.at.isoformat() if first.row.at else ""
        own: list[JsonValue] = [self._chat.key, at]
        if self._chat.key is None:
            own += [first.row.speaker, first.said.text]
        made = digest("wa", own)
        number, free = 1, made
        while self._ids.first(free, first.row.line) != first.row.line:
            number += 1
            free = f"{made}~{number}"
        return free

    def _contact(self, people: list[_Spoken]) -> dict[str, JsonValue]:
        """The customer, if the session has one and no more."""
        speakers = {plain_name(one.row.speaker or ""): one.row.speaker for one in people}
        customers = [name for name in speakers if self._chat.roles.get(name) == "customer"]
        if len(customers) != 1:
            return {}
        (name,) = customers
        shown = speakers[name]
        phone = name if _is_phone(name) else None
        titled = plain_name(self._chat.title) if self._chat.title else ""
        if phone is None and _is_phone(titled) and len(speakers) <= 2:
            phone = titled
        identities = [{"kind": "phone", "value": phone}] if phone else []
        return {"identities": identities, "name": None if _is_phone(name) else shown}


def _is_phone(name: str) -> bool:
    """With its country: other numbers are the same in many places."""
    return name.startswith("+") and name[1:].isdigit()


def _message(one: _Spoken, role: str) -> dict[str, JsonValue]:
    attributes = dict(one.said.attributes)
    if one.row.speaker is not None:
        attributes["sender"] = one.row.speaker
    return {"role": role, "kind": one.said.kind, "text": one.said.text, "at": one.at, "attributes": attributes}


def _each(held: list[_Spoken], problem: Problem | None) -> Iterator[Parsed]:
    for one in held:
        yield Parsed(one.row.line, one.row.begin, problem=one.row.problem or problem)


class _Clock:
    """A phone's clock read as a time with an offset. In the hour that an autumn night has twice, a clock that goes back
    has come to the second one.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._before: datetime | None = None  # as shown
        self._second = False

    def at(self, shown: datetime) -> datetime:
        first, second = (shown.replace(tzinfo=self._zone, fold=fold).utcoffset() for fold in (0, 1))
        if first is None or second is None or first <= second:
            self._second = False
        elif self._before and shown < self._before and self._before - shown < timedelta(hours=3):
            self._second = True
        self._before = shown
        offset = second if self._second else first
        return shown.replace(tzinfo=timezone(offset) if offset else UTC)  # a zone of rules would compare clock faces
