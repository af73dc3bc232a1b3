"""`grader rubric`: list, show, lint, diff, new-version."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.errors import GraderError
    from grader.rubric import Criterion, Rubric
    from grader.rubric.lint import Finding

app = typer.Typer(no_args_is_help=True)
_WIDTH = 100
_REFERENCE = "accuracy, accuracy@1.0.0, or the path of a YAML file."

RubricArgument = Annotated[str, typer.Argument(metavar="RUBRIC", help=_REFERENCE, show_default=False)]


@app.callback()
def _rubric() -> None:
    """List, show, lint, compare and renew rubrics.

    Example:
      grader rubric list
    """


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Older versions too.")] = False,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """The rubrics of the workspace, the newest version of each.

    Example:
      grader rubric list --all
    """
    from grader.rubric import load_all, newest

    del quiet
    settings = console.settings(workspace, needed=False)
    folder = settings.workspace.rubrics
    rubrics = [_filled(rubric, settings) for rubric in (load_all(folder) if every else newest(folder))]
    if as_json:
        console.out_json([_summary(rubric) for rubric in rubrics])
        return
    console.table(
        ["rubric", "version", "criteria>", "title", "meaning"],
        [(r.name, r.version, len(r.criteria), r.title, r.meaning_hash) for r in rubrics],
    )
    if not rubrics:
        console.note(f"no rubric in {folder}; `grader init` writes the shipped ones")


@app.command("show")
def show(
    rubric: RubricArgument,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """One rubric in full: every criterion with its answers, needs, proof and examples.

    Example:
      grader rubric show accuracy
    """
    from grader.rubric import find

    del quiet
    settings = console.settings(workspace, needed=False)
    found = _filled(find(settings.workspace.rubrics, rubric), settings)
    if as_json:
        console.out_json({**_summary(found), **found.model_dump(mode="json")})
        return
    console.out(f"{found.reference}  {found.title}")
    if found.description:
        console.out(_wrapped(found.description, "  "))
    console.out(f"  meaning {found.meaning_hash}, labels {found.label_hash}")
    for criterion in found.criteria:
        _show_criterion(criterion)


@app.command("lint")
def lint(
    rubrics: Annotated[
        list[str] | None, typer.Argument(metavar="[RUBRIC]...", help=_REFERENCE, show_default=False)
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Look for what misleads a judge: double questions, missing cases, overlaps, vague words. Exit 1 on errors.

    Without a RUBRIC, every rubric file must load, the newest versions are looked at, and the prompt templates too.

    Example:
      grader rubric lint --strict
    """
    del quiet
    settings = console.settings(workspace, needed=False)
    found = _linted(rubrics or [], settings)
    n_errors = sum(1 for item in found if item["level"] == "error")
    failed = bool(found) if strict else bool(n_errors)
    if as_json:
        console.out_json({"errors": n_errors, "warnings": len(found) - n_errors, "ok": not failed, "findings": found})
    else:
        for item in found:
            place = ":".join(str(part) for part in (item["file"], item["line"]) if part is not None)
            code = f" {item['criterion']}" if item["criterion"] else ""
            console.out(f"{place}{': ' if place else ''}{item['level']}{code}: {item['message']} [{item['rule']}]")
            if item["cure"]:
                console.out(f"  → {item['cure']}")
        console.note(f"{n_errors} errors, {len(found) - n_errors} warnings")
    if failed:
        raise typer.Exit(1)


@app.command("diff")
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=_REFERENCE, show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The same, to compare with.", show_default=False)],
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """What differs between two rubrics, field by field, and whether it changes the meaning or only labels.

    Example:
      grader rubric diff accuracy@1.0.0 accuracy@1.1.0
    """
    from grader.rubric import find
    from grader.rubric.versions import diff as compare

    del quiet
    folder = console.settings(workspace, needed=False).workspace.rubrics
    one, other = find(folder, a), find(folder, b)
    changes = compare(one, other)
    same_meaning = one.meaning_hash == other.meaning_hash
    same_labels = one.label_hash == other.label_hash
    if as_json:
        console.out_json({
            "a": _summary(one), "b": _summary(other), "meaning_changed": not same_meaning,
            "labels_changed": not same_labels,
            "changes": [{"criterion": c.criterion, "field": c.field, "before": c.before, "after": c.after,
                         "meaning": c.meaning} for c in changes],
        })  # fmt: skip
        return
    console.out(f"{one.reference} → {other.reference}")
    for change in changes:
        kind = "meaning" if change.meaning else "label"
        place = f"{change.criterion}: " if change.criterion else ""
        if change.field == "criterion":
            console.out(f"\n[{kind}] {place}{'added' if change.before is None else 'removed'}")
        else:
            console.out(f"\n[{kind}] {place}{change.field}")
        for sign, text in (("-", change.before), ("+", change.after)):
            if text is not None:
                console.out(_wrapped(text, f"  {sign} "))
    if not same_meaning:
        console.out("\nThe meaning changed: verdicts of the two are not the same measurement.")
    elif not same_labels:
        console.out("\nOnly labels changed: what reaches the judge is the same.")
    else:
        console.out("\nNeither meaning nor labels changed" + (": only the version did." if changes else "."))


