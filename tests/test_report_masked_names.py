"""What `--redact` and `--anonymous-agents` call queues, channels and other short fields, and conversations that only
another one names: nothing personal is left in them, and one thing has one name in figures, filters, links and files.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from report_data import T0, World, calls, present, says, tells, world
from test_report import embedded
from test_report_masks import written

from grader.model import Contact, Conversation, Event, Identity, Policy, Reference
from grader.report.masks import Masks
from grader.report.write import FORMATS

NAME, MAIL = "Zelia Quartzberg", "zelia.q@mail.example"
PERSONAL = ("zelia", "quartzberg", "mail.example", "987654321")
AGENT = ("carla", "dias")
QUEUES = (f"VIP {NAME}", f"VIP {MAIL}", "vip_zelia_quartzberg", "team Carla Dias", "queue-1", "orders")
REDACTED, ANONYMOUS = Masks(redact=True), Masks(anonymous_agents=True)


def conversation(name: str, queue: str, n: int) -> Conversation:
    at = T0 + timedelta(hours=n)
    return Conversation(
        conversation_id=name, queue=queue, channel="whatsapp of Zelia", language="Zelia's own",
        reason="Zelia Quartzberg again", started_at=at, ended_at=at + timedelta(minutes=5), contact=Contact(name=NAME),
        references=(Reference(kind="order of Zelia", value="Q-1"),),
        messages=(
            says("customer", "where is my order?", at), says("ai", "It arrives tomorrow.", at),
            calls("notify_zelia_quartzberg", {"id": 1}, at), tells("notify_zelia_quartzberg", '{"ok": true}', at),
            calls("askCarlaDias", {"id": 1}, at), tells("askCarlaDias", '{"ok": true}', at),
            says("human", "I look into it.", at, name="Carla Dias"),
        ),
        events=(Event(kind="moved_to_zelia_quartzberg", after=2), Event(kind="given to Carla Dias", after=2)),
    )  # fmt: skip


def fields(w: World) -> None:
    """Each queue has two conversations, so that every figure and link of one is there."""
    w.policy(Policy(policy_id="vip", title="For some", text="Promise no date.", queues=(QUEUES[0],)))
    for n, queue in enumerate(QUEUES * 2):
        name = w.add(conversation(f"chat-{n}", queue, n))
        found = present("tomorrow", clause="Promise no date." if queue == QUEUES[0] else None)
        probability, layer = (0.5, queue) if n % 2 else (1.0, f"{queue} | email")
        w.judged(name, "accuracy", {"invented_deadline": found}, probability=probability, stratum=layer)
        answers = {"resolved": "not", "non_resolution_cause": "missing_rule"}
        w.judged(name, "resolution", answers, probability=probability, stratum=layer)
    chosen = {"design": "top-queues", "plan": "sa_1", "frame": f"the 2 largest queues: {', '.join(QUEUES[:2])}",
              "by": ["queue"], "select": [["queue", QUEUES[0]], ["channel", "whatsapp of Zelia"]]}  # fmt: skip
    w.finish(command=f"grader grade --select 'queue:{QUEUES[0]}'", selection=chosen)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("names")) as w:
        fields(w)
        yield w


def texts(w: World, masks: Masks, folder: Path) -> dict[str, str]:
    """Everything in each format, the page's chunks and index decoded."""
    found: dict[str, str] = {form: written(w, form, masks, folder) for form in FORMATS}
    found["html"] = unescape(unquote(found["html"])) + json.dumps(embedded(found["html"]), ensure_ascii=False)
    return found


def test_no_short_field_keeps_what_is_personal_in_it(full: World, tmp_path: Path) -> None:
    plain, masked = texts(full, Masks(), tmp_path), texts(full, REDACTED, tmp_path)
    both = texts(full, Masks(redact=True, anonymous_agents=True), tmp_path)
    for form in FORMATS:
        assert "zelia" in plain[form].lower()
        for words in (*PERSONAL, *AGENT):
            assert words not in masked[form].lower(), (form, words)
            assert words not in both[form].lower(), (form, words)


