"""Where a run's verdicts and what people said differ: the list that the owner of a rubric works from.

Each label with a reference is held against the verdict on the same question; what has none of either is counted apart.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from grader.calibration.instrument import Instrument, of_run
from grader.calibration.openings import purpose
from grader.errors import ConfigError, InputError
from grader.labelling.frame import rubrics_of
from grader.labelling.plan import LabelPlan, export_command
from grader.labelling.reference import Answered, answered, reference
from grader.language import N_
from grader.model import Answer
from grader.rubric import SEVERITIES, Criterion, Rubric
from grader.store import Store

COMMAND = "disagreements"
JUDGED, CHANGED = "judged", "changed"
POLICY = 0  # the message number that stands for a clause of the policy
_PRESENT, _ABSENT = Answer.PRESENT.value, Answer.ABSENT.value
_NOT_APPLICABLE, _CANNOT_ASSESS = Answer.NOT_APPLICABLE.value, Answer.CANNOT_ASSESS.value
_HOW = ("adjudicated", "agreed", "single")


@dataclass(frozen=True, slots=True)
class Direction:
    """A way in which two answers differ: its name on the command line, its title, what it means."""

    name: str
    title: str
    means: str


MISSED = Direction("missed", N_("missed"), N_("People see it, the judge does not."))
FALSE_ALARM = Direction("false-alarm", N_("false alarm"), N_("The judge flags it with proof, people do not see it."))
UNPROVED = Direction(
    "unproved",
    N_("present without proof"),
    N_("Both see it, but no quote of the judge's holds: it does not count as flagged."),
)  # fmt: skip
UNPROVED_ALARM = Direction(
    "unproved-alarm", N_("false alarm without proof"),
    N_("The judge sees it, people do not. No quote of the judge's holds, so that it never counted as flagged."),
)  # fmt: skip
NOT_APPLICABLE = Direction(
    "not-applicable",
    N_("judged not applicable"),
    N_("The judge says that it does not apply, people say that it does: absent."),
)  # fmt: skip
APPLICABLE = Direction(
    "applicable", N_("judged applicable"), N_("The judge says that it applies (absent), people say that it does not.")
)
NOT_ASSESSED = Direction("cannot-assess", N_("not assessed"), N_("The judge could not assess it, people could."))
OTHER_ANSWER = Direction(
    "other-answer", N_("another answer"), N_("The judge chose another of the options than people did.")
)
DIRECTIONS = (
    MISSED, FALSE_ALARM, UNPROVED, UNPROVED_ALARM, NOT_APPLICABLE, APPLICABLE, NOT_ASSESSED, OTHER_ANSWER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JudgesQuote:
    """Words that the judge offers as proof, and whether code has found them. Message 0: a clause of the policy."""

    message: int
    text: str
    verified: bool
    problem: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """What one person answered, with the note and the words that go with it, where there are any."""

    reviewer: str
    role: str  # adjudicator, reviewer
    answer: str
    note: str | None
    message: int | None
    quote: str | None
    of_all: bool = False  # the same note stands at other questions about this conversation: it may be about those


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One verdict and one reference that differ. `said`: whoever decided first."""

    conversation_id: str
    rubric: str
    rubric_version: str
    criterion: str
    direction: Direction
    judge_answer: str
    people_answer: str
    how: str  # agreed, single, adjudicated
    split: str
    support: str
    reasoning: str | None
    quotes: tuple[JudgesQuote, ...]
    said: tuple[Said, ...]
    queue: str | None
    reason: str | None
    channel: str | None
    language: str | None
    started_at: datetime | None

    @property
    def code(self) -> str:
        """accuracy.invented_deadline"""
        return f"{self.rubric}.{self.criterion}"

    @property
    def clauses(self) -> tuple[JudgesQuote, ...]:
        """What the judge cites of the policy."""
        return tuple(q for q in self.quotes if q.message == POLICY)

    @property
    def noted(self) -> Said | None:
        """The person whose note or words say most: whoever decided, else who gave the answer that stands."""
        order = sorted(self.said, key=lambda s: (s.role != "adjudicator", s.answer != self.people_answer))
        return next((s for s in order if s.note or s.quote or s.message), None)


@dataclass(frozen=True, slots=True)
class Group:
    """What differs in one code in one direction; of a choice, with one pair of answers."""

    code: str
    title: str
    severity: str  # "" of a choice
    criterion: Criterion
    direction: Direction
    pair: tuple[str, str] | None  # judge, people
    n_labels: int  # that the code's verdicts could be held against
    items: tuple[Disagreement, ...]

    @property
    def told(self) -> str:
        """The direction in words: `missed`, `resolved instead of partly`."""
        return self.direction.title if self.pair is None else f"{self.pair[0]} instead of {self.pair[1]}"


