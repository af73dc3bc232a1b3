"""Chat-completions transcripts: rows with OpenAI messages, wherever they stand → canonical rows.

Understood are {"messages": […]}, a bare list of messages, traj / trajectory / conversation, fine-tuning rows, batch
requests and stored completions (request + response). What the row says besides stays in the attributes. A message
that is odd (a bare string, null, a list in the list, no role) is kept and noted, so that none is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from grader.ingest import canonical
from grader.ingest.fields import FieldType
from grader.ingest.jsontext import parse
from grader.ingest.rows import Ledger, SeenIds, UnfitError, misspelt, named, short_hash, without_file
from grader.model import Conversation, JsonValue, canonical_json, digest

Row = dict[str, JsonValue]

_LISTS = ("messages", "traj", "trajectory", "conversation", "input", "prompt")
_HOLDERS = ("request", "body", "conversation", "data", "inputs")
_OWN_IDS = ("conversation_id", "id", "custom_id")  # the source's own word for this row
_SHARED_IDS = ("session_id", "thread_id", "task_id")  # may stand on several rows
_FIELDS = canonical.SHAPES["conversation"].fields
_HEAD = {key: _FIELDS[key] for key in _FIELDS if key not in ("type", "conversation_id", "messages", "attributes")}
_HEAD["created_at"] = _FIELDS["started_at"]
_LOOSE = {key: canonical.MESSAGE.fields[key] for key in ("name", "tool_call_id", "kind", "is_error", "attributes")}
_LOOSE["error"] = _LOOSE["is_error"]
_ROLES = {"system", "user", "assistant", "tool", "function", "developer"}
_CURE = "write OpenAI's chat messages, or use a mapping (grader schema mapping prints one to start from)"


class Reader:
    """Reads the rows of one file: ids that several rows share are told apart."""

    def __init__(self) -> None:
        self._shared = SeenIds()

    def record(self, value: JsonValue, ledger: Ledger) -> Conversation | None:
        """The conversation that one row holds, None with problems in the ledger."""
        row = {"messages": value} if isinstance(value, list) else value
        if not isinstance(row, dict):
            ledger.problem(None, f"a row must be an object or a list of messages, this is {named(row)}", _CURE)
            return None
        left: Row = dict(row)
        found = _take_messages(left)
        if found is None:
            keys = ", ".join(list(row)[:8]) or "none"
            near = misspelt("messages", row)
            cure = f"did you mean 'messages'? {near[:80]!r} stands there" if near else _CURE
            ledger.problem(None, f"no list of messages in the row (its fields: {keys})", cure)
            return None
        own_id = self._id(value, left, ledger)
        listed = list(messages(found, ledger))
        answer = _take_answer(left)
        if answer is not None and (made := _message(answer, ledger)) not in listed[-1:]:
            listed.append(made)
        head = self._head(left, ledger)
        return canonical.conversation(
            {**head, "conversation_id": own_id or digest("oai", value), "messages": listed}, ledger
        )

    def _id(self, value: JsonValue, left: Row, ledger: Ledger) -> str | None:
        for name in _OWN_IDS:
            if _is_id(left.get(name)):
                return str(left.pop(name))
        for name in _SHARED_IDS:
            if not _is_id(left.get(name)):
                continue
            trial = f"-{left['trial']}" if name == "task_id" and _is_id(left.get("trial")) else ""
            identity = f"{left[name]}{trial}"
            content = canonical_json(value)
            if self._shared.first(identity, short_hash(content)) == short_hash(content):
                return identity
            ledger.note(f"{name} stands on several rows, which are conversations of their own: their ids got a suffix")
            return f"{identity}~{hashlib.blake2b(content.encode(), digest_size=4).hexdigest()}"
        response = left.get("response")
        answered = response.get("id") if isinstance(response, dict) else None
        return str(answered) if _is_id(answered) else None

    @staticmethod
    def _head(left: Row, ledger: Ledger) -> Row:
        """What is left of the row: canonical fields as they are, the rest into the attributes."""
        tools = [holder for holder in (left, *(left.get(name) for name in _HOLDERS)) if isinstance(holder, dict)]
        if left.get("tools_recorded") is None and any(
            isinstance(holder.get(key), list) for holder in tools for key in ("tools", "functions")
        ):
            left["tools_recorded"] = True
        if left.get("started_at") is None and _is_id(left.get("created")):
            left["started_at"] = left.pop("created")
        attributes = left.pop("attributes", None)
        head = {key: value for key, value in left.items() if key in _HEAD and _fits(_HEAD[key], key, value, ledger)}
        rest = {key: value for key, value in left.items() if key not in head}
        if isinstance(attributes, dict):
            rest = canonical.merged(attributes, rest)
        elif attributes is not None:
            rest["attributes"] = attributes
        return {**head, "attributes": rest}


def _fits(kind: FieldType, key: str, value: JsonValue, ledger: Ledger) -> bool:
    """A field of ours that holds what ours may hold; one of another meaning under the same name stays an attribute."""
    if not kind.says(value):
        return value is not None  # a blank is dropped further on
    try:
        kind.read(value, ledger)
    except UnfitError:
        ledger.note(f"the field {key!r} does not hold what Grader's does, it is kept in the attributes")
        return False
    return True


def _is_id(value: JsonValue) -> bool:
    return (isinstance(value, str) and bool(value.strip())) or (
        isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40
    )


def _take_messages(row: Row) -> list[JsonValue] | None:
    """The list of messages, taken out of the row or out of the object in it that holds it."""
    for name in _LISTS:
        listed = _as_list(row.get(name))
        if listed is not None:
            del row[name]
            return listed
    for name in _HOLDERS:
        if isinstance(row.get(name), dict):
            inner = dict(row[name])
            taken = _take_messages(inner)
            if taken is not None:
                row[name] = inner
                if not inner:
                    del row[name]
                return taken
    return None


def _as_list(value: JsonValue) -> list[JsonValue] | None:
    """A list, or a text that is one as JSON (a table's column that was exported), None for anything else."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            value = parse(value, Ledger())
        except UnfitError:
            return None
    return value if isinstance(value, list) else None


def _take_answer(row: Row) -> JsonValue:
    """The message of the first choice, taken out of the row; None where the row has no answer beside its messages."""
    for name in ("choices", "response", "output", "completion"):
        value = row.get(name)
        if isinstance(value, dict):
            inner = dict(value)
            answer = {**inner} if "role" in inner else _take_answer(inner) or _take_answer_in_body(inner)
            if answer is not None:
                row[name] = inner
                if "role" in inner or not inner:
                    del row[name]
                return answer
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            first = dict(value[0])
            answer = first.pop("message", None) if "role" not in first else first
            if isinstance(answer, dict):
                rest = value[1:] if answer is first else [first, *value[1:]]
                row[name] = rest
                if not rest:
                    del row[name]
                return answer
        elif name in ("response", "output", "completion") and isinstance(value, str):
            del row[name]
            return {"role": "assistant", "content": value}
    return None


def _take_answer_in_body(inner: Row) -> JsonValue:
    if not isinstance(inner.get("body"), dict):
        return None
    body = dict(inner["body"])
    answer = _take_answer(body)
    inner["body"] = body
    return answer


def messages(found: list[JsonValue], ledger: Ledger) -> Iterator[JsonValue]:
    """A list of OpenAI's messages (or ours) with canonical names; one that is odd is kept and noted."""
    for item in found:
        if isinstance(item, list):
            ledger.note("a list stood inside a list of messages, its messages were taken in their place")
            yield from messages(item, ledger)
        else:
            yield _message(item, ledger)


def _message(item: JsonValue, ledger: Ledger) -> JsonValue:
    """One message with canonical names. What is no message at all is kept as one of role unknown."""
    if isinstance(item, str):
        ledger.note("a message was a bare string, it is kept with the role unknown")
        return {"role": "unknown", "text": item}
    if not isinstance(item, dict):
        what = "null" if item is None else "a bare value"
        ledger.note(f"a message was {what}, it is kept with the role unknown")
        return {"role": "unknown", "text": "", "attributes": {"source": item}}
    message = dict(item)
    extra: Row = {}
    if not isinstance(message.get("role"), str) or not message["role"].strip():
        ledger.note("a message had no role, it is kept with the role unknown")
        if message.get("role") is not None:
            extra["source_role"] = message["role"]
        message["role"] = "unknown"
    for key, kind in _LOOSE.items():
        if message.get(key) is not None and not _fits(kind, key, message[key], ledger):
            extra[key] = message.pop(key)
    if "text" not in message:
        _take_content(message, extra, ledger)
    calls = [call(one) for one in message["tool_calls"]] if isinstance(message.get("tool_calls"), list) else []
    legacy = message.pop("function_call", None)
    if isinstance(legacy, dict):
        calls.append(call({"function": legacy}))
    elif legacy is not None:
        extra["function_call"] = legacy
    if calls:
        message["tool_calls"] = calls
    if extra:
        given = message.get("attributes")
        message["attributes"] = canonical.merged(given, extra) if isinstance(given, dict) else extra
    return message


def _take_content(message: Row, extra: Row, ledger: Ledger) -> None:
    """`content` (a text, null, or parts) and what may stand in its place become text and kind."""
    content = message.pop("content", None)
    audio = message.get("audio")
    refusal = message.get("refusal")
    if isinstance(content, str):
        message["text"] = content
    elif isinstance(content, list):
        message["text"], kind = _parts(content, extra, ledger)
        if kind is not None and message.get("kind") is None:
            message["kind"] = kind
    elif content is not None:
        extra["content"] = content
        ledger.note("a message's content was neither text nor parts, it is kept in the message's attributes")
    elif isinstance(audio, dict) and isinstance(audio.get("transcript"), str):
        message |= {"text": audio["transcript"], "kind": message.get("kind") or "voice"}
    elif isinstance(refusal, str):
        message["text"] = refusal
    if refusal is None:
        message.pop("refusal", None)
    if audio is not None:
        message["audio"] = _without_inline_file(audio, ledger)


def _parts(parts: list[JsonValue], extra: Row, ledger: Ledger) -> tuple[str, str | None]:
    """(the texts of the parts, a line each; the kind where they are not all text). All parts stay in the attributes."""
    texts: list[str] = []
    kinds: list[str] = []
    plain = True
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        if not isinstance(part, dict):
            plain = False
            continue
        name = part.get("type")
        text = _text_of(part)
        if text is not None:
            texts.append(text)
        plain = plain and part.keys() <= {"type", "text"} and isinstance(part.get("text"), str)
        if isinstance(name, str):
            kinds += [kind for word, kind in (("image", "image"), ("audio", "voice"), ("file", "file")) if word in name]
    if not plain:
        extra["content"] = [_without_inline_file(part, ledger) for part in parts]
    return "\n".join(texts), kinds[0] if kinds else None


def _text_of(part: Mapping[str, JsonValue]) -> str | None:
    """The words of one part: plain, as an object with a value, a refusal, or what was heard in a recording."""
    heard = part.get("input_audio")
    inner = part.get("text")
    candidates = (
        inner, inner.get("value") if isinstance(inner, dict) else None, part.get("refusal"), part.get("transcript"),
        heard.get("transcript") if isinstance(heard, dict) else None,
    )  # fmt: skip
    return next((text for text in candidates if isinstance(text, str)), None)


def _without_inline_file(value: JsonValue, ledger: Ledger) -> JsonValue:
    """The value with embedded files (data URLs, base64) replaced by their length and hash: nobody reads them here."""
    if isinstance(value, dict):
        return {key: _without_inline_file(item, ledger) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_inline_file(item, ledger) for item in value]
    return without_file(value, ledger) if isinstance(value, str) else value


def call(raw: JsonValue) -> JsonValue:
    """A tool call with canonical names; arguments that are JSON are read, others stay the text that they are."""
    if not isinstance(raw, dict):
        return raw
    inner = raw.get("function") or raw.get("custom")
    if not isinstance(inner, dict):
        bare = "args" in raw and "arguments" not in raw
        return {"arguments" if bare and key == "args" else key: value for key, value in raw.items()}
    rest = {key: value for key, value in raw.items() if key not in ("function", "custom", "type")}
    arguments = inner.get("arguments", inner.get("input"))
    if isinstance(arguments, str):
        try:
            read = parse(arguments, Ledger())
        except UnfitError:
            read = arguments
        arguments = read if isinstance(read, (dict, list)) else arguments
    more = {key: value for key, value in inner.items() if key not in ("name", "arguments", "input")}
    return {**rest, **more, "name": inner.get("name"), "arguments": arguments}


def recognises(rows: list[JsonValue]) -> str | None:
    """Why these first rows are chat-completions transcripts, None if nothing says so."""
    for value in rows:
        if not isinstance(value, (dict, list)) or (isinstance(value, dict) and value.get("type") in canonical.TYPES):
            continue
        found = value if isinstance(value, list) else _take_messages(dict(value))
        for message in found or ():
            if isinstance(message, dict) and (why := _sign(message)):
                return why
    return None


def _sign(message: Mapping[str, JsonValue]) -> str | None:
    role = message.get("role")
    if isinstance(role, str) and role in _ROLES and "content" in message and "text" not in message:
        return "messages have OpenAI's role and content"
    calls = message.get("tool_calls")
    if isinstance(calls, list) and any(isinstance(call, dict) and "function" in call for call in calls):
        return "messages have OpenAI's tool_calls"
    return None
