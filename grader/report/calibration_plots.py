"""The pictures and tables of a calibration's page, as records: every code with its figures, on scales, in groups."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.calibration.calibrate import AUDITED, Calibrated, OfCode
from grader.calibration.held import Code
from grader.calibration.standing import LEAST_ALPHA, Standing
from grader.language import N_, _, ngettext, number, retold
from grader.report.forest import (
    WHOLE,
    Bound,
    Group,
    Lane,
    Mark,
    Plot,
    Row,
    Scale,
    Shape,
    Told,
    coefficient_scale,
    mark,
    rate_scale,
    told,
    told_number,
)
from grader.statistics.agreement import between_reviewers
from grader.statistics.figure import Figure, percent, undefined

NO_REPEATS = N_("No conversation was judged twice, so how often the judge contradicts itself is not known.")
FOLD = 6  # answers of a choice that are shown without asking


@dataclass(frozen=True)
class Apart:
    """Labels on which judge and people differ, counted; and of all conversations, by the strata's sizes."""

    title: str
    code: str
    n_missed: int
    n_false: int
    n_labels: int
    missed: Told
    false: Told
    left: float  # widths of the bars, in percent of the picture; their counts stand beside them
    right: float
    command: str  # of the first of a question


@dataclass(frozen=True)
class Differing:
    """Codes of a question, or all defects (without a title). `folded`: they are many."""

    title: str
    code: str
    folded: bool
    rows: tuple[Apart, ...]


@dataclass(frozen=True)
class Audited:
    """What judged-clean conversations can hide."""

    title: str
    code: str
    said: str
    n_missed: str
    n_reviewed: str
    n_clean: str
    at_most: str
    high: str
    where: str


@dataclass(frozen=True)
class Sliced:
    """A slice of a code."""

    name: str
    n: int
    told: Told
    mark: Mark | None
    standing: Standing
    word: str
    sentence: str


@dataclass(frozen=True)
class Card:
    """The slices of a code beside each other, and its rate over all as a line."""

    title: str
    code: str
    whole: Told
    at: float | None
    rows: tuple[Sliced, ...]


@dataclass(frozen=True)
class Dimension:
    """All codes by one dimension; defects on one scale, answers of choices on another."""

    name: str
    parts: tuple[tuple[str, Scale, tuple[Card, ...], bool], ...]  # title, scale, cards, folded


@dataclass(frozen=True)
class Later:
    """The rates that are carried over to a later run."""

    run: str
    rows: tuple[tuple[str, Told, Told], ...]  # code, then, carried


def title_of(code: Code, *, question: bool = False) -> str:
    """As the rubric has it: of an answer of a choice the answer, or its `question`. Codes taken together are ours."""
    if code.option is not None and not question:
        return code.option
    return _(code.title) if code.taken_together else code.title


def by_question(codes: Iterable[OfCode]) -> list[list[OfCode]]:
    """The codes by question, in their order: one of a defect, an answer each of a choice."""
    found: dict[str, list[OfCode]] = {}
    for c in codes:
        found.setdefault(c.code.question, []).append(c)
    return list(found.values())


def _groups(
    codes: Sequence[OfCode], row: Callable[[OfCode, Scale], Row], scale: Callable[[Sequence[OfCode]], Scale]
) -> tuple[Group, ...]:
    """Defects by rubric on one scale, the answers of each choice under their question on another."""
    defects = [c for c in codes if c.code.option is None]
    choices = [c for c in codes if c.code.option is not None]
    of_defects, of_choices = scale(defects), scale(choices)
    found = []
    for rubric in dict.fromkeys(c.code.rubric for c in codes):
        mine = [c for c in defects if c.code.rubric == rubric]
        version = next(c.instrument.rubric_version for c in codes if c.code.rubric == rubric)
        if mine:
            name = _("Taken together") if mine[0].code.taken_together else f"{rubric} {version}"
            found.append(Group(name, "", of_defects, tuple(row(c, of_defects) for c in mine)))
        for answers in by_question(c for c in choices if c.code.rubric == rubric):
            one = answers[0].code
            found.append(Group(
                one.question, one.title, of_choices, tuple(row(c, of_choices) for c in answers), len(answers) > FOLD
            ))  # fmt: skip
    return tuple(found)


