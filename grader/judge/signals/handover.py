"""Detectors around the hand-off to a human: was one asked for, was one due, did it come, and with what in hand.

What counts as due is what policies commonly give to people and what words can show: a plain wish for a person, danger,
fraud, legal steps. Distress, circles and decisions beyond the assistant's power are not seen here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.judge.signals.customer_words import PERSON
from grader.judge.signals.promises import unkept
from grader.judge.signals.view import Quote, Ruling, Said, Use, View

_ALONE = 5  # words of a message that is little else than the wish for a person
_OWN = 2  # messages of its own with which the assistant went on too long
_CUES: tuple[Literal["danger", "fraud", "legal"], ...] = ("danger", "fraud", "legal")


@dataclass(frozen=True, slots=True)
class Need:
    """Why a human was due, and where it shows."""

    cause: str
    said: Said
    sentence: int
    first: int
    last: int

    @property
    def quote(self) -> Quote:
        """The customer's words."""
        return Quote(self.said.number, self.said.words.quote(self.sentence, self.first, self.last))


def wish(said: Said, *, again: bool = False) -> Need | None:
    """The plain wish for a person in a customer's message. `again`: it was voiced before, so that one word will do."""
    words = said.words
    if words.has("are_you"):
        return None
    short = len(words.tokens) <= _ALONE
    concepts = ("wish_human", "word_human") if again or (short and words.has("word_human")) else ("wish_human",)
    if short and not again and not PERSON & set(words.tokens) and not words.has("wish_human"):
        return None
    hit = next(iter(words.of(*concepts)), None)
    return Need("wish", said, hit.sentence, hit.first, hit.last) if hit else None


def cue(said: Said) -> Need | None:
    """Danger, fraud or legal steps in a customer's message."""
    for concept in _CUES:
        for hit in said.words.of(concept):
            return Need(concept, said, hit.sentence, hit.first, hit.last)
    return None


def wishes(view: View) -> list[Need]:
    """All plain wishes for a person, up to the hand-off."""
    found: list[Need] = []
    for said in view.customer:
        if view.handed_over is not None and said.number > view.handed_over:
            break
        need = wish(said, again=bool(found))
        if need:
            found.append(need)
    return found


def first_need(view: View) -> Need | None:
    """The first moment at which a human was due, as far as words show it."""
    for said in view.customer:
        if view.handed_over is not None and said.number > view.handed_over:
            break
        need = wish(said) or cue(said)
        if need:
            return need
    return None


def _announced(said: Said) -> bool:
    """The assistant said that it hands over (an offer, or that it cannot, is something else)."""
    words = said.words
    for hit in words.of("announces"):
        sentence = words.sentences[hit.sentence]
        if not sentence.asks and not words.within(hit.sentence, "offers", "negates"):
            return True
    return False


def _left_with_people(view: View, after: int, before: int) -> Use | None:
    """A ticket or transfer between two messages."""
    return next(
        (u for u in view.uses if u.purpose in ("ticket", "transfer") and not u.failed and after < u.number < before), None
    )


def insisted_before_escalating(view: View) -> Ruling:
    """The customer asked for a person again after words of the assistant's that were no hand-off."""
    asked = wishes(view)
    if not asked:
        return Ruling("not_applicable", "No message of the customer's asks for a person.")
    for before, again in zip(asked, asked[1:], strict=False):
        between = [s for s in view.ai if before.said.number < s.number < again.said.number]
        if not between or any(_announced(s) for s in between):
            continue
        if _left_with_people(view, before.said.number, again.said.number):
            continue
        return Ruling(
            "present",
            f"The customer asked for a person in message {before.said.number}; the AI answered in message "
            f"{between[0].number} without handing over or opening a ticket, and the customer asked again.",
            (again.quote, before.quote),
        )
    return Ruling("absent", "The customer did not have to ask for a person again before a hand-off, a ticket or its announcement.")


def escalated_too_late(view: View) -> Ruling:
    """A wish for a person or a danger word, then two or more messages of the assistant's own before the hand-off."""
    if view.handed_over is None:
        return Ruling("not_applicable", "No hand-off took place.")
    need = first_need(view)
    if need is None:
        return Ruling("absent", "Before the hand-off no words asked for a person or spoke of danger, fraud or legal steps.")
    own: list[Said] = []
    for said in view.ai:
        if need.said.number < said.number <= view.handed_over:
            if _announced(said):
                break
            own.append(said)
    if len(own) < _OWN:
        return Ruling("absent", f"At most {len(own)} message(s) of the AI's own stand between the need in message {need.said.number} and the hand-off.")
    second = own[1]
    return Ruling(
        "present",
        f"{_NEEDS[need.cause]} in message {need.said.number}; the AI went on in {len(own)} messages of its own before the "
        f"hand-off after message {view.handed_over}.",
        (Quote(second.number, second.words.quote(0)), need.quote),
    )


