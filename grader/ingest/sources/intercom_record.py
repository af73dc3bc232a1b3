"""One conversation or ticket of Intercom → a canonical conversation row and, where Intercom says one, an outcome row.

Only what Intercom says is taken: nothing is read out of texts. What Grader has no field for stays in the attributes.
"""

from __future__ import annotations

from datetime import datetime

from grader.ingest.sources import reopened
from grader.ingest.sources.intercom_options import Options
from grader.ingest.sources.intercom_thread import CUSTOMERS, SENT_BY_RULE, Parts, Talk, parts_of, with_handoff
from grader.ingest.sources.objects import Node, Row, as_id, attributes

_OURS = (
    "type", "id", "source", "contacts", "conversation_parts", "ticket_parts", "state", "open", "created_at", "tags",
    "teammates", "linked_objects", "ticket_type", "ticket_state", "topics", "first_contact_reply",
)  # fmt: skip
_PREVIEWS = ("workflow_preview", "fin_preview")
_ORDER_NAMES = ("order", "order id", "order number", "order no", "order name")
_STATISTICS = (
    "time_to_admin_reply", "time_to_first_close", "time_to_last_close", "handling_time", "count_reopens",
    "count_assignments",
)  # fmt: skip


def conversation_row(node: Node, options: Options) -> Row:
    """The canonical row of a conversation. What is wrong goes to the ledger."""
    source = node.child("source" if node.has("source") else "conversation_message")  # as API 1.x has it
    parts = parts_of(node, "conversation_parts")
    talk = Talk(node, options)
    talk.source(source, node)
    row = _row(node, talk, parts, options)
    if not parts.given:
        node.ledger.note(
            "a list of conversations has only their first messages: they are marked as cut; "
            "GET /conversations/ID gives one with its parts"
        )
    row["channel"] = source.word("type") if node.has("source") else None
    delivered = source.word("delivered_as")
    if delivered == "customer_initiated":
        row["initiated_by"] = "customer"
    elif delivered == "admin_initiated" or delivered in SENT_BY_RULE:
        row["initiated_by"] = "business"
        if not parts.cut and all(message["role"] != "customer" for message in row["messages"]):
            row["excluded"] = "outbound"
    row["attributes"] |= attributes(
        {"delivered_as": delivered, "subject": source.id("subject"), "url": source.id("url")}, node.ledger
    )
    return _with_exclusions(row, node)


def ticket_row(node: Node, options: Options) -> Row:
    """The canonical row of a ticket, whose first message is its description."""
    fields = node.look("ticket_attributes")
    parts = parts_of(node, "ticket_parts")
    talk = Talk(node, options)
    talk.description(fields.text("_default_description_"), node)
    row = _row(node, talk, parts, options)
    kind = node.look("ticket_type")
    row["channel"] = node.look("source").word("type")
    row["reason"] = row["reason"] or kind.word("name")
    row["references"] = [{"kind": "ticket", "value": node.id("id")}, *row["references"]]
    state = node.look("ticket_state")
    row["attributes"] |= attributes(
        {
            "title": fields.id("_default_title_"),
            "ticket_type": kind.id("name"),
            "category": kind.id("category") or node.id("category"),
            "status": state.id("category") or node.id("ticket_state"),
            "state_label": state.id("internal_label"),
        },
        node.ledger,
    )
    row["attributes"].pop("ticket_attributes", None)
    row["attributes"] |= attributes(
        {"ticket_attributes": {k: v for k, v in fields.raw.items() if not k.startswith("_default_")}}, node.ledger
    )
    if not row["messages"]:
        node.ledger.problem(
            node.where("ticket_parts"), "hold no message: nobody has written in this ticket, and it has no description",
            "leave the ticket out: nothing in it can be judged",
        )  # fmt: skip
    return _with_exclusions(row, node)


def _row(node: Node, talk: Talk, parts: Parts, options: Options) -> Row:
    """What a conversation and a ticket have in common."""
    for part in parts.nodes:
        talk.part(part)
    messages, events = talk.laid_out()
    if node.id("id") is None:
        node.ledger.problem(node.where("id"), "is missing", "every conversation of Intercom has one: export it again")
    if not messages and not parts.nodes and node.look("source").raw:
        node.ledger.problem(node.where("source.body"), "is empty, and there are no parts: nobody said anything",
                            "leave the conversation out: nothing in it can be judged")  # fmt: skip
    state = _state(node)
    contact, others = _contact(node, parts)
    row: Row = {
        "conversation_id": node.id("id"),
        "started_at": node.time("created_at"),
        "ended_at": _closed_at(node, events) if state == "closed" else None,
        "queue": _queue(node, options),
        "reason": _reason(node, options),
        "language": _custom(node, "language"),
        "contact": contact,
        "messages": messages,
        "events": events,
        "state": state,
        "references": _references(node, options),
        "truncated": parts.cut or None,
        "attributes": attributes(
            {
                "tags": [name for tag in _listed(node, "tags") if (name := tag.id("name"))],
                "topics": [name for topic in _listed(node, "topics") if (name := topic.id("name"))],
                "teammates": [i for mate in _listed(node, "teammates") if (i := mate.id("id"))],
                "other_contacts": others,
                "rating_remarks": talk.remarks,
                **{key: value for key, value in node.raw.items() if key not in _OURS},
            },
            node.ledger,
        ),
    }
    if parts.cut and parts.given:
        node.ledger.note("Intercom has cut parts off a conversation (it gives 500 at most): it is marked as cut")
    return row


