"""Two judges on the same labels: where one is right and the other is not, what that amounts to, which conversations.

Right is, of a human-positive, a flag with proof; of a human-negative, anything but a flag; of what is not applicable,
that very answer. A judgement that could not be had is no answer: its label is left out and counted, by side.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files

from grader.calibration.held import Code
from grader.calibration.openings import judges_seen, purpose
from grader.calibration.repeats import flips
from grader.calibration.sides import Said, Side, Spend, said, spent
from grader.errors import ConfigError, InputError
from grader.labelling.frame import rubric_as_used
from grader.labelling.plan import LabelPlan
from grader.labelling.reference import Answered, reference
from grader.model import Answer
from grader.rubric import Criterion, Rubric
from grader.rubric.versions import diff
from grader.statistics.association import holm
from grader.statistics.paired import Flips, Pair, Versions, flip_rate
from grader.statistics.paired import compare as compare_pairs
from grader.store import Store

SEED = 1
DRAWS = 4_000  # an end moves by a tenth of a point with it; the gate takes more


@dataclass(frozen=True, slots=True)
class Told:
    """What one side said: its answer, why, and its first quote (message 0 stands for a clause of the policy)."""

    answer: str
    reasoning: str | None = None
    message: int | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A labelled conversation on which exactly one of the two is right."""

    conversation_id: str
    label: str
    better: bool  # B is right
    a: Told
    b: Told


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Labels of a code that one side cannot be held against: its judgement failed, or it did not judge."""

    n_failed: int
    n_not_judged: int


@dataclass(frozen=True, slots=True)
class Matched:
    """A code's labels with both answers. `pairs` and `conversations` go together."""

    pairs: tuple[Pair, ...]
    conversations: tuple[str, ...]
    n_skipped: int  # labels that say it cannot be assessed
    n_open: int  # reviewers differ, and nobody has decided
    a: LeftOut
    b: LeftOut


@dataclass(frozen=True, slots=True)
class OfCode:
    """One code. p-values are adjusted (Holm) over all codes; `n_differ` of `n_both` judged by both, labelled or not."""

    code: Code
    matched: Matched
    versions: Versions
    p_sensitivity: float | None
    p_specificity: float | None
    flips_a: Flips
    flips_b: Flips
    n_differ: int
    n_both: int
    changed: tuple[Changed, ...] = ()

    @property
    def n_better(self) -> int:
        """Labels on which only B is right."""
        return sum(p.b_right and not p.a_right for p in self.matched.pairs)

    @property
    def n_worse(self) -> int:
        """Labels on which only A is right."""
        return sum(p.a_right and not p.b_right for p in self.matched.pairs)


@dataclass(frozen=True, slots=True)
class Rewording:
    """A criterion whose meaning is another: in B than in A, or in one of them than when labels were given."""

    name: str
    side: str  # "A → B", "labels → A", "labels → B"
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """Two judges on the labels of a plan. `left`: questions that cannot be compared, each with why."""

    plan: LabelPlan
    a: Side
    b: Side
    splits: tuple[str, ...]
    codes: tuple[OfCode, ...]
    differs: Mapping[str, tuple[str, ...]]  # by rubric, in words
    rewordings: tuple[Rewording, ...]
    left: tuple[tuple[str, str], ...]
    spend_a: Spend
    spend_b: Spend
    n_labelled: int  # conversations with labels in these splits
    n_held_back: int  # with labels in others
    n_changed: int  # whose text is no longer what was labelled
    n_openings: int  # judges of one of the rubrics that the test split was opened for, at most; 0: it was not now
    seed: int
    draws: int

    @property
    def worst_first(self) -> tuple[OfCode, ...]:
        """The codes with any change, that with most losses over gains first."""
        some = [c for c in self.codes if c.changed]
        return tuple(sorted(some, key=lambda c: (c.n_better - c.n_worse, -c.n_worse, c.code.name)))


