"""The period for returns: what the clause says, when the item was delivered, and what the assistant made of it.

Only one delivery day and one clause with a period in days can be compared; damaged and wrong items are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from grader.judge.signals.requests import kind_of
from grader.judge.signals.times import iso_days
from grader.judge.signals.tools import Use
from grader.judge.signals.view import Quote, View, quote

_SHORTEST = 7 * 24  # hours: a period that is meant for returns
_NO_DELIVERY = ("estimat", "expected", "eta")


@dataclass(frozen=True, slots=True)
class Misjudged:
    """Taken back after the period, or refused within it: what was said or done, why it is wrong, by which clause."""

    quote: Quote
    why: str
    clause: str


def misjudged(view: View) -> Misjudged | None:
    """The first act or sentence of the assistant's that the period rules out."""
    period, delivered = _period(view), _delivered(view)
    if period is None or delivered is None:
        return None
    if any(s.words.has("reason_damaged_item", "reason_wrong_item") for s in view.customer):
        return None
    days, clause = period
    end = delivered[1] + timedelta(days=days)
    return _taken_back(view, days, end, clause) or _said_wrongly(view, days, end, clause, delivered[0])


def last_day(view: View) -> date | None:
    """The last day on which the item may be returned; None when it cannot be told."""
    period, delivered = _period(view), _delivered(view)
    return delivered[1] + timedelta(days=period[0]) if period and delivered else None


def _taken_back(view: View, days: int, end: date, clause: str) -> Misjudged | None:
    if view.handed_over is not None:
        return None
    for use in view.uses:
        day = view.day_of(use.number)
        if kind_of(use) in ("return", "exchange") and not use.failed and day is not None and day > end:
            why = (
                f"{use.name} was called in message {use.number} on {day}; {days} days from the delivery ended on {end}."
            )
            return Misjudged(Quote(use.number, use.name), why, clause)
    return None


def _said_wrongly(view: View, days: int, end: date, clause: str, known_from: int) -> Misjudged | None:
    for said in view.ai:
        day = view.day_of(said.number)
        if said.number < known_from or day is None:
            continue
        late = day > end
        for hit in said.words.of("takes_back" if late else "too_late"):
            asks = said.words.sentences[hit.sentence].asks
            if asks or said.words.near(hit, "negates") or said.words.within(hit.sentence, "supposes"):
                continue
            told = "may still be returned" if late else "is too late to return"
            why = f"Message {said.number} of {day} says that the item {told}; {days} days from delivery end on {end}."
            return Misjudged(quote(said, hit), why, clause)
    return None


def _period(view: View) -> tuple[int, str] | None:
    """The one period in days for returns that the clauses name, with the clause."""
    found = {
        (round(m.high / 24), rules.words.quote(m.sentence, m.first, m.last))
        for rules in view.rules for m in rules.times
        if m.what == "length" and m.unit == "day" and not m.business and m.high >= _SHORTEST
        and rules.words.within(m.sentence, "exact_window") and rules.words.within(m.sentence, "topic_delivery")
    }  # fmt: skip
    return next(iter(found)) if len(found) == 1 else None


def _delivered(view: View) -> tuple[int, date] | None:
    """The one day of delivery that results name, and the message from which it is known."""
    found = [(use.result_number or 0, day) for use in view.uses for day in _days_of(use)]
    return min(found) if len({day for _, day in found}) == 1 else None


def _days_of(use: Use) -> set[date]:
    """Days of delivery, as the result writes them."""
    days = (
        next(iso_days(leaf.value), None) for leaf in use.texts
        if "deliver" in leaf.key and not any(word in leaf.path for word in _NO_DELIVERY)
    )  # fmt: skip
    return {day for day in days if day is not None}
