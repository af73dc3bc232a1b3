"""Files of every format, spoilt in every way that an export can be, and a count of their rows that knows no reader.

A file is a number: the same one gives the same bytes. What is done to it is said by `Spoilt.how`; `lossless` ones hold
the same conversations as the file that they were made of.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import chatwoot_rows
import test_ingest_chatwoot_files as chatwoot_files
import test_ingest_intercom_files as intercom_files
import test_ingest_langfuse as langfuse_files
import test_ingest_otel as otel_files
import test_ingest_variants as variants
import test_ingest_whatsapp_business_files as business_files
import test_ingest_whatsapp_txt_sessions as txt_files
import test_ingest_zendesk_around as zendesk_files
from genai_traces import CALLS, conventions, request, span, tool
from helpdesk import too_deep

Bounds = tuple[int, int]  # the least and the most rows that there may be


@dataclass(frozen=True)
class Spoilt:
    """One file: its bytes, what was done, and how many rows it holds as far as that can be told without reading it."""

    name: str
    raw: bytes
    how: str
    lossless: bool
    rows: Bounds | None


@dataclass(frozen=True)
class Format:
    """A format's good rows (objects), or its text; `count` tells the rows of one line that is good JSON."""

    name: str
    rows: list[Any]
    count: Callable[[Any], Bounds]
    text: str | None = None
    file: str = "export.jsonl"
    mapping: str | None = None
    reader: str | None = None  # the format's name, where this is not it

    @property
    def format(self) -> str:
        return "mapped" if self.mapping else self.reader or self.name


def _exactly(count: Callable[[Any], int]) -> Callable[[Any], Bounds]:
    return lambda value: (count(value), count(value))


def _of_line(count: Callable[[bytes], int]) -> Callable[[Any], Bounds]:
    return _exactly(lambda value: count(json.dumps(value).encode()))


def _langfuse(value: Any) -> Bounds:
    """A line is a row at least, with each entry of its lists that is no id."""
    lists = [value.get(key) for key in ("observations", "scores")] if isinstance(value, dict) else []
    inner = sum(1 for one in lists if isinstance(one, list) for entry in one if not isinstance(entry, str))
    return 1, 1 + inner + (len(value) if isinstance(value, list) else 0)


def _zendesk(value: Any) -> Bounds:
    """As the test of the documented shapes counts, and the lists of the shapes beside it."""
    n = zendesk_files.n_rows(value)
    if isinstance(value, dict) and "status" not in value:
        more = sum(len(value[key]) for key in ("messages", "survey_responses") if isinstance(value.get(key), list))
        more += isinstance(value.get("survey_response"), dict)
        known = any(isinstance(value.get(key), list) and value[key] for key in _LISTS)
        n = (n if known or isinstance(value.get("ticket"), dict) else 0) + more or n
    return n, n


def _plain(value: Any) -> Bounds:
    return 1, 1


def _traces() -> list[Any]:
    rows = []
    for number, (inputs, output) in enumerate(CALLS):
        for position, convention in enumerate(list(conventions().values())[:4]):
            attributes, events = convention(inputs, output)
            named = {"session.id": f"s{position}"}
            rows.append(request(span(f"a{position}", number, attributes | named, events=events), tool(number, "x")))
    return rows


