"""The store keeps what it was given: every record comes back as it was, whatever came before it and in which order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from engine_parts import fresh_store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grader.errors import InputError, StoreError
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
    Reference,
    Role,
    ToolCall,
    digest,
)
from grader.people import Key, keyed
from grader.store import AddCounts, Store, open_store
from grader.store.connection import migrations

AT = datetime(2026, 8, 3, 14, 2, tzinfo=timezone(timedelta(hours=-4)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store(tmp_path) as opened:
        yield opened


def talk(conversation_id: str, *texts: str, **fields: Any) -> Conversation:
    messages = tuple(Message(role=Role.CUSTOMER, text=text) for text in texts or ("hello",))
    return Conversation(conversation_id=conversation_id, messages=messages, **fields)


def take(store: Store, *records: Any) -> AddCounts:
    return store.add([(record, None, None) for record in records])


def key_of(store: Store) -> Key:
    return store._people.keyring.key(None)


# Round trips

texts = st.text(st.characters(codec="utf-8"), max_size=40)  # NUL included, halves of surrogate pairs not
names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Zs", "Zl", "Zp", "Cc"]), min_size=1, max_size=20
).filter(lambda text: text.strip() == text)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ends = (datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30"))  # whatever the offset
times = st.none() | st.datetimes(*ends, timezones=zones)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
attributes = st.dictionaries(texts, values, max_size=3)
tool_calls = st.builds(ToolCall, id=st.none() | texts, name=names, arguments=values)
messages = st.builds(
    Message, role=st.sampled_from(Role), kind=st.sampled_from(Kind), text=texts, at=times,
    tool_calls=st.lists(tool_calls, max_size=2).map(tuple), tool_call_id=st.none() | texts, name=st.none() | texts,
    is_error=st.none() | st.booleans(), attributes=attributes,
)  # fmt: skip
events = st.builds(
    Event, kind=names, after=st.integers(0, 2**31 - 1), at=times, from_role=st.none() | st.sampled_from(Role),
    to_role=st.none() | st.sampled_from(Role), note=st.none() | texts,
)  # fmt: skip
contacts = st.builds(
    Contact, identities=st.lists(st.builds(Identity, kind=names, value=names), max_size=3).map(tuple),
    name=st.none() | texts,
)  # fmt: skip
conversations = st.builds(
    Conversation, conversation_id=names, channel=st.none() | texts, queue=st.none() | texts, language=st.none() | texts,
    reason=st.none() | texts, contact=contacts, started_at=times, ended_at=times,
    tools_recorded=st.none() | st.booleans(), messages=st.lists(messages, max_size=4).map(tuple),
    events=st.lists(events, max_size=2).map(tuple), attributes=attributes,
)  # fmt: skip


@given(st.lists(conversations, min_size=1, max_size=4, unique_by=lambda c: c.conversation_id))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_conversation_comes_back_as_it_was_given(store: Store, given_: list[Conversation]) -> None:
    take(store, *given_)
    given_ = [keyed(c, key_of(store), None) for c in given_]  # but for its identities, which only their key tells
    back = store.conversations([c.conversation_id for c in given_])
    assert back == given_
    assert [c.content_hash for c in back] == [c.content_hash for c in given_]
    # Equal times may differ in their offset; the record's own hash sees that too.
    assert [digest("cr", c) for c in back] == [digest("cr", c) for c in given_]


policies = st.builds(
    Policy, policy_id=names, version=names, title=st.none() | texts, text=names,
    queues=st.lists(texts, max_size=3).map(tuple), valid_from=st.none() | st.dates(), valid_to=st.none() | st.dates(),
)  # fmt: skip


@given(st.lists(policies, min_size=1, max_size=3, unique_by=lambda p: (p.policy_id, p.version)))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_policy_comes_back_as_it_was_given(store: Store, given_: list[Policy]) -> None:
    take(store, *given_)
    back = {(p.policy_id, p.version): p for p in store.policies()}
    assert [back[p.policy_id, p.version] for p in given_] == given_


def test_a_text_of_a_megabyte_and_the_oddest_characters_are_kept(store: Store) -> None:
    odd = [
        "x" * 1_000_000,
        "a\0b",
        "👩‍👩‍👧",
        "",
        " \t\r\n ",
        "\ufffe\uffff",
        "{{ 7*6 }}",
        "'; drop table message; --",
        "é" * 300_000,
    ]
    given_ = talk("c", *odd)
    take(store, given_)
    assert store.conversation("c") == given_
    assert [m.text for m in given_.messages] == odd


def test_half_a_surrogate_pair_is_refused_with_the_conversations_name_and_nothing_is_stored(store: Store) -> None:
    with pytest.raises(StoreError, match=r"message.*broken.*half a surrogate"):
        take(store, talk("fine"), talk("broken", "\ud83d"))
    with pytest.raises(StoreError, match="broken"):
        take(store, talk("broken", attributes={"note": "\udc00"}))
    assert store.rows("select count(*) from conversation") == [(0,)]
    take(store, talk("fine"))  # the connection is whole


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_hold_is_a_store_error_and_nothing_is_stored(store: Store, value: float) -> None:
    with pytest.raises(StoreError, match="broken"):
        take(store, talk("broken", attributes={"n": value}))
    nested: Any = []
    for _ in range(2_000):
        nested = [nested]
    with pytest.raises(StoreError, match="broken"):
        take(store, talk("broken", attributes={"n": nested}))
    assert store.rows("select count(*) from conversation") == [(0,)]


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ([("customer", 0)], "customer"),
        ([("ai", 0), ("customer", 59)], "customer"),  # greeted
        ([("ai", None), ("customer", None)], "customer"),
        ([("ai", 0), ("customer", 61)], "business"),  # written to
        ([("human", 0)], "business"),
        ([("tool", 0), ("customer", 90), ("ai", 0)], "customer"),
        ([("customer", None), ("ai", None), ("human", 5), ("customer", 6), ("ai", 7)], "customer"),
        ([("ai", 0), ("customer", None), ("customer", 200)], "customer"),
        ([("tool", 0)], None),
    ],
)
def test_who_began_is_told_where_the_source_does_not_say(store: Store, said: Any, who: str | None) -> None:
    messages = tuple(
        Message(role=role, text="words", at=None if minute is None else AT + timedelta(minutes=minute))
        for role, minute in said
    )
    talk_ = Conversation(conversation_id="c", messages=messages)
    take(store, talk_)
    assert store.rows("select initiated_by from conversation") == [(who,)]
    assert store.conversation("c") == talk_
    # and what the migration of an older database makes of it is the same
    sql = next(text for _, name, text in migrations() if name == "aftermath")
    made = sql[sql.index("with told as (") : sql.index("order by c.rowid")].replace("c.*, false as truncated, ", "")
    columns = "has_ai, initiated_by, asked_at, answered_at"
    assert store.rows(made) == store.rows(f"select {columns} from conversation")


def test_what_the_source_says_of_its_state_comes_back_and_an_old_record_keeps_its_hash(store: Store) -> None:
    plain = talk("c")
    told = plain.model_copy(update={
        "state": "closed", "ai_version": "v7", "initiated_by": "business", "excluded": "survey", "truncated": True,
        "references": (Reference(kind="order", value="A-1"), Reference(kind="ticket", value="9")),
    })  # fmt: skip
    take(store, told)
    assert store.conversation("c") == told
    assert plain.record_hash == digest("cr", {
        name: value for name, value in plain.model_dump(mode="json").items()
        if name not in ("state", "ai_version", "initiated_by", "excluded", "references", "truncated")
    })  # fmt: skip
    assert len({c.record_hash for c in (plain, told, told.model_copy(update={"references": ()}))}) == 3
    assert told.content_hash != plain.content_hash == told.model_copy(update={"truncated": False}).content_hash


def test_a_conversation_that_was_cut_off_does_not_take_the_place_of_a_whole_one(store: Store) -> None:
    whole = talk("c", "one", "two", "three")
    cut = talk("c", "one").model_copy(update={"truncated": True})
    take(store, whole)
    assert store.add([(cut, None, None)]) == AddCounts(0, 0, 1)
    assert store.conversation("c") == whole
    assert store.add([(cut, None, None), (whole, None, None), (cut, None, None)]) == AddCounts(0, 0, 3)
    longer = talk("c", "one", "two", "three", "four").model_copy(update={"truncated": True})
    assert store.add([(longer, None, None)]) == AddCounts(0, 1, 0)  # it says more
    assert store.add([(cut, None, None)]) == AddCounts(0, 1, 0)  # neither is whole: the newer one
    assert store.add([(whole, None, None)]) == AddCounts(0, 1, 0)
    assert store.conversation("c") == whole


def test_what_is_not_known_is_null_in_every_column(store: Store) -> None:
    take(store, Conversation(conversation_id="c", messages=(Message(role=Role.AI),)))
    row = store.records("select * from conversation")[0]
    unknown = (
        "channel", "queue", "language", "reason", "contact_id", "started_at", "started_offset_minutes", "ended_at",
        "tools_recorded", "attributes", "source_file", "source_line", "ingest_id", "state", "ai_version", "excluded",
        "asked_at", "answered_at",
    )  # fmt: skip
    assert {name for name in row if row[name] is None} == set(unknown)
    assert store.rows("select tool_calls is null, attributes is null from message") == [(True, True)]
    take(store, Outcome(conversation_id="c"))
    assert store.rows("select attributes is null, csat is null from outcome") == [(True, True)]


def test_a_json_null_inside_a_record_stays_one(store: Store) -> None:
    call = ToolCall(name="look", arguments=None)
    given_ = Conversation(
        conversation_id="c", messages=(Message(role=Role.AI, tool_calls=(call,), attributes={"a": None}),)
    )
    take(store, given_)
    assert store.conversation("c") == given_
    assert json.loads(store.rows("select tool_calls from message")[0][0])[0]["arguments"] is None


# Times


@pytest.mark.parametrize(
    ("written", "utc", "minutes"),
    [
        ("2026-08-03T14:02:00-04:00", "2026-08-03 18:02:00", -240),
        ("2026-08-03T14:02:00", "2026-08-03 14:02:00", 0),  # without an offset: UTC
        ("2026-08-03", "2026-08-03 00:00:00", 0),
        ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00", 0),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999", 0),
        ("2026-10-25T02:30:00+01:00", "2026-10-25 01:30:00", 60),  # the second 2:30 of the night
        ("2026-10-25T02:30:00+02:00", "2026-10-25 00:30:00", 120),  # the first
        ("1937-01-01T12:00:00+00:19:32", "1937-01-01 11:40:28", 20),  # Amsterdam, kept to the minute
        ("2026-01-01T00:00:00+05:45", "2025-12-31 18:15:00", 345),
    ],
)
def test_a_time_is_kept_in_utc_with_the_offset_of_its_source(
    store: Store, written: str, utc: str, minutes: int
) -> None:
    given_ = Conversation.model_validate({
        "conversation_id": "c", "started_at": written, "messages": [{"role": "ai", "at": written}],
        "events": [{"kind": "handoff", "after": 0, "at": written}],
    })  # fmt: skip
    take(store, given_)
    assert store.rows("select started_at::varchar, started_offset_minutes from conversation") == [(utc, minutes)]
    assert store.rows("select sent_at::varchar, sent_offset_minutes from message") == [(utc, minutes)]
    assert store.rows("select happened_at::varchar, happened_offset_minutes from event") == [(utc, minutes)]
    back = store.conversation("c")
    assert back == given_
    assert back.messages[0].at is not None
    assert back.messages[0].at.utcoffset() == timedelta(minutes=minutes)
    assert back.events[0].at is not None
    assert back.events[0].at.utcoffset() == timedelta(minutes=minutes)


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-00:01"])
def test_a_time_that_utc_cannot_hold_is_refused_before_it_reaches_the_store(written: str) -> None:
    with pytest.raises(ValidationError, match="outside the years 1 to 9999"):
        Message.model_validate({"role": "ai", "at": written})


def test_a_conversation_without_a_start_begins_with_its_earliest_message(store: Store) -> None:
    late, early = (Message(role=Role.AI, at=AT + timedelta(hours=h)) for h in (2, 0))
    take(store, Conversation(conversation_id="c", messages=(late, early)))
    assert store.members(["c"])[0].happened_at == AT
    back = store.conversation("c")
    assert back is not None
    assert back.started_at is None
    assert back.happened_at == AT


# The same, and again


def test_the_same_batch_twice_changes_nothing(store: Store) -> None:
    said = {"rubric": "r", "rubric_version": "1", "criterion": "c", "answer": "present", "reviewer": "me"}
    batch = (
        talk("a", queue="x"), talk("b", attributes={"k": [1, None]}), Outcome(conversation_id="a", csat=3),
        Policy(policy_id="p", text="R1", queues=("q", "r")), Label(conversation_id="a", **said),
    )  # fmt: skip
    assert take(store, *batch) == AddCounts(new=5)
    before = {
        t: store.rows(f"select * from {t} order by all")
        for t in ("conversation", "message", "outcome", "policy", "label")
    }
    assert take(store, *reversed(batch)) == AddCounts(unchanged=5)
    assert before == {t: store.rows(f"select * from {t} order by all") for t in before}


def test_every_record_handed_in_is_counted_once_as_new_changed_or_unchanged(store: Store) -> None:
    first, other = Outcome(conversation_id="a", csat=3), Outcome(conversation_id="a", csat=4)
    assert take(store, first, first) == AddCounts(new=1, unchanged=1)
    assert take(store, other, first, other) == AddCounts(changed=3)
    assert store.rows("select csat from outcome") == [(4,)]
    assert take(store, talk("c", "1"), talk("c", "2"), talk("c", "2")) == AddCounts(new=1, changed=1, unchanged=1)
    back = store.conversation("c")
    assert back is not None
    assert back.messages[0].text == "2"


def test_a_longer_conversation_replaces_the_shorter_one_whole(store: Store) -> None:
    short, long = talk("c", "1", events=(Event(kind="handoff", after=1),)), talk("c", "1", "2", "3")
    take(store, short)
    assert take(store, long) == AddCounts(changed=1)
    assert store.conversation("c") == long
    assert store.rows("select count(*) from message union all select count(*) from event") == [(3,), (0,)]
    assert take(store, short) == AddCounts(changed=1)
    assert store.conversation("c") == short
    assert store.rows("select content_hash from conversation") == [(short.content_hash,)]


def test_what_a_judge_cannot_see_changes_the_record_but_not_its_content(store: Store) -> None:
    plain = talk("c")
    take(store, plain)
    richer = talk("c", contact=Contact(identities=(Identity(kind="email", value="a@b.org"),)), attributes={"k": 1})
    assert take(store, richer) == AddCounts(changed=1)
    assert store.rows("select content_hash from conversation") == [(plain.content_hash,)]


def test_a_batch_is_taken_in_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(StoreError):
        take(store, talk("a"), Outcome(conversation_id="a", csat=2), talk("b", "\ud800"))
    assert store.rows("select (select count(*) from conversation) + (select count(*) from outcome)") == [(0,)]


def test_a_batch_larger_than_one_statement_carries_is_whole(store: Store) -> None:
    batch = [talk(f"c{n}", "x" * 1_500_000, "y" * n) for n in range(8)]
    take(store, *batch)
    assert store.conversations([c.conversation_id for c in batch]) == batch


def test_a_message_that_does_not_fit_into_the_memory_bound_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "grader.duckdb"
    huge = talk("huge", "é" * 10_000_000)
    with open_store(path) as store:
        take(store, huge, talk("small"))
    with open_store(path, memory="64MB", threads=2) as store:
        assert store.conversations(["huge", "small"]) == [huge, talk("small")]
        assert len(store.records("select * from message")) == 2


# Selecting


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that the tests of selections only read."""
    with open_store(tmp_path_factory.mktemp("people") / "grader.duckdb") as store:
        take(store, *_people())
        yield store