def _row(c: OfCode, lanes: Sequence[Lane], aside: Sequence[Lane] = (), bounds: Sequence[Bound] = ()) -> Row:
    named = title_of(c.code)
    return Row(
        named, c.code.name, c.code.severity, _(c.stands.title) if c.decided else _("not answered"), tuple(lanes),
        tuple(aside), tuple(bounds), ngettext("{n} label", "{n} labels", c.found.n_labelled),
    )  # fmt: skip


def _whole(_codes: Sequence[OfCode]) -> Scale:
    return WHOLE


def rates(found: Calibrated) -> Plot:
    """The rate of each code, corrected beside raw, on one scale."""

    def row(c: OfCode, scale: Scale) -> Row:
        f = c.found
        hollow = c.stands.standing != "calibrated"
        lanes = [
            Lane(_("corrected"), "diamond", told(f.corrected, of=N_("applicable labels have it")),
                 mark(f.corrected, scale, "diamond", hollow=hollow)),
            Lane(_("raw judge"), "circle", told(f.raw, of=N_("judged")), mark(f.raw, scale, "circle")),
        ]  # fmt: skip
        people = Lane(_("people only"), "square", told(f.people, of=N_("labels")), mark(f.people, scale, "square"))
        return _row(c, [*lanes, people]) if people.mark else _row(c, lanes, [people])

    def scale(codes: Sequence[OfCode]) -> Scale:
        return rate_scale(f for c in codes for f in (c.found.corrected, c.found.raw, c.found.people))

    legend: list[tuple[Shape, bool, str]] = [
        ("diamond", False, _("corrected")), ("diamond", True, _("corrected, not calibrated")),
        ("circle", False, _("raw judge")),
    ]  # fmt: skip
    if any(c.found.people.point is not None for c in found.overall):
        legend.append(("square", False, _("people only")))
    return Plot(_("Rates"), tuple(legend), _groups(found.overall, row, scale))


def others(f: Figure) -> Figure:
    """The rate of those that are not in it: what is not confirmed, not missed."""
    if f.point is None:
        return f
    low, high = (None, None) if f.low is None or f.high is None else (1 - f.high, 1 - f.low)
    return Figure(1 - f.point, low, high, f.of - f.n, f.of, f.method, f.reason)


def reliability(found: Calibrated) -> Plot:
    """How far a flag and a clean verdict can be relied on."""

    def row(c: OfCode, scale: Scale) -> Row:
        right, after_all = c.found.accuracy.positive_value, others(c.found.accuracy.negative_value)
        lanes = [
            Lane(_("confirmed"), "diamond", told(right, of=N_("labelled flags")),
                 mark(right, scale, "diamond")),
            Lane(_("seen after all"), "circle", told(after_all, of=N_("labelled clean")),
                 mark(after_all, scale, "circle")),
        ]  # fmt: skip
        ideals = (Bound("ideal", 0, 100.0, _("ideal")), Bound("ideal", 1, 0.0, _("ideal")))
        return _row(c, lanes, bounds=[b for b, lane in zip(ideals, lanes, strict=True) if lane.mark])

    return Plot(
        _("Reliability"),
        (("diamond", False, _("of what the judge flagged, people confirm")),
         ("circle", False, _("of what it called clean, people see after all"))),
        _groups(found.overall, row, _whole), (("ideal", _("ideal: 100 % of flags, 0 % of clean")),),
    )  # fmt: skip


