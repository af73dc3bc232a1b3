"""A conversation that its helpdesk reopened, cut where the customer came back: a return is a conversation of its own.

Helpdesks that reopen a closed conversation would otherwise hide every return from recontact, which counts
conversations. The rule needs nothing of one source: messages and events in canonical form. What an outcome belongs to
is decided here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from grader.ingest.rows import Ledger
from grader.ingest.sources.objects import Row
from grader.ingest.sources.timeline import time_of
from grader.text import neutralise

GAP = timedelta(minutes=15)  # as recontact has it: who writes sooner goes on
_CAUSED = timedelta(minutes=1)  # a reopening so soon before the customer's message came of that message
_REOPENS = ("opened", "reopened", "snoozed", "pending")
_SENT = ("voice", "image", "file")
_SILENT = ("note", "event")
_BUSINESS = ("ai", "human", "unknown")


def beginnings(messages: Sequence[Row], events: Sequence[Row], ledger: Ledger) -> list[int]:
    """The numbers of the messages with which a return begins.

    Such a message is the customer's, says something, and comes more than 15 minutes after the last words before it, in
    a conversation that was closed, and in which the customer had spoken before. No return is an answer: not where a
    colleague or the AI opened the conversation again, or wrote later than 15 minutes after the closing.
    """
    if all(event["kind"] != "closed" for event in events):
        return []
    by_place: dict[int, list[Row]] = {}
    for event in events:
        by_place.setdefault(event["after"], []).append(event)
    found: list[int] = []
    closed = spoke = False
    closed_at: datetime | None = None
    opened_at: datetime | None = None  # by somebody, after the closing
    last: datetime | None = None  # somebody's last words
    for number, message in enumerate(messages, 1):
        at = time_of(message.get("at"), ledger)
        for event in by_place.get(number - 1, ()):
            when = time_of(event.get("at"), ledger)
            if event["kind"] == "closed":
                closed, closed_at, opened_at = True, when, None
            elif closed and event["kind"] in _REOPENS:
                closed, opened_at = when is not None, when
        if message.get("kind") in _SILENT or message["role"] not in ("customer", *_BUSINESS):
            continue
        if message["role"] == "customer":
            by_them = opened_at is None or at is None or at - opened_at <= _CAUSED
            if closed and spoke and by_them and at and last and at - last > GAP and _says_something(message):
                found.append(number)
            spoke = spoke or _says_something(message)
            closed, opened_at = False, None
        elif closed and at and closed_at and at - closed_at > GAP:
            closed = False  # the business has taken it up again
        last = at or last
    return found


def _says_something(message: Row) -> bool:
    return message.get("kind") in _SENT or bool(neutralise(message["text"]).strip())


def parts(row: Row, ledger: Ledger, *, ticket: bool = False, begins: bool = True) -> list[Row]:
    """The row, or its parts: `ID`, then `ID#` with the time of the return, each with a reference to the one before.

    All but the last are closed. By its time a return is known again in a longer export, and in one that lacks the
    beginning. `ticket`: the source calls all of it one issue, so the parts share a reference to the ticket. `begins`:
    of a conversation that is cut off (`truncated`), only the beginning may be missing.
    """
    messages, events = row["messages"], row.get("events") or []
    starts = beginnings(messages, events, ledger)
    if not starts:
        return [row]
    ledger.note(
        "the customer came back to a closed conversation, which is cut there (docs/formats.md tells the rule); "
        "the option split_reopened=no keeps it whole"
    )
    name = str(row["conversation_id"])
    spans = list(pairwise([1, *starts, len(messages) + 1]))
    found: list[Row] = []
    for (begin, end), own in zip(spans, _placed(events, spans, messages, ledger), strict=True):
        part = {**row, "messages": messages[begin - 1 : end - 1], "events": own}
        references = list(row.get("references") or [])
        if ticket and {"kind": "ticket", "value": name} not in references:
            references.append({"kind": "ticket", "value": name})
        if found:
            came = time_of(messages[begin - 1].get("at"), ledger)
            part |= {
                "conversation_id": f"{name}#{came:%Y-%m-%dT%H:%M:%SZ}", "started_at": messages[begin - 1].get("at"),
                "initiated_by": "customer", "truncated": (row.get("truncated") and not begins) or None,
            }  # fmt: skip
            references.append({"kind": "continues", "value": found[-1]["conversation_id"]})
        if end <= len(messages):
            ended = [event.get("at") for event in own if event["kind"] == "closed"]
            part |= {"state": "closed", "ended_at": ended[-1] if ended else None}
        part["references"] = references
        found.append({key: value for key, value in part.items() if value is not None and value != []})
    return found


def _placed(
    events: Sequence[Row], spans: Sequence[tuple[int, int]], messages: Sequence[Row], ledger: Ledger
) -> list[list[Row]]:
    """The events of each part, counted by its own messages. What the customer's return brought about is the return's,
    even where the source wrote it down before the message.
    """
    found: list[list[Row]] = [[] for _ in spans]
    for event in events:
        place = next((n for n, (begin, end) in enumerate(spans) if event["after"] < end), len(spans) - 1)
        if event["after"] == spans[place][1] - 1 and place + 1 < len(spans) and event["kind"] != "closed":
            at = time_of(event.get("at"), ledger)
            back = time_of(messages[spans[place + 1][0] - 1].get("at"), ledger)
            if at and back and back - at <= _CAUSED:
                place += 1
        found[place].append({**event, "after": max(event["after"] - spans[place][0] + 1, 0)})
    return found


def part_at(found: Sequence[Row], at: datetime | None, ledger: Ledger) -> int:
    """The position of the part that a rating is of: the last that had begun; where its time is not known, the last that
    was closed, since helpdesks ask then.
    """
    if at is None:
        return max((n for n, part in enumerate(found) if part.get("state") == "closed"), default=len(found) - 1)
    begun = [(n, time_of(part["messages"][0].get("at"), ledger)) for n, part in enumerate(found) if n]
    return max((n for n, begin in begun if begin and begin <= at), default=0)


def outcomes(
    found: Sequence[Row],
    outcome: Row | None,
    rated_in: int,
    handled_by: Callable[[Row], str | None],
    ledger: Ledger,
) -> list[Row]:
    """The outcome of each part. The rating is that of the part `rated_in`. What the source measured over the whole is
    no part's: the time to resolve follows from each part's own closing, people's time stays in the attributes.
    """
    if outcome is None:
        return []
    if len(found) == 1:
        return [outcome]
    made: list[Row] = []
    for n, part in enumerate(found):
        own: Row = {"handled_by": handled_by(part), "resolution_minutes": _minutes(part, ledger)}
        if n == rated_in:
            own |= {key: outcome.get(key) for key in ("csat", "csat_comment", "observed_at")}
        if n == len(found) - 1:
            whole = {"handle_minutes_of_all_parts": outcome.get("handle_minutes")}
            own["attributes"] = {**outcome.get("attributes", {}), **_known(whole)}
            own["observed_at"] = outcome.get("observed_at")
        own = _known(own)
        if not own.keys() <= {"handled_by", "observed_at", "attributes"} or own.get("attributes"):
            made.append({"conversation_id": part["conversation_id"], **own})
    return made


def _known(row: Mapping[str, object]) -> Row:
    return {key: value for key, value in row.items() if value is not None and value != {}}


def _minutes(part: Row, ledger: Ledger) -> float | None:
    """From a part's beginning to its closing, by the clock."""
    begun, ended = time_of(part.get("started_at"), ledger), time_of(part.get("ended_at"), ledger)
    return (ended - begun).total_seconds() / 60 if begun and ended and ended >= begun else None
