"""Progress of a run on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from grader.cli import console

if TYPE_CHECKING:
    from grader.engine import Progress

LINE_EVERY_SECONDS = 15.0
SAME_LINE_EVERY_SECONDS = 60.0  # while nothing was finished
DRAW_EVERY_SECONDS = 0.1
ROOM_FOR_A_BAR = 90  # columns of the terminal


def usd(amount: float | None) -> str:
    """An amount as people read it; an unknown one says so. Nothing that was spent is shown as zero."""
    if amount is None:
        return "cost unknown"
    if 0 < amount < 0.01:
        return f"{amount:.4f} USD" if amount >= 0.0001 else "<0.0001 USD"
    return f"{amount:.2f} USD"


def told(p: Progress, seconds: float) -> str:
    """Rate, cost, remaining time and failures in a line."""
    rate = p.n_done / seconds if seconds > 0 else 0.0
    left = f", {duration((p.n_todo - p.n_done) / rate)} left" if rate else ""
    failed = f" · {p.n_failed} failed" if p.n_failed else ""
    cost = f" · {usd(p.cost_usd)}" if p.prompt_tokens else ""
    pace = f"{rate:.1f}/s" if rate >= 1 or not rate else f"{60 * rate:.1f}/min"
    return f"{pace}{'' if p.stopping else left}{cost}{failed} · {p.n_in_flight} in flight"


def _stopping(p: Progress) -> str:
    calls = f"{p.n_in_flight} calls in flight are" if p.n_in_flight != 1 else "1 call in flight is"
    return f"stopping: {calls} finished first; Ctrl-C again drops them"


def duration(seconds: float) -> str:
    """3 s, 2 min 5 s, 1 h 12 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def shown(n_todo: int, *, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Within the block, the yielded callback shows how far a run has come."""
    started = time.monotonic()
    if quiet or not n_todo:
        yield lambda _progress: None
    elif sys.stderr.isatty():
        with _bar(n_todo, started) as update:
            yield update
    else:
        yield _lines(started)


def _lines(started: float) -> Callable[[Progress], None]:
    last, n_told, stopping = started, 0, False

    def update(p: Progress) -> None:
        nonlocal last, n_told, stopping
        now = time.monotonic()
        if p.stopping and not stopping:
            stopping = True
            console.note(_stopping(p))
        if now - last >= (LINE_EVERY_SECONDS if p.n_done > n_told else SAME_LINE_EVERY_SECONDS):
            last, n_told = now, p.n_done
            console.note(f"{p.n_done} of {p.n_todo} · {told(p, now - started)}")

    return update


@contextmanager
def _bar(n_todo: int, started: float) -> Iterator[Callable[[Progress], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    screen = console.console(stderr=True)
    columns: list[ProgressColumn] = [
        MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=2 * len(str(n_todo)) + 1)),
        TextColumn("{task.fields[told]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
    ]
    if screen.width >= ROOM_FOR_A_BAR:
        columns = [TextColumn("judging", table_column=Column(no_wrap=True)), BarColumn(bar_width=20), *columns]
    with Bar(*columns, console=screen, auto_refresh=False, transient=True) as bar:
        task = bar.add_task("judging", total=n_todo, told="")
        last, stopping = 0.0, False

        def update(p: Progress) -> None:
            nonlocal last, stopping
            now = time.monotonic()
            if p.stopping and not stopping:
                stopping = True
                bar.console.print(_stopping(p))
            if now - last >= DRAW_EVERY_SECONDS or p.n_done == n_todo:
                last = now
                bar.update(task, completed=p.n_done, told=told(p, now - started), refresh=True)

        bar.refresh()
        yield update
