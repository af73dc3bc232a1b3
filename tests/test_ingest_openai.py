"""Chat-completions transcripts in the shapes that people have them in, and policies in Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_reading import notes, one, plain, put, refused, taken, values

from grader.ingest import Kept, read
from grader.model import Conversation, Policy, ToolCall
from grader.text import neutralise

HI = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello!"}]


def chat(folder: Path, row: Any, **options: Any) -> Conversation:
    record = one(folder, row, **options)
    assert isinstance(record, Conversation)
    return record


def said(record: Conversation) -> list[tuple[str, str]]:
    return [(m.role.value, m.text) for m in record.messages]


@pytest.mark.parametrize("row", [
    {"messages": HI},
    HI,
    {"traj": HI},
    {"trajectory": HI},
    {"conversation": HI},
    {"conversation": {"messages": HI}},
    {"request": {"model": "m", "messages": HI[:1]}, "response": {"choices": [{"message": HI[1]}]}},
    {"messages": HI[:1], "choices": [{"index": 0, "message": HI[1]}]},
    {"messages": HI[:1], "response": {"choices": [{"message": HI[1]}]}},
    {"messages": HI[:1], "response": "Hello!"},
    {"messages": HI[:1], "response": HI[1]},
    {"messages": HI[:1], "output": [HI[1]]},
    {"custom_id": "r1", "method": "POST", "body": {"messages": HI[:1]},
     "response": {"body": {"choices": [{"message": HI[1]}]}}},
    {"messages": json.dumps(HI)},
    {"input": HI[:1], "output": {"choices": [{"message": HI[1]}]}},
])  # fmt: skip
def test_the_messages_are_found_wherever_a_row_has_them(tmp_path: Path, row: Any) -> None:
    reading = read(put(tmp_path, [row]))
    assert reading.format == "openai_chat"
    assert said(chat(tmp_path, row)) == [("customer", "hi"), ("ai", "Hello!")]


def test_an_answer_that_is_the_last_message_already_is_not_taken_twice(tmp_path: Path) -> None:
    assert said(chat(tmp_path, {"messages": HI, "output": "Hello!"})) == [("customer", "hi"), ("ai", "Hello!")]
    assert said(chat(tmp_path, {"messages": HI, "response": {"choices": [{"message": HI[1]}]}}))[1:] == [
        ("ai", "Hello!")
    ]


def test_tool_calls_results_and_old_function_calls_come_in_whole(tmp_path: Path) -> None:
    record = chat(tmp_path, {"tools": [{"type": "function"}], "messages": [
        {"role": "developer", "content": "be kind"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"n": [1, "é"]}'}},
            {"id": "c2", "type": "function", "function": {"name": "find", "arguments": "{broken"}},
            {"id": "c3", "type": "custom", "custom": {"name": "run", "input": "print(1)"}}]},
        {"role": "tool", "tool_call_id": "c1", "name": "find",
         "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": None, "function_call": {"name": "old", "arguments": "{}"}},
        {"role": "function", "name": "old", "content": "5"},
        {"role": "assistant", "content": "one moment",
         "tool_calls": [{"id": "c4", "function": {"name": "x", "arguments": "7"}}]},
    ]})  # fmt: skip
    assert record.tools_recorded is True
    assert [(m.role.value, m.kind.value) for m in record.messages] == [
        ("system", "text"), ("ai", "tool_call"), ("tool", "tool_result"), ("ai", "tool_call"), ("tool", "tool_result"),
        ("ai", "text"),
    ]  # fmt: skip
    assert record.messages[1].tool_calls == (
        ToolCall(id="c1", name="find", arguments={"n": [1, "é"]}), ToolCall(id="c2", name="find", arguments="{broken"),
        ToolCall(id="c3", name="run", arguments="print(1)"),
    )  # fmt: skip
    assert (record.messages[2].text, record.messages[2].tool_call_id) == ("a\nb", "c1")
    assert record.messages[3].tool_calls == (ToolCall(name="old", arguments={}),)
    assert record.messages[5].tool_calls[0].arguments == "7"


def test_without_tools_it_is_not_known_whether_calls_were_recorded(tmp_path: Path) -> None:
    assert chat(tmp_path, {"messages": HI}).tools_recorded is None
    assert chat(tmp_path, {"request": {"messages": HI, "tools": []}}).tools_recorded is True


def test_content_in_parts_gives_text_and_kind_and_keeps_the_parts(tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    record = chat(tmp_path, {"messages": [
        {"role": "user", "content": [{"type": "text", "text": "see"}, picture]},
        {"role": "user", "content": [picture]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "QUJD" * 2000, "format": "wav"}}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I can't"}]},
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "assistant", "content": None, "audio": {"id": "a", "transcript": "spoken"}},
        {"role": "user", "content": [{"type": "text", "text": {"value": "thread", "annotations": []}}]},
        {"role": "user", "content": ["bare"]},
        {"role": "assistant", "content": '{"response": "wrapped"}'},
        {"role": "user", "content": {"odd": 1}},
    ]})  # fmt: skip
    assert [(m.kind.value, m.text) for m in record.messages] == [
        ("image", "see"), ("image", ""), ("voice", ""), ("text", "I can't"), ("text", "No."), ("voice", "spoken"),
        ("text", "thread"), ("text", "bare"), ("text", '{"response": "wrapped"}'), ("text", ""),
    ]  # fmt: skip
    assert record.messages[0].attributes == {"content": [{"type": "text", "text": "see"}, picture]}
    kept_audio = record.messages[2].attributes["content"][0]["input_audio"]["data"]
    assert kept_audio.startswith("QUJDQUJD")
    assert "8,000 characters, sha256" in kept_audio
    assert record.messages[4].attributes == {"refusal": "No."}
    assert record.messages[9].attributes == {"content": {"odd": 1}}
    assert "a file stood inside a message" in notes(read(tmp_path / "rows.jsonl"))


def test_odd_messages_are_kept_in_their_place_and_noted(tmp_path: Path) -> None:
    row = {"messages": [HI[0], [HI[1], [{"role": "asistant", "content": "deep"}]], "bare", None, 5,
                        {"content": "no role"}, {"role": ["x"], "content": "y"}]}  # fmt: skip
    record = chat(tmp_path, row)
    assert said(record) == [
        ("customer", "hi"), ("ai", "Hello!"), ("unknown", "deep"), ("unknown", "bare"), ("unknown", ""),
        ("unknown", ""), ("unknown", "no role"), ("unknown", "y"),
    ]  # fmt: skip
    assert record.messages[5].attributes == {"source": 5}
    assert record.messages[7].attributes == {"source_role": ["x"]}
    told = notes(read(tmp_path / "rows.jsonl"))
    for words in ("a list stood inside a list of messages", "bare string", "was null", "a bare value", "had no role ×",
                  "kept with the role unknown", "did you mean 'assistant'"):  # fmt: skip
        assert words.replace(" ×", "") in told


@pytest.mark.parametrize(("row", "identity"), [
    ({"id": "chatcmpl-1", "messages": HI}, "chatcmpl-1"),
    ({"conversation_id": 5, "id": "x", "messages": HI}, "5"),
    ({"session_id": "s", "messages": HI}, "s"),
    ({"thread_id": "t", "messages": HI}, "t"),
    ({"task_id": 0, "trial": 2, "traj": HI}, "0-2"),
    ({"task_id": 0, "traj": HI}, "0"),
    ({"messages": HI[:1], "response": {"id": "r", "choices": [{"message": HI[1]}]}}, "r"),
])  # fmt: skip
def test_the_id_is_what_the_source_calls_the_row(tmp_path: Path, row: Any, identity: str) -> None:
    assert chat(tmp_path, row).conversation_id == identity


def test_without_an_id_the_content_makes_one_that_stays_the_same(tmp_path: Path) -> None:
    first = chat(tmp_path, {"messages": HI, "metadata": {"user": 1}})
    again = chat(tmp_path, {"metadata": {"user": 1}, "messages": HI})
    other = chat(tmp_path, {"messages": HI, "metadata": {"user": 2}})
    assert first.conversation_id.startswith("oai_")
    assert len(first.conversation_id) == 4 + 32
    assert first == again
    assert first.conversation_id != other.conversation_id
    kept, rejected = taken(put(tmp_path, [{"messages": HI}, {"messages": HI}]))
    assert kept[0].record == kept[1].record
    assert not rejected


def test_an_id_that_several_rows_share_does_not_make_one_replace_the_other(tmp_path: Path) -> None:
    rows = [
        {"session_id": "s", "messages": HI},
        {"session_id": "s", "messages": HI[:1]},
        {"session_id": "s", "messages": HI},
    ]
    path = put(tmp_path, rows)
    kept, rejected = taken(path)
    ids = [row.record.conversation_id for row in kept if isinstance(row.record, Conversation)]
    assert (ids[0], ids[2]) == ("s", "s")
    assert ids[1].startswith("s~")
    assert not rejected
    assert "session_id stands on several rows" in notes(read(path))


def test_a_field_of_another_meaning_under_one_of_our_names_is_kept_as_an_attribute(tmp_path: Path) -> None:
    odd = {"role": "assistant", "content": "x", "error": {"code": 5}, "name": ["n"], "attributes": {"a": 1}}
    record = chat(tmp_path, {"messages": [odd], "channel": {"id": 1}, "attributes": {"channel": 2}})
    assert record.messages[0].attributes == {"a": 1, "error": {"code": 5}, "name": ["n"]}
    assert record.attributes == {"channel": 2, "channel'": {"id": 1}}
    assert "'error' does not hold what Grader's does" in notes(read(tmp_path / "rows.jsonl"))


def test_what_a_row_says_besides_is_kept(tmp_path: Path) -> None:
    row = {"id": "a", "model": "m", "metadata": {"plan": "x"}, "messages": [{**HI[0], "id": "m1"}], "channel": "chat",
           "queue": 3, "created": 1785780120, "reason": {"code": 1}, "events": [], "customer_id": "k",
           "choices": [{"index": 0, "finish_reason": "stop", "message": HI[1]},
                       {"message": {"role": "assistant"}}]}  # fmt: skip
    record = chat(tmp_path, row)
    assert (record.channel, record.queue, record.reason) == ("chat", "3", None)
    assert record.started_at
    assert record.started_at.isoformat() == "2026-08-03T18:02:00+00:00"
    assert record.contact.identities[0].value == "k"
    assert record.messages[0].attributes == {"id": "m1"}
    assert record.attributes == {
        "model": "m", "metadata": {"plan": "x"}, "reason": {"code": 1},
        "choices": [{"index": 0, "finish_reason": "stop"}, {"message": {"role": "assistant"}}],
    }  # fmt: skip


@pytest.mark.parametrize(("row", "field", "reason"), [
    ({"prompt": "x"}, None, "no list of messages in the row (its fields: prompt)"),
    (5, None, "a row must be an object or a list of messages, this is the number 5"),
    ({"messages": []}, "messages", "is empty"),
    ({"id": "a", "messages": []}, "messages", "is empty"),
    ({"id": "a", "messages": [None, {"role": "user", "content": ""}]}, "messages", "hold no word"),
    ({"mesages": HI}, None, "no list of messages in the row (its fields: mesages)"),
    ({"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": "{}"}}]}]},
     "messages[1].tool_calls[1].name", "is missing"),
    ({"messages": [{"role": "assistant", "tool_calls": {"a": 1}}]}, "messages[1].tool_calls", "must be a list"),
    ({"messages": [{"role": "user", "content": "x", "timestamp": "soon"}]}, "messages[1].timestamp", "is no time"),
])  # fmt: skip
def test_a_row_that_is_no_transcript_is_rejected(tmp_path: Path, row: Any, field: str, reason: str) -> None:
    rejected = refused(tmp_path, row, format="openai_chat")
    assert rejected.field == field
    assert rejected.reason.startswith(reason)
    assert "mesages" not in str(row) or rejected.cure == "did you mean 'messages'? 'mesages' stands there"


def test_a_list_that_is_empty_is_no_matter_where_the_answer_is_there(tmp_path: Path) -> None:
    assert said(chat(tmp_path, {"messages": [], "response": "Hello!"}, format="openai_chat")) == [("ai", "Hello!")]


def test_a_blank_time_is_unknown_and_no_attribute(tmp_path: Path) -> None:
    record = chat(tmp_path, {"started_at": "", "messages": [{**HI[0], "error": " ", "timestamp": ""}]})
    assert (record.started_at, record.attributes) == (None, {})
    assert (record.messages[0].is_error, record.messages[0].at, record.messages[0].attributes) == (None, None, {})


@settings(max_examples=80)
@given(st.recursive(
    st.sampled_from(["user", "x", 5, None, True, "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["messages", "role", "content", "tool_calls", "function", "name", "arguments", "type", "text",
                         "choices", "message", "response", "request", "id", "session_id", "function_call", "attributes",
                         "audio", "input_audio", "body", "tools", "contact", "events", "created", "trial", "task_id"]),
        inner, max_size=5),
    max_leaves=25,
))  # fmt: skip
def test_any_json_is_kept_or_rejected(tmp_path_factory: pytest.TempPathFactory, row: Any) -> None:
    path = put(tmp_path_factory.getbasetemp(), [{"messages": HI}, row])
    kept, rejected = taken(path, format="openai_chat")
    assert len(kept) + len(rejected) == 2
    assert all(r.reason and r.cure for r in rejected)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant", "system", "tool"]), plain), min_size=1).filter(
        lambda pairs: any(neutralise(text).strip() for _, text in pairs)
    ),
    values,
)
def test_roles_and_texts_come_in_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]], metadata: Any
) -> None:
    ours = {"user": "customer", "assistant": "ai", "system": "system", "tool": "tool"}
    row = {"messages": [{"role": role, "content": text} for role, text in pairs], "metadata": metadata}
    record = chat(tmp_path_factory.getbasetemp(), row)
    assert said(record) == [(ours[role], text) for role, text in pairs]


TAU = Path(__file__).parents[2] / "shared/data/raw_formats/openai_chat/tau_bench_raw_3.jsonl"


@pytest.mark.realdata
@pytest.mark.skipif(not TAU.exists(), reason="../shared/data/raw_formats is not here")
def test_no_message_of_the_tau_bench_runs_is_lost_or_changed() -> None:
    raw = [json.loads(line) for line in TAU.read_text(encoding="utf-8").splitlines()]
    reading = read(TAU)
    kept = [row.record for row in reading if isinstance(row, Kept)]
    assert reading.format == "openai_chat"
    assert [len(c.messages) for c in kept if isinstance(c, Conversation)] == [32, 12, 24]
    for theirs, ours in zip(raw, kept, strict=True):
        assert isinstance(ours, Conversation)
        assert ours.attributes["reward"] == theirs["reward"]
        for given_, message in zip(theirs["traj"], ours.messages, strict=True):
            assert message.text == (given_["content"] or "")
            assert [(c.id, c.name) for c in message.tool_calls] == [
                (c["id"], c["function"]["name"]) for c in given_.get("tool_calls") or []
            ]
            assert [json.loads(c["function"]["arguments"]) for c in given_.get("tool_calls") or []] == [
                c.arguments for c in message.tool_calls
            ]


# ── policies in Markdown ──


def policy(folder: Path, text: str | bytes, name: str = "p.md") -> Any:
    kept, rejected = taken(put(folder, text, name))
    assert len(kept) + len(rejected) == 1
    return kept[0].record if kept else rejected[0]


def test_a_policy_has_its_front_matter_and_its_text(tmp_path: Path) -> None:
    text = "---\npolicy_id: returns\nversion: 1.10\ntitle: Returns: all\n---\nR1. A.\n\n---\nR2. B.\n".replace(
        "Returns: all", '"Returns: all"')  # fmt: skip
    assert policy(tmp_path, text) == Policy(
        policy_id="returns", version="1.10", title="Returns: all", text="R1. A.\n\n---\nR2. B."
    )
    dated = "\ufeff---\r\npolicy_id: r\r\nqueues: [a, b]\r\nvalid_from: 2026-09-01\r\nvalid_to: ~\r\n---\r\nR1.\r\n"
    record = policy(tmp_path, dated)
    assert (record.version, record.queues, str(record.valid_from), record.valid_to) == (
        "1",
        ("a", "b"),
        "2026-09-01",
        None,
    )
    assert policy(tmp_path, "---\npolicy_id: r\nqueues: orders\n---\nx", "p.markdown").queues == ("orders",)


@pytest.mark.parametrize(("text", "said_"), [
    ("R1. Window.\n", "a policy needs front matter"),
    ("", "a policy needs front matter"),
    ("---\npolicy_id: x\n", "a policy needs front matter"),
    ("---\ntitle: x\n---\nR1.", "is missing"),
    ("---\npolicy_id: x\n---\n \n", "is blank"),
    ("---\npolicy_id: x\nvalid_from: soon\n---\nR1.", "is no date: the text 'soon'"),
    ("---\npolicy_id: [x\n---\nR1.", "the front matter is no YAML"),
    ("---\n- a\n---\nR1.", "the front matter is no list of names with values"),
    ("---\npolicy_id: a\npolicy_id: b\n---\nR1.", "'policy_id' stands twice in the front matter"),
    ("---\npolicy_id: a\n? [x]\n: y\n---\nR1.", "the front matter has a name that is no text"),
    ("---\npolicy_id: a\nqueues: &a [*a]\n---\nR1.", "must be text, this is an object"),
    ("---\npolicy_id: a\nvalid_from: 2026-02-01\nvalid_to: 2026-01-31\n---\nR1.", "is 2026-01-31, before valid_from"),
    ("---\npolicy_id: !!python/object:os.system x\nqueues: {a: b}\n---\nR1.", "must be a list of names"),
    ("---\nx: \x07\n---\nR1.", "the front matter is no YAML"),
    ("---\nx: " + "[" * 5000 + "\n---\nR1.", "lists stand in each other too deep"),
    (b"---\npolicy_id: x\n---\n\xff", "byte 22 of the row (0xff) is no UTF-8"),
])  # fmt: skip
def test_a_policy_that_cannot_be_used_is_rejected(tmp_path: Path, text: str | bytes, said_: str) -> None:
    rejected = policy(tmp_path, text)
    assert rejected.reason.startswith(said_)


def test_a_policy_without_front_matter_is_shown_what_to_add(tmp_path: Path) -> None:
    assert "---\npolicy_id: shop_returns\nversion: 1\n" in policy(tmp_path, "R1.", "Shop Returns.md").cure


@pytest.mark.parametrize(("name", "cure"), [
    ("queue", "did you mean 'queues'?"), ("valid_frm", "did you mean 'valid_from'?"), ("Queues", "did you mean"),
    ("tags", "take it out; its fields: policy_id, version"), ("type", "take it out"), ("text", "take it out"),
])  # fmt: skip
def test_a_policy_with_a_field_that_it_cannot_have_is_rejected_with_the_line(
    tmp_path: Path, name: str, cure: str
) -> None:
    rejected = policy(tmp_path, f"\n---\npolicy_id: x\n\n{name}: orders\n---\nR1.")
    assert (rejected.line, rejected.field, rejected.reason) == (5, name, "a policy has no such field")
    assert rejected.cure.startswith(cure)


def test_a_policy_row_of_json_with_a_field_that_it_cannot_have_is_rejected(tmp_path: Path) -> None:
    rejected = refused(tmp_path, {"type": "policy", "policy_id": "p", "text": "x", "queue": "orders"})
    assert (rejected.field, rejected.reason) == ("queue", "a policy has no such field")
    assert rejected.cure.startswith("did you mean 'queues'?")


@pytest.mark.parametrize(("text", "line"), [
    ("---\npolicy_id: x\nvalid_from: soon\n---\nR1.", 3),
    ("\ufeff---\r\npolicy_id: x\r\ntitle: |\r\n  two\r\n  lines\r\nvalid_to: soon\r\n---\r\nR1.", 6),
    ("---\npolicy_id: x\nqueues: [a,\n  {b: c}]\n---\nR1.", 3),
    ("---\npolicy_id: x\nvalid_from: 2026-02-01\nvalid_to: 2026-01-31\n---\nR1.", 4),
    ("---\npolicy_id: x\ntitle: y\npolicy_id: z\n---\nR1.", 4),
    ("\n\n---\npolicy_id: x\n? [x]\n: y\n---\nR1.", 5),
    ("---\npolicy_id: x\ntitle: a: b\n---\nR1.", 3),
    ("---\npolicy_id: x\n---\n \n", 4),
    ("---\ntitle: x\n---\nR1.", 1),
])  # fmt: skip
def test_what_is_wrong_with_a_policy_is_reported_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    assert policy(tmp_path, text).line == line


def test_the_shipped_policies_go_in() -> None:
    folder = Path(__file__).parent.parent / "datasets/policies"
    for path in sorted(folder.glob("*.md")):
        (row,) = read(path)
        assert isinstance(row, Kept)
        assert isinstance(row.record, Policy)
        assert row.record.text.startswith("R1.") or row.record.text
