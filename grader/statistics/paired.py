"""Two versions of a judge on the same labels, and one version on the same conversation twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from grader.statistics.figure import Z95, Z95_ONE_SIDED, Figure, proportion, undefined, wilson

NO_POSITIVE = "No human-positive labels: sensitivities cannot be compared."
NO_NEGATIVE = "No human-negative labels: specificities cannot be compared."
NO_REPEATS = "No conversation was judged twice, so how often the judge contradicts itself is not known."


def mcnemar(n_better: int, n_worse: int) -> float:
    """The exact two-sided p of McNemar's test: twice the binomial tail of the smaller of the two, at most 1.

    Q. McNemar (1947), Psychometrika 12:153. Pairs on which both are right or both wrong do not count.
    """
    if min(n_better, n_worse) < 0:
        raise ValueError("counts are not negative")
    n = n_better + n_worse
    if not n:
        return 1.0
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(n_better, n_worse), n, 0.5)))


def holm(ps: Sequence[float]) -> list[float]:
    """These p, adjusted for being many. S. Holm (1979), Scand. J. Stat. 6:65: the ith smallest of m times m - i + 1,
    and never less than the one before it.
    """
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    found, least = [1.0] * len(ps), 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, (len(ps) - rank) * ps[i]))
        found[i] = least
    return found


def power(n: int, before: float, after: float, *, regained: float | None = None, level: float = 0.05) -> float:
    """How often exact McNemar at this level finds that the share that is right fell from `before` to `after`; n pairs.
    `regained`: of what A got wrong, the share that B gets right; None: as much as of what A got right, so that misses
    are independent. 0 is the most favourable: every miss of A's is one of B's.

    A pair gets better with chance b = (1 - before) regained, worse with w = before - after + b. Of D pairs that differ,
    ~ Binomial(n, w + b), W ~ Binomial(D, w / (w + b)) got worse; the fall is found where 2 P(Binomial(D, ½) ≥ W) <
    level.
    """
    if n < 0 or not 0 <= after <= before <= 1:
        raise ValueError(f"no pairs, or no fall: {n}, {before}, {after}")
    from scipy.special import bdtr

    better = (1 - before) * (after if regained is None else regained)
    worse = before - after + better
    differ = worse + better
    if not differ:
        return 0.0

    def exactly(k: int, of: int, p: float) -> float:
        return float(bdtr(k, of, p)) - (float(bdtr(k - 1, of, p)) if k else 0.0)

    found, fewest = 0.0, 1
    for d in range(1, n + 1):
        while fewest <= d and (2 * fewest <= d or mcnemar(d - fewest, fewest) >= level):
            fewest += 1  # it never falls as d grows
        if fewest <= d:
            found += exactly(d, n, differ) * (1 - float(bdtr(fewest - 1, d, worse / differ)))
    return found


def tango(n_better: int, n_worse: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of (n_better - n_worse) / n. T. Tango (1998), Stat. Med. 17:891.

    Its ends are where (b - c - nδ) / √(n (2q + δ(1 - δ))) is ±z, q the chance of a pair that got worse under δ: the
    root of 2n q² + (-b - c + (2n - b + c) δ) q - c δ(1 - δ) = 0. It does not collapse where nothing changed.
    """
    if min(n_better, n_worse) < 0 or n_better + n_worse > n or not n:
        raise ValueError(f"no pairs: {n_better} and {n_worse} of {n}")
    from scipy.optimize import brentq

    b, c = n_better, n_worse

    def score(delta: float) -> float:
        """It falls as δ grows."""
        middle = -b - c + (2 * n - b + c) * delta
        q = (sqrt(max(0.0, middle * middle + 8 * n * c * delta * (1 - delta))) - middle) / (4 * n)
        variance = n * (2 * q + delta * (1 - delta))
        away = b - c - n * delta
        return away / sqrt(variance) if variance > 1e-18 else (1e9 if away > 0 else -1e9 if away < 0 else 0.0)

    edge = 1 - 1e-12
    low = -1.0 if c == n else float(brentq(lambda d: score(d) - z, -edge, (b - c) / n, xtol=1e-13))
    high = 1.0 if b == n else float(brentq(lambda d: score(d) + z, (b - c) / n, edge, xtol=1e-13))
    return low, high


