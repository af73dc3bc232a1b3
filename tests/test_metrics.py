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
from report_data import T0, World, sample, says, world

from grader.errors import InputError
from grader.model import Outcome
from grader.outcomes import Bounds, Share
from grader.outcomes.capacity import freed
from grader.outcomes.episodes import opened
from grader.outcomes.metrics import RATES, Metrics, metrics, of_episodes

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
    assert (found.csat_ai.value, found.csat_response_ai) == (5, Share(1, 2))
    assert (found.csat_human.value, found.csat_response_human) == (2, Share(1, 1))
    assert found.csat_ai.interval is None  # one rating says nothing of the others
    assert (found.first_answer_median, found.first_answer_p90) == (180, 600)
    assert (found.resolution_median, found.n_resolution_waited) == (2400, 0)
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


def test_who_still_waits_is_neither_left_out_nor_taken_as_done(empty: World) -> None:
    """Four that took 1, 2, 3 and 4 hours, and four open ones that had been watched for 2.5 hours: Kaplan and Meier's
    S is 7/8 after 1 h, 6/8 after 2 h, 3/8 after 3 h (6/8 · 1/2), 0 after 4 h. Of the closed ones alone half were done
    after 2 h.
    """
    w = empty
    end = T0 + timedelta(days=1)
    for n in range(4):
        w.talk(f"done{n}", contact=PHONES[n], minutes=60 * (n + 1))
        start = end - timedelta(hours=2, minutes=30)
        w.talk(f"open{n}", says("customer", "anybody?", start), contact=PHONES[9 + n], start=start, state="open")
    w.talk("end", contact=PHONES[19], start=end - timedelta(minutes=10), minutes=10, excluded="test")
    found = only(w)
    assert (found.resolution_median, found.resolution_p90) == (3 * 3600, 4 * 3600)
    assert (found.n_timed, found.n_resolution_waited) == (4, 4)
    assert (found.n_asked, found.n_answered, found.n_first_answer_waited) == (8, 4, 4)


def test_half_that_was_never_reached_is_not_known(empty: World) -> None:
    w = empty
    w.talk("a", contact=PHONES[0])
    for n in range(1, 4):
        w.talk(f"open{n}", says("customer", "anybody?", T0), contact=PHONES[n], state="open")
    found = only(w)
    assert (found.resolution_median, found.resolution_p90) == (None, None)


def test_every_rate_is_what_its_columns_count(empty: World) -> None:
    w = empty
    sample(w, 80)
    w.save()
    with opened(w.store) as episodes:
        (found,) = of_episodes(episodes)
        for name, rate in RATES.items():
            share = found.rate(name)
            columns = [c for c in (rate.yes, rate.unknown) if c]
            rows = episodes.rows(columns, rate.of, 168)
            assert len(rows) == share.of, name
            assert sum(r[rate.yes] for r in rows) == share.n, name
            if rate.unknown:
                assert isinstance(share, Bounds)
                assert sum(r[rate.unknown] for r in rows) == share.n_unknown, name
                assert not any(r[rate.unknown] and r[rate.yes] for r in rows)


def test_what_humans_took_for_the_same_reason_is_what_the_ai_freed(empty: World) -> None:
    """Refunds take 10, 11, 12, 13 and 30 minutes: median 12. Two of four refunds by the AI hold, one may; invoices
    are of a reason with too few handle times, and count nothing.
    """
    w = empty
    for n, minutes in enumerate([10, 11, 12, 13, 30]):
        w.talk(f"h{n}", contact=PHONES[n], human=True, reason="refund")
        w._incoming.append((Outcome(conversation_id=f"h{n}", handle_minutes=minutes), None, None))
    for n in range(4):
        w.talk(f"r{n}", contact=PHONES[5 + n], reason="refund")
    w.talk("back", contact=PHONES[7], reason="refund", start=day(2), human=True)
    w.talk("maybe", says("customer", "hm"), says("ai", "Yes?"), contact=PHONES[8], start=day(2), reason=None)
    w.talk("i", contact=PHONES[9], reason="invoice")
    w.talk("end", contact=PHONES[10], start=day(40), human=True, reason="other")
    w.save()
    with opened(w.store) as episodes:
        (told,) = freed(episodes)
        slices = freed(episodes, "queue")
    refund, *others = told.parts
    assert (refund.reason, refund.n_resolved, refund.n_unknown) == ("refund", 2, 1)
    assert refund.handled is not None
    assert (refund.handled.n, refund.handled.median, refund.handled.low, refund.handled.high) == (5, 12, 10, 30)
    assert told.hours == pytest.approx((2 * 12 / 60, 2 * 10 / 60, 3 * 30 / 60))
    assert told.money(20) == pytest.approx((8, 20 / 3, 30))
    assert told.money(None) is None
    assert (told.n_counted, told.n_not_counted) == (2, 2)  # the invoice, and what was asked without a reason
    assert {p.reason for p in others} == {"invoice", None}
    assert told.hours is not None
    assert sum(s.hours[0] for s in slices if s.hours) == pytest.approx(told.hours[0])


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


def test_what_is_not_counted_is_told_with_the_reason(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.talk("a", contact=PHONES[0])
        w.talk("ad", contact=PHONES[1], initiated_by="business")
        w.talk("spam", contact=PHONES[2], excluded="spam")
        w.talk("who", says("unknown", "hi", T0), contact=PHONES[3])
        w.finish()
    (tmp_path / "grader.toml").touch()
    told = main("metrics", "-w", tmp_path).out
    assert (
        "not counted: begun by the business 1, nobody known speaks in them 1, spam, tests, surveys and outbound 1"
        in told
    )


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
