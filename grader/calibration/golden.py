"""Golden sets: conversations whose answers people know, frozen with what the judge said of them, so that it can be
asked again whenever it changes. A set is written once, in the database and as a file, and never changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.calibration.instrument import Instrument, of_run
from grader.errors import ConfigError, InputError
from grader.labelling.frame import frame, rubric_as_used
from grader.labelling.plan import LabelPlan, Question
from grader.labelling.reference import Answered, reference
from grader.language import N_
from grader.model import JsonValue, digest
from grader.sampling import planfile
from grader.statistics.paired import power
from grader.store import Store

FORMAT = "grader.golden-set"
FORMAT_VERSION = 1
SPLITS = ("train", "dev")  # the test split stays shut
FEWEST = 30  # known positives: below, a fall can hardly be told from chance
FALL = (0.9, 0.7)  # of sensitivity: what a set's power is told for
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_REDRAW = "restore it from a backup, or freeze another: grader golden freeze"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Known:
    """One code of one conversation: what people say (`expected`: present or absent), and what the judge said then, as
    figures count it: unsupported is present without proof.
    """

    conversation_id: str
    content_hash: str
    criterion: str
    expected: str
    baseline: str

    @property
    def positive(self) -> bool:
        """People say that the defect is there."""
        return self.expected == "present"

    def right(self, verdict: str) -> bool:
        """A known positive fires, a known negative does not."""
        return (verdict == "present") == self.positive


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """What is known of one rubric's defects. `run_id` is the run of the baseline, `instrument` what judged there."""

    golden_id: str
    name: str
    plan_id: str
    run_id: str
    instrument: Instrument
    seed: int
    items: tuple[Known, ...]
    grader_version: str
    frozen_at: datetime

    @property
    def conversations(self) -> dict[str, str]:
        """Conversation → content hash when it was frozen."""
        return {item.conversation_id: item.content_hash for item in self.items}

    @property
    def codes(self) -> tuple[str, ...]:
        """In the order of their first item."""
        return tuple(dict.fromkeys(item.criterion for item in self.items))

    @property
    def n_positives(self) -> int:
        """Known positives."""
        return sum(item.positive for item in self.items)

    @property
    def n_negatives(self) -> int:
        """Known negatives."""
        return len(self.items) - self.n_positives


@dataclass(frozen=True, slots=True)
class Frozen:
    """A set that was made, and what could not be in it: answers of the plan that are open, neither present nor absent,
    about a conversation that changed since, or without a verdict of the run.
    """

    golden: GoldenSet
    n_open: int
    n_neither: int
    n_changed: int
    n_unjudged: int


# ── making one ──


def freeze(
    store: Store, name: str, plan: LabelPlan, *, rubric: str | None, run_id: str, positives: int, negatives: int,
    seed: int, grader_version: str, now: datetime,
) -> Frozen:  # fmt: skip
    """Choose known positives and negatives from the plan's train and dev labels. Nothing is stored.

    Places are spread evenly over the codes, the next conversation of each by a hash of the seed, one that is not in the
    set yet before others, so that items lean on each other as little as can be. Raises ConfigError for a name or a
    rubric that cannot be, InputError where there is no known positive.
    """
    check_name(name)
    asked = _questions(plan, rubric)
    instrument = of_run(store, run_id).get(asked[0].rubric)
    if instrument is None:
        raise InputError(
            f"run {run_id} has no judgement by rubric {asked[0].rubric}", field="--run", cure="take another run"
        )
    codes = _defects(store, asked, instrument)
    questions = [Question(instrument.rubric, instrument.rubric_version, instrument.rubric_hash, code) for code in codes]
    verdicts: dict[tuple[str, str], str | None] = {}
    hashes: dict[str, str] = {}
    for member in frame(store, run_id, questions):
        hashes[member.conversation_id] = member.content_hash
        verdicts |= {
            (member.conversation_id, c): v for c, v in zip(codes, member.verdicts, strict=True)
        }  # fmt: skip
    chosen = plan.chosen()
    left: Counter[str] = Counter()
    known: dict[tuple[str, bool], list[Known]] = {(code, sign): [] for code in codes for sign in (True, False)}
    for one in reference(store, plan, SPLITS, purpose="golden set", now=now):
        if one.rubric != instrument.rubric or one.criterion not in codes:
            continue
        frozen_hash = chosen[one.conversation_id].content_hash
        verdict = verdicts.get((one.conversation_id, one.criterion))
        why = _left_out(one, hashes.get(one.conversation_id), frozen_hash, verdict)
        if why:
            left[why] += 1
        elif verdict is not None:
            item = Known(one.conversation_id, frozen_hash, one.criterion, str(one.answer), verdict)
            known[one.criterion, item.positive].append(item)
    used: set[str] = set()
    first = _spread([known[code, True] for code in codes], positives, seed, used)
    if not first:
        raise InputError(
            f"nobody found a defect of {instrument.rubric} in the train and dev labels of plan {plan.plan_id}",
            cure="a golden set is made of known positives: label more, grader label status tells how far it is",
        )
    items = sorted(
        first + _spread([known[code, False] for code in codes], negatives, seed, used),
        key=lambda i: (codes.index(i.criterion), not i.positive, i.conversation_id),
    )
    made = named(GoldenSet(
        "", name, plan.plan_id, run_id, instrument, seed, tuple(items), grader_version, now
    ))  # fmt: skip
    return Frozen(made, left["open"], left["neither"], left["changed"], left["unjudged"])


