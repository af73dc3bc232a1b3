"""The figures of `grader metrics` from a sample alone, weighted, so that they can be held against those of everything.

A sample is of conversations, the figures are of episodes: one counts where its last conversation was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader.errors import ConfigError
from grader.outcomes.episodes import checked, opened
from grader.outcomes.metrics import Metrics, of_episodes
from grader.outcomes.reader import Reader
from grader.outcomes.share import Bounds, Share
from grader.outcomes.weighting import Ends, Layer, Part, ends, mean, rate
from grader.statistics.figure import Figure
from grader.statistics.stratified import Mean


@dataclass(frozen=True, slots=True)
class Sampled:
    """One slice: the plain counts of the sample, and the same in each layer."""

    counts: Metrics
    parts: tuple[Part[Sampled], ...] = ()

    def rate(self, share: Callable[[Metrics], Share]) -> Figure:
        """A rate of the population, such as `s.rate(lambda m: m.contained)`."""
        return rate(self, lambda s: share(s.counts))

    def ends(self, bounds: Callable[[Metrics], Bounds]) -> Ends:
        """The same of a figure of which a part may not be known."""
        return ends(self, lambda s: bounds(s.counts))

    def mean(self, sums: Callable[[Metrics], tuple[int, float, float]]) -> Mean | None:
        """A mean of the population from (how many rated, their sum, their sum of squares); None of too few."""
        return mean(self, lambda s: sums(s.counts), lowest=1, highest=5)


def sampled_metrics(
    reader: Reader, sample_id: str, *, by: str | None = None, window_hours: int = 168, timezone: str = "UTC"
) -> list[Sampled]:
    """Every slice of a dimension (without one: everything, as one), in its order, from the conversations of a sample.

    The episodes are made once, whatever the number of strata. Where everybody had the same chance there are no parts,
    and rates are plain. Raises ConfigError where there is no such sample, and as `metrics` does.
    """
    rows = reader.rows(
        "select stratum, inclusion_probability, list(conversation_id order by conversation_id) from sample_item "
        "where sample_id = ? group by all order by stratum nulls first, inclusion_probability",
        [sample_id],
    )
    if not rows:
        raise ConfigError(f"there is no sample {sample_id!r}", cure="grader sample draws one")

    checked(by, window_hours)
    with opened(reader, ids=[i for *_, ids in rows for i in ids], timezone=timezone) as episodes:
        whole = of_episodes(episodes, by, window_hours=window_hours)
        if max(chance for _, chance, _ in rows) - min(chance for _, chance, _ in rows) < 1e-9:
            return [Sampled(m) for m in whole]
        layers = [Layer(n, name, chance, len(ids)) for n, (name, chance, ids) in enumerate(rows, 1)]
        by_layer = [
            {m.slice: m for m in of_episodes(episodes, by, window_hours=window_hours, ids=ids)} for *_, ids in rows
        ]
    return [Sampled(m, tuple(_part(layer, found.get(m.slice)) for layer, found in zip(layers, by_layer, strict=True)))
            for m in whole]  # fmt: skip


def _part(layer: Layer, found: Metrics | None) -> Part[Sampled]:
    return Part(layer, None if found is None else Sampled(found))
