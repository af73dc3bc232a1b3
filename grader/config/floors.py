"""What is set for single codes: how well each must be seen, whatever its severity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from grader.config.values import Number, Table


@dataclass(frozen=True, slots=True)
class Floors(Table):
    """The least sensitivity of a code, by its name."""

    @property
    def expected(self) -> str:
        """What it takes."""
        return 'a table of numbers from 0 to 1, such as "accuracy.invented_deadline" = 0.8 under [gate.floors]'

    def read(self, raw: object) -> Mapping[str, float]:
        """Floors by name; `accuracy.invented_deadline` without quotes is a table in a table, and means the same."""
        if not isinstance(raw, Mapping):
            raise ValueError(self.expected)
        found: dict[str, float] = {}
        for name, value in raw.items():
            inner = self.read(value).items() if isinstance(value, Mapping) else [("", self._floor(value))]
            found |= {f"{name}.{below}" if below else str(name): floor for below, floor in inner}
        return MappingProxyType(found)

    def show(self, value: Any) -> object:
        """As a plain table."""
        return dict(value)

    def _floor(self, raw: object) -> float:
        try:
            floor = Number(0, 1).read(raw)
        except ValueError:
            raise ValueError(self.expected) from None
        return float(floor or 0)
