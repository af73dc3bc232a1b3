"""What people said, read back: every reviewer's answer and what stands as the reference.

This is where figures about the judge get their labels from. Reading the test split for one is noted and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from grader.labelling.plan import LabelPlan
from grader.store import Store


@dataclass(frozen=True, slots=True)
class Answered:
    """One conversation, one criterion. `answer` is the reference, None while the reviewers differ (`how` open)."""

    conversation_id: str
    rubric: str
    rubric_version: str
    criterion: str
    stratum: str
    inclusion_probability: float
    split: str
    how: str  # agreed, single, open, adjudicated
    answer: str | None
    reviewers: tuple[str, ...]
    answers: tuple[str, ...]
    adjudicator: str | None

    @property
    def name(self) -> str:
        """accuracy.invented_deadline"""
        return f"{self.rubric}.{self.criterion}"


def answered(store: Store, plan: LabelPlan) -> list[Answered]:
    """All that the plan's reviewers answered, by conversation and criterion. For forms and progress: a figure about the
    judge takes `reference`.
    """
    sql = (files("grader.labelling") / "answered.sql").read_text(encoding="utf-8")
    return [
        Answered(**{**row, "reviewers": tuple(row["reviewers"]), "answers": tuple(row["answers"])})
        for row in store.records(sql, [plan.plan_id])
    ]


def reference(
    store: Store, plan: LabelPlan, splits: Sequence[str], *, purpose: str, now: datetime,
    among: Sequence[Answered] | None = None,
) -> list[Answered]:  # fmt: skip
    """The answers of these splits (train, dev, test), for a figure. With test among them that is an opening: it is kept
    with its purpose, and counted. Labels from elsewhere are in none: they were not drawn. `among`: what
    `answered` gave, where it was read already.
    """
    if "test" in splits:
        store.open_split(plan.plan_id, "test", purpose, now)
    return [one for one in (answered(store, plan) if among is None else among) if one.split in splits]


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What a reviewer said of a conversation, and again of its hidden copy."""

    reviewer: str
    conversation_id: str
    name: str
    first_answer: str
    second_answer: str


def second_looks(store: Store, plan: LabelPlan) -> list[SecondLook]:
    """Both answers to each copy that has both: how far reviewers agree with themselves."""
    sql = (files("grader.labelling") / "second_look.sql").read_text(encoding="utf-8")
    return [SecondLook(**row) for row in store.records(sql, [plan.plan_id])]


def openings(store: Store, plan: LabelPlan) -> list[tuple[str, datetime]]:
    """(purpose, when in UTC) of each time that the test split was opened, the first one first."""
    return [(purpose, at) for purpose, at in store.rows(
        "select purpose, opened_at from split_opening where plan_id = ? and split = 'test' order by opened_at, purpose",
        [plan.plan_id],
    )]  # fmt: skip


def from_elsewhere(store: Store, rubric: str, rubric_version: str) -> list[tuple[str, str, str, str, str]]:
    """(origin, conversation, criterion, reviewer, answer) of labels that no plan drew, the latest of each: for examples
    and for work on a rubric, never for a rate.
    """
    found = store.rows(
        "select origin, conversation_id, criterion, reviewer, answer from label_record "
        "where origin is not null and rubric = ? and rubric_version = ? "
        "qualify row_number() over (partition by origin, conversation_id, criterion, reviewer order by number desc) "
        "= 1 order by all",
        [rubric, rubric_version],
    )
    return [(o, i, c, r, a) for o, i, c, r, a in found]
