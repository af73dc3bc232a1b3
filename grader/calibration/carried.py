"""The rate of a later run by the same instrument, from its verdicts and the labels of an earlier frame."""

from __future__ import annotations

from collections import Counter

from grader.calibration.held import Code
from grader.calibration.instrument import Instrument, of_run
from grader.calibration.kept import Kept
from grader.labelling.frame import frame
from grader.labelling.plan import Question
from grader.statistics.corrected import CARRIED, carried_over
from grader.statistics.figure import Figure, undefined
from grader.statistics.frame import Part, Stratum
from grader.store import Store


def carried(store: Store, one: Kept, run_id: str, *, draws: int = 20_000) -> Figure:
    """The corrected rate of a run, sensitivity and specificity taken to be as they were when `one` was calibrated.

    Undefined with the reason where another instrument judged the run, where the labels do not tell the judge's errors,
    or where it does not tell the two kinds apart. A rate of the calibrated run itself is no estimate of a later frame:
    it is the corrected one.
    """
    if run_id == one.run_id:
        return one.figures["corrected"]
    mine = of_run(store, run_id).get(one.instrument.rubric)
    if mine is None:
        return undefined(f"Run {run_id} has no verdict by rubric {one.instrument.rubric}.", CARRIED)
    if mine.identity != one.instrument.identity:
        what = "; ".join(mine.changed_from(one.instrument))
        return undefined(f"Another judge: {what}. Its errors are not known: calibrate it.", CARRIED)
    later = later_parts(store, one, mine, run_id)
    return carried_over(
        one.parts, later, seed=one.seed, draws=draws, design_effect=float(one.details["design_effect"])
    )  # fmt: skip


def later_parts(store: Store, one: Kept, mine: Instrument, run_id: str) -> tuple[Part, ...]:
    """The run's conversations by verdict on this code, without labels."""
    code = Code(mine.rubric, one.criterion, one.option, "", "")
    question = Question(mine.rubric, mine.rubric_version, mine.rubric_hash, one.criterion)
    found: Counter[Stratum] = Counter(code.verdict(m.verdicts[0]) for m in frame(store, run_id, [question]))
    return tuple(Part(verdict, n, 0, 0, 0, why) for (verdict, why), n in sorted(found.items()))
