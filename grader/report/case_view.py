"""One conversation as the page shows it: what was found, quoted where it stands, and what happened afterwards.

Plain records of texts and numbers; `render` turns them into JSON for the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from grader.evidence import POLICY, locate
from grader.language import N_, _, number
from grader.model import Evidence, Policy
from grader.outcomes import Case, Followup, Found, Return
from grader.report.transcript import Line, Quote, day_of, duration, language_tag, lines, visible, zone_of

SEVERITIES = ("critical", "high", "medium", "low")
N_COLOURS = 8
PROBLEMS = {
    "not_found": N_("these words stand nowhere in the conversation"),
    "wrong_message": N_("these words stand in another message than the one cited"),
    "wrong_role": N_("said by someone whose words cannot prove this"),
    "no_such_message": N_("there is no such message"),
    "too_short": N_("too short to prove anything"),
}
_UNVERIFIED = N_("not verified")
_WINDOW = timedelta(days=7)  # of coming back, until which not having come back is not yet known
_THINGS = {"order": N_("order"), "ticket": N_("ticket"), "tracking": N_("shipment"), "invoice": N_("invoice")}
_HANDLED = {
    "ai": N_("Handled by the AI alone."), "human": N_("Handled by people alone."),
    "both": N_("Handled by the AI and people."),
}  # fmt: skip
UNSUPPORTED = "No quote holds, so this does not count as a finding."


@dataclass(frozen=True)
class QuoteView:
    """A quote and the message that it cites. `problem` is empty where it was found."""

    message: int
    text: str
    problem: str = ""


@dataclass(frozen=True)
class ClauseView:
    """The words of a policy, within the paragraph that they stand in. `source` is empty where none holds them; `valid`
    tells its dates.
    """

    before: str
    text: str
    after: str
    source: str
    valid: str = ""


@dataclass(frozen=True)
class FindingView:
    """A present defect. `supported` is False where no quote holds: it is shown apart and never counted. `judged` tells
    by what and when, `cost` what the call cost, `repeats` what it said when it was asked again.
    """

    number: int
    code: str
    rubric: str
    severity: str
    reasoning: str
    quotes: tuple[QuoteView, ...]
    clauses: tuple[ClauseView, ...]
    supported: bool
    judged: str = ""
    cost: str = ""
    repeats: str = ""


@dataclass(frozen=True)
class VerdictView:
    """The answer to one criterion."""

    code: str
    answer: str
    support: str
    reasoning: str
    quotes: tuple[QuoteView, ...] = ()


@dataclass(frozen=True)
class GroupView:
    """All verdicts of one rubric."""

    rubric: str
    verdicts: tuple[VerdictView, ...]


@dataclass(frozen=True)
class ReturnView:
    """Another conversation of the same contact: in words, what both name, and its id."""

    id: str
    text: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class PeopleView:
    """An answer that people gave blind to a criterion, and who they are."""

    rubric: str
    code: str
    answer: str
    reviewers: tuple[str, ...]


@dataclass(frozen=True)
class AfterView:
    """What happened before and afterwards. `told` are the outcomes that other systems know."""

    returns: tuple[ReturnView, ...]
    before: tuple[ReturnView, ...]
    told: tuple[str, ...]


@dataclass(frozen=True)
class CaseView:
    """One conversation. Texts are as in the source; None and "" mean not known. `lang` is its language for HTML."""

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
    lang: str = ""
    after: AfterView = AfterView((), (), ())
    people: tuple[PeopleView, ...] = ()


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
        lang=language_tag(conversation.language),
        after=AfterView(
            returns=tuple(_return(case.followup, r) for r in case.followup.returns),
            before=tuple(_before(r) for r in case.followup.before),
            told=_told(case.followup),
        ),
        people=tuple(
            PeopleView(one.rubric, one.code, one.answer, tuple(map(visible, one.reviewers))) for one in case.people
        ),
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
        judged=_judged(verdict),
        cost=_cost(verdict),
        repeats=_repeats(verdict),
    )


def _judged(verdict: Found) -> str:
    day = day_of(verdict.judged_at)
    if verdict.judge == "signals":
        return _("By rules, not by a model, on {day}", day=day)
    return _("By {model} on {day}", model=visible(verdict.model), day=day)


def _cost(verdict: Found) -> str:
    """What the call cost, with what else it answered: it is paid once."""
    if not verdict.called:
        return ""
    told = _("cost not known") if verdict.cost_usd is None else _(
        "{cost} USD for the call", cost=number(verdict.cost_usd, 4 if verdict.cost_usd >= 0.0001 else 6)
    )  # fmt: skip
    others = [name for name in verdict.sharing if name != verdict.rubric]
    return _("{cost}, shared with {rubrics}", cost=told, rubrics=visible(", ".join(others))) if others else told


def _repeats(verdict: Found) -> str:
    if len(verdict.repeats) < 2:
        return ""
    same = sum(answer == verdict.answer for answer in verdict.repeats)
    return _("Asked {n} times, this answer {same} of {n}", n=len(verdict.repeats), same=same)


def _quotes(evidence: Sequence[Evidence]) -> tuple[QuoteView, ...]:
    return tuple(
        QuoteView(
            message=e.message,
            text=visible(e.quote),
            problem="" if e.verified else _(PROBLEMS.get(e.problem or "", _UNVERIFIED)),
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
                valid=_valid(policy),
            )
    return ClauseView(before="", text=visible(evidence.quote), after="", source="")


def _valid(policy: Policy) -> str:
    first = day_of(datetime.combine(policy.valid_from, time())) if policy.valid_from else ""
    last = day_of(datetime.combine(policy.valid_to, time())) if policy.valid_to else ""
    if first and last:
        return _("in force from {first} to {last}", first=first, last=last)
    if first or last:
        return _("in force since {first}", first=first) if first else _("in force until {last}", last=last)
    return ""


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
        notes.append(_("The text was changed after it was judged; quotes may not be found in it."))
    if any(v.truncated for v in case.verdicts):
        notes.append(_("The judge saw only a part of this conversation: it is longer than the context budget."))
    for rubric, state, why in dict.fromkeys((m.rubric, m.state, m.cause) for m in case.missing):
        notes.append(
            _("{rubric}: not judged yet", rubric=rubric)
            if state == "pending"
            else _("{rubric}: could not be judged ({cause})", rubric=rubric, cause=why)
        )
    return tuple(notes)


def _excerpt(shown: Sequence[Line]) -> str:
    """The first words of the customer, for the list."""
    for line in shown:
        if line.role == "customer" and line.pieces:
            text = " ".join("".join(s.text for s in line.pieces[0].segments)[:400].split())
            if text:
                return text[:140] + ("…" if len(text) > 140 else "")
    return ""


_UNTOLD = {
    "no_identity": N_("Whether the customer came back is not known: no identity."),
    "no_time": N_("Whether the customer came back is not known: no time."),
    "continued": N_("Went on in another conversation at once."),
    "open": N_("The source says that it is still open: whether the customer comes back is not yet known."),
    "excluded": N_("Spam, test, survey or outbound: whether the customer came back is not counted."),
}


def _afterwards(followup: Followup) -> str:
    """The same in one sentence."""
    if followup.basis in _UNTOLD and (followup.next_at is None or followup.basis != "open"):
        return _(_UNTOLD[followup.basis])
    if followup.clock_at is None:
        return _(_UNTOLD["no_time"])
    if followup.next_at is None:
        return _not_back(followup, followup.clock_at)
    later = duration(followup.clock_at, followup.next_at)
    if followup.same_issue_at == followup.next_at:
        first = followup.returns[0] if followup.returns else None
        if first and first.how == "reference" and first.shared:
            return _("The customer came back {duration} later about the same {thing}.", duration=later,
                     thing=_thing(first.shared[0][0]))  # fmt: skip
        return _("The customer came back {duration} later about the same issue.", duration=later)
    if followup.unknown_issue_at == followup.next_at:
        told = _("The customer came back {duration} later; whether about the same issue is not known.", duration=later)
    else:
        told = _("The customer came back {duration} later about another issue.", duration=later)
    if followup.same_issue_at is None:
        return told
    again = _(
        "The same issue came up again {duration} later.", duration=duration(followup.clock_at, followup.same_issue_at)
    )
    return f"{told} {again}"


def _not_back(followup: Followup, clock_at: datetime) -> str:
    if followup.data_end is None:
        return _("The customer did not come back.")
    end = day_of(followup.data_end)
    if followup.data_end < clock_at + _WINDOW:
        return _("The customer has not come back by the data end, {end}. Not yet known: the 7 days end {over}.",
                 end=end, over=day_of(clock_at + _WINDOW))  # fmt: skip
    return _("The customer did not come back until the data end, {end}.", end=end)


def _thing(kind: str) -> str:
    known = _THINGS.get(kind.lower())
    return _(known) if known else visible(kind.replace("_", " "))


def _references(other: Return) -> tuple[str, ...]:
    return tuple(visible(f"{_thing(kind)} {value}") for kind, value in other.shared)


def _return(followup: Followup, other: Return) -> ReturnView:
    later = duration(followup.clock_at, other.at) if followup.clock_at else ""
    about = {
        True: N_("came back {duration} later, same issue"), False: N_("came back {duration} later, another issue"),
        None: N_("came back {duration} later, issue not known"),
    }[other.same]  # fmt: skip
    return ReturnView(other.id, _(about, duration=later), _references(other))


def _before(other: Return) -> ReturnView:
    about = {
        True: N_("comes back on a conversation that ended {day}, same issue"),
        False: N_("follows a conversation that ended {day}, another issue"),
        None: N_("follows a conversation that ended {day}, issue not known"),
    }[other.same]  # fmt: skip
    return ReturnView(other.id, _(about, day=day_of(other.at)), _references(other))


def _told(followup: Followup) -> tuple[str, ...]:
    told = [_(_HANDLED[followup.handled_by])] if followup.handled_by in _HANDLED else []
    if followup.resolution_minutes is not None:
        told.append(_("Solved after {duration}.", duration=_minutes(followup.resolution_minutes)))
    if followup.handle_minutes is not None:
        told.append(_("People worked on it for {duration}.", duration=_minutes(followup.handle_minutes)))
    return tuple(told)


def _minutes(minutes: float) -> str:
    start = datetime(1, 1, 1)  # noqa: DTZ001 - only the difference counts
    return duration(start, start + timedelta(minutes=min(minutes, 5_000_000)))
