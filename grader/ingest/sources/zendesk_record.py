"""The units of one ticket, or one chat, → a canonical conversation row and an outcome row.

A ticket is put together from whatever the file has of it: the ticket itself, its comments or audits, its conversation
log, ratings, metrics, engagements. Only what Zendesk says is taken; what Grader has no field for stays in the
attributes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from grader.ingest.rows import Ledger
from grader.ingest.sources import html_text, reopened
from grader.ingest.sources.objects import Node, Row, as_id, attributes
from grader.ingest.sources.zendesk_hooks import event_units
from grader.ingest.sources.zendesk_options import Options
from grader.ingest.sources.zendesk_outcome import handled_by, outcome_row, rated_at
from grader.ingest.sources.zendesk_thread import CLOSED, People, Talk, audit_of, channel_of, folded, in_audits
from grader.ingest.sources.zendesk_units import kind_of

_OURS = (
    "url", "id", "subject", "raw_subject", "description", "requester_id", "requester", "via", "created_at", "comments",
    "audits", "conversation_log", "events", "tags", "custom_fields", "fields", "satisfaction_rating", "metric_set",
    "followup_ids", "group", "assignee", "submitter", "metric_events", "slas",
)  # fmt: skip
_EMBEDDED = (("comments", "comment"), ("audits", "audit"), ("conversation_log", "event"), ("events", "event"))
_SOON = timedelta(minutes=1)  # the first comment of a ticket is made with it
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_OPEN = ("new", "open", "pending", "hold")


@dataclass
class Units:
    """What the file has of one ticket or chat."""

    name: str
    options: Options
    ledger: Ledger
    found: dict[str, list[Node]] = field(default_factory=dict)  # by kind
    about: dict[str, Row] = field(default_factory=dict)  # users, groups, metrics, field titles, by id
    more: dict[str, bool] = field(default_factory=dict)  # by kind: another page follows the last one

    def add(self, kind: str, node: Node, about: Row, more: bool) -> None:
        """One unit, in the file's order. What stands inside a ticket, or an event, is a unit of its own."""
        if kind == "hook":
            ticket, what, said, author = event_units(dict(node.raw))
            self.add("ticket", Node(ticket, f"{node.path}.detail", self.ledger), {"users": author}, more=False)
            self.add(what, Node(said, f"{node.path}.event", self.ledger), {}, more=False)
            return
        self.found.setdefault(kind, []).append(node)
        self.more[kind] = more
        for name, by_id in about.items():
            self.about.setdefault(name, {}).update(by_id)
        if kind == "ticket":
            for key, inner in _EMBEDDED:
                inside = node.children(key) if isinstance(node.raw.get(key), list) else []
                if key != "events" or all(kind_of(one.raw) == "event" for one in inside):
                    for one in inside:
                        self.add(inner, one, {}, more=False)

    def of(self, kind: str) -> list[Node]:
        """The units of one kind."""
        return self.found.get(kind, [])


def rows_of(units: Units) -> tuple[list[Row], list[Row]]:
    """(conversations, outcomes) of one ticket or chat, one of each for every part of a ticket that was reopened. What
    is wrong goes to the ledger.
    """
    if units.of("chat"):
        chat, rated = _chat(units)
        return [chat], [rated] if rated is not None else []
    spoken = any(units.of(kind) for kind in ("ticket", "comment", "audit", "ticket_event", "event"))
    row = _ticket(units) if spoken else None
    outcome = outcome_row(
        units.name, row, units.options, newest(units.of("ticket")), units.found,
        units.about.get("metrics", {}).get(units.name), units.ledger,
    )  # fmt: skip
    if row is None:
        return [], [outcome] if outcome is not None else []
    split = units.options.split_reopened and not units.ledger.problems
    found = reopened.parts(row, units.ledger, ticket=True, begins=False) if split else [row]
    rated_in = reopened.part_at(found, rated_at(units.found, newest(units.of("ticket")), units.options), units.ledger)
    return found, reopened.outcomes(found, outcome, rated_in, handled_by, units.ledger)


