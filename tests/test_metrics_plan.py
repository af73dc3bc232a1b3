"""`grader metrics --plan`: a sample's weighted figures beside those of everything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY, Main
from report_data import sample, world


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with world(tmp_path) as w:
        sample(w, 128)
        w.save()
    (tmp_path / "grader.toml").touch()
    shutil.copytree(REPOSITORY / "rubrics", tmp_path / "rubrics")  # the offline signals judge by them
    return tmp_path


def test_a_risk_sample_gives_back_the_figures_of_everything_with_its_weights(main: Main, shop: Path) -> None:
    drawn = json.loads(main("sample", "-d", "risk", "-n", "60", "--seed", "1", "-w", shop, "--json").out)
    plan = str(next((shop / ".grader" / "samples").glob("*.json")))
    whole = json.loads(main("metrics", "-w", shop, "--json").out)["slices"][0]
    told = json.loads(main("metrics", "-w", shop, "--plan", plan, "--json").out)
    (figures,) = [s["figures"] for s in told["slices"]]
    for name, mine in (("contained", "contained"), ("came_back", "came back, about anything"),
                       ("escalated", "escalated to a human")):  # fmt: skip
        assert figures[mine]["low"] <= whole[name]["rate"] <= figures[mine]["high"]
        assert figures[mine]["method"] != "Wilson"
    plain = figures["contained"]["n"] / figures["contained"]["of"]
    assert abs(figures["contained"]["rate"] - whole["contained"]["rate"]) < abs(plain - whole["contained"]["rate"])
    page = main("metrics", "-w", shop, "--plan", drawn["sample_id"])
    assert page.code == 0
    assert "of the population" in page.out
    assert "returns" in main("metrics", "-w", shop, "--plan", plan, "--by", "queue").out
    for wrong in (["--plan", plan, "--csv"], ["--plan", plan, "--select", "queue:returns"], ["--plan", "sa_nothing"]):
        assert main("metrics", "-w", shop, *wrong).code == 2


def test_a_simple_sample_is_told_plainly(main: Main, shop: Path) -> None:
    drawn = json.loads(main("sample", "-d", "simple", "-n", "40", "-w", shop, "--json").out)
    told = json.loads(main("metrics", "-w", shop, "--plan", drawn["sample_id"], "--json").out)
    figures = told["slices"][0]["figures"]
    assert figures["contained"]["method"] == "Wilson"
    assert figures["contained"]["rate"] == pytest.approx(figures["contained"]["n"] / figures["contained"]["of"])
