"""Seeded designs: which conversations are drawn, and with what probability each one was in.

Pure: identifiers in, draws out. The order is a hash of seed and identifier, so that a draw does not depend on the order
of the input, and a larger sample with the same seed holds the smaller one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draw:
    """One drawn conversation. `inclusion_probability` is in (0, 1]; its inverse is the design weight."""

    conversation_id: str
    inclusion_probability: float
    stratum: str | None = None


def simple_random(ids: Sequence[str], n: int | None, seed: int) -> list[Draw]:
    """Simple random sample of n out of N without replacement, every identifier with probability n/N.

    `n` None, or at least N, takes all. The draw comes back sorted by identifier.
    """
    if n is None or n >= len(ids):
        return [Draw(i, 1.0) for i in sorted(ids)]
    ranked = sorted(ids, key=lambda i: hashlib.sha256(f"{seed}\0{i}".encode("utf-8", "surrogatepass")).digest())
    return [Draw(i, n / len(ids)) for i in sorted(ranked[:n])]
