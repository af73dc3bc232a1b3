"""WhatsApp's logs as a whole: what a payload may hold, options, what is rejected and recognised, and spoilt files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ingest_mutated import lines, read, spoilt_bytes, spoilt_values
from ingest_reading import put
from whatsapp_rows import ANA, DAY, T, came, echo, hook, message, of, one, sent, spoken, status

from grader.errors import InputError
from grader.ingest.sources import whatsapp_business


def test_one_payload_may_hold_many_of_many_customers(tmp_path: Path) -> None:
    bia = {"wa_id": "5511955550133", "profile": {"name": "Bia"}}
    value = {"contacts": [ANA, bia], "messages": [
        message(1), {"from": "5511955550133", "id": "wamid.2", "timestamp": str(T), "type": "text",
                     "text": {"body": "oi"}}, message(3, 9)]}  # fmt: skip
    row = hook(value)
    row["entry"] += hook({"statuses": [{"id": "wamid.4", "status": "sent", "recipient_id": "5511955550133",
                                        "timestamp": str(T + 3)}]})["entry"]  # fmt: skip
    found = of(tmp_path, [row])
    assert found.kept == 4
    assert [(c.contact.name, len(c.messages), len(c.events)) for c in found.conversations] == [
        ("Ana", 2, 0), ("Bia", 1, 1),
    ]  # fmt: skip


def test_numbers_of_one_business_are_told_apart(tmp_path: Path) -> None:
    other = came(2, 5)
    other["entry"][0]["changes"][0]["value"]["metadata"] = {"phone_number_id": "200000000000009"}
    found = of(tmp_path, [came(1), other])
    assert [c.attributes["phone_number_id"] for c in found.conversations] == ["106540352242922", "200000000000009"]
    unclear = of(tmp_path, [came(1), other, sent(3, 9)])
    assert (unclear.kept, [p.field for p in unclear.problems]) == (2, ["phone_number_id"])
    for told in (
        {**sent(3, 9), "phone_number_id": "200000000000009"},
        {**sent(3, 9), "url": "https://x/v23.0/200000000000009/messages"},
    ):
        assert [len(c.messages) for c in of(tmp_path, [came(1), other, told]).conversations] == [1, 2]
    by_status = status(3, "sent", 10)
    assert [len(c.messages) for c in of(tmp_path, [came(1), other, sent(3, 9), by_status]).conversations] == [2, 1]


def test_edits_and_deletions_change_the_message_that_they_name(tmp_path: Path) -> None:
    edit = came(2, 30, "edit", {"original_message_id": "wamid.1",
                                "message": {"type": "text", "text": {"body": "corrected"}}})  # fmt: skip
    revoke = came(3, 60, "revoke", {"original_message_id": "wamid.1"})
    record = one(tmp_path, [revoke, edit, came(1)])
    (only,) = record.messages
    assert only.text == "corrected"
    assert only.attributes["before_edit"] == ["message 1"]
    assert only.attributes["revoked"] is True
    assert [(e.kind, e.after, e.from_role) for e in record.events] == [("deleted", 1, "customer")]
    lost = of(tmp_path, [came(0), edit, revoke])
    assert [m.text for m in lost.conversations[0].messages] == ["message 0", "corrected"]
    assert lost.kept == 3
    assert "kept as edited" in lost.notes


def test_the_history_of_the_phone_has_both_sides(tmp_path: Path) -> None:
    thread = {
        "id": "16505551234",
        "context": {"wa_id": "16505551234", "user_id": "US.134912086553"},
        "messages": [
            {
                "from": "16505551234",
                "id": "wamid.1",
                "timestamp": str(T),
                "type": "text",
                "text": {"body": "old question"},
                "history_context": {"status": "READ"},
            },
            {
                "from": "15550783881",
                "to": "16505551234",
                "id": "wamid.2",
                "timestamp": str(T + 5),
                "type": "text",
                "text": {"body": "old answer"},
                "history_context": {"status": "READ"},
            },
            {"from": "16505551234", "id": "wamid.3", "timestamp": str(T + 9), "type": "media_placeholder"},
        ],
    }
    row = hook(
        {"history": [{"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": [thread]}]}, "history"
    )
    media = hook({"contacts": [ANA], "messages": [message(3, 9, "image", {"id": "M", "caption": "here"})]}, "history")
    found = of(tmp_path, [row, media])
    (record,) = found.conversations
    assert spoken(record) == [
        ("customer", "text", "old question"), ("human", "text", "old answer"), ("customer", "image", "here"),
    ]  # fmt: skip
    assert found.kept == 4
    declined = hook({"history": [{"errors": [{"code": 2593109, "title": "declined"}]}]}, "history")
    assert [p.reason for p in of(tmp_path, [declined]).problems] == [
        "no message of a conversation stands in it (history without messages)"
    ]


def test_members_of_a_group_are_not_taken_for_one_person(tmp_path: Path) -> None:
    rows = [came(1, group_id="G1"), hook({"messages": [{"from": "5511955550133", "group_id": "G1", "id": "wamid.2",
            "timestamp": str(T + 5), "type": "text", "text": {"body": "oi"}}]})]  # fmt: skip
    record = one(tmp_path, rows)
    assert not record.contact.identities
    assert record.attributes["group_id"] == "G1"
    assert [m.attributes["from"] for m in record.messages] == ["16505551234", "5511955550133"]


def test_calls_and_preferences_are_events_of_the_session_they_fall_into(tmp_path: Path) -> None:
    call = {"id": "c1", "from": "16505551234", "to": "15550783881", "event": "terminate", "duration": 40,
            "direction": "USER_INITIATED", "timestamp": str(T + 30)}  # fmt: skip
    stop = {"wa_id": "16505551234", "category": "marketing_messages", "value": "stop", "timestamp": T + 3 * DAY + 5}
    rows = [came(1), came(2, 60), came(3, 3 * DAY), hook({"calls": [call]}, "calls"),
            hook({"contacts": [ANA], "user_preferences": [stop]}, "user_preferences")]  # fmt: skip
    found = of(tmp_path, rows)
    assert found.kept == 5
    assert [[(e.kind, e.after, e.note) for e in c.events] for c in found.conversations] == [
        [("call", 1, "terminate USER_INITIATED 40")], [("preference", 1, "marketing_messages stop")],
    ]  # fmt: skip
    assert len(of(tmp_path, rows[3:]).problems) == 2


def test_parts_of_payloads_envelopes_and_lists_are_opened(tmp_path: Path) -> None:
    rows = [came(n, n) for n in range(5)]
    entry, change, value = (row["entry"][0] for row in rows[1:4])
    parts = [
        {"headers": {}, "body": rows[0]}, entry, {"payload": json.dumps(change["changes"][0])},
        value["changes"][0]["value"], [[{"json": {"body": rows[4]}}]],
    ]  # fmt: skip
    assert [m.text for m in one(tmp_path, parts).messages] == [f"message {n}" for n in range(5)]
    for written in (json.dumps(rows), json.dumps(rows, indent=2), "\n".join(json.dumps(row, indent=1) for row in rows)):
        found = read(whatsapp_business, put(tmp_path, written, "log.json"))
        assert (found.kept, len(found.conversations[0].messages)) == (5, 5)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (hook({"errors": [{"code": 1}]}), "no message of a conversation"),
        (hook({"event": "APPROVED"}, "message_template_status_update"), "message_template_status_update"),
        (hook({"messages": [7]}), "is no object"),
        (hook({"messages": [{"id": "wamid.1", "timestamp": "1", "type": "text"}]}), "names no customer"),
        ({"object": "whatsapp_business_account", "entry": []}, "nothing"),
        ({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}, "marks a message as read"),
        ({"some": "thing"}, "no webhook of WhatsApp's"),
        (7, "must be an object"),
        (came(1, body={}), "no word"),
        (came(1, timestamp="soon"), "is no time"),
    ],
)
def test_what_cannot_go_in_is_rejected_with_its_reason(tmp_path: Path, row: Any, reason: str) -> None:
    found = of(tmp_path, [row])
    assert (found.kept, len(found.problems)) == (0, 1)
    assert reason in found.problems[0].reason


def test_one_bad_row_takes_its_session_with_it_and_is_named(tmp_path: Path) -> None:
    rows = [came(0, -9 * DAY), came(1), came(2, 5, timestamp="soon"), came(3, 9), came(4, 9 * DAY)]
    found = of(tmp_path, rows)
    assert [len(c.messages) for c in found.conversations] == [1, 1]
    assert [p.line for p in found.parsed if p.problem and "is no time" in p.problem.reason] == [3]
    assert sum("that of line 3" in problem.reason for problem in found.problems) == 2


def test_rows_in_any_order_make_the_same_conversations(tmp_path: Path) -> None:
    rows = [came(1), sent(2, 60), status(2, "sent", 61), came(3, 90), came(4, 5 * DAY), echo(5, 5 * DAY + 1)]
    straight = of(tmp_path, rows).conversations
    for order in (rows[::-1], rows[3:] + rows[:3]):
        found = of(tmp_path, order)
        assert [(c.conversation_id, spoken(c)) for c in found.conversations] == [
            (c.conversation_id, spoken(c)) for c in straight
        ]
        assert "did not stand in the order of time" in found.notes


def test_reading_twice_gives_equal_records(tmp_path: Path) -> None:
    path = put(tmp_path, lines(FUZZED))
    assert read(whatsapp_business, path).parsed == read(whatsapp_business, path).parsed


@pytest.mark.parametrize("given", [
    {"idle": 5}, {"idle_minutes": 0}, {"idle_minutes": "soon"}, {"idle_minutes": True}, {"outbound_role": "bot"},
    {"callback_roles": "bot"}, {"callback_roles": "bot=robot"}, {"queues": [1]}, {"idle_minutes": "nan"},
])  # fmt: skip
def test_options_that_are_none_are_refused_with_a_cure(given: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        whatsapp_business.options(given)
    assert error.value.cure


@pytest.mark.parametrize("row", [
    {"conversation_id": "a", "messages": [{"role": "customer", "text": "hi"}]}, {"messages": [{"role": "user"}]},
    {"event": "message_created", "message_type": "incoming", "conversation": {"id": 1}}, {"entry": [{"id": 1}]},
    {"object": "instagram", "entry": [{"messaging": []}]}, {"type": "conversation.list"}, [], None, 4, "x",
    {"messages": [{"from": "a", "type": "text"}], "metadata": {}},
])  # fmt: skip
def test_other_formats_are_not_taken_for_whatsapp(row: Any) -> None:
    assert whatsapp_business.recognises([row]) is None


@pytest.mark.parametrize("row", [came(1), status(1, "sent"), echo(1), sent(1), {"body": came(1)}, [came(1)],
                                 came(1)["entry"][0], came(1)["entry"][0]["changes"][0]["value"]])  # fmt: skip
def test_its_own_shapes_are_recognised(row: Any) -> None:
    assert whatsapp_business.recognises([{"x": 1}, row])


# Spoilt files

FUZZED = [
    came(1), sent(2, 60), status(2, "sent", 61, pricing={"billable": True}), came(3, 90, "image", {"id": "M"}),
    echo(4, 120), came(5, 130, "interactive", {"button_reply": {"title": "Yes"}}),
    status(6, "failed", 140, errors=[{"code": 1}]),
    came(7, 150, "edit", {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "y"}}}),
    came(8, 4 * DAY, "order", {"product_items": [{"quantity": 1, "product_retailer_id": "S"}]}),
    hook({"calls": [{"id": "c", "from": "16505551234", "event": "connect", "timestamp": str(T + 9)}]}, "calls"),
    hook({"history": [{"threads": [{"id": "16505551234", "messages": [message(9, -50)]}]}]}, "history"),
]  # fmt: skip


def n_rows(raw: bytes) -> int:
    """Rows of JSON Lines, counted plainly: what a payload lists, or the line itself where it lists nothing."""
    keys = ("messages", "message_echoes", "statuses", "history", "calls", "user_preferences", "user_id_update")

    def opened(value: Any) -> Any:
        for key in ("body", "payload", "request"):
            if isinstance(value, dict) and isinstance(value.get(key), dict):
                return value[key]
        return value

    def of_value(value: Any) -> int:
        n = 0
        for key in keys if isinstance(value, dict) else ():
            for item in value.get(key) if isinstance(value.get(key), list) else []:
                threads = item.get("threads") if key == "history" and isinstance(item, dict) else None
                found = [m for t in threads or [] if isinstance(t, dict) and isinstance(t.get("messages"), list)
                         for m in t["messages"]] if isinstance(threads, list) else []  # fmt: skip
                n += max(len(found), 1)
        return max(n, 1)

    def dicts(value: Any, key: str) -> list[Any]:
        found = value.get(key) if isinstance(value, dict) else None
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    total = 0
    for line in raw.split(b"\n"):
        if line.strip():
            try:
                value = opened(json.loads(line))
            except ValueError:
                total += 1
                continue
            for entry in dicts(value, "entry") or [value]:
                for change in dicts(entry, "changes") or [entry]:
                    inner = change.get("value") if isinstance(change, dict) else None
                    total += of_value(inner if isinstance(inner, dict) else change)
    return total


@pytest.mark.parametrize("part", range(5))
def test_spoilt_values_end_in_rows_kept_or_rejected_and_none_is_lost(tmp_path: Path, part: int) -> None:
    for seed in range(part * 60, part * 60 + 60):
        raw = lines([came(0), *spoilt_values(FUZZED, seed)])
        found = read(whatsapp_business, put(tmp_path, raw))
        assert found.rows == n_rows(raw), f"seed {seed}"


@pytest.mark.parametrize("part", range(4))
def test_spoilt_bytes_end_in_rows_kept_or_rejected(tmp_path: Path, part: int) -> None:
    good = lines([came(0)])
    for seed in range(part * 50, part * 50 + 50):
        found = read(whatsapp_business, put(tmp_path, good + spoilt_bytes(lines(FUZZED[:5]), seed)))
        assert found.rows == n_rows((tmp_path / "rows.jsonl").read_bytes()), f"seed {seed}"
