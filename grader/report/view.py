"""The page as plain records: who judged what and how, the figures, and the conversations to read.

Built from what `outcomes` read and `gathered` packed; nothing here asks the database or writes HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from grader.calibration.status import OfRubric
from grader.calibration.trust import Trusted
from grader.language import _
from grader.outcomes import Figures, Ranked, Wording
from grader.outcomes.front import Front
from grader.report.believed import NOBODY, Believed, believed
from grader.report.case_view import N_COLOURS, SEVERITIES, CaseView, FindingView
from grader.report.front import FrontPage, front_page
from grader.report.gathered import Gathered
from grader.report.head import Banner, Fact, banners, facts, moment
from grader.report.overview import LEDGER, Overview, overview

_UNKNOWN = "cannot_assess"  # every criterion may be answered so


@dataclass(frozen=True)
class CodeView:
    """A code as the page names it. `colour` is the index of its highlight, `options` the answers of a choice."""

    title: str
    severity: str
    rubric: str
    question: str
    colour: int
    trust: Believed | None = None  # of a defect
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """Everything that stands on the page. `n_left_out` conversations are beyond the cap."""

    workspace: str
    run_id: str
    title: str
    facts: tuple[Fact, ...]
    banners: tuple[Banner, ...]
    believed: tuple[OfRubric, ...]
    front: FrontPage
    overview: Overview
    codes: Mapping[str, CodeView]
    labels: Mapping[str, str]  # answers that stand in conversations, in words
    static: tuple[tuple[CaseView, FindingView], ...]  # what is readable without a script
    signals: str  # whether they can be compared with the judge: `compared`, `none` were run, or the judge `is` them
    n_cases: int
    n_flagged: int
    n_shown_flagged: int
    n_extra: int
    n_left_out: int
    n_unsupported_only: int
    max_conversations: int
    all: bool
    masked: bool = False


def choose(
    figures: Figures,
    ranked: Sequence[Ranked],
    max_conversations: int,
    *,
    every: bool = False,
    examples: Sequence[str] = (),
) -> tuple[str, ...]:
    """Which conversations go on the page, in order: the flagged ones (or `every` one) up to the cap, then `examples`
    and those that the ledger names.
    """
    wanted = [r.conversation_id for r in ranked if every or r.n_flagged][:max_conversations]
    named = [
        example
        for choice in figures.choices
        if choice.overall and choice.code in LEDGER and choice.option not in {"none", "cannot_assess"}
        for example in choice.examples
    ]
    return tuple(dict.fromkeys([*wanted, *examples, *named]))


def page(
    figures: Figures,
    front: Front,
    gathered: Gathered,
    ranked: Sequence[Ranked],
    codes: Mapping[str, CodeView],
    *,
    wordings: Mapping[tuple[str, str, str], Wording] | None = None,
    workspace: str = "",
    max_conversations: int = 100_000,
    every: bool = False,
    zone: tzinfo = UTC,
    trusted: Trusted = NOBODY,
    notes: Sequence[str] = (),
) -> Page:
    """The page about one run. `gathered` are the conversations that `choose` named; times of the run are shown in
    `zone`; `trusted` is what is known of its judges; `notes` tell how the page was masked.
    """
    n_flagged = sum(1 for r in ranked if r.n_flagged)
    n_extra = gathered.n_cases - gathered.n_flagged
    return Page(
        workspace=workspace,
        run_id=figures.about.run_id,
        title=_("Run of {moment}", moment=moment(figures.about.started_at, zone)),
        facts=facts(figures, zone),
        banners=(*(Banner("notice", _("Masked"), note) for note in notes), *banners(figures)),
        believed=trusted.rubrics(),
        front=front_page(front, figures, trusted),
        overview=overview(figures, wordings, trusted),
        codes=codes,
        labels=gathered.labels,
        static=tuple(gathered.static),
        signals="is" if figures.about.judge == "signals" else "compared" if gathered.any_signals else "none",
        n_cases=gathered.n_cases,
        n_flagged=n_flagged,
        n_shown_flagged=gathered.n_flagged,
        n_extra=n_extra,
        n_left_out=(len(ranked) - gathered.n_cases) if every else (n_flagged - gathered.n_flagged),
        n_unsupported_only=0 if every else figures.headline.n_unsupported_only,
        max_conversations=max_conversations,
        all=every,
        masked=bool(notes),
    )


def code_views(
    figures: Figures, wordings: Mapping[tuple[str, str, str], Wording] | None = None, trusted: Trusted = NOBODY
) -> dict[str, CodeView]:
    """Codes by severity, so that neighbours in a transcript tend to differ in colour."""
    wordings = wordings or {}
    found: dict[str, CodeView] = {}
    defects = [d for d in figures.defects if d.slice == "all"]
    rank = {severity: n for n, severity in enumerate(SEVERITIES)}
    for d in sorted(defects, key=lambda d: (rank.get(d.severity, len(rank)), d.rubric, d.code)):
        wording = wordings.get((d.rubric, d.rubric_version, d.code), Wording())
        trust = believed(trusted.of(d.rubric, d.code))
        found[d.code] = CodeView(d.title, d.severity, d.rubric, wording.question, len(found) % N_COLOURS, trust)
    for c in figures.choices:
        if c.code not in found:
            wording = wordings.get((c.rubric, c.rubric_version, c.code), Wording())
            counted = [other.option for other in figures.choices if other.code == c.code]
            said = [name for name, _meaning in wording.options] or counted
            options = (*dict.fromkeys(o for o in said if o != _UNKNOWN), _UNKNOWN)
            found[c.code] = CodeView(c.title, "", c.rubric, wording.question, 0, options=options)
    return found
