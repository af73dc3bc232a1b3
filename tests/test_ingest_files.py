"""Files of every kind: packed, cut, foreign, huge, in one list or over many lines; no row is ever lost."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_reading import GOOD, plain, put, taken, values

from grader.errors import InputError
from grader.ingest import Kept, expand, read, source
from grader.model import Conversation

# ── files ──


def test_gz_bom_crlf_and_a_missing_last_line_end_change_nothing(tmp_path: Path) -> None:
    plain_rows = json.dumps(GOOD) + "\r\n\r\n" + json.dumps({**GOOD, "conversation_id": "b"})
    for content, name in [
        (plain_rows.encode(), "a.jsonl"), (b"\xef\xbb\xbf" + plain_rows.encode(), "b.jsonl"),
        (gzip.compress(plain_rows.encode()), "c.jsonl.gz"), (gzip.compress(plain_rows.encode()), "d.jsonl"),
        (gzip.compress(plain_rows[:20].encode()) + gzip.compress(plain_rows[20:].encode()), "e.jsonl.gz"),
    ]:  # fmt: skip
        kept, rejected = taken(put(tmp_path, content, name))
        assert [(k.line, k.record.conversation_id) for k in kept if isinstance(k.record, Conversation)] == [
            (1, "a"),
            (3, "b"),
        ]
        assert not rejected


@pytest.mark.parametrize("harm", ["cut", "flip", "tail"])
def test_a_damaged_gz_gives_the_rows_before_the_damage_and_then_says_so(tmp_path: Path, harm: str) -> None:
    chance = random.Random(3)
    rows = [{**GOOD, "conversation_id": f"{n}-{chance.randbytes(16).hex()}"} for n in range(5_000)]
    packed = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    middle = len(packed) // 2
    harmed = {
        "cut": packed[:middle], "tail": packed + b"garbage",
        "flip": packed[:middle] + bytes(b ^ 255 for b in packed[middle : middle + 40]) + packed[middle + 40 :],
    }[harm]  # fmt: skip
    kept, rejected = taken(put(tmp_path, harmed, "x.jsonl.gz"))
    assert (len(kept) == 5_000) if harm == "tail" else (1_000 < len(kept) < 5_000)
    assert "gzip data" in rejected[-1].reason
    assert rejected[-1].line > len(kept)


@pytest.mark.parametrize(("content", "name", "said"), [
    ("hi there, what is it".encode("utf-16-be"), "a.txt", "this is not JSON; it begins with 'hi there"),
    (b"PK\x03\x04rest", "a.csv", "save the sheet as CSV"),
    (b"PAR1" + b"\0" * 50, "a.parquet", "Parquet"),
    (bytes(range(256)) * 3 + b"\0" * 300, "a.jsonl", "binary"),
    (b"\x28\xb5\x2f\xfd123", "a.jsonl.zst", "zstd"),
    (b"\x1f\x8b\x08", "a.jsonl.gz", "gzip data ends too early"),
    (b"\x1f\x8bzzzzzzzzzzzzzzz", "a.jsonl.gz", "gzip data is damaged"),
    (b"a;b\n1;2\n", "a.csv", "needs a mapping"),
    (b"12/03/24: Ana said hi\n", "chat.txt", "this is not JSON"),
])  # fmt: skip
def test_a_file_of_another_kind_is_refused_with_what_to_do(
    tmp_path: Path, content: bytes, name: str, said: str
) -> None:
    with pytest.raises(InputError) as error:
        read(put(tmp_path, content, name))
    assert said in str(error.value)
    assert error.value.cure


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    wrong = [
        (tmp_path, "folder"), (tmp_path / "none", "no such file"), (Path("/dev/null"), "no regular file"),
        (tmp_path / ("x" * 5000), "cannot be opened"), (Path("a\0b"), "cannot be opened"),
    ]  # fmt: skip
    for path, said in wrong:
        with pytest.raises(InputError, match=said):
            read(path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="cannot be opened"):
        read(tmp_path / "loop")
    with pytest.raises(InputError, match="there is no format 'csv'"):
        read(put(tmp_path, [GOOD]), format="csv")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n  \n"])
def test_a_file_without_rows_has_none(tmp_path: Path, content: bytes) -> None:
    reading = read(put(tmp_path, content))
    assert list(reading) == []
    assert reading.why == "the file has no rows"


def test_a_very_long_line_is_rejected_without_being_held_and_the_rest_goes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "ROW_LIMIT", 1_000_000)
    good = json.dumps(GOOD).encode() + b"\n"
    path = tmp_path / "long.jsonl"
    with path.open("wb") as out:
        out.write(good + b'{"conversation_id": "long", "x": "')
        for _ in range(20):
            out.write(b"y" * 1_000_000)
        out.write(b'"}\n' + good)
    tracemalloc.start()
    kept, rejected = taken(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [k.line for k in kept] == [1, 3]
    assert [(r.line, r.reason) for r in rejected] == [(2, "the row has 20,000,036 bytes, at most 1,000,000 are read")]
    assert rejected[0].excerpt.startswith('{"conversation_id": "long"')
    assert peak < 6_000_000


def test_memory_stays_flat_while_a_big_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl.gz"
    text = "the order has not arrived yet " * 2000
    with gzip.open(path, "wt", compresslevel=1) as out:
        for n in range(1000):
            out.write(f'{{"conversation_id": "c{n}", "messages": [{{"role": "ai", "text": "{text}"}}]}}\n')
    assert len(text) * 1000 >= 60_000_000
    reading = read(path)
    next(reading)
    tracemalloc.start()
    n_kept = sum(isinstance(row, Kept) for row in reading)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_kept == 999
    assert peak < 3_000_000


# ── JSON that is not one value per line ──


def rows_of(content: str | bytes, folder: Path) -> list[tuple[int, Any]]:
    src = source.Source(put(folder, content))
    return [(row.line, row.problem or json.loads(row.raw)) for row in src.rows(source.json_layout(src.head))]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_array_or_a_pretty_printed_document_gives_its_rows(tmp_path: Path, indent: int | None) -> None:
    b = {"conversation_id": "b", "messages": [{"role": "ai", "text": 'a "quoted" \\ [bracket] {', "n": [1, [2]]}]}
    kept, rejected = taken(put(tmp_path, json.dumps([GOOD, b], indent=indent)))
    assert [k.record.conversation_id for k in kept if isinstance(k.record, Conversation)] == ["a", "b"]
    assert not rejected
    for between in ("\n", "", " ,\n"):
        joined = json.dumps(GOOD, indent=indent) + between + json.dumps(b, indent=indent)
        kept, rejected = taken(put(tmp_path, joined))
        assert len(kept) == 2
        assert not rejected


@settings(max_examples=40)
@given(
    st.lists(st.dictionaries(plain, values, max_size=3), min_size=1, max_size=6),
    st.sampled_from([None, 0, 2]), st.integers(1, 40),
)  # fmt: skip
def test_values_over_several_lines_are_found_wherever_the_file_is_cut_into_chunks(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], indent: int | None, chunk: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    content = json.dumps([{"k": 1}, *rows], indent=indent)
    src = source.Source(put(folder, content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "CHUNK", chunk)
        found = list(src.rows("array"))
    assert [json.loads(row.raw) for row in found] == [{"k": 1}, *rows]
    at = [content.split("\n")[row.line - 1].lstrip(" [")[:1] for row in found]
    assert set(at) == {"{"}


def test_a_cut_or_broken_array_gives_its_good_rows_and_one_rejection(tmp_path: Path) -> None:
    whole = json.dumps([{**GOOD, "conversation_id": str(n)} for n in range(5)], indent=1)
    kept, rejected = taken(put(tmp_path, whole[: whole.index('"4"')]))
    assert len(kept) == 4
    assert [r.reason for r in rejected] == ["the file ends inside a value that begins here or before"]
    kept, rejected = taken(put(tmp_path, whole.rstrip("]\n")))
    assert (len(kept), len(rejected)) == (5, 1)
    kept, rejected = taken(put(tmp_path, whole.replace('"2"', '"2",,')))
    assert (len(kept), [r.line for r in rejected]) == (4, [20])


@pytest.mark.parametrize(("content", "layout"), [
    ('{"a": 1}\n{"a": 2}\n', "lines"), ('[{"role": "user"}]\n[{"role": "user"}]', "lines"),
    ('[{"messages": [{"role": "user"}]}]', "array"), ('[\n{"a": 1}\n]', "array"), ("[[{}], [{}]]", "array"),
    ('[\n {"role": "user"}\n]', "values"), ('{\n "a": 1\n}', "values"), ('{"a": \n{"b": 1}\n', "lines"),
    ('[{"a": 1},\n{"a": 2}]', "array"), ("", "lines"), ("hello", "lines"), ('{"a": ', "lines"), ('[{"a"', "array"),
    ('{"a": 1}{"a": 2}', "values"), ('{"a": 1},\n{"a": 2},\n', "values"), ('{"a": 1} x', "lines"),
])  # fmt: skip
def test_how_rows_stand_in_a_json_file_is_seen_from_its_beginning(content: str, layout: str) -> None:
    assert source.json_layout(content.encode()) == layout


# ── whatever comes ──


fragments = st.sampled_from([
    json.dumps(GOOD).encode(), b"\n", b"\r\n", b"{", b"}", b"[", b"]", b'"', b"\\", b",", b"\x00",
    b"\xff", b'"messages": [', b'{"role": "user", "content": "x"}', b"null", b"\xef\xbb\xbf", b"\x1f\x8b\x08\x00",
    b"---\n", b"policy_id: x", b"a;b\n", b"id,who,what\n", b"1,ai,x\n", b'"', b"1e999", b"\\ud800", b"sep=;\n",
    b"&a *a",
])  # fmt: skip


@settings(max_examples=120)
@given(
    st.lists(fragments | st.binary(max_size=8), max_size=25).map(b"".join),
    st.sampled_from([None, "canonical", "openai_chat", "policy"]),
    st.sampled_from(["x.jsonl", "x.md", "x.txt", "x.json.gz"]), st.booleans(),
)  # fmt: skip
def test_any_bytes_end_in_rows_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, form: str | None, name: str, packed: bool
) -> None:
    path = put(tmp_path_factory.getbasetemp(), gzip.compress(content) if packed else content, name)
    with contextlib.suppress(InputError):
        for row in read(path, format=form):
            assert row.line >= 1
            assert isinstance(row, Kept) or (row.reason and row.cure)


@settings(max_examples=80)
@given(st.lists(st.sampled_from([
    json.dumps(GOOD).encode(), b'{"conversation_id": "b", "messages": 5}', b"", b"  ", b"{", b"nonsense",
    b"\xff\xfe\xfd", json.dumps({**GOOD, "queue": "x"}).encode(), b"[]", b'"x"', b'{"id": "e", "messages": []}',
    b'{"type": "outcome", "conversation_id": 1}',
]), max_size=12))  # fmt: skip
def test_kept_and_rejected_are_as_many_as_the_rows_that_are_not_blank(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    content = json.dumps({**GOOD, "conversation_id": "first"}).encode() + b"\n" + b"\n".join(lines)
    kept, rejected = taken(put(tmp_path_factory.getbasetemp(), content))
    assert sum(k.rows for k in kept) + len(rejected) == 1 + sum(bool(line.strip()) for line in lines)


# ── paths ──


def test_expand_finds_files_folders_and_globs_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "b.jsonl",
        "a.jsonl.gz",
        "notes.txt",
        "README.md",
        ".hidden.jsonl",
        "sub/p.md",
        "sub/.x/q.md",
        "[1].csv",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [str(p) for p in expand(["."])] == ["[1].csv", "a.jsonl.gz", "b.jsonl", "sub/p.md"]
    assert [str(p) for p in expand(["b.jsonl", ".", "./b.jsonl"])] == ["b.jsonl", "[1].csv", "a.jsonl.gz", "sub/p.md"]
    assert [str(p) for p in expand(["*.jsonl", "[1].csv", "**/*.md"])] == [
        "b.jsonl",
        "[1].csv",
        "README.md",
        "sub/p.md",
    ]
    assert [str(p) for p in expand(["notes.txt"])] == ["notes.txt"]
    assert [str(p) for p in expand(["not-there.jsonl"])] == ["not-there.jsonl"]  # read says that it is not there
    for nothing in ("*.xyz", "sub/.x/none*"):
        with pytest.raises(InputError, match="nothing to take in is there"):
            expand([nothing])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="nothing to take in is there"):
        expand(["empty"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("packed", [False, True])
def test_wide_text_is_read_as_it_is(tmp_path: Path, encoding: str, packed: bool) -> None:
    rows = [{"conversation_id": str(n), "messages": [{"role": "customer", "text": f"olá 😀 {n}"}]} for n in range(3)]
    content = "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in rows).encode(encoding)
    kept, rejected = taken(put(tmp_path, gzip.compress(content) if packed else content))
    assert not rejected
    found = [row.record for row in kept if isinstance(row.record, Conversation)]
    assert [record.messages[0].text for record in found] == ["olá 😀 0", "olá 😀 1", "olá 😀 2"]
    assert [row.line for row in kept] == [1, 2, 3]


def test_a_hole_in_wide_text_rejects_its_row_and_a_cut_end_is_told(tmp_path: Path) -> None:
    lines = [json.dumps({**GOOD, "conversation_id": str(n), "x": "é"}, ensure_ascii=False) for n in range(3)]
    broken = "\n".join([lines[0], lines[1].replace("é", "\ud800"), lines[2], ""]).encode("utf-16", "surrogatepass")
    kept, rejected = taken(put(tmp_path, broken))
    assert [row.line for row in kept] == [1, 3]
    assert [row.line for row in rejected] == [2]
    kept, rejected = taken(put(tmp_path, broken + b"{"))
    assert (len(kept), len(rejected)) == (2, 2)
    assert "no UTF-16 from here on" in rejected[-1].reason
