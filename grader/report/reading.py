"""A figure in words: its value, its interval, what it is of, and how it changed. Nothing here counts."""

from __future__ import annotations

from grader.language import N_, _, number, numerals
from grader.outcomes.brief import TITLES, Told
from grader.outcomes.capacity import Capacity
from grader.outcomes.changes import Change, Reading
from grader.outcomes.share import FEWEST_RATINGS, percent

MINUS = "−"
STATES = {  # of a change, in words
    "worse": N_("worse, beyond noise"),
    "better": N_("better, beyond noise"),
    "changed": N_("changed, beyond noise"),
    "none": N_("may be noise"),
    "alone": N_("outside noise by itself, not among so many"),
    "few": N_("too few to tell"),
    "undecided": N_("not decided by this judge"),
    "unasked": N_("its rubric was not asked"),
    "broken": N_("the judge changed: not compared"),
}
MEANS = {  # what a figure is, for a page that stands alone
    "ai_resolution": N_(
        "closed by the AI without a human, and the customer did not come back about the same issue in "
        "time; nobody looked whether it was solved"
    ),
    "resolved": N_(
        "the judge read the conversation and found that everything the customer came for was done or answered"
    ),
    "containment": N_("closed without a human, whatever came of it: what dashboards call deflection"),
    "false_containment": N_(
        "of those that the AI alone closed, the customer came back about the same issue all the same"
    ),
    "recontact": N_("the customer came back about the same issue, whoever closed it"),
    "handoff_resolved": N_("of those handed to a human: context was passed on, nothing repeated, and it was solved"),
    "critical_defect": N_("the judge found one, and code has found its quote in the text"),
}


def value(reading: Reading | None) -> str:
    """The figure; both ends where a part is not known."""
    if reading is None:
        return "–"
    low, high = reading.lowest.value, reading.highest.value
    if reading.scale == "mean":
        return number(low, 2)
    return percent(low) if not reading.n_unknown else _("{low} to {high}", low=percent(low), high=percent(high))


def interval(reading: Reading | None) -> str:
    """The 95 % interval; of a mean of few ratings there is none."""
    if reading is None:
        return ""
    low, high = reading.lowest.low, reading.highest.high
    if reading.scale == "mean":
        if not reading.bounded:
            return unbounded(reading)
        return _("{low} to {high}", low=number(low, 2), high=number(high, 2))
    return _("{low} to {high}", low=percent(low), high=percent(high))


def unbounded(reading: Reading) -> str:
    """Why a mean has no interval."""
    few = reading.n < FEWEST_RATINGS
    return _("too few for an interval") if few else _("all the same: no interval")


def count(reading: Reading | None) -> str:
    """Numerator and denominator."""
    if reading is None:
        return _("nothing to count")
    of = number(reading.of)
    if reading.scale == "mean":
        return _("{n} rated of {of}", n=number(reading.n), of=of)
    n = number(reading.n)
    if reading.n_unknown:
        n = _("{low} to {high}", low=n, high=number(reading.n + reading.n_unknown))
    return _("{n} of {of}, weighted", n=n, of=of) if reading.weighted else _("{n} of {of}", n=n, of=of)


def change(found: Change | None, now: Reading | None) -> str:
    """The difference with its interval, in points of a rate."""
    if found is None or now is None:
        return "–"
    scale, digits = (1.0, 2) if now.scale == "mean" else (100.0, 1)

    def signed(x: float) -> str:
        text = f"{abs(x) * scale:.{digits}f}"
        return numerals(text if float(text) == 0 else f"{'+' if x > 0 else MINUS}{text}")

    point, low, high = signed(found.point), signed(found.low), signed(found.high)
    if now.scale == "mean":
        return _("{point} ({low} to {high})", point=point, low=low, high=high)
    return _("{point} points ({low} to {high})", point=point, low=low, high=high)


def small(title: str) -> str:
    """A title inside a sentence: its first letter small. AI stays."""
    return title[:1].lower() + title[1:]


def state(t: Told, undecided: frozenset[str] = frozenset(), unasked: frozenset[str] = frozenset()) -> str:
    """What a change amounts to: a key of `STATES`."""
    if t.figure in unasked:
        return "unasked"
    if t.figure in undecided:
        return "undecided"
    if t.broken:
        return "broken"
    if t.change is None:
        return "few"
    if t.change.direction == "none":
        return "alone" if t.change.p < 0.05 else "none"
    return {True: "worse", False: "better", None: "changed"}[t.worse]


def sentence(t: Told) -> str:
    """A change in one sentence."""
    title = _(TITLES[t.figure])
    if t.dimension is not None:
        title += f" ({named(t.dimension, t.slice)})"
    rose = N_("{title} rose from {before} ({count_before}) to {now} ({count_now}): {change}.")
    fell = N_("{title} fell from {before} ({count_before}) to {now} ({count_now}): {change}.")
    return _(
        rose if t.change and t.change.point > 0 else fell, title=title, before=value(t.before),
        count_before=count(t.before), now=value(t.now), count_now=count(t.now), change=change(t.change, t.now),
    )  # fmt: skip


def named(dimension: str, name: str | None) -> str:
    """`queue refunds`."""
    shown = name or _("not known")
    return f"{_(dimension)} {shown}"


def rounded(amount: float, digits: int = 0) -> str:
    """An amount that was summed up, the same whatever the order: a half is not let go by the last bit of a sum."""
    return number(round(amount, 6), digits)


def span(hours: float) -> str:
    """Working time: minutes below two hours."""
    return f"{hours * 60:.0f} min" if hours < 2 else _("{n} hours", n=number(hours, 1))


def money(amount: float, currency: str) -> str:
    """With cents below a hundred."""
    return f"{numerals(f'{amount:.2f}') if amount < 100 else number(amount)} {currency}"


def freed_text(found: Capacity | None, hour_cost: float | None = None, currency: str = "") -> str:
    """The capacity freed, with what it assumes and leaves out."""
    if found is None or found.hours is None:
        return _("not known; too few handle times of humans for the same reasons (`handle_minutes` of outcomes)")
    point, low, high = (span(end) for end in found.hours)
    text = _("{point} ({low} to {high})", point=point, low=low, high=high)
    if price := found.money(hour_cost):
        point, low, high = (money(end, currency) for end in price)
        price_of_hour = f"{numerals(f'{hour_cost:g}')} {currency}"
        text += ", " + _(
            "{point} ({low} to {high}) at {price} an hour", point=point, low=low, high=high,
            price=price_of_hour,
        )  # fmt: skip
    told = _(
        "{freed} for {n} AI-resolved, at the median time of humans for the same reason over all the data (assumed: "
        "they would have taken as long)",
        freed=text, n=number(found.n_counted),
    )  # fmt: skip
    if not found.n_not_counted:
        return told
    left = _("{n} more count nothing, too few handle times are known for their reasons", n=number(found.n_not_counted))
    return f"{told}; {left}"
