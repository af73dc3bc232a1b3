"""The head of the page in words: what the run is about, who judged it at what price, and what must be known before a
figure is believed.

Nothing here counts; every amount says what it is of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from grader.outcomes import About, Decided, Figures, Headline, Spend, dollars
from grader.report.tiles import plural
from grader.report.transcript import day_of, zone_of

_MAX_SELECTED = 6  # conditions of the selection that are written out
_MAX_PROMPTS = 2
_ENDED = {  # how a run that is not complete ended, after "This run"
    "budget": "stopped when its budget was reached",
    "interrupted": "was interrupted",
    "refused": "stopped because the endpoint refused to go on (key, model or quota)",
    "aborted": "broke off, because of an error or too many failures",
    "incomplete": "could not get every judgement",
    "running": "is still going on, or was killed",
}


@dataclass(frozen=True)
class Fact:
    """One line of the header."""

    name: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Banner:
    """Something that must be known before a figure is believed. `kind` is `notice` or `warning`; `lines` stand folded
    under `more`.
    """

    kind: str
    title: str
    text: str
    more: str = ""
    lines: tuple[str, ...] = ()


def moment(at: datetime, zone: tzinfo) -> str:
    """`Mon 3 Aug 2026, 14:00 UTC`, on the clock of `zone`."""
    local = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone)
    return f"{day_of(local)}, {local:%H:%M} {zone_of(local)}"


def facts(figures: Figures, zone: tzinfo) -> tuple[Fact, ...]:
    """What the run is about, who judged it, with what, and at what price."""
    about, h, spend = figures.about, figures.headline, figures.spend
    data_end = next((r.data_end for r in figures.recontacts if r.data_end), None)
    models = ", ".join(about.models or (about.model,))
    judged = f"{h.n_judged:,} of {h.n_judgements:,} judged, {h.n_failed:,} failed, {h.n_pending:,} pending"
    found = [
        _sampled(about, h.n_conversations),
        Fact("Judgements", judged, f"{h.n_reused:,} of them reused from earlier runs" if h.n_reused else ""),
        Fact("Judge", {"signals": "offline signals", "llm": "LLM"}.get(about.judge, about.judge), models),
        Fact("Rubrics", ", ".join(about.rubrics) or "–"),
        Fact("Prompt", "none" if about.judge == "signals" else _prompts(about.prompts)),
        _paid(spend),
        _each(spend),
        Fact("Data end", moment(data_end, zone) if data_end else "–"),
        Fact("Made with", f"Grader {about.grader_version}", about.command or ""),
    ]  # fmt: skip
    return tuple(fact for fact in found if fact)


def _prompts(hashes: Sequence[str]) -> str:
    rest = f" and {len(hashes) - _MAX_PROMPTS} more" if len(hashes) > _MAX_PROMPTS else ""
    return ", ".join(p[:15] for p in hashes[:_MAX_PROMPTS]) + rest or "–"


def _sampled(about: About, n: int) -> Fact:
    """How many conversations, of how many, and how they were come by. The run has noted how many its selection left;
    how many there were before is only known as how many there are now.
    """
    chosen = about.selected_by
    if not chosen:
        every = n == about.n_population
        now = f"the database holds {about.n_stored:,} now" if about.n_stored != about.n_population else ""
        how = f"drawn by the design {about.design}" if about.design else "drawn at random"
        drawn = "" if every else how + ("" if about.seed is None else f", seed {about.seed}")
        if about.frame is not None:
            now = f"of {about.frame}; the database holds {about.n_stored:,} now"
        value = f"all {n:,}" if every else f"{n:,} of {about.n_population:,}"
        return Fact("Conversations", value, "; ".join(filter(None, (drawn, now))))
    rest = f" and {len(chosen) - _MAX_SELECTED:,} more" if len(chosen) > _MAX_SELECTED else ""
    by = f"selected by {', '.join(chosen[:_MAX_SELECTED])}{rest}"
    if n != about.n_population:
        seed = "" if about.seed is None else f" (seed {about.seed})"
        how = f"drawn by the design {about.design}" if about.design else "drawn at random"
        by = f"{how}{seed} from {about.n_population:,}{f' of {about.frame},' if about.frame else ''} {by}"
    if n > about.n_stored:
        return Fact("Conversations", f"{n:,}", by)
    return Fact("Conversations", f"{n:,} of {about.n_stored:,}", f"in the database now, {by}")


def _paid(spend: Spend) -> Fact:
    if not spend.n_calls:
        return Fact("Cost", "nothing: no calls in this run")
    unknown = f", of {spend.n_uncounted:,} calls not known" if spend.n_uncounted else ""
    calls = (
        f"{plural(spend.n_calls, 'call')} · {spend.prompt_tokens:,} tokens in ({spend.cached_tokens:,} cached), "
        f"{spend.completion_tokens:,} out{unknown}"
    )
    if spend.paid_usd is None:
        known = f", {dollars(spend.known_usd)} of it known" if spend.known_usd else ""
        return Fact("Cost", f"unknown{known}: {spend.n_unpriced:,} of {spend.n_calls:,} calls without a price", calls)
    return Fact("Cost", f"{dollars(spend.paid_usd)} paid by this run", calls)


def _each(spend: Spend) -> Fact | None:
    """What judging a conversation cost, whichever run paid; None where nothing was called for."""
    if not spend.n_judging_calls:
        return None
    n = plural(spend.n_judged_conversations, "judged conversation")
    if spend.usd_per_conversation is None:
        without = f"{spend.n_judging_unpriced:,} of {spend.n_judging_calls:,} calls without a price"
        return Fact("Cost per conversation", f"unknown: {without}", f"behind the judgements of {n}")
    others = f", {dollars(spend.paid_by_others_usd)} of it paid by other runs" if spend.paid_by_others_usd else ""
    return Fact(
        "Cost per conversation", dollars(spend.usd_per_conversation), f"{dollars(spend.judging_usd)} for {n}{others}"
    )


def banners(figures: Figures) -> tuple[Banner, ...]:
    """What must be known before a figure is believed, as it is now: later runs may have judged what this one left."""
    about, h = figures.about, figures.headline
    found = []
    if h.n_synthetic:
        which = f"All {h.n_synthetic:,}" if h.n_synthetic == h.n_conversations else (
            f"{h.n_synthetic:,} of {h.n_conversations:,}")  # fmt: skip
        found.append(Banner(
            "notice", "SYNTHETIC sample data",
            f"{which} conversations of this run are invented. The figures say nothing about a real shop.",
        ))  # fmt: skip
    found += _decided(figures)
    found += _state(figures, h)
    if not about.even:
        found.append(_weighted(figures))
    if about.frame is not None:
        found.append(Banner(
            "notice", "Not all conversations", f"The figures are about {about.frame}, and nothing else: the others had "
            "no chance to be drawn.",
        ))  # fmt: skip
    if about.n_truncated:
        found.append(Banner(
            "notice", "Long conversations were cut",
            f"{plural(about.n_truncated, 'judgement')} saw only a part of the conversation.",
        ))  # fmt: skip
    return tuple(found)


def _weighted(figures: Figures) -> Banner:
    """How an uneven sample was drawn, and what its figures are about."""
    about, layers = figures.about, figures.layers
    how = f" by the design {about.design} ({about.sample_id})" if about.design else ""
    population = round(sum(layer.n_population for layer in layers))
    return Banner(
        "notice", "Weighted sample",
        f"Conversations were drawn with unequal chances{how}. Rates and their intervals are weighted to the "
        f"{population:,} conversations that they were drawn from; counts, lists and examples are of the sample.",
        more=f"{plural(len(layers), 'stratum').replace('stratums', 'strata')} of the sample",
        lines=tuple(
            f"{layer.name or 'no name'}: {layer.n_drawn:,} of {round(layer.n_population):,} drawn, "
            f"each counts as {layer.weight:.3g}"
            for layer in layers
        ),
    )  # fmt: skip


def _decided(figures: Figures) -> list[Banner]:
    """What the offline judge decides, and rubrics of which any judge decided nothing."""
    offline = figures.about.judge == "signals"
    found = []
    if offline:
        n, of = sum(d.n_decided for d in figures.decided), sum(d.n_codes for d in figures.decided)
        each = ", ".join(f"{d.rubric} {d.n_decided} of {d.n_codes}" for d in figures.decided)
        found.append(Banner(
            "warning", "Offline signals, not an LLM judge",
            f"Fixed rules decided {n} of {plural(of, 'code')}{f' ({each})' if each else ''}; "
            "the rest is “cannot assess”.",
            more=f"{plural(of - n, 'code')} not decided" if of > n else "",
            lines=tuple(f"{_named(d)}: {' · '.join(d.undecided)}" for d in figures.decided if d.undecided),
        ))  # fmt: skip
    found += [
        Banner("warning", f"{_named(d)}: 0 of {plural(d.n_codes, 'code')} decided by "
               f"{'the offline detectors' if offline else 'the judge'}",
               "No question of this rubric was answered, so nothing is known by it.")
        for d in figures.decided if not d.n_decided
    ]  # fmt: skip
    return found


def _named(decided: Decided) -> str:
    return f"{decided.rubric} {decided.rubric_version}"


def _state(figures: Figures, h: Headline) -> list[Banner]:
    """How the run ended, and what of it is missing now."""
    state = figures.about.state
    ended = "" if state == "complete" else f"This run {_ENDED.get(state, f'ended as “{state}”')}. "
    if not h.n_judgements:
        return [Banner("warning", "Nothing was judged", f"{ended}No conversation is part of it.")] if ended else []
    if not h.n_pending and not h.n_failed:
        whole = Banner("notice", "Complete by now", f"{ended}All of its judgements are there by now.")
        return [whole] if ended else []
    missing = [f"{h.n_pending:,} {'is' if h.n_pending == 1 else 'are'} still to be made"] * bool(h.n_pending)
    missing += [f"{h.n_failed:,} failed"] * bool(h.n_failed)
    told = f"{ended}Of {plural(h.n_judgements, 'judgement')}, {' and '.join(missing)}."
    failed = [u for u in figures.unjudged if u.state == "failed"]
    cure = "The same grader grade command"
    if h.n_pending or any(u.retryable for u in failed):
        cure += " goes on where this run stopped"
        cure += "; with --retry-failed it tries the rest again, too." if any(not u.retryable for u in failed) else "."
    else:
        cure += " with --retry-failed tries again."
    return [Banner("warning", "Judgements are missing", f"{told} {cure}")]
