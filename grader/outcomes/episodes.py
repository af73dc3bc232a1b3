"""Every episode that a customer began, with what it counts as: the rows that all figures without a judge are made of.

`opened` makes them once, as temporary tables; `Episodes` then counts by any dimension and any window, and lists the
rows behind a figure. What an episode is stands in `sql/chain`, what it counts as in `sql/episode/told.sql`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from grader.errors import InputError
from grader.outcomes import chain
from grader.outcomes.reader import Reader

DIMENSIONS = ("week", "queue", "reason", "channel", "language", "ai_version")
WINDOWS = {"24h": 24, "72h": 72, "7d": 168, "30d": 720}
_KEPT = ("subject", "counted", "horizon", *chain.STEPS, "rated", "versioned", "member", "fact")
_ENDS_WITH = " and id in (select rowid from conversation where conversation_id in (select unnest($n::varchar[])))"
# How long until, and how long those were watched that are not there (yet).
_WAITS = {
    "first_answer": {
        "event": "answered", "asked": "asked",
        "watched": "case when answered then first_answer_seconds when is_open "
                   "then date_diff('second', asked_at, data_end) else date_diff('second', asked_at, clock_at) end",
    },
    "resolution": {
        "event": "closed", "asked": "started_at is not null",
        "watched": "case when closed then seconds else date_diff('second', started_at, data_end) end",
    },
}  # fmt: skip


# By dimension: {"queue": "returns"}, None for those of which it is not known, a pair for both ends of a range.
Where = Mapping[str, str | tuple[str, str] | None]


class Episodes:
    """The episodes as they were opened. `where` narrows down what is counted."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._handled: list[dict[str, Any]] | None = None

    @property
    def data_end(self) -> datetime | None:
        """How far the data reach, UTC without a zone; None where nothing has a time."""
        found: datetime | None = self._reader.rows("select data_end from horizon", [])[0][0]
        return found

    @property
    def n_synthetic(self) -> int:
        """Conversations that say of themselves that they were made up."""
        sql = "select count(*) from conversation where try_cast(attributes ->> '$.synthetic' as boolean)"
        n: int = self._reader.rows(sql, [])[0][0]
        return n

    def left_out(self) -> dict[str, int]:
        """How many conversations began no episode that is counted, by why."""
        return dict(self._reader.rows(chain.text("episode", "left_out"), []))

    def names(self, dimension: str) -> list[str]:
        """What this dimension can be, apart from not known."""
        checked(dimension, 1)
        found = self._reader.rows(chain.text("episode", "names", dimension=dimension), [])
        return [name for (name,) in found]

    def counts(
        self, by: str | None, window_hours: int, where: Where | None = None, ids: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """The counts of each slice of a dimension, of everything as one slice "all" without one; none of nothing.
        `ids`: only of episodes that end with these.
        """
        rows = self._query("metrics", by, window_hours, where, ids)
        waits = {name: {r["slice"]: r for r in self._query("waits", by, window_hours, where, ids, **parts)}
                 for name, parts in _WAITS.items()}  # fmt: skip
        for row in rows:
            for name, by_slice in waits.items():
                wait = by_slice.get(row["slice"], {})
                row |= {f"{name}_median": wait.get("median"), f"{name}_p90": wait.get("p90")}
                row[f"n_{name}_waited"] = wait.get("n_censored", 0)
        return [row for row in rows if row["n_episodes"]]

    def resolved_by_reason(self, by: str | None, window_hours: int, where: Where | None = None) -> list[dict[str, Any]]:
        """By slice and reason: `n_resolved` by the AI for sure, and `n_unknown` that may be."""
        return self._query("capacity", by, window_hours, where)

    def handle_minutes(self) -> list[dict[str, Any]]:
        """By reason: the median minutes of a human, with its interval and how many say it. Of everything."""
        if self._handled is None:
            self._handled = self._query("handled", None, max(WINDOWS.values()), None)
        return self._handled

    def rows(
        self, columns: Sequence[str], of: str, window_hours: int, where: Where | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """The episodes that count in `of`, each with these columns; newest first."""
        chosen = "".join(f", t.{name}" for name in columns)
        return self._query("rows", None, window_hours, where, columns=chosen, of=of)

    def _query(
        self, name: str, by: str | None, window_hours: int, where: Where | None, ids: Sequence[str] | None = None,
        **fillings: object,
    ) -> list[dict[str, Any]]:  # fmt: skip
        checked(by, window_hours)
        condition, values = narrowed(where)
        if ids is not None:
            values.append(list(ids))
            condition += _ENDS_WITH.replace("$n", f"${len(values)}")
        told = f"from (\n{chain.text('episode', 'told', window_hours=window_hours)}) where {condition}"
        body = chain.text("episode", name, slice=by or "'all'", **fillings)
        return self._reader.records(behind(told, body), values)


def narrowed(where: Where | None) -> tuple[str, list[object]]:
    """A condition on the dimensions, and its parameters."""
    clauses, values = ["true"], list[object]()
    for dimension, value in (where or {}).items():
        checked(dimension, 1)
        if isinstance(value, tuple):
            values += value
            clauses.append(f"{dimension}::varchar between ${len(values) - 1}::varchar and ${len(values)}::varchar")
        else:
            values.append(value)
            clauses.append(f"{dimension}::varchar is not distinct from ${len(values)}::varchar")
    return " and ".join(clauses), values


def behind(told: str, body: str) -> str:
    """`body` behind a CTE `told`, before the CTEs that it has itself."""
    head, _, rest = body.partition("\nwith ")
    if rest:
        return f"{head}\nwith told as (\n{told}),\n{rest}"
    return f"with told as (\n{told})\n{body}"


def checked(by: str | None, window_hours: int) -> None:
    """Raises InputError for a dimension or a window that there is none of. These words become part of SQL."""
    if by is not None and by not in DIMENSIONS:
        raise InputError(f"there is no dimension {by!r}", field="--by", cure=f"one of {', '.join(DIMENSIONS)}")
    if not isinstance(window_hours, int) or not 1 <= window_hours <= max(WINDOWS.values()):
        raise InputError(f"a window of {window_hours} hours is not looked at", field="--window", cure="1 h to 30 d")


@contextmanager
def opened(reader: Reader, *, ids: Sequence[str] | None = None, timezone: str = "UTC") -> Iterator[Episodes]:
    """The episodes that end with one of these conversations, None for all; returns are looked for among all. Days and
    weeks are those of `timezone`; weeks begin on Monday.
    """
    named = None if ids is None else list(ids)
    try:
        _make(reader, "subject", chain.text("episode", "subject", ids="$1"), [named])
        _make(reader, "counted", chain.text("episode", "counted"))
        _make(reader, "horizon", chain.text("episode", "horizon"))
        for name, sql, spent in chain.as_tables():
            _make(reader, name, sql)
            _drop(reader, spent)
        _make(reader, "rated", chain.text("episode", "rated"))
        _make(reader, "versioned", chain.text("episode", "versioned"))
        _make(reader, "member", chain.text("episode", "member"))
        _drop(reader, ("numbered", "episode"))
        everything = "true" if named is None else "false"
        _make(reader, "fact", chain.text("episode", "fact", timezone="$1::varchar", everything=everything), [timezone])
        _drop(reader, [name for name in _KEPT if name not in ("fact", "horizon", "member")])
        yield Episodes(reader)
    finally:
        _drop(reader, _KEPT)


def _make(reader: Reader, name: str, sql: str, values: Sequence[object] = ()) -> None:
    reader.rows(f"create or replace temp table {name} as\n{sql}", values)


def _drop(reader: Reader, names: Sequence[str]) -> None:
    for name in names:
        reader.rows(f"drop table if exists temp.{name}", [])
