// Draws the bar at the top, the conversation, and the questions beside it.

const SIGNS = { new: "○", begun: "◐", deferred: "↷", submitted: "●", gone: "–" };
const stateName = (state) => ({ new: _("new"), begun: _("begun"), deferred: _("deferred"), submitted: _("submitted"), gone: _("gone") })[state] || state;
function answerName(value) {
  const known = { present: _("Present"), absent: _("Absent"), not_applicable: _("Not applicable"), cannot_assess: _("Cannot assess") };
  if (!value) return _("No answer");
  const words = value.replaceAll("_", " ");
  return named(known, value) || words.charAt(0).toUpperCase() + words.slice(1);
}

const announce = (text) => { byId("status").textContent = writtenOut(text); };

// New content for a node; what had the focus has it again, if it is still there.
function redraw(node, ...children) {
  const active = document.activeElement, key = active && node.contains(active) ? active.dataset.f || "" : null;
  const place = active && key ? [active.selectionStart, active.selectionEnd] : null;
  node.replaceChildren();
  for (const child of children.flat(Infinity)) if (child) node.append(child);
  if (key === null) return;
  const again = key && node.querySelector(`[data-f="${CSS.escape(key)}"]`);
  if (!again) { if (node.id) node.focus({ preventScroll: true }); return; }
  again.focus({ preventScroll: true });
  if (place && "value" in again && place[0] !== undefined && again.tagName === "TEXTAREA") again.setSelectionRange(...place);
}

// Everything; `talk` also draws the conversation anew, `top` shows it from its beginning.
function draw(talk, top) {
  if (!app.session) return;
  document.body.dataset.screen = app.screen;
  drawBar();
  if (app.screen === "end") { drawEnd(); drawMessage(); return; }
  const item = shown();
  if (talk || !byId("talk").firstChild) drawTalk(item);
  if (top) { byId("scroll").scrollTop = 0; scrollTo(0, 0); }
  if (app.screen === "finding") drawFinding(byId("panel")); else drawPanel(item);
  drawMessage();
  drawChosen();
}

// --- the bar ---

const seconds = (n) => (n < 90 ? _("{n} s", { n: number(Math.round(n)) }) : _("{n} min", { n: number(Math.round(n / 60)) }));

function pace() {
  const p = app.session.progress, each = p.seconds_per_item, left = p.n_items - p.n_submitted;
  if (!each || !left) return "";
  return _("about {each} an item, {left} left", { each: seconds(each), left: seconds(each * left) });
}

function savedState() {
  const n = outbox.n, saved = app.session ? app.session.progress.saved || {} : {};
  if (outbox.ended) {
    return ["bad", _("Session ended"), n ? ngettext("This session has ended. Open the address that grader review printed last: {n} answer waits in this browser and is sent from there.",
      "This session has ended. Open the address that grader review printed last: {n} answers wait in this browser and are sent from there.", n) : _("This session has ended. Open the address that grader review printed last.")];
  }
  if (outbox.failed) {
    return ["bad", _("Not connected"), n ? ngettext("Not connected: {n} answer waits here and is sent as soon as the server is back. Go on meanwhile.",
      "Not connected: {n} answers wait here and are sent as soon as the server is back. Go on meanwhile.", n) : _("Not connected.")];
  }
  if (n && app.saving) return ["busy", _("Saving…"), ""];
  if (saved.n_waiting && saved.held_by) return ["kept", _("Kept on disk"), _("Kept on disk, waiting for the database: {why}", { why: saved.held_by })];
  return ["good", _("Saved"), ""];
}

let slow = 0;
function drawSaved() {
  if (outbox.n && !slow) slow = setTimeout(() => { app.saving = outbox.n > 0; slow = 0; drawSaved(); }, 400);
  if (!outbox.n) app.saving = false;
  const box = byId("saved");
  if (!box) return;
  const [kind, short, long] = savedState();
  if (box.dataset.kind !== kind || box.textContent !== short) {
    box.dataset.kind = kind;
    box.textContent = short;
  }
  box.title = writtenOut(long || short);
  drawMessage();
}