def _people() -> tuple[Conversation, ...]:
    return (
        talk("a", queue="returns", language="pt", started_at=datetime(2026, 8, 31, 23, 30, tzinfo=UTC)),
        talk("b", queue="returns", language="en", started_at=datetime(2026, 9, 1, tzinfo=UTC)),
        talk("c", queue="orders", events=(Event(kind="handoff", after=1),)),
        talk("d", queue="it's, a; 'queue'", started_at=datetime(2026, 9, 30, 23, 59, tzinfo=UTC)),
        talk("e:1", started_at=datetime(2026, 10, 1, tzinfo=UTC)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("select", "found"),
    [
        ([], "a b c d e:1"),
        ([("queue", "returns")], "a b"),
        ([("queue", "returns"), ("queue", "orders")], "a b c"),
        ([("language", "en"), ("queue", "returns"), ("queue", "orders")], "b"),
        ([("queue", "returns"), ("language", "en"), ("queue", "orders")], "b"),
        ([("queue", "(none)")], "e:1"),
        ([("queue", "(none)"), ("queue", "orders")], "c e:1"),
        ([("queue", "it's, a; 'queue'")], "d"),
        ([("queue", "returns' or true --")], ""),
        ([("queue", "?"), ("id", "$p0")], ""),
        ([("id", "e:1")], "e:1"),
        ([("handoff", "yes")], "c"),
        ([("handoff", "NO")], "a b d e:1"),
        ([("since", "2026-09-01")], "b d e:1"),
        ([("until", "2026-09-30")], "a b d"),  # a day counts whole
        ([("until", "2026-09-01T00:00")], "a"),
        ([("since", "2026-09-01T00:00+02:00")], "a b d e:1"),
        ([("since", "0001-01-01")], "a b d e:1"),  # without a time it is at no time
    ],
)
def test_a_selection_means_either_within_a_name_and_both_between_names(
    people: Store, select: list[tuple[str, str]], found: str
) -> None:
    assert people.population(select) == found.split()


def test_a_time_without_an_offset_is_in_the_workspaces_zone(people: Store) -> None:
    zone = timezone(timedelta(hours=2))
    assert people.population([("since", "2026-09-01")], zone=zone) == [
        "a",
        "b",
        "d",
        "e:1",
    ]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("queues", "x", "did you mean queue"),
        ("text", "x", "one of"),
        ("conversation_id) or (1=1", "x", "one of"),
        ("since", "yesterday", "no date"),
        ("since", "2026-13-01", "no date"),
        ("since", "0001-01-01T00:00+14:00", "no date"),
        ("until", "9999-12-31", "no date"),
        ("handoff", "maybe", "neither yes nor no"),
        ("queue", "a\0b", "no text"),
        ("queue", "\udce9", "no text"),
    ],
)
def test_a_selection_that_cannot_be_meant_is_an_input_error_with_the_cure(
    people: Store, name: str, value: str, told: str
) -> None:
    with pytest.raises(InputError, match=r"(?i)" + told):
        people.population([(name, value)])


def test_a_member_knows_the_day_in_its_own_offset(store: Store) -> None:
    at = datetime(2026, 8, 31, 22, tzinfo=timezone(timedelta(hours=-4)))
    take(store, talk("c", started_at=at))
    (member,) = store.members(["c", "unknown"])
    assert member.happened_at is not None
    assert member.happened_at.date() == date(2026, 8, 31)
    assert store.rows("select started_at::date from conversation") == [(date(2026, 9, 1),)]


def test_what_is_there_is_told_with_the_unknown_and_the_empty_apart(store: Store) -> None:
    take(store, *_people(), talk("f", queue=""))
    told = store.contents()
    assert told["queue"] == {"returns": 2, "": 1, "it's, a; 'queue'": 1, "orders": 1, "(none)": 1}
    assert told["tables"]["conversation"] == 6
    assert told["from"] == datetime(2026, 8, 31, 23, 30, tzinfo=UTC)
