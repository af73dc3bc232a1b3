"""Detector of words against a tool's result: an error told as success, sold out told as in stock, a reservation that is
settled, and another status, day or sum. Only what one result says plainly is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations

from grader.judge.signals.amounts import money, numbers_in
from grader.judge.signals.times import Mention, iso_days
from grader.judge.signals.tools import Leaf, Use
from grader.judge.signals.view import Quote, Ruling, Said, View, present
from grader.judge.signals.words import word_set

_SETTLED = word_set("settled captured paid posted completed")
_OPEN = word_set("authorized authorised pending reserved voided reservation authorization failed declined")
_RESERVED = re.compile(r"\b(?:reservation|reserv\w+|pre-?authori[sz]\w+|hold|pending|pendiente|pendente|retencion)\b")
_COUNTS = ("available", "stock", "qty_available", "quantity", "in_stock", "disponible", "estoque")
_IN_STOCK = re.compile(
    r"\b(?:is|are|it's|still|have|esta|estan|tem|temos|ha|hay|tenemos|queda|quedan|sigue|ainda|si)\b[^.?!\n]{0,40}?"
    r"\b(?:available|in stock|disponivel|disponiveis|disponibles?|em estoque|no estoque|en stock|en existencia)\b"
)
_ESTIMATES = ("estimated_delivery", "eta", "estimated_arrival", "expected_delivery", "estimated_delivery_date")
_ARRIVES = re.compile(
    r"\b(?:arriv\w+|deliver\w*|with you|reach\w*|cheg\w+|entreg\w+|lleg\w+|recib\w+|receb\w+|estimat\w+|estimad\w+"
    r"|previst\w+|due)\b"
)
# How far along an order is, by the words of tools; and by those of the assistant.
_TOOL_STAGE = {
    **dict.fromkeys(word_set("placed packing pending processing created paid confirmed preparing"), 0),
    **dict.fromkeys(word_set("shipped in_transit dispatched out_for_delivery"), 1),
    "delivered": 2,
}
_SAID_STAGE = {
    **dict.fromkeys(word_set("shipped dispatched enviado enviada despachado despachada salio saiu"), 1),
    **dict.fromkeys(word_set("delivered arrived entregue entregado entregada chegou llego"), 2),
}
_PARCEL = word_set("order parcel package shipment delivery pedido pacote encomenda compra entrega paquete envio")
_SMALL = 5  # whole numbers below are counts, not prices
_TEXT = 200  # characters of a text in which numbers are looked for
_MANY = 12  # prices in results beyond which sums are not tried: any amount could be one of them
_CENT = 0.011


def contradicts_tool_result(view: View) -> Ruling:
    """The first message of the assistant's that a tool's result before it contradicts."""
    spoke = False
    for said in view.ai:
        shown = view.shown_before(said.number)
        if not shown:
            continue
        spoke = True
        for check in (_success_after_error, _stock, _estimate, _settled, _stage, _amount):
            ruling = check(view, said, shown)
            if ruling is not None:
                return ruling
    if not spoke:
        return Ruling("not_applicable", "The AI said nothing after a tool result.")
    return Ruling("absent", "Errors, stock, payments, status, estimated days and sums agree with the tools' results.")


def _success_after_error(view: View, said: Said, shown: list[Use]) -> Ruling | None:
    """The last thing that happened before this message was a change that failed, and the message says it is done."""
    words = said.words
    before = view.said_before(said)
    previous = before[-1].number if before else 0
    recent = [u for u in shown if (u.result_number or 0) > previous and u.purpose != "look"]
    hit = next(iter(words.of("done")), None)
    if not recent or not recent[-1].failed or recent[-1].purpose not in ("change", "unknown") or hit is None:
        return None
    if words.sentences[hit.sentence].asks or words.has("negates"):
        return None
    use = recent[-1]
    return present(
        f"{use.name} failed in message {use.result_number}; message {said.number} says that it worked.", said, hit
    )


def _assertions(said: Said, *unless: str) -> Iterator[tuple[int, str]]:
    """Sentences that are no questions and hold none of these concepts: number and plain text."""
    for number, sentence in enumerate(said.words.sentences):
        if not sentence.asks and not said.words.within(number, *unless):
            yield number, said.words.plain_sentence(number)


def _in_sentence(why: str, said: Said, sentence: int) -> Ruling:
    return Ruling("present", why, (Quote(said.number, said.words.quote(sentence)),))


def _stock(_: View, said: Said, shown: list[Use]) -> Ruling | None:
    """Everything that the last stock lookup named first is at nought, and the message says that it is there."""
    use = next((u for u in reversed(shown) if "stock" in u.name.lower() or "inventory" in u.name.lower()), None)
    counts = [leaf for leaf in use.at(*_COUNTS) if isinstance(leaf.value, (int, bool))] if use else []
    if use is None or not counts or counts[0].value:
        return None
    own = _parts(counts[0], use)
    others = set().union(*(_parts(leaf, use) for leaf in counts[1:] if leaf.value)) - own
    for number, text in _assertions(said, "negates"):
        # A sentence that names another variant of the result, one that is there, speaks of that.
        if _IN_STOCK.search(text) and not any(part in text for part in others):
            return _in_sentence(
                f"{use.name} shows nought for the first item in message {use.result_number}; message "
                f"{said.number} says "
                "that it is there.",
                said, number,
            )  # fmt: skip
    return None


def _parts(count: Leaf, use: Use) -> set[str]:
    """The words by which a result names the item of this count."""
    prefix = count.path.rpartition(".")[0]
    values = (leaf.value.lower() for leaf in use.texts if leaf.path.startswith(prefix))
    return {part for value in values for part in re.split(r"\W+", value) if len(part) > 2}


def _estimate(view: View, said: Said, shown: list[Use]) -> Ruling | None:
    """An estimated day stands in the last result that has one, and a sentence on the arrival names a day in none."""
    today = view.day_of(said.number)
    estimates = [(u, leaf) for u in shown for leaf in u.at(*_ESTIMATES) if isinstance(leaf.value, str)]
    if not estimates or today is None or not set(iso_days(estimates[-1][1].value[:_TEXT])):
        return None
    use, leaf = estimates[-1]
    days = {day for u in shown for day in u.days}
    arrivals = {number for number, text in _assertions(said, "past", "negates", "wishes_well") if _ARRIVES.search(text)}
    for m in said.times:
        if m.sentence in arrivals and m.what != "length" and _differs(m, today, days):
            return present(
                f"{use.name} gave {leaf.value} as {leaf.key} in message {use.result_number}; message "
                f"{said.number} names "
                "another day.",
                said, m,
            )  # fmt: skip
    return None


def _differs(m: Mention, today: date, days: set[date]) -> bool:
    if m.what == "weekday":
        return m.weekday not in {day.weekday() for day in days}
    day = m.near(today)
    return day is not None and day >= today and day not in days


def _settled(_: View, said: Said, shown: list[Use]) -> Ruling | None:
    """The last lookup shows two payments or more, all settled, and the message calls one a reservation."""
    use = next((u for u in reversed(shown) if "payment" in u.name.lower() or "transaction" in u.name.lower()), None)
    states = [str(leaf.value).lower() for leaf in use.at("status", "state")] if use else []
    if use is None or sum(state in _SETTLED for state in states) < 2 or not _OPEN.isdisjoint(states):
        return None
    for number, text in _assertions(said, "negates", "supposes", "past"):
        if _RESERVED.search(text):
            return _in_sentence(
                f"{use.name} shows only settled payments in message {use.result_number}; message {said.number} "
                "calls one "
                "a reservation.",
                said, number,
            )  # fmt: skip
    return None


def _stage(_: View, said: Said, shown: list[Use]) -> Ruling | None:
    """One order is in the results, none further than some stage, and the message says that it is further."""
    words = said.words
    if not words.has("states"):
        return None
    orders = {str(leaf.value) for u in shown for leaf in u.at("order_id")}
    states = [str(leaf.value).lower() for u in shown for leaf in u.at("status", "state")]
    stages = [_TOOL_STAGE[state] for state in states if state in _TOOL_STAGE]
    if len(orders) > 1 or not stages:
        return None
    for hit in words.of("states"):
        own = words.tokens[hit.first : hit.last]
        told = max((_SAID_STAGE.get(word, -1) for word in own), default=-1)
        if told <= max(stages) or _PARCEL.isdisjoint(own) or words.sentences[hit.sentence].asks:
            continue
        if not words.within(hit.sentence, "negates", "supposes", "orders_time", "future"):
            return present(
                f"No result up to message {shown[-1].result_number} shows the order so far along as message "
                f"{said.number} "
                "says it is.",
                said, hit,
            )  # fmt: skip
    return None


def _amount(view: View, said: Said, shown: list[Use]) -> Ruling | None:
    """A sum of money that is in no result, and no sum or difference of two, nor in the policy or anybody's words."""
    amounts = money(said.words)
    prices: set[float] = set()
    for use in shown if amounts else ():
        prices |= {n for n in use.amounts if n >= _SMALL or n != round(n)}
        if len(prices) > _MANY:
            return None
    if not prices:
        return None
    known = _numbers(view, said, shown, prices)
    for amount in amounts:
        sentence = said.words.sentences[amount.sentence]
        if sentence.asks or said.words.within(amount.sentence, "about"):
            continue
        near = 0.5 if amount.value == round(amount.value) else _CENT  # "60" for 59.90 is rounded
        if not any(abs(amount.value - n) < near for n in known):
            return present(
                f"The sum {amount.value:g} in message {said.number} stands in no result before it, is no sum or "
                "difference "
                "of two that do, and nobody else had named it.",
                said, amount,
            )  # fmt: skip
    return None


def _numbers(view: View, said: Said, shown: list[Use], prices: set[float]) -> set[float]:
    """All numbers that the assistant had, and what follows from the prices among them."""
    policy = {n for rules in view.rules for n in rules.numbers}
    fees = {n for n in policy if n != round(n)}
    found = policy | {n for use in shown for n in use.amounts} | {n for s in view.said_before(said) for n in s.numbers}
    found |= {n for use in shown for leaf in use.texts for n in numbers_in(leaf.value[:_TEXT])}
    found |= {a + b for a, b in combinations(prices, 2)} | {abs(a - b) for a, b in combinations(prices | fees, 2)}
    return found | {a * n for a in prices for n in range(2, 6)} | {sum(prices)}
