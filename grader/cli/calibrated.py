"""What `grader calibrate` prints."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from grader.cli import console
from grader.errors import ConfigError
from grader.statistics.figure import percent, percents

if TYPE_CHECKING:
    from grader.calibration.calibrate import Calibrated, OfCode
    from grader.calibration.held import Code
    from grader.labelling.plan import LabelPlan
    from grader.statistics.figure import Figure
    from grader.store import Store


SHARED = 3  # codes with one and the same note: it is told once, with their names


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


def questions_named(store: Store, plan: LabelPlan, wanted: Sequence[str]) -> tuple[str, ...]:
    """The questions of the codes that are named, before any label is read: an answer of a choice may be one that only a
    judge or a person has given. Raises ConfigError.
    """
    from grader.calibration.held import Code
    from grader.labelling.frame import rubrics_of

    rubrics = rubrics_of(store, plan.run_id)
    codes = [Code(q.rubric, q.criterion, None, "", "") for q in plan.questions]
    found = []
    for name in wanted:
        question, equals, _ = name.partition(" = ")
        (one,) = named(codes, [question])
        if equals and rubrics[one.rubric].criterion(one.criterion).scale != "choice":
            raise ConfigError(f"--code {name!r}: {one.question} is no choice", cure=f"--code {one.question}")
        found.append(one.question)
    return tuple(found)


def tell(found: Calibrated, later: Mapping[str, Sequence[tuple[str, Figure]]], *, kept_it: bool, lines: bool) -> None:
    """A calibration for a person: rates, errors of the judge, reviewers, what is left out, and what to do next."""
    from grader.calibration.calibrate import report_line
    from grader.report.calibration_plots import others

    held = found.held
    short = _short_names(found)
    first, last = held.began
    frame = f", {first:%Y-%m-%d} to {last:%Y-%m-%d}" if first and last else ""
    console.out(f"plan {held.plan.plan_id[:11]} × run {held.run_id} · {len(held.seen):,} judged conversations{frame}")
    console.out(f"judge {'; '.join(i.name for i in held.instruments.values())}")
    console.out(f"labels of {', '.join(held.splits)} · {_reviewers(held.reviewers)}")
    if held.plan.audit:
        console.out("a recall audit: only conversations that the judge called clean of every code were drawn")
        _tell_audit(found, short)
        for c in found.overall:
            if not c.code.option:
                _lines(f"{c.code.name}: {c.audit.sentence}", 2)
        _tell_rest(found, kept_it=kept_it)
        return
    answered = [c for c in found.overall if c.decided]
    console.out("\nrates: share of the applicable conversations, with 95 % intervals")
    _table(
        ["code", "labels>", "corrected>", "", "raw judge>", "of>", "standing"],
        [
            (short[c.code.name], c.found.n_labelled, *_pair(c.found.corrected), percent_of(c.found.raw),
             f"{c.found.raw.n:,} of {c.found.raw.of:,}", c.stands.title)
            for c in answered
        ],
    )  # fmt: skip
    alone = [(short[c.code.name], *_pair(c.found.people), c.found.n_labelled) for c in found.overall]
    if any(row[1] is not None for row in alone):
        console.out("\npeople's labels alone")
        _table(["code", "people only>", "", "labels>"], alone)
    console.out("\nthe judge against the reference")
    _table(
        ["code", "sensitivity>", "", "specificity>", "", "kappa>", "flips>"],
        [
            (short[c.code.name], *_pair(c.found.accuracy.sensitivity), *_pair(c.found.accuracy.specificity),
             number(c.found.accuracy.kappa), percent_of(c.flips.rate) if c.flips else None)
            for c in answered
        ],
    )  # fmt: skip
    console.out("\nwhat its verdicts are worth: of flags, confirmed; of what it called clean, seen after all")
    _table(
        ["code", "precision>", "", "missed of clean>", ""],
        [
            (short[c.code.name], *_pair(c.found.accuracy.positive_value),
             *_pair(others(c.found.accuracy.negative_value)))
            for c in answered
        ],
    )  # fmt: skip
    if len(held.reviewers) > 1:
        console.out("\nthe reviewers: the ceiling of what a judge can do")
        _table(
            ["code", "by two>", "agree>", "alpha>", "", "AC1>", "positives>", "oneself>"],
            [
                (short[c.code.question], r.n_overlap, percent_of(r.raw), number(r.alpha), number_interval(r.alpha),
                 number(r.ac1), None if c.code.option else percent_of(r.positive), percent_of(r.itself))
                for c in _questions(found.overall) if (r := c.reviewers) is not None
            ],
        )  # fmt: skip
    _tell_audit(found, short)
    _tell_slices(found, short)
    _tell_later(later)
    _tell_standings(found)
    quoted = [c for c in found.codes if c.found.n_labelled and (lines or c.stands.standing == "calibrated")]
    if quoted:
        console.out("\nto quote")
        for c in quoted:
            console.out(f"  {report_line(c, began=held.began)}")
    _tell_rest(found, kept_it=kept_it)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table without the columns that nobody has anything in, so that it fits a terminal."""
    full = [n for n in range(len(columns)) if n == 0 or any(row[n] not in (None, "") for row in rows)]
    console.table([columns[n] for n in full], [[row[n] for n in full] for row in rows])


