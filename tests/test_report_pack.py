"""What is packed is what is unpacked, in Python and in the browser; parts, and files that appear whole."""

from __future__ import annotations

import json
import os
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ARGUMENTS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, sync_playwright
from report_data import T0, present, says, world
from report_hostile import ALL, CONTROL, RTL, SCRIPT, hostile
from report_packed import Packed, expanded, itself
from test_report import settings as report_settings

from grader import report
from grader.errors import ConfigError
from grader.report import render
from grader.report.case_view import CaseView, FindingView, GroupView, QuoteView, VerdictView
from grader.report.dictionary import Dictionary
from grader.report.gathered import Limits
from grader.report.pack import OTHER, Chunk, Shapes, squeezed
from grader.report.transcript import Line, Piece, cut
from grader.report.write import parts_in

HOSTILE = (
    SCRIPT, ALL, RTL, CONTROL, "\x00", "\x1c\x1d\x1e\x1f", "\x01\x1b", "\x1f\x1f5", "\u0180\u0400 Привет", "\ue000",
    "😡",
    "a\u2028b", "\\n\"", "o pedido de entrega", " o pedido", "",
)  # fmt: skip
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=40) | st.text(alphabet="ab \x1e\x1f\u0181é😡", max_size=12)
WORDS = Dictionary(["o pedido de entrega hoje no pedido de hoje " * 4, "\u0400"])


@st.composite
def pieces(draw: Callable[..., Any]) -> Piece:
    text = draw(TEXTS)
    spans = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 3)), max_size=3))
    segments = cut(text, spans)
    return Piece(segments, sum(len(s.text) for s in segments), draw(st.booleans()), draw(TEXTS))


@st.composite
def cases(draw: Callable[..., Any]) -> CaseView:
    def t() -> str:
        return str(draw(TEXTS))

    quote = st.builds(QuoteView, st.integers(0, 9), TEXTS, TEXTS)
    verdict = st.builds(VerdictView, TEXTS, TEXTS, TEXTS, TEXTS, st.lists(quote, max_size=2).map(tuple))
    finding = st.builds(
        FindingView, st.integers(1, 9), TEXTS, TEXTS, TEXTS, TEXTS, st.lists(quote, max_size=2).map(tuple),
        st.just(()), st.booleans(),
    )  # fmt: skip
    line = st.builds(
        Line, st.none() | st.integers(1, 999), TEXTS, TEXTS, TEXTS, TEXTS, st.lists(pieces(), max_size=2).map(tuple),
        TEXTS, st.booleans(),
    )  # fmt: skip
    given_fields = {f: t() for f in ("when", "zone", "resolved", "reason", "mood", "csat", "csat_comment", "severity",
                                     "afterwards", "next_id", "excerpt", "id")}  # fmt: skip
    made = {
        "queue": t(), "channel": None, "language": "pt", "handoff": draw(st.booleans()), "notes": (t(),),
        "findings": tuple(draw(st.lists(finding, max_size=2))),
        "groups": (GroupView(t(), tuple(draw(st.lists(verdict, max_size=3)))),),
        "lines": tuple(draw(st.lists(line, max_size=3))),
    }  # fmt: skip
    names = CaseView.__dataclass_fields__
    return CaseView(**{name: value for name, value in {**given_fields, **made}.items() if name in names})


def plain(case: CaseView) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(asdict(case)))
    return {k: v for k, v in found.items() if k not in {"id", "queue", "channel", "language", "excerpt"}}


def page_of(chunk: str, shapes: Shapes) -> str:
    """As much of a report as `Packed` reads."""
    index: dict[str, Any] = {"dictionary": [WORDS.ones, WORDS.pairs], "id": ["-"] * 9, "n": 9}
    for name in ("queue", "channel", "language"):
        index[name] = {"values": [None], "of": [0] * 9}
    data = render.script_json({"shapes": shapes.records, "shared": list(shapes.shared)})
    return (
        f'<script id="data">{data}</script><script id="index">{squeezed([json.dumps(index).encode(), b""])}</script>'
        f'<script data-chunk="0">{chunk}</script>'
    )


def packed(found: Sequence[CaseView]) -> tuple[str, Shapes]:
    shapes = Shapes()
    shapes.learn(found[1:])
    chunk = Chunk(shapes, WORDS)
    for case in found:
        chunk.add(case)
    return chunk.packed(), shapes


def without(found: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in found.items() if k not in {"id", "queue", "channel", "language", "excerpt"}}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(cases(), min_size=1, max_size=3))
def test_what_is_unpacked_is_what_was_packed(found: list[CaseView]) -> None:
    chunk, shapes = packed(found)
    assert set(chunk) <= set(string.ascii_letters + string.digits + "!#$%/()*+-;,=.?@^_`{|}~")
    assert [without(case) for case in Packed(page_of(chunk, shapes)).cases] == [plain(case) for case in found]


@given(TEXTS)
def test_a_text_of_words_and_codes_is_itself_again(text: str) -> None:
    assert itself(expanded(WORDS.written(text), [WORDS.ones, WORDS.pairs])) == text


def test_what_is_no_unicode_becomes_a_mark_and_not_an_error() -> None:
    assert expanded(WORDS.written("a\ud800b"), [WORDS.ones, WORDS.pairs]) == "a?b"


