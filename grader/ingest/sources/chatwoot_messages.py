"""One message of Chatwoot's → a canonical message: who wrote it, what it is, what it says.

The shapes of the API and of webhooks are both understood. How a conversation is put together is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from grader.ingest.rows import Ledger
from grader.ingest.sources.logged import Row, kept, objects, part
from grader.model import JsonValue

TYPES: Mapping[JsonValue, str] = {
    word: name
    for number, name in enumerate(("incoming", "outgoing", "activity", "template"))
    for word in (number, str(number), name)
}
_BOTS = {"agent_bot", "agentbot", "captain_assistant", "captain::assistant"}
_KINDS = {"audio": "voice", "image": "image", "sticker": "image"}
_WORDED = {"location", "contact", "fallback"}  # attachments that are words, no files
_CHOICES = {"input_select", "cards", "form", "article"}  # content types whose items the customer sees
# Secrets, pictures of people, and counters that change from one export to the next.
LEFT_OUT = {
    "pubsub_token", "avatar", "avatar_url", "thumbnail", "availability_status", "unread_count", "can_reply",
    "agent_last_seen_at", "assignee_last_seen_at", "contact_last_seen_at",
}  # fmt: skip
_USED = {
    "content", "message_type", "created_at", "private", "sender", "conversation", "conversation_id", "account", "inbox",
    "account_id", "inbox_id", "event", "processed_message_content", "sentiment", "echo_id",
}  # fmt: skip
_OF_EMAIL = ("subject", "from", "to", "cc", "bcc", "date", "message_id", "in_reply_to", "auto_reply")


class Rating(NamedTuple):
    """What a customer answered to a survey, as it stands there."""

    rating: JsonValue
    comment: JsonValue
    at: JsonValue


def type_of(message: Row) -> str | None:
    """incoming, outgoing, activity or template; None where the message does not say."""
    value = message.get("message_type")
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    return TYPES.get(value.strip().lower() if isinstance(value, str) else value)


def sender_type(sender: Row, message: Row | None = None) -> str | None:
    """contact, user or agent_bot, as the source says, None where it does not. Captain's assistants are bots."""
    said = sender.get("type") or (message or {}).get("sender_type")
    plain = said.strip().lower() if isinstance(said, str) else ""
    if plain in _BOTS:
        return "agent_bot"
    if plain in ("contact", "user"):
        return plain
    # Before senders had a type, messages of users had their id.
    return "user" if not plain and (message or {}).get("user_id") is not None else None


def is_one_of(sender: Row, names: tuple[str, ...]) -> bool:
    """A user whose id, name or e-mail is among these (lower-cased)."""
    given = (sender.get(key) for key in ("id", "email", "name", "available_name"))
    return bool(names) and any(str(one).strip().lower() in names for one in given if one not in (None, ""))


def canonical(message: Row, ai_senders: tuple[str, ...], ledger: Ledger) -> Row:
    """The message with canonical names. What is odd is kept and noted."""
    extra: Row = {}
    private = message.get("private") in (True, 1, "true")
    role = _role(message, ai_senders, extra, ledger)
    text, kind = _content(message, extra, ledger)
    if private:
        kind = "note"
    elif type_of(message) == "activity" or _attributes(message).get("is_reaction"):
        kind = "event"
    if _attributes(message).get("deleted"):
        ledger.note("a message was deleted in Chatwoot, its text is what Chatwoot shows in its place")
    besides = {key: value for key, value in message.items() if key not in _USED}
    besides["content_attributes"] = _lean(_attributes(message))
    besides["sender"] = {key: part(message, "sender").get(key) for key in ("id", "type")}
    if besides.get("content_type") == "text":
        del besides["content_type"]
    at = message.get("created_at")
    return {
        "role": role, "kind": kind, "text": text, "at": None if at == 0 else at,
        "attributes": {**_object(kept(besides, ledger, LEFT_OUT)), **extra},
    }  # fmt: skip


def _object(value: JsonValue) -> Row:
    return value if isinstance(value, dict) else {}


def _attributes(message: Row) -> Row:
    return part(message, "content_attributes")


