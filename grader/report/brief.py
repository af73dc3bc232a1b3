"""The brief in words: one page for the owner of AI operations, as Markdown and as HTML.

Each number has a reference, and each reference the command that lists the conversations behind it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Protocol

from grader.calibration.trust import Trusted
from grader.outcomes.brief import TITLES, WAITS_FOR_RETURNS, Brief, OfQueue, Told, Warned, Week
from grader.outcomes.changes import FEWEST
from grader.outcomes.period import Period
from grader.outcomes.quality import QUALITY, Cause, Theme
from grader.outcomes.share import percent
from grader.report.believed import NOBODY, Believed, believed, by_people, of_cause, of_figure, unasked, zero
from grader.report.overview import words
from grader.report.reading import (
    MEANS,
    STATES,
    change,
    count,
    freed_text,
    interval,
    rounded,
    sentence,
    small,
    state,
    value,
)
from grader.report.render import page_html, template
from grader.report.spark import Spark, spark
from grader.report.tiles import plural

LINES_OF_A_THEME = 3
_KINDS = {"escalation": "A human took over", "non_resolution": "Not solved"}
_CAUSES = {  # options of the shipped rubric, as people say them
    "integration": "a system was missing or failed", "rule": "a rule forbids it, or none covers it",
    "missing_data": "a detail was missing", "wrong_answer": "the AI answered wrongly",
    "not_escalated": "no human was brought in", "human_backlog": "it waits with humans",
    "lack_of_data": "the AI lacked information", "missing_integration": "the AI had no tool, or a failing one",
    "missing_rule": "no rule covered it",
}  # fmt: skip
_NONE = "(none)"  # on the command line: those without one
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#!|~&$])")


class Owner(Protocol):
    """What is set for a queue."""

    @property
    def owner(self) -> str | None:
        """Who answers for it."""


@dataclass(frozen=True)
class Failing:
    """A threshold of grader.toml that is passed: by which queue (None: over all), and what the figure is."""

    queue: str | None
    owner: str | None
    text: str


@dataclass(frozen=True)
class Line:
    """One figure: its value now and before, as text. `state` is a key of `STATES`."""

    title: str
    about: str  # within how long, and of which weeks where these are not the weeks of the brief
    now: str
    interval: str
    count: str
    before: str
    before_count: str
    change: str
    state: str
    ref: int
    trend: Spark | None = None
    believed: Believed | None = None  # of verdicts
    people: str = ""  # what reviewers would find, where that can be told
    zero: str = ""  # what is left open where nothing was flagged

    @property
    def verdict(self) -> str:
        """What the change amounts to."""
        return STATES[self.state]


@dataclass(frozen=True)
class Sign:
    """A warning sign. `state`: on, off, or unknown, where it cannot be told."""

    title: str
    state: str
    text: str
    refs: tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Where something to fix shows: a contact reason in a queue."""

    text: str
    examples: tuple[tuple[str, str | None], ...]  # id, and where a report beside this page shows it
    ref: int


@dataclass(frozen=True)
class Item:
    """One thing to fix."""

    fix: str
    what: str
    volume: str
    returned: str
    hours: str
    places: tuple[Place, ...]
    more: int
    ref: int


@dataclass(frozen=True)
class Queue:
    """One of the busiest queues."""

    name: str
    owner: str | None
    n: str
    lines: tuple[Line, ...]
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
    """The page, ready to be written down. In texts `[3]` is a reference."""

    title: str
    days: str
    these: str  # the head of the column
    lead: tuple[str, ...]
    notices: tuple[str, ...]
    scope: str | None  # with names that others chose
    lines: tuple[Line, ...]
    believed: tuple[str, ...]  # a line for each rubric
    audit: str | None
    capacity: str
    changed: tuple[tuple[str, str, int], ...]  # state, sentence, reference
    unchanged: str
    watched: tuple[tuple[str, int], ...]
    compared: str
    signs: tuple[Sign, ...]
    failing: tuple[Failing, ...]
    queues: tuple[Queue, ...]
    items: tuple[Item, ...]
    backlog: str
    no_items: str
    judged: tuple[str, ...]
    means: tuple[tuple[str, str], ...]
    references: tuple[Reference, ...]
    workspace: str  # the folder that the commands are run in


