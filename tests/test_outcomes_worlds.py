"""Recontact in random worlds, against a count by nested loops that shares nothing with the SQL."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from engine_parts import fresh_store
from report_data import World, says

from grader import outcomes
from grader.model import Contact, Conversation, Identity, Reference

GAP = timedelta(minutes=15)
LONGEST = timedelta(days=30)
BEGIN = datetime(2026, 10, 20, tzinfo=UTC)  # clocks go back in Lisbon on 25 October and in New York on 1 November
ZONES = (UTC, timezone(timedelta(hours=-3)), timezone(timedelta(hours=5, minutes=30)), ZoneInfo("Europe/Lisbon"),
         ZoneInfo("America/New_York"))  # fmt: skip
SUBJECTS = (
    "the blender arrived broken and leaks water everywhere",
    "blender arrived broken, leaks water everywhere again",
    "please send the invoice for my last shoes order",
    "where is my parcel",
)


@dataclass
class Talk:
    """One conversation, as the world planted it."""

    name: str
    person: int | None
    start: datetime | None
    end: datetime | None
    began: str
    excluded: str | None
    state: str | None
    judged: str | None
    source: str | None
    refs: frozenset[tuple[str, str]]
    text: str


def planted(rng: random.Random) -> list[Talk]:
    """60 conversations of 9 people, some without identity or time; ties, overlaps and edges of windows are frequent."""
    found = []
    for n in range(60):
        start = BEGIN + timedelta(hours=6 * rng.randrange(160), minutes=rng.choice([0, 0, 15, 16, 59]))
        minutes = rng.choice([0, 10, 45, 60 * 30])
        timeless = rng.random() < 0.04
        found.append(Talk(
            name=f"c{rng.randrange(10**6):06}-{n}", person=rng.randrange(9) if rng.random() < 0.92 else None,
            start=None if timeless else start, end=None if timeless else start + timedelta(minutes=minutes),
            began="business" if rng.random() < 0.1 else "customer",
            excluded=rng.choice(["spam", "survey", "outbound"]) if rng.random() < 0.08 else None,
            state=rng.choice([None, "closed", "open"] if rng.random() < 0.3 else [None, "closed"]),
            judged=rng.choice([None, None, "exchange", "refund"]), source=rng.choice([None, None, "A", "B"]),
            refs=frozenset({rng.choice([("order", "1"), ("order", "2"), ("ticket", "7")])}) if rng.random() < 0.2
            else frozenset(), text=rng.choice(SUBJECTS),
        ))  # fmt: skip
    return found


def build(w: World, talks: list[Talk], rng: random.Random) -> None:
    """Each person has a phone and an e-mail; a conversation shows one of them or both, so that contacts merge."""
    both = {p: next((t.name for t in talks if t.person == p), None) for p in range(9)}
    for t in talks:
        shown = []
        if t.person is not None:
            phone, mail = (
                Identity(kind="phone", value=f"+55 11 99999-02{t.person:02}"),
                Identity(kind="email", value=f"P{t.person}@Example.com"),
            )
            shown = [phone, mail] if both[t.person] == t.name else [rng.choice([phone, mail])]
        zone = rng.choice(ZONES)
        start, end = (None if at is None else at.astimezone(zone) for at in (t.start, t.end))
        w.add(Conversation(
            conversation_id=t.name, queue="orders", contact=Contact(identities=tuple(shown)), started_at=start,
            ended_at=end, state=t.state, initiated_by=t.began, excluded=t.excluded, reason=t.source,
            references=tuple(Reference(kind=k, value=v) for k, v in sorted(t.refs)),
            messages=(says("customer", t.text, start), says("ai", f"An answer to {t.name}.", end)),
        ))  # fmt: skip
        w.judged(t.name)
        w.judged(t.name, "resolution", {"contact_reason": t.judged or "cannot_assess"})
    w.finish()


@dataclass
class Episode:
    """Conversations of one person that follow each other within the gap."""

    talks: list[Talk]

    @property
    def start(self) -> datetime:
        return min(t.start for t in self.talks if t.start)

    @property
    def clock(self) -> datetime:
        return max(t.end for t in self.talks if t.end)

    @property
    def order(self) -> tuple[datetime, str]:
        return self.start, self.talks[0].name


def episodes(talks: list[Talk]) -> dict[int, list[Episode]]:
    found: dict[int, list[Episode]] = defaultdict(list)
    placed = [t for t in talks if t.person is not None and t.start is not None and t.excluded is None]
    for t in sorted(placed, key=lambda t: (t.start, t.name)):
        assert t.person is not None
        assert t.start is not None
        mine = found[t.person]
        if mine and t.start <= mine[-1].clock + GAP:
            mine[-1].talks.append(t)
        else:
            mine.append(Episode([t]))
    return found


def same(a: Episode, b: Episode) -> bool | None:
    """Whether two episodes are about one issue; None where nothing tells."""
    refs = [{r for t in e.talks for r in t.refs} for e in (a, b)]
    if {kind for kind, _ in refs[0]} & {kind for kind, _ in refs[1]}:
        return bool(refs[0] & refs[1])
    for field in ("judged", "source"):
        one, other = (next((v for t in e.talks if (v := getattr(t, field))), None) for e in (a, b))
        if one and other:
            return bool(one == other)
    words = [set(re.findall(r"\w{3,}", e.talks[0].text.lower())) for e in (a, b)]
    if all(len(w) >= 5 for w in words) and len(words[0] & words[1]) >= 0.5 * len(words[0] | words[1]):
        return True
    return None


def counted(talks: list[Talk], window: timedelta) -> dict[str, int]:
    data_end = max(at for t in talks for at in (t.start, t.end) if at)
    by_person = episodes(talks)
    n: dict[str, int] = defaultdict(int)
    for t in talks:
        if t.person is None:
            n["no_identity"] += 1
            continue
        if t.start is None:
            n["no_time"] += 1
            continue
        if t.excluded:
            n["excluded"] += 1
            continue
        episode = next(e for e in by_person[t.person] if t in e.talks)
        if episode.talks[-1] is not t:
            n["continued"] += 1
        elif episode.talks[0].began != "customer":
            n["not_customer"] += 1
        elif t.state == "open":
            n["open"] += 1
        elif episode.clock > data_end - window:
            n["not_yet_known"] += 1
        else:
            until = episode.clock + window
            returns = [
                e for e in by_person[t.person]
                if e.order > episode.order and e.talks[0].began == "customer" and e.start <= until
            ]  # fmt: skip
            issues = [same(episode, e) for e in returns]
            n["matured"] += 1
            n["came_back"] += bool(returns)
            n["same_issue"] += True in issues
            n["issue_unknown"] += True not in issues and None in issues
    return n


@pytest.mark.parametrize("part", range(5))
def test_recontact_equals_a_count_by_nested_loops_in_random_worlds(tmp_path: Path, part: int) -> None:
    seen: dict[str, int] = defaultdict(int)
    for seed in range(10 * part, 10 * part + 10):
        rng = random.Random(seed)
        talks = planted(rng)
        (tmp_path / str(seed)).mkdir()
        with fresh_store(tmp_path / str(seed)) as store:
            w = World(store)
            build(w, talks, rng)
            found = [r for r in outcomes.figures(store).recontacts if r.overall]
        assert len(found) >= 3
        for r in found:
            expected = counted(talks, timedelta(hours=r.window_hours))
            names = ("matured", "came_back", "same_issue", "issue_unknown", "not_yet_known", "continued",
                     "no_identity", "no_time", "excluded", "not_customer", "open")  # fmt: skip
            assert {n: getattr(r, f"n_{n}") for n in names} == {n: expected[n] for n in names}, f"world {seed}"
            for name in names:
                seen[name] += expected[name]
    assert all(seen[name] > 0 for name in seen)
    assert min(seen["same_issue"], seen["issue_unknown"], seen["continued"], seen["open"]) > 5
