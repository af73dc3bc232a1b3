"""The judge against the reference: sensitivity, specificity, predictive values, kappa; and all of a code at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.language import N_
from grader.statistics.corrected import (
    NO_NEGATIVE,
    NO_POSITIVE,
    NOBODY_LABELLED,
    corrected_rate,
    judge_adds_nothing,
    people_only,
    unlabelled,
)
from grader.statistics.figure import Figure, proportion, undefined
from grader.statistics.frame import (
    DRAWS,
    JUDGED,
    LEAN,
    NEGATIVE_VALUE,
    POSITIVE_VALUE,
    SENSITIVITY,
    SPECIFICITY,
    Labelled,
    Model,
    Part,
    Ratio,
    Verdict,
    shortage,
)

if TYPE_CHECKING:
    import numpy as np

NO_VERDICT = N_("No conversation has a verdict.")
NEVER_FIRED = N_(
    "The judge flagged nothing, so there is no flag to be right or wrong: label conversations judged clean."
)
NEVER_CLEAN = N_("The judge called nothing clean, so there is no clean verdict to be right or wrong.")
ONE_CATEGORY = N_(
    "Every answer of the judge or of the reviewers is the same, so agreement beyond chance cannot be measured."
)
ADDS_NOTHING = N_("The judge adds nothing: people's labels alone give an interval that is no wider.")
WEAK = N_("Sensitivity + specificity is not clearly above 1: the judge is little better than chance on this code.")
FEWEST_POSITIVE = 15
FEW_POSITIVE = N_("{n} human-positive labels: with fewer than 15 the judge is not calibrated on this code.")
METHOD = N_("stratified by verdict, by draws")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The judge's errors among conversations that it answered. `youden` is sensitivity + specificity - 1."""

    sensitivity: Figure
    specificity: Figure
    positive_value: Figure
    negative_value: Figure
    youden: Figure
    kappa: Figure


def accuracy(parts: Sequence[Part], labels: Sequence[Labelled] = (), *, seed: int, draws: int = DRAWS) -> Accuracy:
    """By the stratified formulas, since labels were drawn by verdict: Se = W₁p₁ / θ, Sp = W₀(1 - p₀) / (1 - θ).

    C. B. Begg & R. A. Greenes (1983), Biometrics 39:207: true positives over all positives among the labels would be
    biased by the verification. Intervals are percentiles of draws W ~ Dirichlet(N + ½) and of p_h, for the lower end
    ~ Beta(k + ¼, n - k + ¾), k what makes the figure larger, and for the upper end the reverse: half-way from Jeffreys'
    interval, which with few labels covers less than it says, to Clopper and Pearson's. Their distance from the point is
    widened by the √ of the design effect. An end is 0 or 1 only where the labels show no case or nothing else. Positive
    value: flags that are right, of all flags; one on a conversation that the code is not about is wrong.
    """
    judged = [p for p in parts if p.verdict != "missing" and p.n_population]
    if not judged:
        none = undefined(NO_VERDICT, METHOD)
        return Accuracy(none, none, none, none, none, none)
    model = Model(judged)
    drawn = _Drawn(model, [x for x in labels if x.stratum[0] != "missing"], seed, draws)
    missing = unlabelled(model)
    se = drawn.figure(SENSITIVITY, missing or NO_POSITIVE, whole=bool(missing))
    sp = drawn.figure(SPECIFICITY, missing or NO_NEGATIVE, whole=bool(missing))
    flags = any(p.verdict == "fires" for p in judged)
    cleans = any(p.verdict == "clean" for p in judged)
    # Values among flags need labels of flags only.
    ppv = drawn.figure(POSITIVE_VALUE, _none_of(judged, "fires") if flags else NEVER_FIRED, whole=not flags)
    npv = drawn.figure(NEGATIVE_VALUE, _none_of(judged, "clean") if cleans else NEVER_CLEAN, whole=not cleans)
    return Accuracy(se, sp, ppv, npv, drawn.youden(se, sp), drawn.kappa(missing))


def _none_of(judged: Sequence[Part], verdict: str) -> str:
    part = next(p for p in judged if p.verdict == verdict)
    return NOBODY_LABELLED.format(told_part=part, n=f"{part.n_population:,}")


