"""Where no cause is known that a change can fix: what was flagged, the most severe first, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.language import _, number, numerals
from grader.outcomes import Defect, percent, rate
from grader.report.causes import severity_rank
from grader.report.front_charts import NO_QUEUE

FINDINGS, QUEUES = 5, 3  # codes that are told; of each, the queues that have most of it


@dataclass(frozen=True)
class Spot:
    """A queue in which a code was flagged; `key` as the list's filter has it."""

    key: str
    name: str
    n: int


@dataclass(frozen=True)
class Found:
    """A code that was flagged: how often, of how many in which it could be assessed, and where most."""

    code: str
    title: str
    severity: str
    n: int
    told: str
    spots: tuple[Spot, ...]


def findings_first(defects: Sequence[Defect]) -> tuple[Found, ...]:
    """The codes that were flagged, critical ones first, then by how often."""
    flagged = [d for d in defects if d.slice == "all" and d.n_flagged]
    found = []
    for d in sorted(flagged, key=lambda d: (severity_rank(d.severity), -d.n_flagged, d.code))[:FINDINGS]:
        same = [q for q in defects if q.slice == "queue" and q.n_flagged
                and (q.rubric, q.rubric_version, q.code) == (d.rubric, d.rubric_version, d.code)]  # fmt: skip
        most = sorted(same, key=lambda q: (-q.n_flagged, q.queue or ""))[:QUEUES]
        share = rate(d, lambda d: d.flagged)
        told = _("{n} of {of}", n=number(share.n), of=number(share.of))
        found.append(Found(
            d.code, d.title, d.severity, d.n_flagged, f"{told}, {numerals(percent(share.point))}",
            tuple(Spot(q.queue or NO_QUEUE, q.queue or _("no queue"), q.n_flagged) for q in most),
        ))  # fmt: skip
    return tuple(found)
