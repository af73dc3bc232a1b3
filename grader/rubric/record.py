"""A rubric as a frozen record, with two fingerprints: of what reaches the judge, and of what only people see.

A record that exists is consistent: codes are unique, a choice has its options, examples answer on the scale. How a file
becomes one stands in `load`; what the judge reads of one stands in `wording`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar

from pydantic import StringConstraints, ValidationError, field_validator, model_validator

from grader.errors import RubricError
from grader.model import Answer, Record, Role, Text, digest

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
Need = Literal["tool_results", "policy", "human_turns"]
NEEDS: tuple[Need, ...] = ("tool_results", "policy", "human_turns")

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
VERSION = re.compile(r"^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})$", re.ASCII)
Version = Annotated[str, StringConstraints(pattern=VERSION.pattern)]

DRAFT = "DRAFT"  # what the `why` of an example begins with that was drafted, and that nobody has written yet
DEFECT_ANSWERS: tuple[str, ...] = tuple(answer.value for answer in Answer)
_MAX_OPTION = 80
_R = TypeVar("_R", bound=Record)


class MisplacedError(ValueError):
    """A complaint that a record makes about a field further down; `path` leads there."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


class Example(Record):
    """A short transcript with its right answer. A near miss is tempting, and the answer is not what it looks like."""

    answer: Text
    near_miss: bool = False
    transcript: Text
    why: str = ""


