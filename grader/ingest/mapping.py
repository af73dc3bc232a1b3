"""mapping.toml: which column or path of a foreign CSV or JSONL holds which of our fields.

Reading it checks every key and names the one that is wrong; what the file to be mapped really has is checked when it
is read. An example to start from stands beside this file; docs/formats.md walks through it.
"""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import tzinfo
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.errors import InputError
from grader.ingest.canonical import KINDS, ROLES
from grader.model import JsonValue

CONVERSATION = (
    "conversation_id", "channel", "queue", "language", "reason", "started_at", "ended_at", "tools_recorded", "messages",
)  # fmt: skip
MESSAGE = ("role", "text", "at", "kind", "name", "tool_call_id", "is_error", "tool_calls")
OUTCOME = ("csat", "csat_comment", "handled_by", "resolution_minutes", "observed_at")
TIMES = ("started_at", "ended_at", "at", "observed_at")
MINUTES = {"milliseconds": 1 / 60_000, "seconds": 1 / 60, "minutes": 1.0, "hours": 60.0, "days": 1440.0}
_TABLES = ("format", "csv", "conversation", "contact", "message", "roles", "kinds", "time", "outcome")
_PICK = ("from", "value", "values", "default")
_CSV = ("delimiter", "encoding", "quote", "columns")
EXAMPLE = "`grader schema mapping > mapping.toml` writes an example to start from"
_TIME_WORDS = ("iso", "epoch_s", "epoch_ms")


@dataclass(frozen=True, slots=True)
class Pick:
    """Where one of our fields comes from: the first of some paths that holds something, or a constant."""

    key: str  # as it stands in the mapping: conversation.queue
    paths: tuple[str, ...] = ()
    constant: JsonValue = None
    values: MappingOf[str, JsonValue] = field(default_factory=dict)
    default: JsonValue = None
    scale: tuple[float, float] | None = None
    unit: str = "minutes"

    @property
    def source(self) -> str:
        """The column, for messages."""
        return " or ".join(self.paths) or self.key


Picks = MappingOf[str, Pick]


@dataclass(frozen=True, slots=True)
class Csv:
    """How a CSV is written; None: seen from its first line."""

    delimiter: str | None = None
    encoding: str = "utf-8"
    quote: str = '"'
    columns: tuple[str, ...] = ()  # names, for a file without a header line


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, checked. `messages` holds one set of picks per message that a row makes; empty: as they are."""

    file: str
    conversation: Picks
    contact: Picks = field(default_factory=dict)
    messages: tuple[Picks, ...] = ()
    several: bool = False  # [[message]]: several messages per row, blank ones left out
    outcome: Picks = field(default_factory=dict)
    roles: MappingOf[str, str] = field(default_factory=dict)
    kinds: MappingOf[str, str] = field(default_factory=dict)
    time_formats: tuple[str, ...] = ()
    timezone: tzinfo | None = None
    attributes: tuple[str, ...] | None = None  # which unused columns are kept; None: all
    format: str | None = None
    csv: Csv = Csv()

    @property
    def only_outcomes(self) -> bool:
        """The rows hold outcomes alone."""
        return not self.messages and "messages" not in self.conversation

    @property
    def by_message(self) -> bool:
        """A conversation's messages stand on rows of their own."""
        return bool(self.messages) and "messages" not in self.conversation

    def all_picks(self) -> list[Pick]:
        """Every pick whose paths are those of a row (not of a message in a row's list)."""
        of_rows = self.messages if self.by_message else ()
        return [pick for picks in (self.conversation, self.contact, self.outcome, *of_rows) for pick in picks.values()]


def example_mapping() -> str:
    """A commented mapping, to be changed to what a file has."""
    return (files("grader.ingest") / "mapping-example.toml").read_text(encoding="utf-8")


def load_mapping(path: Path | str) -> Mapping:
    """Read and check a mapping; its `[options]` are left to `load_options`. Raises InputError that names the key."""
    return _Checker(str(path)).mapping({name: t for name, t in _tables(path).items() if name != "options"})


def load_options(path: Path | str) -> tuple[dict[str, JsonValue], bool]:
    """(the table `[options]`, for formats that have some; whether there is a mapping besides). Raises InputError."""
    tables = _tables(path)
    options = tables.pop("options", {})
    if not isinstance(options, dict):
        raise InputError("must be a table", file=str(path), field="options", cure="write [options]")
    return options, bool(tables) or not options


