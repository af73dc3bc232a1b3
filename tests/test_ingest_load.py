"""Files into the database: batches, counts, strictness, interruption, and the command that does it."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from ingest_reading import GOOD, put
from test_ingest_mapped import EXAMPLE, block
from typer.main import get_command

from grader.cli import app
from grader.errors import InputError
from grader.ingest import Incoming, Rejected, load_mapping
from grader.ingest.load import MAX_RECORDS, load
from grader.store import AddCounts, open_store

CLASHING = {**GOOD, "queue": "other"}
BAD = {"conversation_id": "bad", "messages": 5}


def rows(n: int) -> list[Any]:
    return [{**GOOD, "conversation_id": f"c{i}"} for i in range(n)]


class ListStore:
    """Remembers what it was handed; `fails_at` is the batch at which it is interrupted."""

    def __init__(self, fails_at: int = 0) -> None:
        self.batches: list[list[Incoming]] = []
        self.rejected: list[Rejected] = []
        self.ended: tuple[Any, ...] = ()
        self._fails_at = fails_at

    def begin_ingest(self, path: str, format: str, size: int | None) -> str:  # noqa: A002
        return "in_1"

    def add(self, batch: Sequence[tuple[Incoming, str, int]], ingest_id: str) -> AddCounts:
        if len(self.batches) + 1 == self._fails_at:
            raise KeyboardInterrupt
        self.batches.append([record for record, _, _ in batch])
        return AddCounts(new=len(batch))

    def add_rejections(self, ingest_id: str, rejected: Sequence[Rejected]) -> None:
        self.rejected += rejected

    def end_ingest(self, ingest_id: str, rows_in: int, kept: int, rejected: int, counts: Any) -> None:
        self.ended = (rows_in, kept, rejected, counts.new)


def test_the_same_file_twice_changes_nothing_and_the_books_say_so(tmp_path: Path) -> None:
    path = put(tmp_path, [*rows(3), BAD, GOOD, CLASHING, GOOD])
    with open_store(tmp_path / "x.duckdb") as store:
        first, second = load(path, store), load(path, store)
        changed = load(put(tmp_path, [CLASHING], "later.jsonl"), store)
        books = store.rows(
            "select rows_in, kept, rejected, n_new, n_changed, n_unchanged from ingest order by started_at"
        )
        stored = store.rows("select line, field, reason, cure, excerpt from rejection order by line, ingest_id")
        sources = store.rows("select conversation_id, source_line from conversation order by conversation_id")
    assert books == [(7, 5, 2, 4, 0, 1), (7, 5, 2, 0, 0, 5), (1, 1, 0, 0, 1, 0)]
    assert (first.new, first.unchanged, second.new, second.unchanged, changed.changed) == (4, 1, 0, 5, 1)
    assert [row[0] for row in stored] == [4, 4, 6, 6]
    assert stored[0][1:3] == ("messages", "must be a list, this is the number 5")
    assert sources == [("a", 1), ("c0", 1), ("c1", 2), ("c2", 3)]


def test_strict_takes_in_nothing_of_a_file_with_a_bad_row(tmp_path: Path) -> None:
    with open_store(tmp_path / "x.duckdb") as store:
        refused = load(put(tmp_path, [*rows(3), BAD]), store, strict=True)
        assert store.rows("select count(*) from conversation") == [(0,)]
        assert store.rows("select rows_in, kept, rejected from ingest") == [(4, 0, 4)]
        assert store.rows("select line from rejection") == [(4,)]
        whole = load(put(tmp_path, rows(3)), store, strict=True)
    assert (refused.refused, refused.bad, refused.rows_in) == (True, 1, 4)
    assert (whole.refused, whole.kept, whole.new) == (False, 3, 3)


def test_strict_does_not_mix_two_states_of_a_file_that_changes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, rows(2))
    good = path.read_bytes()
    store = ListStore()

    def spoil(_used: int, _rows: int) -> None:
        path.write_bytes(good[:-20] + b"x" * 19 + b"\n")

    monkeypatch.setattr("grader.ingest.load._PROGRESS_EVERY", 1)
    with pytest.raises(InputError, match="changed while it was being read"):
        load(path, store, strict=True, on_progress=spoil)
    assert store.batches == []


def test_batches_are_bounded_by_count_and_by_size_and_hold_a_row_s_records_together(tmp_path: Path) -> None:
    store = ListStore()
    load(put(tmp_path, rows(2 * MAX_RECORDS + 1)), store)
    assert [len(batch) for batch in store.batches] == [MAX_RECORDS, MAX_RECORDS, 1]
    big = [{"conversation_id": str(n), "messages": [{"role": "ai", "text": "x" * 5_000_000}]} for n in range(4)]
    store = ListStore()
    load(put(tmp_path, big), store)
    assert [len(batch) for batch in store.batches] == [2, 2]
    text = '[conversation]\nconversation_id = "id"\nmessages = "log"\n[outcome]\ncsat = "stars"\n'
    (tmp_path / "m.toml").write_text(text)
    many = [{"id": n, "log": [{"role": "user", "content": "x"}], "stars": 3} for n in range(MAX_RECORDS)]
    many[0]["stars"] = None  # so that the limit falls between the two records of a row
    store = ListStore()
    load(put(tmp_path, many), store, mapping=load_mapping(tmp_path / "m.toml"))
    assert [len(batch) for batch in store.batches] == [MAX_RECORDS + 1, MAX_RECORDS - 2]
    assert store.ended == (MAX_RECORDS, MAX_RECORDS, 0, 2 * MAX_RECORDS - 1)


def test_an_interruption_leaves_whole_batches_and_books_that_hold(tmp_path: Path) -> None:
    store = ListStore(fails_at=3)
    with pytest.raises(KeyboardInterrupt):
        load(put(tmp_path, rows(5 * MAX_RECORDS)), store)
    assert [len(batch) for batch in store.batches] == [MAX_RECORDS, MAX_RECORDS]
    assert store.ended == (2 * MAX_RECORDS, 2 * MAX_RECORDS, 0, 2 * MAX_RECORDS)


# ── the command ──

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def grader(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line in this process, which saves the second that a new one takes to start."""

    def run(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(cwd)
        command = get_command(app)
        with pytest.raises(SystemExit) as ended:
            copy_context().run(command.main, [str(arg) for arg in args], "grader")
        captured = capsys.readouterr()
        return subprocess.CompletedProcess(args, int(ended.value.code or 0), captured.out, captured.err)

    return run


def test_the_command_counts_and_shows_what_was_rejected_with_its_cure(grader: Command, workspace: Path) -> None:
    path = put(workspace, [GOOD, BAD, {"conversation_id": "x", "messages": [{"role": "ai", "at": "soon"}]}])
    done = grader("ingest", path.name, cwd=workspace)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "rows.jsonl: kept 1 + rejected 2 = 3 rows in"
    assert "1 conversation: new 1, changed 0, unchanged 0  (canonical: " in done.stdout
    assert "rows.jsonl:2: messages: must be a list, this is the number 5\n  → write [" in done.stderr
    assert "rows.jsonl:3: messages[1].at: is no time" in done.stderr
    again = grader("ingest", path.name, cwd=workspace)
    assert "new 0, changed 0, unchanged 1" in again.stdout
    listed = grader("ingest", "--rejections", cwd=workspace)
    assert listed.returncode == 0
    assert [line.split(": ")[0] for line in listed.stdout.splitlines() if line.startswith("rows")] == [
        "rows.jsonl:2", "rows.jsonl:3",
    ]  # fmt: skip
    assert len(json.loads(grader("ingest", "--rejections", "--json", path.name, cwd=workspace).stdout)) == 2
    assert json.loads(grader("ingest", "--rejections", "--json", "other.jsonl", cwd=workspace).stdout) == []


def test_the_first_ten_rejections_are_shown_and_the_rest_counted(grader: Command, workspace: Path) -> None:
    put(workspace, [GOOD, *[BAD] * 25])
    done = grader("ingest", "rows.jsonl", cwd=workspace)
    assert done.stderr.count("must be a list") == 10
    assert "… and 15 more: grader ingest --rejections rows.jsonl" in done.stderr
    assert "kept 1 + rejected 25 = 26 rows in" in done.stdout


@pytest.mark.parametrize(("content", "options", "code", "said"), [
    ([GOOD, BAD], (), 0, "kept 1 + rejected 1 = 2 rows in"),
    ([BAD], (), 2, "kept 0 + rejected 1 = 1 rows in"),
    ([GOOD, BAD], ("--strict",), 2, "kept 0 + rejected 2 = 2 rows in"),
    ([GOOD], ("--strict",), 0, "kept 1 + rejected 0 = 1 rows in"),
    (b"", (), 0, "kept 0 + rejected 0 = 0 rows in"),
    (b"PK\x03\x04", (), 2, ""),
    ([GOOD], ("--format", "xml"), 2, ""),
    ([GOOD], ("--timezone", "Mars/Olympus"), 2, ""),
    ([GOOD], ("--map", "none.toml"), 2, ""),
])  # fmt: skip
def test_the_exit_code_tells_whether_every_file_gave_something(
    grader: Command, workspace: Path, content: Any, options: tuple[str, ...], code: int, said: str
) -> None:
    put(workspace, content)
    done = grader("ingest", "rows.jsonl", *options, cwd=workspace)
    assert done.returncode == code
    assert said in done.stdout
    assert "Traceback" not in done.stderr
    if code == 2 and not said:
        assert done.stderr.startswith("error: ")


def test_one_unreadable_file_does_not_keep_the_others_out(grader: Command, workspace: Path) -> None:
    put(workspace, b"PK\x03\x04", "a.jsonl")
    put(workspace, [GOOD], "b.jsonl")
    done = grader("ingest", "a.jsonl", "b.jsonl", "missing.jsonl", cwd=workspace)
    assert done.returncode == 2
    assert "b.jsonl: kept 1 + rejected 0 = 1 rows in" in done.stdout
    assert "1 of 3 files: kept 1 + rejected 0 = 1 rows in" in done.stdout
    assert done.stderr.count("error: ") == 2
    as_json = grader("ingest", "a.jsonl", "b.jsonl", "--json", cwd=workspace)
    document = json.loads(as_json.stdout)
    assert (document["rows_in"], document["kept"], document["unchanged"]) == (1, 1, 1)
    assert [one["path"] for one in document["files"]] == ["b.jsonl"]
    assert "zip archive" in document["unreadable"][0]["message"]


def test_a_preview_shows_conversations_and_unused_columns_and_writes_nothing(grader: Command, tmp_path: Path) -> None:
    put(tmp_path, block("csv", "### A CSV with one row per message"), "tickets.csv")
    done = grader("ingest", "tickets.csv", "--map", EXAMPLE, "--preview", cwd=tmp_path)
    assert done.returncode == 0
    assert "conversation 881" in done.stdout
    assert '1. customer 2026-08-03 14:02:00-03:00: oi, a tampa veio "quebrada" manda outra?' in done.stdout
    assert "columns that the mapping does not use: Loja" in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["tickets.csv"]
    first = grader("ingest", "tickets.csv", "--map", EXAMPLE, "--preview", "1", "--json", cwd=tmp_path)
    document = json.loads(first.stdout)
    assert [row["record"]["conversation_id"] for row in document[0]["rows"]] == ["881"]


def test_a_preview_tells_what_all_rows_come_to(grader: Command, workspace: Path) -> None:
    asked = {"role": "boss", "text": "hi", "at": "2026-08-03T14:02"}
    more = {"conversation_id": "b", "messages": [asked], "customer_id": "7", "state": "closed"}
    put(workspace, [*rows(4), more, BAD, {"type": "outcome", "conversation_id": "b", "csat": 4}])
    shown = grader("ingest", "rows.jsonl", "--preview", "-n", "1", cwd=workspace).stdout
    assert "all rows of the file, 7: kept 6 + rejected 1" in shown
    assert "conversations: 5; messages by role: customer 4 · unknown 1" in shown
    assert "with a known contact: 1, with all times: 1, closed: 1" in shown
    assert "ratings: 1" in shown
    assert "unknown is never taken for the AI" in shown
    assert "rejected first: rows.jsonl:6: messages: must be a list" in shown
    (document,) = json.loads(grader("ingest", "rows.jsonl", "--preview", "--json", cwd=workspace).stdout)
    assert document["looked_at"]["messages"] == {"customer": 4, "unknown": 1}
    assert (document["looked_at"]["rows"], document["looked_at"]["whole_file"]) == (7, True)


def test_terminal_codes_in_a_file_do_not_reach_the_terminal(grader: Command, workspace: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202e"
    put(workspace, [{"conversation_id": evil, "messages": [{"role": evil, "text": evil, "at": evil}], evil: 1}, GOOD])
    done = grader("ingest", "rows.jsonl", cwd=workspace)
    shown = grader("ingest", "rows.jsonl", "--preview", cwd=workspace)
    for text in (done.stdout, done.stderr, shown.stdout, shown.stderr):
        assert not set(text) & set("\x1b\x07\u202e")


def test_quiet_leaves_the_result_alone_and_no_path_is_a_mistake(grader: Command, workspace: Path) -> None:
    put(workspace, [{**GOOD, "odd": 1}])
    done = grader("ingest", "rows.jsonl", "-q", cwd=workspace)
    assert done.stderr == ""
    assert "kept 1" in done.stdout
    assert grader("ingest", cwd=workspace).returncode == 2
    nothing = grader("ingest", "no-*.jsonl", cwd=workspace)
    assert nothing.returncode == 2
    assert "nothing to take in is there" in nothing.stderr


LABEL = {"type": "label", "conversation_id": "a", "rubric": "accuracy", "rubric_version": "1.0.0",
         "criterion": "invented_deadline", "answer": "absent", "reviewer": "me"}  # fmt: skip


def test_labels_and_outcomes_that_count_nowhere_are_told_and_kept(grader: Command, workspace: Path) -> None:
    labels = [
        {**LABEL, "rubric": "accurracy", "criterion": "zzz"},
        {**LABEL, "reviewer": "you", "criterion": "zzz"},
        {**LABEL, "reviewer": "b", "criterion": "invented_deadlin"},
        {**LABEL, "reviewer": "c", "rubric_version": "7.0.0"},
        {**LABEL, "reviewer": "d", "answer": "yes"},
        {**LABEL, "rubric": "resolution", "criterion": "resolved", "answer": "not"},
        {**LABEL, "rubric": "resolution", "criterion": "contact_reason", "answer": "no such reason"},
        LABEL,
    ]
    put(workspace, [GOOD, *labels], "labels.jsonl")
    put(workspace, [{"type": "outcome", "conversation_id": one, "csat": 5} for one in ("a", "nope")], "outcomes.jsonl")
    done = grader("ingest", "labels.jsonl", "outcomes.jsonl", cwd=workspace)
    assert done.returncode == 0
    assert "kept 9 + rejected 0 = 9 rows in" in done.stdout
    told = """
note: 1 outcome is for a conversation that is not here (yet): nope
note: 3 labels name a criterion that no rubric of this workspace has: accuracy/invented_deadlin \
(did you mean accuracy/invented_deadline?), accuracy/zzz, accurracy/zzz
note: 1 label is for a version in which no rubric of this workspace has that criterion: \
accuracy@7.0.0/invented_deadline (did you mean accuracy@1.0.0/invented_deadline?)
note: 2 labels give an answer that the criterion does not have: accuracy@1.0.0/invented_deadline = yes, \
resolution@1.0.0/contact_reason = no such reason
"""
    assert done.stderr == told.lstrip()
    again = json.loads(grader("ingest", "labels.jsonl", "--json", cwd=workspace).stdout)
    assert [note["n"] for note in again["notes"]] == [3, 1, 2]
    assert again["unchanged"] == 9
    put(workspace, [{**GOOD, "conversation_id": "nope"}], "late.jsonl")
    assert "note" not in grader("ingest", "late.jsonl", cwd=workspace).stderr
    assert "conversation" not in grader("ingest", "outcomes.jsonl", cwd=workspace).stderr


def test_of_many_conversations_that_are_not_here_three_are_named(grader: Command, workspace: Path) -> None:
    put(workspace, [{**LABEL, "conversation_id": f"c{n}"} for n in range(2_000)])
    done = grader("ingest", "rows.jsonl", cwd=workspace)
    assert "note: 2,000 labels are for conversations that are not here (yet): c0, c1, c10, …" in done.stderr


def test_labels_go_in_where_the_rubrics_cannot_be_read_or_there_is_no_workspace(
    grader: Command, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "rubrics/accuracy/1.0.0.yaml").write_text("name: [")
    put(workspace, [GOOD, {**LABEL, "answer": "odd"}])
    done = grader("ingest", "rows.jsonl", cwd=workspace)
    assert (done.returncode, "kept 2" in done.stdout) == (0, True)
    assert "note: labels were not held against the rubrics: " in done.stderr
    (tmp_path / "bare").mkdir()
    put(tmp_path / "bare", [GOOD, {**LABEL, "answer": "odd"}])
    done = grader("ingest", "rows.jsonl", "--database", "x.duckdb", cwd=tmp_path / "bare")
    assert (done.returncode, done.stderr) == (0, "")


def test_standard_input_is_read_as_a_file(grader: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(content: bytes, *options: str | Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        return grader("ingest", "-", *options, cwd=workspace)

    good = json.dumps(GOOD).encode() + b"\n"
    done = run(good + b"\xff\n")
    assert done.returncode == 0
    assert done.stdout.startswith("-: kept 1 + rejected 1 = 2 rows in")
    assert "-:2: byte 1 of the row (0xff) is no UTF-8" in done.stderr
    assert "… | iconv -f CP1252 -t UTF-8 | grader ingest -" in done.stderr
    assert "unchanged 1" in run(gzip.compress(good), "--strict").stdout
    csv = block("csv", "### A CSV with one row per message").encode()
    assert "conversation 881" in run(csv, "--map", EXAMPLE, "--preview").stdout
    put(workspace, [{**GOOD, "conversation_id": "b"}])
    both = run(csv, "rows.jsonl", "--map", EXAMPLE)
    assert both.returncode == 2  # rows.jsonl is not of this mapping
    assert "-: kept 4 + rejected 0 = 4 rows in" in both.stdout
    assert "the file has no rows" in run(b"").stderr
    assert len(json.loads(grader("ingest", "--rejections", "-", "--json", cwd=workspace).stdout)) == 0
    monkeypatch.setattr("sys.stdin", None)
    assert "standard input is closed" in grader("ingest", "-", cwd=workspace).stderr


def test_notes_say_in_how_many_rows(grader: Command, workspace: Path) -> None:
    put(workspace, [{**GOOD, "odd": 1}, {**GOOD, "odd": 1, "even": 2, "conversation_id": "b"}])
    told = grader("ingest", "rows.jsonl", cwd=workspace).stderr
    assert "'odd' is not one of Grader's, it is kept in the attributes (in 2 rows)" in told
    assert "'even' is not one of Grader's, it is kept in the attributes; did you mean 'events'? (in 1 row)" in told


@pytest.mark.parametrize("where", ["a folder/with 'quotes'", "."])
def test_a_cure_that_is_a_command_can_be_pasted(grader: Command, workspace: Path, where: str) -> None:
    folder = workspace / where
    folder.mkdir(parents=True, exist_ok=True)
    text = (json.dumps({**GOOD, "messages": [{"role": "customer", "text": "olá"}]}, ensure_ascii=False) + "\n") * 2
    for content, name in [
        (text.encode("cp1252"), "e.jsonl"),
        (gzip.compress(text.encode("cp1252")), "f.jsonl.gz"), (json.dumps({"my rows": [GOOD]}).encode(), "g.json"),
    ]:  # fmt: skip
        put(folder, content, name)
        refused = grader("ingest", f"{where}/{name}", cwd=workspace)
        assert refused.returncode == 2
        command = re.search(r"(?:UTF-8|example|per line): (.*)", refused.stderr)
        assert command, refused.stderr
        if "jq" in command[1] and not shutil.which("jq"):
            assert "jq -c '.[\"my rows\"][]' < " in command[1]
            continue
        assert subprocess.run(["bash", "-c", command[1]], cwd=workspace, check=False).returncode == 0
        made = next(path for path in folder.iterdir() if path.name.startswith(("utf8-", "rows-")))
        assert grader("ingest", made.relative_to(workspace), cwd=workspace).returncode == 0
        made.unlink()


def test_an_example_of_a_mapping_can_be_had_and_reads_the_file_that_it_is_for(
    grader: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for encoding in ("utf-8", "ascii", "cp1252"):
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
        monkeypatch.setattr("sys.stdout", out)
        copy_context().run(get_command(app).main, ["schema", "mapping"], "grader", standalone_mode=False)
        out.flush()
        path = put(tmp_path, out.buffer.getvalue(), "mapping.toml")
        assert load_mapping(path).conversation["queue"] == load_mapping(EXAMPLE).conversation["queue"]
    monkeypatch.undo()
    assert path.read_bytes().startswith(b"# A mapping for `grader ingest")


@pytest.mark.realdata
def test_the_real_files_go_in_whole_and_twice_is_once(grader: Command, workspace: Path, real_data: Path) -> None:
    paths = (
        real_data / "retail/conversations.jsonl.gz",
        real_data / "raw_formats/openai_chat",
        REPOSITORY / "datasets/policies",
    )
    first, second = (grader("ingest", *paths, "--json", cwd=workspace) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    n_policies = len(list((REPOSITORY / "datasets/policies").glob("*.md")))
    assert json.loads(first.stdout)["new"] == json.loads(second.stdout)["unchanged"] == 114 + 3 + n_policies
    with gzip.open(paths[0], "rt", encoding="utf-8") as lines:
        n_messages = sum(len(json.loads(line)["messages"]) for line in lines)
    with (real_data / "raw_formats/openai_chat/tau_bench_raw_3.jsonl").open(encoding="utf-8") as lines:
        n_messages += sum(len(json.loads(line)["traj"]) for line in lines)
    with open_store(workspace / "grader.duckdb", read_only=True) as store:
        assert store.rows("select count(*) from message") == [(n_messages,)]
    assert n_messages == 3319 + 68