_TALK = {"messages": [{"role": "user", "content": "oi é 😀"}, {"role": "assistant", "content": None, "tool_calls": [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "ok"}, {"role": "assistant", "content": "Olá"}]}  # fmt: skip
_CANONICAL = {
    "conversation_id": "a", "channel": "chat", "queue": "q", "started_at": "2026-08-03T14:02:00-04:00",
    "state": "closed",
    "contact": {"identities": [{"kind": "phone", "value": "+1415"}], "name": "é"}, "references": [],
    "messages": [{"role": "customer", "text": "oi 😀", "at": 1785780120}, {"role": "ai", "text": "Olá"}],
    "events": [{"kind": "handoff", "after": 2, "from_role": "ai"}], "attributes": {"x": [1, {"y": None}]},
}  # fmt: skip
_CSV = (
    'id;who;what;when;stars\n1;user;"oi é; ""você""\nlinha";03/08/2026 14:02;5\n1;bot;Olá 😀;03/08/2026 14:03;\n'
    "2;user;cadê;04/08/2026 09:00;1\n2;human;aqui;04/08/2026 09:01;\n3;bot;só;05/08/2026 09:00;\n"
)
_MAPPING = """
[conversation]
conversation_id = "id"
[message]
role = "who"
text = "what"
at = "when"
[time]
formats = ["%d/%m/%Y %H:%M"]
[outcome]
csat = "stars"
"""
_LISTED = """
[conversation]
conversation_id = "n"
messages = "log"
[contact]
phone = { from = "phones", all = true }
[message]
role = { from = "who.type", equals = { "owner" = "customer" }, default = "human" }
text = ["text", "html"]
at = "at"
[references]
order = { from = "subject", pattern = '#([0-9]+)' }
[outcome]
csat = { from = "stars", pattern = "[0-9]" }
"""
_LOGS = [{"n": n, "owner": "u", "phones": ["+1", "+2"], "subject": "é #12", "stars": "4/5", "log": [
    {"who": {"type": "u"}, "text": "oi 😀", "at": 1785780120}, {"who": {"type": "b"}, "html": "x", "at": None}]}
    for n in range(3)]  # fmt: skip

_TEXTS = """
[conversation]
conversation_id = "n"
started_at = "began"
transcript = "chat"
[roles]
Ana = "customer"
Bot = "ai"
[transcript]
others = "human"
"""
_LISTS = ("tickets", "comments", "audits", "events", "chats", "agent_engagement_data")
_ZENDESK: list[Any] = [
    {"conversation": {"id": "c1"}, "messages": variants.SUNCO[:2]},
    {"events": [{"type": "conversation:message",
                 "payload": {"conversation": {"id": "c1"}, "message": variants.SUNCO[2]}}]},
    variants.wrote(1, 7, "broken é", staff=False),
    variants.event(4, "status_changed", {"previous": "OPEN", "current": "SOLVED"}, "SOLVED"),
    {"survey_response": {"answers": [{"type": "rating_scale", "rating": 2, "question": {"options": [1, 2, 3, 4, 5]}}],
                         "subjects": [{"zrn": "zen:ticket:35"}]}},
]  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> str:
    """As Langfuse's export button writes a table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        cells = [row.get(name) for name in names]
        writer.writerow("" if one is None else one if isinstance(one, str) else json.dumps(one) for one in cells)
    return out.getvalue()


FORMATS = {one.name: one for one in (
    Format("chatwoot", [*chatwoot_rows.LOG, *chatwoot_files.FUZZED[-2:]], _of_line(chatwoot_files.n_rows)),
    Format("intercom", [one for one in intercom_files.SEEDS if not isinstance(one, list)],
           _exactly(intercom_files.n_rows)),
    Format("zendesk", [*zendesk_files.SEEDS, *_ZENDESK], _zendesk),
    Format("whatsapp_business", business_files.FUZZED, _of_line(business_files.n_rows)),
    Format("whatsapp_txt", [], _plain, text=txt_files.SEED.decode(), file="_chat.txt"),
    Format("otel_genai", _traces(), _exactly(otel_files.n_rows)),
    Format("langfuse", [*deepcopy(langfuse_files.nested()), *deepcopy(langfuse_files.TURNS),
                        langfuse_files.score("csat", 3)], _langfuse),
    Format("openai_chat", [{**_TALK, "id": "x"}, _TALK, {"id": "y", "trajectory": _TALK["messages"]}], _plain),
    Format("canonical", [_CANONICAL, {**_CANONICAL, "conversation_id": "b"},
                         {"type": "outcome", "conversation_id": "a", "csat": 4}], _plain),
    Format("csv", [], _plain, text=_CSV, file="export.csv", mapping=_MAPPING),
    Format("csv_scattered", [], _plain, text=_CSV, file="export.csv", mapping=_MAPPING.replace(
        "[message]", "scattered = true\n[message]", 1)),
    Format("langfuse_csv", [], _plain, text=_table(langfuse_files.TURNS), file="export.csv", reader="langfuse"),
    Format("transcripts", [{"n": n, "began": 1785780120, "chat": "[14:02] Ana: oi 😀\n\nBot: Olá: é\nEva (14:03): x"}
                           for n in range(3)], _plain, mapping=_TEXTS),
    Format("jsonl", _LOGS, _plain, mapping=_LISTED),
)}  # fmt: skip

_HUGE = [10**30, -(10**18), 1.5e300, 10**400, -0.0, 99999999999999, "9" * 5000, 4102444800001]
_WRONG: list[Any] = [
    None, True, False, 0, -1, "", " ", "\x00", "\u2028", "\ud800", "\u200e", "x" * 5000, [], {}, [[]], [None],
    {"id": None}, "2021-13-45", "[{", "{\"role\": 3}", *_HUGE,
]  # fmt: skip


def spoilt(form: Format, seed: int) -> Spoilt:
    """The file of this number."""
    chance = random.Random(f"{form.name} {seed}")
    if form.text is not None:
        return _text(form, form.text, chance)
    rows = deepcopy(form.rows)
    how = chance.choice(["as it is", "keys", "values", "removed", "renamed", "deep", "twice", "order"])
    n = chance.randrange(1, 5)
    if how == "keys":
        rows = [_shaken(row, chance) for row in rows]
    elif how == "order":
        chance.shuffle(rows)
    elif how in ("values", "removed", "renamed", "deep"):
        for _ in range(n):
            _change(rows, how, chance)
    texts = [json.dumps(row, ensure_ascii=chance.random() < 0.5) for row in rows]
    if how == "twice":  # a key twice in one object
        at = chance.randrange(len(texts))
        inner = [found.start() for found in re.finditer(r"\{(?=\")", texts[at])]
        place = chance.choice(inner) + 1
        key = re.match(r'"(?:[^"\\]|\\.)*"', texts[at][place:])
        texts[at] = f"{texts[at][:place]}{key[0] if key else ''}: 1, {texts[at][place:]}"
    return _written(form, texts, how, chance)


def _written(form: Format, texts: list[str], how: str, chance: random.Random) -> Spoilt:
    """The lines as bytes, whole or harmed."""
    ends = chance.choice(["\n", "\n", "\r\n", "\n\n", "mixed"])
    lines = [text + (chance.choice(["\n", "\r\n", "\n \n"]) if ends == "mixed" else ends) for text in texts]
    content = "".join(lines)
    harm = chance.choice(["none", "none", "none", "cut", "bytes", "latin-1", "utf-16", "utf-8-sig", "nul", "gap"])
    raw = _harmed(content, harm, chance)
    counted = content.encode("utf-8", "replace") if harm in ("utf-16", "utf-8-sig") else raw
    # A cut first line may be taken for one of a file whose values stand on several lines.
    first_is_whole = counted.split(b"\n")[0].strip() == texts[0].encode("utf-8", "replace").strip()
    rows = (
        _rows(counted, form.count)
        if first_is_whole and _value(texts[0].encode("utf-8", "replace")) is not None
        else None
    )
    same = how in ("as it is", "keys") and harm in ("none", "utf-16", "utf-8-sig")
    return Spoilt(form.file, raw, f"{how}, {harm}", same, rows)


def _text(form: Format, text: str, chance: random.Random) -> Spoilt:
    """A text, some of its lines changed, and harmed."""
    how = chance.choice(["as it is", "lines", "pieces", "ends"])
    if how == "ends":
        text = re.sub(r"\r?\n", lambda _: chance.choice(["\n", "\r\n"]), text)
    elif how == "lines":
        lines = text.split("\n")
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(lines))
            match chance.randrange(4):
                case 0:
                    del lines[at]
                case 1:
                    lines.insert(at, lines[chance.randrange(len(lines))])
                case 2:
                    chance.shuffle(lines)
                case _:
                    lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            lines = lines or [""]
        text = "\n".join(lines)
    elif how == "pieces":
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(text) + 1)
            piece = chance.choice(
                ['"', ";", "\n", "\r", "\x00", "[", ": ", " - ", "9" * 30, "\u2028", "", "31/12/23, 10:00 - "]
            )
            text = text[:at] + piece + text[at + chance.randrange(4) :]
    harm = chance.choice(["none", "none", "cut", "bytes", "latin-1", "utf-16", "utf-8-sig", "nul", "gap"])
    raw = _harmed(text, harm, chance)
    rows: Bounds | None = None
    if form.file.endswith(".csv") and form.text is not None:
        plain = text if harm in ("utf-16", "utf-8-sig") else raw.decode("utf-8", "replace")
        rows = _csv_rows(plain, form.text.split("\n")[0], "," if form.reader else ";")
    return Spoilt(form.file, raw, f"{how}, {harm}", how == "as it is" and harm in ("none", "utf-16", "utf-8-sig"), rows)


def _csv_rows(text: str, header: str, sign: str) -> Bounds | None:
    """Records behind the header, by Python's reader; None where it cannot read them, or the header is spoilt."""
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip("\r") != header:
        return None
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=sign, strict=True))
    except csv.Error:
        return None
    n = sum(any(cell.strip() for cell in row) for row in rows[1:])
    return (n, n) if "\r" not in text.replace("\r\n", "") and "\ufffd" not in text else None


