"""HTML of messages → the words that a reader sees."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.ingest.sources.html_text import read, to_text


@pytest.mark.parametrize(("html", "text"), [
    ("", ""),
    ("plain words", "plain words"),
    ("two\nlines\n\n  as they are", "two\nlines\n\n  as they are"),
    ("<p>Hello</p><p>World</p>", "Hello\n\nWorld"),
    ("<p>Hello<br>World<br/>!</p>", "Hello\nWorld\n!"),
    ("<div>a</div><div>b</div>", "a\nb"),
    ('<p class="no-margin">a</p>\n<p class="no-margin">b</p>', "a\nb"),
    ("<P>Loud</P>", "Loud"),
    ("<p>  one\n\t two&nbsp;\xa0three </p>", "one two three"),
    ("<p>f<b>at</b> and <i>thin</i></p>", "fat and thin"),
    ("<ul><li>One</li><li>Two<ul><li>in</li></ul></li></ul>", "- One\n- Two\n  - in"),
    ("<ol><li>a</li><li><p>b</p></li></ol>end", "1. a\n2. b\n\nend"),
    ("<table><tr><th>a</th><td>b</td></tr><tr><td>c</td></tr></table>", "a | b\nc"),
    ("<blockquote>they said<br>this</blockquote>I say", "> they said\n> this\n\nI say"),
    ("<pre>a\n  b</pre>", "a\n  b"),
])  # fmt: skip
def test_lines_lists_and_quotes_are_laid_out_as_a_reader_sees_them(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.parametrize(("html", "text"), [
    ("R&amp;D", "R&D"),
    ("<p>&lt;b&gt; &amp;lt; &quot;x&quot; &#8364; &#x1F600;</p>", '<b> &lt; "x" € 😀'),
    ("&#0; &#1114112; &nothing; &copy; &copy &#" + "9" * 6000 + ";", "� � &nothing; © &copy &#" + "9" * 6000 + ";"),
    ("see https://x.example/?a=1&notify=2&lt=3", "see https://x.example/?a=1&notify=2&lt=3"),
])  # fmt: skip
def test_entities_are_decoded_once(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.parametrize("text", [
    "a < b and c > d", "I <3 you", "write to <jo@example.com>", "<order 5>", "x<y", "a <", "<>", "</>", "1<2<3", "< p>",
])  # fmt: skip
def test_what_only_looks_like_a_tag_is_text(text: str) -> None:
    assert to_text(text) == text
    assert text in to_text(f"<div>before</div><div>{text}</div>")


@pytest.mark.parametrize(("html", "text"), [
    ('<a href="https://shop.example/r?a=1&amp;b=2">our rules</a>', "our rules (https://shop.example/r?a=1&b=2)"),
    ('<a href="https://shop.example/">shop.example</a>', "shop.example"),
    ("<a href='mailto:a@b.example'>a@b.example</a>", "a@b.example"),
    ("<a href=tel:+15550100>call</a>", "call (+15550100)"),
    ('<a href="https://x.example"></a>', "https://x.example"),
    ('<a href="javascript:alert(1)">click</a>', "click"),
    ('<a href="data:text/html;base64,AAAA">click</a>', "click"),
    ('<a title="a > b" href="https://x.example">go</a>', "go (https://x.example)"),
])  # fmt: skip
def test_links_keep_their_address(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.parametrize(("html", "text"), [
    ("<script>var a = '<p>no</p>';</script>yes", "yes"),
    ("<style>p { color: red }</style><p>yes</p>", "yes"),
    ("<head><title>no</title></head><body>yes</body>", "yes"),
    ("<!-- no --><p>yes</p><!--[if mso]>no<![endif]-->", "yes"),
    ("<!DOCTYPE html><p>yes</p>", "yes"),
    ("<?xml version='1.0'?><p>yes<o:p></o:p></p>", "yes"),
])  # fmt: skip
def test_what_nobody_sees_is_left_out(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.parametrize(
    "html", ["<p>one</p><script>two", "<p>one</p><!-- two", "<p>one <b two", '<p>one <a href="two']
)
def test_what_never_ends_hides_nothing(html: str) -> None:
    assert "one" in to_text(html)
    assert "two" in to_text(html)


def test_pictures_are_counted_and_emoji_are_words() -> None:
    found = read('<p>see <img src="x.png" alt="screenshot"> <img alt="😀" class="emoji"></p>')
    assert (found.text, found.images) == ("see 😀", 1)


@given(st.text(st.sampled_from("<>/!-&;#x a'\"=pbrli&\n\xa0scrtyl"), max_size=80))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(to_text(text), str)


@given(st.text(st.characters(exclude_characters="<&", exclude_categories=["Cs"])))
def test_a_text_without_signs_of_html_stays_as_it_is(text: str) -> None:
    assert to_text(text) == text


@pytest.mark.parametrize(
    "piece", ["<", "<p>", "<a href='x'>", "<!--", "</", "<p a='", "<![if", "<script>", "&#", "<li>", "<p "]
)
def test_time_grows_with_size_and_no_faster(piece: str) -> None:
    began = time.process_time()
    to_text(f"<p>{piece * 50_000}")
    assert time.process_time() - began < 2
