"""Golden sets judged again, from the command line: which of them, by which instrument, and what is told of it.

The judging is a run like any other, but for what it is kept as: figures leave it out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from grader.cli import console, progress
from grader.errors import ConfigError, InputError

if TYPE_CHECKING:
    from grader.calibration.golden import Frozen, GoldenSet
    from grader.calibration.instrument import Instrument
    from grader.calibration.recheck import Checked, Held, Past
    from grader.cli.judging import Outcome
    from grader.config import Settings
    from grader.rubric import Rubric
    from grader.store import Store

SHOWN = 5


@dataclass(frozen=True)
class Judged:
    """A set, what judged it again, the run, and what came of it (None: nothing was called, or it ended early)."""

    golden: GoldenSet
    instrument: Instrument
    outcome: Outcome
    checked: Checked | None

    @property
    def stopped(self) -> bool:
        """It ended before its end: by the budget, by Ctrl-C, or by a judge that cannot go on."""
        return self.checked is None and self.outcome.summary is not None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        told = {
            "name": self.golden.name, "golden_id": self.golden.golden_id, "instrument": self.instrument,
            "run": self.outcome.as_json(), "outcome": None,
        }  # fmt: skip
        return told if self.checked is None else told | asdict(self.checked)

    def line(self) -> str:
        """For people."""
        if self.checked is None:
            return f"golden set {self.golden.name}: {self.outcome.line()}"
        cost = self.outcome.summary and progress.usd(self.outcome.summary.progress.cost_usd)
        return f"golden set {self.golden.name}: {self.checked.outcome} · {self.instrument.name} · {cost}"


def announced(settings: Settings, rubrics: Sequence[Rubric]) -> dict[str, Instrument]:
    """Rubric → what these settings judge it with."""
    from grader.calibration.instrument import announced as of
    from grader.engine.setup import make_judge

    judge = make_judge(settings, concurrency=1).judge
    grouped = settings.judge.group == "all"
    return of(judge.name, judge.model, judge.parameters, judge.prompt_hash, rubrics, group_all=grouped)


def check_sets(
    settings: Settings, store: Store, loaded: Sequence[Rubric], name: str | None, *, repeat: int, retry_failed: bool,
    dry_run: bool, quiet: bool, as_json: bool,
) -> list[Judged]:  # fmt: skip
    """Check one set, or all of these rubrics, one after the other within one budget; one that stopped is the last."""
    from grader.calibration.golden import golden_set, golden_sets

    instruments = announced(settings, loaded)
    if name is not None:
        chosen = [golden_set(store, name)]
        wanted = chosen[0].instrument.rubric
        if wanted not in instruments:
            raise ConfigError(
                f"golden set {name} is of rubric {wanted}, which is not asked",
                cure=f"--rubric {wanted}, or a version of it",
            )
    else:
        chosen = [one for one in golden_sets(store) if one.instrument.rubric in instruments]
        if not chosen:
            raise ConfigError(
                f"there is no golden set of {', '.join(instruments)}", cure="grader golden freeze makes one"
            )
    found: list[Judged] = []
    for golden in chosen:
        instrument = instruments[golden.instrument.rubric]
        one = _judged(
            settings, store, golden, instrument, loaded, repeat=repeat, retry_failed=retry_failed, dry_run=dry_run,
            quiet=quiet, spent=_spent(found),
        )  # fmt: skip
        found.append(one)
        if not as_json:
            console.out(one.line())
            if one.checked is not None:
                tell_checked(one.checked)
        if one.stopped:
            break
    return found


def before_grading(
    settings: Settings, store: Store, references: Sequence[str], *, left_out: bool, dry_run: bool, quiet: bool,
    as_json: bool,
) -> tuple[list[Judged], float]:  # fmt: skip
    """Judge the golden sets again that these rubrics have, where this instrument is neither their baseline nor was
    checked already. Returns what came of it and the USD that it took; one that stopped is the last.
    """
    if not store.rows("select 1 from golden_set limit 1"):
        return [], 0.0
    from grader.calibration.golden import golden_set
    from grader.calibration.recheck import changed, checks
    from grader.engine.setup import load_rubrics

    loaded = load_rubrics(settings, references)
    found: list[Judged] = []
    for instrument in announced(settings, loaded).values():
        for known in checks(store, instrument):
            if known.settled:
                if known.check is not None and known.check.outcome != "passed":
                    at = f"{known.check.checked_at:%Y-%m-%d}"
                    console.note(f"golden set {known.name}: {known.check.outcome} on {at}. {known.check.sentence}")
                continue
            golden = golden_set(store, known.name)
            why = ", ".join(instrument.changed_from(golden.instrument))
            if left_out:
                console.note(f"golden set {known.name} is not judged again (--no-golden), though this changed: {why}")
                continue
            if len(changed(store, golden)) == len(golden.conversations):
                console.note(f"golden set {known.name} cannot be judged again: all of its conversations changed")
                continue
            when = "would be judged again first" if dry_run else "is judged again first"
            console.note(f"golden set {known.name} {when}, since this changed: {why}")
            one = _judged(
                settings, store, golden, instrument, loaded, retry_failed=False, dry_run=dry_run, quiet=quiet,
                spent=_spent(found),
            )  # fmt: skip
            found.append(one)
            if one.checked is not None and not as_json:
                console.out(f"{one.line()}\n  {one.checked.sentence}")
            if one.stopped:
                return found, _spent(found)
    return found, _spent(found)


def _spent(found: Sequence[Judged]) -> float:
    return sum((one.outcome.summary.progress.cost_usd or 0.0) for one in found if one.outcome.summary)


def _judged(
    settings: Settings, store: Store, golden: GoldenSet, instrument: Instrument, loaded: Sequence[Rubric], *,
    repeat: int = 0, retry_failed: bool, dry_run: bool, quiet: bool, spent: float,
) -> Judged:  # fmt: skip
    from grader.calibration.recheck import changed, held_against, keep
    from grader.cli.judging import run_of
    from grader.sampling import Draw

    gone = changed(store, golden)
    draws = [Draw(i, 1.0) for i in golden.conversations if i not in gone]
    if not draws:
        raise InputError(
            f"all conversations of golden set {golden.name} are gone, or changed since it was frozen",
            cure="ingest them again as they were, or freeze another set",
        )
    (rubric,) = (r for r in loaded if r.name == instrument.rubric)
    # What is asked together is answered together: a rubric that shares its call is judged with the others here too.
    rubrics = loaded if instrument.together else (rubric,)
    chosen = {"golden": golden.golden_id, "name": golden.name, "repeats": 1, "design": "golden set"}
    outcome = run_of(
        settings, store, rubrics, draws, chosen, repeat=repeat, retry_failed=retry_failed, dry_run=dry_run, quiet=quiet,
        spent=spent,
    )  # fmt: skip
    if outcome.summary is None or outcome.summary.state not in ("complete", "incomplete"):
        return Judged(golden, instrument, outcome, None)
    found = held_against(store, golden, instrument, rubric.codes, outcome.summary.run_id)
    keep(store, golden, instrument, found, outcome.summary.run_id, datetime.now(UTC))
    return Judged(golden, instrument, outcome, found)


# ── told ──


def tell_checked(found: Checked) -> None:
    """The sentence, the counts by code, and what was left out."""
    console.out(found.sentence)
    _table((found.positives, found.negatives, *found.codes))
    if found.taught:
        console.note(f"left out, of train, which this rubric's examples were drawn from: {_some(found.taught)}")
    if found.changed:
        console.note(f"left out, gone or changed since the set was frozen: {_some(found.changed)}")
    if found.unasked:
        console.note(f"left out, no codes of this version: {_some(found.unasked)}")


def _table(held: Sequence[Held]) -> None:
    console.table(
        ("known", "code", "n>", "right before>", "right now>", "lost>", "won>", "p>"),
        [
            ("positives" if h.positive else "negatives", h.criterion or "all", h.n, h.n_before, h.n_after, h.n_worse,
             h.n_better, f"{h.p:.2g}")
            for h in held if h.n
        ],
    )  # fmt: skip


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


def _by_code(golden: GoldenSet) -> None:
    positives = Counter(i.criterion for i in golden.items if i.positive)
    found = Counter(i.criterion for i in golden.items if i.positive and i.right(i.baseline))
    negatives = Counter(i.criterion for i in golden.items if not i.positive)
    alone = Counter(i.criterion for i in golden.items if not i.positive and i.right(i.baseline))
    rows = [(c, positives[c], found[c], negatives[c], alone[c]) for c in golden.codes]
    total = ("all", golden.n_positives, found.total(), golden.n_negatives, alone.total())
    columns = ("code", "known positives>", "found>", "known negatives>", "left alone>")
    console.table(columns, [*rows, total] if len(rows) > 1 else rows)


def tell_frozen(found: Frozen, positives: int, negatives: int) -> None:
    """What a new set holds, and what it is good for."""
    from grader.calibration.golden import FEWEST, power_sentence

    golden = found.golden
    _by_code(golden)
    console.out(f"baseline: {golden.instrument.name}, run {golden.run_id}; {len(golden.conversations)} conversations")
    console.out(f"{power_sentence(golden.n_positives)}.")
    if golden.n_positives < FEWEST:
        console.note(f"fewer than {FEWEST} known positives: no check of this set will ever pass; label more")
    elif golden.n_positives < positives:
        console.note(f"there are no more than {golden.n_positives} known positives, all are in it")
    if golden.n_negatives < negatives:
        console.note(f"there are no more than {golden.n_negatives} known negatives, all are in it")
    reasons = (
        (found.n_open, "whose reviewers differ"), (found.n_neither, "neither present nor absent"),
        (found.n_changed, "of conversations that are gone or changed"), (found.n_unjudged, "without a verdict"),
    )  # fmt: skip
    told = [f"{n:,} {why}" for n, why in reasons if n]
    if told:
        console.note(f"answers that cannot be in it: {', '.join(told)}")


def tell_set(golden: GoldenSet, gone: Sequence[str], checks: Sequence[Past]) -> None:
    """One set with its items and its checks."""
    console.out(f"golden set {golden.name} ({golden.golden_id}), frozen {golden.frozen_at:%Y-%m-%d %H:%M} UTC")
    console.out(f"baseline: {golden.instrument.name}, run {golden.run_id}; labels of plan {golden.plan_id}")
    _by_code(golden)
    from grader.calibration.golden import power_sentence

    console.out(f"{power_sentence(golden.n_positives)}.")
    console.table(
        ("conversation", "code", "people say", "baseline", ""),
        [(i.conversation_id, i.criterion, i.expected, i.baseline,
          "changed" if i.conversation_id in gone else "" if i.right(i.baseline) else "wrong") for i in golden.items],
    )  # fmt: skip
    if not checks:
        console.out("no check yet: grader golden check")
    for one in checks:
        console.out(f"{one.checked_at:%Y-%m-%d %H:%M} UTC · {one.instrument} · run {one.run_id}: {one.outcome}")
        console.out(f"  {one.sentence}")
