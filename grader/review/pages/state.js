// What the page knows, and everything that a person can do: each act changes what is shown at once and goes into the outbox.

let codes = {}, options = {};           // what the transcript's script looks codes up in: here the questions
const IDLE = 60;                        // seconds without a key, a move or a touch, after which time no longer counts
const app = {
  session: null, screen: "loading", id: "", open: "", target: "", reading: 0, changing: "", message: "", cache: new Map(),
  shortcuts: keep.get("shortcuts") !== "off", waiting: "", seconds: new Map(), acts: new Map(), deferred: "", writing: "", refused: new Map(), active: Date.now(), moved: 0, saving: false,
};

const phone = matchMedia("(max-width: 760px)");
const here = () => (app.screen === "item" ? app.cache.get(app.id) : undefined);
const shown = () => (app.screen === "finding" ? app.finding : here());
const listed = (id) => app.session.items.find((one) => one.id === id);
const question = (name) => app.session.questions.find((one) => one.name === name) || { name, title: name, question: "", answers: [], needs_quote: [] };
const answered = (item, name) => Boolean(item.answers[name] && item.answers[name].answer);
const openOnes = (item) => item.asked.filter((name) => !answered(item, name));
const lacksProof = (item, name) => question(name).needs_quote.includes((item.answers[name] || {}).answer) && !item.answers[name].quote;
const isOpen = (one) => one.state !== "submitted" && one.state !== "gone";
const judges = () => app.session.role === "adjudicator";

const outbox = makeOutbox(arrived, refused, () => { letGo(); drawSaved(); });

// What is said goes by itself after a while; what stands in the way of saving stays.
let saying = 0;
function say(text) {
  clearTimeout(saying);
  if (text) saying = setTimeout(() => say(""), Math.max(6000, text.length * 90));
  app.message = text;
  drawMessage();
}

// Nobody is held up by a comparison that cannot come now: what was submitted waits here, and Enter goes on.
function letGo() {
  if (!app.waiting || !(outbox.failed || outbox.ended)) return;
  app.waiting = "";
  draw();
}

function arrived(act, answer) {
  if (answer.progress) app.session.progress = answer.progress;
  const item = app.cache.get(act.item), one = act.item && listed(act.item);
  if (one && !outbox.holds(act.item)) {
    if (answer.state) one.state = answer.state;
    if (answer.n_answered !== undefined) one.n_answered = answer.n_answered;
    if (item && answer.state) item.state = answer.state;
  }
  if (item && answer.reveal) item.reveal = answer.reveal;
  if (act.kind === "undo" && !outbox.holds(act.item)) load(act.item, true);
  if (act.kind === "submit" && app.waiting === act.item) {
    app.waiting = "";
    if (item && item.reveal && app.id === act.item) revealed(item);
    else if (app.id === act.item) { next(); say(_("Submitted.")); return; }
  }
  if (act.kind === "change") say(_("Kept as a second record. Your blind answer stays as it was."));
  if (act.kind === undefined) {
    say(_("The dispute is stored."));
    if (app.screen === "finding" && app.finding) loadFinding(app.finding.conversation_id, app.finding.question.name);
  }
  draw(act.kind === "change" || act.kind === "submit");
}

function refused(act, error) {
  app.waiting = "";
  const why = [error.told.error || _("The server refused this ({status}).", { status: error.status }), error.told.cure].filter(Boolean).join(" · ");
  keepText(act);
  if (!act.item) { say(why); return; }
  load(act.item, true).then(() => {
    const item = here();
    if (act.kind === "submit" && item && item.id === act.item) toOpen(item);
    say(why);
  });
}

// A refused note stays in its field; it is sent again once it was changed.
function keepText(act) {
  const text = act.kind === "note" ? act.text : act.note;
  if (!text) return;
  if (act.kind === "note" || act.kind === "answer") app.refused.set(`${act.item} ${act.question || ""}`, text);
  else if (act.kind === "change") { app.refused.set("change", text); app.changing = act.question; }
  else if (byId("dispute-note") && !byId("dispute-note").value) byId("dispute-note").value = text;
}

