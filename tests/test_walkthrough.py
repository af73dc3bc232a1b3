"""The walkthrough in the documents is what a reader gets who types it."""

from __future__ import annotations

import re
from pathlib import Path

from walkthrough import DOCUMENT, do, run, same, steps


def test_every_block_of_the_walkthrough_is_what_its_command_prints(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    where, plan, n_commands = tmp_path, "", 0
    for step in steps(text):
        if step["deed"]:
            do(step["deed"], step["what"], where)
            continue
        command = re.sub(r"lp_[0-9a-f]{8}", plan or "lp_", step["command"])
        printed = run(command, where)
        assert same(step["output"], printed), f"$ {command}\n{printed}"
        if found := re.search(r"^plan (lp_[0-9a-f]{8})", printed, re.M):
            plan = found[1]
        if command.startswith("grader demo"):
            where = where / "shop"
        n_commands += 1
    assert n_commands > 15
    assert plan


def test_a_block_that_differs_is_found_out() -> None:
    assert same("a\n…\nd\n", "a\nb\nc\nd\n")
    assert same("run 20261130T173152-051498d at 5 %\n", "run 20261201T000000-aaaaaaa at 5 %\n")
    for wrong in ("a\n…\nd\n", "a\nb\n", "a\nb\nc\nd\n"):
        assert not same(wrong, "a\nb\nc\ne\n")
    assert not same("", "something\n")
