// The page starts here: language, session, keys.

function speak(code) {
  LANGUAGE = app.data.languages[code] ? code : "en";
  WORDS = app.data.languages[LANGUAGE];
  root.lang = app.data.tags[LANGUAGE];
  byId("skip").textContent = _("Skip to the questions");
  document.title = [_("Review"), "Grader"].join(" · ");
}

const modal = () => byId("dialog").open;
const fieldOf = (node) => node.closest && node.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

function press(event) {
  if (event.isComposing || event.keyCode === 229) return;
  const field = fieldOf(event.target);
  if (event.key === "Escape") {
    if (modal()) return;                                       // the dialog closes by itself
    if (field) { saveFields(); field.blur(); byId("panel").focus(); } else if (app.changing) { app.changing = ""; draw(); } else { getSelection().removeAllRanges(); document.activeElement.blur(); say(""); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (arrows(event, field)) { event.preventDefault(); return; }
  if (field || !app.shortcuts || !app.session) return;
  if (modal()) { if (event.key >= "1" && event.key <= "9" && !event.repeat) digit(byId("dialog"), event); return; }
  if (event.key === "Enter") {
    if (event.shiftKey || event.target.closest("button, summary, a, [role=radio]")) { if (event.repeat) event.preventDefault(); return; }
    event.preventDefault();
    if (!event.repeat && byId("primary")) byId("primary").click();
    return;
  }
  if (event.key >= "1" && event.key <= "9") { if (!event.shiftKey) digit(byId("panel"), event); return; }
  const moves = { n: () => readOn(1), p: () => readOn(-1), j: () => step(1), k: () => step(-1), "[": () => turn(-1), "]": () => turn(1) };
  const acts = { e: evidence, c: toNote, d: defer, u: undo, g: () => { const id = firstOpen(); if (id) show(id); else finish(); }, "/": openItems, "?": openHelp };
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;       // with Caps Lock, too
  const found = moves[key] || (event.repeat ? () => {} : acts[key]);
  if (!found || (event.repeat && !moves[key] && !acts[key])) return;
  event.preventDefault();
  found();
}

// A digit answers the question whose answers are on the screen; one that is held answers once.
function digit(area, event) {
  event.preventDefault();
  if (event.repeat) return;
  const button = area.querySelectorAll('[role="radio"]')[Number(event.key) - 1];
  if (button) button.click();
  else if (app.screen === "item" && here() && here().state !== "submitted" && !app.open) say(_("All questions are answered. Enter submits; choose one to change it."));
}

// Arrows move within a group of answers and a list of questions, and by words within a message.
function arrows(event, field) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step || field) return false;
  const radio = event.target.closest("[role=radio]"), row = event.target.closest(".questions .row");
  if (radio && !event.shiftKey) {
    const all = [...radio.parentElement.querySelectorAll("[role=radio]")], to = all[(all.indexOf(radio) + step + all.length) % all.length];
    for (const one of all) one.tabIndex = one === to ? 0 : -1;
    to.focus();
    return true;
  }
  if (row && event.key.startsWith("Arrow") && !event.shiftKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const all = [...byId("panel").querySelectorAll(".questions .row, .questions [role=radio][tabindex='0']")], to = all[all.indexOf(row) + step];
    if (to) to.focus();
    return true;
  }
  const message = event.target.closest("[data-number]");
  if (message && message === event.target && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
    selectWord(message, step < 0, event.shiftKey);
    return true;
  }
  return false;
}

// The question before or after the open one.
function turn(by) {
  const item = here();
  if (!item || item.state === "submitted") return;
  const at = item.asked.indexOf(app.open), to = at < 0 ? (by > 0 ? 0 : item.asked.length - 1) : Math.max(0, Math.min(item.asked.length - 1, at + by));
  app.open = item.asked[to];
  app.target = "";
  draw();
  announce(`${question(app.open).title}. ${question(app.open).question}`);
}

