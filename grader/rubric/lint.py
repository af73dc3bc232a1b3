"""What is wrong or weak in a rubric that loads: findings with a rule, a level and the thing to do.

An error misleads the judge or the figures; a warning is a place where judges and reviewers are known to disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from grader.model import Answer, Role
from grader.rubric import words
from grader.rubric.record import DRAFT, Criterion, Rubric

Level = Literal["error", "warning"]

_ALIKE_QUESTIONS = 0.5
_ALIKE_DEFINITIONS = 0.4
_SPEAKER = re.compile(r"^\s*([a-z_]+)\s*(?:\([^)]*\))?:", re.MULTILINE)
# Who speaks in an example's line. A tool call is the agent's act and the tool's record, as in evidence.
_SPEAKERS: dict[str, frozenset[str]] = {
    **{role.value: frozenset({role.value}) for role in Role},
    "tool_call": frozenset({"ai", "tool"}),
    "tool_result": frozenset({"tool"}),
    "note": frozenset({"human"}),
    "event": frozenset({"system", "ai"}),
    "policy": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One weakness. `path` leads to it inside the file (as in `("criteria", 2, "question")`)."""

    level: Level
    rule: str
    rubric: str
    criterion: str | None
    message: str
    path: tuple[str | int, ...] = ()


def lint(rubrics: Sequence[Rubric], lists: Mapping[str, Mapping[str, str]] | None = None) -> list[Finding]:
    """Everything found in these rubrics and between them. `lists`: the workspace's options, where they are known."""
    found: list[Finding] = []
    for rubric in rubrics:
        for index, criterion in enumerate(rubric.criteria):
            for level, rule, field, message in _criterion(criterion, lists or {}):
                path: tuple[str | int, ...] = ("criteria", index, *((field,) if field else ()))
                found.append(Finding(level, rule, rubric.reference, criterion.code, message, path))
    found.extend(_between(rubrics))
    return found


_Said = tuple[Level, str, str | None, str]


def _criterion(criterion: Criterion, lists: Mapping[str, Mapping[str, str]]) -> Iterator[_Said]:
    yield from _question(criterion)
    yield from _definitions(criterion) if criterion.scale == "defect" else _options(criterion, lists)
    yield from _vague(criterion)
    yield from _needs_and_proof(criterion)
    yield from _examples(criterion)


def _question(criterion: Criterion) -> Iterator[_Said]:
    question = criterion.question
    if not question.rstrip(" \"'”’)»").endswith(("?", "？", "؟", ";")):
        yield "warning", "no_question", "question", "the question is no question: it does not end with a question mark"
    second = words.asks_twice(question)
    if second:
        yield (
            "error", "double_barrelled", "question",
            f"the question asks two things (“{second}”), and one answer cannot serve both: make two criteria",
        )  # fmt: skip


def _definitions(criterion: Criterion) -> Iterator[_Said]:
    if criterion.present is None:
        yield "error", "missing_present", None, "`present` is missing: nobody can tell what counts as the defect"
    if criterion.absent is None:
        yield "warning", "missing_absent", None, "`absent` is missing: say what looks like the defect and is none"
    if criterion.not_applicable is None:
        yield (
            "error", "missing_not_applicable", None,
            "`not_applicable` is missing: conversations in which it could not happen would count as good ones",
        )  # fmt: skip
    if criterion.present and words.adds(criterion.present, criterion.question) < 3:
        yield "warning", "repeats_question", "present", "`present` only repeats the question: say what must be seen"
    if criterion.absent and words.adds(criterion.absent, criterion.question) < 2:
        yield "warning", "repeats_question", "absent", "`absent` only denies the question: name the cases that tempt"
    if criterion.present and words.likeness(criterion.present, criterion.absent or "") >= 0.7:
        yield "warning", "alike_definitions", "absent", "`present` and `absent` say nearly the same words"


def _options(criterion: Criterion, lists: Mapping[str, Mapping[str, str]]) -> Iterator[_Said]:
    options = criterion.options
    if options is None and criterion.options_from and criterion.options_from in lists:
        options = dict(lists[criterion.options_from])
        for index, example in enumerate(criterion.examples):
            if example.answer not in options and example.answer != Answer.CANNOT_ASSESS:
                off = f"example {index + 1} answers {example.answer!r}"
                of = f"workspace.{criterion.options_from}"
                yield "warning", "example_off_list", "examples", f"{off}, not one of {of}: the judge is not shown it"
    if options is None:
        return
    if len(options) < 2:
        yield "error", "one_option", "options", "a choice with one option asks nothing"
    for option, meaning in options.items():
        if not meaning:
            yield "warning", "option_without_meaning", "options", f"option {option!r} has no meaning written beside it"
    for one, other in combinations(options, 2):
        if words.likeness(options[one], options[other]) >= _ALIKE_QUESTIONS:
            yield "warning", "overlap", "options", f"{one!r} and {other!r} are explained in nearly the same words"


def _vague(criterion: Criterion) -> Iterator[_Said]:
    texts = {
        "question": criterion.question,
        "present": criterion.present,
        "absent": criterion.absent,
        "not_applicable": criterion.not_applicable,
        "options": " / ".join((criterion.options or {}).values()),
    }
    for field, text in texts.items():
        for word in words.vague(text or ""):
            yield (
                "warning",
                "vague_word",
                field,
                f"“{word}” is weighed differently by every reader: say what can be seen",
            )


