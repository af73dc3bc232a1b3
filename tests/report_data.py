"""Builds small databases whose figures can be counted by hand, through the real store and the real rubrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from grader.model import (
    CallStats,
    Contact,
    Conversation,
    Event,
    Evidence,
    Failure,
    Identity,
    Judgement,
    Kind,
    Message,
    Outcome,
    Policy,
    Role,
    Support,
    ToolCall,
    Verdict,
)
from grader.rubric import Rubric, newest
from grader.store import CallRecord, Store, open_store

RUBRICS: dict[str, Rubric] = {r.name: r for r in newest(Path(__file__).parent.parent / "rubrics")}
DATASETS = Path(__file__).parent.parent / "datasets"
T0 = datetime(2026, 8, 3, 14, 0, tzinfo=UTC)  # a Monday
CHOICES = {
    "resolved": "resolved", "contact_reason": "order_status", "escalation_reason": "none",
    "non_resolution_cause": "none", "mood_at_end": "neutral",
}  # fmt: skip


def says(role: str, text: str, at: datetime | None = None, kind: str = "text", **fields: Any) -> Message:
    return Message(role=Role(role), kind=Kind(kind), text=text, at=at, **fields)


def calls(name: str, arguments: Any, at: datetime | None = None) -> Message:
    call = ToolCall(id="call_1", name=name, arguments=arguments)
    return Message(role=Role.AI, kind=Kind.TOOL_CALL, at=at, tool_calls=(call,))


def tells(name: str, text: str, at: datetime | None = None, *, is_error: bool | None = None) -> Message:
    return Message(role=Role.TOOL, kind=Kind.TOOL_RESULT, name=name, text=text, at=at, is_error=is_error)


def present(quote: str, message: int = 2, *, clause: str | None = None, why: str = "It says so.") -> Verdict:
    """A proved defect; the criterion is filled in by `judged`."""
    evidence = [Evidence(message=message, quote=quote, verified=True)]
    if clause is not None:
        evidence.append(Evidence(message=0, quote=clause, verified=True))
    return Verdict(criterion="-", answer="present", reasoning=why, evidence=tuple(evidence), support=Support.VERIFIED)


def unproved(quote: str, message: int = 2, problem: str = "not_found") -> Verdict:
    evidence = Evidence(message=message, quote=quote, problem=problem)
    return Verdict(
        criterion="-", answer="present", reasoning="Cannot be proved.", evidence=(evidence,),
        support=Support.UNSUPPORTED,
    )  # fmt: skip


class World:
    """One store being filled. Everything is absent or at its default unless a test says otherwise."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._incoming: list[tuple[Conversation | Outcome | Policy, None, None]] = []
        self._items: list[tuple[str, str, str, bool, float, str | None]] = []
        self._judgements: list[Judgement] = []
        self._calls: list[CallRecord] = []
        self._hashes: dict[str, str] = {}
        self._repeats: dict[tuple[str, str], int] = {}

    def talk(
        self,
        conversation_id: str,
        *messages: Message,
        queue: str | None = "orders",
        contact: str | None = None,
        start: datetime | None = T0,
        minutes: float = 10,
        human: bool = False,
        **fields: Any,
    ) -> str:
        """A conversation. Without messages it gets a question and an answer, and a colleague's turn when `human`."""
        end = None if start is None else start + timedelta(minutes=minutes)
        if not messages:
            messages = (says("customer", "where is my order?", start), says("ai", "It arrives tomorrow.", end))
            if human:
                messages += (says("human", "Hi, Dana here.", end),)
        identities = (Identity(kind="phone", value=contact),) if contact else ()
        record = Conversation(
            conversation_id=conversation_id, queue=queue, contact=Contact(identities=identities), started_at=start,
            ended_at=end, messages=messages,
            **{"channel": "whatsapp", "language": "en", **fields},
        )  # fmt: skip
        return self.add(record)

    def add(self, record: Conversation) -> str:
        """A conversation as it is."""
        self._incoming.append((record, None, None))
        self._hashes[record.conversation_id] = record.content_hash
        return record.conversation_id

    @property
    def told(self) -> list[str]:
        """The conversations so far."""
        return list(self._hashes)

    def rated(self, conversation_id: str, csat: float, comment: str | None = None) -> None:
        outcome = Outcome(conversation_id=conversation_id, csat=csat, csat_comment=comment)
        self._incoming.append((outcome, None, None))

    def policy(self, policy: Policy) -> None:
        self._incoming.append((policy, None, None))

    def save(self) -> None:
        """Take in what was told so far."""
        self.store.add(self._incoming)
        self._incoming = []

    def judged(
        self,
        conversation_id: str,
        rubric: str = "accuracy",
        answers: Mapping[str, str | Verdict] | None = None,
        *,
        call: CallStats | None = None,
        reused: bool = False,
        in_run: bool = True,
        leave_out: Sequence[str] = (),
        probability: float = 1.0,
        stratum: str | None = None,
        judge: str = "llm",
        model: str = "judge-1",
        truncated: bool = False,
    ) -> None:
        """A judgement by this rubric: absent (or the default choice) unless `answers` says otherwise."""
        verdicts = []
        for criterion in RUBRICS[rubric].criteria:
            if criterion.code in leave_out:
                continue
            said = (answers or {}).get(criterion.code, CHOICES.get(criterion.code, "absent"))
            verdicts.append(
                said.model_copy(update={"criterion": criterion.code})
                if isinstance(said, Verdict)
                else Verdict(criterion=criterion.code, answer=said, reasoning=f"So it is: {said}.")
            )
        key = self._item(conversation_id, rubric, reused, in_run, probability, stratum)
        call_id = f"call_{key}" if call else None
        self._judgements.append(self._judgement(
            key, conversation_id, rubric, verdicts=tuple(verdicts), judge=judge, model=model, truncated=truncated,
            call_id=call_id,
        ))  # fmt: skip
        if call and call_id:
            run_id = "run_before" if reused else "run_1"
            self._calls.append(CallRecord(call_id=call_id, run_id=run_id, called_at=T0, stats=call))

    def judged_by_all(
        self, conversation_id: str, answers: Mapping[str, str | Verdict] | None = None, **how: Any
    ) -> None:
        for rubric in RUBRICS:
            self.judged(conversation_id, rubric, answers, **how)

    def failed(self, conversation_id: str, rubric: str = "accuracy", cause: str = "timeout", **fields: Any) -> None:
        key = self._item(conversation_id, rubric, False, True, 1.0)
        failure = Failure(**{"cause": cause, "detail": "no answer within 120 s", "retryable": True, **fields})
        self._judgements.append(self._judgement(key, conversation_id, rubric, failure=failure))

    def pending(self, conversation_id: str, rubric: str = "accuracy") -> None:
        self._item(conversation_id, rubric, False, True, 1.0)

    def finish(self, run_id: str = "run_1", *, at: datetime = T0 + timedelta(days=90), **fields: Any) -> str:
        """Write what was judged, and the run."""
        rubrics = [{"name": r.name, "version": r.version} for r in RUBRICS.values()]
        self.save()
        for rubric in {rubric for _, rubric, *_ in self._items} | {j.rubric for j in self._judgements}:
            record = RUBRICS[rubric]
            self.store.add_rubric(
                rubric, record.version, (record.meaning_hash, record.label_hash), record.title,
                record.model_dump(mode="json"),
                [{"code": c.code, "position": n, "title": c.title, "severity": c.severity, "scale": c.scale}
                 for n, c in enumerate(record.criteria)],
                at,
            )  # fmt: skip
        self.store.start_run({
            "run_id": run_id, "started_at": at.replace(tzinfo=None).isoformat(sep=" "), "finished_at": None,
            "state": "complete", "judge": "llm", "model": "judge-1", "parameters": {}, "rubrics": rubrics,
            "selection": {}, "seed": 1, "n_population": len(self._hashes), "n_planned": len(self._items),
            "n_reused": 0, "n_judged": 0, "n_failed": 0, "cost_usd": None, "grader_version": "0.1.0",
            "command": "grader grade", **fields,
        })  # fmt: skip
        mine = [replace(c, run_id=run_id) if c.run_id == "run_1" else c for c in self._calls]
        self.store.append(run_id, self._judgements, mine)
        self.store.add_run_items(run_id, self._items)
        return run_id

    def _item(
        self, conversation_id: str, rubric: str, reused: bool, in_run: bool, probability: float,
        stratum: str | None = None,
    ) -> str:  # fmt: skip
        repeat = self._repeats.get((conversation_id, rubric), -1) + 1
        self._repeats[conversation_id, rubric] = repeat
        key = f"vk_{conversation_id}_{rubric}_{repeat}"
        if in_run:
            self._items.append((conversation_id, rubric, key, reused, probability, stratum))
        return key

    def _judgement(self, key: str, conversation_id: str, rubric: str, **fields: Any) -> Judgement:
        return Judgement(**{
            "key": key, "conversation_id": conversation_id,
            "content_hash": self._hashes.get(conversation_id, "cv_gone"), "rubric": rubric,
            "rubric_version": RUBRICS[rubric].version, "rubric_hash": RUBRICS[rubric].meaning_hash,
            "prompt_hash": "pr_0123456789abcdef", "policy_hash": None, "judge": "llm", "model": "judge-1",
            "parameters_hash": "pa_1", "repeat": self._repeats[conversation_id, rubric],
            "judged_at": T0 + timedelta(days=89), **fields,
        })  # fmt: skip


