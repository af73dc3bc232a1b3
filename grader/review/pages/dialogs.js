// What opens over the page: the items with the search, the keys with the settings, disputes.

function opened(title, ...content) {
  const dialog = byId("dialog");
  dialog.className = "";
  dialog.replaceChildren(el("header", null, el("h2", { id: "dialog-title" }, title),
    el("button", { type: "button", class: "quiet", "aria-label": _("Close"), title: `${_("Close")} (Esc)`, click: () => dialog.close() }, "✕")));
  for (const node of content.flat(Infinity)) if (node) dialog.append(node);
  if (!dialog.open) dialog.showModal();
  return dialog;
}

// --- items and search ---

function openItems() {
  saveFields();
  const list = el("ul", { class: "items", id: "items" }), count = el("p", { class: "soft", role: "status" });
  let typing = 0, asked = 0;
  const listItems = (ids) => {
    const all = app.session.items, shown = ids ? all.filter((one) => ids.includes(one.id)) : all;
    count.textContent = ids ? ngettext("{n} item has these words", "{n} items have these words", shown.length) : ngettext("{n} item", "{n} items", shown.length);
    list.replaceChildren(...shown.map((one) => el("li", null, el("button", { type: "button", class: "row", "aria-current": one.id === app.id ? "true" : null, click: () => { byId("dialog").close(); show(one.id); } },
      el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[one.state]), el("span", { class: "name" }, _("Item {n}", { n: number(all.indexOf(one) + 1) })),
      el("span", { class: "soft" }, one.state === "begun" || one.state === "deferred" ? `${stateName(one.state)} · ${_("{n} of {total} answered", { n: number(one.n_answered), total: number(one.asked.length) })}` : stateName(one.state))))));
  };
  const look = async () => {
    const words = field.value.trim(), turn = asked += 1;
    if (!words) { listItems(null); return; }
    try {
      const found = await ask(`api/search?q=${encodeURIComponent(words)}`);
      if (turn === asked) listItems(found.items);
    } catch { if (turn === asked) count.textContent = _("The search needs the server, and there is no connection."); }
  };
  const field = el("input", { type: "search", id: "q", "aria-label": _("Search in your items"), placeholder: _("Search in your items"), autocomplete: "off", dir: "auto",
    input: () => { clearTimeout(typing); typing = setTimeout(look, 150); },
    keydown: (event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        if (event.key === "Enter") { clearTimeout(typing); look().then(() => { const first = list.querySelector("button"); if (first && field.value.trim()) first.focus(); }); return; }
        const first = list.querySelector("button");
        if (first) first.focus();
      }
    } });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const rows = [...list.querySelectorAll("button")], to = rows.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    (rows[to] || (to < 0 ? field : rows[rows.length - 1])).focus();
  });
  opened(_("Items"), field, count, list);
  listItems(null);
  field.focus();
}

// --- keys and settings ---

function openHelp() {
  const keys = [
    [["1", "2", "3", "4"], _("answer the open question and go on to the next")], [["Enter"], _("submit; then on to the next item")],
    [["j", "k"], _("next, previous item")], [["g"], _("first open item")], [["n", "p"], _("next, previous message")],
    [["←", "→"], _("in a message: select a word, with Shift more of them")], [["e"], _("attach what is selected, or the message, as evidence")],
    [["[", "]"], _("previous, next question")], [["c"], _("note")], [["d"], _("defer")], [["u"], _("undo")], [["/"], _("search, all items")], [["?"], _("these keys")],
    [["Esc"], _("close, leave a field")],
  ];
  const single = el("input", { type: "checkbox", id: "single", role: "switch", change: () => { app.shortcuts = single.checked; keep.set("shortcuts", app.shortcuts ? "on" : "off"); draw(); } });
  single.checked = app.shortcuts;
  const languages = el("select", { id: "language", change: () => { speak(languages.value); keep.set("language", LANGUAGE); draw(true); openHelp(); byId("language").focus(); } },
    Object.entries(app.data.names).map(([code, name]) => el("option", { value: code, lang: app.data.tags[code], selected: code === LANGUAGE }, name)));
  const theme = el("select", { id: "theme-choice", change: () => { if (theme.value) root.dataset.theme = theme.value; else delete root.dataset.theme; keep.set("theme", theme.value); draw(); } },
    [["", _("as the system has it")], ["light", _("Light")], ["dark", _("Dark")]].map(([value, name]) => el("option", { value, selected: value === (root.dataset.theme || "") }, name)));
  opened(_("Keys and settings"),
    el("div", { class: "settings" },
      el("label", { for: "single" }, single, _("Single-key shortcuts"), " ", el("span", { class: "soft" }, _("(when off, all is reached by Tab, arrows and Space)"))),
      el("label", { for: "language" }, _("Language")), languages, el("label", { for: "theme-choice" }, _("Theme")), theme),
    el("dl", { class: `keys${app.shortcuts ? "" : " off"}` }, keys.map(([names, what]) => el("div", null, el("dt", null, names.map((name) => el("kbd", null, name))), el("dd", null, what)))),
    el("p", { class: "soft" }, _("Every answer is saved as it is given. You are {reviewer}, plan {plan}.", { reviewer: app.session.reviewer, plan: app.session.plan })),
    app.session.report ? el("p", { class: "buttons" }, el("button", { type: "button", click: () => openDisputes() }, _("Disputes")), " ", el("a", { href: "report/" }, _("Report"))) : null);
}

// --- disputes ---

async function openDisputes() {
  const list = el("ul", { class: "items disputes" });
  opened(_("Disputes"), el("p", { class: "soft" }, _("Findings of the judge that somebody disputes. The finding in the report leads here.")), list);
  let found;
  try { found = (await ask("api/disputes")).disputes; } catch (error) { list.append(el("li", { class: "soft" }, error instanceof Refused && error.told.error ? error.told.error : _("There is no connection to the server."))); return; }
  if (!found.length) list.append(el("li", { class: "soft" }, _("None so far.")));
  for (const one of found) list.append(el("li", null,
    el("b", { dir: "auto" }, question(one.question).title), " · ", el("a", { href: `report/#v=conversations&c=${encodeURIComponent(one.conversation_id)}`, dir: "auto" }, one.conversation_id),
    el("p", null, _("{reviewer}: {answer}", { reviewer: one.reviewer, answer: answerName(one.answer) }), one.judge ? [" · ", _("judge: {answer}", { answer: answerName(one.judge.answer || one.judge) })] : ""),
    one.note ? el("p", { class: "soft", dir: "auto" }, one.note) : null));
}
