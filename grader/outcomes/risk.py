"""What is known of a conversation that makes it worth a closer look before anybody judged it: to draw more of these.

A stratum, not a verdict: which of them a sample holds more often. The weights take that out of every figure again.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from grader.outcomes import chain
from grader.outcomes.reader import Reader

RISKS = ("low_csat", "recontacted", "escalated")


def risks(reader: Reader, ids: Sequence[str] | None = None, *, window_hours: int = 168) -> dict[str, frozenset[str]]:
    """The risks that each of these conversations (all, when None) has; none is an empty set. Returns are looked for
    among all conversations.
    """
    folder = files("grader.outcomes") / "sql"
    population, own = ((folder / f"{n}.sql").read_text(encoding="utf-8") for n in ("population", "risk"))
    sql = f"{population}\n{chain.as_ctes()}\n{own}"
    rows = reader.records(sql, [None if ids is None else list(ids), window_hours])
    sets: dict[frozenset[str], frozenset[str]] = {}  # eight at most, shared by all
    found = {}
    for row in rows:
        has = frozenset(name for name in RISKS if row[name])
        found[row["conversation_id"]] = sets.setdefault(has, has)
    return found