def test_records_travel_by_the_names_of_their_fields_whatever_they_are() -> None:
    @dataclass(frozen=True)
    class Later:
        price: float
        by: dict[str, Any]
        words: tuple[str, ...]

    chunk = Chunk(Shapes(), WORDS)
    assert chunk._value(Later(-0.5, {"a": -3, "b": None}, ("x", "x", "x")), OTHER) == [
        1, [-3, -0.5], [-2, -5, [-3, -3], -5, None], [0, -5, -7, -7],
    ]  # fmt: skip
    with pytest.raises(TypeError, match="a set cannot be packed"):
        chunk._value({1}, OTHER)


@pytest.fixture(scope="module")
def opened(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with the report's script in it."""
    folder = tmp_path_factory.mktemp("shop")
    with world(folder) as w:
        hostile(w)
        w.finish()
        path = report.write(w.store, report_settings(folder))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")} | {"HOME": str(folder)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, env=dict(environ))
        page = browser.new_page()
        page.goto(path.as_uri() + "#v=conversations")
        page.wait_for_selector("html[data-ready]", state="attached")
        yield page
        browser.close()


@pytest.mark.browser
def test_the_page_unpacks_what_python_packed(opened: Page) -> None:
    unpack = """async ([chunk, shapes, shared, dictionary, n]) => {
        SHAPES = shapes.map(Object.entries); SHARED = shared; useDictionary(dictionary);
        const [trees, own, ...streams] = await inflated({ textContent: chunk });
        const of = { trees: JSON.parse(utf8(trees)), shared: expanded(own).split(TEXT).map(itself), streams: streams.map((bytes) => expanded(bytes).split(CASE)) };
        return Array.from({ length: n }, (_, row) => unpacked(of, row));
    }"""  # noqa: E501

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(cases(), min_size=1, max_size=3))
    def check(found: list[CaseView]) -> None:
        chunk, shapes = packed(found)
        common = [list(shapes.records.values()), list(shapes.shared), [WORDS.ones, WORDS.pairs]]
        assert opened.evaluate(unpack, [chunk, *common, len(found)]) == [plain(case) for case in found]

    check()


# ── files ──


def some(folder: Path, n: int = 12) -> Any:
    with world(folder) as w:
        for k in range(n):
            w.talk(f"c{k}", says("customer", f"number {k}", T0), says("ai", "It arrives tomorrow.", T0))
            w.judged(f"c{k}", "accuracy", {"invented_deadline": present("tomorrow")})
        w.finish()
        yield w


def test_every_conversation_stands_in_one_part_and_the_parts_are_even(tmp_path: Path) -> None:
    for w in some(tmp_path):
        path = report.write(w.store, report_settings(tmp_path), limits=Limits(n_conversations=5))
        parts = [Packed(p.read_text(encoding="utf-8")) for p in parts_in(path)]
        assert [p.index["n"] for p in parts] == [4, 4, 4]
        assert sorted(i for p in parts for i in p.index["id"]) == sorted(f"c{k}" for k in range(12))
        front = Packed(path.read_text(encoding="utf-8"))
        assert front.index["id"] == [i for p in parts for i in p.index["id"]]
        assert (front.index["starts"], front.chunks) == ([0, 4, 8], [])
        assert [p.index["n"] for p in (Packed("".join(report.text(w.store, report_settings(tmp_path)))),)] == [12]


def test_a_part_ends_where_it_would_be_too_large(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        for k in range(3):
            noise = "".join(chr(0x4E00 + (i * 7919 + k * 104729) % 20000) for i in range(800_000))
            w.talk(f"c{k}", says("customer", noise, T0), says("ai", "It arrives tomorrow.", T0))
            w.judged(f"c{k}", "accuracy", {"invented_deadline": present("tomorrow")})
        w.finish()
        path = report.write(w.store, report_settings(tmp_path), limits=Limits(n_bytes=100_000))
        assert len(parts_in(path)) == 3


def test_a_report_that_is_split_no_more_leaves_no_parts_behind(tmp_path: Path) -> None:
    for w in some(tmp_path):
        path = report.write(w.store, report_settings(tmp_path), limits=Limits(5))
        before = {p.name: p.read_bytes() for p in [path, *parts_in(path)]}
        assert len(before) == 4
        report.write(w.store, report_settings(tmp_path), limits=Limits(5))
        assert {p.name: p.read_bytes() for p in [path, *parts_in(path)]} == before  # byte for byte
        report.write(w.store, report_settings(tmp_path))
        assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_split_report_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for w in some(tmp_path):
        path = report.write(w.store, report_settings(tmp_path), limits=Limits(5))
        before = {p.name: p.read_bytes() for p in [path, *parts_in(path)]}
        real = Path.replace

        def full(self: Path, target: Path, there: Path = path, real: Callable[..., Path] = real) -> Path:
            if Path(target) == there:
                raise OSError(28, "No space left on device")
            return real(self, target)

        monkeypatch.setattr(Path, "replace", full)
        with pytest.raises(ConfigError):
            report.write(w.store, report_settings(tmp_path), limits=Limits(3))
        assert {p.name: p.read_bytes() for p in [path, *parts_in(path)]} == before
        assert sorted(p.name for p in path.parent.iterdir()) == sorted([path.name, f"{path.stem}-parts"])
        monkeypatch.undo()


def test_a_word_that_begins_with_a_letter_that_has_a_code_is_that_word() -> None:
    made = Dictionary(["\u0430pple și ține ơi əla și"] * 300)
    assert made.ones
    for text in ("și ține ơi", "\u0430pple", "ə", " əla\x1fși"):
        assert itself(expanded(made.written(text), [made.ones, made.pairs])) == text
