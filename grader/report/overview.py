"""The figures of a run as the page shows them: tiles, defects, ledger, what could not be judged.

Every share is written with its numerator and denominator; nothing here counts, it only words what `outcomes` counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.calibration.status import Trust
from grader.calibration.trust import Trusted
from grader.language import N_, _, number, numerals
from grader.outcomes import (
    Choice,
    Defect,
    Figures,
    Headline,
    Unjudged,
    Wording,
    percent,
    rate,
)
from grader.report.believed import NOBODY, Believed, believed, flips
from grader.report.case_view import SEVERITIES
from grader.report.tiles import Tile, between, interval_of, shared, tiles

MAX_QUEUES = 24  # the page's switch; the JSON has them all
LEDGER = {
    "escalation_reason": N_("Why a human was needed"),
    "non_resolution_cause": N_("What stood in the way of a solution"),
}


@dataclass(frozen=True)
class DefectRow:
    """One code. `bar`, `low` and `high` are in percent of the table's scale, None where there is no rate. `corrected`:
    the rate at which reviewers would find it, of the whole run alone; `excluded`: what a rate of zero leaves open.
    """

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
    believed: Believed
    corrected: str = ""
    corrected_interval: str = ""
    corrected_note: str = ""
    flips: str = ""
    excluded: str = ""

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
    believed: Believed


@dataclass(frozen=True)
class Overview:
    """All figures of the page. `scale` is the right end of the defects' bars. `weighted`: rates are, counts are not."""

    scopes: tuple[Scope, ...]
    n_queues_left_out: int
    scale: str
    ledgers: tuple[Ledger, ...]
    unjudged: tuple[Unjudged, ...]
    believed: Believed  # of all defects together, which the picture by queue shows
    weighted: bool = False


def overview(
    figures: Figures, wordings: Mapping[tuple[str, str, str], Wording] | None = None, trusted: Trusted = NOBODY
) -> Overview:
    """The figures of one run in words, the same scale in every queue."""
    whole, *queues = figures.headlines
    shown = (d for d in figures.defects if d.slice != "channel_language" and d.n_assessable >= 5)
    rates = [rate(d, lambda d: d.flagged).point or 0.0 for d in shown]
    scale = next((s for s in (0.05, 0.1, 0.2, 0.3, 0.5, 0.75) if max(rates, default=0.0) <= s), 1.0)
    return Overview(
        scopes=tuple(
            _scope(f"q{n}", headline, figures, scale, trusted)
            for n, headline in enumerate([whole, *queues[:MAX_QUEUES]])
        ),
        n_queues_left_out=max(0, len(queues) - MAX_QUEUES),
        scale=f"{scale * 100:.0f} %",
        ledgers=tuple(
            ledger
            for code, title in LEDGER.items()
            if (ledger := _ledger(code, title, figures, wordings or {}, trusted))
        ),
        unjudged=figures.unjudged,
        believed=believed(trusted.defects()),
        weighted=bool(figures.layers),
    )


def queue_label(queue: str | None) -> str:
    """A queue's name to show."""
    return queue or _("no queue")


def words(code: str) -> str:
    """`missing_integration` → `Missing integration`."""
    return code[:1].upper() + code[1:].replace("_", " ")


def _scope(key: str, headline: Headline, figures: Figures, scale: float, trusted: Trusted) -> Scope:
    slice_ = "all" if headline.overall else "queue"
    mine = [d for d in figures.defects if d.slice == slice_ and (headline.overall or d.queue == headline.queue)]
    recontacts = [r for r in figures.recontacts if (r.overall, r.queue) == (headline.overall, headline.queue)]
    return Scope(
        key=key,
        queue="" if headline.overall else queue_label(headline.queue),
        label=_("All queues") if headline.overall else queue_label(headline.queue),
        n=headline.n_conversations,
        tiles=tiles(headline, recontacts, trusted),
        defects=tuple(
            sorted(
                (_row(d, scale, trusted.of(d.rubric, d.code)) for d in mine),
                key=lambda row: (-row.n_flagged, row.bar is None, _severity(row.severity), row.code),
            )
        ),
    )


