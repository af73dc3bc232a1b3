"""The options that narrow down what a figure is of, the same on every command that counts or lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import console
from grader.errors import ConfigError

if TYPE_CHECKING:
    from grader.outcomes.episodes import Episodes, Where

UNKNOWN = "(none)"
WeekOption = Annotated[
    str | None,
    typer.Option(
        "--week", help="A week, as 2026-W38 or any day of it; without it, all.", metavar="WEEK", show_default=False
    ),
]
WeeksOption = Annotated[int, typer.Option("--weeks", min=1, max=520, help="So many weeks that end with it.")]
QueueOption = Annotated[str | None, typer.Option("--queue", help="Only this queue; (none): without one.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Only this contact reason; (none): not known.")]
ChannelOption = Annotated[str | None, typer.Option("--channel", help="Only this channel.")]
LanguageOption = Annotated[str | None, typer.Option("--language", help="Only this language.")]
VersionOption = Annotated[str | None, typer.Option("--ai-version", help="Only this version of the AI.")]
RunOption = Annotated[
    str | None,
    typer.Option("--run", help="Only this run, by id or its beginning; else of each week the one that judged most."),
]
WindowOption = Annotated[str, typer.Option("--window", help="How long a return counts: 24h, 72h, 7d or 30d.")]


def narrowed(
    *, week: str | None = None, weeks: int = 1, queue: str | None = None, reason: str | None = None,
    channel: str | None = None, language: str | None = None, ai_version: str | None = None,
) -> Where:  # fmt: skip
    """What was asked for, by dimension."""
    from grader.outcomes.period import Period, monday

    found: dict[str, str | tuple[str, str] | None] = {}
    if week is not None:
        found["week"] = Period(monday(week), weeks).ends
    elif weeks != 1:
        raise ConfigError("--weeks needs --week", cure="--week 2026-W38 --weeks 4 is four weeks that end with it")
    given = {"queue": queue, "reason": reason, "channel": channel, "language": language, "ai_version": ai_version}
    return found | {name: _meant(value) for name, value in given.items() if value is not None}


def parted(where: Where) -> bool:
    """It is a part of what was judged, and not only a time of it."""
    return any(name != "week" for name in where)


def _meant(value: str) -> str | None:
    """None for `(none)`. What is really called so is written with a backslash before it: `\\(none)`."""
    if value == UNKNOWN:
        return None
    return value[1:] if value.lstrip("\\") == UNKNOWN else value


def hours(window: str) -> int:
    """The window in hours. Raises ConfigError for one that there is not."""
    from grader.outcomes.episodes import WINDOWS

    if window not in WINDOWS:
        raise ConfigError(f"--window {window!r} is not known", cure=f"one of {', '.join(WINDOWS)}")
    return WINDOWS[window]


def point_out(episodes: Episodes, where: Where) -> None:
    """A note for each name that stands nowhere in the data: a wrong one looks like a quiet week."""
    from difflib import get_close_matches

    for dimension, wanted in where.items():
        if not isinstance(wanted, str):
            continue
        there = episodes.names(dimension)
        if wanted not in there:
            near = get_close_matches(wanted, there, 1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            console.note(f"note: no conversation has the {dimension.replace('_', ' ')} {wanted!r}{meant}")
