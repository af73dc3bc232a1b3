"""The page in a real Chromium, opened from a file: no request, no error, keys, filters, themes, phone, paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from report_data import sample, world
from report_hostile import EMOJI, JINJA, LONG, SCRIPT, hostile
from test_report import settings

from grader import report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with world(folder) as w:
        sample(w, 60)
        hostile(w)
        w.finish(n_population=128)
        return report.write(w.store, settings(folder))


@dataclass
class Tab:
    """A page and everything on it that should not have happened."""

    page: Page
    troubles: list[str] = field(default_factory=list)


@pytest.fixture
def visit(browser: Browser, file: Path) -> Iterator[Any]:
    """Opens the report at an address; at the end there was no error, no request, and no script of others ran."""
    tabs: list[Tab] = []

    def opened(
        address: str = "", *, width: int = 1280, height: int = 800, scheme: Literal["light", "dark"] = "light",
        javascript: bool = True,
    ) -> Page:  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=javascript
        )
        context.set_default_timeout(10_000)
        tab = Tab(context.new_page())
        tabs.append(tab)
        tab.page.on("console", lambda message: tab.troubles.append(f"{message.type}: {message.text}"))
        tab.page.on("pageerror", lambda error: tab.troubles.append(str(error)))
        tab.page.on("request", lambda request: tab.troubles.append(request.url) if _outside(request.url) else None)
        tab.page.goto(file.as_uri() + address)
        if javascript:
            tab.page.wait_for_selector("html[data-ready]", state="attached")
        return tab.page

    yield opened
    for tab in tabs:
        assert tab.troubles == []
        if tab.page.locator("html.js").count():
            assert tab.page.evaluate("window.__hit") is None
        tab.page.context.close()


def _outside(url: str) -> bool:
    return not url.startswith(("file:", "data:"))


def shown(page: Page) -> int:
    """How many conversations are in the list; only those in sight are rows."""
    size = page.evaluate("document.querySelector('#list li[aria-setsize]')?.ariaSetSize ?? '0'")
    return int(size)


def current(page: Page) -> str:
    expect(page.locator("#detail")).not_to_have_attribute("aria-busy", "true")
    return str(page.locator("#detail h2").inner_text())


def tick(page: Page, filter_name: str, value: str) -> None:
    """A box of a filter that takes several values."""
    page.locator(f"#f-{filter_name}").click()
    page.locator(f"[data-several={filter_name}] input[value={value}]").check()
    page.keyboard.press("Escape")


def test_the_overview_opens_first_and_the_queue_switch_changes_its_figures(visit: Any) -> None:
    page = visit()
    expect(page.locator("#overview")).to_be_visible()
    expect(page.locator("#conversations")).to_be_hidden()
    before = page.locator("[data-scope-part]:visible .value").first.inner_text()
    page.get_by_role("button", name="returns").click()
    expect(page.get_by_role("heading", name="Defects by code · returns")).to_be_visible()
    assert page.locator("[data-scope-part]:visible").count() == 1
    assert "scope=q" in page.url
    assert page.locator("[data-scope-part]:visible .value").first.inner_text() != before


def test_an_injected_script_is_stopped_by_the_policy(browser: Browser, file: Path) -> None:
    page = browser.new_page()
    page.goto(file.as_uri())
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'window.__hit = 1';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<p id=p onclick="window.__hit = 2" style="color: red">x</p>');
        document.getElementById('p').click();
    }""")
    assert page.evaluate("window.__hit") is None
    assert len(blocked) == 3  # the script, the handler and the style attribute
    assert all("Content Security Policy" in text for text in blocked)
    page.close()


def test_filters_narrow_the_list_and_live_in_the_address(visit: Any) -> None:
    page = visit("#v=conversations")
    everything = shown(page)
    tick(page, "code", "invented_deadline")
    page.get_by_role("button", name="More filters").click()
    page.locator("#f-lang").select_option("pt")
    expect(page.locator("#shown")).to_have_text(f"{shown(page)} of {everything} conversations")
    narrowed = shown(page)
    assert 0 < narrowed < everything
    assert "code=invented_deadline" in page.url
    assert "lang=pt" in page.url

    shared = visit(page.url[page.url.index("#") :])  # the same address shows a colleague the same
    assert shown(shared) == narrowed
    expect(shared.locator("#f-code")).to_have_text("Invented deadline")

    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#shown")).to_have_text(f"{everything} conversations")
    tick(page, "sev", "low")
    assert 0 < shown(page) < everything
    page.locator("#f-res").select_option(index=1)
    page.locator("#f-queue").select_option(index=1)
    assert page.locator("#list a, #list .empty").count() > 0


