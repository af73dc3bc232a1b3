"""Is what is stored whole? Every identity is computed again, every quote is looked up again, and what the journals say
is held against what the database has. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.engine.absorb import stored_rubric
from grader.engine.journal import Damage, Entry, journals, read
from grader.evidence import POLICY, Transcript
from grader.model import Judgement
from grader.store import Store

CHUNK = 200
EXAMPLES = 3
WAITING = "journaled judgements that the next grade takes in"
INPUTS = ("conversation hashes", "conversation records", "policy hashes", "rubric hashes")  # no journal has these


@dataclass(frozen=True)
class Checked:
    """One check: how many things were looked at, how many are wrong, and a few of those."""

    name: str
    n_checked: int
    n_wrong: int
    examples: tuple[str, ...]


@dataclass
class _Tally:
    name: str
    n: int = 0
    wrong: list[str] = field(default_factory=list)

    def checked(self) -> Checked:
        return Checked(self.name, self.n, len(self.wrong), tuple(self.wrong[:EXAMPLES]))


def verify(store: Store, journal_folder: Path) -> list[Checked]:
    """All checks, in the order in which a reader wants them. Reads every conversation once, a few at a time."""
    found = [*_conversations(store), *_policies_and_rubrics(store)]
    for name, sql in _QUERIES.items():
        n, wrong = store.rows(sql)[0]
        found.append(Checked(name, n, len(wrong or []), tuple(str(w) for w in (wrong or [])[:EXAMPLES])))
    return [*found, *_journals(store, journal_folder)]


def _conversations(store: Store) -> Iterator[Checked]:
    contents, records, quotes = _Tally("conversation hashes"), _Tally("conversation records"), _Tally("verified quotes")
    stored = {
        i: (c, r) for i, c, r in store.rows("select conversation_id, content_hash, record_hash from conversation")
    }
    ids = sorted(stored)
    for start in range(0, len(ids), CHUNK):
        conversations = store.conversations(ids[start : start + CHUNK])
        claims = _claims(store, {c.conversation_id: stored[c.conversation_id][0] for c in conversations})
        for conversation in conversations:
            name = conversation.conversation_id
            contents.n += 1
            records.n += 1
            if conversation.content_hash != stored[name][0]:
                contents.wrong.append(name)
            if conversation.record_hash != stored[name][1]:
                records.wrong.append(name)
            transcript = Transcript(conversation.messages)
            for criterion, message, quote in claims.get(name, ()):
                quotes.n += 1
                if transcript.check(message, quote, _EVERYBODY).problem is not None:
                    quotes.wrong.append(f"{name} {criterion}")
    yield from (contents.checked(), records.checked(), quotes.checked())


def _claims(store: Store, known: Mapping[str, str]) -> Mapping[str, Sequence[tuple[str, int, str]]]:
    """By conversation, the quotes from its messages that are stored as verified and are about the content that it has
    (`known`: content hashes by id).
    """
    found: dict[str, list[tuple[str, int, str]]] = {}
    for name, content_hash, criterion, message, quote in store.rows(
        "select j.conversation_id, j.content_hash, e.criterion, e.message, e.quote from evidence as e "
        "join judgement as j using (key) where j.conversation_id in (select unnest(?)) and e.verified "
        "and e.message <> ?",
        [list(known), POLICY],
    ):
        if known[name] == content_hash:
            found.setdefault(name, []).append((criterion, message, quote))
    return found


def _policies_and_rubrics(store: Store) -> Iterator[Checked]:
    policies = _Tally("policy hashes")
    hashes = {(p, v): h for p, v, h in store.rows("select policy_id, version, policy_hash from policy")}
    for policy in store.policies():
        policies.n += 1
        if policy.policy_hash != hashes[policy.policy_id, policy.version]:
            policies.wrong.append(f"{policy.policy_id} {policy.version}")
    yield policies.checked()
    rubrics = _Tally("rubric hashes")
    for name, version, meaning, label in store.rows("select name, version, meaning_hash, label_hash from rubric"):
        rubrics.n += 1
        rubric = stored_rubric(store, name, version)
        if rubric is None or (rubric.meaning_hash, rubric.label_hash) != (meaning, label):
            rubrics.wrong.append(f"{name}@{version}")
    yield rubrics.checked()


_EVERYBODY = ("customer", "ai", "human", "tool", "system", "unknown")
_QUERIES = {
    "judgements stored once": (
        "select count(*), list(key) filter (n > 1) from (select key, count(*) as n from judgement group by key)"
    ),
    "verdicts stored once": (
        "select count(*), list(key || ' ' || criterion) filter (n > 1) "
        "from (select key, criterion, count(*) as n from verdict group by all)"
    ),
    "evidence stored once": (
        "select count(*), list(key || ' ' || criterion) filter (n > 1) "
        "from (select key, criterion, position, count(*) as n from evidence group by all)"
    ),
    "verdicts and evidence with their judgement": (
        "select count(*), list(key) filter (not there) from (select key, key in (select key from judgement) as there "
        "from (select key from verdict union select key from evidence))"
    ),
    "judgements with a verdict for each criterion": (
        "select count(*), list(key) filter (n is null or n is distinct from wanted) from (select j.key, v.n, c.wanted "
        "from judgement as j left join (select key, count(*) as n from verdict group by key) as v using (key) "
        "left join (select rubric, rubric_version, count(*) as wanted from criterion group by all) as c "
        "using (rubric, rubric_version))"
    ),
    "flagged defects with a verified quote": (
        "select count(*), list(v.key || ' ' || v.criterion) filter (not exists (select 1 from evidence as e "
        "where e.key = v.key and e.criterion = v.criterion and e.verified)) "
        "from verdict as v where v.support = 'verified'"
    ),
    "complete runs with all their judgements": (
        "select count(*), list(run_id || ' ' || key) filter (key not in (select key from judgement)) from run_item "
        "where run_id in (select run_id from run where state = 'complete')"
    ),
}  # fmt: skip


def _journals(store: Store, folder: Path) -> Iterator[Checked]:
    """Every journaled judgement is in the database, word for word. Of two under one key either may be there. What a
    killed run left behind the mark of its journal is not missing: the next run takes it in.
    """
    lines, n_entries, n_waiting = _Tally("journal lines that can be read"), 0, 0
    marks = store.absorbed_all()
    missing: set[str] = set()
    differs: set[str] = set()
    agrees: set[str] = set()
    for path in journals(folder):
        batch: list[Judgement] = []
        for line, end in read(path):
            lines.n += 1
            if isinstance(line, Damage):
                lines.wrong.append(f"{path.name}:{line.line}")
            elif isinstance(line, Entry):
                judged = [j for j in line.judgements if j.failure is None]
                if end > marks.get(path.name, 0):
                    n_waiting += len(judged)
                else:
                    batch += judged
            if len(batch) >= CHUNK:
                n_entries += _compare(store, batch, missing, differs, agrees)
                batch = []
        n_entries += _compare(store, batch, missing, differs, agrees)
    yield lines.checked()
    absent, other = sorted(missing), sorted(differs - agrees)
    yield Checked("journaled judgements in the database", n_entries, len(absent), tuple(absent[:EXAMPLES]))
    yield Checked("journaled judgements as they were", n_entries, len(other), tuple(other[:EXAMPLES]))
    if n_waiting:
        yield Checked(WAITING, n_waiting, 0, ())


def _compare(store: Store, batch: Sequence[Judgement], missing: set[str], differs: set[str], agrees: set[str]) -> int:
    stored = {j.key: j for j in store.judgements([j.key for j in batch])}
    for judgement in batch:
        there = stored.get(judgement.key)
        if there is None:
            missing.add(judgement.key)
        elif _in_order(there) == _in_order(judgement):
            agrees.add(judgement.key)
        else:
            differs.add(judgement.key)
    return len(batch)


def _in_order(judgement: Judgement) -> Judgement:
    verdicts = sorted(judgement.verdicts, key=lambda v: v.criterion)
    return judgement.model_copy(update={"verdicts": tuple(verdicts)})
