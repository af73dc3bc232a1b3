"""`grader check`: exit 1 where a figure is past its threshold, for CI and cron."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from grader.cli import console, narrow
from grader.errors import ConfigError, InputError, ThresholdError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grader.calibration.trust import Trusted
    from grader.config import Settings
    from grader.outcomes.metrics import Metrics
    from grader.outcomes.quality import Slice
    from grader.outcomes.thresholds import Condition


class Checked(NamedTuple):
    """One condition on one slice."""

    slice: str
    condition: str
    value: float | None
    failed: bool | None  # None: not known
    of: str  # the figure with its interval and counts
    owner: str | None = None  # who answers for the queue
    calibration: str | None = None  # of a figure of verdicts: whether its judge was held against people's labels

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
    week: narrow.WeekOption = None,
    weeks: narrow.WeeksOption = 1,
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
    """Exit 1 where a figure of `grader metrics` or `grader quality` is past its threshold; 0 where none is.

    Without --fail-if the conditions of grader.toml hold: `fail_if` in [figures] over everything, and in
    [queues."NAME"] for that queue, whose owner is named.

    A rate has .low and .high (ends of its 95 % interval), .n and .of: `recontact_rate.low > 0.2` fails only where it is
    clearly above, `.high` as soon as it may be. What is not known is said, and fails nothing. A figure of verdicts says
    whether its judge was held against people's labels. In a GitHub workflow the table goes into the step summary too.

    Example:
      grader check --week 2026-W38
      grader check --fail-if 'recontact_rate.high > 0.2' --fail-if 'csat_ai < 3.5' --by queue
    """
    from grader.calibration.trust import of_runs
    from grader.cli.grade import selection
    from grader.cli.metrics import DATABASE_MEMORY
    from grader.outcomes.episodes import checked as known
    from grader.outcomes.episodes import opened
    from grader.outcomes.metrics import of_episodes
    from grader.outcomes.quality import judged
    from grader.outcomes.thresholds import condition
    from grader.store import open_store

    del quiet
    hours = narrow.hours(window)
    known(by, hours)
    where = narrow.narrowed(week=week, weeks=weeks)
    settings = console.settings(workspace)
    asked = {(by, None): tuple(condition(text) for text in fail_if)} if fail_if else _configured(settings, by)
    zone = settings.workspace.timezone
    with open_store(settings.workspace.database, read_only=True, memory=DATABASE_MEMORY) as store:
        ids = store.population(selection(select), zone=settings.workspace.tz) if select else None
        verdicts = any(c.of_verdicts for conditions in asked.values() for c in conditions)
        if verdicts and select:
            raise ConfigError(
                "--select narrows down no figure of verdicts", cure="use --by, --week, or [queues] in grader.toml"
            )
        with opened(store, ids=ids, timezone=zone) as episodes, judged(store, episodes, timezone=zone) as found:
            dimensions = dict.fromkeys((None, *(dimension for dimension, _ in asked)))
            counts = {d: of_episodes(episodes, d, window_hours=hours, where=where) for d in dimensions}
            slices = {d: {s.slice: s for s in found.slices(d, where)} for d in dimensions} if verdicts else {}
            trusted = of_runs(store, found.runs_in(where) if verdicts else ())
    if not counts[None]:
        which = " of what was asked for" if week or select else ""
        cure = "grader metrics --by week tells which weeks there are" if week else "grader ingest PATH…"
        raise InputError(f"there is nothing to check: no conversation{which} that a customer began", cure=cure)
    checked = [
        each for (by_, only), conditions in asked.items()
        for each in _checked(counts[by_], slices.get(by_, {}), by_, only, conditions, settings, trusted)
    ]  # fmt: skip
    for dimension, only in asked:
        if dimension == "queue" and only and all(m.slice != only for m in counts[dimension]):
            _unknown_queue(only, [m.slice for m in counts[dimension] if m.slice])
    if junit is not None:
        _write(junit, _junit(checked))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY", "").strip():
        _write(Path(summary), _markdown(checked), more=True)
    if as_json:
        console.out_json({"failed": sum(c.failed is True for c in checked), "checks": [c._asdict() for c in checked]})
    else:
        console.table(["slice", "owner", "fails if", "is", ""], [
            (c.slice, c.owner, c.condition, c.of, {True: "FAILED", False: "ok", None: "not known"}[c.failed])
            for c in checked
        ])  # fmt: skip
    failed = [c for c in checked if c.failed]
    if failed:
        named = "; ".join(
            f"{c.slice}{f' ({c.owner})' if c.owner else ''}: {c.condition} (is {c.told}"
            f"{f'; {c.calibration}' if c.calibration else ''})"
            for c in failed[:5]
        )
        raise ThresholdError(f"{len(failed)} of {len(checked)} checks failed: {named}{' …' if len(failed) > 5 else ''}")


def _configured(settings: Settings, by: str | None) -> dict[tuple[str | None, str | None], tuple[Condition, ...]]:
    """(dimension, the one slice or None for all) → conditions, from grader.toml; an error names where it stands."""
    from grader.outcomes.thresholds import TOLD, condition

    if by is not None:
        raise ConfigError("--by needs --fail-if", cure="the conditions of grader.toml say themselves what they are of")
    wanted: list[tuple[str, str | None, str | None, Sequence[str]]]
    wanted = [("figures.fail_if", None, None, settings.figures.fail_if)]
    wanted += [("queues", "queue", name, queue.fail_if) for name, queue in settings.queues.items()]
    found: dict[tuple[str | None, str | None], tuple[Condition, ...]] = {}
    for key, dimension, only, texts in wanted:
        try:
            conditions = tuple(condition(text) for text in texts)
        except InputError as error:
            where = f"{settings.origin(key)}: {key}{f'.{only}.fail_if' if only else ''}"
            raise ConfigError(f"{where}: {error.reason}", cure=error.cure) from error
        if conditions:
            found[dimension, only] = conditions
    if not found:
        raise InputError(
            "no condition is given, and grader.toml has none",
            cure=f"--fail-if 'recontact_rate.high > 0.2', or fail_if in [figures]; figures: {', '.join(TOLD)}",
        )
    return found


def _unknown_queue(name: str, there: Sequence[str]) -> None:
    from difflib import get_close_matches

    near = get_close_matches(name, there, 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    console.note(f"note: no conversation has the queue {name!r} of grader.toml{meant}")


def _checked(
    slices: Sequence[Metrics], verdicts: Mapping[str | None, Slice], dimension: str | None, only: str | None,
    conditions: Sequence[Condition], settings: Settings, trusted: Trusted,
) -> list[Checked]:  # fmt: skip
    from grader.outcomes.brief import WAITS_FOR_RETURNS
    from grader.outcomes.quality import QUALITY
    from grader.report.believed import by_people, of_figure, zero
    from grader.report.reading import count, interval, value

    def owner(name: str | None) -> str | None:
        queue = settings.queues.get(name) if dimension == "queue" and name else None
        return queue.owner if queue else None

    def one(c: Condition, m: Metrics) -> Checked:
        found = verdicts.get(m.slice)
        reading, is_ = c.reading(m, found), c.of(m, found)
        if reading is not None:
            of = f"{value(reading)} ({interval(reading)}), {count(reading)}"
            if c.figure in WAITS_FOR_RETURNS:  # nobody can tell of the others
                of += f"; a return could be seen of {m.coverage.n:,} of {m.coverage.of:,}"
        else:
            of = "nothing to count" if is_ is None else f"{is_:.4g}"
        status = of_figure(trusted, c.figure) if c.of_verdicts else None
        if status is not None:
            of += f"; {status.short}"
            if reading is not None and dimension is None and not QUALITY[c.figure].inverted:
                people = by_people(status, reading.n, reading.of, weighted=reading.weighted)
                of += f"; by people {people}" if people else ""
            if reading is not None and (left_open := zero(c.figure, reading.n, reading.of, status)):
                of += f"; {left_open}"
        trust = status.text if status is not None else None
        return Checked(m.slice or "(not known)", c.text, is_, c.holds(m, found), of, owner(m.slice), trust)

    wanted = [m for m in slices if only is None or m.slice == only]
    if only is not None and not wanted:  # no episode in that queue
        return [Checked(only, c.text, None, None, "nothing to count", owner(only)) for c in conditions]
    return [one(c, m) for m in wanted for c in conditions]


def _junit(checked: list[Checked]) -> str:
    from xml.etree import ElementTree as Xml

    suite = Xml.Element(
        "testsuite", name="grader check", tests=str(len(checked)), failures=str(sum(c.failed is True for c in checked)),
        skipped=str(sum(c.failed is None for c in checked)),
    )  # fmt: skip
    for c in checked:
        case = Xml.SubElement(suite, "testcase", classname=_in_xml(c.slice), name=f"not {c.condition}")
        if c.failed:
            who = f", owner: {_in_xml(c.owner)}" if c.owner else ""
            trust = f"; {_in_xml(c.calibration)}" if c.calibration else ""
            Xml.SubElement(case, "failure", message=f"is {c.told}{who}{trust}")
        elif c.failed is None:
            Xml.SubElement(case, "skipped", message="not known")
        if c.calibration:
            Xml.SubElement(case, "system-out").text = _in_xml(c.of)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(suite, encoding="unicode")}\n'


def _in_xml(text: str) -> str:
    """Others' words without what XML cannot hold."""
    return "".join(f"\\u{ord(c):04x}" if c in "\ufffe\uffff" else c for c in console.clean(text))


def _markdown(checked: list[Checked]) -> str:
    def cell(text: Any) -> str:
        plain = console.clean(text).replace("\\", "\\\\")
        return "".join(f"\\{c}" if c in "|`*_[]<>&#" else c for c in plain)

    lines = ["### grader check", "", "| slice | owner | fails if | is | |", "|---|---|---|---|---|"]
    words = {True: "**failed**", False: "ok", None: "not known"}
    lines += [
        f"| {cell(c.slice)} | {cell(c.owner or '')} | {cell(c.condition)} | {cell(c.of if c.calibration else c.told)} "
        f"| {words[c.failed]} |"
        for c in checked
    ]
    return "\n".join(lines) + "\n\n"


def _write(path: Path, text: str, *, more: bool = False) -> None:
    try:
        with path.open("a" if more else "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or error}", file=str(path), cure="check the folder"
        ) from error
