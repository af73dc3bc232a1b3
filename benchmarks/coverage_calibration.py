"""How often the intervals of calibration hold the truth, and how fast they are.

27 settings (the code is true of 2, 5 or 20 %; judges of sensitivity and specificity .7/.95, .9/.98, .6/.9; 100, 200 or
400 labels) of 5,000 conversations, each by five designs: a simple random sample, one with 30 % of judge-positives,
contacts of three conversations that are sampled whole, codes that are not applicable to some, and a later frame in
which the code is more frequent. Conversations are drawn anew each time: the truth is the rate of the process.

The bar: each figure is covered in .935 of each setting, .945 on average, within a design. Beside it stands what must be
seen to fail: the interval without the share term V_W, where shares are what is not known. The judge's errors are told
for settings in which labels hold 20 positives or more on average, since with fewer than 15 it is not calibrated.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from workload import ROOT

sys.path.insert(0, str(ROOT))

from grader.statistics.accuracy import accuracy, calibrate
from grader.statistics.corrected import carried_over, corrected_rate, mover
from grader.statistics.figure import Figure
from grader.statistics.frame import TRUTHS, Labelled, Model, Part, Stratum, Verdict, parts_of

LEAST, MEAN = 0.935, 0.945
N = 5_000
PER_CONTACT = 3
CORRELATION = 0.5
NOT_APPLICABLE = 0.3  # of conversations, in the design that has them
PREVALENCES = (0.02, 0.05, 0.20)
JUDGES = ((0.7, 0.95), (0.9, 0.98), (0.6, 0.9))
SIZES = (100, 200, 400)
ENOUGH = 20


@dataclass(frozen=True)
class Setting:
    """A prevalence, a judge, a number of labels."""

    prevalence: float
    sensitivity: float
    specificity: float
    n_labels: int

    def __str__(self) -> str:
        return f"{self.prevalence:4.0%}  .{self.sensitivity * 100:.0f}/.{self.specificity * 100:.0f}  {self.n_labels:4}"


SETTINGS = [Setting(p, *judge, n) for p, judge, n in product(PREVALENCES, JUDGES, SIZES)]


def verdicts(rng: np.random.Generator, s: Setting, y: np.ndarray) -> np.ndarray:
    """0 fires, 1 clean, 2 not applicable, for truths in the same numbers. Of the last, one in ten is missed."""
    fires = rng.random(len(y)) < np.where(y == 0, s.sensitivity, 1 - s.specificity)
    found = np.where(fires, 0, 1)
    other = y == 2
    answers = np.where(rng.random(len(y)) < 0.9, 2, np.where(rng.random(len(y)) < 0.1, 0, 1))
    found[other] = answers[other]
    return found


def truths(rng: np.random.Generator, prevalence: float, *, not_applicable: float = 0.0) -> np.ndarray:
    y = np.where(rng.random(N) < prevalence, 0, 1)
    if not_applicable:
        y[rng.random(N) < not_applicable] = 2
    return y


def by_verdict(j: np.ndarray, y: np.ndarray, chosen: np.ndarray) -> list[Part]:
    kinds: tuple[Verdict, ...] = ("fires", "clean", "not_applicable")
    found = []
    for number, kind in enumerate(kinds):
        mine = j == number
        if mine.any():
            labels = np.bincount(y[chosen][mine[chosen]], minlength=3)
            found.append(Part(kind, int(mine.sum()), int(labels[0]), int(labels[1]), int(labels[2])))
    return found


def simple(rng: np.random.Generator, s: Setting) -> tuple[list[Part], list[Labelled]]:
    y = truths(rng, s.prevalence)
    j = verdicts(rng, s, y)
    return by_verdict(j, y, rng.choice(N, s.n_labels, replace=False)), []


def chosen_by_verdict(rng: np.random.Generator, j: np.ndarray, n_labels: int, share: float = 0.3) -> np.ndarray:
    positive, negative = np.flatnonzero(j == 0), np.flatnonzero(j != 0)
    n = min(len(positive), round(share * n_labels))
    return np.concatenate([
        rng.choice(positive, n, replace=False), rng.choice(negative, n_labels - n, replace=False)
    ])  # fmt: skip


def stratified(rng: np.random.Generator, s: Setting) -> tuple[list[Part], list[Labelled]]:
    y = truths(rng, s.prevalence)
    j = verdicts(rng, s, y)
    return by_verdict(j, y, chosen_by_verdict(rng, j, s.n_labels)), []


def clustered(rng: np.random.Generator, s: Setting) -> tuple[list[Part], list[Labelled]]:
    """Truths of a contact go together (beta-binomial); whole contacts are drawn."""
    contacts = N // PER_CONTACT
    scale = 1 / CORRELATION - 1
    chance = rng.beta(s.prevalence * scale, (1 - s.prevalence) * scale, contacts)
    y = np.where(rng.random((contacts, PER_CONTACT)) < chance[:, None], 0, 1).ravel()
    j = verdicts(rng, s, y)
    who = np.repeat(np.arange(contacts), PER_CONTACT)
    drawn = rng.choice(contacts, s.n_labels // PER_CONTACT, replace=False)
    chosen = np.flatnonzero(np.isin(who, drawn))
    names: tuple[Stratum, Stratum] = (("fires", ""), ("clean", ""))
    labels = [Labelled(names[j[i]], TRUTHS[y[i]], str(who[i])) for i in chosen]
    return list(parts_of({name: int((j == k).sum()) for k, name in enumerate(names)}, labels)), labels


def not_applicable(rng: np.random.Generator, s: Setting) -> tuple[list[Part], list[Labelled]]:
    y = truths(rng, s.prevalence, not_applicable=NOT_APPLICABLE)
    j = verdicts(rng, s, y)
    return by_verdict(j, y, chosen_by_verdict(rng, j, s.n_labels)), []


Draw = Callable[[np.random.Generator, Setting], tuple[list[Part], list[Labelled]]]
DESIGNS: dict[str, Draw] = {
    "simple random": simple, "30 % judge-positive": stratified, "clustered": clustered,
    "not applicable": not_applicable,
}  # fmt: skip


def later_prevalence(s: Setting) -> float:
    return s.prevalence * (2 if s.prevalence > 0.1 else 2.5)


@dataclass
class Tally:
    """How often the truth was held, by how wide an interval, about which point on average; refused ones apart."""

    hits: int = 0
    n: int = 0
    refused: int = 0
    width: float = 0.0
    points: float = 0.0

    def add(self, found: Figure, truth: float) -> None:
        if found.low is None or found.high is None or found.point is None:
            self.refused += 1
            return
        self.hits += found.low <= truth <= found.high
        self.n += 1
        self.width += found.high - found.low
        self.points += found.point

    @property
    def coverage(self) -> float:
        return self.hits / self.n if self.n else 1.0

    @property
    def mean(self) -> float:
        """The mean of the points."""
        return self.points / max(1, self.n)


def rates(design: str, s: Setting, repeats: int, draws: int, seed: int) -> Tally:
    """The corrected rate of one design in one setting."""
    rng = np.random.default_rng([seed, *SEED_OF[design], *place(s)])
    tally = Tally()
    for repeat in range(repeats):
        if design == "transport":
            parts, _ = stratified(rng, s)
            j = verdicts(rng, s, truths(rng, later_prevalence(s)))
            later = [Part("fires", int((j == 0).sum()), 0, 0), Part("clean", int((j == 1).sum()), 0, 0)]
            tally.add(carried_over(parts, later, seed=repeat, draws=draws), later_prevalence(s))
        else:
            parts, labels = DESIGNS[design](rng, s)
            tally.add(corrected_rate(parts, labels, seed=repeat, draws=draws), s.prevalence)
    return tally


SEED_OF = {name: (i,) for i, name in enumerate([*DESIGNS, "transport", "without the share term", "errors"])}


def place(s: Setting) -> tuple[int, int, int]:
    return round(s.prevalence * 1000), round(s.sensitivity * 1000), s.n_labels


def without_share_term(s: Setting, repeats: int, seed: int, n_population: int = 1_000) -> tuple[float, float]:
    """Coverage with V_W and without, where 400 labels of 1,000 conversations leave little else unknown."""
    rng = np.random.default_rng([seed, *SEED_OF["without the share term"], *place(s)])
    held = dropped = 0
    for _ in range(repeats):
        y = np.where(rng.random(n_population) < s.prevalence, 0, 1)
        j = verdicts(rng, s, y)
        model = Model(by_verdict(j, y, rng.choice(n_population, s.n_labels, replace=False)))
        point = float(model.size @ model.chances()[:, 0]) / model.n
        for with_shares in (True, False):
            down, up = mover(model, with_shares=with_shares)
            inside = point - down <= s.prevalence <= point + up
            held, dropped = held + (inside and with_shares), dropped + (inside and not with_shares)
    return held / repeats, dropped / repeats


def process(design: str, s: Setting) -> np.ndarray:
    """The chance of each verdict (fires, clean, not applicable) with each truth."""
    p = s.prevalence
    found = np.zeros((3, 3))
    found[0, :2] = p * s.sensitivity, (1 - p) * (1 - s.specificity)
    found[1, :2] = p * (1 - s.sensitivity), (1 - p) * s.specificity
    if design == "not applicable":
        found *= 1 - NOT_APPLICABLE
        found[:, 2] = NOT_APPLICABLE * np.array([0.01, 0.09, 0.9])
    return found


def expected_positives(design: str, s: Setting) -> float:
    """Labels that are true, on average."""
    both = process(design, s)
    if design in ("simple random", "clustered"):
        return float(both[:, 0].sum()) * s.n_labels
    q = both[0].sum()
    n = min(N * q, 0.3 * s.n_labels)
    return float(n * both[0, 0] / q + (s.n_labels - n) * both[1:, 0].sum() / (1 - q))


def true_errors(both: np.ndarray) -> dict[str, float]:
    """The judge's errors in a process."""
    truth, verdict = both.sum(axis=0), both.sum(axis=1)
    se, sp = both[0, 0] / truth[0], both[1:, 1].sum() / truth[1]
    agreed, by_chance = np.trace(both), truth @ verdict
    return {
        "sensitivity": se, "specificity": sp, "positive_value": both[0, 0] / verdict[0],
        "negative_value": both[1, 1:].sum() / verdict[1], "youden": se + sp - 1,
        "kappa": (agreed - by_chance) / (1 - by_chance),
    }  # fmt: skip