class Criterion(Record):
    """One question. `proof` names the roles whose words can prove it; `needs`, what must be there to assess it."""

    code: Code
    title: str = ""
    severity: Severity = "medium"
    scale: Literal["defect", "choice"] = "defect"
    question: Text
    present: Text | None = None
    absent: Text | None = None
    not_applicable: Text | None = None
    options: dict[str, str] | None = None
    options_from: Code | None = None
    needs: tuple[Need, ...] = ()
    proof: tuple[Role, ...] = (Role.AI, Role.HUMAN, Role.CUSTOMER, Role.TOOL)
    cites_policy: bool = False
    examples: tuple[Example, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            data = dict(data)
            if "scale" not in data and (data.get("options") is not None or data.get("options_from") is not None):
                data["scale"] = "choice"
            if not data.get("title") and isinstance(data.get("code"), str):
                data["title"] = _readable(data["code"])
        return data

    @field_validator("title")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return " ".join(value.split())

    @field_validator("needs", "proof")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            if value.count(item) > 1:
                raise ValueError(f"{item} is named twice")
        return value

    @field_validator("proof")
    @classmethod
    def _provable(cls, value: tuple[Role, ...]) -> tuple[Role, ...]:
        if not value:
            raise ValueError("is empty: nobody's words could ever prove it")
        return value

    @field_validator("options")
    @classmethod
    def _named_well(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        if value is None:
            return None
        if not value:
            raise ValueError("no option is named")
        seen: dict[str, str] = {}
        for option in value:
            if option != option.strip() or not option or len(option) > _MAX_OPTION or not option.isprintable():
                raise ValueError(f"{option!r} is no option: one line of 1 to {_MAX_OPTION} characters is")
            if option.casefold() == Answer.CANNOT_ASSESS:
                raise ValueError("cannot_assess is an answer of every criterion; leave it out")
            other = seen.setdefault(option.casefold(), option)
            if other != option:
                raise ValueError(f"{other!r} and {option!r} differ only in capitals")
        return {option: meaning.strip() for option, meaning in value.items()}

    @model_validator(mode="after")
    def _consistent(self) -> Criterion:
        if self.scale == "choice":
            for field in ("present", "absent", "not_applicable"):
                if getattr(self, field) is not None:
                    raise ValueError(f"a choice has options, not `{field}`")
            if self.options is None and self.options_from is None:
                raise ValueError("a choice needs `options` (option: meaning) or `options_from` (a list of grader.toml)")
        elif self.options is not None or self.options_from is not None:
            raise ValueError("a defect has no options; leave `scale` out or write `scale: choice`")
        if self.scale == "defect" or self.options is not None:
            for index, example in enumerate(self.examples):
                if example.answer not in self.answers:
                    said = f"{example.answer!r} is none of {', '.join(self.answers)}"
                    raise MisplacedError(said, "examples", index, "answer")
        return self

    @property
    def answers(self) -> tuple[str, ...]:
        """What a judge or a reviewer may answer. A choice whose options are not filled in yet has none."""
        if self.scale == "defect":
            return DEFECT_ANSWERS
        if self.options is None:
            raise RubricError(
                f"criterion {self.code} has no options: the list {self.options_from} is not known",
                cure=f"name the options under [workspace.{self.options_from}] in grader.toml",
            )
        return (*self.options, Answer.CANNOT_ASSESS.value)

    def meaning(self) -> dict[str, Any]:
        """What reaches the judge, as plain data. The order of options counts: it is the order that the judge reads."""
        return {
            "code": self.code,
            "scale": self.scale,
            "question": self.question,
            "definitions": [self.present, self.absent, self.not_applicable],
            "options": None if self.options is None else [list(pair) for pair in self.options.items()],
            "options_from": self.options_from if self.options is None else None,
            "needs": sorted(self.needs),
            "proof": sorted(self.proof),
            "cites_policy": self.cites_policy,
            "examples": [[e.answer, e.near_miss, e.transcript, e.why] for e in self.examples],
        }


class Rubric(Record):
    """One dimension in one version: criteria in the order in which the judge answers them."""

    name: Name
    version: Version
    title: str = ""
    description: str = ""
    criteria: tuple[Criterion, ...]

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and not data.get("title") and isinstance(data.get("name"), str):
            return {**data, "title": _readable(data["name"])}
        return data

    @model_validator(mode="after")
    def _codes_unique(self) -> Rubric:
        if not self.criteria:
            raise MisplacedError("is empty: a rubric has one criterion at least", "criteria")
        seen: set[str] = set()
        for index, criterion in enumerate(self.criteria):
            if criterion.code in seen:
                raise MisplacedError(f"two criteria have the code {criterion.code}", "criteria", index, "code")
            seen.add(criterion.code)
        return self

    @property
    def reference(self) -> str:
        """`name@version`, as the command line takes it."""
        return f"{self.name}@{self.version}"

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes in order."""
        return tuple(criterion.code for criterion in self.criteria)

    def criterion(self, code: str) -> Criterion:
        """The criterion of this code, or a RubricError."""
        for criterion in self.criteria:
            if criterion.code == code:
                return criterion
        raise RubricError(f"rubric {self.reference} has no criterion {code}")

    @property
    def lists_needed(self) -> tuple[str, ...]:
        """The workspace's lists whose options are not filled in yet."""
        return tuple(dict.fromkeys(c.options_from for c in self.criteria if c.options_from and c.options is None))

    def with_options(self, lists: Mapping[str, Mapping[str, str]]) -> Rubric:
        """This rubric with each `options_from` filled from `lists`. Filled options belong to the meaning.

        Examples of a filled criterion whose answer is not in the list fall away: a shop's examples must not teach an
        airline's judge. Raises RubricError where a list is missing.
        """
        if all(c.options_from is None for c in self.criteria):
            return self
        filled = []
        for criterion in self.criteria:
            if criterion.options_from is None:
                filled.append(criterion)
                continue
            options = lists.get(criterion.options_from)
            if not options:
                raise RubricError(
                    f"criterion {criterion.code} of rubric {self.reference} takes its options from "
                    f"{criterion.options_from}, which is empty or not set",
                    field=f"criteria.{criterion.code}.options_from",
                    cure=f"write them under [workspace.{criterion.options_from}] in grader.toml: reason = meaning",
                )
            kept = tuple(e for e in criterion.examples if e.answer in options or e.answer == Answer.CANNOT_ASSESS)
            try:
                filled.append(_replaced(criterion, options=dict(options), examples=kept))
            except ValidationError as error:
                what = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
                raise RubricError(
                    f"the list {criterion.options_from} cannot be the options of {criterion.code}: {what}",
                    cure=f"mend [workspace.{criterion.options_from}] in grader.toml",
                ) from error
        return _replaced(self, criteria=tuple(filled))

    @cached_property
    def meaning_hash(self) -> str:
        """Identity of what reaches the judge. Titles, severity, description, version and comments do not count."""
        return digest("ru", [self.name, [criterion.meaning() for criterion in self.criteria]])

    @cached_property
    def label_hash(self) -> str:
        """Identity of what only people see: titles, description, severity."""
        return digest("rl", [self.title, self.description, {c.code: [c.title, c.severity] for c in self.criteria}])


def version_key(version: str) -> tuple[int, int, int]:
    """For sorting; a text that is no version raises RubricError."""
    match = VERSION.fullmatch(version)
    if match is None:
        raise RubricError(f"{version!r} is no version", cure="write three numbers, as in 1.0.0")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def _readable(code: str) -> str:
    words = code.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _replaced(record: _R, **changes: Any) -> _R:
    """A validated copy with some fields changed, without the fingerprints that the original has cached."""
    fields = {name: getattr(record, name) for name in type(record).model_fields}
    return type(record)(**{**fields, **changes})
