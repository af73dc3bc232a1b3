"""What a mapping can carry: every field, and the shapes that exports of unnamed kinds have."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ingest_reading import notes, put, taken
from test_ingest_mapped import SIMPLE, block, by, mapping

from grader.errors import InputError
from grader.ingest import load_mapping, read
from grader.model import Conversation, Identity, Outcome, Reference

ROWS = "id,who,what\n1,user,a\n"


def one(folder: Path, content: str | bytes | list[Any], text: str, name: str = "x.csv") -> Any:
    """The single record."""
    records, rejected = by(folder, content, text, name)
    assert not rejected, rejected
    assert len(records) == 1, records
    return records[0]


# ── times ──


def test_a_date_and_a_time_in_two_columns_make_one_time(tmp_path: Path) -> None:
    text = SIMPLE + 'at = { from = ["day", "clock"], join = " " }\n[time]\nformats = ["%d/%m/%Y %H:%M"]\n'
    records, rejected = by(tmp_path, "id,who,what,day,clock\n1,user,a,03/08/2026,14:02\n1,ai,b,03/08/2026,\n", text)
    assert records == []
    assert rejected[1].reason.startswith("is no time in the mapping's formats: the text '03/08/2026'")
    assert rejected[1].field == "day and clock"
    made = one(tmp_path, "id,who,what,day,clock\n1,user,a,03/08/2026,14:02\n1,ai,b,,\n", text)
    assert [m.at for m in made.messages] == [datetime(2026, 8, 3, 14, 2, tzinfo=UTC), None]
    assert made.messages[0].attributes == {}


@pytest.mark.parametrize(("form", "value"), [
    ("epoch_s", "1785765720"), ("epoch_ms", "1785765720000"), ("epoch_s", "1785765720.0"),
    ("%m/%d/%y %I:%M %p", "08/03/26 02:02 PM"), ("%d.%m.%Y %H:%M:%S", "03.08.2026 14:02:00"),
    ("iso", "2026-08-03 14:02"), ("excel", "46237.584722222222"),
])  # fmt: skip
def test_times_are_read_by_their_format(tmp_path: Path, form: str, value: str) -> None:
    text = SIMPLE + f'at = "at"\n[time]\nformats = ["{form}"]\n'
    assert one(tmp_path, f"id,who,what,at\n1,user,a,{value}\n", text).messages[0].at == datetime(
        2026, 8, 3, 14, 2, tzinfo=UTC
    )


def test_messages_newest_first_are_noted_and_sorted_when_asked(tmp_path: Path) -> None:
    rows = "id,who,what,at\n1,ai,b,2026-08-03T14:03\n1,user,a,2026-08-03T14:02\n"
    text = SIMPLE + 'at = "at"\n'
    assert [m.text for m in one(tmp_path, rows, text).messages] == ["b", "a"]
    assert "sort = true in [time]" in notes(read(tmp_path / "x.csv", mapping=tmp_path / "mapping.toml"))
    assert [m.text for m in one(tmp_path, rows, text + "[time]\nsort = true\n").messages] == ["a", "b"]


# ── files ──


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("sign", [";", "\t"])
def test_encodings_and_delimiters_of_spreadsheets(tmp_path: Path, encoding: str, sign: str) -> None:
    content = f"id{sign}who{sign}what\r\n1{sign}user{sign}olá, não\r\n".encode(encoding)
    text = f'[csv]\nencoding = "{encoding}"\n' + SIMPLE
    assert one(tmp_path, content, text).messages[0].text == "olá, não"


def test_lines_above_the_header_are_skipped(tmp_path: Path) -> None:
    report = 'Report of August\n"exported; by",Ana\nid,who,what\n1,user,a\n'
    assert one(tmp_path, report, "[csv]\nskip = 2\n" + SIMPLE).messages[0].text == "a"


def test_the_rows_may_stand_in_a_list_deep_in_one_json(tmp_path: Path) -> None:
    text = 'rows = "data.items"\n[conversation]\nconversation_id = "n"\nmessages = "log"\n'
    log = [{"role": "user", "content": "hi"}]
    content = {"data": {"items": [{"n": 1, "log": log}, 5, {"n": 2, "log": log}, {"n": 3}]}}
    records, rejected = by(tmp_path, json.dumps(content, indent=1), text, "x.json")
    assert [r.conversation_id for r in records] == ["1", "2"]
    assert [(r.field, r.reason[:20]) for r in rejected] == [
        ("data.items[2]", "must be an object, t"), ("log", "must be a list of me"),
    ]  # fmt: skip
    emptied: list[Any] = [{"data": {}}, {"data": {"items": []}}, {"data": {"items": 3}}]
    for broken in emptied:
        records, rejected = by(tmp_path, [content, broken], text, "x.jsonl")
        assert (len(records), len(rejected)) == (2, 3)
        assert "holds no rows" in rejected[-1].reason


def test_rows_that_stand_anywhere_are_brought_together_when_told(tmp_path: Path) -> None:
    text = SIMPLE.replace("[message]", "scattered = true\n[message]")
    rows = "id,who,what\n1,user,a\n2,user,b\n1,ai,c\n,ai,x\n3,user,d\n3,ai\n2,ai,e\n"
    records, rejected = by(tmp_path, rows, text)
    assert [(r.conversation_id, [m.text for m in r.messages]) for r in records] == [
        ("1", ["a", "c"]),
        ("2", ["b", "e"]),
    ]
    assert [(r.line, r.reason[:24]) for r in rejected] == [
        (5, "is blank"), (6, "another row of this conv"), (7, "the row has 2 cells, the"),
    ]  # fmt: skip
    assert "may lack a message" in notes(read(tmp_path / "x.csv", mapping=tmp_path / "mapping.toml"))
    records, rejected = by(tmp_path, rows, SIMPLE)
    assert "scattered = true" in rejected[0].cure


# ── who speaks ──


def test_roles_as_numbers_truth_values_and_a_rest(tmp_path: Path) -> None:
    text = SIMPLE.replace('"who"', '{ from = "who", default = "human" }') + (
        '[roles]\n1 = "customer"\n2 = "ai"\ntrue = "customer"\n'
    )
    rows = [{"id": 1, "who": who, "what": "x"} for who in (1, 2.0, "1", True, "Ana", None, 7)]
    text = text.replace(
        'default = "human"', 'values = { 1 = "customer", 2 = "ai", true = "customer" }, default = "human"'
    )
    assert [m.role.value for m in one(tmp_path, rows, text, "x.jsonl").messages] == [
        "customer", "ai", "customer", "customer", "human", "human", "human",
    ]  # fmt: skip


def test_the_rest_of_the_roles_is_what_the_mapping_says(tmp_path: Path) -> None:
    text = SIMPLE.replace('"who"', '{ from = "who", default = "human" }') + '[roles]\n"Loja bot" = "ai"\n'
    rows = "id,who,what\n1,Loja bot,a\n1,Ana,b\n1,user,c\n1,,d\n"
    assert [m.role.value for m in one(tmp_path, rows, text).messages] == ["ai", "human", "customer", "human"]


def test_the_author_who_is_the_customer_of_the_row_is_the_customer(tmp_path: Path) -> None:
    author = '{ from = "author", equals = { requester = "customer" }, values = { "99" = "ai" }, default = "human" }'
    rows = "id,author,what,requester\n1, 7 ,a,7\n1,99,b,7\n1,12,c,7\n"
    made = one(tmp_path, rows, SIMPLE.replace('"who"', author))
    assert [m.role.value for m in made.messages] == ["customer", "ai", "human"]
    inside = SIMPLE.replace('"who"', author).replace("[message]", 'messages = "log"\n[message]')
    log = [{"author": n, "what": "x"} for n in (7, 99, 12)]
    made = one(tmp_path, [{"id": 1, "requester": 7, "log": log}], inside, "x.jsonl")
    assert [m.role.value for m in made.messages] == ["customer", "ai", "human"]
    assert made.attributes == {}


# ── a text that holds the conversation ──

TEXT = '[conversation]\nconversation_id = "id"\ntranscript = "chat"\n'
NAMES = '[roles]\n"Cliente" = "customer"\n"Loja bot" = "ai"\n'


def chat(folder: Path, text: str, table: str = TEXT + NAMES, **more: Any) -> Conversation:
    made = one(folder, [{"id": 1, "chat": text, **more}], table, "x.jsonl")
    assert isinstance(made, Conversation)
    return made


def spoken(record: Conversation) -> list[tuple[str, str]]:
    return [(m.role.value, m.text) for m in record.messages]


def test_a_transcript_in_one_column_is_its_messages(tmp_path: Path) -> None:
    text = "Cliente: oi\n\nLoja bot: Olá!\nVeja: https://x.example/a:b\nAna: sou humana\nCliente: 14:00 serve?\n"
    made = chat(tmp_path, text, TEXT.replace("chat", "chat") + NAMES)
    assert spoken(made) == [
        ("customer", "oi"), ("ai", "Olá!"), ("unknown", "https://x.example/a:b"), ("unknown", "sou humana"),
        ("customer", "14:00 serve?"),
    ]  # fmt: skip
    assert made.messages[3].attributes == {"sender": "Ana", "source_role": "Ana"}
    told = notes(read(tmp_path / "x.jsonl", mapping=tmp_path / "mapping.toml"))
    assert "the role 'Ana' is not known, its messages are kept as unknown" in told
    only = TEXT + NAMES + '[transcript]\nspeakers = ["cliente", "loja bot", "ana"]\nothers = "human"\n'
    assert spoken(chat(tmp_path, text, only))[1:3] == [
        ("ai", "Olá!\nVeja: https://x.example/a:b"), ("human", "sou humana"),
    ]  # fmt: skip


def test_the_times_of_a_transcript_take_their_day_from_the_beginning(tmp_path: Path) -> None:
    text = "[23:58] Cliente: oi\n[23:59:30] Loja bot: Olá!\n00:03 - Cliente: ainda aí?\nCliente (00:04): ?"
    begun = TEXT + 'started_at = "began"\n' + NAMES
    made = chat(tmp_path, text, begun, began="2026-08-03T23:58:20Z")
    days = [f"{m.at:%d %H:%M:%S}" for m in made.messages if m.at]
    assert days == ["03 23:58:00", "03 23:59:30", "04 00:03:00", "04 00:04:00"]
    assert all(m.at is None for m in chat(tmp_path, text).messages)
    assert "nothing says when" in notes(read(tmp_path / "x.jsonl", mapping=tmp_path / "mapping.toml"))
    dated = TEXT + NAMES + '[time]\nformats = ["%d/%m/%Y %H:%M"]\n'
    assert chat(tmp_path, "[03/08/2026 14:02] Cliente: oi", dated).messages[0].at == datetime(
        2026, 8, 3, 14, 2, tzinfo=UTC
    )
    _, rejected = by(tmp_path, [{"id": 1, "chat": "[08-03 14:02] Cliente: oi"}], dated, "x.jsonl")
    assert (rejected[0].field, rejected[0].reason[:14]) == ("chat", "is no time in ")


def test_a_transcript_of_another_form_is_read_by_its_pattern(tmp_path: Path) -> None:
    form = "[transcript]\nhtml = true\nline = '<(?P<who>\\w+)@(?P<at>[^>]+)> (?P<text>.*)'\n"
    text = "&lt;Cliente@2026-08-03T14:02&gt; oi<br>tudo bem?<br>&lt;Bot@2026-08-03T14:03&gt; Olá"
    made = chat(tmp_path, text, TEXT + NAMES + form)
    assert spoken(made) == [("customer", "oi\ntudo bem?"), ("ai", "Olá")]
    assert made.messages[1].at == datetime(2026, 8, 3, 14, 3, tzinfo=UTC)


def test_the_transcript_of_the_documentation_comes_in_as_it_says(tmp_path: Path) -> None:
    heading = "### A conversation in one text"
    made = one(tmp_path, block("csv", heading), block("toml", heading))
    assert spoken(made) == [("customer", "oi"), ("ai", "Olá! Qual é o pedido?"), ("human", "Oi, aqui é a Ana.")]
    assert made.messages[2].at == datetime(2026, 8, 4, 0, 3, tzinfo=UTC)


def test_what_stands_before_the_first_speaker_is_nobodys(tmp_path: Path) -> None:
    assert spoken(chat(tmp_path, "Chat started\nCliente: oi")) == [("unknown", "Chat started"), ("customer", "oi")]
    _, rejected = by(tmp_path, [{"id": 1, "chat": {"a": 1}}, {"id": 2, "chat": None}, {"id": 3, "chat": " "}],
                     TEXT, "x.jsonl")  # fmt: skip
    assert [r.field for r in rejected] == ["chat", "chat", "messages"]


# ── everything around ──


def test_every_field_of_a_conversation_can_be_mapped(tmp_path: Path) -> None:
    text = """
        [conversation]
        conversation_id = "id"
        state = { from = "status", values = { "Fechado" = "closed" } }
        ai_version = { value = "agent-7" }
        initiated_by = { from = "dir", values = { in = "customer", out = "business" } }
        excluded = { from = "tag", values = { lixo = "spam" } }
        truncated = "cut"
        language = "lang"
        reason = "why"
        [contact]
        phone = { from = ["cell", "home"], all = true }
        email = { from = "mails", split = ",;" }
        name = "person"
        [references]
        order = { from = "subject", pattern = '#(\\d+)' }
        ticket = "tick"
        [message]
        role = "who"
        text = "what"
        [outcome]
        handle_minutes = { from = "aht", unit = "hh:mm:ss" }
        csat = { from = "stars", values = { "★★★★☆" = 4 } }
    """
    rows = [
        {"id": 1, "status": "Fechado", "dir": "in", "tag": "lixo", "cut": "sim", "lang": "pt", "why": "refund",
         "cell": "+551", "home": "+552", "mails": "a@x.example; b@x.example", "person": "Ana", "subject": "no #881 x",
         "tick": 5, "who": "user", "what": "a", "aht": "01:30:30", "stars": "★★★★☆"},
        {"id": 1, "who": "ai", "what": "b", "subject": "pedido #882"},
    ]  # fmt: skip
    records, rejected = by(tmp_path, rows, text, "x.jsonl")
    assert not rejected
    made, outcome = records
    assert (made.state, made.ai_version, made.initiated_by, made.excluded, made.truncated) == (
        "closed", "agent-7", "customer", "spam", True,
    )  # fmt: skip
    assert made.contact.identities == (
        Identity(kind="phone", value="+551"), Identity(kind="phone", value="+552"),
        Identity(kind="email", value="a@x.example"), Identity(kind="email", value="b@x.example"),
    )  # fmt: skip
    assert made.references == (
        Reference(kind="order", value="881"), Reference(kind="order", value="882"), Reference(kind="ticket", value="5"),
    )  # fmt: skip
    assert outcome == Outcome(conversation_id="1", handle_minutes=90.5, csat=4)
    assert made.attributes == {}


@pytest.mark.parametrize(("unit", "value", "expected"), [
    ("hh:mm:ss", "1:02:30", 62.5), ("hh:mm", "01:30", 90), ("mm:ss", "90:30", 90.5), ("seconds", "90", 1.5),
    ("mm:ss", "00:30,6", 0.51), ("hh:mm:ss", "1:30", None), ("hh:mm", "1:75", None), ("hours", "1:30", None),
])  # fmt: skip
def test_durations_as_clocks_show_them(tmp_path: Path, unit: str, value: str, expected: float | None) -> None:
    text = f'[conversation]\nconversation_id = "id"\n[outcome]\nhandle_minutes = {{ from = "t", unit = "{unit}" }}\n'
    records, rejected = by(tmp_path, f'id,t\n1,"{value}"\n', text)
    if expected is None:
        assert rejected[0].field == "t"
    else:
        assert records[0].handle_minutes == pytest.approx(expected)


@pytest.mark.parametrize(("pick", "given_", "csat"), [
    ('{ from = "r", values = { "👍" = 5, "👎" = 1 } }', "👎", 1),
    ('{ from = "r", pattern = "[0-9]+" }', "4/5", 4),
    ("{ from = \"r\", pattern = '(\\d+) %', scale = [0, 100] }", "75 %", 4),
    ('{ from = "r", scale = [1, 10] }', "10", 5),
    ('{ from = "r", pattern = "[0-9]+" }', "n/a", None),
])  # fmt: skip
def test_ratings_of_any_kind(tmp_path: Path, pick: str, given_: str, csat: float | None) -> None:
    text = f'[conversation]\nconversation_id = "id"\n[outcome]\ncsat = {pick}\ncsat_comment = "c"\n'
    assert one(tmp_path, f"id,r,c\n1,{given_},ok\n", text).csat == csat


# ── messages that stand apart ──


def test_the_first_message_may_stand_beside_the_list_of_the_others(tmp_path: Path) -> None:
    text = """
        [conversation]
        conversation_id = "id"
        messages = "conversations"
        [opening]
        role = { value = "customer" }
        text = { from = "description", html = true }
        at = "created_at"
        [message]
        role = { from = "incoming", values = { true = "customer", false = "human" } }
        text = ["body_text", "lines"]
        kind = { from = "private", values = { true = "note", false = "text" } }
    """
    rows: list[Any] = [
        {"id": 1, "description": "<p>the lid<br>is <b>broken</b></p>", "created_at": "2026-08-03T14:02:00Z",
         "conversations": [{"body_text": "psst", "incoming": False, "private": True},
                           {"lines": ["Sent.", "Bye!"], "incoming": False, "private": False}]},
        {"id": 2, "description": " ", "conversations": [{"body_text": "hi", "incoming": True, "private": False}]},
    ]  # fmt: skip
    records, rejected = by(tmp_path, rows, text, "x.jsonl")
    assert not rejected
    assert [(m.role.value, m.kind.value, m.text) for m in records[0].messages] == [
        ("customer", "text", "the lid\nis broken"), ("human", "note", "psst"), ("human", "text", "Sent.\nBye!"),
    ]  # fmt: skip
    assert records[0].messages[0].at == datetime(2026, 8, 3, 14, 2, tzinfo=UTC)
    assert (records[0].attributes, len(records[1].messages)) == ({}, 1)
    bare = text[: text.index("[message]")]
    (record,), _ = by(tmp_path, [{"id": 1, "description": "a", "conversations": [{"role": "user", "content": "b"}]}],
                      bare, "x.jsonl")  # fmt: skip
    assert [m.text for m in record.messages] == ["a", "b"]


# ── hand-offs ──

HANDOFF = SIMPLE + 'at = "at"\n[handoff]\n'


@pytest.mark.parametrize(("table", "cells", "after"), [
    ('when = "h"\n', ["yes", "yes", "yes", "yes"], 2),  # all of them: before the first human after the AI
    ('when = "h"\n', ["no", "yes", "", ""], 2),  # the AI's own row
    ('when = "h"\n', ["no", "", "yes", ""], 2),  # the human's own row
    ('at = "h"\n', ["", "2026-08-03T14:01:30", "", ""], 1),
    ('when = "h"\n', ["no", "no", "no", "no"], None),
])  # fmt: skip
def test_a_handoff_is_put_where_it_was(tmp_path: Path, table: str, cells: list[str], after: int | None) -> None:
    who = ["user", "ai", "human", "user"]
    rows = [f"1,{who[n]},m{n},2026-08-03T14:0{n + 1},{cell},lack of data" for n, cell in enumerate(cells)]
    made = one(tmp_path, "\n".join(["id,who,what,at,h,cause", *rows]), HANDOFF + table + 'note = "cause"\n')
    found = [(e.kind, e.after, e.to_role, e.note) for e in made.events]
    assert found == ([] if after is None else [("handoff", after, "human", "lack of data")])


def test_a_handoff_without_a_human_is_behind_the_ais_last_words(tmp_path: Path) -> None:
    made = one(tmp_path, "id,who,what,at,h\n1,user,a,,1\n1,ai,b,,1\n1,user,c,,1\n", HANDOFF + 'when = "h"\n')
    assert [(e.after, e.from_role) for e in made.events] == [(2, "ai")]
    assert made.has_handoff


# ── mistakes ──


@pytest.mark.parametrize(("text", "key", "said"), [
    (SIMPLE + "[time]\nformats = ['%H:%M']\n", "time.formats", 'from = ["date", "time"], join'),
    (SIMPLE + "[time]\nformats = ['%d/%m %H:%M']\n", "time.formats", "names no year"),
    (SIMPLE + "[time]\nsort = 'yes'\n", "time.sort", "write sort = true"),
    (SIMPLE.replace('"who"', '{ from = "who", pattern = "(" }'), "message.role.pattern", "no regular expression"),
    (SIMPLE.replace('"who"', '{ from = "who", equals = { a = "boss" } }'), "message.role.equals", "columns and roles"),
    (SIMPLE.replace('"what"', '{ from = "what", equals = { a = "ai" } }'), "message.text.equals", "is not a key"),
    (SIMPLE.replace('"what"', '{ from = "what", join = 1 }'), "message.text.join", "must be a text"),
    (SIMPLE + "[contact]\nphone = { from = 'a', split = '' }\n", "contact.phone.split", "signs that stand between"),
    (SIMPLE + "[contact]\nphone = { from = 'a', all = 1 }\n", "contact.phone.all", "write all = true"),
    (SIMPLE + "[csv]\nskip = -1\n", "csv.skip", "number of lines above the header"),
    (SIMPLE + "[transcript]\nhtml = true\n", "transcript", "none is named"),
    (TEXT + "[transcript]\nline = '(?P<who>.*)'\n", "transcript.line", "groups named who and text"),
    (TEXT + "[transcript]\nspeakers = 'Ana'\n", "transcript.speakers", "list of names"),
    (TEXT + "[transcript]\nothers = 'boss'\n", "transcript.others", "use a role"),
    (TEXT + "[message]\nrole = 'a'\ntext = 'b'\n", "conversation.transcript", "another place for the messages"),
    (TEXT.replace('"chat"', '{ value = "x" }'), "conversation.transcript", "must name a column"),
    (TEXT + "scattered = true\n", "conversation.scattered", "a row is a whole conversation"),
    (SIMPLE + "[handoff]\nto = 'x'\n", "handoff.to", "known here: when, at, note"),
    (SIMPLE + "[opening]\nrole = 'a'\ntext = 'b'\n", "opening", "no list of the others"),
    (TEXT.replace("transcript", "messages") + "[opening]\nrole = 'a'\n", "opening.text", "is missing"),
    (SIMPLE.replace('"who"', '{ from = "who", html = true }'), "message.role.html", "is not a key"),
    ("rows = 5\n" + SIMPLE, "rows", "path of a list"),
    ("rows = 'a'\nformat = 'csv'\n" + SIMPLE, "rows", "JSON alone"),
    (SIMPLE + "[outcome]\nhandle_minutes = { from = 'x', unit = 'h:m' }\n", "outcome.handle_minutes.unit", "hh:mm:ss"),
])  # fmt: skip
def test_a_mistake_is_named_by_its_key(tmp_path: Path, text: str, key: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        load_mapping(mapping(tmp_path, text))
    assert error.value.field == key
    assert said in str(error.value)


def test_a_column_of_a_joined_field_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = SIMPLE + 'at = { from = ["day", "clock"], join = " " }\n'
    with pytest.raises(InputError, match="names 'clock'") as error:
        by(tmp_path, "id,who,what,day\n1,user,a,\n", text)
    assert error.value.field == "message.at"
    text = SIMPLE.replace('"who"', '{ from = "who", equals = { requester = "customer" } }')
    with pytest.raises(InputError, match="names 'requester'"):
        by(tmp_path, ROWS, text)


def test_every_row_of_every_shape_is_kept_or_rejected(tmp_path: Path) -> None:
    scattered = SIMPLE.replace("[message]", "scattered = true\n[message]")
    rows = ["1,user,a", "2,ai,b", "1,ai", ",user,c", '3,"x', "1,ai,d", "4,user,e,f", "2,user,g"]
    for text in (SIMPLE, scattered):
        path = put(tmp_path, "\n".join(["id,who,what", *rows, ""]), "x.csv")
        kept, rejected = taken(path, mapping=mapping(tmp_path, text))
        # The quote that is left open takes the four lines behind it with it.
        assert sum(row.rows for row in kept) + len(rejected) == 5
