"""Choices that words can decide: the mood in the customer's last messages, and whether a human was needed at all."""

from __future__ import annotations

import re

from grader.judge.signals.handover import first_need, wishes
from grader.judge.signals.reason_words import REASONS
from grader.judge.signals.view import Quote, Ruling, Said, View

_OPENING = 2  # further messages that are read when the first ones say little
_LAST = 3  # messages of the customer's that make the end
_HAPPY = re.compile("[\u2764\u2665😊😀😃😄😁🙏🥰😍💛💙💚🧡❤🎉👏💪🤗🫶🙌]")
_SAD = re.compile("[😡🤬😠😤😒🙄😞😢😭💀🤡👎🙃]")


def mood_at_end(view: View) -> Ruling:
    """By the words and signs of the last messages: rage, complaint, thanks or delight, else neutral."""
    if not view.customer:
        return Ruling("cannot_assess", "The customer said nothing.")
    last = view.customer[-_LAST:]
    since = max((s.number for s in view.said if s.role != "customer" and s.number < last[-1].number), default=0)
    closing = [s for s in last if s.number > since] or last[-1:]
    for mood, said in ((m, s) for s in reversed(last) for m in [_mood(s)] if m):
        if said in closing or mood in ("angry", "frustrated"):
            return Ruling(mood, f"The words and signs of the customer's message {said.number} speak for it.", (Quote(said.number, said.words.quote(0)),))
    return Ruling("neutral", "No thanks, complaint or rage was found in the customer's last messages.")


def _mood(said: Said) -> str | None:
    words = said.words
    text = words.text
    letters = [c for c in text if c.isalpha()]
    shouting = len(letters) > 12 and sum(c.isupper() for c in letters) > 0.6 * len(letters)
    if words.has("rages") or (shouting and not words.has("thanks")) or "!!!" in text and words.has("complains"):
        return "angry"
    glad = words.has("thanks", "delight") or bool(_HAPPY.search(text))
    if words.has("complains"):
        return "frustrated"
    if glad:
        return "satisfied"
    return "frustrated" if _SAD.search(text) else None


def escalation_reason(view: View) -> Ruling:
    """`none` where no human came, was asked for or was due by words; `customer_wish` where only the wish stands."""
    if view.handed_over is None and not view.tickets:
        if first_need(view) is None:
            return Ruling("none", "No hand-off or ticket, and no words that ask for a person or speak of danger, fraud or legal steps.")
        return Ruling("cannot_assess", "A human was due by the customer's words, and the cause is not told by them.")
    failed = any(u.failed or u.empty for u in view.uses)
    asked = wishes(view)
    if asked and not failed and first_need(view) and first_need(view).cause == "wish":  # type: ignore[union-attr]
        return Ruling("customer_wish", f"The customer asked for a person in message {asked[0].said.number}, and no tool had failed.", (asked[0].quote,))
    return Ruling("cannot_assess", "What the human was needed for is not told by words or calls alone.")


def contact_reason(view: View) -> Ruling:
    """The first kind of request, in the order of `reason_words`, that the customer's opening words show."""
    first_answer = next((s.number for s in view.ai if view.customer and s.number > view.customer[0].number), None)
    opening = [s for s in view.customer if first_answer is None or s.number < first_answer]
    for group in (opening, view.customer[: len(opening) + _OPENING]):
        for concept in REASONS:
            for said in group:
                hit = next(iter(said.words.of(concept)), None)
                if hit is not None:
                    phrase = " ".join(said.words.tokens[hit.first : hit.last])
                    return Ruling(concept.removeprefix("reason_"), f'The customer wrote "{phrase}" in message {said.number}.')
    return Ruling("cannot_assess", "The customer's opening words name no kind of request that is known here.")
