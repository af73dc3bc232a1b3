"""What judged: judge, model, parameters, prompt and rubric. What is known of errors is known of one of these."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from grader.language import N_
from grader.model import digest
from grader.rubric import Rubric
from grader.store import Store

_SHOWN = {
    "judge": N_("judge"), "model": N_("model"), "parameters_hash": N_("parameters"), "prompt_hash": N_("prompt"),
    "rubric_hash": N_("rubric"), "together": N_("rubrics that share a call"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instrument:
    """One rubric as one judge reads it. `together`: the meanings of all rubrics that share its calls, else ''.

    Two are the same where all but `rubric_version` is; a version's name does not reach the judge.
    """

    judge: str
    model: str
    parameters_hash: str
    prompt_hash: str
    rubric: str
    rubric_version: str
    rubric_hash: str
    together: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two of them the same."""
        return tuple(getattr(self, f.name) for f in fields(self) if f.name != "rubric_version")

    @property
    def name(self) -> str:
        """`gpt-4.1-mini@accuracy 1.0.0`."""
        return f"{self.model}@{self.rubric} {self.rubric_version}"

    def changed_from(self, other: Instrument) -> tuple[str, ...]:
        """What is another than in `other`, in words: `model a → b`, `prompt`."""
        found = []
        for name, shown in _SHOWN.items():
            mine, theirs = getattr(self, name), getattr(other, name)
            if name == "rubric_hash" and mine != theirs:
                rubric = N_("rubric {before} → {after}")
                found.append(rubric.format(before=other.rubric_version, after=self.rubric_version))
            elif mine != theirs:
                changed = N_("{told} {before} → {after}").format(told=shown, before=theirs, after=mine)
                found.append(changed if name in ("judge", "model") else shown)
        return tuple(found)

    def row(self) -> dict[str, str]:
        """As columns of the database."""
        return asdict(self)


def announced(
    judge: str, model: str, parameters: Mapping[str, object], prompt_hash: str, rubrics: Sequence[Rubric], *,
    group_all: bool,
) -> dict[str, Instrument]:  # fmt: skip
    """Rubric → what would judge it in a run of this judge with these rubrics, in their order."""
    together = ",".join(r.meaning_hash for r in rubrics) if group_all and len(rubrics) > 1 else ""
    return {
        r.name: Instrument(
            judge, model, digest("pa", dict(parameters)), prompt_hash, r.name, r.version, r.meaning_hash, together
        )
        for r in rubrics
    }  # fmt: skip


def of_run(store: Store, run_id: str) -> dict[str, Instrument]:
    """Rubric → what judged it in this run; a rubric without any judgement is left out."""
    told = store.rows("select selection, rubrics from run where run_id = ?", [run_id])
    if not told:
        return {}
    selection, rubrics = (json.loads(text) for text in told[0])
    meanings = [r["meaning_hash"] for r in rubrics if "meaning_hash" in r]
    grouped = isinstance(selection, dict) and selection.get("group") == "all" and len(meanings) > 1
    together = ",".join(meanings) if grouped else ""
    rows = store.records(
        "select j.judge, j.model, j.parameters_hash, j.prompt_hash, j.rubric, j.rubric_version, j.rubric_hash "
        "from run_item i join judgement j using (key) where i.run_id = ? group by all order by count(*)",
        [run_id],
    )
    return {row["rubric"]: Instrument(**row, together=together) for row in rows}
