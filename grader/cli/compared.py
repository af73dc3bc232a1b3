"""What `grader compare` prints: changes by code, what both cost, and the conversations on which one is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grader.cli import console
from grader.statistics.figure import percent
from grader.statistics.paired import NO_REPEATS

if TYPE_CHECKING:
    from grader.calibration.compare import Changed, Compared, LeftOut, OfCode, Told
    from grader.calibration.sides import Side, Spend
    from grader.statistics.paired import Change, Flips, Pair

REASON = 240  # characters of a reason or a quote that are shown
_SIDES = ("A", "B")


def tell(found: Compared, n_changed: int) -> None:
    """The whole comparison, for people."""
    for letter, side in zip(_SIDES, (found.a, found.b), strict=True):
        console.out(f"{letter}  {side.name}  run {side.run_id}")
    _tell_differences(found)
    splits = ", ".join(found.splits)
    console.out(
        f"labels of plan {found.plan.plan_id[:11]}, {splits}: {_n(found.n_labelled, 'conversation')} "
        f"({found.n_held_back:,} in other splits)"
    )
    if found.n_changed:
        console.out(f"{_n(found.n_changed, 'labelled conversation')} changed since, and left out")
    short = short_names([c.code.name for c in found.codes])
    _tell_changes_of(found, short, "sensitivity", "people see it>", [c.p_sensitivity for c in found.codes])
    _tell_changes_of(found, short, "specificity", "people do not>", [c.p_specificity for c in found.codes])
    console.out("p: exact McNemar, adjusted over all of these (Holm). Intervals: 95 %, " + _methods(found) + ".")
    _tell_changes_of(found, short, "not_applicable", "not applicable>", None)
    _tell_left_out(found, short)
    console.out()
    console.table(
        ["code", "verdicts that differ>", "A flips", "B flips"],
        [
            (short[c.code.name], f"{c.n_differ:,} of {c.n_both:,}", flips(c.flips_a), flips(c.flips_b))
            for c in found.codes
        ],
    )
    if any(f.rate.point is None for c in found.codes for f in (c.flips_a, c.flips_b)):
        console.out(NO_REPEATS.replace("No conversation was judged twice", "–: no conversation was judged twice"))
    console.out()
    _tell_spend(found)
    _tell_changes(found, n_changed)
    if found.n_openings:
        console.note(f"the test split was opened for {_n(found.n_openings, 'judge')} so far; after 3 draw a fresh one")


def _tell_differences(found: Compared) -> None:
    for rubric, told in found.differs.items():
        console.out(f"{rubric}: {'; '.join(told) if told else 'the same judge: what differs is how far it wavers'}")
    for one in found.rewordings:
        if one.side == "A → B":
            console.out(f"  {one.name}: another {', '.join(one.fields) or 'meaning'}")
    for letter in _SIDES:
        names = [one.name for one in found.rewordings if one.side == f"labels → {letter}"]
        if names:
            versions = ", ".join(sorted({f"{q.rubric} {q.rubric_version}" for q in found.plan.questions}))
            console.out(
                f"  labels were given under {versions}; {letter} means something else by {', '.join(names)}: read "
                "these with care, or label anew"
            )
    for name, why in found.left:
        console.out(f"  {name}: {why}, so it is not compared")


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Codes without their rubric, where there is only one: tables are to fit a terminal."""
    rubrics = {name.partition(".")[0] for name in names}
    return {name: name.partition(".")[2] if len(rubrics) == 1 else name for name in names}


def _tell_changes_of(
    found: Compared, short: Mapping[str, str], what: str, labels: str, ps: Sequence[float | None] | None
) -> None:
    """A table of the codes that have labels of this kind; none where no code has."""
    rows = []
    for n, c in enumerate(found.codes):
        mine: Change = getattr(c.versions, what)
        if mine.n or ps is not None:
            p = () if ps is None else (p_value(ps[n]),)
            rows.append((short[c.code.name], mine.n, change(mine), _moved(mine), *p))
    if rows:
        told = f"{'agreement' if ps is None else what}, B less A (points)"
        console.out()
        console.table(["code", labels, told, "better, worse>", *(["p>"] if ps is not None else [])], rows)


