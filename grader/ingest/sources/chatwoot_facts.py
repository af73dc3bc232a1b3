"""What a Chatwoot conversation's own fields say: its reason, labels, orders and assignee, and ratings as numbers.

What was said in it, and when, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.ingest.rows import Ledger
from grader.ingest.sources import chatwoot_status as status
from grader.ingest.sources.chatwoot_messages import sender_type
from grader.ingest.sources.chatwoot_options import Options
from grader.ingest.sources.logged import Row, part
from grader.model import JsonValue

_REFERENCES = {
    "order_id": "order", "order_number": "order", "order": "order",
    "ticket_id": "ticket", "ticket_number": "ticket", "ticket": "ticket",
}  # fmt: skip


def labels(head: Row) -> list[str]:
    """The conversation's labels, lower-cased."""
    listed = head.get("labels")
    return [one.strip().lower() for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def reason(head: Row, options: Options, ledger: Ledger) -> str | None:
    """The contact reason, where an attribute or a label is one."""
    if options.reason_attribute:
        said = part(head, "custom_attributes").get(options.reason_attribute)
        if isinstance(said, (str, int)) and not isinstance(said, bool):
            return plain_name(str(said))
    wanted = options.reason_labels
    found = [label for label in labels(head) if label in wanted or "*" in wanted]
    if len(found) > 1:
        ledger.note("a conversation has several labels that are reasons, its reason stays unknown")
    return found[0] if len(found) == 1 else None


def references(head: Row, options: Options) -> Iterator[Row]:
    """Orders and tickets that its attributes name."""
    known = {**_REFERENCES, **options.references}
    seen = set()
    for holder in ("custom_attributes", "additional_attributes"):
        for key, value in part(head, holder).items():
            for one in value if isinstance(value, list) else [value]:
                if key in known and isinstance(one, (str, int)) and not isinstance(one, bool) and str(one).strip():
                    pair = (known[key], str(one).strip())
                    if pair not in seen:
                        yield {"kind": pair[0], "value": pair[1]}
                    seen.add(pair)


def assignee(meta: Row) -> tuple[str, str]:
    """(user or agent_bot, id) of who has the conversation, NOBODY."""
    who = part(meta, "assignee")
    identity = who.get("id")
    if identity is None:
        return status.NOBODY
    said = meta.get("assignee_type")
    bot = sender_type(who) == "agent_bot" or (
        isinstance(said, str) and said.lower() in ("agentbot", "captain::assistant")
    )
    return "agent_bot" if bot else "user", str(identity)[:100]


def plain_channel(value: JsonValue) -> str | None:
    """whatsapp of Channel::Whatsapp."""
    return plain_name(value.rpartition("::")[2]) if isinstance(value, str) else None


def plain_name(value: JsonValue) -> str | None:
    """A name as it is compared: trimmed and lower-cased; None for a blank and for what is no text."""
    plain = value.strip().lower() if isinstance(value, str) else ""
    return plain or None


def stars(value: JsonValue) -> float | None:
    """1 to 5, as a number or a text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        stars = float(value)
    except (ValueError, OverflowError):
        return None
    return stars if 1 <= stars <= 5 else None
