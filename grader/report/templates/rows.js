// The list of conversations: every row has the same height, and only those in sight (and some around them) are nodes.

const ROW = 80, AROUND_ROWS = 12;
const MARKS_IN_ROW = 8;                     // the first code is named, of the others their severity is seen

function listItem(place, state) {
  const code = (n) => INDEX.code[n];
  const found = INDEX.codes.values[INDEX.codes.of[place]].map(code), weak = INDEX.weak.values[INDEX.weak.of[place]];
  const id = INDEX.id[place];
  const about = [few(INDEX.queue, place) || _("no queue"), few(INDEX.language, place), few(INDEX.when, place).replace(/^\w+ /, "")].filter(Boolean).join(" · ");
  const severity = (name) => NAMES.sev(name);
  return el("a", { href: address({ ...state, v: "conversations", c: id, f: "" }), "data-id": id, "data-place": String(place), tabindex: "-1" },
    el("span", { class: "meta" }, el("span", { dir: "auto" }, id), el("span", { dir: "auto" }, about)),
    el("span", { class: "words", dir: "auto" }, INDEX.words[place] || _("(no text)")),
    el("span", { class: "codes" }, found.length
      ? found.slice(0, MARKS_IN_ROW).map((name, n) => el("span", { class: `chip dot ${severityOf(name)}${n ? " mark" : ""}`, title: `${severity(severityOf(name))}: ${title(name)}` },
        el("span", { class: "unseen" }, n ? `, ${severity(severityOf(name))}: ${title(name)}` : `${severity(severityOf(name))}: `), n ? null : title(name)))
      : el("span", { class: "chip" }, weak.length ? _("only unsupported") : _("nothing flagged")),
    found.length > MARKS_IN_ROW ? el("span", { class: "chip more", title: found.slice(MARKS_IN_ROW).map(title).join(", ") }, `+${number(found.length - MARKS_IN_ROW)}`) : null));
}

// `places` are what is shown, in order. `scroller` scrolls on a wide screen, the page itself on a phone.
function virtualList(list, scroller, narrow) {
  let places = [], state = {}, current = "", entry = 0, rows = new Map(), empty = "";
  const held = () => list.contains(document.activeElement) ? Number(document.activeElement.closest("li")?.dataset.at ?? -1) : -1;

  function sight() {
    const box = narrow.matches ? { top: 0, bottom: innerHeight } : scroller.getBoundingClientRect();
    const top = list.getBoundingClientRect().top;
    return [Math.floor((box.top - top) / ROW) - AROUND_ROWS, Math.ceil((box.bottom - top) / ROW) + AROUND_ROWS];
  }

  function make(at) {
    const place = places[at];
    const node = el("li", { "aria-setsize": String(places.length), "aria-posinset": String(at + 1), "data-at": String(at) }, listItem(place, state));
    node.style.top = `${at * ROW}px`;
    if (INDEX.id[place] === current) node.firstChild.setAttribute("aria-current", "true");
    if (at === entry) node.firstChild.tabIndex = 0;
    return node;
  }

  // Rows that are in sight are there; the others are not, but for the one that has the focus.
  function draw() {
    if (!places.length) return;
    let [from, to] = sight();
    from = Math.max(0, Math.min(from, places.length - 1));
    to = Math.min(places.length - 1, Math.max(to, 0));
    const keep = held();
    for (const [at, node] of rows) if ((at < from || at > to) && at !== keep) { node.remove(); rows.delete(at); }
    for (let at = from; at <= to; at += 1) {
      if (rows.has(at)) continue;
      rows.set(at, make(at));
    }
    if (!rows.has(entry)) rows.set(entry, make(entry));      // the one that Tab comes to
    // In the order of the list, so that what is read aloud or reached by keys follows it.
    let after = null;
    for (const at of [...rows.keys()].sort((a, b) => a - b)) {
      const node = rows.get(at);
      if (node.parentNode !== list || node.previousElementSibling !== after) { if (at === keep) { after = node; continue; } if (after) after.after(node); else list.prepend(node); }
      after = node;
    }
  }

  function setEntry(at) {
    if (rows.has(entry)) rows.get(entry).firstChild.tabIndex = -1;
    entry = at;
    if (rows.has(at)) rows.get(at).firstChild.tabIndex = 0;
  }

  function show(found, now, words) {
    const focused = held() >= 0;
    places = found; state = now; empty = words;
    rows = new Map();
    list.replaceChildren();
    list.style.height = places.length ? `${places.length * ROW}px` : "";
    setEntry(Math.max(0, places.findIndex((place) => INDEX.id[place] === current)));
    if (!places.length) list.append(el("li", { class: "empty soft" }, empty));
    draw();
    if (focused && rows.has(entry)) rows.get(entry).firstChild.focus({ preventScroll: true });
  }

  // Bring a row into sight, by no more than that takes.
  function reveal(at) {
    if (at < 0) return;
    const top = list.getBoundingClientRect().top + at * ROW;
    if (narrow.matches) {
      const by = top < 60 ? top - 60 : Math.max(0, top + ROW - innerHeight);
      scrollBy({ top: by, behavior: "instant" });
    } else {
      const box = scroller.getBoundingClientRect();
      if (top < box.top) scroller.scrollTop += top - box.top; else if (top + ROW > box.bottom) scroller.scrollTop += top + ROW - box.bottom;
    }
    draw();
  }

  function focusAt(at) {
    const to = Math.max(0, Math.min(places.length - 1, at));
    setEntry(to);
    reveal(to);
    rows.get(to)?.firstChild.focus({ preventScroll: true });
    draw();
  }

  // The conversation that is open. Returns its place in the list.
  function mark(id) {
    current = id;
    for (const link of list.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    const at = places.findIndex((place) => INDEX.id[place] === id);
    if (at >= 0) { setEntry(at); draw(); rows.get(at)?.firstChild.setAttribute("aria-current", "true"); }
    return at;
  }

  // Links carry the state; a change of the open conversation need not draw all of them again.
  function relink(now) { state = now; }

  list.addEventListener("keydown", (event) => {
    const at = held();
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((narrow.matches ? innerHeight : scroller.clientHeight) / ROW) - 1);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: places.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focusAt(to);
  });
  list.addEventListener("focusin", () => { const at = held(); if (at >= 0 && at !== entry) setEntry(at); });
  list.addEventListener("focusout", () => requestAnimationFrame(draw));
  let asked = false;
  const later = () => { if (!asked) { asked = true; requestAnimationFrame(() => { asked = false; draw(); }); } };
  addEventListener("scroll", later, { capture: true, passive: true });
  addEventListener("resize", later);
  return { show, mark, reveal, relink, draw };
}
