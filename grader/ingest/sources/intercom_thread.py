"""What was said and what happened in one conversation of Intercom: its source, then its parts → messages and events."""

from __future__ import annotations

from dataclasses import dataclass

from grader.ingest.sources import html_text
from grader.ingest.sources.intercom_options import Options
from grader.ingest.sources.objects import Node, Row, attributes, without_query
from grader.ingest.sources.thread import Thread

CUSTOMERS = ("user", "lead", "contact", "visitor")
SENT_BY_RULE = ("automated", "campaigns_initiated")  # on behalf of a teammate, who wrote nothing
PASSED_ON = ("routed_to_team", "escalated", "procedure_handoff")
RESOLVED = ("assumed_resolution", "confirmed_resolution")
LIMIT = 500  # parts that Intercom gives of one conversation

_SPOKEN = ("comment", "quick_reply")  # a message even where it has no words
_SHOWN_LESS = 200  # characters of an event's note


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a conversation. `cut`: Intercom has more than it gave; `given`: it gave any at all."""

    nodes: list[Node]
    given: bool
    cut: bool


def parts_of(node: Node, key: str) -> Parts:
    """The parts under `conversation_parts` or `ticket_parts`, in an object with their count or as a bare list."""
    holder = node if isinstance(node.raw.get(key), list) else node.child(key)
    nodes = holder.children(key)
    given = isinstance(holder.raw.get(key), list)
    total = holder.number("total_count") if holder is not node else None
    cut = not given or (total > len(nodes) if total is not None else len(nodes) >= LIMIT)
    return Parts(nodes, given, cut)


class Talk:
    """One conversation while its entries are read."""

    def __init__(self, node: Node, options: Options) -> None:
        self._options = options
        self._ledger = node.ledger
        self._participated = node.flag("ai_agent_participated")
        self._thread = Thread()
        self.remarks: list[str] = []  # what the customer wrote with a rating

    # ── entries ──

    def source(self, source: Node, conversation: Node) -> None:
        """The message that opened the conversation. Its time is that of the conversation."""
        body, files = html_text.read(source.text("body")), source.listed("attachments")
        author = source.child("author")
        at = conversation.time("created_at")
        if not (body.text.strip() or body.images or files):
            return
        role = self._role(author, source)
        if source.word("delivered_as") in SENT_BY_RULE and role == "human":
            self._ledger.note("a message that a rule or campaign sent in a teammate's name is kept as system")
            role = "system"
        about = self._about(source, author, role, files, body.images)
        about["part_type"] = "source"
        self._thread.begin(at, first=True)
        self._thread.message(role, body.text, kind=_kind(files, body.images), attributes=about)

    def description(self, text: str, ticket: Node) -> None:
        """What a ticket was opened with. Intercom does not say who wrote it."""
        if text.strip():
            self._thread.begin(ticket.time("created_at"), first=True)
            self._thread.message("unknown", html_text.to_text(text), attributes={"part_type": "description"})

    def part(self, part: Node) -> None:
        """One part: a message, an event, or both (a reply that closes)."""
        what = part.word("part_type") or "comment"
        at = part.time("created_at")
        author = part.child("author")
        body, files = html_text.read(part.text("body")), part.listed("attachments")
        note = what.startswith("note") or what.endswith("_note") or what == "conversation_summary"
        rating = "rating" in what
        said = bool(body.text.strip() or body.images or files) and not rating
        is_message = said or note or what in _SPOKEN
        role = self._role(author, part)
        self._thread.begin(at)
        if is_message:
            about = self._about(part, author, role, files, body.images)
            if what != "comment":
                about["part_type"] = what
            text = body.text or _choices(part)
            kind = "note" if note else _kind(files, body.images)
            self._thread.message(role, text, kind=kind, attributes=about)
        if rating and body.text.strip():
            # Not in the event: a judge sees events, and must not know what the customer thought.
            self.remarks.append(body.text)
        for kind in self._events(what, part.word("ticket_state"), said=is_message):
            to_role = self._assignee(part) if kind == "assigned" else None
            self._thread.event(kind, from_role=role, to_role=to_role, note=_told(part)[:_SHOWN_LESS] or None)

    @staticmethod
    def _events(what: str, state: str | None, *, said: bool) -> list[str]:
        """What a part of this type does to the conversation."""
        kinds = []
        if "assign" in what:
            kinds.append("assigned")
        if what == "open" or what.endswith(("_reopen", "reopened")):
            kinds.append("opened")
        resolved = what.startswith("ticket_state") and state == "resolved"
        if resolved or what.startswith("close") or what.endswith("_close"):
            kinds.append("closed")
        if "unsnooze" in what:
            kinds.append("unsnoozed")
        elif "snooze" in what:
            kinds.append("snoozed")
        if "rating" in what:
            kinds.append("rating")
        return kinds or ([] if said else [what])

    # ── who ──

    def _role(self, author: Node, holder: Node) -> str:
        """Who speaks. A bot is the AI where Intercom says so, of it or of the conversation; else nobody knows."""
        said = [one.flag(key) for one in (author, holder) for key in ("from_ai_agent", "is_ai_answer")]
        kind = author.word("type")
        if author.word("id") in self._options.ai_ids or any(said):
            return "ai"
        if kind in CUSTOMERS:
            return "customer"
        if kind in ("admin", "team"):
            return "human"
        if kind == "bot":
            if self._options.bot_role is not None:
                return self._options.bot_role
            if False in said or self._participated is False:
                return "system"
            return "ai" if self._participated else "unknown"
        return "unknown"

    def _assignee(self, part: Node) -> str | None:
        to = part.look("assigned_to")
        if to.id("id") is None or to.word("type") in ("nobody", "nobody_admin"):
            return None
        if to.word("type") == "bot" or to.word("id") in self._options.ai_ids:
            return "ai"
        return "human" if to.word("type") in ("admin", "team") else None

    def _about(self, holder: Node, author: Node, role: str, files: list[Node], images: int) -> Row:
        """What Intercom says of a message besides its words. No names, and no keys to files."""
        kind = author.word("type")
        if kind == "bot" and role != "ai":
            self._ledger.note(
                f"messages of a bot of which Intercom does not say that it is its AI agent are kept as {role}; "
                "if it is your AI, set the option bot_role = ai, or ai_ids to its id"
            )
        elif role == "unknown":
            self._ledger.note(f"an author of the type {str(kind)[:40]!r} is kept as unknown")
        if holder.flag("redacted"):
            self._ledger.note("a message was redacted in Intercom: its text is what Intercom shows instead")
        given: Row = {
            "id": holder.id("id"),
            "author": {"type": kind, "id": author.id("id")},
            "is_ai_answer": author.flag("is_ai_answer") or holder.flag("is_ai_answer") or None,
            "redacted": holder.flag("redacted") or None,
            "attachments": [_file(one) for one in files],
            "images": images or None,
            "tags": [name for one in holder.listed("tags") if (name := one.id("name"))],
            "metadata": holder.raw.get("metadata"),
            "email": holder.raw.get("email_message_metadata"),
            "external_id": holder.id("external_id"),
            "app_package_code": holder.id("app_package_code"),
        }
        return attributes(given, self._ledger)

    # ── the whole ──

    def laid_out(self) -> tuple[list[Row], list[Row]]:
        """(messages, events) in the order of time."""
        messages, events = self._thread.laid_out(self._ledger)
        closed = False
        for event in events:
            if event["kind"] == "opened" and closed:
                event["kind"] = "reopened"
            closed = event["kind"] == "closed" or (closed and event["kind"] not in ("opened", "reopened"))
        return messages, events


def with_handoff(messages: list[Row], events: list[Row], resolution: str | None) -> list[Row]:
    """The events with the point where the AI handed over to people. `resolution`: Intercom's word for how it ended."""
    said = [(n, message["role"]) for n, message in enumerate(messages, 1) if message.get("kind") != "note"]
    ai = [n for n, role in said if role == "ai"]
    human = [n for n, role in said if role == "human"]
    first_ai = ai[0] if ai else None
    first_human = next((n for n in human if first_ai is not None and n > first_ai), None)
    if first_ai is None or (first_human is None and resolution in RESOLVED):
        return events
    last_ai = max(n for n in ai if first_human is None or n < first_human)
    for event in events:
        to_people = event["kind"] == "assigned" and event.get("to_role") == "human"
        if to_people and event["after"] >= last_ai and (first_human is None or event["after"] < first_human):
            event |= {"kind": "handoff", "from_role": "ai"}
            return events
    if resolution in PASSED_ON:
        place = next((k for k, event in enumerate(events) if event["after"] > last_ai), len(events))
        made: Row = {"kind": "handoff", "after": last_ai, "from_role": "ai", "to_role": "human"}
        made["note"] = f"Intercom: {resolution}"
        return [*events[:place], made, *events[place:]]
    return events


