"""Detectors across the hand-off: what the human was given, and what the customer had to say twice."""

from __future__ import annotations

from grader.judge.signals.asking import asked_data, identifiers, known
from grader.judge.signals.handover import wish
from grader.judge.signals.view import Quote, Ruling, Said, View

_BARE = 12  # words up to which a summary without any number or name of a thing says next to nothing
_TOLD = 5  # words of the customer's that make a request


def _told(view: View, upto: int) -> list[Said]:
    """Messages in which the customer told something, up to a message number."""
    return [s for s in view.customer if s.number <= upto and len(s.words.tokens) >= _TOLD and not wish(s)]


def handoff_without_context(view: View) -> Ruling:
    """The transfer call carries nothing that identifies the case, though identifiers or amounts were known."""
    over = view.handed_over
    if over is None:
        return Ruling("not_applicable", "No hand-off took place.")
    call = view.transfer
    if call is None:
        return Ruling("cannot_assess", "The hand-off is no recorded call, so its summary cannot be read.")
    told = _told(view, call.number)
    facts = any(sum(c.isdigit() for c in t) >= 3 for s in view.customer if s.number < call.number for t in s.words.tokens)
    if not told:
        return Ruling("absent", "The customer had told nothing yet that could be passed on.")
    summary = " ".join(str(leaf.value) for leaf in call.arguments if isinstance(leaf.value, str) and " " in leaf.value.strip())
    number_of_words = len(summary.split())
    digits = any(c.isdigit() for c in call.arguments_text)
    if number_of_words == 0:
        why = "carries no summary"
    elif number_of_words <= _BARE and facts and not digits:
        why = f"has a summary of {number_of_words} words without any of the numbers that the customer had given"
    else:
        return Ruling("absent", "The summary of the hand-off has details of the case.")
    return Ruling(
        "present",
        f"The hand-off in message {call.number} {why}, though the customer had told the case in message {told[0].number}.",
        (Quote(call.number, summary.strip() or call.name),),
    )


def customer_repeated_to_human(view: View) -> Ruling:
    """The human asked for something known, or the customer gave an identifier again."""
    over = view.handed_over
    if not view.human or over is None:
        return Ruling("not_applicable", "No human took over.")
    told = _told(view, over)
    for said in view.human:
        for ask in asked_data(said):
            source = known(view, ask, over + 1)
            if source is None and ask.datum == "story" and told and said is view.human[0]:
                source = told[0].number
            if source is not None:
                return Ruling(
                    "present",
                    f"The human asked in message {said.number} for something ({ask.datum}) that stood in message {source}, "
                    "before the hand-off.",
                    (Quote(said.number, said.words.quote(ask.sentence, ask.first, ask.last)),),
                )
    before = {i: s.number for s in reversed(view.customer) if s.number <= over for i in identifiers(s.words)}
    for said in view.customer:
        again = identifiers(said.words) & before.keys() if said.number > view.human[0].number else set()
        if again:
            first = min(again)
            return Ruling(
                "present",
                f"The customer gave {first} to the human in message {said.number}; it stood in message {before[first]}.",
                (Quote(said.number, said.words.quote(_sentence_with(said, first))),),
            )
    return Ruling("absent", "The human asked for nothing that was known, and no identifier was given again.")


def _sentence_with(said: Said, identifier: str) -> int:
    squeezed = identifier.lower()
    for number, sentence in enumerate(said.words.sentences):
        text = said.words.text[sentence.start : sentence.end].lower()
        if squeezed in text.replace(" ", "").replace("-", "").replace("#", "") or squeezed in text:
            return number
    return 0
