"""The review app's screens in a real Chromium: accessible in both themes, by touch, without shortcuts, in Portuguese,
and for those who decide.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_parts import violations
from playwright.sync_api import Browser, Page, Route, expect
from review_parts import Running, labels, review
from review_screen import CODES, WHY, Screen, Seat, plan, seats, shop

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = shop(tmp_path_factory.mktemp("screens"), 18)
    plan(found, 18, "ana,ben,eva,lia,noa,tom")
    return found


@pytest.fixture(scope="module")
def app(root: Path) -> Iterator[Running]:
    with review(root) as running:
        yield running


@pytest.fixture
def sit(browser: Browser) -> Iterator[Seat]:
    with seats(browser) as found:
        yield found


def both_themes(page: Page) -> list[str]:
    """What axe finds on the page as it is, in the light and in the dark theme."""
    found = []
    for theme in ("light", "dark"):
        page.evaluate("(theme) => { root.dataset.theme = theme; draw(); }", theme)
        found += [f"{theme}: {line}" for line in violations(page)]
    page.evaluate("delete root.dataset.theme")
    return found


@pytest.mark.parametrize(("who", "width", "height"), [("ana", 1280, 800), ("ben", 390, 844)])
def test_every_screen_is_accessible_in_both_themes(sit: Seat, app: Running, who: str, width: int, height: int) -> None:
    screen: Screen = sit(app[who], width=width, height=height)
    page = screen.page
    screen.ready()
    found = {"fresh": both_themes(page)}
    screen.press("n", "n", "1", "e", "1", "[", "c")
    page.keyboard.type("a note")
    found["labelling"] = both_themes(page)
    screen.press("Escape", "?")
    found["keys"] = both_themes(page)
    screen.press("Escape", "/")
    found["items"] = both_themes(page)
    screen.press("Escape")
    page.evaluate("toFirst(here()); draw()")
    screen.press("2", "2", "2", "2", "2", "2")
    expect(page.locator("#primary")).to_contain_text("Submit, 1 without proof")
    found["unproved"] = both_themes(page)
    screen.press("Enter")
    expect(page.locator(".compared")).to_have_count(7)
    page.locator(".compared .small").first.click()
    found["comparison"] = both_themes(page)
    page.evaluate("outbox.ended = true; drawSaved()")
    found["ended"] = both_themes(page)
    page.evaluate("outbox.ended = false; drawSaved()")
    screen.press("Escape", "Enter")
    screen.ready()
    screen.press("d")
    screen.ready()
    screen.press("d")
    page.wait_for_function("() => app.screen === 'end'")
    expect(page.get_by_role("button", name="Look at the 2 deferred ones")).to_be_visible()
    found["end"] = both_themes(page)
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_all_of_it_is_done_by_touch_on_a_phone(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["eva"], width=390, height=844, touch=True)
    page = screen.page
    screen.ready()
    expect(page.locator(".question:not(.open)").first).to_be_hidden()  # one question at a time
    conversation = page.locator("#scroll").bounding_box()
    assert conversation is not None
    assert conversation["height"] > 250
    page.get_by_role("radio", name="Absent").tap()
    expect(page.locator("#panel-title")).to_have_text("Question 2 of 7")
    page.get_by_role("button", name="Previous question").tap()
    expect(page.get_by_role("radio", name="Absent")).to_have_attribute("aria-checked", "true")
    page.get_by_role("button", name="Next question").tap()
    page.evaluate("getSelection().selectAllChildren(byId('m2').querySelector('.bubble'))")
    page.get_by_role("button", name="Evidence for").tap()
    assert screen.here("Object.values(item.answers).filter((one) => one.quote).length") == 1
    page.get_by_role("radio", name="Present").tap()
    for _ in range(5):
        page.get_by_role("radio", name="Not applicable").tap()
    page.get_by_role("button", name="Submit").tap()
    expect(page.locator(".compared")).to_have_count(7)
    page.get_by_role("button", name="Next", exact=True).tap()
    expect(page.locator("#talk-title")).to_have_text("Item 2 of 3")
    for button in page.locator("#panel .answers button, .panel-foot button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 40


def test_without_single_keys_everything_is_reached_by_tab_arrows_and_space(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["lia"])
    page = screen.page
    screen.ready()
    screen.press("?")
    page.get_by_label("Single-key shortcuts").press("Space")
    screen.press("Escape")
    page.reload()  # the browser remembers it
    screen.ready()
    screen.press("1", "d", "j", "?", "/", "u")
    assert screen.here("Object.keys(item.answers).length") == 0
    expect(page.locator("#dialog")).not_to_be_visible()
    for n in range(7):
        page.get_by_role("radio").first.focus()
        screen.press("ArrowDown", "ArrowDown", "ArrowUp")  # only moves
        assert screen.here("Object.keys(item.answers).length") == n
        screen.press("Space")
    assert screen.here("Object.values(item.answers).map((one) => one.answer).join()") == ",".join(["absent"] * 7)
    expect(page.locator("#primary")).to_be_focused()
    screen.press("Enter")
    expect(page.locator(".compared")).to_have_count(7)
    page.get_by_role("button", name="Keys and settings").click()
    page.get_by_label("Single-key shortcuts").press("Space")


def test_the_language_is_switched_in_the_page_and_remembered(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["noa"])
    page = screen.page
    screen.ready()
    screen.press("2", "?")
    page.get_by_label("Language").select_option("pt")
    expect(page.get_by_role("heading", name="Teclas e ajustes")).to_be_visible()
    screen.press("Escape")
    expect(page.locator("html")).to_have_attribute("lang", "pt-BR")
    expect(page.get_by_role("radio", name="Não se aplica")).to_be_visible()
    expect(page.locator("#panel-title")).to_have_text("Pergunta 2 de 7")
    assert violations(page) == []
    page.reload()
    screen.ready()
    expect(page.locator("#talk-title")).to_have_text("Item 1 de 3")
    assert page.locator(".bubble").first.get_attribute("lang") == "en"  # the conversation's own


def test_nothing_moves_while_answers_are_given_and_paper_has_the_answers(sit: Seat, app: Running) -> None:
    screen: Screen = sit(app["tom"])
    page = screen.page
    screen.ready()
    page.evaluate(
        "new PerformanceObserver((list) => { window.moved = (window.moved || 0) + list.getEntries().reduce((n, e) => n + e.value, 0); })"  # noqa: E501
        ".observe({ type: 'layout-shift', buffered: true })"
    )
    places = [page.locator(part).bounding_box() for part in ("#bar", "#talk", "#panel", ".panel-foot")]
    screen.press("2", "1", "e", "3")
    screen.saved()
    assert [page.locator(part).bounding_box() for part in ("#bar", "#talk", "#panel", ".panel-foot")] == places
    assert page.evaluate("window.moved || 0") < 0.02
    page.emulate_media(media="print")
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.locator(".question").first).to_contain_text("Absent")
    expect(page.locator("#m7")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 640), (1280, 800)])
def test_nothing_moves_while_the_first_item_is_loaded(
    browser: Browser, sit: Seat, app: Running, width: int, height: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_init_script(
        "window.moved = []; new PerformanceObserver((list) => { for (const e of list.getEntries()) window.moved.push(e.value); })"  # noqa: E501
        ".observe({ type: 'layout-shift', buffered: true })"
    )

    def late(route: Route) -> None:
        time.sleep(0.3)
        route.continue_()

    context.route("**/api/item/*", late)
    screen: Screen = sit(app["noa"], context=context)
    screen.ready()
    expect(screen.page.locator("#panel [role=radio]").first).to_be_visible()
    screen.page.wait_for_timeout(200)
    assert sum(screen.page.evaluate("window.moved")) <= 0.01


@pytest.mark.parametrize(("width", "height"), [(320, 256), (320, 320), (640, 360)])
def test_zoomed_to_the_utmost_the_page_scrolls_as_a_whole_and_answers_are_reached(
    sit: Seat, app: Running, width: int, height: int
) -> None:
    screen: Screen = sit(app["noa"], width=width, height=height)
    page = screen.page
    screen.ready()
    assert page.evaluate("scrollY") == 0
    page.mouse.move(width / 2, height / 2)
    title = page.locator("#panel-title").inner_text()
    for _ in range(60):  # by the wheel alone, as somebody reads on
        page.mouse.wheel(0, height / 2)
    answer = page.get_by_role("radio", name="Not applicable")
    expect(answer).to_be_in_viewport(ratio=1)
    place = page.evaluate("scrollY")
    assert place > height
    answer.click()
    expect(page.locator("#panel-title")).not_to_have_text(title)
    screen.saved()
    assert abs(page.evaluate("scrollY") - place) < height  # nothing jumps to another place
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    screen.press("u")
    expect(page.locator("#panel-title")).to_have_text(title)
    screen.saved()


def test_whoever_decides_sees_neither_answer_before_and_both_after(
    sit: Seat, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = shop(tmp_path_factory.mktemp("decided"), 5)
    plan(folder, 5, "ana,ben", overlap=5)
    with review(folder, "--adjudicator", "cleo", "--owner", "olga") as running:
        screen: Screen = sit(running["cleo"])
        page = screen.page
        expect(page.get_by_role("heading", name="Nothing to decide")).to_be_visible()
        expect(page.locator("#talk")).to_contain_text("still working: 0 of 10 items are submitted")
        page.goto(running["cleo"].url + "report/")  # not open: a page that says so, and leads back
        expect(page.get_by_role("heading", name="The report is not open yet")).to_be_visible()
        expect(page.locator("main")).to_contain_text("The report is open when all items are submitted")
        assert violations(page) == []
        screen.troubles[:] = [text for text in screen.troubles if "404" not in text]
        page.get_by_role("link", name="Back to the review").click()
        expect(page.get_by_role("heading", name="Nothing to decide")).to_be_visible()
        assert both_themes(page) == []
        for item in running["ana"].session()["items"]:
            running["ana"].label(item["id"])
        for n, item in enumerate(running["ben"].session()["items"]):
            running["ben"].label(item["id"], **({CODES[0]: "cannot_assess", CODES[3]: "present"} if n < 1 else {}))
        screen.answers.clear()
        page.reload()
        screen.ready()
        assert [len(item["asked"]) for item in running["cleo"].session()["items"]] == [2]
        expect(page.locator("#panel-title")).to_have_text("Question 1 of 2")
        blind = page.content() + "".join(response.text() for response in screen.answers)
        assert not any(f">{word}<" in blind or f'"{word}"' in blind for word in ("ana", "ben", WHY))
        screen.press("2", "2", "Enter")
        expect(page.locator(".compared")).to_have_count(2)
        for row in page.locator(".compared").all():  # open, and the row itself has what the others said
            expect(row).to_have_attribute("open", "")
            expect(row.locator("summary")).to_contain_text("ana: Absent")
            expect(row.locator("summary .caret")).to_be_visible()
        decided = page.locator(".compared", has_text="Promised an exception")
        expect(decided.locator("summary")).to_contain_text("ben: Cannot assess")
        expect(page.locator("#panel-title")).to_contain_text("decision")
        assert both_themes(page) == []
        screen.press("Escape", "Enter")
        expect(page.get_by_role("heading", name="Everything is decided")).to_be_visible()
        expect(page.get_by_role("link", name="Open the report")).to_be_visible()
        running["cleo"].saved()
        assert {(r[1], r[5], r[6]) for r in labels(folder, "reviewer = 'cleo'")} == {("adjudicator", "absent", False)}

        conversation = "talk-000"
        owner: Screen = sit(running["olga"], f"#dispute={conversation}&code=behavior.{CODES[0]}&run=run_1")
        panel, form = owner.page.locator("#panel"), owner.page.get_by_role("dialog")
        expect(panel).to_contain_text("Promised an exception")
        expect(owner.page.locator("#talk-title")).to_have_text(conversation)
        expect(owner.page.locator("#m2 mark")).to_have_text("1within 48 hours")  # the conversation, the quote marked
        expect(panel).to_contain_text("Judge: Present")
        expect(panel).to_contain_text(WHY)
        expect(panel.get_by_role("radio", name="Present")).to_have_count(0)  # that is what the judge says itself
        assert both_themes(owner.page) == []
        panel.get_by_role("button", name="message 2").click()
        assert owner.page.evaluate("document.activeElement.id") == "m2"
        panel.get_by_label("Why is it wrong?").fill("A colleague allowed it")
        owner.press("Escape")
        panel.get_by_role("radio", name="Absent").click()
        expect(owner.page.locator("#message")).to_have_text("The dispute is stored.")
        expect(panel.locator(".disputes")).to_contain_text("olga: Absent")
        expect(panel.locator(".disputes")).to_contain_text("A colleague allowed it")
        owner.page.reload()
        expect(panel.locator(".disputes")).to_contain_text("A colleague allowed it")
        assert both_themes(owner.page) == []
        owner.press("Enter")
        expect(owner.page.get_by_role("heading", name="The report and its disputes")).to_be_visible()
        owner.page.get_by_role("button", name="Disputes").first.click()
        expect(form).to_contain_text("A colleague allowed it")
        expect(form).to_contain_text("judge: Present")
        assert both_themes(owner.page) == []
        running["olga"].saved()
        said = labels(folder, "reviewer = 'olga'")
        assert [(r[3], r[5], r[6], r[7]) for r in said] == [
            (f"behavior.{CODES[0]}", "absent", True, "A colleague allowed it")
        ]
