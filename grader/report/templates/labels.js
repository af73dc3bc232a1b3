// Labels that readers of this file give, with the verdict in sight: kept in the browser under the run's id, told in the header,
// exported as lines that `grader label import FILE --origin NAME` takes in. Nothing leaves the page but by its reader's hand.

const ORIGIN = "report";                   // the name that the command suggests
const gathering = { run: "", masked: false, session: null, stored: true, list: [], reviewer: "", changed: () => {} };

const storeKey = () => `grader-labels-${gathering.run}`;
const theLabel = (one) => one && typeof one === "object" && one.label && typeof one.label.conversation_id === "string";

// What another tab or part of the report kept meanwhile is read again before anything is changed.
function readLabels() {
  if (!gathering.stored) return;
  try {
    const found = JSON.parse(localStorage.getItem(storeKey()) || "[]");
    gathering.list = Array.isArray(found) ? found.filter(theLabel) : [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) gathering.stored = false;
  }
}

// Without storage, or where it is full, labels are in memory, and the page says so.
function writeLabels() {
  if (gathering.stored) {
    try { localStorage.setItem(storeKey(), JSON.stringify(gathering.list)); } catch { gathering.stored = false; }
  }
  drawLabels();
  gathering.changed();
}

const sameQuestion = (a, b) => ["conversation_id", "rubric", "rubric_version", "criterion", "reviewer"].every((name) => a[name] === b[name]);

function labelOf(asked) {
  const wanted = { ...asked.names, reviewer: gathering.reviewer };
  return gathering.list.find((one) => sameQuestion(one.label, wanted)) || null;
}

function keepLabel(asked, { answer, note, message, quote }) {
  const label = { type: "label", ...asked.names, answer, reviewer: gathering.reviewer };
  if (quote) Object.assign(label, { message, quote });
  if (note) label.note = note;
  Object.assign(label, { verdict_visible: true, labelled_at: new Date().toISOString() });
  readLabels();
  const at = gathering.list.findIndex((one) => sameQuestion(one.label, label));
  const kept = { label, judge: asked.answer, exported: false };
  if (at < 0) gathering.list.push(kept); else gathering.list[at] = kept;
  writeLabels();
}

function dropLabel(label) {
  readLabels();
  gathering.list = gathering.list.filter((one) => !sameQuestion(one.label, label));
  writeLabels();
}

function nameReviewer(name) {
  gathering.reviewer = name;
  keep.set("reviewer", name);
}

// One JSON a line; half of a surrogate pair is no text that a database keeps.
const exportText = () => gathering.list.map((one) => `${JSON.stringify(one.label).replace(/\p{Surrogate}/gu, "\ufffd").replace(/\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, "\ufffd")}\n`).join("");
const exportName = () => `labels-${gathering.run.replace(/[^A-Za-z0-9._-]/g, "_")}.jsonl`;
const notExported = () => gathering.list.filter((one) => !one.exported).length;

function markExported() {
  for (const one of gathering.list) one.exported = true;
  writeLabels();
}

