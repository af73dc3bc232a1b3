"""Zendesk's JSON: what belongs to a ticket wherever it stands, and who speaks in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from helpdesk import read, said, write
from zendesk_rows import (
    AGENT,
    API,
    BOT,
    CUSTOMER,
    OTHER,
    audit,
    change,
    chat,
    comment,
    engagement,
    log,
    logged,
    one,
    reads,
    ticket,
    user,
)  # fmt: skip

from grader.ingest.sources import zendesk

BOTH = [comment(1), comment(2, AGENT, "send a photo")]

# ── put together ──


@pytest.mark.parametrize("rows", [
    [{**ticket(), "comments": BOTH}],
    [{"ticket": ticket(), "comments": BOTH}],
    [ticket(), {"ticket_id": 35, "comments": BOTH}],
    [{"comments": BOTH, "next_page": None, "links": {"next": None, "prev": f"{API}/tickets/35/comments.json?page=1"}},
    ticket()],
    [ticket(), *({**one, "ticket_id": 35} for one in BOTH)],
    [{"tickets": [ticket()], "count": 1}, {"ticket_id": 35, "comments": BOTH[:1]},
    {"ticket_id": 35, "comments": BOTH[1:]}],
    [[ticket(), *({**one, "ticket_id": 35} for one in BOTH)]],
    [{"audits": [audit(1, BOTH[0]), audit(2, BOTH[1])]}, ticket()],
    [audit(1, BOTH[0]), ticket(), audit(2, BOTH[1])],
    [{"results": [{**ticket(), "result_type": "ticket"}]}, {"ticket_id": 35, "comments": BOTH}],
    [{"ticket": ticket(), "comments": BOTH, "audits": [audit(1, BOTH[0]), audit(2, BOTH[1])]}],
    [ticket(), {"ticket_events": [
        {"id": 1, "ticket_id": 35, "timestamp": 1785765660, "updater_id": CUSTOMER, "event_type": "Audit",
        "via": "Web form",
         "child_events": [{**BOTH[0], "event_type": "Comment"}, {"event_type": "Create", "status": "new"}]},
        {"id": 2, "ticket_id": 35, "timestamp": 1785765720, "updater_id": AGENT, "event_type": "Audit",
         "child_events": [{**BOTH[1], "event_type": "Comment"}]},
    ]}],
])  # fmt: skip
def test_a_ticket_and_its_words_come_together_wherever_they_stand(tmp_path: Path, rows: list[Any]) -> None:
    found = reads(tmp_path, *rows, bot_ids=[])
    assert said(found.only()) == [("customer", "the lid is broken"), ("human", "send a photo")]
    assert found.only().conversation_id == "35"
    assert not found.only().truncated
    text = (tmp_path / "export.json").read_text()
    assert zendesk.recognises([json.loads(line) for line in text.splitlines()])


def test_rows_of_many_tickets_may_stand_in_any_order(tmp_path: Path) -> None:
    tickets = [ticket(n) for n in range(1, 6)]
    comments = [{**comment(k, CUSTOMER if k % 2 else AGENT, f"{k}"), "id": n * 100 + k, "ticket_id": n}
                for k in range(1, 5) for n in range(5, 0, -1)]  # fmt: skip
    found = reads(tmp_path, *comments, *tickets, bot_ids=[])
    assert len(found.conversations) == 5
    assert found.rows == 25
    for conversation in found.conversations:
        assert [m.text for m in conversation.messages] == ["1", "2", "3", "4"]


def test_a_ticket_without_its_comments_is_its_description_and_marked(tmp_path: Path) -> None:
    found = reads(tmp_path, {"tickets": [ticket()]})
    assert said(found.only()) == [("customer", "the lid is broken")]
    assert found.only().truncated
    assert "without its comments" in found.told
    assert said(one(tmp_path, ticket(submitter_id=AGENT)))[0][0] == "unknown"
    assert not one(tmp_path, ticket(comment_count=1)).truncated


def test_a_description_takes_the_place_of_a_first_comment_that_is_missing(tmp_path: Path) -> None:
    found = one(tmp_path, ticket(), {"ticket_id": 35, "comments": [comment(40, body="hello?")]})
    assert said(found) == [("customer", "the lid is broken"), ("customer", "hello?")]
    assert found.truncated


def test_an_incremental_export_gives_a_ticket_several_times_and_the_newest_counts(tmp_path: Path) -> None:
    states = [ticket(status="new", updated_at="2026-08-03T14:10:00Z"),
    ticket(status="solved", updated_at="2026-08-03T16:00:00Z"),
              ticket(status="pending", updated_at="2026-08-03T15:00:00Z")]  # fmt: skip
    found = reads(tmp_path, {"tickets": states})
    assert (found.only().state, found.rows) == ("closed", 3)
    assert "several times" in found.told


def test_a_comment_that_stands_in_two_replies_is_taken_once(tmp_path: Path) -> None:
    found = one(
        tmp_path, ticket(), {"ticket_id": 35, "comments": BOTH}, {"ticket_id": 35, "comments": BOTH}, audit(1, BOTH[0])
    )
    assert len(found.messages) == 2


@pytest.mark.parametrize(("row", "cut"), [
    ({"comments": BOTH, "next_page": f"{API}/tickets/35/comments.json?page=2"}, True),
    ({"comments": BOTH, "ticket_id": 35, "meta": {"has_more": True}}, True),
    ({"comments": BOTH, "ticket_id": 35, "meta": {"has_more": False}}, False),
    (log(logged(1, "user", "hi"), more=True), True), (log(logged(1, "user", "hi")), False),
])  # fmt: skip
def test_a_page_after_which_more_would_come_is_cut_off(tmp_path: Path, row: Any, cut: bool) -> None:
    assert one(tmp_path, ticket(), row).truncated is cut


def test_the_next_page_in_the_file_makes_it_whole(tmp_path: Path) -> None:
    pages = [log(logged(1, "user", "hi"), more=True), log(logged(2, "bot", "hello"))]
    found = one(tmp_path, *pages)
    assert said(found) == [("customer", "hi"), ("ai", "hello")]
    assert not found.truncated


# ── what is none ──


@pytest.mark.parametrize(("row", "reason"), [
    ({"users": [user(1, "agent")]}, "only users"),
    ({"tickets": [], "count": 0}, "empty page"),
    ({"error": "RecordNotFound", "description": "Not found"}, "Not found"),
    ({"tags": ["a"]}, "its fields: tags"),
    ({"comments": [comment(1)]}, "of no ticket"),
    ({"events": [logged(1, "user", "hi")]}, "of no ticket"),
    (5, "must be an object"), ({"tickets": [5]}, "must be an object"), ({}, "its fields: none"),
    (ticket(status="deleted"), "deleted"),
    (ticket(description=None), "nothing was said"),
    (audit(1, change("status", "new", "open")), "nothing was said"),
    (chat(history=[]), "holds no message"),
    ({"satisfaction_ratings": [{"ticket_id": 35, "score": "unoffered"}]}, "says nothing"),
])  # fmt: skip
def test_what_holds_no_ticket_is_rejected_as_what_it_is(tmp_path: Path, row: Any, reason: str) -> None:
    found = reads(tmp_path, row)
    assert (len(found.conversations), len(found.rejected)) == (0, 1)
    assert reason in found.rejected[0].reason
    assert found.rejected[0].cure


def test_a_bad_row_spoils_its_ticket_and_no_other(tmp_path: Path) -> None:
    rows = [ticket(1), ticket(2), {**comment(1), "ticket_id": 1}, {**comment(2, html_body=5), "ticket_id": 1}]
    found = reads(tmp_path, *rows)
    assert [one.conversation_id for one in found.conversations] == ["2"]
    assert [(one.line, one.field) for one in found.rejected] == [(1, "html_body"), (3, "html_body"), (4, "html_body")]
    bad = next(one for one in found.rejected if one.line == 4)
    others = [one for one in found.rejected if one.line != 4]
    assert "must be" in bad.reason
    assert all("another row of this ticket is bad, that of line 4" in one.reason for one in others)
    assert found.rows == 4


def test_a_bad_row_in_a_list_is_named_by_its_place(tmp_path: Path) -> None:
    wrong = {**comment(2), "created_at": "soon"}
    found = reads(tmp_path, {"tickets": [ticket()]}, {"ticket_id": 35, "comments": [comment(1), wrong]})
    assert [(one.line, one.field) for one in found.rejected] == [
        (1, "comments[2].created_at"), (2, "comments[2].created_at"), (2, "comments[2].created_at"),
    ]  # fmt: skip
    assert [("another row" in one.reason) for one in found.rejected] == [True, True, False]


def test_a_line_that_is_no_json_spoils_the_ticket_that_it_names(tmp_path: Path) -> None:
    lines = [json.dumps(ticket(1)), json.dumps(ticket(2)), '{"ticket_id": 1, "body": "cut of']
    found = reads(tmp_path, "\n".join(lines))
    assert [one.conversation_id for one in found.conversations] == ["2"]
    assert len(found.rejected) == 2


@pytest.mark.parametrize("rows", [
    [{"type": "conversation", "conversation_id": "a", "messages": [{"role": "customer", "text": "hi"}]}],
    [{"messages": [{"role": "user", "content": "hi"}]}],
    [{"event": "message_created", "id": 1, "content": "hi", "conversation": {"id": 5}}],
    [{"type": "ticket", "id": "1", "ticket_attributes": {}, "ticket_state": {}, "ticket_parts": {"ticket_parts": []}}],
    [{"type": "conversation.list", "conversations": []}], [{"tickets": [{"type": "ticket", "id": "1"}]}],
    [{"author_id": 5, "body": "a blog post"}], [{"events": [{"name": "gen_ai.choice"}], "trace_id": "1"}], [],
    [None, 5],
])  # fmt: skip
def test_other_formats_are_not_taken_for_zendesk(rows: list[Any]) -> None:
    assert zendesk.recognises(rows) is None


# ── who speaks ──


def roles(folder: Path, *comments: Any, of: Any = None, **options: Any) -> list[str]:
    found = one(folder, of or ticket(), {"ticket_id": 35, "comments": list(comments), "users": USERS}, **options)
    return [message.role.value for message in found.messages]


USERS = [user(CUSTOMER, "end-user"), user(AGENT, "agent"), user(BOT, "agent"), user(5, "end-user")]


def test_who_is_a_bot_is_unknown_until_the_user_says_it(tmp_path: Path) -> None:
    talk = [comment(1), comment(2, BOT, "hi"), comment(3, AGENT, "hello"), comment(4, AGENT, "note", public=False)]
    assert roles(tmp_path, *talk) == ["customer", "unknown", "unknown", "unknown"]
    assert roles(tmp_path, *talk, bot_ids=[BOT]) == ["customer", "ai", "human", "human"]
    assert roles(tmp_path, *talk, bot_ids="") == ["customer", "human", "human", "human"]
    told = reads(tmp_path, ticket(), {"ticket_id": 35, "comments": talk}).told
    assert "bot_ids" in told


def test_end_users_rules_and_zendesk_itself_are_told_apart(tmp_path: Path) -> None:
    talk = [
        comment(1, 5, "me too"), comment(2, AGENT, "closing soon", via={"channel": "rule"}), comment(3, -1, "merged"),
        comment(4, OTHER, "try this article", via={"channel": "answer_bot_for_web_widget"}), comment(5, None, "?"),
    ]  # fmt: skip
    assert roles(tmp_path, *talk, bot_ids=[]) == ["customer", "system", "system", "ai", "unknown"]


def test_somebody_in_copy_is_not_taken_for_an_agent(tmp_path: Path) -> None:
    copied = ticket(email_cc_ids=[OTHER])
    assert roles(tmp_path, comment(1), comment(2, OTHER, "me too"), of=copied, bot_ids=[]) == ["customer", "unknown"]
    note = comment(2, OTHER, "he is vip", public=False)
    assert roles(tmp_path, comment(1), note, of=copied, bot_ids=[]) == ["customer", "human"]


def test_a_conversation_log_says_who_is_who(tmp_path: Path) -> None:
    events = [
        logged(1, "bot", "Hi"),
        logged(2, "user", "my lid"),
        logged(3, "agent", "Hello"),
        logged(4, "business", "?"),
    ]
    found = one(tmp_path, log(*events))
    assert [message.role.value for message in found.messages] == ["ai", "customer", "human", "unknown"]
    assert (found.conversation_id, found.channel) == ("35", "whatsapp")
    assert [i.kind for i in found.contact.identities] == ["zendesk_id", "zendesk_messaging_id"]
    assert "Joe" not in found.model_dump_json()
    named = one(tmp_path, log(*events), bot_ids=[str(AGENT)])
    assert named.messages[2].role.value == "ai"


def test_a_log_counts_beside_comments_and_private_entries_are_notes(tmp_path: Path) -> None:
    opened = {**logged(3, "user"), "type": "Comment", "metadata": {"public": False},
              "content": {"type": "html", "body": "<p>Conversation with Joe</p>"}}  # fmt: skip
    noted = {**logged(4, "agent"), "type": "Comment", "metadata": {"public": False},
             "content": {"type": "html", "body": "<p>ask Ben</p>"}}  # fmt: skip
    found = reads(
        tmp_path, ticket(description="Conversation with Joe"),
        log(logged(1, "user", "hi"), logged(2, "bot", "hello"), opened, noted),
        {"ticket_id": 35, "comments": [comment(9, AGENT, "twice")]}, audit(10, change("status", "open", "solved")),
    )  # fmt: skip
    assert said(found.only()) == [
        ("customer", "hi"),
        ("ai", "hello"),
        ("system", "Conversation with Joe"),
        ("human", "ask Ben"),
    ]
    assert [message.kind.value for message in found.only().messages] == ["text", "text", "note", "note"]
    assert [event.kind for event in found.only().events] == ["closed"]
    assert "conversation log" in found.told


# ── what was said ──


def test_html_comes_first_and_plain_text_stays_as_it_is(tmp_path: Path) -> None:
    html = '<div class="zd-comment"><p>See <a href="https://x.example/r">rules</a></p><ul><li>R1</li></ul></div>'
    talk = [comment(1, html_body=html), comment(2, body="a <b> &amp; c", html_body=None)]
    found = one(tmp_path, ticket(), {"ticket_id": 35, "comments": talk})
    assert [m.text for m in found.messages] == ["See rules (https://x.example/r)\n\n- R1", "a <b> &amp; c"]
    assert "1.2.3.4" not in found.model_dump_json()


def test_voice_pictures_and_files_are_kinds_and_leave_no_key(tmp_path: Path) -> None:
    file = {
        "file_name": "lid.png",
        "content_type": "image/png",
        "content_url": "https://x.example/lid.png?token=SECRET",
        "size": 5,
    }
    call = {
        "recording_url": "https://x.example/call?token=SECRET",
        "transcription_text": "the lid broke",
        "call_duration": 5,
    }
    talk = [
        comment(1, body="", html_body="", attachments=[file]), comment(2, type="VoiceComment", data=call),
        comment(3, html_body='<p><img src="https://x.example/y.png"></p>'),
    ]  # fmt: skip
    found = one(tmp_path, ticket(), {"ticket_id": 35, "comments": talk})
    assert [(m.kind.value, m.text) for m in found.messages] == [
        ("image", ""),
        ("voice", "the lid broke"),
        ("image", ""),
    ]
    assert "SECRET" not in found.model_dump_json()


@pytest.mark.parametrize(("content", "kind", "text"), [
    ({"type": "text", "text": "a <b>", "actions": [{"reply": {"text": "Human"}}]}, "text", "a <b>"),
    ({"type": "html", "body": "<p>a &amp; b</p>"}, "text", "a & b"),
    ({"type": "image", "mediaUrl": "https://x.example/a.png?k=SECRET", "mediaType": "image/png", "altText": "lid"},
    "image", "lid"),
    ({"type": "file", "mediaUrl": "https://x.example/a.ogg", "mediaType": "audio/ogg"}, "voice", ""),
    ({"type": "carousel", "items": [{"title": "Lid", "description": "5 EUR"}, {"title": "Pot"}]}, "text",
    "Lid: 5 EUR\nPot"),
    ({"type": "formResponse",
    "fields": [{"label": "Order", "text": "Q-1"}, {"label": "Why", "select": [{"label": "broken"}]}]},
     "text", "Order: Q-1\nWhy: broken"),
    ({"type": "text", "actions": [{"type": "reply", "text": "Yes"}, {"type": "link", "text": "Rules"}]}, "text",
    "Yes\nRules"),
])  # fmt: skip
def test_every_content_of_a_messaging_event_has_its_words(tmp_path: Path, content: Any, kind: str, text: str) -> None:
    found = one(tmp_path, log(logged(1, "user", "hi"), logged(2, "bot", content=content)))
    assert (found.messages[1].kind.value, found.messages[1].text) == (kind, text)
    assert "SECRET" not in found.model_dump_json()


def test_messages_stand_in_the_order_of_time_also_when_the_newest_comes_first(tmp_path: Path) -> None:
    assert [m.text for m in one(tmp_path, log(*(logged(n, "user", str(n)) for n in (3, 1, 2)))).messages] == [
        "1",
        "2",
        "3",
    ]
    same = [{**logged(n, "user", str(n)), "created_at": "2026-08-03T14:00:00Z"} for n in (2, 1)]
    found = reads(tmp_path, log(logged(9, "bot", "9"), *same))
    assert [m.text for m in found.only().messages] == ["1", "2", "9"]
    assert "newest message first" in found.told


# ── other pieces ──


def test_a_chat_is_a_conversation_of_its_own(tmp_path: Path) -> None:
    found = reads(tmp_path, {"chats": [chat()], "count": 1})
    assert said(found.only()) == [("customer", "hi"), ("system", "One moment"), ("human", "Hello")]
    assert (found.only().queue, found.only().state, found.only().initiated_by) == ("returns", "closed", "customer")
    assert [(r.kind, r.value) for r in found.only().references] == [("ticket", "35")]
    assert [(i.kind, i.value) for i in found.only().contact.identities] == [
        ("email", "jo@example.com"), ("zendesk_visitor_id", "1.12"),
    ]  # fmt: skip
    assert (found.outcomes[0].csat, found.outcomes[0].csat_comment) == (5, "quick")
    named = one(tmp_path, chat(), bot_ids=[AGENT])
    assert named.messages[2].role.value == "ai"
    offline = one(tmp_path, chat(type="offline_msg", history=None, message="call me", rating=None, comment=None))
    assert said(offline) == [("customer", "call me")]


def test_engagements_are_minutes_of_people_in_utc(tmp_path: Path) -> None:
    rows = [
        engagement(1, "2026-08-03T14:00:00", "2026-08-03T14:03:00"),
        engagement(2, "2026-08-03T15:00:00", "2026-08-03T15:01:30"),
    ]
    path = write(tmp_path, {"agent_engagement_data": rows, "has_more": False})
    found = read(zendesk, path, ZoneInfo("America/Sao_Paulo"))
    assert (found.outcomes[0].handle_minutes, found.rows) == (4.5, 2)
    assert found.outcomes[0].observed_at is not None
    assert found.outcomes[0].observed_at.isoformat() == "2026-08-03T15:01:30+00:00"
    assert reads(tmp_path, engagement(1, "soon", "2026-08-03T14:03:00")).rejected[0].field == "engagement_start_time"


def test_the_file_is_read_the_same_twice(tmp_path: Path) -> None:
    path = write(tmp_path, (ticket(), log(logged(1, "user", "hi"), of=36), chat(), {"ticket_id": 35, "comments": BOTH}))
    assert read(zendesk, path) == read(zendesk, path)
