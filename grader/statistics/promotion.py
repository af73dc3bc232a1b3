"""The gate: may a new version of a rubric, prompt or model take the place of the old? Evidence in, a decision out.

Too little data is hold, never pass. Every check says in a sentence what it found and, if it did not pass, what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grader.statistics.figure import Figure
from grader.statistics.paired import Change, Flips

Outcome = Literal["pass", "hold", "fail"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What is asked. Margins are how much worse the new version may be, by the one-sided 95 % bound; `floors` how well
    a critical code must be seen, by the lower end of its sensitivity.
    """

    sensitivity_margin: float = 0.05
    specificity_margin: float = 0.02
    not_applicable_margin: float = 0.05
    most_flips: float = 0.02
    fewest_repeats: int = 100
    fewest_positive: int = 15
    fewest_negative: int = 15
    most_openings: int = 3
    most_failed: float = 0.05
    critical_floor: float = 0.7
    floors: Mapping[str, float] = field(default_factory=dict)

    def floor(self, code: str, severity: str) -> float | None:
        """Of a code: its own, else that of critical codes, else None."""
        return self.floors.get(code, self.critical_floor if severity == "critical" else None)


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the gate, its answer, and the sentence."""

    name: str
    outcome: Outcome
    sentence: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a code under the new version. `sensitivity` None: the test split was not opened, and nothing is
    known of labels. `not_applicable` None: the code has no such labels. `shortage`: of labels. `n_openings`: judges
    that the test split is opened for, these included. `held`: checks that others made. `unreliable`: why people
    themselves do not agree, which leaves nothing to decide.
    """

    code: str
    sensitivity: Change | None
    specificity: Change | None
    not_applicable: Change | None
    new_sensitivity: Figure | None
    youden: Figure | None
    flips: Flips
    shortage: tuple[str, ...] = ()
    n_openings: int = 1
    held: tuple[Check, ...] = ()
    unreliable: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Of a code: fail if any check failed, else hold if any held, else pass."""

    code: str
    outcome: Outcome
    checks: tuple[Check, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of what did not pass; of everything where all did."""
        kept = [c.sentence for c in self.checks if c.outcome != "pass"]
        return tuple(kept or [c.sentence for c in self.checks])


def decide(evidence: Evidence, gate: Gate | None = None) -> Decision:
    """Non-inferior on positives and on negatives, floors of critical codes, better than chance, stable repeats."""
    gate = gate or Gate()
    e = evidence
    if e.unreliable:
        return Decision(e.code, "hold", (Check("reviewers", "hold", e.unreliable),))
    checks = []
    if e.sensitivity is not None and e.specificity is not None:
        checks = [
            _not_worse("sensitivity", e.sensitivity, gate.sensitivity_margin, gate.fewest_positive, "human-positives"),
            _not_worse("specificity", e.specificity, gate.specificity_margin, gate.fewest_negative, "human-negatives"),
        ]
    if e.youden is not None:
        checks.append(_better_than_chance(e.youden))
    checks.append(_stable(e.flips, gate))
    if e.not_applicable is not None and e.not_applicable.n:
        checks.append(
            _not_worse(
                "agreement on not applicable", e.not_applicable, gate.not_applicable_margin, 1, "not-applicable labels"
            )
        )
    if (floor := gate.floors.get(e.code)) is not None and e.new_sensitivity is not None:
        checks.append(_above_floor(e.new_sensitivity, floor))
    if e.shortage:
        checks.append(Check("labels", "hold", " ".join(e.shortage)))
    if e.n_openings > gate.most_openings:
        said = (
            f"The test split would have been opened for {e.n_openings} judges; after {gate.most_openings} it no longer "
            "tells: draw and label a fresh one."
        )
        checks.append(Check("openings", "hold", said))
    checks.extend(e.held)
    return Decision(e.code, _worst([c.outcome for c in checks]), tuple(checks))


def decide_all(evidence: list[Evidence], gate: Gate | None = None) -> tuple[Outcome, tuple[Decision, ...]]:
    """The decision for a rubric: the worst of its codes. Nothing to go by is hold."""
    decisions = tuple(decide(e, gate) for e in evidence)
    return _worst([d.outcome for d in decisions]) if decisions else "hold", decisions


def _worst(outcomes: list[Outcome]) -> Outcome:
    return "fail" if "fail" in outcomes else "hold" if "hold" in outcomes else "pass"


def _not_worse(name: str, change: Change, margin: float, fewest: int, of: str) -> Check:
    if change.point is None or change.least is None or change.most is None:
        return Check(name, "hold", change.reason)
    seen = (
        f"{name} changed by {_points(change.point)} on {change.n:,} {of} ({change.n_better} better, {change.n_worse} "
        f"worse), at least {_points(change.least)} with 95 % confidence; {_points(-margin)} is allowed"
    )
    if change.most < -margin:
        return Check(name, "fail", f"Worse: {seen}.")
    if change.n < fewest:
        return Check(
            name, "hold", f"Too few {of}: {change.n} of the {fewest} it takes. Label {fewest - change.n} more."
        )
    if change.least > -margin:
        return Check(name, "pass", f"Not worse: {seen}.")
    return Check(name, "hold", f"Not shown: {seen}. Label more {of}, or improve the new version.")


def _better_than_chance(youden: Figure) -> Check:
    if youden.point is None or youden.low is None or youden.high is None:
        return Check("better than chance", "hold", youden.reason)
    seen = f"sensitivity + specificity - 1 is {youden.point:.2f} [{youden.low:.2f}, {youden.high:.2f}]"
    if youden.low > 0:
        return Check("better than chance", "pass", f"Better than chance: {seen}.")
    if youden.high <= 0:
        return Check("better than chance", "fail", f"No better than chance: {seen}.")
    return Check("better than chance", "hold", f"Not shown to be better than chance: {seen}. Label more.")


def _above_floor(sensitivity: Figure, floor: float) -> Check:
    name = "floor"
    if sensitivity.point is None or sensitivity.low is None or sensitivity.high is None:
        return Check(name, "hold", sensitivity.reason)
    seen = f"sensitivity {sensitivity.point:.2f} [{sensitivity.low:.2f}, {sensitivity.high:.2f}], floor {floor:.2f}"
    if sensitivity.low >= floor:
        return Check(name, "pass", f"Critical code above its floor: {seen}.")
    if sensitivity.high < floor:
        return Check(name, "fail", f"Critical code below its floor: {seen}.")
    return Check(name, "hold", f"Critical code not shown above its floor: {seen}. Label more human-positives.")


def _stable(flips: Flips, gate: Gate) -> Check:
    name, rate = "repeats", flips.rate
    if rate.point is None or rate.low is None:
        return Check(name, "hold", rate.reason)
    seen = f"two runs differ on {rate.point:.1%} ({rate.n} of {rate.of:,} conversations), {gate.most_flips:.0%} allowed"
    if rate.low >= gate.most_flips:
        return Check(name, "fail", f"The judge contradicts itself: {seen}.")
    if rate.of < gate.fewest_repeats:
        more = gate.fewest_repeats - rate.of
        return Check(name, "hold", f"Too few repeats: {rate.of} conversations. Judge {more} more of them twice.")
    if rate.point < gate.most_flips:
        return Check(name, "pass", f"Repeats are stable: {seen}.")
    return Check(name, "hold", f"Repeats are not shown to be stable: {seen}. Repeat more conversations.")


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points"
