"""The page: what stands on it, what it refuses to let in, and what it says about itself."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, timedelta, tzinfo
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_data import T0, World, present, sample, unproved, world
from report_hostile import ATTRIBUTE, JINJA, SCRIPT, hostile
from report_packed import Packed

from grader import report
from grader.model import Support
from grader.report.render import script_json


class Settings(SimpleNamespace):
    """What a report needs of the settings."""

    root: Path
    workspace: Any
    report: Any


def settings(folder: Path, cap: int = 300, zone: tzinfo = UTC) -> Settings:
    return Settings(
        root=folder,
        workspace=SimpleNamespace(reports=folder / "reports", tz=zone),
        report=SimpleNamespace(max_conversations=cap),
    )


class Reading(HTMLParser):
    """Tags, attributes and texts as a browser without scripts takes them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {}
        self.text = ""
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += " "
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in {"script", "style"}:
            self.inside.setdefault(self._open, []).append(data)
        else:
            self.text += data

    @property
    def plain(self) -> str:
        return " ".join(self.text.split())


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def page(w: World, *, cap: int = 300, **how: Any) -> str:
    return "".join(report.text(w.store, settings(w.store.path.parent, cap), **how))


def embedded(html: str) -> dict[str, Any]:
    packed = Packed(html)
    return {**packed.data, "index": packed.index, "cases": packed.cases}


# ── what is let in ──


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    with world(tmp_path_factory.mktemp("hostile")) as w:
        hostile(w)
        w.finish(command=f"grader {SCRIPT}", model=f"model {SCRIPT}")
        return page(w)


def test_hostile_texts_make_no_element_and_no_attribute(hostile_page: str) -> None:
    reading = Reading(hostile_page)
    scripts = [attributes for tag, attributes in reading.tags if tag == "script"]
    text = {"type": "text/plain"}
    data = {"type": "application/json", "id": "data"}
    assert scripts == [{}, data, text | {"id": "index"}, text | {"data-chunk": "0"}]
    assert not {tag for tag, _ in reading.tags} & {"img", "iframe", "object", "embed", "base", "textarea"}
    assert sum(tag == "style" for tag, _ in reading.tags) == 1
    for tag, attributes in reading.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
    links = [a["href"] or "" for tag, a in reading.tags if tag == "a" and "href" in a]
    assert links
    assert all(link.startswith("#") for link in links)


def test_hostile_texts_are_literal(hostile_page: str) -> None:
    reading = Reading(hostile_page)
    assert SCRIPT in reading.text
    assert ATTRIBUTE in reading.text
    data = embedded(hostile_page)
    texts = next(case for case in data["cases"] if case["id"] == "texts")
    said = ["".join(s["text"] for p in line["pieces"] for s in p["segments"]) for line in texts["lines"]]
    assert said[0] == SCRIPT
    assert said[1] == JINJA
    assert "null:␀ bell:␇ ansi:␛[31mred" in "".join(said)


def test_no_raw_control_or_direction_character_reaches_the_file(hostile_page: str) -> None:
    assert not re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f]", hostile_page)


