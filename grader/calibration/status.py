"""What is said of a figure's judge in words: of a code, of a figure that rests on several, of a whole rubric. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from grader.calibration.kept import Kept
from grader.language import N_
from grader.statistics.figure import Audit, Figure, percent

State = Literal["calibrated", "not_calibrated", "changed", "never"]
OfRubricState = Literal["calibrated", "part", "not_calibrated", "changed", "never"]
# What `joint` says of codes taken together, behind what is said of each; see `Status.text`.
TOGETHER = (
    N_("together: {told}"), N_("together ({day}): {told}"), N_("together ({day}): {told_standing}: {told}"),
    N_("together: {told_what} since the calibration of {day}"), N_("together: {told}, after the calibration"),
)  # fmt: skip
LEAST: Sequence[State] = ("never", "changed", "not_calibrated", "calibrated")  # the least to be believed first
NEVER = N_("not calibrated: no label plan was answered for this judge")
LABEL_IT = N_("grader label plan, then grader calibrate")
NOT_CALIBRATED = N_("not calibrated")
NOBODY_READ = N_("nobody read conversations judged clean: nothing is excluded")
_NAMED = 3  # codes of a figure that are named


@dataclass(frozen=True, slots=True)
class Trust:
    """Of one code under one instrument. `corrected`: the rate of the run that is shown, where it can be told;
    `carried`: from labels of an earlier frame, the judge's errors taken to be as they were. `same_judge`: `kept` is of
    this very instrument, so that what it says of errors holds for it.
    """

    state: State
    text: str
    kept: Kept | None = None
    corrected: Figure | None = None
    carried: bool = False
    same_judge: bool = False
    only_of: str = ""  # the selection that labels are of, where more than that is shown
    audit: Audit | None = None  # what a blind review of clean ones could exclude; None: nobody reviewed any
    audited_elsewhere: bool = False  # those of an earlier run
    flips: Figure | None = None  # how often two runs of a conversation differ; None: nothing was judged twice

    @property
    def calibrated(self) -> bool:
        """The corrected rate is to be believed."""
        return self.state == "calibrated"

    @property
    def calibrated_at(self) -> datetime | None:
        """When it was; None where it is not."""
        return self.kept.calibrated_at if self.calibrated and self.kept is not None else None

    @property
    def n_labels(self) -> int:
        """Blind labels behind it."""
        return self.kept.n_labelled if self.kept is not None else 0

    @property
    def short(self) -> str:
        """`calibrated 2026-11-30`, or `not calibrated`."""
        at = self.calibrated_at
        return NOT_CALIBRATED if at is None else N_("calibrated {day}").format(day=f"{at:%Y-%m-%d}")

    @property
    def excluded(self) -> str:
        """What may be hidden behind a rate of zero."""
        audit = self.audit
        if audit is None:
            return NOBODY_READ
        here = N_("{told_n} of {of} judged clean and read blind had it: at most {percent}")
        then = N_("{told_n} of {of} judged clean and read blind in an earlier run had it: at most {percent}")
        found = f"{audit.n_missed:,}" if audit.n_missed else N_("none")
        told = then if self.audited_elsewhere else here
        return told.format(told_n=found, of=f"{audit.n_reviewed:,}", percent=percent(audit.at_most))

    @property
    def excluded_short(self) -> str:
        """The same for a cell of a table."""
        audit = self.audit
        if audit is None:
            return N_("0 excludes nothing: no clean ones were read")
        here = N_("at most {percent}: {n} of {of} clean ones read")
        then = N_("at most {percent}: {n} of {of} clean ones read in an earlier run")
        told = then if self.audited_elsewhere else here
        return told.format(percent=percent(audit.at_most), n=f"{audit.n_missed:,}", of=f"{audit.n_reviewed:,}")


UNKNOWN = Trust("never", NEVER)


@dataclass(frozen=True)
class Status:
    """A figure that rests on these codes (by name): calibrated only if every one of them is, or all were taken together
    (`whole`) and that is.
    """

    codes: tuple[tuple[str, Trust], ...]
    whole: Trust | None = None

    @property
    def together(self) -> Trust | None:
        """What labels say of all codes at once, where that is calibrated."""
        return self.whole if self.whole is not None and self.whole.calibrated else None

    @property
    def state(self) -> State:
        """That of the code that is least to be believed."""
        if self.together:
            return "calibrated"
        return min((t.state for _, t in self.codes), key=LEAST.index, default="never")

    @property
    def calibrated(self) -> bool:
        """Every code is."""
        return self.state == "calibrated"

    @property
    def n_not(self) -> int:
        """Codes that are not calibrated."""
        return sum(not t.calibrated for _, t in self.codes)

    @property
    def alone(self) -> Trust | None:
        """What the figure is of: the codes taken together, or the only code; None where there are several."""
        return self.together or (self.codes[0][1] if len(self.codes) == 1 else None)

    @property
    def short(self) -> str:
        """`calibrated 2026-11-30` (its oldest code), `not calibrated`, `not calibrated: 5 of 7 codes are not`."""
        if self.together:
            return self.together.short
        if self.calibrated:
            return min(t.short for _, t in self.codes)
        if len(self.codes) < 2:
            return NOT_CALIBRATED
        some = N_("not calibrated: {n} of {of} codes are not")
        return some.format(n=f"{self.n_not:,}", of=f"{len(self.codes):,}")

    @property
    def text(self) -> str:
        """The same with the reason, in a sentence."""
        if (one := self.alone) is not None:
            return one.text
        if not self.codes:
            return NEVER
        if self.calibrated:
            n, of = min(t.n_labels for _, t in self.codes), len(self.codes)
            every = N_("{told}: all of its {of} codes, each with {n} blind labels or more")
            return every.format(told=self.short, of=f"{of:,}", n=f"{n:,}")
        missing = [name for name, t in self.codes if not t.calibrated]
        why = self.whole.text.removeprefix("not calibrated ") if self.whole and self.whole.state != "never" else ""
        together = f"; {why}" if why.startswith("together") else ""
        if len(missing) == len(self.codes):
            return N_("not calibrated: none of its {n} codes is").format(n=f"{len(self.codes):,}") + together
        names, more = ", ".join(missing[:_NAMED]), len(missing) - _NAMED
        if more > 0:
            some = N_("{told} ({names} and {n} more)").format(told=self.short, names=names, n=f"{more:,}")
        else:
            some = N_("{told} ({told_name})").format(told=self.short, told_name=names)
        return some + together

    @property
    def excluded(self) -> str:
        """What may be hidden behind a rate of zero: of each code, as far as clean ones were read."""
        if (one := self.alone) is not None:
            return one.excluded
        audits = [t.audit for _, t in self.codes]
        bounds = [a.at_most for a in audits if a is not None]
        if not bounds:
            return NOBODY_READ
        if unread := len(audits) - len(bounds):
            some = N_("of {n} of {of} codes nobody read conversations judged clean: nothing is excluded")
            return some.format(n=f"{unread:,}", of=f"{len(audits):,}")
        every = N_("clean ones were read blind: of each of {n} codes at most {percent}")
        return every.format(n=f"{len(audits):,}", percent=percent(max(bounds)))


@dataclass(frozen=True)
class OfRubric:
    """Whether the figures of a rubric can be believed, as one line. `state` is `part` where some codes are calibrated.

    `text` says when and with what, or why not; `todo` what would make it so. `judge` names the instrument.
    """

    rubric: str
    judge: str
    state: OfRubricState
    n_codes: int
    n_calibrated: int
    text: str
    todo: str

    @property
    def line(self) -> str:
        """As one line."""
        return f"{self.rubric}: {self.text}"
