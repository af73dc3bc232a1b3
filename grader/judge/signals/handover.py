"""Detectors around the hand-off to a human: was one asked for, was one due, did it come in time, was it needed?

What counts as due is what policies commonly give to people and what words can show: a plain wish for a person, danger,
fraud, legal steps. Distress, circles and decisions beyond the assistant's power are not seen here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from grader.judge.signals.lexicon import PERSON
from grader.judge.signals.promises import unkept
from grader.judge.signals.tools import Use
from grader.judge.signals.view import Quote, Ruling, Said, View, announces, present, quote
from grader.judge.signals.words import Hit, word_set

_ALONE = 5  # words of a message that is little else than the wish for a person
_OWN = 2  # messages of its own with which the assistant went on too long
_WITH_IT = 2  # messages after the call that still belong to the hand-off
_NEEDS = {
    "wish": "The customer asked for a person",
    "danger": "The customer told of a danger",
    "fraud": "The customer told of fraud or an account taken over",
    "legal": "The customer spoke of legal steps or a consumer agency",
}
_NONE = "No words asked for a person or spoke of danger, fraud or legal steps"
_TEAMS = word_set(
    "team colleague colleagues department supervisor manager equipe setor colega colegas departamento "
    "supervisora equipo "
    "area companero companera companeros"
)


@dataclass(frozen=True, slots=True)
class Need:
    """Why a human was due, and where it shows."""

    cause: str
    said: Said
    hit: Hit

    @property
    def quote(self) -> Quote:
        """The customer's words."""
        return quote(self.said, self.hit)

    def __str__(self) -> str:
        return f"{_NEEDS[self.cause]} in message {self.said.number}"


def wish(said: Said, *, again: bool = False) -> Need | None:
    """The plain wish for a person in a customer's message. `again`: it was voiced before, so that one word will do."""
    words = said.words
    alone = len(words.tokens) <= _ALONE and not PERSON.isdisjoint(words.tokens)
    concepts = ("wish_human", "word_human") if again or alone else ("wish_human",)
    hit = next((h for h in words.of(*concepts) if not words.within(h.sentence, "are_you")), None)
    return Need("wish", said, hit) if hit else None


def _cue(said: Said) -> Need | None:
    """Danger, fraud or legal steps in a customer's message."""
    return next((Need(hit.concept, said, hit) for hit in said.words.of("danger", "fraud", "legal")), None)


def _before_handover(view: View) -> list[Said]:
    return view.customer if view.handed_over is None else view.customer_before(view.handed_over + 1)


def wishes(view: View) -> list[Need]:
    """All plain wishes for a person, up to the hand-off."""
    found: list[Need] = []
    for said in _before_handover(view):
        need = wish(said, again=bool(found))
        if need:
            found.append(need)
    return found


def first_need(view: View) -> Need | None:
    """The first moment at which a human was due, as far as words show it."""
    return next((need for said in _before_handover(view) if (need := wish(said) or _cue(said))), None)


def insisted_before_escalating(view: View) -> Ruling:
    """The customer asked for a person again after words of the assistant's that were no hand-off."""
    asked = wishes(view)
    if not asked:
        return Ruling("not_applicable", "No message of the customer's asks for a person.")
    for before, again in pairwise(asked):
        between = [s for s in view.ai if before.said.number < s.number < again.said.number]
        left = [
            u for u in view.uses if u.purpose in ("ticket", "transfer") and not u.failed
            and before.said.number < u.number < again.said.number
        ]  # fmt: skip
        if between and not left and not any(announces(s) for s in between):
            return Ruling(
                "present",
                f"{before}; the AI answered in message {between[0].number} without handing over or opening a "
                "ticket, and "
                f"the customer asked again in message {again.said.number}.",
                (again.quote, before.quote),
            )
    return Ruling(
        "absent",
        "After the first wish for a person came a hand-off, a ticket or its announcement, or none was repeated.",
    )


