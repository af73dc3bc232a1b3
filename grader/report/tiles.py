"""The headline figures of the page, a tile each: value, interval, what it is of, what must be known to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from grader.calibration.status import Status
from grader.calibration.trust import Trusted
from grader.language import _, ngettext, number, numerals
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
    if not share.of:
        return _("0 {what}", what=what)
    return _("{n} of {of} {what}", n=number(share.n), of=number(share.of), what=what)


def between(interval: tuple[float, float] | None) -> str:
    """`4.1–9.8 %`, empty where there is none."""
    if interval is None:
        return ""
    low, high = (percent(end).removesuffix(" %") for end in interval)
    return numerals(f"{low}–{high} %")


def _share_tile(
    label: str, found: Figure, what: str, notes: Iterable[str], parts: tuple[Part, ...] = (),
    *, interval: tuple[float, float] | None = None,
) -> Tile:  # fmt: skip
    value = numerals(percent(found.point))
    return Tile(
        label=label,
        value=value.removesuffix(" %"),
        unit="%" if value.endswith("%") else "",
        basis=of(found, what) + (_("; weighted") if found.weighted else ""),
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
            _("Contained, not resolved"), rate(h, lambda h: h.contained_not_resolved),
            _("contained conversations with a resolution verdict"),
            (_("{n} not resolved, {partly} only partly", n=number(h.n_contained_not_resolved),
               partly=number(h.n_contained_partly))
                if h.contained_not_resolved.of
                else "",
             _("Containment (no hand-off): {share}",
               share=named(rate(h, lambda h: h.contained), _("conversations")))),
        ), h.contained_not_resolved, unsolved),
        _judged(_share_tile(
            _("With a flagged defect"), rate(h, lambda h: h.flagged),
            _("conversations in which any code could be assessed"),
            (ngettext("{n} proved finding in all", "{n} proved findings in all", h.n_findings),
             ngettext("{n} conversation judged only in part: the share may be higher",
                      "{n} conversations judged only in part: the share may be higher", h.n_partly_judged)
             if h.n_partly_judged else ""),
        ), h.flagged, any_defect, corrected=_whole(h, any_defect)),
        _judged(_share_tile(
            _("With a critical defect"), rate(h, lambda h: h.critical),
            _("conversations in which a critical code could be assessed"),
            ("" if h.critical.of else _("No critical code could be assessed, so nothing is known."),),
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
    notes = [_("0 is not none: {why}.", why=status.excluded)] * bool(share.of and not share.n)
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
        told = ", ".join(filter(None, (numerals(percent(f.point)), ends, _("carried over") if one.carried else "")))
        notes.append(_("By people: {share}", share=told))
    return replace(tile, believed=believed(status), notes=(*notes, *tile.notes))


def named(found: Figure, what: str) -> str:
    """`10 %, 12 of 120 assessed`."""
    share = numerals(percent(found.point))
    if found.weighted:
        return _("{share} weighted, {count}", share=share, count=of(found, what))
    return f"{share}, {of(found, what)}"


def shared(found: Figure) -> str:
    """`2.4 % (3 of 126)`, `5.1 % weighted (3 of 126)`."""
    share, count = numerals(percent(found.point)), _("{n} of {of}", n=number(found.n), of=number(found.of))
    return _("{share} weighted ({count})", share=share, count=count) if found.weighted else f"{share} ({count})"


def _between(found: Ends) -> str:
    """The same; both ends where of some it is not known."""
    if not found.bounds.n_unknown:
        return shared(found.known)
    low, high = found.low, found.high
    share = _("{low} to {high}", low=numerals(percent(low.point)), high=numerals(percent(high.point)))
    count = _("{n} of {of}", n=_("{low} to {high}", low=number(low.n), high=number(high.n)), of=number(low.of))
    return _("{share} weighted ({count})", share=share, count=count) if low.weighted else f"{share} ({count})"


def plural(n: int, thing: str) -> str:
    """`1 conversation`, `1,234 conversations`."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _resolved(h: Headline) -> Tile:
    counts: list[tuple[str, str, Callable[[Headline], int]]] = [
        ("good", _("resolved"), lambda h: h.n_resolved), ("mid", _("partly"), lambda h: h.n_partly),
        ("bad", _("not"), lambda h: h.n_not_resolved), ("none", _("unclear"), lambda h: h.n_unclear),
    ]  # fmt: skip
    parts, start = [], 0.0
    for kind, label, n in counts:
        width = 100 * (rate(h, lambda h, n=n: Share(n(h), h.resolved.of)).point or 0.0)  # type: ignore[misc]
        parts.append(Part(kind, label, n(h), start, width))
        start += width
    apart = [
        ngettext(
            "{n} conversation cannot be assessed", "{n} conversations cannot be assessed", h.n_resolution_cannot_assess
        )
    ] * bool(h.n_resolution_cannot_assess)
    apart += [_("{n} without a resolution verdict", n=number(h.n_resolution_missing))] * bool(h.n_resolution_missing)
    shown = tuple(parts) if h.resolved.of else ()
    found = rate(h, lambda h: h.resolved)
    notes = [_("Apart: {parts}", parts=", ".join(apart))] if apart else []
    return _share_tile(_("Resolved"), found, _("assessed"), notes, shown)


