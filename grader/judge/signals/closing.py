"""Choices that words can decide: what the customer came for, their mood at the end, and whether a human was needed."""

from __future__ import annotations

import re

from grader.judge.signals.handover import first_need, wishes
from grader.judge.signals.lexicon import REASONS
from grader.judge.signals.view import Ruling, Said, View, announces
from grader.model import Role

_OPENING = 2  # further messages that are read when the first ones say little
_LAST = 3  # messages of the customer's that make the end
_SHOUT = 12  # letters from which capitals are a voice
_HAPPY = re.compile("[\u2764\u2665😊😀😃😄😁🙏🥰😍💛💙💚🧡❤🎉👏💪🤗🫶🙌]")
_SAD = re.compile("[😡🤬😠😤😒🙄😞😢😭💀🤡👎🙃]")


def mood_at_end(view: View) -> Ruling:
    """By the words and signs of the last messages: rage and complaint in any of them, thanks in the very last turn."""
    if not view.customer:
        return Ruling("cannot_assess", "The customer said nothing.")
    last = view.customer[-_LAST:]
    others = [s.number for s in view.said_before(last[-1]) if s.role is not Role.CUSTOMER]
    for said in reversed(last):
        mood = _mood(said)
        if mood in ("angry", "frustrated") or (mood and (said is last[-1] or said.number > max(others, default=0))):
            return Ruling(mood, f"The words and signs of the customer's message {said.number} speak for it.")
    return Ruling("neutral", "No thanks, complaint or rage was found in the customer's last messages.")


def _mood(said: Said) -> str | None:
    words, text = said.words, said.words.text
    letters = [c for c in text if c.isalpha()]
    shouts = len(letters) > _SHOUT and sum(c.isupper() for c in letters) > 0.6 * len(letters)
    if words.has("rages", "legal") or (shouts and not words.has("thanks")):
        return "angry"
    if words.has("complains"):
        return "angry" if "!!!" in text else "frustrated"
    if words.has("thanks", "delight") or _HAPPY.search(text):
        return "satisfied"
    return "frustrated" if _SAD.search(text) else None


def escalation_reason(view: View) -> Ruling:
    """`none` where no human came, was asked for or was due by words; `customer_wish` where only the wish stands."""
    need = first_need(view)
    if view.handed_over is None and not view.tickets:
        if any(u.failed for u in view.uses[-1:]) or any(announces(s) for s in view.ai):
            return Ruling("cannot_assess", "The last tool call failed, or a hand-off was announced that no call shows.")
        if need is None:
            return Ruling(
                "none", "No hand-off, no ticket, and no words that ask for a person or tell of danger or fraud."
            )
        return Ruling("cannot_assess", f"{need}, and what else stood in the way is not told by words or calls.")
    if need is not None and need.cause == "wish" and wishes(view) and not any(u.failed or u.empty for u in view.uses):
        return Ruling("customer_wish", f"{need}, and no tool had failed.")
    return Ruling("cannot_assess", "What the human was needed for is not told by words or calls alone.")


def contact_reason(view: View) -> Ruling:
    """The first kind of request, in the order of the phrase list, that the customer's opening words show."""
    start = view.customer[0].number if view.customer else 0
    answer = next((s.number for s in view.ai if s.number > start), len(view.conversation.messages) + 1)
    opening = view.customer_before(answer)
    for group in (opening, view.customer[: len(opening) + _OPENING]):
        for concept in REASONS:
            for said in group:
                for hit in said.words.of(concept):
                    phrase = " ".join(said.words.tokens[hit.first : hit.last])
                    why = f'The customer wrote "{phrase}" in message {said.number}.'
                    return Ruling(concept.removeprefix("reason_").partition(":")[0], why)
    return Ruling("cannot_assess", "The customer's opening words name no kind of request that is known here.")
