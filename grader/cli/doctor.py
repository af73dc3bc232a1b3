"""`grader doctor`: checks, one line each, while they are made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from grader.cli import console

_COLOURS = {"ok": "32", "warn": "33", "fail": "31"}


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Make no connection to the endpoint.")] = False,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Check workspace, rubrics, prompts, database, clock, and the endpoint with a few tiny calls.

    Ends with 0 when a run can go well, with 2 when something fails. Warnings do not count.

    Example:
      grader doctor
    """
    from grader.doctor import examine

    settings = console.settings(workspace, needed=False, warn=False)
    checks = []
    for check in examine(settings, now=datetime.now(UTC), ask_endpoint=not offline):
        checks.append(check)
        if not as_json and not (quiet and check.status == "ok"):
            console.out(f"{check.status:<5}{check.name:<13}{check.detail}", style=_COLOURS[check.status])
            if check.cure:
                console.out("\n".join(f"     {line}" for line in f"→ {check.cure}".splitlines()))
    n_failed = sum(check.status == "fail" for check in checks)
    if as_json:
        console.out_json({"ok": not n_failed, "checks": checks})
    else:
        n_warned = sum(check.status == "warn" for check in checks)
        console.note(f"{len(checks)} checks: {n_failed} failed, {n_warned} warnings")
    if n_failed:
        raise typer.Exit(2)
