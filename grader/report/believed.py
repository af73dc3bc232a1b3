"""Whether a figure can be believed, as pages and tables show it: a shape and a word, why, what a zero excludes."""

from __future__ import annotations

from dataclasses import dataclass

from grader.calibration.carried import counted
from grader.calibration.status import Status, Trust
from grader.calibration.trust import Trusted
from grader.language import _, number, retold
from grader.outcomes import Figure, Figures
from grader.outcomes.quality import QUALITY
from grader.outcomes.share import percent

MARKS = {"calibrated": "●", "part": "◐", "counted": "■"}  # else ○; a shape, since colour alone says nothing on paper
NOBODY = Trusted(())
CRITICAL = frozenset({"critical"})


@dataclass(frozen=True)
class Believed:
    """The status of a figure. `kind`: calibrated, part (some of its codes are), or not; `text` says when and with what,
    or why not.
    """

    kind: str
    short: str
    text: str

    @property
    def mark(self) -> str:
        """Its shape."""
        return MARKS.get(self.kind, "○")


def believed(of: Status | Trust) -> Believed:
    """A status as it is shown."""
    short, text = retold(of.short), retold(of.text)
    if of.calibrated:
        return Believed("calibrated", short, text)
    part = isinstance(of, Status) and 0 < of.n_not < len(of.codes)
    return Believed("part" if part else "not", short, text)


def of_figure(trusted: Trusted, figure: str) -> Status:
    """Of a figure of `outcomes.quality`. One that sums up defects rests on every code that was asked."""
    wanted = QUALITY[figure]
    if wanted.summed:
        return trusted.defects(CRITICAL if figure == "critical_defect" else None)
    return trusted.over(wanted.codes)


def critical_by_people(figures: Figures, trusted: Trusted) -> tuple[Trust, Figure] | None:
    """Any critical defect as reviewers would find it, over all of a run; None where labels do not tell that, or the
    sample is weighted: labels say of conversations as they were drawn what people find.
    """
    status = trusted.defects(CRITICAL)
    one = status.alone if status.calibrated and not figures.layers else None
    if one is None or one.corrected is None or one.corrected.point is None:
        return None
    return one, one.corrected


def unasked(trusted: Trusted, undecided: frozenset[str]) -> frozenset[str]:
    """Of the figures that nothing says anything of, those whose rubrics no judge was asked."""
    asked = {j.instrument.rubric for j in trusted.judges}
    return frozenset(f for f in undecided if asked and not asked & set(QUALITY[f].rubrics))


def of_cause(trusted: Trusted, kind: str, cause: str | None = None) -> Status:
    """Of a line of the ledger; of all causes of a kind without one."""
    criterion = "escalation_reason" if kind == "escalation" else "non_resolution_cause"
    if cause is None:
        return trusted.choice("resolution", criterion)
    return trusted.over([("resolution", criterion, cause)])


def zero(figure: str, n: int, of: int, status: Status) -> str:
    """What a figure leaves open in which nothing was flagged; "" where something was."""
    if not of:
        return ""
    if QUALITY[figure].inverted:  # it counts what was not flagged
        if n == of:
            return retold(status.excluded)
        return _("each was flagged, and a flag may be wrong: nothing is excluded") if n == 0 else ""
    return retold(status.excluded) if n == 0 else ""


def by_people(status: Status, n: int, of: int, *, weighted: bool) -> str:
    """`46.0 % (38.0 % to 54.1 %)`: what reviewers would find, of a figure of one code; "" where that cannot be told.
    The judge's errors are known of conversations as they were drawn, so that a weighted rate has none.
    """
    one = status.alone
    if one is None or not one.calibrated or one.kept is None or not one.same_judge or weighted or not of:
        return ""
    found = counted(one.kept, n, of)
    if found.point is None:
        return ""
    return _("{point} ({low} to {high})", point=percent(found.point), low=percent(found.low), high=percent(found.high))


def flips(trust: Trust) -> str:
    """`two runs differ on 2.1 % (3 of 140)`, "" where nothing was judged twice."""
    found = trust.flips
    if found is None:
        return ""
    return _(
        "two runs of a conversation differ on {share} ({n} of {of})",
        share=percent(found.point), n=number(found.n), of=number(found.of),
    )  # fmt: skip
