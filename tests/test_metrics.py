"""Figures over everything that was taken in: worlds that can be counted by hand, and the command that prints them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Main
from report_data import T0, World, says, world

from grader.errors import InputError
from grader.model import Outcome
from grader.outcomes import Bounds, Share
from grader.outcomes.metrics import Metrics, metrics

PHONES = [f"+5511999990{n:03}" for n in range(20)]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def only(w: World, **how: Any) -> Metrics:
    w.save()
    (found,) = metrics(w.store, **how)
    return found


def day(n: float) -> Any:
    return T0 + timedelta(days=n)


def test_a_contained_contact_that_comes_back_is_no_resolution(empty: World) -> None:
    w = empty
    w.talk("solved", contact=PHONES[0], reason="refund")
    w.talk("back", contact=PHONES[1], reason="refund")
    w.talk("back2", contact=PHONES[1], start=day(2), reason="refund", human=True)
    w.talk("other", contact=PHONES[2], reason="refund")
    w.talk("other2", contact=PHONES[2], start=day(2), reason="invoice", human=True)
    w.talk("nobody", contact=None)
    w.talk("end", contact=PHONES[3], start=day(40), human=True)
    found = only(w)
    assert (found.n_episodes, found.n_closed, found.n_matured, found.n_not_yet_known) == (7, 7, 5, 1)
    assert found.contained == Share(4, 7)  # what a dashboard shows
    assert found.ai_resolved == Bounds(2, 0, 5, 1 + 1)  # solved and other; nobody is not known
    assert found.false_containment == Bounds(1, 0, 3, 2)
    assert found.same_issue == Bounds(1, 0, 5, 2)
    assert found.came_back == Share(2, 5)
    assert found.coverage == Share(6, 7)


def test_a_return_whose_issue_is_not_known_is_between_the_two_ends(empty: World) -> None:
    w = empty
    w.talk("a", says("customer", "hm"), says("ai", "Yes?"), contact=PHONES[0])
    w.talk("b", says("customer", "ok"), says("ai", "Fine."), contact=PHONES[0], start=day(1))
    w.talk("end", contact=PHONES[1], start=day(40))
    found = only(w)
    assert found.ai_resolved == Bounds(1, 1, 2, 1)
    assert found.ai_resolved.interval is not None
    assert found.ai_resolved.interval[0] < 0.5 < 1.0 == found.ai_resolved.high.rate


def test_an_unknown_speaker_contains_nothing_for_the_ai(empty: World) -> None:
    w = empty
    w.talk("u", says("customer", "hi", T0), says("unknown", "hello", T0), contact=PHONES[0])
    w.talk("end", contact=PHONES[1], start=day(40))
    found = only(w)
    assert found.contained == Share(2, 2)
    assert (found.n_by_ai, found.ai_resolved) == (1, Bounds(0, 0, 1, 0))
    assert found.answered == Share(1, 2)


def test_a_hand_off_to_another_helpdesk_is_one_episode(empty: World) -> None:
    w = empty
    w.talk("bot", contact=PHONES[0], queue="front", minutes=10)
    human = (says("human", "Dana here", T0 + timedelta(minutes=20)), says("customer", "hi", T0 + timedelta(minutes=21)))
    w.talk("desk", *human, contact=PHONES[0], queue="desk", start=T0 + timedelta(minutes=20))
    w.talk("end", contact=PHONES[1], queue="front", start=day(40))
    w.save()
    (front,) = metrics(w.store, by="queue")
    assert (front.slice, front.n_episodes, front.n_handed_over) == ("front", 2, 1)
    assert front.ai_resolved == Bounds(0, 0, 1, 0)


def test_what_is_no_contact_of_a_customer_is_left_out_and_open_ones_are_apart(empty: World) -> None:
    w = empty
    w.talk("spam", contact=PHONES[0], excluded="spam")
    w.talk("ad", contact=PHONES[1], initiated_by="business")
    w.talk("ad to nobody known", initiated_by="business")
    w.talk("spam of nobody known", excluded="spam")
    w.talk("open", contact=PHONES[2], state="open")
    w.talk("a", contact=PHONES[3])
    w.talk("survey", contact=PHONES[3], start=day(1), excluded="survey")
    w.talk("end", contact=PHONES[4], start=day(40))
    found = only(w)
    assert (found.n_episodes, found.n_open, found.n_closed, found.n_matured) == (3, 1, 2, 1)
    assert found.came_back == Share(0, 1)


def test_ratings_and_times_are_of_those_that_have_them(empty: World) -> None:
    w = empty
    for n, (wait, human) in enumerate([(1, False), (3, False), (10, True)]):
        at = T0 + timedelta(hours=n)
        talk = [says("customer", "hi", at), says("ai", "hello", at + timedelta(minutes=wait))]
        if human:
            talk.append(says("human", "Dana here", at + timedelta(minutes=40)))
        w.talk(f"c{n}", *talk, contact=PHONES[n], start=at, minutes=40)
    w.rated("c0", 5)
    w.rated("c2", 2)
    w._incoming.append((Outcome(conversation_id="c2", csat=2, handle_minutes=12.5), None, None))
    found = only(w)
    assert (found.csat_ai, found.n_csat_ai, found.csat_human, found.n_csat_human) == (5, 1, 2, 1)
    assert found.first_answer_median == 180
    assert found.first_answer_p90 == pytest.approx(516)
    assert found.minutes_median == 40
    assert (found.n_handled, found.handle_median) == (1, 12.5)


def test_slices_add_up_and_weeks_are_those_of_the_zone(empty: World) -> None:
    w = empty
    w.talk("sunday", contact=PHONES[0], start=T0 - timedelta(hours=15))  # Sunday 23:00 UTC, Monday in Lisbon
    w.talk("monday", contact=PHONES[1], reason="refund", channel="chat", language="pt", ai_version="7")
    w.talk("none", contact=PHONES[2], queue=None, channel=None, language=None)
    w.save()
    for by in ("week", "queue", "reason", "channel", "language", "ai_version"):
        assert sum(m.n_episodes for m in metrics(w.store, by=by)) == 3
    assert [m.slice for m in metrics(w.store, by="ai_version")] == ["7", None]
    assert [m.slice for m in metrics(w.store, by="week")] == ["2026-07-27", "2026-08-03"]
    assert [m.slice for m in metrics(w.store, by="week", timezone="Europe/Lisbon")] == ["2026-08-03"]
    (one,) = metrics(w.store, ids=["monday"])
    assert one.n_episodes == 1
    with pytest.raises(InputError, match="no dimension"):
        metrics(w.store, by="mood")
    with pytest.raises(InputError, match="window"):
        metrics(w.store, window_hours=0)


def test_nothing_gives_nothing(empty: World) -> None:
    assert metrics(empty.store) == []


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with world(tmp_path) as w:
        w.talk("a", contact=PHONES[0], queue="=cmd")
        w.talk("b", contact=PHONES[0], start=day(1))
        w.talk("end", contact=PHONES[1], start=day(40), human=True)
        w.finish()
    (tmp_path / "grader.toml").touch()
    return tmp_path


def test_the_command_prints_a_page_a_table_json_and_csv(main: Main, shop: Path) -> None:
    page = main("metrics", "-w", shop)
    assert page.code == 0
    assert "2 of 3" in page.out
    assert "data end" in page.out
    table = main("metrics", "-w", shop, "--by", "queue", "--window", "72h")
    assert "=cmd" in table.out
    assert "72h" in table.err
    told = json.loads(main("metrics", "-w", shop, "--json").out)
    assert told["slices"][0]["contained"] == {
        "n": 2,
        "of": 3,
        "rate": 2 / 3,
        "interval": pytest.approx([0.2077, 0.9385], abs=1e-4),
    }
    rows = list(csv.DictReader(main("metrics", "-w", shop, "--by", "queue", "--csv").out.splitlines()))
    assert [r["slice"] for r in rows] == ["'=cmd", "orders"]
    assert [r["n_episodes"] for r in rows] == ["1", "2"]
    for wrong, words in (("--window", "one of 24h"), ("--by", "one of week"), ("--select", "names:")):
        refused = main("metrics", "-w", shop, wrong, "mood")
        assert refused.code == 2
        assert words in refused.err
    assert main("metrics", "-w", shop, "--csv", "--json").code == 2
