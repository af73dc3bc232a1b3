"""Progress: a bar on a terminal that leaves nothing behind, a line now and then elsewhere, no amount rounded to 0."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from conftest import REPOSITORY
from endpoint import MODEL, Endpoint
from engine_parts import talk

from grader.cli import progress
from grader.engine import Progress
from grader.store import open_store

RUBRIC = """\
name: alpha
version: 1.0.0
criteria:
  - code: late
    question: Is it late?
    present: It is.
    absent: It is not.
"""
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(latency=0.2) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, endpoint: Endpoint) -> Path:
    """Twelve conversations, one rubric, an endpoint that takes its time."""
    from grader.workspace import shipped

    (tmp_path / "rubrics" / "alpha").mkdir(parents=True)
    (tmp_path / "rubrics" / "alpha" / "1.0.0.yaml").write_text(RUBRIC)
    (tmp_path / "prompts").symlink_to(shipped("prompts"))
    with open_store(tmp_path / "grader.duckdb") as store:
        store.add([(talk(f"c{n:02d}"), None, None) for n in range(12)])
    (tmp_path / "grader.toml").write_text(
        f'[judge]\nmodel = "{MODEL}"\nbase_url = "{endpoint.url}"\n[engine]\nconcurrency = 3\n'
    )
    return tmp_path


def at_a_terminal(shop: Path, env: Mapping[str, str] | None = None, *, interrupt: bool = False) -> tuple[int, str]:
    """`grader grade` on a terminal of its own: exit code, and everything that it wrote there."""
    child, fd = pty.fork()
    if child == 0:
        os.chdir(shop)
        inherited = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        os.execve(
            sys.executable, [sys.executable, "-m", "grader", "grade"],
            {**inherited, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color", "COLUMNS": "110", **(env or {})},
        )  # fmt: skip
    written = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(fd, 65_536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
        if interrupt and b"3 in flight" in written:
            os.write(fd, b"\x03")
            interrupt = False
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), written.decode()


def test_a_bar_moves_on_a_terminal_and_is_gone_at_the_end(shop: Path) -> None:
    code, written = at_a_terminal(shop)
    assert code == 0
    frames = [ESCAPE.sub("", frame).strip() for frame in written.split("\r")]
    bars = [frame for frame in frames if frame.startswith("judging")]
    assert len(bars) > 3
    done = [int(found[1]) for frame in bars if (found := re.search(r"(\d+)/12", frame))]
    assert done == sorted(done)
    assert done[-1] == 12
    assert any(re.search(r"\d\.\d/s, \d+ s left · cost unknown · \d in flight", frame) for frame in bars)
    assert COLOUR.search(written)
    # The last thing on the screen is the result, in the bar's place, and the cursor is back.
    assert written.rpartition("\x1b[2K")[2].startswith("reused 0 · judged 12 · failed 0 ·")
    assert written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l")


@pytest.mark.slow
@pytest.mark.sample
def test_without_colour_the_bar_has_none(shop: Path) -> None:
    code, written = at_a_terminal(shop, {"NO_COLOR": "1"})
    assert code == 0
    assert "judging" in written
    assert not COLOUR.search(written)


@pytest.mark.slow
@pytest.mark.sample
def test_ctrl_c_at_the_terminal_says_what_happens_next(shop: Path, endpoint: Endpoint) -> None:
    endpoint.latency = 2
    code, written = at_a_terminal(shop, interrupt=True)
    assert code == 130
    plain = ESCAPE.sub("", written)
    assert "stopping: 3 calls in flight are finished first; Ctrl-C again drops them" in plain
    assert "judged 3 · failed 0 · not yet judged 9" in plain
    assert "the same command resumes" in plain


@pytest.mark.slow
@pytest.mark.sample
def test_elsewhere_a_line_comes_now_and_then_and_no_escape_ever(shop: Path) -> None:
    code = (
        "import sys\nfrom grader.cli import main, progress\nprogress.LINE_EVERY_SECONDS = 0.3\n"
        "sys.argv = ['grader', 'grade']\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=shop, check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "FORCE_COLOR": "1"},
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if re.match(r"\d+ of 12 · ", line)]
    assert lines
    assert "\x1b" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "cost unknown"), (0, "0.00 USD"), (0.0000001, "<0.0001 USD"), (0.00012, "0.0001 USD"),
        (0.0099, "0.0099 USD"), (0.01, "0.01 USD"), (0.995, "0.99 USD"), (1234.5, "1234.50 USD"),
    ],
)  # fmt: skip
def test_an_amount_is_never_shown_as_nothing_unless_it_is(amount: float | None, shown: str) -> None:
    assert progress.usd(amount) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_a_duration_reads_as_people_say_it(seconds: float, shown: str) -> None:
    assert progress.duration(seconds) == shown


def test_a_progress_line_tells_what_is_known_and_no_more() -> None:
    p = Progress(n_todo=10, n_in_flight=3)
    assert progress.told(p, 0) == "0.0/s · 3 in flight"
    p.n_done, p.n_failed, p.prompt_tokens, p.cost_usd = 4, 1, 100, 0.5
    assert progress.told(p, 2) == "2.0/s, 3 s left · 0.50 USD · 1 failed · 3 in flight"
    p.stopping = True
    assert "left" not in progress.told(p, 2)
