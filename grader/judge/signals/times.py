"""Dates, weekdays and durations as people write them in English, Portuguese and Spanish, brought to one form.

A mention says what it means in numbers: a day (`month`, `day`, perhaps `year`), a weekday, an offset from today, or a
length in hours from `low` to `high`. Knows words, not conversations: whether a mention is allowed is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

from grader.judge.signals import time_words as t
from grader.judge.signals.words import Words

_ISO = re.compile(
    r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?"
)
_SPLIT = re.compile(r"[.,:/\-]")
FIRST_YEAR, LAST_YEAR = 1900, 2200  # outside these, a date is a placeholder
_ALWAYS = "24/7"
_DAWN = 6  # the hour from which a pair of hours may be opening hours
_CLOSE = 3  # characters between neighbours: a blank, a comma, a short mark

What = Literal["date", "weekday", "offset", "length"]


class Mention(NamedTuple):
    """A time that a text speaks of, at words `first` to `last` (exclusive) of sentence number `sentence`."""

    what: What
    first: int
    last: int
    sentence: int = 0
    year: int | None = None
    month: int = 0  # 0: only the day of the month is said
    day: int = 0
    weekday: int = 0
    offset: int = 0
    low: float = 0.0  # hours
    high: float = 0.0
    business: bool = False
    unit: str = ""  # of a length; "part" for a part of today

    def near(self, on: date) -> date | None:
        """The day that is meant, in the month and year that bring it closest to `on`; None: there is no such day."""
        if self.what == "offset":
            return on + timedelta(days=self.offset)
        if self.what != "date":
            return None
        years = (self.year,) if self.year else (on.year - 1, on.year, on.year + 1)
        months = (self.month,) if self.month else (on.month % 12 + 1, on.month, (on.month - 2) % 12 + 1)
        days = [day for year in years for month in months if (day := _day(year, month, self.day))]
        return min(days, key=lambda day: abs((day - on).days), default=None)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def mentions(words: Words) -> list[Mention]:
    """All times of a text, in its order. A number or word is part of one mention only."""
    found: list[Mention] = []
    upto = 0
    for i, word in enumerate(words.tokens):
        if i < upto:
            continue
        mention = None
        if word[0].isdigit():
            mention = (_ordinal(words, i) or _elided(words, i, found)) if word.isdigit() else _numeric(word, i)
        elif word in t.TRIGGERS:
            mention = _worded(words, i, upto)
        if mention is not None:
            found.append(mention._replace(sentence=words.sentence_of(i)))
            upto = mention.last
    return found


def _numeric(word: str, i: int) -> Mention | None:
    """2026-08-14, 14/08/2026, 14/08, 14.08.2026; where both readings are possible the day comes first."""
    parts = _SPLIT.split(word)
    if word == _ALWAYS or not all(part.isdigit() and len(part) <= 4 for part in parts):
        return None
    if "-" in word and len(parts) == 3 and len(parts[0]) == 4:
        year, month, day = map(int, parts)
    elif len(parts) == 3 and len(parts[2]) in (2, 4) and ("/" in word or "." in word):
        day, month, year = map(int, parts)
        year += 2000 if year < 100 else 0
    elif "/" in word and len(parts) == 2 and max(map(len, parts)) == 2:
        day, month, year = int(parts[0]), int(parts[1]), 0
    else:
        return None
    if month > 12 >= day:
        day, month = month, day
    if not (1 <= month <= 12 and 1 <= day <= 31 and (not year or FIRST_YEAR <= year <= LAST_YEAR)):
        return None
    return Mention("date", i, i + 1, year=year or None, month=month, day=day)


def _ordinal(words: Words, i: int) -> Mention | None:
    """ "the 9th", "14th of August"."""
    tokens = words.tokens
    day = _whole(tokens[i])
    if day is None or _at(tokens, i + 1) not in t.ORDINAL_MARKS or words.ends[i] != words.starts[i + 1]:
        return None
    k = i + 3 if _at(tokens, i + 2) in t.OF else i + 2
    if _at(tokens, k) in t.MONTHS:
        return _date_until(tokens, i, k, day)
    return Mention("date", i, i + 2, day=day) if i and tokens[i - 1] in ("the", "dia", "el") else None


def _elided(words: Words, i: int, found: list[Mention]) -> Mention | None:
    """ "standard 3 to 6 days, express 1 to 2": a range without its unit has that of the length before it."""
    tokens = words.tokens
    before = found[-1] if found else None
    if before is None or before.what != "length" or i + 2 >= len(tokens) or tokens[i + 1] not in t.TO:
        return None
    low, high = _count(tokens[i])[0], _count(tokens[i + 2])[1]
    after = _at(tokens, i + 3)
    if not 0 < low < high or after in t.UNITS or after in t.BUSINESS or words.sentence_of(i) != before.sentence:
        return None
    hours = t.HOURS[before.unit]
    return before._replace(first=i, last=i + 3, low=low * hours, high=high * hours)


def _worded(words: Words, i: int, floor: int) -> Mention | None:
    """The mention of which the trigger at word `i` is the heart; it may begin before it, but not before `floor`."""
    tokens = words.tokens
    word = tokens[i]
    if word in t.PARTS and (part := _part(tokens, i, floor)):
        return part
    if word in t.UNITS and (length := _length(words, i, floor)):
        return length
    if word in t.UNITS:
        day = _whole(_at(tokens, i + 1)) if t.UNITS[word] == "day" and _close(words, i) else None
        return None if day is None or word == "day" else _dated(tokens, i, i + 1, day)  # "dia 14"
    if word in t.MONTHS:
        return _month(words, i, floor)
    if word in t.WEEKDAYS:
        return _weekday(words, i)
    return _offset(tokens, i) if word in t.OFFSETS else None


def _at(tokens: Sequence[str], i: int) -> str:
    return tokens[i] if i < len(tokens) else ""


def _close(words: Words, i: int) -> bool:
    """Word `i` and the next stand close together."""
    return i + 1 < len(words.tokens) and words.starts[i + 1] - words.ends[i] <= _CLOSE


def _whole(word: str) -> int | None:
    return int(word) if word.isdigit() and len(word) <= 2 and 1 <= int(word) <= 31 else None


def _offset(tokens: Sequence[str], i: int) -> Mention | None:
    word = tokens[i]
    before, earlier = (tokens[i - 1] if i else ""), (tokens[i - 2] if i > 1 else "")
    if word == "manana" and before in t.BEFORE_MORNING:
        return None
    day_after = (before in ("after", "de") and earlier in ("day", "depois")) or (
        word == "manana" and before == "pasado"
    )
    return Mention("offset", i, i + 1, offset=2 if day_after else t.OFFSETS[word])


def _part(tokens: Sequence[str], i: int, floor: int) -> Mention | None:
    """A part of today; its unit is "part", which a bare "today" has not."""
    for before in t.PARTS[tokens[i]]:
        lead = before.split()
        first = i - len(lead)
        if first >= floor and list(tokens[first:i]) == lead:
            return Mention("offset", first, i + 1, unit="part")
    return None


def _month(words: Words, i: int, floor: int) -> Mention | None:
    """ "14 August", "14 de agosto de 2026", "August 14, 2026"; a bare month says no day."""
    tokens = words.tokens
    k = i - 1
    while k >= floor and (tokens[k] in t.OF or tokens[k] in t.ORDINAL_MARKS):
        k -= 1
    if tokens[i] in t.NOT_ALONE and k == i - 1:
        return None
    if k >= floor and i - k <= 3 and (day := _whole(tokens[k])) and _close(words, k):
        return _date_until(tokens, k, i, day)
    if tokens[i] in t.MONTH_FIRST and (day := _whole(_at(tokens, i + 1))) and _close(words, i):
        year, last = _year(tokens, i + 3 if _at(tokens, i + 2) in t.ORDINAL_MARKS else i + 2)
        return Mention("date", i, last, year=year, month=t.MONTHS[tokens[i]], day=day)
    return None


def _date_until(tokens: Sequence[str], first: int, month: int, day: int) -> Mention:
    """The date that begins at `first` and has its month at word `month`, with a year if one follows."""
    year, last = _year(tokens, month + 1)
    return Mention("date", first, last, year=year, month=t.MONTHS[tokens[month]], day=day)


def _dated(tokens: Sequence[str], first: int, at: int, day: int) -> Mention:
    """ "dia 14", "dia 14 de agosto", "viernes 31 de julio": the day stands at word `at`, a month may follow."""
    k = at + 1
    while k < at + 3 and (_at(tokens, k) in t.OF or _at(tokens, k) in t.ORDINAL_MARKS):
        k += 1
    return _date_until(tokens, first, k, day) if _at(tokens, k) in t.MONTHS else Mention("date", first, at + 1, day=day)


def _year(tokens: Sequence[str], i: int) -> tuple[int | None, int]:
    """A year at word `i`, after "de" or a comma, and the word after it."""
    word = _at(tokens, k := i + 1 if _at(tokens, i) in t.OF else i)
    if word.isdigit() and len(word) == 4 and FIRST_YEAR <= int(word) <= LAST_YEAR:
        return int(word), k + 1
    return None, i


def _weekday(words: Words, i: int) -> Mention | None:
    tokens = words.tokens
    word = tokens[i]
    last = i + 2 if _at(tokens, i + 1) == "feira" else i + 1
    if word in t.ORDINALS and last == i + 1:
        before = tokens[i - 1] if i else ""
        if before not in t.BEFORE_WEEKDAY or _at(tokens, i + 1) in t.AFTER_ORDINAL:
            return None
    day = _whole(_at(tokens, last)) if _close(words, last - 1) else None
    if day is not None and _at(tokens, last + 1) not in t.UNITS:  # "Friday 31": the day counts
        return _dated(tokens, i, last, day)
    return Mention("weekday", i, last, weekday=t.WEEKDAYS[word])


def _length(words: Words, i: int, floor: int) -> Mention | None:
    """ "48 hours", "3 to 6 business days", "de 3 a 6 días hábiles", "em uma semana"."""
    tokens = words.tokens
    unit = t.UNITS[tokens[i]]
    k = i - 1
    business = k >= floor and tokens[k] in t.BUSINESS
    k -= business
    if k < floor or not _close(words, k):
        return None
    low, high = _count(tokens[k])
    before = tokens[k - 1] if k > floor else ""
    if not high or (tokens[k] in ("a", "an") and tokens[i] not in t.ENGLISH_UNITS):
        return None
    if tokens[i] in t.HOUR_WORDS and (before in t.BEFORE_CLOCK or _opens(tokens, i, low, before)):
        return None  # "às 18h", "a las 20 horas", "de 8h às 20h": times of day
    if high == 1 and not tokens[k].isdigit() and before not in t.BEFORE_ONE:
        return None
    first = k
    if low == high and before:  # "3 to 6", "3 – 6"
        dash = words.text[words.ends[k - 1] : words.starts[k]].strip() in ("-", "–", "—")
        less = k - 1 if dash else k - 2 if before in t.TO else -1
        if less >= floor and tokens[less] not in ("a", "an") and 0 < _count(tokens[less])[1] < low:
            low, first = _count(tokens[less])[1], less
    if tokens[i] in t.HOUR_WORDS and _DAWN <= low < high <= 24 and first > floor and tokens[first - 1] in t.OPENS:
        return None  # "de 8 a 20 h"
    after = _at(tokens, i + 1) in t.BUSINESS
    hours = t.HOURS[unit]
    return Mention(
        "length", first, i + 1 + after, low=low * hours, high=high * hours, business=business or after, unit=unit
    )


def _opens(tokens: Sequence[str], i: int, hour: float, before: str) -> bool:
    """Opening hours with their unit said twice: "de 8h às 20h"."""
    closes = _at(tokens, i + 2)
    return (
        before in t.OPENS and _at(tokens, i + 1) in t.UNTIL and closes.isdigit() and len(closes) <= 2
        and _DAWN <= hour < int(closes) <= 24
    )  # fmt: skip


def _count(word: str) -> tuple[float, float]:
    """A number, or "3-6" as one word; (0, 0) for anything else."""
    if word.isdigit():
        number = float(word) if len(word) <= 4 else 0.0
        return number, number
    if word[0].isdigit():
        low, dash, high = word.partition("-")
        if dash and low.isdigit() and high.isdigit() and len(word) <= 7 and int(low) < int(high):
            return float(low), float(high)
        return 0.0, 0.0
    number = float(t.NUMBERS.get(word, 0))
    return number, number


def iso_days(text: str) -> Iterator[date]:
    """The days of all ISO dates in a text: as written and, where it has a time and an offset, in UTC too."""
    for match in _ISO.finditer(text):
        year, month, day, hour, minute, zone = match.groups()
        written = _day(int(year), int(month), int(day))
        if written is None or not FIRST_YEAR <= written.year <= LAST_YEAR:
            continue
        yield written
        if hour and zone:
            try:
                moment = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:00{zone.replace('Z', '+00:00')}")
                yield moment.astimezone(UTC).date()
            except (ValueError, OverflowError):
                continue


def add_business_days(day: date, count: int) -> date:
    """The day that many weekdays later; public holidays are not known here."""
    weeks, rest = divmod(count, 5)
    day += timedelta(weeks=weeks)
    while rest > 0:
        day += timedelta(days=1)
        rest -= day.weekday() < 5
    return day
