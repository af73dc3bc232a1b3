"""The headline figures of the page, a tile each: value, interval, what it is of, what must be known to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from grader.calibration.status import Status
from grader.calibration.trust import Trusted
from grader.outcomes import (
    Bounds,
    Ends,
    Figure,
    Headline,
    Recontact,
    Share,
    ends,
    percent,
    rate,
    told,
    told_between,
)
from grader.report.believed import CRITICAL, NOBODY, Believed, believed


@dataclass(frozen=True)
class Part:
    """One stretch of a stacked bar: where it starts and how wide it is, in percent."""

    kind: str
    label: str
    n: int
    start: float
    width: float


@dataclass(frozen=True)
class Tile:
    """One headline figure. `basis` says of what; `notes` what must be known to read it."""

    label: str
    value: str
    unit: str
    basis: str
    interval: str
    notes: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    method: str = ""
    believed: Believed | None = None  # where it rests on verdicts


def of(share: Share | Figure, what: str) -> str:
    """`12 of 120 assessed`."""
    return f"{share.n:,} of {share.of:,} {what}" if share.of else f"0 {what}"


def between(interval: tuple[float, float] | None) -> str:
    """`4.1–9.8 %`, empty where there is none."""
    if interval is None:
        return ""
    low, high = (percent(end).removesuffix(" %") for end in interval)
    return f"{low}–{high} %"


def _share_tile(
    label: str, found: Figure, what: str, notes: Iterable[str], parts: tuple[Part, ...] = (),
    *, interval: tuple[float, float] | None = None,
) -> Tile:  # fmt: skip
    number = percent(found.point)
    return Tile(
        label=label,
        value=number.removesuffix(" %"),
        unit="%" if number.endswith("%") else "",
        basis=of(found, what) + ("; weighted" if found.weighted else ""),
        interval=between(interval or interval_of(found)),
        notes=tuple(note for note in notes if note),
        parts=parts,
        method=found.method,
    )


def interval_of(found: Figure) -> tuple[float, float] | None:
    """The two ends, None where there is nothing to divide by."""
    return None if found.low is None or found.high is None else (found.low, found.high)


def tiles(h: Headline, recontacts: Sequence[Recontact], trusted: Trusted = NOBODY) -> tuple[Tile, ...]:
    """The tiles of one queue, or of all."""
    resolved = trusted.over([("resolution", "resolved", "resolved")])
    unsolved = trusted.over([("resolution", "resolved", answer) for answer in ("partly", "not")])
    any_defect, critical = trusted.defects(), trusted.defects(CRITICAL)
    return (
        _judged(_resolved(h), h.resolved, resolved, corrected=h.overall),
        _judged(_share_tile(
            "Contained, not resolved", rate(h, lambda h: h.contained_not_resolved),
            "contained conversations with a resolution verdict",
            (f"{h.n_contained_not_resolved:,} not resolved, {h.n_contained_partly:,} only partly"
                if h.contained_not_resolved.of
                else "",
             f"Containment (no hand-off): {named(rate(h, lambda h: h.contained), 'conversations')}"),
        ), h.contained_not_resolved, unsolved),
        _judged(_share_tile(
            "With a flagged defect", rate(h, lambda h: h.flagged), "conversations in which any code could be assessed",
            (f"{plural(h.n_findings, 'proved finding')} in all",
             f"{plural(h.n_partly_judged, 'conversation')} judged only in part: the share may be higher"
             if h.n_partly_judged else ""),
        ), h.flagged, any_defect, corrected=_whole(h, any_defect)),
        _judged(_share_tile(
            "With a critical defect", rate(h, lambda h: h.critical),
            "conversations in which a critical code could be assessed",
            ("" if h.critical.of else "No critical code could be assessed, so nothing is known.",),
        ), h.critical, critical, corrected=_whole(h, critical)),
        _came_back(recontacts),
        _csat(h),
    )  # fmt: skip


def _whole(h: Headline, status: Status) -> bool:
    """Labels say of all codes at once how often people find them: of the run as it was judged, in no weights."""
    return h.overall and not h.parts and status.together is not None


def _judged(tile: Tile, share: Share, status: Status, *, corrected: bool = False) -> Tile:
    """A tile that rests on verdicts, with what is known of them. `corrected`: of the run as a whole, whose rate labels
    can correct.
    """
    notes = [f"0 is not none: {status.excluded}."] * bool(share.of and not share.n)
    one = status.alone
    if (
        corrected
        and one is not None
        and one.calibrated
        and one.corrected is not None
        and one.corrected.point is not None
    ):
        f = one.corrected
        ends = between((f.low, f.high)) if f.low is not None and f.high is not None else ""
        notes.append(f"By people: {percent(f.point)}{f', {ends}' if ends else ''}{', carried over' * one.carried}")
    return replace(tile, believed=believed(status), notes=(*notes, *tile.notes))


def named(found: Figure, what: str) -> str:
    """`10 %, 12 of 120 assessed`."""
    return f"{percent(found.point)}{' weighted' if found.weighted else ''}, {of(found, what)}"


def plural(n: int, thing: str) -> str:
    """`1 conversation`, `1,234 conversations`."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _resolved(h: Headline) -> Tile:
    counts: list[tuple[str, str, Callable[[Headline], int]]] = [
        ("good", "resolved", lambda h: h.n_resolved), ("mid", "partly", lambda h: h.n_partly),
        ("bad", "not", lambda h: h.n_not_resolved), ("none", "unclear", lambda h: h.n_unclear),
    ]  # fmt: skip
    parts, start = [], 0.0
    for kind, label, n in counts:
        width = 100 * (rate(h, lambda h, n=n: Share(n(h), h.resolved.of)).point or 0.0)  # type: ignore[misc]
        parts.append(Part(kind, label, n(h), start, width))
        start += width
    apart = [f"{plural(h.n_resolution_cannot_assess, 'conversation')} cannot be assessed"] * bool(
        h.n_resolution_cannot_assess
    ) + [f"{h.n_resolution_missing:,} without a resolution verdict"] * bool(h.n_resolution_missing)
    shown = tuple(parts) if h.resolved.of else ()
    found = rate(h, lambda h: h.resolved)
    return _share_tile("Resolved", found, "assessed", [f"Apart: {', '.join(apart)}"] if apart else [], shown)


