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
    r"att\.?,?\s+|(?:le |te |les )?habla |(?:le|te|lhe|les) at[ie]+nde |atendid[oa] por |hablas? con |, [ée] [oa] |"
    r"(?:est[áa] )?falando com (?:[oa] )?|you['’]?re speaking (?:with|to) |"
    rf"speaking with |falo com (?:[oa] )?|atenciosamente,?\s+|regards,?\s+|abra[çc]os?,?\s+))({_NAMES})"
)
_HERE = re.compile(
    r"(?i:\baqui [ée] [oa] )([^\W\d_]{3,})|(?<!\w)([^\W\d_a-zà-ÿ][^\W\d_]{2,}(?: [^\W\d_a-zà-ÿ][^\W\d_]+){0,3})"
    r"(?= (?:here|aqui|por ac[áa]|por aqu[íi]|falando|speaking)\b)"
    r"|^([^\W\d_a-zà-ÿ][^\W\d_]{2,})(?=[,!]? (?:buen[ao]s |bom dia|boa (?:tarde|noite)|good (?:morn|aft|eve)|"
    r"c[óo]mo (?:le|te) va|how are you|tudo bem))",
    re.M,
)
_HAIL = re.compile(
    r"(?:(?i:\b(?:ol[áa]|oi|hi|hello|hey|dear|hola|prezad[oa]|car[oa]|bom dia|boa tarde|boa noite|gracias|sorry|"
    r"desculpe|buen(?:os|as)? (?:d[ií]as?|tardes|noches)|buenas|qu[ée] tal|muchas gracias|muito obrigad[oa]|"
    r"(?:good )?(?:morning|afternoon|evening)|thanks|thank you|obrigad[oa]|perfeito|perfecto|certo|claro|perfect|sure|"
    r"understood|entendi|listo|oh|ah|welcome(?: back)?|bienvenid[oa]|bem[- ]vind[oa])"
    r",?[ ]|\b(?:sra?\.|srta\.|do[nñ]a?|seu|mr\.?|mrs\.?|ms\.?|dra?\.|senhora?|señora?)[ ]))"
    rf"((?!(?:Sra?|Srta|Dra?|Mrs?|Ms)\b){_NAMES})(?=\s*[,.!?:;😊🙂👋]|\s*$)",
    re.M,
)


_VOCATIVE = re.compile(
    r"(?i:\b(?:entendo|entiendo|comprendo|lamento|sinto muito|siento|understand|sorry|desculp\w+|disculp\w+)\b)"
    rf"[^.!?\n]{{0,60}}, ({_NAMES})(?=[.!])|[^\W\d_], ({_NAME})(?=!)"
)
_ITS = re.compile(
    rf"(?i:\b(?:hi|hello|hey|hiya|morning|afternoon|evening)\b[,!.]? it['’]?s )({_NAMES})"
    rf"|(?i:\bit['’]?s )({_NAMES})(?= (?:again|here|from)\b)"
    rf"|((?<!\w){_NAMES}|\b[^\W\d_]{{3,}} [^\W\d_]{{3,}})(?= is (?:the|my) name\b)"
)
_CASE = re.compile(  # a summary tells whose case it is
    r"(?i:\b(?:customer|cliente|clienta)):? "
    rf"({_NAMES})(?=[.,;(]|$)"
    rf"|\A\W*({_NAMES})(?=, (?:wants|asks|needs|says|quer|quiere|pede|pide|precisa|necesita)\b)"
)
_GREETING = (
    r"(?i:hi|hello|hey|hiya|dear|(?:good )?(?:morning|afternoon|evening)|ol[áa]|oi|bom dia|boa (?:tarde|noite)|hola|"
    r"buen(?:os|as)? (?:d[ií]as?|tardes|noches)|buenas|qu[ée] tal|prezad[oa])"
)
_TITLE = r"(?:(?i:seu|dona|do[nñ]a?|señora?|senhora?|sra?\.?|mrs?\.?|ms\.?) )?"
_FROM = r" (?:de|del|da|do|from|in|at|with)\b"
_SIGNED = re.compile(
    rf"\A\W*{_GREETING}[ ,!]+{_TITLE}{_NAMES}[,!.] ({_NAME})(?=[.,!]|{_FROM})"
    rf"|\A[^.!?\n]{{0,60}}, ({_NAME})(?={_FROM})"
    rf"|\n[^\w\n]{{0,4}}({_NAMES})[^\w\n]{{0,4}}\Z"
)
_THANKED = re.compile(
    rf"(?i:\b(?:obrigad[oa]|valeu|gracias|thanks|thank you|cheers|ta))[,!]? ({_NAME})(?=\s*[,.!?:;)]|\s*$|\s+[^\w\s])",
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
    "great igualmente saludos adiós tchau bye azul negro verde rojo preto vermelho amarillo amarelo gris cinza ",
    "sí si yes nada quién quien hola registrei nunca siempre ayer anoche mañana manhã entonces então buenas buen ",
    "buenos claro gracias listo perfecto perfeito qué que español inglés portugués english spanish ",
    "portuguese mucho muito much doctor doutor doutora support suporte soporte everybody amigos team equipo señores ",
    "monday tuesday wednesday thursday friday saturday sunday january february june july september october ",
    "november december segunda terça quarta quinta sexta sábado domingo lunes martes miércoles jueves viernes ",
    "pix whatsapp correios dock awful fico são sao store correos service lovely payments ",
    "pagos pagamentos returns orders logistics logística envíos envios devoluciones devoluções financeiro reception ",
    "recepción recepção portaria",
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
    r"customer|client\w*|(?:bill|ship|deliver|sold|invoice|send)_?to|payer|payee|owner|contact|contato|user|"
    r"usu[aá]rio|recipient|destinat[aá]rio|buyer|comprador|holder|titular|person|pessoa|billing|shipping|delivery_to|address|agent|author|sender|assignee|consumer|passenger|patient|member",
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
        (
            "document",
            (
                r"(?:\w+_)?(?:cpf|cnpj|rg|document(?:_number)?|documento|tax_?(?:id|no|number)|"
                r"vat(?:_?(?:id|no|number))?|n[ií][fe]|cif|ssn|passport\w*|dni)"
            ),
        ),
        ("birth date", r"birth_?(?:date|day)|date_of_birth|dob|data_(?:de_)?nascimento|nascimento"),
        ("IP", r"ip(?:_?address)?"),
    )
)


