"""The conversations of a run with everything that was found in them, for people to read and for export.

Reads only. Which conversations come first is decided in `ranking`; how they are shown, in `grader.report`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grader.model import Conversation, Evidence, Policy
from grader.outcomes import chain
from grader.outcomes.figures import body, find_run, query
from grader.outcomes.reader import Reader


@dataclass(frozen=True, slots=True)
class Found:
    """One verdict with its quotes, its criterion's title and severity, and what judged it."""

    conversation_id: str
    key: str
    rubric: str
    rubric_version: str
    code: str
    title: str
    severity: str
    scale: str
    answer: str
    support: str
    reasoning: str | None
    flagged: bool
    unsupported: bool
    queue: str | None
    channel: str | None
    language: str | None
    started_at: datetime | None
    judge: str
    model: str
    prompt_hash: str
    judged_at: datetime
    truncated: bool
    content_hash: str
    stratum: str | None
    inclusion_probability: float
    called: bool = False  # by a call to a model; a rule or a reused text may have needed none
    cost_usd: float | None = None  # of the call, which may have answered other rubrics too; None: not known
    sharing: tuple[str, ...] = ()  # the rubrics that the call answered
    repeats: tuple[str, ...] = ()  # the answers of all repeats, where there were several
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """A judgement that is not there. `state` is failed or pending."""

    conversation_id: str
    rubric: str
    state: str
    cause: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Return:
    """A conversation of the same contact before or after. `same`: about the same issue, None where nothing tells;
    `how` that is known: reference, reason, source reason, text. `shared`: references that both name, as (kind, value).
    """

    id: str
    at: datetime
    same: bool | None
    how: str | None
    shared: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Followup:
    """What happened afterwards. `basis` is `clock` where the recontact clock runs, else why it does not."""

    conversation_id: str
    clock_at: datetime | None
    next_at: datetime | None
    next_id: str | None
    same_issue_at: datetime | None
    unknown_issue_at: datetime | None  # the first return of which it is not known whether it is about the same issue
    basis: str
    data_end: datetime | None
    csat: float | None
    csat_comment: str | None
    handled_by: str | None = None
    resolution_minutes: float | None = None
    handle_minutes: float | None = None
    returns: tuple[Return, ...] = ()  # of the next 20 within 30 days, the first one first
    before: tuple[Return, ...] = ()  # what this one is a return of, the latest first; `at` is when that ended


