"""How often a judge contradicts itself: the same instrument, the same conversation, under different repeat numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from importlib.resources import files
from itertools import repeat

from grader.calibration.instrument import Instrument
from grader.statistics.paired import Flips, flip_rate
from grader.store import Store


def flips(store: Store, instrument: Instrument, codes: Collection[str] | None = None) -> dict[str, Flips]:
    """By criterion, of everything that this instrument ever judged, whichever run asked for it. `codes`: of these, even
    where nothing was judged; else of all that it answered.

    Answers differ where figures would: flagged (present with proof), unsupported, each other answer. A repeat that
    could not be had is no answer. The same content under other policies is another conversation.
    """
    row = instrument.row()
    del row["rubric_version"]  # its meaning is what counts
    wanted = None if codes is None else sorted(codes)
    sql = (files("grader.calibration") / "repeats.sql").read_text(encoding="utf-8")
    said: dict[str, list[tuple[Sequence[str], int]]] = {code: [] for code in wanted or ()}
    for criterion, answers, n in store.rows(sql, {**row, "codes": wanted}):
        said.setdefault(criterion, []).append((answers, n))
    return {code: flip_rate(_each(found)) for code, found in said.items()}


def _each(found: Sequence[tuple[Sequence[str], int]]) -> Iterator[Sequence[str]]:
    """Every conversation's answers."""
    for answers, n in found:
        yield from repeat(answers, n)
