"""The list of conversations in a real Chromium: every filter, order and search, rows that come and go, parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_parts import violations
from playwright.sync_api import Browser, Page, expect
from report_data import T0, World, present, says, unproved, world
from test_report import settings

from grader import report
from grader.report.gathered import Limits
from grader.report.write import parts_of

pytestmark = pytest.mark.browser

N = 400
QUEUES = ("orders", "returns", "payments")


def fill(w: World) -> None:
    """Conversation n: every filter holds for those whose number a small number divides, so that counts can be told."""
    for n in range(N):
        odd = (
            'He said "no\\\\way" </script>\nשלום 😡 Ação' if n == 123 else f"Where is my blue parcel number {n} please?"
        )
        w.talk(
            f"c{n:03}", says("customer", odd, T0 + timedelta(hours=n)),
            says("ai", f"It arrives tomorrow, parcel {n}.", T0 + timedelta(hours=n)),
            *([says("human", "Dana here.", T0 + timedelta(hours=n))] if n % 5 == 0 else []),
            *([says("customer", "and?", T0 + timedelta(hours=n))] * (40 if n == 77 else 0)),
            queue=QUEUES[n % 3], channel="chat" if n % 2 else "whatsapp", language="pt" if n % 4 == 0 else "en",
            start=T0 + timedelta(hours=n), contact=f"+55119999{n:05}" if n % 10 == 0 else None,
            reason="refund" if n % 8 == 0 else None,
        )  # fmt: skip
        said: dict[str, Any] = {
            "contradicts_policy" if n % 20 == 0 else "invented_deadline": present("tomorrow", why=f"Reason {n}.")
        }
        if n % 7 == 0:
            said["status_without_lookup"] = unproved("never said")
        w.judged(f"c{n:03}", "accuracy", said, truncated=n % 25 == 0)
        if n % 16 == 0:  # asked again, the same judge did not flag it
            w.judged(f"c{n:03}", "accuracy", {"contradicts_policy": "absent"}, in_run=False)
        if n % 9 == 0:
            agree = {k: v for k, v in said.items() if n % 18 == 0 and not isinstance(v, str)}
            w.judged(f"c{n:03}", "accuracy", agree, in_run=False, judge="signals", model="signals")
        if n % 10 == 0:  # the contact comes back after a day: about the same parcel, or one that nobody can tell of
            again = f"Where is my blue parcel number {n} please?" if n % 20 == 0 else "hi"
            w.talk(f"r{n:03}", says("customer", again, T0), queue=None, channel=None,
                   start=T0 + timedelta(hours=n + 24), contact=f"+55119999{n:05}")  # fmt: skip
    w.talk("end", start=T0 + timedelta(days=80))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with world(folder) as w:
        fill(w)
        w.finish()
        report.write(w.store, settings(folder, 100_000))
        report.write(w.store, settings(folder, 100_000), out=folder / "small #1.html", limits=Limits(150))
    return folder


@pytest.fixture
def visit(browser: Browser, place: Path) -> Iterator[Any]:
    tabs: list[tuple[Page, list[str]]] = []

    def opened(
        address: str = "#v=conversations", *, width: int = 1280, height: int = 800, javascript: bool = True,
        scheme: Literal["light", "dark"] = "light", file: str = "reports/run_1.html", script: str = "",
    ) -> Page:  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=javascript, color_scheme=scheme
        )
        context.set_default_timeout(10_000)
        page = context.new_page()
        troubles: list[str] = []
        tabs.append((page, troubles))
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        if script:
            page.add_init_script(script)
        page.goto((place / file).as_uri() + address)
        if javascript and not script:
            ready(page)
        return page

    yield opened
    for page, troubles in tabs:
        assert troubles == []
        page.context.close()


def ready(page: Page) -> None:
    page.wait_for_selector("html[data-ready]", state="attached")


def size(page: Page) -> int:
    return int(page.evaluate("document.querySelector('#list li[aria-setsize]')?.ariaSetSize ?? '0'"))


def first_ids(page: Page, n: int = 5) -> list[str]:
    found: list[str] = page.evaluate(
        "n => [...document.querySelectorAll('#list a')].slice(0, n).map(a => a.dataset.id)", n
    )
    return found


def every(step: int) -> int:
    return len(range(0, N, step))


# ── filters ──

FILTERS = {
    "code=contradicts_policy": every(20),
    "sev=critical": every(20),
    "sev=critical,high": N,
    "code=contradicts_policy,invented_deadline": N,
    "queue=returns": len(range(1, N, 3)),
    "reason=refund": every(8),
    "ch=chat": N // 2,
    "lang=pt": every(4),
    "by=both": every(5),
    "by=ai": N - every(5),
    "back=same": every(20),
    "back=unsure": every(10) - every(20),
    "back=unknown": N - every(10),
    "dis=agree": every(18),
    "dis=differ": every(9) - every(18),
    "dis=none": N - every(9),
    "uns=yes": every(7),
    "low=wavering": every(16),
    "low=partly": every(25),
    "low=uncalibrated": N,
    "low=any": sum(1 for n in range(N) if not (n % 7 and n % 16 and n % 25)),
    "queue=orders&lang=pt": every(12),
}


def test_every_filter_leaves_what_it_says_and_can_be_taken_away(visit: Any) -> None:
    page = visit()
    for address, wanted in FILTERS.items():
        page.evaluate("a => { location.hash = a }", f"#v=conversations&{address}")
        expect(page.locator("#shown")).to_have_text(
            f"{N} conversations" if wanted == N else f"{wanted} of {N} conversations"
        )
        assert size(page) == wanted, address
        key, value = address.split("&")[0].split("=")
        told = page.locator(f"select[data-key={key}] option:checked")
        if told.count():
            assert re.search(r"\(\d+\)$", told.inner_text()), address
            assert told.get_attribute("value") == value
        assert page.locator("#chips button").count() == sum(len(part.split(",")) for part in address.split("&"))
    page.locator("#chips button").first.click()
    expect(page.locator("#shown")).to_have_text(f"{every(4)} of {N} conversations")
    assert "queue" not in page.url


def test_the_counts_of_a_filter_are_of_what_the_other_filters_leave(visit: Any) -> None:
    page = visit("#v=conversations&lang=pt")
    options = page.locator("#f-queue option").all_inner_texts()
    assert f"orders ({every(12)})" in options
    languages = page.locator("#f-lang option").evaluate_all("nodes => nodes.map(node => node.textContent)")
    assert f"en ({N - every(4)})" in languages  # what its own filter would leave instead


def test_where_no_signals_were_run_the_filter_says_so(tmp_path: Path, browser: Browser) -> None:
    for judge, words in (("llm", "no signals were run (1)"), ("signals", "signals judged this run (1)")):
        folder = tmp_path / judge
        folder.mkdir()
        with world(folder) as w:
            w.talk("a")
            w.judged("a", "accuracy", {"invented_deadline": present("tomorrow")}, judge=judge)
            w.finish(judge=judge)
            path = report.write(w.store, settings(folder))
        page = browser.new_page()
        page.goto(path.as_uri() + "#v=conversations")
        ready(page)
        assert words in page.locator("#f-dis option").evaluate_all("nodes => nodes.map(node => node.textContent)")
        page.close()


# ── order, search, address ──


def test_the_list_can_be_put_in_order(visit: Any) -> None:
    page = visit()
    assert first_ids(page, 2) == ["c280", "c140"]  # critical, same issue again, something unproved, then the newest
    by = page.locator("#f-sort")
    by.select_option("new")
    assert first_ids(page, 2) == ["c399", "c398"]
    by.select_option("old")
    assert first_ids(page, 2) == ["c000", "c001"]
    by.select_option("long")
    assert first_ids(page, 1) == ["c077"]
    by.select_option("queue")
    assert page.locator("#list .meta").first.inner_text().find("orders") > 0
    assert "sort=queue" in page.url


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("number 77 please", 1), ("C123", 1), ('"no\\\\way"', 1), ("</SCRIPT>", 1), ("שלום 😡", 1), ("acao", 1),
        ("AÇÃO", 1),
        ("reason 39", 11), ("invented deadline", N - every(20)), ("xyzzy", 0), ("way\" </script>", 1),
    ],
)  # fmt: skip
def test_search_finds_words_wherever_they_stand(visit: Any, words: str, wanted: int) -> None:
    page = visit()
    page.locator("#q").fill(words)
    expect(page.locator("#shown")).to_have_text(f"{wanted} of {N} conversations")
    assert size(page) == wanted
    expect(page.locator("#status")).to_contain_text(f"{wanted} of {N}" if not wanted else "")


def test_search_shows_what_it_has_found_so_far_and_ends_when_other_words_come(visit: Any) -> None:
    # every chunk takes its time here
    page = visit(
        script="""const real = Response.prototype.arrayBuffer;
        Response.prototype.arrayBuffer = async function () {
            await new Promise(done => setTimeout(done, window.__slow || 0));
            return real.call(this);
        };"""
    )
    ready(page)
    page.evaluate("window.__slow = 250")
    page.locator("#q").fill("tomorrow")
    expect(page.locator("#shown")).to_contain_text("looked through")
    expect(page.locator("#list a").first).to_be_visible()
    page.locator("#q").fill("number 77 please")
    page.evaluate("window.__slow = 0")
    expect(page.locator("#shown")).to_have_text(f"1 of {N} conversations")


def test_the_same_address_shows_the_same_view(visit: Any) -> None:
    page = visit()
    page.locator("#q").fill("parcel")
    page.locator("#f-queue").select_option("returns")
    page.locator("#f-sort").select_option("old")
    expect(page.locator("#shown")).to_have_text(f"{len(range(1, N, 3))} of {N} conversations")
    page.locator("#list a").nth(2).click()
    expect(page.locator("#detail h2")).to_have_text("c007")
    page.keyboard.press("n")
    expect(page.locator(".finding.on")).to_have_count(1)
    look = """() => [document.querySelector('#shown').textContent, document.querySelector('#detail h2').textContent,
        document.querySelector('.finding.on').dataset.finding, document.querySelector('#q').value,
        document.querySelector('#f-sort').value,
        [...document.querySelectorAll('#list a')].map(a => a.dataset.id).join()]"""
    there = visit(page.url[page.url.index("#") :])
    expect(there.locator(".finding.on")).to_have_count(1)
    expect(there.locator("#shown")).to_have_text(f"{len(range(1, N, 3))} of {N} conversations")
    assert there.evaluate(look) == page.evaluate(look)


# ── rows ──


def test_only_rows_in_sight_are_there_and_each_says_its_place(visit: Any) -> None:
    page = visit("#v=conversations&sort=old")
    assert page.locator("#list li").count() < 60
    page.evaluate("document.getElementById('scroller').scrollTop = 200 * 80")
    row = page.locator('#list a[data-id="c200"]')
    expect(row).to_be_visible()
    assert row.evaluate("a => [a.parentElement.ariaPosInSet, a.parentElement.ariaSetSize]") == ["201", str(N)]
    assert page.locator("#list li").count() < 60
    order = page.locator("#list li").evaluate_all("nodes => nodes.map(node => Number(node.ariaPosInSet))")
    assert order == sorted(order)


def test_the_list_is_walked_by_keys_and_focus_is_never_lost(visit: Any) -> None:
    page = visit("#v=conversations&sort=old")
    focused = "document.activeElement.dataset.id"
    page.locator("#list a").first.focus()
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "c030"
    page.keyboard.press("End")
    assert page.evaluate(focused) == f"c{N - 1}"
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowUp")
    last = page.evaluate(focused)
    page.evaluate("document.getElementById('scroller').scrollTop = 0")  # the row that has the focus goes out of sight
    expect(page.locator('#list a[data-id="c000"]')).to_be_visible()
    assert page.evaluate(focused) == last
    page.keyboard.press("Home")
    assert page.evaluate(focused) == "c000"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_have_text("c001")
    for _ in range(25):
        page.keyboard.press("j")
    expect(page.locator("#detail h2")).to_have_text("c026")
    current = page.locator("#list a[aria-current]")
    expect(current).to_have_attribute("data-id", "c026")
    expect(current).to_be_in_viewport()


def test_the_place_in_the_list_is_kept(visit: Any) -> None:
    page = visit("#v=conversations&sort=old")
    page.evaluate("document.getElementById('scroller').scrollTop = 9000")
    page.locator('#list a[data-id="c114"]').click()
    expect(page.locator("#detail h2")).to_have_text("c114")
    assert page.evaluate("document.getElementById('scroller').scrollTop") == 9000
    page.keyboard.press("o")
    expect(page.locator("#overview")).to_be_visible()
    page.keyboard.press("o")
    expect(page.locator('#list a[data-id="c114"]')).to_be_in_viewport()


def test_a_phone_scrolls_the_page_and_comes_back_to_its_place(visit: Any) -> None:
    page = visit("#v=conversations&sort=old", width=390, height=844)
    assert page.locator("#list li").count() < 60
    page.evaluate("scrollTo(0, 150 * 80)")
    row = page.locator('#list a[data-id="c150"]')
    expect(row).to_be_in_viewport()
    before = page.evaluate("scrollY")
    row.click()
    expect(page.locator("#detail h2")).to_have_text("c150")
    page.get_by_role("button", name="List").click()
    expect(row).to_be_in_viewport()
    assert abs(page.evaluate("scrollY") - before) < 80
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_nothing_shifts_while_a_file_comes_in(visit: Any) -> None:
    shift = """window.__shift = 0; new PerformanceObserver((list) => {
        for (const e of list.getEntries()) if (!e.hadRecentInput) window.__shift += e.value;
    }).observe({ type: 'layout-shift', buffered: true });"""
    page = visit("#v=conversations&queue=orders", script=shift)
    ready(page)
    expect(page.locator("#detail h2")).to_be_visible()
    assert page.evaluate("window.__shift") < 0.02


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_is_accessible(visit: Any, scheme: Literal["light", "dark"]) -> None:
    page = visit("#v=conversations&code=invented_deadline&q=parcel", scheme=scheme)
    expect(page.locator("#shown")).to_contain_text("of")
    page.get_by_role("button", name="More filters").click()
    page.locator("#f-sev").click()
    assert violations(page) == []


def test_a_browser_that_cannot_unpack_says_so_and_keeps_the_figures(visit: Any) -> None:
    page = visit("#v=conversations", script="delete window.DecompressionStream")
    expect(page.get_by_role("alert")).to_contain_text("no DecompressionStream")
    page.locator("[data-view=overview]").click()
    expect(page.get_by_role("heading", name="Defects by code", exact=True)).to_be_visible()


def test_paper_takes_what_the_filters_leave_up_to_a_number_and_says_how_many_it_left(visit: Any) -> None:
    page = visit("#v=conversations", script="window.print = () => dispatchEvent(new Event('beforeprint'))")
    ready(page)
    page.get_by_role("button", name="Print").click()
    expect(page.locator(".printed")).to_have_count(200)
    assert f"{N - 200} more conversations fit the filters" in page.locator("#print").text_content()


# ── parts ──


def part(page: Page) -> str:
    return page.url.split("/")[-1].split("#")[0]


@pytest.fixture
def split(visit: Any) -> Any:
    def opened(address: str = "#v=conversations", file: str = "small #1.html", **how: Any) -> Page:
        page: Page = visit(address, file=file, **how)
        return page

    return opened


def test_a_report_of_too_many_is_split_and_its_front_says_where_what_is(split: Any, place: Path) -> None:
    assert sorted(p.name for p in parts_of(place / "small #1.html").iterdir()) == [f"part-0{n}.html" for n in (1, 2, 3)]
    page = split()
    expect(page.get_by_role("heading", name="Conversations in 3 parts")).to_be_visible()
    assert page.locator(".parts li").count() == 3
    assert "conversations 1 to 134" in page.locator(".parts li").first.inner_text()
    page.locator("#f-queue").select_option("returns")
    found = [int(text.split()[0]) for text in page.locator("[data-matching]").all_inner_texts()]
    assert sum(found) == len(range(1, N, 3))
    page.get_by_role("link", name="Part 2").click()
    ready(page)
    assert part(page) == "part-02.html"
    expect(page.locator("#f-queue")).to_have_value("returns")
    assert size(page) == found[1]
    page.get_by_role("link", name="Next part ›").click()
    ready(page)
    assert part(page) == "part-03.html"
    assert "queue=returns" in page.url
    page.get_by_role("link", name="All parts").click()
    ready(page)
    expect(page.locator("#f-queue")).to_have_value("returns")
    page.get_by_role("link", name="Overview").click()
    expect(page.locator("#overview")).to_be_visible()


def test_a_conversation_of_another_part_is_found_from_anywhere(split: Any) -> None:
    page = split("#v=conversations&c=c001")
    expect(page.locator("#detail h2")).to_have_text("c001")
    assert part(page) != "part-01.html"
    there = split("#c=c001", file="small #1-parts/part-01.html")
    expect(there.locator("#detail")).to_contain_text("not in this part")
    there.get_by_role("link", name="Look in all parts").click()
    expect(there.locator("#detail h2")).to_have_text("c001")
    nowhere = split("#c=nobody")
    expect(nowhere.locator("#trouble")).to_have_text("The conversation “nobody” is not in this report.")


def test_parts_are_listed_without_javascript(split: Any) -> None:
    page = split("", javascript=False)
    expect(page.get_by_role("link", name="Part 3")).to_be_visible()
    assert page.locator(".static article").count() == 40


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_front_and_parts_are_accessible(split: Any, scheme: Literal["light", "dark"]) -> None:
    assert violations(split(scheme=scheme)) == []
    assert violations(split(file="small #1-parts/part-02.html", scheme=scheme)) == []
