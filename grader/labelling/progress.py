"""How far a plan's labels are: counts alone, none of them of what was answered, so that a reviewer may read it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from grader.labelling.plan import LabelPlan
from grader.labelling.reference import answered, openings
from grader.store import Store


@dataclass(frozen=True, slots=True)
class ReviewerProgress:
    """`n_answers` of `n_asked` (items × questions) are there; `n_complete` of `n_items` have them all."""

    reviewer: str
    n_items: int
    n_complete: int
    n_asked: int
    n_answers: int
    n_changed: int  # answers that were given again, differently, still blind
    n_changed_later: int  # after the verdict was seen: no part of the reference


@dataclass(frozen=True, slots=True)
class CriterionProgress:
    """Of `n_drawn` conversations, `n_labelled` have an answer, `n_twice` those of two reviewers: `n_agreed` the same,
    `n_adjudicated` decided by a third, `n_open` to be decided.
    """

    question: str
    n_drawn: int
    n_labelled: int
    n_twice: int
    n_agreed: int
    n_adjudicated: int
    n_open: int


@dataclass(frozen=True, slots=True)
class Status:
    """A plan's progress. `splits`: conversations drawn by split. `openings`: purpose and time (UTC) of each look at the
    test split.
    """

    plan_id: str
    n_drawn: int
    reviewers: tuple[ReviewerProgress, ...]
    criteria: tuple[CriterionProgress, ...]
    splits: dict[str, int]
    openings: tuple[tuple[str, datetime], ...]

    @property
    def n_open(self) -> int:
        """Disagreements that nobody has decided."""
        return sum(c.n_open for c in self.criteria)


def status(store: Store, plan: LabelPlan) -> Status:
    """How far the plan's reviewers are, and where they differ."""
    counted = store.rows(
        "select reviewer, item_id, count(distinct (rubric, criterion)) filter (not coalesce(verdict_visible, false)), "
        "count(*) filter (number > 1 and not coalesce(verdict_visible, false)), count(*) filter (verdict_visible) "
        "from label_record where plan_id = ? and role = 'reviewer' group by all",
        [plan.plan_id],
    )
    n_asked = len(plan.questions)
    reviewers = []
    for name in plan.reviewers:
        n_items = sum(i.reviewer == name for i in plan.items)
        mine = [(n, changed, later) for reviewer, _, n, changed, later in counted if reviewer == name]
        reviewers.append(ReviewerProgress(
            name, n_items, sum(n == n_asked for n, *_ in mine), n_items * n_asked, sum(n for n, *_ in mine),
            sum(changed for _, changed, _ in mine), sum(later for *_, later in mine),
        ))  # fmt: skip
    found = answered(store, plan)
    by_question: dict[str, list[str]] = {q.name: [] for q in plan.questions}
    twice: Counter[str] = Counter()
    for one in found:
        by_question[one.name].append(one.how)
        twice[one.name] += len(one.reviewers) > 1
    criteria = tuple(
        CriterionProgress(
            name, len(plan.drawn), len(hows), twice[name], hows.count("agreed"), hows.count("adjudicated"),
            hows.count("open"),
        )
        for name, hows in by_question.items()
    )  # fmt: skip
    splits = Counter(d.split for d in plan.drawn)
    return Status(
        plan.plan_id, len(plan.drawn), tuple(reviewers), criteria,
        {name: splits[name] for name in ("train", "dev", "test")}, tuple(openings(store, plan)),
    )  # fmt: skip
