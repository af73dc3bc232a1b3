"""The figures of a run as a person reads them in a terminal. Every rate has its counts beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.cli import console

if TYPE_CHECKING:
    from grader.calibration import CodeAgreement
    from grader.outcomes import Bounds, Figures, Share

WEEK_HOURS = 168


def headline(figures: Figures) -> None:
    """The headline figures with their denominators, and what is not known."""
    h, spend = figures.headline, figures.spend
    rows = [
        ("judged", *_cells(h.n_judged, h.n_judgements), "judgements (conversation × rubric)"),
        ("resolved", *_share(h.resolved), "of those with a verdict on it"),
        ("contained", *_share(h.contained), "no human took over"),
        ("contained, not resolved", *_share(h.contained_not_resolved), "the ones that deflection hides"),
        ("with a proved defect", *_share(h.flagged), "of those where a defect code could be answered"),
        ("with a critical one", *_share(h.critical), "of those where a critical code could be answered"),
    ]
    week = next((r for r in figures.recontacts if r.overall and r.window_hours == WEEK_HOURS), None)
    if week is not None:
        who = week.identity_known
        known = f"windows closed; {week.n_not_yet_known} not yet known; identity known for {who.n} of {who.of}"
        same = week.same_issue_bounds
        unknown = f"; issue not known: {same.n_unknown} of the {same.n_cases} that came back" if same.n_unknown else ""
        rows += [
            ("came back within 7 days, same issue", *_between(same), known + unknown),
            ("came back within 7 days, about anything", *_share(week.came_back), known),
        ]
    mean = "–" if h.csat_mean is None else f"{h.csat_mean:.2f}"
    rows.append(("CSAT (mean of 1 to 5)", mean, f"{h.n_csat} of {h.n_conversations}", "conversations with an answer"))
    console.table(["figure", "rate>", "count>", ""], rows)
    if h.n_failed or h.n_pending:
        console.out(f"could not be judged: {h.n_failed} failed, {h.n_pending} not yet tried")
    if spend.n_calls:
        from grader.outcomes.share import dollars

        console.out(
            f"this run made {spend.n_calls} calls, {spend.n_requests} requests, "
            f"{spend.prompt_tokens + spend.completion_tokens:,} tokens, "
            f"{dollars(spend.paid_usd)}"
        )


def defects(figures: Figures) -> None:
    """Codes that were flagged, most frequent first, with the 95 % Wilson interval."""
    from grader.outcomes.share import percent

    found = [d for d in figures.defects if d.slice == "all" and d.n_flagged]
    rows = []
    for d in sorted(found, key=lambda d: (-(d.flagged.rate or 0.0), d.code)):
        low, high = d.flagged.interval or (0.0, 1.0)
        rate, count = _share(d.flagged)
        rows.append((d.code, d.severity, rate, count, f"{percent(low)} to {percent(high)}", d.n_cannot_assess))
    if rows:
        console.table(["defect", "severity", "rate>", "flagged of assessed>", "95 % interval>", "cannot assess>"], rows)


def against_labels(found: list[CodeAgreement], reviewer: str) -> None:
    """Precision and recall by code against one reviewer's labels, as they are."""
    codes = [c for c in found if c.scale == "defect"]
    choices = [c for c in found if c.scale == "choice" and c.decided]
    if any(c.decided for c in codes):
        console.table(
            ["defect", "precision>", "true of flagged>", "recall>", "true of labelled>", "near misses flagged>"],
            [
                (c.code, *_cells(c.n_true, c.n_flagged), *_cells(c.n_true, c.n_positive),
                 f"{c.n_near_misses_flagged} of {c.n_near_misses}")
                for c in codes if c.decided
            ],
            title=f"against the labels of {reviewer}",
        )  # fmt: skip
    if choices:
        console.table(
            ["choice", "agreement>", "equal of answered>"],
            [(c.code, *_cells(c.n_equal, c.n_labels - c.n_missing - c.n_cannot_assess)) for c in choices],
        )
    undecided = [c.code for c in found if not c.decided]
    if undecided:
        console.out(f"not decided by this judge (cannot_assess): {', '.join(undecided)}")


def _cells(n: int, of: int) -> tuple[str, str]:
    from grader.outcomes import Share

    return _share(Share(n, of))


def _between(bounds: Bounds) -> tuple[str, str]:
    """The rate of what is known; both ends where that alone would mislead."""
    from grader.outcomes.share import percent

    if not bounds.wide:
        return _share(bounds.known)
    low, high = bounds.low, bounds.high
    return f"{percent(low.rate)} to {percent(high.rate)}", f"{low.n} to {high.n} of {bounds.of}"


def _share(share: Share) -> tuple[str, str]:
    from grader.outcomes.share import percent

    return percent(share.rate), f"{share.n} of {share.of}"