function route() {
  const address = new URLSearchParams(location.hash.slice(1));
  if (address.get("dispute")) { if (!app.session.report && !app.id && app.screen === "loading") arrive(""); openDispute(address); return; }
  arrive(address.get("item") || "");
}

function arrive(wanted) {
  if (wanted && wanted === app.id) return;
  const id = wanted && listed(wanted) ? wanted : firstOpen();
  if (id) show(id); else finish();
}

// Another tab of the same person may have gone on: what is shown is the server's, unless something of ours is on its way.
async function refresh() {
  outbox.send();
  if (!app.session || outbox.n || outbox.ended || document.visibilityState !== "visible") return;
  try {
    await loadSession();
    const item = here();
    if (item && !app.waiting && !app.changing) {
      const before = JSON.stringify([item.answers, item.state]), now = await load(item.id, true);
      if (now === here() && now !== item && JSON.stringify([now.answers, now.state]) !== before) toFirst(now);
    }
    draw();
  } catch (error) { if (error instanceof Refused && error.status === 404) { outbox.ended = true; drawSaved(); } }
}

async function start() {
  app.data = JSON.parse(byId("data").textContent);
  UNSEEN = { ...app.data.unseen, pattern: new RegExp(app.data.unseen.pattern, "gu") };
  speak(keep.get("language") || app.data.language);
  try { await loadSession(); } catch (error) {
    byId("talk").replaceChildren(el("div", { class: "end" }, el("h1", { id: "talk-title" }, error instanceof Refused ? _("This session has ended") : _("Not connected")),
      el("p", null, error instanceof Refused ? _("Open the address that grader review printed last. Answers that wait in this browser are sent from there.") : _("The server does not answer. Start grader review again, and open the address that it prints."))));
    document.body.dataset.screen = "end";
    return;
  }
  if (outbox.open(app.session.plan, app.session.role, app.session.reviewer) && outbox.n) {
    const n = outbox.n;
    await outbox.send();
    await settled();
    await loadSession().catch(() => {});
    app.cache.clear();
    if (!outbox.n) say(ngettext("{n} answer that waited in this browser was sent.", "{n} answers that waited in this browser were sent.", n));
  }
  const told = app.message;
  route();
  if (told) say(told);
}

const settled = async () => { for (let n = 0; n < 50 && outbox.n && !outbox.failed && !outbox.ended; n += 1) await new Promise((go) => setTimeout(go, 40)); };

let asking = 0;
document.addEventListener("DOMContentLoaded", () => {
  document.addEventListener("keydown", press);
  document.addEventListener("focusin", (event) => { if (event.target.dataset.note === undefined || `${app.id} ${event.target.dataset.note}` !== app.writing) app.writing = ""; });
  for (const name of ["keydown", "pointermove", "pointerdown", "wheel", "touchstart"]) document.addEventListener(name, () => { app.active = Date.now(); }, { passive: true });
  document.addEventListener("selectionchange", () => { clearTimeout(asking); asking = setTimeout(drawChosen, 80); });
  document.addEventListener("visibilitychange", refresh);
  addEventListener("focus", refresh);
  addEventListener("hashchange", () => { if (app.session) route(); });
  addEventListener("beforeunload", (event) => { saveFields(); if (outbox.n) event.preventDefault(); });
  byId("dialog").addEventListener("cancel", (event) => {         // Esc leaves a text that was begun; once more closes
    const field = document.activeElement;
    if (field.tagName === "TEXTAREA" && field.value) { event.preventDefault(); field.blur(); }
  });
  byId("skip").addEventListener("click", (event) => { event.preventDefault(); byId("panel").focus(); });
  byId("talk").addEventListener("click", (event) => { const node = event.target.closest("[data-number]"); if (node && getSelection().isCollapsed && !event.target.closest("button, summary")) read(Number(node.dataset.number)); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  setInterval(tick, 1000);
  setInterval(() => { const saved = app.session && app.session.progress.saved; if (saved && saved.n_waiting && !outbox.n) refresh(); }, 5000);
  addEventListener("beforeprint", () => { for (const fold of document.querySelectorAll(".policies")) fold.open = true; });
  start();
});
