"""Detectors across the hand-off: what the human was given, and what the customer had to say twice."""

from __future__ import annotations

from grader.judge.signals.asking import STORY, Ask, asked_data, identifiers, known
from grader.judge.signals.handover import wish
from grader.judge.signals.language import EMPTY_WORDS
from grader.judge.signals.view import Quote, Ruling, Said, View, present
from grader.judge.signals.words import read

_BARE = 2  # words that mean something: up to these a summary says next to nothing
_SHORT = 15  # words up to which a summary without any number is called bare when numbers were known
_TOLD = 5  # words of the customer's that make a request
_PLAIN = 3  # letters up to which a word says nothing of a case
_SHARED = 2  # words of the customer's by which a human shows to know the case


def _told(view: View, upto: int) -> list[Said]:
    """Messages in which the customer told something, up to a message number."""
    return [s for s in view.customer if s.number <= upto and len(s.words.tokens) >= _TOLD and not wish(s)]


def handoff_without_context(view: View) -> Ruling:
    """The transfer call carries nothing of the case, though the customer had told it."""
    if view.handed_over is None:
        return Ruling("not_applicable", "No hand-off took place.")
    call = view.transfer
    if call is None:
        return Ruling("cannot_assess", "The hand-off is no recorded call, so its summary cannot be read.")
    told = _told(view, call.number)
    if not told:
        return Ruling("absent", "The customer had told nothing yet that could be passed on.")
    texts = [leaf.value for leaf in call.arguments if isinstance(leaf.value, str) and " " in leaf.value.strip()]
    words = read(" ".join(texts)).tokens
    specific = {w for w in words if not w.isdigit() and len(w) > 1 and w not in EMPTY_WORDS}
    has_number = any(c.isdigit() for w in words for c in w)
    if not words:
        why = "carries no summary"
    elif len(specific) <= _BARE:
        why = f"has a summary of {len(words)} words that names hardly anything of the case"
    elif not has_number and len(words) <= _SHORT and any(identifiers(s.words) for s in told):
        why = f"has a summary of {len(words)} words without any of the numbers that the customer had given"
    else:
        return Ruling("absent", "The summary of the hand-off has details of the case.")
    return Ruling(
        "present",
        f"The hand-off in message {call.number} {why}; the customer had told the case in message {told[0].number}.",
        (Quote(call.number, texts[0].strip() if words else call.name),),
    )


def customer_repeated_to_human(view: View) -> Ruling:
    """The human asked for something known, or the customer gave an identifier again."""
    over = view.handed_over
    if not view.human or over is None:
        return Ruling("not_applicable", "No human took over.")
    told = _told(view, over)
    for said in view.human:
        for ask in asked_data(said):
            source = _source(view, said, ask, told)
            if source is not None:
                return present(
                    f"The human asked in message {said.number} for something ({ask.datum}) that stood in "
                    f"message {source}, "
                    "before the hand-off.",
                    said, ask,
                )  # fmt: skip
    before = {i: s.number for s in reversed(view.customer) if s.number <= over for i in identifiers(s.words)}
    for said in view.customer:
        again = identifiers(said.words) & before.keys() if said.number > view.human[0].number else set()
        if again:
            first = min(again)
            return Ruling(
                "present",
                f"The customer gave {first} to the human in message {said.number}; it stood in message "
                f"{before[first]}.",
                (Quote(said.number, said.words.quote(_sentence_with(said, first))),),
            )
    return Ruling("absent", "The human asked for nothing that was known, and no identifier was given again.")


def _source(view: View, said: Said, ask: Ask, told: list[Said]) -> int | None:
    """The message in which what the human asks for stood before the hand-off."""
    if ask.datum not in STORY:
        return known(view, ask.datum, (view.handed_over or 0) + 1)
    return told[0].number if told and said is view.human[0] and not _knows(said, told) else None


def _knows(said: Said, told: list[Said]) -> bool:
    """The human names something of the case: words that mean something, or a number, which the customer had used."""
    own = {w for w in said.words.tokens if len(w) > _PLAIN and w not in EMPTY_WORDS}
    numbers = {i for s in told for i in identifiers(s.words)}
    return len(own & {w for s in told for w in s.words.tokens}) >= _SHARED or bool(identifiers(said.words) & numbers)


def _sentence_with(said: Said, identifier: str) -> int:
    """The sentence in which an identifier stands, however it is written there."""
    texts = (said.words.text[s.start : s.end].upper() for s in said.words.sentences)
    squeezed = ("".join(c for c in text if c.isalnum()) for text in texts)
    return next((number for number, text in enumerate(squeezed) if identifier in text), 0)
