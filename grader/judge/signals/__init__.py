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
from grader.judge.signals.promises import promised_impossible_action
from grader.judge.signals.requests import did_not_ask_when_needed, exchange_treated_as_return
from grader.judge.signals.states import status_without_lookup
from grader.judge.signals.view import Quote, Ruling, View
from grader.model import Answer, Evidence, Role, Support, Verdict, digest
from grader.rubric import Criterion

MODEL = "signals-2"  # part of the verdict key: raise it whenever a detector answers differently

_LONGEST = 600  # characters of a reason or a quote

_DETECTORS: Mapping[str, Callable[[View], Ruling]] = {
    "exchange_treated_as_return": exchange_treated_as_return,
    "invented_deadline": invented_deadline,
    "status_without_lookup": status_without_lookup,
    "contradicts_policy": contradicts_policy,
    "contradicts_tool_result": contradicts_tool_result,
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


# Code → how it is decided, and what is not seen. A code that does not stand here is `cannot_assess`.
DECIDES: Mapping[str, str] = {
    "exchange_treated_as_return": (
        "Compares the kind of request that the customer's words name (exchange, return, cancellation, "
        "invoice, damaged item) with the call that was made or the answer that was given; subtler neighbours, "
        "and wishes in other words, are not seen."
    ),
    "invented_deadline": (
        "Looks for each coming date, weekday and period of the AI's in earlier tool results, clauses in force "
        "and what others had said, and in what follows from a known day and a known period; a time that "
        "happens to stand elsewhere on the same subject passes."
    ),
    "status_without_lookup": (
        "Looks for a tool result before each sentence that states how the customer's own case stands, one "
        "that knows of such a thing; whether the result says just that is contradicts_tool_result."
    ),
    "contradicts_policy": (
        "Holds gifts and other favours, the return period, other periods, a free label, changes without "
        "asking, cancellations turned away and late hand-offs against clauses on the same subject; conditions "
        "and all other rules are not read."
    ),
    "contradicts_tool_result": (
        "Compares errors, stock, settled payments, order status, estimated days and sums of money with what "
        "was told; other fields, and results with several orders, are not compared."
    ),
    "insisted_before_escalating": (
        "Counts plain wishes for a person with answers between that neither hand over nor open a ticket; "
        "hints are no wish."
    ),
    "escalated_too_late": (
        "Counts the AI's own messages between a wish for a person, danger, fraud or legal words and the hand-"
        "off; failing again and again, and distress, are not seen."
    ),
    "missed_escalation": (
        "Looks for a hand-off or ticket after a wish for a person, danger, fraud or legal words, or after the "
        "AI's own words that a team has it; cases that only a rule gives to people, and going round in "
        "circles, are not seen."
    ),
    "escalated_without_need": (
        "Looks whether anything was tried, had failed, was asked for or was beyond the AI before it handed "
        "over; whether its tools or the policy held the answer is not read."
    ),
    "did_not_ask_when_needed": (
        "Looks for a question that the customer had answered before a changing call, where several orders "
        "were open or nothing asked for that change; variants and addresses are not compared."
    ),
    "promised_impossible_action": (
        "Looks for a tool call, ticket or hand-off behind each promise to call, mail, write again, watch, put "
        "aside, reach a partner or pass on; other actions are not known."
    ),
    "asked_for_known_data": (
        "Compares requests for order number, e-mail, phone, name, tax number, postcode or photo with what was "
        "given before; other data, and the story itself, are not compared."
    ),
    "customer_repeated_to_human": (
        "Looks for what the human asks, and for identifiers that the customer gives again, in what stood "
        "before the hand-off; a story told again in other words is not seen."
    ),
    "handoff_without_context": (
        "Counts the words that mean something in the transfer call's summary, and looks for the numbers that "
        "were known; a long summary that leaves out the point is not seen."
    ),
    "unclear_or_wrong_channel_format": (
        "Looks for markup, placeholders, codes and walls of text that a phone shows raw, and for another "
        "language than the customer's; instructions that contradict each other are not seen."
    ),
    "contact_reason": (
        "Takes the first kind of request that the customer's opening words show, by phrase lists; a reason "
        "that is not in the workspace's list is never answered."
    ),
    "escalation_reason": (
        "Decides only that no human was needed, or that the customer simply wanted one; the other causes are left open."
    ),
    "mood_at_end": (
        "Reads words and signs of rage, complaint, thanks and delight in the last messages; irony without "
        "such words is not seen."
    ),
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