def page(
    brief: Brief, *, zone: tzinfo, owners: Mapping[str, Owner], failing: Sequence[Failing], hour_cost: float | None,
    currency: str, workspace: str = "", run: str | None = None, link: Callable[[str], str | None] = lambda _: None,
    trusted: Trusted = NOBODY, backlog: Trusted = NOBODY,
) -> Page:  # fmt: skip
    """The brief in words. `link`: where a conversation can be read, from beside this page; None: nowhere. `trusted`:
    what is known of the judges of `brief.judged_by`, `backlog` of `brief.backlog_by`.
    """
    write = _Writer(brief, run, link, trusted)
    lead = _lead(brief, write, zone)
    compared = sum(n for n, _ in brief.compared.values())
    asked = sum(n for _, n in brief.compared.values())
    by = ", ".join(
        f"{n} of {of} {'over all' if name == 'all' else f'by {name}'}" for name, (n, of) in brief.compared.items()
    )
    return Page(
        title=f"Brief of {_named_weeks(brief.period)}",
        days=brief.period.days,
        these="This week" if brief.period.n_weeks == 1 else "These weeks",
        lead=lead,
        notices=_notices(brief, trusted),
        scope=f"Figures of verdicts are about {'; '.join(brief.scopes)} only: nothing else could be drawn."
        if brief.scopes and brief.n_judged else None,
        lines=tuple(write.line(t, brief.trends[t.figure]) for t in brief.headlines),
        believed=tuple(f"{line}." for line in trusted.lines()) if brief.n_judged else (),
        audit=write.audit(),
        capacity=write.capacity(hour_cost, currency),
        changed=tuple((state(t), write.sentence(t), write.ref(t)) for t in brief.changed),
        unchanged="Nothing." if compared * 3 >= asked else "Nothing could be shown: most figures rest on too few.",
        watched=tuple((write.sentence(t), write.ref(t)) for t in brief.watched),
        compared=f"{compared} comparisons had at least {FEWEST} conversations (or ratings) on both sides: {by}. They "
        "are adjusted together (Benjamini and Hochberg, 5 %)",
        signs=tuple(write.sign(w) for w in brief.warnings),
        failing=tuple(failing),
        queues=tuple(write.queue(q, owners) for q in brief.queues),
        items=tuple(write.item(t) for t in brief.themes),
        backlog=f"{_named_weeks(brief.backlog)}, {len(brief.themes)} of {brief.n_themes} causes that a change can fix. "
        "A conversation can stand under one cause of each kind (a human took over, not solved): do not add up across. "
        f"Why a human took over: {of_cause(backlog, 'escalation').short}; what was in the way: "
        f"{of_cause(backlog, 'non_resolution').short}. "
        f"All lines: `grader ledger {brief.backlog.flags}`",
        no_items=f"No cause that a change can fix was named in {_named_weeks(brief.backlog)}." if brief.causes_decided
        else "This judge names no cause that a change can fix: nothing can be said of what to fix first.",
        judged=brief.instruments,
        means=tuple((TITLES[name], text) for name, text in MEANS.items()),
        references=tuple(write.refs.found),
        workspace=workspace,
    )  # fmt: skip


