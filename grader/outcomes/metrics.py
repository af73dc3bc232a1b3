"""What happened, over all conversations and without a judge: containment, AI resolution, returns, ratings, times.

Counts come from `sql/metrics.sql`, by slice; rates are made here. An episode is one contact's conversations that follow
each other within the gap (see `sql/recontact_of.sql`); only those that the customer began count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from grader.errors import InputError
from grader.outcomes.reader import Reader
from grader.outcomes.recontact import GAP_MINUTES
from grader.outcomes.share import Bounds, Share

DIMENSIONS = ("week", "queue", "reason", "channel", "language", "ai_version")
WINDOWS = {"24h": 24, "72h": 72, "7d": 168, "30d": 720}


@dataclass(frozen=True, slots=True)
class Metrics:
    """The counts of one slice (None: where the dimension is not known; "all" where nothing was asked for)."""

    slice: str | None
    n_episodes: int
    n_open: int
    n_closed: int
    n_contained: int
    n_by_ai: int  # contained, and an AI answered; where only unknown speakers did, nobody knows
    n_no_identity: int
    n_no_time: int
    n_not_yet_known: int
    n_matured: int
    n_came_back: int
    n_same_issue: int
    n_issue_unknown: int
    n_ai_matured: int
    n_ai_came_back: int
    n_ai_same_issue: int
    n_ai_issue_unknown: int
    n_csat_ai: int
    csat_ai_sum: float
    n_handed_over: int
    n_csat_human: int
    csat_human_sum: float
    n_asked: int
    n_answered: int
    first_answer_median: float | None  # seconds
    first_answer_p90: float | None
    minutes_median: float | None  # from the first to the last message of closed episodes
    minutes_p90: float | None
    n_timed: int
    n_handled: int
    handle_median: float | None  # minutes of a human, where the source says so
    data_end: datetime | None

    @property
    def contained(self) -> Share:
        """Closed without a human: deflection."""
        return Share(self.n_contained, self.n_closed)

    @property
    def ai_resolved(self) -> Bounds:
        """Closed, answered by the AI, no human, and no return about the same issue within the window."""
        stayed = self.n_ai_matured - self.n_ai_same_issue - self.n_ai_issue_unknown
        return Bounds(stayed, self.n_ai_issue_unknown, self.n_matured, self.n_ai_came_back)

    @property
    def false_containment(self) -> Bounds:
        """Of those that the AI contained, the ones that came back about the same issue."""
        return Bounds(self.n_ai_same_issue, self.n_ai_issue_unknown, self.n_ai_matured, self.n_ai_came_back)

    @property
    def came_back(self) -> Share:
        """Came back about anything."""
        return Share(self.n_came_back, self.n_matured)

    @property
    def same_issue(self) -> Bounds:
        """Came back about the same issue."""
        return Bounds(self.n_same_issue, self.n_issue_unknown, self.n_matured, self.n_came_back)

    @property
    def coverage(self) -> Share:
        """Closed episodes whose customer and time are known, so that a return could be seen at all."""
        return Share(self.n_matured + self.n_not_yet_known, self.n_closed)

    @property
    def csat_ai(self) -> float | None:
        """Mean of 1 to 5 without a human, None without an answer."""
        return self.csat_ai_sum / self.n_csat_ai if self.n_csat_ai else None

    @property
    def csat_human(self) -> float | None:
        """The same where a human took part."""
        return self.csat_human_sum / self.n_csat_human if self.n_csat_human else None

    @property
    def answered(self) -> Share:
        """Somebody known answered the customer's first message."""
        return Share(self.n_answered, self.n_asked)


def every(
    reader: Reader, dimensions: Sequence[str] = DIMENSIONS, *, window_hours: int = 168,
    ids: Sequence[str] | None = None, timezone: str = "UTC",
) -> dict[str | None, list[Metrics]]:  # fmt: skip
    """The figures of everything (under None, one slice "all", none where there is no episode) and by each dimension, in
    one pass over the data. As `metrics`.
    """
    for name in dimensions:
        if name not in DIMENSIONS:
            raise InputError(f"there is no dimension {name!r}", field="--by", cure=f"one of {', '.join(DIMENSIONS)}")
    if not 1 <= window_hours <= max(WINDOWS.values()):
        raise InputError(f"a window of {window_hours} hours is not looked at", field="--window", cure="1 h to 30 d")
    folder = files("grader.outcomes") / "sql"
    sql = "\n".join(
        (folder / f"{n}.sql").read_text(encoding="utf-8") for n in ("population", "recontact_of", "metrics")
    )
    names = list(dict.fromkeys(dimensions))  # checked above: these words become part of the SQL
    grouped = " ".join(f"when grouping({name}) = 0 then '{name}'" for name in names)
    chosen = " ".join(f"when grouping({name}) = 0 then {name}" for name in names)
    slices = f"case {grouped} end as dimension, case {chosen} else 'all' end as slice" if names else (
        "null::varchar as dimension, 'all' as slice"
    )  # fmt: skip
    sql = sql.replace("{slices}", slices).replace("{grouping_sets}", ", ".join(["()", *(f"({n})" for n in names)]))
    wanted = None if ids is None else list(ids)
    found: dict[str | None, list[Metrics]] = {name: [] for name in (None, *names)}
    for row in reader.records(sql, [wanted, GAP_MINUTES, window_hours, timezone]):
        dimension, answer, lasted = row.pop("dimension"), row.pop("first_answer"), row.pop("lasted")
        row["first_answer_median"], row["first_answer_p90"] = answer or (None, None)
        row["minutes_median"], row["minutes_p90"] = (s / 60 for s in lasted) if lasted else (None, None)
        if row["n_episodes"]:  # nothing at all is still one row over all
            found[dimension].append(Metrics(**row))
    return found


def metrics(
    reader: Reader, *, by: str | None = None, window_hours: int = 168, ids: Sequence[str] | None = None,
    timezone: str = "UTC",
) -> list[Metrics]:  # fmt: skip
    """The figures of every slice of a dimension, in its order; of everything, as one slice, without one.

    `ids`: only episodes that end with these conversations; returns are still looked for among all. Weeks begin on
    Monday in `timezone`. Raises InputError for a dimension or window that there is none of.
    """
    dimensions = () if by is None else (by,)
    return every(reader, dimensions, window_hours=window_hours, ids=ids, timezone=timezone)[by]
