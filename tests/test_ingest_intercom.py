"""Intercom's API JSON: what is a conversation, who speaks in it, and what happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpdesk import happened, said
from intercom_rows import ADMIN, CUSTOMER, FIN, OPERATOR, T0, conversation, one, part, reads

from grader.ingest.sources import intercom

# ── files and rows ──


@pytest.mark.parametrize("content", [
    conversation(),
    [conversation()],
    json.dumps(conversation(), indent=2),
    json.dumps([conversation()], indent=2),
    {"type": "conversation.list", "pages": {}, "total_count": 1, "conversations": [conversation()]},
    {"conversations": [conversation()]},
    {"data": [conversation()]},
    {"conversation": conversation()},
    (conversation(),),
    ({"type": "conversation.list", "conversations": [conversation()]}, conversation(id="504")),
])  # fmt: skip
def test_a_conversation_is_found_wherever_it_stands(tmp_path: Path, content: Any) -> None:
    found = reads(tmp_path, content)
    assert found.conversations[0].conversation_id == "503"
    assert said(found.conversations[0]) == [("customer", "where is my order?")]
    assert not found.rejected
    assert found.rows == len(found.conversations)
    assert intercom.recognises(json.loads(f"[{Path(tmp_path / 'export.json').read_text()}]")
                               if not isinstance(content, tuple) else list(content))  # fmt: skip


@pytest.mark.parametrize(("row", "reason"), [
    ({"type": "tag", "id": "86", "name": "Manual tag", "applied_by": {"type": "admin", "id": "456"}}, "a tag"),
    ({"type": "job", "id": "20", "status": "pending", "resource_type": "ticket"}, "state of a job"),
    ({"customers": [{"type": "user", "id": "6762f19b1bb69f9f2193bbd4"}]}, "holds no conversation"),
    ({"type": "user_message", "id": "4", "body": "Hello", "message_type": "inapp", "conversation_id": "499"},
    "one message"),
    ({"type": "ticket_part", "id": "156", "part_type": "note", "body": "<p>x</p>"}, "one part of a ticket"),
    ({"type": "notification_event", "topic": "conversation.user.created", "data": {}}, "webhook"),
    ({"type": "error.list", "request_id": "1", "errors": [{"code": "not_found", "message": "No such"}]}, "No such"),
    ({"id": "5", "object": "conversation", "deleted": True}, "deleted"),
    ({"type": "conversation", "id": "5"}, "without source"),
    ({"type": "conversation.list", "conversations": []}, "is empty"),
    ({"type": "admin", "id": "5"}, "a teammate"),
    (5, "must be an object"),
    ([[]], "must be an object"),
    ({}, "its fields: none"),
])  # fmt: skip
def test_what_holds_no_conversation_is_rejected_as_what_it_is(tmp_path: Path, row: Any, reason: str) -> None:
    found = reads(tmp_path, row)
    assert (len(found.kept), len(found.rejected)) == (0, 1)
    assert reason in found.rejected[0].reason
    assert found.rejected[0].cure


def test_a_single_message_names_the_conversation_to_ask_for(tmp_path: Path) -> None:
    found = reads(tmp_path, {"type": "user_message", "id": "4", "body": "Hello", "conversation_id": "499"})
    assert "/conversations/499" in found.rejected[0].cure


def test_rows_are_counted_one_by_one_in_a_list(tmp_path: Path) -> None:
    page = {"type": "conversation.list", "conversations": [
        conversation(), {"type": "tag", "id": "1"}, conversation(id="2"), conversation(id=None), None,
    ]}  # fmt: skip
    found = reads(tmp_path, page)
    assert (len(found.conversations), len(found.rejected), found.rows) == (2, 3, 5)
    assert [one.field for one in found.rejected] == ["conversations[2]", "conversations[4].id", "conversations[5]"]


@pytest.mark.parametrize("rows", [
    [{"type": "conversation", "conversation_id": "a", "messages": [{"role": "customer", "text": "hi"}]}],
    [{"messages": [{"role": "user", "content": "hi"}]}],
    [{"event": "message_created", "id": 1, "content": "hi", "conversation": {"id": 5, "messages": []}}],
    [{"tickets": [{"id": 1, "subject": "x", "status": "new", "requester_id": 5, "via": {"channel": "api"}}]}],
    [{"events": [{"type": "Comment", "author": {"type": "bot"}, "content": {"type": "text"}}]}],
    [{"object": "whatsapp_business_account", "entry": []}], [{"trace_id": "1", "spans": []}], [], [None, 5, "x", []],
])  # fmt: skip
def test_other_formats_are_not_taken_for_intercom(rows: list[Any]) -> None:
    assert intercom.recognises(rows) is None


# ── who speaks ──


@pytest.mark.parametrize(("author", "more", "role"), [
    (CUSTOMER, {}, "customer"), ({"type": "lead", "id": "1"}, {}, "customer"),
    ({"type": "contact", "id": "1"}, {}, "customer"),
    (ADMIN, {}, "human"), ({"type": "team", "id": "1"}, {}, "human"),
    (FIN, {}, "ai"), ({"type": "bot", "id": "1"}, {}, "ai"),
    ({"type": "bot", "id": "1", "from_ai_agent": True}, {}, "ai"),
    ({**ADMIN, "from_ai_agent": True}, {}, "ai"), ({**ADMIN, "is_ai_answer": True}, {}, "ai"),
    (ADMIN, {"from_ai_agent": True}, "ai"),
    (OPERATOR, {}, "system"),
    ({"type": "operator", "id": "1"}, {}, "unknown"), ({"type": None, "id": None}, {}, "unknown"),
    (None, {}, "unknown"),
])  # fmt: skip
def test_the_author_decides_the_role(tmp_path: Path, author: Any, more: Any, role: str) -> None:
    assert said(one(tmp_path, part(1, author, "<p>x</p>", **more)))[1] == (role, "x")


def test_a_bot_of_a_conversation_without_the_ai_agent_is_not_the_ai(tmp_path: Path) -> None:
    bot = part(1, {"type": "bot", "id": "9"}, "<p>We are back on Monday.</p>")
    assert said(one(tmp_path, bot, ai_agent_participated=False))[1][0] == "system"
    found = reads(tmp_path, conversation(bot, ai_agent_participated=False), bot_role="ai")
    assert said(found.only())[1][0] == "ai"
    assert "bot_role" in reads(tmp_path, conversation(bot, ai_agent_participated=False)).told


def test_a_bot_of_which_nothing_is_said_is_not_taken_for_the_ai(tmp_path: Path) -> None:
    bot = part(1, {"type": "bot", "id": "9"}, "<p>We are back on Monday.</p>")
    found = reads(tmp_path, conversation(bot, ai_agent_participated=None))
    assert said(found.only())[1][0] == "unknown"
    assert "bot_role" in found.told
    assert (
        said(reads(tmp_path, conversation(bot, ai_agent_participated=None), bot_role="system").only())[1][0] == "system"
    )


def test_an_ai_that_writes_as_a_teammate_is_named_by_an_option(tmp_path: Path) -> None:
    row = conversation(part(1, ADMIN, "<p>hi</p>"))
    assert said(reads(tmp_path, row, ai_ids="274, 9").only())[1] == ("ai", "hi")
    assert said(reads(tmp_path, row, ai_ids=[274]).only())[1] == ("ai", "hi")


def test_a_campaign_in_a_teammates_name_is_no_human(tmp_path: Path) -> None:
    row = conversation(part(1, CUSTOMER, "<p>yes please</p>"))
    row["source"] |= {"delivered_as": "automated", "author": ADMIN, "body": "<p>Try our new lids</p>"}
    found = reads(tmp_path, row).only()
    assert said(found) == [("system", "Try our new lids"), ("customer", "yes please")]
    assert (found.initiated_by, found.excluded) == ("business", None)


# ── what was said ──


def test_html_becomes_text_and_names_stay_outside(tmp_path: Path) -> None:
    found = one(
        tmp_path, part(1, FIN, '<p>See <a href="https://shop.example/r">the rules</a>.</p>\n<ul><li>R1</li></ul>')
    )
    assert found.messages[1].text == "See the rules (https://shop.example/r).\n\n- R1"
    assert "Joe Bloggs" not in found.model_dump_json()
    assert "<p>" not in found.model_dump_json()


def test_notes_are_notes_and_a_summary_by_the_ai_is_one_too(tmp_path: Path) -> None:
    found = one(
        tmp_path, part(1, ADMIN, "<p>ask Ben</p>", "note"), part(2, FIN, "<p>wants a refund</p>", "note_and_reopen")
    )
    assert [(m.kind.value, m.role.value) for m in found.messages[1:]] == [("note", "human"), ("note", "ai")]


def test_attachments_make_the_kind_and_leave_no_key_behind(tmp_path: Path) -> None:
    def file(kind: str) -> dict[str, Any]:
        address = "https://downloads.intercomcdn.com/i/o/1/lid.png?expires=1&signature=SECRET"
        return {"type": "upload", "name": "lid.png", "url": address, "content_type": kind, "filesize": 10}

    found = one(
        tmp_path, part(1, body=None, attachments=[file("image/png")]),
        part(2, body="<p>look</p>", attachments=[file("audio/ogg")]),
        part(3, body=None, attachments=[file("application/pdf")]), part(4, body='<p><img src="https://x/y.png"></p>'),
    )  # fmt: skip
    assert [m.kind.value for m in found.messages[1:]] == ["image", "voice", "file", "image"]
    assert found.messages[1].attributes["attachments"][0]["name"] == "lid.png"
    assert "SECRET" not in found.model_dump_json()


def test_a_redacted_part_says_so(tmp_path: Path) -> None:
    found = reads(tmp_path, conversation(part(1, body="<p><i>This message was deleted</i></p>", redacted=True)))
    assert found.only().messages[1].attributes["redacted"] is True
    assert "redacted" in found.told


def test_quick_replies_are_the_words_that_are_offered(tmp_path: Path) -> None:
    offered = {"quick_reply_options": [{"text": "Refund", "uuid": "1"}, {"text": "Exchange", "uuid": "2"}]}
    assert one(tmp_path, part(1, FIN, None, "quick_reply", metadata=offered)).messages[1].text == "Refund\nExchange"


def test_messages_stand_in_the_order_of_time_behind_the_source(tmp_path: Path) -> None:
    shuffled = [part(n, body=f"<p>{n}</p>") for n in (3, 1, 2, 2)]
    found = reads(tmp_path, conversation(*shuffled))
    assert [text for _, text in said(found.only())[1:]] == ["1", "2", "2", "3"]
    assert "order of time" in found.told
    newest_first = reads(tmp_path, conversation(*(part(n, body=f"<p>{n}</p>") for n in (3, 2, 1))))
    assert [text for _, text in said(newest_first.only())[1:]] == ["1", "2", "3"]
    early = reads(tmp_path, conversation(part(1, body="<p>a</p>", created_at=T0 - 9999)))
    assert said(early.only())[0] == ("customer", "where is my order?")
    assert early.only().messages[0].at is None


# ── what happened ──


def test_parts_that_change_the_state_become_events_behind_their_message(tmp_path: Path) -> None:
    found = one(
        tmp_path, part(1, FIN, "<p>Delivered.</p>"), part(2, FIN, "<p>Bye</p>", "close"),
        part(3, CUSTOMER, "<p>no!</p>", "open"),
        part(4, ADMIN, None, "snoozed"), part(5, ADMIN, None, "unsnoozed"), part(6, ADMIN, None, "close"),
        part(7, CUSTOMER, None, "conversation_rating_changed"),
        part(8, CUSTOMER, "<p>meh</p>", "conversation_rating_remark_added"),
        part(9, ADMIN, None, "custom_action_finished",
        event_details={"action": {"name": "Refund", "result": "success"}}),
    )  # fmt: skip
    assert happened(found) == [
        ("closed", 3), ("reopened", 4), ("snoozed", 4), ("unsnoozed", 4), ("closed", 4), ("rating", 4), ("rating", 4),
        ("custom_action_finished", 4),
    ]  # fmt: skip
    assert said(found) == [("customer", "where is my order?"), ("ai", "Delivered."), ("ai", "Bye"), ("customer", "no!")]
    assert [event.note for event in found.events][-2:] == [None, "Refund: success"]  # a judge must not see the rating
    assert found.attributes["rating_remarks"] == ["meh"]


TEAM = {"assigned_to": {"type": "team", "id": "5017691"}}


def test_the_ai_hands_over_where_it_falls_silent_and_people_are_assigned(tmp_path: Path) -> None:
    parts = [
        part(1, OPERATOR, None, "default_assignment", **TEAM), part(2, FIN, "<p>Let me see</p>"),
        part(3, FIN, "<p>I will pass you on</p>"), part(4, FIN, None, "assignment", **TEAM),
        part(5, ADMIN, "<p>Hi!</p>"), part(6, ADMIN, None, "assignment", assigned_to={"type": "admin", "id": "275"}),
    ]  # fmt: skip
    found = one(tmp_path, *parts)
    assert happened(found) == [("assigned", 1), ("handoff", 3), ("assigned", 4)]
    handoff = found.events[1]
    assert (handoff.from_role, handoff.to_role) == ("ai", "human")


def test_a_state_of_the_ai_agent_tells_of_a_handoff_that_no_part_shows(tmp_path: Path) -> None:
    state = {"resolution_state": "routed_to_team", "source_type": "workflow"}
    found = one(tmp_path, part(1, FIN, "<p>Someone will answer</p>"), part(2, CUSTOMER, "<p>ok</p>"), ai_agent=state)
    assert happened(found) == [("handoff", 2)]


@pytest.mark.parametrize("state", ["assumed_resolution", "confirmed_resolution"])
def test_a_team_that_is_assigned_when_the_ai_resolved_it_is_no_handoff(tmp_path: Path, state: str) -> None:
    parts = [part(1, FIN, "<p>Done</p>"), part(2, OPERATOR, None, "default_assignment", **TEAM)]
    assert happened(one(tmp_path, *parts, ai_agent={"resolution_state": state})) == [("assigned", 2)]
