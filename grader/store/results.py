"""What was found: runs, judgements with their verdicts and evidence, failures, calls. Every write may come twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grader.model import CallStats, Evidence, JsonValue, Judgement, Verdict
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
    return con.atomically(lambda: _append(con, run_id, judgements, calls, journal))


def _append(
    con: Connection, run_id: str, judgements: Sequence[Judgement], calls: Sequence[CallRecord],
    journal: tuple[str, int] | None,
) -> int:  # fmt: skip
    good: dict[str, Judgement] = {}
    for judgement in judgements:
        if judgement.failure is None:
            good.setdefault(judgement.key, judgement)
    bad = {(j.key, utc_text(j.judged_at)): j for j in judgements if j.failure is not None}
    for key in _there(con, "judgement", "key", list(good)):
        del good[key]
    con.insert("judgement", [_judgement(j, run_id) for j in good.values()])
    con.insert("verdict", [row for j in good.values() for row in _verdicts(j)])
    con.insert("evidence", [row for j in good.values() for row in _evidence(j)])
    if bad:
        keys = [[key for key, _ in bad]]
        for key, at in con.rows("select key, failed_at from failure where key in (select unnest(?))", keys):
            bad.pop((key, at.isoformat(sep=" ")), None)
    con.insert("failure", [_failure(j, run_id) for j in bad.values()])
    fresh = {c.call_id: c for c in calls}
    for call_id in _there(con, "call", "call_id", list(fresh)):
        del fresh[call_id]
    con.insert("call", [_call(c) for c in fresh.values()])
    if journal is not None:
        mark(con, *journal)
    return len(good)


def mark(con: Connection, journal: str, absorbed: int) -> None:
    """Note how many bytes of a journal are taken in."""
    con.rows("delete from journal where name = ?", [journal])
    con.rows("insert into journal values (?, ?)", [journal, absorbed])


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
        "content_hash": j.content_hash,
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
    """Keep a rubric's text with its (meaning, label) hashes. Changed labels replace the old ones."""
    with con.transaction():
        known = con.rows("select min(first_used_at) from rubric where name = ? and version = ?", [name, version])[0][0]
        con.rows("delete from rubric where name = ? and version = ?", [name, version])
        con.rows("delete from criterion where rubric = ? and rubric_version = ?", [name, version])
        con.insert("rubric", [{
            "name": name, "version": version, "meaning_hash": hashes[0], "label_hash": hashes[1], "title": title,
            "body": body, "first_used_at": known.isoformat(sep=" ") if known else utc_text(at),
        }])  # fmt: skip
        con.insert("criterion", [{"rubric": name, "rubric_version": version, **c} for c in criteria])


def start_run(con: Connection, run: Mapping[str, JsonValue]) -> None:
    """Write the run's row; see the table `run` for its fields."""
    con.insert("run", [dict(run)])


def begin_run(
    con: Connection, run: Mapping[str, JsonValue], items: Callable[[], Iterable[Sequence[RunItem]]],
    journal: tuple[str, int] | None = None,
) -> None:  # fmt: skip
    """Write the run's row with what it is about, a few items at a time, in one transaction; not when it is there."""
    run_id = str(run["run_id"])

    def begin() -> None:
        if not con.rows("select 1 from run where run_id = ?", [run_id]):
            start_run(con, run)
        if not con.rows("select 1 from run_item where run_id = ? limit 1", [run_id]):
            for chunk in items():
                add_run_items(con, run_id, chunk)
        if journal is not None:
            mark(con, *journal)

    con.atomically(begin)


def update_run(con: Connection, run_id: str, changes: Mapping[str, JsonValue]) -> None:
    """Set some fields of the run's row."""
    assignments = ", ".join(f'"{name}" = ?' for name in changes)
    con.rows(f"update run set {assignments} where run_id = ?", [*changes.values(), run_id])