def errors(design: str, s: Setting, repeats: int, draws: int, seed: int) -> dict[str, Tally]:
    """Of the judge's errors, against what they are in the process."""
    rng = np.random.default_rng([seed, *SEED_OF["errors"], *SEED_OF[design], *place(s)])
    found: dict[str, Tally] = defaultdict(Tally)
    truth = true_errors(process(design, s))
    for repeat in range(repeats):
        parts, labels = DESIGNS[design](rng, s)
        all_ = accuracy(parts, labels, seed=repeat, draws=draws)
        for name, value in truth.items():
            found[name].add(getattr(all_, name), value)
    return found


def speed() -> float:
    """Seconds for all figures of 30 codes, 20,000 verdicts and 500 labels each, contacts with several."""
    rng = np.random.default_rng(1)
    jobs = []
    for _ in range(30):
        y = np.where(rng.random(20_000) < 0.05, 0, np.where(rng.random(20_000) < 0.2, 2, 1))
        j = verdicts(rng, Setting(0.05, 0.8, 0.95, 500), y)
        chosen = chosen_by_verdict(rng, j, 500)
        names: list[Stratum] = [("fires", ""), ("clean", ""), ("not_applicable", "")]
        labels = [Labelled(names[j[i]], TRUTHS[y[i]], str(rng.integers(400))) for i in chosen]
        jobs.append((parts_of({name: int((j == k).sum()) for k, name in enumerate(names)}, labels), labels))
    began = time.perf_counter()
    for parts, labels in jobs:
        calibrate(parts, labels, simple_random=False, seed=1)
    return time.perf_counter() - began


