"""A file as raw rows: unpacked, as UTF-8, split and numbered, in bounded memory. What a row means is not known here.

JSON Lines are split at line ends; a JSON array, or values written over several lines, at the ends of their values.
What cannot be read (a row over the limit, a cut or damaged file) comes as a row with its problem, never as an
exception: the rows before it are good.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import shlex
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from grader.errors import InputError
from grader.ingest.rows import ROW_LIMIT, Problem

CHUNK = 256 * 1024
BOM = b"\xef\xbb\xbf"
Layout = Literal["lines", "values", "array"]

# How files begin that are something else, with what to do about them.
_FOREIGN = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV (UTF-8)"),
    (b"PAR1", "a Parquet file", "write it as JSON Lines, for example in DuckDB: copy (from 'FILE') to 'FILE.jsonl'"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV or JSON Lines"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it with zstd -d, or compress it with gzip"),
    (b"BZh", "compressed with bzip2", "unpack it with bunzip2, or compress it with gzip"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it with unxz, or compress it with gzip"),
    (b"%PDF", "a PDF", "export the conversations as JSON or CSV"),
)


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row's bytes and the line on which it begins; with a problem, `raw` is only its beginning."""

    line: int
    raw: bytes
    problem: Problem | None = None


class Source:
    """One file to read from the beginning as often as wanted. Raises InputError if it is not one that holds text.

    `content` is where the bytes are if not at `path`, which then only names them: standard input, written to a file.
    """

    def __init__(self, path: Path, content: Path | None = None) -> None:
        self.path = path
        self._stdin = content is not None
        self._file = content or path
        self.size = self._regular_size()
        self.position = 0  # bytes of the file (compressed ones, if it is) that the reading in progress has used
        self._packed = False
        self._failure: Problem | None = None
        self.wide: str | None = None  # the encoding, where it is UTF-16 or UTF-32: what comes out is UTF-8
        self.head = self._head()
        self._refuse_foreign()
        self.wide = _wide(self.head)
        self.head = self._head() if self.wide else self.head
        self._refuse_binary()

    def _regular_size(self) -> int:
        try:
            found = self._file.stat()
        except (OSError, ValueError) as error:
            raise _cannot_open(self.path, error) from error
        if stat.S_ISDIR(found.st_mode):
            raise InputError("this is a folder", file=str(self.path), cure="name the files in it")
        if not stat.S_ISREG(found.st_mode):
            raise InputError(
                "this is no regular file", file=str(self.path),
                cure="a file is read more than once: write a pipe's content to a file, or hand it in as `-`",
            )  # fmt: skip
        return found.st_size

    def _head(self) -> bytes:
        head = b""
        for chunk in self.chunks():
            head += chunk
            if len(head) >= CHUNK:
                break
        if self._failure and not head:
            raise InputError(self._failure.reason, file=str(self.path), cure=self._failure.cure)
        return head

    def _refuse_foreign(self) -> None:
        for magic, what, cure in _FOREIGN:
            if self.head.startswith(magic):
                cure = cure.replace("FILE", str(self.path).replace("'", "''"))
                raise InputError(f"this is {what}, not text", file=str(self.path), cure=cure)

    def _refuse_binary(self) -> None:
        if self.head[:4096].count(0) > max(8, len(self.head[:4096]) // 20):
            cure = "hand in JSON Lines, CSV with a mapping, or policies in Markdown"
            raise InputError("this is a binary file, not text", file=str(self.path), cure=cure)

    def command(self, program: str, mark: str) -> str:
        """How the program makes a better copy of this file beside it, to be pasted into a shell."""
        if self._stdin:
            return f"… | {program} | grader ingest -"
        name = self.path.name.removesuffix(".gz") if self._packed else self.path.name
        there, made = shlex.quote(str(self.path)), shlex.quote(str(self.path.with_name(f"{mark}-{name}")))
        return f"gzip -dc {there} | {program} > {made}" if self._packed else f"{program} < {there} > {made}"

    def chunks(self) -> Iterator[bytes]:
        """The unpacked bytes, as UTF-8 without a byte order mark. A fault ends them early and is kept for `rows`."""
        self.position, self._failure, first = 0, None, True
        # Half a surrogate pair becomes three bytes that are no UTF-8, so that its row is rejected.
        decoder = codecs.getincrementaldecoder(self.wide)("surrogatepass") if self.wide else None
        try:
            with self._file.open("rb") as raw:
                self._packed = raw.read(2) == b"\x1f\x8b"
                raw.seek(0)
                # read1: what came before a fault is handed out, where read would throw it away
                stream = cast("io.BufferedReader", gzip.GzipFile(fileobj=raw)) if self._packed else raw
                while chunk := stream.read1(CHUNK):
                    self.position = raw.tell()
                    if decoder is not None:
                        chunk = decoder.decode(chunk).encode("utf-8", "surrogatepass")
                    yield chunk.removeprefix(BOM) if first else chunk
                    first = False
                if decoder is not None:
                    decoder.decode(b"", final=True)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            cut = isinstance(error, EOFError)
            self._failure = Problem(
                None,
                f"the gzip data {'ends too early' if cut else 'is damaged'}; what follows cannot be read",
                f"copy or export the file again; gzip -t {shlex.quote(str(self.path))} tells whether it is whole",
            )
        except UnicodeDecodeError as error:
            reason = f"the text is no {(self.wide or '').upper()} from here on: {error.reason}"
            self._failure = Problem(None, reason, "export the file again, as UTF-8 if there is a choice")
        except OSError as error:
            self._failure = Problem(
                None, f"the file cannot be read: {error.strerror or error}", "check the disk and the file's permissions"
            )

    def rows(self, layout: Layout) -> Iterator[RawRow]:
        """The rows in order, blank ones left out."""
        found = self.lines() if layout == "lines" else _values(self, unwrap=layout == "array")
        return (row for row in found if row.problem or row.raw.strip())

    def lines(self) -> Iterator[RawRow]:
        """Every line, blank ones too, without its line end (a carriage return stays)."""
        number, held, n_held = 1, bytearray(), 0
        for chunk in self.chunks():
            *whole, rest = chunk.split(b"\n")
            for piece in whole:
                if n_held:
                    _hold(held, piece, n_held)
                    yield _row(number, bytes(held), n_held + len(piece))
                    held.clear()
                    n_held = 0
                else:
                    yield RawRow(number, piece)
                number += 1
            if rest:
                _hold(held, rest, n_held)
                n_held += len(rest)
        yield from self._end(number, bytes(held), n_held)

    def _end(self, number: int, held: bytes, n_held: int) -> Iterator[RawRow]:
        if self._failure:
            yield RawRow(number, held[:1024], self._failure)
        elif n_held:
            yield _row(number, held, n_held)

    @property
    def failure(self) -> Problem | None:
        """What ended the reading in progress before the end of the file."""
        return self._failure


def _wide(head: bytes) -> str | None:
    """UTF-16 or UTF-32, told by its byte order mark or by where its zero bytes stand; None for anything else."""
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    even, odd = head[:512:2].count(0), head[1:512:2].count(0)
    if max(even, odd) > 8 * (min(even, odd) + 1):
        return "utf-16-be" if even > odd else "utf-16-le"
    return None


def _cannot_open(path: Path, error: Exception) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError("there is no such file", file=str(path), cure="check the path; a folder or a glob works too")
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InputError(f"the file cannot be opened: {reason}", file=str(path), cure="check the path and its permissions")


def _hold(held: bytearray, piece: bytes, size: int) -> None:
    """Keep a piece of an unfinished row, which has `size` bytes before it; past the limit only its beginning."""
    if size + len(piece) <= ROW_LIMIT:
        held += piece
    else:
        held += piece[:1024]
        del held[1024:]


def _row(line: int, raw: bytes, size: int) -> RawRow:
    if size <= ROW_LIMIT:
        return RawRow(line, raw)
    reason = f"the row has {size:,} bytes, at most {ROW_LIMIT:,} are read"
    cure = "split it into conversations of their own, or leave out embedded files and images"
    return RawRow(line, raw[:1024], Problem(None, reason, cure))


_OUTSIDE = re.compile(rb'["\[\]{},\n]')
_INSIDE = re.compile(rb'["\\]')


def _values(source: Source, *, unwrap: bool) -> Iterator[RawRow]:
    """JSON values that need not stand on a line each, found by their brackets; with `unwrap`, those in a list."""
    depth = floor = 0  # floor: the depth at which values stand, 1 inside the list
    inside = escaped = False
    pending = _Pending()
    for chunk in source.chunks():
        at = mark = 0
        while True:
            if inside:
                at, inside, escaped = _skip_text(chunk, at, escaped)
                if inside:
                    break
            found = _OUTSIDE.search(chunk, at)
            if not found:
                break
            sign, at = found[0], found.end()
            if sign == b'"':
                inside = True
                continue
            if sign in b"[{":
                if sign == b"[" and unwrap and depth == 0 and not (pending.held + chunk[mark : at - 1]).strip():
                    pending.take(chunk[mark : at - 1] + b" ")
                    yield from pending.flush()
                    mark, floor = at, 1
                depth += 1
                continue
            end = at
            if sign == b"]" and depth == floor == 1:
                depth, floor, end = 0, 0, at - 1
            elif sign in b"]}":
                depth = max(depth - 1, floor)
                if depth != floor:
                    continue
            elif depth != floor or (sign == b"\n" and floor):
                continue
            elif sign == b",":
                end = at - 1
            pending.take(chunk[mark:end])
            yield from pending.flush()
            mark = at
        pending.take(chunk[mark:])
    yield from _last_value(source, pending, open_value=inside or depth > floor, open_list=bool(floor))


def _skip_text(chunk: bytes, at: int, escaped: bool) -> tuple[int, bool, bool]:
    """From inside a JSON text: (where it ends, still inside, the next byte is escaped)."""
    if escaped:
        at += 1
    while found := _INSIDE.search(chunk, at):
        if found[0] == b'"':
            return found.end(), False, False
        at = found.end() + 1
        if at > len(chunk):
            return len(chunk), True, True
    return len(chunk), True, False


def _last_value(source: Source, pending: _Pending, *, open_value: bool, open_list: bool) -> Iterator[RawRow]:
    if source.failure:
        yield from pending.flush(source.failure, always=True)
    elif open_value or open_list:
        what = "a value" if open_value else "the list"
        cut = Problem(
            None, f"the file ends inside {what} that begins here or before", "it may be cut off: export it again"
        )
        yield from pending.flush(cut, always=True)
    else:
        yield from pending.flush()


class _Pending:
    """The bytes of the value being read, and the line on which they begin."""

    def __init__(self) -> None:
        self.held = bytearray()
        self._size = self._n_newlines = 0
        self._line = 1

    def take(self, piece: bytes) -> None:
        if not self._size:
            blank = len(piece) - len(piece.lstrip())
            self._line += piece.count(b"\n", 0, blank)
            piece = piece[blank:]
        if piece:
            _hold(self.held, piece, self._size)
            self._size += len(piece)
            self._n_newlines += piece.count(b"\n")

    def flush(self, problem: Problem | None = None, *, always: bool = False) -> Iterator[RawRow]:
        if self._size or always:
            row = _row(self._line, bytes(self.held), self._size)
            yield RawRow(row.line, row.raw[:1024], problem) if problem else row
        self._line += self._n_newlines
        self.held.clear()
        self._size = self._n_newlines = 0


_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')


def json_layout(head: bytes) -> Layout:
    """How the rows of a JSON file stand, from its beginning: one per line, several lines each, or in one list.

    A line that is a list of messages is a row of its own; a list of anything else holds the rows.
    """
    lines = [line for line in head.split(b"\n") if line.strip()][:2]
    first = lines[0].strip() if lines else b""
    if first[:1] not in (b"[", b"{"):
        return "lines"
    several: Layout = "array" if first.startswith(b"[") and not _is_message_list(head) else "values"
    value = _parsed(first)
    if value is None:
        if _next_follows(first):
            return several
        alone = len(lines) < 2 or isinstance(_parsed(lines[1]), dict)
        return "lines" if alone and first not in (b"[", b"{") and several == "values" else several
    return "array" if isinstance(value, list) and several == "array" else "lines"


def _is_message_list(head: bytes) -> bool:
    """The list that begins here holds messages: an entry has a role itself, not in something that it holds."""
    role = head.find(b'"role"')
    if role < 0 or re.match(rb"\s*\[\s*\[", head):
        return False
    before = _TEXT.sub(b"", head[:role])
    return sum(before.count(sign) for sign in (b"[", b"{")) - sum(before.count(sign) for sign in (b"]", b"}")) == 2


def _next_follows(line: bytes) -> bool:
    """A whole value stands here and another one, or a comma, behind it on the same line."""
    text = line.decode("utf-8", "replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return text[end:].lstrip()[:1] in ("{", "[", ",")


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
