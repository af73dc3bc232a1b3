"""What one message of WhatsApp's Cloud API says, whichever of its types it is: words, kind, and what else it carries.

Both directions have the same shapes: `type`, and an object of that name. Who wrote it is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from grader.ingest.jsontext import parse
from grader.ingest.rows import Ledger, UnfitError
from grader.ingest.sources.logged import Row, kept, objects, part
from grader.model import JsonValue

_USED = {
    "from", "from_user_id", "from_parent_user_id", "to", "to_user_id", "to_parent_user_id", "recipient", "timestamp",
    "recipient_type", "messaging_product", "group_id",
}  # fmt: skip
_MEDIA = {
    "image": "image", "sticker": "image", "audio": "voice", "voice": "voice", "video": "file", "document": "file",
    "media_placeholder": "file",
}  # fmt: skip
_SAID = {"caption", "body", "text"}  # of a type's object: taken as the message's text
_UNUSED = {"url", "link_preview"}  # addresses of files that last for minutes
_EVENTS = {"reaction", "system", "request_welcome"}
_WITHOUT_WORDS = {"unsupported", "unknown"}


class Content(NamedTuple):
    """The text, the kind, and what has no field of its own."""

    text: str
    kind: str
    attributes: Row


def type_of(message: Row) -> str:
    """The message's type, in lower case; "" where it says none, and the name of its only content where that tells."""
    said = message.get("type")
    if isinstance(said, str):
        return said.strip().lower()
    there = [name for name in (*_MEDIA, *_READERS) if isinstance(message.get(name), (dict, list))]
    return there[0] if len(there) == 1 else ""


def content(message: Row, ledger: Ledger) -> Content:
    """What the message says. What is odd is kept and noted."""
    name = type_of(message)
    body = message.get(name)
    held = body if isinstance(body, dict) else {}
    if name in _READERS:
        lines = list(_READERS[name](body if isinstance(body, list) else held))
    else:
        lines = [_words(held, "caption", "body", "text")]
        if name in _WITHOUT_WORDS:
            ledger.note("a message is of a type that WhatsApp does not hand on (unsupported), it is kept without words")
        elif name not in _MEDIA:
            shown = message.get("type") if name == "" else name
            ledger.note(f"the message type {str(shown)[:60]!r} is not known, its words are kept as far as it has any")
    attributes = {key: value for key, value in message.items() if key not in _USED and key not in (name, "type")}
    if name != "text":
        attributes["type"] = message.get("type")
    rest = {key: value for key, value in held.items() if key not in _SAID} if held else body
    if rest and name != "text":
        attributes[name] = rest
    lean = kept(attributes, ledger, _UNUSED)
    kind = "event" if name in _EVENTS else _MEDIA.get(name, "text")
    return Content("\n".join(line for line in lines if line), kind, lean if isinstance(lean, dict) else {})


def _words(row: JsonValue, *keys: str) -> str:
    """The first of these that is a text, "" where none is."""
    found = (row.get(key) for key in keys) if isinstance(row, dict) else ()
    return next((value for value in found if isinstance(value, str) and value), "")


def _plain(row: JsonValue, *keys: str) -> str:
    """These, as far as they are texts or numbers, with blanks between."""
    found = (row.get(key) for key in keys) if isinstance(row, dict) else ()
    return " ".join(str(v) for v in found if isinstance(v, (str, int, float)) and not isinstance(v, bool) and str(v))


def _text(body: JsonValue) -> Iterator[str]:
    yield _words(body, "body")


def _button(body: JsonValue) -> Iterator[str]:
    yield _words(body, "text", "payload")


def _interactive(body: JsonValue) -> Iterator[str]:
    """What a customer chose or filled in, or what the business offered."""
    row = body if isinstance(body, dict) else {}
    for answer in ("button_reply", "list_reply"):
        yield _words(row.get(answer), "title")
        yield _words(row.get(answer), "description")
    flow = part(row, "nfm_reply")
    yield _words(flow, "body")
    yield from _filled_in(flow.get("response_json"))
    yield _words(row.get("call_permission_reply"), "response")
    yield _words(row.get("header"), "text")
    yield _words(row.get("body"), "text")
    yield _words(row.get("footer"), "text")
    action = part(row, "action")
    for button in objects(action.get("buttons")):
        yield _line(_words(button.get("reply"), "title") or _words(button, "title", "text"))
    for section in objects(action.get("sections")):
        yield _words(section, "title")
        for one in (*objects(section.get("rows")), *objects(section.get("product_items"))):
            yield _line(_plain(one, "title", "description", "product_retailer_id"))
    link = part(action, "parameters")
    yield _line(_plain(link, "display_text", "url", "flow_cta"))


def _line(words: str) -> str:
    return f"- {words}" if words else ""


def _filled_in(value: JsonValue) -> Iterator[str]:
    """The fields of a form (a flow), a line each."""
    if isinstance(value, str):
        try:
            value = parse(value, Ledger())
        except UnfitError:
            yield value
            return
    if isinstance(value, dict):
        for key, one in value.items():
            if key != "flow_token" and isinstance(one, (str, int, float)):
                yield f"{key}: {one}"


def _location(body: JsonValue) -> Iterator[str]:
    yield _words(body, "name")
    yield _words(body, "address")
    place = [body.get(key) for key in ("latitude", "longitude")] if isinstance(body, dict) else []
    if place and all(isinstance(one, (int, float, str)) for one in place):
        yield f"{place[0]}, {place[1]}"


def _contacts(body: JsonValue) -> Iterator[str]:
    for one in objects(body):
        ways = [_words(way, "phone", "email") for key in ("phones", "emails") for way in objects(one.get(key))]
        yield ", ".join(word for word in (_words(one.get("name"), "formatted_name", "first_name"), *ways) if word)


def _order(body: JsonValue) -> Iterator[str]:
    row = body if isinstance(body, dict) else {}
    yield _words(row, "text")
    for one in objects(row.get("product_items")):
        price = _plain(one, "item_price", "currency")
        what = f"{_plain(one, 'quantity')} × {_plain(one, 'product_retailer_id')}"
        yield _line(f"{what}, {price}" if price else what)


def _reaction(body: JsonValue) -> Iterator[str]:
    yield _words(body, "emoji")


def _template(body: JsonValue) -> Iterator[str]:
    """What was put into a template. Its own text stands in no request."""
    for component in objects(body.get("components") if isinstance(body, dict) else None):
        for one in objects(component.get("parameters")):
            inner = (_words(one.get(key), "fallback_value") for key in ("currency", "date_time"))
            yield _words(one, "text") or next((words for words in inner if words), "")


_READERS: Mapping[str, Callable[[JsonValue], Iterator[str]]] = {
    "text": _text, "button": _button, "interactive": _interactive, "location": _location, "contacts": _contacts,
    "order": _order, "reaction": _reaction, "system": _text, "template": _template, "request_welcome": _text,
}  # fmt: skip


def template_of(message: Row) -> str | None:
    """Name and language of the template that a message is, None where it is none."""
    if type_of(message) != "template":
        return None
    template = part(message, "template")
    language = part(template, "language")
    return " ".join(word for word in (_words(template, "name"), _words(language, "code")) if word) or "template"
