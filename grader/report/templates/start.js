"use strict";
// Runs in the head, before anything is painted: the theme, and the one way in which nodes are made.
// Texts only ever become text nodes; nothing here parses HTML.

const root = document.documentElement;
root.classList.add("js");

const keep = {
  get(key) { try { return localStorage.getItem(`grader-${key}`); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(`grader-${key}`, value); } catch { /* a file may have no storage */ } },
};
if (["light", "dark"].includes(keep.get("theme"))) root.dataset.theme = keep.get("theme");

const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

// The interface's language: the page's data fills these in before anything is drawn. English is what stands in the code.
let LANGUAGE = "en", WORDS = {};
const filled = (text, values) => (values ? text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all)) : text);
const number = (n) => n.toLocaleString(LANGUAGE === "pt" ? "pt-BR" : "en-US");
const _ = (text, values) => filled([WORDS[text] ?? text].flat()[0], values);
function ngettext(one, many, n, values) {
  const forms = [WORDS[one] ?? [one, many]].flat();
  const first = LANGUAGE === "pt" ? n < 2 : n === 1;
  return filled(first ? forms[0] : forms[forms.length - 1], { n: number(n), ...values });
}

// What a table has under a name that others wrote. A plain look would find what every object has: "constructor".
const named = (table, name) => (Object.prototype.hasOwnProperty.call(table, name) ? table[name] : undefined);

const byId = (id) => document.getElementById(id);

// Characters that cannot be seen are shown as chips: nothing of others may hide words on this page or turn their order.
let UNSEEN = { pattern: /(?!)()/gu, names: {}, many: 0 };

// The runs of one character in a run of unseen ones, as [character, how often].
function same(run) {
  const found = [];
  for (const char of run) {
    const last = found[found.length - 1];
    if (last && last[0] === char) last[1] += 1; else found.push([char, 1]);
  }
  return found;
}

const hex = (char) => char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
const times = (n) => (n > 1 ? ` ×${n.toLocaleString("en")}` : "");

function chips(run) {
  const found = same(run);
  const chip = (text, about) => el("span", { class: "ctrl", dir: "ltr", title: about }, text);
  const count = [...run].length.toLocaleString("en");
  if (found.length > UNSEEN.many) return [chip(`${count} invisible characters`, found.slice(0, UNSEEN.many).map(([char]) => `U+${hex(char)}`).join(" ") + " …")];
  return found.map(([char, n]) => chip(`U+${hex(char)}${times(n)}`, UNSEEN.names[hex(char)] || "invisible character"));
}

// A text as nodes: itself, with a chip in the place of each character that cannot be seen. Beyond MAX_CHIPS they are
// written out, which a browser draws faster.
const MAX_CHIPS = 500;
function texts(text) {
  if (text.search(UNSEEN.pattern) < 0) return [text];
  const parts = [];
  let done = 0;
  for (const match of text.matchAll(UNSEEN.pattern)) {
    if (!match[1]) continue;
    parts.push(text.slice(done, match.index), ...chips(match[1]));
    done = match.index + match[0].length;
    if (parts.length > 2 * MAX_CHIPS) break;
  }
  return [...parts, writtenOut(text.slice(done))].filter((part) => part !== "");
}

// The same where no chip can stand: in an attribute or an option.
const writtenOut = (text) => text.replace(UNSEEN.pattern, (all, run) => {
  if (!run) return all;
  const found = same(run);
  if (found.length > UNSEEN.many) return `[${[...run].length.toLocaleString("en")} invisible characters]`;
  return found.map(([char, n]) => `[U+${hex(char)}${times(n)}]`).join("");
});
const READ = ["title", "aria-label"];     // attributes that people read; the others hold what is looked up by

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : READ.includes(name) ? writtenOut(value) : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === "") continue;
    if (typeof child !== "string") node.append(child);
    else if (tag === "option") node.append(writtenOut(child));
    else for (const part of texts(child)) node.append(part);
  }
  return node;
}

const ICONS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5L14 14",
  check: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM5 8.3l2.2 2.2L11.2 6",
  voice: "M8 2v7M5.5 4.5v3a2.5 2.5 0 0 0 5 0v-3a2.5 2.5 0 0 0-5 0zM3.5 8a4.5 4.5 0 0 0 9 0M8 12.5V15",
  image: "M2 3h12v10H2zM2 11l3.5-3.5L9 11l2-2 3 3M11 6h.01",
  file: "M4 1.5h5l3 3v10H4zM9 1.5v3h3",
  copy: "M6 5.5h7.5v8H6zM3 10.5v-8h7.5",
  done: "M3 8.5l3.5 3.5L13 4.5",
  note: "M3 2.5h10v11H3zM5.5 6h5M5.5 9h5",
  person: "M8 8.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14c.6-2.6 2.8-4 5.5-4s4.900 1.400 5.500 4",
  tool: "M9.500 6.500L3 13M13.500 3.500l-2.500 2.500-1.500-.5-.5-1.500 2.500-2.500a3.500 3.500 0 0 0-4 4.500",
};
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
