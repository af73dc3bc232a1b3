"""May a new version of a rubric, a prompt or a model take the place of the old one? The evidence, then the decision.

What needs no label's answer is looked at first: judged at all, repeated, reviewers at one. Only where all of that holds
is the test split opened, since each judge that is looked at wears it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from grader.calibration.compare import (
    SEED,
    LeftOut,
    Matched,
    Rewording,
    askable,
    codes_of,
    labels_of,
    match,
    rewordings,
    rubrics_of_plan,
)
from grader.calibration.held import Code
from grader.calibration.openings import judges_seen
from grader.calibration.repeats import flips
from grader.calibration.sides import Said, Side, grade_again, said
from grader.calibration.standing import unreliable
from grader.errors import ConfigError
from grader.labelling.plan import LabelPlan
from grader.labelling.reference import Answered, answered, second_looks
from grader.model import Answer, JsonValue
from grader.statistics.agreement import between_reviewers
from grader.statistics.association import holm
from grader.statistics.figure import undefined
from grader.statistics.frame import DRAWS, FEWEST_LABELS
from grader.statistics.paired import NO_REPEATS, Flips, Pair, alone, compare
from grader.statistics.promotion import Check, Decision, Evidence, Gate, Outcome, decide
from grader.store import Store

SPLIT = "test"
UNSEEN = 0.05  # of the frame, in strata without a label: more, and the labels do not stand for it


@dataclass(frozen=True, slots=True)
class OfCode:
    """One code, what is known of it, and what that comes to. `matched` None: the test split was not opened."""

    code: Code
    evidence: Evidence
    decision: Decision
    matched: Matched | None = None
    p_sensitivity: float | None = None
    p_specificity: float | None = None


@dataclass(frozen=True)
class Promotion:
    """A decision about one rubric. `unasked`: criteria of the new version that nobody can decide about, with why."""

    rubric: str
    plan: LabelPlan
    old: Side
    new: Side
    gate: Gate
    opened: bool
    n_openings: int  # judges that the test split has been opened for, or would have been
    n_labelled: int  # conversations of the test split
    codes: tuple[OfCode, ...]
    unasked: tuple[Decision, ...]
    gone: tuple[str, ...]  # criteria of the plan that the new version no longer asks
    reworded: tuple[Rewording, ...]
    again: str  # the `grade` by the new judge that draws what the plan's run drew
    seed: int
    draws: int
    decided_at: datetime
    grader_version: str

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Of every code."""
        return (*(c.decision for c in self.codes), *self.unasked)

    @property
    def outcome(self) -> Outcome:
        """The worst of all codes; nothing to go by is hold. Without a look at labels nothing passes."""
        found = {d.outcome for d in self.decisions}
        if "fail" in found:
            return "fail"
        return "pass" if found == {"pass"} and self.opened else "hold"

    @property
    def ready(self) -> bool:
        """Nothing stands against opening the test split."""
        return bool(self.codes) and all(d.outcome == "pass" for d in self.decisions)


@dataclass(frozen=True)
class _Known:
    """What both judges answered, and what is asked of whom."""

    names: Sequence[tuple[str, str]]
    only_new: frozenset[str]  # questions that the old one does not ask
    old: Said
    new: Said
    flips: Mapping[str, Flips]


