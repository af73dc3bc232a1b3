"""Progress of a run, or of a long reckoning, on stderr: a bar on a terminal, a line now and then elsewhere."""

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
SHOW_AFTER_SECONDS = 0.5  # of what is mostly over at once
FEWEST_TO_JUDGE_BY = 5  # steps: the first ones load what all need
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


@contextmanager
def steps(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Within the block, the yielded callback shows that so many steps of so many are done: `12 of 88 codes`. What is
    over in a moment shows nothing.
    """
    if quiet:
        yield lambda _done, _of: None
        return
    started = last = time.monotonic()
    bar: _Steps | None = None
    on_terminal = sys.stderr.isatty()

    def update(done: int, of: int) -> None:
        nonlocal bar, last
        now = time.monotonic()
        left = f", {duration((of - done) * (now - started) / done)} left" if done >= FEWEST_TO_JUDGE_BY else ""
        if on_terminal and bar is None and now - started >= SHOW_AFTER_SECONDS and done < of:
            bar = _Steps(what, of)
        if bar is not None and now - last >= DRAW_EVERY_SECONDS:
            last = now
            bar.draw(done, f"{what}{left}")
        elif not on_terminal and now - last >= LINE_EVERY_SECONDS:
            last = now
            console.note(f"{done} of {of} {what}{left}")

    try:
        yield update
    finally:
        if bar is not None:
            bar.stop()


class _Steps:
    """A bar that is gone when it is stopped."""

    def __init__(self, what: str, of: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("{task.fields[told]}"),
            console=console.console(stderr=True), auto_refresh=False, transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task(what, total=of, told=what)
        self._bar.start()

    def draw(self, done: int, told: str) -> None:
        self._bar.update(self._task, completed=done, told=told, refresh=True)

    def stop(self) -> None:
        self._bar.stop()


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
