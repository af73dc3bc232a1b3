"""What the tests of codes taken together share: a shop judged on every critical code, and labels of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from conftest import Main
from label_parts import drawn
from report_data import RUBRICS, T0, World, present, says, unproved

from grader.labelling.given import kept_plan
from grader.model import Verdict
from grader.store import LabelRecord, open_store

POLICY, TOOL, EXCEPTION, ESCALATION = CRITICAL = (
    "accuracy.contradicts_policy", "accuracy.contradicts_tool_result", "behavior.promised_exception",
    "behavior.missed_escalation",
)  # fmt: skip
NAME = "(all).any_critical"
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
Said = Mapping[str, str]  # by code, absent else; `failed` by rubric


def shop(
    folder: Path, n: int, said: Callable[[int], Said], *, run_id: str = "run_1", model: str = "judge-1",
    prefix: str = "talk", days: float = 90, rubrics: Sequence[str] = ("accuracy", "behavior"),
) -> None:  # fmt: skip
    """`n` conversations, an hour apart, judged by these rubrics."""
    with open_store(folder / "grader.duckdb") as store:
        w = World(store)
        for i in range(n):
            at, name = T0 + timedelta(hours=i % 90), f"{prefix}-{i:03}"
            texts = (says("customer", f"{prefix} {i}: where is it?", at), says("ai", f"It arrives on day {i}.", at))
            w.talk(name, *texts, contact=f"+5511{sum(map(ord, prefix)):04}{i:05}", start=at)
            mine = said(i)
            for rubric in rubrics:
                if mine.get(rubric) == "failed":
                    w.failed(name, rubric)
                    continue
                answers: dict[str, str | Verdict] = {
                    code.partition(".")[2]: {"present": present("It arrives"), "unsupported": unproved("It will")}.get(
                        answer, answer
                    )
                    for code, answer in mine.items() if code.startswith(f"{rubric}.")
                }  # fmt: skip
                w.judged(name, rubric, answers, model=model)
        w.talk(f"end-{prefix}", start=T0 + timedelta(days=60))
        used = [{"name": name, "version": RUBRICS[name].version} for name in rubrics]
        w.finish(run_id, at=T0 + timedelta(days=days), rubrics=used, model=model)
    (folder / "grader.toml").touch()


def plan_of(
    main: Main, folder: Path, codes: Sequence[str] = CRITICAL, *, n: int = 1000, reviewers: str = "ana"
) -> str:  # fmt: skip
    """A plan of these codes, of all that was judged unless `n` says otherwise; its id."""
    asked = [part for code in codes for part in ("-c", code)]
    told = drawn(
        main, "-w", str(folder), *asked, "-n", str(n), "--reviewers", reviewers, "--overlap", "60", "--duplicates", "0"
    )  # fmt: skip
    return str(told["plan_id"])


def label(folder: Path, plan_id: str, answer: Callable[[int, str, str], str | None]) -> None:
    """Every item answered: `answer(number of the conversation, code, reviewer)`, nothing where it is None."""
    with open_store(folder / "grader.duckdb") as store:
        plan = kept_plan(store, plan_id)
        chance = {i: c.inclusion_probability for i, c in plan.chosen().items()}
        records = [
            LabelRecord(
                plan.plan_id, item.item_id, None, item.conversation_id, q.rubric, q.rubric_version, q.criterion,
                item.reviewer, "reviewer", told, None, None, None, False, chance[item.conversation_id], NOW,
            )
            for item in plan.items for q in plan.questions
            if (told := answer(int(item.conversation_id.rsplit("-", 1)[1]), q.name, item.reviewer)) is not None
        ]  # fmt: skip
        store.add_label_records(records, NOW)


def judge_says(i: int) -> Said:
    """Of 400: 60 flagged, 10 of them of two codes; 10 without proof; 10 answered by accuracy alone; 5 not judged; 10
    to which no critical code applies.
    """
    if i < 60:
        return ({POLICY: "present"} if i < 40 else {}) | ({EXCEPTION: "present"} if i >= 30 else {})
    if i < 70:
        return {POLICY: "unsupported"}
    if i < 80:
        return {"behavior": "failed"}
    if i < 85:
        return {"accuracy": "failed", "behavior": "failed"}
    return dict.fromkeys(CRITICAL, "not_applicable") if i < 95 else {}


def people_say(i: int, code: str, _: str = "") -> str:
    """45 of the 60 flags are right, the last 5 of another code; 14 more have it; of 10 one code cannot be assessed and
    nothing is found, of 3 none can.
    """
    if i < 45:
        wanted = POLICY if i < 40 else ESCALATION
        return "present" if code == wanted else "absent"
    if 60 <= i < 64 or 100 <= i < 110:
        return "present" if code == TOOL else "cannot_assess" if code == POLICY and i < 62 else "absent"
    if 85 <= i < 95:
        return "not_applicable"
    if 110 <= i < 120:
        return "cannot_assess" if code == ESCALATION else "absent"
    return "cannot_assess" if 120 <= i < 123 else "absent"


def by_hand(folder: Path, main: Main, *, n: int = 1000) -> str:
    """The shop that the two above tell of, labelled; the plan's id."""
    shop(folder, 400, judge_says)
    plan = plan_of(main, folder, n=n)
    label(folder, plan, people_say)
    return plan
