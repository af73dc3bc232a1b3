"""Which run stands for a judge that somebody names, by which labels two are compared, and what each answered."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from grader.calibration.instrument import Instrument, of_run
from grader.errors import ConfigError, InputError
from grader.labelling.frame import frame, rubrics_of
from grader.labelling.given import kept_plan
from grader.labelling.plan import LabelPlan, Question, export_command
from grader.rubric import Rubric
from grader.store import Store

_VERSION = re.compile(r"([A-Za-z0-9_-]+)@([0-9]+\.[0-9]+\.[0-9]+)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A judge as it was named: a run, or a version of a rubric (`accuracy@1.1.0`), whose run is looked for."""

    text: str
    run_id: str | None
    rubric: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Side:
    """One judge: its run, and by rubric the instrument and the words that it went by."""

    run_id: str
    instruments: Mapping[str, Instrument]
    rubrics: Mapping[str, Rubric]

    @property
    def name(self) -> str:
        """`gpt-4.1-mini@accuracy 1.1.0`; of several rubrics, with commas."""
        model = next(iter(self.instruments.values())).model
        return f"{model}@{', '.join(f'{i.rubric} {i.rubric_version}' for i in self.instruments.values())}"

    def only(self, rubric: str) -> Side:
        """The same by one rubric."""
        return Side(self.run_id, {rubric: self.instruments[rubric]}, {rubric: self.rubrics[rubric]})

    def questions(self, names: Iterable[tuple[str, str]]) -> tuple[Question, ...]:
        """These (rubric, criterion) in its versions."""
        return tuple(
            Question(rubric, self.rubrics[rubric].version, self.rubrics[rubric].meaning_hash, criterion)
            for rubric, criterion in names
        )


@dataclass(frozen=True)
class Said:
    """What one side answered: (conversation, question) → answer, where a defect without proof is `unsupported`.

    `failed`: (conversation, rubric) of judgements that could not be had. What is in neither was not judged.
    """

    answers: Mapping[tuple[str, str], str]
    failed: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Spend:
    """What the judgements that count have cost. Money and tokens are None where a call's are not known; latency is of
    the calls that have one. `n_uncalled`: judgements that needed no call. `shared`: calls also answered other rubrics.
    """

    n_items: int
    n_judged: int
    n_failed: int
    n_conversations: int
    n_calls: int
    n_uncalled: int
    n_unpriced: int
    cost_usd: float | None
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None
    latency_ms: float | None
    latency_p95_ms: float | None
    shared: bool = False

    @property
    def cost_per_conversation(self) -> float | None:
        """USD; None where a price is not known, or nothing was judged."""
        return None if self.cost_usd is None or not self.n_conversations else self.cost_usd / self.n_conversations

    @property
    def tokens_per_conversation(self) -> float | None:
        """Prompt and reply."""
        if self.prompt_tokens is None or self.completion_tokens is None or not self.n_conversations:
            return None
        return (self.prompt_tokens + self.completion_tokens) / self.n_conversations


def reference_of(text: str) -> Wanted | None:
    """`accuracy@1.1.0` as a version; None where the text is none, and so names a run."""
    found = _VERSION.fullmatch(text.strip())
    return Wanted(text, None, found[1], found[2]) if found else None


def find_plan(store: Store, wanted: str | None, rubrics: Collection[str]) -> LabelPlan:
    """The plan of this id; without one, the latest that has labels and asks any of these rubrics."""
    named = ", ".join(sorted(rubrics))
    labelled = {plan_id for (plan_id,) in store.rows("select distinct plan_id from label_record")}
    if wanted is not None:
        plan = kept_plan(store, wanted)
        if not {q.rubric for q in plan.questions} & set(rubrics):
            raise ConfigError(f"plan {plan.plan_id[:11]} asks nothing of {named}", cure="name another --plan")
        if plan.audit:
            raise ConfigError(
                f"plan {plan.plan_id[:11]} is an audit: it holds only what one judge called clean, so another "
                "would look worse than it is",
                cure="name a plan that was drawn from everything",
            )
        if plan.plan_id not in labelled:
            export = export_command(plan, "FILE")
            raise InputError(
                f"plan {plan.plan_id[:11]} has no label yet",
                cure=f"{export}, fill it in, import it; or name another plan",
            )
        return plan
    for plan_id, _ in store.label_plans():
        if plan_id in labelled:
            plan = kept_plan(store, plan_id)
            if {q.rubric for q in plan.questions} & set(rubrics) and not plan.audit:
                return plan
    raise InputError(
        f"no plan with labels asks anything of {named}",
        cure=f"grader label plan --rubric {min(rubrics)} draws one; then label and import",
    )


