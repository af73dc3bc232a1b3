"""Detector of promised actions without the tool, ticket or hand-off that would make them real."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.judge.signals.view import Ruling, Said, View, present
from grader.judge.signals.words import Hit, word_set

# Concept → names of tools that make such an action real.
_TOOLS = {
    "promises_notice": re.compile(r"notif|remind|subscrib|watch|alert|follow_?up|schedul|message|sms|call_?back", re.I),
    "promises_call": re.compile(r"(?:^|[_-])(?:call|phone|dial|ring|callback)", re.I),
    "promises_mail": re.compile(r"mail|return|exchange|invoice|label|receipt|send", re.I),
    "promises_partner": re.compile(r"carrier|courier|warehouse|driver|notif|contact|redirect|reroute|logistic", re.I),
    "promises_hold": re.compile(r"reserv|(?:^|[_-])(?:hold|cart)", re.I),
    "promises_team": re.compile(r"ticket|transfer|case|escalat|note|notif|forward|chamado", re.I),
}
_WHAT = {
    "promises_notice": "writing again, watching or keeping the customer informed",
    "promises_call": "a call",
    "promises_mail": "an e-mail",
    "promises_partner": "reaching the carrier, warehouse or another partner",
    "promises_hold": "putting an item aside",
    "promises_team": "passing something on to a team",
}
_LEAD = 5  # words before a promise that may turn it into an offer, a wish or a refusal
_NO = word_set("not can't cannot couldn't won't don't unable never no nao nunca tampoco sin sem nem ni")
_MAYBE = word_set("if shall could would puedo posso can se si podria poderia")
_MAYBE_BEFORE = word_set(
    "shall should may would want like quieres quiere queres quer prefieres prefere gostaria gustaria if you"
)
# A promise of these is kept by the people who were given the case.
_OTHERS = word_set(
    "we we'll we've vamos avisamos entraremos mantenemos notificamos llamamos ligamos mantemos contactare llamaran "
    "team colleague colleagues they he she someone somebody equipe time colega colegas eles ela ele alguem equipo "
    "companero companera companeros alguien ellos"
)


def promised_impossible_action(view: View) -> Ruling:
    """An action promised or claimed in the first person, for which no tool was called and nobody was given the case."""
    for said, hit in unkept(view):
        people = "the ticket or hand-off is something else" if _with_people(view) else "no ticket or hand-off was made"
        return present(
            f"Message {said.number} promises or claims {_WHAT[hit.concept]}; no call of such a tool stands in the "
            f"conversation, and {people}.",
            said, hit,
        )  # fmt: skip
    return Ruling("absent", "No promise was found of an action without a tool call, ticket or hand-off behind it.")


def unkept(view: View) -> Iterator[tuple[Said, Hit]]:
    """Promises and claims of an action that no tool call and no person stands behind."""
    for said in view.ai:
        for hit in said.words.of(*_TOOLS):
            if _is_promise(said, hit) and not _is_real(view, said, hit):
                yield said, hit


def _is_promise(said: Said, hit: Hit) -> bool:
    tokens, sentence = said.words.tokens, said.words.sentences[hit.sentence]
    own = tokens[hit.first : hit.last]
    lead = tokens[max(sentence.first, hit.first - _LEAD) : hit.first]
    if sentence.asks or not _NO.isdisjoint(own) or not _NO.isdisjoint(lead[1 - _LEAD :]):
        return False
    if hit.concept != "promises_notice" and not _MAYBE.isdisjoint(own):  # "I'll tell you if it ships" is a promise
        return False
    return _MAYBE_BEFORE.isdisjoint(lead)


def _is_real(view: View, said: Said, hit: Hit) -> bool:
    """A tool of that kind was called, or a person has it."""
    wanted = _TOOLS[hit.concept]
    if any(wanted.search(use.name) and not use.failed for use in view.uses):
        return True
    if hit.concept == "promises_team":
        return _with_people(view)
    first = max(said.words.sentences[hit.sentence].first, hit.first - _LEAD + 1)
    return _with_people(view) and not _OTHERS.isdisjoint(said.words.tokens[first : hit.last])


def _with_people(view: View) -> bool:
    return bool(view.tickets) or view.handed_over is not None
