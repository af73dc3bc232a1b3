"""The pictures of docs/: real pages of a synthetic workspace (`look_world.py`), as Chromium draws them.

`python tests/screenshots.py [FOLDER]` makes them anew (docs/ by default) in a minute. What is on them is made up.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path
from typing import Any

from conftest import ARGUMENTS, REPOSITORY
from look_world import grader, made
from playwright.sync_api import Browser, Page, sync_playwright
from review_parts import Reviewer, review

CHROMIUM = "/usr/bin/chromium"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
TALK = "#v=conversations&sort=new&code=contradicts_policy"
# What the machine may have no letters for, or shows the marks of other programs.
TOFU = r"""(where) => /\p{Extended_Pictographic}|[#*|]{2}/u.test(
    document.querySelector(`${where} .transcript`).textContent)"""
THEMES = ("light", "dark")
ALBUM = """<!doctype html><style>
body { margin: 0; padding: 20px; background: #8b93a1; display: grid;
    grid-template-columns: repeat(6, auto); gap: 14px; width: max-content }
img { width: 200px; border-radius: 12px; display: block }</style><body>{}"""


def _page(browser: Browser, url: str, size: Any, theme: Any) -> Page:
    page = browser.new_context(viewport=size, color_scheme=theme).new_page()
    page.set_default_timeout(30_000)
    page.goto(url)
    return page


def front(browser: Browser, report: Path, size: Any, theme: str) -> Page:
    """The report's front page."""
    page = _page(browser, f"{report.as_uri()}#v=overview", size, theme)
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def conversation(browser: Browser, report: Path, size: Any, theme: str) -> Page:
    """A flagged conversation with its findings."""
    page = _page(browser, report.as_uri() + TALK, size, theme)
    page.wait_for_selector("html[data-ready]", state="attached")
    for _ in range(12):
        page.keyboard.press("j")
        page.wait_for_selector("#detail:not([aria-busy]) .finding")
        if not page.evaluate(TOFU, "#detail"):
            break
    return page


def reviewing(browser: Browser, person: Reviewer, size: Any, theme: str) -> Page:
    """The review app at work on an item, two questions answered."""
    page = _page(browser, person.url, size, theme)
    page.wait_for_function("() => document.querySelector('.transcript') && here()")
    for _ in range(12):
        page.keyboard.press("j")
        page.wait_for_timeout(400)
        if not page.evaluate(TOFU, "#talk"):
            break
    if page.evaluate("Object.keys(here().answers).length") == 0:
        for key in "22":
            page.keyboard.press(key)
            page.wait_for_timeout(100)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(600)
    return page


def taken(folder: Path) -> None:
    """All pictures, into this folder."""
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        root = made(Path(temporary))
        report = root / "reports" / "look.html"
        grader(root, "report", "-o", report)
        grader(root, "label", "plan", "--rubric", "behavior", "-n", "40", "--reviewers", "cleo", "--overlap", "0",
               "--duplicates", "0", "--seed", "5")  # fmt: skip
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        phones = []
        with review(root) as app:
            kinds: Any = {
                "report": (front, report),
                "conversation": (conversation, report),
                "review": (reviewing, app["cleo"]),
            }
            for theme in THEMES:
                for name, (draw, of) in kinds.items():
                    page = draw(browser, of, DESK, theme)
                    page.screenshot(path=folder / f"{name}{'' if theme == 'light' else '-dark'}.png")
                    page.context.close()
                    page = draw(browser, of, PHONE, theme)
                    phones.append(base64.b64encode(page.screenshot()).decode())
                    page.context.close()
        page = browser.new_page(viewport={"width": 1400, "height": 560})
        shown = "".join(f'<img alt="" src="data:image/png;base64,{one}">' for one in phones)
        page.set_content(ALBUM.replace("{}", shown))
        page.wait_for_timeout(300)
        page.locator("body").screenshot(path=folder / "phone.png")
        browser.close()


if __name__ == "__main__":
    taken(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs")
