"""Who came back, as counts: how many, about the same issue or another, and of how many that is not known.

A return whose issue is not known is neither "the same" nor "another": it leaves the denominator, and `Bounds` says
between which ends the rate lies. the steps in `sql/chain` say what an episode, a return and an issue are; SQL counts
(`sql/recontact.sql`), the records here only divide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grader.outcomes.share import Bounds, Share
from grader.outcomes.weighting import Part

WINDOWS_HOURS = (24, 72, 168, 720)
GAP_MINUTES = 15  # a conversation that follows so soon is the same one going on (a split, a forward), not a recontact


@dataclass(frozen=True, slots=True)
class Recontact:
    """Who came back within a window. Only windows that closed before the data end count (`n_matured`)."""

    overall: bool
    queue: str | None
    window_hours: int
    n_matured: int
    n_came_back: int
    n_same_issue: int
    n_issue_unknown: int  # came back, but whether about the same issue is not known: one side was not judged, say
    n_resolved_matured: int
    n_resolved_came_back: int
    n_resolved_same_issue: int
    n_resolved_issue_unknown: int
    n_not_yet_known: int
    n_continued: int  # went on in another conversation within GAP_MINUTES; the clock runs from that one
    n_no_identity: int
    n_no_time: int
    n_excluded: int  # spam, tests, surveys, outbound messages: neither a start nor a return
    n_not_customer: int  # the business began
    n_open: int  # not closed yet, as the source says
    data_end: datetime | None
    parts: tuple[Part[Recontact], ...] = ()

    @property
    def identity_known(self) -> Share:
        """Conversations whose customer is known, of all: of the others nobody can tell whether they came back."""
        apart = self.n_continued + self.n_no_time + self.n_excluded + self.n_not_customer + self.n_open
        known = self.n_matured + self.n_not_yet_known + apart
        return Share(known, known + self.n_no_identity)

    @property
    def came_back(self) -> Share:
        """Came back about anything."""
        return Share(self.n_came_back, self.n_matured)

    @property
    def same_issue(self) -> Share:
        """Came back about the same issue, of those where this is known (who did not come back is known)."""
        return self.same_issue_bounds.known

    @property
    def same_issue_bounds(self) -> Bounds:
        """The same of all, between all unknown issues being other ones and all being the same."""
        return Bounds(self.n_same_issue, self.n_issue_unknown, self.n_matured, self.n_came_back)

    @property
    def resolved_but_back(self) -> Share:
        """Came back about the same issue, of those judged resolved where this is known: the audit of that verdict."""
        return self.resolved_but_back_bounds.known

    @property
    def resolved_but_back_bounds(self) -> Bounds:
        """The same of all that were judged resolved, between the two ends."""
        return Bounds(
            self.n_resolved_same_issue,
            self.n_resolved_issue_unknown,
            self.n_resolved_matured,
            self.n_resolved_came_back,
        )
