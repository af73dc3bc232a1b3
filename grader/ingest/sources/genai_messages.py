"""Messages as LLM traces hold them → canonical rows: OpenTelemetry's parts, OpenAI, Anthropic, Gemini, LangChain, the
Vercel AI SDK, OpenInference; as lists, as single objects, or as a text that holds them as JSON.

In these traces the human side is the customer and the model is the AI. A role that is none of the known words stays as
it is, and becomes `unknown` further on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from grader.ingest.jsontext import parse
from grader.ingest.rows import Ledger, UnfitError
from grader.ingest.sources.logged import kept
from grader.model import JsonValue

Row = dict[str, JsonValue]

_ROLES = {
    "user": "customer", "human": "customer", "humanmessage": "customer", "customer": "customer", "end_user": "customer",
    "assistant": "ai", "ai": "ai", "model": "ai", "aimessage": "ai", "aimessagechunk": "ai", "chatbot": "ai",
    "system": "system", "systemmessage": "system", "developer": "system",
    "tool": "tool", "toolmessage": "tool", "function": "tool", "functionmessage": "tool",
}  # fmt: skip
# Parts of Gemini and Bedrock, which name no type.
_UNTYPED = ("functionCall", "function_call", "functionResponse", "function_response", "toolUse", "toolResult")
_CALLS = {
    "tool_call",
    "tool_use",
    "tool-call",
    "function_call",
    "server_tool_call",
    "server_tool_use",
    "functioncall",
    "tooluse",
}
_RESULTS = {
    "tool_call_response", "tool_result", "tool-result", "function_call_output", "server_tool_call_response",
    "web_search_tool_result", "functionresponse", "toolresult",
}  # fmt: skip
_IDS = ("id", "tool_use_id", "toolCallId", "toolUseId", "call_id", "tool_call_id")
_THOUGHTS = {"reasoning", "thinking", "redacted_thinking", "thought"}
_HOLDERS = ("messages", "input_messages", "output_messages", "history", "chat_history", "contents")
_DEEPEST = 6  # lists, texts and holders in each other


def read_json(value: JsonValue) -> JsonValue:
    """A text that holds an object or a list, read; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return parse(value, Ledger())
        except UnfitError:
            return value
    return value


def as_text(value: JsonValue) -> str:
    """What a tool gave back, as a text: a text as it is, the texts of parts a line each, else JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(_plain_text(part) is not None for part in value):
        return "\n".join(_plain_text(part) or "" for part in value)
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def messages_of(value: JsonValue, role: str, ledger: Ledger, depth: int = 0) -> list[Row]:
    """The messages that a value holds, none where it holds none. What names no role has `role`."""
    read = read_json(value)
    if isinstance(value, str) and isinstance(read, list) and not all(isinstance(one, (dict, list)) for one in read):
        read = value  # a list of words is what somebody said
    value = read
    if value is None or value in ("", [], {}) or depth > _DEEPEST:
        return []
    if isinstance(value, str):
        return [{"role": _ROLES.get(role.lower(), role), "text": value}]
    if isinstance(value, list):
        if all(_is_part(item) for item in value):
            return list(_message({"role": role, "content": value}, role, ledger))
        return [row for item in value for row in _of_item(item, role, ledger, depth)]
    return _of_item(value, role, ledger, depth)


def _of_item(item: JsonValue, role: str, ledger: Ledger, depth: int) -> list[Row]:
    if not isinstance(item, dict):
        return messages_of(item, role, ledger, depth + 1)
    item = _unwrapped(item)
    if _is_message(item):
        return list(_message(item, role, ledger))
    for holder in _HOLDERS:
        if isinstance(read_json(item.get(holder)), list):
            return messages_of(item[holder], role, ledger, depth + 1)
    choices = item.get("choices") or item.get("generations") or item.get("candidates")
    if isinstance(choices, list) and choices:
        first = choices[0]
        while isinstance(first, list) and first:
            first = first[0]
        if len(choices) > 1:
            ledger.note("a model gave several answers to one call, the first is taken for what was said")
        if isinstance(first, dict):
            inner = first.get("message") or first.get("content")
            return messages_of(inner if inner is not None else first.get("text"), role, ledger, depth + 1)
    if isinstance(item.get("output"), list):  # OpenAI's Responses
        return messages_of(item["output"], role, ledger, depth + 1)
    inner = item.get("content")  # Google's agent kit
    return messages_of(inner, role, ledger, depth + 1) if isinstance(inner, dict) and "role" in inner else []


def _unwrapped(item: Mapping[str, JsonValue]) -> Row:
    """The message inside what LangChain and OpenInference put around it."""
    for _ in range(_DEEPEST):
        inner = item.get("message") if len(item) <= 2 and "role" not in item else None
        if inner is None and isinstance(item.get("kwargs"), dict) and isinstance(item.get("id"), list):
            inner = {"type": str(item["id"][-1] if item["id"] else ""), **item["kwargs"]}
        if inner is None and item.get("type") == "message" and isinstance(item.get("data"), dict):
            inner = item["data"]
        if not isinstance(inner, dict):
            break
        item = inner
    return {key.removeprefix("message."): value for key, value in item.items()}


def _is_message(item: Mapping[str, JsonValue]) -> bool:
    if isinstance(item.get("role"), str):
        return True
    kind = str(item.get("type", "")).lower()
    return kind in _ROLES and any(key in item for key in ("content", "text", "parts", "tool_calls", "data"))


def _is_part(item: JsonValue) -> bool:
    """A part of a message, in a list that stands for the message."""
    if not isinstance(item, dict) or "role" in item:
        return False
    kind = str(item.get("type", "")).lower()
    known = kind in ("text", "input_text", "output_text", "refusal", "blob", "uri", "file") or kind in _THOUGHTS
    untyped = {*item} <= {"text", *_UNTYPED}
    return "tool.name" in item or known or kind in _CALLS or kind in _RESULTS or (bool(item) and untyped)


@dataclass
class _Parts:
    """What the parts of one message say."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[JsonValue] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)
    others: list[JsonValue] = field(default_factory=list)
    kind: str | None = None


