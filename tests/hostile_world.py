"""A shop in which each conversation has one hostile string in every field that a page shows, and a rubric whose words
are all of them; and what a page has to show of such a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import report_data
from hostile_strings import FAMILIES, STRINGS
from report_data import T0, World, calls, present, says, tells, world

from grader.model import Event, Policy, Reference, Role
from grader.report.transcript import visible
from grader.rubric import Rubric

RUN = "run <img src=x onerror=window.__hit=1> {{ 7*6 }} \u202ex"
WORDED = 72  # criteria whose title, question and meaning are the strings
FILLED = tuple(s for s in STRINGS if visible(s).strip())  # a field that wants a text refuses those without one
OPTIONS = tuple({
    s.casefold(): s for s in STRINGS if s.isprintable() and s == s.strip() and 0 < len(s) <= 80 and "_" not in s
}.values())  # fmt: skip


def some(n: int, *, without: str = "") -> list[str]:
    """The first n printable one-liners of each family that have none of these characters."""
    fits = [[s for s in family if s.isprintable() and s == s.strip() and not set(s) & set(without)]
            for family in FAMILIES.values()]  # fmt: skip
    return [s for family in fits for s in family[:n]]


def _rubrics() -> dict[str, Rubric]:
    def word(n: int) -> str:
        return FILLED[n % len(FILLED)]

    worded = [
        {"code": f"w{n}", "title": word(3 * n), "question": word(3 * n + 1), "present": word(3 * n + 2),
         "absent": word(3 * n), "not_applicable": word(3 * n + 1),
         "severity": ("low", "medium", "high", "critical")[n % 4]}
        for n in range(WORDED)
    ]  # fmt: skip
    chosen = {
        "code": "choice",
        "title": "Choice",
        "question": "Which?",
        "options": dict(zip(OPTIONS, FILLED, strict=False)),
    }
    probe = [
        {"code": code, "title": code, "question": "?", "present": "yes", "absent": "no", "not_applicable": "-",
         "severity": "critical", "cites_policy": code == "first"}
        for code in ("first", "second")
    ]  # fmt: skip
    said = {"version": "1.0.0", "description": "x"}
    return {
        "probe": Rubric.model_validate({"name": "probe", "title": " · ".join(some(3)), **said, "criteria": probe}),
        "worded": Rubric.model_validate({"name": "worded", "title": FILLED[0], **said, "criteria": [*worded, chosen]}),
    }


MADE = _rubrics()


@contextmanager
def hostile_shop(folder: Path) -> Iterator[World]:
    """The shop, judged by both rubrics. Conversation n has string n wherever it can stand."""
    kept = dict(report_data.RUBRICS)
    report_data.RUBRICS.clear()
    report_data.RUBRICS.update(MADE)
    try:
        with world(folder) as w:
            for n, s in enumerate(STRINGS):
                _talk(w, n, s)
            w.finish(RUN, rubrics=[{"name": r.name, "version": r.version} for r in MADE.values()])
            yield w
    finally:
        report_data.RUBRICS.clear()
        report_data.RUBRICS.update(kept)


def name_of(n: int) -> str:
    """What conversation n is called."""
    return f"{n:03} {STRINGS[n]}".strip()


def _talk(w: World, n: int, s: str) -> None:
    def at(minute: int) -> Any:
        return T0 + timedelta(minutes=minute, days=n % 60)

    full = s if visible(s).strip() and s.strip() else f"x{s}"
    queue = f"{n}{s}"
    w.policy(Policy(policy_id=f"p{n} {s}".strip(), title=s, text=f"rule {n}: {full}", queues=(queue,)))
    name = w.talk(
        name_of(n),
        says("customer", s, at(0)),
        says("ai", f"about {n}: {s}", at(1), name=s),
        says("human", s, at(2), name=s),
        calls(full, {"text": s, f"k{s}": [s]}, at(3)),
        tells(full, s, at(3), is_error=bool(n % 2)),
        says("customer", s, at(4), kind="voice", attributes={"duration_seconds": 7}),
        says("system", s, at(5), kind="note"),
        says("unknown", s, at(6)),
        queue=queue, channel=f"c{s}", language=s, reason=s, start=at(0), contact=f"+5511{n // 2:09}",
        ai_version=s, references=(Reference(kind="order", value=full),),
        events=(Event(kind=f"k{s}", after=2, at=at(1), note=s), Event(kind="handoff", after=2, at=at(2),
                from_role=Role.AI, to_role=Role.HUMAN, note=s)),
    )  # fmt: skip
    w.rated(name, 1 + n % 5, s)
    first = present(s, 1, clause=full, why=s)
    second = present(f"about {n}", 2, why=f"why {s}")
    w.judged(name, "probe", {"first": first, "second": second}, model=f"m{s}", call=report_data.priced(model=f"m{s}"))
    if n == 0:
        w.judged(name, "worded", {f"w{k}": present(s, 1, why=s) for k in range(WORDED)} | {"choice": OPTIONS[0]})
    elif n % 5 == 0:
        w.failed(name, "worded", f"cause{s}", detail=s)
    elif n < len(OPTIONS):
        w.judged(name, "worded", {"choice": OPTIONS[n]})


def squashed(text: str) -> str:
    """A text without its white space: where a page breaks lines is no matter. A control character as its picture, as
    which some fields are shown, while others have a chip for it.
    """
    text = _WRITTEN.sub(lambda m: chr(int(m[1], 16)) * int(m[2] or 1), text)  # where no chip can stand
    return "".join(visible(text).split())


_WRITTEN = re.compile(r"\[U\+([0-9A-F]{4,6})(?: ×(\d+))?\]")


# What a node shows, with the characters themselves where the page shows a chip for them; and what is too wide.
READING = """
window.__reports = window.__reports || [];
addEventListener("securitypolicyviolation", (event) => window.__reports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
window.shownText = (node) => {
  let out = "";
  const walk = (one) => {
    if (one.nodeType === 3) { out += one.data; return; }
    if (one.nodeType !== 1 || one.matches("script, style, .badge, .gap, .copy, .fold-note, .unseen, svg")) return;
    if (one.matches(".ctrl")) {
      const chip = /^U\\+([0-9A-F]+)(?: ×([0-9,]+))?$/.exec(one.textContent);
      out += chip ? String.fromCodePoint(parseInt(chip[1], 16)).repeat(chip[2] ? Number(chip[2].replaceAll(",", "")) : 1) : "\\ufffc";
      return;
    }
    if (one.matches("textarea, input")) { out += one.value; return; }
    for (const child of one.childNodes) walk(child);
  };
  walk(node);
  return out;
};
window.unfolded = (area) => {
  for (let n = 0; n < 3; n += 1) {
    for (const fold of area.querySelectorAll("details:not([open])")) fold.open = true;
    for (const gap of area.querySelectorAll("button.gap")) gap.click();
  }
};
window.wide = () => {
  const found = document.documentElement.scrollWidth > innerWidth ? [`page ${document.documentElement.scrollWidth}`] : [];
  for (const node of document.body.querySelectorAll("*")) {
    const box = node.getBoundingClientRect();
    if (!box.width || box.right <= innerWidth + 1) continue;
    let up = node.parentElement;
    while (up && !/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX)) up = up.parentElement;
    if (!up) found.push(`${node.tagName}.${node.className} ${Math.round(box.right)}`);
  }
  return found;
};
"""  # noqa: E501
