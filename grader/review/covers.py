"""Which comparisons are held back, and until when.

Of a conversation that somebody labels twice, nothing is revealed before the second time. Were those the only items
without a comparison, its absence would say "this one comes again"; so for each of them others, drawn by the plan's
identity, are held back for just as long. Whoever sees no comparison does not know which kind it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.labelling.plan import LabelPlan
from grader.model import digest

COVERS = 2  # others for each conversation that comes twice, as far as there are so many before its second time


def held_back(plan: LabelPlan) -> Mapping[str, frozenset[str]]:
    """Item → the same reviewer's items that have to be submitted before it is compared with the judge."""
    found: dict[str, set[str]] = {}
    for reviewer in plan.reviewers:
        mine = sorted((i for i in plan.items if i.reviewer == reviewer), key=lambda i: i.position)
        looks: dict[str, list[str]] = {}
        for i in mine:
            looks.setdefault(i.conversation_id, []).append(i.item_id)
        place = {i.item_id: n for n, i in enumerate(mine)}
        single = [ids[0] for ids in looks.values() if len(ids) == 1]
        # what comes again is of the first third (`labelling/design.py`), so that is where covers are looked for first
        single.sort(key=lambda item: (3 * place[item] >= len(mine), digest("co", [plan.plan_id, item])))
        for ids in (ids for ids in looks.values() if len(ids) > 1):
            for item in ids:
                found.setdefault(item, set()).update(other for other in ids if other != item)
            last = max(ids, key=lambda item: place[item])
            covers = [item for item in single if place[item] < place[last]][:COVERS]
            for item in covers:
                single.remove(item)
                found.setdefault(item, set()).add(last)
    return {item: frozenset(others) for item, others in found.items()}
