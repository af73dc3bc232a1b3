"""Foreign CSV and JSONL by a mapping: the worked examples of the documentation, and what people hand in instead."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_reading import notes, put, taken

from grader.errors import InputError
from grader.ingest import Kept, load_mapping, read
from grader.ingest.paths import find, without
from grader.model import Conversation, Identity, Label, Outcome, Policy

DOCS = (REPOSITORY / "docs/formats.md").read_text(encoding="utf-8")
EXAMPLE = REPOSITORY / "grader/ingest/mapping-example.toml"
SIMPLE = '[conversation]\nconversation_id = "id"\n[message]\nrole = "who"\ntext = "what"\n'


def block(language: str, heading: str) -> str:
    """The first code block of a language below a heading of docs/formats.md."""
    below = DOCS[DOCS.index(heading) :]
    found = re.search(rf"```{language}\n(.*?)```", below, re.DOTALL)
    assert found
    return found[1]


def mapping(folder: Path, text: str) -> Path:
    path = folder / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    return path


def by(
    folder: Path, content: str | bytes | list[Any], text: str = SIMPLE, name: str = "x.csv"
) -> tuple[list[Any], list[Any]]:
    """(records, rejections) of a file read by a mapping."""
    kept, rejected = taken(put(folder, content, name), mapping=mapping(folder, text))
    return [row.record for row in kept], rejected


def test_the_csv_example_of_the_documentation_comes_in_as_it_says(tmp_path: Path) -> None:
    path = put(tmp_path, block("csv", "### A CSV with one row per message"), "tickets.csv")
    reading = read(path, mapping=EXAMPLE)
    rows = [row for row in reading if isinstance(row, Kept)]
    assert [(row.line, row.rows) for row in rows] == [(2, 3), (2, 0), (6, 1)]
    first, outcome, second = (row.record for row in rows)
    assert isinstance(first, Conversation)
    assert isinstance(second, Conversation)
    assert (first.conversation_id, first.queue, first.channel, first.language) == ("881", "returns", "whatsapp", "pt")
    assert first.contact.identities == (Identity(kind="phone", value="+55 11 95555-0133"),)
    assert [(m.role.value, m.kind.value, m.text) for m in first.messages] == [
        ("customer", "text", 'oi, a tampa veio "quebrada"\nmanda outra?'),
        ("ai", "text", "Claro! Pode mandar uma foto?"), ("customer", "image", ""),
    ]  # fmt: skip
    assert first.messages[2].at == datetime(2026, 8, 3, 17, 20, tzinfo=UTC)
    assert first.messages[0].attributes == {"Loja": "SP-3"}
    assert outcome == Outcome(conversation_id="881", csat=4.6, resolution_minutes=90)
    assert (second.queue, second.channel, second.messages[0].kind.value) == ("orders", "chat", "voice")
    assert all(line in EXAMPLE.read_text(encoding="utf-8") for line in block("toml", "### A CSV").splitlines())
    assert second.contact.identities == (Identity(kind="email", value="ana@example.com"),)
    assert reading.unused() == {"Loja": 4}


def test_the_sample_rows_of_the_documentation_go_in_and_agree_with_each_other(tmp_path: Path) -> None:
    kept, rejected = taken(put(tmp_path, block("json", "## Grader's JSON Lines")))
    assert not rejected
    conversation, policy, outcome, label = (row.record for row in kept)
    assert isinstance(conversation, Conversation)
    assert isinstance(policy, Policy)
    assert isinstance(outcome, Outcome)
    assert isinstance(label, Label)
    assert {outcome.conversation_id, label.conversation_id} == {conversation.conversation_id}
    assert (conversation.has_handoff, outcome.handled_by) == (True, "both")
    assert policy.queues == (conversation.queue,)


def test_the_jsonl_example_of_the_documentation_comes_in_as_it_says(tmp_path: Path) -> None:
    heading = "### JSONL with one conversation per row"
    records, rejected = by(tmp_path, block("json", heading), block("toml", heading), "log.jsonl")
    assert not rejected
    conversation, outcome = records
    assert (conversation.conversation_id, conversation.queue, conversation.tools_recorded) == (
        "5001",
        "priority",
        False,
    )
    assert [(m.role.value, m.text) for m in conversation.messages] == [
        ("ai", "Hi!"), ("customer", "where is my order"), ("human", "Let me look."),
    ]  # fmt: skip
    assert conversation.messages[0].at == datetime(2026, 8, 3, 18, 2, tzinfo=UTC)
    assert conversation.messages[2].attributes == {"app": "ios"}
    assert conversation.attributes == {}
    assert outcome == Outcome(conversation_id="5001", csat=5)


@pytest.mark.parametrize(("header", "sign"), [("id,who,what", ","), ("id;who;what", ";"), ("id\twho\twhat", "\t"),
                                              ("id|who|what", "|"), ("sep=;\r\nid;who;what", ";")])  # fmt: skip
def test_delimiters_are_seen_and_quoted_cells_hold_anything(tmp_path: Path, header: str, sign: str) -> None:
    cell = f'a "quote", a ; semicolon, a{sign}sign\r\nand a line'
    row = sign.join(["7", "user", '"' + cell.replace('"', '""') + '"'])
    records, rejected = by(tmp_path, f"\ufeff{header}\r\n\r\n{row}\r\n")
    assert not rejected
    assert records[0].messages[0].text == cell


def test_another_encoding_is_read_when_told_and_refused_by_row_when_not(tmp_path: Path) -> None:
    content = "id;who;what\n1;user;olá\n2;user;plain\n".encode("cp1252")
    records, rejected = by(tmp_path, content)
    assert [r.conversation_id for r in records] == ["2"]
    assert rejected[0].line == 2
    assert "byte 10 of line 2 (0xe1) is no utf-8" in rejected[0].reason
    assert 'encoding = "cp1252"' in rejected[0].cure
    records, rejected = by(tmp_path, content, '[csv]\nencoding = "cp1252"\n' + SIMPLE)
    assert records[0].messages[0].text == "olá"
    assert not rejected


@pytest.mark.parametrize(("lines", "bad", "reason"), [
    (["1,user,a", "2,user,b,c", "3,user,d"], [3], "the row has 4 cells, the header has 3"),
    (["1,user,a", "2,user", "3,user,d"], [3], "the row has 2 cells, the header has 3"),
    (["1,user,a", '2,user,"b" c', "3,user,d"], [3], "no CSV"),
    (["1,user,a", "3,user,d", '2,user,"b'], [4], "a quote is opened here and never closed"),
])  # fmt: skip
def test_a_bad_row_of_a_csv_is_rejected_and_the_others_go_in(
    tmp_path: Path, lines: list[str], bad: list[int], reason: str
) -> None:
    records, rejected = by(tmp_path, "\n".join(["id,who,what", *lines]))
    assert [r.conversation_id for r in records] == ["1", "3"]
    assert [r.line for r in rejected] == bad
    assert rejected[0].reason.startswith(reason)
    assert rejected[0].excerpt


def test_one_bad_row_takes_its_whole_conversation_with_it_and_no_other(tmp_path: Path) -> None:
    lines = ["1,user,a,2026-01-01", "2,user,b,2026-01-01", "2,ai,c,soon", "2,user,d,2026-01-01", "3,user,e,2026-01-01"]
    records, rejected = by(tmp_path, "\n".join(["id,who,what,when", *lines]), SIMPLE + 'at = "when"\n')
    assert [r.conversation_id for r in records] == ["1", "3"]
    assert [(r.line, r.field) for r in rejected] == [(3, "when"), (4, "when"), (5, "when")]
    assert rejected[1].reason.startswith("is no time that can be read: the text 'soon'")
    assert rejected[0].reason == "another row of this conversation is bad, that of line 4"


def test_a_row_that_cannot_be_read_inside_a_conversation_makes_a_hole_that_rejects_it(tmp_path: Path) -> None:
    records, rejected = by(tmp_path, "id,who,what\n1,user,a\n1,user\n1,user,c\n2,user,d\n2\n")
    assert records == []
    assert [r.line for r in rejected] == [2, 3, 4, 5, 6]


def test_several_messages_in_one_row_come_in_order_and_blank_ones_are_left_out(tmp_path: Path) -> None:
    text = """
        [conversation]
        conversation_id = "session"
        [[message]]
        role = { value = "customer" }
        text = "question"
        [[message]]
        role = { value = "ai" }
        text = "answer"
    """
    records, _ = by(tmp_path, "session,question,answer,score\ns1,hi,hello,5\ns1,bye,,\ns1, ,,3\n", text)
    assert [(m.role.value, m.text) for m in records[0].messages] == [
        ("customer", "hi"),
        ("ai", "hello"),
        ("customer", "bye"),
    ]
    assert records[0].messages[0].attributes == {"score": "5"}
    assert records[0].attributes == {"row 3": {"score": "3"}}


def test_a_column_may_hold_the_messages_as_json(tmp_path: Path) -> None:
    transcript = json.dumps([{"role": "user", "content": "hi"}, {"role": "assistant", "content": None, "tool_calls": [
        {"id": "1", "function": {"name": "f", "arguments": "{}"}}]}]).replace('"', '""')  # fmt: skip
    text = '[conversation]\nconversation_id = "id"\nmessages = "log"\n'
    records, rejected = by(tmp_path, f'id,log\n1,"{transcript}"\n2,no json\n3,"{{}}"\n', text)
    assert [m.kind.value for m in records[0].messages] == ["text", "tool_call"]
    assert [(r.line, r.field) for r in rejected] == [(3, "log"), (4, "log")]
    assert rejected[0].reason.startswith("no JSON")
    assert rejected[1].reason == "must be a list of messages, this is an object"


def test_a_csat_export_gives_outcomes_alone(tmp_path: Path) -> None:
    text = """
        [conversation]
        conversation_id = "ticket"
        attributes = ["store"]
        [outcome]
        csat = { from = "stars", scale = [1, 10] }
        csat_comment = "words"
        handled_by = { from = "by", values = { Robot = "ai" } }
        observed_at = "day"
    """
    content = """ticket,stars,words,by,day,store,x
