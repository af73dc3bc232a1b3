"""Disputes: what somebody who has seen a finding says against it. No blind label: part of no rate and no reference.

They are kept beside the labels, under an origin of their own, and can be listed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from grader.model import JsonValue
from grader.store import LabelRecord, Store

ORIGIN = "dispute"


def dispute(
    conversation_id: str, question: str, rubric_version: str, reviewer: str, answer: str, note: str | None, at: datetime
) -> LabelRecord:
    """The answer that this person would have given, as it is kept."""
    rubric, _, criterion = question.partition(".")
    return LabelRecord(
        None, None, ORIGIN, conversation_id, rubric, rubric_version, criterion, reviewer, "elsewhere", answer,
        note, verdict_visible=True, labelled_at=at,
    )  # fmt: skip


def kept_disputes(store: Store) -> list[dict[str, JsonValue]]:
    """What stands of each that was kept, the latest first."""
    rows = store.records(
        "select conversation_id, rubric || '.' || criterion as question, answer, note, reviewer, labelled_at as at "
        "from label_record where origin = ? qualify row_number() over (partition by conversation_id, rubric, "
        "rubric_version, criterion, reviewer order by number desc) = 1 "
        "order by labelled_at desc, conversation_id, question, reviewer",
        [ORIGIN],
    )
    return [{**row, "at": row["at"].replace(tzinfo=UTC).isoformat()} for row in rows]
