"""What `grader label` prints, and how a file of labels is taken in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from grader.cli import console

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.labelling.plan import LabelPlan
    from grader.labelling.progress import Status
    from grader.model import Rejected
    from grader.store import LabelRecord

SHOWN = 10
MANY = 1000  # answers of one person: more is more than a day of work
READING, ANSWERING = 60, 5  # seconds a conversation and an answer, where nobody has measured them yet
FEW = 5  # of a stratum: below, nothing can be said of it


def tell_plan(drawn: LabelPlan, asked_for: int, n_gone: int) -> None:
    """The strata, the reviewers and the splits of a plan, for its owner."""
    console.table(
        ["stratum", "judged>", "to label>", "chance>"],
        [(s.name, f"{s.n_population:,}", f"{s.n_drawn:,}", f"{s.inclusion_probability:.4g}") for s in drawn.strata],
    )
    copies = Counter(i.reviewer for i in drawn.items if i.copy)
    items = Counter(i.reviewer for i in drawn.items)
    twice = sum(n > 1 for n in Counter(i.conversation_id for i in drawn.items if not i.copy).values())
    n_codes = len(drawn.questions)
    console.table(
        ["reviewer", "items>", "of these a second time>", "answers>", "hours>"],
        [(r, items[r], copies[r], f"{items[r] * n_codes:,}", f"{items[r] * (READING + n_codes * ANSWERING) / 3600:.1f}")
         for r in drawn.reviewers],
    )  # fmt: skip
    console.out(
        f"hours: assumed {READING} s to read a conversation and {ANSWERING} s an answer; grader review measures"
    )
    splits = Counter(d.split for d in drawn.drawn)
    console.out(
        f"{len(drawn.drawn):,} of {drawn.n_frame:,} judged conversations, {n_codes} "
        f"{'criterion' if n_codes == 1 else 'criteria'} each, {twice:,} by two reviewers, seed {drawn.seed}"
    )
    told = ", ".join(f"{name} {splits[name]:,}" for name in ("train", "dev", "test"))
    console.out(f"splits by contact: {told}")
    most = max(items.values()) * n_codes
    if most > MANY:
        console.note(
            f"many answers: {most:,} by one person, {n_codes} of each conversation; --rubric NAME or --code asks "
            "fewer, -n draws fewer conversations, --reviewers shares them out"
        )
    if len(drawn.drawn) < asked_for:
        console.note(f"there are no more than {len(drawn.drawn):,}, all are in it")
    if n_gone:
        console.note(f"{n_gone:,} conversations of the run are gone from the database, and in no stratum")
    short = [s for s in drawn.strata if s.n_drawn < min(FEW, s.n_population)]
    if short:
        console.note(f"{len(short)} strata have fewer than {FEW}: a larger -n, or fewer codes")
    if len(drawn.reviewers) == 1:
        console.note("one reviewer: nobody will know how far people agree; --reviewers ana,ben")


def tell_status(found: Status, *, as_json: bool) -> None:
    """Progress, for everybody."""
    if as_json:
        console.out_json({
            "plan": found.plan_id, "conversations": found.n_drawn, "reviewers": found.reviewers,
            "criteria": found.criteria, "open": found.n_open, "splits": found.splits,
            "test_openings": [{"purpose": purpose, "opened_at": at} for purpose, at in found.openings],
        })  # fmt: skip
        return
    columns = ["reviewer", "items>", "complete>", "answers>", "asked>", "changed>"]
    later = any(r.n_changed_later for r in found.reviewers)
    console.table(
        [*columns, "after the reveal>"] if later else columns,
        [(r.reviewer, r.n_items, r.n_complete, r.n_answers, r.n_asked, r.n_changed, r.n_changed_later)[:6 + later]
         for r in found.reviewers],
    )  # fmt: skip
    console.table(
        ["criterion", "drawn>", "labelled>", "by two>", "the same>", "decided>", "open>"],
        [(c.question, c.n_drawn, c.n_labelled, c.n_twice, c.n_agreed, c.n_adjudicated, c.n_open)
         for c in found.criteria],
    )  # fmt: skip
    told = ", ".join(f"{name} {n:,}" for name, n in found.splits.items())
    times = len(found.openings)
    console.out(f"splits: {told}; the test split was opened {times} {'time' if times == 1 else 'times'}")
    if found.n_open:
        open_ = "disagreement" if found.n_open == 1 else "disagreements"
        console.out(f"{found.n_open:,} {open_} open: grader label adjudicate {found.plan_id[:11]} -o FILE")
    elif any(c.n_labelled for c in found.criteria):
        console.note(f"next: grader calibrate {found.plan_id[:11]}")


def taken_in(
    settings: Settings, file: Path, reviewer: str | None, plan_id: str | None, origin: str | None, now: datetime, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Take in a filled form, or labels from elsewhere. Exit 2 where every answer of it was rejected."""
    from grader.labelling.filled import read
    from grader.labelling.given import plan_of_form
    from grader.labelling.intake import as_labels, held_against
    from grader.store import open_store

    with open_store(settings.workspace.database, create=False, people=console.people(settings)) as store:
        records: Sequence[LabelRecord]
        rejected: Sequence[Rejected]
        if origin is not None:
            records, rejected = _elsewhere(file, origin)
            kind, size = "labels-elsewhere", file.stat().st_size
            current: list[LabelRecord] = []
        else:
            filled = read(file)
            plan, adjudication = plan_of_form(store, filled.form_id, str(file), plan_id)
            taken = held_against(store, plan, filled, reviewer or "", adjudication=adjudication, now=now)
            records, rejected, kind, size = taken.records, taken.rejected, filled.format, filled.size
            current = as_labels(plan, taken.records)
        ingest_id = store.begin_ingest(str(file), kind, size)
        counts = store.add_label_records(records, now, current=current)
        store.add_rejections(ingest_id, rejected)
        store.end_ingest(ingest_id, len(records) + len(rejected), len(records), len(rejected), counts)
    n_in = len(records) + len(rejected)
    if as_json:
        console.out_json({
            "file": file, "rows_in": n_in, "kept": len(records), "rejected": len(rejected), "new": counts.new,
            "changed": counts.changed, "unchanged": counts.unchanged, "rejections": rejected,
        })  # fmt: skip
    else:
        console.out(f"{file}: kept {len(records):,} + rejected {len(rejected):,} = {n_in:,} answers in")
        console.out(f"new {counts.new:,}, changed {counts.changed:,}, unchanged {counts.unchanged:,}")
        if not n_in:
            console.note("no place of it is filled in yet")
        for one in rejected[:SHOWN]:
            field = f"{one.field}: " if one.field else ""
            console.note(f"{one.file}:{one.line}: {field}{one.reason}\n  → {one.cure}")
        if len(rejected) > SHOWN:
            console.note(f"and {len(rejected) - SHOWN:,} more: grader ingest --rejections")
    if rejected and not records:
        raise typer.Exit(2)


def _elsewhere(file: Path, origin: str) -> tuple[list[LabelRecord], list[Rejected]]:
    """Label records of another tool or time; they have no plan, and no chance."""
    from grader.ingest import read
    from grader.ingest.rows import Kept
    from grader.model import Label, Rejected
    from grader.store import LabelRecord

    records, rejected = [], []
    for row in read(file, format="canonical"):
        if not isinstance(row, Kept):
            rejected.append(row)
        elif isinstance(row.record, Label):
            x = row.record
            records.append(LabelRecord(
                None, None, origin, x.conversation_id, x.rubric, x.rubric_version, x.criterion, x.reviewer, "elsewhere",
                x.answer, x.note, x.message, x.quote, x.verdict_visible, None, x.labelled_at,
            ))  # fmt: skip
        else:
            kind = type(row.record).__name__.lower()
            rejected.append(Rejected(
                str(file), row.line, None, f"is a {kind}, no label", "grader ingest takes it in", ""
            ))  # fmt: skip
    return records, rejected
