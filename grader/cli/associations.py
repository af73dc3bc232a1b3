"""`grader associations`: which findings go with a return or a bad rating."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console
from grader.errors import ConfigError

if TYPE_CHECKING:
    from grader.outcomes.association import Association
    from grader.statistics.association import Ratio


def associations(
    outcome: Annotated[str, typer.Option(help="recontact, same_issue or low_csat (1 or 2).")] = "recontact",
    window: Annotated[str, typer.Option(help="How long a return counts: 24h, 72h, 7d or 30d.")] = "7d",
    run: Annotated[str | None, typer.Option(help="The run, by id or its beginning; the latest by default.")] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Which findings of a run are associated with a return or a bad rating: ratio of risks, pooled over the reason.

    Associated, not the cause. Fewer than 10 events among the flagged say nothing. Only conversations that no human took
    over; corrected for the judge's own errors where there are blind labels. docs/metrics.md has the method.

    Example:
      grader associations --outcome same_issue
    """
    from grader.calibration.trust import of_run
    from grader.cli.figures import calibration_lines
    from grader.outcomes.association import FEWEST_EVENTS, labelled_by
    from grader.outcomes.association import associations as count
    from grader.outcomes.figures import about
    from grader.outcomes.metrics import WINDOWS
    from grader.outcomes.weighting import told
    from grader.report.export import calibration
    from grader.store import open_store

    del quiet
    if window not in WINDOWS:
        raise ConfigError(f"--window {window!r} is not known", cure=f"one of {', '.join(WINDOWS)}")
    settings = console.settings(workspace)
    with open_store(settings.workspace.database, read_only=True) as store:
        found = count(store, run, outcome=outcome, window_hours=WINDOWS[window])
        run_of = about(store, run)
        frame, trusted, who = run_of.frame, of_run(store, run_of.run_id), labelled_by(store, run_of.run_id)
    if as_json:
        told_of = {"outcome": outcome, "window": window, "frame": frame, "calibration": trusted.lines()}
        codes = [_document(a) | {"calibration": calibration(trusted.of(a.rubric, a.code))} for a in found]
        console.out_json({**told_of, "labelled_by": who, "codes": codes})
        return
    if not found:
        console.note("no defect code of this run was answered present or absent")
        return
    columns = ("code", "with it>", "without it>", "ratio, pooled by reason>", "corrected>", "crude>", "p, adjusted>")
    console.table(columns, [
        (a.code, told(a.risk), told(a.control_risk), *_ratios(a, FEWEST_EVENTS))
        for a in found
    ])  # fmt: skip
    calibration_lines(trusted)
    labels = max((a.error.flagged + a.error.clean for a in found if a.error), default=0)
    if labels:
        console.note(
            f"corrected: as it would be with a judge that does not err, by up to {labels:,} blind labels a code of "
            f"{', '.join(who)} (of every plan and file), where its errors do not go with the outcome; –: the labels do "
            "not set right and wrong findings apart"
        )
    else:
        console.note("not corrected for the judge's own errors, which make ratios smaller: there are no blind labels")
    unknown, over = max(a.n_not_known for a in found), max(a.n_handed_over for a in found)
    console.note(
        f"associated with {outcome} ({window}), not the cause of it; left out: up to {unknown:,} whose outcome is not "
        f"known, up to {over:,} that a human took over"
    )
    if frame is not None:
        console.note(f"about {frame} only: nothing else could be drawn")
    if any(a.risk.weighted for a in found):
        console.note("weighted: the run's conversations were drawn with unequal chances; counts are of the sample")


def _ratios(a: Association, fewest: int) -> tuple[str, str, str, str]:
    if not a.enough or a.pooled is None:
        return f"insufficient ({a.table.cases} of {fewest} events)", "–", "–", "–"
    crude = "–" if a.crude is None else f"{a.crude.point:.2f}"
    p = "–" if a.p_adjusted is None else f"{a.p_adjusted:.3f}"
    return _ratio(a.pooled.ratio), _ratio(a.corrected), crude, p


def _ratio(r: Ratio | None) -> str:
    return "–" if r is None else f"{r.point:.2f} ({r.low:.2f} to {r.high:.2f})"


def _document(a: Association) -> dict[str, Any]:
    """As it is; a ratio without an upper end has null there, which is all that JSON can say."""
    told = {**asdict(a), "enough": a.enough, "attributable": a.attributable}
    for ratio in (told["crude"], told["corrected"], told["pooled"] and told["pooled"]["ratio"]):
        for end in ("point", "high"):
            if ratio and ratio[end] == float("inf"):
                ratio[end] = None
    return told
