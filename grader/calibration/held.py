"""A run's verdicts beside the labels of a plan: for every code the strata with their sizes, and the labels in them.

The frame is the plan's: what was judged when it was drawn. Any run that judged that frame can be held against the same
labels, since they are a simple random sample of each of the plan's strata, and so of each stratum and verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from importlib.resources import files
from typing import Any

from grader.calibration import composite
from grader.calibration.composite import ALL, IN_PART, Composite
from grader.calibration.instrument import Instrument, of_run
from grader.calibration.splits import SPLITS
from grader.errors import InputError
from grader.labelling.design import REST, UNSUPPORTED, Asked, strata
from grader.labelling.frame import frame, rubrics_of
from grader.labelling.plan import LabelPlan, Question, export_command
from grader.labelling.reference import Answered, SecondLook, answered, reference, second_looks
from grader.language import N_
from grader.model import Answer
from grader.rubric import Rubric
from grader.statistics.agreement import Answers
from grader.statistics.frame import Labelled, Part, Stratum, Truth, Verdict, collapsed, parts_of
from grader.store import Store

# As `labelling.design` names strata, for pages in other languages.
STRATA = (N_("flagged: {code}"), N_("rest"), N_("unjudged"), N_("present without proof, {told_stratum}"),
          N_("not all codes answered, {told_stratum}"), N_("cannot be assessed, {told_stratum}"))  # fmt: skip
DIMENSIONS = (N_("queue"), N_("reason"), N_("week"), N_("channel"), N_("language"))
UNKNOWN = "(not known)"
JUDGED_AT_LEAST = 0.95  # of the frame, for sizes of strata to be those of the frame
NO_FLAG = {UNSUPPORTED: N_("present without proof"), IN_PART: N_("not all codes answered")}
_DEFECT: Mapping[str, Verdict] = {
    Answer.PRESENT.value: "fires", Answer.ABSENT.value: "clean", Answer.NOT_APPLICABLE.value: "not_applicable",
}  # fmt: skip
_TRUTH: Mapping[str, Truth] = {
    Answer.PRESENT.value: "fires", Answer.ABSENT.value: "clean", Answer.NOT_APPLICABLE.value: "not_applicable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Code:
    """What a rate is about: a defect, one answer of a choice (`option`), or codes taken together (a `Composite`)."""

    rubric: str
    criterion: str
    option: str | None
    title: str
    severity: str

    @property
    def name(self) -> str:
        """accuracy.invented_deadline; resolution.resolved = partly."""
        plain = f"{self.rubric}.{self.criterion}"
        return plain if self.option is None else f"{plain} = {self.option}"

    @property
    def question(self) -> str:
        """The criterion's name, without the option."""
        return f"{self.rubric}.{self.criterion}"

    @property
    def taken_together(self) -> bool:
        """It is several codes as one."""
        return self.rubric == ALL

    @property
    def positive(self) -> str:
        """The answer that fires."""
        return Answer.PRESENT.value if self.option is None else self.option

    def verdict(self, answer: str | None) -> tuple[Verdict, str]:
        """What a judge's answer counts as, and why where it is none. A defect without proof is not flagged: that is no
        fault of the labels, so it stands with what was judged clean, under a name of its own.
        """
        if answer is None:
            return "missing", "not judged"
        if answer == Answer.CANNOT_ASSESS.value:
            return "missing", N_("cannot be assessed")
        if self.option is not None:
            return ("fires" if answer == self.option else "clean"), ""
        if answer in NO_FLAG:
            return "clean", NO_FLAG[answer]
        return _DEFECT[answer], ""

    def truth(self, answer: str) -> Truth | None:
        """What a label says; None for one that says nothing of it."""
        if answer == Answer.CANNOT_ASSESS.value:
            return None
        if self.option is not None:
            return "fires" if answer == self.option else "clean"
        return "clean" if answer == IN_PART else _TRUTH[answer]