def test_the_policy_names_the_one_script_and_the_one_style_by_hash(hostile_page: str) -> None:
    reading = Reading(hostile_page)
    policy = next(a["content"] for t, a in reading.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    for kind, text in (("script", reading.inside["script"][0]), ("style", reading.inside["style"][0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_nothing_points_outside_the_file(hostile_page: str) -> None:
    reading = Reading(hostile_page)
    own = reading.inside["style"][0] + reading.inside["script"][0]
    assert not re.findall(r"url\(|@import|fetch\(|XMLHttpRequest|sendBeacon|import\(", own)
    assert re.findall(r"https?://[^\"' )]+", own) == ["http://www.w3.org/2000/svg"] * 2  # the name of SVG, not a place


ODD = st.text() | st.text(alphabet="a<&\u202e\u200b\u2028\ufe0f\U000e0041")


@given(st.recursive(ODD, lambda inner: st.lists(inner) | st.dictionaries(ODD, inner), max_leaves=5))
def test_json_in_a_script_cannot_end_it_and_means_the_same(value: object) -> None:
    text = str(script_json(value))
    assert not set("<>&\u2028\u2029\u202e\u200b\U000e0041") & set(text)
    assert json.loads(text) == value


# ── what it says ──


@pytest.fixture(scope="module")
def sample_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    with world(tmp_path_factory.mktemp("sample")) as w:
        sample(w, 40)
        w.finish(n_population=128)
        return page(w)


def test_the_head_says_who_judged_what_by_which_rubrics(sample_page: str) -> None:
    text = Reading(sample_page).plain
    for words in ("run_1", "40 of 128", "judge-1", "accuracy 1.0.0", "resolution 1.0.0", "pr_0123456789ab",
                  "Run of Sun 1 Nov 2026, 14:00 UTC", "SYNTHETIC sample data", "All 40 conversations"):  # fmt: skip
        assert words in text, words
    overview = Reading(sample_page[: sample_page.index('<section id="conversations"')]).plain
    assert "signals" not in overview.lower().replace("offline signals, not", "")


def test_every_figure_comes_with_its_denominator(sample_page: str) -> None:
    text = Reading(sample_page).plain
    for pattern in (r"Resolved \d+\.\d %.*? \d+ of \d+ assessed", r"\d+ of \d+ contained conversations",
                    r"\d+ of \d+ conversations in which any code", r"whose 7 days are over",
                    r"Bars end at \d+ %", r"About anything: \d+\.\d % \(\d+ of \d+\)",
                    r"Same issue within 24 h: [^;]*\(\d+ of \d+\); 72 h: [^;]*\(\d+ of \d+\)",
                    r"Answered: \d+\.\d %, \d+ of \d+ conversations", r"Wrong answer \d+\.\d % \(\d+ of \d+\)",
                    r"\d+ of \d+ not solved"):  # fmt: skip
        assert re.search(pattern, text), pattern


def test_no_rate_of_a_tile_or_a_ledger_stands_without_what_it_is_made_of(sample_page: str) -> None:
    made_of = r",? \(?[\d,]+(?: to [\d,]+)? of [\d,]+"
    texts = re.findall(r'<(?:p class="(?:note|basis)"|span class="num")>([^<]*)<', sample_page)
    rates = [text[m.end() :] for text in texts for m in re.finditer(r"[\d.]+ %(?: to [\d.]+ %)?", text)]
    assert len(rates) > 20
    assert [after for after in rates if not re.match(made_of, after)] == []
    tiles = re.findall(r'<span class="unit">%</span>.*?<p class="basis">([^<]*)<', sample_page, re.DOTALL)
    assert len(tiles) > 10
    assert [basis for basis in tiles if not re.match(r"[\d,]+(?: to [\d,]+)? of [\d,]+ ", basis)] == []


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        sample(w, 10)
        w.finish()
        assert page(w) == page(w)
        assert page(w, form="json") == page(w, form="json")


def test_times_of_the_run_are_shown_in_the_workspaces_zone(empty: World) -> None:
    from datetime import timezone

    empty.talk("a")
    empty.judged("a")
    empty.finish()
    zone = timezone(timedelta(hours=-3))
    html = "".join(report.text(empty.store, settings(Path("shop"), zone=zone)))
    assert "Run of Sun 1 Nov 2026, 11:00 UTC−03:00" in Reading(html).plain


def test_an_empty_run_is_a_page_too(empty: World) -> None:
    empty.finish(state="refused")
    html = page(empty)
    assert "No code of the defect scale was asked in this run." in Reading(html).plain
    assert embedded(html)["cases"] == []


# ── findings ──


def test_flagged_conversations_come_worst_first_and_the_cap_is_stated(empty: World) -> None:
    for n in range(5):
        empty.talk(f"c{n}", start=T0 + timedelta(days=n))
        empty.judged(
            f"c{n}", "accuracy", {"contradicts_policy" if n == 1 else "invented_deadline": present("tomorrow")}
        )
    empty.talk("clean")
    empty.judged("clean")
    empty.finish()
    html = page(empty, cap=3)
    assert [case["id"] for case in embedded(html)["cases"]] == ["c1", "c4", "c3"]
    text = Reading(html).plain
    assert "2 flagged conversations not on this page: it holds the 3 most worth reading" in text
    assert "5 of 6 conversations in which any code could be assessed" in text  # the figures count all
    assert "not on this page" not in Reading(page(empty, cap=5)).plain
    assert len(embedded(page(empty, cap=9, every=True))["cases"]) == 6


def test_unsupported_findings_stand_apart_and_unflagged_conversations_with_them_are_counted(empty: World) -> None:
    empty.talk("a")
    empty.judged("a", "accuracy", {"invented_deadline": present("tomorrow"), "contradicts_policy": unproved("xyz")})
    empty.talk("b")
    empty.judged("b", "accuracy", {"contradicts_policy": unproved("xyz")})
    empty.finish()
    html = page(empty)
    [case] = embedded(html)["cases"]
    assert [(f["code"], f["supported"], f["number"]) for f in case["findings"]] == [
        ("invented_deadline", True, 1), ("contradicts_policy", False, 2)]  # fmt: skip
    assert case["severity"] == "high"  # the critical one is not proved
    assert case["findings"][1]["quotes"][0]["problem"] == "these words stand nowhere in the conversation"
    assert "1 conversation with only unsupported findings left out" in Reading(html).plain
    marks = [s["findings"] for line in case["lines"] for p in line["pieces"] for s in p["segments"] if s["findings"]]
    assert marks == [[1]]


def test_words_of_an_unsupported_finding_are_not_marked_even_where_they_stand(empty: World) -> None:
    half = present("tomorrow").model_copy(update={"support": Support.UNSUPPORTED})  # the clause it needs did not hold
    empty.talk("a")
    empty.judged("a", "accuracy", {"contradicts_policy": half, "invented_deadline": present("It arrives")})
    empty.finish()
    [case] = embedded(page(empty))["cases"]
    segments = [s for line in case["lines"] for p in line["pieces"] for s in p["segments"] if s["findings"]]
    assert segments == [{"text": "It arrives", "findings": [1]}]


def test_the_broken_clause_is_shown_in_its_paragraph_of_the_policy_in_force(empty: World) -> None:
    from datetime import date

    from grader.model import Policy

    for version, start, end, days in (("old", None, date(2026, 7, 31), 30), ("new", date(2026, 8, 1), None, 21)):
        empty.policy(Policy(
            policy_id="returns", version=version, title="Returns", valid_from=start, valid_to=end,
            text=f"R1. Within {days} days. No late returns.\nR2. Unused.",
        ))  # fmt: skip
    empty.talk("a")
    empty.judged("a", "accuracy", {"contradicts_policy": present("tomorrow", clause="No late returns")})
    empty.finish()
    [case] = embedded(page(empty))["cases"]
    [clause] = case["findings"][0]["clauses"]
    assert clause == {
        "before": "R1. Within 21 days. ", "text": "No late returns", "after": ".", "source": "Returns · new",
        "valid": "in force since Sat 1 Aug 2026",
    }  # fmt: skip


def test_examples_of_the_ledger_are_on_the_page_though_not_flagged(empty: World) -> None:
    for name, cause in (("a", "missing_rule"), ("b", "none")):
        empty.talk(name)
        empty.judged(name, "resolution", {"escalation_reason": cause})
    empty.finish()
    html = page(empty)
    assert [case["id"] for case in embedded(html)["cases"]] == ["a"]
    assert "#v=conversations&amp;c=a" in html
    assert "1 example, not flagged" in Reading(html).plain


def test_the_top_findings_are_readable_without_javascript(empty: World) -> None:
    empty.talk("a")
    empty.judged("a", "accuracy", {"invented_deadline": present("arrives tomorrow", why="Nobody said tomorrow.")})
    empty.finish()
    html = page(empty)
    static = html[html.index("<noscript>") : html.index("</noscript>")]
    for words in ("Invented deadline", "arrives tomorrow", "Nobody said tomorrow.", "need JavaScript"):
        assert words in static


# ── colours ──


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TOKENS = dict(
    re.findall(
        r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\);",
        (Path(report.__file__).parent / "templates" / "tokens.css").read_text(),
    )
)
GROUNDS = {
    "ink": ["page", "card", "sunk", "hover", "chosen", "customer-ground", "ai-ground", "human-ground",
            *(f"mark-{n}" for n in range(8))],
    "soft": ["page", "card", "sunk", "hover", "chosen"],
    "accent": ["page", "card", "sunk", "chosen", "hover", "customer-ground", "ai-ground", "human-ground"],
    "on-accent": ["accent"],
    "good": ["page", "good-ground"],
    **{name: [f"{name}-ground"] for name in ("critical", "high", "medium", "low")},
}  # fmt: skip
EDGES = {"edge": ["card", "page"], "accent": ["card", "page"], **{f"mark-edge-{n}": ["card"] for n in range(8)}}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_reach_aa_on_every_ground_that_they_are_used_on(theme: int) -> None:
    def hue(name: str) -> str:
        return str(TOKENS[name].split(", ")[theme])

    for grounds, needed in ((GROUNDS, 4.5), (EDGES, 3.0)):
        for name, places in grounds.items():
            for place in places:
                ratio = contrast(hue(name), hue(place))
                assert ratio >= needed, f"{name} on {place}: {ratio:.2f}"
