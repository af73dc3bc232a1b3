"""A conversation as the detectors see it: who said what in words, what each tool was asked and answered, and when a
human took over. Built once per case; every detector is a pure function of it.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from grader.evidence import Transcript
from grader.judge.signals import agent_words, customer_words, policy_words
from grader.judge.signals.amounts import numbers_in
from grader.judge.signals.language import Language, language_of
from grader.judge.signals.times import Mention, iso_days, mentions
from grader.judge.signals.words import Words, read
from grader.model import Conversation, JsonValue, Kind, Message, Policy, Role, ToolCall

Purpose = Literal["transfer", "ticket", "change", "look"]

_TRANSFER = re.compile(r"transfer|hand_?-?(?:off|over)|escalat|escalar|derivar|to_human|live_?agent|atendente", re.I)
_TICKET = re.compile(r"ticket|case|chamado|incidenc|call_?back|complaint|reclam|notify_team|log_issue", re.I)
_CHANGE = re.compile(
    r"(?:^|[_\-.])(?:create|cancel|update|modify|change|delete|exchange|return|refund|place|add|remove|apply|book|register|"
    r"set|send|issue|submit|redirect|reschedule|replace|criar|cancelar|atualizar|trocar|devolver|crear|actualizar|cambiar)"
    r"(?:[_\-.]|$)",
    re.I,
)
_LOOK = re.compile(r"^(?:get|find|track|check|search|list|look_?up|lookup|fetch|read|query|calculate|think|show)", re.I)
_FAILED = frozenset({"error", "failed", "failure", "rejected", "denied", "ko"})
_REFUSED = re.compile(r"^\W*(?:error|failed|exception|not found|erro|falha)\b", re.I)
_EMPTY = frozenset({"orders", "results", "items", "data", "matches", "records", "shipments", "payments", "pedidos"})
_DATED = 2_000  # characters of a text in which dates are looked for
_SUMS = 1e12
_MAX_LEAVES = 5_000
_MAX_DEPTH = 40


class Leaf(NamedTuple):
    """One value of a tool's JSON: where it stands (`orders.0.status`, lower case), under which name, and what it is."""

    path: str
    key: str
    value: JsonValue


@dataclass(frozen=True)
class Use:
    """A tool call, and its result where one came. `number` is the call's message; a result has its own."""

    number: int
    name: str
    purpose: Purpose
    arguments: tuple[Leaf, ...]
    arguments_text: str
    result_number: int | None = None
    leaves: tuple[Leaf, ...] = ()
    result_text: str = ""
    failed: bool = False
    empty: bool = False

    @cached_property
    def _by_key(self) -> dict[str, list[Leaf]]:
        found: dict[str, list[Leaf]] = {}
        for leaf in self.leaves:
            found.setdefault(leaf.key, []).append(leaf)
        return found

    def at(self, *keys: str) -> list[Leaf]:
        """The result's values under these names."""
        return [leaf for key in keys for leaf in self._by_key.get(key, ())]

    @cached_property
    def texts(self) -> list[Leaf]:
        """The result's values that are texts."""
        return [leaf for leaf in self.leaves if isinstance(leaf.value, str)]

    @cached_property
    def days(self) -> frozenset[date]:
        """The days that the result names as ISO dates."""
        return frozenset(day for leaf in self.texts for day in iso_days(leaf.value[:_DATED]))

    @cached_property
    def amounts(self) -> frozenset[float]:
        """The result's numbers that may be sums of money."""
        return frozenset(
            float(leaf.value) for leaf in self.leaves
            if isinstance(leaf.value, (int, float)) and not isinstance(leaf.value, bool) and abs(leaf.value) < _SUMS
        )  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A message with words for the customer, or of the customer's."""

    number: int
    role: Role
    kind: Kind
    words: Words

    @cached_property
    def times(self) -> list[Mention]:
        """The dates, weekdays and lengths that it names."""
        return mentions(self.words)

    @cached_property
    def numbers(self) -> frozenset[float]:
        """All numbers that it names."""
        return frozenset(numbers_in(self.words.text))