1,10,great,robot,2026-02-03,S1,y
2,"5,5",,human,,,
3,11,,,,,
4,,,,,,
5,1,,bot,,,
"""
    records, rejected = by(tmp_path, content, text)
    assert records == [
        Outcome(conversation_id="1", csat=5, csat_comment="great", handled_by="ai", attributes={"store": "S1"},
                observed_at=datetime(2026, 2, 3, tzinfo=UTC)),
        Outcome(conversation_id="2", csat=3, handled_by="human"),
    ]  # fmt: skip
    assert [(r.line, r.field, r.reason) for r in rejected] == [
        (4, "stars", "is 11, outside the scale 1 to 10"), (5, None, "no outcome stands in the row"),
        (6, "by", "must be one of ai, human, both; this is the text 'bot'"),
    ]  # fmt: skip


@pytest.mark.parametrize(("scale", "given_", "csat"), [
    ("[0, 1]", "0", 1), ("[0, 1]", "1", 5), ("[1, 10]", "5.5", 3), ("[0, 100]", "75", 4), ("[5, 1]", "1", 5),
    ("[1, 5]", "2", 2),
])  # fmt: skip
def test_ratings_are_moved_to_one_to_five(tmp_path: Path, scale: str, given_: str, csat: float) -> None:
    text = f'[conversation]\nconversation_id = "id"\n[outcome]\ncsat = {{ from = "r", scale = {scale} }}\n'
    records, _ = by(tmp_path, f"id,r\n1,{given_}\n", text)
    assert records[0].csat == csat


def test_a_file_without_a_header_is_read_by_the_names_in_the_mapping(tmp_path: Path) -> None:
    records, rejected = by(tmp_path, "1,user,a\n1,ai,b\n", '[csv]\ncolumns = ["id", "who", "what"]\n' + SIMPLE)
    assert [m.text for m in records[0].messages] == ["a", "b"]
    assert not rejected


def test_a_long_cell_is_taken_and_a_column_named_twice_is_told_apart(tmp_path: Path) -> None:
    records, rejected = by(tmp_path, f"id,who,what,x,x,\n1,user,{'y' * 200_000},a,b,c\n")
    assert len(records[0].messages[0].text) == 200_000
    assert records[0].messages[0].attributes == {"x": "a", "x (2)": "b", "column 6": "c"}
    assert not rejected


def test_roles_are_mapped_in_any_case_and_a_blank_one_is_unknown_and_said(tmp_path: Path) -> None:
    text = SIMPLE + '[roles]\n"BOT " = "ai"\n"0" = "customer"\nagent = "human"\n'
    records, _ = by(tmp_path, "id,who,what\n1,bot,a\n1,0,b\n1, Agent ,c\n1,user,d\n1,,e\n1,robot,f\n", text)
    assert [m.role.value for m in records[0].messages] == ["ai", "customer", "human", "customer", "unknown", "unknown"]
    assert records[0].messages[5].attributes["source_role"] == "robot"
    assert "who was blank" in notes(read(tmp_path / "x.csv", mapping=tmp_path / "mapping.toml"))


@pytest.mark.parametrize(("text", "key", "said"), [
    ("[conversation]\nqueue = 'a'\n", "conversation.conversation_id", "is missing"),
    ("[conversation]\nconversation_id = 'id'\n", "message", "nothing says where the messages are"),
    (SIMPLE.replace("text", "txt"), "message.txt", "did you mean 'text'?"),
    (SIMPLE.replace('text = "what"', ""), "message.text", "is missing"),
    (SIMPLE.replace("conversation]", "conversatoin]"), "conversatoin", "did you mean 'conversation'?"),
    (SIMPLE.replace('"who"', "5"), "message.role", "must name a column or path"),
    (SIMPLE.replace('"who"', '{ form = "who" }'), "message.role.form", "did you mean 'from'?"),
    (SIMPLE.replace('"who"', '{ from = "who", value = "ai" }'), "message.role", "needs either from"),
    (SIMPLE.replace('"who"', '{ from = "who", scale = [1, 2] }'), "message.role.scale", "is not a key"),
    (SIMPLE + "[roles]\nbot = 'robot'\n", "roles.bot", "use one of customer, ai, human, tool, system, unknown"),
    (SIMPLE + "[time]\nformats = ['dd/mm']\n", "time.formats", "must be a list of time formats"),
    (SIMPLE + "[time]\ntimezone = 'Mars'\n", "time.timezone", "is no known zone"),
    (SIMPLE + "[csv]\nencoding = 'utf-99'\n", "csv.encoding", "use utf-8, utf-16, cp1252"),
    (SIMPLE + "[csv]\ndelimiter = ';;'\n", "csv.delimiter", "one character"),
    (SIMPLE + "[outcome]\ncsat = { from = 'x', scale = [1, 1] }\n", "outcome.csat.scale", "two different numbers"),
    (SIMPLE + "[outcome]\nresolution_minutes = { from = 'x', unit = 'weeks' }\n", "outcome.resolution_minutes.unit",
     "use one of"),
    (SIMPLE.replace("[message]", 'messages = "log"\n[[message]]'), "message", "rows that hold several messages"),
    ("[conversation\n", None, "the mapping is no TOML"),
    (SIMPLE + "[contact]\nphone = []\n", "contact.phone", "must name a column"),
    ("format = 'xlsx'\n" + SIMPLE, "format", "use csv or jsonl"),
])  # fmt: skip
def test_a_mistake_in_a_mapping_is_named_by_its_key(tmp_path: Path, text: str, key: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        load_mapping(mapping(tmp_path, text))
    assert error.value.field == key
    assert said in str(error.value)
    assert "mapping.toml" in str(error.value)


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        by(tmp_path, "id,sender,what\n1,user,a\n")
    assert error.value.field == "message.role"
    assert "names 'who', which x.csv does not have" in str(error.value)
    assert "its columns: id, sender, what" in str(error.value)
    rows = [{"id": 1, "author": {"kind": "user"}, "what": "x"}]
    with pytest.raises(InputError, match=re.escape("its paths: id, author.kind, what")):
        by(tmp_path, rows, name="x.jsonl")
    inside = SIMPLE.replace("[message]", 'messages = "log"\n[message]')
    with pytest.raises(InputError, match="its paths: kind, what"):
        by(tmp_path, [{"id": 1, "log": [{"kind": "user", "what": "x"}]}], inside, "x.jsonl")


def test_files_that_are_no_csv_are_refused_or_rejected_by_row(tmp_path: Path) -> None:
    for content, said in [
        (b"", "no header line"),
        (b"\n\n", "no header line"),
        (b"id,who,what\r1,user,a\r", "carriage return"),
    ]:
        with pytest.raises(InputError, match=said):
            by(tmp_path, content)
    with pytest.raises(InputError, match="there is no such mapping"):
        read(put(tmp_path, "id\n1\n", "x.csv"), mapping=tmp_path / "none.toml")
    with pytest.raises(InputError, match="this needs a mapping"):
        read(put(tmp_path, "id\n1\n", "x.csv"), format="mapped")
    assert by(tmp_path, "id,who,what\n") == ([], [])


def test_a_conversation_of_too_many_rows_is_rejected_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.ingest.mapped.MAX_GROUP", 3)
    rows = "".join(f"{who},user,x\n" for who in "aaabbbbbbc")
    records, rejected = by(tmp_path, "id,who,what\n" + rows)
    assert [r.conversation_id for r in records] == ["a", "c"]
    assert [r.line for r in rejected] == [5, 6, 7, 8, 9, 10]
    assert "more than 3 rows" in rejected[0].reason


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(["1,user,a", "1,ai,b", "2,user,c", "3,ai,", ",user,x", "1,user", '"', "4,us\"er,x", "",
                              "  ", '5,ai,"two', 'lines"', "\x00,,", "é,user,é", "1;ai;b",
                              "6,user,x,extra"]), max_size=12),
    st.sampled_from([SIMPLE, SIMPLE + "[outcome]\ncsat = 'what'\n"]),
)  # fmt: skip
def test_every_row_of_a_csv_is_kept_or_rejected_and_their_lines_are_real(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], text: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = put(folder, "\n".join(["id,who,what", *lines]), "x.csv")
    kept, rejected = taken(path, mapping=mapping(folder, text))
    n_rows = sum(row.rows for row in kept) + len(rejected)
    if not any('"' in line for line in lines):
        assert n_rows == sum(bool(line.strip()) for line in lines)
    n_messages = sum(len(row.record.messages) for row in kept if isinstance(row.record, Conversation))
    assert n_messages == sum(row.rows for row in kept)
    assert all(2 <= line <= len(lines) + 1 for line in [*(k.line for k in kept), *(r.line for r in rejected)])


@settings(max_examples=50)
@given(st.recursive(
    st.sampled_from([1, "x", None, True, "2026-01-01", "[]", '[{"who": "ai", "what": "x"}]', 1.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "log", "who", "what", "when", "calls", "csat", "a", "a.b"]), inner, max_size=6),
    max_leaves=15,
))  # fmt: skip
def test_any_json_row_is_kept_or_rejected_by_a_mapping(tmp_path_factory: pytest.TempPathFactory, row: Any) -> None:
    folder = tmp_path_factory.getbasetemp()
    more = 'at = "when"\ntool_calls = "calls"\nis_error = "a.b"\n[contact]\nphone = "a"\n[outcome]\ncsat = "csat"\n'
    for text in (SIMPLE + more, (SIMPLE + more).replace("[message]", 'messages = "log"\n[message]')):
        good = {"id": "0", "who": "ai", "what": "x", "log": [{"who": "ai", "what": "x"}]}
        kept, rejected = taken(put(folder, [good, row]), mapping=mapping(folder, text))
        assert sum(k.rows for k in kept) + len(rejected) == 2


def test_of_several_columns_the_first_that_is_filled_is_taken_and_the_others_are_kept(tmp_path: Path) -> None:
    text = SIMPLE.replace('"what"', '["plain", "html"]')
    records, _ = by(tmp_path, "id,who,plain,html\n1,ai,a,<b>\n1,ai, ,<c>\n1,ai,,\n", text)
    assert [(m.text, m.attributes) for m in records[0].messages] == [("a", {"html": "<b>"}), ("<c>", {}), ("", {})]


def test_paths_reach_into_objects_lists_and_names_with_dots() -> None:
    row = {"a": {"b.c": [{"d": 1}], "e": None}, "a.e": 2, "f": [3]}
    assert find(row, "a.b.c.0.d") == (1, ("a", "b.c", "0", "d"))
    assert find(row, "a.e") == (2, ("a.e",))
    assert find(row, "f.0") == (3, ("f", "0"))
    assert find(row, "f.1")[1] == find(row, "f.-1")[1] == find(row, "a.x")[1] == find(row, "f.0.z")[1] == ()
    assert without({"a": {"b": 1, "c": 2}, "d": {"e": 1}}, [("a", "b"), ("d", "e")]) == {"a": {"c": 2}}
    assert row == {"a": {"b.c": [{"d": 1}], "e": None}, "a.e": 2, "f": [3]}


RETAIL = REPOSITORY.parent / "shared/data/retail/conversations.jsonl.gz"


@pytest.mark.realdata
@pytest.mark.skipif(not RETAIL.exists(), reason="../shared/data/retail is not here")
def test_the_retail_conversations_are_the_same_through_a_mapping(tmp_path: Path) -> None:
    text = """
        [conversation]
        conversation_id = "conversation_id"
        channel = "channel"
        queue = "queue"
        language = "language"
        started_at = "started_at"
        messages = "messages"
        [contact]
        customer_id = "customer_id"
        [message]
        role = "role"
        text = "text"
        at = "at"
        tool_calls = "tool_calls"
        tool_call_id = "tool_call_id"
        is_error = "error"
    """
    reading = read(RETAIL, mapping=mapping(tmp_path, text))
    mapped = [row.record for row in reading if isinstance(row, Kept)]
    assert mapped == [row.record for row in read(RETAIL) if isinstance(row, Kept)]
    assert len(mapped) == 114
    assert set(reading.unused()) == {"source", "agent_run", "policy_ref"}