def test_search_finds_texts_without_minding_accents_and_case(visit: Any) -> None:
    page = visit("#v=conversations")
    page.get_by_placeholder("Search").fill("COLISAO")
    expect(page.locator("#list .empty")).to_contain_text("No conversation fits these filters.")
    page.get_by_placeholder("Search").fill("devolucao")
    expect(page.locator("#list a").first).to_be_visible()
    assert "q=devolucao" in page.url
    page.get_by_placeholder("Search").fill("{{ 7*6 }}")
    expect(page.locator("#list a")).not_to_have_count(0)


def test_keys_are_enough(visit: Any) -> None:
    page = visit()
    keys = page.keyboard
    keys.press("j")
    first = current(page)
    keys.press("j")
    expect(page.locator("#detail h2")).not_to_have_text(first)
    keys.press("K")  # with Caps Lock, too
    expect(page.locator("#detail h2")).to_have_text(first)
    keys.press("N")
    expect(page.locator(".finding.on .badge")).to_have_text("1")
    assert page.evaluate("document.activeElement.dataset.finding") == "1"
    keys.press("p")
    last = page.locator(".finding").count()
    expect(page.locator(".finding.on .badge")).to_have_text(str(last))
    keys.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    keys.type("jjj")  # in a field, letters are letters
    expect(page.locator("#q")).to_have_value("jjj")
    keys.press("Escape")
    assert page.evaluate("document.activeElement.id") != "q"
    keys.press("?")
    expect(page.locator("#help")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    keys.press("f")
    assert page.evaluate("document.activeElement.id") == "f-code"
    keys.press("Escape")
    keys.press("o")
    expect(page.locator("#overview")).to_be_visible()


def test_tab_reaches_everything_and_focus_can_be_seen(visit: Any) -> None:
    page = visit()
    reached = []
    for _ in range(80):  # the switch of queues stands below the front page
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("""() => {
            const node = document.activeElement, style = getComputedStyle(node);
            return [node.textContent.trim().slice(0, 20), style.outlineStyle, parseFloat(style.outlineWidth)];
        }""")
        )
        if reached[-1][0].startswith("All queues"):
            break
    names = [name for name, _, _ in reached]
    assert names[0] == "Skip to content"
    assert any(name.startswith("Conversations") for name in names)
    assert any(name.startswith("All queues") for name in names)
    assert all(style != "none" and width >= 1 for _, style, width in reached)


def test_a_finding_and_its_words_lead_to_each_other(visit: Any) -> None:
    page = visit("#c=overlap")
    expect(page.locator("mark")).not_to_have_count(0)
    assert page.locator(".bubble").nth(1).evaluate("""node => {
        const copy = node.cloneNode(true);
        for (const badge of copy.querySelectorAll('.badge')) badge.remove();
        return copy.textContent;
    }""") == "one two three four five six 😡 seven"  # fmt: skip
    page.locator("mark .badge", has_text="4").click()
    expect(page.locator(".finding.on")).to_have_attribute("data-finding", "4")
    card = page.locator('.finding[data-finding="1"]')
    card.get_by_role("button", name="message 2").click()
    marks = page.locator("mark.on").evaluate_all("nodes => nodes.map(n => n.dataset.findings)")
    assert marks
    assert all("1" in numbers.split() for numbers in marks)
    assert "f=1" in page.url


def test_the_search_field_follows_the_address_even_while_it_has_the_focus(visit: Any) -> None:
    page = visit("#v=conversations")
    page.evaluate("location.hash = '#v=conversations&q=delivery'")
    field = page.locator("#q")
    expect(field).to_have_value("delivery")
    field.focus()
    page.go_back()
    expect(field).to_have_value("")
    field.press_sequentially("zzz", delay=200)  # every letter is searched for before the next one
    expect(field).to_have_value("zzz")
    page.evaluate("location.hash = '#v=conversations'")
    expect(field).to_have_value("")
    expect(field).to_be_focused()


def test_on_a_phone_findings_stand_by_name_above_the_chat_and_lead_to_their_words(visit: Any) -> None:
    page = visit("#c=overlap")
    expect(page.locator(".outline")).to_be_hidden()  # beside the chat the cards are in sight
    page = visit("#c=overlap", width=390)
    names = page.locator(".outline button")
    cards = page.locator(".finding:not(.unsupported) h4")
    assert [name.split(": ")[-1] for name in names.locator("span:last-child").all_inner_texts()] == (
        cards.all_inner_texts()
    )
    tops = page.evaluate("""() => ['.outline', '.transcript', '.side'].map(
        (part) => document.querySelector(`#detail ${part}`).getBoundingClientRect().top)""")
    assert tops == sorted(tops)
    names.nth(1).click()
    expect(page.locator("mark.on .badge").first).to_be_focused()
    assert "2" in page.locator("mark.on").first.evaluate("node => node.dataset.findings").split()
    expect(page.locator("mark.on").first).to_be_in_viewport()


