// Words of a message as evidence: from what is selected on the page to the stretch of the message's own text, and back from
// a quote to the words it marks. The page shows chips, badges and folds that are no part of the text.

const textFrom = (piece) => piece.segments.map((segment) => segment.text).join("");
const lineOf = (c, number) => c.lines.find((line) => line.number === number);
const NOT_TEXT = ".badge, .gap, .copy, .fold-note, .unseen";

// The characters of `piece` that lie within the range, or null where the node does not show this piece.
function stretch(node, text, range) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  let at = 0, start = -1, end = -1, jumped = false, chip = null;
  const run = new RegExp(UNSEEN.pattern.source, "gu");
  for (let leaf = walker.nextNode(); leaf; leaf = walker.nextNode()) {
    const parent = leaf.parentElement;
    if (parent.closest(NOT_TEXT)) { jumped = jumped || Boolean(parent.closest(".gap")); continue; }
    const within = parent.closest(".ctrl");
    if (within && within === chip) continue;
    let length = leaf.data.length;
    if (within) {
      chip = within;
      run.lastIndex = at;
      const found = run.exec(text);
      if (found && found.index === at && found[1]) length = found[1].length;
      else if (found && jumped && found[1]) { at = found.index; length = found[1].length; } else length = 0;   // a later chip of the same run
    } else {
      chip = null;
      const place = text.startsWith(leaf.data, at) ? at : text.indexOf(leaf.data, at);
      if (place < 0) return null;
      if (place > at && start >= 0 && end < 0) return { folded: true };
      at = place;
    }
    jumped = false;
    if (range.intersectsNode(leaf)) {
      // A chip is taken as a whole, with all characters that it stands for.
      const first = !within && range.startContainer === leaf ? range.startOffset : 0;
      const after = !within && range.endContainer === leaf ? range.endOffset : length;
      if (after > first) {
        if (start < 0) start = at + first;
        end = at + after;
      }
    } else if (start >= 0) break;
    at += length;
  }
  return start < 0 || start >= end ? null : { start, end };
}

// What is selected, as {message, quote}; {problem} where it cannot be evidence; null where nothing is selected.
function selected(c, area) {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  if (!area.contains(range.commonAncestorContainer)) return null;
  const touched = [...area.querySelectorAll(".bubble, pre")].filter((node) => {
    if (!range.intersectsNode(node)) return false;
    const inside = document.createRange();
    inside.selectNodeContents(node);
    if (inside.compareBoundaryPoints(Range.START_TO_START, range) < 0) inside.setStart(range.startContainer, range.startOffset);
    if (inside.compareBoundaryPoints(Range.END_TO_END, range) > 0) inside.setEnd(range.endContainer, range.endOffset);
    return inside.toString().trim() !== "";
  });
  if (!touched.length) return null;
  if (touched.length > 1) return { problem: _("Select words of one message only.") };
  const number = Number(touched[0].closest("[data-number]").dataset.number);
  const line = lineOf(c, number);
  for (const piece of line ? line.pieces : []) {
    const text = textFrom(piece), found = stretch(touched[0], text, range);
    if (found && found.folded) return { problem: _("Part of the selection is folded away. Show all of the message first.") };
    if (!found) continue;
    let { start, end } = found;
    if (half(text, start)) start -= 1;
    if (half(text, end)) end += 1;
    const quote = text.slice(start, end).trim();
    if (quote) return { message: number, quote };
  }
  return null;
}

const WHOLE = 2000;          // a longer message is no quote

function wholeMessage(c, number) {
  const line = lineOf(c, number);
  const piece = line && line.pieces.find((one) => textFrom(one).trim());
  if (!piece) return { problem: _("This message has no words to quote.") };
  const quote = textFrom(piece).trim();
  return quote.length > WHOLE ? { problem: _("This message is long: select the words that show it.") } : { message: number, quote };
}

// A text without what typing changes, and where each of its characters stands in the original.
function folded(text, spaced) {
  let plain = "";
  const places = [];
  for (let at = 0; at < text.length; at += 1) {
    let char = text[at];
    if (/\s/u.test(char)) char = " ";
    else if (/[\u2018\u2019\u201a\u00b4`]/u.test(char)) char = "'";
    else if (/[\u201c\u201d\u201e\u00ab\u00bb]/u.test(char)) char = '"';
    else if (/[\u2010-\u2015\u2212]/u.test(char)) char = "-";
    if (char === " " && (!spaced || plain.endsWith(" "))) continue;
    plain += char;
    places.push(at);
  }
  return { plain, places };
}

function locate(text, quote) {
  const at = text.indexOf(quote);
  if (at >= 0) return [at, at + quote.length];
  for (const spaced of [true, false]) {          // data is shown with indents that the quote may lack
    const there = folded(text, spaced), wanted = folded(quote.trim(), spaced).plain;
    const place = wanted ? there.plain.indexOf(wanted) : -1;
    if (place >= 0) return [there.places[place], there.places[place + wanted.length - 1] + 1];
  }
  return null;
}

// The conversation again, with the quotes {number, message, text} cut out as the report's segments are.
function withQuotes(c, quotes) {
  const lines = c.lines.map((line) => {
    const mine = quotes.filter((quote) => quote.message === line.number && quote.text);
    if (!mine.length) return line;
    const left = new Set(mine);
    return { ...line, pieces: line.pieces.map((piece) => {
      const text = textFrom(piece), spans = [];
      for (const quote of left) {
        const found = locate(text, quote.text);
        if (found) { spans.push([...found, quote.number]); left.delete(quote); }
      }
      if (!spans.length) return piece;
      const edges = [...new Set([0, text.length, ...spans.flatMap(([start, end]) => [start, end])])].sort((a, b) => a - b);
      const segments = edges.slice(1).map((end, n) => ({
        text: text.slice(edges[n], end),
        findings: [...new Set(spans.filter(([a, b]) => a <= edges[n] && end <= b).map(([, , number]) => number))].sort((a, b) => a - b),
      }));
      return { ...piece, segments };
    }) };
  });
  return { ...c, lines };
}

// By keyboard: the next or the previous word of a message is selected; with `extend` the selection grows or shrinks.
function selectWord(node, back, extend) {
  const selection = getSelection(), direction = back ? "backward" : "forward";
  const inside = selection.rangeCount && node.contains(selection.anchorNode);
  if (!inside) {
    const words = node.querySelector(".bubble, pre");
    if (!words || !words.firstChild) return;
    if (words.closest("details")) words.closest("details").open = true;
    const range = document.createRange();
    range.selectNodeContents(words);
    range.collapse(!back);
    selection.removeAllRanges();
    selection.addRange(range);
  } else if (!extend) {
    if (back) selection.collapseToStart(); else selection.collapseToEnd();
    if (back) selection.modify("move", "backward", "word");
  }
  if (!extend && back && inside) selection.modify("extend", "forward", "word");
  else selection.modify("extend", direction, "word");
  if (!node.contains(selection.focusNode)) {
    const range = document.createRange();
    range.selectNodeContents(node.querySelector(".bubble, pre"));
    selection.extend(back ? range.startContainer : range.endContainer, back ? range.startOffset : range.endOffset);
  }
}
