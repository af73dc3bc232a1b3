"""All that a calibration tells, by code and slice: figures of the judge, of the reviewers, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from grader.calibration.composite import Composite
from grader.calibration.held import NO_FLAG, Code, Counted, Held
from grader.calibration.instrument import Instrument
from grader.calibration.standing import AMONG_CLEAN, OF_SLICE, Stands, partly_read, stands
from grader.language import N_
from grader.model import JsonValue, digest
from grader.statistics.accuracy import Calibration, calibrate
from grader.statistics.agreement import Reviewers, between_reviewers
from grader.statistics.corrected import error_design_effect
from grader.statistics.figure import WILSON, Audit, Figure, percent, percents, stratified_audit
from grader.statistics.frame import Part
from grader.statistics.paired import Flips

AUDITED = ("audit", "judged clean")  # the slice that a plan of an audit is about
DRAWS = 8_000  # ends move by about 2 % of the interval's width from one seed to another
SLICE_DRAWS = 4_000  # a slice's ends move by a tenth of a point with it, and there are many


@dataclass(frozen=True)
class OfCode:
    """A code over all (`dimension` None) or in one slice. `audit`: what its clean ones can hide."""

    code: Code
    instrument: Instrument
    dimension: str | None
    slice: str | None
    counted: Counted
    found: Calibration
    reviewers: Reviewers | None  # over all only: agreement is not told by slice
    audit: Audit
    flips: Flips | None
    stands: Stands
    composite: Composite | None = None  # of codes taken together: which

    @property
    def of(self) -> str:
        """` of queue refunds`, empty over all."""
        return _of(self.dimension, self.slice)

    @property
    def decided(self) -> bool:
        """The judge answers it with yes or no at all."""
        return self.found.raw.of > 0

    @property
    def n_by_verdict(self) -> tuple[int, int]:
        """Labels of what the judge flagged, and of all else."""
        fires = sum(p.n_labelled for p in self.counted.parts if p.verdict == "fires")
        return fires, self.found.n_labelled - fires

    @property
    def n_applicable(self) -> int:
        """About how many conversations of the frame the code is about."""
        total = 0.0
        for p in self.counted.parts:
            if p.n_labelled:
                total += p.n_population * (1 - p.n_not_applicable / p.n_labelled)
            else:
                total += 0 if p.verdict == "not_applicable" else p.n_population
        return round(total)

    def figures(self) -> dict[str, Figure]:
        """Every figure by its name, as it is kept."""
        a = self.found.accuracy
        told = {
            "corrected": self.found.corrected, "people": self.found.people, "raw": self.found.raw,
            "sensitivity": a.sensitivity, "specificity": a.specificity, "positive_value": a.positive_value,
            "negative_value": a.negative_value, "youden": a.youden, "kappa": a.kappa,
        }  # fmt: skip
        if (r := self.reviewers) is not None:
            told |= {
                "alpha": r.alpha, "ac1": r.ac1, "agreement": r.raw, "positive_agreement": r.positive,
                "self_agreement": r.itself,
            }  # fmt: skip
        if self.flips is not None:
            told["flips"] = self.flips.rate
        return told


@dataclass(frozen=True)
class Calibrated:
    """A calibration: which labels and verdicts, and every code in the order of the questions, slices behind it."""

    held: Held
    seed: int
    draws: int
    calibrated_at: datetime
    grader_version: str
    codes: tuple[OfCode, ...]
    n_openings: int  # of the test split, this one included
    calibration_id: str

    @property
    def overall(self) -> tuple[OfCode, ...]:
        """The codes over all that was drawn from."""
        return tuple(c for c in self.codes if c.dimension in (None, AUDITED[0]))


def calibrated(
    held: Held, *, seed: int, now: datetime, grader_version: str, by: Sequence[str] = (), draws: int = DRAWS,
    flips: Mapping[tuple[str, str], Flips] | None = None, n_openings: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Calibrated:  # fmt: skip
    """Calibrate every code that is held, over all and by the dimensions named. `flips` by (rubric, criterion)."""
    wanted: list[tuple[Code, str | None, str | None]] = []
    slices = {dimension: held.values(dimension) for dimension in by}
    codes = [code for code in held.every if code.taken_together or code.rubric in held.instruments]
    for code in codes:
        wanted.append((code, *(AUDITED if held.plan.audit else (None, None))))
        wanted += [(code, dimension, name) for dimension in by for name in slices[dimension]]
    agreed: dict[str, Reviewers] = {}
    found = []
    for n, (code, dimension, name) in enumerate(wanted):
        progress(n, len(wanted))
        if code.name not in agreed:
            agreed[code.name] = _reviewers(held, code, seed)
        found.append(_of_code(
            held, code, dimension, name, agreed[code.name], seed,
            draws if dimension is None else min(draws, SLICE_DRAWS), (flips or {}).get((code.rubric, code.criterion)),
        ))  # fmt: skip
    progress(len(wanted), len(wanted))
    content = [held.plan.plan_id, held.run_id, list(held.splits), seed, draws, [code_row(c) for c in found]]
    return Calibrated(
        held, seed, draws, now, grader_version, tuple(found), n_openings, digest("ca", content)
    )  # fmt: skip


def _of_code(
    held: Held, code: Code, dimension: str | None, name: str | None, reviewers: Reviewers, seed: int, draws: int,
    flips: Flips | None,
) -> OfCode:  # fmt: skip
    counted = held.counted(code) if (dimension, name) == AUDITED else held.counted(code, dimension, name)
    of = _of(dimension, name)
    found = calibrate(counted.parts, counted.labels, simple_random=held.simple_random, seed=seed, draws=draws)
    standing = stands(found, reviewers, counted.parts, n_open=counted.n_open, n_skipped=counted.n_skipped, of=of)
    together = held.composite(code)
    if together is not None:
        standing = partly_read(standing, counted.n_in_part, found.n_labelled, of=of)
    if held.n_held_back and "label " in standing.sentence and standing.standing in ("insufficient", "not_calibrated"):
        # Labels that are there already come before labels that are to be made.
        first = N_("First read those there are: {told_splits}.").format(told_splits=held.others)
        standing = replace(standing, sentence=f"{standing.sentence} {first}")
    instrument = together.instrument if together is not None else held.instruments[code.rubric]
    return OfCode(
        code, instrument, dimension, name, counted, found,
        reviewers if dimension in (None, AUDITED[0]) else None,
        audit(counted.cells, simple_random=held.simple_random), flips, standing, together,
    )  # fmt: skip


def _of(dimension: str | None, name: str | None) -> str:
    if dimension is None:
        return ""
    return AMONG_CLEAN if (dimension, name) == AUDITED else OF_SLICE.format(told_dimension=dimension, name=name)


def audit(parts: Sequence[Part], *, simple_random: bool) -> Audit:
    """The blind review of all that the judge called clean of a code, whichever stratum it was drawn from."""
    apart = tuple(NO_FLAG.values())
    clean = [p for p in parts if p.verdict == "clean" and not p.name.startswith(apart)]
    cells = [(p.n_fires, p.n_labelled, p.n_population) for p in clean]
    if simple_random or len({round(n / size, 9) for _, n, size in cells}) < 2:
        cells = [(sum(k for k, _, _ in cells), sum(n for _, n, _ in cells), sum(size for _, _, size in cells))]
    return stratified_audit(cells)


def _reviewers(held: Held, code: Code, seed: int) -> Reviewers:
    items = held.items(code)
    return between_reviewers(
        items, code.positive, n_reviewers=held.n_reviewers(code), seed=seed, twice=held.twice(code),
    )  # fmt: skip


def report_line(one: OfCode, *, began: tuple[datetime | None, datetime | None]) -> str:
    """The line to quote: the rate with frame, versions, labels, design and interval, as STATISTICS section 2 has it."""
    f, a = one.found, one.found.accuracy
    fires, rest = one.n_by_verdict
    design = "simple random" if f.people.method == WILSON else "stratified"
    reviewers = ""
    if one.reviewers is not None:
        n = one.reviewers.n_reviewers
        alpha = one.reviewers.alpha
        reviewers = f", {n} {'reviewer' if n == 1 else 'reviewers'} α " + (
            "–" if alpha.point is None else f"{alpha.point:.2f}"
        )
    people = f"n/a, {design}" if f.people.point is None else _told(f.people)
    when = "" if began[0] is None or began[1] is None else f", frame {began[0]:%Y-%m-%d}..{began[1]:%Y-%m-%d}"
    return (
        f"{one.code.name}{one.of} {_told(f.corrected)} of {one.n_applicable:,} applicable · human-only: {people} · "
        f"raw judge {_told(f.raw)} · Se {_told(a.sensitivity)} Sp {_told(a.specificity)} · "
        f"{f.n_labelled} blind labels ({fires}+{rest}, {design}){reviewers} · judge {one.instrument.name}, "
        f"{one.stands.title}{when} · {f.corrected.method}"
    )  # fmt: skip


def _told(f: Figure) -> str:
    if f.point is None:
        return "–"
    ends = percents(f.low, f.high).replace(" to ", ", ")
    return f"{percent(f.point)} [{ends}]" if ends else percent(f.point)


def code_row(one: OfCode) -> dict[str, JsonValue]:
    """A code as it is kept in `calibration_code`."""
    figures: dict[str, Any] = {name: figure_row(f) for name, f in one.figures().items()}
    audit_row = {n: getattr(one.audit, n) for n in ("n_missed", "n_reviewed", "n_clean", "at_most", "high")}
    r = one.reviewers
    together = {} if one.composite is None else {
        "members": list(one.composite.members), "instruments": [i.row() for i in one.composite.instruments],
        "n_in_part": one.counted.n_in_part, "n_unanswered": one.counted.n_unanswered,
    }  # fmt: skip
    return {
        **one.instrument.row(), "criterion": one.code.criterion, "option": one.code.option,
        "dimension": one.dimension, "slice": one.slice, "standing": one.stands.standing,
        "sentence": one.stands.sentence, "n_population": one.found.n_population, "n_labelled": one.found.n_labelled,
        "figures": {
            **figures, "audit": audit_row, "notes": list(one.found.notes), "n_applicable": one.n_applicable,
            "design_effect": error_design_effect(one.counted.parts, one.counted.labels) if one.counted.parts else 1.0,
            "n_missing": one.found.n_missing, "n_skipped": one.counted.n_skipped, "n_open": one.counted.n_open,
            "n_reviewers": r and r.n_reviewers, "n_overlap": r and r.n_overlap, **together,
        },
        "parts": [
            {"verdict": p.verdict, "name": p.name, "n_population": p.n_population, "n_fires": p.n_fires,
             "n_clean": p.n_clean, "n_not_applicable": p.n_not_applicable}
            for p in one.counted.parts
        ],
    }  # fmt: skip


def figure_row(f: Figure) -> dict[str, JsonValue]:
    """A figure as plain values."""
    return {
        "point": f.point, "low": f.low, "high": f.high, "n": f.n, "of": f.of, "method": f.method, "reason": f.reason
    }  # fmt: skip
