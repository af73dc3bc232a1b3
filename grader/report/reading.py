"""A figure in words: its value, its interval, what it is of, and how it changed. Nothing here counts."""

from __future__ import annotations

from grader.outcomes.brief import TITLES, Told
from grader.outcomes.capacity import Capacity
from grader.outcomes.changes import Change, Reading
from grader.outcomes.share import percent

MINUS = "−"
STATES = {  # of a change, in words
    "worse": "worse, beyond noise",
    "better": "better, beyond noise",
    "changed": "changed, beyond noise",
    "none": "may be noise",
    "alone": "outside noise by itself, not among so many",
    "few": "too few to tell",
    "undecided": "not decided by this judge",
    "unasked": "its rubric was not asked",
    "broken": "the judge changed: not compared",
}
MEANS = {  # what a figure is, for a page that stands alone
    "ai_resolution": "closed by the AI without a human, and the customer did not come back about the same issue in "
    "time; nobody looked whether it was solved",
    "resolved": "the judge read the conversation and found that everything the customer came for was done or answered",
    "containment": "closed without a human, whatever came of it: what dashboards call deflection",
    "false_containment": "of those that the AI alone closed, the customer came back about the same issue all the same",
    "recontact": "the customer came back about the same issue, whoever closed it",
    "handoff_resolved": "of those handed to a human: context was passed on, nothing repeated, and it was solved",
    "critical_defect": "the judge found one, and code has found its quote in the text",
}


def value(reading: Reading | None) -> str:
    """The figure; both ends where a part is not known."""
    if reading is None:
        return "–"
    low, high = reading.lowest.value, reading.highest.value
    if reading.scale == "mean":
        return f"{low:.2f}"
    return percent(low) if not reading.n_unknown else f"{percent(low)} to {percent(high)}"


def interval(reading: Reading | None) -> str:
    """The 95 % interval; of a mean of few ratings there is none."""
    if reading is None:
        return ""
    low, high = reading.lowest.low, reading.highest.high
    if reading.scale == "mean":
        return f"{low:.2f} to {high:.2f}" if reading.bounded else "too few for an interval"
    return f"{percent(low)} to {percent(high)}"


def count(reading: Reading | None) -> str:
    """Numerator and denominator."""
    if reading is None:
        return "nothing to count"
    if reading.scale == "mean":
        return f"{reading.n:,} rated of {reading.of:,}"
    n = f"{reading.n:,} to {reading.n + reading.n_unknown:,}" if reading.n_unknown else f"{reading.n:,}"
    return f"{n} of {reading.of:,}" + (", weighted" if reading.weighted else "")


def change(found: Change | None, now: Reading | None) -> str:
    """The difference with its interval, in points of a rate."""
    if found is None or now is None:
        return "–"
    scale, unit, digits = (1.0, "", 2) if now.scale == "mean" else (100.0, " points", 1)

    def signed(x: float) -> str:
        text = f"{abs(x) * scale:.{digits}f}"
        return text if float(text) == 0 else f"{'+' if x > 0 else MINUS}{text}"

    return f"{signed(found.point)}{unit} ({signed(found.low)} to {signed(found.high)})"


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
    where = "" if t.dimension is None else f" ({t.dimension} {t.slice or 'not known'})"
    verb = "rose" if t.change and t.change.point > 0 else "fell"
    return (
        f"{TITLES[t.figure]}{where} {verb} from {value(t.before)} ({count(t.before)}) to {value(t.now)} "
        f"({count(t.now)}): {change(t.change, t.now)}."
    )


def rounded(amount: float, digits: int = 0) -> str:
    """An amount that was summed up, the same whatever the order: a half is not let go by the last bit of a sum."""
    return f"{round(amount, 6):,.{digits}f}"


def span(hours: float) -> str:
    """Working time: minutes below two hours."""
    return f"{hours * 60:.0f} min" if hours < 2 else f"{hours:,.1f} hours"


def money(amount: float, currency: str) -> str:
    """With cents below a hundred."""
    return f"{amount:.2f} {currency}" if amount < 100 else f"{amount:,.0f} {currency}"


def freed_text(found: Capacity | None, hour_cost: float | None = None, currency: str = "") -> str:
    """The capacity freed, with what it assumes and leaves out."""
    if found is None or found.hours is None:
        return "not known; too few handle times of humans for the same reasons (`handle_minutes` of outcomes)"
    point, low, high = found.hours
    text = f"{span(point)} ({span(low)} to {span(high)})"
    if price := found.money(hour_cost):
        at = f"{hour_cost:g} {currency} an hour"
        text += f", {money(price[0], currency)} ({money(price[1], currency)} to {money(price[2], currency)}) at {at}"
    left = f"; {found.n_not_counted:,} more count nothing, too few handle times are known for their reasons"
    return (
        f"{text} for {found.n_counted:,} AI-resolved, at the median time of humans for the same reason over all the "
        f"data (assumed: they would have taken as long){left if found.n_not_counted else ''}"
    )
