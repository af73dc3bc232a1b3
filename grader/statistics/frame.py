"""A frame: conversations in strata by the judge's verdict, and the labels that were drawn from each.

Every figure of the judge against the reference is a ratio of two sums over strata, Σ W_h Σ_y a_hy P_hy over the same
with b_hy: W_h the share of stratum h, known by counting, P_hy the chance that its truth is y, known by labels. This
module has the strata, the ratios, and the draws of W and P that every interval but one is made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Literal

from grader.language import N_

if TYPE_CHECKING:
    import numpy as np

Verdict = Literal["fires", "clean", "not_applicable", "missing"]
Truth = Literal["fires", "clean", "not_applicable"]
TRUTHS: tuple[Truth, ...] = ("fires", "clean", "not_applicable")
JUDGED: tuple[Verdict, ...] = ("fires", "clean", "not_applicable")
FEWEST_LABELS = 10
FEWEST_IN_STRATUM = 5
ALIKE = 1.25  # shares of labelled conversations that differ by no more than this factor
LARGE = 0.1  # of a verdict's conversations: a cell that holds more of them has to have labels of its own
FEW = 0.02  # of the frame
DRAWS = 20_000
LEAN = 0.25  # of a label: half-way from Jeffreys' interval to Clopper and Pearson's


@dataclass(frozen=True, slots=True)
class Part:
    """Conversations of one verdict (and of one queue, reason, … where `name` says so), and what their labels say.

    `verdict` "missing" is for what the judge did not answer: an error, a refusal, evidence that did not hold. It is
    never left out. A label that a reviewer skipped (`n_skipped`) is none: it is not counted among the three, and no
    other can be had in its place.
    """

    verdict: Verdict
    n_population: int
    n_fires: int
    n_clean: int
    n_not_applicable: int = 0
    name: str = ""
    n_skipped: int = 0

    def __post_init__(self) -> None:
        counts = (self.n_fires, self.n_clean, self.n_not_applicable, self.n_skipped)
        if min(counts) < 0 or sum(counts) > self.n_population:
            raise ValueError(f"no stratum of counts: {self}")

    @property
    def n_labelled(self) -> int:
        """Labels drawn from it."""
        return self.n_fires + self.n_clean + self.n_not_applicable

    @property
    def n_assessable(self) -> int:
        """Conversations that have a label, or can get one."""
        return self.n_population - self.n_skipped

    def __str__(self) -> str:
        said = {
            "fires": N_("judged to have it"), "clean": N_("judged clean"),
            "not_applicable": N_("judged not applicable"), "missing": N_("without a verdict"),
        }[self.verdict]  # fmt: skip
        return N_("{told} ({told_name})").format(told=said, told_name=self.name) if self.name else said


Stratum = tuple[Verdict, str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label: the stratum that the conversation was drawn from, the adjudicated answer, and whose contact it was.

    `contact` None is a contact of its own.
    """

    stratum: Stratum
    truth: Truth
    contact: str | None = None


def parts_of(
    population: Mapping[Stratum, int], labels: Sequence[Labelled], skipped: Mapping[Stratum, int] | None = None
) -> tuple[Part, ...]:
    """The strata with their labels counted, and those that were skipped; strata without conversations are left out."""
    without = skipped or {}
    seen = Counter((label.stratum, label.truth) for label in labels)
    if unknown := {stratum for stratum, _ in seen} - set(population):
        raise ValueError(f"labels of strata that the frame does not have: {sorted(unknown)}")
    return tuple(
        Part(
            stratum[0], n, seen[stratum, "fires"], seen[stratum, "clean"], seen[stratum, "not_applicable"], stratum[1],
            without.get(stratum, 0),
        )
        for stratum, n in population.items() if n
    )  # fmt: skip


def collapsed(parts: Sequence[Part], labels: Sequence[Labelled] = ()) -> tuple[tuple[Part, ...], tuple[Labelled, ...]]:
    """Cells of which too little is known are one with others of the same verdict, and labels follow their cell.

    While a cell has fewer than FEWEST_IN_STRATUM labels, and not all of its conversations are labelled, it joins the
    one whose share of labelled conversations is nearest; then cells whose shares are within ALIKE of each other are
    one. No verdict joins another. What is joined is taken to be alike within the verdict, or to be labelled alike: a
    cell that is labelled less than its partner and has the case more often biases the rate downwards, by what their
    rates differ times what its part of the conversations exceeds its part of the labels. Where shares are like, that
    is nothing, which is why the nearest is taken. Collapsed strata: W. G. Cochran (1977), Sampling Techniques, 5A.12;
    C.-E. Särndal, B. Swensson & J. Wretman (1992), Model Assisted Survey Sampling, 3.7.
    """
    found: list[Part] = []
    name_of: dict[Stratum, str] = {}
    for verdict in dict.fromkeys(p.verdict for p in parts):
        mine = sorted((p for p in parts if p.verdict == verdict and p.n_population), key=lambda p: p.name)
        cells = _alike(_without_small([_Cell((p,)) for p in mine]))
        for cell in cells:
            name = cell.name(whole=len(cells) == 1)
            found.append(cell.as_part(name))
            name_of |= {(p.verdict, p.name): name for p in cell.parts}
    moved = (replace(x, stratum=(x.stratum[0], name_of[x.stratum])) for x in labels)
    return tuple(found), tuple(moved)


