"""What a run found and what happened afterwards, as counts that SQL made over the store.

`figures(store, run_id)` counts; `ranking`, `cases`, `verdicts` and `missing` read what stands behind the counts.
"""

from grader.outcomes.cases import (
    Case,
    Followup,
    Found,
    Missing,
    Ranked,
    Wording,
    cases,
    conversation_ids,
    missing,
    policies,
    ranking,
    verdicts,
    wordings,
)
from grader.outcomes.figures import (
    GAP_MINUTES,
    WINDOWS_HOURS,
    About,
    Choice,
    Defect,
    Figures,
    Headline,
    Recontact,
    Spend,
    Unjudged,
    figures,
    find_run,
)
from grader.outcomes.reader import Reader
from grader.outcomes.share import Share, dollars, percent, wilson

__all__ = [
    "GAP_MINUTES",
    "WINDOWS_HOURS",
    "About",
    "Case",
    "Choice",
    "Defect",
    "Figures",
    "Followup",
    "Found",
    "Headline",
    "Missing",
    "Ranked",
    "Reader",
    "Recontact",
    "Share",
    "Spend",
    "Unjudged",
    "Wording",
    "cases",
    "conversation_ids",
    "dollars",
    "figures",
    "find_run",
    "missing",
    "percent",
    "policies",
    "ranking",
    "verdicts",
    "wilson",
    "wordings",
]
