"""Rows as WhatsApp's Cloud API posts them, and as a business logs what it sends: what its tests are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest_mutated import Read, lines, read
from ingest_reading import put

from grader.ingest.sources import whatsapp_business
from grader.model import Conversation

T = 1_785_780_000  # 2026-08-03T18:00:00Z
DAY = 86_400
METADATA = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}
ANA = {"profile": {"name": "Ana"}, "wa_id": "16505551234", "user_id": "US.134912086553"}


def hook(value: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    """A webhook as the Cloud API posts it."""
    change = {"value": {"messaging_product": "whatsapp", "metadata": METADATA, **value}, "field": field}
    return {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]}


def message(number: Any, at: float = 0, kind: str = "text", body: Any = None, **more: Any) -> dict[str, Any]:
    content = {"body": f"message {number}"} if body is None else body
    return {
        "from": "16505551234", "from_user_id": "US.134912086553", "id": f"wamid.{number}",
        "timestamp": str(int(T + at)), "type": kind, kind: content, **more,
    }  # fmt: skip


def came(number: Any, at: float = 0, kind: str = "text", body: Any = None, **more: Any) -> dict[str, Any]:
    """A webhook with one message of the customer's."""
    return hook({"contacts": [ANA], "messages": [message(number, at, kind, body, **more)]})


def echo(number: Any, at: float = 0, text: str = "from the phone", **more: Any) -> dict[str, Any]:
    row = {"from": "15550783881", "to": "16505551234", "to_user_id": "US.134912086553", "id": f"wamid.{number}",
           "timestamp": str(int(T + at)), "type": "text", "text": {"body": text}, **more}  # fmt: skip
    return hook({"contacts": [ANA], "message_echoes": [row]}, "smb_message_echoes")


def status(number: Any, word: str, at: float = 0, **more: Any) -> dict[str, Any]:
    row = {
        "id": f"wamid.{number}",
        "status": word,
        "timestamp": str(int(T + at)),
        "recipient_id": "16505551234",
        **more,
    }
    return hook({"statuses": [row]})


def sent(number: Any, at: float = 0, kind: str = "text", body: Any = None, **more: Any) -> dict[str, Any]:
    """What the business posted, with the answer to it, as its own program logged them."""
    content = {"body": f"answer {number}"} if body is None else body
    request = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "+1 650-555-1234", "type": kind,
               kind: content}  # fmt: skip
    answer = {"messaging_product": "whatsapp", "contacts": [{"input": "16505551234", "wa_id": "16505551234"}],
              "messages": [{"id": f"wamid.{number}"}]}  # fmt: skip
    return {"request": {**request, **more}, "response": answer, "timestamp": T + at}


def of(folder: Path, rows: list[Any], **options: Any) -> Read:
    return read(whatsapp_business, put(folder, lines(rows)), **options)


def one(folder: Path, rows: list[Any], **options: Any) -> Conversation:
    found = of(folder, rows, **options)
    assert not found.problems, found.problems
    assert found.kept == len(rows)
    assert len(found.conversations) == 1
    return found.conversations[0]


def spoken(record: Conversation) -> list[tuple[str, str, str]]:
    return [(m.role.value, m.kind.value, m.text) for m in record.messages]
