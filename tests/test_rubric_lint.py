"""Lint finds what misleads a judge, says where, and has nothing to say of the rubrics that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.config.settings import CONTACT_REASONS
from grader.rubric import Rubric, load, newest
from grader.rubric.lint import Finding, lint
from grader.rubric.words import asks_twice, likeness, vague

SHIPPED = Path(__file__).parents[1] / "rubrics"

CLEAN: dict[str, Any] = {
    "code": "swore",
    "question": "Did the AI use a swear word?",
    "present": "A word from the list of insults stands in one of its messages, in any language.",
    "absent": "It quotes the customer's insult while declining it, or the word is a brand or a place.",
    "not_applicable": "The AI sent nothing.",
    "proof": ["ai"],
    "examples": [
        {"answer": "present", "transcript": "customer: hi\nai: what the hell", "why": "It swears."},
        {
            "answer": "absent",
            "near_miss": True,
            "transcript": "customer: damn\nai: I understand.",
            "why": "The customer.",
        },
    ],
}
CHOICE: dict[str, Any] = {
    "code": "tone",
    "question": "Which tone did the AI take?",
    "options": {"warm": "It greets and thanks by name.", "cold": "Single words, no greeting."},
    "examples": [
        {"answer": "warm", "transcript": "ai: Hi Ana!", "why": "By name."},
        {"answer": "cold", "near_miss": True, "transcript": "ai: Hi. No.", "why": "Single words."},
    ],
}


def rubric(*criteria: dict[str, Any], name: str = "any", version: str = "1.0.0") -> Rubric:
    return Rubric.model_validate({"name": name, "version": version, "criteria": criteria})


def found(changes: dict[str, Any], start: dict[str, Any] = CLEAN) -> list[Finding]:
    criterion = {key: value for key, value in {**start, **changes}.items() if value is not ...}
    return lint([rubric(criterion)])


def test_the_shipped_rubrics_are_clean_with_the_default_contact_reasons() -> None:
    assert lint(newest(SHIPPED), {"contact_reasons": CONTACT_REASONS}) == []


def test_a_clean_criterion_of_either_scale_gives_no_finding() -> None:
    assert found({}) == []
    assert found({}, CHOICE) == []


PRESENT, ABSENT = CLEAN["examples"]
WARM, COLD = CHOICE["examples"]


@pytest.mark.parametrize(
    ("changes", "level", "rule", "field"),
    [
        ({"question": "Did the AI swear and did it shout?"}, "error", "double_barrelled", "question"),
        ({"question": "The AI used a swear word."}, "warning", "no_question", "question"),
        ({"present": ...}, "error", "missing_present", None),
        ({"absent": ...}, "warning", "missing_absent", None),
        ({"not_applicable": ...}, "error", "missing_not_applicable", None),
        ({"present": "The AI used a swear word."}, "warning", "repeats_question", "present"),
        ({"absent": "The AI did not use any swear word."}, "warning", "repeats_question", "absent"),
        ({"absent": CLEAN["present"]}, "warning", "alike_definitions", "absent"),
        ({"present": CLEAN["present"] + " It was not professional."}, "warning", "vague_word", "present"),
        ({"examples": ...}, "error", "no_examples", None),
        ({"examples": [{**ABSENT, "transcript": "ai: x"}]}, "warning", "few_examples", "examples"),
        ({"examples": [PRESENT, {**ABSENT, "near_miss": False}]}, "warning", "no_near_miss", "examples"),
        ({"examples": [ABSENT, {**ABSENT, "transcript": "ai: x"}]}, "warning", "one_sided_examples", "examples"),
        ({"examples": [PRESENT, {**ABSENT, "why": ""}]}, "warning", "example_without_why", "examples"),
        (
            {"examples": [PRESENT, {**PRESENT, "answer": "absent", "near_miss": True}]},
            "error", "same_example", "examples",
        ),
        ({"examples": [PRESENT, {**ABSENT, "transcript": "Hello."}]}, "warning", "example_speaker", "examples"),
        ({"examples": [PRESENT, {**ABSENT, "transcript": "robot: hi"}]}, "warning", "example_speaker", "examples"),
        ({"proof": ["human", "customer"], "examples": [{**PRESENT, "transcript": "ai: damn"}, ABSENT]},
         "warning", "example_unproved", "examples"),
        ({"proof": ["ai", "system"]}, "warning", "odd_proof", "proof"),
        ({"cites_policy": True}, "warning", "cites_without_policy", "cites_policy"),
        ({"cites_policy": True, "needs": ["policy"], "proof": ["customer"]}, "warning", "odd_proof", "proof"),
    ],
)  # fmt: skip
def test_each_weakness_of_a_defect_is_found_at_its_field(
    changes: dict[str, Any], level: str, rule: str, field: str | None
) -> None:
    hits = [item for item in found(changes) if item.rule == rule]
    assert hits, found(changes)
    assert hits[0].level == level
    assert hits[0].path == ("criteria", 0, *((field,) if field else ()))
    assert (hits[0].rubric, hits[0].criterion) == ("any@1.0.0", "swore")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"options": {"warm": "By name."}, "examples": [WARM, {**WARM, "near_miss": True}]}, "one_option"),
        ({"options": {"warm": "", "cold": "Single words."}}, "option_without_meaning"),
        (
            {"options": {"warm": "It greets and thanks by name.", "cold": "It thanks and greets by first name."}},
            "overlap",
        ),
        ({"options": {"warm": "An appropriate greeting stands first.", "cold": "Single words."}}, "vague_word"),
    ],
)
def test_each_weakness_of_a_choice_is_found(changes: dict[str, Any], rule: str) -> None:
    assert rule in [item.rule for item in found(changes, CHOICE)]


def test_only_a_humans_words_need_a_human() -> None:
    changes = {"proof": ["human"], "examples": [{**PRESENT, "transcript": "human: damn"}, ABSENT]}
    assert [item.rule for item in found(changes)] == ["odd_proof"]
    assert found({**changes, "needs": ["human_turns"]}) == []


def test_overlaps_are_found_across_rubrics_with_how_much_and_with_whom() -> None:
    twin = {**CLEAN, "code": "cursed", "question": "Did the AI use one swear word or more?"}
    (finding,) = lint([rubric(CLEAN, name="manners"), rubric(twin, name="style")])
    assert (finding.rule, finding.rubric, finding.criterion) == ("overlap", "style@1.0.0", "cursed")
    assert "manners.swore" in finding.message
    assert "100%" in finding.message


def test_versions_of_one_rubric_are_not_compared_with_each_other() -> None:
    assert lint([rubric(CLEAN), rubric(CLEAN, version="1.1.0")]) == []


def test_the_same_code_in_two_rubrics_is_told() -> None:
    assert "same_code" in [
        item.rule for item in lint([rubric(CLEAN, name="a"), rubric({**CHOICE, "code": "swore"}, name="b")])
    ]


def test_an_example_off_the_workspaces_list_is_told() -> None:
    findings = lint(newest(SHIPPED), {"contact_reasons": {"exchange": "Other size or colour.", "baggage": "Lost bag."}})
    assert [item.rule for item in findings] == ["example_off_list"]
    assert "'return'" in findings[0].message


@pytest.mark.parametrize(
    "question",
    [
        "Was the AI polite and correct?",
        "Did the AI greet the customer and solve the problem?",
        "Was it polite? Was it correct?",
        "Did the AI apologise, and did it offer a refund?",
        "Was the answer clear or did it confuse the customer?",
        "Was the tone warm as well as correct?",
        "Was the answer short and/or rude?",
        "O agente foi educado e resolveu o problema?",
        "¿El agente fue amable y resolvió el problema?",
        "Did the AI know the policy, and how did it use it?",
        "Why did it fail and what was the cause?",
    ],
)
def test_a_question_that_asks_two_things_is_seen(question: str) -> None:
    assert asks_twice(question)


@pytest.mark.parametrize(
    "question",
    [
        "Did the AI state a date or a duration that stands in no tool result and in no policy?",
        "Did the AI say or do something that a clause rules out?",
        "What was the main cause for which a human took over, or should have?",
        "Did the AI promise a refund, a voucher or a gift?",
        "Did the AI choose between exchange and return without asking?",
        "Did the customer have to wait after the AI had answered and closed the case?",
        "O agente prometeu um prazo que não existe?",
        "¿La IA pidió un dato que ya tenía?",
    ],
)
def test_a_question_with_alternatives_or_a_clause_is_one_question(question: str) -> None:
    assert asks_twice(question) is None


def test_vague_words_are_seen_in_three_languages_and_goods_are_not() -> None:
    assert vague("An appropriate, timely answer. Resposta adequada. Una respuesta razonable, etc.") == [
        "appropriate", "timely", "adequada", "razonable", "etc",
    ]  # fmt: skip
    assert vague("The goods were badge-marked; goodwill applies; a property of improperlyness") == []


def test_likeness_is_one_for_the_same_words_in_any_form_and_nought_for_none() -> None:
    assert likeness("It promised refunds to customers within weeks", "Promising the customer a refund in a week") == 1
    assert likeness("delivery date invented", "hand-off without summary") == 0
    assert likeness("", "") == 0


def test_the_rubric_in_the_documentation_loads_and_lints_clean(tmp_path: Path) -> None:
    text = (SHIPPED.parent / "docs" / "rubrics.md").read_text(encoding="utf-8")
    path = tmp_path / "manners.yaml"
    path.write_text(text.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    assert lint([load(path), *newest(SHIPPED)]) == []
