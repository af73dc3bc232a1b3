"""Rows as Chatwoot's webhooks and API write them: what its tests are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest_mutated import Read, lines, read
from ingest_reading import put

from grader.ingest.sources import chatwoot
from grader.model import Conversation

T = 1_785_780_000  # 2026-08-03T18:00:00Z
CONTACT = {"id": 31, "type": "contact", "name": "Ana"}
AGENT = {"id": 4, "type": "user", "name": "Rui", "available_name": "Rui", "email": "rui@shop.example"}
BOT = {"id": 2, "type": "agent_bot", "name": "Helper"}


def message(
    number: int, kind: Any, text: Any, sender: Any = None, at: int | None = None, **more: Any
) -> dict[str, Any]:
    """A message as the messages endpoint gives it."""
    return {
        "id": number, "content": text, "inbox_id": 7, "conversation_id": 55, "message_type": kind,
        "content_type": "text", "status": "sent", "content_attributes": {}, "private": False, "source_id": None,
        "created_at": T + (number if at is None else at), **({"sender": sender} if sender else {}), **more,
    }  # fmt: skip


def conversation(status: str = "open", **more: Any) -> dict[str, Any]:
    """A conversation as a webhook carries it."""
    sender = {
        "id": 31, "type": "contact", "name": "Ana", "email": "Ana@Example.com", "phone_number": "+14155550133",
        "identifier": "K-9", "pubsub_token": "secret", "custom_attributes": {"tier": "gold"}, "thumbnail": "https://x",
    }  # fmt: skip
    return {
        "id": 55, "inbox_id": 7, "channel": "Channel::Whatsapp", "status": status, "can_reply": True, "messages": [],
        "labels": ["Refund", "vip"], "custom_attributes": {"order_id": "Q-20817", "motive": "Refund"},
        "additional_attributes": {"conversation_language": "pt"}, "unread_count": 3, "created_at": T,
        "meta": {"sender": sender, "assignee": None, "team": {"id": 1, "name": "Returns "}}, **more,
    }  # fmt: skip


def hook(event: str, at: float, status: str = "open", **more: Any) -> dict[str, Any]:
    """A webhook about a conversation."""
    return {**conversation(status), "event": event, "account": {"id": 3}, "updated_at": T + at, **more}


def said(event: str, number: int, kind: str, text: Any, sender: Any, status: str = "pending", **more: Any) -> Any:
    """A webhook about a message."""
    holder = conversation(status, updated_at=T + number + 0.4)
    row = message(number, kind, text, sender, **more)
    del row["conversation_id"], row["inbox_id"]
    inbox = {"id": 7, "name": "Shop WhatsApp"}
    return {**row, "event": event, "conversation": holder, "inbox": inbox, "account": {"id": 3}}


def changed(before: str, after: str) -> list[Any]:
    return [{"status": {"previous_value": before, "current_value": after}}]


LOG = [
    hook("conversation_created", 0, "pending"),
    said("message_created", 1, "incoming", "oi", CONTACT),
    said("message_created", 2, "outgoing", "Olá! Qual é o pedido?", BOT),
    said("message_created", 3, "incoming", "Q-20817 quebrou", CONTACT),
    said("message_created", 4, "outgoing", "Vou chamar um colega.", BOT),
    hook("conversation_status_changed", 5, "open", changed_attributes=changed("pending", "open")),
    said("message_created", 6, "outgoing", "cliente antigo, cuidado", AGENT, "open", private=True),
    said("message_created", 7, "outgoing", "Oi Ana, aqui é o Rui.", AGENT, "open"),
    hook("conversation_status_changed", 8, "resolved", changed_attributes=changed("open", "resolved")),
    hook("conversation_resolved", 8.1, "resolved"),
]


def of(folder: Path, rows: list[Any], **options: Any) -> Read:
    return read(chatwoot, put(folder, lines(rows)), **options)


def one(folder: Path, rows: list[Any], **options: Any) -> Conversation:
    found = of(folder, rows, **options)
    assert not found.problems, found.problems
    assert found.kept == len(rows)
    assert len(found.conversations) == 1
    return found.conversations[0]


def spoken(record: Conversation) -> list[tuple[str, str, str]]:
    return [(m.role.value, m.kind.value, m.text) for m in record.messages]


def page(messages: list[Any], **meta: Any) -> dict[str, Any]:
    return {"meta": {"labels": ["refund"], "contact": conversation()["meta"]["sender"], **meta}, "payload": messages}


TALK = [
    message(1, 0, "hi", CONTACT), message(2, 1, "Hello!", BOT), message(3, 2, "Assigned to Rui"),
    message(4, 3, "We are closed now"), message(5, 1, "Rui here", AGENT),
]  # fmt: skip


def survey(rating: Any, comment: Any = None) -> dict[str, Any]:
    answer = {"rating": rating, "feedback_message": comment}
    return message(20, 3, "Please rate us", content_type="input_csat", updated_at="2026-08-03T19:00:00Z",
                   content_attributes={"submitted_values": {"csat_survey_response": answer}})  # fmt: skip
