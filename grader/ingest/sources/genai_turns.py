"""One conversation out of the model calls and tool runs that served it: every message once, in the order of time.

A call repeats the history that it was given, so what it shows is laid along what is known: first by the longest common
beginning, then, where an application keeps words but no tool calls, or only the last messages, by the last words
known. Which spans belong to one conversation is the formats' matter; nothing here joins two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from grader.ingest.rows import Ledger
from grader.ingest.sources.genai_messages import Row, as_text, call
from grader.model import JsonValue, canonical_json

Key = tuple[str, str, tuple[str, ...]]

_ENOUGH = 50  # messages that tell one place of a history from another
_MAX_SYSTEM = 5  # different system prompts of one conversation that are kept


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model: what it was given, and what it answered."""

    started: datetime | None
    ended: datetime | None
    inputs: list[Row]
    outputs: list[Row]
    about: Row = field(default_factory=dict)  # attributes of its answer: the model, the span


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One run of a tool."""

    started: datetime | None
    ended: datetime | None
    name: str
    arguments: JsonValue = None
    result: JsonValue = None
    call_id: str | None = None
    is_error: bool = False
    about: Row = field(default_factory=dict)


Step = Call | ToolRun


def key_of(message: Row) -> Key:
    """What makes a message the same as another: who, which words, which calls."""
    calls = message.get("tool_calls") or []
    asked = tuple(f"{one.get('name')} {canonical_json(one.get('arguments'))}" for one in calls)
    return str(message.get("role")), str(message.get("text") or "").strip(), asked


class Transcript:
    """The messages of one conversation, as its turns are taken in."""

    def __init__(self, ledger: Ledger) -> None:
        self.messages: list[Row] = []
        self._ledger = ledger
        self._keys: list[Key] = []  # of all messages but the system's
        self._prompts: set[Key] = set()
        self._waiting: list[tuple[str | None, str]] = []  # calls without a result: id, name of the tool
        self._called: set[str] = set()
        self._answered: set[str] = set()

    def turn(self, steps: Iterable[Step], whole: Call | None = None) -> None:
        """One trace: its calls and tools, and what the trace as a whole took in and gave out, where it says so.

        A call that was not given the turn's own words served something else (a title, a classifier): of it only what
        was said all the same, and calls of tools, are taken.
        """
        taken = list(steps)
        if whole is not None:
            kept = [_of_turn(step, whole) if isinstance(step, Call) else step for step in taken]
            if any(isinstance(step, Call) and step != was for step, was in zip(kept, taken, strict=True)):
                self._ledger.note("model calls that were given other words than their turn's were left out as helpers")
            taken = [whole, *kept]
        n_before = len(self._keys)
        answers_at = [n_before] * len(taken)
        for number, ends in _in_time(taken, whole is not None):
            step = taken[number]
            if isinstance(step, ToolRun):
                if ends:
                    self._take_run(step)
            elif ends:
                self._take_outputs(step, answers_at[number])
            else:
                answers_at[number] = self._take_inputs(step, n_before)

    def _take_inputs(self, step: Call, n_before: int) -> int:
        """Add what is new in what a call was given. Returns after how many messages its answer stands."""
        given = [row for row in step.inputs if row.get("role") != "system"]
        for prompt in (row for row in step.inputs if row.get("role") == "system"):
            self._take_prompt(prompt | {"at": step.started})
        if not given:
            return len(self._keys)
        keys = [key_of(row) for row in given]
        same = _common(self._keys, keys)
        known = self._n_known(keys, same, n_before)
        now = max((at for at, row in enumerate(given) if row.get("role") == "ai"), default=-1)
        if known <= now and not any(key[0] == "ai" for key in self._keys):
            self._ledger.note("a history stood before the first call of the file; when it was said is not known")
        for at, row in enumerate(given[known:], known):
            self._add_new(row | ({"at": step.started} if at > now else {}))
        return same if known == same == len(keys) else len(self._keys)

    def _take_prompt(self, prompt: Row) -> None:
        key = key_of(prompt)
        if key not in self._prompts and len(self._prompts) < _MAX_SYSTEM:
            self._prompts.add(key)
            self.messages.append(prompt)
        elif key not in self._prompts:
            self._ledger.note(f"a conversation had more than {_MAX_SYSTEM} system prompts, the rest were left out")

    def _n_known(self, keys: Sequence[Key], same: int, n_before: int, *, quietly: bool = False) -> int:
        """How many of a call's messages are known."""
        if same == len(self._keys):
            return same
        if same == len(keys):
            # The customer's words alone, in a later turn: the model was given no history, they say the same again.
            again = len(self._keys) == n_before and all(key[0] == "customer" for key in keys)
            return 0 if again else same
        words = [key for key in self._keys if _is_words(key)]
        found = _behind(words, keys)
        if found:
            n_tail = next(n for n, key in enumerate([*reversed(self._keys), words[-1]]) if _is_words(key))
            while n_tail and found < len(keys) and not _is_words(keys[found]):
                found, n_tail = found + 1, n_tail - 1  # the same calls and results, written otherwise
            return found
        while words and words[-1][0] == "ai":
            words.pop()
        found = _behind(words, keys)
        if found:
            while found < len(keys) and keys[found][0] in ("ai", "tool"):
                found += 1
            self._ledger.note("an answer stands in a later call's history in other words; it is kept as it was given")
            return found
        if not quietly and any(key[0] == "ai" for key in keys):
            self._ledger.note("a call's history does not go on from what was known, its messages were put behind it")
        return same

    def _take_outputs(self, step: Call, answers_at: int) -> None:
        told = [row for row in step.outputs if row.get("role") != "system"]
        keys = [key_of(row) for row in told]
        if len(told) > 1:  # an agent's run, or a graph's state with all of its history
            known = self._n_known(keys, _common(self._keys, keys), -1, quietly=True)
        else:
            known = 1 if keys and keys[0] in self._keys[answers_at:] else 0
        for at, row in enumerate(told[known:], known + 1):
            about = {**(row.get("attributes") or {}), **step.about}
            ended = (step.ended or step.started) if at == len(told) else None
            self._add_new(row | {"at": ended} | ({"attributes": about} if about else {}))

    def _take_run(self, run: ToolRun) -> None:
        if run.call_id in self._answered:
            return
        asked = next((one for one in self._waiting if run.call_id and one[0] == run.call_id), None) or next(
            (one for one in self._waiting if one[1] == run.name), None
        )
        identity = asked[0] if asked else run.call_id
        if asked is None:
            made = call(run.name, run.arguments, run.call_id)
            self._add({"role": "ai", "text": "", "tool_calls": [made], "at": run.started})
        row: Row = {"role": "tool", "text": as_text(run.result), "tool_call_id": identity, "name": run.name}
        row |= {"is_error": True} if run.is_error else {}
        self._add(row | {"at": run.ended or run.started} | ({"attributes": run.about} if run.about else {}))

    def _add_new(self, row: Row) -> None:
        """Add a message, unless its calls or its result are there under their ids."""
        ids = [one.get("id") for one in row.get("tool_calls") or []]
        if (ids and all(one in self._called for one in ids)) or row.get("tool_call_id") in self._answered:
            return
        self._add(row)

    def _add(self, row: Row) -> None:
        for one in row.get("tool_calls") or []:
            self._waiting.append((one.get("id"), one["name"]))
            self._called |= {one["id"]} if one.get("id") else set()
        if row.get("role") == "tool":
            identity, name = row.get("tool_call_id"), row.get("name")
            asked = next((one for one in self._waiting if one[0] == identity and (identity or one[1] == name)), None)
            if asked:
                self._waiting.remove(asked)
                row = row if name else row | {"name": asked[1]}
            if identity:
                self._answered.add(identity)
        self.messages.append(row)
        self._keys.append(key_of(row))


