"""Names: those that people give as their own, by which they are addressed, and which fields of a tool's data tell.

Pure. A name is whatever stands in such a place and is no common word.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator

_NAME = r"[^\W\d_a-zà-ÿ][^\W\d_'’.]*(?:['’-][^\W\d_]+)?"
_NAMES = rf"{_NAME}(?:[ ](?:(?:d[aeo]s?|e|de la|von|van|del?)[ ])?{_NAME}){{0,4}}"
_ANY = r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)?"

_STRONG = re.compile(
    r"(?i:\b(?:me chamo|meu nome (?:completo )?(?:é|e|eh)|my name(?: is|['’]s)|me llamo|mi nombre es|full name:|"
    r"titular:?|"
    r"(?:nome|name|nombre)(?: completo)?:|cardholder:?|em nome d[eao]|in the name of|a nombre de|"
    r"quem fala [ée](?: [oa])?))"
    rf"[ ]+({_ANY}(?:[ ](?:d[aeo]s?[ ])?{_ANY}){{0,4}})"
)
_WEAK = re.compile(
    r"(?i:\b(?:aqui [ée] (?:[oa] )?|aqui quem fala [ée] (?:[oa] )?|sou (?:[oa] )|i['’]?m |i am |this is |soy |"
    r"att\.?,?\s+|"
    rf"speaking with |falo com (?:[oa] )?|atenciosamente,?\s+|regards,?\s+|abra[çc]os?,?\s+))({_NAMES})"
)
_HERE = re.compile(
    r"(?i:\baqui [ée] [oa] )([^\W\d_]{3,})|(?<!\w)([^\W\d_a-zà-ÿ][^\W\d_]{2,}(?: [^\W\d_a-zà-ÿ][^\W\d_]+){0,3})"
    r"(?= (?:here|aqui)\b)|^([^\W\d_a-zà-ÿ][^\W\d_]{2,})(?=[,!]? (?:buen[ao]s |bom dia|boa (?:tarde|noite)|"
    r"good (?:morn|aft|eve)))",
    re.M,
)
_HAIL = re.compile(
    r"(?:(?i:\b(?:ol[áa]|oi|hi|hello|hey|dear|hola|prezad[oa]|car[oa]|bom dia|boa tarde|boa noite|gracias|sorry|"
    r"desculpe|"
    r"good (?:morning|afternoon|evening)|thanks|thank you|obrigad[oa]|perfeito|certo|claro|perfect|sure|"
    r"understood|entendi)"
    r"[,!]?[ ]|\b(?:sra?\.|srta\.|dona|seu|mr\.?|mrs\.?|ms\.?|dra?\.|senhora?|señora?)[ ]))"
    rf"((?!(?:Sra?|Srta|Dra?|Mrs?|Ms)\b){_NAMES})(?=\s*[,.!?:;😊🙂👋]|\s*$)",
    re.M,
)


def _listed(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


NOBODY = _listed(
    "a ai aí about again agora all already also am amiga amigo an and aqui as assistant at atendente atendimento ",
    "back bem",
    "boa bom but central cliente com como comprador compradora cpf customer da de del desde do dona e ela ele em ",
    "email",
    "empresa endereço equipe é estou eu everyone fine fone for from gente glad going good happy has have here ",
    "hoje i in is",
    "isso it ja já just la live loja mae mas mãe me mesma mesmo meu meus minha minhas moro mother muito my name ",
    "nao não no",
    "nome not number número o obrigada obrigado oi olá on only ontem order os para pedido pela pelo pessoa ",
    "please por pra",
    "que quero really robot somos soy senhor senhora señor señora seu so sobre sorry sou still sua sure team ",
    "telefone ",
    "tenho thanks",
    "that the there this time to today tudo um uma unable virtual vocês você waiting we what when with you your",
)
PARTICLES = _listed("da de do das dos e del la von van the and dr dra sr sra mr mrs ms")
_WORDS = _listed(  # names too; in small letters they are words
    "april art august autumn barros bela bill black branco brown campos clara costa cruz dawn day dias dourado ",
    "faith flor",
    "grace green hope joy june king leite lima linda long luz mar mark may mel melo nova page pat paz pedra ",
    "pereira pinto",
    "pires porto prata price ramos reis rico rosa rose santos serra sky sol summer vale vitoria vitória white ",
    "will young",
)

_PERSONS = re.compile(
    r"customer|client\w*|contact|contato|user|usu[aá]rio|recipient|destinat[aá]rio|buyer|comprador|holder|"
    r"titular|person|"
    r"pessoa|billing|shipping|delivery_to|address|agent|author|sender|assignee|consumer|passenger|patient|member",
    re.I,
)
_FIELDS = tuple(
    (kind, re.compile(names, re.I))
    for kind, names in (
        (
            "name",
            (
                r"(?:full|first|last|given|family|sur|customer|client|user|contact|recipient|cardholder|holder|agent|"
                r"author|sender|"
                r"buyer)_?name|nome(?:_completo|_cliente)?|sobrenome|recipient|destinat[aá]rio|titular|cardholder|"
                r"signed_by|"
                r"received_by|recebedor|recebido_por|addressee|apellidos?|nombre"
            ),
        ),
        (
            "address",
            (
                r"street\w*|address(?:_?line)?_?\d?|line_?[12]|endere[cç]o\w*|logradouro|rua|complemento|bairro|"
                r"neighbou?rhood|"
                r"direcci[oó]n|delivery_address|shipping_address"
            ),
        ),
        ("postcode", r"zip(?:_?code)?|post_?code|postal_?code|cep"),
        ("phone", r"(?:\w+_)?(?:phone(?:_?number)?|mobile|telefone|celular|whatsapp(?:_id)?|wa_id|tel|msisdn)"),
        ("document", r"(?:\w+_)?(?:cpf|cnpj|rg|document(?:_number)?|documento|tax_id|ssn|passport\w*|dni)"),
        ("birth date", r"birth_?(?:date|day)|date_of_birth|dob|data_(?:de_)?nascimento|nascimento"),
        ("IP", r"ip(?:_?address)?"),
    )
)


def introduced(text: str) -> Iterator[str]:
    """Names that the writer of this text gives as their own."""
    for match in _STRONG.finditer(text):
        words: list[str] = []
        for word in match[1].split():
            if word.lower() in NOBODY and not (words and word.lower() in PARTICLES):
                break
            words.append(word)
        while words and words[-1].lower() in PARTICLES:
            words.pop()
        if words:
            yield " ".join(words)
    for match in _WEAK.finditer(text):
        if match[1].split()[0].lower() not in NOBODY:
            yield match[1]
    for match in _HERE.finditer(text):
        name = match[1] or match[2]
        if name and name.split()[0].lower() not in NOBODY:
            yield name


def hailed(text: str) -> Iterator[str]:
    """Names by which the writer of this text addresses somebody."""
    for match in _HAIL.finditer(text):
        if match[1].split()[0].lower() not in NOBODY:
            yield match[1]
    for match in _HERE.finditer(text):
        if match[3] and match[3].lower() not in NOBODY:
            yield match[3]


def told(value: object, parent: str = "", key: str = "") -> Iterator[tuple[str, str]]:
    """(kind, value) of what the fields of a tool's data tell of a person."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from told(inner, key or parent, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from told(inner, parent, key)
    elif isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
        text = str(value).strip()
        if key == "name" and _PERSONS.search(parent):
            yield "name", text
        for kind, names in _FIELDS:
            if names.fullmatch(key) and len(text) >= (6 if kind in {"phone", "document"} else 3):
                yield kind, text
                break


def told_in(text: str) -> Iterator[tuple[str, str]]:
    """The same of a text that is JSON; nothing of one that is not."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            yield from told(json.loads(text))
        except (ValueError, RecursionError):
            return


def plain(text: str) -> str:
    """The text without case and accents."""
    return bare(text.casefold())


def bare(text: str) -> str:
    """The text without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def pattern_of(name: str) -> re.Pattern[str]:
    """Finds the whole name in any case, and its parts: in small letters only where they are no words besides."""
    words = [w for w in re.split(r"\s+", name) if len(w) >= 3 and w.lower() not in PARTICLES | NOBODY]
    ways = [rf"(?i:{re.escape(form)})" for form in sorted({name, bare(name)}, key=lambda f: (-len(f), f))]
    for word in words:
        for form in sorted({word, bare(word)}):
            is_word = form.lower() in _WORDS
            ways += [re.escape(form.title()), re.escape(form.upper())] if is_word else [rf"(?i:{re.escape(form)})"]
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)")
