"""All that a session reads of the database, taken once, and kept beside the journals: while another program holds the
database, people go on with what was kept. It names verdicts: it is for the program and never for a reviewer.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader import outcomes
from grader.errors import InputError, StoreError
from grader.labelling.disputes import kept_disputes
from grader.labelling.form import FormQuestion, put, text_of
from grader.labelling.frame import rubrics_of
from grader.labelling.plan import LabelPlan, Question, document, parsed
from grader.model import Conversation, JsonValue, Policy
from grader.rubric import Rubric
from grader.sampling import planfile
from grader.store import Store

FORMAT = "grader.review-material"
FORMAT_VERSION = 1
FILE = "material.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the page puts it."""

    name: str
    title: str
    rubric: str
    version: str
    question: str
    answers: tuple[tuple[str, str], ...]
    needs_quote: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer that the database has."""

    item: str
    question: str
    reviewer: str
    role: str
    answer: str
    message: int | None
    quote: str | None
    note: str | None
    seen: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Material:
    """`conversations`: those that are what they were when the plan was drawn; the plan's others are gone. `verdicts`:
    conversation → question → what the judge said. `codes`: all that the run asked, with version and allowed answers.
    """

    plan: LabelPlan
    asked: tuple[Asked, ...]
    put: tuple[FormQuestion, ...]
    conversations: Mapping[str, Conversation]
    policies: tuple[Policy, ...]
    texts: Mapping[str, str]
    verdicts: Mapping[str, Mapping[str, Mapping[str, JsonValue]]]
    labelled: tuple[Labelled, ...]
    codes: Mapping[str, tuple[str, tuple[str, ...]]]
    every: Mapping[str, Asked]  # all that the run asked, as a finding's page puts it
    of_run: frozenset[str]
    disputes: tuple[Mapping[str, JsonValue], ...]
    fresh: bool  # what the database has now, and not what it had once

    def in_force(self, conversation: Conversation) -> list[Policy]:
        """The policies that the agent had to follow there."""
        began = conversation.happened_at
        return [p for p in self.policies if p.in_force(conversation.queue, began.date() if began else None)]


def taken(store: Store, plan: LabelPlan, folder: Path) -> Material:
    """What the database has for this plan; kept in the folder too. Raises StoreError."""
    data = _gathered(store, plan)
    with contextlib.suppress(OSError):  # told by what follows
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = json.dumps(data, default=str)
    planfile.write(written, folder / FILE, "check the rights", "material of the review")
    (folder / FILE).chmod(0o600)
    return _made(data, fresh=True)


def _gathered(store: Store, plan: LabelPlan) -> dict[str, Any]:
    wanted = [d.conversation_id for d in plan.drawn]
    hashes = store.content_hashes(wanted)
    chosen = plan.chosen()
    same = [c for c in wanted if hashes.get(c) == chosen[c].content_hash]
    rubrics = rubrics_of(store, plan.run_id)
    return {
        "format": FORMAT, "format_version": FORMAT_VERSION, "plan": document(plan),
        "rubrics": {name: rubric.model_dump(mode="json") for name, rubric in rubrics.items()},
        "conversations": [c.model_dump(mode="json") for c in store.conversations(same)],
        "policies": [p.model_dump(mode="json") for p in store.policies()],
        "verdicts": _verdicts(store, plan, same),
        "labelled": store.records(
            "select item_id as item, rubric || '.' || criterion as question, reviewer, role, answer, message, quote, "
            "note, coalesce(verdict_visible, false) as seen, labelled_at as at from label_record where plan_id = ? "
            "order by reviewer, item_id, number",
            [plan.plan_id],
        ),
        "of_run": list(outcomes.conversation_ids(store, plan.run_id)),
        "disputes": kept_disputes(store),
    }  # fmt: skip


def _verdicts(store: Store, plan: LabelPlan, ids: Sequence[str]) -> dict[str, dict[str, JsonValue]]:
    return _read(store, plan.run_id, {q.name: q.rubric_version for q in plan.questions}, ids)


def judged(
    store: Store, run_id: str, versions: Mapping[str, str], conversation_id: str
) -> tuple[Conversation, Mapping[str, Mapping[str, JsonValue]]] | None:
    """A conversation of the run, in the plan or not, and what the judge said of it; None where it is gone."""
    for conversation in store.conversations([conversation_id]):
        return conversation, _read(store, run_id, versions, [conversation_id]).get(conversation_id, {})
    return None


def _read(
    store: Store, run_id: str, versions: Mapping[str, str], ids: Sequence[str]
) -> dict[str, dict[str, JsonValue]]:
    found: dict[str, dict[str, JsonValue]] = {}
    for v in outcomes.verdicts(store, run_id, ids):
        if versions.get(f"{v.rubric}.{v.code}") == v.rubric_version:
            found.setdefault(v.conversation_id, {})[f"{v.rubric}.{v.code}"] = {
                "answer": v.answer, "support": v.support, "reasoning": v.reasoning or "",
                "quotes": [
                    {"message": e.message, "text": e.quote, "problem": "" if e.verified else e.problem or "other"}
                    for e in v.evidence
                ],
                "model": v.model, "unsupported": v.unsupported,
            }  # fmt: skip
    return found


def _made(data: Mapping[str, Any], *, fresh: bool) -> Material:
    plan = parsed(data["plan"])
    rubrics = {name: Rubric.model_validate(body) for name, body in data["rubrics"].items()}
    conversations = {c.conversation_id: c for c in (Conversation.model_validate(row) for row in data["conversations"])}
    policies = tuple(Policy.model_validate(row) for row in data["policies"])
    told = put(plan.questions, rubrics)
    every = [Question(name, r.version, "", c.code) for name, r in rubrics.items() for c in r.criteria]
    codes = {
        f"{name}.{c.code}": (rubric.version, tuple(c.answers))
        for name, rubric in rubrics.items()
        for c in rubric.criteria
    }
    by_name = {one.name: one for one in _asked(every, put(every, rubrics), rubrics)}
    return Material(
        plan, _asked(plan.questions, told, rubrics), told, conversations, policies,
        {i: text_of(c, policies) for i, c in conversations.items()}, data["verdicts"],
        tuple(Labelled(**{**row, "at": _time(row["at"])}) for row in data["labelled"]),
        codes, by_name, frozenset(data["of_run"]), tuple(data["disputes"]),
        fresh,
    )  # fmt: skip


def _asked(
    questions: Sequence[Question], told: Sequence[FormQuestion], rubrics: Mapping[str, Rubric]
) -> tuple[Asked, ...]:
    found = []
    for q, shown in zip(questions, told, strict=True):
        criterion = rubrics[q.rubric].criterion(q.criterion)
        needs = () if criterion.scale == "choice" else ("present",)
        found.append(Asked(
            q.name, criterion.title, q.rubric, q.rubric_version, shown.question, shown.answers, needs
        ))  # fmt: skip
    return tuple(found)


def _time(at: datetime | str | None) -> datetime | None:
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def kept(folder: Path) -> Material | None:
    """What was kept of an earlier session; None where nothing usable was."""
    try:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if (data["format"], data["format_version"]) != (FORMAT, FORMAT_VERSION):
            return None
        return _made(data, fresh=False)
    except (OSError, ValueError, KeyError, TypeError, InputError, StoreError):
        return None
