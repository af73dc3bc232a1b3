"""WhatsApp's webhooks become the sessions that they tell of: texts, roles, statuses, sessions, identities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from whatsapp_rows import ANA, DAY, T, came, echo, hook, message, of, one, sent, spoken, status


def test_a_log_of_webhooks_and_sent_messages_becomes_a_conversation(tmp_path: Path) -> None:
    pricing = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}
    rows = [
        came(1), sent(2, 60), status(2, "sent", 61, pricing=pricing), status(2, "delivered", 62), came(3, 120),
        status(2, "read", 121), echo(4, 180, "Rui here"),
    ]  # fmt: skip
    record = one(tmp_path, rows, outbound_role="ai", queues="106540352242922=Shop")
    assert spoken(record) == [
        ("customer", "text", "message 1"), ("ai", "text", "answer 2"), ("customer", "text", "message 3"),
        ("human", "text", "Rui here"),
    ]  # fmt: skip
    assert [m.at.timestamp() - T for m in record.messages if m.at] == [0, 60, 120, 180]
    assert [s["status"] for s in record.messages[1].attributes["statuses"]] == ["sent", "delivered", "read"]
    assert record.messages[1].attributes["statuses"][0]["pricing"] == pricing
    assert [(i.kind, i.value) for i in record.contact.identities] == [
        ("phone", "+16505551234"), ("whatsapp_user_id", "US.134912086553"),
    ]  # fmt: skip
    assert (record.channel, record.queue, record.initiated_by, record.state) == ("whatsapp", "shop", "customer", "open")
    assert not record.events
    assert not record.truncated
    assert record.attributes == {
        "phone_number_id": "106540352242922", "display_phone_number": "15550783881",
        "whatsapp_business_account": "102290129340398",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body", "text", "is_a"),
    [
        ("text", {"body": " oi \n"}, " oi \n", "text"),
        ("button", {"text": "Yes", "payload": "YES_1"}, "Yes", "text"),
        ("interactive", {"type": "button_reply", "button_reply": {"id": "b", "title": "Refund"}}, "Refund", "text"),
        ("interactive", {"type": "list_reply", "list_reply": {"id": "1", "title": "Post", "description": "2-4 days"}},
         "Post\n2-4 days", "text"),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent",
         "response_json": '{"flow_token": "t", "size": "M", "n": 2}'}}, "Sent\nsize: M\nn: 2", "text"),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"response_json": "{cut"}}, "{cut", "text"),
        ("image", {"id": "M1", "mime_type": "image/jpeg", "caption": "broken lid"}, "broken lid", "image"),
        ("image", {"id": "M1"}, "", "image"),
        ("sticker", {"id": "M1", "animated": False}, "", "image"),
        ("audio", {"id": "M1", "voice": True}, "", "voice"),
        ("voice", {"id": "M1"}, "", "voice"),
        ("video", {"id": "M1", "caption": "see"}, "see", "file"),
        ("document", {"id": "M1", "filename": "bill.pdf"}, "", "file"),
        ("location", {"latitude": -23.5, "longitude": -46.6, "name": "Home", "address": "Rua A"},
         "Home\nRua A\n-23.5, -46.6", "text"),
        ("contacts", [{"name": {"formatted_name": "Bia"}, "phones": [{"phone": "+55 11 95555-0133"}]}],
         "Bia, +55 11 95555-0133", "text"),
        ("order", {"catalog_id": "c", "text": "please", "product_items": [
            {"product_retailer_id": "SKU1", "quantity": 2, "item_price": 9.5, "currency": "USD"}]},
         "please\n- 2 × SKU1, 9.5 USD", "text"),
        ("reaction", {"message_id": "wamid.0", "emoji": "👍"}, "👍", "event"),
        ("reaction", {"message_id": "wamid.0"}, "", "event"),
        ("system", {"body": "User A changed", "type": "user_changed_number", "wa_id": "16505559999"}, "User A changed",
         "event"),
        ("request_welcome", {}, "", "event"),
        ("unsupported", {"type": "poll"}, "", "text"),
        ("unknown", None, "", "text"),
        ("hologram", {"caption": "new thing"}, "new thing", "text"),
    ],
)  # fmt: skip
def test_every_type_of_message_says_what_it_says(tmp_path: Path, kind: str, body: Any, text: str, is_a: str) -> None:
    found = of(tmp_path, [came(0), hook({"contacts": [ANA], "messages": [
        {**message(1, 5, kind, {}), kind: body, "errors": [{"code": 131051}]}]})])  # fmt: skip
    record = found.conversations[0]
    assert not found.problems
    made = record.messages[1]
    assert (made.text, made.kind) == (text, is_a)
    assert made.role == ("system" if kind == "system" else "customer")
    assert made.attributes["errors"] == [{"code": 131051}]
    assert kind == "text" or made.attributes["type"] == kind
    if kind in ("image", "document", "audio"):
        assert made.attributes[kind]["id"] == "M1"
    assert ("hologram" in found.notes, "unsupported" in found.notes) == (
        kind == "hologram", kind in ("unsupported", "unknown"))  # fmt: skip


def test_what_the_business_offers_is_part_of_its_text(tmp_path: Path) -> None:
    buttons = {"type": "button", "header": {"type": "text", "text": "Order"}, "body": {"text": "What now?"},
               "footer": {"text": "Shop"}, "action": {"buttons": [
                   {"type": "reply", "reply": {"id": "1", "title": "Refund"}}]}}  # fmt: skip
    menu = {"type": "list", "body": {"text": "Pick"}, "action": {"button": "Open", "sections": [
        {"title": "Ship", "rows": [{"id": "a", "title": "Post", "description": "2 days"}]}]}}  # fmt: skip
    template = {
        "name": "order_update",
        "language": {"code": "pt_BR"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "Q-20817"}]}
        ],
    }
    rows = [
        came(1),
        sent(2, 1, "interactive", buttons),
        sent(3, 2, "interactive", menu),
        sent(4, 3, "template", template),
    ]
    record = one(tmp_path, rows)
    assert [m.text for m in record.messages[1:]] == [
        "Order\nWhat now?\nShop\n- Refund", "Pick\nShip\n- Post 2 days", "Ana\nQ-20817",
    ]  # fmt: skip
    assert [(e.kind, e.after, e.note) for e in record.events] == [
        ("template", 4, "order_update pt_BR: its own text is not in the log")
    ]


def test_a_message_that_only_statuses_know_is_an_event_and_cuts_the_conversation(tmp_path: Path) -> None:
    found = of(tmp_path, [came(1), status(2, "sent", 60), status(2, "read", 90), came(3, 120)])
    (record,) = found.conversations
    assert found.kept == 4
    assert [m.text for m in record.messages] == ["message 1", "message 3"]
    assert [(e.kind, e.after, e.from_role, e.note) for e in record.events] == [
        ("message_sent", 1, "unknown", "its text is not in the log (sent, read)")
    ]
    assert record.events[0].at is not None
    assert record.events[0].at.timestamp() == T + 60
    assert record.truncated
    assert record.attributes["messages_without_text_in_the_log"] == 1
    assert "the log has no text of a message that the business sent" in found.notes


def test_statuses_alone_make_no_conversation(tmp_path: Path) -> None:
    found = of(tmp_path, [status(2, "sent"), status(2, "delivered", 2), status(3, "failed", 4 * DAY)])
    assert (found.kept, len(found.problems)) == (0, 3)
    assert {p.field for p in found.problems} == {"statuses"}


def test_a_message_that_was_not_delivered_says_so(tmp_path: Path) -> None:
    error = {"code": 131026, "title": "Message undeliverable"}
    record = one(tmp_path, [came(1), sent(2, 5), status(2, "failed", 9, errors=[error])])
    assert [(e.kind, e.after, e.note) for e in record.events] == [
        ("delivery_failed", 2, "131026 Message undeliverable")
    ]
    assert not record.truncated


def test_who_sent_a_message_is_unknown_until_something_says_it(tmp_path: Path) -> None:
    def role(row: dict[str, Any], **options: Any) -> str:
        return of(tmp_path, [came(1), row], **options).conversations[0].messages[1].role.value

    assert role(sent(2, 5)) == "unknown"
    assert "outbound_role" in of(tmp_path, [came(1), sent(2, 5)]).notes
    assert role(sent(2, 5), outbound_role="human") == "human"
    assert role({**sent(2, 5), "sent_by": "assistant"}, outbound_role="human") == "ai"
    assert role({**sent(2, 5), "role": "agent"}, outbound_role="human") == "human"
    assert role({**sent(2, 5), "role": "user"}, outbound_role="ai") == "ai"
    assert role(sent(2, 5, biz_opaque_callback_data="bot"), callback_roles="bot=ai,desk=human") == "ai"
    told = [came(1), sent(2, 5), status(2, "sent", 6, biz_opaque_callback_data="desk")]
    assert of(tmp_path, told, callback_roles={"desk": "human"}).conversations[0].messages[1].role == "human"
    assert role(echo(2, 5), outbound_role="ai") == "human"


def test_sessions_are_cut_where_nobody_writes_for_longer_than_the_gap(tmp_path: Path) -> None:
    rows = [came(1), came(2, DAY), came(3, 2 * DAY + 1), sent(4, 2 * DAY + 60), came(5, 4 * DAY)]
    found = of(tmp_path, rows)
    assert [len(c.messages) for c in found.conversations] == [2, 2, 1]
    assert [(c.state, c.ended_at is None) for c in found.conversations] == [
        ("closed", False), ("closed", False), ("open", True),
    ]  # fmt: skip
    assert found.kept == 5
    assert [len(c.messages) for c in of(tmp_path, rows, idle_minutes="30").conversations] == [1, 1, 2, 1]
    assert len(of(tmp_path, rows, idle_minutes=3 * 1440).conversations) == 1


def test_reactions_and_notices_begin_no_session_of_their_own(tmp_path: Path) -> None:
    rows = [came(1), came(2, 3 * DAY, "reaction", {"message_id": "wamid.1", "emoji": "👍"}), came(3, 3 * DAY + 60)]
    found = of(tmp_path, rows)
    assert [[m.text for m in c.messages] for c in found.conversations] == [["message 1", "👍"], ["message 3"]]
    assert found.conversations[0].ended_at == found.conversations[0].messages[0].at


def test_ids_of_conversations_stay_when_the_log_grows_at_its_end(tmp_path: Path) -> None:
    rows = [came(1), sent(2, 60), status(2, "sent", 61), came(3, 3 * DAY), echo(4, 3 * DAY + 5), came(5, 6 * DAY),
            status(6, "sent", 6 * DAY + 9), came(7, 9 * DAY)]  # fmt: skip
    seen: dict[str, int] = {}
    for n in range(1, len(rows) + 1):
        ids = [c.conversation_id for c in of(tmp_path, rows[:n]).conversations]
        assert list(seen) == ids[: len(seen)], f"{n} rows"
        seen = dict.fromkeys(ids, n)
    assert len(seen) == 4
    closed = of(tmp_path, rows[:6]).conversations[0]
    assert closed == of(tmp_path, rows).conversations[0]


def test_what_the_business_begins_is_initiated_by_it_and_outbound_if_nobody_answers(tmp_path: Path) -> None:
    template = {"name": "promo", "language": {"code": "en"},
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]}  # fmt: skip
    alone = one(tmp_path, [sent(1, 0, "template", template), status(1, "sent", 1)])
    assert (alone.initiated_by, alone.excluded) == ("business", "outbound")
    answered = one(tmp_path, [sent(1, 0, "template", template), came(2, 60)])
    assert (answered.initiated_by, answered.excluded) == ("business", None)
    unseen = one(tmp_path, [status(1, "sent"), came(2, 60)])
    assert (unseen.initiated_by, unseen.events[0].after) == ("business", 0)


def test_the_same_webhook_twice_is_counted_and_noted_not_doubled(tmp_path: Path) -> None:
    found = of(tmp_path, [came(1), came(1), sent(2, 5), status(2, "sent", 6), status(2, "sent", 6)])
    (record,) = found.conversations
    assert found.kept == 5
    assert len(record.messages) == 2
    assert len(record.messages[1].attributes["statuses"]) == 1
    assert "a webhook was delivered more than once, what it says counts once ×2" in found.notes


def test_a_number_and_a_user_id_meet_through_the_row_that_has_both(tmp_path: Path) -> None:
    """Since April 2026 webhooks carry a business-scoped user id, and of users with a username that alone."""
    old = hook({"contacts": [{"wa_id": "16505551234"}], "messages": [{"from": "16505551234", "id": "wamid.1",
                "timestamp": str(T), "type": "text", "text": {"body": "by number"}}]})  # fmt: skip
    contact = {"user_id": "US.134912086553", "profile": {"name": "Ana", "username": "@ana"}}
    new = hook({"contacts": [contact], "messages": [{"from_user_id": "US.134912086553", "id": "wamid.2",
                "timestamp": str(T + 60), "type": "text", "text": {"body": "by id"}}]})  # fmt: skip
    assert len(of(tmp_path, [old, new]).conversations) == 2
    both = came(3, 120)
    for rows in ([old, new, both], [both, new, old], [new, both, old]):
        record = one(tmp_path, rows)
        assert [m.text for m in record.messages] == ["by number", "by id", "message 3"]
        assert {(i.kind, i.value) for i in record.contact.identities} == {
            ("phone", "+16505551234"), ("whatsapp_user_id", "US.134912086553"),
        }  # fmt: skip
    alone = of(tmp_path, [new]).conversations[0]
    assert [(i.kind, i.value) for i in alone.contact.identities] == [("whatsapp_user_id", "US.134912086553")]
    assert alone.attributes["username"] == "@ana"
    by_id = hook({"statuses": [{"id": "wamid.9", "status": "sent", "timestamp": str(T + 70),
                  "recipient_user_id": "US.134912086553"}]})  # fmt: skip
    assert of(tmp_path, [new, by_id]).kept == 2


def test_changed_numbers_and_ids_tie_the_customer_together(tmp_path: Path) -> None:
    notice = came(2, 60, "system", {"body": "changed", "wa_id": "16505559999", "user_id": "US.777",
                                    "type": "user_changed_number"})  # fmt: skip
    record = one(tmp_path, [came(1), notice])
    assert {i.value for i in record.contact.identities} == {
        "+16505551234", "US.134912086553", "+16505559999", "US.777",
    }  # fmt: skip
    update = hook({"contacts": [{"profile": {"name": "Ana"}, "wa_id": "16505551234"}], "user_id_update": [
        {"wa_id": "16505551234", "user_id": {"previous": "US.134912086553", "current": "US.888"},
         "timestamp": str(T + 90)}]}, "user_id_update")  # fmt: skip
    later = hook({"messages": [{"from_user_id": "US.888", "id": "wamid.5", "timestamp": str(T + 99), "type": "text",
                                "text": {"body": "new id"}}]})  # fmt: skip
    assert [m.text for m in one(tmp_path, [came(1), update, later]).messages] == ["message 1", "new id"]