def _methods(found: Compared) -> str:
    told = dict.fromkeys(c.versions.sensitivity.method for c in found.codes)
    words = {
        "exact McNemar, Tango": "Tango's score interval",
        "weighted, bootstrap within strata": "labels weighted by their chances, bootstrap within strata",
    }
    return "; ".join(words.get(method, method) for method in told)


def change(found: Change) -> str:
    """`+6.7 [+2.9, +11.1]`, in points."""
    if found.point is None or found.low is None or found.high is None:
        return "–"
    return f"{100 * found.point:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def _moved(found: Change) -> str:
    return f"{found.n_better:,}, {found.n_worse:,}"


def p_value(p: float | None) -> str:
    """Three digits; never 0."""
    if p is None:
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def flips(found: Flips) -> str | None:
    """How often two runs differ, None where nothing was repeated."""
    rate = found.rate
    return None if rate.point is None else f"{percent(rate.point)} ({rate.n:,} of {rate.of:,})"


def _tell_left_out(found: Compared, short: Mapping[str, str]) -> None:
    rows = []
    for c in found.codes:
        m = c.matched
        told = (m.a.n_failed, m.a.n_not_judged, m.b.n_failed, m.b.n_not_judged, m.n_skipped, m.n_open)
        if any(told):
            rows.append((short[c.code.name], *told))
    if rows:
        console.out()
        console.out("labels that are left out:")
        console.table(
            ["code", "A failed>", "A did not judge>", "B failed>", "B did not judge>", "people cannot assess>",
             "disagreement open>"],
            rows,
        )  # fmt: skip
        if any(row[-1] for row in rows):
            console.out(f"grader label adjudicate {found.plan.plan_id[:11]} -o FILE lets a third decide")


def _tell_spend(found: Compared) -> None:
    both = (found.spend_a, found.spend_b)
    rows = zip(*map(_spend, both), strict=True)
    console.table(["", *(f"{letter}>" for letter in _SIDES)], [
        (name, *row) for name, row in zip(_SPENT, rows, strict=True)
    ])  # fmt: skip
    for letter, s in zip(_SIDES, both, strict=True):
        if s.n_unpriced:
            console.out(
                f"{letter}: the price of {s.n_unpriced:,} of {s.n_calls:,} calls is not known ([prices] sets it)"
            )
        if s.shared:
            console.out(f"{letter}: a call answers several rubrics; it is counted whole")
        if not s.n_calls and s.n_judged:
            console.out(f"{letter}: no call was made")


_SPENT = (
    "judged", "failed", "calls", "cost of a conversation", "cost of 1,000", "tokens of a conversation",
    "time of a call, median", "time of a call, 95 % within",
)  # fmt: skip


def _spend(s: Spend) -> tuple[object, ...]:
    cost, tokens = s.cost_per_conversation, s.tokens_per_conversation
    return (
        f"{s.n_judged:,} of {s.n_items:,}", f"{s.n_failed:,}", f"{s.n_calls:,}", _usd(cost, 5),
        _usd(None if cost is None else 1000 * cost, 2), "unknown" if tokens is None else f"{tokens:,.0f}",
        _ms(s.latency_ms) if s.n_calls else None, _ms(s.latency_p95_ms) if s.n_calls else None,
    )  # fmt: skip


def _usd(amount: float | None, digits: int) -> str:
    if amount is None:
        return "unknown"
    if not amount:
        return "$0"
    return f"${amount:,.{digits}f}" if amount >= 10**-digits else f"<${10**-digits:.{digits}f}"


def _ms(ms: float | None) -> str:
    return "unknown" if ms is None else f"{ms / 1000:,.2f} s"


