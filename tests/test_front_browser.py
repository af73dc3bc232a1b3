"""The front page in a real Chromium: both themes, a phone, tables behind pictures, links, Portuguese, paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_parts import violations
from front_worlds import weekly
from playwright.sync_api import Browser, Page, expect
from report_data import world
from test_report import settings

from grader import language, report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("shop")
    with world(folder) as w:
        run = weekly(w)
        found = {"en": report.write(w.store, settings(folder), run_id=run)}
        with language.use("pt"):
            found["pt"] = report.write(w.store, settings(folder), run_id=run, out=folder / "pt.html")
    return found


@pytest.fixture(scope="module")
def desk(browser: Browser, files: dict[str, Path]) -> Iterator[Page]:
    troubles: list[str] = []
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(files["en"].as_uri())
    yield page
    assert troubles == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_on_the_overview_stands_in_anybodys_way(
    browser: Browser, files: dict[str, Path], scheme: str
) -> None:  # fmt: skip
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(files["en"].as_uri())
    page.evaluate("document.querySelectorAll('.front details, .card details').forEach((d) => { d.open = true; })")
    assert violations(page) == []
    context.close()


def test_on_a_phone_the_cards_stand_below_each_other_and_nothing_is_wider_than_it(
    browser: Browser, files: dict[str, Path]
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    page.goto(files["en"].as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    places = page.locator(".figure-card").evaluate_all("all => all.map((n) => Math.round(n.getBoundingClientRect().x))")
    assert len(places) == 6
    assert len(set(places)) == 1
    expect(page.locator(".matrix.stacked")).to_be_visible()
    expect(page.locator(".matrix.wide")).to_be_hidden()
    names = page.locator(".matrix.stacked .name").evaluate_all("all => all.map((n) => n.getBoundingClientRect().right)")
    assert max(names) < 390
    assert violations(page) == []
    context.close()


def test_the_cards_stand_in_three_columns_on_a_desk(desk: Page) -> None:
    boxes = desk.locator(".figure-card").evaluate_all(
        "all => all.map((n) => [n.getBoundingClientRect().x, n.getBoundingClientRect().y].map(Math.round))"
    )
    assert len({x for x, _ in boxes}) == 3
    assert len({y for _, y in boxes}) == 2


def test_every_picture_has_a_table_that_says_the_same(desk: Page) -> None:
    for figure in desk.locator("figure.weeks").all():
        marks = figure.locator("svg.weeks-chart .series").first.locator("circle, rect").count()
        values = figure.locator("tbody td:nth-child(2)").all_text_contents()
        assert marks == sum(v != "–" for v in values) > 0
        told = figure.locator("svg.weeks-chart desc").text_content() or ""
        assert all(f": {v} (" in told for v in values if v != "–")
    cells = desk.locator(".matrix.wide .spot").evaluate_all("all => all.map((n) => n.getAttribute('aria-label'))")
    in_table = desk.locator(".matrix-table td a").evaluate_all("all => all.map((n) => n.getAttribute('aria-label'))")
    assert cells == in_table
    ratios = desk.locator(".forest .said b").all_text_contents()
    values = desk.locator("section[aria-labelledby=returns] tbody td:nth-child(2)").all_text_contents()
    assert ratios == [v for v in values if v != "–"] != []


def test_no_picture_needs_colour_to_be_read(desk: Page) -> None:
    deadline = desk.locator('.matrix.wide .spot[href*="code=invented_deadline"] text').first
    assert deadline.text_content() == "820.0 %"  # how many, and the share
    shapes = desk.locator(".matrix.wide .severity-mark").evaluate_all(
        "all => all.map((n) => n.tagName + n.getAttribute('class'))"
    )
    assert len({s.split("severity-mark ")[0] + s.split("severity-mark ")[1] for s in shapes}) == 2
    assert desk.locator("svg.weeks-chart .break-label").all_text_contents() == ["judge changed", "judge changed"]
    assert desk.locator(".figure-card .better").first.text_content() == "↑ higher is better"


def test_links_lead_to_the_conversations_behind_a_figure(browser: Browser, files: dict[str, Path]) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(files["en"].as_uri())
    page.locator('.matrix.wide .spot[href*="code=invented_deadline"]').first.click()
    assert "code=invented_deadline&queue=delivery" in page.url
    expect(page.locator("#conversations")).to_be_visible()
    assert page.locator("#list a").count() == 8
    page.goto(files["en"].as_uri())
    example = page.locator(".fixes .example").first
    name = example.text_content()
    example.click()
    expect(page.locator("#detail")).to_contain_text(name or "-")
    page.context.close()


def test_the_keyboard_reaches_the_tables_and_the_pictures_regions(desk: Page) -> None:
    summary = desk.locator("figure.weeks details.numbers summary").first
    summary.focus()
    desk.keyboard.press("Enter")
    region = desk.locator("figure.weeks details.numbers .scroll").first
    expect(region).to_be_visible()
    desk.keyboard.press("Tab")
    assert desk.evaluate("document.activeElement.getAttribute('role')") == "region"
    assert desk.locator(".matrix.wide a:not([tabindex])").count() == 3  # one stop a code; the cells are in the table


def test_without_a_script_the_front_page_is_whole(browser: Browser, files: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(files["en"].as_uri())
    assert page.locator(".figure-card:visible").count() == 6
    page.locator("figure.weeks summary").first.click()
    expect(page.locator("figure.weeks table").first).to_be_visible()
    context.close()


def test_the_page_speaks_portuguese_and_says_so(browser: Browser, files: dict[str, Path]) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(files["pt"].as_uri())
    assert page.locator("html").get_attribute("lang") == "pt-BR"
    expect(page.locator("#six")).to_have_text("Seis números")
    expect(page.locator("[data-card=ai_resolution] .value")).to_have_text("69,6 %")
    text = page.locator("#overview").inner_text()
    english = (
        "lower is better",
        "judge changed",
        "conversations",
        "Week by week",
        "In detail",
        "Severity",
        "All queues",
    )
    for left in (*english, "Bars end", "not yet known", "may be noise", "reason not known", "Flagged"):
        assert left not in text, left
    page.context.close()


def test_paper_has_three_cards_a_row_and_no_folded_table(browser: Browser, files: dict[str, Path]) -> None:
    page = browser.new_context(viewport={"width": 720, "height": 1000}).new_page()
    page.goto(files["en"].as_uri())
    page.emulate_media(media="print")
    xs = page.locator(".figure-card").evaluate_all("all => all.map((n) => Math.round(n.getBoundingClientRect().x))")
    assert len(set(xs)) == 3
    expect(page.locator("details.numbers").first).to_be_hidden()
    expect(page.locator(".matrix.wide")).to_be_visible()
    expect(page.locator(".matrix.stacked")).to_be_hidden()
    page.context.close()
