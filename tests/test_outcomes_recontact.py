"""Who came back: closed windows only, exact edges, known identities, and a brute-force count to compare with."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from report_data import T0, World, says, world

from grader import outcomes
from grader.outcomes import Bounds, Recontact, Share
from grader.report.case_view import case_view

ANA, BEN, CLEO = "+5511999990001", "+5511999990002", "+5511999990003"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def recontacts(w: World) -> dict[int, Recontact]:
    """Over all queues, without the longest window, which these worlds are too short for."""
    return {r.window_hours: r for r in outcomes.figures(w.store).recontacts if r.overall and r.window_hours < 720}


def test_only_windows_that_have_closed_count(empty: World) -> None:
    """Data end: day 10, 10 minutes. A's clock ends on day 0, B's on day 5, C's on day 9."""
    w = empty
    w.talk("a", contact=ANA)
    w.talk("a2", contact=ANA, start=T0 + timedelta(days=2))
    w.talk("b", contact=BEN, start=T0 + timedelta(days=5))
    w.talk("c", contact=CLEO, start=T0 + timedelta(days=9))
    w.talk("c2", contact=CLEO, start=T0 + timedelta(days=10))
    for name in ("a", "b", "c"):
        w.judged(name)
    w.finish()
    day, three, week = recontacts(w).values()
    # 24 h: closed for a, b, c (day 9 + 24 h = day 10, 10 min = data end); c came back 23 h 50 min later
    assert (day.came_back, day.n_not_yet_known) == (Share(1, 3), 0)
    # 72 h: c's window is open: its early return must not count either
    assert (three.came_back, three.n_not_yet_known) == (Share(1, 2), 1)
    # 7 d: only a's has closed
    assert (week.came_back, week.n_not_yet_known) == (Share(1, 1), 2)
    assert week.data_end == datetime(2026, 8, 13, 14, 10)  # noqa: DTZ001 - the database keeps UTC without a zone


def test_the_edges_of_a_window_and_of_the_gap_are_exact(empty: World) -> None:
    w = empty
    end = T0 + timedelta(minutes=10)
    starts = {
        "in_gap": timedelta(minutes=15),
        "after_gap": timedelta(minutes=15, seconds=1),
        "at_24h": timedelta(hours=24),
        "past_24h": timedelta(hours=24, seconds=1),
    }
    for n, (name, later) in enumerate(starts.items()):
        w.talk(name, contact=f"+551199999010{n}")
        w.talk(f"{name}_next", contact=f"+551199999010{n}", start=end + later)
        w.judged(name)
    w.talk("late", start=T0 + timedelta(days=30))
    w.finish()
    day = recontacts(w)[24]
    assert day.n_continued == 1  # in_gap: the same conversation going on
    assert day.came_back == Share(2, 3)  # after_gap and at_24h, of the three whose clock runs


def test_without_identity_or_time_nothing_is_known(empty: World) -> None:
    w = empty
    w.talk("nobody")
    w.talk("anon", contact="anonymous")
    w.talk("timeless", contact=ANA, start=None)
    w.talk("other", contact=BEN, start=T0 + timedelta(days=30))
    for name in ("nobody", "anon", "timeless"):
        w.judged(name)
    w.finish()
    week = recontacts(w)[168]
    assert (week.n_no_identity, week.n_no_time, week.came_back) == (2, 1, Share(0, 0))
    assert week.came_back.rate is None


def asked(w: World, name: str, contact: str, *, day: float = 0, reason: str | None = None, text: str = "") -> str:
    """A conversation with words of its own, so that no other has the same content."""
    at = T0 + timedelta(days=day)
    words = (says("customer", f"{text or name}: a question", at), says("ai", "An answer.", at))
    return w.talk(name, *words, contact=contact, start=at, reason=reason)


def about(w: World, name: str, reason: str | None, **how: Any) -> None:
    """Judged resolved, and about this; None: the judge could not tell."""
    w.judged(name, "resolution", {"contact_reason": reason or "cannot_assess"}, **how)


