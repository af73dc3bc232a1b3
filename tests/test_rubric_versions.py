"""Versions: what differs, what comes next, and that a meaning cannot change silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import RubricError
from grader.rubric import Rubric, find, load, newest
from grader.rubric.versions import check_unchanged, diff, new_version, next_version

SHIPPED = Path(__file__).parents[1] / "rubrics"
TEXT = """\
# why this rubric exists
name: manners
title: Manners  # shown in reports
version: "1.0.0"   # keep in step with the file's name
criteria:
  - code: rude
    question: Was the AI rude in version 1.0.0?
    present: It insulted.
  - code: curt
    severity: low
    question: Was the answer one word?
"""


def rubric(text: str = TEXT) -> Rubric:
    import yaml

    return Rubric.model_validate(yaml.safe_load(text))


def test_a_rubric_differs_from_itself_in_nothing() -> None:
    for shipped in newest(SHIPPED):
        assert diff(shipped, shipped) == []


def test_each_difference_is_told_with_its_kind() -> None:
    other = rubric(
        TEXT.replace("severity: low", "severity: high\n    needs: [policy]")
        .replace("title: Manners", "title: Good manners")
        .replace("It insulted.", "It insulted or mocked.")
    )
    told = [(change.meaning, str(change)) for change in diff(rubric(), other)]
    assert told == [
        (False, "title, Manners → Good manners"),
        (True, "rude: present, It insulted. → It insulted or mocked."),
        (False, "curt: severity, low → high"),
        (True, "curt: needs, nothing → policy"),
    ]


def test_added_removed_and_moved_criteria_are_told() -> None:
    head, _, tail = TEXT.partition("  - code: rude")
    rude, _, curt = tail.partition("  - code: curt")
    moved = rubric(head + "  - code: curt" + curt + "  - code: rude" + rude)
    assert [str(change) for change in diff(rubric(), moved)] == ["order of criteria, rude, curt → curt, rude"]
    shorter = rubric(head + "  - code: rude" + rude + "  - code: new\n    question: Is it new?\n")
    assert [str(change) for change in diff(rubric(), shorter)] == ["new: added", "curt: removed"]


def test_diff_finds_a_change_of_meaning_exactly_when_the_hash_changes() -> None:
    for a in newest(SHIPPED):
        for b in newest(SHIPPED):
            assert any(change.meaning for change in diff(a, b)) == (a.meaning_hash != b.meaning_hash)


@pytest.mark.parametrize(("part", "version"), [("major", "2.0.0"), ("minor", "1.3.0"), ("patch", "1.2.4")])
def test_the_next_version_counts_as_semver_does(part: str, version: str) -> None:
    assert next_version("1.2.3", part) == version  # type: ignore[arg-type]


def test_a_new_version_keeps_every_byte_but_the_number(tmp_path: Path) -> None:
    path = tmp_path / "manners" / "1.0.0.yaml"
    path.parent.mkdir()
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    written = new_version(path, "minor")
    assert written == tmp_path / "manners" / "1.1.0.yaml"
    expected = TEXT.replace('version: "1.0.0"', 'version: "1.1.0"').replace("\n", "\r\n").encode()
    assert written.read_bytes() == expected
    assert find(tmp_path, "manners").version == "1.1.0"
    assert load(written).meaning_hash == load(path).meaning_hash


def test_a_new_version_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "manners" / "1.0.0.yaml"
    path.parent.mkdir()
    path.write_text(TEXT)
    for existing in ("1.1.0.yaml", "1.0.1.yml"):
        (path.parent / existing).write_text("precious")
    for part in ("minor", "patch"):
        with pytest.raises(RubricError, match="there already"):
            new_version(path, part)
    assert {p.name: p.read_text() for p in path.parent.iterdir() if p != path} == {
        "1.1.0.yaml": "precious", "1.0.1.yml": "precious",
    }  # fmt: skip


def test_a_new_version_does_not_write_through_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "manners" / "1.0.0.yaml"
    path.parent.mkdir()
    path.write_text(TEXT)
    (path.parent / "1.1.0.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(RubricError, match="cannot be written"):
        new_version(path, "minor")
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_a_single_files_new_version_goes_into_the_folder_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    assert new_version(path, "major") == tmp_path / "manners" / "2.0.0.yaml"
    assert find(tmp_path, "manners@2.0.0").version == "2.0.0"


def test_a_changed_meaning_under_an_unchanged_version_is_refused_with_the_cure() -> None:
    before = rubric()
    after = rubric(TEXT.replace("It insulted.", "It mocked."))
    with pytest.raises(RubricError) as caught:
        check_unchanged(after, before.meaning_hash, before)
    assert "rude: present, It insulted. → It mocked." in str(caught.value)
    assert "grader rubric new-version manners" in str(caught.value)
    with pytest.raises(RubricError, match="new-version"):
        check_unchanged(after, before.meaning_hash)


def test_changed_labels_and_a_rubric_never_used_pass() -> None:
    check_unchanged(rubric(), None)
    check_unchanged(rubric(TEXT.replace("severity: low", "severity: high")), rubric().meaning_hash)


def test_a_changed_list_of_the_workspace_is_named_as_a_possible_cause() -> None:
    resolution = find(SHIPPED, "resolution")
    before = resolution.with_options({"contact_reasons": {"a": "A.", "b": "B."}})
    after = resolution.with_options({"contact_reasons": {"a": "A.", "b": "B.", "c": "C."}})
    with pytest.raises(RubricError, match=r"workspace\.contact_reasons"):
        check_unchanged(after, before.meaning_hash, before)
