"""`grader grade` as a user runs it, against a real endpoint on loopback: what is told, what is kept, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import REPOSITORY
from endpoint import MODEL, Endpoint
from engine_parts import talk

from grader import cli
from grader.model import Conversation
from grader.store import open_store

ALPHA = """\
name: alpha
version: 1.0.0
criteria:
  - code: late
    question: Did the AI answer late?
    present: It took long.
    absent: It did not.
    not_applicable: Nothing was asked.
  - code: rude
    question: Was the AI rude?
    present: It was.
    absent: It was not.
    not_applicable: It said nothing.
"""
BETA = ALPHA.replace("alpha", "beta").replace("late", "lost").replace("rude", "cold")
PRICES = '\n[prices."stand-in"]\ninput = 1000000\noutput = 0\n'  # a USD per token: one call costs more than 100


class Ended(NamedTuple):
    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Grader = Callable[..., Ended]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with two small rubrics and five conversations; the endpoint has seen nothing yet."""
    from grader.workspace import shipped

    endpoint.clear()
    endpoint.faults.clear()
    endpoint.latency = 0.0
    folder = tmp_path / "shop"
    (folder / "rubrics" / "alpha").mkdir(parents=True)
    (folder / "rubrics" / "beta").mkdir()
    (folder / "rubrics" / "alpha" / "1.0.0.yaml").write_text(ALPHA)
    (folder / "rubrics" / "beta" / "1.0.0.yaml").write_text(BETA)
    (folder / "prompts").symlink_to(shipped("prompts"))
    (folder / "grader.toml").write_text(
        f'[judge]\nmodel = "{MODEL}"\nbase_url = "{endpoint.url}"\nmax_attempts = 2\nmax_backoff_seconds = 0.05\n'
    )
    monkeypatch.chdir(folder)
    fill(folder, *(talk(f"c{n}", queue="orders" if n < 2 else "returns") for n in range(5)))
    return folder


def fill(folder: Path, *conversations: Conversation) -> None:
    with open_store(folder / "grader.duckdb") as store:
        store.add([(c, None, None) for c in conversations])


