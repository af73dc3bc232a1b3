// Which conversations are shown and in which order: the state lives in the address, so that a view can be shared.

const SEVERAL = ["code", "sev"];           // filters of which several may be chosen: any of them fits
const FILTERS = ["code", "sev", "queue", "reason", "ch", "lang", "res", "by", "back", "dis", "uns", "low"];
const KEYS = ["v", "c", "f", ...FILTERS, "q", "sort", "all", "scope"];
const CLEARED = Object.fromEntries([...FILTERS, "q", "c", "f"].map((key) => [key, ""]));
const NONE = "–";                          // how "not given" stands in an address and in a filter
const NO_QUEUE = "no queue";

function readState(every, part) {
  const found = new URLSearchParams(location.hash.slice(1));
  const state = {};
  for (const key of KEYS) state[key] = found.get(key) || "";
  if (part) state.v = "conversations";
  if (state.v !== "overview" && state.v !== "conversations") {
    state.v = state.c || state.q || state.all || state.sort || FILTERS.some((key) => state[key]) ? "conversations" : "overview";
  }
  state.every = every ? state.all !== "0" : state.all === "1";
  return state;
}

function address(state) {
  const out = new URLSearchParams();
  for (const key of KEYS) if (state[key]) out.set(key, state[key]);
  return `#${out}`;
}

const chosen = (state, key) => state[key].split(",").filter(Boolean);

const SEVERITIES = ["critical", "high", "medium", "low"];
const severityOf = (code) => (named(codes, code) ? codes[code].severity : "");
const LOW = { unsupported: 1, wavering: 2, partly: 4, uncalibrated: 8 };
const LOW_TOGETHER = 1 | 2 | 4;             // what a finding itself shows; where no code is calibrated, all are alike in that

let SIGNALS = "none";                      // `compared` with the judge somewhere, or they are it: `is`

// What a filter calls its values.
const NAMES = {
  code: (v) => title(v),
  sev: (v) => severityName(v),
  queue: (v) => (v === NO_QUEUE ? _("no queue") : v),
  reason: (v) => (v === NONE ? _("not known") : label(v)),
  ch: (v) => (v === NONE ? _("not known") : v),
  lang: (v) => (v === NONE ? _("not known") : v),
  res: (v) => (v === NONE ? _("No verdict") : resolution(v)),
  by: (v) => (named({ ai: _("AI alone"), human: _("human alone"), both: _("AI and human") }, v) || _("not known")),
  back: (v) => (named({ same: _("within 7 days, same issue"), other: _("within 7 days, something else"), unsure: _("within 7 days, issue not known"),
    no: _("not within 7 days"), early: _("not yet known"), unknown: _("cannot be known") }, v) || v),
  dis: (v) => (named({ differ: _("disagree"), agree: _("agree"), none: { is: _("signals judged this run"), compared: _("not comparable") }[SIGNALS] || _("no signals were run") }, v) || v),
  uns: (v) => (named({ yes: _("has an unsupported finding"), no: _("none unsupported") }, v) || v),
  low: (v) => (named({ any: _("any reason but calibration"), unsupported: _("a quote does not hold"), wavering: _("repeats differ"),
    partly: _("judge saw only a part"), uncalibrated: _("code not calibrated"), no: _("none of these") }, v) || v),
};
const ORDERS = {
  "": () => _("most worth reading"), new: () => _("newest first"), old: () => _("oldest first"), long: () => _("longest first"), queue: () => _("by queue"),
};

// What each filter finds at a place: one value, or several.
const FACETS = {
  code: (i) => INDEX.codes.values[INDEX.codes.of[i]].map((n) => INDEX.code[n]),
  sev: (i) => [...new Set(FACETS.code(i).map(severityOf))],
  queue: (i) => [few(INDEX.queue, i) || NO_QUEUE],
  reason: (i) => [few(INDEX.reason, i) || NONE],
  ch: (i) => [few(INDEX.channel, i) || NONE],
  lang: (i) => [few(INDEX.language, i) || NONE],
  res: (i) => [few(INDEX.res, i) || NONE],
  by: (i) => [few(INDEX.by, i) || NONE],
  back: (i) => [few(INDEX.back, i)],
  dis: (i) => [["none", "agree", "differ"][INDEX.signals[i]]],
  uns: (i) => [INDEX.low[i] & LOW.unsupported ? "yes" : "no"],
  low: (i) => {
    const bits = INDEX.low[i], found = Object.keys(LOW).filter((name) => bits & LOW[name]);
    if (bits & LOW_TOGETHER) found.unshift("any");
    return found.length ? found : ["no"];
  },
};

// A fixed order of a filter's values where they have one.
const ORDERED = { sev: SEVERITIES, by: ["ai", "human", "both"], back: ["same", "unsure", "other", "no", "early", "unknown"],
  dis: ["differ", "agree", "none"], uns: ["yes", "no"], low: ["any", ...Object.keys(LOW), "no"] };

// How FACETS are read off quickly: of a column of few values each value is looked at once.
function facetColumns() {
  const columns = {};
  for (const key of FILTERS) {
    const seen = new Map(), values = [], of = new Uint32Array(INDEX.n);
    for (let i = 0; i < INDEX.n; i += 1) {
      const found = FACETS[key](i), name = found.join("\n");
      if (!seen.has(name)) { seen.set(name, values.length); values.push(found); }
      of[i] = seen.get(name);
    }
    columns[key] = { values, of };
  }
  return columns;
}

