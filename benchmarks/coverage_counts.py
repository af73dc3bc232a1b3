"""How often the intervals of plain shares and of changes between two versions hold the truth.

Shares of a simple random sample are counted out over all outcomes, so no chance is in it: people's labels alone, the
judge's raw rate, flips, agreement with oneself, the one-sided bound of an audit, Tango's interval and its bounds.
Changes of weighted labels, and agreement on positives, are simulated.

The bar: .945 on average over the settings of a figure, and .935 in each. Score intervals (Wilson's, Tango's) are what
others compute: near .95 on average, and below the bar where two cases or fewer are to be expected.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import product

import numpy as np
from scipy.stats import binom, multinomial
from workload import ROOT

sys.path.insert(0, str(ROOT))

from grader.statistics.agreement import positive_agreement, self_agreement
from grader.statistics.corrected import people_only
from grader.statistics.figure import Figure, at_most, proportion
from grader.statistics.frame import Part
from grader.statistics.paired import Pair, change, flip_rate, weighted_change

LEAST, MEAN = 0.935, 0.945
SCORE = 0.90  # in each setting: how far score intervals may dip
N = 5_000


def exact(n: int, share: float, figure: Callable[[int, int], Figure]) -> float:
    """The chance that the interval of k of n holds `share`."""
    k = np.arange(n + 1)
    chance = binom.pmf(k, n, share)
    held = 0.0
    for i in np.flatnonzero(chance > 1e-9):
        found = figure(int(i), n)
        if found.low is not None and found.high is not None and found.low <= share <= found.high:
            held += float(chance[i])
    return held


def flips(k: int, n: int) -> Figure:
    """Of n conversations judged twice, k got two answers."""
    return flip_rate([("a", "b")] * k + [("a", "a")] * (n - k)).rate


SHARES: dict[str, tuple[Callable[[int, int], Figure], Iterable[tuple[float, int]]]] = {
    "people alone": (
        lambda k, n: people_only([Part("clean", N, k, n - k)], simple_random=True),
        tuple(product((0.02, 0.05, 0.2), (100, 200, 400))),
    ),
    "raw rate": (lambda k, n: proportion(k, n, "Nothing."), tuple(product((0.03, 0.06, 0.2, 0.3), (N,)))),
    "flips": (flips, tuple(product((0.01, 0.02, 0.05), (100, 200, 500)))),
    "oneself": (
        lambda k, n: self_agreement([("a", "a")] * k + [("a", "b")] * (n - k)),
        tuple(product((0.8, 0.9, 0.95), (20, 40, 60))),
    ),
}  # fmt: skip


def bound(n: int, share: float) -> float:
    """Of the audit's one-sided bound."""
    k = np.arange(n + 1)
    return float(sum(p for i, p in zip(k, binom.pmf(k, n, share), strict=True) if at_most(int(i), n) >= share))


def changed(n: int, better: float, worse: float) -> tuple[float, float, float]:
    """Of Tango's interval, and of its lower and upper one-sided bound."""
    both, least, most = 0.0, 0.0, 0.0
    for b in range(n + 1):
        if binom.pmf(b, n, better) < 1e-6:
            continue
        for c in range(n + 1 - b):
            chance = float(multinomial.pmf([b, c, n - b - c], n, [better, worse, 1 - better - worse]))
            if chance < 1e-6:
                continue
            found = change(b, c, n, "None.")
            if found.low is None or found.high is None or found.least is None or found.most is None:
                raise AssertionError(found)
            truth = better - worse
            both += chance * (found.low <= truth <= found.high)
            least += chance * (found.least <= truth)
            most += chance * (found.most >= truth)
    return both, least, most


CHANGES = ((60, 0.1, 0.05), (60, 0.02, 0.02), (150, 0.05, 0.01), (150, 0.02, 0.02))


def weighted(
    rng: np.random.Generator, prevalence: float, n_labels: int, better: float, worse: float, repeats: int, draws: int
) -> dict[str, float]:
    """Of the change of sensitivity from A (.8/.97) to B, labels drawn 30 % from what A flagged."""
    held = dict.fromkeys(("weighted change", "its lower bound", "its upper bound"), 0)
    told = 0
    for repeat in range(repeats):
        y = rng.random(N) < prevalence
        a = np.where(y, rng.random(N) < 0.8, rng.random(N) < 0.03)
        luck = rng.random(N)
        b = np.where(y, np.where(a, luck >= worse / 0.8, luck < better / 0.2), a)
        flagged, clean = np.flatnonzero(a), np.flatnonzero(~a)
        n = min(len(flagged), round(0.3 * n_labels))
        pairs = []
        for rows, k, name in ((flagged, n, "flagged"), (clean, n_labels - n, "clean")):
            pairs += [
                Pair(bool(y[i]), bool(a[i] == y[i]), bool(b[i] == y[i]), len(rows) / k, name)
                for i in rng.choice(rows, k, replace=False)
            ]
        found = weighted_change(pairs, True, "None.", seed=repeat, draws=draws)
        if found.low is None or found.high is None or found.least is None or found.most is None:
            continue
        told += 1
        truth = better - worse
        held["weighted change"] += found.low <= truth <= found.high
        held["its lower bound"] += found.least <= truth
        held["its upper bound"] += found.most >= truth
    return {name: n / told for name, n in held.items()}


WEIGHTED = ((0.05, 400, 0.1, 0.05), (0.2, 200, 0.1, 0.05), (0.2, 200, 0.04, 0.04), (0.2, 400, 0.1, 0.02))


def seen_by_two(rng: np.random.Generator, n: int, both: float, one: float, repeats: int) -> float:
    """Of agreement on positives; `both` and `one` are the chances that two see it, and that one alone does."""
    truth = 2 * both / (2 * both + one)
    held = told = 0
    for b, o, neither in rng.multinomial(n, [both, one, 1 - both - one], repeats):
        items = [(True, True)] * int(b) + [(True, False)] * int(o) + [(False, False)] * int(neither)
        found = positive_agreement(items, True, seed=1)
        if found.low is not None and found.high is not None:
            told += 1
            held += found.low <= truth <= found.high
    return held / told


SEEN = tuple(product((100, 300), ((0.04, 0.03), (0.15, 0.08))))


def rows(repeats: int, draws: int, seed: int) -> Iterator[tuple[str, list[float], float]]:
    """Each figure with its coverages, and the least that is let pass."""
    for name, (figure, settings) in SHARES.items():
        yield name, [exact(n, share, figure) for share, n in settings], LEAST if name == "raw rate" else SCORE
    yield "audit's bound", [bound(n, share) for share, n in product((0.005, 0.02, 0.05), (60, 120, 400))], 0.95
    told = [changed(*setting) for setting in CHANGES]
    names = ("change, Tango", "its lower bound", "its upper bound")
    yield from ((name, list(held), SCORE) for name, held in zip(names, zip(*told, strict=True), strict=True))
    rng = np.random.default_rng(seed)
    found = [weighted(rng, *setting, repeats, draws) for setting in WEIGHTED]
    yield from ((name, [x[name] for x in found], LEAST) for name in found[0])
    yield "agreement on positives", [seen_by_two(rng, n, *both, repeats) for n, both in SEEN], SCORE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2_000)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    missed = False
    for name, held, least in rows(args.repeats, args.draws, args.seed):
        mean = sum(held) / len(held)
        bad = mean < MEAN or min(held) < least
        missed |= bad
        print(f"{name:24} mean {mean:.4f}, least {min(held):.4f} of {len(held)}{' <' if bad else ''}", flush=True)
    print("NOT met" if missed else "met")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
