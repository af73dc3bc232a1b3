"""Putting what a source wrote down into the order of time, and finding where between the messages something happened.

Times are read leniently here, for their order alone: a time that cannot be read is the conversation's problem later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Generic, TypeVar

from grader.ingest.fields import read_time
from grader.ingest.rows import Ledger, UnfitError
from grader.model import JsonValue

T = TypeVar("T")
K = TypeVar("K", datetime, int)

_BEGINNING = datetime.min.replace(tzinfo=UTC)


def time_of(value: JsonValue, ledger: Ledger) -> datetime | None:
    """The time that a value says, in UTC; None where it says none that can be read."""
    if value is None or value == 0 or isinstance(value, bool):
        return None
    try:
        return read_time(value, ledger).astimezone(UTC)
    except (UnfitError, OverflowError):
        return None


def in_order(
    found: Sequence[T], at: Callable[[T], datetime | None], tie: Callable[[T], int] | None = None
) -> tuple[list[T], bool]:
    """(in the order of time, whether they stood otherwise). What has no time stays behind what it stood behind.

    Of equal times the smaller `tie` comes first, then what stood first.
    """
    keyed: list[tuple[tuple[datetime, int], T]] = []
    last = _BEGINNING
    for one in found:
        last = at(one) or last
        keyed.append(((last, tie(one) if tie else 0), one))
    ordered = sorted(keyed, key=lambda pair: pair[0])
    times = [key[0] for key, _ in keyed]
    return [one for _, one in ordered], any(later < before for before, later in pairwise(times))


class Numbered(Generic[K]):
    """Messages by a key that each may have, its time or the row that showed it: which was the last until then?"""

    def __init__(self, keys: Sequence[K | None]) -> None:
        known: list[tuple[K, int]] = sorted((key, number) for number, key in enumerate(keys, 1) if key is not None)
        self._keys: list[K] = [key for key, _ in known]
        self._highest = list(accumulate((number for _, number in known), max))

    def until(self, key: K) -> int:
        """The highest number of a message whose key is at most this; 0 where there is none."""
        at = bisect_right(self._keys, key)
        return self._highest[at - 1] if at else 0
