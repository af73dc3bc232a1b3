"""From a criterion's scale: the words that the prompt shows, and the answers that the reply's schema allows.

Both come from here and from nowhere else, so that the judge is never told one thing and held to another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from grader.model import Answer
from grader.rubric.record import DEFECT_ANSWERS, Criterion, Rubric

MOST_QUOTES = 3  # of one answer, as the prompt says


@dataclass(frozen=True, slots=True)
class ExampleWording:
    """One example as the judge reads it."""

    answer: str
    transcript: str
    why: str


@dataclass(frozen=True, slots=True)
class Wording:
    """One criterion as the judge reads it. `answers` are pairs of answer and meaning ("" where none is written)."""

    code: str
    scale: str
    question: str
    answers: tuple[tuple[str, str], ...]
    quotes_from: tuple[str, ...]
    cites_policy: bool
    examples: tuple[ExampleWording, ...]
    shape: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a reply says of one criterion. `clause` is None where none was asked for or given."""

    answer: str
    reasoning: str
    evidence: tuple[tuple[int, str], ...]
    clause: str | None


def answers(criterion: Criterion) -> tuple[str, ...]:
    """The answers that the criterion's scale allows, in order. RubricError where its options are not filled in."""
    return criterion.answers


def wording(criterion: Criterion) -> Wording:
    """The text pieces that a prompt shows of this criterion."""
    if criterion.scale == "defect":
        meanings = {
            Answer.PRESENT.value: criterion.present or "",
            Answer.ABSENT.value: criterion.absent or "",
            Answer.NOT_APPLICABLE.value: criterion.not_applicable or "",
        }
    else:
        meanings = dict(criterion.options or {})
    meanings[Answer.CANNOT_ASSESS.value] = ""  # the same everywhere: the instructions say it once
    return Wording(
        code=criterion.code,
        scale=criterion.scale,
        question=criterion.question,
        answers=tuple((answer, meanings[answer]) for answer in criterion.answers),
        quotes_from=tuple(role.value for role in criterion.proof),
        cites_policy=criterion.cites_policy,
        examples=tuple(ExampleWording(e.answer, e.transcript, e.why) for e in criterion.examples),
        shape=_shape(criterion),
    )


def _shape(criterion: Criterion) -> str:
    clause = '"clause": "…", ' if criterion.cites_policy else ""
    allowed = json.dumps(" | ".join(criterion.answers), ensure_ascii=False)
    return f'{{"reasoning": "…", "evidence": [{{"message": 1, "quote": "…"}}], {clause}"answer": {allowed}}}'


