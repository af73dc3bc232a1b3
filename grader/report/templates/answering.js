// What the reader says to an answer of the judge, beside it: agrees or not, and then what is right. In the file a label that waits
// in the browser (labels.js); within a session of the review app a dispute, which is sent at once by `reach`: it comes with the session,
// the file itself can reach nothing.

const DEFECT_ANSWERS = ["present", "absent", "not_applicable", "cannot_assess"];
const drafts = new Map();                  // what is being answered, by question: it outlives a look at another conversation
let lastSelected = null;                   // on a phone the way to the button loses the selection

function answersTo(asked) {
  const code = named(codes, asked.code);
  return code && code.options.length ? code.options : DEFECT_ANSWERS;
}
const questionKey = (asked) => [asked.names.conversation_id, asked.names.rubric, asked.code].join("\n");

// The questions that the judge answered in a conversation, by rubric and code.
function askedIn(c) {
  const found = new Map();
  for (const group of c.groups) {
    const at = group.rubric.lastIndexOf(" "), rubric = group.rubric.slice(0, at), rubric_version = group.rubric.slice(at + 1);
    for (const v of group.verdicts) {
      found.set(`${rubric} ${v.code}`, { code: v.code, answer: v.answer, names: { conversation_id: c.id, rubric, rubric_version, criterion: v.code } });
    }
  }
  return found;
}

function answering(view, rubric, code, where) {
  if (view.print || gathering.masked) return null;
  const asked = askedIn(view.c).get(`${rubric} ${code}`);
  if (!asked) return null;
  const node = el("div", { class: "answering", role: "group", "aria-label": _("Your answer: {title}", { title: title(code) }) });
  node.redraw = (focus) => {
    node.replaceChildren(...answeringParts(node, view, asked, where));
    const found = focus && (node.querySelector(`[data-f="${focus}"]`) || node.querySelector("button"));
    if (found) found.focus();
  };
  node.asked = asked;
  node.redraw();
  return node;
}

const answersOf = (mine) => { const { label } = mine; return { answer: label.answer, note: label.note || "", quote: label.quote || "", place: label.quote ? { message: label.message, quote: label.quote } : null }; };
const redrawAnswers = () => { for (const node of document.querySelectorAll("#detail .answering")) if (!node.querySelector("form")) node.redraw(); };

// Where it does not matter in which place, that is the first one that shows the question: its card, else its line.
function openAnswer(asked, where, more) {
  drafts.set(questionKey(asked), { where, answer: "", note: "", quote: "", place: null, problem: "", all: true, ...more });
}

function answeringParts(node, view, asked, where) {
  const draft = drafts.get(questionKey(asked));
  if (draft && !draft.where) draft.where = where;
  if (draft && draft.where === where) return [answerForm(node, view, asked, draft)];
  const name = title(asked.code), act = (f, text, label, does) => el("button", { type: "button", class: "link", "data-f": f, "aria-label": label, click: does }, text);
  const open = (more) => { openAnswer(asked, where, more); node.redraw("first"); };
  const disagree = (text) => act("disagree", text, `${text}: ${name}`, () => open({ all: false }));
  const lead = where === "card" ? toReview(view, asked) : null;
  if (gathering.session) {
    const said = gathering.session.said.get(questionKey(asked));
    return [said ? el("span", { class: "said against" }, said.reviewer ? _("Disputed by {name}: {answer}", { name: said.reviewer, answer: answerWord(said.answer) }) : _("Dispute saved: {answer}", { answer: answerWord(said.answer) })) : null,
      disagree(said ? _("Dispute again") : _("Disagree")), lead].filter(Boolean);
  }
  const mine = labelOf(asked);
  if (!mine) {
    const agree = () => { if (!gathering.reviewer) { open({ answer: asked.answer }); return; } keepLabel(asked, { answer: asked.answer }); node.redraw("change"); tellKept(asked.answer); };
    return [act("agree", _("Agree"), _("Agree: {title}", { title: name }), agree), disagree(_("Disagree")), lead].filter(Boolean);
  }
  const { label } = mine, change = () => open(answersOf(mine));
  const extra = [label.quote && _("with a quote"), label.note && _("with a note")].filter(Boolean).join(", ");
  return [el("span", { class: label.answer === asked.answer ? "said" : "said against" }, label.answer === asked.answer ? icon("done") : null, _("You: {answer}", { answer: answerWord(label.answer) }), extra ? el("span", { class: "soft" }, ` ${extra}`) : null),
    act("change", _("Edit"), _("Edit: {title}", { title: name }), change),
    act("remove", _("Remove"), _("Remove: {title}", { title: name }), () => { dropLabel(label); node.redraw("agree"); }), lead].filter(Boolean);
}

