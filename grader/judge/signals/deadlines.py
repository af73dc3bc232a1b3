"""Detector of invented deadlines: a time in the assistant's words that stands in nothing it had.

What it had: tool results before, policies in force, what human colleagues and the customer had said, and days that
follow from these (a known day plus a known length, the weekday of a known day).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from grader.judge.signals.policy_words import TOPICS
from grader.judge.signals.times import Mention, add_business_days, iso_days, mentions
from grader.judge.signals.view import Leaf, Quote, Ruling, Said, Use, View
from grader.judge.signals.words import Words, read
from grader.model import Role

_UNIT_KEYS = {"min": 1 / 60, "mins": 1 / 60, "minutes": 1 / 60, "hour": 1, "hours": 1, "hrs": 1, "h": 1, "day": 24, "days": 24,
              "weeks": 168, "week": 168, "months": 720}  # fmt: skip
_NEXT_DAY = frozenset({"next_day", "next day", "tomorrow", "next_business_day", "24h"})
_FOR = frozenset({"for", "durante", "por", "over"})  # "leave it off for 10 minutes" tells no deadline
_AGO = frozenset({"ago", "atras", "earlier", "later", "old"})
_PAST_BEFORE = frozenset({"last", "past", "hace", "ha", "passada", "passado", "ultimos", "ultimas", "previous"})
_BY = frozenset({"by", "ainda", "until", "before", "ate", "antes", "end", "final", "later", "still"})
_INSTANT = 3 / 60  # hours: "one minute, please"
_WINDOW = 14 * 24  # hours: lengths from which a policy's period for returns is counted from the delivery
_ABOUT_DELIVERY = ("deliver", "received", "arrived", "entreg")
_MAX_TEXT = 2_000


class Known:
    """The times that the assistant had; it grows as the conversation goes on."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._uses = sorted((u for u in view.uses if u.result_number is not None), key=lambda u: u.result_number or 0)
        self._heard = [s for s in view.said if s.role is not Role.AI]
        self._n_uses = self._n_heard = 0
        self._today = view.day
        self._days: set[date] = set()
        self._weekdays: set[int] = set()
        self._offsets: set[int] = {1} if any(rules.words.has("next_day") for rules in view.rules) else set()
        self._hours: set[float] = set()
        self._delivered: set[date] = set()
        for rules in view.rules:
            self._take(m for m in rules.times if m.what != "length")
        self._windows = {m.high for rules in view.rules for m in rules.times if m.high >= _WINDOW and m.unit == "day"}

    def until(self, said: Said) -> None:
        """Takes in what came before this message."""
        self._today = self._view.day_of(said.number)
        while self._n_uses < len(self._uses) and (self._uses[self._n_uses].result_number or 0) < said.number:
            self._take_result(self._uses[self._n_uses])
            self._n_uses += 1
        while self._n_heard < len(self._heard) and self._heard[self._n_heard].number < said.number:
            heard = self._heard[self._n_heard]
            self._take(heard.times, self._view.day_of(heard.number))
            self._n_heard += 1
        subject = _subject(self._view, said)
        self._lengths = self._hours | {
            hours for rules in self._view.rules for m in rules.times
            if m.what == "length" and _shares(rules.words, m, subject) for hours in (m.low, m.high)
        }  # fmt: skip

    def _take_result(self, use: Use) -> None:
        self._days |= use.days
        for leaf in use.leaves:
            self._take_leaf(leaf)

    def _take_leaf(self, leaf: Leaf) -> None:
        value = leaf.value
        if isinstance(value, bool) or value is None:
            return
        if isinstance(value, (int, float)):
            for part in leaf.key.replace("-", "_").split("_"):
                if part in _UNIT_KEYS:
                    self._hours.add(float(value) * _UNIT_KEYS[part])
            return
        text = str(value)[:_MAX_TEXT]
        days = set(iso_days(text))
        if any(part in leaf.path for part in _ABOUT_DELIVERY):
            self._delivered |= days
        if text.lower() in _NEXT_DAY:
            self._offsets.add(1)
        if not days and any(c.isdigit() for c in text) or " " in text:
            self._take(mentions(read(text)))

    def _take(self, found: Iterable[Mention], on: date | None = None) -> None:
        for m in found:
            if m.what == "length":
                self._hours |= {m.low, m.high}
            elif m.what == "weekday":
                self._weekdays.add(m.weekday)
            elif m.what == "offset":
                self._offsets.add(m.offset)
                if on:
                    self._days.add(on + timedelta(days=m.offset))
            elif self._today and (day := m.near(self._today)):
                self._days.add(day)

    def allows(self, m: Mention, beside: list[Mention]) -> bool:
        """Whether the mention follows from what was known; `beside` are the other mentions of the same message."""
        if m.what == "length":
            return any(abs(m.high - hours) < 0.01 for hours in self._lengths)
        today = self._today
        if today is None:
            return True
        days = self._days | self._computed(beside)
        if m.what == "weekday":
            coming = {day.weekday() for day in days if day >= today}
            said = {d.weekday() for b in beside if b.what == "date" and (d := b.near(today)) and self._is_known(d, days)}
            return m.weekday in self._weekdays | coming | said
        if m.what == "offset":
            return m.offset in self._offsets or today + timedelta(days=m.offset) in days
        meant = {m.near(today)}
        if m.month and m.day <= 12:  # 9/4 may be the 4th of September
            meant.add(Mention("date", 0, 0, 0, year=m.year, month=m.day, day=m.month).near(today))
        return any(day is None or self._is_known(day, days) for day in meant)

    @staticmethod
    def _is_known(day: date, days: set[date]) -> bool:
        return any(abs((day - known).days) == 0 for known in days)

    def _computed(self, beside: list[Mention]) -> set[date]:
        """Days that follow: known day + a known length that is named beside, and the end of a period for returns."""
        today = self._today
        assert today is not None  # the caller has looked
        anchors = self._days | {today} | {d for b in beside if b.what == "date" and (d := b.near(today)) in self._days and d}
        found = {day + timedelta(hours=hours) for day in self._delivered for hours in self._windows}
        for b in beside:
            if b.what != "length" or b.high < 24 or b.high > 24 * 366 or not any(abs(b.high - h) < 0.01 for h in self._lengths):
                continue
            for anchor in anchors:
                for hours in {b.low, b.high}:
                    count = round(hours / 24)
                    found |= {anchor + timedelta(days=count + slack) for slack in (-1, 0, 1)}
                    if b.business:
                        end = add_business_days(anchor, count)
                        found |= {end + timedelta(days=slack) for slack in (-1, 0, 1)}
        return found


