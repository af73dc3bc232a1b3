"""Tickets, comments, audits, conversation logs and chats as Zendesk's API gives them, to be varied by the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpdesk import Read, read, write

from grader.ingest.sources import zendesk
from grader.model import Conversation

CUSTOMER, AGENT, BOT, OTHER = 6130869168922, 6130907993114, 777, 999
API = "https://shop.zendesk.com/api/v2"


def ticket(number: int = 35, **more: Any) -> dict[str, Any]:
    return {
        "url": f"{API}/tickets/{number}.json", "id": number, "external_id": None,
        "via": {"channel": "Native_Messaging", "source": {"from": {}, "to": {}, "rel": None}},
        "created_at": "2026-08-03T14:01:00Z", "updated_at": "2026-08-03T15:00:00Z", "type": None,
        "subject": "the lid", "raw_subject": "the lid", "description": "the lid is broken", "priority": None,
        "status": "open", "requester_id": CUSTOMER, "submitter_id": CUSTOMER, "assignee_id": AGENT, "group_id": 360,
        "tags": ["returns"], "custom_fields": [{"id": 5001, "value": "Damaged Item"}, {"id": 5002, "value": None}],
        "satisfaction_rating": None, "followup_ids": [], "problem_id": None, "email_cc_ids": [], **more,
    }  # fmt: skip


def comment(number: int, author: int | None = CUSTOMER, body: str = "the lid is broken", **more: Any) -> dict[str, Any]:
    return {
        "id": number, "type": "Comment", "author_id": author, "body": body, "html_body": f"<p>{body}</p>",
        "plain_body": body, "public": True, "attachments": [], "audit_id": number + 1, "via": {"channel": "web"},
        "created_at": f"2026-08-03T14:{number:02}:00Z", "metadata": {"system": {"ip_address": "1.2.3.4"}}, **more,
    }  # fmt: skip


def audit(number: int, *events: dict[str, Any], author: int = AGENT, of: int = 35, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "ticket_id": of, "created_at": f"2026-08-03T14:{number:02}:00Z", "author_id": author,
        "metadata": {"system": {}, "custom": {}}, "via": {"channel": "web"}, "events": list(events), **more,
    }  # fmt: skip


def change(name: str, before: Any, after: Any, kind: str = "Change") -> dict[str, Any]:
    return {"id": 1, "type": kind, "field_name": name, "previous_value": before, "value": after}


def logged(number: int, who: str, text: str | None = None, **more: Any) -> dict[str, Any]:
    ids = {"user": CUSTOMER, "agent": AGENT, "bot": -1}
    return {
        "id": f"01J{number}", "type": "Messaging::ConversationMessage", "attachments": [],
        "author": {"type": who, "display_name": "Joe", "zen:support:user_id": ids.get(who),
        "zen:sunco:user_id": f"s{who}"},
        "content": {"type": "text", "text": text}, "created_at": f"2026-08-03T14:{number:02}:00Z",
        "metadata": {"custom": {}, "system": {}}, "reference": f"zen:sunco:conversation_message:{number}",
        "source": {"type": "WhatsApp"}, **more,
    }  # fmt: skip


def log(*events: dict[str, Any], of: int = 35, more: bool = False) -> dict[str, Any]:
    links = {"next": f"{API}/tickets/{of}/conversation_log?page%5Bafter%5D=eyJ", "prev": None}
    return {"events": list(events), "links": links, "meta": {"has_more": more, "after_cursor": "eyJ"}}


def user(number: int, role: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": "Joe Bloggs", "role": role, "email": None, "phone": None, "external_id": None, **more}


def chat(**more: Any) -> dict[str, Any]:
    return {
        "id": "2109.10414779.Sg", "type": "chat", "timestamp": "2026-08-03T14:00:00Z",
        "end_timestamp": "2026-08-03T14:30:00Z",
        "visitor": {"id": "1.12", "email": "jo@example.com", "phone": "", "name": "Jo"},
        "department_name": "Returns", "started_by": "visitor", "rating": "good", "comment": "quick", "tags": [],
        "zendesk_ticket_id": 35, "history": [
            {"type": "chat.memberjoin", "timestamp": "2026-08-03T14:00:00Z", "sender_type": "Visitor"},
            {"type": "chat.msg", "timestamp": "2026-08-03T14:00:10Z", "sender_type": "Visitor", "msg": "hi",
            "name": "Jo"},
            {"type": "chat.msg", "timestamp": "2026-08-03T14:00:20Z", "sender_type": "Trigger", "msg": "One moment"},
            {"type": "chat.msg", "timestamp": "2026-08-03T14:01:00Z", "sender_type": "Agent", "agent_id": str(AGENT),
            "msg": "Hello"},
            {"type": "chat.rating", "timestamp": "2026-08-03T14:20:00Z", "sender_type": "Visitor",
            "new_rating": "good"},
        ], **more,
    }  # fmt: skip


def engagement(number: int, begin: str, end: str, of: int = 35, **more: Any) -> dict[str, Any]:
    return {
        "engagement_id": str(number), "ticket_id": of, "agent_id": AGENT, "channel": "MESSAGING",
        "agent_messages_count": 3,
        "engagement_start_time": begin, "engagement_end_time": end, "ticket_status_end": "SOLVED", **more,
    }  # fmt: skip


def reads(folder: Path, *rows: Any, **options: Any) -> Read:
    """A file with these rows, one by line; a single one as the file's JSON."""
    return read(zendesk, write(folder, rows if len(rows) != 1 else rows[0]), **options)


def one(folder: Path, *rows: Any, **options: Any) -> Conversation:
    return reads(folder, *rows, **options).only()