const tellKept = (answer) => { byId("status").textContent = [_("Your answer is kept: {answer}", { answer: answerWord(answer) }), countedLabels()].join(". "); };

let forms = 0;
function answerForm(node, view, asked, draft) {
  const id = `answering-${forms += 1}`, inFile = !gathering.session;
  const choices = answersTo(asked).filter((value) => draft.all || value !== asked.answer);
  const field = (name, text, rows) => {
    const area = el("textarea", { id: `${id}-${name}`, rows, dir: "auto", maxlength: "4000" });
    area.value = draft[name];
    area.addEventListener("input", () => { draft[name] = area.value; });
    return [el("label", { for: area.id }, text), area];
  };
  const radios = choices.map((value, n) => {
    const box = el("input", { type: "radio", name: id, value, "data-f": value === draft.answer || (!n && !draft.answer) ? "first" : null, checked: value === draft.answer, change: () => { draft.answer = value; } });
    return el("label", { class: "check" }, box, answerWord(value), value === asked.answer ? el("span", { class: "soft" }, _("the judge’s")) : null);
  });
  const who = inFile && !gathering.reviewer ? el("input", { id: `${id}-who`, type: "text", maxlength: "80", autocomplete: "off", dir: "auto", "data-f": "first" }) : null;
  const quote = inFile ? field("quote", _("Words that show it (optional)"), "2") : null;
  const trouble = el("p", { class: "problem", role: "alert" }, draft.problem);
  const close = (focus) => { drafts.delete(questionKey(asked)); node.redraw(focus); };
  const fail = (words) => { draft.problem = words; trouble.textContent = words; };
  const take = () => {
    const found = selected(view.c, document.querySelector("#detail .transcript")) || (lastSelected && lastSelected.of === view.c.id ? lastSelected : null);
    if (!found) { fail(_("Select words of a message first.")); return; }
    if (found.problem) { fail(found.problem); return; }
    draft.place = found;
    draft.quote = quote[1].value = found.quote;
    fail("");
  };
  const save = async (event) => {
    event.preventDefault();
    if (who && !who.value.trim()) { fail(_("Your name is needed once: it stands beside each label.")); who.focus(); return; }
    if (!draft.answer) { fail(_("Choose an answer.")); radios[0].querySelector("input").focus(); return; }
    const place = inFile && draft.quote.trim() ? placeOf(view.c, draft.quote.trim(), draft.place) : null;
    if (inFile && draft.quote.trim() && !place) { fail(_("These words stand in no message. Select them, or copy them as they stand.")); quote[1].focus(); return; }
    if (who) nameReviewer(who.value.trim());
    if (inFile) { keepLabel(asked, { answer: draft.answer, note: draft.note.trim(), ...place }); close("change"); tellKept(draft.answer); return; }
    fail("");
    const button = node.querySelector("[data-f=save]");
    button.disabled = true;
    const problem = await sendDispute(asked, draft);
    button.disabled = false;
    if (problem) { fail(_("Not saved: {problem}", { problem })); return; }
    close("disagree");
    byId("status").textContent = _("Dispute saved: {answer}", { answer: answerWord(draft.answer) });
  };
  const cancel = () => close(inFile && labelOf(asked) ? "change" : "disagree");
  const form = el("form", { class: "answer-form", submit: save },
    who ? [el("label", { for: who.id }, _("Your name (asked once)")), who] : null,
    el("fieldset", null, el("legend", null, _("What is the right answer?")), radios),
    field("note", inFile ? _("Note (optional)") : _("Why is it wrong? (optional)"), "2"),
    quote ? [quote, el("button", { type: "button", class: "link", "data-f": "take", pointerdown: (event) => event.preventDefault(), click: take }, _("Take the selected words"))] : null,
    trouble,
    el("p", { class: "form-acts" }, el("button", { type: "submit", class: "primary", "data-f": "save" }, inFile ? _("Save label") : _("Save dispute")),
      el("button", { type: "button", class: "quiet", click: cancel }, _("Cancel"))),
    el("p", { class: "soft" }, inFile ? [NOT_BLIND(), gathering.stored ? null : [" ", el("b", null, IN_MEMORY())]] : _("Kept beside the labels, as a dispute under your name: no rate counts it.")));
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); cancel(); } });
  return form;
}