def errors(found: Calibrated, floors: Mapping[str, float]) -> Plot:
    """Sensitivity and specificity, with kappa and flips; a critical code's floor where the gate has one."""

    def row(c: OfCode, scale: Scale) -> Row:
        a = c.found.accuracy
        lanes = [
            Lane(_("sensitivity"), "diamond", told(a.sensitivity, of=N_("labels with it")),
                 mark(a.sensitivity, scale, "diamond")),
            Lane(_("specificity"), "circle", told(a.specificity, of=N_("labels without it")),
                 mark(a.specificity, scale, "circle")),
        ]  # fmt: skip
        flips = c.flips.rate if c.flips else undefined(NO_REPEATS, N_("pairs of runs"))
        aside = [
            Lane(_("kappa"), None, told_number(a.kappa)),
            Lane(_("flips"), None, told(flips, of=N_("judged twice"))),
        ]
        floor = floors.get(c.code.name)
        bounds = (
            [Bound("floor", 0, scale.at(floor), _("floor {share}", share=percent(floor)))] if floor is not None else []
        )
        return _row(c, lanes, aside, bounds)

    known = any(c.code.name in floors for c in found.overall)
    return Plot(
        _("Errors of the judge"),
        (("diamond", False, _("sensitivity: of those that have it, flagged")),
         ("circle", False, _("specificity: of those that have it not, not flagged"))),
        _groups(found.overall, row, _whole), (("floor", _("the gate's floor of a critical code")),) if known else (),
    )  # fmt: skip


def reviewers(found: Calibrated) -> Plot | None:
    """How far people agree, by question; None where there is one reviewer."""
    if len(found.held.reviewers) < 2:
        return None
    nobody = between_reviewers((), "", n_reviewers=2, seed=0)

    def row(c: OfCode, scale: Scale) -> Row:
        r = c.reviewers or nobody
        lanes = [
            Lane(_("alpha"), "diamond", told_number(r.alpha), mark(r.alpha, scale, "diamond")),
            Lane("AC1", "circle", told_number(r.ac1), mark(r.ac1, scale, "circle")),
        ]  # fmt: skip
        aside = [
            Lane(_("agree"), None, told(r.raw, of=N_("labelled by two"))),
            *([] if c.code.option else [Lane(_("on positives"), None, told(r.positive, of=N_("that one saw")))]),
            Lane(_("oneself"), None, told(r.itself, of=N_("looked at twice"))),
        ]  # fmt: skip
        least = (
            [Bound("least", 0, scale.at(LEAST_ALPHA), _("least {alpha}", alpha=number(LEAST_ALPHA, 3)))]
            if lanes[0].mark
            else []
        )
        made = _row(c, lanes, aside, least)
        return Row(
            title_of(c.code, question=True), c.code.question, c.code.severity, _agreed(c), made.lanes, made.aside,
            made.bounds, _("{n} by two", n=number(r.n_overlap)),
        )  # fmt: skip

    asked = [mine[0] for mine in by_question(found.overall)]
    scale = coefficient_scale(f for c in asked if (r := c.reviewers) for f in (r.alpha, r.ac1))
    rows = tuple(row(c, scale) for c in asked)
    return Plot(
        _("Agreement between reviewers"),
        (("diamond", False, _("Krippendorff's alpha")), ("circle", False, _("Gwet's AC1"))),
        (Group("", "", scale, rows),), (("least", _("least alpha, {alpha}", alpha=number(LEAST_ALPHA, 3))),),
    )  # fmt: skip


def _agreed(c: OfCode) -> str:
    return _("people do not agree") if c.stands.standing == "unreliable" else ""


def unagreed(found: Calibrated) -> tuple[str, ...]:
    """The questions that people do not agree about."""
    return tuple(
        mine[0].code.question for mine in by_question(found.overall) if mine[0].stands.standing == "unreliable"
    )


