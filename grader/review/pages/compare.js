// After the answers: mine beside the judge's, differences first; and the page at the end of it all.

function drawReveal(item) {
  const rows = [...item.reveal.questions].sort((a, b) => Number(a.same) - Number(b.same));
  const differ = rows.filter((one) => !one.same).length;
  const scroll = byId("panel-body"), was = scroll ? scroll.scrollTop : 0, open = new Map([...document.querySelectorAll(".compared")].map((node) => [node.id, node.open]));
  redraw(byId("panel"),
    el("header", { class: "panel-head" }, el("h2", { id: "panel-title" }, comparedTitle(differ))),
    el("div", { class: "panel-body", id: "panel-body" },
      el("div", { class: "compared-head", "aria-hidden": "true" }, el("span", null, _("Question")), el("span", null, _("You")), el("span", null, _("Judge"))),
      rows.map((one) => compared(item, one, open)),
      item.note ? el("p", { class: "kept-note", dir: "auto" }, item.note) : null),
    el("footer", { class: "panel-foot" },
      el("button", { type: "button", class: "primary", id: "primary", "data-f": "primary", click: submit }, _("Next"), el("kbd", { "aria-hidden": "true" }, "Enter"))));
  byId("panel-body").scrollTop = was;
}

function quoteFigure(quoted, place, whose) {
  return el("figure", { class: "quoted" }, el("blockquote", { dir: "auto" }, quoted.text),
    el("figcaption", null, whose, " ", byId(`m${quoted.message}`)
      ? el("button", { type: "button", class: "link", click: () => toQuote(quoted) }, _("message {n}", { n: number(quoted.message) }), place ? ` [${place}]` : "")
      : el("span", { class: "soft" }, quoted.message ? _("message {n}", { n: number(quoted.message) }) : _("policy")),
    quoted.problem ? el("span", { class: "soft" }, ` · ${quoted.problem}`) : null));
}

function comparedTitle(differ) {
  if (judges()) return differ ? ngettext("{n} decision differs from the judge's", "{n} decisions differ from the judge's", differ) : _("All decisions are the judge's, too");
  return differ ? ngettext("{n} answer differs from the judge's", "{n} answers differ from the judge's", differ) : _("All answers are the judge's, too");
}

// Whoever decided sees at once what the others had said: in the row itself, and all rows are open.
function compared(item, one, open) {
  const asked = question(one.question), judge = one.judge, id = `r-${one.question}`;
  const numbers = new Map(quotesOf(item).map((quote) => [`${quote.code} ${quote.text}`, quote.number]));
  const mine = item.answers[one.question] || {};
  const quote = (quoted, whose) => quoteFigure(quoted, numbers.get(`${one.question} ${quoted.text}`), whose);
  return el("details", { class: `compared ${one.same ? "same" : "differs"}`, id, open: open.has(id) ? open.get(id) : judges() || !one.same || app.changing === one.question },
    el("summary", { "data-f": `sum:${one.question}` },
      el("span", { class: "caret", "aria-hidden": "true" }),
      el("span", { class: "sign", title: one.same ? _("same answer") : _("differs") }, el("span", { "aria-hidden": "true" }, one.same ? "✓" : "≠"), el("span", { class: "unseen" }, one.same ? _("same answer") : _("differs"), ": ")),
      el("span", { class: "name", dir: "auto" }, asked.title),
      el("span", { class: "given" }, el("span", { class: "unseen" }, _("You"), ": "), answerName(one.mine)),
      el("span", { class: "given" }, el("span", { class: "unseen" }, _("Judge"), ": "), judge ? answerName(judge.answer) : _("No answer"), judge && judge.unsupported ? el("span", { class: "soft" }, " ", _("(no proof)")) : null),
      (one.others || []).length ? el("span", { class: "others" }, one.others.map((other) => el("span", { class: "other" }, el("b", { dir: "auto" }, other.reviewer), `: ${answerName(other.answer)} `))) : null),
    el("div", { class: "why" },
      judge && judge.reasoning ? el("p", { class: "reasoning", dir: "auto" }, judge.reasoning) : null,
      judge ? (judge.quotes || []).filter((quoted) => quoted.text).map((quoted) => quote(quoted, _("Judge:"))) : el("p", { class: "soft" }, _("The judge could not be asked about this.")),
      mine.quote ? quote({ message: mine.message, text: mine.quote }, _("You:")) : null,
      mine.note ? el("p", { class: "kept-note", dir: "auto" }, mine.note) : null,
      one.changed ? el("p", { class: "changed" }, _("Changed to {answer}, kept as a second record.", { answer: answerName(one.changed) })) : null,
      app.changing === one.question ? changeForm(asked, one)
        : el("button", { type: "button", class: "small", "data-f": `change:${one.question}`, click: () => { app.changing = one.question; draw(); focusGroup(); } }, _("Change my answer"))));
}

