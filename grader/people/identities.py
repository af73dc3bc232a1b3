"""When two writings mean one identity, and which identify nobody. Names never join, nor does what is not a person's."""

from __future__ import annotations

import re
import unicodedata

from grader.model import Identity
from grader.people.phones import number

Pair = tuple[str, str]  # kind and value, normalised

_PHONE = frozenset({
    "phone", "phone_number", "phonenumber", "tel", "telephone", "mobile", "cell", "cellphone", "msisdn", "telefone",
    "celular", "telefono", "whatsapp_phone", "whatsapp_number",
    "mobile_phone", "mobile_number", "cell_phone",
    "telephone_number",
})  # fmt: skip
_EMAIL = frozenset({"email", "e_mail", "mail", "email_address", "e_mail_address", "mail_address", "correo"})
_WHATSAPP = frozenset({"whatsapp", "whatsapp_id", "wa", "wa_id", "waid"})  # a number, or a business-scoped user id
_USER = frozenset({"whatsapp_user_id", "bsuid", "whatsapp_bsuid", "business_scoped_user_id"})
_CUSTOMER = frozenset({
    "customer_id", "customerid", "customer", "customer_number", "customer_no", "cliente_id", "id_cliente",
})  # fmt: skip
# Ids of things that are no person: they would join strangers, or nobody.
_NO_PERSON = frozenset({
    "session_id", "conversation_id", "chat_id", "thread_id", "ticket_id", "case_id", "message_id", "order_id",
    "trace_id", "request_id", "call_id", "inbox_id", "channel_id", "queue_id", "team_id", "group_id", "agent_id",
    "assignee_id", "bot_id", "business_id", "company_id", "organization_id", "organisation_id", "tenant_id",
    "workspace_id", "shop_id", "store_id", "brand_id", "phone_number_id", "campaign_id", "ad_id", "page_id",
})  # fmt: skip

# What exports write where nothing is known. It identifies nobody, and must not make one person of thousands.
_NOBODY = frozenset({
    "anonymous", "anonymus", "anonymous user", "anonymous visitor", "anonymous customer", "anon", "unknown",
    "unknown user", "unknown customer", "none", "null", "nil", "nan", "n/a", "na", "n.a", "n a", "n\\a",
    "undefined", "guest", "guest user", "visitor", "not provided", "not available", "not set", "not applicable",
    "no phone", "no number", "no email", "no e-mail", "no id", "noemail", "no-email", "nophone", "private",
    "private number", "withheld", "blocked", "redacted", "removed", "deleted", "deleted user", "hidden", "masked",
    "missing", "empty", "blank", "tbd", "test", "dummy", "default", "system", "false", "true", "anônimo", "anonimo",
    "anónimo", "anônima", "anónima", "desconhecido", "desconocido", "visitante", "invitado", "convidado",
    "sem email", "sem e-mail", "sememail", "sem telefone", "sin email", "sin correo", "sin telefono",
    "não informado", "nao informado", "não disponível", "no informado", "no disponible", "não possui", "nao possui",
    "nenhum", "ninguno", "cliente", "customer", "user",
})  # fmt: skip
# Mailboxes that write to everybody, or that nobody reads.
_NO_MAILBOX = re.compile(
    r"(do[._-]?not|no|nao|não)[._-]?(reply|responda|responder|answer)([._+-].*)?|mailer-daemon|postmaster|bounces?([._+-].*)?"
)
_EDGES = " \t.,;:-_#*()[]{}<>\"'`?!/\\|"


def plain(identity: Identity) -> Pair:
    """(kind, value) with blanks and Unicode forms settled, and the kind's own name."""
    kind = unicodedata.normalize("NFKC", identity.kind).strip().lower()
    value = " ".join(unicodedata.normalize("NFKC", identity.value).split())
    return re.sub(r"[\s._-]+", "_", kind).strip("_") or "-", value


def joins(kind: str) -> bool:
    """Whether an identity of this kind, once normalised, tells who somebody is."""
    return kind in {"phone", "email"} or (kind.endswith("_id") and kind not in _NO_PERSON)


def normalise(identity: Identity, region: str | None = None) -> Pair | None:
    """(kind, value) under which two writings of one identity meet; None when it identifies nobody.

    `region`: the country ("BR") of phone numbers that name none.
    """
    kind, value = plain(identity)
    kind = _named(kind, value)
    bare = value.casefold().strip(_EDGES)
    if bare in _NOBODY or bare == kind or not re.search(r"[^\W_0]", value):
        return None  # nothing but zeros and marks says nothing either
    if kind == "phone":
        digits = number(value, region)
        return ("phone", digits) if digits else None
    if kind == "email":
        return _address(value)
    return (kind, value) if joins(kind) else None


def _named(kind: str, value: str) -> str:
    if kind in _WHATSAPP:
        return "whatsapp_user_id" if re.search(r"[^\W\d_]", value) else "phone"
    for name, names in (("phone", _PHONE), ("email", _EMAIL), ("whatsapp_user_id", _USER), ("customer_id", _CUSTOMER)):
        if kind in names:
            return name
    return kind


def _address(value: str) -> Pair | None:
    address = value.lower().removeprefix("mailto:").strip("<> ")
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or re.search(r"\s", address) or domain.startswith("."):
        return None
    first = domain.partition(".")[0]
    if (local in _NOBODY and (first in _NOBODY or local != "customer")) or _NO_MAILBOX.fullmatch(local):
        return None
    return "email", address
