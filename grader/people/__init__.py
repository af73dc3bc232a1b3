"""Who a person is: when two writings mean one identity, and the key under which identities are stored.

An identity never reaches the database as it is written: what is kept is its kind and a keyed hash of its normalised
value. Who shares an identity with whom is the store's matter.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.model import Contact, Conversation, Identity
from grader.people.identities import Pair, joins, normalise, plain
from grader.people.key import Key, Keyring

__all__ = ["BARRED_ABOVE", "Key", "Keyring", "Pair", "People", "joins", "keyed", "normalise", "shown"]

BARRED_ABOVE = 5  # contacts that may share an identity; one that more share joins nobody
PREFIX = "id_"  # of a keyed value


@dataclass(frozen=True)
class People:
    """How people are told apart: the keyring, the region of numbers that are written without a country, and above how
    many contacts a shared identity is barred.
    """

    keyring: Keyring
    phone_region: str | None = None
    barred_above: int = BARRED_ABOVE


def keyed(conversation: Conversation, key: Key, region: str | None) -> Conversation:
    """The conversation as it is stored: each identity by its kind and keyed hash, in the order of the source."""
    given = conversation.contact.identities
    if not given:
        return conversation
    identities = dict.fromkeys(_keyed(identity, key, region) for identity in given)
    contact = Contact(identities=tuple(identities), name=conversation.contact.name)
    return conversation.model_copy(update={"contact": contact})


def _keyed(identity: Identity, key: Key, region: str | None) -> Identity:
    pair = normalise(identity, region)
    if pair is None:  # joins nobody: under another prefix, so that it never can
        kind, value = plain(identity)
        return Identity(kind=kind, value=f"no_{key.hash(f'-{kind}', value)}")
    return Identity(kind=pair[0], value=f"{PREFIX}{key.hash(*pair)}")


def shown(stored: Conversation) -> list[Pair]:
    """(kind, hash) of what joins a stored conversation to others; the hash is 32 hexadecimal digits."""
    return [(i.kind, i.value[len(PREFIX) :]) for i in stored.contact.identities if i.value.startswith(PREFIX)]
