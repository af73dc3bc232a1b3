"""Does each quote stand in the message it cites, said by a role that can prove the criterion?

Pure: texts in, findings out. A quote is compared folded (see `grader.text.fold`): Unicode form, white space and
typographic marks do not count, words and case do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

from grader.model import Evidence, Kind, Message, Policy, Role, ToolCall
from grader.text import fold, fold_text

# A quote shorter than this says nothing, unless it is the whole message ("ok", an emoji).
MIN_LETTERS = 3
POLICY = 0  # the message number that stands for a clause of the policy

_LETTER = re.compile(r"[^\W_]")


def written(call: ToolCall) -> str:
    """A tool call as the judge reads it: name and arguments, in the source's own order."""
    arguments = call.arguments
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False) if arguments is not None else ""
    return f"{call.name} {arguments}".strip()


def searchable(message: Message) -> str:
    """All of a message that a quote may come from: its text, then its tool calls, a line each."""
    parts = [message.text] if message.text else []
    parts += [written(call) for call in message.tool_calls]
    if message.role is Role.TOOL and message.name:
        parts.append(message.name)
    return "\n".join(parts)


def locate(text: str, quote: str) -> tuple[int, int] | None:
    """Where the quote stands in the text, as (start, end) in the original's characters; None when it does not."""
    wanted = fold_text(quote)
    if not wanted or wanted not in fold_text(text):
        return None
    folded = fold(text)
    at = folded.text.find(wanted)
    if at < 0:
        return None
    return folded.starts[at], folded.ends[at + len(wanted) - 1]


def says(role: Role, kind: Kind) -> frozenset[str]:
    """The roles as which a message can prove something: a tool call is the agent's own act and a tool's record."""
    if kind is Kind.TOOL_CALL:
        return frozenset({role.value, Role.TOOL.value, Role.AI.value})
    return frozenset({role.value})


def _letters(text: str) -> int:
    return len(_LETTER.findall(text))


class Transcript:
    """A conversation's texts, folded once, against which many quotes are checked."""

    def __init__(self, messages: Sequence[Message], policies: Sequence[Policy] = ()) -> None:
        self._messages = messages
        self._policies = policies
        self._folded: dict[int, str] = {}

    def _fold(self, number: int) -> str:
        if number not in self._folded:
            self._folded[number] = fold_text(searchable(self._messages[number - 1]))
        return self._folded[number]

    def check(self, number: int, quote: str, proof: Collection[str]) -> Evidence:
        """The quote with `verified` set, or with the problem: no_such_message, too_short, not_found, wrong_message
        (it stands elsewhere), wrong_role (it stands there, but the speaker cannot prove this criterion).
        """
        wanted = fold_text(quote)
        problem: str | None = None
        if not 1 <= number <= len(self._messages):
            problem = "no_such_message"
        elif wanted not in self._fold(number) or not wanted:
            elsewhere = bool(wanted) and any(wanted in self._fold(n) for n in range(1, len(self._messages) + 1))
            problem = "wrong_message" if elsewhere and _letters(wanted) >= MIN_LETTERS else "not_found"
        elif _letters(wanted) < MIN_LETTERS and wanted != self._fold(number):
            problem = "too_short"
        else:
            message = self._messages[number - 1]
            if not says(message.role, message.kind if not message.tool_calls else Kind.TOOL_CALL) & set(proof):
                problem = "wrong_role"
        return Evidence(message=number, quote=quote, verified=problem is None, problem=problem)

    def found_in(self, quote: str) -> int | None:
        """The first message in which the quote stands, for a re-ask that can say where."""
        wanted = fold_text(quote)
        if not wanted:
            return None
        return next((n for n in range(1, len(self._messages) + 1) if wanted in self._fold(n)), None)

    def check_clause(self, clause: str) -> Evidence:
        """Whether the clause stands word for word in a policy that was in force."""
        wanted = fold_text(clause)
        if _letters(wanted) < MIN_LETTERS:
            problem: str | None = "too_short"
        else:
            problem = None if any(wanted in fold_text(p.text) for p in self._policies) else "not_found"
        return Evidence(message=POLICY, quote=clause, verified=problem is None, problem=problem)
