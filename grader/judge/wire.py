"""One request to an OpenAI-compatible endpoint, with the transport retries that belong to it, and nothing else.

tenacity lives here: 429 (Retry-After honoured), 5xx, time-outs, resets, and 200s whose body is no completion are tried
again; 400, 401, 403, 404 and an exhausted quota never. Schema re-asks belong to instructor, evidence to `llm`.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import logging
import math
import random
import re
import ssl
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import httpx2
import openai
import tenacity

from grader.config import Judge as Endpoint
from grader.errors import JudgeError
from grader.judge.completion import Completion, NoCompletion, Refused, Usage, read, short
from grader.judge.pace import Pace
from grader.model import Failure

CHAT = "/chat/completions"
OPENAI_URL = "https://api.openai.com/v1"
LONGEST_UNASKED_SECONDS = 30.0  # of our own back-off; a Retry-After may ask for more, up to max_backoff_seconds
UNREACHABLE_AFTER = 4  # attempts of one call, when no call of this run was ever answered
MOST_CONNECTIONS = 10_000  # the pace is what bounds them


@dataclass
class Tally:
    """What one call has taken so far: every attempt's tokens count, paid is paid."""

    mode: str = ""
    asks: int = 0  # the first, and each re-ask
    attempts: int = 0  # HTTP requests
    usages: list[Usage | None] = field(default_factory=list)
    waited_ms: float = 0.0
    latency_ms: float | None = None
    request_id: str | None = None
    finish_reason: str | None = None

    @property
    def known(self) -> list[Usage]:
        """The usage of each reply that told it."""
        return [usage for usage in self.usages if usage is not None]


# instructor calls our create function with the arguments of the request alone, so the tally of the call that is being
# made travels beside them.
TALLY: ContextVar[Tally] = ContextVar("grader_call_tally")


class UnsupportedMode(Exception):  # noqa: N818 - named for what happened
    """The endpoint does not take this way of asking for structured output."""


class MustAlternate(Exception):  # noqa: N818 - named for what is asked
    """The model's chat template takes user and assistant in turns only."""


class UnsupportedBound(Exception):  # noqa: N818 - named for what happened
    """The endpoint does not take `maxItems` in a schema."""