// The places that fit, in order; and of each filter, how many conversations fit the other filters, by its values.
function filtered(columns, state, hits) {
  const tests = FILTERS.map((key) => {
    const wanted = SEVERAL.includes(key) ? chosen(state, key) : state[key] ? [state[key]] : [];
    return wanted.length ? columns[key].values.map((found) => found.some((value) => wanted.includes(value))) : null;
  });
  const counts = columns && FILTERS.map((key) => new Uint32Array(columns[key].values.length));
  const shown = [];
  let pool = 0;
  for (let i = 0; i < INDEX.n; i += 1) {
    if (!state.every && !INDEX.codes.values[INDEX.codes.of[i]].length) continue;
    pool += 1;
    if (hits && hits[i] !== 1) continue;
    let misses = 0, missed = -1;
    for (let k = 0; k < FILTERS.length && misses < 2; k += 1) {
      if (tests[k] && !tests[k][columns[FILTERS[k]].of[i]]) { misses += 1; missed = k; }
    }
    if (misses > 1) continue;
    if (misses) { counts[missed][columns[FILTERS[missed]].of[i]] += 1; continue; }
    shown.push(i);
    for (let k = 0; k < FILTERS.length; k += 1) counts[k][columns[FILTERS[k]].of[i]] += 1;
  }
  const facets = {};
  FILTERS.forEach((key, k) => {
    const found = facets[key] = new Map();
    columns[key].values.forEach((values, n) => { for (const value of values) if (counts[k][n]) found.set(value, (found.get(value) || 0) + counts[k][n]); });
  });
  return { shown: sorted(shown, state.sort), pool, facets };
}

function sorted(places, order) {
  const at = (i) => INDEX.at[i];
  const late = (a, b) => (at(a) === null) - (at(b) === null) || at(b) - at(a) || a - b;
  if (order === "new") return places.sort(late);
  if (order === "old") return places.sort((a, b) => (at(a) === null) - (at(b) === null) || at(a) - at(b) || a - b);
  if (order === "long") return places.sort((a, b) => INDEX.length[b] - INDEX.length[a] || a - b);
  if (order !== "queue") return places;
  const names = INDEX.queue.values.map((name, n) => [name, n]).sort(([a], [b]) => (a === null) - (b === null) || (a < b ? -1 : a > b ? 1 : 0));
  const rank = new Map(names.map(([, n], place) => [n, place]));
  return places.sort((a, b) => rank.get(INDEX.queue.of[a]) - rank.get(INDEX.queue.of[b]) || a - b);
}

// The values of a filter with their counts; what is chosen is there even where nothing has it.
function entries(key, counts, state) {
  const found = [...counts];
  for (const value of SEVERAL.includes(key) ? chosen(state, key) : [state[key]]) if (value && !counts.has(value)) found.push([value, 0]);
  const place = (value) => ORDERED[key].indexOf(value);
  return found.sort((a, b) => (ORDERED[key] ? place(a[0]) - place(b[0]) : b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

function fillSelect(select, counts, state) {
  const key = select.dataset.key;
  const found = entries(key, counts, state);
  select.replaceChildren(el("option", { value: "" }, _("All")), ...found.map(([value, n]) => el("option", { value }, `${NAMES[key](value)} (${number(n)})`)));
  select.value = state[key];
  select.classList.toggle("active", Boolean(state[key]));
}

// A filter of which several values may be chosen: boxes to tick, in a fold.
function fillSeveral(fold, counts, state, change) {
  const key = fold.dataset.several, on = chosen(state, key), box = fold.querySelector("fieldset");
  const focused = box.contains(document.activeElement) ? document.activeElement.value : null;
  box.replaceChildren(...entries(key, counts, state).map(([value, n]) => el("label", { class: "check" },
    el("input", { type: "checkbox", value, checked: on.includes(value), change: (event) => change(key, value, event.target.checked) }),
    el("span", null, NAMES[key](value)), el("span", { class: "n" }, number(n)))));
  if (focused !== null) { const again = [...box.querySelectorAll("input")].find((input) => input.value === focused); if (again) again.focus(); }
  const told = on.length === 0 ? _("All") : on.length === 1 ? NAMES[key](on[0]) : _("{n} chosen", { n: number(on.length) });
  fold.querySelector("summary").replaceChildren(...texts(told));
  fold.classList.toggle("active", on.length > 0);
}

// What narrows the list, each with a button that takes it away.
function fillChips(node, names, state, change) {
  const chip = (key, value, name) => el("li", null, el("button", { type: "button", class: "filter-chip", "aria-label": _("Remove the filter {name}", { name: `${names[key]}: ${name}` }),
    click: () => change(key, value, false) }, el("span", { dir: "auto" }, `${names[key]}: ${name}`), el("span", { "aria-hidden": "true" }, "×")));
  const found = [];
  for (const key of FILTERS) for (const value of SEVERAL.includes(key) ? chosen(state, key) : [state[key]].filter(Boolean)) found.push(chip(key, value, NAMES[key](value)));
  if (state.q.trim()) found.push(chip("q", state.q, `“${state.q.trim()}”`));
  node.replaceChildren(...found);
  node.hidden = !found.length;
}
