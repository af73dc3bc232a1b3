"""The two fingerprints of a rubric: of what reaches the judge, and of what only people see."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.rubric import Criterion, Rubric, load

FULL: dict[str, Any] = {
    "name": "full",
    "version": "1.0.0",
    "title": "Full",
    "description": "All fields.",
    "criteria": [
        {
            "code": "one", "title": "One", "severity": "low", "scale": "defect", "question": "Is it?",
            "present": "Yes it is.",
            "absent": "It is not.", "not_applicable": "Never.", "needs": ["policy"], "proof": ["ai", "tool"],
            "cites_policy": True,
            "examples": [{"answer": "present", "near_miss": False, "transcript": "ai: a", "why": "Because."}],
        },
        {"code": "two", "title": "Two", "severity": "high", "question": "Which?", "options": {"a": "A.", "b": "B."}},
    ],
}  # fmt: skip

MEANING = [
    (("name",), "other"),
    (("criteria", 0, "code"), "uno"),
    (("criteria", 0, "question"), "Is it so?"),
    (("criteria", 0, "present"), "Yes."),
    (("criteria", 0, "absent"), "No."),
    (("criteria", 0, "not_applicable"), None),
    (("criteria", 0, "needs"), []),
    (("criteria", 0, "proof"), ["ai"]),
    (("criteria", 0, "cites_policy"), False),
    (("criteria", 0, "examples"), []),
    (("criteria", 0, "examples", 0, "answer"), "absent"),
    (("criteria", 0, "examples", 0, "near_miss"), True),
    (("criteria", 0, "examples", 0, "transcript"), "ai: b"),
    (("criteria", 0, "examples", 0, "why"), ""),
    (("criteria", 1, "options", "a"), "Another A."),
    (("criteria", 1, "options"), {"a": "A.", "c": "B."}),
    (("criteria", 1, "options"), {"b": "B.", "a": "A."}),
]
LABELS = [
    (("title",), "Other"),
    (("description",), "Other."),
    (("criteria", 0, "title"), "Other"),
    (("criteria", 1, "severity"), "critical"),
]


def changed(path: tuple[str | int, ...], value: object) -> Rubric:
    data = copy.deepcopy(FULL)
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return Rubric.model_validate(data)


@pytest.mark.parametrize(("path", "value"), MEANING)
def test_a_change_of_what_reaches_the_judge_changes_the_meaning_hash(
    path: tuple[str | int, ...], value: object
) -> None:
    assert changed(path, value).meaning_hash != Rubric.model_validate(FULL).meaning_hash


@pytest.mark.parametrize(("path", "value"), LABELS)
def test_a_change_of_labels_changes_the_label_hash_alone(path: tuple[str | int, ...], value: object) -> None:
    before, after = Rubric.model_validate(FULL), changed(path, value)
    assert after.meaning_hash == before.meaning_hash
    assert after.label_hash != before.label_hash


def test_the_version_and_the_order_of_needs_and_proof_are_in_neither_hash() -> None:
    before = Rubric.model_validate(FULL)
    for path, value in ((("version",), "2.0.0"), (("criteria", 0, "proof"), ["tool", "ai"])):
        after = changed(path, value)
        assert (after.meaning_hash, after.label_hash) == (before.meaning_hash, before.label_hash)


def test_the_order_of_criteria_is_meaning_and_no_label() -> None:
    before, after = Rubric.model_validate(FULL), Rubric.model_validate({**FULL, "criteria": FULL["criteria"][::-1]})
    assert after.meaning_hash != before.meaning_hash
    assert after.label_hash == before.label_hash


def test_every_field_of_a_criterion_is_in_one_of_the_two_hashes() -> None:
    paths = [path for path, _ in MEANING + LABELS]
    covered = {path[2] for path in paths if path[0] == "criteria" and len(path) > 2}
    # the scale follows from the options, and options_from is tried with the workspace's lists above
    assert covered | {"scale", "options_from"} == set(Criterion.model_fields)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), comment=st.text("abc #:'\"{}%", max_size=30))
def test_comments_and_the_order_of_fields_change_neither_hash(
    tmp_path_factory: pytest.TempPathFactory, seed: int, comment: str
) -> None:
    shuffle = random.Random(seed)

    def reordered(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            items = list(value.items())
            if key != "options":  # the order of options is what the judge reads
                shuffle.shuffle(items)
            return {k: reordered(v, k) for k, v in items}
        return [reordered(item) for item in value] if isinstance(value, list) else value

    text = yaml.safe_dump(reordered(FULL), sort_keys=False, allow_unicode=True)
    lines = [line if line.endswith("\\") else f"{line}  # {comment}" for line in text.splitlines()]
    path = tmp_path_factory.mktemp("r") / "full.yaml"
    path.write_text("\n".join(["# " + comment, *lines, ""]), encoding="utf-8")
    rubric, before = load(path), Rubric.model_validate(FULL)
    assert (rubric.meaning_hash, rubric.label_hash) == (before.meaning_hash, before.label_hash)


prose = st.text(min_size=1, max_size=60).filter(lambda t: bool(t.strip()))


@settings(max_examples=100, deadline=None)
@given(one=prose, other=prose)
def test_two_questions_share_a_hash_only_when_they_are_the_same_text(one: str, other: str) -> None:
    a, b = changed(("criteria", 0, "question"), one), changed(("criteria", 0, "question"), other)
    assert (a.meaning_hash == b.meaning_hash) == (a.criteria[0].question == b.criteria[0].question)
