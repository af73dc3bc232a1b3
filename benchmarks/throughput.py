"""How fast, how cheap and in how much memory Grader makes its calls, beside a bare loop that makes the same ones.

Conversations × 4 rubrics at some concurrency, against an endpoint in another process that answers at once and after
one second. Figures are of whole processes: imports, planning, prompts, evidence, journal and database included for
Grader, nothing but calls for the bare loop. Prints a table, writes JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workload import ROOT, RUBRICS, Measured, book, command, endpoint, environment, measured, rows, told
from workload import workspace as make_workspace

MAX_CPU_RATIO = 1.0  # Grader's CPU per call, beside the bare loop's
MAX_OVER_IDEAL = 1.10  # at 1,000 ms
MAX_PEAK_MB = 200.0
MAX_GROWTH = 1.15  # of the peak, from some to ten times as many conversations


@dataclass(frozen=True)
class Figure:
    """One run of one program."""

    program: str
    n_conversations: int
    latency_ms: int
    n_calls: int
    process: Measured
    first_seconds: float  # until the endpoint saw the first request: imports, planning
    at_work_seconds: float  # from then to the last answer

    def shown(self) -> dict[str, Any]:
        return {
            "program": self.program, "conversations": self.n_conversations, "latency_ms": self.latency_ms,
            "calls": self.n_calls, "wall_seconds": round(self.process.wall_seconds, 2),
            "first_seconds": round(self.first_seconds, 2), "at_work_seconds": round(self.at_work_seconds, 2),
            "conversations_per_second": round(self.n_conversations / self.process.wall_seconds, 2),
            "cpu_ms_per_call": round(1000 * self.process.cpu_seconds / max(1, self.n_calls), 2),
            "peak_mb": round(self.process.peak_mb, 1),
        }  # fmt: skip


def prompts(path: Path, space: Path) -> None:
    """What `bare.py` sends: the prompts that Grader sends for this workspace, system messages once at the head."""
    from grader.config.settings import CONTACT_REASONS
    from grader.prompt import Templates, render
    from grader.rubric import applicable, newest
    from grader.store import open_store

    rubrics = [r.with_options({"contact_reasons": CONTACT_REASONS}) for r in newest(ROOT / "rubrics")]
    templates = Templates.load(ROOT / "prompts")
    head: dict[str, Any] = {"rubrics": {r.name: r.model_dump(mode="json") for r in rubrics}, "system": {}}
    lines = []
    with open_store(space / "grader.duckdb", read_only=True) as store:
        policies = store.policies()
        ids = [i for (i,) in store.rows("select conversation_id from conversation order by conversation_id")]
        for conversation in store.conversations(ids):
            on = conversation.happened_at.date() if conversation.happened_at else None
            in_force = tuple(p for p in policies if p.in_force(conversation.queue, on))
            for rubric in rubrics:
                codes, _ruled = applicable(
                    rubric.criteria, has_tools=conversation.has_tools, has_policy=bool(in_force),
                    has_human=conversation.has_human, has_handoff=conversation.has_handoff,
                )  # fmt: skip
                if codes:
                    prompt = render(conversation, [(rubric, codes)], in_force, templates, max_chars=240_000)
                    system, *others = (message["content"] for message in prompt.messages)
                    head["system"][rubric.name] = system
                    lines.append([rubric.name, codes, others])
    with path.open("w", encoding="utf-8") as file:
        for line in (head, *lines):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def figure(name: str, argv: list[str], env: dict[str, str], n: int, latency_ms: int, url: str) -> Figure:
    done = measured(argv, env)
    if done.code:
        raise RuntimeError(f"{name} ended with {done.code}:\n{done.stderr[-3000:]}")
    seen = book(url)
    arrivals = seen["arrivals"]
    at_work = arrivals[-1] - arrivals[0] + latency_ms / 1000
    found = Figure(name, n, latency_ms, seen["n_paid"], done, arrivals[0] - done.began, at_work)
    told(f"  {name}: {json.dumps(found.shown())}")
    return found


def graded(folder: Path, n: int, latency_ms: int, concurrency: int) -> Figure:
    with endpoint("--latency-ms", str(latency_ms)) as url:
        argv = command("grade", "--workspace", folder, "--concurrency", concurrency, "--json", "--quiet")
        env = environment(base_url=url, model="stand-in")
        found = figure("grader grade", argv, env, n, latency_ms, url)
    stored = rows(folder / "grader.duckdb", "select count(*) from judgement")[0][0]
    if stored != n * RUBRICS:
        raise RuntimeError(f"{stored} judgements are stored, not {n * RUBRICS}")
    return found


def bare(path: Path, n: int, latency_ms: int, concurrency: int, mode: str) -> Figure:
    with endpoint("--latency-ms", str(latency_ms)) as url:
        argv = [sys.executable, str(ROOT / "benchmarks" / "bare.py"), str(path), url, str(concurrency), mode]
        return figure(f"bare loop, {mode}", argv, environment(), n, latency_ms, url)


def judged(figures: list[Figure], concurrency: int, many: Figure | None) -> list[tuple[str, bool, str]]:
    """Each bar: what it says, whether it is met, the figure."""
    bars = []
    for latency in sorted({f.latency_ms for f in figures}):
        ours = next(f for f in figures if f.latency_ms == latency and f.program == "grader grade")
        theirs = [f for f in figures if f.latency_ms == latency and f is not ours]
        if theirs:
            least = min(theirs, key=lambda f: f.process.cpu_seconds / f.n_calls)
            ratio = (ours.process.cpu_seconds / ours.n_calls) / (least.process.cpu_seconds / least.n_calls)
            claim = f"at {latency} ms, CPU per call ≤ {MAX_CPU_RATIO:g} × the bare loop's ({least.program})"
            bars.append((claim, ratio <= MAX_CPU_RATIO, f"{ratio:.2f}"))
        if latency:
            ideal = latency / 1000 * ours.n_calls / concurrency
            calls, whole = ours.at_work_seconds / ideal, ours.process.wall_seconds / ideal
            told_over = f"× {calls:.3f} from first request to last answer, × {whole:.3f} the whole process"
            bars.append((f"at {latency} ms, within 10 % of the ideal", calls <= MAX_OVER_IDEAL, told_over))
        peak = ours.process.peak_mb
        bars += [(f"at {latency} ms, peak ≤ {MAX_PEAK_MB:g} MB", peak <= MAX_PEAK_MB, f"{peak:.0f} MB")]
    if many is not None:
        few = next(f for f in figures if f.latency_ms == many.latency_ms and f.program == many.program)
        growth = many.process.peak_mb / few.process.peak_mb
        claim = f"peak is flat from {few.n_conversations} to {many.n_conversations} conversations"
        bars.append((claim, growth <= MAX_GROWTH, f"× {growth:.2f}"))
    return bars


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=500)
    parser.add_argument("--many", type=int, default=5_000, help="for the memory; 0: not measured")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency-ms", type=int, action="append", help="0 and 1000 by default")
    parser.add_argument("--mode", action="append", help="of the bare loop: TOOLS (default), JSON_SCHEMA")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    arguments = parser.parse_args()
    n, concurrency = arguments.conversations, arguments.concurrency
    latencies = arguments.latency_ms if arguments.latency_ms is not None else [0, 1000]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as name:
        folder = Path(name)
        told(f"{n} conversations × {RUBRICS} rubrics at concurrency {concurrency}")
        for latency in latencies:
            space = make_workspace(folder / f"w{latency}", n)
            prompts(folder / "prompts.jsonl", space)
            figures.append(graded(space, n, latency, concurrency))
            modes = arguments.mode or ["TOOLS"]
            figures += [bare(folder / "prompts.jsonl", n, latency, concurrency, mode) for mode in modes]
        many = None
        if arguments.many:
            space = make_workspace(folder / "many", arguments.many)
            many = graded(space, arguments.many, latencies[0], concurrency)
    everything = [f.shown() for f in (*figures, *([many] if many else []))]
    for row in (list(everything[0]), *(list(map(str, e.values())) for e in everything)):
        print(" ".join(f"{cell:>24}" if i == 0 else f"{cell:>13.13}" for i, cell in enumerate(row)))
    bars = judged(figures, concurrency, many)
    for claim, met, told_figure in bars:
        print(f"{'met ' if met else 'MISSED'} {claim}: {told_figure}")
    if arguments.out:
        shown = [{"claim": c, "met": m, "figure": f} for c, m, f in bars]
        arguments.out.write_text(json.dumps({"figures": everything, "bars": shown}, indent=2) + "\n")
    return 0 if all(met for _, met, _ in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
