"""What the AI's resolutions would have cost in the time of humans: a count times a median, with the assumption beside
it.

The minutes are what humans took for the same contact reason, as the source says (`handle_minutes` of an outcome). A
reason of which too few are known counts nothing and is told apart; it is never filled with a guess.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.outcomes.episodes import Episodes, Where

FEWEST_HANDLED = 5  # handle times of a reason, for its median to be used


@dataclass(frozen=True, slots=True)
class Handled:
    """How long a human takes with one reason: the median in minutes with its 95 % interval, of `n` that say it."""

    n: int
    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Freed:
    """What was freed in one reason: `n_resolved` for sure, `n_unknown` more where the issue of a return is not known.
    `handled` is None where too little is known.
    """

    reason: str | None
    n_resolved: int
    n_unknown: int
    handled: Handled | None


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was freed in one slice, by reason, most hours first."""

    slice: str | None
    parts: tuple[Freed, ...]

    @property
    def n_counted(self) -> int:
        """AI-resolved episodes that hours are counted for."""
        return sum(p.n_resolved for p in self.parts if p.handled)

    @property
    def n_not_counted(self) -> int:
        """AI-resolved episodes of reasons of which too few handle times are known."""
        return sum(p.n_resolved for p in self.parts if not p.handled)

    @property
    def hours(self) -> tuple[float, float, float] | None:
        """(point, low, high): at the medians; at the lower ends of the medians; at the upper ends, with the episodes
        that may be resolved. None where nothing can be counted.
        """
        told = [(p, p.handled) for p in self.parts if p.handled]
        if not told:
            return None
        point = sum(p.n_resolved * h.median for p, h in told) / 60
        low = sum(p.n_resolved * h.low for p, h in told) / 60
        high = sum((p.n_resolved + p.n_unknown) * h.high for p, h in told) / 60
        return point, low, high

    def money(self, per_hour: float | None) -> tuple[float, float, float] | None:
        """The hours at this price, None where there is none."""
        if per_hour is None or self.hours is None:
            return None
        point, low, high = self.hours
        return point * per_hour, low * per_hour, high * per_hour


def freed(
    episodes: Episodes, by: str | None = None, *, window_hours: int = 168,
    where: Where | None = None,
) -> list[Capacity]:  # fmt: skip
    """What was freed in every slice of a dimension, of everything as one without one. Medians are of all humans."""
    known = {
        row["reason"]: Handled(row["n"], row["median"], row["low"], row["high"])
        for row in episodes.handle_minutes()
        if row["n"] >= FEWEST_HANDLED
    }
    slices: dict[str | None, list[Freed]] = {}
    for row in episodes.resolved_by_reason(by, window_hours, where):
        reason = row["reason"]
        part = Freed(reason, row["n_resolved"], row["n_unknown"], known.get(reason))
        slices.setdefault(row["slice"], []).append(part)
    return [Capacity(name, tuple(sorted(parts, key=_most_hours))) for name, parts in slices.items()]


def _most_hours(part: Freed) -> tuple[bool, float, str]:
    minutes = part.n_resolved * part.handled.median if part.handled else float(part.n_resolved)
    return part.handled is None, -minutes, part.reason or ""
