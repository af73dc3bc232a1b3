"""Disagreements as drafts of examples for a rubric: the messages around the quote, the answer that stands, a reason.

An example goes into a committed file and with every prompt to a model: what can be masked by rule is masked, control
and invisible characters are gone, and nobody's message can begin a line of somebody else's. A person edits each draft.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from grader.calibration.disagreements import (
    APPLICABLE,
    FALSE_ALARM,
    MISSED,
    NOT_APPLICABLE,
    OTHER_ANSWER,
    POLICY,
    Disagreement,
    Disagreements,
)
from grader.calibration.masking import Mask, told_names
from grader.model import Conversation, Kind, Message, Role
from grader.rubric import Criterion, Example
from grader.rubric.record import DRAFT
from grader.text import neutralise

SPLIT = "train"  # the only split that a judge may learn from
TAUGHT = (FALSE_ALARM, MISSED, OTHER_ANSWER, NOT_APPLICABLE, APPLICABLE)  # the others are no matter of examples
MESSAGES = 6
_LONGEST = 480  # characters of a message
_LONGEST_WHY = 300
_AROUND = 2_000  # of a text, before what is masked in it changes its length


@dataclass(frozen=True, slots=True)
class Draft:
    """An example for a criterion, and the disagreement that it was made of. `edited`: its reason is a note."""

    item: Disagreement
    example: Example
    edited: bool


def drafts(
    found: Disagreements, conversations: Mapping[str, Conversation], criteria: Mapping[str, Criterion], per_code: int,
    mask: Mask,
) -> dict[str, tuple[Draft, ...]]:  # fmt: skip
    """Code → at most `per_code` drafts, from the directions in turn, the most frequent first. `criteria`: as they stand
    in the file, so that an answer that is none of theirs, and what is an example there already, make no draft.
    """
    if found.splits != (SPLIT,):
        raise AssertionError(f"examples are drafted from {SPLIT} alone")
    by_code: dict[str, list[Sequence[Disagreement]]] = {}
    # What is flagged wrongly, or is not flagged, comes before what is only called not applicable.
    for group in sorted(found.groups, key=lambda g: g.direction not in (FALSE_ALARM, MISSED, OTHER_ANSWER)):
        if group.direction in TAUGHT:
            by_code.setdefault(group.code, []).append(group.items)
    made: dict[str, tuple[Draft, ...]] = {}
    for code, groups in by_code.items():
        criterion = criteria.get(code)
        in_turn = (item for item in chain.from_iterable(zip_longest(*groups)) if item is not None)
        taken: list[Draft] = []
        there = {_bare(e.transcript) for e in criterion.examples} if criterion else set()
        for item in in_turn if criterion else ():
            talk = conversations.get(item.conversation_id)
            if len(taken) == per_code or talk is None or not _fits(item, criterion):
                continue
            one = _draft(item, talk, criterion, mask)
            if one is not None and _bare(one.example.transcript) not in there:
                there.add(_bare(one.example.transcript))
                taken.append(one)
        if taken:
            made[code] = tuple(taken)
    return made


def _bare(transcript: str) -> str:
    """Without numbers: masks count anew in every file."""
    return re.sub(r"\d+", "0", transcript)


def _fits(item: Disagreement, criterion: Criterion | None) -> bool:
    if criterion is None:
        return False
    open_list = criterion.scale == "choice" and criterion.options is None  # filled from grader.toml
    return open_list or item.people_answer in criterion.answers


def _draft(item: Disagreement, talk: Conversation, criterion: Criterion | None, mask: Mask) -> Draft | None:
    if criterion is None or not talk.messages:
        return None
    names = [talk.contact.name] if talk.contact.name else []
    names += told_names(m.text for m in talk.messages if m.role is Role.TOOL)
    quotes = _quotes(item)
    lines = []
    if criterion.cites_policy and (clause := next((q.text for q in item.clauses if q.verified), None)):
        lines.append(f"policy: {_shown(clause, '', mask, names)}")
    for number in _chosen(item, talk.messages, criterion):
        message = talk.messages[number - 1]
        lines += [f"{who}: {_shown(text, quotes.get(number, ''), mask, names)}" for who, text in _said(message)]
    notes = sorted((s.of_all, n) for n, s in enumerate(item.said) if s.note and s.answer == item.people_answer)
    note, vague = (item.said[notes[0][1]].note, notes[0][0]) if notes else (None, False)
    why = _shown(note, "", mask, names, _LONGEST_WHY) if note else _unwritten(item)
    if note and vague:
        why = f"{DRAFT}, the note of a whole row, which may be about another question: {why}"
    example = Example(
        answer=item.people_answer, near_miss=item.direction is not MISSED, transcript="\n".join(lines), why=why
    )
    return Draft(item, example, bool(note) and not vague)


def _unwritten(item: Disagreement) -> str:
    if item.direction is MISSED:
        return f"{DRAFT}, to be written by a person: which words show it, and against what they stand."
    judge, people = (answer.replace("_", " ") for answer in (item.judge_answer, item.people_answer))
    return f"{DRAFT}, to be written by a person: what tempts to answer {judge}, and why it is {people}."


def _quotes(item: Disagreement) -> dict[int, str]:
    """Message → words that must stay in sight, the reviewers' before the judge's."""
    found = {q.message: q.text for q in item.quotes if q.message != POLICY}
    return found | {s.message: s.quote for s in reversed(item.said) if s.message and s.quote}


def _chosen(item: Disagreement, messages: Sequence[Message], criterion: Criterion) -> list[int]:
    """Which messages: what is quoted, the customer's before it, and what stands around, in order."""
    n = len(messages)
    cited = [s.message for s in item.said if s.message and s.answer == item.people_answer]
    cited += [q.message for q in sorted(item.quotes, key=lambda q: not q.verified) if q.message != POLICY]
    cited = [number for number in dict.fromkeys(cited) if 1 <= number <= n]
    if not cited:
        proving = [i for i, m in enumerate(messages, 1) if m.role in criterion.proof]
        cited = [proving[-1] if proving else n]
    first = cited[0]
    asked = [i for i in range(first - 1, 0, -1) if messages[i - 1].role is Role.CUSTOMER][:1]
    around = [first - 1, first - 2, first - 3, first + 1, *range(first - 4, 0, -1), *range(first + 2, n + 1)]
    order = dict.fromkeys([*cited[:2], *asked, *(i for i in around if 1 <= i <= n)])
    return sorted(list(order)[:MESSAGES])


