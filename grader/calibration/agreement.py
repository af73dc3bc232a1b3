"""Precision and recall of a run's verdicts against one reviewer's labels, per criterion, as counts.

precision = true / flagged, recall = true / positive, where flagged is present with verified proof. Labels on chosen
conversations (a sample made to hold every code) give these figures for that sample, not a rate for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from grader.store import Store


@dataclass(frozen=True, slots=True)
class CodeAgreement:
    """One criterion: `n_labels` labels, of which the judge could not assess or has not judged some."""

    rubric: str
    code: str
    title: str
    severity: str
    scale: str
    n_labels: int
    n_missing: int
    n_cannot_assess: int
    n_positive: int
    n_flagged: int
    n_true: int
    n_near_misses_flagged: int
    n_near_misses: int
    n_positive_not_assessed: int
    n_equal: int

    @property
    def decided(self) -> bool:
        """The judge answered at all for at least one labelled conversation."""
        return self.n_labels - self.n_missing - self.n_cannot_assess > 0

    @property
    def precision(self) -> float | None:
        """Of what was flagged, the share that the label calls present; None when nothing was flagged."""
        return self.n_true / self.n_flagged if self.n_flagged else None

    @property
    def recall(self) -> float | None:
        """Of what the label calls present, the share that was flagged (not assessed counts as missed)."""
        return self.n_true / self.n_positive if self.n_positive and self.decided else None

    @property
    def agreement(self) -> float | None:
        """Of what was answered, the share with the label's very answer; for choices."""
        answered = self.n_labels - self.n_missing - self.n_cannot_assess
        return self.n_equal / answered if answered else None


def against_labels(store: Store, run_id: str, reviewer: str) -> list[CodeAgreement]:
    """A run held against the labels of one reviewer, in the order of rubrics and criteria."""
    sql = (files("grader.calibration") / "agreement.sql").read_text(encoding="utf-8")
    return [CodeAgreement(**row) for row in store.records(sql, {"run_id": run_id, "reviewer": reviewer})]
