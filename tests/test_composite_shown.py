"""Wherever the figure with any critical defect is shown, it says whether its codes together are calibrated."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from composite_parts import NAME, by_hand, judge_says, people_say, plan_of, shop
from composite_parts import label as labelled
from conftest import Main

from grader.calibration.kept import Kept, kept
from grader.statistics.figure import percent
from grader.store import open_store

WEEK = ("--week", "2026-W35", "--weeks", "4", "--against", "1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The calibrated shop; it is only looked at."""

    # made by the first test that asks for it
    return tmp_path_factory.mktemp("shop")


@pytest.fixture
def shown(main: Main, place: Path) -> Kept:
    if not (place / "grader.duckdb").exists():
        by_hand(place, main)
        done = main("calibrate", "-w", place, "--split", "all")
        assert done.code == 0, done.err
    with open_store(place / "grader.duckdb") as store:
        return next(k for k in kept(store) if k.name == NAME)


def rate(one: Kept) -> tuple[str, str]:
    f = one.figures["corrected"]
    return percent(f.point), f"{percent(f.low)} to {percent(f.high)}"


def test_quality_and_check_tell_the_rate_by_people(main: Main, place: Path, shown: Kept) -> None:
    point, ends = rate(shown)
    out = main("quality", "-w", place).out
    (row,) = [line for line in out.splitlines() if line.startswith("With a proved critical defect")]
    assert f"calibrated {shown.calibrated_at:%Y-%m-%d}" in row
    assert "not calibrated" not in row
    assert f"{point} ({ends})" in row
    queue = main("quality", "-w", place, "--channel", "chat").out  # errors are known of all, not of a part
    assert f"{point} ({ends})" not in queue
    told = main("check", "-w", place, "--fail-if", "critical_defect_rate > 0.9").out
    assert f"by people {point} ({ends})" in told
    assert f"calibrated {shown.calibrated_at:%Y-%m-%d}" in told


def test_the_report_tells_it_on_its_tile_and_in_its_json(main: Main, place: Path, shown: Kept) -> None:
    f = shown.figures["corrected"]
    document = json.loads(main("report", "-w", place, "--format", "json", "-o", "-").out)
    critical = document["calibration"]["headline"]["critical"]
    assert critical["calibrated"] is True
    assert critical["together"]["corrected"]["point"] == f.point
    assert critical["together"]["n_labels"] == 397
    assert "4 codes taken together" in critical["text"]
    assert document["calibration"]["headline"]["flagged"]["calibrated"] is False
    page = main("report", "-w", place, "-o", "-").out
    assert re.search(rf"By people: {re.escape(percent(f.point))}, [\d.]+–[\d.]+ %", page)
    assert "4 codes taken together" in page


def test_grade_show_and_brief_tell_it_too(main: Main, place: Path, shown: Kept) -> None:
    told = main("brief", "-w", place, *WEEK, "--format", "md", "--out", "-").out
    rows = [line for line in told.splitlines() if line.startswith("| With a proved critical defect")]
    assert rows
    assert all(f"calibrated {shown.calibrated_at:%Y-%m-%d}" in row for row in rows)
    assert any("by people" in row for row in rows)


def test_calibrate_tells_it_as_a_line_of_its_tables_and_page(main: Main, place: Path, shown: Kept) -> None:
    point, _ = rate(shown)
    done = main("calibrate", "-w", place, "--split", "all", "-o", place / "page.html")
    assert done.code == 0, done.err
    (row, *_) = [line for line in done.out.splitlines() if line.startswith("any_critical")]
    assert point in row
    assert row.rstrip().endswith("calibrated")
    assert any(line.strip().startswith(f"{NAME} {point} [") for line in done.out.splitlines())
    page = (place / "page.html").read_text(encoding="utf-8")
    assert "Taken together" in page
    assert "2 of 5 rates are calibrated" in page
    assert "Any critical defect" in page
    assert "of 4 defects and 1 rate of defects taken together" in page


def test_with_the_codes_together_calibrated_the_brief_does_not_say_that_nothing_is(main: Main, tmp_path: Path) -> None:
    by_hand(tmp_path, main)
    assert main("calibrate", "-w", tmp_path, "--split", "all").code == 0
    import duckdb

    with duckdb.connect(str(tmp_path / "grader.duckdb")) as con:  # a pooled rate may do where no code's own labels do
        con.execute("update calibration_code set standing = 'not_calibrated' where rubric <> '(all)'")
    told = main("brief", "-w", tmp_path, *WEEK, "--format", "md", "--out", "-").out
    assert "nothing corrects what the judge found" not in told
    (row, *_) = [line for line in told.splitlines() if line.startswith("| With a proved critical defect")]
    assert "by people" in row


def test_a_composite_that_is_not_calibrated_shows_no_rate_by_people(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 60, judge_says)
    labelled(tmp_path, plan_of(main, tmp_path, n=12), people_say)
    assert main("calibrate", "-w", tmp_path, "--split", "all").code == 0
    out = main("quality", "-w", tmp_path).out
    (row,) = [line for line in out.splitlines() if line.startswith("With a proved critical defect")]
    assert "not calibrated" in row
    assert "by people" not in out
    page = json.loads(main("report", "-w", tmp_path, "--format", "json", "-o", "-").out)
    assert page["calibration"]["headline"]["critical"]["calibrated"] is False
