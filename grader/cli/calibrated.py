"""What `grader calibrate` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from grader.cli import console
from grader.errors import ConfigError
from grader.statistics.figure import percent, percents

if TYPE_CHECKING:
    from grader.calibration.calibrate import Calibrated, OfCode
    from grader.calibration.held import Code
    from grader.statistics.figure import Figure


def named(codes: Sequence[Code], wanted: Sequence[str]) -> list[Code]:
    """The codes that are named: `invented_deadline`, `accuracy.invented_deadline`. Raises ConfigError."""
    found: list[Code] = []
    for name in wanted:
        mine = [c for c in codes if name in (c.criterion, c.question, c.name)]
        if not mine:
            known = ", ".join(dict.fromkeys(c.question for c in codes))
            raise ConfigError(f"--code {name!r} is no criterion of this plan", cure=f"one of {known}")
        if len({c.question for c in mine}) > 1:
            raise ConfigError(
                f"--code {name!r} is in several rubrics", cure=f"one of {', '.join(c.question for c in mine)}"
            )
        found += [c for c in mine if c not in found]
    return found


def tell(found: Calibrated, later: Mapping[str, Sequence[tuple[str, Figure]]], *, kept_it: bool, lines: bool) -> None:
    """A calibration for a person: rates, errors of the judge, reviewers, what is left out, and what to do next."""
    from grader.calibration.calibrate import report_line

    held = found.held
    first, last = held.began
    frame = f", {first:%Y-%m-%d} to {last:%Y-%m-%d}" if first and last else ""
    judges = "; ".join(i.name for i in held.instruments.values())
    console.out(f"plan {held.plan.plan_id[:11]} × run {held.run_id} · {len(held.seen):,} judged conversations{frame}")
    console.out(f"judge {judges} · labels of {', '.join(held.splits)} · {_reviewers(held.plan.reviewers)}")
    if held.plan.audit:
        console.out("a recall audit: only conversations that the judge called clean of every code were drawn")
        _tell_audit(found)
        for c in found.overall:
            if not c.code.option:
                console.out(f"  {c.code.name}: {c.audit.sentence}")
        _tell_rest(found, kept_it=kept_it)
        return
    answered = [c for c in found.codes if c.decided]
    console.out("rates: share of the applicable conversations, with 95 % intervals")
    console.table(
        ["code", "labels>", "corrected>", "", "raw judge>", "people only>", "", "standing"],
        [
            (_name(c), c.found.n_labelled, *_pair(c.found.corrected), percent_of(c.found.raw), *_pair(c.found.people),
             c.stands.title)
            for c in answered
        ],
    )  # fmt: skip
    console.out("the judge against the reference")
    console.table(
        ["code", "sensitivity>", "", "specificity>", "", "precision>", "", "kappa>", "flips>"],
        [
            (_name(c), *_pair(c.found.accuracy.sensitivity), *_pair(c.found.accuracy.specificity),
             *_pair(c.found.accuracy.positive_value), number(c.found.accuracy.kappa),
             percent_of(c.flips.rate) if c.flips else None)
            for c in answered
        ],
    )  # fmt: skip
    if len(held.plan.reviewers) > 1:
        console.out("the reviewers: the ceiling of what a judge can do")
        console.table(
            ["code", "by two>", "agree>", "alpha>", "", "AC1>", "on positives>", "with oneself>"],
            [
                (c.code.question, r.n_overlap, percent_of(r.raw), number(r.alpha), number_interval(r.alpha),
                 number(r.ac1), None if c.code.option else percent_of(r.positive), percent_of(r.itself))
                for c in _questions(found.overall) if (r := c.reviewers) is not None
            ],
        )  # fmt: skip
    _tell_audit(found)
    _tell_later(later)
    _tell_standings(found)
    quoted = [c for c in found.codes if c.found.n_labelled and (lines or c.stands.standing == "calibrated")]
    if quoted:
        console.out("to quote")
        for c in quoted:
            console.out(f"  {report_line(c, began=held.began)}")
    _tell_rest(found, kept_it=kept_it)


def _tell_standings(found: Calibrated) -> None:
    """What each code amounts to. Slices and answers of choices are many: those that are not calibrated are counted."""
    console.out("what to do")
    one_question = len({c.code.question for c in found.codes}) == 1
    for c in found.codes:
        brief = (c.dimension is not None or c.code.option is not None) and not one_question
        if not c.decided or (brief and c.stands.standing != "calibrated"):
            continue
        console.out(f"  {_name(c)}: {c.stands.title}. {c.stands.sentence}")
        for text in c.found.notes:
            if not text.endswith("is not calibrated on this code."):  # the sentence says so
                console.out(f"    {text}")
    if one_question:
        return
    for question in dict.fromkeys(c.code.question for c in found.overall):
        mine = [c for c in found.overall if c.code.question == question]
        if not any(c.decided for c in mine):
            console.out(f"  {question}: this judge never answers it; people's labels alone tell of it")
        elif mine[0].code.option is not None:
            n = sum(c.stands.standing == "calibrated" for c in mine)
            console.out(
                f"  {question}: {n} of {len(mine)} answers calibrated; --code {question} tells what the rest want"
            )


def _questions(codes: Sequence[OfCode]) -> list[OfCode]:
    """One code of each question: agreement is the same for every option of a choice."""
    return list({c.code.question: c for c in reversed(codes)}.values())[::-1]


def _tell_audit(found: Calibrated) -> None:
    rows = [
        (_name(c), c.audit.n_missed, c.audit.n_reviewed, c.audit.n_clean, percent(c.audit.at_most))
        for c in found.overall if c.audit.n_clean and not c.code.option
    ]  # fmt: skip
    if rows:
        console.out("recall audit: conversations judged clean, reviewed blind")
        console.table(["code", "had it>", "reviewed>", "judged clean>", "at most (95 %, one-sided)>"], rows)


def _tell_later(later: Mapping[str, Sequence[tuple[str, Figure]]]) -> None:
    for run, rows in later.items():
        console.out(f"carried over to run {run}: assumes sensitivity and specificity as they were then")
        console.table(
            ["code", "rate>", "", "why not"],
            [(name, percent_of(f), interval(f), "" if f.point is not None else f.reason) for name, f in rows],
        )


def _tell_rest(found: Calibrated, *, kept_it: bool) -> None:
    held = found.held
    if not held.even:
        console.note(
            f"run {held.plan.run_id} was drawn with unequal chances: rates are of the {len(held.seen):,} conversations "
            "that it judged, not of all"
        )
    skipped = sum(c.counted.n_skipped for c in found.overall)
    if skipped:
        console.note(f"{skipped:,} labels could not assess their question: they are in no rate")
    if held.n_changed:
        console.note(f"{held.n_changed:,} labelled conversations are gone or changed since: their labels do not count")
    if held.n_held_back:
        others = [name for name in ("train", "dev", "test") if name not in held.splits]
        console.note(
            f"{held.n_held_back:,} more labelled conversations are in {', '.join(others)}: --split all reads them"
            + (", which counts as an opening of the test split" if "test" in others else "")
        )
    if "test" in held.splits:
        judges = "judge" if found.n_openings == 1 else "judges"
        console.note(f"the test split was opened for {found.n_openings} {judges} so far; after 3 draw a fresh one")
    console.note(f"kept as {found.calibration_id[:11]}" if kept_it else "nothing was kept (--dry-run)")


def _name(c: OfCode) -> str:
    return f"{c.code.name}{c.of}"


def _reviewers(names: Sequence[str]) -> str:
    return f"one reviewer, {names[0]}: single-reviewer gold" if len(names) == 1 else f"reviewers {', '.join(names)}"


def percent_of(f: Figure) -> str | None:
    """The point as a percentage; None where there is none."""
    return None if f.point is None else percent(f.point)


def interval(f: Figure) -> str:
    """`3.1 to 8.8`, in percent; nothing where there is none."""
    return percents(f.low, f.high)


def number(f: Figure) -> str | None:
    """Two decimals, for coefficients."""
    return None if f.point is None else f"{f.point:.2f}"


def number_interval(f: Figure) -> str:
    """The same of the ends."""
    return "" if f.low is None or f.high is None else f"{f.low:.2f} to {f.high:.2f}"


def _pair(f: Figure) -> tuple[str | None, str]:
    return percent_of(f), interval(f) if f.point is not None else ""