# What a run that was killed did is read from what it left: the row still has the zeros that it began with.
_INTERRUPTED = """
update run set
    state = 'interrupted',
    finished_at = (
        select greatest(run.started_at, max(judged_at)) from (
            select run_id, judged_at from judgement union all select run_id, failed_at from failure
        ) as done
        where done.run_id = run.run_id
    ),
    n_judged = (select count(*) from judgement where judgement.run_id = run.run_id),
    n_failed = (
        select count(distinct key) from failure where failure.run_id = run.run_id
        and not exists (select 1 from judgement where judgement.key = failure.key)
    ),
    cost_usd = (
        select case when count(*) filter (cost_usd is null and prompt_tokens is not null) = 0
        then coalesce(sum(cost_usd), 0) end from call where call.run_id = run.run_id
    )
where state = 'running'
"""


def end_killed_runs(con: Connection) -> None:
    """Runs whose process is gone are interrupted; their counts and cost are made up from what was stored."""
    if con.rows("select 1 from run where state = 'running' limit 1"):
        con.rows(_INTERRUPTED)


RunItem = tuple[str, str, str, bool, float, str | None]
_RUN_ITEM = ("conversation_id", "rubric", "key", "reused", "inclusion_probability", "stratum")
RUN_ITEMS_AT_ONCE = 2_000


def add_run_items(con: Connection, run_id: str, items: Sequence[RunItem]) -> None:
    """List what a run is about, as (conversation, rubric, key, reused, inclusion probability, stratum)."""
    for start in range(0, len(items), RUN_ITEMS_AT_ONCE):
        chunk = items[start : start + RUN_ITEMS_AT_ONCE]
        con.insert("run_item", [{"run_id": run_id, **dict(zip(_RUN_ITEM, item, strict=True))} for item in chunk])


def standing_failures(con: Connection, run_id: str | None) -> list[dict[str, Any]]:
    """The failures that no judgement has ended, the latest of each key, with how often it was tried.

    Without a run, those of conversations that have changed since are left out: nobody asks for them any more.
    """
    return con.records(
        """
        select conversation_id, rubric, cause, detail, http_status, retryable, failed_at,
               count(*) over same as n_times, run_id, key,
               (select any_value(model) from run where run.run_id = failure.run_id) as model
        from failure
        where not exists (select 1 from judgement where judgement.key = failure.key)
          and ($run is not null or exists (
              select 1 from conversation as c
              where c.conversation_id = failure.conversation_id and c.content_hash = failure.content_hash
          ))
        window same as (partition by key)
        qualify row_number() over (partition by key order by failed_at desc, run_id desc) = 1
            and ($run is null or list_contains(list(run_id) over same, $run))
        order by cause, conversation_id, rubric, key
        """,
        {"run": run_id},
    )


def judgements(con: Connection, keys: Sequence[str]) -> list[Judgement]:
    """The judgements stored under these keys, verdicts and evidence included, verdicts by criterion. One that is
    stored twice comes twice.
    """
    asked = [list(keys)]
    evidence: dict[tuple[str, str], list[Evidence]] = {}
    for key, criterion, message, quote, verified, problem in con.rows(
        "select key, criterion, message, quote, verified, problem from evidence where key in (select unnest(?)) "
        "order by key, criterion, position",
        asked,
    ):
        found = Evidence(message=message, quote=quote, verified=verified, problem=problem)
        evidence.setdefault((key, criterion), []).append(found)
    verdicts: dict[str, list[Verdict]] = {}
    for key, criterion, answer, support, reasoning in con.rows(
        "select key, criterion, answer, support, reasoning from verdict where key in (select unnest(?)) "
        "order by key, criterion",
        asked,
    ):
        verdicts.setdefault(key, []).append(Verdict(
            criterion=criterion, answer=answer, support=support, reasoning=reasoning,
            evidence=tuple(evidence.get((key, criterion), ())),
        ))  # fmt: skip
    names = (*_JUDGEMENT, "judged_at")
    return [
        Judgement(**dict(zip(names, row, strict=True)), verdicts=tuple(verdicts.get(row[0], ())))
        for row in con.rows(f"select {', '.join(names)} from judgement where key in (select unnest(?))", asked)
    ]
