"""The report says of every figure of verdicts whether it can be believed: on the page, in JSON and in CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Main
from report_data import present, sample, says, world
from test_report import Reading, settings
from trust_parts import CODE, calibrated, golden, labelled, shop

from grader import report
from grader.calibration.kept import kept
from grader.statistics.figure import percent
from grader.store import open_store

SAYS_SO = re.compile(r"(?<!not )(?<!None of it )\bcalibrated\b")


def text(folder: Path, form: Any = "html", run_id: str | None = None) -> str:
    with open_store(folder / "grader.duckdb", read_only=True) as store:
        return "".join(report.text(store, settings(folder), run_id=run_id, form=form))


def told(folder: Path, run_id: str | None = None) -> str:
    return Reading(text(folder, run_id=run_id)).plain


@pytest.fixture
def trusted(main: Main, tmp_path: Path) -> Path:
    """A calibrated run, `run_1`."""
    shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    return tmp_path


def test_a_page_without_a_calibration_says_so_of_every_figure_and_never_that_anything_is_calibrated(
    tmp_path: Path,
) -> None:
    with world(tmp_path) as w:
        sample(w, 40)
        w.finish()
    html = text(tmp_path)
    page = Reading(html).plain
    assert "Can these figures be believed?" in page
    assert page.count("○") > 20
    assert not SAYS_SO.search(re.sub(r"<(style|script)\b.*?</\1>", "", html, flags=re.DOTALL))
    for tile in re.findall(r'<section class="tile">(.*?)</section>', html, re.DOTALL):
        label = Reading(tile).plain
        rests = label.startswith(("Resolved", "Contained", "With a"))
        assert ("not calibrated" in label) == rests, label
    rows = re.findall(r"<tr[^>]* data-title=.*?</tr>", html, re.DOTALL)
    assert len(rows) > 10
    for row in rows:
        assert "not calibrated" in row
        if ">0 %<" in row:
            assert "0 excludes nothing: no clean ones were read" in row
    assert all("not calibrated" in head for head in re.findall(r'<div class="card-head">(.*?)</div>', html, re.DOTALL)
               if re.search("Where it happens|Why a human|What stood", head))  # fmt: skip
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]
    assert {c["trust"]["short"] for c in data["codes"].values() if c["trust"]} == {"not calibrated"}


def test_a_calibrated_code_stands_with_its_corrected_rate_and_a_later_run_with_the_rate_carried_over(
    trusted: Path,
) -> None:
    shop(trusted, run_id="run_2", names="later", each=2, days=91)
    with open_store(trusted / "grader.duckdb") as store:
        (one,) = kept(store, overall=True)
    own, later = told(trusted, "run_1"), told(trusted, "run_2")
    date = f"{one.calibrated_at:%Y-%m-%d}"
    assert f"1 of 6 codes calibrated, {date} with 90 blind labels" in own
    assert f"{percent(one.figures['corrected'].point)} " in own
    assert f"● calibrated {date}" in own
    assert "errors of the judge as found in an earlier run" not in own
    assert "errors of the judge as found in an earlier run" in later
    document = json.loads(text(trusted, "json", "run_2"))
    (mine,) = (d["calibration"] for d in document["defects"] if d["code"] == CODE and d["slice"] == "all")
    assert (mine["state"], mine["carried_over"], mine["n_labels"]) == ("calibrated", True, 90)
    assert f"{percent(mine['corrected']['point'])} " in later
    assert document["calibration"]["headline"]["flagged"]["n_not_calibrated"] == 5
    slices = [d["calibration"] for d in document["defects"] if d["code"] == CODE and d["slice"] == "queue"]
    assert [s["corrected"] for s in slices] == [None] * len(slices)  # errors are known of the run as a whole
    rows = list(csv.DictReader(io.StringIO(text(trusted, "csv", "run_1"))))
    assert {r["calibration"] for r in rows if r["code"] == CODE} == {"calibrated"}
    assert {r["calibration"] for r in rows if r["code"] != CODE} == {"never"}
    assert {bool(r["calibrated_at"]) for r in rows if r["code"] == CODE} == {True}


def test_a_rate_of_zero_stands_with_what_was_read(main: Main, tmp_path: Path) -> None:
    shop(tmp_path, 60, each=1000)  # one is flagged
    labelled(main, tmp_path, lambda _: "absent", n=60, codes=("accuracy.status_without_lookup",))
    calibrated(main, tmp_path)
    page = told(tmp_path)
    assert "at most 5.0 %: 0 of 59 clean ones read" in page or "at most 4.9 %: 0 of 60 clean ones read" in page
    assert "0 excludes nothing: no clean ones were read" in page  # the codes that nobody labelled


def test_a_changed_judge_and_a_failed_golden_set_are_told_in_the_head(trusted: Path) -> None:
    shop(trusted, run_id="run_2", names="other", model="judge-2", days=91)
    page = told(trusted, "run_2")
    assert "accuracy not calibrated: model judge-1 → judge-2 since the calibration of" in page
    assert "● calibrated" not in page
    with open_store(trusted / "grader.duckdb") as store:
        golden(store, "failed")
    page = told(trusted, "run_1")
    assert "not calibrated: golden set deadlines failed 2030-01-01, after the calibration" in page
    assert "● calibrated" not in page


def test_how_often_the_judge_contradicts_itself_stands_beside_the_rate_where_it_was_judged_twice(
    tmp_path: Path,
) -> None:
    with world(tmp_path) as w:
        for n in range(50):
            name = w.talk(f"t{n}", says("customer", f"order {n}?"), says("ai", "It arrives tomorrow."))
            w.judged(name)
            w.judged(name, answers={CODE: present("arrives")} if n < 3 else {}, in_run=False)
        w.finish()
    page = told(tmp_path)
    assert "two runs of a conversation differ on 6.0 % (3 of 50)" in page
    assert "two runs differ on 6.0 % of conversations at most" in page  # the line of the rubric
    document = json.loads(text(tmp_path, "json"))
    flips = {d["code"]: d["calibration"]["flips"]["point"] for d in document["defects"] if d["slice"] == "all"}
    assert flips[CODE] == 0.06
    assert flips["status_without_lookup"] == 0
