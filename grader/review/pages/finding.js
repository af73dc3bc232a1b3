// A finding of the report in the app: the conversation, what the judge answered and why, what people said against it, and a place to
// say so, too. The report leads here: #dispute=CONVERSATION&code=QUESTION&run=RUN

async function openDispute(address) {
  if (!app.session.report) { opened(_("Dispute a finding"), el("p", null, _("You stay blind to what the judge said until all your items are submitted. Then findings can be disputed."))); return; }
  tick();
  Object.assign(app, { screen: "finding", id: "", open: "", target: "", reading: 0, changing: "", message: "", waiting: "", finding: null });
  getSelection().removeAllRanges();
  draw(true, true);
  await loadFinding(address.get("dispute"), address.get("code") || "");
}

async function loadFinding(conversation, code) {
  let found;
  try { found = await ask(`api/finding?${new URLSearchParams({ conversation, question: code })}`); } catch (error) {
    if (app.screen !== "finding") return;
    if (!app.finding) arrive("");
    say(error instanceof Refused ? [error.told.error, error.told.cure].filter(Boolean).join(" · ") : _("The finding cannot be loaded: there is no connection to the server, or another program has the database."));
    return;
  }
  if (app.screen !== "finding") return;
  const fresh = !app.finding;
  app.finding = { ...found, id: "", asked: [], answers: {}, state: "submitted", reveal: { questions: [{ question: found.question.name, judge: found.judge }] } };
  codes[found.question.name] = codes[found.question.name] || { ...found.question, colour: 0 };
  draw(fresh, fresh);
  if (fresh) announce(`${found.question.title}. ${found.judge ? answerName(found.judge.answer) : _("No answer")}`);
}

function leaveFinding() {
  history.replaceState(null, "", "#");
  arrive("");
}

function sendDispute(answer) {
  const { run_id, conversation_id, question: asked } = app.finding, field = byId("dispute-note");
  outbox.add({ run_id, conversation_id, question: asked.name, answer, note: field.value.trim() }, "api/dispute");
  field.value = "";
}

function drawFinding(panel) {
  const one = app.finding;
  panel.classList.toggle("coming", !one);
  if (!one) { redraw(panel, el("h2", { id: "panel-title", class: "panel-head" }, _("Finding"))); return; }
  const { question: asked, judge } = one, there = byId("dispute-note"), field = noteArea({ id: "dispute-note", rows: "3" }, there ? there.value : "");
  const scroll = byId("panel-body"), was = scroll ? scroll.scrollTop : 0;
  redraw(panel,
    el("header", { class: "panel-head" }, el("h2", { id: "panel-title" }, _("Finding"))),
    el("div", { class: "panel-body finding", id: "panel-body" },
      el("h3", { dir: "auto" }, asked.title),
      asked.question ? el("p", { class: "asked", dir: "auto" }, asked.question) : null,
      el("p", null, el("b", null, _("Judge:")), " ", judge ? answerName(judge.answer) : _("No answer"), judge && judge.unsupported ? el("span", { class: "soft" }, " ", _("(no proof)")) : null),
      judge && judge.reasoning ? el("p", { class: "reasoning", dir: "auto" }, judge.reasoning) : null,
      judge ? judge.quotes.filter((quoted) => quoted.text).map((quoted) => quoteFigure(quoted, null, "")) : null,
      one.disputes.length ? [el("h3", null, _("Disputed before")), el("ul", { class: "items disputes" }, one.disputes.map((said) => el("li", null,
        el("p", null, _("{reviewer}: {answer}", { reviewer: said.reviewer, answer: answerName(said.answer) })), said.note ? el("p", { class: "soft", dir: "auto" }, said.note) : null)))] : null,
      el("h3", null, one.disputes.some((said) => said.reviewer === app.session.reviewer) ? _("Dispute again") : _("Dispute a finding")),
      el("label", { for: "dispute-note" }, _("Why is it wrong? (optional)")), field,
      el("p", { id: "dispute-title" }, _("What is the right answer?")),
      answersGroup({ ...asked, answers: asked.answers.filter(([value]) => !judge || value !== judge.answer) }, "", "dispute-title", sendDispute)),
    el("footer", { class: "panel-foot" },
      el("button", { type: "button", class: "primary", id: "primary", "data-f": "primary", click: leaveFinding }, _("Close"), el("kbd", { "aria-hidden": "true" }, "Enter")),
      el("a", { class: "button", href: `report/#v=conversations&c=${encodeURIComponent(one.conversation_id)}` }, _("Report"))));
  byId("panel-body").scrollTop = was;
}