class _Drawn:
    """Draws of the strata, with a stratum for each verdict that never came; each end has its own, see `_weighted`."""

    def __init__(self, model: Model, labels: Sequence[Labelled], seed: int, draws: int) -> None:
        import numpy as np

        self.model, self.labels = model, labels
        self.kinds = JUDGED if model.three else JUDGED[:2]
        unseen = [v for v in self.kinds if all(p.verdict != v for p in model.parts)]
        self.padded = [*model.parts, *(Part(v, 0, 0, 0) for v in unseen)]
        self.counts = np.vstack([model.counts, np.zeros((len(unseen), 3))])
        self.possible = np.array([1.0, 1.0, float(model.three)])
        rng = np.random.default_rng(seed)
        shares = rng.dirichlet([p.n_population + 0.5 for p in self.padded], draws)
        self.shares: np.ndarray = np.ascontiguousarray(shares.T)
        self.seen: np.ndarray = np.stack(
            [[rng.standard_gamma(k + 0.5 - LEAN, draws) for k in row] for row in self.counts]
        )
        self.lean: np.ndarray = rng.standard_gamma(2 * LEAN, (len(self.padded), 1, draws))

    def _rows(self, which: Mapping[Verdict, str]) -> np.ndarray:
        import numpy as np

        rows = np.array([[float(x in which.get(p.verdict, "")) for x in "fcn"] for p in self.padded])
        found: np.ndarray = rows * self.possible
        return found

    def _weighted(self, towards: np.ndarray, away: np.ndarray) -> np.ndarray:
        """W_h P_hy for one end, by h, y and draw. Truths that take the figure `towards` it are drawn with LEAN labels
        more than Jeffreys has, the others with less; those that take it `away` are not there where no label shows them.
        """
        import numpy as np

        kept = np.where((away > 0) & (self.counts == 0), 0, self.possible)
        drawn = self.seen * kept[:, :, None]
        drawn += self.lean * (towards / np.maximum(towards.sum(axis=1, keepdims=True), 1))[:, :, None]
        drawn *= (self.shares / drawn.sum(axis=1))[:, None, :]
        return drawn

    def _ends(
        self, of: Callable[[np.ndarray], np.ndarray], point: float, helps: np.ndarray, hurts: np.ndarray, deff: float
    ) -> tuple[float, float]:
        import numpy as np

        found = []
        for towards, away, quantile in ((hurts, helps, 0.025), (helps, hurts, 0.975)):
            drawn = point + deff**0.5 * (of(self._weighted(towards, away)) - point)
            found.append(float(np.quantile(drawn, quantile)))
        return min(found[0], point), max(found[1], point)

    def _ratio(self, ratio: Ratio, weighted: np.ndarray) -> np.ndarray:
        import numpy as np

        flat = weighted.reshape(-1, weighted.shape[-1])
        above, below = (self._rows(which).ravel() @ flat for which in (ratio.above, ratio.below))
        found: np.ndarray = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
        return found

    def figure(self, ratio: Ratio, reason: str, *, whole: bool) -> Figure:
        """The ratio; `reason` is said where nothing was counted below the line, and where `whole` says so."""
        import numpy as np

        n, of = self.model.counted(ratio.above), self.model.counted(ratio.below)
        point = self.model.point(ratio)
        if whole or not of or point is None:
            return undefined(reason, METHOD, n=n, of=of)
        above, below = self._rows(ratio.above), self._rows(ratio.below)
        asked = below.any(axis=1, keepdims=True)
        inside = below - above
        helps = asked * np.where(above.any(axis=1, keepdims=True), above, self.possible - below)
        hurts = asked * np.where(inside.any(axis=1, keepdims=True), inside, self.possible - above)
        deff = self.model.design_effect(ratio, self.labels)
        low, high = self._ends(lambda w: self._ratio(ratio, w), point, helps, hurts, deff)
        # A point of 0 or 1 is the end on its side; no other end is.
        return Figure(point, min(point, max(low, 1e-9)), max(point, min(high, 1 - 1e-9)), n, of, METHOD)

    def youden(self, se: Figure, sp: Figure) -> Figure:
        """With contacts widened by the larger of the two design effects."""
        if se.point is None or sp.point is None:
            return undefined(se.reason or sp.reason, METHOD, of=se.of + sp.of)
        point = se.point + sp.point - 1
        right = self._rows({"fires": "f", "clean": "c", "not_applicable": "c"})
        wrong = self._rows({"fires": "c", "clean": "f", "not_applicable": "f"})
        low, high = self._ends(
            lambda w: self._ratio(SENSITIVITY, w) + self._ratio(SPECIFICITY, w) - 1, point, right, wrong, self._deff()
        )
        return Figure(point, max(-1.0, low), min(1.0, high), se.n + sp.n, se.of + sp.of, METHOD)

    def _deff(self) -> float:
        return max(self.model.design_effect(r, self.labels) for r in (SENSITIVITY, SPECIFICITY))

    def kappa(self, missing: str) -> Figure:
        """Of the table of verdict and truth; with contacts widened by the larger of the two design effects."""
        import numpy as np

        method = N_("Cohen's kappa, stratified by verdict, by draws")
        model, k = self.model, len(self.kinds)
        counts = model.counts.sum(axis=0)
        n, of = self._agreed(), int(counts.sum())
        if missing:
            return undefined(missing, method, of=of)
        if (counts > 0).sum() < 2 or len({p.verdict for p in model.parts}) < 2:
            return undefined(ONE_CATEGORY, method, n=n, of=of)
        rows = np.array([[float(p.verdict == kind) for p in self.padded] for kind in self.kinds])
        weighted = model.size[:, None] / model.n * model.chances()[:, :k]
        point = float(_kappa((rows[:, : len(model.parts)] @ weighted)[:, :, None])[0])
        right = self._rows({"fires": "f", "clean": "c", "not_applicable": "n"})
        low, high = self._ends(
            lambda w: _kappa((rows @ w.reshape(len(w), -1)).reshape(k, 3, -1)[:, :k]), point, right,
            self.possible - right, self._deff(),
        )  # fmt: skip
        return Figure(point, max(-1.0, low), min(1.0, high), n, of, method)

    def _agreed(self) -> int:
        at = {"fires": 0, "clean": 1, "not_applicable": 2, "missing": 0}
        return int(sum(row[at[p.verdict]] for p, row in zip(self.model.parts, self.model.counts, strict=True)))


