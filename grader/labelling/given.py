"""Forms made from the store: what each reviewer of a plan gets, and what whoever decides disagreements gets."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import ConfigError, InputError
from grader.labelling.design import item_id
from grader.labelling.form import Form, FormItem, put, text_of
from grader.labelling.frame import rubric_as_used
from grader.labelling.plan import LabelPlan, document, parsed, read
from grader.labelling.reference import answered
from grader.store import Store

_SHOWN = 5
_THIRD = "\0adjudicator"  # in the place of a reviewer's name, which cannot be it


@dataclass(frozen=True, slots=True)
class Place:
    """What stands behind an item: for whoever imports, never for whoever labels."""

    conversation_id: str
    reviewer: str | None
    copy: int
    asked: frozenset[str]


def kept_plan(store: Store, plan_id: str | None, run: str | None = None) -> LabelPlan:
    """The plan of this id, or whose id begins so, or of this file; where none is named the latest, of that run if one
    is. Raises ConfigError where none or several are so, and InputError for a file that is not as it was written.
    """
    if plan_id is None:
        return _latest(store, run)
    if plan_id.endswith(".json"):
        plan_id = read(Path(plan_id)).plan_id
    known = [p for p, _ in store.label_plans()]
    found = [p for p in known if p.startswith(plan_id)] if plan_id else []
    if len(found) != 1:
        what = f"is ambiguous: {', '.join(found[:_SHOWN])}" if found else "is no label plan that is kept here"
        some = f"one of {', '.join(known[:_SHOWN])}" if known else "grader label plan draws one"
        raise ConfigError(f"plan {plan_id!r} {what}", cure="give more of the id" if found else some)
    return _plan(store, found[0])


def _latest(store: Store, run: str | None) -> LabelPlan:
    for plan_id, _form in store.label_plans():
        plan = _plan(store, plan_id)
        if run in (None, plan.run_id):
            return plan
    where, only = ("here", "") if run is None else (f"of run {run!r}", f"--run {shlex.quote(run)} ")
    raise ConfigError(
        f"there is no label plan {where}", cure=f"grader label plan {only}-n 200 --seed 1 --reviewers ana,ben draws one"
    )


def _plan(store: Store, plan_id: str) -> LabelPlan:
    told = store.label_plan(plan_id)
    if told is None:
        raise AssertionError("a plan that was just listed is gone")
    return parsed(told)


def keep_again(store: Store, folder: Path) -> None:
    """Store the plans whose files are in this folder, where they are not stored. Raises InputError for a file that is
    none, once the others are in.
    """
    damaged: InputError | None = None
    for path in sorted(folder.glob("*.json")):
        try:
            store.add_label_plan(document(read(path)))
        except InputError as error:
            damaged = damaged or error
    if damaged is not None:
        raise damaged


def plan_of_form(store: Store, form_id: str, file: str, wanted: str | None = None) -> tuple[LabelPlan, bool]:
    """The plan that a form is of, and whether it is one for disagreements. Raises InputError where there is none, or
    where several plans (of runs that differ in their verdicts alone) have this form and none is named.
    """
    if wanted is not None:
        plans = [kept_plan(store, wanted)]
    else:
        plans = [_plan(store, plan_id) for plan_id, _ in store.label_plans()]
    found = [p for p in plans if form_id in (p.form_id, p.adjudication_id)]
    if not found:
        raise InputError(
            f"form {form_id!r} is of no plan that is kept here" if wanted is None else f"is no form of plan {wanted}",
            field="form", file=file, cure="import it where it was exported, with the columns as they were",
        )  # fmt: skip
    if len(found) > 1:
        raise InputError(
            f"{len(found)} plans have this form: {', '.join(p.plan_id for p in found[:_SHOWN])}", file=file,
            cure="say which: --plan ID",
        )  # fmt: skip
    return found[0], form_id == found[0].adjudication_id


def reviewers_form(store: Store, plan: LabelPlan, reviewer: str) -> Form:
    """What this reviewer labels, in its order. Raises ConfigError for one whom the plan does not name."""
    if reviewer not in plan.reviewers:
        raise ConfigError(f"--reviewer {reviewer!r} is not in this plan", cure=f"one of {', '.join(plan.reviewers)}")
    mine = sorted((i for i in plan.items if i.reviewer == reviewer), key=lambda i: i.position)
    rows = [(i.item_id, i.conversation_id) for i in mine]
    every = tuple(q.name for q in plan.questions)
    return _form(store, plan, plan.form_id, reviewer, [(i, c, every) for i, c in rows])


def adjudication_form(store: Store, plan: LabelPlan) -> Form:
    """What the reviewers answered differently and nobody has decided, in an order of its own; not what they said. What
    is gone or changed is left out, as its labels are everywhere: the others can be decided all the same.
    """
    open_: dict[str, list[str]] = {}
    for one in answered(store, plan):
        if one.how == "open":
            open_.setdefault(one.conversation_id, []).append(one.name)
    rows = sorted((adjudication_item(plan, c), c, tuple(names)) for c, names in open_.items())
    texts = texts_of(store, plan, open_)
    there = [row for row in rows if row[1] in texts]
    found = _form(store, plan, plan.adjudication_id, None, there or rows)
    return replace(found, n_gone=len(rows) - len(there))


def adjudication_item(plan: LabelPlan, conversation_id: str) -> str:
    """The name under which whoever decides disagreements sees this conversation."""
    return item_id(plan.seed, _THIRD, conversation_id, 0)


def _form(
    store: Store, plan: LabelPlan, form_id: str, reviewer: str | None, rows: Sequence[tuple[str, str, tuple[str, ...]]]
) -> Form:
    rubrics = {q.rubric: rubric_as_used(store, q.rubric, q.rubric_version) for q in plan.questions}
    texts = texts_of(store, plan, (c for _, c, _ in rows))
    gone = [c for _, c, _ in rows if c not in texts]
    if gone:
        some = ", ".join(dict.fromkeys(gone[:_SHOWN]))
        raise InputError(
            f"{len(set(gone))} of the plan's conversations are gone, or changed since it was drawn: {some}",
            cure="ingest them again as they were, or draw a new plan",
        )
    named = {name for *_, names in rows for name in names}
    asked = tuple(q for q in put(plan.questions, rubrics) if q.name in named)
    return Form(form_id, reviewer, asked, tuple(FormItem(i, texts[c], names) for i, c, names in rows))


def texts_of(store: Store, plan: LabelPlan, conversation_ids: Iterable[str]) -> dict[str, str]:
    """What a reviewer reads of these conversations, as far as they are what they were when the plan was drawn."""
    policies = store.policies()
    chosen = plan.chosen()
    wanted = list(dict.fromkeys(conversation_ids))
    hashes = store.content_hashes(wanted)
    same = [c for c in wanted if hashes.get(c) == chosen[c].content_hash]
    return {c.conversation_id: text_of(c, policies) for c in store.conversations(same)}


def places(store: Store, plan: LabelPlan, *, adjudication: bool) -> dict[str, Place]:
    """Item → what stands behind it. Of disagreements, those that are open and those that were decided."""
    if not adjudication:
        every = frozenset(q.name for q in plan.questions)
        return {i.item_id: Place(i.conversation_id, i.reviewer, i.copy, every) for i in plan.items}
    asked: dict[str, set[str]] = {}
    for one in answered(store, plan):
        if one.how in ("open", "adjudicated"):
            asked.setdefault(one.conversation_id, set()).add(one.name)
    return {adjudication_item(plan, c): Place(c, None, 0, frozenset(names)) for c, names in asked.items()}
