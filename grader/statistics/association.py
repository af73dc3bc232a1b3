"""Does something go with an outcome more often than its absence does? Ratios of risks, pooled, for many codes.

Associations, never causes: a stratum takes the confounding away that it stands for, and no other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grader.statistics.figure import Z95, wilson

FEWEST_DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Table:
    """A 2×2 table in counts: `cases` of `n` with the finding, `control_cases` of `n_control` without it."""

    cases: int
    n: int
    control_cases: int
    n_control: int

    def __post_init__(self) -> None:
        if not (0 <= self.cases <= self.n and 0 <= self.control_cases <= self.n_control):
            raise ValueError(f"no table of counts: {self}")

    @property
    def total(self) -> int:
        """Everybody in it."""
        return self.n + self.n_control


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of risks with its 95 % interval. `high` is inf where the data set no upper bound."""

    point: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of risks in [-1, 1] with its 95 % interval."""

    point: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Pooled:
    """A ratio pooled over strata. `p_none`: of the test that there is no association (Cochran-Mantel-Haenszel).
    `p_same`: of the test that the strata have one odds ratio (Breslow-Day); None with fewer than two strata that tell.
    """

    ratio: Ratio
    p_none: float | None
    p_same: float | None
    n_strata: int


def relative_risk(table: Table) -> Ratio | None:
    """(cases/n) / (control_cases/n_control), None where it cannot be said (an empty group, or no case at all).

    Interval: log (Katz et al. 1978, Biometrics 34:469); where a cell is zero that divides by zero, and the score
    interval is given: Koopman (1984), Biometrics 40:513, with the variance of Miettinen & Nurminen (1985), Stat. Med.
    4:213.
    """
    t = table
    if not t.n or not t.n_control or not t.cases + t.control_cases:
        return None
    if not t.cases or not t.control_cases:
        low, high = _score_interval(t)
        return Ratio(0.0 if not t.cases else math.inf, low, high, "score")
    point = (t.cases / t.n) / (t.control_cases / t.n_control)
    if t.cases == t.n and t.control_cases == t.n_control:  # everybody is a case: Katz collapses to a point
        return Ratio(point, *_score_interval(t), "score")
    error = math.sqrt(1 / t.cases - 1 / t.n + 1 / t.control_cases - 1 / t.n_control)
    return Ratio(point, point * math.exp(-Z95 * error), point * math.exp(Z95 * error), "log")


def score_interval(table: Table) -> tuple[float, float] | None:
    """The score interval of the ratio of risks, also where the log one would do; None as in `relative_risk`."""
    if not table.n or not table.n_control or not table.cases + table.control_cases:
        return None
    return _score_interval(table)


def _score_interval(t: Table) -> tuple[float, float]:
    """Where the score statistic crosses ±z; it falls as the ratio grows."""

    def above(z: float) -> float:
        """The ratio at which the statistic is z, by halving its logarithm until no number lies between."""
        low, high = -40.0, 40.0
        while low < (middle := (low + high) / 2) < high:
            low, high = (middle, high) if _score(t, math.exp(middle)) > z else (low, middle)
        return math.exp(middle)

    return (0.0 if not t.cases else above(Z95)), (math.inf if not t.control_cases else above(-Z95))


def _score(t: Table, ratio: float) -> float:
    """How many standard errors the risks are away from this ratio, the errors being those that hold if it is true."""
    a = t.total * ratio
    b = t.n * ratio + t.cases + t.n_control + t.control_cases * ratio
    c = t.cases + t.control_cases
    control = 2 * c / (b + math.sqrt(max(0.0, b * b - 4 * a * c)))  # (b - √…)/2a, in the form that loses no digits
    risk = min(1.0, ratio * control)
    variance = (risk * (1 - risk) / t.n + ratio**2 * control * (1 - control) / t.n_control) * t.total / (t.total - 1)
    away = t.cases / t.n - ratio * t.control_cases / t.n_control
    if variance <= 0:
        return math.copysign(math.inf, away) if away else 0.0
    return away / math.sqrt(variance)


def risk_difference(table: Table) -> Difference | None:
    """cases/n - control_cases/n_control, None where a group is empty.

    Interval: Newcombe's hybrid score, method 10 in R. G. Newcombe (1998), Stat. Med. 17:873.
    """
    t = table
    if not t.n or not t.n_control:
        return None
    p, q = t.cases / t.n, t.control_cases / t.n_control
    (l1, u1), (l0, u0) = wilson(t.cases, t.n), wilson(t.control_cases, t.n_control)
    low = p - q - math.hypot(p - l1, u0 - q)
    high = p - q + math.hypot(u1 - p, q - l0)
    return Difference(p - q, max(-1.0, low), min(1.0, high))


def mantel_haenszel(strata: Sequence[Table]) -> Pooled | None:
    """The ratio of risks pooled over strata, None where no stratum has both groups or nobody among the controls a case.

    Estimate: Mantel & Haenszel (1959), for risks as in Tarone (1981). Interval: Greenland & Robins (1985), Biometrics
    41:55. Tests: Cochran-Mantel-Haenszel without continuity correction; Breslow & Day (1980) for one odds ratio.
    """
    told = [t for t in strata if t.n and t.n_control]
    exposed = sum(t.cases * t.n_control / t.total for t in told)
    controls = sum(t.control_cases * t.n / t.total for t in told)
    if not exposed or not controls:
        return None
    numerator = sum(
        (t.n * t.n_control * (t.cases + t.control_cases) - t.cases * t.control_cases * t.total) / t.total**2
        for t in told
    )
    error = math.sqrt(numerator / (exposed * controls))
    point = exposed / controls
    ratio = Ratio(point, point * math.exp(-Z95 * error), point * math.exp(Z95 * error), "Mantel-Haenszel")
    return Pooled(ratio, _p_none(told), _p_same(told), len(told))


def _p_none(strata: Sequence[Table]) -> float | None:
    away = variance = 0.0
    for t in strata:
        m = t.cases + t.control_cases
        away += t.cases - t.n * m / t.total
        variance += t.n * t.n_control * m * (t.total - m) / (t.total**2 * (t.total - 1))
    return chi_squared_above(away**2 / variance, 1) if variance else None


def _p_same(strata: Sequence[Table]) -> float | None:
    telling = [t for t in strata if 0 < t.cases + t.control_cases < t.total]
    up = sum(t.cases * (t.n_control - t.control_cases) / t.total for t in telling)
    down = sum(t.control_cases * (t.n - t.cases) / t.total for t in telling)
    if len(telling) < 2 or not up or not down:
        return None
    statistic = 0.0
    for t in telling:
        expected = _expected(t, up / down)
        m = t.cases + t.control_cases
        cells = (expected, m - expected, t.n - expected, t.n_control - m + expected)
        if min(cells) <= 0:
            return None
        statistic += (t.cases - expected) ** 2 * sum(1 / cell for cell in cells)
    return chi_squared_above(statistic, len(telling) - 1)


def chi_squared_above(x: float, df: int) -> float:
    """P(χ² > x) with whole degrees of freedom, by its finite sums: 26.4.4 and 26.4.5 in Abramowitz & Stegun (1964)."""
    if x <= 0:
        return 1.0
    first, odd = (math.erfc(math.sqrt(x / 2)), 1) if df % 2 else (0.0, 0)
    # Σ (x/2)^(k/2) e^(-x/2) / Γ(k/2 + 1) over k = odd, odd + 2 … df - 2, by logarithms.
    terms = (math.exp(k / 2 * math.log(x / 2) - x / 2 - math.lgamma(k / 2 + 1)) for k in range(odd, df - 1, 2))
    return min(1.0, first + math.fsum(terms))


def _expected(t: Table, odds: float) -> float:
    """The cases of the first group under this odds ratio, the margins as they are."""
    m = t.cases + t.control_cases
    if math.isclose(odds, 1):
        return t.n * m / t.total
    a = odds - 1
    b = odds * (t.n + m) + t.n_control - m
    return 2 * odds * t.n * m / (b + math.sqrt(b * b - 4 * a * odds * t.n * m))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the share of false discoveries, in the order given: Benjamini & Hochberg (1995), J.
    R. Stat. Soc. B 57:289. The n-th of N is the least of p N / rank of itself and those above it.
    """
    found, least = [1.0] * len(p_values), 1.0
    for rank, i in reversed(list(enumerate(sorted(range(len(p_values)), key=p_values.__getitem__), 1))):
        least = min(least, p_values[i] * len(p_values) / rank)
        found[i] = least
    return found