def _short_names(found: Calibrated) -> dict[str, str]:
    """A code's name → what `--code` takes for it: without its rubric, where no other rubric has the criterion."""
    rubrics: dict[str, set[str]] = {}
    for c in found.overall:
        rubrics.setdefault(c.code.criterion, set()).add(c.code.rubric)
    return {
        name: name.removeprefix(f"{c.code.rubric}.") if len(rubrics[c.code.criterion]) == 1 else name
        for c in found.overall for name in (c.code.name, c.code.question)
    }  # fmt: skip


def _tell_slices(found: Calibrated, short: Mapping[str, str]) -> None:
    """A table for each dimension; errors of the judge by slice are in --json."""
    from grader.calibration.calibrate import AUDITED

    sliced = [c for c in found.codes if c.dimension not in (None, AUDITED[0]) and c.decided]
    for dimension in dict.fromkeys(c.dimension for c in sliced):
        rows: list[tuple[object, ...]] = []
        last = ""
        for c in (c for c in sliced if c.dimension == dimension):
            name = short[c.code.name]
            rows.append((
                "" if name == last else name, c.slice, c.found.n_labelled, *_pair(c.found.corrected), c.stands.title,
            ))  # fmt: skip
            last = name
        console.out(f"\nby {dimension}")
        _table(["code", str(dimension), "labels>", "corrected>", "", "standing"], rows)


def _tell_standings(found: Calibrated) -> None:
    """What each code amounts to, the most urgent first. Of a choice its answers are counted, of slices nothing is said,
    unless one question was asked for.
    """
    from grader.report.calibration import todo

    console.out("\nwhat to do")
    work, good, shared = todo(found)
    one_question = len({c.code.question for c in found.codes}) == 1
    often = Counter(text for t in (*work, *good) for text in t.notes)
    many = [text for text, n in often.items() if n >= SHARED and not (one_question and any(t.inside for t in work))]
    for t in (*work, *good):
        if one_question and t.inside:
            for answer in t.inside:
                _tell_code(answer.code, answer.word, answer.sentence, answer.notes)
            continue
        more = f" --code {t.code} tells what each wants." if t.inside and t.standing != "calibrated" else ""
        _tell_code(t.code, t.word, t.sentence + more, [text for text in t.notes if text not in many])
    for c in found.codes:
        if one_question and c.dimension is not None and c.decided:
            _tell_code(_name(c), c.stands.title, c.stands.sentence, ())
    for text in many:
        mine = [t.code.partition(".")[2] for t in (*work, *good) if text in t.notes]
        _lines(f"{len(mine)} codes ({', '.join(mine)}): {text}", 2)
    for text in shared:
        _lines(f"all codes: {text}", 2)