// Where the words stand: in the message that they were taken from, else in the first that has them.
function placeOf(c, words, taken) {
  if (taken && taken.quote === words) return { message: taken.message, quote: words };
  const lines = c.lines.filter((line) => line.number !== null && line.number !== undefined);
  lines.sort((a, b) => (taken ? (b.number === taken.message) - (a.number === taken.message) : 0));
  for (const line of lines) {
    for (const piece of line.pieces) {
      const text = textFrom(piece), found = locate(text, words);
      if (found) return { message: line.number, quote: text.slice(...found) };
    }
  }
  return null;
}

// Why it could not be saved, or nothing. The same answer sent again is the same dispute.
async function sendDispute(asked, draft) {
  const body = { run_id: gathering.run, conversation_id: asked.names.conversation_id, question: `${asked.names.rubric}.${asked.code}`, answer: draft.answer, note: draft.note.trim() };
  const meant = JSON.stringify(body);
  if (draft.meant !== meant) Object.assign(draft, { meant, id: crypto.randomUUID() });
  try {
    const got = await reach(gathering.session.dispute, { method: "POST", headers: { "Content-Type": "application/json", "X-Grader": "review" }, body: JSON.stringify({ id: draft.id, ...body }) });
    const told = await got.json().catch(() => ({}));
    if (!got.ok) return [told.error, told.cure].filter(Boolean).join(" → ") || String(got.status);
  } catch { return _("the server does not answer"); }
  gathering.session.said.set(questionKey(asked), { answer: draft.answer, reviewer: "" });
  return "";
}

// What was disputed before, by anybody who may see the report.
async function readDisputes() {
  try {
    const got = await reach(`${gathering.session.app}api/disputes`);
    if (!got.ok) return;
    for (const one of (await got.json()).disputes.reverse()) {
      const [rubric, code] = one.question.split(".");
      gathering.session.said.set([one.conversation_id, rubric, code].join("\n"), { answer: one.answer, reviewer: one.reviewer });
    }
    redrawAnswers();
  } catch { /* the next one that is sent says that nobody answers */ }
}

// The same finding in the review app: a link within its session, else what to type.
function toReview(view, asked) {
  const address = `#${new URLSearchParams({ dispute: view.c.id, code: `${asked.names.rubric}.${asked.code}`, run: gathering.run })}`;
  if (gathering.session) return el("a", { href: gathering.session.app + address }, _("Open in review"));
  return el("button", { type: "button", class: "link", "aria-haspopup": "dialog", "aria-label": _("Open in review: {title}", { title: title(asked.code) }), click: () => tellReview(address) }, _("Open in review"));
}

// As a shell takes it.
const shellWord = (text) => (/^[\w@%+=:,.-]+$/.test(text) ? text : ["'", text.replaceAll("'", "'\\''"), "'"].join(""));

function tellReview(address) {
  const dialog = byId("labels"), line = (text) => el("pre", { class: "command", tabindex: "0", dir: "ltr", lang: "zxx" }, text);
  dialog.dataset.shows = "review";
  dialog.replaceChildren(el("h2", { id: "labels-title" }, _("Open in review")),
    el("p", null, _("A file cannot start the review app. Where the workspace is, start it for the latest label plan of this run:")),
    line(`grader review --run ${shellWord(gathering.run)} --owner ${shellWord(gathering.reviewer || "owner")}`),
    el("p", null, _("Where this run has no label plan yet, draw one before:")),
    line(`grader label plan --run ${shellWord(gathering.run)} -n 50 --reviewers ana,ben`),
    el("p", null, _("It prints an address for each person. With this behind it, yours opens at this finding, to be disputed:")), line(address),
    el("form", { method: "dialog" }, el("button", null, _("Close"))));
  dialog.showModal();
}

let selecting = 0;
function watchSelection(open) {
  document.addEventListener("selectionchange", () => {
    clearTimeout(selecting);
    if (!drafts.size) return;
    selecting = setTimeout(() => {
      const c = open(), area = document.querySelector("#detail .transcript"), found = c && area ? selected(c, area) : null;
      if (found && !found.problem) lastSelected = { ...found, of: c.id };
    }, 80);
  });
}
