"""Figures of a run that was drawn with unequal chances: weighted where they are told, plain where they are counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import pytest
from report_data import T0, World, handoff, present, world

from grader import outcomes
from grader.calibration.trust import Trusted
from grader.cli import figures as terminal
from grader.config import load
from grader.outcomes import Choice, Defect, Figures, Headline, ends, rate
from grader.report import text
from grader.statistics.stratified import Stratum, weighted_rate

CODE = "invented_deadline"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def plant(w: World, *, by: list[str] | None = None) -> Figures:
    """Risky: 12 of 24 drawn (8 flagged, 6 in returns, all rated 1, 6 came back); rest: 20 of 400 (2 flagged, 5 in
    returns, all rated 5, none came back). Escalated are 3 of the risky and 1 of the rest.
    """
    for stratum, n, chance, n_flagged, n_returns, n_back, csat in (
        ("risky", 12, 0.5, 8, 6, 6, 1), ("rest", 20, 0.05, 2, 5, 0, 5),
    ):  # fmt: skip
        for i in range(n):
            name = f"{stratum}{i:02}"
            contact = f"+551198{len(w.told):07}"
            queue = "returns" if i < n_returns else "orders"
            events = (handoff(1),) if i < (3 if stratum == "risky" else 1) else ()
            w.talk(name, queue=queue, contact=contact, events=events)
            answers: dict[str, Any] = {CODE: present("tomorrow")} if i < n_flagged else {}
            answers |= {"resolved": "not" if i < n_flagged else "resolved"}
            answers |= {"escalation_reason": "missing_rule" if i < 2 and stratum == "risky" else "none"}
            w.judged_by_all(name, answers, probability=chance, stratum=stratum)
            w.rated(name, csat)
            if i < n_back:
                w.talk(f"{name}-back", contact=contact, start=T0 + timedelta(days=2))
    w.talk("end", contact="+5511988887777", start=T0 + timedelta(days=40))
    chosen = {"plan": "sa_1", "design": "risk", "seed": 1, "select": [], "by": by or [], "frame": None}
    w.finish(selection=chosen, n_population=424)
    return outcomes.figures(w.store)


def told(w: World, form: Literal["json", "html", "csv"]) -> str:
    """What `grader report` writes."""
    return "".join(text(w.store, load({}, w.store.path.parent), form=form))


def headline(figures: Figures, queue: str | None = None) -> Headline:
    return next(h for h in figures.headlines if h.queue == queue and h.overall == (queue is None))


def defect(figures: Figures, queue: str | None = None) -> Defect:
    return next(
        d for d in figures.defects if d.code == CODE and d.queue == queue and d.slice == ("queue" if queue else "all")
    )


def test_rates_are_weighted_by_what_each_stratum_stands_for(empty: World) -> None:
    figures = plant(empty)
    assert [(s.name, s.n_drawn, round(s.n_population)) for s in figures.layers] == [
        ("rest", 20, 400),
        ("risky", 12, 24),
    ]
    # Flagged: 24 · 8/12 + 400 · 2/20 = 16 + 40 of 424; counted, 10 of 32.
    found = rate(defect(figures), attrgetter("flagged"))
    assert found.point == pytest.approx(56 / 424)
    assert (found.n, found.of) == (10, 32)
    assert defect(figures).flagged.rate == pytest.approx(10 / 32)
    expected = weighted_rate([Stratum(24, 12, 8, 12), Stratum(400, 20, 2, 20)])
    assert expected is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    # Contained: 24 · 9/12 + 400 · 19/20 of 424.
    assert rate(headline(figures), attrgetter("contained")).point == pytest.approx((18 + 380) / 424)
    # Resolved is what was not flagged here.
    assert rate(headline(figures), attrgetter("resolved")).point == pytest.approx(1 - 56 / 424)


def test_a_queue_is_a_part_of_every_stratum(empty: World) -> None:
    figures = plant(empty)
    # Returns: 24 · 6/12 = 12 risky ones, all flagged, and 400 · 5/20 = 100 of the rest, of which 400 · 2/20 = 40.
    assert rate(defect(figures, "returns"), attrgetter("flagged")).point == pytest.approx(52 / 112)
    assert rate(defect(figures, "orders"), attrgetter("flagged")).point == pytest.approx(4 / (12 + 300))


def test_returns_ratings_and_causes_are_weighted_too(empty: World) -> None:
    figures = plant(empty)
    week = next(r for r in figures.recontacts if r.overall and r.window_hours == 168)
    assert rate(week, attrgetter("came_back")).point == pytest.approx(12 / 424)
    same = ends(week, attrgetter("same_issue_bounds"))
    assert same.high.point == pytest.approx(12 / 424)
    mean = headline(figures).csat_weighted
    assert mean is not None
    assert mean.point == pytest.approx((24 * 1 + 400 * 5) / 424)
    assert headline(figures).csat_mean == pytest.approx((12 * 1 + 20 * 5) / 32)
    [cause] = [c for c in figures.choices if c.overall and c.option == "missing_rule"]
    assert rate(cause, attrgetter("taken")).point == pytest.approx(
        24 * 2 / 12 / 424
    )  # though nobody of the rest took it
    assert cause.taken.rate == pytest.approx(2 / 32)
    assert rate(cause, attrgetter("unsolved")).point == 1


def summed(record: Headline | Defect | Choice, name: str) -> int:
    return sum(getattr(part.counts, name) for part in record.parts if part.counts is not None)


def test_the_parts_of_every_record_add_up_to_it(empty: World) -> None:
    figures = plant(empty)
    records: list[Any] = [*figures.headlines, *figures.defects, *figures.choices, *figures.recontacts]
    for record in records:
        assert len(record.parts) == 2
        for name in (n for n in record.__slots__ if n.startswith("n_") or n == "n"):
            assert summed(record, name) == getattr(record, name), (record, name)


def test_few_ratings_make_no_weighted_mean(empty: World) -> None:
    figures = plant(empty)
    few = headline(figures, "orders")
    assert few.n_csat == 21
    assert few.csat_weighted is not None
    assert headline(figures, "returns").n_csat == 11
    for i in range(2):
        empty.talk(f"x{i}", queue="tiny")
        empty.judged(f"x{i}", probability=0.1, stratum="rest")
        empty.rated(f"x{i}", 3)
    empty.finish("run_2", at=T0 + timedelta(days=91))
    tiny = headline(outcomes.figures(empty.store, "run_2"), "tiny")
    assert (tiny.n_csat, tiny.csat_weighted, tiny.csat_mean) == (2, None, 3)


def test_strata_made_by_the_queue_say_that_a_layer_has_nothing_of_another(empty: World) -> None:
    for queue, n, chance in (("orders", 20, 0.05), ("returns", 12, 0.5)):
        for i in range(n):
            empty.talk(f"{queue}{i}", queue=queue)
            found = {CODE: present("tomorrow")} if i < 3 else {}
            empty.judged(f"{queue}{i}", "accuracy", found, probability=chance, stratum=queue)
    empty.finish("run_by", selection={"plan": "sa_1", "design": "stratified", "by": ["queue", "reason"]})
    empty.finish("run_not", at=T0 + timedelta(days=91), selection={"plan": "sa_1", "design": "risk", "by": []})
    nested = defect(outcomes.figures(empty.store, "run_by"), "returns")
    other = defect(outcomes.figures(empty.store, "run_not"), "returns")
    assert [part.layer.name for part in nested.parts] == ["returns"]
    assert [part.layer.name for part in other.parts] == ["orders", "returns"]
    a, b = rate(nested, attrgetter("flagged")), rate(other, attrgetter("flagged"))
    assert a.point == b.point == 0.25
    assert a.high is not None
    assert b.high is not None
    assert a.high < b.high  # the layer `orders` might hold some that were not drawn


def test_with_equal_chances_nothing_changes(empty: World) -> None:
    for i in range(10):
        empty.talk(f"c{i}")
        empty.judged(f"c{i}", probability=0.25, stratum="ab"[i % 2])
    empty.finish()
    figures = outcomes.figures(empty.store)
    assert figures.layers == ()
    found = rate(defect(figures), attrgetter("flagged"))
    assert (found.method, found.low, found.high) == ("Wilson", *(defect(figures).flagged.interval or ()))
    assert headline(figures).csat_weighted is None


def test_the_json_document_has_estimate_interval_method_and_counts(empty: World) -> None:
    figures = plant(empty)
    document = json.loads(told(empty, "json"))
    assert document["headline"]["flagged"] == {
        "n": 10, "of": 32, "rate": 10 / 32, "estimate": pytest.approx(56 / 424),
        "low": pytest.approx(rate(headline(figures), attrgetter("flagged")).low),
        "high": pytest.approx(rate(headline(figures), attrgetter("flagged")).high),
        "method": "weighted by strata, MOVER",
    }  # fmt: skip
    assert document["headline"]["csat_weighted"]["point"] == pytest.approx((24 + 2000) / 424)
    week = next(r for r in document["recontact"] if r["overall"] and r["window_hours"] == 168)
    assert week["same_issue_bounds"]["high"]["estimate"] == pytest.approx(12 / 424)
    assert [s["n_population"] for s in document["strata"]] == pytest.approx([400, 24])
    assert (document["run"]["sample_id"], document["run"]["design"]) == ("sa_1", "risk")
    assert "parts" not in document["headline"]
    lines = told(empty, "csv").splitlines()
    assert lines[0].strip().endswith("stratum,inclusion_probability,calibration,calibrated_at")
    assert {line.strip().rsplit(",", 4)[1:][0] for line in lines[1:]} == {"rest", "risky"}


def test_page_and_terminal_say_what_is_weighted_and_to_what(empty: World, capsys: pytest.CaptureFixture[str]) -> None:
    figures = plant(empty)
    terminal.headline(figures, Trusted(()))
    terminal.defects(figures, Trusted(()))
    out = " ".join(capsys.readouterr().out.split())
    assert "weighted to 424 conversations from 32 drawn of 2 strata, design risk" in out
    assert "contained 93.9 %" in out
    assert f"{CODE} high 13.2 % 10 of 32" in out
    page = told(empty, "html")
    assert "Weighted sample" in page
    assert "weighted to the 424 conversations" in page
    assert "rest: 20 of 400 drawn, each counts as 20" in page
    assert "13.2" in page
    assert "10 of 32 conversations in which any code could be assessed; weighted" in page
    assert "Weighted share of the assessable conversations" in page
    assert "95 % interval: weighted by strata, MOVER" in page


def test_a_frame_that_leaves_something_out_is_named(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.talk("a")
        w.judged("a", probability=0.5, stratum="orders")
        frame = "the queue orders"
        chosen = {"plan": "sa_1", "design": "top-queues", "seed": 1, "select": [], "by": ["queue"], "frame": frame}
        w.finish(selection=chosen, n_population=2)
        figures = outcomes.figures(w.store)
        assert figures.about.frame == frame
        page = told(w, "html")
        assert "The figures are about the queue orders, and nothing else" in page
        assert json.loads(told(w, "json"))["run"]["frame"] == frame
