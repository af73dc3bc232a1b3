"""What Chatwoot's own lines say of a status: "Conversation was marked resolved by …", in the languages of accounts.

Pages of the API have nothing else that tells when a conversation was resolved and reopened. Only lines that Chatwoot
itself writes (message_type 2) are looked at, never what a person wrote.
"""

from __future__ import annotations

import re

_LINES = {
    "resolved": (
        r"conversation was (marked )?resolved by ",
        r"(a )?conversa foi (marcada como )?resolvida (por|pelo) ",
        r"(la )?conversación fue (marcada (como resuelta )?|resuelta )(por|automáticamente) ",
        r"la conversation a été (marquée )?(comme )?résolue par ",
        r"(das gespräch|(die )?(konversation|unterhaltung)) wurde vo[nm] .* gelöst",
        r"la conversazione è stata (contrassegnata come |segnata (come )?)?risolta dal? ",
    ),
    "open": (
        r"conversation was (reopened|marked open) ",
        r"system reopened the conversation",
        r"(a )?conversa foi (reaberta|aberta|marcada como aberta) ",
        r"o sistema reabriu a conversa",
        r"(la )?conversación fue (reabierta|marcada como abierta) ",
        r"el sistema reabrió la conversación",
        r"la conversation a été (ré-?ouverte|rouverte) ",
        r"(das gespräch|(die )?(konversation|unterhaltung)) wurde vo[nm] .* wieder (eröffnet|geöffnet)",
        r"das system hat die unterhaltung .* wieder geöffnet",
        r"la conversazione è stata riaperta ",
        r"il sistema ha riaperto la conversazione",
    ),
    "pending": (
        r"conversation was marked as pending ",
        r"(a )?conversa foi marcada como pendente ",
        r"(la )?conversación fue marcada como pendiente ",
        r"la conversation a été marquée comme en attente ",
        r"(das gespräch|(die )?(konversation|unterhaltung)) wurde vo[nm] .* als ausstehend markiert",
        r"la conversazione è stata contrassegnata come in attesa ",
    ),
    "snoozed": (
        r"conversation was snoozed ",
        r"(a )?conversa foi adiada ",
        r"(la )?conversación fue pospuesta ",
        r"la conversation a été reportée ",
        r"(das gespräch|(die )?(konversation|unterhaltung)) wurde vo[nm] .* zur erinnerung markiert",
        r"la conversazione è stata posticipata ",
    ),
}
_KNOWN = [(status, re.compile("|".join(lines), re.IGNORECASE)) for status, lines in _LINES.items()]
_SHOWN = 400  # characters of a line that are looked at


def status_in(line: object, resolved_words: tuple[str, ...] = ()) -> str | None:
    """The status that a line of Chatwoot's tells of, None where it tells of none. `resolved_words`: what the lines of
    an account in another language say when a conversation is resolved.
    """
    if not isinstance(line, str):
        return None
    text = line.strip()[:_SHOWN]
    if any(word in text.lower() for word in resolved_words):
        return "resolved"
    return next((status for status, pattern in _KNOWN if pattern.match(text)), None)