def applicable(
    criteria: Iterable[Criterion], *, has_tools: bool, has_policy: bool, has_human: bool, has_handoff: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Which codes to ask, and the answers that follow without asking.

    A criterion whose need is not met is `cannot_assess`. One that needs human turns is `not_applicable` where there was
    no hand-off at all (a choice: `cannot_assess`, which is on every scale).
    """
    ask: list[str] = []
    ruled: dict[str, str] = {}
    for criterion in criteria:
        unmet = {
            "tool_results": not has_tools, "policy": not has_policy, "human_turns": not has_human,
        }  # fmt: skip
        if not any(unmet[need] for need in criterion.needs):
            ask.append(criterion.code)
        elif "human_turns" in criterion.needs and not has_human and not has_handoff and criterion.scale == "defect":
            ruled[criterion.code] = Answer.NOT_APPLICABLE.value
        else:
            ruled[criterion.code] = Answer.CANNOT_ASSESS.value
    return tuple(ask), ruled


Asked = Sequence[tuple[Rubric, Sequence[str]]]


def reply_model(rubrics: Asked, *, base: type[BaseModel] = BaseModel, grouped: bool) -> type[BaseModel]:
    """The reply's schema: one required field per code, an object of `reasoning`, `evidence`, (`clause`,) `answer`.

    `grouped` puts one field per rubric at the top. Rubrics without codes are left out. The same rubrics, codes and base
    give the same class object. Fields are known by alias (any code works, `copy` and `schema` too): read a reply with
    `read_reply`. Raises RubricError for an unknown code, ValueError where nothing is asked or codes collide.
    """
    shape = tuple(
        (r.name, tuple(_slot(r.criterion(code)) for code in _in_order(r, codes))) for r, codes in rubrics if codes
    )
    flat = [slot[0] for _, slots in shape for slot in slots]
    names = [name for name, _ in shape] if grouped else flat
    if not names:
        raise ValueError("nothing is asked")
    if len(set(names)) < len(names):
        raise ValueError(f"asked twice in one reply: {', '.join(sorted({n for n in names if names.count(n) > 1}))}")
    return _model(shape, base, grouped)


def reply_schema(model: type[BaseModel], *, bounded: bool) -> dict[str, Any]:
    """The JSON Schema of a reply model. `bounded` says in it how many quotes an answer may have at most: small models
    fill an open list until the token limit. Replies are not held to it, and some endpoints refuse the keyword.
    """
    schema = model.model_json_schema()
    for part in schema.get("$defs", {}).values() if bounded else ():
        if "evidence" in part.get("properties", {}):
            part["properties"]["evidence"]["maxItems"] = MOST_QUOTES
    return schema


def read_reply(reply: BaseModel, rubrics: Asked, *, grouped: bool) -> dict[str, dict[str, Answered]]:
    """A reply of `reply_model(rubrics, grouped=grouped)` as rubric name → code → what it says."""
    data: dict[str, Any] = reply.model_dump(by_alias=True)
    found: dict[str, dict[str, Answered]] = {}
    for rubric, codes in rubrics:
        if codes:
            part = data[rubric.name] if grouped else data
            found[rubric.name] = {code: _answered(part[code]) for code in _in_order(rubric, codes)}
    return found


def _answered(said: dict[str, Any]) -> Answered:
    return Answered(
        answer=said["answer"],
        reasoning=said["reasoning"].strip(),
        evidence=tuple((item["message"], item["quote"]) for item in said["evidence"]),
        clause=(said.get("clause") or "").strip() or None,
    )


def _in_order(rubric: Rubric, codes: Sequence[str]) -> tuple[str, ...]:
    """The codes in the rubric's order, so that the same set gives the same schema."""
    wanted = set(codes)
    for code in wanted.difference(rubric.codes):
        rubric.criterion(code)  # raises
    return tuple(code for code in rubric.codes if code in wanted)


_Slot = tuple[str, tuple[str, ...], bool]  # code, answers, cites_policy
_Shape = tuple[tuple[str, tuple[_Slot, ...]], ...]


def _slot(criterion: Criterion) -> _Slot:
    return criterion.code, criterion.answers, criterion.cites_policy


def _plain(schema: dict[str, Any]) -> None:
    """Every key required, none besides; titles dropped, which only cost tokens."""
    schema["additionalProperties"] = False
    for value in schema.get("properties", {}).values():
        value.pop("title", None)


# A key too many in a reply is ignored: it makes no verdict, and asking again would cost a call. The schema forbids it.
_CONFIG = ConfigDict(extra="ignore", frozen=True, json_schema_extra=_plain, serialize_by_alias=True)


class Quote(BaseModel):  # noqa: D101  a docstring would reach the judge as the schema's description
    model_config = _CONFIG
    message: int
    quote: str


@lru_cache(maxsize=256)
def _criterion_model(allowed: tuple[str, ...], cites_policy: bool, name: str) -> type[BaseModel]:
    fields: dict[str, Any] = {"reasoning": (str, ...), "evidence": (list[Quote], ...)}
    if cites_policy:
        fields["clause"] = (str, ...)
    fields["answer"] = (Literal[allowed], ...)
    return create_model(name, __config__=_CONFIG, **fields)


@lru_cache(maxsize=256)
def _model(shape: _Shape, base: type[BaseModel], grouped: bool) -> type[BaseModel]:
    configured = type("Reply", (base,), {"model_config": _CONFIG, "__module__": __name__})
    if not grouped:
        return _fields("Reply", configured, {slot[0]: _answer_model(slot) for _, slots in shape for slot in slots})
    parts = {
        name: _fields(f"Rubric{index}", _Configured, {slot[0]: _answer_model(slot) for slot in slots})
        for index, (name, slots) in enumerate(shape, start=1)
    }
    return _fields("Reply", configured, parts)


class _Configured(BaseModel):
    model_config = _CONFIG


def _answer_model(slot: _Slot) -> type[BaseModel]:
    code, allowed, cites_policy = slot
    kind = "Defect" if allowed == DEFECT_ANSWERS else f"Choice_{code}"
    return _criterion_model(allowed, cites_policy, f"{kind}WithClause" if cites_policy else kind)


def _fields(name: str, base: type[BaseModel], models: dict[str, type[BaseModel]]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        f"f{index}": (model, Field(alias=alias)) for index, (alias, model) in enumerate(models.items(), start=1)
    }
    return create_model(name, __base__=base, **fields)
