"""The figures of a run as a person reads them in a terminal. Every rate has its counts beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.cli import console

if TYPE_CHECKING:
    from grader.calibration import CodeAgreement
    from grader.calibration.status import Status, Trust
    from grader.calibration.trust import Trusted
    from grader.outcomes import Ends, Figure, Figures, Headline, Share

WEEK_HOURS = 168


def calibration_lines(trusted: Trusted) -> None:
    """Whether the judges of these figures were held against people's labels: a line for each rubric."""
    for line in trusted.lines() or ("not calibrated: nothing was judged",):
        console.out(line)


def headline(figures: Figures, trusted: Trusted) -> None:
    """The headline figures with their denominators, and what is not known. Of a sample with unequal chances: weighted,
    with what they are weighted to. Those of verdicts say whether they are calibrated.
    """
    from grader.calibration.status import Status
    from grader.outcomes import ends, rate
    from grader.report.believed import CRITICAL
    from grader.statistics.figure import percent, percents

    h, spend = figures.headline, figures.spend
    resolved = trusted.of("resolution", "resolved", "resolved")
    unsolved = trusted.over([("resolution", "resolved", answer) for answer in ("partly", "not")])
    any_defect, critical = trusted.defects(), trusted.defects(CRITICAL)

    def told(text: str, share: Share, status: Status | Trust) -> str:
        one = status.together if isinstance(status, Status) else None
        if one is not None and (found := one.corrected) is not None and found.point is not None and not figures.layers:
            by = f"{percent(found.point)} ({percents(found.low, found.high)})"
            text += f"; by people {by}{', carried over' * one.carried}"
        left_open = f"; 0 is not none: {status.excluded}" if share.of and not share.n else ""
        return f"{text}; {status.short}{left_open}"

    rows = [
        ("judged", *_cells(h.n_judged, h.n_judgements), "judgements (conversation × rubric)"),
        ("resolved", *_rate(rate(h, lambda h: h.resolved)),
         told("of those with a verdict on it", h.resolved, resolved)),
        ("contained", *_rate(rate(h, lambda h: h.contained)), "no human took over"),
        ("contained, not resolved", *_rate(rate(h, lambda h: h.contained_not_resolved)),
         told("the ones that deflection hides", h.contained_not_resolved, unsolved)),
        ("with a proved defect", *_rate(rate(h, lambda h: h.flagged)),
         told("of those where a defect code could be answered", h.flagged, any_defect)),
        ("with a critical one", *_rate(rate(h, lambda h: h.critical)),
         told("of those where a critical code could be answered", h.critical, critical)),
    ]  # fmt: skip
    week = next((r for r in figures.recontacts if r.overall and r.window_hours == WEEK_HOURS), None)
    if week is not None:
        who = week.identity_known
        known = f"windows closed; {week.n_not_yet_known} not yet known; identity known for {who.n} of {who.of}"
        same = ends(week, lambda r: r.same_issue_bounds)
        of = same.bounds
        unknown = f"; issue not known: {of.n_unknown} of the {of.n_cases} that came back" if of.n_unknown else ""
        rows += [
            ("came back within 7 days, same issue", *_between(same), known + unknown),
            ("came back within 7 days, about anything", *_rate(rate(week, lambda r: r.came_back)), known),
        ]
    rows.append(("CSAT (mean of 1 to 5)", *_csat(h), "conversations with an answer"))
    if figures.layers:
        console.table(["figure", "weighted>", "95 % interval>", "counted>", ""], rows)
    else:
        console.table(["figure", "rate>", "count>", ""], [(n, value, count, note) for n, value, _, count, note in rows])
    sampled(figures)
    if h.n_failed or h.n_pending:
        console.out(f"could not be judged: {h.n_failed} failed, {h.n_pending} not yet tried")
    if spend.n_calls:
        from grader.outcomes.share import dollars

        console.out(
            f"this run made {spend.n_calls} calls, {spend.n_requests} requests, "
            f"{spend.prompt_tokens + spend.completion_tokens:,} tokens, "
            f"{dollars(spend.paid_usd)}"
        )


