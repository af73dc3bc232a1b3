"""What the figures of a code amount to: calibrated, not calibrated, insufficient, or a rubric that people read apart.

Each with one sentence that says why and what to do next. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from grader.language import N_
from grader.statistics.accuracy import FEWEST_POSITIVE, Calibration
from grader.statistics.agreement import Reviewers
from grader.statistics.frame import Part, Verdict, shortage

Standing = Literal["calibrated", "not_calibrated", "insufficient", "unreliable"]
TITLES: dict[Standing, str] = {
    "calibrated": N_("calibrated"), "not_calibrated": N_("not calibrated"), "insufficient": N_("insufficient"),
    "unreliable": N_("unreliable rubric"),
}  # fmt: skip
LEAST_ALPHA = 0.667  # K. Krippendorff (2004), Content Analysis, 2nd ed., 241: below, nothing is to be concluded
FEWEST_LABELS = 200
FEWEST_OF_A_VERDICT = 30
FEWEST_OVERLAP = 50
MOST_SKIPPED = 0.1
SINGLE = N_("single-reviewer gold")
_FEWER: dict[Verdict, str] = {
    "clean": N_("{n} labelled judge-negatives{told_of}, {least} are the least: label {more} more of them."),
    "fires": N_("{n} labelled judge-positives{told_of}, {least} are the least: label {more} more of them."),
}
OF_SLICE = N_(" of {told_dimension} {name}")
AMONG_CLEAN = N_(" among those judged clean")
_PLACES = {
    "queue": N_("Queue {name}: {told}"), "reason": N_("Reason {name}: {told}"), "week": N_("Week {name}: {told}"),
    "channel": N_("Channel {name}: {told}"), "language": N_("Language {name}: {told}"),
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
        none = N_("No label{told_of}: plan and label {n} conversations.")
        return Stands("insufficient", none.format(told_of=of, n=FEWEST_LABELS))
    if not found.raw.of:
        none = N_("The judge answers none of it{told_of} with yes or no: people's labels alone tell.")
        return Stands("not_calibrated", none.format(told_of=of))
    if short := shortage(parts):
        return Stands("insufficient", _where(" ".join(short), of))
    if n_open:
        one = N_("{n} disagreement is open{told_of}: let a third decide (grader label adjudicate).")
        many = N_("{n} disagreements are open{told_of}: let a third decide (grader label adjudicate).")
        return Stands("not_calibrated", (one if n_open == 1 else many).format(n=n_open, told_of=of))
    n_positive = found.accuracy.sensitivity.of
    if n_positive < FEWEST_POSITIVE:
        return Stands("not_calibrated", _more_positives(found, parts, n_positive, of))
    youden = found.accuracy.youden
    if youden.low is None or youden.low <= 0:
        chance = N_("The judge is not clearly better than chance{told_of}: mend the rubric, or take another judge.")
        return Stands("not_calibrated", chance.format(told_of=of))
    if missing := _fewer(parts, of):
        return Stands("not_calibrated", missing)
    if n_skipped > MOST_SKIPPED * (found.n_labelled + n_skipped):
        skipped = N_(
            "Reviewers could not assess {n} of {all}{told_of}: say in the rubric what to answer there, or leave such "
            "conversations out."
        )
        told = skipped.format(n=n_skipped, all=found.n_labelled + n_skipped, told_of=of)
        return Stands("not_calibrated", told)
    several = N_("Read the corrected rate{told_of}: {n} labels by two reviewers or more.")
    single = N_("Read the corrected rate{told_of}: {n} labels by one reviewer (single-reviewer gold: nobody knows the "
                "ceiling).")  # fmt: skip
    told = (several if reviewers.n_reviewers > 1 else single).format(told_of=of, n=found.n_labelled)
    if reviewers.n_reviewers > 1 and reviewers.n_overlap < FEWEST_OVERLAP:
        few = N_("Only {n} of the {least} overlapping labels that alpha wants.")
        told += " " + few.format(n=reviewers.n_overlap, least=FEWEST_OVERLAP)
    return Stands("calibrated", told)


def unreliable(r: Reviewers) -> str:
    """Why nothing can be decided of a code, since people do not agree about it; '' where they do, or nobody knows."""
    alpha = r.alpha
    if alpha.point is None or alpha.point >= LEAST_ALPHA:
        return ""
    if r.n_overlap < FEWEST_OVERLAP and (alpha.high is None or alpha.high >= LEAST_ALPHA):
        return ""
    apart = N_(
        "Reviewers do not agree (alpha {alpha} on {n} conversations, {least} is the least): mend the wording of the "
        "criterion and label anew; no judge can be better than this."
    )
    return apart.format(alpha=f"{alpha.point:.2f}", n=r.n_overlap, least=LEAST_ALPHA)


def partly_read(found: Stands, n_in_part: int, n_labelled: int, *, of: str = "") -> Stands:
    """The standing of codes taken together: nothing found where a code could not be assessed counts as clean, and of
    more than a tenth of the labels that would hide too much.
    """
    if found.standing != "calibrated" or not n_in_part:
        return found
    many = N_("In {n} of {of} labels{told_of} nothing was found and a code could not be assessed: say in the rubric "
              "what to answer there.")  # fmt: skip
    few = N_("In {n} of {of} labels{told_of} nothing was found and a code could not be assessed: the rate may be "
             "higher by what these hide.")  # fmt: skip
    if n_in_part > MOST_SKIPPED * n_labelled:
        return Stands("not_calibrated", many.format(n=n_in_part, of=n_labelled, told_of=of))
    return Stands("calibrated", f"{found.sentence} {few.format(n=n_in_part, of=n_labelled, told_of=of)}")


def _where(sentence: str, of: str) -> str:
    """Where it is, before the sentences."""
    if not of:
        return sentence
    dimension, _, name = of.removeprefix(" of ").partition(" ")
    if dimension in _PLACES:
        return _PLACES[dimension].format(name=name.lower(), told=sentence)
    return N_("Among those judged clean: {told}").format(told=sentence)


def _more_positives(found: Calibration, parts: Sequence[Part], n_positive: int, of: str) -> str:
    """Where the missing human-positives are to be had: among flags, as many as their precision asks for."""
    wanted = FEWEST_POSITIVE - n_positive
    left = {v: sum(p.n_assessable - p.n_labelled for p in parts if p.verdict == v) for v in ("fires", "clean")}
    value = found.accuracy.positive_value
    # Before any flag was found right, as Jeffreys' interval has it: one half among one more.
    needed = ceil(wanted / (value.point or 0.5 / (value.of + 1)))
    one = N_("{n} human-positive label{told_of}, {least} are the least")
    many = N_("{n} human-positive labels{told_of}, {least} are the least")
    have = (one if n_positive == 1 else many).format(n=n_positive, told_of=of, least=FEWEST_POSITIVE)
    if left["fires"] >= needed:
        return N_("{told}: label {n} more judge-positives{told_of}.").format(told=have, n=needed, told_of=of)
    if left["fires"]:
        last = N_("{told}: label the one judge-positive that is left, and more judge-negatives{told_of}.")
        rest = N_("{told}: label the {n} judge-positives that are left, and more judge-negatives{told_of}.")
        return (last if left["fires"] == 1 else rest).format(told=have, n=left["fires"], told_of=of)
    rate = found.accuracy.negative_value.point
    missed = 1 - rate if rate is not None else 0.0
    if missed > 0 and left["clean"] * missed >= wanted:
        more = N_("{told}: label {n} more judge-negatives{told_of}.")
        return more.format(told=have, n=ceil(wanted / missed), told_of=of)
    few = N_("{told}: this frame holds too few; grade more conversations, then label their judge-positives.")
    return few.format(told=have)


def _fewer(parts: Sequence[Part], of: str) -> str:
    """Which verdict has too few labels, or that there are too few in all."""
    for verdict in _FEWER:
        mine = [p for p in parts if p.verdict == verdict]
        n, size = sum(p.n_labelled for p in mine), sum(p.n_assessable for p in mine)
        wanted = min(FEWEST_OF_A_VERDICT, size)
        if n < wanted:
            return _FEWER[verdict].format(n=n, told_of=of, least=wanted, more=wanted - n)
    total, size = sum(p.n_labelled for p in parts), sum(p.n_assessable for p in parts)
    wanted = min(FEWEST_LABELS, size)
    if total >= wanted:
        return ""
    clean = sum(p.n_assessable - p.n_labelled for p in parts if p.verdict == "clean")
    negatives = N_("{n} labels{told_of}, {least} are the least: label {more} more judge-negatives{told_of}.")
    any_of_them = N_("{n} labels{told_of}, {least} are the least: label {more} more conversations{told_of}.")
    few = negatives if clean >= wanted - total else any_of_them
    return few.format(n=total, told_of=of, least=wanted, more=wanted - total)
