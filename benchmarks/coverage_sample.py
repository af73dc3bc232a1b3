"""How often the intervals of a weighted sample hold what is true of the population that it was drawn from.

Known populations, 1,000 draws of each design through `grader.sampling`, and the estimators that every figure uses.
Beside each interval stands the one that leaves the weights out (Wilson's, the plain mean, the plain ratio), which must
be seen to fail. Prints a table, and whether the bar is met: no interval of a weighted sample holds the truth in fewer
than .94. The width of a ratio is that of its logarithm.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import log, sqrt

import numpy as np
from workload import ROOT

sys.path.insert(0, str(ROOT))

from grader.outcomes.share import Z95, wilson
from grader.sampling import Drawn, risk_enriched, simple, stratified, top_queues
from grader.statistics.association import Table, mantel_haenszel
from grader.statistics.stratified import FEWEST, Rated, Stratum, weighted_mean, weighted_rate
from grader.statistics.weighted_ratio import Tables, weighted_ratio

LEAST = 0.94
FEWEST_EVENTS = 10
TOLD = 0.9  # a figure that needs so many events, and seldom has them, is told when chance made it large: not measured
RATES = (0.005, 0.02, 0.05, 0.2)
QUEUES = {"orders": 0.45, "returns": 0.3, "payments": 0.15, "general": 0.09, "tiny": 0.01}
REASONS = ("refund", "exchange", "status", "invoice")
RISKS = {"low_csat": 0.004, "recontacted": 0.09, "escalated": 0.08, "signals": 0.05}  # low_csat: all of it is drawn
MORE = {"low_csat": 6.0, "recontacted": 3.0, "escalated": 2.0, "signals": 5.0, "": 0.6}  # how much likelier a code is


@dataclass
class World:
    """A population of conversations, all of it known."""

    n: int
    seed: int
    ids: list[str] = field(init=False)
    place: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.ids = [f"c{i}" for i in range(self.n)]
        self.place = {name: i for i, name in enumerate(self.ids)}
        self.queue = rng.choice(list(QUEUES), self.n, p=list(QUEUES.values()))
        self.reason = rng.choice(REASONS, self.n, p=[0.5, 0.3, 0.15, 0.05])
        rest = 1 - sum(RISKS.values())
        self.risk = rng.choice([*RISKS, ""], self.n, p=[*RISKS.values(), rest])
        more = np.array([MORE[r] for r in self.risk]) * np.where(self.queue == "returns", 1.5, 1.0)
        self.flags = {rate: rng.random(self.n) < np.minimum(0.95, rate * more / more.mean()) for rate in RATES}
        self.assessed = rng.random(self.n) < np.where(self.risk == "escalated", 0.5, 0.8)
        moods = {"low_csat": [0.6, 0.4, 0, 0, 0], "": [0.02, 0.03, 0.05, 0.25, 0.65]}
        sad = [0.2, 0.15, 0.15, 0.2, 0.3]
        self.csat = np.array([rng.choice(5, p=moods.get(r, sad)) + 1 for r in self.risk])
        self.rated = (rng.random(self.n) < 0.3) | (self.risk == "low_csat")
        # Who came back is the stratum `recontacted`, and some of `escalated`: the outcome decides the chance.
        self.back = (self.risk == "recontacted") | ((self.risk == "escalated") & (rng.random(self.n) < 0.2))


@dataclass(frozen=True)
class Figure:
    """A rate: who has it, of whom, and (None: everybody) in which queue."""

    name: str
    yes: np.ndarray
    of: np.ndarray
    nested_in: str = ""  # the design whose strata were made by what the figure is limited to


def figures(w: World, only: np.ndarray) -> Iterator[Figure]:
    """Every rate that is looked at, of the conversations that the design is about."""
    for rate in RATES:
        yield Figure(f"code of {rate:.1%}", w.flags[rate], only)
    for rate in RATES:
        yield Figure(f"code of {rate:.1%}, where assessed", w.flags[rate], only & w.assessed)
    for rate in (0.02, 0.2):
        yield Figure(f"code of {rate:.1%} in returns", w.flags[rate], only & (w.queue == "returns"), "queue")
    if (only & (w.queue == "general")).any():
        yield Figure("code of 20.0% in general", w.flags[0.2], only & (w.queue == "general"), "queue")
    yield Figure("came back", w.back, only)


@dataclass
class Tally:
    """How often an interval held the truth, and how wide it was."""

    hits: int = 0
    n: int = 0
    width: float = 0.0

    def add(self, low: float, high: float, truth: float) -> None:
        self.hits += low <= truth <= high
        self.n += 1
        self.width += high - low

    def __str__(self) -> str:
        return f"{self.coverage:8.3f} {self.width / self.n:8.3f}" if self.n else "       –        –"

    @property
    def coverage(self) -> float:
        return self.hits / self.n if self.n else 1.0


class Counted:
    """One draw, ready to be counted by layer."""

    def __init__(self, w: World, drawn: Drawn) -> None:
        number = {layer.name: i for i, layer in enumerate(drawn.layers)}
        self.layers = drawn.layers
        self.who = np.array([w.place[d.conversation_id] for d in drawn.draws])
        self.layer = np.array([number[d.stratum] for d in drawn.draws])

    def by_layer(self, mask: np.ndarray) -> list[int]:
        found: list[int] = np.bincount(self.layer[mask[self.who]], minlength=len(self.layers)).tolist()
        return found

    def sums(self, values: np.ndarray, mask: np.ndarray) -> list[float]:
        inside = mask[self.who]
        weights = values[self.who][inside].astype(float)
        found: list[float] = np.bincount(self.layer[inside], weights=weights, minlength=len(self.layers)).tolist()
        return found


def rate(of: Counted, figure: Figure, made_by: str, tallies: tuple[Tally, Tally], truth: float) -> None:
    yes, all_ = of.by_layer(figure.yes & figure.of), of.by_layer(figure.of)
    nested = bool(figure.nested_in) and figure.nested_in == made_by
    found = weighted_rate([
        Stratum(layer.n_population, layer.n_drawn, n, d)
        for layer, n, d in zip(of.layers, yes, all_, strict=True) if d or not nested
    ])  # fmt: skip
    if found is not None:
        tallies[0].add(found.low, found.high, truth)
        tallies[1].add(*wilson(found.n, found.of), truth)


def csat(of: Counted, w: World, only: np.ndarray, tallies: tuple[Tally, Tally], truth: float) -> None:
    mask = w.rated & only
    counts, totals, squares = of.by_layer(mask), of.sums(w.csat, mask), of.sums(w.csat**2, mask)
    n = sum(counts)
    if n < FEWEST:
        return
    found = weighted_mean(
        [Rated(layer.n_population, layer.n_drawn, c, t, q)
         for layer, c, t, q in zip(of.layers, counts, totals, squares, strict=True)], lowest=1, highest=5,
    )  # fmt: skip
    if found is not None:
        tallies[0].add(found.low, found.high, truth)
        mean = sum(totals) / n
        half = Z95 * sqrt(max(0.0, sum(squares) / n - mean**2) / n)
        tallies[1].add(mean - half, mean + half, truth)


def ratio(
    of: Counted, w: World, flag: np.ndarray, only: np.ndarray, tallies: tuple[Tally, Tally], truth: float
) -> None:
    cells = {
        reason: [
            of.by_layer(mask & only & (w.reason == reason)) for mask in (flag & w.back, flag, ~flag & w.back, ~flag)
        ]
        for reason in REASONS
    }
    tables = [
        {reason: Table(*(cell[i] for cell in four)) for reason, four in cells.items()} for i in range(len(of.layers))
    ]
    if sum(t.cases for by in tables for t in by.values()) < FEWEST_EVENTS:
        return
    found = weighted_ratio([
        Tables(layer.n_population, layer.n_drawn, by) for layer, by in zip(of.layers, tables, strict=True)
    ])  # fmt: skip
    plain = mantel_haenszel([Table(*(sum(cell) for cell in four)) for four in cells.values()])
    if found is not None and plain is not None:
        tallies[0].add(log(found.ratio.low), log(found.ratio.high), log(truth))
        tallies[1].add(log(plain.ratio.low), log(plain.ratio.high), log(truth))


def true_ratio(w: World, flag: np.ndarray, only: np.ndarray) -> float:
    tables = []
    for reason in REASONS:
        mask = only & (w.reason == reason)
        counts = [int((mask & m).sum()) for m in (flag & w.back, flag, ~flag & w.back, ~flag)]
        tables.append(Table(*counts))
    pooled = mantel_haenszel(tables)
    assert pooled is not None
    return pooled.ratio.point


Design = Callable[[int], Drawn]


def designs(w: World, n: int) -> Iterator[tuple[str, str, Design, np.ndarray]]:
    """Name, the field that its strata were made by, how to draw, and whom it is about."""
    everybody = np.ones(w.n, dtype=bool)
    strata = {i: f"{q} | {r}" for i, q, r in zip(w.ids, w.queue, w.reason, strict=True)}
    queues: dict[str, str | None] = {i: str(q) for i, q in zip(w.ids, w.queue, strict=True)}
    risks: dict[str, str | None] = {i: str(r) or None for i, r in zip(w.ids, w.risk, strict=True)}
    yield "simple", "", lambda seed: simple(w.ids, n, seed), everybody
    yield "stratified, queue × reason", "queue", lambda seed: stratified(strata, n, seed), everybody
    yield "stratified, equal", "queue", lambda seed: stratified(strata, n, seed, allocation="equal"), everybody
    top = np.isin(w.queue, ["orders", "returns"])
    yield "top 2 queues", "queue", lambda seed: top_queues(queues, n, seed, top=2, allocation="equal"), top
    yield "risk, half", "", lambda seed: risk_enriched(risks, n, seed), everybody
    yield "risk, four in five", "", lambda seed: risk_enriched(risks, n, seed, share=0.8), everybody


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--population", type=int, default=5000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 500])
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    w = World(args.population, args.seed)
    low_rows, shown_to_fail = [], 0
    print(f"{args.draws} draws from {w.n:,} known conversations")
    print(f"{'':70}{'truth':>7}{'weighted':>10}{'width':>9}{'without':>9}{'width':>9}")
    for n in args.sizes:
        for name, made_by, draw, only in designs(w, n):
            asked = list(figures(w, only))
            truths = [float((f.yes & f.of).sum() / f.of.sum()) for f in asked]
            names = [f.name for f in asked] + ["mean CSAT"] + [f"ratio of risks, code of {r:.1%}" for r in RATES[2:]]
            truths.append(float(w.csat[w.rated & only].mean()))
            truths += [true_ratio(w, w.flags[r], only) for r in RATES[2:]]
            tallies = [(Tally(), Tally()) for _ in names]
            for seed in range(args.draws):
                counted = Counted(w, draw(seed))
                for k, figure in enumerate(asked):
                    rate(counted, figure, made_by, tallies[k], truths[k])
                k = len(asked)
                csat(counted, w, only, tallies[k], truths[k])
                for more, r in enumerate(RATES[2:], 1):
                    ratio(counted, w, w.flags[r], only, tallies[k + more], truths[k + more])
            for what, truth, (weighted, without) in zip(names, truths, tallies, strict=True):
                if weighted.n < TOLD * args.draws:
                    continue
                mark = " <" if weighted.coverage < LEAST else ""
                print(f"{f'{name}, n = {n}':36}{what:34}{truth:7.3f} {weighted} {without}{mark}", flush=True)
                if weighted.coverage < LEAST:
                    low_rows.append((name, n, what, weighted.coverage))
                shown_to_fail += name.startswith("risk") and without.coverage < 0.5
    met = not low_rows and shown_to_fail > 0
    print(f"weighted intervals below {LEAST}: {len(low_rows)}; without weights below .5 in {shown_to_fail} figures of "
          f"risk designs: {'met' if met else 'NOT met'}")  # fmt: skip
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
