"""How often the intervals hold the truth where labels come from a label plan, as `grader label plan` draws it.

Ten codes that are true of 1 to 20 % of 5,000 conversations, more often together than by chance; a judge whose errors go
together too; codes that do not apply to some, flags without proof, what cannot be assessed, and conversations that
were never judged. The plan's strata and draw are the real ones (25 % of the places for what is
flagged), and so are the cells of a code: verdict and stratum, collapsed. The truth is the rate of the process.

The bar is that of `coverage_calibration.py`: .935 of each code in each setting, .945 on average. The judge's errors are
held to it where the labels of a code have 20 positives or more on average.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from coverage_calibration import ENOUGH, LEAST, MEAN, NOT_APPLICABLE, N, Setting, Tally, process, true_errors
from scipy.stats import norm
from workload import ROOT

sys.path.insert(0, str(ROOT))

from grader.calibration.held import Code
from grader.labelling.design import UNSUPPORTED, Asked, Member, draw, strata
from grader.model import Answer
from grader.statistics.accuracy import accuracy
from grader.statistics.corrected import corrected_rate
from grader.statistics.frame import TRUTHS, Labelled, Part, Stratum, collapsed, parts_of

PREVALENCES = (0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2)
TOGETHER, ERRORS_TOGETHER = 0.5, 0.3  # correlations behind truths, and behind the judge's errors
WITHOUT = {3, 8}  # codes that do not apply to NOT_APPLICABLE of the conversations
UNPROVED = {4: 0.1, 7: 0.1}  # of the flags of these codes, how many have no proof
CANNOT_ASSESS = {5: 0.05}  # of the conversations, where this code cannot be assessed
NOT_JUDGED = 0.01  # of the conversations
POSITIVES = 0.25
JUDGES = ((0.7, 0.95), (0.9, 0.98))
SIZES = (100, 200, 400)

IDS = [f"conversation {i}" for i in range(N)]
ASKED = [Asked(f"bench.code_{i}", is_choice=False) for i in range(len(PREVALENCES))]
CODES = [Code("bench", f"code_{i}", None, "", "") for i in range(len(PREVALENCES))]
ANSWERS = np.array([Answer.PRESENT.value, Answer.ABSENT.value, Answer.NOT_APPLICABLE.value], dtype=object)


@dataclass(frozen=True)
class Cells:
    """A code's cells with their labels, as a calibration has them."""

    parts: tuple[Part, ...]
    labels: tuple[Labelled, ...]


def together(rng: np.random.Generator, correlation: float) -> np.ndarray:
    """Normal numbers by conversation and code, which go together within a conversation."""
    shared, own = rng.standard_normal((N, 1)), rng.standard_normal((N, len(CODES)))
    found: np.ndarray = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    return found


def judged(rng: np.random.Generator, sensitivity: float, specificity: float) -> tuple[np.ndarray, np.ndarray]:
    """Truths (0 fires, 1 clean, 2 not applicable) and answers, by conversation and code."""
    y = np.where(together(rng, TOGETHER) > norm.ppf(1 - np.array(PREVALENCES)), 0, 1)
    for code in WITHOUT:
        y[rng.random(N) < NOT_APPLICABLE, code] = 2
    luck = norm.cdf(together(rng, ERRORS_TOGETHER))
    j = np.where(np.where(y == 0, luck > 1 - sensitivity, luck > specificity), 0, 1)
    missed = np.where(rng.random(y.shape) < 0.1, 0, 1)
    j = np.where(y == 2, np.where(rng.random(y.shape) < 0.9, 2, missed), j)
    answers = ANSWERS[j]
    for code, share in UNPROVED.items():
        answers[(rng.random(N) < share) & (j[:, code] == 0), code] = UNSUPPORTED
    for code, share in CANNOT_ASSESS.items():
        answers[rng.random(N) < share, code] = Answer.CANNOT_ASSESS.value
    answers[rng.random(N) < NOT_JUDGED] = None
    return y, answers


