"""The rate of a later run by the same instrument, from its verdicts and the labels of an earlier frame."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from importlib.resources import files

from grader.calibration.composite import ALL, Composite, composites, verdict
from grader.calibration.held import JUDGED_AT_LEAST, Code, criteria_of
from grader.calibration.instrument import Instrument, of_run
from grader.calibration.kept import Kept
from grader.labelling.frame import frame, rubrics_of
from grader.labelling.plan import Question
from grader.language import N_
from grader.statistics.corrected import CARRIED, carried_over
from grader.statistics.figure import Figure, undefined
from grader.statistics.frame import Part, Stratum
from grader.store import Store

NOT_APPLICABLE = N_("Some are not applicable, and how many the judge called so is not counted here.")
OTHER_CODES = N_("other codes are taken together there")
PERIOD = ("since", "until")  # what selects by time
Said = Mapping[tuple[str, str], Mapping[str | None, int]]  # (rubric, criterion): how often each answer


def carried(store: Store, one: Kept, run_id: str, *, draws: int = 20_000) -> Figure:
    """The corrected rate of a run, sensitivity and specificity taken to be as they were when `one` was calibrated.

    Undefined with the reason where another instrument judged the run, where the labels do not tell the judge's errors,
    or where it does not tell the two kinds apart. A rate of the calibrated run itself is no estimate of a later frame:
    it is the corrected one, if its plan was drawn from all of it.
    """
    if part := only_of(store, one, [run_id]):
        alone = N_("Labels are of {part} alone: the judge's errors elsewhere are not known.")
        return undefined(alone.format(part=part), CARRIED)
    if run_id == one.run_id and is_whole(store, one):
        return one.figures["corrected"]
    judges = of_run(store, run_id)
    for then in one.instruments:
        mine = judges.get(then.rubric)
        if mine is None:
            none = N_("Run {run} has no verdict by rubric {rubric}.")
            return undefined(none.format(run=run_id, rubric=then.rubric), CARRIED)
        if mine.identity != then.identity:
            what = "; ".join(mine.changed_from(then))
            other = N_("Another judge: {told_what}. Its errors are not known: calibrate it.")
            return undefined(other.format(told_what=what), CARRIED)
    if one.members:
        later = composite_of(store, run_id, one, judges.values())
        if later is None:
            return undefined(N_("Run {run}: {told_why}.").format(run=run_id, told_why=OTHER_CODES), CARRIED)
        return carried_to(one, joint_parts(store, run_id, later), draws=draws)
    return carried_to(one, later_parts(one, said(store, run_id)), draws=draws)


def carried_to(one: Kept, later: tuple[Part, ...], *, draws: int = 20_000) -> Figure:
    """The same for verdicts of the same instrument that are at hand."""
    effect = float(one.details["design_effect"])
    return carried_over(one.parts, later, seed=one.seed, draws=draws, design_effect=effect)


def only_of(store: Store, one: Kept, run_ids: Collection[str]) -> str:
    """The plan's selection (`queue:refunds`) where these runs also judged what is outside of it, so that what labels
    say of errors is not of all that is shown; '' else. A period is none: errors are taken to be as they were.
    """
    chosen = [(name, value) for name, value in _selection(store, one) if name not in PERIOD]
    if not chosen:
        return ""
    ((n, inside),) = store.rows(
        "select count(*), count(*) filter (where conversation_id in (select unnest($1))) from ("
        "select distinct conversation_id from run_item join conversation using (conversation_id) "
        "where run_id in (select unnest($2)) and rubric in (select unnest($3)))",
        [store.population(chosen), list(run_ids), list(one.rubrics)],
    )
    return "" if inside >= JUDGED_AT_LEAST * n else ", ".join(f"{name}:{value}" for name, value in chosen)


def is_whole(store: Store, one: Kept) -> bool:
    """The calibrated frame is all that its run judged, and not a part that the plan selected."""
    if not _selection(store, one):
        return True
    ((n,),) = store.rows(
        "select count(distinct conversation_id) from run_item join conversation using (conversation_id) "
        "where run_id = ? and rubric in (select unnest(?))",
        [one.run_id, list(one.rubrics)],
    )
    return one.n_population >= JUDGED_AT_LEAST * int(n)


def _selection(store: Store, one: Kept) -> list[tuple[str, str]]:
    found = store.rows("select selection from label_plan where plan_id = ?", [one.plan_id])
    return [(name, value) for name, value in json.loads(found[0][0])] if found else []


def counted(one: Kept, n: int, of: int) -> Figure:
    """The corrected rate of any conversations that the same instrument judged: `n` flagged of `of` that it answered. Of
    all that was calibrated it is the corrected rate itself. Undefined where some are not applicable, since how many the
    judge called so is not in these counts.
    """
    raw = one.figures["raw"]
    if (raw.n, raw.of) == (n, of):
        return one.figures["corrected"]
    if any(p.verdict == "not_applicable" or p.n_not_applicable for p in one.parts):
        return undefined(NOT_APPLICABLE, CARRIED)
    return carried_to(one, (Part("clean", of - n, 0, 0, 0, ""), Part("fires", n, 0, 0, 0, "")))


def said(store: Store, run_id: str) -> Said:
    """What a run said of every criterion of its rubrics. None: nothing, of so many conversations."""
    sql = (files("grader.calibration") / "said.sql").read_text(encoding="utf-8")
    of: dict[str, int] = {}
    found: dict[tuple[str, str], dict[str | None, int]] = {}
    for rubric, criterion, answer, n in store.rows(sql, [run_id]):
        if criterion is None:
            of[rubric] = n
        else:
            found.setdefault((rubric, criterion), {})[answer] = n
    for (rubric, _), answers in found.items():
        answers[None] = of[rubric] - sum(answers.values())
    return found


def composite_of(store: Store, run_id: str, one: Kept, judges: Iterable[Instrument]) -> Composite | None:
    """What `one` takes together, as this run's judges have it; None where they are others, or the codes are."""
    found = composites(judges, criteria_of(rubrics_of(store, run_id)))
    identity = one.instrument.identity
    return next((c for c in found if c.name == one.criterion and c.instrument.identity == identity), None)


def joint_parts(store: Store, run_id: str, one: Composite) -> tuple[Part, ...]:
    """A run's conversations by verdict on codes taken together, without labels."""
    version = {i.rubric: i for i in one.instruments}
    asked = []
    for name in one.members:
        rubric, _, criterion = name.partition(".")
        asked.append(Question(rubric, version[rubric].rubric_version, version[rubric].rubric_hash, criterion))
    code = Code(ALL, one.name, None, one.title, "")
    found = Counter(code.verdict(verdict(m.verdicts)) for m in frame(store, run_id, asked))
    return tuple(Part(said, n, 0, 0, 0, why) for (said, why), n in sorted(found.items()))


def later_parts(one: Kept, told: Said) -> tuple[Part, ...]:
    """A run's conversations by verdict on this code, without labels."""
    code = Code(one.instrument.rubric, one.criterion, one.option, "", "")
    found: Counter[Stratum] = Counter()
    for answer, n in told.get((code.rubric, code.criterion), {}).items():
        if n:
            found[code.verdict(answer)] += n
    return tuple(Part(verdict, n, 0, 0, 0, why) for (verdict, why), n in sorted(found.items()))
