"""Where a message begins in WhatsApp's `.txt` exports: a line's date, its time of day, and what stands behind them.

Every phone writes them as its language and region do: `12/31/23, 11:59 PM - `, `[31.12.23, 23:59:59] `,
`31.12.2023 klo 23.59 - `. Which of the numbers is the day is not known here; `whatsapp_txt_dates` decides that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

MARKS = "\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"  # direction marks and the like, anywhere in a header

_M = f"[{MARKS}]{{0,6}}"  # a few at most: a run of them must not make the search slow
_S = r"[^\S\r\n]"
_DATE = (
    rf"{_M}(?:(?P<a>\d{{1,4}}){_M}(?P<sep>[./-]){_M}{_S}?{_M}(?P<b>\d{{1,4}}){_M}(?P=sep){_M}{_S}?{_M}(?P<c>\d{{1,4}})"
    rf"|(?P<year>\d{{4}}){_S}?[年년]{_S}?(?P<month>\d{{1,2}}){_S}?[月월]{_S}?(?P<day>\d{{1,2}}){_S}?[日일])(?!\d)"
)
_GAP = r"(?P<gap>[^\d\[\]]{1,24}?)"
_TIME = rf"(?P<h>\d{{1,2}})(?:[:.]|{_S}?h{_S}?)(?P<m>\d{{2}})(?:[:.](?P<s>\d{{2}}))?(?!\d)"
_WORD = r"(?P<word>[^\d\[\]:]{0,24}?)"
_BRACKET = re.compile(rf"{_M}\[{_DATE}{_GAP}{_TIME}{_WORD}\]")
_DASH = re.compile(rf"{_DATE}{_GAP}{_TIME}{_WORD}{_S}+[-–—](?:{_S}|$)")
_PLAIN = re.compile(rf"{_DATE}{_GAP}{_TIME}{_M}(?P<colon>:?){_S}+(?=\S)")
_BEGINS = re.compile(rf"{_M}(?:(?P<bracket>\[)|\d)")
_EDGE = re.compile(rf"^[{MARKS}\s]+")

# The day's halves in the languages that WhatsApp writes, from Unicode's locale data.
_AM = """AM | a.m. | vorm. | vormittags | morgens | nachts | fm | f.m. | ap. | f.h. | π.μ. | de. | ÖÖ | пр.об. | дп |
 претпладне | пре подне | pre podne | dop. | priešpiet | priekšp. | paradite | e paradites | PD | SA | PG | pagi |
 asubuhi | TO | yb | vm. | ԿԱ | ص | صباحا | ق.ظ. | قبل از ظهر | قبل دوپہر | לפנה״צ | पूर्वाह्न | म.पू. | पूर्वान्ह |
 এএম | முற்பகல் | ಪೂರ್ವಾಹ್ನ | ਪੂ.ਦੁ. | ก่อนเที่ยง | 上午 | 午前 | 凌晨 | 早上 | 清晨 | 오전 | 새벽 | 아침"""
_PM = """PM | p.m. | nachm. | nachmittags | mittags | abends | em | e.m. | ip. | e.h. | μ.μ. | du. | ÖS | сл.об. | пп |
 попладне | по подне | po podne | odp. | pop. | popiet | pēcp. | pasdite | e pasdites | MD | CH | PTG | petang | malam |
 mchana | TK | yh | nm. | ԿՀ | م | مساء | ب.ظ. | بعد از ظهر | بعد دوپہر | אחה״צ | अपराह्न | म.उ. | अपरान्ह |
 পিএম | பிற்பகல் | ಅಪರಾಹ್ನ | ਬਾ.ਦੁ. | หลังเที่ยง | 下午 | 午後 | 中午 | 晚上 | 오후 | 저녁 | 밤"""
# Words that only join a date and a time, or name the hour.
_JOIN = """klo | kl. | kell | um | uhr | uur | at | às | a las | à | alle | ore | o | u | v | ob | в | о | г. | ч. |
 година | год. | lúc | pukul | jam | saat | ve | στις | h | hs. | hrs. | ora | kor"""


class Style(NamedTuple):
    """How a phone writes its headers. An export has one style, from its first line to its last."""

    end: str  # bracket, dash, colon or bare: what stands around and behind date and time
    separator: str


class Written(NamedTuple):
    """How its dates are written: the style, and the place of a year of four digits (None: no number has four)."""

    style: Style
    year_at: int | None


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a message. `unknown`: a word beside the time that may say which half of the day it is."""

    written: Written
    date: tuple[int, int, int]
    clock: tuple[int, int, int] | None  # None where it is no time of day
    rest: str
    unknown: str | None = None