def _lead(brief: Brief, write: _Writer, zone: tzinfo) -> tuple[str, ...]:
    ended = brief.data_end.replace(tzinfo=UTC).astimezone(zone)
    began = write.refs.number("Conversations", f"grader trace episodes {brief.period.flags}")
    coverage = write.refs.number("Coverage of returns", write.command("coverage", brief.period))
    in_part = f", {brief.n_in_part:,} of these in part" if brief.n_in_part else ""
    before = brief.baseline.n_weeks
    began_text = (
        f"{plural(brief.n_episodes, 'conversation')} that a customer began [{began}], {brief.n_judged:,} "
        f"judged{in_part}. Before: the {'week' if before == 1 else f'{before} weeks'} before. "
        f"Data end: {ended:%A, %-d %B %Y, %H:%M} ({_zone(zone)})."
    )
    seen = (
        f"Customer and time are known for {brief.coverage.n:,} of {brief.coverage.of:,} closed ones "
        f"({percent(brief.coverage.rate)}) [{coverage}]: only of these a return would be noticed."
    )
    found = [began_text, seen]
    if brief.known != brief.period:
        found.append(
            f"Whether customers came back is known {_hours(brief.window_hours)} later: those figures are of "
            f"{_named_weeks(brief.known)} ({brief.known.days}), the last whose windows are over, and of the weeks "
            "before."
        )
    return tuple(found)


