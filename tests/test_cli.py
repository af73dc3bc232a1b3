"""The program as a user runs it: help, exit codes, what goes to which stream, and what may reach a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from conftest import REPOSITORY, Ended, Main
from hypothesis import given
from hypothesis import strategies as st

import grader
from grader import cli
from grader.cli import COMMANDS, console
from grader.errors import BudgetError, IncompleteError, ThresholdError

HEAVY = {"openai", "instructor", "duckdb", "pydantic", "jinja2", "tenacity", "yaml", "rich", "genai_prices"}


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), **more}


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment())


# Help


def test_help_imports_nothing_heavy() -> None:
    done = python(
        "import sys\nfrom grader.cli import main\nsys.argv = ['grader', '--help']\n"
        "try:\n    main()\nexcept SystemExit as e:\n    print(e.code, *sorted(sys.modules), file=sys.stderr)\n"
    )
    code, *modules = done.stderr.split()
    assert code == "0"
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    assert "grader.cli.workspace" not in modules


def test_help_takes_under_a_quarter_of_a_second_of_cpu() -> None:
    resource = pytest.importorskip("resource")

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return float(usage.ru_utime + usage.ru_stime)

    times = []
    for _ in range(5):
        before = spent()
        subprocess.run(
            [sys.executable, "-m", "grader", "--help"], cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL
        )
        times.append(spent() - before)
    assert min(times) < 0.25, times


def test_help_has_two_names_and_lists_every_command(main: Main) -> None:
    long, short = main("--help"), main("-h")
    assert long == short
    for name, entry in COMMANDS.items():
        assert f"\n  {name} " in long.out
        assert entry.help in long.out
    assert "Exit codes:" in long.out


def test_the_version_is_that_of_the_package(main: Main) -> None:
    assert main("--version") == Ended(0, f"grader {grader.__version__}\n", "")


# Exit codes and streams


@pytest.mark.parametrize(
    "args", [["ingst"], ["init", "--no-such-option"], ["config"], ["config", "shw"], [], ["--nope"], ["\x1b]0;x"]]
)
def test_wrong_usage_ends_with_2_and_says_so_on_stderr(main: Main, args: list[str]) -> None:
    done = main(*args)
    assert (done.code, done.out) == (2, "")
    assert "Usage: grader" in done.err
    assert "\x1b" not in done.err


def test_a_misspelt_command_is_answered_with_the_nearest(main: Main) -> None:
    assert "Did you mean 'ingest'?" in main("ingst").err


def test_a_problem_is_one_error_line_and_its_cure(main: Main, tmp_path: Path) -> None:
    (tmp_path / "grader.toml").write_text("[judge]\nmodle = 1\n")
    done = main("config", "show", "-w", tmp_path)
    assert (done.code, done.out) == (2, "")
    first, second = done.err.splitlines()
    assert first.startswith("error: ")
    assert second.startswith("  → ")


FAILING: list[BaseException] = []


def fail() -> None:
    raise FAILING.pop()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ThresholdError("accuracy 0.8 < 0.9"), 1, "error: accuracy 0.8 < 0.9\n"),
        (IncompleteError("3 missing", cure="run again"), 3, "error: 3 missing\n  → run again\n"),
        (BudgetError("reached"), 4, "error: reached\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
        (OSError(28, "No space left on device"), 2, "error: output: No space left on device\n"),
    ],
)
def test_each_way_to_end_has_its_exit_code(
    main: Main, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    monkeypatch.setitem(COMMANDS, "fail", cli.Entry("Test", "x", __name__, "fail"))
    monkeypatch.setattr(console, "drop_output", lambda: None)  # it would silence this very process
    FAILING.append(error)
    assert main("fail") == Ended(code, "", words)


def test_a_fault_of_grader_shows_its_traceback_and_ends_with_70() -> None:
    done = python("""if True:
        import sys
        from grader import cli
        def fail(): 1 / 0
        cli.COMMANDS["fail"] = cli.Entry("Test", "x", "__main__", "fail")
        sys.argv = ["grader", "fail"]
        cli.main()""")
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr
    assert "a fault in Grader itself" in done.stderr


def test_a_reader_that_goes_away_is_no_error(workspace: Path) -> None:
    command = f"'{sys.executable}' -m grader config show -w '{workspace}' | head -n 1; echo ${{PIPESTATUS[0]}}"
    env = environment(PYTHONUNBUFFERED="1")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, env=env)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] in ("0", "141")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_cannot_be_written_is_an_error(workspace: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "grader", "config", "show", "-w", str(workspace)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment(),
        )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_closed_stream_swallows_what_it_is_given(workspace: Path, closed: str) -> None:
    command = f"'{sys.executable}' -m grader config show -w '{workspace}' {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment())
    assert (done.returncode, done.stderr) == (0, "")


def test_a_current_directory_that_is_gone_is_an_error(
    main: Main, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "the current directory is gone" in main("config", "show").err
    assert main("init", "x").code == 2
    monkeypatch.chdir(tmp_path)


# config show


def test_config_show_tells_value_and_origin(main: Main, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_MODEL", "m-1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-do-not-show")
    monkeypatch.chdir(workspace)
    done = main("config", "show", "--json")
    shown = json.loads(done.out)
    assert shown["root"] == str(workspace)
    assert shown["settings"]["judge.model"] == {"value": "m-1", "origin": "environment GRADER_MODEL"}
    assert shown["settings"]["judge.api_key"] == {"value": "***", "origin": "environment OPENAI_API_KEY"}
    text = main("config", "show")
    assert "environment GRADER_MODEL" in text.out
    assert "sk-do-not-show" not in done.out + done.err + text.out + text.err


def test_the_workspace_can_be_named_before_after_or_in_the_environment(
    main: Main, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(workspace) in main("-w", workspace, "config", "show").out
    assert str(workspace) not in main("config", "show").out
    assert str(workspace) in main("config", "show", "--workspace", workspace).out
    monkeypatch.setenv("GRADER_WORKSPACE", str(workspace))
    assert str(workspace) in main("config", "show").out


def test_a_warning_goes_to_stderr_unless_quiet(main: Main, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_MODLE", "x")
    assert "GRADER_MODEL" in main("config", "show", "--json", "-w", workspace).err
    assert main("config", "show", "--json", "-w", workspace, "-q").err == ""


def test_a_table_in_a_pipe_is_plain_and_not_cut(main: Main, tmp_path: Path) -> None:
    root = tmp_path / ("long" * 40)
    main("init", root)
    shown = main("config", "show", "-w", root).out
    assert f"{root}/grader.duckdb" in shown
    assert "\x1b" not in shown


def in_terminal(*args: str | Path, env: dict[str, str]) -> str:
    """What the program writes to a terminal of 100 columns."""
    host, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", *map(str, args)], stdin=terminal, stdout=terminal, stderr=terminal,
        env=environment(COLUMNS="100", TERM="xterm-256color") | env,
    )  # fmt: skip
    os.close(terminal)
    chunks = []
    while True:
        try:
            chunk = os.read(host, 65536)
        except OSError:  # Linux's way to say that the program has ended
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(host)
    process.wait()
    return b"".join(chunks).decode()


def test_no_color_keeps_escapes_out_of_a_terminal(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "grader.toml").write_text("x = 1")
    assert "\x1b[1;31merror" in in_terminal("config", "show", "-w", tmp_path, env={})
    assert "\x1b[3" not in in_terminal("config", "show", "-w", workspace, env={"NO_COLOR": "1"})


def test_words_of_others_cannot_steer_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "grader.toml").write_text('["\\u001b]0;title\\u0007\\u202e"]\n')
    seen = in_terminal("config", "show", "-w", tmp_path, env={})
    assert "\x1b]0;" not in seen
    assert "title" in seen


# Printing


@given(st.text())
def test_cleaned_text_has_no_control_character(text: str) -> None:
    assert not set(console.clean(text)) & set(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066]))
    assert set(console.clean(text, one_line=False)) & set(map(chr, range(0x20))) <= {"\t", "\n"}


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_is_one_valid_document_in_any_encoding(encoding: str) -> None:
    odd = "é\u202e\x9b\x1b[31m\ud800😀\u2028"
    code = (
        "from pathlib import Path\nfrom datetime import date\nfrom grader.cli import console\n"
        "console.make_streams_safe()\n"
        f"console.out_json({{'t': {odd!r}, 'p': Path('x'), 'd': date(2026, 1, 2), 's': {{1}}}})\n"
    )
    env = environment(PYTHONIOENCODING=encoding)
    raw = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env).stdout
    assert b"\x1b" not in raw
    assert json.loads(raw.decode(encoding)) == {"t": odd, "p": "x", "d": "2026-01-02", "s": [1]}
    assert not {"\x9b", "\u202e"} & set(raw.decode(encoding))


def test_json_refuses_what_json_has_not() -> None:
    with pytest.raises(ValueError, match="JSON"):
        console.out_json({"x": float("nan")})
    with pytest.raises(TypeError, match="no JSON"):
        console.out_json(object())


def test_a_table_shows_none_as_a_dash_and_markup_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(["name", "n>"], [("[bold]x[/bold]\n:smile:", None), ("y", 7)], title="[t]")
    shown = capsys.readouterr().out
    assert "[bold]x[/bold] :smile:" in shown
    assert "–" in shown
    assert "[t]" in shown


def test_python_dash_m_and_the_entry_point_are_the_same_program() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert EntryPoint("grader", project["scripts"]["grader"], "console_scripts").load() is cli.program


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_a_table_loses_nothing_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    columns = ("code", "corrected>", "interval", "kappa>", "standing", "why")
    rows = [
        ("exchange_treated_as_return", "27.3 %", "4.0 to 16.1", "0.82", "not calibrated", "too few labels " * 9),
        ("late", "100 %", "93.7 to >99.9", None, "calibrated", "Z" * 90),
    ]  # fmt: skip
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    console.table(columns, rows)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()
    shown = Counter(word for line in lines for word in line.split())
    wanted = Counter(
        word for row in [[c.rstrip(">") for c in columns], *rows] for cell in row for word in (cell or "–").split()
        if len(word) <= console.UNBROKEN
    )  # fmt: skip
    assert wanted <= shown
    assert "".join(lines).count("Z") == 90
    if width == 120:
        assert max(map(len, lines)) <= width
