"""Two judges on the same labels: every count by hand, and nothing that is not known counted for either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from compare_parts import CHOICE, NOW, QUOTE, V1, V2, Trial, ids, trial, verdict
from conftest import Main
from engine_parts import SmallJudge, opinion, rubric, talk

from grader.calibration.compare import Compared, OfCode, compared
from grader.calibration.sides import Wanted, common, find_plan, find_side, grade_again, reference_of
from grader.errors import ConfigError, GraderError, InputError
from grader.labelling.plan import LabelPlan
from grader.labelling.reference import openings
from grader.statistics.paired import mcnemar, tango

DEV = ids("dev", 40)
TRUTH = {i: "present" if n < 20 else "absent" if n < 35 else "not_applicable" for n, i in enumerate(DEV)}
OLD = ["present"] * 10 + ["!present"] * 2 + ["cannot_assess"] + ["absent"] * 7
OLD += ["present"] * 4 + ["cannot_assess"] + ["absent"] * 10
OLD += ["not_applicable"] * 3 + ["absent"] * 2
NEW = ["present"] * 8 + ["absent"] * 2 + ["present"] * 6 + ["absent"] * 4
NEW += ["absent"] * 3 + ["present"] + ["!present"] + ["absent"] * 10
NEW += ["not_applicable"] * 2 + ["absent"] + ["not_applicable"] * 2


@pytest.fixture
def at(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    monkeypatch.chdir(workspace)
    with trial(workspace) as made:
        yield made


def told(answers: list[str], over: list[str] = DEV) -> dict[str, str]:
    return dict(zip(over, answers, strict=True))


def two(at: Trial, **how: Any) -> LabelPlan:
    """The old version and the new one on the labels of 40 conversations."""
    run = at.judged(told(OLD))
    at.judged(told(NEW), V2, **how)
    plan = at.planned(run)
    at.labelled(plan, TRUTH)
    return plan


def held(at: Trial, plan: LabelPlan, a: str = "quality@1.0.0", b: str = "quality@1.1.0", **how: Any) -> Compared:
    store = at.place.store
    one, other = (reference_of(x) or Wanted(x, x) for x in (a, b))
    both = common(store, one, other)
    sides = [find_side(store, x, plan, both) for x in (one, other)]
    return compared(store, plan, sides[0], sides[1], how.pop("splits", ("train", "dev")), now=NOW, **how)


def of(found: Compared, code: str = "quality.late") -> OfCode:
    return next(c for c in found.codes if c.code.name == code)


def test_a_version_is_better_and_worse_where_counted_by_hand(at: Trial) -> None:
    late = of(held(at, two(at)))
    se, sp, na = late.versions.sensitivity, late.versions.specificity, late.versions.not_applicable
    # of 20 people see, the old one flags 10 with proof; the new one loses 2 of them and finds 6 others
    assert (se.n, se.n_better, se.n_worse) == (20, 6, 2)
    assert se.point == pytest.approx(4 / 20)
    assert se.p_exact == pytest.approx(2 * (1 + 8 + 28) / 2**8)
    assert (se.low, se.high) == tango(6, 2, 20)
    # of 15 that people do not, the old one flags 4, the new one the last of these; no proof and no answer are no flag
    assert (sp.n, sp.n_better, sp.n_worse) == (15, 3, 0)
    assert sp.point == pytest.approx(3 / 15)
    assert sp.p_exact == pytest.approx(2 * 1 / 2**3)
    # of 5 not applicable, the old one says so of the first three, the new one of all but the third
    assert (na.n, na.n_better, na.n_worse) == (5, 2, 1)
    assert se.method == sp.method == "exact McNemar, Tango"
    # Holm over both tests of both codes, of which only one has labels: 2 × .25, then no less
    assert [late.p_sensitivity, late.p_specificity] == pytest.approx([0.5, 0.5])
    rude = of(held(at, at_plan(at)), "quality.rude")
    assert (rude.versions.sensitivity.point, rude.p_sensitivity, rude.changed) == (None, None, ())


def at_plan(at: Trial) -> LabelPlan:
    return find_plan(at.place.store, None, {"quality"})


def test_the_conversations_that_changed_come_with_both_reasons_losses_first(at: Trial) -> None:
    late = of(held(at, two(at, why="A date that nobody had.")))
    assert len(late.changed) == 2 + 6 + 3 + 2 + 1
    assert [c.better for c in late.changed] == [False] * 3 + [True] * 11
    lost, found = late.changed[0], next(c for c in late.changed if c.conversation_id == DEV[12])
    assert (lost.conversation_id, lost.label) == (DEV[8], "present")
    assert (lost.a.answer, lost.a.quote, lost.a.message) == ("present", QUOTE, 2)
    assert (lost.b.answer, lost.b.quote) == ("absent", None)
    assert (found.a.answer, found.b.answer, found.b.reasoning) == (
        "cannot_assess",
        "present",
        "A date that nobody had.",
    )
    assert (late.n_better, late.n_worse) == (11, 3)


def test_what_one_side_has_no_answer_to_is_left_out_and_counted_by_side(at: Trial) -> None:
    old, new = list(OLD), list(NEW)
    old[0], old[20], new[1], new[2], new[21] = "-", ".", "-", ".", "."
    run = at.judged(told(OLD))  # the frame, before
    plan = at.planned(run)
    at.labelled(plan, {**TRUTH, DEV[3]: "cannot_assess"})
    a, b = at.judged(told(old), model="m2"), at.judged(told(new), V2, model="m2")
    late = of(held(at, plan, a, b))
    m = late.matched
    assert (m.a.n_failed, m.a.n_not_judged, m.b.n_failed, m.b.n_not_judged) == (1, 1, 1, 2)
    assert (m.n_skipped, m.n_open) == (1, 0)
    # 20 less the failed first, the second and third that the new one has not, and the fourth that people cannot assess
    assert (late.versions.sensitivity.n, late.versions.specificity.n) == (16, 13)
    assert (late.versions.sensitivity.n_better, late.versions.sensitivity.n_worse) == (6, 2)


def test_a_text_that_changed_after_the_labels_is_left_out(at: Trial) -> None:
    plan = two(at)
    at.place.fill(talk(DEV[8], "another", "text"))
    at.judged(told(OLD))  # what both say of the new text is no answer to a label of the old one
    at.judged(told(NEW), V2)
    found = held(at, plan)
    assert (found.a.run_id, found.b.run_id) == tuple(at.runs[2:])
    assert found.n_changed == 1
    assert (of(found).versions.sensitivity.n, of(found).versions.sensitivity.n_worse) == (19, 1)


def test_an_open_disagreement_is_no_label(at: Trial) -> None:
    run = at.judged(told(OLD))
    at.judged(told(NEW), V2)
    plan = at.planned(run, reviewers=("ana", "ben"), overlap=40)
    at.labelled(plan, TRUTH, reviewer="ana")
    at.labelled(plan, {DEV[0]: "absent", DEV[1]: "absent"}, reviewer="ben")
    at.labelled(plan, {DEV[1]: "present"}, reviewer="cleo", role="adjudicator")
    late = of(held(at, plan))
    assert (late.matched.n_open, late.versions.sensitivity.n) == (1, 19)


def test_of_a_choice_every_option_is_a_code(at: Trial) -> None:
    over = DEV[:10]
    run = at.judged(told(["yes"] * 5 + ["no"] * 5, over), CHOICE, code="solved")
    at.judged(told(["yes"] * 4 + ["cannot_assess"] + ["yes"] * 2 + ["no"] * 3, over), CHOICE, code="solved", model="m2")
    plan = at.planned(run)
    at.labelled(plan, told(["yes"] * 7 + ["no"] * 3, over), "solved", "result")
    found = held(at, plan, *at.runs)
    assert [c.code.name for c in found.codes] == ["result.solved = yes", "result.solved = no"]
    yes, no = found.codes
    # yes: the new one loses the fifth (no answer to it) and finds two; no: it no longer says so of these two
    assert (yes.versions.sensitivity.n_better, yes.versions.sensitivity.n_worse, yes.versions.sensitivity.n) == (
        2,
        1,
        7,
    )
    assert (no.versions.specificity.n_better, no.versions.specificity.n_worse, no.versions.specificity.n) == (2, 0, 7)


def test_labels_of_unequal_chances_are_weighted(at: Trial) -> None:
    many = ids("dev", 120)
    old = ["present"] * 20 + ["absent"] * 100
    run = at.judged(told(old, many))
    at.judged(told(["present"] * 15 + ["absent"] * 5 + ["present"] * 10 + ["absent"] * 90, many), V2)
    plan = at.planned(run, n=60, codes=("late",), positives=0.3)
    drawn = [d.conversation_id for d in plan.drawn]
    at.labelled(plan, {i: "present" if many.index(i) < 30 else "absent" for i in drawn})
    se = of(held(at, plan)).versions.sensitivity
    assert se.method == "weighted, bootstrap within strata"
    weight = {d.conversation_id: 1 / d.inclusion_probability for d in plan.drawn}
    assert len(set(weight.values())) == 2
    positive = [i for i in drawn if many.index(i) < 30]
    gained = sum(weight[i] for i in positive if many.index(i) >= 20)
    lost = sum(weight[i] for i in positive if 15 <= many.index(i) < 20)
    assert se.point == pytest.approx((gained - lost) / sum(weight[i] for i in positive))


def test_verdicts_that_differ_are_counted_on_all_that_both_judged_without_a_look_at_labels(at: Trial) -> None:
    more = ids("test", 10)
    run = at.judged({**told(OLD), **told(["present"] * 10, more)})
    at.judged({**told(OLD), **told(["absent"] * 4 + ["!present"] + ["present"] * 4 + ["-"], more)}, V2)
    plan = at.planned(run)
    at.labelled(plan, {**TRUTH, more[0]: "present"})
    found = held(at, plan)
    assert (of(found).n_differ, of(found).n_both) == (5, 49)
    assert (found.n_labelled, found.n_held_back, of(found).changed) == (40, 1, ())


def test_the_test_split_is_opened_only_on_demand_and_noted_with_both_judges(at: Trial) -> None:
    more = ids("test", 4)
    run = at.judged({**told(OLD), **told(["present"] * 4, more)})
    at.judged({**told(NEW), **told(["absent"] * 4, more)}, V2)
    plan = at.planned(run)
    at.labelled(plan, {**TRUTH, **dict.fromkeys(more, "present")})
    held(at, plan)
    assert openings(at.place.store, plan) == []
    found = held(at, plan, splits=("test",))
    assert (of(found).versions.sensitivity.n, of(found).versions.sensitivity.n_worse) == (4, 4)
    ((told_of, _),) = openings(at.place.store, plan)
    assert told_of.startswith("compare: m1@quality 1.0.0 ")
    assert "; m1@quality 1.1.0 " in told_of


def test_cost_is_of_the_judgements_that_count_and_unknown_where_a_price_is(at: Trial) -> None:
    run = at.judged(told(["-", *OLD[1:]]), cost=0.02)
    new = at.judged(told(NEW), V2, cost=None)
    plan = at.planned(run)
    at.labelled(plan, TRUTH)
    found = held(at, plan)
    a, b = found.spend_a, found.spend_b
    assert (a.n_items, a.n_judged, a.n_failed, a.n_calls) == (40, 39, 1, 39)
    assert [a.cost_usd, a.cost_per_conversation] == pytest.approx([0.78, 0.02])
    assert (a.prompt_tokens, a.completion_tokens, a.latency_ms) == (3900, 780, 5.0)
    assert a.tokens_per_conversation == 120
    assert (b.cost_usd, b.cost_per_conversation, b.n_unpriced) == (None, None, 40)
    assert b.latency_p95_ms == 5.0
    assert found.b.run_id == new


def test_a_judge_that_was_asked_twice_has_a_flip_rate_and_the_other_has_none(at: Trial) -> None:
    plan = two(at)
    at.judged(told(["present" if n == 0 else x for n, x in enumerate(OLD[::-1])], DEV[::-1]), repeat=1)
    found = of(held(at, plan))
    assert (found.flips_a.rate.n, found.flips_a.rate.of) == (1, 40)
    assert found.flips_b.rate.point is None
    assert "judged twice" in found.flips_b.rate.reason


def test_what_the_versions_mean_by_a_code_is_named_and_what_has_no_labels_too(at: Trial) -> None:
    more = rubric("quality", "late", "rude", "cold", version="1.2.0")
    run = at.judged(told(OLD))
    at.judged(told(NEW), V2)
    at.judged(told(NEW), more)
    plan = at.planned(run)
    at.labelled(plan, TRUTH)
    found = held(at, plan)
    assert found.differs == {"quality": ("rubric 1.0.0 → 1.1.0",)}
    assert [(r.name, r.side, r.fields) for r in found.rewordings] == [
        ("quality.late", "A → B", ("question",)), ("quality.late", "labels → B", ("question",)),
    ]  # fmt: skip
    third = held(at, plan, b="quality@1.2.0")
    assert third.left == (("quality.cold", "has no labels"),)
    assert third.rewordings == ()
    gone = held(at, plan, a="quality@1.2.0", b="quality@1.1.0")
    assert [c.code.criterion for c in gone.codes] == ["late", "rude"]
    assert find_side(at.place.store, Wanted("x", at.runs[1]), plan, {"quality"}).name == "m1@quality 1.1.0"


def test_a_criterion_that_one_of_them_does_not_ask_is_not_compared(at: Trial) -> None:
    less = rubric("quality", "late", version="2.0.0")
    run = at.judged(told(OLD))
    at.judged(told(NEW), less)
    plan = at.planned(run)
    at.labelled(plan, TRUTH)
    found = held(at, plan, b="quality@2.0.0")
    assert found.left == (("quality.rude", "not asked by quality@2.0.0"),)
    assert [c.code.name for c in found.codes] == ["quality.late"]


def test_a_version_is_the_run_that_judged_most_labels_and_of_these_the_latest(at: Trial) -> None:
    plan = two(at)
    at.judged(told(NEW[:5], DEV[:5]), V2, model="m2")
    assert held(at, plan).b.run_id == at.runs[1]
    later = at.judged(told(NEW), V2, model="m3")
    assert held(at, plan).b.run_id == later
    golden = at.judged(told(NEW), V2, model="m4")
    mark = ['{"golden": "gs_1"}', golden]
    at.place.store.rows("update run set selection = ? where run_id = ?", mark)
    assert held(at, plan).b.run_id == later
    assert held(at, plan).differs["quality"] == ("model m1 → m3", "rubric 1.0.0 → 1.1.0")
    same = held(at, plan, later, later)
    assert same.differs == {"quality": ()}
    assert same.worst_first == ()


def test_what_cannot_be_compared_says_why(at: Trial) -> None:
    store = at.place.store
    plan = two(at)
    other = at.judged(told(["yes"] * 40), CHOICE, code="solved")
    for a, b, error, words in (
        ("quality@1.0.0", "quality@9.0.0", InputError, "no run judged a labelled conversation"),
        ("quality@1.0.0", other, ConfigError, "nothing in common"),
    ):
        with pytest.raises(error, match=words):
            held(at, plan, a, b)
    with pytest.raises(ConfigError, match="--code 'nope' is none that both ask"):
        held(at, plan, codes=("nope",))
    assert [c.code.criterion for c in held(at, plan, codes=("quality.rude",)).codes] == ["rude"]
    with pytest.raises(GraderError, match="no plan with labels asks anything of result"):
        find_plan(store, None, {"result"})
    with pytest.raises(ConfigError, match="asks nothing of result"):
        find_plan(store, plan.plan_id, {"result"})
    audit = at.planned(plan.run_id, audit=True)
    at.labelled(audit, {d.conversation_id: TRUTH[d.conversation_id] for d in audit.drawn})
    with pytest.raises(ConfigError, match="is an audit"):
        find_plan(store, audit.plan_id, {"quality"})
    assert find_plan(store, None, {"quality"}).plan_id == plan.plan_id
    for chosen, words in (
        ("{}", "grader grade"),
        ('{"plan": "sa_1", "sample": 9}', "grader grade --plan sa_1"),
        ('{"sample": 9, "seed": 3, "select": [["queue", "pós venda"]]}',
         "grader grade --sample 9 --seed 3 --select 'queue:pós venda'"),
    ):  # fmt: skip
        store.rows("update run set selection = ? where run_id = ?", [chosen, plan.run_id])
        assert grade_again(store, plan.run_id) == words
        assert grade_again(store, plan.run_id, model="m9") == f"{words} --model m9"
    assert mcnemar(0, 0) == 1


# ── the command ──

HOSTILE = "\x1b]0;title\x07\x1b[31mred \u202e\nB  forged  run x"


def test_the_command_prints_every_part_and_nothing_that_steers_a_terminal(main: Main, at: Trial) -> None:
    two(at, why=HOSTILE)
    at.place.close()
    done = main("compare", "quality@1.0.0", "quality@1.1.0", "--changed", "1")
    assert done.code == 0, done.err
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines[0] == f"A m1@quality 1.0.0 run {at.runs[0]}"
    assert "quality: rubric 1.0.0 → 1.1.0" in lines
    assert "quality.late: another question" in lines
    assert any("labels were given under quality 1.0.0; B means something else by quality.late" in x for x in lines)
    low, high = (100 * x for x in tango(6, 2, 20))
    assert f"late 20 +20.0 [{low:+.1f}, {high:+.1f}] 6, 2 0.500" in lines
    assert any(x.startswith("late 15 +20.0 [") and x.endswith("] 3, 0 0.500") for x in lines)
    assert any(x.startswith("late 5 +20.0 [") and x.endswith("] 2, 1") for x in lines)
    assert "cost of a conversation $0.01000 $0.01000" in lines
    # 8 of what people see, 4 of what they do not, 3 of what is not applicable
    assert "late 15 of 40 – –" in lines
    assert "–: no conversation was judged twice, so how often the judge contradicts itself is not known." in lines
    assert f"WORSE {DEV[8]}: people say present" in lines
    assert "13 more: --changed 14, or --json" in lines
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert not any(line.startswith("B forged") for line in lines)
    found = json.loads(main("compare", "quality@1.0.0", at.runs[1], "--json").out)
    (late,) = [c for c in found["codes"] if c["code"] == "quality.late"]
    assert len(late["changed"]) == 14
    assert late["right"] == {
        "a": {"positive": 10, "negative": 11, "not_applicable": 3},
        "b": {"positive": 14, "negative": 14, "not_applicable": 4},
    }  # fmt: skip
    assert found["spend"]["b"]["cost_usd_per_conversation"] == pytest.approx(0.01)
    assert "\x1b" not in json.dumps(found, ensure_ascii=False).replace("\\u001b", "")


def test_the_command_names_what_it_does_not_find(main: Main, at: Trial) -> None:
    two(at)
    at.place.close()
    for args, words in (
        (("quality", "quality@1.1.0"), "one of quality@1.0.0, quality@1.1.0"),
        (("quality@x", "quality@1.1.0"), "'quality@x' is no version of a rubric"),
        (("nothing", "quality@1.1.0"), "there is no run 'nothing'"),
        (("quality@1.0.0", "quality@1.1.0", "--split", "prod"), "--split 'prod' is none"),
        (("quality@1.0.0", "quality@1.1.0", "--plan", "lp_no"), "is no label plan that is kept here"),
    ):
        done = main("compare", *args)
        assert done.code == 2
        assert words in done.err
    every = main("compare", "quality@1.0.0", "quality@1.1.0", "--split", "all")
    assert (every.code, "the test split was opened for 2 judges so far" in every.err) == (0, True)
    with_test = main("label", "status", at_status(at), "--json")
    assert len(json.loads(with_test.out)["test_openings"]) == 1


def at_status(at: Trial) -> str:
    plan = at_plan(at).plan_id
    at.place.close()
    return plan


def test_a_rubric_without_labels_is_named_as_undecided(main: Main, at: Trial) -> None:
    both = (V1, CHOICE)
    select = [("id", i) for i in DEV]
    at.place.fill(*(talk(i) for i in DEV))
    verdicts = {"quality": tuple(verdict(c, "absent") for c in V1.codes), "result": (verdict("solved", "yes"),)}
    judges = [SmallJudge(lambda case: opinion(case, verdicts=verdicts), model=m) for m in ("m1", "m2")]
    runs = [at.place.run(judge, both, select=select, group_all=True).run_id for judge in judges]
    plan = at.planned(runs[0], codes=("late",))
    at.labelled(plan, TRUTH)
    with pytest.raises(InputError, match=r"has no label in test \(40 conversations in other splits\)"):
        held(at, plan, *runs, splits=("test",))
    at.place.close()
    done = main("promote", runs[1])
    assert done.code == 1
    assert f"nothing is decided about result: plan {plan.plan_id[:11]} has no labels that both answer" in done.err


def test_the_versions_of_the_tests_differ_in_one_criterion() -> None:
    assert V1.meaning_hash != V2.meaning_hash
    assert V1.criteria[1].meaning() == V2.criteria[1].meaning()
