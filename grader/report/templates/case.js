// One conversation: the transcript with its quotes marked, and what was found beside it.

// `transcript(view)` needs no findings: the review app draws what a reviewer may see with it.
// view: { c, print, focus(n, where), toMessage(quote), has(id), link(id) }; of `c` it needs `lines`.

const roleName = (name) => ({ customer: _("Customer"), ai: _("AI"), human: _("Human"), system: _("System"), unknown: _("Unknown speaker"), tool: _("Tool") })[name] || name;
const kindName = (name) => ({ voice: _("Voice note"), image: _("Image"), file: _("File"), note: _("Internal note") })[name];
const FOLD = 1500;          // a longer text shows its beginning and the words around each quote
const AROUND = 220;
const PRINTED = 4000;

const title = (code) => (named(codes, code) ? codes[code].title : code);
const label = (option) => named(options, option) || option;
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
  const begun = new Set(), urls = addresses(piece);
  let at = 0, hidden = 0;
  const gap = () => {
    if (!hidden) return;
    const count = number(hidden);
    if (mode === "print") parts.push(el("span", { class: "fold-note" }, "\n", _("[… {count} more characters]", { count }), "\n"));
    else parts.push(el("button", { type: "button", class: "gap", click: () => { fill(node, piece, view, "all"); } },
      _("Show all: {count} more characters of {all}", { count, all: number(piece.n_chars) })));
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
      for (const part of marked(text, segment.findings, view, begun, (words) => inert(words, a, urls, view))) parts.push(part);
    }
    hidden += end - done;
    at = end;
  }
  gap();
  node.replaceChildren();
  for (const part of parts) node.append(part);     // one by one: there may be more than a call can take
}

function marked(text, findings, view, begun, drawn) {
  if (!findings.length) return drawn(text);
  const first = view.c.findings[findings[0] - 1];
  const names = findings.map((n) => `${n} ${title(view.c.findings[n - 1].code)}`).join(", ");
  const mark = el("mark", { class: `${colour(first.code)}${findings.length > 1 ? " multi" : ""}`, "data-findings": findings.join(" "), title: names });
  for (const n of findings) {
    if (begun.has(n) || view.print) continue;
    begun.add(n);
    const name = _("Finding {n}: {title}", { n, title: title(view.c.findings[n - 1].code) });
    mark.append(el("button", { type: "button", class: `badge ${colour(view.c.findings[n - 1].code)}`, "aria-label": name, lang: "", "data-to": n,
      click: () => view.focus(n, "card") }, String(n)));
  }
  if (view.print) mark.append(`[${findings.join(", ")}] `);
  for (const part of drawn(text)) mark.append(part);
  return [mark];
}

