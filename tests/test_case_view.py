"""What a case tells: returns, what it follows, what judging it cost, and lines that a chat is drawn from."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from report_data import T0, World, calls, present, priced, says, tells, world
from talk_parts import everything

from grader import language, outcomes
from grader.model import Conversation, Message, Role, ToolCall
from grader.report.case_view import CaseView, case_view
from grader.report.transcript import language_tag, lines


def viewed(w: World, name: str) -> CaseView:
    [case] = outcomes.cases(w.store, None, [name])
    return case_view(case, outcomes.policies(w.store))


def test_returns_name_what_both_are_about_and_lead_both_ways(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        everything(w)
        first, last = viewed(w, "talk-1"), viewed(w, "talk-2")
    assert [(r.id, r.references) for r in first.after.returns] == [("talk-2", ("order Q-22034",)), ("talk-3", ())]
    assert [r.id for r in first.after.before] == ["talk-0"]
    assert [r.id for r in last.after.before] == ["talk-1", "talk-0"]
    assert first.afterwards == "The customer came back 2 days later about the same order."
    assert first.lang == "pt-BR"


def test_what_is_not_yet_known_says_until_when(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.talk("a", contact="+5511987650001")
        w.talk("b", contact="+5511987650002", start=T0 + timedelta(days=3))
        w.judged("a")
        w.finish()
        assert viewed(w, "a").afterwards == (
            "The customer has not come back by the data end, Thu 6 Aug 2026. Not yet known: the 7 days end "
            "Mon 10 Aug 2026."
        )


def test_a_call_that_answered_several_rubrics_says_so_and_an_unknown_price_is_unknown(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.talk("a")
        w.judged("a", "accuracy", {"invented_deadline": present("tomorrow")}, call=priced(0.00004))
        w.judged("a", "behavior", {"missed_escalation": present("tomorrow")}, call=priced(None))
        w.judged("a", "experience")
        w._judgements = [
            j.model_copy(update={"call_id": w._calls[0].call_id}) if j.rubric == "experience" else j
            for j in w._judgements
        ]
        w.judged("a", "accuracy", {"invented_deadline": "absent"})  # asked once more
        w.finish()
        told = {f.code: (f.judged, f.cost, f.repeats) for f in viewed(w, "a").findings}
    assert told["invented_deadline"] == (
        "By judge-1 on Sat 31 Oct 2026", "0.000040 USD for the call, shared with experience",
        "Asked 2 times, this answer 1 of 2",
    )  # fmt: skip
    assert told["missed_escalation"][1:] == ("cost not known", "")


@pytest.mark.parametrize(
    ("code", "tag"),
    [("pt_BR", "pt-BR"), ("PT", "pt"), ("en-us", "en-US"), ("zh_hant_tw", "zh-Hant-TW"), ("es-419", "es-419"),
     ("por", "pt"),
     ("fil", "fil"), ("he", "he"), ("br", ""), ("und", ""), ("portuguese", ""), ("xx", ""), ("", ""), (None, ""),
     ('pt" onload="x', "")],
)  # fmt: skip
def test_a_language_is_told_only_where_the_code_is_one(code: str | None, tag: str) -> None:
    assert language_tag(code) == tag


def paired(*messages: Message) -> list[tuple[int | None, list[int | None], int | None]]:
    found = lines(Conversation(conversation_id="c", messages=messages))
    return [(line.number, [piece.result for piece in line.pieces], line.answers) for line in found]


def two(*names: str) -> Message:
    made = tuple(ToolCall(id=f"id_{n}", name=name) for n, name in enumerate(names))
    return says("ai", "", kind="tool_call").model_copy(update={"tool_calls": made})


def test_a_result_stands_with_its_call_by_id_else_by_name() -> None:
    first = tells("get", "1").model_copy(update={"tool_call_id": "id_1"})
    second = tells("get", "2").model_copy(update={"tool_call_id": "id_0"})
    assert paired(two("get", "get"), first, second) == [(1, [3, 2], None), (2, [None], 1), (3, [None], 1)]
    assert paired(calls("get", {}), tells("get", "1")) == [(1, [2], None), (2, [None], 1)]


def test_a_result_that_somebody_spoke_before_or_that_nobody_asked_for_stands_alone() -> None:
    assert paired(calls("get", {}), says("customer", "?"), tells("get", "1"))[2] == (3, [None], None)
    assert paired(calls("get", {}), tells("other", "1"))[1] == (2, [None], None)


def test_long_silences_and_lengths_are_told() -> None:
    said = (
        says("customer", "a", T0, kind="voice", attributes={"duration": 75.4}),
        says("ai", "b", T0 + timedelta(minutes=29)),
        says("ai", "c", T0 + timedelta(minutes=59)),
        says("customer", "d", T0 + timedelta(hours=4), kind="voice", attributes={"duration": True}),
    )
    found = lines(Conversation(conversation_id="c", messages=said))
    assert [(line.wait, line.length) for line in found] == [
        ("", "1:15"), ("", ""), ("30 minutes later", ""), ("3 hours later", "")
    ]  # fmt: skip
    with language.use("pt"):
        assert lines(Conversation(conversation_id="c", messages=said))[3].wait == "3 horas depois"


def test_only_colleagues_have_their_names_told() -> None:
    said = (
        says("human", "a", attributes={"author": {"name": "Carla", "id": 4}}),
        says("human", "b").model_copy(update={"name": "Rui"}),
        says("customer", "c").model_copy(update={"name": "Lia"}),
        Message(role=Role.HUMAN, text="d", attributes={"sender": "Ana"}),
    )
    found = lines(Conversation(conversation_id="c", messages=said))
    assert [line.name for line in found] == ["Carla", "Rui", "", "Ana"]