def _kind(files: list[Node], images: int) -> str | None:
    """What was sent, if not only words."""
    for one in files:
        kind = (one.word("content_type") or "").partition("/")[0]
        return {"image": "image", "audio": "voice"}.get(kind, "file")
    return "image" if images else None


def _file(one: Node) -> Row:
    return {
        "name": one.id("name"),
        "content_type": one.id("content_type"),
        "url": without_query(one.raw.get("url")),
        "filesize": one.number("filesize"),
    }


def _choices(part: Node) -> str:
    """The replies that a message without words offers."""
    offered = part.look("metadata").listed("quick_reply_options")
    return "\n".join(html_text.to_text(str(one.id("text"))) for one in offered if one.id("text"))


def _told(part: Node) -> str:
    """What Intercom says of an event: an action and its result, an attribute, an assignee, a state."""
    details = part.look("event_details")
    changed = part.look("updated_attribute_data")
    assigned = part.look("assigned_to")
    pairs = [
        (details.look("action").id("name"), details.look("action").id("result")),
        (details.look("attribute").id("name"), None),  # not its value, which may be what the judge is to find out
        (changed.look("attribute").id("label"), None),
        (assigned.word("type"), assigned.id("id")),
    ]
    said = [": ".join(word for word in pair if word) for pair in pairs if any(pair)]
    states = [word for key in ("previous_ticket_state", "ticket_state") if (word := part.id(key))]
    return "; ".join([*said, *([" → ".join(states)] if states else [])])
