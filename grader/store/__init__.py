"""The database: one DuckDB file, one writer. The grade side writes to it, the analyse side reads from it.

`open_store(path)` is the way in. Queries of the analyse side are its own: they come in as SQL through `rows` and
`records`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from grader.model import Conversation, JsonValue, Judgement, Policy
from grader.store import inflow, outflow, results
from grader.store.connection import Connection, Row, connect
from grader.store.inflow import AddCounts, Incoming
from grader.store.outflow import SELECTABLE, Member
from grader.store.results import CallRecord

__all__ = ["SELECTABLE", "AddCounts", "CallRecord", "Member", "Store", "copy_inflow", "open_store"]


class RejectedRow(Protocol):
    """A row that could not be taken in, as `grader.ingest` describes it."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int | None: ...
    @property
    def field(self) -> str | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def cure(self) -> str | None: ...
    @property
    def excerpt(self) -> str | None: ...


class Store:
    """One open database. Every error that leaves it is a StoreError, or an InputError about a selection."""

    def __init__(self, connection: Connection) -> None:
        self._con = connection
        self.path = connection.path

    # ── reading ──

    def rows(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        """All rows of one statement."""
        return self._con.rows(sql, parameters)

    def records(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[dict[str, Any]]:
        """All rows of one statement, by column name."""
        return self._con.records(sql, parameters)

    def conversation(self, conversation_id: str) -> Conversation | None:
        """One conversation, whole."""
        return next(iter(outflow.conversations(self._con, [conversation_id])), None)

    def conversations(self, ids: Sequence[str]) -> list[Conversation]:
        """Conversations in the order of `ids`; an unknown id is left out."""
        return outflow.conversations(self._con, ids)

    def population(self, select: Sequence[tuple[str, str]] = ()) -> list[Member]:
        """The conversations that meet a selection, without their texts."""
        return outflow.population(self._con, select)

    def policies(self) -> list[Policy]:
        """Every policy and version."""
        return outflow.policies(self._con)

    def judged(self, keys: Iterable[str]) -> set[str]:
        """Which of these verdict keys have a judgement."""
        return outflow.existing(self._con, "judgement", "key", keys)

    def failed_for_good(self, keys: Iterable[str]) -> set[str]:
        """Which of these verdict keys have no judgement and a latest failure that will not pass by itself."""
        return outflow.failed_for_good(self._con, keys)

    def standing_failures(self, run_id: str | None = None) -> list[dict[str, Any]]:
        """The failures that no judgement has ended, the latest of each key, with how often it was tried."""
        return self.records(
            "select conversation_id, rubric, arg_max(cause, failed_at) as cause, arg_max(detail, failed_at) as detail, "
            "arg_max(http_status, failed_at) as http_status, arg_max(retryable, failed_at) as retryable, "
            "max(failed_at) as failed_at, count(*) as n_times, arg_max(run_id, failed_at) as run_id, key from failure "
            "where key not in (select key from judgement) group by key, conversation_id, rubric "
            "having $run is null or list_contains(list(run_id), $run) order by cause, conversation_id, rubric",
            {"run": run_id},
        )

    def rubric_hashes(self, name: str, version: str) -> tuple[str, str] | None:
        """(meaning hash, label hash) under which this version was used, None if it never was."""
        found = self.rows("select meaning_hash, label_hash from rubric where name = ? and version = ?", [name, version])
        return (found[0][0], found[0][1]) if found else None

    def absorbed(self, journal: str) -> int:
        """How many bytes of this journal have been taken in."""
        found = self.rows("select absorbed_bytes from journal where name = ?", [journal])
        return int(found[0][0]) if found else 0

    def contents(self) -> dict[str, Any]:
        """What is there, for a person: rows by table, conversations by queue, channel and language, dates, runs."""
        tables = [
            name for (name,) in self.rows("select table_name from duckdb_tables() where not internal order by all")
        ]
        found: dict[str, Any] = {
            "tables": {t: self.rows(f'select count(*) from "{t}"')[0][0] for t in tables if t != "migration"}
        }
        for name in ("queue", "channel", "language"):
            counted = self.rows(f"select {name}, count(*) from conversation group by all order by 2 desc, 1 limit 50")
            found[name] = {value or "(none)": n for value, n in counted}
        found["from"], found["to"] = self.rows("select min(started_at), max(started_at) from conversation")[0]
        found["runs"] = self.records(
            "select run_id as run, state, judge, n_planned as planned, n_reused as reused, n_judged as judged, "
            "n_failed as failed from run order by started_at desc, run_id desc limit 20"
        )
        return found

    # ── taking in ──

    def add(self, batch: Sequence[tuple[Incoming, str | None, int | None]], ingest_id: str | None = None) -> AddCounts:
        """Take in (record, file, line) triples in one transaction; the same record twice changes nothing."""
        return inflow.add(self._con, batch, ingest_id)

    def begin_ingest(self, path: str, format: str, size: int | None) -> str:  # noqa: A002 - the field's word
        """Note that a file is being read; returns the id that its rows carry."""
        ingest_id = f"in_{uuid.uuid4().hex}"
        now = inflow.utc_text(datetime.now(UTC))
        row = {
            "ingest_id": ingest_id,
            "path": path,
            "format": format,
            "bytes": size,
            "started_at": now,
            "finished_at": now,
        }
        zero = dict.fromkeys(("rows_in", "kept", "rejected", "n_new", "n_changed", "n_unchanged"), 0)
        self._con.insert("ingest", [{**row, **zero}])
        return ingest_id

    def end_ingest(self, ingest_id: str, rows_in: int, kept: int, rejected: int, counts: AddCounts) -> None:
        """Note how the file was read: rows in = kept + rejected."""
        self.rows(
            "update ingest set rows_in = ?, kept = ?, rejected = ?, n_new = ?, n_changed = ?, n_unchanged = ?, "
            "finished_at = ? where ingest_id = ?",
            [
                rows_in,
                kept,
                rejected,
                counts.new,
                counts.changed,
                counts.unchanged,
                inflow.utc_text(datetime.now(UTC)),
                ingest_id,
            ],
        )

    def add_rejections(self, ingest_id: str, rejected: Sequence[RejectedRow]) -> None:
        """Keep the rows that could not be taken in, with where and why."""
        fields = ("file", "line", "field", "reason", "cure", "excerpt")
        self._con.insert(
            "rejection", [{"ingest_id": ingest_id, **{f: getattr(r, f) for f in fields}} for r in rejected]
        )

    # ── results ──

    def append(
        self,
        run_id: str,
        judgements: Sequence[Judgement],
        calls: Sequence[CallRecord] = (),
        journal: tuple[str, int] | None = None,
    ) -> int:
        """Store judgements, failures and calls in one transaction; what is there already is left out."""
        return results.append(self._con, run_id, judgements, calls, journal)

    def add_rubric(
        self, name: str, version: str, hashes: tuple[str, str], title: str, body: JsonValue,
        criteria: Sequence[Mapping[str, JsonValue]], at: datetime,
    ) -> None:  # fmt: skip
        """Keep a rubric's text with its (meaning, label) hashes."""
        results.add_rubric(self._con, name, version, hashes, title, body, criteria, at)

    def add_prompt(self, prompt_hash: str, body: JsonValue, at: datetime) -> None:
        """Keep the prompt templates under their hash."""
        if not outflow.existing(self._con, "prompt", "prompt_hash", [prompt_hash]):
            self._con.insert(
                "prompt", [{"prompt_hash": prompt_hash, "body": body, "first_used_at": inflow.utc_text(at)}]
            )

    def start_run(self, run: Mapping[str, JsonValue]) -> None:
        """Write a run's row."""
        results.start_run(self._con, run)

    def update_run(self, run_id: str, changes: Mapping[str, JsonValue]) -> None:
        """Set some fields of a run's row."""
        results.update_run(self._con, run_id, changes)

    def add_run_items(self, run_id: str, items: Sequence[results.RunItem]) -> None:
        """List what a run is about, as (conversation, rubric, key, reused, inclusion probability, stratum)."""
        results.add_run_items(self._con, run_id, items)

    def close(self) -> None:
        """Close the file."""
        self._con.close()


@contextmanager
def open_store(
    path: Path, *, read_only: bool = False, memory: str | None = None, threads: int | None = None
) -> Iterator[Store]:
    """Open the database (made when it is not there, unless `read_only`), close it at the end. Raises StoreError."""
    store = Store(connect(path, read_only=read_only, memory=memory, threads=threads))
    try:
        yield store
    finally:
        store.close()


# What does not come from journals: inputs, and what describes runs.
_INFLOW = (
    "conversation", "message", "event", "contact", "identity", "policy", "outcome", "label", "ingest", "rejection",
    "rubric", "criterion", "prompt", "run", "run_item",
)  # fmt: skip


def copy_inflow(old: Path, store: Store) -> int:
    """Copy everything but results from another database file; returns how many conversations. Raises StoreError."""
    store.rows(f"attach '{str(old).replace(chr(39), chr(39) * 2)}' as old (read_only)")
    try:
        for table in _INFLOW:
            store.rows(f"insert into {table} by name select * from old.{table}")
    finally:
        store.rows("detach old")
    return int(store.rows("select count(*) from conversation")[0][0])
