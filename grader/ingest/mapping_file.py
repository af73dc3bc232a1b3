"""mapping.toml, read and checked: every key that is wrong is named. Whether the file to be mapped has what it names is
checked when that is read. An example to start from stands beside this file.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Mapping as MappingOf
from datetime import tzinfo
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.errors import InputError
from grader.ingest.canonical import KINDS, ROLES
from grader.ingest.mapping import CLOCKS, MINUTES, Csv, Mapping, Pick, Picks, Transcript, plain
from grader.model import JsonValue

CONVERSATION = (
    "conversation_id", "channel", "queue", "language", "reason", "started_at", "ended_at", "state", "ai_version",
    "initiated_by", "excluded", "truncated", "tools_recorded", "messages", "transcript",
)  # fmt: skip
MESSAGE = ("role", "text", "at", "kind", "name", "tool_call_id", "is_error", "tool_calls")
OUTCOME = ("csat", "csat_comment", "handled_by", "resolution_minutes", "handle_minutes", "observed_at")
HANDOFF = ("when", "at", "note")
_TABLES = (
    "format", "rows", "csv", "conversation", "contact", "references", "opening", "message", "transcript", "handoff",
    "roles", "kinds", "time", "outcome",
)  # fmt: skip
_PICK = ("from", "value", "values", "default", "join", "pattern")
_OWN = {
    "outcome.csat": ("scale",), "outcome.resolution_minutes": ("unit",), "outcome.handle_minutes": ("unit",),
    "message.role": ("equals",), "opening.role": ("equals",), "message.text": ("html",), "opening.text": ("html",),
}  # fmt: skip
_SEVERAL = ("split", "all")  # of identities and references
_CSV = ("delimiter", "encoding", "quote", "columns", "skip")
EXAMPLE = "`grader schema mapping > mapping.toml` writes an example to start from"
_MAX_SKIP = 1_000
_TIME_WORDS = ("iso", "epoch_s", "epoch_ms", "excel")
_DATE = re.compile(r"%[dmjbBxc]")
_YEAR = re.compile(r"%[YyGxc]")


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
        scattered = self._flag("conversation.scattered", conversation.pop("scattered", False))
        picks = self._picks(conversation, "conversation", CONVERSATION)
        if "conversation_id" not in picks:
            self._fail("conversation.conversation_id", "is missing", 'name its column: conversation_id = "ticket"')
        for key in ("messages", "transcript"):
            if (listed := picks.get(key)) and not listed.paths:
                self._fail(f"conversation.{key}", "must name a column or path", f'write {key} = "data.{key}"')
        messages, several = self._messages(tables, picks)
        outcome = self._picks(self._table(tables, "outcome"), "outcome", OUTCOME)
        if not messages and not outcome and not {"messages", "transcript"} & picks.keys():
            cure = (
                'write [message] with role and text (a row per message), or in [conversation] messages = "…" (a list) '
                'or transcript = "…" (a text)'
            )
            self._fail("message", "is missing: nothing says where the messages are", cure)
        by_message = bool(messages) and "messages" not in picks
        if scattered and not by_message:
            cure = "leave it out: it is for rows of one message each"
            self._fail("conversation.scattered", "says nothing here, where a row is a whole conversation", cure)
        contact, references = self._table(tables, "contact"), self._table(tables, "references")
        handoff = self._table(tables, "handoff")
        formats, timezone, by_time = self._time(self._table(tables, "time"), bare="transcript" in picks)
        return Mapping(
            file=self._file,
            conversation=picks,
            contact=self._picks(contact, "contact", tuple(contact)),
            references=self._picks(references, "references", tuple(references)),
            handoff=self._picks(handoff, "handoff", HANDOFF),
            opening=self._opening(self._table(tables, "opening"), there="messages" in picks),
            messages=messages,
            several=several,
            transcript=self._transcript(self._table(tables, "transcript"), there="transcript" in picks),
            outcome=outcome,
            roles=self._words(tables, "roles", ROLES),
            kinds=self._words(tables, "kinds", KINDS),
            time_formats=formats,
            timezone=timezone,
            by_time=by_time,
            attributes=attributes,
            scattered=scattered,
            rows=self._rows(tables),
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
        table = key.partition(".")[0]
        own = (*_OWN.get(key, ()), *(_SEVERAL if table in ("contact", "references") else ()))
        self._known(value, (*_PICK, *own), f"{key}.")
        if ("from" in value) == ("value" in value):
            self._fail(key, "needs either from (a column) or value (a constant)", '{ from = "team" }')
        scale = value.get("scale")
        if scale is not None and not _is_scale(scale):
            self._fail(f"{key}.scale", "must be two different numbers, worst first", "write scale = [1, 10]")
        unit = value.get("unit", "minutes")
        if unit not in MINUTES and unit not in CLOCKS:
            self._fail(f"{key}.unit", f"is {unit!r}", f"use one of {', '.join((*MINUTES, *CLOCKS))}")
        values = value.get("values", {})
        if not isinstance(values, dict):
            self._fail(f"{key}.values", "must be a table", 'write values = { "theirs" = "ours" }')
        join = value.get("join")
        if join is not None and not isinstance(join, str):
            self._fail(f"{key}.join", "must be a text", 'write { from = ["date", "time"], join = " " }')
        split = value.get("split")
        if split is not None and (not isinstance(split, str) or not split):
            self._fail(f"{key}.split", "must be the signs that stand between two values", 'write split = ",;"')
        return Pick(
            key,
            self._paths(f"{key}.from", value["from"]) if "from" in value else (),
            value.get("value"),
            {plain(theirs): ours for theirs, ours in values.items()},
            value.get("default"),
            (float(scale[0]), float(scale[1])) if scale is not None else None,
            unit,
            join,
            self._pattern(f"{key}.pattern", value.get("pattern")),
            split,
            self._flag(f"{key}.all", value.get("all", False)),
            self._flag(f"{key}.html", value.get("html", False)),
            self._equals(f"{key}.equals", value.get("equals", {})),
        )

    def _pattern(self, key: str, value: JsonValue) -> re.Pattern[str] | None:
        if value is None:
            return None
        try:
            return re.compile(value)
        except (re.error, TypeError) as error:
            self._fail(key, f"is no regular expression: {error}", "write it in single quotes: pattern = 'order (\\d+)'")

    def _equals(self, key: str, value: JsonValue) -> dict[str, str]:
        if not isinstance(value, dict) or not all(
            isinstance(role, str) and plain(role).replace("_", " ") in ROLES for role in value.values()
        ):
            cure = 'write equals = { requester_id = "customer" }: the column that holds the same, and the role'
            self._fail(key, "must be a table of columns and roles", cure)
        return dict(value)

    def _flag(self, key: str, value: JsonValue) -> bool:
        if not isinstance(value, bool):
            self._fail(key, "must be true or false", f"write {key.rpartition('.')[2]} = true")
        return value

    def _transcript(self, table: dict[str, JsonValue], *, there: bool) -> Transcript:
        self._known(table, ("line", "speakers", "others", "html"), "transcript.")
        if table and not there:
            cure = 'write transcript = "column" in [conversation]'
            self._fail("transcript", "says how a text is read, but none is named", cure)
        line = self._pattern("transcript.line", table.get("line"))
        if line is not None and not {"who", "text"} <= line.groupindex.keys():
            cure = "write line = '(?P<at>\\S+) (?P<who>[^:]+): (?P<text>.*)'; at may be left out"
            self._fail("transcript.line", "has no groups named who and text", cure)
        speakers = table.get("speakers")
        if speakers is not None and not (isinstance(speakers, list) and all(isinstance(one, str) for one in speakers)):
            self._fail("transcript.speakers", "must be a list of names", 'write speakers = ["Customer", "Bot"]')
        others = table.get("others")
        if others is not None and (not isinstance(others, str) or plain(others).replace("_", " ") not in ROLES):
            self._fail("transcript.others", f"is {others!r}", "use a role: human, unknown …")
        names = None if speakers is None else frozenset(map(plain, speakers))
        return Transcript(line, names, others, self._flag("transcript.html", table.get("html", False)))

    def _paths(self, key: str, value: JsonValue) -> tuple[str, ...]:
        paths = value if isinstance(value, list) else [value]
        if not paths or not all(isinstance(path, str) and path.strip() for path in paths):
            cure = 'write "team", ["plain", "html"] for the first that is filled, or { value = "whatsapp" }'
            self._fail(key, "must name a column or path", cure)
        return tuple(path.strip() for path in paths)

    def _messages(self, tables: MappingOf[str, JsonValue], conversation: Picks) -> tuple[tuple[Picks, ...], bool]:
        found = tables.get("message")
        if "transcript" in conversation and (found is not None or "messages" in conversation):
            cure = "leave one of them out: a text, a list, or a row per message"
            self._fail("conversation.transcript", "stands beside another place for the messages", cure)
        if found is None:
            return (), False
        several = isinstance(found, list)
        if several and "messages" in conversation:
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

    def _opening(self, table: dict[str, JsonValue], *, there: bool) -> Picks:
        picks = self._picks(table, "opening", MESSAGE)
        if not picks:
            return {}
        if not there:
            cure = "it is for the first message where the others stand in a list: messages in [conversation]"
            self._fail("opening", "says where a first message is, but no list of the others is named", cure)
        for needed in ("role", "text"):
            if needed not in picks:
                self._fail(
                    f"opening.{needed}", "is missing", f'name its column, or {needed} = {{ value = "customer" }}'
                )
        return picks

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

    def _time(self, table: dict[str, JsonValue], *, bare: bool) -> tuple[tuple[str, ...], tzinfo | None, bool]:
        """(formats, zone, order by time). `bare`: times of day are understood, since the day is known otherwise."""
        self._known(table, ("formats", "timezone", "sort"), "time.")
        formats = table.get("formats", [])
        formats = [formats] if isinstance(formats, str) else formats
        if not isinstance(formats, list) or not all(
            isinstance(item, str) and (item in _TIME_WORDS or "%" in item) for item in formats
        ):
            cure = f'write ["%d/%m/%Y %H:%M"], or one of {", ".join(_TIME_WORDS)}'
            self._fail("time.formats", "must be a list of time formats", cure)
        for item in formats:
            of_day = not _DATE.search(item)
            if item not in _TIME_WORDS and not _YEAR.search(item) and not (bare and of_day):
                cure = 'if date and time stand apart: at = { from = ["date", "time"], join = " " }'
                self._fail("time.formats", f"{item!r} names no {'date' if of_day else 'year'}", cure)
        zone = table.get("timezone")
        by_time = self._flag("time.sort", table.get("sort", False))
        try:
            return tuple(formats), None if zone is None else ZoneInfo(zone), by_time
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            self._fail("time.timezone", f"{zone!r} is no known zone", "use an IANA name such as America/Sao_Paulo")

    def _rows(self, tables: MappingOf[str, JsonValue]) -> str | None:
        found = tables.get("rows")
        if found is not None and (not isinstance(found, str) or not found.strip()):
            self._fail("rows", "must be the path of a list", 'write rows = "data.conversations"')
        if found is not None and tables.get("format") == "csv":
            self._fail("rows", "is for JSON alone", "leave it out")
        return None if found is None else found.strip()

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
            name = codecs.lookup(encoding).name
            if name.startswith(("utf-16", "utf-32")):  # told by the file itself, whatever it is
                name = "utf-8"
            known = "\n".encode(name) == b"\n"
        except (LookupError, ValueError, AttributeError, TypeError):
            known = False
        if not known:
            self._fail("csv.encoding", f"{encoding!r} cannot be read", "use utf-8, utf-16, cp1252, latin-1 or the like")
        skip = table.get("skip", 0)
        if isinstance(skip, bool) or not isinstance(skip, int) or not 0 <= skip <= _MAX_SKIP:
            self._fail("csv.skip", "must be the number of lines above the header", "write skip = 2")
        return Csv(table.get("delimiter"), name, quote, tuple(columns), skip)


def _is_scale(value: JsonValue) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(end, (int, float)) and not isinstance(end, bool) and abs(end) < 1e9 for end in value)
        and value[0] != value[1]
    )
