"""The page as plain records: who judged what and how, the figures, and the conversations to read.

Built from what `outcomes` read; nothing here asks the database or writes HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from grader.model import Policy
from grader.outcomes import Case, Figures, Ranked, Spend, Wording, dollars
from grader.report.case_view import N_COLOURS, SEVERITIES, CaseView, case_view
from grader.report.overview import LEDGER, Overview, overview
from grader.report.transcript import day_of, zone_of

# Without JavaScript this many findings are readable; with it, all conversations are.
MAX_STATIC_FINDINGS = 40


@dataclass(frozen=True)
class CodeView:
    """A code as the page names it. `colour` is the index of its highlight."""

    title: str
    severity: str
    rubric: str
    question: str
    colour: int


@dataclass(frozen=True)
class Fact:
    """One line of the header."""

    name: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Banner:
    """Something that must be known before a figure is believed. `kind` is `notice` or `warning`."""

    kind: str
    title: str
    text: str


@dataclass(frozen=True)
class Page:
    """Everything that stands on the page. `n_left_out` conversations are beyond the cap."""

    workspace: str
    run_id: str
    title: str
    facts: tuple[Fact, ...]
    banners: tuple[Banner, ...]
    overview: Overview
    codes: Mapping[str, CodeView]
    cases: tuple[CaseView, ...]
    n_flagged: int
    n_shown_flagged: int
    n_extra: int
    n_left_out: int
    n_unsupported_only: int
    max_conversations: int
    all: bool


def choose(
    figures: Figures, ranked: Sequence[Ranked], max_conversations: int, *, every: bool = False
) -> tuple[str, ...]:
    """Which conversations go on the page, in order: the flagged ones (or `every` one) up to the cap, then the
    examples that the ledger names.
    """
    wanted = [r.conversation_id for r in ranked if every or r.n_flagged][:max_conversations]
    examples = [
        example
        for choice in figures.choices
        if choice.overall and choice.code in LEDGER and choice.option not in {"none", "cannot_assess"}
        for example in choice.examples
    ]
    return tuple(dict.fromkeys([*wanted, *examples]))


def page(
    figures: Figures,
    cases: Sequence[Case],
    ranked: Sequence[Ranked],
    *,
    policies: Sequence[Policy] = (),
    wordings: Mapping[tuple[str, str, str], Wording] | None = None,
    workspace: str = "",
    max_conversations: int = 300,
    every: bool = False,
    zone: tzinfo = UTC,
) -> Page:
    """The page about one run. `cases` are those that `choose` named; times of the run are shown in `zone`."""
    codes = _codes(figures, wordings or {})
    order = {code: n for n, code in enumerate(codes)}
    flagged = {r.conversation_id for r in ranked if r.n_flagged}
    shown = tuple(case_view(case, policies, order) for case in cases)
    n_shown_flagged = sum(case.id in flagged for case in shown)
    return Page(
        workspace=workspace,
        run_id=figures.about.run_id,
        title=f"Run of {_moment(figures.about.started_at, zone)}",
        facts=_facts(figures, zone),
        banners=_banners(figures),
        overview=overview(figures, wordings),
        codes=codes,
        cases=shown,
        n_flagged=len(flagged),
        n_shown_flagged=n_shown_flagged,
        n_extra=len(shown) - n_shown_flagged,
        n_left_out=(len(ranked) - len(shown)) if every else (len(flagged) - n_shown_flagged),
        n_unsupported_only=0 if every else figures.headline.n_unsupported_only,
        max_conversations=max_conversations,
        all=every,
    )


def _codes(figures: Figures, wordings: Mapping[tuple[str, str, str], Wording]) -> dict[str, CodeView]:
    """Codes by severity, so that neighbours in a transcript tend to differ in colour."""
    found: dict[str, CodeView] = {}
    defects = [d for d in figures.defects if d.slice == "all"]
    rank = {severity: n for n, severity in enumerate(SEVERITIES)}
    for d in sorted(defects, key=lambda d: (rank.get(d.severity, len(rank)), d.rubric, d.code)):
        wording = wordings.get((d.rubric, d.rubric_version, d.code), Wording())
        found[d.code] = CodeView(d.title, d.severity, d.rubric, wording.question, len(found) % N_COLOURS)
    for c in figures.choices:
        if c.code not in found:
            wording = wordings.get((c.rubric, c.rubric_version, c.code), Wording())
            found[c.code] = CodeView(c.title, "", c.rubric, wording.question, 0)
    return found


def _moment(at: datetime, zone: tzinfo) -> str:
    local = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone)
    return f"{day_of(local)}, {local:%H:%M} {zone_of(local)}"


def _facts(figures: Figures, zone: tzinfo) -> tuple[Fact, ...]:
    about, h, spend = figures.about, figures.headline, figures.spend
    prompts = [p[:15] for p in about.prompts]
    rest = f" and {len(prompts) - 2} more" if len(prompts) > 2 else ""
    reused = f", {h.n_reused:,} reused" if h.n_reused else ""
    data_end = next((r.data_end for r in figures.recontacts if r.data_end), None)
    models = ", ".join(about.models or (about.model,))
    sampled = (
        f"all {h.n_conversations:,}" if h.n_conversations == about.n_population
        else f"{h.n_conversations:,} of {about.n_population:,}"
    )  # fmt: skip
    seed = f"seed {about.seed}" if about.seed is not None and h.n_conversations != about.n_population else ""
    return (
        Fact("Conversations", sampled, seed),
        Fact("Judgements", f"{h.n_judged:,} had, {h.n_failed:,} failed, {h.n_pending:,} pending{reused}"),
        Fact("Judge", {"signals": "offline signals", "llm": "LLM"}.get(about.judge, about.judge), models),
        Fact("Rubrics", ", ".join(about.rubrics) or "–"),
        Fact("Prompt", ", ".join(prompts[:2]) + rest if prompts else "–"),
        Fact("Cost", _cost(spend), _calls(spend)),
        Fact("Data end", _moment(data_end, zone) if data_end else "–"),
        Fact("Made with", f"Grader {about.grader_version}", about.command or ""),
    )


def _cost(spend: Spend) -> str:
    if spend.paid_usd is None:
        known = f", {dollars(spend.known_usd)} of it known" if spend.known_usd else ""
        return f"unknown{known}: {spend.n_unpriced:,} of {spend.n_calls:,} calls without a price"
    each = spend.usd_per_conversation
    per = f", {dollars(each)} per judged conversation" if each is not None and spend.n_judging_calls else ""
    return f"{dollars(spend.paid_usd)}{per}"


def _calls(spend: Spend) -> str:
    if not spend.n_calls:
        return "no calls in this run"
    unknown = f", of {spend.n_uncounted:,} calls not known" if spend.n_uncounted else ""
    return (
        f"{spend.n_calls:,} calls · {spend.prompt_tokens:,} tokens in ({spend.cached_tokens:,} cached), "
        f"{spend.completion_tokens:,} out{unknown}"
    )


def _banners(figures: Figures) -> tuple[Banner, ...]:
    about, h = figures.about, figures.headline
    banners = []
    if h.n_synthetic:
        which = f"All {h.n_synthetic:,}" if h.n_synthetic == h.n_conversations else (
            f"{h.n_synthetic:,} of {h.n_conversations:,}")  # fmt: skip
        banners.append(Banner(
            "notice", "SYNTHETIC sample data",
            f"{which} conversations of this run are invented. The figures say nothing about a real shop.",
        ))  # fmt: skip
    if about.judge == "signals":
        banners.append(Banner(
            "warning", "Offline signals, not an LLM judge",
            f"Decides {about.n_codes_decided} of {about.n_codes} codes by fixed rules; the rest is “cannot assess”.",
        ))  # fmt: skip
    if about.state != "complete" or h.n_pending:
        banners.append(Banner(
            "warning", f"This run is {about.state}" if about.state != "complete" else "This run has gaps",
            f"{h.n_pending:,} of {h.n_judgements:,} judgements are pending and {h.n_failed:,} failed. "
                "The same grade command resumes it.",
        ))  # fmt: skip
    if not about.even:
        banners.append(Banner(
            "warning", "Uneven sample",
            "Conversations were not drawn with the same chance. The shares describe the sample; they are not weighted "
            "to the population.",
        ))  # fmt: skip
    if about.n_truncated:
        banners.append(Banner(
            "notice", "Long conversations were cut",
            f"{about.n_truncated:,} judgements saw only a part of their conversation.",
        ))  # fmt: skip
    return tuple(banners)