def _severity(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _row(d: Defect, scale: float, trust: Trust) -> DefectRow:
    found = rate(d, lambda d: d.flagged)

    def at(value: float | None) -> float | None:
        return None if value is None else round(min(100.0, 100 * value / scale), 2)

    return DefectRow(
        code=d.code, title=d.title, rubric=f"{d.rubric} {d.rubric_version}", severity=d.severity,
        rate=numerals(percent(found.point)), interval=between(interval_of(found)), bar=at(found.point),
        low=at(found.low), high=at(found.high),
        n_flagged=d.n_flagged, n_assessable=d.n_assessable, n_unsupported=d.n_unsupported,
        n_not_applicable=d.n_not_applicable, n_cannot_assess=d.n_cannot_assess, n_missing=d.n_failed + d.n_pending,
        believed=believed(trust), flips=flips(trust), excluded=trust.excluded_short if found.point == 0 else "",
        **(_corrected(d, trust) if d.slice == "all" else {}),
    )  # fmt: skip


def _corrected(d: Defect, trust: Trust) -> dict[str, str]:
    """What the labels make of the rate; nothing where they do not do for it."""
    found = trust.corrected
    if not trust.calibrated or found is None or found.point is None or found.low is None or found.high is None:
        return {}
    notes = [_("errors of the judge as found in an earlier run")] * trust.carried
    notes += [_("of the sample, not weighted")] * bool(d.parts)
    return {
        "corrected": numerals(percent(found.point)), "corrected_interval": between((found.low, found.high)),
        "corrected_note": "; ".join(notes),
    }  # fmt: skip


def _ledger(
    code: str, title: str, figures: Figures, wordings: Mapping[tuple[str, str, str], Wording], trusted: Trusted
) -> Ledger | None:
    chosen = [c for c in figures.choices if c.overall and c.code == code]
    if not chosen:
        return None
    causes = [c for c in chosen if c.option not in {"none", "cannot_assess"}]
    total = sum(c.n for c in chosen if c.option != "cannot_assess")
    most = max((rate(c, lambda c: c.taken).point or 0.0 for c in causes), default=1.0)
    none, silent = (sum(c.n for c in chosen if c.option == option) for option in ("none", "cannot_assess"))
    return Ledger(
        code=code, title=_(title), rows=tuple(_ledger_row(c, most, wordings) for c in causes),
        basis=_("{n} conversations assessed", n=number(total)) + (
            _(", of these {n} none", n=number(none)) if none else ""
        ),
        silent=_("{n} cannot be assessed", n=number(silent)) if silent else "",
        believed=believed(trusted.choice(chosen[0].rubric, code)),
    )  # fmt: skip


def _ledger_row(c: Choice, most: float, wordings: Mapping[tuple[str, str, str], Wording]) -> LedgerRow:
    found = rate(c, lambda c: c.taken)
    unsolved = ""
    if c.n_resolution_judged:
        unsolved = _("{n} of {of} not solved", n=number(c.n_unsolved), of=number(c.n_resolution_judged))
    if unsolved and c.parts:
        share = numerals(percent(rate(c, lambda c: c.unsolved).point))
        unsolved = _("{share} weighted ({count})", share=share, count=unsolved)
    wording = wordings.get((c.rubric, c.rubric_version, c.code), Wording())
    return LedgerRow(
        option=c.option, label=words(c.option), meaning=dict(wording.options).get(c.option, ""),
        share=shared(found), width=round(100 * (found.point or 0.0) / (most or 1.0), 2), unsolved=unsolved,
        reasons=_("asked for {reasons}", reasons=", ".join(
            f"{words(reason).lower()} {number(n)}" for reason, n in c.reasons[:3]
        )) if c.reasons else "", examples=c.examples,
    )  # fmt: skip
