# ruff: noqa: E501 - scripts for the page
"""Bar of issue 5, the review app: each hostile string in every field that its pages show. Nothing runs, nothing is asked
of anybody, the policy has nothing to report, and what is shown is what was written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hostile_strings import STRINGS
from hostile_world import FILLED, MADE, OPTIONS, READING, RUN, WORDED, hostile_shop, name_of, some, squashed
from label_parts import rows
from playwright.sync_api import Browser, Page, expect
from review_parts import Reviewer, command, review

from grader.text import fold_text
from grader.workspace import init

pytestmark = pytest.mark.browser

NAMES = list(some(4, without=","))
LOOK = """async (ids) => {
  const found = [];
  for (const id of ids) {
    await show(id);
    if (here().state !== "submitted") { app.open = here().asked[0]; draw(); }
    unfolded(document.body);
    const of = (n) => { const node = byId(`m${n}`); return shownText(node.querySelector(".bubble, pre") || node); };
    const numbers = [...document.querySelectorAll('[id^="m"][data-number], [data-number] [id^="m"]')].map((node) => node.id.slice(1));
    found.push({ id, said: Object.fromEntries(numbers.map((n) => [n, of(n)])), page: shownText(document.body), wide: wide() });
  }
  return found;
}"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = init(tmp_path_factory.mktemp("hostile") / "shop").root
    with hostile_shop(found):
        pass
    return found


def drawn(root: Path, n: int, reviewers: str, overlap: int = 0, rubric: str = "probe") -> str:
    done = command(
        root, "label", "plan", "-n", str(n), "--seed", "1", "--reviewers", reviewers, "--overlap", str(overlap),
        "--duplicates", "0", "--rubric", rubric, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["plan_id"])


@dataclass
class Guarded:
    """A page on which nothing may happen that is not ours."""

    page: Page
    origin: str
    troubles: list[str] = field(default_factory=list)
    n_requests: int = 0

    def check(self) -> None:
        """Nothing ran, nothing was asked of anybody else, nothing was reported."""
        assert self.page.evaluate("window.__hit === undefined")
        assert self.page.evaluate("window.__reports") == []
        assert self.troubles == []


def guarded(browser: Browser, person: Reviewer, address: str = "", *, width: int = 1280) -> Guarded:
    context = browser.new_context(viewport={"width": width, "height": 844}, service_workers="block")
    context.set_default_timeout(30_000)
    found = Guarded(context.new_page(), f"{person.host}:{person.port}")
    page = found.page
    page.add_init_script(READING)

    def asked(url: str) -> None:
        found.n_requests += 1
        if urlsplit(url).netloc != found.origin:
            found.troubles.append(url)

    context.on("request", lambda request: asked(request.url))
    context.on("requestfailed", lambda request: found.troubles.append(f"failed: {request.url} {request.failure}"))
    page.on("console", lambda message: found.troubles.append(message.text))
    page.on("pageerror", lambda error: found.troubles.append(str(error)))
    page.on("dialog", lambda dialog: found.troubles.append(dialog.message))
    page.on("popup", lambda popup: found.troubles.append(popup.url))
    page.goto(person.url + address)
    page.wait_for_function("() => app.session !== null && app.screen !== 'loading'")
    return found


def numbers(root: Path, plan_id: str) -> dict[str, int]:
    """Item → number of its string."""
    at = {name_of(n): n for n in range(len(STRINGS))}
    found = rows(root, f"select item_id, conversation_id from label_item where plan_id = '{plan_id}'")
    return {item: at[conversation] for item, conversation in found}


