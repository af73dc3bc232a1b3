"""From the database to a sample: the frame that was selected, put into strata, drawn by a design, written down.

What counts as a risk is told by whoever asks (see `outcomes.risk` and `flagged_by_signals`); nothing is graded here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import grader
from grader.engine.control import Progress
from grader.engine.plan import InForce, nothing_selected, question
from grader.errors import ConfigError, InputError
from grader.judge import Case
from grader.judge.signals import MODEL, SignalsJudge
from grader.model import JsonValue, Support
from grader.rubric import Rubric
from grader.sampling import ALLOCATIONS, Drawn, risk_enriched, simple, stratified, top_queues
from grader.sampling.plan import Sample, frame_hash, make_sample, parsed
from grader.store import NOTHING, Store

DESIGNS = ("simple", "stratified", "top-queues", "risk")
SIGNALS = "signals"  # the risk that `flagged_by_signals` sees
READ_AT_ONCE = 200
_SHOWN = 5

Risks = Callable[[Sequence[str]], Mapping[str, str | None]]


@dataclass(frozen=True)
class Design:
    """How to draw. What belongs to other designs than `name` is not looked at."""

    name: str
    n: int
    seed: int
    by: tuple[str, ...] = ("queue", "reason")
    allocation: str = "proportional"
    minimum: int = 5
    top: int = 3
    risks: tuple[str, ...] = ()
    share: float = 0.5
    window_hours: int = 168

    def __post_init__(self) -> None:
        if self.name not in DESIGNS:
            raise ConfigError(f"there is no design {self.name!r}", cure=f"--design {' | '.join(DESIGNS)}")
        if self.allocation not in ALLOCATIONS:
            raise ConfigError(
                f"there is no allocation {self.allocation!r}", cure=f"--allocation {' | '.join(ALLOCATIONS)}"
            )
        if self.name == "stratified" and not self.by:
            raise ConfigError("--by names nothing that would make strata", cure="--by queue,reason, or --design simple")
        for what, given in (("--by", self.by), ("--risks", self.risks)):
            if len(set(given)) < len(given):
                raise ConfigError(f"{what} {','.join(given)} names the same twice", cure="name each once")

    @property
    def parameters(self) -> dict[str, JsonValue]:
        """What of it decides the draw, beside the seed."""
        told: dict[str, JsonValue] = {"n": self.n}
        if self.name in {"stratified", "top-queues"}:
            told |= {"minimum": self.minimum, "allocation": self.allocation}
            told |= {"by": list(self.by)} if self.name == "stratified" else {"by": ["queue"], "top": self.top}
        if self.name == "risk":
            told |= {"minimum": self.minimum, "risks": list(self.risks), "share": self.share}
            told |= {"window_hours": self.window_hours}
            told |= {"signals": MODEL} if SIGNALS in self.risks else {}
        return told


def draw(
    store: Store, design: Design, *, select: Sequence[tuple[str, str]] = (), zone: tzinfo = UTC, risks: Risks,
    now: datetime,
) -> Sample:  # fmt: skip
    """Draw a sample of what is selected. `risks(ids)` names each one's risk, or None; it is asked in the design `risk`
    only. Raises InputError when nothing is selected, ConfigError where the design cannot be drawn.
    """
    fields = {"stratified": design.by, "top-queues": ("queue",)}.get(design.name, ())
    rows = store.frame(select, fields, zone=zone)
    if not rows:
        raise nothing_selected(select)
    ids = [row[0] for row in rows]
    strata: Mapping[str, str | None]
    frame = None
    if design.name == "simple":
        strata = dict.fromkeys(ids)
        drawn = simple(ids, design.n, design.seed)
    elif design.name == "stratified":
        strata = named = {i: stratum_name(values) for i, *values in rows}
        drawn = stratified(named, design.n, design.seed, minimum=design.minimum, allocation=design.allocation)
    elif design.name == "top-queues":
        strata = {i: None if queue == NOTHING else queue for i, queue in rows}
        drawn = top_queues(
            strata, design.n, design.seed, top=design.top, minimum=design.minimum, allocation=design.allocation
        )
        frame = _largest(drawn)
    else:
        strata = risks(ids)
        drawn = risk_enriched(strata, design.n, design.seed, share=design.share, minimum=design.minimum)
    return make_sample(
        drawn, store.content_hashes([d.conversation_id for d in drawn.draws]), design=design.name,
        parameters=design.parameters, seed=design.seed, selection=select, frame=frame,
        frame_hash=frame_hash(strata.items()), n_frame=len(ids), data_end=store.data_end(),
        grader_version=grader.__version__, drawn_at=now,
    )  # fmt: skip


def _largest(drawn: Drawn) -> str:
    queues = [layer.name or "" for layer in sorted(drawn.layers, key=lambda s: (-s.n_population, s.name or ""))]
    if not queues:
        raise InputError("no conversation that was selected has a queue", field="--design", cure="--design simple")
    return f"the {len(queues)} largest queues: {', '.join(queues)}" if len(queues) > 1 else f"the queue {queues[0]}"


def stratum_name(values: Iterable[str]) -> str:
    """`returns | refund`; two different lists never have one name."""
    return " | ".join(v.replace("\\", "\\\\").replace("|", "\\|") for v in values)


def kept_sample(store: Store, sample_id: str) -> Sample:
    """The sample of this id, or whose id begins so. Raises ConfigError where none or several do."""
    known = store.sample_ids()
    found = [i for i in known if i.startswith(sample_id)] if sample_id else []
    if len(found) != 1:
        what = f"is ambiguous: {', '.join(found[:_SHOWN])}" if found else "is no sample that is kept here, and no file"
        some = f"one of {', '.join(known[:_SHOWN])}" if known else "grader sample draws one"
        raise ConfigError(f"--plan {sample_id!r} {what}", cure="give more of the id" if found else some)
    told = store.sample(found[0])
    if told is None:
        raise AssertionError("a sample that was just listed is gone")
    return parsed(told)


def changed_since(store: Store, sample: Sample) -> int:
    """How many of the sample's conversations are not what they were when it was drawn. Raises InputError when some are
    gone: weights of a sample with holes would be wrong.
    """
    now = store.content_hashes([item.conversation_id for item in sample.items])
    gone = [item.conversation_id for item in sample.items if item.conversation_id not in now]
    if gone:
        some = ", ".join(gone[:_SHOWN]) + (" …" if len(gone) > _SHOWN else "")
        raise InputError(
            f"{len(gone)} of the {len(sample.items)} conversations of sample {sample.sample_id} are gone: {some}",
            cure="ingest them again, or draw a new sample: grader sample",
        )
    return sum(now[item.conversation_id] != item.content_hash for item in sample.items)


def flagged_by_signals(
    store: Store, ids: Sequence[str], rubrics: Sequence[Rubric], on_progress: Callable[[Progress], None]
) -> set[str]:
    """In which of these conversations the offline detectors prove any defect. Nothing is stored."""
    return asyncio.run(_flagged(store, ids, rubrics, on_progress))


async def _flagged(
    store: Store, ids: Sequence[str], rubrics: Sequence[Rubric], on_progress: Callable[[Progress], None]
) -> set[str]:
    judge, in_force = SignalsJudge(), InForce(store.policies())
    progress = Progress(len(ids))
    found: set[str] = set()
    for start in range(0, len(ids), READ_AT_ONCE):
        chunk = ids[start : start + READ_AT_ONCE]
        members = {m.conversation_id: m for m in store.members(chunk)}
        for conversation in store.conversations(chunk):
            name = in_force.of(members[conversation.conversation_id])
            policies = in_force.sets[name] if name else ()
            case = Case(conversation, policies, tuple(question(r, conversation, policies) for r in rubrics))
            opinion = await judge.judge(case)
            if any(
                v.support is Support.VERIFIED and v.answer == "present"
                for verdicts in opinion.verdicts.values()
                for v in verdicts
            ):
                found.add(conversation.conversation_id)
        progress.n_done += len(chunk)
        on_progress(progress)
    return found
