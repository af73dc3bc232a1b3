// Which conversations are shown: the state lives in the address, so that a view can be shared.

const KEYS = ["v", "c", "f", "code", "sev", "queue", "ch", "lang", "res", "q", "all", "scope"];
const FILTERS = ["code", "sev", "queue", "ch", "lang", "res", "q", "all"];

function readState(every) {
  const found = new URLSearchParams(location.hash.slice(1));
  const state = {};
  for (const key of KEYS) state[key] = found.get(key) || "";
  if (state.v !== "overview" && state.v !== "conversations") {
    state.v = state.c || FILTERS.some((key) => state[key]) ? "conversations" : "overview";
  }
  state.every = every ? state.all !== "0" : state.all === "1";
  return state;
}

function address(state) {
  const out = new URLSearchParams();
  for (const key of KEYS) if (state[key]) out.set(key, state[key]);
  return `#${out}`;
}

// What cannot be seen does not hide a word from the search either.
const plain = (text) => text.replace(UNSEEN.pattern, (all, run) => (run ? "" : all)).normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

const haystacks = new WeakMap();
function haystack(c) {
  if (!haystacks.has(c)) {
    const parts = [c.id, c.queue, c.reason, c.csat_comment, c.next_id];
    for (const line of c.lines) { parts.push(line.event); for (const piece of line.pieces) parts.push(piece.title, piece.segments.map((s) => s.text).join("")); }
    for (const finding of c.findings) parts.push(finding.code, title(finding.code), finding.reasoning);
    haystacks.set(c, plain(parts.filter(Boolean).join("\n")));
  }
  return haystacks.get(c);
}

const proved = (c) => c.findings.some((finding) => finding.supported);
const NONE = "–";          // how "not given" is written in a filter
const NO_QUEUE = "no queue";

function matches(c, state) {
  if (!state.every && !proved(c)) return false;
  if (state.queue && (c.queue || NO_QUEUE) !== state.queue) return false;
  if (state.ch && (c.channel || NONE) !== state.ch) return false;
  if (state.lang && (c.language || NONE) !== state.lang) return false;
  if (state.res && (c.resolved || NONE) !== state.res) return false;
  if ((state.code || state.sev) && !c.findings.some((finding) => finding.supported
    && (!state.code || finding.code === state.code) && (!state.sev || finding.severity === state.sev))) return false;
  return !state.q || haystack(c).includes(plain(state.q.trim()));
}

// The options of each filter, with how many of the page's conversations have them.
function choices(list) {
  const counts = Object.fromEntries(["code", "sev", "queue", "ch", "lang", "res"].map((key) => [key, new Map()]));
  const add = (key, value) => counts[key].set(value, (counts[key].get(value) || 0) + 1);
  for (const c of list) {
    add("queue", c.queue || NO_QUEUE);
    add("ch", c.channel || NONE);
    add("lang", c.language || NONE);
    add("res", c.resolved || NONE);
    const found = c.findings.filter((finding) => finding.supported);
    for (const code of new Set(found.map((finding) => finding.code))) add("code", code);
    for (const severity of new Set(found.map((finding) => finding.severity))) add("sev", severity);
  }
  return counts;
}

const NAMES = { code: title, res: (value) => (value === NONE ? "No verdict" : resolution(value)) };
const SEVERITIES = ["critical", "high", "medium", "low"];

function fillSelect(select, counts, value) {
  const key = select.dataset.key;
  const name = NAMES[key] || ((text) => text);
  const entries = [...counts[key]].sort((a, b) => key === "sev" ? SEVERITIES.indexOf(a[0]) - SEVERITIES.indexOf(b[0]) : b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (value && !counts[key].has(value)) entries.push([value, 0]);
  select.replaceChildren(el("option", { value: "" }, "All"), ...entries.map(([option, n]) => el("option", { value: option }, `${name(option)} (${n})`)));
  select.value = value;
  select.classList.toggle("active", Boolean(value));
}

function listItem(c, state) {
  const found = c.findings.filter((finding) => finding.supported);
  return el("li", null, el("a", { href: address({ ...state, v: "conversations", c: c.id, f: "" }), "data-id": c.id, "aria-current": c.id === state.c ? "true" : null },
    el("span", { class: "meta" }, el("span", { dir: "auto" }, c.id), el("span", { dir: "auto" }, [c.queue || NO_QUEUE, c.language, c.when.split(",")[0].replace(/^\w+ /, "")].filter(Boolean).join(" · "))),
    el("span", { class: "words", dir: "auto" }, c.excerpt || "(no text)"),
    el("span", { class: "codes" }, found.length
      ? found.slice(0, 3).map((finding) => el("span", { class: `chip dot ${finding.severity}`, title: finding.severity }, el("span", { class: "unseen" }, `${finding.severity}: `), title(finding.code)))
      : el("span", { class: "chip" }, c.findings.length ? "only unsupported" : "nothing flagged"),
    found.length > 3 ? el("span", { class: "chip more" }, `+${found.length - 3}`) : null)));
}