@pytest.fixture
def grader(shop: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Grader:
    """`grader ARGS` in the workspace, in this process."""

    def run(*args: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, args)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Ended(ended.value.code, *capfd.readouterr())

    return run


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_store(folder / "grader.duckdb", read_only=True) as store:
        return store.rows(sql)


@contextmanager
def held(shop: Path, *, read_only: bool) -> Iterator[int]:
    """Another process has the database open; its number."""
    code = (
        "import sys; from pathlib import Path; from grader.store import open_store\n"
        f"with open_store(Path('grader.duckdb'), read_only={read_only}):\n"
        "    print('open', flush=True)\n    sys.stdin.readline()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=shop,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        yield holder.pid
    finally:
        holder.communicate(b"\n", timeout=30)


# What is told


def test_the_result_is_one_line_on_stdout_and_the_rest_on_stderr(grader: Grader) -> None:
    done = grader("grade")
    assert done.code == 0
    assert done.out.startswith("reused 0 · judged 10 · failed 0 · cost unknown · run 20")
    assert done.out.count("\n") == 1
    assert "5 conversations × alpha@1.0.0, beta@1.0.0 · judge llm (stand-in)" in done.err
    assert "10 judgements: 0 reused, 10 to judge in 10 calls" in done.err
    assert "the price of stand-in is not known" in done.err
    again = grader("grade")
    assert again.out.startswith("reused 10 · judged 0 · failed 0 · 0.00 USD · run 20")


def test_json_is_one_document_with_the_same_counts(grader: Grader) -> None:
    told = grader("grade", "--json", "-q").json
    assert {k: told[k] for k in ("judge", "model", "population", "conversations", "judgements", "reused", "state")} == {
        "judge": "llm", "model": MODEL, "population": 5, "conversations": 5, "judgements": 10, "reused": 0,
        "state": "complete",
    }  # fmt: skip
    assert (told["judged"], told["failed"], told["not_yet_judged"], told["calls_made"]) == (10, 0, 0, 10)
    assert told["cost_usd"] is None
    assert told["prompt_tokens"] > 0


def test_quiet_says_nothing_but_the_result(grader: Grader) -> None:
    assert grader("grade", "-q").err == ""


def test_a_dry_run_calls_nothing_writes_nothing_and_tells_what_it_would_do(
    grader: Grader, shop: Path, endpoint: Endpoint
) -> None:
    before = {p: p.read_bytes() for p in shop.rglob("*") if p.is_file()}
    done = grader("grade", "--dry-run", "--sample", "3")
    assert done.code == 0
    assert done.out == "reused 0 · to judge 6 · failed 0 · nothing was called\n"
    assert "3 of 5 conversations" in done.err
    assert endpoint.book.requests == 0
    assert {p: p.read_bytes() for p in shop.rglob("*") if p.is_file()} == before
    told = grader("grade", "--dry-run", "--json", "-q").json
    assert (told["to_judge"], told["calls"], told["estimate"]["cost_usd"]) == (10, 10, None)
    low, high = told["estimate"]["prompt_tokens"]
    assert 0 < low < high


def test_a_dry_run_counts_what_a_killed_run_left_in_its_journal_and_leaves_it_there(grader: Grader, shop: Path) -> None:
    before = (shop / "grader.duckdb").read_bytes()
    grader("grade", "-q")
    (shop / "grader.duckdb").write_bytes(before)
    assert grader("grade", "--dry-run").out == "reused 10 · to judge 0 · failed 0 · nothing was called\n"
    assert (shop / "grader.duckdb").read_bytes() == before
    done = grader("grade")
    assert done.out.startswith("reused 10 · judged 0 · failed 0")
    assert "took in 10 judgements" in done.err


def test_a_dry_run_stands_in_no_readers_way(grader: Grader, shop: Path) -> None:
    with held(shop, read_only=True):
        assert grader("grade", "--dry-run").code == 0
        assert grader("failures").code == 0


def test_a_day_that_is_selected_is_the_workspaces_own(grader: Grader, shop: Path) -> None:
    fill(shop, talk("night", started_at="2026-09-01T01:00:00Z"))  # the last evening of August in São Paulo
    assert grader("grade", "--dry-run", "--json", "--select", "since:2026-09-01").json["conversations"] == 1
    with (shop / "grader.toml").open("a") as file:
        file.write('[workspace]\ntimezone = "America/Sao_Paulo"\n')
    assert grader("grade", "--dry-run", "--select", "since:2026-09-01").code == 2
    assert grader("grade", "--dry-run", "--json", "--select", "until:2026-08-31").json["conversations"] == 1


def test_the_estimate_holds_what_the_run_then_takes(grader: Grader) -> None:
    guess = grader("grade", "--dry-run", "--json", "-q").json["estimate"]
    told = grader("grade", "--json", "-q").json
    assert guess["prompt_tokens"][0] <= told["prompt_tokens"] <= guess["prompt_tokens"][1] * 1.2


def test_a_run_with_nothing_to_do_imports_neither_openai_nor_instructor_and_calls_nobody(
    grader: Grader, shop: Path, endpoint: Endpoint
) -> None:
    grader("grade", "-q")
    endpoint.clear()
    code = (
        "import sys\nfrom grader.cli import main\nsys.argv = ['grader', 'grade', '-q']\n"
        "try:\n    main()\nexcept SystemExit as e:\n    print(e.code, *sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=shop,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    code_, *modules = done.stderr.split()
    assert code_ == "0"
    assert done.stdout.startswith("reused 10 · judged 0")
    assert {m.partition(".")[0] for m in modules} & {
        "openai",
        "instructor",
        "tenacity",
        "aiohttp",
        "genai_prices",
    } == set()
    assert endpoint.book.requests == 0


def test_the_judge_that_is_made_is_the_one_that_was_announced() -> None:
    from grader.config import load
    from grader.engine.setup import make_judge

    settings = load({"judge.base_url": "http://127.0.0.1:9/v1", "judge.kind": "llm"}, REPOSITORY)
    deferred = make_judge(settings, concurrency=1).judge
    made = deferred.open()
    for what in ("name", "model", "parameters", "prompt_hash"):
        assert getattr(made, what) == getattr(deferred, what)
    assert deferred.open() is made


# Selecting


def test_a_selection_and_a_sample_say_what_was_drawn_from_what(grader: Grader, shop: Path) -> None:
    told = grader("grade", "--json", "-q", "--select", "queue:returns,since:2026-01-01", "--select", "handoff:no").code
    assert told == 2  # they have no time
    told = grader("grade", "--json", "-q", "--select", "queue:returns", "--sample", "2", "--seed", "9").json
    assert (told["population"], told["conversations"]) == (3, 2)
    ((selection, seed, n),) = rows(shop, "select selection, seed, n_population from run")
    assert (seed, n) == (9, 3)
    chosen = json.loads(selection)
    assert (chosen["select"], chosen["sample"], chosen["design"]) == ([["queue", "returns"]], 2, "simple random")
    assert rows(shop, "select distinct inclusion_probability from run_item") == [(2 / 3,)]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--select", "queue"], "is not NAME:VALUE"),
        (["--select", "queue:"], "is not NAME:VALUE"),
        (["--select", "colour:red"], "cannot be selected by"),
        (["--select", "since:yesterday"], "no date"),
        (["--select", "queue:'; drop table conversation; --"], "no conversation meets"),
        (["--select", "id:nobody"], "no conversation meets"),
        (["--rubric", "gamma"], "gamma"),
        (["--rubric", "alpha@9.9.9"], "9.9.9"),
        (["--rubric", "alpha", "--rubric", "alpha"], "named twice"),
        (["--sample", "0"], "greater than or equal to 1"),
        (["--group", "some"], "group"),
        (["--concurrency", "0"], "concurrency"),
        (["--budget", "-1"], "budget"),
        (["--budget", "nan"], "budget"),
        (["--judge", "oracle"], "oracle"),
        (["--repeat", "-1"], "greater than or equal to 0"),
        (["--repeat", "2147483648"], "less than or equal to"),
        (["--seed", "9223372036854775808"], "less than or equal to"),
    ],
)
def test_what_cannot_be_meant_ends_with_2_and_says_so_before_anything_is_called(
    grader: Grader, endpoint: Endpoint, shop: Path, args: list[str], told: str
) -> None:
    done = grader("grade", *args)
    assert done.code == 2
    assert told in done.err
    assert done.out == ""
    assert endpoint.book.requests == 0
    assert rows(shop, "select count(*) from run") == [(0,)]


def test_without_a_database_or_conversations_it_says_what_comes_first(grader: Grader, shop: Path) -> None:
    (shop / "grader.duckdb").unlink()
    for args in (["grade"], ["grade", "--dry-run"], ["failures"], ["db", "info"], ["db", "verify"]):
        done = grader(*args)
        assert (done.code, done.out) == (2, "")
        assert "no database yet" in done.err
        assert "grader ingest" in done.err
        assert not (shop / "grader.duckdb").exists()
    fill(shop)
    done = grader("grade")
    assert done.code == 2
    assert "no conversations yet" in done.err


def test_a_changed_rubric_under_an_unchanged_version_is_refused_with_the_command_that_helps(
    grader: Grader, shop: Path
) -> None:
    grader("grade", "-q")
    file = shop / "rubrics" / "alpha" / "1.0.0.yaml"
    file.write_text(ALPHA.replace("Was the AI rude?", "Was the AI very rude?"))
    done = grader("grade")
    assert done.code == 2
    assert "alpha@1.0.0 changed in meaning" in done.err
    assert "Was the AI very rude?" in done.err
    assert "grader rubric new-version alpha" in done.err
    file.write_text(ALPHA.replace("code: rude", "code: rude\n    title: Rudeness"))
    assert grader("grade").code == 0
    assert ("Rudeness",) in rows(shop, "select title from criterion")


# Money


def test_a_budget_ends_with_4_and_never_spends_more(grader: Grader, shop: Path) -> None:
    with (shop / "grader.toml").open("a") as file:
        file.write(PRICES)
    whole = grader("grade", "--dry-run", "--json", "-q").json["estimate"]["cost_usd"]
    budget = whole[1] * 0.5
    done = grader("grade", "--budget", str(budget), "--json")
    assert done.code == 4
    assert "the budget is reached" in done.err
    told = done.json
    assert told["state"] == "budget"
    assert 0 < told["judged"] < 10
    assert told["cost_usd"] <= budget
    assert told["not_yet_judged"] == 10 - told["judged"]
    rest = grader("grade", "--json")
    assert rest.code == 0
    assert rest.json["reused"] == told["judged"]


def test_a_budget_without_a_price_is_refused(grader: Grader, endpoint: Endpoint) -> None:
    done = grader("grade", "--budget", "1")
    assert done.code == 2
    assert '[prices."stand-in"]' in done.err
    assert endpoint.book.requests == 0
    assert grader("grade", "--budget", "1", "--judge", "signals").code == 0  # costs nothing


def test_secrets_in_an_address_are_not_kept_with_the_run(grader: Grader, shop: Path, endpoint: Endpoint) -> None:
    grader("grade", f"--base-url={endpoint.url}?key=sesame", "--sample", "1")
    kept = rows(shop, "select command from run")[0][0]
    assert "sesame" not in kept
    assert f"{endpoint.url}?***" in kept
    for journal in (shop / ".grader" / "journal").iterdir():
        assert "sesame" not in journal.read_text()


# Failures


def test_failures_end_with_3_are_listed_and_pass_the_next_time(grader: Grader, shop: Path, endpoint: Endpoint) -> None:
    endpoint.fault("500", times=None, match="order c1")
    endpoint.fault("too_long", times=None, match="order c2")
    done = grader("grade")
    assert done.code == 3
    assert done.out.startswith("reused 0 · judged 6 · failed 4 ·")
    assert "4 judgements could not be had" in done.err
    listed = grader("failures", "--json").json
    assert {(f["conversation_id"], f["cause"], f["retryable"]) for f in listed} == {
        ("c1", "server_error", True), ("c2", "too_long", False),
    }  # fmt: skip
    table = grader("failures")
    assert table.code == 0
    assert "too_long *" in table.out
    assert "2 do not pass by themselves: mend the cause, then add --retry-failed" in table.err
    assert MODEL in table.out
    assert "the same command tries 2 of them again; 2 will not pass by themselves" in done.err
    ((run_id,),) = rows(shop, "select run_id from run")
    assert len(grader("failures", "--json", "--run", run_id[:12]).json) == 4  # by its beginning, as in `report`
    unknown = grader("failures", "--run", "nope")
    assert (unknown.code, unknown.out) == (2, "")
    assert run_id in unknown.err
    endpoint.faults.clear()
    done = grader("grade")
    assert done.code == 3  # two stand, and are not tried
    assert "2 will not pass by themselves" in done.err
    assert "tries" not in done.err.partition("error:")[2]
    assert done.out.startswith("reused 6 · judged 2 · failed 2 ·")
    assert "2 failed before (--retry-failed tries them again)" in done.err
    done = grader("grade", "--retry-failed")
    assert (done.code, done.out[:32]) == (0, "reused 8 · judged 2 · failed 0 ·")
    assert grader("failures").out == "nothing failed\n"
    assert grader("failures", "--json").json == []


def test_a_refused_key_ends_with_2_and_the_cure(grader: Grader, shop: Path, endpoint: Endpoint) -> None:
    endpoint.fault("key", times=None)
    done = grader("grade", "--json")
    assert done.code == 2
    assert "OPENAI_API_KEY" in done.err
    assert done.json["state"] == "refused"
    assert rows(shop, "select state from run") == [("refused",)]
    assert endpoint.book.requests <= 16


def test_grouped_it_makes_one_call_per_conversation(grader: Grader, shop: Path, endpoint: Endpoint) -> None:
    done = grader("grade", "--group", "all", "--json", "-q").json
    assert (done["judged"], done["calls_made"]) == (10, 5)
    assert rows(shop, "select count(*), count(distinct call_id) from judgement") == [(10, 5)]


def test_the_database_in_use_is_told_with_the_process_that_holds_it(grader: Grader, shop: Path) -> None:
    with held(shop, read_only=False) as pid:
        for command in (["grade"], ["grade", "--dry-run"], ["failures"], ["db", "info"], ["db", "rebuild", "--yes"]):
            done = grader(*command)
            assert done.code == 2
            assert f"PID {pid}" in done.err


# Signals


def begin(shop: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "grader", "grade", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=shop, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


SLOW = (pytest.mark.slow, pytest.mark.sample)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=SLOW)])
def test_one_signal_finishes_the_calls_in_flight_and_ends_with_130(
    grader: Grader, shop: Path, endpoint: Endpoint, number: signal.Signals
) -> None:
    endpoint.latency = 0.5
    running = begin(shop, "-c", "3")
    until(lambda: endpoint.book.requests >= 3)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "reused 0 · judged 3 · failed 0 · not yet judged 7" in out
    assert "stopping: 3 calls in flight are finished first; Ctrl-C again drops them" in err
    assert "the same command resumes" in err
    assert rows(shop, "select state, n_judged from run") == [("interrupted", 3)]
    endpoint.latency = 0.0
    assert grader("grade").out.startswith("reused 3 · judged 7 · failed 0")
    assert endpoint.book.requests == 10  # nothing was paid twice


