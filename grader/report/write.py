"""A report as a file that appears whole or not at all: HTML to look at, JSON and CSV to work with."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import tzinfo
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import quote

from grader import outcomes
from grader.calibration.trust import of_run, of_runs
from grader.errors import ConfigError
from grader.language import current
from grader.outcomes import Found, Reader
from grader.outcomes.front import front as front_of
from grader.report.case_view import case_view
from grader.report.export import csv_lines, document
from grader.report.gathered import Gathered, Limits, gathered
from grader.report.masks import Masker, Masks
from grader.report.render import Place, html, part_files
from grader.report.view import Page, choose, code_views, page
from grader.store import Store

Format = Literal["html", "json", "csv"]
FORMATS: tuple[Format, ...] = ("html", "json", "csv")
NO_MASKS = Masks()
_AT_ONCE = 5000  # conversations whose verdicts are in memory together, on the way to JSON or CSV
_CASES_AT_ONCE = 250  # whole ones, on the way to a page
_READS = 50  # at most so many batches: each one goes through all verdicts and messages that there are
LIMITS = Limits()


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
    if form in ("csv", "json"):
        masker.learn(reader, run_id)
    if form == "csv":
        yield from csv_lines(run_id, masker.verdicts(reader, _verdicts(reader, run_id)), of_runs(reader, [run_id]))
        return
    if form == "json":
        present = (v for v in _verdicts(reader, run_id) if v.flagged or v.unsupported)
        shown = list(masker.verdicts(reader, present))
        figures = masker.figures(reader, outcomes.figures(reader, run_id))
        front = masker.front(reader, front_of(reader, run_id, zone=settings.workspace.tz))
        missing = masker.missing(outcomes.missing(reader, run_id))
        found = document(figures, shown, missing, of_run(reader, run_id), front)
        yield json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return
    with _read(reader, settings, run_id, masker, every=every, limits=None) as (view, found_cases):
        yield from html(view, found_cases)


@contextmanager
def _read(
    reader: Store,
    settings: Settings,
    run_id: str,
    masker: Masker,
    *,
    every: bool,
    limits: Limits | None,
    people: bool = True,
    tell: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[Page, Gathered]]:
    """The page and its conversations, packed."""
    masker.learn(reader, run_id)
    figures, trusted = outcomes.figures(reader, run_id), of_run(reader, run_id)
    ranked, wordings = outcomes.ranking(reader, run_id), outcomes.wordings(reader, run_id)
    codes, policies = code_views(figures, wordings, trusted), masker.policies(outcomes.policies(reader))
    order = {code: n for n, code in enumerate(codes)}
    cap = settings.report.max_conversations
    front = front_of(reader, run_id, zone=settings.workspace.tz)
    chosen = choose(figures, ranked, cap, every=every, examples=front.examples)
    with (
        outcomes.batches(reader, run_id) as run,
        gathered(
            chosen,
            lambda ids: masker.cases(reader, run.cases(ids)),
            lambda case: case_view(masker.case(case if people else replace(case, people=())), policies, order),
            {r.conversation_id: r for r in masker.rows(ranked)},
            at_once=max(_CASES_AT_ONCE, ceil(len(chosen) / _READS)),
            limits=limits,
            tell=tell,
            uncalibrated=frozenset(
                code for code, view in codes.items() if view.trust and view.trust.kind != "calibrated"
            ),
        ) as found,
    ):
        yield (
            page(
                masker.figures(reader, figures), masker.front(reader, front), found, ranked, codes,
                wordings=wordings, workspace=settings.root.resolve().name, max_conversations=cap,
                every=every, zone=settings.workspace.tz, trusted=trusted, notes=masker.masks.notes,
            ),
            found,
        )  # fmt: skip


def write(
    reader: Store,
    settings: Settings,
    *,
    run_id: str | None = None,
    out: Path | None = None,
    form: Format = "html",
    every: bool = False,
    limits: Limits = LIMITS,
    masks: Masks = NO_MASKS,
    people: bool = True,
    tell: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the report and return where: `out`, or `<run>.<format>` in it when it is a folder, or in the workspace's
    reports. A page that would hold more than `limits` becomes a front and parts, which stand in a folder beside it
    (`parts_of`). `people`: what people answered blind stands beside the judge's answers. `tell` hears how many of how
    many conversations are packed. Raises as `find_run`, and ConfigError when the place cannot be written to.
    """
    run_id = outcomes.find_run(reader, run_id)
    name = file_name(run_id, form, every=every, masks=masks, spoken=current())
    path = settings.workspace.reports / name if out is None else out / name if out.is_dir() else out
    try:
        if form == "html":
            whole = path.exists() and not path.is_file()  # a device has nothing beside it
            limited = None if whole else limits
            read = _read(reader, settings, run_id, Masker(masks), every=every, limits=limited, people=people, tell=tell)
            with read as (view, found):
                _put_page(path, view, found)
        else:
            stretches = text(reader, settings, run_id=run_id, form=form, every=every, masks=masks)
            first = next(stretches, "")  # errors of the run come before anything is made
            put(path, chain([first], stretches))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror or error}", cure="name another place with --out"
        ) from error
    return path


def parts_of(path: Path) -> Path:
    """The folder beside a report in which its parts stand, where it has any."""
    return path.with_name(f"{path.stem}-parts")


def parts_in(path: Path) -> list[Path]:
    """The parts that stand beside a report; none where it is one file."""
    return sorted(parts_of(path).glob("part-*.html"))


def _put_page(path: Path, view: Page, found: Gathered) -> None:
    """The file; the folder of its parts is put in place first, and one that an earlier report left is taken away."""
    folder = parts_of(path)
    if len(found.parts) == 1:
        put(path, html(view, found))
        if parts_in(path):
            shutil.rmtree(folder)
        return
    fresh, old = (folder.with_name(f".{folder.name[:80]}.{os.getpid()}.{word}") for word in ("new", "old"))
    files = part_files(found, "")
    try:
        for number, file in enumerate(files, 1):
            put(fresh / file.href, html(view, found, Place("part", number, f"../{quote(path.name)}", files)))
        beside = fresh / "front"
        put(beside, html(view, found, Place("front", 0, "", part_files(found, f"{quote(folder.name)}/"))))
        if folder.exists():
            folder.replace(old)
        front = folder / beside.name
        try:
            fresh.replace(folder)
            front.replace(path)
        except OSError:
            if old.exists():  # the earlier report stays as it was
                shutil.rmtree(folder, ignore_errors=True)
                old.replace(folder)
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def file_name(run_id: str, form: Format, *, every: bool = False, masks: Masks = NO_MASKS, spoken: str = "en") -> str:
    """What the report of a run is called: `RUN.html`, `RUN.redacted.html`, `RUN.all.pt.html`. One that was masked never
    stands under the name of one that was not, nor the other way round.
    """
    kinds = {"redacted": masks.redact, "anonymous-agents": masks.anonymous_agents, "all": every,
             spoken: form == "html" and spoken != "en"}  # fmt: skip
    return ".".join([re.sub(r"[^A-Za-z0-9._-]", "_", run_id), *(kind for kind, so in kinds.items() if so), form])


def _verdicts(reader: Reader, run_id: str) -> Iterator[Found]:
    ids = outcomes.conversation_ids(reader, run_id)
    with outcomes.batches(reader, run_id) as run:
        for start in range(0, len(ids), _AT_ONCE):
            yield from run.verdicts(ids[start : start + _AT_ONCE])


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