def planned(
    rng: np.random.Generator, judge: tuple[float, float], n_labels: int, seed: int, *, collapse: bool = True
) -> list[Cells]:
    """The cells of each code, from one plan."""
    y, answers = judged(rng, *judge)
    members = [Member(i, "", None, tuple(row)) for i, row in zip(IDS, answers.tolist(), strict=True)]
    stratum = strata(members, ASKED)
    chosen = {d.conversation_id for d in draw(stratum, n_labels, seed, POSITIVES).draws}
    rows = [n for n, i in enumerate(IDS) if i in chosen]
    names = [stratum[i] for i in IDS]
    found = []
    for number, code in enumerate(CODES):
        given = list(zip(answers[:, number].tolist(), names, strict=True))
        counted = Counter(given)
        cell: dict[tuple[str | None, str], Stratum] = {}
        for answer, name in counted:
            verdict, why = code.verdict(answer)
            cell[answer, name] = verdict, f"{why}, {name}" if why else name
        population: Counter[Stratum] = Counter()
        for key, n in counted.items():
            population[cell[key]] += n
        labels = tuple(Labelled(cell[given[n]], TRUTHS[y[n, number]]) for n in rows)
        parts = parts_of(dict(sorted(population.items())), labels)
        found.append(Cells(*collapsed(parts, labels)) if collapse else Cells(parts, labels))
    return found


def truth_of(number: int, judge: tuple[float, float]) -> dict[str, float]:
    """What is true of a code and of the judge on it."""
    design = "not applicable" if number in WITHOUT else "simple random"
    both = process(design, Setting(PREVALENCES[number], *judge, 0))
    unproved = both[0] * UNPROVED.get(number, 0.0)
    both[0] -= unproved
    both[1] += unproved
    return {"corrected": PREVALENCES[number], **true_errors(both)}


def coverage(
    judge: tuple[float, float], n_labels: int, repeats: int, draws: int, seed: int, *, collapse: bool = True,
    errors: bool = True,
) -> tuple[list[dict[str, Tally]], list[float]]:  # fmt: skip
    """By code: the tallies of its figures, and how many human-positive labels it has on average."""
    rng = np.random.default_rng([seed, round(judge[0] * 1000), n_labels])
    tallies: list[dict[str, Tally]] = [defaultdict(Tally) for _ in CODES]
    positives = [0.0] * len(CODES)
    truths = [truth_of(number, judge) for number in range(len(CODES))]
    for repeat in range(repeats):
        for number, cells in enumerate(planned(rng, judge, n_labels, repeat, collapse=collapse)):
            truth, tally = truths[number], tallies[number]
            positives[number] += sum(p.n_fires for p in cells.parts) / repeats
            tally["corrected"].add(corrected_rate(cells.parts, seed=repeat, draws=draws), truth["corrected"])
            if errors:
                all_ = accuracy(cells.parts, seed=repeat, draws=draws)
                for name in list(truth)[1:]:
                    tally[name].add(getattr(all_, name), truth[name])
    return tallies, positives


def table(args: argparse.Namespace) -> Iterator[str]:
    """Every row; yields what did not meet the bar."""
    all_: dict[str, list[float]] = defaultdict(list)
    print(f"{args.repeats} repetitions, {args.draws} draws where by draws; coverage and (width in points), by code")
    print("judge   labels" + "".join(f"{p:>13.1%}" for p in PREVALENCES))
    for judge in JUDGES:
        for n_labels in SIZES:
            tallies, positives = coverage(judge, n_labels, args.repeats, args.draws, args.seed)
            rates = [t["corrected"] for t in tallies]
            told = "".join(f"{t.coverage:7.3f} ({100 * t.width / max(1, t.n):3.1f})" for t in rates)
            print(f".{judge[0] * 100:.0f}/.{judge[1] * 100:.0f}  {n_labels:4}{told}", flush=True)
            for p, of_code, n_positive in zip(PREVALENCES, tallies, positives, strict=True):
                for name, tally in of_code.items():
                    if name != "corrected" and n_positive < ENOUGH:
                        continue
                    all_[name].append(tally.coverage)
                    if tally.coverage < LEAST:
                        yield f"{name} of {p:.1%}, {judge}, {n_labels} labels: {tally.coverage:.4f} < {LEAST}"
    for name, held in all_.items():
        print(f"{name:16} mean {sum(held) / len(held):.4f}, least {min(held):.4f} of {len(held)}")
        if sum(held) < MEAN * len(held):
            yield f"{name}: mean {sum(held) / len(held):.4f} < {MEAN}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1_000)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    missed = list(table(parser.parse_args()))
    print(*missed, "NOT met" if missed else f"at least {LEAST} in each, {MEAN} on average: met", sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