@app.command("new-version")
def new_version(
    rubric: RubricArgument,
    part: Annotated[str, typer.Option("--part", metavar="major|minor|patch", help="Which number goes up.")] = "minor",
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Copy a rubric to its next version, to be edited there. Nothing is overwritten.

    Example:
      grader rubric new-version accuracy --part patch
    """
    from grader.errors import ConfigError
    from grader.rubric import locate
    from grader.rubric.versions import PARTS
    from grader.rubric.versions import new_version as write

    del quiet
    chosen = next((known for known in PARTS if known == part), None)
    if chosen is None:
        raise ConfigError(f"--part {part} is not known", cure=f"one of {', '.join(PARTS)}")
    folder = console.settings(workspace, needed=False).workspace.rubrics
    source = locate(folder, rubric)
    written = write(source, chosen)
    if as_json:
        console.out_json({"from": source, "file": written, "version": written.stem})
        return
    console.out(written)
    console.note(f"Edit it, then: grader rubric lint {written} && grader rubric diff {source} {written}")


def _linted(references: list[str], settings: Settings) -> list[dict[str, Any]]:
    from grader.errors import GraderError, PromptError, RubricError
    from grader.prompt import Templates
    from grader.rubric import files, lines, locate, read, version_key
    from grader.rubric.lint import lint as find_weak

    folder = settings.workspace.rubrics
    paths = [locate(folder, reference) for reference in references] or files(folder)
    problems: list[RubricError] = []
    read_from: list[tuple[Path, Rubric]] = [(path, r) for path in paths if (r := read(path, problems)) is not None]
    found = [_problem(problem, "load") for problem in problems]
    if not references:
        read_from.sort(key=lambda item: (item[1].name, version_key(item[1].version)))
        read_from = list({rubric.name: (path, rubric) for path, rubric in read_from}.values())
        try:
            Templates.load(settings.workspace.prompts, language=settings.workspace.language)
        except PromptError as error:
            found.append(_problem(error, "template"))
    lists = {"contact_reasons": settings.workspace.contact_reasons}
    for path, rubric in read_from:
        missing = [name for name in rubric.lists_needed if not lists.get(name)]
        for name in missing:
            problem = GraderError(
                f"options_from names {name}, which the workspace does not have",
                cure=f"lists that there are: {', '.join(lists)}",
            )
            found.append({**_problem(problem, "unknown_list"), "file": str(path), "rubric": rubric.reference})
    where = {rubric.reference: (path, lines(path)) for path, rubric in read_from}
    found.extend(_finding(item, *where[item.rubric]) for item in find_weak([r for _, r in read_from], lists))
    return found


def _problem(error: GraderError, rule: str) -> dict[str, Any]:
    file, field = getattr(error, "file", None), getattr(error, "field", None)
    message = getattr(error, "reason", error.message)
    return {
        "level": "error", "rule": rule, "file": file, "line": getattr(error, "line", None), "rubric": None,
        "criterion": field, "message": message, "cure": error.cure,
    }  # fmt: skip


def _finding(item: Finding, file: Path, lines: dict[tuple[str | int, ...], int]) -> dict[str, Any]:
    path = item.path
    while path and path not in lines:
        path = path[:-1]
    return {
        "level": item.level, "rule": item.rule, "file": str(file), "line": lines.get(path), "rubric": item.rubric,
        "criterion": item.criterion, "message": item.message, "cure": None,
    }  # fmt: skip


def _filled(rubric: Rubric, settings: Settings) -> Rubric:
    """With the workspace's options where it has them; a list it does not have stays open and is named as such."""
    lists = {"contact_reasons": settings.workspace.contact_reasons}
    return rubric.with_options(lists) if all(lists.get(name) for name in rubric.lists_needed) else rubric


def _summary(rubric: Rubric) -> dict[str, Any]:
    return {
        "name": rubric.name, "version": rubric.version, "title": rubric.title, "codes": rubric.codes,
        "meaning_hash": rubric.meaning_hash, "label_hash": rubric.label_hash,
    }  # fmt: skip


def _show_criterion(criterion: Criterion) -> None:
    console.out(f"\n{criterion.code}  {criterion.title}")
    facts = [criterion.scale, criterion.severity, f"proved by {', '.join(criterion.proof)}"]
    if criterion.needs:
        facts.append(f"needs {', '.join(criterion.needs)}")
    if criterion.cites_policy:
        facts.append("cites the policy")
    console.out(f"  ({'; '.join(facts)})")
    console.out(_wrapped(criterion.question, "  "))
    if criterion.scale == "defect":
        definitions = {name: getattr(criterion, name) for name in ("present", "absent", "not_applicable")}
    elif criterion.options is not None:
        definitions = dict(criterion.options)
    else:
        definitions = {f"options of {criterion.options_from}": "(a list of the workspace)"}
    for answer, meaning in definitions.items():
        if meaning is not None:
            console.out(_wrapped(f"{answer}: {meaning}", "  - "))
    for example in criterion.examples:
        console.out(f"  example, {example.answer}{', near miss' if example.near_miss else ''}:")
        console.out(textwrap.indent(example.transcript, "      "))
        if example.why:
            console.out(_wrapped(f"({example.why})", "      "))


def _wrapped(text: str, head: str) -> str:
    """Each line folded to the page, the first with `head` before it."""
    rest = " " * len(head)
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, _WIDTH - len(head)) or [""]]
    return "\n".join((head if index == 0 else rest) + line for index, line in enumerate(lines))
