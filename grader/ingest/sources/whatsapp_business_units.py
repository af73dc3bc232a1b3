"""The payloads of WhatsApp's Cloud API → units: one message, one status, one happening each, with who it is about.

Understood are webhooks, whole or in parts (`entry`, `changes`, `value`), and the requests that a business sends, with
the answers to them. How units make conversations is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from grader.ingest.sources.logged import Row, objects, part
from grader.model import JsonValue

_LISTS = ("messages", "message_echoes", "statuses", "history", "calls", "user_preferences", "user_id_update")
_SENDS = ("type", "text", "template", "interactive", "image", "audio", "video", "document")
_ROLE_KEYS = ("role", "sender_role", "sent_by", "author", "sender")
_PATH = re.compile(r"/(\d{5,20})/messages\b")
_NO_DIGIT = re.compile(r"\D")


def is_payload(value: JsonValue) -> bool:
    """A webhook of the Cloud API or a part of one, or a request or answer of its messages endpoint."""
    if not isinstance(value, dict):
        return False
    if value.get("object") == "whatsapp_business_account":
        return True
    inner = objects(value.get("entry")) or objects(value.get("changes"))
    return any(map(_is_change, [value, *inner, *(c for e in inner for c in objects(e.get("changes")))])) or (
        _is_value(value) or is_request(value)
    )


def _is_change(value: Row) -> bool:
    return isinstance(value.get("field"), str) and _is_value(part(value, "value"))


def _is_value(value: Row) -> bool:
    whatsapp = value.get("messaging_product") == "whatsapp"
    metadata = part(value, "metadata").keys() & {"phone_number_id", "display_phone_number"}
    listed = any(isinstance(value.get(key), list) for key in _LISTS)
    return ((whatsapp or bool(metadata)) and (listed or bool(metadata))) or _is_on_premises(value)


def _is_on_premises(value: Row) -> bool:
    """A webhook of the On-Premises API, which had no envelope: its messages or statuses by themselves."""
    came = any({"from", "id", "timestamp", "type"} <= one.keys() for one in objects(value.get("messages")))
    told = any({"id", "recipient_id", "status", "timestamp"} <= one.keys() for one in objects(value.get("statuses")))
    return (came and (bool(objects(value.get("contacts"))) or value.keys() <= {"messages", "meta"})) or told


def is_request(value: JsonValue) -> bool:
    """What a business posts to send a message."""
    return (
        isinstance(value, dict)
        and value.get("messaging_product") == "whatsapp"
        and bool(value.keys() & {"to", "recipient"})
        and any(value.get(key) is not None for key in _SENDS)
    )


def units(payload: JsonValue, envelope: Mapping[str, JsonValue]) -> Iterator[Row]:
    """The units of a payload, in its order. What is about no customer has none; nothing else is left out.

    A unit has `about` (message, status, call, preference, link, or the name of what is not understood), `what` (the
    object itself), `inbound` (None where it does not apply), `by_app`, `business`, `display`, `account`, `customer`.
    """
    if not isinstance(payload, dict):
        return
    if is_request(payload):
        yield _request(payload, envelope)
        return
    entries = objects(payload.get("entry")) or [payload]
    for entry in entries:
        changes = objects(entry.get("changes")) or [entry]
        for change in changes:
            value = part(change, "value") or (change if _is_value(change) else {})
            field = change.get("field") if isinstance(change.get("field"), str) else None
            head = {"account": _id(entry.get("id")) if value is not entry else None, **_business(value)}
            found = [{**head, **unit} for unit in _of_value(value, field)]
            yield from found or [{**head, "about": field or "nothing", "what": {}, "customer": {}}]


def _business(value: Row) -> Row:
    metadata = part(value, "metadata")
    return {"business": _id(metadata.get("phone_number_id")), "display": _digits(metadata.get("display_phone_number"))}


def _of_value(value: Row, field: str | None) -> Iterator[Row]:
    contacts = objects(value.get("contacts"))
    display = _digits(part(value, "metadata").get("display_phone_number"))
    app = field in ("smb_message_echoes", "message_echoes", "history")
    for key in _LISTS:
        listed = value.get(key)
        if not isinstance(listed, list):
            continue
        for one in listed:
            alone = len(listed) == 1
            if not isinstance(one, dict):
                yield _unit(f"an entry of {key} that is no object", {}, {})
            elif key == "messages" and one.keys() <= {"id", "message_status"}:  # the answer to a request
                yield _unit("status", {**one, "status": "accepted"}, _customer({}, contacts, alone=alone))
            elif key == "messages":
                outbound = display is not None and _digits(one.get("from")) == display
                yield _message(one, contacts, inbound=not outbound, by_app=app and outbound, alone=alone)
            elif key == "message_echoes":
                yield _message(one, contacts, inbound=False, by_app=True, alone=alone)
            elif key == "statuses":
                yield _unit("status", one, _recipient(one, contacts, alone=alone))
            elif key == "history":
                yield from list(_history(one, display)) or [_unit("history without messages", one, {})]
            elif key == "user_id_update":
                person = _customer({"wa_id": one.get("wa_id")}, contacts, alone=True)
                yield _unit("link", one, {**person, **_changed_ids(one)})
            elif key == "calls":
                ours = one.get("direction") == "BUSINESS_INITIATED"
                yield _message(one, contacts, inbound=not ours, by_app=False, alone=True) | {"about": "call"}
            else:
                yield _unit("preference", one, _customer(one, contacts, alone=True))


def _changed_ids(update: Row) -> Row:
    pairs = [part(update, key) for key in ("user_id", "parent_user_id")]
    user, parent = (_id(pair.get("current")) for pair in pairs)
    former = [one for pair in pairs if (one := _id(pair.get("previous")))]
    return {"user": user, "parent": parent, "former": former}


def _history(chunk: Row, display: str | None) -> Iterator[Row]:
    for thread in objects(chunk.get("threads")):
        context = part(thread, "context")
        customer = {
            "wa": _digits(thread.get("id")) or _digits(context.get("wa_id")), "user": _id(context.get("user_id")),
            "parent": None, "name": None, "username": context.get("username"), "group": None,
        }  # fmt: skip
        listed = thread.get("messages")
        for message in listed if isinstance(listed, list) else []:
            if not isinstance(message, dict):
                yield _unit("an entry of messages that is no object", {}, {})
                continue
            sender = _digits(message.get("from"))
            outbound = message.get("from_me") is True or (sender is not None and sender == display)
            yield _unit("message", message, customer) | {"inbound": not outbound, "by_app": outbound}


def _unit(about: str, what: Row, customer: Row) -> Row:
    return {"about": about, "what": what, "inbound": None, "by_app": False, "role": None, "customer": customer}


def _message(message: Row, contacts: list[Row], *, inbound: bool, by_app: bool, alone: bool) -> Row:
    seen = message if inbound else {
        "from": message.get("to"), "from_user_id": message.get("to_user_id"),
        "from_parent_user_id": message.get("to_parent_user_id"), "group_id": message.get("group_id"),
    }  # fmt: skip
    customer = _customer(seen, contacts, alone=alone)
    return _unit("message", message, customer) | {"inbound": inbound, "by_app": by_app}


def _recipient(status: Row, contacts: list[Row], *, alone: bool) -> Row:
    group = status.get("recipient_type") == "group"
    seen = {
        "from": None if group else status.get("recipient_id"), "from_user_id": status.get("recipient_user_id"),
        "from_parent_user_id": status.get("recipient_parent_user_id"),
        "group_id": status.get("recipient_id") if group else None,
    }  # fmt: skip
    return _customer(seen, contacts, alone=alone)


def _customer(seen: Row, contacts: list[Row], *, alone: bool) -> Row:
    """Who a unit is about: what it says itself, and the contact of the payload that is the same person."""
    wa = _digits(seen.get("from")) or _digits(seen.get("wa_id"))
    user = _id(seen.get("from_user_id")) or _id(seen.get("user_id"))
    group = _id(seen.get("group_id"))
    numbers = [(one, {_digits(one.get("wa_id")), _digits(one.get("input"))}) for one in contacts]
    same = [one for one, known in numbers if (wa and wa in known) or (user and _id(one.get("user_id")) == user)]
    if not same and alone and len(contacts) == 1 and not group:
        same = contacts
    contact = same[0] if same else {}
    profile = part(contact, "profile")
    parent = seen.get("from_parent_user_id") or seen.get("parent_user_id") or contact.get("parent_user_id")
    return {
        "wa": wa or _digits(contact.get("wa_id")), "user": user or _id(contact.get("user_id")), "parent": _id(parent),
        "name": profile.get("name"), "username": profile.get("username"), "group": group,
    }  # fmt: skip


def _request(request: Row, envelope: Mapping[str, JsonValue]) -> Row:
    """A message as the business posted it. The envelope may have the answer to it, the number, and who sent it."""
    answer = next((one for key in ("response", "result", "reply") if (one := envelope.get(key))), None)
    answer = answer if isinstance(answer, dict) else {}
    answer = part(answer, "body") or part(answer, "data") or answer
    sent = next(iter(objects(answer.get("messages"))), {})
    identity = _id(request.get("id")) or _id(sent.get("id")) or next(
        (one for key in ("message_id", "wamid", "id") if (one := _id(envelope.get(key)))), None
    )  # fmt: skip
    places = [str(envelope.get(key)) for key in ("url", "path", "endpoint", "uri") if envelope.get(key)]
    paths = [found[1] for place in places if (found := _PATH.search(place))]
    business = _id(envelope.get("phone_number_id")) or _id(request.get("phone_number_id")) or next(iter(paths), None)
    recipient = request.get("recipient") if isinstance(request.get("recipient"), str) else None
    contacts = objects(answer.get("contacts"))
    seen = {"from": request.get("to"), "from_user_id": recipient}
    if request.get("recipient_type") == "group":
        seen = {"group_id": request.get("to")}
    what = {**request, "id": identity} if identity else request
    said = [one for key in _ROLE_KEYS for holder in (request, envelope) if isinstance(one := holder.get(key), str)]
    unit = _unit("message", what, _customer(seen, contacts, alone=True))
    more = {"account": None, "business": business, "display": None, "inbound": False, "role": next(iter(said), None)}
    return unit | more


def _id(value: JsonValue) -> str | None:
    """An id as text, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip()[:1000] or None


def _digits(value: JsonValue) -> str | None:
    """The digits of a phone number, None where it has none."""
    plain = _id(value)
    return (_NO_DIGIT.sub("", plain) or None) if plain else None
