"""What `grader calibrate` is told by name: codes and runs, found or refused before any label of test is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from calibrate_parts import NAME, calibrate, judge, label, of, planned
from conftest import Main
from label_parts import drawn, rows


def number(conversation_id: str) -> int:
    return int(conversation_id.rsplit("-", 1)[1])


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace)
    return workspace


@pytest.mark.parametrize("args", [
    ("--code", "nope"), ("--code", "order.late = nope"), ("--later", "nope"),
])  # fmt: skip
def test_what_is_not_known_neither_opens_the_test_split_nor_is_kept(
    shop: Path, main: Main, args: tuple[str, ...]
) -> None:
    judge(shop, ["present"] * 20 + ["absent"] * 80)
    label(shop, planned(main), lambda c, _: "present" if number(c) < 15 else "absent")
    done = main("calibrate", "--split", "all", *args)
    assert (done.code, done.out) == (2, "")
    assert rows(shop, "select count(*) from split_opening") == [(0,)]
    assert rows(shop, "select count(*) from calibration") == [(0,)]


def test_of_a_run_that_asks_less_the_codes_that_it_asks_can_be_named(shop: Path, main: Main) -> None:
    """The plan's questions are of accuracy and behavior, the other run's of accuracy alone."""
    judge(shop, ["present"] * 20 + ["absent"] * 80, also=["behavior"])
    asked = ("-c", "behavior.promised_exception", "-c", NAME)
    plan = drawn(main, *asked, "-n", "1000", "--overlap", "0", "--duplicates", "0")["plan_id"]
    label(shop, plan, lambda c, _: "present" if number(c) < 15 else "absent")
    judge(shop, ["present"] * 10 + ["absent"] * 90, run_id="run_2", model="judge-2", again=1, days=91)
    done = main("calibrate", "--run", "run_2")
    assert done.code == 2
    assert "does not ask behavior." in done.err
    assert "(--code)" in done.err
    told = of(calibrate(main, "--run", "run_2", "--split", "all", "--code", NAME))
    assert (told["figures"]["raw"]["n"], told["figures"]["raw"]["of"]) == (10, 100)
    assert told["figures"]["sensitivity"]["point"] == pytest.approx(10 / 15)
