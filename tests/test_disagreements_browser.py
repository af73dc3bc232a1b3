"""The page of disagreements in a real Chromium, from a file: no script, no request, both themes, a phone, paper."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from conftest import ARGUMENTS, Main
from disagree_parts import accuracy_run, hostile_shop, judge_cases, labelled
from playwright.sync_api import Browser, Page, sync_playwright
from report_data import T0, present, says, world
from report_hostile import CONTROL, JINJA, RTL, SCRIPT
from test_report import TOKENS, contrast

from grader.report.transcript import visible
from grader.report.unseen import written_out

pytestmark = pytest.mark.browser

WIDE = """() => [...document.querySelectorAll('body *')].filter(n => n.getBoundingClientRect().right > innerWidth + 1
    && !n.closest('.unseen')).map(n => n.tagName + '.' + n.className)"""
HEADINGS = "() => [...document.querySelectorAll('h1, h2, h3, h4')].map(n => +n.tagName[1])"


@pytest.fixture
def browser(chromium: str, tmp_path: Path) -> Iterator[Browser]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")} | {"HOME": str(tmp_path)}
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, env=dict(environ))
        yield found
        found.close()


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace)
    return workspace


def written(main: Main, folder: Path) -> Path:
    done = main("disagreements", "--split", "all", "-o", folder / "d.html")
    assert done.code == 0, done.err
    return folder / "d.html"


def opened(
    browser: Browser, path: Path, troubles: list[str], *, width: int = 1280,
    scheme: Literal["light", "dark"] = "light", javascript: bool = True,
) -> Page:  # fmt: skip
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=javascript
    )
    page = context.new_page()
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda r: troubles.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    page.goto(path.as_uri())
    return page


def cases(main: Main, folder: Path) -> Path:
    with world(folder) as w:
        judge_cases(w)
        talk = [says("customer" if n % 2 else "ai", f"line {n}", T0) for n in range(1, 31)]
        w.talk("far", says("customer", "case far: hi", T0), *talk)
        w.judged("far", "accuracy", {"invented_deadline": present("line 19", 20)})
        accuracy_run(w)
    note = {"answer": "absent", "message": 5, "quote": "line 4", "note": "The tool says so."}
    labelled(main, folder, lambda case, _: note if case == "far" else "absent", "-c", "invented_deadline")
    return written(main, folder)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_page_opens_alone_and_nothing_stands_beyond_its_width(
    main: Main, shop: Path, browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    hostile_shop(main, shop)
    troubles: list[str] = []
    page = opened(browser, written(main, shop), troubles, width=width, scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(WIDE) == []
    assert page.locator("script, img, iframe, [style], [onclick]").count() == 0
    assert troubles == []


def test_hostile_words_are_literal_and_what_cannot_be_seen_is_written_out(
    main: Main, shop: Path, browser: Browser
) -> None:
    hostile_shop(main, shop)
    troubles: list[str] = []
    page = opened(browser, written(main, shop), troubles)
    bubbles = page.locator("article").first.locator(".bubble").all_text_contents()
    for text in (SCRIPT, JINJA, RTL, CONTROL):
        assert written_out(visible(text)) in bubbles
    notes = page.locator(".reasoning").all_text_contents()
    assert any(SCRIPT in note and JINJA in note and "␛[31mred" in note for note in notes)
    assert page.evaluate("window.__hit") is None
    hidden = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
    assert not hidden.search(page.locator("body").inner_text())
    assert page.title() == "Where the judge and people differ · Grader"
    assert troubles == []


def test_headings_are_in_order_and_every_link_leads_to_a_place_on_the_page(
    main: Main, shop: Path, browser: Browser
) -> None:
    troubles: list[str] = []
    page = opened(browser, cases(main, shop), troubles)
    levels = page.evaluate(HEADINGS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for landmark in ("header", "nav", "main", "footer"):
        assert page.locator(f"body > {landmark}").count() == 1
    ids = page.locator("[id]").evaluate_all("all => all.map(n => '#' + n.id)")
    assert len(ids) == len(set(ids))
    links = page.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert len(links) > 8
    assert set(links) <= set(ids)
    named = page.locator("[aria-labelledby]").evaluate_all("all => all.map(n => '#' + n.ariaLabelledBy)")
    assert named
    page.locator(".cite a").first.click()
    assert page.evaluate("document.querySelector(':target') !== null")
    assert troubles == []


def test_without_a_script_what_is_far_from_a_quote_can_be_unfolded(main: Main, shop: Path, browser: Browser) -> None:
    troubles: list[str] = []
    page = opened(browser, cases(main, shop), troubles, javascript=False)
    article = page.locator("article", has_text="far").filter(has=page.locator("mark")).first
    assert article.locator("mark").all_inner_texts() == ["line 4", "line 19"]
    line = article.get_by_text("line 12", exact=True)
    assert not line.is_visible()
    article.locator(".fold > summary").first.click()
    assert line.is_visible()
    assert troubles == []


def test_both_answers_stand_side_by_side_and_below_each_other_on_a_phone(
    main: Main, shop: Path, browser: Browser
) -> None:
    path = cases(main, shop)
    for width, beside in ((1280, True), (390, False)):
        page = opened(browser, path, [], width=width)
        pair = page.locator(".pair").first
        judge, people = (pair.locator(f".{side}").bounding_box() for side in ("judge", "people"))
        assert judge is not None
        assert people is not None
        assert (judge["y"] == people["y"]) is beside


def test_on_paper_everything_is_unfolded(main: Main, shop: Path, browser: Browser) -> None:
    page = opened(browser, cases(main, shop), [])
    page.emulate_media(media="print")
    hidden = page.locator(".msg").evaluate_all("all => all.filter(n => !n.checkVisibility()).length")
    assert page.locator(".msg").count() > 31
    assert hidden == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_reaches_its_contrast_on_the_ground_that_it_stands_on(
    main: Main, shop: Path, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    page = opened(browser, cases(main, shop), [], scheme=scheme)
    pairs: list[list[Any]] = page.evaluate("""() => {
        const seen = new Set();
        for (const node of document.querySelectorAll('body *')) {
            if (![...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim())) continue;
            let ground = node;
            while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
            seen.add(JSON.stringify([getComputedStyle(node).color, getComputedStyle(ground).backgroundColor]));
        }
        return [...seen].map((text) => JSON.parse(text));
    }""")  # fmt: skip

    def hexed(rgb: str) -> str:
        return "#" + "".join(f"{int(n):02x}" for n in re.findall(r"\d+", rgb)[:3])

    assert len(pairs) > 8
    assert TOKENS
    for ink, ground in pairs:
        assert contrast(hexed(ink), hexed(ground)) >= 4.5, (ink, ground)