@contextmanager
def world(folder: Path) -> Iterator[World]:
    with open_store(folder / "grader.duckdb") as store:
        yield World(store)


def priced(cost: float | None = 0.002, **fields: Any) -> CallStats:
    return CallStats(**{
        "model": "judge-1", "mode": "json_schema", "attempts": 1, "prompt_tokens": 1000, "cached_tokens": 600,
        "completion_tokens": 100, "cost_usd": cost, "latency_ms": 900.0, **fields,
    })  # fmt: skip


def handoff(after: int, at: datetime | None = None) -> Event:
    return Event(kind="handoff", after=after, at=at, from_role=Role.AI, to_role=Role.HUMAN)


def sample(w: World, n: int = 60) -> None:
    """The first conversations of the shipped sample, judged as their authors labelled them; two could not be judged."""
    labels: dict[str, dict[str, dict[str, Any]]] = {}
    for line in (DATASETS / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        labels.setdefault(label["conversation_id"], {})[label["criterion"]] = label
    for line in (DATASETS / "conversations.jsonl").read_text(encoding="utf-8").splitlines()[:n]:
        data = json.loads(line)
        del data["type"]
        w.add(Conversation.model_validate(data))
        told = labels[data["conversation_id"]]
        number = len(w.told)
        for rubric in RUBRICS:
            if number % 30 == 7 and rubric == "behavior":
                w.failed(data["conversation_id"], rubric, "rate_limited", http_status=429)
            else:
                w.judged(
                    data["conversation_id"],
                    rubric,
                    {code: _labelled(label) for code, label in told.items()},
                    call=priced(),
                )
    for line in (DATASETS / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()[:n]:
        outcome = {name: value for name, value in json.loads(line).items() if name in Outcome.model_fields}
        w._incoming.append((Outcome.model_validate(outcome), None, None))
    for file in sorted((DATASETS / "policies").glob("*.md")):
        _, head, text = file.read_text(encoding="utf-8").split("---\n", 2)
        w.policy(Policy(**yaml.load(head, Loader=yaml.BaseLoader), text=text))


def _labelled(label: Mapping[str, Any]) -> str | Verdict:
    if label["answer"] != "present":
        return str(label["answer"])
    return present(label["quote"], label["message"], clause=label.get("clause"), why=label.get("note", ""))
