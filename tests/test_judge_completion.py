"""The body of a 200: a completion, a refusal, or said to be none; never anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.judge.completion import Call, Function, NoCompletion, Refused, Usage, read


def body(message: Any, *, finish_reason: Any = "stop", **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": message, "finish_reason": finish_reason}], **more}).encode()


def test_a_plain_completion() -> None:
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}
    found = read(body({"role": "assistant", "content": "{}", "refusal": None}, usage=usage))
    assert found.message.content == "{}"
    assert found.message.tool_calls is None
    assert found.finish_reason == "stop"
    assert found.tokens == Usage(prompt=12, completion=3, cached=8)


def test_a_tool_call_goes_back_as_it_came() -> None:
    call = {"id": "call_9", "type": "function", "function": {"name": "Reply", "arguments": '{"a": 1}'}}
    found = read(body({"content": None, "tool_calls": [call]}))
    assert found.message.tool_calls == (Call("call_9", Function("Reply", '{"a": 1}')),)
    assert found.message.model_dump()["tool_calls"] == [call]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": "{"}, {"text": "}"}]}, "{}"),
        ({"content": 7}, None),
        ({"content": []}, None),
        ({"content": [1, None]}, None),
        ({}, None),
        ({"content": "half \ud83d pair"}, "half \ufffd pair"),
        ({"content": "{}", "tool_calls": "none"}, "{}"),
        ({"content": "{}", "tool_calls": [None, {"function": "f"}]}, "{}"),
    ],
)
def test_odd_messages_are_read_as_far_as_they_make_sense(message: Any, text: str | None) -> None:
    found = read(body(message)).message
    assert found.content == text
    assert found.tool_calls is None


def test_arguments_that_are_no_text_become_one() -> None:
    found = read(body({"tool_calls": [{"function": {"name": "Reply", "arguments": {"a": 1}}}]})).message
    assert found.tool_calls is not None
    assert found.tool_calls[0].function.arguments == '{"a": 1}'


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"<html>", b"[1]", b"null", b'"text"', b"\xff\xfe", b"[" * 200_000, b'{"choices": []}',
        b'{"choices": null}', b'{"choices": {"message": {}}}', b'{"choices": [3]}', b'{"choices": [{}]}',
        b'{"choices": [{"message": "hi"}]}',
        b'{"error": {"message": "upstream is busy"}}', body({"content": "x"})[:-5],
    ],
)  # fmt: skip
def test_what_is_no_completion_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(NoCompletion):
        read(raw)


def test_an_error_inside_a_200_is_told() -> None:
    with pytest.raises(NoCompletion, match="upstream is busy"):
        read(b'{"error": {"message": "upstream is busy"}}')


@pytest.mark.parametrize(
    ("message", "reason", "why"),
    [
        ({"content": None, "refusal": "I cannot help with that."}, "stop", "I cannot help"),
        ({"content": ""}, "content_filter", "content filter"),
    ],
)
def test_a_refusal_is_a_reply_and_was_paid(message: Any, reason: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        read(body(message, finish_reason=reason, usage={"prompt_tokens": 5, "completion_tokens": 1}))
    assert caught.value.tokens == Usage(5, 1, None)
    assert caught.value.finish_reason == reason


@pytest.mark.parametrize("count", [-1, 2**60, "12", None, True, [], float("nan"), float("inf")])
def test_what_is_no_count_of_tokens_is_not_counted(count: object) -> None:
    assert read(body({"content": "x"}, usage={"prompt_tokens": count, "completion_tokens": 1})).tokens is None
    cached = read(body({"content": "x"}, usage={
        "prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": count},
    }))  # fmt: skip
    assert cached.tokens == Usage(1, 1, None)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["content", "tool_calls", "function", "arguments", "refusal", "prompt_tokens",
                         "completion_tokens", "text", "id", "name"]), inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200)
@given(anything, anything, anything)
def test_any_json_is_a_completion_a_refusal_or_none(message: Any, reason: Any, usage: Any) -> None:
    for value in (message, {"choices": [{"message": message, "finish_reason": reason}], "usage": usage}):
        try:
            found = read(json.dumps(value).encode())
        except (NoCompletion, Refused):
            continue
        assert found.message.content is None or isinstance(found.message.content, str)
        assert found.finish_reason is None or isinstance(found.finish_reason, str)
        json.dumps([found.message.content, found.message.model_dump()], ensure_ascii=False).encode()
