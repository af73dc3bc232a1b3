"""What happened, over all conversations: containment, AI resolution, returns, ratings, times. A verdict is in it only
where nothing else tells whether a return is about the same issue (`n_issue_judged`).

Counts come by slice from `grader.outcomes.episodes`; rates are made here. `RATES` names every rate with the columns of
`sql/episode/told.sql` that it is made of, so that its rows can be listed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from grader.language import N_
from grader.outcomes.episodes import DIMENSIONS, WINDOWS, Episodes, Where, checked, opened
from grader.outcomes.reader import Reader
from grader.outcomes.share import Bounds, Mean, Share

__all__ = ["DIMENSIONS", "RATES", "WINDOWS", "Metrics", "Rate", "every", "metrics", "of_episodes"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate as columns: those that count in `yes`, of those that count in `of`; of those in `unknown` nobody knows."""

    title: str
    yes: str
    of: str
    unknown: str | None = None
    cases: str | None = None  # the only ones among `of` that can be unknown


RATES: Mapping[str, Rate] = {
    "containment": Rate(N_("Contained (deflection)"), "contained", "closed"),
    "ai_resolution": Rate(N_("AI-resolved"), "ai_resolved", "matured", "ai_issue_unknown", "ai_came_back"),
    "false_containment": Rate(
        N_("False containment"), "ai_same_issue", "ai_matured", "ai_issue_unknown", "ai_came_back"
    ),
    "recontact": Rate(N_("Came back, same issue"), "same_issue", "matured", "issue_unknown", "came_back"),
    "recontact_any": Rate(N_("Came back, about anything"), "came_back", "matured"),
    "recontact_after_ai": Rate(N_("Came back after the AI alone, about anything"), "ai_came_back", "ai_matured"),
    "recontact_after_human": Rate(
        N_("Came back after a human, same issue"), "human_same_issue", "human_matured", "human_issue_unknown",
        "human_came_back",
    ),
    "escalation": Rate(N_("Escalated to a human"), "escalated", "closed"),
    "coverage": Rate(N_("A return could be seen"), "visible", "closed"),
    "answered": Rate(N_("Answered at all"), "answered", "asked"),
    "csat_response_ai": Rate(N_("Rated, without a human"), "rated_ai", "without_human"),
    "csat_response_human": Rate(N_("Rated, with a human"), "rated_human", "handed_over"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metrics:
    """The counts of one slice (None: where the dimension is not known; "all" where nothing was asked for)."""

    slice: str | None
    n_episodes: int
    n_open: int
    n_closed: int
    n_contained: int
    n_by_ai: int  # contained, and an AI answered; where only unknown speakers did, nobody knows
    n_escalated: int  # closed, and a human took part
    n_no_identity: int
    n_no_time: int
    n_visible: int  # closed, with identity and time: a return could be seen
    n_not_yet_known: int
    n_ai_not_yet_known: int  # of these, closed by the AI alone
    n_matured: int
    n_came_back: int
    n_same_issue: int
    n_issue_unknown: int
    n_issue_judged: int  # came back, and the judge's contact reasons say whether about the same issue
    n_ai_matured: int
    n_ai_came_back: int
    n_ai_same_issue: int
    n_ai_issue_unknown: int
    n_ai_issue_judged: int
    n_human_matured: int
    n_human_came_back: int
    n_human_same_issue: int
    n_human_issue_unknown: int
    n_handed_over: int
    n_csat_ai: int
    csat_ai_sum: float
    csat_ai_squares: float
    n_csat_human: int
    csat_human_sum: float
    csat_human_squares: float
    n_asked: int
    n_answered: int
    n_timed: int
    n_handled: int
    handle_median: float | None  # minutes of a human, where the source says so
    data_end: datetime | None
    first_answer_median: float | None  # seconds, by Kaplan and Meier: those without an answer waited at least so long
    first_answer_p90: float | None
    n_first_answer_waited: int  # asked, and had no answer while they were watched
    resolution_median: float | None  # seconds from the first to the last message; open ones are not over yet
    resolution_p90: float | None
    n_resolution_waited: int

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
    def came_back_after_ai(self) -> Share:
        """Came back about anything, of those that the AI alone closed."""
        return Share(self.n_ai_came_back, self.n_ai_matured)

    @property
    def same_issue_after_human(self) -> Bounds:
        """Came back about the same issue, of those that a human took part in: what the AI's rate is to be held to."""
        return Bounds(self.n_human_same_issue, self.n_human_issue_unknown, self.n_human_matured, self.n_human_came_back)

    @property
    def escalated(self) -> Share:
        """A human took part, of the closed ones."""
        return Share(self.n_escalated, self.n_closed)

    @property
    def coverage(self) -> Share:
        """Closed episodes whose customer and time are known, so that a return could be seen at all."""
        return Share(self.n_visible, self.n_closed)

    @property
    def csat_ai(self) -> Mean:
        """Ratings of 1 to 5 where no human took part."""
        return Mean(self.n_csat_ai, self.csat_ai_sum, self.csat_ai_squares)

    @property
    def csat_human(self) -> Mean:
        """The same where a human did."""
        return Mean(self.n_csat_human, self.csat_human_sum, self.csat_human_squares)

    @property
    def csat_response_ai(self) -> Share:
        """Rated, of those without a human."""
        return Share(self.n_csat_ai, self.n_episodes - self.n_handed_over)

    @property
    def csat_response_human(self) -> Share:
        """Rated, of those with one."""
        return Share(self.n_csat_human, self.n_handed_over)

    @property
    def answered(self) -> Share:
        """Somebody known answered the customer's first message."""
        return Share(self.n_answered, self.n_asked)

    def rate(self, name: str) -> Share | Bounds:
        """The rate of `RATES` with this name."""
        return _RATE_OF[name](self)


_RATE_OF: Mapping[str, Callable[[Metrics], Share | Bounds]] = {
    "containment": lambda m: m.contained,
    "ai_resolution": lambda m: m.ai_resolved,
    "false_containment": lambda m: m.false_containment,
    "recontact": lambda m: m.same_issue,
    "recontact_any": lambda m: m.came_back,
    "recontact_after_ai": lambda m: m.came_back_after_ai,
    "recontact_after_human": lambda m: m.same_issue_after_human,
    "escalation": lambda m: m.escalated,
    "coverage": lambda m: m.coverage,
    "answered": lambda m: m.answered,
    "csat_response_ai": lambda m: m.csat_response_ai,
    "csat_response_human": lambda m: m.csat_response_human,
}


def of_episodes(
    episodes: Episodes, by: str | None = None, *, window_hours: int = 168,
    where: Where | None = None, ids: Sequence[str] | None = None,
) -> list[Metrics]:  # fmt: skip
    """The figures of every slice of a dimension, in its order; of everything, as one slice, without one. `ids`: only of
    episodes that end with these.
    """
    return [Metrics(**row) for row in episodes.counts(by, window_hours, where, ids)]


def every(
    reader: Reader, dimensions: Sequence[str] = DIMENSIONS, *, window_hours: int = 168,
    ids: Sequence[str] | None = None, timezone: str = "UTC",
) -> dict[str | None, list[Metrics]]:  # fmt: skip
    """The figures of everything (under None, one slice "all", none where there is no episode) and by each dimension.
    As `metrics`; the episodes are made once.
    """
    for name in (None, *dimensions):
        checked(name, window_hours)
    with opened(reader, ids=ids, timezone=timezone) as episodes:
        names = (None, *dict.fromkeys(dimensions))
        return {name: of_episodes(episodes, name, window_hours=window_hours) for name in names}


def metrics(
    reader: Reader, *, by: str | None = None, window_hours: int = 168, ids: Sequence[str] | None = None,
    timezone: str = "UTC",
) -> list[Metrics]:  # fmt: skip
    """The figures of every slice of a dimension, in its order; of everything, as one slice, without one.

    `ids`: only episodes that end with these conversations; returns are still looked for among all. Weeks begin on
    Monday in `timezone`. Raises InputError for a dimension or window that there is none of.
    """
    checked(by, window_hours)
    with opened(reader, ids=ids, timezone=timezone) as episodes:
        return of_episodes(episodes, by, window_hours=window_hours)
