"""What acts come to: pure, and the same whenever a journal is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import RefusedError
from grader.review.acts import Act, ItemState, Said, parsed, read, written

T0 = datetime(2026, 11, 30, tzinfo=UTC)
ASKED = ("accuracy.a", "accuracy.b")


def act(kind: str, question: str | None = None, answer: str | None = None, n: int = 0, **more: Any) -> Act:
    given_ = frozenset(name for name in ("message", "quote", "note") if name in more)
    questions = ASKED if kind == "submit" else ()
    return Act(f"x{n}", "it_1", kind, T0 + timedelta(seconds=n), question, answer, given=given_,
               **{"questions": questions, "text_hash": "tx", **more})  # fmt: skip


def done(*acts: Act, state: ItemState | None = None) -> ItemState:
    state = state or ItemState("it_1")
    for one in acts:
        state.check(one, ASKED)
        state.do(one)
    return state


A, B = (act("answer", q, "absent") for q in ASKED)
SUBMIT = act("submit")


def test_an_item_goes_from_new_to_begun_to_submitted_and_settles_every_answer() -> None:
    state = ItemState("it_1")
    assert state.state(ASKED) == "new"
    done(A, state=state)
    assert state.state(ASKED) == "begun"
    assert state.settled == []
    done(B, SUBMIT, state=state)
    assert state.state(ASKED) == "submitted"
    assert [(s.question, s.said.answer, s.seen) for s in state.settled] == [(q, "absent", False) for q in ASKED]


def test_what_is_open_keeps_an_item_from_being_submitted_and_is_named() -> None:
    with pytest.raises(RefusedError, match=r"accuracy\.b") as refused:
        done(A, SUBMIT)
    assert refused.value.status == 409


def test_undo_takes_back_the_latest_act_and_after_submit_reopens_the_item() -> None:
    state = done(A, B, SUBMIT, act("undo"))
    assert state.state(ASKED) == "begun"
    done(act("undo"), state=state)
    assert state.open(ASKED) == ["accuracy.b"]
    done(act("undo"), state=state)
    with pytest.raises(RefusedError, match="nothing to undo"):
        done(act("undo"), state=state)


def test_an_answer_that_is_submitted_again_and_differs_is_a_second_label_and_the_same_one_is_none() -> None:
    state = done(A, B, SUBMIT, act("undo"), act("answer", ASKED[0], "present"), act("submit"))
    assert [(s.question, s.said.answer) for s in state.settled] == [
        ("accuracy.a", "absent"), ("accuracy.b", "absent"), ("accuracy.a", "present"),
    ]  # fmt: skip
    assert state.standing[ASKED[0]].answer == "present"


def test_after_the_reveal_nothing_blind_can_be_changed_and_a_change_is_a_label_of_its_own() -> None:
    state = done(A, B, SUBMIT)
    state.do(act("revealed", questions=ASKED))
    for forbidden in (act("undo"), act("answer", ASKED[0], "present"), act("evidence", ASKED[0], message=1, quote="x")):
        with pytest.raises(RefusedError, match="the verdict was shown"):
            done(forbidden, state=state)
    done(act("change", ASKED[0], "present", n=5), state=state)
    assert [(s.said.answer, s.seen) for s in state.settled] == [("absent", False), ("absent", False), ("present", True)]
    assert state.standing[ASKED[0]].answer == "absent"
    done(act("undo", n=6), state=state)
    assert [(s.said.answer, s.seen) for s in state.settled][-1] == ("absent", True)
    with pytest.raises(RefusedError, match="the verdict was shown"):
        done(act("undo", n=7), state=state)


def test_a_change_before_the_reveal_is_refused() -> None:
    with pytest.raises(RefusedError, match="was not shown yet"):
        done(A, B, SUBMIT, act("change", ASKED[0], "present"))


def test_words_that_prove_an_answer_stay_with_it_and_go_with_it() -> None:
    state = done(act("answer", ASKED[0], "present"), act("evidence", ASKED[0], message=2, quote="said so"))
    assert state.look().answers[ASKED[0]] == Said("present", 2, "said so")
    done(act("answer", ASKED[0], "present", note="why"), state=state)
    assert state.look().answers[ASKED[0]] == Said("present", 2, "said so", "why")
    done(act("answer", ASKED[0], "absent"), state=state)
    assert state.look().answers[ASKED[0]].quote is None


def test_words_that_are_selected_before_the_answer_are_kept_for_it() -> None:
    state = done(act("evidence", ASKED[0], message=2, quote="said so"), act("answer", ASKED[0], "present"))
    assert state.look().answers[ASKED[0]] == Said("present", 2, "said so")


def test_the_items_note_stands_with_answers_that_have_none_of_their_own() -> None:
    state = done(act("answer", ASKED[0], "absent", note="mine"), B, act("note", note="of all"), SUBMIT)
    assert [s.said.note for s in state.settled] == ["mine", "of all"]


def test_an_answer_of_null_withdraws_it() -> None:
    assert done(A, act("answer", ASKED[0], None)).open(ASKED) == list(ASKED)


def test_what_the_database_had_is_submitted_until_it_is_reopened() -> None:
    state = ItemState("it_1")
    for q in ASKED:
        state.do(act("imported", q, "absent"))
    assert state.settled == []
    assert state.state(ASKED) == "submitted"
    done(act("undo"), act("answer", ASKED[1], "present"), act("submit"), state=state)
    assert [(s.question, s.said.answer) for s in state.settled] == [("accuracy.b", "present")]


def test_a_part_that_the_database_had_is_no_submitted_item_when_the_last_answer_comes() -> None:
    state = ItemState("it_1")
    state.do(act("imported", ASKED[0], "absent"))
    assert state.state(ASKED) == "begun"
    done(B, state=state)
    assert state.state(ASKED) == "begun"
    done(SUBMIT, state=state)
    assert [s.question for s in state.settled] == ["accuracy.b"]


def test_a_question_that_was_asked_since_reopens_a_decided_item_for_itself_alone() -> None:
    state = ItemState("it_1")
    state.do(A)
    state.do(act("submit", questions=ASKED[:1]))
    state.do(act("revealed", questions=ASKED[:1]))
    assert state.state(ASKED) == "begun"
    done(B, act("submit"), state=state)
    assert [s.question for s in state.settled] == list(ASKED)


_ACTS = st.lists(
    st.one_of(
        st.builds(act, st.just("answer"), st.sampled_from(ASKED), st.sampled_from(["present", "absent", None])),
        st.builds(act, st.just("change"), st.sampled_from(ASKED), st.sampled_from(["present", "absent"])),
        st.builds(act, st.sampled_from(["undo", "submit", "defer", "undefer"])),
        st.just(act("revealed", questions=ASKED)),
    ),
    max_size=30,
)


@given(_ACTS)
def test_a_journal_read_again_gives_the_same_state_and_the_same_labels(acts: list[Act]) -> None:
    state, taken = ItemState("it_1"), []
    for n, one in enumerate(acts):
        one = read({**written(one), "id": str(n)})
        try:
            state.check(one, ASKED)
        except RefusedError:
            continue
        state.do(one)
        taken.append(one)
    again = ItemState("it_1")
    for one in [read(written(one)) for one in taken]:
        again.do(one)
    assert again == state
    for q in ASKED:  # what stands as the reference was never given after the reveal
        first = next((n for n, one in enumerate(taken) if one.kind == "revealed"), len(taken))
        blind = ItemState("it_1")
        for one in taken[: first + 1]:
            blind.do(one)
        if q in blind.standing:
            assert state.standing[q] == blind.standing[q]


@pytest.mark.parametrize("body", [
    {}, {"kind": "drop"}, {"kind": 3}, {"kind": "answer", "id": "a"}, {"kind": "answer", "id": "a", "item": "b"},
    {"kind": "answer", "id": "a", "item": "b", "question": "q", "answer": 7},
    {"kind": "answer", "id": "a", "item": "b", "question": ["q"], "answer": "x"},
    {"kind": "answer", "id": "a", "item": "b", "question": "q", "answer": "x", "message": "2"},
    {"kind": "answer", "id": "a", "item": "b", "question": "q", "answer": "x", "message": True},
    {"kind": "answer", "id": "a", "item": "b", "question": "q", "answer": "x", "message": 0},
    {"kind": "time", "id": "a", "item": "b", "seconds": -1}, {"kind": "time", "id": "a", "item": "b", "seconds": "1"},
    {"kind": "note", "id": "a", "item": "b", "text": "x" * 10_001}, {"kind": "submit", "id": "", "item": "b"},
    {"kind": "submit", "id": "x" * 101, "item": "b"}, {"kind": "change", "id": "a", "item": "b", "question": "q"},
])  # fmt: skip
def test_what_is_no_act_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        parsed(body, T0)
    assert refused.value.status == 400


def test_what_no_database_keeps_is_mended_in_a_text() -> None:
    got = parsed({"kind": "note", "id": "a", "item": "b", "text": "a\ud800b\0c"}, T0)
    assert got.note == "a?b\ufffdc"