@pytest.mark.slow
@pytest.mark.sample
def test_a_second_signal_drops_the_calls_in_flight(grader: Grader, shop: Path, endpoint: Endpoint) -> None:
    endpoint.latency = 30
    running = begin(shop, "-c", "3")
    until(lambda: endpoint.book.requests >= 3)
    running.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert running.poll() is None
    sent = time.monotonic()
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert time.monotonic() - sent < 10
    assert running.returncode == 130
    assert "judged 0" in out
    assert rows(shop, "select state from run") == [("interrupted",)]


@pytest.mark.slow
@pytest.mark.sample
def test_a_killed_run_is_resumed_with_everything_that_was_paid(grader: Grader, shop: Path, endpoint: Endpoint) -> None:
    endpoint.latency = 0.2
    running = begin(shop, "-c", "2")
    until(lambda: endpoint.book.requests >= 5)
    running.kill()
    running.communicate(timeout=60)
    endpoint.latency = 0.0
    done = grader("grade", "--json")
    assert done.code == 0
    told = done.json
    assert told["reused"] >= 2
    assert told["reused"] + told["judged"] == 10
    assert endpoint.book.requests <= 10 + 2  # at most the calls that were in flight are paid again
    assert "that an interrupted run had left in its journal" in done.err
    assert rows(shop, "select state, n_judged from run order by started_at") == [
        ("interrupted", told["reused"]), ("complete", told["judged"]),
    ]  # fmt: skip
    assert grader("db", "verify").code == 0
