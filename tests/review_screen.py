"""What the browser tests of the review app share: a shop judged by seven criteria, and people at their screens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Response, expect
from report_data import RUBRICS, T0, World, calls, present, says, tells
from review_parts import Reviewer, command

from grader.store import open_store
from grader.workspace import init

WHY = "WHY-ONLY-THE-JUDGE-KNOWS"
AI = "It arrives within 48 hours, no matter what."
HOSTILE = "tá 😭👍🏽 bem\u200bfeito \u202eabc\u202c fim"
HEBREW = "שלום, האם זה נכון?"
CODES = tuple(c.code for c in RUBRICS["behavior"].criteria)  # seven


def shop(folder: Path, n: int) -> Path:
    """A workspace with n conversations, each judged by the seven criteria of behavior; every third with a defect."""
    root = init(folder / "shop").root
    with open_store(root / "grader.duckdb") as store:
        w = World(store)
        for i in range(n):
            name = f"talk-{i:03}"
            w.talk(
                name,
                says("customer", f"oi, cadê o pedido {i}? <b>agora</b>", T0),
                says("ai", AI, T0 + timedelta(minutes=1)),
                says("customer", HOSTILE, T0 + timedelta(minutes=2)),
                calls("get_order", {"order_id": f"Q-{i}"}, T0 + timedelta(minutes=2)),
                tells("get_order", json.dumps({"order": f"Q-{i}", "eta": None}), T0 + timedelta(minutes=2)),
                says("customer", HEBREW, T0 + timedelta(minutes=3)),
                says("human", "Carla here, a colleague. " * 4, T0 + timedelta(minutes=4)),
                contact=f"+5511{i:09}",
            )
            w.judged(name, "behavior", {CODES[0]: present("within 48 hours", why=WHY)} if i % 3 == 0 else {})
        w.finish("run_1", rubrics=[{"name": "behavior", "version": RUBRICS["behavior"].version}])
    return root


def plan(root: Path, n: int, reviewers: str, overlap: int = 0) -> None:
    """A label plan over the shop."""
    done = command(
        root, "label", "plan", "-n", str(n), "--seed", "1", "--reviewers", reviewers, "--overlap", str(overlap),
        "--duplicates", "0", "--rubric", "behavior", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@dataclass
class Screen:
    """A person at the app: the page, and everything on it that should not have happened."""

    page: Page
    person: Reviewer
    troubles: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    down: bool = False
    n_keys: int = 0

    def press(self, *keys: str) -> None:
        """Keys, one after another, as somebody presses them."""
        for key in keys:
            self.n_keys += 1
            self.page.keyboard.press(key)

    def here(self, script: str) -> Any:
        """Of the item on the screen, as the page's script has it."""
        return self.page.evaluate(f"(() => {{ const item = here(); return {script}; }})()")

    @property
    def item(self) -> str:
        return str(self.page.evaluate("app.id"))

    def ready(self, item: str = "") -> None:
        """An item is on the screen, with its conversation."""
        self.page.wait_for_function(
            "(id) => document.querySelector('.transcript') && here() && (!id || app.id === id)", arg=item
        )

    def saved(self) -> None:
        """All that was done is with the server."""
        self.page.wait_for_function("() => outbox.n === 0")

    def stored(self) -> Any:
        """The item on the screen as the server has it."""
        self.saved()
        return self.person.item(self.item)

    def select(self, number: int, start: int, end: int, inside: str = ".bubble, pre") -> None:
        """Select characters of a message with the mouse."""
        box = self.page.evaluate(
            """([number, start, end, inside]) => {
              const node = byId(`m${number}`).querySelector(inside) || byId(`m${number}`);
              node.scrollIntoView({ block: "center", behavior: "instant" });
              const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT), ends = [];
              let at = 0;
              for (let leaf = walker.nextNode(); leaf; leaf = walker.nextNode()) {
                for (const wanted of [start, end]) if (wanted >= at && wanted <= at + leaf.data.length && ends.length < (wanted === start ? 1 : 2)) {
                  const range = document.createRange();
                  range.setStart(leaf, wanted - at); range.setEnd(leaf, wanted - at);
                  const r = range.getBoundingClientRect();
                  ends.push([r.x, r.y + r.height / 2]);
                }
                at += leaf.data.length;
              }
              return ends;
            }""",  # noqa: E501
            [number, start, end, inside],
        )
        (x0, y0), (x1, y1) = box
        self.page.mouse.move(x0, y0)
        self.page.mouse.down()
        self.page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2)
        self.page.mouse.move(x1, y1)
        self.page.mouse.up()


Seat = Callable[..., Screen]


@contextmanager
def seats(browser: Browser) -> Iterator[Seat]:
    """Opens pages of people; at the end nothing was logged, nothing was asked of anybody else, nobody's script ran."""
    open_ones: list[Screen] = []

    def sit(
        person: Reviewer, anchor: str = "", *, width: int = 1280, height: int = 800,
        scheme: Literal["light", "dark"] = "light", context: Any = None, touch: bool = False,
    ) -> Screen:  # fmt: skip
        if context is None:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=touch
            )
        context.set_default_timeout(10_000)
        screen = Screen(context.new_page(), person)
        open_ones.append(screen)
        page, port = screen.page, person.port

        def heard(text: str) -> None:
            if not (screen.down and "Failed to load resource" in text):
                screen.troubles.append(text)

        page.on("console", lambda message: heard(message.text))
        page.on("pageerror", lambda error: screen.troubles.append(str(error)))
        page.on("request", lambda r: screen.troubles.append(r.url) if _outside(r.url, port) else None)
        page.on("response", lambda r: screen.answers.append(r) if "/api/" in r.url else None)
        page.goto(person.url + anchor)
        page.wait_for_function("() => app.session !== null")
        expect(page.locator("#saved")).to_be_visible()
        return screen

    yield sit
    for screen in open_ones:
        assert screen.troubles == []
    for context in {screen.page.context for screen in open_ones}:
        context.close()


def _outside(url: str, port: int) -> bool:
    parts = urlsplit(url)
    return parts.scheme != "data" and (parts.hostname, parts.port) != ("127.0.0.1", port)
