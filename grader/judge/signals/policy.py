"""Detector of broken rules, as far as a clause can be read by code: periods, gifts, asking first, handing over at once.

What a clause is about is told by its words; the verdict cites its sentence. Conditions ("only if damaged") are not read.
"""

from __future__ import annotations

from collections.abc import Callable

from grader.judge.signals.handover import escalated_too_late, first_need, insisted_before_escalating, missed_escalation
from grader.judge.signals.policy_words import EXACT
from grader.judge.signals.promises import promised_exception
from grader.judge.signals.requests import did_not_ask_when_needed
from grader.judge.signals.times import Mention
from grader.judge.signals.view import Quote, Ruling, Rules, Said, View

_SUBJECTS = tuple(EXACT)


def contradicts_policy(view: View) -> Ruling:
    """A clause in force rules out what the assistant said or did; the first of these readings that finds one."""
    for reading in (_gift, _at_once, _asks_first, _period):
        ruling = reading(view)
        if ruling is not None:
            return ruling
    return Ruling("absent", "No period, gift, change or delay was found that a clause in force rules out in words that code can read.")


def _clause(view: View, *concepts: str) -> str | None:
    """The first sentence in the policies in force that speaks of all these."""
    for rules in view.rules:
        for hit in rules.words.of(concepts[0]):
            if all(rules.words.within(hit.sentence, other) for other in concepts[1:]):
                return rules.words.quote(hit.sentence, hit.first, hit.last)
    return None


def _gift(view: View) -> Ruling | None:
    ruling = promised_exception(view)
    clause = _clause(view, "forbids_gifts") if ruling.answer == "present" else None
    if clause is None:
        return None
    return Ruling("present", f"{ruling.why} The clause rules such favours out.", ruling.quotes, clause)


def _at_once(view: View) -> Ruling | None:
    """Another attempt after a human was due, where a clause says at once."""
    clause = _clause(view, "at_once")
    if clause is None:
        return None
    for detect in (insisted_before_escalating, escalated_too_late, missed_escalation):
        ruling = detect(view)
        need = first_need(view)
        if ruling.answer != "present" or need is None:
            continue
        own = next((s for s in view.ai if s.number > need.said.number), None)
        if own is not None:
            return Ruling(
                "present",
                f"{ruling.why} The clause demands the hand-off at once.",
                (Quote(own.number, own.words.quote(len(own.words.sentences) - 1)),),
                clause,
            )
    return None


def _asks_first(view: View) -> Ruling | None:
    ruling = did_not_ask_when_needed(view)
    clause = _clause(view, "asks_first") if ruling.answer == "present" else None
    if clause is None:
        return None
    return Ruling("present", f"{ruling.why} The clause demands a question first.", ruling.quotes, clause)


def _period(view: View) -> Ruling | None:
    """A period in the assistant's words on a topic for which the clauses in force name other periods only."""
    for said in view.ai:
        for m in said.times:
            if m.what != "length" or m.unit not in ("day", "week", "month") or said.words.sentences[m.sentence].asks:
                continue
            if said.words.within(m.sentence, "negates"):
                continue
            for topic in _SUBJECTS:
                clause = _other_period(view.rules, said, m, topic)
                if clause is not None:
                    text = said.words.text[said.words.starts[m.first] : said.words.ends[m.last - 1]]
                    return Ruling(
                        "present",
                        f'Message {said.number} says "{text}" where the clauses in force on the same subject name other periods only.',
                        (Quote(said.number, said.words.quote(m.sentence, m.first, m.last)),),
                        clause,
                    )
    return None


def _other_period(rules_in_force: tuple[Rules, ...], said: Said, m: Mention, topic: str) -> str | None:
    if not said.words.within(m.sentence, topic):
        return None
    if any(said.words.within(m.sentence, other) for other in _SUBJECTS if other != topic):
        return None
    clause = None
    for rules in rules_in_force:
        for time in rules.times:
            if time.what != "length":
                continue
            if abs(time.high - m.high) < 0.01:  # the same length stands somewhere: no telling apart
                return None
            if clause is None and rules.words.within(time.sentence, topic):
                clause = rules.words.quote(time.sentence, time.first, time.last)
    return clause


Detector = Callable[[View], Ruling]
