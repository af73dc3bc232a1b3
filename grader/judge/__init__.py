"""Judges: a case goes in, an opinion comes out. A judgement that could not be had is a value, not an exception.

`llm` asks any OpenAI-compatible endpoint, `signals` runs deterministic detectors offline. Neither knows the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from grader.model import CallStats, Conversation, Failure, Policy, Verdict
from grader.rubric import Rubric


@dataclass(frozen=True)
class Question:
    """One rubric to be answered: the codes to ask, and the answers that follow without asking."""

    rubric: Rubric
    ask: tuple[str, ...]
    ruled: Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """One conversation with the policies that were in force, and the rubrics to be answered in one call."""

    conversation: Conversation
    policies: tuple[Policy, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Opinion:
    """What a judge says of a case: verdicts by rubric name, or one failure for all of it.

    `stats` is None where no call was made.
    """

    verdicts: Mapping[str, tuple[Verdict, ...]] = field(default_factory=dict)
    failure: Failure | None = None
    stats: CallStats | None = None
    truncated: bool = False


class Judge(Protocol):
    """What the engine needs of a judge."""

    @property
    def name(self) -> str:
        """`llm` or `signals`."""
        ...

    @property
    def model(self) -> str:
        """The model's name, or the detectors' version."""
        ...

    @property
    def parameters(self) -> Mapping[str, object]:
        """What else changes the answers; part of every verdict key."""
        ...

    @property
    def prompt_hash(self) -> str:
        """Identity of the wording around rubric and transcript."""
        ...

    async def judge(self, case: Case) -> Opinion:
        """Answer one case. Raises JudgeError when no case can be answered (key, model, quota)."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
