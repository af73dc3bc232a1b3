"""`grader report`: where it writes, what JSON and CSV hold, and how it fails."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_data import T0, World, present, priced, says, unproved, world
from report_hostile import hostile
from typer.testing import CliRunner, Result

from grader.cli import app
from grader.engine import new_run
from grader.errors import ConfigError, GraderError
from grader.report.export import COLUMNS, cell


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two runs; the later one is about three conversations."""
    folder = tmp_path_factory.mktemp("graded") / "shop"
    folder.mkdir()
    (folder / "grader.toml").write_text("", encoding="utf-8")
    with world(folder) as w:
        w.talk("a", queue="=cmd|' /C calc'!A0")
        why = '+1 for trying, but\nno rule says so; it\'s "invented"'
        w.judged("a", "accuracy", {"invented_deadline": present("arrives tomorrow", clause="No dates", why=why)},
                 call=priced())  # fmt: skip
        w.talk("b")
        w.judged("b", "accuracy", {"contradicts_policy": unproved("not there")})
        w.failed("b", "behavior")
        w.talk("c")
        w.pending("c")
        w.finish("run_20261101T140000Z_ab12")
        World(w.store).finish("run_20261001T000000Z_cd34", at=T0)
    return folder


@pytest.fixture
def shop(graded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(graded, tmp_path / "shop"))


