"""What may be said of a figure's judge wherever the figure is shown: calibrated when and with what, or not, and why.

A calibration is of one instrument. Where another one judged, it says nothing until the golden set has passed under the
new one and a hundred fresh labels are there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.resources import files

from grader.calibration import instrument as instruments
from grader.calibration.carried import Said, carried_to, is_whole, later_parts, only_of, said
from grader.calibration.composite import ANY_CRITICAL, ANY_DEFECT, SEVERITIES
from grader.calibration.instrument import Instrument
from grader.calibration.joint import joint
from grader.calibration.kept import Kept, kept
from grader.calibration.repeats import flips
from grader.calibration.status import LABEL_IT, LEAST, NEVER, UNKNOWN, OfRubric, OfRubricState, State, Status, Trust
from grader.language import N_
from grader.statistics.figure import Figure, percent
from grader.store import Store

Key = tuple[str, str, str | None]  # rubric, criterion, option
FRESH_LABELS = 100
FAILED_SINCE = N_("not calibrated: {told}, after the calibration")
_OUTCOMES = (N_("passed"), N_("failed"))  # and insufficient
__all__ = ["NEVER", "Golden", "Judge", "Key", "State", "Status", "Trust", "Trusted", "of_run", "of_runs"]


@dataclass(frozen=True, slots=True)
class Golden:
    """The latest check of a golden set under an instrument."""

    name: str
    outcome: str
    sentence: str
    checked_at: datetime

    @property
    def told(self) -> str:
        """`golden set refunds failed 2026-11-30`."""
        told = N_("golden set {name} {told_outcome} {day}")
        return told.format(name=self.name, told_outcome=self.outcome, day=f"{self.checked_at:%Y-%m-%d}")


@dataclass(frozen=True, slots=True)
class Criterion:
    """A question that the instrument is asked."""

    code: str
    scale: str
    severity: str


@dataclass(frozen=True)
class Judge:
    """What is known of one instrument: by code, what may be said of it."""

    instrument: Instrument
    criteria: tuple[Criterion, ...]
    codes: Mapping[tuple[str, str | None], Trust]
    golden: Golden | None
    flips: Mapping[str, Figure]  # by criterion: how often two runs of a conversation differ, where there are any

    @property
    def failed(self) -> Golden | None:
        """The golden set that did not pass since anything was calibrated."""
        last = max((t.kept.calibrated_at for t in self.codes.values() if t.kept is not None), default=None)
        failed = self.golden is not None and self.golden.outcome == "failed"
        return self.golden if failed and self.golden and (last is None or self.golden.checked_at > last) else None

    @property
    def changed(self) -> Trust | None:
        """Why another judge's calibration says nothing of this one; None where this one has its own."""
        if any(t.same_judge for t in self.codes.values()):
            return None
        return next((t for t in self.codes.values() if t.state == "changed"), None)

    def of(self, criterion: str, option: str | None) -> Trust:
        """Of one code; one that no calibration names was never calibrated."""
        found, flips = self.codes.get((criterion, option), UNKNOWN), self.flips.get(criterion)
        return found if flips is None else replace(found, flips=flips)

    def keys(self, criterion: str) -> list[Key]:
        """A defect is one code; of a choice every answer that was calibrated is, or it as a whole."""
        found = [(self.instrument.rubric, c, option) for c, option in self.codes if c == criterion]
        return found or [(self.instrument.rubric, criterion, None)]

    def told(self) -> OfRubric:
        """As one line: how many of its codes are calibrated, when and with what; or why none is."""
        mine = [t for t in self.codes.values() if t.kept is not None]
        most = max(self.flips.values(), key=lambda f: f.point or 0.0, default=None)
        names = dict.fromkeys([*(c.code for c in self.criteria), *(criterion for criterion, _ in self.codes)])
        of = {c: [self.of(c, option).calibrated for _, _, option in self.keys(c)] for c in names}
        whole = [c for c in names if all(of[c])]
        n, good = len(names), len(whole)

        def line(state: OfRubricState, text: str, todo: str = "") -> OfRubric:
            if most is not None:
                wavers = N_("{told}; two runs differ on {percent} of conversations at most ({n} of {of})")
                text = wavers.format(told=text, percent=percent(most.point), n=f"{most.n:,}", of=f"{most.of:,}")
            return OfRubric(self.instrument.rubric, self.instrument.name, state, n, good, text, todo)

        if not mine:
            return line("never", NEVER, LABEL_IT)
        if (golden := self.failed) is not None:
            mend = N_("mend the judge or the rubric, or label afresh: {told}").format(told=LABEL_IT)
            return line("not_calibrated", FAILED_SINCE.format(told=golden.told), mend)
        if (changed := self.changed) is not None:
            todo = N_("judge a golden set with it, and {n} fresh labels: {told}")
            return line("changed", changed.text, todo.format(n=FRESH_LABELS, told=LABEL_IT))
        when, labels = max(t.kept.calibrated_at for t in mine if t.kept), max(t.n_labels for t in mine)
        in_part = sum(any(of[c]) and not all(of[c]) for c in names)
        if not good and not in_part and (part := next((t for t in mine if t.only_of), None)) is not None:
            return line("not_calibrated", part.text, N_("label all that it judged: {told}").format(told=LABEL_IT))
        if not good and not in_part:
            none = N_("not calibrated: {n} labels of {day} do not do for any of {of} codes")
            text = none.format(n=f"{labels:,}", day=f"{when:%Y-%m-%d}", of=n)
            return line("not_calibrated", text, N_("grader calibrate says of each code what it wants"))
        some = N_("{n} of {of} codes calibrated, {day} with {labels} blind labels")
        more = N_("{n} of {of} codes calibrated, answers of {more} more, {day} with {labels} blind labels")
        text = (more if in_part else some).format(
            n=good, of=n, more=in_part, day=f"{when:%Y-%m-%d}", labels=f"{labels:,}"
        )
        if good == n:
            return line("calibrated", text)
        return line("part", text, N_("grader calibrate says what the rest want"))


