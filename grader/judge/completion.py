"""The body of a 200, read with care: what is no completion is said to be none, whatever an endpoint or a proxy sends.

The records here have the shape that instructor reads of openai's own, and hold only values of the types they say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from openai.types import CompletionUsage

MOST_TOKENS = 2**53  # more is no count
MAX_REPLY = 100_000  # characters; a reply of several rubrics has ten thousand
KEPT = 4_000  # of a reply that is longer


class NoCompletion(Exception):  # noqa: N818 - named for what came
    """A 200 whose body is no chat completion: cut off, an error page, no choices."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply. `cached` is None where the endpoint does not tell."""

    prompt: int
    completion: int
    cached: int | None


class Refused(Exception):  # noqa: N818 - named for what happened
    """The model, or a filter on its way, declined to answer. It is a reply, and was paid."""

    def __init__(self, why: str, tokens: Usage | None, finish_reason: str | None) -> None:
        super().__init__(why)
        self.tokens, self.finish_reason = tokens, finish_reason


@dataclass(frozen=True, slots=True)
class Function:
    """A call's function."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call."""

    id: str
    function: Function

    def as_json(self) -> dict[str, Any]:
        """As it goes back into a re-ask."""
        return {
            "id": self.id, "type": "function",
            "function": {"name": self.function.name, "arguments": self.function.arguments},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """What the model said: text, or a tool call."""

    content: str | None
    tool_calls: tuple[Call, ...] | None = None
    role: str = "assistant"
    refusal: None = None
    function_call: None = None

    def model_dump(self) -> dict[str, Any]:
        """instructor takes the tool calls of a re-ask from here."""
        return {"tool_calls": [call.as_json() for call in self.tool_calls or ()]}


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice; there is never more than one."""

    message: Message
    finish_reason: str | None


# instructor sums up usage of its own, and looks for other vendors' packages on disk when a reply has none. Ours is
# counted by the tally, retries included.
_NOT_COUNTED_HERE = CompletionUsage(prompt_tokens=0, completion_tokens=0, total_tokens=0)


@dataclass(frozen=True, slots=True)
class Completion:
    """A reply."""

    choices: tuple[Choice, ...]
    tokens: Usage | None

    @property
    def usage(self) -> CompletionUsage:
        """For instructor."""
        return _NOT_COUNTED_HERE

    @property
    def message(self) -> Message:
        """What was said."""
        return self.choices[0].message

    @property
    def finish_reason(self) -> str | None:
        """Why it ended, as the endpoint puts it."""
        return self.choices[0].finish_reason

    def saying(self, message: Message) -> Completion:
        """The same reply with its message in another form."""
        return Completion((Choice(message, self.finish_reason),), self.tokens)


def read(raw: bytes) -> Completion:
    """The completion in a body. Raises NoCompletion or Refused."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NoCompletion(f"the body is no JSON ({type(error).__name__})") from error
    choices = data.get("choices") if isinstance(data, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        said = data.get("error") if isinstance(data, dict) else None
        raise NoCompletion(f"the body has no choices{f': {short(said)}' if said else ''}")
    choice = choices[0]
    message = choice.get("message")
    if not isinstance(message, dict):
        raise NoCompletion("the choice has no message")
    reason = choice.get("finish_reason")
    finish_reason = reason[:100] if isinstance(reason, str) else None
    tokens = _usage(data.get("usage"))
    if message.get("refusal"):
        raise Refused(short(message["refusal"]), tokens, finish_reason)
    if finish_reason == "content_filter":
        raise Refused("the endpoint's content filter stopped the reply", tokens, finish_reason)
    return Completion((Choice(Message(_text(message.get("content")), _calls(message)), finish_reason),), tokens)


def _text(content: object) -> str | None:
    """The text of a message; some endpoints send it in parts, thoughts among them."""
    if isinstance(content, list):
        parts = [p["text"] for p in content if isinstance(p, dict) and isinstance(p.get("text"), str)]
        content = "".join(parts) if parts else None
    return _storable(content) if isinstance(content, str) else None


def _calls(message: Mapping[str, Any]) -> tuple[Call, ...] | None:
    found = []
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            continue
        arguments = function.get("arguments")
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        name, made = _storable(str(function.get("name"))), _storable(str(call.get("id") or "call"))
        found.append(Call(made, Function(name, _storable(text))))
    return tuple(found) or None


def _storable(text: str) -> str:
    """Half a surrogate pair has no UTF-8, and would break what comes after."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    details = usage.get("prompt_tokens_details")
    return Usage(prompt, completion, _count(details.get("cached_tokens")) if isinstance(details, dict) else None)


def _count(value: object) -> int | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < MOST_TOKENS:
        return int(value)
    return None


def short(value: object, longest: int = 300) -> str:
    """A value on one line, for a failure's detail."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text[: 10 * longest].split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def readable(message: Message, *, as_call: bool) -> Message:
    """The message with nothing but the JSON object in its text; as a tool call where one was asked for, not made."""
    if message.tool_calls:
        call = message.tool_calls[0]
        return replace(message, tool_calls=(replace(call, function=Function("Reply", _cut(call.function.arguments))),))
    if message.content is None:
        return message
    text = _cut(_bare(message.content))
    if as_call and text.startswith("{"):
        return replace(message, content=None, tool_calls=(Call("call", Function("Reply", text)),))
    return replace(message, content=text)


def _cut(text: str) -> str:
    """A text that is too long to be a reply, so short that it can go into a re-ask, and no JSON any more."""
    return text if len(text) <= MAX_REPLY else text[:KEPT]


def _bare(content: str) -> str:
    """The JSON object in a reply, without the fence or the thoughts that some models put around it."""
    text = content.strip()
    if text.startswith("{"):
        return text
    text = text.rpartition("</think>")[2]
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else content


def mended(text: str) -> str | None:
    """JSON with raw line breaks in its strings or half a surrogate pair, as JSON that every reader takes; None where it
    is no JSON at all.
    """
    try:
        value = json.loads(text, strict=False)
        return _storable(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except (ValueError, RecursionError):
        return None
