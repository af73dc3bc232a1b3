"""Where the LLM judge gets no reply, or one out of schema: what is asked again, what is a failure, and which mode."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from endpoint import Endpoint
from judging import ACCURACY, a_talk, case, judging, started, truth

from grader.errors import JudgeError
from grader.judge import Opinion
from grader.model import Support, Verdict

CODE = "invented_deadline"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    yield from started()


def verdict(opinion: Opinion) -> Verdict:
    assert opinion.failure is None, opinion.failure
    return next(v for v in opinion.verdicts["accuracy"] if v.criterion == CODE)


@pytest.mark.parametrize(
    "mistake",
    ["truncated", "truncated_length", "wrong_schema", "missing_field", "missing_code", "prose", "null_content",
     "number_content", "odd_tool_call"],
)  # fmt: skip
async def test_a_reply_out_of_schema_is_asked_for_again(endpoint: Endpoint, mistake: str) -> None:
    endpoint.fault(mistake, times=2)
    async with judging(endpoint) as judge:
        opinion = await judge.judge(case())
    assert {v.criterion: v.answer for v in opinion.verdicts["accuracy"]} == truth(endpoint.bodies[0])
    assert opinion.stats is not None
    assert (endpoint.book.requests, opinion.stats.attempts, opinion.stats.reasks) == (3, 3, 2)


@pytest.mark.parametrize(
    ("mistake", "cause"),
    [("truncated", "bad_reply"), ("truncated_length", "truncated_reply"), ("wrong_schema", "bad_reply"),
     ("prose", "bad_reply"), ("null_content", "bad_reply")],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["json_schema", "tools", "json"])
async def test_a_reply_that_never_fits_is_a_failure_with_its_cause(
    endpoint: Endpoint, mistake: str, cause: str, mode: str
) -> None:
    endpoint.fault(mistake, times=None)
    async with judging(endpoint, max_reasks=2, mode=mode) as judge:
        opinion = await judge.judge(case())
    assert opinion.failure is not None
    assert opinion.failure.cause == cause
    assert opinion.verdicts == {}
    assert endpoint.book.requests == 3
    assert opinion.stats is not None
    assert opinion.stats.reasks == 2
    assert "on its way" not in opinion.failure.detail


@pytest.mark.parametrize("form", ["fenced", "thinking", "parts"])
async def test_wrapping_around_the_json_costs_no_second_call(endpoint: Endpoint, form: str) -> None:
    endpoint.fault(form, times=None)
    async with judging(endpoint) as judge:
        opinion = await judge.judge(case())
    assert {v.criterion: v.answer for v in opinion.verdicts["accuracy"]} == truth(endpoint.bodies[0])
    assert endpoint.book.requests == 1


async def test_raw_line_breaks_and_half_a_surrogate_pair_cost_no_second_call(endpoint: Endpoint) -> None:
    quote = {"message": 6, "quote": "arrive\ntomorrow"}
    said = {"reasoning": "one\ntwo \ud83d", "evidence": [quote], "answer": "present"}
    endpoint.says = lambda _: json.dumps({CODE: said}).replace("\\n", "\n")
    only = ACCURACY.model_copy(update={"criteria": (ACCURACY.criterion(CODE),)})
    async with judging(endpoint) as judge:
        found = verdict(await judge.judge(case(rubrics=(only,))))
    assert found.flagged
    assert found.reasoning == "one\ntwo \ufffd"
    assert endpoint.book.requests == 1


async def test_a_model_that_writes_the_call_as_text_is_understood(endpoint: Endpoint) -> None:
    endpoint.fault("no_call", times=None)
    async with judging(endpoint, mode="tools") as judge:
        opinion = await judge.judge(case())
    assert {v.criterion: v.answer for v in opinion.verdicts["accuracy"]} == truth(endpoint.bodies[0])
    assert endpoint.book.requests == 1


@pytest.mark.parametrize(
    ("fault", "cause", "retryable"),
    [("429", "rate_limited", True), ("500", "server_error", True), ("reset", "connection", True),
     ("cut", "connection", True), ("html", "bad_body", True), ("refusal", "refused", False),
        ("content_filter", "refused", False),
     ("too_long", "too_long", False), ("filter", "refused", False), ("bad_request", "bad_request", False)],
)  # fmt: skip
async def test_what_never_passes_is_a_failure_with_its_cause_and_what_it_took(
    endpoint: Endpoint, fault: str, cause: str, retryable: bool
) -> None:
    endpoint.fault(fault, times=None, retry_after=None)
    async with judging(endpoint, max_attempts=3) as judge:
        opinion = await judge.judge(case())
    assert opinion.failure is not None
    assert (opinion.failure.cause, opinion.failure.retryable) == (cause, retryable)
    assert opinion.verdicts == {}
    assert opinion.stats is not None
    assert opinion.stats.attempts == endpoint.book.requests == (3 if retryable else 1)


async def test_no_verdict_is_made_out_of_a_fault_during_a_re_ask(endpoint: Endpoint) -> None:
    endpoint.forced = {CODE: "present"}
    endpoint.fault("wrong_quote")
    endpoint.fault("500", times=None, match="Your proof for these codes")
    async with judging(endpoint, max_attempts=2) as judge:
        opinion = await judge.judge(case())
        assert opinion.failure is not None
        assert (opinion.failure.cause, opinion.failure.retryable) == ("server_error", True)
        endpoint.faults.clear()
        assert verdict(await judge.judge(case())).flagged


async def test_a_model_that_cannot_answer_the_re_ask_leaves_its_finding_unsupported(endpoint: Endpoint) -> None:
    endpoint.forced = {CODE: "present"}
    endpoint.fault("wrong_quote")
    endpoint.fault("prose", times=None, match="Your proof for these codes")
    async with judging(endpoint, max_reasks=1) as judge:
        opinion = await judge.judge(case())
    assert verdict(opinion).support is Support.UNSUPPORTED


@pytest.mark.parametrize("fault", ["key", "quota", "no_model", "no_temperature"])
async def test_what_stops_every_call_is_raised(endpoint: Endpoint, fault: str) -> None:
    endpoint.fault(fault, times=None)
    async with judging(endpoint) as judge:
        with pytest.raises(JudgeError):
            await judge.judge(case())
    assert endpoint.book.requests == 1


# ── modes ──


@pytest.mark.parametrize(("modes", "settled", "extra"), [(("tools", "json"), "tools", 1), (("json",), "json", 2)])
async def test_a_mode_that_is_not_supported_is_left_for_the_next_and_not_tried_again(
    modes: tuple[str, ...], settled: str, extra: int
) -> None:
    with Endpoint(modes=modes) as endpoint:
        async with judging(endpoint) as judge:
            for _ in range(3):
                opinion = await judge.judge(case())
                assert {v.criterion: v.answer for v in opinion.verdicts["accuracy"]} == truth(endpoint.bodies[-1])
                assert opinion.stats is not None
                assert (opinion.stats.mode, opinion.stats.reasks) == (settled, 0)
            assert judge.mode == settled
        assert endpoint.book.requests == 3 + extra


def _bounds(body: dict[str, Any]) -> set[int | None]:
    """How many quotes the schema that was sent allows an answer."""
    form = body["response_format"]["json_schema"]["schema"] if "response_format" in body else (
        body["tools"][0]["function"]["parameters"]
    )  # fmt: skip
    lists = [part["properties"]["evidence"] for part in form["$defs"].values() if "evidence" in part["properties"]]
    assert lists
    return {item.get("maxItems") for item in lists}


@pytest.mark.parametrize("mode", ["json_schema", "tools"])
async def test_the_list_of_quotes_is_bounded_so_that_a_small_model_comes_to_an_end(mode: str) -> None:
    with Endpoint() as endpoint:
        async with judging(endpoint, mode=mode) as judge:
            await judge.judge(case())
        assert _bounds(endpoint.bodies[-1]) == {3}


@pytest.mark.parametrize("words", [
    "For 'array' type, property 'maxItems' is not supported",
    "Invalid schema for response_format 'Reply': In context=(), 'maxItems' is not permitted.",
])  # fmt: skip
async def test_an_endpoint_that_refuses_the_bound_is_asked_without_it(words: str) -> None:
    with Endpoint() as endpoint:
        endpoint.fault("400", says=words)
        async with judging(endpoint) as judge:
            opinions = [await judge.judge(case()) for _ in range(2)]
            assert judge.mode == "json_schema"
        assert [o.failure for o in opinions] == [None, None]
        assert [o.stats.reasks for o in opinions if o.stats] == [0, 0]
        assert [_bounds(body) for body in endpoint.bodies] == [{3}, {None}, {None}]


async def test_an_endpoint_that_complains_of_the_bound_whatever_is_sent_is_a_failure() -> None:
    with Endpoint() as endpoint:
        endpoint.fault("400", times=None, says="'maxItems' is not permitted")
        async with judging(endpoint) as judge:
            opinion = await judge.judge(case())
        assert opinion.failure is not None
        assert (opinion.failure.cause, opinion.failure.http_status) == ("bad_request", 400)
        assert endpoint.book.requests == 2


async def test_many_calls_find_mode_and_turns_together() -> None:
    with Endpoint(modes=("json",), alternating=True, latency=0.01) as endpoint:
        async with judging(endpoint, concurrency=20) as judge:
            opinions = await asyncio.gather(*(judge.judge(case(a_talk(f"c-{n}", f"the pan {n}"))) for n in range(20)))
        assert [opinion.failure for opinion in opinions] == [None] * 20
        assert endpoint.book.requests <= 80


async def test_where_no_mode_is_supported_that_is_the_failure() -> None:
    with Endpoint(modes=()) as endpoint:
        async with judging(endpoint) as judge:
            opinion = await judge.judge(case())
    assert opinion.failure is not None
    assert (opinion.failure.cause, opinion.failure.retryable) == ("unsupported_mode", False)


async def test_a_mode_that_was_set_is_kept() -> None:
    with Endpoint(modes=("tools",)) as endpoint:
        async with judging(endpoint, mode="json_schema") as judge:
            opinion = await judge.judge(case())
        assert opinion.failure is not None
        assert opinion.failure.cause == "unsupported_mode"
        assert endpoint.book.requests == 1


async def test_a_mode_that_has_worked_is_not_given_up_for_one_odd_answer(endpoint: Endpoint) -> None:
    async with judging(endpoint) as judge:
        await judge.judge(case())
        endpoint.fault("400", says="tools are not supported")
        opinion = await judge.judge(case())
        assert opinion.failure is not None
        assert judge.mode == "json_schema"


async def test_a_model_that_wants_turns_gets_them_with_the_transcript_still_alone() -> None:
    with Endpoint(alternating=True, modes=("tools",)) as endpoint:
        endpoint.forced = {CODE: "present"}
        async with judging(endpoint) as judge:
            assert verdict(await judge.judge(case())).flagged
            assert verdict(await judge.judge(case())).flagged
        assert endpoint.book.requests == 4  # one for the turns, one for the mode
        messages = endpoint.bodies[-1]["messages"]
        assert [m["role"] for m in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
        assert json.loads(messages[3]["content"])["messages"]


async def test_whatever_a_model_writes_is_a_verdict_or_a_failure_and_never_flagged_without_a_quote(
    endpoint: Endpoint,
) -> None:
    said: dict[str, Any] = {
        "reasoning": "r",
        "evidence": [{"message": 6, "quote": "arrive tomorrow"}],
        "answer": "present",
    }
    odd: list[Any] = [
        None, 1, "", [], {}, {"answer": "present"}, said | {"evidence": None}, said | {"evidence": [{}]},
        said | {"answer": "PRESENT"},
        said | {"evidence": [{"message": "six", "quote": "arrive tomorrow"}]}, said | {"reasoning": None},
        said | {"evidence": [{"message": 6.5, "quote": "arrive tomorrow"}]}, said | {"answer": ["present"]},
        said | {"evidence": [{"message": "6", "quote": "arrive tomorrow"}]}, said | {"extra": 1}, said,
    ]  # fmt: skip
    only = ACCURACY.model_copy(update={"criteria": (ACCURACY.criterion(CODE),)})
    flagged = []
    async with judging(endpoint, max_reasks=0) as judge:
        for value in odd:
            endpoint.says = lambda _, value=value: json.dumps({CODE: value})
            opinion = await judge.judge(case(rubrics=(only,)))
            if opinion.failure is None:
                flagged.append(value)
                assert verdict(opinion).flagged
            else:
                assert opinion.failure.cause == "bad_reply"
    assert flagged == odd[-3:]  # "6" for 6 and a key too many are forgiven