def _tables(path: Path | str) -> dict[str, JsonValue]:
    file = str(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError as error:
        raise InputError("there is no such mapping", file=file, cure=EXAMPLE) from error
    except UnicodeDecodeError as error:
        raise InputError("the mapping is not UTF-8", file=file, cure="save it as UTF-8") from error
    except (OSError, ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"the mapping is no TOML: {reason}", file=file, cure="texts stand in quotes") from error


class _Checker:
    """Turns TOML tables into a Mapping, or names the first key that is wrong."""

    def __init__(self, file: str) -> None:
        self._file = file

    def mapping(self, tables: dict[str, JsonValue]) -> Mapping:
        self._known(tables, _TABLES, "")
        conversation = self._table(tables, "conversation")
        attributes = self._attributes(conversation.pop("attributes", None))
        picks = self._picks(conversation, "conversation", CONVERSATION)
        if "conversation_id" not in picks:
            self._fail("conversation.conversation_id", "is missing", 'name its column: conversation_id = "ticket"')
        if (listed := picks.get("messages")) and not listed.paths:
            self._fail("conversation.messages", "must name a column or path", 'write messages = "data.messages"')
        messages, several = self._messages(tables, in_list="messages" in picks)
        outcome = self._picks(self._table(tables, "outcome"), "outcome", OUTCOME)
        if not messages and not outcome and "messages" not in picks:
            cure = 'write [message] with role and text (a row per message), or messages = "…" in [conversation]'
            self._fail("message", "is missing: nothing says where the messages are", cure)
        contact = self._table(tables, "contact")
        formats, timezone = self._time(self._table(tables, "time"))
        return Mapping(
            file=self._file,
            conversation=picks,
            contact=self._picks(contact, "contact", tuple(contact)),
            messages=messages,
            several=several,
            outcome=outcome,
            roles=self._words(tables, "roles", ROLES),
            kinds=self._words(tables, "kinds", KINDS),
            time_formats=formats,
            timezone=timezone,
            attributes=attributes,
            format=self._format(tables),
            csv=self._csv(self._table(tables, "csv")),
        )

    def _fail(self, key: str, reason: str, cure: str) -> NoReturn:
        raise InputError(reason, file=self._file, field=key, cure=cure)

    def _known(self, table: MappingOf[str, JsonValue], known: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in known:
                near = get_close_matches(key, known, 1, 0.6)
                hint = f"did you mean {near[0]!r}? " if near else ""
                self._fail(where + key, "is not a key of a mapping", f"{hint}known here: {', '.join(known)}")

    def _table(self, tables: MappingOf[str, JsonValue], name: str) -> dict[str, JsonValue]:
        found = tables.get(name, {})
        if not isinstance(found, dict):
            self._fail(name, "must be a table", f"write [{name}]")
        return dict(found)

    def _picks(self, table: MappingOf[str, JsonValue], name: str, known: tuple[str, ...]) -> dict[str, Pick]:
        self._known(table, known, f"{name}.")
        return {key: self._pick(f"{name}.{key}", value) for key, value in table.items()}

    def _pick(self, key: str, value: JsonValue) -> Pick:
        if not isinstance(value, dict):
            return Pick(key, self._paths(key, value))
        name = key.rpartition(".")[2]
        own = {"csat": ("scale",), "resolution_minutes": ("unit",)}.get(name, ()) if key.startswith("outcome.") else ()
        self._known(value, (*_PICK, *own), f"{key}.")
        if ("from" in value) == ("value" in value):
            self._fail(key, "needs either from (a column) or value (a constant)", '{ from = "team" }')
        scale = value.get("scale")
        if scale is not None and not _is_scale(scale):
            self._fail(f"{key}.scale", "must be two different numbers, worst first", "write scale = [1, 10]")
        unit = value.get("unit", "minutes")
        if unit not in MINUTES:
            self._fail(f"{key}.unit", f"is {unit!r}", f"use one of {', '.join(MINUTES)}")
        values = value.get("values", {})
        if not isinstance(values, dict):
            self._fail(f"{key}.values", "must be a table", 'write values = { "theirs" = "ours" }')
        return Pick(
            key,
            self._paths(f"{key}.from", value["from"]) if "from" in value else (),
            value.get("value"),
            {plain(theirs): ours for theirs, ours in values.items()},
            value.get("default"),
            (float(scale[0]), float(scale[1])) if scale is not None else None,
            unit,
        )

    def _paths(self, key: str, value: JsonValue) -> tuple[str, ...]:
        paths = value if isinstance(value, list) else [value]
        if not paths or not all(isinstance(path, str) and path.strip() for path in paths):
            cure = 'write "team", ["plain", "html"] for the first that is filled, or { value = "whatsapp" }'
            self._fail(key, "must name a column or path", cure)
        return tuple(path.strip() for path in paths)

    def _messages(self, tables: MappingOf[str, JsonValue], *, in_list: bool) -> tuple[tuple[Picks, ...], bool]:
        found = tables.get("message")
        if found is None:
            return (), False
        several = isinstance(found, list)
        if several and in_list:
            cure = "[[message]] is for rows that hold several messages in columns; write [message]"
            self._fail("message", "stands twice, beside conversation.messages", cure)
        sets = []
        for table in found if isinstance(found, list) else [found]:
            if not isinstance(table, dict):
                self._fail("message", "must be a table", "write [message]")
            picks = self._picks(table, "message", MESSAGE)
            for needed in ("role", "text"):
                if needed not in picks:
                    self._fail(f"message.{needed}", "is missing", f'name its column: {needed} = "…"')
            sets.append(picks)
        return tuple(sets), several

    def _attributes(self, value: JsonValue) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            self._fail(
                "conversation.attributes", "must be a list of columns", 'write ["store", "agent"], or [] for none'
            )
        return tuple(value)

    def _words(self, tables: MappingOf[str, JsonValue], name: str, ours: MappingOf[str, object]) -> dict[str, str]:
        found = {}
        for theirs, word in self._table(tables, name).items():
            if not isinstance(word, str) or plain(word).replace("_", " ") not in ours:
                known = ", ".join(dict.fromkeys(str(known) for known in ours.values()))
                self._fail(f"{name}.{theirs}", f"is {word!r}", f"use one of {known}")
            found[plain(theirs)] = word
        return found

    def _time(self, table: dict[str, JsonValue]) -> tuple[tuple[str, ...], tzinfo | None]:
        self._known(table, ("formats", "timezone"), "time.")
        formats = table.get("formats", [])
        formats = [formats] if isinstance(formats, str) else formats
        if not isinstance(formats, list) or not all(
            isinstance(item, str) and (item in _TIME_WORDS or "%" in item) for item in formats
        ):
            cure = f'write ["%d/%m/%Y %H:%M"], or one of {", ".join(_TIME_WORDS)}'
            self._fail("time.formats", "must be a list of time formats", cure)
        zone = table.get("timezone")
        try:
            return tuple(formats), None if zone is None else ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            self._fail("time.timezone", f"{zone!r} is no known zone", "use an IANA name such as America/Sao_Paulo")

    def _format(self, tables: MappingOf[str, JsonValue]) -> str | None:
        found = tables.get("format")
        if found not in (None, "csv", "jsonl"):
            self._fail("format", f"is {found!r}", "use csv or jsonl, or leave it out")
        return found

    def _csv(self, table: dict[str, JsonValue]) -> Csv:
        self._known(table, _CSV, "csv.")
        for key in ("delimiter", "quote"):
            sign = table.get(key)
            if sign is not None and (
                not isinstance(sign, str) or len(sign) != 1 or sign in "\r\n\0" or ord(sign) > 127
            ):
                self._fail(f"csv.{key}", "must be one character", 'write ";" or "\\t"')
        quote = table.get("quote", '"')
        if quote == table.get("delimiter"):
            self._fail("csv.quote", "is the delimiter too", "use two different characters")
        columns = table.get("columns", [])
        if not isinstance(columns, list) or not all(isinstance(name, str) and name for name in columns):
            self._fail("csv.columns", "must be a list of names", 'write ["id", "who", "what"]')
        encoding = table.get("encoding", "utf-8")
        try:
            wide = not isinstance(encoding, str) or "\n".encode(codecs.lookup(encoding).name) != b"\n"
        except (LookupError, ValueError, AttributeError):
            wide = True
        if wide:
            first = "iconv -f UTF-16 -t UTF-8 < FILE > utf8-FILE"
            cure = f"use utf-8, cp1252, latin-1 or the like; write UTF-16 as UTF-8 first: {first}"
            self._fail("csv.encoding", f"{encoding!r} cannot be read", cure)
        return Csv(table.get("delimiter"), str(encoding), quote, tuple(columns))


def plain(word: str) -> str:
    """A value of theirs as it is looked up: without blanks around it, in lower case."""
    return word.strip().casefold()


def _is_scale(value: JsonValue) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(end, (int, float)) and not isinstance(end, bool) and abs(end) < 1e9 for end in value)
        and value[0] != value[1]
    )
