"""What a reviewer reads: the conversation, the policies in force, the questions with their answers. Nothing else.

This module is given conversations, policies and rubrics; verdicts, strata and chances do not reach it, so that they
cannot leak. What a reviewer reads says neither which conversation it is nor where else it is to be found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from grader.labelling.plan import Question
from grader.model import Conversation, Event, Kind, Message, Policy, digest
from grader.prompt.transcript import call_text
from grader.rubric import Rubric, wording
from grader.text import neutralise

_INDENT = "      "
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CANNOT_ASSESS = "what is needed to answer is not there"


@dataclass(frozen=True, slots=True)
class FormQuestion:
    """A question as it is put: its answers with what they mean ("" where nothing is written)."""

    name: str
    rubric: str
    question: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FormItem:
    """One conversation to label: its text, and which questions are asked about it."""

    item_id: str
    text: str
    asked: tuple[str, ...]

    @property
    def text_hash(self) -> str:
        """Tells whether what was read is what is stored. Copies of one text have different ones."""
        return text_hash(self.item_id, self.text)


@dataclass(frozen=True, slots=True)
class Form:
    """What one reviewer is given. `form_id` names the plan without saying anything of it. `n_gone`: conversations that
    should be in it, and are gone or changed.
    """

    form_id: str
    reviewer: str | None
    questions: tuple[FormQuestion, ...]
    items: tuple[FormItem, ...]
    n_gone: int = 0


def text_hash(item_id: str, text: str) -> str:
    """Of the words alone: spreadsheets change line ends and blanks."""
    return digest("tx", [item_id, "".join(text.split())])


def put(questions: Sequence[Question], rubrics: Mapping[str, Rubric]) -> tuple[FormQuestion, ...]:
    """The questions as reviewers are asked them, in the words that the judge was asked in."""
    found = []
    for q in questions:
        told = wording(rubrics[q.rubric].criterion(q.criterion))
        answers = tuple((a, meaning or (_CANNOT_ASSESS if a == "cannot_assess" else "")) for a, meaning in told.answers)
        found.append(FormQuestion(q.name, f"{q.rubric}@{q.rubric_version} {q.rubric_hash}", told.question, answers))
    return tuple(found)


def text_of(conversation: Conversation, policies: Iterable[Policy]) -> str:
    """The conversation as a person reads it, a message a line, then the policies that were in force.

    A text of several lines is indented, so that nobody can write a message of somebody else's into it.
    """
    began = conversation.happened_at
    head = [conversation.channel, conversation.queue and f"queue {conversation.queue}", began and _time(began, None)]
    lines = [" · ".join(neutralise(" ".join(part.split())) for part in head if part)]
    if not conversation.has_tools:
        lines.append("(no tool calls are recorded)")
    if conversation.truncated:
        lines.append("(the source has cut messages off)")
    waiting = sorted(conversation.events, key=lambda event: event.after)
    for number, message in enumerate(conversation.messages, 1):
        while waiting and waiting[0].after < number:
            lines.append(_event(waiting.pop(0)))
        lines.append(_message(number, message, began))
    lines += [_event(event) for event in waiting]
    on = began.date() if began else None
    for policy in policies:
        if policy.in_force(conversation.queue, on):
            title = policy.title or policy.policy_id
            lines.append(f"\nPolicy in force: {_indented(title)}\n{_INDENT}{_indented(policy.text)}")
    return "\n".join(line for line in lines if line).strip()


def _message(number: int, message: Message, began: datetime | None) -> str:
    what = message.role.value if message.kind is Kind.TEXT else f"{message.role.value}, {message.kind.value}"
    if message.name:
        what += f" {' '.join(neutralise(message.name).split())}"
    if message.is_error:
        what += ", error"
    at = f" {_time(message.at, began)}" if message.at else ""
    said = [message.text] if message.text else []
    said += [call_text(call) for call in message.tool_calls]
    return f"[{number}]{at} {what}: {_indented(chr(10).join(said))}".rstrip()


def _event(event: Event) -> str:
    sides = [side.value for side in (event.from_role, event.to_role) if side]
    told = (
        f"-- {event.kind}" + (f" ({' to '.join(sides)})" if sides else "") + (f": {event.note}" if event.note else "")
    )
    return _indented(told)


def _indented(text: str) -> str:
    return neutralise(text).strip().replace("\n", f"\n{_INDENT}")


def _time(at: datetime, began: datetime | None) -> str:
    """In the zone in which the conversation began; the day only where it is another one."""
    if began is not None and began.tzinfo is not None:
        with suppress(OverflowError):  # the first or the last day of the calendar
            at = at.astimezone(began.tzinfo)
        if at.date() == began.date():
            return f"{at:%H:%M}"
    return f"{_DAYS[at.weekday()]} {at:%Y-%m-%d %H:%M}"
