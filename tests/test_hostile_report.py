# ruff: noqa: E501 - scripts for the page
"""Bar of issue 5, the report: each hostile string in every field that reaches a page. Nothing runs, nothing is asked of
anybody, the policy has nothing to report, and what is shown is what was written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hostile_strings import STRINGS
from hostile_world import FILLED, MADE, OPTIONS, READING, WORDED, hostile_shop, name_of, some, squashed
from playwright.sync_api import Browser, Page
from test_report import settings

from grader import language, report
from grader.text import fold_text

pytestmark = pytest.mark.browser

CASES = """async (ids) => {
  const found = [];
  for (const id of ids) {
    location.hash = address({ v: "conversations", c: id });
    for (let n = 0; n < 400 && !(byId("detail").querySelector("h2") && shownText(byId("detail").querySelector("h2")) === id); n += 1) await new Promise((go) => setTimeout(go, 5));
    unfolded(byId("detail"));
    const said = {};
    for (const node of document.querySelectorAll('#detail [data-number], #detail [data-number] [id^="m"]')) {
      const n = node.id.slice(1), text = node.querySelector(".bubble, pre");
      if (n) said[n] = shownText(text || node);
    }
    found.push({ id, said, page: shownText(byId("detail")), wide: wide() });
  }
  return found;
}"""
EVERY = 6  # of filters and searches that are done on the screen; all are done by the functions behind


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report as it is, masked, and in Portuguese; its workspace has a hostile name."""
    name = " ".join(some(1, without="/\\"))[:80]
    folder = tmp_path_factory.mktemp("hostile") / name
    folder.mkdir()
    found = {}
    with hostile_shop(folder) as w:
        place = settings(folder)
        found["plain"] = report.write(w.store, place, every=True, out=folder / "plain.html")
        masks = report.Masks(redact=True, anonymous_agents=True)
        found["masked"] = report.write(w.store, place, every=True, out=folder / "masked.html", masks=masks)
        with language.use("pt"):
            found["pt"] = report.write(w.store, place, every=True, out=folder / "pt.html")
    return found


@dataclass
class Guarded:
    """A page on which nothing may happen that is not ours."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Nothing ran, nothing was asked of anybody else, nothing was reported."""
        assert self.page.evaluate("window.__hit === undefined")
        assert self.page.evaluate("window.__reports") == []
        assert self.troubles == []
        self.page.context.close()


def guarded(browser: Browser, file: Path, *, width: int = 1280, javascript: bool = True) -> Guarded:
    context = browser.new_context(viewport={"width": width, "height": 844}, java_script_enabled=javascript)
    context.set_default_timeout(30_000)
    found = Guarded(context.new_page())
    page = found.page
    page.add_init_script(READING)
    ours = file.as_uri()
    context.on("request", lambda r: None if r.url.partition("#")[0] == ours else found.troubles.append(r.url))
    page.on("console", lambda message: found.troubles.append(message.text))
    page.on("pageerror", lambda error: found.troubles.append(str(error)))
    page.on("dialog", lambda dialog: found.troubles.append(dialog.message))
    page.on("popup", lambda popup: found.troubles.append(popup.url))
    page.goto(ours)
    if javascript:
        page.wait_for_selector("html[data-ready]", state="attached")
    return found


def ids(page: Page) -> list[str]:
    """The conversations as the page names them, in the order of the strings."""
    found: list[str] = page.evaluate("INDEX.id")
    return sorted(found)


def missing(n: int, page: str, fields: dict[str, str]) -> list[str]:
    text = squashed(page)
    return [f"{n} {name}: {STRINGS[n]!r}" for name, value in fields.items() if squashed(value) not in text]


