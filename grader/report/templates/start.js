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
const byId = (id) => document.getElementById(id);

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== "") node.append(child);
  return node;
}

const ICONS = {
  voice: "M8 2v7M5.5 4.5v3a2.5 2.5 0 0 0 5 0v-3a2.5 2.5 0 0 0-5 0zM3.5 8a4.5 4.5 0 0 0 9 0M8 12.5V15",
  image: "M2 3h12v10H2zM2 11l3.5-3.5L9 11l2-2 3 3M11 6h.01",
  file: "M4 1.5h5l3 3v10H4zM9 1.5v3h3",
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
