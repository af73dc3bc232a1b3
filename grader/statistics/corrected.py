"""The rate at which reviewers would find a code, from a judge's verdicts on all and labels on some.

Post-stratified on the verdict (labels from the reported frame), or carried over to a later frame that the same judge
read; people's labels alone; and the difference of two frames, each under its own calibration.
`benchmarks/coverage_calibration.py` measures how often the intervals hold the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import TYPE_CHECKING

from grader.language import N_
from grader.statistics.figure import Z95, Figure, jeffreys, proportion, undefined, wilson
from grader.statistics.frame import (
    DRAWS,
    JUDGED,
    LEAN,
    PREVALENCE,
    SENSITIVITY,
    SPECIFICITY,
    Labelled,
    Model,
    Part,
    parts_of,
)

if TYPE_CHECKING:
    import numpy as np

NONE_APPLICABLE = N_(
    "0 applicable: every labelled conversation is outside what the code is about, so there is no rate."
)
NO_LABELS = N_("No conversation of this frame was labelled.")
STRATIFIED = N_("Labels were drawn by verdict, so people's labels alone give no rate.")
NO_POSITIVE = N_("No human-positive labels: nobody found the code, so how often the judge would see it is not known.")
NO_NEGATIVE = N_("No human-negative labels: reviewers found the code everywhere, so false alarms are not known.")
NOT_APART = N_(
    "The judge does not tell the two kinds apart clearly (sensitivity + specificity - 1 is not clearly above 0), so "
    "its verdicts say nothing of a frame without labels: label conversations of that frame."
)
CHANGED = N_(
    "The judge flags fewer or more of the later frame than the errors that it had allow, so they are not what they "
    "were, and the rate is cut off where it cannot be: label conversations of that frame."
)
CUT = N_("Fewer or more flags than the judge's errors alone would give: the rate is cut off where it cannot be.")
NARROWER = 0.97
NOBODY_LABELLED = N_("Nobody labelled a conversation {told_part}: label some of the {n}.")
MOVER = N_("post-stratified, MOVER-Jeffreys")
BY_DRAWS = N_("post-stratified, Dirichlet draws")
CARRIED = N_("carried over from an earlier frame, by draws")


def corrected_rate(parts: Sequence[Part], labels: Sequence[Labelled] = (), *, seed: int, draws: int = DRAWS) -> Figure:
    """The rate among applicable conversations of the frame that the labels were drawn from.

    θ = Σ W_h k_h / n_h. Interval by MOVER (Zou & Donner 2008, Stat. Med. 27:1693) from Jeffreys' intervals of the
    strata, with the variance of their shares: lo = θ - √(Σ W_h² (p_h - l_h)² + z² V_W), hi alike, V_W = Σ W_h (p_h -
    θ)² / N. Where reviewers said "not applicable", θ = Σ W p_fires / Σ W (p_fires + p_clean) and the interval is by
    draws of p ~ Dirichlet(k + ⅓) and W ~ Dirichlet(N + ½), see `_three_kinds`. A stratum without labels has p = ½ and
    [0, 1]. With `labels` half-widths are widened by the √ of the design effect of their contacts.
    """
    model = Model(parts)
    n, of = model.counted(PREVALENCE.above), model.counted(PREVALENCE.below)
    method = BY_DRAWS if model.three else MOVER
    if not model.labelled.sum():
        return Figure(None, 0.0, 1.0, 0, 0, method, NO_LABELS)
    point = model.point(PREVALENCE)
    if not of or point is None:
        return undefined(NONE_APPLICABLE, method)
    wider = sqrt(model.design_effect(PREVALENCE, labels))
    if model.three:
        low, high = _three_kinds(model, point, wider, seed, draws)
    else:
        down, up = mover(model)
        low, high = point - wider * down, point + wider * up
    without = [str(p) for p in model.parts if not p.n_labelled]
    reason = ""
    if without:
        nobody = N_("Nobody labelled a conversation {told_parts}: there it may be none or all.")
        reason = nobody.format(told_parts=_either(without))
    # What was seen is there: with any yes the rate is not 0, with any no not 1. An end that would be so is the one of n
    # in the whole frame, as if all that has no label were of the other kind.
    size, n_no = int(model.n), of - n
    if not n:
        low = 0.0
    elif low <= 0:
        low = min(point, jeffreys(n, size)[0])
    if not n_no and not without:
        high = 1.0
    elif high >= 1:
        high = max(point, jeffreys(size - n_no, size)[1]) if n_no else 1.0
    return Figure(point, low, high, n, of, method, reason)


def _three_kinds(model: Model, point: float, wider: float, seed: int, draws: int) -> tuple[float, float]:
    """The ends by draws. As in Jeffreys' intervals, a stratum in which no label fires does not lift the lower end, and
    one in which none is clean does not press the upper one: with rare codes the ⅓ in each of many strata would.
    """
    import numpy as np

    shares, chances = model.draw(seed, draws)
    ends = []
    for column, quantile in ((0, 0.025), (1, 0.975)):
        kept = chances.copy()
        kept[:, model.counts[:, column] == 0, column] = 0
        weighted = np.einsum("dh,dhy->dy", shares, kept)
        below = weighted[:, 0] + weighted[:, 1]
        drawn = np.divide(weighted[:, 0], below, out=np.full(draws, point), where=below > 0)
        ends.append(float(np.quantile(point + wider * (drawn - point), quantile)))
    return ends[0], ends[1]


def mover(model: Model, *, with_shares: bool = True) -> tuple[float, float]:
    """The half-widths below and above. `with_shares` False leaves V_W out, which must be seen to fail.

    Where a verdict has several cells, one case in a cell whose labels stand for many lifts all of the rate: lower ends
    then lean a quarter of a label outwards, to Beta(k + ¼, n - k + ¾).
    """
    lean = LEAN if len({p.verdict for p in model.parts}) < len(model.parts) else 0.0
    shares, p = model.size / model.n, model.chances()[:, 0]
    point = float(shares @ p)
    spread = float(shares @ (p - point) ** 2) / model.n if with_shares else 0.0
    below = above = 0.0
    for w, p_h, k, n in zip(shares, p, model.counts[:, 0], model.labelled, strict=True):
        low, high = jeffreys(int(k), int(n), lean=lean)[0], jeffreys(int(k), int(n))[1]
        below += (w * (p_h - low)) ** 2
        above += (w * (high - p_h)) ** 2
    return sqrt(below + Z95**2 * spread), sqrt(above + Z95**2 * spread)


def rate_draws(parts: Sequence[Part], labels: Sequence[Labelled] = (), *, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Draws of the corrected rate, for what is made of it (a difference, a ratio)."""
    model = Model(parts)
    shares, chances = model.draw(seed, draws)
    masks = model.mask(PREVALENCE.above), model.mask(PREVALENCE.below)
    return model.ends(PREVALENCE, shares, chances, masks, model.design_effect(PREVALENCE, labels))


