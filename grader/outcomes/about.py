"""What a run is: its row, what it was drawn from and how, and what stood behind its judgements."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class About:
    """The run itself. `models` and `prompts` are those behind its judgements, reused ones too."""

    run_id: str
    started_at: datetime
    finished_at: datetime | None
    state: str
    judge: str
    model: str
    parameters: str
    selection: str
    seed: int | None
    n_population: int  # what the sample was drawn from: what `selection` left of the conversations of that time
    n_stored: int  # conversations in the database now
    cost_usd: float | None
    grader_version: str
    command: str | None
    rubrics: tuple[str, ...]  # "accuracy 1.0.0"
    prompts: tuple[str, ...]
    models: tuple[str, ...]
    n_truncated: int  # judgements that saw only a part of a long conversation
    min_probability: float | None
    max_probability: float | None

    @property
    def even(self) -> bool:
        """Every conversation had the same chance to be drawn, so that plain shares are fair to the population."""
        if self.min_probability is None or self.max_probability is None:
            return True
        return self.max_probability - self.min_probability < 1e-9

    @property
    def sample_id(self) -> str | None:
        """The sample that the run is about; None where it drew for itself."""
        found = self._chosen.get("plan")
        return None if found is None else str(found)

    @property
    def design(self) -> str | None:
        """The design of that sample."""
        return str(self._chosen["design"]) if self.sample_id and "design" in self._chosen else None

    @property
    def frame(self) -> str | None:
        """What the figures are about, in words, where the design left a part of what was selected out."""
        found = self._chosen.get("frame")
        return None if found is None else str(found)

    @property
    def strata_by(self) -> tuple[str, ...]:
        """The fields that the strata were made by; empty where something else made them, or nothing."""
        return tuple(map(str, self._chosen.get("by") or ()))

    @property
    def _chosen(self) -> dict[str, Any]:
        chosen = json.loads(self.selection)
        return chosen if isinstance(chosen, dict) else {}

    @property
    def selected_by(self) -> tuple[str, ...]:
        """What `--select` asked for, as `queue:returns`; empty where every conversation could be drawn."""
        return tuple(":".join(map(str, pair)) for pair in self._chosen.get("select") or ())
