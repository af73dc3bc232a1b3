"""The brief in words: one page for the owner of AI operations, as Markdown and as HTML.

Each number has a reference, and each reference the command that lists the conversations behind it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Protocol

from grader.outcomes.brief import TITLES, Brief, OfQueue, Told, Warned, Week
from grader.outcomes.capacity import Capacity
from grader.outcomes.changes import FEWEST, Change, Reading
from grader.outcomes.quality import QUALITY, Cause
from grader.outcomes.share import percent
from grader.report.overview import words
from grader.report.render import page_html, template
from grader.report.spark import Spark, spark

MINUS = "−"
STATES = {  # of a change, in words
    "worse": "worse, beyond noise", "better": "better, beyond noise", "changed": "changed, beyond noise",
    "none": "may be noise", "few": "too few to tell", "broken": "the judge changed: not compared",
}  # fmt: skip
_KINDS = {"escalation": "A human took over", "non_resolution": "Not solved"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#!|~&$])")


class Owner(Protocol):
    """What is set for a queue."""

    @property
    def owner(self) -> str | None:
        """Who answers for it."""


@dataclass(frozen=True)
class Line:
    """One figure: its value now and before, as text. `state` is a key of `STATES`."""

    title: str
    now: str
    interval: str
    count: str
    before: str
    change: str
    state: str
    ref: int
    trend: Spark | None = None
    weeks: str = ""  # where these are not the weeks of the brief

    @property
    def verdict(self) -> str:
        """What the change amounts to."""
        return STATES[self.state]


@dataclass(frozen=True)
class Sign:
    """A warning sign: on, off, or not to be told."""

    title: str
    on: bool
    text: str
    refs: tuple[int, ...]


@dataclass(frozen=True)
class Item:
    """One thing to fix first."""

    fix: str
    what: str
    where: str
    volume: str
    returned: str
    hours: str
    examples: tuple[str, ...]
    ref: int


@dataclass(frozen=True)
class Queue:
    """One queue in front."""

    name: str
    owner: str | None
    n: str
    lines: tuple[Line, ...]
    failing: tuple[str, ...]
    ref: int


@dataclass(frozen=True)
class Reference:
    """Where a number comes from: the command for these weeks, and for those before."""

    number: int
    title: str
    now: str
    before: str | None


@dataclass
class References:
    """References as they are given out: the same command twice is one."""

    found: list[Reference] = field(default_factory=list)
    _known: dict[tuple[str, str | None], int] = field(default_factory=dict)

    def number(self, title: str, now: str, before: str | None = None) -> int:
        """The number of these commands."""
        if (now, before) not in self._known:
            self._known[now, before] = len(self.found) + 1
            self.found.append(Reference(len(self.found) + 1, title, now, before))
        return self._known[now, before]


@dataclass(frozen=True)
class Page:
    """The page, ready to be written down."""

    title: str
    days: str
    lead: tuple[str, ...]
    notices: tuple[str, ...]
    lines: tuple[Line, ...]
    capacity: str
    capacity_ref: int
    changed: tuple[tuple[str, str, int], ...]  # state, sentence, reference
    compared: str
    signs: tuple[Sign, ...]
    queues: tuple[Queue, ...]
    items: tuple[Item, ...]
    backlog: str
    judged: tuple[str, ...]
    references: tuple[Reference, ...]


def page(
    brief: Brief, *, zone: tzinfo, owners: Mapping[str, Owner], failing: Mapping[str, Sequence[str]],
    hour_cost: float | None, currency: str, run: str | None = None,
) -> Page:  # fmt: skip
    """The brief in words. `failing`: by queue, the conditions of grader.toml that do not hold."""
    refs = References()
    write = _Writer(brief, refs, run)
    ended = brief.data_end.replace(tzinfo=UTC).astimezone(zone)
    p = brief.period
    weeks = f"week {p.name}" if p.n_weeks == 1 else f"{p.n_weeks} weeks to {p.name}"
    n_ref = refs.number("Conversations", f"grader trace episodes {brief.period.flags}")
    began = (
        f"{brief.n_episodes:,} conversations that a customer began [{n_ref}], {brief.n_judged:,} of them judged; held "
        f"against the {brief.baseline.n_weeks} weeks before. "
        f"Data end: {ended:%A, %-d %B %Y, %H:%M} ({_zone(zone)})."
    )
    lead = [began]
    if brief.known != brief.period:
        lead.append(
            f"Whether customers came back is known {_hours(brief.window_hours)} later: those figures are of "
            f"{_weeks(brief.known.n_weeks)} to {brief.known.name} ({brief.known.days}), the last whose windows are "
            "over."
        )
    coverage = refs.number("A return could be seen", write.command("coverage", brief.period))
    lead.append(
        f"A return could be seen of {percent(brief.coverage.rate)} ({brief.coverage.n:,} of {brief.coverage.of:,}) "
        f"[{coverage}]: customer and time are known."
    )
    capacity = refs.number("Capacity freed", f"grader trace capacity {brief.known.flags}{write.window}")
    return Page(
        title=f"Brief of {weeks}",
        days=p.days,
        lead=tuple(lead),
        notices=_notices(brief),
        lines=tuple(write.line(t, brief.trends[t.figure]) for t in brief.headlines),
        capacity=_capacity(brief.capacity, hour_cost, currency),
        capacity_ref=capacity,
        changed=tuple((_state(t), _sentence(t), write.ref(t)) for t in brief.changed),
        compared=f"{brief.n_compared:,} comparisons (each figure over all, by queue and by reason, with at least "
        f"{FEWEST} on both sides), adjusted together (Benjamini and Hochberg, 5 %): of so many some leave 0 "
        "out of their interval by chance",
        signs=tuple(write.sign(w) for w in brief.warnings),
        queues=tuple(write.queue(q, owners, failing) for q in brief.queues),
        items=tuple(write.item(c) for c in brief.causes),
        backlog=f"{_weeks(brief.backlog.n_weeks)} to {brief.backlog.name}; {len(brief.causes)} of {brief.n_causes} "
        f"lines that a change can fix: `grader ledger {brief.backlog.flags}` has all",
        judged=brief.instruments,
        references=tuple(refs.found),
    )


class _Writer:
    def __init__(self, brief: Brief, refs: References, run: str | None) -> None:
        self._brief, self._refs = brief, refs
        self._run = f" --run {shlex.quote(run)}" if run else ""
        windows = {24: "24h", 72: "72h", 720: "30d"}
        self.window = f" --window {windows[brief.window_hours]}" if brief.window_hours in windows else ""

    def command(self, figure: str, period: object, dimension: str | None = None, name: str | None = None) -> str:
        """What lists the conversations behind a figure."""
        narrowed = _named(dimension, name) if dimension else ""
        of_run = self._run if figure in QUALITY else ""
        return f"grader trace {figure} {getattr(period, 'flags', '')}{narrowed}{self.window}{of_run}"

    def ref(self, t: Told) -> int:
        """The number of this figure's commands."""
        slice_ = (t.dimension, t.slice)
        before = self.command(t.figure, t.baseline, *slice_) if t.before else None
        return self._refs.number(TITLES[t.figure] + _of(t), self.command(t.figure, t.period, *slice_), before)

    def line(self, t: Told, trend: Sequence[Week] = ()) -> Line:
        """The figure as a row of a table."""
        shifted = t.period != self._brief.period
        return Line(
            TITLES[t.figure], value(t.now), interval(t.now), count(t.now), value(t.before), change(t.change, t.now),
            _state(t), self.ref(t), spark(trend, t.figure) if trend else None,
            f"to {t.period.name}" if shifted else "",
        )  # fmt: skip

    def sign(self, w: Warned) -> Sign:
        """A warning sign in words, with where it shows."""
        title = {
            "recontact": "More customers come back about the same issue",
            "csat_ai": "Ratings of the AI fall for a reason",
            "irritated_after_ai": "More customers are irritated after the AI",
            "escalated_too_late": "More escalations come too late",
        }[w.figure]  # fmt: skip
        refs = tuple(self.ref(t) for t in (w.signs or (w.overall,)))
        if w.signs:
            return Sign(title, True, " ".join(_sentence(t) for t in w.signs), refs)
        if w.overall.broken:
            return Sign(title, False, "Not compared: the judge changed.", refs)
        if w.overall.now is None:
            decided = "not decided by this judge" if w.figure in QUALITY else "nothing to count"
            return Sign(title, False, f"Not known: {decided}.", refs)
        told = f"{value(w.overall.now)} ({count(w.overall.now)})"
        if w.overall.change is None:
            return Sign(title, False, f"Too few to tell: {told}, before {value(w.overall.before)}.", refs)
        return Sign(title, False, f"No change beyond noise: {told}, before {value(w.overall.before)}.", refs)

    def queue(self, q: OfQueue, owners: Mapping[str, Owner], failing: Mapping[str, Sequence[str]]) -> Queue:
        """One of the queues in front."""
        name = q.queue or ""
        command = f"grader trace episodes {self._brief.period.flags}{_named('queue', q.queue)}"
        return Queue(
            q.queue or "(no queue)", owners[name].owner if name in owners else None, f"{q.n_episodes:,}",
            tuple(self.line(t) for t in q.figures), tuple(failing.get(name, ())),
            self._refs.number(f"Conversations, queue {q.queue or '(not known)'}", command),
        )  # fmt: skip

    def item(self, c: Cause) -> Item:
        """A line of the backlog."""
        figure = "escalation_cause" if c.kind == "escalation" else "non_resolution_cause"
        flags = self._brief.backlog.flags + _named("reason", c.reason) + _named("queue", c.queue)
        command = f"grader trace {figure} --cause {shlex.quote(c.cause)} {flags}{self.window}{self._run}"
        unknown = f", of {c.n_hours_unknown} not known" if c.n_hours_unknown else ""
        return Item(
            c.fix or "–", f"{_KINDS[c.kind]}: {words(c.cause)}",
            f"{words(c.reason) if c.reason else 'reason not known'}, {c.queue or 'no queue'}",
            f"{c.volume:,.0f}" + (f" (judged: {c.n})" if abs(c.volume - c.n) > 0.5 else ""),
            f"{c.n_came_back} of {c.n_matured}", f"{c.hours:,.1f} h{unknown}", c.examples,
            self._refs.number(f"{words(c.cause)}, {c.reason or 'reason not known'}, {c.queue or 'no queue'}", command),
        )  # fmt: skip


