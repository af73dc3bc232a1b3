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
            found[one.name] = _not(f"{_both(several)} judged by several judges, so that there is no one rate")
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
        text = (
            f"labels of {over_all[0].calibrated_at:%Y-%m-%d} are of {part} alone, and the judge's errors elsewhere are "
            "not known"
        )
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
        return replace(trust, text=f"not calibrated together: {since}, after the calibration")
    when = f"{k.calibrated_at:%Y-%m-%d}"
    if k.standing != "calibrated":
        why = "" if k.standing == "not_calibrated" else f"{k.title}: "
        return replace(trust, text=f"not calibrated together ({when}): {why}{k.sentence}")
    single = ", single-reviewer gold" if k.details.get("n_reviewers") == 1 else ""
    n = len(one.members)
    codes = f"{n} codes taken together" if n > 1 else "its one code"
    text = f"calibrated {when} with {k.n_labelled:,} blind labels{single}, {codes}, {k.instrument.model}"
    return replace(trust, state="calibrated", text=text)


def _changed(one: Composite, k: Kept) -> Trust:
    """The latest calibration of other judges, or of other codes, with what is another now."""
    then = {i.rubric: i for i in k.instruments}
    now = {i.rubric: i for i in one.instruments}
    what = [
        f"{rubric}: {'; '.join(now[rubric].changed_from(then[rubric]))}"
        for rubric in now if rubric in then and now[rubric].identity != then[rubric].identity
    ]  # fmt: skip
    what += [f"{rubric} is judged too" for rubric in now if rubric not in then]
    what += [f"{rubric} is not judged" for rubric in then if rubric not in now]
    told = ", ".join(what or ["other codes are taken together"])
    return Trust("changed", f"not calibrated together: {told} since the calibration of {k.calibrated_at:%Y-%m-%d}", k)


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
    return _not(
        f"the labels of plan {plan[:11]} {lacks or 'ask all of its codes: grader calibrate takes them together'}"
    )


def _not(why: str, kept: Kept | None = None) -> Trust:
    return Trust("not_calibrated", f"not calibrated together: {why}", kept)


def _both(rubrics: Sequence[str]) -> str:
    return f"{', '.join(sorted(rubrics))} {'was' if len(rubrics) == 1 else 'were'}"