def _with_exclusions(row: Row, node: Node) -> Row:
    """The row without what is not known; a preview and spam are marked."""
    if node.look("ai_agent").word("source_type") in _PREVIEWS:
        row["excluded"] = "test"
    elif any(tag.word("name") == "spam" for tag in _listed(node, "tags")):
        row["excluded"] = "spam"
    return {key: value for key, value in row.items() if value is not None and value != []} | {
        "messages": row["messages"]
    }


def _listed(node: Node, key: str) -> list[Node]:
    """Intercom's lists: {"type": "tag.list", "tags": […]}, or bare."""
    return node.listed(key) or node.look(key).listed(key) or node.look(key).listed("data")


def _state(node: Node) -> str | None:
    said = node.word("state") or node.look("ticket_state").word("category") or node.word("ticket_state")
    if said in ("closed", "resolved"):
        return "closed"
    is_open = node.flag("open")
    return "open" if said else None if is_open is None else "open" if is_open else "closed"


def _closed_at(node: Node, events: list[Row]) -> datetime | None:
    said = node.look("statistics").moment("last_close_at")
    return said or next((event.get("at") for event in reversed(events) if event["kind"] == "closed"), None)


def _queue(node: Node, options: Options) -> str | None:
    named = _custom(node, options.queue)
    if named:
        return named
    team = node.id("team_assignee_id")
    if team is None:
        return None
    if team in options.teams:
        return options.teams[team]
    for answered in node.look("statistics").listed("assigned_team_first_response_time"):
        if answered.id("team_id") == team and answered.word("team_name"):
            return answered.word("team_name")
    return team


def _reason(node: Node, options: Options) -> str | None:
    topics = [name for topic in _listed(node, "topics") if (name := topic.word("name"))]
    return _custom(node, options.reason) or (topics[0] if topics else None)


def _custom(node: Node, wanted: str | None) -> str | None:
    """The custom attribute of this name, in any case, as a word."""
    for holder in (node.look("custom_attributes"), node.look("ticket_attributes")):
        for key in holder.raw:
            if wanted and key.strip().lower() == wanted.strip().lower():
                return holder.word(key)
    return None


def _references(node: Node, options: Options) -> list[Row]:
    """What the conversation is about, where a field says so: orders, custom objects, linked tickets."""
    found: list[Row] = []
    orders = {*_ORDER_NAMES, *(name.strip().lower() for name in options.orders)}
    for holder in (node.look("custom_attributes"), node.look("ticket_attributes")):
        for key in holder.raw:
            plain = " ".join(key.lower().replace("_", " ").split())
            if plain in orders or key.strip().lower() in orders:
                found.append({"kind": "order", "value": holder.id(key)})
            for one in holder.look(key).listed("instances"):
                kind = (one.word("type") or plain).removesuffix(".list")
                found.append({"kind": kind, "value": one.id("external_id") or one.id("id")})
    ticket = node.look("ticket")
    found.append({"kind": "ticket", "value": ticket.id("id") or ticket.id("ticket_id")})
    found += ({"kind": one.word("type") or "linked", "value": one.id("id")} for one in _listed(node, "linked_objects"))
    return [one for n, one in enumerate(found) if one["value"] and one not in found[:n]]


def _contact(node: Node, parts: Parts) -> tuple[Row, list[str]]:
    """The customer's identities, and the ids of who else was in a group conversation.

    The first contact is the one that the conversation is with: taking all would make one person of them.
    """
    listed = _listed(node, "contacts") or _listed(node, "customers") or [
        one for key in ("user", "contact") if (one := node.look(key)).raw
    ]  # fmt: skip
    authors = [node.look("source").look("author"), *(part.look("author") for part in parts.nodes)]
    spoke = [author for author in authors if author.word("type") in CUSTOMERS]
    first = next((one for one in listed if one.id("id")), None) or next((one for one in spoke if one.id("id")), None)
    if first is None:
        return {"identities": []}, []
    own = first.id("id")
    identities = [("intercom_id", own), ("customer_id", first.id("external_id")), ("email", first.id("email")),
                  ("phone", first.id("phone"))]  # fmt: skip
    identities += [("email", author.id("email")) for author in spoke if author.id("id") == own]
    unique = dict.fromkeys(pair for pair in identities if pair[1])
    others = [other for one in listed if (other := one.id("id")) and other != own]
    return {"identities": [{"kind": kind, "value": value} for kind, value in unique]}, others