@dataclass(frozen=True, slots=True)
class Seen:
    """A conversation of the frame: its stratum in the plan, its contact, and the run's answer to every question."""

    conversation_id: str
    stratum: str
    contact_id: str | None
    answers: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A code within a slice: strata, labels, and what could not be used. `cells` are the strata before small ones were
    joined with others. `n_in_part`: labels in which nothing was found and not every code could be assessed; they count
    as clean. `n_unanswered`: conversations of which some code has no label; they are in no count. Both of composites.
    """

    parts: tuple[Part, ...]
    labels: tuple[Labelled, ...]
    n_skipped: int  # labels that cannot assess it
    n_open: int  # reviewers differ, and nobody has decided
    cells: tuple[Part, ...] = ()
    n_in_part: int = 0
    n_unanswered: int = 0


@dataclass(frozen=True)
class Held:
    """Verdicts and labels, ready to be counted. `labels` are of `splits` alone; `others` are of the other splits.
    `composites` are the codes taken together of which all are asked; `lacking` those of which only some are.
    """

    plan: LabelPlan
    run_id: str
    instruments: Mapping[str, Instrument]
    codes: tuple[Code, ...]
    splits: tuple[str, ...]
    seen: Mapping[str, Seen]
    labels: Mapping[tuple[str, str], Answered]  # (conversation, question)
    slices: Mapping[str, Mapping[str, Any]]
    n_held_back: int  # labelled conversations of the other splits
    n_changed: int  # of the plan's frame, gone or changed since
    even: bool  # the frame itself was drawn with one chance for all
    _place: Mapping[str, int] = field(default_factory=dict)
    _agreement: Mapping[str, tuple[Answers, ...]] = field(default_factory=dict)
    _twice: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    _by: Mapping[str, frozenset[str]] = field(default_factory=dict)
    composites: tuple[Composite, ...] = ()
    lacking: tuple[tuple[Composite, str], ...] = ()  # with `ask 4 of 7 critical codes`
    _unanswered: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def simple_random(self) -> bool:
        """Everybody had the same chance to be labelled."""
        chances = [d.inclusion_probability for d in self.plan.drawn]
        return bool(chances) and max(chances) - min(chances) < 1e-9

    @property
    def others(self) -> str:
        """What reads the labels that these splits leave out: `67 in test (--split all)`."""
        names = ", ".join(name for name in SPLITS if name not in self.splits)
        return N_("{n} in {splits} (--split all)").format(n=f"{self.n_held_back:,}", splits=names)

    @property
    def began(self) -> tuple[datetime | None, datetime | None]:
        """When the first and the last conversation of the frame began, in UTC."""
        times = [at for s in self.slices.values() if (at := s["started_at"]) is not None]
        return (min(times), max(times)) if times else (None, None)

    def values(self, dimension: str) -> list[str]:
        """The slices of a dimension, the one with most conversations first; weeks in their order."""
        found = Counter(self._slice(i, dimension) for i in self.seen)
        by_name = dimension == "week"
        return sorted(found, key=lambda name: (name == UNKNOWN, name if by_name else "", -found[name], name))

    def counted(self, code: Code, dimension: str | None = None, name: str | None = None) -> Counted:
        """The strata of a code, over all or within one slice."""
        population: Counter[Stratum] = Counter()
        stratum_of: dict[str, Stratum] = {}
        at = self._place[code.question]
        known: dict[tuple[str | None, str], Stratum] = {}
        for i, one in self.seen.items():
            if dimension is not None and self._slice(i, dimension) != name:
                continue
            key = one.answers[at], one.stratum
            if key not in known:
                verdict, why = code.verdict(key[0])
                known[key] = verdict, f"{why}, {one.stratum}" if why else one.stratum
            population[known[key]] += 1
            stratum_of[i] = known[key]
        labels, n_open, n_in_part = [], 0, 0
        skipped: Counter[Stratum] = Counter()
        for (i, question), answer in self.labels.items():
            if question != code.question or i not in stratum_of:
                continue
            if answer.answer is None:
                n_open += 1
                continue
            truth = code.truth(answer.answer)
            if truth is None:
                skipped[stratum_of[i]] += 1
                continue
            n_in_part += answer.answer == IN_PART
            labels.append(Labelled(stratum_of[i], truth, self.seen[i].contact_id))
        order = dict(sorted(population.items()))
        cells = parts_of(order, labels, skipped)
        parts, used = collapsed(cells, labels)
        n_unanswered = sum(i in stratum_of for i in self._unanswered.get(code.question, ()))
        return Counted(parts, used, skipped.total(), n_open, cells, n_in_part, n_unanswered)

    def items(self, code: Code) -> tuple[Answers, ...]:
        """What all reviewers of the plan said, an item a conversation, in every split: no verdict is looked at."""
        return self._agreement.get(code.question, ())

    def twice(self, code: Code) -> tuple[tuple[str, str], ...]:
        """What reviewers said of a conversation and of its hidden copy."""
        return self._twice.get(code.question, ())

    def n_reviewers(self, code: Code) -> int:
        """How many of the plan's reviewers have answered it; before the first label, how many are to."""
        return len(self._by.get(code.question, ())) or len(self.plan.reviewers)

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Those of the plan who have answered anything; before the first label, all of them."""
        some = frozenset[str]().union(*self._by.values())
        return tuple(name for name in self.plan.reviewers if name in some) or self.plan.reviewers

    def only(self, codes: Sequence[Code]) -> Held:
        """The same of fewer codes; of those taken together what has all of its codes among them."""
        names = {c.question for c in codes}
        whole = [one for one in self.composites if names.issuperset(one.members)]
        return replace(self, codes=tuple(codes), composites=tuple(whole), lacking=())

    def composite(self, code: Code) -> Composite | None:
        """What it takes together; None of a code by itself."""
        return next((one for one in self.composites if one.question == code.question), None)

    @property
    def every(self) -> tuple[Code, ...]:
        """All that is calibrated: the codes, and what is taken together."""
        return (*self.codes, *(
            Code(ALL, one.name, None, one.title, "critical" if one.name == composite.ANY_CRITICAL else "")
            for one in self.composites
        ))  # fmt: skip

    def together(self, composites: Iterable[Composite], every: Iterable[Answered], looks: Sequence[SecondLook]) -> Held:
        """The same with these composites, as far as all of their codes are asked, each as one more question."""
        whole, lacking = [], []
        for one in composites:
            lacks = one.lacks(self._place)
            whole += [one] if not lacks else []
            lacking += [(one, lacks)] if lacks and any(m in self._place for m in one.members) else []
        seen, labels = dict(self.seen), dict(self.labels)
        place, unanswered = dict(self._place), dict(self._unanswered)
        agreement, twice, by = dict(self._agreement), dict(self._twice), dict(self._by)
        said: dict[str, dict[str, Answered]] = {}
        for a in every:
            said.setdefault(a.conversation_id, {})[a.name] = a
        for one in whole:
            name, at = one.question, [self._place[m] for m in one.members]
            place[name] = max(place.values()) + 1
            seen = {
                i: replace(s, answers=(*s.answers, composite.verdict(s.answers[n] for n in at)))
                for i, s in seen.items()
            }  # fmt: skip
            short = set()
            for i in dict.fromkeys(i for i, _ in self.labels):
                mine = [self.labels[i, m] for m in one.members if (i, m) in self.labels]
                if len(mine) == len(one.members):
                    told = composite.reference(a.answer for a in mine)
                    how = "open" if told is None else "together"
                    labels[i, name] = replace(mine[0], rubric=ALL, criterion=one.name, how=how, answer=told)
                elif mine:
                    short.add(i)
            unanswered[name] = frozenset(short)
            items = [_looked(one, of) for of in said.values()]
            agreement[name] = tuple(tuple(of.values()) for of in items if of)
            by[name] = frozenset(reviewer for of in items for reviewer in of)
            twice[name] = _looked_twice(one, looks)
        return replace(
            self, seen=seen, labels=labels, composites=tuple(whole), lacking=tuple(lacking), _place=place,
            _agreement=agreement, _twice=twice, _by=by, _unanswered=unanswered,
        )  # fmt: skip

    def _slice(self, conversation_id: str, dimension: str) -> str:
        value = self.slices.get(conversation_id, {}).get(dimension)
        return UNKNOWN if value is None else str(value)


def hold(
    store: Store, plan: LabelPlan, run_id: str | None, splits: Sequence[str], *, purpose: str, zone: tzinfo,
    timezone: str, now: datetime, only: Collection[str] = (),
) -> Held:  # fmt: skip
    """Bring a run's verdicts and a plan's labels together. `run_id` None: the run that the plan was drawn from. `only`:
    the questions, by name, that the run must ask; all by default, and of others it has no verdict.

    Reading the test split is noted with its purpose. Raises InputError where the run has not judged the plan's frame,
    or nothing is labelled.
    """
    run = run_id or plan.run_id
    asked = tuple(q for q in plan.questions if not only or q.name in only)
    questions = _questions(store, plan, run, asked)
    first = frame(store, plan.run_id, plan.questions)
    if plan.selection:
        inside = set(store.population(plan.selection, zone=zone))
        first = [m for m in first if m.conversation_id in inside]
    rubrics = rubrics_of(store, plan.run_id)
    scales = [Asked(q.name, rubrics[q.rubric].criterion(q.criterion).scale == "choice") for q in plan.questions]
    stratum = strata(first, scales, _counts(plan))
    chosen = plan.chosen()
    here = {m.conversation_id: m for m in first}
    changed = [i for i, d in chosen.items() if i not in here or here[i].content_hash != d.content_hash]
    stratum |= {i: d.stratum for i, d in chosen.items() if i in stratum}
    if plan.audit:
        first = [m for m in first if stratum[m.conversation_id] == REST]
    if run == plan.run_id:
        answers = {m.conversation_id: m.verdicts for m in first}
    else:
        place = [asked.index(q) if q in asked else None for q in plan.questions]
        answers = {
            m.conversation_id: tuple(None if n is None else m.verdicts[n] for n in place)
            for m in frame(store, run, questions)
        }
    nothing: tuple[str | None, ...] = (None,) * len(plan.questions)
    seen = {
        m.conversation_id: Seen(
            m.conversation_id, stratum[m.conversation_id], m.contact_id, answers.get(m.conversation_id, nothing)
        )
        for m in first
    }
    n_judged = sum(any(a is not None for a in s.answers) for s in seen.values())
    if run != plan.run_id and n_judged < JUDGED_AT_LEAST * len(seen):
        raise InputError(
            f"run {run} judged {n_judged:,} of the {len(seen):,} conversations that plan {plan.plan_id[:11]} drew from",
            cure="strata need the verdicts of all of them: grade the same sample with it, or compare the two runs on "
            "the labels alone (grader compare)",
        )
    every = answered(store, plan)
    if not every:
        export = export_command(plan, "FILE")
        raise InputError(
            f"plan {plan.plan_id[:11]} has no label yet", cure=f"{export}, fill it in, import it; or name another plan"
        )
    mine = reference(store, plan, splits, purpose=purpose, now=now, among=every)
    dropped = set(changed)
    labels = {(a.conversation_id, a.name): a for a in mine if a.conversation_id not in dropped}
    inside_splits = {a.conversation_id for a in mine}
    twice: dict[str, list[tuple[str, str]]] = {}
    looks = second_looks(store, plan)
    for look in looks:
        twice.setdefault(look.name, []).append((look.first_answer, look.second_answer))
    items: dict[str, list[Answers]] = {}
    by: dict[str, set[str]] = {}
    for a in every:
        items.setdefault(a.name, []).append(a.answers)
        by.setdefault(a.name, set()).update(a.reviewers)
    judges = of_run(store, run)
    wanted = {q.rubric for q in questions}
    held = Held(
        plan, run, {rubric: one for rubric, one in judges.items() if rubric in wanted},
        tuple(_codes(plan, rubrics, seen.values(), labels)), tuple(splits), seen, labels,
        _slices(store, timezone, seen), len({a.conversation_id for a in every} - inside_splits), len(changed),
        _even(store, plan.run_id),
        {q.name: n for n, q in enumerate(plan.questions)},
        {name: tuple(found) for name, found in items.items()}, {name: tuple(found) for name, found in twice.items()},
        {name: frozenset(found) for name, found in by.items()},
    )  # fmt: skip
    criteria = criteria_of(rubrics if run == plan.run_id else rubrics_of(store, run))
    whole = [
        one for one in composite.composites(judges.values(), criteria)
        if run == plan.run_id or not only or {q.name for q in asked}.issuperset(one.members)
    ]  # fmt: skip
    return held.together(whole, every, looks)


def criteria_of(rubrics: Mapping[str, Rubric]) -> dict[str, list[tuple[str, str, str]]]:
    """By rubric: code, scale and severity of what it asks."""
    return {name: [(c.code, c.scale, c.severity) for c in r.criteria] for name, r in rubrics.items()}


def _looked(one: Composite, of: Mapping[str, Answered]) -> dict[str, str]:
    """By reviewer what the answers to all codes amount to, of those who answered all."""
    each: dict[str, list[str]] = {}
    for name in one.members:
        if name in of:
            for reviewer, answer in zip(of[name].reviewers, of[name].answers, strict=True):
                each.setdefault(reviewer, []).append(answer)
    return {reviewer: composite.looked(said) for reviewer, said in each.items() if len(said) == len(one.members)}


def _looked_twice(one: Composite, looks: Sequence[SecondLook]) -> tuple[tuple[str, str], ...]:
    each: dict[tuple[str, str], list[SecondLook]] = {}
    for look in looks:
        if look.name in one.members:
            each.setdefault((look.reviewer, look.conversation_id), []).append(look)
    return tuple(
        (composite.looked(x.first_answer for x in mine), composite.looked(x.second_answer for x in mine))
        for mine in each.values() if len(mine) == len(one.members)
    )  # fmt: skip


def _counts(plan: LabelPlan) -> list[Counter[str | None]]:
    """How often each verdict was given when the plan was drawn, by question: what its strata were made by."""
    found: dict[tuple[str, str], Counter[str | None]] = {(q.rubric, q.criterion): Counter() for q in plan.questions}
    for cell in plan.cells:
        found[cell.rubric, cell.criterion][cell.verdict] += cell.n_population
    return list(found.values())


def _even(store: Store, run_id: str) -> bool:
    ((low, high),) = store.rows(
        "select min(inclusion_probability), max(inclusion_probability) from run_item where run_id = ?", [run_id]
    )
    return low is None or high - low < 1e-9


def _questions(store: Store, plan: LabelPlan, run_id: str, asked: tuple[Question, ...]) -> tuple[Question, ...]:
    """The plan's questions in the versions that the run used. Raises InputError where it does not ask one."""
    if run_id == plan.run_id:
        return asked
    used = rubrics_of(store, run_id)
    found = []
    for q in asked:
        rubric = used.get(q.rubric)
        if rubric is None or q.criterion not in rubric.codes:
            raise InputError(
                f"run {run_id} does not ask {q.name}, which plan {plan.plan_id[:11]} has labels of",
                cure="name a run with this rubric, or the codes that both have (--code)",
            )
        found.append(Question(rubric.name, rubric.version, rubric.meaning_hash, q.criterion))
    return tuple(found)


def _codes(
    plan: LabelPlan, rubrics: Mapping[str, Any], seen: Iterable[Seen], labels: Mapping[tuple[str, str], Answered]
) -> list[Code]:
    """Every defect, and of choices every option that a judge or a person has named."""
    rows = list(seen)
    found = []
    for n, q in enumerate(plan.questions):
        criterion = rubrics[q.rubric].criterion(q.criterion)
        if criterion.scale != "choice":
            found.append(Code(q.rubric, q.criterion, None, criterion.title, criterion.severity))
            continue
        named = {s.answers[n] for s in rows} | {a.answer for (_, name), a in labels.items() if name == q.name}
        order = [*(criterion.options or ()), *sorted(str(x) for x in named if x is not None)]
        found += [
            Code(q.rubric, q.criterion, option, criterion.title, "")
            for option in dict.fromkeys(order) if option in named and option != Answer.CANNOT_ASSESS.value
        ]  # fmt: skip
    return found


def _slices(store: Store, timezone: str, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    sql = (files("grader.calibration") / "slices.sql").read_text(encoding="utf-8")
    return {row["conversation_id"]: row for row in store.records(sql, [timezone, list(ids)])}
