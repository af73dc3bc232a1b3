"""A CSV as rows: a dict per record with the line it begins on. Quoted cells may hold line ends; every cell is text.

A record with more or fewer cells than the header, or with a stray quote, is a problem of that record: guessing would
put words into the wrong column.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from grader.errors import InputError
from grader.ingest.mapping import Csv
from grader.ingest.rows import Problem
from grader.ingest.source import Source
from grader.model import JsonValue

CELL_LIMIT = 16 * 1024 * 1024  # characters; csv holds a cell as four bytes per character
_BEGIN = 1024  # characters of a line by which a row is shown, and known if it cannot be read
_LINES = 2_000  # lines of one row that are looked at so
_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row of a mapped file: its values by column or path, or what is wrong with it."""

    line: int
    begin: bytes | str  # how it begins
    size: int
    value: dict[str, JsonValue] | None = None
    problem: Problem | None = None
    seems: tuple[Cells, ...] = ()  # of a row of a CSV that cannot be read
    raw: bytes = b""  # of a row of a JSONL that cannot be read


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells that a bad row of a CSV seems to have. `cut`: the last one may go on, and others may follow."""

    found: tuple[str, ...]
    cut: bool


class _Records(Protocol):
    """What csv.reader gives."""

    @property
    def line_num(self) -> int: ...
    def __next__(self) -> list[str]: ...
    def __iter__(self) -> Iterator[list[str]]: ...


class _Lines:
    """Decoded lines for the csv module, which pulls them. What was wrong with a line is remembered under its number."""

    def __init__(self, source: Source, encoding: str) -> None:
        self._rows = source.lines()
        self._encoding = encoding
        self.number = 0
        self.size = 0
        self.begins: list[str] = []  # how the lines since the last call of `take` begin; of very many some are left out
        self.cut = False  # a line since then has an end that cannot be read
        self._wrong: Problem | None = None

    def __iter__(self) -> Iterator[str]:
        for row in self._rows:
            self.number = row.line
            self.size += len(row.raw) + 1
            self._wrong = self._wrong or row.problem
            self.cut = self.cut or row.problem is not None
            try:
                text = row.raw.decode(self._encoding)
            except UnicodeDecodeError as error:
                cure = 'write the file as UTF-8, or name its encoding in the mapping: [csv] encoding = "cp1252"'
                reason = (
                    f"byte {error.start + 1} of line {row.line} (0x{row.raw[error.start]:02x}) is no {self._encoding}"
                )
                self._wrong = self._wrong or Problem(None, reason, cure)
                text = row.raw.decode(self._encoding, "replace")
            if len(self.begins) > _LINES:
                self.begins.pop()
            self.begins.append(text[:_BEGIN])
            yield text + "\n"

    def take(self) -> tuple[list[str], bool, Problem | None]:
        """(how the lines since the last call begin, whether one is cut, the first problem)."""
        found = (self.begins, self.cut, self._wrong)
        self.begins, self.cut, self._wrong = [], False, None
        return found


def sniff_delimiter(line: str) -> str:
    """The delimiter that stands most often in a header, outside quotes."""
    bare = _QUOTED.sub("", line)
    return max(_DELIMITERS, key=bare.count)


def columns(source: Source, form: Csv) -> tuple[list[str], str, int]:
    """(the columns' names, the delimiter, how many lines come before the rows). Raises InputError."""
    head = source.head.decode(_encoding(source, form), "replace")
    if "\n" not in head and "\r" in head:
        raise InputError(
            "the lines end in a carriage return alone", file=str(source.path),
            cure="write them anew: " + source.command(r"tr '\r' '\n'", "lines"),
        )  # fmt: skip
    lines = head.split("\n")
    skip = form.skip
    delimiter = form.delimiter
    if not skip and (told := re.fullmatch(r"sep=(.)\r?", lines[0])):  # a line that Excel writes and hides
        delimiter, skip = delimiter or told[1], 1
    first = next((line for line in lines[skip:] if line.strip()), "")
    delimiter = delimiter or sniff_delimiter(first)
    if form.columns:
        return list(form.columns), delimiter, skip
    reader = _reader(iter([line + "\n" for line in lines[skip:]]), form, delimiter)
    try:
        names = next((row for row in reader if any(cell.strip() for cell in row)), [])
    except csv.Error as error:
        raise InputError(f"the header cannot be read: {error}", file=str(source.path), line=1 + skip,
                         cure="is it a CSV? quotes inside a quoted cell are doubled") from error  # fmt: skip
    if not names:
        raise InputError("there is no header line", file=str(source.path), cure="the first line names the columns")
    return _told_apart(names), delimiter, reader.line_num + skip


def _encoding(source: Source, form: Csv) -> str:
    """What the bytes are read as: wide text comes out of the source as UTF-8."""
    return "utf-8" if source.wide else form.encoding


def _told_apart(names: list[str]) -> list[str]:
    found: list[str] = []
    for position, raw in enumerate(names, 1):
        name = free = raw.strip() or f"column {position}"
        n = 1
        while free in found:
            n += 1
            free = f"{name} ({n})"
        found.append(free)
    return found


def _reader(lines: Iterator[str], form: Csv, delimiter: str) -> _Records:
    csv.field_size_limit(CELL_LIMIT)  # the csv module keeps one limit for the whole process
    return csv.reader(lines, delimiter=delimiter, quotechar=form.quote, doublequote=True, strict=True)


def rows(source: Source, form: Csv) -> Iterator[SourceRow]:
    """Every record after the header. Blank lines are no rows."""
    names, delimiter, n_before = columns(source, form)
    lines = _Lines(source, _encoding(source, form))
    feed = iter(lines)
    for _ in range(n_before):
        next(feed, None)
    lines.take()
    reader = _reader(feed, form, delimiter)
    while True:
        begins, size = lines.number + 1, lines.size
        cells: list[str] = []
        broken: Problem | None = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            broken = _broken(str(error))
        begins_with, cut, wrong = lines.take()
        begin = next((line for line in begins_with if line), "")
        problem = wrong or broken
        if problem is None and not any(cell.strip() for cell in cells):
            continue
        size = lines.size - size
        if problem is None and len(cells) != len(names):
            problem = Problem(
                None,
                f"the row has {len(cells)} cells, the header has {len(names)}",
                f"put cells that hold {delimiter!r}, quotes or line ends in quotes",
            )
        if problem is None:
            yield SourceRow(begins, begin, size, dict(zip(names, cells, strict=True)))
        elif broken:
            # Of the lines that it has swallowed each may be a row: what it says of its conversation must be heard.
            seems = tuple(Cells(_loosely(line, form, delimiter), cut=True) for line in begins_with if line.strip())
            yield SourceRow(begins, begin, size, None, problem, seems)
        else:
            whole = Cells(tuple(cells), cut or len(cells) < len(names))
            yield SourceRow(begins, begin, size, None, problem, (whole,))


def _loosely(line: str, form: Csv, delimiter: str) -> tuple[str, ...]:
    """The cells of a line by itself, as far as they can be told apart."""
    try:
        return tuple(next(csv.reader([line], delimiter=delimiter, quotechar=form.quote, strict=False), ()))
    except csv.Error:
        return ()


def _broken(reason: str) -> Problem:
    if "field larger" in reason:
        return Problem(None, f"a cell has more than {CELL_LIMIT:,} characters", "is a quote left open before it?")
    if "unexpected end" in reason:
        return Problem(None, "a quote is opened here and never closed, up to the end of the file", "close or double it")
    return Problem(None, f"no CSV: {reason}", "quotes inside a quoted cell are doubled; a lone one stands in quotes")
