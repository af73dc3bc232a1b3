"""Every page that Grader writes, in a real Chromium: nothing for axe to find in either theme, on a desk and on a phone;
nothing wider than the screen, a focus that is seen, targets that a finger meets, nothing that moves by itself.

The review app's screens are held to the same in test_review_screens.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_parts import violations
from look_world import grader, made
from playwright.sync_api import Browser, Page, expect
from report_data import World, world
from test_report import settings

from grader import language, report
from grader.report.gathered import Limits
from grader.report.masks import Masks
from grader.store import open_store

pytestmark = pytest.mark.browser

Theme = Literal["light", "dark"]
DESK, PHONE = (1280, 900), (390, 844)
SHIFTS = """window.__shift = 0; new PerformanceObserver((list) => {
    for (const e of list.getEntries()) window.__shift += e.value;
}).observe({ type: 'layout-shift', buffered: true });"""
UNFOLD = "document.querySelectorAll('main details').forEach((d) => { d.open = true; })"
FRONT, LIST = "#v=overview", "#v=conversations"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    root = made(folder, copies=3, n_labelled=100, wordy=True)
    out = {name: folder / f"{name}.html" for name in ("report", "pt", "masked", "split", "empty")}
    with open_store(root / "grader.duckdb", read_only=True) as store:
        report.write(store, settings(root), out=out["report"], every=True)
        report.write(store, settings(root), out=out["masked"], masks=Masks(redact=True, anonymous_agents=True))
        report.write(store, settings(root, 10_000), out=out["split"], limits=Limits(60))
        with language.use("pt"):
            report.write(store, settings(root), out=out["pt"])
    with world(folder) as w:
        _nobody(w)
        report.write(w.store, settings(folder), out=out["empty"])
    grader(root, "brief", "-o", folder / "brief")
    grader(root, "disagreements", "--split", "all", "-o", folder / "disagreements.html")
    return out | {
        "part": folder / "split-parts" / "part-01.html", "disagreements": folder / "disagreements.html",
        "calibration": root / "reports" / "calibration.html", "brief": next((folder / "brief").glob("*.html")),
    }  # fmt: skip


def _nobody(w: World) -> None:
    """A run that was asked for nothing."""
    w.talk("alone")
    w.finish(n_population=1)


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, files: dict[str, Path]) -> Iterator[Visit]:
    """Opens a page; at the end none has logged anything."""
    contexts, troubles = [], list[str]()

    def opened(name: str, address: str = "", size: tuple[int, int] = DESK, script: str = "", **how: Any) -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **how)
        context.set_default_timeout(10_000)
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(files[name].as_uri() + address)
        if page.locator("script#data").count():
            page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def opened_up(page: Page) -> None:
    page.evaluate(UNFOLD)


def a_conversation(page: Page) -> None:
    if page.locator("#list a").count():
        page.locator("#list a").first.click()
        expect(page.locator("#detail h2")).to_be_visible()
        page.evaluate("document.querySelectorAll('#detail details').forEach((d) => { d.open = true; })")


def the_filters(page: Page) -> None:
    if not page.locator("#filter-grid").is_visible():
        page.locator("#filter-toggle").click()
    page.locator("#more-toggle").click()
    page.locator("#f-sev").click()


def the_keys(page: Page) -> None:
    page.locator("#help-button").click()
    expect(page.locator("#help")).to_be_visible()


SCREENS: dict[str, tuple[str, str, Callable[[Page], None] | None]] = {
    "front": ("report", FRONT, opened_up),
    "conversation": ("report", LIST, a_conversation),
    "filters": ("report", LIST + "&code=contradicts_policy&q=pedido", the_filters),
    "keys": ("report", FRONT, the_keys),
    "nothing found": ("report", LIST + "&q=zzqx", None),
    "portuguese": ("pt", FRONT, opened_up),
    "portuguese conversation": ("pt", LIST, a_conversation),
    "masked": ("masked", LIST, a_conversation),
    "front of parts": ("split", LIST, None),
    "a part": ("part", LIST, a_conversation),
    "empty": ("empty", FRONT, opened_up),
    "empty list": ("empty", LIST, None),
    "brief": ("brief", "", opened_up),
    "calibration": ("calibration", "", opened_up),
    "disagreements": ("disagreements", "", opened_up),
}
# Looked at once: what differs by the width is looked at elsewhere.
ONCE = {
    "portuguese": PHONE, "portuguese conversation": PHONE, "masked": DESK, "a part": DESK, "keys": DESK,
    "nothing found": DESK, "empty": DESK, "empty list": PHONE, "calibration": PHONE, "disagreements": PHONE,
}  # fmt: skip
WIDER = """(width) => [...document.querySelectorAll('body *')].filter((n) => {
    const box = n.getBoundingClientRect();
    if (box.right <= width + 1 || !box.width || n.closest('.unseen, [hidden], svg')) return false;
    for (let up = n.parentElement; up; up = up.parentElement) {
        if (getComputedStyle(up).overflowX !== 'visible') return false;
    }
    return true;
}).map((n) => `${n.tagName}.${n.className}`).slice(0, 5)"""
AT = [(screen, size) for screen in SCREENS for size in (DESK, PHONE) if ONCE.get(screen, size) == size]


@pytest.mark.parametrize(("screen", "size"), AT, ids=lambda v: v if isinstance(v, str) else str(v[0]))
def test_axe_finds_nothing_in_either_theme_and_nothing_is_wider_than_the_screen(
    visit: Visit, screen: str, size: tuple[int, int]
) -> None:
    name, address, then = SCREENS[screen]
    page = visit(name, address, size, color_scheme="light")
    if then is not None:
        then(page)
    found = {"light": violations(page)}
    page.emulate_media(color_scheme="dark")
    found["dark"] = violations(page, "color-contrast", "link-in-text-block")
    assert found == {"light": [], "dark": []}
    assert page.evaluate("document.scrollingElement.scrollWidth") <= size[0]
    assert page.evaluate(WIDER, size[0]) == []


FOCUS = """() => {
    const node = document.activeElement;
    if (node === document.body) return null;
    const style = getComputedStyle(node), box = node.getBoundingClientRect();
    return {
        name: `${node.tagName}.${node.className?.baseVal ?? node.className} ${node.textContent.trim().slice(0, 24)}`,
        seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1, tab: node.tabIndex,
        there: box.width > 0 && box.right > 0 && box.left < innerWidth,
    };
}"""


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    "screen", ["front", "conversation", "filters", "front of parts", "brief", "calibration", "disagreements"]
)
def test_tab_goes_through_a_page_in_its_order_and_the_focus_is_always_seen(
    visit: Visit, screen: str, size: tuple[int, int]
) -> None:
    name, address, then = SCREENS[screen]
    page = visit(name, address, size)
    if then is a_conversation:
        then(page)
        page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(45):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        if at is None:
            break
        reached.append(at)
    assert [one["name"] for one in reached if not (one["seen"] and one["there"])] == []
    assert all(one["tab"] == 0 for one in reached)
    assert len(reached) > 3 or screen in ("calibration", "disagreements")


def test_who_wants_no_motion_has_none(visit: Visit) -> None:
    moving = """() => [...document.querySelectorAll('*')].filter((n) => {
        const s = getComputedStyle(n);
        return s.scrollBehavior === 'smooth' || parseFloat(s.transitionDuration) > 0 || s.animationName !== 'none';
    }).map((n) => n.tagName)"""
    for name in ("report", "brief", "calibration", "disagreements"):
        page = visit(name, LIST if name == "report" else "", reduced_motion="reduce")
        assert page.evaluate(moving) == []
        page.context.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("address", [FRONT, LIST])
def test_nothing_moves_while_a_report_comes_in_or_a_conversation_is_opened(
    visit: Visit, address: str, size: tuple[int, int]
) -> None:
    page = visit("report", address, size, script=SHIFTS)
    if address == LIST:
        page.locator("#list a").nth(3).click()
        expect(page.locator("#detail")).not_to_have_attribute("aria-busy", "true")
    page.wait_for_timeout(150)
    assert page.evaluate("window.__shift") < 0.05


@pytest.mark.parametrize(("kept", "scheme"), [("dark", "light"), ("light", "dark")])
def test_the_theme_that_was_chosen_is_there_before_anything_is_painted(visit: Visit, kept: str, scheme: Theme) -> None:
    early = f"""localStorage.setItem('grader-theme', '{kept}');
    new MutationObserver((_all, watch) => {{
        if (!document.body) return;
        watch.disconnect();
        window.__theme = document.documentElement.dataset.theme || 'none yet';
        window.__ground = getComputedStyle(document.body).backgroundColor;
    }}).observe(document, {{ childList: true, subtree: true }});"""
    page = visit("report", FRONT, script=early, color_scheme=scheme)
    assert page.evaluate("window.__theme") == kept
    assert page.evaluate("window.__ground") == page.evaluate("getComputedStyle(document.body).backgroundColor")
    ground = [int(v) for v in page.evaluate("window.__ground").strip("rgb()").split(",")]
    assert (sum(ground) < 200) == (kept == "dark")


def test_where_the_system_sets_the_colours_charts_and_marks_are_there(visit: Visit) -> None:
    page = visit("report", FRONT, forced_colors="active", color_scheme="dark")
    colours = """(what) => [...document.querySelectorAll(what)].map((n) => { const s = getComputedStyle(n);
        return what.includes('polyline') || what.includes('range') ? s.stroke : s.fill; })"""
    for what in (".weeks-chart polyline", ".weeks-chart .series:not(.square) circle", ".matrix.wide .disc"):
        assert set(page.evaluate(colours, what)) == {"rgb(255, 255, 255)"}, what
    page.goto(page.url.split("#")[0] + LIST)
    edges = "all => all.map((n) => getComputedStyle(n).borderLeftStyle)"
    page.locator(".bubble").first.wait_for()
    assert set(page.locator(".bubble").evaluate_all(edges)) == {"solid"}
    rows = page.locator("#list a").evaluate_all("all => all.map((n) => getComputedStyle(n).borderLeftColor)")
    assert rows[0] != rows[1]  # the open one


def test_on_a_phone_a_conversation_begins_below_its_head(visit: Visit) -> None:
    page = visit("report", LIST, PHONE)
    page.locator("#list a").first.click()
    top, head, first = (page.locator(part).bounding_box() for part in (".top", ".case-head", "#detail .outline"))
    assert top
    assert head
    assert first
    assert head["y"] <= top["y"] + top["height"] <= 96  # of two lines at most
    assert first["y"] >= head["y"] + head["height"]


def test_the_figures_of_a_row_stand_on_one_line(visit: Visit) -> None:
    page = visit("report", FRONT)
    tops = page.locator(".figure-card").evaluate_all(
        "all => all.map((n) => Math.round(n.querySelector('.value').getBoundingClientRect().top))"
    )
    assert len(tops) == 6
    assert [len(set(tops[:3])), len(set(tops[3:]))] == [1, 1]


def test_a_search_that_finds_nothing_says_how_to_go_on(visit: Visit) -> None:
    page = visit("report", LIST + "&q=zzqx")
    expect(page.locator("#list")).to_contain_text("No conversation fits these filters.")
    page.locator("#list").get_by_role("button", name="Clear filters").click()
    assert page.locator("#list a").count() > 5


SPACED = """() => { for (const n of document.querySelectorAll('body, body *')) {
    n.style.setProperty('line-height', '1.5', 'important');
    n.style.setProperty('letter-spacing', '.12em', 'important');
    n.style.setProperty('word-spacing', '.16em', 'important');
} }"""


SMALL = ("front", "filters", "conversation", "portuguese", "front of parts", "a part", "brief", "calibration",
         "disagreements")  # fmt: skip


@pytest.mark.parametrize("screen", SMALL)
def test_nothing_is_wider_than_a_small_phone_also_with_room_between_letters(visit: Visit, screen: str) -> None:
    name, address, then = SCREENS[screen]
    page = visit(name, address, (320, 640), color_scheme="light")
    if then is not None:
        then(page)
    wide = {}
    for width in (375, 320):  # WCAG 1.4.10
        page.set_viewport_size({"width": width, "height": 640})
        wide[width] = page.evaluate("document.scrollingElement.scrollWidth")
    page.evaluate(SPACED)  # WCAG 1.4.12
    wide[0] = page.evaluate("document.scrollingElement.scrollWidth")
    assert wide == {375: 375, 320: 320, 0: 320}
