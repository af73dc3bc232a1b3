"""How often a judge contradicts itself: the same instrument, the same text, under different repeat numbers."""

from __future__ import annotations

from collections.abc import Collection

from grader.calibration.instrument import Instrument, of_run
from grader.statistics.paired import Flips, flip_rate
from grader.store import Store


def flips(store: Store, instrument: Instrument, codes: Collection[str] | None = None) -> dict[str, Flips]:
    """By criterion, of all that this instrument judged. `codes`: of these, even where nothing was judged."""
    runs = [r for (r,) in store.rows("select run_id from run")]
    mine = [
        r for r in runs if (i := of_run(store, r).get(instrument.rubric)) and i.identity == instrument.identity
    ]  # fmt: skip
    rows = store.rows(
        "select v.criterion, list(case when v.answer = 'present' and v.support not in ('verified', 'not_needed') "
        "then 'unsupported' else v.answer end order by j.repeat) from judgement j join verdict v using (key) "
        "where j.rubric = ? and j.rubric_hash = ? and j.run_id in (select unnest(?)) "
        "group by v.criterion, j.content_hash, j.policy_hash order by all",
        [instrument.rubric, instrument.rubric_hash, mine],
    )
    found: dict[str, list[list[str]]] = {code: [] for code in codes or ()}
    for criterion, answers in rows:
        if codes is None or criterion in codes:
            found.setdefault(criterion, []).append(answers)
    return {code: flip_rate(answers) for code, answers in found.items()}
