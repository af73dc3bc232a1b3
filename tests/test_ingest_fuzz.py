"""2,000 spoilt files of every format: each row is kept or rejected, none crashes the reader, none is lost.

`-m slow` runs all of them; CI runs the first 80.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingest_fuzz import FORMATS, Format, Spoilt, spoilt

from grader.errors import InputError
from grader.ingest import Kept, Mapping, Rejected, load_mapping, read
from grader.ingest.load import load
from grader.model import Conversation
from grader.store import open_store

HOW_MANY = [
    pytest.param(80, id="80"),
    pytest.param(2_000, marks=pytest.mark.slow, id="2000"),
]


def mapping_of(form: Format, folder: Path) -> Mapping | None:
    if form.mapping is None:
        return None
    path = folder / "mapping.toml"
    path.write_text(form.mapping, encoding="utf-8")
    return load_mapping(path)


def put(folder: Path, one: Spoilt) -> Path:
    path = folder / one.name
    path.write_bytes(one.raw)
    return path


def conversations(rows: list[Kept | Rejected]) -> dict[str, str]:
    return {
        row.record.conversation_id: row.record.content_hash
        for row in rows
        if isinstance(row, Kept) and isinstance(row.record, Conversation)
    }


def good(form: Format, folder: Path) -> dict[str, str]:
    """The conversations of the file as it was before it was spoilt."""
    whole = next(one for n in range(200) if (one := spoilt(form, n)).how == "as it is, none")
    found = list(read(put(folder, whole), format=form.format, mapping=mapping_of(form, folder)))
    return conversations(found)


def files(form: Format, n: int) -> Iterator[tuple[int, Spoilt]]:
    return ((seed, spoilt(form, seed)) for seed in range(n))


@pytest.mark.parametrize("n", HOW_MANY)
@pytest.mark.parametrize("name", FORMATS)
def test_a_spoilt_file_ends_in_rows_kept_and_rejected(tmp_path: Path, name: str, n: int) -> None:
    form = FORMATS[name]
    mapping, expected = mapping_of(form, tmp_path), good(form, tmp_path)
    assert expected
    told: Counter[str] = Counter()
    begun = time.monotonic()
    for seed, one in files(form, n):
        path = put(tmp_path, one)
        try:
            read(path, mapping=mapping)  # every format is asked whether it is its own
            rows = list(read(path, format=form.format, mapping=mapping))
        except InputError as error:  # the file as a whole: binary, no header, dates that contradict each other
            told["refused" if error.cure and not one.lossless else "refused for nothing"] += 1
            continue
        kept = sum(row.rows for row in rows if isinstance(row, Kept))
        rejected = [row for row in rows if isinstance(row, Rejected)]
        assert all(row.reason and row.cure for row in rejected), seed
        if one.rows is not None:
            low, high = one.rows
            assert low <= kept + len(rejected) <= high, (seed, one.how, one.rows, kept, len(rejected))
            told["counted"] += 1
        else:
            assert kept + len(rejected) or not one.raw.strip(b"\0 \r\n\t\xef\xbb\xbf\xff\xfe[],"), (seed, one.how)
        if one.lossless:
            assert conversations(rows) == expected, (seed, one.how)
            told["same"] += 1
        told["kept"] += kept
        told["rejected"] += len(rejected)
    assert not told["refused for nothing"]
    assert told["kept"] > n / 2
    assert told["rejected"] > n / 20
    print(f"{name}: {n} files in {time.monotonic() - begun:.1f} s, {dict(told)}")  # shown with -rP


@pytest.mark.parametrize("n", [pytest.param(8, id="8"), pytest.param(200, marks=pytest.mark.slow, id="200")])
@pytest.mark.parametrize("name", FORMATS)
def test_a_spoilt_file_goes_into_a_store_by_itself_and_twice_is_once(tmp_path: Path, name: str, n: int) -> None:
    form = FORMATS[name]
    mapping = mapping_of(form, tmp_path)
    with open_store(tmp_path / "x.duckdb") as store:
        for seed, one in files(form, n):
            path = put(tmp_path, one)
            try:
                first, second = load(path, store, mapping=mapping), load(path, store, mapping=mapping)
            except InputError:
                continue
            assert (first.rows_in, first.kept) == (second.rows_in, second.kept), seed
            assert (second.new, second.changed) == (0, 0), (seed, one.how)
        ((rows_in, kept, rejected),) = store.rows("select sum(rows_in), sum(kept), sum(rejected) from ingest")
        assert rows_in == kept + rejected
        ((stored,),) = store.rows("select count(*) from rejection")
        assert stored == rejected
