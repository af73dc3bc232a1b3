// Words of a message: from what is selected on the page to the stretch of the message's own text, and from a quote to where it
// stands in a text. The page shows chips, badges and folds that are no part of the text. The review app takes evidence with it,
// the report quotes for labels.

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

// A selection that begins or ends inside a word takes the whole of it; one that begins with a quotation mark ends with its other half
// where that is the next character, and else leaves it out.
const QUOTATION = { '"': '"', "“": "”", "„": "“", "«": "»", "(": ")" };
const segmenter = window.Intl && Intl.Segmenter ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;
function wholeWords(text, start, end) {
  while (start < end && /\s/u.test(text[start])) start += 1;
  while (end > start && /\s/u.test(text[end - 1])) end -= 1;
  if (start === end) return [start, end];
  if (segmenter) {
    const segments = segmenter.segment(text), first = segments.containing(start), last = segments.containing(end - 1);
    if (first.isWordLike) start = first.index;
    if (last.isWordLike) end = last.index + last.segment.length;
  }
  const other = QUOTATION[text[start]];
  if (other && !text.slice(start + 1, end).includes(other)) { if (text[end] === other) end += 1; else if (end - start > 1) start += 1; }
  return [start, end];
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
    [start, end] = wholeWords(text, start, end);
    const quote = text.slice(start, end).trim();
    if (quote) return { message: number, quote };
  }
  return null;
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
