"""One request to an OpenAI-compatible endpoint, with the transport retries that belong to it, and nothing else.

tenacity lives here: 429 (Retry-After honoured), 5xx, time-outs, resets, and 200s whose body is no completion are tried
again; 400, 401, 403, 404 and an exhausted quota never. Schema re-asks belong to instructor, evidence to `llm`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import httpx2
import openai
import tenacity
from openai.types.chat import ChatCompletion

from grader.config import Judge as Endpoint
from grader.errors import JudgeError
from grader.judge.pace import Pace
from grader.model import Failure

CHAT = "/chat/completions"
LONGEST_UNASKED_SECONDS = 30.0  # of our own back-off; a Retry-After may ask for more, up to max_backoff_seconds


@dataclass
class Tally:
    """What one call has taken so far: every attempt's tokens count, paid is paid."""

    attempts: int = 0
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    waited_ms: float = 0.0
    latency_ms: float | None = None
    request_id: str | None = None
    finish_reason: str | None = None
    usages: list[tuple[int, int, int]] = field(default_factory=list)

    def add_usage(self, usage: Mapping[str, Any]) -> None:
        """Add the usage block of one reply; an endpoint that sends none leaves the counts None."""
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if not isinstance(prompt, int) or not isinstance(completion, int):
            return
        details = usage.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, dict) else None
        self.usages.append((prompt, cached if isinstance(cached, int) else 0, completion))
        self.prompt_tokens = (self.prompt_tokens or 0) + prompt
        self.completion_tokens = (self.completion_tokens or 0) + completion
        if isinstance(cached, int):
            self.cached_tokens = (self.cached_tokens or 0) + cached


# instructor calls our create function with the arguments of the request alone, so the tally of the call that is being
# made travels beside them.
TALLY: ContextVar[Tally] = ContextVar("grader_call_tally")


class NoCompletion(Exception):  # noqa: N818 - named for what came
    """A 200 whose body is no chat completion: cut off, an error page, no choices."""


class Refused(Exception):  # noqa: N818 - named for what happened
    """The model, or a filter before it, declined to answer."""


class UnsupportedMode(Exception):  # noqa: N818 - named for what happened
    """The endpoint does not take this way of asking for structured output."""


class Wire:
    """Sends one request body at a time through a shared client and a shared pace."""

    def __init__(self, endpoint: Endpoint, pace: Pace) -> None:
        self._endpoint = endpoint
        self._pace = pace
        self.client = make_client(endpoint)
        self.clock_skew_seconds: float | None = None

    async def post(self, body: Mapping[str, Any]) -> ChatCompletion:
        """The completion for this body.

        Raises openai's errors once retries are used up, NoCompletion, Refused, UnsupportedMode, or JudgeError when no
        request to this endpoint can succeed.
        """
        tally = TALLY.get()
        attempts = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._endpoint.max_attempts),
            retry=tenacity.retry_if_exception(_passes),
            wait=self._wait,
            sleep=_Sleep(tally),
            reraise=True,
        )
        async for attempt in attempts:
            with attempt:
                return await self._once(body, tally)
        raise AssertionError("tenacity ends by returning or raising")  # pragma: no cover

    async def _once(self, body: Mapping[str, Any], tally: Tally) -> ChatCompletion:
        async with self._pace.slot():
            tally.attempts += 1
            started = time.perf_counter()
            try:
                response = await self.client.post(CHAT, body=body, cast_to=httpx2.Response)
            except openai.APIStatusError as error:
                self._judge_status(error)
                raise
            tally.latency_ms = (time.perf_counter() - started) * 1000
        self._pace.succeeded()
        tally.request_id = response.headers.get("x-request-id") or tally.request_id
        return _completion(response.content, tally)

    def _judge_status(self, error: openai.APIStatusError) -> None:
        """What a status means for the other requests: a pause, the end, or another way to ask."""
        if isinstance(error, openai.RateLimitError):
            if error.code == "insufficient_quota":
                raise JudgeError(
                    f"the endpoint says that the quota is used up: {_said(error)}", cure="add credit, then run again"
                ) from error
            self._pace.hold(min(_retry_after(error) or 0.0, self._endpoint.max_backoff_seconds))
        if isinstance(error, (openai.AuthenticationError, openai.PermissionDeniedError)):
            raise JudgeError(
                f"the endpoint refuses the key (HTTP {error.status_code}): {_said(error)}",
                cure="set OPENAI_API_KEY (or the variable that [judge] api_key_env names); `grader doctor` tells more",
            ) from error
        if isinstance(error, openai.NotFoundError):
            raise JudgeError(
                f"the endpoint does not know the model {self._endpoint.model!r} or the path (HTTP 404): {_said(error)}",
                cure="check [judge] model and base_url (most base URLs end in /v1); `grader doctor` tells more",
            ) from error
        if error.status_code in (400, 422) and _about_mode(_said(error)):
            raise UnsupportedMode(_said(error)) from error

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Retry-After when the endpoint gave one, else exponential with full jitter from half a second."""
        error = state.outcome.exception() if state.outcome else None
        asked = _retry_after(error) if isinstance(error, openai.APIStatusError) else None
        longest = self._endpoint.max_backoff_seconds
        if asked is not None:
            return min(asked, longest) + random.uniform(0, 0.1)  # noqa: S311 - jitter
        doubled: float = min(LONGEST_UNASKED_SECONDS, 0.5 * 2 ** (state.attempt_number - 1))
        return random.uniform(0.5, 1.0) * min(longest, doubled)  # noqa: S311 - jitter

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


class _Sleep:
    """tenacity's pause, counted."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    async def __call__(self, seconds: float) -> None:
        self._tally.waited_ms += seconds * 1000
        await asyncio.sleep(seconds)