_ORDER = re.compile(r"(?:line_?)?items|lines|currency|e-?mail|tax_?\w+|vat\w*", re.I)
_SERVICE = re.compile(r"method|service|carrier|option|store|type|plan|tier", re.I)
_THING = re.compile(
    r"sku|qty|quantity|(?:unit_)?price|variants?|size|colou?r|(?:in_)?stock|product_?id|material|cost", re.I
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
    for match in (*_ITS.finditer(text), *_CASE.finditer(text)):
        name = next(filter(None, match.groups()))
        if name.split()[0].lower() not in NOBODY:
            yield name
    for match in _HERE.finditer(text):
        name = match[1] or match[2]
        if name and name.split()[0].lower() not in NOBODY:
            yield name


def hailed(text: str) -> Iterator[str]:
    """Names by which the writer of this text addresses somebody."""
    for match in _HAIL.finditer(text):
        if match[1].split()[0].lower() not in NOBODY:
            yield match[1]
    for match in _VOCATIVE.finditer(text):
        name = match[1] or match[2]
        if name.split()[0].lower() not in NOBODY:
            yield name
    for match in _HERE.finditer(text):
        if match[3] and match[3].lower() not in NOBODY:
            yield match[3]


def signed(text: str) -> Iterator[str]:
    """Names by which a colleague tells who is writing: after a greeting (`Hi Tom, Rafa.`), or on the last line."""
    for match in _SIGNED.finditer(text):
        name = next(filter(None, match.groups()))
        if name.split()[0].lower() not in NOBODY:
            yield name


def thanked(text: str) -> Iterator[str]:
    """Names of those whom the writer of this text thanks."""
    for match in _THANKED.finditer(text):
        if match[1].lower() not in NOBODY:
            yield match[1]


def told(value: object, parent: str = "", key: str = "", named: bool = False) -> Iterator[tuple[str, str]]:
    """(kind, value) of what the fields of a tool's data tell of a person."""
    if isinstance(value, dict):
        # An order is in somebody's name; a thing that is sold has a name of its own.
        ordered = any(map(_ORDER.fullmatch, map(str, value))) and not any(map(_THING.fullmatch, map(str, value)))
        for name, inner in value.items():
            yield from told(inner, key or parent, str(name), ordered)
    elif isinstance(value, list):
        for inner in value:
            yield from told(inner, parent, key)
    elif isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
        text = str(value).strip()
        if key == "name" and (named or (_PERSONS.search(parent) and not _SERVICE.search(parent))):
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


_ACCENTS = {"a": "aáàâãä", "e": "eéèêë", "i": "iíìîï", "o": "oóòôõö", "u": "uúùûü", "c": "cç", "n": "nñ"}


def _loose(text: str) -> str:
    """A pattern for the text with and without accents."""
    out = []
    for letter in text:
        ways = _ACCENTS.get(bare(letter).lower(), "")
        out.append(f"[{ways.upper() if letter.isupper() else ways}]" if ways else re.escape(letter))
    return "".join(out)


def pattern_of(name: str) -> re.Pattern[str]:
    """Finds the whole name in any case, and its parts: in small letters only where they are no words besides."""
    words = [w for w in re.split(r"\s+", name) if len(w) >= 3 and w.lower() not in PARTICLES | NOBODY]
    ways = [rf"(?i:{_loose(name)})"]
    for word in words:
        is_word = {word.lower(), bare(word.lower())} & _WORDS
        ways += [_loose(word.title()), _loose(word.upper())] if is_word else [rf"(?i:{_loose(word)})"]
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)")
