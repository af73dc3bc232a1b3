"""What the tests of calibrations share: a frame judged as a test says, its plan, and labels as people gave them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conftest import Main
from label_parts import drawn
from report_data import RUBRICS, T0, World, present, says, unproved

from grader.labelling.given import kept_plan
from grader.store import LabelRecord, open_store

CODE = "invented_deadline"
NAME = f"accuracy.{CODE}"
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def judge(
    folder: Path, said: Sequence[str], *, run_id: str = "run_1", model: str = "judge-1", days: float = 90,
    contact: Callable[[int], str] = lambda i: f"+5511{i:09}", queue: Callable[[int], str] = lambda _: "orders",
    prefix: str = "talk", again: int = 0, code: str = CODE,
    also: Sequence[str] = (),
) -> None:  # fmt: skip
    """Conversations judged by accuracy: `said[i]` of `code` (present, unsupported, failed, or an answer), absent else.
    `again`: the how manieth other judge it is that reads the same conversations. `also`: other rubrics.
    """
    with open_store(folder / "grader.duckdb") as store:
        w = World(store)
        for i, answer in enumerate(said):
            name = f"{prefix}-{i:03}"
            at = T0 + timedelta(hours=i)
            w.talk(
                name, says("customer", f"where is order {i}?", at), says("ai", f"It arrives on day {i}.", at),
                contact=contact(i), queue=queue(i), start=at,
            )  # fmt: skip
            if again:
                w._repeats[name, "accuracy"] = again - 1
            if answer == "failed":
                w.failed(name)
                continue
            verdict = {"present": present("It arrives"), "unsupported": unproved("It will")}.get(answer, answer)
            w.judged(name, "accuracy", {code: verdict}, model=model)
            for rubric in also:
                w.judged(name, rubric, {}, model=model)
        used = [{"name": name, "version": RUBRICS[name].version} for name in ("accuracy", *also)]
        w.finish(run_id, at=T0 + timedelta(days=days), rubrics=used, model=model)


Answer = Callable[[str, str], str | None]


def label(folder: Path, plan_id: str, answer: Answer, *, at: datetime = NOW, code: str = CODE) -> None:
    """Every item of a plan answered: `answer(conversation, reviewer)` of the code, absent of all others."""
    with open_store(folder / "grader.duckdb") as store:
        plan = kept_plan(store, plan_id)
        chosen = plan.chosen()
        records = []
        for item in plan.items:
            for q in plan.questions:
                told = answer(item.conversation_id, item.reviewer) if q.criterion == code else "absent"
                if told is not None:
                    records.append(LabelRecord(
                        plan.plan_id, item.item_id, None, item.conversation_id, q.rubric, q.rubric_version,
                        q.criterion, item.reviewer, "reviewer", told, None, None, None, False,
                        chosen[item.conversation_id].inclusion_probability, at,
                    ))  # fmt: skip
        store.add_label_records(records, at)


def decide(folder: Path, plan_id: str, conversation_id: str, told: str, *, code: str = CODE) -> None:
    """A third decides one disagreement."""
    with open_store(folder / "grader.duckdb") as store:
        plan = kept_plan(store, plan_id)
        (q,) = [q for q in plan.questions if q.criterion == code]
        chance = plan.chosen()[conversation_id].inclusion_probability
        store.add_label_records([LabelRecord(
            plan.plan_id, "it_third", None, conversation_id, q.rubric, q.rubric_version, q.criterion, "cleo",
            "adjudicator", told, None, None, None, False, chance, NOW,
        )], NOW)  # fmt: skip


def planned(main: Main, *args: str, n: int = 1000, reviewers: str = "ana", code: str = CODE) -> str:
    """A plan of one code, as large as the frame unless `n` says otherwise; its id."""
    told = drawn(
        main, "-c", code, "-n", str(n), "--reviewers", reviewers, "--overlap", "60", "--duplicates", "0", *args
    )  # fmt: skip
    return str(told["plan_id"])


def calibrate(main: Main, *args: str, code: int = 0) -> dict[str, Any]:
    """A calibration by all labels, as `--json` tells it."""
    done = main("calibrate", "--json", *(("--split", "all") if "--split" not in args else ()), *args)
    assert done.code == code, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def of(told: dict[str, Any], name: str = NAME, **where: str) -> dict[str, Any]:
    """What is told of one code."""
    dimension, value = next(iter(where.items()), (None, None))
    (found,) = [
        c for c in told["codes"] if c["name"] == name and c["dimension"] == dimension and c["slice"] == value
    ]  # fmt: skip
    one: dict[str, Any] = found
    return one


def number(conversation_id: str) -> int:
    return int(conversation_id.rsplit("-", 1)[1])


def half_right(shop: Path, main: Main, *, n: int = 1000) -> str:
    """400 conversations: the first 80 flagged, of which people find 60; 30 of the 320 others people find too."""
    judge(shop, ["present"] * 80 + ["absent"] * 320, queue=lambda i: "returns" if i % 2 else "orders")
    plan = planned(main, n=n)
    label(shop, plan, lambda c, _: "present" if number(c) < 60 or 80 <= number(c) < 110 else "absent")
    return plan
