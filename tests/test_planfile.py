"""A plan's file, whatever it plans: whole or not at all, its rows in lines, and no other file taken for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.errors import InputError, StoreError
from grader.sampling import planfile

WANTED = ("grader-some-plan", 1)
PLAN = {"format": WANTED[0], "format_version": 1, "note": "naïve ✓ \ud83d", "drawn": [{"id": "a"}, {"id": "b"}]}


def read(path: Path) -> dict[str, object]:
    return planfile.read(path, WANTED, "plan of some kind", "draw it again")


def test_what_is_written_is_read_and_each_row_has_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "new" / "plan.json"
    written = planfile.text({**PLAN, "note": "naïve ✓"}, ("drawn",))
    planfile.write(written, path, "name another")
    assert read(path) == {**PLAN, "note": "naïve ✓"}
    assert [json.loads(line.strip().rstrip(",")) for line in written.splitlines() if line.startswith("    ")] == [
        {"id": "a"}, {"id": "b"},
    ]  # fmt: skip
    assert [each.name for each in path.parent.iterdir()] == ["plan.json"]


def test_half_a_character_in_an_identifier_loses_no_plan(tmp_path: Path) -> None:
    planfile.write(planfile.text(PLAN, ("drawn",)), tmp_path / "plan.json", "name another")
    assert read(tmp_path / "plan.json") == PLAN


def test_a_place_that_cannot_be_written_is_named_with_the_cure_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    taken = tmp_path / "plan.json"
    taken.mkdir()
    with pytest.raises(StoreError, match=r"plan\.json: the plan cannot be written") as caught:
        planfile.write("{}", taken, "name another")
    assert caught.value.cure == "name another"
    assert list(tmp_path.iterdir()) == [taken]


@pytest.mark.parametrize(
    ("text", "said", "cure"),
    [
        ("", "is no plan: ", "draw it again"),
        ("[" * 100_000, "is no plan: ", "draw it again"),
        ("[]", "is no plan of some kind: it does not begin as one", "draw it again"),
        ('{"format": "grader-other-plan", "format_version": 1}', "is no plan of some kind", "draw it again"),
        ('{"format": "grader-some-plan", "format_version": 2}', "a plan of format 2, this Grader knows 1", "upgrade"),
        ('{"format": "grader-some-plan"}', "a plan of format None", "upgrade"),
    ],
)
def test_another_file_is_not_taken_for_the_plan(tmp_path: Path, text: str, said: str, cure: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert cure in (caught.value.cure or "")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.json")