def _tell_changes(found: Compared, most: int) -> None:
    if not found.worst_first:
        console.out()
        console.out("No labelled conversation on which one is right and the other is not.")
        return
    for c in found.worst_first:
        console.out()
        console.out(f"{c.code.name}: {c.n_better:,} better, {c.n_worse:,} worse")
        for one in c.changed[:most]:
            _tell_one(one)
        if len(c.changed) > most:
            console.out(f"  {len(c.changed) - most:,} more: --changed {len(c.changed)}, or --json")


def _tell_one(one: Changed) -> None:
    console.out(
        f"  {'better' if one.better else 'WORSE'}  {console.clean(one.conversation_id)}: people say {one.label}"
    )
    for letter, told in zip(_SIDES, (one.a, one.b), strict=True):
        console.out(f"    {letter} {told.answer}{_why(told)}")


def _why(told: Told) -> str:
    quote = "" if told.quote is None else f" [{told.message or 'policy'}] “{_short(told.quote)}”"
    return (f": {_short(told.reasoning)}" if told.reasoning else "") + quote


def _short(text: str) -> str:
    line = console.clean(text)
    return line if len(line) <= REASON else f"{line[:REASON]}…"


def _n(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def document(found: Compared) -> dict[str, Any]:
    """The whole comparison, for programs."""
    return {
        "plan": found.plan.plan_id, "splits": found.splits, "conversations": found.n_labelled,
        "held_back": found.n_held_back, "changed_since": found.n_changed, "seed": found.seed, "draws": found.draws,
        "n_openings": found.n_openings, "a": side(found.a), "b": side(found.b), "differs": found.differs,
        "reworded": found.rewordings,
        "not_compared": [{"code": name, "reason": why} for name, why in found.left],
        "codes": [_code(c) for c in found.codes],
        "spend": {"a": _spend_row(found.spend_a), "b": _spend_row(found.spend_b)},
    }  # fmt: skip


def side(one: Side) -> dict[str, Any]:
    """A judge, for programs."""
    return {"run": one.run_id, "instruments": [i.row() for i in one.instruments.values()]}


def _code(c: OfCode) -> dict[str, Any]:
    m = c.matched
    return {
        "code": c.code.name, "labels": len(m.pairs), "n_better": c.n_better, "n_worse": c.n_worse,
        "sensitivity": c.versions.sensitivity, "specificity": c.versions.specificity,
        "not_applicable": c.versions.not_applicable, "p_sensitivity": c.p_sensitivity,
        "p_specificity": c.p_specificity, "flips": {"a": c.flips_a, "b": c.flips_b},
        "verdicts_differ": {"n": c.n_differ, "of": c.n_both},
        "left_out": {"a": _left(m.a), "b": _left(m.b), "cannot_assess": m.n_skipped, "open": m.n_open},
        "right": {"a": _right(m.pairs, "a_right"), "b": _right(m.pairs, "b_right")}, "changed": c.changed,
    }  # fmt: skip


def _left(out: LeftOut) -> dict[str, int]:
    return {"failed": out.n_failed, "not_judged": out.n_not_judged}


def _right(pairs: Sequence[Pair], who: str) -> dict[str, int]:
    names = {True: "positive", False: "negative", None: "not_applicable"}
    return {name: sum(getattr(p, who) for p in pairs if p.truth is truth) for truth, name in names.items()}


def _spend_row(s: Spend) -> dict[str, Any]:
    return {
        "judged": s.n_judged, "of": s.n_items, "failed": s.n_failed, "conversations": s.n_conversations,
        "calls": s.n_calls, "uncalled": s.n_uncalled, "unpriced": s.n_unpriced, "shared": s.shared,
        "cost_usd": s.cost_usd, "cost_usd_per_conversation": s.cost_per_conversation,
        "prompt_tokens": s.prompt_tokens, "cached_tokens": s.cached_tokens, "completion_tokens": s.completion_tokens,
        "latency_ms_median": s.latency_ms, "latency_ms_p95": s.latency_p95_ms,
    }  # fmt: skip