@dataclass(frozen=True, slots=True)
class JudgeError:
    """What labels say of a judge, in counts: `true_flagged` of `flagged` labels were right, and `true_clean` of `clean`
    labels of unflagged conversations have the defect all the same.
    """

    true_flagged: int
    flagged: int
    true_clean: int
    clean: int


def corrected_pooled(ratio: Ratio, error: JudgeError, *, seed: int, draws: int = 20_000) -> Ratio | None:
    """A pooled ratio of risks as it would be with a judge that does not err, where its errors do not go with the
    outcome and are alike in all strata.

    The formulas of `corrected_ratio` depend on the risks by their ratio alone: r = ((1-F) R - (1-V)) / (V - F R). R
    is drawn from the log-normal distribution that its interval tells, V and F from their Jeffreys posteriors. None as
    there, where more than one draw in five gives no possible ratio, and where the ratio has no interval on both
    sides.
    """
    if draws < FEWEST_DRAWS:
        raise ValueError(f"at least {FEWEST_DRAWS} draws")
    if not (error.flagged and error.clean and 0 < ratio.low <= ratio.point and ratio.high < math.inf):
        return None
    import numpy as np

    rng = np.random.default_rng(seed)
    spread = (math.log(ratio.high) - math.log(ratio.low)) / (2 * Z95)
    observed = np.exp(rng.normal(math.log(ratio.point), spread, draws))
    v = rng.beta(error.true_flagged + 0.5, error.flagged - error.true_flagged + 0.5, draws)
    f = rng.beta(error.true_clean + 0.5, error.clean - error.true_clean + 0.5, draws)
    if np.mean(v - f > 0.05) < 0.975:
        return None
    above, below = (1 - f) * observed - (1 - v), v - f * observed
    possible = (v - f > 0.05) & (above > 0) & (below > 0)
    if np.mean(possible) < 0.8:
        return None
    low, point, high = np.quantile(above[possible] / below[possible], [0.025, 0.5, 0.975])
    return Ratio(float(point), float(low), float(high), "pooled, corrected for the judge's error, by draws")


