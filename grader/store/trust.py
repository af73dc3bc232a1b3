"""What was found out about judges: calibrations, golden sets, promotions. Written once; see `grader.calibration`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from grader.store.connection import Connection
from grader.store.inflow import utc_text


def add_calibration(con: Connection, row: Mapping[str, Any], codes: Sequence[Mapping[str, Any]]) -> bool:
    """Keep a calibration, whole or not at all; False where it is there already."""
    return _add_whole(con, "calibration", "calibration_code", "calibration_id", row, codes)


def add_golden_set(con: Connection, row: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> bool:
    """Keep a golden set, whole or not at all; False where it is there already."""
    return _add_whole(con, "golden_set", "golden_item", "golden_id", row, items)


def add(con: Connection, table: str, row: Mapping[str, Any]) -> None:
    """Keep one record."""
    con.insert(table, [_stored(row)])


def _add_whole(
    con: Connection, table: str, of: str, key: str, row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> bool:
    def keep() -> bool:
        if con.rows(f"select 1 from {table} where {key} = ?", [row[key]]):
            return False
        con.insert(table, [_stored(row)])
        con.insert(of, [{key: row[key], "position": n, **one} for n, one in enumerate(rows, 1)])
        return True

    return con.atomically(keep)


def _stored(row: Mapping[str, Any]) -> dict[str, Any]:
    """Times in UTC, as the database has them."""
    return {name: utc_text(value) if isinstance(value, datetime) else value for name, value in row.items()}
