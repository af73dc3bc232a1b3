"""Small calibrations for tests: conversations by what a judge and people said of them, counted by hand, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from grader.calibration.calibrate import Calibrated, calibrated
from grader.calibration.held import Code, Held, Seen
from grader.calibration.instrument import Instrument
from grader.calibration.splits import SPLITS
from grader.labelling.plan import Chosen, LabelPlan, Question
from grader.labelling.reference import Answered
from grader.sampling import Layer
from grader.statistics.agreement import Answers

NOW = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
Cell = tuple[str | None, str | None, int]  # the judge's answer, people's answer (None: not labelled), how many


def code(name: str = "accuracy.late", severity: str = "high", option: str | None = None, title: str = "Late") -> Code:
    rubric, _, criterion = name.partition(".")
    return Code(rubric, criterion, option, title, severity)


def plan(questions: Sequence[str], drawn: Sequence[Chosen], reviewers: Sequence[str], *, audit: bool) -> LabelPlan:
    asked = tuple(Question(q.partition(".")[0], "1.0.0", "rb_1", q.partition(".")[2]) for q in questions)
    return LabelPlan(
        "lp_0123456789abcdef", "lf_1", "run_1", asked, {"audit": audit}, tuple(reviewers), 1, (), "fr_1", 1,
        (Layer("all", 1, 1),), (), tuple(drawn), (), "0.1.0", NOW,
    )  # fmt: skip


def held(
    cells: Mapping[str, Iterable[Cell]], *, codes: Sequence[Code] | None = None,
    reviewers: Sequence[str] = ("ana", "ben"), agreement: Mapping[str, Sequence[Answers]] | None = None,
    queues: Sequence[str] = ("orders",),
    splits: Sequence[str] = SPLITS, simple_random: bool = False, model: str = "judge-1",
    **more: Any,
) -> Held:  # fmt: skip
    """Every question with its cells; conversations are the same for all of them, in the order of the cells."""
    said = {name: [(j, p) for j, p, n in of for _ in range(n)] for name, of in cells.items()}
    size = max(map(len, said.values()))
    names = list(said)
    ids = [f"c-{i:04}" for i in range(size)]
    seen = {
        one: Seen(one, "all", None, tuple(said[q][i][0] if i < len(said[q]) else None for q in names))
        for i, one in enumerate(ids)
    }
    labels = {
        (ids[i], q): Answered(ids[i], *_rubric(q), "all", 0.5, SPLITS[i % 3], "agreed", p,
                              tuple(reviewers), (p,) * len(reviewers), None)
        for q in names for i, (_, p) in enumerate(said[q]) if p is not None and SPLITS[i % 3] in splits
    }  # fmt: skip
    chances = [0.5, 0.5] if simple_random else [0.5, 0.25]
    drawn = [Chosen(ids[i], "cv_1", "all", chance, "dev") for i, chance in enumerate(chances) if i < size]
    instruments = {
        rubric: Instrument("llm", model, "pa_1", "pr_1", rubric, "1.0.0", "rb_1")
        for rubric in dict.fromkeys(q.partition(".")[0] for q in names)
    }
    days = {one: {"queue": queues[i % len(queues)], "started_at": NOW.replace(day=1 + i % 28)}
            for i, one in enumerate(ids)}  # fmt: skip
    return Held(
        plan(names, drawn, reviewers, audit=more.get("audit", False)), "run_1", instruments,
        tuple(codes or [code(q) for q in names]), tuple(splits),
        seen, labels, days, more.get("n_held_back", 0), more.get("n_changed", 0), more.get("even", True),
        {q: n for n, q in enumerate(names)},
        {q: tuple(found) for q, found in (agreement or {}).items()}, {},
    )  # fmt: skip


def _rubric(question: str) -> tuple[str, str, str]:
    rubric, _, criterion = question.partition(".")
    return rubric, "1.0.0", criterion


def found(one: Held, **how: Any) -> Calibrated:
    return calibrated(one, **{"seed": 0, "now": NOW, "grader_version": "0.1.0", "draws": 2_000, "n_openings": 1, **how})


AGREED: Sequence[Answers] = (("present", "present"),) * 20 + (("absent", "absent"),) * 60
APART: Sequence[Answers] = (("present", "absent"),) * 30 + (("absent", "absent"),) * 30
# 40 flags, 20 of them labelled: 15 hold. 360 clean, 200 of them labelled: 4 had it.
COUNTED: Sequence[Cell] = (
    ("present", "present", 15), ("present", "absent", 5), ("present", None, 20),
    ("absent", "present", 4), ("absent", "absent", 196), ("absent", None, 160),
)  # fmt: skip
