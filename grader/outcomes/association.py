"""Which findings go with a return or a bad rating: a ratio of risks per code, pooled over the contact reason.

An association, never a cause. Without pooling a reason that has many findings and many returns anyway would look like
one. Counts come from `sql/association.sql`; the estimators are those of `grader.statistics`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from grader.errors import InputError
from grader.outcomes.figures import find_run, query
from grader.outcomes.reader import Reader
from grader.statistics.association import (
    Difference,
    Pooled,
    Ratio,
    Table,
    benjamini_hochberg,
    mantel_haenszel,
    relative_risk,
    risk_difference,
)

OUTCOMES = ("recontact", "same_issue", "low_csat")
FEWEST_EVENTS = 10  # of the outcome among the flagged; with fewer, nothing is said


@dataclass(frozen=True, slots=True)
class Association:
    """One code and one outcome. `p_adjusted`: among all codes that are told about (Benjamini & Hochberg)."""

    rubric: str
    code: str
    title: str
    severity: str
    table: Table
    n_not_known: int
    n_handed_over: int
    crude: Ratio | None
    difference: Difference | None
    pooled: Pooled | None
    p_adjusted: float | None

    @property
    def enough(self) -> bool:
        """There are events enough to say something."""
        return self.table.cases >= FEWEST_EVENTS and self.pooled is not None

    @property
    def attributable(self) -> float | None:
        """Of the outcomes among the flagged, how many more there were than at the rate of the clean ones."""
        return None if self.difference is None else self.difference.point * self.table.n


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
    rows = reader.records(query("association", "returns"), [run_id, window_hours, outcome])
    found = [_association(list(part)) for _, part in groupby(rows, key=lambda row: (row["rubric"], row["code"]))]
    told = [a for a in found if a.enough]
    adjusted = benjamini_hochberg(
        [1.0 if a.pooled is None or a.pooled.p_none is None else a.pooled.p_none for a in told]
    )
    by_code = {(a.rubric, a.code): p for a, p in zip(told, adjusted, strict=True)}
    ranked = [_with(a, by_code.get((a.rubric, a.code))) for a in found]
    return sorted(ranked, key=lambda a: (not a.enough, -(a.pooled.ratio.point if a.pooled else 0.0), a.rubric, a.code))


def _association(rows: list[dict[str, Any]]) -> Association:
    tables = [Table(row["cases"], row["n"], row["control_cases"], row["n_control"]) for row in rows]
    total = _sum(tables)
    first = rows[0]
    return Association(
        first["rubric"], first["code"], first["title"], first["severity"], total,
        sum(row["n_not_known"] for row in rows), sum(row["n_handed_over"] for row in rows), relative_risk(total),
        risk_difference(total), mantel_haenszel(tables), None,
    )  # fmt: skip


def _sum(tables: Iterable[Table]) -> Table:
    parts = [(t.cases, t.n, t.control_cases, t.n_control) for t in tables]
    return Table(*(sum(column) for column in zip(*parts, strict=True)))


def _with(a: Association, p: float | None) -> Association:
    return Association(
        a.rubric, a.code, a.title, a.severity, a.table, a.n_not_known, a.n_handed_over, a.crude, a.difference,
        a.pooled, p,
    )  # fmt: skip