def table(args: argparse.Namespace) -> Iterator[str]:
    """Every row; yields what did not meet the bar."""
    names: list[str] = args.designs
    print(f"{args.repeats} repetitions, {args.draws} draws where by draws; coverage and (width in points)")
    print("true  judge   labels" + "".join(f"{name:>24}" for name in names))
    all_: dict[str, list[float]] = defaultdict(list)
    for s in SETTINGS:
        row = f"{s}  "
        for name in names:
            tally = rates(name, s, args.repeats, args.draws, args.seed)
            all_[name].append(tally.coverage)
            refused = f" -{tally.refused}" if tally.refused else ""
            mark = "<" if tally.coverage < LEAST else " "
            row += f"{tally.coverage:10.4f}{mark} ({100 * tally.width / max(1, tally.n):4.1f}){refused:>6}"
            if tally.coverage < LEAST:
                yield f"{name}, {s}: {tally.coverage:.4f} < {LEAST}"
        print(row, flush=True)
    for name in names:
        mean, least = sum(all_[name]) / len(all_[name]), min(all_[name])
        print(f"{name:24} mean {mean:.4f}, least {least:.4f}")
        if mean < MEAN:
            yield f"{name}: mean {mean:.4f} < {MEAN}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2_000)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--designs", nargs="+", default=[*DESIGNS, "transport"])
    parser.add_argument("--only-rates", action="store_true", help="the 27 settings and nothing else")
    args = parser.parse_args()
    missed = list(table(args))
    if args.only_rates:
        print(*missed or ["met"], sep="\n")
        return 1 if missed else 0
    print(f"\nThe judge's errors, labels with {ENOUGH} positives or more on average: mean coverage (and least)")
    for design in DESIGNS:
        by_name: dict[str, list[float]] = defaultdict(list)
        for s in (s for s in SETTINGS if expected_positives(design, s) >= ENOUGH):
            for what, tally in errors(design, s, args.repeats, args.draws, args.seed).items():
                by_name[what].append(tally.coverage)
                if tally.coverage < LEAST:
                    missed.append(f"{design}, {s}, {what}: {tally.coverage:.4f} < {LEAST}")
        missed += [f"{design}, {k}: mean {sum(v) / len(v):.4f}" for k, v in by_name.items() if sum(v) < MEAN * len(v)]
        told = ", ".join(f"{k} {sum(v) / len(v):.4f} ({min(v):.4f})" for k, v in by_name.items())
        print(f"{design:24} {told}", flush=True)
    held, dropped = without_share_term(Setting(0.2, 0.9, 0.98, 400), 2 * args.repeats, args.seed)
    print(f"\n400 labels of 1,000 conversations: {held:.4f} with the share term, {dropped:.4f} without")
    if held < LEAST or dropped >= LEAST:
        missed.append("the share term does not show")
    seconds = speed()
    print(f"30 codes × 20,000 verdicts × 500 labels, all intervals: {seconds:.1f} s")
    if seconds > 10:
        missed.append(f"{seconds:.1f} s > 10 s")
    print(*missed, "NOT met" if missed else f"at least {LEAST} in each, {MEAN} on average: met", sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