const coming = new Map();                // items that are asked for already
function load(id, fresh) {
  if (!fresh && app.cache.has(id)) return Promise.resolve(app.cache.get(id));
  if (!fresh && coming.has(id)) return coming.get(id);
  const asked = loaded(id, fresh).finally(() => coming.delete(id));
  coming.set(id, asked);
  return asked;
}

async function loaded(id, fresh) {
  let item;
  const acts = app.acts.get(id);
  try { item = await ask(`api/item/${encodeURIComponent(id)}`); } catch (error) {
    if (await hasEnded(error)) outbox.ended = true;
    drawSaved();
    if (id === app.id) say(error instanceof Refused ? [error.told.error, error.told.cure].filter(Boolean).join(" · ") : _("This item cannot be loaded: there is no connection to the server."));
    return undefined;
  }
  for (const one of item.reveal ? item.reveal.questions : []) one.changed = one.changed || "";
  const before = app.cache.get(id);
  if (before && (outbox.holds(id) || acts !== app.acts.get(id))) return before;      // what was done meanwhile is newer
  item.history = before ? before.history : [];
  app.cache.set(id, item);
  const one = listed(id);
  if (one) { one.state = item.state; one.n_answered = item.asked.filter((name) => answered(item, name)).length; }
  if (fresh && id === app.id) {
    if (!app.open && item.state !== "submitted") toFirst(item);
    if (!before || JSON.stringify([before.answers, before.state, before.note]) !== JSON.stringify([item.answers, item.state, item.note])) draw(true);
  }
  return item;
}

async function loadSession() {
  const made = outbox.made, session = await ask("api/session");
  if (app.session && (outbox.n || made !== outbox.made)) return;      // what was done meanwhile is newer
  app.session = session;
  app.session.questions.forEach((one, n) => { codes[one.name] = { ...one, colour: n % 8 }; });
}

function toFirst(item) {
  app.open = openOnes(item)[0] || "";
}

function toOpen(item) {
  const left = openOnes(item);
  toFirst(item);
  draw();
  if (left.length) say(ngettext("{n} question is open: {title}", "{n} questions are open, the first: {title}", left.length, { title: question(left[0]).title }));
}

async function show(id) {
  tick();
  Object.assign(app, { screen: "item", id, target: "", reading: 0, changing: "", message: "", waiting: "", deferred: "" });
  history.replaceState(null, "", `#item=${id}`);
  getSelection().removeAllRanges();
  if (!app.cache.has(id)) draw(true);
  const item = await load(id);
  if (app.id !== id || app.screen !== "item" || !item) return;
  toFirst(item);
  draw(true, true);
  const place = app.session.items.findIndex((one) => one.id === id);
  const after = nextOpen(id);
  if (after) load(after);                                      // so that the next one is there when it is wanted
  announce(_("Item {n} of {total}", { n: number(place + 1), total: number(app.session.items.length) }));
}

function nextOpen(id) {
  const items = app.session.items, at = items.findIndex((one) => one.id === id);
  const round = [...items.slice(at + 1), ...items.slice(0, Math.max(0, at))];
  const found = round.find((one) => isOpen(one) && one.state !== "deferred");
  return found ? found.id : "";
}

function next() {
  const id = nextOpen(app.id);
  if (id) show(id); else finish();
}

function finish() {
  tick();
  Object.assign(app, { screen: "end", id: "", changing: "", waiting: "" });
  history.replaceState(null, "", "#end");
  draw(true, true);
  settled().then(loadSession).then(() => { if (app.screen === "end") draw(); }, () => {});   // the report may be open now
}

