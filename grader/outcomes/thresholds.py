"""Conditions over figures, such as `recontact_rate.high > 0.2`, and what the figures say of them.

Text in, truth out: no command line and no file is known here. What is not known is neither true nor false.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from grader.errors import InputError
from grader.outcomes.changes import Reading, of_estimate, of_readable
from grader.outcomes.metrics import RATES, Metrics
from grader.outcomes.quality import QUALITY, Slice

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_CONDITION = re.compile(r"\s*([a-z_0-9]+)(?:\.([a-z]+))?\s*(>=|<=|==|!=|>|<)\s*([0-9]*\.?[0-9]+)\s*(%?)\s*", re.ASCII)
_PARTS = ("rate", "low", "high", "n", "of")
_MEANS = ("csat_ai", "csat_human")
_NUMBERS: Mapping[str, Callable[[Metrics], float | None]] = {
    "episodes": lambda m: m.n_episodes,
    "first_answer_median_seconds": lambda m: m.first_answer_median,
    "first_answer_p90_seconds": lambda m: m.first_answer_p90,
    "resolution_median_seconds": lambda m: m.resolution_median,
    "resolution_p90_seconds": lambda m: m.resolution_p90,
}
# What a condition may call a rate: as `grader trace` does, or with _rate; and two older names.
_RATE_OF: Mapping[str, str] = {
    **{name: name for name in RATES}, **{f"{name}_rate": name for name in RATES if name != "coverage"},
    "resolution_rate": "ai_resolution",
}  # fmt: skip
_VERDICT_OF: Mapping[str, str] = {**{name: name for name in QUALITY}, **{f"{name}_rate": name for name in QUALITY}}
FIGURES = (*sorted(_RATE_OF), *_MEANS, *sorted(_VERDICT_OF), *_NUMBERS)
TOLD = (*(f"{name}_rate" for name in RATES if name != "coverage"), "coverage", *_MEANS,
        *(f"{name}_rate" for name in QUALITY), *_NUMBERS)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `figure` is its name in `RATES`, `QUALITY`, … `part` of a rate: the rate itself, an end of its
    95 % interval, its numerator or denominator; of a mean: the mean, an end of its interval, how many rated.
    """

    text: str
    figure: str
    part: str
    comparison: str
    value: float

    @property
    def of_verdicts(self) -> bool:
        """It is about what the judge found."""
        return self.figure in QUALITY

    def reading(self, metrics: Metrics | None, found: Slice | None = None) -> Reading | None:
        """The figure with its interval and counts; None where there is nothing to count, or it has none."""
        if self.of_verdicts:
            return None if found is None else of_estimate(found.figures[self.figure])
        if metrics is None or self.figure in _NUMBERS:
            return None
        return of_readable(metrics, self.figure)

    def of(self, metrics: Metrics | None, found: Slice | None = None) -> float | None:
        """What the figure is, None where it is not known (a rate of nothing, or one that lies between two ends)."""
        if self.figure in _NUMBERS:
            return None if metrics is None else _NUMBERS[self.figure](metrics)
        reading = self.reading(metrics, found)
        if reading is None:
            return 0.0 if self.part in ("n", "of") else None
        if self.part in ("n", "of"):
            return float(reading.n if self.part == "n" else reading.of)
        if self.part == "rate":
            return reading.lowest.value if not reading.n_unknown else None
        if not reading.bounded:
            return None
        return reading.highest.high if self.part == "high" else reading.lowest.low

    def holds(self, metrics: Metrics | None, found: Slice | None = None) -> bool | None:
        """Whether it is so; None where that is not known."""
        is_ = self.of(metrics, found)
        if is_ is not None:
            return _COMPARE[self.comparison](is_, self.value)
        reading = self.reading(metrics, found)
        if reading is None or self.part != "rate" or self.comparison in ("==", "!="):
            return None
        # It lies between two ends: where both say the same, it is so.
        ends = {_COMPARE[self.comparison](end.value, self.value) for end in (reading.lowest, reading.highest)}
        return ends.pop() if len(ends) == 1 else None


def condition(text: str) -> Condition:
    """The condition that a text says. Raises InputError with the figures that there are."""
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise InputError(
            f"{text!r} is no condition",
            field="--fail-if",
            cure="write FIGURE[.low|.high] > NUMBER: recontact_rate.high > 0.2",
        )
    figure, part, comparison, number, percent = match.groups()
    if figure not in FIGURES:
        near = get_close_matches(figure, FIGURES, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"there is no figure {figure!r}", field="--fail-if", cure=f"{hint}One of {', '.join(TOLD)}")
    parts = () if figure in _NUMBERS else ("low", "high", "n") if figure in _MEANS else _PARTS
    if part is not None and part not in parts:
        what = f"{figure} has {', '.join(parts)}" if parts else f"{figure} is a number"
        raise InputError(f"{figure} has no {part!r}", field="--fail-if", cure=what)
    is_rate = parts == _PARTS and part not in ("n", "of")
    value = float(number) / (100 if percent else 1)
    if percent and not is_rate:
        raise InputError(f"{text!r}: this is no share, % says nothing of it", field="--fail-if", cure=f"write {number}")
    if is_rate and value > 1:
        cure = f"write {number} %, or {float(number) / 100:g}" if value <= 100 and not percent else "write 0.2, or 20 %"
        raise InputError(f"{text!r}: a rate is never above 1", field="--fail-if", cure=cure)
    name = _RATE_OF.get(figure) or _VERDICT_OF.get(figure) or figure
    return Condition(text.strip(), name, part or "rate", comparison, value)
