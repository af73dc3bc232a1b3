"""Decisions about new versions as they are kept: rows of the database, and a file each, so that a rebuild has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.calibration.instrument import Instrument
from grader.calibration.promote import Promotion, evidence_row
from grader.errors import InputError
from grader.model import digest
from grader.sampling import planfile
from grader.store import Store

FORMAT = ("grader.promotion", 1)
_JSON = ("from_instrument", "to_instrument", "gate", "evidence")
_MEND = "move the file away; the decision is lost, so run grader promote again"


@dataclass(frozen=True)
class Decided:
    """A decision that was kept."""

    promotion_id: str
    rubric: str
    outcome: str
    from_run: str
    to_run: str
    from_instrument: Instrument
    to_instrument: Instrument
    plan_id: str
    gate: Mapping[str, Any]
    evidence: Mapping[str, Any]
    grader_version: str
    decided_at: datetime

    @property
    def reasons(self) -> tuple[str, ...]:
        """What did not pass, failures first: `quality.late: Too few …`. Nothing of a decision that passed."""
        return tuple(
            f"{code['code']}: {check['sentence']}" for outcome in ("fail", "hold") for code in self.evidence["codes"]
            for check in code["checks"] if check["outcome"] == outcome
        )  # fmt: skip


def keep(store: Store, found: Promotion, folder: Path) -> str:
    """Write the decision's file, then its row; returns its id. Raises StoreError where the file cannot be written."""
    gate = asdict(found.gate)
    gate["floors"] = dict(found.gate.floors)
    row = json.loads(json.dumps({
        "rubric": found.rubric, "outcome": found.outcome, "from_run": found.old.run_id, "to_run": found.new.run_id,
        "from_instrument": found.old.instruments[found.rubric].row(),
        "to_instrument": found.new.instruments[found.rubric].row(), "plan_id": found.plan.plan_id, "gate": gate,
        "evidence": evidence_row(found), "grader_version": found.grader_version,
        "decided_at": found.decided_at.astimezone(UTC).isoformat(),
    }))  # fmt: skip
    promotion_id = digest("pm", row)
    text = planfile.text(
        {"format": FORMAT[0], "format_version": FORMAT[1], "promotion_id": promotion_id, **row}, ()
    )  # fmt: skip
    planfile.write(text, folder / f"{promotion_id}.json", "check the rights", "decision")
    _add(store, promotion_id, row)
    return promotion_id


def _add(store: Store, promotion_id: str, row: Mapping[str, Any]) -> None:
    at = datetime.fromisoformat(row["decided_at"])
    store.add_promotion({"promotion_id": promotion_id, **row, "decided_at": at})


def promotions(store: Store, rubric: str | None = None) -> list[Decided]:
    """Every decision, or those about one rubric, the latest first."""
    rows = store.records(
        "select * from promotion where $1::varchar is null or rubric = $1 order by decided_at desc, promotion_id",
        [rubric],
    )
    found = []
    for row in rows:
        told = {**row, **{name: json.loads(row[name]) for name in _JSON}}
        for name in ("from_instrument", "to_instrument"):
            told[name] = Instrument(**told[name])
        found.append(Decided(**{**told, "decided_at": row["decided_at"].replace(tzinfo=UTC)}))
    return found


def in_place(store: Store, rubric: str) -> Decided | None:
    """The decision by which the present judge of a rubric came to its place; None where none ever passed."""
    return next((d for d in promotions(store, rubric) if d.outcome == "pass"), None)


def keep_again(store: Store, folder: Path) -> None:
    """Store the decisions whose files are in this folder, where they are not stored. Raises InputError for a file that
    is none, or was changed, once the others are in.
    """
    known = {d.promotion_id for d in promotions(store)}
    damaged: InputError | None = None
    for path in sorted(folder.glob("*.json")):
        try:
            data = planfile.read(path, FORMAT, "decision", _MEND)
            row = {k: v for k, v in data.items() if k not in ("format", "format_version", "promotion_id")}
            if digest("pm", row) != data.get("promotion_id"):
                raise InputError("was changed by hand: it is not the decision that it was", file=str(path), cure=_MEND)
            if data["promotion_id"] not in known:
                _add(store, data["promotion_id"], row)
        except InputError as error:
            damaged = damaged or error
    if damaged is not None:
        raise damaged
