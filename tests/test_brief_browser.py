"""The brief in a real Chromium, opened from a file: no request, no message, both themes, a phone, references that
lead somewhere.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from conftest import ARGUMENTS, Main
from playwright.sync_api import ConsoleMessage, Page, Request, sync_playwright
from report_data import sample, world
from test_brief import HOSTILE, busy

pytestmark = pytest.mark.browser


@dataclass
class Tab:
    """A page and what should not have happened on it."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def said(self, message: ConsoleMessage) -> None:
        self.troubles.append(message.text)

    def asked(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.troubles.append(request.url)


@pytest.fixture
def pages(main: Main, tmp_path: Path) -> list[Path]:
    """A brief of the sample, and one of a queue with a hostile name."""
    found = []
    for name, week in (("sample", "2026-W41"), ("hostile", "2026-W33")):
        folder = tmp_path / name
        folder.mkdir()
        with world(folder) as w:
            if name == "sample":
                sample(w, 128)
            else:
                busy(w, {0: 0.1, 1: 0.5}, n=30, queue=HOSTILE)
            w.finish()
        (folder / "grader.toml").touch()
        done = main("brief", "-w", folder, "--week", week, "--weeks", "1", "--against", "6", "--json")
        found.append(Path(json.loads(done.out)["paths"][1]))
    return found


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_page_opens_alone_fits_its_width_and_every_reference_leads_somewhere(
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
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator("script").count() == 0
            links = page.locator("a.ref").evaluate_all("all => all.map(a => a.getAttribute('href'))")
            assert len(links) > 20
            ids = set(page.locator(".references li").evaluate_all("all => all.map(li => '#' + li.id)"))
            assert set(links) <= ids
            page.locator("a.ref").first.click()
            assert page.evaluate("location.hash") in ids
            page.keyboard.press("Tab")
            assert page.locator("svg[role=img]").count() > 3
            assert tab.troubles == []
            context.close()
        browser.close()
