// One conversation: the transcript with its quotes marked, and what was found beside it.

const ROLES = { customer: "Customer", ai: "AI", human: "Human", system: "System", unknown: "Unknown speaker", tool: "Tool" };
const KINDS = { voice: "Voice note", image: "Image", file: "File", note: "Internal note" };
const FOLD = 1500;          // a longer text shows its beginning and the words around each quote
const AROUND = 220;
const PRINTED = 4000;

const title = (code) => (codes[code] ? codes[code].title : code);
const label = (option) => options[option] || option;
const MARKS = { calibrated: "●", part: "◐" };
const colour = (code) => `c${codes[code] ? codes[code].colour : 0}`;

// The stretches of a long text that are shown while it is folded, as [start, end) in its characters.
function windows(piece, fold, around) {
  if (piece.n_chars <= fold) return null;
  const shown = [[0, Math.round(fold / 2)]];
  let at = 0;
  for (const segment of piece.segments) {
    if (segment.findings.length) shown.push([Math.max(0, at - around), at + Math.min(segment.text.length, fold) + around]);
    at += segment.text.length;
  }
  const merged = [];
  for (const [start, end] of shown) {
    const last = merged[merged.length - 1];
    if (last && start <= last[1] + 80) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

const half = (text, index) => index > 0 && index < text.length && (text.charCodeAt(index) & 0xfc00) === 0xdc00;

function fill(node, piece, view, mode) {
  const shown = mode === "all" ? null : windows(piece, mode === "print" ? PRINTED : FOLD, mode === "print" ? PRINTED : AROUND);
  const parts = [];
  const begun = new Set();
  let at = 0, hidden = 0;
  const gap = () => {
    if (!hidden) return;
    const count = hidden.toLocaleString("en");
    if (mode === "print") parts.push(el("span", { class: "fold-note" }, `\n[… ${count} more characters]\n`));
    else parts.push(el("button", { type: "button", class: "gap", click: () => { fill(node, piece, view, "all"); } },
      `Show all: ${count} more characters of ${piece.n_chars.toLocaleString("en")}`));
    hidden = 0;
  };
  for (const segment of piece.segments) {
    const end = at + segment.text.length;
    const stretches = shown ? shown.map(([a, b]) => [Math.max(a, at), Math.min(b, end)]).filter(([a, b]) => a < b) : [[at, end]];
    let done = at;
    for (let [a, b] of stretches) {
      if (half(segment.text, a - at)) a -= 1;
      if (half(segment.text, b - at)) b -= 1;
      if (a < done) a = done;
      hidden += a - done;
      done = b;
      const text = segment.text.slice(a - at, b - at);
      if (!text) continue;
      gap();
      for (const part of marked(text, segment.findings, view, begun)) parts.push(part);
    }
    hidden += end - done;
    at = end;
  }
  gap();
  node.replaceChildren();
  for (const part of parts) node.append(part);     // one by one: there may be more than a call can take
}

function marked(text, findings, view, begun) {
  if (!findings.length) return texts(text);
  const first = view.c.findings[findings[0] - 1];
  const names = findings.map((n) => `${n} ${title(view.c.findings[n - 1].code)}`).join(", ");
  const mark = el("mark", { class: `${colour(first.code)}${findings.length > 1 ? " multi" : ""}`, "data-findings": findings.join(" "), title: names });
  for (const n of findings) {
    if (begun.has(n) || view.print) continue;
    begun.add(n);
    mark.append(el("button", { type: "button", class: `badge ${colour(view.c.findings[n - 1].code)}`, "aria-label": `Finding ${n}: ${title(view.c.findings[n - 1].code)}`,
      click: () => view.focus(n, "card") }, String(n)));
  }
  if (view.print) mark.append(`[${findings.join(", ")}] `);
  for (const part of texts(text)) mark.append(part);
  return [mark];
}

function body(tag, attributes, piece, view) {
  const node = el(tag, { dir: "auto", ...attributes });
  fill(node, piece, view, view.print ? "print" : "fold");
  return node;
}

const textOf = (piece, length) => {
  let text = "";
  for (const segment of piece.segments) { text += segment.text; if (text.length > length) break; }
  return text.slice(0, length).replace(/\s+/g, " ");
};

function message(line, view, again) {
  const anchor = view.print ? null : `m${line.number}`;
  if (line.pieces.length && line.pieces.every((piece) => piece.data)) {
    const what = line.kind === "tool_call" ? "Call" : line.error ? "Error" : "Result";
    return el("div", { class: `tool${line.error ? " error" : ""}`, id: anchor, "data-number": line.number }, line.pieces.map((piece) => {
      const open = view.print || piece.segments.some((segment) => segment.findings.length);
      return el("details", { open },
        el("summary", null, el("span", null, what), el("code", { dir: "auto" }, piece.title || "tool"), el("span", { class: "preview", dir: "auto", "aria-hidden": "true" }, textOf(piece, 160))),
        body("pre", null, piece, view));
    }));
  }
  const kind = KINDS[line.kind];
  const who = el("div", { class: "who" }, again ? null : el("b", null, ROLES[line.role] || line.role),
    kind ? el("span", { class: "kind" }, line.kind in ICONS ? icon(line.kind) : null, kind) : null,
    line.time ? el("span", null, line.time) : null);
  const bubbles = line.pieces.map((piece) => {
    if (!piece.n_chars) return el("div", { class: "bubble blank" }, "(no text)");
    return piece.data ? el("details", { open: view.print || piece.segments.some((s) => s.findings.length) },
      el("summary", null, `Call ${piece.title}`), body("pre", null, piece, view)) : body("div", { class: "bubble" }, piece, view);
  });
  const role = line.role in ROLES && line.role !== "tool" ? line.role : "unknown";
  return el("div", { class: `msg ${role}${line.kind === "note" ? " note" : ""}${again ? " again" : ""}`, id: anchor, "data-number": line.number }, again && kind === undefined && again.time === line.time ? null : who, bubbles,
    el("span", { class: "no", "aria-label": `message ${line.number}` }, `#${line.number}`));
}

function transcript(view) {
  const node = el("div", { class: "transcript", role: "log", "aria-live": "off", "aria-label": "Transcript" });
  let before = null;
  for (const line of view.c.lines) {
    if (line.day) { node.append(el("div", { class: "day" }, line.day)); before = null; }
    if (line.role === "event") node.append(el("div", { class: "event" }, el("span", { dir: "auto" }, `${line.event}${line.time ? ` · ${line.time}` : ""}`)));
    else node.append(message(line, view, before && before.role === line.role && before.kind === line.kind ? before : null));
    before = line.role === "event" ? null : line;
  }
  if (!view.c.lines.length) node.append(el("p", { class: "nothing" }, "This conversation has no messages."));
  return node;
}

function cite(quote, view) {
  const to = quote.message === 0 ? "policy" : `message ${quote.message}`;
  const words = el("blockquote", { dir: "auto" }, quote.text.length > 1200 ? `${quote.text.slice(0, 1200)}…` : quote.text);
  const there = view.c.lines.some((line) => line.number === quote.message);
  const link = there && !view.print
    ? el("button", { type: "button", class: "link cite", click: () => view.toMessage(quote) }, to) : el("span", { class: "cite soft" }, to);
  return [words, el("p", null, link, quote.problem ? el("span", { class: "problem" }, ` · ${quote.problem}`) : null)];
}

function card(finding, view) {
  const code = codes[finding.code] || {};
  return el("article", { class: `finding${finding.supported ? "" : " unsupported"}`, "data-finding": finding.number, tabindex: "-1" },
    el("header", null, el("span", { class: `badge ${finding.supported ? colour(finding.code) : ""}`, "aria-hidden": "true" }, String(finding.number)),
      el("h4", null, title(finding.code)), el("span", { class: `chip ${finding.severity}` }, finding.severity)),
    code.trust ? el("details", { class: `trust ${code.trust.kind}`, open: view.print },
      el("summary", null, el("i", { "aria-hidden": "true" }, MARKS[code.trust.kind] || "○"), ` ${code.trust.short}`), el("p", null, code.trust.text)) : null,
    code.question && finding.supported ? el("p", { class: "question" }, code.question) : null,
    el("p", { class: "reasoning", dir: "auto" }, finding.reasoning),
    finding.quotes.map((quote) => cite(quote, view)),
    finding.clauses.map((clause) => el("p", { class: "clause", dir: "auto" },
      el("span", { class: "source" }, clause.source || "Policy, as quoted by the judge"), clause.before, el("b", null, clause.text), clause.after)));
}

function side(view) {
  const c = view.c;
  const proved = c.findings.filter((f) => f.supported), apart = c.findings.filter((f) => !f.supported);
  const node = el("div", { class: "side" });
  node.append(el("h3", null, proved.length ? `Findings (${proved.length})` : "No proved finding"));
  node.append(...proved.map((finding) => card(finding, view)));
  if (apart.length) node.append(el("h3", null, `Not supported (${apart.length}): no quote holds, never counted`), ...apart.map((f) => card(f, view)));
  node.append(el("h3", null, "Afterwards"), el("div", { class: "after" },
    el("p", null, c.afterwards, c.next_id && view.has(c.next_id) && !view.print ? el("a", { href: view.link(c.next_id) }, ` ${c.next_id}`) : c.next_id ? ` (${c.next_id})` : ""),
    c.csat ? el("p", null, `CSAT ${c.csat} of 5`, c.csat_comment ? [": “", el("span", { dir: "auto" }, c.csat_comment), "”"] : null) : el("p", { class: "soft" }, "No CSAT answer.")));
  node.append(el("details", { class: "verdicts", open: view.print }, el("summary", null, "All verdicts"), c.groups.map((group) => [
    el("h4", { dir: "auto" }, group.rubric),
    el("dl", null, group.verdicts.map((v) => el("div", null,
      el("dt", null, el("span", null, title(v.code)), el("b", null, `${v.answer.replaceAll("_", " ")}${v.support === "unsupported" ? ", unsupported" : v.support === "ruled" ? ", by rule" : ""}`)),
      v.reasoning ? el("dd", { dir: "auto" }, v.reasoning) : null,
      v.quotes.filter((q) => q.text).map((q) => el("dd", { dir: "auto" }, `#${q.message} “${q.text.slice(0, 400)}”`)))))])));
  return node;
}

const RESOLVED = { resolved: "good", partly: "medium", not: "critical" };

function head(view, steps) {
  const c = view.c;
  const about = [c.queue || "no queue", c.channel, c.language, c.when && `${c.when} ${c.zone}`, c.reason && label(c.reason), c.handoff ? "handed off" : "no hand-off", c.mood && `mood: ${label(c.mood).toLowerCase()}`];
  return el("header", { class: "case-head" },
    el("div", { class: "row" }, steps ? el("button", { type: "button", class: "back", click: steps.back }, "‹ List") : null,
      el("h2", { dir: "auto" }, c.id), c.resolved ? el("span", { class: `chip ${RESOLVED[c.resolved] || "low"}` }, resolution(c.resolved)) : null,
      steps ? el("span", { class: "steps" }, el("span", { class: "soft" }, steps.place),
        el("button", { type: "button", click: steps.previous, "aria-label": "Previous conversation", title: "Previous (k)" }, "‹"),
        el("button", { type: "button", click: steps.next, "aria-label": "Next conversation", title: "Next (j)" }, "›")) : null),
    el("div", { class: "about" }, about.filter(Boolean).map((text) => el("span", { dir: "auto" }, text))));
}

const resolution = (answer) => (answer === "not" ? "Not resolved" : answer === "partly" ? "Partly resolved"
  : answer === "cannot_assess" ? "Resolution not assessed" : label(answer));