def _message(item: Mapping[str, JsonValue], default: str, ledger: Ledger) -> Iterator[Row]:
    """One message; each result of a tool in it is one of its own."""
    word = str(item.get("role") or item.get("type") or default)
    role = _ROLES.get(word.lower(), word)
    if word.lower() == "human":
        ledger.note("the role 'human' is taken as LangChain means it: the customer")
    found = _Parts()
    for key in ("parts", "content", "contents", "text"):
        if item.get(key) is not None:
            _read_parts(item[key], found)
            break
    _read_calls(item, found)
    name, answered = item.get("name"), item.get("tool_call_id")
    if role == "tool" and not found.results:
        row: Row = {"role": "tool", "text": "\n".join(found.texts)}
        found.results.append(row | {"tool_call_id": short(answered), "name": short(name)})
        found.texts = []
    attributes: Row = {}
    if found.thoughts:
        attributes["reasoning"] = kept("\n".join(found.thoughts), ledger)
    if found.others:
        attributes["content"] = kept(found.others, ledger)
    if isinstance(name, str) and role != "tool":
        attributes["name"] = name
    if isinstance(item.get("finish_reason"), str):
        attributes["finish_reason"] = item["finish_reason"]
    if found.texts or found.calls or found.kind or not found.results:
        made: Row = {"role": "ai" if role == "tool" and found.calls else role, "text": "\n".join(found.texts)}
        if found.calls:
            made["tool_calls"] = found.calls
        if found.kind:
            made["kind"] = found.kind
        yield made | ({"attributes": attributes} if attributes else {})
    yield from found.results


def _read_parts(value: JsonValue, into: _Parts) -> None:
    read = read_json(value) if isinstance(value, str) and value.lstrip().startswith('[{"type"') else value
    if isinstance(read, str):
        into.texts.append(read)
        return
    for part in read if isinstance(read, list) else [read]:
        if isinstance(part, str):
            into.texts.append(part)
        elif isinstance(part, dict):
            inner = part.get("message_content")
            _read_part(inner if isinstance(inner, dict) else _short_keys(part), into)
        elif part is not None:
            into.others.append(part)


def _short_keys(part: Mapping[str, JsonValue]) -> Row:
    return {key.removeprefix("message_content."): value for key, value in part.items()}


