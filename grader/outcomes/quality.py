"""What the judge found, over weeks and slices, in weights: solved, defects, hand-offs, mood.

Of each week one run counts, the one that judged most of it, with the weights of its own sample. What judged a week is
kept beside it: a line of weeks breaks where rubric, prompt, model or judge changed, and nothing compares across.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from grader.language import N_
from grader.outcomes import chain
from grader.outcomes.episodes import Episodes, Where, behind, checked, narrowed
from grader.outcomes.reader import Reader
from grader.outcomes.share import wilson
from grader.statistics.stratified import Estimate, Stratum, weighted_rate

_TABLES = ("chosen", "design", "sampled", "finding", "judged", "usual")


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate of verdicts as columns of `sql/quality/judged.sql`. `rubrics`: those it rests on; `summed`: a defect of
    any of them counts, so that with one more it is another figure. `bad`: more is worse. `codes`: what it rests on, as
    (rubric, criterion, answer of a choice), where nothing is summed up; `inverted`: what was not flagged counts.
    """

    title: str
    yes: str
    of: str
    rubrics: tuple[str, ...]
    bad: bool
    summed: bool = False
    codes: tuple[tuple[str, str, str | None], ...] = ()
    inverted: bool = False


_RESOLVED = ("resolution", "resolved", "resolved")
_CONTEXT = ("experience", "handoff_without_context", None)
_REPEATED = ("experience", "customer_repeated_to_human", None)
_DEFECTS = ("accuracy", "behavior", "experience")
QUALITY: Mapping[str, Figure] = {
    "resolved": Figure(
        N_("Judged resolved"), "resolved", "resolution_known", ("resolution",), bad=False, codes=(_RESOLVED,)
    ),
    "critical_defect": Figure(
        N_("With a proved critical defect"), "critical", "critical_assessed", _DEFECTS, bad=True, summed=True
    ),
    "defect": Figure(N_("With a proved defect"), "flagged", "assessed", _DEFECTS, bad=True, summed=True),
    "handoff_resolved": Figure(
        N_("Hand-off: resolved without a restart"), "handoff_resolved", "handoff_known", ("experience", "resolution"),
        bad=False, codes=(_CONTEXT, _REPEATED, _RESOLVED),
    ),
    "context_passed": Figure(
        N_("Hand-off: context passed on"), "context_passed", "context_known", ("experience",), bad=False,
        codes=(_CONTEXT,), inverted=True,
    ),
    "not_repeated": Figure(
        N_("Hand-off: customer did not have to repeat"), "not_repeated", "repeat_known", ("experience",), bad=False,
        codes=(_REPEATED,), inverted=True,
    ),
    "escalated_too_late": Figure(
        N_("Escalated too late"), "late", "late_assessed", ("behavior",), bad=True,
        codes=(("behavior", "escalated_too_late", None),),
    ),
    "escalated_too_early": Figure(
        N_("Escalated without need"), "early", "early_assessed", ("behavior",), bad=True,
        codes=(("behavior", "escalated_without_need", None),),
    ),
    "missed_escalation": Figure(
        N_("Should have been escalated"), "missed", "missed_assessed", ("behavior",), bad=True,
        codes=(("behavior", "missed_escalation", None),),
    ),
    "irritated_after_ai": Figure(
        N_("Irritated after the AI alone"), "irritated_after_ai", "mood_known_after_ai", ("resolution",), bad=True,
        codes=(("resolution", "mood_at_end", "frustrated"), ("resolution", "mood_at_end", "angry")),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slice:
    """The figures of one slice: of `n_conversations` judged, which stand for `volume`. None: nothing to divide by."""

    slice: str | None
    n_conversations: int
    n_in_part: int  # of these, some rubric's judgement failed or is still to be had
    volume: float
    figures: Mapping[str, Estimate | None]


@dataclass(frozen=True, slots=True)
class Cause:
    """One line of the ledger. `n` conversations stand for `volume`; hours are at least `hours`, those of
    `n_hours_unknown` are not known. `fix`: what to change; None where nothing is to be fixed.
    """

    kind: str  # escalation, non_resolution
    cause: str
    reason: str | None
    queue: str | None
    n: int
    volume: float
    n_unsolved: int
    n_resolution_known: int
    n_matured: int
    n_came_back: int
    came_back_volume: float
    hours: float
    n_hours_unknown: int
    examples: tuple[str, ...]

    @property
    def fix(self) -> str | None:
        """What to change so that it does not happen again."""
        return FIXES.get((self.kind, self.cause), N_("look at the examples"))


@dataclass(frozen=True, slots=True)
class Theme:
    """All lines of one cause, those that cost most first. A conversation stands in one line of a kind, and may stand in
    one of each kind, so that themes of the two kinds do not add up.
    """

    kind: str
    cause: str
    lines: tuple[Cause, ...]

    @property
    def fix(self) -> str | None:
        """What to change."""
        return self.lines[0].fix

    def total(self, name: str) -> float:
        """The sum of a count, a volume or hours over its lines."""
        return float(sum(getattr(line, name) for line in self.lines))

    @property
    def examples(self) -> tuple[str, ...]:
        """Three conversations, from the lines that cost most."""
        return tuple(example for line in self.lines for example in line.examples[:2])[:3]


def themes(causes: Sequence[Cause]) -> list[Theme]:
    """The ledger by cause: what can be fixed first, by the hours that it costs, then by volume."""
    found: dict[tuple[str, str], list[Cause]] = {}
    for cause in causes:
        found.setdefault((cause.kind, cause.cause), []).append(cause)
    made = [Theme(kind, cause, tuple(lines)) for (kind, cause), lines in found.items()]
    return sorted(made, key=lambda t: (t.fix is None, -t.total("hours"), -t.total("volume"), t.kind, t.cause))


FIXES: Mapping[tuple[str, str], str | None] = {
    ("escalation", "lack_of_data"): N_("give the AI the data"),
    ("escalation", "missing_integration"): N_("build or repair the integration"),
    ("escalation", "missing_rule"): N_("write the rule"),
    ("escalation", "real_exception"): None,
    ("escalation", "customer_wish"): None,
    ("non_resolution", "integration"): N_("build or repair the integration"),
    ("non_resolution", "rule"): N_("review the rule"),
    ("non_resolution", "missing_data"): N_("ask for the detail, or give it to the AI"),
    ("non_resolution", "wrong_answer"): N_("mend prompt, text or knowledge"),
    ("non_resolution", "not_escalated"): N_("mend the rule for hand-offs"),
    ("non_resolution", "human_backlog"): N_("shorten the human queue"),
    ("non_resolution", "customer_left"): None,
}


class Judged:
    """The judged conversations as they were opened."""

    def __init__(
        self, reader: Reader, design: Sequence[Mapping[str, Any]], selections: Mapping[str, Mapping[str, Any]],
        waiting: Mapping[str, int],
    ) -> None:  # fmt: skip
        self._reader = reader
        self._design = {(row["run_id"], row["stratum"], row["probability"]): row for row in design}
        self._selections = selections  # by run: how its conversations were chosen
        # By run: conversations that still wait to be judged. Those that were judged first are no random part.
        self.waiting = waiting

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that count."""
        return tuple(sorted({run for run, *_ in self._design}))

    def runs_in(self, where: Where | None) -> tuple[str, ...]:
        """Those of them that judged any of this."""
        return tuple(row["run_id"] for row in self._query("behind", where))

    @property
    def even(self) -> bool:
        """One run, drawn with equal chances: plain shares are fair."""
        return self._alike(set(self.runs))

    def _alike(self, runs: set[str]) -> bool:
        chances = [chance for run, _, chance in self._design if run in runs]
        return len(runs) <= 1 and (not chances or max(chances) - min(chances) < 1e-9)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What alone could be drawn, of each run of which that is not everything of its time."""
        found = set[str]()
        for chosen in self._selections.values():
            named = [f"{name}:{value}" for name, value in chosen.get("select") or () if name not in ("since", "until")]
            if chosen.get("frame") or named:
                found.add(str(chosen.get("frame") or " ".join(named)))
        return tuple(sorted(found))

    def slices(self, by: str | None = None, where: Where | None = None) -> list[Slice]:
        """The figures of every slice of a dimension, in its order; of everything, as one slice, without one."""
        checked(by, 1)
        counts = "".join(
            f",\n       count(*) filter (where {f.of}) as {name}_of,"
            f" count(*) filter (where {f.of} and {f.yes}) as {name}_n"
            for name, f in QUALITY.items()
        )
        rows = self._query("rates", where, slice=by or "'all'", counts=counts)
        slices: dict[str | None, list[dict[str, Any]]] = {}
        for row in rows:
            slices.setdefault(row["slice"], []).append(row)
        return [
            Slice(
                name, sum(r["n_conversations"] for r in parts), sum(r["n_in_part"] for r in parts),
                sum(r["volume"] for r in parts),
                {figure: self._estimate(parts, figure, unseen) for figure in QUALITY},
            )
            for name, parts in slices.items()
            for unseen in [self._unseen(parts, {by, *(where or {})})]
        ]  # fmt: skip

    def _unseen(self, parts: Sequence[Mapping[str, Any]], narrowed_by: set[str | None]) -> list[Stratum]:
        """The strata of which nothing was drawn into the slice, though they may hold some of it: all but those of runs
        whose strata were made by what makes the slice.
        """
        seen = {(r["run_id"], r["stratum"], r["probability"]) for r in parts}
        runs = {
            run for run, *_ in seen
            if not narrowed_by & set(map(str, self._selections.get(run, {}).get("by") or ()))
        }  # fmt: skip
        return [
            Stratum(d["n_population"], d["n_drawn"], 0, 0)
            for key, d in self._design.items() if key[0] in runs and key not in seen
        ]  # fmt: skip

    def _estimate(
        self, parts: Sequence[Mapping[str, Any]], figure: str, unseen: Sequence[Stratum]
    ) -> Estimate | None:  # fmt: skip
        n, of = (sum(r[f"{figure}_{end}"] for r in parts) for end in ("n", "of"))
        if not of:
            return None
        if self._alike({r["run_id"] for r in parts}):
            return Estimate(n / of, *wilson(n, of), n, of, "Wilson")
        strata = [
            Stratum(d["n_population"], d["n_drawn"], r[f"{figure}_n"], r[f"{figure}_of"])
            for r in parts
            for d in [self._design[r["run_id"], r["stratum"], r["probability"]]]
        ]
        return weighted_rate([*strata, *unseen])

    def escalation_reasons(self, where: Where | None = None) -> list[tuple[str, Estimate]]:
        """Why humans took over, as rates of the hand-offs whose reason the judge named; most frequent first."""
        rows = self._query("escalations", where)
        found = []
        for option in dict.fromkeys(row["option"] for row in rows):
            parts = [row for row in rows if row["option"] == option]
            estimate = self._estimate(parts, "option", self._unseen(parts, set(where or {})))
            if estimate is not None:
                found.append((option, estimate))
        return sorted(found, key=lambda each: (-each[1].point, each[0]))

    def instruments(self) -> dict[str | None, dict[str, tuple[str, ...]]]:
        """What judged each week, by rubric."""
        found: dict[str | None, dict[str, tuple[str, ...]]] = {}
        for row in self._reader.records(chain.text("quality", "instruments"), []):
            found.setdefault(row["week"], {})[row["rubric"]] = tuple(row["instruments"])
        return found

    def ledger(self, window_hours: int, where: Where | None = None) -> list[Cause]:
        """Causes by contact reason and queue: what can be fixed first, by the hours that it costs, then by volume."""
        checked(None, window_hours)
        rows = self._followed("ledger", where, window_hours)
        found = [Cause(**(row | {"examples": tuple(row["examples"])})) for row in rows]
        return sorted(found, key=lambda c: c.fix is None)  # SQL has put them in order otherwise

    def undecided(self) -> frozenset[str]:
        """Figures of which no judged conversation says anything: the judge does not decide them."""
        return undecided_by(next(iter(self.slices()), None))

    def audit(self, window_hours: int, where: Where | None = None) -> list[dict[str, Any]]:
        """The judged conversations among those that the AI is taken to have resolved, with the judge's `resolution`."""
        checked(None, window_hours)
        condition, values = narrowed(where)
        told = chain.text("episode", "told", window_hours=window_hours)
        ctes = f"with told as (\n{told}),\nhere as (from judged where {condition})"
        return self._reader.records(f"{ctes}\n{chain.text('quality', 'audit')}", values)

    def rows(self, columns: Sequence[str], of: str, where: Where | None = None) -> list[dict[str, Any]]:
        """The conversations that count in `of`, each with these columns; newest first."""
        return self._query("rows", where, of=of, columns="".join(f", t.{name}" for name in columns))

    def caused(self, kind: str, cause: str, window_hours: int, where: Where | None = None) -> list[dict[str, Any]]:
        """The conversations behind a line of the ledger, each with the minutes of humans that it costs."""
        checked(None, window_hours)
        return self._followed("caused", where, window_hours, kind=kind, cause=cause)

    def _followed(self, name: str, where: Where | None, window_hours: int, **asked: str) -> list[dict[str, Any]]:
        condition, values = narrowed(where)
        places = {word: f"${len(values) + n}" for n, word in enumerate(asked, 1)}
        followed = behind(
            f"from judged where {condition}", chain.text("quality", "followed", window_hours=window_hours)
        )
        sql = f"with followed as (\n{followed})\n{chain.text('quality', name, **places)}"
        return self._reader.records(sql, [*values, *asked.values()])

    def _query(self, name: str, where: Where | None, **fillings: object) -> list[dict[str, Any]]:
        condition, values = narrowed(where)
        told = f"from judged where {condition}"
        return self._reader.records(behind(told, chain.text("quality", name, **fillings)), values)


def undecided_by(whole: Slice | None) -> frozenset[str]:
    """Figures of which the slice of everything says nothing; all of them where nothing was judged."""
    return frozenset(figure for figure in QUALITY if whole is None or not whole.figures[figure])


def comparable(figure: str, one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]) -> bool:
    """Two weeks' figures may be compared: the same rubric, judge, model, parameters and prompt stand behind both, as
    far as both have any. A figure that sums up rubrics wants the same ones in both.
    """
    rubrics: Sequence[str] = QUALITY[figure].rubrics
    if QUALITY[figure].summed:  # rubrics of one's own count in it as well; `resolution` has no defects
        rubrics = sorted({*rubrics, *one, *other} - {"resolution"})
    both = [r for r in rubrics if r in one and r in other]
    if QUALITY[figure].summed and any((r in one) != (r in other) for r in rubrics):
        return not any(r in one for r in rubrics) or not any(r in other for r in rubrics)  # nothing to compare
    return all(one[r] == other[r] and len(one[r]) == 1 for r in both)


@contextmanager
def judged(
    reader: Reader, episodes: Episodes, *, run: str | None = None, timezone: str = "UTC",
    weeks: tuple[str, str] | None = None,
) -> Iterator[Judged]:  # fmt: skip
    """The judged conversations, of one run (its whole id) or of the runs that judged most of each week. Within
    `episodes`, which tell what happened afterwards. `weeks`: only those from one Monday to another.
    """
    from grader.outcomes.capacity import FEWEST_HANDLED

    del episodes  # its tables are read
    zone = "$1::varchar"

    def make(name: str, values: Sequence[object] = (), **fillings: object) -> None:
        text = chain.text("quality", name, **fillings)
        reader.rows(f"create or replace temp table {name} as\n{text}", values)

    try:
        make("chosen", [timezone, run, *(weeks or (None, None))], timezone=zone, run="$2", first="$3", last="$4")
        make("design")
        make("sampled", [timezone], timezone=zone)
        make("finding")
        make("judged")
        make("usual", fewest=FEWEST_HANDLED)
        design = reader.records("select * from design order by run_id, stratum nulls first, probability", [])
        runs = "select run_id, selection::varchar from run where run_id in (select run_id from chosen)"
        selections = {
            run_id: found for run_id, text in reader.rows(runs, []) if isinstance(found := json.loads(text), dict)
        }
        yield Judged(reader, design, selections, dict(reader.rows(chain.text("quality", "waiting"), [])))
    finally:
        for name in _TABLES:
            reader.rows(f"drop table if exists temp.{name}", [])
