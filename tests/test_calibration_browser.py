"""The page of a calibration in a real Chromium, opened from a file: no request, no message, no script, both themes, a
phone, paper; names of others are only text.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from calibration_worlds import AGREED, APART, COUNTED, Cell, code, found, held
from conftest import ARGUMENTS
from playwright.sync_api import Dialog, sync_playwright
from test_brief_browser import Tab as Quiet
from test_calibration_page import made

from grader.report.calibration import html
from grader.statistics.figure import Figure

pytestmark = pytest.mark.browser

EVIL = "<img src=http://e.example onerror=alert(1)><script>document.title='had'</script>" + "w" * 120 + "\u202e"


class Tab(Quiet):
    """Nor may it ask anything."""

    def asked_for(self, dialog: Dialog) -> None:
        self.troubles.append(dialog.message)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One with every section, one of hostile names, one in which nothing can be told."""
    folder = tmp_path_factory.mktemp("pages")
    names = ["accuracy.late", "accuracy.rude", "tone.cold"]
    options = [f"option {n}" for n in range(8)]
    why: list[Cell] = [(option, option, 50) for option in options]
    codes = [*(code(n, "critical") for n in names), *(code("why.cause", "", option, "Why?") for option in options)]
    cells = {**dict.fromkeys(names, COUNTED), "why.cause": why}
    agreement = {names[0]: AGREED, names[1]: APART, names[2]: AGREED, "why.cause": (("option 1", "option 1"),) * 60}
    every = held(cells, codes=codes, agreement=agreement, queues=("orders", "refunds", "delivery"))
    later = {"run_2": [(names[0], Figure(0.11, 0.06, 0.2, 19, 220, "carried over"))]}
    hostile = held(
        {"a.b": COUNTED}, codes=[code("a.b", title=EVIL)], queues=(EVIL, "orders"), reviewers=(EVIL, "ben"), model=EVIL,
        agreement={"a.b": APART},
    )  # fmt: skip
    nothing = held({"a.b": (("cannot_assess", "present", 4),)}, codes=[code("a.b")], reviewers=("ana",))
    texts = {
        "every": html(made(found(every, by=["queue"]), later=later, floors={names[0]: 0.7})),
        "hostile": html(made(found(hostile, by=["queue"]), later={EVIL: []})),
        "nothing": html(made(found(nothing))),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return sorted(folder.iterdir())


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_page_opens_alone_fits_its_width_and_runs_nothing(
    pages: list[Path], chromium: str, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")} | {"HOME": str(tmp_path)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, env=dict(environ))
        for path in pages:
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
            page = context.new_page()
            tab = Tab(page)
            page.on("console", tab.said)
            page.on("request", tab.asked)
            page.on("dialog", tab.asked_for)
            page.goto(path.as_uri())
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
            assert page.locator("script, img, b[onclick]").count() == 0
            assert page.title().startswith("Calibration, plan lp_01234567")
            grounds = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert grounds == ("rgb(245, 246, 248)" if scheme == "light" else "rgb(14, 17, 22)")
            assert tab.troubles == []
            context.close()
        browser.close()


def test_it_can_be_walked_by_headings_landmarks_and_keys_and_read_without_pictures(
    pages: list[Path], chromium: str, tmp_path: Path
) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")} | {"HOME": str(tmp_path)}
    every = next(p for p in pages if p.stem == "every")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, env=dict(environ))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(every.as_uri())
        assert page.locator("html").get_attribute("lang") == "en"
        assert (page.locator("h1").count(), page.locator("main").count(), page.locator("nav").count()) == (1, 1, 1)
        levels = page.locator("h1, h2, h3, h4, h5").evaluate_all("all => all.map(h => +h.tagName[1])")
        assert all(b - a <= 1 for a, b in pairwise(levels)), levels
        links = page.locator("nav a").evaluate_all("all => all.map(a => a.getAttribute('href').slice(1))")
        for name in links:
            assert page.locator(f"section[aria-labelledby={name}] h2#{name}").count() == 1
        page.locator("nav a").last.click()
        assert page.evaluate("location.hash") == "#quote"
        pictures = page.locator("svg:not([aria-hidden]):not(svg svg)")
        assert pictures.count() > 20
        assert pictures.evaluate_all(
            "all => all.every(s => s.getAttribute('role') == 'img' && s.getAttribute('aria-label'))"
        )
        assert page.locator("svg text, svg line").evaluate_all(
            "all => all.every(e => [...e.attributes].every(a => !a.value.includes('None')))"
        )
        folded = page.locator("details.group")
        assert not folded.first.evaluate("d => d.open")
        # Every mark lies within its picture, and an interval around its point.
        assert page.evaluate("""() => [...document.querySelectorAll('.mark')].every(g => {
            const range = g.querySelector('.range'), point = g.lastElementChild;
            const of = (e, a) => parseFloat(e.getAttribute(a));
            return of(range, 'x1') >= 0 && of(range, 'x1') <= of(point, 'x') + 1e-9
                && of(point, 'x') <= of(range, 'x2') + 1e-9 && of(range, 'x2') <= 100;
        })""")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 720, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth") <= 720
        axis, lanes = (page.locator(f".row svg.{name}").first.bounding_box() for name in ("axis", "lanes"))
        assert axis
        assert lanes
        assert (axis["x"], axis["width"]) == (lanes["x"], lanes["width"])
        browser.close()
