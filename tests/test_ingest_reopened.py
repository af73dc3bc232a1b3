"""Conversations that a helpdesk reopened: where they are cut, what each part keeps, and that a return is seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import chatwoot_rows as cw
import intercom_rows as ic
import pytest
import zendesk_rows as zd
from ingest_reading import put

from grader.ingest.load import load
from grader.ingest.rows import Ledger
from grader.ingest.sources.reopened import beginnings, parts
from grader.outcomes.metrics import metrics
from grader.store import open_store

NOON = datetime(2026, 8, 3, 12, tzinfo=UTC)
DAY = 24 * 60


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def says(role: str, minute: float | None, text: str = "words", **more: Any) -> dict[str, Any]:
    return {"role": role, "text": text, "at": None if minute is None else at(minute), "attributes": {}, **more}


def happened(kind: str, after: int, minute: float | None) -> dict[str, Any]:
    return {"kind": kind, "after": after, "at": None if minute is None else at(minute)}


FIRST = [says("customer", 0), says("ai", 1)]
CLOSED = happened("closed", 2, 2)


@pytest.mark.parametrize(("messages", "events", "expected"), [
    ([*FIRST, says("customer", DAY)], [CLOSED], [3]),
    ([*FIRST, says("customer", DAY)], [], []),  # never closed
    ([*FIRST, says("customer", 16)], [CLOSED], []),  # 15 minutes after the last words: goes on
    ([*FIRST, says("customer", 16.1)], [CLOSED], [3]),
    ([*FIRST, says("customer", DAY)], [CLOSED, happened("reopened", 2, DAY - 0.5)], [3]),  # its own reopening
    ([*FIRST, says("customer", DAY)], [CLOSED, happened("reopened", 3, DAY)], [3]),
    ([*FIRST, says("customer", DAY)], [CLOSED, happened("reopened", 2, 60)], []),  # a colleague's
    ([*FIRST, says("customer", DAY)], [CLOSED, happened("reopened", 2, None)], []),
    ([*FIRST, says("human", 60), says("customer", DAY)], [CLOSED], []),  # an answer to what was written later
    ([*FIRST, says("human", 3), says("customer", DAY)], [CLOSED], [4]),  # a farewell after closing
    ([*FIRST, says("unknown", 60), says("customer", DAY)], [CLOSED], []),
    ([*FIRST, says("system", 60), says("customer", DAY)], [CLOSED], [4]),  # a survey
    ([*FIRST, says("human", 60, kind="note"), says("customer", DAY)], [CLOSED], [4]),
    ([*FIRST, says("customer", None)], [CLOSED], []),  # nobody knows when
    ([says("ai", 0), says("customer", DAY)], [happened("closed", 1, 1)], []),  # the customer had said nothing before
    ([*FIRST, says("customer", DAY, " \u200e"), says("customer", DAY + 1)], [CLOSED], []),
    ([*FIRST, says("customer", DAY, "", kind="voice")], [CLOSED], [3]),
    ([*FIRST, says("customer", DAY), says("ai", DAY + 1), says("customer", 2 * DAY)],
     [CLOSED, happened("closed", 4, DAY + 2)], [3, 5]),
    ([*FIRST, says("customer", DAY), says("ai", DAY + 1), says("customer", 2 * DAY)], [CLOSED], [3]),
])  # fmt: skip
def test_a_return_is_the_customers_own_and_late_and_to_something_closed(
    messages: list[Any], events: list[Any], expected: list[int]
) -> None:
    assert beginnings(messages, events, Ledger()) == expected


def test_each_part_has_its_own_messages_events_and_ends() -> None:
    row = {
        "conversation_id": "7", "started_at": at(0), "state": "open", "queue": "returns",
        "messages": [*FIRST, says("customer", DAY), says("human", DAY + 5)],
        "events": [CLOSED, happened("reopened", 2, DAY - 0.1), happened("assigned", 3, DAY + 1)],
        "references": [{"kind": "order", "value": "A-1"}], "attributes": {"tags": ["x"]},
    }  # fmt: skip
    first, second = parts(row, Ledger())
    assert first | {"messages": [], "events": []} == {
        **row, "messages": [], "events": [], "state": "closed", "ended_at": at(2),
    }  # fmt: skip
    assert (len(first["messages"]), first["events"]) == (2, [CLOSED])
    assert second["conversation_id"] == "7#2026-08-04T12:00:00Z"
    assert (second["started_at"], second["initiated_by"], second["state"]) == (at(DAY), "customer", "open")
    assert [(e["kind"], e["after"]) for e in second["events"]] == [("reopened", 0), ("assigned", 1)]
    assert second["references"] == [{"kind": "order", "value": "A-1"}, {"kind": "continues", "value": "7"}]
    assert parts(row, Ledger(), ticket=True)[0]["references"][-1] == {"kind": "ticket", "value": "7"}


def test_a_longer_export_leaves_the_ids_and_an_export_that_begins_later_has_the_same() -> None:
    later = [says("customer", DAY), says("ai", DAY + 1), says("customer", 3 * DAY)]
    whole = {"conversation_id": "7", "messages": [*FIRST, *later],
             "events": [CLOSED, happened("closed", 4, DAY + 2)]}  # fmt: skip
    ids = [part["conversation_id"] for part in parts(whole, Ledger())]
    assert ids == ["7", "7#2026-08-04T12:00:00Z", "7#2026-08-06T12:00:00Z"]
    shorter = {**whole, "messages": whole["messages"][:4], "events": whole["events"][:1]}
    assert [part["conversation_id"] for part in parts(shorter, Ledger())] == ids[:2]
    cut_off = {**whole, "messages": later, "events": [happened("closed", 2, DAY + 2)], "truncated": True}
    found = parts(cut_off, Ledger())
    assert [(part["conversation_id"], part.get("truncated")) for part in found] == [("7", True), (ids[2], None)]
    assert all(part["truncated"] for part in parts(cut_off, Ledger(), begins=False))


# ── Chatwoot ──

BACK = 2 * 24 * 3600  # seconds after T
RETURN = [
    cw.said("message_created", BACK, "incoming", "it is broken again", cw.CONTACT, "open"),
    cw.hook("conversation_status_changed", BACK + 0.2, "open", changed_attributes=cw.changed("resolved", "open")),
    cw.said("message_created", BACK + 60, "outgoing", "Oh no. A new one is on its way.", cw.AGENT, "open"),
    cw.hook("conversation_status_changed", BACK + 90, "resolved", changed_attributes=cw.changed("open", "resolved")),
]  # fmt: skip


def test_chatwoots_return_is_a_conversation_of_its_own_and_the_rows_still_add_up(tmp_path: Path) -> None:
    rows = [*cw.LOG, *RETURN]
    found = cw.of(tmp_path, rows)
    assert (found.kept, found.problems) == (len(rows), [])
    first, second = found.conversations
    assert (first.conversation_id, second.conversation_id) == ("55", "55#2026-08-05T18:00:00Z")
    assert [m.text for m in second.messages] == ["it is broken again", "Oh no. A new one is on its way."]
    assert [(e.kind, e.after) for e in second.events] == [("reopened", 1), ("closed", 2)]
    assert (first.state, second.state, second.initiated_by) == ("closed", "closed", "customer")
    assert first.contact == second.contact
    assert "came back" in found.notes
    assert cw.of(tmp_path, cw.LOG).conversations[0].content_hash == first.content_hash
    (whole,) = cw.of(tmp_path, rows, split_reopened="no").conversations
    assert len(whole.messages) == len(first.messages) + len(second.messages)


@pytest.mark.parametrize(("line", "more"), [
    ("Conversation was marked resolved by Rui", {}),
    ("Conversa foi marcada como resolvida por Rui", {}),
    ("A conversa foi marcada como resolvida pelo sistema por ter 3 dias de inatividade", {}),
    ("La conversación fue marcada por Rui", {}),
    ("La conversation a été marquée résolue par Rui", {}),
    ("Das Gespräch wurde von Rui gelöst", {}),
    ("La conversazione è stata contrassegnata come risolta da Rui", {}),
    ("Samtalen blev markeret som løst af Rui", {"resolved_words": "markeret som løst"}),
    ("?", {"activity": True}),
])  # fmt: skip
def test_chatwoots_own_lines_tell_of_a_resolving_in_pages_of_the_api(
    tmp_path: Path, line: str, more: dict[str, Any]
) -> None:
    told = (
        {"activity": {"type": "conversation_status_changed", "status": "resolved"}} if more.pop("activity", 0) else {}
    )
    talk = [
        cw.message(1, 0, "hi", cw.CONTACT), cw.message(2, 1, "Hello!", cw.BOT),
        cw.message(3, 2, line, content_attributes=told), cw.message(4, 0, "again me", cw.CONTACT, at=BACK),
        cw.message(5, 2, line, at=BACK + 60, content_attributes=told),
        cw.message(6, 0, "and again", cw.CONTACT, at=2 * BACK),
    ]  # fmt: skip
    for rows in ([cw.page(talk), cw.conversation(messages=[talk[-1]])], [cw.conversation(messages=talk)]):
        found = cw.of(tmp_path, rows, **more)
        assert not found.problems
        assert [[m.text for m in c.messages if m.kind != "event"] for c in found.conversations] == [
            ["hi", "Hello!"], ["again me"], ["and again"],
        ]  # fmt: skip
        assert [c.state for c in found.conversations] == ["closed", "closed", "open"]
    assert cw.of(tmp_path, [cw.page(talk)], **more).conversations[-1].state == "open"  # nothing but the lines tells
    assert cw.of(tmp_path, [cw.page(talk[:5])], **more).conversations[-1].state == "closed"


def test_what_a_person_writes_resolves_nothing(tmp_path: Path) -> None:
    line = "Conversation was marked resolved by Rui"
    talk = [cw.message(1, 0, "hi", cw.CONTACT), cw.message(2, 1, line, cw.AGENT),
            cw.message(3, 0, line, cw.CONTACT), cw.message(4, 0, "again me", cw.CONTACT, at=BACK)]  # fmt: skip
    (record,) = cw.of(tmp_path, [cw.page(talk)]).conversations
    assert not [e for e in record.events if e.kind == "closed"]


def test_each_survey_of_chatwoots_is_of_the_part_that_it_was_asked_in(tmp_path: Path) -> None:
    def rated(number: int, at_: int, stars: int) -> dict[str, Any]:
        answer = {"rating": stars, "feedback_message": None}
        return cw.message(number, 3, "Rate us", at=at_, content_type="input_csat", updated_at=cw.T + 3 * BACK + number,
                          content_attributes={"submitted_values": {"csat_survey_response": answer}})  # fmt: skip

    done = "Conversation was marked resolved by Rui"
    talk = [
        cw.message(1, 0, "hi", cw.CONTACT), cw.message(2, 2, done), rated(3, 3, 2),
        cw.message(4, 0, "again me", cw.CONTACT, at=BACK), cw.message(5, 2, done, at=BACK + 60), rated(6, BACK + 61, 5),
    ]  # fmt: skip
    found = cw.of(tmp_path, [cw.page(talk)])
    assert [(o.conversation_id, o.csat) for o in found.outcomes] == [("55", 2), ("55#2026-08-05T18:00:00Z", 5)]


# ── Intercom ──


def closed_and_back(**more: Any) -> dict[str, Any]:
    return ic.conversation(
        ic.part(10, ic.FIN, "<p>Done.</p>"), ic.part(20, ic.ADMIN, kind="close"),
        ic.part(90_000, ic.CUSTOMER, "<p>still broken</p>", kind="open"),
        ic.part(90_060, ic.FIN, "<p>I pass you on.</p>"),
        ic.part(90_070, ic.FIN, kind="assignment", assigned_to={"type": "team", "id": "9"}),
        ic.part(90_090, ic.ADMIN, "<p>Ana here.</p>"), **more,
    )  # fmt: skip


def test_intercoms_return_has_its_own_handoff_and_the_rating_goes_where_it_was_given(tmp_path: Path) -> None:
    rating = {"rating": 2, "remark": "slow", "created_at": ic.T0 + 30, "updated_at": ic.T0 + 40}
    statistics = {"last_close_at": ic.T0 + 20, "first_contact_reply_at": ic.T0, "adjusted_handling_time": 600}
    agent = {"resolution_state": "escalated", "rating": None}
    given = closed_and_back(conversation_rating=rating, statistics=statistics, ai_agent=agent)
    found = ic.reads(tmp_path, given)
    assert (found.rows, found.rejected) == (1, [])
    first, second = found.conversations
    assert [m.text for m in second.messages] == ["still broken", "I pass you on.", "Ana here."]
    assert [(e.kind, e.after) for e in second.events] == [("reopened", 1), ("handoff", 2)]
    assert [e.kind for e in first.events] == ["closed"]
    assert second.references[-1].value == "503"
    rated, other = found.outcomes
    assert (rated.conversation_id, rated.csat, rated.csat_comment, rated.handled_by) == ("503", 2, "slow", "ai")
    assert rated.resolution_minutes == pytest.approx(20 / 60)
    assert (other.conversation_id, other.csat, other.handled_by) == (second.conversation_id, None, "both")
    assert (other.handle_minutes, other.attributes["handle_minutes_of_all_parts"]) == (None, 10)
    assert len(ic.reads(tmp_path, given, split_reopened="false").conversations) == 1


def test_fins_rating_without_a_time_is_of_the_last_part_in_which_it_spoke(tmp_path: Path) -> None:
    given = ic.conversation(
        ic.part(10, ic.FIN, "<p>Done.</p>"), ic.part(20, ic.ADMIN, kind="close"),
        ic.part(90_000, ic.CUSTOMER, "<p>still broken</p>", kind="open"), ic.part(90_090, ic.ADMIN, "<p>Ana.</p>"),
        ai_agent={"rating": 4, "resolution_state": "assumed_resolution"},
    )  # fmt: skip
    assert [(o.conversation_id, o.csat) for o in ic.reads(tmp_path, given).outcomes if o.csat] == [("503", 4)]


# ── Zendesk ──


def solved_and_back(day: str = "2026-08-05") -> list[Any]:
    return [
        zd.audit(1, {"id": 1, "type": "Comment", "author_id": zd.CUSTOMER, "body": "the lid is broken", "public": True},
                 zd.change("status", None, "new", "Create"), author=zd.CUSTOMER),
        zd.audit(2, {"id": 2, "type": "Comment", "author_id": zd.BOT, "body": "Sent a new one.", "public": True},
                 zd.change("status", "new", "solved"), author=zd.BOT),
        zd.audit(3, {"id": 3, "type": "Comment", "author_id": zd.CUSTOMER, "body": "this one too", "public": True},
                 zd.change("status", "solved", "open"), author=zd.CUSTOMER, created_at=f"{day}T09:00:00Z"),
    ]  # fmt: skip


def test_a_zendesk_ticket_that_was_solved_and_reopened_is_two_about_one_ticket(tmp_path: Path) -> None:
    rows = (zd.ticket(status="open", description="the lid is broken"), *solved_and_back())
    found = zd.reads(tmp_path, rows, bot_ids="777")
    assert (found.rows, found.rejected) == (4, [])
    first, second = found.conversations
    assert (first.conversation_id, second.conversation_id) == ("35", "35#2026-08-05T09:00:00Z")
    assert (first.state, second.state) == ("closed", "open")
    assert {("ticket", "35")} <= {(r.kind, r.value) for r in first.references} & {
        (r.kind, r.value) for r in second.references
    }
    assert [e.kind for e in second.events] == ["reopened"]
    (whole,) = zd.reads(tmp_path, rows, bot_ids="777", split_reopened="no").conversations
    assert len(whole.messages) == 3


def test_the_metrics_tell_of_a_solving_where_there_are_no_audits(tmp_path: Path) -> None:
    talk = [zd.comment(1), zd.comment(2, zd.BOT, "Sent a new one."),
            zd.comment(3, body="this one too", created_at="2026-08-05T09:00:00Z")]  # fmt: skip
    metric = {"solved_at": "2026-08-03T14:30:00Z", "ticket_id": 35}
    rows = ({**zd.ticket(comments=talk), "metric_set": metric},)
    assert len(zd.reads(tmp_path, rows, bot_ids="777").conversations) == 2
    metric["solved_at"] = "2026-08-05T10:00:00Z"
    assert len(zd.reads(tmp_path, rows, bot_ids="777").conversations) == 1


# ── in the store ──


def test_the_return_counts_as_a_recontact_and_ingesting_again_changes_nothing(tmp_path: Path) -> None:
    later = [cw.said("message_created", 3 * BACK, "incoming", "another thing", cw.CONTACT, "open")]
    rows = json.loads(json.dumps([*cw.LOG, *RETURN, *later]))
    for number, row in enumerate(rows[len(cw.LOG) :]):
        row.get("conversation", row)["custom_attributes"] = {"order_id": f"Q-{number // len(RETURN)}"}
    with open_store(tmp_path / "x.duckdb") as store:
        grown = [load(put(tmp_path, rows[:n], "log.jsonl"), store) for n in (len(cw.LOG), len(rows), len(rows))]
        assert [(one.rows_in, one.kept) for one in grown] == [(n, n) for n in (len(cw.LOG), len(rows), len(rows))]
        assert [(one.new, one.changed, one.unchanged) for one in grown][1:] == [(2, 1, 0), (0, 0, 3)]
        (seen,) = metrics(store, window_hours=72)
    # The first came back within 72 hours, the second did not; the third is open. Each was about another order, and a
    # reference to the part before says nothing of the issue.
    assert (seen.n_episodes, seen.n_closed, seen.n_came_back, seen.n_same_issue) == (3, 2, 1, 0)


def test_that_a_part_continues_another_says_nothing_of_the_issue(tmp_path: Path) -> None:
    later = [cw.said("message_created", 2 * BACK, "incoming", "another thing", cw.CONTACT, "open")]
    end = [{**cw.said("message_created", 9 * BACK, "incoming", "hello", cw.CONTACT, "open"), "id": 99}]
    rows = json.loads(json.dumps([*cw.LOG, *RETURN, *later, *end]))
    for row in rows:
        row.get("conversation", row)["custom_attributes"] = {}
    end_row = rows[-1]["conversation"]
    end_row["id"], end_row["meta"]["sender"] = 77, {"id": 5, "type": "contact", "email": "bo@shop.example"}
    with open_store(tmp_path / "x.duckdb") as store:
        load(put(tmp_path, rows), store)
        (seen,) = metrics(store, window_hours=72)
    # The first and the second came back within 72 hours; about what, nobody knows.
    assert (seen.n_came_back, seen.n_same_issue, seen.n_issue_unknown) == (2, 0, 2)


def test_a_reopened_ticket_is_a_recontact_about_the_same_issue(tmp_path: Path) -> None:
    rows = [zd.ticket(status="open", description="the lid is broken"), *solved_and_back()]
    other = zd.ticket(36, requester_id=5, submitter_id=5, created_at="2026-09-01T00:00:00Z")
    with open_store(tmp_path / "x.duckdb") as store:
        load(put(tmp_path, [*rows, other]), store, options={"bot_ids": "777"})
        (seen,) = metrics(store)
    assert (seen.n_came_back, seen.n_same_issue) == (1, 1)