Halves = Mapping[str, bool]  # a word as `plain_word` gives it: the second half of the day


@lru_cache(maxsize=1024)  # a file has a handful of them, on every line
def plain_word(text: str) -> str:
    """A word's letters, in one form and one case: `a. m.`, `A.M.` and `am` are the same."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def halves(am: Iterable[str] = (), pm: Iterable[str] = ()) -> Halves:
    """The words for the halves of the day, with those that the user names."""
    known = {plain_word(word): False for word in _AM.split("|")} | {plain_word(word): True for word in _PM.split("|")}
    return {**known, **{plain_word(word): False for word in am}, **{plain_word(word): True for word in pm}}


_JOINS = frozenset(plain_word(word) for word in _JOIN.split("|")) | {""}


def header(line: str, words: Halves) -> Header | None:
    """The header that a line begins with, None for a line that goes on with the message above it."""
    begins = _BEGINS.match(line)
    if not begins:
        return None
    if begins["bracket"]:
        found, end = _BRACKET.match(line), "bracket"
    else:
        found, end = _DASH.match(line), "dash"
        if not found:
            found = _PLAIN.match(line)
            end = "colon" if found and found["colon"] else "bare"
    if not found:
        return None
    rest = _EDGE.sub("", line[found.end() :])
    if end == "bare" and (not found["s"] or not name_and_text(rest)[0]):
        return None  # a sentence that begins with a date
    if found["year"]:
        written, numbers = Written(Style(end, "年"), 0), (found["year"], found["month"], found["day"])
    else:
        numbers = (found["a"], found["b"], found["c"])
        year_at = next((at for at, number in enumerate(numbers) if len(number) > 2), None)
        written = Written(Style(end, found["sep"]), year_at)
    gap, word = plain_word(found["gap"]), plain_word(found["word"] if end in ("bracket", "dash") else "")
    late = next((words[one] for one in (word, gap) if one in words), None)
    unknown = next((one for one in (word, gap) if one not in _JOINS and one not in words), None)
    clock = _clock(int(found["h"]), int(found["m"]), int(found["s"] or 0), late)
    return Header(written, (int(numbers[0]), int(numbers[1]), int(numbers[2])), clock, rest, unknown)


def _clock(hour: int, minute: int, second: int, late: bool | None) -> tuple[int, int, int] | None:
    if late is not None:
        if hour > 12:
            late, hour = None, hour if late else 24  # 13:05 PM is written by some; 13:05 AM says two things
        else:
            hour = hour % 12 + (12 if late else 0)
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


_LONGEST_NAME = 120  # characters; a longer one is a sentence with a colon in it
_PAIRS = (("“", "”"), ("«", "»"), ("„", "“"))


def name_and_text(rest: str, names: Iterable[str] = ()) -> tuple[str | None, str]:
    """(who speaks, what they say) of what stands behind a header; no name: WhatsApp's own notice.

    `names` are those that hold a colon themselves; else the name ends at the first colon with a blank behind it.
    """
    for name in names:
        if rest.startswith(f"{name}:"):
            return name, rest[len(name) + 1 :].removeprefix(" ")
    end = rest.find(": ")
    if end < 0 and rest.endswith(":"):
        end = len(rest) - 1
    if not 0 < end <= _LONGEST_NAME:
        return None, rest
    name = rest[:end]
    if not name.isascii() or '"' in name:
        quoted = name.count('"') % 2 or any(name.count(left) > name.count(right) for left, right in _PAIRS)
        if quoted:
            return None, rest  # the colon stands inside a quotation: a group's new name
    return name, rest[end + 2 :]
