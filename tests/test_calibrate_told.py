"""What a calibration says in words: what is left to label, whose labels they are, what an audit excludes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from calibrate_parts import CODE, calibrate, judge, label, of, planned
from conftest import Main
from report_data import RUBRICS, T0, World, present, says

from grader.store import open_store


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace)
    return workspace


def test_labels_that_cannot_assess_are_not_asked_for_again(shop: Path, main: Main) -> None:
    """All 120 are labelled, one flag and one clean one could not be assessed: there is nothing left to label."""
    judge(shop, ["present" if i < 20 else "absent" for i in range(120)])
    plan = planned(main)
    unsure = ("talk-003", "talk-050")
    label(shop, plan, lambda i, _: "cannot_assess" if i in unsure else "present" if i < "talk-018" else "absent")
    one = of(calibrate(main))
    assert (one["n_labelled"], one["figures"]["n_skipped"]) == (118, 2)
    assert one["standing"] == "calibrated", one["sentence"]


def test_the_flags_that_are_asked_for_bring_the_positives_that_are_missing(shop: Path, main: Main) -> None:
    """5 of 240 flags were right: ten more take 480 flags, of which 360 are left."""
    judge(shop, ["present" if i < 600 else "absent" for i in range(1_000)])
    plan = planned(main, n=400)
    label(shop, plan, lambda i, _: "present" if i < "talk-600" and int(i[-3:]) % 40 == 0 else "absent")
    one = of(calibrate(main))
    value = one["figures"]["positive_value"]
    assert (value["n"], value["of"]) == (5, 240)
    assert one["sentence"].endswith("label the 360 judge-positives that are left, and more judge-negatives.")


def test_a_plan_of_two_that_one_has_labelled_is_single_reviewer_gold(shop: Path, main: Main) -> None:
    judge(shop, ["present" if i < 90 else "absent" for i in range(400)])
    plan = planned(main, reviewers="ana,ben")
    label(shop, plan, lambda i, who: None if who == "ben" else "present" if i < "talk-085" else "absent")
    told = calibrate(main)
    one = of(told)
    assert one["standing"] == "calibrated"
    assert "one reviewer (single-reviewer gold" in one["sentence"]
    assert (one["figures"]["n_reviewers"], one["figures"]["alpha"]["point"]) == (1, None)
    assert "1 reviewer α –" in one["line"]
    assert "one reviewer, ana: single-reviewer gold" in main("calibrate", "--split", "all").out


def test_labels_that_are_all_not_applicable_keep_their_design(shop: Path, main: Main) -> None:
    judge(shop, ["not_applicable"] * 60)
    label(shop, planned(main, n=30), lambda *_: "not_applicable")
    assert "30 blind labels (0+30, simple random)" in of(calibrate(main))["line"]


def test_what_was_missed_outside_the_largest_stratum_is_in_the_audit(shop: Path, main: Main) -> None:
    """40 conversations are flagged by another code alone; in a half of them people see this one, in the rest never."""
    with open_store(shop / "grader.duckdb") as store:
        w = World(store)
        for i in range(400):
            name, at = f"talk-{i:03}", T0 + timedelta(hours=i)
            w.talk(name, says("customer", f"order {i}?", at), says("ai", "It arrives", at), contact=f"c{i}", start=at)
            code = CODE if i < 40 else "status_without_lookup" if i < 80 else ""
            w.judged(name, "accuracy", {code: present("It arrives")} if code else {})
        w.finish("run_1", rubrics=[{"name": "accuracy", "version": RUBRICS["accuracy"].version}])
    plan = planned(main, "-c", "status_without_lookup", n=120)
    label(shop, plan, lambda i, _: "present" if i < "talk-040" or "talk-040" <= i < "talk-060" else "absent")
    audited = of(calibrate(main))["figures"]["audit"]
    assert audited["n_clean"] == 360
    assert audited["n_missed"] > 0  # it was 0 of the largest stratum, at most 4 %
    assert audited["at_most"] > 20 / 360
