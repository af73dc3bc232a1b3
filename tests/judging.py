"""What the judge's tests share: a judge on a stand-in endpoint, small conversations, and cases made of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import endpoint_replies as replies
from endpoint import MODEL, Endpoint

from grader.config import Judge as Settings
from grader.config import Price, Secret
from grader.judge import Case, Question
from grader.judge.llm import LlmJudge
from grader.judge.pace import Pace
from grader.judge.prices import PriceList
from grader.model import Conversation, Kind, Message, Policy, Role, ToolCall
from grader.prompt import Templates
from grader.rubric import Rubric, applicable, newest

ROOT = Path(__file__).parents[1]
TEMPLATES = Templates.load(ROOT / "prompts")
RUBRICS: dict[str, Rubric] = {
    r.name: r.with_options({"contact_reasons": {"exchange": "Other size.", "return": "Money back."}})
    for r in newest(ROOT / "rubrics")
}
ACCURACY, BEHAVIOR, RESOLUTION = RUBRICS["accuracy"], RUBRICS["behavior"], RUBRICS["resolution"]
POLICY = Policy(
    policy_id="returns", text="Returns.\nGoods may be sent back within thirty days.\nLabels are free in Brazil."
)
PRICE = Price(input=1.0, output=4.0, cached_input=0.5)
# Faults pass quickly here, and are tried again at once.
QUICK: dict[str, Any] = {
    "model": MODEL, "max_attempts": 8, "max_reasks": 3, "max_backoff_seconds": 0.03, "timeout_seconds": 5.0,
}  # fmt: skip


def settings(endpoint: Endpoint | str, **changes: Any) -> Settings:
    url = endpoint if isinstance(endpoint, str) else endpoint.url
    key = changes.pop("key", None)
    made = replace(Settings(), **{**QUICK, "base_url": url, **changes})
    return replace(made, api_key=Secret(key)) if key else made


@asynccontextmanager
async def judging(endpoint: Endpoint | str, *, concurrency: int = 8, **changes: Any) -> AsyncIterator[LlmJudge]:
    """A judge at this endpoint; `changes` are settings."""
    prices = PriceList({MODEL: PRICE}) if changes.pop("priced", True) else PriceList({}, "http://localhost")
    judge = LlmJudge(settings(endpoint, **changes), TEMPLATES, prices, Pace(concurrency, concurrency))
    try:
        yield judge
    finally:
        await judge.close()


def says(role: str, text: str, **fields: Any) -> Message:
    return Message(role=Role(role), text=text, **fields)


def talk(*messages: Message, name: str = "c-1", **fields: Any) -> Conversation:
    return Conversation(conversation_id=name, messages=messages, **fields)


def a_talk(name: str = "c-1", about: str = "the green kettle") -> Conversation:
    """Customer, AI with a tool call and its result, a human: every role that can prove something."""
    return talk(
        says("customer", f"hello I ordered {about} ten days ago and nothing came"),
        says("ai", "I am sorry to hear that. Which order number is it please?"),
        says("customer", "number Q-30188 my name is Mitch"),
        says("ai", "", kind=Kind.TOOL_CALL, tool_calls=(ToolCall(name="get_order", arguments={"id": "Q-30188"}),)),
        says("tool", '{"status": "shipped", "carrier": "Rota Norte"}', kind=Kind.TOOL_RESULT, name="get_order"),
        says("ai", f"Thanks Mitch, {about} is on its way and it will certainly arrive tomorrow."),
        says("human", "Hello this is Ana, let me look at it as well."),
        name=name,
    )  # fmt: skip


def case(
    conversation: Conversation | None = None,
    rubrics: Sequence[Rubric] = (ACCURACY,),
    policies: Sequence[Policy] = (POLICY,),
) -> Case:
    """A case as the engine makes it."""
    conversation = conversation or a_talk()
    questions = []
    for rubric in rubrics:
        ask, ruled = applicable(
            rubric.criteria, has_tools=conversation.has_tools, has_policy=bool(policies),
            has_human=conversation.has_human, has_handoff=conversation.has_handoff,
        )  # fmt: skip
        questions.append(Question(rubric, ask, ruled))
    return Case(conversation, tuple(policies), tuple(questions))


def truth(body: dict[str, Any]) -> dict[str, str]:
    """Code → what the stand-in truly answers to this request."""
    asked = replies.read(body)
    return {c.code: replies.answer(asked, c)["answer"] for c in asked.criteria}


def started() -> Iterator[Endpoint]:
    """The body of a fixture."""
    with Endpoint() as endpoint:
        yield endpoint
