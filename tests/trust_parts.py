"""What the tests of calibration status share: a judged shop, its labels, and a calibration made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conftest import Main
from label_parts import FLAGS, drawn, fill, imported
from report_data import RUBRICS, T0, World, present, says

from grader.calibration.instrument import Instrument, of_run
from grader.store import Store, open_store

CODE = "invented_deadline"
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)  # after every calibration that a test makes


def shop(
    folder: Path, n: int = 90, *, run_id: str = "run_1", model: str = "judge-1", each: int = 3,
    names: str = "talk", days: int = 90, rubrics: tuple[str, ...] = ("accuracy", "resolution"),
) -> None:  # fmt: skip
    """`n` conversations with a customer each, every `each`th flagged with CODE."""
    with open_store(folder / "grader.duckdb") as store:
        w = World(store)
        for i in range(n):
            at = T0 + timedelta(hours=i % 90)
            said = (says("customer", f"{names} {i}: my order?", at), says("ai", f"It arrives on day {i}.", at))
            name = f"{names}-{i:04}"
            w.talk(name, *said, contact=f"+55119{sum(map(ord, names)) % 100:02}{i:06}", start=at)
            answers = {CODE: present(FLAGS[CODE])} if i % each == 0 else {}
            for rubric in rubrics:
                w.judged(name, rubric, answers if rubric == "accuracy" else {}, model=model)
        used = [{"name": name, "version": RUBRICS[name].version} for name in rubrics]
        w.finish(run_id, at=T0 + timedelta(days=days), rubrics=used, model=model)
    (folder / "grader.toml").touch()


def labelled(
    main: Main, folder: Path, says_: Callable[[str], str] | None = None, *, n: int = 90,
    codes: tuple[str, ...] = (CODE,),
) -> None:  # fmt: skip
    """Labels of one reviewer, on `n` conversations: without `says_`, the judge is right but for day 7."""

    def truth(text: str, question: str) -> str:
        day = int(text.rsplit("on day ", 1)[1].rstrip(".").split(".")[0])
        if says_ is not None:
            return says_(text)
        return "present" if question.endswith(CODE) and (day % 3 == 0 or day == 7) else "absent"

    asked = [part for code in codes for part in ("--code", code)]
    plan = drawn(main, "-w", str(folder), *asked, "-n", str(n), "--reviewers", "dana", "--duplicates", "0")["plan_id"]
    path = folder / f"{plan}.jsonl"
    done = main("label", "export", plan, "--reviewer", "dana", "-o", path, "-w", folder)
    assert done.code == 0, done.err
    fill(path, truth)
    imported(main, path, "--reviewer", "dana", "-w", str(folder))


def calibrated(main: Main, folder: Path, *args: str) -> None:
    """The calibration of the latest plan."""
    done = main("calibrate", "-w", folder, "--split", "all", *args)
    assert done.code == 0, done.err


def golden(store: Store, outcome: str, *, run_id: str = "run_1", at: datetime = NOON, name: str = "deadlines") -> None:
    """A golden set and its check under what judged this run."""
    one: Instrument = of_run(store, run_id)["accuracy"]
    row: dict[str, Any] = {**one.row()}
    store.add_golden_set(
        {"golden_id": f"gs_{name}", "name": name, "plan_id": "lp_1", "run_id": run_id, **row, "seed": 1,
         "grader_version": "0", "frozen_at": at},
        [{"conversation_id": "talk-0000", "content_hash": "cv_1", "criterion": CODE, "expected": "present",
          "baseline": "present"}],
    )  # fmt: skip
    del row["rubric"]
    store.add_golden_check({
        "golden_id": f"gs_{name}", "run_id": run_id, **row, "outcome": outcome, "sentence": f"It {outcome}.",
        "evidence": {}, "checked_at": at,
    })  # fmt: skip