@dataclass(frozen=True, slots=True)
class _Cell:
    """Parts of one verdict that are taken together."""

    parts: tuple[Part, ...]

    @property
    def n_labelled(self) -> int:
        return sum(p.n_labelled for p in self.parts)

    @property
    def n_population(self) -> int:
        return sum(p.n_population for p in self.parts)

    @property
    def share(self) -> float:
        return self.n_labelled / self.n_population

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parts)

    def join(self, other: _Cell) -> _Cell:
        return _Cell(tuple(sorted((*self.parts, *other.parts), key=lambda p: p.name)))

    def name(self, *, whole: bool) -> str:
        """By the largest of them; `all strata` where no other is left."""
        if len(self.parts) == 1:
            return self.parts[0].name
        if whole:
            return N_("all strata")
        largest, *others = sorted(self.parts, key=lambda p: (-p.n_population, p.name))
        if len(others) == 1:
            return f"{largest.name} + {others[0].name}"
        return N_("{told} + {n} smaller strata").format(told=largest.name, n=len(others))

    def as_part(self, name: str) -> Part:
        fires, clean, other, skipped = (
            sum(column)
            for column in zip(
                *((p.n_fires, p.n_clean, p.n_not_applicable, p.n_skipped) for p in self.parts), strict=True
            )
        )
        return Part(self.parts[0].verdict, self.n_population, fires, clean, other, name, skipped)


def _without_small(cells: list[_Cell]) -> list[_Cell]:
    while len(cells) > 1:
        small = [c for c in cells if c.n_labelled < min(FEWEST_IN_STRATUM, c.n_population)]
        if not small:
            break
        least = min(small, key=lambda c: (c.n_labelled, c.n_population, c.order))
        others = [c for c in cells if c is not least]
        nearest = min(others, key=lambda c: (abs(c.share - least.share), c.order))
        cells = [*(c for c in others if c is not nearest), least.join(nearest)]
    return cells


def _alike(cells: list[_Cell]) -> list[_Cell]:
    """From the least share up, those within ALIKE of the first of them as one."""
    found: list[_Cell] = []
    least = 0.0
    for cell in sorted(cells, key=lambda c: (c.share, c.order)):
        if found and cell.share <= ALIKE * least:
            found[-1] = found[-1].join(cell)
        else:
            found.append(cell)
            least = cell.share
    return found


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
    enough. A verdict needs FEWEST_IN_STRATUM, or all of its conversations; so does a cell that is LARGE in its verdict.
    What could not be judged is let be where it is FEW of the frame: its interval holds all that it may hide.
    """
    found = []
    total, size = (sum(getattr(p, name) for p in parts) for name in ("n_labelled", "n_population"))
    if total < FEWEST_LABELS:
        few = N_("{n} labels in all: with fewer than {least} nothing can be decided.")
        found.append(few.format(n=total, least=FEWEST_LABELS))
    for verdict in dict.fromkeys(p.verdict for p in parts):
        mine = [p for p in parts if p.verdict == verdict]
        whole = _Cell(tuple(mine)).as_part("")
        if verdict == "missing" and whole.n_population < FEW * size:
            continue
        if len(mine) > 1 and (short := _short(whole)):
            found.append(short)
            continue
        found += [short for p in mine if p.n_population > LARGE * whole.n_population and (short := _short(p))]
    return tuple(found)


def _short(part: Part) -> str:
    wanted = max(1, min(FEWEST_IN_STRATUM, part.n_assessable))
    if part.n_labelled >= wanted:
        return ""
    if not part.n_assessable:
        none = N_("Reviewers could not assess any of the {n} conversations {told_part}.")
        return none.format(n=f"{part.n_population:,}", told_part=part)
    more = wanted - part.n_labelled
    one = N_("{n} label of {of} conversations {told_part}: label {more} more of them.")
    many = N_("{n} labels of {of} conversations {told_part}: label {more} more of them.")
    said = one if part.n_labelled == 1 else many
    return said.format(n=part.n_labelled, of=f"{part.n_population:,}", told_part=part, more=more)