@dataclass(frozen=True, slots=True)
class Quote:
    """What is offered as evidence."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """A detector's answer. `why` is one sentence; `clause` the policy's own words, where a rule is broken."""

    answer: str
    why: str
    quotes: tuple[Quote, ...] = ()
    clause: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """A policy's text as words, with the times it names. The same for every conversation, so it is kept."""

    words: Words
    times: tuple[Mention, ...]
    numbers: frozenset[float]


@lru_cache(maxsize=256)
def rules_of(text: str) -> Rules:
    """A policy read, tagged with what its clauses are about."""
    words = read(text, policy_words.PHRASES)
    return Rules(words, tuple(mentions(words)), frozenset(numbers_in(text)))


class View:
    """One case, digested. All lists are in the order of the conversation."""

    def __init__(self, conversation: Conversation, policies: tuple[Policy, ...]) -> None:
        self.conversation = conversation
        self.policies = policies
        self.transcript = Transcript(conversation.messages, policies)
        self.said: list[Said] = []
        for number, message in enumerate(conversation.messages, 1):
            if message.text and message.kind not in (Kind.TOOL_RESULT, Kind.NOTE, Kind.EVENT):
                phrases = customer_words.PHRASES if message.role is Role.CUSTOMER else agent_words.PHRASES
                if message.role in (Role.CUSTOMER, Role.AI, Role.HUMAN):
                    self.said.append(Said(number, message.role, message.kind, read(message.text, phrases)))
        self.customer = [s for s in self.said if s.role is Role.CUSTOMER]
        self.ai = [s for s in self.said if s.role is Role.AI]
        self.human = [s for s in self.said if s.role is Role.HUMAN]
        self.uses = list(_uses(conversation.messages))

    @cached_property
    def rules(self) -> tuple[Rules, ...]:
        """The policies in force, read."""
        return tuple(rules_of(policy.text) for policy in self.policies)

    @cached_property
    def handed_over(self) -> int | None:
        """The number of the last message before a human took over: a hand-off that went through, an event that says
        so, or the first human words. None when no human was brought in.
        """
        found = [use.number for use in self.uses if use.purpose == "transfer" and not use.failed]
        found += [e.after for e in self.conversation.events if e.kind == "handoff"]
        found += [s.number - 1 for s in self.human[:1]]
        return min(found, default=None)

    @cached_property
    def transfer(self) -> Use | None:
        """The call by which a human was brought in, where one is recorded."""
        return next((use for use in self.uses if use.purpose == "transfer" and not use.failed), None)

    @cached_property
    def tickets(self) -> list[Use]:
        """Calls that leave the case with people."""
        return [use for use in self.uses if use.purpose == "ticket" and not use.failed]

    @cached_property
    def language(self) -> Language | None:
        """The language in which most is said; None when it is none that is read here, or when little is said."""
        return language_of(s.words for s in self.said)

    @cached_property
    def readable(self) -> bool:
        """Whether the words are in languages that the detectors know; a handful of words passes."""
        count = sum(len(s.words.tokens) for s in self.said)
        return self.language is not None or count < _FEW_WORDS

    @cached_property
    def day(self) -> date | None:
        """The day on which the conversation began, by its own clock."""
        at = self.conversation.happened_at
        return at.date() if at else None

    def day_of(self, number: int) -> date | None:
        """The day of a message, by its own clock."""
        at = self.conversation.messages[number - 1].at
        return at.date() if at else self.day

    def shown_before(self, number: int) -> list[Use]:
        """Tool uses whose result came before this message."""
        return [use for use in self.uses if use.result_number is not None and use.result_number < number]

    def customer_before(self, number: int) -> list[Said]:
        """The customer's words before this message."""
        return self.customer[: bisect_left(self.customer, number, key=lambda s: s.number)]

    def turn_before(self, said: Said) -> list[Said]:
        """What the customer wrote between the AI's last words and these."""
        i = bisect_left(self.ai, said.number, key=lambda s: s.number)
        since = self.ai[i - 1].number if i else 0
        before = self.customer_before(said.number)
        return before[bisect_left(before, since, key=lambda s: s.number) :]

    def photos_before(self, number: int) -> list[int]:
        """Numbers of the images that the customer had sent before this message."""
        return [
            n for n, m in enumerate(self.conversation.messages[: number - 1], 1)
            if m.role is Role.CUSTOMER and m.kind is Kind.IMAGE
        ]  # fmt: skip


_FEW_WORDS = 30


