"""Detectors of actions against the request: another kind of change than was asked for, or one made without asking."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from grader.judge.signals.tools import Use
from grader.judge.signals.view import Quote, Ruling, Said, View, present
from grader.judge.signals.words import Hit, read, word_set

Wish = Literal["exchange", "return", "cancel"]

_CALLS: dict[Wish, re.Pattern[str]] = {
    "exchange": re.compile(r"exchang|swap|replac|troca|cambio|cambiar", re.I),
    "return": re.compile(r"return|refund|devol|reembols", re.I),
    "cancel": re.compile(r"cancel|anular", re.I),
}
# What is asked for → what it is taken for.
_CONFUSED: dict[Wish, tuple[Wish, ...]] = {
    "exchange": ("return", "cancel"),
    "cancel": ("return",),
    "return": ("cancel",),
}
_CANCELLABLE = word_set("placed packing pending processing created confirmed")
_MIND = re.compile(r"change.{0,4}mind|no_longer|not_wanted|desist|arrepen|unwanted", re.I)
_NUMBERED = re.compile(r"^\W{0,2}[A-Za-z]{0,4}\W?\d{3,20}$")
_TITLES = ("name", "title", "product", "item", "variant")
_TITLE = 200  # characters of a title that are read
_SHORT = 2  # letters up to which a word names nothing


def wanted(said: list[Said]) -> set[Wish]:
    """The kinds of request that the customer's words name."""
    return {kind for kind in _CALLS if any(s.words.has(f"wants_{kind}") for s in said)}


def kind_of(use: Use) -> Wish | None:
    """The kind of change that a call makes."""
    if use.purpose != "change":
        return None
    return next((kind for kind, name in _CALLS.items() if name.search(use.name)), None)


def exchange_treated_as_return(view: View) -> Ruling:
    """A call or an answer of a neighbouring kind to the only one that the customer's words name."""
    for reading in (_called_another, _told_another, still_cancellable, _receipt, _change_of_mind):
        ruling = reading(view)
        if ruling is not None:
            return ruling
    if not any(kind_of(use) for use in view.uses):
        return Ruling("cannot_assess", "No exchange, return or cancellation was made, and none was told for another.")
    return Ruling(
        "absent", "Each exchange, return or cancellation that was made is of a kind that the customer had named."
    )


def _called_another(view: View) -> Ruling | None:
    """The call is of a kind that is easily taken for the one that was asked for, and was not offered openly before."""
    for use in view.uses:
        kind = kind_of(use)
        asked = wanted(view.customer_before(use.number)) if kind else set()
        if kind is None or len(asked) != 1:
            continue
        wish = next(iter(asked))
        if kind not in _CONFUSED[wish] or _offered(view, use, kind, wish):
            continue
        told = next(s for s in view.customer if s.words.has(f"wants_{wish}"))
        return Ruling(
            "present",
            f"The customer's words in message {told.number} name {wish} only, and message {use.number} calls "
            f"{use.name}; "
            f"{kind} was not offered openly beside it before.",
            (Quote(use.number, use.name),),
        )
    return None


def _offered(view: View, use: Use, kind: Wish, wish: Wish) -> bool:
    """A message before named both kinds, or the neighbour together with what cannot be had: an open alternative."""
    return any(
        s.number < use.number and s.words.has(f"kind_{kind}") and s.words.has("unable", f"kind_{wish}") for s in view.ai
    )


def _told_another(view: View) -> Ruling | None:
    """One kind only is wished for, and the assistant speaks of a neighbour only, to the end, without saying why."""
    asked = wanted(view.customer)
    if (
        len(asked) != 1
        or view.handed_over is not None
        or any(u.purpose == "change" and not u.failed for u in view.uses)
    ):
        return None
    kind = next(iter(asked))
    if any(s.words.has(f"kind_{kind}", "unable") for s in view.ai):
        return None
    wish = next(s for s in view.customer if s.words.has(f"wants_{kind}"))
    for said in view.ai:
        hits = said.words.of(*(f"kind_{other}" for other in _CONFUSED[kind]))
        if said.number > wish.number and hits:
            return present(
                f"The customer's words in message {wish.number} name {kind} only; message {said.number} speaks "
                "of something "
                f"else, and the AI never takes up {kind} nor says that it is impossible.",
                said, hits[0],
            )  # fmt: skip
    return None


def still_cancellable(view: View) -> Ruling | None:
    """A cancellation was wished for, the order could be cancelled, and the assistant spoke of returning it instead."""
    if wanted(view.customer) != {"cancel"} or view.handed_over is not None:
        return None
    states = {str(leaf.value).lower() for u in view.uses for leaf in u.at("status")}
    if not states or not states <= _CANCELLABLE or any("cancel" in u.name.lower() for u in view.uses):
        return None
    for said in view.ai:
        for hit in said.words.of("kind_return"):
            if not said.words.within(hit.sentence, "kind_cancel"):
                return _taken_for(said, hit, f"a cancellation while the order was {min(states)}", "a return")
    return None