_OTHER_WINDOWS = ((24, "24 h"), (72, "72 h"), (720, "30 d"))


def _came_back(recontacts: Sequence[Recontact]) -> Tile:
    label = _("Came back within 7 days, same issue")
    by_hours = {r.window_hours: r for r in recontacts}
    week = by_hours.get(168)
    if week is None:
        return Tile(label, "–", "", _("0 conversations"), "", ())
    what = _("conversations whose 7 days are over")
    same, resolved = ends(week, _same_issue), ends(week, lambda r: r.resolved_but_back_bounds)
    bounds = same.bounds
    shorter = [f"{name}: {_between(ends(by_hours[hours], _same_issue))}" for hours, name in _OTHER_WINDOWS
               if hours in by_hours]  # fmt: skip
    unknown = [
        _("{n} not yet known", n=number(week.n_not_yet_known)) if week.n_not_yet_known else "",
        _("{n} went on at once", n=number(week.n_continued)) if week.n_continued else "",
        _("{n} without a time", n=number(week.n_no_time)) if week.n_no_time else "",
        _("{n} still open", n=number(week.n_open)) if week.n_open else "",
        _("{n} begun by the business", n=number(week.n_not_customer)) if week.n_not_customer else "",
        _("{n} spam, tests, surveys or outbound", n=number(week.n_excluded)) if week.n_excluded else "",
    ]
    who = week.identity_known
    notes = (
        _("Identity known for {n} of {of}", n=number(who.n), of=number(who.of)) if who.of else "",
        _issue_unknown(same),
        _("About anything: {share}", share=shared(rate(week, lambda r: r.came_back))) if week.n_matured else "",
        _("Of those judged resolved: {share}", share=_between(resolved)) if resolved.bounds.of else "",
        _("Same issue within {windows}", windows="; ".join(shorter)) if any(r.n_matured for r in recontacts) else "",
        _("Apart: {parts}", parts=", ".join(filter(None, unknown))) if any(unknown) else "",
    )
    if not bounds.n_unknown:
        return _share_tile(label, same.known, what, notes, interval=interval_of(same.known))
    low, high = same.low, same.high
    both = [numerals(percent(end.point).removesuffix(" %")) for end in (low, high)]
    return Tile(
        label=label, value=_("{low} to {high}", low=both[0], high=both[1]), unit="%",
        basis=_("{n} of {of} {what}", n=_("{low} to {high}", low=number(low.n), high=number(high.n)),
                of=number(bounds.of), what=what) + (_("; weighted") if low.weighted else ""),
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
    issue = _("Issue not known: {n} of the {of} that came back", n=number(bounds.n_unknown), of=number(bounds.n_cases))
    between = _("The figure lies between all of these being about another issue and all about the same.")
    return f"{issue}. {between}"


def _csat(h: Headline) -> Tile:
    mean, weighted = h.csat_mean, h.csat_weighted
    notes = [_("Answered: {share}", share=named(rate(h, lambda h: h.csat_answered), _("conversations")))]
    interval = ""
    if h.parts and mean is not None:
        notes.append(
            _("Not weighted: {mean}", mean=number(mean, 2)) if weighted
            else _("Too few for a weighted mean; as it is: {mean}", mean=number(mean, 2))
        )  # fmt: skip
        mean = None
    if weighted is not None:
        mean, interval = weighted.point, f"{number(weighted.low, 2)}–{number(weighted.high, 2)}"
    return Tile(
        label=_("CSAT, mean of 1 to 5"),
        value="–" if mean is None else number(mean, 2),
        unit="",
        basis=(ngettext("{n} answer", "{n} answers", h.n_csat) if h.n_csat else _("no answers"))
        + (_("; weighted") if weighted else ""),
        interval=interval,
        notes=tuple(notes),
        method=weighted.method if weighted else "",
    )