def decided(
    store: Store, plan: LabelPlan, old: Side, new: Side, rubric: str, gate: Gate, *, now: datetime,
    grader_version: str, dry_run: bool = False, seed: int = SEED, draws: int = DRAWS,
) -> Promotion:  # fmt: skip
    """Decide about one rubric. `dry_run`: without opening the test split, whatever the rest says.

    Raises ConfigError where both are the same judge.
    """
    old, new = old.only(rubric), new.only(rubric)
    judges = old.instruments[rubric], new.instruments[rubric]
    if judges[0].identity == judges[1].identity:
        raise ConfigError(
            f"both are {new.name}: a judge cannot take its own place", cure="--over names the one that it is to replace"
        )
    names, left = askable(plan, old, new)
    fresh = [
        (q.rubric, q.criterion) for q in plan.questions
        if q.rubric == rubric and q.criterion in new.rubrics[rubric].codes
        and q.criterion not in old.rubrics[rubric].codes
    ]  # fmt: skip
    both, theirs = said(store, old, names), said(store, new, [*names, *fresh])
    wobble = flips(store, new.instruments[rubric], {criterion for _, criterion in (*names, *fresh)})
    another = judges[1].judge == "llm" and judges[1].model != judges[0].model
    again = grade_again(store, plan.run_id, model=judges[1].model if another else None)
    known = _Known([*names, *fresh], frozenset(map(".".join, fresh)), both, theirs, {
        criterion: _with_command(f, again, new, rubric) for criterion, f in wobble.items()
    })  # fmt: skip
    seen = judges_seen(store, plan, rubric, judges)
    every = answered(store, plan)
    hashes = store.content_hashes(list(plan.chosen()))
    same = {i for i, d in plan.chosen().items() if hashes.get(i) == d.content_hash}
    mine = [x for x in every if x.split == SPLIT and x.rubric == rubric and x.conversation_id in same]
    codes = codes_of(known.names, new, (), (both, theirs))
    asked, gate = gate, replace(gate, floors=_floors(gate, codes, new, rubric))
    apart = {".".join(n): _apart(store, plan, every, ".".join(n), seed) for n in known.names}
    before = [_before(c, mine, known, plan, new, again, gate, seen, apart[c.question]) for c in codes]
    skip = {".".join(n) for n in fresh}
    found = Promotion(
        rubric, plan, old, new, gate, False, seen, len({x.conversation_id for x in mine}), tuple(before),
        tuple(_undecidable(name, why) for name, why in left if name not in skip and _is_asked(new, name)),
        tuple(name for name, _ in left if not _is_asked(new, name)),
        rewordings(old, new, names, rubrics_of_plan(store, plan)), again, seed, draws, now, grader_version,
    )  # fmt: skip
    if dry_run or not found.ready:
        return found
    labels, _, _ = labels_of(store, plan, (SPLIT,), command="promote", sides=(old, new), rubrics=(rubric,), now=now)
    codes = codes_of(known.names, new, labels.values(), (both, theirs))
    gate = replace(gate, floors=_floors(asked, codes, new, rubric))
    after = [_after(c, labels, known, plan, gate, seen, _earlier(before, c), seed, draws) for c in codes]
    return replace(found, gate=gate, opened=True, codes=tuple(_adjusted(after)))


def _is_asked(side: Side, name: str) -> bool:
    rubric, _, criterion = name.partition(".")
    return criterion in side.rubrics[rubric].codes


def _with_command(found: Flips, again: str, new: Side, rubric: str) -> Flips:
    if found.rate.point is not None:
        return found
    told = f"{NO_REPEATS} {again} --rubric {new.rubrics[rubric].reference} --repeats 2 judges them twice."
    return Flips(undefined(told, found.rate.method), found.n_once)


def _undecidable(name: str, why: str) -> Decision:
    told = (
        f"It has no labels: grader label plan --code {name} draws what to label."
        if why == "has no labels" else f"It is {why}: nothing can be compared."
    )  # fmt: skip
    return Decision(name, "hold", (Check("labels", "hold", told),))


def _floors(gate: Gate, codes: Sequence[Code], new: Side, rubric: str) -> dict[str, float]:
    """By the codes' full names; of a choice, a floor of the criterion is one of each answer."""
    asked = {f"{rubric}.{c}" for c in new.rubrics[rubric].codes} | {c.name for c in codes}
    for name in gate.floors:
        if name.startswith(f"{rubric}.") and name not in asked:
            raise ConfigError(
                f"gate.floors has {name!r}, which {new.rubrics[rubric].reference} does not ask",
                cure=f"one of {', '.join(sorted(asked))}",
            )
    found = {}
    for code in codes:
        own = gate.floors.get(code.name, gate.floors.get(code.question))
        floor = own if own is not None else gate.floor(code.name, code.severity)
        if floor is not None:
            found[code.name] = floor
    return found


