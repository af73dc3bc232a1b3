"""`grader init` and `grader config`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from grader.cli import console


def init(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where; the current directory by default.")
    ] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Make a workspace: rubrics, prompts, and a grader.toml that names every setting.

    Nothing that exists is overwritten; what was there is kept and named.

    Example:
      grader init my-shop
    """
    from grader.workspace import init as make

    del quiet
    made = make(console.target(folder, workspace, Path()))
    if as_json:
        console.out_json({"root": made.root, "written": made.written, "kept": made.kept})
        return
    console.out(f"{made.root}: {len(made.written)} written, {len(made.kept)} kept")
    for name in made.written:
        console.note(f"  + {name}")
    for name in made.kept:
        console.note(f"  = {name} (was there, kept)")
    console.note(
        "Next: grader ingest FILE…, and grader doctor, which tells how to set an endpoint (OPENAI_API_KEY or "
        "GRADER_BASE_URL); without one the offline signals judge"
    )


config = typer.Typer(no_args_is_help=True)


@config.callback()
def _config() -> None:
    """Show every setting and where its value came from.

    Example:
      grader config show
    """


@config.command("show")
def show(
    workspace: console.WorkspaceOption = None, as_json: console.JsonOption = False, quiet: console.QuietOption = False
) -> None:
    """Every setting, its value, and where that came from. Secrets are masked.

    Precedence: flags, then the environment, then grader.toml (or [tool.grader]), then the default.

    Example:
      grader config show --json
    """
    del quiet
    settings = console.settings(workspace, needed=False)
    shown = settings.shown()
    if as_json:
        console.out_json({
            "root": settings.root,
            "file": settings.file,
            "settings": {key: {"value": value, "origin": settings.origin(key)} for key, value in shown.items()},
        })  # fmt: skip
        return
    console.out(f"workspace: {settings.root}" + ("" if settings.file else " (no grader.toml: defaults)"))
    console.table(
        ["setting", "value", "origin"],
        [(key, _short(value), settings.origin(key)) for key, value in shown.items()],
    )


def _short(value: object) -> str | None:
    if isinstance(value, dict):
        return ", ".join(value) if len(value) > 3 else json.dumps(value, ensure_ascii=False)
    return None if value is None else str(value)
