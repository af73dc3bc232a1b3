"""What a run found and what happened afterwards, as counts that SQL made over the store.

`figures(store, run_id)` counts; `ranking`, `cases`, `verdicts` and `missing` read what stands behind the counts.
"""

from grader.outcomes.about import About
from grader.outcomes.cases import (
    Batches,
    Case,
    Followup,
    Found,
    Missing,
    Return,
    Wording,
    batches,
    cases,
    conversation_ids,
    missing,
    policies,
    verdicts,
    wordings,
)
from grader.outcomes.figures import (
    Choice,
    Decided,
    Defect,
    Figures,
    Headline,
    Spend,
    Unjudged,
    figures,
    find_run,
)
from grader.outcomes.ranking import Ranked, ranking
from grader.outcomes.reader import Reader
from grader.outcomes.recontact import GAP_MINUTES, WINDOWS_HOURS, Recontact
from grader.outcomes.share import Bounds, Share, counted, dollars, percent, wilson
from grader.outcomes.weighting import Ends, Layer, Part, ends, rate, told
from grader.statistics.figure import Figure

__all__ = [
    "GAP_MINUTES",
    "WINDOWS_HOURS",
    "About",
    "Batches",
    "Bounds",
    "Case",
    "Choice",
    "Decided",
    "Defect",
    "Ends",
    "Figure",
    "Figures",
    "Followup",
    "Found",
    "Headline",
    "Layer",
    "Missing",
    "Part",
    "Ranked",
    "Reader",
    "Recontact",
    "Return",
    "Share",
    "Spend",
    "Unjudged",
    "Wording",
    "batches",
    "cases",
    "conversation_ids",
    "counted",
    "dollars",
    "ends",
    "figures",
    "find_run",
    "missing",
    "percent",
    "policies",
    "ranking",
    "rate",
    "told",
    "verdicts",
    "wilson",
    "wordings",
]