def _apart(store: Store, plan: LabelPlan, every: Sequence[Answered], question: str, seed: int) -> str:
    """Why people do not agree about it; '' where they do, or nobody knows. In all splits: no verdict is seen."""
    items = [x.answers for x in every if x.name == question]
    twice = [(x.first_answer, x.second_answer) for x in second_looks(store, plan) if x.name == question]
    agreed = between_reviewers(items, Answer.PRESENT.value, n_reviewers=len(plan.reviewers), seed=seed, twice=twice)
    found = unreliable(agreed)
    return f"{found} Fix the rubric: grader rubric new-version {question.partition('.')[0]}." if found else ""


def _before(
    code: Code, labels: Sequence[Answered], known: _Known, plan: LabelPlan, new: Side, again: str, gate: Gate,
    seen: int, apart: str,
) -> OfCode:  # fmt: skip
    """What is known of a code without a look at what people answered."""
    mine = [x for x in labels if x.name == code.question]
    held = list(_judged(code, mine, known, plan, new, again, gate))
    if n_open := sum(x.how == "open" for x in mine):
        one = "disagreement is" if n_open == 1 else "disagreements are"
        held.append(Check(
            "disagreements", "hold",
            f"{n_open} {one} open: grader label adjudicate {plan.plan_id[:11]} -o FILE lets a third decide.",
        ))  # fmt: skip
    short = () if mine else (f"No label in the test split: grader label status {plan.plan_id[:11]} tells who is to.",)
    e = Evidence(code.name, None, None, None, None, None, known.flips[code.criterion], short, seen, tuple(held), apart)
    return OfCode(code, e, decide(e, gate))


def _judged(
    code: Code, labels: Sequence[Answered], known: _Known, plan: LabelPlan, new: Side, again: str, gate: Gate
) -> list[Check]:
    """Whether both judged what is labelled."""
    found = []
    reference = new.rubrics[code.rubric].reference
    absent = _left_out(code, labels, known.new)
    of = f"of {len(labels)} labelled conversations of the test split"
    if absent.n_not_judged:
        found.append(Check(
            "judgements", "hold",
            f"The new version has not judged {absent.n_not_judged} {of}: {again} --rubric {reference}.",
        ))  # fmt: skip
    if absent.n_failed > gate.most_failed * len(labels):
        found.append(Check(
            "judgements", "hold",
            f"The new version failed on {absent.n_failed} {of}, more than {gate.most_failed:.0%}: "
            f"{again} --rubric {reference} --retry-failed tries them again.",
        ))  # fmt: skip
    if code.question not in known.only_new:
        absent = _left_out(code, labels, known.old)
        if absent.n_failed + absent.n_not_judged > gate.most_failed * len(labels):
            found.append(Check(
                "judgements", "hold",
                f"The old version has no answer to {absent.n_failed + absent.n_not_judged} {of}, more than "
                f"{gate.most_failed:.0%}: judge them with it too, or take another --plan than {plan.plan_id[:11]}.",
            ))  # fmt: skip
    return found


def _left_out(code: Code, labels: Sequence[Answered], one: Said) -> LeftOut:
    missing = [x.conversation_id for x in labels if (x.conversation_id, code.question) not in one.answers]
    failed = sum((i, code.rubric) in one.failed for i in missing)
    return LeftOut(failed, len(missing) - failed)


def _earlier(before: Sequence[OfCode], code: Code) -> Evidence:
    """What was found before the opening, of this code or of another answer to the same question."""
    return next(c.evidence for c in before if c.code.question == code.question)


