"""The database: one DuckDB file, one writer. The grade side writes to it, the analyse side reads from it.

`open_store(path)` is the way in. Queries of the analyse side are its own: they come in as SQL through `rows` and
`records`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from grader.errors import StoreError
from grader.model import Conversation, JsonValue, Judgement, Policy, Rejected
from grader.people import Keyring, People
from grader.people.key import FILE as KEY_FILE
from grader.store import contacts, inflow, labels, outflow, results, roster, samples, sealing, trust
from grader.store.connection import Connection, Row, check_free, connect
from grader.store.inflow import AddCounts, Incoming
from grader.store.labels import LabelRecord
from grader.store.outflow import NOTHING, SELECTABLE, STRATA_FIELDS, Member
from grader.store.results import RUN_ITEMS_AT_ONCE, CallRecord, RunItem
from grader.store.roster import Barred, Change, Roster
from grader.store.salvage import Salvaged, salvage

__all__ = [
    "NOTHING",
    "RUN_ITEMS_AT_ONCE",
    "SELECTABLE",
    "STRATA_FIELDS",
    "AddCounts",
    "Barred",
    "CallRecord",
    "Change",
    "LabelRecord",
    "Member",
    "Roster",
    "RunItem",
    "Salvaged",
    "Store",
    "check_free",
    "open_store",
]


STATE_FOLDER = ".grader"  # beside the database, as the settings have it where nothing else is said


class Store:
    """One open database. Every error that leaves it is a StoreError, or an InputError about a selection."""

    def __init__(self, connection: Connection, people: People) -> None:
        self._con = connection
        self._people = people
        self._waiting = 0  # identities that have not been settled
        self._later = False  # whether they may wait longer than one file takes
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

    def population(self, select: Sequence[tuple[str, str]] = (), *, zone: tzinfo = UTC) -> list[str]:
        """The ids of the conversations that meet a selection. `zone` is for times without an offset."""
        return outflow.population(self._con, select, zone=zone)

    def frame(
        self, select: Sequence[tuple[str, str]] = (), fields: Sequence[str] = (), *, zone: tzinfo = UTC
    ) -> list[tuple[str, ...]]:
        """The population with these fields of each, as text (`NOTHING` where one has none), to be put into strata."""
        return outflow.frame(self._con, select, fields, zone=zone)

    def content_hashes(self, ids: Sequence[str]) -> dict[str, str]:
        """What a judge can see of these conversations, by id, as a hash; an unknown id is left out."""
        return outflow.content_hashes(self._con, ids)

    def data_end(self) -> datetime | None:
        """The latest time in the data, UTC; None where there is none."""
        found: datetime | None = self.rows("select max(greatest(started_at, ended_at)) from conversation")[0][0]
        return found and found.replace(tzinfo=UTC)

    def sample_ids(self) -> list[str]:
        """The samples that are kept, the latest first."""
        return samples.sample_ids(self._con)

    def sample(self, sample_id: str) -> dict[str, Any] | None:
        """A sample as the document that its plan file holds; None where there is none."""
        return samples.sample(self._con, sample_id)

    def label_plans(self) -> list[tuple[str, str]]:
        """(plan id, form id) of the label plans that are kept, the latest first."""
        return labels.plans(self._con)

    def label_plan(self, plan_id: str) -> dict[str, Any] | None:
        """A label plan as the document that its file holds; None where there is none."""
        return labels.plan(self._con, plan_id)

    def count(self) -> int:
        """How many conversations there are."""
        found: int = self.rows("select count(*) from conversation")[0][0]
        return found

    def members(self, ids: Sequence[str]) -> list[Member]:
        """What planning needs of these conversations, by id; their texts are not read."""
        return outflow.members(self._con, ids)

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
        """The failures that no judgement has ended, the latest of each key, with how often it was tried: all that a
        run met, or those that concern conversations as they are now.
        """
        return results.standing_failures(self._con, run_id)

    def judgements(self, keys: Sequence[str]) -> list[Judgement]:
        """The judgements under these keys, whole, verdicts by criterion; an unknown key is left out."""
        return results.judgements(self._con, keys)

    def rubric_hashes(self, name: str, version: str) -> tuple[str, str] | None:
        """(meaning hash, label hash) under which this version was used, None if it never was."""
        found = self.rows("select meaning_hash, label_hash from rubric where name = ? and version = ?", [name, version])
        return (found[0][0], found[0][1]) if found else None

    def rubric_body(self, name: str, version: str) -> JsonValue:
        """The text under which this version was used, as plain data, None if it never was."""
        found = self.rows("select body from rubric where name = ? and version = ?", [name, version])
        return json.loads(found[0][0]) if found else None

    def absorbed(self, journal: str) -> int:
        """How many bytes of this journal have been taken in."""
        return self.absorbed_all().get(journal, 0)

    def absorbed_all(self) -> dict[str, int]:
        """The same of every journal, by name."""
        return dict(self.rows("select name, absorbed_bytes from journal"))

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
            found[name] = {outflow.NOTHING if value is None else value: n for value, n in counted}
        ends = self.rows("select min(started_at), max(started_at) from conversation")[0]
        found["from"], found["to"] = (at and at.replace(tzinfo=UTC) for at in ends)
        found["runs"] = self.records(
            "select run_id as run, state, judge, n_planned as planned, n_reused as reused, n_judged as judged, "
            "n_failed as failed, if((selection ->> '$.golden') is null, null, selection ->> '$.name') as golden "
            "from run order by started_at desc, run_id desc limit 20"
        )
        return found

    def roster(self) -> Roster:
        """Who the contacts are, by numbers."""
        return roster.roster(self._con)

    def barred(self) -> list[Barred]:
        """The identities that join nobody, most shared first."""
        return roster.barred(self._con)

    def contact_changes(self, limit: int | None = None) -> list[Change]:
        """What became of contacts, the latest first."""
        return roster.changes(self._con, limit)

    def key_fingerprint(self) -> str | None:
        """That of the key of the identities; None: there are none yet."""
        return sealing.fingerprint(self._con)

    # ── taking in ──

    def add(self, batch: Sequence[tuple[Incoming, str | None, int | None]], ingest_id: str | None = None) -> AddCounts:
        """Take in (record, file, line) triples in one transaction; the same record twice changes nothing.

        Within an ingest, contacts are settled now and then, and at its end; else at once.
        """
        counts, waiting = inflow.add(self._con, batch, ingest_id, self._people)
        self._waiting += waiting
        if self._waiting >= contacts.UNSETTLED_AT_MOST:
            self.settle()
        return counts

    @contextmanager
    def contacts_at_the_end(self) -> Iterator[None]:
        """Settle contacts once for many files, since each time takes a look at the whole database."""
        self._later = True
        try:
            yield
        except BaseException:
            with suppress(StoreError):  # the error that led here is the one to report; the next command settles
                self.settle()
            raise
        finally:
            self._later = False
        self.settle()

    def settle(self) -> None:
        """Give the conversations that wait their contacts; nothing where none does, and the bar is as before."""
        self._con.atomically(lambda: contacts.settle(self._con, self._people.barred_above))
        self._waiting = 0

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
        """Note how the file was read: rows in = kept + rejected. Contacts are settled, unless they may wait."""
        if not self._later:
            self.settle()
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

    def add_rejections(self, ingest_id: str, rejected: Sequence[Rejected]) -> None:
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

    def add_sample(self, document: Mapping[str, Any]) -> bool:
        """Keep a sample, whole or not at all; False where it is there already."""
        return samples.add_sample(self._con, document)

    def add_label_plan(self, document: Mapping[str, Any]) -> bool:
        """Keep a label plan, whole or not at all; False where it is there already."""
        return labels.add_plan(self._con, document)

    def add_label_records(
        self, records: Sequence[LabelRecord], now: datetime, current: Sequence[LabelRecord] = ()
    ) -> AddCounts:
        """Keep answers of people: the same again changes nothing, another one is a second record. `current`: those of
        them that stand for what the reviewer says of the conversation.
        """
        return labels.add_records(self._con, records, now, current)

    def open_split(self, plan_id: str, split: str, purpose: str, now: datetime) -> int:
        """Note that the labels of a split are looked at; returns how often they were."""
        return labels.open_split(self._con, plan_id, split, purpose, now)

    def add_calibration(self, row: Mapping[str, Any], codes: Sequence[Mapping[str, Any]]) -> bool:
        """Keep a calibration with what it says of each code; False where it is there already."""
        return trust.add_calibration(self._con, row, codes)

    def add_golden_set(self, row: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> bool:
        """Keep a golden set; False where it is there already."""
        return trust.add_golden_set(self._con, row, items)

    def add_golden_check(self, row: Mapping[str, Any]) -> None:
        """Keep what came out when a golden set was judged again."""
        trust.add(self._con, "golden_check", row)

    def add_promotion(self, row: Mapping[str, Any]) -> None:
        """Keep a decision on a new version, with its evidence."""
        trust.add(self._con, "promotion", row)

    def start_run(self, run: Mapping[str, JsonValue]) -> None:
        """Write a run's row."""
        results.start_run(self._con, run)

    def begin_run(
        self, run: Mapping[str, JsonValue], items: Callable[[], Iterable[Sequence[results.RunItem]]],
        journal: tuple[str, int] | None = None,
    ) -> None:  # fmt: skip
        """Write a run's row and, chunk by chunk, what it is about (`items()` may be read twice), all or nothing; what
        is there already stays."""
        results.begin_run(self._con, run, items, journal)

    def end_run(self, run_id: str, changes: Mapping[str, JsonValue], journal: tuple[str, int]) -> None:
        """Note how a run ended, and that its journal is taken in."""
        with self._con.transaction():  # a few bytes: they fit
            results.update_run(self._con, run_id, changes)
            results.mark(self._con, *journal)

    def mark(self, journal: str, absorbed: int) -> None:
        """Note how many bytes of a journal are taken in."""
        with self._con.transaction():
            results.mark(self._con, journal, absorbed)

    def end_killed_runs(self) -> None:
        """Call runs interrupted whose process is gone (this one is the only writer), with what they did."""
        results.end_killed_runs(self._con)

    def update_run(self, run_id: str, changes: Mapping[str, JsonValue]) -> None:
        """Set some fields of a run's row."""
        results.update_run(self._con, run_id, changes)

    def add_run_items(self, run_id: str, items: Sequence[results.RunItem]) -> None:
        """List what a run is about, as (conversation, rubric, key, reused, inclusion probability, stratum)."""
        results.add_run_items(self._con, run_id, items)

    def salvage(self, old: Path) -> Salvaged:
        """Copy what can be read of another database file, results left out, into this empty one."""
        return salvage(old, self._con, self._people)

    def close(self) -> None:
        """Close the file."""
        self._con.close()


