"""What was found: runs, judgements with their verdicts and evidence, failures, calls. Every write may come twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from grader.model import CallStats, JsonValue, Judgement
from grader.store.connection import Connection
from grader.store.inflow import utc_text


@dataclass(frozen=True)
class CallRecord:
    """One call of one run, as the journal keeps it."""

    call_id: str
    run_id: str
    called_at: datetime
    stats: CallStats


def append(
    con: Connection,
    run_id: str,
    judgements: Sequence[Judgement],
    calls: Sequence[CallRecord],
    journal: tuple[str, int] | None = None,
) -> int:
    """Store judgements (or their failures) and calls in one transaction, with how far the journal is taken in.

    What is there already is left out, so that replaying a journal stores nothing twice. Returns how many judgements
    were new. A judgement that arrives ends the failure that stood under its key.
    """
    good = {j.key: j for j in reversed(judgements) if j.failure is None}
    bad = {(j.key, utc_text(j.judged_at)): j for j in judgements if j.failure is not None}
    with con.transaction():
        for key in _there(con, "judgement", "key", list(good)):
            del good[key]
        con.insert("judgement", [_judgement(j, j_run) for j, j_run in ((j, run_id) for j in good.values())])
        con.insert("verdict", [row for j in good.values() for row in _verdicts(j)])
        con.insert("evidence", [row for j in good.values() for row in _evidence(j)])
        standing = (
            con.rows("select key, failed_at from failure where key in (select unnest(?))", [[key for key, _ in bad]])
            if bad
            else []
        )
        for key, failed_at in standing:
            bad.pop((key, failed_at.isoformat(sep=" ")), None)
        con.insert("failure", [_failure(j, run_id) for j in bad.values()])
        fresh = {c.call_id: c for c in calls}
        for call_id in _there(con, "call", "call_id", list(fresh)):
            del fresh[call_id]
        con.insert("call", [_call(c) for c in fresh.values()])
        if journal is not None:
            name, absorbed = journal
            con.rows("delete from journal where name = ?", [name])
            con.rows("insert into journal values (?, ?)", [name, absorbed])
    return len(good)


def _there(con: Connection, table: str, column: str, values: list[str]) -> list[str]:
    if not values:
        return []
    found = con.rows(f"select distinct {column} from {table} where {column} in (select unnest(?))", [values])
    return [value for (value,) in found]


_JUDGEMENT = (
    "key", "conversation_id", "content_hash", "rubric", "rubric_version", "rubric_hash", "prompt_hash", "policy_hash",
    "judge", "model", "parameters_hash", "repeat", "truncated", "call_id",
)  # fmt: skip


def _judgement(j: Judgement, run_id: str) -> dict[str, JsonValue]:
    return {**{name: getattr(j, name) for name in _JUDGEMENT}, "run_id": run_id, "judged_at": utc_text(j.judged_at)}


def _verdicts(j: Judgement) -> list[dict[str, JsonValue]]:
    return [
        {
            "key": j.key,
            "criterion": v.criterion,
            "answer": v.answer,
            "support": v.support.value,
            "reasoning": v.reasoning,
        }
        for v in j.verdicts
    ]


def _evidence(j: Judgement) -> list[dict[str, JsonValue]]:
    return [
        {
            "key": j.key,
            "criterion": v.criterion,
            "position": position,
            "message": e.message,
            "quote": e.quote,
            "verified": e.verified,
            "problem": e.problem,
        }
        for v in j.verdicts
        for position, e in enumerate(v.evidence, 1)
    ]


def _failure(j: Judgement, run_id: str) -> dict[str, JsonValue]:
    assert j.failure is not None  # noqa: S101 - callers sort them out by exactly this
    return {
        "key": j.key,
        "run_id": run_id,
        "conversation_id": j.conversation_id,
        "rubric": j.rubric,
        **j.failure.model_dump(),
        "failed_at": utc_text(j.judged_at),
        "call_id": j.call_id,
    }


def _call(c: CallRecord) -> dict[str, JsonValue]:
    return {"call_id": c.call_id, "run_id": c.run_id, "called_at": utc_text(c.called_at), **c.stats.model_dump()}


def add_rubric(
    con: Connection, name: str, version: str, hashes: tuple[str, str], title: str, body: JsonValue,
    criteria: Sequence[Mapping[str, JsonValue]], at: datetime,
) -> None:  # fmt: skip
    """Keep a rubric's text with its (meaning, label) hashes. Changed labels under the same meaning replace the old."""
    with con.transaction():
        con.rows("delete from rubric where name = ? and version = ?", [name, version])
        con.rows("delete from criterion where rubric = ? and rubric_version = ?", [name, version])
        con.insert("rubric", [{
            "name": name, "version": version, "meaning_hash": hashes[0], "label_hash": hashes[1], "title": title,
            "body": body, "first_used_at": utc_text(at),
        }])  # fmt: skip
        con.insert("criterion", [{"rubric": name, "rubric_version": version, **c} for c in criteria])


def start_run(con: Connection, run: Mapping[str, JsonValue]) -> None:
    """Write the run's row; see the table `run` for its fields."""
    con.insert("run", [dict(run)])


def update_run(con: Connection, run_id: str, changes: Mapping[str, JsonValue]) -> None:
    """Set some fields of the run's row."""
    assignments = ", ".join(f'"{name}" = ?' for name in changes)
    con.rows(f"update run set {assignments} where run_id = ?", [*changes.values(), run_id])


RunItem = tuple[str, str, str, bool, float, str | None]
_RUN_ITEM = ("conversation_id", "rubric", "key", "reused", "inclusion_probability", "stratum")


def add_run_items(con: Connection, run_id: str, items: Sequence[RunItem]) -> None:
    """List what a run is about, as (conversation, rubric, key, reused, inclusion probability, stratum)."""
    for start in range(0, len(items), 2000):
        chunk = items[start : start + 2000]
        con.insert("run_item", [{"run_id": run_id, **dict(zip(_RUN_ITEM, item, strict=True))} for item in chunk])
