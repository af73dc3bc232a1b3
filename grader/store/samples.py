"""Samples: what was drawn, as the documents that plan files hold (see `grader.sampling.plan`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from grader.store.connection import Connection
from grader.store.inflow import utc_text

_SAME = ("sample_id", "design", "parameters", "seed", "selection", "frame", "frame_hash", "n_frame", "grader_version")


def add_sample(con: Connection, document: Mapping[str, Any]) -> bool:
    """Keep a sample, whole or not at all; False where it is there already."""
    sample_id = document["sample_id"]

    def keep() -> bool:
        if con.rows("select 1 from sample where sample_id = ?", [sample_id]):
            return False
        times = {name: _stored(document[name]) for name in ("data_end", "drawn_at")}
        con.insert("sample", [{**{name: document[name] for name in _SAME}, **times}])
        con.insert("sample_stratum", [
            {"sample_id": sample_id, "position": position,
             **{name: row[name] for name in ("stratum", "n_population", "n_drawn")}}
            for position, row in enumerate(document["strata"], 1)
        ])  # fmt: skip
        con.insert("sample_item", [{"sample_id": sample_id, **row} for row in document["drawn"]])
        return True

    return con.atomically(keep)


def sample_ids(con: Connection) -> list[str]:
    """Every sample's id, the latest first."""
    return [i for (i,) in con.rows("select sample_id from sample order by drawn_at desc, sample_id")]


def sample(con: Connection, sample_id: str) -> dict[str, Any] | None:
    """The document of a sample, without its format; None where there is none."""
    found = con.records("select * from sample where sample_id = ?", [sample_id])
    if not found:
        return None
    told = found[0]
    for name in ("parameters", "selection"):
        told[name] = json.loads(told[name])
    for name in ("data_end", "drawn_at"):
        told[name] = told[name] and told[name].replace(tzinfo=UTC).isoformat()
    told["strata"] = con.records(
        "select stratum, n_population, n_drawn from sample_stratum where sample_id = ? order by position", [sample_id]
    )
    told["drawn"] = con.records(
        "select conversation_id, content_hash, inclusion_probability, stratum from sample_item where sample_id = ? "
        "order by conversation_id",
        [sample_id],
    )
    return told


def _stored(at: str | None) -> str | None:
    return None if at is None else utc_text(datetime.fromisoformat(at))
