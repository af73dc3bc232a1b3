"""Which findings go with a return or a bad rating: a ratio of risks per code, pooled over the contact reason.

An association, never a cause. Without pooling a reason that has many findings and many returns anyway would look like
one. Where the run's conversations were drawn with unequal chances, all of it is weighted: a sample that holds more of
those who came back would show other ratios than there are. Counts come from `sql/association.sql`; the estimators are
those of `grader.statistics`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import hypot
from typing import Any

from grader.errors import InputError
from grader.outcomes.figures import find_run, query
from grader.outcomes.reader import Reader
from grader.outcomes.share import Share
from grader.outcomes.weighting import Layer, Part, rate
from grader.statistics.association import (
    Difference,
    JudgeError,
    Pooled,
    Ratio,
    Table,
    benjamini_hochberg,
    corrected_pooled,
    mantel_haenszel,
    relative_risk,
    risk_difference,
)
from grader.statistics.figure import Figure
from grader.statistics.weighted_ratio import Tables, weighted_ratio

OUTCOMES = ("recontact", "same_issue", "low_csat")
SEED = 20_260_101  # of the draws of the correction: the same data give the same figures
FEWEST_EVENTS = 10  # of the outcome among the flagged; with fewer, nothing is said


@dataclass(frozen=True, slots=True)
class Association:
    """One code and one outcome. `table` is what was counted; `risk` and `control_risk`, the ratios and the difference
    are weighted where the run's sample is. `n_flagged`: those with the finding whose outcome is known, weighted too.
    `p_adjusted`: among all codes that are told about (Benjamini & Hochberg).
    """

    rubric: str
    code: str
    title: str
    severity: str
    table: Table
    n_not_known: int
    n_handed_over: int
    risk: Figure
    control_risk: Figure
    n_flagged: float
    crude: Ratio | None
    difference: Difference | None
    pooled: Pooled | None
    p_adjusted: float | None
    error: JudgeError | None = None  # what blind labels say of the judge; None: there are none
    corrected: Ratio | None = None  # the pooled ratio, corrected for it

    @property
    def enough(self) -> bool:
        """There are events enough to say something."""
        return self.table.cases >= FEWEST_EVENTS and self.pooled is not None

    @property
    def attributable(self) -> float | None:
        """Of the outcomes among the flagged, how many more there were than at the rate of the clean ones."""
        return None if self.difference is None else self.difference.point * self.n_flagged


def associations(
    reader: Reader, run_id: str | None = None, *, outcome: str = "recontact", window_hours: int = 168
) -> list[Association]:
    """Every defect code of a run, those that go most with the outcome first, those of which too little is known last.

    Only conversations that no human took over; windows that are over. Raises InputError for an unknown outcome, and as
    `find_run` does.
    """
    if outcome not in OUTCOMES:
        raise InputError(f"there is no outcome {outcome!r}", field="--outcome", cure=f"one of {', '.join(OUTCOMES)}")
    run_id = find_run(reader, run_id)
    layers = [Layer(**row) for row in reader.records(query("layer"), [run_id])]
    rows = reader.records(query("association", "returns"), [run_id, window_hours, outcome])
    found = [
        _association(list(part), layers) for _, part in groupby(rows, key=lambda row: (row["rubric"], row["code"]))
    ]
    told = [a for a in found if a.enough]
    adjusted = benjamini_hochberg(
        [1.0 if a.pooled is None or a.pooled.p_none is None else a.pooled.p_none for a in told]
    )
    by_code = {(a.rubric, a.code): p for a, p in zip(told, adjusted, strict=True)}
    errors = {} if layers else _errors(reader, run_id)  # a weighted sample says nothing plain of the judge
    ranked = [
        replace(_corrected(a, errors.get((a.rubric, a.code))), p_adjusted=by_code.get((a.rubric, a.code)))
        for a in found
    ]
    return sorted(ranked, key=lambda a: (not a.enough, -(a.pooled.ratio.point if a.pooled else 0.0), a.rubric, a.code))


def labelled_by(reader: Reader, run_id: str) -> tuple[str, ...]:
    """Whose blind labels the judge's errors are told by."""
    rows = reader.rows(
        "select distinct l.reviewer from label l join run_item i using (conversation_id, rubric) "
        "where i.run_id = ? and l.verdict_visible = false order by all",
        [run_id],
    )
    return tuple(reviewer for (reviewer,) in rows)


