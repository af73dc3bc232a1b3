"""From what a page shows of a message back to the message's own words.

A page shows control characters as pictures and a tool's data indented (`report/transcript.py`), and a quote comes as it
was selected there. What is kept has to stand in the message, character for character.
"""

from __future__ import annotations

from grader.evidence import locate, passages
from grader.model import Kind, Message, Role
from grader.report.transcript import visible


def own_words(message: Message, quote: str) -> str | None:
    """The stretch of the message that the page showed so; None where it stands in none of its texts."""
    texts = [text for text, _roles in passages(message)]
    for text in texts:
        if quote in text:
            return quote
    for text in texts:  # `visible` goes character by character, so that places are the same
        if span := _place(visible(text), quote) or locate(text, quote):
            return text[span[0] : span[1]]
    data = message.role is Role.TOOL or message.kind is Kind.TOOL_RESULT or bool(message.tool_calls)
    for text in texts if data else ():
        if span := _unspaced(visible(text), quote):
            return text[span[0] : span[1]]
    return None


def _place(text: str, quote: str) -> tuple[int, int] | None:
    at = text.find(quote)
    return (at, at + len(quote)) if at >= 0 else locate(text, quote)


def _unspaced(text: str, quote: str) -> tuple[int, int] | None:
    """Where the quote stands if white space, which indents put in and leave out, does not count."""
    wanted = "".join(quote.split())
    there = [n for n, char in enumerate(text) if not char.isspace()]
    at = "".join(text[n] for n in there).find(wanted) if wanted else -1
    return (there[at], there[at + len(wanted) - 1] + 1) if at >= 0 else None
