"""Looks at the test split. What wears it out is not looking, but choosing by what was seen: so judges are counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grader.calibration.instrument import Instrument
from grader.labelling.plan import LabelPlan
from grader.labelling.reference import openings
from grader.model import digest
from grader.store import Store


def purpose(command: str, instruments: Iterable[Instrument]) -> str:
    """What an opening is noted with: the command, and which judges are looked at."""
    return f"{command}: {'; '.join(sorted(map(_named, instruments)))}"


def judges_seen(store: Store, plan: LabelPlan, rubric: str, also: Iterable[Instrument] = ()) -> int:
    """How many judges of this rubric the test split has been opened for, and would be with `also`. The same one again
    tells nothing new.
    """
    seen = {_named(instrument) for instrument in also}
    for told, _ in openings(store, plan):
        _, _, names = told.partition(": ")
        seen |= {name for name in names.split("; ") if f"@{rubric} " in name}
    return len(seen)


def _named(instrument: Instrument) -> str:
    return f"{instrument.name} {digest('in', list(instrument.identity))[3:9]}"


def by_rubric(store: Store, plan: LabelPlan, instruments: Mapping[str, Instrument]) -> dict[str, int]:
    """The same of each rubric."""
    return {rubric: judges_seen(store, plan, rubric) for rubric in instruments}
