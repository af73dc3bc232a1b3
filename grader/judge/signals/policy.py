"""Detector of broken rules, as far as a clause can be read by code: gifts, handing over at once, asking first, periods.

What a clause is about is told by its words; the verdict cites its sentence. Conditions ("only if damaged") are not
read.
"""

from __future__ import annotations

from grader.judge.signals.favours import bent_period, granted
from grader.judge.signals.handover import escalated_too_late, first_need, insisted_before_escalating, missed_escalation
from grader.judge.signals.lexicon import SUBJECTS
from grader.judge.signals.requests import did_not_ask_when_needed, still_cancellable
from grader.judge.signals.times import Mention
from grader.judge.signals.view import Quote, Ruling, View, present
from grader.judge.signals.window import misjudged

_UNITS = ("day", "week", "month")
_SAME = 0.01  # hours


def contradicts_policy(view: View) -> Ruling:
    """A clause in force rules out what the assistant said or did; the first of these readings that finds one."""
    for reading in (_gift, _at_once, _asks_first, _window, _late, _cancellable, _label, _period):
        ruling = reading(view)
        if ruling is not None:
            return ruling
    return Ruling("absent", "Gifts, periods, changes and hand-offs were held against the clauses that code can read.")


def _clause(view: View, concept: str) -> str | None:
    """The first sentence of the policies in force that makes this demand."""
    for rules in view.rules:
        for hit in rules.words.of(concept):
            return rules.words.quote(hit.sentence, hit.first, hit.last)
    return None


def _broken(ruling: Ruling | None, view: View, concept: str, why: str) -> Ruling | None:
    """The same finding as a broken rule, where a clause makes this demand."""
    if ruling is None or ruling.answer != "present":
        return None
    clause = _clause(view, concept)
    return Ruling("present", f"{ruling.why} {why}", ruling.quotes, clause) if clause else None


def _gift(view: View) -> Ruling | None:
    return _broken(granted(view), view, "forbids_gifts", "The clause rules such favours out.")


def _late(view: View) -> Ruling | None:
    return _broken(bent_period(view), view, "forbids_late", "The clause leaves that to people, or to nobody.")


def _asks_first(view: View) -> Ruling | None:
    return _broken(did_not_ask_when_needed(view), view, "asks_first", "The clause demands a question first.")


def _cancellable(view: View) -> Ruling | None:
    return _broken(still_cancellable(view), view, "cancels_while", "The clause lets it be cancelled.")


def _label(view: View) -> Ruling | None:
    """The label is called free where the clause makes it so for damaged or wrong items, and nobody spoke of such."""
    if any(s.words.has("reason_damaged_item", "reason_wrong_item", "wants_exchange") for s in view.customer):
        return None
    for said in view.ai:
        if view.photos_before(said.number):
            break
        for hit in said.words.of("free_label"):
            asks = said.words.sentences[hit.sentence].asks
            if asks or said.words.near(hit, "negates") or said.words.within(hit.sentence, "supposes"):
                continue
            why = f"Message {said.number} calls the label free; the customer told of no damaged or wrong item."
            return _broken(present(why, said, hit), view, "free_if_damaged", "The clause makes it free for those.")
    return None


def _at_once(view: View) -> Ruling | None:
    """Another attempt after a human was due, where a clause says at once."""
    need = first_need(view)
    own = next((s for s in view.ai if need is not None and s.number > need.said.number), None)
    if own is None or _clause(view, "at_once") is None:
        return None
    for detect in (insisted_before_escalating, escalated_too_late, missed_escalation):
        ruling = detect(view)
        if ruling.answer == "present":
            quote = Quote(own.number, own.words.quote(len(own.words.sentences) - 1))
            found = Ruling("present", ruling.why, (quote,))
            return _broken(found, view, "at_once", "The clause demands the hand-off at once.")
    return None


def _window(view: View) -> Ruling | None:
    found = misjudged(view)
    return Ruling("present", found.why, (found.quote,), found.clause) if found else None


def _period(view: View) -> Ruling | None:
    """A period in the assistant's words on a subject for which the clauses in force name other periods only."""
    for said in view.ai:
        words = said.words
        for m in said.times:
            if m.what != "length" or m.unit not in _UNITS or words.sentences[m.sentence].asks:
                continue
            subjects = [subject for subject in SUBJECTS if words.within(m.sentence, subject)]
            if len(subjects) != 1 or words.within(m.sentence, "negates"):
                continue
            clause = _other_period(view, m, subjects[0])
            if clause is not None:
                time = words.text[words.starts[m.first] : words.ends[m.last - 1]]
                return present(
                    f'Message {said.number} says "{time}" where the clauses in force on the same subject name other '
                    "periods only.",
                    said, m, clause=clause,
                )  # fmt: skip
    return None


def _other_period(view: View, m: Mention, subject: str) -> str | None:
    """The first clause on the subject that names a period, when no clause at all names this one."""
    found = None
    for rules in view.rules:
        for time in rules.times:
            if time.what == "length" and abs(time.high - m.high) < _SAME:
                return None
            if time.what == "length" and found is None and rules.words.within(time.sentence, subject):
                found = rules.words.quote(time.sentence, time.first, time.last)
    return found
