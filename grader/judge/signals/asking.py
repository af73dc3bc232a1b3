"""Detectors of questions: is a datum asked for, and was it known? And was the customer asked before something changed?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.judge.signals.view import Leaf, Quote, Ruling, Said, Use, View
from grader.judge.signals.words import Hit, Words, plain

_REACH = 9  # words between "could you send me" and what is asked for
# A letter or two and at least four digits (Q-23104, #W237, R 72644), or five digits and more.
_ID = re.compile(r"(?<![\w#-])(?:#[A-Za-z]{0,2}\d{3,15}|[A-Za-z]{1,3}[-–]?\d{4,15}|[A-Za-z] \d{4,15}|\d{6,20})(?![\w])")
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_PHONE = re.compile(r"(?<![\w-])\+?\d[\d ()-]{7,18}\d(?![\w-])")
_SPELLED_MAIL = frozenset({"arroba"})
_DATA = ("order", "email", "phone", "name", "company", "tax", "zip", "photo", "story")


@dataclass(frozen=True, slots=True)
class Ask:
    """A datum that is asked for in one sentence."""

    datum: str
    sentence: int
    first: int
    last: int


def identifiers(words: Words) -> set[str]:
    """Order numbers and the like in a text, without blanks and dashes, in capitals."""
    if not any(t[0].isdigit() for t in words.tokens):
        return set()
    text = _MAIL.sub(" ", words.text) if "@" in words.text else words.text
    return {re.sub(r"[\s#–-]", "", m.group()).upper() for m in _ID.finditer(text)}


def asked_data(said: Said) -> list[Ask]:
    """What a message asks the customer for. Reading something back, and what is not needed, are no asks."""
    words = said.words
    found: list[Ask] = []
    asks = words.of("asks")
    for datum in _DATA:
        for hit in words.of(f"datum_{datum}"):
            ask = _ask_for(words, hit, asks, datum)
            if ask is not None:
                found.append(ask)
                break
    return found


def _ask_for(words: Words, hit: Hit, asks: list[Hit], datum: str) -> Ask | None:
    sentence = words.sentences[hit.sentence]
    if words.within(hit.sentence, "not_needed"):
        return None
    if datum == "story":
        return Ask(datum, hit.sentence, hit.first, hit.last) if sentence.asks else None
    near = [a for a in asks if a.sentence == hit.sentence and a.first <= hit.first <= a.last + _REACH]
    which = words.tokens[hit.first] in ("which", "what", "qual", "cual", "que") and sentence.asks
    if not near and not which:
        return None
    if (datum == "order" and identifiers(words)) or (datum == "email" and _MAIL.search(words.text)):
        return None  # read back for a yes
    return Ask(datum, hit.sentence, near[-1].first if near else hit.first, hit.last)


def known(view: View, ask: Ask, before: int) -> int | None:
    """The message in which what is asked for stood before message `before`; None when it was not known, or when what
    was given had led nowhere since.
    """
    given = _GIVEN.get(ask.datum)
    if given is None:
        return None
    number = given(view, before)
    if number is None:
        return None
    if any(u.purpose == "change" and not u.failed and number < u.number < before for u in view.uses):
        return None  # that matter was done; what is asked now belongs to another
    if ask.datum == "photo":
        spoilt: list[Use] = []
    else:
        spoilt = [u for u in view.uses if number < (u.result_number or u.number) < before and (u.failed or u.empty)]
    unreadable = [s for s in view.ai + view.human if number < s.number < before and s.words.has("unreadable")]
    return None if spoilt or unreadable else number


def _order(view: View, before: int) -> int | None:
    for said in view.customer_before(before):
        if any(not i.isdigit() for i in identifiers(said.words)) or _numbered_order(said.words):
            return said.number
    found = {str(leaf.value): u.result_number for u in view.shown_before(before) for leaf in u.leaves if _is_order(leaf)}
    return next(iter(found.values())) if len(found) == 1 else None


def _numbered_order(words: Words) -> bool:
    """"order 4471", "o número do pedido é 4471": digits soon after the word."""
    return any(
        t in ("order", "pedido", "orden") and any(n.isdigit() and len(n) >= 3 for n in words.tokens[i + 1 : i + 5])
        for i, t in enumerate(words.tokens)
    )


def _is_order(leaf: Leaf) -> bool:
    return leaf.key in ("order_id", "order_number", "order_no", "pedido_id") and isinstance(leaf.value, (str, int))


def _email(view: View, before: int) -> int | None:
    for said in view.customer_before(before):
        if _MAIL.search(said.words.text) or _SPELLED_MAIL & set(said.words.tokens):
            return said.number
    return _leaf(view, before, lambda leaf: isinstance(leaf.value, str) and "*" not in leaf.value and bool(_MAIL.fullmatch(leaf.value)))


def _phone(view: View, before: int) -> int | None:
    for said in view.customer_before(before):
        if _PHONE.search(said.words.text) and not _MAIL.search(said.words.text):
            return said.number
    return _leaf(view, before, lambda leaf: "phone" in leaf.key and isinstance(leaf.value, str) and "*" not in leaf.value)


def _leaf(view: View, before: int, wanted: object) -> int | None:
    for use in view.uses:
        if use.number < before and any(wanted(leaf) for leaf in use.arguments):  # type: ignore[operator]
            return use.number
        if use.result_number and use.result_number < before and any(wanted(leaf) for leaf in use.leaves):  # type: ignore[operator]
            return use.result_number
    return None


_INTRODUCES = re.compile(
    r"\b(?:my name is|my name's|name is|me llamo|mi nombre es|meu nome e|me chamo|razon social|razao social)[: ]+\w{2,}"
)


def _name(view: View, before: int) -> int | None:
    for said in view.customer_before(before):
        if _INTRODUCES.search(plain(said.words.text)):
            return said.number
    return None


_TAX = re.compile(r"\b(?:cnpj|cpf|rfc|cuit|cif|nif|vat(?: no| number)?)\W{0,3}[a-z]{0,3}\d[\w./-]{6,20}")
_ZIP = re.compile(r"\b(?:zip|zip code|postcode|post code|cep|codigo postal|cp)\W{1,4}(?:\w{1,4} ){0,2}[a-z]{0,2}\d[\w-]{3,9}")


def _tax(view: View, before: int) -> int | None:
    return _matched(view, before, _TAX)


def _zip(view: View, before: int) -> int | None:
    return _matched(view, before, _ZIP)


def _matched(view: View, before: int, pattern: re.Pattern[str]) -> int | None:
    return next((s.number for s in view.customer_before(before) if pattern.search(plain(s.words.text))), None)


def _photo(view: View, before: int) -> int | None:
    photos = view.photos_before(before)
    return photos[-1] if photos else None


_GIVEN = {
    "order": _order, "email": _email, "phone": _phone, "name": _name, "company": _name, "tax": _tax, "zip": _zip,
    "photo": _photo,
}  # fmt: skip


def asked_for_known_data(view: View) -> Ruling:
    """The assistant asked for a datum that the customer or a tool result had given before."""
    any_ask = False
    for said in view.ai:
        for ask in asked_data(said):
            if ask.datum == "story":
                continue
            any_ask = True
            words = said.words
            if words.within(ask.sentence, "another"):
                continue
            source = known(view, ask, said.number)
            if source is None:
                continue
            return Ruling(
                "present",
                f"The AI asked in message {said.number} for a datum ({ask.datum}) that stood in message {source}, and no "
                "lookup had failed in between.",
                (Quote(said.number, words.quote(ask.sentence, ask.first, ask.last)),),
            )
    if not any_ask:
        return Ruling("absent", "No request for an order number, e-mail, phone, name, tax number, postcode or photo was found.")
    return Ruling("absent", "What the AI asked for stood nowhere before, or what was given had led nowhere.")
