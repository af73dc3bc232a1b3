"""Filled forms held against their plan: what fits becomes label records, the rest is rejected with where and why.

An answer is taken in only for the item, the question, the rubric's version and the very text that the plan means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from grader.errors import ConfigError
from grader.labelling.filled import Filled, Given
from grader.labelling.form import text_hash
from grader.labelling.frame import rubric_as_used
from grader.labelling.given import Place, places, texts_of
from grader.labelling.plan import LabelPlan, Question
from grader.model import Rejected
from grader.store import LabelRecord, Store


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file comes to. Answers in it = records + rejected."""

    records: tuple[LabelRecord, ...]
    rejected: tuple[Rejected, ...]


def held_against(
    store: Store, plan: LabelPlan, filled: Filled, reviewer: str, *, adjudication: bool, now: datetime
) -> Taken:
    """The file's answers as records of this reviewer. Raises ConfigError for a reviewer whom the plan does not name,
    and for an adjudicator whom it does.
    """
    if adjudication and reviewer in plan.reviewers:
        raise ConfigError(
            f"--reviewer {reviewer!r} is one of those who disagree", cure="a third person decides, blind as they were"
        )
    if not adjudication and reviewer not in plan.reviewers:
        raise ConfigError(f"--reviewer {reviewer!r} is not in this plan", cure=f"one of {', '.join(plan.reviewers)}")
    check = _Check(store, plan, filled, reviewer, adjudication=adjudication)
    records, rejected = [], list(filled.rejected)
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    for given in filled.given:
        problem = given.problem or check.problem(given)
        answer = None if problem else check.answer(given)
        if problem is None and answer is None:
            allowed = ", ".join(check.allowed[given.question].values())
            problem = f"{given.answer[:60]!r} is no answer to it", f"one of {allowed}"
        if problem is None and answer is not None:
            before = seen.setdefault((given.item_id, given.question), (answer, given.line))
            if before[0] != answer:
                problem = f"line {before[1]} answers the same with {before[0]}", "keep one of them"
        if problem is not None or answer is None:
            reason, cure = problem or ("", "")
            where = (filled.file, given.line, given.question)
            rejected.append(Rejected(*where, reason, cure, f"{given.item_id}: {given.answer}"[:200]))
            continue
        records.append(check.record(given, answer, now))
    return Taken(tuple(records), tuple(rejected))


class _Check:
    """What the plan means, for each answer of a file."""

    def __init__(self, store: Store, plan: LabelPlan, filled: Filled, reviewer: str, *, adjudication: bool) -> None:
        self._plan, self._filled, self._reviewer, self._adjudication = plan, filled, reviewer, adjudication
        self._places = places(store, plan, adjudication=adjudication)
        self._chosen = plan.chosen()
        named = {g.item_id for g in filled.given}
        asked = [p.conversation_id for i, p in self._places.items() if i in named]
        self._texts = texts_of(store, plan, asked)
        self._questions: dict[str, Question] = {q.name: q for q in plan.questions}
        rubrics = {q.rubric: rubric_as_used(store, q.rubric, q.rubric_version) for q in plan.questions}
        self.allowed = {
            q.name: {a.casefold(): a for a in rubrics[q.rubric].criterion(q.criterion).answers} for q in plan.questions
        }

    def problem(self, given: Given) -> tuple[str, str] | None:
        """Why the plan does not know this answer, and what to do; None where it does."""
        place = self._places.get(given.item_id)
        question = self._questions.get(given.question)
        form_id = self._plan.adjudication_id if self._adjudication else self._plan.form_id
        if given.form_id != form_id:
            return f"form {given.form_id!r} is not that of the file", "import each form by itself"
        if place is None:
            return f"{given.item_id!r} is no item of this form", "keep the column item as it was exported"
        if place.reviewer is not None and place.reviewer != self._reviewer:
            return f"is an item of {place.reviewer}", f"--reviewer {place.reviewer}, if it was they who labelled"
        if question is None:
            return "is no question of this plan", f"the questions are {', '.join(self._questions)}"
        if given.question not in place.asked:
            return "is not asked about this item", "leave it empty"
        return self._version(given, question) or self._text(given, place)

    def _version(self, given: Given, question: Question) -> tuple[str, str] | None:
        wanted = f"{question.rubric}@{question.rubric_version} {question.rubric_hash}"
        told = self._filled.rubrics.get(given.question)
        if told == wanted:
            return None
        said = "does not say which version of the rubric it answers" if not told else f"answers {told}, not {wanted}"
        return said, "keep the line that names the rubrics as it was exported"

    def _text(self, given: Given, place: Place) -> tuple[str, str] | None:
        text = self._texts.get(place.conversation_id)
        if text is None:
            return (
                "the conversation is gone, or changed since the plan was drawn",
                "a label of another text would not count: draw a new plan",
            )
        wanted = text_hash(given.item_id, text)
        if given.text_hash != wanted:
            return "text_hash is not that of this item's text", "keep rows whole: a column alone was moved or sorted"
        if given.text is not None and text_hash(given.item_id, given.text) != wanted:
            return (
                "the text beside it is not this item's",
                "keep rows whole: a column alone was moved, sorted or edited",
            )
        return None

    def answer(self, given: Given) -> str | None:
        """The answer as the rubric writes it; None where it is none."""
        return self.allowed[given.question].get(given.answer.strip().casefold())

    def record(self, given: Given, answer: str, now: datetime) -> LabelRecord:
        """The answer as it is kept."""
        place, question = self._places[given.item_id], self._questions[given.question]
        return LabelRecord(
            self._plan.plan_id, given.item_id, None, place.conversation_id, question.rubric, question.rubric_version,
            question.criterion, self._reviewer, "adjudicator" if self._adjudication else "reviewer", answer,
            given.note or None, given.message, given.quote or None, False,
            self._chosen[place.conversation_id].inclusion_probability, given.labelled_at or now,
        )  # fmt: skip


def as_labels(plan: LabelPlan, records: Sequence[LabelRecord]) -> list[LabelRecord]:
    """Those that are a reviewer's answer to a conversation: second looks at copies are not."""
    copies = {i.item_id for i in plan.items if i.copy}
    return [r for r in records if r.item_id not in copies]
