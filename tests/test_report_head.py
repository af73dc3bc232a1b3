"""The head of the page: what the run is about, what it cost, and what must be known before a figure is believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_data import RUBRICS, T0, World, present, priced, says, world
from test_report import Reading, page

from grader import outcomes
from grader.model import Support, Verdict
from grader.report.head import Fact, banners, facts


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def read(w: World) -> str:
    return Reading(page(w)).plain


def fact(w: World, name: str) -> Fact | None:
    from datetime import UTC

    return next((f for f in facts(outcomes.figures(w.store), UTC) if f.name == name), None)


# ── what it is about ──


@pytest.mark.parametrize(
    ("judged", "n_population", "selection", "value", "detail"),
    [
        (3, 3, {}, "all 3", "the database holds 5 now"),
        (3, 5, {"sample": 3}, "3 of 5", "drawn at random, seed 1"),
        (2, 2, {"select": [["queue", "returns"]]}, "2 of 5", "in the database now, selected by queue:returns"),
        (1, 2, {"select": [["queue", "returns"], ["since", "2026-09-01"]], "sample": 1}, "1 of 5",
         "in the database now, drawn at random (seed 1) from 2 selected by queue:returns, since:2026-09-01"),
        (5, 5, {"select": [["id", f"c{n}"] for n in range(20)]}, "5 of 5",
         "in the database now, selected by id:c0, id:c1, id:c2, id:c3, id:c4, id:c5 and 14 more"),
    ],
)  # fmt: skip
def test_it_says_of_how_many_conversations_and_how_they_were_chosen(
    empty: World, judged: int, n_population: int, selection: dict[str, Any], value: str, detail: str
) -> None:
    for n in range(5):
        empty.talk(f"c{n}")
    for n in range(judged):
        empty.judged(f"c{n}")
    empty.finish(n_population=n_population, selection=selection)
    assert fact(empty, "Conversations") == Fact("Conversations", value, detail)
    assert f"Conversations {value} {detail}" in read(empty)


# ── what it cost ──


def test_each_amount_says_what_it_is_of(empty: World) -> None:
    for name in ("a", "b"):
        empty.talk(name)
        empty.judged(name, call=priced(0.004), reused=name == "a")
    empty.finish()
    paid, each = fact(empty, "Cost"), fact(empty, "Cost per conversation")
    assert paid is not None
    assert paid.value == "0.004 USD paid by this run"
    assert paid.detail.startswith("1 call ·")
    detail = "0.008 USD for 2 judged conversations, 0.004 USD of it paid by other runs"
    assert each == Fact("Cost per conversation", "0.004 USD", detail)


def test_a_run_that_paid_for_all_names_no_other(empty: World) -> None:
    empty.talk("a")
    empty.judged("a", call=priced(0.004))
    empty.finish()
    assert fact(empty, "Cost per conversation") == Fact(
        "Cost per conversation", "0.004 USD", "0.004 USD for 1 judged conversation"
    )


def test_an_unknown_price_is_shown_as_unknown(empty: World) -> None:
    empty.talk("a")
    empty.judged("a", call=priced(None))
    empty.finish()
    text = read(empty)
    assert "Cost unknown: 1 of 1 calls without a price" in text
    assert "Cost per conversation unknown: 1 of 1 calls without a price" in text


def test_a_run_without_calls_cost_nothing_and_names_no_price_of_a_conversation(empty: World) -> None:
    empty.talk("a")
    empty.judged("a", judge="signals", model="signals-1")
    empty.finish(judge="signals")
    assert fact(empty, "Cost") == Fact("Cost", "nothing: no calls in this run")
    assert fact(empty, "Cost per conversation") is None


# ── what judged it ──


def test_signals_say_what_they_are_and_what_they_decide(empty: World) -> None:
    empty.talk("a")
    others = dict.fromkeys(RUBRICS["accuracy"].codes, "cannot_assess")
    empty.judged("a", "accuracy", {**others, "invented_deadline": present("tomorrow")}, judge="signals", model="s")
    empty.finish(judge="signals", model="signals-1")
    text = read(empty)
    assert "Offline signals, not an LLM judge" in text
    assert "Fixed rules decided 1 of 6 codes (accuracy 1 of 6)" in text
    assert "5 codes not decided" in text
    assert "accuracy 1.0.0: Close topics confused" in text
    assert "No critical code could be assessed, so nothing is known." in text
    assert "0 of" not in " ".join(banner.title for banner in banners(outcomes.figures(empty.store)))


@pytest.mark.parametrize(("judge", "who"), [("signals", "the offline detectors"), ("llm", "the judge")])
def test_a_rubric_of_which_nothing_was_decided_is_named(empty: World, judge: str, who: str) -> None:
    n = len(RUBRICS["accuracy"].codes)
    ruled = Verdict(criterion="-", answer="not_applicable", support=Support.RULED)
    others = dict.fromkeys(RUBRICS["accuracy"].codes, "cannot_assess")
    empty.talk("a")
    empty.judged("a", "accuracy", {**others, "invented_deadline": ruled}, judge=judge)
    empty.judged("a", "resolution", judge=judge)
    empty.failed("a", "behavior")
    empty.finish(judge=judge)
    titles = [banner.title for banner in banners(outcomes.figures(empty.store))]
    assert [title for title in titles if "0 of" in title] == [f"accuracy 1.0.0: 0 of {n} codes decided by {who}"]


# ── how it ended, and what is missing now ──


STATES = {
    "budget": "This run stopped when its budget was reached.",
    "interrupted": "This run was interrupted.",
    "refused": "This run stopped because the endpoint refused to go on (key, model or quota).",
    "aborted": "This run broke off, because of an error or too many failures.",
    "incomplete": "This run could not get every judgement.",
    "running": "This run is still going on, or was killed.",
    "something new": "This run ended as “something new”.",
}


def told(w: World, state: str) -> list[tuple[str, str, str]]:
    """The banners of run_1, had it ended like this."""
    w.store.rows("update run set state = ? where run_id = 'run_1'", [state])
    return [(b.kind, b.title, b.text) for b in banners(outcomes.figures(w.store, "run_1"))]


def test_how_a_run_ended_is_told_in_words_with_what_is_missing(empty: World) -> None:
    empty.talk("a")
    empty.judged("a")
    empty.pending("a", "behavior")
    empty.failed("a", "experience", detail="the endpoint hung up")
    empty.finish(state="interrupted")
    missing = "Of 3 judgements, 1 is still to be made and 1 failed."
    cure = "The same grader grade command goes on where this run stopped."  # the failure may pass by itself
    for state, ended in STATES.items():
        assert told(empty, state) == [("warning", "Judgements are missing", f"{ended} {missing} {cure}")]
    assert told(empty, "complete") == [("warning", "Judgements are missing", f"{missing} {cure}")]
    text = read(empty)
    assert missing in text
    assert "Could not be judged" in text
    assert "the endpoint hung up" in text


def test_what_a_later_run_made_is_no_longer_called_missing(empty: World) -> None:
    empty.talk("a")
    empty.pending("a")
    empty.finish()
    empty.judged("a", in_run=False)
    empty.finish("run_2")
    empty.store.rows("update judgement set key = 'vk_a_accuracy_0'")
    empty.store.rows("update verdict set key = 'vk_a_accuracy_0'")
    for state, ended in STATES.items():
        assert told(empty, state) == [
            ("notice", "Complete by now", f"{ended} All of its judgements are there by now.")
        ]  # fmt: skip
    assert told(empty, "complete") == []


def test_a_run_that_is_about_nothing_says_so(empty: World) -> None:
    empty.finish()
    [(kind, title, text)] = told(empty, "refused")
    assert (kind, title) == ("warning", "Nothing was judged")
    assert text == f"{STATES['refused']} No conversation is part of it."


def test_a_failure_that_will_not_pass_by_itself_is_tried_again_only_when_asked_to(empty: World) -> None:
    empty.talk("a")
    empty.failed("a", cause="too_long", retryable=False)
    empty.finish(state="incomplete")
    [banner] = banners(outcomes.figures(empty.store))
    assert banner.text.endswith(
        "Of 1 judgement, 1 failed. The same grader grade command with --retry-failed tries again."
    )
    empty.talk("b")
    empty.pending("b")
    empty.finish("run_2", state="incomplete")
    [banner] = banners(outcomes.figures(empty.store, "run_2"))
    assert banner.text.endswith("goes on where this run stopped; with --retry-failed it tries the rest again, too.")


def test_a_complete_run_has_nothing_to_say_of_its_end(empty: World) -> None:
    empty.talk("a")
    empty.judged("a")
    empty.finish()
    assert banners(outcomes.figures(empty.store)) == ()


def test_uneven_sampling_is_told(empty: World) -> None:
    for name, chance in (("a", 0.2), ("b", 1.0)):
        empty.talk(name)
        empty.judged(name, probability=chance)
    empty.finish()
    said = read(empty)
    assert "Weighted sample" in said
    # One drawn with a chance of 0.2 stands for five, the other for itself.
    assert "weighted to the 6 conversations that they were drawn from" in said
    assert "1 of 5 drawn, each counts as 5" in said


# ── who came back, where most of it is not known ──


def test_a_same_issue_rate_of_which_most_is_unknown_is_shown_between_its_ends(empty: World) -> None:
    """5 people, of whom 3 came back; none of those returns was judged."""
    from datetime import timedelta

    for n in range(5):
        contact = f"+551199999030{n}"
        empty.talk(f"a{n}", says("customer", f"{n}", T0), contact=contact)
        empty.judged(f"a{n}", "resolution", {"contact_reason": "exchange"})
        if n < 3:
            empty.talk(f"b{n}", says("customer", f"again {n}", T0), contact=contact, start=T0 + timedelta(days=2))
    empty.talk("end", start=T0 + timedelta(days=40))
    empty.finish()
    text = read(empty)
    between = "The figure lies between all of these being about another issue and all about the same."
    for words in (
        "Came back within 7 days, same issue 0 to 60.0 %",
        "0 to 3 of 5 conversations whose 7 days are over",
        f"Issue not known: 3 of the 3 that came back. {between}",
        "About anything: 60.0 % (3 of 5)",
        "Of those judged resolved: 0 % to 60.0 % (0 to 3 of 5)",
        "Same issue within 24 h: 0 % (0 of 5); 72 h: 0 % to 60.0 % (0 to 3 of 5)",
    ):
        assert words in text, words
