"""Chatwoot's rows become the conversation that they tell of: roles, texts, events, outcomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chatwoot_rows import (
    AGENT,
    BOT,
    CONTACT,
    LOG,
    TALK,
    T,
    changed,
    conversation,
    hook,
    message,
    of,
    one,
    page,
    said,
    spoken,
    survey,
)
from ingest_mutated import read
from ingest_reading import put

from grader.ingest.sources import chatwoot


def test_a_webhook_log_becomes_one_conversation_with_its_hand_off(tmp_path: Path) -> None:
    record = one(tmp_path, LOG)
    assert spoken(record) == [
        ("customer", "text", "oi"),
        ("ai", "text", "Olá! Qual é o pedido?"),
        ("customer", "text", "Q-20817 quebrou"),
        ("ai", "text", "Vou chamar um colega."),
        ("human", "note", "cliente antigo, cuidado"),
        ("human", "text", "Oi Ana, aqui é o Rui."),
    ]
    assert [(e.kind, e.after, e.from_role, e.to_role, e.note) for e in record.events] == [
        ("handoff", 4, "ai", "human", "pending → open"),
        ("closed", 6, None, None, "open → resolved"),
    ]
    assert (record.conversation_id, record.channel, record.queue, record.language) == (
        "55", "whatsapp", "shop whatsapp", "pt",
    )  # fmt: skip
    assert record.reason is None
    assert (record.state, record.initiated_by, record.truncated) == ("closed", "customer", False)
    assert record.started_at is not None
    assert record.started_at.timestamp() == T
    assert record.ended_at is not None
    assert record.ended_at.timestamp() == T + 8
    assert [(i.kind, i.value) for i in record.contact.identities] == [
        ("email", "Ana@Example.com"), ("phone", "+14155550133"), ("customer_id", "K-9"), ("chatwoot_id", "31"),
    ]  # fmt: skip
    assert [(r.kind, r.value) for r in record.references] == [("order", "Q-20817")]
    assert record.attributes["labels"] == ["refund", "vip"]
    assert record.attributes["team"] == "Returns "
    assert record.attributes["custom_attributes"] == {"order_id": "Q-20817", "motive": "Refund"}
    assert "secret" not in record.model_dump_json()


def test_rows_that_stand_in_any_order_make_the_same_conversation(tmp_path: Path) -> None:
    straight = one(tmp_path, LOG)
    for order in (LOG[::-1], LOG[5:] + LOG[:5]):
        found = of(tmp_path, order)
        assert spoken(found.conversations[0]) == spoken(straight)
        assert found.conversations[0].events == straight.events
        assert "messages did not stand in the order of time, they were put into it ×1" in found.notes


def test_what_only_messages_show_of_a_status_is_an_event_too(tmp_path: Path) -> None:
    """Chatwoot leaves conversation_status_changed out where an assignment changes the status with it."""
    events = one(tmp_path, [row for row in LOG if "status_changed" not in row["event"]]).events
    assert [(e.kind, e.after, e.note) for e in events] == [
        ("handoff", 5, "pending → open"),
        ("closed", 6, "open → resolved"),
    ]


def test_what_a_colleague_had_put_aside_is_no_hand_off_when_it_is_taken_up(tmp_path: Path) -> None:
    rows = [
        hook("conversation_created", 0, "open"),
        said("message_created", 1, "incoming", "oi", CONTACT, "open"),
        said("message_created", 2, "outgoing", "um momento", AGENT, "open"),
        hook("conversation_status_changed", 3, "pending", changed_attributes=changed("open", "pending")),
        hook("conversation_status_changed", 4, "open", changed_attributes=changed("pending", "open")),
    ]
    assert [e.kind for e in one(tmp_path, rows).events] == ["pending", "reopened"]
    rows.insert(4, said("message_created", 3.5, "outgoing", "eu ajudo", BOT))  # type: ignore[arg-type]
    assert [e.kind for e in one(tmp_path, rows).events] == ["pending", "handoff"]


def test_a_colleague_who_takes_over_by_answering_is_a_hand_off(tmp_path: Path) -> None:
    rows = [
        *LOG[:4],
        said("message_created", 5, "outgoing", "assumo daqui", AGENT, "open"),
        hook("conversation_status_changed", 5.1, "open", changed_attributes=changed("pending", "open")),
    ]
    assert [(e.kind, e.from_role) for e in one(tmp_path, rows).events] == [("handoff", "ai")]


def test_snoozing_reopening_and_assignments_are_events(tmp_path: Path) -> None:
    meta = conversation()["meta"]
    rows = [
        said("message_created", 1, "incoming", "oi", CONTACT, "open"),
        hook("conversation_updated", 2, "open", meta={**meta, "assignee": {"id": 2, "type": "agent_bot"}}),
        hook("conversation_updated", 3, "open", meta={**meta, "assignee": AGENT}),
        hook("conversation_status_changed", 4, "snoozed", meta={**meta, "assignee": AGENT}),
        hook("conversation_status_changed", 5, "resolved", meta=meta),
        hook("conversation_status_changed", 6, "open", meta=meta),
    ]
    assert [(e.kind, e.from_role, e.to_role) for e in one(tmp_path, rows).events] == [
        ("assigned", None, "ai"), ("assigned", "ai", "human"), ("snoozed", None, None), ("closed", None, None),
        ("unassigned", "human", None), ("reopened", None, None),
    ]  # fmt: skip


def test_an_update_replaces_the_message_of_its_id_whenever_it_comes(tmp_path: Path) -> None:
    created = said("message_created", 1, "incoming", "oi", CONTACT)
    updated = said("message_updated", 1, "incoming", "oi, corrigido", CONTACT)
    assert spoken(one(tmp_path, [created, updated]))[0][2] == "oi, corrigido"
    assert spoken(one(tmp_path, [updated, created]))[0][2] == "oi, corrigido"


def test_a_webhook_delivered_twice_counts_once_and_is_noted(tmp_path: Path) -> None:
    found = of(tmp_path, [LOG[1], LOG[1], LOG[2]])
    assert len(found.conversations[0].messages) == 2
    assert found.kept == 3
    assert "a webhook was delivered more than once, its message counts once ×1" in found.notes


def test_pages_of_messages_and_lists_of_conversations_are_put_together(tmp_path: Path) -> None:
    listed = {
        "data": {
            "meta": {"all_count": 1},
            "payload": [
                {
                    **conversation("resolved"),
                    "account_id": 3,
                    "messages": [TALK[4]],
                    "last_non_activity_message": TALK[4],
                }
            ],
        }
    }
    second, first = page(TALK[3:]), page(TALK[:3])
    found = of(tmp_path, [listed, second, first])
    assert not found.problems
    assert found.kept == 1 + 5
    (record,) = found.conversations
    assert spoken(record) == [
        ("customer", "text", "hi"), ("ai", "text", "Hello!"), ("system", "event", "Assigned to Rui"),
        ("system", "text", "We are closed now"), ("human", "text", "Rui here"),
    ]  # fmt: skip
    assert (record.state, record.truncated, record.queue) == ("closed", False, None)
    assert record.attributes["inbox_id"] == 7
    words = [{**one, "message_type": word} for one, word in zip(
        TALK, ("incoming", "outgoing", "activity", "template", "Outgoing "), strict=True)]  # fmt: skip
    assert spoken(of(tmp_path, [page(words)]).conversations[0]) == spoken(record)


@pytest.mark.parametrize("write", [lambda rows: json.dumps(rows), lambda rows: json.dumps(rows, indent=1),
                                   lambda rows: json.dumps({"payload": rows, "meta": {}}, indent=2)])  # fmt: skip
def test_one_array_or_one_object_over_many_lines_is_the_same(tmp_path: Path, write: Any) -> None:
    meta = {**conversation()["meta"], "assignee": {"role": "agent", "id": 4}}
    whole = {**conversation("resolved"), "meta": meta}
    order = ("meta", "id", "messages")
    rows = [{key: {**whole, "messages": TALK}[key] for key in (*order, *(k for k in whole if k not in order))}]
    found = read(chatwoot, put(tmp_path, write(rows), "export.json"))
    assert (found.kept, len(found.problems)) == (1, 0)
    assert len(found.conversations[0].messages) == 5


def test_envelopes_of_a_collector_are_opened(tmp_path: Path) -> None:
    rows = [
        {"headers": {"x": 1}, "body": LOG[1]},
        {"received_at": "2026-08-03T18:00:03Z", "payload": json.dumps(LOG[2])},
        [{"json": {"body": LOG[3]}}],
    ]
    assert len(one(tmp_path, rows).messages) == 3
    assert chatwoot.recognises(rows) == "a row is Chatwoot's webhook message_created"


def test_a_conversation_that_shows_only_its_last_message_is_cut_off(tmp_path: Path) -> None:
    late = {**conversation(), "messages": [message(9, 0, "still there?", CONTACT, at=4_000)]}
    record = one(tmp_path, [late])
    assert record.truncated
    assert record.initiated_by is None
    assert not one(tmp_path, [{**conversation(), "messages": [message(9, 0, "hi", CONTACT, at=2)]}]).truncated
    unknown = {**late, "created_at": None}
    assert one(tmp_path, [unknown]).truncated
    assert not one(tmp_path, [{**unknown, "messages": TALK}]).truncated


def test_the_ai_may_write_as_a_user_that_the_options_name(tmp_path: Path) -> None:
    rows = [page([message(1, 0, "hi", CONTACT), message(2, 1, "Hello", AGENT)])]
    for name in ("4", "rui", "RUI@shop.example"):
        assert of(tmp_path, rows, ai_senders=name).conversations[0].messages[1].role == "ai"
    assert of(tmp_path, rows, ai_senders=["31", "someone"]).conversations[0].messages[1].role == "human"
    assert of(tmp_path, rows, ai_senders=[31]).conversations[0].messages[0].role == "customer"


@pytest.mark.parametrize(
    ("kind", "more", "role"),
    [
        (1, {"sender": {"id": 1, "type": "captain_assistant"}}, "ai"),
        (1, {"sender_type": "Captain::Assistant", "sender_id": 1}, "ai"),
        (1, {"sender_type": "AgentBot"}, "ai"),
        (1, {"sender_type": "User"}, "human"),
        (1, {"user_id": 8}, "human"),
        (1, {"content_attributes": {"external_echo": True}}, "human"),
        (1, {"sender": AGENT, "content_attributes": {"automation_rule_id": 4}}, "system"),
        (1, {"sender": AGENT, "additional_attributes": {"campaign_id": 4}}, "system"),
        (3, {}, "system"),
        (3, {"sender": AGENT}, "human"),
        (1, {}, "unknown"),
        (1, {"sender": {"id": 3, "name": "Bot"}}, "unknown"),
        (1, {"sender": CONTACT}, "unknown"),
        (0, {}, "customer"),
        (7, {"sender": AGENT}, "human"),
        (None, {"sender": CONTACT}, "customer"),
        ("???", {}, "unknown"),
    ],
)
def test_the_role_follows_from_what_the_source_says_of_the_sender(
    tmp_path: Path, kind: Any, more: dict[str, Any], role: str
) -> None:
    rows = [page([message(1, 0, "hi", CONTACT), message(2, kind, "text", **more)])]
    found = of(tmp_path, rows)
    assert found.conversations[0].messages[1].role == role
    assert ("unknown" in found.notes or "message_type" in found.notes) == (
        role == "unknown" or kind not in (0, 1, 2, 3)
    )


def test_attachments_choices_and_forms_come_in_as_words_and_kinds(tmp_path: Path) -> None:
    def attached(number: int, text: Any, **file: Any) -> dict[str, Any]:
        return message(number, 0, text, CONTACT, attachments=[{"id": 1, "data_url": "https://x/f", **file}])

    items = [{"title": "Refund", "value": "r"}, {"title": "Exchange", "value": "e"}]
    rows = [page([
        attached(1, None, file_type="image"),
        attached(2, "look", file_type="image"),
        attached(3, None, file_type="audio", meta={"transcribed_text": "my order is late"}),
        attached(4, None, file_type="video"),
        attached(5, None, file_type="location", coordinates_lat=-23.5, coordinates_long=-46.6, fallback_title="Home"),
        attached(6, None, file_type="contact", fallback_title="+1 415 555 0133"),
        message(7, 1, "What is it?", BOT, content_type="input_select", updated_at="2026-08-03T18:00:09Z",
                content_attributes={"items": items, "submitted_values": [{"title": "Refund", "value": "r"}]}),
        message(8, 1, "Your name?", BOT, content_type="form",
                content_attributes={"items": [{"label": "Name", "name": "n"}],
                                    "submitted_values": [{"name": "n", "value": "Ana"}]}),
        message(9, 0, "❤", CONTACT, content_attributes={"is_reaction": True, "in_reply_to": 8}),
        message(10, 0, "This message was deleted", CONTACT, content_attributes={"deleted": True}),
    ])]  # fmt: skip
    found = of(tmp_path, rows)
    record = found.conversations[0]
    assert [(kind, text) for _, kind, text in spoken(record)] == [
        ("image", ""), ("image", "look"), ("voice", "my order is late"), ("file", ""), ("text", "Home\n-23.5, -46.6"),
        ("text", "+1 415 555 0133"), ("text", "What is it?\n- Refund\n- Exchange"), ("text", "Your name?\n- Name"),
        ("event", "❤"), ("text", "This message was deleted"),
    ]  # fmt: skip
    assert [(e.kind, e.after, e.note) for e in record.events] == [("answered", 8, "n: Ana"), ("answered", 9, "Refund")]
    assert "a message was deleted" in found.notes
    assert record.messages[0].attributes["attachments"][0]["file_type"] == "image"


def test_a_message_that_did_not_arrive_says_so(tmp_path: Path) -> None:
    lost = message(2, 1, "Hello!", BOT, status="failed", content_attributes={"external_error": "131026: undeliverable"})
    (event,) = of(tmp_path, [page([message(1, 0, "hi", CONTACT), lost])]).conversations[0].events
    assert (event.kind, event.after, event.note) == ("delivery_failed", 2, "131026: undeliverable")


def test_a_survey_becomes_an_outcome_that_no_judge_sees(tmp_path: Path) -> None:
    found = of(tmp_path, [page([*TALK, survey(2, "too slow")])])
    (record,), (outcome,) = found.conversations, found.outcomes
    assert (outcome.conversation_id, outcome.csat, outcome.csat_comment) == ("55", 2, "too slow")
    assert outcome.observed_at is not None
    assert outcome.observed_at.isoformat() == "2026-08-03T19:00:00+00:00"
    assert (record.events[-1].kind, record.events[-1].note) == ("rating", None)
    assert "too slow" not in record.model_dump_json()
    assert not of(tmp_path, [page([*TALK, survey(None)])]).outcomes
    assert of(tmp_path, [page([*TALK, survey("4")])]).outcomes[0].csat == 4
    odd = of(tmp_path, [page([*TALK, survey(9)])])
    assert not odd.outcomes
    assert not odd.problems
    assert "a survey's rating is not 1 to 5, it is left out ×1" in odd.notes


def test_answers_to_surveys_may_come_as_a_list_of_their_own(tmp_path: Path) -> None:
    answer = {"id": 1, "rating": 5, "feedback_message": "", "account_id": 3, "message_id": 20, "conversation_id": 55,
              "created_at": T + 9_000}  # fmt: skip
    alone = of(tmp_path, [answer])
    assert (alone.kept, [o.csat for o in alone.outcomes], alone.conversations) == (1, [5.0], [])
    both = of(tmp_path, [page(TALK), answer])
    assert (both.kept, [o.csat for o in both.outcomes], len(both.conversations)) == (6, [5.0], 1)
