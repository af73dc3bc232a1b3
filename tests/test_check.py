"""Thresholds: what a condition says, what is not known, and how a pipeline is told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import Main
from report_data import T0, world

from grader.errors import InputError
from grader.outcomes.metrics import metrics
from grader.outcomes.thresholds import FIGURES, condition


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Queue `orders`: 1 of 4 came back about the same; queue `a|b`: nothing is over, nobody rated."""
    with world(tmp_path) as w:
        for n in range(4):
            w.talk(f"c{n}", contact=f"+551199999000{n}", reason="refund")
        w.talk("back", contact="+5511999990000", start=T0 + timedelta(days=1), reason="refund", human=True)
        w.talk("end", contact="+5511999990009", start=T0 + timedelta(days=40), queue="a|b")
        w.rated("c1", 4)
        w.finish()
    (tmp_path / "grader.toml").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("recontact_rate > 0.19", True),  # 1 of 5: the return's own window is over too
        ("recontact_rate.rate >= 20 %", True),
        ("recontact_rate > 0.2", False),
        ("recontact_rate.low > 0.1", False),
        ("recontact_rate.high>0.5", True),
        ("recontact_rate.n == 1", True),
        ("recontact_rate.of != 5", False),
        ("csat_ai < 4.5", True),
        ("csat_human < 5", None),
        ("episodes <= 6", True),
        ("containment_rate < .5", False),
        ("first_answer_p90_seconds > 1", True),
    ],
)
def test_a_condition_is_true_false_or_not_known(shop: Path, text: str, holds: bool | None) -> None:
    from grader.store import open_store

    with open_store(shop / "grader.duckdb", read_only=True) as store:
        (found,) = metrics(store)
    assert condition(text).holds(found) is holds


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("recontact", "FIGURE"), ("recontact_rat > 1", "did you mean recontact_rate?"),
        ("csat_ai.of < 1", "has low, high, n"),
        ("coverage.mid < 1", "low"), ("coverage < high", "FIGURE"), ("__import__('os') > 1", "FIGURE"), ("", "FIGURE"),
        ("coverage > 1 or coverage < 2", "FIGURE"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_with_what_there_is(text: str, cure: str) -> None:
    with pytest.raises(InputError) as refused:
        condition(text)
    assert cure in (refused.value.cure or "")


def test_every_figure_can_be_asked_for(shop: Path) -> None:
    from grader.store import open_store

    with open_store(shop / "grader.duckdb", read_only=True) as store:
        (found,) = metrics(store)
    for name in FIGURES:
        condition(f"{name} > 0").of(found)


def test_a_pipeline_is_told_by_the_exit_code_a_table_junit_and_the_step_summary(
    main: Main, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    junit = tmp_path / "junit.xml"
    done = main("check", "-w", shop, "--by", "queue", "--fail-if", "recontact_rate > 0.1", "--junit", junit)
    assert done.code == 1
    assert "FAILED" in done.out
    assert "1 of 2 checks failed: orders: recontact_rate > 0.1 (is 0.2)" in done.err
    suite = ElementTree.fromstring(junit.read_text(encoding="utf-8"))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "1")
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "| a\\|b |" in summary
    assert "**failed**" in summary
    passing = main("check", "-w", shop, "--fail-if", "recontact_rate > 0.5", "--json")
    assert passing.code == 0
    assert json.loads(passing.out)["failed"] == 0
    for wrong in ([], ["--fail-if", "x"], ["--fail-if", "coverage < 1", "--window", "9d"]):
        assert main("check", "-w", shop, *wrong).code == 2
    nowhere = main("check", "-w", shop, "--fail-if", "coverage > 2", "--junit", tmp_path / "no" / "x.xml")
    assert nowhere.code == 2


def test_the_conditions_of_the_workspace_hold_where_none_is_given_and_name_the_owner(main: Main, shop: Path) -> None:
    (shop / "grader.toml").write_text(
        '[figures]\nfail_if = ["coverage < 0.5"]\n[queues.orders]\nowner = "Ana"\nfail_if = ["recontact_rate > 0.1"]\n'
        '[queues.gone]\nowner = "Ben"\nfail_if = ["csat_ai < 3"]\n',
        encoding="utf-8",
    )
    done = main("check", "-w", shop, "--json")
    assert done.code == 1
    told = {c["slice"]: c for c in json.loads(done.out)["checks"]}
    assert {name: (c["owner"], c["failed"]) for name, c in told.items()} == {
        "all": (None, False), "orders": ("Ana", True), "gone": ("Ben", None),
    }  # fmt: skip
    assert "orders (Ana): recontact_rate > 0.1 (is 0.2)" in done.err
    by_flag = main("check", "-w", shop, "--by", "queue", "--fail-if", "recontact_rate > 0.1", "--json")
    assert [c["owner"] for c in json.loads(by_flag.out)["checks"]] == [None, "Ana"]
    assert main("check", "-w", shop, "--by", "queue").code == 2
    (shop / "grader.toml").write_text('[queues.orders]\nfail_if = ["csat > 1"]\n', encoding="utf-8")
    wrong = main("check", "-w", shop)
    assert wrong.code == 2
    assert "grader.toml:1: queues.orders.fail_if: there is no figure 'csat'" in wrong.err.replace("--fail-if: ", "")


def test_a_condition_can_be_about_verdicts_and_about_a_week(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        for n in range(12):
            name = w.talk(f"c{n}", contact=f"+5511999990{n:03}", start=T0 + timedelta(days=7 * (n % 2), minutes=n))
            w.judged(name, "resolution", {"resolved": "not" if n % 2 else "resolved"})
        w.finish()
    (tmp_path / "grader.toml").touch()
    ask = ["check", "-w", tmp_path, "--fail-if", "resolved_rate.high < 0.6", "--json"]
    assert main(*ask).code == 0
    bad = main(*ask, "--week", "2026-W33")
    assert bad.code == 1
    (one,) = json.loads(bad.out)["checks"]
    assert one["of"].endswith("0 of 6; not calibrated; nobody read conversations judged clean: nothing is excluded")
    assert one["calibration"] == "not calibrated: no label plan was answered for this judge"
    assert main(*ask, "--week", "2026-W32").code == 0
    assert main("check", "-w", tmp_path, "--fail-if", "resolved < 1", "--select", "queue:orders").code == 2
    same = [
        main("check", "-w", tmp_path, "--fail-if", f"{name} > 1", "--json").out
        for name in ("recontact", "recontact_rate")
    ]
    assert json.loads(same[0])["checks"][0]["value"] == json.loads(same[1])["checks"][0]["value"]


def test_a_misspelt_queue_is_pointed_out(main: Main, shop: Path) -> None:
    (shop / "grader.toml").write_text('[queues.order]\nfail_if = ["coverage < 0.5"]\n', encoding="utf-8")
    done = main("check", "-w", shop)
    assert done.code == 0
    assert "no conversation has the queue 'order' of grader.toml; did you mean 'orders'?" in done.err
