// Ties state, list and detail together, once the page's data is there.

let codes = {}, options = {};
const PRINTED_CASES = 200;       // paper takes so many conversations
const AHEAD = 30;                // so few are made ready for it before anybody asks

async function begin() {
  const data = JSON.parse(byId("data").textContent);
  ({ codes, options } = data);
  LANGUAGE = data.language;
  WORDS = data.words;
  SIGNALS = data.signals;
  SHAPES = Object.values(data.shapes).map(Object.entries);
  SHARED = data.shared;
  UNSEEN = { ...data.unseen, pattern: new RegExp(data.unseen.pattern, "gu"), any: new RegExp(data.unseen.any, "u") };
  const every = data.all;              // this file was made with --all: it shows all unless told otherwise
  const place = data.place, front = place.kind === "front";
  const reader = document.querySelector(".reader"), detail = byId("detail"), status = byId("status");
  const phone = matchMedia("(max-width: 760px)");
  const rows = front ? null : virtualList(byId("list"), byId("scroller"), phone);
  const selects = [...document.querySelectorAll("select[data-key]")], folds = [...document.querySelectorAll("[data-several]")];
  const names = Object.fromEntries([...selects.map((s) => [s.dataset.key, s.labels[0].textContent]), ...folds.map((f) => [f.dataset.several, byId(`l-${f.dataset.several}`).textContent]), ["q", _("Search")]]);
  let state = readState(every, place.kind === "part"), ready = false, byName = new Map(), columns = null;
  let shown = [], drawn = { filters: null, id: null, c: null, turn: 0 }, finding = 0, listScroll = 0, ahead = 0, typing = 0;

  // A change of filters replaces the address, a move to another conversation can be gone back from.
  function go(changes, replace) {
    const next = address({ ...state, all: new URLSearchParams(location.hash.slice(1)).get("all") || "", ...changes });
    if (next === location.hash) return;
    if (replace) location.replace(next); else location.hash = next;
  }

  function draw() {
    const was = state;
    state = readState(every, place.kind === "part");
    if (phone.matches && was.v === "conversations" && !was.c) listScroll = drawn.scrolled ?? listScroll;
    for (const part of document.querySelectorAll("[data-view]")) {
      const on = part.dataset.view === state.v;
      byId(part.dataset.view).classList.toggle("on", on);
      if (on) part.setAttribute("aria-current", "page"); else part.removeAttribute("aria-current");
    }
    drawScope();
    for (const link of document.querySelectorAll("[data-carry]")) link.setAttribute("href", link.getAttribute("href").split("#")[0] + carried());
    reader.classList.toggle("reading", Boolean(state.c) && !front);
    if (!ready) return;
    if (front) { drawFront(); return; }
    if (filters() !== drawn.filters) drawList(); else rows.relink(linked());
    const wanted = state.c || (state.v === "conversations" && !phone.matches && shown.length ? INDEX.id[shown[0]] : "");
    const at = rows.mark(wanted);
    if (wanted !== drawn.id) drawDetail(wanted);
    if (state.v === "conversations") {
      rows.draw();
      if (!phone.matches) rows.reveal(at);
      else if (!state.c && was.c) { scrollTo({ top: listScroll, behavior: "instant" }); rows.draw(); }
    }
    if (state.f && state.v === "conversations" && drawn.c && Number(state.f) !== finding) focus(Number(state.f), "both");
  }

  const filters = () => [...FILTERS, "q", "sort", "every"].map((key) => state[key]).join("\n");
  const given = () => ({ ...state, all: new URLSearchParams(location.hash.slice(1)).get("all") || "" });
  const linked = () => ({ ...given(), f: "" });
  const carried = () => address({ ...given(), v: "conversations", c: "", f: "", scope: "" });

  function drawScope() {
    const parts = [...document.querySelectorAll("[data-scope-part]")];
    if (!parts.length) return;
    const scope = parts.some((part) => part.dataset.scopePart === state.scope) ? state.scope : parts[0].dataset.scopePart;
    for (const part of parts) part.hidden = part.dataset.scopePart !== scope;
    for (const button of document.querySelectorAll("[data-scope]")) button.setAttribute("aria-pressed", String(button.dataset.scope === scope));
  }

  function change(key, value, on) {
    const several = SEVERAL.includes(key) ? chosen(state, key).filter((v) => v !== value) : [];
    if (on) several.push(value);
    if (key === "q" && !on) byId("q").value = "";
    go({ [key]: SEVERAL.includes(key) ? several.sort().join(",") : on ? value : "", c: "", f: "" }, true);
  }

  function drawList() {
    const words = state.q.trim();
    if (!words || front) forget();
    else search(words, () => { if (state.q.trim() === words) drawFound(); });
    drawn.filters = filters();
    drawFound();
    clearTimeout(ahead);
    ahead = setTimeout(() => { if (shown.length <= AHEAD) forPaper(); }, 400);
  }

  // What fits of what has been looked through so far.
  function drawFound() {
    const hits = state.q.trim() && !front ? searching.hits : null;
    const { shown: found, pool, facets } = filtered(columns, state, hits);
    shown = found;
    for (const select of selects) fillSelect(select, facets[select.dataset.key], state);
    for (const fold of folds) fillSeveral(fold, facets[fold.dataset.several], state, change);
    fillChips(byId("chips"), names, state, change);
    if (byId("q").value !== state.q && !typing) byId("q").value = state.q;   // what is being typed has not got there yet
    if (byId("f-all")) byId("f-all").checked = state.every;
    byId("f-sort").value = named(ORDERS, state.sort) ? state.sort : "";
    byId("clear").hidden = ![...FILTERS, "q"].some((key) => state[key]);
    const looking = Boolean(hits) && !searching.done;
    const told = looking ? _("{found} found, {looked} of {all} looked through …", { found: number(shown.length), looked: number(searching.looked), all: number(INDEX.n) })
      : shown.length === pool ? ngettext("{n} conversation", "{n} conversations", pool) : _("{found} of {all} conversations", { found: number(shown.length), all: number(pool) });
    byId("shown").textContent = told;
    byId("shown").classList.toggle("looking", looking);
    if (!looking && drawn.told !== told && drawn.told !== undefined) status.textContent = told;
    drawn.told = told;
    if (front) return;
    rows.show(shown, linked(), looking ? _("Searching …") : pool
      ? [icon("search"), _("No conversation fits these filters."), el("button", { type: "button", click: () => { byId("clear").click(); byId("q").focus(); } }, _("Clear filters"))]
      : [icon("check"), _("No conversation was flagged.")]);
    if (hits && state.v === "conversations" && !state.c && !phone.matches) { const first = shown.length ? INDEX.id[shown[0]] : ""; rows.mark(first); if (first !== drawn.id) drawDetail(first); }
    if (drawn.steps) drawn.steps.textContent = placeOf(drawn.id);
  }

  // The front of a split report has no conversation: it tells where they are.
  function drawFront() {
    const at = state.c && byName.get(state.c);
    if (at !== undefined && at !== "") { location.replace(place.files[chunkOf(at)].href + address(given())); return; }
    if (state.c) byId("trouble").textContent = _("The conversation “{id}” is not in this report.", { id: writtenOut(state.c) });
    byId("trouble").hidden = !state.c;
    drawFound();
    const each = new Array(place.files.length).fill(0);
    for (const i of shown) each[chunkOf(i)] += 1;
    document.querySelectorAll("[data-part]").forEach((item, n) => {
      item.querySelector("[data-matching]").textContent = state.q.trim() ? _("{n} fit before the search", { n: number(each[n]) }) : ngettext("{n} fits", "{n} fit", each[n]);
      item.classList.toggle("none", !each[n]);
    });
  }

  function viewOf(c, print) {
    return { c, print, focus, toMessage, has: (id) => byName.has(id) || named(INDEX.elsewhere, id) !== undefined,
      link: (id) => (byName.has(id) ? address({ v: "conversations", c: id }) : place.files[INDEX.elsewhere[id] - 1].href + address({ v: "conversations", c: id })) };
  }

  const placeOf = (id) => { const at = shown.indexOf(byName.get(id)); return at < 0 ? "" : _("{place} of {all}", { place: number(at + 1), all: number(shown.length) }); };

  async function drawDetail(id) {
    const turn = drawn.turn += 1;
    drawn.id = id;
    drawn.c = null;
    finding = 0;
    if (!byName.has(id)) {
      detail.removeAttribute("aria-busy");
      const there = id && place.kind === "part" ? el("p", null, el("a", { href: place.front + address({ v: "conversations", c: id }) }, _("Look in all parts"))) : null;
      detail.replaceChildren(el("div", { class: "nothing" }, el("p", null, !id ? (shown.length ? _("Choose a conversation.") : _("No conversation to show."))
        : place.kind === "part" ? _("The conversation “{id}” is not in this part.", { id }) : _("The conversation “{id}” is not on this page.", { id })), there));
      return;
    }
    detail.setAttribute("aria-busy", "true");
    let c;
    try { c = await conversation(byName.get(id)); }
    catch (error) { if (turn === drawn.turn) { trouble(_("This conversation cannot be decoded: the file is damaged or incomplete.")); drawn.id = null; } throw error; }
    if (turn !== drawn.turn) return;
    drawn.c = c;
    const steps = { back: () => go({ c: "", f: "" }), next: () => step(1), previous: () => step(-1), place: placeOf(id) };
    const view = viewOf(c, false);
    detail.replaceChildren(head(view, steps), ...c.notes.map((note) => el("p", { class: "case-note" }, note)),
      el("div", { class: "case-body" }, outline(view), transcript(view), side(view)));
    drawn.steps = detail.querySelector(".steps > .soft");
    toAnswer();
    detail.removeAttribute("aria-busy");
    detail.scrollTop = 0;
    if (phone.matches && state.c) scrollTo({ top: 0, behavior: "instant" });
    const count = ngettext("{n} finding", "{n} findings", c.findings.filter((f) => f.supported).length);
    if (state.v === "conversations") status.textContent = `${writtenOut(c.id)}, ${count}`;
    if (state.f && state.v === "conversations") focus(Number(state.f), "both");
  }

  // A label that is to be changed: its form, wherever it is shown.
  let changing = "";
  function changeLabel(one) {
    const asked = { code: one.label.criterion, names: one.label };
    openAnswer(asked, "", answersOf(one));
    changing = one.label.conversation_id;
    if (drawn.c && drawn.c.id === changing) { redrawAnswers(); toAnswer(); }
    go({ v: "conversations", c: changing, f: "" });
  }
  function toAnswer() {
    const form = drawn.c && drawn.c.id === changing && detail.querySelector(".answer-form");
    if (!form) return;
    changing = "";
    open(form);
    requestAnimationFrame(() => { form.scrollIntoView({ block: "center" }); form.querySelector("[data-f=first]").focus({ preventScroll: true }); });
  }

  function trouble(words) {
    byId("trouble").textContent = words;
    byId("trouble").hidden = false;
  }

  // Show finding n: its card, its words in the transcript, or both.
  function focus(n, where) {
    const c = drawn.c;
    const found = c && c.findings[n - 1];
    if (!found) return;
    finding = n;
    for (const node of detail.querySelectorAll(".on")) node.classList.remove("on");
    const box = detail.querySelector(`[data-finding="${n}"]`);
    const marks = [...detail.querySelectorAll(`mark[data-findings~="${n}"]`)];
    box.classList.add("on");
    for (const mark of marks) mark.classList.add("on");
    const quote = found.quotes.find((q) => q.message);
    const there = marks[0] || (quote && byId(`m${quote.message}`));
    if (there && where !== "card") { open(there); there.scrollIntoView({ block: "center" }); }
    if (where !== "text") { box.scrollIntoView({ block: "nearest" }); box.focus({ preventScroll: true }); }
    status.textContent = _("Finding {place} of {all}: {title}", { place: number(n), all: number(c.findings.length), title: title(found.code) });
    go({ c: c.id, f: String(n) }, true);
  }

  function open(node) {
    for (let up = node.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
  }

  function toMessage(quote) {
    const c = drawn.c;
    const owner = c.findings.find((f) => f.quotes.includes(quote));
    const mark = owner && owner.supported && byId(`m${quote.message}`).querySelector(`mark[data-findings~="${owner.number}"]`);
    if (mark) { focus(owner.number, "text"); open(mark); mark.scrollIntoView({ block: "center" }); return; }
    const place = byId(`m${quote.message}`);
    open(place);
    place.scrollIntoView({ block: "center" });
  }

  function step(by) {
    if (front || !shown.length) return;
    const asked = readState(every, place.kind === "part");       // keys may come faster than what they do
    const at = state.v === "conversations" ? shown.indexOf(byName.get(asked.c || drawn.id)) : -1;
    const to = at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(shown.length - 1, Math.max(0, at + by));
    go({ v: "conversations", c: INDEX.id[shown[to]], f: "" });
  }

  function stepFinding(by) {
    const c = drawn.c;
    if (!c || !c.findings.length || state.v !== "conversations") return;
    const n = c.findings.length;
    focus(finding ? ((finding - 1 + by + n) % n) + 1 : by > 0 ? 1 : n, "both");
  }

  function showTheme() {
    byId("theme").textContent = dark() ? _("Light") : _("Dark");
    byId("theme").setAttribute("aria-pressed", String(dark()));
    byId("theme").setAttribute("aria-label", dark() ? _("Switch to the light theme") : _("Switch to the dark theme"));
  }

  function setFold(toggle, part, open) {
    byId(part).hidden = !open;
    byId(toggle).setAttribute("aria-expanded", String(open));
  }
  const setFilters = (open) => setFold("filter-toggle", "filter-grid", open);
  function setMore(open) {
    setFold("more-toggle", "more-filters", open);
    byId("more-toggle").textContent = open ? _("Fewer filters") : _("More filters");
  }

  for (const select of selects) select.addEventListener("change", () => go({ [select.dataset.key]: select.value, c: "", f: "" }, true));
  byId("f-sort").replaceChildren(...Object.entries(ORDERS).map(([value, name]) => el("option", { value }, name())));
  byId("f-sort").addEventListener("change", () => go({ sort: byId("f-sort").value, c: "", f: "" }, true));
  byId("q").addEventListener("input", () => {
    const reading = state.c;             // a conversation that is opened meanwhile stays open
    clearTimeout(typing);
    typing = setTimeout(() => { typing = 0; go({ q: byId("q").value, ...(state.c === reading ? { c: "", f: "" } : {}) }, true); }, 150);
  });
  byId("filters").addEventListener("submit", (event) => { event.preventDefault(); });
  if (byId("f-all")) byId("f-all").addEventListener("change", () => go({ all: byId("f-all").checked === every ? "" : every ? "0" : "1", c: "", f: "" }, true));
  byId("clear").addEventListener("click", () => { byId("q").value = ""; go(CLEARED, true); byId("q").focus(); });
  byId("filter-toggle").addEventListener("click", () => setFilters(byId("filter-grid").hidden));
  byId("more-toggle").addEventListener("click", () => setMore(byId("more-filters").hidden));
  for (const fold of folds) {
    fold.addEventListener("keydown", (event) => { if (event.key === "Escape" && fold.open) { event.stopPropagation(); fold.open = false; fold.querySelector("summary").focus(); } });
    fold.addEventListener("focusout", (event) => { if (event.relatedTarget && !fold.contains(event.relatedTarget)) fold.open = false; });
    document.addEventListener("click", (event) => { if (!fold.contains(event.target)) fold.open = false; });
  }
  for (const button of document.querySelectorAll("[data-scope]")) button.addEventListener("click", () => go({ scope: button.dataset.scope }, true));
  byId("theme").addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; keep.set("theme", root.dataset.theme); showTheme(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
  byId("print-button").addEventListener("click", () => toPaper());
  addEventListener("scroll", () => { if (phone.matches && state.v === "conversations" && !state.c) drawn.scrolled = scrollY; }, { passive: true });
  const help = byId("help");
  byId("help-button").addEventListener("click", () => help.showModal());

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key === "p") { event.preventDefault(); toPaper(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const field = event.target.closest("input, select, textarea");
    if (event.key === "Escape") {
      if (field) field.blur();
      else if (phone.matches && state.c) go({ c: "", f: "" });
      else if (state.f) go({ f: "" }, true);
      return;
    }
    if (field && !(field.type === "checkbox")) return;
    const act = {
      j: () => step(1), k: () => step(-1), n: () => stepFinding(1), p: () => stepFinding(-1),
      o: () => go({ v: state.v === "overview" ? "conversations" : "overview" }), "?": () => help.showModal(),
      "/": () => { go({ v: "conversations" }); draw(); byId("q").focus(); byId("q").select(); },
      f: () => { go({ v: "conversations" }); draw(); setFilters(true); byId("f-code").focus(); },
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) { event.preventDefault(); act(); }
  });

  // Tables sort by a click on their heads.
  for (const headCell of document.querySelectorAll("th[data-sort]")) {
    const button = el("button", { type: "button" }, headCell.textContent);
    headCell.replaceChildren(button);
    button.addEventListener("click", () => sortBy(headCell));
  }
  function sortBy(headCell) {
    const key = headCell.dataset.sort, rows = headCell.closest("table").tBodies[0];
    const down = headCell.getAttribute("aria-sort") ? headCell.getAttribute("aria-sort") !== "descending" : key !== "title";
    for (const other of headCell.parentElement.children) other.removeAttribute("aria-sort");
    headCell.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => key === "title" ? row.dataset.title : key === "severity" ? -SEVERITIES.indexOf(row.dataset.severity) : Number(row.dataset[key]);
    const order = (a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (down ? -1 : 1);
    rows.replaceChildren(...[...rows.rows].sort(order));
  }

  // On paper stand the figures and the conversations that the filters leave, unfolded, up to a number. The browser's own menu
  // does not wait until they are decoded, so that a few are decoded ahead.
  let closed = [], paper = null;
  async function forPaper() {
    if (front) return;
    const key = drawn.filters, found = [];
    for (const i of shown.slice(0, PRINTED_CASES)) found.push(await conversation(i));
    paper = { key, found };
  }
  function printed(c) {
    const view = viewOf(c, true);
    return el("section", { class: "printed" }, head(view, null), c.notes.map((note) => el("p", { class: "case-note" }, note)), el("div", { class: "case-body" }, side(view), transcript(view)));
  }
  const toPaper = async () => { await forPaper(); print(); };
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("#overview details:not([open])")];
    for (const node of closed) node.open = true;
    const found = paper && paper.key === drawn.filters ? paper.found : drawn.c ? [drawn.c] : [];
    const left = front ? 0 : shown.length - found.length;
    byId("print").replaceChildren(...found.map(printed));
    if (left > 0) byId("print").append(el("p", { class: "soft" }, _("{n} more conversations fit the filters: paper takes {most}, and all of these only by the page’s own Print button.", { n: number(left), most: number(PRINTED_CASES) })));
  });
  addEventListener("afterprint", () => { byId("print").replaceChildren(); for (const node of closed) node.open = false; });

  addEventListener("hashchange", draw);
  beginLabels(data, redrawAnswers, changeLabel);
  watchSelection(() => drawn.c);
  showTheme();
  setFilters(!phone.matches);
  setMore(false);
  draw();
  if (!able()) {
    trouble(_("This browser cannot open the conversations of this file: it has no DecompressionStream. Chrome and Edge 80, Firefox 113 and Safari 16.4 or newer have it. The figures are all here."));
    return;
  }
  let beginnings;
  try { const [columns, texts] = await inflated(byId("index")); INDEX = JSON.parse(utf8(columns)); beginnings = texts; }
  catch (error) { trouble(_("The list of conversations cannot be decoded: the file is damaged or incomplete.")); throw error; }
  useDictionary(INDEX.dictionary);
  INDEX.words = front ? null : expanded(beginnings).split(TEXT).map(itself);
  INDEX.id.forEach((id, i) => byName.set(id, i));
  columns = facetColumns();
  ready = true;
  draw();
  if (gathering.session) readDisputes();
  root.dataset.ready = "";
}

// The index stands before the chunks: what needs it need not wait until the last of them has come in.
new MutationObserver((found, observer) => { if (byId("begin")) { observer.disconnect(); begin(); } }).observe(document, { childList: true, subtree: true });
