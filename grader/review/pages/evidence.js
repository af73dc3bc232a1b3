// Words of a message as evidence: whole messages, words chosen by keyboard, and quotes marked again. What is selected on the page is
// read by the report's selection.js.

const WHOLE = 2000;          // a longer message is no quote

function wholeMessage(c, number) {
  const line = lineOf(c, number);
  const piece = line && line.pieces.find((one) => textFrom(one).trim());
  if (!piece) return { problem: _("This message has no words to quote.") };
  const quote = textFrom(piece).trim();
  return quote.length > WHOLE ? { problem: _("This message is long: select the words that show it.") } : { message: number, quote };
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
