"""One run of a judge, from the command line: what is planned is told, judged, and what came of it is told.

`grader grade`, `grader golden` and the demo use it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from grader.cli import console, progress
from grader.errors import BudgetError, ConfigError, IncompleteError

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.engine import Estimate, Plan, Summary
    from grader.engine.setup import Bench
    from grader.rubric import Rubric
    from grader.sampling import Draw
    from grader.sampling.plan import Sample
    from grader.store import Store

# DuckDB's share of the memory while a run goes on; it needs little, and the rest belongs to replies in flight.
DATABASE_MEMORY = "12MB"
INTERRUPTED = 130


class Outcome:
    """What `grade` has to tell: the plan alone (`dry_run`), or how the run ended."""

    def __init__(
        self, plan: Plan, guess: Estimate | None, bench: Bench, summary: Summary | None, seconds: float,
        drawn: tuple[Sample, int] | None = None,
    ) -> None:  # fmt: skip
        self.plan, self.guess, self.bench, self.summary, self.seconds = plan, guess, bench, summary, seconds
        self.drawn = drawn  # the sample that was asked for, and how many of it changed since

    @property
    def n_failed(self) -> int:
        """Judgements of this run that are missing because they could not be had."""
        return self.plan.n_failed_before + (self.summary.progress.n_failed if self.summary else 0)

    def line(self) -> str:
        """The one line that a person reads."""
        plan = self.plan
        if self.summary is None:
            return (
                f"reused {plan.n_reused} · to judge {plan.n_todo} · failed {plan.n_failed_before} · nothing was called"
            )
        p = self.summary.progress
        cost = progress.usd(p.cost_usd)
        left = p.n_todo - p.n_done
        return (
            f"reused {plan.n_reused} · judged {p.n_judged} · failed {self.n_failed}"
            + (f" · not yet judged {left}" if left else "")
            + f" · {cost} · run {self.summary.run_id}"
        )

    def as_json(self) -> dict[str, Any]:
        """The same and more, for programs."""
        plan, guess = self.plan, self.guess
        found: dict[str, Any] = {
            "judge": self.bench.judge.name, "model": self.bench.judge.model, "population": plan.n_population,
            "conversations": len(plan.drawn), "rubrics": [r.reference for r in plan.rubrics],
            "repeats": list(plan.repeats), "judgements": plan.n_items, "reused": plan.n_reused,
            "to_judge": plan.n_todo, "calls": plan.n_calls, "failed_before": plan.n_failed_before,
            "estimate": guess and {
                "prompt_tokens": guess.prompt_tokens, "completion_tokens": guess.completion_tokens,
                "cost_usd": guess.cost_usd,
            },
        }  # fmt: skip
        if self.drawn is not None:
            found |= {"sample_id": self.drawn[0].sample_id, "changed_since_drawn": self.drawn[1]}
        if self.summary is not None:
            p = self.summary.progress
            found |= {
                "run_id": self.summary.run_id, "state": self.summary.state, "judged": p.n_judged,
                "failed": self.n_failed, "causes": p.causes, "not_yet_judged": p.n_todo - p.n_done,
                "calls_made": p.n_calls,
                "requests": p.n_attempts, "prompt_tokens": p.prompt_tokens, "completion_tokens": p.completion_tokens,
                "cost_usd": p.cost_usd, "seconds": round(self.seconds, 3),
            }  # fmt: skip
        return found

    def finish(self) -> None:
        """Leave with the exit code that the outcome asks for."""
        if self.summary is None:
            return
        if self.summary.error is not None:
            raise self.summary.error
        if self.summary.state == "budget":
            raise BudgetError(
                "the budget is reached; what was judged is stored", cure="raise --budget and run it again"
            )
        if self.summary.state == "interrupted":
            console.note("interrupted: what was judged is stored; the same command resumes")
            raise typer.Exit(INTERRUPTED)
        if self.n_failed:
            causes = ", ".join(f"{n} {cause}" for cause, n in self.summary.progress.causes.items())
            before = self.plan.n_failed_before
            passing = self.n_failed - before - self.summary.progress.n_failed_for_good
            cure = "`grader failures` lists them with their causes"
            if passing:
                cure += f"; the same command tries {passing} of them again"
            if passing < self.n_failed:
                cure += f"; {self.n_failed - passing} will not pass by themselves: mend the cause, then --retry-failed"
            raise IncompleteError(
                f"{self.n_failed} judgements could not be had{f' ({causes})' if causes else ''}"
                + (f", {before} of them failed before" if before else ""),
                cure=cure,
            )


def run(
    settings: Settings, store: Store, *, rubrics: Sequence[str] = (), select: Sequence[tuple[str, str]] = (),
    sample: int | None = None, seed: int = 0, plan: str | None = None, repeat: int = 0, repeats: int = 1,
    retry_failed: bool = False, dry_run: bool = False, quiet: bool = False, spent: float = 0.0,
) -> Outcome:  # fmt: skip
    """Plan, tell, grade. `plan`: file or id of a sample, instead of `select` and `sample`; `spent`: USD of the budget
    that this command has spent already.
    """
    from grader import engine
    from grader.engine.setup import load_rubrics, make_judge

    started = time.monotonic()
    waiting = taken_in(settings, store, dry_run=dry_run)
    loaded = load_rubrics(settings, rubrics)
    engine.check_rubrics(store, loaded)
    bench = make_judge(settings, concurrency=settings.engine.concurrency)
    drawn = None if plan is None else _drawn_before(store, plan, dry_run=dry_run)
    work = engine.make_plan(
        store, bench.judge, loaded, select=select, sample=sample, seed=seed, group_all=settings.judge.group == "all",
        repeat=repeat, repeats=repeats, retry_failed=retry_failed, zone=settings.workspace.tz, also_judged=waiting,
        drawn_before=drawn and (drawn[0].draws, drawn[0].n_population),
    )  # fmt: skip
    chosen: dict[str, Any] = {"sample": sample, "seed": seed, "select": [list(pair) for pair in select]}
    chosen |= {"repeat": repeat, "repeats": repeats, "design": "simple random" if sample else "all"}
    if drawn is not None:
        chosen |= _chosen(drawn[0])
    return _carried_out(
        settings, store, work, bench, chosen, drawn=drawn, spent=spent, dry_run=dry_run, quiet=quiet, started=started
    )


def run_of(
    settings: Settings, store: Store, loaded: Sequence[Rubric], draws: Sequence[Draw], chosen: Mapping[str, Any], *,
    repeat: int = 0, retry_failed: bool = False, dry_run: bool = False, quiet: bool = False, spent: float = 0.0,
) -> Outcome:  # fmt: skip
    """The same of conversations that are known already; `chosen` is kept with the run, and says why it was made."""
    from grader import engine
    from grader.engine.setup import make_judge

    started = time.monotonic()
    waiting = taken_in(settings, store, dry_run=dry_run)
    engine.check_rubrics(store, loaded)
    bench = make_judge(settings, concurrency=settings.engine.concurrency)
    work = engine.make_plan(
        store, bench.judge, loaded, group_all=settings.judge.group == "all", repeat=repeat,
        retry_failed=retry_failed, also_judged=waiting, drawn_before=(draws, len(draws)),
    )  # fmt: skip
    return _carried_out(
        settings, store, work, bench, {**chosen, "repeat": repeat}, drawn=None, spent=spent, dry_run=dry_run,
        quiet=quiet, started=started,
    )  # fmt: skip


def taken_in(settings: Settings, store: Store, *, dry_run: bool) -> frozenset[str]:
    """Take in what a killed run left. In a dry run nothing is: the keys of what waits."""
    from grader import engine

    journals = settings.workspace.state_dir / "journal"
    if dry_run:
        return engine.waiting(store, journals)
    if n_taken := engine.absorb(store, journals).n_judgements:
        console.note(f"took in {n_taken} judgements that an interrupted run had left in its journal")
    return frozenset()


def _carried_out(
    settings: Settings, store: Store, work: Plan, bench: Bench, chosen: Mapping[str, Any], *,
    drawn: tuple[Sample, int] | None, spent: float, dry_run: bool, quiet: bool, started: float,
) -> Outcome:  # fmt: skip
    import gc

    from grader import engine

    guess = engine.estimate(work, store, bench.prompt_chars, bench.cost) if bench.prompt_chars else None
    frame = f"golden set {chosen['name']}" if "golden" in chosen else drawn and drawn[0].frame
    _tell(work, guess, bench, frame)
    budget = settings.engine.budget_usd
    if budget is not None and guess is not None and guess.cost_usd is None and work.n_calls:
        raise ConfigError(
            f"a budget needs a price, and none is known for the model {bench.judge.model!r}",
            cure=f'add [prices."{bench.judge.model}"] with input and output (USD per million tokens; 0 where it costs '
            "nothing) to grader.toml, or leave out --budget",
        )
    if dry_run:
        return Outcome(work, guess, bench, None, time.monotonic() - started, drawn)
    if work.n_calls:
        gc.disable()  # what is imported is no garbage, and there is a lot of it
        try:
            bench.judge.open()  # what is wrong with it shows before the run is noted
        finally:
            gc.enable()

    def reserve(case: Any) -> float | None:
        if budget is None or bench.prompt_chars is None:
            return None
        codes = sum(len(q.ask) for q in case.questions)
        tokens = bench.prompt_chars(case) / engine.CHARS_PER_TOKEN[1]
        return bench.cost(round(tokens), codes * engine.REPLY_TOKENS_PER_CODE[1])

    options = engine.Options(
        concurrency=settings.engine.concurrency, budget_usd=None if budget is None else max(0.0, budget - spent),
        abort_after_failures=settings.engine.abort_after_failures, reserve=reserve,
    )  # fmt: skip

    async def go(update: Any) -> Summary:
        try:
            return await engine.grade(
                store, work, bench.judge, options, settings.workspace.state_dir / "journal",
                selection={**chosen, "group": settings.judge.group}, prompt_body=bench.prompt_body,
                command=_command_line(sys.argv[1:]), on_progress=update,
            )  # fmt: skip
        finally:
            await bench.judge.close()

    gc.freeze()  # nor need it be gone through again and again
    try:
        with progress.shown(work.n_todo, quiet=quiet) as update:
            summary = asyncio.run(go(update))
    finally:
        gc.unfreeze()
    return Outcome(work, guess, bench, summary, time.monotonic() - started, drawn)


def _drawn_before(store: Store, plan: str, *, dry_run: bool) -> tuple[Sample, int]:
    """The sample of a plan file, or of an id, and how many of its conversations changed since it was drawn. A file's
    sample is kept, too.
    """
    from pathlib import Path

    from grader.engine.draw import changed_since, kept_sample
    from grader.sampling.plan import document, read

    path = Path(plan)
    is_file = path.suffix == ".json" or path.exists()
    sample = read(path) if is_file else kept_sample(store, plan)
    n_changed = changed_since(store, sample)
    if is_file and not dry_run:
        store.add_sample(document(sample))
    if n_changed:
        console.note(
            f"{n_changed} of the {len(sample.items)} conversations changed since {sample.sample_id} was drawn: they "
            "are judged as they are now, and count as they were drawn"
        )
    return sample, n_changed


def _chosen(sample: Sample) -> dict[str, Any]:
    """What a run keeps of the sample that it is about: enough to word its figures when the sample is not at hand."""
    return {
        "plan": sample.sample_id, "design": sample.design, "sample": len(sample.items), "seed": sample.seed,
        "select": [list(pair) for pair in sample.selection], "frame": sample.frame,
        "by": sample.parameters.get("by", []),
    }  # fmt: skip


def _command_line(arguments: list[str]) -> str:
    """The command as it is kept with the run, without the secrets that an address may hold."""
    import re
    import shlex

    from grader.config.values import Url

    return shlex.join(re.sub(r"https?://\S+", lambda m: str(Url().show(m[0])), a) for a in arguments)


def _tell(plan: Plan, guess: Estimate | None, bench: Bench, frame: str | None) -> None:
    n = len(plan.drawn)
    drawn = f"{n} of {plan.n_population} conversations" if n < plan.n_population else f"{n} conversations"
    if plan.n_everything > plan.n_population:
        drawn += f" ({frame or 'selected'}; {plan.n_everything} in all)"
    judge = bench.judge
    who = (
        f"{judge.name} ({judge.model})"
        if judge.name == "llm"
        else f"{judge.model}: offline detectors, not an LLM judge"
    )
    times = f", each judged {len(plan.repeats)} times" if len(plan.repeats) > 1 else ""
    console.note(f"{drawn} × {', '.join(r.reference for r in plan.rubrics)}{times} · judge {who}")
    if judge.name == "signals":
        from grader.judge.signals import DECIDES

        for rubric in plan.rubrics:
            n_decided = len(DECIDES.keys() & set(rubric.codes))
            console.note(
                f"  {rubric.reference}: {n_decided} of {len(rubric.codes)} codes can be decided by code"
                + (
                    ""
                    if n_decided
                    else "; every answer will be cannot_assess: it takes a model to judge by this rubric"
                )
            )
    console.note(
        f"{plan.n_items} judgements: {plan.n_reused} reused, {plan.n_todo} to judge in {plan.n_calls} calls"
        + (f", {plan.n_failed_before} failed before (--retry-failed tries them again)" if plan.n_failed_before else "")
    )
    if guess is not None and plan.n_calls:
        low, high = (
            guess.prompt_tokens[0] + guess.completion_tokens[0],
            guess.prompt_tokens[1] + guess.completion_tokens[1],
        )
        if guess.cost_usd is None:
            cost = f"the price of {judge.model} is not known ([prices] in grader.toml sets it)"
        else:
            cost = f"about {progress.usd(guess.cost_usd[0])} to {progress.usd(guess.cost_usd[1])}"
        console.note(f"about {low:,} to {high:,} tokens · {cost}")
