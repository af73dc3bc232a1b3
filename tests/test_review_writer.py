"""Bar: labels are given while another program writes to the database, and get there when it is free: 0 lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from endpoint import MODEL, Endpoint
from label_parts import rows
from review_parts import Running, command, environment, held, labels, review, shop


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop") / "w")


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "w"))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(latency=1.0) as running:
        yield running


def label_some(app: Running, n: int) -> None:
    for item in [i["id"] for i in app["ana"].session()["items"] if i["state"] == "new"][:n]:
        app["ana"].label(item)


def until_held(app: Running, seconds: float = 10) -> dict[str, object]:
    end = time.monotonic() + seconds
    while True:
        saved: dict[str, object] = app["ana"].session()["progress"]["saved"]
        if saved["held_by"] or time.monotonic() > end:
            return saved
        time.sleep(0.05)


def test_while_another_process_writes_answers_wait_on_disk_and_say_so_and_go_in_when_it_ends(root: Path) -> None:
    with review(root) as app:
        with held(root) as pid:
            label_some(app, 2)
            saved = until_held(app)
            assert saved["n_waiting"] == 12
            assert f"process {pid}" in str(saved["held_by"])
        assert app["ana"].saved(20) == {"n_waiting": 0, "n_refused": 0, "held_by": None}
        assert app.stop()[0] == 0
    assert len(labels(root)) == 12


def test_a_run_that_judges_while_labels_are_given_is_complete_and_so_are_the_labels(
    root: Path, endpoint: Endpoint
) -> None:
    toml = root / "grader.toml"
    toml.write_text(f'[judge]\nmodel = "{MODEL}"\nbase_url = "{endpoint.url}"\n[engine]\nconcurrency = 8\n')
    with review(root) as app:
        label_some(app, 1)  # the writer may have the database at the very moment in which the run starts
        run = subprocess.Popen(
            [sys.executable, "-m", "grader", "grade", "--rubric", "accuracy", "--json", "-q"], cwd=root,
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
        saw = False
        while run.poll() is None:
            label_some(app, 1)
            saw = saw or bool(app["ana"].session()["progress"]["saved"]["held_by"])
            time.sleep(0.1)
        out, err = run.communicate()
        assert run.returncode == 0, err
        assert json.loads(out)["state"] == "complete"
        assert saw, "the run was over before anything had to wait"
        assert app["ana"].saved(20)["n_waiting"] == 0
        n = app["ana"].session()["progress"]["n_submitted"]
        assert app.stop()[0] == 0
    assert n >= 2
    assert len(labels(root)) == 6 * n


def test_a_run_can_start_at_any_moment_while_somebody_labels(root: Path) -> None:
    with review(root) as app:
        for _ in range(3):
            label_some(app, 1)
            done = command(root, "db", "info", "--json")
            assert done.returncode == 0, done.stderr
        app.kill()


def test_what_waits_at_the_end_is_told_and_taken_in_by_the_next_command_that_counts_labels(root: Path) -> None:
    with review(root) as app, held(root):
        label_some(app, 1)
        until_held(app)
        began = time.monotonic()
        code, _out, err = app.stop()
        assert code == 0
        assert time.monotonic() - began < 10
        assert "6 answers wait in" in err
        assert "--flush" in err
        waiting = command(root, "label", "status", "lp_")
        assert waiting.returncode == 2  # the database is held: nothing can be read either
        assert "held by another process" in waiting.stderr
    assert labels(root) == []
    done = command(root, "label", "status", "lp_", "--json")
    assert "taken in from the review app: 6 answers" in done.stderr
    assert json.loads(done.stdout)["reviewers"][0]["n_answers"] == 6
    assert len(labels(root)) == 6
    assert "taken in" not in command(root, "label", "status", "lp_").stderr


def test_flush_takes_in_what_waits_and_ends(root: Path) -> None:
    with review(root) as app, held(root):
        label_some(app, 1)
        app.kill()
    assert labels(root) == []
    assert json.loads(command(root, "review", "--flush", "--json").stdout) == {"new": 6, "rejected": []}
    assert json.loads(command(root, "review", "--flush", "--json").stdout) == {"new": 0, "rejected": []}
    assert len(labels(root)) == 6


def test_taking_in_a_journal_again_changes_nothing_even_in_a_database_that_was_put_back(root: Path) -> None:
    with review(root, "--reveal", "never") as app:
        ana = app["ana"]
        item = ana.session()["items"][0]["id"]
        ana.label(item)
        ana.saved()
        shutil.copy(root / "grader.duckdb", root / "kept.duckdb")
        ana.act(item, "undo")
        ana.act(item, "answer", question="accuracy.invented_deadline", answer="present")
        ana.act(item, "submit")
        ana.saved()
        app.stop()
    whole = labels(root)
    assert len(whole) == 7
    command(root, "review", "--flush")
    assert labels(root) == whole
    (root / "kept.duckdb").replace(root / "grader.duckdb")
    command(root, "review", "--flush")
    assert labels(root) == whole


def test_a_session_starts_with_what_was_kept_while_the_database_is_held(root: Path) -> None:
    with review(root) as app:
        label_some(app, 1)
        app["ana"].saved()
        app.stop()
    with held(root), review(root) as app:
        assert app["ana"].session()["progress"]["n_submitted"] == 1
        label_some(app, 1)
        assert until_held(app)["n_waiting"] == 6
        _code, _out, err = app.stop()
        assert "going on with what was kept" in err
    with review(root) as app:
        assert app["ana"].saved()["n_waiting"] == 0
        app.stop()
    assert len(labels(root)) == 12


def test_a_first_session_waits_for_the_database_and_says_so(root: Path) -> None:
    with held(root) as pid:
        waiting = subprocess.Popen(
            [sys.executable, "-m", "grader", "review", "--json", "--port", "0"], cwd=root, env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
        assert waiting.stderr
        line = waiting.stderr.readline()
        assert f"PID {pid}" in line
        assert "waiting until it is free" in waiting.stderr.readline()
        assert waiting.poll() is None
    assert waiting.stdout
    assert "people" in json.loads(waiting.stdout.readline())
    waiting.terminate()
    waiting.communicate(timeout=20)
    assert waiting.returncode == 0


def test_what_two_reviewers_and_an_adjudicator_said_while_it_was_held_goes_in_together(root: Path) -> None:
    of = {(c, who): i for c, who, i in rows(
        root, "select conversation_id, reviewer, item_id from label_item where copy = 0"
    )}  # fmt: skip
    both = next(c for c, who in of if who == "ana" and (c, "ben") in of)
    with review(root, "--adjudicator", "cleo") as app, held(root):
        app["ana"].label(of[both, "ana"], "absent")
        app["ben"].label(of[both, "ben"], "absent", invented_deadline="present")
        (item,) = app["cleo"].session()["items"]
        app["cleo"].label(item["id"], "present")
        app.kill()
    done = json.loads(command(root, "review", "--flush", "--json").stdout)
    assert done == {"new": 13, "rejected": []}
    assert [row[:2] for row in labels(root, "role = 'adjudicator'")] == [("cleo", "adjudicator")]


def test_a_disk_that_is_full_refuses_the_act_and_keeps_nothing_of_it(root: Path) -> None:
    import resource

    with review(root) as app:
        ana = app["ana"]
        item = ana.session()["items"][0]["id"]
        ana.act(item, "note", text="before")
        (journal,) = root.glob(".grader/review/lp_*/rj_*.jsonl")
        size = journal.stat().st_size
        resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
        body = {"id": "x", "item": item, "kind": "note", "text": "after"}
        got = ana.post("api/act", body)
        assert got.status == 507, got.body
        assert "cannot be written" in got.json["error"]
        assert journal.stat().st_size == size
        assert ana.item(item)["note"] == "before"
        resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert ana.post("api/act", body).status == 200
        assert ana.item(item)["note"] == "after"
        app.kill()