@dataclass(frozen=True, slots=True)
class Change:
    """B less A, of sensitivity or specificity. `low` and `high` are two-sided at 95 %, `least` and `most` the one-sided
    95 % bounds that a gate goes by. `n_better` and `n_worse` of `n` labels: B is right and A was not, and the reverse.
    """

    point: float | None
    low: float | None
    high: float | None
    least: float | None
    most: float | None
    n_better: int
    n_worse: int
    n: int
    p_exact: float | None
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A label with both versions' answers. `truth` is the reviewers' (None: not applicable); `a_right` and `b_right`
    whether each version agreed. `weight`: how many conversations it stands for, in which stratum.
    """

    truth: bool | None
    a_right: bool
    b_right: bool
    weight: float = 1.0
    stratum: Hashable = ""


@dataclass(frozen=True, slots=True)
class Versions:
    """What changed from A to B on human-positives, on human-negatives, and on what is not applicable."""

    sensitivity: Change
    specificity: Change
    not_applicable: Change


def compare(pairs: Sequence[Pair], *, seed: int, draws: int = 20_000) -> Versions:
    """Of labels of one chance: exact McNemar and Tango's interval. Of stratified ones: `weighted_change`, with exact
    McNemar on the counts beside it. One decides for all three, by whether weights differ.
    """
    simple = len({p.weight for p in pairs}) < 2
    none = (NO_POSITIVE, NO_NEGATIVE, "No labels that are not applicable.")
    found = []
    for truth, reason in zip((True, False, None), none, strict=True):
        if simple:
            mine = [p for p in pairs if p.truth is truth]
            better = sum(p.b_right and not p.a_right for p in mine)
            worse = sum(p.a_right and not p.b_right for p in mine)
            found.append(change(better, worse, len(mine), reason))
        else:
            found.append(weighted_change(pairs, truth, reason, seed=seed, draws=draws))
    return Versions(*found)


def change(n_better: int, n_worse: int, n: int, reason: str) -> Change:
    """Of a simple random sample."""
    method = "exact McNemar, Tango"
    if not n:
        return Change(None, None, None, None, None, 0, 0, 0, None, method, reason)
    low, high = tango(n_better, n_worse, n)
    least, most = tango(n_better, n_worse, n, Z95_ONE_SIDED)
    point = (n_better - n_worse) / n
    return Change(point, low, high, least, most, n_better, n_worse, n, mcnemar(n_better, n_worse), method)


Resampling = Literal["dirichlet", "multinomial"]
ADDED = 1 / 3  # of a label, see `weighted_change`


def weighted_change(
    pairs: Sequence[Pair], truth: bool | None, reason: str, *, seed: int, draws: int = 20_000,
    resampling: Resampling = "dirichlet",
) -> Change:  # fmt: skip
    """Δ = Σ w (c_B - c_A) / Σ w over labels of this truth, c whether a version is right; bootstrap within strata.

    Labels of a stratum are drawn anew together, those of another truth with them, since how many have this truth is
    chance too. The bootstrap is Rubin's (1981, Ann. Stat. 9:130): shares of what labels show ~ Dirichlet, with a third
    of a label added to each change that could be (better, worse, neither), so that a stratum in which nothing changed
    is not a certainty; and a third more to what is better for the upper ends, to what is worse for the lower ones,
    since a stratum whose labels stand for many may show none of it. `multinomial` is Efron's, which is deceived.
    """
    method = "weighted, bootstrap within strata"
    mine = [p for p in pairs if p.truth is truth]
    if any(not p.weight > 0 for p in pairs):
        raise ValueError("weights are above 0")
    if not mine:
        return Change(None, None, None, None, None, 0, 0, 0, None, method, reason)
    import numpy as np

    better = sum(p.b_right and not p.a_right for p in mine)
    worse = sum(p.a_right and not p.b_right for p in mine)
    total = sum(p.weight for p in mine)
    point = sum(p.weight * (p.b_right - p.a_right) for p in mine) / total
    strata: dict[Hashable, list[Pair]] = {}
    for p in pairs:
        strata.setdefault(p.stratum, []).append(p)
    rng = np.random.default_rng(seed)
    above, below = np.zeros((2, draws)), np.zeros((2, draws))  # for the lower ends, for the upper ones
    for rows in strata.values():
        cells: dict[tuple[int | None, float], float] = {}
        for p in rows:
            cell = (int(p.b_right) - int(p.a_right) if p.truth is truth else None, p.weight)
            cells[cell] = cells.get(cell, 0) + 1
        if not any(kind is not None for kind, _ in cells):
            continue
        n = len(rows)
        if resampling == "multinomial":
            drawn = rng.multinomial(n, [k / n for k in cells.values()], size=draws).T.astype(float)
            ends = (drawn, drawn)
        else:
            usual = sum(w * k for (_, w), k in cells.items()) / n
            for step in (-1, 0, 1):
                cells[step, usual] = cells.get((step, usual), 0) + ADDED
            drawn = np.stack([rng.standard_gamma(k, draws) for k in cells.values()])
            more = rng.standard_gamma(ADDED, draws)
            ends = (drawn.copy(), drawn)
            for end, step in zip(ends, (-1, 1), strict=True):
                end[list(cells).index((step, usual))] += more
                end *= n / end.sum(axis=0)
        for row, (kind, weight) in enumerate(cells):
            if kind is not None:
                for side, counts in enumerate(ends):
                    above[side] += kind * weight * counts[row]
                    below[side] += weight * counts[row]
    found = np.divide(above, below, out=np.full((2, draws), point), where=below > 0)
    low, least = (float(x) for x in np.quantile(found[0], [0.025, 0.05]))
    most, high = (float(x) for x in np.quantile(found[1], [0.95, 0.975]))
    return Change(
        point, min(low, point), max(high, point), min(least, point), max(most, point), better, worse, len(mine),
        mcnemar(better, worse), method,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crossed:
    """Conversations on which A and B answered alike in this way: all of them, and the labels among them."""

    a_fires: bool
    b_fires: bool
    n_population: int
    n_fires: int
    n_clean: int

    def __post_init__(self) -> None:
        if min(self.n_fires, self.n_clean) < 0 or self.n_fires + self.n_clean > self.n_population:
            raise ValueError(f"no stratum of counts: {self}")


def crossed_change(cells: Sequence[Crossed], *, seed: int, draws: int = 20_000) -> tuple[Change, Change]:
    """The changes of sensitivity and of specificity, post-stratified anew on both versions' verdicts.

    Labels are a simple random sample within A's strata, so within the four of A × B too, whose sizes are known. Draws
    as for `accuracy`; only conversations on which A and B differ are above the line, so it is narrower.
    """
    import numpy as np

    method = "post-stratified on both verdicts, by draws"
    cells = [c for c in cells if c.n_population]
    rng = np.random.default_rng(seed)
    sizes = np.array([c.n_population for c in cells], dtype=float)
    shares = rng.dirichlet(sizes + 0.5, draws) if cells else np.zeros((draws, 0))
    chances = np.column_stack([rng.beta(c.n_fires + 0.5, c.n_clean + 0.5, draws) for c in cells]) if cells else shares
    found = []
    for positive, reason in ((True, NO_POSITIVE), (False, NO_NEGATIVE)):
        gain = np.array([(c.b_fires - c.a_fires) * (1 if positive else -1) for c in cells], dtype=float)
        counts = [c.n_fires if positive else c.n_clean for c in cells]
        n = sum(counts)
        better = sum(k for k, g in zip(counts, gain, strict=True) if g > 0)
        worse = sum(k for k, g in zip(counts, gain, strict=True) if g < 0)
        if not n:
            found.append(Change(None, None, None, None, None, 0, 0, 0, None, method, reason))
            continue
        labelled = np.array([c.n_fires + c.n_clean for c in cells], dtype=float)
        p = np.where(labelled > 0, np.array(counts) / np.maximum(labelled, 1), 0.5)
        point = float((sizes * p * gain).sum() / (sizes * p).sum())
        weighted = shares * (chances if positive else 1 - chances)
        drawn = weighted @ gain / weighted.sum(axis=1)
        low, least, most, high = (float(x) for x in np.quantile(drawn, [0.025, 0.05, 0.95, 0.975]))
        found.append(Change(
            point, min(low, point), max(high, point), min(least, point), max(most, point), better, worse, n,
            mcnemar(better, worse), method,
        ))  # fmt: skip
    return found[0], found[1]


@dataclass(frozen=True, slots=True)
class Flips:
    """How often one version contradicts itself. `rate`: two runs of a conversation differ; `n` of `of` conversations
    judged twice or more got more than one answer; `n_once` were judged once, or not at all.
    """

    rate: Figure
    n_once: int


def flip_rate(repeats: Iterable[Sequence[Hashable | None]]) -> Flips:
    """The mean over conversations of the share of pairs of runs that differ; None (no verdict) is no answer.

    Interval: Wilson's with the sum of those shares as the count, which is exact in kind for two runs and wide for more.
    """
    total, n, of, once = 0.0, 0, 0, 0
    for answers in repeats:
        told = [a for a in answers if a is not None]
        m = len(told)
        if m < 2:
            once += 1
            continue
        same = sum(told.count(a) * (told.count(a) - 1) for a in set(told))
        total += 1 - same / (m * (m - 1))
        n, of = n + (same < m * (m - 1)), of + 1
    if not of:
        return Flips(undefined(NO_REPEATS, "pairs of runs, Wilson"), once)
    if abs(total - n) < 1e-9:
        found = proportion(n, of, NO_REPEATS)
        return Flips(Figure(found.point, found.low, found.high, n, of, "pairs of runs, Wilson"), once)
    point = total / of
    low, high = _wilson_of_share(point, of)
    return Flips(Figure(point, low, high, n, of, "pairs of runs, Wilson"), once)


def _wilson_of_share(p: float, n: int) -> tuple[float, float]:
    middle = p + Z95 * Z95 / (2 * n)
    half = Z95 * sqrt(p * (1 - p) / n + Z95 * Z95 / (4 * n * n))
    whole = 1 + Z95 * Z95 / n
    return (middle - half) / whole, min(1.0, (middle + half) / whole)


def flip_bound(flips: Flips) -> float:
    """The one-sided 95 % upper bound of the share of conversations with more than one answer; 1 of none."""
    return wilson(flips.rate.n, flips.rate.of, Z95_ONE_SIDED)[1]
