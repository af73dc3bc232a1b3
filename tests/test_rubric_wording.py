"""From the scale come the words and the schema of the reply: they agree, and any rubric's schema is a strict one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib._parsing._completions import type_to_response_format_param
from pydantic import BaseModel, ValidationError

from grader.errors import RubricError
from grader.rubric import Answered, Rubric, newest, read_reply, reply_model, wording

SHIPPED = Path(__file__).parents[1] / "rubrics"
REASONS = {"contact_reasons": {"exchange": "Other size.", "return": "Back."}}
RUBRICS = [rubric.with_options(REASONS) for rubric in newest(SHIPPED)]
ALL = [(rubric, rubric.codes) for rubric in RUBRICS]


def rubric_of(*codes: str, name: str = "any", **fields: Any) -> Rubric:
    criteria = [{"code": code, "question": "Is it?", **fields} for code in codes]
    return Rubric.model_validate({"name": name, "version": "1.0.0", "criteria": criteria})


def reply_to(rubric: Rubric, answer: str = "absent") -> dict[str, Any]:
    found = {}
    for criterion in rubric.criteria:
        said: dict[str, Any] = {"reasoning": "r", "evidence": []}
        if criterion.cites_policy:
            said["clause"] = ""
        said["answer"] = answer if answer in criterion.answers else criterion.answers[0]
        found[criterion.code] = said
    return found


def objects(schema: Any) -> list[dict[str, Any]]:
    """Every object in a schema, at any depth."""
    if isinstance(schema, list):
        return [found for item in schema for found in objects(item)]
    if not isinstance(schema, dict):
        return []
    here = [schema] if schema.get("type") == "object" else []
    return here + [found for item in schema.values() for found in objects(item)]


@pytest.mark.parametrize("grouped", [False, True])
def test_every_schema_is_one_that_openai_takes_as_strict(grouped: bool) -> None:
    schema = reply_model(ALL, grouped=grouped).model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert len(objects(schema)) > 5
    for item in objects(schema):
        assert item["additionalProperties"] is False
        assert item["required"] == list(item["properties"])
        assert not any("title" in field for field in item["properties"].values())
    text = json.dumps(schema)
    for unsupported in ("default", "minLength", "maxLength", "minItems", "pattern", "anyOf", "description", "format"):
        assert f'"{unsupported}"' not in text


def test_openais_own_strict_conversion_leaves_the_schema_as_it_is() -> None:
    model = reply_model(ALL, grouped=True)
    sent: Any = type_to_response_format_param(model)
    assert sent["json_schema"]["strict"] is True
    assert sent["json_schema"]["schema"] == model.model_json_schema()


def test_reasoning_and_evidence_come_before_the_answer() -> None:
    schema = reply_model(ALL, grouped=False).model_json_schema()
    for name, item in schema["$defs"].items():
        if name != "Quote":
            assert list(item["properties"]) in (
                ["reasoning", "evidence", "answer"],
                ["reasoning", "evidence", "clause", "answer"],
            )


def test_a_clause_is_asked_for_exactly_where_the_criterion_cites_the_policy() -> None:
    for rubric in RUBRICS:
        schema = reply_model([(rubric, rubric.codes)], grouped=False).model_json_schema()
        for criterion in rubric.criteria:
            item = schema["$defs"][schema["properties"][criterion.code]["$ref"].split("/")[-1]]
            assert ("clause" in item["properties"]) is criterion.cites_policy
            assert ('"clause"' in wording(criterion).shape) is criterion.cites_policy


def test_words_and_schema_allow_the_same_answers_in_the_same_order() -> None:
    for rubric in RUBRICS:
        schema = reply_model([(rubric, rubric.codes)], grouped=False).model_json_schema()
        for criterion in rubric.criteria:
            item = schema["$defs"][schema["properties"][criterion.code]["$ref"].split("/")[-1]]
            said = wording(criterion)
            assert [answer for answer, _ in said.answers] == item["properties"]["answer"]["enum"]
            assert json.loads(said.shape)["answer"].split(" | ") == item["properties"]["answer"]["enum"]
            assert list(json.loads(said.shape)) == list(item["properties"])


def test_the_same_question_gives_the_same_class_object() -> None:
    first = reply_model(ALL, grouped=True)
    again = [(rubric.model_copy(), tuple(rubric.codes)) for rubric in RUBRICS]
    assert reply_model(again, grouped=True) is first
    assert reply_model(ALL, grouped=False) is not first
    fewer = [(RUBRICS[0], RUBRICS[0].codes[:2])]
    assert reply_model(fewer, grouped=False) is reply_model([(RUBRICS[0], RUBRICS[0].codes[1::-1])], grouped=False)


def test_the_given_class_is_the_replys_parent() -> None:
    class Parent(BaseModel):
        def hello(self) -> str:
            return "hello"

    model = reply_model(ALL[:1], base=Parent, grouped=False)
    assert issubclass(model, Parent)
    assert model is reply_model(ALL[:1], base=Parent, grouped=False)


AWKWARD = [
    "copy",
    "json",
    "schema",
    "model_dump",
    "model_config",
    "construct",
    "class",
    "import",
    "f1",
    "self",
    "x" * 64,
]


def test_codes_that_are_attributes_of_pydantic_or_words_of_python_work_without_a_warning() -> None:
    rubric = rubric_of(*AWKWARD)
    model = reply_model([(rubric, rubric.codes)], grouped=False)
    assert list(model.model_json_schema()["properties"]) == AWKWARD
    found = read_reply(model.model_validate(reply_to(rubric)), [(rubric, rubric.codes)], grouped=False)
    assert list(found["any"]) == AWKWARD


@settings(max_examples=40, deadline=None)
@given(
    codes=st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True), min_size=1, max_size=6, unique=True),
    options=st.none() | st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=12),
                                 min_size=2, max_size=5, unique_by=str.casefold),
    grouped=st.booleans(),
)  # fmt: skip
def test_any_rubric_gives_a_schema_that_its_own_replies_satisfy(
    codes: list[str], options: list[str] | None, grouped: bool
) -> None:
    if options is not None and (any(not o.isprintable() or o != o.strip() or o == "cannot_assess" for o in options)):
        return
    fields: dict[str, Any] = {"options": dict.fromkeys(options, "x")} if options else {}
    rubric = rubric_of(*codes, **fields)
    asked = [(rubric, rubric.codes)]
    model = reply_model(asked, grouped=grouped)
    for answer in rubric.criteria[0].answers:
        reply = {"any": reply_to(rubric, answer)} if grouped else reply_to(rubric, answer)
        jsonschema.validate(reply, model.model_json_schema())
        found = read_reply(model.model_validate_json(json.dumps(reply)), asked, grouped=grouped)
        assert {said.answer for said in found["any"].values()} == {answer}


def test_a_reply_is_read_back_word_for_word_per_rubric_and_code() -> None:
    accuracy = RUBRICS[0]
    asked = [(accuracy, ("contradicts_policy", "invented_deadline")), (RUBRICS[1], ())]
    model = reply_model(asked, grouped=True)
    said = {
        "reasoning": " Why. ",
        "evidence": [{"message": 4, "quote": " a “b” "}],
        "clause": "R3. x",
        "answer": "present",
    }
    plain = {"reasoning": "", "evidence": [], "answer": "absent"}
    reply = model.model_validate({"accuracy": {"invented_deadline": plain, "contradicts_policy": said}})
    assert read_reply(reply, asked, grouped=True) == {
        "accuracy": {
            "invented_deadline": Answered("absent", "", (), None),
            "contradicts_policy": Answered("present", "Why.", ((4, " a “b” "),), "R3. x"),
        }
    }
    assert json.loads(reply.model_dump_json())["accuracy"]["contradicts_policy"]["answer"] == "present"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda reply: reply.pop("invented_deadline"),
        lambda reply: reply["invented_deadline"].pop("reasoning"),
        lambda reply: reply["invented_deadline"].pop("evidence"),
        lambda reply: reply["invented_deadline"].update(answer="maybe"),
        lambda reply: reply["invented_deadline"].update(answer=None),
        lambda reply: reply["invented_deadline"].update(evidence=[{"message": 1}]),
        lambda reply: reply["contradicts_policy"].pop("clause"),
    ],
)
def test_a_reply_with_anything_missing_or_off_the_scale_is_refused(spoil: Any) -> None:
    accuracy = RUBRICS[0]
    model = reply_model([(accuracy, accuracy.codes)], grouped=False)
    reply = reply_to(accuracy)
    model.model_validate(reply)
    spoil(reply)
    with pytest.raises(ValidationError):
        model.model_validate(reply)


def test_a_reply_that_answers_too_much_is_read_for_what_was_asked() -> None:
    accuracy = RUBRICS[0]
    asked = [(accuracy, accuracy.codes[:1])]
    found = read_reply(reply_model(asked, grouped=False).model_validate(reply_to(accuracy)), asked, grouped=False)
    assert list(found["accuracy"]) == [accuracy.codes[0]]


def test_asking_nothing_unknown_or_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is asked"):
        reply_model([(RUBRICS[0], ())], grouped=True)
    with pytest.raises(RubricError, match="no criterion nonsense"):
        reply_model([(RUBRICS[0], ("nonsense",))], grouped=False)
    twice = [(rubric_of("same", name="a"), ("same",)), (rubric_of("same", name="b"), ("same",))]
    with pytest.raises(ValueError, match="asked twice"):
        reply_model(twice, grouped=False)
    assert reply_model(twice, grouped=True)


def test_the_words_hold_everything_that_the_meaning_hash_covers_and_no_label() -> None:
    for rubric in RUBRICS:
        for criterion in rubric.criteria:
            text = repr(wording(criterion))
            for piece in (criterion.question, criterion.present, criterion.absent, criterion.not_applicable):
                assert piece is None or repr(piece)[1:-1] in text
            for example in criterion.examples:
                assert repr(example.transcript)[1:-1] in text
            if criterion.title not in criterion.question:
                assert criterion.title not in text