function changeForm(asked, one) {
  return el("div", { class: "change" },
    el("p", { id: "change-title" }, asked.question ? el("span", { dir: "auto" }, asked.question) : null),
    el("p", { class: "soft" }, _("Your blind answer stays; this is kept as a second record.")),
    el("label", { for: "change-note" }, _("Why? (optional, before the answer)")), noteArea({ id: "change-note", rows: "2" }, (byId("change-note") || { value: app.refused.get("change") || "" }).value),
    answersGroup(asked, one.changed || one.mine, "change-title", (value) => change(one.question, value)),
    el("button", { type: "button", class: "small", "data-f": "keep", click: () => { app.changing = ""; draw(); } }, _("Keep my answer")));
}

function nothingToDecide(of) {
  if (!of || of.n_submitted >= of.n_items) return _("Where two reviewers differ, the item comes here. None does now.");
  return _("The reviewers are still working: {done} of {all} items are submitted. Where two of them differ, the item comes here: reload this page then.", { done: number(of.n_submitted), all: number(of.n_items) });
}

function drawEnd() {
  const items = app.session.items, p = app.session.progress, deferred = items.filter((one) => one.state === "deferred").length;
  const open = items.filter((one) => isOpen(one) && one.state !== "deferred").length, empty = !items.length;
  const [, , long] = savedState();
  const heading = app.session.role === "owner" ? _("The report and its disputes") : empty ? (judges() ? _("Nothing to decide") : _("Nothing to label"))
    : open || deferred ? _("Done for now") : judges() ? _("Everything is decided") : _("All items are labelled");
  const fact = (name, value) => (value === "" ? null : el("div", null, el("dt", null, name), el("dd", null, value)));
  redraw(byId("talk"), el("div", { class: "end", id: "scroll" },
    el("h1", { id: "talk-title" }, heading),
    app.session.role === "owner" ? el("p", null, _("Findings that are wrong can be disputed: open the finding in the report.")) : empty ? el("p", null, judges() ? nothingToDecide(p.reviewers) : _("The plan has no items under your name."))
      : el("dl", { class: "facts" }, fact(_("Submitted"), _("{done} of {all}", { done: number(p.n_submitted), all: number(p.n_items) })),
        fact(_("Deferred"), deferred ? number(deferred) : ""), fact(_("Still open"), open ? number(open) : ""),
        fact(_("Pace"), p.seconds_per_item ? _("about {each} an item", { each: seconds(p.seconds_per_item) }) : ""),
        fact(_("Saved"), outbox.n ? ngettext("{n} answer is on its way", "{n} answers are on their way", outbox.n) : (p.saved || {}).n_waiting ? long || _("On disk; the database gets it as soon as it can be had.") : _("Everything"))),
    el("p", { class: "buttons" },
      open ? el("button", { type: "button", class: "primary", id: "primary", click: () => show(firstOpen()) }, _("Go on")) : null,
      !open && deferred ? el("button", { type: "button", class: "primary", id: "primary", click: () => show(firstOpen()) }, ngettext("Look at the deferred one", "Look at the {n} deferred ones", deferred)) : null,
      empty ? null : el("button", { type: "button", click: () => openItems() }, _("All items")),
      app.session.report ? [el("a", { class: "button", href: "report/" }, _("Open the report")), el("button", { type: "button", click: () => openDisputes() }, _("Disputes"))] : null),
    empty || open || deferred ? null : el("p", { class: "soft" }, _("You can close this window. The owner of the plan sees what came in with"), " ", el("code", null, `grader label status ${app.session.plan}`))));
  byId("panel").replaceChildren(el("h2", { id: "panel-title", class: "unseen" }, _("Questions")));
  announce(heading);
  const primary = byId("primary");
  if (primary && document.activeElement === document.body) primary.focus();
}
