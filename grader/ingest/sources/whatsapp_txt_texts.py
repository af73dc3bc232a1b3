"""What a WhatsApp message is, by its words: a voice note or a picture that the export left out, a message that was
deleted or edited, a poll, a place, or WhatsApp's own notice.

WhatsApp writes these in the phone's language. `whatsapp_txt_phrases` has what is known of them; what is not known stays
the text that it is, and is noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from grader.ingest.sources.whatsapp_txt_lines import MARKS
from grader.ingest.sources.whatsapp_txt_phrases import ATTACHED, DELETED, EDITED, LEFT_OUT, NOTICES
from grader.model import JsonValue

OWN = "\u200e"  # stands before what WhatsApp itself has written, on iPhones

_KIND = {"image": "image", "sticker": "image", "gif": "image", "voice": "voice"}  # any other is a file
# Words of WhatsApp's sentences about groups and accounts. Only where OWN stands before the sentence.
_ABOUT_CHAT = re.compile(
    r"(?i)\b(created (?:the |this )?group|added|removed|left\b|joined|changed (?:the|this|their|to)|now an admin|"
    r"security code|disappearing messages|phone number|blocked|unblocked|pinned|business account|is a contact|"
    r"criou o grupo|criou este grupo|adicionou|removeu|saiu|entrou|mudou|código de segurança|mensagens temporárias|"
    r"bloqueou|conta comercial|conta empresarial|é um contato|creó (?:el|este) grupo|añadió|agregó|eliminó a|salió|"
    r"cambió|código de seguridad|mensajes temporales|bloqueaste|cuenta de empresa|erstellt|hinzugefügt|entfernt|"
    r"verlassen|geändert|sicherheitsnummer|selbstlöschende|blockiert|unternehmensaccount|a créé le groupe|a ajouté|"
    r"a retiré|a quitté|est parti|a rejoint|a changé|a modifié|code de sécurité|messages éphémères|a bloqué|"
    r"ha creato|ha aggiunto|ha rimosso|ha abbandonato|è uscito|ha cambiato|ha modificato|codice di sicurezza|"
    r"messaggi effimeri|heeft .{0,60}(?:aangemaakt|toegevoegd|verwijderd|verlaten|gewijzigd)|beveiligingscode)"
)
_CALL = re.compile(
    r"(?i)(?:missed (?:group )?(?:voice|video) call|(?:voice|video) call\b|(?:chamada|ligação) de (?:voz|vídeo)|"
    r"(?:video)?llamada|verpasster? .{0,20}anruf|(?:sprach|video)anruf|appel (?:vocal|vidéo)|"
    r"(?:video)?chiamata|gemiste? |(?:spraak|video)oproep|(?:video)?gesprek)"
)
_POLL = re.compile(
    r"(?:POLL|ENQUETE|SONDAGEM|VOTAÇÃO|ABSTIMMUNG|UMFRAGE|ENCUESTA|SONDAGE|SONDAGGIO|PEILING|ОПРОС|ANKET|ANKIETA)\s?:"
)
_PLACE = re.compile(
    r"(?i)[^\n:]{0,30}: ?https?://maps\.(?:google|apple)\.com/|live location shared|localização em tempo real|"
    r"localização atual|ubicación en tiempo real|live-standort|position en direct|posizione in tempo reale"
)
_WAITING = re.compile(r"(?i)waiting for this message|aguardando (?:esta )?mensagem|esperando (?:este )?mensaje")
_GENERATED = re.compile(
    r"(?:(?:IMG|VID|PTT|AUD|STK|DOC)-\d{8}-WA\d+|\d{8}-[A-Z]+-\d{4}(?:-\d{2}){2,5})[^/\\<>:]*\.\w{1,5}"
)
_BY_ENDING = {
    **dict.fromkeys(("jpg", "jpeg", "png", "heic", "heif", "webp", "gif"), "image"),
    **dict.fromkeys(("opus", "ogg", "oga", "m4a", "mp3", "aac", "amr", "wav"), "voice"),
}
_IPHONE_FILE = re.compile(r"<([^<>:：\n]{1,30})[:：]\s?([^<>\n]{1,255})>\s*$")
_ANDROID_FILE = re.compile(r"([^\n]{1,255}?\.\w{1,5}) \(([^()\n]{1,40})\)$")
_LAST_MARK = re.compile(rf"<([^<>\n]{{3,60}})>[{MARKS}\s]*$")


def _listed(text: str) -> frozenset[str]:
    return frozenset(" ".join(one.split()).casefold() for one in text.split("|"))


_MEDIA: Mapping[str, str] = MappingProxyType({
    phrase: media for media, phrases in LEFT_OUT.items() for phrase in _listed(phrases)
})  # fmt: skip
_GONE, _CHANGED, _SENT = _listed(DELETED), _listed(EDITED), _listed(ATTACHED)
_NOTICES = tuple(_listed(NOTICES))
_UNMARKED = re.compile(f"[{MARKS}]")
_LEADING = "".join(chr(c) for c in range(0x10000) if _UNMARKED.match(chr(c)))


@dataclass(frozen=True, slots=True)
class Said:
    """What a message is. `notice`: WhatsApp's own words, whoever's name stands before them. `odd`: what to note."""

    text: str
    kind: str = "text"
    attributes: dict[str, JsonValue] = field(default_factory=dict)
    notice: bool = False
    odd: str | None = None


def said(text: str) -> Said:
    """The message that a text of the file is; `text` has its lines already."""
    body = text.lstrip(" ")
    own = body.startswith(OWN)
    body = body.lstrip(_LEADING)
    attributes: dict[str, JsonValue] = {}
    mark = _LAST_MARK.search(body)
    if mark and _phrase(mark[1]) in _CHANGED:
        attributes["edited"] = True
        body = body[: mark.start()].rstrip(_LEADING + " ")
    phrase = _phrase(body)
    if phrase in _GONE:
        return Said(body, "event", {**attributes, "deleted": True})
    if phrase.startswith(_NOTICES):
        return Said(body, "event", attributes, notice=True)
    sent = _left_out(body) or _attached(body)
    if sent:
        return Said(sent.text, sent.kind, attributes | sent.attributes)
    if _PLACE.match(body):
        return Said(body, "text", attributes | {"type": "location"})
    if _POLL.match(body):
        return Said(body, "text", attributes | {"type": "poll"})
    if _WAITING.match(body):
        return Said(body, "event", attributes)
    if own:
        if _CALL.match(body):
            return Said(body, "event", attributes | {"type": "call"})
        if _ABOUT_CHAT.search(body.split("\n", 1)[0]):
            return Said(body, "event", attributes, notice=True)
        odd = "a text that begins as WhatsApp's own do (U+200E) is not known, it is kept as what was said"
        return Said(body, "text", attributes, odd=odd)
    if _LAST_MARK.fullmatch(body):
        odd = f"a message is nothing but {body[:60]!r}, which is not known; it is kept as what was said"
        return Said(body, "text", attributes, odd=odd)
    return Said(body, "text", attributes)


def may_be_notice(text: str) -> bool:
    """Cheap to ask: `said` may find these to be WhatsApp's own words."""
    return text.startswith(OWN) or text[:60].casefold().startswith(_NOTICES)


