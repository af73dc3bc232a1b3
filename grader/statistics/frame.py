"""A frame: conversations in strata by the judge's verdict, and the labels that were drawn from each.

Every figure of the judge against the reference is a ratio of two sums over strata, Σ W_h Σ_y a_hy P_hy over the same
with b_hy: W_h the share of stratum h, known by counting, P_hy the chance that its truth is y, known by labels. This
module has the strata, the ratios, and the draws of W and P that every interval but one is made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Verdict = Literal["fires", "clean", "not_applicable", "missing"]
Truth = Literal["fires", "clean", "not_applicable"]
TRUTHS: tuple[Truth, ...] = ("fires", "clean", "not_applicable")
JUDGED: tuple[Verdict, ...] = ("fires", "clean", "not_applicable")
FEWEST_LABELS = 10
FEWEST_IN_STRATUM = 5
DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class Part:
    """Conversations of one verdict (and of one queue, reason, … where `name` says so), and what their labels say.

    `verdict` "missing" is for what the judge did not answer: an error, a refusal, evidence that did not hold. It is
    never left out. A label that a reviewer skipped is none: it is not counted among the three.
    """

    verdict: Verdict
    n_population: int
    n_fires: int
    n_clean: int
    n_not_applicable: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        counts = (self.n_fires, self.n_clean, self.n_not_applicable)
        if min(counts) < 0 or sum(counts) > self.n_population:
            raise ValueError(f"no stratum of counts: {self}")

    @property
    def n_labelled(self) -> int:
        """Labels drawn from it."""
        return self.n_fires + self.n_clean + self.n_not_applicable

    def __str__(self) -> str:
        said = {
            "fires": "judged to have it", "clean": "judged clean", "not_applicable": "judged not applicable",
            "missing": "without a verdict",
        }[self.verdict]  # fmt: skip
        return f"{said} ({self.name})" if self.name else said


Stratum = tuple[Verdict, str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label: the stratum that the conversation was drawn from, the adjudicated answer, and whose contact it was.

    `contact` None is a contact of its own.
    """

    stratum: Stratum
    truth: Truth
    contact: str | None = None