# ── what happened afterwards ──


def rows_of(node: Node, row: Row, options: Options) -> tuple[list[Row], list[Row]]:
    """(conversations, outcomes): one of each, or one for every part of a conversation that was reopened."""
    is_ticket = "ticket_attributes" in node.raw or "ticket_parts" in node.raw
    split = options.split_reopened and row.get("conversation_id") is not None
    found = reopened.parts(row, node.ledger, ticket=is_ticket, begins=False) if split else [row]
    resolution = node.look("ai_agent").word("resolution_state")
    for part in found:  # Intercom's word is about the last time that the AI took part
        events = with_handoff(part["messages"], part.get("events", []), resolution if part is found[-1] else None)
        if events:
            part["events"] = events
    outcome = outcome_row(node, row)
    return found, reopened.outcomes(found, outcome, _rated_in(node, found), _spoke, node.ledger)


def _rated_in(node: Node, found: list[Row]) -> int:
    """The part that the rating is of: by its time, else the last in which the one who was rated spoke."""
    rating, ai = node.look("conversation_rating"), node.look("ai_agent")
    rated = rating if _score(rating) is not None else ai
    at = rated.moment("updated_at") or rated.moment("created_at")
    if at is None and rated is ai:
        return max((n for n, part in enumerate(found) if _spoke(part) in ("ai", "both")), default=len(found) - 1)
    return reopened.part_at(found, at, node.ledger)


def _spoke(row: Row) -> str | None:
    """Who answered, by the roles of the messages alone."""
    roles = {message["role"] for message in row["messages"] if message.get("kind") != "note"}
    ai, human = "ai" in roles, "human" in roles
    return "both" if ai and human else "ai" if ai else "human" if human else None


def outcome_row(node: Node, row: Row) -> Row | None:
    """The outcome that Intercom says, None if it says none. Minutes are by the clock, not by office hours."""
    rating, ai = node.look("conversation_rating"), node.look("ai_agent")
    statistics = node.look("statistics")
    score, ai_score = _score(rating), _score(ai)
    given, rated = (score, rating) if score is not None else (ai_score, ai)
    known: Row = {
        "csat": given,
        "csat_comment": (rated.id("remark") or rated.id("rating_remark")) if given is not None else None,
        "handled_by": _handled_by(node, row),
        "resolution_minutes": _resolution_minutes(row, statistics),
        "handle_minutes": _minutes(statistics.number("adjusted_handling_time")),
    }
    about: Row = {
        "resolution_state": ai.word("resolution_state"),
        "last_answer_type": ai.word("last_answer_type"),
        "csat_of": None if given is None else "conversation" if rated is rating else "ai_agent",
        "ai_agent_rating": ai_score if score is not None else None,
        "csat_asked": True if rating.raw and score is None else None,
        "rated_teammate": {"type": rating.look("teammate").word("type"), "id": rating.look("teammate").id("id")},
        **{key: statistics.number(key) for key in _STATISTICS},
    }
    said = attributes(about, node.ledger)
    outcome = {key: value for key, value in known.items() if value is not None}
    if not said and outcome.keys() <= {"handled_by"}:
        return None
    observed = (rated.moment("updated_at") or rated.moment("created_at")) if given is not None else None
    return {
        "conversation_id": row.get("conversation_id"), **outcome,
        "observed_at": observed or node.moment("updated_at"), "attributes": said,
    }  # fmt: skip


def _score(rated: Node) -> float | None:
    """A rating of 1 to 5; 0 and null are none."""
    value = rated.number("rating")
    if value is None and (text := as_id(rated.raw.get("rating"))) and text in "12345":
        value = float(text)
    return value if value is not None and 1 <= value <= 5 else None


def _handled_by(node: Node, row: Row) -> str | None:
    """Who answered, where it is certain: what was cut off may hold the other one."""
    roles = {message["role"] for message in row["messages"] if message.get("kind") != "note"}
    statistics = node.look("statistics")
    ai = "ai" in roles or node.flag("ai_agent_participated") is True
    human = "human" in roles or statistics.has("first_admin_reply_at")
    if ai and human:
        return "both"
    if row.get("truncated") and not statistics.raw:
        return None
    return "ai" if ai else "human" if human else None


def _resolution_minutes(row: Row, statistics: Node) -> float | None:
    """From the customer's first message to the last close, of a conversation that is closed."""
    if all(message["role"] != "customer" for message in row["messages"]) and not statistics.has(
        "first_contact_reply_at"
    ):
        return None
    begun = statistics.moment("first_contact_reply_at") or row.get("started_at")
    ended = row.get("ended_at")
    if begun is None or ended is None or ended < begun:
        return None
    return float((ended - begun).total_seconds() / 60)


def _minutes(seconds: float | None) -> float | None:
    return seconds / 60 if seconds is not None and seconds >= 0 else None
