"""One conversation in a real Chromium: bubbles, cards of tools, quotes, addresses, languages, returns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_parts import violations
from playwright.sync_api import Browser, Page, expect
from report_data import world
from talk_parts import ARABIC, LONG_URL, URL, everything
from test_report import settings

from grader import language, report
from grader.report import Masks

pytestmark = pytest.mark.browser
BOTH = Masks(redact=True, anonymous_agents=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("shop")
    with world(folder) as w:
        everything(w)
        made = {"en": report.write(w.store, settings(folder)),
                "masked": report.write(w.store, settings(folder), out=folder / "masked.html", masks=BOTH)}  # fmt: skip
        with language.use("pt"):
            made["pt"] = report.write(w.store, settings(folder), out=folder / "pt.html")
    return made


@pytest.fixture
def visit(browser: Browser, files: dict[str, Path]) -> Iterator[Any]:
    troubles: list[str] = []
    contexts = []

    def opened(
        which: str = "en",
        *,
        width: int = 1280,
        scheme: Literal["light", "dark"] = "light",
        permissions: tuple[str, ...] = (),
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, permissions=list(permissions)
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else troubles.append(r.url))
        page.goto(files[which].as_uri() + "#c=talk-1")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def test_it_looks_like_the_chat_it_was(visit: Any) -> None:
    page = visit()
    left, right = (page.locator(f"#m{n}").bounding_box() for n in (3, 7))
    assert left["x"] < right["x"] + right["width"] - 10
    assert left["x"] < page.locator("#m12").bounding_box()["x"]
    expect(page.locator("#m1 .who b")).to_have_text("Customer")
    assert page.locator("#m2.again .who b").count() == 0  # joined with the one before
    assert page.locator("#m3").bounding_box()["y"] - page.locator("#m2").bounding_box()["y"] < 80
    expect(page.locator("#m4 .kind")).to_have_text("Voice note 0:42")
    expect(page.locator("#m12 .who b")).to_have_text("Human · Carla Dias")
    expect(page.locator("#m14.note .kind")).to_have_text("Internal note")
    expect(page.locator(".event.handoff")).to_have_text("Hand-off: AI → Human (Carla Dias) · 14:08")
    assert page.locator(".day").all_inner_texts() == ["Mon 3 Aug 2026", "Tue 4 Aug 2026"]
    expect(page.locator(".wait").first).to_have_text("59 minutes later")
    assert page.locator("ol.transcript > li").count() == page.locator(".transcript > *").count()


def test_a_call_and_its_result_are_one_card_that_opens_for_a_quote(visit: Any) -> None:
    page = visit()
    cards = page.locator(".tool-card")
    expect(cards).to_have_count(2)
    assert cards.evaluate_all("nodes => nodes.map(n => n.open)") == [True, False]
    expect(cards.nth(0).locator("summary")).to_contain_text("get_order")
    expect(cards.nth(0).locator(".took")).to_have_text("4 s")
    expect(cards.nth(1).locator(".how.failed")).to_have_text("Failed")
    assert cards.nth(0).locator("pre").nth(1).inner_text().startswith('{\n  "order_id": "Q-22034"')
    expect(cards.nth(0).locator("mark")).to_contain_text('"scans": []')
    cards.nth(1).locator("summary").press("Enter")
    expect(cards.nth(1).locator("#m10")).to_contain_text("NOT_ALLOWED")


def test_keys_lead_from_a_finding_to_its_words_and_back(visit: Any) -> None:
    page = visit()
    card = page.locator('.finding[data-finding="1"]')
    page.locator(".tool-card").nth(0).evaluate("node => { node.open = false; }")
    card.get_by_role("button", name="message 6").press("Enter")
    assert page.evaluate("document.activeElement.closest('mark').textContent") == '1"scans": []'
    assert page.locator(".tool-card").nth(0).evaluate("node => node.open")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.finding") == "1"
    expect(page.locator('.finding[data-finding="3"] .judged')).to_have_text(
        "By judge-1 on Sat 31 Oct 2026 · 0.0012 USD for the call"
    )
    expect(page.locator('.finding[data-finding="3"] .clause')).to_contain_text("in force from Thu 4 Jun 2026")
    expect(page.locator('.finding[data-finding="3"] .clause b')).to_have_text(
        "No delivery date is promised before the parcel has been scanned"
    )


def test_what_happened_afterwards_is_linked(visit: Any) -> None:
    page = visit()
    part = page.locator("#detail .after")  # once, where the chat ends
    expect(part).to_contain_text("talk-2 came back 2 days later, same issue")
    expect(part).to_contain_text("talk-3 came back 7 days later, another issue")
    expect(part).to_contain_text("talk-0 comes back on a conversation that ended Fri 31 Jul 2026, same issue")
    expect(part).to_contain_text("Handled by the AI and people.")
    expect(part.locator(".reference").first).to_have_text("order Q-22034")
    page.locator(".ending").get_by_role("link", name="talk-2").click()
    expect(page.locator("#detail h2")).to_have_text("talk-2")
    expect(page.locator("#detail .after")).to_contain_text("This one is itself a return:")


def test_addresses_are_inert_and_a_button_copies_them(visit: Any) -> None:
    page = visit(permissions=("clipboard-read", "clipboard-write"))
    assert page.locator(".transcript a:not(.ending a)").count() == 0
    button = page.locator("#m7 .copy")
    expect(button).to_have_attribute("aria-label", f"Copy the address {URL}")
    button.press("Enter")
    expect(page.locator("#status")).to_have_text(f"Copied: {URL}")
    assert page.evaluate("navigator.clipboard.readText()") == URL
    expect(page.locator("#m7 .url")).to_have_text(URL)  # without the full stop behind it
    expect(page.locator("#m13 .copy")).to_have_attribute("aria-label", f"Copy the address {LONG_URL}")


def test_where_the_clipboard_is_closed_the_address_is_selected(visit: Any) -> None:
    page = visit()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    page.locator("#m7 .copy").click()
    expect(page.locator("#status")).to_have_text("Selected: copy it with Ctrl+C")
    assert page.evaluate("getSelection().toString()") == URL


def test_each_text_has_its_language_and_its_direction(visit: Any) -> None:
    page = visit("pt")
    assert page.locator("html").get_attribute("lang") == "pt-BR"
    assert page.locator("#m7 .bubble").get_attribute("lang") == "pt-BR"  # the source wrote pt_BR
    assert page.locator("#m14 .bubble").get_attribute("lang") == ""
    assert page.locator("#m18 .bubble").get_attribute("lang") == ""
    assert page.locator(".tool-card pre").first.get_attribute("lang") == "zxx"
    assert page.locator(".finding .reasoning").first.get_attribute("lang") == ""
    arabic = page.locator("#m15 .bubble")
    assert arabic.inner_text() == ARABIC
    assert arabic.evaluate("node => getComputedStyle(node).direction") == "rtl"
    hebrew = page.locator("#m16 .bubble")
    assert hebrew.evaluate("node => node.textContent") == "שלום, ההזמנה U+202EQ-22034U+202C לא הגיעה"
    assert hebrew.evaluate("node => getComputedStyle(node).direction") == "rtl"
    expect(page.locator("#m1 .who b")).to_have_text("Cliente")
    expect(page.locator("#detail .after")).to_contain_text("talk-2 voltou 2 dias depois, mesmo problema")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(visit: Any, scheme: str, width: int) -> None:
    page = visit(scheme=scheme, width=width)
    for card in page.locator("details").all():
        card.evaluate("node => { node.open = true; }")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = """width => [...document.querySelectorAll('#detail *')]
        .filter((n) => n.offsetParent && !n.closest('.unseen, svg'))
        .filter((n) => n.getBoundingClientRect().right > width + 1).map((n) => n.className || n.tagName)"""
    assert page.evaluate(wide, width) == []


def test_a_masked_page_says_so_and_shows_marks(visit: Any) -> None:
    page = visit("masked")
    expect(page.locator("#m2 .bubble")).to_have_text("me chamo [name 1], meu email é [email 1] e o fone [phone 1]")
    expect(page.locator("#m12 .who b")).to_have_text("Human · Agent 1")
    expect(page.locator("#m7 mark")).to_contain_text("chega amanhã até as 18h")
    page.goto(page.url.split("#")[0] + "#v=overview")
    expect(page.locator("#overview")).to_contain_text("Personal data was masked by rules.")
