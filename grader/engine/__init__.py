"""The batch run of the grade side: plan, reuse, concurrency, budget, journal, resume.

`absorb` takes unfinished business in, `make_plan` says what is to be done, `grade` does it. Nothing here draws progress
bars or reads configuration files.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grader
from grader.engine.journal import Entry, Journal, journals, read, run_of
from grader.engine.plan import CHARS_PER_TOKEN, REPLY_TOKENS_PER_CODE, Estimate, Plan, Work, estimate, make_plan
from grader.engine.run import Options, Progress, Stop, Summary, execute, failures_first
from grader.judge import Judge
from grader.model import JsonValue
from grader.rubric import Rubric
from grader.rubric.versions import check_unchanged
from grader.store import Store

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
]

ABSORB_BATCH = 1_000


@dataclass(frozen=True)
class Absorbed:
    """What was taken out of journals: how many files held something new, how many judgements were new."""

    n_journals: int = 0
    n_judgements: int = 0


def absorb(store: Store, folder: Path, *, from_start: bool = False) -> Absorbed:
    """Take into the database what journals hold and it does not: what a killed run had paid for.

    `from_start` reads every journal whole, to rebuild a database. Runs whose process is gone are marked interrupted.
    Raises InputError for a damaged journal.
    """
    n_journals = n_judgements = 0
    for path in journals(folder):
        start = 0 if from_start else store.absorbed(path.name)
        if start >= path.stat().st_size:
            continue
        run_id = run_of(path)
        n_journals += 1
        batch: list[Entry] = []
        end = start
        for entry, end in read(path, start):
            batch.append(entry)
            if len(batch) >= ABSORB_BATCH:
                n_judgements += _take(store, run_id, batch, (path.name, end))
                batch = []
        if batch:
            n_judgements += _take(store, run_id, batch, (path.name, end))
    # The database has one writer, and that is this process: a run that says it is running is one that was killed.
    store.rows("update run set state = 'interrupted' where state = 'running'")
    return Absorbed(n_journals, n_judgements)


def _take(store: Store, run_id: str, batch: Sequence[Entry], mark: tuple[str, int]) -> int:
    judgements = [j for entry in batch for j in entry.judgements]
    return store.append(run_id, judgements, [entry.call for entry in batch if entry.call], mark)


def check_rubrics(store: Store, rubrics: Sequence[Rubric]) -> None:
    """Refuse a rubric whose meaning changed under an unchanged version. Raises RubricError with the cure."""
    for rubric in rubrics:
        if known := store.rubric_hashes(rubric.name, rubric.version):
            check_unchanged(rubric, known[0])


def _keep_rubrics(store: Store, rubrics: Sequence[Rubric], at: datetime) -> None:
    for rubric in rubrics:
        hashes = (rubric.meaning_hash, rubric.label_hash)
        if store.rubric_hashes(rubric.name, rubric.version) == hashes:
            continue
        criteria = [
            {"code": c.code, "position": position, "title": c.title, "severity": c.severity, "scale": c.scale}
            for position, c in enumerate(rubric.criteria, 1)
        ]
        body = rubric.model_dump(mode="json")
        store.add_rubric(rubric.name, rubric.version, hashes, rubric.title, body, criteria, at)


def new_run(at: datetime) -> str:
    """A run's identity: sorts by time, and two in the same second differ."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


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
    repeat: int = 0,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    stop: Stop | None = None,
) -> Summary:
    """Run a plan: note the run, make the calls, note how it ended. Every judgement is journaled before it is stored."""
    at = options.now()
    run_id = new_run(at)
    _keep_rubrics(store, plan.rubrics, at)
    store.add_prompt(judge.prompt_hash, prompt_body, at)
    store.start_run({
        "run_id": run_id, "started_at": at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" "), "state": "running",
        "judge": judge.name, "model": judge.model, "parameters": dict(judge.parameters),
        "rubrics": [{"name": r.name, "version": r.version, "meaning_hash": r.meaning_hash} for r in plan.rubrics],
        "selection": dict(selection), "seed": selection.get("seed"), "n_population": plan.n_population,
        "n_planned": plan.n_items, "n_reused": plan.n_reused, "n_judged": 0, "n_failed": 0, "cost_usd": 0.0,
        "grader_version": grader.__version__, "command": command,
    })  # fmt: skip
    store.add_run_items(run_id, _items(plan))
    journal = Journal(journal_folder / f"{run_id}.jsonl", run_id, at)
    summary = Summary(run_id, "interrupted", Progress(plan.n_todo))
    try:
        summary = await execute(
            run_id, plan, judge, store, journal, options, repeat=repeat, on_progress=on_progress, stop=stop
        )
    finally:
        p = summary.progress
        store.update_run(run_id, {
            "finished_at": options.now().astimezone(UTC).replace(tzinfo=None), "state": summary.state,
            "n_judged": p.n_judged, "n_failed": p.n_failed, "cost_usd": p.cost_usd,
        })  # fmt: skip
    return summary


def _items(plan: Plan) -> Sequence[tuple[str, str, str, bool, float, str | None]]:
    return [
        (d.conversation_id, rubric.name, key, key in plan.reused, d.inclusion_probability, d.stratum)
        for d, row in zip(plan.draws, plan.keys, strict=True)
        for rubric, key in zip(plan.rubrics, row, strict=True)
    ]
