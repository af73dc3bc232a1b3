"""All units of one customer with one business number → sessions, each a canonical conversation.

WhatsApp knows no conversations: a session ends where nobody writes for longer than the idle gap. Its id follows from
its first message alone, so that it stays the same when the log grows at its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from grader.ingest import canonical
from grader.ingest.rows import Ledger, Parsed, Problem
from grader.ingest.sources.gathered import Item, refused
from grader.ingest.sources.logged import Row, kept, objects, part
from grader.ingest.sources.timeline import Numbered, in_order, time_of
from grader.ingest.sources.whatsapp_business_content import content, template_of, type_of
from grader.ingest.sources.whatsapp_business_options import Options
from grader.model import JsonValue, Role, canonical_json, digest

_PLACE = re.compile(r"messages\[(\d+)\]")
_PASSIVE = {"reaction", "system"}  # they answer nothing and ask nothing: none begins a session while another is there
_CHANGES = {"edit", "revoke"}
_LOG_MORE = "log the messages that you send too (docs/sources/whatsapp_business.md), or leave such rows out"


@dataclass(slots=True)
class _Entry:
    """One message, and the rows that speak of it. `message` is None where only its statuses are in the log."""

    unit: Row
    items: list[int]
    message: Row | None = None
    statuses: dict[str, Row] = field(default_factory=dict)  # by what they say
    revoked_at: datetime | None = None
    revoked: bool = False
    before_edit: list[JsonValue] = field(default_factory=list)
    at: datetime | None = None

    @property
    def kind(self) -> str:
        return type_of(self.message) if self.message else ""


@dataclass(slots=True)
class _Session:
    entries: list[_Entry]
    others: list[int] = field(default_factory=list)  # rows that are no messages

    @property
    def items(self) -> list[int]:
        return sorted({item for entry in self.entries for item in entry.items} | {*self.others})


def joined(items: list[Item], options: Options, ledger: Ledger, until: datetime | None) -> Iterator[Parsed]:
    """The sessions of one customer, by business number. `until`: the latest time in the whole log."""
    of: dict[str | None, list[int]] = {}
    for at, label in enumerate(_labels(items)):
        of.setdefault(label, []).append(at)
    nowhere = of.pop(None, []) if len(of) > 1 else []
    for members in of.values():
        yield from _Customer(items, members, options, ledger, until).parsed()
    reason = "the row does not say from which of the business's numbers, and this customer wrote with several"
    problem = Problem("phone_number_id", reason, "log the number's id with what is sent")
    yield from refused([items[at] for at in nowhere], problem)


def _labels(items: list[Item]) -> list[str | None]:
    """The business number of each row: its id, or else its digits; of what was sent, that of its statuses."""
    rows: list[Row] = [item.value for item in items]
    by_display = {row["display"]: row["business"] for row in rows if row.get("display") and row.get("business")}
    own = [row.get("business") or by_display.get(row.get("display"), row.get("display")) for row in rows]
    by_id = {_key(row["what"], ""): label for row, label in zip(rows, own, strict=True) if label}
    known = {label for label in own if label}
    only = next(iter(known)) if len(known) == 1 else None
    return [label or by_id.get(_key(row["what"], "?")) or only for row, label in zip(rows, own, strict=True)]


def _key(what: Row, otherwise: str) -> str:
    """The id of a message or a status, as text."""
    identity = what.get("id")
    return str(identity) if isinstance(identity, (str, int)) and identity != "" else otherwise


class _Customer:
    """One customer and one business number."""

    def __init__(
        self, items: list[Item], members: list[int], options: Options, ledger: Ledger, until: datetime | None
    ) -> None:
        self._items, self._options, self._ledger, self._until = items, options, ledger, until
        self._gap = timedelta(minutes=options.idle_minutes)
        self._entries: dict[str, _Entry] = {}
        self._others: list[int] = []
        self._changes: list[int] = []
        for at in members:
            self._take(at, items[at].value)
        for at in self._changes:
            self._change(at, items[at].value)

    # ── rows → messages ──

    def _take(self, at: int, unit: Row) -> None:
        what = unit["what"]
        key = _key(what, f"row {at}")
        if unit["about"] == "message" and type_of(what) in _CHANGES:
            self._changes.append(at)
        elif unit["about"] == "message":
            self._message(at, key, unit)
        elif unit["about"] == "status":
            entry = self._entries.setdefault(key, _Entry(unit, []))
            entry.items.append(at)
            if entry.statuses.setdefault(canonical_json(what), what) is not what:
                self._ledger.note("a webhook was delivered more than once, what it says counts once")
        else:
            self._others.append(at)

    def _message(self, at: int, key: str, unit: Row) -> None:
        entry = self._entries.setdefault(key, _Entry(unit, []))
        entry.items.append(at)
        if entry.message is None:
            entry.unit, entry.message = unit, unit["what"]
        elif entry.message == unit["what"]:
            self._ledger.note("a webhook was delivered more than once, what it says counts once")
        else:
            self._ledger.note("several webhooks speak of one message, what the later ones say was added")
            entry.message = {**entry.message, **unit["what"]}

    def _change(self, at: int, unit: Row) -> None:
        what = unit["what"]
        name = type_of(what)
        of = part(what, name)
        entry = self._entries.get(str(of.get("original_message_id")))
        if name == "revoke":
            if entry is None:
                self._others.append(at)
                return
            entry.revoked, entry.revoked_at = True, time_of(what.get("timestamp"), self._ledger)
        else:
            new = part(of, "message")
            if entry is None or entry.message is None:
                self._ledger.note("an edited message is not in the log as it was first sent, it is kept as edited")
                self._message(at, f"row {at}", {**unit, "what": {**what, **new, "edit": None}})
                return
            entry.before_edit.append(content(entry.message, Ledger()).text)
            entry.message = {
                **entry.message,
                **{key: one for key, one in new.items() if key not in ("id", "timestamp")},
            }
        entry.items.append(at)

    # ── messages → sessions ──

    def parsed(self) -> Iterator[Parsed]:
        """The sessions in the order of time; every row is in one, or rejected."""
        found = list(self._entries.values())
        for entry in found:
            entry.at = self._time(entry)
        ordered, moved = in_order(found, lambda entry: entry.at)
        if moved:
            self._ledger.note("messages did not stand in the order of time, they were put into it")
        sessions = self._cut(ordered)
        if not sessions:
            reason = "the file has no message of this customer"
            problem = Problem(None, reason, "nothing to mend: the row speaks of no message that is there")
            yield from refused([self._items[at] for at in self._others], problem)
            return
        begins = Numbered([session.entries[0].at for session in sessions])
        for at in self._others:
            time = time_of(self._items[at].value["what"].get("timestamp"), self._ledger)
            sessions[max(begins.until(time) - 1, 0) if time else -1].others.append(at)
        for session in sessions:
            yield from self._one(session)

    def _time(self, entry: _Entry) -> datetime | None:
        """Its own time; of what was sent, when it was logged; else the first of its statuses."""
        said = (
            [entry.message.get("timestamp"), self._items[entry.items[0]].value.get("logged_at")]
            if entry.message
            else []
        )
        told = (time for value in said if (time := time_of(value, self._ledger)))
        sent = [time for one in entry.statuses.values() if (time := time_of(one.get("timestamp"), self._ledger))]
        return next(told, None) or min(sent, default=None)

    def _cut(self, ordered: list[_Entry]) -> list[_Session]:
        sessions: list[_Session] = []
        last: datetime | None = None
        for entry in ordered:
            passive = entry.kind in _PASSIVE
            if not sessions or (not passive and entry.at and last and entry.at - last > self._gap):
                sessions.append(_Session([]))
            sessions[-1].entries.append(entry)
            if not passive or last is None:
                last = entry.at or last
        return sessions

    # ── a session → a conversation ──

    def _one(self, session: _Session) -> Iterator[Parsed]:
        items = [self._items[at] for at in session.items]
        said = [entry for entry in session.entries if entry.message is not None]
        if not said:
            reason = "there are only statuses of messages whose text the log does not have"
            yield from refused(items, Problem("statuses", reason, _LOG_MORE))
            return
        made = canonical.record(self._row(session, said), self._ledger)
        problem = self._ledger.settle(len(items))
        if problem is not None or made is None:
            place = _PLACE.match((problem.field if problem else None) or "")
            bad = session.items.index(said[int(place[1]) - 1].items[0]) if place else None
            yield from refused(items, problem or Problem(None, "cannot be read", "mend the row"), bad)
            return
        size = sum(item.size for item in items)
        yield Parsed(items[0].line, items[0].begin, (made,), rows=len(items), size=size)

    def _row(self, session: _Session, said: list[_Entry]) -> Row:
        first, ledger = session.entries[0], self._ledger
        begun = next((entry for entry in session.entries if entry.kind not in _PASSIVE), first)
        messages = [self._said(entry) for entry in said]
        unseen = len(session.entries) - len(said)
        if unseen:
            ledger.note("the log has no text of a message that the business sent, only its statuses: kept as cut off")
        times = [entry.at for entry in session.entries if entry.at and entry.kind not in _PASSIVE]
        over = None if not times or not self._until else self._until - max(times) > self._gap
        inbound = [entry for entry in said if entry.unit["inbound"]]
        business = next((u["business"] for u in self._units(session) if u.get("business")), None)
        display = next((u["display"] for u in self._units(session) if u.get("display")), None)
        queue = self._options.queues.get(business or "") or self._options.queues.get(display or "")
        row: Row = {
            "conversation_id": self._id(first),
            "channel": "whatsapp",
            "queue": queue.strip().lower() if queue else None,
            "contact": self._contact(session),
            "started_at": min(times).isoformat() if times else None,
            "ended_at": max(times).isoformat() if over else None,
            "state": None if over is None else "closed" if over else "open",
            "initiated_by": "customer" if begun.unit["inbound"] else "business",
            "excluded": None if inbound else "outbound",
            "truncated": True if unseen else None,
            "messages": messages,
            "events": sorted(self._events(session, said), key=lambda event: event["after"]),
            "attributes": self._attributes(session, business, display, unseen),
        }
        return {key: value for key, value in row.items() if value is not None and value != []}

    def _units(self, session: _Session) -> Iterator[Row]:
        return (self._items[at].value for at in session.items)

    def _id(self, first: _Entry) -> str:
        """From the first message alone: the business number and the customer as it names them, and its own id."""
        unit, who = first.unit, first.unit["customer"]
        customer = who.get("group") or who.get("wa") or who.get("user") or who.get("parent")
        what = first.message if first.message is not None else unit["what"]
        return digest("wa", [unit.get("business") or unit.get("display"), customer, what.get("id") or what])

    def _said(self, entry: _Entry) -> Row:
        message = entry.message or {}
        said = content(message, self._ledger)
        attributes = dict(said.attributes)
        if entry.statuses:
            attributes["statuses"] = kept([_status(one) for one in entry.statuses.values()], self._ledger)
        if entry.before_edit:
            attributes["before_edit"] = entry.before_edit
        if entry.revoked:
            attributes["revoked"] = True
        if entry.unit["customer"].get("group"):
            attributes["from"] = entry.unit["customer"].get("wa") or entry.unit["customer"].get("user")
        role = "system" if entry.kind == "system" else self._role(entry)
        stamp = message.get("timestamp")
        if stamp is None:
            stamp = _iso(entry.at)
        return {"role": role, "kind": said.kind, "text": said.text, "at": stamp, "attributes": attributes}

    def _role(self, entry: _Entry) -> str:
        unit = entry.unit
        if unit["inbound"]:
            return "customer"
        if unit["by_app"]:
            return "human"
        said = unit.get("role")
        role = canonical.ROLES.get(said.strip().lower()) if isinstance(said, str) else None
        if role in (Role.AI, Role.HUMAN, Role.SYSTEM):
            return role.value
        for one in (entry.message or {}, *entry.statuses.values()):
            data = one.get("biz_opaque_callback_data")
            if isinstance(data, str) and data in self._options.callback_roles:
                return self._options.callback_roles[data]
        if self._options.outbound_role == "unknown":
            self._ledger.note(
                "who sent a message of the business is not in the log, its role is unknown: outbound_role"
            )
        return self._options.outbound_role

    def _events(self, session: _Session, said: list[_Entry]) -> Iterator[Row]:
        number = 0
        for entry in session.entries:
            number += entry.message is not None
            event: Row = {"after": number, "at": _iso(entry.at)}
            failed = next((one for one in entry.statuses.values() if one.get("status") == "failed"), None)
            if entry.message is None:
                words = ", ".join(dict.fromkeys(str(one.get("status"))[:40] for one in entry.statuses.values()))
                note = f"its text is not in the log ({words})"
                yield {**event, "kind": "message_sent", "from_role": self._role(entry), "note": note}
            elif (template := template_of(entry.message)) is not None:
                yield {**event, "kind": "template", "note": f"{template[:200]}: its own text is not in the log"}
            if failed is not None and entry.message is not None:
                failed_at = _iso(time_of(failed.get("timestamp"), self._ledger))
                yield {**event, "kind": "delivery_failed", "at": failed_at, "note": _error(failed)}
            if entry.revoked:
                role = "customer" if entry.unit["inbound"] else None
                yield {**event, "kind": "deleted", "at": _iso(entry.revoked_at), "from_role": role}
        by_time = Numbered([entry.at for entry in said])
        for at in session.others:
            yield from self._other(self._items[at].value, by_time, len(said))

    def _other(self, unit: Row, by_time: Numbered[datetime], n: int) -> Iterator[Row]:
        what, about = unit["what"], unit["about"]
        if about == "link":
            return
        at = time_of(what.get("timestamp"), self._ledger)
        keys = ("event", "direction", "status", "duration") if about == "call" else ("category", "value", "type")
        note = " ".join(str(what[key])[:100] for key in keys if isinstance(what.get(key), (str, int, float)))
        role = "customer" if unit["inbound"] is not False else None
        after = by_time.until(at) if at else n
        event: Row = {"kind": about, "after": after, "at": _iso(at), "from_role": role}
        yield {**event, "kind": "deleted" if about == "message" else about, "note": note or None}

    def _contact(self, session: _Session) -> Row:
        """Who it is, by numbers and ids. The members of a group are no one person: they have none here."""
        found: dict[tuple[str, str], None] = {}
        name = None
        for unit in self._units(session):
            who = unit["customer"]
            if who.get("group"):
                continue
            changed = part(unit["what"], "system")
            ids = (who.get("user"), *who.get("former", ()), changed.get("user_id"))
            for wa in (who.get("wa"), changed.get("wa_id"), changed.get("new_wa_id")):
                if isinstance(wa, str) and wa.strip():
                    found["phone", "+" + wa.strip().lstrip("+")] = None
            for one in ids:
                if isinstance(one, str) and one.strip():
                    found["whatsapp_user_id", one.strip()] = None
            if who.get("parent"):
                found["whatsapp_parent_user_id", who["parent"]] = None
            name = who["name"] if isinstance(who.get("name"), str) else name
        return {"identities": [{"kind": kind, "value": value} for kind, value in found], "name": name}

    def _attributes(self, session: _Session, business: JsonValue, display: JsonValue, unseen: int) -> Row:
        units = list(self._units(session))
        found = {
            "phone_number_id": business, "display_phone_number": display,
            "whatsapp_business_account": next((u["account"] for u in units if u.get("account")), None),
            "group_id": next((group for u in units if (group := u["customer"].get("group"))), None),
            "username": next((name for u in units if isinstance(name := u["customer"].get("username"), str)), None),
            "messages_without_text_in_the_log": unseen or None,
        }  # fmt: skip
        return {key: value for key, value in found.items() if value is not None}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _status(status: Row) -> Row:
    keys = ("status", "timestamp", "errors", "pricing", "conversation", "biz_opaque_callback_data")
    return {key: status[key] for key in keys if status.get(key) is not None}


def _error(status: Row) -> str | None:
    """Code and title of why a message did not arrive."""
    for error in objects(status.get("errors")):
        words = " ".join(str(error[key])[:200] for key in ("code", "title") if isinstance(error.get(key), (str, int)))
        if words:
            return words
    return None
