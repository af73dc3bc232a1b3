"""Which number of a WhatsApp date is the day: decided by the whole file, by the user, or not at all.

31/12 cannot be the 31st month, and messages do not go back in time. What both leave open is asked for: a file that can
be read in two ways is refused, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from grader.errors import InputError
from grader.ingest.sources.whatsapp_txt_lines import MARKS, Header, Style, Written

ORDERS = ("dmy", "mdy", "ymd", "ydm")  # what a user may name
YEARS = (2000, 2099)  # WhatsApp is of 2009; a year outside is no year of ours
_BACK = 7  # days by which a message may stand behind later ones: it was sent without a connection
_WORDS = {"d": "day", "m": "month", "y": "year"}
_MARK = re.compile(f"[{MARKS}]")
_BUDDHIST = 543  # years: Thai phones count so, and 2566 can be nothing else


def candidates(written: Written) -> tuple[str, ...]:
    """The orders that such dates may have, by the place of the year."""
    if written.style.separator == "年":
        return ("ymd",)
    return {None: ("dmy", "mdy", "ymd", "ydm"), 0: ("ymd", "ydm"), 1: ("myd", "dym"), 2: ("dmy", "mdy")}[
        written.year_at
    ]


@lru_cache(maxsize=4096)
def day_of(numbers: tuple[int, int, int], order: str) -> date | None:
    """The day that three numbers name in this order, None if it is none of this century."""
    year, month, day = (numbers[order.index(part)] for part in "ymd")
    if year < 100:
        year += 2000
    elif YEARS[0] + _BUDDHIST <= year <= YEARS[1] + _BUDDHIST:
        year -= _BUDDHIST
    if not YEARS[0] <= year <= YEARS[1]:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def written_date(raw: bytes) -> str:
    """The date of a header as it is written, for messages."""
    text = _MARK.sub("", raw[:80].decode("utf-8", "replace")).strip().lstrip("[")
    return re.split(r"[\s,\]]", re.sub(r"([./-])\s", r"\1", text), maxsplit=1)[0]


class Example(NamedTuple):
    """A line that shows something, and how its date is written."""

    line: int
    text: str


@dataclass
class _Seen:
    """What the dates of one way of writing have shown so far."""

    orders: tuple[str, ...]
    possible: dict[tuple[str, ...], Example] = field(default_factory=dict)  # the orders that some line allows
    back: dict[str, int] = field(default_factory=dict)  # steps back in time, by order
    ends: dict[str, tuple[date, date, date]] = field(default_factory=dict)  # first, last so far, latest line's
    apart: set[tuple[str, str]] = field(default_factory=set)  # orders that name different days on some line
    last: tuple[int, int, int] | None = None

    def see(self, numbers: tuple[int, int, int], example: Example) -> None:
        self.last = numbers
        days = {order: day for order in self.orders if (day := day_of(numbers, order))}
        if days:
            self.possible.setdefault(tuple(days), example)
        for order, day in days.items():
            first, latest, before = self.ends.get(order, (day, day, day))
            if (before - day).days > _BACK:
                self.back[order] = self.back.get(order, 0) + 1
            self.ends[order] = (min(first, day), max(latest, day), day)
            self.apart |= {(order, other) for other, its in days.items() if its != day}

    def allowed(self) -> list[str]:
        """The orders that every line allows, most likely first; none where lines contradict each other."""
        left = [order for order in self.orders if all(order in found for found in self.possible)]
        if len(self.orders) == len(ORDERS):  # a year of two digits in front: only where time runs forwards so
            left = [order for order in left if not (order.startswith("y") and self.back.get(order))]
        return left

    def span(self, orders: list[str]) -> int:
        return min((self.ends[order][1] - self.ends[order][0]).days for order in orders)

    def narrowed(self) -> list[str]:
        """The orders that are left when time is taken to run forwards."""
        left = self.allowed()
        left = [order for order in left if not self.back.get(order)] or left
        last, first = ([o for o in left if o.startswith("y") is leads] for leads in (False, True))
        if last and first:  # two digits each: the year stands behind, unless that scatters a chat over the years
            left = first if self.span(first) < self.span(last) else last
        if left[:1] == ["ymd"]:
            return ["ymd"]
        differ = any((a, b) in self.apart for a in left for b in left)
        return left if differ else left[:1]


@dataclass
class DateOrders:
    """Collects the dates of a file; `decided` says how each way of writing is read."""

    _seen: dict[Written, _Seen] = field(default_factory=dict)

    def see(self, header: Header, line: int, raw: bytes) -> None:
        """One header of the file, and the line that begins with it."""
        seen = self._seen.get(header.written)
        if seen is None:
            seen = self._seen[header.written] = _Seen(candidates(header.written))
        if header.date != seen.last:
            seen.see(header.date, Example(line, written_date(raw)))

    def decided(
        self, styles: set[Style], asked: str | None, file: str
    ) -> tuple[Mapping[Written, str | None], list[str]]:
        """(the order of each way of writing, None where it stays open; what to note).

        Raises InputError where nothing in the file decides, or lines contradict each other, and the user says nothing.
        """
        orders: dict[Written, str | None] = {}
        notes: list[str] = []
        for written, seen in self._seen.items():
            if written.style not in styles:
                continue
            allowed = seen.allowed()
            if not seen.possible:
                orders[written] = seen.orders[0]  # no order makes days of them: every row will say so
            elif asked in allowed or (not allowed and asked in seen.orders):
                orders[written] = asked
            elif not allowed:
                raise _contradicted(seen, file)
            else:
                left = seen.narrowed()
                orders[written] = left[0] if len(left) == 1 else None
                if asked in seen.orders and len(left) == 1:
                    shown = next(found for orders_, found in seen.possible.items() if asked not in orders_)
                    notes.append(
                        f"date_order is {asked}, but a date such as {shown.text!r} (line {shown.line}) can only be "
                        f"read as {_in_words(left[0])}: so it was"
                    )
        self._inherit(orders)
        if orders and not any(orders.values()):
            raise self._undecided(next(iter(orders)), file)
        return orders, notes

    def _inherit(self, orders: dict[Written, str | None]) -> None:
        """What stays open follows the file's other dates, if these agree about day and month."""
        day_first = {
            order.index("d") < order.index("m")
            for written, order in orders.items()
            if order and written.year_at != 0 and not order.startswith("y")
        }
        if len(day_first) == 1:
            (leads,) = day_first
            for written, order in orders.items():
                if order is None:
                    left = self._seen[written].narrowed()
                    orders[written] = next((o for o in left if (o.index("d") < o.index("m")) is leads), None)

    def _undecided(self, written: Written, file: str) -> InputError:
        seen = self._seen[written]
        example = next(iter(seen.possible.values()))
        ways = " or ".join(f"{order} ({_in_words(order)})" for order in seen.narrowed())
        return InputError(
            f"its dates can be read in two ways: {example.text!r} on line {example.line}, and no line tells which",
            file=file, field="date_order", cure=f"say how the phone writes dates: --option date_order={ways}",
        )  # fmt: skip


def _in_words(order: str) -> str:
    return ", ".join(_WORDS[part] for part in order)


def _contradicted(seen: _Seen, file: str) -> InputError:
    pairs = ((a, b) for way, a in seen.possible.items() for other, b in seen.possible.items() if not {*way} & {*other})
    one, other = next(pairs, (None, None))
    reason = f"no order of day, month and year fits them all, from {next(iter(seen.possible.values())).text!r} on"
    if one and other:
        reason = f"{one.text!r} on line {one.line}, {other.text!r} on line {other.line}"
    return InputError(
        f"its dates contradict each other: {reason}", file=file, field="date_order",
        cure="--option date_order=dmy or mdy says which is right; the others are then rejected as rows",
    )  # fmt: skip
