"""Zendesk's JSON: conversation logs, tickets with their comments or audits, incremental exports, chats, engagements.

A row is one ticket, comment, audit, log event, rating, … as it stands in the file, whether in the list of a reply or on
a line of its own. All rows of a ticket, wherever in the file they stand, are put together to one conversation and one
outcome.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from grader.ingest import canonical
from grader.ingest.rows import Incoming, Ledger, Parsed, Problem
from grader.ingest.source import Source
from grader.ingest.sources.gathered import Item, gathered
from grader.ingest.sources.objects import Node
from grader.ingest.sources.zendesk_options import Options, options
from grader.ingest.sources.zendesk_record import Units, rows_of
from grader.ingest.sources.zendesk_units import kind_of, units
from grader.model import JsonValue

__all__ = ["Options", "options", "read", "recognises"]

_DEFAULT = Options()
_MARK = "\0"
_MARKED = re.compile("\0[0-9]+\0\\.?")
_OWN_LISTS = (
    "tickets", "audits", "ticket_audits", "ticket_events", "satisfaction_ratings", "ticket_metrics", "comments",
    "agent_engagement_data", "chats", "events", "conversation_log", "results", "messages", "survey_responses",
)  # fmt: skip


def read(source: Source, ledger: Ledger, options: Options = _DEFAULT) -> Iterator[Parsed]:
    """Every ticket and chat of the file, put together; what belongs to none comes as a problem, and first."""
    yield from gathered(units(source, ledger), partial(_joined, options=options, ledger=ledger))


def _joined(items: list[Item], options: Options, ledger: Ledger) -> Iterator[Parsed]:
    """The rows of one ticket or chat: its records, or every row rejected, the bad one with its reason."""
    spoilt = next((n for n, item in enumerate(items) if item.value["kind"] == "bad"), None)
    if spoilt is not None:
        unread = items[spoilt].value
        yield from _refused(items, spoilt, Problem(None, unread["reason"], unread["cure"]))
        return
    found = Units(items[0].value["name"], options, ledger)
    for number, item in enumerate(items):
        unit = item.value
        # The same path stands in every page of a reply: the number says whose it is.
        node = Node(unit["raw"], f"{_MARK}{number}{_MARK}{unit['path']}", ledger)
        found.add(unit["kind"], node, unit["about"], unit["more"])
    conversations, outcomes = rows_of(found)
    made: list[Incoming | None] = []
    for row in conversations:
        made += [canonical.conversation(row, ledger)] if not ledger.problems else []
    for row in outcomes:
        made += [canonical.record({"type": "outcome", **row}, ledger)] if not ledger.problems else []
    records = [record for record in made if record is not None]
    if not records and not ledger.problems:
        ledger.problem(None, "says nothing of the ticket that Grader keeps", "leave it out")
    problem = ledger.settle(len(items))
    if problem:
        bad, problem = _whose(problem)
        yield from _refused(items, bad, problem)
        return
    first = items[0]
    yield Parsed(first.line, first.begin, tuple(records), rows=len(items), size=sum(item.size for item in items))


def _whose(problem: Problem) -> tuple[int, Problem]:
    """(the number of the row that has the problem, the problem with the path that it has there)."""
    parts = (problem.field or "").split(_MARK, 2)
    own = parts[2].lstrip(".") if len(parts) == 3 else problem.field
    reason = _MARKED.sub("", problem.reason)
    return int(parts[1]) if len(parts) == 3 else 0, Problem(own or None, reason, problem.cure)


def _refused(items: list[Item], bad: int, problem: Problem) -> Iterator[Parsed]:
    where = f"line {items[bad].line}" + (f", {items[bad].value['path']}" if items[bad].value.get("path") else "")
    other = Problem(problem.field, f"another row of this ticket is bad, that of {where}", "mend that row")
    for number, item in enumerate(items):
        yield Parsed(item.line, item.begin, problem=problem if number == bad else other, size=item.size)


def recognises(rows: list[JsonValue]) -> str | None:
    """Why these first rows are Zendesk's, None if nothing says so."""
    for value in rows:
        for row in value[:3] if isinstance(value, list) else (value,):
            if isinstance(row, dict) and (why := _sign(row)):
                return why
    return None


def _sign(row: Mapping[str, JsonValue]) -> str | None:
    kind = kind_of(row)
    if kind:
        return f"rows are {kind.replace('_', ' ')}s of Zendesk's API"
    for key in _OWN_LISTS:
        listed = row.get(key)
        for one in listed[:3] if isinstance(listed, list) else ():
            if isinstance(one, dict) and kind_of(one):
                return f"it is a reply of Zendesk's API with {key}"
    ticket = row.get("ticket")
    if isinstance(ticket, dict) and kind_of(ticket) == "ticket":
        return "it is a ticket of Zendesk's API"
    return None