_OTHER_WINDOWS = ((24, "24 h"), (72, "72 h"), (720, "30 d"))


def _came_back(recontacts: Sequence[Recontact]) -> Tile:
    label = "Came back within 7 days, same issue"
    by_hours = {r.window_hours: r for r in recontacts}
    week = by_hours.get(168)
    if week is None:
        return Tile(label, "–", "", "0 conversations", "", ())
    what = "conversations whose 7 days are over"
    same, resolved = ends(week, _same_issue), ends(week, lambda r: r.resolved_but_back_bounds)
    bounds = same.bounds
    shorter = [f"{name}: {told_between(ends(by_hours[hours], _same_issue))}" for hours, name in _OTHER_WINDOWS
               if hours in by_hours]  # fmt: skip
    unknown = [
        f"{week.n_not_yet_known:,} not yet known" if week.n_not_yet_known else "",
        f"{week.n_continued:,} went on at once" if week.n_continued else "",
        f"{week.n_no_time:,} without a time" if week.n_no_time else "",
        f"{week.n_open:,} still open" if week.n_open else "",
        f"{week.n_not_customer:,} begun by the business" if week.n_not_customer else "",
        f"{week.n_excluded:,} spam, tests, surveys or outbound" if week.n_excluded else "",
    ]
    who = week.identity_known
    notes = (
        f"Identity known for {who.n:,} of {who.of:,}" if who.of else "",
        _issue_unknown(same),
        f"About anything: {told(rate(week, lambda r: r.came_back))}" if week.n_matured else "",
        f"Of those judged resolved: {told_between(resolved)}" if resolved.bounds.of else "",
        f"Same issue within {'; '.join(shorter)}" if any(r.n_matured for r in recontacts) else "",
        f"Apart: {', '.join(filter(None, unknown))}" if any(unknown) else "",
    )
    if not bounds.wide:
        interval = same.interval if bounds.n_unknown else interval_of(same.known)
        return _share_tile(label, same.known, what, notes, interval=interval)
    low, high = same.low, same.high
    both = [percent(end.point).removesuffix(" %") for end in (low, high)]
    return Tile(
        label=label, value=" to ".join(both), unit="%",
        basis=f"{low.n:,} to {high.n:,} of {bounds.of:,} {what}{'; weighted' if low.weighted else ''}",
        interval=between(same.interval),
        notes=tuple(filter(None, notes)), method=low.method,
    )  # fmt: skip


def _same_issue(recontact: Recontact) -> Bounds:
    return recontact.same_issue_bounds


def _issue_unknown(found: Ends) -> str:
    """How many came back about an issue that is not known, and what they could make of the figure."""
    bounds = found.bounds
    if not bounds.n_unknown:
        return ""
    issue = f"Issue not known: {bounds.n_unknown:,} of the {bounds.n_cases:,} that came back"
    if bounds.wide:
        return f"{issue}. The figure lies between all of these being about another issue and all about the same."
    both = f"{told(found.low)} if all were about another issue, {told(found.high)} if about the same"
    return f"{issue}, left out: {both}"


def _csat(h: Headline) -> Tile:
    mean, weighted = h.csat_mean, h.csat_weighted
    notes = [f"Answered: {named(rate(h, lambda h: h.csat_answered), 'conversations')}"]
    interval = ""
    if h.parts and mean is not None:
        notes.append(f"Not weighted: {mean:.2f}" if weighted else f"Too few for a weighted mean; as it is: {mean:.2f}")
        mean = None
    if weighted is not None:
        mean, interval = weighted.point, f"{weighted.low:.2f}–{weighted.high:.2f}"
    return Tile(
        label="CSAT, mean of 1 to 5",
        value="–" if mean is None else f"{mean:.2f}",
        unit="",
        basis=(plural(h.n_csat, "answer") if h.n_csat else "no answers") + ("; weighted" if weighted else ""),
        interval=interval,
        notes=tuple(notes),
        method=weighted.method if weighted else "",
    )
