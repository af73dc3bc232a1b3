"""What a probe finds out about an endpoint, each fact against a real HTTP server that has it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from endpoint import Endpoint
from judging import settings, started

from grader.errors import JudgeError
from grader.judge.probe import probe


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    yield from started()


async def test_a_good_endpoint_is_found_good_with_one_call_per_mode(endpoint: Endpoint) -> None:
    found = await probe(settings(endpoint))
    assert found.problem is None
    assert found.models == ("stand-in",)
    assert found.modes == {"json_schema": None, "tools": None, "json": None}
    assert found.best_mode == "json_schema"
    assert found.reports_usage is True
    assert found.alternates is False
    assert found.latency_ms is not None
    assert found.skew_seconds is not None
    assert abs(found.skew_seconds) < 5
    assert endpoint.book.requests == 4
    assert [m["role"] for m in endpoint.bodies[0]["messages"]] == ["system", "user", "user", "user"]


@pytest.mark.parametrize("fault", ["key", "no_model", "quota", "429", "500", "html", "nested", "reset", "cut"])
async def test_what_is_wrong_is_told_after_one_call(endpoint: Endpoint, fault: str) -> None:
    endpoint.fault(fault, times=None, retry_after=None)
    found = await probe(settings(endpoint))
    assert found.problem
    expected = {"key": 401, "no_model": 404, "quota": 429, "reset": None, "cut": None}
    assert found.status == expected.get(fault, int(fault) if fault.isdigit() else 200)
    assert found.modes == {}
    assert found.best_mode is None
    assert endpoint.book.requests == 1


@pytest.mark.parametrize(("modes", "best"), [(("tools", "json"), "tools"), (("json",), "json"), ((), None)])
async def test_only_the_modes_that_work_are_said_to(modes: tuple[str, ...], best: str | None) -> None:
    with Endpoint(modes=modes) as endpoint:
        found = await probe(settings(endpoint))
    assert {mode for mode, why in found.modes.items() if why is None} == set(modes)
    assert all("support" in why or "must be" in why for why in found.modes.values() if why)
    assert found.best_mode == best


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("Yes, it was solved.", "no JSON"), ('{"solved": "maybe"}', "not in the schema"), ("[]", "not in the schema"),
        ("", "empty"), ("[" * 50_000, "no JSON"),
    ],
)  # fmt: skip
async def test_a_mode_that_is_taken_and_ignored_does_not_count_as_working(
    endpoint: Endpoint, reply: str, why: str
) -> None:
    endpoint.says = lambda _: reply
    found = await probe(settings(endpoint))
    assert found.problem is None
    assert why in (found.modes["json_schema"] or "")
    assert found.modes["tools"] is not None
    assert found.best_mode is None


async def test_only_the_mode_that_is_set_is_tried(endpoint: Endpoint) -> None:
    found = await probe(settings(endpoint, mode="tools"))
    assert found.modes == {"tools": None}
    assert endpoint.book.requests == 2


async def test_a_model_that_wants_turns_is_found_out() -> None:
    with Endpoint(alternating=True) as endpoint:
        found = await probe(settings(endpoint))
    assert found.alternates
    assert found.problem is None
    assert found.best_mode == "json_schema"


async def test_a_clock_that_is_off_is_measured_even_where_the_key_is_wrong() -> None:
    with Endpoint(skew_seconds=3_600, key="right") as endpoint:
        found = await probe(settings(endpoint, key="wrong"))
    assert found.status == 401
    assert found.skew_seconds is not None
    assert -3_605 < found.skew_seconds < -3_595


async def test_an_endpoint_that_lists_no_models_and_counts_no_tokens_is_no_fault() -> None:
    with Endpoint(models=None, usage=False) as endpoint:
        found = await probe(settings(endpoint))
    assert found.models is None
    assert found.reports_usage is False
    assert found.problem is None


async def test_an_endpoint_that_never_answers_is_left_in_time(endpoint: Endpoint) -> None:
    endpoint.fault("hang", times=None)
    began = time.monotonic()
    found = await probe(settings(endpoint, timeout_seconds=0.2))
    assert found.problem
    assert time.monotonic() - began < 3


async def test_nobody_there_and_nothing_to_try() -> None:
    found = await probe(settings("http://127.0.0.1:1/v1"))
    assert found.problem
    assert found.status is None
    with pytest.raises(JudgeError):
        await probe(settings("", base_url=None))
