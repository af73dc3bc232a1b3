"""Codes taken together: any critical defect, counted by hand; what is not known; other judges; what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from calibrate_parts import decide, of
from composite_parts import (
    CRITICAL,
    ESCALATION,
    EXCEPTION,
    NAME,
    POLICY,
    TOOL,
    by_hand,
    judge_says,
    label,
    people_say,
    plan_of,
    shop,
)
from conftest import Main
from label_parts import rows
from trust_parts import golden

from grader.calibration.carried import carried
from grader.calibration.composite import IN_PART, reference, verdict
from grader.calibration.kept import kept
from grader.calibration.trust import NEVER, of_run, of_runs
from grader.statistics.frame import Part
from grader.store import open_store


def calibrate(main: Main, folder: Path, *args: str) -> dict[str, Any]:
    done = main("calibrate", "-w", folder, "--json", "--split", "all", *args)
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


@pytest.mark.parametrize(
    ("said", "amounts_to"),
    [
        (["absent", "present", None], "present"),
        (["absent", "not_applicable", "absent"], "absent"),
        (["not_applicable", "not_applicable"], "absent"),
        (["unsupported", "absent", None], "unsupported"),
        (["absent", None], IN_PART),
        (["absent", "cannot_assess"], IN_PART),
        (["cannot_assess", None], "cannot_assess"),
        ([None, None], None),
    ],
)
def test_a_judge_says_what_the_figure_counts(said: list[str | None], amounts_to: str | None) -> None:
    assert verdict(said) == amounts_to


@pytest.mark.parametrize(
    ("said", "amounts_to"),
    [
        (["present", None, "cannot_assess"], "present"),  # one is enough, whatever else is open
        (["absent", None], None),
        (["cannot_assess", None], None),
        (["absent", "not_applicable"], "absent"),
        (["absent", "cannot_assess"], IN_PART),
        (["cannot_assess", "cannot_assess"], "cannot_assess"),
    ],
)
def test_people_know_of_none_only_where_nothing_is_open(said: list[str | None], amounts_to: str | None) -> None:
    assert reference(said) == amounts_to


def test_the_rate_of_any_critical_defect_is_as_counted_by_hand(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main)
    told = calibrate(main, tmp_path)
    one = of(told, NAME)
    # 59 have it: 45 of the 60 flagged, 14 of the 335 that were not. Of those 3 could not be assessed.
    missed = 335 * 14 / 332
    assert one["figures"]["corrected"]["point"] == pytest.approx((45 + missed) / 400)
    assert one["figures"]["sensitivity"]["point"] == pytest.approx(45 / (45 + missed))
    assert one["figures"]["specificity"]["point"] == pytest.approx((335 - missed) / (335 - missed + 15))
    assert one["figures"]["positive_value"]["point"] == pytest.approx(45 / 60)
    assert (one["figures"]["raw"]["n"], one["figures"]["raw"]["of"]) == (60, 395)
    more = {name: one["figures"][name] for name in ("n_skipped", "n_open", "n_in_part", "n_unanswered", "n_missing")}
    assert more == {"n_skipped": 3, "n_open": 0, "n_in_part": 10, "n_unanswered": 0, "n_missing": 5}
    assert (one["standing"], one["n_labelled"], one["figures"]["members"]) == ("calibrated", 397, list(CRITICAL))
    assert "In 10 of 397 labels nothing was found and a code could not be assessed" in one["sentence"]
    # It is not what the codes' own rates add up to, nor the largest of them.
    rates = [of(told, code)["figures"]["corrected"]["point"] for code in CRITICAL]
    assert max(rates) < one["figures"]["corrected"]["point"] < sum(rates)


def test_the_raw_rate_is_that_of_the_figure_critical_defect(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main)
    raw = of(calibrate(main, tmp_path), NAME)["figures"]["raw"]
    report = json.loads(main("report", "-w", tmp_path, "--format", "json", "-o", "-").out)["headline"]
    assert (report["n_critical"], report["n_critical_assessed"]) == (raw["n"], raw["of"])
    (whole,) = json.loads(main("quality", "-w", tmp_path, "--json").out)["slices"]
    assert (whole["figures"]["critical_defect"]["n"], whole["figures"]["critical_defect"]["of"]) == (
        raw["n"],
        raw["of"],
    )


def test_labels_of_a_part_are_weighted_by_the_cells_of_the_whole(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main, n=160)
    one = of(calibrate(main, tmp_path), NAME)
    sizes: dict[str, int] = {}
    for p in one["parts"]:
        sizes[p["verdict"]] = sizes.get(p["verdict"], 0) + p["n_population"]
    assert sizes == {"fires": 60, "clean": 335, "missing": 5}
    rate = sum(p["n_population"] / 400 * p["n_fires"] / (p["n_fires"] + p["n_clean"])
               for p in one["parts"] if p["n_fires"] + p["n_clean"])  # fmt: skip
    rate += sum(p["n_population"] / 800 for p in one["parts"] if not p["n_fires"] + p["n_clean"])
    assert one["figures"]["corrected"]["point"] == pytest.approx(rate)
    assert one["figures"]["corrected"]["low"] < 59 / 400 < one["figures"]["corrected"]["high"]


def test_a_plan_that_does_not_ask_every_critical_code_has_no_rate_of_them_together(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 60, judge_says)
    plan = plan_of(main, tmp_path, CRITICAL[:3])
    label(tmp_path, plan, people_say)
    told = calibrate(main, tmp_path)
    assert all(c["rubric"] != "(all)" for c in told["codes"])
    assert told["no_rate_together"][0] == {
        "name": "any_critical", "members": list(CRITICAL), "why": "the labels ask 3 of 4 critical codes"
    }  # fmt: skip
    done = main("calibrate", "-w", tmp_path)
    assert "Any critical defect has no rate: the labels ask 3 of 4 critical codes" in done.err
    with open_store(tmp_path / "grader.duckdb") as store:
        trusted = of_run(store, "run_1")
    one = trusted.any_critical()
    assert one is not None
    assert one.text == f"not calibrated together: the labels of plan {plan[:11]} ask 3 of 4 critical codes"
    assert (one.calibrated, one.corrected, one.short) == (False, None, "not calibrated")
    assert f"; together: the labels of plan {plan[:11]} ask 3 of 4" in trusted.defects({"critical"}).text


def test_all_codes_asked_by_option_are_taken_together_and_fewer_are_not(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main)
    only = [part for code in CRITICAL for part in ("--code", code)]
    assert of(calibrate(main, tmp_path, "--dry-run", *only), NAME)["standing"] == "calibrated"
    told = calibrate(main, tmp_path, "--dry-run", *only[:4])
    assert [c["name"] for c in told["codes"]] == [POLICY, TOOL]


def test_what_is_open_beside_a_code_that_is_present_changes_nothing(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 400, judge_says)
    plan = plan_of(main, tmp_path, reviewers="ana,ben")
    twice = {int(name.rsplit("-", 1)[1]) for (name,) in rows(
        tmp_path, "select conversation_id from label_item group by 1 having count(*) = 2"
    )}  # fmt: skip
    found = {i for i in twice if "present" in {people_say(i, code) for code in CRITICAL}}
    assert found
    label(
        tmp_path,
        plan,
        lambda i, c, by: "present" if c == EXCEPTION and by == "ben" and i in found else people_say(i, c),
    )
    told = calibrate(main, tmp_path)
    assert of(told, EXCEPTION)["figures"]["n_open"] == len(found)
    assert (of(told, NAME)["figures"]["n_open"], of(told, NAME)["n_labelled"]) == (0, 397)
    # They agree that something is wrong, not what: that is all that this figure asks.
    assert of(told, NAME)["figures"]["alpha"]["point"] == 1


def test_an_open_disagreement_is_no_calibration_until_a_third_decides(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 400, judge_says)
    plan = plan_of(main, tmp_path, reviewers="ana,ben")
    (twice,) = rows(tmp_path, "select max(conversation_id) from label_item where copy = 0 and conversation_id in ("
                              "select conversation_id from label_item group by 1 having count(*) = 2)")  # fmt: skip
    at = int(twice[0].rsplit("-", 1)[1])
    assert people_say(at, EXCEPTION) == "absent"
    label(tmp_path, plan, lambda i, c, by: "present" if (i, c, by) == (at, EXCEPTION, "ben") else people_say(i, c))
    one = of(calibrate(main, tmp_path), NAME)
    assert (one["figures"]["n_open"], one["standing"]) == (1, "not_calibrated")
    assert "1 disagreement is open" in one["sentence"]
    with open_store(tmp_path / "grader.duckdb") as store:
        trust = of_run(store, "run_1").any_critical()
    assert trust is not None
    assert trust.text.startswith("not calibrated together (")
    decide(tmp_path, plan, twice[0], "present", code=EXCEPTION.partition(".")[2])
    after = of(calibrate(main, tmp_path), NAME)
    assert (after["figures"]["n_open"], after["standing"]) == (0, "calibrated")
    assert after["figures"]["corrected"]["n"] == one["figures"]["corrected"]["n"] + 1


def test_a_conversation_without_a_label_of_some_code_counts_for_nothing_found_or_not(
    main: Main, tmp_path: Path
) -> None:
    shop(tmp_path, 400, judge_says)
    plan = plan_of(main, tmp_path)
    label(tmp_path, plan, lambda i, c, _: None if c == ESCALATION and i in (0, 1, 300) else people_say(i, c))
    one = of(calibrate(main, tmp_path), NAME)
    assert (one["figures"]["n_unanswered"], one["n_labelled"]) == (3, 394)
    assert one["figures"]["corrected"]["n"] == 57  # 0 and 1 have another code; they are left out as 300 is
    done = main("calibrate", "-w", tmp_path, "--split", "all")
    assert "Any critical defect: 3 conversations with a label of some of its codes only count for none" in done.err


def test_where_much_cannot_be_assessed_nothing_found_is_not_calibrated(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 400, judge_says)
    plan = plan_of(main, tmp_path)
    label(tmp_path, plan, lambda i, c, _: "cannot_assess" if c == TOOL and 150 <= i < 200 else people_say(i, c))
    one = of(calibrate(main, tmp_path), NAME)
    assert (one["standing"], one["figures"]["n_in_part"]) == ("not_calibrated", 60)
    assert one["sentence"].startswith("In 60 of 397 labels nothing was found and a code could not be assessed")


def test_zero_present_has_a_rate_of_zero_and_a_high_end(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 120, lambda i: {POLICY: "present"} if i < 20 else dict.fromkeys(CRITICAL, "not_applicable"))
    label(tmp_path, plan_of(main, tmp_path), lambda i, *_: "absent" if i < 20 else "not_applicable")
    one = of(calibrate(main, tmp_path), NAME)
    f = one["figures"]["corrected"]
    assert (f["point"], f["low"], f["of"]) == (0, 0, 120)
    assert 0 < f["high"] < 0.1
    assert one["figures"]["sensitivity"]["point"] is None
    assert one["standing"] == "not_calibrated"


def test_where_nothing_applies_a_conversation_has_none_as_the_figure_counts_it(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 60, lambda _: dict.fromkeys(CRITICAL, "not_applicable"))
    label(tmp_path, plan_of(main, tmp_path), lambda *_: "not_applicable")
    told = calibrate(main, tmp_path)
    assert of(told, NAME)["figures"]["corrected"]["of"] == 60
    assert all(of(told, code)["figures"]["corrected"]["point"] is None for code in CRITICAL)


def test_a_later_run_of_the_same_judges_is_read_with_their_errors(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main)
    calibrate(main, tmp_path)
    shop(tmp_path, 400, lambda i: {POLICY: "present"} if i < 100 else {}, run_id="run_2", prefix="later", days=91)
    told = calibrate(main, tmp_path, "--later", "run_2")
    (mine,) = [f for f in told["later"]["run_2"] if f["name"] == NAME]
    se, sp = (of(told, NAME)["figures"][name]["point"] for name in ("sensitivity", "specificity"))
    assert mine["point"] == pytest.approx((0.25 + sp - 1) / (se + sp - 1), rel=0.01)
    with open_store(tmp_path / "grader.duckdb") as store:
        own, later = (of_run(store, run).any_critical() for run in ("run_1", "run_2"))
        one = next(k for k in kept(store) if k.name == NAME)
        assert later is not None
        assert later.corrected == carried(store, one, "run_2")
        assert own is not None
        assert own.corrected == one.figures["corrected"]
    assert (own.carried, later.carried, own.calibrated, later.calibrated) == (False, True, True, True)
    assert own.n_labels == 397
    assert own.short == f"calibrated {one.calibrated_at:%Y-%m-%d}"
    assert own.text == f"{own.short} with 397 blind labels, single-reviewer gold, 4 codes taken together, judge-1"


def test_another_judge_of_any_rubric_or_a_rubric_less_ends_it(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main)
    calibrate(main, tmp_path)
    shop(tmp_path, 20, judge_says, run_id="run_2", prefix="other", model="judge-2", days=91)
    shop(tmp_path, 20, judge_says, run_id="run_3", prefix="fewer", days=92, rubrics=("accuracy",))
    with open_store(tmp_path / "grader.duckdb") as store:
        other, fewer = (of_run(store, run).any_critical() for run in ("run_2", "run_3"))
        both = of_runs(store, ["run_1", "run_2"]).any_critical()
        one = next(k for k in kept(store) if k.name == NAME)
        reasons = [carried(store, one, run).reason for run in ("run_2", "run_3")]
    assert other is not None
    assert other.state == "changed"
    assert "together: accuracy: model judge-1 → judge-2, behavior: model judge-1 → judge-2 since" in other.text
    assert fewer is not None
    assert "together: behavior is not judged since the calibration of" in fewer.text
    assert both is not None
    assert "accuracy, behavior were judged by several judges" in both.text
    assert reasons[0].startswith("Another judge: model judge-1 → judge-2.")
    assert reasons[1] == "Run run_3 has no verdict by rubric behavior."


def test_other_severities_are_another_composite(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main)
    calibrate(main, tmp_path)
    with open_store(tmp_path / "grader.duckdb") as store:
        before = of_run(store, "run_1").any_critical()
    assert before is not None
    assert before.calibrated
    # The same words, hash and judge; what is critical is another: severities do not reach the judge.
    import duckdb

    with duckdb.connect(str(tmp_path / "grader.duckdb")) as con:
        con.execute("update criterion set severity = 'high' where code = 'contradicts_tool_result'")
    with open_store(tmp_path / "grader.duckdb") as store:
        after = of_run(store, "run_1").any_critical()
    assert after is not None
    assert after.text.startswith("not calibrated together: other codes are taken together since the calibration of")


def test_a_golden_set_that_failed_under_one_of_its_judges_ends_it(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main)
    calibrate(main, tmp_path)
    with open_store(tmp_path / "grader.duckdb") as store:
        golden(store, "failed")
        trust = of_run(store, "run_1").any_critical()
    assert trust is not None
    assert not trust.calibrated
    assert trust.text == "not calibrated together: golden set deadlines failed 2030-01-01, after the calibration"


def test_without_labels_it_was_never_calibrated_and_without_a_critical_code_there_is_none(tmp_path: Path) -> None:
    shop(tmp_path, 6, judge_says)
    shop(tmp_path, 6, lambda _: {}, run_id="run_2", prefix="mood", rubrics=("resolution",), days=91)
    with open_store(tmp_path / "grader.duckdb") as store:
        one, none = (of_run(store, run).any_critical() for run in ("run_1", "run_2"))
    assert one is not None
    assert (one.state, one.text) == ("never", NEVER)
    assert none is None


def test_any_defect_is_calibrated_where_labels_ask_every_code(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 120, judge_says)
    told_plan = main("label", "plan", "-w", tmp_path, "--json", "-n", "200", "--reviewers", "ana", "--duplicates", "0")
    plan = json.loads(told_plan.out)["plan_id"]
    label(tmp_path, plan, lambda i, c, _: people_say(i, c) if c in CRITICAL else "absent")
    told = calibrate(main, tmp_path)
    together = [c["criterion"] for c in told["codes"] if c["rubric"] == "(all)"]
    assert together == ["any_critical", "any_defect"]
    assert told["no_rate_together"] == []
    mine, others = (of(told, f"(all).{name}")["figures"]["corrected"] for name in together)
    assert (mine["n"], mine["of"]) == (others["n"], others["of"]) == (59, 120)


def test_a_recall_audit_says_what_conversations_clean_of_every_code_can_hide(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 200, judge_says)
    asked = [part for code in CRITICAL for part in ("-c", code)]
    done = main("label", "plan", "-w", tmp_path, "--json", *asked, "--audit", "-n", "60", "--reviewers", "ana")
    label(tmp_path, json.loads(done.out)["plan_id"], lambda *_: "absent")
    calibrate(main, tmp_path)
    with open_store(tmp_path / "grader.duckdb") as store:
        trust = of_run(store, "run_1").any_critical()
    assert trust is not None
    assert trust.audit is not None
    assert trust.audit.n_missed == 0
    assert trust.audit.n_reviewed > 40
    assert not trust.calibrated


def test_a_kept_calibration_says_its_codes_and_judges(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main)
    calibrate(main, tmp_path)
    with open_store(tmp_path / "grader.duckdb") as store:
        one = next(k for k in kept(store) if k.name == NAME)
    assert one.members == CRITICAL
    assert one.rubrics == ("accuracy", "behavior")
    assert {i.rubric for i in one.instruments} == {"accuracy", "behavior"}
    assert one.instrument.rubric == "(all)"
    assert sum(p.n_population for p in one.parts) == one.n_population == 400
    assert all(isinstance(p, Part) for p in one.parts)
