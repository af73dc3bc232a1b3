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
from grader.outcomes.metrics import Metrics
from grader.outcomes.share import Bounds, Mean

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_CONDITION = re.compile(r"\s*([a-z_0-9]+)(?:\.([a-z]+))?\s*(>=|<=|==|!=|>|<)\s*([0-9]*\.?[0-9]+)\s*(%?)\s*", re.ASCII)
_PARTS = ("rate", "low", "high", "n", "of")
_MEANS: Mapping[str, Callable[[Metrics], Mean]] = {"csat_ai": lambda m: m.csat_ai, "csat_human": lambda m: m.csat_human}
_NUMBERS: Mapping[str, Callable[[Metrics], float | None]] = {
    "episodes": lambda m: m.n_episodes,
    "first_answer_median_seconds": lambda m: m.first_answer_median,
    "first_answer_p90_seconds": lambda m: m.first_answer_p90,
    "resolution_median_seconds": lambda m: m.resolution_median,
    "resolution_p90_seconds": lambda m: m.resolution_p90,
}
# What `grader.outcomes.metrics.RATES` calls them.
RATE_NAMES: Mapping[str, str] = {
    "recontact_rate": "recontact", "recontact_any_rate": "recontact_any", "resolution_rate": "ai_resolution",
    "containment_rate": "containment", "false_containment_rate": "false_containment",
    "recontact_after_ai_rate": "recontact_after_ai", "recontact_after_human_rate": "recontact_after_human",
    "escalation_rate": "escalation", "coverage": "coverage", "answered_rate": "answered",
    "csat_response_ai_rate": "csat_response_ai", "csat_response_human_rate": "csat_response_human",
}  # fmt: skip
FIGURES = (*RATE_NAMES, *_MEANS, *_NUMBERS)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `part` of a rate: the rate itself, an end of its 95 % interval, its numerator or denominator; of a
    mean: the mean itself, an end of its interval, how many rated.
    """

    text: str
    figure: str
    part: str
    comparison: str
    value: float

    def of(self, metrics: Metrics) -> float | None:
        """What the figure is, None where it is not known (a rate of nothing, or one that lies between two ends)."""
        if self.figure in _NUMBERS:
            return _NUMBERS[self.figure](metrics)
        if self.figure in _MEANS:
            mean = _MEANS[self.figure](metrics)
            if self.part in ("rate", "n"):
                return mean.value if self.part == "rate" else float(mean.n)
            return None if mean.interval is None else mean.interval[self.part == "high"]
        share = metrics.rate(RATE_NAMES[self.figure])
        if self.part in ("n", "of"):
            return float(getattr(share, self.part))
        if self.part == "rate":
            if isinstance(share, Bounds):
                return share.low.rate if not share.n_unknown else None
            return share.rate
        return None if share.interval is None else share.interval[self.part == "high"]

    def holds(self, metrics: Metrics) -> bool | None:
        """Whether it is so; None where that is not known."""
        found = self.of(metrics)
        return None if found is None else _COMPARE[self.comparison](found, self.value)


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
        raise InputError(f"there is no figure {figure!r}", field="--fail-if", cure=f"{hint}One of {', '.join(FIGURES)}")
    parts = _PARTS if figure in RATE_NAMES else ("low", "high", "n") if figure in _MEANS else ()
    if part is not None and part not in parts:
        what = f"{figure} has {', '.join(parts)}" if parts else f"{figure} is a number"
        raise InputError(f"{figure} has no {part!r}", field="--fail-if", cure=what)
    return Condition(text.strip(), figure, part or "rate", comparison, float(number) / (100 if percent else 1))