def check_name(name: str) -> None:
    """Raise ConfigError for a name that cannot be a file's."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot be the name of a golden set",
            cure="letters, digits, dots, - and _, a letter or digit first, 60 at most",
        )


def _questions(plan: LabelPlan, rubric: str | None) -> list[Question]:
    rubrics = list(dict.fromkeys(q.rubric for q in plan.questions))
    some = ", ".join(rubrics)
    if rubric is None and len(rubrics) > 1:
        raise ConfigError(
            f"plan {plan.plan_id} is about {len(rubrics)} rubrics", cure=f"--rubric, one set for each: {some}"
        )
    if rubric is not None and rubric not in rubrics:
        raise ConfigError(f"--rubric {rubric!r} is none of plan {plan.plan_id}", cure=f"one of {some}")
    return [q for q in plan.questions if q.rubric == (rubric or rubrics[0])]


def _defects(store: Store, asked: Sequence[Question], instrument: Instrument) -> list[str]:
    """The codes of the defect scale that were asked and that the run's version of the rubric has."""
    used = rubric_as_used(store, instrument.rubric, instrument.rubric_version)
    wanted = {q.criterion for q in asked}
    codes = [c.code for c in used.criteria if c.code in wanted and c.scale == "defect"]
    if not codes:
        raise ConfigError(
            f"the plan asks no defect of {used.reference}", cure="a golden set holds defects: another --rubric"
        )
    return codes


def _left_out(one: Answered, now: str | None, then: str, verdict: str | None) -> str:
    """Why this answer cannot be in a set; empty where it can."""
    if one.answer is None:
        return "open"
    if one.answer not in ("present", "absent"):
        return "neither"
    if now != then:
        return "changed"
    return "unjudged" if verdict is None else ""


def _spread(by_code: Sequence[Sequence[Known]], n: int, seed: int, used: set[str]) -> list[Known]:
    """n of these, a place to each code in turn; `used` grows by their conversations."""
    order: Callable[[Known], str] = lambda i: digest("gi", [seed, i.criterion, i.conversation_id])  # noqa: E731 - a key
    waiting = [sorted(items, key=order) for items in by_code]
    taken: list[Known] = []
    while len(taken) < n and any(waiting):
        for queue in waiting:
            if queue and len(taken) < n:
                one = next((i for i in queue if i.conversation_id not in used), queue[0])
                queue.remove(one)
                used.add(one.conversation_id)
                taken.append(one)
    return taken


def power_sentence(n_positives: int) -> str:
    """What a set of so many known positives can be trusted to find."""
    before, after = FALL
    apart, kept = (power(n_positives, before, after, regained=r) for r in (None, 0.0))
    told = N_(
        "{n} known positives show a fall of sensitivity from {before} to {after} in {apart} of cases where new misses "
        "have nothing to do with old ones, in {kept} where every old miss stays"
    )
    return told.format(
        n=n_positives, before=f"{before:g}", after=f"{after:g}", apart=f"{apart:.0%}", kept=f"{kept:.0%}"
    )


# ── keeping it ──


def named(golden: GoldenSet) -> GoldenSet:
    """The set with its identity."""
    return replace(golden, golden_id=digest("gs", _meaning(golden)))


