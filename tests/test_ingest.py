"""Canonical rows: what becomes of each field, what is rejected and how, and that nothing is lost."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_reading import GOOD, notes, one, plain, put, refused, taken, values

from grader.ingest import Kept, read
from grader.ingest.rows import EXCERPT, SeenIds
from grader.model import (
    Contact,
    Conversation,
    Event,
    Identity,
    Kind,
    Label,
    Message,
    Outcome,
    Policy,
    Role,
    ToolCall,
)
from grader.text import neutralise

# ── canonical rows ──


def test_a_row_with_every_field_becomes_the_record_that_it_says(tmp_path: Path) -> None:
    row = {
        "type": "conversation", "conversation_id": "c1", "channel": "whatsapp", "queue": "orders", "language": "pt",
        "reason": "exchange", "customer_id": "k7", "started_at": "2026-08-03T14:02:00-04:00",
        "ended_at": "2026-08-03T19:00:00Z", "tools_recorded": True,
        "contact": {"name": "Ana", "identities": [{"kind": "phone", "value": "+5511555"}]},
        "messages": [
            {"role": "customer", "kind": "voice", "text": " oi \n", "at": "2026-08-03T14:02:00-04:00"},
            {"role": "ai", "tool_calls": [{"id": "t1", "name": "get_order", "arguments": {"id": 5}}]},
            {"role": "tool", "text": "{}", "tool_call_id": "t1", "name": "get_order", "is_error": True},
            {"role": "human", "kind": "note", "text": "x", "attributes": {"by": "Rafa"}},
        ],
        "events": [{"kind": "handoff", "after": 2, "at": 1785780120, "from_role": "ai", "to_role": "human"}],
        "attributes": {"store": 4},
    }  # fmt: skip
    assert one(tmp_path, row) == Conversation(
        conversation_id="c1", channel="whatsapp", queue="orders", language="pt", reason="exchange",
        contact=Contact(name="Ana", identities=(
            Identity(kind="phone", value="+5511555"), Identity(kind="customer_id", value="k7"))),
        started_at=datetime(2026, 8, 3, 18, 2, tzinfo=UTC), ended_at=datetime(2026, 8, 3, 19, tzinfo=UTC),
        tools_recorded=True,
        messages=(
            Message(role=Role.CUSTOMER, kind=Kind.VOICE, text=" oi \n", at=datetime(2026, 8, 3, 18, 2, tzinfo=UTC)),
            Message(role=Role.AI, kind=Kind.TOOL_CALL,
                    tool_calls=(ToolCall(id="t1", name="get_order", arguments={"id": 5}),)),
            Message(role=Role.TOOL, kind=Kind.TOOL_RESULT, text="{}", tool_call_id="t1", name="get_order",
                    is_error=True),
            Message(role=Role.HUMAN, kind=Kind.NOTE, text="x", attributes={"by": "Rafa"}),
        ),
        events=(Event(kind="handoff", after=2, at=datetime(2026, 8, 3, 18, 2, tzinfo=UTC), from_role=Role.AI,
                      to_role=Role.HUMAN),),
        attributes={"store": 4},
    )  # fmt: skip


ids = plain.map(str.strip).filter(bool)
short = st.none() | plain.filter(lambda text: bool(text.strip()))
times = st.none() | st.datetimes(
    datetime(1901, 1, 1), datetime(2998, 1, 1), timezones=st.integers(-14 * 60, 14 * 60).map(  # noqa: DTZ001
        lambda minutes: timezone(timedelta(minutes=minutes)))
)  # fmt: skip
extras = st.dictionaries(plain, values, max_size=2)
messages = st.builds(
    Message, role=st.sampled_from(Role), kind=st.sampled_from(Kind), text=plain, at=times,
    tool_calls=st.lists(st.builds(ToolCall, id=short, name=ids, arguments=values), max_size=2).map(tuple),
    tool_call_id=short, name=short, is_error=st.none() | st.booleans(), attributes=extras,
)  # fmt: skip


def says_something(listed: list[Message]) -> bool:
    """A conversation in which nothing can be judged is refused."""
    return any(neutralise(m.text).strip() or m.tool_calls or m.kind in ("voice", "image", "file") for m in listed)


contacts = st.builds(
    Contact,
    identities=st.lists(st.builds(Identity, kind=ids, value=ids), max_size=2, unique=True).map(tuple),
    name=short,
)
conversations = st.builds(
    Conversation, conversation_id=ids, channel=short, queue=short, language=short, reason=short, contact=contacts,
    started_at=times, ended_at=times, tools_recorded=st.none() | st.booleans(),
    messages=st.lists(messages, min_size=1, max_size=3).filter(says_something).map(tuple), attributes=extras,
    events=st.lists(st.builds(
        Event, kind=ids, after=st.just(0), at=times, from_role=st.none() | st.sampled_from(Role),
        to_role=st.none() | st.sampled_from(Role), note=short), max_size=2).map(tuple),
)  # fmt: skip
early, late = (  # a policy that ends before it begins is refused
    st.none() | st.dates(date(year, 1, 1), date(year + 500, 1, 1)) for year in (1901, 2402)
)
policies = st.builds(
    Policy, policy_id=ids, version=ids, title=short, text=ids, queues=st.lists(ids, max_size=2).map(tuple),
    valid_from=early, valid_to=late,
)  # fmt: skip
outcomes = st.builds(
    Outcome, conversation_id=ids, csat=st.none() | st.floats(1, 5), csat_comment=short,
    handled_by=st.sampled_from([None, "ai", "human", "both"]), resolution_minutes=st.none() | st.floats(0, 1e6),
    observed_at=times, attributes=extras,
)  # fmt: skip
labels = st.builds(
    Label, conversation_id=ids, rubric=ids, rubric_version=ids, criterion=ids, answer=ids, reviewer=ids,
    message=st.none() | st.integers(1, 99), quote=short, clause=short, note=short, near_miss=st.booleans(),
    verdict_visible=st.none() | st.booleans(), labelled_at=times,
)  # fmt: skip


@settings(max_examples=80)
@given(conversations | policies | outcomes | labels)
def test_a_record_written_as_a_row_comes_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, record: Conversation | Policy | Outcome | Label
) -> None:
    row = {"type": type(record).__name__.lower(), **record.model_dump(mode="json")}
    assert one(tmp_path_factory.getbasetemp(), row) == record


def test_real_exports_names_and_roles_are_understood(tmp_path: Path) -> None:
    said = ("User", "ASSISTANT", "bot", "ai_agent", "AI agent", "agent-ai", "human_agent", "Operator", "function",
            "developer", "customer", "ai", "human", "tool", "system", "unknown")  # fmt: skip
    row = {
        "id": 12,
        "created_at": "2026-01-01",
        "messages": [{"role": r, "content": "x", "error": False} for r in said],
    }
    record = one(tmp_path, row, format="canonical")
    assert [m.role.value for m in record.messages] == [
        "customer", "ai", "ai", "ai", "ai", "ai", "human", "human", "tool", "system",
        "customer", "ai", "human", "tool", "system", "unknown",
    ]  # fmt: skip
    assert record.conversation_id == "12"
    assert record.started_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert {(m.text, m.is_error) for m in record.messages} == {("x", False)}
    assert not record.attributes
    assert not any(m.attributes for m in record.messages)


@pytest.mark.parametrize(
    ("word", "state"), [("closed", "closed"), ("Resolved", "closed"), ("on-hold", "open"), ("new", "open")]
)
def test_the_words_of_helpdesks_say_open_or_closed(tmp_path: Path, word: str, state: str) -> None:
    record = one(tmp_path, {**GOOD, "state": word})
    assert record.state == state


def test_a_state_of_another_kind_is_kept_beside_and_said(tmp_path: Path) -> None:
    reading = read(put(tmp_path, [{**GOOD, "state": "limbo", "references": [{"kind": "order", "value": 17}]}]))
    (kept,) = reading
    assert isinstance(kept, Kept)
    assert isinstance(kept.record, Conversation)
    assert kept.record.state is None
    assert kept.record.attributes["source_state"] == "limbo"
    assert [(r.kind, r.value) for r in kept.record.references] == [("order", "17")]
    assert any("neither open nor closed" in note.text for note in reading.notes())


def test_an_unknown_role_loses_no_message_and_is_said(tmp_path: Path) -> None:
    row = {"conversation_id": "a", "messages": [{"role": "asistant", "text": "x"}, {"role": "agent", "text": "y"}]}
    assert [(m.role.value, m.text, m.attributes) for m in one(tmp_path, row).messages] == [
        ("unknown", "x", {"source_role": "asistant"}), ("unknown", "y", {"source_role": "agent"}),
    ]  # fmt: skip
    said = notes(read(tmp_path / "rows.jsonl"))
    assert "'asistant' is not known, its messages are kept as unknown; did you mean 'assistant'? ×1" in said
    assert "the role 'agent' is not known, its messages are kept as unknown; say whether it is ai or human" in said


def test_an_unknown_field_is_kept_and_named_once_with_its_nearest(tmp_path: Path) -> None:
    rows = [
        {"conversation_id": str(i), "chanel": "chat", "messages": [{"role": "ai", "text": "x", "mood": 1}],
         "contact": {"vip": True}, "attributes": {"chanel": "other"}} for i in range(3)
    ]  # fmt: skip
    path = put(tmp_path, rows)
    kept, _ = taken(path)
    record = kept[0].record
    assert isinstance(record, Conversation)
    assert record.attributes == {"chanel": "other", "chanel'": "chat", "contact.vip": True}
    assert record.messages[0].attributes == {"mood": 1}
    assert notes(read(path)).splitlines() == [
        "the conversation field 'chanel' is not one of Grader's, it is kept in the attributes; did you mean 'channel'? ×3",  # noqa: E501
        "the message field 'mood' is not one of Grader's, it is kept in the attributes ×3",
        "the contact field 'vip' is not one of Grader's, it is kept in the attributes ×3",
    ]


@pytest.mark.parametrize(("given_", "offset", "utc"), [
    ("2026-08-03T14:02:00-04:00", -240, "2026-08-03T18:02:00"),
    ("2026-08-03T14:02:00.123456789Z", 0, "2026-08-03T14:02:00.123456"),
    ("2026-08-03 14:02 UTC", 0, "2026-08-03T14:02:00"),
    ("2026-08-03t14:02:00,5 +0530", 330, "2026-08-03T08:32:00.500000"),
    ("2026-08-03T14:02", -180, "2026-08-03T17:02:00"),
    ("2026-08-03", -180, "2026-08-03T03:00:00"),
    (1785780120, 0, "2026-08-03T18:02:00"),
    (1785780120.25, 0, "2026-08-03T18:02:00.250000"),
    (1785780120000, 0, "2026-08-03T18:02:00"),
    ("1785780120", 0, "2026-08-03T18:02:00"),
    (" 1785780120000 ", 0, "2026-08-03T18:02:00"),
])  # fmt: skip
def test_times_are_understood_and_keep_their_offset(tmp_path: Path, given_: Any, offset: int, utc: str) -> None:
    row = {**GOOD, "started_at": given_}
    at = one(tmp_path, row, timezone=ZoneInfo("America/Sao_Paulo")).started_at  # -03:00 all year
    assert at.astimezone(UTC).replace(tzinfo=None).isoformat() == utc
    assert at.utcoffset() == timedelta(minutes=offset)


@pytest.mark.parametrize("bad", [
    "yesterday", "03/08/2026", "2026-02-30", "2026-13-01", "2026-08-03T25:00", "2026-08-03T14:02:60", "-", 0, 5, -1,
    1e17, True, [], {}, "0001-01-01T00:00:00+14:00", "2026-08-03T14:02:00Z\n", "20260803", "17120101201301",
])  # fmt: skip
def test_a_time_that_cannot_be_read_rejects_the_row_and_names_the_message(tmp_path: Path, bad: Any) -> None:
    row = {"conversation_id": "a", "messages": [{"role": "ai"}, {"role": "ai"}, {"role": "ai", "at": bad}]}
    rejected = refused(tmp_path, row)
    assert rejected.field == "messages[3].at"
    assert rejected.line == 1
    assert "ISO 8601" in rejected.cure


@pytest.mark.parametrize(("row", "field", "reason"), [
    ({"messages": GOOD["messages"]}, "conversation_id", "is missing"),
    ({**GOOD, "conversation_id": "x" * 1001}, "conversation_id", "has 1,001 characters, at most 1,000"),
    ({**GOOD, "conversation_id": 10**21}, "conversation_id", "is too large a number"),
    ({"conversation_id": "a"}, "messages", "is missing"),
    ({**GOOD, "conversation_id": " "}, "conversation_id", "is blank"),
    ({**GOOD, "conversation_id": ["a"]}, "conversation_id", "must be text, this is a list"),
    ({**GOOD, "conversation_id": True}, "conversation_id", "must be text, this is true"),
    ({**GOOD, "messages": {}}, "messages", "must be a list, this is an object"),
    ({**GOOD, "messages": ["hi"]}, "messages[1]", "must be an object, this is the text 'hi'"),
    ({**GOOD, "messages": [{"text": "x"}]}, "messages[1].role", "is missing"),
    ({**GOOD, "messages": [{"role": "ai", "text": 5}]}, "messages[1].text", "must be text, this is the number 5"),
    ({**GOOD, "messages": [{"role": "ai", "content": ["x"]}]}, "messages[1].content", "must be text, this is a list"),
    ({**GOOD, "messages": [{"role": "ai", "tool_calls": [{"id": "1"}]}]}, "messages[1].tool_calls[1].name",
     "is missing"),
    ({**GOOD, "messages": [{"role": "ai", "is_error": "no"}]}, "messages[1].is_error", "must be true or false"),
    ({**GOOD, "events": [{"kind": "handoff", "after": 2}]}, "events[1].after", "is 2, but there are 1 messages"),
    ({**GOOD, "events": [{"kind": "handoff", "after": -1}]}, "events[1].after", "must be a whole number"),
    ({**GOOD, "contact": {"identities": [{"kind": "phone"}]}}, "contact.identities[1].value", "is missing"),
    ({**GOOD, "tools_recorded": 1}, "tools_recorded", "must be true or false, this is the number 1"),
    ({"type": "polcy", "policy_id": "x"}, "type", "is the text 'polcy'"),
    ({"type": "outcome", "conversation_id": "a", "csat": 6}, "csat",
     "must be a number, from 1 to 5; this is the number 6"),
    ({"type": "outcome", "conversation_id": "a", "handled_by": "bot"}, "handled_by", "must be one of ai, human, both"),
    ({"type": "policy", "policy_id": "p", "text": " "}, "text", "is blank"),
    ({"type": "policy", "policy_id": "p", "text": "x", "valid_from": "2026"}, "valid_from", "is no date"),
    ({"type": "label", "conversation_id": "a"}, "rubric", "is missing (and 4 more in this row: rubric_version, crit"),
    (5, None, "a row must be an object, this is the number 5"),
    ({**GOOD, "started_at": "x", "ended_at": "y", "queue": {}}, "started_at",
     "is no time that can be read: the text 'x' (and 2 more in this row: ended_at, queue)"),
])  # fmt: skip
def test_a_bad_row_is_rejected_with_its_field_and_reason(tmp_path: Path, row: Any, field: str, reason: str) -> None:
    rejected = refused(tmp_path, row, format="canonical")
    assert rejected.field == field
    assert rejected.reason.startswith(reason)
    assert rejected.cure
    assert rejected.file == str(tmp_path / "rows.jsonl")


def test_a_row_of_another_kind_is_told_how_to_say_so(tmp_path: Path) -> None:
    assert 'add "type": "policy"' in refused(tmp_path, {"policy_id": "p", "text": "x"}).cure
    assert 'add "type": "outcome"' in refused(tmp_path, {"conversation_id": "p", "csat": 1}).cure
    assert "jq -c '.tickets[]'" in refused(tmp_path, {"tickets": [GOOD]}).cure
    assert "write a mapping" in refused(tmp_path, {"turns": [{"from": "x"}]}).cure


@pytest.mark.parametrize(("row", "field", "cure"), [
    ({"conversation_id": "a", "mesages": []}, "messages", "'mesages' stands there; did you mean 'messages'?"),
    ({"conversation_id": "a", "MESSAGES": []}, "messages", "'MESSAGES' stands there; did you mean 'messages'?"),
    ({"conversationId": "a", "messages": GOOD["messages"]}, "conversation_id", "'conversationId' stands there"),
    ({**GOOD, "messages": [{"rol": "ai", "text": "x"}]}, "messages[1].role", "'rol' stands there"),
    ({"type": "outcome", "conversation": "a"}, "conversation_id", "'conversation' stands there"),
])  # fmt: skip
def test_a_needed_field_that_is_misspelt_is_found(tmp_path: Path, row: Any, field: str, cure: str) -> None:
    rejected = refused(tmp_path, row, format="canonical")
    assert (rejected.field, rejected.reason) == (field, "is missing")
    assert rejected.cure.startswith(cure)


@pytest.mark.parametrize("listed", [
    [], [{"role": "ai", "text": ""}], [{"role": "customer", "text": " \n"}, {"role": "ai"}, {"role": "tool"}],
    [{"role": "customer", "text": "\u200b\ufeff"}], [{"role": "customer", "kind": "note"}],
])  # fmt: skip
def test_a_conversation_in_which_nothing_can_be_judged_is_rejected(tmp_path: Path, listed: Any) -> None:
    events = [{"kind": "handoff", "after": 0}]
    rejected = refused(tmp_path, {"conversation_id": "a", "messages": listed, "events": events}, format="canonical")
    assert rejected.field == "messages"
    assert rejected.reason == ("hold no word, no call and no file" if listed else "is empty")
    assert rejected.cure.startswith("leave the ")


@pytest.mark.parametrize("message", [
    {"role": "ai", "text": "."}, {"role": "customer", "kind": "image"}, {"role": "customer", "kind": "voice"},
    {"role": "ai", "tool_calls": [{"name": "f"}]},
])  # fmt: skip
def test_one_message_that_says_something_is_enough(tmp_path: Path, message: Any) -> None:
    listed = [{"role": "customer", "text": ""}, message]
    assert len(one(tmp_path, {"conversation_id": "a", "messages": listed}).messages) == 2


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_is_unknown_in_every_field_that_may_be_left_out(tmp_path: Path, blank: str) -> None:
    message = {"role": "customer", "text": "hi"}
    more = dict.fromkeys(("kind", "at", "tool_call_id", "name", "is_error"), blank)
    head = dict.fromkeys(
        ("channel", "queue", "language", "reason", "customer_id", "started_at", "ended_at", "tools_recorded"), blank
    )
    event = {"kind": "handoff", "after": 1}
    row = {"conversation_id": "a", **head, "messages": [message | more],
           "events": [event | dict.fromkeys(("at", "from_role", "to_role", "note"), blank)]}  # fmt: skip
    bare = {"conversation_id": "a", "messages": [message], "events": [event]}
    assert one(tmp_path, row) == one(tmp_path, bare)
    others: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"type": "outcome", "conversation_id": "a"},
         ("csat", "csat_comment", "handled_by", "resolution_minutes", "observed_at")),
        ({"type": "policy", "policy_id": "p", "text": "x"}, ("version", "title", "valid_from", "valid_to")),
        ({"type": "label", "conversation_id": "a", "rubric": "r", "rubric_version": "1.0.0", "criterion": "c",
          "answer": "absent", "reviewer": "me"},
         ("message", "quote", "clause", "note", "near_miss", "verdict_visible", "labelled_at")),
    ]  # fmt: skip
    for needed, optional in others:
        assert one(tmp_path, needed | dict.fromkeys(optional, blank)) == one(tmp_path, needed)


def test_a_blank_stands_for_nothing_where_a_field_is_needed_or_has_an_alias(tmp_path: Path) -> None:
    record = one(tmp_path, {**GOOD, "started_at": "", "created_at": "2026-01-01"})
    assert record.started_at == datetime(2026, 1, 1, tzinfo=UTC)
    message = {"role": "ai", "text": "x", "at": " ", "timestamp": "", "created_at": "2026-01-02"}
    assert one(tmp_path, {**GOOD, "messages": [message]}).messages[0].at == datetime(2026, 1, 2, tzinfo=UTC)
    assert refused(tmp_path, {**GOOD, "events": [{"kind": "handoff", "after": ""}]}).field == "events[1].after"
    assert refused(tmp_path, {"type": "policy", "policy_id": "p", "text": "x", "queues": ""}).field == "queues"


def test_a_note_counts_rows_and_not_how_often_they_have_it(tmp_path: Path) -> None:
    odd = [{"role": "agent", "text": "x"}, {"role": "agent", "text": "y"}]
    path = put(tmp_path, [{"conversation_id": str(n), "messages": odd} for n in range(3)])
    assert notes(read(path)).endswith("say whether it is ai or human ×3")


@pytest.mark.parametrize(("line", "reason"), [
    (b'{"conversation_id": "a", "messages": [', "no JSON"),
    (b'{"conversation_id": "a", "messages": [], "x": NaN}', "NaN is no JSON"),
    (b'{"conversation_id": "a", "messages": [], "x": -Infinity}', "-Infinity is no JSON"),
    (b'{"conversation_id": "a", "messages": [], "x": 1e999}', "the number 1e999 is too large"),
    (b'{"conversation_id": "a", "messages": [], "conversation_id": "b"}', "the key 'conversation_id' stands twice"),
    (b'{"conversation_id": "a", "messages": [], "x": ' + b"9" * 5000 + b"}", "a number has too many digits"),
    (b'{"conversation_id": "a", "messages": [], "x": ' + b"[" * 200 + b"]" * 200 + b"}", "lists and objects stand in"),
    (b'{"conversation_id": "a", "messages": [], "x": ' + b"[" * 90000 + b"]" * 90000 + b"}", "lists and objects stand"),
    (b'{"conversation_id": "a", "messages": [], "x": [' + b"{}," * 1_000_001 + b"1]}", "the row has more than"),
    (b'{"conversation_id": "a\xff", "messages": []}', "byte 23 of the row (0xff) is no UTF-8"),
    (b'{"conversation_id": "a", "messages": []} x', "no JSON: Extra data at character 42"),
    (b"\x00\x00\x00", "no JSON"),
])  # fmt: skip
def test_a_line_that_is_not_one_json_value_is_rejected_and_the_next_ones_are_kept(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    good = json.dumps(GOOD).encode()
    first = good.replace(b'"a"', b'"0"')
    kept, rejected = taken(put(tmp_path, first + b"\n\n" + line + b"\r\n" + good))
    assert [k.line for k in kept] == [1, 4]
    assert [r.line for r in rejected] == [3]
    assert rejected[0].reason.startswith(reason)
    assert len(rejected[0].excerpt) <= EXCERPT


def test_half_a_surrogate_pair_becomes_a_replacement_character_and_is_said(tmp_path: Path) -> None:
    path = put(
        tmp_path, r'{"conversation_id": "a", "messages": [{"role": "ai", "text": "x\ud83d \ud83d\ude00"}], "\udc00": 1}'
    )
    record = taken(path)[0][0].record
    assert isinstance(record, Conversation)
    assert record.messages[0].text == "x\ufffd 😀"
    assert record.attributes == {"\ufffd": 1}
    assert "half a surrogate pair in a text is no character, it became U+FFFD ×1" in notes(read(path))
    twice = put(tmp_path, r'{"conversation_id": "a", "messages": [], "\udc00": 1, "\udc01": 2}')
    assert taken(twice)[1][0].reason == "the key '\ufffd' stands twice in one object"


def test_texts_are_taken_as_they_are(tmp_path: Path) -> None:
    texts = [
        "{{ 7*6 }}",
        "",
        "  \n\t",
        "x" * 200_000,
        "a\x00b",
        "</script>",
        "\u202eabc",
        "é vs e\u0301",
        "\ufeff",
        "👩🏽‍💻",
    ]
    row = {"conversation_id": "a", "messages": [{"role": "customer", "text": text} for text in texts]}
    assert [m.text for m in one(tmp_path, row).messages] == texts


def test_blank_short_texts_are_unknown_and_whole_numbers_are_their_digits(tmp_path: Path) -> None:
    record = one(
        tmp_path, {**GOOD, "conversation_id": 7, "queue": 12, "channel": " ", "language": None, "customer_id": 5.0}
    )
    assert (record.conversation_id, record.queue, record.channel, record.language) == ("7", "12", None, None)
    assert record.contact.identities == (Identity(kind="customer_id", value="5"),)


def test_a_second_different_row_under_one_id_is_rejected_and_the_same_one_is_not(tmp_path: Path) -> None:
    other = {**GOOD, "queue": "orders"}
    csat = {"type": "outcome", "conversation_id": "a", "csat": 4}
    kept, rejected = taken(put(tmp_path, [GOOD, GOOD, other, csat, csat, {**csat, "csat": 5}]))
    assert [k.line for k in kept] == [1, 2, 4, 5]
    assert [(r.line, r.field) for r in rejected] == [(3, "conversation_id"), (6, "conversation_id")]
    assert rejected[0].reason == "another conversation with this id (a) stands in the file before"


def test_seen_ids_tells_apart_many_ids_and_keeps_the_first_content() -> None:
    seen = SeenIds()
    for n in range(20_000):
        assert seen.first(str(n), n + 1) == n + 1
    assert all(seen.first(str(n), 7) == n + 1 for n in range(0, 20_000, 37))
    assert len(seen) == 20_000


# ── real data ──

RETAIL = Path(__file__).parents[2] / "shared/data/retail/conversations.jsonl.gz"


@pytest.mark.realdata
@pytest.mark.skipif(not RETAIL.exists(), reason="../shared/data/retail is not here")
def test_no_message_of_the_retail_conversations_is_lost_or_changed() -> None:
    with gzip.open(RETAIL, "rt", encoding="utf-8") as lines:
        raw = [json.loads(line) for line in lines]
    reading = read(RETAIL)
    kept = [row for row in reading if isinstance(row, Kept)]
    assert reading.format == "canonical"
    assert len(kept) == len(raw) == 114
    pairs: list[tuple[Any, Any]] = list(zip(raw, (row.record for row in kept), strict=True))
    roles = {"ai_agent": "ai", "customer": "customer", "tool": "tool"}
    n_messages = 0
    for given_row, record in pairs:
        assert record.conversation_id == given_row["conversation_id"]
        assert record.attributes == {key: given_row[key] for key in ("source", "agent_run", "policy_ref")}
        assert record.contact.identities[0].value == given_row["customer_id"]
        for theirs, ours in zip(given_row["messages"], record.messages, strict=True):
            n_messages += 1
            assert ours.text == theirs["text"]
            assert ours.role == roles[theirs["role"]]
            assert ours.at == datetime.fromisoformat(theirs["at"]).replace(tzinfo=UTC)
            assert ours.is_error == theirs.get("error")
            assert [c.model_dump() for c in ours.tool_calls] == theirs.get("tool_calls", [])
            assert not ours.attributes
    assert n_messages == 3319
