"""`grader disagreements`: where the judge and people differ, to read, to hand on, and to mend the rubric with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console
from grader.cli.calibrate import PlanArgument, chosen_plan
from grader.cli.reviewed import before_counting
from grader.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from grader.calibration.disagreements import Disagreements
    from grader.model import Conversation, Policy

OPENS = "test"  # the split whose reading is noted
ON_SCREEN = 5  # of each group, where no limit is given
FORMATS = (".html", ".jsonl")
SPLITS, EXAMPLES, PER_CODE = "train,dev", "rubric-examples", 2


def disagreements(
    plan_id: PlanArgument = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Hold this run against the labels; else the run of the plan.")
    ] = None,
    code: Annotated[list[str] | None, typer.Option("--code", "-c", help="Only this criterion. Repeatable.")] = None,
    split: Annotated[
        str,
        typer.Option("--split", metavar="NAMES", help="Labels of these splits: train, dev, test, several with commas, "
                     "or all. Reading test is noted and counted. [train,dev; with --as: train]", show_default=False),
    ] = "",
    direction: Annotated[
        list[str] | None,
        typer.Option("--direction", "-d", metavar="NAME", help="Only these: missed, false-alarm, unproved, "
                     "unproved-alarm, not-applicable, applicable, cannot-assess, other-answer. Repeatable."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=1, help="At most so many of each code and direction. [5 on the terminal]",
                     show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="A page to read (.html), or a line each for a program "
                     "(.jsonl).", show_default=False),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--as", metavar="rubric-examples", help="Draft examples of the train split's disagreements into "
                     "the next version of the rubric.", show_default=False),
    ] = None,
    per_code: Annotated[
        int | None, typer.Option("--per-code", min=1, help="Drafts of each code, with --as. [2]", show_default=False)
    ] = None,
    part: Annotated[
        str | None,
        typer.Option("--part", metavar="major|minor|patch", help="Which number goes up, with --as. [minor]",
                     show_default=False),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="VERSION", help="Add the drafts to this version, which no run has used.",
                     show_default=False),
    ] = None,
    language: console.LanguageOption = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:  # fmt: skip
    """List where the judge's verdict and people's answer differ, by code and direction, the most frequent first.

    Each with both answers, both reasons, the judge's quotes and whether they hold, and the transcript. What is changed
    after reading these is best tested on labels that were not read: the test split stays closed unless it is named.
    `--as rubric-examples` masks what looks like an address or a number and leaves the reasons to you.
    docs/disagreements.md walks through it.

    Example:
      grader disagreements
      grader disagreements --code invented_deadline --direction missed -o reports/disagreements.html
      grader disagreements --as rubric-examples --per-code 2
    """
    from grader.calibration.disagreements import direction_named
    from grader.calibration.disagreements import disagreements as find
    from grader.calibration.drafts import SPLIT, TAUGHT
    from grader.calibration.splits import split_names
    from grader.cli.db import looked_at
    from grader.cli.drafted import drafted
    from grader.language import use
    from grader.outcomes.figures import find_run
    from grader.store import open_store

    del quiet
    _check(form, out, per_code=per_code, part=part, into=into, limit=limit)
    splits = split_names(split or (SPLIT if form else SPLITS))
    if form and splits != (SPLIT,):
        raise ConfigError(
            f"--split {split}: examples are drafted from {SPLIT} alone", cure="what a judge has seen cannot test it"
        )
    directions = direction_named([part.strip() for text in direction or () for part in text.split(",")])
    settings = console.settings(workspace, {"report.language": language})
    before_counting(settings)
    opened = (
        open_store(settings.workspace.database, create=False, people=console.people(settings))
        if form or OPENS in splits else looked_at(settings)
    )  # fmt: skip
    with opened as store:
        plan, now = chosen_plan(store, plan_id), datetime.now(UTC)
        found = find(
            store, plan, find_run(store, run) if run else None, splits, now=now, codes=code or (),
            directions=directions or (TAUGHT if form else None),
        )  # fmt: skip
        if form:
            drafted(
                settings, store, found, per_code=per_code or PER_CODE, part=part or "minor", into=into, now=now,
                as_json=as_json,
            )  # fmt: skip
            return
        texts: dict[str, Conversation] = {}
        policies: list[Policy] = []
        if out is not None or as_json:
            ids = dict.fromkeys(i.conversation_id for g in found.groups for i in g.items[:limit])
            texts = {c.conversation_id: c for c in store.conversations(list(ids))}
            policies = store.policies()
    if out is not None:
        with use(settings.report.language if out.suffix.lower() == ".html" else "en"):
            _write(out, found, texts, policies, limit)
    if as_json:
        _json(found, texts, limit, out)
    elif out is None:
        _tell(found, limit)
    else:
        console.out(out)


def _check(form: str | None, out: Path | None, **given: object) -> None:
    """Raises ConfigError for what is not known, or does not go together."""
    if form not in (None, EXAMPLES):
        raise ConfigError(f"--as {form!r} is not known", cure=f"--as {EXAMPLES}")
    if form and (out is not None or given["limit"] is not None):
        raise ConfigError(f"--as {EXAMPLES} writes the rubric's next version", cure="leave out --out and --limit")
    alone = next((n for n in ("per_code", "part", "into") if given[n] is not None), None)
    if alone and not form:
        raise ConfigError(f"--{alone.replace('_', '-')} says how examples are drafted", cure=f"add --as {EXAMPLES}")
    if out is not None and out.suffix.lower() not in FORMATS:
        raise ConfigError(f"--out {out} is neither .html nor .jsonl", cure="the ending says which it is to be")


def _write(
    out: Path, found: Disagreements, texts: Mapping[str, Conversation], policies: list[Policy], limit: int | None
) -> None:
    import json

    from grader.report.disagreements import html, page, rows
    from grader.report.write import put

    stretches: Iterable[str]
    if out.suffix.lower() == ".html":
        stretches = [html(page(found, texts, policies, limit))]
    else:
        stretches = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows(found, texts, limit))
    try:
        put(out, stretches)
    except OSError as error:
        raise ConfigError(
            f"{out}: cannot be written: {error.strerror or error}", cure="name another place with --out"
        ) from error


def _json(found: Disagreements, texts: Mapping[str, Conversation], limit: int | None, out: Path | None) -> None:
    from grader.report.disagreements import rows

    told: dict[str, Any] = {
        "plan": found.plan.plan_id, "run": found.run_id, "splits": found.splits, "codes": found.codes,
        "not_judged": found.not_judged, "not_asked": found.not_asked, "file": out,
        "groups": [
            {"code": g.code, "direction": g.direction.name, "judge": g.pair and g.pair[0],
             "people": g.pair and g.pair[1], "severity": g.severity or None, "n": len(g.items), "of": g.n_labels}
            for g in found.groups
        ],
    }  # fmt: skip
    if out is None:
        told["disagreements"] = list(rows(found, texts, limit))
    console.out_json(told)


def _tell(found: Disagreements, limit: int | None) -> None:
    """The terminal's list: a head, then each group with its first items."""
    from grader.report.disagreements import apart, told

    judges = ", ".join(one.name for one in found.instruments.values()) or "nothing judged"
    console.out(
        f"run {found.run_id} ({judges}) and plan {found.plan.plan_id[:11]}, labels of {', '.join(found.splits)}"
    )
    console.out(
        f"{found.n_compared:,} labels held: {found.total('n_same'):,} the same, {found.total('n_differ'):,} differ"
    )
    for sentence in apart(found):
        console.out(sentence)
    for group in found.groups:
        severity = f" ({group.severity})" if group.severity else ""
        console.out(
            f"\n{group.code}{severity} · {_one_line(told(group))}: {len(group.items)} of {group.n_labels} labels"
        )
        console.out(f"  {group.direction.means}")
        shown = group.items[: limit or ON_SCREEN]
        for item in shown:
            _tell_item(item, found.run_id)
        if len(group.items) > len(shown):
            console.out(f"  and {len(group.items) - len(shown):,} more: --limit, or -o reports/disagreements.html")


