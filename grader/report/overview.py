"""The figures of a run as the page shows them: tiles, defects, heat map, ledger, what could not be judged.

Every share is written with its numerator and denominator; nothing here counts, it only words what `outcomes` counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.outcomes import (
    Bounds,
    Choice,
    Defect,
    Figures,
    Headline,
    Recontact,
    Share,
    Unjudged,
    Wording,
    bounded,
    counted,
    percent,
)
from grader.report.case_view import SEVERITIES

MAX_QUEUES = 24  # the page's switch; the JSON has them all
MAX_HEAT_QUEUES = 10
LEDGER = {
    "escalation_reason": "Why a human was needed",
    "non_resolution_cause": "What stood in the way of a solution",
}
LEVELS = 5


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


@dataclass(frozen=True)
class DefectRow:
    """One code. `bar`, `low` and `high` are in percent of the table's scale, None where there is no rate."""

    code: str
    title: str
    rubric: str
    severity: str
    rate: str
    interval: str
    bar: float | None
    low: float | None
    high: float | None
    n_flagged: int
    n_assessable: int
    n_unsupported: int
    n_not_applicable: int
    n_cannot_assess: int
    n_missing: int

    @property
    def sort_rate(self) -> float:
        """For sorting: rows without a rate come last."""
        return -1.0 if self.bar is None else self.bar


@dataclass(frozen=True)
class Scope:
    """Tiles and defects of one queue, or of all."""

    key: str
    queue: str
    label: str
    n: int
    tiles: tuple[Tile, ...]
    defects: tuple[DefectRow, ...]


@dataclass(frozen=True)
class Cell:
    """A code in a queue. `level` is 0 (nothing flagged) to LEVELS, None where nothing could be assessed."""

    queue: str
    text: str
    level: int | None
    title: str


@dataclass(frozen=True)
class HeatRow:
    """A code with its cells."""

    code: str
    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class LedgerRow:
    """One cause: how many, of how many, and three conversations to look at. `unsolved`: of those judged on that."""

    option: str
    label: str
    meaning: str
    share: str
    width: float
    unsolved: str
    reasons: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Ledger:
    """The causes of one question. `silent`: `none` and what could not be assessed, in words."""

    code: str
    title: str
    rows: tuple[LedgerRow, ...]
    basis: str
    silent: str


@dataclass(frozen=True)
class Overview:
    """All figures of the page. `scale` is the right end of the defects' bars."""

    scopes: tuple[Scope, ...]
    n_queues_left_out: int
    scale: str
    heat_queues: tuple[str, ...]
    n_heat_queues_left_out: int
    heat: tuple[HeatRow, ...]
    ledgers: tuple[Ledger, ...]
    unjudged: tuple[Unjudged, ...]


def overview(figures: Figures, wordings: Mapping[tuple[str, str, str], Wording] | None = None) -> Overview:
    """The figures of one run in words, the same scale in every queue."""
    whole, *queues = figures.headlines
    rates = [d.flagged.rate or 0.0 for d in figures.defects if d.slice != "channel_language" and d.n_assessable >= 5]
    scale = next((s for s in (0.05, 0.1, 0.2, 0.3, 0.5, 0.75) if max(rates, default=0.0) <= s), 1.0)
    heat_queues = [h.queue for h in queues[:MAX_HEAT_QUEUES]]
    return Overview(
        scopes=tuple(
            _scope(f"q{n}", headline, figures, scale) for n, headline in enumerate([whole, *queues[:MAX_QUEUES]])
        ),
        n_queues_left_out=max(0, len(queues) - MAX_QUEUES),
        scale=f"{scale * 100:.0f} %",
        heat_queues=tuple(queue_label(q) for q in heat_queues),
        n_heat_queues_left_out=max(0, len(queues) - MAX_HEAT_QUEUES),
        heat=_heat(figures.defects, heat_queues),
        ledgers=tuple(
            ledger for code, title in LEDGER.items() if (ledger := _ledger(code, title, figures, wordings or {}))
        ),
        unjudged=figures.unjudged,
    )


def queue_label(queue: str | None) -> str:
    """A queue's name to show."""
    return queue or "no queue"


def words(code: str) -> str:
    """`missing_integration` → `Missing integration`."""
    return code[:1].upper() + code[1:].replace("_", " ")


def _scope(key: str, headline: Headline, figures: Figures, scale: float) -> Scope:
    slice_ = "all" if headline.overall else "queue"
    mine = [d for d in figures.defects if d.slice == slice_ and (headline.overall or d.queue == headline.queue)]
    recontacts = [r for r in figures.recontacts if (r.overall, r.queue) == (headline.overall, headline.queue)]
    return Scope(
        key=key,
        queue="" if headline.overall else queue_label(headline.queue),
        label="All queues" if headline.overall else queue_label(headline.queue),
        n=headline.n_conversations,
        tiles=_tiles(headline, recontacts),
        defects=tuple(
            sorted(
                (_row(d, scale) for d in mine),
                key=lambda row: (-row.n_flagged, row.bar is None, _severity(row.severity), row.code),
            )
        ),
    )


