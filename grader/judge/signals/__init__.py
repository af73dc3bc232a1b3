"""The offline judge: deterministic detectors for what code can decide from the record, and nothing more.

A detector is a pure function of one digested conversation. What no detector decides is `cannot_assess`, and a present
defect counts only with a quote that holds, as it does for any judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from grader.judge import Case, Opinion, Question
from grader.judge.signals.asking import asked_for_known_data
from grader.judge.signals.channel import unclear_or_wrong_channel_format
from grader.judge.signals.closing import contact_reason, escalation_reason, mood_at_end
from grader.judge.signals.contradictions import contradicts_tool_result
from grader.judge.signals.deadlines import invented_deadline
from grader.judge.signals.handover import (
    escalated_too_late,
    escalated_without_need,
    insisted_before_escalating,
    missed_escalation,
)
from grader.judge.signals.passing_on import customer_repeated_to_human, handoff_without_context
from grader.judge.signals.policy import contradicts_policy
from grader.judge.signals.promises import promised_exception, promised_impossible_action
from grader.judge.signals.requests import did_not_ask_when_needed, exchange_treated_as_return
from grader.judge.signals.states import status_without_lookup
from grader.judge.signals.view import Quote, Ruling, View
from grader.model import Answer, Evidence, Role, Support, Verdict, digest
from grader.rubric import Criterion

MODEL = "signals-1"  # part of the verdict key: raise it whenever a detector answers differently

_LONGEST = 600  # characters of a reason or a quote

_DETECTORS: Mapping[str, Callable[[View], Ruling]] = {
    "exchange_treated_as_return": exchange_treated_as_return,
    "invented_deadline": invented_deadline,
    "status_without_lookup": status_without_lookup,
    "contradicts_policy": contradicts_policy,
    "contradicts_tool_result": contradicts_tool_result,
    "promised_exception": promised_exception,
    "insisted_before_escalating": insisted_before_escalating,
    "escalated_too_late": escalated_too_late,
    "missed_escalation": missed_escalation,
    "escalated_without_need": escalated_without_need,
    "did_not_ask_when_needed": did_not_ask_when_needed,
    "promised_impossible_action": promised_impossible_action,
    "asked_for_known_data": asked_for_known_data,
    "customer_repeated_to_human": customer_repeated_to_human,
    "handoff_without_context": handoff_without_context,
    "unclear_or_wrong_channel_format": unclear_or_wrong_channel_format,
    "contact_reason": contact_reason,
    "escalation_reason": escalation_reason,
    "mood_at_end": mood_at_end,
}


class SignalsJudge:
    """Answers without a model, a key or a network; the same case always gets the same opinion."""

    name = "signals"
    model = MODEL
    parameters: Mapping[str, object] = {}
    prompt_hash = digest("pr", {"signals": "no prompt"})

    async def judge(self, case: Case) -> Opinion:
        """All asked rubrics in one go. No call is made, so there are no stats, and nothing fails."""
        view = View(case.conversation, case.policies)
        return Opinion(verdicts={q.rubric.name: _answered(q, view) for q in case.questions})

    async def close(self) -> None:
        """Nothing is held open."""


def _answered(question: Question, view: View) -> tuple[Verdict, ...]:
    asked = tuple(_verdict(question.rubric.criterion(code), view) for code in question.ask)
    ruled = tuple(Verdict(criterion=c, answer=a, support=Support.RULED) for c, a in question.ruled.items())
    return asked + ruled


def _verdict(criterion: Criterion, view: View) -> Verdict:
    detect = _DETECTORS.get(criterion.code)
    if detect is None:
        return _unknown(criterion, "No detector for this code.")
    if not view.readable:
        return _unknown(criterion, "The words are in a language that the detectors do not read.")
    ruling = _bounded(detect(view))
    if ruling.answer not in criterion.answers:
        return _unknown(criterion, "The detector's answer is none that this criterion allows.")
    if criterion.scale == "choice" or ruling.answer != Answer.PRESENT:
        return Verdict(criterion=criterion.code, answer=ruling.answer, reasoning=ruling.why)
    evidence = _checked(criterion, ruling, view)
    proved = any(e.message > 0 for e in evidence)
    cited = not criterion.cites_policy or any(e.message == 0 for e in evidence)
    if not (proved and cited):
        return _unknown(criterion, f"{ruling.why} No quote could be verified for it.")
    return Verdict(
        criterion=criterion.code,
        answer=ruling.answer,
        reasoning=ruling.why,
        evidence=evidence,
        support=Support.VERIFIED,
    )


def _bounded(ruling: Ruling) -> Ruling:
    """A tool's JSON may hold halves of characters, which no record can, and values of any length."""
    why = _text(ruling.why if len(ruling.why) <= _LONGEST else ruling.why[:_LONGEST] + "…")
    return replace(ruling, why=why, quotes=tuple(Quote(q.number, _text(q.text[:_LONGEST])) for q in ruling.quotes))


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _checked(criterion: Criterion, ruling: Ruling, view: View) -> tuple[Evidence, ...]:
    roles = [Role(role).value for role in criterion.proof]
    found = [view.transcript.check(quote.number, quote.text, roles) for quote in ruling.quotes]
    if ruling.clause is not None:
        found.append(view.transcript.check_clause(ruling.clause))
    return tuple(evidence for evidence in found if evidence.verified)


def _unknown(criterion: Criterion, why: str) -> Verdict:
    return Verdict(criterion=criterion.code, answer=Answer.CANNOT_ASSESS.value, reasoning=why)