def _receipt(view: View) -> Ruling | None:
    """An invoice was asked for, no tool for invoices was called, and the assistant gave a receipt."""
    if any("invoice" in u.name.lower() for u in view.uses) or not any(
        s.words.has("reason_invoice") for s in view.customer
    ):
        return None
    for said in view.ai:
        for hit in said.words.of("kind_receipt"):
            if not said.words.sentences[hit.sentence].asks and not said.words.near(hit, "negates"):
                return _taken_for(said, hit, "an invoice", "a receipt")
    return None


def _change_of_mind(view: View) -> Ruling | None:
    """An item was said to be broken or wrong, and the return was opened as a change of mind."""
    for use in view.uses:
        reason = next((leaf for leaf in use.arguments if leaf.key == "reason" and _MIND.search(str(leaf.value))), None)
        if reason is None or kind_of(use) not in ("return", "exchange"):
            continue
        before = view.customer_before(use.number)
        told = next((s for s in before if s.words.has("reason_damaged_item", "reason_wrong_item")), None)
        if told is not None:
            return Ruling(
                "present",
                f"The customer told of a damaged or wrong item in message {told.number}; message {use.number} "
                "opens it as "
                f"{reason.value}.",
                (Quote(use.number, str(reason.value)),),
            )
    return None


def _taken_for(said: Said, hit: Hit, wish: str, answer: str) -> Ruling:
    return present(f"The customer asked for {wish}; message {said.number} answers with {answer}.", said, hit)


class _Order(NamedTuple):
    """An order that a lookup had found, and the words by which the result names what is in it."""

    shown: int
    identifier: str
    words: frozenset[str]


def did_not_ask_when_needed(view: View) -> Ruling:
    """A change that the customer's words leave open, or do not ask for, made without a question answered before."""
    if not view.conversation.has_tools:
        return Ruling("cannot_assess", "This source records no tool calls.")
    orders = list(_orders(view))
    seen: set[tuple[str, str]] = set()
    changes = [u for u in view.uses if u.purpose == "change"]
    for use in changes:
        if (use.name, use.arguments_text) in seen:
            continue  # the same once more, after a failure
        seen.add((use.name, use.arguments_text))
        why = _assumed(view, use, [order for order in orders if order.shown < use.number])
        if why is not None:
            return Ruling(
                "present",
                f"Message {use.number} calls {use.name} without a question that the customer had answered, and {why}.",
                (Quote(use.number, use.name),),
            )
    if not changes:
        return Ruling("not_applicable", "No call that changes something was made.")
    return Ruling(
        "absent", "Before each change the AI had asked and the customer answered, or they had named that change."
    )


def _assumed(view: View, use: Use, orders: list[_Order]) -> str | None:
    """What the call takes for granted, if it does."""
    before = view.customer_before(use.number)
    spoken = [s for s in view.ai if before and s.number < before[-1].number]
    questions = [s for s in spoken if s.words.has("offers", "asks") or any(x.asks for x in s.words.sentences)]
    found = {order.identifier for order in orders}
    if len(found) > 1 and not _is_named(use, orders, [*before, *questions]):
        if questions and questions[-1] is spoken[-1]:
            return None
        return f"{len(found)} orders had been found, and nothing that was said before tells which is meant"
    kind = kind_of(use)
    if kind is not None and not questions and kind not in wanted(before):
        return f"nothing that the customer had written asks for {kind}"
    return None


def _orders(view: View) -> list[_Order]:
    found = []
    for use in view.uses:
        titles = [leaf for leaf in use.at(*_TITLES) if isinstance(leaf.value, str)]
        for leaf in use.at("order_id", "order_number"):
            prefix = leaf.path[: -len(leaf.key)]
            texts = " . ".join(title.value[:_TITLE] for title in titles if title.path.startswith(prefix))
            words = frozenset(word for word in read(texts).tokens if len(word) > _SHORT)
            found.append(_Order(use.result_number or 0, str(leaf.value).lower(), words))
        listed = [str(leaf.value) for leaf in use.at("orders", "order_ids") if _NUMBERED.search(str(leaf.value))]
        found += [_Order(use.result_number or 0, identifier.lower(), frozenset()) for identifier in listed]
    return found


def _is_named(use: Use, orders: list[_Order], said: list[Said]) -> bool:
    """Somebody had said the identifier of the call's order, or words of what only this order holds."""
    values = {str(leaf.value).lower() for leaf in use.arguments}
    own = {order for order in orders if order.identifier in values}
    for order in own:
        digits = order.identifier.rpartition("-")[2]
        if any(order.identifier in s.words.text.lower() or digits in s.words.tokens for s in said):
            return True
    words = {word for order in own for word in order.words}
    words -= {word for order in orders if order not in own and order.identifier not in values for word in order.words}
    return any(not words.isdisjoint(s.words.tokens) for s in said)