def test_the_same_issue_is_known_by_the_judged_reason_else_by_the_sources(empty: World) -> None:
    w = empty
    worlds = {  # contact: (judged before, judged after, source before, source after)
        "+5511999990101": ("exchange", "exchange", None, None),  # the same
        "+5511999990102": ("exchange", "refund", "x", "x"),  # another: the judge's word comes first
        "+5511999990103": ("exchange", None, None, "exchange"),  # not known: two vocabularies
        "+5511999990104": (None, None, "Where is it", "Where is it"),  # the same, by the source
        "+5511999990105": (None, None, None, None),  # not known
        "+5511999990106": ("exchange", None, "x", "x"),  # the same, by the source: only one side was judged
        "+5511999990107": ("exchange", None, "x", "y"),  # another, by the source
        "+5511999990108": (None, "exchange", "x", " "),  # not known: a blank is no reason
    }
    for contact, (before, after, source_before, source_after) in worlds.items():
        asked(w, f"{contact}_a", contact, reason=source_before)
        asked(w, f"{contact}_b", contact, day=1, reason=source_after)
        about(w, f"{contact}_a", before)
        about(w, f"{contact}_b", after, in_run=False)
    w.talk("end", start=T0 + timedelta(days=40))
    w.finish()
    week = recontacts(w)[168]
    assert week.came_back == Share(8, 8)
    assert week.n_issue_unknown == 3
    assert week.same_issue == Share(3, 5)  # 8 less the 3 that are not known
    # all eight were judged resolved: the recontact is the audit of that
    assert week.resolved_but_back == Share(3, 5)
    assert (week.same_issue_bounds.low, week.same_issue_bounds.high) == (Share(3, 8), Share(6, 8))


def test_a_return_that_was_not_judged_is_not_counted_as_another_issue(empty: World) -> None:
    """A sample: of 4 people 3 came back, none of those returns was drawn."""
    w = empty
    for n in range(4):
        asked(w, f"a{n}", f"+551199999020{n}")
        about(w, f"a{n}", "exchange")
        if n:
            asked(w, f"b{n}", f"+551199999020{n}", day=2)
    w.talk("end", start=T0 + timedelta(days=40))
    w.finish()
    week = recontacts(w)[168]
    assert week.came_back == Share(3, 4)
    assert week.same_issue == Share(0, 1)
    assert week.resolved_but_back == Share(0, 1)
    for bounds in (week.same_issue_bounds, week.resolved_but_back_bounds):
        assert bounds == Bounds(n=0, n_unknown=3, of=4, n_cases=3)
        assert (bounds.low, bounds.high) == (Share(0, 4), Share(3, 4))


def test_an_unknown_return_within_the_window_is_not_made_known_by_one_after_it(empty: World) -> None:
    w = empty
    asked(w, "a", ANA)
    asked(w, "b", ANA, day=0.5)
    asked(w, "c", ANA, day=6)
    about(w, "a", "exchange")
    about(w, "c", "invoice", in_run=False)
    w.talk("end", start=T0 + timedelta(days=40))
    w.finish()
    assert [(r.n_came_back, r.n_issue_unknown) for r in recontacts(w).values()] == [(1, 1), (1, 1), (1, 1)]


def test_one_return_that_is_known_to_be_about_the_same_is_enough(empty: World) -> None:
    w = empty
    for name, day, reason in (("a", 0, "exchange"), ("b", 0.5, None), ("c", 2, "exchange")):
        asked(w, name, ANA, day=day)
        about(w, name, reason, in_run=name == "a")
    w.talk("end", start=T0 + timedelta(days=40))
    w.finish()
    assert [(r.n_issue_unknown, r.same_issue) for r in recontacts(w).values()] == [
        (1, Share(0, 0)), (0, Share(1, 1)), (0, Share(1, 1))]  # fmt: skip


def test_a_judgement_of_an_older_text_says_nothing_about_the_one_that_is_there(empty: World) -> None:
    w = empty
    asked(w, "a", ANA)
    asked(w, "b", ANA, day=1)
    about(w, "a", "exchange")
    about(w, "b", "exchange", in_run=False)
    w.talk("end", start=T0 + timedelta(days=40))
    w.finish()
    assert recontacts(w)[168].same_issue == Share(1, 1)
    asked(w, "b", ANA, day=1, text="something else altogether")  # comes in anew, changed
    w.save()
    week = recontacts(w)[168]
    assert (week.same_issue, week.n_issue_unknown) == (Share(0, 0), 1)


