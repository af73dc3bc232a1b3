"""What was said and what happened in one ticket or chat of Zendesk → messages and events.

A conversation log says who is user, agent and bot. In comments and audits an author is an id: the requester is the
customer, and who is a bot only the option `bot_ids` can tell. Until it does, whoever else writes is `unknown`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from grader.ingest.rows import Ledger
from grader.ingest.sources import html_text
from grader.ingest.sources.objects import Node, Row, as_id, attributes, without_query
from grader.ingest.sources.thread import Thread
from grader.ingest.sources.zendesk_options import Options

CLOSED = ("solved", "closed")
_LOG_ROLES = {"user": "customer", "end-user": "customer", "end_user": "customer", "agent": "human", "bot": "ai"}
_CHAT_ROLES = {
    "visitor": "customer", "end-user": "customer", "agent": "human", "bot": "ai", "answer_bot": "ai",
    "trigger": "system", "system": "system",
}  # fmt: skip
_BY_RULE = ("rule", "system", "automation", "trigger", "batch", "merge", "linked_problem")
_AUTOMATIC = "-1"  # the user that stands for Zendesk itself
_NOTED = 200  # characters of an event's note


class People:
    """Who an author id is, as far as the file and the options say."""

    def __init__(self, options: Options, ledger: Ledger) -> None:
        self._options, self._ledger = options, ledger
        self.users: dict[str, Row] = {}
        self.requester: str | None = None
        self.copied: set[str] = set()  # in copy: customers or agents, nobody knows

    def is_bot(self, user: str | None) -> bool:
        """The user has named this id as the AI's."""
        return user is not None and user.lower() in (self._options.bot_ids or ())

    def role(self, author: str | None, via: str | None, *, public: bool) -> str:
        """Who wrote a comment."""
        if self.is_bot(author):
            return "ai"
        if author and author == self.requester:
            return "customer"
        kind = str(self.users.get(author or "", {}).get("role") or "").lower()
        if kind == "end-user":
            return "customer"
        if author == _AUTOMATIC or via in _BY_RULE:
            return "system"
        if (via or "").startswith("answer_bot"):
            return "ai"
        if author is None:
            return "unknown"
        if self._options.bot_ids is None:
            self._ledger.note(
                "who wrote in a ticket besides the customer is kept as unknown: Zendesk does not say whether it is a "
                "bot or a human; the option bot_ids names your bots' user ids (empty if there is none)"
            )
            return "unknown"
        staff = kind in ("agent", "admin") or not public
        return "unknown" if author in self.copied and not staff else "human"


