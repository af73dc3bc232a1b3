"""One conversation of Chatwoot's, put together from all the rows that show a piece of it.

The last word on each message counts. What only later rows know (labels, assignee, status) is taken from the last that
says it; what is not known stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from grader.ingest.rows import Ledger
from grader.ingest.sources import chatwoot_facts as facts
from grader.ingest.sources import chatwoot_status as status
from grader.ingest.sources import reopened
from grader.ingest.sources.chatwoot_activity import status_in
from grader.ingest.sources.chatwoot_messages import (
    LEFT_OUT,
    Rating,
    answered,
    canonical,
    rating,
    sender_type,
    type_of,
)
from grader.ingest.sources.chatwoot_options import Options
from grader.ingest.sources.logged import Row, kept, objects, part
from grader.ingest.sources.timeline import Numbered, in_order, time_of
from grader.model import JsonValue

_PLACE = re.compile(r"messages\[(\d+)\]")
_IDENTITIES = (("email", "email"), ("phone_number", "phone"), ("identifier", "customer_id"), ("id", "chatwoot_id"))
_PLACED = {  # what has a field of its own, or is no fact about the conversation
    "id", "messages", "last_non_activity_message", "meta", "status", "channel", "created_at", "labels", "account",
    "event", "current_conversation", "conversation", "changed_attributes", "updated_at", "timestamp", "inbox",
    "last_activity_at", "waiting_since", "event_info", "page_meta",
}  # fmt: skip
_MESSAGES = ("message", "message_created", "message_updated")
_OF_ITS_TIME = ("labels", "custom_attributes", "additional_attributes")  # what a return may change
_TELLING = ("conversation_opened", "conversation_resolved", "conversation_status_changed")
_BEGINS_WITHIN = timedelta(minutes=1)  # from a conversation's creation to its first message, where none is missing
_NO_NUMBER = 2**62


@dataclass(slots=True)
class _Entry:
    message: Row
    item: int  # the row that showed it first
    updated: bool = False  # by message_updated
    alone: bool = False  # a row of its own shows it


class Talk:
    """See every row in turn, then ask for the conversation and the outcome."""

    def __init__(self, number: str, options: Options, ledger: Ledger) -> None:
        self._number, self._options, self._ledger = number, options, ledger
        self._entries: dict[JsonValue, _Entry] = {}
        self._head: Row = {}
        self._meta: Row = {}
        self._senders: dict[tuple[str, ...], Row] = {}
        self._sights: list[status.Sight] = []
        self._ratings: list[tuple[Rating, str | None]] = []  # with the id of the survey's message
        self._last_status: str | None = None
        self._created: set[JsonValue] = set()
        self._lists_messages = False  # some row is there for its messages, not only with the last of them
        self._origins: list[int] = []
        self._shown: list[tuple[int, Row]] = []  # row, and what it shows of the conversation at that time

    def see(self, item: int, row: Row) -> None:
        """One more row: what it is about, its payload, and when the log got it."""
        about, payload = row["about"], row["payload"]
        conversation = payload
        if about in _MESSAGES:
            conversation = part(payload, "conversation")
            self._lists_messages = True
            self._repeated(about, payload)
            self._take(item, payload, about)
            page = part(payload, "page_meta")
            self._see_meta(page)
            self._head.setdefault("additional_attributes", part(page, "additional_attributes"))
            self._see_inbox(payload)
        elif about == "rating":
            conversation = {}
            survey = payload.get("message_id")
            rated = Rating(payload["rating"], payload.get("feedback_message"), payload.get("created_at"))
            self._ratings.append((rated, None if survey is None else str(survey)))
        elif payload.get("current_conversation") or payload.get("conversation"):
            conversation = part(payload, "current_conversation") or part(payload, "conversation")
            self._see_inbox(payload)
        shown = objects(conversation.get("messages"))
        self._lists_messages = self._lists_messages or len(shown) > 1
        for message in (*objects([conversation.get("last_non_activity_message")]), *shown):
            self._take(item, message, None)
        self._see_conversation(item, about, conversation, row)

    # ── rows ──

    def _repeated(self, about: str, message: Row) -> None:
        if about == "message_created" and message.get("id") is not None:
            key = str(message["id"])
            if key in self._created:
                self._ledger.note("a webhook was delivered more than once, its message counts once")
            self._created.add(key)

    def _take(self, item: int, message: Row, event: str | None) -> None:
        """A message as one row shows it: the newer word counts, field by field."""
        identity = message.get("id")
        key = str(identity) if isinstance(identity, (int, str)) else f"row {item}, {len(self._entries)}"
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = _Entry(message, item, event == "message_updated", event is not None)
            return
        entry.alone = entry.alone or event is not None
        then = time_of(entry.message.get("updated_at"), self._ledger)
        now = time_of(message.get("updated_at"), self._ledger)
        older = now < then if now and then else event == "message_created" and entry.updated
        first, second = (message, entry.message) if older else (entry.message, message)
        sender = part(second, "sender") or part(first, "sender")
        entry.message = {**first, **second, "sender": sender}
        entry.updated = entry.updated or event == "message_updated"

    def _see_inbox(self, payload: Row) -> None:
        name = part(payload, "inbox").get("name")
        if isinstance(name, str) and name.strip():
            self._head["inbox_name"] = name
        identity = part(payload, "inbox").get("id", payload.get("inbox_id"))
        if identity is not None:
            self._head["inbox_id"] = identity

    def _see_meta(self, meta: Row) -> None:
        """`meta` of a conversation, or of a page of messages."""
        sender = part(meta, "sender") or part(meta, "contact")
        if sender:
            key = tuple(str(sender.get(key)) for key, _ in _IDENTITIES)
            self._senders.pop(key, None)
            self._senders[key] = sender
        told = {key: value for key, value in meta.items() if key not in ("sender", "contact") and value is not None}
        self._meta |= told
        if isinstance(meta.get("labels"), list):
            self._head["labels"] = meta["labels"]

    def _see_conversation(self, item: int, about: str, conversation: Row, row: Row) -> None:
        payload, meta = row["payload"], part(conversation, "meta")
        self._see_meta(meta)
        self._head |= {key: value for key, value in conversation.items() if value is not None}
        if about != "conversation" and any(key in conversation for key in _OF_ITS_TIME):
            self._shown.append((item, {key: conversation.get(key) for key in _OF_ITS_TIME}))
        change = status.changed(payload, "status")
        word = status.status_of(change[1] if change else conversation.get("status"), about)
        if about == "conversation":  # how things stood when it was exported, which may be long after
            self._last_status = word or self._last_status
            return
        at = time_of(conversation.get("updated_at"), self._ledger) or time_of(row["logged_at"], self._ledger)
        by = time_of(conversation.get("last_activity_at", conversation.get("timestamp")), self._ledger)
        told = about in _TELLING or change is not None
        if about in _MESSAGES and (line := self._status_line(payload)):
            word, told = line, True
            at = time_of(payload.get("created_at"), self._ledger)
        elif about == "message_created":
            at = at or time_of(payload.get("created_at"), self._ledger)
        before = status.status_of(change[0]) if change else None
        assigned = facts.assignee(meta) if meta else None
        if word or assigned:
            self._sights.append(status.Sight(item, at, by, word, before, assigned, told))

    def _status_line(self, message: Row) -> str | None:
        """The status that an activity of Chatwoot's tells of, in a field or in its words."""
        activity = part(part(message, "content_attributes"), "activity")
        if activity.get("type") == "conversation_status_changed":
            return status.status_of(activity.get("status"))
        told = type_of(message) == "activity"
        return status_in(message.get("content"), self._options.resolved_words) if told else None

    def _listed_lines(self) -> None:
        """Lines about the status that stand in a conversation's list of messages, not on rows of their own."""
        for entry in self._entries.values():
            if not entry.alone and (line := self._status_line(entry.message)):
                at = time_of(entry.message.get("created_at"), self._ledger)
                self._sights.append(status.Sight(entry.item, at, None, line, None, None, told=True))
        self._sights.sort(key=lambda sight: sight.item)

    # ── what comes of it ──

    def conversation(self) -> Row | None:
        """The canonical row, None where no row shows a message."""
        if not self._entries:
            return None
        ledger = self._ledger
        found = list(self._entries.values())
        ordered, moved = in_order(found, lambda e: time_of(e.message.get("created_at"), ledger), _number_of)
        if moved:
            ledger.note("messages did not stand in the order of time, they were put into it")
        self._origins = [entry.item for entry in ordered]
        messages = [canonical(entry.message, self._options.ai_senders, ledger) for entry in ordered]
        times = [time_of(message["at"], ledger) for message in messages]
        by_time = Numbered(times)
        self._listed_lines()
        changes = status.events(self._sights, messages, by_time, Numbered(self._origins))
        events = [*changes, *self._answers(ordered, by_time)]
        last = self._last_status or next((s.status for s in reversed(self._sights) if s.status), None)
        if last == "resolved" and self._last_status is None and _written_since(events, messages):
            last = "open"  # the customer's message has reopened it, which no row tells
        ended = [event["at"] for event in events if event["kind"] == "closed" and event["at"]]
        truncated = self._truncated([entry.message for entry in ordered], times)
        row: Row = {
            "conversation_id": self._number,
            "channel": facts.plain_channel(self._head.get("channel") or self._meta.get("channel")),
            "queue": self._queue(),
            "language": part(self._head, "additional_attributes").get("conversation_language"),
            "reason": facts.reason(self._head, self._options, ledger),
            "contact": self._contact([entry.message for entry in ordered]),
            "started_at": self._head.get("created_at") or None,
            "ended_at": ended[-1] if ended and last == "resolved" else None,
            "state": None if last is None else "closed" if last == "resolved" else "open",
            "excluded": self._excluded([entry.message for entry in ordered]),
            "references": list(facts.references(self._head, self._options)),
            "messages": messages,
            "events": sorted(events, key=lambda event: event["after"]),
            "attributes": self._attributes(last),
        }
        if truncated:
            ledger.note("the file does not have a conversation's first messages, it is kept as cut off")
            row["truncated"] = True
        else:
            row["initiated_by"] = _initiated_by([entry.message for entry in ordered])
        return {key: value for key, value in row.items() if value is not None and value != []}

    def row_of(self, field: str | None) -> int | None:
        """The position of the row that a field of the canonical row came from, None where it is of no single one."""
        place = _PLACE.match(field or "")
        return self._origins[int(place[1]) - 1] if place and int(place[1]) <= len(self._origins) else None

    def _answers(self, ordered: list[_Entry], times: Numbered[datetime]) -> Iterator[Row]:
        """What became of single messages: a choice, a form or a survey that was answered; one that did not arrive."""
        for number, entry in enumerate(ordered, 1):
            at = time_of(entry.message.get("updated_at"), self._ledger)
            after = max(number, times.until(at)) if at else number
            event: Row = {"after": after, "at": at.isoformat() if at else None, "from_role": "customer"}
            if said := answered(entry.message):
                yield {**event, "kind": "answered", "note": said[:1000]}
            if rated := rating(entry.message):
                self._ratings.append((rated, str(entry.message.get("id"))))
                yield {**event, "kind": "rating"}
            if entry.message.get("status") == "failed":
                error = part(entry.message, "content_attributes").get("external_error")
                yield {"kind": "delivery_failed", "after": number, "note": str(error)[:1000] if error else None}

    def parts(self, row: Row) -> list[Row]:
        """The conversation, cut where the customer came back after it was resolved. The reason and the orders of an
        earlier part are those that webhooks showed until the return; a page of the API knows the latest only.
        """
        found = reopened.parts(row, self._ledger) if self._options.split_reopened else [row]
        n_before = 0
        for own, _ in pairwise(found):
            n_before += len(own["messages"])
            shown = [head for item, head in self._shown if item < self._origins[n_before]]
            if shown:
                linked = [one for one in own.get("references", ()) if one["kind"] == "continues"]
                own["reason"] = facts.reason(shown[-1], self._options, self._ledger)
                own["references"] = [*facts.references(shown[-1], self._options), *linked]
        return [{key: value for key, value in own.items() if value is not None} for own in found]

    def outcomes(self, parts: list[Row]) -> list[Row]:
        """The customer's ratings as outcomes, for each part its last one. Ask for the conversation first."""
        by_part: dict[int, list[tuple[float, Rating]]] = {}
        for one, survey in self._ratings:
            value = facts.stars(one.rating)
            if value is None:
                self._ledger.note("a survey's rating is not 1 to 5, it is left out")
                continue
            at = time_of(one.at, self._ledger)
            asked = (n for n, own in enumerate(parts) if any(_is_message(m, survey) for m in own["messages"]))
            place = next(asked, None) if survey else None
            by_part.setdefault(
                reopened.part_at(parts, at, self._ledger) if place is None else place, []
            ).append((value, one))  # fmt: skip
        return [self._rated(parts[n] if parts else {}, given) for n, given in sorted(by_part.items())]

    def _rated(self, own: Row, given: list[tuple[float, Rating]]) -> Row:
        value, last = in_order(given, lambda pair: time_of(pair[1].at, self._ledger))[0][-1]
        at = time_of(last.at, self._ledger)
        comment = last.comment if isinstance(last.comment, str) and last.comment.strip() else None
        row = {
            "type": "outcome", "conversation_id": own.get("conversation_id", self._number), "csat": value,
            "csat_comment": comment, "observed_at": at.isoformat() if at else None,
        }  # fmt: skip
        return {key: one for key, one in row.items() if one is not None}

    def _truncated(self, messages: list[Row], times: list[datetime | None]) -> bool:
        begun = time_of(self._head.get("created_at"), self._ledger)
        if begun and times[0]:
            return times[0] - begun > _BEGINS_WITHIN
        return not self._lists_messages and not (begun and len(messages) > 1)

    def _queue(self) -> JsonValue:
        if self._options.queue == "team":
            return facts.plain_name(part(self._meta, "team").get("name"))
        identity = self._head.get("inbox_id")
        return facts.plain_name(self._options.inboxes.get(str(identity))) or facts.plain_name(
            self._head.get("inbox_name")
        )

    def _contact(self, messages: list[Row]) -> Row:
        senders = list(self._senders.values()) or [
            part(one, "sender") for one in messages if sender_type(part(one, "sender"), one) == "contact"
        ]
        identities = [
            {"kind": kind, "value": str(value).strip()}
            for sender in senders
            for key, kind in _IDENTITIES
            if isinstance(value := sender.get(key), (str, int)) and not isinstance(value, bool) and str(value).strip()
        ]
        if self._options.account_in_id:
            account = self._number.partition("/")[0]
            for one in identities:
                if one["kind"] == "chatwoot_id":
                    one["value"] = f"{account}/{one['value']}"
        name = next((one["name"] for one in reversed(senders) if isinstance(one.get("name"), str)), None)
        return {"identities": identities, "name": name}

    def _excluded(self, messages: list[Row]) -> str | None:
        labels = set(facts.labels(self._head))
        if labels & set(self._options.spam_labels):
            return "spam"
        if labels & set(self._options.test_labels):
            return "test"
        campaign = any(part(one, "additional_attributes").get("campaign_id") for one in messages)
        return "outbound" if campaign and not any(type_of(one) == "incoming" for one in messages) else None

    def _attributes(self, last: str | None) -> Row:
        rest = {key: value for key, value in self._head.items() if key not in _PLACED}
        sender = list(self._senders.values())[-1] if self._senders else {}
        besides = {
            **rest, "status": last, "labels": facts.labels(self._head), "team": part(self._meta, "team").get("name"),
            "assignee": dict(zip(("type", "id"), facts.assignee(self._meta), strict=True)),
            "contact": {key: sender.get(key) for key in ("custom_attributes", "additional_attributes", "blocked")},
        }  # fmt: skip
        found = kept(besides, self._ledger, LEFT_OUT)
        return found if isinstance(found, dict) else {}


def _is_message(message: Row, identity: str | None) -> bool:
    return str(message["attributes"].get("id")) == identity


def _number_of(entry: _Entry) -> int:
    """Chatwoot numbers its messages as they come, and gives their times in whole seconds."""
    identity = entry.message.get("id")
    return identity if isinstance(identity, int) and 0 <= identity < _NO_NUMBER else _NO_NUMBER


def _written_since(events: list[Row], messages: list[Row]) -> bool:
    """The customer has written since the last closing."""
    closed = max((event["after"] for event in events if event["kind"] == "closed"), default=len(messages))
    return any(m["role"] == "customer" and m["kind"] not in ("event", "note") for m in messages[closed:])


def _initiated_by(messages: list[Row]) -> str | None:
    kinds = [type_of(one) for one in messages if not one.get("private")]
    first = next((kind for kind in kinds if kind in ("incoming", "outgoing")), None)
    return {"incoming": "customer", "outgoing": "business"}.get(first or "")
