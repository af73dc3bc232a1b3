"""What may be said of a figure's judge wherever the figure is shown: calibrated when and with what, or not, and why.

A calibration is of one instrument. Where another one judged, it says nothing until the golden set has passed under the
new one and a hundred fresh labels are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Literal

from grader.calibration import instrument as instruments
from grader.calibration.calibrate import AUDITED
from grader.calibration.carried import carried
from grader.calibration.instrument import Instrument
from grader.calibration.kept import Kept, kept
from grader.statistics.figure import Audit, Figure
from grader.store import Store

State = Literal["calibrated", "not_calibrated", "changed", "never"]
Key = tuple[str, str, str | None]  # rubric, criterion, option
FRESH_LABELS = 100
NEVER = "not calibrated: nobody labelled what this judge said"


@dataclass(frozen=True, slots=True)
class Golden:
    """The latest check of a golden set under an instrument."""

    name: str
    outcome: str
    sentence: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Trust:
    """Of one code under one instrument. `corrected`: the rate of the run that is shown, where it can be told;
    `carried`: from labels of an earlier frame, the judge's errors taken to be as they were.
    """

    state: State
    text: str
    kept: Kept | None = None
    corrected: Figure | None = None
    carried: bool = False
    audit: Audit | None = None  # what the blind review of clean ones could exclude; None: nobody reviewed any

    @property
    def calibrated(self) -> bool:
        """The corrected rate is to be believed."""
        return self.state == "calibrated"

    @property
    def flips(self) -> Figure | None:
        """How often two runs of a conversation differ."""
        return self.kept.figures.get("flips") if self.kept is not None else None


@dataclass(frozen=True)
class Trusted:
    """What is known of the judges of a run, or of several runs, by code."""

    instruments: Mapping[str, Instrument]
    codes: Mapping[Key, Trust]
    golden: Mapping[str, Golden | None]  # by rubric

    def of(self, rubric: str, criterion: str, option: str | None = None) -> Trust:
        """Of one code; one that no calibration names was never calibrated."""
        return self.codes.get((rubric, criterion, option)) or Trust("never", NEVER)

    def lines(self) -> tuple[str, ...]:
        """A sentence for each rubric: how many of its codes are calibrated, when and with what, or why none is."""
        return tuple(self._line(rubric) for rubric in sorted(self.instruments))

    def _line(self, rubric: str) -> str:
        name = self.instruments[rubric].name
        mine = [t for (r, _, _), t in self.codes.items() if r == rubric and t.kept is not None]
        if not mine:
            return f"{name}: {NEVER}"
        if changed := next((t for t in mine if t.state == "changed"), None):
            return f"{name}: {changed.text}"
        told = [t.kept for t in mine if t.kept is not None]
        when, n = max(k.calibrated_at for k in told), max(k.n_labelled for k in told)
        questions = {k.criterion for k in told}
        good = {t.kept.criterion for t in mine if t.calibrated and t.kept is not None}
        if not good:
            return (
                f"{name}: not calibrated; {n:,} labels of {when:%Y-%m-%d} do not do for any of {len(questions)} codes"
            )
        return f"{name}: {len(good)} of {len(questions)} codes calibrated {when:%Y-%m-%d} with {n:,} blind labels"


def of_run(store: Store, run_id: str) -> Trusted:
    """What is known of the judges behind a run, with the corrected rates of that run."""
    return _trusted(store, instruments.of_run(store, run_id), run_id)


def of_runs(store: Store, run_ids: Sequence[str]) -> Trusted:
    """The same of several runs, without rates: of each rubric, of what judged the last of them that has it."""
    found: dict[str, Instrument] = {}
    for run_id in run_ids:
        found |= instruments.of_run(store, run_id)
    return _trusted(store, found, None)


def _trusted(store: Store, found: Mapping[str, Instrument], run_id: str | None) -> Trusted:
    every: dict[str, list[Kept]] = {}
    audits: dict[tuple[tuple[str, ...], Key], Audit] = {}
    for k in kept(store):
        if k.dimension is None:
            every.setdefault(k.instrument.rubric, []).append(k)
        if k.dimension in (None, AUDITED[0]):
            of = k.instrument.identity, (k.instrument.rubric, k.criterion, k.option)
            if k.audit.n_reviewed > (audits[of].n_reviewed if of in audits else 0):
                audits[of] = k.audit
    golden = {rubric: checked(store, one) for rubric, one in found.items()}
    codes: dict[Key, Trust] = {}
    for rubric, one in found.items():
        fresh: int | None = None
        for k in every.get(rubric, []):
            key = rubric, k.criterion, k.option
            if k.instrument.identity == one.identity:
                if key not in codes or codes[key].state == "changed":
                    codes[key] = _own(store, k, golden[rubric], run_id)
            elif key not in codes:
                fresh = fresh_labels(store, one) if fresh is None else fresh
                codes[key] = _changed(k, one, golden[rubric], fresh)
        for (identity, key), audit in audits.items():
            if identity == one.identity:
                codes[key] = replace(codes.get(key) or Trust("never", NEVER), audit=audit)
    return Trusted(found, codes, golden)


def _own(store: Store, k: Kept, golden: Golden | None, run_id: str | None) -> Trust:
    when = f"{k.calibrated_at:%Y-%m-%d}"
    corrected = carried(store, k, run_id) if run_id is not None else None
    elsewhere = run_id is not None and run_id != k.run_id
    if golden is not None and golden.outcome == "failed" and golden.checked_at > k.calibrated_at:
        text = f"not calibrated: golden set {golden.name} failed {golden.checked_at:%Y-%m-%d}, after the calibration"
        return Trust("not_calibrated", text, k, corrected, elsewhere)
    if k.standing == "calibrated":
        single = ", single-reviewer gold" if k.details.get("n_reviewers") == 1 else ""
        text = f"calibrated {when} with {k.n_labelled:,} blind labels{single}, {k.instrument.name}"
        return Trust("calibrated", text, k, corrected, elsewhere)
    why = "" if k.standing == "not_calibrated" else f"{k.title}: "
    return Trust("not_calibrated", f"not calibrated ({when}): {why}{k.sentence}", k, corrected, elsewhere)


def _changed(k: Kept, now: Instrument, golden: Golden | None, n_fresh: int) -> Trust:
    when = f"{k.calibrated_at:%Y-%m-%d}"
    what = "; ".join(now.changed_from(k.instrument))
    if golden is None:
        then = "no golden set was judged since"
    elif golden.outcome != "passed":
        then = f"golden set {golden.name}: {golden.outcome} {golden.checked_at:%Y-%m-%d}"
    elif n_fresh < FRESH_LABELS:
        then = f"golden set {golden.name} passed {golden.checked_at:%Y-%m-%d}, {n_fresh} of {FRESH_LABELS} fresh labels"
    else:
        text = (
            f"calibrated {when} before a change ({what}); golden set {golden.name} passed "
            f"{golden.checked_at:%Y-%m-%d}, {n_fresh:,} fresh labels: calibrate them"
        )
        return Trust("calibrated" if k.standing == "calibrated" else "not_calibrated", text, k)
    return Trust("changed", f"not calibrated: {what} since the calibration of {when}; {then}", k)


def checked(store: Store, one: Instrument) -> Golden | None:
    """What the golden sets of this rubric say of this instrument: the latest check of each, a failed one first."""
    sql = (files("grader.calibration") / "checked.sql").read_text(encoding="utf-8")
    rows = store.rows(sql, [one.rubric, *one.identity[:4], one.rubric_hash, one.together])
    if not rows:
        return None
    name, outcome, sentence, at = rows[0]
    return Golden(name, outcome, sentence, at.replace(tzinfo=UTC))


def fresh_labels(store: Store, one: Instrument) -> int:
    """Conversations that were labelled blind in plans drawn from runs by this instrument."""
    rows = store.rows(
        "select p.run_id, count(distinct l.conversation_id) from label_record l join label_plan p using (plan_id) "
        "where l.rubric = ? group by p.run_id",
        [one.rubric],
    )
    total = 0
    for run_id, n in rows:
        mine = instruments.of_run(store, run_id).get(one.rubric)
        total += n if mine is not None and mine.identity == one.identity else 0
    return total