def test_a_row_names_the_first_code_and_shows_the_severity_of_the_others(visit: Any) -> None:
    page = visit("#v=conversations&c=overlap")
    row = page.locator("#list a[data-id=overlap]")
    chips = row.locator(".chip.dot")
    severities = [name.split(":")[0] for name in chips.evaluate_all("nodes => nodes.map((n) => n.title)")]
    assert len(severities) == 5
    assert [chips.nth(n).get_attribute("class").split()[2] for n in range(5)] == severities
    spoken = row.locator(".codes").text_content()
    assert all(title.split(": ")[1] in spoken for title in chips.evaluate_all("nodes => nodes.map((n) => n.title)"))


def test_that_codes_are_not_calibrated_is_said_once_where_it_holds_of_all(visit: Any) -> None:
    page = visit("#c=overlap")
    expect(page.locator(".finding")).not_to_have_count(1)
    expect(page.locator(".side > .trust summary")).to_have_text("○ not calibrated")
    expect(page.locator(".finding .trust")).to_have_count(0)


def test_tool_calls_are_folded_and_open_where_a_quote_stands(visit: Any) -> None:
    page = visit("#c=texts")
    folded = page.locator(".tool details")
    assert folded.evaluate_all("nodes => nodes.map(n => n.open)") == [True, False]  # a call with its result, a result
    assert '"n": 1.50,\n  "n": 2' in folded.nth(0).locator("pre").nth(1).evaluate("node => node.textContent")


def test_hostile_texts_are_literal_on_the_page(visit: Any) -> None:
    page = visit("#c=texts")
    bubbles = page.locator(".bubble").evaluate_all("""nodes => nodes.map(node => {
        for (const badge of node.querySelectorAll('.badge')) badge.remove();
        return node.textContent;
    })""")
    assert bubbles[0] == SCRIPT
    assert bubbles[1] == JINJA
    assert EMOJI in bubbles
    assert "(no text)" in bubbles
    assert any("null:␀" in text and "␛[31mred" in text for text in bubbles)
    assert page.locator("#detail img, #detail iframe, #detail script").count() == 0
    expect(page.locator(".finding.unsupported")).to_have_count(2)
    visit("#c=" + "%22%5D%3Cimg%20src%3Dx%20onerror%3Dwindow.__hit%3D1%3E")  # an address is text of others, too


def test_what_cannot_be_seen_is_shown_as_a_chip_with_its_name(visit: Any) -> None:
    page = visit("#c=unseen")
    bubbles = page.locator(".bubble")
    assert bubbles.nth(0).evaluate("node => node.textContent") == "U+202EliveU+202C pay U+200BnowU+200B ×2"
    expect(bubbles.nth(0).locator(".ctrl").first).to_have_attribute("title", "RIGHT-TO-LEFT OVERRIDE")
    assert bubbles.nth(1).evaluate("""node => {
        for (const badge of node.querySelectorAll('.badge')) badge.remove();
        return node.textContent;
    }""") == "It arrives U+2066tomorrowU+2069 U+200D 👨\u200d👩\u200d👧 ❤\ufe0f"  # fmt: skip
    expect(page.locator(".finding .reasoning")).to_have_text("It says U+202Etomorrow.")
    expect(page.locator(".about")).to_contain_text("qU+202Eueue")
    expect(page.locator("#detail .after")).to_contain_text("CSAT 1 of 5: “U+202Eawful”")
    expect(bubbles.nth(4)).to_have_text("hidden16 invisible characters")
    # not one character that turns the order is left in what is drawn, in titles or in the choices of a filter
    left = """() => [...document.querySelectorAll('#conversations *')].filter((node) => {
        const texts = [...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.data);
        const told = texts.join('') + (node.getAttribute('title') || '');
        return /[\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]/.test(told);
    }).length"""
    assert page.evaluate(left) == 0


def test_a_message_reads_in_the_direction_of_its_own_words(visit: Any) -> None:
    bubbles = visit("#c=unseen").locator(".bubble")
    direction = "node => [node.dir, getComputedStyle(node).direction]"
    assert bubbles.nth(2).evaluate(direction) == ["auto", "rtl"]  # the chip before the words does not count
    assert bubbles.nth(3).evaluate(direction) == ["auto", "ltr"]


def test_a_message_of_many_hidden_characters_can_be_unfolded(visit: Any) -> None:
    page = visit("#c=unseen")
    long = page.locator(".bubble").nth(5)
    long.get_by_role("button", name="Show all").click()
    assert 500 <= long.locator(".ctrl").count() < 1000
    assert long.evaluate("node => node.textContent").endswith("a[U+200B]b" * 1000)