def newest(tickets: list[Node]) -> Node | None:
    """Of the states of one ticket that an incremental export gives, the last."""
    if not tickets:
        return None
    return max(enumerate(tickets), key=lambda pair: (str(pair[1].raw.get("updated_at") or ""), pair[0]))[1]


# ── a ticket ──


def _ticket(units: Units) -> Row:
    ledger, options = units.ledger, units.options
    given = newest(units.of("ticket"))
    if len(units.of("ticket")) > 1:
        ledger.note("a ticket stands several times in the file, as an incremental export gives it: the newest is taken")
    audits = [*units.of("audit"), *(audit_of(event) for event in units.of("ticket_event"))]
    audits.sort(key=lambda audit: audit.moment("created_at") or _EARLIEST)
    ticket = _with_audits(given, audits, units)
    people = _people(ticket, units)
    talk = Talk(people, ledger)
    _read(talk, units, audits)
    described = _describe(talk, ticket, people)
    messages, events = talk.laid_out()
    events = _with_solved(messages, events, ticket, units)
    if ticket.word("status") == "deleted":
        ledger.problem(ticket.where("status"), "is deleted: Zendesk has removed what was said", "leave the ticket out")
    elif not messages:
        reason = "nothing was said: the file has no comment, no message and no description of this ticket"
        ledger.problem(ticket.path or None, reason, "export its comments or audits, or leave it out")
    only_described = described and len(messages) == 1 and ticket.number("comment_count") != 1
    if only_described:
        ledger.note(
            "a ticket came without its comments: only its description is there, and it is marked as cut; hand in the "
            "comments, audits or conversation log of the tickets in the same file"
        )
    state = _state(ticket)
    row: Row = {
        "conversation_id": units.name,
        "channel": channel_of(ticket) or _source_of(messages),
        "queue": _queue(ticket, units),
        "reason": _custom(ticket, units, (options.reason,) if options.reason else ()),
        "language": str(people.users.get(people.requester or "", {}).get("locale") or "").strip().lower() or None,
        "contact": _contact(ticket, people, units),
        "started_at": ticket.time("created_at"),
        "ended_at": _ended_at(ticket, events, units) if state == "closed" else None,
        "messages": messages,
        "events": events,
        "state": state,
        "excluded": _excluded(ticket),
        "references": _references(ticket, units),
        "truncated": only_described
        or talk.missing
        or any(units.more.values())
        or _hole(talk, described, ticket)
        or None,
        "attributes": attributes(_about(ticket, talk, units), ledger),
    }
    return {key: value for key, value in row.items() if value is not None and value != []} | {"messages": messages}


def _read(talk: Talk, units: Units, audits: list[Node]) -> None:
    """Everything that was said. A conversation log has it all, bots too: comments beside it would be said twice."""
    if units.of("event"):
        for event in units.of("event"):
            talk.logged(event)
        if units.of("comment") or audits:
            units.ledger.note(
                "of a ticket with a conversation log, the comments and audits beside it are not read again"
            )
        for audit in audits:
            talk.audit(audit, words=False)
        return
    for audit in audits:
        talk.look_ahead(audit)
    # A comment that stands in the audits too is taken once.
    for comment in units.of("comment"):
        talk.comment(comment, comment.time("created_at"))
    for audit in audits:
        talk.audit(audit)


def _with_audits(given: Node | None, audits: list[Node], units: Units) -> Node:
    """The ticket, with what only its audits say: how it began, and what was set last."""
    said: Row = {}
    for name, event in in_audits(audits):
        if event.has("value"):
            said[name] = event.raw["value"]
    for audit in audits:
        if any(event.word("type") == "create" for event in audit.listed("events")):
            said |= {"created_at": audit.raw.get("created_at"), "via": audit.raw.get("via")}
            break
    own = given.raw if given is not None else {}
    raw = {**said, **{key: value for key, value in own.items() if value is not None}}
    return Node(raw, given.path if given is not None else "", units.ledger)