def test_each_string_is_shown_as_it_is_in_every_field_of_a_conversation(
    browser: Browser, files: dict[str, Path]
) -> None:
    tab = guarded(browser, files["plain"])
    looks = tab.page.evaluate(CASES, [name_of(n) for n in range(len(STRINGS))])
    wrong: list[str] = []
    for n, (s, look) in enumerate(zip(STRINGS, looks, strict=True)):
        said = {int(k): squashed(v) for k, v in look["said"].items()}
        wrong += [f"{n} message {k}: {said.get(k)!r}" for k in (3, 6, 7, 8) if said.get(k) != squashed(s)]
        wrong += [f"{n} message 1: {said.get(1)!r}"] if said.get(1) != squashed(s) else []
        wrong += missing(n, look["page"], {
            "id": name_of(n), "queue": f"{n}{s}", "channel": f"c{s}", "clause": f"rule {n}: {s}", "title": s,
            "event": f"({s})", "kind": f"k{s}"[1:].replace("_", " "), "tool": s, "reasoning": f"why {s}",
            "model": f"m{s}", "comment": s, "second": f"about {n}: {s}",
        })  # fmt: skip
    assert wrong == []
    phone = guarded(browser, files["pt"], width=390)
    looks = phone.page.evaluate(CASES, [name_of(n) for n in range(0, len(STRINGS), 4)])
    assert {look["id"]: look["wide"] for look in looks if look["wide"]} == {}
    tab.check()
    phone.check()


def test_the_front_page_unfolded_is_no_wider_than_a_phone(browser: Browser, files: dict[str, Path]) -> None:
    phone = guarded(browser, files["pt"], width=390)
    phone.page.evaluate("location.hash = '#v=overview'")
    phone.page.wait_for_function("() => !byId('overview').hidden")
    phone.page.evaluate("unfolded(byId('overview'))")
    assert phone.page.evaluate("wide()") == []
    phone.check()


def test_each_string_is_a_value_of_a_filter_and_is_found_by_the_search(
    browser: Browser, files: dict[str, Path]
) -> None:
    tab = guarded(browser, files["plain"])
    wrong: list[str] = []
    found = tab.page.evaluate(
        """() => { const found = {};
          for (const key of ["queue", "reason", "ch", "lang", "code", "sev", "res", "by", "back", "dis", "uns", "low"]) {
            const facets = facetColumns()[key];
            found[key] = [];
            for (const value of new Set(facets.values.flat())) {
              const state = { ...readState(true), [key]: value, every: true };
              const { shown } = filtered(facetColumns(), state, null);
              found[key].push([value, NAMES[key](value), shown.length]);
            }
          } return found; }"""
    )
    for key, values in found.items():
        wrong += [f"{key} {value!r}" for value, name, n in values if not n or not isinstance(name, str)]
    assert wrong == []
    lost = tab.page.evaluate(
        """async (all) => { const lost = [];
          for (const [words, id] of all) {
            const c = await conversation(INDEX.id.indexOf(id));
            const text = c.lines.flatMap((line) => line.pieces.flatMap((piece) => piece.segments.map((one) => one.text))).join("\\n");
            if (!plain(text).includes(plain(words.trim()))) lost.push(words);
          } return lost; }""",
        [[squashed(s), name_of(n)] for n, s in enumerate(STRINGS) if fold_text(s) and len(s.split()) == 1],
    )
    assert lost == []
    assert len(found["queue"]) == len(STRINGS)
    assert len(found["code"]) == WORDED + 2
    tab.check()


def test_filters_are_chosen_and_words_are_searched_as_people_do(browser: Browser, files: dict[str, Path]) -> None:
    tab = guarded(browser, files["plain"])
    page = tab.page
    page.evaluate("location.hash = '#v=conversations&all=1'")
    page.wait_for_function("() => document.querySelector('#list li')")
    n, wrong = page.evaluate(
        """async (every) => { const wrong = [], rest = () => new Promise((go) => setTimeout(go, 0));
          let n = 0;
          for (const key of [...document.querySelectorAll("select[data-key]")].map((one) => one.dataset.key)) {
            const of = () => document.querySelector(`select[data-key="${key}"]`);
            for (const value of [...of().options].map((one) => one.value).filter((one, n) => one && n % every === 1)) {
              of().value = value;
              of().dispatchEvent(new Event("change"));
              await rest();
              const kept = new URLSearchParams(location.hash.slice(1)).get(key);
              if (!document.querySelector("#list li") || of().value !== value || kept !== value) wrong.push([key, value]);
              n += 1;
            }
            of().value = "";
            of().dispatchEvent(new Event("change"));
            await rest();
          } return [n, wrong]; }""",
        EVERY,
    )
    assert wrong == []
    assert n > 4 * len(STRINGS) / EVERY
    lost = page.evaluate(
        """async (all) => { const lost = [];
          for (const [words, queue] of all) {
            location.hash = address({ v: "conversations", all: "1", q: words, queue });
            let there = false;
            for (let turn = 0; turn < 400 && !there; turn += 1) {
              await new Promise((go) => setTimeout(go, 5));
              there = readState(true).q === words && byId("shown").textContent === `1 of ${INDEX.n} conversations`;
            }
            if (!there) lost.push(words);
          } return lost; }""",
        [[s, f"{n}{s}"] for n, s in enumerate(STRINGS) if fold_text(s) and len(s) < 500 and n % EVERY == 0],
    )
    assert lost == []
    tab.check()


