// Ties state, list and detail together, once the page is there.

let cases = [], codes = {}, options = {};

document.addEventListener("DOMContentLoaded", () => {
  const data = JSON.parse(byId("data").textContent);
  ({ cases, codes, options } = data);
  LANGUAGE = data.language;
  WORDS = data.words;
  UNSEEN = { ...data.unseen, pattern: new RegExp(data.unseen.pattern, "gu") };
  const every = data.all;              // this file was made with --all: it shows all unless told otherwise
  const index = new Map(cases.map((c) => [c.id, c]));
  const reader = document.querySelector(".reader"), list = byId("list"), detail = byId("detail"), status = byId("status");
  const selects = [...document.querySelectorAll("[data-key]")];
  const phone = matchMedia("(max-width: 760px)");
  let state = readState(every), shown = [], drawn = { filters: null, id: null }, finding = 0;

  // A change of filters replaces the address, a move to another conversation can be gone back from.
  function go(changes, replace) {
    const next = address({ ...state, ...changes });
    if (next === location.hash) return;
    if (replace) location.replace(next); else location.hash = next;
  }

  function draw() {
    state = readState(every);
    for (const part of document.querySelectorAll("[data-view]")) {
      const on = part.dataset.view === state.v;
      byId(part.dataset.view).classList.toggle("on", on);
      if (on) part.setAttribute("aria-current", "page"); else part.removeAttribute("aria-current");
    }
    drawScope();
    const filters = FILTERS.map((key) => state[key]).join("\n");
    if (filters !== drawn.filters) drawList();
    drawn.filters = filters;
    const wanted = state.c || (state.v === "conversations" && !phone.matches && shown.length ? shown[0].id : "");
    if (wanted !== drawn.id || !detail.firstChild) drawDetail(wanted);
    reader.classList.toggle("reading", Boolean(state.c));
    for (const link of list.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    const current = wanted && list.querySelector(`[data-id="${CSS.escape(wanted)}"]`);
    if (current) { current.setAttribute("aria-current", "true"); if (state.v === "conversations") current.scrollIntoView({ block: "nearest" }); }
    if (state.f && state.v === "conversations" && Number(state.f) !== finding) focus(Number(state.f), "both");
  }

  function drawScope() {
    const parts = [...document.querySelectorAll("[data-scope-part]")];
    const scope = parts.some((part) => part.dataset.scopePart === state.scope) ? state.scope : parts[0].dataset.scopePart;
    for (const part of parts) part.hidden = part.dataset.scopePart !== scope;
    for (const button of document.querySelectorAll("[data-scope]")) button.setAttribute("aria-pressed", String(button.dataset.scope === scope));
  }

  function drawList() {
    const pool = state.every ? cases : cases.filter(proved);
    shown = cases.filter((c) => matches(c, state));
    const counts = choices(pool);
    for (const select of selects) fillSelect(select, counts, state[select.dataset.key]);
    if (byId("q").value !== state.q && document.activeElement !== byId("q")) byId("q").value = state.q;
    if (byId("f-all")) byId("f-all").checked = state.every;
    byId("clear").hidden = !["code", "sev", "queue", "ch", "lang", "res", "q"].some((key) => state[key]);
    byId("shown").textContent = shown.length === pool.length ? `${pool.length} conversations` : `${shown.length} of ${pool.length} conversations`;
    list.replaceChildren(...shown.map((c) => listItem(c, state)));
    if (!shown.length) list.append(el("li", { class: "empty soft" }, pool.length ? "No conversation fits these filters." : "No conversation was flagged."));
  }

  function viewOf(c, print) {
    return { c, print, focus, toMessage, has: (id) => index.has(id), link: (id) => address({ v: "conversations", c: id }) };
  }

  function drawDetail(id) {
    drawn.id = id;
    finding = 0;
    const c = index.get(id);
    if (!c) {
      detail.replaceChildren(el("p", { class: "nothing" }, id ? `The conversation “${id}” is not on this page.` : cases.length ? "Choose a conversation." : "No conversation to show."));
      return;
    }
    const place = shown.indexOf(c);
    const steps = { back: () => go({ c: "", f: "" }), next: () => step(1), previous: () => step(-1), place: place < 0 ? "" : `${place + 1} of ${shown.length}` };
    const view = viewOf(c, false);
    detail.replaceChildren(head(view, steps), ...c.notes.map((note) => el("p", { class: "case-note" }, note)),
      el("div", { class: "case-body" }, transcript(view), side(view)));
    detail.scrollTop = 0;
    if (phone.matches && state.c) scrollTo(0, 0);
    if (state.v === "conversations") status.textContent = `${writtenOut(c.id)}, ${c.findings.filter((f) => f.supported).length} findings`;
  }

  // Show finding n: its card, its words in the transcript, or both.
  function focus(n, where) {
    const c = index.get(drawn.id);
    const found = c && c.findings[n - 1];
    if (!found) return;
    finding = n;
    for (const node of detail.querySelectorAll(".on")) node.classList.remove("on");
    const box = detail.querySelector(`[data-finding="${n}"]`);
    const marks = [...detail.querySelectorAll(`mark[data-findings~="${n}"]`)];
    box.classList.add("on");
    for (const mark of marks) mark.classList.add("on");
    const quote = found.quotes.find((q) => q.message);
    const place = marks[0] || (quote && byId(`m${quote.message}`));
    if (place && where !== "card") { open(place); place.scrollIntoView({ block: "center" }); }
    if (where !== "text") { box.scrollIntoView({ block: "nearest" }); box.focus({ preventScroll: true }); }
    status.textContent = `Finding ${n} of ${c.findings.length}: ${title(found.code)}`;
    go({ c: c.id, f: String(n) }, true);
  }

  function open(node) {
    for (let up = node.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
  }

  function toMessage(quote) {
    const c = index.get(drawn.id);
    const owner = c.findings.find((f) => f.quotes.includes(quote));
    const mark = owner && owner.supported && byId(`m${quote.message}`).querySelector(`mark[data-findings~="${owner.number}"]`);
    if (mark) { focus(owner.number, "text"); open(mark); mark.scrollIntoView({ block: "center" }); return; }
    const place = byId(`m${quote.message}`);
    open(place);
    place.scrollIntoView({ block: "center" });
  }

  function step(by) {
    if (!shown.length) return;
    const at = shown.findIndex((c) => c.id === drawn.id && state.v === "conversations");
    const to = at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(shown.length - 1, Math.max(0, at + by));
    go({ v: "conversations", c: shown[to].id, f: "" });
  }

  function stepFinding(by) {
    const c = index.get(drawn.id);
    if (!c || !c.findings.length || state.v !== "conversations") return;
    const n = c.findings.length;
    focus(finding ? ((finding - 1 + by + n) % n) + 1 : by > 0 ? 1 : n, "both");
  }

  function showTheme() {
    byId("theme").textContent = dark() ? _("Light") : _("Dark");
    byId("theme").setAttribute("aria-pressed", String(dark()));
    byId("theme").setAttribute("aria-label", dark() ? _("Switch to the light theme") : _("Switch to the dark theme"));
  }

  function setFilters(open) {
    byId("filter-grid").hidden = !open;
    byId("filter-toggle").setAttribute("aria-expanded", String(open));
  }

  for (const select of selects) select.addEventListener("change", () => go({ [select.dataset.key]: select.value, c: "", f: "" }, true));
  let typing = 0;
  byId("q").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => go({ q: byId("q").value, c: "", f: "" }, true), 150); });
  byId("filters").addEventListener("submit", (event) => { event.preventDefault(); });
  if (byId("f-all")) byId("f-all").addEventListener("change", () => go({ all: byId("f-all").checked === every ? "" : every ? "0" : "1", c: "", f: "" }, true));
  byId("clear").addEventListener("click", () => { byId("q").value = ""; go({ code: "", sev: "", queue: "", ch: "", lang: "", res: "", q: "", c: "", f: "" }, true); });
  byId("filter-toggle").addEventListener("click", () => setFilters(byId("filter-grid").hidden));
  for (const button of document.querySelectorAll("[data-scope]")) button.addEventListener("click", () => go({ scope: button.dataset.scope }, true));
  byId("theme").addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; keep.set("theme", root.dataset.theme); showTheme(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
  byId("print-button").addEventListener("click", () => print());
  const help = byId("help");
  byId("help-button").addEventListener("click", () => help.showModal());

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
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
    }[event.key];
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

  // On paper stand the figures and every conversation that the filters leave, unfolded.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("#overview details:not([open])")];
    for (const node of closed) node.open = true;
    byId("print").replaceChildren(...shown.map((c) => {
      const view = viewOf(c, true);
      return el("section", { class: "printed" }, head(view, null), c.notes.map((note) => el("p", { class: "case-note" }, note)), el("div", { class: "case-body" }, side(view), transcript(view)));
    }));
  });
  addEventListener("afterprint", () => { byId("print").replaceChildren(); for (const node of closed) node.open = false; });

  addEventListener("hashchange", draw);
  showTheme();
  setFilters(!phone.matches);
  draw();
});
