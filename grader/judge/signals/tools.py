"""What each tool was asked and what it answered: calls with their results, JSON as a flat list of values.

A call's purpose is told by its tool's name: hand-off, ticket, something that changes, a mere look, or unknown.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple

from grader.judge.signals.times import iso_days
from grader.model import JsonValue, Kind, Message, Role, ToolCall

Purpose = Literal["transfer", "ticket", "change", "look", "unknown"]

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LOOK = re.compile(
    r"^(?:get|find|track|check|search|list|look_?up|fetch|read|query|calculate|think|show|verify|authenticate)"
    r"|(?:status|policy|info|details|history|lookup)$",
    re.I,
)
_TRANSFER = re.compile(
    r"(?<!bank_)(?<!money_)(?<!wire_)transfer|hand_?-?(?:off|over)|escalat|escalar|derivar|to_human|live_?agent|atendente",
    re.I,
)
_TICKET = re.compile(r"ticket|case|chamado|incidenc|call_?back|complaint|reclam|notify_team|log_issue", re.I)
_CHANGE = re.compile(
    r"(?:^|[_\-.])(?:create|cancel|update|modify|change|delete|exchange|return|refund|place|add|remove|apply|book|register|set"
    r"|send|issue|submit|redirect|reschedule|replace|criar|cancelar|atualizar|trocar|devolver|crear|actualizar|cambiar)"
    r"(?:[_\-.]|$)",
    re.I,
)
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


def _purpose(name: str) -> Purpose:
    name = _HUMP.sub("_", name)  # createReturn
    if _LOOK.search(name):
        return "look"
    if _TRANSFER.search(name):
        return "transfer"
    if _TICKET.search(name):
        return "ticket"
    return "change" if _CHANGE.search(name) else "unknown"


def uses_of(messages: tuple[Message, ...]) -> Iterator[Use]:
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
    found: list[tuple[int, ToolCall | None, int | None]] = [(*calls[i], answered.get(i)) for i in range(len(calls))]
    found += [(number, None, number) for number in orphans]
    for at, made, result in sorted(found, key=lambda f: (f[0], f[2] or 0)):
        yield _use(at, made, messages[result - 1] if result else None, result)


def _use(number: int, call: ToolCall | None, result: Message | None, result_number: int | None) -> Use:
    name = call.name if call else (result.name if result else None) or "tool"
    arguments = _leaves(_parsed(call.arguments)) if call else ()
    text = result.text if result else ""
    value = _parsed(text)
    leaves = _leaves(value)
    return Use(
        number=number,
        name=name,
        purpose=_purpose(name),
        arguments=arguments,
        arguments_text=" ".join(str(leaf.value) for leaf in arguments if leaf.value is not None),
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