class Talk:
    """One ticket or chat while its units are read."""

    def __init__(self, people: People, ledger: Ledger) -> None:
        self._people, self._ledger = people, ledger
        self._thread = Thread()
        self._seen: set[str] = set()  # ids of comments and audits, which stand in several replies
        self._private: dict[str, bool] = {}
        self._redacted: set[str] = set()
        self.other: Counter[str] = Counter()  # events of an audit that are kept as a number only
        self.first_at: datetime | None = None
        self.texts: set[str] = set()
        self.missing = False  # comments are spoken of whose words are not there

    # ── comments and audits ──

    def look_ahead(self, audit: Node) -> None:
        """What a later audit says of a comment: that it became private, or was redacted."""
        for event in audit.listed("events"):
            comment, kind = event.id("comment_id"), (event.word("type") or "")
            if comment and kind == "commentprivacychange" and event.flag("public") is not None:
                self._private[comment] = event.flag("public") is False
            elif comment and "redaction" in kind:
                self._redacted.add(comment)

    def comment(self, comment: Node, at: datetime | None, *, author: str | None = None, via: str | None = None) -> None:
        """A comment: one of a ticket, or of an audit, which says when and by whom."""
        own = comment.id("id")
        if own and f"c{own}" in self._seen:
            return
        self._seen.add(f"c{own}")
        author = comment.id("author_id") or author
        via = channel_of(comment) or via
        data, files = comment.look("data"), comment.listed("attachments")
        body = _body(comment)
        heard = data.id("transcription_text") or ""
        public = comment.flag("public") is not False
        if own in self._private:
            public = not self._private[own]
        role = self._people.role(author, via, public=public)
        if own in self._redacted:
            self._ledger.note("a comment was redacted in Zendesk: its text is what Zendesk shows instead")
        voice = (comment.word("type") or "").startswith("voice")
        about = {
            "id": own, "author_id": author, "via": via, "redacted": own in self._redacted or None,
            "attachments": [_file(one) for one in files], "images": body.images or None,
            "call": {key: data.raw.get(key) for key in ("call_id", "call_duration", "started_at")},
            "recording": without_query(data.raw.get("recording_url")),
        }  # fmt: skip
        kind = "note" if not public else "voice" if voice else _kind(files, body.images)
        self._say(role, heard or body.text, at, kind, attributes(about, self._ledger))

    def audit(self, audit: Node, *, words: bool = True) -> None:
        """One update of a ticket: a comment, or changes, or both. Without `words`, what was said is left to others."""
        own = audit.id("id")
        at = audit.time("created_at")
        if own and f"a{own}" in self._seen:
            return
        self._seen.add(f"a{own}")
        author, via = audit.id("author_id"), channel_of(audit)
        changes: dict[str, Node] = {}
        for event in audit.children("events"):
            kind = event.word("type") or ""
            if kind in ("comment", "voicecomment", "facebookcomment", "tweet"):
                if words:
                    self.comment(event, at, author=author, via=via)
            elif kind == "change":
                changes[event.word("field_name") or ""] = event
            elif kind in ("chatstartedevent", "chatendedevent", "messagingevent"):
                self.history(event.look("value").listed("history") if words else [])
            elif kind == "satisfactionrating":
                self._happened(
                    "rating", at
                )  # not which: a judge sees events, and must not know what the customer thought
            elif kind == "commentwithouttext":
                self.missing = self.missing or words
            elif kind != "create":
                self.other[event.id("type") or "?"] += 1
        self._changed(changes, at, author, via)

    def _changed(self, changes: dict[str, Node], at: datetime | None, author: str | None, via: str | None) -> None:
        assigned = [changes[key] for key in ("group_id", "assignee_id") if key in changes]
        if assigned:
            before, after = assigned[-1].id("previous_value"), assigned[-1].id("value")
            is_bot = self._people.is_bot
            to = None if after is None else "ai" if is_bot(after) else "human" if self._people.role(
                after, None, public=False) == "human" else None  # fmt: skip
            passed = (is_bot(before) or is_bot(author)) and after is not None and not is_bot(after)
            note = "; ".join(_change(one) for one in assigned)
            role = "ai" if passed else None
            self._happened("handoff" if passed else "assigned", at, role, "human" if passed else to, note)
        status = changes.get("status")
        if status is not None:
            was, now = status.word("previous_value") in CLOSED, status.word("value") in CLOSED
            kind = "closed" if now and not was else "reopened" if was and not now else "status"
            role = None if author is None else self._people.role(author, via, public=False)
            self._happened(kind, at, role if role != "unknown" else None, None, _change(status))
        self.other.update(f"Change {key}" for key in changes if key not in ("group_id", "assignee_id", "status"))

    def _happened(
        self, kind: str, at: datetime | None, from_role: str | None = None, to_role: str | None = None,
        note: str | None = None,
    ) -> None:  # fmt: skip
        self._thread.begin(at)
        self._thread.event(kind, from_role=from_role, to_role=to_role, note=(note or "")[:_NOTED] or None)

    # ── conversation logs and chats ──

    def logged(self, event: Node) -> None:
        """An event of a conversation log: a message by user, agent or bot, or a comment."""
        own = event.id("id")
        at = event.time("created_at")
        if own and f"e{own}" in self._seen:
            return
        self._seen.add(f"e{own}")
        author, content = event.child("author"), event.child("content")
        support, messaging = author.id("zen:support:user_id"), author.id("zen:sunco:user_id")
        kind = author.word("type")
        role = _LOG_ROLES.get(kind or "", "unknown")
        if self._people.is_bot(support) or self._people.is_bot(messaging):
            role = "ai"
        elif role == "unknown":
            self._ledger.note(f"an author of the type {str(kind)[:40]!r} is kept as unknown")
        public = event.look("metadata").flag("public") is not False
        if not public and role == "customer":
            role = "system"  # Zendesk's own bookkeeping, in the customer's name
        body = _content(content)
        files = event.listed("attachments")
        media = content.word("type") if content.word("type") in ("image", "file") else None
        about = {
            "id": own, "author": {"type": kind, "id": support, "messaging_id": messaging},
            "event_type": event.id("type"), "source": event.look("source").word("type"),
            "attachments": [_file(one) for one in files], "images": body.images or None,
            "media": without_query(content.raw.get("mediaUrl")), "media_type": content.id("mediaType"),
            "actions": [text for text in map(_action, content.listed("actions")) if text],
        }  # fmt: skip
        sort = _kind(files, body.images) or _media_kind(content.word("mediaType"), media)
        self._say(role, body.text, at, sort if public else "note", attributes(about, self._ledger))

    def history(self, entries: list[Node]) -> None:
        """The history of a chat, as Zendesk Chat and the audits of its tickets list it."""
        for entry in entries:
            what = (entry.word("type") or "").removeprefix("chat.")
            at = entry.time("timestamp")
            sender = (entry.word("sender_type") or entry.word("actor_type") or "").replace(" ", "_")
            author = entry.id("agent_id") or entry.id("actor_id")
            text = entry.text("msg") or entry.text("message")
            file = entry.look("attachment")
            if what in ("msg", "chatmessage", "message", "file", "chatfileattachment") and (text or file.raw):
                role = "ai" if self._people.is_bot(author) else _CHAT_ROLES.get(sender, "unknown")
                about = {"id": entry.id("msg_id"), "author_id": author, "attachments": [_file(file)]}
                kind = _kind([file], 0) if file.raw else None
                self._say(role, html_text.to_text(text), at, kind, attributes(about, self._ledger))
            else:
                rated = entry.has("new_rating") or entry.has("new_comment")
                self._happened("rating" if rated else what or "event", at, _CHAT_ROLES.get(sender))

    def offline(self, text: str, at: datetime | None) -> None:
        """A message that a visitor left while nobody was there."""
        self._say("customer", text, at, None, {})

    def description(self, text: str, at: datetime | None, role: str, *, first: bool) -> None:
        """What a ticket was opened with, where its first comment is not there."""
        self._say(role, text, at, None, {"id": "description"}, first=first)

    # ── the whole ──

    def _say(
        self, role: str, text: str, at: datetime | None, kind: str | None, about: Row, *, first: bool = False
    ) -> None:
        self._thread.begin(at, first=first)
        self._thread.message(role, text, kind=kind, attributes=about)
        self.texts.add(folded(text))
        if at is not None and (self.first_at is None or at < self.first_at):
            self.first_at = at

    def laid_out(self) -> tuple[list[Row], list[Row]]:
        """(messages, events) in the order of time."""
        return self._thread.laid_out(self._ledger)