@dataclass(frozen=True, slots=True)
class OfCode:
    """How many labels of a code there are in the splits: n_labels = n_same + n_differ + n_not_judged + n_undecided."""

    code: str
    n_labels: int
    n_same: int
    n_differ: int
    n_not_judged: int
    n_undecided: int  # all that the judge could be held against, where it assessed none of them
    n_open: int  # reviewers differ, and nobody has decided
    n_people_cannot: int  # people could not assess it


@dataclass(frozen=True)
class Disagreements:
    """All that differs, the most frequent group first, and what could not be compared."""

    plan: LabelPlan
    run_id: str
    instruments: Mapping[str, Instrument]
    splits: tuple[str, ...]
    groups: tuple[Group, ...]
    codes: tuple[OfCode, ...]
    not_judged: Mapping[str, int]  # labels by what became of the judgement: failed (with its cause), pending, …
    not_asked: tuple[str, ...]  # codes of the plan that the run does not ask

    @property
    def items(self) -> tuple[Disagreement, ...]:
        """All of them, group by group."""
        return tuple(item for group in self.groups for item in group.items)

    @property
    def n_compared(self) -> int:
        """Labels that a verdict says something of."""
        return self.total("n_same") + self.total("n_differ")

    def total(self, name: str) -> int:
        """A count of `codes`, summed."""
        return sum(getattr(code, name) for code in self.codes)


def direction_of(judge: str, people: str, *, proved: bool, choice: bool) -> Direction | None:
    """In which way a verdict differs from a reference that says something (not cannot_assess); None: it does not."""
    if judge == _CANNOT_ASSESS:
        return NOT_ASSESSED
    if choice:
        return None if judge == people else OTHER_ANSWER
    if judge == _PRESENT and not proved:
        return UNPROVED if people == _PRESENT else UNPROVED_ALARM
    if judge == people:
        return None
    if people == _PRESENT:
        return MISSED
    if judge == _PRESENT:
        return FALSE_ALARM
    return NOT_APPLICABLE if judge == _NOT_APPLICABLE else APPLICABLE