def _meaning(golden: GoldenSet) -> dict[str, JsonValue]:
    """All that decides what a check means; not when, or by which Grader, it was frozen."""
    return {
        "name": golden.name, "plan_id": golden.plan_id, "run_id": golden.run_id, "seed": golden.seed,
        "instrument": dict(golden.instrument.row()), "items": [asdict(item) for item in golden.items],
    }  # fmt: skip


def document(golden: GoldenSet) -> dict[str, JsonValue]:
    """The file as plain JSON values."""
    return {
        "format": FORMAT, "format_version": FORMAT_VERSION, "golden_id": golden.golden_id,
        "frozen_at": golden.frozen_at.astimezone(UTC).isoformat(), "grader_version": golden.grader_version,
        **_meaning(golden),
    }  # fmt: skip


def write(golden: GoldenSet, path: Path) -> None:
    """Write the file, whole or not at all. Raises StoreError."""
    planfile.write(planfile.text(document(golden), ("items",)), path, "check the rights", "golden set")


def read(path: Path) -> GoldenSet:
    """The set that a file holds. Raises InputError where it is none, or not as it was written."""
    data = planfile.read(path, (FORMAT, FORMAT_VERSION), "golden set", _REDRAW)
    try:
        golden = parsed(data)
        same = named(golden)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"is no golden set: {error!r}", file=str(path), cure=_REDRAW) from error
    if same.golden_id != golden.golden_id:
        raise InputError(
            "was changed by hand: what it holds is not what its golden_id stands for", file=str(path), cure=_REDRAW
        )
    return golden


def parsed(data: Mapping[str, Any]) -> GoldenSet:
    """A document as a set. Raises KeyError, TypeError or ValueError where it is none."""
    return GoldenSet(
        str(data["golden_id"]), str(data["name"]), str(data["plan_id"]), str(data["run_id"]),
        Instrument(**data["instrument"]), int(data["seed"]), tuple(Known(**row) for row in data["items"]),
        str(data["grader_version"]), datetime.fromisoformat(data["frozen_at"]),
    )  # fmt: skip


def keep(store: Store, golden: GoldenSet) -> bool:
    """Store a set; False where it is there already."""
    row = {
        "golden_id": golden.golden_id, "name": golden.name, "plan_id": golden.plan_id, "run_id": golden.run_id,
        **golden.instrument.row(), "seed": golden.seed, "grader_version": golden.grader_version,
        "frozen_at": golden.frozen_at,
    }  # fmt: skip
    return store.add_golden_set(row, [asdict(item) for item in golden.items])


def keep_again(store: Store, folder: Path) -> None:
    """Store the sets whose files are in this folder, where they are not stored. Raises InputError for a file that is
    none, once the others are in.
    """
    damaged: InputError | None = None
    for path in sorted(folder.glob("*.json")):
        try:
            keep(store, read(path))
        except InputError as error:
            damaged = damaged or error
    if damaged is not None:
        raise damaged


def golden_sets(store: Store, rubric: str | None = None) -> list[GoldenSet]:
    """Every set, or those of a rubric, by name."""
    rows = store.records("select * from golden_set where ? is null or rubric = ? order by name", [rubric, rubric])
    items: dict[str, list[Known]] = {}
    for golden_id, *item in store.rows(
        "select golden_id, conversation_id, content_hash, criterion, expected, baseline from golden_item "
        "where golden_id in (select unnest(?)) order by golden_id, position",
        [[row["golden_id"] for row in rows]],
    ):
        items.setdefault(golden_id, []).append(Known(*item))
    names = (
        "judge", "model", "parameters_hash", "prompt_hash", "rubric", "rubric_version", "rubric_hash", "together",
    )  # fmt: skip
    return [
        GoldenSet(
            row["golden_id"], row["name"], row["plan_id"], row["run_id"],
            Instrument(**{name: row[name] for name in names}), row["seed"], tuple(items.get(row["golden_id"], ())),
            row["grader_version"], row["frozen_at"].replace(tzinfo=UTC),
        )
        for row in rows
    ]  # fmt: skip


def golden_set(store: Store, name: str) -> GoldenSet:
    """The set of this name. Raises ConfigError where there is none."""
    every = golden_sets(store)
    found = next((one for one in every if one.name == name), None)
    if found is None:
        some = f"one of {', '.join(one.name for one in every[:_SHOWN])}" if every else "grader golden freeze makes one"
        raise ConfigError(f"there is no golden set {name!r}", cure=some)
    return found