def test_a_text_that_was_judged_for_another_conversation_is_known_here_too(empty: World) -> None:
    """Two conversations with the very same content have the same verdict key, and are judged once."""
    w = empty
    words = (says("customer", "again: my exchange", T0), says("ai", "An answer.", T0))
    w.talk("twin", *words, contact=BEN)
    w.talk("a", *words, contact=ANA)
    asked(w, "b", ANA, day=1)
    about(w, "twin", "exchange")
    about(w, "b", "exchange", in_run=False)
    w.judged("a")
    w.talk("end", start=T0 + timedelta(days=40))
    w.finish()
    assert recontacts(w)[168].same_issue == Share(1, 2)


def test_what_is_known_of_the_return_is_told_with_the_case(empty: World) -> None:
    w = empty
    for name, day, reason in (("a", 0, "exchange"), ("b", 1.5, None), ("c", 3, "exchange"), ("d", 4.5, "refund")):
        asked(w, name, ANA, day=day)
        about(w, name, reason)
    w.finish()
    told = {c.conversation.conversation_id: case_view(c, ()).afterwards for c in outcomes.cases(w.store, None, "abcd")}
    back = "The customer came back 1 day later"
    unknown = "whether about the same issue is not known."
    assert told == {
        "a": f"{back}; {unknown} The same issue came up again 2 days later.",
        "b": f"{back}; {unknown}",
        "c": f"{back} about another issue.",
        "d": "The customer has not come back by the data end, Sat 8 Aug 2026. Not yet known: the 7 days end Sat 15 Aug "
        "2026.",
    }


def test_issues_equal_a_brute_force_comparison_of_every_pair(empty: World) -> None:
    """300 conversations of 25 people with reasons judged, given by the source, both or none, against two loops."""
    w = empty
    rng = random.Random(11)
    talks = []
    for n in range(300):
        name, contact = f"c{n:03d}", f"+55119999903{rng.randrange(25):02d}"
        judged, source = rng.choice([None, "exchange", "refund"]), rng.choice([None, "x", "y"])
        day = rng.randrange(24 * 40) / 24
        asked(w, name, contact, day=day, reason=source)
        if judged:
            about(w, name, judged)
        else:
            w.judged(name)
        talks.append((T0 + timedelta(days=day), name, contact, judged, source))
    w.finish()
    talks.sort()
    data_end = talks[-1][0]
    for hours, found in recontacts(w).items():
        expected = Counter[str]()
        for at, name, contact, judged, source in talks:
            later = [t for t in talks if t[2] == contact and t[:2] > (at, name)]
            if at > data_end - timedelta(hours=hours) or (later and later[0][0] <= at + timedelta(minutes=15)):
                continue
            issues = set()
            for then, _, _, judged_then, source_then in later:
                if then <= at + timedelta(hours=hours):
                    one, other = (judged, judged_then) if judged and judged_then else (source, source_then)
                    issues.add("unknown" if not one or not other else "same" if one == other else "other")
            expected[next((i for i in ("same", "unknown", "other") if i in issues), "none")] += 1
        assert {
            "same": found.n_same_issue, "unknown": found.n_issue_unknown,
            "other": found.n_came_back - found.n_same_issue - found.n_issue_unknown,
            "none": found.n_matured - found.n_came_back,
        } == expected  # fmt: skip
        assert min(expected.values()) > 0


def test_a_return_about_something_else_does_not_hide_the_one_about_the_same(empty: World) -> None:
    w = empty
    for name, days, reason in (("a", 0, "exchange"), ("b", 1, "invoice"), ("c", 3, "exchange")):
        w.talk(name, contact=ANA, start=T0 + timedelta(days=days))
        w.judged(name, "resolution", {"contact_reason": reason}, in_run=name == "a")
    w.talk("end", start=T0 + timedelta(days=40))
    w.finish()
    # day 3, 0:00 is 72 h minus 10 min after the end of a
    assert [r.same_issue for r in recontacts(w).values()] == [Share(0, 1), Share(1, 1), Share(1, 1)]


def test_a_message_that_the_customer_did_not_write_is_no_return(empty: World) -> None:
    w = empty
    w.talk("a", contact=ANA)
    w.talk("survey", says("ai", "How did we do?", T0), contact=ANA, start=T0 + timedelta(days=1))
    w.talk("end", start=T0 + timedelta(days=40))
    w.judged("a")
    w.finish()
    assert recontacts(w)[168].came_back == Share(0, 1)
