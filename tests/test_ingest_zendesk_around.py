"""Zendesk's JSON: what it says around a ticket and of its end, wrong values, spoilt files, the real ones."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from helpdesk import changed, happened, nulled, places, read, spoilt_bytes, spoilt_values, survives, too_deep, write
from zendesk_rows import (
    AGENT,
    API,
    BOT,
    CUSTOMER,
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

from grader.errors import InputError
from grader.ingest.sources import zendesk
from grader.model import Outcome

# ── around ──


def test_channel_queue_reason_and_language_are_zendesks_words(tmp_path: Path) -> None:
    found = one(tmp_path, ticket())
    assert (found.channel, found.queue, found.reason, found.language) == ("native_messaging", "360", None, None)
    page = {"tickets": [ticket()], "groups": [{"id": 360, "name": "Returns EU"}],
    "users": [user(CUSTOMER, "end-user", locale="pt-BR")],
            "ticket_fields": [{"id": 5001, "title": "Contact reason"}]}  # fmt: skip
    sideloaded = one(tmp_path, page, reason="contact reason")
    assert (sideloaded.queue, sideloaded.reason, sideloaded.language) == ("returns eu", "damaged item", "pt-br")
    assert one(tmp_path, ticket(), reason=5001, groups={"360": "Returns"}).queue == "Returns"
    assert one(tmp_path, ticket(), reason=5001).reason == "damaged item"
    embedded = ticket(
        group_id=None, group={"id": 9, "name": "VIP"}, requester_id=None, requester={"id": 8, "email": "a@b.example"}
    )
    assert one(tmp_path, embedded).queue == "vip"
    assert [i.value for i in one(tmp_path, embedded).contact.identities] == ["8", "a@b.example"]


def test_a_contact_is_its_ids(tmp_path: Path) -> None:
    via = {"channel": "email", "source": {"from": {"address": "jo@example.com", "name": "Jo"}, "rel": None}}
    people = [user(CUSTOMER, "end-user", email="jo@example.com", phone="+15550100", external_id="K-7")]
    found = one(tmp_path, {"tickets": [ticket(via=via)], "users": people})
    assert [(i.kind, i.value) for i in found.contact.identities] == [
        ("zendesk_id", str(CUSTOMER)), ("customer_id", "K-7"), ("email", "jo@example.com"), ("phone", "+15550100"),
    ]  # fmt: skip
    assert "Joe Bloggs" not in found.model_dump_json()


def test_follow_ups_problems_and_orders_are_references(tmp_path: Path) -> None:
    via = {"channel": "web", "source": {"from": {"ticket_id": 30, "subject": "x"}, "rel": "follow_up"}}
    found = one(tmp_path, ticket(via=via, problem_id=12, followup_ids=[40], external_id="ord-1"), orders="5001")
    assert [(r.kind, r.value) for r in found.references] == [
        ("order", "damaged item"), ("external_id", "ord-1"), ("ticket", "35"), ("ticket", "30"), ("ticket", "12"),
        ("ticket", "40"),
    ]  # fmt: skip
    assert one(tmp_path, ticket()).references == ()


@pytest.mark.parametrize(("status", "state"), [
    ("new", "open"), ("open", "open"), ("pending", "open"), ("hold", "open"), ("solved", "closed"),
    ("closed", "closed"),
    ("strange", None), (None, None),
])  # fmt: skip
def test_the_state_is_the_status(tmp_path: Path, status: str | None, state: str | None) -> None:
    assert one(tmp_path, ticket(status=status), {"ticket_id": 35, "comments": [comment(1)]}).state == state


def test_samples_and_spam_are_marked(tmp_path: Path) -> None:
    assert one(tmp_path, ticket(via={"channel": "sample_ticket"})).excluded == "test"
    assert one(tmp_path, ticket(tags=["SPAM"])).excluded == "spam"
    assert one(tmp_path, ticket()).excluded is None


def test_audits_alone_say_how_a_ticket_began_and_what_happened(tmp_path: Path) -> None:
    began = audit(1, comment(1), change("requester_id", None, str(CUSTOMER), "Create"),
    change("status", None, "new", "Create"),
                  change("tags", None, ["vip"], "Create"), author=CUSTOMER, via={"channel": "email"})  # fmt: skip
    rest = [
        audit(2, comment(2, AGENT, "photo?"), change("status", "new", "pending"), change("group_id", None, "9")),
        audit(3, change("status", "pending", "solved"), {"type": "Notification", "body": "x"},
        change("priority", None, "high")),
        audit(4, change("status", "solved", "open")),
        audit(5, {"type": "SatisfactionRating", "score": "bad", "comment": "slow"}),
    ]  # fmt: skip
    found = reads(tmp_path, {"audits": [*reversed(rest), began]}, bot_ids=[])
    conversation = found.only()
    assert [m.role.value for m in conversation.messages] == ["customer", "human"]
    assert happened(conversation) == [("assigned", 2), ("status", 2), ("closed", 2), ("reopened", 2), ("rating", 2)]
    assert conversation.events[2].note == "status: pending → solved"
    assert conversation.events[4].note is None  # a judge must not see the rating
    assert (conversation.channel, conversation.state, conversation.queue) == ("email", "open", "9")
    assert conversation.started_at is not None
    assert conversation.attributes["audit_events"] == {"Change priority": 1, "Notification": 1}
    assert (found.outcomes[0].csat, found.outcomes[0].csat_comment) == (1, "slow")
    assert found.rows == 5


def test_a_bot_that_passes_a_ticket_on_is_a_handoff(tmp_path: Path) -> None:
    rows = [ticket(), audit(1, comment(1), author=CUSTOMER), audit(2, comment(2, BOT, "hi"), author=BOT),
            audit(3, change("assignee_id", str(BOT), str(AGENT)), author=BOT),
            audit(4, comment(4, AGENT, "hello"))]  # fmt: skip
    found = one(tmp_path, *rows, bot_ids=[BOT])
    assert happened(found) == [("handoff", 2)]
    assert (found.events[0].from_role, found.events[0].to_role) == ("ai", "human")
    assert happened(one(tmp_path, *rows)) == [("assigned", 2)]


def test_a_comment_made_private_later_is_a_note_and_a_redacted_one_says_so(tmp_path: Path) -> None:
    rows = [ticket(), audit(1, comment(1)), audit(2, comment(2, AGENT, "secret")),
            audit(3, {"type": "CommentPrivacyChange", "comment_id": 2, "public": False}),
            audit(4, {"type": "CommentRedactionEvent", "comment_id": 1})]  # fmt: skip
    found = reads(tmp_path, *rows)
    assert [m.kind.value for m in found.only().messages] == ["text", "note"]
    assert found.only().messages[0].attributes["redacted"] is True
    assert "redacted" in found.told


def test_comments_that_an_event_export_leaves_out_are_a_cut(tmp_path: Path) -> None:
    bare = {"id": 2, "ticket_id": 35, "timestamp": 1785765720, "updater_id": AGENT,
            "child_events": [{"event_type": "Comment", "comment_present": True}]}  # fmt: skip
    assert one(tmp_path, ticket(), {"ticket_events": [bare]}).truncated


def test_the_history_of_a_chat_inside_an_audit_is_read(tmp_path: Path) -> None:
    history = [{"type": "ChatMessage", "actor_type": "end-user", "message": "hi", "timestamp": 1785765660000},
               {"type": "ChatMessage", "actor_type": "agent", "message": "hello", "timestamp": 1785765661000},
               {"type": "ChatJoin", "actor_type": "agent", "timestamp": 1785765662000}]  # fmt: skip
    found = one(
        tmp_path, ticket(description=None), audit(1, {"type": "ChatStartedEvent", "value": {"history": history}})
    )
    assert [(m.role.value, m.text) for m in found.messages] == [("customer", "hi"), ("human", "hello")]


# ── outcomes ──


def outcome(folder: Path, *rows: Any, **options: Any) -> Outcome | None:
    return next(iter(reads(folder, *rows, **options).outcomes), None)


@pytest.mark.parametrize(("score", "csat", "word"), [
    ("good", 5, "good"), ("bad", 1, "bad"), ("good_with_comment", 5, "good_with_comment"), (4, 4, "4"),
    ("offered", None, "offered"),
])  # fmt: skip
def test_good_and_bad_are_the_ends_of_the_scale_and_the_word_is_kept(
    tmp_path: Path, score: Any, csat: Any, word: str
) -> None:
    found = outcome(tmp_path, ticket(satisfaction_rating={"score": score, "comment": "thanks", "reason": "Other"}))
    assert found is not None
    assert (found.csat, found.csat_comment, found.attributes["satisfaction"]) == (csat, "thanks", word)
    assert found.attributes.get("csat_asked") == (True if score == "offered" else None)


def test_what_good_and_bad_are_worth_is_an_option(tmp_path: Path) -> None:
    rated = ticket(satisfaction_rating={"score": "good"})
    chosen = outcome(tmp_path, rated, satisfaction={"good": 4, "bad": 2})
    assert chosen is not None
    assert chosen.csat == 4
    none = outcome(tmp_path, rated, satisfaction={})
    assert none is not None
    assert (none.csat, none.attributes["satisfaction"]) == (None, "good")
    assert outcome(tmp_path, ticket(satisfaction_rating={"score": "unoffered"})) is None
    assert outcome(tmp_path, ticket()) is None


def test_ratings_metrics_and_surveys_come_from_rows_of_their_own(tmp_path: Path) -> None:
    metrics = {"id": 1, "ticket_id": 35, "solved_at": "2026-08-03T16:00:00Z", "reopens": 2,
               "full_resolution_time_in_minutes": {"calendar": 120, "business": 60},
               "reply_time_in_minutes": {}}  # fmt: skip
    found = outcome(
        tmp_path, {"ticket_metrics": [metrics]}, {"satisfaction_ratings": [{"ticket_id": 35, "score": "good"}]}
    )
    assert found is not None
    assert (found.csat, found.resolution_minutes, found.attributes["reopens"]) == (5, 120, 2)
    in_ticket = outcome(tmp_path, ticket(status="solved", metric_set=metrics))
    assert in_ticket is not None
    assert in_ticket.resolution_minutes == 120
    five = [{"rating": n} for n in range(1, 6)]
    survey = audit(9, {"type": "SurveyResponseSubmitted", "answers": [
        {"type": "rating_scale", "rating": 2, "question": {"options": five}},
        {"type": "open_ended", "value": "slow"}]})  # fmt: skip
    answered = outcome(tmp_path, ticket(), audit(1, comment(1)), survey)
    assert answered is not None
    assert (answered.csat, answered.csat_comment) == (2, "slow")
    three = json.loads(json.dumps(survey).replace('{"rating": 4}, {"rating": 5}', '{"rating": 4}'))
    assert outcome(tmp_path, ticket(), audit(1, comment(1)), three) is None


def test_who_handled_it_is_said_only_where_everybody_is_known(tmp_path: Path) -> None:
    rated = ticket(satisfaction_rating={"score": "good"})
    for events, by in (([logged(1, "user", "a"), logged(2, "bot", "b")], "ai"),
                       ([logged(1, "user", "a"), logged(2, "agent", "b")], "human"),
                       ([logged(1, "bot", "a"), logged(2, "agent", "b")], "both"),
                       ([logged(1, "user", "a"), logged(2, "bot", "b"), logged(3, "what", "c")], None)):  # fmt: skip
        found = outcome(tmp_path, rated, log(*events))
        assert found is not None
        assert found.handled_by == by
    cut = outcome(tmp_path, rated, log(logged(1, "user", "a"), logged(2, "bot", "b"), more=True))
    assert cut is not None
    assert cut.handled_by is None


# ── wrong values, options ──


@pytest.mark.parametrize(("rows", "field"), [
    ([ticket(created_at="soon")], "created_at"),
    ([ticket(description=5)], "description"),
    ([{"tickets": [ticket(1), ticket(comments=[comment(1), "x"])]}], "tickets[2].comments[2]"),
    ([{"audits": [{**audit(1, comment(1)), "created_at": 5}]}], "audits[1].created_at"),
    ([{"audits": [{**audit(1), "events": [comment(1, attachments=[]), 5]}]}], "audits[1].events[2]"),
    ([log(logged(1, "user", ["x"]))], "events[1].content.text"),  # type: ignore[arg-type]
    ([{"chats": [chat(history="x")]}], "chats[1].history"),
    ([{"tickets": [{**ticket(), "id": None}]}], "tickets[1].id"),
])  # fmt: skip
def test_a_wrong_value_is_rejected_with_its_place(tmp_path: Path, rows: Any, field: str) -> None:
    found = reads(tmp_path, *rows)
    assert [one.field for one in found.rejected] == [field]


@pytest.mark.parametrize("values", [
    {"ai_ids": ["1"]}, {"bot_ids": {"a": 1}}, {"groups": "x"}, {"satisfaction": {"good": 7}},
    {"satisfaction": {"good": "yes"}},
    {"reason": []},
])  # fmt: skip
def test_options_that_cannot_be_used_are_refused_with_a_cure(values: Any) -> None:
    with pytest.raises(InputError) as refused:
        zendesk.options(values)
    assert refused.value.cure


# ── hostile files, real files ──

SEEDS: list[Any] = [
    {"tickets": [ticket(satisfaction_rating={"score": "good"}, followup_ids=[1]), ticket(36)],
    "users": [user(CUSTOMER, "end-user")],
     "groups": [{"id": 360, "name": "x"}],
     "metric_sets": [{"ticket_id": 35, "full_resolution_time_in_minutes": {"calendar": 5}}],
     "ticket_fields": [{"id": 5001, "title": "Reason"}]},
    {"ticket": ticket(),
    "comments": [comment(1), comment(2, AGENT, data={"transcription_text": "x"}, attachments=[{"file_name": "a"}])],
     "next_page": None},
    {"audits": [audit(1, comment(1), change("status", None, "new", "Create")),
    audit(2, change("status", "new", "solved")),
                audit(3, {"type": "SatisfactionRating", "score": "bad"},
                {"type": "CommentPrivacyChange", "comment_id": 1, "public": False})]},
    log(logged(1, "bot", "Hi", content={"type": "carousel", "items": [{"title": "a"}], "actions": [{"text": "b"}]}),
    logged(2, "user", "é 😀")),
    {"chats": [chat()], "count": 1},
    {"agent_engagement_data": [engagement(1, "2026-08-03T14:00:00", "2026-08-03T14:03:00")], "has_more": False},
    {**ticket(), "comments": [comment(1)], "url": API},
]  # fmt: skip
_LISTS = ("tickets", "comments", "audits", "events", "chats", "agent_engagement_data")


def n_rows(value: Any) -> int:
    """How many rows docs/sources/zendesk.md says there are in a JSON value; only of values like SEEDS."""
    if isinstance(value, list):
        return sum(n_rows(one) for one in value)
    if not isinstance(value, dict) or "status" in value:
        return 1
    lists = sum(len(value[key]) for key in _LISTS if isinstance(value.get(key), list))
    return max(lists + isinstance(value.get("ticket"), dict), 1)


def test_files_spoilt_in_their_values_end_in_kept_and_rejected_rows(tmp_path: Path) -> None:
    for value in spoilt_values(SEEDS, 450, seed=7):
        found = survives(zendesk, write(tmp_path, value))
        assert found is not None
        if value is not None and not (isinstance(value, dict) and "subject" in value):
            assert found.rows == (1 if too_deep(value) else n_rows(value)), value


def test_files_spoilt_in_their_bytes_end_in_kept_and_rejected_rows(tmp_path: Path) -> None:
    for raw in spoilt_bytes(SEEDS, 150, seed=8):
        survives(zendesk, write(tmp_path, raw))


def test_null_everywhere_and_each_place_missing(tmp_path: Path) -> None:
    chance = random.Random(9)
    for seed in SEEDS:
        for depth in range(5):
            survives(zendesk, write(tmp_path, nulled(seed, depth)))
        paths = [path for path in places(seed) if path]
        for path in chance.sample(paths, min(20, len(paths))):
            survives(zendesk, write(tmp_path, changed(seed, path)))


@pytest.mark.realdata
def test_every_real_file_gives_the_messages_that_it_holds(real_data: Path) -> None:
    folder = real_data / "raw_formats" / "zendesk"
    for name, key in (("tickets.json", "tickets"), ("incremental_tickets.json", "tickets")):
        listed = json.loads((folder / name).read_text(encoding="utf-8"))[key]
        found = read(zendesk, folder / name)
        assert {c.conversation_id: len(c.messages) for c in found.conversations} == {str(t["id"]): 1 for t in listed}
        assert (found.rows, found.rejected) == (len(listed), [])
        assert all(c.truncated for c in found.conversations)
    audits = json.loads((folder / "ticket_audits.json").read_text(encoding="utf-8"))["audits"]
    expected: dict[str, int] = {}
    for row in audits:
        n = sum(event["type"] == "Comment" for event in row["events"])
        expected[str(row["ticket_id"])] = expected.get(str(row["ticket_id"]), 0) + n
    found = read(zendesk, folder / "ticket_audits.json")
    assert {c.conversation_id: len(c.messages) for c in found.conversations} == expected
    assert (found.rows, found.rejected) == (len(audits), [])
    engaged = json.loads((folder / "chat_engagements.json").read_text(encoding="utf-8"))["agent_engagement_data"]
    found = read(zendesk, folder / "chat_engagements.json")
    assert len(found.outcomes) == len({row["ticket_id"] for row in engaged}) == 10
    assert (found.rows, found.conversations, found.rejected) == (len(engaged), [], [])
    assert sum(o.handle_minutes or 0 for o in found.outcomes) * 60 == pytest.approx(850)