def _severity(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def of(share: Share, what: str) -> str:
    """`12 of 120 assessed`."""
    return f"{share.n:,} of {share.of:,} {what}" if share.of else f"0 {what}"


def between(interval: tuple[float, float] | None) -> str:
    """`4.1–9.8 %`, empty where there is none."""
    if interval is None:
        return ""
    low, high = (percent(end).removesuffix(" %") for end in interval)
    return f"{low}–{high} %"


def _share_tile(
    label: str, share: Share, what: str, notes: Iterable[str], parts: tuple[Part, ...] = (),
    *, interval: tuple[float, float] | None = None,
) -> Tile:  # fmt: skip
    number = percent(share.rate)
    return Tile(
        label=label,
        value=number.removesuffix(" %"),
        unit="%" if number.endswith("%") else "",
        basis=of(share, what),
        interval=between(interval or share.interval),
        notes=tuple(note for note in notes if note),
        parts=parts,
    )


def _tiles(h: Headline, recontacts: Sequence[Recontact]) -> tuple[Tile, ...]:
    return (
        _resolved(h),
        _share_tile(
            "Contained, not resolved", h.contained_not_resolved, "contained conversations with a resolution verdict",
            (f"{h.n_contained_not_resolved:,} not resolved, {h.n_contained_partly:,} only partly"
                if h.contained_not_resolved.of
                else "",
             f"Containment (no hand-off): {percent(h.contained.rate)}, {of(h.contained, 'conversations')}"),
        ),
        _share_tile(
            "With a flagged defect", h.flagged, "conversations in which any code could be assessed",
            (f"{plural(h.n_findings, 'proved finding')} in all",
             f"{plural(h.n_partly_judged, 'conversation')} judged only in part: the share may be higher"
             if h.n_partly_judged else ""),
        ),
        _share_tile(
            "With a critical defect", h.critical, "conversations in which a critical code could be assessed",
            ("" if h.critical.of else "No critical code could be assessed, so nothing is known.",),
        ),
        _came_back(recontacts),
        _csat(h),
    )  # fmt: skip


def plural(n: int, thing: str) -> str:
    """`1 conversation`, `1,234 conversations`."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _resolved(h: Headline) -> Tile:
    counts = [("good", "resolved", h.n_resolved), ("mid", "partly", h.n_partly), ("bad", "not", h.n_not_resolved),
              ("none", "unclear", h.n_unclear)]  # fmt: skip
    parts, start = [], 0.0
    for kind, label, n in counts:
        width = 100 * n / h.resolved.of if h.resolved.of else 0.0
        parts.append(Part(kind, label, n, start, width))
        start += width
    apart = [f"{plural(h.n_resolution_cannot_assess, 'conversation')} cannot be assessed"] * bool(
        h.n_resolution_cannot_assess
    ) + [f"{h.n_resolution_missing:,} without a resolution verdict"] * bool(h.n_resolution_missing)
    shown = tuple(parts) if h.resolved.of else ()
    return _share_tile("Resolved", h.resolved, "assessed", [f"Apart: {', '.join(apart)}"] if apart else [], shown)


_OTHER_WINDOWS = ((24, "24 h"), (72, "72 h"), (720, "30 d"))


def _came_back(recontacts: Sequence[Recontact]) -> Tile:
    label = "Came back within 7 days, same issue"
    by_hours = {r.window_hours: r for r in recontacts}
    week = by_hours.get(168)
    if week is None:
        return Tile(label, "–", "", "0 conversations", "", ())
    what = "conversations whose 7 days are over"
    bounds, resolved = week.same_issue_bounds, week.resolved_but_back_bounds
    shorter = [f"{name}: {bounded(by_hours[hours].same_issue_bounds)}" for hours, name in _OTHER_WINDOWS
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
        _issue_unknown(bounds),
        f"About anything: {counted(week.came_back)}" if week.n_matured else "",
        f"Of those judged resolved: {bounded(resolved)}" if resolved.of else "",
        f"Same issue within {'; '.join(shorter)}" if any(r.n_matured for r in recontacts) else "",
        f"Apart: {', '.join(filter(None, unknown))}" if any(unknown) else "",
    )
    if not bounds.wide:
        interval = bounds.interval if bounds.n_unknown else bounds.known.interval
        return _share_tile(label, bounds.known, what, notes, interval=interval)
    low, high = bounds.low, bounds.high
    ends = [percent(end.rate).removesuffix(" %") for end in (low, high)]
    return Tile(
        label=label, value=" to ".join(ends), unit="%",
        basis=f"{low.n:,} to {high.n:,} of {bounds.of:,} {what}", interval=between(bounds.interval),
        notes=tuple(filter(None, notes)),
    )  # fmt: skip


def _issue_unknown(bounds: Bounds) -> str:
    """How many came back about an issue that is not known, and what they could make of the figure."""
    if not bounds.n_unknown:
        return ""
    told = f"Issue not known: {bounds.n_unknown:,} of the {bounds.n_cases:,} that came back"
    if bounds.wide:
        return f"{told}. The figure lies between all of these being about another issue and all about the same."
    ends = f"{counted(bounds.low)} if all were about another issue, {counted(bounds.high)} if about the same"
    return f"{told}, left out: {ends}"


def _csat(h: Headline) -> Tile:
    mean = h.csat_mean
    return Tile(
        label="CSAT, mean of 1 to 5",
        value="–" if mean is None else f"{mean:.2f}",
        unit="",
        basis=plural(h.n_csat, "answer") if h.n_csat else "no answers",
        interval="",
        notes=(f"Answered: {percent(h.csat_answered.rate)}, {of(h.csat_answered, 'conversations')}",),
    )


def _row(d: Defect, scale: float) -> DefectRow:
    share = d.flagged
    low, high = share.interval or (None, None)

    def at(value: float | None) -> float | None:
        return None if value is None else round(min(100.0, 100 * value / scale), 2)

    return DefectRow(
        code=d.code, title=d.title, rubric=f"{d.rubric} {d.rubric_version}", severity=d.severity,
        rate=percent(share.rate), interval=between(share.interval), bar=at(share.rate), low=at(low), high=at(high),
        n_flagged=d.n_flagged, n_assessable=d.n_assessable, n_unsupported=d.n_unsupported,
        n_not_applicable=d.n_not_applicable, n_cannot_assess=d.n_cannot_assess, n_missing=d.n_failed + d.n_pending,
    )  # fmt: skip


def _at_least(share: Share) -> float:
    """The lower end of the interval: one flagged of two is less of a sign than ten of thirty."""
    return share.interval[0] if share.interval else 0.0


def _heat(defects: Sequence[Defect], queues: Sequence[str | None]) -> tuple[HeatRow, ...]:
    found = {(d.rubric, d.rubric_version, d.code, d.queue): d for d in defects if d.slice == "queue"}
    whole = sorted((d for d in defects if d.slice == "all"), key=lambda d: (-d.n_flagged, d.code))
    top = max((_at_least(d.flagged) for d in found.values()), default=0.0)
    rows = []
    for d in whole:
        cells = []
        for queue in queues:
            cell = found.get((d.rubric, d.rubric_version, d.code, queue))
            share = cell.flagged if cell else Share(0, 0)
            level = None
            if share.rate is not None:
                level = 0 if not share.n else max(1, round(LEVELS * _at_least(share) / top))
            cells.append(Cell(
                queue=queue_label(queue), text=f"{share.n}" if share.of else "–", level=level,
                title=f"{queue_label(queue)}: {percent(share.rate)}, {of(share, 'assessable')}",
            ))  # fmt: skip
        if any(cell.level for cell in cells):
            rows.append(HeatRow(d.code, d.title, tuple(cells)))
    return tuple(rows)


def _ledger(code: str, title: str, figures: Figures, wordings: Mapping[tuple[str, str, str], Wording]) -> Ledger | None:
    chosen = [c for c in figures.choices if c.overall and c.code == code]
    if not chosen:
        return None
    causes = [c for c in chosen if c.option not in {"none", "cannot_assess"}]
    total = sum(c.n for c in chosen if c.option != "cannot_assess")
    most = max((c.n for c in causes), default=1)
    apart = {c.option: c.n for c in chosen if c.option in {"none", "cannot_assess"}}
    silent = [f"{n:,} {'none' if option == 'none' else 'cannot be assessed'}" for option, n in sorted(apart.items())]
    return Ledger(
        code=code, title=title, rows=tuple(_ledger_row(c, total, most, wordings) for c in causes),
        basis=f"{total:,} conversations assessed", silent=", ".join(reversed(silent)),
    )  # fmt: skip


def _ledger_row(c: Choice, total: int, most: int, wordings: Mapping[tuple[str, str, str], Wording]) -> LedgerRow:
    wording = wordings.get((c.rubric, c.rubric_version, c.code), Wording())
    return LedgerRow(
        option=c.option, label=words(c.option), meaning=dict(wording.options).get(c.option, ""),
        share=counted(Share(c.n, total)), width=round(100 * c.n / most, 2),
        unsolved=f"{c.n_unsolved:,} of {c.n_resolution_judged:,} not solved" if c.n_resolution_judged else "",
        reasons=", ".join(f"{words(reason).lower()} {n}" for reason, n in c.reasons[:3]), examples=c.examples,
    )  # fmt: skip