def compared(
    store: Store, plan: LabelPlan, a: Side, b: Side, splits: Sequence[str], *, codes: Sequence[str] = (),
    command: str = "compare", now: datetime, seed: int = SEED, draws: int = DRAWS,
) -> Compared:  # fmt: skip
    """Hold both against the labels of these splits; with test among them that is an opening, and kept as one.

    Raises ConfigError for a code that is none, InputError where nothing can be compared.
    """
    names, left = askable(plan, a, b)
    names = _narrowed(names, codes)
    if not names:
        raise InputError(
            f"the plan {plan.plan_id[:11]} has no criterion that both ask", cure="name another --plan, or other judges"
        )
    labels, held_back, n_changed = labels_of(
        store, plan, splits, command=command, sides=(a, b), rubrics={r for r, _ in names}, now=now
    )
    if not labels:
        where = f"{', '.join(splits)} ({held_back:,} conversations in other splits)"
        raise InputError(
            f"plan {plan.plan_id[:11]} has no label in {where}",
            cure="label more, or name another --split",
        )
    told = said(store, a, names), said(store, b, names)
    found: list[OfCode] = []
    for code in codes_of(names, b, labels.values(), told):
        matched = match(code, labels, plan, *told)
        versions = compare_pairs(matched.pairs, seed=seed, draws=draws)
        differ, both = _differ(code, *told)
        found.append(OfCode(
            code, matched, versions, None, None, flip_rate([]), flip_rate([]), differ, both
        ))  # fmt: skip
    found = _adjusted(_with_flips(store, found, a, b))
    return Compared(
        plan, a, b, tuple(splits), tuple(_with_changes(store, found, labels, a, b, told)),
        {name: b.instruments[name].changed_from(a.instruments[name]) for name in b.instruments},
        rewordings(a, b, names, rubrics_of_plan(store, plan)), left, spent(store, a), spent(store, b),
        len({i for i, _ in labels}), held_back, n_changed,
        max(judges_seen(store, plan, r) for r, _ in names) if "test" in splits else 0, seed, draws,
    )  # fmt: skip


def askable(plan: LabelPlan, a: Side, b: Side) -> tuple[list[tuple[str, str]], tuple[tuple[str, str], ...]]:
    """The plan's (rubric, criterion) that both ask on one scale, and what is left out, each with why."""
    names, left = [], []
    asked = {(q.rubric, q.criterion) for q in plan.questions}
    for q in plan.questions:
        if q.rubric not in a.rubrics or q.rubric not in b.rubrics:
            continue
        theirs = [s.rubrics[q.rubric] for s in (a, b)]
        missing = [r.reference for r in theirs if q.criterion not in r.codes]
        if missing:
            left.append((q.name, f"not asked by {' nor by '.join(missing)}"))
        elif len({r.criterion(q.criterion).scale for r in theirs}) > 1:
            left.append((q.name, "a defect for one and a choice for the other"))
        else:
            names.append((q.rubric, q.criterion))
    for name, rubric in b.rubrics.items():
        left += [(f"{name}.{code}", "has no labels") for code in rubric.codes if (name, code) not in asked]
    return names, tuple(left)


def _narrowed(names: list[tuple[str, str]], codes: Sequence[str]) -> list[tuple[str, str]]:
    wanted = set()
    for code in codes:
        found = [n for n in names if code in (n[1], ".".join(n))]
        if len(found) != 1:
            what = "is in several rubrics" if found else "is none that both ask and the plan has labels of"
            some = ", ".join(".".join(n) for n in found or names)
            raise ConfigError(f"--code {code!r} {what}", cure=f"one of {some}")
        wanted.add(found[0])
    return [n for n in names if n in wanted or not codes]


