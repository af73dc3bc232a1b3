"""Every edge case of the specification, through the command: a sentence for people, no NaN, no 0 % that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from calibrate_parts import calibrate, half_right, judge, label, number, of, planned
from conftest import Main

from grader.statistics.figure import jeffreys


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace)
    return workspace


def test_no_positives_is_a_rate_of_zero_with_what_it_can_exclude(shop: Path, main: Main) -> None:
    judge(shop, ["absent"] * 100)
    plan = planned(main)
    label(shop, plan, lambda *_: "absent")
    told = calibrate(main)
    one = of(told)
    f = one["figures"]
    assert (f["corrected"]["point"], f["corrected"]["low"]) == (0, 0)
    assert f["corrected"]["high"] == pytest.approx(jeffreys(0, 100)[1], abs=1e-3)  # 2.5 %
    assert f["sensitivity"]["point"] is None
    assert f["sensitivity"]["reason"].startswith("No human-positive labels")
    assert f["kappa"]["point"] is None
    assert f["audit"] == {
        "n_missed": 0, "n_reviewed": 100, "n_clean": 100, "at_most": pytest.approx(0.0295, abs=1e-3),
        "high": pytest.approx(0.0362, abs=1e-3),
    }  # fmt: skip
    assert one["standing"] == "not_calibrated"
    assert "0 human-positive labels, 15 are the least: this frame holds too few" in one["sentence"]
    shown = main("calibrate", "--split", "all").out
    assert "recall audit" in shown
    assert "The judge flagged nothing" in shown


def test_all_not_applicable_is_no_rate(shop: Path, main: Main) -> None:
    judge(shop, ["not_applicable"] * 40 + ["absent"] * 20)
    plan = planned(main)
    label(shop, plan, lambda *_: "not_applicable")
    one = of(calibrate(main))
    assert one["figures"]["corrected"]["point"] is None
    assert one["figures"]["corrected"]["reason"].startswith("0 applicable")
    assert one["figures"]["n_applicable"] == 0
    assert "0 %" not in one["line"].split("·")[0]


def test_a_perfect_judge_keeps_an_interval(shop: Path, main: Main) -> None:
    judge(shop, ["present"] * 80 + ["absent"] * 320)
    plan = planned(main)
    label(shop, plan, lambda c, _: "present" if number(c) < 80 else "absent")
    f = of(calibrate(main))["figures"]
    assert f["sensitivity"]["point"] == f["specificity"]["point"] == 1
    assert f["sensitivity"]["low"] < 1
    assert f["corrected"]["low"] < 0.2 < f["corrected"]["high"]
    assert f["corrected"]["high"] - f["corrected"]["low"] > 0.02


def test_a_judge_no_better_than_chance_is_not_carried_over(shop: Path, main: Main) -> None:
    judge(shop, ["present" if i % 2 else "absent" for i in range(400)])
    plan = planned(main)
    label(shop, plan, lambda c, _: "present" if number(c) % 4 < 2 else "absent")
    judge(shop, ["present"] * 60 + ["absent"] * 60, run_id="run_2", prefix="later", days=120)
    told = calibrate(main, "--later", "run_2")
    one = of(told)
    assert one["standing"] == "not_calibrated"
    assert "not clearly better than chance" in one["sentence"]
    assert one["figures"]["corrected"]["point"] == pytest.approx(0.5)  # still valid
    (later,) = told["later"]["run_2"]
    assert later["point"] is None
    assert "does not tell the two kinds apart" in later["reason"]


def test_few_labels_are_insufficient_and_the_sentence_says_which_to_label(shop: Path, main: Main) -> None:
    judge(shop, ["present"] * 80 + ["absent"] * 320)
    plan = planned(main, n=12)
    label(shop, plan, lambda c, _: ("present" if number(c) < 80 else "absent") if number(c) < 80 else None)
    one = of(calibrate(main))
    assert one["standing"] == "insufficient"
    assert "judged clean" in one["sentence"]


def test_verdicts_that_could_not_be_had_are_a_stratum_and_never_a_score(shop: Path, main: Main) -> None:
    judge(
        shop, ["present"] * 60 + ["absent"] * 200 + ["unsupported"] * 40 + ["cannot_assess"] * 60 + ["failed"] * 40
    )  # fmt: skip
    plan = planned(main)
    label(shop, plan, lambda c, _: "present" if number(c) < 60 or number(c) >= 350 else "absent")
    one = of(calibrate(main))
    assert one["figures"]["n_missing"] == 100
    assert one["figures"]["raw"] | {"method": ""} == one["figures"]["raw"] | {"method": ""}
    assert (one["figures"]["raw"]["n"], one["figures"]["raw"]["of"]) == (60, 300)
    missing = [p for p in one["parts"] if p["verdict"] == "missing"]
    assert sum(p["n_population"] for p in missing) == 100
    assert one["figures"]["corrected"]["point"] == pytest.approx((60 + 50) / 400)  # theirs count in the rate
    assert one["figures"]["sensitivity"]["point"] == 1  # and not among the judge's errors


def test_a_flag_without_proof_is_not_flagged(shop: Path, main: Main) -> None:
    judge(shop, ["present"] * 60 + ["unsupported"] * 40 + ["absent"] * 300)
    plan = planned(main)
    label(shop, plan, lambda c, _: "present" if number(c) < 100 else "absent")
    f = of(calibrate(main))["figures"]
    assert f["sensitivity"]["point"] == pytest.approx(60 / 100)
    assert f["audit"]["n_clean"] == 300  # what it called clean, not what it could not prove


def test_a_label_that_cannot_assess_is_counted_and_in_no_rate(shop: Path, main: Main) -> None:
    judge(shop, ["present"] * 80 + ["absent"] * 320)
    plan = planned(main)
    label(shop, plan, lambda c, _: "cannot_assess" if number(c) % 5 == 0 else "present" if number(c) < 80 else "absent")
    one = of(calibrate(main))
    assert one["figures"]["n_skipped"] == 80
    assert one["n_labelled"] == 320
    assert "Reviewers could not assess 80 of 400" in one["sentence"]


def test_one_reviewer_has_no_alpha_and_the_gold_says_so(shop: Path, main: Main) -> None:
    half_right(shop, main)
    f = of(calibrate(main))["figures"]
    assert f["alpha"]["point"] is None
    assert "one reviewer" in f["alpha"]["reason"]
    assert "single-reviewer gold" in main("calibrate").out


def test_contacts_with_many_conversations_widen_the_interval(shop: Path, main: Main) -> None:
    said = ["present"] * 100 + ["absent"] * 300
    judge(shop, said, contact=lambda i: f"+5511{i // 4:09}")
    plan = planned(main)
    label(shop, plan, lambda c, _: "present" if number(c) // 4 % 5 == 0 else "absent")
    clustered = of(calibrate(main))["figures"]["corrected"]
    width = clustered["high"] - clustered["low"]
    other = shop / "other"
    other.mkdir()
    (other / "grader.toml").write_text("", encoding="utf-8")
    judge(other, said)
    plan = planned(main, "--workspace", str(other))
    label(other, plan, lambda c, _: "present" if number(c) // 4 % 5 == 0 else "absent")
    alone = of(calibrate(main, "--workspace", str(other)))["figures"]["corrected"]
    assert width > 1.2 * (alone["high"] - alone["low"])
