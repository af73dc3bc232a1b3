"""A label plan, written down before the first label: the draw, every conversation's chance, who is asked what.

A plan file is JSON; its identity is a hash of all that decides what labels mean, so that a file that was changed is
found out. It names strata, which are made of verdicts: it is for the owner and never for a reviewer. `form_id` is the
identity of what reviewers are given, the same for two runs whose verdicts differ.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.errors import InputError
from grader.model import JsonValue, digest
from grader.sampling import Layer, planfile

FORMAT = "grader.label-plan"
FORMAT_VERSION = 1
_LISTS = ("questions", "strata", "cells", "drawn", "items")  # one line each row


@dataclass(frozen=True, slots=True)
class Question:
    """A criterion of a rubric's version. `name` is how files and the command line call it."""

    rubric: str
    rubric_version: str
    rubric_hash: str
    criterion: str

    @property
    def name(self) -> str:
        """accuracy.invented_deadline"""
        return f"{self.rubric}.{self.criterion}"


@dataclass(frozen=True, slots=True)
class Cell:
    """Of a stratum, how many have this verdict (None: none could be had), and how many of these were drawn."""

    rubric: str
    criterion: str
    stratum: str
    verdict: str | None
    n_population: int
    n_drawn: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """A conversation to be labelled, with its chance among what the run judged."""

    conversation_id: str
    content_hash: str
    stratum: str
    inclusion_probability: float
    split: str


@dataclass(frozen=True, slots=True)
class Item:
    """A conversation as one reviewer is given it. `copy` 1: the second time, to see who agrees with oneself."""

    item_id: str
    reviewer: str
    position: int
    conversation_id: str
    copy: int


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What is labelled, by whom, and how it was drawn."""

    plan_id: str
    form_id: str
    run_id: str
    questions: tuple[Question, ...]
    parameters: Mapping[str, JsonValue]
    reviewers: tuple[str, ...]
    seed: int
    selection: tuple[tuple[str, str], ...]
    frame_hash: str
    n_frame: int
    strata: tuple[Layer, ...]
    cells: tuple[Cell, ...]
    drawn: tuple[Chosen, ...]
    items: tuple[Item, ...]
    grader_version: str
    drawn_at: datetime

    @property
    def adjudication_id(self) -> str:
        """Names the forms for whoever decides what the reviewers disagree about."""
        return digest("la", [self.form_id])

    @property
    def audit(self) -> bool:
        """Only what the judge called clean was drawn from: to find what it missed."""
        return bool(self.parameters.get("audit"))

    def chosen(self) -> dict[str, Chosen]:
        """What was drawn, by conversation."""
        return {one.conversation_id: one for one in self.drawn}


def named(plan: LabelPlan) -> LabelPlan:
    """The plan with its identities."""
    hashes = {one.conversation_id: one.content_hash for one in plan.drawn}
    form = {
        "questions": [_row(q) for q in plan.questions],
        "items": [[i.item_id, i.reviewer, i.position, hashes[i.conversation_id]] for i in plan.items],
    }
    plan = replace(plan, form_id=digest("lf", form))
    return replace(plan, plan_id=digest("lp", _meaning(plan)))


def export_command(plan: LabelPlan, file: str) -> str:
    """The command that writes the first reviewer's form, as a shell takes it."""
    return shlex.join(["grader", "label", "export", plan.plan_id[:11], "--reviewer", plan.reviewers[0], "-o", file])


def document(plan: LabelPlan) -> dict[str, JsonValue]:
    """The plan file as plain JSON values."""
    return {
        "format": FORMAT, "format_version": FORMAT_VERSION, "plan_id": plan.plan_id,
        "drawn_at": plan.drawn_at.astimezone(UTC).isoformat(), "grader_version": plan.grader_version,
        **_meaning(plan),
    }  # fmt: skip


def _meaning(plan: LabelPlan) -> dict[str, JsonValue]:
    """All that decides what a label means; not when, or by which Grader, the plan was made."""
    return {
        "form_id": plan.form_id,
        "run_id": plan.run_id,
        "parameters": dict(plan.parameters),
        "reviewers": list(plan.reviewers),
        "seed": plan.seed,
        "selection": [list(pair) for pair in plan.selection],
        "frame_hash": plan.frame_hash,
        "n_frame": plan.n_frame,
        "questions": [_row(q) for q in plan.questions],
        "strata": [
            {"stratum": s.name, "n_population": s.n_population, "n_drawn": s.n_drawn} for s in plan.strata
        ],
        "cells": [_row(c) for c in plan.cells],
        "drawn": [_row(d) for d in plan.drawn],
        "items": [_row(i) for i in plan.items],
    }  # fmt: skip


def _row(record: Any) -> dict[str, JsonValue]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def write(plan: LabelPlan, path: Path) -> None:
    """Write the plan file, whole or not at all. Raises StoreError."""
    planfile.write(planfile.text(document(plan), _LISTS), path, "check the rights")


def read(path: Path) -> LabelPlan:
    """The plan that a file holds. Raises InputError where it is none, or not as it was written."""
    redraw = "draw it again: grader label plan"
    data = planfile.read(path, (FORMAT, FORMAT_VERSION), "label plan", redraw)
    try:
        plan = parsed(data)
        same = named(plan)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
        raise InputError(f"is no plan: {error!r}", file=str(path), cure=redraw) from error
    if (same.plan_id, same.form_id) != (plan.plan_id, plan.form_id):
        raise InputError(
            "was changed by hand: what it holds is not what its plan_id stands for", file=str(path),
            cure=f"labels of conversations that were not drawn so would be weighted wrongly: {redraw}",
        )  # fmt: skip
    return plan


def parsed(data: Mapping[str, Any]) -> LabelPlan:
    """A document as a plan. Raises KeyError, TypeError or ValueError where it is none."""
    drawn = tuple(
        Chosen(row["conversation_id"], row["content_hash"], row["stratum"], float(row["inclusion_probability"]),
               row["split"])
        for row in data["drawn"]
    )  # fmt: skip
    if any(not (math.isfinite(d.inclusion_probability) and 0 < d.inclusion_probability <= 1) for d in drawn):
        raise ValueError("an inclusion probability that is none")
    return LabelPlan(
        plan_id=str(data["plan_id"]), form_id=str(data["form_id"]), run_id=str(data["run_id"]),
        questions=tuple(Question(**row) for row in data["questions"]), parameters=dict(data["parameters"]),
        reviewers=tuple(map(str, data["reviewers"])), seed=int(data["seed"]),
        selection=tuple((str(name), str(value)) for name, value in data["selection"]),
        frame_hash=str(data["frame_hash"]), n_frame=int(data["n_frame"]),
        strata=tuple(Layer(row["stratum"], int(row["n_population"]), int(row["n_drawn"])) for row in data["strata"]),
        cells=tuple(Cell(**row) for row in data["cells"]), drawn=drawn,
        items=tuple(Item(**row) for row in data["items"]),
        grader_version=str(data["grader_version"]), drawn_at=datetime.fromisoformat(data["drawn_at"]),
    )  # fmt: skip