def test_the_search_finds_words_that_hidden_characters_split(visit: Any) -> None:
    page = visit("#v=conversations")
    page.get_by_placeholder("Search").fill("abababab")
    expect(page.locator("#list a")).to_have_count(1)
    page.locator("#f-queue").select_option("q\u202eueue")
    expect(page.locator("#list a")).to_have_count(1)
    expect(page.locator("#chips button").first).to_have_attribute(
        "aria-label", "Remove the filter Queue: q[U+202E]ueue"
    )
    assert page.locator("#f-queue option:checked").inner_text() == "q[U+202E]ueue (1)"


def test_a_long_message_is_folded_with_its_quote_in_sight_and_can_be_unfolded(visit: Any) -> None:
    page = visit("#c=long")
    bubble = page.locator(".bubble").nth(1)
    folded = bubble.evaluate("node => node.textContent.length")
    assert folded < 3000
    expect(bubble.locator("mark")).to_contain_text("end!!")
    bubble.get_by_role("button", name="Show all").click()
    text = bubble.evaluate("""node => {
        for (const badge of node.querySelectorAll('.badge')) badge.remove();
        return node.textContent;
    }""")
    assert text == LONG


def test_the_theme_follows_the_system_and_can_be_switched_and_is_kept(visit: Any) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    page = visit(scheme="dark")
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Switch to the light theme").click()
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    assert page.evaluate(ground) == light
    assert visit(scheme="light").evaluate(ground) == light


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_only_downward(visit: Any, scheme: str) -> None:
    page = visit(width=390, height=844, scheme=scheme)
    wide = """() => [...document.querySelectorAll('main *')]
        .filter(n => n.offsetParent && !n.closest('.scroll, .switch, svg, .unseen') && !n.matches('.list .ctrl'))
        .filter(n => n.getBoundingClientRect().right > 391).map(n => n.className || n.tagName)"""
    for address in ("", "#v=conversations", "#c=texts", "#c=long", "#c=overlap"):
        page.evaluate("address => { location.hash = address }", address)
        page.wait_for_function("address => location.hash === address", arg=address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        assert page.evaluate(wide) == [], address


def test_on_a_phone_a_conversation_takes_the_place_of_the_list_and_back_again(visit: Any) -> None:
    page = visit("#v=conversations", width=390, height=844)
    expect(page.locator("#detail")).to_be_hidden()
    page.locator("#list a").first.click()
    expect(page.locator("#detail h2")).to_be_visible()
    expect(page.locator("#list")).to_be_hidden()
    page.get_by_role("button", name="List").click()
    expect(page.locator("#list a").first).to_be_visible()


def test_without_javascript_figures_and_top_findings_are_readable(visit: Any) -> None:
    page = visit(javascript=False)
    expect(page.get_by_role("heading", name="Resolved", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Defects by code", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Findings most worth reading")).to_be_visible()
    assert page.locator(".static article").count() == 40
    expect(page.locator("#filters")).to_be_hidden()


def test_paper_shows_the_figures_and_every_conversation_that_the_filters_leave_unfolded(visit: Any) -> None:
    page = visit("#code=contradicts_policy&q=overlap")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(page.locator(".printed")).to_have_count(1)
    expect(page.locator(".printed h2")).to_have_text("overlap")
    expect(page.locator("#overview")).to_be_visible()
    assert page.locator(".printed details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".printed")).to_have_count(0)


def test_printing_fires_what_unfolds(visit: Any) -> None:
    page = visit("#q=overlap")
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    assert page.evaluate("document.querySelectorAll('.printed').length") == 0  # and it is tidied up afterwards


def test_tables_sort_by_their_heads(visit: Any) -> None:
    page = visit()
    head = page.locator("[data-scope-part]:visible th[data-sort=rate] button")
    read = "[...document.querySelectorAll('[data-scope-part=q0] tbody tr')].map(r => Number(r.dataset.rate))"
    head.click()
    down = page.evaluate(read)
    assert down == sorted(down, reverse=True)
    head.click()
    assert page.evaluate(read) == sorted(down)


def test_a_conversation_that_is_not_on_the_page_is_named(visit: Any) -> None:
    page = visit("#c=no-such")
    expect(page.locator("#detail")).to_contain_text("The conversation “no-such” is not on this page.")


@pytest.mark.parametrize("width", [390, 1280])
def test_why_a_figure_is_not_calibrated_is_read_without_a_hover(visit: Any, width: int) -> None:
    page = visit(width=width)
    expect(page.locator(".believe li")).to_have_count(4)
    row = page.locator("#overview .defects tbody tr").first
    why = row.locator(".trust p")
    expect(why).to_be_hidden()
    row.locator(".trust summary").click()
    expect(why).to_have_text("not calibrated: no label plan was answered for this judge")
    expect(why).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page = visit("#v=conversations", width=width)
    if width == 390:
        page.locator("#list a, #list button, #list li").first.click()
    finding = page.locator(".side .trust").first
    finding.locator("summary").click()
    expect(finding.locator("p")).to_have_text("not calibrated: no label plan was answered for this judge")