def _common(known: Sequence[Key], shown: Sequence[Key]) -> int:
    """The length of the longest common beginning."""
    length = 0
    while length < min(len(known), len(shown)) and known[length] == shown[length]:
        length += 1
    return length


def _is_words(key: Key) -> bool:
    """Somebody says something, and no tool."""
    return key[0] != "tool" and bool(key[1])


def _behind(words: Sequence[Key], keys: Sequence[Key]) -> int:
    """The place in `keys` behind the last of the words known; where it stands several times, behind that one before
    which most of the others stand. 0: it is not there.
    """
    shown = [at for at, key in enumerate(keys) if _is_words(key)]
    best = found = 0
    for place in range(len(shown), 0, -1):
        length = 0
        while length < min(place, len(words), _ENOUGH) and keys[shown[place - 1 - length]] == words[-1 - length]:
            length += 1
        if length > best:
            best, found = length, shown[place - 1] + 1
    return found


def _of_turn(step: Call, whole: Call) -> Call:
    """What of a call belongs to the turn that says what it took in and gave out."""
    asked = [key_of(row) for row in whole.inputs if row.get("role") == "customer"]
    if not asked or not step.inputs or asked[-1] in [key_of(row) for row in step.inputs]:
        return step
    given = {key_of(row) for row in whole.outputs}
    outputs = [row for row in step.outputs if row.get("tool_calls") or key_of(row) in given]
    return Call(step.started, step.ended, [], outputs, step.about)


def _in_time(steps: Sequence[Step], first_is_whole: bool) -> list[tuple[int, bool]]:
    """(which step, whether it ends) in the order of time; where a time is not known, in the order of the file.

    Of one moment, what ends comes before what begins, and what lasts longer begins first.
    """
    times = [(step.started or step.ended, step.ended or step.started) for step in steps]
    inner = range(1 if first_is_whole else 0, len(steps))
    keyed: list[tuple[datetime, int, float, int, bool]] = []
    for number in inner:
        begun, ended = times[number]
        if begun is None or ended is None:
            ordered = [(one, ends) for one in inner for ends in (False, True)]
            break
        lasted = max((ended - begun).total_seconds(), 0.0)
        keyed.append((begun, 1, -lasted, number, False))
        keyed.append((max(begun, ended), 0 if lasted else 2, lasted, number, True))
    else:
        ordered = [(number, ends) for *_, number, ends in sorted(keyed)]
    return [(0, False), *ordered, (0, True)] if first_is_whole else ordered