def labels_of(
    store: Store, plan: LabelPlan, splits: Sequence[str], *, command: str, sides: Sequence[Side],
    rubrics: Iterable[str], now: datetime,
) -> tuple[dict[tuple[str, str], Answered], int, int]:  # fmt: skip
    """(conversation, question) → label of these splits on texts that are what was labelled; how many conversations have
    labels in other splits, and how many of these have changed since.
    """
    wanted = set(rubrics)
    judges = [i for side in sides for name, i in side.instruments.items() if name in wanted]
    mine = reference(store, plan, splits, purpose=purpose(command, set(judges)), now=now)
    chosen = plan.chosen()
    hashes = store.content_hashes(list(chosen))
    same = {i for i, d in chosen.items() if hashes.get(i) == d.content_hash}
    labels = {(x.conversation_id, x.name): x for x in mine if x.rubric in wanted and x.conversation_id in same}
    n_all = store.rows(
        "select count(distinct conversation_id) from label_record where plan_id = ?", [plan.plan_id]
    )[0][0]  # fmt: skip
    here = {x.conversation_id for x in mine}
    return labels, int(n_all) - len(here), len(here - same)


def codes_of(
    names: Sequence[tuple[str, str]], side: Side, labels: Iterable[Answered], told: Sequence[Said]
) -> list[Code]:
    """Every defect, and of choices every option that a judge or a person has named."""
    labelled: dict[str, set[str]] = {}
    for x in labels:
        if x.answer is not None:
            labelled.setdefault(x.name, set()).add(x.answer)
    for one in told:
        for (_, question), answer in one.answers.items():
            labelled.setdefault(question, set()).add(answer)
    found = []
    for rubric, criterion in names:
        c = side.rubrics[rubric].criterion(criterion)
        if c.scale != "choice":
            found.append(Code(rubric, criterion, None, c.title, c.severity))
            continue
        named = labelled.get(f"{rubric}.{criterion}", set()) - {Answer.CANNOT_ASSESS.value}
        order = dict.fromkeys([*(c.options or ()), *sorted(named)])
        found += [Code(rubric, criterion, option, c.title, "") for option in order if option in named]
    return found


def match(
    code: Code, labels: Mapping[tuple[str, str], Answered], plan: LabelPlan, a: Said, b: Said,
) -> Matched:  # fmt: skip
    """The labels of a code, each with whether either side is right; what cannot be used, counted."""
    chosen = plan.chosen()
    pairs, conversations = [], []
    n_skipped = n_open = 0
    out: tuple[Counter[bool], Counter[bool]] = Counter(), Counter()
    for (i, question), label in labels.items():
        if question != code.question:
            continue
        if label.answer is None:
            n_open += 1
            continue
        truth = code.truth(label.answer)
        if truth is None:
            n_skipped += 1
            continue
        theirs = [one.answers.get((i, question)) for one in (a, b)]
        for answer, one, counter in zip(theirs, (a, b), out, strict=True):
            if answer is None:
                counter[(i, code.rubric) in one.failed] += 1
        if theirs[0] is None or theirs[1] is None:
            continue
        pairs.append(Pair(
            {"fires": True, "clean": False, "not_applicable": None}[truth], right(code, truth, theirs[0]),
            right(code, truth, theirs[1]), 1 / chosen[i].inclusion_probability, chosen[i].stratum,
        ))  # fmt: skip
        conversations.append(i)
    lost = [LeftOut(counter[True], counter[False]) for counter in out]
    return Matched(tuple(pairs), tuple(conversations), n_skipped, n_open, *lost)


def right(code: Code, truth: str, answer: str) -> bool:
    """Whether an answer is right about a conversation of which this is true."""
    verdict = code.verdict(answer)[0]
    if truth == "fires":
        return verdict == "fires"
    return verdict != "fires" if truth == "clean" else verdict == "not_applicable"


def rewordings(
    a: Side, b: Side, names: Sequence[tuple[str, str]], labelled: Mapping[str, Rubric]
) -> tuple[Rewording, ...]:
    """The criteria among these whose meaning is not the same everywhere."""
    found = []
    for side, old, new in (
        ("A → B", a.rubrics, b.rubrics), ("labels → A", labelled, a.rubrics), ("labels → B", labelled, b.rubrics),
    ):  # fmt: skip
        for rubric, criterion in names:
            before = old[rubric]
            if criterion not in before.codes or _same(before.criterion(criterion), new[rubric].criterion(criterion)):
                continue
            changes = [c for c in diff(before, new[rubric]) if c.meaning and c.criterion == criterion]
            found.append(Rewording(f"{rubric}.{criterion}", side, tuple(c.field for c in changes)))
    return tuple(found)


