"""`grader metrics --plan`: the figures from a sample alone, weighted, to hold against those of everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.cli import console
from grader.cli.metrics import slice_cell

if TYPE_CHECKING:
    from grader.outcomes.metrics import Metrics
    from grader.outcomes.sampled import Sampled
    from grader.outcomes.share import Bounds, Share
    from grader.outcomes.weighting import Ends
    from grader.statistics.figure import Figure
    from grader.store import Store

_SHARES: dict[str, Callable[[Metrics], Share]] = {
    "contained": lambda m: m.contained,
    "came back after the AI": lambda m: m.came_back_after_ai,
    "came back, about anything": lambda m: m.came_back,
    "return could be seen": lambda m: m.coverage,
    "escalated to a human": lambda m: m.escalated,
    "answered at all": lambda m: m.answered,
    "rated, without a human": lambda m: m.csat_response_ai,
    "rated, with a human": lambda m: m.csat_response_human,
}
_BOUNDS: dict[str, Callable[[Metrics], Bounds]] = {
    "AI-resolved": lambda m: m.ai_resolved,
    "false containment": lambda m: m.false_containment,
    "came back, same issue": lambda m: m.same_issue,
}
_MEANS: dict[str, Callable[[Metrics], tuple[int, float, float]]] = {
    "CSAT without a human": lambda m: (m.n_csat_ai, m.csat_ai_sum, m.csat_ai_squares),
    "CSAT with a human": lambda m: (m.n_csat_human, m.csat_human_sum, m.csat_human_squares),
}
_IN_TABLE = ("contained", "AI-resolved", "false containment", "came back, same issue", "CSAT without a human")


def sample_id(store: Store, plan: str) -> str:
    """The id of the sample that a plan file or an id names. Raises as reading the plan does."""
    from grader.engine.draw import kept_sample
    from grader.sampling.plan import read

    path = Path(plan)
    return (read(path) if path.suffix == ".json" or path.exists() else kept_sample(store, plan)).sample_id


def tell(found: list[Sampled], by: str | None, window: str, sample: str, *, as_json: bool) -> None:
    """Print them: over all a page, by a dimension a table."""
    if as_json:
        console.out_json({
            "sample": sample, "by": by, "window": window,
            "slices": [{"slice": s.counts.slice, "figures": _figures(s)} for s in found],
        })  # fmt: skip
        return
    if not found:
        console.note("no episode that a customer began ends with a conversation of this sample")
    elif by is None:
        console.table(
            ["figure", "of the population>", "95 % interval", "in the sample>"],
            [(name, *_cells(told)) for name, told in _figures(found[0]).items()],
        )
        console.note(
            f"sample {sample}, window {window}: {found[0].counts.n_episodes:,} episodes, weighted where drawn so"
        )
    else:
        console.table([by, "episodes drawn>", *(f"{name}>" for name in _IN_TABLE)], [
            (slice_cell(by, s.counts.slice), f"{s.counts.n_episodes:,}",
             *(_cell(_figures(s)[name]) for name in _IN_TABLE))
            for s in found
        ])  # fmt: skip


def _cell(told: dict[str, Any]) -> str:
    value, interval, _ = _cells(told)
    return f"{value} ({interval})" if interval.strip("–") else value


def _figures(s: Sampled) -> dict[str, dict[str, Any]]:
    found = {name: _of_rate(s.rate(share)) for name, share in _SHARES.items()}
    found |= {name: _of_ends(s.ends(bounds)) for name, bounds in _BOUNDS.items()}
    for name, sums in _MEANS.items():
        n, total, _ = sums(s.counts)
        mean = s.mean(sums) if s.parts else None
        plain = (s.counts.csat_ai if "without" in name else s.counts.csat_human) if not s.parts else None
        low, high = (mean.low, mean.high) if mean else (plain.interval if plain else None) or (None, None)
        value = mean.point if mean else plain.value if plain else None
        found[name] = {"mean": value, "low": low, "high": high, "n": n, "plain_mean": total / n if n else None}
    return found


def _of_rate(r: Figure) -> dict[str, Any]:
    return {"rate": r.point, "low": r.low, "high": r.high, "n": r.n, "of": r.of, "method": r.method}


def _of_ends(e: Ends) -> dict[str, Any]:
    low, high = e.interval or (None, None)
    return {"rate": e.low.point if not e.bounds.n_unknown else None, "least": e.low.point, "most": e.high.point,
            "low": low, "high": high, "n": e.bounds.n, "n_unknown": e.bounds.n_unknown, "of": e.bounds.of,
            "method": e.low.method}  # fmt: skip


def _cells(told: dict[str, Any]) -> tuple[str, str, str]:
    from grader.outcomes.share import percent

    if "mean" in told:
        value = "–" if told["mean"] is None else f"{told['mean']:.2f}"
        interval = "" if told["low"] is None else f"{told['low']:.2f} to {told['high']:.2f}"
        return value, interval, f"{told['n']:,} rated"
    unknown = told.get("n_unknown", 0)
    value = f"{percent(told['least'])} to {percent(told['most'])}" if unknown else percent(told["rate"])
    interval = "–" if told["low"] is None else f"{percent(told['low'])} to {percent(told['high'])}"
    n = f"{told['n']:,} to {told['n'] + unknown:,}" if unknown else f"{told['n']:,}"
    return value, interval, f"{n} of {told['of']:,}"
