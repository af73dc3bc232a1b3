"""Labelling in a real Chromium against the real server: by keyboard, by selecting, blind, and through a kill."""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from review_parts import Running, labels, review
from review_screen import AI, CODES, HEBREW, HOSTILE, WHY, Screen, Seat, plan, seats, shop

pytestmark = pytest.mark.browser

PEOPLE = ("kim", "ana", "ben", "eva", "ian", "lia", "noa", "tom")
N_EACH = 10
KEYS = {"present": "1", "absent": "2", "not_applicable": "3", "cannot_assess": "4"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = shop(tmp_path_factory.mktemp("review"), N_EACH * len(PEOPLE))
    plan(found, N_EACH * len(PEOPLE), ",".join(PEOPLE))
    return found


@pytest.fixture(scope="module")
def app(root: Path) -> Iterator[Running]:
    """One server for all; each test is another reviewer."""
    with review(root) as running:
        yield running


@pytest.fixture
def sit(browser: Browser) -> Iterator[Seat]:
    with seats(browser) as found:
        yield found


def test_ten_items_of_seven_criteria_are_labelled_with_nine_keys_each(sit: Seat, app: Running, root: Path) -> None:
    screen: Screen = sit(app["kim"])
    took: list[float] = []
    counts: list[int] = []
    given: dict[str, list[str]] = {}
    answers = [["absent"] * 7, ["present", "absent", "not_applicable", "absent", "cannot_assess", "absent", "absent"]]
    while screen.page.evaluate("app.screen") == "item":
        screen.ready()
        item, before, began = screen.item, screen.n_keys, time.monotonic()
        chosen = answers[len(took) % 2]
        screen.press(*(KEYS[one] for one in chosen))
        if "present" in chosen:  # without the words that show it: the question and the button say so
            expect(screen.page.locator("#primary")).to_contain_text("Submit, 1 without proof")
        screen.press("Enter")
        expect(screen.page.locator(".compared")).to_have_count(7)
        screen.press("Enter")
        screen.page.wait_for_function("(id) => app.id !== id", arg=item)
        took.append(time.monotonic() - began)
        counts.append(screen.n_keys - before)
        given[item] = chosen
    assert len(took) == N_EACH
    assert counts == [9] * N_EACH
    print(f"keys an item: {max(counts)}; median {statistics.median(took):.2f} s an item by script")
    expect(screen.page.get_by_role("heading", name="All items are labelled")).to_be_visible()
    expect(screen.page.locator("#bar .count")).to_have_text("10 of 10")
    assert app["kim"].saved()["n_waiting"] == 0
    rows = labels(root, "reviewer = 'kim'")
    assert {(row[2], row[3]): row[5] for row in rows} == {
        (item, f"behavior.{code}"): answer
        for item, chosen in given.items()
        for code, answer in zip(CODES, chosen, strict=True)
    }
    assert not any(row[6] for row in rows)  # all given blind


def test_every_key_does_what_the_help_says_and_none_answers_by_accident(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["ana"])
    page = screen.page
    screen.ready()
    first = screen.item
    screen.press("n")
    assert page.evaluate("document.activeElement.id") == "m1"
    screen.press("n", "N", "P")  # with Caps Lock, too
    assert page.evaluate("document.activeElement.id") == "m2"
    for chord in ("Control+1", "Alt+1", "Meta+1", "Control+d", "Control+u", "Shift+Enter"):
        screen.press(chord)
    page.evaluate(
        """() => {
          const press = (given) =>
            document.body.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...given }));
          press({ key: "1", repeat: true }); press({ key: "1", isComposing: true }); press({ key: "1", keyCode: 229 });
        }"""
    )
    assert screen.here("Object.keys(item.answers).length") == 0
    screen.press("]", "]", "[")
    expect(page.locator("#panel-title")).to_have_text("Question 2 of 7")
    screen.press("2")
    expect(page.locator("#panel-title")).to_have_text("Question 3 of 7")
    screen.press("c")
    page.keyboard.type("j1d? it says 48")  # text, not keys
    screen.press("Escape")
    assert page.evaluate("document.activeElement.id") == "panel"
    assert screen.stored()["note"] == "j1d? it says 48"
    assert list(screen.stored()["answers"]) == [f"behavior.{CODES[1]}"]
    screen.press("u", "u")
    assert screen.here("item.note") == ""
    assert screen.here("Object.keys(item.answers).length") == 0
    assert screen.stored()["answers"] == {}
    screen.press("u")
    expect(page.locator("#message")).to_have_text("There is nothing to undo here.")
    screen.press("k")
    expect(page.locator("#message")).to_have_text("This is the first item.")
    screen.press("d")
    page.wait_for_function("(id) => app.id !== id", arg=first)
    screen.ready()
    assert screen.person.item(first)["state"] == "deferred"
    screen.press("k")
    screen.ready(first)
    screen.press("d")  # no longer
    screen.saved()
    assert screen.person.item(first)["state"] == "new" or screen.person.item(first)["state"] == "begun"
    screen.press("d")
    page.wait_for_function("(id) => app.id !== id", arg=first)
    screen.ready()
    screen.press("u")  # takes the defer back, and leads to it
    screen.ready(first)
    expect(page.locator("#message")).to_have_text("Undone.")
    screen.saved()
    assert screen.person.item(first)["state"] != "deferred"
    screen.press("j", "j")
    screen.press("u")  # what was chosen by hand is another matter
    expect(page.locator("#message")).to_have_text("There is nothing to undo here.")
    screen.press("g")
    screen.ready(first)
    screen.press("?")
    expect(page.get_by_role("heading", name="Keys and settings")).to_be_visible()
    screen.press("1", "d", "Escape")
    expect(page.locator("#dialog")).not_to_be_visible()
    assert screen.here("Object.keys(item.answers).length") == 0
    screen.press("Enter")  # nothing is answered: nothing is submitted
    expect(page.locator("#message")).to_contain_text("7 questions are open")
    screen.press("2", "2", "2", "2", "2", "2", "2", "2", "2")  # two more than there are
    assert screen.here("item.state") == "begun"
    assert app["ana"].session()["progress"]["n_submitted"] == 0


def test_the_search_finds_an_item_by_its_words_and_goes_there(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["ana"])
    screen.ready()
    wanted = app["ana"].session()["items"][6]["id"]
    words = app["ana"].item(wanted)["conversation"]["lines"][0]["pieces"][0]["segments"][0]["text"]
    screen.press("/")
    expect(screen.page.locator("#items button")).to_have_count(N_EACH)
    screen.page.keyboard.type(words.split("<")[0].split("pedido ")[1].removesuffix("? ") + "? pedido")
    expect(screen.page.locator("#items button")).to_have_count(1)
    screen.press("Enter")
    screen.page.wait_for_function("() => document.activeElement.closest('#items')")
    screen.press("Enter")
    screen.ready(wanted)


def test_a_selection_takes_whole_words_and_both_quotation_marks_or_none(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["ben"])
    screen.ready()
    screen.select(2, 19, 24)  # from inside a number to inside a word
    screen.page.wait_for_function("() => !byId('chosen').hidden")
    assert screen.page.evaluate("selected(here().conversation, byId('talk')).quote") == "48 hours"
    said = """(text, start, end) => text.slice(...wholeWords(text, start, end))"""
    for text, start, end, quote in (
        ("disse “sim senhora” e saiu", 6, 10, "sim"),
        ("disse “sim” e saiu", 6, 10, "“sim”"),
        ("né? não-me-toque", 1, 2, "né"),
        ("a b ", 1, 4, "b"),
        ("😭👍🏽 bem", 0, 6, "😭👍🏽"),
    ):
        assert screen.page.evaluate(f"([text, start, end]) => ({said})(text, start, end)", [text, start, end]) == quote


def test_what_is_selected_becomes_the_quote_word_for_word(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["ben"])
    page = screen.page
    screen.ready()

    def quoted(code: int) -> tuple[int, str]:
        told = screen.stored()["answers"][f"behavior.{CODES[code]}"]
        return told["message"], told["quote"]

    screen.select(2, 18, 26)  # by mouse, then answered
    expect(page.locator("#chosen")).to_contain_text("48 hours")
    screen.press("1")
    assert quoted(0) == (2, "48 hours")
    expect(page.locator("mark")).to_have_text("148 hours")  # the badge, and the words
    screen.press("1")  # answered first, then by the keyboard alone: message, words, evidence
    screen.press("n", "n", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "e")
    assert quoted(1) == (2, "arrives within")
    screen.press("1", "n")
    page.evaluate("getSelection().selectAllChildren(byId('m3').querySelector('.bubble'))")  # with chips and emoji
    page.get_by_role("button", name="Evidence for").click()
    assert quoted(2) == (3, HOSTILE)
    screen.press("1")
    page.evaluate(
        """() => { const chip = byId("m3").querySelector(".bubble .ctrl");
          getSelection().setBaseAndExtent(chip.firstChild, 3, chip.nextSibling, 5); }"""
    )  # half a chip is the whole of it
    screen.press("e")
    assert quoted(3)[0] == 3
    assert quoted(3)[1].strip("\u200b") == "feito"
    assert quoted(3)[1] in HOSTILE
    screen.press("1", "n", "n", "n", "e")  # nothing selected: the message itself, right to left
    assert quoted(4) == (6, HEBREW)
    screen.press("1")
    screen.press("p", "p")  # a tool's call, which was folded
    page.evaluate("getSelection().selectAllChildren(byId('m4').querySelector('pre'))")
    screen.press("e")
    number, quote = quoted(5)
    assert number == 4
    assert '"order_id": "Q-' in quote
    screen.press("[", "[", "[", "[", "[", "[")
    page.evaluate(
        """() => { const text = (n) => byId(`m${n}`).querySelector(".bubble");
          getSelection().setBaseAndExtent(text(1), 0, text(3), 1); }"""
    )
    screen.press("e")
    expect(page.locator("#message")).to_have_text("Select words of one message only.")
    page.get_by_role("button", name="Remove").click()
    assert screen.stored()["answers"][f"behavior.{CODES[0]}"]["quote"] is None
    assert screen.here("item.conversation.lines[1].pieces[0].segments[0].text") == AI


def test_nothing_of_the_judge_is_there_before_the_answer(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["eva"])
    page = screen.page
    screen.ready()
    while True:  # an item in which the judge found something
        told = app["eva"].item(screen.item)
        assert WHY not in str(told)
        screen.press("2", "2", "2", "2", "2", "2", "2")
        expect(page.get_by_role("button", name="Submit")).to_be_visible()
        screen.saved()
        blind = [page.content(), *(response.text() for response in screen.answers)]
        assert not any(WHY in text or "verified" in text for text in blind)
        screen.press("Enter")
        expect(page.locator(".compared")).to_have_count(7)
        if page.locator(".compared.differs").count():
            break
        screen.answers.clear()
        screen.press("Enter")
        screen.ready()
    first = page.locator(".compared").first
    assert WHY in first.inner_text()
    expect(first.locator(".sign")).to_contain_text("differs")
    first.get_by_role("button", name="message 2").click()
    expect(page.locator("#m2 mark")).to_have_text("1within 48 hours")
    assert page.evaluate("document.activeElement.id") == "m2"
    screen.press("u")
    expect(page.locator("#message")).to_contain_text("can be changed, not taken back")


def test_a_changed_mind_is_a_second_record_beside_the_blind_one(sit: Seat, app: Running, root: Path) -> None:
    screen: Screen = sit(app["ian"])
    page = screen.page
    screen.ready()
    screen.press("2", "2", "2", "2", "2", "2", "2", "Enter")
    expect(page.locator(".compared")).to_have_count(7)
    row = page.locator(".compared").filter(has_text="Escalated too late")
    if not row.get_attribute("open") and row.get_attribute("open") is None:
        expect(row.locator("summary .caret")).to_be_visible()  # it shows that it unfolds
        row.locator("summary").click()
    row.get_by_role("button", name="Change my answer").click()
    row.get_by_label("Why?").fill("I had overlooked it")
    screen.press("Escape", "1")
    expect(row).to_contain_text("Changed to Present, kept as a second record.")
    screen.saved()
    app["ian"].saved()
    said = [(r[5], r[6], r[7]) for r in labels(root, "reviewer = 'ian' and criterion = 'escalated_too_late'")]
    assert said == [("absent", False, None), ("present", True, "I had overlooked it")]
    page.reload()
    screen.ready()
    screen.press("k")
    expect(page.locator(".compared").filter(has_text="Escalated too late")).to_contain_text("Changed to Present")


def test_notes_stay_where_they_were_written_and_typing_is_never_lost(sit: Seat, app: Running, root: Path) -> None:
    screen: Screen = sit(app["lia"])
    page = screen.page
    screen.ready()
    screen.press("2", "[")
    page.evaluate("toNote(); draw()")  # the server answers in the very moment in which the note is opened
    page.keyboard.type("of this answer")
    page.evaluate("draw(true)")  # as an answer of the server does
    page.keyboard.type(" alone")
    screen.press("Escape", "]")
    page.locator("summary", has_text="Note on this item").click()
    page.locator("#item-note").fill("of the whole")
    screen.press("Escape", "2", "2", "2", "2", "2", "2", "Enter")
    expect(page.locator(".compared")).to_have_count(7)
    app["lia"].saved()
    notes = {r[3].split(".")[1]: r[7] for r in labels(root, "reviewer = 'lia'")}
    assert notes == dict.fromkeys(CODES, "of the whole") | {CODES[0]: "of this answer alone"}


def test_a_note_that_is_written_in_one_go_is_taken_back_by_one_undo(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["tom"])
    page = screen.page
    screen.ready()
    screen.press("2", "c")
    page.keyboard.type("one")
    page.evaluate("saveFields(); draw()")  # the typing rested, and the server answers
    page.keyboard.type(" two")
    page.evaluate("draw()")
    page.keyboard.type(" three")
    screen.press("Escape")
    assert screen.stored()["note"] == "one two three"
    screen.press("c", "End")
    page.keyboard.type(" four")
    screen.press("Escape", "u")  # another go is another undo
    assert screen.stored()["note"] == "one two three"
    screen.press("u")
    assert not screen.stored()["note"]
    assert screen.here("item.note || ''") == ""
    assert list(screen.stored()["answers"]) == [f"behavior.{CODES[0]}"]


def test_a_note_that_is_too_long_is_told_and_never_thrown_away(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["tom"])
    page = screen.page
    screen.ready()
    screen.press("g", "c")
    page.evaluate("document.activeElement.value = 'x'.repeat(9999)")
    page.keyboard.type("yz")
    expect(page.locator("#item-note-full, #answer-note-full").first).to_have_text(
        "A note has room for 10,000 characters: it is full."
    )
    assert page.evaluate("document.activeElement.value.length") == 10_000
    screen.down = True  # a refusal is in the console
    page.evaluate("document.activeElement.value = 'w'.repeat(10001)")  # as an older page would send it
    screen.press("Escape")
    screen.saved()
    expect(page.locator("#message")).not_to_have_text("")
    page.evaluate("draw(true)")
    assert page.locator("#item-note").input_value() == "w" * 10_001
    page.locator("#item-note").fill("short")
    screen.press("Escape")
    assert screen.stored()["note"] == "short"


def test_two_pages_of_one_person_show_the_same_once_they_are_looked_at(sit: Seat, app: Running) -> None:
    one: Screen = sit(app["noa"])
    one.ready()
    other: Screen = sit(app["noa"], context=one.page.context)
    other.ready(one.item)
    one.press("2", "3")
    one.saved()
    other.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(other.page.locator("#panel-title")).to_have_text("Question 3 of 7")
    other.page.keyboard.press("1")
    other.saved()
    one.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(one.page.locator("#panel-title")).to_have_text("Question 4 of 7")


def test_a_killed_server_loses_nothing_and_the_next_session_gets_what_waited(
    sit: Seat, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    del root
    folder = shop(tmp_path_factory.mktemp("killed"), 6)
    plan(folder, 6, "ana")
    keys = ["2", "3", "2", "2", "4", "2", "2", "Enter"]
    with review(folder) as running:
        screen: Screen = sit(running["ana"])
        page, port = screen.page, running["ana"].port
        for _ in range(2):
            screen.ready()
            screen.press(*keys)
            expect(page.locator(".compared")).to_have_count(7)
            screen.press("Enter")
        screen.ready()
        third = screen.item
        screen.press("2", "2")
        screen.saved()
        screen.page.wait_for_function("() => app.cache.size === 4")  # the one after it is there already
        screen.down = True
        running.kill()
        screen.press("3", "2", "2", "2", "2")
        expect(page.locator("#saved")).to_have_text("Not connected")
        expect(page.locator("#message")).to_contain_text("5 answers wait here")
        screen.press("Enter")  # submitted all the same, on to the next one
        screen.page.wait_for_function("(id) => app.id !== id", arg=third)
        screen.press("4")
        waiting = page.evaluate("outbox.n")
        assert waiting >= 7
    with review(folder, port=port) as again:
        page.evaluate("dispatchEvent(new Event('online'))")  # need not wait for the next try
        expect(page.locator("#saved")).to_have_text("Session ended")
        expect(page.locator("#message")).to_contain_text("wait in this browser")
        fresh: Screen = sit(again["ana"], context=page.context)
        expect(fresh.page.locator("#message")).to_contain_text("that waited in this browser were sent")
        fresh.saved()
        assert again["ana"].saved()["n_waiting"] == 0
        assert again["ana"].session()["progress"]["n_submitted"] == 3
        assert [item["n_answered"] for item in again["ana"].session()["items"]] == [7, 7, 7, 1, 0, 0]
        third_said = {q: one["answer"] for q, one in again["ana"].item(third)["answers"].items()}
        assert list(third_said.values()) == ["absent", "absent", "not_applicable", *["absent"] * 4]
        assert len(labels(folder)) == 21
        leaving = """() => { const leave = new Event("beforeunload", { cancelable: true });
          dispatchEvent(leave); return leave.defaultPrevented; }"""
        assert page.evaluate(leaving)  # it warns: what it holds has not been sent from here
        assert not fresh.page.evaluate(leaving)
        assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('review-lp_')).length") == 0


class Stranger(BaseHTTPRequestHandler):
    """Another program that got the port: it has an answer to everything."""

    status = 200

    def do_POST(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST  # noqa: N815

    def log_message(self, *args: object) -> None:
        """Says nothing."""


def test_neither_another_program_at_the_port_nor_a_person_of_a_like_name_takes_what_waits(
    sit: Seat, tmp_path: Path
) -> None:
    folder = shop(tmp_path, 4)
    plan(folder, 4, "ana,ana-b")
    with review(folder) as running:
        screen: Screen = sit(running["ana-b"])
        page, port = screen.page, running["ana-b"].port
        screen.ready()
        mine = screen.item
        screen.saved()
        screen.down = True
        running.kill()
        screen.press("2", "2", "3")
    for status in (200, 404, 405):
        handler = type("Answering", (Stranger,), {"status": status})
        with ThreadingHTTPServer(("127.0.0.1", port), handler) as stranger:
            threading.Thread(target=stranger.serve_forever, daemon=True).start()
            with page.expect_response(re.compile("api/act")) as answer:
                page.evaluate("dispatchEvent(new Event('online'))")
            assert answer.value.status == status
            page.wait_for_timeout(100)
            assert page.evaluate("outbox.n") == 3
            stranger.shutdown()
    with review(folder, port=port) as again:
        other: Screen = sit(again["ana"], context=page.context)
        other.ready()
        other.saved()
        kept = "Object.keys(localStorage).filter((key) => key.includes('review-lp_')).length"
        assert other.page.evaluate(kept) == 3
        fresh: Screen = sit(again["ana-b"], context=page.context)
        expect(fresh.page.locator("#message")).to_contain_text("3 answers that waited in this browser were sent")
        assert [one["answer"] for one in again["ana-b"].item(mine)["answers"].values()] == ["absent"] * 2 + [
            "not_applicable"
        ]


def test_a_server_that_dies_between_the_last_answer_and_enter_holds_nobody_up(
    sit: Seat, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = shop(tmp_path_factory.mktemp("enter"), 3)
    plan(folder, 3, "ana")
    with review(folder) as running:
        screen: Screen = sit(running["ana"])
        screen.ready()
        first = screen.item
        screen.press("2", "2", "2", "2", "2", "2", "2")
        screen.saved()
        screen.down = True
        running.kill()
        screen.press("Enter")
        expect(screen.page.locator("#saved")).to_have_text("Not connected")
        expect(screen.page.locator("#primary")).to_contain_text("Next")
        screen.press("Enter")
        screen.page.wait_for_function("(id) => app.id !== id", arg=first)
