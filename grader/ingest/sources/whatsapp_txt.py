"""WhatsApp's `.txt` exports (Export chat, without media): lines → sessions of one chat, each a conversation.

The file says names, not roles: a name is what the user says it is, else `unknown`. What a header, a date, a row and a
session are stands in the modules `whatsapp_txt_*`; this one has the options and puts them together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from grader.errors import InputError
from grader.ingest import canonical
from grader.ingest.rows import Ledger, Parsed
from grader.ingest.source import Source
from grader.ingest.sources.option_values import OptionValues
from grader.ingest.sources.whatsapp_txt_dates import ORDERS, candidates, day_of
from grader.ingest.sources.whatsapp_txt_lines import MARKS, halves, header
from grader.ingest.sources.whatsapp_txt_rows import rows, survey
from grader.ingest.sources.whatsapp_txt_sessions import Sessions, chat_of
from grader.model import JsonValue

_LOOKED_AT = 40  # lines by which an export is recognised
_CHAT = re.compile(
    r"(?i)(?:whatsapp[ _-]?chat|chat[ _](?:de[ _])?whatsapp|conversa[ _](?:do|no)[ _]whatsapp|"
    r"discussion[ _]whatsapp|чат[ _]whatsapp)[ _](?:-|with|com|con|mit|avec|с|met|dengan|z|de)[ _](.+)"
)
_COPY = re.compile(r"(?: \(\d+\))?(?:\.txt)?(?:\.gz)?$", re.IGNORECASE)
_MARK = re.compile(f"[{MARKS}]")


@dataclass(frozen=True)  # no slots: the defaults are read from the class
class Options:
    """What the file cannot say. `roles`: names (or phone numbers) with who they are. `date_order`: where the dates
    leave it open. `idle_minutes`: a longer silence ends a session. `chat`: a name for the chat, which ids are made of.
    `am_words`, `pm_words`: words for the halves of the day, where Grader does not know the phone's.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    date_order: str | None = None
    idle_minutes: float = 24 * 60  # WhatsApp's own window for answering a customer
    chat: str | None = None
    am_words: tuple[str, ...] = ()
    pm_words: tuple[str, ...] = ()


def options(values: Mapping[str, JsonValue]) -> Options:
    """The options as they were given. Raises InputError for a name or a value that is none."""
    given = OptionValues(values, tuple(Options.__dataclass_fields__), "whatsapp_txt")
    roles = given.pairs("roles")
    for name, role in roles.items():
        if role.lower() not in canonical.ROLES:
            cure = "use customer, ai, human, system or unknown"
            raise InputError(f"{name[:60]!r} cannot be {role[:60]!r}", field="option roles", cure=cure)
    return Options(
        roles={name: canonical.ROLES[role.lower()].value for name, role in roles.items()},
        date_order=given.choice("date_order", "", *ORDERS) if values.get("date_order") is not None else None,
        idle_minutes=given.number("idle_minutes", Options.idle_minutes, 1, 525_600),
        chat=given.word("chat"),
        am_words=given.words("am_words"),
        pm_words=given.words("pm_words"),
    )


def recognises_text(head: bytes, name: str) -> str | None:
    """Why a file that begins so is an export of a WhatsApp chat, None if it does not look like one."""
    if name.lower().removesuffix(".gz").endswith((".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".md", ".markdown")):
        return None
    words = halves()
    lines = [line for line in head.decode("utf-8", "replace").splitlines() if line.strip()][:_LOOKED_AT]
    weak = 0
    for number, line in enumerate(lines):
        found = header(line, words)
        if found is None or not any(day_of(found.date, order) for order in candidates(found.written)):
            continue
        if found.written.style.end in ("bracket", "dash"):
            return f"lines begin as WhatsApp's do, such as {line[:40]!r}"
        if number == weak and found.written.style.separator != "-":
            weak += 1  # `13.06.18 21.25.15: Ana: ` is how old iPhones wrote; many logs look much like it
    return "lines begin as WhatsApp's do" if weak and weak >= min(len(lines), 2) else None


def _title(source: Source) -> str | None:
    """The chat partner or group, where the file's or its folder's name says it."""
    for name in (source.path.name, source.path.parent.name):
        name = _COPY.sub("", _MARK.sub("", unicodedata.normalize("NFC", name)))
        found = _CHAT.fullmatch(name)
        if found:
            return (found[1].replace("_", " ") if " " not in name else found[1]).strip() or None
    return None


def read(source: Source, ledger: Ledger, options: Options | None = None) -> Iterator[Parsed]:
    """The sessions of the chat. Raises InputError where the dates of the file can be read in two ways."""
    chosen = options or Options()
    if b"\r" in source.head and b"\n" not in source.head:
        program = r"tr '\r' '\n'"
        cure = f"write it with line feeds: {ledger.command(program, 'lf')}"
        raise InputError("its lines end with a carriage return alone", file=str(source.path), cure=cure)
    words = halves(chosen.am_words, chosen.pm_words)
    colons = tuple(sorted((name for name in chosen.roles if ":" in name), key=len, reverse=True))
    known = survey(source, words, chosen.date_order, colons)
    chat = chat_of(known.names, chosen.roles, _title(source) or known.partner, chosen.chat)
    for note in (*known.notes, *([chat.note] if chat.note else [])):
        ledger.note(note)
    ledger.settle()  # what holds for the whole file stays noted, whatever becomes of its first session
    idle = timedelta(minutes=chosen.idle_minutes)
    return Sessions(chat, idle, ledger).of(rows(source, words, known, ledger))
