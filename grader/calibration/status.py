"""What is said of a figure's judge in words: of a code, of a figure that rests on several, of a whole rubric. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from grader.calibration.kept import Kept
from grader.statistics.figure import Audit, Figure, percent

State = Literal["calibrated", "not_calibrated", "changed", "never"]
OfRubricState = Literal["calibrated", "part", "not_calibrated", "changed", "never"]
LEAST: Sequence[State] = ("never", "changed", "not_calibrated", "calibrated")  # the least to be believed first
NEVER = "not calibrated: nobody labelled what this judge said"
LABEL_IT = "grader label plan, then grader calibrate"
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
        return "not calibrated" if at is None else f"calibrated {at:%Y-%m-%d}"

    @property
    def excluded(self) -> str:
        """What may be hidden behind a rate of zero."""
        audit = self.audit
        if audit is None:
            return "nobody read conversations judged clean: nothing is excluded"
        found = "none" if not audit.n_missed else f"{audit.n_missed:,}"
        return (
            f"{found} of {audit.n_reviewed:,} judged clean and read blind{self._then} had it: at most "
            f"{percent(audit.at_most)}"
        )

    @property
    def _then(self) -> str:
        return " in an earlier run" if self.audited_elsewhere else ""

    @property
    def excluded_short(self) -> str:
        """The same for a cell of a table."""
        audit = self.audit
        if audit is None:
            return "0 excludes nothing: no clean ones were read"
        return (
            f"at most {percent(audit.at_most)}: {audit.n_missed:,} of {audit.n_reviewed:,} clean ones read{self._then}"
        )


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
            return "not calibrated"
        return f"not calibrated: {self.n_not:,} of {len(self.codes):,} codes are not"

    @property
    def text(self) -> str:
        """The same with the reason, in a sentence."""
        if (one := self.alone) is not None:
            return one.text
        if not self.codes:
            return NEVER
        if self.calibrated:
            n = min(t.n_labels for _, t in self.codes)
            return f"{self.short}: all of its {len(self.codes):,} codes, each with {n:,} blind labels or more"
        missing = [name for name, t in self.codes if not t.calibrated]
        why = self.whole.text.removeprefix("not calibrated ") if self.whole and self.whole.state != "never" else ""
        together = f"; {why}" if why.startswith("together") else ""
        if len(missing) == len(self.codes):
            return f"not calibrated: none of its {len(self.codes):,} codes is{together}"
        named = ", ".join(missing[:_NAMED]) + (f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else "")
        return f"{self.short} ({named}){together}"

    @property
    def excluded(self) -> str:
        """What may be hidden behind a rate of zero: of each code, as far as clean ones were read."""
        if (one := self.alone) is not None:
            return one.excluded
        audits = [t.audit for _, t in self.codes]
        bounds = [a.at_most for a in audits if a is not None]
        if not bounds:
            return "nobody read conversations judged clean: nothing is excluded"
        if unread := len(audits) - len(bounds):
            return f"of {unread:,} of {len(audits):,} codes nobody read conversations judged clean: nothing is excluded"
        return f"clean ones were read blind: of each of {len(audits):,} codes at most {percent(max(bounds))}"


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
