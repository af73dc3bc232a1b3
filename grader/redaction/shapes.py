"""What has the shape of personal data: addresses, numbers with check digits, phones, streets, links that ask.

Pure. The surest kinds come first; a digit that belongs to an order, a parcel, a price or a date is none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAME = r"[^\W\d_a-zà-ÿ][^\W\d_'’.]*(?:['’-][^\W\d_]+)?"
_STREET = (
    r"(?:rua|r\.|av\.|avenida|travessa|tv\.|alameda|al\.|pra[çc]a|rodovia|estrada|largo|viela|calle|c/|avda\.?|"
    r"carrera|"
    r"paseo)"
)
_AFTER = (
    r"(?:[ ,]+(?:ap(?:to|artamento|t)?\.?|bl(?:oco)?\.?|casa|sala|conj(?:unto)?\.?|fundos|quadra|lote|piso|depto\.?|"
    r"flat|unit|suite|apt\.?)[ ]*(?:n?º?[ ]*)?[\w-]{1,6})*"
)
_ROAD = (
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|boulevard|blvd|way|place|pl|terrace|square|close|"
    r"crescent)"
)
_RULES = (
    ("email", re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+")),
    ("link", re.compile(r"(?:(?:https?|ftp)://|www\.)[^\s\"'<>“”]+", re.I)),
    ("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?\b")),
    ("CNPJ", re.compile(r"(?<![\w.])\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}(?!\w)|(?<![\w.])\d{14}(?!\w)")),
    ("CPF", re.compile(r"(?<![\w.])\d{3}\.?\d{3}\.?\d{3}-\d{2}(?!\w)|(?<![\w.#-])\d{11}(?!\w)"
        r"|(?i:(?<=cpf )|(?<=cpf: ))\d{3}[ .]\d{3}[ .]\d{3}[ -]?\d{2}(?!\w)")),
    ("document", re.compile(r"(?<=\bRG )[\d.xX-]{7,13}|(?<=\bRG: )[\d.xX-]{7,13}|"
        r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"
        r"|(?i:(?<=vat )|(?<=vat: )|(?<=vat no )|(?<=vat no\. )|(?<=vat id )|(?<=vat number )|(?<=nif )|(?<=nif: ))"
        r"[A-Z]{0,2}[A-Z\d]\d{6,11}[A-Z]?\b")),
    ("card", re.compile(r"(?<![\w.#-])\d(?:[ -]?\d){12,18}(?!\w)")),
    ("IP", re.compile(
        r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]\d|\w)"
        r"|(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])|"
        r"(?<![\w:])(?:[0-9a-f]{1,4}:){2,6}:[0-9a-f]{1,4}(?![\w:])",
        re.I,
    )),
    ("phone", re.compile(r"(?<![\w#,/-])(?<!\d\.)(?:\+|00)?"
        r"\(?\d(?:[ ().\-/\u00a0\u2011\u2013]{0,3}\d){6,16}(?![\w]|[,/]\d)")),
    ("address", re.compile(
        rf"(?<!\w)(?i:{_STREET})[ ]+(?:[^\W\d_]{{1,20}}\.?[ ]){{0,5}}[^\W_]{{1,20}}[ ,]+(?i:n[º°o.]{{0,2}}[ ]?|"
        rf"número )?\d{{1,5}}(?!\d)(?i:{_AFTER})"
        rf"|(?<![\w/.-])\d{{1,5}}[A-Za-z]?[ ](?:{_NAME}[ ]){{1,3}}(?i:{_ROAD})\b\.?(?i:{_AFTER})"
    )),
    ("postcode", re.compile(
        r"(?<![\w.-])\d{5}-\d{3}(?![\w-])|(?i:(?<=cep )|(?<=cep: )|(?<=cep:))\d{2}\.?\d{3}-?\d{3}"
        r"|\b(?:GIR 0AA|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})\b"
        r"|(?<=\b[A-Z]{2} )\d{5}(?:-\d{4})?(?![\w-])|(?i:(?<=zip )|(?<=zip: )|(?<=postcode )|"
        r"(?<=zip code ))\d{4,5}(?!\d)"
    )),
    ("birth date", re.compile(
        r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})(?!\d)|\d{4}-\d{2}-\d{2}|\d{1,2} de [a-zç]{3,9}(?: de \d{4})?"
        r"|\d{1,2}(?:st|nd|rd|th)? [A-Z][a-z]{2,8},? \d{4}|[A-Z][a-z]{2,8} \d{1,2},? \d{4}"
    )),
    ("handle", re.compile(r"(?<![\w@./])@[A-Za-z_][\w.]{2,}")),
)  # fmt: skip
# What is no phone, card or document though it has as many digits: times and dates, and numbers of orders and parcels.
_KEPT = re.compile(
    r"(?<!\d)\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?![\d-])"
    r"|(?<![\d./-])\d{1,2}([./-])\d{1,2}\1\d{2,4}(?![\d./-])|(?<![\w.-])\d{1,4}(?:x\d{1,4}){1,2}(?![\w-])"
    r"|(?<![\w.])\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{2})?(?![\w/-]|[.,]\d)|(?<!\w)[A-Z]{2}\d{9}[A-Z]{2}(?!\w)"
)
_ORDER = re.compile(
    r"(?:pedido|order|compra|protocolo|ticket|chamado|rastrei\w*|rastreamento|tracking|nota(?: fiscal)?|nf-?e?|"
    r"sku|c[óo]digo|code|"
    r"invoice|fatura|ref(?:er[eê]nc\w+)?|remessa|shipment|parcel|return|devolu[çc][ãa]o|boleto|\bids?|_id|"
    r"n[úu]mero do pedido)"
    r"[\"']?\s*(?:n[ºo°.]?|number|no\.?|de rastreio|é|is|número|:|#|=|-)*\s*[\"']?\s*[#(]?$",
    re.I,
)
_CALLED = re.compile(
    r"(?:tel(?:[eé]fon[eo])?|fone|cel(?:ular)?|whats\w*|zap|wpp|phone|mobile|cell|m[óo]vil|contato|n[úu]mero|number|"
    r"call|ligu?e?\w*|reach|text)"
    r"(?:\s+(?:me|no|para|pra|é|e|is|on|at|us|back|number|n[úu]mero|meu|my))*[\"']?\s*[:=]?\s*[\"']?\(?$",
    re.I,
)
_BORN = re.compile(r"(?:nasc\w*|anivers[áa]rio|born|birth\w*|dob|d\.o\.b\.?|nac[ií]\w*)[^\n]{0,25}$", re.I)
_BARE_US = re.compile(r"\(?[2-9]\d{2}\)?[ .\-]{1,2}\d{3}[ .\-]\d{4}")


def shaped(text: str) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, kind, key) of what has the shape of personal data, the surest kinds first."""
    has_digits = any(c.isdigit() for c in text)
    kept = bytearray(len(text))
    for match in _KEPT.finditer(text) if has_digits else ():
        kept[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    for kind, rule in _RULES:
        if not has_digits and kind not in {"email", "link", "handle"}:
            continue
        for match in rule.finditer(text):
            start, end = match.span()
            found = match[0]
            if kind in {"phone", "card", "CPF", "CNPJ"} and kept.find(1, start, end) >= 0:
                continue
            if kind == "link":
                yield from _of_link(start, found)
            elif (key := _key(kind, found, text[max(0, start - 40) : start])) is not None:
                yield start, end, kind, key


def _of_link(start: int, link: str) -> Iterator[tuple[int, int, str, str]]:
    """Who is asked for in a link stands after `?` or `#`, or before `@`."""
    asked = re.search(r"[?#].", link)
    if asked:
        yield start + asked.start() + 1, start + len(link.rstrip(".,;:!)")), "link", link
    if user := re.match(r"(?:\w+://)([^/?#\s]+)@", link):
        yield start + user.start(1), start + user.end(1), "link", user[1]


def _key(kind: str, found: str, before: str) -> str | None:
    """Under which the same value is known, None where it is none of this kind."""
    digits = "".join(c for c in found if c.isdigit())
    ordered = bool(_ORDER.search(before))
    if kind == "CPF":
        known = _cpf(digits) and not ordered if found.isdigit() else True
        return digits if known or re.search(r"(?i)cpf\W{0,3}$", before) else None
    if kind == "CNPJ":
        return digits if not found.isdigit() or (_cnpj(digits) and not ordered) else None
    if kind == "card":
        return digits if _luhn(digits) and not ordered else None
    if kind == "IBAN":
        return found.replace(" ", "") if _iban(found.replace(" ", "")) else None
    if kind == "phone":
        return digits[-8:] if _is_phone(found, digits, before) and not ordered else None
    if kind == "birth date":
        return found if _BORN.search(before) else None
    if kind == "IP":
        return None if re.search(r"(?i)vers(?:ion|ão|ao)?\.?\s*$|\bv$", before) else found.lower()
    return found.lower()


def _is_phone(found: str, digits: str, before: str) -> bool:
    n, grouped = len(digits), not found.isdigit()
    if found.startswith(("+", "00")):
        return 8 <= n <= 17
    if _CALLED.search(before) and 7 <= n <= 15:
        return True
    local = digits.removeprefix("55") if n in (12, 13) and digits.startswith("55") else digits
    if len(local) in (10, 11) and re.fullmatch(r"[1-9][1-9](?:9\d{8}|[2-5]\d{7})", local):
        return grouped or len(local) == 11 or n > 11
    if not grouped:
        return False
    if re.fullmatch(r"9?\d{4}[-‑–]\d{4}", found) or _BARE_US.fullmatch(found):
        return True
    return found.startswith(("(", "0")) and 9 <= n <= 12 and "." not in found[:3]


def _cpf(digits: str) -> bool:
    numbers = [int(c) for c in digits]
    if len(numbers) != 11 or len(set(numbers)) == 1:
        return False
    return all(
        numbers[at] == sum(n * w for n, w in zip(numbers, range(at + 1, 1, -1), strict=False)) * 10 % 11 % 10
        for at in (9, 10)
    )


def _cnpj(digits: str) -> bool:
    numbers = [int(c) for c in digits]
    if len(numbers) != 14 or len(set(numbers)) == 1:
        return False
    weights = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
    return all(
        numbers[at] == (-sum(n * w for n, w in zip(numbers, weights[13 - at :], strict=False)) % 11) % 10
        for at in (12, 13)
    )


def _luhn(digits: str) -> bool:
    if len(set(digits)) == 1:
        return False
    doubled = (int(c) * (1 + n % 2) for n, c in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _iban(text: str) -> bool:
    if not 15 <= len(text) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1