def _kappa(table: np.ndarray) -> np.ndarray:
    """Of tables verdict × truth × draw."""
    import numpy as np

    po = np.trace(table)
    pe = (table.sum(axis=0) * table.sum(axis=1)).sum(axis=0)
    found: np.ndarray = (po - pe) / np.maximum(1 - pe, 1e-12)
    return found


@dataclass(frozen=True, slots=True)
class Calibration:
    """All of a code in a frame. `raw` is the judge's rate of those that it answered with yes or no; `shortage` why the
    labels are too few for a verdict; `notes` what a reader must know beside the figures.
    """

    n_population: int
    n_labelled: int
    n_missing: int
    corrected: Figure
    people: Figure
    raw: Figure
    accuracy: Accuracy
    shortage: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sufficient(self) -> bool:
        """Enough labels for a verdict on the judge, or for a ranking of codes."""
        return not self.shortage


def calibrate(
    parts: Sequence[Part], labels: Sequence[Labelled] = (), *, simple_random: bool, seed: int, draws: int = DRAWS
) -> Calibration:
    """Every figure of a code. `labels` are needed where contacts have several; `simple_random` says that labels were
    drawn with one chance for all.
    """
    kept = tuple(p for p in parts if p.n_population)
    corrected = corrected_rate(kept, labels, seed=seed, draws=draws)
    people = people_only(kept, labels, simple_random=simple_random)
    fires, clean = (sum(p.n_population for p in kept if p.verdict == v) for v in ("fires", "clean"))
    raw = proportion(fires, fires + clean, N_("The judge answered no conversation with yes or no."))
    found = accuracy(kept, labels, seed=seed, draws=draws)
    n_missing = sum(p.n_population for p in kept if p.verdict == "missing")
    n_positive = found.sensitivity.of
    notes = [corrected.reason] if corrected.reason else []
    if judge_adds_nothing(corrected, people):
        notes.append(ADDS_NOTHING)
    if n_positive < FEWEST_POSITIVE:
        notes.append(FEW_POSITIVE.format(n=n_positive))
    if found.youden.low is not None and found.youden.low <= 0:
        notes.append(WEAK)
    if not fires:
        notes.append(NEVER_FIRED)
    if n_missing:
        notes.append(N_("{n} conversations have no verdict and are a stratum of their own.").format(n=f"{n_missing:,}"))
    if labels and len({x.contact if x.contact is not None else i for i, x in enumerate(labels)}) < 2 < len(labels):
        notes.append(N_("All labels are of one contact: the intervals do not tell how contacts differ."))
    return Calibration(
        sum(p.n_population for p in kept), sum(p.n_labelled for p in kept), n_missing, corrected, people, raw, found,
        shortage(kept), tuple(notes),
    )  # fmt: skip
