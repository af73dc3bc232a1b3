"""Detector of states that are asserted without a lookup that could have shown them."""

from __future__ import annotations

from grader.judge.signals.tools import Use
from grader.judge.signals.view import Ruling, View, present

_TICKET = ("ticket", "case", "complaint", "claim", "chamado", "reclam")
_REFUND = ("refund", "return", "payment", "cancel", "transaction", "reembolso", "estorno")
_RETURN = ("return", "refund", "rma", "devolu")
# A noun of an assertion → what a tool's name or keys must mention for the state to have been shown.
_SHOWN_BY = {
    **dict.fromkeys(
        ("ticket", "complaint", "claim", "chamado", "reclamacao", "reclamacion", "reclamo", "queja"), _TICKET
    ),
    **dict.fromkeys(("refund", "reembolso", "reintegro", "estorno"), _REFUND),
    **dict.fromkeys(("return", "devolucao", "devolucion"), _RETURN),
}


def status_without_lookup(view: View) -> Ruling:
    """A state of the customer's own case as fact, before any tool result that could show it."""
    stated = False
    for said in view.ai_alone:
        words = said.words
        for hit in words.of("states"):
            if words.sentences[hit.sentence].asks or words.within(hit.sentence, "supposes", "orders_time"):
                continue
            stated = True
            noun = next((w for w in words.tokens[hit.first : hit.last] if w in _SHOWN_BY), None)
            shown = [u for u in view.shown_before(said.number) if u.purpose != "transfer" and not u.failed]
            if _is_shown(shown, noun):
                continue
            missing = (
                f"no tool result before it shows a {noun}" if shown and noun else "no tool result stands before it"
            )
            return present(f"Message {said.number} states how the customer's case stands, and {missing}.", said, hit)
    if not stated:
        return Ruling("not_applicable", "No statement on the state of the customer's case was found in the AI's words.")
    return Ruling("absent", "A tool result that could show it stands before each stated state.")


def _is_shown(shown: list[Use], noun: str | None) -> bool:
    """Whether one of these results could have shown the state of such a thing."""
    stems = _SHOWN_BY.get(noun or "")
    if stems is None:
        return any(not u.empty for u in shown)
    return any(stem in text for u in shown for text in _texts(u) for stem in stems)


def _texts(use: Use) -> list[str]:
    """A tool's name and the keys that hold something."""
    return [use.name.lower(), *(leaf.path for leaf in use.leaves if leaf.value not in (None, "", [], {}))]
