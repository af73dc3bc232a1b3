"""Label plans as the documents that their files hold (see `grader.labelling.plan`), and every answer that was given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grader.model import JsonValue, Label
from grader.store.connection import Connection
from grader.store.inflow import AddCounts, replace_labels, utc_text

_PLAN = (
    "plan_id", "form_id", "run_id", "questions", "parameters", "reviewers", "seed", "selection", "frame_hash",
    "n_frame", "grader_version",
)  # fmt: skip
_JSON = ("questions", "parameters", "reviewers", "selection")
_KEY = (
    "coalesce(plan_id, ''), coalesce(item_id, ''), coalesce(origin, ''), conversation_id, rubric, rubric_version, "
    "criterion, reviewer, role"
)
_TABLES = {
    "cells": ("label_cell", "rubric, criterion, stratum, verdict, n_population, n_drawn", "rowid"),
    "drawn": (
        "label_draw", "conversation_id, content_hash, stratum, inclusion_probability, split", "conversation_id",
    ),
    "items": ("label_item", "item_id, reviewer, position, conversation_id, copy", "rowid"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """One answer of one person to one question. What has no plan has an origin, and no chance."""

    plan_id: str | None
    item_id: str | None
    origin: str | None
    conversation_id: str
    rubric: str
    rubric_version: str
    criterion: str
    reviewer: str
    role: str
    answer: str
    note: str | None = None
    message: int | None = None
    quote: str | None = None
    verdict_visible: bool | None = False
    inclusion_probability: float | None = None
    labelled_at: datetime | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """Whose answer to what it is: another one under the same key is a change."""
        named = (self.plan_id or "", self.item_id or "", self.origin or "", self.conversation_id)
        return (*named, self.rubric, self.rubric_version, self.criterion, self.reviewer, self.role)

    @property
    def said(self) -> tuple[object, ...]:
        """What makes two answers the same."""
        return self.answer, self.note, self.message, self.quote


def add_plan(con: Connection, document: Mapping[str, Any]) -> bool:
    """Keep a plan, whole or not at all; False where it is there already."""
    plan_id = document["plan_id"]

    def keep() -> bool:
        if con.rows("select 1 from label_plan where plan_id = ?", [plan_id]):
            return False
        drawn_at = utc_text(datetime.fromisoformat(document["drawn_at"]))
        con.insert("label_plan", [{**{name: document[name] for name in _PLAN}, "drawn_at": drawn_at}])
        con.insert("label_stratum", [
            {"plan_id": plan_id, "position": position, **row} for position, row in enumerate(document["strata"], 1)
        ])  # fmt: skip
        for name, (table, _, _) in _TABLES.items():
            con.insert(table, [{"plan_id": plan_id, **row} for row in document[name]])
        return True

    return con.atomically(keep)


def plans(con: Connection) -> list[tuple[str, str]]:
    """(plan id, form id) of every plan, the latest first."""
    return [(p, f) for p, f in con.rows("select plan_id, form_id from label_plan order by drawn_at desc, plan_id")]


def plan(con: Connection, plan_id: str) -> dict[str, Any] | None:
    """The document of a plan, without its format; None where there is none."""
    found = con.records("select * from label_plan where plan_id = ?", [plan_id])
    if not found:
        return None
    told = found[0]
    for name in _JSON:
        told[name] = json.loads(told[name])
    told["drawn_at"] = told["drawn_at"].replace(tzinfo=UTC).isoformat()
    told["strata"] = con.records(
        "select stratum, n_population, n_drawn from label_stratum where plan_id = ? order by position", [plan_id]
    )
    for name, (table, columns, order) in _TABLES.items():
        told[name] = con.records(f"select {columns} from {table} where plan_id = ? order by {order}", [plan_id])
    return told


def add_records(
    con: Connection, records: Sequence[LabelRecord], now: datetime, current: Sequence[LabelRecord]
) -> AddCounts:
    """Keep answers, all or none. The same answer again changes nothing; another one is a row of its own.

    `current`: those of them that also become the reviewer's answer in `label`, which keeps the latest of each.
    """
    return con.atomically(lambda: _add_records(con, records, now, current))


def _add_records(
    con: Connection, records: Sequence[LabelRecord], now: datetime, current: Sequence[LabelRecord]
) -> AddCounts:
    ids = sorted({r.conversation_id for r in records})
    numbers: dict[tuple[str, ...], int] = {}
    standing: dict[tuple[tuple[str, ...], bool], tuple[object, ...]] = {}  # what was said blind, and what later
    for row in con.rows(
        f"select {_KEY}, coalesce(verdict_visible, false), number, answer, note, message, quote from label_record "
        "where conversation_id in (select unnest(?)) order by number",
        [ids],
    ):
        numbers[row[:-6]] = row[-5]
        standing[row[:-6], row[-6]] = row[-4:]
    rows: list[dict[str, JsonValue]] = []
    n_changed = 0
    for r in records:
        number, seen = numbers.get(r.key, 0), bool(r.verdict_visible)
        if standing.get((r.key, seen)) == r.said:
            continue
        n_changed += number > 0
        numbers[r.key], standing[r.key, seen] = number + 1, r.said
        rows.append({
            "plan_id": r.plan_id, "item_id": r.item_id, "origin": r.origin, "conversation_id": r.conversation_id,
            "rubric": r.rubric, "rubric_version": r.rubric_version, "criterion": r.criterion, "reviewer": r.reviewer,
            "role": r.role, "number": number + 1, "answer": r.answer, "note": r.note, "message": r.message,
            "quote": r.quote, "verdict_visible": r.verdict_visible, "inclusion_probability": r.inclusion_probability,
            "labelled_at": utc_text(r.labelled_at), "imported_at": utc_text(now),
        })  # fmt: skip
    con.insert("label_record", rows)
    _make_current(con, current)
    return AddCounts(len(rows) - n_changed, n_changed, len(records) - len(rows))


def _make_current(con: Connection, records: Sequence[LabelRecord]) -> None:
    """What stands in `label` with the same answer, given blind, stays as it is, with what else it says."""
    ids = sorted({r.conversation_id for r in records})
    there = set(con.rows(
        "select conversation_id, rubric, rubric_version, criterion, reviewer, answer from label "
        "where verdict_visible = false and conversation_id in (select unnest(?))",
        [ids],
    ))  # fmt: skip
    fresh = [
        Label(
            conversation_id=r.conversation_id, rubric=r.rubric, rubric_version=r.rubric_version, criterion=r.criterion,
            reviewer=r.reviewer, answer=r.answer, message=r.message, quote=r.quote, note=r.note, verdict_visible=False,
            labelled_at=r.labelled_at,
        )
        for r in records
        if (r.conversation_id, r.rubric, r.rubric_version, r.criterion, r.reviewer, r.answer) not in there
    ]  # fmt: skip
    replace_labels(con, fresh)


def open_split(con: Connection, plan_id: str, split: str, purpose: str, now: datetime) -> int:
    """Note that a split's labels are looked at, and for what; returns how often they were, this time included."""
    row = {"plan_id": plan_id, "split": split, "purpose": purpose, "opened_at": utc_text(now)}
    con.insert("split_opening", [row])
    ((n,),) = con.rows("select count(*) from split_opening where plan_id = ? and split = ?", [plan_id, split])
    return int(n)
