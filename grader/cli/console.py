"""What the commands print: results to stdout, everything else to stderr; text of others never reaches a terminal raw.

The common options stand here too, so that they read the same on every command. rich is imported where a table is drawn.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from grader.errors import ConfigError, GraderError

if TYPE_CHECKING:
    from rich.console import Console

    from grader.config import Settings
    from grader.people import People

UNBROKEN = 28  # characters of a cell that a table does not break

_workspace: ContextVar[Path | None] = ContextVar("workspace", default=None)
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


def _be_quiet(wanted: bool) -> bool:
    _quiet.set(wanted)
    return wanted


WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        help="The workspace; else the nearest grader.toml upward.",
        show_default=False,
    ),
]
LanguageOption = Annotated[
    str | None,
    typer.Option(
        "--language", metavar="en|pt", help="The language of what is written; numbers and days too.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", callback=_be_quiet, help="No progress and no notes; errors stay.")
]

# C0 and C1 controls, DEL, line and paragraph separators, and the marks that turn the direction of writing.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_ONE_LINE = re.compile(r"[\t\n]+")


def people(settings: Settings) -> People:
    """How people are told apart in this workspace, and where the key is; it is read, or made, when it is needed."""
    from grader.people import Keyring, People
    from grader.people.key import FILE

    secret = settings.people.identity_key
    keyring = Keyring(settings.workspace.state_dir / FILE, secret.reveal() if secret else None)
    return People(keyring, settings.people.phone_region, settings.people.barred_above)


def clean(text: object, *, one_line: bool = True) -> str:
    """The text with control characters and direction marks written out, so that it cannot steer a terminal."""
    plain = _UNSAFE.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", str(text))
    return _ONE_LINE.sub(" ", plain) if one_line else plain


def out(text: object = "", *, style: str | None = None) -> None:
    """A line, or several, of the result. `style`: number of a colour for the first word, where colour is welcome."""
    plain = clean(text, one_line=False)
    if style and sys.stdout.isatty() and colours():
        word, blank, rest = plain.partition(" ")
        plain = f"\033[{style}m{word}\033[0m{blank}{rest}"
    print(plain)


def csv_cell(text: str) -> str:
    """A text as a cell of CSV on stdout: no formula for a spreadsheet, no command for a terminal."""
    from grader.report.export import cell

    return cell(clean(text, one_line=False))


def note(text: object) -> None:
    """A line for the person at the terminal, silenced by --quiet."""
    if not _quiet.get():
        print(clean(text, one_line=False), file=sys.stderr)


def out_json(value: Any) -> None:
    """The result as one JSON document. Records, paths and times are written as JSON has them; NaN is refused."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig")
    text = json.dumps(value, indent=2, ensure_ascii=not utf8, allow_nan=False, default=_jsonable)
    print(_UNSAFE_IN_JSON.sub(lambda m: f"\\u{ord(m[0]):04x}", text))


def _jsonable(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def error(problem: GraderError) -> None:
    """`error: …` and the cure, on stderr, whatever --quiet says."""
    head = "error:"
    if sys.stderr.isatty() and colours():
        head = "\033[1;31merror:\033[0m"
    lines = [f"{head} {clean(problem.message, one_line=False)}"]
    if problem.cure:
        lines.append(f"  → {clean(problem.cure, one_line=False)}")
    print("\n".join(lines), file=sys.stderr)


def colours() -> bool:
    """Colour is welcome: NO_COLOR is not set and the terminal is not a dumb one."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console(*, stderr: bool = False) -> Console:
    """A rich console for tables and progress; plain and unwrapped where the stream is no terminal."""
    from rich.console import Console

    class Drawn(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would end with 1, which reads as a failed threshold

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 10_000
    return Drawn(
        file=stream, width=width, markup=False, highlight=False, emoji=False, soft_wrap=not stream.isatty()
    )  # fmt: skip


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """A table on stdout. A column whose name ends in `>` is set flush right. None is shown as –. Nothing is cut off:
    what does not fit the terminal is broken at blanks, and where its words do not fit, the table is wider.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [["–" if cell is None else clean(cell) for cell in row] for row in rows]
    drawn = Table(
        title=Text(clean(title)) if title else None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False,
        show_edge=False,
    )  # fmt: skip
    screen = console()
    between = 3 * (len(columns) - 1)
    widths = _widths([[name.rstrip(">"), *(row[n] for row in cells)] for n, name in enumerate(columns)],
                     screen.width - between)  # fmt: skip
    screen.width = max(screen.width, sum(widths) + between)
    for name, width in zip(columns, widths, strict=True):
        justify: Literal["left", "right"] = "right" if name.endswith(">") else "left"
        drawn.add_column(Text(name.rstrip(">")), justify=justify, overflow="fold", width=width)
    for row in cells:
        drawn.add_row(*map(Text, row))
    screen.print(drawn)


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """A width for each column, as near to `room` in all as can be: the widest are broken first, those of short cells,
    since a date in two lines cannot be copied, only where that does not do. No word of so many characters is broken.
    """
    from rich.cells import cell_len

    widths = [min(max(map(cell_len, column)), max(room, UNBROKEN)) for column in columns]
    words = [
        min(UNBROKEN, max((cell_len(word) for text in column for word in text.split()), default=1))
        for column in columns
    ]  # fmt: skip
    short = [max(map(len, column[1:]), default=0) <= UNBROKEN for column in columns]
    whole = [width if is_short else word for width, word, is_short in zip(widths, words, short, strict=True)]
    for floors in (whole, words):
        while sum(widths) > room:
            spare = [(width, -n) for n, (width, floor) in enumerate(zip(widths, floors, strict=True)) if width > floor]
            if not spare:
                break
            widths[-max(spare)[1]] -= 1
    return widths


def target(folder: Path | None, workspace: Path | None, default: Path) -> Path:
    """Where a command makes a workspace: its DIR, which may also come as --workspace before or after the command."""
    given = workspace or _workspace.get()
    if folder and given and folder.absolute() != given.absolute():
        raise ConfigError(f"both {folder} and --workspace {given} are named", cure="name one folder")
    return folder or given or default


def remember_workspace(folder: Path | None) -> None:
    """`grader --workspace DIR COMMAND` means the same as `grader COMMAND --workspace DIR`."""
    _workspace.set(folder)


def settings(
    workspace: Path | None, flags: Mapping[str, object] | None = None, *, needed: bool = True, warn: bool = True
) -> Settings:
    """The settings of a command, from its --workspace and the options that it was given.

    `flags` maps `section.name` to the option's value, None where it was not given. Where a workspace is `needed` and
    there is none, this raises ConfigError with the way to make one.
    """
    from grader.config import FILE, load

    given = (
        workspace or _workspace.get() or (Path(e) if (e := os.environ.get("GRADER_WORKSPACE", "").strip()) else None)
    )
    found = load(flags, given)
    if needed and given and found.root.resolve() != given.expanduser().resolve():
        raise ConfigError(f"{given} has no {FILE}", cure=f"grader init {given} makes a workspace there")
    if needed:
        found.require_workspace()
    for warning in found.warnings if warn else ():
        note(f"note: {warning}")
    return found


def make_streams_safe() -> None:
    """What a stream's encoding cannot write is written as an escape, and a closed stream swallows what it is given."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open as long as the program runs
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - as above
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Sends what is still buffered for stdout nowhere: writing it would fail once more when Python ends."""
    with contextlib.suppress(OSError, ValueError):  # stdout is no file of the system's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