class Wire:
    """Sends one request body at a time through a shared client and a shared pace."""

    def __init__(self, endpoint: Endpoint, pace: Pace) -> None:
        self._endpoint = endpoint
        self._pace = pace
        self._answered = False  # by any status: somebody is there
        self._served = False  # with a completion: key, model and path are good
        self.client = make_client(endpoint)

    async def post(self, body: Mapping[str, Any]) -> Completion:
        """The completion for this body.

        Raises openai's errors or TimeoutError once retries are used up, NoCompletion, Refused, UnsupportedMode,
        MustAlternate, UnsupportedBound, or JudgeError when no request to this endpoint can succeed.
        """
        tally = TALLY.get()
        attempts = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._endpoint.max_attempts),
            retry=tenacity.retry_if_exception(_passes),
            wait=self._wait,
            sleep=_Sleep(tally),
            before_sleep=self._give_up_on_nobody,
            reraise=True,
        )
        async for attempt in attempts:
            with attempt:
                return await self._once(body, tally)
        raise AssertionError("tenacity ends by returning or raising")  # pragma: no cover

    async def _once(self, body: Mapping[str, Any], tally: Tally) -> Completion:
        async with self._pace.slot():
            tally.attempts += 1
            started = time.perf_counter()
            try:
                # httpx's time-outs are between bytes; some proxies send blanks to keep a dead connection alive.
                async with asyncio.timeout(self._endpoint.timeout_seconds):
                    response = await self.client.post(CHAT, body=body, cast_to=httpx2.Response)
            except openai.APIStatusError as error:
                self._answered = True
                self._judge_status(error)
                raise
            tally.latency_ms = (time.perf_counter() - started) * 1000
        self._answered = True
        self._pace.succeeded()
        tally.request_id = response.headers.get("x-request-id", "")[:200] or tally.request_id
        try:
            completion = read(response.content)
        except Refused as refusal:
            self._served = True
            tally.usages.append(refusal.tokens)
            tally.finish_reason = refusal.finish_reason
            raise
        self._served = True
        tally.usages.append(completion.tokens)
        tally.finish_reason = completion.finish_reason
        return completion

    def _judge_status(self, error: openai.APIStatusError) -> None:
        """What a status means for the other requests: a pause, the end, or another way to ask."""
        status, words = error.status_code, said(error)
        if status == 402 or {error.code, error.type} & _NO_MONEY:
            raise JudgeError(
                f"the endpoint says that the quota is used up: {words}", cure="add credit, then run again"
            ) from error
        if status == 429 or (status >= 500 and _retry_after(error)):
            self._pace.hold(min(_retry_after(error) or 0.0, self._endpoint.max_backoff_seconds))
        # A moderating proxy answers 403 to single conversations; a key that has worked is a good key.
        if status == 401 or (status == 403 and not self._served):
            raise JudgeError(
                f"the endpoint refuses the key (HTTP {status}): {words}",
                cure="set OPENAI_API_KEY (or the variable that [judge] api_key_env names); `grader doctor` tells more",
            ) from error
        if must_alternate(words):
            raise MustAlternate(words) from error
        if status in (400, 422) and _BOUND.search(words):
            raise UnsupportedBound(words) from error
        if status in (400, 404, 422) and not _too_long(error, words) and _MODE_WORDS.search(words):
            raise UnsupportedMode(words) from error
        if status == 404:
            raise JudgeError(
                f"the endpoint does not know the model {self._endpoint.model!r} or the path (HTTP 404): {words}",
                cure="check [judge] model and base_url (most base URLs end in /v1); `grader doctor` tells more",
            ) from error
        if status in (400, 422) and error.code in _NO_SUCH_PARAMETER:
            raise JudgeError(
                f"the endpoint does not take a parameter of the request: {words}",
                cure='temperature = "none" sends none; [judge] seed, max_output_tokens, reasoning_effort, extra_body',
            ) from error

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Retry-After when the endpoint gave one, else exponential with jitter from half a second."""
        error = state.outcome.exception() if state.outcome else None
        asked = _retry_after(error) if isinstance(error, openai.APIStatusError) else None
        longest = self._endpoint.max_backoff_seconds
        if asked is not None:
            return min(asked, longest) + random.uniform(0, 0.1)  # noqa: S311 - jitter
        doubled: float = min(LONGEST_UNASKED_SECONDS, 0.5 * 2 ** min(state.attempt_number - 1, 16))
        return random.uniform(0.5, 1.0) * min(longest, doubled)  # noqa: S311 - jitter

    def _give_up_on_nobody(self, state: tenacity.RetryCallState) -> None:
        """Where nobody was ever there, a run ends with the reason instead of waiting out every call's retries."""
        error = state.outcome.exception() if state.outcome else None
        if error is None or self._answered or state.attempt_number < UNREACHABLE_AFTER:
            return
        refused = next((e for e in causes(error) if isinstance(e, aiohttp.ClientConnectorError)), None)
        if refused is not None:
            raise JudgeError(
                f"nobody answers at {self.client.base_url}: {short(str(refused))}",
                cure="start the server, or check [judge] base_url; `grader doctor` tells more",
            ) from error

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
    """The client for this endpoint: aiohttp underneath, no retries of its own. Raises JudgeError for a key that cannot
    be used.
    """
    # Both would log prompts and replies, which are customers' words; what happened is told through our own records.
    for name in ("instructor", "openai"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # aiohttp thinks that a body of more than a megabyte may hold up the loop; a long transcript takes milliseconds.
    warnings.filterwarnings("ignore", "Sending a large body", ResourceWarning)
    timeout = httpx2.Timeout(endpoint.timeout_seconds, connect=endpoint.connect_timeout_seconds)
    address, basic = _without_user(endpoint.base_url)
    headers = {**basic, **{name: value.reveal() for name, value in endpoint.headers.items()}}
    key = endpoint.api_key.reveal() if endpoint.api_key else None
    for what, text in (("the key", key or ""), *((f"the header {name}", text) for name, text in headers.items())):
        if not (text.isascii() and text.isprintable()):
            raise JudgeError(
                f"{what} holds characters that cannot be sent", cure="copy it again: one line, without curly quotes"
            )
    limits = httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=None)
    http_client = openai.DefaultAioHttpClient(timeout=timeout, limits=limits, verify=_certificates(_address(endpoint)))
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
        api_key=key or "none", base_url=address or OPENAI_URL, max_retries=0, timeout=timeout,
        http_client=http_client, default_headers=headers,
    )  # fmt: skip


def _without_user(url: str | None) -> tuple[str | None, dict[str, str]]:
    """An address without the `user:password@` in it, and the header that says the same: aiohttp takes only one."""
    parts = urlsplit(url or "")
    if "@" not in parts.netloc:
        return url, {}
    said = base64.b64encode(unquote(parts.netloc.rpartition("@")[0]).encode()).decode()
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), {"Authorization": f"Basic {said}"}


def _address(endpoint: Endpoint) -> str:
    return (endpoint.azure_endpoint if endpoint.provider == "azure" else endpoint.base_url) or OPENAI_URL


@functools.lru_cache(maxsize=2)
def _certificates(address: str) -> ssl.SSLContext:
    """Those that the machine trusts; none where no TLS is spoken, since reading them takes a while."""
    if urlsplit(address).scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, should it be led to https
    return httpx2.create_ssl_context()


def request_parameters(endpoint: Endpoint, *, reply_tokens: int | None = None) -> dict[str, Any]:
    """The part of a request that the settings decide, without `extra_body`. `reply_tokens` bounds the reply where the
    settings do not.
    """
    # OpenAI's newer models know only the first name, most other servers only the second.
    name = "max_completion_tokens" if is_openais(endpoint) else "max_tokens"
    wanted = {
        "model": endpoint.model, "temperature": endpoint.temperature, "seed": endpoint.seed,
        "reasoning_effort": endpoint.reasoning_effort,
        name: endpoint.max_output_tokens or reply_tokens,
    }  # fmt: skip
    return {name: value for name, value in wanted.items() if value is not None}