@dataclass(frozen=True)
class Trusted:
    """What is known of the judges of a run, or of several runs. A rubric that several judged is believed as far as the
    least of them. `composites`: by name, codes taken together.
    """

    judges: tuple[Judge, ...]
    composites: Mapping[str, Trust] = field(default_factory=dict)

    def any_critical(self) -> Trust | None:
        """Of conversations with any critical defect; None where no critical code was asked."""
        return self.composites.get(ANY_CRITICAL)

    def any_defect(self) -> Trust | None:
        """Of conversations with any defect; None where none was asked."""
        return self.composites.get(ANY_DEFECT)

    def of(self, rubric: str, criterion: str, option: str | None = None) -> Trust:
        """Of one code; one that no calibration names was never calibrated. `option`: of a choice."""
        mine = [j for j in self.judges if j.instrument.rubric == rubric]
        if len(mine) < 2:
            return mine[0].of(criterion, option) if mine else UNKNOWN
        worst = min((j.of(criterion, option) for j in mine), key=lambda t: LEAST.index(t.state))
        # Whatever one of them was found out about is not so of the others' verdicts.
        return replace(
            worst, text=N_("{told} ({n} judges)").format(told=worst.text, n=len(mine)), corrected=None, audit=None,
            flips=None, same_judge=False,
        )  # fmt: skip

    def over(self, keys: Iterable[Key]) -> Status:
        """Of a figure that rests on all of these codes."""
        return Status(tuple((_name(key), self.of(*key)) for key in dict.fromkeys(keys)))

    def choice(self, rubric: str, criterion: str) -> Status:
        """Of a choice as a whole: every answer that a calibration names."""
        return self.over(k for j in self.judges if j.instrument.rubric == rubric for k in j.keys(criterion))

    def defects(self, severities: Collection[str] | None = None) -> Status:
        """Of any defect: every code of the defect scale that was asked, or those of such severity; and what is known
        of them taken together.
        """
        wanted = None if severities is None else frozenset(severities)
        whole = next((self.composites.get(name) for name, of in SEVERITIES.items() if of == wanted), None)
        of_codes = self.over(
            (j.instrument.rubric, c.code, None)
            for j in self.judges for c in j.criteria
            if c.scale == "defect" and (severities is None or c.severity in severities)
        )  # fmt: skip
        return replace(of_codes, whole=whole)

    def rubrics(self) -> tuple[OfRubric, ...]:
        """A line for each rubric, and each judge of it."""
        found = [j.told() for j in self.judges]
        named = N_("{told} ({told_name})")
        twice = {r.rubric for r in found if sum(other.rubric == r.rubric for other in found) > 1}
        return tuple(
            replace(r, text=named.format(told=r.text, told_name=r.judge)) if r.rubric in twice else r for r in found
        )

    def lines(self) -> tuple[str, ...]:
        """A sentence for each rubric: how many of its codes are calibrated, when and with what, or why none is."""
        return tuple(r.line for r in self.rubrics())

    def warnings(self) -> tuple[str, ...]:
        """What has happened to a judge since: a golden set failed, or it is another one than was calibrated."""
        found = []
        for j in self.judges:
            if j.golden is not None and j.golden.outcome == "failed":
                told = N_("{told} under this judge.").format(told=j.golden.told)
                found.append(f"{j.instrument.rubric}: {told} {j.golden.sentence}".strip())
            if (changed := j.changed) is not None:
                found.append(f"{j.instrument.rubric}: {changed.text}.")
        return tuple(found)


