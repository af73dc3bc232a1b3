"""Small conversations written as lines, and what the offline judge says of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from judging import RUBRICS, case

from grader.judge import Opinion
from grader.judge.signals import SignalsJudge
from grader.model import Conversation, Kind, Message, Policy, Role, ToolCall, Verdict

MONDAY = datetime(2026, 8, 10, 10, tzinfo=UTC)
RETURNS = Policy(
    policy_id="returns",
    text="R1. An item may be returned within 30 days of delivery.\n"
    "R2. The return label is free if the item arrived damaged. Otherwise the customer pays 5.90.\n"
    "R3. A refund goes out within 10 business days.\n"
    "R4. An order can be cancelled while it is placed.\n",
)
SERVICE = Policy(
    policy_id="service",
    text="S1. Standard delivery takes 3 to 6 business days, express 1 to 2.\n"
    "S2. No discounts or vouchers may be given.\n"
    "S3. Hand over at once when the customer asks for a person.\n"
    "S4. The assistant asks for a yes before it cancels or returns anything.\n",
)


def talk(script: str, **fields: Any) -> Conversation:
    """A conversation from lines: c, a, h (customer, AI, human), i (image), > call {…}, < result, <! failed result."""
    messages: list[Message] = []
    calls: list[ToolCall] = []
    for line in script.strip().splitlines():
        head, _, text = line.strip().partition(" ")
        if head == ">":
            name, _, arguments = text.partition(" ")
            calls.append(ToolCall(id=f"call-{len(messages)}", name=name, arguments=json.loads(arguments or "{}")))
            messages.append(Message(role=Role.AI, kind=Kind.TOOL_CALL, tool_calls=(calls[-1],)))
        elif head in ("<", "<!"):
            messages.append(
                Message(
                    role=Role.TOOL, kind=Kind.TOOL_RESULT, text=text, is_error=head == "<!" or None,
                    tool_call_id=calls[-1].id, name=calls[-1].name,
                )
            )  # fmt: skip
        else:
            role = {"c": Role.CUSTOMER, "i": Role.CUSTOMER, "a": Role.AI, "h": Role.HUMAN}[head]
            messages.append(Message(role=role, kind=Kind.IMAGE if head == "i" else Kind.TEXT, text=text))
    made = {"channel": "whatsapp", "tools_recorded": True, "started_at": MONDAY, **fields}
    return Conversation(conversation_id="c-1", messages=tuple(messages), **made)


def judged(code: str, script: str | Conversation, *policies: Policy) -> Verdict:
    rubric = next(r for r in RUBRICS.values() if code in r.codes)
    conversation = talk(script) if isinstance(script, str) else script
    with pytest.raises(StopIteration) as done:
        SignalsJudge().judge(case(conversation, (rubric,), policies)).send(None)
    opinion: Opinion = done.value.value
    return next(v for v in opinion.verdicts[rubric.name] if v.criterion == code)


def answer(code: str, script: str | Conversation, *policies: Policy) -> str:
    return judged(code, script, *policies).answer