def run(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(app, ["report", "--workspace", str(folder), *arguments])
    if result.exception and not isinstance(result.exception, SystemExit | GraderError):
        raise result.exception
    return result


def document(folder: Path, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(folder, "--format", "json", "-o", "-", *arguments).stdout)
    return found


def test_the_page_goes_to_reports_and_its_path_is_printed(shop: Path) -> None:
    result = run(shop)
    path = shop / "reports" / "run_20261101T140000Z_ab12.html"
    assert result.exit_code == 0
    assert result.stdout.strip() == str(path)
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # nothing half-made beside it


def test_a_run_can_be_named_and_a_folder_or_a_file_be_given(shop: Path, tmp_path: Path) -> None:
    assert run(shop, "--run", "run_20261001", "--out", str(tmp_path)).exit_code == 0
    assert (tmp_path / "run_20261001T000000Z_cd34.html").exists()
    assert run(shop, "--out", str(tmp_path / "new" / "r.html")).exit_code == 0
    assert (tmp_path / "new" / "r.html").exists()
    told = json.loads(run(shop, "--json", "--format", "csv").stdout)
    assert told["run_id"] == "run_20261101T140000Z_ab12"
    assert Path(told["path"]).name == "run_20261101T140000Z_ab12.csv"


def test_the_beginning_of_an_id_in_the_handbook_is_one_that_an_id_can_have() -> None:
    handbook = (Path(__file__).parent.parent / "docs" / "report.md").read_text(encoding="utf-8")
    [begin] = re.findall(r"report --run (\S+)", handbook)
    assert new_run(datetime.strptime(begin, "%Y%m%d").replace(hour=9, tzinfo=UTC)).startswith(begin)


def test_an_old_report_is_replaced_whole_or_stays(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shop / "reports" / "r.html"
    run(shop, "--out", str(path))
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    result = run(shop, "--out", str(path), "--run", "run_20261001")
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert "--out" in result.stderr
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["r.html"]


def test_what_is_no_regular_file_is_written_to_and_not_replaced(shop: Path, tmp_path: Path) -> None:
    """A pipe of our own stands for /dev/null here: a test that fails must not replace a device of the machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run(shop, "--out", str(pipe), "--format", "csv").exit_code == 0
        assert os.read(reader, 6) == b"run_id"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--run", "nonsense"], "there is no run 'nonsense'"),
        (["--run", "run_"], "ambiguous"),
        (["--run", ""], "there is no run ''"),
        (["--format", "pdf"], "html, json, csv"),
        (["--open", "-o", "-"], "--open needs an HTML file"),
        (["--open", "--format", "csv"], "--open needs an HTML file"),
        (["--json", "-o", "-"], "both want stdout"),
        (["--out", "grader.toml/x"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_says_what_and_how_to_mend_it(
    shop: Path, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    result = run(shop, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "→" in result.stderr
    assert result.stdout == ""


def test_without_a_run_the_cure_is_to_grade(tmp_path: Path) -> None:
    (tmp_path / "grader.toml").write_text("", encoding="utf-8")
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    with world(tmp_path):
        pass
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "there is no run in this workspace yet" in result.stderr
    assert "grader grade" in result.stderr
    assert not (tmp_path / "reports").exists()


def test_the_cap_comes_from_the_settings(shop: Path) -> None:
    (shop / "grader.toml").write_text("[report]\nmax_conversations = 1\n", encoding="utf-8")
    with world(shop) as w:
        w.talk("d")
        w.judged("d", "accuracy", {"contradicts_policy": present("tomorrow")})
        w.talk("e")
        w.judged("e", "accuracy", {"invented_deadline": present("tomorrow")})
        w.finish("run_20261201T000000Z_ef56")
    assert "1 flagged conversation not on this page" in run(shop, "-o", "-", "--run", "run_202612").stdout


# ── JSON ──


def test_json_holds_every_figure_with_its_counts_and_every_finding(shop: Path) -> None:
    found = document(shop)
    assert (found["format"], found["format_version"]) == ("grader.report", 1)
    assert found["run"]["run_id"] == "run_20261101T140000Z_ab12"
    assert found["headline"]["flagged"] == {
        "n": 1, "of": 2, "rate": 0.5, "low": pytest.approx(0.0945, abs=1e-4), "high": pytest.approx(0.9055, abs=1e-4),
        "estimate": 0.5, "method": "Wilson",
    }  # fmt: skip
    # no resolution verdict at all: no denominator, no rate
    assert found["headline"]["resolved"] == {
        "n": 0, "of": 0, "rate": None, "low": None, "high": None, "estimate": None, "method": "Wilson",
    }  # fmt: skip
    assert (found["headline"]["n_judged"], found["headline"]["n_failed"], found["headline"]["n_pending"]) == (2, 1, 1)
    assert [(f["conversation_id"], f["code"], f["flagged"], f["unsupported"]) for f in found["findings"]] == [
        ("a", "invented_deadline", True, False),
        ("b", "contradicts_policy", False, True),
    ]
    assert [(m["conversation_id"], m["state"]) for m in found["not_judged"]] == [("b", "failed"), ("c", "pending")]
    assert found["run"]["started_at"] == "2026-11-01T14:00:00Z"
    assert {d["slice"] for d in found["defects"]} == {"all", "queue", "channel_language"}
    assert found["spend"]["paid_usd"] == pytest.approx(0.002)


def test_json_leaves_returns_about_an_unknown_issue_out_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "grader.toml").write_text("", encoding="utf-8")
    with world(tmp_path) as w:
        for n in range(4):
            contact = f"+551199999040{n}"
            w.talk(f"a{n}", says("customer", f"{n}", T0), contact=contact)
            w.judged(f"a{n}", "resolution", {"contact_reason": "exchange"})
            w.talk(f"b{n}", says("customer", f"again {n}", T0), contact=contact, start=T0 + timedelta(days=n + 1))
        w.judged("b0", "resolution", {"contact_reason": "exchange"}, in_run=False)
        w.talk("end", start=T0 + timedelta(days=40))
        w.finish(selection={"select": [["queue", "orders"]]})
    found = document(tmp_path)
    week = next(r for r in found["recontact"] if r["overall"] and r["window_hours"] == 168)
    assert (week["n_matured"], week["n_came_back"], week["n_issue_unknown"]) == (4, 4, 3)
    for name in ("same_issue", "resolved_but_back"):
        assert (week[name]["n"], week[name]["of"], week[name]["rate"]) == (1, 1, 1.0)
        bounds = week[f"{name}_bounds"]
        assert [(bounds[end]["n"], bounds[end]["of"]) for end in ("low", "high")] == [(1, 4), (4, 4)]
        assert bounds["n_unknown"] == 3
    assert (found["run"]["n_stored"], found["run"]["selected_by"]) == (9, ["queue:orders"])
    [decided] = found["decided"]
    assert (decided["rubric"], decided["n_decided"], decided["n_codes"]) == ("resolution", 5, 5)


def test_json_never_holds_nan(shop: Path) -> None:
    text = run(shop, "--format", "json", "-o", "-", "--run", "run_20261001").stdout

    def refuse(word: str) -> None:
        raise AssertionError(word)

    json.loads(text, parse_constant=refuse)


# ── CSV ──


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_one_row_per_verdict_and_tells_what_has_none(shop: Path) -> None:
    result = run(shop, "--format", "csv", "-o", "-")
    found = rows(result.stdout)
    assert tuple(found[0]) == COLUMNS
    assert len(found) == 12  # two judgements of accuracy, six codes each
    assert "2 judgements failed or are pending" in result.stderr
    [flagged] = [row for row in found if row["flagged"] == "true"]
    assert (flagged["code"], flagged["answer"], flagged["message"], flagged["quote"], flagged["policy_clause"]) == (
        "invented_deadline", "present", "2", "arrives tomorrow", "No dates")  # fmt: skip
    [unproved_row] = [row for row in found if row["support"] == "unsupported"]
    assert unproved_row["flagged"] == "false"


def test_no_cell_of_the_csv_is_a_formula(shop: Path) -> None:
    found = rows(run(shop, "--format", "csv", "-o", "-").stdout)
    assert {row["queue"] for row in found} == {"'=cmd|' /C calc'!A0", "orders"}
    reasoning = next(row["reasoning"] for row in found if row["flagged"] == "true")
    assert reasoning == "'+1 for trying, but\nno rule says so; it's \"invented\""
    assert not [cell for row in found for cell in row.values() if cell[:1] in set("=+-@\t\r")]


@given(st.text() | st.text(alphabet="=+-@\t\r\n ＝'a"))
def test_a_cell_never_begins_like_a_formula_and_can_be_undone(text: str) -> None:
    safe = cell(text)
    assert not safe.lstrip(" \xa0").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert safe.removeprefix("'") == text


def test_hostile_texts_survive_json_and_csv(tmp_path: Path) -> None:
    (tmp_path / "grader.toml").write_text("", encoding="utf-8")
    with world(tmp_path) as w:
        hostile(w)
        w.finish()
    found = document(tmp_path)
    assert any("null:\x00" in (f["reasoning"] or "") for f in found["findings"])
    run(tmp_path, "--format", "csv", "--out", str(tmp_path / "v.csv"))
    with (tmp_path / "v.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.reader(stream))) == 1 + 24 + 5 * 6  # a header, one run by all rubrics, five by accuracy


def test_errors_of_the_report_are_graders(shop: Path) -> None:
    from grader import report
    from grader.config import load
    from grader.store import open_store

    settings = load({}, shop)
    with open_store(settings.workspace.database, read_only=True) as store, pytest.raises(ConfigError):
        report.write(store, settings, out=shop / "grader.toml" / "no" / "where.html")


def test_a_masked_report_never_takes_the_place_of_one_that_is_not_nor_the_other_way_round(shop: Path) -> None:
    kinds = ("", "--redact", "--anonymous-agents", "--all", "--language pt", "--redact --all",
             "--redact --format json", "--format json", "--format json --language pt")  # fmt: skip
    names = [
        Path(run(shop, *kind.split()).stdout.strip()).name.removeprefix("run_20261101T140000Z_ab12.") for kind in kinds
    ]
    assert names == [
        "html", "redacted.html", "anonymous-agents.html", "all.html", "pt.html", "redacted.all.html", "redacted.json",
        "json", "json",
    ]  # fmt: skip
    for name in set(names):
        assert (shop / "reports" / f"run_20261101T140000Z_ab12.{name}").is_file()