def _needs_and_proof(criterion: Criterion) -> Iterator[_Said]:
    proof = set(criterion.proof)
    odd = sorted(proof & {Role.SYSTEM, Role.UNKNOWN})
    if odd:
        yield (
            "warning",
            "odd_proof",
            "proof",
            f"the words of {' and '.join(odd)} prove nothing about a person or an agent",
        )
    if criterion.cites_policy and "policy" not in criterion.needs:
        yield "warning", "cites_without_policy", "cites_policy", "it cites a policy, so write `needs: [policy]`"
    if criterion.cites_policy and not proof & {Role.AI, Role.HUMAN, Role.TOOL}:
        yield (
            "warning",
            "odd_proof",
            "proof",
            "a policy binds the agent and its colleagues, whose words cannot prove it here",
        )
    if proof == {Role.HUMAN} and "human_turns" not in criterion.needs:
        yield "warning", "odd_proof", "proof", "only a human's words can prove it, so write `needs: [human_turns]`"
    if proof == {Role.TOOL} and "tool_results" not in criterion.needs:
        yield "warning", "odd_proof", "proof", "only tool results can prove it, so write `needs: [tool_results]`"


def _examples(criterion: Criterion) -> Iterator[_Said]:
    examples = criterion.examples
    if not examples:
        yield "error", "no_examples", None, "there is no example: write two at least, one of them a near miss"
        return
    if len(examples) < 2:
        yield "warning", "few_examples", "examples", "there is one example: write two at least"
    if not any(example.near_miss for example in examples):
        yield (
            "warning",
            "no_near_miss",
            "examples",
            "no example is a near miss (`near_miss: true`), where judges err most",
        )
    if criterion.scale == "defect":
        for answer in (Answer.PRESENT, Answer.ABSENT):
            if len(examples) > 1 and all(example.answer != answer for example in examples):
                yield "warning", "one_sided_examples", "examples", f"no example answers {answer}"
    seen: dict[str, str] = {}
    for number, example in enumerate(examples, start=1):
        if not example.why:
            yield "warning", "example_without_why", "examples", f"example {number} does not say why"
        elif example.why.startswith(DRAFT):
            yield "warning", "draft_example", "examples", f"example {number} is a draft: write why its answer is right"
        other = seen.setdefault(" ".join(example.transcript.split()), example.answer)
        if other != example.answer:
            yield "error", "same_example", "examples", f"example {number} is the text of another, with another answer"
        yield from _speakers(number, example.transcript, example.answer, criterion)


def _speakers(number: int, transcript: str, answer: str, criterion: Criterion) -> Iterator[_Said]:
    names = _SPEAKER.findall(transcript)
    unknown = sorted({name for name in names if name not in _SPEAKERS})
    if not names or unknown:
        who = f"“{unknown[0]}:” is no speaker" if unknown else "no line says who speaks"
        known = ", ".join(_SPEAKERS)
        yield "warning", "example_speaker", "examples", f"example {number}: {who} (begin lines with one of {known})"
    elif answer == Answer.PRESENT and not any(_SPEAKERS[name] & set(criterion.proof) for name in names):
        who = " or ".join(criterion.proof)
        yield "warning", "example_unproved", "examples", f"example {number} is present, but no {who} in it proves it"


def _between(rubrics: Sequence[Rubric]) -> Iterator[Finding]:
    """Criteria that two reviewers would take for each other. Versions of one rubric are not compared."""
    everyone = [
        (rubric, index, criterion) for rubric in rubrics for index, criterion in enumerate(rubric.criteria)
    ]  # fmt: skip
    for (one, _, a), (other, index, b) in combinations(everyone, 2):
        if one is not other and one.name == other.name:
            continue
        path = ("criteria", index, "question")
        name = a.code if one is other else f"{one.name}.{a.code}"
        if a.code == b.code:
            message = f"{one.name} has the code {a.code} too: figures by code would be taken for each other"
            yield Finding("warning", "same_code", other.reference, b.code, message, ("criteria", index, "code"))
        part, alike = _likest(a, b)
        if alike:
            message = f"its {part} and that of {name} share {alike:.0%} of their words: which one is meant when?"
            yield Finding("warning", "overlap", other.reference, b.code, message, path)


def _likest(a: Criterion, b: Criterion) -> tuple[str, float]:
    """The part in which two criteria are too much alike and how much (0: none)."""
    questions = words.likeness(a.question, b.question)
    definitions = words.likeness(a.present, b.present) if a.present and b.present else 0.0
    whole = words.likeness(_all_words(a), _all_words(b))
    likest = max(
        ("question", questions, _ALIKE_QUESTIONS), ("definition", definitions, _ALIKE_DEFINITIONS),
        ("wording", whole, _ALIKE_DEFINITIONS), key=lambda part: part[1] - part[2],
    )  # fmt: skip
    return (likest[0], likest[1]) if likest[1] >= likest[2] else ("", 0.0)


def _all_words(criterion: Criterion) -> str:
    pieces: Iterable[str | None] = (criterion.question, criterion.present, *(criterion.options or {}).values())
    return " ".join(piece for piece in pieces if piece)
