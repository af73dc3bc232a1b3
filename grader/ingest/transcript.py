"""A conversation that stands in one text ("Customer: …", "Bot: …", a line or more each) → its messages.

A line that begins with a name and a colon begins a message; other lines go on with the one before. A name that nobody
has given a role stays a speaker of its own, so that nobody's words are put into the AI's mouth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta

from grader.ingest.canonical import is_role
from grader.ingest.fields import Found
from grader.ingest.mapping import Transcript, plain
from grader.ingest.rows import Ledger
from grader.ingest.sources import html_text

# "[2026-08-03 14:02] Ana: hi", "14:02 - Bot: hi", "Ana (14:02): hi", "Ana: hi". A name has at most four words.
_TIME = r"[\[(]?(?P<at>[0-9][0-9/.:T, -]{2,30}(?: ?[AaPp]\.? ?[Mm]\.?)?)[\])]?"
_LINE = re.compile(
    rf"^\s*(?:{_TIME}\s*[-–—|:]?\s+)?(?P<who>[^\W\d][^\s:]{{0,39}}(?: [^\s:]{{1,40}}){{0,3}}?)"
    r"(?: ?[\[(](?P<later>[0-9][0-9/.:T, -]{2,30}(?: ?[AaPp]\.? ?[Mm]\.?)?)[\])])?\s*:(?:\s+|$)(?P<text>.*)$"
)
_LONGEST = 20_000  # characters of a line that are looked at: what follows is text


def messages(
    text: str, form: Transcript, roles: Mapping[str, str], read_at: Callable[[str], datetime | time], started: object,
    ledger: Ledger,
) -> list[Found]:  # fmt: skip
    """The messages in order. `read_at` reads the time of a line, a time of day where it names no date; the day is then
    that of `started`, and the next one where the clock goes back. Raises UnfitError for a time that cannot be read.
    """
    if form.html:
        text = html_text.to_text(text)
    found: list[Found] = []
    begun = started if isinstance(started, datetime) else None
    last = begun
    for line in text.splitlines():
        told = _said(line, form)
        if told is None:
            if found:
                found[-1]["text"] = f"{found[-1]['text']}\n{line}"
            elif line.strip():
                ledger.note("a transcript begins without a speaker, its first lines are kept as unknown")
                found.append({"role": "unknown", "text": line})
            continue
        who, words, at = told
        message: Found = {"role": roles.get(plain(who)) or (who if is_role(who) else form.others or who), "text": words}
        if not is_role(who):
            message["attributes"] = {"sender": who}
        if at:
            read = read_at(at)
            moment = _on_day(read, last, ledger) if isinstance(read, time) else read
            if moment is not None:
                message["at"] = last = moment
        found.append(message)
    return [{**message, "text": message["text"].rstrip("\n")} for message in found]


def _said(line: str, form: Transcript) -> tuple[str, str, str | None] | None:
    """(who, what, when) of a line that begins a message."""
    hit = (form.line or _LINE).match(line[:_LONGEST])
    if hit is None:
        return None
    groups = hit.groupdict()
    who = (groups["who"] or "").strip()
    if form.speakers is not None and plain(who) not in form.speakers:
        return None
    at = groups.get("at") or groups.get("later")
    if form.line is None and not re.search(r"[0-9]:[0-9]{2}", at or ""):
        at = None  # a number before a name is no time
    return who, (groups["text"] or "") + line[_LONGEST:], at


def _on_day(clock: time, last: datetime | None, ledger: Ledger) -> datetime | None:
    if last is None:
        ledger.note("times of day in a transcript are left out: nothing says when the conversation began (started_at)")
        return None
    at = last.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=clock.microsecond)
    # A clock without seconds may stand a little before the beginning that has some.
    return at if last - at < timedelta(hours=12) else at + timedelta(days=1)
