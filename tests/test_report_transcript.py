"""Texts are cut, indented and made visible without losing or adding a word."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_data import calls, says, tells

from grader.model import Conversation, Event, Role
from grader.report.transcript import Quote, cut, day_of, indent_json, lines, visible, zone_of

SPANS = st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40), st.integers(1, 5)), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.text(max_size=40), SPANS)
def test_cut_texts_join_to_the_text_and_each_character_knows_who_quotes_it(
    text: str, spans: list[tuple[int, int, int]]
) -> None:
    segments = cut(text, spans)
    assert "".join(s.text for s in segments) == visible(text)
    at = 0
    for segment in segments:
        for index in range(at, at + len(segment.text)):
            assert set(segment.findings) == {f for a, b, f in spans if a <= index < b}
        at += len(segment.text)


@given(st.text())
def test_visible_texts_have_the_same_length_and_no_control_characters(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert not [c for c in shown if (ord(c) < 32 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0]


def test_control_characters_are_shown_as_pictures() -> None:
    assert visible("a\x00b\x1b[31m\x7f\x9b\t\n") == "a␀b␛[31m␡\ufffd\t\n"


@given(VALUES)
def test_indented_json_means_the_same(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert json.loads(indent_json(text)) == value


@given(st.text(alphabet='{}[]",:\\ \nab1') | st.text())
def test_indenting_adds_and_drops_nothing_but_white_space(text: str) -> None:
    assert "".join(indent_json(text).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text", ["", "plain", "{", "[}", '{"a": "never ends', "{} and more", "[1] [2]", "}{", '["a\\"']
)
def test_what_is_no_json_stays_as_it_is(text: str) -> None:
    assert indent_json(text) == text


def test_doubled_keys_and_digits_survive_indenting() -> None:
    assert indent_json('{"n":1.50,"n":1E400,"s":"a, b: {c}"}') == (
        '{\n  "n": 1.50,\n  "n": 1E400,\n  "s": "a, b: {c}"\n}'
    )  # fmt: skip


def test_deep_nesting_does_not_blow_the_text_up() -> None:
    deep = "[" * 20_000 + "1" + "]" * 20_000
    assert len(indent_json(deep)) < 40 * len(deep)


def at(hour: int, minute: int = 0, day: int = 3, offset: int = 0) -> datetime:
    return datetime(2026, 8, day, hour, minute, tzinfo=timezone(timedelta(hours=offset)))


def test_days_and_events_stand_between_the_messages_that_they_lie_between() -> None:
    conversation = Conversation(
        conversation_id="c",
        messages=(
            says("customer", "late", at(23, 50, offset=-3)),
            says("ai", "early", at(0, 10, day=4, offset=-3)),
            says("customer", "no time"),
        ),
        events=(
            Event(kind="handoff", after=2, at=at(3, 11, day=4), from_role=Role.AI, to_role=Role.HUMAN),
            Event(kind="closed", after=99),
            Event(kind="opened", after=0, note="by itself"),
        ),
    )
    assert [(line.number, line.day, line.time, line.event) for line in lines(conversation)] == [
        (None, "", "", "Opened (by itself)"),
        (1, "Mon 3 Aug 2026", "23:50", ""),
        (2, "Tue 4 Aug 2026", "00:10", ""),
        (None, "", "00:11", "Hand-off: AI → Human"),  # 03:11 UTC on the clock of the messages around it
        (3, "", "", ""),
        (None, "", "", "Closed"),
    ]


def marked(conversation: Conversation, *quotes: Quote) -> dict[tuple[int, int], str]:
    """(message, finding) → the text that is marked for it."""
    found: dict[tuple[int, int], str] = {}
    for line in lines(conversation, quotes):
        for segment in (s for piece in line.pieces for s in piece.segments):
            for finding in segment.findings:
                key = (line.number or 0, finding)
                found[key] = found.get(key, "") + segment.text
    return found


def test_quotes_are_marked_where_they_stand_also_when_they_overlap() -> None:
    conversation = Conversation(
        conversation_id="c",
        messages=(says("ai", "😡 It arrives “tomorrow”,\nby noon."), says("ai", "It arrives tomorrow.")),
    )
    quotes = [Quote(1, 1, 'arrives "tomorrow"'), Quote(2, 1, "tomorrow”, by noon"), Quote(3, 2, "It arrives"),
              Quote(4, 2, "stands nowhere")]  # fmt: skip
    assert marked(conversation, *quotes) == {
        (1, 1): "arrives “tomorrow”",
        (1, 2): "tomorrow”,\nby noon",
        (2, 3): "It arrives",
    }


def test_quotes_from_tool_data_are_marked_in_the_indented_text_also_where_only_the_raw_one_has_them() -> None:
    call = calls("create_return", {"order_id": "Q-1", "line": 1})
    conversation = Conversation(
        conversation_id="c", messages=(call, tells("create_return", '{"error":{"code":"CLOSED"}}'))
    )
    found = marked(
        conversation,
        Quote(1, 1, '"order_id": "Q-1", "line": 1'),
        Quote(2, 2, '{"error":{"code":"CLOSED"}}'),
    )
    assert found == {
        (1, 1): '"order_id": "Q-1",\n  "line": 1',
        (2, 2): '{\n  "error": {\n    "code": "CLOSED"\n  }\n}',
    }
    assert marked(conversation, Quote(1, 1, 'create_return {"order_id": "Q-1", "line": 1}')) == {
        (1, 1): 'create_return {"order_id": "Q-1", "line": 1}'
    }


def test_dates_and_zones_are_written_the_same_under_every_locale() -> None:
    assert day_of(datetime(2026, 3, 1, tzinfo=UTC)) == "Sun 1 Mar 2026"
    assert zone_of(at(1, offset=-4)) == "UTC−04:00"
    assert zone_of(datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=5, minutes=45)))) == "UTC+05:45"
    assert zone_of(at(1)) == "UTC"


def test_the_ai_and_colleagues_have_the_names_that_the_source_gives_and_nobody_else() -> None:
    conversation = Conversation(conversation_id="c", messages=(
        says("customer", "hi", name="Lia"), says("ai", "Hello.", name=" Luna "),
        says("ai", "Still here.", attributes={"author": {"name": "Luna"}}), says("ai", "No name."),
        says("human", "Hi, Dana here.", name="Dana"), tells("get_order", "{}"),
    ))  # fmt: skip
    assert [line.name for line in lines(conversation)] == ["", "Luna", "Luna", "", "Dana", ""]