class _Writer:
    def __init__(self, brief: Brief, run: str | None, link: Callable[[str], str | None], trusted: Trusted) -> None:
        self._brief, self._link, self._trusted = brief, link, trusted
        self.refs = References()
        self._run = f" --run {shlex.quote(run)}" if run else ""
        windows = {24: "24h", 72: "72h", 720: "30d"}
        self._window = f" --window {windows[brief.window_hours]}" if brief.window_hours in windows else ""

    def command(self, figure: str, period: Period, dimension: str | None = None, name: str | None = None) -> str:
        """What lists the conversations behind a figure."""
        narrowed = _named(dimension, name) if dimension else ""
        return f"grader trace {figure} {period.flags}{narrowed}{self._window}{self._run if figure in QUALITY else ''}"

    def ref(self, t: Told) -> int:
        """The number of this figure's commands."""
        where = (t.dimension, t.slice)
        before = self.command(t.figure, t.baseline, *where) if t.before else None
        of = "" if t.dimension is None else f", {t.dimension} {t.slice or '(not known)'}"
        return self.refs.number(TITLES[t.figure] + of, self.command(t.figure, t.period, *where), before)

    def line(self, t: Told, trend: Sequence[Week] = ()) -> Line:
        """The figure as a row of a table."""
        about = [f"within {_hours(self._brief.window_hours)}"] if t.figure in WAITS_FOR_RETURNS else []
        if t.period != self._brief.period:
            about.append(f"to {t.period.name}")
        status = of_figure(self._trusted, t.figure) if t.figure in QUALITY else None
        people = ""
        if status is not None and (now := t.now) is not None and not QUALITY[t.figure].inverted:
            people = by_people(status, now.n, now.of, weighted=now.weighted)
        return Line(
            TITLES[t.figure], ", ".join(about), value(t.now), interval(t.now), count(t.now), value(t.before),
            count(t.before) if t.before else "", change(t.change, t.now),
            state(t, self._brief.undecided, unasked(self._trusted, self._brief.undecided)), self.ref(t),
            spark(trend, t.figure) if trend else None,
            believed(status) if status is not None else None, people, self._left_open(t),
        )  # fmt: skip

    def sentence(self, t: Told) -> str:
        """A change, and of a figure of verdicts whether its judge can be believed."""
        if t.figure not in QUALITY:
            return sentence(t)
        trust = "; ".join(filter(None, (of_figure(self._trusted, t.figure).short, self._left_open(t))))
        return f"{sentence(t)} {trust[0].upper()}{trust[1:]}."

    def _left_open(self, t: Told) -> str:
        """What is left open where nothing was flagged, now or before."""
        if t.figure not in QUALITY:
            return ""
        status = of_figure(self._trusted, t.figure)
        told = (zero(t.figure, r.n, r.of, status) for r in (t.now, t.before) if r is not None)
        return next(filter(None, told), "")

    def audit(self) -> str | None:
        """What the judge says of those that count as AI-resolved."""
        said = self._brief.audit
        if not said or "resolved" in self._brief.undecided:
            return None
        total = sum(said.values())
        told = ", ".join(f"{said[word]:,} {text}" for word, text in (
            ("resolved", "resolved"), ("partly", "in part"), ("not", "not resolved"), ("unclear", "unclear"),
            ("not known", "not known"),
        ) if said.get(word))  # fmt: skip
        number = self.refs.number(
            "AI-resolved and judged",
            f"grader trace ai_resolution_judged {self._brief.known.flags}{self._window}{self._run}",
        )
        return (
            f"Of {total:,} AI-resolved that the judge read, it found {told} [{number}] "
            f"({self._trusted.choice('resolution', 'resolved').short}). Who does not come back is not "
            "always helped."
        )

    def capacity(self, hour_cost: float | None, currency: str) -> str:
        """What the AI freed."""
        known = self._brief.known
        number = self.refs.number("Capacity freed", f"grader trace capacity {known.flags}{self._window}")
        of = f" ({_named_weeks(known)})" if known != self._brief.period else ""
        return f"Capacity freed{of}: {freed_text(self._brief.capacity, hour_cost, currency)} [{number}]."

    def sign(self, w: Warned) -> Sign:
        """A warning sign in words, with where it shows."""
        title = {
            "recontact": "More customers come back about the same issue",
            "csat_ai": "Ratings of the AI fall within a contact reason",
            "irritated_after_ai": "More customers are irritated after the AI",
            "escalated_too_late": "More escalations come too late",
        }[w.figure]
        refs = tuple(self.ref(t) for t in (w.signs or (w.overall,)))
        trust = f"; {of_figure(self._trusted, w.figure).short}" if w.figure in QUALITY else ""
        trust += f"; {left_open}" if (left_open := self._left_open(w.overall)) else ""
        told = f"over all {value(w.overall.now)} ({count(w.overall.now)}), before {value(w.overall.before)}{trust}"
        if w.signs:
            return Sign(title, "on", " ".join(self.sentence(t) for t in w.signs), refs)
        if w.figure in unasked(self._trusted, self._brief.undecided):
            return Sign(title, "unknown", "The judge was not asked: its rubric is not in the run that counts.", refs)
        if w.figure in self._brief.undecided:
            return Sign(title, "unknown", "This judge does not decide it.", refs)
        if w.overall.broken:
            return Sign(title, "unknown", f"The judge changed, nothing is compared: {told}.", refs)
        if not w.tested:
            where = "no reason has" if w.figure == "csat_ai" else "there are not"
            return Sign(title, "unknown", f"Too few: {where} {FEWEST} on both sides; {told}.", refs)
        tests = plural(w.tested, "comparison")
        return Sign(title, "off", f"Nothing beyond noise in {tests}; {told}.", refs)

    def queue(self, q: OfQueue, owners: Mapping[str, Owner]) -> Queue:
        """One of the busiest queues."""
        name = q.queue or ""
        command = f"grader trace episodes {self._brief.period.flags}{_named('queue', q.queue)}"
        return Queue(
            q.queue or "(no queue)", owners[name].owner if name in owners else None,
            plural(q.n_episodes, "conversation"),
            tuple(self.line(t) for t in q.figures),
            self.refs.number(f"Conversations, queue {q.queue or '(not known)'}", command),
        )  # fmt: skip

    def item(self, t: Theme) -> Item:
        """One cause, with where it shows most."""
        n, volume, unknown = int(t.total("n")), t.total("volume"), int(t.total("n_hours_unknown"))
        return Item(
            fix=t.fix or "–",
            what=f"{_KINDS[t.kind]}: {_CAUSES.get(t.cause, words(t.cause))}",
            volume=rounded(volume) + (f" ({n} judged)" if abs(volume - n) > 0.5 else ""),
            returned=f"{t.total('n_came_back'):.0f} of {t.total('n_matured'):.0f}",
            hours=rounded(t.total("hours"), 1) + (f", of {unknown} not known" if unknown else ""),
            places=tuple(self._place(line) for line in t.lines[:LINES_OF_A_THEME]),
            more=max(0, len(t.lines) - LINES_OF_A_THEME),
            ref=self.refs.number(words(t.cause), self._caused(t.kind, t.cause, "")),
        )

    def _place(self, c: Cause) -> Place:
        where = f"{words(c.reason) if c.reason else 'reason not known'} in queue {c.queue or '(none)'}"
        flags = _named("reason", c.reason) + _named("queue", c.queue)
        number = self.refs.number(f"{words(c.cause)}, {where}", self._caused(c.kind, c.cause, flags))
        text = f"{where}: {rounded(c.volume)}, {c.n_came_back} of {c.n_matured} came back, {rounded(c.hours, 1)} h"
        return Place(text, tuple((name, self._link(name)) for name in c.examples), number)

    def _caused(self, kind: str, cause: str, flags: str) -> str:
        figure = "escalation_cause" if kind == "escalation" else "non_resolution_cause"
        period = self._brief.backlog.flags
        return f"grader trace {figure} --cause {shlex.quote(cause)} {period}{flags}{self._window}{self._run}"