def _people(ticket: Node, units: Units) -> People:
    people = People(units.options, units.ledger)
    people.users = dict(units.about.get("users", {}))
    for key in ("requester", "submitter", "assignee"):  # as the account's full export writes them
        one = ticket.look(key)
        if found := one.id("id"):
            people.users.setdefault(
                found, {name: one.raw.get(name) for name in ("role", "email", "phone", "external_id")}
            )
    people.requester = ticket.id("requester_id") or ticket.look("requester").id("id")
    people.copied = {i for key in ("email_cc_ids", "collaborator_ids", "follower_ids") for i in ticket.ids(key)}
    return people


def _describe(talk: Talk, ticket: Node, people: People) -> bool:
    """Add the description where the comment that it is is not there; whether it was added."""
    text = ticket.text("description") or html_text.to_text(ticket.text("description_html"))
    at = ticket.moment("created_at")
    if not text.strip() or folded(text) in talk.texts:
        return False
    if talk.texts and (talk.first_at is None or at is None or talk.first_at - at < _SOON):
        return False
    by_requester = people.requester is not None and ticket.id("submitter_id") == people.requester
    talk.description(text, at, "customer" if by_requester else "unknown", first=True)
    return True


def _hole(talk: Talk, described: bool, ticket: Node) -> bool:
    """The first comment had to be taken from the description: others may be missing as well."""
    return described and len(talk.texts) > 1 and ticket.has("description")


def _state(ticket: Node) -> str | None:
    status = ticket.word("status")
    return "closed" if status in CLOSED else "open" if status in _OPEN else None


def _solved_at(ticket: Node, units: Units) -> datetime | None:
    """When the ticket was solved the last time, as its metrics say."""
    metrics = units.about.get("metrics", {}).get(units.name) or {}
    measured = (ticket.look("metric_set"), Node(metrics, "", units.ledger), *units.of("metric"))
    return next((found for one in measured if (found := one.moment("solved_at"))), None)


def _ended_at(ticket: Node, events: list[Row], units: Units) -> datetime | None:
    closed = (event.get("at") for event in reversed(events) if event["kind"] == "closed")
    return _solved_at(ticket, units) or next(closed, None)


def _with_solved(messages: list[Row], events: list[Row], ticket: Node, units: Units) -> list[Row]:
    """The events; without audits, the last solving from the metrics, where the customer wrote after it."""
    solved = _solved_at(ticket, units)
    if solved is None or any(event["kind"] == "closed" for event in events):
        return events
    later = [n for n, one in enumerate(messages, 1) if one.get("at") is not None and one["at"] > solved]
    if not later or all(messages[n - 1]["role"] != "customer" for n in later):
        return events
    made: Row = {"kind": "closed", "after": later[0] - 1, "at": solved, "note": "solved, by the ticket's metrics"}
    place = next((k for k, event in enumerate(events) if event["after"] >= later[0]), len(events))
    return [*events[:place], made, *events[place:]]


def _queue(ticket: Node, units: Units) -> str | None:
    group = ticket.id("group_id") or ticket.look("group").id("id")
    if group in units.options.groups:
        return units.options.groups[str(group)]
    name = ticket.look("group").word("name") or as_id(units.about.get("groups", {}).get(group or ""))
    return name.lower() if name else group


def _custom(ticket: Node, units: Units, wanted: Iterable[str]) -> str | None:
    """The value of the first ticket field with one of these ids or titles."""
    titles = units.about.get("fields", {})
    names = {name.strip().lower() for name in wanted}
    for one in (*ticket.listed("custom_fields"), *ticket.listed("fields")):
        own = one.id("id") or ""
        title = str(titles.get(own) or one.raw.get("title") or "").strip().lower()
        if one.word("value") and (own.lower() in names or (title and title in names)):
            return one.word("value")
    return next((ticket.word(key) for key in ticket.raw if key.lower() in names and ticket.word(key)), None)


def _excluded(ticket: Node) -> str | None:
    if channel_of(ticket) == "sample_ticket":
        return "test"
    return "spam" if "spam" in (tag.lower() for tag in ticket.ids("tags")) else None


def _references(ticket: Node, units: Units) -> list[Row]:
    """Orders that a field names, and tickets that this one follows, is followed by, or reports the problem of."""
    found = [("order", _custom(ticket, units, [name])) for name in units.options.orders]
    found.append(("external_id", ticket.id("external_id")))
    came_from = ticket.look("via").look("source").look("from").id("ticket_id")
    linked = [came_from, ticket.id("problem_id"), *ticket.ids("followup_ids")]
    if any(linked):
        found += [("ticket", one) for one in (units.name, *linked)]
    return [{"kind": kind, "value": value} for kind, value in dict.fromkeys(found) if value]


