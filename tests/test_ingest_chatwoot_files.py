"""Chatwoot's files as a whole: options, what is rejected, what is recognised, real samples, and spoilt files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chatwoot_rows import AGENT, CONTACT, LOG, TALK, conversation, hook, message, of, one, page, said, spoken, survey
from ingest_mutated import lines, read, spoilt_bytes, spoilt_values
from ingest_reading import put

from grader.errors import InputError
from grader.ingest.sources import chatwoot


def test_reasons_queues_and_exclusions_follow_the_options(tmp_path: Path) -> None:
    assert one(tmp_path, LOG, reason_labels="refund,exchange").reason == "refund"
    assert one(tmp_path, LOG, reason_attribute="motive").reason == "refund"
    assert of(tmp_path, LOG, reason_labels="*").conversations[0].reason is None
    assert "several labels that are reasons" in of(tmp_path, LOG, reason_labels="*").notes
    assert one(tmp_path, LOG, queue="team").queue == "returns"
    assert of(tmp_path, [{**conversation(), "messages": TALK}], inboxes="7=Shop").conversations[0].queue == "shop"
    assert one(tmp_path, LOG, spam_labels="VIP").excluded == "spam"
    assert one(tmp_path, LOG, test_labels=["vip"]).excluded == "test"
    assert one(tmp_path, LOG, references={"motive": "case"}).references[1].kind == "case"
    campaign = page([message(1, 1, "50% off!", AGENT, additional_attributes={"campaign_id": 1})])
    record = of(tmp_path, [campaign]).conversations[0]
    assert (record.excluded, record.initiated_by) == ("outbound", "business")


def test_conversations_of_several_accounts_need_the_account_in_their_ids(tmp_path: Path) -> None:
    rows = [said("message_created", 1, "incoming", "a", CONTACT), said("message_created", 2, "incoming", "b", CONTACT)]
    rows[1]["account"] = {"id": 4}
    found = of(tmp_path, rows)
    assert len(found.problems) == 2
    assert "account_in_id" in found.problems[0].cure
    kept = of(tmp_path, rows, account_in_id="true").conversations
    assert [record.conversation_id for record in kept] == ["3/55", "4/55"]
    assert {("chatwoot_id", "3/31")} <= {(i.kind, i.value) for i in kept[0].contact.identities}
    assert of(tmp_path, [page(TALK)], account_in_id=True).problems[0].field == "account_id"


@pytest.mark.parametrize("given", [
    {"ai_sender": "x"}, {"queue": "label"}, {"account_in_id": "maybe"}, {"inboxes": "7"}, {"inboxes": {"7": []}},
    {"ai_senders": 3.5}, {"reason_attribute": ["a"]}, {"reason_attribute": " "}, {"references": 4},
])  # fmt: skip
def test_options_that_are_none_are_refused_with_a_cure(given: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        chatwoot.options(given)
    assert error.value.cure


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"event": "webwidget_triggered", "id": 3, "contact": {}, "inbox": {}, "current_conversation": None},
            "is about no",
        ),
        ({"event": "contact_updated", "id": 3, "account": {"id": 1}}, "is about no conversation"),
        ({"event": "message_created", "content": "x", "conversation": {}}, "which conversation"),
        (hook("conversation_created", 0), "no message of conversation 55"),
        ({"some": "thing"}, "no conversation, message or webhook"),
        (7, "must be an object"),
        (said("message_created", 1, "incoming", "", CONTACT), "no word"),
        ({**said("message_created", 1, "incoming", "x", CONTACT), "created_at": "soon"}, "is no time"),
    ],
)
def test_what_cannot_go_in_is_rejected_with_its_reason(tmp_path: Path, row: Any, reason: str) -> None:
    found = of(tmp_path, [row])
    assert (found.kept, len(found.problems)) == (0, 1)
    assert reason in found.problems[0].reason


def test_an_empty_list_among_rows_and_what_is_no_object_in_a_page_are_rejected(tmp_path: Path) -> None:
    found = of(tmp_path, [LOG[1], [], page([*TALK, None, "x"])])
    assert [p.reason for p in found.problems] == [
        "an empty list: nothing stands in it", "a row must be an object, this is null",
        "a row must be an object, this is the text 'x'",
    ]  # fmt: skip
    assert found.kept == 6


def test_one_bad_row_takes_its_conversation_with_it_and_is_named(tmp_path: Path) -> None:
    bad = {**LOG[3], "created_at": "soon"}
    other = {**said("message_created", 1, "incoming", "hi", CONTACT), "conversation": {**conversation(), "id": 56}}
    found = of(tmp_path, [*LOG[:3], bad, other, b"{" and "not json", *LOG[4:]])
    assert [record.conversation_id for record in found.conversations] == ["56"]
    assert len(found.problems) == 11
    assert [p.line for p in found.parsed if p.problem and "is no time" in p.problem.reason] == [4]
    assert sum("that of line 4" in problem.reason for problem in found.problems) == 9


def test_widget_and_typing_events_of_a_conversation_go_with_it(tmp_path: Path) -> None:
    opened = {"event": "webwidget_triggered", "contact": CONTACT, "inbox": {"id": 7, "name": "Site"},
              "account": {"id": 3}, "current_conversation": conversation("pending")}  # fmt: skip
    typing = {"event": "conversation_typing_on", "user": CONTACT, "conversation": conversation("pending")}
    record = one(tmp_path, [opened, typing, *LOG])
    assert spoken(record) == spoken(one(tmp_path, LOG))
    assert record.events == one(tmp_path, LOG).events


def test_reading_twice_gives_equal_records(tmp_path: Path) -> None:
    path = put(tmp_path, lines([*LOG, page([*TALK, survey(3)])]))
    assert read(chatwoot, path).parsed == read(chatwoot, path).parsed


def test_secrets_raw_mails_and_files_stay_out(tmp_path: Path) -> None:
    mail = {"subject": "Late", "html_content": {"full": "<p>hi</p>" * 500}, "text_content": {"full": "hi" * 500}}
    row = page([message(1, 0, "hi", CONTACT, content_attributes={"email": mail, "blob": "QUJD" * 2000})])
    found = of(tmp_path, [row])
    attributes = found.conversations[0].messages[0].attributes
    assert attributes["content_attributes"]["email"] == {"subject": "Late"}
    assert len(json.dumps(attributes)) < 600
    assert "a file stood inside a message" in found.notes


@pytest.mark.parametrize("row", [
    {"conversation_id": "a", "messages": [{"role": "customer", "text": "hi"}]},
    {"id": "a", "messages": [{"role": "user", "content": "hi"}]},
    {"type": "conversation.list", "conversations": []}, {"tickets": [{"id": 1, "status": "open"}]},
    {"object": "whatsapp_business_account", "entry": []}, {"event": "message_created", "text": "x"}, [], 4, None,
    {"data": {"payload": []}}, {"payload": "x"},
    {"id": 1, "inbox_id": 2, "messages": [{"role": "user", "text": "x", "message_type": 1}]},
])  # fmt: skip
def test_other_formats_are_not_taken_for_chatwoot(row: Any) -> None:
    assert chatwoot.recognises([row]) is None


@pytest.mark.parametrize("row", [LOG[0], LOG[1], page(TALK), TALK[0], conversation(), [LOG[2]], {"body": LOG[3]},
                                 {"data": {"payload": [conversation()]}}])  # fmt: skip
def test_its_own_shapes_are_recognised(row: Any) -> None:
    assert chatwoot.recognises([row])


# Real files


def every_message(value: Any) -> Any:
    """Plain walking: (conversation, id) of every object that has a message_type, anywhere."""
    if isinstance(value, dict):
        if "message_type" in value and "id" in value:
            holder = value.get("conversation") or {"id": value.get("conversation_id")}
            yield holder["id"], value["id"]
        for inner in value.values():
            yield from every_message(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from every_message(inner)


@pytest.mark.realdata
def test_the_sample_files_hold_the_messages_that_plain_walking_finds(real_data: Path, tmp_path: Path) -> None:
    files = sorted((real_data / "raw_formats" / "chatwoot").glob("*.json"))
    assert files
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    for path, row in zip(files, rows, strict=True):
        assert chatwoot.recognises([row])
        found = read(chatwoot, path)
        assert found.rows == 1
        expected = set(every_message(row))
        assert {
            (int(c.conversation_id), m.attributes["id"]) for c in found.conversations for m in c.messages
        } == expected
        assert sum(len(c.messages) for c in found.conversations) == len(expected)
        assert bool(found.problems) == (row["event"] == "webwidget_triggered")
    together = of(tmp_path, rows)
    assert (together.kept, len(together.problems)) == (5, 1)
    assert sum(len(c.messages) for c in together.conversations) == len(set(every_message(rows))) == 2


# Spoilt files


def n_rows(raw: bytes) -> int:
    """Rows of JSON Lines, counted plainly: a line, or what its lists and pages hold."""

    def count(value: Any) -> int:
        if isinstance(value, list):
            return sum(map(count, value)) if value else 0
        payload = value.get("payload") if isinstance(value, dict) and "event" not in value else None
        payload = json.loads(payload) if isinstance(payload, str) and payload[:1] in "[{" else payload
        return len(payload) if isinstance(payload, list) and payload else 1

    total = 0
    for line in raw.split(b"\n"):
        if line.strip():
            try:
                value = json.loads(line)
            except ValueError:
                value = None
            total += max(count(value), 1) if isinstance(value, list) else count(value)
    return total


FUZZED = [*LOG, {**page([*TALK, survey(4)]), "payload": [*TALK, survey(4)]}, conversation()]


@pytest.mark.parametrize("part", range(5))
def test_spoilt_values_end_in_rows_kept_or_rejected_and_none_is_lost(tmp_path: Path, part: int) -> None:
    for seed in range(part * 60, part * 60 + 60):
        raw = lines([LOG[1], *spoilt_values(FUZZED, seed)])
        found = read(chatwoot, put(tmp_path, raw))
        assert found.rows == n_rows(raw), f"seed {seed}"


@pytest.mark.parametrize("part", range(4))
def test_spoilt_bytes_end_in_rows_kept_or_rejected(tmp_path: Path, part: int) -> None:
    good = lines([LOG[1]])
    for seed in range(part * 50, part * 50 + 50):
        found = read(chatwoot, put(tmp_path, good + spoilt_bytes(lines(FUZZED[1:6]), seed)))
        assert found.rows == n_rows((tmp_path / "rows.jsonl").read_bytes()), f"seed {seed}"