function drawBar() {
  const p = app.session.progress, done = p.n_submitted, all = p.n_items;
  const meter = el("progress", { max: String(all || 1), value: String(done), "aria-label": _("Submitted items") });
  redraw(byId("bar"),
    el("span", { class: "brand" }, logo(), el("span", { class: "wide" }, "Grader")),
    el("span", { class: "who-am-i wide" }, el("b", { dir: "auto" }, app.session.reviewer), " ", judges() ? _("is deciding") : app.session.role === "owner" ? _("is the owner of") : _("is labelling"), " ", el("code", null, app.session.plan)),
    el("span", { class: "progress" }, all ? [meter, el("span", { class: "count" }, _("{done} of {all}", { done: number(done), all: number(all) })), el("span", { class: "pace soft" }, pace())] : null),
    el("span", { class: "tools" },
      el("span", { id: "saved", class: "saved" }),
      app.session.items.length === 0 ? null : el("button", { type: "button", class: "quiet", "data-f": "items", click: () => openItems() }, _("Items"), el("kbd", { "aria-hidden": "true", class: "wide" }, "/")),
      app.session.report ? el("button", { type: "button", class: "quiet wide", "data-f": "disputes", click: () => openDisputes() }, _("Disputes")) : null,
      el("button", { type: "button", class: "quiet wide", "data-f": "theme", id: "theme", click: switchTheme, "aria-label": dark() ? _("Switch to the light theme") : _("Switch to the dark theme") }, dark() ? _("Light") : _("Dark")),
      el("button", { type: "button", class: "quiet", "data-f": "help", click: () => openHelp() }, el("span", { class: "wide" }, _("Keys and settings")), el("kbd", { class: "narrow-plain" }, "?"))));
  drawSaved();
}

function logo() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "logo");
  for (const [tag, given] of [["rect", { width: 16, height: 16, rx: 4 }], ["path", { d: "M4 8.5l2.5 2.5L12 5.5" }]]) {
    const part = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(given)) part.setAttribute(name, value);
    svg.append(part);
  }
  return svg;
}

function switchTheme() {
  root.dataset.theme = dark() ? "light" : "dark";
  keep.set("theme", root.dataset.theme);
  draw();
}

// What was just said, or what stands in the way of saving: over the page, so that nothing moves.
function drawMessage() {
  const [kind, , long] = savedState(), text = kind === "bad" ? long : app.message;
  const box = byId("message");
  box.hidden = !text;
  box.classList.toggle("bad", kind === "bad");
  if (box.textContent !== writtenOut(text)) box.textContent = writtenOut(text);
}

// --- the conversation ---

// Quotes to mark: what the judge quoted once that may be seen, else what this person quoted.
function quotesOf(item) {
  const found = [];
  if (item.reveal) {
    for (const one of item.reveal.questions) for (const quote of (one.judge || {}).quotes || []) {
      if (quote.message && !quote.problem) found.push({ code: one.question, message: quote.message, text: quote.text });
    }
  }
  for (const name of item.asked) {
    const mine = item.answers[name];
    if (mine && mine.quote && !found.some((one) => one.code === name && one.text === mine.quote)) found.push({ code: name, message: mine.message, text: mine.quote, mine: true });
  }
  return found.map((one, n) => ({ ...one, number: n + 1 }));
}

function viewOf(item) {
  const quotes = quotesOf(item);
  const view = {
    c: { ...withQuotes(item.conversation, quotes), findings: quotes, lang: TAG.test(item.conversation.language || "") ? item.conversation.language : "" }, print: false, has: () => false, link: () => "#",
    focus: (n) => toQuestion(quotes[n - 1].code),
    toMessage: (quote) => toQuote(quote),
  };
  return view;
}

function toQuestion(name) {
  const item = here();
  if (!item) return;
  if (item.state === "submitted") { const row = byId(`r-${name}`); if (row) { row.open = true; row.scrollIntoView({ block: "nearest" }); row.querySelector("summary").focus(); } return; }
  app.open = name;
  draw();
}

function toQuote(quote) {
  const place = byId(`m${quote.message}`);
  if (!place) return;
  for (const on of document.querySelectorAll("mark.on")) on.classList.remove("on");
  const marks = [...place.querySelectorAll("mark")], wanted = marks.filter((mark) => quote.text.includes(mark.textContent.replace(/^\d+/, "").slice(0, 40)));
  for (const mark of wanted) mark.classList.add("on");
  read(quote.message, wanted[0]);
}

// The message with this number is the one that is being read.
function read(n, place) {
  const node = byId(`m${n}`);
  if (!node) return;
  app.reading = n;
  for (const fold of [node.closest("details"), ...node.querySelectorAll("details")]) if (fold) fold.open = true;
  for (const other of document.querySelectorAll(".reading")) other.classList.remove("reading");
  node.classList.add("reading");
  node.tabIndex = -1;
  node.focus({ preventScroll: true });
  (place || node).scrollIntoView({ block: place ? "center" : "nearest" });
}

