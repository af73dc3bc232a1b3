"""`grader check`: exit 1 where a figure is past its threshold, for CI and cron."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from grader.cli import console
from grader.errors import ConfigError, InputError, ThresholdError

if TYPE_CHECKING:
    from grader.outcomes.metrics import Metrics
    from grader.outcomes.thresholds import Condition


class Checked(NamedTuple):
    """One condition on one slice."""

    slice: str
    condition: str
    value: float | None
    failed: bool | None  # None: not known

    @property
    def told(self) -> str:
        """The value as text."""
        return "not known" if self.value is None else f"{self.value:.4g}"


def check(
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", metavar="CONDITION", help="recontact_rate.high > 0.2; several are or."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="Each slice for itself: week, queue, reason, channel, language, ai_version."),
    ] = None,
    window: Annotated[str, typer.Option(help="How long a return counts: 24h, 72h, 7d or 30d.")] = "7d",
    select: Annotated[
        list[str] | None, typer.Option(help="Only these, as in grade: queue:returns,…", metavar="NAME:VALUE")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the outcome as JUnit XML too.")
    ] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Exit 1 where a figure of `grader metrics` is past its threshold; 0 where none is.

    A rate has .low and .high (ends of its 95 % interval), .n and .of: `recontact_rate.low > 0.2` fails only where it is
    clearly above, `.high` as soon as it may be. What is not known is said, and fails nothing. In a GitHub workflow the
    table goes into the step summary too.

    Example:
      grader check --fail-if 'recontact_rate.high > 0.2' --fail-if 'csat_ai < 3.5' --by queue
    """
    from grader.cli.grade import selection
    from grader.outcomes.metrics import WINDOWS, metrics
    from grader.outcomes.thresholds import FIGURES, condition
    from grader.store import open_store

    del quiet
    if not fail_if:
        raise InputError(
            "no condition is given", cure=f"--fail-if 'recontact_rate.high > 0.2'; figures: {', '.join(FIGURES)}"
        )
    conditions = [condition(text) for text in fail_if]
    if window not in WINDOWS:
        raise ConfigError(f"--window {window!r} is not known", cure=f"one of {', '.join(WINDOWS)}")
    settings = console.settings(workspace)
    with open_store(settings.workspace.database, read_only=True) as store:
        ids = store.population(selection(select), zone=settings.workspace.tz) if select else None
        found = metrics(store, by=by, window_hours=WINDOWS[window], ids=ids, timezone=settings.workspace.timezone)
    if not found:
        raise InputError("there is nothing to check: no conversation that a customer began", cure="grader ingest PATH…")
    checked = [_checked(c, m) for m in found for c in conditions]
    if junit is not None:
        _write(junit, _junit(checked))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY", "").strip():
        _write(Path(summary), _markdown(checked), more=True)
    if as_json:
        console.out_json({"failed": sum(c.failed is True for c in checked), "checks": [c._asdict() for c in checked]})
    else:
        console.table(["slice", "fails if", "is>", ""], [
            (c.slice, c.condition, c.told, {True: "FAILED", False: "ok", None: "not known"}[c.failed]) for c in checked
        ])  # fmt: skip
    failed = [c for c in checked if c.failed]
    if failed:
        named = "; ".join(f"{c.slice}: {c.condition} (is {c.told})" for c in failed[:5])
        raise ThresholdError(f"{len(failed)} of {len(checked)} checks failed: {named}{' …' if len(failed) > 5 else ''}")


def _checked(c: Condition, m: Metrics) -> Checked:
    return Checked(m.slice or "(not known)", c.text, c.of(m), c.holds(m))


def _junit(checked: list[Checked]) -> str:
    from xml.etree import ElementTree as Xml

    suite = Xml.Element(
        "testsuite", name="grader check", tests=str(len(checked)), failures=str(sum(c.failed is True for c in checked)),
        skipped=str(sum(c.failed is None for c in checked)),
    )  # fmt: skip
    for c in checked:
        case = Xml.SubElement(suite, "testcase", classname=console.clean(c.slice), name=f"not {c.condition}")
        if c.failed:
            Xml.SubElement(case, "failure", message=f"is {c.told}")
        elif c.failed is None:
            Xml.SubElement(case, "skipped", message="not known")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(suite, encoding="unicode")}\n'


def _markdown(checked: list[Checked]) -> str:
    def cell(text: Any) -> str:
        plain = console.clean(text).replace("\\", "\\\\")
        return "".join(f"\\{c}" if c in "|`*_[]<>&#" else c for c in plain)

    lines = ["### grader check", "", "| slice | fails if | is | |", "|---|---|---|---|"]
    words = {True: "**failed**", False: "ok", None: "not known"}
    lines += [f"| {cell(c.slice)} | {cell(c.condition)} | {cell(c.told)} | {words[c.failed]} |" for c in checked]
    return "\n".join(lines) + "\n\n"


def _write(path: Path, text: str, *, more: bool = False) -> None:
    try:
        with path.open("a" if more else "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or error}", file=str(path), cure="check the folder"
        ) from error