def apart(found: Calibrated) -> tuple[Differing, ...]:
    """Missed and false alarms by code, as labels count them and as shares of what they stand for."""
    counted = []
    for c in found.overall:
        if not c.decided or not c.found.n_labelled:
            continue
        missed = sum(p.n_fires for p in c.counted.parts if p.verdict in ("clean", "not_applicable"))
        false = sum(p.n_clean + p.n_not_applicable for p in c.counted.parts if p.verdict == "fires")
        counted.append((c, missed, false))
    first = {c.code.question: c for c, _, _ in reversed(counted)}
    most = max((max(missed, false) for _, missed, false in counted), default=0) or 1
    rows = [
        (c, Apart(
            title_of(c.code), c.code.name, missed, false, c.found.n_labelled,
            told(others(c.found.accuracy.sensitivity), of=N_("labels with it")),
            told(others(c.found.accuracy.positive_value), of=N_("labelled flags")),
            round(38 * missed / most, 2), round(38 * false / most, 2),
            shlex.join(["grader", "disagreements", "--code", c.code.question]) if first[c.code.question] is c else "",
        ))
        for c, missed, false in counted
    ]  # fmt: skip
    groups = [Differing("", "", False, tuple(a for c, a in rows if c.code.option is None))]
    for answers in by_question(c for c, _apart in rows if c.code.option is not None):
        one = answers[0].code
        mine = tuple(a for c, a in rows if c.code.question == one.question)
        groups.append(Differing(one.title, one.question, len(mine) > FOLD, mine))
    return tuple(g for g in groups if g.rows)


def audit(found: Calibrated) -> tuple[Audited, ...]:
    """By defect, what a blind review of clean ones can exclude."""
    rows = []
    for c in found.overall:
        a = c.audit
        if c.code.option is not None or not a.n_clean:
            continue
        clean = sum(p.n_population for p in c.counted.parts if p.verdict == "clean")
        said = (
            _("{n} of {of} judged clean → at most {share}", n=number(a.n_missed), of=number(a.n_reviewed),
              share=percent(a.at_most))
            if a.n_reviewed else _("nobody reviewed any: how many were missed is not known")
        )  # fmt: skip
        rows.append(Audited(
            title_of(c.code), c.code.name, said, number(a.n_missed) if a.n_reviewed else "–", number(a.n_reviewed),
            number(a.n_clean), percent(a.at_most) if a.n_reviewed else "–", percent(a.high) if a.n_reviewed else "–",
            "" if clean == a.n_clean else _("{n} more are present without proof", n=number(clean - a.n_clean)),
        ))  # fmt: skip
    return tuple(rows)


def slices(found: Calibrated) -> tuple[Dimension, ...]:
    """Every code by every dimension that was asked."""
    made = []
    sliced = [c for c in found.codes if c.dimension not in (None, AUDITED[0]) and c.decided]
    whole = {c.code.name: c for c in found.overall}
    for dimension in dict.fromkeys(c.dimension for c in sliced):
        mine = [c for c in sliced if c.dimension == dimension]
        parts = []
        for title, is_choice in ((_("Defects"), False), (_("Answers of choices"), True)):
            these = [c for c in mine if (c.code.option is not None) == is_choice]
            if not these:
                continue
            scale = rate_scale(c.found.corrected for c in these)
            names = list(dict.fromkeys(c.code.name for c in these))
            cards = tuple(_card(whole[n], [c for c in these if c.code.name == n], scale) for n in names)
            parts.append((title, scale, cards, is_choice and len(cards) > FOLD))
        made.append(Dimension(_(str(dimension)), tuple(parts)))
    return tuple(made)


def _card(whole: OfCode, mine: Sequence[OfCode], scale: Scale) -> Card:
    over_all = whole.found.corrected
    return Card(
        title_of(whole.code) if whole.code.option is None else f"{whole.code.title} {whole.code.option}",
        whole.code.name,
        told(over_all, of=N_("labels")), None if over_all.point is None else scale.at(over_all.point),
        tuple(
            Sliced(str(c.slice), c.found.n_labelled, told(c.found.corrected, of=N_("labels")),
                   mark(c.found.corrected, scale, "diamond", hollow=c.stands.standing != "calibrated"),
                   c.stands.standing, _(c.stands.title), retold(c.stands.sentence))
            for c in mine
        ),
    )  # fmt: skip


def later(found: Calibrated, later: Mapping[str, Sequence[tuple[str, Figure]]]) -> tuple[Later, ...]:
    """The rates of later runs beside those of the labelled frame."""
    then = {c.code.name: c.found.corrected for c in found.overall}
    return tuple(
        Later(run, tuple(
            (name, told(then[name], of=N_("labels")), told(figure, of=N_("labels")))
            for name, figure in rows if name in then
        ))
        for run, rows in later.items()
    )  # fmt: skip
