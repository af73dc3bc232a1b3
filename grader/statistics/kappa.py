"""Cohen's kappa of two raters, plain, by distance, or of a sample in weights."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Literal

from grader.statistics.agreement import NO_OVERLAP, ONE_CATEGORY
from grader.statistics.figure import Z95, Figure, jeffreys, undefined

if TYPE_CHECKING:
    import numpy as np

Distance = Literal["none", "linear", "quadratic"]


def _table(
    first: Sequence[Hashable | None], second: Sequence[Hashable | None], weights: Sequence[float]
) -> tuple[np.ndarray, list[int]]:
    """Both raters' answers in weights, and for each item the cell that it is in; -1 where one has a gap."""
    import numpy as np

    both = [(a, b) for a, b in zip(first, second, strict=True)]
    found = {c for pair in both if None not in pair for c in pair}
    place = {c: i for i, c in enumerate(sorted(found, key=lambda c: (isinstance(c, str), c)))}
    size = len(place)
    cells = [-1 if a is None or b is None else place[a] * size + place[b] for a, b in both]
    told = [i for i, cell in enumerate(cells) if cell >= 0]
    if not told:
        return np.zeros((0, 0)), cells
    table = np.bincount([cells[i] for i in told], weights=[weights[i] for i in told], minlength=size * size)
    return table.reshape(size, size), cells


def _agreement_weights(size: int, distance: Distance) -> np.ndarray:
    import numpy as np

    if distance == "none" or size < 2:
        return np.eye(size)
    apart = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :]) / (size - 1)
    near: np.ndarray = 1 - (apart if distance == "linear" else apart**2)
    return near


def _kappa(table: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of tables in the last two axes; NaN where chance alone gives full agreement."""
    import numpy as np

    p = table / table.sum(axis=(-2, -1), keepdims=True)
    chance = p.sum(axis=-1)[..., :, None] * p.sum(axis=-2)[..., None, :]
    po, pe = (p * w).sum(axis=(-2, -1)), (chance * w).sum(axis=(-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = np.where(pe < 1, (po - pe) / (1 - pe), np.nan)
    return found


def standard_error(table: np.ndarray, distance: Distance = "none") -> float | None:
    """Of kappa on a table of counts: J. L. Fleiss, J. Cohen & B. S. Everitt (1969), Psychol. Bull. 72:323, eq. 13."""
    import numpy as np

    n = float(table.sum())
    w = _agreement_weights(len(table), distance)
    if not n:
        return None
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    pe = float((rows[:, None] * columns[None, :] * w).sum())
    if pe >= 1:
        return None
    k = float(_kappa(table, w))
    near = (w @ columns)[:, None] + (rows @ w)[None, :]
    inside = float((p * (w - near * (1 - k)) ** 2).sum()) - (k - pe * (1 - k)) ** 2
    return float(np.sqrt(max(0.0, inside) / n) / (1 - pe))


def cohen_kappa(
    first: Sequence[Hashable | None], second: Sequence[Hashable | None], *, distance: Distance = "none"
) -> Figure:
    """(po - pe) / (1 - pe), pe = Σ p_i. p_.i, over items that both answered; `distance` counts a near miss in part.

    J. Cohen (1960), Educ. Psychol. Meas. 20:37; (1968), Psychol. Bull. 70:213. Interval: ± z SE (`standard_error`);
    where nobody disagreed, from 1 - u / (1 - pe), u the upper end of Jeffreys' interval of 0 disagreements.
    """
    method = "Cohen's kappa" + ("" if distance == "none" else f", {distance}")
    table, _ = _table(first, second, [1.0] * len(first))
    return _from_table(table, distance, method)


def kappa_of_table(table: Sequence[Sequence[int]], *, distance: Distance = "none") -> Figure:
    """The same of a table of counts, the first rater's answers in rows."""
    import numpy as np

    counts = np.array(table, dtype=float)
    seen = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
    return _from_table(counts[np.ix_(seen, seen)], distance, "Cohen's kappa")


def _from_table(table: np.ndarray, distance: Distance, method: str) -> Figure:
    n = int(table.sum())
    if not n:
        return undefined(NO_OVERLAP, method)
    if len(table) < 2:
        return undefined(ONE_CATEGORY, method, of=n)
    w = _agreement_weights(len(table), distance)
    point, agreed = float(_kappa(table, w)), int(table.trace())
    if agreed == n:
        share = table.sum(axis=0) / n
        return Figure(1.0, max(-1.0, 1 - jeffreys(0, n)[1] / float(1 - share @ w @ share)), 1.0, n, n, method)
    error = standard_error(table, distance)
    if error is None:
        return undefined(ONE_CATEGORY, method, of=n)
    return Figure(point, max(-1.0, point - Z95 * error), min(1.0, point + Z95 * error), agreed, n, method)


def weighted_kappa(
    first: Sequence[Hashable | None], second: Sequence[Hashable | None], weights: Sequence[float],
    strata: Sequence[Hashable], *, seed: int, distance: Distance = "none", resamples: int = 2_000,
) -> Figure:  # fmt: skip
    """Kappa where each item stands for `weights` of the population; interval by bootstrap within strata.

    B. Efron & R. J. Tibshirani (1993), An Introduction to the Bootstrap, 8.4. Items of a stratum are drawn anew
    together. Resamples in which every answer is the same are left out; with more than one in ten there is no interval.
    """
    method = "Cohen's kappa, weighted, bootstrap within strata"
    if any(not w > 0 for w in weights):
        raise ValueError("weights are above 0")
    table, cells = _table(first, second, weights)
    told = [i for i, cell in enumerate(cells) if cell >= 0]
    if not told:
        return undefined(NO_OVERLAP, method)
    if len(table) < 2:
        return undefined(ONE_CATEGORY, method, of=len(told))
    import numpy as np

    size = len(table)
    w = _agreement_weights(size, distance)
    point, agreed = float(_kappa(table, w)), sum(cells[i] % (size + 1) == 0 for i in told)
    if agreed == len(told):
        share = table.sum(axis=0) / table.sum()
        effective = sum(weights[i] for i in told) ** 2 / sum(weights[i] ** 2 for i in told)
        low = 1 - jeffreys(0, max(1, int(effective)))[1] / float(1 - share @ w @ share)
        return Figure(1.0, max(-1.0, low), 1.0, agreed, agreed, method)
    rng = np.random.default_rng(seed)
    drawn = np.zeros((resamples, size * size))
    by_stratum: dict[Hashable, dict[tuple[int, float], int]] = {}
    for i in told:
        kinds = by_stratum.setdefault(strata[i], {})
        kinds[cells[i], weights[i]] = kinds.get((cells[i], weights[i]), 0) + 1
    for kinds in by_stratum.values():
        n = sum(kinds.values())
        times = rng.multinomial(n, [k / n for k in kinds.values()], size=resamples)
        for column, (cell, weight) in enumerate(kinds):
            drawn[:, cell] += weight * times[:, column]
    found = _kappa(drawn.reshape(resamples, size, size), w)
    found = found[np.isfinite(found)]
    if len(found) < 0.9 * resamples:
        few = "The rarer answer was given too seldom for an interval: label more."
        return Figure(point, None, None, agreed, len(told), method, few)
    low, high = (float(x) for x in np.quantile(found, [0.025, 0.975]))
    return Figure(point, min(point, low), max(point, high), agreed, len(told), method)
