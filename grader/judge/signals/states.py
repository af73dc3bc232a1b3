"""Detector of states that are asserted without a lookup that could have shown them."""

from __future__ import annotations

from grader.judge.signals.view import Quote, Ruling, Use, View

# A noun of an assertion → what a tool's name, keys or values must mention for the state to have been shown.
_SHOWN_BY = {
    "ticket": ("ticket", "case", "complaint", "claim"),
    "complaint": ("ticket", "case", "complaint", "claim"),
    "claim": ("ticket", "case", "complaint", "claim"),
    "chamado": ("ticket", "chamado", "case"),
    "reclamacao": ("ticket", "complaint", "reclam", "case"),
    "reclamacion": ("ticket", "complaint", "reclam", "case"),
    "reclamo": ("ticket", "complaint", "reclam", "case"),
    "queja": ("ticket", "complaint", "reclam", "case"),
    "refund": ("refund", "return", "payment", "cancel", "transaction"),
    "reembolso": ("refund", "return", "payment", "cancel", "reembolso", "transaction"),
    "reintegro": ("refund", "return", "payment", "cancel", "transaction"),
    "estorno": ("refund", "return", "payment", "cancel", "estorno", "transaction"),
    "return": ("return", "refund", "rma"),
    "devolucao": ("return", "refund", "devolu"),
    "devolucion": ("return", "refund", "devolu"),
}


def _support(view: View, noun: str | None, before: int) -> bool:
    """Whether a tool result before this message could have shown the state of such a thing."""
    shown = [u for u in view.shown_before(before) if u.purpose != "transfer" and not u.failed]
    stems = _SHOWN_BY.get(noun or "")
    if stems is None:
        return any(not u.empty for u in shown)
    return any(any(stem in text for stem in stems) for u in shown for text in _texts(u))


def _texts(use: Use) -> list[str]:
    """A tool's name and the keys that hold something."""
    return [use.name.lower(), *(leaf.path for leaf in use.leaves if leaf.value not in (None, "", [], {}))]


def status_without_lookup(view: View) -> Ruling:
    """A state of the customer's own case as fact, before any tool result that could show it."""
    stated = False
    for said in view.ai:
        if any(h.number < said.number for h in view.human):
            break
        words = said.words
        for hit in words.of("states"):
            sentence = words.sentences[hit.sentence]
            if sentence.asks or words.within(hit.sentence, "supposes", "orders_time"):
                continue
            stated = True
            noun = next((t for t in words.tokens[hit.first : hit.last] if t in _SHOWN_BY), None)
            if _support(view, noun, said.number):
                continue
            what = f"no tool result before it shows any {noun}" if noun and view.shown_before(said.number) else "no tool result stands before it"
            return Ruling(
                "present",
                f"Message {said.number} states the state of the customer's case as fact, and {what}.",
                (Quote(said.number, words.quote(hit.sentence, hit.first, hit.last)),),
            )
    if not stated:
        return Ruling("not_applicable", "No statement on the state of the customer's case was found in the AI's words.")
    return Ruling("absent", "A tool result that could show it stands before each stated state.")
