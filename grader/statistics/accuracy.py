"""The judge against the reference: sensitivity, specificity, predictive values, kappa; and all of a code at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.statistics.corrected import (
    NO_NEGATIVE,
    NO_POSITIVE,
    corrected_rate,
    judge_adds_nothing,
    people_only,
    unlabelled,
)
from grader.statistics.figure import Figure, proportion, undefined
from grader.statistics.frame import (
    DRAWS,
    JUDGED,
    NEGATIVE_VALUE,
    POSITIVE_VALUE,
    SENSITIVITY,
    SPECIFICITY,
    Labelled,
    Model,
    Part,
    Ratio,
    shortage,
)

if TYPE_CHECKING:
    import numpy as np

NO_VERDICT = "No conversation has a verdict."
NEVER_FIRED = "The judge flagged nothing, so there is no flag to be right or wrong: label conversations judged clean."
NEVER_CLEAN = "The judge called nothing clean, so there is no clean verdict to be right or wrong."
ONE_CATEGORY = (
    "Every answer of the judge or of the reviewers is the same, so agreement beyond chance cannot be measured."
)
ADDS_NOTHING = "The judge adds nothing: people's labels alone give an interval that is no wider."
WEAK = "Sensitivity + specificity is not clearly above 1: the judge is little better than chance on this code."
FEWEST_POSITIVE = 15
FEW_POSITIVE = "{n} human-positive labels: with fewer than 15 the judge is not calibrated on this code."
METHOD = "stratified by verdict, by draws"


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
    biased by the verification. Intervals are percentiles of draws p_h ~ Beta(k + ½, n - k + ½) (three answers:
    Dirichlet(k + ⅓)) and W ~ Dirichlet(N + ½), their distance from the point widened by the √ of the design effect. An
    end is 0 or 1 only where the labels show no case or nothing else. Positive value: flags that are right, of all
    flags; one on a conversation that the code is not about is wrong.
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
    return f"Nobody labelled a conversation {part}: label some of the {part.n_population:,}."


class _Drawn:
    """Draws of the strata, with a stratum for each verdict that never came."""

    def __init__(self, model: Model, labels: Sequence[Labelled], seed: int, draws: int) -> None:
        self.model, self.labels = model, labels
        kinds = JUDGED if model.three else JUDGED[:2]
        unseen = [v for v in kinds if all(p.verdict != v for p in model.parts)]
        self.padded = [*model.parts, *(Part(v, 0, 0, 0) for v in unseen)]
        self.kinds = kinds
        self.shares, self.chances = model.draw(seed, draws, unseen=unseen)
        self.weighted: np.ndarray = self.shares[:, :, None] * self.chances

    def _mask(self, ratio: Ratio) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        above, below = (
            np.array([[float(letter in which.get(p.verdict, "")) for letter in "fcn"] for p in self.padded])
            for which in (ratio.above, ratio.below)
        )
        return above, below

    def _ratio(self, ratio: Ratio) -> np.ndarray:
        deff = self.model.design_effect(ratio, self.labels)
        return self.model.ends(ratio, self.shares, self.chances, self._mask(ratio), deff)

    def figure(self, ratio: Ratio, reason: str, *, whole: bool) -> Figure:
        """The ratio; `reason` is said where nothing was counted below the line, and where `whole` says so."""
        n, of = self.model.counted(ratio.above), self.model.counted(ratio.below)
        point = self.model.point(ratio)
        if whole or not of or point is None:
            return undefined(reason, METHOD, n=n, of=of)
        import numpy as np

        low, high = (float(x) for x in np.quantile(self._ratio(ratio), [0.025, 0.975]))
        # A point of 0 or 1 is the end on its side; no other end is.
        low, high = min(point, max(low, 1e-9)), max(point, min(high, 1 - 1e-9))
        return Figure(point, low, high, n, of, METHOD)

    def youden(self, se: Figure, sp: Figure) -> Figure:
        if se.point is None or sp.point is None:
            return undefined(se.reason or sp.reason, METHOD, of=se.of + sp.of)
        import numpy as np

        drawn = self._ratio(SENSITIVITY) + self._ratio(SPECIFICITY) - 1
        point = se.point + sp.point - 1
        low, high = (float(x) for x in np.quantile(drawn, [0.025, 0.975]))
        return Figure(point, min(low, point), max(high, point), se.n + sp.n, se.of + sp.of, METHOD)

    def kappa(self, missing: str) -> Figure:
        """Of the table of verdict and truth; with contacts widened by the larger of the two design effects."""
        import numpy as np

        method = "Cohen's kappa, stratified by verdict, by draws"
        model, k = self.model, len(self.kinds)
        counts = model.counts.sum(axis=0)
        n, of = self._agreed(), int(counts.sum())
        if missing:
            return undefined(missing, method, of=of)
        if (counts > 0).sum() < 2 or len({p.verdict for p in model.parts}) < 2:
            return undefined(ONE_CATEGORY, method, n=n, of=of)
        rows = np.array([[float(p.verdict == kind) for p in self.padded] for kind in self.kinds])
        joint = np.einsum("jh,dhy->djy", rows, self.weighted[:, :, :k])
        weighted = model.size[:, None] / model.n * model.chances()[:, :k]
        point = float(_kappa((rows[:, : len(model.parts)] @ weighted)[None])[0])
        deff = max(model.design_effect(r, self.labels) for r in (SENSITIVITY, SPECIFICITY))
        drawn = point + deff**0.5 * (_kappa(joint) - point)
        low, high = (float(x) for x in np.quantile(drawn, [0.025, 0.975]))
        return Figure(point, max(-1.0, min(low, point)), min(1.0, max(high, point)), n, of, method)

    def _agreed(self) -> int:
        at = {"fires": 0, "clean": 1, "not_applicable": 2, "missing": 0}
        return int(sum(row[at[p.verdict]] for p, row in zip(self.model.parts, self.model.counts, strict=True)))


def _kappa(table: np.ndarray) -> np.ndarray:
    import numpy as np

    po = np.trace(table, axis1=1, axis2=2)
    pe = (table.sum(axis=1) * table.sum(axis=2)).sum(axis=1)
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
    people = people_only(kept, simple_random=simple_random)
    fires, clean = (sum(p.n_population for p in kept if p.verdict == v) for v in ("fires", "clean"))
    raw = proportion(fires, fires + clean, "The judge answered no conversation with yes or no.")
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
        notes.append(f"{n_missing:,} conversations have no verdict and are a stratum of their own.")
    if labels and len({x.contact if x.contact is not None else i for i, x in enumerate(labels)}) < 2 < len(labels):
        notes.append("All labels are of one contact: the intervals do not tell how contacts differ.")
    return Calibration(
        sum(p.n_population for p in kept), sum(p.n_labelled for p in kept), n_missing, corrected, people, raw, found,
        shortage(kept), tuple(notes),
    )  # fmt: skip
