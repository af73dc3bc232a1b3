"""Shapes of exports that stand beside the documented one: other versions, webhooks, wrappers, logs, tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import chatwoot_rows as cw
import intercom_rows as ic
import pytest
import test_ingest_langfuse as lf
import whatsapp_rows as wa
import zendesk_rows as zd
from genai_traces import SAID
from ingest_reading import put

from grader.ingest import Kept, Rejected, read
from grader.model import Conversation, Outcome


class Got:
    """A file as `grader ingest` takes it, its format recognised."""

    def __init__(self, folder: Path, content: Any, name: str = "export.jsonl", **options: Any) -> None:
        reading = read(put(folder, content, name), options=options or None)
        rows = list(reading)
        self.format = reading.format
        self.rejected = [row for row in rows if isinstance(row, Rejected)]
        self.rows = sum(row.rows for row in rows if isinstance(row, Kept)) + len(self.rejected)
        self.notes = " ".join(note.text for note in reading.notes())
        records = [row.record for row in rows if isinstance(row, Kept)]
        self.talks = [one for one in records if isinstance(one, Conversation)]
        self.outcomes = [one for one in records if isinstance(one, Outcome)]

    @property
    def said(self) -> list[tuple[str, str]]:
        (talk,) = self.talks
        return [(m.role.value, m.text) for m in talk.messages]


# ── logs ──


@pytest.mark.parametrize("name", ["webhook.log", "webhook.jsonl", "webhook.txt"])
@pytest.mark.parametrize("before", ["2026-08-03T18:00:00.123Z INFO [webhook] ", "2026-08-03 18:00:00,123 body: "])
def test_lines_of_a_log_are_read_behind_their_time_and_level(tmp_path: Path, name: str, before: str) -> None:
    rows = [wa.came(1), wa.came(2, 5)]
    got = Got(tmp_path, "".join(before + json.dumps(row) + "\n" for row in rows), name)
    assert (got.format, got.said) == ("whatsapp_business", [("customer", "message 1"), ("customer", "message 2")])
    got = Got(tmp_path, "".join(before + json.dumps(row) + "\n" for row in cw.LOG), name)
    assert (got.format, got.rows, len(got.talks)) == ("chatwoot", len(cw.LOG), 1)


def test_a_line_of_a_log_that_is_cut_off_is_rejected(tmp_path: Path) -> None:
    before, row = "2026-08-03T18:00:00Z INFO ", json.dumps(wa.came(1))
    got = Got(tmp_path, f"{before}{row}\n{before}{row[:-3]}\n{before}plain words\n")
    assert (got.rows, len(got.talks), len(got.rejected)) == (3, 1, 2)


@pytest.mark.parametrize("wrap", [
    lambda row: {"Records": [{"body": json.dumps(row)}]},
    lambda row: {"Records": [{"Sns": {"Message": json.dumps(row), "Timestamp": "2026-08-03T18:00:00Z"}}]},
    lambda row: [{"json": {"body": row}}],
])  # fmt: skip
def test_what_queues_and_workflows_put_around_a_webhook_is_opened(tmp_path: Path, wrap: Any) -> None:
    assert Got(tmp_path, [wrap(wa.came(1))]).said == [("customer", "message 1")]


# ── WhatsApp Business ──


def test_the_on_premises_api_has_no_envelope(tmp_path: Path) -> None:
    message = {"from": "16505551234", "id": "ABGG", "timestamp": str(wa.T), "type": "text", "text": {"body": "hi"}}
    contact = {"profile": {"name": "Ana"}, "wa_id": "16505551234"}
    told = {"id": "gBGG", "recipient_id": "16505551234", "status": "sent", "timestamp": str(wa.T + 9)}
    got = Got(tmp_path, [{"contacts": [contact], "messages": [message]}, {"statuses": [told]}])
    assert (got.format, got.rows, got.rejected) == ("whatsapp_business", 2, [])
    assert [(i.kind, i.value) for i in got.talks[0].contact.identities] == [("phone", "+16505551234")]
    assert Got(tmp_path, [{"id": "x", "messages": [{"role": "user", "content": "hi"}]}]).format == "openai_chat"


# ── Intercom ──


def test_the_first_message_of_old_api_versions_is_there(tmp_path: Path) -> None:
    row = ic.conversation(ic.part(9, ic.ADMIN, "<p>yo</p>"))
    row["conversation_message"] = {**row.pop("source"), "type": "conversation_message"}
    got = Got(tmp_path, [row])
    assert (got.format, got.said) == ("intercom", [("customer", "where is my order?"), ("human", "yo")])
    assert got.talks[0].channel is None


def test_parts_that_stand_beside_their_conversation_are_its_parts(tmp_path: Path) -> None:
    row = ic.conversation()
    part = ic.part(9, ic.FIN, "<p>yo</p>")
    for beside in ({"parts": [part]}, {"conversation_parts": {"conversation_parts": [part], "total_count": 1}}):
        assert Got(tmp_path, [{"conversation": row, **beside}]).said[1:] == [("ai", "yo")]


# ── Zendesk ──


def sunco(number: int, who: str, text: str, source: str = "whatsapp", **author: Any) -> dict[str, Any]:
    return {
        "id": f"m{number}", "received": f"2026-08-03T14:{number:02}:00.123Z", "source": {"type": source},
        "author": {"type": who, "userId": f"u-{who}", "displayName": "Jo", **author},
        "content": {"type": "text", "text": text},
    }  # fmt: skip


SUNCO = [
    sunco(1, "user", "hi"),
    sunco(2, "business", "Hello!", "zd:answerBot"),
    sunco(3, "business", "One moment", "api:conversations"),
    sunco(4, "business", "Ana here", "zd:agentWorkspace"),
    sunco(5, "business", "x", "api", subtypes=["AI"]),
]
TOLD = [("customer", "hi"), ("ai", "Hello!"), ("unknown", "One moment"), ("human", "Ana here"), ("ai", "x")]


def test_messages_of_sunshine_conversations_say_who_wrote_by_where_they_come_from(tmp_path: Path) -> None:
    got = Got(tmp_path, [{"conversation": {"id": "c1"}, "messages": SUNCO, "meta": {"hasMore": False}}])
    assert (got.format, got.rows, got.said) == ("zendesk", 5, TOLD)
    assert (got.talks[0].conversation_id, got.talks[0].channel) == ("c1", "whatsapp")
    assert ("zendesk_messaging_id", "u-user") in [(i.kind, i.value) for i in got.talks[0].contact.identities]
    hooks = [{"app": {"id": "a"}, "webhook": {"version": "v2"}, "events": [
        {"id": f"e{n}", "type": "conversation:message", "createdAt": one["received"],
         "payload": {"conversation": {"id": "c1", "type": "personal"}, "message": one}}]}
        for n, one in enumerate(SUNCO)]  # fmt: skip
    assert Got(tmp_path, hooks).said == TOLD
    lost = Got(tmp_path, [{"messages": SUNCO, "meta": {}}])
    assert (len(lost.rejected), lost.rejected[0].field) == (5, "messages[1].conversation.id")
    named = Got(tmp_path, [{"conversation": {"id": "c1"}, "messages": SUNCO}], bot_ids="u-business")
    assert [role for role, _ in named.said] == ["customer", "ai", "ai", "ai", "ai"]


def event(number: int, kind: str, told: dict[str, Any], status: str = "OPEN") -> dict[str, Any]:
    return {
        "type": f"zen:event-type:ticket.{kind}", "id": f"e{number}", "time": f"2026-08-03T14:{number:02}:00Z",
        "subject": "zen:ticket:35", "zendesk_event_version": "2022-11-06", "account_id": 1, "event": told,
        "detail": {"id": "35", "subject": "the lid", "status": status, "requester_id": str(zd.CUSTOMER),
                   "created_at": "2026-08-03T14:00:00Z", "via": {"channel": "web_messaging"}, "group_id": "360"},
    }  # fmt: skip


def wrote(number: int, author: int, text: str, *, staff: bool, public: bool = True) -> dict[str, Any]:
    told = {"id": str(number), "body": text, "is_public": public, "author": {"id": str(author), "is_staff": staff}}
    return event(number, "comment_added", {"comment": told})


def test_a_log_of_zendesks_webhooks_is_its_tickets(tmp_path: Path) -> None:
    rows = [
        wrote(1, zd.CUSTOMER, "broken", staff=False), wrote(2, zd.BOT, "Sent a new one.", staff=True),
        wrote(3, zd.AGENT, "angry one", staff=True, public=False),
        event(4, "status_changed", {"previous": "OPEN", "current": "SOLVED"}, "SOLVED"),
    ]  # fmt: skip
    got = Got(tmp_path, rows, bot_ids=str(zd.BOT))
    assert (got.format, got.rows, got.rejected) == ("zendesk", 4, [])
    assert got.said == [("customer", "broken"), ("ai", "Sent a new one."), ("human", "angry one")]
    (talk,) = got.talks
    assert (talk.state, talk.queue, talk.channel) == ("closed", "360", "web_messaging")
    assert [e.kind for e in talk.events] == ["closed"]
    assert [role for role, _ in Got(tmp_path, rows).said] == ["customer", "unknown", "unknown"]
    back = wrote(5, zd.CUSTOMER, "this one too", staff=False) | {"time": "2026-08-05T09:00:00Z"}
    assert len(Got(tmp_path, [*rows, back], bot_ids=str(zd.BOT)).talks) == 2


def test_an_answered_survey_is_the_ticket_s_rating(tmp_path: Path) -> None:
    answers = [{"type": "rating_scale", "rating": 2, "question": {"options": [1, 2, 3, 4, 5]}},
               {"type": "open_ended", "value": "slow"}]  # fmt: skip
    survey = {"id": "01J", "answers": answers, "subjects": [{"type": "ticket", "zrn": "zen:ticket:35"}],
              "created_at": "2026-08-03T16:00:00Z"}  # fmt: skip
    ticket = zd.ticket(comments=[zd.comment(1)])
    for row in ({"survey_response": survey}, {"survey_responses": [survey]}, survey):
        (outcome,) = Got(tmp_path, [ticket, row]).outcomes
        assert (outcome.conversation_id, outcome.csat, outcome.csat_comment) == ("35", 2, "slow")


# ── Langfuse ──


def test_a_table_of_langfuse_s_is_its_traces(tmp_path: Path) -> None:
    def cell(value: Any) -> str:
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
        return '"' + text.replace('"', '""') + '"'

    def table(rows: list[dict[str, Any]]) -> str:
        names = list(dict.fromkeys(name for row in rows for name in row))
        return "\n".join([",".join(names), *(",".join(cell(row.get(name)) for name in names) for row in rows)])

    rows = [{**one, "sessionId": "s-1", "userId": "K-77"} for one in lf.TURNS]
    got = Got(tmp_path, table(rows), "observations.csv")
    assert (got.format, got.rows, got.said) == ("langfuse", 3, SAID)
    scores = [{**lf.score("csat", 4), "traceId": "t1"}]
    assert Got(tmp_path, table(scores), "scores.csv").outcomes[0].csat == 4
    broken = Got(tmp_path, table(rows) + "\nx,y", "observations.csv")
    assert (broken.rows, len(broken.rejected)) == (4, 1)


def test_the_names_of_langfuses_first_version_are_understood(tmp_path: Path) -> None:
    row = lf.generation(0, 0, None, None, prompt=[{"role": "user", "content": "hi"}], completion="Hello!")
    del row["input"], row["output"]
    assert Got(tmp_path, [row]).said == [("customer", "hi"), ("ai", "Hello!")]


# ── WhatsApp .txt ──


@pytest.mark.parametrize("text", [
    "Esta mensagem foi apagada", "Se eliminó este mensaje.", "Eliminaste este mensaje.",
    "Du hast diese Nachricht gelöscht.", "Ce message a été supprimé", "You deleted this message",
    "\u200eThis message was deleted.", "تم حذف هذه الرسالة", "הודעה זו נמחקה", "您已删除这条消息",
    "此訊息已刪除", "このメッセージを削除しました。", "यह मैसेज मिटाया गया", "Bu mesaj silindi",
])  # fmt: skip
def test_a_deleted_message_is_no_words_of_anybody(tmp_path: Path, text: str) -> None:
    got = Got(tmp_path, f"25/08/2026 14:02 - Ana: oi\n25/08/2026 14:03 - Ana: {text}\n", "WhatsApp Chat with Ana.txt")
    assert [m.kind.value for m in got.talks[0].messages] == ["text", "event"]
