"""Is what is stored whole? Every identity is computed again, and every quote is looked up again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.engine.journal import journals, read
from grader.evidence import POLICY, Transcript
from grader.model import Conversation
from grader.store import Store

CHUNK = 200
EXAMPLES = 3


@dataclass(frozen=True)
class Checked:
    """One check: how many things were looked at, how many are wrong, and a few of those."""

    name: str
    n_checked: int
    n_wrong: int
    examples: tuple[str, ...]


def _checked(name: str, n: int, wrong: list[str]) -> Checked:
    return Checked(name, n, len(wrong), tuple(wrong[:EXAMPLES]))


def verify(store: Store, journal_folder: Path) -> list[Checked]:
    """All checks, in the order in which a reader wants them. Reads every conversation once, a few at a time."""
    ids = [i for (i,) in store.rows("select conversation_id from conversation order by conversation_id")]
    changed: list[str] = []
    stored: dict[str, str] = dict(store.rows("select conversation_id, content_hash from conversation"))
    n_quotes, gone = 0, []
    for conversation in _whole(store, ids):
        if conversation.content_hash != stored[conversation.conversation_id]:
            changed.append(conversation.conversation_id)
        transcript = Transcript(conversation.messages)
        for criterion, message, quote in store.rows(
            "select e.criterion, e.message, e.quote from evidence as e join judgement as j using (key) "
            "where j.conversation_id = ? and j.content_hash = ? and e.verified and e.message <> ?",
            [conversation.conversation_id, stored[conversation.conversation_id], POLICY],
        ):
            n_quotes += 1
            if transcript.check(message, quote, _EVERYBODY).problem is not None:
                gone.append(f"{conversation.conversation_id} {criterion}")
    found = [_checked("conversation hashes", len(ids), changed), _checked("verified quotes", n_quotes, gone)]
    for name, sql in _QUERIES.items():
        n, wrong = store.rows(sql)[0]
        found.append(_checked(name, n, [str(w) for w in wrong or []]))
    n_entries, missing = 0, []
    for path in journals(journal_folder):
        for entry, _ in read(path):
            keys = {j.key for j in entry.judgements if j.failure is None}
            n_entries += len(keys)
            missing += sorted(keys - store.judged(keys))
    return [*found, _checked("journaled judgements in the database", n_entries, missing)]


_EVERYBODY = ("customer", "ai", "human", "tool", "system", "unknown")
_QUERIES = {
    "judgements stored once": (
        "select count(*), list(key) filter (n > 1) from (select key, count(*) as n from judgement group by key)"
    ),
    "verdicts stored once": (
        "select count(*), list(key || ' ' || criterion) filter (n > 1) "
        "from (select key, criterion, count(*) as n from verdict group by all)"
    ),
    "verdicts with their judgement": (
        "select count(*), list(key) filter (key not in (select key from judgement)) "
        "from (select distinct key from verdict)"
    ),
    "judgements with verdicts": (
        "select count(*), list(key) filter (key not in (select key from verdict)) from judgement"
    ),
    "flagged defects with a verified quote": (
        "select count(*), list(v.key || ' ' || v.criterion) filter (not exists (select 1 from evidence as e "
        "where e.key = v.key and e.criterion = v.criterion and e.verified)) "
        "from verdict as v where v.support = 'verified'"
    ),
}  # fmt: skip


def _whole(store: Store, ids: list[str]) -> Iterator[Conversation]:
    for start in range(0, len(ids), CHUNK):
        yield from store.conversations(ids[start : start + CHUNK])
