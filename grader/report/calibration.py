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
from grader.calibration.standing import SINGLE, TITLES, Standing
from grader.report import calibration_plots as plots
from grader.report.calibration_plots import Audited, Differing, Dimension, Later, by_question
from grader.report.forest import Plot, Told, parted, told
from grader.report.render import page_html
from grader.report.tiles import plural
from grader.statistics.figure import Figure

STYLES = ("tokens.css", "brief.css", "calibration.css")
MARKS: dict[Standing, str] = {"calibrated": "✓", "not_calibrated": "○", "insufficient": "…", "unreliable": "✕"}
NEVER_ANSWERED = "This judge never answers it with yes or no; people's labels alone tell of it."
_SEVERITIES = ("critical", "high", "medium", "low", "")
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
    return page_html("calibration.html", STYLES, page=page, plural=plural, parted=parted)


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
    lines = [(c, report_line(c, began=held.began)) for c in found.codes if c.found.n_labelled]
    single = _single(held)
    return Page(
        title="Calibration", about=f"plan {held.plan.plan_id[:11]} × run {held.run_id}",
        belief=_belief(found, told_codes), believed=counts["calibrated"] > 0,
        audit_only=held.plan.audit, loud=_loud(found, single),
        facts=_facts(found, zone),
        counts=tuple((s, TITLES[s], MARKS[s], counts[s]) for s in (*_WORK, "calibrated")), counted=_counted(told_codes),
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
        return (
            "This is a recall audit: only conversations that the judge called clean of every code were drawn, so it "
            "says how much the judge can have missed, and no rate."
        )
    n, of = sum(c.stands.standing == "calibrated" for c in codes), len(codes)
    if not of:
        return "This judge answers none of the codes with yes or no, so nothing can be said of its verdicts."
    things = "rates" if any(c.code.taken_together for c in codes) else "codes"
    if not n:
        none = "The one code is not calibrated" if of == 1 else f"None of the {of} {things} is calibrated"
        return f"{none}: no rate on this page is to be quoted, and what each code lacks stands below."
    which = "The one code is" if of == 1 else f"All {of} {things} are" if n == of else f"{n} of {of} {things} are"
    rest = "" if n == of else "; the other rates are not to be quoted"
    return (
        f"{which} calibrated: for these {len(found.held.seen):,} conversations, and for this judge alone, the "
        f"corrected rate is what the reviewers would find, within its interval{rest}."
    )


def _single(held: Held) -> str:
    if len(held.reviewers) != 1:
        return ""
    return (
        f"{SINGLE[0].upper()}{SINGLE[1:]}: all labels are by {held.reviewers[0]} alone. Nobody knows how far "
        "people agree, and so how good a judge could be at all. Plan labels that overlap, with a second reviewer."
    )


def _loud(found: Calibrated, single: str) -> tuple[str, ...]:
    said = [single] if single else []
    if not found.held.even:
        said.append(
            f"Run {found.held.plan.run_id} was drawn with unequal chances: rates are of the {len(found.held.seen):,} "
            "conversations that it judged, not of all."
        )
    if "test" in found.held.splits and found.n_openings > 3:
        said.append(
            f"The test split was opened for {found.n_openings} judges; after 3 it is worn out: draw a fresh one."
        )
    return tuple(said)


def _facts(found: Calibrated, zone: tzinfo) -> tuple[tuple[str, str], ...]:
    held = found.held
    first, last = held.began
    frame = f"{len(held.seen):,} judged conversations"
    if first and last:
        frame += f", begun {first.astimezone(zone):%Y-%m-%d} to {last.astimezone(zone):%Y-%m-%d}"
    if held.plan.selection:
        frame += ", " + ", ".join(f"{name}:{value}" for name, value in held.plan.selection)
    by_split = Counter({i: a.split for (i, _), a in held.labels.items()}.values())
    labels = ", ".join(f"{by_split[s]:,} {s}" for s in SPLITS if s in held.splits)
    if held.n_held_back:
        others = ", ".join(s for s in SPLITS if s not in held.splits)
        labels += f"; {held.n_held_back:,} of {others} held back"
    names = held.reviewers
    opened = (
        f"opened for {plural(found.n_openings, 'judge')}, this one included; after 3 draw a fresh one"
        if "test" in held.splits
        else "not read for this page"
        + (f"; opened for {plural(found.n_openings, 'judge')}" if found.n_openings else "")
    )
    return (
        ("Judge", _judges(held)),
        ("Frame", frame),
        ("Labelled", f"{sum(by_split.values()):,} conversations, blind: {labels}"),
        ("Reviewers", ", ".join(names) if len(names) > 1 else f"{names[0]} alone"),
        ("Test split", opened),
        ("Calibrated", f"{found.calibrated_at.astimezone(zone):%Y-%m-%d %H:%M}, seed {found.seed}"),
    )


def _judges(held: Held) -> str:
    by_model: dict[str, list[str]] = {}
    for i in sorted(held.instruments.values(), key=lambda i: i.rubric):
        by_model.setdefault(i.model, []).append(f"{i.rubric} {i.rubric_version}")
    return "; ".join(f"{model} by {', '.join(rubrics)}" for model, rubrics in by_model.items()) or "none"


def left_out(found: Calibrated) -> tuple[str, ...]:
    """What is in no rate, and why."""
    held = found.held
    said = []
    by_question = {c.code.question: c for c in found.overall if not c.code.taken_together}
    skipped = sum(c.counted.n_skipped for c in by_question.values())
    if skipped:
        said.append(f"{skipped:,} labels could not assess their question: they are in no rate.")
    said += [f"{text}." for text in not_together(found)]
    if held.n_changed:
        said.append(f"{held.n_changed:,} labelled conversations are gone or changed since: their labels do not count.")
    if held.n_held_back:
        others = [s for s in SPLITS if s not in held.splits]
        said.append(f"{held.n_held_back:,} more labelled conversations are in {', '.join(others)}{reading(others)}.")
    if more := label_more(found):
        said.append(more)
    return tuple(said)


def not_together(found: Calibrated) -> tuple[str, ...]:
    """What of codes taken together has no rate (where critical ones have none, all have none), or is in none."""
    held = found.held
    short = [one for one in found.overall if one.counted.n_unanswered]
    return (
        *(f"{one.title} has no rate: the labels {lacks}" for one, lacks in held.lacking[:1]),
        *(
            f"{one.code.title}: {plural(one.counted.n_unanswered, 'conversation')} with a label of some of its codes "
            "only count for none"
            for one in short
        ),
    )


def reading(others: Sequence[str]) -> str:
    """How the splits are read that were held back. Train is not, once examples were drawn from it."""
    if list(others) == ["train"]:
        return ", which is left out once examples were drawn from it"
    opening = ", which counts as an opening of the test split" if "test" in others else ""
    return f": --split all reads them{opening}"


def label_more(found: Calibrated) -> str:
    """How more labels are had, where some code wants them; '' where none does."""
    short = any(c.decided and c.stands.standing in ("insufficient", "not_calibrated") for c in found.overall)
    if found.held.plan.audit or not short:
        return ""
    return (
        "More labels are had by a new, larger plan, or one of fewer codes: grader label plan -n N -c CODE --positives "
        "0.5. Labels of several plans are not added up."
    )


def _source(found: Calibrated) -> tuple[tuple[str, str], ...]:
    held = found.held
    made = [
        (f"Judge of {i.rubric} {i.rubric_version}",
         f"{i.judge}, model {i.model}, parameters {i.parameters_hash}, prompt {i.prompt_hash}, rubric {i.rubric_hash}")
        for i in held.instruments.values()
    ]  # fmt: skip
    return (
        ("Calibration", found.calibration_id), ("Label plan", held.plan.plan_id), ("Run", held.run_id), *made,
        ("Draws", f"{found.draws:,}, seed {found.seed}"), ("Grader", found.grader_version),
    )  # fmt: skip


# What to do


def todo(found: Calibrated) -> tuple[tuple[Todo, ...], tuple[Todo, ...], tuple[str, ...]]:
    """What wants work, the most urgent first; what is calibrated; and the notes that all codes share."""
    notes = {id(c): _notes(c) for c in found.overall}
    told_codes = [c for c in found.overall if c.decided]
    common = set.intersection(*(set(notes[id(c)]) for c in told_codes)) if len(told_codes) > 1 else set()
    shared = tuple(t for t in (notes[id(told_codes[0])] if told_codes else []) if t in common)
    entries: list[Todo] = []
    for mine in by_question(found.overall):
        one = mine[0]
        if not any(c.decided for c in mine):
            entries.append(
                Todo(one.code.title, one.code.question, one.code.severity, None, "not answered", "–", NEVER_ANSWERED)
            )
            continue
        each = tuple(
            Todo(c.code.title if c.code.option is None else c.code.option, c.code.name, c.code.severity,
                 c.stands.standing, c.stands.title, MARKS[c.stands.standing], c.stands.sentence,
                 told(c.found.corrected) if c.stands.standing == "calibrated" else None,
                 tuple(t for t in notes[id(c)] if t not in common))
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
    said = [plural(len(codes) - n - together, "defect")]
    said += [f"{plural(n, 'answer')} of choices"] if n else []
    said += [f"{plural(together, 'rate')} of defects taken together"] if together else []
    return f"of {' and '.join(filter(None, (', '.join(said[:-1]), said[-1])))}"


def _of_choice(one: OfCode, answers: tuple[Todo, ...]) -> Todo:
    """A choice stands as its worst answer does."""
    n = sum(t.standing == "calibrated" for t in answers)
    worst: Standing = next((s for s in _WORK if any(t.standing == s for t in answers)), "calibrated")
    sentence = f"{n} of {len(answers)} answers calibrated."
    if worst == "unreliable":
        sentence = answers[0].sentence  # alpha is of the question
    return Todo(
        one.code.title, one.code.question, one.code.severity, worst, TITLES[worst], MARKS[worst], sentence, None, (),
        answers,
    )  # fmt: skip


def _urgency(t: Todo) -> tuple[int, int, int]:
    """People who do not agree first, then by severity, then by what is lacking."""
    rank = _WORK.index(t.standing) if t.standing in _WORK else len(_WORK)
    return (0 if t.standing == "unreliable" else 2 if t.standing is None else 1, _SEVERITIES.index(t.severity), rank)
