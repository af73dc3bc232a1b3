"""Causes of the ledger as people say them, and what to do about each: words of the shipped rubric."""

from __future__ import annotations

from collections.abc import Mapping

from grader.language import N_, _

KINDS: Mapping[str, str] = {"escalation": N_("A human took over"), "non_resolution": N_("Not solved")}
CAUSES: Mapping[str, str] = {
    "integration": N_("a system was missing or failed"),
    "rule": N_("a rule forbids it, or none covers it"),
    "missing_data": N_("a detail was missing"),
    "wrong_answer": N_("the AI answered wrongly"),
    "not_escalated": N_("no human was brought in"),
    "human_backlog": N_("it waits with humans"),
    "lack_of_data": N_("the AI lacked information"),
    "missing_integration": N_("the AI had no tool, or a failing one"),
    "missing_rule": N_("no rule covered it"),
}
_SEVERITIES = {"critical": N_("critical"), "high": N_("high"), "medium": N_("medium"), "low": N_("low")}


def severity_word(severity: str) -> str:
    """A severity as it is shown."""
    return _(_SEVERITIES.get(severity, severity))


def severity_rank(severity: str) -> int:
    """Critical is 0; what is none of the four stands last."""
    return list(_SEVERITIES).index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
