"""Golden sets, through the command line and a real endpoint: a worse judge is found out, the same one passes, and what
nobody can tell is called so.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Ended, Main
from endpoint import MODEL, Endpoint
from engine_parts import talk
from golden_parts import RUBRIC, RUDE, N, built, grader, says, truth, word
from label_parts import rows

from grader.calibration.golden import GoldenSet, golden_set, read
from grader.calibration.instrument import Instrument, of_run
from grader.calibration.recheck import checks, compared, keep
from grader.calibration.repeats import flips
from grader.calibration.trust import checked
from grader.errors import InputError
from grader.store import open_store


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as running:
        running.says = says
        yield running


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, endpoint: Endpoint) -> Path:
    return built(tmp_path_factory.mktemp("golden") / "shop", endpoint)


@pytest.fixture
def shop(ready: Path, tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    endpoint.clear()
    endpoint.faults.clear()
    endpoint.latency = 0.0
    folder = tmp_path / "shop"
    shutil.copytree(ready, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def known(folder: Path, name: str = "first") -> GoldenSet:
    with open_store(folder / "grader.duckdb", read_only=True) as store:
        return golden_set(store, name)


def plan_of(folder: Path) -> str:
    ((plan_id,),) = rows(folder, "select plan_id from label_plan")
    return str(plan_id)


def told(done: Ended) -> Any:
    return json.loads(done.out)


def number(conversation_id: str) -> int:
    return int(conversation_id[1:])


# Freezing


def test_a_set_holds_what_people_said_what_the_judge_said_and_the_content(shop: Path) -> None:
    golden = known(shop)
    assert (golden.n_positives, golden.n_negatives) == (60, 60)
    assert Counter((i.criterion, i.expected) for i in golden.items) == {
        ("late", "present"): 30, ("rude", "present"): 30, ("late", "absent"): 30, ("rude", "absent"): 30
    }  # fmt: skip
    hashes = dict(rows(shop, "select conversation_id, content_hash from conversation"))
    for item in golden.items:
        n = number(item.conversation_id)
        assert item.positive is (word(n).lower() == item.criterion)
        assert item.baseline == ("present" if item.positive and n % 10 != 9 else "absent")
        assert item.content_hash == hashes[item.conversation_id]


def test_only_train_and_dev_labels_are_in_it_and_the_test_split_stays_shut(shop: Path) -> None:
    splits = dict(rows(shop, "select conversation_id, split from label_draw"))
    assert {splits[i.conversation_id] for i in known(shop).items} == {"train", "dev"}
    assert rows(shop, "select count(*) from split_opening") == [(0,)]


def test_a_conversation_is_in_it_once_as_long_as_there_are_others(shop: Path, main: Main) -> None:
    main("golden", "freeze", "small", "--plan", plan_of(shop), "--size", "20", "--negatives", "20")
    assert Counter(Counter(i.conversation_id for i in known(shop, "small").items).values()) == {1: 40}


def test_the_same_command_is_the_same_set_and_another_one_of_the_name_is_refused(shop: Path, main: Main) -> None:
    again = main("golden", "freeze", "first", "--plan", plan_of(shop))
    assert (again.code, "the same set as before" in again.out) == (0, True)
    for args in (["first", "--seed", "1"], ["FIRST"]):
        refused = main("golden", "freeze", *args, "--plan", plan_of(shop))
        assert refused.code == 2
        assert "there is a golden set 'first' already, and a set is never changed" in refused.err
    assert rows(shop, "select count(*) from golden_set") == [(1,)]


@pytest.mark.parametrize(("args", "says"), [
    (["../up"], "cannot be the name"), (["x", "--rubric", "beta"], "is none of plan"),
    (["x", "--run", "nope"], "there is no run"),
])  # fmt: skip
def test_what_cannot_be_frozen_is_refused(shop: Path, main: Main, args: list[str], says: str) -> None:
    done = main("golden", "freeze", *args, "--plan", plan_of(shop))
    assert done.code == 2
    assert says in done.err


def test_answers_that_are_open_changed_or_unjudged_are_left_out_and_told(shop: Path, main: Main) -> None:
    drawn = [c for c, s in rows(shop, "select conversation_id, split from label_draw order by 1") if s != "test"]
    with open_store(shop / "grader.duckdb") as store:
        store.rows("update label_record set answer = 'not_applicable' where conversation_id = ?", [drawn[0]])
        store.add([(talk(drawn[1], "order 1 is other", "words"), None, None)])
        store.rows("delete from judgement where conversation_id = ?", [drawn[2]])
    done = main("golden", "freeze", "second", "--plan", plan_of(shop))
    assert "2 neither present nor absent, 2 of conversations that are gone or changed, 2 without a verdict" in done.err


def test_a_set_tells_honestly_what_it_can_find(shop: Path, main: Main) -> None:
    told_ = main("golden", "show", "first").out
    assert "60 known positives show a fall of sensitivity from 0.9 to 0.7 in 73% of cases" in told_
    assert "in 99% where every old miss stays" in told_
    few = main("golden", "freeze", "few", "--plan", plan_of(shop), "--size", "12")
    assert "12 known positives show a fall" in few.out
    assert "fewer than 30 known positives: no check of this set will ever pass" in few.err


def test_a_file_that_was_changed_by_hand_is_refused(shop: Path) -> None:
    path = shop / ".grader" / "golden" / "first.json"
    assert read(path) == known(shop)
    path.write_text(path.read_text().replace('"baseline": "absent"', '"baseline": "present"', 1))
    with pytest.raises(InputError, match="changed by hand"):
        read(path)


# Checking


def test_the_same_judge_passes_and_nothing_is_paid(shop: Path, main: Main, endpoint: Endpoint) -> None:
    done = main("golden", "check", "first", "--json")
    assert done.code == 0
    (one,) = told(done)["checks"]
    assert (one["outcome"], one["run"]["judged"], one["n_missing"]) == ("passed", 0, 0)
    assert one["positives"]["n_better"] == one["positives"]["n_worse"] == 0
    assert endpoint.book.requests == 0


def test_a_judge_that_differs_by_chance_passes(shop: Path, main: Main) -> None:
    done = main("golden", "check", "--model", "alike")
    assert done.code == 0
    assert "No fall beyond chance" in done.out
    assert "golden set first: passed · alike@alpha 1.0.0" in done.out


def test_a_worse_judge_fails_with_the_counts_and_what_to_do(shop: Path, main: Main) -> None:
    positives = [number(i.conversation_id) for i in known(shop).items if i.positive]
    before, now = sum(n % 10 != 9 for n in positives), sum(n % 2 == 0 for n in positives)
    done = main("golden", "check", "first", "--model", "worse")
    assert done.code == 1
    assert f"{now} of 60 known positives found, {before} before ({before - now} lost, 0 won" in done.out
    assert "60 of 60 known negatives left alone, 60 before (the same)" in done.out
    assert f"go back to {MODEL}@alpha 1.0.0, or label anew" in done.out
    ((outcome, evidence),) = rows(shop, "select outcome, evidence from golden_check")
    assert outcome == "failed"
    assert {h["criterion"] for h in json.loads(evidence)["codes"] if h["positive"]} == {"late", "rude"}


def test_a_judge_that_sees_what_is_not_there_fails_on_the_negatives(shop: Path, main: Main) -> None:
    done = main("golden", "check", "--model", "eager", "--json")
    assert done.code == 1
    (one,) = told(done)["checks"]
    assert (one["positives"]["n_worse"], one["negatives"]["n_worse"] > 10) == (0, True)


def test_fewer_than_thirty_known_positives_never_pass(shop: Path, main: Main) -> None:
    main("golden", "freeze", "few", "--plan", plan_of(shop), "--size", "29")
    done = main("golden", "check", "few", "--json")
    assert (done.code, told(done)["checks"][0]["outcome"]) == (3, "insufficient")
    assert "29 known positives, 30 are needed" in told(done)["checks"][0]["sentence"]
    main("golden", "freeze", "enough", "--plan", plan_of(shop), "--size", "30")
    assert main("golden", "check", "enough").code == 0


def test_a_call_that_fails_leaves_it_undecided_and_the_same_command_goes_on(
    shop: Path, main: Main, endpoint: Endpoint
) -> None:
    one = known(shop).items[0].conversation_id
    endpoint.fault("500", times=None, match=f"order {number(one)} is")
    done = main("golden", "check", "--model", "alike", "--json")
    assert done.code == 3
    (found,) = told(done)["checks"]
    assert (found["outcome"], found["n_missing"] > 0) == ("insufficient", True)
    assert "could not be had" in found["sentence"]
    endpoint.faults.clear()
    endpoint.clear()
    assert main("golden", "check", "--model", "alike").code == 0
    assert endpoint.book.requests == 1
    assert rows(shop, "select outcome from golden_check order by checked_at") == [("insufficient",), ("passed",)]


def test_a_killed_check_is_resumed_and_stored_nothing_half(shop: Path, main: Main, endpoint: Endpoint) -> None:
    endpoint.latency = 0.1
    grader(shop, "golden", "check", "--model", "alike", "-c", "4", kill_when=lambda: endpoint.book.requests >= 20)
    assert rows(shop, "select count(*) from golden_check") == [(0,)]
    endpoint.latency = 0.0
    done = main("golden", "check", "--model", "alike", "--json")
    assert done.code == 0
    (one,) = told(done)["checks"]
    assert one["run"]["reused"] >= 12
    assert one["run"]["reused"] + one["run"]["judged"] == len(known(shop).conversations)


def test_a_check_keeps_to_the_budget(shop: Path, main: Main) -> None:
    done = main("golden", "check", "--model", "worse", "--budget", "30")
    assert done.code == 4
    assert rows(shop, "select count(*) from golden_check") == [(0,)]


@pytest.mark.parametrize("command", [("golden", "check"), ("grade",)])
def test_a_check_that_ends_early_is_one_document_too(shop: Path, main: Main, command: tuple[str, ...]) -> None:
    done = main(*command, "--model", "worse", "--budget", "30", "--json")
    assert done.code == 4
    (one,) = told(done)["checks" if command[0] == "golden" else "golden"]
    assert (one["name"], one["outcome"], one["run"]["state"]) == ("first", None, "budget")
    assert one["run"]["not_yet_judged"] > 0
    assert rows(shop, "select count(*) from golden_check") == [(0,)]


def test_conversations_that_changed_since_are_left_out_and_told(shop: Path, main: Main) -> None:
    one = known(shop).items[0]
    with open_store(shop / "grader.duckdb") as store:
        store.add([(talk(one.conversation_id, "order 1 is other", "words"), None, None)])
    done = main("golden", "check")
    assert f"left out, gone or changed since the set was frozen: {one.conversation_id}" in done.err
    ((evidence,),) = rows(shop, "select evidence from golden_check")
    assert json.loads(evidence)["positives"]["n"] == 59
    with open_store(shop / "grader.duckdb") as store:
        store.rows("update conversation set content_hash = 'cv_other'")
    assert "all conversations of golden set first are gone" in main("golden", "check").err


def test_a_version_without_a_code_is_held_against_the_others(shop: Path, main: Main) -> None:
    (shop / "rubrics" / "alpha" / "2.0.0.yaml").write_text(RUBRIC.format(name="alpha", version="2.0.0", more=""))
    done = main("golden", "check", "--rubric", "alpha@2.0.0", "--json")
    (one,) = told(done)["checks"]
    assert (one["unasked"], one["positives"]["n"], one["n_missing"]) == (["rude"], 30, 0)
    assert {h["criterion"] for h in one["codes"]} == {"late"}
    assert main("golden", "check", "--rubric", "alpha@1.0.0").code == 0


def test_the_list_and_a_set_tell_its_checks(shop: Path, main: Main) -> None:
    main("golden", "check", "--model", "worse")
    main("golden", "check")
    (one,) = told(main("golden", "list", "--json"))
    assert [(c["instrument"], c["outcome"]) for c in one["checks"]] == [
        ("worse@alpha 1.0.0", "failed"), (f"{MODEL}@alpha 1.0.0", "passed")
    ]  # fmt: skip
    assert "first" in main("golden", "list").out
    shown = main("golden", "show", "first").out
    assert shown.count("present") >= 60
    assert "worse@alpha 1.0.0" in shown
    assert "there is no golden set 'other'" in main("golden", "show", "other").err


def test_what_a_report_reads_is_the_latest_check_of_each_set_by_instrument(shop: Path, main: Main) -> None:
    run = told(main("golden", "check", "--model", "worse", "--json"))["checks"][0]["run"]["run_id"]
    with open_store(shop / "grader.duckdb", read_only=True) as store:
        worse = of_run(store, run)["alpha"]
        (one,) = checks(store, worse)
        (mine,) = checks(store, golden_set(store, "first").instrument)
        assert one.check
        assert (one.name, one.is_baseline, one.check.outcome, one.check.run_id) == ("first", False, "failed", run)
        assert (mine.is_baseline, mine.check, mine.settled) == (True, None, True)
        other = Instrument(**{**worse.row(), "prompt_hash": "pr_other"})
        assert [(s.check, s.settled) for s in checks(store, other)] == [(None, False)]
        assert checks(store, Instrument(**{**worse.row(), "rubric": "beta"})) == []


def test_a_set_that_passed_does_not_make_up_for_another_that_failed(shop: Path, main: Main) -> None:
    for name, size in (("a", 12), ("b", 30)):
        main("golden", "freeze", name, "--plan", plan_of(shop), "--size", str(size))
    with open_store(shop / "grader.duckdb") as store:
        mine = golden_set(store, "first").instrument
        worse = Instrument(**{**mine.row(), "model": "m2"})
        assert checked(store, worse) is None
        for name, outcome, expected in (
            ("a", "insufficient", "a"), ("first", "passed", "first"), ("b", "failed", "b"), ("first", "passed", "b"),
            ("b", "passed", "b"),
        ):  # fmt: skip
            found = compared(golden_set(store, name), {})
            keep(store, golden_set(store, name), worse, replace(found, outcome=outcome), "run_x", datetime.now(UTC))
            of_all = checked(store, worse)
            assert of_all
            assert of_all.name == expected


# Before grading


def test_grading_with_another_judge_checks_first_and_only_once(shop: Path, main: Main, endpoint: Endpoint) -> None:
    first = main("grade", "--model", "worse", "-n", "5")
    assert first.code == 0  # the check tells, it does not forbid
    assert "golden set first is judged again first, since this changed: model stand-in → worse" in first.err
    assert "golden set first: failed · worse@alpha 1.0.0" in first.out
    assert "Worse than before by more than chance" in first.out
    endpoint.clear()
    again = main("grade", "--model", "worse", "-n", "5")
    assert endpoint.book.requests == 0
    assert "judged again" not in again.err
    assert "golden set first: failed on" in again.err
    assert rows(shop, "select count(*) from golden_check") == [(1,)]


def test_a_model_that_changed_behind_its_name_is_found_when_it_is_asked_anew(
    shop: Path, main: Main, endpoint: Endpoint
) -> None:
    assert main("golden", "check").code == 0  # nothing was asked
    endpoint.says = lambda body: says({**body, "model": "worse"})
    try:
        done = main("golden", "check", "--repeat", "7")
    finally:
        endpoint.says = says
    assert done.code == 1
    assert endpoint.book.requests == len(known(shop).conversations)
    assert f"golden set first: failed · {MODEL}@alpha 1.0.0" in done.out
    assert "golden set first: failed on" in main("grade", "-n", "5").err


def test_a_check_that_could_not_be_decided_is_made_again_by_the_next_grade(
    shop: Path, main: Main, endpoint: Endpoint
) -> None:
    endpoint.fault("500", times=None, match=f"order {number(known(shop).items[0].conversation_id)} is")
    assert "golden set first: insufficient" in main("grade", "--model", "alike", "-n", "5").out
    endpoint.faults.clear()
    again = main("grade", "--model", "alike", "-n", "5")
    assert "golden set first is judged again first" in again.err
    assert "golden set first: passed" in again.out
    assert "golden" not in main("grade", "--model", "alike", "-n", "5").err


def test_grading_with_the_judge_of_the_baseline_checks_nothing(shop: Path, main: Main) -> None:
    assert "golden" not in main("grade", "-n", "5").err
    assert rows(shop, "select count(*) from golden_check") == [(0,)]


def test_a_dry_run_says_what_it_would_check_and_about_what_it_costs(shop: Path, main: Main, endpoint: Endpoint) -> None:
    done = main("grade", "--model", "worse", "-n", "5", "--dry-run")
    n = len(known(shop).conversations)
    assert "golden set first would be judged again first" in done.err
    assert f"{n} judgements: 0 reused, {n} to judge in {n} calls" in done.err
    assert done.err.count("tokens · about") == 2
    assert endpoint.book.requests == 0


def test_a_check_can_be_left_out_and_that_is_said(shop: Path, main: Main) -> None:
    done = main("grade", "--model", "worse", "-n", "5", "--no-golden")
    assert "golden set first is not judged again (--no-golden), though this changed: model" in done.err
    assert rows(shop, "select count(*) from golden_check") == [(0,)]


def test_the_budget_is_for_the_check_and_the_grading_together(shop: Path, main: Main) -> None:
    whole = told(main("golden", "check", "--model", "worse", "--json"))["checks"][0]["run"]["cost_usd"]
    done = main("grade", "--model", "worse", "--repeat", "1", "--budget", str(whole), "--json")
    assert done.code == 4  # N conversations cost more than the set's
    shutil.rmtree(shop / ".grader" / "journal")
    with open_store(shop / "grader.duckdb") as store:
        for table in ("golden_check", "judgement", "verdict", "evidence", "call", "journal"):
            store.rows(f"delete from {table}")
    done = main("grade", "--model", "worse", "-n", "5", "--seed", "3", "--repeat", "9", "--budget", str(whole + 2))
    assert "golden set first: failed" in done.out
    assert done.code == 4  # what is left is too little for five


def test_rubrics_that_share_a_call_are_checked_as_they_are_asked(shop: Path, main: Main, endpoint: Endpoint) -> None:
    (shop / "rubrics" / "beta").mkdir()
    more = RUDE.replace("rude", "lost")
    (shop / "rubrics" / "beta" / "1.0.0.yaml").write_text(
        RUBRIC.format(name="beta", version="1.0.0", more=more).replace("late", "slow")
    )
    done = main("grade", "--group", "all", "-n", "5", "--json")
    assert "since this changed: rubrics that share a call" in done.err
    (one,) = told(done)["golden"]
    assert one["run"]["rubrics"] == ["alpha@1.0.0", "beta@1.0.0"]
    assert one["outcome"] == "passed"
    endpoint.clear()
    assert "golden" not in told(main("grade", "--group", "all", "-n", "5", "--json"))
    assert endpoint.book.requests == 0


# Not a run like others


def test_figures_labels_and_reports_see_no_golden_run(shop: Path, main: Main) -> None:
    def seen() -> list[str]:
        told_ = [main(*args, "--json").out for args in (["quality"], ["metrics"], ["show", "c000"])]
        told_.append(main("report", "--format", "json", "-o", "-").out)
        plan = json.loads(main("label", "plan", "-n", "20", "--reviewers", "ben", "--json").out)
        return [*told_, plan["run_id"]]

    with open_store(shop / "grader.duckdb") as store:  # a golden run judges more than what is left of the ordinary one
        store.rows("delete from run_item where conversation_id >= 'c020'")
    before = seen()
    assert '"n_conversations": 20' in before[0]
    assert main("golden", "check", "--model", "worse").code == 1
    assert seen() == before
    ((run,),) = rows(shop, "select run_id from golden_check")
    assert f'"{run}"' not in "".join(before)
    assert json.loads(main("quality", "--run", run, "--json").out)  # where it is named it can be read
    (golden,) = [r for r in json.loads(main("db", "info", "--json").out)["runs"] if r["golden"]]
    assert (golden["run"], golden["golden"]) == (run, "first")


def test_answers_of_golden_runs_count_among_repeats(shop: Path, main: Main) -> None:
    run = told(main("golden", "check", "--model", "worse", "--json"))["checks"][0]["run"]["run_id"]
    main("grade", "--model", "worse", "--repeat", "1", "--no-golden")
    with open_store(shop / "grader.duckdb", read_only=True) as store:
        late = flips(store, of_run(store, run)["alpha"])["late"]
    n = len(known(shop).conversations)
    assert (late.rate.of, late.rate.n, late.n_once) == (n, 0, N - n)


def test_a_calibration_tells_how_often_the_judge_contradicted_itself(shop: Path, main: Main) -> None:
    before = told(main("calibrate", "--json", "--dry-run"))["codes"]
    assert before
    assert not any("flips" in c["figures"] for c in before)
    main("grade", "-n", "40", "--seed", "1", "--repeats", "3")
    codes = [c for c in told(main("calibrate", "--json", "--dry-run"))["codes"] if c["rubric"] != "(all)"]
    assert codes
    for one in codes:  # of codes taken together nothing is asked twice as one question
        assert (one["figures"]["flips"]["point"], one["figures"]["flips"]["of"]) == (0, 40)


def test_sets_and_their_checks_outlive_a_rebuild(shop: Path, main: Main) -> None:
    main("golden", "check", "--model", "worse")
    golden = known(shop)
    assert main("db", "rebuild", "--yes").code == 0
    assert known(shop) == golden
    assert rows(shop, "select outcome from golden_check") == [("failed",)]
    assert main("db", "verify").code == 0
    (shop / "grader.duckdb").rename(shop / "gone")
    assert main("db", "rebuild", "--yes").code == 0
    assert known(shop) == golden


@pytest.mark.parametrize("damaged", ["labels", "samples", "journal"])
def test_sets_come_back_from_their_files_though_another_file_is_damaged(shop: Path, main: Main, damaged: str) -> None:
    golden = known(shop)
    (shop / "grader.duckdb").unlink()
    folder = shop / ".grader" / damaged
    folder.mkdir(exist_ok=True)
    (folder / ("zz.jsonl" if damaged == "journal" else "zz.json")).write_text("{}\n")
    done = main("db", "rebuild", "--yes")
    assert done.code == 2
    assert "zz.json" in done.err
    assert known(shop) == golden
    assert plan_of(shop) == golden.plan_id


def test_every_damaged_file_is_told_in_one_rebuild(shop: Path, main: Main) -> None:
    for name in ("labels", "golden"):
        (shop / ".grader" / name / "zz.json").write_text("{}\n")
    done = main("db", "rebuild", "--yes")
    assert done.code == 2
    assert "labels/zz.json" in done.err
    assert "golden/zz.json" in done.err


def test_truth_is_read_off_the_words() -> None:
    assert truth("order 3 is LATE", "alpha.late") == "present"