function step(by) {
  const items = app.session.items.filter((one) => one.state !== "gone");
  const at = items.findIndex((one) => one.id === app.id), to = at < 0 ? (by > 0 ? 0 : items.length - 1) : at + by;
  if (!items.length) return;
  if (to < 0) { say(_("This is the first item.")); return; }
  if (to >= items.length) { say(_("This is the last item.")); return; }
  show(items[to].id);
}

// Which item comes first: what was begun, then what is new.
const firstOpen = () => (app.session.items.find((one) => isOpen(one) && one.state !== "deferred") || app.session.items.find(isOpen) || {}).id;

// --- acts ---

function remember(item, at) {
  item.history.push({ answers: structuredClone(item.answers), note: item.note, state: item.state, open: at, n: 1 });
  app.message = "";
}

function act(item, given) {
  const one = listed(item.id);
  one.n_answered = item.asked.filter((name) => answered(item, name)).length;
  if (one.state !== item.state || given.kind === "answer") one.state = item.state;
  app.acts.set(item.id, (app.acts.get(item.id) || 0) + 1);
  app.deferred = "";
  outbox.add({ item: item.id, ...given });
}

const locked = (item) => {
  if (item.state !== "submitted") return false;
  say(item.reveal ? _("The judge's answers are shown: use “Change my answer”.") : _("This item is submitted. Undo takes it back."));
  return true;
};

function answer(name, value) {
  const item = here();
  if (!item || !name || locked(item)) return;
  remember(item, name);
  const asked = question(name), before = item.answers[name] || {};
  const found = asked.needs_quote.includes(value) ? selected(item.conversation, byId("talk")) : null;
  const given = { kind: "answer", question: name, answer: value };
  if (found && found.quote) Object.assign(given, found);
  const proof = before.answer && before.answer !== value ? { message: null, quote: null } : {};   // words that prove one answer prove no other
  item.answers[name] = { ...before, ...proof, answer: value, ...(found && found.quote ? found : {}) };
  if (item.state !== "deferred") item.state = "begun";
  app.target = asked.needs_quote.includes(value) && !item.answers[name].quote ? name : "";
  const left = openOnes(item), after = left.find((one) => item.asked.indexOf(one) > item.asked.indexOf(name)) || left[0] || "";
  app.open = after;
  if (found && found.quote) getSelection().removeAllRanges();
  act(item, given);
  if (app.target && phone.matches) say(_("Which words show it? Select them and press “Evidence”, or go on."));
  draw(Boolean((found && found.quote) || (before.quote && proof.quote === null)));
  const now = after ? question(after) : null;
  const then = now ? `${now.title}. ${now.question}` : _("All questions are answered. Enter submits.");
  announce(`${asked.title}: ${answerName(value)}. ${then}`);
  if (!after && (document.activeElement === document.body || byId("panel").contains(document.activeElement))) byId("primary").focus();
}

function evidenceFor(item) {
  if (app.target && answered(item, app.target)) return app.target;
  return app.open || item.asked[item.asked.length - 1];
}

function evidence() {
  const item = here();
  if (!item || locked(item)) return;
  const found = selected(item.conversation, byId("talk")) || (app.reading ? wholeMessage(item.conversation, app.reading) : { problem: _("Select the words that show it, or go to a message with n and p, then press e.") });
  if (found.problem) { say(found.problem); return; }
  const name = evidenceFor(item);
  remember(item, name);
  item.answers[name] = { answer: null, ...item.answers[name], ...found };
  app.target = "";
  getSelection().removeAllRanges();
  act(item, { kind: "evidence", question: name, ...found });
  draw(true);
  say(_("Quoted from message {n} for “{title}”.", { n: number(found.message), title: question(name).title }));
}

function dropEvidence(name) {
  const item = here();
  if (!item || locked(item)) return;
  remember(item, name);
  item.answers[name] = { ...item.answers[name], message: null, quote: null };
  act(item, { kind: "evidence", question: name, message: null, quote: null });
  draw(true);
}

