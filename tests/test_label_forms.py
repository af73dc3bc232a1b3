"""Forms as they are handed out: the commands that are told on the way, and what is left when the disk is full."""

from __future__ import annotations

import json
import resource
import shlex
from pathlib import Path

import pytest
from conftest import Main
from label_parts import drawn, exported, judge_shop

from grader.errors import ConfigError
from grader.labelling.given import kept_plan
from grader.store import open_store


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    judge_shop(workspace)
    monkeypatch.chdir(workspace)
    return workspace


@pytest.mark.parametrize("name", ["Ana Silva", "o'neil; $(id)"])
def test_the_next_command_is_one_that_a_shell_takes(main: Main, shop: Path, name: str) -> None:
    done = main("label", "plan", "-n", "20", "--reviewers", name)
    said = shlex.split(next(line for line in done.err.splitlines() if line.startswith("or as a file: ")))[5:]
    assert said[3:] == ["--reviewer", name, "-o", f"labels-{name}.csv"]
    assert f"--reviewer {shlex.quote(name)} -o FILE" in main("calibrate").err
    done = main(*said)
    assert done.code == 0
    assert shlex.split(done.err.splitlines()[-1])[-5:] == ["label", "import", f"labels-{name}.csv", "--reviewer", name]


def test_without_an_id_the_latest_plan_is_meant(main: Main, shop: Path) -> None:
    none = main("label", "status")
    assert none.code == 2
    assert "there is no label plan here" in none.err
    drawn(main, "-n", "30", "--reviewers", "ana")
    latest = drawn(main, "-n", "20", "--reviewers", "ben", "--seed", "3")["plan_id"]
    assert json.loads(main("label", "status", "--json").out)["plan"] == latest
    assert main("label", "export", "--reviewer", "ben", "-o", shop / "ben.csv").code == 0
    assert main("label", "adjudicate", "-o", shop / "third.csv").code in (0, 2)
    with open_store(shop / "grader.duckdb") as store:
        assert kept_plan(store, None, "run_1").plan_id == latest
        with pytest.raises(ConfigError, match="no label plan of run 'run_2'"):
            kept_plan(store, None, "run_2")


def test_a_plan_says_how_many_answers_each_gives_and_warns_of_very_many(
    main: Main, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = len(drawn(main, "-n", "20")["questions"])
    done = main("label", "plan", "-n", "20", "--seed", "4", "--reviewers", "ana", "--duplicates", "2")
    assert ["ana", "22", "2", f"{22 * asked}"] in [line.split()[:4] for line in done.out.splitlines()]
    assert "hours: assumed 60 s to read a conversation and 5 s an answer" in done.out
    assert "many answers" not in done.err
    first, second = [line for line in done.err.splitlines() if "grader label export" in line or "grader review" in line]
    assert first.startswith("next: grader review lp_")
    assert second.startswith("or as a file: grader label export lp_")
    monkeypatch.setattr("grader.cli.labelled.MANY", 22 * asked - 1)
    many = main("label", "plan", "-n", "20", "--seed", "4", "--reviewers", "ana", "--duplicates", "2")
    assert f"many answers: {22 * asked} by one person, {asked} of each conversation; --rubric NAME" in many.err


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
