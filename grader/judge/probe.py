"""A few tiny calls that tell what an endpoint is: reachable, the key good, the model there, which modes it takes.

Each request is made once: a probe wants to see what goes wrong, not to get past it. Nothing of a customer is sent.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai

from grader.config import Judge as Endpoint
from grader.judge.wire import CHAT, make_client
from grader.model import JsonValue

MODES = ("json_schema", "tools", "json")  # in the order in which `auto` tries them
FEW_TOKENS = 256  # a reasoning model spends some before it says anything
_ASK = (
    "A customer writes: 'thanks, that worked'. Was the problem solved? Answer in JSON as {\"solved\": true or false}."
)
_SCHEMA = {
    "type": "object",
    "properties": {"solved": {"type": "boolean"}},
    "required": ["solved"],
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
    modes: dict[str, str | None] = field(default_factory=dict)  # mode → None where it works, else what came instead

    @property
    def best_mode(self) -> str | None:
        """The mode that `auto` settles on."""
        return next((mode for mode in MODES if mode in self.modes and self.modes[mode] is None), None)


async def probe(endpoint: Endpoint) -> Probe:
    """Try the endpoint with one plain call and one per mode. Raises JudgeError when there is nothing to try."""
    client = make_client(endpoint)
    found = Probe(url=str(client.base_url))
    try:
        await _list_models(client, found)
        started = time.perf_counter()
        plain = await _send(client, endpoint, {}, found)
        found.latency_ms = (time.perf_counter() - started) * 1000
        if plain is not None:
            found.reports_usage = isinstance(plain.get("usage"), dict)
            for mode in MODES if endpoint.mode == "auto" else (endpoint.mode,):
                found.modes[mode] = await _try_mode(client, endpoint, mode, found.url)
    finally:
        await client.close()
    return found


async def _list_models(client: openai.AsyncOpenAI, found: Probe) -> None:
    """Which models the endpoint lists; many list none, and that alone is no fault."""
    try:
        response = await client.get("/models", cast_to=httpx2.Response)
        _note_clock(response.headers, found)
        listed = json.loads(response.content).get("data")
        found.models = tuple(str(item["id"]) for item in listed) or None
    except (openai.APIError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        found.models = None


def _body(endpoint: Endpoint) -> dict[str, Any]:
    limit = "max_completion_tokens" if endpoint.provider == "azure" or endpoint.base_url is None else "max_tokens"
    wanted = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": _ASK}],
        "temperature": endpoint.temperature,
        "seed": endpoint.seed,
        "reasoning_effort": endpoint.reasoning_effort,
        limit: endpoint.max_output_tokens or FEW_TOKENS,
    }
    return {name: value for name, value in wanted.items() if value is not None} | dict(endpoint.extra_body)


async def _send(
    client: openai.AsyncOpenAI, endpoint: Endpoint, more: Mapping[str, Any], found: Probe
) -> dict[str, Any] | None:
    """The completion as plain JSON, None with `found.problem` where none came."""
    try:
        response = await client.post(CHAT, body=_body(endpoint) | dict(more), cast_to=httpx2.Response)
    except openai.APIStatusError as error:
        found.status, found.problem = error.status_code, _said(error)
        _note_clock(error.response.headers, found)
        return None
    except openai.APIError as error:
        bottom: BaseException = error
        while bottom.__cause__ is not None:
            bottom = bottom.__cause__
        found.problem = " ".join(f"{error}: {bottom}".split())[:300]
        return None
    _note_clock(response.headers, found)
    data: Any = None
    with contextlib.suppress(ValueError, RecursionError):
        data = json.loads(response.content)
    if not isinstance(data, dict) or not isinstance(data.get("choices"), list) or not data["choices"]:
        found.status, found.problem = response.status_code, "the reply is no chat completion"
        return None
    return data


async def _try_mode(client: openai.AsyncOpenAI, endpoint: Endpoint, mode: str, url: str) -> str | None:
    """None where the mode gives an answer in the schema, else what came instead."""
    named = {"name": "answer", "strict": True, "schema": _SCHEMA}
    tool = {"type": "function", "function": {"name": "answer", "parameters": _SCHEMA}}
    wanted: dict[str, dict[str, Any]] = {
        "json_schema": {"response_format": {"type": "json_schema", "json_schema": named}},
        "tools": {"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "answer"}}},
        "json": {"response_format": {"type": "json_object"}},
    }
    seen = Probe(url=url)
    data = await _send(client, endpoint, wanted[mode], seen)
    if data is None:
        return seen.problem
    try:
        message = data["choices"][0]["message"]
        text = message["tool_calls"][0]["function"]["arguments"] if mode == "tools" else message["content"]
        answer: JsonValue = json.loads(text)
    except (KeyError, IndexError, TypeError, AttributeError):
        return "no tool was called" if mode == "tools" else "the reply is empty"
    except (ValueError, RecursionError):
        return "the reply is no JSON"
    if not isinstance(answer, dict) or not isinstance(answer.get("solved"), bool):
        return "the reply is JSON, but not in the schema"
    return None


def _note_clock(headers: Mapping[str, str], found: Probe) -> None:
    try:
        at = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return
    found.skew_seconds = (datetime.now(UTC) - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds()


def _said(error: openai.APIStatusError) -> str:
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message", inner) if isinstance(inner, dict) else inner
    return " ".join(str(body or error.message).split())[:300]
