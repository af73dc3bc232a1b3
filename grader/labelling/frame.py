"""From a run to a plan: its rubrics as they were used, its judged conversations with their verdicts, and the draw."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from importlib.resources import files

from grader.errors import ConfigError, InputError, StoreError
from grader.labelling.design import REST, Asked, Member, assign, draw, split, strata
from grader.labelling.plan import Cell, Chosen, Item, LabelPlan, Question, named
from grader.model import JsonValue
from grader.rubric import Rubric
from grader.sampling.plan import frame_hash
from grader.store import Store


def rubrics_of(store: Store, run_id: str) -> dict[str, Rubric]:
    """The rubrics of a run, in the versions and with the words that it used."""
    (found,) = store.rows("select rubrics from run where run_id = ?", [run_id])
    return {r["name"]: rubric_as_used(store, r["name"], r["version"]) for r in json.loads(found[0])}


def rubric_as_used(store: Store, name: str, version: str) -> Rubric:
    """A rubric's version as the database keeps it."""
    body = store.rubric_body(name, version)
    if body is None:
        raise StoreError(f"rubric {name}@{version} is not in the database", cure="grader db rebuild")
    return Rubric.model_validate(body)


def questions(store: Store, run_id: str, rubrics: Sequence[str], codes: Sequence[str]) -> tuple[Question, ...]:
    """What is asked: these codes (`invented_deadline`, `accuracy.invented_deadline`) and all criteria of these rubrics;
    without any, all of the run. In the order of rubrics and criteria.
    """
    used = rubrics_of(store, run_id)
    known = [Question(r.name, r.version, r.meaning_hash, c) for _, r in sorted(used.items()) for c in r.codes]
    for name in rubrics:
        if name not in used:
            raise ConfigError(f"--rubric {name!r} is none of run {run_id}", cure=f"one of {', '.join(sorted(used))}")
    wanted = {q for q in known if q.rubric in rubrics}
    for code in codes:
        found = [q for q in known if code in (q.name, q.criterion)]
        if len(found) != 1:
            some = ", ".join(q.name for q in found) if found else ", ".join(q.name for q in known)
            what = "is in several rubrics" if found else f"is none of run {run_id}"
            raise ConfigError(f"--code {code!r} {what}", cure=f"one of {some}")
        wanted.add(found[0])
    return tuple(q for q in known if q in wanted or not (rubrics or codes))


def make_plan(
    store: Store, run_id: str, asked: tuple[Question, ...], *, n: int, seed: int, positives: float,
    reviewers: Sequence[str], overlap: int, duplicates: int, select: Sequence[tuple[str, str]], zone: tzinfo,
    grader_version: str, now: datetime, audit: bool = False,
) -> LabelPlan:  # fmt: skip
    """Draw a plan; of an `audit`, from what the run judged clean of every code that is asked.

    Raises InputError where the run judged nothing that is selected, ConfigError where it cannot be.
    """
    members = frame(store, run_id, asked)
    if select:
        inside = set(store.population(select, zone=zone))
        members = [m for m in members if m.conversation_id in inside]
    if not members:
        raise InputError(
            f"run {run_id} judged no conversation that is selected",
            field="--select",
            cure="loosen it, or another --run",
        )
    rubrics = rubrics_of(store, run_id)
    scales = [Asked(q.name, rubrics[q.rubric].criterion(q.criterion).scale == "choice") for q in asked]
    stratum = strata(members, scales)
    if audit:
        stratum = {i: name for i, name in stratum.items() if name == REST}
        members = [m for m in members if m.conversation_id in stratum]
        if not members:
            raise InputError(
                f"run {run_id} called no conversation clean of all {len(asked)} codes", field="--audit",
                cure="ask fewer codes: --code",
            )  # fmt: skip
    drawn = draw(stratum, n, seed, positives)
    of = {m.conversation_id: m for m in members}
    chosen = tuple(
        Chosen(d.conversation_id, of[d.conversation_id].content_hash, d.stratum or "", d.inclusion_probability,
               split(d.conversation_id, of[d.conversation_id].contact_id))
        for d in drawn.draws
    )  # fmt: skip
    assigned = assign([c.conversation_id for c in chosen], reviewers, seed, overlap=overlap, duplicates=duplicates)
    parameters: dict[str, JsonValue] = {
        "n": n, "positives": positives, "overlap": overlap, "duplicates": duplicates
    }  # fmt: skip
    if audit:
        parameters["audit"] = True
    return named(LabelPlan(
        "", "", run_id, asked, parameters, tuple(reviewers), seed, tuple(select), frame_hash(stratum.items()),
        len(members), drawn.layers, _cells(asked, members, stratum, {c.conversation_id for c in chosen}), chosen,
        tuple(Item(a.item_id, a.reviewer, a.position, a.conversation_id, a.copy) for a in assigned),
        grader_version, now,
    ))  # fmt: skip


def frame(store: Store, run_id: str, asked: Sequence[Question]) -> list[Member]:
    """What the run judged by the rubrics of these questions, as far as it is still there."""
    sql = (files("grader.labelling") / "frame.sql").read_text(encoding="utf-8")
    told = [
        {"position": n, "rubric": q.rubric, "rubric_version": q.rubric_version, "criterion": q.criterion}
        for n, q in enumerate(asked)
    ]
    rows = store.rows(sql, {"run_id": run_id, "questions": json.dumps(told)})
    return [Member(i, content, contact, tuple(verdicts)) for i, content, contact, verdicts in rows]


def gone(store: Store, plan: LabelPlan) -> int:
    """How many conversations of the plan's run are no longer there, and so in no stratum."""
    names = sorted({q.rubric for q in plan.questions})
    ((n,),) = store.rows(
        "select count(distinct conversation_id) from run_item where run_id = ? and rubric in (select unnest(?)) "
        "and conversation_id not in (select conversation_id from conversation)",
        [plan.run_id, names],
    )
    return int(n)


def _cells(
    asked: Sequence[Question], members: Iterable[Member], stratum: dict[str, str], drawn: set[str]
) -> tuple[Cell, ...]:
    whole: Counter[tuple[int, str, str | None]] = Counter()
    taken: Counter[tuple[int, str, str | None]] = Counter()
    for m in members:
        for n, verdict in enumerate(m.verdicts):
            key = (n, stratum[m.conversation_id], verdict)
            whole[key] += 1
            taken[key] += m.conversation_id in drawn
    order = sorted(whole, key=lambda key: (key[0], key[1], key[2] is None, key[2] or ""))
    return tuple(
        Cell(asked[n].rubric, asked[n].criterion, name, verdict, whole[n, name, verdict], taken[n, name, verdict])
        for n, name, verdict in order
    )
