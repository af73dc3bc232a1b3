"""`grader sample` and `grade --plan` as a user runs them: the plan, the same again, and what becomes of its weights."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Main
from report_data import T0, World, handoff, says

from grader.engine.rebuild import rebuild
from grader.store import open_store

# What the offline detectors see: the customer asks for a person twice and is put off.
MISSED = (
    says("customer", "I want to talk to a human agent."), says("ai", "I can help you here."),
    says("customer", "I want to talk to a human agent, please."), says("ai", "Please tell me your order number."),
)  # fmt: skip


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """120 conversations: 80 about orders, 40 about returns; 12 handed over, 10 that came back, 6 rated 1."""
    with open_store(workspace / "grader.duckdb") as store:
        w = World(store)
        for i in range(120):
            queue = "orders" if i < 80 else "returns"
            reason = "invoice" if i % 4 == 0 else None
            events = (handoff(1),) if i % 10 == 0 else ()
            w.talk(f"c{i:03}", queue=queue, reason=reason, contact=f"+55119{i:08}", events=events)
        for i in range(1, 11):
            w.talk(f"c{i:03}-back", queue="orders", contact=f"+55119{i:08}", start=T0 + timedelta(days=2))
        for i in range(21, 27):
            w.rated(f"c{i:03}", 1)
        w.talk("odd", *MISSED, queue=None)
        w.save()
    monkeypatch.chdir(workspace)
    return workspace


def draw(main: Main, *args: str) -> dict[str, Any]:
    done = main("sample", "--json", *args)
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def rows(shop: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_store(shop / "grader.duckdb", read_only=True) as store:
        return store.rows(sql)


def strata(told: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {row["stratum"]: (row["n_population"], row["n_drawn"]) for row in told["strata"]}


def test_the_table_tells_population_drawn_chance_and_weight_of_each_stratum(main: Main, shop: Path) -> None:
    done = main("sample", "-n", "40", "--seed", "1")
    assert done.code == 0
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    # 131 in all; 60 + 10 of orders without a reason: 70 · 40 / 131 = 21.4.
    assert "orders | (none) 70 20 0.2857 3.5" in lines
    assert "(none) | (none) 1 1 1 1" in lines
    assert "40 of 131 conversations, seed 1, design stratified" in lines
    assert "grader grade --plan" in done.err


def test_the_same_command_is_the_same_sample_and_nothing_is_kept_twice(main: Main, shop: Path) -> None:
    first, second = draw(main, "-n", "30", "--seed", "3"), draw(main, "-n", "30", "--seed", "3")
    assert first["sample_id"] == second["sample_id"]
    assert first == second  # the time of the first draw, too
    assert draw(main, "-n", "30", "--seed", "4")["sample_id"] != first["sample_id"]
    n_rows = [rows(shop, f"select count(*) from {t}")[0][0] for t in ("sample", "sample_stratum", "sample_item")]
    assert n_rows == [2, 2 * len(first["strata"]), 60]
    assert len(list((shop / ".grader" / "samples").iterdir())) == 2
    assert "the same sample as before" in main("sample", "-n", "30", "--seed", "3").out
    plan = Path(first["plan"])
    whole = plan.read_bytes()
    plan.write_bytes(whole[:100])
    assert json.loads(whole)["drawn"] == draw(main, "-n", "30", "--seed", "3")["drawn"]
    assert json.loads(plan.read_bytes())["drawn"] == json.loads(whole)["drawn"]


def test_a_plan_says_what_it_was_drawn_from_and_how(main: Main, shop: Path) -> None:
    told = draw(main, "-n", "20", "--design", "simple", "--select", "queue:returns", "-o", str(shop / "plan.json"))
    assert json.loads((shop / "plan.json").read_text()) == {
        k: v for k, v in told.items() if k not in {"n_population", "n_drawn", "plan"}
    }
    assert told["design"] == "simple"
    assert told["parameters"] == {"n": 20}
    assert told["selection"] == [["queue", "returns"]]
    assert (told["n_frame"], told["n_population"]) == (40, 40)
    assert told["data_end"] == (T0 + timedelta(days=2, minutes=10)).isoformat()
    assert told["strata"] == [{"stratum": None, "n_population": 40, "n_drawn": 20, "inclusion_probability": 0.5}]
    assert all(row["content_hash"].startswith("cv_") for row in told["drawn"])


def test_risks_are_strata_of_which_one_takes_a_conversation(main: Main, shop: Path) -> None:
    found = strata(draw(main, "-n", "50", "--design", "risk", "--min-per-stratum", "1"))
    # c010 came back, and was handed over: the first risk that is named has it. `odd` is what the detectors see.
    assert {name: n for name, (n, _) in found.items()} == {
        "low_csat": 6, "recontacted": 10, "escalated": 11, "signals": 1, "rest": 103,
    }  # fmt: skip
    assert all(n_drawn for _, n_drawn in found.values())
    other = strata(draw(main, "-n", "50", "--design", "risk", "--risks", "escalated,recontacted"))
    assert {name: n for name, (n, _) in other.items()} == {"escalated": 12, "recontacted": 9, "rest": 110}


def test_top_queues_say_that_the_figures_are_about_these_alone(main: Main, shop: Path) -> None:
    done = main("sample", "-n", "20", "--design", "top-queues", "--top", "1")
    assert "figures will be about the queue orders; 41 other conversations cannot be drawn" in done.out
    told = draw(main, "-n", "20", "--design", "top-queues", "--top", "2")
    assert told["frame"] == "the 2 largest queues: orders, returns"
    assert strata(told) == {"orders": (90, 14), "returns": (40, 6)}


@pytest.mark.parametrize(
    ("args", "message", "cure"),
    [
        (("--design", "cluster"), "no design 'cluster'", "stratified"),
        (("--by", "mood"), "makes no strata", "queue, reason"),
        (("--by", "queue,queue"), "twice", "once"),
        (("--by", ""), "names nothing", "--design simple"),
        (("--allocation", "neyman"), "no allocation", "equal"),
        (("--design", "risk", "--risks", "mood"), "not known", "low_csat"),
        (("--design", "risk", "--risk-share", "1.5"), "leaves the rest out", "between 0 and 1"),
        (("--window", "1y"), "not known", "7d"),
        (("-n", "2"), "too few for", "-n 5"),
        (("--select", "queue:none"), "no conversation meets queue:none", "loosen"),
        (("--select", "queue:(none)", "--design", "top-queues"), "has a queue", "simple"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_cure(
    main: Main, shop: Path, args: tuple[str, ...], message: str, cure: str
) -> None:
    done = main("sample", *(() if args[0] == "-n" else ("-n", "20")), *args)
    assert done.code == 2
    assert message in done.err
    assert cure in done.err
    assert not (shop / ".grader" / "samples").exists()


# ── grade --plan ──


def graded(main: Main, plan: str, *args: str) -> dict[str, Any]:
    done = main("grade", "--json", "-q", "--judge", "signals", "--plan", plan, *args)
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def test_a_plan_is_graded_exactly_with_its_chances_and_strata(main: Main, shop: Path) -> None:
    told = draw(main, "-n", "30", "--design", "risk", "--seed", "2")
    dry = graded(main, told["sample_id"][:12], "--dry-run")
    assert (dry["conversations"], dry["population"], dry["sample_id"]) == (30, 131, told["sample_id"])
    done = graded(main, told["plan"], "-r", "accuracy")
    drawn = {(r["conversation_id"], r["inclusion_probability"], r["stratum"]) for r in told["drawn"]}
    of_run = f"from run_item where run_id = '{done['run_id']}'"
    assert set(rows(shop, f"select conversation_id, inclusion_probability, stratum {of_run}")) == drawn
    ((selection, n),) = rows(shop, "select selection, n_population from run")
    chosen = json.loads(selection)
    assert (chosen["plan"], chosen["design"], n) == (told["sample_id"], "risk", 131)
    assert graded(main, told["plan"], "-r", "accuracy")["reused"] == 30


def test_a_plan_and_another_choice_contradict_each_other(main: Main, shop: Path) -> None:
    plan = draw(main, "-n", "10")["plan"]
    for more in (("--sample", "5"), ("--select", "queue:returns"), ("--seed", "3")):
        done = main("grade", "--judge", "signals", "--plan", plan, *more)
        assert done.code == 2
        assert "leave out --sample" in done.err


def test_a_plan_with_a_conversation_that_is_gone_is_refused_and_changed_ones_are_told(main: Main, shop: Path) -> None:
    told = draw(main, "-n", "131", "--design", "simple")
    with open_store(shop / "grader.duckdb") as store:
        w = World(store)
        w.talk("c001", says("customer", "I wrote something else."), queue="orders")
        w.save()
    done = main("grade", "--judge", "signals", "--plan", told["plan"], "--dry-run")
    assert done.code == 0
    assert "1 of the 131 conversations changed since" in done.err
    with open_store(shop / "grader.duckdb") as store:
        store.rows("delete from conversation where conversation_id = 'c002'")
    done = main("grade", "--judge", "signals", "--plan", told["plan"])
    assert done.code == 2
    assert "1 of the 131 conversations of sample" in done.err
    assert "c002" in done.err
    assert rows(shop, "select count(*) from run") == [(0,)]


def test_a_plan_that_was_changed_by_hand_or_is_none_is_refused(main: Main, shop: Path) -> None:
    plan = Path(draw(main, "-n", "10")["plan"])
    text = plan.read_text()
    bad = shop / "bad.json"
    for changed, message in (
        (text.replace('"seed": 0', '"seed": 1'), "changed by hand"),
        (text.replace("orders", "returns"), "changed by hand"),
        (text.replace('"inclusion_probability": 0.', '"inclusion_probability": 1.'), "inclusion probability"),
        (text.replace('"format_version": 1', '"format_version": 2'), "a plan of format 2"),
        (text.replace('"drawn"', '"other"'), "is no plan"),
        (text[:-20], "is no plan"), ("[]", "is no plan"), ("", "is no plan"),
    ):  # fmt: skip
        bad.write_text(changed)
        done = main("grade", "--judge", "signals", "--plan", bad, "--dry-run")
        assert done.code == 2, message
        assert message in done.err
    assert "cannot be read" in main("grade", "--plan", shop / "nowhere.json").err
    assert "no sample that is kept here" in main("grade", "--plan", "sa_nothing").err


def test_another_workspace_keeps_the_sample_of_a_plan_file_that_it_grades(main: Main, shop: Path) -> None:
    told = draw(main, "-n", "10")
    with open_store(shop / "grader.duckdb") as store:
        for table in ("sample", "sample_stratum", "sample_item"):
            store.rows(f"delete from {table}")
    graded(main, told["plan"], "--dry-run")
    assert rows(shop, "select count(*) from sample") == [(0,)]
    graded(main, told["plan"], "-r", "accuracy")
    assert rows(shop, "select count(*) from sample_item") == [(10,)]
    assert graded(main, told["sample_id"], "-r", "accuracy")["reused"] == 10


def test_chances_strata_and_samples_survive_a_rebuild_of_the_database(main: Main, shop: Path) -> None:
    plan = draw(main, "-n", "30", "--design", "risk")["plan"]
    graded(main, plan, "-r", "accuracy")
    asked = (
        "select conversation_id, key, inclusion_probability, stratum from run_item order by all",
        "select * from sample order by all", "select * from sample_item order by all",
        "select * from sample_stratum order by all", "select selection from run",
    )  # fmt: skip
    before = [rows(shop, sql) for sql in asked]
    state = shop / ".grader"
    rebuild(shop / "grader.duckdb", state / "journal", shop / "old", state / "samples")
    assert [rows(shop, sql) for sql in asked] == before
    (shop / "grader.duckdb").write_bytes(b"nothing is left of it")
    rebuild(shop / "grader.duckdb", state / "journal", shop / "older", state / "samples")
    assert [rows(shop, sql) for sql in asked] == before


def test_figures_of_top_queues_are_said_to_be_of_these_alone_to_the_last_document(main: Main, shop: Path) -> None:
    plan = draw(main, "-n", "20", "--design", "top-queues", "--top", "1")["plan"]
    done = main("grade", "--judge", "signals", "--plan", plan)
    assert "20 of 90 conversations (the queue orders; 131 in all)" in done.err
    document = json.loads(main("report", "--format", "json", "-o", "-").out)
    assert document["run"]["frame"] == "the queue orders"
    assert document["headline"]["contained"]["method"] == "Wilson"  # one queue: everybody in it had the same chance
    page = main("report", "-o", "-").out
    assert "The figures are about the queue orders, and nothing else" in page
    assert "drawn by the design top-queues, seed 0" in page


def test_figures_of_a_risk_enriched_run_are_those_of_all_and_not_of_the_sample(main: Main, shop: Path) -> None:
    plan = draw(main, "-n", "60", "--design", "risk", "--seed", "5")["plan"]
    graded(main, plan)
    found = json.loads(main("report", "--format", "json", "-o", "-").out)["headline"]["contained"]
    # 12 of 131 were handed over, and make up a stratum of their own but for the one that came back.
    assert found["rate"] < 0.86
    assert found["estimate"] == pytest.approx(119 / 131, abs=0.025)
    assert found["low"] <= 119 / 131 <= found["high"]