def _purpose(name: str) -> Purpose:
    if _TRANSFER.search(name):
        return "transfer"
    if _LOOK.search(name):
        return "look"
    if _TICKET.search(name):
        return "ticket"
    return "change" if _CHANGE.search(name) else "look"


def _uses(messages: tuple[Message, ...]) -> Iterator[Use]:
    """Each call with its result: by id where the source gives one, else by name, else the next call that has none."""
    calls = [(number, call) for number, message in enumerate(messages, 1) for call in message.tool_calls]
    by_id: dict[str, deque[int]] = {}
    by_name: dict[str, deque[int]] = {}
    for index, (_, call) in enumerate(calls):
        if call.id is not None:
            by_id.setdefault(call.id, deque()).append(index)
        by_name.setdefault(call.name, deque()).append(index)
    free = deque(range(len(calls)))
    answered: dict[int, int] = {}
    orphans: list[int] = []
    for number, message in enumerate(messages, 1):
        if message.role is not Role.TOOL and message.kind is not Kind.TOOL_RESULT:
            continue
        if message.tool_call_id is not None:
            waiting = by_id.get(message.tool_call_id) or by_name.get(message.name or "", deque())
        else:
            waiting = by_name.get(message.name, deque()) if message.name is not None else free
        while waiting and waiting[0] in answered:
            waiting.popleft()
        if waiting and calls[waiting[0]][0] <= number:
            answered[waiting.popleft()] = number
        else:
            orphans.append(number)
    found = [(*calls[i], answered.get(i)) for i in range(len(calls))]
    found_all: list[tuple[int, ToolCall | None, int | None]] = [*found, *((n, None, n) for n in orphans)]
    for number, call, result in sorted(found_all, key=lambda f: (f[0], f[2] or 0)):
        yield _use(number, call, messages[result - 1] if result else None, result)


def _use(number: int, call: ToolCall | None, result: Message | None, result_number: int | None) -> Use:
    name = call.name if call else (result.name if result else None) or "tool"
    arguments = _parsed(call.arguments) if call else None
    text = result.text if result else ""
    value = _parsed(text)
    leaves = _leaves(value)
    return Use(
        number=number,
        name=name,
        purpose=_purpose(name),
        arguments=_leaves(arguments),
        arguments_text=" ".join(str(leaf.value) for leaf in _leaves(arguments) if leaf.value is not None),
        result_number=result_number,
        leaves=leaves,
        result_text=text,
        failed=result is not None and _is_failure(result, value),
        empty=result is not None and _is_empty(value),
    )


def _parsed(value: JsonValue) -> JsonValue:
    """JSON text as its value; what is no JSON stays what it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _leaves(value: JsonValue) -> tuple[Leaf, ...]:
    """All values with their paths, without recursion: a tool's JSON may be as deep as it likes."""
    found: list[Leaf] = []
    todo: list[tuple[str, str, JsonValue, int]] = [("", "", value, 0)]
    while todo and len(found) < _MAX_LEAVES:
        path, key, item, depth = todo.pop()
        if isinstance(item, dict) and depth < _MAX_DEPTH:
            for name, below in reversed(item.items()):
                name = str(name).lower()
                todo.append((f"{path}.{name}" if path else name, key if name.isdigit() else name, below, depth + 1))
        elif isinstance(item, list) and depth < _MAX_DEPTH:
            todo += [(f"{path}.{i}", key, item[i], depth + 1) for i in range(len(item) - 1, -1, -1)]
        else:
            found.append(Leaf(path, key, item))
    return tuple(found)


def _is_failure(result: Message, value: JsonValue) -> bool:
    if result.is_error:
        return True
    if isinstance(value, dict):
        if value.get("ok") is False or value.get("success") is False:
            return True
        if any(value.get(key) for key in ("error", "errors", "exception")):
            return True
        return str(value.get("status", "")).lower() in _FAILED
    return isinstance(value, str) and bool(_REFUSED.match(value))


def _is_empty(value: JsonValue) -> bool:
    """A lookup that found nothing."""
    if value in ([], {}, "", None):
        return True
    if isinstance(value, dict):
        lists = [v for k, v in value.items() if str(k).lower() in _EMPTY and isinstance(v, list)]
        return bool(lists) and not any(lists)
    return False