def rubrics_of_plan(store: Store, plan: LabelPlan) -> dict[str, Rubric]:
    """The versions under which the labels were given."""
    return {q.rubric: rubric_as_used(store, q.rubric, q.rubric_version) for q in plan.questions}


def _same(a: Criterion, b: Criterion) -> bool:
    return a.meaning() == b.meaning()


def _differ(code: Code, a: Said, b: Said) -> tuple[int, int]:
    """On how many conversations the verdicts of both differ, of how many that both judged; a label is not asked."""
    n_differ = n_both = 0
    for (i, question), mine in a.answers.items():
        theirs = b.answers.get((i, question)) if question == code.question else None
        if theirs is None:
            continue
        n_both += 1
        if code.option is None:
            n_differ += mine != theirs
        else:
            n_differ += (mine == code.option) != (theirs == code.option)
    return n_differ, n_both


def _with_flips(store: Store, found: Sequence[OfCode], a: Side, b: Side) -> list[OfCode]:
    known: dict[tuple[int, str], dict[str, Flips]] = {}
    for n, side in enumerate((a, b)):
        for rubric, instrument in side.instruments.items():
            wanted = {c.code.criterion for c in found if c.code.rubric == rubric}
            known[n, rubric] = flips(store, instrument, wanted)
    return [
        replace(
            c, flips_a=known[0, c.code.rubric][c.code.criterion], flips_b=known[1, c.code.rubric][c.code.criterion]
        )
        for c in found
    ]  # fmt: skip


def _adjusted(found: Sequence[OfCode]) -> list[OfCode]:
    """One family: both tests of all codes, since a reader looks for the smallest of all."""
    both = [[c.versions.sensitivity.p_exact, c.versions.specificity.p_exact] for c in found]
    told = iter(holm([p for row in both for p in row if p is not None]))
    rows = [[None if p is None else next(told) for p in row] for row in both]
    return [replace(c, p_sensitivity=se, p_specificity=sp) for c, (se, sp) in zip(found, rows, strict=True)]


def _with_changes(
    store: Store, found: Sequence[OfCode], labels: Mapping[tuple[str, str], Answered], a: Side, b: Side,
    told: tuple[Said, Said],
) -> list[OfCode]:  # fmt: skip
    """With the conversations on which exactly one is right, losses first."""
    moved = {
        c.code.name: [
            (i, p.b_right) for i, p in zip(c.matched.conversations, c.matched.pairs, strict=True)
            if p.a_right != p.b_right
        ]
        for c in found
    }  # fmt: skip
    asked = {(i, c.code.rubric, c.code.criterion) for c in found for i, _ in moved[c.code.name]}
    reasons = [_reasons(store, side.run_id, asked) for side in (a, b)]

    def one(code: Code, i: str, better: bool) -> Changed:
        both = [
            Told(said.answers[i, code.question], *why.get((i, code.question), (None, None, None)))
            for said, why in zip(told, reasons, strict=True)
        ]
        return Changed(i, labels[i, code.question].answer or "", better, *both)

    return [
        replace(c, changed=tuple(
            one(c.code, i, better) for i, better in sorted(moved[c.code.name], key=lambda x: (x[1], x[0]))
        ))
        for c in found
    ]  # fmt: skip


def _reasons(
    store: Store, run_id: str, asked: Iterable[tuple[str, str, str]]
) -> dict[tuple[str, str], tuple[str | None, int | None, str | None]]:
    rows = [{"conversation_id": i, "rubric": r, "criterion": c} for i, r, c in sorted(asked)]
    if not rows:
        return {}
    sql = (files("grader.calibration") / "answers.sql").read_text(encoding="utf-8")
    return {
        (i, f"{rubric}.{criterion}"): (reasoning, message, quote)
        for i, rubric, criterion, reasoning, message, quote in store.rows(
            sql, {"run_id": run_id, "asked": json.dumps(rows)}
        )
    }  # fmt: skip
