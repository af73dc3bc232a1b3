"""What a run is about, and from conversations to episodes, returns and issues, in steps: each is one file of `sql/run`
or `sql/chain`, named after what it makes.

A query about a run begins with them as CTEs. Figures over everything make temporary tables of them, one by one, so that
millions of conversations need the memory of the widest step only; so does what is read of a run in batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from grader.outcomes.recontact import GAP_MINUTES

# Of a run, in this order; the first and the last take its id as $1.
RUN = ("failed", "item", "subject", "counted", "answered", "version")
# In this order: each needs what stands before it. `drops`: what no later step needs.
STEPS = (
    "judged_reason", "person", "talk", "placed", "numbered", "episode", "ranked", "pair", "issue", "matched", "words",
    "returned",
)  # fmt: skip
SPENT = {"placed": ("talk",), "numbered": ("placed",), "matched": ("pair", "issue"), "returned": ("matched", "words")}


def text(folder: str, name: str, **fillings: object) -> str:
    """The text of `sql/<folder>/<name>.sql`. `fillings` are words and numbers of our own, never anybody's input."""
    found = (files("grader.outcomes") / "sql" / folder / f"{name}.sql").read_text(encoding="utf-8")
    for word, filling in {"gap_minutes": GAP_MINUTES, **fillings}.items():
        found = found.replace(f"{{{word}}}", str(filling))
    return found


def of_run() -> str:
    """All of `sql/run`, as the WITH that a query about a run begins with. $1: its id."""
    return "with " + "\n, ".join(f"{name} as (\n{text('run', name)})" for name in RUN)


def as_ctes() -> str:
    """All steps and `recontact`, to stand behind a WITH that has `subject` and `counted`."""
    return "\n".join(f", {name} as (\n{text('chain', name)})" for name in (*STEPS, "recontact"))


def as_tables() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each step as (name, SQL, names of the tables that can go after it). `subject` and `counted` are there."""
    for name in STEPS:
        yield name, text("chain", name), SPENT.get(name, ())