def is_openais(endpoint: Endpoint) -> bool:
    """Whether OpenAI itself answers, or Azure for it."""
    host = urlsplit(_address(endpoint)).hostname or ""
    return endpoint.provider == "azure" or host.endswith("openai.com")


def alternated(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages with a word of the assistant between two of the user: each keeps its place, none are joined."""
    found: list[Mapping[str, Any]] = []
    for message in messages:
        if found and found[-1]["role"] == message["role"] == "user":
            found.append({"role": "assistant", "content": "Noted."})
        found.append(message)
    return found


def _passes(error: BaseException) -> bool:
    """Whether trying again may help."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code in (408, 409, 429) or error.status_code >= 500
    return isinstance(error, (openai.APIConnectionError, TimeoutError, NoCompletion))


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds that the endpoint asks to wait: `retry-after-ms`, or Retry-After as seconds or as an HTTP date."""
    headers = error.response.headers
    try:
        if "retry-after-ms" in headers:
            return _seconds(float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after")
        if value is None:
            return None
        if _NUMBER.fullmatch(value.strip()):
            return _seconds(float(value))
        # Against the endpoint's own clock, where it shows it: ours may be off.
        now = _moment(headers["date"]) if "date" in headers else datetime.now(UTC)
        return _seconds((_moment(value) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


_NUMBER = re.compile(r"\d{1,12}(\.\d*)?", re.ASCII)


def _seconds(value: float) -> float | None:
    return None if math.isnan(value) else max(0.0, value)


def _moment(value: str) -> datetime:
    at = parsedate_to_datetime(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


_NO_MONEY = {"insufficient_quota", "insufficient_balance", "billing_hard_limit_reached", "billing_not_active"}
_NO_SUCH_PARAMETER = {"unsupported_value", "unsupported_parameter", "unknown_parameter"}
_MODE_WORDS = re.compile(
    r"\b(response_format|json_schema|json_object|structured[ _-]outputs?|json mode|tool_choice|tools?|tool use|"
    r"function[ _-]call(s|ing)?|guided[ _-]\w+|requested parameters)\b",
    re.I,
)
_BOUND = re.compile(r"max_?items", re.I)
_ALTERNATE = re.compile(r"roles? must alternate|alternate between user|consecutive \w* ?(messages|roles)", re.I)
_TOO_LONG = re.compile(
    r"context[ _-](length|window|size)|too (long|many tokens|large)|maximum number of tokens|exceeds? .{0,40}context",
    re.I,
)


def _too_long(error: openai.APIStatusError, words: str) -> bool:
    return error.status_code == 413 or error.code == "context_length_exceeded" or bool(_TOO_LONG.search(words))


def must_alternate(words: str) -> bool:
    """Whether an endpoint's complaint is about two messages of the user in a row."""
    return bool(_ALTERNATE.search(words))


def said(error: openai.APIStatusError) -> str:
    """What the endpoint said, on one line."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message", inner) if isinstance(inner, dict) else inner
    return short(body if body else error.message)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what each was raised from."""
    while error is not None:
        yield error
        error = error.__cause__


def as_failure(error: BaseException) -> Failure | None:
    """The failure that this error is, None when it is none that a call can end in."""
    if isinstance(error, openai.APIStatusError):
        return _status_failure(error)
    if isinstance(error, TimeoutError):
        return Failure(cause="timeout", detail="no whole answer within timeout_seconds", retryable=True)
    if isinstance(error, openai.APIConnectionError):
        *_, bottom = causes(error)
        # aiohttp's disconnects arrive as time-outs to connect; the cause at the bottom tells them apart.
        timed_out = isinstance(error, openai.APITimeoutError) and (
            isinstance(bottom, TimeoutError) or not isinstance(bottom, (aiohttp.ClientError, OSError))
        )
        detail = short(str(bottom) or type(bottom).__name__)
        return Failure(cause="timeout" if timed_out else "connection", detail=detail, retryable=True)
    if isinstance(error, NoCompletion):
        return Failure(cause="bad_body", detail=str(error), retryable=True, http_status=200)
    if isinstance(error, Refused):
        return Failure(cause="refused", detail=str(error), retryable=False, http_status=200)
    if isinstance(error, (MustAlternate, UnsupportedBound)):
        return Failure(cause="bad_request", detail=str(error), retryable=False, http_status=400)
    if isinstance(error, UnsupportedMode):
        return Failure(cause="unsupported_mode", detail=str(error), retryable=False, http_status=400)
    return None


def _status_failure(error: openai.APIStatusError) -> Failure:
    status, words = error.status_code, said(error)
    if status == 429:
        cause, retryable = "rate_limited", True
    elif status in (408, 409) or status >= 500:
        cause, retryable = "server_error", True
    elif _too_long(error, words):
        cause, retryable = "too_long", False
    elif status == 403 or error.code == "content_filter" or "content management policy" in words.lower():
        cause, retryable = "refused", False
    else:
        cause, retryable = "bad_request", False
    return Failure(cause=cause, detail=words, retryable=retryable, http_status=status)
