"""People of whom somebody else speaks, tax numbers that are spoken of, and longer forms of a name that is known.

Pure. Only where the words around leave no doubt that a person is meant: who took or signed for a parcel, to whom an
invoice is made out, whose wife, doctor, colleague or supervisor it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from grader.redaction.names import NOBODY, PARTICLES, plain

_WORD = r"[^\W\d_a-zà-ÿ][^\W\d_'’.]+(?:['’-][^\W\d_a-zà-ÿ][^\W\d_]*)?"
_NAMES = rf"{_WORD}(?:[ ](?:(?:d[aeo]s?|e|de la|von|van|del)[ ])?{_WORD}){{0,3}}"
_KIN = (
    r"(?:wife|husband|son|daughter|mum|mom|mother|father|dad|sister|brother|niece|nephew|aunt|uncle|partner|friend|"
    r"neighbou?r|hij[oa]|espos[oa]|marido|mujer|mulher|herman[oa]|niet[oa]|sobrin[oa]|madre|padre|mam[áa]|pap[áa]|"
    r"filh[oa]|net[oa]|irm[ãa]o?|m[ãa]e|pai|genro|amig[oa]|vizinh[oa]|vecin[oa])"
)
_COLLEAGUE = (
    r"(?:(?:my|our|the|minha|meu|mi|nuestra|nuestro|a|o|el|la)[ ])?(?:colleague|supervisora?|manager|gerente|"
    r"compañer[oa]|colega|jef[ea]|team lead|coordinador|coordenadora?)"
)
_RULES = (
    re.compile(
        r"(?i:(?<!\w)(?:made out to|on behalf of|addressed to|(?:received|signed(?: for)?) by|no nome d[eao]|"
        r"en nombre de|recibi[óo](?: por)?|recibid[oa] por|recebid[oa] por|assinad[oa] por|firmad[oa] por|firm[óo]|"
        r"(?:un|una) tal|um tal(?: de)?|(?:o|a) tal d[eao]|doctora?|doutora?|dr\.|dra\.|oficina d[eo]|"
        r"(?:through|transferred|connected|connecting you|transferring you|passing you|speaking|talking) (?:to|with)|"
        rf"(?:te|le|os) (?:comunico|paso|transfiero) con|handed (?:it )?to|ask for|(?:passar|transferir) para [oa]|"
        rf"{_KIN}['’]s name is|cheers,?|(?:kind |best )?regards,?|saludos,?|{_KIN}))"
        rf":?\s(?i:un tal |una tal )?({_NAMES})(?!\w)"
    ),
    re.compile(
        rf"(?i:(?<!\w)(?:minha|meu|mi|my|sua?|seu|her|his|la) {_KIN},? (?:[oa] |called |named |que se llama )?)"
        rf"({_NAMES})"
    ),
    re.compile(rf"(?<!\w)({_NAMES}) (?i:es|is|é|era) (?i:(?:mi|my|minha|meu|la|o|a) {_KIN})(?!\w)"),
)
_WORKS = (
    re.compile(rf"(?i:(?<!\w){_COLLEAGUE})(?i:,? (?:a |o |called |named ))?[ ,]{{0,2}}\(?({_NAMES})(?!\w)"),
    re.compile(
        r"(?i:(?<!\w)(?:told|avisei(?: [oa])?|avis[eé] a|falei com(?: [oa])?|habl[eé] con|spoke (?:to|with)))"
        rf"[ ]({_NAMES})"
    ),
)  # fmt: skip
_FIRM = re.compile(r"(?i)\b(?:ltda?|inc|llc|gmbh|spa|plc|s\.?a|s\.?l|comercial|sociedade|shop|loja|tienda|store)\b")
_TAX = re.compile(r"(?i)(?<!\w)(?:VAT|NIF|CIF|tax[ _](?:id|no|number))(?!\w)")
_EUROPEAN = re.compile(
    r"(?<!\w)(?:ATU|(?:BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|XI|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK))"
    r"[A-Z]?\d{7,12}[A-Z]?(?:B\d{2})?(?!\w)"
)


def spoken_of(text: str) -> Iterator[str]:
    """Names of people of whom the writer speaks."""
    for rule in _RULES:
        yield from _people(rule, text)


def colleagues(text: str) -> Iterator[str]:
    """Names of people who work there too, of whom a colleague speaks."""
    for rule in _WORKS:
        yield from _people(rule, text)


def _people(rule: re.Pattern[str], text: str) -> Iterator[str]:
    for match in rule.finditer(text):
        words = re.sub(r"['’]s$", "", match[1]).split()
        end = next((n for n, word in enumerate(words) if word.lower() in NOBODY - PARTICLES), len(words))
        name = " ".join(words[:end])
        if name and not _FIRM.search(match[1]) and not re.match(r" ?\d", text[match.end(1) :]):
            yield name


def longer(texts: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    """What a text begins with where it is a longer or shorter form of a known name: `Mitchell, wants …` of Mitch."""
    known = [plain(name) for name in names if len(name) > 3]
    for text in texts:
        if (match := re.match(rf"\W*({_WORD})(?=[,.: ])", text)) and match[1].lower() not in NOBODY:
            mine = plain(match[1])
            if any(
                mine != other and len(mine) > 3 and (mine.startswith(other) or other.startswith(mine))
                for other in known
            ):
                yield match[1]


def tax_numbers(texts: Iterable[str]) -> Iterator[str]:
    """European tax numbers, where one speaks of such in the conversation."""
    texts = list(texts)
    if any(_TAX.search(text) for text in texts):
        for text in texts:
            yield from (match[0] for match in _EUROPEAN.finditer(text))