def test_agents_are_in_no_short_field_and_customers_stay(full: World, tmp_path: Path) -> None:
    masked = texts(full, ANONYMOUS, tmp_path)
    for form in FORMATS:
        assert [words for words in AGENT if words in masked[form].lower()] == []
        assert f"VIP {NAME}" in masked[form]


def test_a_queue_has_one_name_in_figures_list_links_and_files(full: World, tmp_path: Path) -> None:
    page = written(full, "html", REDACTED, tmp_path)
    index = embedded(page)["index"]["queue"]
    listed = Counter(index["values"][n] for n in index["of"])
    figures = json.loads(written(full, "json", REDACTED, tmp_path))
    rows = csv.DictReader(io.StringIO(written(full, "csv", REDACTED, tmp_path)))
    told = {row["conversation_id"]: row["queue"] for row in rows}
    assert set(listed.values()) == {2}
    assert len(listed) == len(QUEUES)  # two queues never become one
    assert "orders" in listed
    assert {h["queue"]: h["n_conversations"] for h in figures["headline_by_queue"]} == listed
    assert {d["queue"] for d in figures["defects"] if d["slice"] == "queue"} == set(listed)
    assert Counter(told.values()) == listed
    assert {case["id"]: case["queue"] for case in embedded(page)["cases"]} == told
    links = {unquote(unescape(key)) for key in re.findall(r"queue=([^\"&]+)\"", page)}
    assert links
    assert links <= set(listed)


def test_a_policy_stays_in_force_for_a_queue_that_is_called_otherwise(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        for version, queues in (("1", ("orders",)), ("2", (QUEUES[0],))):
            w.policy(Policy(policy_id="vip", version=version, text="Promise no date.", queues=queues))
        w.add(conversation("chat-1", QUEUES[0], 1))
        w.judged("chat-1", "accuracy", {"invented_deadline": present("tomorrow", clause="Promise no date.")})
        w.finish()
        [case] = embedded(written(w, "html", REDACTED, tmp_path))["cases"]
    assert case["findings"][0]["clauses"][0]["source"] == "vip · 2"


def test_a_word_of_a_big_queues_name_that_somebody_is_called_by_does_not_hide_the_queue(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        for n in range(101):
            contact = Contact(name="Ana Vendas" if n == 7 else None)
            said = (says("customer", "hello", T0), says("ai", "It arrives tomorrow.", T0))
            w.add(Conversation(conversation_id=f"c-{n}", queue="vendas", contact=contact, messages=said))
            w.judged(f"c-{n}", "accuracy")
        w.finish()
        figures = json.loads(written(w, "json", REDACTED, tmp_path))
    assert [h["queue"] for h in figures["headline_by_queue"]] == ["vendas"]


def test_a_conversation_that_another_names_is_called_the_same_in_every_format(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        zelia = Contact(identities=(Identity(kind="phone", value="+5511987654321"),), name=NAME)
        for n in range(4):  # the last one is not of the run
            at = T0 + timedelta(days=n)
            said = (says("customer", "where is it?", at), says("ai", "It arrives tomorrow.", at))
            name = w.add(Conversation(
                conversation_id=f"Zelia-Quartzberg-{n}", contact=zelia, started_at=at, queue="orders",
                ended_at=at + timedelta(minutes=5), references=(Reference(kind="order", value="Q-1"),), messages=said,
            ))  # fmt: skip
            if n < 3:
                w.judged(name, "accuracy", {"invented_deadline": present("tomorrow")})
        w.finish()
        found = texts(w, REDACTED, tmp_path)
        cases = embedded(written(w, "html", REDACTED, tmp_path))["cases"]
    for form, text in found.items():
        for name in w.told:  # these stores name judgements after their conversation, real ones by a hash
            text = text.replace(f"vk_{name}_", "vk_")
        assert "quartzberg" not in text.lower(), form
        assert "conversation-3" in text
    told = {case["id"]: [back["id"] for back in case["after"]["returns"]] for case in cases}
    assert told == {
        "conversation-1": ["conversation-2", "conversation-3", "conversation-4"],
        "conversation-2": ["conversation-3", "conversation-4"], "conversation-3": ["conversation-4"],
    }  # fmt: skip
