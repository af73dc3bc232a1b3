"""Detectors of actions against the request: another kind of change than was asked for, or one made without asking."""

from __future__ import annotations

import re
from typing import Literal

from grader.judge.signals.view import Quote, Ruling, Said, Use, View

Wish = Literal["exchange", "return", "cancel"]

_CALLS: dict[Wish, re.Pattern[str]] = {
    "exchange": re.compile(r"exchang|swap|replac|troca|cambio|cambiar", re.I),
    "return": re.compile(r"return|refund|devol|reembols", re.I),
    "cancel": re.compile(r"cancel|anular", re.I),
}


# What is asked for → what it is taken for.
_CONFUSED = {("exchange", "return"), ("cancel", "return"), ("exchange", "cancel"), ("return", "cancel")}


def wanted(said: list[Said]) -> set[Wish]:
    """The kinds of request that the customer's words name."""
    return {kind for kind in _CALLS for s in said if s.words.has(f"wants_{kind}")}


def kind_of(use: Use) -> Wish | None:
    """The kind of change that a call makes."""
    if use.purpose != "change":
        return None
    return next((kind for kind, name in _CALLS.items() if name.search(use.name)), None)


def exchange_treated_as_return(view: View) -> Ruling:
    """The call that was made is of a neighbouring kind to the only one that the customer's words name."""
    acted = False
    for use in view.uses:
        kind = kind_of(use)
        if kind is None:
            continue
        acted = True
        asked = wanted(view.customer_before(use.number))
        if not asked or kind in asked:
            continue
        if (min(asked), kind) not in _CONFUSED or len(asked) > 1:
            continue
        if any(s.words.has(f"kind_{kind}") and _open(s, asked) for s in view.ai if s.number < use.number):
            continue
        wish = next(s for s in view.customer if s.words.has(*(f"wants_{k}" for k in asked)))
        hit = wish.words.of(*(f"wants_{k}" for k in asked))[0]
        return Ruling(
            "present",
            f"The customer's words in message {wish.number} name {_listed(asked)} only, and message {use.number} calls {use.name}; "
            f"{kind} was not offered openly beside it before.",
            (Quote(use.number, use.name),),
        )
    told = _told_another(view)
    if told is not None:
        return told
    if not acted:
        return Ruling("cannot_assess", "No exchange, return or cancellation was made, and none is spoken of in place of another.")
    return Ruling("absent", "Each exchange, return or cancellation that was carried out is of a kind that the customer had named.")


def _told_another(view: View) -> Ruling | None:
    """One kind only is wished for, and the assistant speaks of a neighbour only, to the end, without saying that it must."""
    asked = wanted(view.customer)
    if len(asked) != 1 or not view.ai or any(u.purpose == "change" and not u.failed for u in view.uses):
        return None
    kind = next(iter(asked))
    if any(s.words.has(f"kind_{kind}") or s.words.has("unable") for s in view.ai) or view.handed_over is not None:
        return None
    wish = next(s for s in view.customer if s.words.has(f"wants_{kind}"))
    for said in view.ai:
        hits = said.words.of(*(f"kind_{other}" for one, other in _CONFUSED if one == kind))
        if said.number > wish.number and hits:
            return Ruling(
                "present",
                f"The customer's words in message {wish.number} name {kind} only; message {said.number} speaks of something "
                f"else, and the AI never takes up {kind} nor says that it is impossible.",
                (Quote(said.number, said.words.quote(hits[0].sentence, hits[0].first, hits[0].last)),),
            )
    return None


def _open(said: Said, asked: set[Wish]) -> bool:
    """The message names the wish too, or says that it cannot be had: the neighbour is an open alternative."""
    return said.words.has("unable", *(f"kind_{kind}" for kind in asked))


def _listed(kinds: set[Wish]) -> str:
    return " and ".join(sorted(kinds))


_ORDER = re.compile(r"order|pedido|orden", re.I)


def did_not_ask_when_needed(view: View) -> Ruling:
    """A change was made though the assistant had asked nothing since, and the customer had answered nothing."""
    changes = [u for u in view.uses if u.purpose == "change"]
    if not changes:
        return Ruling("not_applicable", "No call that changes something was made.")
    asks_first = any(rules.words.has("asks_first") for rules in view.rules)
    for use in changes:
        answer = next((s for s in reversed(view.customer) if s.number < use.number), None)
        question = next((s for s in reversed(view.ai) if answer is not None and s.number < answer.number), None)
        if question is not None and (any(s.asks for s in question.words.sentences) or question.words.has("offers", "asks")):
            continue
        if any(o.number < use.number and o.name == use.name and o.arguments == use.arguments for o in changes):
            continue
        several = _orders(view, use.number)
        named = _named(view, use)
        if not asks_first and not (len(several) > 1 and not named):
            continue
        if named and not asks_first:
            continue
        why = "the policy in force asks for a yes first" if asks_first else f"{len(several)} orders were open and none was named"
        return Ruling(
            "present",
            f"Message {use.number} calls {use.name} without a question of the AI's that the customer had answered; {why}.",
            (Quote(use.number, use.name),),
        )
    return Ruling("absent", "Before each change the AI had asked, and the customer had answered.")


def _orders(view: View, before: int) -> set[str]:
    return {
        str(leaf.value) for u in view.shown_before(before) for leaf in u.leaves
        if leaf.key in ("order_id", "order_number") and leaf.value is not None
    }  # fmt: skip


def _named(view: View, use: Use) -> bool:
    """The customer had written an identifier that the call uses."""
    values = [str(leaf.value).lower() for leaf in use.arguments if leaf.value is not None and any(c.isdigit() for c in str(leaf.value))]
    return any(value in s.words.text.lower() for s in view.customer_before(use.number) for value in values)
