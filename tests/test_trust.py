"""What is said of a judge wherever its figures are shown: calibrated when and with what, or not, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from calibrate_parts import calibrate, judge, label, planned
from conftest import Main
from report_data import RUBRICS
from trust_parts import CODE, NOON, calibrated, golden, labelled, shop

from grader.calibration.carried import carried, counted, later_parts, said
from grader.calibration.held import Code
from grader.calibration.kept import kept
from grader.calibration.status import Status, Trust
from grader.calibration.trust import NEVER, of_run, of_runs
from grader.labelling.frame import frame
from grader.labelling.plan import Question
from grader.statistics.figure import recall_audit
from grader.store import open_store

N_CODES = len(RUBRICS["accuracy"].codes)


def test_without_a_calibration_nothing_is_called_calibrated(tmp_path: Path) -> None:
    shop(tmp_path, 6)
    with open_store(tmp_path / "grader.duckdb") as store:
        found = of_run(store, "run_1")
    assert found.lines() == (f"accuracy: {NEVER}", f"resolution: {NEVER}")
    trust = found.of("accuracy", CODE)
    assert (trust.state, trust.short, trust.corrected, trust.audit) == ("never", "not calibrated", None, None)
    assert trust.excluded == "nobody read conversations judged clean: nothing is excluded"
    assert found.defects().short == f"not calibrated: {N_CODES} of {N_CODES} codes are not"
    assert found.warnings() == ()


def test_a_run_shows_its_own_corrected_rate_and_a_later_one_the_rate_carried_over(main: Main, tmp_path: Path) -> None:
    shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    shop(tmp_path, run_id="run_2", names="later", each=2, days=91)
    with open_store(tmp_path / "grader.duckdb") as store:
        (one,) = kept(store, overall=True)
        own, later = (of_run(store, run).of("accuracy", CODE) for run in ("run_1", "run_2"))
        assert own.corrected == one.figures["corrected"]
        assert later.corrected == carried(store, one, "run_2")
        # the strata by one statement are those of the verdicts one by one
        question = Question("accuracy", RUBRICS["accuracy"].version, RUBRICS["accuracy"].meaning_hash, CODE)
        code = Code("accuracy", CODE, None, "", "")
        each = [code.verdict(m.verdicts[0]) for m in frame(store, "run_2", [question])]
        told = {(p.verdict, p.name): p.n_population for p in later_parts(one, said(store, "run_2"))}
        lines = of_run(store, "run_2").lines()
        both = of_runs(store, ["run_1", "run_2"]).of("accuracy", CODE)
    assert told == {s: each.count(s) for s in set(each)}
    assert own.calibrated
    assert not own.carried
    assert later.carried
    assert later.corrected is not None
    assert own.corrected is not None
    assert (later.corrected.point or 0) > (own.corrected.point or 1)
    date = f"{one.calibrated_at:%Y-%m-%d}"
    assert own.short == f"calibrated {date}"
    assert own.text == f"calibrated {date} with 90 blind labels, single-reviewer gold, judge-1@accuracy 1.0.0"
    assert lines[0] == f"accuracy: 1 of {N_CODES} codes calibrated, {date} with 90 blind labels"
    assert (both.calibrated, both.corrected) == (True, None)  # of several runs there is no one rate


def test_an_audit_says_what_a_rate_of_zero_excludes(main: Main, tmp_path: Path) -> None:
    shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    with open_store(tmp_path / "grader.duckdb") as store:
        found = of_run(store, "run_1").of("accuracy", CODE)
    bound = recall_audit(1, 60, 60).at_most  # 60 judged clean, all read; day 7 has it
    assert found.excluded == f"1 of 60 judged clean and read blind had it: at most {bound * 100:.1f} %"


def test_another_model_is_not_calibrated_and_says_what_changed_until_golden_set_and_labels_are_there(
    main: Main, tmp_path: Path
) -> None:
    shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    shop(tmp_path, 120, run_id="run_2", names="other", model="judge-2", days=91)

    def told() -> Trust:
        with open_store(tmp_path / "grader.duckdb") as store:
            found = of_run(store, "run_2")
            assert all("judge-1 → judge-2" in w for w in found.warnings()[:1])
            return found.of("accuracy", CODE)

    first = told()
    assert (first.state, first.corrected, first.audit, first.flips) == ("changed", None, None, None)
    assert "model judge-1 → judge-2 since the calibration of" in first.text
    assert first.text.endswith("no golden set was judged since")
    with open_store(tmp_path / "grader.duckdb") as store:
        golden(store, "passed", run_id="run_2")
    assert told().text.endswith("golden set deadlines passed 2030-01-01, 0 of 100 fresh labels")
    labelled(main, tmp_path, n=110)
    after = told()
    assert (after.state, after.corrected, after.audit) == ("calibrated", None, None)
    assert "before a change (model judge-1 → judge-2)" in after.text


def test_a_golden_set_that_failed_afterwards_ends_a_calibration_and_another_that_passed_is_no_excuse(
    main: Main, tmp_path: Path
) -> None:
    shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    with open_store(tmp_path / "grader.duckdb") as store:
        golden(store, "failed")
        golden(store, "passed", name="refunds", at=NOON.replace(year=2031))
        found = of_run(store, "run_1")
        golden(store, "passed", at=NOON.replace(year=2032))
        again = of_run(store, "run_1")
    trust = found.of("accuracy", CODE)
    assert trust.text == "not calibrated: golden set deadlines failed 2030-01-01, after the calibration"
    assert found.lines()[0] == f"accuracy: {trust.text}"
    assert found.warnings() == ("accuracy: golden set deadlines failed 2030-01-01 under this judge. It failed.",)
    assert again.of("accuracy", CODE).calibrated
    assert again.warnings() == ()


def test_a_figure_over_several_judges_is_believed_as_far_as_the_least_of_them(main: Main, tmp_path: Path) -> None:
    shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    shop(tmp_path, run_id="run_2", names="other", model="judge-2", days=91)
    with open_store(tmp_path / "grader.duckdb") as store:
        found = of_runs(store, ["run_1", "run_2"])
    trust = found.of("accuracy", CODE)
    assert (trust.state, trust.audit) == ("changed", None)
    assert trust.text.endswith("(2 judges)")
    assert [line.endswith(f"(judge-{n}@accuracy 1.0.0)") for n, line in enumerate(found.lines()[:2], 1)] == [True, True]


@pytest.mark.parametrize(("states", "calibrated_", "short"), [
    (("calibrated", "calibrated"), True, "calibrated 2026-11-30"),
    (("calibrated", "never"), False, "not calibrated: 1 of 2 codes are not"),
    (("changed",), False, "not calibrated"),
    ((), False, "not calibrated"),
])  # fmt: skip
def test_a_figure_of_several_codes_is_calibrated_only_where_all_are(
    states: tuple[str, ...], calibrated_: bool, short: str
) -> None:
    from datetime import UTC, datetime
    from types import SimpleNamespace

    of = SimpleNamespace(calibrated_at=datetime(2026, 11, 30, tzinfo=UTC), n_labelled=400)
    found = Status(tuple((f"a.{n}", Trust(s, s, of)) for n, s in enumerate(states)))  # type: ignore[arg-type]
    assert (found.calibrated, found.short) == (calibrated_, short)
    assert found.text.startswith(short if len(states) > 1 else "changed" if states else "not calibrated")


def test_labels_of_one_queue_calibrate_that_queue_and_not_the_run(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 about refunds 100 are flagged, of 600 about orders 20: the rate of refunds is none of all."""
    (tmp_path / "grader.toml").touch()
    monkeypatch.chdir(tmp_path)
    verdicts = ["present" if i < 100 or 200 <= i < 220 else "absent" for i in range(800)]
    judge(tmp_path, verdicts, queue=lambda i: "refunds" if i < 200 else "orders")
    plan = planned(main, "--select", "queue:refunds")
    label(tmp_path, plan, lambda i, _: "present" if i < "talk-090" else "absent")
    told = calibrate(main, "--later", "run_1")
    assert told["codes"][0]["standing"] == "calibrated"  # of refunds
    (later,) = told["later"]["run_1"]
    assert later["reason"].startswith("Labels are of queue:refunds alone")
    judge(tmp_path, verdicts[:200], queue=lambda _: "refunds", run_id="run_2", again=1, days=91)
    with open_store(tmp_path / "grader.duckdb") as store:
        all_of_it, refunds = (of_run(store, run) for run in ("run_1", "run_2"))
        both = of_runs(store, ["run_1"])
    for found in (all_of_it, both):
        one = found.of("accuracy", CODE)
        assert (one.state, one.corrected, one.audit) == ("not_calibrated", None, None)
        assert "are of queue:refunds alone" in one.text
        assert "are of queue:refunds alone" in found.lines()[0]
    one = refunds.of("accuracy", CODE)
    assert one.calibrated
    assert one.corrected is not None
    assert one.corrected.point == pytest.approx(0.45)


