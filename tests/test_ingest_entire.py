"""A file with a row per message: no conversation goes in with a hole, and none replaces a good copy by half of one."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_reading import put, taken
from test_ingest_mapped import SIMPLE, by, mapping

from grader.ingest import read
from grader.ingest.load import load
from grader.ingest.mapping_file import load_mapping
from grader.model import Conversation
from grader.store import open_store

HEADER = "id,who,what,note"


def kept_and_bad(
    folder: Path, lines: list[str], text: str = SIMPLE, header: str = HEADER
) -> tuple[list[str], dict[int, str]]:
    """(ids of the conversations that go in, line → reason of what does not)."""
    records, rejected = by(folder, "\n".join([header, *lines]), text)
    assert len(lines) == len(rejected) + sum(len(r.messages) for r in records)
    return [r.conversation_id for r in records], {r.line: r.reason for r in rejected}


@pytest.mark.parametrize("bad", [
    "79,bot,b",  # too few cells
    "79,bot,b,,x",  # too many
    "79,bot",
    "79",  # it breaks off in or behind the id
    "7",
    '79,bot,"b" c,',  # a quote inside a quoted cell
    '79,bot,"b,',  # never closed
])  # fmt: skip
def test_a_bad_last_row_takes_its_whole_conversation_with_it(tmp_path: Path, bad: str) -> None:
    lines = ["78,user,a,", "79,user,a,", "79,bot,b,", bad]
    ids, told = kept_and_bad(tmp_path, lines)
    assert ids == ["78"]
    assert list(told) == [3, 4, 5]
    assert "line 5" in told[3]
    assert told[3] == told[4]


def test_a_bad_first_row_takes_its_whole_conversation_with_it_and_no_other(tmp_path: Path) -> None:
    ids, told = kept_and_bad(tmp_path, ["78,user,a,", "79,bot", "79,user,a,", "80,user,a,"])
    assert ids == ["78", "80"]
    assert told[4] == "another row of this conversation is bad, that of line 3"


def test_an_undecodable_byte_in_the_last_row_takes_the_conversation_with_it(tmp_path: Path) -> None:
    content = "id,who,what\n1,user,a\n1,ai,olá\n2,user,b\n".encode("cp1252")
    records, rejected = by(tmp_path, content)
    assert [r.conversation_id for r in records] == ["2"]
    assert [r.line for r in rejected] == [2, 3]
    records, rejected = by(tmp_path, "id,who,what\n1,user,a\ná,ai,x\n2,user,b\n3,user,c\n".encode("cp1252"))
    assert [r.conversation_id for r in records] == ["3"]  # the id itself cannot be read
    assert "line 3 does not say which conversation it belongs to" in rejected[0].reason


def test_a_quote_left_open_spoils_the_conversations_on_both_of_its_ends(tmp_path: Path) -> None:
    lines = ["1,user,a,", '1,ai,"open,', "2,user,swallowed,", '3,user,"b",', "3,ai,c,", "4,user,d,"]
    records, rejected = by(tmp_path, "\n".join([HEADER, *lines]))
    assert [r.conversation_id for r in records] == ["4"]
    assert [r.line for r in rejected] == [2, 3, 6]  # lines 3 to 5 are one row
    assert rejected[2].reason == "another row of this conversation is bad, that of line 3"


def test_a_message_without_an_id_may_be_of_the_conversations_beside_it(tmp_path: Path) -> None:
    ids, told = kept_and_bad(tmp_path, ["1,user,a,", "2,user,b,", ",ai,whose,", "3,user,c,", "4,user,d,"])
    assert ids == ["1", "4"]
    assert told[4] == "is blank"
    assert told[3].startswith("line 4 does not say which conversation it belongs to, and may be a part of this one")
    assert told[5].startswith("line 4 does not say")


def test_behind_a_bad_row_of_the_next_conversation_the_one_before_has_ended(tmp_path: Path) -> None:
    ids, _ = kept_and_bad(tmp_path, ["1,user,a,", "2,user", ",ai,whose,", "2,ai,b,", "3,ai,c,"])
    assert ids == ["1", "3"]


def test_a_row_that_is_no_message_spoils_nothing(tmp_path: Path) -> None:
    ids, told = kept_and_bad(tmp_path, ["1,user,a,", ",,,subtotal", "2,user,b,", "(2 rows)"])
    assert ids == ["1", "2"]
    assert list(told) == [3, 5]


def test_a_conversation_whose_rows_stand_apart_does_not_go_in_at_all(tmp_path: Path) -> None:
    ids, told = kept_and_bad(tmp_path, ["1,user,a,", "1,ai,b,", "2,user,c,", "1,user,d,", "3,ai,e,", "1,ai,f,"])
    assert ids == ["2", "3"]
    assert told == {
        2: "more rows of conversation '1' begin at line 5, behind others",
        3: "more rows of conversation '1' begin at line 5, behind others",
        5: "conversation '1' began at line 2, and other rows stand between",
        7: "conversation '1' began at line 2, and other rows stand between",
    }
    _, rejected = by(tmp_path, "id,who,what\n1,user,a\n2,user,b\n1,ai,c\n")
    assert {r.cure for r in rejected} == {
        "sort the file by id, and by time within; or write scattered = true in [conversation]"
    }


def test_a_bad_row_far_from_its_conversation_spoils_it_too(tmp_path: Path) -> None:
    assert kept_and_bad(tmp_path, ["1,user,a,", "2,user,b,", "3,user,c,", "1,ai", "4,user,d,"])[0] == ["2", "3", "4"]


@pytest.mark.parametrize(("header", "bad"), [
    ("who,what,note,id", "ai,b,c,d,2"),  # the id has moved to the right
    ("who,what,note,id", "ai,b,2"),  # or to the left
    ("who,what,note,id", "ai,b,c"),  # or is not there
    ("who,id,what,note", "ai,x,y,2,b,c"),
])  # fmt: skip
def test_the_id_of_a_row_with_shifted_cells_is_looked_for_where_it_may_be(
    tmp_path: Path, header: str, bad: str
) -> None:
    good = [dict(zip(("who", "what", "note", "id"), row, strict=True)) for row in (("ai", "a", "", "1"),
            ("ai", "a", "", "2"))]  # fmt: skip
    lines = [",".join(row[name] for name in header.split(",")) for row in good]
    ids, _ = kept_and_bad(tmp_path, [*lines, bad], header=header)
    assert ids == ["1"]


def test_an_id_that_has_moved_to_the_left_is_found(tmp_path: Path) -> None:
    lines = ["ai,a,1,,", "ai,a,2,,", "ai,2,note,team", "ai,a,3,,"]
    assert kept_and_bad(tmp_path, lines, header="who,what,id,note,team")[0] == ["1", "3"]


def test_rows_of_json_that_cannot_be_read_are_known_by_their_id(tmp_path: Path) -> None:
    def rows(bad: str) -> list[str]:
        good = [json.dumps({"data": {"id": n}, "who": "user", "what": "x"}) for n in (1, 2, 2, 3)]
        content = "\n".join([*good[:3], bad, good[3]])
        text = SIMPLE.replace('"id"', '"data.id"')
        records, rejected = by(tmp_path, content, text, "x.jsonl")
        assert [r.conversation_id for r in records] + [str(r.line) for r in rejected]
        return [r.conversation_id for r in records]

    assert rows('{"data": {"id": 2}, "who": "ai", "what": NaN}') == ["1", "3"]
    assert rows('{"data": {"id": "7"}, "who": "ai", "what": NaN}') == ["1", "2", "3"]
    assert rows('{"who": "ai", "what": "cut') == ["1"]
    assert rows('{"seller": {"id": 9}, "who": "ai", "what": "cut') == ["1"]
    assert rows("5") == ["1"]


def test_a_cut_gz_leaves_out_the_conversation_that_it_is_cut_in(tmp_path: Path) -> None:
    lines = [f"{n // 3},user,{'%030x' % (n * 7919**9)}\n" for n in range(6_000)]
    packed = gzip.compress(("id,who,what\n" + "".join(lines)).encode())
    path = put(tmp_path, packed[: len(packed) // 2], "x.csv.gz")
    kept, rejected = taken(path, mapping=mapping(tmp_path, SIMPLE))
    assert 100 < len(kept) < 1900
    assert all(row.rows == 3 for row in kept)
    assert "gzip data ends too early" in rejected[-1].reason


def test_nothing_good_is_replaced_by_half_a_conversation(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(SIMPLE)
    by_id = load_mapping(tmp_path / "m.toml")

    def messages(lines: list[str]) -> list[tuple[str, int]]:
        load(put(tmp_path, "\n".join(["id,who,what", *lines]), "x.csv"), store, mapping=by_id)
        return store.rows("select conversation_id, n_messages from conversation order by 1")

    with open_store(tmp_path / "x.duckdb") as store:
        good = [("1", 2), ("2", 2)]
        assert messages(["1,user,a", "1,ai,b", "2,user,a", "2,ai,b"]) == good
        assert messages(["1,user,a", "2,user,a", "1,ai,b", "2,ai,b"]) == good
        assert messages(["2,user,a", "2,ai"]) == good
        assert messages(["1,user,new", "1,ai,b", "1,user,c", "2,user,a", '2,ai,"b']) == [("1", 3), ("2", 2)]


def test_what_the_search_ahead_does_not_reach_is_seen_when_the_file_goes_in(tmp_path: Path) -> None:
    path = put(tmp_path, "id,who,what\n1,user,a\n2,user,b\n1,ai,c\n", "x.csv")
    whole = load_mapping(mapping(tmp_path, SIMPLE))
    assert len([r for r in read(path, mapping=whole, ahead=2) if not hasattr(r, "reason")]) == 2
    assert len([r for r in read(path, mapping=whole) if not hasattr(r, "reason")]) == 1


def test_memory_stays_flat_while_the_ids_are_looked_through(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("w") as out:
        out.write("id,who,what\n")
        for n in range(6_000):
            out.write(f"{'x' * 990}{n // 2},user,hi\n")
    reading = read(path, mapping=mapping(tmp_path, SIMPLE))
    tracemalloc.start()
    n_kept = sum(not hasattr(row, "reason") for row in reading)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_kept == 3_000
    assert peak < 2_000_000


bad_rows = st.sampled_from(["{},ai", "{}", "{},ai,x,,y", '{},ai,"x" y,', '{},ai,"x', ",ai,x,", "{},ai,\ufffd,"])
groups = st.lists(st.integers(1, 3), min_size=1, max_size=5)


@settings(max_examples=150)
@given(groups, st.lists(st.tuples(st.integers(0, 14), bad_rows), max_size=2), st.booleans())
def test_every_conversation_that_goes_in_has_all_of_its_rows(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], spoiled: list[tuple[int, str]], swap: bool
) -> None:
    lines = [(f"c{n}", f"c{n},user,m{k},") for n, size in enumerate(sizes) for k in range(size)]
    for at, bad in spoiled:
        if at < len(lines):
            lines[at] = (lines[at][0], bad.format(lines[at][0]))
    named = not any(bad.startswith(",") for _, bad in spoiled)  # a row without an id, far from its own, is nobody's
    if swap and named and len(lines) > 2:
        lines[0], lines[-1] = lines[-1], lines[0]
    content = "\n".join([HEADER, *(line for _, line in lines)]).encode().replace("\ufffd".encode(), b"\xff")
    folder = tmp_path_factory.getbasetemp()
    kept, rejected = taken(put(folder, content, "x.csv"), mapping=mapping(folder, SIMPLE))
    for row in kept:
        record: Any = row.record
        assert isinstance(record, Conversation)
        n = int(record.conversation_id[1:])
        assert len(record.messages) == sizes[n]
    if not any(bad.startswith('{},ai,"x') and '" y' not in bad for _, bad in spoiled):
        assert sum(row.rows for row in kept) + len(rejected) == len(lines)
