"""From journals to the database: what was settled becomes labels, checked as the answers of a form are.

Taking in is done as often as one likes: what the database has already, or something younger than it, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.labelling.disputes import ORIGIN, dispute
from grader.labelling.filled import Filled, Given
from grader.labelling.given import kept_plan
from grader.labelling.intake import as_labels, held_against
from grader.labelling.plan import LabelPlan
from grader.model import Rejected
from grader.review.acts import Act, ItemState, Settled
from grader.review.journal import Journal, all_of
from grader.store import LabelRecord, Store


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one person settled and disputed, in order."""

    name: str
    role: str
    settled: tuple[Settled, ...]
    disputed: tuple[Act, ...] = ()

    def __len__(self) -> int:
        return len(self.settled) + len(self.disputed)


@dataclass(frozen=True, slots=True)
class Took:
    """What taking in came to. `n_new` are in the database now that were not; `rejected` will never be."""

    n_new: int
    rejected: tuple[Rejected, ...]


def of_journal(journal: Journal) -> Waiting:
    """What a journal holds, whoever has taken it in already."""
    states: dict[str, ItemState] = {}
    for act in journal.acts:
        if act.kind not in ("dispute", "report"):
            states.setdefault(act.item, ItemState(act.item)).do(act)
    settled = sorted((one for state in states.values() for one in state.settled), key=lambda one: one.at)
    disputed = tuple(act for act in journal.acts if act.kind == "dispute")
    return Waiting(journal.name, journal.role, tuple(settled), disputed)


def take(store: Store, plan: LabelPlan, waiting: Waiting, now: datetime) -> Took:
    """Take in what this person settled, and disputed."""
    fresh = _unknown(store, plan, waiting)
    n_new, rejected = _labels(store, plan, replace(waiting, settled=tuple(fresh)), now)
    last = {
        tuple(row[:-1]): row[-1]
        for row in store.rows(
            "select conversation_id, rubric || '.' || criterion, max(labelled_at) from label_record "
            "where origin = ? and reviewer = ? group by all",
            [ORIGIN, waiting.name],
        )
    }
    disputed = [
        dispute(a.item, a.question or "", a.version, waiting.name, a.answer or "", a.note, a.at)
        for a in waiting.disputed
        if (known := last.get((a.item, a.question))) is None or _naive(a.at) > known
    ]
    if disputed:
        n_new += store.add_label_records(disputed, now).new
    return Took(n_new, tuple(rejected))


def _unknown(store: Store, plan: LabelPlan, waiting: Waiting) -> list[Settled]:
    """Those that are younger than what the database has of the same question: it has the others."""
    last = {
        (item, question): at
        for item, question, at in store.rows(
            "select item_id, rubric || '.' || criterion, max(labelled_at) from label_record "
            "where plan_id = ? and reviewer = ? and role = ? group by all",
            [plan.plan_id, waiting.name, waiting.role],
        )
    }
    return [s for s in waiting.settled if (known := last.get((s.item, s.question))) is None or _naive(s.at) > known]


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _labels(store: Store, plan: LabelPlan, waiting: Waiting, now: datetime) -> tuple[int, list[Rejected]]:
    n_new = 0
    rejected: list[Rejected] = []
    third = waiting.role == "adjudicator"
    rubrics = {q.name: f"{q.rubric}@{q.rubric_version} {q.rubric_hash}" for q in plan.questions}
    form_id = plan.adjudication_id if third else plan.form_id
    for round_ in _rounds(waiting.settled):
        given = tuple(
            Given(n, s.item, form_id, s.text_hash, None, s.question, s.said.answer, s.said.note,
                  s.said.message, s.said.quote, s.at)
            for n, s in enumerate(round_, 1)
        )  # fmt: skip
        filled = Filled("review", form_id, "review", 0, rubrics, given, ())
        taken = held_against(store, plan, filled, waiting.name, adjudication=third, now=now)
        seen = {(s.item, s.question) for s in round_ if s.seen}
        records = [_seen(r) if (r.item_id, f"{r.rubric}.{r.criterion}") in seen else r for r in taken.records]
        blind = [r for r in records if not r.verdict_visible]
        counts = store.add_label_records(records, now, current=as_labels(plan, blind))
        n_new += counts.new + counts.changed
        rejected += taken.rejected
    return n_new, rejected


def _seen(record: LabelRecord) -> LabelRecord:
    return replace(record, verdict_visible=True)


def _rounds(settled: Iterable[Settled]) -> list[list[Settled]]:
    """In order, so that each round has a question of an item once."""
    rounds: list[list[Settled]] = []
    depth: dict[tuple[str, str], int] = {}
    for one in settled:
        n = depth.get((one.item, one.question), 0)
        depth[one.item, one.question] = n + 1
        if n == len(rounds):
            rounds.append([])
        rounds[n].append(one)
    return rounds


def in_order(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Reviewers before adjudicators: what a third decides is only asked where reviewers differ."""
    return sorted(waiting, key=lambda one: one.role == "adjudicator")


def waiting_of(store: Store, plan: LabelPlan, folder: Path) -> list[Waiting]:
    """What the plan's journals hold that the database does not have."""
    found = []
    for journal in all_of(folder):
        one = of_journal(journal)
        fresh = tuple(_unknown(store, plan, one))
        if fresh or one.disputed:
            found.append(replace(one, settled=fresh))
    return in_order(found)


def plans_with_journals(store: Store, state_dir: Path) -> list[tuple[LabelPlan, Path]]:
    """The plans of which there are journals, with their folders."""
    known = {plan_id for plan_id, _ in store.label_plans()}
    folders = sorted(p for p in (state_dir / "review").glob("lp_*") if p.is_dir() and p.name in known)
    return [(kept_plan(store, folder.name), folder) for folder in folders]
