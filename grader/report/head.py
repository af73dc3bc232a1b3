"""The head of the page in words: what the run is about, who judged it at what price, and what must be known before a
figure is believed.

Nothing here counts; every amount says what it is of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from grader.language import N_, _, ngettext, number, numerals
from grader.outcomes import About, Decided, Figures, Headline, Spend, dollars
from grader.report.transcript import day_of, zone_of

_MAX_SELECTED = 6  # conditions of the selection that are written out
_MAX_PROMPTS = 2
_ENDED = {  # how a run that is not complete ended, after "This run"
    "budget": N_("stopped when its budget was reached"),
    "interrupted": N_("was interrupted"),
    "refused": N_("stopped because the endpoint refused to go on (key, model or quota)"),
    "aborted": N_("broke off, because of an error or too many failures"),
    "incomplete": N_("could not get every judgement"),
    "running": N_("is still going on, or was killed"),
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
    judged = _("{n} of {of} judged, {failed} failed, {pending} pending", n=number(h.n_judged),
               of=number(h.n_judgements), failed=number(h.n_failed), pending=number(h.n_pending))  # fmt: skip
    reused = _("{n} of them reused from earlier runs", n=number(h.n_reused)) if h.n_reused else ""
    found = [
        _sampled(about, h.n_conversations),
        Fact(_("Judgements"), judged, reused),
        Fact(_("Judge"), {"signals": _("offline signals"), "llm": "LLM"}.get(about.judge, about.judge), models),
        Fact(_("Rubrics"), ", ".join(about.rubrics) or "–"),
        Fact(_("Prompt"), _("none") if about.judge == "signals" else _prompts(about.prompts)),
        _paid(spend),
        _each(spend),
        Fact(_("Data end"), moment(data_end, zone) if data_end else "–"),
        Fact(_("Made with"), f"Grader {about.grader_version}", about.command or ""),
    ]  # fmt: skip
    return tuple(fact for fact in found if fact)


def _prompts(hashes: Sequence[str]) -> str:
    rest = _(" and {n} more", n=number(len(hashes) - _MAX_PROMPTS)) if len(hashes) > _MAX_PROMPTS else ""
    return ", ".join(p[:15] for p in hashes[:_MAX_PROMPTS]) + rest or "–"


def _sampled(about: About, n: int) -> Fact:
    """How many conversations, of how many, and how they were come by. The run has noted how many its selection left;
    how many there were before is only known as how many there are now.
    """
    chosen = about.selected_by
    if not chosen:
        every = n == about.n_population
        now = _("the database holds {n} now", n=number(about.n_stored)) if about.n_stored != about.n_population else ""
        drawn = "" if every else _drawn(about) + ("" if about.seed is None else _(", seed {seed}", seed=about.seed))
        if about.frame is not None:
            now = _("of {frame}; the database holds {n} now", frame=about.frame, n=number(about.n_stored))
        value = _("all {n}", n=number(n)) if every else _("{n} of {of}", n=number(n), of=number(about.n_population))
        return Fact(_("Conversations"), value, "; ".join(filter(None, (drawn, now))))
    rest = _(" and {n} more", n=number(len(chosen) - _MAX_SELECTED)) if len(chosen) > _MAX_SELECTED else ""
    by = _("selected by {conditions}", conditions=", ".join(chosen[:_MAX_SELECTED]) + rest)
    if n != about.n_population:
        how = _drawn(about) + ("" if about.seed is None else _(" (seed {seed})", seed=about.seed))
        of = number(about.n_population)
        by = (
            _("{drawn} from {n} of {frame}, {selected}", drawn=how, n=of, frame=about.frame, selected=by) if about.frame
            else _("{drawn} from {n} {selected}", drawn=how, n=of, selected=by)
        )  # fmt: skip
    if n > about.n_stored:
        return Fact(_("Conversations"), number(n), by)
    told = _("{n} of {of}", n=number(n), of=number(about.n_stored))
    return Fact(_("Conversations"), told, _("in the database now, {selected}", selected=by))


def _drawn(about: About) -> str:
    return _("drawn by the design {design}", design=about.design) if about.design else _("drawn at random")


def _paid(spend: Spend) -> Fact:
    if not spend.n_calls:
        return Fact(_("Cost"), _("nothing: no calls in this run"))
    unknown = _(", of {n} calls not known", n=number(spend.n_uncounted)) if spend.n_uncounted else ""
    tokens = _("{n} tokens in ({cached} cached), {out} out", n=number(spend.prompt_tokens),
               cached=number(spend.cached_tokens), out=number(spend.completion_tokens))  # fmt: skip
    n = ngettext("{n} call", "{n} calls", spend.n_calls)
    calls = f"{n} · {tokens}{unknown}"
    if spend.paid_usd is None:
        without = _("{n} of {of} calls without a price", n=number(spend.n_unpriced), of=number(spend.n_calls))
        known = numerals(dollars(spend.known_usd))
        if spend.known_usd:
            return Fact(_("Cost"), _("unknown, {known} of it known: {why}", known=known, why=without), calls)
        return Fact(_("Cost"), _("unknown: {why}", why=without), calls)
    return Fact(_("Cost"), _("{money} paid by this run", money=numerals(dollars(spend.paid_usd))), calls)


def _each(spend: Spend) -> Fact | None:
    """What judging a conversation cost, whichever run paid; None where nothing was called for."""
    if not spend.n_judging_calls:
        return None
    n = ngettext("{n} judged conversation", "{n} judged conversations", spend.n_judged_conversations)
    if spend.usd_per_conversation is None:
        without = _("{n} of {of} calls without a price", n=number(spend.n_judging_unpriced),
                    of=number(spend.n_judging_calls))  # fmt: skip
        behind = _("behind the judgements of {conversations}", conversations=n)
        return Fact(_("Cost per conversation"), _("unknown: {why}", why=without), behind)
    sums = _("{money} for {conversations}", money=numerals(dollars(spend.judging_usd)), conversations=n)
    if spend.paid_by_others_usd:
        sums += _(", {money} of it paid by other runs", money=numerals(dollars(spend.paid_by_others_usd)))
    return Fact(_("Cost per conversation"), numerals(dollars(spend.usd_per_conversation)), sums)


def banners(figures: Figures) -> tuple[Banner, ...]:
    """What must be known before a figure is believed, as it is now: later runs may have judged what this one left."""
    about, h = figures.about, figures.headline
    found = []
    if h.n_synthetic:
        invented = (
            _("All {n} conversations of this run are invented. The figures say nothing about a real shop.",
              n=number(h.n_synthetic)) if h.n_synthetic == h.n_conversations
            else _("{n} of {of} conversations of this run are invented. The figures say nothing about a real shop.",
                   n=number(h.n_synthetic), of=number(h.n_conversations))
        )  # fmt: skip
        found.append(Banner("notice", _("SYNTHETIC sample data"), invented))
    found += _decided(figures)
    found += _state(figures, h)
    if not about.even:
        found.append(_weighted(figures))
    if about.frame is not None:
        found.append(Banner(
            "notice", _("Not all conversations"),
            _("The figures are about {frame}, and nothing else: the others had no chance to be drawn.",
              frame=about.frame),
        ))  # fmt: skip
    if about.n_truncated:
        found.append(Banner(
            "notice", _("Long conversations were cut"),
            ngettext("{n} judgement saw only a part of the conversation.",
                     "{n} judgements saw only a part of the conversation.", about.n_truncated),
        ))  # fmt: skip
    return tuple(found)


def _weighted(figures: Figures) -> Banner:
    """How an uneven sample was drawn, and what its figures are about."""
    about, layers = figures.about, figures.layers
    population = round(sum(layer.n_population for layer in layers))
    return Banner(
        "notice", _("Weighted sample"),
        (_("Conversations were drawn with unequal chances by the design {design} ({sample}).", design=about.design,
           sample=about.sample_id) if about.design else _("Conversations were drawn with unequal chances."))
        + " " + _("Rates and their intervals are weighted to the {n} conversations that they were drawn from; counts, "
                  "lists and examples are of the sample.", n=number(population)),
        more=ngettext("{n} stratum of the sample", "{n} strata of the sample", len(layers)),
        lines=tuple(
            _("{name}: {n} of {of} drawn, each counts as {weight}", name=layer.name or _("no name"),
              n=number(layer.n_drawn), of=number(round(layer.n_population)), weight=numerals(f"{layer.weight:.3g}"))
            for layer in layers
        ),
    )  # fmt: skip


def _decided(figures: Figures) -> list[Banner]:
    """What the offline judge decides, and rubrics of which any judge decided nothing."""
    offline = figures.about.judge == "signals"
    found = []
    if offline:
        n, of = sum(d.n_decided for d in figures.decided), sum(d.n_codes for d in figures.decided)
        each = ", ".join(
            _("{rubric} {n} of {of}", rubric=d.rubric, n=number(d.n_decided), of=number(d.n_codes))
            for d in figures.decided
        )
        codes = ngettext("{n} code", "{n} codes", of)
        each = f" ({each})" if each else ""
        found.append(Banner(
            "warning", _("Offline signals, not an LLM judge"),
            _("Fixed rules decided {n} of {codes}{each}; the rest is “cannot assess”.", n=number(n), codes=codes,
              each=each),
            more=ngettext("{n} code not decided", "{n} codes not decided", of - n) if of > n else "",
            lines=tuple(f"{_named(d)}: {' · '.join(d.undecided)}" for d in figures.decided if d.undecided),
        ))  # fmt: skip
    found += [
        Banner("warning", _("{rubric}: 0 of {codes} decided by {judge}", rubric=_named(d),
                            codes=ngettext("{n} code", "{n} codes", d.n_codes),
                            judge=_("the offline detectors") if offline else _("the judge")),
               _("No question of this rubric was answered, so nothing is known by it."))
        for d in figures.decided if not d.n_decided
    ]  # fmt: skip
    return found


def _named(decided: Decided) -> str:
    return f"{decided.rubric} {decided.rubric_version}"


def _state(figures: Figures, h: Headline) -> list[Banner]:
    """How the run ended, and what of it is missing now."""
    state = figures.about.state
    how = _(_ENDED[state]) if state in _ENDED else _("ended as “{state}”", state=state)
    ended = "" if state == "complete" else _("This run {ended}.", ended=how) + " "
    if not h.n_judgements:
        return (
            [Banner("warning", _("Nothing was judged"), ended + _("No conversation is part of it."))] if ended else []
        )
    if not h.n_pending and not h.n_failed:
        whole = Banner("notice", _("Complete by now"), ended + _("All of its judgements are there by now."))
        return [whole] if ended else []
    missing = [ngettext("{n} is still to be made", "{n} are still to be made", h.n_pending)] * bool(h.n_pending)
    missing += [_("{n} failed", n=number(h.n_failed))] * bool(h.n_failed)
    told = ended + _("Of {judgements}, {missing}.", missing=_(" and ").join(missing),
                     judgements=ngettext("{n} judgement", "{n} judgements", h.n_judgements))  # fmt: skip
    failed = [u for u in figures.unjudged if u.state == "failed"]
    if not h.n_pending and not any(u.retryable for u in failed):
        cure = _("The same grader grade command with --retry-failed tries again.")
    elif any(not u.retryable for u in failed):
        cure = _("The same grader grade command goes on where this run stopped; with --retry-failed it tries the rest "
                 "again, too.")  # fmt: skip
    else:
        cure = _("The same grader grade command goes on where this run stopped.")
    return [Banner("warning", _("Judgements are missing"), f"{told} {cure}")]
