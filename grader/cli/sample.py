"""`grader sample`: draw conversations by a design, and write down which, how, and with which chances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli import console, progress
from grader.errors import ConfigError, InputError

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.engine.draw import Design
    from grader.sampling.plan import Sample
    from grader.store import Store

ALL_RISKS = "low_csat,recontacted,escalated,signals"


def sample(
    n: Annotated[int, typer.Option("--size", "-n", min=1, help="Conversations to draw.", metavar="N")],
    design: Annotated[
        str, typer.Option("--design", "-d", help="simple, stratified, top-queues or risk.")
    ] = "stratified",
    seed: Annotated[
        int, typer.Option(min=-(2**63), max=2**63 - 1, help="Seed of the draw; the same seed draws the same.")
    ] = 0,
    select: Annotated[
        list[str] | None,
        typer.Option(help="Only these, as in grade: since:2026-09-01,until:2026-09-30,…", metavar="NAME:VALUE"),
    ] = None,
    by: Annotated[
        str,
        typer.Option(help="stratified: queue, reason, channel, language, ai_version: what makes the strata."),
    ] = "queue,reason",
    allocation: Annotated[
        str, typer.Option(help="stratified, top-queues: proportional to size, or equal in each stratum.")
    ] = "proportional",
    top: Annotated[int, typer.Option(min=1, help="top-queues: how many of the largest.")] = 3,
    risks: Annotated[
        str, typer.Option(help="risk: which, in the order in which one is taken where several hold.")
    ] = ALL_RISKS,
    risk_share: Annotated[float, typer.Option(help="risk: share of the places for conversations with a risk.")] = 0.5,
    window: Annotated[str, typer.Option(help="risk: how soon a return counts: 24h, 72h, 7d or 30d.")] = "7d",
    min_per_stratum: Annotated[int, typer.Option(min=1, help="At least so many from each stratum.")] = 5,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="A copy of the plan. [.grader/samples/ID.json is there anyway]"
        ),
    ] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Draw a sample whose weights are known: every conversation's chance stands in the plan, and figures use it.

    stratified draws from every queue and reason; risk draws more of what was rated 1 or 2, came back, was escalated or
    is flagged by the offline signals, and some of the rest; top-queues draws from the largest queues alone, and its
    figures are about these alone. The same command on the same data is the same sample. docs/sampling.md tells more.

    Example:
      grader sample --design risk -n 200 --seed 1 --select since:2026-09-01
      grader grade --plan .grader/samples/sa_….json
    """
    from grader.cli.grade import selection
    from grader.engine.draw import Design, draw
    from grader.outcomes.metrics import WINDOWS
    from grader.sampling.plan import document, write
    from grader.store import open_store

    if window not in WINDOWS:
        raise ConfigError(f"--window {window!r} is not known", cure=f"one of {', '.join(WINDOWS)}")
    wanted = Design(
        design, n, seed, by=_names(by), allocation=allocation, minimum=min_per_stratum, top=top, risks=_risks(risks),
        share=risk_share, window_hours=WINDOWS[window],
    )  # fmt: skip
    settings = console.settings(workspace)
    with open_store(settings.workspace.database, create=False, people=console.people(settings)) as store:
        drawn = draw(
            store, wanted, select=selection(select or ()), zone=settings.workspace.tz, now=datetime.now(UTC),
            risks=_looking(settings, store, wanted, whole=not select, quiet=quiet),
        )  # fmt: skip
        path = settings.workspace.state_dir / "samples" / f"{drawn.sample_id}.json"
        known = _kept(path)
        if known is None:
            write(drawn, path)
        drawn = known or drawn
        if out is not None:
            write(drawn, out)
        store.add_sample(document(drawn))
    if as_json:
        told = document(drawn)
        console.out_json({**told, "n_population": drawn.n_population, "n_drawn": len(drawn.items), "plan": out or path})
        return
    _tell(drawn, wanted)
    console.out(f"{'the same sample as before' if known else 'sample'} {drawn.sample_id}")
    console.out(f"plan: {out or path}")
    console.note(f"next: grader grade --plan {out or path}")


def _kept(path: Path) -> Sample | None:
    """The same sample as it was drawn before; None where it was not, or where the file is not what was written."""
    from grader.sampling.plan import read

    try:
        return read(path) if path.exists() else None
    except InputError:
        return None


def _tell(drawn: Sample, wanted: Design) -> None:
    console.table(
        ["stratum", "population>", "drawn>", "chance>", "weight>"],
        [
            (s.name or "all", f"{s.n_population:,}", f"{s.n_drawn:,}", f"{s.inclusion_probability:.4g}",
             f"{s.weight:.4g}")
            for s in drawn.layers
        ],
    )  # fmt: skip
    n, population = len(drawn.items), drawn.n_population
    console.out(f"{n:,} of {population:,} conversations, seed {drawn.seed}, design {drawn.design}")
    if drawn.frame is not None:
        left = drawn.n_frame - population
        console.out(f"figures will be about {drawn.frame}; {left:,} other conversations cannot be drawn")
    if n < wanted.n:
        console.note(f"there are no more than {n:,}, all are in it")
    short = [s for s in drawn.layers if s.n_drawn < min(wanted.minimum, s.n_population)]
    if short and drawn.design != "simple":
        console.note(f"{len(short)} strata have fewer than {wanted.minimum}: that needs a larger -n")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _risks(text: str) -> tuple[str, ...]:
    named, known = _names(text), _names(ALL_RISKS)
    if not named or set(named) - set(known):
        raise ConfigError(f"--risks {text!r} is not known", cure=f"some of {ALL_RISKS}")
    return named


def _looking(
    settings: Settings, store: Store, wanted: Design, *, whole: bool, quiet: bool
) -> Callable[[Sequence[str]], Mapping[str, str | None]]:
    """What names each conversation's risk: the first of those that were asked for."""

    def look(ids: Sequence[str]) -> Mapping[str, str | None]:
        from grader.engine.draw import SIGNALS, flagged_by_signals
        from grader.engine.setup import load_rubrics
        from grader.outcomes.risk import risks

        seen = risks(store, None if whole else ids, window_hours=wanted.window_hours)
        flagged: set[str] = set()
        if SIGNALS in wanted.risks:
            # What a risk that comes first has taken need not be looked at.
            first = set(wanted.risks[: wanted.risks.index(SIGNALS)])
            open_ = [i for i in ids if not first & seen[i]]
            console.note(f"the offline signals look at {len(open_):,} conversations")
            with progress.shown(len(open_), quiet=quiet) as update:
                flagged = flagged_by_signals(store, open_, load_rubrics(settings), update)
        return {
            i: next((r for r in wanted.risks if (i in flagged if r == SIGNALS else r in seen[i])), None) for i in ids
        }

    return look
