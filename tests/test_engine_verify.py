"""A database that was tampered with is found out, whatever was changed; a whole one is never accused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_parts import SmallJudge, Workplace, failure, opinion, talk, workplace

from grader.engine.verify import Checked, verify
from grader.judge import Case, Opinion
from grader.model import Contact, Identity, Policy


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, a failure, a policy, a conversation that changed since it was judged, and one judged twice over."""

    def say(case: Case) -> Opinion:
        return failure() if case.conversation.conversation_id == "c002" else opinion(case)

    folder = tmp_path_factory.mktemp("judged")
    with workplace(folder) as made:
        made.store.add([(Policy(policy_id="p", text="R1. No refunds."), None, None)])
        made.fill(talk("twin1", "hi", "hello"), talk("twin2", "hi", "hello"))
        made.run(SmallJudge(say))
        made.run(SmallJudge(say), group_all=True)
        contact = Contact(identities=(Identity(kind="email", value="a@b.c"),))
        made.fill(talk("c003", "changed", "since", contact=contact))
    return folder


@pytest.fixture
def place(judged: Path, tmp_path: Path) -> Iterator[Workplace]:
    """A copy of it, to tamper with."""
    shutil.copytree(judged, tmp_path / "shop")
    made = Workplace(tmp_path / "shop")
    yield made
    made.close()


def wrong(place: Workplace) -> dict[str, Checked]:
    return {c.name: c for c in verify(place.store, place.journals) if c.n_wrong}


def test_a_whole_database_passes_every_check_and_each_looked_at_something(place: Workplace) -> None:
    found = verify(place.store, place.journals)
    assert [c for c in found if c.n_wrong] == []
    idle = {c.name for c in found if not c.n_checked}
    assert idle == {"complete runs with all their judgements"}  # both runs have a failure
    place.run()
    assert all(c.n_checked and not c.n_wrong for c in verify(place.store, place.journals))


INPUT = {"conversation hashes", "conversation records"}
ALTERED = "journaled judgements as they were"
ONE = "select key from evidence where quote like 'It%' order by key limit 1"
C000 = "select key from judgement where conversation_id = 'c000'"
TAMPERINGS: dict[str, set[str]] = {
    "update message set text = 'It came today.' where number = 2": {*INPUT, "verified quotes"},
    "delete from message where conversation_id = 'c001' and number = 1": {*INPUT, "verified quotes"},
    "update message set role = 'human' where conversation_id = 'c001' and number = 2": INPUT,
    "update conversation set as_given = json_merge_patch(as_given, '{\"contact\":{\"name\":\"Eve\"}}')": INPUT - {
        "conversation hashes"
    },
    f"update evidence set quote = 'It came today.' where key in ({ONE})": {"verified quotes", ALTERED},
    f"update evidence set quote = 'tomorrow' where key in ({ONE})": {ALTERED},  # it stands there, but was not the quote
    f"delete from evidence where key in ({ONE})": {"flagged defects with a verified quote", ALTERED},
    f"update verdict set answer = 'absent' where key in ({ONE})": {ALTERED},
    "update verdict set support = 'verified' where answer = 'absent'": {
        "flagged defects with a verified quote", ALTERED,
    },
    "update verdict set reasoning = 'other' where reasoning is not null": {ALTERED},
    f"delete from verdict where criterion = 'rude' and key in ({C000})": {
        "judgements with a verdict for each criterion", ALTERED,
    },
    "delete from judgement where conversation_id = 'c000'": {
        "verdicts and evidence with their judgement", "journaled judgements in the database",
    },
    "insert into judgement select * from judgement limit 1": {"judgements stored once"},
    "insert into verdict select * from verdict limit 1": {
        "verdicts stored once", "judgements with a verdict for each criterion", ALTERED,
    },
    "insert into evidence select * from evidence limit 1": {"evidence stored once", ALTERED},
    "update judgement set model = 'a better one' where conversation_id = 'c000'": {ALTERED},
    "update policy set text = 'R1. Refunds for all.'": {"policy hashes"},
    "update rubric set body = json_merge_patch(body, '{\"title\":\"Other\"}') where name = 'beta'": {"rubric hashes"},
}  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_what_was_changed_behind_its_back_is_found(place: Workplace, tampering: str) -> None:
    place.rows(tampering)
    found = wrong(place)
    assert set(found) == TAMPERINGS[tampering]
    assert all(c.examples and c.n_wrong <= max(c.n_checked, 1) for c in found.values())


def test_a_judgement_missing_from_a_complete_run_is_found_even_without_its_journal(place: Workplace) -> None:
    place.run()
    for journal in place.journals.iterdir():
        journal.unlink()
    place.rows("delete from verdict where key in (select key from judgement where conversation_id = 'c000')")
    place.rows("delete from evidence where key in (select key from judgement where conversation_id = 'c000')")
    place.rows("delete from judgement where conversation_id = 'c000'")
    assert set(wrong(place)) == {"complete runs with all their judgements"}


def test_a_damaged_journal_line_is_told_with_its_place(place: Workplace) -> None:
    journal = min(place.journals.iterdir())
    whole = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*whole[:4], b"{}\n", *whole[5:]]))
    assert wrong(place)["journal lines that can be read"].examples == (f"{journal.name}:5",)


def test_verifying_writes_nothing(place: Workplace) -> None:
    before = place.results()
    verify(place.store, place.journals)
    assert place.results() == before
