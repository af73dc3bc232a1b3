"""Seeded designs: which conversations are drawn, and with what probability each one was in.

Pure: identifiers (and the stratum that each stands in) go in, draws come out. The order is a hash of seed and
identifier, so that a draw does not depend on the order of the input, and a larger sample of the same design, seed and
frame holds the smaller one. `sampling.plan` writes a draw down.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.errors import ConfigError

ALLOCATIONS = ("proportional", "equal")
REST = "rest"  # the stratum of those that no risk was seen in


@dataclass(frozen=True, slots=True)
class Draw:
    """One drawn conversation. `inclusion_probability` is in (0, 1]; its inverse is the design weight."""

    conversation_id: str
    inclusion_probability: float
    stratum: str | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """A stratum of a design: how many it holds, and how many of them were drawn. `name` None: there is only one."""

    name: str | None
    n_population: int
    n_drawn: int

    @property
    def inclusion_probability(self) -> float:
        """The chance of each of its members."""
        return self.n_drawn / self.n_population

    @property
    def weight(self) -> float:
        """How many of the population one that was drawn stands for."""
        return self.n_population / self.n_drawn


@dataclass(frozen=True, slots=True)
class Drawn:
    """A whole draw, sorted by identifier. `n_left_out`: members of the frame that could not be drawn at all, so that no
    figure is about them.
    """

    draws: tuple[Draw, ...]
    layers: tuple[Layer, ...]
    n_left_out: int = 0

    @property
    def n_population(self) -> int:
        """What the figures are about."""
        return sum(layer.n_population for layer in self.layers)


def simple_random(ids: Sequence[str], n: int | None, seed: int) -> list[Draw]:
    """Simple random sample of n out of N without replacement, every identifier with probability n/N.

    `n` None, or at least N, takes all. The draw comes back sorted by identifier.
    """
    if n is None or n >= len(ids):
        return [Draw(i, 1.0) for i in sorted(ids)]
    ranked = sorted(ids, key=lambda i: _rank(seed, i))
    return [Draw(i, n / len(ids)) for i in sorted(ranked[:n])]


def simple(ids: Sequence[str], n: int, seed: int) -> Drawn:
    """`simple_random` as a design."""
    draws = simple_random(ids, n, seed)
    return Drawn(tuple(draws), (Layer(None, len(ids), len(draws)),) if ids else ())


def stratified(
    strata: Mapping[str, str], n: int, seed: int, *, minimum: int = 5, allocation: str = "proportional"
) -> Drawn:
    """A simple random sample from each stratum. `strata`: identifier → stratum.

    Proportional: places in proportion to the strata's sizes; equal: the same number from each. Either way a stratum
    gets at least `minimum` (all of it where it holds fewer), as far as `n` goes. Raises ConfigError where n is too
    small for one from each.
    """
    sizes = _sizes(strata.values())
    weights = {name: float(size) if allocation == "proportional" else 1.0 for name, size in sizes.items()}
    return _from_each(strata, allocate(sizes, weights, n, minimum), seed)


def top_queues(
    queues: Mapping[str, str | None], n: int, seed: int, *, top: int, minimum: int = 5,
    allocation: str = "proportional",
) -> Drawn:  # fmt: skip
    """Stratified by queue within the `top` largest queues (of equal ones the first by name). Nothing else can be drawn:
    the figures are about these queues and no others. Conversations without a queue (None) are in none.
    """
    sizes = _sizes(queue for queue in queues.values() if queue is not None)
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:top]
    inside = {i: queue for i, queue in queues.items() if queue is not None and queue in set(largest)}
    drawn = stratified(inside, n, seed, minimum=minimum, allocation=allocation)
    return Drawn(drawn.draws, drawn.layers, len(queues) - len(inside))


def risk_enriched(risks: Mapping[str, str | None], n: int, seed: int, *, share: float = 0.5, minimum: int = 5) -> Drawn:
    """`share` of the places go to conversations with a risk (identifier → risk), as many to one risk as to another; the
    others to the rest (None). Nobody is left out: what has no risk is drawn too, with a smaller chance. Where more than
    `share` of them all have a risk, these get as many places as they make up.

    Places that a small stratum cannot take go to the others.
    """
    if not 0 < share < 1:
        raise ConfigError(f"a share of {share:g} for the risks leaves the rest out, or them", cure="between 0 and 1")
    strata = {i: REST if risk is None else risk for i, risk in risks.items()}
    sizes = _sizes(strata.values())
    n_risks = len(sizes.keys() - {REST})
    share = max(share, 1 - sizes.get(REST, 0) / len(strata)) if strata else share
    weights = {name: 1 - share if name == REST else share / n_risks for name in sizes}
    return _from_each(strata, allocate(sizes, weights, n, minimum), seed)


def weighted(strata: Mapping[str, str], weights: Mapping[str, float], n: int, seed: int, *, minimum: int = 5) -> Drawn:
    """A simple random sample from each stratum (identifier → stratum), places in proportion to `weights` (stratum →
    weight), at least `minimum` from each as far as `n` goes. Places that a small stratum cannot take go to the others.
    """
    return _from_each(strata, allocate(_sizes(strata.values()), weights, n, minimum), seed)


def allocate(sizes: Mapping[str, int], weights: Mapping[str, float], n: int, minimum: int) -> dict[str, int]:
    """How many to draw from each stratum of these sizes: n in all, or everybody where there are fewer.

    Places are given out one by one: first until each stratum has `minimum` of them (or is full), the emptiest first;
    then to the stratum with the highest weight / (2 places + 1), which is Sainte-Laguë's rule (Webster's, rounding to
    the nearest). Unlike the method of largest remainders it never takes a place away when n grows, so that a larger
    sample holds the smaller one.
    """
    n = min(n, sum(sizes.values()))
    if n < len(sizes):
        raise ConfigError(
            f"{n} conversations are too few for {len(sizes)} strata: each needs one, or no figure could be about all",
            cure=f"-n {len(sizes)} or more, or fewer strata (--by)",
        )
    places = dict.fromkeys(sizes, 0)
    left = n
    needy = [(0, -weights[name], name) for name in sizes]
    heapq.heapify(needy)
    while left and needy:
        has, weight, name = heapq.heappop(needy)
        if has < min(max(minimum, 1), sizes[name]):
            places[name] += 1
            left -= 1
            heapq.heappush(needy, (has + 1, weight, name))
    open_ = [(-weights[name] / (2 * places[name] + 1), name) for name in sizes if places[name] < sizes[name]]
    heapq.heapify(open_)
    while left:
        _, name = heapq.heappop(open_)
        places[name] += 1
        left -= 1
        if places[name] < sizes[name]:
            heapq.heappush(open_, (-weights[name] / (2 * places[name] + 1), name))
    return places


def _from_each(strata: Mapping[str, str], places: Mapping[str, int], seed: int) -> Drawn:
    members: dict[str, list[str]] = {}
    for i, name in strata.items():
        members.setdefault(name, []).append(i)
    layers = tuple(Layer(name, len(members[name]), places[name]) for name in sorted(members))
    draws = [
        Draw(i, layer.inclusion_probability, layer.name)
        for layer in layers
        for i in sorted(members[layer.name or ""], key=lambda i: _rank(seed, i))[: layer.n_drawn]
    ]
    return Drawn(tuple(sorted(draws, key=lambda d: d.conversation_id)), layers)


def _sizes(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


def _rank(seed: int, conversation_id: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{conversation_id}".encode("utf-8", "surrogatepass")).digest()
