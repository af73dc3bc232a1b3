"""Detector of form: markup that a phone shows raw, another language than the customer's, a wall of text."""

from __future__ import annotations

import re

from grader.judge.signals.language import clearly
from grader.judge.signals.view import Quote, Ruling, Said, View
from grader.judge.signals.words import word_set

_PHONE = word_set("whatsapp sms messenger instagram telegram imessage rcs")
_TAG = re.compile(r"</?(?:br|b|i|p|div|span|ul|li|ol|strong|em|table|tr|td|a href|h[1-6])\b[^<>]{0,100}>", re.I)
_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{1,60}\}\}|\{[a-z_]{3,40}\}"
    r"|\[(?:insert|your|customer|order|agent|name|nome|nombre|numero|link|date|fecha|data|cliente)[ _a-z]{0,30}\](?!\()"
    r"|<(?:name|nome|nombre|order|link|insert)[ _a-z]{0,30}>",
    re.IGNORECASE,
)
_ANYWHERE = (
    ("a Markdown table", re.compile(r"^[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*(?:\|[ \t]*:?-{3,}:?[ \t]*)+\|?[ \t]*$", re.M)),
    ("HTML tags", _TAG),
    ("a placeholder", _PLACEHOLDER),
    ("JSON", re.compile(r"\{\s{0,20}\"[\w ]{1,60}\"\s{0,5}:")),
    ("an internal code", re.compile(r"\b[A-Z]{2,20}(?:_[A-Z0-9]{1,20}){1,8}\b")),
)  # fmt: skip
_RAW_ON_PHONES = (
    ("a Markdown heading", re.compile(r"^#{1,6}[ \t]+\S", re.M)),
    ("Markdown bold", re.compile(r"\*\*[^*\n]{1,200}\*\*")),
    ("a Markdown link", re.compile(r"\[[^\[\]\n]{1,200}\]\(https?://[^()\s]{1,500}\)")),
)
_WALL = 900  # characters of one message on a phone
_VOTES = 5  # words that speak for a language
_CUSTOMER_VOTES = 3
_LONGEST_LINE = 200
_NAMES = {"en": "English", "pt": "Portuguese", "es": "Spanish"}


def unclear_or_wrong_channel_format(view: View) -> Ruling:
    """The first message of the assistant's with raw markup, in another language, or far too long for the channel."""
    if not view.ai:
        return Ruling("not_applicable", "The AI sent no message.")
    on_phone = (view.conversation.channel or "").lower() in _PHONE
    for said in view.ai:
        ruling = _markup(said, on_phone) or _foreign(view, said)
        if ruling is not None:
            return ruling
        if on_phone and len(said.words.text) > _WALL:
            why = f"Message {said.number} has {len(said.words.text)} characters, on a phone."
            return Ruling("present", why, (Quote(said.number, said.words.quote(0)),))
    return Ruling("absent", "No raw markup, no other language than the customer's and no wall of text was found.")


def _markup(said: Said, on_phone: bool) -> Ruling | None:
    text = said.words.text
    for what, pattern in _ANYWHERE + (_RAW_ON_PHONES if on_phone else ()):
        match = pattern.search(text)
        if match:
            shown = ", which a phone shows raw" if on_phone else ""
            line = _line(text, match.start(), match.end())
            return Ruling("present", f"Message {said.number} holds {what}{shown}.", (Quote(said.number, line),))
    return None


def _line(text: str, start: int, end: int) -> str:
    """The line of a match, cut to what fits; a table's rule has no words, so the line above it."""
    left = text.rfind("\n", 0, start) + 1
    right = text.find("\n", end)
    line = text[left : right if right >= 0 else len(text)]
    if not any(c.isalnum() for c in line) and left > 1:
        return _line(text, left - 1, left - 1)
    return line.strip() if len(line) <= _LONGEST_LINE else text[start : max(end, start + _LONGEST_LINE // 2)]


def _foreign(view: View, said: Said) -> Ruling | None:
    """The message is clearly in one language, and the customer's turn before it clearly in another."""
    theirs = clearly(said.words, _VOTES)
    turn = view.turn_before(said)
    own = clearly(turn[-1].words, _CUSTOMER_VOTES) if turn else None
    if theirs is None or own is None or any(clearly(s.words, 1) == theirs for s in turn):
        return None
    return Ruling(
        "present",
        f"Message {said.number} is in {_NAMES[theirs]}; the customer's message {turn[-1].number} is in {_NAMES[own]}.",
        (Quote(said.number, said.words.quote(0)),),
    )
