"""Worlds of two judges and blind labels that can be counted by hand, made by the real engine and the real store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from engine_parts import SmallJudge, Workplace, failure, opinion, rubric, stats, talk

from grader.judge import Case, Opinion
from grader.labelling.design import split
from grader.labelling.frame import make_plan, questions
from grader.labelling.plan import LabelPlan, document
from grader.model import Evidence, Support, Verdict
from grader.rubric import Criterion, Rubric
from grader.store import LabelRecord

NOW = datetime(2026, 11, 1, tzinfo=UTC)
V1 = rubric("quality", "late", "rude")
V2 = Rubric(
    name="quality", version="1.1.0",
    criteria=(Criterion(code="late", question="Was a date promised that nobody had?"), V1.criteria[1]),
)  # fmt: skip
CHOICE = Rubric(
    name="result", version="1.0.0",
    criteria=(
        Criterion(code="solved", question="Solved?", scale="choice", options={"yes": "", "partly": "", "no": ""}),
    ),
)  # fmt: skip
QUOTE = "It comes tomorrow."


def ids(name: str, n: int, prefix: str = "c") -> list[str]:
    """The first n conversations that fall into this split."""
    found = (f"{prefix}{i:04d}" for i in count())
    return [i for _, i in zip(range(n), (i for i in found if split(i, None) == name), strict=False)]


def verdict(code: str, answer: str, why: str = "So it is.") -> Verdict:
    """`!present` is one without proof."""
    if answer == "present":
        quote = (Evidence(message=2, quote=QUOTE, verified=True),)
        return Verdict(criterion=code, answer=answer, reasoning=why, evidence=quote, support=Support.VERIFIED)
    if answer == "!present":
        return Verdict(criterion=code, answer="present", reasoning=why, support=Support.UNSUPPORTED)
    return Verdict(criterion=code, answer=answer, reasoning=why)


@dataclass
class Trial:
    """A workspace's database with conversations, runs and labels."""

    place: Workplace
    runs: list[str] = field(default_factory=list)

    def judged(
        self, answers: Mapping[str, str], by: Rubric = V1, *, code: str = "late", model: str = "m1", repeat: int = 0,
        others: Mapping[str, str] | None = None, why: str = "So it is.", cost: float | None = 0.01,
        other: str | None = None, **how: Any,
    ) -> str:  # fmt: skip
        """A run in which each conversation gets this answer for the code; `-` is a failure, `.` is left out of it.

        Every other criterion is `other` (absent), or what `others` says of the conversation.
        """
        wanted = [i for i, said in answers.items() if said != "."]
        there = set(self.place.store.content_hashes(wanted))
        self.place.fill(*(talk(i) for i in wanted if i not in there))

        def say(case: Case) -> Opinion:
            i = case.conversation.conversation_id
            if answers[i] == "-":
                return failure(retryable=False)
            told = tuple(
                verdict(c, answers[i], why) if c == code else verdict(c, (others or {}).get(i, other or "absent"))
                for c in by.codes
            )
            return opinion(case, verdicts={by.name: told}, stats=stats(cost))

        judge = SmallJudge(say, model=model, **how)
        done = self.place.run(judge, (by,), select=[("id", i) for i in wanted], repeat=repeat, abort=10_000)
        self.runs.append(done.run_id)
        return done.run_id

    def planned(self, run_id: str, n: int = 100_000, reviewers: Sequence[str] = ("ana",), **how: Any) -> LabelPlan:
        """A plan over what the run judged; with the usual n all of it, so that everybody has the same chance."""
        store = self.place.store
        plan = make_plan(store, run_id, questions(store, run_id, (), how.pop("codes", ())), **{
            "n": n, "seed": 1, "positives": 0.25, "reviewers": reviewers, "overlap": 0, "duplicates": 0, "select": (),
            "zone": UTC, "grader_version": "0", "now": NOW, **how,
        })  # fmt: skip
        store.add_label_plan(document(plan))
        return plan

    def labelled(
        self, plan: LabelPlan, answers: Mapping[str, str], code: str = "late", rubric: str = "quality",
        reviewer: str | None = None, role: str = "reviewer",
    ) -> None:  # fmt: skip
        """What people say of the code; of an item's own reviewer, or of one whom the test names."""
        items = {(x.conversation_id, x.reviewer): x for x in plan.items if not x.copy}
        first = {x.conversation_id: x for x in reversed(plan.items) if not x.copy}
        version = next(q.rubric_version for q in plan.questions if q.rubric == rubric)
        records = []
        for i, answer in answers.items():
            item = items.get((i, reviewer or first[i].reviewer), first[i])
            records.append(LabelRecord(
                plan.plan_id, item.item_id, None, i, rubric, version, code, reviewer or item.reviewer, role, answer,
                inclusion_probability=plan.chosen()[i].inclusion_probability, labelled_at=NOW,
            ))  # fmt: skip
        self.place.store.add_label_records(records, NOW)


@contextmanager
def trial(folder: Path) -> Iterator[Trial]:
    """An empty database in this workspace."""
    made = Trial(Workplace(folder))
    try:
        yield made
    finally:
        made.place.close()
