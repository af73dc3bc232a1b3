"""A golden set judged again: what the judge knew and no longer knows, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from grader.calibration.golden import FEWEST, GoldenSet, Known, golden_sets, power_sentence
from grader.calibration.instrument import Instrument
from grader.calibration.splits import shown, taught_from
from grader.labelling.frame import frame
from grader.labelling.plan import Question
from grader.language import N_
from grader.statistics.paired import holm, mcnemar
from grader.store import Store

LEVEL = 0.05
OUTCOMES = ("passed", "failed", "insufficient")


@dataclass(frozen=True, slots=True)
class Held:
    """Known positives (or negatives) of one code, or pooled over all (`criterion` None): how many were right at the
    baseline and are now; `n_better` and `n_worse` are the ones that changed. `p` is exact McNemar's, two-sided; of a
    code, adjusted by Holm over the codes.
    """

    criterion: str | None
    positive: bool
    n: int
    n_before: int
    n_after: int
    n_better: int
    n_worse: int
    p: float

    @property
    def fell(self) -> bool:
        """It got worse by more than chance."""
        return self.n_worse > self.n_better and self.p < LEVEL


@dataclass(frozen=True, slots=True)
class Checked:
    """A set held against new verdicts. `n_missing`: items without one; `changed`: conversations that are gone or not
    what they were, and `unasked`: codes that the rubric's version lacks; both are left out.
    """

    outcome: str
    sentence: str
    positives: Held
    negatives: Held
    codes: tuple[Held, ...]
    n_missing: int
    changed: tuple[str, ...]
    unasked: tuple[str, ...]
    taught: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A check as it was kept."""

    outcome: str
    sentence: str
    run_id: str
    checked_at: datetime
    n_missing: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an instrument from one golden set. `is_baseline`: the set was frozen with this very instrument,
    which needs no check. `check`: the latest, None where there was none.
    """

    name: str
    golden_id: str
    n_positives: int
    n_negatives: int
    frozen_at: datetime
    is_baseline: bool
    check: Check | None

    @property
    def settled(self) -> bool:
        """Judging the set again would tell nothing new."""
        return self.is_baseline or (self.check is not None and not self.check.n_missing)


def changed(store: Store, golden: GoldenSet) -> tuple[str, ...]:
    """The conversations of the set that are gone, or not what they were when it was frozen."""
    frozen = golden.conversations
    now = store.content_hashes(list(frozen))
    return tuple(name for name, was in frozen.items() if now.get(name) != was)


def held_against(store: Store, golden: GoldenSet, instrument: Instrument, codes: Sequence[str], run_id: str) -> Checked:
    """What this run, judged with `instrument`, says of the set. `codes`: those that its version of the rubric has."""
    asked = [c for c in golden.codes if c in codes]
    questions = [Question(instrument.rubric, instrument.rubric_version, instrument.rubric_hash, c) for c in asked]
    verdicts = {
        (member.conversation_id, code): verdict
        for member in (frame(store, run_id, questions) if questions else ())
        for code, verdict in zip(asked, member.verdicts, strict=True)
    }
    unasked = tuple(c for c in golden.codes if c not in codes)
    return compared(golden, verdicts, changed(store, golden), unasked, taught(store, golden, instrument))


def taught(store: Store, golden: GoldenSet, judge: Instrument) -> tuple[str, ...]:
    """The conversations of the set that this judge may have been shown as examples: those of train, where its rubric's
    version has some. What it was shown would make up for what it lost.
    """
    if not shown(taught_from(store, golden.plan_id), judge):
        return ()
    of_train = "select conversation_id from label_draw where plan_id = ? and split = 'train'"
    train = {i for (i,) in store.rows(of_train, [golden.plan_id])}
    return tuple(i for i in golden.conversations if i in train)


def compared(
    golden: GoldenSet, verdicts: Mapping[tuple[str, str], str | None], gone: Sequence[str] = (),
    unasked: Sequence[str] = (), known: Sequence[str] = (),
) -> Checked:  # fmt: skip
    """The set against these verdicts, by (conversation, code).

    Failed: right answers fell beyond chance, on known positives or on known negatives, pooled over the codes (two-sided
    5 % each) or in a code (the same after Holm). Where verdicts are missing nothing is decided. Passed: no such fall,
    among `FEWEST` known positives at least.
    """
    pairs, n_missing = [], 0
    left_out = {*gone, *known}
    for item in golden.items:
        if item.conversation_id in left_out or item.criterion in unasked:
            continue
        verdict = verdicts.get((item.conversation_id, item.criterion))
        if verdict is None:
            n_missing += 1
        else:
            pairs.append((item, verdict))
    positives, negatives = (_held(None, sign, pairs) for sign in (True, False))
    codes = [h for sign in (True, False) for h in _by_code(golden.codes, sign, pairs)]
    fallen = [h for h in (positives, negatives, *codes) if h.fell]
    few = positives.n < FEWEST
    outcome = "insufficient" if n_missing else "failed" if fallen else "insufficient" if few else "passed"
    sentence = _sentence(golden, outcome, positives, negatives, fallen, n_missing)
    return Checked(
        outcome, sentence, positives, negatives, tuple(codes), n_missing, tuple(gone), tuple(unasked),
        tuple(known),
    )  # fmt: skip


def _held(criterion: str | None, positive: bool, pairs: Sequence[tuple[Known, str]]) -> Held:
    mine = [(item.right(item.baseline), item.right(verdict)) for item, verdict in pairs
            if item.positive is positive and criterion in (None, item.criterion)]  # fmt: skip
    better = sum(after and not before for before, after in mine)
    worse = sum(before and not after for before, after in mine)
    before, after = (sum(one[n] for one in mine) for n in (0, 1))
    return Held(criterion, positive, len(mine), before, after, better, worse, mcnemar(better, worse))


def _by_code(codes: Sequence[str], positive: bool, pairs: Sequence[tuple[Known, str]]) -> list[Held]:
    found = [h for h in (_held(code, positive, pairs) for code in codes) if h.n]
    adjusted = holm([h.p for h in found])
    return [
        Held(h.criterion, h.positive, h.n, h.n_before, h.n_after, h.n_better, h.n_worse, p)
        for h, p in zip(found, adjusted, strict=True)
    ]


def _sentence(
    golden: GoldenSet, outcome: str, positives: Held, negatives: Held, fallen: Sequence[Held], n_missing: int
) -> str:
    seen = f"{_told(positives)}; {_told(negatives)}"
    if n_missing:
        missing = N_(
            "Not decided: {n} of {of} answers could not be had. So far: {told}. Run grader golden check again; grader "
            "failures tells the causes."
        )
        return missing.format(n=f"{n_missing:,}", of=f"{len(golden.items):,}", told=seen)
    if outcome == "failed":
        where = "; ".join(_told(h) for h in fallen if h.criterion)
        said = [N_("Worse than before by more than chance: {told}.").format(told=seen)]
        if where:
            said.append(N_("By code: {told}.").format(told=where))
        back = N_(
            "Do not believe its rates, nor compare them with earlier ones: go back to {judge}, or label anew (grader "
            "label plan) and calibrate it."
        )
        return " ".join([*said, back.format(judge=golden.instrument.name)])
    if outcome == "insufficient":
        few = N_("Too little to tell: {n} known positives, {least} are needed; {told}.")
        more = N_("Label more, then freeze a larger set under another name.")
        told = few.format(n=positives.n, least=FEWEST, told=seen)
        return f"{told} {power_sentence(positives.n)}. {more}"
    none = N_("No fall beyond chance: {told}.").format(told=seen)
    return f"{none} {power_sentence(positives.n)}."


def _told(held: Held) -> str:
    code = f"{held.criterion}: " if held.criterion else ""
    if not held.n:
        return code + (N_("no known positives") if held.positive else N_("no known negatives"))
    moved = N_("the same")
    if held.n_worse + held.n_better:
        won = N_("{n} lost, {better} won, p {p}")
        moved = won.format(n=held.n_worse, better=held.n_better, p=_p(held.p))
    positive = N_("{n} of {of} known positives found, {before} before ({told})")
    negative = N_("{n} of {of} known negatives left alone, {before} before ({told})")
    told = (positive if held.positive else negative).format(n=held.n_after, of=held.n, before=held.n_before, told=moved)
    return code + told


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


# ── kept ──


def keep(store: Store, golden: GoldenSet, instrument: Instrument, found: Checked, run_id: str, now: datetime) -> None:
    """Keep what a check came to."""
    row = instrument.row()
    del row["rubric"]  # the set's
    evidence = {
        "positives": asdict(found.positives), "negatives": asdict(found.negatives),
        "codes": [asdict(h) for h in found.codes], "n_missing": found.n_missing, "changed": list(found.changed),
        "unasked": list(found.unasked), "taught": list(found.taught),
    }  # fmt: skip
    store.add_golden_check({
        "golden_id": golden.golden_id, "run_id": run_id, **row, "outcome": found.outcome, "sentence": found.sentence,
        "evidence": evidence, "checked_at": now,
    })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Past:
    """A check of a set: what was judged with (`gpt-4.1-mini@accuracy 1.0.0`), in which run, what it came to."""

    instrument: str
    run_id: str
    outcome: str
    sentence: str
    checked_at: datetime


def history(store: Store, golden: GoldenSet) -> list[Past]:
    """All checks of a set, the first one first."""
    return [
        Past(f"{model}@{golden.instrument.rubric} {version}", run_id, outcome, sentence, at.replace(tzinfo=UTC))
        for model, version, run_id, outcome, sentence, at in store.rows(
            "select model, rubric_version, run_id, outcome, sentence, checked_at from golden_check "
            "where golden_id = ? order by checked_at, rowid",
            [golden.golden_id],
        )
    ]


def checks(store: Store, instrument: Instrument) -> list[Standing]:
    """What each golden set of the instrument's rubric says of it, by the set's name: its latest check, or None. Empty
    where there is no set.
    """
    latest = {
        row["golden_id"]: Check(
            row["outcome"], row["sentence"], row["run_id"], row["checked_at"].replace(tzinfo=UTC), row["n_missing"]
        )
        for row in store.records(
            "select golden_id, outcome, sentence, run_id, checked_at, "
            "(evidence ->> '$.n_missing')::integer as n_missing from golden_check "
            "where judge = $judge and model = $model and parameters_hash = $parameters_hash "
            "and prompt_hash = $prompt_hash and rubric_hash = $rubric_hash and together = $together "
            "order by checked_at, rowid",
            {k: v for k, v in instrument.row().items() if k not in ("rubric", "rubric_version")},
        )
    }
    return [
        Standing(
            one.name, one.golden_id, one.n_positives, one.n_negatives, one.frozen_at,
            one.instrument.identity == instrument.identity, latest.get(one.golden_id),
        )
        for one in golden_sets(store, instrument.rubric)
    ]  # fmt: skip
