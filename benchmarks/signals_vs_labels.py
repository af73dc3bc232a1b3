"""The offline judge against the authors' labels of the sample: precision and recall per code, as they are.

The detectors were written with half of the sample in view (`DEVELOPED_ON`); the other half was only ever looked at as
the figures that this prints. `python benchmarks/signals_vs_labels.py` prints a Markdown table.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader.config import Workspace
from grader.ingest import Kept, read
from grader.judge import Case, Question
from grader.judge.signals import DECIDES, SignalsJudge
from grader.model import Conversation, Label, Policy
from grader.rubric import Rubric, applicable, newest

ROOT = Path(__file__).parents[1]
DEVELOPED_ON = ("qa-", "qd-")


@dataclass
class Tally:
    """One code's answers beside the labels. For a choice, `right` of `flagged` that were answered at all."""

    flagged: int = 0
    right: int = 0
    labelled: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, said: str, label: str, choice: bool) -> None:
        self.labels[label] += 1
        answered = said != "cannot_assess" if choice else said == "present"
        self.flagged += answered
        self.right += answered and said == label
        self.labelled += choice or label == "present"

    def __str__(self) -> str:
        return f"{share(self.right, self.flagged)} | {share(self.right, self.labelled)}"


def share(count: int, of: int) -> str:
    return f"{count / of:.2f} ({count}/{of})" if of else "– (0/0)"


def records() -> Iterator[object]:
    for path in [*sorted((ROOT / "datasets").glob("*.jsonl")), *sorted((ROOT / "datasets" / "policies").glob("*.md"))]:
        for row in read(path):
            if isinstance(row, Kept):
                yield row.record


def case(conversation: Conversation, rubrics: list[Rubric], policies: list[Policy]) -> Case:
    day = conversation.happened_at.date() if conversation.happened_at else None
    on = tuple(policy for policy in policies if policy.in_force(conversation.queue, day))
    questions = []
    for rubric in rubrics:
        ask, ruled = applicable(
            rubric.criteria, has_tools=conversation.has_tools, has_policy=bool(on),
            has_human=conversation.has_human, has_handoff=conversation.has_handoff,
        )  # fmt: skip
        questions.append(Question(rubric, ask, ruled))
    return Case(conversation, on, tuple(questions))


async def main() -> None:
    lists = {"contact_reasons": dict(Workspace().contact_reasons)}
    rubrics = [rubric.with_options(lists) for rubric in newest(ROOT / "rubrics")]
    found = list(records())
    policies = [r for r in found if isinstance(r, Policy)]
    labels = {(r.conversation_id, r.criterion): r.answer for r in found if isinstance(r, Label)}
    tallies: dict[tuple[str, bool], Tally] = {}
    for conversation in (r for r in found if isinstance(r, Conversation)):
        developed = conversation.conversation_id.startswith(DEVELOPED_ON)
        opinion = await SignalsJudge().judge(case(conversation, rubrics, policies))
        for rubric in rubrics:
            for verdict in opinion.verdicts[rubric.name]:
                label = labels.get((conversation.conversation_id, verdict.criterion))
                if label is not None and verdict.criterion in DECIDES:
                    tally = tallies.setdefault((verdict.criterion, developed), Tally())
                    tally.add(verdict.answer, label, rubric.criterion(verdict.criterion).scale == "choice")
    print("| Code | Precision, developed on | Recall | Precision, held out | Recall |\n|---|---|---|---|---|")
    for code in DECIDES:
        print(f"| `{code}` | {tallies[code, True]} | {tallies[code, False]} |")
    for code in ("contact_reason", "escalation_reason", "mood_at_end"):
        if code in DECIDES:
            both = tallies[code, True].labels + tallies[code, False].labels
            answer, count = both.most_common(1)[0]
            print(f"\nAlways answering `{answer}` to `{code}` is right in {share(count, both.total())} cases.", end="")
    print()


if __name__ == "__main__":
    asyncio.run(main())