def sampled(figures: Figures) -> None:
    """What the figures are about, where that is not simply the conversations of the run."""
    about, layers = figures.about, figures.layers
    if layers:
        how = f", design {about.design}" if about.design else ""
        console.out(
            f"weighted to {round(sum(layer.n_population for layer in layers)):,} conversations from "
            f"{sum(layer.n_drawn for layer in layers):,} drawn of {len(layers)} strata{how}; counts are of the sample"
        )
    if about.frame is not None:
        console.out(f"about {about.frame} only: nothing else could be drawn")


def defects(figures: Figures, trusted: Trusted) -> None:
    """Codes that were flagged, most frequent first, with the 95 % interval, and corrected where that is known."""
    from grader.outcomes import rate

    found = [(d, rate(d, lambda d: d.flagged)) for d in figures.defects if d.slice == "all" and d.n_flagged]
    rows = []
    for d, share in sorted(found, key=lambda f: (-(f[1].point or 0.0), f[0].code)):
        told, interval, count = _rate(share)
        trust = trusted.of(d.rubric, d.code)
        found_by = trust.corrected if trust.calibrated and not figures.layers else None  # it is not weighted
        by_people = _percent(found_by.point) if found_by is not None and found_by.point is not None else trust.short
        rows.append((d.code, d.severity, told, count, interval, by_people, d.n_cannot_assess))
    if rows:
        name = "weighted>" if figures.layers else "rate>"
        console.table(
            ["defect", "severity", name, "flagged of assessed>", "95 % interval>", "by people>", "cannot assess>"], rows
        )
    clean = [d for d in figures.defects if d.slice == "all" and d.n_assessable and not d.n_flagged]
    for text in dict.fromkeys(trusted.of(d.rubric, d.code).excluded for d in clean):
        mine = [d.code for d in clean if trusted.of(d.rubric, d.code).excluded == text]
        console.out(f"not flagged at all ({', '.join(mine)}): {text}")


def against_labels(found: list[CodeAgreement], reviewer: str) -> None:
    """Precision and recall by code against one reviewer's labels, as they are."""
    codes = [c for c in found if c.scale == "defect"]
    choices = [c for c in found if c.scale == "choice" and c.decided]
    if any(c.decided for c in codes):
        console.table(
            ["defect", "precision>", "true of flagged>", "recall>", "true of labelled>", "near misses flagged>"],
            [
                (c.code, *_plain(c.n_true, c.n_flagged), *_plain(c.n_true, c.n_positive),
                 f"{c.n_near_misses_flagged} of {c.n_near_misses}")
                for c in codes if c.decided
            ],
            title=f"against the labels of {reviewer}, as they are: nobody drew them, so they calibrate nothing",
        )  # fmt: skip
    if choices:
        console.table(
            ["choice", "agreement>", "equal of answered>"],
            [(c.code, *_plain(c.n_equal, c.n_labels - c.n_missing - c.n_cannot_assess)) for c in choices],
        )
    undecided = [c.code for c in found if not c.decided]
    if undecided:
        console.out(f"not decided by this judge (cannot_assess): {', '.join(undecided)}")


def _cells(n: int, of: int) -> tuple[str, str, str]:
    """Of a plain count, which has no interval."""
    told, count = _plain(n, of)
    return told, "", count


def _plain(n: int, of: int) -> tuple[str, str]:
    from grader.outcomes.share import Share, percent

    return percent(Share(n, of).rate), f"{n} of {of}"


def _rate(found: Figure) -> tuple[str, str, str]:
    return _percent(found.point), _interval(found.low, found.high), f"{found.n} of {found.of}"


def _between(found: Ends) -> tuple[str, str, str]:
    """The rate; both ends where of some it is not known."""
    if not found.bounds.n_unknown:
        return _rate(found.known)
    low, high = found.low, found.high
    interval = _interval(*(found.interval or (None, None)))
    return f"{_percent(low.point)} to {_percent(high.point)}", interval, f"{low.n} to {high.n} of {low.of}"


def _csat(h: Headline) -> tuple[str, str, str]:
    count = f"{h.n_csat} of {h.n_conversations}"
    if not h.parts:
        return "–" if h.csat_mean is None else f"{h.csat_mean:.2f}", "", count
    mean = h.csat_weighted
    return ("insufficient", "", count) if mean is None else (
        f"{mean.point:.2f}", f"{mean.low:.2f} to {mean.high:.2f}", count)  # fmt: skip


def _percent(rate: float | None) -> str:
    from grader.outcomes.share import percent

    return percent(rate)


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{_percent(low)} to {_percent(high)}"
