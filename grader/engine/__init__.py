"""The batch run of the grade side: plan, reuse, concurrency, budget, journal, resume.

`absorb` takes unfinished business in, `make_plan` says what is to be done, `grade` does it. Nothing here draws progress
bars or reads configuration files.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import grader
from grader.engine.absorb import Absorbed, absorb, described, keep_rubrics, stored_rubric, waiting
from grader.engine.control import Options, Progress, Stop, Summary
from grader.engine.journal import End, Head, Items, Journal
from grader.engine.plan import CHARS_PER_TOKEN, REPLY_TOKENS_PER_CODE, Estimate, Plan, Work, estimate, make_plan
from grader.engine.run import execute, failures_first
from grader.errors import StoreError
from grader.judge import Judge
from grader.model import JsonValue
from grader.rubric import Rubric
from grader.rubric.versions import check_unchanged
from grader.store import RUN_ITEMS_AT_ONCE, RunItem, Store

__all__ = [
    "CHARS_PER_TOKEN",
    "REPLY_TOKENS_PER_CODE",
    "Absorbed",
    "Estimate",
    "Options",
    "Plan",
    "Progress",
    "Stop",
    "Summary",
    "Work",
    "absorb",
    "check_rubrics",
    "estimate",
    "failures_first",
    "grade",
    "make_plan",
    "new_run",
    "waiting",
]


def check_rubrics(store: Store, rubrics: Sequence[Rubric]) -> None:
    """Refuse a rubric whose meaning changed under an unchanged version. Raises RubricError with the cure."""
    for rubric in rubrics:
        known = store.rubric_hashes(rubric.name, rubric.version)
        if known and known[0] != rubric.meaning_hash:
            check_unchanged(rubric, known[0], stored_rubric(store, rubric.name, rubric.version))


def new_run(at: datetime) -> str:
    """A run's identity: sorts by time, to the millisecond, and two in the same one differ."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S}-{at.microsecond // 1000:03d}{uuid.uuid4().hex[:4]}"


async def grade(
    store: Store,
    plan: Plan,
    judge: Judge,
    options: Options,
    journal_folder: Path,
    *,
    selection: Mapping[str, JsonValue],
    prompt_body: JsonValue = None,
    command: str | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    stop: Stop | None = None,
) -> Summary:
    """Run a plan: note the run, make the calls, note how it ended. Every judgement is journaled before it is stored.
    With nothing to do, the judge is not asked for anything but its name.

    Raises StoreError, before anything is called, when the journal or the database cannot be written.
    """
    at = options.now()
    run_id = new_run(at)
    row: dict[str, JsonValue] = {
        "run_id": run_id, "started_at": _utc(at), "state": "running",
        "judge": judge.name, "model": judge.model, "parameters": dict(judge.parameters),
        "rubrics": [{"name": r.name, "version": r.version, "meaning_hash": r.meaning_hash} for r in plan.rubrics],
        "selection": dict(selection), "seed": selection.get("seed"), "n_population": plan.n_population,
        "n_planned": plan.n_items, "n_reused": plan.n_reused, "n_judged": 0, "n_failed": 0, "cost_usd": 0.0,
        "grader_version": grader.__version__, "command": command,
    }  # fmt: skip
    prompt = None if prompt_body is None else (judge.prompt_hash, prompt_body)
    if not plan.n_calls:  # nothing can be lost, and the same command makes the same run again: no journal
        state = "incomplete" if plan.n_failed_before else "complete"
        keep_rubrics(store, [described(rubric, at) for rubric in plan.rubrics])
        store.begin_run({**row, "state": state, "finished_at": _utc(options.now())}, lambda: _items(plan))
        return Summary(run_id, state, Progress(0))
    head = Head(run_id, row, [described(rubric, at) for rubric in plan.rubrics], prompt)
    journal = Journal(journal_folder / f"{run_id}.jsonl", (head, *(Items(tuple(i)) for i in _items(plan))))
    progress = Progress(plan.n_todo)
    state = "aborted"
    try:
        keep_rubrics(store, head.rubrics)
        if prompt is not None:
            store.add_prompt(*prompt, at)
        store.begin_run(row, lambda: _items(plan), (journal.name, journal.on_disk))
        summary = await execute(
            run_id, plan, judge, store, journal, options, progress=progress, on_progress=on_progress, stop=stop
        )
        state = summary.state
    finally:
        try:
            _note_end(store, journal, End({
                "finished_at": _utc(options.now()), "state": state, "n_judged": progress.n_judged,
                "n_failed": progress.n_failed, "cost_usd": progress.cost_usd,
            }))  # fmt: skip
        finally:
            journal.close()
    return summary


def _note_end(store: Store, journal: Journal, end: End) -> None:
    """What is journaled is safe: where the end cannot be noted, the next run finds out how this one ended."""
    with contextlib.suppress(StoreError):
        before = journal.on_disk
        journal.write(end)
        if store.absorbed(journal.name) == before:
            store.end_run(journal.path.stem, end.changes, (journal.name, journal.on_disk))


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def _items(plan: Plan) -> Iterator[list[RunItem]]:
    chunk: list[RunItem] = []
    for item in plan.items():
        chunk.append(item)
        if len(chunk) == RUN_ITEMS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