def rubric_names(store: Store, wanted: Wanted) -> set[str]:
    """The rubrics that this judge could be compared by."""
    if wanted.rubric is not None:
        return {wanted.rubric}
    found = store.rows("select rubrics from run where run_id = ?", [wanted.run_id])
    return {r["name"] for r in json.loads(found[0][0])} if found else set()


def common(store: Store, a: Wanted, b: Wanted) -> set[str]:
    """The rubrics of both. Raises ConfigError where there is none."""
    mine, theirs = rubric_names(store, a), rubric_names(store, b)
    if not mine & theirs:
        raise ConfigError(
            f"{a.text} judges by {', '.join(sorted(mine))}, {b.text} by {', '.join(sorted(theirs))}: nothing in common",
            cure="name two judges of one rubric",
        )
    return mine & theirs


def find_side(store: Store, wanted: Wanted, plan: LabelPlan, rubrics: Collection[str]) -> Side:
    """The run that is meant: of a version, the one that judged most of the plan's labelled conversations by it, of
    these the latest. Raises InputError where nothing is judged.
    """
    run_id = wanted.run_id or _run_of_version(store, wanted, plan)
    asked = {q.rubric for q in plan.questions} & set(rubrics)
    judged = {name: i for name, i in of_run(store, run_id).items() if name in asked}
    if missing := sorted(asked - set(judged)):
        raise InputError(
            f"run {run_id} has no judgement by {', '.join(missing)}", cure=f"grader grade --rubric {missing[0]}"
        )
    used = rubrics_of(store, run_id)
    return Side(run_id, dict(sorted(judged.items())), {name: used[name] for name in sorted(judged)})


def _run_of_version(store: Store, wanted: Wanted, plan: LabelPlan) -> str:
    sql = (files("grader.calibration") / "version_run.sql").read_text(encoding="utf-8")
    found = store.rows(sql, {"rubric": wanted.rubric, "version": wanted.version, "plan_id": plan.plan_id})
    if not found:
        raise InputError(
            f"no run judged a labelled conversation of plan {plan.plan_id[:11]} by {wanted.text}",
            cure=f"{grade_again(store, plan.run_id)} --rubric {wanted.text}",
        )
    return str(found[0][0])


def grade_again(store: Store, run_id: str, *, model: str | None = None) -> str:
    """The `grader grade` that draws what this run drew, without its rubrics. `model`: where it is to be another."""
    found = store.rows("select selection from run where run_id = ?", [run_id])
    chosen = json.loads(found[0][0]) if found else {}
    if not isinstance(chosen, dict):
        chosen = {}
    if chosen.get("plan"):
        told = ["--plan", str(chosen["plan"])]
    else:
        told = ["--sample", str(chosen["sample"]), "--seed", str(chosen.get("seed", 0))] if chosen.get("sample") else []
        told += [part for name, value in chosen.get("select") or () for part in ("--select", f"{name}:{value}")]
    if model is not None:
        told += ["--model", model]
    return shlex.join(["grader", "grade", *told])


def said(store: Store, side: Side, names: Sequence[tuple[str, str]]) -> Said:
    """Its answers to these (rubric, criterion), of repeats the first, on texts that are still what it judged."""
    questions = side.questions(names)
    answers = {
        (m.conversation_id, q.name): answer
        for m in frame(store, side.run_id, questions)
        for q, answer in zip(questions, m.verdicts, strict=True) if answer is not None
    }  # fmt: skip
    failed = store.rows(
        "select distinct conversation_id, rubric from run_item i where run_id = ? and rubric in (select unnest(?)) "
        "and key in (select key from failure) and key not in (select key from judgement)",
        [side.run_id, sorted({rubric for rubric, _ in names})],
    )
    return Said(answers, frozenset((i, rubric) for i, rubric in failed))


def spent(store: Store, side: Side) -> Spend:
    """What its judgements by the compared rubrics have cost."""
    sql = (files("grader.calibration") / "spent.sql").read_text(encoding="utf-8")
    (row,) = store.records(sql, [side.run_id, sorted(side.instruments)])
    return Spend(**row, shared=any(i.together for i in side.instruments.values()))
