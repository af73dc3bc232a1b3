"""Labels that readers of a report give: in the file, without any server, and within a session of the review app."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_parts import violations
from label_parts import rows
from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, expect
from report_data import RUBRICS, T0, World, present, says
from review_parts import command, review
from review_screen import AI, HOSTILE, plan
from test_report import settings

from grader import report
from grader.errors import RefusedError
from grader.model import Label
from grader.report.gathered import Limits
from grader.review.reporting import Reports
from grader.store import open_store
from grader.workspace import init

pytestmark = pytest.mark.browser

N = 9
CODE, OTHER = (c.code for c in RUBRICS["behavior"].criteria[:2])
TITLES = {c.code: c.title for r in RUBRICS.values() for c in r.criteria}
EVIL = "<img src=x onerror=\"window.__hit='note'\"> \U0001f62d \u202eabc"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judged workspace with a plan and a report of one file, `report.html`, and one in parts, `split.html`."""
    found = init(tmp_path_factory.mktemp("offline") / "shop").root
    with open_store(found / "grader.duckdb") as store:
        w = World(store)
        for i in range(N):
            name = f"talk-{i:03}"
            w.talk(
                name, says("customer", f"oi, cadê o pedido {i}?", T0), says("ai", AI, T0 + timedelta(minutes=1)),
                says("customer", HOSTILE, T0 + timedelta(minutes=2)),
            )  # fmt: skip
            w.judged(name, "behavior", {CODE: present("within 48 hours", why="A promise.")})
            w.judged(name, "resolution")
        used = [{"name": name, "version": RUBRICS[name].version} for name in ("behavior", "resolution")]
        w.finish("run_1", rubrics=used)
        store.add([
            (Label(conversation_id="talk-000", rubric="behavior", rubric_version=used[0]["version"], criterion=code,
                   answer=answer, reviewer=who, verdict_visible=seen), None, None)
            for code, answer, who, seen in (
                (CODE, "absent", "ben", False), (CODE, "absent", "ana", None), (CODE, "present", "eva", True),
                (OTHER, "absent", "ben", False),
            )
        ])  # fmt: skip
        for name, how in (
            ("report", {}), ("split", {"limits": Limits(n_conversations=5)}),
            ("masked", {"masks": report.Masks(redact=True)}),
        ):  # fmt: skip
            report.write(store, settings(found), run_id="run_1", out=found / f"{name}.html", **how)
        again = World(store)  # by one rubric alone, for the review app
        again._hashes, again._repeats = w._hashes, w._repeats
        for name in w.told:
            again.judged(name, "behavior", {CODE: present("within 48 hours", why="A promise.")})
        again.finish("run_2", at=T0 + timedelta(days=91), rubrics=used[:1])
    plan(found, N, "ana,ben")
    return found


