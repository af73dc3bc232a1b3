"""A calibration as one page: what it can be believed for, what to do next, and every figure with its interval.

The view is plain records made from a `Calibrated`; the template only sets them. What cannot be told has its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from grader.calibration.calibrate import Calibrated, OfCode, report_line
from grader.calibration.held import Held
from grader.calibration.splits import SPLITS
from grader.calibration.standing import TITLES, Standing
from grader.language import N_, _, ngettext, number, retold, short_day, use
from grader.report import calibration_plots as plots
from grader.report.calibration_plots import Audited, Differing, Dimension, Later, by_question, title_of
from grader.report.forest import Plot, Told, parted, told
from grader.report.render import page_html
from grader.statistics.figure import Figure

STYLES = ("tokens.css", "brief.css", "calibration.css")
MARKS: dict[Standing, str] = {"calibrated": "✓", "not_calibrated": "○", "insufficient": "…", "unreliable": "✕"}
NEVER_ANSWERED = N_("This judge never answers it with yes or no; people's labels alone tell of it.")
_SEVERITIES = (N_("critical"), N_("high"), N_("medium"), N_("low"), "")
_WORK: Sequence[Standing] = ("unreliable", "insufficient", "not_calibrated")


@dataclass(frozen=True)
class Todo:
    """A code, or a question with its answers (`inside`), and what is to be done about it."""

    title: str
    code: str
    severity: str
    standing: Standing | None  # None: the judge never answers it
    word: str
    mark: str
    sentence: str
    rate: Told | None = None  # where it can be quoted
    notes: tuple[str, ...] = ()
    inside: tuple[Todo, ...] = ()


@dataclass(frozen=True)
class Page:
    """Everything that the page shows."""

    title: str
    about: str
    belief: str
    believed: bool
    audit_only: bool  # drawn from what was judged clean: it says what can be excluded, and no rate
    loud: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    counts: tuple[tuple[Standing, str, str, int], ...]
    counted: str
    work: tuple[Todo, ...]
    good: tuple[Todo, ...]
    also_good: str  # answers of choices that are not calibrated as a whole
    shared: tuple[str, ...]
    rates: Plot
    reliability: Plot
    errors: Plot
    apart: tuple[Differing, ...]
    reviewers: Plot | None
    unagreed: tuple[str, ...]
    single: str
    audit: tuple[Audited, ...]
    slices: tuple[Dimension, ...]
    later: tuple[Later, ...]
    lines: tuple[str, ...]
    unquotable: tuple[str, ...]
    left_out: tuple[str, ...]
    source: tuple[tuple[str, str], ...]


def html(page: Page) -> str:
    """The page as one file that needs nothing else."""
    return page_html("calibration.html", STYLES, page=page, parted=parted)


def page(
    found: Calibrated, *, later: Mapping[str, Sequence[tuple[str, Figure]]], zone: tzinfo,
    floors: Mapping[str, float] | None = None,
) -> Page:  # fmt: skip
    """What the page says. `later`: run → (code, rate that is carried over); `floors`: code → the least sensitivity that
    the gate asks of it, where it asks one.
    """
    held = found.held
    told_codes = [c for c in found.overall if c.decided]
    work, good, shared = todo(found)
    counts = Counter(c.stands.standing for c in told_codes)
    with use("en"):  # to be quoted: the same words wherever they stand
        lines = [(c, report_line(c, began=held.began)) for c in found.codes if c.found.n_labelled]
    single = _single(held)
    return Page(
        title=_("Calibration"), about=_("plan {plan} × run {run}", plan=held.plan.plan_id[:11], run=held.run_id),
        belief=_belief(found, told_codes), believed=counts["calibrated"] > 0,
        audit_only=held.plan.audit, loud=_loud(found, single),
        facts=_facts(found, zone),
        counts=tuple((s, _(TITLES[s]), MARKS[s], counts[s]) for s in (*_WORK, "calibrated")),
        counted=_counted(told_codes),
        work=work, good=good, also_good=also_good(work), shared=shared,
        rates=plots.rates(found), reliability=plots.reliability(found),
        errors=plots.errors(found, floors or {}), apart=plots.apart(found), reviewers=plots.reviewers(found),
        unagreed=plots.unagreed(found), single=single, audit=plots.audit(found), slices=plots.slices(found),
        later=plots.later(found, later),
        lines=tuple(line for c, line in lines if c.stands.standing == "calibrated"),
        unquotable=tuple(line for c, line in lines if c.stands.standing != "calibrated" and c in found.overall),
        left_out=left_out(found), source=_source(found),
    )  # fmt: skip


# The head


def _belief(found: Calibrated, codes: Sequence[OfCode]) -> str:
    """In one sentence what this page can be believed for."""
    if found.held.plan.audit:
        return _(
            "This is a recall audit: only conversations that the judge called clean of every code were drawn, so it "
            "says how much the judge can have missed, and no rate."
        )
    n, of = sum(c.stands.standing == "calibrated" for c in codes), len(codes)
    if not of:
        return _("This judge answers none of the codes with yes or no, so nothing can be said of its verdicts.")
    together = any(c.code.taken_together for c in codes)
    if not n:
        which = (
            _("The one code is not calibrated") if of == 1
            else _("None of the {n} rates is calibrated", n=of) if together
            else _("None of the {n} codes is calibrated", n=of)
        )  # fmt: skip
        return _("{which}: no rate on this page is to be quoted, and what each code lacks stands below.", which=which)
    if n == of:
        which = (
            _("The one code is calibrated") if of == 1
            else _("All {n} rates are calibrated", n=of) if together
            else _("All {n} codes are calibrated", n=of)
        )  # fmt: skip
    elif together:
        which = _("{n} of {of} rates are calibrated", n=n, of=of)
    else:
        which = _("{n} of {of} codes are calibrated", n=n, of=of)
    told = _(
        "{which}: for these {n} conversations, and for this judge alone, the corrected rate is what the reviewers "
        "would find, within its interval", which=which, n=number(len(found.held.seen)),
    )  # fmt: skip
    return f"{told}." if n == of else _("{told}; the other rates are not to be quoted.", told=told)


def _single(held: Held) -> str:
    if len(held.reviewers) != 1:
        return ""
    return _(
        "Single-reviewer gold: all labels are by {name} alone. Nobody knows how far people agree, and so how good a "
        "judge could be at all. Plan labels that overlap, with a second reviewer.",
        name=held.reviewers[0],
    )  # fmt: skip


def _loud(found: Calibrated, single: str) -> tuple[str, ...]:
    said = [single] if single else []
    if not found.held.even:
        said.append(_(
            "Run {run} was drawn with unequal chances: rates are of the {n} conversations that it judged, not of all.",
            run=found.held.plan.run_id, n=number(len(found.held.seen)),
        ))  # fmt: skip
    if "test" in found.held.splits and found.n_openings > 3:
        said.append(_(
            "The test split was opened for {n} judges; after 3 it is worn out: draw a fresh one.", n=found.n_openings
        ))  # fmt: skip
    return tuple(said)


def _facts(found: Calibrated, zone: tzinfo) -> tuple[tuple[str, str], ...]:
    held = found.held
    first, last = held.began
    frame = _("{n} judged conversations", n=number(len(held.seen)))
    if first and last:
        began, ended = (short_day(end.astimezone(zone)) for end in (first, last))
        frame = _("{frame}, begun {first} to {last}", frame=frame, first=began, last=ended)
    if held.plan.selection:
        frame += ", " + ", ".join(f"{name}:{value}" for name, value in held.plan.selection)
    by_split = Counter({i: a.split for (i, _), a in held.labels.items()}.values())
    labels = ", ".join(f"{number(by_split[s])} {s}" for s in SPLITS if s in held.splits)
    if held.n_held_back:
        others = ", ".join(s for s in SPLITS if s not in held.splits)
        labels += "; " + _("{n} of {splits} held back", n=number(held.n_held_back), splits=others)
    names = held.reviewers
    judges = ngettext("opened for {n} judge", "opened for {n} judges", found.n_openings)
    if "test" in held.splits:
        opened = _("{opened}, this one included; after 3 draw a fresh one", opened=judges)
    else:
        opened = _("not read for this page") + (f"; {judges}" if found.n_openings else "")
    at = found.calibrated_at.astimezone(zone)
    day = short_day(at)
    labelled = number(sum(by_split.values()))
    return (
        (_("Judge"), _judges(held)),
        (_("Frame"), frame),
        (_("Labelled"), _("{n} conversations, blind: {labels}", n=labelled, labels=labels)),
        (_("Reviewers"), ", ".join(names) if len(names) > 1 else _("{name} alone", name=names[0])),
        (_("Test split"), opened),
        (_("Calibrated"), _("{day} {time}, seed {seed}", day=day, time=at.strftime("%H:%M"), seed=found.seed)),
    )


def _judges(held: Held) -> str:
    by_model: dict[str, list[str]] = {}
    for i in sorted(held.instruments.values(), key=lambda i: i.rubric):
        by_model.setdefault(i.model, []).append(f"{i.rubric} {i.rubric_version}")
    told = [_("{model} by {rubrics}", model=model, rubrics=", ".join(rubrics)) for model, rubrics in by_model.items()]
    return "; ".join(told) or _("none")


def left_out(found: Calibrated) -> tuple[str, ...]:
    """What is in no rate, and why."""
    held = found.held
    said = []
    by_question = {c.code.question: c for c in found.overall if not c.code.taken_together}
    skipped = sum(c.counted.n_skipped for c in by_question.values())
    if skipped:
        said.append(_("{n} labels could not assess their question: they are in no rate.", n=number(skipped)))
    said += [f"{text}." for text in not_together(found)]
    if held.n_changed:
        said.append(_(
            "{n} labelled conversations are gone or changed since: their labels do not count.", n=number(held.n_changed)
        ))  # fmt: skip
    if held.n_held_back:
        others = [s for s in SPLITS if s not in held.splits]
        said.append(_(
            "{n} more labelled conversations are in {splits}{reading}.",
            n=number(held.n_held_back), splits=", ".join(others), reading=reading(others),
        ))  # fmt: skip
    if more := label_more(found):
        said.append(more)
    return tuple(said)


def not_together(found: Calibrated) -> tuple[str, ...]:
    """What of codes taken together has no rate (where critical ones have none, all have none), or is in none."""
    held = found.held
    short = [one for one in found.overall if one.counted.n_unanswered]
    return (
        *(
            _("{title} has no rate: the labels {lacks}", title=_(one.title), lacks=retold(lacks))
            for one, lacks in held.lacking[:1]
        ),
        *(
            ngettext(
                "{title}: {n} conversation with a label of some of its codes only count for none",
                "{title}: {n} conversations with a label of some of its codes only count for none",
                one.counted.n_unanswered,
                title=title_of(one.code),
            )
            for one in short
        ),
    )


def reading(others: Sequence[str]) -> str:
    """How the splits are read that were held back. Train is not, once examples were drawn from it."""
    if list(others) == ["train"]:
        return _(", which is left out once examples were drawn from it")
    if "test" in others:
        return _(": --split all reads them, which counts as an opening of the test split")
    return _(": --split all reads them")


def label_more(found: Calibrated) -> str:
    """How more labels are had, where some code wants them; '' where none does."""
    short = any(c.decided and c.stands.standing in ("insufficient", "not_calibrated") for c in found.overall)
    if found.held.plan.audit or not short:
        return ""
    return _(
        "More labels are had by a new, larger plan, or one of fewer codes: {command}. Labels of several plans are not "
        "added up.",
        command="grader label plan -n N -c CODE --positives 0.5",
    )


def _source(found: Calibrated) -> tuple[tuple[str, str], ...]:
    held = found.held
    made = [
        (_("Judge of {rubric}", rubric=" ".join((i.rubric, i.rubric_version))),
         _("{judge}, model {model}, parameters {parameters}, prompt {prompt}, rubric {rubric}", judge=i.judge,
           model=i.model, parameters=i.parameters_hash, prompt=i.prompt_hash, rubric=i.rubric_hash))
        for i in held.instruments.values()
    ]  # fmt: skip
    return (
        (_("Calibration"), found.calibration_id), (_("Label plan"), held.plan.plan_id), (_("Run"), held.run_id), *made,
        (_("Draws"), _("{n}, seed {seed}", n=number(found.draws), seed=found.seed)), ("Grader", found.grader_version),
    )  # fmt: skip


# What to do


def todo(found: Calibrated) -> tuple[tuple[Todo, ...], tuple[Todo, ...], tuple[str, ...]]:
    """What wants work, the most urgent first; what is calibrated; and the notes that all codes share."""
    notes = {id(c): _notes(c) for c in found.overall}
    told_codes = [c for c in found.overall if c.decided]
    common = set.intersection(*(set(notes[id(c)]) for c in told_codes)) if len(told_codes) > 1 else set()
    shared = tuple(retold(t) for t in (notes[id(told_codes[0])] if told_codes else []) if t in common)
    entries: list[Todo] = []
    for mine in by_question(found.overall):
        one = mine[0]
        if not any(c.decided for c in mine):
            entries.append(
                Todo(
                    title_of(one.code, question=True),
                    one.code.question,
                    one.code.severity,
                    None,
                    _("not answered"),
                    "–",
                    _(NEVER_ANSWERED),
                )
            )
            continue
        each = tuple(
            Todo(title_of(c.code), c.code.name, c.code.severity,
                 c.stands.standing, _(c.stands.title), MARKS[c.stands.standing], retold(c.stands.sentence),
                 told(c.found.corrected) if c.stands.standing == "calibrated" else None,
                 tuple(retold(t) for t in notes[id(c)] if t not in common))
            for c in mine if c.decided
        )  # fmt: skip
        entries += each if one.code.option is None else [_of_choice(one, each)]
    work = sorted((t for t in entries if t.standing != "calibrated"), key=_urgency)
    good = sorted((t for t in entries if t.standing == "calibrated"), key=lambda t: _SEVERITIES.index(t.severity))
    return tuple(work), tuple(good), shared


def also_good(work: Sequence[Todo]) -> str:
    """The calibrated answers of choices of which not every answer is."""
    return "; ".join(
        f"{t.title} {', '.join(mine)}"
        for t in work if (mine := [f"{a.title} {a.rate.value}" for a in t.inside if a.rate is not None])
    )  # fmt: skip


def _notes(c: OfCode) -> list[str]:
    """What is to be known beside the sentence; not what it says itself."""
    said = {c.found.corrected.reason} if c.found.shortage else set()
    return [t for t in c.found.notes if not t.endswith("is not calibrated on this code.") and t not in said]


def _counted(codes: Sequence[OfCode]) -> str:
    n = sum(c.code.option is not None for c in codes)
    together = sum(c.code.taken_together for c in codes)
    said = [ngettext("{n} defect", "{n} defects", len(codes) - n - together)]
    said += [ngettext("{n} answer of choices", "{n} answers of choices", n)] if n else []
    said += (
        [ngettext("{n} rate of defects taken together", "{n} rates of defects taken together", together)]
        if together
        else []
    )
    last = _("{some} and {last}", some=", ".join(said[:-1]), last=said[-1]) if len(said) > 1 else said[0]
    return _("of {what}", what=last)


def _of_choice(one: OfCode, answers: tuple[Todo, ...]) -> Todo:
    """A choice stands as its worst answer does."""
    n = sum(t.standing == "calibrated" for t in answers)
    worst: Standing = next((s for s in _WORK if any(t.standing == s for t in answers)), "calibrated")
    sentence = _("{n} of {of} answers calibrated.", n=n, of=len(answers))
    if worst == "unreliable":
        sentence = answers[0].sentence  # alpha is of the question
    return Todo(
        title_of(one.code, question=True), one.code.question, one.code.severity, worst, _(TITLES[worst]), MARKS[worst],
        sentence, None, (),
        answers,
    )  # fmt: skip


def _urgency(t: Todo) -> tuple[int, int, int]:
    """People who do not agree first, then by severity, then by what is lacking."""
    rank = _WORK.index(t.standing) if t.standing in _WORK else len(_WORK)
    return (0 if t.standing == "unreliable" else 2 if t.standing is None else 1, _SEVERITIES.index(t.severity), rank)
