"""The judge held against people: every count by hand, and nothing that is not known counted as right or wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from engine_parts import SmallJudge, Workplace, failure, opinion, rubric, talk, workplace

from grader.calibration import CodeAgreement, against_labels
from grader.judge import Case, Opinion
from grader.model import Evidence, Label, Support, Verdict
from grader.rubric import Criterion, Rubric

QUALITY = rubric("quality", "late", "rude")
RESULT = Rubric(
    name="result", version="1.0.0",
    criteria=(Criterion(code="resolved", question="Resolved?", scale="choice", options={"yes": "", "no": ""}),),
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path) as made:
        yield made


def label(conversation: str, criterion: str, answer: str, **fields: Any) -> Label:
    return Label(**{
        "conversation_id": conversation, "rubric": "result" if criterion == "resolved" else "quality",
        "rubric_version": "1.0.0", "criterion": criterion, "answer": answer, "reviewer": "dana", **fields,
    })  # fmt: skip


def judged(place: Workplace, answers: Mapping[str, str], code: str = "late", **how: Any) -> str:
    """A run in which each conversation gets this answer for the code; `!` before it means unproved, `-` a failure."""
    place.fill(*(talk(c) for c in answers))

    def say(case: Case) -> Opinion:
        said = answers[case.conversation.conversation_id]
        if said == "-":
            return failure()
        quote = Evidence(message=1, quote="order", verified=True)
        support = Support.NOT_NEEDED if said != "present" else Support.VERIFIED
        verdict = Verdict(criterion=code, answer=said.strip("!"), evidence=(quote,), support=support)
        if said == "!present":
            verdict = verdict.model_copy(update={"evidence": (), "support": Support.UNSUPPORTED})
        name = case.questions[0].rubric.name
        others = tuple(Verdict(criterion=c, answer="absent") for c in case.questions[0].rubric.codes if c != code)
        return opinion(case, verdicts={name: (verdict, *others)})

    select = [("id", c) for c in answers]
    return place.run(SmallJudge(say), select=select, **{"rubrics": (QUALITY,), **how}).run_id


def labelled(place: Workplace, *labels: Label) -> None:
    place.store.add([(one, None, None) for one in labels])


def of(found: list[CodeAgreement], code: str) -> CodeAgreement:
    return next(c for c in found if c.code == code)


def test_every_count_of_a_small_table_is_as_counted_by_hand(place: Workplace) -> None:
    #        judge            label            counts as
    table = {
        "a": ("present", "present"),  # flagged, true
        "b": ("present", "absent"),  # flagged, and the near miss was taken
        "c": ("!present", "present"),  # not flagged: no proof
        "d": ("absent", "present"),  # missed
        "e": ("absent", "absent"),
        "f": ("cannot_assess", "present"),  # missed, and said so
        "g": ("-", "present"),  # the judgement failed
        "h": ("present", "not_applicable"),  # flagged
        "i": ("not_applicable", "absent"),
    }
    run = judged(place, {c: said for c, (said, _) in table.items()})
    labelled(place, *(label(c, "late", answer, near_miss=c in "be") for c, (_, answer) in table.items()))
    late = of(against_labels(place.store, run, "dana"), "late")
    assert late == CodeAgreement(
        rubric="quality", code="late", title="Late", severity="medium", scale="defect", n_labels=9, n_missing=1,
        n_cannot_assess=1, n_positive=5, n_flagged=3, n_true=1, n_near_misses_flagged=1, n_near_misses=2,
        n_positive_not_assessed=1, n_equal=3,
    )  # fmt: skip
    assert late.precision == 1 / 3
    assert late.recall == 1 / 5
    assert late.agreement == 3 / 7
    assert late.decided


def test_what_cannot_be_said_is_none_and_never_zero(place: Workplace) -> None:
    run = judged(place, {"a": "cannot_assess", "b": "-"})
    labelled(place, label("a", "late", "present"), label("b", "late", "present"))
    (late,) = against_labels(place.store, run, "dana")
    assert not late.decided
    assert (late.precision, late.recall, late.agreement) == (None, None, None)


def test_a_judge_that_flags_nothing_has_no_precision_but_a_recall_of_zero(place: Workplace) -> None:
    run = judged(place, {"a": "absent"})
    labelled(place, label("a", "late", "present"))
    (late,) = against_labels(place.store, run, "dana")
    assert (late.precision, late.recall) == (None, 0.0)


def test_choices_agree_when_the_answers_are_the_same(place: Workplace) -> None:
    run = judged(
        place, {"a": "yes", "b": "no", "c": "no", "d": "cannot_assess"}, code="resolved", rubrics=(RESULT,)
    )  # fmt: skip
    labelled(place, *(label(c, "resolved", said) for c, said in zip("abcd", ("yes", "yes", "no", "no"), strict=True)))
    (resolved,) = against_labels(place.store, run, "dana")
    assert (resolved.n_equal, resolved.agreement) == (2, 2 / 3)
    assert (resolved.n_positive, resolved.n_flagged, resolved.precision, resolved.recall) == (0, 0, None, None)


def test_only_the_runs_conversations_rubric_versions_and_the_named_reviewer_count(place: Workplace) -> None:
    run = judged(place, {"a": "present", "z": "-"})
    place.fill(talk("elsewhere"))
    labelled(
        place, label("a", "late", "present"), label("a", "late", "absent", reviewer="kim"),
        label("a", "rude", "present", rubric_version="2.0.0"), label("elsewhere", "late", "present"),
        label("z", "late", "present", rubric_version="0.9.0"), label("a", "no_such_code", "present"),
        label("no such conversation", "late", "present"),
    )  # fmt: skip
    (late,) = against_labels(place.store, run, "dana")
    assert (late.code, late.n_labels, late.n_true) == ("late", 1, 1)
    assert [c.n_true for c in against_labels(place.store, run, "kim")] == [0]
    assert against_labels(place.store, run, "nobody") == []
    assert against_labels(place.store, "no such run", "dana") == []


def test_labels_of_an_older_version_are_not_held_against_a_newer_one(place: Workplace) -> None:
    judged(place, {"a": "present", "b": "-"})
    newer = rubric("quality", "late", "rude", version="1.1.0")
    run = judged(place, {"a": "present", "b": "-"}, rubrics=(newer,))
    labelled(place, label("a", "late", "present"), label("b", "late", "present"))
    assert against_labels(place.store, run, "dana") == []
    labelled(place, label("b", "late", "present", rubric_version="1.1.0"))
    (late,) = against_labels(place.store, run, "dana")
    assert (late.n_labels, late.n_missing) == (1, 1)


def test_a_code_that_two_rubrics_share_is_held_against_the_labels_of_its_own(place: Workplace) -> None:
    other = rubric("other", "late")
    run = judged(place, {"a": "present"}, rubrics=(QUALITY, other))
    labelled(place, label("a", "late", "present"), label("a", "late", "absent", rubric="other"))
    found = against_labels(place.store, run, "dana")
    assert [(c.rubric, c.n_labels, c.n_true) for c in found] == [("other", 1, 0), ("quality", 1, 1)]


def test_each_run_is_held_against_its_own_judgements(place: Workplace) -> None:
    right = judged(place, {"a": "present"})
    wrong = judged(place, {"a": "absent"}, repeat=1)
    labelled(place, label("a", "late", "present"))
    assert [against_labels(place.store, run, "dana")[0].n_true for run in (right, wrong)] == [1, 0]


def test_criteria_come_in_the_order_of_their_rubric(place: Workplace) -> None:
    run = judged(place, {"a": "present"})
    labelled(place, label("a", "rude", "absent"), label("a", "late", "present"))
    assert [c.code for c in against_labels(place.store, run, "dana")] == ["late", "rude"]
