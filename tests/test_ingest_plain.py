"""What is read quickly is read as it would be with care: same records, same hashes, same rejections, same notes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_mutated import lines, spoilt_bytes, spoilt_values

from grader.ingest import _json_rows, canonical, plain
from grader.ingest.jsontext import parse
from grader.ingest.rows import Incoming, Ledger, Problem, UnfitError
from grader.ingest.source import Source
from grader.model import Conversation, JsonValue, Message, ToolCall, digest
from grader.store import open_store

SAMPLE = Path(__file__).parents[1] / "datasets" / "conversations.jsonl"
HOW_MANY = [pytest.param(60, id="60"), pytest.param(3_000, marks=pytest.mark.slow, id="3000")]

FULL: dict[str, Any] = {
    "type": "conversation", "conversation_id": "c-1", "channel": "whatsapp", "queue": "orders", "language": "pt",
    "reason": "late", "contact": {"identities": [{"kind": "phone", "value": "+5511987654321"}], "name": "A"},
    "customer_id": "K-1", "started_at": "2026-08-03T14:02:00-03:00", "ended_at": "2026-08-03 15:02", "state": "solved",
    "ai_version": "7", "initiated_by": "customer", "excluded": None, "references": [{"kind": "order", "value": "77"}],
    "truncated": False, "tools_recorded": True,
    "messages": [
        {"role": "user", "text": "hi \U0001f600 \u2028 \\ \" \x00", "at": "2026-08-03T14:02:00.123-03:00"},
        {"role": "assistant", "content": "a moment", "timestamp": 1785780120, "attributes": {"z": 1e16, "a": [None]}},
        {"role": "ai", "tool_calls": [{"id": "1", "name": "look", "arguments": {"b": 1.5, "a": "é"}}]},
        {"role": "tool", "kind": "tool_result", "text": "{}", "tool_call_id": "1", "name": "look", "is_error": False},
        {"role": "customer", "kind": "voice", "text": "", "at": "2026-08-03T17:05:09Z"},
        {"role": "human", "text": "it is me", "created_at": "2026-08-03T17:05:09.000001+05:30"},
    ],
    "events": [{"kind": "handoff", "after": 5, "at": "2026-08-03T17:05:00Z", "from_role": "ai", "to_role": "human"}],
    "attributes": {"tags": ["a", {"b": 1}]},
}  # fmt: skip
# One change each that `canonical` has a word or a thought about.
ODD: list[JsonValue] = [
    "", " ", "\x1c", "\u3000", "x" * 1001, " edge ", "\x1cedge", "\x85edge", 5, 5.0, -1, 0, 1e30, True, False, None,
    [], {}, [None], [{}], [{"kind": "a", "value": "b"}, {"kind": "a", "value": "b"}],
    [{"kind": " a", "value": "b\u3000"}],
    {"identities": []}, {"identities": None}, {"name": ""}, "open", "RESOLVED", "on hold", "on_hold", "tool call",
    "tool_call", "Voice Note", "end user", "Assistant", "policy", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
    "1899-01-01T00:00:00Z", "2026-W01-1T00:00:00Z", "20260101T000000Z", "2026-01-01T24:00:00Z", "2026-01-01T23:59:60Z",
    "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00+23:59", "2026-01-01T00:00:00.1Z",
    "2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00,123Z", "2026-01-01t00:00:00z", "2026-01-01 00:00 UTC",
    "2026-01-01T00:00:00Z\n", "2026-01-01", "1785780120000", "2026-01-01T00:00:00+0530", "2999-12-31T23:59:59-23:59",
    "\u0662\u0660\u0662\u0666-01-01T00:00:00Z", "\u00ad\u200b", "<|im_start|>", 99, "1785780120",
]  # fmt: skip
NAMES = (
    "content",
    "timestamp",
    "created_at",
    "error",
    "id",
    "txt",
    "text",
    "at",
    "role",
    "type",
    "state",
    "customer_id",
)


def both(path: Path) -> tuple[list[Any], list[Any]]:
    """What the quick and the careful reader make of a file."""

    def outcome(record: Callable[[JsonValue, Ledger], Incoming | None]) -> list[Any]:
        ledger = Ledger(timezone(timedelta(hours=-3)))
        found: list[Any] = []
        for one in _json_rows(record, Source(path), ledger):
            found.append((one.line, one.begin, one.problem, one.rows, one.size))
            for made in one.records:
                # The text tells what == would not: 1 from true, the order of keys, the offset of a time.
                found.append((type(made), made, made.model_dump_json(), repr(made)))
                if isinstance(made, Conversation):
                    found.append((made.content_hash, made.record_hash, made.written_messages))
        return [*found, *ledger.notes()]

    return outcome(plain.record), outcome(canonical.record)


def sample() -> list[Any]:
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


def quickly(row: JsonValue) -> bool:
    try:
        return plain._conversation(row, Ledger()) is not None
    except (plain._NotPlainError, UnfitError, ValueError):
        return False


def test_the_sample_and_a_row_with_everything_are_read_quickly() -> None:
    assert quickly(parse(json.dumps(FULL), Ledger()))
    assert all(quickly(row) for row in sample())


@pytest.mark.parametrize("n", HOW_MANY)
def test_spoilt_rows_come_out_as_they_would_with_care(tmp_path: Path, n: int) -> None:
    rows = [FULL, *random.Random(1).sample(sample(), 4)]
    path, kept = tmp_path / "x.jsonl", 0
    for seed in range(n):
        raw = lines(spoilt_values(rows, seed))
        path.write_bytes(spoilt_bytes(raw, seed) if seed % 3 == 0 else raw)
        quick, careful = both(path)
        assert quick == careful, seed
        kept += sum(isinstance(one, tuple) and isinstance(one[0], type) for one in quick)
    assert kept > n


def odd_rows() -> Iterator[Any]:
    """FULL with one value in another's place, or one more field, everywhere."""

    def places(value: Any) -> Iterator[tuple[Any, Any]]:
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            if isinstance(value[key], (dict, list)):
                yield from places(value[key])

    copy = json.loads(json.dumps(FULL))
    for holder, key in list(places(copy)):
        before = holder[key]
        for odd in ODD:
            holder[key] = odd
            yield copy
        holder[key] = before
        if isinstance(holder, dict):
            order = list(holder.items())
            for name in NAMES:
                if name not in holder:
                    for value in ("x", None, "", before):
                        holder[name] = value
                        yield copy
                        del holder[name]
            del holder[key]
            yield copy
            holder.clear()
            holder.update(order)


