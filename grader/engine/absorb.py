"""From journals into the database: what a killed run had paid for, or everything, to make the database again.

Taking a line in twice changes nothing, so where there is doubt how far a journal was taken in, it is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.engine.journal import Damage, End, Entry, Head, Items, journals, read
from grader.model import JsonValue
from grader.rubric import Rubric
from grader.store import RunItem, Store

ABSORB_BATCH = 500  # calls per transaction


@dataclass(frozen=True)
class Absorbed:
    """What was taken out of journals: how many files held something new, how many judgements were new."""

    n_journals: int = 0
    n_judgements: int = 0


def absorb(store: Store, folder: Path, *, from_start: bool = False) -> Absorbed:
    """Take into the database what journals hold and it does not.

    `from_start` reads every journal whole, to rebuild a database. Runs whose process is gone are marked interrupted.
    Raises InputError for a damaged journal, after everything that is whole has been taken in.
    """
    marks = {} if from_start else store.absorbed_all()
    n_journals = n_judgements = 0
    damaged: list[Damage] = []
    for path in journals(folder):
        start = marks.get(path.name, 0)
        if start == path.stat().st_size and not from_start:
            continue
        n_new, found = _absorb_one(store, path, start)
        n_journals += 1
        n_judgements += n_new
        damaged += found
    store.end_killed_runs()
    if damaged:
        raise damaged[0].error(len(damaged) - 1)
    return Absorbed(n_journals, n_judgements)


def _absorb_one(store: Store, path: Path, start: int) -> tuple[int, list[Damage]]:
    """How many judgements of this journal were new, and its damaged lines. The mark stays before the first of those."""
    run_id, n_new = path.stem, 0
    damaged: list[Damage] = []
    batch: list[Entry] = []
    whole = start  # up to here nothing is damaged
    for line, end in read(path, start):
        if not damaged and not isinstance(line, Damage):
            whole = end
        if isinstance(line, Damage):
            damaged.append(line)
        elif isinstance(line, Head):
            _restore(store, path, line, end)
        elif isinstance(line, Entry):
            batch.append(line)
        elif isinstance(line, End):
            n_new += _take(store, run_id, batch, (path.name, whole))
            batch = []
            store.update_run(run_id, line.changes)
        if len(batch) >= ABSORB_BATCH:
            n_new += _take(store, run_id, batch, (path.name, whole))
            batch = []
    n_new += _take(store, run_id, batch, (path.name, whole))
    if not damaged:  # a torn last line was never acknowledged: nothing is to be had from it
        store.mark(path.name, path.stat().st_size)
    return n_new, damaged


def _take(store: Store, run_id: str, batch: Sequence[Entry], mark: tuple[str, int]) -> int:
    if not batch:
        return 0
    judgements = [j for entry in batch for j in entry.judgements]
    return store.append(run_id, judgements, [entry.call for entry in batch if entry.call], mark)


def _restore(store: Store, path: Path, head: Head, end: int) -> None:
    """Bring back a run, with its rubrics and prompt, that the database does not know."""
    if not head.run:
        return
    keep_rubrics(store, head.rubrics)
    if head.prompt is not None:
        store.add_prompt(*head.prompt, datetime.fromisoformat(str(head.run["started_at"])))
    store.begin_run(head.run, lambda: _items(path), (path.name, end))


def _items(path: Path) -> Iterator[Sequence[RunItem]]:
    for line, _ in read(path):
        if isinstance(line, Items):
            yield line.items
        elif isinstance(line, Entry):
            return


def described(rubric: Rubric, at: datetime) -> Mapping[str, JsonValue]:
    """A rubric as the journal's head keeps it and the database wants it."""
    return {
        "name": rubric.name, "version": rubric.version, "hashes": [rubric.meaning_hash, rubric.label_hash],
        "title": rubric.title, "body": rubric.model_dump(mode="json"), "at": at.isoformat(),
        "criteria": [
            {"code": c.code, "position": position, "title": c.title, "severity": c.severity, "scale": c.scale}
            for position, c in enumerate(rubric.criteria, 1)
        ],
    }  # fmt: skip


def stored_rubric(store: Store, name: str, version: str) -> Rubric | None:
    """The rubric under which this version was used; None where there was none, or one that this program cannot read."""
    try:
        return Rubric.model_validate(store.rubric_body(name, version))
    except ValueError:  # pydantic's
        return None


def keep_rubrics(store: Store, rubrics: Sequence[Mapping[str, JsonValue]]) -> None:
    """Store rubrics that are not stored yet, or whose labels changed under the same meaning."""
    for r in rubrics:
        meaning, label = r["hashes"]
        known = store.rubric_hashes(r["name"], r["version"])
        if known is None or (known[0] == meaning and known[1] != label):
            at = datetime.fromisoformat(r["at"])
            store.add_rubric(r["name"], r["version"], (meaning, label), r["title"], r["body"], r["criteria"], at)


def waiting(store: Store, folder: Path) -> frozenset[str]:
    """The keys of judgements that stand in journals and not yet in the database. Nothing is written."""
    marks = store.absorbed_all()
    found: set[str] = set()
    for path in journals(folder):
        start = marks.get(path.name, 0)
        if start != path.stat().st_size:
            for line, _ in read(path, start):
                if isinstance(line, Entry):
                    found.update(j.key for j in line.judgements if j.failure is None)
    return frozenset(found)