def _named(dimension: str | None, name: str | None) -> str:
    return f" --{(dimension or '').replace('_', '-')} {_quoted(name if name is not None else '(none)')}"


def _quoted(text: str) -> str:
    """For a shell; what cannot be printed is written as an escape, so that a command stays on its line."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(c if c.isprintable() and c not in "'\\" else f"\\U{ord(c):08x}" for c in text)
    return f"$'{escaped}'"


def _of(t: Told) -> str:
    return "" if t.dimension is None else f", {t.dimension} {t.slice or '(not known)'}"


def _state(t: Told) -> str:
    if t.broken:
        return "broken"
    if t.change is None:
        return "few"
    if t.change.direction == "none":
        return "none"
    return {True: "worse", False: "better", None: "changed"}[t.worse]


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
        return f"{low:.2f} to {high:.2f}" if (low, high) != (1.0, 5.0) else "too few for one"
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


def _sentence(t: Told) -> str:
    where = "" if t.dimension is None else f" ({t.dimension} {t.slice or 'not known'})"
    verb = "rose" if t.change and t.change.point > 0 else "fell"
    return (
        f"{TITLES[t.figure]}{where} {verb} from {value(t.before)} ({count(t.before)}) to {value(t.now)} "
        f"({count(t.now)}): {change(t.change, t.now)}."
    )


def _capacity(found: Capacity | None, hour_cost: float | None, currency: str) -> str:
    if found is None or found.hours is None:
        return "not known: too few handle times of humans for the same reasons (`handle_minutes` of outcomes)"
    point, low, high = found.hours
    text = f"{point:,.1f} hours ({low:,.1f} to {high:,.1f})"
    if money := found.money(hour_cost):
        text += f", {money[0]:,.0f} {currency} ({money[1]:,.0f} to {money[2]:,.0f}) at {hour_cost:g} {currency} an hour"
    left = f"; {found.n_not_counted:,} more of reasons with too few handle times count nothing"
    left = left if found.n_not_counted else ""
    return (
        f"{text}: {found.n_counted:,} conversations that the AI resolved, at the median time of humans for the same "
        f"reason (assumed: they would have taken as long){left}"
    )


def _notices(brief: Brief) -> tuple[str, ...]:
    found = []
    if brief.n_synthetic:
        found.append(
            f"Synthetic data: {brief.n_synthetic:,} conversations were made up. Their rates say nothing of any agent."
        )
    if brief.n_judged:
        found.append(
            "Not calibrated: what the judge found was not held against human labels, so its own errors are in every "
            "figure of verdicts."
        )
    else:
        found.append("Nothing of these weeks was judged: `grader grade` adds defects, hand-offs, mood and the backlog.")
    if brief.weighted:
        found.append("Figures of verdicts are weighted by how the conversations were drawn.")
    if brief.coverage.rate is not None and brief.coverage.rate < 0.8:
        found.append("Of more than one conversation in five nobody can tell whether the customer came back.")
    return tuple(found)


def _hours(n: int) -> str:
    return f"{n // 24} days" if n % 24 == 0 and n > 72 else f"{n} hours"


def _weeks(n: int) -> str:
    return "the week" if n == 1 else f"the {n} weeks"


def _zone(zone: tzinfo) -> str:
    return "UTC" if zone is UTC else getattr(zone, "key", str(zone))


def markdown_text(text: object) -> str:
    """Others' words in Markdown: no mark of them is one of the page."""
    plain = " ".join(str(text).split())
    return _MARKDOWN.sub(r"\\\1", plain)


def markdown_code(text: str) -> str:
    """A text as code in Markdown: the fence is longer than any within it."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 2)
    return f"{fence} {text} {fence}"


def markdown(found: Page) -> str:
    """The page as Markdown."""
    return template("brief.md").render(page=found, md=markdown_text, code=markdown_code)


def html(found: Page) -> str:
    """The page as one HTML file without any script."""
    return page_html("brief.html", ("tokens.css", "brief.css"), page=found)