def _subject(view: View, said: Said) -> set[str]:
    """What the message is about, by its own words and by what the customer had written since the last one."""
    texts = [said, *view.turn_before(said)]
    return {topic for topic in TOPICS for s in texts if s.words.has(topic)}


def _shares(clause: Words, m: Mention, subject: set[str]) -> bool:
    """A clause's period counts unless both have a subject and share none."""
    about = {topic for topic in TOPICS if clause.within(m.sentence, topic)}
    return not about or not subject or bool(about & subject)


def _claims(said: Said) -> Iterator[tuple[Mention, list[Mention]]]:
    """The times of a message that say when something will be: no questions, wishes, instructions or things past."""
    words = said.words
    found = said.times
    for m in found:
        sentence = words.sentences[m.sentence]
        if sentence.asks or words.within(m.sentence, "wishes_well"):
            continue
        before = words.tokens[m.first - 1] if m.first > sentence.first else ""
        after = words.tokens[m.last] if m.last < sentence.last else ""
        if before in _PAST_BEFORE or after in _AGO:
            continue
        if m.what == "length" and (before in _FOR or m.high < _INSTANT):
            continue
        if m.what == "offset" and m.offset <= 0 and not _later_today(words, m):
            continue
        if m.what in ("weekday", "offset", "length") and _is_past(words, m):
            continue
        yield m, [other for other in found if other is not m]


def _later_today(words: Words, m: Mention) -> bool:
    """Today as a promise: "by the end of today", "ainda hoje", "hoy mismo"; a bare "today" is small talk."""
    if m.offset < 0 or words.within(m.sentence, "negates"):
        return False
    before, after = words.tokens[max(0, m.first - 2) : m.first], words.tokens[m.last : m.last + 1]
    return any(t in _BY for t in before) or "mismo" in after


def _is_past(words: Words, m: Mention) -> bool:
    return bool(words.within(m.sentence, "past")) and not words.within(m.sentence, "future")


def invented_deadline(view: View) -> Ruling:
    """The first time in the assistant's words that nothing it had supports."""
    any_time = False
    known = Known(view)
    for said in view.ai:
        if view.human and said.number > view.human[0].number:
            break
        claims = list(_claims(said))
        if claims:
            known.until(said)
        for m, beside in claims:
            any_time = True
            if m.what == "date" and _in_the_past(view, said, m):
                continue
            if known.allows(m, beside):
                continue
            words = said.words
            time = words.text[words.starts[m.first] : words.ends[m.last - 1]]
            held = "no policy in force" if view.policies else "no policy (none was in force)"
            return Ruling(
                "present",
                f'"{time}" in message {said.number} stands in no tool result before it and {held}, was not said by '
                "a colleague or the customer, and does not follow from a day and a period that were known.",
                (Quote(said.number, words.quote(m.sentence, m.first, m.last)),),
            )
    if not any_time:
        return Ruling("not_applicable", "No date, weekday or period was found in the AI's words.")
    return Ruling("absent", "Every date, weekday and period in the AI's words was found in, or computed from, what it had.")


def _in_the_past(view: View, said: Said, m: Mention) -> bool:
    today = view.day_of(said.number)
    day = m.near(today) if today else None
    return bool(today and day and day < today)