def _tell_code(name: str, word: str, sentence: str, notes: Sequence[str]) -> None:
    _lines(f"{name}: {word}. {_cut(sentence)}", 2)
    for text in notes:
        _lines(_cut(text), 4)


def _cut(text: str) -> str:
    """What is long as its beginning; --json has all of it."""
    from grader.report.forest import parted

    head, rest = parted(text)
    n = rest.count(" label ") if head.endswith(".") else 0
    return f"{head} And {n} more like this." if n else head


def _lines(text: str, indent: int) -> None:
    """On a terminal broken at its width, its next lines further in."""
    width = console.console().width if sys.stdout.isatty() else 10_000
    for line in textwrap.wrap(
        console.clean(text), max(width, 40), initial_indent=" " * indent, subsequent_indent=" " * (indent + 2),
        break_long_words=False, break_on_hyphens=False,
    ):  # fmt: skip
        console.out(line)


def _questions(codes: Sequence[OfCode]) -> list[OfCode]:
    """One code of each question: agreement is the same for every option of a choice."""
    return list({c.code.question: c for c in reversed(codes)}.values())[::-1]


def _tell_audit(found: Calibrated, short: Mapping[str, str]) -> None:
    rows = [
        (short[c.code.name], c.audit.n_missed, c.audit.n_reviewed, c.audit.n_clean,
         percent(c.audit.at_most) if c.audit.n_reviewed else None)
        for c in found.overall if c.audit.n_clean and not c.code.option
    ]  # fmt: skip
    if rows:
        console.out("\nrecall audit: conversations judged clean, reviewed blind")
        console.table(["code", "had it>", "reviewed>", "judged clean>", "at most (95 %)>"], rows)


def _tell_later(later: Mapping[str, Sequence[tuple[str, Figure]]]) -> None:
    for run, rows in later.items():
        console.out(f"\ncarried over to run {run}: assumes sensitivity and specificity as they were then")
        _table(
            ["code", "rate>", "", "why not, or how to read it"],
            [(name, percent_of(f), interval(f), f.reason) for name, f in rows],
        )


def _tell_rest(found: Calibrated, *, kept_it: bool) -> None:
    from grader.report.calibration import label_more, not_together, reading

    held = found.held
    if not held.even:
        console.note(
            f"run {held.plan.run_id} was drawn with unequal chances: rates are of the {len(held.seen):,} conversations "
            "that it judged, not of all"
        )
    skipped = sum(c.counted.n_skipped for c in _questions(found.overall) if not c.code.taken_together)
    if skipped:
        console.note(f"{skipped:,} labels could not assess their question: they are in no rate")
    for text in not_together(found):
        console.note(text)
    if held.n_changed:
        console.note(f"{held.n_changed:,} labelled conversations are gone or changed since: their labels do not count")
    if held.n_held_back:
        others = [name for name in ("train", "dev", "test") if name not in held.splits]
        console.note(f"{held.n_held_back:,} more labelled conversations are in {', '.join(others)}{reading(others)}")
    if "test" in held.splits:
        judges = "judge" if found.n_openings == 1 else "judges"
        console.note(f"the test split was opened for {found.n_openings} {judges} so far; after 3 draw a fresh one")
    if text := label_more(found):
        console.note(text)
    console.note(f"kept as {found.calibration_id[:11]}" if kept_it else "nothing was kept (--dry-run)")
    if not held.plan.audit:
        plan = held.plan.plan_id[:11]
        console.note(f"next: grader disagreements {plan} -o reports/disagreements.html shows where the judge errs")


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
    from grader.report.forest import coefficient

    return None if f.point is None else coefficient(f.point)


def number_interval(f: Figure) -> str:
    """The same of the ends."""
    from grader.report.forest import told_number

    return told_number(f).interval


def _pair(f: Figure) -> tuple[str | None, str]:
    return percent_of(f), interval(f) if f.point is not None else ""