function note(text, name) {
  const item = here();
  if (!item || locked(item)) return;
  const before = name ? (item.answers[name] || {}).note || "" : item.note || "";
  const key = `${item.id} ${name}`;
  if (text === app.refused.get(key)) return;
  app.refused.delete(key);
  if (text === before || (name && !answered(item, name))) return;
  // What is written in one go is kept in steps, and one undo takes it back.
  const go = key, last = item.history[item.history.length - 1];
  if (last && last.go === go && app.writing === go) last.n += 1;
  else { remember(item, app.open); item.history[item.history.length - 1].go = go; }
  app.writing = go;
  if (name) {
    item.answers[name] = { ...item.answers[name], note: text };
    act(item, { kind: "answer", question: name, answer: item.answers[name].answer, note: text });
  } else {
    item.note = text;
    act(item, { kind: "note", text });
  }
  drawSaved();
}

function defer() {
  const item = here();
  if (!item || locked(item)) return;
  remember(item, app.open);
  const back = item.state === "deferred";
  item.state = back ? (openOnes(item).length < item.asked.length ? "begun" : "new") : "deferred";
  listed(item.id).state = item.state;
  act(item, { kind: back ? "undefer" : "defer" });
  if (back) draw(); else { next(); app.deferred = item.id; say(_("Deferred: it comes again at the end.")); }
}

// What was deferred last is taken back from where that led to, as long as nothing else was done.
async function undo() {
  if (app.deferred) await show(app.deferred);
  const item = here();
  if (!item) return;
  if (item.reveal) { say(_("The judge's answers were shown: an answer can be changed, not taken back.")); return; }
  const before = item.history.pop();
  if (before) {
    Object.assign(item, { answers: before.answers, note: before.note, state: before.state });
    app.open = before.open;
    app.target = "";
  } else if (item.state === "new" && !Object.keys(item.answers).length && !item.note) { say(_("There is nothing to undo here.")); return; }
  else if (item.state === "submitted") item.state = "begun";
  app.waiting = "";
  for (let n = before ? before.n : 1; n > 0; n -= 1) act(item, { kind: "undo" });
  draw(true);
  say(_("Undone."));
}

function submit() {
  const item = here();
  if (!item || app.waiting) return;
  if (item.state === "submitted") { next(); return; }
  saveFields();
  if (openOnes(item).length) { toOpen(item); return; }
  tick();
  remember(item, "");
  const spent = Math.round(app.seconds.get(item.id) || 0);
  if (spent) outbox.add({ item: item.id, kind: "time", seconds: spent });
  app.seconds.delete(item.id);
  item.state = "submitted";
  app.open = app.target = "";
  const reveals = app.session.reveal && !outbox.failed && !outbox.ended;
  app.waiting = reveals ? item.id : "";
  act(item, { kind: "submit" });
  if (reveals) draw(); else next();
}

function revealed(item) {
  const same = item.reveal.questions.filter((one) => one.same).length;
  draw(true);
  byId("panel-body").scrollTop = 0;
  byId("primary").focus();
  announce(_("Submitted. {same} of {all} answers are the same as the judge's.", { same: number(same), all: number(item.reveal.questions.length) }));
}

function change(name, value) {
  const item = here(), field = byId("change-note");
  if (!item || !item.reveal) return;
  const shown = item.reveal.questions.find((one) => one.question === name);
  const text = field ? field.value.trim() : "";
  shown.changed = value;
  app.refused.delete("change");
  outbox.add({ item: item.id, kind: "change", question: name, answer: value, ...(text ? { note: text } : {}) });
  app.changing = "";
  draw();
}

// --- time and pace ---

// Only seconds in which somebody was at it count.
function tick() {
  const item = here(), now = Date.now(), passed = Math.min(now - app.moved, 2000) / 1000;
  app.moved = now;
  if (!item || item.state === "submitted" || document.visibilityState !== "visible" || now - app.active > IDLE * 1000) return;
  app.seconds.set(item.id, (app.seconds.get(item.id) || 0) + passed);
}