def _said(message: Message) -> list[tuple[str, str]]:
    """(speaker, words) of a message, a tool call each for itself."""
    calls = [("tool_call", f"{c.name} {_arguments(c.arguments)}".strip()) for c in message.tool_calls]
    if not message.text and calls:
        return calls
    who = message.role.value
    if message.kind is Kind.NOTE:
        who = Kind.NOTE.value
    elif message.kind in (Kind.VOICE, Kind.IMAGE, Kind.FILE):
        who += f" ({message.kind.value})"
    return [(who, message.text or "(no text)"), *calls]


def _arguments(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _shown(text: str, quote: str, mask: Mask, names: Sequence[str], longest: int = _LONGEST) -> str:
    """The words on one line, harmless, masked, and cut around the quote where they are long."""
    line, wanted = _one_line(text), _one_line(quote)
    at = max(line.find(wanted), 0) if wanted else 0
    near = line[max(0, at - _AROUND // 2) : at + _AROUND]
    masked = mask(near, names)
    shown_quote = mask(wanted, names)
    at = max(masked.find(shown_quote), 0) if wanted else 0
    return _cut(masked, at, longest, whole=len(near) == len(line))


def _one_line(text: str) -> str:
    plain = neutralise(text)
    return " ".join("".join("\ufffd" if _no_character(c) else c for c in plain).split())


def _no_character(char: str) -> bool:
    """What Unicode keeps for no character at all, and halves of a pair: YAML refuses them."""
    return 0xD800 <= ord(char) <= 0xDFFF or ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF


def _cut(text: str, at: int, longest: int, *, whole: bool) -> str:
    """At most so many characters from around `at`, cut between words where there are any."""
    if len(text) <= longest and whole:
        return text
    start = max(0, min(at - longest // 4, len(text) - longest))
    if start:
        blank = text.find(" ", start, start + 40)
        start = blank + 1 if blank >= 0 else start
    end = min(len(text), start + longest)
    if end < len(text) or not whole:
        blank = text.rfind(" ", max(start, end - 40), end)
        end = blank if blank >= 0 else end
    return f"{'…' if start else ''}{text[start:end].strip()}{'…' if end < len(text) or not whole else ''}"