def _tell_item(item: Any, run_id: str) -> None:
    from grader.report.brief import quoted
    from grader.report.case_view import PROBLEMS
    from grader.report.disagreements import answer_words

    about = [item.queue and f"queue {item.queue}", item.reason, item.channel, item.split]
    console.out(_one_line(f"- {item.conversation_id} · {' · '.join(part for part in about if part)}"))
    console.out(_one_line(f"judge: {answer_words(item.judge_answer)}. {item.reasoning or ''}", "    "))
    for q in item.quotes:
        where = f"message {q.message}" if q.message else "policy"
        problem = "" if q.verified else f" (not proved: {PROBLEMS.get(q.problem or '', 'not verified')})"
        console.out(f"      {where}: “{_one_line(q.text)}”{problem}")
    console.out(f"    people: {_one_line(answer_words(item.people_answer))} ({item.how})")
    for s in item.said:
        answered = f" answered {answer_words(s.answer)}" if s.answer != item.people_answer else ""
        decided = " decided" if s.role == "adjudicator" else ""
        quote = f"“{s.quote}”" if s.quote else ""
        cited = f"message {s.message}{': ' if quote else ''}{quote}" if s.message else quote
        reason = " · ".join(part for part in (s.note, cited) if part)
        if reason or answered or decided:
            console.out(_one_line(f"{s.reviewer}{decided}{answered}{': ' if reason else ''}{reason}", "      "))
    console.out(f"    grader show {quoted(item.conversation_id)} --run {quoted(run_id)}")


LONGEST = 300


def _one_line(text: str, indent: str = "") -> str:
    """Others' words on one line, cut where they are long."""
    line = console.clean(" ".join(text.split()))
    return indent + (line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…")
