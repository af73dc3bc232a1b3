"""What may be said of codes taken together (any critical defect, any defect) under the judges of a run, or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from grader.calibration.carried import carried_to, is_whole, joint_parts, only_of
from grader.calibration.composite import ALL, Composite, composites
from grader.calibration.instrument import Instrument
from grader.calibration.kept import Kept
from grader.calibration.status import NEVER, Trust
from grader.language import N_
from grader.store import Store

Failed = tuple[str, datetime, str]  # rubric, when, and which golden set failed under its judge


def joint(
    store: Store, judges: Sequence[Instrument], criteria: Mapping[str, Sequence[tuple[str, str, str]]],
    rows: Sequence[Kept], *, failed: Sequence[Failed], run_id: str | None, run_ids: Sequence[str],
) -> dict[str, Trust]:  # fmt: skip
    """By name of the composite. `rows`: all that calibrations say over all, the latest first; `criteria`: by rubric
    (code, scale, severity). What no judge was asked any code of is not among them.
    """
    found = {}
    for one in composites(judges, criteria):
        several = [r for r in {i.rubric for i in one.instruments} if sum(i.rubric == r for i in judges) > 1]
        if several:
            was = N_("{rubrics} was judged by several judges, so that there is no one rate")
            were = N_("{rubrics} were judged by several judges, so that there is no one rate")
            told = was if len(several) == 1 else were
            found[one.name] = _not(told.format(rubrics=", ".join(sorted(several))))
            continue
        mine = [k for k in rows if k.instrument.rubric == ALL and k.criterion == one.name]
        found[one.name] = _of(store, one, mine, rows, failed, run_id, run_ids)
    return found


def _of(
    store: Store, one: Composite, mine: Sequence[Kept], rows: Sequence[Kept], failed: Sequence[Failed],
    run_id: str | None, run_ids: Sequence[str],
) -> Trust:  # fmt: skip
    same = [k for k in mine if k.instrument.identity == one.instrument.identity]
    over_all = [k for k in same if k.dimension is None]
    whole = next((k for k in over_all if not only_of(store, k, run_ids)), None)
    if whole is not None:
        trust = _own(store, one, whole, failed, run_id)
    elif over_all:
        part = only_of(store, over_all[0], run_ids)
        alone = N_("labels of {day} are of {part} alone, and the judge's errors elsewhere are not known")
        text = alone.format(day=f"{over_all[0].calibrated_at:%Y-%m-%d}", part=part)
        trust = replace(_not(text, over_all[0]), same_judge=True, only_of=part)
    else:
        trust = _unasked(one, rows, [k for k in mine if k.dimension is None])
    # What was read of those judged clean of every code, where most were read.
    read = max((k for k in same if not only_of(store, k, run_ids)), key=lambda k: k.audit.n_reviewed, default=None)
    if read is None or not read.audit.n_reviewed:
        return trust
    return replace(trust, audit=read.audit, audited_elsewhere=run_id not in (None, read.run_id))


def _own(store: Store, one: Composite, k: Kept, failed: Sequence[Failed], run_id: str | None) -> Trust:
    elsewhere = run_id is not None and not (run_id == k.run_id and is_whole(store, k))
    corrected = None
    if run_id is not None:
        corrected = carried_to(k, joint_parts(store, run_id, one)) if elsewhere else k.figures["corrected"]
    trust = Trust("not_calibrated", "", k, corrected, elsewhere, same_judge=True)
    rubrics = {i.rubric for i in one.instruments}
    since = next((told for rubric, at, told in failed if rubric in rubrics and at > k.calibrated_at), "")
    if since:
        return replace(trust, text=N_("not calibrated together: {told}, after the calibration").format(told=since))
    when = f"{k.calibrated_at:%Y-%m-%d}"
    if k.standing != "calibrated":
        plain = N_("not calibrated together ({day}): {told}")
        other = N_("not calibrated together ({day}): {told_standing}: {told}")
        why = plain if k.standing == "not_calibrated" else other
        return replace(trust, text=why.format(day=when, told_standing=k.title, told=k.sentence))
    n = len(one.members)
    codes = N_("{n} codes taken together").format(n=n) if n > 1 else N_("its one code")
    several = N_("calibrated {day} with {n} blind labels, {told_codes}, {judge}")
    single = N_("calibrated {day} with {n} blind labels, single-reviewer gold, {told_codes}, {judge}")
    text = (single if k.details.get("n_reviewers") == 1 else several).format(
        day=when, n=f"{k.n_labelled:,}", told_codes=codes, judge=k.instrument.model
    )
    return replace(trust, state="calibrated", text=text)


def _changed(one: Composite, k: Kept) -> Trust:
    """The latest calibration of other judges, or of other codes, with what is another now."""
    then = {i.rubric: i for i in k.instruments}
    now = {i.rubric: i for i in one.instruments}
    what = [
        f"{rubric}: {'; '.join(now[rubric].changed_from(then[rubric]))}"
        for rubric in now if rubric in then and now[rubric].identity != then[rubric].identity
    ]  # fmt: skip
    what += [N_("{rubric} is judged too").format(rubric=rubric) for rubric in now if rubric not in then]
    what += [N_("{rubric} is not judged").format(rubric=rubric) for rubric in then if rubric not in now]
    told = ", ".join(what or [N_("other codes are taken together")])
    since = N_("not calibrated together: {told_what} since the calibration of {day}")
    return Trust("changed", since.format(told_what=told, day=f"{k.calibrated_at:%Y-%m-%d}"), k)


def _unasked(one: Composite, rows: Sequence[Kept], mine: Sequence[Kept]) -> Trust:
    """Why these judges have none: labels do not ask all of its codes; others were calibrated (`mine`); or none was."""
    identities = {i.identity for i in one.instruments}
    asked: dict[str, set[str]] = {}  # by plan
    for k in rows:
        if k.dimension is None and k.instrument.identity in identities:
            asked.setdefault(k.plan_id, set()).add(k.question)
    plan = max(asked, key=lambda p: len(asked[p].intersection(one.members)), default=None)
    lacks = one.lacks(asked[plan]) if plan is not None else ""
    if mine and not lacks:
        return _changed(one, mine[0])
    if plan is None:
        return Trust("never", NEVER)
    labels = N_("the labels of plan {plan} {told_lacks}")
    return _not(labels.format(
        plan=plan[:11], told_lacks=lacks or N_("ask all of its codes: grader calibrate takes them together")
    ))  # fmt: skip


def _not(why: str, kept: Kept | None = None) -> Trust:
    return Trust("not_calibrated", N_("not calibrated together: {told}").format(told=why), kept)
