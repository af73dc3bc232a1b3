"""WhatsApp Business (Cloud API): a log of its webhooks, with or without the messages that were sent → canonical rows.

A row of the file is one message, one status or one other entry of a payload, however many a line holds. The rows of
one customer are gathered by phone number and business-scoped user id, which may name the same person, and then cut
into sessions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from grader.ingest.rows import Ledger, Parsed, Problem, named
from grader.ingest.source import Source
from grader.ingest.sources.gathered import Item, gathered
from grader.ingest.sources.logged import Logged, Row, logged, part, payloads
from grader.ingest.sources.timeline import time_of
from grader.ingest.sources.whatsapp_business_options import Options, options
from grader.ingest.sources.whatsapp_business_sessions import joined
from grader.ingest.sources.whatsapp_business_units import is_payload, is_request, units
from grader.model import JsonValue

__all__ = ["Options", "options", "read", "recognises"]

_ABOUT_SOMEBODY = {"message", "status", "call", "preference", "link"}
_CURE = "hand in what the Cloud API's webhooks give (docs/sources/whatsapp_business.md), or use a mapping"
_NOTHING = "nothing to mend: it says nothing of a conversation; grep such rows out where every row has to go in"


def recognises(rows: list[JsonValue]) -> str | None:
    """Why these first rows are WhatsApp's, None if nothing says so."""
    for row in rows:
        for value, _ in payloads(row, is_payload):
            if not is_payload(value):
                continue
            if is_request(value):
                return "a row is a message sent through WhatsApp's Cloud API"
            return "a row is a webhook of WhatsApp's Cloud API"
    return None


def read(source: Source, ledger: Ledger, options: Options = Options()) -> Iterator[Parsed]:  # noqa: B008 - frozen
    """Every row of the file. Raises InputError where the disk has no room to gather them."""
    log = _Log(source, ledger)
    yield from gathered(log.items(), lambda items: joined(items, options, ledger, log.until))


class _Log:
    """The rows, and the latest time that any of them tells."""

    def __init__(self, source: Source, ledger: Ledger) -> None:
        self._source, self._ledger = source, ledger
        self.until: datetime | None = None

    def items(self) -> Iterator[Item | Parsed]:
        """Every row with the names of its customer, or what is wrong with it."""
        for row in logged(self._source, self._ledger, is_payload):
            if isinstance(row, Parsed):
                yield row
            elif not is_payload(row.value):
                yield _unknown(row)
            else:
                found = list(units(row.value, row.envelope))
                for unit in found:
                    yield self._item(unit, row, len(found))

    def _item(self, unit: Row, row: Logged, of: int) -> Item | Parsed:
        if unit["about"] not in _ABOUT_SOMEBODY:
            reason = f"no message of a conversation stands in it ({unit['about'][:80]})"
            return Parsed(row.line, row.begin, problem=Problem(None, reason, _NOTHING))
        who = unit["customer"]
        ids = (("group", who.get("group")),) if who.get("group") else (
            ("wa", who.get("wa")), ("user", who.get("user")), ("user", who.get("parent")),
            *(("user", one) for one in who.get("former", ())),
        )  # fmt: skip
        names = tuple(f"{kind}:{one}" for kind, one in ids if one)
        if not names:
            reason = f"the {unit['about']} names no customer, neither by number nor by user id"
            return Parsed(row.line, row.begin, problem=Problem("from", reason, _CURE))
        time = time_of(unit["what"].get("timestamp"), self._ledger) or time_of(row.logged_at, self._ledger)
        self.until = max((one for one in (self.until, time) if one), default=None)
        return Item(names, row.line, row.begin, row.size // of, {**unit, "logged_at": row.logged_at})


def _unknown(row: Logged) -> Parsed:
    value = row.value
    if not isinstance(value, dict):
        reason = f"a row must be an object, this is {named(value)}"
    elif part(value, "response") or value.get("status") == "read":
        reason = "it marks a message as read, or answers a request; no message stands in it"
    else:
        reason = (
            f"this is no webhook of WhatsApp's (its fields: {', '.join(key[:40] for key in list(value)[:8]) or 'none'})"
        )
    return Parsed(row.line, row.begin, problem=Problem(None, reason, _CURE))
