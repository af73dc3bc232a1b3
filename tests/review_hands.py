"""People who label through the pages by keyboard, each with a Chromium process of their own that can be killed and
comes back with what it stored. What they typed is written down as they type it.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page, Playwright, sync_playwright

ANSWERS = ("present", "absent", "not_applicable", "cannot_assess")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
)  # fmt: skip
# From a key to what it changed on the screen, and from Enter to the next screen: taken after the frame that shows it.
WATCH = """() => {
  window.took = { answer: [], reveal: [], next: [] };
  const painted = (since, list) => requestAnimationFrame(() => setTimeout(() => list.push(performance.now() - since)));
  const there = () => (app.screen === "end" ? "end" : here() && document.querySelector(".transcript") ? app.id : "");
  addEventListener("keydown", (event) => {
    const item = here(), since = event.timeStamp;
    if (!item) return;
    if (event.key >= "1" && event.key <= "4" && app.open) {
      const name = app.open;
      const shown = () => document.querySelector(`[data-row="${CSS.escape(name)}"] .given:not(.none)`);
      const look = () => (shown() ? painted(since, took.answer) : requestAnimationFrame(look));
      queueMicrotask(look);
    }
    if (event.key === "Enter" && item.state !== "submitted") {
      const look = () => (document.querySelector(".compared") && here() === item ? painted(since, took.reveal)
        : here() !== item ? null : requestAnimationFrame(look));
      setTimeout(look);
    } else if (event.key === "Enter") {
      const look = () => (there() && there() !== item.id ? painted(since, took.next) : requestAnimationFrame(look));
      setTimeout(look);
    }
  }, true);
}"""
LOOK = """() => app.session && app.screen !== "loading" && ({
  screen: app.screen, item: app.id, ready: Boolean(here() && document.querySelector(".transcript")), n: outbox.n,
  state: here() && here().state, asked: here() && here().asked, open: here() ? openOnes(here()) : [],
  ended: outbox.ended, failed: outbox.failed, compared: document.querySelectorAll(".compared").length,
  left: app.session.items.filter(isOpen).length })"""


class Chromium:
    """A browser process over a profile that stays."""

    def __init__(self, playwright: Playwright, program: str, profile: Path) -> None:
        self._playwright, self._program, self.profile = playwright, program, profile
        self.troubles: list[str] = []
        self.start()

    def start(self) -> None:
        """Open the browser over the profile as it was left."""
        (self.profile / "DevToolsActivePort").unlink(missing_ok=True)
        home = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")} | {"HOME": str(self.profile)}
        self._process = subprocess.Popen(
            [self._program, *ARGUMENTS, f"--user-data-dir={self.profile}", "about:blank"], env=home,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + 30
        told = self.profile / "DevToolsActivePort"
        while not (told.exists() and len(told.read_text().splitlines()) >= 2):
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError("Chromium did not start")
            time.sleep(0.05)
        self._browser = self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{told.read_text().split()[0]}")

    def page(self) -> Page:
        """A page that tells what went wrong on it."""
        page = self._browser.contexts[0].new_page()
        page.set_viewport_size({"width": 1280, "height": 800})
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        return page

    def kill(self) -> None:
        """SIGKILL to every process of this browser."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def close(self) -> None:
        """As somebody closes the window: it stores what it has."""
        with contextlib.suppress(Error):  # it may be gone before it answers
            self._browser.new_browser_cdp_session().send("Browser.close")
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass(eq=False)
class Hand:
    """One reviewer. `address()` gives the address that was printed last; `typed` is what was answered by them."""

    name: str
    address: Callable[[], str]
    program: str
    profile: Path
    seed: int = 1
    dies_after: float | None = None  # seconds after which the browser is killed where it would be closed
    typed: dict[tuple[str, str], str] = field(default_factory=dict)
    n_keys: list[int] = field(default_factory=list)  # of items that were answered at one go
    seconds: list[float] = field(default_factory=list)
    took: dict[str, list[float]] = field(default_factory=lambda: {"answer": [], "reveal": [], "next": []})
    n_answers: int = 0
    n_corrected: int = 0
    n_offline: int = 0  # answers given while the page knew of no server
    n_waited: int = 0  # what a page of a later address found waiting in the browser
    lost: list[tuple[str, str]] = field(default_factory=list)  # typed and gone after the page was opened again
    unsent: set[tuple[str, str]] = field(default_factory=set)  # of which the page had not said that they are kept
    n_stuck: int = 0
    kill_browser: threading.Event = field(default_factory=threading.Event)
    close_offline: threading.Event = field(default_factory=threading.Event)
    ends: list[str] = field(default_factory=list)  # how browsers ended: killed, closed
    trouble: str = ""

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed} {self.name}")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.start, self.join, self.is_alive = self._thread.start, self._thread.join, self._thread.is_alive

    def _run(self) -> None:
        try:
            with sync_playwright() as playwright:
                self._browser = Chromium(playwright, self.program, self.profile)
                try:
                    self._work()
                finally:
                    self._browser.close()
                if self._browser.troubles:
                    self.trouble = "; ".join(self._browser.troubles)
        except (Error, RuntimeError, AssertionError) as error:  # told by whoever joins
            self.trouble = f"{type(error).__name__}: {error}"

    def _work(self) -> None:
        self._sit()
        until = time.monotonic() + 600
        while time.monotonic() < until:
            now = self._look()
            if now["ended"] or (now["failed"] and self.address() != self._at):
                self._gather()
                self._sit()
            elif now["screen"] == "end":
                if not now["left"] and not now["n"]:
                    self._gather()
                    return
                time.sleep(0.1)
            elif not now["ready"]:
                time.sleep(0.05)
            elif now["state"] == "submitted":
                self._on(now)
            else:
                self._label(now)
        raise RuntimeError(f"not done: {now}")

    def _sit(self) -> None:
        """Open the address that was printed last, as soon as there is one that answers."""
        while True:
            self._at = self.address()
            self.page = self._browser.page()
            try:
                answer = self.page.goto(self._at)
                if answer is not None and answer.ok:
                    self.page.wait_for_function(
                        "() => document.body.dataset.screen === 'end' || app.screen !== 'loading'"
                    )
                    if self.page.evaluate("app.session !== null"):
                        self.page.wait_for_function("() => outbox.n === 0 || outbox.failed || outbox.ended")
                        self.page.evaluate(WATCH)
                        self._check()
                        return
            except Error:
                pass  # nobody answers there, or not any more
            self.page.close()
            time.sleep(0.2)

    def _check(self) -> None:
        """What the server has of this person after the page was opened again, against what was typed."""
        there = self.page.evaluate(
            """async () => { const found = [];
              for (const one of (await ask("api/session")).items) {
                const item = await ask(`api/item/${one.id}`);
                for (const [name, said] of Object.entries(item.answers)) found.push([one.id, name, said.answer]);
              } return found; }"""
        )
        kept = {(item, name): answer for item, name, answer in there}
        self.lost += [key for key, answer in self.typed.items() if kept.get(key) != answer]
        for key in list(self.typed):
            if key not in kept:
                del self.typed[key]  # it is open on the page, and is answered again
            elif key in self.unsent:
                self.typed[key] = kept[key]  # a correction that was under way: the page shows the answer before it

    def _look(self) -> dict[str, Any]:
        self.page.wait_for_function(LOOK)
        found: dict[str, Any] = self.page.evaluate(LOOK)
        return found

    def _press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def _answer(self, item: str, question: str) -> None:
        answer = self._chance.choice(ANSWERS)
        self.typed[item, question] = answer
        self.n_answers += 1
        self._press(str(ANSWERS.index(answer) + 1))

    def _label(self, now: dict[str, Any]) -> None:
        item, began, n = now["item"], time.monotonic(), 0
        corrects = self._chance.random() < 0.2
        for question in now["open"]:
            self._answer(item, question)
            n += 1
            if self.kill_browser.is_set() and n == 4:
                self.kill_browser.clear()
                self._killed()
                return
            if corrects and n == 3:  # taken back, and answered otherwise or not
                self._press("u")
                self._answer(item, question)
                self.n_corrected += 1
        if self.close_offline.is_set() and not now["failed"]:
            now["failed"] = self.page.evaluate("outbox.failed")
        if now["failed"]:
            self.n_offline += len(now["open"])
            if self.close_offline.is_set():
                self.close_offline.clear()
                self._closed()
                return
        self._press("Enter")
        try:
            self.page.wait_for_function(
                """(id) => document.querySelector('.compared') || app.id !== id || outbox.ended
                  || (outbox.failed && !app.waiting)""",
                arg=item, timeout=5000,
            )  # fmt: skip
        except Error:
            self.n_stuck += 1
            return
        if self.page.evaluate("(id) => app.id === id && Boolean(document.querySelector('.compared'))", item):
            self._press("Enter")
            self.page.wait_for_function("(id) => app.id !== id && (app.screen === 'end' || here())", arg=item)
            if len(now["open"]) == len(now["asked"]) and not corrects:
                self.n_keys.append(n + 2)
                self.seconds.append(time.monotonic() - began)

    def _on(self, now: dict[str, Any]) -> None:
        self._press("Enter")
        try:
            self.page.wait_for_function("(id) => app.id !== id || outbox.ended", arg=now["item"], timeout=3000)
        except Error:
            self.n_stuck += 1

    def _gather(self) -> None:
        self.n_waited += int(self.page.evaluate("outbox.ended || outbox.failed ? outbox.n : 0"))
        for name, values in self.page.evaluate("window.took").items():
            self.took[name] += values

    def _killed(self) -> None:
        waiting = self.page.evaluate("left('review-').map((one) => one.act)")  # the browser's profile is this person's
        self.unsent = {(act["item"], act["question"]) for act in waiting if act["kind"] == "answer"}
        self._browser.kill()
        self.ends.append("killed")
        self._browser.start()
        self._sit()

    def _closed(self) -> None:
        self._gather()
        if self.dies_after is None:
            self._browser.close()
        else:
            time.sleep(self.dies_after)
            self._browser.kill()
        self.ends.append("closed" if self.dies_after is None else "killed")
        self._browser.start()
        self._sit()
