"""A judge in a few lines, two small rubrics and a workspace of conversations: what the engine's tests run on."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from grader import engine
from grader.errors import GraderError
from grader.judge import Case, Opinion
from grader.model import CallStats, Conversation, Evidence, Failure, Message, Role, Support, Verdict
from grader.rubric import Criterion, Rubric
from grader.store import Store, open_store


def rubric(name: str, *codes: str, version: str = "1.0.0", **fields: Any) -> Rubric:
    criteria = tuple(Criterion(code=code, question=f"Is it {code}?", **fields) for code in codes)
    return Rubric(name=name, version=version, criteria=criteria)


ALPHA = rubric("alpha", "late", "rude")
BETA = rubric("beta", "lost")
RUBRICS = (ALPHA, BETA)


def talk(conversation_id: str, *texts: str, **fields: Any) -> Conversation:
    said = texts or (f"where is order {conversation_id}?", "It comes tomorrow.")
    roles = (Role.CUSTOMER, Role.AI)
    messages = tuple(Message(role=roles[n % 2], text=text) for n, text in enumerate(said))
    return Conversation(conversation_id=conversation_id, messages=messages, **fields)


def stats(cost: float | None = 0.01, **fields: Any) -> CallStats:
    return CallStats(**{
        "model": "m1", "mode": "json", "attempts": 1, "prompt_tokens": 100, "completion_tokens": 20, "cost_usd": cost,
        "latency_ms": 5.0, **fields,
    })  # fmt: skip


def opinion(case: Case, **fields: Any) -> Opinion:
    """Everything is absent, but for the first code of each rubric, which is proved with the last message."""
    last = len(case.conversation.messages)
    quote = Evidence(message=last, quote=case.conversation.messages[-1].text, verified=True)
    verdicts = {
        question.rubric.name: tuple(
            Verdict(criterion=code, answer="present", evidence=(quote,), support=Support.VERIFIED, reasoning="é")
            if n == 0
            else Verdict(criterion=code, answer="absent")
            for n, code in enumerate(question.rubric.codes)
        )
        for question in case.questions
    }
    return Opinion(**{"verdicts": verdicts, "stats": stats(), **fields})


def failure(cause: str = "timeout", *, retryable: bool = True, **fields: Any) -> Opinion:
    """A call that was never answered."""
    nothing = stats(None, prompt_tokens=None, completion_tokens=None)
    return Opinion(
        failure=Failure(cause=cause, detail="no answer", retryable=retryable), **{"stats": nothing, **fields}
    )


Say = Callable[[Case], Opinion | Awaitable[Opinion]]


@dataclass
class SmallJudge:
    """Says what `say` says, and keeps a book of every case and of how many were asked at once."""

    say: Say = opinion
    model: str = "m1"
    name: str = "llm"
    parameters: dict[str, object] = field(default_factory=lambda: {"temperature": 0})
    prompt_hash: str = "pr_small"
    seconds: float = 0.0
    asked: list[tuple[str, ...]] = field(default_factory=list)
    n_now: int = 0
    n_most: int = 0
    closed: bool = False

    async def judge(self, case: Case) -> Opinion:
        self.asked.append((case.conversation.conversation_id, *(q.rubric.name for q in case.questions)))
        self.n_now += 1
        self.n_most = max(self.n_most, self.n_now)
        try:
            await asyncio.sleep(self.seconds)
            said = self.say(case)
            return said if isinstance(said, Opinion) else await said
        finally:
            self.n_now -= 1

    async def close(self) -> None:
        self.closed = True


@dataclass
class Workplace:
    """A database with conversations, and a journal folder: `run` does what one `grader grade` does.

    The database stays open from one step to the next, until `close`.
    """

    folder: Path
    open_now: Store | None = None
    leave: ExitStack = field(default_factory=ExitStack)

    @property
    def database(self) -> Path:
        return self.folder / "grader.duckdb"

    @property
    def journals(self) -> Path:
        return self.folder / "journal"

    @property
    def store(self) -> Store:
        if self.open_now is None:
            self.open_now = self.leave.enter_context(open_store(self.database))
        return self.open_now

    def close(self) -> None:
        self.leave.close()
        self.open_now = None

    def fill(self, *conversations: Conversation) -> None:
        self.store.add([(c, None, None) for c in conversations])

    def run(
        self, judge: SmallJudge | None = None, rubrics: Sequence[Rubric] = RUBRICS, *, concurrency: int = 4,
        budget: float | None = None, reserve: float | None = None, abort: int = 20,
        stop: engine.Stop | None = None, on_progress: Callable[[engine.Progress], None] | None = None, **plan: Any,
    ) -> engine.Summary:  # fmt: skip
        """Absorb, plan, grade. The last plan stays in `plan`."""
        self.judge = judge = judge or SmallJudge()
        engine.absorb(self.store, self.journals)
        engine.check_rubrics(self.store, rubrics)
        self.plan = engine.make_plan(self.store, judge, rubrics, **plan)
        options = engine.Options(concurrency, budget, abort, lambda _case: reserve)
        return asyncio.run(engine.grade(
            self.store, self.plan, judge, options, self.journals, selection={"seed": plan.get("seed", 0)},
            stop=stop, on_progress=on_progress or (lambda _progress: None),
        ))  # fmt: skip

    def absorb(self, **how: Any) -> engine.Absorbed | GraderError:
        """Only the first step of a run; a GraderError comes back as a value."""
        try:
            return engine.absorb(self.store, self.journals, **how)
        except GraderError as error:
            return error

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.store.rows(sql)

    def results(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row that journals can give back."""
        tables = (
            "run", "run_item", "rubric", "criterion", "prompt", "judgement", "verdict", "evidence", "failure", "call",
        )  # fmt: skip
        return {table: sorted(self.rows(f"select * from {table}"), key=repr) for table in tables}


def counts(summary: engine.Summary) -> tuple[str, int, int]:
    """State, judged, failed."""
    return summary.state, summary.progress.n_judged, summary.progress.n_failed


@contextmanager
def workplace(folder: Path) -> Iterator[Workplace]:
    """Four conversations, c000 to c003."""
    place = Workplace(folder)
    place.database.write_bytes(_filled())
    try:
        yield place
    finally:
        place.close()


@cache
def _filled() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        place = Workplace(Path(name))
        place.fill(*(talk(f"c{i:03d}") for i in range(4)))
        place.close()
        return place.database.read_bytes()


@contextmanager
def fresh_store(folder: Path, *, memory: str | None = None, threads: int | None = None) -> Iterator[Store]:
    """An empty store: a copy of one that was made, which takes a fraction of the time."""
    path = folder / "grader.duckdb"
    path.write_bytes(_empty())
    with open_store(path, memory=memory, threads=threads) as store:
        yield store


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "grader.duckdb")
        with open_store(path):
            pass
        return path.read_bytes()