def parts_of(population: Mapping[Stratum, int], labels: Sequence[Labelled]) -> tuple[Part, ...]:
    """The strata with their labels counted; strata without conversations are left out."""
    seen = Counter((label.stratum, label.truth) for label in labels)
    if unknown := {stratum for stratum, _ in seen} - set(population):
        raise ValueError(f"labels of strata that the frame does not have: {sorted(unknown)}")
    return tuple(
        Part(stratum[0], n, seen[stratum, "fires"], seen[stratum, "clean"], seen[stratum, "not_applicable"], stratum[1])
        for stratum, n in population.items() if n
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ratio:
    """What of what: for each verdict, which truths stand above and which below the line."""

    above: Mapping[Verdict, str]
    below: Mapping[Verdict, str]


_ALL: tuple[Verdict, ...] = (*JUDGED, "missing")
PREVALENCE = Ratio(dict.fromkeys(_ALL, "f"), dict.fromkeys(_ALL, "fc"))
SENSITIVITY = Ratio({"fires": "f"}, dict.fromkeys(JUDGED, "f"))
SPECIFICITY = Ratio({"clean": "c", "not_applicable": "c"}, dict.fromkeys(JUDGED, "c"))
POSITIVE_VALUE = Ratio({"fires": "f"}, {"fires": "fcn"})
NEGATIVE_VALUE = Ratio({"clean": "cn"}, {"clean": "fcn"})


class Model:
    """The strata as arrays. Without any not-applicable label or verdict, the third truth has no chance at all."""

    def __init__(self, parts: Sequence[Part]) -> None:
        import numpy as np

        self.parts = tuple(p for p in parts if p.n_population)
        if not self.parts:
            raise ValueError("a frame without conversations")
        self.three = any(p.n_not_applicable or p.verdict == "not_applicable" for p in self.parts)
        self.size = np.array([p.n_population for p in self.parts], dtype=float)
        self.counts = np.array([(p.n_fires, p.n_clean, p.n_not_applicable) for p in self.parts], dtype=float)
        self.labelled = self.counts.sum(axis=1)
        self.n = float(self.size.sum())

    def mask(self, which: Mapping[Verdict, str]) -> np.ndarray:
        """1 where a truth of a stratum counts."""
        import numpy as np

        rows = [[float(letter in which.get(p.verdict, "")) for letter in "fcn"] for p in self.parts]
        return np.array(rows)

    def chances(self) -> np.ndarray:
        """P by stratum as the labels have it; even chances where there is no label."""
        import numpy as np

        even = np.array([1 / 3, 1 / 3, 1 / 3] if self.three else [0.5, 0.5, 0.0])
        n = self.labelled[:, None]
        found: np.ndarray = np.where(n > 0, self.counts / np.maximum(n, 1), even)
        return found

    def draw(self, seed: int, draws: int, *, unseen: Sequence[Verdict] = ()) -> tuple[np.ndarray, np.ndarray]:
        """Draws of W ~ Dirichlet(N_h + ½) and of P: Beta(k + ½, n - k + ½), with a third truth Dirichlet(k + ⅓).

        For each verdict in `unseen` a stratum of no conversation and no label is appended: what a judge has never said,
        it may say.
        """
        import numpy as np

        rng = np.random.default_rng(seed)
        extra = len(unseen)
        shares = rng.dirichlet([*(self.size + 0.5), *[0.5] * extra], draws)
        counts = np.vstack([self.counts, np.zeros((extra, 3))])
        found = np.zeros((draws, len(counts), 3))
        for h, row in enumerate(counts):
            if self.three:
                found[:, h] = rng.dirichlet(row + 1 / 3, draws)
            else:
                found[:, h, 0] = rng.beta(row[0] + 0.5, row[1] + 0.5, draws)
                found[:, h, 1] = 1 - found[:, h, 0]
        return shares, found

    def counted(self, which: Mapping[Verdict, str]) -> int:
        """Labels that count, without weights."""
        return int((self.mask(which) * self.counts).sum())

    def point(self, ratio: Ratio) -> float | None:
        """The ratio as the labels have it, None where there is nothing below the line."""
        weighted = self.size[:, None] * self.chances()
        below = float((weighted * self.mask(ratio.below)).sum())
        return float((weighted * self.mask(ratio.above)).sum()) / below if below else None

    def design_effect(self, ratio: Ratio, labels: Sequence[Labelled]) -> float:
        """By how much intervals squared are wider since contacts have several labels each, at least 1.

        The ratio R is linearised: z_i = W_h (e_i - mean of e in h) / n_h, e = a - R b, and u are its sums by contact:
        G / (G - 1) Σ u² / Σ z² (Särndal, Swensson & Wretman 1992, 5.5; Kish 1965). Two things are ours. The shares of
        strata have an effect of their own, from the means of e in their place, and both are weighed by their variances.
        And few cases say little of how they go together: half a contact is added that has the case in all its labels,
        so that without any case the effect is that of contacts which are all alike, m = Σ m_g² / Σ m_g.
        """
        import numpy as np

        point = self.point(ratio)
        if point is None or not labels:
            return 1.0
        place = {(p.verdict, p.name): h for h, p in enumerate(self.parts)}
        truth = {t: i for i, t in enumerate(TRUTHS)}
        h = np.array([place[label.stratum] for label in labels])
        e = self.mask(ratio.above) - point * self.mask(ratio.below)
        means = (self.chances() * e).sum(axis=1)
        stands_for = self.size / np.maximum(self.labelled, 1)
        z = stands_for[h] * (e[h, [truth[label.truth] for label in labels]] - means[h])
        codes: dict[object, int] = {}
        group = [codes.setdefault((i,) if x.contact is None else x.contact, len(codes)) for i, x in enumerate(labels)]
        sizes = np.bincount(group)
        alike = float((sizes**2).sum() / sizes.sum())
        if len(sizes) < 2 or alike == 1:
            return 1.0

        def effect(of: np.ndarray) -> float:
            total = float(of @ of)
            sums = np.bincount(group, weights=of)
            return max(1.0, len(sizes) / (len(sizes) - 1) * float(sums @ sums) / total) if total > 0 else 1.0

        n, of = self.counted(ratio.above), self.counted(ratio.below)
        added = alike / 2 / max(0.5, min(n, of - n))
        inside, between = (effect(z) + added * alike) / (1 + added), effect(stands_for[h] * means[h])
        by_labels, by_shares = float(z @ z), float(self.size @ means**2)
        total = by_labels + by_shares
        return max(1.0, (inside * by_labels + between * by_shares) / total) if total > 0 else alike

    def ends(
        self, ratio: Ratio, shares: np.ndarray, chances: np.ndarray, masks: tuple[np.ndarray, np.ndarray], deff: float
    ) -> np.ndarray:
        """Draws of the ratio, their distance from the point widened by √deff."""
        import numpy as np

        weighted = shares[:, :, None] * chances
        above = np.einsum("dhy,hy->d", weighted, masks[0])
        below = np.einsum("dhy,hy->d", weighted, masks[1])
        drawn: np.ndarray = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
        point = self.point(ratio)
        if deff > 1 and point is not None:
            drawn = np.clip(point + sqrt(deff) * (drawn - point), 0, 1)
        return drawn


def shortage(parts: Sequence[Part]) -> tuple[str, ...]:
    """Why there are too few labels for a verdict on the judge or a ranking, each with what to do; empty when there are
    enough.
    """
    found = []
    total = sum(p.n_labelled for p in parts)
    if total < FEWEST_LABELS:
        found.append(f"{total} labels in all: with fewer than {FEWEST_LABELS} nothing can be decided.")
    for part in parts:
        wanted = min(FEWEST_IN_STRATUM, part.n_population)
        if part.n_labelled < wanted:
            more = wanted - part.n_labelled
            found.append(
                f"{part.n_labelled} labels of {part.n_population:,} conversations {part}: label {more} more of them."
            )
    return tuple(found)
