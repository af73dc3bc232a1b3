"""What the figures of a code amount to: calibrated, not calibrated, insufficient, or a rubric that people read apart.

Each with one sentence that says why and what to do next. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from grader.statistics.accuracy import FEWEST_POSITIVE, Calibration
from grader.statistics.agreement import Reviewers
from grader.statistics.frame import Part, Verdict, shortage

Standing = Literal["calibrated", "not_calibrated", "insufficient", "unreliable"]
TITLES: dict[Standing, str] = {
    "calibrated": "calibrated", "not_calibrated": "not calibrated", "insufficient": "insufficient",
    "unreliable": "unreliable rubric",
}  # fmt: skip
LEAST_ALPHA = 0.667  # K. Krippendorff (2004), Content Analysis, 2nd ed., 241: below, nothing is to be concluded
FEWEST_LABELS = 200
FEWEST_OF_A_VERDICT = 30
FEWEST_OVERLAP = 50
MOST_SKIPPED = 0.1
SINGLE = "single-reviewer gold"
_SAID: dict[Verdict, str] = {
    "fires": "judge-positives", "clean": "judge-negatives", "not_applicable": "conversations judged not applicable",
    "missing": "conversations without a verdict",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stands:
    """The standing of a code with its sentence."""

    standing: Standing
    sentence: str

    @property
    def title(self) -> str:
        """In words."""
        return TITLES[self.standing]


def stands(
    found: Calibration, reviewers: Reviewers, parts: Sequence[Part], *, n_open: int = 0, n_skipped: int = 0,
    of: str = "",
) -> Stands:  # fmt: skip
    """The standing by the labels of one code; `of` names the slice (` of queue refunds`).

    In this order: people do not agree (alpha below .667 on 50 conversations, or its whole interval below); too few
    labels for anything (`statistics.frame.shortage`); disagreements that nobody decided; too few human-positives (15);
    a judge not clearly better than chance; fewer than 200 labels, or fewer than 30 of what it flagged or called clean.
    """
    if said := unreliable(reviewers):
        return Stands("unreliable", said)
    if not found.n_labelled:
        return Stands("insufficient", f"No label{of}: plan and label {FEWEST_LABELS} conversations.")
    if not found.raw.of:
        return Stands("not_calibrated", f"The judge answers none of it{of} with yes or no: people's labels alone tell.")
    if short := shortage(parts):
        return Stands("insufficient", _where(" ".join(short), of))
    if n_open:
        few = "disagreement is" if n_open == 1 else "disagreements are"
        return Stands("not_calibrated", f"{n_open} {few} open{of}: let a third decide (grader label adjudicate).")
    n_positive = found.accuracy.sensitivity.of
    if n_positive < FEWEST_POSITIVE:
        return Stands("not_calibrated", _more_positives(found, parts, n_positive, of))
    youden = found.accuracy.youden
    if youden.low is None or youden.low <= 0:
        return Stands(
            "not_calibrated",
            f"The judge is not clearly better than chance{of}: mend the rubric, or take another judge.",
        )
    if missing := _fewer(parts, of):
        return Stands("not_calibrated", missing)
    if n_skipped > MOST_SKIPPED * (found.n_labelled + n_skipped):
        return Stands(
            "not_calibrated",
            f"Reviewers could not assess {n_skipped} of {found.n_labelled + n_skipped}{of}: say in the rubric what to "
            "answer there, or leave such conversations out.",
        )
    by = "two reviewers or more" if reviewers.n_reviewers > 1 else f"one reviewer ({SINGLE}: nobody knows the ceiling)"
    extra = ""
    if reviewers.n_reviewers > 1 and reviewers.n_overlap < FEWEST_OVERLAP:
        extra = f" Only {reviewers.n_overlap} of the {FEWEST_OVERLAP} overlapping labels that alpha wants."
    return Stands("calibrated", f"Read the corrected rate{of}: {found.n_labelled} labels by {by}.{extra}")


def unreliable(r: Reviewers) -> str:
    """Why nothing can be decided of a code, since people do not agree about it; '' where they do, or nobody knows."""
    alpha = r.alpha
    if alpha.point is None or alpha.point >= LEAST_ALPHA:
        return ""
    if r.n_overlap < FEWEST_OVERLAP and (alpha.high is None or alpha.high >= LEAST_ALPHA):
        return ""
    return (
        f"Reviewers do not agree (alpha {alpha.point:.2f} on {r.n_overlap} conversations, {LEAST_ALPHA} is the least): "
        "mend the wording of the criterion and label anew; no judge can be better than this."
    )


def partly_read(found: Stands, n_in_part: int, n_labelled: int, *, of: str = "") -> Stands:
    """The standing of codes taken together: nothing found where a code could not be assessed counts as clean, and of
    more than a tenth of the labels that would hide too much.
    """
    if found.standing != "calibrated" or not n_in_part:
        return found
    told = f"In {n_in_part} of {n_labelled} labels{of} nothing was found and a code could not be assessed"
    if n_in_part > MOST_SKIPPED * n_labelled:
        return Stands("not_calibrated", f"{told}: say in the rubric what to answer there.")
    return Stands("calibrated", f"{found.sentence} {told}: the rate may be higher by what these hide.")


def _where(sentence: str, of: str) -> str:
    return f"{of.strip().removeprefix('of ').capitalize()}: {sentence}" if of else sentence


def _more_positives(found: Calibration, parts: Sequence[Part], n_positive: int, of: str) -> str:
    """Where the missing human-positives are to be had: among flags, as many as their precision asks for."""
    wanted = FEWEST_POSITIVE - n_positive
    left = {v: sum(p.n_assessable - p.n_labelled for p in parts if p.verdict == v) for v in ("fires", "clean")}
    value = found.accuracy.positive_value
    # Before any flag was found right, as Jeffreys' interval has it: one half among one more.
    needed = ceil(wanted / (value.point or 0.5 / (value.of + 1)))
    have = (
        f"{n_positive} human-positive {'label' if n_positive == 1 else 'labels'}{of}, {FEWEST_POSITIVE} are the least"
    )
    if left["fires"] >= needed:
        return f"{have}: label {needed} more judge-positives{of}."
    if left["fires"]:
        these = "one judge-positive that is" if left["fires"] == 1 else f"{left['fires']} judge-positives that are"
        return f"{have}: label the {these} left, and more judge-negatives{of}."
    rate = found.accuracy.negative_value.point
    missed = 1 - rate if rate is not None else 0.0
    if missed > 0 and left["clean"] * missed >= wanted:
        return f"{have}: label {ceil(wanted / missed)} more judge-negatives{of}."
    return f"{have}: this frame holds too few; grade more conversations, then label their judge-positives."


def _fewer(parts: Sequence[Part], of: str) -> str:
    """Which verdict has too few labels, or that there are too few in all."""
    for verdict in ("clean", "fires"):
        mine = [p for p in parts if p.verdict == verdict]
        n, size = sum(p.n_labelled for p in mine), sum(p.n_assessable for p in mine)
        wanted = min(FEWEST_OF_A_VERDICT, size)
        if n < wanted:
            return f"{n} labelled {_SAID[verdict]}{of}, {wanted} are the least: label {wanted - n} more of them."
    total, size = sum(p.n_labelled for p in parts), sum(p.n_assessable for p in parts)
    wanted = min(FEWEST_LABELS, size)
    if total >= wanted:
        return ""
    clean = sum(p.n_assessable - p.n_labelled for p in parts if p.verdict == "clean")
    which = _SAID["clean"] if clean >= wanted - total else "conversations"
    return f"{total} labels{of}, {wanted} are the least: label {wanted - total} more {which}{of}."