@dataclass(frozen=True, slots=True)
class Said:
    """Who of the people that label gave this answer to a criterion, without sight of a verdict."""

    rubric: str
    code: str
    answer: str
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation of the run. `changed`: its text is not the one that was judged."""

    conversation: Conversation
    verdicts: tuple[Found, ...]
    missing: tuple[Missing, ...]
    followup: Followup
    changed: bool
    people: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """What a rubric says of one code, as it was when it judged. Empty where its text is not stored."""

    question: str = ""
    present: str = ""
    options: tuple[tuple[str, str], ...] = ()


def conversation_ids(reader: Reader, run_id: str | None = None) -> tuple[str, ...]:
    """Every conversation of the run, oldest first."""
    return tuple(row[0] for row in reader.rows(query("ids"), [find_run(reader, run_id)]))


def verdicts(reader: Reader, run_id: str | None = None, ids: Sequence[str] | None = None) -> tuple[Found, ...]:
    """Every verdict of the run with its quotes, or those of some conversations."""
    run_id = find_run(reader, run_id)
    return _verdicts(lambda name: reader.records(query(name), [run_id, None if ids is None else list(ids)]))


def missing(reader: Reader, run_id: str | None = None, ids: Sequence[str] | None = None) -> tuple[Missing, ...]:
    """Every judgement of the run that failed or is pending, or those of some conversations."""
    params = [find_run(reader, run_id), None if ids is None else list(ids)]
    return tuple(Missing(**row) for row in reader.records(query("unjudged"), params))


class Batches:
    """A run that is read in batches: what needs all of it is there already."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def verdicts(self, ids: Sequence[str]) -> tuple[Found, ...]:
        """The verdicts of these conversations, with their quotes."""
        return _verdicts(lambda name: self._records(name, ids))

    def cases(self, ids: Sequence[str]) -> tuple[Case, ...]:
        """These conversations, whole, in the order of `ids`. One that is no longer in the database is left out."""
        by_id: dict[str, list[Found]] = {}
        for found in self.verdicts(ids):
            by_id.setdefault(found.conversation_id, []).append(found)
        gone: dict[str, list[Missing]] = {}
        for row in self._records("unjudged", ids):
            gone.setdefault(row["conversation_id"], []).append(Missing(**row))
        followups = {
            row["conversation_id"]: Followup(
                **{**row, "returns": _returns(row["returns"]), "before": _returns(row["before"])}
            )
            for row in self._reader.records(
                "select * from followup where conversation_id in (select unnest($1::varchar[]))", [list(ids)]
            )
        }
        people: dict[str, list[Said]] = {}
        for row in self._records("people", ids):
            said = Said(row["rubric"], row["code"], row["answer"], tuple(row["reviewers"]))
            people.setdefault(row["conversation_id"], []).append(said)
        return tuple(
            Case(
                conversation=conversation,
                verdicts=tuple(by_id.get(conversation.conversation_id, ())),
                missing=tuple(gone.get(conversation.conversation_id, ())),
                followup=followups[conversation.conversation_id],
                people=tuple(people.get(conversation.conversation_id, ())),
                changed=any(
                    found.content_hash != conversation.content_hash
                    for found in by_id.get(conversation.conversation_id, ())[:1]
                ),
            )
            for conversation in self._reader.conversations(ids)
        )

    def _records(self, name: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        answered = f"with answered as (\n{chain.text('run', 'answered')})"
        return self._reader.records(f"{answered}\n{body(name)}".replace("$2", "$1"), [list(ids)])


@contextmanager
def batches(reader: Reader, run_id: str | None = None) -> Iterator[Batches]:
    """The run, with what belongs to all of it made once, as temporary tables."""
    run_id = find_run(reader, run_id)

    def make(name: str, sql: str, *values: object) -> None:
        reader.rows(f"create or replace temp table {name} as\n{sql}", values)

    try:
        make("failed", chain.text("run", "failed"), run_id)
        make("item", chain.text("run", "item"), run_id)
        for name in ("subject", "counted"):
            make(name, chain.text("run", name))
        make("version", chain.text("run", "version"), run_id)
        make("followup", query("followup", "returns"), run_id, None)
        yield Batches(reader)
    finally:
        for name in ("failed", "item", "subject", "counted", "version", "followup"):
            reader.rows(f"drop table if exists temp.{name}", [])


def cases(reader: Reader, run_id: str | None, ids: Sequence[str]) -> tuple[Case, ...]:
    """These conversations, whole, in the order of `ids`. One that is no longer in the database is left out."""
    with batches(reader, run_id) as run:
        return run.cases(ids)


def _verdicts(records: Callable[[str], list[dict[str, Any]]]) -> tuple[Found, ...]:
    quotes: dict[tuple[str, str], list[Evidence]] = {}
    for row in records("evidence"):
        key, code = row.pop("key"), row.pop("code")
        quotes.setdefault((key, code), []).append(Evidence(**row))
    return tuple(
        Found(**{
            **row, "sharing": tuple(row["sharing"]), "repeats": tuple(row["repeats"]),
            "evidence": tuple(quotes.get((row["key"], row["code"]), ())),
        })
        for row in records("verdict")
    )  # fmt: skip


def _returns(rows: Sequence[dict[str, Any]]) -> tuple[Return, ...]:
    return tuple(Return(**{**row, "shared": tuple(_reference(written) for written in row["shared"])}) for row in rows)


def _reference(written: str) -> tuple[str, str]:
    kind, _, value = written.partition("\x1f")  # as `issue.sql` writes them
    return kind, value


def policies(reader: Reader) -> tuple[Policy, ...]:
    """Every policy, so that a broken clause can be shown where it stands."""
    return tuple(reader.policies())


def wordings(reader: Reader, run_id: str | None = None) -> dict[tuple[str, str, str], Wording]:
    """The criteria's texts by (rubric, version, code), of the versions that this run is about."""
    sql = query("wording")
    found: dict[tuple[str, str, str], Wording] = {}
    for name, version, written in reader.rows(sql, [find_run(reader, run_id)]):
        text = json.loads(written)
        criteria = text.get("criteria") if isinstance(text, dict) else None
        for criterion in criteria if isinstance(criteria, list) else ():
            if isinstance(criterion, dict) and isinstance(criterion.get("code"), str):
                found[name, version, criterion["code"]] = _wording(criterion)
    return found


def _wording(criterion: dict[str, Any]) -> Wording:
    options = criterion.get("options")
    return Wording(
        question=str(criterion.get("question") or ""),
        present=str(criterion.get("present") or ""),
        options=tuple((str(k), str(v)) for k, v in options.items()) if isinstance(options, dict) else (),
    )
