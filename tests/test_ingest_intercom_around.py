"""Intercom's API JSON: what it says around a conversation, of its end, and of tickets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpdesk import happened, said
from intercom_rows import ADMIN, CUSTOMER, FIN, T0, conversation, one, part, reads, ticket

# ── around it ──


def test_channel_queue_reason_and_language_are_intercoms_words(tmp_path: Path) -> None:
    attributes = {"Issue type": "Late Parcel", "Language": "PT-br", "Store": "SP-3", "order_number": "Q-20817"}
    topics = {"type": "topic.list", "topics": [{"type": "topic", "id": 1, "name": "Shipping"}], "total_count": 1}
    found = one(tmp_path, custom_attributes=attributes, topics=topics)
    assert (found.channel, found.queue, found.reason, found.language) == ("whatsapp", "5017691", "shipping", "pt-br")
    chosen = reads(tmp_path, conversation(custom_attributes=attributes, topics=topics), reason="issue type",
    queue="Store",
                   orders="store").only()  # fmt: skip
    assert (chosen.queue, chosen.reason) == ("sp-3", "late parcel")
    assert [(r.kind, r.value) for r in chosen.references] == [("order", "SP-3"), ("order", "Q-20817")]
    named = reads(tmp_path, conversation(), teams={"5017691": "Orders"}).only()
    assert named.queue == "Orders"
    said_by_statistics = {"assigned_team_first_response_time": [{"team_id": 5017691, "team_name": "Team One"}]}
    assert one(tmp_path, statistics=said_by_statistics).queue == "team one"
    nobody = one(tmp_path, team_assignee_id=0, custom_attributes={}, topics=None)
    assert (nobody.queue, nobody.reason, nobody.language) == (None, None, None)


def test_a_contact_is_its_ids_and_a_group_is_not_one_person(tmp_path: Path) -> None:
    found = one(tmp_path)
    assert [(i.kind, i.value) for i in found.contact.identities] == [
        ("intercom_id", CUSTOMER["id"]), ("customer_id", "70"), ("email", "Joe@Example.com"),
    ]  # fmt: skip
    assert found.contact.name is None
    group = [{"type": "contact", "id": "a", "external_id": "1"}, {"type": "contact", "id": "b", "external_id": "2"}]
    grouped = one(tmp_path, contacts={"type": "contact.list", "contacts": group})
    assert [i.value for i in grouped.contact.identities] == ["a", "1"]
    assert grouped.attributes["other_contacts"] == ["b"]


def test_custom_objects_and_linked_tickets_are_references(tmp_path: Path) -> None:
    order = {"type": "Order.list", "instances": [{"id": "21", "external_id": "123", "type": "Order"}]}
    linked = {"type": "list", "data": [{"type": "ticket", "id": "631", "category": "Back-office"}], "total_count": 1}
    found = one(tmp_path, custom_attributes={"order": order}, linked_objects=linked)
    assert [(r.kind, r.value) for r in found.references] == [("order", "123"), ("ticket", "631")]


@pytest.mark.parametrize(("more", "state"), [
    ({"state": "open"}, "open"), ({"state": "closed", "open": False}, "closed"),
    ({"state": "snoozed", "open": True}, "open"),
    ({"state": None, "open": False}, "closed"), ({"state": None, "open": None}, None),
])  # fmt: skip
def test_the_state_is_intercoms(tmp_path: Path, more: Any, state: str | None) -> None:
    assert one(tmp_path, **more).state == state


def test_outbound_spam_and_previews_are_marked(tmp_path: Path) -> None:
    outbound = conversation()
    outbound["source"] |= {"delivered_as": "admin_initiated", "author": ADMIN}
    assert (reads(tmp_path, outbound).only().initiated_by, reads(tmp_path, outbound).only().excluded) == (
        "business",
        "outbound",
    )
    tagged = {"type": "tag.list", "tags": [{"type": "tag", "id": "1", "name": "Spam"}]}
    assert one(tmp_path, tags=tagged).excluded == "spam"
    assert one(tmp_path, ai_agent={"source_type": "fin_preview"}).excluded == "test"
    assert (one(tmp_path).initiated_by, one(tmp_path).excluded) == ("customer", None)


def test_parts_that_intercom_cut_off_are_marked(tmp_path: Path) -> None:
    many = [part(n, body="<p>x</p>") for n in range(1, 501)]
    cut = conversation(*many)
    cut["conversation_parts"]["total_count"] = 612
    found = reads(tmp_path, cut)
    assert found.only().truncated
    assert len(found.only().messages) == 501
    assert "cut" in found.told
    assert not reads(tmp_path, conversation(*many)).only().truncated
    unsaid = conversation(*many)
    del unsaid["conversation_parts"]["total_count"]
    assert reads(tmp_path, unsaid).only().truncated
    listed = {key: value for key, value in conversation().items() if key != "conversation_parts"}
    assert reads(tmp_path, {"type": "conversation.list", "conversations": [listed]}).only().truncated


# ── what it says of the end ──


def test_ratings_become_csat_and_say_whose_they_are(tmp_path: Path) -> None:
    rating = {
        "rating": 4,
        "remark": "quick",
        "created_at": T0,
        "updated_at": T0 + 50,
        "teammate": {"type": "bot", "id": 278},
    }
    both = reads(
        tmp_path, conversation(conversation_rating=rating, ai_agent={"rating": 2, "rating_remark": "meh"})
    ).outcomes
    assert (both[0].csat, both[0].csat_comment, both[0].attributes["csat_of"]) == (4, "quick", "conversation")
    assert both[0].attributes["ai_agent_rating"] == 2
    ai = reads(
        tmp_path, conversation(ai_agent={"rating": 2, "rating_remark": "meh", "resolution_state": "abandoned"})
    ).outcomes
    assert (ai[0].csat, ai[0].csat_comment, ai[0].attributes["csat_of"]) == (2, "meh", "ai_agent")
    assert ai[0].attributes["resolution_state"] == "abandoned"
    asked = reads(tmp_path, conversation(conversation_rating={"rating": None, "created_at": T0})).outcomes
    assert (asked[0].csat, asked[0].attributes["csat_asked"]) == (None, True)
    for wrong in (0, 6, "good", True):
        found = reads(tmp_path, conversation(conversation_rating={"rating": wrong, "remark": "x"}))
        assert all(outcome.csat is None for outcome in found.outcomes)


def test_times_are_by_the_clock_and_minutes_of_people_are_active_ones(tmp_path: Path) -> None:
    statistics = {
        "first_contact_reply_at": T0, "first_admin_reply_at": T0 + 60, "last_close_at": T0 + 600,
        "time_to_last_close": 120,
        "handling_time": 540, "adjusted_handling_time": 90,
    }  # fmt: skip
    found = reads(tmp_path, conversation(part(1, FIN, "<p>x</p>"), state="closed", open=False, statistics=statistics))
    outcome = found.outcomes[0]
    assert (outcome.resolution_minutes, outcome.handle_minutes, outcome.handled_by) == (10, 1.5, "both")
    assert outcome.attributes["time_to_last_close"] == 120
    assert found.only().ended_at is not None
    still_open = reads(tmp_path, conversation(statistics=statistics)).outcomes[0]
    assert still_open.resolution_minutes is None


@pytest.mark.parametrize(("authors", "by"), [
    ([FIN], "ai"), ([ADMIN], "human"), ([FIN, ADMIN], "both"),
])  # fmt: skip
def test_handled_by_follows_from_who_wrote(tmp_path: Path, authors: list[Any], by: str) -> None:
    row = conversation(
        *(part(n, author, "<p>x</p>") for n, author in enumerate(authors, 1)), conversation_rating={"rating": 5},
        ai_agent_participated=FIN in authors,
    )  # fmt: skip
    assert reads(tmp_path, row).outcomes[0].handled_by == by
    row["conversation_parts"]["total_count"] = 99
    assert reads(tmp_path, row).outcomes[0].handled_by == ("both" if by == "both" else None)


def test_a_conversation_of_which_nothing_is_said_has_no_outcome(tmp_path: Path) -> None:
    assert not reads(tmp_path, conversation(part(1, FIN, "<p>x</p>"))).outcomes


# ── tickets ──


def test_a_ticket_begins_with_its_description_and_goes_on_with_its_parts(tmp_path: Path) -> None:
    state = {"ticket_state": "resolved", "previous_ticket_state": "in_progress"}
    parts = [
        part(1, CUSTOMER, "<p>any news?</p>"), part(2, ADMIN, "<p>internal</p>", "note"), part(3, ADMIN, "<p>sent</p>"),
        part(4, ADMIN, None, "ticket_state_updated_by_admin", **state),
    ]  # fmt: skip
    resolved = {"type": "ticket_state", "category": "resolved", "internal_label": "Done"}
    found = reads(tmp_path, ticket(*parts, ticket_state=resolved)).only()
    assert said(found) == [
        ("unknown", "it came broken"),
        ("customer", "any news?"),
        ("human", "internal"),
        ("human", "sent"),
    ]
    assert (found.state, found.reason, found.queue) == ("closed", "damage", None)
    assert happened(found) == [("closed", 4)]
    assert found.events[0].note == "in_progress → resolved"
    assert [(r.kind, r.value) for r in found.references] == [("ticket", "631")]
    assert found.attributes["title"] == "Broken lid"


def test_a_ticket_in_which_nobody_wrote_is_rejected(tmp_path: Path) -> None:
    empty = ticket(part(1, ADMIN, None, "ticket_state_updated_by_admin"), ticket_attributes={"_default_title_": "x"})
    found = reads(tmp_path, {"type": "ticket.list", "tickets": [empty]})
    assert found.rejected[0].field == "tickets[1].ticket_parts"
    assert "nobody has written" in found.rejected[0].reason
