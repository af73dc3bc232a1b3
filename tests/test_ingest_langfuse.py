"""Langfuse: traces, observations and scores as its buttons, its API and its storage export give them."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from genai_traces import A1, A2, ANSWER, ASKS, CALLS, RESULT, SAID, SYSTEM, U1, U2, request, span
from ingest_taken import SAMPLES, Taken, lines, mutated, real_rows, said, taken

from grader.errors import InputError
from grader.ingest import canonical
from grader.ingest.sources import langfuse
from grader.ingest.sources.langfuse import Options, options, recognises
from grader.ingest.sources.otel_genai import recognises as is_otel


def of(folder: Path, *rows: Any, **given: Any) -> Taken:
    return taken(langfuse, lines(folder, *rows), **given)


def clock(number: int, seconds: int = 0) -> str:
    return f"2026-09-21T14:{number:02}:{seconds:02}.000Z"


def trace(number: int, **more: Any) -> dict[str, Any]:
    """A trace as the API gives it."""
    return {
        "id": f"t{number}", "timestamp": clock(number), "name": "turn", "userId": "K-77", "sessionId": "s-1",
        "tags": [], "input": None, "output": None, "release": None, "version": None, "metadata": {}, **more,
    }  # fmt: skip


def generation(number: int, of_trace: int, inputs: Any, output: Any, **more: Any) -> dict[str, Any]:
    """A generation as the API gives it."""
    return {
        "id": f"g{number}", "traceId": f"t{of_trace}", "type": "GENERATION", "name": "chat", "startTime": clock(number),
        "endTime": clock(number, 30), "input": inputs, "output": output, "model": "gpt-x", "parentObservationId": None,
        "level": "DEFAULT", **more,
    }  # fmt: skip


def tool(number: int, of_trace: int, result: Any, **more: Any) -> dict[str, Any]:
    return generation(number, of_trace, {"id": "Q-1"}, result, type="TOOL", name="get_order", model=None, **more)


def score(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{name}{value}", "traceId": "t1", "name": name, "value": value, "dataType": "NUMERIC", "source": "API",
        "timestamp": clock(9), **more,
    }  # fmt: skip


TURNS = [generation(n, 0 if n < 2 else 1, *one) for n, one in enumerate(CALLS)]


def nested() -> list[dict[str, Any]]:
    """The talk as two traces with what is in them."""
    return [trace(0, observations=TURNS[:2], scores=[]), trace(1, observations=TURNS[2:], scores=[score("csat", 4)])]


def snake(row: dict[str, Any]) -> dict[str, Any]:
    """The row as the storage export writes it."""
    names = {"traceId": "trace_id", "sessionId": "session_id", "userId": "user_id", "startTime": "start_time",
             "endTime": "end_time", "parentObservationId": "parent_observation_id", "dataType": "data_type",
             "model": "provided_model_name"}  # fmt: skip
    made = {names.get(key, key): value for key, value in row.items()}
    for key in ("input", "output"):
        if key in made:
            made[key] = made[key] if isinstance(made[key], str) or made[key] is None else json.dumps(made[key])
    for key in ("start_time", "end_time", "timestamp"):
        if key in made:
            made[key] = made[key].replace("T", " ").removesuffix("Z") + "000"
    return made


@pytest.mark.parametrize("form", ["traces", "array", "pages", "session", "download", "lines", "storage", "enriched"])
def test_every_way_out_of_langfuse_gives_the_same_talk(tmp_path: Path, form: str) -> None:
    traces = nested()
    heads = [{key: one for key, one in row.items() if key not in ("observations", "scores")} for row in traces]
    observations, scores = TURNS, [score("csat", 4)]
    rows: list[Any] = {
        "traces": traces,
        "pages": [{"data": [one], "meta": {"page": 1}} for one in traces],
        "session": [{"id": "s-1", "createdAt": clock(0), "projectId": "p", "traces": [
            {key: one for key, one in row.items() if key != "sessionId"} for row in traces]}],
        "download": [{"trace": {**head, "observations": row["observations"], "scores": row["scores"]},
                      "observations": row["observations"]} for head, row in zip(heads, traces, strict=True)],
        "lines": [*scores, *reversed(observations), *heads],
        "storage": [snake(one) for one in (*heads, *observations, *scores)],
        "enriched": [{**snake(one), "session_id": "s-1", "user_id": "K-77"} for one in observations],
        "array": traces,
    }[form]  # fmt: skip
    path = tmp_path / "langfuse.json"
    if form == "array":
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        found = taken(langfuse, path)
    else:
        found = of(tmp_path, *rows)
    record = found.one
    assert said(record) == SAID
    assert (record.conversation_id, record.ai_version, record.tools_recorded) == ("s-1", "gpt-x", True)
    assert [(i.kind, i.value) for i in record.contact.identities] == [("customer_id", "K-77")]
    assert record.messages[1].at.isoformat() == "2026-09-21T14:00:00+00:00"  # type: ignore[union-attr]
    assert found.kept == (3 if form == "enriched" else 6)
    assert [o.csat for o in found.outcomes] == ([] if form == "enriched" else [4.0])
    assert recognises(rows)
    assert not is_otel(rows)


def test_sessions_that_begin_alike_are_never_merged(tmp_path: Path) -> None:
    rows = []
    for number, session in enumerate(("a", "b", None, None)):
        rows.append(trace(number, sessionId=session))
        rows.append(generation(number, number, [U1], {"role": "assistant", "content": f"for {number}"}))
    random.Random(1).shuffle(rows)
    found = of(tmp_path, *rows)
    assert {c.conversation_id: [m.text for m in c.messages][1:] for c in found.conversations} == {
        "a": ["for 0"], "b": ["for 1"], "t2": ["for 2"], "t3": ["for 3"],
    }  # fmt: skip


def test_a_trace_that_serves_two_sessions_is_told_apart(tmp_path: Path) -> None:
    rows = [{**generation(n, 0, [U1], A1 if n else A2), "session_id": f"s{n}"} for n in range(2)]
    found = of(tmp_path, *rows)
    assert {c.conversation_id: c.messages[1].text for c in found.conversations} == {
        "s0": A2["content"],
        "s1": A1["content"],
    }


@pytest.mark.parametrize(("asked", "answered"), [
    (U1["content"], A1["content"]),
    ({"question": U1["content"]}, {"answer": A1["content"]}),
    ([SYSTEM, U1][1:], A1),
    ({"messages": [U1]}, {"messages": [U1, A1]}),
    ({"args": [U1["content"]], "kwargs": {}}, A1["content"]),
    ({"args": [], "kwargs": {"message": U1["content"]}}, {"content": A1["content"]}),
    ([{"type": "human", "content": U1["content"]}], {"generations": [[{"text": A1["content"]}]]}),
    ([{"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": U1["content"]}}],
     {"choices": [{"message": A1}]}),
])  # fmt: skip
def test_a_trace_without_generations_says_its_turn_itself(tmp_path: Path, asked: Any, answered: Any) -> None:
    found = of(tmp_path, trace(0, input=asked, output=answered))
    assert said(found.one) == [("customer", U1["content"]), ("ai", A1["content"])]


def test_a_turn_of_a_form_that_is_not_known_is_unknown(tmp_path: Path) -> None:
    found = of(tmp_path, trace(0, input={"zork": [1]}, output="ok"))
    assert said(found.one) == [("unknown", '{"zork": [1]}'), ("ai", "ok")]
    assert "form that is not known" in found.notes


def test_helpers_are_left_out_where_the_trace_says_its_turn(tmp_path: Path) -> None:
    rows = [
        trace(0, input=U1["content"], output=A1["content"]),
        generation(1, 0, [{"role": "user", "content": "Classify: where is order Q-1?"}], "status"),
        generation(2, 0, [SYSTEM, U1], A1),
    ]
    found = of(tmp_path, *rows)
    assert [text for _, text in said(found.one)] == [U1["content"], SYSTEM["content"], A1["content"]]
    assert "helpers" in found.notes
    without = of(tmp_path, {**rows[0], "input": None, "output": None}, *rows[1:], spans="nobody*")
    assert len(without.rejected) == 3


def test_tools_come_in_as_calls_and_results(tmp_path: Path) -> None:
    inner = generation(5, 0, [{"role": "user", "content": "inside"}], "x", parentObservationId="g1")
    rows = [trace(0), generation(0, 0, [U1], ASKS), tool(1, 0, RESULT), inner, generation(2, 0, [U1, ASKS, ANSWER], A1)]
    found = of(tmp_path, *rows)
    assert said(found.one) == SAID[1:5]
    alone = of(
        tmp_path, trace(0, input=U1["content"], output=A1["content"]), tool(1, 0, {"status": "sent"}, level="ERROR")
    )
    assert said(alone.one) == SAID[1:5]
    assert alone.one.messages[2].is_error is True
    listed = {
        **generation(0, 0, [U1], ""),
        "tool_calls": [json.dumps({"id": "c1", "name": "get_order", "arguments": "{}"})],
    }
    assert [c.name for m in of(tmp_path, trace(0), listed).one.messages for c in m.tool_calls] == ["get_order"]


def test_the_version_is_the_traces_own_else_its_release_else_the_model(tmp_path: Path) -> None:
    row = generation(0, 0, [U1], A1)
    assert of(tmp_path, trace(0, version="7", release="r1"), row).one.ai_version == "7"
    assert of(tmp_path, trace(0, release="r1"), row).one.ai_version == "r1"
    assert of(tmp_path, trace(0), row).one.ai_version == "gpt-x"


def test_fields_tags_and_scores_come_along(tmp_path: Path) -> None:
    head = trace(1, metadata={"team": "Returns", "store": "SP-3"}, tags=["vip"])
    found = of(tmp_path, head, generation(1, 1, [U2], A2), score("tone", 0.5, comment="dry"), fields="queue=team")
    record = found.one
    assert (record.queue, record.attributes["store"], record.attributes["tags"]) == ("returns", "SP-3", ["vip"])
    assert record.attributes["scores"][0]["comment"] == "dry"
    assert found.outcomes == []


@pytest.mark.parametrize(("rows", "given", "csat"), [
    ([score("csat", 5)], {}, [5.0]),
    ([score("CSAT", 2), score("csat", 3, timestamp=clock(10))], {}, [3.0]),
    ([score("user-feedback", 1)], {"csat_score": "user-feedback", "csat_scale": "0,1"}, [5.0]),
    ([score("nps", 5)], {"csat_score": "nps", "csat_scale": [0, 10]}, [3.0]),
    ([score("csat", 9)], {}, []),
    ([score("csat", True)], {}, []),
    ([score("csat", "good")], {}, []),
])  # fmt: skip
def test_a_score_that_is_the_csat_is_an_outcome(
    tmp_path: Path, rows: list[Any], given: dict[str, Any], csat: list[float]
) -> None:
    found = of(tmp_path, trace(1), generation(1, 1, [U1], A1), *rows, **given)
    assert [o.csat for o in found.outcomes] == csat
    assert {o.conversation_id for o in found.outcomes} <= {"s-1"}
    assert (found.kept, found.rejected) == (2 + len(rows), [])


def test_scores_without_their_trace_are_outcomes_or_rejected(tmp_path: Path) -> None:
    alone = of(tmp_path, score("csat", 5, sessionId="s-9", traceId=None), score("tone", 1, traceId="t5"))
    assert [(o.conversation_id, o.csat) for o in alone.outcomes] == [("s-9", 5.0)]
    assert len(alone.rejected) == 1


def test_what_cannot_go_in_is_rejected_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "langfuse.jsonl"
    rows = [
        json.dumps(trace(0, observations=[generation(0, 0, [U1], A1), 7, {"a": 1}], scores=["s1"])),
        json.dumps(trace(5, sessionId=None)),
        "{broken", '{"data": []}', '{"data": [7], "meta": {}}', "null", json.dumps({"messages": [U1]}),
    ]  # fmt: skip
    path.write_text("\n".join(rows), encoding="utf-8")
    found = taken(langfuse, path)
    assert (found.kept, len(found.rejected)) == (2, 8)


@pytest.mark.parametrize(("given", "message"), [
    ({"csat": "x"}, "did you mean 'csat_score'|no option 'csat'"),
    ({"csat_scale": "1"}, "two different numbers"),
    ({"csat_scale": "1,1"}, "two different numbers"),
    ({"csat_scale": ["a", "b"]}, "two different numbers"),
])  # fmt: skip
def test_an_option_that_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        options(given)
    assert options({}) == Options()


def test_other_formats_are_not_taken_for_langfuses() -> None:
    others: list[Any] = [
        {"messages": [U1, A1]}, [U1, A1], {"id": "a", "messages": [U1]}, request(span("aa", 0, {})), {"spans": []}, 7,
        None, {"id": "x", "input": [U1], "output": A1}, {"data": [{"id": 1, "messages": []}]},
        {"type": "outcome", "csat": 4},
    ]  # fmt: skip
    assert [recognises([one]) for one in others] == [None] * len(others)
    assert canonical.recognises(nested()) is None


@pytest.mark.realdata
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data is not there")
def test_real_files_of_other_formats_are_not_taken_for_langfuses() -> None:
    for path, rows in real_rows(SAMPLES):
        assert recognises(rows) is None, path


# ── anything ──


def test_no_file_however_broken_raises_or_loses_a_row(tmp_path: Path) -> None:
    n_kept = 0
    for seed in range(500):
        dice = random.Random(seed)
        rows: Any = [
            *deepcopy(nested()),
            *deepcopy(TURNS),
            score("csat", 3),
            tool(4, 1, "x"),
            snake(generation(7, 3, "hi", "ok")),
        ]
        for _ in range(dice.randrange(1, 5)):
            rows = mutated(rows, dice)
            if not isinstance(rows, list) or not rows:
                rows = [7]
        content = "\n".join(json.dumps(row) for row in rows).encode()
        whole = dice.random() < 0.6
        if not whole:
            at = dice.randrange(len(content))
            content = content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]
            content = content[: dice.randrange(1, len(content) + 1)]
        path = tmp_path / "langfuse.jsonl"
        path.write_bytes(content)
        try:
            found = taken(langfuse, path)
        except InputError:
            continue  # binary, by its first bytes
        assert found.parsed == taken(langfuse, path).parsed
        n_kept += found.kept
        # A line is a row at least, with each entry of a trace's lists that is no id.
        heads = [row for row in rows if isinstance(row, dict) and not row.get("traceId")]
        lists = [row[key] for row in heads for key in ("observations", "scores") if isinstance(row.get(key), list)]
        n_inner = sum(1 for one in lists for entry in one if not isinstance(entry, str))
        if whole:
            assert len(rows) <= found.kept + len(found.rejected) <= len(rows) + n_inner
    assert n_kept > 2000
