"""What `grader promote` prints: a table of codes and checks, a sentence for each that did not pass, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grader.cli import console
from grader.cli.compared import short_names, side

if TYPE_CHECKING:
    from grader.calibration.promote import Promotion
    from grader.calibration.promotions import Decided

ORDER = (
    "sensitivity", "specificity", "better than chance", "agreement on not applicable", "floor", "repeats", "labels",
    "judgements", "disagreements", "reviewers", "openings",
)  # fmt: skip
_SHORT = {"better than chance": "chance", "agreement on not applicable": "n/a"}
_SHOWN = {"pass": "pass", "hold": "HOLD", "fail": "FAIL"}
# What is mended first: nothing else can be told before it is.
_FIRST = ("openings", "reviewers", "judgements", "disagreements", "repeats", "labels")
_STYLE = {"pass": "1;32", "hold": "1;33", "fail": "1;31"}


def tell(found: Promotion, promotion_id: str | None) -> None:
    """The decision, for people."""
    console.out(f"old  {found.old.name}  run {found.old.run_id}")
    console.out(f"new  {found.new.name}  run {found.new.run_id}")
    differs = found.new.instruments[found.rubric].changed_from(found.old.instruments[found.rubric])
    console.out(f"differs: {'; '.join(differs)}")
    looked = f"opened for {_n(found.n_openings, 'judge')} of {found.rubric}, these included"
    if not found.opened:
        looked = "not opened: that is for when all else is in order"
    console.out(
        f"labels of plan {found.plan.plan_id[:11]}, test split: {_n(found.n_labelled, 'conversation')}; {looked}"
    )
    console.out()
    short = short_names([d.code for d in found.decisions])
    names = [n for n in ORDER if any(c.name == n for d in found.decisions for c in d.checks)]
    console.table(
        ["code", *(_SHORT.get(n, n) for n in names), ""],
        [(short[d.code], *(_mark(d.checks, n) for n in names), _SHOWN[d.outcome]) for d in found.decisions],
    )
    for (outcome, name, sentence), codes in _sentences(found).items():
        console.out(f"{_SHOWN[outcome]}  {', '.join(codes)}, {name}: {sentence}")
    for one in found.reworded:
        if one.side == "labels → B":
            fields = ", ".join(one.fields)
            console.out(f"{one.name} has another {fields} than when labels were given: do they still hold for it?")
    for name in found.gone:
        console.out(f"{name} is no longer asked; its series ends")
    if promotion_id is not None:
        console.out(f"kept as {promotion_id}")
    console.out()
    for line in verdict(found):
        console.out(line, style=_STYLE[found.outcome])


def _sentences(found: Promotion) -> dict[tuple[str, str, str], list[str]]:
    """What did not pass, failures first, each sentence once with the codes that it is about."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for d in found.decisions:
        for c in d.checks:
            if c.outcome != "pass":
                told.setdefault((c.outcome, c.name, c.sentence), []).append(d.code)
    return dict(sorted(told.items(), key=lambda one: one[0][0] != "fail"))


def _mark(checks: Sequence[Any], name: str) -> str | None:
    found = [c.outcome for c in checks if c.name == name]
    worst = "fail" if "fail" in found else "hold" if "hold" in found else "pass" if found else None
    return None if worst is None else _SHOWN[worst]


def verdict(found: Promotion) -> list[str]:
    """What it came to, and on the last line what to do next."""
    old, new = (one.rubrics[found.rubric].reference for one in (found.old, found.new))
    if found.outcome == "pass":
        ends = f"{old} and {new}" if old != new else f"the old judge of {new} and the new one"
        then = f"grader label plan --rubric {found.rubric} draws fresh labels to calibrate it"
        return [
            f"PASS: {found.new.name} may take the place of {found.old.name}.",
            f"Weeks judged by {ends} are not compared: the series breaks between them, unless history is judged again.",
            f"next: {found.again} --rubric {new} judges again what the plan's run judged; {then}",
        ]
    if found.outcome == "fail":
        look = f"grader compare {found.old.run_id} {found.new.run_id}"
        return [
            f"FAIL: {found.old.name} stays.",
            f"next: {look} shows where it got worse; mend that in another version",
        ]
    if found.ready and not found.opened:
        return [
            "READY: nothing stands against opening the test split.",
            "next: the same command without --dry-run opens it and decides",
        ]
    return [f"HOLD: {found.old.name} stays until the above is mended.", f"next: {_next(found)}"]


def _next(found: Promotion) -> str:
    """The first thing to mend, as a command."""
    plan, rubric = found.plan.plan_id[:11], found.rubric
    judge = f"{found.again} --rubric {found.new.rubrics[rubric].reference}"
    unlabelled = " ".join(f"--code {d.code}" for d in found.unasked)
    commands = {
        "openings": f"grader label plan --rubric {rubric}, of conversations that nobody labelled yet",
        "reviewers": f"grader rubric new-version {rubric} to fix the rubric, then label anew",
        "judgements": f"{judge}; what failed for good is tried again with --retry-failed",
        "disagreements": f"grader label adjudicate {plan} -o FILE",
        "repeats": f"{judge} --repeats 2",
        "labels": f"grader label plan {unlabelled}" if unlabelled else f"grader label status {plan}, and label more",
    }
    short = {c.name for d in found.decisions for c in d.checks if c.outcome != "pass"}
    more = (
        f"label more of plan {plan}, or draw a larger one, of which half is test: grader label plan --rubric {rubric}"
    )
    if len(found.plan.drawn) == found.plan.n_frame:
        more = f"grade more conversations, then label them: plan {plan} holds all of its frame"
    return f"{next((commands[name] for name in _FIRST if name in short), more)}; then the same command again"


def _n(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def document(found: Promotion, promotion_id: str | None) -> dict[str, Any]:
    """The decision, for programs."""
    from grader.calibration.promote import evidence_row

    gate = {f: getattr(found.gate, f) for f in found.gate.__slots__}
    return {
        "promotion": promotion_id, "rubric": found.rubric, "outcome": found.outcome, "ready": found.ready,
        "plan": found.plan.plan_id, "old": side(found.old), "new": side(found.new), "gate": gate,
        **evidence_row(found), "decided_at": found.decided_at, "next": verdict(found)[-1].removeprefix("next: "),
    }  # fmt: skip


def tell_list(found: Sequence[Decided], *, as_json: bool) -> None:
    """What was decided so far."""
    if as_json:
        console.out_json({"promotions": [
            {
                "promotion": d.promotion_id, "rubric": d.rubric, "outcome": d.outcome, "decided_at": d.decided_at,
                "plan": d.plan_id, "from": {"run": d.from_run, **d.from_instrument.row()},
                "to": {"run": d.to_run, **d.to_instrument.row()}, "gate": d.gate, "evidence": d.evidence,
                "grader_version": d.grader_version, "reasons": d.reasons,
            }
            for d in found
        ]})  # fmt: skip
        return
    if not found:
        console.note("no decision yet: grader promote accuracy@1.1.0 makes one")
        return
    console.table(
        ["decided (UTC)", "outcome", "from", "to", "plan", "reasons"],
        [
            (f"{d.decided_at:%Y-%m-%d %H:%M}", d.outcome, d.from_instrument.name, d.to_instrument.name, d.plan_id[:11],
             _reasons(d.reasons))
            for d in found
        ],
    )  # fmt: skip


def _reasons(told: Sequence[str]) -> str:
    return "" if not told else told[0] + (f" (and {len(told) - 1} more)" if len(told) > 1 else "")