def corrected_ratio(table: Table, error: JudgeError, *, seed: int, draws: int = 20_000) -> Ratio | None:
    """The ratio of risks as it would be with a judge that does not err, where its errors do not go with the outcome.

    With V = P(defect | flagged) and F = P(defect | not flagged), the observed risks R1 and R0 mix the true ones:
    r1 = ((1-F) R1 - (1-V) R0) / (V-F), r0 = (V R0 - F R1) / (V-F). Each of the four is drawn from its Jeffreys
    posterior; the figures are the median and the 2.5 % and 97.5 % points. None where labels do not set V clearly above
    F (in fewer than 97.5 % of the draws by more than 0.05), or where more than one draw in five gives no possible risk.
    """
    if draws < FEWEST_DRAWS:
        raise ValueError(f"at least {FEWEST_DRAWS} draws")
    if not (error.flagged and error.clean and table.n and table.n_control):
        return None
    import numpy as np

    rng = np.random.default_rng(seed)

    def drawn(k: int, n: int) -> np.ndarray:
        return rng.beta(k + 0.5, n - k + 0.5, draws)

    v, f = drawn(error.true_flagged, error.flagged), drawn(error.true_clean, error.clean)
    observed, control = drawn(table.cases, table.n), drawn(table.control_cases, table.n_control)
    gap = v - f
    if np.mean(gap > 0.05) < 0.975:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        r1 = ((1 - f) * observed - (1 - v) * control) / gap
        r0 = (v * control - f * observed) / gap
    possible = (gap > 0.05) & (r1 > 0) & (r1 < 1) & (r0 > 0) & (r0 < 1)
    if np.mean(possible) < 0.8:
        return None
    low, point, high = np.quantile(r1[possible] / r0[possible], [0.025, 0.5, 0.975])
    return Ratio(float(point), float(low), float(high), "corrected for the judge's error, by draws")