_NEEDS = {
    "wish": "The customer asked for a person",
    "danger": "The customer told of a danger",
    "fraud": "The customer told of fraud or an account taken over",
    "legal": "The customer spoke of legal steps or a consumer agency",
}


def missed_escalation(view: View) -> Ruling:
    """A wish for a person or a danger word, and neither hand-off nor ticket to the end."""
    if view.handed_over is not None:
        return Ruling("absent", "A human was brought in.")
    if view.tickets:
        return Ruling("absent", f"A ticket was opened in message {view.tickets[0].number}.")
    need = first_need(view)
    if need is None:
        return _only_said(view) or Ruling("absent", "No words asked for a person or spoke of danger, fraud or legal steps.")
    if not view.conversation.has_tools and any(_announced(s) for s in view.ai if s.number > need.said.number):
        return Ruling("absent", "The AI announced a hand-off, and this source records no tool calls that could show it.")
    later = [s for s in view.customer if s.number > need.said.number]
    if any(s.words.has("withdraws") for s in later) or (need.cause == "wish" and any(s.words.has("thanks") for s in later[-1:])):
        return Ruling("absent", f"The need in message {need.said.number} was withdrawn or settled later.")
    return Ruling(
        "present",
        f"{_NEEDS[need.cause]} in message {need.said.number}, and no hand-off, ticket or human followed to the end.",
        (need.quote,),
    )


_TEAMS = frozenset(
    "team colleague colleagues department supervisor manager equipe setor colega colegas departamento supervisora equipo area "
    "companero companera companeros".split()
)


def _only_said(view: View) -> Ruling | None:
    """The assistant itself gave the case to a team in words, and no call did."""
    said, hit = next(((s, h) for s, h in unkept(view) if h.concept == "promises_team" and _TEAMS & set(s.words.tokens)), (None, None))
    if said is None or hit is None or not view.conversation.has_tools:
        return None
    return Ruling(
        "present",
        f"The AI itself said in message {said.number} that the case goes to a team, and to the end no hand-off and no ticket was made.",
        (Quote(said.number, said.words.quote(hit.sentence, hit.first, hit.last)),),
    )


def escalated_without_need(view: View) -> Ruling:
    """A hand-off though nothing was asked for, looked up without success, or beyond what the assistant may do."""
    over = view.handed_over
    if over is None:
        return Ruling("not_applicable", "No hand-off took place.")
    need = first_need(view)
    if need is not None:
        return Ruling("absent", f"{_NEEDS[need.cause]} in message {need.said.number}.")
    before = [u for u in view.uses if u.number < over]
    if any(u.failed or u.empty for u in before):
        return Ruling("absent", "A tool had failed or found nothing before the hand-off.")
    if view.transfer is None:
        return Ruling("cannot_assess", "No call shows that the AI brought the human in.")
    last = max((s.number for s in view.customer if s.number <= over), default=0)
    told = [s for s in view.ai if last < s.number <= over + 2]
    if any(s.words.has("unable") for s in told):
        return Ruling("absent", "The AI said what it could not do, or why, when it handed over.")
    asked = next((s for s in reversed(view.ai) if s.number < last), None)
    if asked is not None and any(sentence.asks for sentence in asked.words.sentences):
        return Ruling("absent", "The AI had asked something before, and handed over with the answer.")
    if asked is not None and any(s.words.has("complains", "rages") for s in view.customer if s.number > asked.number):
        return Ruling("absent", "The customer complained before the hand-off.")
    tried = [u for u in before if u.number > last and u.purpose != "transfer"]
    if tried or not told:
        return Ruling("absent", "The AI had looked something up for the last question before it handed over.")
    hit = next((h for s in told for h in s.words.of("announces")), None)
    where = next((s for s in told if s.words.has("announces")), told[0])
    return Ruling(
        "present",
        f"The hand-off in message {view.transfer.number} follows the customer's message {last} at once: nobody asked for a "
        "person, no tool was tried for it, none had failed, and no danger, fraud or legal step was spoken of.",
        (Quote(where.number, where.words.quote(hit.sentence if hit else 0)),),
    )
