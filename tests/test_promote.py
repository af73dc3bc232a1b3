"""The gate as its command runs it: a better version passes, a worse one fails, whatever is too little is held."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from compare_parts import Trial, ids, trial
from conftest import Ended, Main
from engine_parts import SmallJudge, rubric

from grader.rubric import Criterion, Rubric
from grader.store import open_store

POSITIVE, NEGATIVE = ids("test", 60, "p"), ids("test", 150, "n")
ALL = [*POSITIVE, *NEGATIVE]
OLD = rubric("quality", "late")
NEW = Rubric(name="quality", version="1.1.0", criteria=(Criterion(code="late", question="A date nobody had?"),))
CRITICAL = Rubric(
    name="quality", version="1.1.0", criteria=(Criterion(code="late", question="Late?", severity="critical"),)
)  # fmt: skip


def answers(n_missed: int, n_false: int) -> dict[str, str]:
    """The first positives are missed, the first negatives are flagged."""
    said = dict.fromkeys(POSITIVE[:n_missed], "absent") | dict.fromkeys(POSITIVE[n_missed:], "present")
    return said | dict.fromkeys(NEGATIVE[:n_false], "present") | dict.fromkeys(NEGATIVE[n_false:], "absent")


TRUTH = answers(0, 0)
BETTER = answers(4, 2)


@dataclass(frozen=True)
class Base:
    folder: Path
    old: str
    plan_id: str


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """210 conversations of the test split, 60 of which people find it in; the old version misses 10, and flags 10."""
    folder = tmp_path_factory.mktemp("base")
    with trial(folder) as at:
        old = at.judged(answers(10, 10), OLD)
        plan = at.planned(old)
    return Base(folder, old, plan.plan_id)


@pytest.fixture
def at(base: Base, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """The same, with nothing labelled yet."""
    shutil.copy(base.folder / "grader.duckdb", workspace / "grader.duckdb")
    monkeypatch.chdir(workspace)
    with trial(workspace) as made:
        yield made


Go = Callable[..., Ended]


@pytest.fixture
def go(base: Base, at: Trial, main: Main) -> Go:
    """Label, judge by the new version, repeat, promote."""

    def run(
        said: Mapping[str, str] = BETTER, *args: str, truth: Mapping[str, str] = TRUTH, by: Rubric = NEW,
        again: Mapping[str, str] | None = None, **how: Any,
    ) -> Ended:  # fmt: skip
        at.labelled(plan_of(at, base), truth)
        at.judged(said, by, **how)
        if again is None:
            again = {i: a for i, a in said.items() if a != "-"}
        if again:
            at.judged(again, by, repeat=1, **how)
        at.place.close()
        return main("promote", "quality@1.1.0", *args)

    return run


def plan_of(at: Trial, base: Base) -> Any:
    from grader.labelling.given import kept_plan

    return kept_plan(at.place.store, base.plan_id)


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_store(folder / "grader.duckdb", read_only=True) as store:
        return store.rows(sql)


def lines(done: Ended) -> list[str]:
    return [" ".join(line.split()) for line in done.out.splitlines()]


def openings(folder: Path) -> int:
    return int(rows(folder, "select count(*) from split_opening")[0][0])


def held(done: Ended, check: str, words: str, folder: Path, *, opened: bool = False) -> None:
    """It is a hold of this check alone, and says so in these words; the test split was opened, or was not."""
    assert done.code == 1, (done.out, done.err)
    told = [x for x in lines(done) if x.startswith(("HOLD quality", "FAIL quality"))]
    assert len(told) == 1, done.out
    assert told[0].startswith(f"HOLD quality.late, {check}: "), told
    assert words in told[0], told
    assert lines(done)[-2].startswith("HOLD: ")
    assert lines(done)[-1].startswith("next: ")
    assert openings(folder) == opened
    assert rows(folder, "select outcome from promotion") == [("hold",)]


# ── what passes, what fails ──


def test_a_better_version_passes_and_says_what_breaks(go: Go, workspace: Path) -> None:
    done = go()
    assert done.code == 0, (done.out, done.err)
    told = lines(done)
    assert "code sensitivity specificity chance repeats" in told
    assert "late pass pass pass pass pass" in told
    assert told[-3] == "PASS: m1@quality 1.1.0 may take the place of m1@quality 1.0.0."
    assert told[-2].startswith("Weeks judged by quality@1.0.0 and quality@1.1.0 are not compared: the series breaks")
    assert told[-1].startswith("next: grader grade")
    assert "--rubric quality@1.1.0 judges again what the plan's run judged" in told[-1]
    ((promotion_id, outcome, evidence, gate),) = rows(
        workspace, "select promotion_id, outcome, evidence, gate from promotion"
    )
    assert outcome == "pass"
    (late,) = json.loads(evidence)["codes"]
    # the old one misses 10 and the new one 4 of these; the old one flags 10 clean ones, the new one 2 of these
    assert (late["sensitivity"]["n_better"], late["sensitivity"]["n_worse"], late["sensitivity"]["n"]) == (6, 0, 60)
    assert (late["specificity"]["n_better"], late["specificity"]["n_worse"], late["specificity"]["n"]) == (8, 0, 150)
    # p = 2 / 2^6 and 2 / 2^8, Holm: 2 × .0078 and .0312
    assert [late["p_sensitivity"], late["p_specificity"]] == pytest.approx([2 / 2**6, 2 * 2 / 2**8])
    assert (late["new_sensitivity"]["n"], late["flips"]["rate"]["of"]) == (56, 210)
    assert json.loads(gate)["sensitivity_margin"] == 0.05
    assert (workspace / ".grader" / "promotions" / f"{promotion_id}.json").is_file()
    assert rows(workspace, "select count(*) from split_opening where purpose like 'promote: %'") == [(1,)]


def test_a_worse_version_fails_and_shows_where_to_look(go: Go, workspace: Path) -> None:
    done = go(answers(40, 2))
    assert done.code == 1
    told = lines(done)
    assert any(x.startswith("FAIL quality.late, sensitivity: Worse: sensitivity changed by -50.0 points") for x in told)
    assert told[-2] == "FAIL: m1@quality 1.0.0 stays."
    assert told[-1].startswith("next: grader compare ")
    assert rows(workspace, "select outcome from promotion") == [("fail",)]
    listed = main_list(workspace)
    assert listed[0][1] == "fail"


def main_list(workspace: Path) -> list[tuple[Any, ...]]:
    return rows(workspace, "select promotion_id, outcome from promotion")


@pytest.mark.parametrize(
    ("said", "check"),
    [
        (answers(4, 40), "specificity"),
        ({i: "!present" if i in POSITIVE[:40] else a for i, a in BETTER.items()}, "sensitivity"),  # no proof is a miss
    ],
)
def test_more_false_alarms_and_flags_without_proof_fail_too(said: dict[str, str], check: str, go: Go) -> None:
    done = go(said)
    assert done.code == 1
    assert any(x.startswith(f"FAIL quality.late, {check}: Worse: {check}") for x in lines(done))


# ── too little, of each kind ──


@pytest.mark.parametrize(
    ("kept", "check", "words"),
    [
        ((14, 150), "sensitivity", "Too few human-positives: 14 of the 15 it takes. Label 1 more."),
        ((60, 14), "specificity", "Too few human-negatives: 14 of the 15 it takes. Label 1 more."),
        ((60, 60), "specificity", "Not shown: specificity changed by +0.0 points on 60 human-negatives"),
        ((40, 150), "sensitivity", "Not shown: sensitivity changed by +0.0 points on 40 human-positives"),
    ],
)
def test_too_few_labels_hold(
    kept: tuple[int, int], check: str, words: str, go: Go, workspace: Path
) -> None:  # fmt: skip
    some = {*POSITIVE[-kept[0] :], *NEGATIVE[-kept[1] :]}
    done = go(truth={i: a for i, a in TRUTH.items() if i in some})
    held(done, check, words, workspace, opened=True)


def test_no_repeats_and_too_few_hold_before_the_test_split_is_opened(go: Go, workspace: Path) -> None:
    done = go(again={})
    held(done, "repeats", "No conversation was judged twice", workspace)
    assert "--rubric quality@1.1.0 --repeats 2; then the same command again" in lines(done)[-1]


def test_ninety_nine_repeats_are_too_few(go: Go, workspace: Path) -> None:
    done = go(again={i: BETTER[i] for i in ALL[:99]})
    held(done, "repeats", "Too few repeats: 99 conversations. Judge 1 more of them twice.", workspace)


def test_repeats_that_waver_a_little_hold_and_much_fail(go: Go, workspace: Path) -> None:
    flipped = {**BETTER, **dict.fromkeys(ALL[60:65], "!present")}  # 5 of 210 are 2.4 %
    held(go(again=flipped), "repeats", "Repeats are not shown to be stable: two runs differ on 2.4%", workspace)


def test_a_judge_that_contradicts_itself_fails_without_an_opening(go: Go, workspace: Path) -> None:
    done = go(again={**BETTER, **dict.fromkeys(ALL[60:90], "cannot_assess")})
    assert done.code == 1
    assert any(x.startswith("FAIL quality.late, repeats: The judge contradicts itself") for x in lines(done))
    assert openings(workspace) == 0
    assert rows(workspace, "select outcome from promotion") == [("fail",)]


def test_what_the_new_version_has_not_judged_holds_with_the_command(go: Go, workspace: Path) -> None:
    done = go({i: a for i, a in BETTER.items() if i != POSITIVE[0]})
    words = "The new version has not judged 1 of 210 labelled conversations of the test split: grader grade "
    held(done, "judgements", words, workspace)
    assert "--rubric quality@1.1.0" in lines(done)[-1]


def test_failures_on_more_than_a_twentieth_hold_and_fewer_are_left_out(go: Go, workspace: Path) -> None:
    done = go({**BETTER, **dict.fromkeys(POSITIVE[:5] + NEGATIVE[-6:], "-")})
    held(done, "judgements", "The new version failed on 11 of 210 labelled conversations", workspace)
    assert "--retry-failed" in lines(done)[-1]


def test_a_few_failures_are_left_out_and_counted(go: Go, workspace: Path) -> None:
    done = go({**BETTER, **dict.fromkeys(NEGATIVE[-10:], "-")})
    assert done.code == 0, done.out
    (late,) = json.loads(rows(workspace, "select evidence from promotion")[0][0])["codes"]
    assert late["left_out"]["new"] == {"n_failed": 10, "n_not_judged": 0}
    assert late["specificity"]["n"] == 140


def test_the_old_version_must_have_judged_them_too(go: Go, base: Base, at: Trial, workspace: Path) -> None:
    part = at.judged({i: a for i, a in answers(10, 10).items() if i not in NEGATIVE[:11]}, OLD, model="m0")
    done = go(BETTER, "--over", part)
    held(done, "judgements", "The old version has no answer to 11 of 210 labelled conversations", workspace)


def test_a_new_criterion_without_labels_holds(go: Go, workspace: Path) -> None:
    more = Rubric(name="quality", version="1.1.0", criteria=(*NEW.criteria, *rubric("x", "cold").criteria))
    done = go(by=more)
    assert done.code == 1
    told = [x for x in lines(done) if x.startswith("HOLD quality")]
    assert told == [
        "HOLD quality.cold, labels: It has no labels: grader label plan --code quality.cold draws what to label."
    ]
    assert openings(workspace) == 0


def test_a_criterion_that_only_the_new_version_asks_needs_no_old_one_but_labels(
    base: Base, at: Trial, main: Main, workspace: Path
) -> None:
    more = Rubric(name="quality", version="1.1.0", criteria=(*NEW.criteria, *rubric("x", "cold").criteria))
    cold = dict.fromkeys(POSITIVE, "present")
    new = at.judged(BETTER, more, others=cold)
    at.judged(BETTER, more, others=cold, repeat=1)
    plan = at.planned(new)
    at.labelled(plan, TRUTH)
    at.labelled(plan, TRUTH, "cold")
    at.place.close()
    done = main("promote", new, "--over", base.old, "--plan", plan.plan_id)
    assert done.code == 0, done.out
    assert "cold – – pass pass pass" in lines(done)


def test_open_disagreements_hold_until_a_third_decides(
    base: Base, at: Trial, go: Go, main: Main, workspace: Path
) -> None:
    plan = at.planned(base.old, reviewers=("ana", "ben"), overlap=210)
    at.labelled(plan, TRUTH, reviewer="ana")
    at.labelled(plan, {**TRUTH, POSITIVE[0]: "absent", NEGATIVE[0]: "present"}, reviewer="ben")
    done = go(BETTER, "--plan", plan.plan_id, truth={})
    held(done, "disagreements", f"2 disagreements are open: grader label adjudicate {plan.plan_id[:11]}", workspace)
    at.labelled(plan, {POSITIVE[0]: "present", NEGATIVE[0]: "absent"}, reviewer="cleo", role="adjudicator")
    at.place.close()
    assert main("promote", "quality@1.1.0", "--plan", plan.plan_id).code == 0


def test_where_reviewers_do_not_agree_there_is_no_gate(base: Base, at: Trial, go: Go, workspace: Path) -> None:
    plan = at.planned(base.old, reviewers=("ana", "ben"), overlap=210)
    at.labelled(plan, TRUTH, reviewer="ana")
    mixed = {i: "present" if n % 2 else "absent" for n, i in enumerate(ALL)}
    at.labelled(plan, mixed, reviewer="ben")
    at.labelled(plan, TRUTH, reviewer="cleo", role="adjudicator")
    done = go(answers(40, 40), "--plan", plan.plan_id, truth={})
    held(done, "reviewers", "Fix the rubric: grader rubric new-version quality.", workspace)


def test_no_label_in_the_test_split_holds(base: Base, at: Trial, go: Go, main: Main, workspace: Path) -> None:
    dev = ids("dev", 40, "d")
    run = at.judged({**answers(10, 10), **dict.fromkeys(dev, "absent")}, OLD, model="m2")
    plan = at.planned(run)
    at.place.close()
    none = main("promote", "quality@1.1.0", "--plan", plan.plan_id)
    assert (none.code, "has no label yet" in none.err) == (2, True)
    at.labelled(plan, dict.fromkeys(dev, "absent"))
    done = go({**BETTER, **dict.fromkeys(dev, "absent")}, "--plan", plan.plan_id, "--over", run, truth={})
    held(done, "labels", "No label in the test split", workspace)


def test_labels_that_leave_strata_out_hold(base: Base, at: Trial, go: Go, workspace: Path) -> None:
    dev = ids("dev", 40, "d")
    run = at.judged({**answers(10, 10), **dict.fromkeys(dev, "-")}, OLD, model="m2")
    plan = at.planned(run)
    at.labelled(plan, TRUTH)
    done = go(BETTER, "--plan", plan.plan_id, "--over", run, truth={})
    words = "40 of 250 conversations of the frame are in strata without a label of the test split (unjudged)"
    held(done, "labels", words, workspace, opened=True)


# ── floors ──


@pytest.mark.parametrize(
    ("floors", "outcome"), [("", "pass"), ('"quality.late" = 0.85', "HOLD"), ('"quality.late" = 0.99', "FAIL")]
)
def test_a_critical_code_has_a_floor_of_its_own_or_the_common_one(
    floors: str, outcome: str, go: Go, workspace: Path
) -> None:  # fmt: skip
    (workspace / "grader.toml").write_text(f"[gate.floors]\n{floors}\n", encoding="utf-8")
    done = go(by=CRITICAL)  # 56 of 60: .93 [.84, .97]
    assert done.code == (0 if outcome == "pass" else 1)
    assert f"late pass pass pass {outcome} pass {outcome}" in lines(done)


def test_a_floor_of_no_criterion_is_pointed_out(go: Go, workspace: Path) -> None:
    (workspace / "grader.toml").write_text('[gate.floors]\n"quality.lte" = 0.8\n', encoding="utf-8")
    done = go()
    assert done.code == 2
    assert "gate.floors has 'quality.lte', which quality@1.1.0 does not ask" in done.err


def test_the_margins_of_grader_toml_decide(go: Go, workspace: Path) -> None:
    (workspace / "grader.toml").write_text("[gate]\nfewest_repeats = 300\n", encoding="utf-8")
    held(go(), "repeats", "Too few repeats: 210 conversations. Judge 90 more of them twice.", workspace)


# ── openings ──


def test_the_fourth_judge_of_a_test_split_holds_and_the_same_one_again_does_not_count(
    base: Base, at: Trial, main: Main, workspace: Path
) -> None:
    at.labelled(plan_of(at, base), TRUTH)
    runs = []
    for n in (2, 3, 4):
        runs.append(at.judged(BETTER, NEW, model=f"m{n}"))
        at.judged(BETTER, NEW, model=f"m{n}", repeat=1)
    at.place.close()
    for run in (runs[0], runs[0], runs[1]):  # with the old one they are two, two, and three
        done = main("promote", run, "--over", base.old)
        assert done.code == 0, done.out
    done = main("promote", runs[2], "--over", base.old)
    assert done.code == 1
    said = "HOLD quality.late, openings: The test split would have been opened for 4 judges; after 3 it no longer tells"
    assert any(x.startswith(said) for x in lines(done))
    assert openings(workspace) == 3
    assert rows(workspace, "select count(*) from promotion") == [(4,)]


def test_a_dry_run_opens_nothing_and_keeps_nothing(go: Go, workspace: Path) -> None:
    done = go(BETTER, "--dry-run")
    assert done.code == 0, done.out
    assert lines(done)[-2] == "READY: nothing stands against opening the test split."
    assert openings(workspace) == 0
    assert rows(workspace, "select count(*) from promotion") == [(0,)]
    assert not (workspace / ".grader" / "promotions").exists()


def test_a_dry_run_that_is_not_ready_says_so(go: Go, workspace: Path) -> None:
    done = go(BETTER, "--dry-run", again={})
    assert done.code == 1
    assert lines(done)[-2].startswith("HOLD: ")
    assert rows(workspace, "select count(*) from promotion") == [(0,)]


# ── what is kept ──


def test_decisions_survive_a_rebuild_from_the_table_or_from_their_files(go: Go, main: Main, workspace: Path) -> None:
    def rebuild() -> Ended:
        for old in workspace.glob("grader.duckdb.*.old*"):
            old.unlink()  # its name has the second in it
        return main("db", "rebuild", "--yes")

    go()
    before = main_list(workspace)
    files = workspace / ".grader" / "promotions"
    files.rename(workspace / "elsewhere")
    assert rebuild().code == 0
    assert main_list(workspace) == before
    (workspace / "elsewhere").rename(files)
    with open_store(workspace / "grader.duckdb") as store:
        store.rows("delete from promotion")
    assert rebuild().code == 0
    assert main_list(workspace) == before
    listed = json.loads(main("promote", "--list", "--json").out)["promotions"]
    assert [(d["promotion"], d["outcome"], d["reasons"]) for d in listed] == [(before[0][0], "pass", [])]
    assert (listed[0]["from"]["rubric_version"], listed[0]["to"]["rubric_version"]) == ("1.0.0", "1.1.0")
    (path,) = files.glob("*.json")
    path.write_text(
        path.read_text(encoding="utf-8").replace('"outcome": "pass"', '"outcome": "fail"'), encoding="utf-8"
    )
    done = rebuild()
    assert done.code == 2
    assert "was changed by hand" in done.err
    assert main_list(workspace) == before


def test_the_list_tells_outcome_judges_and_reasons(go: Go, main: Main, workspace: Path) -> None:
    assert main("promote", "--list").err.startswith("no decision yet")
    go(again={})
    told = lines(main("promote", "--list"))
    assert told[0] == "decided (UTC) outcome from to plan reasons"
    assert "hold m1@quality 1.0.0 m1@quality 1.1.0 lp_" in told[2]
    assert "quality.late: No conversation was judged twice" in told[2]


def test_the_last_promoted_one_is_what_the_next_must_beat(go: Go, at: Trial, main: Main) -> None:
    go()
    third = at.judged(BETTER, rubric("quality", "late", version="1.2.0", cites_policy=False), model="m3")
    at.judged(BETTER, rubric("quality", "late", version="1.2.0"), model="m3", repeat=1)
    at.place.close()
    done = main("promote", third)
    assert done.code == 0, done.out
    assert lines(done)[0].startswith("old m1@quality 1.1.0 ")


def test_a_model_that_names_itself_with_escapes_cannot_steer_the_terminal(go: Go, main: Main, at: Trial) -> None:
    done = go(BETTER, model="m\x1b]0;x\x07\u202e")
    assert done.code == 0, done.out
    for text in (done.out, main("promote", "--list").out, main("promote", "--list", "--json").out):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_what_cannot_be_decided_says_why(base: Base, at: Trial, main: Main) -> None:
    at.labelled(plan_of(at, base), TRUTH)
    at.place.close()
    for args, words in (
        ((), "which version is to be promoted?"),
        (("--list", "quality@1.1.0"), "--list takes no judge"),
        (("quality@1.0.0",), "a judge cannot take its own place"),
        (("quality@1.1.0",), "no run judged a labelled conversation of plan"),
        (("result@1.0.0",), "no plan with labels asks anything of result"),
    ):
        done = main("promote", *args)
        assert done.code == 2, done.out
        assert words in done.err


def test_the_json_holds_figures_checks_and_what_to_do_next(go: Go) -> None:
    (told,) = json.loads(go(BETTER, "--json").out)["decisions"]
    assert (told["outcome"], told["opened"], told["n_openings"], told["n_labelled"]) == ("pass", True, 2, 210)
    assert told["gate"]["most_failed"] == 0.05
    assert told["next"].startswith("grader grade")
    assert [c["name"] for c in told["codes"][0]["checks"]] == [
        "sensitivity", "specificity", "better than chance", "repeats",
    ]  # fmt: skip


def test_a_run_with_several_rubrics_gets_a_decision_for_each(
    base: Base, at: Trial, main: Main, workspace: Path
) -> None:
    both = (OLD, rubric("tone", "cold"))
    wanted = [("id", i) for i in POSITIVE[:20]]
    runs = [at.place.run(SmallJudge(model=m), both, select=wanted).run_id for m in ("m5", "m6")]
    at.judged(dict.fromkeys(POSITIVE[:20], "present"), NEW)
    plan = at.planned(runs[0])
    at.labelled(plan, dict.fromkeys(POSITIVE[:20], "present"))
    at.labelled(plan, dict.fromkeys(POSITIVE[:20], "present"), "cold", "tone")
    at.place.close()
    done = main("promote", runs[1], "--plan", plan.plan_id)
    assert done.code == 1, done.err
    assert [x for x in lines(done) if x.startswith("differs")] == ["differs: model m5 → m6"] * 2
    assert rows(workspace, "select rubric, outcome from promotion order by all") == [
        ("quality", "hold"), ("tone", "hold"),
    ]  # fmt: skip
    one = main("promote", "quality@1.1.0", "--plan", plan.plan_id)
    assert [x for x in lines(one) if x.startswith("differs")] == ["differs: model m5 → m1; rubric 1.0.0 → 1.1.0"]
    compared = main("compare", *runs, "--plan", plan.plan_id, "--split", "test", "--json")
    assert [c["code"] for c in json.loads(compared.out)["codes"]] == ["quality.late", "tone.cold"]


def test_not_applicable_is_not_to_get_worse(base: Base, at: Trial, go: Go) -> None:
    some: Sequence[str] = NEGATIVE[-20:]
    # the old one called none of these not applicable, so the new one cannot do worse; it does on those it did
    old = at.judged({**answers(10, 10), **dict.fromkeys(some, "not_applicable")}, OLD, model="m0")
    done = go(BETTER, "--over", old, truth={**TRUTH, **dict.fromkeys(some, "not_applicable")})
    assert any(x.startswith("FAIL quality.late, agreement on not applicable: Worse") for x in lines(done))
