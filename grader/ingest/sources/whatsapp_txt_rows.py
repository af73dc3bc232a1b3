"""A WhatsApp export as rows: a message with the lines that it goes on in, or one of WhatsApp's own notices.

One pass over the file tells how its headers are read and who speaks; a second one gives the rows. Whole-file facts are
small: counts of styles, of dates' readings and of at most a thousand names.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from grader.errors import InputError
from grader.ingest.rows import ROW_LIMIT, Ledger, Problem
from grader.ingest.source import RawRow, Source
from grader.ingest.sources.whatsapp_txt_dates import YEARS, DateOrders, day_of, written_date
from grader.ingest.sources.whatsapp_txt_lines import MARKS, Halves, Header, Style, Written, header, name_and_text
from grader.ingest.sources.whatsapp_txt_texts import may_be_notice, said

_MOST = 0.8  # the share of lines that one style has; others are then no headers but quotations
_MAX_NAMES = 1_000
_PHONE = re.compile(r"\+?[\d\s().\-\u2010-\u2015]{7,24}")
_MARK = re.compile(f"[{MARKS}]")


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over the file has shown."""

    orders: Mapping[Written, str | None]  # how each way of writing a date is read; None: it stays open
    names: tuple[str, ...]  # who speaks, as `plain_name` gives it, in the order of their first words
    partner: str | None  # whose name stands before WhatsApp's notice about encryption: that of the chat
    colons: tuple[str, ...]  # names that hold a colon
    notes: tuple[str, ...]


@dataclass
class Row:
    """`speaker` is None for a notice without a name; `at` is what the phone's clock showed."""

    line: int
    begin: bytes
    size: int
    at: datetime | None = None
    speaker: str | None = None
    texts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: Problem | None = None


@lru_cache(maxsize=4096)  # the same few on every line
def plain_name(name: str) -> str:
    """A name for comparing: no marks, no `~` of an unsaved number, one form, one case; of a phone number its digits."""
    name = " ".join(unicodedata.normalize("NFC", _MARK.sub("", name)).split())
    name = name.removeprefix("~").lstrip()
    if _PHONE.fullmatch(name):
        return ("+" if name.startswith("+") else "") + "".join(c for c in name if c.isdigit())
    return name.casefold()


def survey(source: Source, words: Halves, date_order: str | None, colons: tuple[str, ...]) -> Survey:
    """One pass over the file. Raises InputError where its dates or times can be read in two ways."""
    dates = DateOrders()
    known: Counter[Style] = Counter()
    strange: dict[Style, list[int | str]] = {}
    names: dict[Style, dict[str, None]] = {}
    partner: str | None = None
    for raw in source.lines():
        found = None if raw.problem else header(raw.raw.decode("utf-8", "replace"), words)
        if not found:
            continue
        style = found.written.style
        if found.unknown is not None:
            entry = strange.setdefault(style, [0, raw.line, found.unknown])
            entry[0] = int(entry[0]) + 1
            continue
        known[style] += 1
        dates.see(found, raw.line, raw.raw)
        speaker, text = name_and_text(found.rest, colons)
        if speaker is None:
            continue
        if may_be_notice(text) and said(text).notice:
            partner = partner or speaker
            continue
        here = names.setdefault(style, {})
        if len(here) < _MAX_NAMES:
            here.setdefault(plain_name(speaker))
    for style, (n, line, word) in strange.items():
        if int(n) > known[style]:
            raise InputError(
                f"it is not known whether {word!r} beside the time is before or after noon", file=str(source.path),
                line=int(line), field="am_words", cure=f"--option am_words={word} or --option pm_words={word}",
            )  # fmt: skip
    total, leading = sum(known.values()), known.most_common(1)
    styles = {leading[0][0]} if leading and leading[0][1] >= _MOST * total else set(known)
    orders, notes = dates.decided(styles, date_order, str(source.path))
    if len(styles) > 1:
        notes.append("messages begin in more than one way: were several exports put together?")
    speakers = tuple(dict.fromkeys(name for style in known if style in styles for name in names.get(style, ())))
    return Survey(orders, speakers, partner, colons, tuple(notes))


def rows(source: Source, words: Halves, known: Survey, ledger: Ledger) -> Iterator[Row]:
    """The rows in the file's order; what stands before the first header is one row, without a time."""
    row: Row | None = None
    for raw in source.lines():
        text, problem = _decoded(raw, ledger)
        found = header(text, words)
        alike = found is not None and (found.unknown is not None or found.written not in known.orders)
        if found and not alike:
            if row:
                yield row
            row = _begun(raw, found, known)
        elif row:
            row.size += len(raw.raw) + 1
            row.texts.append(text)
            if alike:
                row.notes.append("a line that looks like the beginning of another phone's message is kept as text")
        elif text.strip() or problem:
            reason = "it stands before the first message: it has no date and no time"
            cure = "take it out; if it is a message, its date is not written as WhatsApp writes it"
            row = Row(raw.line, raw.raw[:1024], len(raw.raw), problem=problem or Problem(None, reason, cure))
        if row and row.size > ROW_LIMIT and row.problem is None:
            reason = f"the message has more than {ROW_LIMIT:,} bytes"
            row.problem = Problem(None, reason, "is it an export of WhatsApp's at all?")
        if row and row.problem:
            row.texts.clear()
        if row and problem:
            row.problem = row.problem or problem
    if row:
        yield row


def _decoded(raw: RawRow, ledger: Ledger) -> tuple[str, Problem | None]:
    line = raw.raw.removesuffix(b"\r")
    try:
        return line.decode("utf-8"), raw.problem
    except UnicodeDecodeError as error:
        problem = raw.problem or Problem(
            None, f"byte {error.start + 1} of line {raw.line} (0x{line[error.start]:02x}) is no UTF-8",
            f"write the file as UTF-8, for example: {ledger.command('iconv -f CP1252 -t UTF-8', 'utf8')}",
        )  # fmt: skip
        return line.decode("utf-8", "replace"), problem


def _begun(raw: RawRow, found: Header, known: Survey) -> Row:
    """The row that begins with this header."""
    order = known.orders[found.written]
    day = day_of(found.date, order) if order else None
    problem = None
    if order is None:
        reason = f"the file does not tell whether its date, {written_date(raw.raw)!r}, begins with the day or the month"
        problem = Problem("date_order", reason, "--option date_order=dmy or mdy says it")
    elif day is None:
        read_as = f"read as the file's other dates are ({order})"
        reason = f"{written_date(raw.raw)!r} is no day of the years {YEARS[0]} to {YEARS[1]}, {read_as}"
        cure = "correct the date; a phone with another calendar has to be set to the Gregorian one before the export"
        problem = Problem("date", reason, cure)
    elif found.clock is None:
        problem = Problem("time", "it is no time of day", "correct it, or take the message out")
    at = datetime(day.year, day.month, day.day, *found.clock) if day and found.clock else None  # noqa: DTZ001 - the phone's own
    speaker, text = name_and_text(found.rest, known.colons)
    return Row(raw.line, raw.raw[:1024], len(raw.raw), at, speaker, [text], problem=problem)