def _errors(reader: Reader, run_id: str) -> dict[tuple[str, str], JudgeError]:
    rows = reader.records(query("judge_error"), [run_id])
    return {
        (row["rubric"], row["code"]): JudgeError(row["true_flagged"], row["flagged"], row["true_clean"], row["clean"])
        for row in rows
    }  # fmt: skip


def _corrected(a: Association, error: JudgeError | None) -> Association:
    if error is None or a.pooled is None or not a.enough:
        return replace(a, error=error)
    return replace(a, error=error, corrected=corrected_pooled(a.pooled.ratio, error, seed=SEED))


@dataclass(frozen=True, slots=True)
class _Counted:
    """A table with what it is in each layer of the sample."""

    table: Table
    parts: tuple[Part[_Counted], ...] = ()


def _association(rows: list[dict[str, Any]], layers: Sequence[Layer]) -> Association:
    by_layer = {layer.number: _by_reason(row for row in rows if row["layer"] == layer.number) for layer in layers}
    total = _sum(_table(row) for row in rows)
    parts = tuple(Part(layer, _Counted(_sum(by_layer[layer.number].values()))) for layer in layers)
    counted = _Counted(total, parts)
    risk = rate(counted, lambda c: Share(c.table.cases, c.table.n))
    control_risk = rate(counted, lambda c: Share(c.table.control_cases, c.table.n_control))
    if layers:
        strata = [Tables(layer.n_population, layer.n_drawn, by_layer[layer.number]) for layer in layers]
        whole = [Tables(s.n_population, s.n_drawn, {None: _sum(s.tables.values())}) for s in strata]
        n_flagged = sum(s.n_population / s.n_drawn * t.n for s in strata for t in s.tables.values())
        pooled, one = weighted_ratio(strata), weighted_ratio(whole)
        crude, difference = None if one is None else one.ratio, _difference(risk, control_risk)
    else:
        n_flagged, pooled = float(total.n), mantel_haenszel(list(_by_reason(rows).values()))
        crude, difference = relative_risk(total), risk_difference(total)
    first = rows[0]
    return Association(
        first["rubric"], first["code"], first["title"], first["severity"], total,
        sum(row["n_not_known"] for row in rows), sum(row["n_handed_over"] for row in rows), risk, control_risk,
        n_flagged, crude, difference, pooled, None,
    )  # fmt: skip


def _difference(risk: Figure, control: Figure) -> Difference | None:
    """Of two weighted rates, by MOVER from their own intervals, as Newcombe's is from Wilson's."""
    if risk.point is None or risk.low is None or risk.high is None:
        return None
    if control.point is None or control.low is None or control.high is None:
        return None
    point = risk.point - control.point
    below = hypot(risk.point - risk.low, control.high - control.point)
    above = hypot(risk.high - risk.point, control.point - control.low)
    return Difference(point, max(-1.0, point - below), min(1.0, point + above))


def _by_reason(rows: Iterable[dict[str, Any]]) -> dict[Hashable, Table]:
    return {row["reason"]: _table(row) for row in rows}


def _table(row: dict[str, Any]) -> Table:
    return Table(row["cases"], row["n"], row["control_cases"], row["n_control"])


def _sum(tables: Iterable[Table]) -> Table:
    parts = [(t.cases, t.n, t.control_cases, t.n_control) for t in tables]
    return Table(*(sum(column) for column in zip(*parts, strict=True))) if parts else Table(0, 0, 0, 0)
