"""What went in and counts nowhere (yet): labels that no rubric knows, outcomes and labels without their conversation.

All of it stays stored, since files may come in any order. The store, and what the rubrics allow, are arguments.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from grader.ingest.rows import Note, misspelt

# (rubric, version) → criterion → the answers that it takes, None where they are not known.
Known = Mapping[tuple[str, str], Mapping[str, Collection[str] | None]]

_LABELS = """
    with known as (
        select k ->> '$[0]' as rubric, k ->> '$[1]' as version, k ->> '$[2]' as criterion, k ->> '$[3]' as answer
        from (select unnest(?::json[]) as k)
    ),
    given as (select rubric, rubric_version, criterion, answer, count(*) as n from label group by all),
    told as (
        select n, case
            when not exists (from known as k where k.rubric = g.rubric and k.criterion = g.criterion)
                then ['criterion', rubric || '/' || criterion, '']
            when not exists (from known as k
                             where k.rubric = g.rubric and k.version = rubric_version and k.criterion = g.criterion)
                then ['version', rubric || '@' || rubric_version || '/' || criterion, '']
            when not exists (from known as k
                             where k.rubric = g.rubric and k.version = rubric_version and k.criterion = g.criterion
                             and (k.answer is null or k.answer = g.answer))
                then ['answer', rubric || '@' || rubric_version || '/' || criterion, answer]
        end as what
        from given as g
    )
    select
        what[1] as fault, what[2] as named, what[3] as answer,
        sum(sum(n)) over (partition by what[1]) as n_labels, count(*) over (partition by what[1]) as n_names
    from told where what is not null group by what
    qualify row_number() over (partition by what[1] order by sum(n) desc, what) <= 3
    order by fault, sum(n) desc, named
"""
_FAULTS = {
    "criterion": ("names", "name", "a criterion that no rubric of this workspace has"),
    "version": ("is", "are", "for a version in which no rubric of this workspace has that criterion"),
    "answer": ("gives", "give", "an answer that the criterion does not have"),
}
_ABSENT = """
    select conversation_id, sum(count(*)) over () as n, count(*) over () as n_names
    from {} as x
    where not exists (from conversation as c where c.conversation_id = x.conversation_id)
    group by conversation_id order by count(*) desc, conversation_id limit 3
"""
_ABSENT_OF = {"label": _ABSENT.format("label"), "outcome": _ABSENT.format("outcome")}


class Rows(Protocol):
    """What is asked of a store."""

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of one statement."""


def unknown_labels(store: Rows, known: Known) -> list[Note]:
    """Labels whose criterion, version or answer is not among what is known, and so are compared with nothing."""
    parts = [
        [rubric, version, criterion, answer]
        for (rubric, version), criteria in known.items()
        for criterion, answers in criteria.items()
        for answer in (answers if answers is not None else [None])
    ]
    names = {
        "criterion": sorted({f"{rubric}/{criterion}" for rubric, _, criterion, _ in parts}),
        "version": sorted({f"{rubric}@{version}/{criterion}" for rubric, version, criterion, _ in parts}),
    }
    found = store.rows(_LABELS, [[json.dumps(part) for part in parts]])
    notes = []
    for fault, (singular, plural, what) in _FAULTS.items():
        told = [row for row in found if row[0] == fault]
        if not told:
            continue
        n, n_names = int(told[0][3]), told[0][4]
        if fault == "answer":
            said = [f"{name} = {answer}" + _near(answer, _answers(known, name)) for _, name, answer, *_ in told]
        else:
            said = [name + _near(name, names[fault]) for _, name, *_ in told]
        head = f"1 label {singular}" if n == 1 else f"{n:,} labels {plural}"
        notes.append(Note(f"{head} {what}: {_listed(said, n_names)}", n))
    return notes


def without_conversation(store: Rows, kind: str) -> list[Note]:
    """Labels or outcomes for conversations that are not stored."""
    found = store.rows(_ABSENT_OF[kind])
    if not found:
        return []
    n, n_names = int(found[0][1]), found[0][2]
    head = f"1 {kind} is for" if n == 1 else f"{n:,} {kind}s are for"
    what = "a conversation that is" if n_names == 1 else "conversations that are"
    return [Note(f"{head} {what} not here (yet): {_listed([row[0] for row in found], n_names)}", n)]


def _answers(known: Known, name: str) -> Iterable[str]:
    reference, _, criterion = name.partition("/")
    rubric, _, version = reference.rpartition("@")
    return known.get((rubric, version), {}).get(criterion) or ()


def _near(name: str, known: Iterable[str]) -> str:
    near = misspelt(name, known)
    return f" (did you mean {near}?)" if near else ""


def _listed(names: Sequence[str], n: int) -> str:
    return ", ".join(name if len(name) <= 120 else f"{name[:120]}…" for name in names) + (
        ", …" if n > len(names) else ""
    )
