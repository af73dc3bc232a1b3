"""A report as a file that appears whole or not at all: HTML to look at, JSON and CSV to work with."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from itertools import chain
from pathlib import Path
from typing import Literal, Protocol

from grader import outcomes
from grader.calibration.trust import of_run, of_runs
from grader.errors import ConfigError
from grader.outcomes import Found, Reader
from grader.outcomes.front import front as front_of
from grader.report.export import csv_lines, document
from grader.report.masks import Masker, Masks
from grader.report.render import html
from grader.report.view import choose, page
from grader.store import Store

Format = Literal["html", "json", "csv"]
FORMATS: tuple[Format, ...] = ("html", "json", "csv")
NO_MASKS = Masks()
_AT_ONCE = 5000  # conversations whose verdicts are in memory together, on the way to JSON or CSV


class _Places(Protocol):
    @property
    def reports(self) -> Path: ...
    @property
    def tz(self) -> tzinfo: ...


class _Limits(Protocol):
    @property
    def max_conversations(self) -> int: ...


class Settings(Protocol):
    """The settings that a report needs; `grader.config.Settings` has them."""

    @property
    def root(self) -> Path:
        """The workspace's folder; its name stands on the page."""
        ...

    @property
    def workspace(self) -> _Places:
        """Where reports go, and the zone that they show."""
        ...

    @property
    def report(self) -> _Limits:
        """How much a page holds."""
        ...


def text(
    reader: Store,
    settings: Settings,
    *,
    run_id: str | None = None,
    form: Format = "html",
    every: bool = False,
    masks: Masks = NO_MASKS,
) -> Iterator[str]:
    """The report as stretches of text. `every`: the page holds unflagged conversations too. Raises as `find_run`."""
    run_id = outcomes.find_run(reader, run_id)
    masker = Masker(masks)
    if form == "csv":
        yield from csv_lines(run_id, masker.verdicts(reader, _verdicts(reader, run_id)), of_runs(reader, [run_id]))
        return
    figures, trusted = outcomes.figures(reader, run_id), of_run(reader, run_id)
    if form == "json":
        present = (v for v in _verdicts(reader, run_id) if v.flagged or v.unsupported)
        shown = list(masker.verdicts(reader, present))  # first, since it learns which ids cannot be written
        found = document(
            masker.figures(reader, figures), shown, masker.missing(outcomes.missing(reader, run_id)), trusted
        )
        yield json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return
    ranked = outcomes.ranking(reader, run_id)
    cap = settings.report.max_conversations
    front = front_of(reader, run_id, zone=settings.workspace.tz)
    ids = choose(figures, ranked, cap, every=every, examples=front.examples)
    cases = tuple(map(masker.case, outcomes.cases(reader, run_id, ids)))
    yield html(page(
        masker.figures(reader, figures), masker.front(reader, front), cases, masker.ranked(ranked),
        policies=outcomes.policies(reader), wordings=outcomes.wordings(reader, run_id),
        workspace=settings.root.resolve().name, max_conversations=cap, every=every, zone=settings.workspace.tz,
        trusted=trusted, notes=masks.notes,
    ))  # fmt: skip


def write(
    reader: Store,
    settings: Settings,
    *,
    run_id: str | None = None,
    out: Path | None = None,
    form: Format = "html",
    every: bool = False,
    masks: Masks = NO_MASKS,
) -> Path:
    """Write the report and return where: `out`, or `<run>.<format>` in it when it is a folder, or in the workspace's
    reports. Raises as `find_run`, and ConfigError when the place cannot be written to.
    """
    run_id = outcomes.find_run(reader, run_id)
    name = file_name(run_id, form)
    path = settings.workspace.reports / name if out is None else out / name if out.is_dir() else out
    stretches = text(reader, settings, run_id=run_id, form=form, every=every, masks=masks)
    first = next(stretches, "")  # errors of the run come before anything is made
    try:
        put(path, chain([first], stretches))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror or error}", cure="name another place with --out"
        ) from error
    return path


def file_name(run_id: str, form: str) -> str:
    """What the report of a run is called."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", run_id) + f".{form}"


def _verdicts(reader: Reader, run_id: str) -> Iterator[Found]:
    ids = outcomes.conversation_ids(reader, run_id)
    for start in range(0, len(ids), _AT_ONCE):
        yield from outcomes.verdicts(reader, run_id, ids[start : start + _AT_ONCE])


def put(path: Path, stretches: Iterable[str]) -> None:
    """Write beside the place and move there, so that nobody sees half of a file. A device is written to as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
            stream.writelines(stretches)
        return
    beside = path.with_name(f".{path.name[:80]}.{os.getpid()}.new")
    try:
        with beside.open("w", encoding="utf-8", errors="replace", newline="") as stream:
            stream.writelines(stretches)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