// Addresses in a text, as [start, end, what is copied]. Nothing leads out of this page: they are text, with a button.
const ADDRESS = /(?<![\p{L}\p{N}])(?:(?:https?|ftp):\/\/|www\.)[^\s<>"“”«»]+/giu;
function addresses(piece) {
  if (piece.segments.length > 2000) return [];
  const found = [];
  for (const match of piece.segments.map((segment) => segment.text).join("").matchAll(ADDRESS)) {
    const text = match[0].replace(/[.,;:!?'’)\]}>*_\\]+$/u, "");
    if (text.length < 8 || found.length >= 200) continue;
    found.push([match.index, match.index + text.length, plainAddress(text)]);
  }
  return found;
}

// As a browser would go there: a host in other letters is written in its ASCII form, and nothing unseen is in it.
function plainAddress(text) {
  const seen = text.replace(UNSEEN.pattern, (all, run) => (run ? "" : all));
  try { return new URL(/^www\./i.test(seen) ? ["https:", "", seen].join("/") : seen).href; } catch { return seen; }
}

function inert(text, from, urls, view) {
  const parts = [];
  let done = 0;
  for (const [start, end, address] of urls) {
    const a = Math.max(start - from, done), b = Math.min(end - from, text.length);
    if (a >= b) continue;
    parts.push(...texts(text.slice(done, a)));
    const words = el("span", { class: "url", dir: "ltr", lang: "zxx" }, text.slice(a, b));
    parts.push(words);
    if (end - from === b && !view.print) parts.push(copyButton(address, words));
    done = b;
  }
  return [...parts, ...texts(text.slice(done))];
}

function copyButton(address, words) {
  const name = _("Copy the address {address}", { address });
  const button = el("button", { type: "button", class: "copy", lang: "", "aria-label": name, title: name }, icon("copy"));
  const tell = (text, shape) => {
    if (byId("status")) byId("status").textContent = text;
    button.replaceChildren(icon(shape));
    button.classList.toggle("done", shape === "done");
  };
  button.addEventListener("click", () => {
    const select = () => { getSelection().selectAllChildren(words); tell(_("Selected: copy it with Ctrl+C"), "copy"); };
    if (!navigator.clipboard) return select();
    return navigator.clipboard.writeText(address).then(() => {
      tell(_("Copied: {address}", { address: writtenOut(address) }), "done");
      setTimeout(() => tell("", "copy"), 2000);
    }, select);
  });
  return button;
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

const quoted = (piece) => piece.segments.some((segment) => segment.findings.length);
const NO_WORDS = { lang: "zxx", dir: "ltr" };      // a tool's data is no language; its texts keep their own order inside

// A call with its result, or a result that nobody has asked for, as one folded card.
function tool(line, piece, result, view, anchor) {
  const failed = (result || line).error;
  const answers = result ? result.pieces : [];
  const open = view.print || [piece, ...answers].some(quoted);
  const what = line.kind !== "tool_call" ? (failed ? _("Error") : _("Result")) : failed ? _("Failed") : result ? _("Done") : "";
  const part = (name, number, own, id) => el("div", { class: "tool-part", id, "data-number": number, tabindex: id ? "-1" : null },
    el("p", { class: "tool-name" }, name, el("span", { class: "no" }, `#${number}`)), body("pre", { ...NO_WORDS, tabindex: view.print ? null : "0", role: "group", "aria-label": name }, own, view));
  return el("details", { class: `tool-card${failed ? " error" : ""}`, open },
    el("summary", null, icon("tool"), el("code", { dir: "auto", lang: "zxx" }, piece.title || _("tool")),
      el("span", { class: "preview", "aria-hidden": "true", ...NO_WORDS }, textOf(piece, 160)),
      piece.took ? el("span", { class: "took" }, piece.took) : null,
      what ? el("span", { class: `how ${failed ? "failed" : ""}` }, what) : null),
    line.kind === "tool_call" ? part(_("Called with"), line.number, piece, anchor) : null,
    line.kind === "tool_call" ? answers.map((own, n) => part(failed ? _("Error") : _("Result"), result.number, own, n || view.print ? null : `m${result.number}`))
      : part(failed ? _("Error") : _("Result"), line.number, piece, anchor));
}

const anchorOf = (line, view) => (view.print ? null : `m${line.number}`);

function message(line, view, place) {
  const anchor = anchorOf(line, view);
  const numbered = { "data-number": line.number };
  if (line.pieces.length && line.pieces.every((piece) => piece.data)) {
    return el("li", { class: `tool${line.error ? " error" : ""}`, ...numbered },
      line.pieces.map((piece, n) => tool(line, piece, place.result(piece), view, n ? null : anchor)));
  }
  const sort = kindName(line.kind), name = roleName(line.role);
  const who = el("div", { class: "who" }, place.first ? el("b", null, name, line.name ? [" · ", el("bdi", { lang: "" }, line.name)] : null) : el("span", { class: "unseen" }, name),
    sort ? el("span", { class: "kind" }, line.kind in ICONS ? icon(line.kind) : null, sort, line.length ? ` ${line.length}` : null) : null);
  const bubbles = line.pieces.map((piece) => {
    if (!piece.n_chars) return el("div", { class: "bubble blank" }, _("(no text)"));
    return piece.data ? tool({ ...line, kind: "tool_call" }, piece, place.result(piece), view, null) : body("div", { class: "bubble", lang: langOf(line, view) }, piece, view);
  });
  const from = ["customer", "ai", "human", "system"].includes(line.role) ? line.role : "unknown";
  return el("li", { class: `msg ${from}${line.kind === "note" ? " note" : ""}${place.first ? "" : " again"}${place.last ? " last" : ""}`, id: anchor, tabindex: view.print ? null : "-1", ...numbered },
    who, bubbles, el("span", { class: "no" }, el("span", { class: "unseen" }, _("message"), " "), `#${line.number}`, line.time ? el("time", null, line.time) : null));
}

// What people and the AI say is in the conversation's language, where that is known; of the rest nobody knows.
const langOf = (line, view) => (["customer", "ai", "human"].includes(line.role) && line.kind !== "note" ? view.c.lang || "" : "");

function transcript(view) {
  const { lines } = view.c;
  const node = el("ol", { class: "transcript", role: "list", "aria-label": _("Transcript") });
  const byNumber = new Map(lines.filter((line) => line.number !== null).map((line) => [line.number, line]));
  const result = (piece) => (piece.result ? byNumber.get(piece.result) : null);
  const drawn = [];
  let day = "";
  for (const line of lines) {
    day = line.day || day;
    if (line.answers) continue;             // stands in the card of its call; a day that begins there begins after it
    drawn.push(day === line.day ? line : { ...line, day });
    day = "";
  }
  const joined = (a, b) => a && b && a.role === b.role && a.kind === b.kind && a.name === b.name && a.role !== "event" && !b.day && !b.wait;
  drawn.forEach((line, n) => {
    if (line.day) node.append(el("li", { class: "day" }, line.day));
    else if (line.wait) node.append(el("li", { class: "wait" }, line.wait));
    if (line.role === "event") node.append(el("li", { class: `event ${line.kind === "handoff" ? "handoff" : ""}` }, el("span", null, line.kind === "handoff" ? icon("person") : null, el("bdi", { lang: "" }, line.event), line.time ? [" · ", el("time", null, line.time)] : null)));
    else node.append(message(line, view, { first: !joined(drawn[n - 1], line), last: !joined(line, drawn[n + 1]), result }));
  });
  if (!lines.length) node.append(el("li", { class: "nothing" }, _("This conversation has no messages.")));
  if (view.c.afterwards) node.append(el("li", { class: "ending" }, el("h3", null, _("Afterwards")), afterwards(view)));
  return node;
}

function toOther(other, view) {
  const name = el("bdi", { lang: "" }, other.id);
  if (view.print) return name;
  return view.has(other.id) ? el("a", { href: view.link(other.id) }, name) : el("span", { class: "soft", title: _("not in this report") }, name);
}

function others(list, view) {
  return list.length ? el("ul", { class: "others" }, list.map((other) => el("li", null, toOther(other, view), " ", other.text,
    other.references.map((reference) => el("bdi", { class: "reference", lang: "" }, reference))))) : null;
}

// What happened before and afterwards, as far as it is known.
function afterwards(view) {
  const c = view.c, after = c.after || { returns: [], before: [], told: [] };
  const missing = [...after.before, ...after.returns].filter((other) => !view.has(other.id));
  const alone = c.next_id && !after.returns.length ? { id: c.next_id, text: "", references: [] } : null;
  return el("div", { class: "after" },
    after.before.length ? [el("p", null, _("This one is itself a return:")), others(after.before, view)] : null,
    after.returns.length ? others(after.returns, view) : el("p", null, c.afterwards, alone ? [" ", toOther(alone, view)] : null),
    missing.length && !view.print ? el("p", { class: "soft" }, _("Not in this report, since nothing was flagged there: {ids}. grader report --all has all.", { ids: missing.map((other) => writtenOut(other.id)).join(", ") })) : null,
    after.told.map((text) => el("p", null, text)),
    c.csat ? el("p", null, _("CSAT {csat} of 5", { csat: c.csat }), c.csat_comment ? [": “", el("bdi", { lang: c.lang || "" }, c.csat_comment), "”"] : null) : el("p", { class: "soft" }, _("No CSAT answer.")));
}

// A quote and the way to it: the focus goes to the words, whose number leads back.
function cite(quote, finding, view) {
  const to = quote.message === 0 ? _("policy") : _("message {n}", { n: quote.message });
  const words = el("blockquote", { dir: "auto", lang: quote.message && finding.supported ? view.c.lang || "" : "" }, quote.text.length > 1200 ? `${quote.text.slice(0, 1200)}…` : quote.text);
  const there = view.c.lines.some((line) => line.number === quote.message);
  const link = there && !view.print
    ? el("button", { type: "button", class: "link cite", click: () => { view.toMessage(quote); land(quote, finding); } }, to) : el("span", { class: "cite soft" }, to);
  return [words, el("p", null, link, quote.problem ? el("span", { class: "problem" }, ` · ${quote.problem}`) : null)];
}

function land(quote, finding) {
  const place = byId(`m${quote.message}`);
  const badge = place && place.querySelector(`button[data-to="${finding.number}"]`);
  (badge || place).focus({ preventScroll: true });
}

const severityName = (name) => named({ critical: _("critical"), high: _("high"), medium: _("medium"), low: _("low") }, name) || name;

function trusted(trust, view) {
  return trust ? el("details", { class: `trust ${trust.kind}`, open: view.print },
    el("summary", null, el("i", { "aria-hidden": "true" }, MARKS[trust.kind] || "○"), ` ${trust.short}`), el("p", null, trust.text)) : null;
}

// The same is said once, above the cards, where it holds of all of them.
function trustedAlike(findings) {
  const [first, ...rest] = findings.map((finding) => (codes[finding.code] || {}).trust);
  return first && rest.length && rest.every((one) => one && one.kind === first.kind && one.text === first.text) ? first : null;
}

// The findings by name, above the chat where there is no room beside it: each leads to its words, or else to its card.
function outline(view) {
  const found = view.c.findings.filter((finding) => finding.supported);
  return found.length ? el("nav", { class: "outline", "aria-label": _("Findings by name") }, el("ol", { role: "list" }, found.map((finding) => {
    const quote = finding.quotes.find((one) => one.message);
    return el("li", null, el("button", { type: "button", class: `to-finding ${finding.severity}`, click: () => { view.focus(finding.number, quote ? "text" : "card"); if (quote) land(quote, finding); } },
      el("span", { class: `badge ${colour(finding.code)}`, "aria-hidden": "true" }, String(finding.number)), el("span", { class: "unseen" }, `${severityName(finding.severity)}: `), el("span", { lang: "" }, title(finding.code))));
  }))) : null;
}

function card(finding, view, alike) {
  const code = codes[finding.code] || {};
  const name = `f${finding.number}-title`;
  const about = [finding.judged, finding.cost, finding.repeats].filter(Boolean);
  return el("article", { class: `finding${finding.supported ? "" : " unsupported"}`, "data-finding": finding.number, tabindex: "-1", "aria-labelledby": view.print ? null : name },
    el("header", null, el("span", { class: `badge ${finding.supported ? colour(finding.code) : ""}`, "aria-hidden": "true" }, String(finding.number)),
      el("h4", { id: view.print ? null : name, lang: "" }, title(finding.code)), el("span", { class: `chip ${finding.severity}` }, severityName(finding.severity))),
    alike ? null : trusted(code.trust, view),
    code.question ? el("p", { class: "question", lang: "" }, code.question) : null,
    el("p", { class: "reasoning", dir: "auto", lang: "" }, finding.reasoning),
    finding.quotes.map((quote) => cite(quote, finding, view)),
    finding.clauses.map((clause) => el("div", { class: "clause" },
      el("p", { class: "source" }, el("span", null, _("Policy broken: ")), el("bdi", { lang: "" }, clause.source || _("as quoted by the judge")), clause.valid ? `, ${clause.valid}` : ""),
      el("p", { dir: "auto", lang: "" }, clause.before, el("b", null, clause.text), clause.after))),
    about.length ? el("p", { class: "judged" }, about.map((text, n) => [n ? " · " : "", el("bdi", null, text)])) : null,
    people("p", view, finding.rubric, finding.code, "present"), answering(view, finding.rubric, finding.code, "card"));
}

const answerWord = (answer) => named({ present: _("present"), absent: _("absent"), not_applicable: _("not applicable"), cannot_assess: _("cannot assess") }, answer) || label(answer).replaceAll("_", " ");
const answerOf = (v) => [answerWord(v.answer),
  v.support === "unsupported" ? _("unsupported") : v.support === "ruled" ? _("by rule") : ""].filter(Boolean).join(", ");

function side(view) {
  const c = view.c;
  const proved = c.findings.filter((f) => f.supported), apart = c.findings.filter((f) => !f.supported);
  const node = el("div", { class: "side" });
  node.append(el("h3", null, proved.length ? _("Findings ({n})", { n: proved.length }) : _("No proved finding")));
  const alike = trustedAlike(c.findings);
  if (alike) node.append(trusted(alike, view));
  node.append(...proved.map((finding) => card(finding, view, alike)));
  if (apart.length) node.append(el("h3", null, _("Not supported ({n}): no quote holds, never counted", { n: apart.length })), ...apart.map((f) => card(f, view, alike)));
  if (gathering.masked && !view.print) node.append(el("p", { class: "soft masked-labels" }, _("Labels cannot be given here: in a masked report names of conversations and words may be others than those that the database has.")));
  const lines = el("details", { class: "verdicts", open: view.print }, el("summary", null, _("All verdicts")), c.groups.map((group) => [
    el("h4", { dir: "auto", lang: "" }, group.rubric),
    el("dl", null, group.verdicts.map((v) => el("div", null,
      el("dt", null, el("span", { lang: "" }, title(v.code)), el("b", null, answerOf(v))),
      v.reasoning ? el("dd", { dir: "auto", lang: "" }, v.reasoning) : null,
      v.quotes.filter((q) => q.text).map((q) => el("dd", { lang: c.lang || "" }, `#${q.message} “`, el("bdi", null, q.text.slice(0, 400)), "”")),
      people("dd", view, rubricOf(group), v.code, v.answer), sayTo(view, group, v))))]));
  if (lines.querySelector("form")) lines.open = true;
  node.append(lines);
  return node;
}

const rubricOf = (group) => group.rubric.slice(0, group.rubric.lastIndexOf(" "));

// What people answered blind, where they did.
function people(tag, view, rubric, code, judge) {
  const given = (view.c.people || []).filter((one) => one.rubric === rubric && one.code === code);
  if (!given.length) return null;
  const same = given.filter((one) => one.answer === judge).length, all = same === given.length;
  const how = all ? _("People agree:") : same ? _("People differ among themselves:") : _("People differ from the judge:");
  return el(tag, { class: `people-said${all ? " same" : ""}` }, el("i", { "aria-hidden": "true" }, all ? "=" : "≠"), " ", how, " ",
    given.map((one, n) => [n ? "; " : "", el("b", null, answerWord(one.answer)), " (", el("bdi", { lang: "" }, one.reviewers.join(", ")), ")"]));
}

function sayTo(view, group, v) {
  const said = answering(view, rubricOf(group), v.code, "line");
  return said ? el("dd", { class: "say" }, said) : null;
}

const RESOLVED = { resolved: "good", partly: "medium", not: "critical" };

function head(view, steps) {
  const c = view.c;
  const about = [c.queue || _("no queue"), c.channel, c.language, c.when && `${c.when} ${c.zone}`, c.reason && c.reason !== "cannot_assess" && _("reason: {reason}", { reason: label(c.reason) }), c.handoff ? _("handed off") : _("no hand-off"),
    c.mood && c.mood !== "cannot_assess" && _("mood: {mood}", { mood: label(c.mood).toLowerCase() })];
  return el("header", { class: "case-head" },
    el("div", { class: "row" }, steps ? el("button", { type: "button", class: "back", click: steps.back }, _("‹ List")) : null,
      el("h2", { dir: "auto", lang: "zxx" }, c.id), c.resolved ? el("span", { class: `chip ${named(RESOLVED, c.resolved) || "low"}` }, resolution(c.resolved)) : null,
      steps ? el("span", { class: "steps" }, el("span", { class: "soft" }, steps.place),
        el("button", { type: "button", click: steps.previous, "aria-label": _("Previous conversation"), title: _("Previous (k)") }, "‹"),
        el("button", { type: "button", click: steps.next, "aria-label": _("Next conversation"), title: _("Next (j)") }, "›")) : null),
    el("div", { class: "about" }, about.filter(Boolean).map((text) => el("bdi", null, text))));
}

const resolution = (answer) => (answer === "not" ? _("Not resolved") : answer === "partly" ? _("Partly resolved")
  : answer === "cannot_assess" ? _("Resolution not assessed") : label(answer));
