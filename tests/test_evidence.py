"""Does a quote stand where the judge says? Known answers, and what must hold for any text."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.evidence import Transcript, locate, searchable
from grader.model import Kind, Message, Policy, Role, ToolCall
from grader.text import fold_text, neutralise

EVERYBODY = tuple(role.value for role in Role)


def says(role: str, text: str, **fields: Any) -> Message:
    return Message(role=Role(role), text=text, **fields)


def calls(name: str, arguments: Any, text: str = "", role: str = "ai") -> Message:
    return Message(
        role=Role(role), kind=Kind.TOOL_CALL, text=text, tool_calls=(ToolCall(name=name, arguments=arguments),)
    )


TALK = Transcript([
    says("customer", "Hi, my order A-17 hasn’t come — where is it?"),
    calls("get_order", {"order_id": "A-17", "note": 'the "big" one'}),
    says("tool", '{"status": "shipped", "eta": "2026-03-04"}', kind=Kind.TOOL_RESULT, name="get_order"),
    says("ai", "It will arrive tomorrow, 100% guaranteed. Anything else?"),
    says("customer", "ok"),
    says("customer", "👍🏽"),
    says("human", "Hello, this is Ana."),
])  # fmt: skip


@pytest.mark.parametrize(
    ("number", "quote", "proof", "problem"),
    [
        (4, "It will arrive tomorrow", ("ai",), None),
        (4, "arrive   tomorrow,\n100%", ("ai",), None),
        (1, "hasn't come - where", ("customer",), None),
        (4, '"It will arrive tomorrow…"', ("ai",), None),
        (4, "[...] arrive tomorrow ...", ("ai",), None),
        (3, '{\\"status\\": \\"shipped\\"', ("tool",), None),
        (3, '"status": "shipped"', ("tool",), None),
        (2, 'get_order {"order_id": "A-17"', ("tool",), None),
        (2, '"order_id": "A-17"', ("ai",), None),
        (2, 'the \\"big\\" one', ("ai",), None),  # as the call's JSON has it
        (3, "get_order", ("tool",), None),
        (5, "ok", ("customer",), None),
        (6, "👍🏽", ("customer",), None),
        (4, "It will arrive Tomorrow", ("ai",), "not_found"),
        (4, "It arrives tomorrow", ("ai",), "not_found"),
        (4, "It will arrive tomorrow.", ("ai",), "not_found"),  # the sentence went on
        (4, "It will … guaranteed", ("ai",), "not_found"),
        (4, "", ("ai",), "not_found"),
        (4, "…", ("ai",), "not_found"),
        (4, "It", ("ai",), "too_short"),
        (4, "10", ("ai",), "too_short"),
        (1, "It will arrive tomorrow", ("ai",), "wrong_message"),
        (4, "It will arrive tomorrow", ("human", "tool"), "wrong_role"),
        (2, "get_order", ("customer",), "wrong_role"),
        (3, "shipped", ("ai",), "wrong_role"),
        (0, "It will arrive tomorrow", ("ai",), "no_such_message"),
        (8, "It will arrive tomorrow", ("ai",), "no_such_message"),
        (-1, "It will arrive tomorrow", ("ai",), "no_such_message"),
        (10**30, "It will arrive tomorrow", ("ai",), "no_such_message"),
        (7, "this is Ana", ("human",), None),
    ],
)  # fmt: skip
def test_known_quotes(number: int, quote: str, proof: tuple[str, ...], problem: str | None) -> None:
    evidence = TALK.check(number, quote, proof)
    assert evidence.problem == problem
    assert evidence.verified == (problem is None)
    assert (evidence.message, evidence.quote) == (number, quote)


def test_the_words_beside_a_call_are_the_agents_alone_and_the_call_is_the_tools_too() -> None:
    talk = Transcript([calls("refund", {"amount": 5}, text="I have refunded you now.")])
    assert talk.check(1, "refunded you now", ("tool",)).problem == "wrong_role"
    assert talk.check(1, "refunded you now", ("ai",)).verified
    assert talk.check(1, '"amount": 5', ("tool",)).verified
    assert talk.check(1, "you now. refund {", ("ai",)).problem == "not_found"  # two passages are no passage


def test_a_customer_who_writes_a_tool_call_proves_nothing_about_tools() -> None:
    talk = Transcript([calls("refund", {"amount": 5}, role="customer")])
    assert talk.check(1, "refund", ("tool", "ai")).problem == "wrong_role"


def test_a_re_ask_can_say_where_the_words_stand() -> None:
    assert TALK.found_in("arrive tomorrow") == 4
    assert TALK.found_in("nobody said this") is None
    assert TALK.found_in("") is None


def test_a_clause_must_stand_in_a_policy_that_was_in_force() -> None:
    talk = Transcript([], [Policy(policy_id="p", text="R1. Returns within 30 days.\nR2. Unworn – with tags.")])
    assert talk.check_clause("Returns within 30 days").verified
    assert talk.check_clause("“Unworn - with tags.”").verified
    assert talk.check_clause("30 days. R2. Unworn").verified
    for clause, problem in (("Returns within 60 days", "not_found"), ("R1", "too_short"), ("", "too_short")):
        assert talk.check_clause(clause).problem == problem
    assert Transcript([]).check_clause("Returns within 30 days").problem == "not_found"


messages = st.text(min_size=3, max_size=80)


@settings(max_examples=200)
@given(messages, st.integers(0, 77), st.integers(3, 80))
def test_any_piece_with_three_letters_verifies_and_is_located(text: str, start: int, length: int) -> None:
    piece = text[start % (len(text) - 2) :][:length]
    evidence = Transcript([says("ai", text)]).check(1, piece, ("ai",))
    if sum(c.isalnum() for c in piece) >= 3:
        assert evidence.verified
        assert locate(text, piece) is not None
    elif not evidence.verified:
        assert evidence.problem in ("too_short", "not_found")


@settings(max_examples=200)
@given(messages)
def test_what_the_judge_was_shown_verifies_against_what_is_stored(text: str) -> None:
    shown = neutralise(text)
    evidence = Transcript([says("ai", text)]).check(1, shown, ("ai",))
    assert evidence.verified or not fold_text(shown)


words = st.lists(st.text(alphabet="abcdefghijklmnopqrstuvwxyzäöéçñ", min_size=2, max_size=9), min_size=3, max_size=8)


@settings(max_examples=100)
@given(words, st.data())
def test_one_changed_letter_and_it_is_not_found(some: list[str], data: st.DataObject) -> None:
    text = " ".join(some)
    at = data.draw(st.sampled_from([i for i, c in enumerate(text) if c != " "]))
    quote = text[:at] + "X" + text[at + 1 :]
    assert Transcript([says("ai", text)]).check(1, quote, ("ai",)).problem == "not_found"
    assert locate(text, quote) is None


@settings(max_examples=100)
@given(words, st.sampled_from([" \n ", "\u00a0", " \u200b", "\t", "\u3000"]))
def test_other_white_space_and_invisible_characters_make_no_difference(some: list[str], blank: str) -> None:
    talk = Transcript([says("ai", "so: " + " ".join(some) + ".")])
    assert talk.check(1, blank.join(some), ("ai",)).verified


@settings(max_examples=150)
@given(st.lists(messages, max_size=4), st.integers(-3, 7), st.text(max_size=30), st.lists(st.sampled_from(EVERYBODY)))
def test_any_quote_gets_a_plain_answer(some: list[str], number: int, quote: str, proof: list[str]) -> None:
    evidence = Transcript([says("ai", text) for text in some]).check(number, quote, proof)
    assert evidence.verified == (evidence.problem is None)
    if evidence.verified:
        assert locate(searchable(says("ai", some[number - 1])), quote) is not None


def test_a_located_quote_is_given_in_the_originals_characters() -> None:
    text = "Ol\u0061\u0301, isso na\u0303o   da\u0301 — “sério”?"
    span = locate(text, 'não dá - "sério"')
    assert span is not None
    assert text[slice(*span)] == "na\u0303o   da\u0301 — “sério”"
    assert locate("abc", "") is None
    assert locate("", "abc") is None
    assert locate("a b", " ") is None


@pytest.mark.parametrize(
    "text", ["ab " * 66_000 + "end", "é " * 100_000 + "end", "e" + "\u0301\u0316" * 99_000 + " end"]
)
def test_two_hundred_thousand_characters_are_searched_fast(text: str) -> None:
    talk = Transcript([says("ai", text)] * 3)
    started = time.process_time()
    for n in range(40):
        talk.check(1 + n % 3, f"no such words {n}", ("ai",))
        talk.check(1 + n % 3, " end", ("ai",))
    locate(text, "b\u00a0end")
    locate(text, "x" + text[:4_000] + "y")
    assert time.process_time() - started < 3
