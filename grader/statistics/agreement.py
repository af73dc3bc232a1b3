"""How far people agree with each other, and with themselves: the ceiling for any judge.

An item is the answers that it got, in any number; None is a gap. All is counted by distinct patterns of answers, so
tens of thousands of items and their bootstrap cost as much as a few hundred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from grader.language import N_
from grader.statistics.figure import Figure, jeffreys, proportion, undefined, wilson

if TYPE_CHECKING:
    import numpy as np

Level = Literal["nominal", "ordinal", "interval", "ratio"]
Answers = Sequence[Hashable | None]
RESAMPLES = 2_000
TOLD = 0.9  # of the resamples must have a figure, for an interval
ADDED = 1.5  # items, see `_with_pairs`

NO_OVERLAP = N_(
    "No item was answered by two reviewers, so their agreement cannot be measured: plan labels that overlap."
)
ONE_REVIEWER = N_("There is one reviewer only, so agreement cannot be measured: the gold is single-reviewer.")
ONE_CATEGORY = N_("Every answer is the same, so agreement beyond chance cannot be measured.")
NO_POSITIVE = N_("No reviewer saw the code anywhere, so agreement on positives cannot be measured.")
NO_DUPLICATES = N_("No reviewer answered an item twice, so agreement with oneself cannot be measured.")


@dataclass(frozen=True, slots=True)
class Patterns:
    """Items with two answers or more, as counts by category: `counts[p, c]` answers of category c in pattern p, which
    `times[p]` items have.
    """

    categories: tuple[Hashable, ...]
    counts: np.ndarray
    times: np.ndarray

    @property
    def answers(self) -> np.ndarray:
        """By pattern, how many answers an item has."""
        found: np.ndarray = self.counts.sum(axis=1)
        return found


def _patterns(items: Iterable[Answers], fewest: int = 2) -> Patterns:
    import numpy as np

    seen = Counter(frozenset(Counter(a for a in item if a is not None).items()) for item in items)
    kept = {pattern: times for pattern, times in seen.items() if sum(n for _, n in pattern) >= fewest}
    found = {category for pattern in kept for category, _ in pattern}
    categories = tuple(sorted(found, key=lambda c: (isinstance(c, str), c)))
    place = {category: i for i, category in enumerate(categories)}
    counts = np.zeros((len(kept), len(categories)))
    rows = sorted((*sorted((place[c], n) for c, n in pattern), (-1, times)) for pattern, times in kept.items())
    for row, pairs in enumerate(rows):  # in one order, so that a seed gives one result
        for column, n in pairs[:-1]:
            counts[row, column] = n
    return Patterns(categories, counts, np.array([pairs[-1][1] for pairs in rows], dtype=float))


def _missing(p: Patterns) -> str | None:
    """Why nothing beyond chance can be said of these."""
    if not len(p.times):
        return NO_OVERLAP
    return ONE_CATEGORY if len(p.categories) < 2 else None


def krippendorff_alpha(
    items: Iterable[Answers], *, seed: int, level: Level = "nominal", resamples: int = RESAMPLES
) -> Figure:
    """Krippendorff's alpha, 1 - Do/De, over items with two answers or more; interval by bootstrap over items.

    Coincidences: o_ck = Σ_u n_uc (n_uk - [c = k]) / (m_u - 1); Do = Σ o_ck δ²_ck, De = Σ n_c (n_k - [c = k]) δ²_ck /
    (n - 1). K. Krippendorff (2011), Computing Krippendorff's Alpha-Reliability. Percentiles of `resamples` draws
    (`_resampled`). `level` other than nominal needs answers that are numbers (ordinal: that sort).
    """
    method = N_("Krippendorff's alpha, {told_level}, bootstrap over items").format(told_level=level)
    p = _patterns(items)
    n = int(p.times.sum())
    if reason := _missing(p):
        return undefined(reason, method, of=n)
    point = float(_alpha(p, p.times[None, :], level)[0])
    agreed = int(p.times[(p.counts > 0).sum(axis=1) == 1].sum())
    more = _with_pairs(p)
    return _percentiles(point, _alpha(more, _resampled(more, seed, resamples), level), agreed, n, method)


def _alpha(p: Patterns, times: np.ndarray, level: Level) -> np.ndarray:
    """By row of `times`; NaN where every answer is the same."""
    import numpy as np

    diagonal = np.arange(len(p.categories))
    pairs = p.counts[:, :, None] * p.counts[:, None, :]
    pairs[:, diagonal, diagonal] -= p.counts
    pairs /= (p.answers - 1)[:, None, None]
    o = (times @ pairs.reshape(len(pairs), -1)).reshape(-1, len(diagonal), len(diagonal))
    totals = o.sum(axis=2)
    all_ = totals.sum(axis=1)
    expected = totals[:, :, None] * totals[:, None, :]
    expected[:, diagonal, diagonal] -= totals
    apart: np.ndarray = _distance(p.categories, totals, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = 1 - (all_ - 1) * (o * apart).sum(axis=(1, 2)) / (expected * apart).sum(axis=(1, 2))
    return found


def _distance(categories: Sequence[Hashable], totals: np.ndarray, level: Level) -> np.ndarray:
    """δ², by resample."""
    import numpy as np

    size = len(categories)
    if level == "nominal":
        return (1 - np.eye(size))[None]
    if level == "ordinal":
        up = np.cumsum(totals, axis=1) - totals / 2  # ranks: δ = Σ from c to k of n_g, less half of both ends
        ranks: np.ndarray = (up[:, :, None] - up[:, None, :]) ** 2
        return ranks
    values = np.array([float(c) for c in categories if isinstance(c, (int, float))])
    if len(values) < size:
        raise ValueError(f"alpha for level {level} needs numbers")
    apart = values[:, None] - values[None, :]
    if level == "ratio":
        both = values[:, None] + values[None, :]
        apart = np.divide(apart, both, out=np.zeros_like(apart), where=both != 0)
    squared: np.ndarray = (apart**2)[None]
    return squared


def _agreed(n: int, by_chance: float) -> float:
    """The lower end where none of n items shows a disagreement: 1 - u / (1 - Pe), u the upper end of Jeffreys' interval
    for 0 of n. `by_chance` is the disagreement that chance would give, 1 - Pe.
    """
    return max(-1.0, 1 - jeffreys(0, n)[1] / by_chance)


def _resampled(p: Patterns, seed: int, resamples: int) -> np.ndarray:
    """Times by pattern that could as well have been. D. B. Rubin (1981), Ann. Stat. 9:130: Dirichlet in place of draws
    of whole items. `p` holds what `_with_pairs` added.
    """
    import numpy as np

    found: np.ndarray = np.random.default_rng(seed).dirichlet(p.times, resamples) * (p.times.sum() - ADDED)
    return found


def _with_pairs(p: Patterns) -> Patterns:
    """One and a half items more, spread over the pairs of answers that two reviewers could give: for two categories a
    half for each of the three. Drawn from what was seen alone, rare codes would never disagree, or never agree.
    """
    import numpy as np

    q = len(p.categories)
    pairs = [(i, j) for i in range(q) for j in range(i, q)]
    counts = np.zeros((len(pairs), q))
    for row, (i, j) in enumerate(pairs):
        counts[row, i] += 1
        counts[row, j] += 1
    times = np.append(p.times, np.full(len(pairs), ADDED / len(pairs)))
    return Patterns(p.categories, np.vstack([p.counts, counts]), times)


def _percentiles(point: float, drawn: np.ndarray, n: int, of: int, method: str) -> Figure:
    import numpy as np

    told = drawn[np.isfinite(drawn)]
    if len(told) < TOLD * len(drawn):
        few = N_("The rarer answer was given too seldom for an interval: label more.")
        return Figure(point, None, None, n, of, method, few)
    low, high = np.quantile(told, [0.025, 0.975])
    return Figure(point, min(point, float(low)), max(point, float(high)), n, of, method)


def gwet_ac1(
    items: Iterable[Answers], *, n_categories: int | None = None, seed: int | None = None, resamples: int = RESAMPLES
) -> Figure:
    """Gwet's AC1 = (pa - pe) / (1 - pe), pe = Σ π(1 - π) / (Q - 1), for any number of reviewers with gaps.

    pa is the mean over items of the share of pairs that agree, π the mean over all items of the shares of their
    answers. Interval: ± t SE with n - 1 degrees of freedom, SE linearised over items: K. L. Gwet (2008), Br. J. Math.
    Stat. Psychol. 61:29, for gaps as in his Handbook of Inter-Rater Reliability (4th ed.) 2.4; it is short with 100
    items. With a `seed`, percentiles of `resamples` draws (`_resampled`), which hold. `n_categories`: Q where more
    answers are possible than were given. Where nobody disagreed the lower end of the first is that of `_agreed`.
    """
    method = N_("Gwet's AC1, linearised, t") if seed is None else N_("Gwet's AC1, bootstrap over items")
    p = _patterns(items, fewest=1)
    n = int(p.times[p.answers >= 2].sum())
    if not n:
        return undefined(NO_OVERLAP, method)
    if len(p.categories) < 2:
        return undefined(ONE_CATEGORY, method, of=n)
    from scipy.special import stdtrit

    q = max(len(p.categories), n_categories or 0)
    point, pe = (float(x[0]) for x in _ac1(p, p.times[None, :], q))
    agreed = int(p.times[(p.answers >= 2) & ((p.counts > 0).sum(axis=1) == 1)].sum())
    if seed is not None:
        more = _with_pairs(p)
        return _percentiles(point, _ac1(more, _resampled(more, seed, resamples), q)[0], agreed, n, method)
    if agreed == n:
        return Figure(1.0, _agreed(n, 1 - pe), 1.0, n, n, method)
    error = _ac1_error(p, point, pe, q)
    if error is None:
        return Figure(point, None, None, agreed, n, method, N_("One item is too little for an interval."))
    half = float(stdtrit(p.times.sum() - 1, 0.975)) * error
    return Figure(point, max(-1.0, point - half), min(1.0, point + half), agreed, n, method)


def _ac1(p: Patterns, times: np.ndarray, q: int) -> tuple[np.ndarray, np.ndarray]:
    """AC1 and the agreement by chance, by row of `times`."""
    import numpy as np

    m = p.answers
    pi = times @ (p.counts / m[:, None]) / times.sum(axis=1, keepdims=True)
    agree = (p.counts * (p.counts - 1)).sum(axis=1) / np.maximum(m * (m - 1), 1)
    pa = times @ agree / (times @ (m >= 2))
    pe: np.ndarray = (pi * (1 - pi)).sum(axis=1) / (q - 1)
    found: np.ndarray = (pa - pe) / (1 - pe)
    return found, pe


def _ac1_error(p: Patterns, point: float, pe: float, q: int) -> float | None:
    import numpy as np

    m, n = p.answers, float(p.times.sum())
    if n < 2:
        return None
    shares = p.counts / m[:, None]
    pi = p.times @ shares / n
    agree = (p.counts * (p.counts - 1)).sum(axis=1) / np.maximum(m * (m - 1), 1)
    own = n / float(p.times[m >= 2].sum()) * (agree - pe * (m >= 2)) / (1 - pe)
    own -= 2 * (1 - point) * (shares @ (1 - pi) / (q - 1) - pe) / (1 - pe)
    return float(np.sqrt(p.times @ (own - point) ** 2 / (n * (n - 1))))


def ac1_standard_error(items: Iterable[Answers], *, n_categories: int | None = None) -> float | None:
    """The standard error of `gwet_ac1`, None where it has none."""
    p = _patterns(items, fewest=1)
    if len(p.categories) < 2 or not (p.answers >= 2).any():
        return None
    q = max(len(p.categories), n_categories or 0)
    point, pe = _ac1(p, p.times[None, :], q)
    return _ac1_error(p, float(point[0]), float(pe[0]), q)


def fleiss_kappa(items: Iterable[Answers]) -> float | None:
    """Fleiss' kappa, (P - Pe) / (1 - Pe) with Pe = Σ π²; None where it is undefined. Items need equally many answers.

    J. L. Fleiss (1971), Psychol. Bull. 76:378. For comparison with others' figures; alpha is what is told, with gaps.
    """
    p = _patterns(items)
    if _missing(p):
        return None
    m = p.answers
    if (m != m[0]).any():
        raise ValueError("Fleiss' kappa needs equally many answers to every item; alpha does not")
    n = p.times.sum()
    pa = float(p.times @ (p.counts * (p.counts - 1)).sum(axis=1) / (n * m[0] * (m[0] - 1)))
    pe = float(((p.times @ p.counts / (n * m[0])) ** 2).sum())
    return (pa - pe) / (1 - pe)


def raw_agreement(items: Iterable[Answers], *, seed: int, resamples: int = RESAMPLES) -> Figure:
    """The share of pairs of answers that agree, each item counting once; n of `of` are items without a disagreement.

    Wilson's interval where each item has two answers, or where all or none agree; else bootstrap over items.
    """
    p = _patterns(items)
    n = int(p.times.sum())
    if not n:
        return undefined(NO_OVERLAP, N_("raw agreement"))
    m = p.answers
    agree = (p.counts * (p.counts - 1)).sum(axis=1) / (m * (m - 1))
    point = float(p.times @ agree / n)
    agreed = int(p.times[(p.counts > 0).sum(axis=1) == 1].sum())
    if (m == 2).all() or agreed in (0, n):
        low, high = wilson(agreed, n)
        return Figure(point, min(low, point), max(high, point), agreed, n, N_("raw agreement, Wilson"))
    more = _with_pairs(p)
    same = (more.counts * (more.counts - 1)).sum(axis=1) / (more.answers * (more.answers - 1))
    drawn = _resampled(more, seed, resamples) @ same / n
    return _percentiles(point, drawn, agreed, n, N_("raw agreement, bootstrap over items"))


def positive_agreement(
    items: Iterable[Answers], positive: Hashable, *, seed: int, resamples: int = RESAMPLES
) -> Figure:
    """Of those who saw it, how often another did too: Σ n₁(n₁ - 1) / Σ n₁(m - 1), for two reviewers 2a / (2a + b + c).

    D. V. Cicchetti & A. R. Feinstein (1990), J. Clin. Epidemiol. 43:551. For two reviewers it is 2s / (1 + s) with s =
    a / (a + b + c), and its interval Wilson's for s, carried over; else, bootstrap over items. n of `of`: items in
    which all who answered saw it, of those in which one did.
    """
    method = N_("positive agreement")
    p = _patterns(items)
    if not len(p.times):
        return undefined(NO_OVERLAP, method)
    import numpy as np

    if positive not in p.categories:
        return undefined(NO_POSITIVE, method)
    ones, m = p.counts[:, p.categories.index(positive)], p.answers
    above, below = ones * (ones - 1), ones * (m - 1)
    point = float(p.times @ above / (p.times @ below))
    both, seen = int(p.times[ones == m].sum()), int(p.times[ones > 0].sum())
    if (m == 2).all() or both in (0, seen):
        low, high = (2 * s / (1 + s) for s in wilson(both, seen))
        return Figure(
            point, min(low, point), max(high, point), both, seen, N_("{told_method}, Wilson").format(told_method=method)
        )
    more = _with_pairs(p)
    ones, m = more.counts[:, p.categories.index(positive)], more.answers
    above, below = ones * (ones - 1), ones * (m - 1)
    times = _resampled(more, seed, resamples)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = times @ above / (times @ below)
    return _percentiles(point, drawn, both, seen, N_("{told_method}, bootstrap over items").format(told_method=method))


def self_agreement(twice: Iterable[tuple[Hashable | None, Hashable | None]]) -> Figure:
    """How often a reviewer gives a hidden duplicate the answer of the first time; a pair with a gap is left out."""
    pairs = [(a, b) for a, b in twice if a is not None and b is not None]
    return proportion(sum(a == b for a, b in pairs), len(pairs), NO_DUPLICATES)


@dataclass(frozen=True, slots=True)
class Reviewers:
    """What is told of the agreement between reviewers. `n_items` were answered, `n_overlap` by two or more."""

    n_items: int
    n_overlap: int
    n_reviewers: int
    alpha: Figure
    ac1: Figure
    raw: Figure
    positive: Figure
    itself: Figure


def between_reviewers(
    items: Sequence[Answers], positive: Hashable, *, n_reviewers: int, seed: int,
    twice: Iterable[tuple[Hashable | None, Hashable | None]] = (), n_categories: int | None = None,
    resamples: int = RESAMPLES,
) -> Reviewers:  # fmt: skip
    """Every figure of agreement at once. With one reviewer, all but the agreement with oneself are undefined."""
    n_items = sum(any(a is not None for a in item) for item in items)
    n_overlap = sum(sum(a is not None for a in item) >= 2 for item in items)
    itself = self_agreement(twice)
    if n_reviewers < 2:
        none = undefined(ONE_REVIEWER, N_("one reviewer"), of=n_items)
        return Reviewers(n_items, 0, n_reviewers, none, none, none, none, itself)
    return Reviewers(
        n_items, n_overlap, n_reviewers,
        alpha=krippendorff_alpha(items, seed=seed, resamples=resamples),
        ac1=gwet_ac1(items, n_categories=n_categories, seed=seed, resamples=resamples),
        raw=raw_agreement(items, seed=seed, resamples=resamples),
        positive=positive_agreement(items, positive, seed=seed, resamples=resamples), itself=itself,
    )  # fmt: skip
