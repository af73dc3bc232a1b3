"""The published JSON Schema accepts exactly the rows that the reader takes in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import Program
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_reading import GOOD, put, taken

from grader.ingest import json_schema
from grader.ingest.fields import DATE_PATTERN, TIME_PATTERN

UNION = jsonschema.Draft202012Validator(json_schema())
KINDS = ("conversation", "policy", "outcome", "label")
LABEL = {
    "type": "label", "conversation_id": "a", "rubric": "r", "rubric_version": "1", "criterion": "c", "answer": "absent",
    "reviewer": "me",
}  # fmt: skip


def accepted(folder: Path, row: Any) -> bool:
    """Whether the reader takes the row in, and a check that the schema of any row says the same."""
    kept, rejected = taken(put(folder, [GOOD | {"conversation_id": "other row"}, row]), format="canonical")
    assert len(kept) + len(rejected) == 2
    if rejected and rejected[0].reason == "hold no word, no call and no file":  # what a schema cannot say
        return UNION.is_valid(row)
    assert UNION.is_valid(row) == (len(kept) == 2), (row, rejected, list(UNION.iter_errors(row)))
    return len(kept) == 2


def test_every_schema_is_a_schema() -> None:
    for kind in (None, *KINDS):
        jsonschema.Draft202012Validator.check_schema(json_schema(kind))


odd = [
    None, True, -3, 0, 7, 1.5, 5.0, 1e300, "", " ", "a", "customer", "Bot", "voice", "2026-08-03", "2026-02-30", "\n",
    "2026-08-03T14:02:00Z", "2026-08-03 14:02 +0100", "1785780120", 1785780120, 1785780120.5, 1785780120000, 99999999,
    40000000000, "conversation", "policy", "outcome", "label",
]  # fmt: skip
anything = st.recursive(
    st.sampled_from(odd),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
Fields = dict[str, Any]


def mainly(fits: Any) -> st.SearchStrategy[Any]:
    """What fits, and one time in thirty anything."""
    strategy = fits if isinstance(fits, st.SearchStrategy) else st.just(fits)
    return st.integers(0, 29).flatmap(lambda n: strategy if n else anything)


def some_of(required: Fields, optional: Fields) -> st.SearchStrategy[Fields]:
    """An object that is nearly right: each field mostly fits, now and then is anything, or is left out."""
    fields = {**required, **optional}
    fitting = {key: value if key == "after" else mainly(value) for key, value in fields.items()}
    whole = st.fixed_dictionaries({k: fitting[k] for k in required}, optional={k: fitting[k] for k in optional})
    left_out = st.sampled_from([None] * 10 * len(fields) + [*fields])
    return st.tuples(whole, left_out).map(lambda pair: {k: v for k, v in pair[0].items() if k != pair[1]})


text = st.sampled_from(["a", "b c", "\t", ""])
time = st.sampled_from(["2026-08-03T14:02:00Z", "2026-08-03", 1785780120, 1785780120000, None, "", " "])
extra = st.sampled_from([{}, {"k": 1}, None])
identity = some_of({"kind": "phone", "value": st.sampled_from(["+55", 7])}, {"more": 1})
call = some_of({"name": "f"}, {"id": text, "arguments": anything, "more": 1})
message = some_of(
    {"role": st.sampled_from(["customer", "ai", "robot"])},
    {"text": text, "content": text, "at": time, "timestamp": time, "created_at": time, "kind": text, "name": text,
     "tool_calls": st.lists(call, max_size=2), "tool_call_id": text, "is_error": st.booleans(), "error": st.booleans(),
     "attributes": extra, "more": 1},
)  # fmt: skip
event = some_of(  # that `after` is no later than the last message is what a schema cannot say
    {"kind": "handoff", "after": st.sampled_from([0] * 20 + [0.0, -1, "0", None, True, [0]])},
    {"at": time, "from_role": text, "to_role": text, "note": text},
)
contact = some_of({}, {"identities": st.lists(identity, max_size=2), "name": text})
conversation = some_of(
    {"conversation_id": st.sampled_from(["a", 5, 5.0, None]), "messages": st.lists(message, max_size=2)},
    {"id": st.sampled_from(["b", 6, None]), "type": st.sampled_from(["conversation", None]), "channel": text,
     "queue": text, "language": text, "reason": text, "contact": contact, "customer_id": text, "started_at": time,
     "created_at": time, "ended_at": time, "tools_recorded": st.booleans(), "events": st.lists(event, max_size=2),
     "attributes": extra, "more": 1},
)  # fmt: skip
policy = some_of(
    {"type": "policy", "policy_id": "p", "text": "R1."},
    {"version": text, "title": text, "queues": st.sampled_from([["a"], "a", [], None]),
     "valid_from": st.sampled_from(["2024-02-29", None, ""]), "valid_to": st.sampled_from(["2026-08-03", None])},
)  # fmt: skip
outcome = some_of(
    {"type": "outcome", "conversation_id": "c"},
    {"csat": st.sampled_from([1, 5, 4.5, None, ""]), "csat_comment": text, "observed_at": time, "attributes": extra,
     "handled_by": st.sampled_from(["ai", "both", None, " "]), "resolution_minutes": st.sampled_from([0, 2.5, None])},
)  # fmt: skip
label = some_of(
    LABEL, {"message": st.sampled_from([1, 5.0, None]), "quote": text, "near_miss": st.booleans(), "labelled_at": time}
)


@settings(max_examples=200)
@given(st.one_of(conversation, conversation, conversation, policy, outcome, label, anything))
def test_the_schema_accepts_what_the_reader_accepts(tmp_path_factory: pytest.TempPathFactory, row: Any) -> None:
    accepted(tmp_path_factory.getbasetemp(), row)


@settings(max_examples=60)
@given(st.from_regex(TIME_PATTERN) | st.from_regex(DATE_PATTERN))
def test_every_time_that_the_schema_allows_can_be_read(tmp_path_factory: pytest.TempPathFactory, at: str) -> None:
    row = {**GOOD, "started_at": at}
    assert UNION.is_valid(row)
    assert accepted(tmp_path_factory.getbasetemp(), row)


def test_good_rows_are_good_and_bad_ones_bad(tmp_path: Path) -> None:
    good: list[Any] = [
        GOOD, {**GOOD, "id": 1}, LABEL, {"type": "policy", "policy_id": "p", "text": "x", "queues": "a"},
        {"type": "outcome", "conversation_id": "a", "csat": 1},
        {"type": "outcome", "conversation_id": "a", "csat": "", "handled_by": " ", "observed_at": ""},
    ]  # fmt: skip
    bad: list[Any] = [
        {}, [], None, {"type": "x"}, {**LABEL, "type": "outcome", "csat": 9}, {**GOOD, "messages": [{}]},
        {"id": 1, "messages": []}, {"type": "policy", "policy_id": "p", "text": "x", "queue": "a"},
        {**GOOD, "type": ""}, {"type": "outcome", "conversation_id": ""},
    ]  # fmt: skip
    assert all(accepted(tmp_path, row) for row in good)
    assert not any(accepted(tmp_path, row) for row in bad)


@pytest.mark.parametrize(("fields", "good"), [
    ({"content": "x"}, True), ({"content": 5}, False), ({"text": "a", "content": 5}, True),
    ({"text": None, "content": 5}, False), ({"text": None, "content": None}, True), ({"timestamp": "x"}, False),
    ({"at": "2026-01-01", "timestamp": "x"}, True), ({"timestamp": "2026-01-01", "created_at": "x"}, True),
    ({"timestamp": None, "created_at": "x"}, False), ({"error": "no"}, False), ({"name": 10**20}, True),
    ({"at": "", "timestamp": "x"}, False), ({"at": "", "timestamp": " ", "created_at": "2026-01-01"}, True),
    ({"at": " ", "timestamp": "", "created_at": "x"}, False), ({"is_error": "", "error": "no"}, False),
    ({"error": "no", "is_error": False}, True), ({"name": 10**21}, False), ({"name": "x" * 1001}, True),
])  # fmt: skip
def test_an_alias_is_checked_only_where_it_stands_for_its_field(tmp_path: Path, fields: Any, good: bool) -> None:
    other = {"role": "customer", "text": "x"}
    assert accepted(tmp_path, {**GOOD, "messages": [{"role": "ai", **fields}, other]}) == good


def test_an_id_may_stand_under_its_alias_and_what_is_needed_may_not_be_null(tmp_path: Path) -> None:
    assert accepted(tmp_path, {**GOOD, "id": []})
    assert accepted(tmp_path, {**GOOD, "conversation_id": None, "id": 5})
    assert not accepted(tmp_path, {**GOOD, "conversation_id": None, "id": []})
    assert not accepted(tmp_path, {**GOOD, "conversation_id": None})
    assert accepted(tmp_path, {**GOOD, "conversation_id": "x" * 1000})
    assert not accepted(tmp_path, {**GOOD, "conversation_id": "x" * 1001})
    assert not accepted(tmp_path, {**GOOD, "events": [{"kind": "x", "after": None}]})
    only_policies = jsonschema.Draft202012Validator(json_schema("policy"))
    assert not only_policies.is_valid({"type": None, "policy_id": "p", "text": "x"})


@pytest.mark.parametrize(("kind", "row"), [
    ("conversation", GOOD), ("label", LABEL), ("policy", {"type": "policy", "policy_id": "p", "text": "x"}),
    ("outcome", {"type": "outcome", "conversation_id": "a"}),
])  # fmt: skip
def test_the_schema_of_one_kind_accepts_that_kind_alone(kind: str, row: Any) -> None:
    for other in KINDS:
        assert jsonschema.Draft202012Validator(json_schema(other)).is_valid(row) == (other == kind)


def test_the_command_prints_the_schema(program: Program) -> None:
    done = program("schema")
    assert done.returncode == 0
    assert json.loads(done.stdout) == json.loads(json.dumps(json_schema()))
    assert json.loads(program("schema", "label").stdout)["title"] == "Grader label"
    wrong = program("schema", "lable")
    assert wrong.returncode == 2
    assert "use one of conversation, policy, outcome, label" in wrong.stderr
