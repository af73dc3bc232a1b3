"""Queues and floors in grader.toml: owners, thresholds, how well a code must be seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.config import load
from grader.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    (folder / "grader.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_queue_has_an_owner_and_conditions_and_what_it_has_not_is_told(tmp_path: Path) -> None:
    text = (
        '[figures]\nfail_if = ["recontact_rate.low > 0.3"]\n'
        '[queues."pós-venda"]\nowner = " Ana "\nfail_if = ["csat_ai < 3"]\n'
    )
    settings = load(start=write(tmp_path, text), environ={})
    assert settings.figures.fail_if == ("recontact_rate.low > 0.3",)
    assert (settings.queues["pós-venda"].owner, settings.queues["pós-venda"].fail_if) == ("Ana", ("csat_ai < 3",))
    assert settings.origin("queues") == "grader.toml:3"
    assert settings.shown()["queues"] == {"pós-venda": {"owner": "Ana", "fail_if": ["csat_ai < 3"]}}
    for wrong, words in (
        ("[queues.a]\nowners = 'x'", "only owner and fail_if for the queue 'a'"),
        ("[queues.a]\nfail_if = 'x'", "fail_if a list of texts"),
        ("queues = 3", "expected a table such as"),
        ("[figures]\nfail_if = 'x > 1'", "expected a list of texts"),
    ):
        with pytest.raises(ConfigError, match=re.escape(words)):
            load(start=write(tmp_path, wrong), environ={})
    spoken = load(start=write(tmp_path, ""), environ={"GRADER_FAIL_IF": "a > 1; b < 2"})
    assert spoken.figures.fail_if == ("a > 1", "b < 2")


def test_a_floor_is_of_a_code_with_or_without_quotes(tmp_path: Path) -> None:
    text = '[gate]\nfewest_repeats = 50\n[gate.floors]\n"accuracy.a" = 0.8\naccuracy.b = 1\nresolved = 0.5\n'
    settings = load(start=write(tmp_path, text), environ={})
    assert settings.gate.floors == {"accuracy.a": 0.8, "accuracy.b": 1.0, "resolved": 0.5}
    assert settings.gate.fewest_repeats == 50
    assert settings.shown()["gate.floors"] == {"accuracy.a": 0.8, "accuracy.b": 1.0, "resolved": 0.5}
    assert settings.origin("gate.floors") == "grader.toml:3"
    for wrong in ("floors = 3", "floors.a = 2", "floors.a = 'x'", "floors.a.b = true", "floors.a = nan"):
        with pytest.raises(ConfigError, match=r"gate\.floors.*expected a table of numbers from 0 to 1"):
            load(start=write(tmp_path, f"[gate]\n{wrong}\n"), environ={})