def looked(page: Page, ids: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(LOOK, ids)
    return found


def test_each_string_is_shown_as_it_is_in_every_field_of_an_item_before_and_after_the_reveal(
    browser: Browser, root: Path
) -> None:
    plan_id = drawn(root, len(STRINGS), "ana")
    at = numbers(root, plan_id)
    wrong: list[str] = []
    with review(root, plan_id, "--owner", "olga") as app:
        ana = app["ana"]
        quoted = _answered(ana, at)
        tab, phone = guarded(browser, ana), guarded(browser, ana, "?lang=pt", width=390)
        for look in looked(tab.page, list(at)):
            n = at[look["id"]]
            s = STRINGS[n]
            said = {int(k): squashed(v) for k, v in look["said"].items()}
            wrong += [f"{n} message {k}: {said.get(k)!r}" for k in (1, 3, 6, 7, 8) if said.get(k) != squashed(s)]
            wrong += [f"{n} message 2: {said.get(2)!r}"] if said.get(2) != squashed(f"about {n}: {s}") else []
            wrong += _missing(n, look["page"], {
                "queue": f"queue {n}{s}", "channel": f"c{s}", "policy": f"rule {n}: {s}", "title": s, "event": f"({s})",
                "kind": f"k{s}"[1:].replace("_", " "), "tool": s, "note": f"note {s}", "sender": s,
                "quote": s if n in quoted else "",
            })  # fmt: skip
        small = looked(phone.page, list(at)[::4])  # others after the reveal
        assert {STRINGS[at[look["id"]]]: look["wide"] for look in small if look["wide"]} == {}
        for item in at:
            ana.act(item, "answer", question="probe.second", answer="absent")
            ana.act(item, "submit")
        for one in (tab, phone):
            one.page.reload()
            one.page.wait_for_function("() => app.session !== null && app.screen !== 'loading'")
        for look in looked(tab.page, list(at)):
            n = at[look["id"]]
            s = STRINGS[n]
            wrong += _missing(n, look["page"], {
                "reasoning": f"why {s}", "proof": s, "note": f"note {s}", "mine": s if n in quoted else "",
            })  # fmt: skip
        small = looked(phone.page, list(at)[1::4])
        assert {STRINGS[at[look["id"]]]: look["wide"] for look in small if look["wide"]} == {}
        wrong += _disputes(browser, app["olga"])
        wrong += _searched(tab, at)
        for one in (tab, phone):
            one.check()
            one.page.context.close()
        app.kill()
    assert wrong == []
    assert len(at) == len(STRINGS) >= 200
    assert len(quoted) > 200


def _answered(someone: Reviewer, at: dict[str, int]) -> set[int]:
    """The first question of each item answered, with the string as quote and as notes; those that could be quoted."""
    quoted = set()
    for item, n in at.items():
        s = STRINGS[n]
        someone.act(item, "answer", question="probe.first", answer="present", note=f"note {s}")
        someone.act(item, "note", text=f"item note {s}")
        act = {"id": f"q{n}", "item": item, "at": "2026-11-30T10:00:00Z", "kind": "evidence"}
        got = someone.post("api/act", {**act, "question": "probe.first", "message": 1, "quote": s})
        assert got.status in (200, 400, 409), got.body
        if got.status == 200:
            quoted.add(n)
    return quoted


def _missing(n: int, page: str, fields: dict[str, str]) -> list[str]:
    text = squashed(page)
    return [f"{n} {name}: {STRINGS[n]!r}" for name, value in fields.items() if squashed(value) not in text]


def _disputes(browser: Browser, olga: Reviewer) -> list[str]:
    """Each string as what is said against a finding, and as the address of one."""
    for n, s in enumerate(STRINGS):
        body = {"id": f"d{n}", "run_id": RUN, "conversation_id": name_of(n), "question": "probe.first"}
        got = olga.post("api/dispute", {**body, "answer": "absent", "note": f"against {s}"})
        assert got.status == (404 if "\0" in s else 200), got.body  # a NUL is in no name that comes in
    tab = guarded(browser, olga)
    page, wrong = tab.page, []
    page.get_by_role("button", name="Disputes").first.click()
    expect(page.locator(".disputes li")).to_have_count(sum("\0" not in s for s in STRINGS))
    text = page.evaluate("shownText(byId('dialog'))")
    for n, s in ((n, s) for n, s in enumerate(STRINGS) if "\0" not in s):
        wrong += _missing(n, text, {"dispute": f"against {s}", "conversation": name_of(n)})
    names = {n: name_of(n) for n, s in enumerate(STRINGS) if "\0" not in s}
    shown = page.evaluate(
        """async (all) => { const found = [];
          byId("dialog").close();
          for (const name of all) {
            await openDispute(new URLSearchParams({ dispute: name, code: "probe.first", run: "run_1" }));
            found.push(shownText(byId("talk-title")) + shownText(byId("panel")));
          }
          return found; }""",
        list(names.values()),
    )
    for (n, name), there in zip(names.items(), shown, strict=True):
        wrong += _missing(n, there, {"finding": name, "dispute of it": f"against {STRINGS[n]}"})
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("wide()") == []
    for s in some(2):
        page.goto(f"{olga.url}#item={quote(s)}")
        page.goto(f"{olga.url}#dispute={quote(s)}&code={quote(s)}&run={quote(s)}")
        page.wait_for_function("() => app.screen === 'end' && !byId('message').hidden")  # of no finding: it says so
    tab.troubles[:] = [
        text for text in tab.troubles if "404" not in text
    ]  # the browser tells of each that there is none
    page.goto(f"{olga.url}report/#v=conversations&c={quote(name_of(0))}")
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(page.locator("#detail")).not_to_have_attribute("aria-busy", "true")
    tab.check()
    page.context.close()
    return wrong


def _searched(tab: Guarded, at: dict[str, int]) -> list[str]:
    """The search finds the item of each string that has words."""
    found = tab.page.evaluate(
        """async (all) => { const found = [];
          for (const words of all) found.push((await ask(`api/search?q=${encodeURIComponent(words)}`)).items);
          return found; }""",
        list(STRINGS),
    )
    items = {n: item for item, n in at.items()}
    return [
        f"{n} search: {s!r}"
        for n, (s, ids) in enumerate(zip(STRINGS, found, strict=True))
        if fold_text(s) and len(s) <= 500 and items[n] not in ids
    ]


def test_each_string_is_shown_as_it_is_in_every_field_of_a_rubric(browser: Browser, root: Path) -> None:
    plan_id = drawn(root, 20, "eva", rubric="worded")
    with review(root, plan_id, "--reveal", "never") as app:
        tab = guarded(browser, app["eva"])
        shown = tab.page.evaluate(
            """async () => { await show(app.session.items[0].id); const found = [];
              for (const name of here().asked) { app.open = name; draw(); found.push(shownText(byId("panel"))); }
              return found; }"""
        )
        phone = guarded(browser, app["eva"], width=390)
        wide = phone.page.evaluate(
            """async () => { await show(app.session.items[0].id); const found = {};
              for (const name of here().asked) { app.open = name; draw(); if (wide().length) found[name] = wide(); }
              return found; }"""
        )
        for one in (tab, phone):
            one.check()
            one.page.context.close()
        app.kill()
    assert wide == {}
    criteria = MADE["worded"].criteria
    assert len(shown) == len(criteria) == WORDED + 1
    wrong = []
    for criterion, there in zip(criteria, map(squashed, shown), strict=True):
        texts = [criterion.title, criterion.question, criterion.present, criterion.absent, criterion.not_applicable]
        texts += [t for pair in (criterion.options or {}).items() for t in (pair[0][:1].upper() + pair[0][1:], pair[1])]
        wrong += [f"{criterion.code}: {text!r}" for text in texts if text and squashed(text) not in there]
    assert wrong == []
    assert len(OPTIONS) > 90
    assert len(FILLED) <= 3 * WORDED


def test_names_of_people_are_texts_too(browser: Browser, root: Path) -> None:
    plan_id = drawn(root, len(NAMES), ",".join(NAMES), overlap=len(NAMES))
    cleo = "<img src=x onerror=window.__hit=1>{{7*6}}"
    with review(root, plan_id, "--adjudicator", cleo) as app:
        first: set[str] = set()
        for name in NAMES:
            for item in app[name].session()["items"]:
                answer = "present" if len(first) % 2 else "absent"
                app[name].act(item["id"], "answer", question="probe.second", answer="cannot_assess")
                app[name].act(item["id"], "answer", question="probe.first", answer=answer)
                app[name].act(item["id"], "submit")
            first.add(name)
        items = [item["id"] for item in app[cleo].session()["items"]]
        assert items
        for item in items:
            app[cleo].label(item)
        tab = guarded(browser, app[cleo])
        text = squashed("".join(look["page"] for look in looked(tab.page, items)))
        tab.page.keyboard.press("?")
        text += squashed(tab.page.evaluate("shownText(byId('dialog'))"))
        tab.check()
        tab.page.context.close()
        others = {
            other["reviewer"]
            for item in items
            for q in app[cleo].item(item)["reveal"]["questions"]
            for other in q["others"]
        }
        app.kill()
    assert [name for name in (*others, cleo) if squashed(name) not in text] == []
    assert len(others) >= len(NAMES) / 2


def test_what_reviewers_type_and_paste_is_a_text(browser: Browser, root: Path) -> None:
    plan_id = drawn(root, 20, "noa")
    with review(root, plan_id) as app:
        tab = guarded(browser, app["noa"])
        page = tab.page
        page.wait_for_function("() => here()")
        page.keyboard.press("1")
        page.keyboard.press("[")
        page.keyboard.press("c")
        page.keyboard.insert_text(" ".join(some(6)))
        page.keyboard.press("Escape")
        page.wait_for_function("() => outbox.n === 0")
        page.keyboard.press("/")
        for s in some(2):
            page.locator("#q").fill(s)
        page.keyboard.press("Escape")
        item = app["noa"].session()["items"][0]["id"]
        assert app["noa"].item(item)["answers"]["probe.first"]["note"] == " ".join(some(6))
        page.reload()
        page.wait_for_function("() => app.screen === 'item' && here()")
        page.keyboard.press("[")
        assert squashed(page.locator("#answer-note").input_value()) == squashed(" ".join(some(6)))
        page.wait_for_load_state("networkidle")
        tab.check()
        page.context.close()
        app.kill()
