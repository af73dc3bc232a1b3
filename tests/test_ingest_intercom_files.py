"""Intercom's API JSON: wrong values, spoilt files, the real ones."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from helpdesk import changed, nulled, places, read, spoilt_bytes, spoilt_values, survives, too_deep, write
from intercom_rows import ADMIN, CUSTOMER, FIN, T0, conversation, part, reads, ticket

from grader.errors import InputError
from grader.ingest.sources import intercom

# ── wrong values, bounds, options ──


@pytest.mark.parametrize(("path", "wrong", "field"), [
    (("created_at",), "yesterday", "created_at"),
    (("source",), "hi", "source"),
    (("source", "body"), 5, "source.body"),
    (("conversation_parts",), "none", "conversation_parts"),
    (("conversation_parts", "conversation_parts"), {"1": {}}, "conversation_parts.conversation_parts"),
    (("conversation_parts", "conversation_parts", 0), "x", "conversation_parts.conversation_parts[1]"),
    (("conversation_parts", "conversation_parts", 0, "body"), ["x"], "conversation_parts.conversation_parts[1].body"),
    (("conversation_parts", "conversation_parts", 0, "created_at"), 5,
    "conversation_parts.conversation_parts[1].created_at"),
    (("conversation_parts", "conversation_parts", 0, "author"), "Ana",
    "conversation_parts.conversation_parts[1].author"),
    (("id",), {}, "id"),
])  # fmt: skip
def test_a_conversation_with_a_hole_is_rejected_with_the_place(
    tmp_path: Path, path: Any, wrong: Any, field: str
) -> None:
    found = reads(tmp_path, changed(conversation(part(1, FIN, "<p>x</p>")), path, wrong))
    assert not found.kept
    assert found.rejected[0].field == field


def test_what_a_row_says_besides_is_bounded(tmp_path: Path) -> None:
    blob = "data:image/png;base64," + "A" * 100_000
    found = reads(
        tmp_path, conversation(custom_attributes={"picture": blob, **{f"k{n}": "v" * 900 for n in range(50)}})
    )
    assert len(found.only().model_dump_json()) < 40_000
    assert "attributes" in found.told
    assert "left out" in found.told


@pytest.mark.parametrize("values", [
    {"bot_ids": ["1"]}, {"bot_role": "human"}, {"teams": "x"}, {"ai_ids": {"a": 1}}, {"queue": 5.5},
    {"teams": {"1": ""}},
])  # fmt: skip
def test_options_that_cannot_be_used_are_refused_with_a_cure(values: Any) -> None:
    with pytest.raises(InputError) as refused:
        intercom.options(values)
    assert refused.value.cure


# ── hostile files, real files ──

SEEDS = [
    conversation(
        part(1, FIN, "<p>é 😀</p>", metadata={"quick_reply_options": [{"text": "a"}]}),
        part(2, ADMIN, "<p>x</p>", "close"),
        part(3, CUSTOMER, None, "conversation_rating_changed",
        attachments=[{"name": "a", "url": "https://x/y?z", "content_type": "image/png"}]),
        conversation_rating={"rating": 4, "remark": "r", "created_at": T0},
        ai_agent={"resolution_state": "escalated", "rating": 3},
        statistics={"last_close_at": T0 + 9, "adjusted_handling_time": 5,
        "assigned_team_first_response_time": [{"team_id": 1}]},
        custom_attributes={"order": {"type": "Order.list", "instances": [{"id": "1"}]}}, state="closed",
    ),
    {"type": "conversation.list", "conversations": [conversation(), conversation(id="2"), {"type": "tag", "id": "1"}]},
    ticket(part(1, CUSTOMER, "<p>x</p>"), linked_objects={"type": "list", "data": [{"type": "ticket", "id": "5"}]}),
    [conversation(), ticket()],
]  # fmt: skip


def n_rows(value: Any) -> int:
    """How many rows docs/sources/intercom.md says there are in a JSON value."""
    if isinstance(value, list):
        return sum(n_rows(one) for one in value) if value else 0
    if isinstance(value, dict) and value.get("type") not in ("conversation", "ticket"):
        for key in ("conversations", "tickets"):
            if isinstance(value.get(key), list) and not {"source", "conversation_parts", "ticket_parts"} & value.keys():
                return max(len(value[key]), 1)
    return 1


def test_files_spoilt_in_their_values_end_in_kept_and_rejected_rows(tmp_path: Path) -> None:
    for value in spoilt_values(SEEDS, 450, seed=3):
        found = survives(intercom, write(tmp_path, value))
        assert found is not None
        nested = isinstance(value, list) and any(isinstance(one, list) for one in value)
        assert nested or found.rows == (1 if too_deep(value) else n_rows(value)), value


def test_files_spoilt_in_their_bytes_end_in_kept_and_rejected_rows(tmp_path: Path) -> None:
    for raw in spoilt_bytes(SEEDS, 150, seed=4):
        survives(intercom, write(tmp_path, raw))


def test_null_everywhere_and_each_place_missing(tmp_path: Path) -> None:
    for seed in SEEDS:
        for depth in range(5):
            survives(intercom, write(tmp_path, nulled(seed, depth)))
    paths = [path for path in places(SEEDS[0]) if path]
    for path in random.Random(5).sample(paths, 60):
        survives(intercom, write(tmp_path, changed(SEEDS[0], path)))


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, tuple(SEEDS[:3]))
    assert read(intercom, path) == read(intercom, path)


REAL_WITHOUT = {
    "post_conversations_conversation_created.json", "post_conversations_conversation_id_tags_successful.json",
    "post_conversations_conversation_id_customers_attach_a_contact_to_a_conversation.json",
    "post_tickets_enqueue_successful_response.json", "post_tickets_ticket_id_tags_successful.json",
    "post_tickets_ticket_id_reply_admin_note_reply.json", "post_tickets_ticket_id_reply_admin_quick_reply_reply.json",
}  # fmt: skip


@pytest.mark.realdata
def test_every_real_file_gives_the_messages_that_it_holds(tmp_path: Path, real_data: Path) -> None:
    def n_messages(row: dict[str, Any]) -> int:
        holder = row.get("conversation_parts") or row.get("ticket_parts") or {}
        parts = holder.get("conversation_parts") or holder.get("ticket_parts") or []
        spoken = [p for p in parts if p.get("body") or p["part_type"] in ("comment", "note", "quick_reply")]
        opening = (row.get("source") or {}).get("body") or (row.get("ticket_attributes") or {}).get(
            "_default_description_"
        )
        return len(spoken) + bool(opening)

    files = sorted((real_data / "raw_formats" / "intercom").glob("*.json"))
    assert len(files) >= 26
    total = 0
    for path in files:
        value = json.loads(path.read_text(encoding="utf-8"))
        assert intercom.recognises([value]), path.name
        found = read(intercom, path)
        rows = value.get("conversations") or value.get("tickets") or [value]
        expected = {row["id"]: n_messages(row) for row in rows if row.get("type") in ("conversation", "ticket")}
        counted = {one.conversation_id: len(one.messages) for one in found.conversations}
        assert counted == {key: n for key, n in expected.items() if n}, path.name
        assert found.rows == len(rows)
        assert (path.name in REAL_WITHOUT) <= (not found.kept)
        total += sum(counted.values())
    assert total == 24