def _harmed(text: str, harm: str, chance: random.Random) -> bytes:
    raw = text.encode("utf-8", "replace")
    match harm:
        case "cut":
            return raw[: chance.randrange(len(raw) + 1)]
        case "bytes":
            changed = bytearray(raw)
            for _ in range(chance.randrange(1, 8)):
                if changed:
                    changed[chance.randrange(len(changed))] = chance.randrange(256)
            return bytes(changed)
        case "latin-1":
            return text.encode("latin-1", "replace")
        case "utf-16":
            return text.encode(chance.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32"]), "replace")
        case "utf-8-sig":
            return b"\xef\xbb\xbf" + raw
        case "nul":
            at = chance.randrange(len(raw) + 1)
            return raw[:at] + b"\0" * chance.randrange(1, 12) + raw[at:]
        case "gap":
            begin, end = sorted(chance.randrange(len(raw) + 1) for _ in range(2))
            return raw[:begin] + raw[end:]
    return raw


def _rows(raw: bytes, count: Callable[[Any], Bounds]) -> Bounds:
    """The rows of JSON Lines: each line that is not blank is one, or what `count` finds in it if it is good JSON."""
    low = high = 0
    for line in raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if line.strip():
            value = _value(line)
            least, most = (1, 1) if value is None or too_deep(value[0]) else count(value[0])
            low, high = low + max(least, 1), high + max(most, 1)
    return low, high


def _value(line: bytes) -> tuple[Any] | None:
    """The value in a line, None where it is no JSON, or no good one."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError
        return dict(pairs)

    def never(_: str) -> Any:
        raise ValueError

    try:
        return (json.loads(line.decode("utf-8"), object_pairs_hook=once, parse_constant=never),)
    except (ValueError, RecursionError):
        return None


def _change(rows: list[Any], how: str, chance: random.Random) -> None:
    places = [(holder, key) for row in rows for holder, key in _places(row)]
    if not places:
        return
    holder, key = chance.choice(places)
    if how == "removed":
        del holder[key]
    elif how == "renamed" and isinstance(holder, dict):
        holder[f"{key}{chance.choice(['_', 'Id', '.0'])}"] = holder.pop(key)
    elif how == "deep":
        deep = holder[key]
        for _ in range(chance.choice([1, 5, 60, 120])):
            deep = [deep] if chance.random() < 0.5 else {"a": deep}
        holder[key] = deep
    else:
        given = [*_WRONG, [holder[key]], {"value": holder[key]}, json.dumps(holder[key])]
        holder[key] = deepcopy(chance.choice(given))


def _places(value: Any) -> list[tuple[Any, Any]]:
    found = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        found += _places(value[key])
    return found


def _shaken(value: Any, chance: random.Random) -> Any:
    """Keys in another order."""
    if isinstance(value, dict):
        return {key: _shaken(value[key], chance) for key in chance.sample(list(value), len(value))}
    return [_shaken(one, chance) for one in value] if isinstance(value, list) else value
