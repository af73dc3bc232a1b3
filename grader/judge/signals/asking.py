"""Detector of questions for what was known, and what it needs: which datum is asked for, and where it stood before."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.judge.signals.tools import Leaf
from grader.judge.signals.view import Ruling, Said, View, present
from grader.judge.signals.words import Hit, Words, plain, word_set

# A letter or two and at least four digits (Q-23104, #W237, R 72644), or six digits and more.
_ID = re.compile(r"(?<![\w#-])(?:#[A-Za-z]{0,2}\d{3,15}|[A-Za-z]{1,3}[-–]?\d{4,15}|[A-Za-z] \d{4,15}|\d{6,20})(?!\w)")
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_PHONE = re.compile(r"(?<![\w-])\+?\d[\d ()-]{7,18}\d(?![\w-])")
_SPOKEN_AT = "arroba"
_NAME = re.compile(
    r"\b(?:my name is|my name's|me llamo|mi nombre es|meu nome e|me chamo|razon social|razao social)[: ]+\w{2}"
)
_TAX = re.compile(r"\b(?:cnpj|cpf|rfc|cuit|cif|nif|vat(?: no| number)?)\W{0,3}[a-z]{0,3}\d[\w./-]{6,20}")
_ZIP = re.compile(
    r"\b(?:zip|zip code|postcode|post code|cep|codigo postal|cp)\W{1,4}(?:\w{1,4} ){0,2}[a-z]{0,2}\d[\w-]{3,9}"
)
_ORDER_WORDS = word_set("order pedido orden")
_ORDER_KEYS = ("order_id", "order_number", "order_no", "pedido_id")
_WHICH = word_set("which what qual cual que")
_REACH = 9  # words between "could you send me" and what is asked for
_NEAR = 4  # words between "order" and its number

STORY = ("item", "story")  # what only a person who takes over is not supposed to ask
_DATA = ("order", "email", "phone", "name", "company", "tax", "zip", "photo", *STORY)


@dataclass(frozen=True, slots=True)
class Ask:
    """A datum that is asked for in one sentence."""

    datum: str
    sentence: int
    first: int
    last: int


def identifiers(words: Words) -> set[str]:
    """Order numbers and the like in a text, without blanks and dashes, in capitals. Addresses hold none."""
    if not any(word[0].isdigit() for word in words.tokens):
        return set()
    text = _MAIL.sub(" ", words.text) if "@" in words.text else words.text
    return {re.sub(r"[\s#–-]", "", match.group()).upper() for match in _ID.finditer(text)}


def asked_data(said: Said) -> list[Ask]:
    """What a message asks for, each datum once. Reading something back, and what is not needed, are no asks."""
    words = said.words
    asks = words.of("asks")
    found = []
    for datum in _DATA:
        ask = next((a for hit in words.of(f"datum_{datum}") if (a := _ask(words, hit, asks, datum))), None)
        if ask is not None:
            found.append(ask)
    return found


def _ask(words: Words, hit: Hit, asks: list[Hit], datum: str) -> Ask | None:
    asked = words.sentences[hit.sentence].asks
    if words.within(hit.sentence, "not_needed"):
        return None
    if datum in STORY:
        return Ask(datum, hit.sentence, hit.first, hit.last) if asked else None
    near = [a for a in asks if a.sentence == hit.sentence and a.first <= hit.first <= a.last + _REACH]
    if not near and not (asked and words.tokens[hit.first] in _WHICH):
        return None
    if (datum == "order" and identifiers(words)) or (datum == "email" and _MAIL.search(words.text)):
        return None  # read back for a yes
    return Ask(datum, hit.sentence, near[-1].first if near else hit.first, hit.last)


def known(view: View, datum: str, before: int) -> int | None:
    """The message in which a datum stood before message `before`.

    None when it was not known, when what was given had led nowhere since or could not be read, and when the matter that
    it belonged to was done in between.
    """
    number = _GIVEN[datum](view, before) if datum in _GIVEN else None
    if number is None:
        return None
    for use in view.uses:
        if use.purpose == "change" and not use.failed and number < use.number < before:
            return None
        if datum != "photo" and number < (use.result_number or use.number) < before and (use.failed or use.empty):
            return None
    if any(number < s.number < before and s.words.has("unreadable") for s in view.ai + view.human):
        return None
    return number


def _order(view: View, before: int) -> int | None:
    for said in view.customer_before(before):
        if any(not i.isdigit() for i in identifiers(said.words)) or _numbered_order(said.words):
            return said.number
    shown = {str(leaf.value): u.result_number for u in view.shown_before(before) for leaf in u.at(*_ORDER_KEYS)}
    return next(iter(shown.values())) if len(shown) == 1 else None


def _numbered_order(words: Words) -> bool:
    """ "order 4471", "o número do pedido é 4471": digits soon after the word."""
    return any(
        word in _ORDER_WORDS and any(n.isdigit() and len(n) >= 3 for n in words.tokens[i + 1 : i + 1 + _NEAR])
        for i, word in enumerate(words.tokens)
    )


def _email(view: View, before: int) -> int | None:
    for said in view.customer_before(before):
        if _MAIL.search(said.words.text) or _SPOKEN_AT in said.words.tokens:
            return said.number
    return _in_tools(view, before, lambda leaf: isinstance(leaf.value, str) and bool(_MAIL.fullmatch(leaf.value)))


def _phone(view: View, before: int) -> int | None:
    for said in view.customer_before(before):
        if _PHONE.search(said.words.text) and not _MAIL.search(said.words.text):
            return said.number
    return _in_tools(
        view, before, lambda leaf: "phone" in leaf.key and isinstance(leaf.value, str) and leaf.value != ""
    )


def _in_tools(view: View, before: int, wanted: Callable[[Leaf], bool]) -> int | None:
    """A value that a tool was asked with or had answered, in clear: masked ones ("j***@…") are not known."""
    for use in view.uses:
        if use.number < before and any(wanted(leaf) and "*" not in str(leaf.value) for leaf in use.arguments):
            return use.number
        shown = use.texts if use.result_number and use.result_number < before else []
        if any(wanted(leaf) and "*" not in str(leaf.value) for leaf in shown):
            return use.result_number
    return None


def _said(pattern: re.Pattern[str]) -> Callable[[View, int], int | None]:
    def find(view: View, before: int) -> int | None:
        return next((s.number for s in view.customer_before(before) if pattern.search(plain(s.words.text))), None)

    return find


def _photo(view: View, before: int) -> int | None:
    photos = view.photos_before(before)
    return photos[-1] if photos else None


_GIVEN: Mapping[str, Callable[[View, int], int | None]] = {
    "order": _order, "email": _email, "phone": _phone, "name": _said(_NAME), "company": _said(_NAME),
    "tax": _said(_TAX), "zip": _said(_ZIP), "photo": _photo,
}  # fmt: skip


def asked_for_known_data(view: View) -> Ruling:
    """The assistant asked for a datum that the customer or a tool result had given before."""
    asked = False
    for said in view.ai:
        for ask in asked_data(said):
            if ask.datum in STORY:
                continue
            asked = True
            source = None if said.words.within(ask.sentence, "another") else known(view, ask.datum, said.number)
            if source is not None:
                return present(
                    f"The AI asked in message {said.number} for a datum ({ask.datum}) that stood in message "
                    f"{source}, and "
                    "no lookup had failed in between.",
                    said, ask,
                )  # fmt: skip
    if not asked:
        return Ruling("absent", "No request for an order number, e-mail, phone, name, tax number or photo was found.")
    return Ruling("absent", "What the AI asked for stood nowhere before, or what was given had led nowhere.")