def make_client(endpoint: Endpoint) -> openai.AsyncOpenAI:
    """The client for this endpoint: aiohttp underneath, no retries of its own."""
    # Both would log prompts and replies, which are customers' words; what happened is told through our own records.
    for name in ("instructor", "openai"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    timeout = httpx2.Timeout(endpoint.timeout_seconds, connect=endpoint.connect_timeout_seconds)
    headers = {name: value.reveal() for name, value in endpoint.headers.items()}
    key = endpoint.api_key.reveal() if endpoint.api_key else None
    http_client = openai.DefaultAioHttpClient(timeout=timeout)
    if endpoint.provider == "azure":
        if not endpoint.azure_endpoint or not key:
            raise JudgeError(
                "Azure needs an endpoint and a key",
                cure="set [judge] azure_endpoint and api_version, and AZURE_OPENAI_API_KEY in the environment",
            )
        return openai.AsyncAzureOpenAI(
            azure_endpoint=endpoint.azure_endpoint, api_version=endpoint.api_version or "2024-10-21", api_key=key,
            azure_deployment=endpoint.model, max_retries=0, timeout=timeout, http_client=http_client,
            default_headers=headers,
        )  # fmt: skip
    if key is None and endpoint.base_url is None:
        raise JudgeError(
            "no key and no endpoint",
            cure="set OPENAI_API_KEY, or [judge] base_url for a local endpoint; `--judge signals` needs neither",
        )
    return openai.AsyncOpenAI(
        api_key=key or "none", base_url=endpoint.base_url or "https://api.openai.com/v1", max_retries=0,
        timeout=timeout, http_client=http_client, default_headers=headers,
    )  # fmt: skip


def _completion(raw: bytes, tally: Tally) -> ChatCompletion:
    try:
        data = json.loads(raw)
    except ValueError as error:
        raise NoCompletion(f"the body is no JSON: {error}") from error
    choices = data.get("choices") if isinstance(data, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        said = data.get("error") if isinstance(data, dict) else None
        raise NoCompletion(f"the body has no choices{f': {_short(said)}' if said else ''}")
    if isinstance(usage := data.get("usage"), dict):
        tally.add_usage(usage)
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise NoCompletion("the choice has no message")
    tally.finish_reason = choices[0].get("finish_reason")
    if message.get("refusal"):
        raise Refused(_short(message["refusal"]))
    if tally.finish_reason == "content_filter":
        raise Refused("the endpoint's content filter stopped the reply")
    return ChatCompletion.construct(None, **data)


def _passes(error: BaseException) -> bool:
    """Whether trying again may help."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code in (408, 409, 429) or error.status_code >= 500
    return isinstance(error, (openai.APIConnectionError, NoCompletion))


def _retry_after(error: BaseException) -> float | None:
    """Seconds that the endpoint asks to wait: `retry-after-ms`, or Retry-After as seconds or as an HTTP date."""
    if not isinstance(error, openai.APIStatusError):
        return None
    headers = error.response.headers
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after")
        if value is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return float(value)
        at = parsedate_to_datetime(value)
        return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None


_MODE_WORDS = ("response_format", "json_schema", "json_object", "structured output", "tool_choice", "tools", "strict")


def _about_mode(text: str) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in _MODE_WORDS)


def _short(value: object, longest: int = 300) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _said(error: openai.APIStatusError) -> str:
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message", inner) if isinstance(inner, dict) else inner
    return _short(body if body else error.message)


def as_failure(error: BaseException) -> Failure | None:
    """The failure that this error is, None when it is none that a call can end in."""
    if isinstance(error, openai.APIStatusError):
        return _status_failure(error)
    if isinstance(error, openai.APIConnectionError):
        # aiohttp's disconnects arrive as time-outs to connect; the cause at the bottom tells them apart.
        bottom: BaseException = error
        while bottom.__cause__ is not None:
            bottom = bottom.__cause__
        timed_out = isinstance(error, openai.APITimeoutError) and (
            isinstance(bottom, TimeoutError) or not isinstance(bottom, aiohttp.ClientError)
        )
        detail = _short(str(bottom) or type(bottom).__name__)
        return Failure(cause="timeout" if timed_out else "connection", detail=detail, retryable=True)
    if isinstance(error, NoCompletion):
        return Failure(cause="bad_body", detail=str(error), retryable=True, http_status=200)
    if isinstance(error, Refused):
        return Failure(cause="refused", detail=str(error), retryable=False)
    if isinstance(error, UnsupportedMode):
        return Failure(cause="unsupported_mode", detail=str(error), retryable=False, http_status=400)
    return None


def _status_failure(error: openai.APIStatusError) -> Failure:
    status, said = error.status_code, _said(error)
    lowered = said.lower()
    if status == 429:
        cause, retryable = "rate_limited", True
    elif status in (408, 409) or status >= 500:
        cause, retryable = "server_error", True
    elif (
        status == 413 or error.code == "context_length_exceeded" or "context length" in lowered or "too long" in lowered
    ):
        cause, retryable = "too_long", False
    elif error.code == "content_filter" or "content management policy" in lowered:
        cause, retryable = "refused", False
    else:
        cause, retryable = "bad_request", False
    return Failure(cause=cause, detail=said, retryable=retryable, http_status=status)
