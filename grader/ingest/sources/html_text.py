"""HTML as helpdesks store messages → the words that a reader of the message sees, as plain text.

Only names of real HTML tags count as tags, so that `<jo@example.com>` and `a < b` in a text stay what they are.
Entities are decoded once. Without any tag the text keeps its line ends, since HTML never laid it out. Time is linear in
its size, which `html.parser` does not promise: two megabytes of `<` hold it up for eight seconds, of `<!--` for hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape as _numbered
from html.entities import html5

MAX_ADDRESS = 500  # characters of a link's address that are shown


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PARAGRAPHS = _names("p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre")  # a blank line around
_LINES = _names(
    "address article aside caption center dd details dialog div dt fieldset figcaption figure footer form header hr "
    "legend li main nav optgroup option section summary tbody tfoot thead tr"
)
_UNSEEN = _names("head script style template title noscript iframe object svg math")
_RAW = frozenset(("script", "style", "title"))  # nothing in them is a tag but their own end
_SPANS = _names(
    "a abbr acronym area audio b base basefont bdi bdo big body br button canvas cite code col colgroup data datalist "
    "del dfn dir em embed font html i img input ins kbd label link map mark menu meta meter output param picture "
    "progress q rp rt ruby s samp select slot small source span strike strong sub sup td textarea th time track tt u "
    "var video wbr"
)
_TAGS = _PARAGRAPHS | _LINES | _UNSEEN | _SPANS
_OFFICE = ("o:", "v:", "w:", "m:", "st1:", "x:")  # what word processors leave in a mail
_OPENS = re.compile(r"<(?:!--|!\[|!doctype|\?|(/?)([a-z][^\s/<>]*+))", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?<![\w-])(href|alt)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]++))", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")
# With its semicolon: browsers do without, and make `¬ify` of an address's `&notify`.
_ENTITY = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SHOWN = ("http://", "https://", "mailto:", "tel:", "ftp://")
_ALNUM = re.compile(r"\w", re.ASCII)


@dataclass(frozen=True, slots=True)
class Plain:
    """What a message says. `images`: how many pictures stand in it, emoji not counted."""

    text: str
    images: int = 0


def to_text(html: str) -> str:
    """The words of a piece of HTML: a line per line, lists as `- …` or `1. …`, links as `text (address)`."""
    return read(html).text


def read(html: str) -> Plain:
    """The words of a piece of HTML, and how many pictures stood between them."""
    if "<" not in html and "&" not in html:
        return Plain(html)
    tokens = list(_tokens(html))
    if not any(tag for _, tag, _ in tokens):
        return Plain(unescape(html))
    page = _page(tokens, _UNSEEN)
    if page.hidden_by:  # it never ends: rather words that nobody should see than a message that is cut short
        page = _page(tokens, _UNSEEN - {page.hidden_by})
        if page.hidden_by:
            page = _page(tokens, frozenset())
    return Plain(page.text(), page.images)


def unescape(text: str) -> str:
    """The text with its entities decoded, once."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    return _numbered(entity[0]) if entity[0][1] == "#" else html5.get(entity[0][1:], entity[0])


def _page(tokens: list[tuple[str, str, str]], unseen: frozenset[str]) -> _Page:
    page = _Page(unseen)
    for text, tag, inside in tokens:
        if text:
            page.words(text)
        if tag.startswith("/"):
            page.closes(tag[1:])
        elif tag:
            page.opens(tag, inside)
    return page


def _tokens(html: str) -> Iterator[tuple[str, str, str]]:
    """(raw text before a tag, the tag's name in lower case with `/` for a closing one, what else stands in the tag)."""
    begin = at = 0  # of the text that is not given yet; of the search
    last = {sign: html.rfind(sign) for sign in ('"', "'", ">", "-->")}
    while found := _OPENS.search(html, at):
        start, name = found.start(), (found[2] or "").lower()
        at = found.end()
        if not name:  # a comment or a declaration, if it ends
            end_sign = "-->" if found[0] == "<!--" else ">"
            if last[end_sign] >= at:
                at = html.find(end_sign, at) + len(end_sign)
                yield html[begin:start], "", ""
                begin = at
            continue
        if name not in _TAGS and not name.startswith(_OFFICE):
            continue
        if last[">"] < at:
            break  # no tag ends any more: the rest is text
        end = _end_of_tag(html, at, last)
        yield html[begin:start], f"{found[1]}{name}", html[found.end() : end]
        begin = at = end + 1
    yield html[begin:], "", ""


def _end_of_tag(html: str, at: int, last: dict[str, int]) -> int:
    """Where the `>` stands that ends the tag; one inside a quoted value does not, if the quote is closed."""
    first = html.find(">", at)
    if html.find('"', at, first) < 0 and html.find("'", at, first) < 0:
        return first
    end, place = first, at
    while True:
        marks = [found for sign in "\"'" if last[sign] > place and (found := html.find(sign, place, end)) >= 0]
        if not marks:
            return end
        opening = min(marks)
        sign = html[opening]
        if last[sign] == opening:
            return first
        place = html.find(sign, opening + 1) + 1
        if place > end:
            if last[">"] < place:
                return first
            end = html.find(">", place)