def _lean(attributes: Row) -> Row:
    """Without the survey's answer, which is an outcome, and without the raw e-mail: its text is the content."""
    rest = {key: value for key, value in attributes.items() if key not in ("csat_survey_response", "email")}
    submitted = rest.get("submitted_values")
    if isinstance(submitted, dict):
        rest["submitted_values"] = {key: value for key, value in submitted.items() if key != "csat_survey_response"}
    email = part(attributes, "email")
    if email:
        rest["email"] = {key: email[key] for key in _OF_EMAIL if key in email}
    return rest


def _role(message: Row, ai_senders: tuple[str, ...], extra: Row, ledger: Ledger) -> str:
    kind, sender = type_of(message), part(message, "sender")
    who = sender_type(sender, message)
    if kind == "incoming":
        return "customer"
    if kind == "activity":
        return "system"
    if kind is None:
        extra["source_message_type"] = message.get("message_type")
        ledger.note("a message_type is not one of Chatwoot's, who wrote the message follows from its sender alone")
        if who == "contact":
            return "customer"
    if who == "agent_bot" or (who != "contact" and is_one_of(sender, ai_senders)):
        return "ai"
    automatic = _attributes(message).get("automation_rule_id") or part(message, "additional_attributes").get(
        "campaign_id"
    )
    if automatic or (kind == "template" and who is None):
        return "system"
    if who == "user" or _attributes(message).get("external_echo"):
        return "human"
    ledger.note("an outgoing message does not say who wrote it, it is kept with the role unknown")
    return "unknown"


def _content(message: Row, extra: Row, ledger: Ledger) -> tuple[str, str]:
    """(text, kind). Choices that were offered, and attachments that are words, are lines of the text."""
    lines: list[str] = []
    kind = "text"
    content = message.get("content")
    if isinstance(content, str):
        lines.append(content)
    elif content is not None:
        extra["content"] = content
        ledger.note("a message's content was no text, it is kept in the message's attributes")
    content_type = message.get("content_type")
    if isinstance(content_type, str) and content_type in _CHOICES:
        lines += [f"- {line}" for item in objects(_attributes(message).get("items")) for line in _item(item)]
    for file in objects(message.get("attachments")) or [part(message, "attachment")]:
        name = file.get("file_type")
        if not isinstance(name, str):
            continue
        if name in _WORDED:
            lines += _worded(file)
        else:
            kind = _KINDS.get(name, "file") if kind == "text" else kind
            heard = file.get("transcribed_text") or part(file, "meta").get("transcribed_text")
            if isinstance(heard, str) and not content:
                lines.append(heard)
    return "\n".join(line for line in lines if line), kind


def _item(item: Row) -> Iterator[str]:
    """A choice, a card, a field of a form or an article, as the customer sees it."""
    words = [item.get(key) for key in ("title", "label", "description", "link")]
    yield " ".join(str(word) for word in words if isinstance(word, (str, int)) and str(word).strip())
    for action in objects(item.get("actions")):
        yield " ".join(str(action[key]) for key in ("text", "uri") if isinstance(action.get(key), str))


def _worded(file: Row) -> Iterator[str]:
    if isinstance(file.get("fallback_title"), str):
        yield file["fallback_title"]
    place = [file.get(key) for key in ("coordinates_lat", "coordinates_long")]
    if file["file_type"] == "location" and all(isinstance(one, (int, float)) for one in place):
        yield ", ".join(map(str, place))


def rating(message: Row) -> Rating | None:
    """What the customer answered to the survey that this message is, None where there is no answer."""
    if message.get("content_type") not in ("input_csat", 9, "9"):
        return None
    attributes = _attributes(message)
    answer = part(part(attributes, "submitted_values"), "csat_survey_response") or part(
        attributes, "csat_survey_response"
    )
    if answer.get("rating") in (None, ""):
        return None
    return Rating(answer["rating"], answer.get("feedback_message"), message.get("updated_at"))


def answered(message: Row) -> str | None:
    """What the customer chose or filled in on this message, None where nothing. A survey's answer is no part of it."""
    attributes = _attributes(message)
    submitted = attributes.get("submitted_values")
    said: list[str] = []
    if isinstance(submitted, dict):
        said = [f"{key}: {value}" for key, value in submitted.items() if isinstance(value, (str, int, float))]
    for one in objects(submitted):
        name, value = one.get("name"), one.get("value")
        label = one.get("title") or (f"{name}: {value}" if name else value)
        said += [str(label)] if isinstance(label, (str, int, float)) else []
    if attributes.get("submitted_email"):
        said.append("an e-mail address")
    return "; ".join(said) or None
