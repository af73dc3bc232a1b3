"""Does each quote stand in the message it cites, said by a role that can prove the criterion?

Pure: texts in, findings out. A quote is compared folded (see `grader.text.fold`): Unicode form, white space and
typographic marks do not count, words and case do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from grader.model import Evidence, Kind, Message, Policy, Role, ToolCall
from grader.text import fold, fold_text

# A quote shorter than this says nothing, unless it is the whole message ("ok", an emoji).
MIN_LETTERS = 3
POLICY = 0  # the message number that stands for a clause of the policy

_LETTER = re.compile(r"[^\W_]")
_ESCAPED = re.compile(r'\\(?:(["\\/])|[nrt]|u([0-9a-fA-F]{4}))')
# What judges put around a quote that they cut out of a longer message: marks that say so. One full stop is no such
# mark, since "I can refund you." is not what "I can refund you if" says.
_MARKS = " \t\r\n\"'“”„«»‘’…"
_CUT = ("[...]", "[…]", "(...)", "(…)")
_LAYERS = 4

fold_policy = lru_cache(maxsize=256)(fold_text)  # a handful of long texts, asked for again and again


def written(call: ToolCall) -> str:
    """A tool call as the judge reads it: name and arguments, in the source's own order."""
    arguments = call.arguments
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False) if arguments is not None else ""
    return f"{call.name} {arguments}".strip()


def searchable(message: Message) -> str:
    """All of a message that a quote may come from: its text, then its tool calls, a line each."""
    return "\n".join(text for text, _ in passages(message))


def passages(message: Message) -> Iterator[tuple[str, frozenset[str]]]:
    """Each text of a message that the judge sees apart, with the roles as which it can prove something."""
    if message.text:  # of a tool call too, unless the call itself stands beside it
        yield message.text, says(message.role, Kind.TEXT if message.tool_calls else message.kind)
    for call in message.tool_calls:
        yield written(call), says(message.role, Kind.TOOL_CALL)
    if message.role is Role.TOOL and message.name:
        yield message.name, says(message.role, message.kind)


def says(role: Role, kind: Kind) -> frozenset[str]:
    """The roles as which a message can prove something: a tool call is the agent's own act and a tool's record."""
    if kind is Kind.TOOL_CALL and role is not Role.CUSTOMER:
        return frozenset({role.value, Role.TOOL.value, Role.AI.value})
    return frozenset({role.value})


def readings(quote: str) -> Iterator[str]:
    """The quote folded, then what a judge may have meant by it: without JSON's escapes (it reads tool results inside
    JSON, and copies what it sees), without quotation marks or dots around it. Never other words.
    """
    bare = _ESCAPED.sub(_unescaped, quote) if "\\" in quote else quote
    for text in dict.fromkeys((quote, bare, _inside(bare))):
        if folded := fold_text(text):
            yield folded


def _inside(text: str) -> str:
    for _ in range(_LAYERS):
        text = text.strip(_MARKS)
        for cut in _CUT:
            text = text.removeprefix(cut).removesuffix(cut)
        text = text.lstrip(".") if text.startswith("..") else text
        text = text.rstrip(".") if text.endswith("..") else text
    return text


def _unescaped(match: re.Match[str]) -> str:
    mark, code = match.groups()
    return mark or (chr(int(code, 16)) if code else " ")


def locate(text: str, quote: str) -> tuple[int, int] | None:
    """Where the quote stands in the text, as (start, end) in the original's characters; None when it does not."""
    if not quote or quote.isspace():
        return None
    at = text.find(quote)
    if at >= 0:
        return at, at + len(quote)
    plain = fold_text(text)
    for wanted in readings(quote):
        if wanted in plain:
            folded = fold(text)
            at = folded.text.find(wanted)
            return folded.starts[at], folded.ends[at + len(wanted) - 1]
    return None


def _letters(text: str) -> int:
    return len(_LETTER.findall(text))


class Transcript:
    """A conversation's texts, folded once and only when needed, against which many quotes are checked."""

    def __init__(self, messages: Sequence[Message], policies: Sequence[Policy] = ()) -> None:
        self._messages = messages
        self._policies = policies
        self._folded: dict[int, list[tuple[str, str, frozenset[str]]]] = {}

    def _passages(self, number: int) -> list[tuple[str, str, frozenset[str]]]:
        """(text, folded, roles) of each passage of a message."""
        if number not in self._folded:
            found = passages(self._messages[number - 1])
            self._folded[number] = [(text, fold_text(text), roles) for text, roles in found]
        return self._folded[number]

    def check(self, number: int, quote: str, proof: Collection[str]) -> Evidence:
        """The quote with `verified` set, or with the problem: no_such_message, too_short, not_found, wrong_message
        (it stands elsewhere), wrong_role (it stands there, but the speaker cannot prove this criterion).
        """
        problem = self._problem(number, quote, frozenset(proof))
        return Evidence(message=number, quote=quote, verified=problem is None, problem=problem)

    def _problem(self, number: int, quote: str, proof: frozenset[str]) -> str | None:
        if not 1 <= number <= len(self._messages):
            return "no_such_message"
        there = long_enough = False
        for wanted, (text, folded, roles) in self._places(number, quote):
            there = True
            if (
                wanted == folded
                or _letters(wanted) >= MIN_LETTERS
                or (quote in text and _letters(quote) >= MIN_LETTERS)
            ):
                if roles & proof:
                    return None
                long_enough = True
        if there:
            return "wrong_role" if long_enough else "too_short"
        return "wrong_message" if _letters(quote) >= MIN_LETTERS and self.found_in(quote) is not None else "not_found"

    def _places(self, number: int, quote: str) -> Iterator[tuple[str, tuple[str, str, frozenset[str]]]]:
        """Each passage of the message in which the quote stands, with the reading of it that does."""
        wanted = list(readings(quote))
        for passage in self._passages(number):
            text, folded, _ = passage
            reading = next((w for w in wanted if w in folded), None)
            if reading is None and wanted and quote in text:  # cut in the middle of what Unicode composes
                reading = wanted[0]
            if reading is not None:
                yield reading, passage

    def found_in(self, quote: str) -> int | None:
        """The first message in which the quote stands, for a re-ask that can say where."""
        numbers = range(1, len(self._messages) + 1)
        return next((number for number in numbers if any(self._places(number, quote))), None)

    def check_clause(self, clause: str) -> Evidence:
        """Whether the clause stands word for word in a policy that was in force."""
        problem: str | None = "not_found"
        for wanted in readings(clause):
            if any(wanted in fold_policy(policy.text) for policy in self._policies):
                problem = "too_short" if _letters(wanted) < MIN_LETTERS else None
                break
        if problem == "not_found" and _letters(clause) < MIN_LETTERS:
            problem = "too_short"
        return Evidence(message=POLICY, quote=clause, verified=problem is None, problem=problem)
