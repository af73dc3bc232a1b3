"""`grader contacts`: how many conversations have a known contact, what joined them, and what joins nobody."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console
from grader.errors import ConfigError

if TYPE_CHECKING:
    from grader.store import Barred, Change, Roster

HASH_SHOWN = 11  # characters of a keyed hash, its prefix included


def contacts(
    merges: Annotated[
        bool, typer.Option("--merges", help="What became of contacts: merged, split, renamed, and by which identity.")
    ] = False,
    barred: Annotated[bool, typer.Option("--barred", help="Identities that too many share, with examples.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many lines of a list.")] = 50,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Who the customers are: coverage, kinds of identity, the largest contacts, merges, barred identities.

    Conversations that share an identity are of one contact. An identity that more contacts share than
    people.barred_above joins nobody. Identities are shown by the beginning of their keyed hash: the database has no
    phone number or address. docs/people.md tells how people are told apart.

    Example:
      grader contacts
      grader contacts --barred --json
    """
    from grader.cli.db import looked_at

    if merges and barred:
        raise ConfigError("--merges and --barred are two lists", cure="ask for one of them")
    settings = console.settings(workspace)
    with looked_at(settings) as store:
        if merges:
            _show_changes(store.contact_changes(limit), as_json=as_json)
        elif barred:
            _show_barred(store.barred()[:limit], as_json=as_json)
        else:
            _show(store.roster(), store.barred(), as_json=as_json)


def _show(found: Roster, barred: list[Barred], *, as_json: bool) -> None:
    if as_json:
        console.out_json({
            "conversations": found.conversations, "with_contact": found.with_contact,
            "only_barred": found.only_barred, "without_identity": found.without_identity,
            "contacts": found.contacts, "recurring_contacts": found.recurring, "barred_above": found.barred_above,
            "channels": found.channels, "kinds": found.kinds, "largest": found.largest, "changes": found.changes,
            "barred": [_barred(one) for one in barred],
        })  # fmt: skip
        return
    told = f"{found.with_contact:,} of {found.conversations:,} conversations have a contact"
    rest = [
        f"{n:,} {what}"
        for n, what in (
            (found.only_barred, "show only barred identities"), (found.without_identity, "show none that identifies"),
        )
        if n
    ]  # fmt: skip
    console.out(f"{told}{': ' if rest else ''}{', '.join(rest)}")
    console.out(f"{found.contacts:,} contacts, {found.recurring:,} of them with more than one conversation")
    if found.channels:
        console.table(
            ["channel", "conversations>", "with a contact>"],
            [(one.channel, one.conversations, one.with_contact) for one in found.channels],
        )
    if found.kinds:
        console.table(
            ["identity", "different>", "conversations>", "barred>", "says nothing>", "joins"],
            [(k.kind, k.identities, k.conversations, k.barred, k.says_nothing if k.identities else "–",
              "yes" if k.identities else "no: this kind tells nobody apart")
             for k in found.kinds],
        )  # fmt: skip
    if found.recurring:
        console.table(
            ["largest contacts", "conversations>", "identities>"],
            [(one.contact_id, one.conversations, one.identities) for one in found.largest],
        )
    if found.changes:
        changed = ", ".join(f"{n:,} {what}" for what, n in found.changes.items())
        console.out(f"contacts {changed}: grader contacts --merges")
    if barred:
        many = f"{len(barred):,} identities are" if len(barred) > 1 else "1 identity is"
        nobody = "join nobody" if len(barred) > 1 else "joins nobody"
        told = f"{many} shared by more than {found.barred_above} contacts and {nobody}"
        console.out(f"{told}: grader contacts --barred")


def _show_barred(found: list[Barred], *, as_json: bool) -> None:
    if as_json:
        console.out_json([_barred(one) for one in found])
        return
    console.table(
        ["identity", "hash", "contacts>", "conversations>", "for example"],
        [(b.kind, _short(b.value), b.contacts, b.conversations, ", ".join(b.examples)) for b in found],
    )
    console.note("see who it is in the source of an example; the database does not have it")


def _show_changes(found: list[Change], *, as_json: bool) -> None:
    if as_json:
        console.out_json([
            {"changed_at": c.changed_at, "change": c.change, "contact": c.contact_id, "new_contact": c.new_contact_id,
             "kind": c.kind, "hash": _short(c.value), "conversation": c.conversation_id}
            for c in found
        ])  # fmt: skip
        return
    console.table(
        ["when (UTC)", "what", "contact", "now", "by", "conversation"],
        [(f"{c.changed_at.replace(tzinfo=UTC):%Y-%m-%d %H:%M}", c.change, c.contact_id, c.new_contact_id or "nobody",
          c.kind and f"{c.kind} {_short(c.value)}", c.conversation_id)
         for c in found],
    )  # fmt: skip


def _barred(one: Barred) -> dict[str, Any]:
    return {
        "kind": one.kind, "hash": _short(one.value), "contacts": one.contacts, "conversations": one.conversations,
        "examples": one.examples, "barred_at": one.barred_at,
    }  # fmt: skip


def _short(value: str | None) -> str | None:
    return value and f"{value[:HASH_SHOWN]}…"