def test_every_odd_value_in_every_place_comes_out_as_it_would_with_care(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    n = quick_ones = 0
    with path.open("w", encoding="utf-8") as file:
        for row in odd_rows():
            file.write(json.dumps(row) + "\n")
            quick_ones += quickly(json.loads(json.dumps(row)))
            n += 1
    quick, careful = both(path)
    assert len(quick) == len(careful)
    for one, other in zip(quick, careful, strict=True):
        assert one == other
    assert n > 3_000
    assert 200 < quick_ones < n - 200  # both readers have had their say
    assert any(isinstance(one[2], Problem) for one in quick if isinstance(one, tuple))


# ── hashes ──


zones = st.sampled_from([UTC, ZoneInfo("UTC"), *(timezone(timedelta(minutes=m)) for m in (-180, 330, -1))])
times = st.none() | st.datetimes(timezones=zones).filter(lambda t: 2 < t.year < 9998)
words = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=5,
)  # fmt: skip
messages = st.builds(
    Message, role=st.sampled_from(["customer", "ai", "tool"]), kind=st.sampled_from(["text", "voice", "note"]),
    text=words, at=times, tool_call_id=st.none() | words, name=st.none() | words, is_error=st.none() | st.booleans(),
    tool_calls=st.lists(st.builds(ToolCall, name=st.just("x"), arguments=values), max_size=2),
    attributes=st.just({}) | st.dictionaries(words, values, max_size=2),
)  # fmt: skip
conversations = st.builds(
    partial(Conversation, conversation_id="c"), messages=st.lists(messages, max_size=4), started_at=times,
    queue=st.none() | words, channel=st.none() | words, truncated=st.booleans(),
    attributes=st.dictionaries(words, values, max_size=2),
)  # fmt: skip
LATER = {"state", "ai_version", "initiated_by", "excluded", "references", "truncated"}


def moment(at: Any) -> Any:
    return at and [at.astimezone(UTC).isoformat(), round(at.utcoffset() / timedelta(minutes=1))]


@given(conversations)
def test_the_hashes_are_those_of_the_canonical_json_of_the_whole(c: Conversation) -> None:
    """As they were first defined: one canonical JSON of everything at once. What is stored depends on it."""
    whole = {k: v for k, v in c.model_dump(mode="json").items() if v or k not in LATER}
    assert c.record_hash == digest("cr", whole)
    seen = {
        "channel": c.channel, "queue": c.queue, "started_at": moment(c.started_at), "tools_recorded": c.has_tools,
        "messages": [
            [m.role, m.kind, m.text, moment(m.at), m.tool_call_id, m.name, m.is_error,
             [[call.id, call.name, call.arguments] for call in m.tool_calls]]
            for m in c.messages
        ],
        "events": [],
    } | ({"truncated": True} if c.truncated else {})  # fmt: skip
    assert c.content_hash == digest("cv", seen)


def test_a_copy_with_other_messages_has_other_hashes() -> None:
    one = Conversation(conversation_id="c", messages=(Message(role="ai", text="a"), Message(role="ai", text="b")))
    before = one.content_hash, one.record_hash
    copy = one.model_copy(update={"messages": one.messages[:1]})
    fresh = Conversation(conversation_id="c", messages=(Message(role="ai", text="a"),))
    assert (copy.content_hash, copy.record_hash) == (fresh.content_hash, fresh.record_hash)
    assert (one.content_hash, one.record_hash) == before
    assert copy == fresh


# ── stored ──


def test_messages_of_every_kind_come_back_as_they_were(tmp_path: Path) -> None:
    whole = canonical.record(json.loads(json.dumps(FULL)), Ledger())
    assert isinstance(whole, Conversation)
    long = Conversation(
        conversation_id="long",
        messages=tuple(Message(role="ai", text=str(n) * 300_000, attributes={"n": n}) for n in range(10)),
    )
    with open_store(tmp_path / "x.duckdb") as store:
        store.add([(whole, None, None), (long, None, None)])
        assert [found.messages for found in store.conversations(["c-1", "long"])] == [whole.messages, long.messages]
        assert store.rows(
            "select number, sent_at, sent_offset_minutes, tool_calls::varchar, attributes::varchar "
            "from message where conversation_id = 'c-1' and number in (1, 2, 6) order by number"
        )[2][1:3] == (whole.messages[5].at.astimezone(UTC).replace(tzinfo=None), 330)  # type: ignore[union-attr]
        assert store.rows(
            "select count(*), min(number), max(number), count(tool_calls), count(attributes) from message "
            "where conversation_id = 'long'"
        ) == [(10, 1, 10, 0, 10)]
