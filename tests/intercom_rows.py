"""Conversations and tickets as Intercom's API gives them, to be varied by the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpdesk import Read, read, write

from grader.ingest.sources import intercom
from grader.model import Conversation

T0 = 1734537500
CUSTOMER = {"type": "user", "id": "6762f1261bb69f9f2193bba7", "name": "Joe Bloggs", "email": "Joe@Example.com"}
FIN = {
    "type": "bot",
    "id": "278",
    "name": "Fin",
    "email": "op@intercom.io",
    "from_ai_agent": True,
    "is_ai_answer": True,
}
OPERATOR = {"type": "bot", "id": "278", "name": "Operator", "from_ai_agent": False, "is_ai_answer": False}
ADMIN = {"type": "admin", "id": "274", "name": "Ana", "email": "ana@shop.example", "from_ai_agent": False}


def part(n: int, author: Any = CUSTOMER, body: str | None = None, kind: str = "comment", **more: Any) -> dict[str, Any]:
    return {
        "type": "conversation_part", "id": str(n), "part_type": kind, "body": body, "created_at": T0 + n,
        "author": author,
        "attachments": [], "redacted": False, "assigned_to": None, "metadata": {}, **more,
    }  # fmt: skip


def conversation(*parts: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "conversation", "id": "503", "created_at": T0, "updated_at": T0 + 900, "state": "open", "open": True,
        "source": {
            "type": "whatsapp", "id": "1", "delivered_as": "customer_initiated", "subject": "",
            "body": "<p>where is my <b>order</b>?</p>", "author": CUSTOMER, "attachments": [], "url": None,
            "redacted": False,
        },
        "contacts": {"type": "contact.list",
        "contacts": [{"type": "contact", "id": CUSTOMER["id"], "external_id": "70"}]},
        "admin_assignee_id": None, "team_assignee_id": 5017691, "tags": {"type": "tag.list", "tags": []},
        "statistics": None, "conversation_rating": None, "custom_attributes": {}, "topics": {}, "ai_agent": None,
        "ai_agent_participated": True,
        "conversation_parts": {
            "type": "conversation_part.list", "conversation_parts": list(parts), "total_count": len(parts),
        },
        **more,
    }  # fmt: skip


def ticket(*parts: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "ticket", "id": "631", "ticket_id": "38", "created_at": T0, "updated_at": T0 + 60, "open": True,
        "ticket_attributes": {"_default_title_": "Broken lid", "_default_description_": "it came broken"},
        "ticket_state": {"type": "ticket_state", "id": "1", "category": "submitted", "internal_label": "Submitted"},
        "ticket_type": {"type": "ticket_type", "id": "95", "name": "Damage", "category": "Customer"},
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "c1", "external_id": "70"}]},
        "admin_assignee_id": "0", "team_assignee_id": "0", "category": "Customer",
        "ticket_parts": {"type": "ticket_part.list", "ticket_parts": list(parts), "total_count": len(parts)},
        **more,
    }  # fmt: skip


def reads(folder: Path, content: Any, **options: Any) -> Read:
    return read(intercom, write(folder, content), **options)


def one(folder: Path, *parts: Any, **more: Any) -> Conversation:
    return reads(folder, conversation(*parts, **more)).only()