def _name(key: Key) -> str:
    rubric, criterion, option = key
    return f"{rubric}.{criterion}" + (f" = {option}" if option else "")


def of_run(store: Store, run_id: str) -> Trusted:
    """What is known of the judges behind a run, with the corrected rates of that run."""
    return _trusted(store, instruments.of_run(store, run_id).values(), run_id, [run_id])


def of_runs(store: Store, run_ids: Sequence[str]) -> Trusted:
    """The same of several runs, without rates, which take time to draw: of these there is no one rate."""
    found: dict[tuple[str, ...], Instrument] = {}
    for run_id in run_ids:
        found |= {one.identity: one for one in instruments.of_run(store, run_id).values()}
    return _trusted(store, found.values(), None, run_ids)


def _trusted(store: Store, found: Iterable[Instrument], run_id: str | None, run_ids: Sequence[str]) -> Trusted:
    parts: dict[tuple[str, str], str] = {}

    def part(k: Kept) -> str:
        key = k.plan_id, k.instrument.rubric
        if key not in parts:
            parts[key] = only_of(store, k, run_ids)
        return parts[key]

    every: dict[str, list[Kept]] = {}
    read: dict[tuple[tuple[str, ...], Key], Kept] = {}  # where most clean ones were read
    rows = kept(store, overall=True)
    for k in rows:
        if k.dimension is None:
            every.setdefault(k.instrument.rubric, []).append(k)
        of = k.instrument.identity, (k.instrument.rubric, k.criterion, k.option)
        if k.audit.n_reviewed > (read[of].audit.n_reviewed if of in read else 0) and not part(k):
            read[of] = k
    told: Said | None = None
    judges = []
    for one in sorted(found, key=lambda i: (i.rubric, i.name, i.identity)):
        golden = checked(store, one)
        codes: dict[tuple[str, str | None], Trust] = {}
        fresh: dict[str, int] | None = None
        for k in every.get(one.rubric, []):
            key = k.criterion, k.option
            if k.instrument.identity == one.identity:
                if key in codes and codes[key].same_judge and not codes[key].only_of:
                    continue
                if part(k):
                    if key not in codes or not codes[key].same_judge:
                        codes[key] = _own_part(k, part(k))
                    continue
                elsewhere = run_id is not None and not (run_id == k.run_id and is_whole(store, k))
                if elsewhere and told is None:
                    told = said(store, str(run_id))
                codes[key] = _own(k, golden, run_id, told if elsewhere else None)
            elif key not in codes and not part(k):
                fresh = fresh_labels(store, one) if fresh is None else fresh
                codes[key] = _changed(k, one, golden, fresh.get(k.criterion, 0))
        for (identity, (_, criterion, option)), k in read.items():
            if identity == one.identity:
                known = codes.get((criterion, option), UNKNOWN)
                elsewhere = run_id not in (None, k.run_id)
                codes[criterion, option] = replace(known, audit=k.audit, audited_elsewhere=elsewhere)
        judges.append(Judge(one, _criteria(store, one), codes, golden, _flips(store, one)))
    failed = [(j.instrument.rubric, j.golden.checked_at, j.golden.told)
              for j in judges if j.golden is not None and j.golden.outcome == "failed"]  # fmt: skip
    return Trusted(tuple(judges), joint(
        store, [j.instrument for j in judges],
        {j.instrument.rubric: [(c.code, c.scale, c.severity) for c in j.criteria] for j in judges},
        rows, failed=failed, run_id=run_id, run_ids=run_ids,
    ))  # fmt: skip


def _flips(store: Store, one: Instrument) -> dict[str, Figure]:
    """Read only where something was judged again, since it goes through every answer of the instrument."""
    again = "select 1 from judgement where repeat > 0 and rubric = ? and judge = ? and model = ? limit 1"
    if not store.rows(again, [one.rubric, one.judge, one.model]):
        return {}
    return {code: f.rate for code, f in flips(store, one).items() if f.rate.point is not None}


