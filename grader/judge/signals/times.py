"""Dates, weekdays and durations as people write them in English, Portuguese and Spanish, brought to one form.

A mention says what it means in numbers: a day (`month`, `day`, perhaps `year`), a weekday, an offset from today, or a
length in hours from `low` to `high`. Knows words, not conversations: whether a mention is allowed is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

from grader.judge.signals.words import Words

MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "january jan janeiro enero ene", "february feb fevereiro fev febrero", "march mar marco marzo",
            "april apr abril abr", "may maio mai mayo", "june jun junho junio", "july jul julho julio",
            "august aug agosto ago", "september sep sept setembro set septiembre setiembre",
            "october oct outubro out octubre", "november nov novembro noviembre", "december dec dezembro dez diciembre dic",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
# Only English writes the month first; these are words of their own in another of the three languages or in this one.
MONTH_FIRST = frozenset(
    "january jan february feb march april apr may june jun july jul august aug september sept october oct november nov "
    "december dec".split()
)
NOT_ALONE = frozenset({"set", "out", "mar", "ago", "dez", "dic"})  # a month only after "de", "of" or "/"
WEEKDAYS = {
    name: day
    for day, names in enumerate(
        ("monday segunda lunes", "tuesday terca martes", "wednesday quarta miercoles", "thursday quinta jueves",
         "friday sexta viernes", "saturday sabado", "sunday domingo")
    )
    for name in names.split()
}  # fmt: skip
# In Portuguese the weekdays are ordinals too ("a segunda vez"): without "feira" they need a word before them.
ORDINALS = frozenset({"segunda", "terca", "quarta", "quinta", "sexta"})
BEFORE_WEEKDAY = frozenset({"na", "ate", "nesta", "esta", "essa", "nessa", "proxima", "ou", "dia", "da"})
AFTER_ORDINAL = frozenset(
    {"vez", "via", "opcao", "tentativa", "etapa", "parte", "linha", "foto", "compra", "troca", "devolucao", "mensagem"}
)
OFFSETS = {
    "today": 0, "tonight": 0, "hoje": 0, "hoy": 0, "tomorrow": 1, "amanha": 1, "manana": 1, "yesterday": -1,
    "ontem": -1, "ayer": -1,
}  # fmt: skip
UNITS = {
    word: (hours, unit)
    for words, hours, unit in (
        ("minute minutes min mins minuto minutos", 1 / 60, "minute"),
        ("hour hours hr hrs h hs hora horas", 1.0, "hour"),
        ("day days dia dias", 24.0, "day"),
        ("week weeks semana semanas", 168.0, "week"),
        ("month months mes meses", 720.0, "month"),
        ("year years ano anos", 8760.0, "year"),
    )
    for word in words.split()
}
_HOURS = {unit: hours for hours, unit in UNITS.values()}
NUMBERS = {
    word: number
    for number, words in {
        1: "one a an um uma un una uno", 2: "two couple dois duas dos", 3: "three tres", 4: "four quatro cuatro",
        5: "five cinco", 6: "six seis", 7: "seven sete siete", 8: "eight oito ocho", 9: "nine nove nueve",
        10: "ten dez diez", 12: "twelve doze doce", 14: "fourteen catorze catorce", 15: "fifteen quinze quince",
        20: "twenty vinte veinte", 24: "twentyfour", 30: "thirty trinta treinta",
    }.items()
    for word in words.split()
}  # fmt: skip
BUSINESS = frozenset({"business", "working", "work", "uteis", "util", "habiles", "habil", "laborables", "laborable"})
ENGLISH_UNITS = frozenset({"minute", "hour", "day", "week", "month", "year"})
HOUR_WORDS = frozenset({"h", "hs", "hrs", "horas", "hora"})
BEFORE_CLOCK = frozenset({"das", "dos", "as", "las", "la", "entre", "desde", "at", "from"})
TO = frozenset({"to", "or", "a", "ou", "o", "e", "y", "and", "ate", "hasta"})
OF = frozenset({"of", "de", "del", "do"})
ORDINAL_MARKS = frozenset({"st", "nd", "rd", "th", "o"})
_TRIGGERS = frozenset(MONTHS) | frozenset(WEEKDAYS) | frozenset(OFFSETS) | frozenset(UNITS)
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?")
_SPLIT = re.compile(r"[.,:/\-]")

What = Literal["date", "weekday", "offset", "length"]


class Mention(NamedTuple):
    """A time that a text speaks of, at words `first` to `last` (exclusive) of sentence number `sentence`."""

    what: What
    first: int
    last: int
    sentence: int
    year: int | None = None
    month: int = 0
    day: int = 0
    weekday: int = 0
    offset: int = 0
    low: float = 0.0  # hours
    high: float = 0.0
    business: bool = False
    unit: str = ""

    def near(self, on: date) -> date | None:
        """The day that is meant, in the year that brings it closest to `on`. None where there is no such day."""
        if self.what == "offset":
            return on + timedelta(days=self.offset)
        if self.what != "date":
            return None
        years = (self.year,) if self.year else (on.year - 1, on.year, on.year + 1)
        days = [day for year in years if (day := _day(year, self.month or on.month, self.day))]
        return min(days, key=lambda day: abs((day - on).days), default=None)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def mentions(words: Words) -> list[Mention]:
    """All times of a text, in its order. A number or word is part of one mention only."""
    found: list[Mention] = []
    tokens = words.tokens
    upto = 0
    for i, token in enumerate(tokens):
        if i < upto:
            continue
        mention = None
        if token[0].isdigit():
            mention = (_ordinal(words, i) or _elided(words, i, found)) if token.isdigit() else _numeric(token, i)
        elif token in _TRIGGERS:
            mention = _worded(words, i, upto)
        if mention is not None:
            found.append(mention._replace(sentence=words.sentence_of(i)))
            upto = mention.last
    return found


def _numeric(token: str, i: int) -> Mention | None:
    """2026-08-14, 14/08/2026, 14/08, 14.08.2026; where both readings are possible the day comes first."""
    parts = _SPLIT.split(token)
    if not all(part.isdigit() and len(part) <= 4 for part in parts):
        return None
    if "-" in token and len(parts) == 3 and len(parts[0]) == 4:
        year, month, day = map(int, parts)
    elif len(parts) == 3 and len(parts[2]) in (2, 4) and ("/" in token or "." in token):
        day, month, year = map(int, parts)
        year += 2000 if year < 100 else 0
    elif "/" in token and len(parts) == 2:
        day, month, year = int(parts[0]), int(parts[1]), 0
    else:
        return None
    if month > 12 >= day:
        day, month = month, day
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return Mention("date", i, i + 1, 0, year=year or None, month=month, day=day)


def _ordinal(words: Words, i: int) -> Mention | None:
    """"the 9th", "14th of August"."""
    tokens = words.tokens
    day = _whole(tokens[i])
    if day is None or i + 1 >= len(tokens) or tokens[i + 1] not in ORDINAL_MARKS or words.ends[i] != words.starts[i + 1]:
        return None
    k = i + 3 if i + 2 < len(tokens) and tokens[i + 2] in OF else i + 2
    if k < len(tokens) and tokens[k] in MONTHS:
        year, last = _year(tokens, k + 1)
        return Mention("date", i, last, 0, year=year, month=MONTHS[tokens[k]], day=day)
    return Mention("date", i, i + 2, 0, day=day) if i and tokens[i - 1] in ("the", "dia", "el") else None


def _elided(words: Words, i: int, found: list[Mention]) -> Mention | None:
    """"standard 3 to 6 days, express 1 to 2": a range without its unit has that of the length before it."""
    tokens = words.tokens
    unit = found[-1] if found else None
    if unit is None or unit.what != "length" or i + 2 >= len(tokens) or tokens[i + 1] not in TO:
        return None
    low, high = _count(tokens[i])[0], _count(tokens[i + 2])[1]
    after = tokens[i + 3] if i + 3 < len(tokens) else ""
    if not 0 < low < high or after in UNITS or after in BUSINESS or words.sentence_of(i) != unit.sentence:
        return None
    hours = _HOURS[unit.unit]
    return Mention("length", i, i + 3, 0, low=low * hours, high=high * hours, business=unit.business, unit=unit.unit)


def _worded(words: Words, i: int, floor: int) -> Mention | None:
    tokens = words.tokens
    token = tokens[i]
    if token in UNITS and (length := _length(words, i, floor)):
        return length
    if token == "dia" and i + 1 < len(tokens) and (day := _whole(tokens[i + 1])) and _same(words, i, i + 1):
        return _dated(words, i, i + 1, day) or Mention("date", i, i + 2, 0, day=day)
    if token in MONTHS:
        return _month(words, i, floor)
    if token in WEEKDAYS:
        return _weekday(words, i)
    if token in OFFSETS:
        if token == "manana" and i > 0 and tokens[i - 1] in ("la", "de", "por"):  # the morning
            return None
        offset = OFFSETS[token]
        if i > 1 and tokens[i - 1] in ("after", "de") and tokens[i - 2] in ("day", "depois"):
            offset = 2
        elif i > 0 and tokens[i - 1] == "pasado" and token == "manana":
            offset = 2
        return Mention("offset", i, i + 1, 0, offset=offset)
    return None


def _same(words: Words, i: int, j: int) -> bool:
    """Both words stand close together: nothing but blanks and short marks between neighbours."""
    return 0 <= words.starts[j] - words.ends[i] <= 3


def _whole(token: str) -> int | None:
    return int(token) if token.isdigit() and len(token) <= 2 and 1 <= int(token) <= 31 else None


def _month(words: Words, i: int, floor: int) -> Mention | None:
    """"14 August", "the 14th of August", "14 de agosto de 2026", "August 14, 2026"; a bare month says no day."""
    tokens = words.tokens
    k = i - 1
    while k >= floor and (tokens[k] in OF or tokens[k] in ORDINAL_MARKS):
        k -= 1
    if tokens[i] in NOT_ALONE and k == i - 1:
        return None
    if k >= floor and i - k <= 3 and (day := _whole(tokens[k])) and _same(words, k, k + 1):
        year, last = _year(tokens, i + 1)
        return Mention("date", k, last, 0, year=year, month=MONTHS[tokens[i]], day=day)
    if tokens[i] in MONTH_FIRST and i + 1 < len(tokens) and (day := _whole(tokens[i + 1])) and _same(words, i, i + 1):
        mark = i + 2 < len(tokens) and tokens[i + 2] in ORDINAL_MARKS
        year, last = _year(tokens, i + 3 if mark else i + 2)
        return Mention("date", i, last, 0, year=year, month=MONTHS[tokens[i]], day=day)
    return None


def _dated(words: Words, i: int, j: int, day: int) -> Mention | None:
    """"dia 14 de agosto": the month after "dia 14"."""
    tokens = words.tokens
    k = j + 1
    while k < len(tokens) and k < j + 3 and (tokens[k] in OF or tokens[k] in ORDINAL_MARKS):
        k += 1
    if k < len(tokens) and k > j + 1 and tokens[k] in MONTHS:
        year, last = _year(tokens, k + 1)
        return Mention("date", i, last, 0, year=year, month=MONTHS[tokens[k]], day=day)
    return None


def _year(tokens: Sequence[str], i: int) -> tuple[int | None, int]:
    """A year at word `i`, after "de" or a comma, and the word after it."""
    k = i + 1 if i < len(tokens) and tokens[i] in OF else i
    if k < len(tokens) and tokens[k].isdigit() and len(tokens[k]) == 4 and tokens[k].startswith(("19", "20")):
        return int(tokens[k]), k + 1
    return None, i


def _weekday(words: Words, i: int) -> Mention | None:
    tokens = words.tokens
    token = tokens[i]
    after = tokens[i + 1] if i + 1 < len(tokens) else ""
    last = i + 2 if after == "feira" else i + 1
    if token in ORDINALS and last == i + 1:
        before = tokens[i - 1] if i else ""
        if before not in BEFORE_WEEKDAY or after in AFTER_ORDINAL:
            return None
    day = _whole(tokens[last]) if last < len(tokens) and _same(words, last - 1, last) else None
    if day is not None and (last + 1 >= len(tokens) or tokens[last + 1] not in UNITS):  # "Friday 31", "viernes 31"
        return _dated(words, i, last, day) or _after_weekday(words, i, last, day)
    return Mention("weekday", i, last, 0, weekday=WEEKDAYS[token])


def _after_weekday(words: Words, i: int, j: int, day: int) -> Mention:
    """"Friday 31 July", "Friday 31": the day counts, the weekday is said twice."""
    tokens = words.tokens
    k = j + 1
    if k < len(tokens) and tokens[k] in ORDINAL_MARKS:
        k += 1
    if k < len(tokens) and tokens[k] in MONTHS:
        year, last = _year(tokens, k + 1)
        return Mention("date", i, last, 0, year=year, month=MONTHS[tokens[k]], day=day)
    return Mention("date", i, j + 1, 0, day=day)


def _length(words: Words, i: int, floor: int) -> Mention | None:
    """"48 hours", "3 to 6 business days", "de 3 a 6 días hábiles", "uma semana"."""
    tokens = words.tokens
    hours, unit = UNITS[tokens[i]]
    k = i - 1
    business = False
    if k >= floor and tokens[k] in BUSINESS:
        business = True
        k -= 1
    if k < floor or not _same(words, k, k + 1):
        return None
    low, high = _count(tokens[k])
    if not high or (tokens[k] in ("a", "an") and tokens[i] not in ENGLISH_UNITS):
        return None
    if tokens[i] in HOUR_WORDS and k - 1 >= floor and tokens[k - 1] in BEFORE_CLOCK:
        return None  # "às 18h", "a las 20 horas": a time of day
    first = k
    if low == high and k - 1 >= floor:  # "3 to 6", "3 – 6"
        dash = words.text[words.ends[k - 1] : words.starts[k]].strip() in ("-", "–", "—")
        less = k - 1 if dash else k - 2 if tokens[k - 1] in TO else -1
        if less >= floor and tokens[less] not in ("a", "an") and 0 < _count(tokens[less])[1] < low:
            low, first = _count(tokens[less])[1], less
    last = i + 1
    if last < len(tokens) and tokens[last] in BUSINESS:
        business = True
        last += 1
    return Mention("length", first, last, 0, low=low * hours, high=high * hours, business=business, unit=unit)


def _count(token: str) -> tuple[float, float]:
    """A number, or "3-6" as one word; (0, 0) for anything else."""
    if token.isdigit():
        number = float(token) if len(token) <= 4 else 0.0
        return number, number
    if token[0].isdigit():
        low, dash, high = token.partition("-")
        if dash and low.isdigit() and high.isdigit() and len(token) <= 7 and int(low) < int(high):
            return float(low), float(high)
        return 0.0, 0.0
    number = float(NUMBERS.get(token, 0))
    return number, number


def iso_days(text: str) -> Iterator[date]:
    """The days of all ISO dates in a text: as written and, where it has a time and an offset, in UTC too."""
    for match in _ISO.finditer(text):
        year, month, day, hour, minute, zone = match.groups()
        written = _day(int(year), int(month), int(day))
        if written is None:
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