@contextmanager
def open_store(
    path: Path, *, read_only: bool = False, create: bool = True, memory: str | None = None, threads: int | None = None,
    people: People | None = None,
) -> Iterator[Store]:  # fmt: skip
    """Open the database, close it at the end. Raises StoreError.

    It is made when it is not there, unless `read_only` or not to `create`. Within one process, open it once. `people`
    tells where the key of the identities is; without it, where it is in a workspace as `grader init` makes it.
    """
    people = people or People(Keyring(path.parent / STATE_FOLDER / KEY_FILE))
    con = connect(path, read_only=read_only, create=create, memory=memory, threads=threads)
    try:
        if read_only:
            sealing.check_done(con)
        elif sealing.undone(con):
            con.close()
            _bring_up_to_date(path, people)
            con = connect(path, create=False, memory=memory, threads=threads)
        yield Store(con, people)
    finally:
        con.close()


def _bring_up_to_date(path: Path, people: People) -> None:
    """What an older Grader, or a killed one, left undone; in as much memory as it takes."""
    con = connect(path, create=False)
    try:
        if sealing.wanted(con):
            con.atomically(lambda: sealing.seal(con, people))
        con.atomically(lambda: contacts.settle(con, None))
        unscrubbed = sealing.unscrubbed(con)
    finally:
        con.close()
    if unscrubbed:
        sealing.scrub(path)
