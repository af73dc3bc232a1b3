"""Who is behind a conversation: identities that were shown together belong to one contact.

Contacts that turn out to share an identity are merged, and the merge is kept. What a corrected file no longer says
does not hold contacts together any more.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence

from grader.model import Identity, digest
from grader.store.connection import Connection

Pair = tuple[str, str]  # kind and value, normalised

_PHONE = frozenset({"phone", "whatsapp", "tel", "telephone", "mobile", "msisdn"})
_EMAIL = frozenset({"email", "e-mail", "mail"})
_FEWEST_DIGITS = 6
# What exports write where nothing is known. It identifies nobody, and must not make one person of thousands.
_NOBODY = frozenset({
    "", "-", "--", "?", ".", "0", "anonymous", "anonymus", "anon", "unknown", "none", "null", "nil", "nan", "n/a", "na",
    "n.a.", "undefined", "guest", "not provided", "not available", "no email", "private", "withheld", "anônimo",
    "anonimo", "anónimo", "desconhecido", "desconocido", "visitante", "invitado",
})  # fmt: skip


def normalise(identity: Identity) -> Pair | None:
    """(kind, value) under which two writings of one identity meet; None when it identifies nobody."""
    kind = unicodedata.normalize("NFKC", identity.kind).strip().lower()
    value = " ".join(unicodedata.normalize("NFKC", identity.value).split())
    if value.lower() in _NOBODY:
        return None
    if kind in _PHONE:
        digits = "".join(str(unicodedata.decimal(c)) for c in re.findall(r"\d", value)).removeprefix("00")
        return ("phone", digits) if len(digits) >= _FEWEST_DIGITS and len(set(digits)) > 1 else None
    if kind in _EMAIL:
        address = value.lower().removeprefix("mailto:")
        return ("email", address) if "@" in address.strip("@") else None
    return kind, value


def _pairs(shown: Sequence[Identity]) -> list[Pair]:
    return sorted({pair for pair in map(normalise, shown) if pair is not None})


def take_back(con: Connection, replaced: Mapping[str, Sequence[Identity]]) -> None:
    """Before these conversations are replaced: where one no longer shows an identity, what its contact rested on has
    to be seen again. The contact's other conversations are assigned anew, as if they came in now.
    """
    before = _shown(con, "conversation_id in (select unnest(?))", list(replaced))
    lost = {
        contact
        for key, (contact, pairs) in before.items()
        if contact is not None and not set(pairs) <= set(_pairs(replaced[key]))
    }
    if not lost:
        return
    others = _shown(con, "contact_id in (select unnest(?))", sorted(lost))
    con.rows("delete from identity where contact_id in (select unnest(?))", [sorted(lost)])
    left = {key: pairs for key, (_, pairs) in others.items() if key not in replaced}
    contact_of = _assign(con, left)
    _rename(con, "conversation", "conversation_id", {key: value for key, value in contact_of.items() if value})


def _shown(con: Connection, where: str, values: list[str]) -> dict[str, tuple[str | None, list[Pair]]]:
    found = con.rows(f"select conversation_id, contact_id, as_given from conversation where {where}", [values])
    return {
        key: (contact, _pairs([Identity(**i) for i in json.loads(as_given)["contact"]["identities"]]))
        for key, contact, as_given in found
    }


def assign(con: Connection, shown: Mapping[str, Sequence[Identity]]) -> dict[str, str | None]:
    """The contact of each conversation, by the identities that it shows; None where it shows none."""
    return _assign(con, {key: _pairs(identities) for key, identities in shown.items()})


def _assign(con: Connection, wanted: Mapping[str, Sequence[Pair]]) -> dict[str, str | None]:
    pairs = sorted({pair for shown in wanted.values() for pair in shown})
    found: dict[str, str | None] = dict.fromkeys(wanted)
    if not pairs:
        return found
    owner: dict[Pair, str] = {
        (kind, value): contact
        for kind, value, contact in con.rows(
            "select i.kind, i.value, i.contact_id from identity as i join "
            "(select unnest(?) as kind, unnest(?) as value) as w using (kind, value)",
            [[kind for kind, _ in pairs], [value for _, value in pairs]],
        )
    }
    already = set(owner)
    merged: dict[str, str] = {}
    made: set[str] = set()

    def root(contact: str) -> str:
        while contact in merged:
            merged[contact] = merged.get(merged[contact], merged[contact])  # halve the way for the next one
            contact = merged[contact]
        return contact

    for shown in wanted.values():
        if not shown:
            continue
        roots = sorted({root(owner[pair]) for pair in shown if pair in owner})
        keep = roots[0] if roots else digest("ct", list(shown[0]))
        if not roots:
            made.add(keep)
        for other in roots[1:]:
            merged[other] = keep
        for pair in shown:
            owner.setdefault(pair, keep)
    for key, shown in wanted.items():
        found[key] = root(owner[shown[0]]) if shown else None
    known = {c for (c,) in con.rows("select contact_id from contact where contact_id in (select unnest(?))", [[*made]])}
    _rename(con, "contact", "contact_id", dict.fromkeys(known), column="merged_into")
    con.insert("contact", [{"contact_id": contact, "merged_into": None} for contact in sorted(made - known)])
    con.insert(
        "identity",
        [{"kind": k, "value": v, "contact_id": root(owner[k, v])} for k, v in pairs if (k, v) not in already],
    )
    roots_of = {old: root(old) for old in [*merged]}
    _rename(con, "identity", "contact_id", roots_of)
    _rename(con, "conversation", "contact_id", roots_of)
    _rename(con, "contact", "contact_id", roots_of, column="merged_into")
    return found


def _rename(
    con: Connection, table: str, key: str, names: Mapping[str, str | None], *, column: str = "contact_id"
) -> None:
    """Set `column` to the new name in every row whose `key` is one of the old ones."""
    if names:
        con.rows(
            f"update {table} set {column} = names.new from (select unnest(?) as old, unnest(?) as new) as names "
            f"where {table}.{key} = names.old",
            [[*names], [*names.values()]],
        )