def people_only(parts: Sequence[Part], labels: Sequence[Labelled] = (), *, simple_random: bool) -> Figure:
    """The rate by labels alone: Wilson, of a simple random sample only; weighted versions cover too seldom. With
    `labels` of as many as they are worth by the design effect of their contacts, as the corrected rate is.
    """
    if not simple_random:
        return undefined(STRATIFIED, N_("people's labels alone, Wilson"))
    n, of = sum(p.n_fires for p in parts), sum(p.n_fires + p.n_clean for p in parts)
    found = proportion(n, of, NONE_APPLICABLE if any(p.n_labelled for p in parts) else NO_LABELS)
    if found.point is None or not labels:
        return found
    together = [replace(x, stratum=("clean", "")) for x in labels]
    whole = parts_of({("clean", ""): sum(p.n_population for p in parts)}, together)
    effect = Model(whole).design_effect(PREVALENCE, together)
    low, high = wilson(n / effect, of / effect)
    return replace(found, low=min(low, found.point), high=max(high, found.point))


def judge_adds_nothing(corrected: Figure, people: Figure) -> bool:
    """The corrected interval is no narrower than the one that ignores the judge, but for what two methods differ by."""
    return corrected.width is not None and people.width is not None and corrected.width >= NARROWER * people.width


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose rate is asked for: with labels of its own, or (`later` given) verdicts alone, read with the labels
    of an earlier one. `later` are strata by verdict; what they hold of labels is not looked at.
    """

    parts: Sequence[Part]
    labels: Sequence[Labelled] = ()
    later: Sequence[Part] = field(default=())

    def rate(self, *, seed: int, draws: int = DRAWS) -> Figure:
        """By its own labels, or carried over."""
        if self.later:
            return carried_over(self.parts, self.later, self.labels, seed=seed, draws=draws)
        return corrected_rate(self.parts, self.labels, seed=seed, draws=draws)

    def draws(self, *, seed: int, draws: int = DRAWS) -> np.ndarray:
        """Draws of it."""
        if self.later:
            return _Carried(self.parts, self.later, self.labels).drawn(seed, draws)[0]
        return rate_draws(self.parts, self.labels, seed=seed, draws=draws)


class _Carried:
    """How verdicts follow from the truth in the old frame, and what the new verdicts then say."""

    def __init__(
        self, parts: Sequence[Part], later: Sequence[Part], labels: Sequence[Labelled], deff: float | None = None
    ) -> None:
        import numpy as np

        self.model = Model(parts)
        three = self.model.three or any(p.verdict == "not_applicable" for p in later)
        self.model.three = three
        self.kinds = JUDGED if three else JUDGED[:2]
        self.unseen = tuple(v for v in self.kinds if all(p.verdict != v for p in self.model.parts))
        verdicts = [p.verdict for p in self.model.parts] + list(self.unseen)
        self.rows = np.array([[float(v == kind) for v in verdicts] for kind in self.kinds])
        self.later = np.array([sum(p.n_population for p in later if p.verdict == k) for k in self.kinds], dtype=float)
        self.deff = error_design_effect(parts, labels) if deff is None else deff

    def _solve(self, shares: np.ndarray, chances: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rates, not cut off, and the determinants: for two kinds (q + Sp - 1) / (Se + Sp - 1) and Se + Sp - 1."""
        import numpy as np

        k = len(self.kinds)
        joint = np.einsum("jh,dhy->djy", self.rows, shares[:, :, None] * chances[:, :, :k])
        truth = joint.sum(axis=1, keepdims=True)
        table = np.divide(joint, truth, out=np.zeros_like(joint), where=truth > 0)
        apart = np.linalg.det(table)
        usable = np.abs(apart) > 1e-9
        table[~usable] = np.eye(k)
        found = np.linalg.solve(table, seen[:, :, None])[:, :, 0]
        applicable = found[:, 0] + found[:, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(applicable > 0, found[:, 0] / applicable, 0.5)
        return np.where(usable, rate, 0.5), apart

    def point(self) -> float:
        return min(1.0, max(0.0, self.uncut()))

    def bounds(self, seed: int, draws: int, *, at_zero: bool) -> tuple[float, float]:
        """What still holds where false alarms are fewer than they were (`at_zero`), or misses: flags of what has it are
        some of all flags, so θ Se ≤ q, and likewise (1 - θ) Sp ≤ 1 - q. By 95 % bounds of both, two kinds alone.
        """
        import numpy as np

        shares, chances = self.model.draw(seed, draws)
        ratio = SENSITIVITY if at_zero else SPECIFICITY
        masks = self.model.mask(ratio.above), self.model.mask(ratio.below)
        least = float(np.quantile(self.model.ends(ratio, shares, chances, masks, self.deff), 0.025))
        n, of = int(self.later[0 if at_zero else 1]), int(self.later.sum())
        most = min(1.0, jeffreys(n, of)[1] / max(least, 1e-9))
        return (0.0, most) if at_zero else (1.0 - most, 1.0)

    def uncut(self) -> float:
        """The rate by the formula: below 0 or above 1 where the verdicts cannot come from these errors."""
        import numpy as np

        extra = len(self.unseen)
        shares = np.append(self.model.size / self.model.n, np.zeros(extra))[None]
        chances = np.vstack([self.model.chances(), np.zeros((extra, 3))])[None]
        return float(self._solve(shares, chances, (self.later / self.later.sum())[None])[0][0])

    def drawn(self, seed: int, draws: int, *, without: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draws; `without` a truth (0 fires, 1 clean) in the strata in which no label shows it, as `_three_kinds` has
        it for either end.
        """
        import numpy as np

        shares, chances = self.model.draw(seed, draws, unseen=self.unseen)
        if without is not None:
            shown = np.append(self.model.counts[:, without] > 0, np.zeros(len(self.unseen), dtype=bool))
            chances[:, ~shown, without] = 0
            chances /= np.maximum(chances.sum(axis=2, keepdims=True), 1e-300)
        seen = np.random.default_rng([seed, 1]).dirichlet(self.later + 0.5, draws)
        rate, apart = self._solve(shares, chances, seen)
        rate = np.clip(rate, 0, 1)
        if self.deff > 1:
            point = self.point()
            rate = np.clip(point + sqrt(self.deff) * (rate - point), 0, 1)
        return rate, apart


def error_design_effect(parts: Sequence[Part], labels: Sequence[Labelled]) -> float:
    """The larger of the design effects of sensitivity and specificity: what `carried_over` is widened by."""
    model = Model(parts)
    return max(model.design_effect(ratio, labels) for ratio in (SENSITIVITY, SPECIFICITY))


def carried_over(
    parts: Sequence[Part], later: Sequence[Part], labels: Sequence[Labelled] = (), *, seed: int, draws: int = DRAWS,
    design_effect: float | None = None,
) -> Figure:  # fmt: skip
    """The rate in a `later` frame from its verdicts, the judge and its errors being as they were.

    (W, p) are drawn from the old frame → Se, Sp → θ = (q + Sp - 1) / (Se + Sp - 1), clipped to [0, 1] (Rogan & Gladen
    1978, Am. J. Epidemiol. 107:71), the new shares of verdicts ~ Dirichlet(N + ½). With "not applicable" the same with
    three kinds: the table P(verdict | truth) is inverted. Refused where its determinant, Se + Sp - 1 for two kinds, is
    above 0 in fewer than 97.5 % of the draws. A point that is clipped says so; where nearly all draws are, the errors
    are not what they were, and only what the flags alone allow is told: θ Se ≤ q. Later conversations without a verdict
    are taken to be like the others. `design_effect`: the `error_design_effect` that was kept, where the labels are not
    at hand.
    """
    old = Model(parts)
    n, of = old.counted(SENSITIVITY.below), old.counted(PREVALENCE.below)
    if reason := _lacking(old):
        return undefined(reason, CARRIED, n=n, of=of)
    carried = _Carried(parts, later, labels, design_effect)
    if not carried.later.sum():
        return undefined(N_("The later frame has no conversation with a verdict."), CARRIED, n=n, of=of)
    _, apart = carried.drawn(seed, draws)
    import numpy as np

    if np.mean(apart > 0) < 0.975:
        return undefined(NOT_APART, CARRIED, n=n, of=of)
    low = float(np.quantile(carried.drawn(seed, draws, without=0)[0], 0.025))
    high = float(np.quantile(carried.drawn(seed, draws, without=1)[0], 0.975))
    point = carried.point()
    if high <= 0 or low >= 1:
        if old.three or carried.model.three:
            return undefined(CHANGED, CARRIED, n=n, of=of)
        low, high = carried.bounds(seed, draws, at_zero=high <= 0)
        return Figure(point, min(low, point), max(high, point), n, of, CARRIED, CHANGED)
    cut = CUT if not -1e-9 <= carried.uncut() <= 1 + 1e-9 else ""
    return Figure(point, min(low, point), max(high, point), n, of, CARRIED, cut)


def _either(texts: Sequence[str]) -> str:
    first, *rest = texts
    return N_("{told} or {told_other}").format(told=first, told_other=_either(rest)) if rest else first


def unlabelled(model: Model) -> str:
    """Which verdict nobody labelled, "" when all have labels."""
    if not model.labelled.sum():
        return NO_LABELS
    for part in model.parts:
        if part.verdict != "missing" and not part.n_labelled:
            return NOBODY_LABELLED.format(told_part=part, n=f"{part.n_population:,}")
    return ""


def _lacking(model: Model) -> str:
    """Why the judge's errors are not known, "" when they are."""
    if missing := unlabelled(model):
        return missing
    if not model.counted(SENSITIVITY.below):
        return NO_POSITIVE
    return "" if model.counted(SPECIFICITY.below) else NO_NEGATIVE


def difference(first: Frame, second: Frame, *, seed: int, draws: int = DRAWS) -> Figure:
    """The rate of `second` less that of `first`, each under its own calibration; percentiles of independent draws.

    Raw rates under two rubric versions differ by what the judge's errors differ, not only by what changed.
    """
    method = "difference of two calibrated frames, by draws"
    rates = [first.rate(seed=seed, draws=draws), second.rate(seed=seed, draws=draws)]
    for rate in rates:
        if rate.point is None:
            return undefined(rate.reason, method, of=rate.of)
    before, after = (rate.point or 0.0 for rate in rates)
    import numpy as np

    drawn = second.draws(seed=seed + 1, draws=draws) - first.draws(seed=seed, draws=draws)
    low, high = (float(x) for x in np.quantile(drawn, [0.025, 0.975]))
    point = after - before
    return Figure(point, min(low, point), max(high, point), rates[1].n, rates[1].of, method, rates[1].reason)
