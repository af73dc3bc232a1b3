"""One request and its transport: what is tried again, for how long it waits, and what ends a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from endpoint import Endpoint
from judging import settings, started

from grader.errors import JudgeError
from grader.judge.completion import Completion, NoCompletion, Refused
from grader.judge.pace import Pace
from grader.judge.wire import TALLY, Tally, UnsupportedMode, Wire, as_failure, request_parameters
from grader.model import Failure

PLAIN = {"model": "stand-in", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    yield from started()


async def post(
    endpoint: Endpoint | str, body: dict[str, Any] | None = None, *, pace: Pace | None = None, **changes: Any
) -> tuple[Completion, Tally]:
    """One request on a wire of its own."""
    wire = Wire(settings(endpoint, **changes), pace or Pace(8, 8))
    tally = Tally()
    TALLY.set(tally)
    try:
        return await wire.post(body or PLAIN), tally
    finally:
        await wire.close()


async def failing(endpoint: Endpoint | str, **changes: Any) -> Failure:
    """The failure that a request ends in."""
    with pytest.raises((openai.APIError, TimeoutError, NoCompletion, Refused, UnsupportedMode)) as caught:
        await post(endpoint, **changes)
    failure = as_failure(caught.value)
    assert failure is not None
    return failure


async def test_a_request_that_is_answered_is_made_once(endpoint: Endpoint) -> None:
    completion, tally = await post(endpoint)
    assert completion.message.content == "ok"
    assert endpoint.book.requests == tally.attempts == 1
    assert tally.request_id == "req_1"
    assert tally.waited_ms == 0
    assert tally.latency_ms is not None


PASSING = [
    "429", "408", "409", "500", "503", "529", "html", "empty_body", "empty_choices", "null_choices", "nested", "binary",
    "cut", "reset", "half_head",
]  # fmt: skip


@pytest.mark.parametrize("fault", PASSING)
async def test_a_fault_that_passes_is_tried_again_by_the_wire_alone(endpoint: Endpoint, fault: str) -> None:
    endpoint.fault(fault, times=2, retry_after=None)
    completion, tally = await post(endpoint)
    assert completion.message.content == "ok"
    assert endpoint.book.requests == tally.attempts == 3
    assert tally.waited_ms > 0


@pytest.mark.parametrize("fault", ["429", "503", "html", "cut", "reset", "half_head"])
async def test_a_fault_that_stays_is_tried_as_often_as_was_set_and_told(endpoint: Endpoint, fault: str) -> None:
    endpoint.fault(fault, times=None, retry_after=None)
    failure = await failing(endpoint, max_attempts=3)
    assert endpoint.book.requests == 3
    expected = {"429": "rate_limited", "cut": "connection", "reset": "connection", "half_head": "connection"}
    assert failure.cause == expected.get(fault, "server_error" if fault.isdigit() else "bad_body")
    assert failure.retryable
    assert failure.http_status == (int(fault) if fault.isdigit() else 200 if failure.cause == "bad_body" else None)
    assert failure.detail


@pytest.mark.parametrize(
    ("fault", "cause"), [("too_long", "too_long"), ("filter", "refused"), ("bad_request", "bad_request")]
)
async def test_what_no_retry_mends_is_asked_once(endpoint: Endpoint, fault: str, cause: str) -> None:
    endpoint.fault(fault, times=None)
    failure = await failing(endpoint)
    assert endpoint.book.requests == 1
    assert (failure.cause, failure.retryable, failure.http_status) == (cause, False, 400)


@pytest.mark.parametrize(
    ("fault", "words", "cure"),
    [
        ("quota", "quota", "credit"), ("402", "quota", "credit"), ("key", "key", "OPENAI_API_KEY"),
        ("forbidden", "403", "OPENAI_API_KEY"), ("no_model", "stand-in", "base_url"), ("404", "path", "/v1"),
        ("no_temperature", "temperature", 'temperature = "none"'),
    ],
)  # fmt: skip
async def test_what_no_request_can_get_past_ends_the_run_at_once(
    endpoint: Endpoint, fault: str, words: str, cure: str
) -> None:
    endpoint.fault(fault, times=None)
    with pytest.raises(JudgeError) as caught:
        await post(endpoint)
    assert words in caught.value.message
    assert caught.value.cure is not None
    assert cure in caught.value.cure
    assert endpoint.book.requests == 1


async def test_a_403_for_one_conversation_is_no_verdict_on_a_key_that_has_worked(endpoint: Endpoint) -> None:
    wire = Wire(settings(endpoint), Pace(8, 8))
    TALLY.set(Tally())
    await wire.post(PLAIN)
    endpoint.fault("forbidden")
    with pytest.raises(openai.PermissionDeniedError) as caught:
        await wire.post(PLAIN)
    failure = as_failure(caught.value)
    assert failure is not None
    assert (failure.cause, failure.retryable) == ("refused", False)
    await wire.close()


@pytest.mark.parametrize("fault", ["refusal", "content_filter"])
async def test_a_refusal_is_told_and_its_tokens_count(endpoint: Endpoint, fault: str) -> None:
    endpoint.fault(fault, times=None)
    wire = Wire(settings(endpoint), Pace(8, 8))
    TALLY.set(tally := Tally())
    with pytest.raises(Refused) as caught:
        await wire.post(PLAIN)
    await wire.close()
    failure = as_failure(caught.value)
    assert failure is not None
    assert (failure.cause, failure.retryable) == ("refused", False)
    assert len(tally.known) == endpoint.book.requests == 1


@pytest.mark.parametrize("told", ["0.25", "ms:250", " 0.25 "])
@pytest.mark.parametrize("status", ["429", "503"])
async def test_retry_after_in_seconds_and_milliseconds_is_waited_out(
    endpoint: Endpoint, told: str, status: str
) -> None:
    endpoint.fault(status, retry_after=told)
    began = time.monotonic()
    _, tally = await post(endpoint, max_backoff_seconds=5)
    assert 0.25 <= time.monotonic() - began < 1.5
    assert tally.waited_ms >= 250


async def test_retry_after_as_a_date_is_read_against_the_endpoints_own_clock() -> None:
    with Endpoint(skew_seconds=-86_400) as endpoint:  # its clock is a day behind ours
        endpoint.fault("429", retry_after="date:2")
        began = time.monotonic()
        await post(endpoint, max_backoff_seconds=5)
        assert 0.9 <= time.monotonic() - began < 3


@pytest.mark.parametrize("told", ["", "soon", "-5", "nan", "inf", "1e999", "date:-100", "٣", "9" * 400, None])
async def test_a_strange_or_past_retry_after_does_no_harm(endpoint: Endpoint, told: str | None) -> None:
    endpoint.fault("429", retry_after=told)
    began = time.monotonic()
    completion, _ = await post(endpoint)
    assert completion.message.content == "ok"
    assert time.monotonic() - began < 1


async def test_a_retry_after_of_an_hour_is_cut_to_the_longest_pause(endpoint: Endpoint) -> None:
    endpoint.fault("429", retry_after="3600")
    began = time.monotonic()
    await post(endpoint, max_backoff_seconds=0.2)
    assert 0.2 <= time.monotonic() - began < 1


async def test_a_429_holds_back_everybody(endpoint: Endpoint) -> None:
    endpoint.latency = 0.02
    endpoint.fault("429", retry_after="0.3")
    wire = Wire(settings(endpoint, max_backoff_seconds=5), Pace(4, 4))

    async def one() -> None:
        TALLY.set(Tally())
        await wire.post(PLAIN)

    await asyncio.gather(*(one() for _ in range(48)))
    await wire.close()
    assert endpoint.book.requests == 49
    assert endpoint.book.impatient == 0
    assert endpoint.book.max_in_flight <= 4


async def test_an_endpoint_that_never_answers_is_given_up_in_time(endpoint: Endpoint) -> None:
    endpoint.fault("hang", times=None)
    began = time.monotonic()
    failure = await failing(endpoint, timeout_seconds=0.2, max_attempts=2)
    assert (failure.cause, failure.retryable) == ("timeout", True)
    assert endpoint.book.requests == 2
    assert time.monotonic() - began < 2


async def test_an_endpoint_that_trickles_bytes_for_ever_is_given_up_too(endpoint: Endpoint) -> None:
    endpoint.fault("trickle", times=1)
    began = time.monotonic()
    completion, tally = await post(endpoint, timeout_seconds=0.4)
    assert completion.message.content == "ok"
    assert tally.attempts == 2
    assert time.monotonic() - began < 2


async def test_a_slow_answer_within_the_time_is_an_answer(endpoint: Endpoint) -> None:
    endpoint.fault("slow", seconds=0.3)
    _, tally = await post(endpoint, timeout_seconds=2)
    assert tally.attempts == 1
    assert tally.latency_ms is not None
    assert tally.latency_ms >= 300


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://no-such-host.invalid/v1"])
async def test_where_nobody_is_the_run_ends_soon_and_says_so(url: str) -> None:
    began = time.monotonic()
    with pytest.raises(JudgeError, match="nobody answers at") as caught:
        await post(url, max_attempts=50)
    assert caught.value.cure is not None
    assert "base_url" in caught.value.cure
    assert time.monotonic() - began < 5


async def test_an_endpoint_that_goes_away_during_a_run_is_a_failure_and_not_the_end() -> None:
    with Endpoint() as endpoint:
        wire = Wire(settings(endpoint, max_attempts=6), Pace(8, 8))
        TALLY.set(Tally())
        await wire.post(PLAIN)
    with pytest.raises(openai.APIConnectionError) as caught:
        await wire.post(PLAIN)
    await wire.close()
    failure = as_failure(caught.value)
    assert failure is not None
    assert (failure.cause, failure.retryable) == ("connection", True)


@pytest.mark.parametrize(
    ("text", "about_mode"),
    [
        ("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.", True),
        ("`tools` is not supported by this model", True),
        ("No endpoints found that support tool use", True),
        ("Invalid 'messages[2].content': restricted characters.", False),
        ("This model's maximum context length is 10 tokens; 20 in the messages, 5 in the tools.", False),
        ("The request was rejected as a result of the safety system.", False),
    ],
)
async def test_only_a_complaint_about_the_mode_is_one(endpoint: Endpoint, text: str, about_mode: bool) -> None:
    endpoint.fault("400", times=None, says=text)
    failure = await failing(endpoint)
    assert (failure.cause == "unsupported_mode") == about_mode
    assert failure.detail == text


@pytest.mark.parametrize("key", ["sk-ü", "sk-“x”", "sk-a\nsk-b"])
def test_a_key_that_cannot_be_sent_is_refused_before_anything_is(key: str) -> None:
    with pytest.raises(JudgeError, match="the key holds characters") as caught:
        Wire(settings("http://127.0.0.1:1/v1", key=key), Pace(1, 1))
    assert key not in str(caught.value)


async def test_azure_is_asked_by_deployment_version_and_key_header() -> None:
    with Endpoint(key="azure-key") as endpoint:
        address = endpoint.url.removesuffix("/v1")
        changes: dict[str, Any] = {"provider": "azure", "azure_endpoint": address, "key": "azure-key"}
        completion, _ = await post(endpoint, model="gpt-x", api_version="2025-01-01", **changes)
        assert completion.message.content == "ok"
        ((target, headers),) = endpoint.heads
        assert target == "/openai/deployments/gpt-x/chat/completions?api-version=2025-01-01"
        assert headers["api-key"] == "azure-key"


def test_a_bound_of_the_reply_is_named_as_the_endpoint_knows_it() -> None:
    def names(url: str | None, **changes: Any) -> set[str]:
        return set(request_parameters(settings(url or "", max_output_tokens=9, **changes)))

    assert "max_tokens" in names("http://localhost:8000/v1")
    assert "max_completion_tokens" in names("https://api.openai.com/v1")
    assert "max_completion_tokens" in names(None, base_url=None)
    assert "max_completion_tokens" in names(None, provider="azure", base_url=None)
    assert names("http://localhost/v1", temperature=None, seed=None) == {"model", "max_tokens"}