def _criteria(store: Store, one: Instrument) -> tuple[Criterion, ...]:
    rows = store.rows(
        "select code, scale, coalesce(severity, '') from criterion where rubric = ? and rubric_version = ? "
        "order by position",
        [one.rubric, one.rubric_version],
    )
    return tuple(Criterion(*row) for row in rows)


def _own_part(k: Kept, part: str) -> Trust:
    alone = N_("not calibrated: labels of {day} are of {part} alone, and the judge's errors elsewhere are not known")
    text = alone.format(day=f"{k.calibrated_at:%Y-%m-%d}", part=part)
    return Trust("not_calibrated", text, k, same_judge=True, only_of=part)


def _own(k: Kept, golden: Golden | None, run_id: str | None, told: Said | None) -> Trust:
    """`told`: what the run says where it is not what was calibrated."""
    when = f"{k.calibrated_at:%Y-%m-%d}"
    elsewhere = told is not None
    corrected = None
    if run_id is not None:
        corrected = k.figures["corrected"] if told is None else carried_to(k, later_parts(k, told))
    trust = Trust("not_calibrated", "", k, corrected, elsewhere, same_judge=True)
    if golden is not None and golden.outcome == "failed" and golden.checked_at > k.calibrated_at:
        return replace(trust, text=FAILED_SINCE.format(told=golden.told))
    if k.standing == "calibrated":
        several = N_("calibrated {day} with {n} blind labels, {judge}")
        single = N_("calibrated {day} with {n} blind labels, single-reviewer gold, {judge}")
        text = (single if k.details.get("n_reviewers") == 1 else several).format(
            day=when, n=f"{k.n_labelled:,}", judge=k.instrument.name
        )
        return replace(trust, state="calibrated", text=text)
    if k.standing == "not_calibrated":
        return replace(trust, text=N_("not calibrated ({day}): {told}").format(day=when, told=k.sentence))
    why = N_("not calibrated ({day}): {told_standing}: {told}")
    return replace(trust, text=why.format(day=when, told_standing=k.title, told=k.sentence))


def _changed(k: Kept, now: Instrument, golden: Golden | None, n_fresh: int) -> Trust:
    when = f"{k.calibrated_at:%Y-%m-%d}"
    what = "; ".join(now.changed_from(k.instrument))
    if golden is None:
        then = N_("no golden set was judged since")
    elif golden.outcome != "passed":
        then = golden.told
    elif n_fresh < FRESH_LABELS:
        few = N_("{told}, {n} of {of} fresh labels")
        then = few.format(told=golden.told, n=n_fresh, of=FRESH_LABELS)
    else:
        was = N_("calibrated {day} before a change ({told_what}); {told}, {n} fresh labels: calibrate them")
        was_not = N_("not calibrated {day} before a change ({told_what}); {told}, {n} fresh labels: calibrate them")
        state: State = "calibrated" if k.standing == "calibrated" else "not_calibrated"
        text = was if state == "calibrated" else was_not
        return Trust(state, text.format(day=when, told_what=what, told=golden.told, n=f"{n_fresh:,}"), k)
    since = N_("not calibrated: {told_what} since the calibration of {day}; {told}")
    return Trust("changed", since.format(told_what=what, day=when, told=then), k)


def checked(store: Store, one: Instrument) -> Golden | None:
    """What the golden sets of this rubric say of this instrument: the latest check of each, a failed one first."""
    sql = (files("grader.calibration") / "checked.sql").read_text(encoding="utf-8")
    rows = store.rows(sql, [one.rubric, *one.identity[:4], one.rubric_hash, one.together])
    if not rows:
        return None
    name, outcome, sentence, at = rows[0]
    return Golden(name, outcome, sentence, at.replace(tzinfo=UTC))


def fresh_labels(store: Store, one: Instrument) -> dict[str, int]:
    """By criterion, conversations that were labelled blind in plans drawn from runs by this instrument."""
    rows = store.rows(
        "select p.run_id, l.criterion, count(distinct l.conversation_id) from label_record l "
        "join label_plan p using (plan_id) where l.rubric = ? group by p.run_id, l.criterion",
        [one.rubric],
    )
    judged = {run_id: instruments.of_run(store, run_id).get(one.rubric) for run_id in {row[0] for row in rows}}
    found: dict[str, int] = {}
    for run_id, criterion, n in rows:
        mine = judged[run_id]
        if mine is not None and mine.identity == one.identity:
            found[criterion] = found.get(criterion, 0) + n
    return found
