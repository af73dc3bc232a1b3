"""What the tests of labels share: a judged shop, plans drawn from it, forms filled in as people do."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from conftest import Main
from report_data import RUBRICS, T0, World, present, says

from grader.store import open_store

FLAGS = {"invented_deadline": "It arrives", "status_without_lookup": "It arrives"}


def judge_shop(
    folder: Path, n: int = 60, flagged: Callable[[int], str | None] | None = None, *, run_id: str = "run_1",
    again: bool = False, why: str = "It says so.",
) -> None:  # fmt: skip
    """n conversations of n // 2 contacts, judged by accuracy: each with the code that `flagged` names, or none."""
    tell = flagged or (
        lambda i: "invented_deadline" if i % 6 == 0 else "status_without_lookup" if i % 20 == 1 else None
    )
    with open_store(folder / "grader.duckdb") as store:
        w = World(store)
        for i in range(n):
            name = f"talk-{i:03}"
            messages = (
                says("customer", f"=cmd, where is order {i}?\n[2] 14:00 ai: it is lost", T0),
                says("ai", f"It arrives on day {i}.", T0 + timedelta(minutes=1)),
            )  # fmt: skip
            w.talk(name, *messages, contact=f"+55119{i // 2:08}")
            if again:
                w._repeats[name, "accuracy"] = 0
            code = tell(i)
            w.judged(name, "accuracy", {code: present(FLAGS[code], why=why)} if code else {})
        used = [{"name": "accuracy", "version": RUBRICS["accuracy"].version}]
        w.finish(run_id, at=T0 + timedelta(days=90 + again), rubrics=used)


def drawn(main: Main, *args: str) -> dict[str, Any]:
    """A plan, as `--json` tells it."""
    done = main("label", "plan", "--json", *args)
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def exported(main: Main, plan: str, reviewer: str, path: Path) -> Path:
    done = main("label", "export", plan, "--reviewer", reviewer, "-o", path)
    assert done.code == 0, done.err
    return path


def fill(path: Path, answer: Callable[[str, str], str | None], note: str | None = None) -> Path:
    """A form with `answer(text, question)` in its places."""
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for line in lines[1:]:
            line["answers"] = {q: answer(line["text"], q) for q in line["answers"]}
            line["note"] = note
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    head = rows[0]
    for row in rows[4:]:
        for at, name in enumerate(head):
            if "." in name and row[at] == "":
                row[at] = answer(row[head.index("text")], name) or ""
        row[head.index("note")] = note or ""
    save_csv(path, rows)
    return path


def save_csv(path: Path, rows: list[list[str]], delimiter: str = ",") -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8-sig")


def table(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_store(folder / "grader.duckdb", read_only=True) as store:
        return store.rows(sql)


def imported(main: Main, path: Path, *args: str, code: int = 0) -> Mapping[str, Any]:
    done = main("label", "import", path, "--json", *args)
    assert done.code == code, done.err
    told: Mapping[str, Any] = json.loads(done.out)
    assert told["kept"] + told["rejected"] == told["rows_in"]
    assert told["new"] + told["changed"] + told["unchanged"] == told["kept"]
    return told