def _phrase(text: str) -> str:
    """A sentence of WhatsApp's for comparing: no marks, no brackets around it, no full stop, one case."""
    plain = " ".join(_UNMARKED.sub("", text[:400]).split()).casefold()
    return plain.removeprefix("<").removesuffix(">").strip().rstrip(".。").strip()


def _left_out(body: str) -> Said | None:
    """`<Media omitted>`, `image omitted`, `Bill.pdf • 3 pages document omitted`; the caption stands around it."""
    first, _, below = body.partition("\n")
    media = _MEDIA.get(_phrase(first))
    if media:
        return _file(media, below, {"placeholder": _UNMARKED.sub("", first).strip()})
    before, own, last = body.rpartition(OWN)
    media = _MEDIA.get(_phrase(last)) if own else None
    if media is None:
        return None
    shown = _UNMARKED.sub("", before).strip()
    name = shown.split(" • ")[0] if media == "document" else None
    placeholder = {"placeholder": _UNMARKED.sub("", last).strip()}
    return _file(media, "", placeholder | {"file": name}) if name else _file(media, shown, placeholder)


def _attached(body: str) -> Said | None:
    """`<attached: 00000012-PHOTO-….jpg>` behind the caption, `IMG-….jpg (file attached)` before it."""
    found = _IPHONE_FILE.search(body)
    if found and (_phrase(found[1]) in _SENT or _GENERATED.fullmatch(found[2].strip())):
        return _file(_by_name(found[2]), body[: found.start()].rstrip(_LEADING + " \n"), {"file": found[2].strip()})
    first, _, below = body.partition("\n")
    found = _ANDROID_FILE.fullmatch(_UNMARKED.sub("", first).rstrip())
    if found and (_phrase(found[2]) in _SENT or _GENERATED.fullmatch(found[1])):
        return _file(_by_name(found[1]), below, {"file": found[1]})
    return None


def _by_name(name: str) -> str:
    return _BY_ENDING.get(name.strip().rpartition(".")[2].casefold(), "document")


def _file(media: str, caption: str, attributes: dict[str, JsonValue]) -> Said:
    return Said(caption, _KIND.get(media, "file"), {"media": media, **attributes})
