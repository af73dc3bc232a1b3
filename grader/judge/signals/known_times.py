"""The times that the assistant had before a message, and whether a time that it names follows from them.

Sources are tool results, policies in force, and what the customer and human colleagues had said. A day that the
customer only asked about ("will it come by Friday?") is no source for a promise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from grader.judge.signals.lexicon import TOPICS
from grader.judge.signals.time_words import HOURS
from grader.judge.signals.times import Mention, add_business_days, iso_days, mentions
from grader.judge.signals.tools import Leaf, Use
from grader.judge.signals.view import Said, View
from grader.judge.signals.words import Words, read
from grader.model import Role

_KEY_UNITS = {unit: name for name in HOURS for unit in (name, f"{name}s")} | {
    "min": "minute", "mins": "minute", "h": "hour", "hrs": "hour",
}  # fmt: skip
_NEXT_DAY = frozenset({"next_day", "next day", "tomorrow", "next_business_day"})
_COMING_TODAY = frozenset({"out_for_delivery", "out for delivery"})
_ABOUT_DELIVERY = ("deliver", "received", "arrived", "entreg")
# A number before or in running words, or a word for a day; identifiers and names of goods are passed over.
_MAY_NAME_TIME = re.compile(
    r"\d+[ -]?(?:[a-z]|\d+ ?[a-z])|day|today|tomorrow|next|hoy|hoje|ma[nñ]ana|amanh", re.IGNORECASE
)
_MAX_TEXT = 2_000
_MOST = 100_000  # minutes, hours or days that a number of a result can mean
_SAME = 0.01  # hours
_WINDOW = 14 * 24  # hours: lengths from which a policy's period for returns is counted from the delivery
_SPAN = 5  # days between which an estimate of two days leaves all open
_ANCHORS = 60  # days and lengths from which others are computed, at most


@dataclass
class _Times:
    """A growing set of times."""

    days: set[date] = field(default_factory=set)
    weekdays: set[int] = field(default_factory=set)
    offsets: set[int] = field(default_factory=set)
    hours: set[float] = field(default_factory=set)

    def take(self, found: Iterable[Mention], today: date | None) -> None:
        """Adds what was mentioned on a day."""
        for m in found:
            if m.what == "length":
                self.hours |= {m.low, m.high}
            elif m.what == "weekday":
                self.weekdays.add(m.weekday)
            else:
                if m.what == "offset":
                    self.offsets.add(m.offset)
                if today and (day := m.near(today)):
                    self.days.add(day)

    def has_length(self, hours: float) -> bool:
        """Whether this very length is among them."""
        return any(abs(hours - known) < _SAME for known in self.hours)


class Known:
    """The times that the assistant had; it grows as the conversation goes on."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._uses = sorted((u for u in view.uses if u.result_number is not None), key=lambda u: u.result_number or 0)
        self._heard = [s for s in view.said if s.role is not Role.AI]
        self._n_uses = self._n_heard = 0
        self._today = view.day
        self._sure, self._asked = _Times(), _Times()
        self._delivered: set[date] = set()
        self._bare_numbers: set[int] = set()  # "the 9th" is often no more than "9" to a customer
        self._coming_today = False
        for rules in view.rules:
            self._sure.take((m for m in rules.times if m.what != "length"), self._today)
        for policy in view.policies:
            self._sure.days |= {day for day in (policy.valid_from, policy.valid_to) if day}
        self._windows = {m.high for rules in view.rules for m in rules.times if m.high >= _WINDOW and m.unit == "day"}
        self._subject: set[str] = set()
        self._computed: set[date] = set()
        self._named: set[date] = set()

    def until(self, said: Said) -> None:
        """Takes in what came before this message, and what follows with the lengths that it names itself."""
        self._today = self._view.day_of(said.number)
        while self._n_uses < len(self._uses) and (self._uses[self._n_uses].result_number or 0) < said.number:
            self._take_result(self._uses[self._n_uses])
            self._n_uses += 1
        while self._n_heard < len(self._heard) and self._heard[self._n_heard].number < said.number:
            self._take_words(self._heard[self._n_heard])
            self._n_heard += 1
        texts = [said, *self._view.turn_before(said)]
        self._subject = {topic for topic in TOPICS for s in texts if s.words.has(topic)}
        self._computed = self._follow(said.times)
        dates = {day for m in said.times if m.what == "date" and self._today and (day := m.near(self._today))}
        self._named = dates & (self._sure.days | self._computed)

    def _take_words(self, heard: Said) -> None:
        sentences = heard.words.sentences
        day = self._view.day_of(heard.number)
        asked = [m for m in heard.times if heard.role is Role.CUSTOMER and sentences[m.sentence].asks]
        self._sure.take((m for m in heard.times if m not in asked), day)
        self._asked.take(asked, day)
        self._bare_numbers |= {int(w) for w in heard.words.tokens if w.isdigit() and len(w) <= 2}

    def _take_result(self, use: Use) -> None:
        self._sure.days |= use.days
        self._coming_today = self._coming_today or any(leaf.value in _COMING_TODAY for leaf in use.texts)
        coming = sorted(day for day in use.days if self._today and day >= self._today)
        for first, last in pairwise(coming):  # "from … to …": the days between count too
            if (last - first).days <= _SPAN:
                self._sure.days |= {first + timedelta(days=n) for n in range(1, (last - first).days)}
        for leaf in use.leaves:
            self._take_leaf(leaf)

    def _take_leaf(self, leaf: Leaf) -> None:
        value = leaf.value
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _MOST:
            for part in leaf.key.replace("-", "_").split("_"):
                if part in _KEY_UNITS:
                    self._sure.hours.add(float(value) * HOURS[_KEY_UNITS[part]])
        elif isinstance(value, str):
            text = value[:_MAX_TEXT]
            days = set(iso_days(text))
            if any(part in leaf.path for part in _ABOUT_DELIVERY):
                self._delivered |= days
            if text.lower() in _NEXT_DAY:
                self._sure.offsets.add(1)
            if not days and _MAY_NAME_TIME.search(text):
                self._sure.take(mentions(read(text)), self._today)

    def allows(self, m: Mention, words: Words) -> bool:
        """Whether the mention, one of the message that was given to `until`, follows from what was known. A clause on
        another subject does not count where the sentence names its own; a day that the customer asked about counts
        only in a sentence that does not assert it.
        """
        own_subject = any(words.within(m.sentence, topic) for topic in TOPICS)
        hedged = bool(words.within(m.sentence, "negates", "supposes", "unable"))
        if m.what == "length":
            return self._allows_length(m, own_subject) or (hedged and self._asked.has_length(m.high))
        today = self._today
        if today is None:
            return True
        days = self._sure.days | self._computed | (self._asked.days if hedged else set())
        if m.what == "weekday":
            spoken = self._sure.weekdays | (self._asked.weekdays if hedged else set())
            known = {day.weekday() for day in days if day >= today or day in self._named}
            return m.weekday in spoken | known
        if m.what == "offset":
            return self._allows_offset(m, own_subject, hedged) or (m.unit != "part" and m.near(today) in days)
        if m.day in self._bare_numbers and m.month in (0, today.month):
            return True
        meant = {m.near(today)}
        if m.month and m.day <= 12:  # 9/4 may be the 4th of September
            meant.add(m._replace(month=m.day, day=m.month).near(today))
        return None in meant or bool(meant & days)

    def _allows_length(self, m: Mention, own_subject: bool) -> bool:
        if self._is_length(m.high, own_subject):
            return True
        if self._today is None or m.unit != "day":
            return False
        elapsed = {(self._today - day).days * 24 for day in self._sure.days if day < self._today}
        return any(abs(m.high - hours) <= HOURS["day"] for hours in elapsed)

    def _allows_offset(self, m: Mention, own_subject: bool, hedged: bool) -> bool:
        if m.offset in self._sure.offsets or (hedged and m.offset in self._asked.offsets):
            return True
        if m.unit == "part":
            return self._coming_today
        return m.offset == 1 and any(
            not own_subject or self._is_about(rules.words, hit.sentence)
            for rules in self._view.rules for hit in rules.words.of("next_day")
        )  # fmt: skip

    def _is_length(self, hours: float, own_subject: bool) -> bool:
        """The length was heard or shown, or stands in a clause (on its subject, where the sentence has one)."""
        return self._sure.has_length(hours) or any(
            m.what == "length" and (abs(m.high - hours) < _SAME or abs(m.low - hours) < _SAME)
            and (not own_subject or self._is_about(rules.words, m.sentence))
            for rules in self._view.rules for m in rules.times
        )  # fmt: skip

    def _is_about(self, clause: Words, sentence: int) -> bool:
        """Message and clause share a subject, or one of them has none."""
        about = {topic for topic in TOPICS if clause.within(sentence, topic)}
        return not about or not self._subject or bool(about & self._subject)

    def _follow(self, beside: list[Mention]) -> set[date]:
        """Days that follow: a known day and a known length that the message names, and the end of a return period."""
        if self._today is None:
            return set()
        anchors = sorted(self._sure.days | {self._today})[-_ANCHORS:]
        found = {day + timedelta(hours=hours) for day in self._delivered for hours in self._windows}
        named = {(m.low, m.high, m.business) for m in beside if m.what == "length" and 24 <= m.high <= HOURS["year"]}
        for low, high, business in sorted(named)[:_ANCHORS]:
            if not self._is_length(high, own_subject=False):
                continue
            for anchor in anchors:
                for count in {round(low / 24), round(high / 24)}:
                    ends = {anchor + timedelta(days=count)}
                    if business:
                        ends.add(add_business_days(anchor, count))
                    found |= {end + timedelta(days=slack) for end in ends for slack in (-1, 0, 1)}
        return found