function readOn(by) {
  if (!shown()) return;
  const numbers = [...byId("talk").querySelectorAll('[id^="m"][data-number], [data-number] [id^="m"]')].map((node) => Number(node.id.slice(1)));
  if (!numbers.length) return;
  const at = numbers.indexOf(app.reading);
  read(numbers[at < 0 ? (by > 0 ? 0 : numbers.length - 1) : Math.max(0, Math.min(numbers.length - 1, at + by))]);
}

const TAG = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;
function drawTalk(item) {
  const items = app.session.items, at = items.findIndex((one) => one.id === app.id), scroll = byId("scroll"), was = scroll ? scroll.scrollTop : 0;
  const c = item && item.conversation, inside = byId("talk").contains(document.activeElement) && document.activeElement.id === `m${app.reading}`;
  const head = el("header", { class: "talk-head" },
    el("div", { class: "line" },
      el("h1", { id: "talk-title", dir: "auto" }, app.screen === "finding" ? (item ? item.conversation_id : _("Conversation")) : _("Item {n} of {total}", { n: number(at + 1), total: number(items.length) })),
      app.screen === "item" && item && item.state !== "begun" && item.state !== "new" ? el("span", { class: "chip" }, `${SIGNS[item.state]} ${stateName(item.state)}`) : null,
      app.screen === "finding" ? null : el("span", { class: "steps" },
        el("button", { type: "button", "data-f": "before", disabled: at <= 0, "aria-label": _("Previous item"), title: `${_("Previous item")} (k)`, click: () => step(-1) }, "‹"),
        el("button", { type: "button", "data-f": "after", disabled: at >= items.length - 1, "aria-label": _("Next item"), title: `${_("Next item")} (j)`, click: () => step(1) }, "›"))),
    el("p", { class: "about soft" }, c ? [c.channel, c.queue && _("queue {name}", { name: c.queue }), c.language, c.when && `${c.when} ${c.zone || ""}`.trim()].filter(Boolean).map((text) => el("span", { dir: "auto" }, text)) : null));
  const body = el("div", { class: "scroll", id: "scroll", tabindex: "0", role: "region", "aria-label": _("Conversation") });
  if (item) {
    if (item.policies && item.policies.length) body.append(el("details", { class: "policies", "data-f": "policies" },
      el("summary", null, ngettext("{n} policy in force", "{n} policies in force", item.policies.length)),
      item.policies.map((policy) => el("section", null, el("h2", { dir: "auto" }, policy.title), el("p", { dir: "auto" }, policy.text)))));
    const notes = [c.has_tools === false && _("No tool calls are recorded."), c.truncated && _("The source has cut messages off.")].filter(Boolean);
    for (const text of notes) body.append(el("p", { class: "soft case-note" }, text));
    const shown = transcript(viewOf(item));
    if (TAG.test(c.language || "")) for (const node of shown.querySelectorAll(".bubble:not([lang])")) node.lang = c.language;
    body.append(shown);
  } else body.append(el("p", { class: "nothing late" }, _("Loading…")));
  const bar = el("div", { class: "chosen", id: "chosen", hidden: true });
  redraw(byId("talk"), head, body, bar);
  byId("scroll").scrollTop = was;
  const node = app.reading && byId(`m${app.reading}`);
  if (!node) return;
  node.classList.add("reading");
  node.tabIndex = -1;
  if (inside) node.focus({ preventScroll: true });
}

// What is selected can be attached by hand, too; the bar lies over the conversation.
function drawChosen() {
  const item = here(), bar = byId("chosen");
  if (!bar) return;
  const found = item && item.state !== "submitted" ? selected(item.conversation, byId("talk")) : null;
  bar.hidden = !(found && found.quote);
  if (bar.hidden) return;
  const name = evidenceFor(item);
  bar.replaceChildren(el("span", { class: "soft words", dir: "auto" }, `“${found.quote.slice(0, 80)}${found.quote.length > 80 ? "…" : ""}”`),
    el("button", { type: "button", class: "primary", pointerdown: (event) => event.preventDefault(), mousedown: (event) => event.preventDefault(), click: evidence },
      _("Evidence for “{title}”", { title: question(name).title }), el("kbd", { "aria-hidden": "true", class: "wide" }, "e")));
}

// --- the questions ---