// A download, or false where this browser makes none.
function download(text, name) {
  try {
    const link = document.createElement("a");
    if (!("download" in link)) return false;
    const href = URL.createObjectURL(new Blob([text], { type: "application/jsonl" }));
    Object.assign(link, { href, download: name, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    return true;
  } catch { return false; }
}

function countedLabels() {
  const n = gathering.list.length, left = notExported();
  if (!left) return ngettext("{n} label here, exported", "{n} labels here, exported", n);
  if (left === n) return ngettext("{n} label here, not exported", "{n} labels here, not exported", n);
  return ngettext("{n} label here, {left} not exported", "{n} labels here, {left} not exported", n, { left: number(left) });
}

function drawLabels() {
  const button = byId("labels-button"), n = gathering.list.length, dialog = byId("labels");
  button.hidden = !n && !dialog.open;
  button.setAttribute("aria-label", n ? countedLabels() : _("Labels collected here"));
  button.replaceChildren(el("span", { class: "wide-only" }, n ? countedLabels() : _("Labels collected here")), el("span", { class: "narrow-only" }, icon("note"), number(n)));
  button.classList.toggle("waiting", notExported() > 0);
  if (dialog.open && dialog.dataset.shows === "labels") fillLabels();
}

const IN_MEMORY = () => _("This browser keeps nothing for this file: the labels are gone when the page is closed or loaded again. Export them before.");
const NOT_BLIND = () => _("Given with the judge’s answer in sight, so not blind: they serve work on rubrics and disputes. No rate and no calibration counts them.");

function fillLabels(told) {
  const dialog = byId("labels"), focused = document.activeElement && document.activeElement.dataset.f, n = gathering.list.length;
  dialog.dataset.shows = "labels";
  const name = el("input", { id: "labels-name", type: "text", maxlength: "80", autocomplete: "off", dir: "auto" });
  name.value = gathering.reviewer;
  name.addEventListener("change", () => { if (name.value.trim()) { nameReviewer(name.value.trim()); gathering.changed(); } else name.value = gathering.reviewer; });
  const act = (f, text, does, more) => el("button", { type: "button", "data-f": f, click: does, ...more }, text);
  dialog.replaceChildren(
    el("h2", { id: "labels-title" }, _("Labels collected here")),
    el("p", null, NOT_BLIND()),
    gathering.stored ? el("p", { class: "soft" }, _("They are kept in this browser alone, for all files of this report that it opens from the same place.")) : el("p", { class: "banner warning" }, IN_MEMORY()),
    n ? el("ul", { class: "collected" }, gathering.list.map(labelItem)) : el("p", { class: "empty" }, _("There are none.")),
    el("div", { id: "labels-told", role: "status" }, told || null),
    el("p", { class: "collected-acts" },
      n ? act("export", _("Export JSONL"), exportLabels, { class: "primary" }) : null,
      n ? act("text", _("Show as text"), () => showText(_("Copy all of it into a file that ends in .jsonl."))) : null,
      n > notExported() ? act("clear", _("Clear what was exported"), clearLabels, { class: "quiet" }) : null),
    el("p", { class: "who-labels" }, el("label", { for: "labels-name" }, _("Your name")), name),
    el("form", { method: "dialog" }, el("button", { "data-f": "close" }, _("Close"))));
  if (focused) (dialog.querySelector(`[data-f="${CSS.escape(focused)}"]`) || dialog.querySelector("[data-f=close]")).focus();
}

function labelItem(one, n) {
  const { label } = one;
  const differs = label.answer !== one.judge;
  return el("li", null,
    el("p", null, el("b", { lang: "" }, title(label.criterion))),
    el("p", null, answerWord(label.answer), " ", el("span", { class: "soft" }, differs ? _("≠ the judge: {answer}", { answer: answerWord(one.judge) }) : _("= the judge"))),
    el("p", { class: "soft" }, el("code", { dir: "auto", lang: "zxx" }, label.conversation_id), " · ", el("bdi", { lang: "" }, label.reviewer), " · ", one.exported ? _("exported") : _("not exported")),
    label.quote ? el("p", { dir: "auto", lang: "" }, `#${label.message} “${label.quote.slice(0, 300)}”`) : null,
    label.note ? el("p", { class: "soft", dir: "auto", lang: "" }, label.note) : null,
    el("p", null, label.reviewer === gathering.reviewer ? el("button", { type: "button", class: "link", "data-f": `change-${n}`, click: () => { byId("labels").close(); gathering.open(one); }, "aria-label": _("Edit: {title}", { title: title(label.criterion) }) }, _("Edit")) : null, " ",
      el("button", { type: "button", class: "link", "data-f": `remove-${n}`, click: () => dropLabel(label), "aria-label": _("Remove: {title}", { title: title(label.criterion) }) }, _("Remove"))));
}

function exportLabels() {
  readLabels();
  const n = gathering.list.length, name = exportName();
  if (!download(exportText(), name)) { showText(_("This browser makes no download of it: copy all of it into a file that ends in .jsonl.")); return; }
  markExported();
  fillLabels([el("p", null, ngettext("{n} label was handed to the browser as {name}.", "{n} labels were handed to the browser as {name}.", n, { name }), " ", _("Should the file not be there, “Show as text” has the same.")), howToImport(name)]);
}

const howToImport = (name) => [el("p", null, _("In the workspace’s folder:")), el("pre", { class: "command", tabindex: "0", dir: "ltr", lang: "zxx" }, `grader label import ${name} --origin ${ORIGIN}`)];

function showText(words) {
  const area = el("textarea", { rows: "6", readonly: true, dir: "ltr", lang: "zxx", "aria-label": _("The labels as text"), spellcheck: "false" });
  area.value = exportText();
  area.addEventListener("copy", () => { if (area.selectionEnd - area.selectionStart === area.value.length) setTimeout(() => { for (const one of gathering.list) one.exported = true; writeLabelsQuietly(); }); });
  fillLabels([el("p", null, words), area, howToImport(exportName())]);
  area.focus();
  area.select();
}

// Without drawing the list again, in which somebody is copying.
function writeLabelsQuietly() {
  const dialog = byId("labels");
  dialog.dataset.shows = "text";
  writeLabels();
  dialog.dataset.shows = "labels";
}

function clearLabels() {
  readLabels();
  gathering.list = gathering.list.filter((one) => !one.exported);
  writeLabels();
}

function openLabels() {
  fillLabels();
  byId("labels").showModal();
}

// `changed`: draws the answers of the open conversation again; `open`: goes to what a label is about.
function beginLabels(data, changed, open) {
  Object.assign(gathering, { run: data.run, masked: data.masked, changed, open });
  const session = byId("review");
  if (session) gathering.session = { ...JSON.parse(session.textContent), said: new Map() };
  if (gathering.session || gathering.masked) return;
  try { localStorage.setItem("grader-probe", "1"); localStorage.removeItem("grader-probe"); } catch { gathering.stored = false; }
  gathering.reviewer = keep.get("reviewer") || "";
  readLabels();
  drawLabels();
  byId("labels-button").addEventListener("click", openLabels);
  byId("labels").addEventListener("close", drawLabels);
  addEventListener("storage", (event) => { if (event.key === storeKey()) { readLabels(); drawLabels(); gathering.changed(); } });
  addEventListener("beforeunload", (event) => { if (!gathering.stored && notExported()) event.preventDefault(); });
}