def test_the_words_of_a_rubric_are_texts_in_figures_filters_and_findings(
    browser: Browser, files: dict[str, Path]
) -> None:
    tab = guarded(browser, files["plain"])
    page = tab.page
    overview = squashed(page.evaluate("unfolded(byId('overview')), shownText(byId('overview'))"))
    case = squashed(page.evaluate(CASES, [name_of(0)])[0]["page"])
    titles = [c.title for c in MADE["worded"].criteria[:WORDED]]
    wrong = [f"overview {t!r}" for t in titles if squashed(t) not in overview]
    for criterion in MADE["worded"].criteria[:WORDED]:
        wrong += [f"case {t!r}" for t in (criterion.title, criterion.question) if squashed(t) not in case]
    assert squashed(MADE["worded"].title) in case
    assert wrong == []
    assert len(FILLED) <= 3 * WORDED
    for s in some(3):
        page.evaluate(
            "(s) => { location.hash = address({ v: 'conversations', c: s, f: s, code: s, sev: s, back: s, by: s, low: s, q: s, sort: s, scope: s }); }",
            s,
        )
        page.wait_for_timeout(20)
    for s in ("constructor", "__proto__", "toString"):
        page.goto(f"{files['plain'].as_uri()}#v=conversations&sev={s}&code={s}&back={s}&dis={s}&uns={s}&res={s}&by={s}")
        page.wait_for_timeout(50)
        assert "function" not in page.evaluate("shownText(byId('filters')) + shownText(byId('chips'))")
    assert len(OPTIONS) > 90
    tab.check()


@pytest.mark.parametrize("kind", ["masked", "pt"])
def test_masked_and_in_portuguese_nothing_runs_either_and_paper_has_all(
    browser: Browser, files: dict[str, Path], kind: str
) -> None:
    tab = guarded(browser, files[kind])
    page = tab.page
    names = ids(page)
    looks: list[dict[str, Any]] = page.evaluate(CASES, names[::3])
    assert all(look["said"] for look in looks)
    page.evaluate(
        "async () => { location.hash = '#v=conversations&all=1'; await new Promise((go) => setTimeout(go, 100)); window.print = () => dispatchEvent(new Event('beforeprint')); byId('print-button').click(); }"
    )
    page.wait_for_function("() => document.querySelectorAll('.printed').length > 40")
    page.emulate_media(media="print")
    printed = squashed(page.evaluate("shownText(byId('print'))"))
    if kind == "pt":
        first = page.evaluate("[...document.querySelectorAll('.printed h2')].map(shownText)")
        at = {name_of(n): n for n in range(len(STRINGS))}
        assert [name for name in first if squashed(STRINGS[at[name]]) not in printed] == []
    page.emulate_media(media="screen")
    tab.check()


def test_without_javascript_nothing_of_it_is_markup(browser: Browser, files: dict[str, Path]) -> None:
    for file in files.values():
        tab = guarded(browser, file, javascript=False)
        text = tab.page.inner_text("body")
        assert (
            tab.page.locator("[onerror], [onload], [onfocus], [onclick], iframe, object, embed, base, img").count() == 0
        )
        assert tab.page.locator("a[href^='javascript' i], a[href^='http' i], a[href^='data' i]").count() == 0
        assert "window.__hit=1" in text
        assert tab.troubles == []
        tab.page.context.close()
