"""The batch run: work out of the plan, through the judge, into the journal, then into the database.

Order per call: reserve its cost, call, settle, journal (fsync), database (batched). A worker takes its next piece of
work only when the last one is on disk, so a kill loses at most the calls that were in flight. One thread owns the
database; nothing else touches it during a run.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from pathlib import Path

from grader.engine.control import Options, Progress, Stop, Summary
from grader.engine.journal import Entry, Journal, written
from grader.engine.plan import Plan, Work
from grader.errors import GraderError, JudgeError
from grader.judge import Case, Judge, Opinion
from grader.model import Failure, Judgement, digest
from grader.store import CallRecord, Store

READ_AHEAD = 32  # conversations read at a time
WRITE_BATCH = 256  # judgements per transaction
WRITE_EVERY_SECONDS = 2.0
TELL_EVERY_SECONDS = 0.5  # so that a display moves while every call is waiting


class _Run:
    """One run's state; `execute` is its way in."""

    def __init__(
        self, run_id: str, plan: Plan, judge: Judge, store: Store, journal: Journal, options: Options,
        progress: Progress, on_progress: Callable[[Progress], None], stop: Stop,
    ) -> None:  # fmt: skip
        self.run_id, self.plan, self.judge, self.store, self.options = run_id, plan, judge, store, options
        self.journal, self.on_progress, self.stop = journal, on_progress, stop
        self.progress = progress
        self.error: GraderError | None = None
        self.ended_by: str | None = None
        self._parameters_hash = digest("pa", dict(judge.parameters))
        self._reserved = 0.0
        self._spent = 0.0
        self._room = asyncio.Event()  # a call has ended: look again whether the budget has room
        self._unanswered = 0  # failures in a row, as long as no call has been answered
        self._answered = False
        self._queue: asyncio.Queue[tuple[Work, Case] | None] = asyncio.Queue(maxsize=max(8, options.concurrency // 2))
        self._n_workers = min(options.concurrency, plan.n_calls)
        self._db = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._pending: deque[tuple[Entry, int]] = deque()  # journaled, or about to be, with where each line ends
        self._n_pending = 0
        self._writing: asyncio.Task[None] | None = None
        self._written_at = 0.0
        self._store_broken = False

    async def execute(self) -> None:
        """Do the work; returns when it is done or stopped, with everything journaled in the database."""
        tasks = [asyncio.create_task(self._work()) for _ in range(self._n_workers)]
        tasks.append(asyncio.create_task(self._feed()))
        telling = asyncio.create_task(self._tell())
        try:
            with self.stop.listening(lambda: self._stop(tasks)):
                await asyncio.gather(*tasks)
        except asyncio.CancelledError:
            if not self.stop.at_once:
                raise
            self.ended_by = "interrupted"
        finally:
            for task in (*tasks, telling):
                task.cancel()
            await asyncio.gather(*tasks, telling, return_exceptions=True)
            await self.journal.flushed()
            if self._writing is not None:
                await self._writing
            await self._write()
            self._db.shutdown()

    def _stop(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self.progress.stopping = True
        self._room.set()
        if self.stop.at_once:
            for task in tasks:
                task.cancel()
        self.on_progress(self.progress)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_SECONDS)
            self.on_progress(self.progress)

    # ── work ──

    async def _feed(self) -> None:
        """Read conversations a few at a time and hand out their cases."""
        loop = asyncio.get_running_loop()
        by_conversation = groupby(self.plan.work(), key=lambda work: work.conversation_id)
        while not self._ending():
            ahead = [piece for _, pieces in islice(by_conversation, READ_AHEAD) for piece in pieces]
            if not ahead:
                break
            try:
                wanted = list({piece.conversation_id: None for piece in ahead})  # one may come again, as a repeat
                read = await loop.run_in_executor(self._db, self.store.conversations, wanted)
            except GraderError as error:
                self._end("aborted", error)
                break
            texts = {c.conversation_id: c for c in read}
            for piece in ahead:
                if self._ending():
                    break
                if piece.conversation_id in texts:
                    await self._queue.put((piece, self.plan.case(texts[piece.conversation_id], piece)))
        for _ in range(self._n_workers):
            await self._queue.put(None)

    def _ending(self) -> bool:
        if self.stop.requested:
            self._end("interrupted")
        return self.ended_by is not None

    def _end(self, by: str, error: GraderError | None = None) -> None:
        """Take no new work; the first reason stands. What is in flight is finished and kept."""
        if self.ended_by is None:
            self.ended_by, self.error = by, error
            self._room.set()

    async def _work(self) -> None:
        while (taken := await self._queue.get()) is not None:
            work, case = taken
            if self._ending():
                continue  # let the feeder run dry
            opinion = None
            reserved = await self._reserve(case)
            if reserved is None:
                continue
            self.progress.n_in_flight += 1
            try:
                opinion = await self._ask(case)
            finally:
                self._reserved -= reserved
                self.progress.n_in_flight -= 1
                if opinion is None:
                    self._room.set()
            if opinion is not None:
                await self._keep(work, case, opinion, reserved)

    async def _reserve(self, case: Case) -> float | None:
        """Set aside what the call may cost, waiting for calls in flight to settle; None when it is not to be made."""
        try:
            most = self.options.reserve(case) or 0.0
        except GraderError as error:
            self._end("aborted", error)
            return None
        budget = self.options.budget_usd
        while budget is not None and self._spent + self._reserved + most > budget:
            if self.progress.n_in_flight == 0:
                self._end("budget")
            if self._ending():
                return None
            self._room.clear()
            await self._room.wait()
        self._reserved += most
        return most

    async def _ask(self, case: Case) -> Opinion | None:
        try:
            return _whole(await self.judge.judge(case), case)
        except JudgeError as error:
            self._end("refused", error)
            return None
        except GraderError as error:
            self._end("aborted", error)
            return None
        except Exception as error:  # noqa: BLE001 - the outermost edge of a worker: record what happened and go on
            place = error.__traceback__
            while place and place.tb_next:
                place = place.tb_next
            where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
            detail = f"{type(error).__name__} at {where}: please report this"
            return Opinion(failure=Failure(cause="internal_error", detail=detail, retryable=True))

    # ── results ──

    async def _keep(self, work: Work, case: Case, opinion: Opinion, reserved: float) -> None:
        entry = self._entry(work, case, opinion)
        try:
            raw = written(entry)
        except ValueError:  # pydantic's: half a surrogate pair, which JSON can smuggle in
            unwritable = Failure(cause="bad_reply", detail="the reply holds what is no text", retryable=True)
            opinion = Opinion(failure=unwritable, stats=opinion.stats, truncated=opinion.truncated)
            raw = written(entry := self._entry(work, case, opinion))
        self._settle(entry, opinion, reserved)
        # From here on the line is on its way to the disk, and into the database, even if this worker is cancelled.
        on_disk = self.journal.append(raw)
        self._pending.append((entry, self.journal.end))
        self._n_pending += len(entry.judgements)
        await on_disk
        now = asyncio.get_running_loop().time()
        self._written_at = self._written_at or now
        due = self._n_pending >= WRITE_BATCH or now - self._written_at >= WRITE_EVERY_SECONDS
        if due and (self._writing is None or self._writing.done()):
            if self._writing is not None:
                self._writing.result()
            self._writing = asyncio.create_task(self._write())
        elif self._n_pending >= 8 * WRITE_BATCH and self._writing is not None:
            await asyncio.shield(self._writing)  # the disk is slower than the judge: wait for it
        self.on_progress(self.progress)

    def _entry(self, work: Work, case: Case, opinion: Opinion) -> Entry:
        at = self.options.now()
        call = None
        if opinion.stats is not None:
            call = CallRecord(f"ca_{uuid.uuid4().hex}", self.run_id, at, opinion.stats)
        conversation_id = case.conversation.conversation_id
        judgements = tuple(
            Judgement(
                key=key,
                conversation_id=conversation_id,
                content_hash=work.planned.content_hash,
                rubric=rubric.name,
                rubric_version=rubric.version,
                rubric_hash=rubric.meaning_hash,
                prompt_hash=self.judge.prompt_hash,
                policy_hash=work.planned.policy_hash,
                judge=self.judge.name,
                model=self.judge.model,
                parameters_hash=self._parameters_hash,
                repeat=work.repeat,
                truncated=opinion.truncated,
                judged_at=at,
                verdicts=() if opinion.failure else opinion.verdicts[rubric.name],
                failure=opinion.failure,
                call_id=call.call_id if call else None,
            )
            for key, rubric in zip(work.keys, (self.plan.rubrics[i] for i in work.rubrics), strict=True)
        )
        return Entry(judgements, call)

    def _settle(self, entry: Entry, opinion: Opinion, reserved: float) -> None:
        p, n = self.progress, len(entry.judgements)
        p.n_done += n
        if opinion.failure is None:
            p.n_judged += n
            self._answered = self._answered or opinion.stats is not None
        else:
            p.n_failed += n
            p.n_failed_for_good += 0 if opinion.failure.retryable else n
            p.causes[opinion.failure.cause] = p.causes.get(opinion.failure.cause, 0) + n
            self._unanswered += 1
            if not self._answered and self._unanswered >= self.options.abort_after_failures:
                self._end("aborted", JudgeError(
                    f"the first {self._unanswered} calls all failed, the last with {opinion.failure.cause}: "
                    f"{opinion.failure.detail}",
                    cure="`grader doctor` looks at the endpoint; then run the same command again",
                ))  # fmt: skip
        if opinion.stats is not None:
            p.n_calls += 1
            p.n_attempts += opinion.stats.attempts
            p.prompt_tokens += opinion.stats.prompt_tokens or 0
            p.completion_tokens += opinion.stats.completion_tokens or 0
            cost = opinion.stats.cost_usd
            # A call that was never answered cost nothing that is known; an answer without a price cost something.
            if opinion.failure is None or opinion.stats.prompt_tokens is not None:
                p.cost_usd = None if cost is None or p.cost_usd is None else p.cost_usd + cost
                self._spent += reserved if cost is None else cost
        self._room.set()

    async def _write(self) -> None:
        """Take what is journaled into the database, in order, in one transaction."""
        batch: list[tuple[Entry, int]] = []
        while self._pending and self._pending[0][1] <= self.journal.on_disk:
            batch.append(self._pending.popleft())
        judgements = [j for entry, _ in batch for j in entry.judgements]
        self._n_pending -= len(judgements)
        self._written_at = 0.0
        if not batch or self._store_broken:
            return
        calls = [entry.call for entry, _ in batch if entry.call is not None]
        mark = (self.journal.name, batch[-1][1])
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._db, self.store.append, self.run_id, judgements, calls, mark
            )
        except GraderError as error:
            # The journal has it all. No later batch may move the mark past this one, so nothing more is written.
            self._store_broken = True
            self._end("aborted", error)


def _whole(opinion: Opinion, case: Case) -> Opinion:
    """The opinion, when every criterion has its one answer; else a failure that says whose fault it is."""
    for question in case.questions if opinion.failure is None else ():
        answered = [v.criterion for v in opinion.verdicts.get(question.rubric.name, ())]
        if sorted(answered) != sorted(question.rubric.codes):
            detail = f"the judge did not answer each code of {question.rubric.name} once: please report this"
            return Opinion(failure=Failure(cause="internal_error", detail=detail, retryable=True), stats=opinion.stats)
    return opinion


async def execute(
    run_id: str,
    plan: Plan,
    judge: Judge,
    store: Store,
    journal: Journal,
    options: Options,
    *,
    progress: Progress | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    stop: Stop | None = None,
) -> Summary:
    """Make every call of the plan that is still to be made, and say how it ended; `progress` is kept up to date.

    Raises StoreError when the journal can no longer be written: then nothing more is called.
    """
    progress = progress or Progress(plan.n_todo)
    run = _Run(run_id, plan, judge, store, journal, options, progress, on_progress, stop or Stop())
    await run.execute()
    missing = progress.n_failed or plan.n_failed_before or progress.n_done < plan.n_todo
    state = run.ended_by or ("incomplete" if missing else "complete")
    if state == "interrupted" and progress.n_done >= plan.n_todo:  # asked to stop when all was done
        state = "incomplete" if missing else "complete"
    return Summary(run_id, state, progress, run.error)


def failures_first(causes: dict[str, int]) -> Sequence[tuple[str, int]]:
    """Causes with their counts, most frequent first."""
    return sorted(causes.items(), key=lambda item: (-item[1], item[0]))
