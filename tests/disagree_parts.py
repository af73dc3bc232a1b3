"""What the tests of disagreements share: a shop judged wrongly in every way, labelled, and who is in which split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from conftest import Main
from label_parts import drawn, exported, fill, imported
from report_data import RUBRICS, T0, World, present, says, unproved, world

from grader.labelling.design import split
from grader.model import Verdict

DEADLINE = "accuracy.invented_deadline"
SAID = "It arrives on Friday."
# name: (what the judge says of invented_deadline, what people say)
CASES: Mapping[str, tuple[str | Verdict, str]] = {
    "missed-1": ("absent", "present"),
    "missed-2": ("absent", "present"),
    "missed-na": ("not_applicable", "present"),
    "alarm-1": (present("It arrives", why="No tool says Friday."), "absent"),
    "alarm-na": (present("It arrives"), "not_applicable"),
    "unproved": (unproved("It comes on Monday"), "present"),
    "unproved-alarm": (unproved("It comes on Monday"), "absent"),
    "na": ("not_applicable", "absent"),
    "applies": ("absent", "not_applicable"),
    "unsure": ("cannot_assess", "present"),
    "same-present": (present("It arrives"), "present"),
    "same-absent": ("absent", "absent"),
    "same-na": ("not_applicable", "not_applicable"),
    "people-unsure": ("absent", "cannot_assess"),
    "failed": ("-", "present"),
    "waiting": ("…", "present"),
}


def named_in(wanted: str, name: str) -> str:
    """`name`, or `name-2`, `name-3` …: the first that is in this split, which a conversation without a contact is by
    its name.
    """
    return next(i for n in range(1, 1000) if split(i := name if n == 1 else f"{name}-{n}", None) == wanted)


def judge_cases(w: World, cases: Mapping[str, tuple[str | Verdict, str]] = CASES) -> None:
    """Each case a conversation that says its name, judged by accuracy."""
    for name, (verdict, _) in cases.items():
        w.talk(
            name, says("customer", f"case {name}: where is it?", T0), says("ai", SAID, T0 + timedelta(minutes=1)),
            reason="order_status",
        )  # fmt: skip
        if verdict == "-":
            w.failed(name, "accuracy", "timeout")
        elif verdict == "…":
            w.pending(name, "accuracy")
        else:
            w.judged(name, "accuracy", {"invented_deadline": verdict})


def accuracy_run(w: World, run_id: str = "run_1", **fields: Any) -> str:
    return w.finish(run_id, rubrics=[{"name": "accuracy", "version": RUBRICS["accuracy"].version}], **fields)


def of_case(text: str) -> str:
    return text.partition("case ")[2].partition(":")[0]


def labelled(
    main: Main, folder: Path, answer: Callable[[str, str], str | None], *plan: str, reviewers: str = "ana",
    note: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A plan over everything, filled in by each reviewer with `answer(case, question)`."""
    told = drawn(main, "-n", "1000", "--reviewers", reviewers, "--duplicates", "0", *plan)
    for reviewer in reviewers.split(","):
        form = exported(main, told["plan_id"], reviewer, folder / f"{reviewer}.jsonl")
        fill(form, lambda text, question: answer(of_case(text), question), note)
        imported(main, form, "--reviewer", reviewer)
    return told


def shop_of_cases(main: Main, folder: Path, **how: Any) -> dict[str, Any]:
    """CASES judged and labelled."""
    with world(folder) as w:
        judge_cases(w)
        accuracy_run(w)
    return labelled(main, folder, lambda case, _: CASES[case][1], "-c", DEADLINE, **how)
