"""Forms as they are handed out: the commands that are told on the way, and what is left when the disk is full."""

from __future__ import annotations

import resource
import shlex
from pathlib import Path

import pytest
from conftest import Main
from label_parts import drawn, exported, judge_shop


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    judge_shop(workspace)
    monkeypatch.chdir(workspace)
    return workspace


@pytest.mark.parametrize("name", ["Ana Silva", "o'neil; $(id)"])
def test_the_next_command_is_one_that_a_shell_takes(main: Main, shop: Path, name: str) -> None:
    done = main("label", "plan", "-n", "20", "--reviewers", name)
    said = shlex.split(next(line for line in done.err.splitlines() if line.startswith("next: ")))[2:]
    assert said[3:] == ["--reviewer", name, "-o", f"labels-{name}.csv"]
    assert f"--reviewer {shlex.quote(name)} -o FILE" in main("calibrate").err
    done = main(*said)
    assert done.code == 0
    assert shlex.split(done.err.splitlines()[-1])[-5:] == ["label", "import", f"labels-{name}.csv", "--reviewer", name]


def test_a_form_that_could_not_be_written_whole_is_not_left_behind(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "20", "--reviewers", "ana")["plan_id"]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))  # as a disk that is full
    try:
        done = main("label", "export", plan, "--reviewer", "ana", "-o", shop / "ana.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.code == 2
    assert "ana.csv: cannot be written" in done.err
    assert not (shop / "ana.csv").exists()
    exported(main, plan, "ana", shop / "ana.csv")