def _contact(ticket: Node, people: People, units: Units) -> Row:
    user = people.users.get(people.requester or "", {})
    origin = ticket.look("via").look("source").look("from")
    found = [("zendesk_id", people.requester), ("customer_id", as_id(user.get("external_id"))),
             ("email", as_id(user.get("email"))), ("phone", as_id(user.get("phone"))),
             ("email", origin.id("address")), ("phone", origin.id("phone"))]  # fmt: skip
    for event in units.of("event"):
        author = event.look("author")
        if author.word("type") in ("user", "end-user", "end_user"):
            support = author.id("zen:support:user_id")
            found.append(("zendesk_id", support if support and not support.startswith("-") else None))
            found.append(("zendesk_messaging_id", author.id("zen:sunco:user_id")))
            break
    return {"identities": [{"kind": kind, "value": value} for kind, value in dict.fromkeys(found) if value]}


def _source_of(messages: list[Row]) -> str | None:
    """Where the customer wrote from, as the messages of a conversation log say it."""
    sources = (message["attributes"].get("source") for message in messages if message["role"] == "customer")
    return next((source for source in sources if source), None)


def _about(ticket: Node, talk: Talk, units: Units) -> Row:
    custom = {one.id("id"): one.raw.get("value") for one in ticket.listed("custom_fields") if one.has("value")}
    titles = units.about.get("fields", {})
    return {
        "subject": ticket.id("subject") or ticket.id("raw_subject"),
        "tags": ticket.ids("tags"),
        "custom_fields": {
            str(titles.get(own or "") or own): value for own, value in custom.items() if value not in (False, "")
        },
        "audit_events": dict(sorted(talk.other.items())),
        **{key: value for key, value in ticket.raw.items() if key not in _OURS and value is not False},
    }


# ── a chat ──


def _chat(units: Units) -> tuple[Row, Row | None]:
    """A chat of Zendesk Chat, which has its whole history."""
    chat = units.of("chat")[-1]
    people = People(units.options, units.ledger)
    talk = Talk(people, units.ledger)
    visitor = chat.child("visitor")
    begun = chat.time("timestamp")
    if chat.word("type") == "offline_msg" or chat.text("message"):
        talk.offline(chat.text("message"), begun)
    talk.history(chat.children("history"))
    messages, events = talk.laid_out()
    if not messages:
        units.ledger.problem(chat.where("history"), "holds no message", "leave the chat out: nobody said anything")
    ended = chat.moment("end_timestamp") or chat.look("session").moment("end_date")
    by = {"visitor": "customer", "agent": "business", "trigger": "business"}.get(chat.word("started_by") or "")
    found = [("email", visitor.id("email")), ("phone", visitor.id("phone")), ("zendesk_visitor_id", visitor.id("id"))]
    ticket = chat.id("zendesk_ticket_id")
    row: Row = {
        "conversation_id": units.name, "channel": "chat", "queue": chat.word("department_name"),
        "contact": {"identities": [{"kind": kind, "value": value} for kind, value in found if value]},
        "started_at": begun, "ended_at": ended, "messages": messages, "events": events,
        "state": "closed" if ended else None, "initiated_by": by,
        "references": [{"kind": "ticket", "value": ticket}] if ticket else None,
        "attributes": attributes(
            {"tags": chat.ids("tags"), **{key: chat.raw.get(key) for key in ("type", "missed", "duration", "triggered",
                                                                           "zendesk_ticket_id", "department_id")}},
            units.ledger),
    }  # fmt: skip
    rated = outcome_row(units.name, row, units.options, None, {"rating": [_rated(chat)]}, None, units.ledger)
    return {key: value for key, value in row.items() if value is not None}, rated


def _rated(chat: Node) -> Node:
    return Node({"score": chat.raw.get("rating"), "comment": chat.raw.get("comment")}, chat.path, chat.ledger)