def _notices(brief: Brief, trusted: Trusted) -> tuple[str, ...]:
    found, missing = [], unasked(trusted, brief.undecided)
    if brief.n_synthetic:
        found.append(
            f"Synthetic data: {brief.n_synthetic:,} of the conversations in this database were made up. Their rates "
            "say nothing of any agent."
        )
    if not brief.over:
        found.append(f"Not over: the data end before {_named_weeks(brief.period)} did. Expect figures to move.")
    if any(" · signals · " in instrument for instrument in brief.instruments):
        undecided = ", ".join(small(TITLES[f]) for f in QUALITY if f in brief.undecided - missing)
        found.append(
            "Judged by the offline detectors `signals`, not by a model: they do not decide every code"
            + (f". Not decided: {undecided}." if undecided else ".")
        )
    if brief.n_judged:
        if missing:
            rubrics = ", ".join(dict.fromkeys(r.rubric for r in trusted.rubrics()))
            found.append(
                f"The run that counts asked only {rubrics}: defects are of these alone, and nothing is known of "
                f"{'; '.join(small(TITLES[f]) for f in QUALITY if f in missing)}. Another run: `--run`."
            )
        found += trusted.warnings()
        together = any(t.calibrated for t in trusted.composites.values())
        if not together and not any(r.n_calibrated for r in trusted.rubrics()):
            found.append(
                "Not calibrated: nothing corrects what the judge found, so its own errors are in every figure of "
                "verdicts. `grader calibrate` says what is missing."
            )
    else:
        found.append("Nothing of these weeks was judged: `grader grade` adds defects, hand-offs, mood and the backlog.")
    found += [
        f"Run {run} did not come to its end: {n:,} conversations wait, and what was judged is no random part of it."
        for run, n in brief.waiting.items()
    ]
    if brief.weighted:
        found.append("Figures of verdicts are weighted by how the conversations were drawn.")
    if brief.coverage.rate is not None and brief.coverage.rate < 0.8:
        found.append("Of more than one conversation in five nobody can tell whether the customer came back.")
    return tuple(found)


def _named_weeks(period: Period) -> str:
    return f"week {period.name}" if period.n_weeks == 1 else f"the {period.n_weeks} weeks to {period.name}"


def _hours(n: int) -> str:
    return f"{n // 24} days" if n % 24 == 0 and n > 72 else f"{n} hours"


def _zone(zone: tzinfo) -> str:
    return "UTC" if zone is UTC else getattr(zone, "key", str(zone))


def _named(dimension: str | None, name: str | None) -> str:
    if name is None:
        name = _NONE
    elif name.lstrip("\\") == _NONE:
        name = f"\\{name}"  # it is really called so
    return f" --{(dimension or '').replace('_', '-')} {quoted(name)}"


def quoted(text: str) -> str:
    """A word for a shell; what cannot be printed is written as an escape, so that a command stays on its line."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(c if c.isprintable() and c not in "'\\" else f"\\U{ord(c):08x}" for c in text)
    return f"$'{escaped}'"


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
