"""OpenTelemetry traces: every convention and container, sessions kept apart, nothing lost."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from genai_traces import (
    A1,
    CALLS,
    MINUTE,
    SAID,
    START,
    U1,
    answer,
    any_value,
    chat,
    conventions,
    request,
    span,
    tool,
    user,
)
from ingest_taken import SAMPLES, Taken, lines, mutated, real_rows, said, taken

from grader.errors import InputError
from grader.ingest import canonical, openai_chat
from grader.ingest.sources import otel_genai
from grader.ingest.sources.otel_genai import Options, options, recognises
from grader.model import Conversation

REAL = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data is not there")


def of(folder: Path, *rows: Any, **given: Any) -> Taken:
    return taken(otel_genai, lines(folder, *rows), **given)


def called(record: Conversation) -> list[tuple[str | None, str, Any]]:
    return [(c.id, c.name, c.arguments) for m in record.messages for c in m.tool_calls]


# ── conventions ──


@pytest.mark.parametrize("name", conventions())
@pytest.mark.parametrize("traces", [("aa", "aa", "aa"), ("aa", "aa", "bb"), ("aa", "bb", "cc")])
def test_every_convention_gives_the_same_talk_each_message_once(
    tmp_path: Path, name: str, traces: tuple[str, ...]
) -> None:
    convention = conventions()[name]
    rows = []
    for number, (trace, (inputs, output)) in enumerate(zip(traces, CALLS, strict=True)):
        attributes, events = convention(inputs, output)
        more = {"gen_ai.conversation.id": "s-1", "gen_ai.request.model": "gpt-x", "user.id": "K-77"}
        rows.append(request(span(trace, number, attributes | more, events=events)))
    found = of(tmp_path, *rows)
    record = found.one
    assert said(record) == SAID
    assert called(record) == [("c1", "get_order", {"id": "Q-1"})]
    assert (record.conversation_id, found.kept, record.tools_recorded) == ("s-1", 3, True)
    assert [(i.kind, i.value) for i in record.contact.identities] == [("customer_id", "K-77")]
    assert [m.tool_call_id for m in record.messages if m.role.value == "tool"] == ["c1"]
    times = [m.at for m in record.messages]
    assert None not in times
    assert times == sorted(times)  # type: ignore[type-var]
    assert record.messages[1].at.isoformat() == "2026-09-21T14:13:20+00:00"  # type: ignore[union-attr]


@pytest.mark.parametrize("form", ["console", "any_agent", "phoenix", "jaeger", "tempo", "array", "pretty", "logs"])
def test_every_container_gives_its_spans(tmp_path: Path, form: str) -> None:
    calls = [span("aa", number, chat(inputs, output)) for number, (inputs, output) in enumerate(CALLS)]
    plain = [{**chat(inputs, output), "session.id": "s-1"} for inputs, output in CALLS]
    ids = {"trace_id": "0x" + "aa".ljust(32, "0")}
    rows: list[Any]
    if form == "console":
        rows = [
            {"name": "chat", "context": {**ids, "span_id": f"0x{number:016x}"}, "parent_id": None, "attributes": one,
             "start_time": f"2026-09-21T14:1{number}:00.000000Z", "end_time": f"2026-09-21T14:1{number}:30.000000Z"}
            for number, one in enumerate(plain)
        ]  # fmt: skip
    elif form == "any_agent":
        rows = [{"spans": [
            {"name": "call_llm", "attributes": one, "context": {"trace_id": 170 << 120, "span_id": number + 1},
             "parent": {"trace_id": None, "span_id": None}, "start_time": START + number * MINUTE,
             "end_time": START + number * MINUTE + 1} for number, one in enumerate(plain)
        ], "final_output": "done"}]  # fmt: skip
    elif form == "phoenix":
        rows = [
            {"name": "llm", "context": {**ids, "span_id": str(number)},
             "start_time": f"2026-09-21T14:1{number}:00+00:00", "end_time": f"2026-09-21T14:1{number}:30+00:00",
             "attributes": {"session": {"id": "s-1"}, "llm": {
                "input_messages": [{"message": one} for one in inputs], "output_messages": [{"message": output}]}}}
            for number, (inputs, output) in enumerate(CALLS)
        ]  # fmt: skip
    elif form == "jaeger":
        spans = [
            {"traceID": "aa", "spanID": str(number), "operationName": "chat", "references": [], "processID": "p1",
             "startTime": (START + number * MINUTE) // 1000, "duration": 5,
             "tags": [{"key": key, "type": "string", "value": value} for key, value in one.items()]}
            for number, one in enumerate(plain)
        ]  # fmt: skip
        rows = [{"data": [{"traceID": "aa", "spans": spans, "processes": {"p1": {"serviceName": "shop"}}}]}]
    elif form == "tempo":
        rows = [{"batches": request(*calls)["resourceSpans"]}]
    elif form == "logs":
        rows = [request(span("aa", number, {"gen_ai.operation.name": "chat"})) for number in range(3)]
        for number, (inputs, output) in enumerate(CALLS):
            told = [(f"gen_ai.{one['role']}.message", one) for one in inputs] + [("gen_ai.choice", {"message": output})]
            records = [
                {"timeUnixNano": "1", "traceId": "aa".ljust(32, "0"), "spanId": f"aa{number}".ljust(16, "0"),
                 "eventName": name, "body": any_value({
                     key: value for key, value in {**body, "id": body.get("tool_call_id")}.items() if value})}
                for name, body in told
            ]  # fmt: skip
            rows.append({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})
    else:
        rows = calls
    path = tmp_path / "traces.json"
    if form in ("array", "pretty"):
        whole = [request(one) for one in calls] if form == "array" else request(*calls)
        path.write_text(json.dumps(whole, indent=2 if form == "pretty" else None), encoding="utf-8")
        found = taken(otel_genai, path)
    else:
        found = of(tmp_path, *rows)
    assert said(found.one) == SAID
    assert recognises(rows if form not in ("array", "pretty") else [request(*calls)])
    assert found.kept == (3 if form != "logs" else 3 + sum(len(inputs) + 1 for inputs, _ in CALLS))


# ── one conversation, and not another ──


def test_sessions_that_begin_alike_are_never_merged(tmp_path: Path) -> None:
    rows = [
        request(span(f"{session}{turn}", turn, chat([user("hi"), answer("Hello!"), user("again")][: 2 * turn + 1],
                answer("Hello!" if turn == 0 else f"for {session}"), **{"session.id": session})))
        for turn in range(2) for session in ("a", "b", "c")
    ]  # fmt: skip
    random.Random(3).shuffle(rows)
    found = of(tmp_path, *rows)
    assert sorted(c.conversation_id for c in found.conversations) == ["a", "b", "c"]
    for record in found.conversations:
        assert [m.text for m in record.messages] == ["hi", "Hello!", "again", f"for {record.conversation_id}"]
    assert found.kept == 6


def test_traces_without_a_session_are_conversations_of_their_own(tmp_path: Path) -> None:
    rows = [request(span(trace, 0, chat([user("hi")], answer("Hello!")))) for trace in ("aa", "bb")]
    found = of(tmp_path, *rows)
    assert [c.conversation_id for c in found.conversations] == ["aa".ljust(32, "0"), "bb".ljust(32, "0")]


def test_a_trace_that_serves_several_conversations_is_told_apart(tmp_path: Path) -> None:
    batch = span("aa", 0, {"batch": True}, name="job")
    spans = [batch]
    for number, session in enumerate(("x", "y"), 1):
        frame = span("aa", 10 * number, {"gen_ai.conversation.id": session}, parent=batch["spanId"], name="one")
        spans += [frame, span("aa", 10 * number + 1, chat([user(session)], answer("ok")), parent=frame["spanId"])]
    found = of(tmp_path, request(*spans))
    assert {c.conversation_id: [m.text for m in c.messages] for c in found.conversations} == {
        "x": ["x", "ok"], "y": ["y", "ok"],
    }  # fmt: skip
    assert (found.kept, found.rejected) == (5, [])


def test_the_conversation_id_is_surer_than_a_session(tmp_path: Path) -> None:
    ids = [("c1", "browser"), ("c2", "browser")]
    rows = [
        request(
            span(
                f"a{number}",
                number,
                chat([user(one)], answer("ok"), **{"gen_ai.conversation.id": one, "session.id": s}),
            )
        )
        for number, (one, s) in enumerate(ids)
    ]
    assert [c.conversation_id for c in of(tmp_path, *rows).conversations] == ["c1", "c2"]
    named = of(tmp_path, *rows, session="session.id")
    assert [c.conversation_id for c in named.conversations] == ["browser"]


# ── what cannot go in ──


def test_spans_without_words_and_rows_without_spans_are_rejected_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    rows = [
        json.dumps(request(span("aa", 0, {"http.method": "GET"}), span("aa", 1, {"gen_ai.operation.name": "chat"}))),
        json.dumps(request(span("bb", 0, chat([U1], A1)))), "{broken", '{"resourceSpans": []}', '{"a": 1}', "7",
        '{"resourceSpans": [{"scopeSpans": [{"spans": [7]}]}]}', '{"spans": [{"name": "x"}]}',
    ]  # fmt: skip
    path.write_text("\n".join(rows), encoding="utf-8")
    found = taken(otel_genai, path)
    assert (found.kept, len(found.rejected)) == (1, 8)
    assert "not captured" in "".join(row.problem.reason for row in found.rejected if row.problem)


@pytest.mark.parametrize(("given", "message"), [
    ({"sesion": "a"}, "did you mean 'session'"),
    ({"fields": {"text": "a"}}, "'text' cannot be taken"),
    ({"spans": {"a": 1}}, "list of words"),
])  # fmt: skip
def test_an_option_that_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        options(given)
    assert caught.value.reason or caught.value.cure
    assert options({}) == Options()


# ── real files ──


@pytest.mark.realdata
@REAL
@pytest.mark.parametrize("name", ["LANGCHAIN", "OPENAI", "TINYAGENT"])
def test_the_messages_of_real_traces_are_all_there(name: str) -> None:
    path = SAMPLES / "otel_genai" / f"any_agent_{name}_trace.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    given = [s["attributes"] for s in raw["spans"]]
    n_given = sum(len(json.loads(a["gen_ai.input.messages"])) for a in given if "gen_ai.input.messages" in a)
    n_answers = sum(1 for a in given if a["gen_ai.operation.name"] in ("call_llm", "execute_tool"))
    found = taken(otel_genai, path)
    record = found.one
    assert (found.kept, len(record.messages)) == (len(raw["spans"]), n_given + n_answers)
    assert record.ai_version == "mistral/mistral-small-latest"
    assert record.conversation_id == f"{raw['spans'][0]['context']['trace_id']:032x}"
    texts_ = [a["gen_ai.output"] for a in given if a.get("gen_ai.operation.name") == "execute_tool"]
    assert [m.text for m in record.messages if m.role.value == "tool"] == texts_
    assert record.attributes["final_output"] == raw["final_output"]
    assert recognises([raw])


@pytest.mark.realdata
@REAL
def test_other_formats_are_not_taken_for_traces_and_the_other_way_round() -> None:
    for path, rows in real_rows(SAMPLES.parent):
        assert bool(recognises(rows)) == (path.parent.name == "otel_genai"), path
    for row in ({"messages": [U1, A1]}, [U1, A1], {"conversation_id": "a", "messages": []}, {"spans": ["a"]}, 7, None):
        assert recognises([row]) is None
    assert canonical.recognises([request(span("aa", 0, chat([U1], A1)))]) is None
    assert openai_chat.recognises([request(span("aa", 0, chat([U1], A1)))]) is None


# ── anything ──


def n_rows(value: Any) -> int:
    """How many rows a line is, counted by walking: each entry of its lists of spans, or what stands for one; at least
    the line itself.
    """
    n = 0
    listed = value.get("resourceSpans") if isinstance(value, dict) else None
    for resource in listed if isinstance(listed, list) else []:
        scopes = resource.get("scopeSpans") if isinstance(resource, dict) else None
        for scope in scopes if isinstance(scopes, list) else [None]:
            spans = scope.get("spans") if isinstance(scope, dict) else None
            n += len(spans) if isinstance(spans, list) else 1
    return max(n, 1)


def test_no_file_however_broken_raises_or_loses_a_row(tmp_path: Path) -> None:
    seeds = list(conventions().values())
    n_kept = 0
    for seed in range(500):
        dice = random.Random(seed)
        rows = []
        for number, (inputs, output) in enumerate(CALLS):
            attributes, events = dice.choice(seeds)(inputs, output)
            more = {"session.id": "s"} if dice.random() < 0.7 else {}
            rows.append(
                request(span(dice.choice(["aa", "bb"]), number, attributes | more, events=events), tool(number, "x"))
            )
        for _ in range(dice.randrange(1, 5)):
            rows = mutated(rows, dice)
            if not isinstance(rows, list) or not rows:
                rows = [7]
        content = "\n".join(json.dumps(row) for row in rows).encode()
        if dice.random() < 0.25:
            content = content[: dice.randrange(1, len(content) + 1)]
        if dice.random() < 0.2:
            at = dice.randrange(len(content))
            content = content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]
        path = tmp_path / "traces.jsonl"
        path.write_bytes(content)
        try:
            found = taken(otel_genai, path)
        except InputError:
            continue  # binary, by its first bytes
        assert found.parsed == taken(otel_genai, path).parsed
        n_kept += found.kept
        lists = any(isinstance(row, list) for row in rows)  # their entries are the rows, where a file begins with one
        if content == "\n".join(json.dumps(row) for row in rows).encode() and not lists:
            too_deep = [row.line for row in found.rejected if row.problem and "deep" in row.problem.reason]
            n_all = sum(1 if line in too_deep else n_rows(row) for line, row in enumerate(rows, 1))
            assert found.kept + len(found.rejected) == n_all, seed
    assert n_kept > 750


def test_the_dots_of_an_attribute_may_contradict_each_other(tmp_path: Path) -> None:
    odd = {f"gen_ai.prompt.{key}": "x" for key in ("0", "0.role", "0.content", "99999999.role", "0.content.a.b", "x")}
    odd |= {"gen_ai.completion.0.content": "ok", "gen_ai.completion.x": "1"}
    found = of(tmp_path, request(span("aa", 0, odd)))
    assert found.kept + len(found.rejected) == 1