def direction_named(names: Sequence[str]) -> tuple[Direction, ...] | None:
    """`missed`, `false-alarm` as directions; None where none is named. Raises ConfigError."""
    known = {d.name: d for d in DIRECTIONS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(f"--direction {unknown[0]!r} is not known", cure=f"one of {', '.join(known)}")
    return tuple(d for d in DIRECTIONS if d.name in names) or None


def disagreements(
    store: Store, plan: LabelPlan, run_id: str | None, splits: Sequence[str], *, now: datetime,
    codes: Sequence[str] = (), directions: Sequence[Direction] | None = None,
) -> Disagreements:  # fmt: skip
    """What of a run differs from a plan's labels in these splits. `run_id` None: the run that the plan was drawn from.

    The run need not have judged the whole of the plan's frame. `codes`: these alone (`invented_deadline`,
    `accuracy.invented_deadline`). A code of which the judge assessed no label is counted apart, unless `directions`
    name that. With test among the splits, that is an opening of it, noted with what judged.
    Raises ConfigError for a code that the plan does not ask; InputError where the run asks none of the plan's
    questions, or nothing is labelled.
    """
    run = run_id or plan.run_id
    used = rubrics_of(store, run)
    criteria, not_asked = _asked(plan, run, used, codes)
    if not answered(store, plan):
        export = export_command(plan, "FILE")
        raise InputError(
            f"plan {plan.plan_id[:11]} has no label yet", cure=f"{export}, fill it in, import it; or name another plan"
        )
    asked = {name.partition(".")[0] for name in criteria}
    instruments = {rubric: one for rubric, one in of_run(store, run).items() if rubric in asked}
    why = purpose(COMMAND, instruments.values())
    labels = [a for a in reference(store, plan, splits, purpose=why, now=now) if a.name in criteria]
    held = [a for a in labels if a.answer not in (None, _CANNOT_ASSESS)]
    rows = _rows(store, plan, run, used, held)
    found: dict[tuple[str, str, tuple[str, str] | None], list[Disagreement]] = {}
    counts = {name: Counter[str]() for name in criteria}
    not_judged: Counter[str] = Counter()
    for a in labels:
        counts[a.name]["open" if a.answer is None else "cannot" if a.answer == _CANNOT_ASSESS else "labels"] += 1
    for a, row in zip(held, rows, strict=True):
        if row["state"] != JUDGED:
            counts[a.name]["not_judged"] += 1
            not_judged[f"failed: {row['cause']}" if row["state"] == "failed" else row["state"]] += 1
            continue
        one = _compared(a, row, used[a.rubric], criteria[a.name])
        if one is None:
            counts[a.name]["same"] += 1
            continue
        counts[a.name]["differ"] += 1
        pair = (one.judge_answer, one.people_answer) if one.direction is OTHER_ANSWER else None
        found.setdefault((a.name, one.direction.name, pair), []).append(one)
    compared = {name: n["labels"] - n["not_judged"] for name, n in counts.items()}
    if NOT_ASSESSED not in (directions or ()):
        for name in [n for n, d, _ in found if d == NOT_ASSESSED.name]:
            if len(found[name, NOT_ASSESSED.name, None]) == compared[name]:
                del found[name, NOT_ASSESSED.name, None]
                counts[name]["undecided"] = counts[name].pop("differ")
    kept = {d.name for d in directions or DIRECTIONS}
    groups = [
        _group(criteria[name], name, pair, items, compared[name])
        for (name, direction, pair), items in found.items() if direction in kept
    ]  # fmt: skip
    return Disagreements(
        plan, run, instruments, tuple(splits), tuple(sorted(groups, key=_by_weight)),
        tuple(
            OfCode(name, n["labels"], n["same"], n["differ"], n["not_judged"], n["undecided"], n["open"], n["cannot"])
            for name, n in counts.items()
        ),
        dict(sorted(not_judged.items())), not_asked,
    )  # fmt: skip


def _asked(
    plan: LabelPlan, run: str, used: Mapping[str, Rubric], codes: Sequence[str]
) -> tuple[dict[str, Criterion], tuple[str, ...]]:
    """The plan's questions as the run's versions ask them, and those that it does not ask, or asks on another scale."""
    wanted = set()
    for code in codes:
        found = [q.name for q in plan.questions if code in (q.name, q.criterion)]
        if len(found) != 1:
            what = "is in several rubrics" if found else f"is none of plan {plan.plan_id[:11]}"
            some = ", ".join(found or (q.name for q in plan.questions))
            raise ConfigError(f"--code {code!r} {what}", cure=f"one of {some}")
        wanted.add(found[0])
    criteria: dict[str, Criterion] = {}
    not_asked = []
    for q in plan.questions:
        if wanted and q.name not in wanted:
            continue
        rubric = used.get(q.rubric)
        if rubric is None or q.criterion not in rubric.codes:
            not_asked.append(q.name)
        else:
            criteria[q.name] = rubric.criterion(q.criterion)
    if not criteria:
        raise InputError(
            f"run {run} asks none of {', '.join(not_asked)}, which plan {plan.plan_id[:11]} has labels of",
            cure="name a run with this rubric: --run",
        )
    return criteria, tuple(not_asked)


def _rows(
    store: Store, plan: LabelPlan, run: str, used: Mapping[str, Rubric], labels: Sequence[Answered]
) -> list[dict[str, Any]]:
    """One row a label. What was labelled as another text than is stored now counts as changed."""
    asked = [
        {"position": n, "conversation_id": a.conversation_id, "rubric": a.rubric,
         "rubric_version": used[a.rubric].version, "criterion": a.criterion}
        for n, a in enumerate(labels)
    ]  # fmt: skip
    sql = (files("grader.calibration") / "disagreements.sql").read_text(encoding="utf-8")
    rows = store.records(sql, {"run_id": run, "plan_id": plan.plan_id, "asked": json.dumps(asked)})
    chosen = plan.chosen()
    now = store.content_hashes(list({a.conversation_id for a in labels}))
    for a, row in zip(labels, rows, strict=True):
        if row["state"] == JUDGED and now[a.conversation_id] != chosen[a.conversation_id].content_hash:
            row["state"] = CHANGED
    return rows


def _compared(a: Answered, row: Mapping[str, Any], rubric: Rubric, criterion: Criterion) -> Disagreement | None:
    people = str(a.answer)
    proved = row["support"] in ("verified", "not_needed")
    direction = direction_of(row["answer"], people, proved=proved, choice=criterion.scale == "choice")
    if direction is None:
        return None
    began = row["started_at"]
    return Disagreement(
        a.conversation_id, a.rubric, rubric.version, a.criterion, direction, row["answer"], people, a.how, a.split,
        row["support"], row["reasoning"], tuple(JudgesQuote(**q) for q in row["quotes"]),
        tuple(Said(**s) for s in row["said"]), row["queue"], row["reason"], row["channel"], row["language"],
        began.replace(tzinfo=UTC) if began else None,
    )  # fmt: skip


def _group(
    criterion: Criterion, name: str, pair: tuple[str, str] | None, items: Sequence[Disagreement], n_labels: int
) -> Group:
    severity = "" if criterion.scale == "choice" else criterion.severity
    order = sorted(items, key=lambda i: (_HOW.index(i.how), i.noted is None, i.conversation_id))
    return Group(name, criterion.title, severity, criterion, items[0].direction, pair, n_labels, tuple(order))


def _by_weight(group: Group) -> tuple[bool, int, int, str, int, tuple[str, str]]:
    """What the judge saw wrongly first, then whether it applies; the most frequent first, then the most severe."""
    rank = -SEVERITIES.index(group.severity) if group.severity in SEVERITIES else 1
    late = group.direction in (NOT_APPLICABLE, APPLICABLE, NOT_ASSESSED)
    return late, -len(group.items), rank, group.code, DIRECTIONS.index(group.direction), group.pair or ("", "")