function drawPanel(item) {
  const panel = byId("panel");
  panel.classList.toggle("coming", !item);
  if (!item) { redraw(panel, el("h2", { id: "panel-title", class: "panel-head" }, _("Questions"))); return; }
  if (item.state === "submitted" && item.reveal) { drawReveal(item); return; }
  const n = item.asked.length - openOnes(item).length, at = item.asked.indexOf(app.open);
  const lacking = item.asked.filter((name) => lacksProof(item, name)).length;
  const scroll = byId("panel-body"), was = scroll ? scroll.scrollTop : 0;
  redraw(panel,
    el("header", { class: "panel-head" },
      el("h2", { id: "panel-title" }, at >= 0 ? _("Question {n} of {total}", { n: number(at + 1), total: number(item.asked.length) }) : _("Questions")),
      el("span", { class: "soft" }, _("{n} of {total} answered", { n: number(n), total: number(item.asked.length) })),
      at >= 0 ? el("span", { class: "narrow turns" },
        el("button", { type: "button", class: "quiet", "data-f": "turn-back", "aria-label": _("Previous question"), disabled: at === 0, click: () => turn(-1) }, "‹"),
        el("button", { type: "button", class: "quiet", "data-f": "turn", "aria-label": _("Next question"), disabled: at === item.asked.length - 1, click: () => turn(1) }, "›"),
        el("button", { type: "button", class: "quiet", "data-f": "whole", "aria-pressed": String(panel.classList.contains("whole")), click: () => { panel.classList.toggle("whole"); draw(); } }, _("All"))) : null),
    el("div", { class: "panel-body", id: "panel-body" },
      el("ol", { class: "questions" }, item.asked.map((name, place) => (name === app.open ? openQuestion(item, name, place) : closedQuestion(item, name, place)))),
      noteField(item, "", "item-note", item.note || "", _("Note on this item"))),
    el("footer", { class: "panel-foot" },
      item.state === "submitted"
        ? el("button", { type: "button", class: "primary", id: "primary", "data-f": "primary", click: submit }, app.waiting ? _("Submitting…") : _("Next"), el("kbd", { "aria-hidden": "true" }, "Enter"))
        : el("button", { type: "button", class: n === item.asked.length ? "primary" : "primary waiting", id: "primary", "data-f": "primary", click: submit },
          n === item.asked.length ? (lacking ? ngettext("Submit, {n} without proof", "Submit, {n} without proof", lacking) : _("Submit")) : ngettext("{n} left", "{n} left", item.asked.length - n), n === item.asked.length ? el("kbd", { "aria-hidden": "true" }, "Enter") : null),
      item.state === "submitted" ? null : el("button", { type: "button", class: "quiet", "data-f": "defer", click: defer }, item.state === "deferred" ? _("No longer deferred") : _("Defer"), el("kbd", { "aria-hidden": "true" }, "d")),
      el("button", { type: "button", class: "quiet", "data-f": "undo", click: undo }, _("Undo"), el("kbd", { "aria-hidden": "true" }, "u"))));
  const body = byId("panel-body"), open = panel.querySelector(".question.open");
  body.scrollTop = was;
  if (open && body.scrollHeight > body.clientHeight) open.scrollIntoView({ block: "nearest" });   // where the whole page scrolls, it stays where it is read
}

function closedQuestion(item, name, place) {
  const mine = item.answers[name] || {}, asked = question(name), lacks = lacksProof(item, name);
  return el("li", { class: "question" }, el("button", { type: "button", class: "row", "data-f": `row:${name}`, "data-row": name, "aria-expanded": "false", click: () => { app.open = name; app.target = ""; draw(); focusGroup(); } },
    el("span", { class: "place" }, number(place + 1)), el("span", { class: "name", dir: "auto" }, asked.title),
    el("span", { class: `given ${mine.answer || "none"}` }, mine.answer ? answerName(mine.answer) : _("open"),
      mine.quote ? el("span", { class: "soft", title: _("with a quote") }, " ❝") : null, mine.note ? el("span", { class: "soft", title: _("with a note") }, " ✎") : null)),
  lacks ? el("p", { class: "lacks" }, app.target === name ? _("Which words show it? Select them and press e, or go on.") : _("No quote yet")) : null);
}

