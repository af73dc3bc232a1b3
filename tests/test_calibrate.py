"""A judge held against blind labels: hand-counted frames, standings, slices, later runs, what becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from calibrate_parts import NAME, calibrate, decide, half_right, judge, label, number, of, planned
from conftest import Main
from label_parts import rows

from grader.calibration.splits import split_names
from grader.errors import ConfigError


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace)
    return workspace


def test_rates_and_errors_follow_the_strata(shop: Path, main: Main) -> None:
    half_right(shop, main)
    one = of(calibrate(main))
    # 90 of 400 have it; 80 were flagged, 60 of them rightly; 290 of the 310 that do not have it were called clean
    assert one["figures"]["corrected"]["point"] == pytest.approx(90 / 400)
    assert one["figures"]["raw"]["point"] == pytest.approx(80 / 400)
    assert one["figures"]["sensitivity"]["point"] == pytest.approx(60 / 90)
    assert one["figures"]["specificity"]["point"] == pytest.approx(290 / 310)
    assert one["figures"]["positive_value"]["point"] == pytest.approx(60 / 80)
    assert (one["standing"], one["n_labelled"], one["n_population"]) == ("calibrated", 400, 400)
    assert "Read the corrected rate: 400 labels by one reviewer (single-reviewer gold" in one["sentence"]


def test_labels_of_a_part_are_weighted_by_what_they_stand_for(shop: Path, main: Main) -> None:
    half_right(shop, main, n=160)
    one = of(calibrate(main))
    parts = {p["verdict"]: p for p in one["parts"]}
    assert (parts["fires"]["n_population"], parts["clean"]["n_population"]) == (80, 320)
    by_hand = sum(
        p["n_population"] / 400 * p["n_fires"] / (p["n_fires"] + p["n_clean"]) for p in parts.values()
    )  # fmt: skip
    assert one["figures"]["corrected"]["point"] == pytest.approx(by_hand)
    assert one["figures"]["people"]["point"] is None or parts["fires"]["n_fires"] + parts["fires"]["n_clean"] == 32
    low, high = one["figures"]["corrected"]["low"], one["figures"]["corrected"]["high"]
    assert low < 90 / 400 < high


def test_the_test_split_stays_closed_unless_it_is_asked_for(shop: Path, main: Main) -> None:
    plan = half_right(shop, main)
    told = calibrate(main, "--split", "train,dev")
    assert rows(shop, "select count(*) from split_opening") == [(0,)]
    assert told["n_held_back"] == 400 - of(told)["n_labelled"]
    done = main("calibrate", plan[:11])
    assert f"{told['n_held_back']} more labelled conversations are in test: --split all reads them" in done.err
    for _ in range(2):
        assert calibrate(main, "--split", "test")["n_openings"] == 1  # the same judge again tells nothing new
    assert rows(shop, "select split, count(*) from split_opening group by all") == [("test", 2)]


def test_four_judges_of_a_test_split_are_counted(shop: Path, main: Main) -> None:
    half_right(shop, main)
    said = ["present"] * 80 + ["absent"] * 320
    calibrate(main)
    for n in (2, 3, 4):
        judge(shop, said, run_id=f"run_{n}", model=f"judge-{n}", again=n - 1, days=90 + n)
        told = calibrate(main, "--run", f"run_{n}")
        assert told["n_openings"] == n
    done = main("calibrate", "--split", "all")
    assert "the test split was opened for 4 judges so far; after 3 draw a fresh one" in done.err


def test_a_calibration_is_kept_once_and_a_dry_run_is_not(shop: Path, main: Main) -> None:
    half_right(shop, main)
    calibrate(main, "--dry-run", "--split", "dev")
    assert rows(shop, "select count(*) from calibration") == [(0,)]
    first, second = calibrate(main), calibrate(main)
    assert first["calibration"] == second["calibration"]
    assert rows(shop, "select count(*) from calibration") == [(1,)]
    assert rows(shop, "select standing, criterion from calibration_code") == [("calibrated", "invented_deadline")]


def test_slices_have_their_own_strata_and_say_where_labels_are_wanted(shop: Path, main: Main) -> None:
    half_right(shop, main, n=160)
    told = calibrate(main, "--by", "queue")
    returns, orders = of(told, queue="returns"), of(told, queue="orders")
    assert returns["n_population"] == orders["n_population"] == 200
    assert sum(p["n_population"] for p in returns["parts"] if p["verdict"] == "fires") == 40
    assert returns["standing"] == "not_calibrated"
    assert "judge-negatives of queue returns" in returns["sentence"] or "of queue returns" in returns["sentence"]
    done = main("calibrate", "--by", "mood")
    assert done.code == 2
    assert "one of queue, reason, week, channel, language" in done.err


def test_a_later_run_is_read_with_the_errors_of_the_earlier_one(shop: Path, main: Main) -> None:
    half_right(shop, main)
    judge(shop, ["present"] * 120 + ["absent"] * 280, run_id="run_2", prefix="later", days=120)
    told = calibrate(main, "--later", "run_2")
    (found,) = told["later"]["run_2"]
    se, sp, q = 60 / 90, 290 / 310, 120 / 400
    assert found["point"] == pytest.approx((q + sp - 1) / (se + sp - 1))  # 0.390
    assert found["low"] < found["point"] < found["high"]
    judge(shop, ["present"] * 120 + ["absent"] * 280, run_id="run_3", prefix="other", model="judge-9", days=121)
    (other,) = calibrate(main, "--later", "run_3")["later"]["run_3"]
    assert other["point"] is None
    assert other["reason"] == "Another judge: model judge-1 → judge-9. Its errors are not known: calibrate it."


def test_another_run_on_the_same_frame_is_held_against_the_same_labels(shop: Path, main: Main) -> None:
    half_right(shop, main)
    # the other judge flags what people find, all of it and nothing else
    said = ["present" if i < 60 or 80 <= i < 110 else "absent" for i in range(400)]
    judge(shop, said, run_id="run_2", model="judge-2", again=1, days=91)
    one = of(calibrate(main, "--run", "run_2"))
    assert one["model"] == "judge-2"
    assert one["figures"]["sensitivity"]["point"] == one["figures"]["specificity"]["point"] == 1
    assert one["figures"]["corrected"]["point"] == pytest.approx(90 / 400)
    assert 0 < one["figures"]["corrected"]["low"] < 90 / 400 < one["figures"]["corrected"]["high"] < 1


def test_a_run_that_judged_a_part_of_the_frame_has_no_strata(shop: Path, main: Main) -> None:
    half_right(shop, main)
    judge(shop, ["present"] * 40, run_id="run_2", model="judge-2", again=1, days=91)
    done = main("calibrate", "--run", "run_2")
    assert done.code == 2
    assert "judged 40 of the 400 conversations" in done.err
    assert "grader compare" in done.err


def test_disagreements_that_nobody_decided_are_told_and_leave_the_rate(shop: Path, main: Main) -> None:
    judge(shop, ["present"] * 80 + ["absent"] * 320)
    plan = planned(main, reviewers="ana,ben")
    twice = {
        i
        for (i,) in rows(shop, "select conversation_id from label_item where copy = 0 group by all having count(*) > 1")
    }
    apart = sorted(twice)[:2]

    def said(conversation_id: str, reviewer: str) -> str:
        if conversation_id in apart and reviewer == "ben":
            return "present" if number(conversation_id) >= 60 else "absent"
        return "present" if number(conversation_id) < 60 else "absent"

    label(shop, plan, said)
    one = of(calibrate(main))
    assert one["figures"]["n_open"] == 2
    assert one["n_labelled"] == 398
    assert one["sentence"] == "2 disagreements are open: let a third decide (grader label adjudicate)."
    assert one["figures"]["alpha"]["point"] == pytest.approx(0.91, abs=0.1)
    for conversation_id in apart:
        decide(shop, plan, conversation_id, "absent")
    assert of(calibrate(main))["figures"]["n_open"] == 0


def test_reviewers_who_do_not_agree_make_the_rubric_unreliable(shop: Path, main: Main) -> None:
    judge(shop, ["present"] * 80 + ["absent"] * 320)
    plan = planned(main, reviewers="ana,ben")
    label(
        shop, plan, lambda c, r: "present" if (number(c) % 3 == 0) ^ (r == "ben" and number(c) % 2 == 0) else "absent"
    )
    one = of(calibrate(main))
    assert one["standing"] == "unreliable"
    assert one["sentence"].startswith("Reviewers do not agree (alpha ")
    assert "mend the wording of the criterion" in one["sentence"]


def test_labels_from_elsewhere_are_in_no_rate(shop: Path, main: Main) -> None:
    half_right(shop, main)
    before = of(calibrate(main))
    with (shop / "old.jsonl").open("w", encoding="utf-8") as file:
        for i in range(400):
            file.write(
                f'{{"type":"label","conversation_id":"talk-{i:03}","rubric":"accuracy","rubric_version":"1.0.0",'
                '"criterion":"invented_deadline","reviewer":"x","answer":"present"}\n'
            )
    done = main("label", "import", shop / "old.jsonl", "--origin", "last-year")
    assert done.code == 0, done.err
    after = of(calibrate(main))
    assert before["figures"] == after["figures"]
    assert before["n_labelled"] == after["n_labelled"]


def test_choices_are_told_by_answer(shop: Path, main: Main) -> None:
    from report_data import T0, World

    from grader.store import open_store

    with open_store(shop / "grader.duckdb") as store:
        w = World(store)
        for i in range(60):
            w.talk(f"talk-{i:03}")
            w.judged(
                f"talk-{i:03}", "resolution", {"resolved": "resolved" if i < 40 else "partly" if i < 50 else "not"}
            )
        w.finish(at=T0, rubrics=[{"name": "resolution", "version": "1.0.0"}])
    plan = planned(main, code="resolved")
    label(
        shop, plan, lambda c, _: "resolved" if number(c) < 30 else "partly" if number(c) < 50 else "not",
        code="resolved",
    )  # fmt: skip
    found = calibrate(main)
    rates = {c["option"]: c["figures"]["corrected"]["point"] for c in found["codes"]}
    assert rates == {
        "resolved": pytest.approx(0.5), "partly": pytest.approx(20 / 60), "not": pytest.approx(10 / 60)
    }  # fmt: skip
    assert of(found, "resolution.resolved = partly")["figures"]["sensitivity"]["point"] == pytest.approx(0.5)
    assert main("calibrate", "--code", "resolved").code == 0
    done = main("calibrate", "--code", "invented")
    assert done.code == 2
    assert "is no criterion of this plan" in done.err


def test_every_figure_is_a_number_or_a_reason(shop: Path, main: Main) -> None:
    half_right(shop, main, n=60)
    told = calibrate(main, "--by", "queue", "--by", "week")
    assert len(told["codes"]) > 4
    for one in told["codes"]:
        for name, f in one["figures"].items():
            if isinstance(f, dict) and "point" in f:
                assert f["point"] is not None or f["reason"], name
                assert (f["low"] is None) == (f["high"] is None), name
        assert one["sentence"]


def test_the_line_to_quote_has_frame_labels_design_and_judge(shop: Path, main: Main) -> None:
    half_right(shop, main)
    line = of(calibrate(main))["line"]
    assert line.startswith(f"{NAME} 22.5 % [")
    for part in (
        "of 400 applicable", "human-only: 22.5 % [", "raw judge 20.0 % [", "Se 66.7 % [", "Sp 93.5 % [",
        "400 blind labels (80+320, simple random), 1 reviewer α –", "judge judge-1@accuracy 1.0.0, calibrated",
        "frame 2026-08-03..2026-08-20", "MOVER-Jeffreys",
    ):  # fmt: skip
        assert part in line, part


def test_splits_are_named_or_refused() -> None:
    assert split_names("all") == ("train", "dev", "test")
    assert split_names("test, dev") == ("dev", "test")
    for wrong in ("", "tests", "dev;test"):
        with pytest.raises(ConfigError, match="--split"):
            split_names(wrong)


def test_without_a_plan_or_labels_the_error_says_what_to_do(shop: Path, main: Main) -> None:
    judge(shop, ["present"] * 10 + ["absent"] * 50)
    done = main("calibrate")
    assert done.code == 2
    assert "grader label plan draws one" in done.err
    planned(main)
    done = main("calibrate")
    assert done.code == 2
    assert "has no label yet" in done.err
    assert "grader label export" in done.err


def test_an_audit_draws_from_clean_ones_and_says_what_it_excludes(shop: Path, main: Main) -> None:
    judge(shop, ["present"] * 80 + ["absent"] * 300)
    plan = planned(main, "--audit", n=120, reviewers="ana,ben")
    drawn_from = rows(shop, "select distinct stratum from label_draw")
    assert drawn_from == [("rest",)]
    label(shop, plan, lambda *_: "absent")
    done = main("calibrate", "--split", "all")
    assert done.code == 0, done.err
    assert "Of 120 reviewed conversations that were judged clean, none had it: at most 2.5 %" in done.out
    assert "corrected" not in done.out
    told = calibrate(main)
    one = of(told, audit="judged clean")
    assert (one["figures"]["audit"]["n_reviewed"], one["figures"]["audit"]["n_clean"]) == (120, 300)
    assert "No item was answered by two" not in main("calibrate", "--split", "all", "-o", "-").out
    judge(shop, ["present"] * 40, run_id="run_2", again=1, model="judge-2")
    done = main("label", "plan", "-c", "invented_deadline", "--audit", "--run", "run_2")
    assert done.code == 2
    assert "called no conversation clean of all 1 codes" in done.err


def test_a_frame_of_unequal_chances_is_called_one(shop: Path, main: Main) -> None:
    half_right(shop, main)
    assert calibrate(main)["frame_even"]
    from grader.store import open_store

    with open_store(shop / "grader.duckdb") as store:
        store.rows("update run_item set inclusion_probability = 0.5 where conversation_id < 'talk-100'")
    assert not calibrate(main)["frame_even"]
    assert "drawn with unequal chances: rates are of the 400 conversations that it judged" in main("calibrate").err


def test_labels_that_examples_were_drawn_from_are_left_out(shop: Path, main: Main) -> None:
    from calibrate_parts import NOW

    from grader.store import open_store

    plan = half_right(shop, main)
    before = of(calibrate(main))["n_labelled"]
    n_train = of(calibrate(main, "--split", "train"))["n_labelled"]
    why = "disagreements --as rubric-examples into accuracy@{}: judge-1"
    with open_store(shop / "grader.duckdb") as store:
        store.open_split(plan, "train", why.format("1.1.0"), NOW)
    assert calibrate(main)["splits"] == ["train", "dev", "test"]  # this judge has not seen them
    with open_store(shop / "grader.duckdb") as store:
        store.open_split(plan, "train", why.format("1.0.0"), NOW)
    told = calibrate(main)
    assert told["splits"] == ["dev", "test"]
    assert of(told)["n_labelled"] == before - n_train
    done = main("calibrate")
    assert "its labels are left out" in done.err
    assert "labels of dev ·" in done.out
    assert (
        of(calibrate(main, "--split", "train,dev"))["n_labelled"] > of(calibrate(main, "--split", "dev"))["n_labelled"]
    )


@pytest.mark.parametrize(
    ("outcome", "counts"), [("fail", "run_1"), ("hold", "run_1"), ("pass", "run_2"), (None, "run_2")]
)
def test_a_judge_that_the_gate_refused_gives_way_in_the_figures_of_weeks(
    shop: Path, main: Main, outcome: str | None, counts: str
) -> None:
    from calibrate_parts import NOW

    from grader.calibration.instrument import of_run
    from grader.store import open_store

    judge(shop, ["present"] * 10 + ["absent"] * 10)
    judge(shop, ["absent"] * 20, run_id="run_2", model="judge-2", again=1, days=91)
    if outcome:
        with open_store(shop / "grader.duckdb") as store:
            old, new = (of_run(store, run)["accuracy"].row() for run in ("run_1", "run_2"))
            store.add_promotion({
                "promotion_id": "pm_1", "rubric": "accuracy", "outcome": outcome, "from_run": "run_1",
                "to_run": "run_2",
                "from_instrument": old, "to_instrument": new, "plan_id": "lp_1", "gate": {}, "evidence": {},
                "grader_version": "0", "decided_at": NOW,
            })  # fmt: skip
    assert f"run {counts}" in main("quality").err
