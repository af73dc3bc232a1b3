"""One conversation as the page shows it: what was found, quoted where it stands, and what happened afterwards.

Plain records of texts and numbers; `render` turns them into JSON for the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.evidence import POLICY, locate
from grader.model import Evidence, Policy
from grader.outcomes import Case, Followup, Found
from grader.report.transcript import Line, Quote, day_of, lines, visible, zone_of

SEVERITIES = ("critical", "high", "medium", "low")
N_COLOURS = 8
PROBLEMS = {
    "not_found": "these words stand nowhere in the conversation",
    "wrong_message": "these words stand in another message than the one cited",
    "wrong_role": "said by someone whose words cannot prove this",
    "no_such_message": "there is no such message",
    "too_short": "too short to prove anything",
}
UNSUPPORTED = "No quote holds, so this does not count as a finding."


@dataclass(frozen=True)
class QuoteView:
    """A quote and the message that it cites. `problem` is empty where it was found."""

    message: int
    text: str
    problem: str


@dataclass(frozen=True)
class ClauseView:
    """The words of a policy, within the paragraph that they stand in. `source` is empty where none holds them."""

    before: str
    text: str
    after: str
    source: str


@dataclass(frozen=True)
class FindingView:
    """A present defect. `supported` is False where no quote holds: it is shown apart and never counted."""

    number: int
    code: str
    rubric: str
    severity: str
    reasoning: str
    quotes: tuple[QuoteView, ...]
    clauses: tuple[ClauseView, ...]
    supported: bool


@dataclass(frozen=True)
class VerdictView:
    """The answer to one criterion."""

    code: str
    answer: str
    support: str
    reasoning: str
    quotes: tuple[QuoteView, ...]


@dataclass(frozen=True)
class GroupView:
    """All verdicts of one rubric."""

    rubric: str
    verdicts: tuple[VerdictView, ...]


@dataclass(frozen=True)
class CaseView:
    """One conversation. Texts are as in the source; None and "" mean not known."""

    id: str
    queue: str | None
    channel: str | None
    language: str | None
    when: str
    zone: str
    resolved: str
    reason: str
    mood: str
    csat: str
    csat_comment: str
    handoff: bool
    severity: str
    afterwards: str
    next_id: str
    notes: tuple[str, ...]
    excerpt: str
    findings: tuple[FindingView, ...]
    groups: tuple[GroupView, ...]
    lines: tuple[Line, ...]


def case_view(case: Case, policies: Sequence[Policy], rank: Mapping[str, int] | None = None) -> CaseView:
    """The case as records to show. `rank` orders codes of the same severity (default: by name)."""
    conversation = case.conversation
    happened = conversation.happened_at
    in_force = sorted(policies, key=lambda p: not p.in_force(conversation.queue, happened.date() if happened else None))
    present = sorted(
        (v for v in case.verdicts if v.flagged or v.unsupported),
        key=lambda v: (v.unsupported, _rank(v.severity), (rank or {}).get(v.code, 0), v.code),
    )
    findings = tuple(_finding(number, verdict, in_force) for number, verdict in enumerate(present, 1))
    quotes = [Quote(f.number, q.message, q.text) for f in findings if f.supported for q in f.quotes if not q.problem]
    answers = {v.code: v.answer for v in case.verdicts if v.scale == "choice" and v.rubric == "resolution"}
    shown = lines(conversation, quotes)
    return CaseView(
        id=conversation.conversation_id,
        queue=conversation.queue,
        channel=conversation.channel,
        language=conversation.language,
        when=f"{day_of(happened)}, {happened:%H:%M}" if happened else "",
        zone=zone_of(happened) if happened else "",
        resolved=answers.get("resolved", ""),
        reason=answers.get("contact_reason", ""),
        mood=answers.get("mood_at_end", ""),
        csat="" if case.followup.csat is None else f"{case.followup.csat:g}",
        csat_comment=visible(case.followup.csat_comment or ""),
        handoff=conversation.has_handoff,
        severity=next((f.severity for f in findings if f.supported), ""),
        afterwards=_afterwards(case.followup),
        next_id=case.followup.next_id or "",
        notes=_notes(case),
        excerpt=_excerpt(shown),
        findings=findings,
        groups=_groups(case.verdicts),
        lines=shown,
    )


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _finding(number: int, verdict: Found, policies: Sequence[Policy]) -> FindingView:
    return FindingView(
        number=number,
        code=verdict.code,
        rubric=verdict.rubric,
        severity=verdict.severity,
        reasoning=visible(verdict.reasoning or ""),
        quotes=_quotes(verdict.evidence),
        clauses=tuple(clause(e, policies) for e in verdict.evidence if e.message == POLICY and e.verified),
        supported=verdict.flagged,
    )


def _quotes(evidence: Sequence[Evidence]) -> tuple[QuoteView, ...]:
    return tuple(
        QuoteView(
            message=e.message,
            text=visible(e.quote),
            problem="" if e.verified else PROBLEMS.get(e.problem or "", "not verified"),
        )
        for e in evidence
        if e.message != POLICY or not e.verified
    )


def clause(evidence: Evidence, policies: Sequence[Policy]) -> ClauseView:
    """The words that are cited of a policy, where the first of these that holds them has them."""
    for policy in policies:
        span = locate(policy.text, evidence.quote)
        if span:
            start = policy.text.rfind("\n", 0, span[0]) + 1
            end = policy.text.find("\n", span[1])
            return ClauseView(
                before=visible(policy.text[start : span[0]]),
                text=visible(policy.text[span[0] : span[1]]),
                after=visible(policy.text[span[1] : end if end >= 0 else len(policy.text)]),
                source=visible(f"{policy.title or policy.policy_id} · {policy.version}"),
            )
    return ClauseView(before="", text=visible(evidence.quote), after="", source="")


def _groups(verdicts: Sequence[Found]) -> tuple[GroupView, ...]:
    by_rubric: dict[str, list[VerdictView]] = {}
    for v in verdicts:
        shown = VerdictView(
            code=v.code, answer=v.answer, support=v.support, reasoning=visible(v.reasoning or ""),
            quotes=_quotes(v.evidence),
        )  # fmt: skip
        by_rubric.setdefault(f"{v.rubric} {v.rubric_version}", []).append(shown)
    return tuple(GroupView(rubric, tuple(rows)) for rubric, rows in by_rubric.items())


def _notes(case: Case) -> tuple[str, ...]:
    notes = []
    if case.changed:
        notes.append("The text was changed after it was judged; quotes may not be found in it.")
    if any(v.truncated for v in case.verdicts):
        notes.append("The judge saw only a part of this conversation: it is longer than the context budget.")
    for cause in dict.fromkeys((m.rubric, m.state, m.cause) for m in case.missing):
        rubric, state, why = cause
        notes.append(f"{rubric}: not judged yet" if state == "pending" else f"{rubric}: could not be judged ({why})")
    return tuple(notes)


def _excerpt(shown: Sequence[Line]) -> str:
    """The first words of the customer, for the list."""
    for line in shown:
        if line.role == "customer" and line.pieces:
            text = " ".join("".join(s.text for s in line.pieces[0].segments)[:400].split())
            if text:
                return text[:140] + ("…" if len(text) > 140 else "")
    return ""


def _afterwards(followup: Followup) -> str:
    if followup.basis == "no_identity":
        return "Whether the customer came back is not known: no identity."
    if followup.basis == "no_time" or followup.clock_at is None:
        return "Whether the customer came back is not known: no time."
    if followup.next_at is None:
        until = f" until the data end, {day_of(followup.data_end)}" if followup.data_end else ""
        return f"The customer did not come back{until}."
    later = duration(followup.clock_at, followup.next_at)
    if followup.basis == "continued":
        return "Went on in another conversation at once."
    back = f"The customer came back {later} later"
    if followup.same_issue_at == followup.next_at:
        return f"{back} about the same issue."
    if followup.unknown_issue_at == followup.next_at:
        told = f"{back}; whether about the same issue is not known."
    else:
        told = f"{back} about another issue."
    if followup.same_issue_at is None:
        return told
    return f"{told} The same issue came up again {duration(followup.clock_at, followup.same_issue_at)} later."


def duration(start: datetime, end: datetime) -> str:
    """`45 minutes`, `5 hours`, `2 days`: whole units, rounded down."""
    gap = max(end - start, timedelta(0))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        n = int(gap.total_seconds() // size)
        if n:
            return f"{n} {unit}{'s' if n > 1 else ''}"
    return "less than a minute"
