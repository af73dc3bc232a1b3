"""What the tests of disagreements share: a shop judged wrongly in every way, labelled, and who is in which split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from conftest import Main
from label_parts import drawn, exported, fill, imported
from report_data import RUBRICS, T0, World, calls, present, says, tells, unproved, world
from report_hostile import ALL, ATTRIBUTE, COMMENT, CONTROL, DEEP, JINJA, LONG, RTL, SCRIPT

from grader.labelling.design import split
from grader.model import Event, Policy, Role, Verdict

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
    main: Main, folder: Path, answer: Callable[[str, str], Any], *plan: str, reviewers: str = "ana",
    note: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A plan over everything, filled in by each reviewer with `answer(case, question)`: a word, or a mapping with
    answer, message, quote and note.
    """
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


def hostile_shop(main: Main, folder: Path) -> dict[str, Any]:
    """Two conversations whose ids, texts, reasons, notes and quotes try to break what they are shown in."""
    names = (f"id {ALL}", "long")
    with world(folder) as w:
        w.policy(
            Policy(policy_id="p", title=f"Title {SCRIPT}", text=f"Rule {SCRIPT} {JINJA} holds.", queues=("orders",))
        )
        w.talk(
            names[0], says("customer", "case 0: hi", T0), says("ai", SCRIPT, T0), says("customer", ATTRIBUTE, T0),
            says("ai", JINJA, T0), says("customer", RTL, T0), says("ai", CONTROL, T0), says("human", COMMENT, T0),
            calls(f"tool {SCRIPT}", {"q": SCRIPT}, T0), tells("deep", DEEP, T0), says("customer", "", T0),
            reason=f"reason {ALL}", channel=f"channel {SCRIPT}",
            events=(Event(kind=f"kind {SCRIPT}", after=3, at=T0, from_role=Role.AI, to_role=Role.HUMAN, note=ALL),),
        )  # fmt: skip
        w.judged(names[0], "accuracy", {
            "invented_deadline": present(SCRIPT, 2, clause=f"Rule {SCRIPT}", why=ALL),
            "contradicts_policy": unproved(ALL, 99, "no_such_message"),
        })  # fmt: skip
        w.talk(names[1], says("customer", "case 1: hi", T0), says("ai", LONG, T0), says("ai", "x" * 200_000, T0))
        w.judged(names[1], "accuracy", {"invented_deadline": present("end!!", 2, why=LONG)})
        accuracy_run(w)

    def answer(case: str, question: str) -> Any:
        note = {"answer": "absent", "note": ALL, "message": 2, "quote": SCRIPT if case == "0" else "word word"}
        return note if question in (DEADLINE, "accuracy.contradicts_policy") else "absent"

    return labelled(main, folder, answer, "-c", DEADLINE, "-c", "accuracy.contradicts_policy")
