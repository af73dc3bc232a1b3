"""Who came back: closed windows only, exact edges, known identities, and a brute-force count to compare with."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from report_data import T0, World, says, world

from grader import outcomes
from grader.outcomes import Recontact, Share

ANA, BEN, CLEO = "+5511999990001", "+5511999990002", "+5511999990003"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def recontacts(w: World) -> dict[int, Recontact]:
    return {r.window_hours: r for r in outcomes.figures(w.store).recontacts if r.overall}


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


def test_the_same_issue_is_known_by_the_judged_reason_else_by_the_sources(empty: World) -> None:
    w = empty
    later = T0 + timedelta(days=1)
    worlds = {  # contact: (judged before, judged after, source before, source after)
        "+5511999990101": ("exchange", "exchange", None, None),  # the same
        "+5511999990102": ("exchange", "refund", "x", "x"),  # another: the judge's word comes first
        "+5511999990103": ("exchange", None, None, "exchange"),  # not known: two vocabularies
        "+5511999990104": (None, None, "Where is it", "Where is it"),  # the same, by the source
        "+5511999990105": (None, None, None, None),  # not known
    }
    for contact, (before, after, source_before, source_after) in worlds.items():
        w.talk(f"{contact}_a", contact=contact, reason=source_before)
        w.talk(f"{contact}_b", contact=contact, start=later, reason=source_after)
        w.judged(f"{contact}_a", "resolution", {"contact_reason": before or "cannot_assess"})
        w.judged(f"{contact}_b", "resolution", {"contact_reason": after or "cannot_assess"}, in_run=False)
    w.talk("end", start=T0 + timedelta(days=40))
    w.finish()
    week = recontacts(w)[168]
    assert week.came_back == Share(5, 5)
    assert week.same_issue == Share(2, 5)
    assert week.n_issue_unknown == 2
    # all five were judged resolved: the recontact is the audit of that
    assert week.resolved_but_back == Share(2, 5)


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


def test_recontact_equals_a_brute_force_count(empty: World) -> None:
    """200 conversations of 25 people, ties and overlaps included, against two nested loops."""
    w = empty
    rng = random.Random(7)
    talks = []
    for n in range(200):
        contact = f"+55119999902{rng.randrange(25):02d}" if rng.random() < 0.9 else None
        start = T0 + timedelta(hours=rng.randrange(24 * 30))
        minutes = rng.choice([0, 5, 60, 60 * 30])
        w.talk(f"c{n:03d}", contact=contact, start=start, minutes=minutes)
        talks.append((f"c{n:03d}", contact, start, start + timedelta(minutes=minutes)))
    sample = {name for name, *_ in talks if rng.random() < 0.5}
    for name in sample:
        w.judged(name)
    w.finish()
    data_end = max(end for *_, end in talks)
    for hours, found in recontacts(w).items():
        window = timedelta(hours=hours)
        expected = {"matured": 0, "back": 0, "open": 0, "continued": 0, "nobody": 0}
        for name, contact, start, end in talks:
            if name not in sample:
                continue
            if contact is None:
                expected["nobody"] += 1
                continue
            later = [s for n2, c2, s, _ in talks if c2 == contact and (s, n2) > (start, name)]
            following = min(later, default=None)
            if following is not None and following <= end + timedelta(minutes=15):
                expected["continued"] += 1
            elif end > data_end - window:
                expected["open"] += 1
            else:
                expected["matured"] += 1
                expected["back"] += following is not None and following <= end + window
        assert {
            "matured": found.n_matured, "back": found.n_came_back, "open": found.n_not_yet_known,
            "continued": found.n_continued, "nobody": found.n_no_identity,
        } == expected  # fmt: skip
        assert found.n_came_back > 0
        assert found.n_continued > 0