def folded(text: str) -> str:
    """How a text begins, letters and digits only: by that a message is known again in another form of it."""
    return "".join(sign for sign in text[:200] if sign.isalnum()).lower()[:60] or text.strip()[:60]


def channel_of(holder: Node) -> str | None:
    """`via.channel`, or `via` where that is the word itself."""
    return holder.look("via").word("channel") or holder.word("via")


def audit_of(event: Node) -> Node:
    """An event of the incremental ticket event export, as the audit that it is."""
    events: list[Row] = []
    for child in event.listed("child_events"):
        kind = child.id("event_type") or "?"
        changed = {key: value for key, value in child.raw.items() if key not in _CHILD_OWN}
        if kind in ("Change", "Create") and changed:
            before = child.raw.get("previous_value")
            events += (
                {"type": kind, "field_name": key, "value": v, "previous_value": before} for key, v in changed.items()
            )
        elif kind == "Comment" and not {"body", "html_body", "plain_body"} & child.raw.keys():
            events.append({"type": "CommentWithoutText"})
        else:
            events.append({**child.raw, "type": kind})
    at = event.raw.get("created_at") or event.raw.get("timestamp")
    raw = {"id": event.raw.get("id"), "created_at": at, "author_id": event.raw.get("updater_id"),
           "via": event.raw.get("via"), "events": events}  # fmt: skip
    return Node(raw, event.path, event.ledger)


_CHILD_OWN = (
    "id", "via", "via_reference_id", "event_type", "previous_value", "created_at", "comment_present", "comment_public",
    "ticket_id", "type", "timestamp",
)  # fmt: skip


def _body(comment: Node) -> html_text.Plain:
    """The words of a comment. The HTML has the addresses of links, which the plain text lacks."""
    found = html_text.read(comment.text("html_body"))
    if found.text.strip() or found.images:
        return found
    return html_text.Plain(comment.text("body") or comment.text("plain_body"))


def _content(content: Node) -> html_text.Plain:
    """The words of a message's content, of whatever type."""
    for key in ("text", "body", "htmlText", "markdownText"):
        said = content.text(key)
        if said.strip():
            return html_text.Plain(said) if key in ("text", "markdownText") else html_text.read(said)
    lines = [_line(one) for key in ("items", "fields") for one in content.listed(key)]
    lines += [content.id("altText") or content.id("caption") or ""] + [
        _action(one) for one in content.listed("actions")
    ]
    return html_text.Plain("\n".join(line for line in lines if line))


def _line(one: Node) -> str:
    """One card of a carousel, or one field of a form with its answer."""
    chosen = ", ".join(name for option in one.listed("select") if (name := option.id("label")))
    name = one.id("title") or one.id("label") or one.id("name") or ""
    value = one.id("description") or one.id("text") or one.id("email") or chosen
    return f"{name}: {value}" if name and value else name or value or ""


def _action(one: Node) -> str:
    return one.id("text") or one.look("reply").id("text") or one.look("link").id("text") or ""


def _kind(files: list[Node], images: int) -> str | None:
    """What was sent, if not only words."""
    for one in files:
        return _media_kind(one.word("content_type") or one.word("mime_type"), "file")
    return "image" if images else None


def _media_kind(media_type: str | None, otherwise: str | None) -> str | None:
    kinds = {"image": "image", "audio": "voice", "video": "file"}
    return kinds.get((media_type or "").partition("/")[0], otherwise)


def _file(one: Node) -> Row:
    return {
        "name": one.id("file_name") or one.id("name"), "content_type": one.id("content_type") or one.id("mime_type"),
        "url": without_query(one.raw.get("content_url") or one.raw.get("url")), "size": one.number("size"),
    }  # fmt: skip


def _change(event: Node) -> str:
    before, after = (as_id(event.raw.get(key)) or "none" for key in ("previous_value", "value"))
    return f"{event.word('field_name')}: {before} → {after}"


def in_audits(audits: list[Node]) -> Iterator[tuple[str, Node]]:
    """(field, event) of everything that the audits set, in their order."""
    for audit in audits:
        for event in audit.listed("events"):
            if event.word("type") in ("create", "change") and event.word("field_name"):
                yield str(event.word("field_name")), event
