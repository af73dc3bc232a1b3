"""A few tiny calls that tell what an endpoint is: reachable, the key good, the model there, which modes it takes.

Each request is made once: a probe wants to see what goes wrong, not to get past it. Nothing of a customer is sent. The
messages stand as the judge's do: system, then three of the user in a row.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai

from grader.config import Judge as Endpoint
from grader.judge.completion import Completion, NoCompletion, Refused, read, readable, short
from grader.judge.wire import CHAT, alternated, causes, make_client, must_alternate, request_parameters, said
from grader.model import JsonValue

MODES = ("json_schema", "tools", "json")  # in the order in which `auto` tries them
FEW_TOKENS = 256  # a reasoning model spends some before it says anything
_MESSAGES = (
    {
        "role": "system",
        "content": "You read support chats. Answer with one JSON object and nothing else, such as "
        '{"quote": "never came", "solved": false}: the words that decide it, then true or false.',
    },
    {"role": "user", "content": "No policy is known for this conversation."},
    {"role": "user", "content": '{"messages": [{"n": 1, "role": "customer", "text": "thanks, that worked"}]}'},
    {"role": "user", "content": "Was the customer's problem solved? Reply with the one JSON object."},
)
_SCHEMA = {
    "type": "object",
    "properties": {"quote": {"type": "string"}, "solved": {"type": "boolean"}},
    "required": ["quote", "solved"],
    "additionalProperties": False,
}


@dataclass
class Probe:
    """What was found. None: not known, because it was not offered or an earlier step failed."""

    url: str
    problem: str | None = None  # why no call could be made
    status: int | None = None  # the HTTP status that went with the problem
    models: tuple[str, ...] | None = None
    latency_ms: float | None = None
    reports_usage: bool | None = None
    skew_seconds: float | None = None  # our clock minus the endpoint's
    alternates: bool = False  # it wants user and assistant in turns, which the judge then does
    modes: dict[str, str | None] = field(default_factory=dict)  # mode → None where it works, else what came instead

    @property
    def best_mode(self) -> str | None:
        """The mode that `auto` settles on."""
        return next((mode for mode in MODES if mode in self.modes and self.modes[mode] is None), None)


async def probe(endpoint: Endpoint) -> Probe:
    """Try the endpoint with one plain call and one per mode (only the mode that is set, where one is).

    Never raises for what the endpoint does: `problem` says why no call could be made, `modes` what each mode brought.
    Raises JudgeError when there is nothing to try (no key, no address).
    """
    client = make_client(endpoint)
    found = Probe(url=str(client.base_url))
    try:
        await _list_models(client, found, min(endpoint.timeout_seconds, endpoint.connect_timeout_seconds))
        started = time.perf_counter()
        plain = await _send(client, endpoint, _MESSAGES, {}, found)
        if plain is None and found.problem and must_alternate(found.problem):
            found.alternates, found.problem, found.status = True, None, None
            started = time.perf_counter()
            plain = await _send(client, endpoint, alternated(_MESSAGES), {}, found)
        if plain is not None:
            found.latency_ms = (time.perf_counter() - started) * 1000
            found.reports_usage = plain.tokens is not None
            for mode in MODES if endpoint.mode == "auto" else (endpoint.mode,):
                found.modes[mode] = await _try_mode(client, endpoint, mode, found)
    finally:
        await client.close()
    return found


async def _list_models(client: openai.AsyncOpenAI, found: Probe, seconds: float) -> None:
    """Which models the endpoint lists; many list none, and that alone is no fault."""
    try:
        async with asyncio.timeout(seconds):
            response = await client.get("/models", cast_to=httpx2.Response)
        _note_clock(response.headers, found)
        listed = json.loads(response.content)["data"]
        found.models = tuple(str(item["id"]) for item in listed) or None
    except (openai.APIError, TimeoutError, ValueError, TypeError, LookupError, RecursionError):
        found.models = None


async def _send(
    client: openai.AsyncOpenAI,
    endpoint: Endpoint,
    messages: Sequence[Mapping[str, Any]],
    more: Mapping[str, Any],
    found: Probe,
) -> Completion | None:
    """The completion, None with `found.problem` where none came."""
    body = request_parameters(endpoint, reply_tokens=FEW_TOKENS) | {"messages": list(messages)} | dict(more)
    try:
        async with asyncio.timeout(endpoint.timeout_seconds):
            response = await client.post(CHAT, body=body | dict(endpoint.extra_body), cast_to=httpx2.Response)
    except openai.APIStatusError as error:
        found.status, found.problem = error.status_code, said(error)
        _note_clock(error.response.headers, found)
        return None
    except (openai.APIError, TimeoutError) as error:
        *_, bottom = causes(error)
        found.problem = short(str(bottom)) if str(bottom) else f"no answer within {endpoint.timeout_seconds:g} s"
        return None
    _note_clock(response.headers, found)
    try:
        return read(response.content)
    except (NoCompletion, Refused) as problem:
        found.status, found.problem = response.status_code, f"the reply is no chat completion: {problem}"
        return None


async def _try_mode(client: openai.AsyncOpenAI, endpoint: Endpoint, mode: str, found: Probe) -> str | None:
    """None where the mode gives an answer in the schema, else what came instead."""
    named = {"name": "Answer", "strict": True, "schema": _SCHEMA}
    tool = {"type": "function", "function": {"name": "Answer", "parameters": _SCHEMA}}
    forms: dict[str, dict[str, Any]] = {
        "json_schema": {"response_format": {"type": "json_schema", "json_schema": named}},
        "tools": {"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "Answer"}}},
        "json": {"response_format": {"type": "json_object"}},
    }
    seen = Probe(url=found.url)
    messages: Sequence[Mapping[str, Any]] = alternated(_MESSAGES) if found.alternates else _MESSAGES
    completion = await _send(client, endpoint, messages, forms[mode], seen)
    if completion is None:
        return seen.problem
    message = readable(completion.message, as_call=mode == "tools")
    text = message.tool_calls[0].function.arguments if message.tool_calls else message.content
    if not text:
        return "the reply is empty"
    if mode == "tools" and not message.tool_calls:
        return "no tool was called"
    try:
        answer: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        cut = " (it was cut off at the token limit)" if completion.finish_reason == "length" else ""
        return f"the reply is no JSON{cut}"
    if not isinstance(answer, dict) or not isinstance(answer.get("solved"), bool):
        return "the reply is JSON, but not in the schema"
    return None


def _note_clock(headers: Mapping[str, str], found: Probe) -> None:
    try:
        at = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return
    found.skew_seconds = (datetime.now(UTC) - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds()
