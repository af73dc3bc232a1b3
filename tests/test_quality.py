"""Verdicts by week and slice: weights, one run a week, lines that break where the judge changed, and the backlog of
causes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Main
from report_data import T0, World, handoff, present, says, world

from grader.model import Outcome
from grader.outcomes.episodes import opened
from grader.outcomes.quality import Judged, comparable, judged
from grader.statistics.stratified import Stratum, weighted_rate


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@contextmanager
def read(w: World, **how: Any) -> Iterator[Judged]:
    with ExitStack() as stack:
        episodes = stack.enter_context(opened(w.store))
        yield stack.enter_context(judged(w.store, episodes, **how))


def day(n: float) -> Any:
    return T0 + timedelta(days=n)


def asked(w: World, name: str, *, at: float = 0, human: bool = False, **fields: Any) -> str:
    """A conversation with words of its own."""
    said = [says("customer", f"{name}: a question", day(at)), says("ai", f"An answer to {name}.", day(at))]
    if human:
        said.append(says("human", "Dana here.", day(at)))
    events = (handoff(2, day(at)),) if human else ()
    return w.talk(name, *said, start=day(at), contact=fields.pop("contact", None), events=events, **fields)


def after(w: World) -> World:
    """Another run over conversations that are there."""
    other = World(w.store)
    other._hashes = w._hashes
    return other


def test_a_hand_off_went_well_where_context_was_passed_nothing_repeated_and_it_was_solved(empty: World) -> None:
    w = empty
    answers: dict[str, dict[str, Any]] = {
        "good": {},
        "lost": {"handoff_without_context": present("Dana here.", 3)},
        "repeated": {"customer_repeated_to_human": present("a question", 1)},
        "unsolved": {"resolved": "not"},
        "unclear": {"resolved": "cannot_assess"},
    }
    for name, said in answers.items():
        asked(w, name, human=True)
        w.judged_by_all(name, said)
    asked(w, "ai alone")
    w.judged_by_all("ai alone", {"mood_at_end": "angry"})
    w.finish()
    with read(w) as found:
        (overall,) = found.slices()
        figures = {name: e and (e.n, e.of) for name, e in overall.figures.items()}
        assert figures["handoff_resolved"] == (1, 4)  # whether the unclear one was solved is not known
        assert figures["context_passed"] == figures["not_repeated"] == (4, 5)
        assert figures["resolved"] == (4, 5)
        assert figures["irritated_after_ai"] == (1, 1)
        assert found.even
        rows = found.rows(["handoff_resolved"], "handoff_known")
        assert {r["conversation_id"]: r["handoff_resolved"] for r in rows} == {
            "good": True, "lost": False, "repeated": False, "unsolved": False,
        }  # fmt: skip


def test_what_was_drawn_more_often_counts_no_more_than_it_is_there(empty: World) -> None:
    """One in ten of the ordinary ones was drawn and all of the rare ones: 1 of 8 and 6 of 8, for 80 and for 8."""
    w = empty
    for n in range(16):
        name = asked(w, f"c{n}", queue="a" if n % 2 else "b")
        solved = "resolved" if n in (0, *range(8, 14)) else "not"
        w.judged(name, "resolution", {"resolved": solved}, probability=0.1 if n < 8 else 1.0)
    w.finish()
    with read(w) as found:
        (overall,) = found.slices()
        told = overall.figures["resolved"]
        assert told is not None
        assert (told.n, told.of, overall.n_conversations) == (7, 16, 16)
        assert overall.volume == pytest.approx(88)
        assert told.point == pytest.approx((1 * 10 + 6) / 88)
        assert told == weighted_rate([Stratum(80, 8, 1, 8), Stratum(8, 8, 6, 8)])
        assert not found.even
        by_queue = {s.slice: s for s in found.slices("queue")}
        assert sum(s.volume for s in by_queue.values()) == pytest.approx(88)
        a = by_queue["a"].figures["resolved"]
        assert a is not None
        assert a.point == pytest.approx(3 / (4 * 10 + 4))  # 9, 11 and 13 of the rare ones, none of the ordinary


def test_of_each_week_the_run_counts_that_judged_most_and_a_changed_judge_breaks_the_line(empty: World) -> None:
    w = empty
    for n in range(6):
        w.judged(asked(w, f"old{n}", at=n % 3), "resolution")
    w.finish("run_1")
    later = after(w)
    for n in range(4):
        asked(w, f"new{n}", at=7 + n % 3)
    w.save()
    for n in range(4):
        later.judged(f"new{n}", "resolution", {"resolved": "not"}, model="judge-2")
    later.judged("old0", "experience", model="judge-2")  # one conversation of the older week too
    later.finish("run_2", at=day(95))
    with read(w) as found:
        assert found.runs == ("run_1", "run_2")
        weeks = {s.slice: s for s in found.slices("week")}
        first, second = "2026-08-03", "2026-08-10"
        assert (weeks[first].n_conversations, weeks[second].n_conversations) == (6, 4)
        judges = found.instruments()
        assert not comparable("resolved", judges[first], judges[second])
        assert comparable("critical_defect", judges[first], judges[second])  # no rubric of it judged both
    with read(w, run="run_2") as found:
        assert [s.n_conversations for s in found.slices("week")] == [1, 4]


def ledger_world(w: World) -> None:
    """Two refunds escalated for want of an integration, one of which came back; one answered wrongly; one wish."""
    for n, minutes in enumerate([10, 20, None]):
        name = asked(w, f"esc{n}", human=True, contact=f"+55119999900{n}", reason="refund", queue="returns")
        w.judged_by_all(name, {
            "escalation_reason": "missing_integration", "resolved": "not", "non_resolution_cause": "integration",
            "contact_reason": "refund",
        })  # fmt: skip
        if minutes:
            w._incoming.append((Outcome(conversation_id=name, handle_minutes=minutes), None, None))
    asked(w, "again", at=2, human=True, contact="+551199999000", reason="refund", queue="orders")
    w.judged_by_all("again", {"contact_reason": "refund"}, in_run=False)
    w._incoming.append((Outcome(conversation_id="again", handle_minutes=30), None, None))
    asked(w, "wish", human=True, queue="orders")
    w.judged_by_all("wish", {"escalation_reason": "customer_wish", "contact_reason": "other"})
    asked(w, "wrong", queue="orders")
    w.judged_by_all("wrong", {"resolved": "not", "non_resolution_cause": "wrong_answer", "contact_reason": "invoice"})
    w.talk("end", contact="+5511999990099", start=day(40))
    w.finish()


def test_the_ledger_ranks_causes_by_the_hours_that_they_cost_and_puts_last_what_nobody_can_fix(empty: World) -> None:
    ledger_world(empty)
    with read(empty) as found:
        causes = found.ledger(168)
        told = {(c.kind, c.cause): c for c in causes}
        missing = told["escalation", "missing_integration"]
        assert (missing.reason, missing.queue, missing.n, missing.volume) == ("refund", "returns", 3, 3)
        assert (missing.n_came_back, missing.n_matured) == (1, 3)
        assert missing.hours == pytest.approx((10 + 30 + 20) / 60)
        assert missing.n_hours_unknown == 1
        assert missing.examples[0] == "esc0"
        assert missing.fix == "build or repair the integration"
        assert told["non_resolution", "integration"].n == 3
        assert told["non_resolution", "wrong_answer"].hours == 0
        assert (causes[-1].cause, causes[-1].fix) == ("customer_wish", None)
        rows = found.caused("escalation", "missing_integration", 168, {"queue": "returns"})
        assert sorted((r["conversation_id"], r["minutes"]) for r in rows if r["minutes"]) == [
            ("esc0", 40),
            ("esc1", 20),
        ]
        assert [r["came_back_in"] for r in rows if r["came_back_in"]] == ["again"]
        assert found.ledger(168, {"queue": "nowhere"}) == []
        reasons = {option: (e.n, e.of) for option, e in found.escalation_reasons()}
        assert reasons == {"missing_integration": (3, 4), "customer_wish": (1, 4)}
        assert {o: e.of for o, e in found.escalation_reasons({"queue": "orders"})} == {"customer_wish": 1}
        assert found.caused("escalation", "x'; drop table run --", 168) == []


def test_the_commands_print_tables_json_and_csv(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        ledger_world(w)
    (tmp_path / "grader.toml").touch()
    page = main("quality", "-w", tmp_path)
    assert page.code == 0
    assert "Hand-off: resolved without a restart" in page.out
    assert page.out.rstrip().endswith("resolution: not calibrated: no label plan was answered for this judge")
    assert page.out.count("not calibrated") == 10 + 2 + 4  # figures, reasons for hand-offs, rubrics
    table = main("quality", "-w", tmp_path, "--by", "queue")
    assert "returns" in table.out
    told = json.loads(main("quality", "-w", tmp_path, "--json").out)
    assert told["slices"][0]["figures"]["resolved"]["of"] == 5
    assert told["weighted"] is False
    backlog = main("ledger", "-w", tmp_path)
    assert "missing_integration" in backlog.out
    assert "esc0" in backlog.out
    rows = list(csv.DictReader(main("ledger", "-w", tmp_path, "--csv").out.splitlines()))
    assert rows[0]["cause"] == "missing_integration"
    assert json.loads(main("ledger", "-w", tmp_path, "--json").out)["causes"][0]["fix"]
    for wrong in (["quality", "--by", "mood"], ["ledger", "--window", "9d"], ["quality", "--week", "2026-W99"],
                  ["quality", "--weeks", "2"], ["quality", "--run", "nope"]):  # fmt: skip
        assert main(wrong[0], "-w", tmp_path, *wrong[1:]).code == 2


def test_by_week_the_table_says_where_the_judge_changed(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        for n in range(3):
            w.judged(asked(w, f"a{n}"), "resolution")
            asked(w, f"b{n}", at=8)
        w.finish("run_1")
        later = after(w)
        for n in range(3):
            later.judged(f"b{n}", "resolution", model="judge-2")
        later.finish("run_2", at=day(95))
    (tmp_path / "grader.toml").touch()
    table = main("quality", "-w", tmp_path, "--by", "week").out.splitlines()
    lines = [line.split()[0] for line in table if line.strip()]
    at = lines.index("2026-08-03")
    assert lines[at : at + 3] == ["2026-08-03", "──", "2026-08-10"]
    assert any("the judge changed" in line and "/" in line for line in table)


def test_nothing_judged_says_what_to_do(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.talk("a")
        w.save()
    (tmp_path / "grader.toml").touch()
    assert "grader grade" in main("quality", "-w", tmp_path).err
    assert "resolution" in main("ledger", "-w", tmp_path).err


def test_show_prints_a_conversation_with_what_was_found_and_what_came_after(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        ledger_world(w)
    (tmp_path / "grader.toml").touch()
    page = main("show", "esc0", "-w", tmp_path)
    assert page.code == 0
    assert "esc0: a question" in page.out
    assert "The customer came back" in page.out
    assert "escalation_reason: missing_integration" in page.out
    told = json.loads(main("show", "esc0", "-w", tmp_path, "--json").out)
    assert told["run"] == "run_1"
    assert told["followup"]["next_id"] == "again"
    assert main("show", "end", "-w", tmp_path).code == 0  # not judged
    refused = main("show", "esc9", "-w", tmp_path)
    assert refused.code == 2
    assert "the nearest: esc0, esc1, esc2" in refused.err


def test_a_run_that_did_not_come_to_its_end_is_said_to_be_one(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        for n in range(5):
            asked(w, f"c{n}")
            if n < 3:
                w.judged(f"c{n}", "resolution")
            else:
                w.pending(f"c{n}", "resolution")
        w.failed(asked(w, "bad"), "resolution")
        w.finish(state="interrupted")
    (tmp_path / "grader.toml").touch()
    told = "run run_1 did not come to its end: 2 conversations wait"
    assert told in main("quality", "-w", tmp_path).err
    assert told.capitalize() in main("brief", "-w", tmp_path, "--week", "2026-W32", "--out", "-").out