function openQuestion(item, name, place) {
  const mine = item.answers[name] || {}, asked = question(name), needs = asked.needs_quote.includes(mine.answer);
  return el("li", { class: "question open" },
    el("h3", { id: "asked-title", dir: "auto" }, el("span", { class: "place" }, number(place + 1)), asked.title),
    el("p", { id: "asked", class: "asked", dir: "auto" }, asked.question),
    answersGroup(asked, mine.answer, "asked-title asked", (value) => answer(name, value), item.state === "submitted"),
    meanings(asked),
    mine.quote ? el("figure", { class: "quoted" }, el("blockquote", { dir: "auto" }, mine.quote.length > 400 ? `${mine.quote.slice(0, 400)}…` : mine.quote),
      el("figcaption", null, el("button", { type: "button", class: "link", "data-f": "to-quote", click: () => toQuote({ message: mine.message, text: mine.quote }) }, _("message {n}", { n: number(mine.message) })),
        el("button", { type: "button", class: "link", "data-f": "drop", click: () => dropEvidence(name) }, _("Remove"))))
      : el("p", { class: "hint soft" }, needs ? _("Which words show it? Select them and press e.") : asked.needs_quote.length ? _("“{answer}” asks for proof: select the words first, then answer.", { answer: answerName(asked.needs_quote[0]) }) : null),
    mine.answer ? noteField(item, name, "answer-note", mine.note || "", _("Note on this answer")) : null);
}

// Radio buttons in which the arrows only move: an answer is chosen by its digit, Space, Enter or a click, never on the way.
function answersGroup(asked, value, labels, choose, off) {
  const at = Math.max(0, asked.answers.findIndex(([one]) => one === value));
  return el("div", { class: "answers", role: "radiogroup", "aria-labelledby": labels, "aria-disabled": off ? "true" : null }, asked.answers.map(([one, meaning], n) =>
    el("button", { type: "button", role: "radio", "aria-checked": String(one === value), tabindex: n === at ? "0" : "-1", "data-f": `answer:${asked.name}:${one}`, "data-answer": one, click: () => choose(one) },
      el("kbd", { "aria-hidden": "true" }, n < 9 ? String(n + 1) : "·"),
      el("span", null, el("b", null, answerName(one)), meaning ? el("small", { dir: "auto" }, meaning) : null))));
}

// On a phone an answer's button has room for the beginning of what it means; the whole is here.
function meanings(asked) {
  const told = asked.answers.filter(([, meaning]) => meaning);
  return told.length ? el("details", { class: "meanings", open: Boolean(app.meanings), toggle: (event) => { app.meanings = event.target.open; } },
    el("summary", { "data-f": "meanings" }, _("What the answers mean")),
    el("dl", null, told.map(([one, meaning]) => [el("dt", null, answerName(one)), el("dd", { dir: "auto" }, meaning)]))) : null;
}

function focusGroup() {
  const group = byId("panel").querySelector('[role="radiogroup"] [tabindex="0"]');
  if (group) group.focus();
}

// A field for a note, and below it the sentence that says when it is full. What the server refused stays in it.
const ROOM = 10000;
function noteArea(given, text) {
  const full = el("p", { id: `${given.id}-full`, class: "full", role: "status" });
  const told = () => { full.textContent = field.value.length >= ROOM ? writtenOut(_("A note has room for {n} characters: it is full.", { n: number(ROOM) })) : ""; };
  const field = el("textarea", { dir: "auto", "data-f": given.id, maxlength: String(ROOM), "aria-describedby": `${given.id}-full`, ...given, input: () => { if (given.input) given.input(); told(); } });
  field.value = text;
  told();
  return [field, full];
}

// A note is folded until it is wanted; it is saved when the typing rests and when the field is left.
let resting = 0;
function noteField(item, name, id, text, label) {
  if (item.state === "submitted" && !text) return null;
  const there = byId(id), same = there && there.dataset.item === item.id && there.dataset.note === name, unkept = app.refused.get(`${item.id} ${name}`);
  const now = same && there === document.activeElement ? there.value : unkept === undefined ? text : unkept;      // what is being typed is newer than what is stored
  const [field, full] = noteArea({ id, rows: "2", "data-note": name, readonly: item.state === "submitted", change: saveFields, input: () => { clearTimeout(resting); resting = setTimeout(saveFields, 1500); } }, now);
  field.dataset.item = item.id;
  // Read where it stands and not from its event, which comes later: a field in a closed fold would lose what is typed.
  return el("details", { class: "note", open: unkept !== undefined || (same ? there.closest("details").open : Boolean(text)) }, el("summary", { "data-f": `fold-${id}` }, label), el("label", { class: "unseen", for: id }, label), field, full);
}

function saveFields() {
  clearTimeout(resting);
  for (const field of document.querySelectorAll("textarea[data-note]")) note(field.value.trim(), field.dataset.note);
}

function toNote() {
  const item = here(), field = byId("answer-note") || byId("item-note");
  if (!item || !field) return;
  field.closest("details").open = true;
  byId("panel").classList.add("whole");
  field.focus();
}