class _Page:
    """The lines of a text while its tags are read."""

    def __init__(self, unseen: frozenset[str]) -> None:
        self.images = 0
        self.hidden_by = ""  # the element that hides what stands in it
        self._unseen_tags = unseen
        self._lines: list[str] = []
        self._line: list[str] = []  # pieces of the line being written
        self._begun = False  # the line has something on it
        self._gap = False  # a blank is due before the next word
        self._quotes = 0
        self._deep = 0  # elements of that name in each other
        self._kept = 0  # inside <pre>
        self._lists: list[int | None] = []  # the last number given, None for bullets
        self._tight = False  # this paragraph and the next are lines of one
        self._marker = ""
        self._link: tuple[str, int, int] | None = None  # address, where its words begin: line, piece

    def text(self) -> str:
        """All lines, without blank ones around them."""
        self._close_link()
        self._end_line()
        return "\n".join(line.rstrip() for line in self._lines).strip("\n")

    def words(self, raw: str) -> None:
        """Text between tags."""
        if self.hidden_by:
            return
        text = unescape(raw)
        if self._kept:
            for number, line in enumerate(text.replace("\r\n", "\n").split("\n")):
                if number:
                    self._end_line(always=True)
                if line:
                    self._write(line)
            return
        plain = _BLANKS.sub(" ", text)
        words = plain.strip(" ")
        if words:
            self._write(f" {words}" if self._begun and (self._gap or plain[0] == " ") else words)
            self._gap = plain[-1] == " "
        else:
            self._gap |= bool(plain)

    def opens(self, tag: str, inside: str) -> None:
        """A tag, with what stands in it behind its name."""
        if not self.hidden_by and tag in self._unseen_tags and not inside.rstrip().endswith("/"):
            self.hidden_by = tag
        if self.hidden_by:
            self._deep += tag == self.hidden_by and (tag not in _RAW or not self._deep)
            return
        if tag == "br":
            self._end_line(always=True)
        elif tag == "img":
            self._image(_attribute(inside, "alt"))
        elif tag == "a":
            self._close_link()
            self._link = (_attribute(inside, "href"), len(self._lines), len(self._line))
        elif tag in ("td", "th"):
            if self._begun:
                self._write(" | ")
                self._gap = False
        elif tag in _PARAGRAPHS:
            self._end_paragraph(together=tag in ("p", "ul", "ol") and bool(self._lists))
            self._tight = tag == "p" and "no-margin" in inside  # how Intercom writes a line
            self._quotes += tag == "blockquote"
            self._kept += tag == "pre"
            if tag in ("ul", "ol"):
                self._lists.append(0 if tag == "ol" else None)
        elif tag in _LINES:
            self._end_line()
            if tag == "li":
                self._begin_item()

    def closes(self, tag: str) -> None:
        """The end of an element. One that was never opened changes nothing but the line."""
        if self.hidden_by:
            self._deep -= tag == self.hidden_by
            self.hidden_by = self.hidden_by if self._deep else ""
            return
        if tag == "a":
            self._close_link()
        elif tag in _PARAGRAPHS:
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            self._end_paragraph(together=bool(self._lists))
            self._quotes = max(self._quotes - (tag == "blockquote"), 0)
            self._kept = max(self._kept - (tag == "pre"), 0)
        elif tag in _LINES:
            self._end_line()
            if tag == "li":
                self._marker = ""

    def _write(self, piece: str) -> None:
        if not self._begun:
            self._line.append("> " * min(self._quotes, 9) + self._marker)
            self._marker = ""
            self._begun = True
        self._line.append(piece)

    def _end_line(self, *, always: bool = False) -> None:
        if self._begun or always:
            self._lines.append("".join(self._line))
        self._line, self._begun, self._gap = [], False, False

    def _end_paragraph(self, *, together: bool) -> None:
        self._end_line()
        if self._lines and self._lines[-1] and not together and not self._tight:
            self._lines.append("")

    def _begin_item(self) -> None:
        mark = "- "
        if self._lists and (number := self._lists[-1]) is not None:
            self._lists[-1] = number + 1
            mark = f"{number + 1}. "
        self._marker = "  " * min(max(len(self._lists) - 1, 0), 9) + mark

    def _image(self, alt: str) -> None:
        """A picture is counted; one that stands for a sign (an emoji) is that sign."""
        if alt and len(alt) <= 16 and not _ALNUM.search(alt):
            self._write((" " if self._gap and self._begun else "") + alt)
            self._gap = False
        else:
            self.images += 1

    def _close_link(self) -> None:
        if self._link is None:
            return
        address, line, piece = self._link
        self._link = None
        if not address.lower().startswith(_SHOWN):
            return
        said = "".join(self._line[piece:] if line == len(self._lines) else (*self._lines[line:], *self._line))
        bare = address.removeprefix("mailto:").removeprefix("tel:")
        if _plain_address(bare) in _plain_address(said):
            return
        shown = bare if len(bare) <= MAX_ADDRESS else f"{bare[:MAX_ADDRESS]}…"
        self._write(f" ({shown})" if said.strip() else shown)


def _attribute(inside: str, name: str) -> str:
    for found in _ATTRIBUTE.finditer(inside):
        if found[1].lower() == name:
            return unescape(found[2] or found[3] or found[4] or "").strip()
    return ""


def _plain_address(address: str) -> str:
    return "".join(address.lower().split()).removeprefix("https://").removeprefix("http://").rstrip("/")