@pytest.fixture(scope="module")
def dana(root: Path) -> Iterator[Any]:
    with review(root, "--owner", "dana", "--reviewers", "ana") as app:
        yield app


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's browser; nothing may fail in it, and nobody's script may run."""
    troubles: list[str] = []
    found = browser.new_context(viewport={"width": 1280, "height": 900})
    found.set_default_timeout(10_000)
    found.on("page", lambda page: page.on("pageerror", lambda error: troubles.append(str(error))))
    found.on("console", lambda message: troubles.append(message.text) if message.type != "log" else None)
    yield found
    hits = [page.evaluate("window.__hit") for page in found.pages if not page.is_closed()]
    found.close()
    assert [hit for hit in hits if hit] == []
    assert [t for t in troubles if "net::ERR_FAILED" not in t] == []


def opened(context: BrowserContext, file: Path, address: str = "#v=conversations&c=talk-000") -> Page:
    page = context.new_page()
    page.goto(file.as_uri() + address)
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def card(page: Page) -> Locator:
    return page.locator("#detail .finding").first


def line(page: Page, code: str) -> Locator:
    """What can be said to an answer, in the list of all verdicts."""
    page.locator("#detail .verdicts").wait_for()
    if page.locator("#detail .verdicts:not([open])").count():
        page.locator("#detail .verdicts > summary").click()
    return page.locator(".say").get_by_role("group", name=f"Your answer: {TITLES[code]}")


def give(page: Page, answer: str, *, name: str = "", note: str = "") -> None:
    """Fill in the form that is open, and save it."""
    form = page.locator(".answer-form")
    if name:
        form.get_by_label("Your name").fill(name)
    form.get_by_role("radio", name=answer).check()
    form.get_by_label("Note").fill(note)
    form.get_by_role("button", name="Save label").click()
    expect(form).to_have_count(0)


def agree(page: Page, code: str = OTHER, name: str = "") -> None:
    line(page, code).get_by_role("button", name="Agree:").first.click()
    if name:
        page.locator(".answer-form").get_by_label("Your name").fill(name)
        page.locator(".answer-form").get_by_role("button", name="Save label").click()


def select(page: Page, words: str) -> None:
    page.evaluate(
        """(words) => {
          const walker = document.createTreeWalker(document.querySelector("#m2 .bubble"), NodeFilter.SHOW_TEXT);
          for (let leaf = walker.nextNode(); leaf; leaf = walker.nextNode()) {
            const at = leaf.data.indexOf(words);
            if (at >= 0) getSelection().setBaseAndExtent(leaf, at, leaf, at + words.length);
          }
        }""",
        words,
    )


def count(page: Page) -> str:
    return str(page.locator("#labels-button .wide-only").inner_text())


def export(page: Page, to: Path) -> list[dict[str, Any]]:
    page.locator("#labels-button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export JSONL").click()
    download.value.save_as(to)
    assert download.value.suggested_filename == "labels-run_1.jsonl"
    return [json.loads(each) for each in to.read_text(encoding="utf-8").splitlines()]


def test_what_is_clicked_in_the_file_is_exported_and_imported_as_labels_that_were_not_blind(
    context: BrowserContext, root: Path, tmp_path: Path
) -> None:
    page = opened(context, root / "report.html")
    expect(page.locator("#labels-button")).to_be_hidden()
    card(page).get_by_role("button", name="Disagree").click()
    form = page.locator(".answer-form")
    assert form.get_by_role("radio").count() == 3  # all but the judge's
    select(page, "no matter what")
    form.get_by_role("button", name="Take the selected words").click()
    assert form.get_by_label("Words that show it").input_value() == "no matter what"
    give(page, "absent", name="ana", note=EVIL)
    expect(card(page).locator(".said")).to_have_text("You: absent with a quote, with a note")
    assert card(page).locator(".said svg").count() == 0  # no tick: the judge says otherwise
    assert "≠" in page.evaluate("getComputedStyle(document.querySelector('#detail .said.against'), '::before').content")
    agree(page)
    expect(line(page, OTHER).locator(".said")).to_have_text("You: absent")
    line(page, "resolved").get_by_role("button", name="Disagree").click()
    assert form.get_by_role("radio", name="present").count() == 0
    options = {"resolved", "partly", "not", "unclear", "cannot_assess"}
    assert {r.get_attribute("value") or "" for r in form.get_by_role("radio").all()} < options
    give(page, "partly")
    assert count(page) == "3 labels here, not exported"
    told = export(page, tmp_path / "out.jsonl")
    assert count(page) == "3 labels here, exported"
    assert [(t["criterion"], t["answer"], t["reviewer"], t["verdict_visible"]) for t in told] == [
        (CODE, "absent", "ana", True), (OTHER, "absent", "ana", True), ("resolved", "partly", "ana", True),
    ]  # fmt: skip
    counted = []
    for _ in range(2):
        done = command(root, "label", "import", str(tmp_path / "out.jsonl"), "--origin", "report", "--json")
        assert done.returncode == 0, done.stderr
        counted.append({k: json.loads(done.stdout)[k] for k in ("kept", "rejected", "new", "changed", "unchanged")})
    assert counted == [
        {"kept": 3, "rejected": 0, "new": 3, "changed": 0, "unchanged": 0},
        {"kept": 3, "rejected": 0, "new": 0, "changed": 0, "unchanged": 3},
    ]
    kept = rows(
        root,
        "select conversation_id, rubric, rubric_version, criterion, reviewer, role, answer, message, quote, note, "
        f"verdict_visible, plan_id from label_record where origin = 'report' and criterion = '{CODE}'",
    )
    version = RUBRICS["behavior"].version
    assert kept == [
        ("talk-000", "behavior", version, CODE, "ana", "elsewhere", "absent", 2, "no matter what", EVIL, True, None)
    ]
    assert rows(root, "select count(*) from label_record where origin = 'report' and verdict_visible") == [(3,)]
    assert rows(root, "select count(*) from label") == [(4,)]  # no rate reads them


def test_labels_are_there_after_a_reload_and_in_every_part_and_can_be_edited_removed_and_cleared(
    context: BrowserContext, root: Path, tmp_path: Path
) -> None:
    page = opened(context, root / "split-parts" / "part-01.html")
    agree(page, name="ana")
    expect(page.locator("#labels-button")).to_be_visible()
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(line(page, OTHER).locator(".said")).to_have_text("You: absent")
    other = opened(context, root / "split-parts" / "part-02.html", "#v=conversations")
    assert count(other) == "1 label here, not exported"
    card(other).get_by_role("button", name="Agree:").first.click()  # the name is known
    expect(page.locator("#labels-button .wide-only")).to_have_text("2 labels here, not exported")
    front = opened(context, root / "split.html")
    assert count(front) == "2 labels here, not exported"
    assert len(export(front, tmp_path / "out.jsonl")) == 2
    agree(page, RUBRICS["behavior"].criteria[2].code)
    assert count(page) == "3 labels here, 1 not exported"
    page.locator("#labels-button").click()
    page.locator("#labels").get_by_role("button", name="Edit:").first.click()
    expect(page.locator(".answer-form input:checked")).to_be_focused()
    give(page, "cannot assess")
    expect(line(page, OTHER).locator(".said")).to_have_text("You: cannot assess")
    assert count(page) == "3 labels here, 2 not exported"
    page.locator("#labels-button").click()
    page.locator("#labels").get_by_role("button", name="Remove:").first.click()
    page.get_by_role("button", name="Clear what was exported").click()
    assert count(page) == "1 label here, not exported"
    expect(other.locator("#labels-button .wide-only")).to_have_text("1 label here, not exported")


def test_without_storage_labels_are_in_memory_which_the_page_says_and_leaving_is_warned_of(
    context: BrowserContext, root: Path, tmp_path: Path
) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page = opened(context, root / "report.html")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    card(page).get_by_role("button", name="Disagree").click()
    expect(page.locator(".answer-form")).to_contain_text("This browser keeps nothing for this file")
    give(page, "absent", name="ana")
    page.evaluate("void setTimeout(() => location.reload())")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    page.locator("#labels-button").click()
    expect(page.locator("#labels .warning")).to_be_visible()
    page.keyboard.press("Escape")
    assert len(export(page, tmp_path / "out.jsonl")) == 1
    with page.expect_navigation():
        page.evaluate("void setTimeout(() => location.reload())")
    assert asked == ["beforeunload"]


def test_where_no_download_can_be_made_the_text_is_shown_to_be_copied(context: BrowserContext, root: Path) -> None:
    context.add_init_script("URL.createObjectURL = () => { throw new Error('none'); }")
    page = opened(context, root / "report.html")
    agree(page, name="ana")
    page.locator("#labels-button").click()
    page.get_by_role("button", name="Export JSONL").click()
    area = page.get_by_label("The labels as text")
    expect(area).to_be_focused()
    assert json.loads(area.input_value())["criterion"] == OTHER
    assert count(page) == "1 label here, not exported"
    page.keyboard.press("Control+c")
    expect(page.locator("#labels-button .wide-only")).to_have_text("1 label here, exported")


def test_a_masked_report_takes_no_labels_and_says_why(context: BrowserContext, root: Path) -> None:
    page = opened(context, root / "masked.html", "#v=conversations")
    card(page).wait_for()
    expect(page.locator(".masked-labels")).to_contain_text("Labels cannot be given here")
    expect(page.locator(".answering")).to_have_count(0)


def test_what_people_answered_blind_stands_beside_the_judges_answer(
    context: BrowserContext, root: Path, dana: Any
) -> None:
    page = opened(context, root / "report.html")
    expect(card(page).locator(".people-said")).to_have_text("≠ People differ from the judge: absent (ana, ben)")
    line(page, OTHER).wait_for()
    assert page.locator("dd.people-said.same").inner_text() == "= People agree: absent (ben)"
    assert opened(context, root / "masked.html").locator(".people-said").count() == 0
    page.goto(dana["dana"].url + "report/#v=conversations&c=talk-000")
    card(page).wait_for()
    assert page.locator(".people-said").count() == 0  # who labels is told of no other


def test_a_label_is_given_by_keyboard_alone_and_words_that_were_not_said_are_refused(
    context: BrowserContext, root: Path
) -> None:
    page = opened(context, root / "report.html")
    card(page).get_by_role("button", name="Disagree").focus()
    keyboard = page.keyboard
    keyboard.press("Enter")
    keyboard.type("ana j k")  # letters are no shortcuts here
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.type("never said")
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(page.locator(".answer-form [role=alert]")).to_contain_text("These words stand in no message")
    expect(page.get_by_label("Words that show it")).to_be_focused()
    keyboard.press("Control+a")
    keyboard.type("no  matter what")  # blanks do not count
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(card(page).get_by_role("button", name="Edit")).to_be_focused()
    (kept,) = page.evaluate("gathering.list.map((one) => one.label)")
    assert (kept["answer"], kept["reviewer"]) == ("not_applicable", "ana j k")
    assert (kept["message"], kept["quote"]) == (2, "no matter what")
    keyboard.press("Enter")
    keyboard.press("Escape")
    expect(card(page).get_by_role("button", name="Edit")).to_be_focused()


@pytest.mark.parametrize("width", [1280, 390])
def test_controls_form_and_list_are_accessible_in_both_themes_and_fit_a_phone(
    browser: Browser, root: Path, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.set_default_timeout(10_000)
    page = opened(context, root / "report.html")
    agree(page, name="ana")
    card(page).get_by_role("button", name="Disagree").click()

    def checked() -> list[str]:
        found = []
        for theme in ("light", "dark") if width > 1000 else ("dark",):
            page.evaluate("(theme) => { root.dataset.theme = theme; }", theme)
            found += [f"{theme}: {each}" for each in violations(page)]
        return found

    assert checked() == []
    page.locator("#labels-button").click()
    page.get_by_role("button", name="Show as text").click()
    assert checked() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tools = page.locator(".top .tools").bounding_box()
    assert tools
    assert tools["x"] + tools["width"] <= width
    context.close()


def test_a_file_says_which_commands_lead_to_its_finding_in_review(context: BrowserContext, root: Path) -> None:
    page = opened(context, root / "report.html")
    card(page).get_by_role("button", name="Open in review").click()
    commands = page.locator("#labels .command").all_inner_texts()
    assert commands[:2] == [
        "grader review --run run_1 --owner owner", "grader label plan --run run_1 -n 50 --reviewers ana,ben",
    ]  # fmt: skip
    assert "dispute=talk-000" in commands[2]


def test_within_a_review_session_a_finding_is_disputed_where_it_is_read(
    context: BrowserContext, root: Path, dana: Any
) -> None:
    page = context.new_page()
    page.goto(dana["dana"].url + "report/#v=conversations&c=talk-000")
    page.wait_for_selector("html[data-ready]", state="attached")
    card(page).get_by_role("button", name="Disagree").click()
    form = page.locator(".answer-form")
    expect(form.get_by_label("Your name")).to_have_count(0)
    form.get_by_role("radio", name="absent").check()
    form.get_by_label("Why is it wrong?").fill(EVIL)
    form.get_by_role("button", name="Save dispute").click()
    expect(card(page).locator(".said")).to_have_text("Dispute saved: absent")
    (told,) = dana["dana"].get("api/disputes").json["disputes"]
    assert (told["conversation_id"], told["question"]) == ("talk-000", f"behavior.{CODE}")
    assert (told["answer"], told["note"], told["reviewer"]) == ("absent", EVIL, "dana")
    page.reload()
    expect(card(page).locator(".said")).to_have_text("Disputed by dana: absent")
    expect(page.locator("#labels-button")).to_be_hidden()
    page.route("**/api/dispute", lambda route: route.abort())
    card(page).get_by_role("button", name="Dispute again").click()
    form.get_by_role("radio", name="not applicable").check()
    form.get_by_role("button", name="Save dispute").click()
    expect(form.get_by_role("alert")).to_have_text("Not saved: the server does not answer")
    page.unroute("**/api/dispute")
    page.evaluate("window.addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)")
    form.get_by_role("button", name="Cancel").click()
    card(page).get_by_role("link", name="Open in review").click()
    page.wait_for_url(lambda url: "report" not in url.split("#")[0])
    expect(page.locator("#talk-title")).to_have_text("talk-000")  # the conversation, and what was disputed a moment ago
    expect(page.locator("#panel .disputes")).to_contain_text("dana: Absent")
    expect(page.get_by_role("radio", name="Present")).to_have_count(0)


def test_parts_of_a_split_report_are_served_and_lead_to_the_session_and_nothing_else_is(
    root: Path, tmp_path: Path
) -> None:
    @contextmanager
    def store() -> Iterator[Any]:
        with open_store(root / "grader.duckdb", read_only=True) as found:
            yield found

    made = Reports(settings(root), "run_1", tmp_path, store, threading.Lock(), limits=Limits(n_conversations=5))
    front = made.file("").html
    assert 'href="run_1-parts/part-01.html' in front
    assert '{"dispute": "../api/dispute", "app": "../"}' in front
    part = made.file("part-02.html", "run_1-parts").html
    assert '{"dispute": "../../api/dispute", "app": "../../"}' in part
    assert part.index('id="review"') < part.index('id="begin"')  # the script finds it
    assert 'href="../run_1.html#' in part
    assert made.file("run_1.html").html == front
    for name, folder in (("part-02.html", ""), ("part-09.html", "run_1-parts"), ("run_1.html", "run_1-parts"),
                         ("run_1.html", ".."), ("", "run_1-parts"), ("part-01.html", ".")):  # fmt: skip
        with pytest.raises(RefusedError):
            made.file(name, folder)