def _read_part(part: Row, into: _Parts) -> None:
    kind = str(part.get("type", "")).lower()
    for key in (
        "functionCall",
        "function_call",
        "functionResponse",
        "function_response",
    ):  # Gemini's parts name no type
        if not kind and isinstance(part.get(key), dict):
            kind, part = key.replace("_", "").lower(), part[key]
    text = _plain_text(part)
    if "tool.name" in part or kind in _CALLS:
        into.calls.append(_call(part))
    elif kind in _RESULTS:
        into.results.append(_result(part))
    elif kind in _THOUGHTS or part.get("thought") is True:
        thought = text if text is not None else part.get("thinking") or part.get("reasoning")
        into.thoughts.append(thought if isinstance(thought, str) else "")
    elif text is not None and kind in ("", "text", "input_text", "output_text", "refusal"):
        into.texts.append(text)
    else:
        into.others.append(part)
        words = f"{kind} {part.get('modality', '')} {part.get('mime_type', '')} {part.get('mediaType', '')}"
        words += f" {part.get('media_type', '')}"
        into.kind = into.kind or next(
            (ours for theirs, ours in (("image", "image"), ("audio", "voice"), ("voice", "voice")) if theirs in words),
            "file" if kind in ("file", "blob", "uri", "document", "input_file", "video") else None,
        )


def _plain_text(part: JsonValue) -> str | None:
    if not isinstance(part, dict):
        return part if isinstance(part, str) else None
    for key in ("text", "content", "refusal", "thinking"):
        if isinstance(part.get(key), str):
            return str(part[key])
    return None


def _call(part: Mapping[str, JsonValue]) -> Row:
    function = part.get("function")
    holder = {**part, **function} if isinstance(function, dict) else part
    inner = holder.get("server_tool_call")
    arguments = next(
        (
            holder[key]
            for key in ("arguments", "input", "args", "tool.args", "parameters")
            if holder.get(key) is not None
        ),
        inner,
    )
    name = next((holder[key] for key in ("name", "toolName", "tool.name", "tool_name") if holder.get(key)), None)
    identity = next((holder[key] for key in _IDS if holder.get(key)), None)
    return call(name, arguments, identity)


def call(name: JsonValue, arguments: JsonValue, identity: JsonValue) -> Row:
    """A tool call; arguments that are JSON are read, others stay the text that they are."""
    shown = name if isinstance(name, str) and name.strip() else "tool"
    made: Row = {"name": shown[:1000], "arguments": read_json(arguments)}
    if short(identity):
        made["id"] = short(identity)
    return made


def short(value: JsonValue) -> str | None:
    """A name or an id as a text, None where it is neither."""
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text[:1000] or None


def _result(part: Mapping[str, JsonValue]) -> Row:
    keys = ("response", "result", "content", "output", "server_tool_call_response")
    value = next((part[key] for key in keys if part.get(key) is not None), None)
    identity = next((part[key] for key in _IDS if part.get(key)), None)
    row: Row = {"role": "tool", "text": as_text(value), "tool_call_id": short(identity)}
    row["name"] = short(part.get("name") or part.get("toolName"))
    if part.get("is_error") is True:
        row["is_error"] = True
    return row


def _read_calls(item: Mapping[str, JsonValue], into: _Parts) -> None:
    """The calls that stand beside the content."""
    besides = item.get("additional_kwargs")
    listed = item.get("tool_calls") or (besides.get("tool_calls") if isinstance(besides, dict) else None)
    if into.calls and listed:
        return  # LangChain writes them twice
    for one in listed if isinstance(listed, list) else []:
        inner = one.get("tool_call", one) if isinstance(one, dict) else None
        if isinstance(inner, dict):
            into.calls.append(_call(_nested(inner)))
    legacy = item.get("function_call")
    if isinstance(legacy, dict) and legacy.get("name"):
        into.calls.append(_call(legacy))
    elif item.get("function_call_name"):
        into.calls.append(call(item["function_call_name"], item.get("function_call_arguments_json"), None))


def _nested(one: Mapping[str, JsonValue]) -> Row:
    """OpenInference's dotted keys, with or without their first words."""
    plain = {key.removeprefix("tool_call."): value for key, value in one.items()}
    dotted = {key.removeprefix("function."): plain[key] for key in plain if key.startswith("function.")}
    return {**plain, **dotted}