def escalated_too_late(view: View) -> Ruling:
    """A wish for a person or a danger word, then two or more messages of the assistant's own before the hand-off."""
    if view.handed_over is None:
        return Ruling("not_applicable", "No hand-off took place.")
    need = first_need(view)
    if need is None:
        return Ruling("absent", f"{_NONE} before the hand-off.")
    own: list[Said] = []
    for said in view.ai:
        if need.said.number < said.number <= view.handed_over:
            if announces(said):
                break
            own.append(said)
    if len(own) < _OWN:
        return Ruling("absent", f"{need}; {len(own)} message(s) of the AI's own stand between it and the hand-off.")
    late = own[_OWN - 1]
    return Ruling(
        "present",
        f"{need}; the AI went on in {len(own)} messages of its own before the hand-off after message "
        f"{view.handed_over}.",
        (Quote(late.number, late.words.quote(0)), need.quote),
    )


def missed_escalation(view: View) -> Ruling:
    """A wish for a person or a danger word, and neither hand-off nor ticket to the end."""
    if view.handed_over is not None:
        return Ruling("absent", "A human was brought in.")
    if view.tickets:
        return Ruling("absent", f"A ticket was opened in message {view.tickets[0].number}.")
    need = first_need(view)
    if need is None:
        return _only_said(view) or Ruling("absent", f"{_NONE}.")
    later = [s for s in view.customer if s.number > need.said.number]
    thanked = need.cause == "wish" and bool(later) and later[-1].words.has("thanks")
    if thanked or any(s.words.has("withdraws") for s in later):
        return Ruling("absent", f"{need}, and withdrew it or thanked in the end.")
    return Ruling("present", f"{need}, and no hand-off, ticket or human followed to the end.", (need.quote,))


def _only_said(view: View) -> Ruling | None:
    """The assistant itself gave the case to a team in words, and no call did."""
    if not view.conversation.has_tools:
        return None
    for said, hit in unkept(view):
        if hit.concept == "promises_team" and not _TEAMS.isdisjoint(said.words.tokens):
            return present(
                f"The AI itself said in message {said.number} that the case goes to a team, and to the end no "
                "hand-off and "
                "no ticket was made.",
                said, hit,
            )  # fmt: skip
    return None


def escalated_without_need(view: View) -> Ruling:
    """A hand-off though nothing was asked for, looked up without success, or beyond what the assistant may do."""
    over = view.handed_over
    if over is None:
        return Ruling("not_applicable", "No hand-off took place.")
    need = first_need(view)
    if need is not None:
        return Ruling("absent", f"{need}.")
    if view.transfer is None:
        return Ruling("cannot_assess", "No call shows that the AI brought the human in.")
    last = max((s.number for s in view.customer if s.number <= over), default=0)
    told = [s for s in view.ai if last < s.number <= over + _WITH_IT]
    tried = [u for u in view.uses if u.number < over and u.purpose != "transfer"]
    if not told or any(u.failed or u.empty for u in tried):
        return Ruling(
            "absent", "A tool had failed or found nothing before the hand-off, or the AI said nothing with it."
        )
    why = _reason_to_pass(view, told, tried, last) if tried else None
    if why is not None:
        return Ruling("absent", why)
    where = next((s for s in told if s.words.has("announces")), told[0])
    hit = next(iter(where.words.of("announces")), None)
    return Ruling(
        "present",
        f"The hand-off in message {view.transfer.number} follows the customer's message {last} at once: nobody "
        "asked for a "
        "person, no tool was tried for that message, none had failed, and no danger, fraud or legal step was "
        "spoken of.",
        (Quote(where.number, where.words.quote(hit.sentence if hit else 0)),),
    )


def _reason_to_pass(view: View, told: list[Said], tried: list[Use], last: int) -> str | None:
    """Why a hand-off after some work may have been needed, though no words of the customer's called for it."""
    if any(u.number > last for u in tried):
        return "The AI had looked something up for the last question before it handed over."
    if any(s.words.has("unable") for s in told):
        return "The AI said what it could not do, or why, when it handed over."
    before = next((s for s in reversed(view.ai) if s.number < last), None)
    if before is None:
        return None
    if any(sentence.asks for sentence in before.words.sentences):
        return "The AI had asked something before, and handed over with the answer."
    if any(s.words.has("complains", "rages") for s in view.customer if s.number > before.number):
        return "The customer complained before the hand-off."
    return None