def _after(
    code: Code, labels: Mapping[tuple[str, str], Answered], known: _Known, plan: LabelPlan, gate: Gate, seen: int,
    earlier: Evidence, seed: int, draws: int,
) -> OfCode:  # fmt: skip
    """All that is known of a code."""
    only_new = code.question in known.only_new
    matched = match(code, labels, plan, known.new if only_new else known.old, known.new)
    pairs = matched.pairs
    sensitivity, youden = alone(pairs, seed=seed, draws=draws)
    versions = None if only_new else compare(pairs, seed=seed, draws=draws)
    short = _short(pairs, plan)
    if only_new:
        wanted = (True, gate.fewest_positive, "positives"), (False, gate.fewest_negative, "negatives")
        for truth, fewest, word in wanted:
            n = sum(p.truth is truth for p in pairs)
            if n < fewest:
                short.append(f"Too few human-{word}: {n} of the {fewest} it takes. Label {fewest - n} more.")
    e = replace(
        earlier, code=code.name, sensitivity=versions.sensitivity if versions else None,
        specificity=versions.specificity if versions else None,
        not_applicable=versions.not_applicable if versions else None,
        new_sensitivity=sensitivity, youden=youden, shortage=tuple(short), n_openings=seen,
    )  # fmt: skip
    return OfCode(code, e, decide(e, gate), matched)


def _short(pairs: Sequence[Pair], plan: LabelPlan) -> list[str]:
    """Why the labels do not stand for the frame."""
    found = []
    if len(pairs) < FEWEST_LABELS:
        found.append(f"{len(pairs)} labels in all: with fewer than {FEWEST_LABELS} nothing can be decided.")
    labelled = {p.stratum for p in pairs}
    unseen = {s.name or "": s.n_population for s in plan.strata if s.name not in labelled}
    n = sum(unseen.values())
    if n > UNSEEN * plan.n_frame:
        found.append(
            f"{n:,} of {plan.n_frame:,} conversations of the frame are in strata without a label of the test split "
            f"({', '.join(sorted(unseen)[:3])}): label some of them."
        )
    return found


def _adjusted(found: Sequence[OfCode]) -> list[OfCode]:
    """With p-values adjusted over all codes; they are told, and decide nothing: every bound has to hold."""
    changes = [(c.evidence.sensitivity, c.evidence.specificity) for c in found]
    ps = [[None if x is None else x.p_exact for x in row] for row in changes]
    told = iter(holm([p for row in ps for p in row if p is not None]))
    rows = [[None if p is None else next(told) for p in row] for row in ps]
    return [replace(c, p_sensitivity=se, p_specificity=sp) for c, (se, sp) in zip(found, rows, strict=True)]


def evidence_row(p: Promotion) -> dict[str, JsonValue]:
    """All that the decision rests on, as plain values."""
    return {
        "splits": [SPLIT], "opened": p.opened, "n_openings": p.n_openings, "n_labelled": p.n_labelled,
        "seed": p.seed, "draws": p.draws, "gone": list(p.gone),
        "reworded": [{"name": r.name, "side": r.side, "fields": list(r.fields)} for r in p.reworded],
        "codes": [_row(c) for c in p.codes] + [
            {"code": d.code, "outcome": d.outcome, "checks": [asdict(c) for c in d.checks]} for d in p.unasked
        ],
    }  # fmt: skip


def _row(c: OfCode) -> dict[str, Any]:
    e, m = c.evidence, c.matched
    figures = {
        name: None if (value := getattr(e, name)) is None else asdict(value)
        for name in ("sensitivity", "specificity", "not_applicable", "new_sensitivity", "youden", "flips")
    }
    return {
        "code": c.code.name, "outcome": c.decision.outcome, "severity": c.code.severity,
        "checks": [asdict(check) for check in c.decision.checks], **figures,
        "p_sensitivity": c.p_sensitivity, "p_specificity": c.p_specificity,
        "n_labels": None if m is None else len(m.pairs), "n_cannot_assess": None if m is None else m.n_skipped,
        "left_out": None if m is None else {"old": asdict(m.a), "new": asdict(m.b)},
    }  # fmt: skip
