"""One talk out of model calls that repeat their history: tools, helpers, agents and windows among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from genai_traces import (
    A1,
    A2,
    CALL,
    CALLS,
    MINUTE,
    RESULT,
    SAID,
    START,
    SYSTEM,
    U1,
    U2,
    answer,
    chat,
    parts,
    request,
    span,
    tool,
    user,
)
from ingest_taken import Taken, lines, said, taken

from grader.ingest.sources import otel_genai
from grader.model import Conversation


def of(folder: Path, *rows: Any, **given: Any) -> Taken:
    return taken(otel_genai, lines(folder, *rows), **given)


def called(record: Conversation) -> list[tuple[str | None, str, Any]]:
    return [(c.id, c.name, c.arguments) for m in record.messages for c in m.tool_calls]


# ── repeated histories ──


def talk(folder: Path, *calls: tuple[list[Any], Any], traces: bool = True) -> Taken:
    """Calls of one session, a trace each."""
    return of(folder, *(
        request(span(f"{number:02}" if traces else "aa", number, chat(inputs, output, **{"session.id": "s"})))
        for number, (inputs, output) in enumerate(calls)
    ))  # fmt: skip


def test_an_application_that_keeps_words_but_no_tool_calls_is_followed(tmp_path: Path) -> None:
    found = talk(tmp_path, *CALLS[:2], ([SYSTEM, U1, A1, U2], A2))
    assert said(found.one) == SAID


def test_a_window_of_the_last_messages_is_followed(tmp_path: Path) -> None:
    turns = [user(str(n)) if n % 2 == 0 else answer(str(n)) for n in range(10)]
    calls = [(turns[max(0, n - 3) : n + 1], turns[n + 1]) for n in range(0, 10, 2)]
    assert talk(tmp_path, *calls).texts == [str(n) for n in range(10)]
    summed = (([{"role": "user", "content": "Summary: …"}, *turns[7:9]]), turns[9])
    assert talk(tmp_path, *calls[:4], summed).texts == [str(n) for n in range(10)]


def test_a_model_that_is_given_no_history_is_followed_even_where_the_customer_repeats(tmp_path: Path) -> None:
    found = talk(
        tmp_path, ([user("hi")], answer("Hello!")), ([user("hi")], answer("Hello!")), ([user("ok")], answer("Bye"))
    )
    assert found.texts == ["hi", "Hello!", "hi", "Hello!", "ok", "Bye"]


def test_a_call_that_was_made_again_counts_once(tmp_path: Path) -> None:
    found = talk(
        tmp_path, ([user("hi")], None), ([user("hi")], answer("Hello!")), ([user("hi")], answer("Hello!")), traces=False
    )
    assert found.texts == ["hi", "Hello!"]


def test_a_call_that_the_file_lacks_is_filled_from_the_next_ones_history_even_where_words_repeat(
    tmp_path: Path,
) -> None:
    whole = [user("ok"), answer("ok")] * 3
    assert talk(tmp_path, (whole[:1], whole[1]), (whole[:5], whole[5])).texts == ["ok"] * 6


def test_an_answer_that_the_application_rewrote_counts_once_and_is_noted(tmp_path: Path) -> None:
    rewritten = ([user("hi"), answer("Hello! (AI)"), user("ok")], answer("Bye"))
    found = talk(tmp_path, ([user("hi")], answer("Hello!")), rewritten)
    assert found.texts == ["hi", "Hello!", "ok", "Bye"]
    assert "in other words" in found.notes


def test_a_history_that_does_not_go_on_is_put_behind_and_noted(tmp_path: Path) -> None:
    other = ([user("x"), answer("y"), user("z")], answer("w"))
    found = talk(tmp_path, ([user("hi")], answer("Hello!")), other)
    assert found.texts == ["hi", "Hello!", "x", "y", "z", "w"]
    assert "does not go on" in found.notes


def test_a_history_older_than_the_file_has_no_times(tmp_path: Path) -> None:
    found = talk(tmp_path, ([user("old"), answer("older"), user("new")], answer("now")))
    assert [m.at is None for m in found.one.messages] == [True, True, False, False]
    assert "when it was said is not known" in found.notes


def test_system_prompts_that_differ_are_kept_up_to_a_few(tmp_path: Path) -> None:
    calls = [([{"role": "system", "content": f"It is {n} o'clock."}, user("hi")], answer("Hello!")) for n in range(9)]
    found = talk(tmp_path, *calls, traces=False)
    assert [m.role.value for m in found.one.messages] == ["system", "customer", "ai"] + ["system"] * 4
    assert "system prompts" in found.notes


# ── tools, helpers, agents ──


@pytest.mark.parametrize("call_id", ["c1", None])
def test_a_tools_span_and_its_message_in_the_history_are_one_result(tmp_path: Path, call_id: str | None) -> None:
    first = span("aa", 0, chat(*CALLS[0]))
    second = span("aa", 2, chat(*CALLS[1]))
    found = of(tmp_path, request(second, tool(1, RESULT, call_id=call_id), first))
    assert said(found.one) == SAID[:5]
    other = of(tmp_path, request(second, tool(1, "sent!", call_id=call_id), first))
    assert [text for role, text in said(other.one) if role == "tool"] == ["sent!"]


def test_a_result_without_ids_that_the_history_writes_otherwise_counts_once(tmp_path: Path) -> None:
    call = {key: value for key, value in CALL.items() if key != "id"}
    result = {"type": "tool_call_response", "response": {"formatted": True}}
    bare = [{"role": "assistant", "parts": [{"type": "tool_call", **call}]}, {"role": "tool", "parts": [result]}]
    first = {"gen_ai.input.messages": [parts(U1)], "gen_ai.output.messages": bare[:1]}
    second = {"gen_ai.input.messages": [parts(U1), *bare], "gen_ai.output.messages": [parts(A1)]}
    spans = span("aa", 0, first), tool(1, RESULT, call_id=None), span("aa", 2, second)
    assert said(of(tmp_path, request(*spans)).one) == SAID[1:5]


def test_a_tools_span_alone_gives_its_call_and_its_result(tmp_path: Path) -> None:
    asked = span("aa", 0, chat([U1], None))
    failed = tool(1, "boom", status={"code": 2, "message": "timeout"})
    found = of(tmp_path, request(asked, failed, span("aa", 2, chat([U1], A1))))
    assert said(found.one) == [("customer", U1["content"]), ("ai", ""), ("tool", "boom"), ("ai", A1["content"])]
    assert called(found.one) == [("c1", "get_order", {"id": "Q-1"})]
    assert found.one.messages[2].is_error is True
    assert found.one.attributes["errors"] == ["chat gpt-x: timeout"]


def test_what_a_tool_does_inside_itself_is_no_part_of_the_talk(tmp_path: Path) -> None:
    run = tool(1, RESULT)
    inner = span("aa", 3, chat([user("Summarise this page")], answer("A page.")), parent=run["spanId"])
    found = of(tmp_path, request(span("aa", 0, chat(*CALLS[0])), run, inner, span("aa", 4, chat(*CALLS[1]))))
    assert said(found.one) == SAID[:5]
    assert "inside itself" in found.notes
    assert found.kept == 4


def test_a_helper_that_was_given_other_words_is_left_out(tmp_path: Path) -> None:
    root = span(
        "aa", 0, {"openinference.span.kind": "CHAIN", "input.value": "hi", "output.value": "Hello!"}, name="turn"
    )
    title = span("aa", 1, chat([user("Write a title for: hi")], answer("Greeting")), parent=root["spanId"])
    reply = span("aa", 2, chat([SYSTEM, user("hi")], answer("Hello!")), parent=root["spanId"])
    found = of(tmp_path, request(reply, title, root))
    assert [(m.role.value, m.text) for m in found.one.messages] == [
        ("customer", "hi"),
        ("system", "Be kind."),
        ("ai", "Hello!"),
    ]
    assert "helpers" in found.notes
    only = of(
        tmp_path, request(title | {"parentSpanId": "", "name": "title"}, reply | {"parentSpanId": ""}), spans="chat*"
    )
    assert "Greeting" not in only.texts


def test_an_agents_span_that_repeats_what_its_calls_say_adds_nothing(tmp_path: Path) -> None:
    about = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "orders"} | chat([SYSTEM, U1], A1)
    agent = span("aa", 0, about, name="invoke_agent orders", endTimeUnixNano=str(START + 9 * MINUTE))
    calls = [span("aa", 1 + n, chat(*one), parent=agent["spanId"]) for n, one in enumerate(CALLS[:2])]
    found = of(tmp_path, request(*calls, agent))
    assert said(found.one) == SAID[:5]
    assert found.one.attributes["agents"] == ["orders"]


def test_a_graphs_state_gives_its_history_back_and_adds_only_the_answer(tmp_path: Path) -> None:
    state = [[U1, A1], [U1, A1, U2, A2]]
    rows = [
        request(span(f"a{n}", n, {"openinference.span.kind": "CHAIN", "session.id": "s", "output.value": json.dumps(
            {"messages": state[n]}), "input.value": json.dumps({"messages": state[n][-2:-1]})}))
        for n in range(2)
    ]  # fmt: skip
    assert of(tmp_path, *rows).texts == [U1["content"], A1["content"], U2["content"], A2["content"]]


def test_a_turn_of_a_form_that_is_not_known_is_unknown_and_never_the_ai(tmp_path: Path) -> None:
    found = of(tmp_path, request(span("aa", 0, {"input.value": '{"zork": 1}', "output.value": '{"blargh": [2]}'})))
    assert said(found.one) == [("unknown", '{"zork": 1}'), ("unknown", '{"blargh": [2]}')]
    odd = of(tmp_path, request(span("aa", 0, chat([{"role": "narrator", "content": "Once"}], answer("ok")))))
    assert [m.role.value for m in odd.one.messages] == ["unknown", "ai"]


def test_answers_that_are_json_and_parts_that_are_no_text_are_kept(tmp_path: Path) -> None:
    big = "QUJD" * 2000
    inputs = [
        {
            "role": "user",
            "parts": [{"type": "text", "content": "see"}, {"type": "blob", "modality": "image", "content": big}],
        }
    ]
    outputs = [
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": '{"a": 1}'}],
        }
    ]
    found = of(
        tmp_path,
        request(
            span("aa", 0, {"gen_ai.input.messages": json.dumps(inputs), "gen_ai.output.messages": json.dumps(outputs)})
        ),
    )
    customer, ai = found.one.messages
    assert (customer.kind.value, customer.text, ai.text, ai.attributes["reasoning"]) == (
        "image",
        "see",
        '{"a": 1}',
        "hm",
    )
    assert big not in found.one.model_dump_json()
    plain = of(tmp_path, request(span("aa", 0, {"gen_ai.prompt": "hi", "gen_ai.completion": '["a", "b"]'})))
    assert said(plain.one) == [("customer", "hi"), ("ai", '["a", "b"]')]


def test_models_fields_and_metadata_come_along(tmp_path: Path) -> None:
    more = {
        "gen_ai.response.model": "gpt-x-2026",
        "app.queue": "Returns ",
        "metadata.store": "SP-3",
        "gen_ai.tool.definitions": "[]",
    }
    found = of(
        tmp_path, request(span("aa", 0, chat([U1], A1, **more))), fields="queue=app.queue,ai_version=metadata.store"
    )
    record = found.one
    assert (record.queue, record.ai_version, record.tools_recorded) == ("returns", "SP-3", True)
    assert record.attributes["metadata.store"] == "SP-3"
    assert (record.attributes["services"], record.attributes["models"]) == (["shop-agent"], ["gpt-x-2026"])
    assert of(tmp_path, request(span("aa", 0, chat([U1], A1, **more)))).one.ai_version == "gpt-x-2026"


def test_a_long_session_of_full_histories_is_read_in_bounded_time(tmp_path: Path) -> None:
    turns = [user("ok") if n % 2 == 0 else answer("ok") for n in range(160)]
    calls = [(turns[: n + 1], turns[n + 1]) for n in range(0, 160, 2)]
    assert len(talk(tmp_path, *calls).one.messages) == 160
