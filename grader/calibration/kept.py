"""Calibrations as the database keeps them: written once, read by whoever shows a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from grader.calibration.calibrate import Calibrated, code_row
from grader.calibration.instrument import Instrument
from grader.calibration.standing import TITLES, Standing
from grader.statistics.figure import Audit, Figure, audit_of
from grader.statistics.frame import Part
from grader.store import Store

FIGURES = (
    "corrected", "people", "raw", "sensitivity", "specificity", "positive_value", "negative_value", "youden", "kappa",
    "alpha", "ac1", "agreement", "positive_agreement", "self_agreement", "flips",
)  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What a calibration says of one code, over all (`dimension` None) or in one slice."""

    calibration_id: str
    plan_id: str
    run_id: str
    splits: tuple[str, ...]
    seed: int
    calibrated_at: datetime
    began: tuple[datetime | None, datetime | None]
    instrument: Instrument
    criterion: str
    option: str | None
    dimension: str | None
    slice: str | None
    standing: Standing
    sentence: str
    n_population: int
    n_labelled: int
    figures: Mapping[str, Figure]
    details: Mapping[str, Any]
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """accuracy.invented_deadline; resolution.resolved = partly."""
        plain = f"{self.instrument.rubric}.{self.criterion}"
        return plain if self.option is None else f"{plain} = {self.option}"

    @property
    def question(self) -> str:
        """The criterion's name, without the option."""
        return f"{self.instrument.rubric}.{self.criterion}"

    @property
    def members(self) -> tuple[str, ...]:
        """Of codes taken together: which; else none."""
        return tuple(self.details.get("members", ()))

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What judged it: several where codes are taken together."""
        return tuple(Instrument(**row) for row in self.details.get("instruments", ())) or (self.instrument,)

    @property
    def rubrics(self) -> tuple[str, ...]:
        """The rubrics that it is asked in."""
        return tuple(dict.fromkeys(i.rubric for i in self.instruments))

    @property
    def title(self) -> str:
        """The standing in words."""
        return TITLES[self.standing]

    @property
    def audit(self) -> Audit:
        """What a blind review of clean ones could exclude."""
        told = self.details["audit"]
        return audit_of(told["n_missed"], told["n_reviewed"], told["n_clean"], told["at_most"], told["high"])


def keep(store: Store, found: Calibrated) -> bool:
    """Store a calibration; False where the very same is there already."""
    first, last = found.held.began
    row = {
        "calibration_id": found.calibration_id, "plan_id": found.held.plan.plan_id, "run_id": found.held.run_id,
        "splits": list(found.held.splits), "seed": found.seed, "draws": found.draws, "first_at": first,
        "last_at": last, "grader_version": found.grader_version, "calibrated_at": found.calibrated_at,
    }  # fmt: skip
    return store.add_calibration(row, [code_row(c) for c in found.codes])


def kept(
    store: Store, *, calibration_id: str | None = None, instrument: Instrument | None = None, overall: bool = False
) -> list[Kept]:  # fmt: skip
    """What calibrations said, the latest first; of one calibration, or of one instrument, else of all. `overall`: no
    slices, of which there may be many, but for what an audit is of.
    """
    sql = (files("grader.calibration") / "kept.sql").read_text(encoding="utf-8")
    rows = store.records(sql, [calibration_id, instrument.rubric if instrument else None, overall])
    found = [_read(row) for row in rows]
    return [k for k in found if instrument is None or k.instrument.identity == instrument.identity]


def _read(row: Mapping[str, Any]) -> Kept:
    told = json.loads(row["figures"])
    return Kept(
        calibration_id=row["calibration_id"], plan_id=row["plan_id"], run_id=row["run_id"],
        splits=tuple(json.loads(row["splits"])), seed=row["seed"],
        calibrated_at=row["calibrated_at"].replace(tzinfo=UTC), began=(_utc(row["first_at"]), _utc(row["last_at"])),
        instrument=Instrument(**{name: row[name] for name in _INSTRUMENT}), criterion=row["criterion"],
        option=row["option"], dimension=row["dimension"], slice=row["slice"], standing=row["standing"],
        sentence=row["sentence"], n_population=row["n_population"], n_labelled=row["n_labelled"],
        figures={name: Figure(**told[name]) for name in FIGURES if told.get(name)},
        details={name: value for name, value in told.items() if name not in FIGURES},
        parts=tuple(Part(**part) for part in json.loads(row["parts"])),
    )  # fmt: skip


_INSTRUMENT: Sequence[str] = (
    "judge", "model", "parameters_hash", "prompt_hash", "rubric", "rubric_version", "rubric_hash", "together",
)  # fmt: skip


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None else None