def test_labels_of_a_period_are_carried_over_to_the_rest_of_the_run(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "grader.toml").touch()
    monkeypatch.chdir(tmp_path)
    judge(tmp_path, ["present" if i < 100 or 250 <= i < 260 else "absent" for i in range(600)])
    with open_store(tmp_path / "grader.duckdb") as store:
        ((until,),) = store.rows("select started_at from conversation where conversation_id = 'talk-249'")
    plan = planned(main, "--select", f"until:{until.isoformat()}+00:00")
    label(tmp_path, plan, lambda i, _: "present" if i < "talk-090" else "absent")
    own = calibrate(main)["codes"][0]["figures"]["corrected"]["point"]
    with open_store(tmp_path / "grader.duckdb") as store:
        one = of_run(store, "run_1").of("accuracy", CODE)
    assert own == pytest.approx(90 / 249)
    assert one.carried
    assert one.corrected is not None
    false_alarms = 10 / 159  # Se 1: (q - false alarms) / (1 - false alarms)
    assert one.corrected.point == pytest.approx((110 / 600 - false_alarms) / (1 - false_alarms))


def test_fresh_labels_of_another_code_do_not_count(main: Main, tmp_path: Path) -> None:
    shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    shop(tmp_path, 120, run_id="run_2", names="other", model="judge-2", days=91)
    with open_store(tmp_path / "grader.duckdb") as store:
        golden(store, "passed", run_id="run_2")
    labelled(main, tmp_path, n=110, codes=("status_without_lookup",))
    with open_store(tmp_path / "grader.duckdb") as store:
        one = of_run(store, "run_2").of("accuracy", CODE)
    assert one.state == "changed"
    assert one.text.endswith("0 of 100 fresh labels")


def test_a_week_of_which_not_all_is_applicable_has_no_rate_by_counts_of_yes_and_no(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People see the code in some that the judge calls not applicable: yes and no alone do not tell it."""
    (tmp_path / "grader.toml").touch()
    monkeypatch.chdir(tmp_path)
    judge(tmp_path, ["present"] * 50 + ["absent"] * 250 + ["not_applicable"] * 200)

    def says(i: str, _: str) -> str:
        n = int(i[-3:])
        if n < 45 or 50 <= n < 55 or 300 <= n < 320:
            return "present"
        return "absent" if n < 340 else "not_applicable"

    label(tmp_path, planned(main), says)
    calibrate(main)
    with open_store(tmp_path / "grader.duckdb") as store:
        (one,) = kept(store, overall=True)
    week = counted(one, 25, 150)
    assert week.point is None
    assert "not applicable" in week.reason
    assert counted(one, 50, 300) == one.figures["corrected"]
