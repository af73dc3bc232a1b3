"""The brief in words: one page for the owner of AI operations, as Markdown and as HTML.

Each number has a reference, and each reference the command that lists the conversations behind it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, timedelta, tzinfo

from grader.calibration.trust import Trusted
from grader.language import _, days, moment, ngettext, number, retold
from grader.outcomes.brief import TITLES, WAITS_FOR_RETURNS, Brief, OfQueue, Told, Warned, Week
from grader.outcomes.changes import FEWEST
from grader.outcomes.period import WEEK, Period
from grader.outcomes.quality import QUALITY, Cause, Theme
from grader.outcomes.share import percent
from grader.report.believed import NOBODY, believed, by_people, of_cause, of_figure, unasked, zero
from grader.report.brief_page import Failing, Item, Line, Owner, Page, Place, Queue, References, Sign
from grader.report.causes import CAUSES, KINDS
from grader.report.overview import words
from grader.report.reading import (
    MEANS,
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
from grader.report.spark import spark

LINES_OF_A_THEME = 3
_NONE = "(none)"  # on the command line: those without one
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#!|~&$])")


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
        _("{n} of {of} over all", n=n, of=of)
        if name == "all"
        else _("{n} of {of} by {dimension}", n=n, of=of, dimension=_(name))
        for name, (n, of) in brief.compared.items()
    )
    ledger = f"`grader ledger {brief.backlog.flags}`"
    backlog_told = _(
        "{weeks}, {n} of {of} causes that a change can fix. A conversation can stand under one cause of each kind (a "
        "human took over, not solved): do not add up across. Why a human took over: {escalation}; what was in the way: "
        "{non_resolution}. All lines: {command}",
        weeks=_named_weeks(brief.backlog), n=len(brief.themes), of=brief.n_themes,
        escalation=retold(of_cause(backlog, "escalation").short),
        non_resolution=retold(of_cause(backlog, "non_resolution").short),
        command=ledger,
    )  # fmt: skip
    no_items = (
        _("No cause that a change can fix was named in {weeks}.", weeks=_named_weeks(brief.backlog))
        if brief.causes_decided
        else _("This judge names no cause that a change can fix: nothing can be said of what to fix first.")
    )
    return Page(
        title=_("Brief of {weeks}", weeks=_named_weeks(brief.period)),
        days=_days(brief.period),
        these=_("This week") if brief.period.n_weeks == 1 else _("These weeks"),
        lead=lead,
        notices=_notices(brief, trusted),
        scope=_(
            "Figures of verdicts are about {scopes} only: nothing else could be drawn.", scopes="; ".join(brief.scopes)
        )
        if brief.scopes and brief.n_judged else None,
        lines=tuple(write.line(t, brief.trends[t.figure]) for t in brief.headlines),
        believed=tuple(f"{r.rubric}: {retold(r.text)}." for r in trusted.rubrics()) if brief.n_judged else (),
        audit=write.audit(),
        capacity=write.capacity(hour_cost, currency),
        changed=tuple((state(t), write.sentence(t), write.ref(t)) for t in brief.changed),
        unchanged=_("Nothing.") if compared * 3 >= asked
        else _("Nothing could be shown: most figures rest on too few."),
        watched=tuple((write.sentence(t), write.ref(t)) for t in brief.watched),
        compared=_(
            "{n} comparisons had at least {least} conversations (or ratings) on both sides: {by}. They are adjusted "
            "together (Benjamini and Hochberg, 5 %)",
            n=compared, least=FEWEST, by=by,
        ),
        signs=tuple(write.sign(w) for w in brief.warnings),
        failing=tuple(failing),
        queues=tuple(write.queue(q, owners) for q in brief.queues),
        items=tuple(write.item(t) for t in brief.themes),
        backlog=backlog_told,
        no_items=no_items,
        judged=brief.instruments,
        means=tuple((_(TITLES[name]), _(text)) for name, text in MEANS.items()),
        references=tuple(write.refs.found),
        workspace=workspace,
    )  # fmt: skip


def _lead(brief: Brief, write: _Writer, zone: tzinfo) -> tuple[str, ...]:
    ended = brief.data_end.replace(tzinfo=UTC).astimezone(zone)
    of_began, of_coverage = _("Conversations"), _("Coverage of returns")
    began = f"[{write.refs.number(of_began, f'grader trace episodes {brief.period.flags}')}]"
    coverage = f"[{write.refs.number(of_coverage, write.command('coverage', brief.period))}]"
    judged = _("{n} judged", n=number(brief.n_judged))
    if brief.n_in_part:
        judged = _("{n} judged, {part} of these in part", n=number(brief.n_judged), part=number(brief.n_in_part))
    started = ngettext(
        "{n} conversation that a customer began {ref}", "{n} conversations that a customer began {ref}",
        brief.n_episodes, ref=began,
    )  # fmt: skip
    weeks = brief.baseline.n_weeks
    before = _("Before: the week before.") if weeks == 1 else _("Before: the {n} weeks before.", n=weeks)
    end = _("Data end: {moment} ({zone}).", moment=moment(ended), zone=_zone(zone))
    began_text = f"{started}, {judged}. {before} {end}"
    seen = _(
        "Customer and time are known for {n} of {of} closed ones ({share}) {ref}: only of these a return would be "
        "noticed.",
        n=number(brief.coverage.n), of=number(brief.coverage.of), share=percent(brief.coverage.rate),
        ref=coverage,
    )  # fmt: skip
    found = [began_text, seen]
    if brief.known != brief.period:
        found.append(_(
            "Whether customers came back is known {hours} later: those figures are of {weeks} ({days}), the last whose "
            "windows are over, and of the weeks before.",
            hours=_hours(brief.window_hours), weeks=_named_weeks(brief.known), days=_days(brief.known),
        ))  # fmt: skip
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
        name = t.slice or _("(not known)")
        of = "" if t.dimension is None else f", {_(t.dimension)} {name}"
        return self.refs.number(_(TITLES[t.figure]) + of, self.command(t.figure, t.period, *where), before)

    def line(self, t: Told, trend: Sequence[Week] = ()) -> Line:
        """The figure as a row of a table."""
        about = []
        if t.figure in WAITS_FOR_RETURNS:
            about.append(_("within {hours}", hours=_hours(self._brief.window_hours)))
        if t.period != self._brief.period:
            about.append(_("to {week}", week=t.period.name))
        status = of_figure(self._trusted, t.figure) if t.figure in QUALITY else None
        people = ""
        if status is not None and (now := t.now) is not None and not QUALITY[t.figure].inverted:
            people = by_people(status, now.n, now.of, weighted=now.weighted)
        return Line(
            _(TITLES[t.figure]), ", ".join(about), value(t.now), interval(t.now), count(t.now), value(t.before),
            count(t.before) if t.before else "", change(t.change, t.now),
            state(t, self._brief.undecided, unasked(self._trusted, self._brief.undecided)), self.ref(t),
            spark(trend, t.figure) if trend else None,
            believed(status) if status is not None else None, people, self._left_open(t),
        )  # fmt: skip

    def sentence(self, t: Told) -> str:
        """A change, and of a figure of verdicts whether its judge can be believed."""
        if t.figure not in QUALITY:
            return sentence(t)
        trust = "; ".join(filter(None, (retold(of_figure(self._trusted, t.figure).short), self._left_open(t))))
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
        told = ", ".join(f"{number(said[word])} {text}" for word, text in (
            ("resolved", _("resolved")), ("partly", _("in part")), ("not", _("not resolved")),
            ("unclear", _("unclear")), ("not known", _("not known")),
        ) if said.get(word))  # fmt: skip
        command = f"grader trace ai_resolution_judged {self._brief.known.flags}{self._window}{self._run}"
        title = _("AI-resolved and judged")
        ref = f"[{self.refs.number(title, command)}]"
        return _(
            "Of {n} AI-resolved that the judge read, it found {told} {ref} ({trust}). Who does not come back is not "
            "always helped.",
            n=number(total), told=told, ref=ref,
            trust=retold(self._trusted.choice("resolution", "resolved").short),
        )  # fmt: skip

    def capacity(self, hour_cost: float | None, currency: str) -> str:
        """What the AI freed."""
        known = self._brief.known
        title = _("Capacity freed")
        ref = self.refs.number(title, " ".join(("grader trace capacity", known.flags + self._window)))
        of = f" ({_named_weeks(known)})" if known != self._brief.period else ""
        return f"{title}{of}: {freed_text(self._brief.capacity, hour_cost, currency)} [{ref}]."

    def sign(self, w: Warned) -> Sign:
        """A warning sign in words, with where it shows."""
        title = {
            "recontact": _("More customers come back about the same issue"),
            "csat_ai": _("Ratings of the AI fall within a contact reason"),
            "irritated_after_ai": _("More customers are irritated after the AI"),
            "escalated_too_late": _("More escalations come too late"),
        }[w.figure]
        refs = tuple(self.ref(t) for t in (w.signs or (w.overall,)))
        told = _(
            "over all {now} ({count}), before {before}",
            now=value(w.overall.now), count=count(w.overall.now), before=value(w.overall.before),
        )  # fmt: skip
        told += f"; {retold(of_figure(self._trusted, w.figure).short)}" if w.figure in QUALITY else ""
        told += f"; {left_open}" if (left_open := self._left_open(w.overall)) else ""
        if w.signs:
            return Sign(title, "on", " ".join(self.sentence(t) for t in w.signs), refs)
        if w.figure in unasked(self._trusted, self._brief.undecided):
            return Sign(title, "unknown", _("The judge was not asked: its rubric is not in the run that counts."), refs)
        if w.figure in self._brief.undecided:
            return Sign(title, "unknown", _("This judge does not decide it."), refs)
        if w.overall.broken:
            return Sign(title, "unknown", _("The judge changed, nothing is compared: {told}.", told=told), refs)
        if not w.tested:
            few = (
                _("Too few: no reason has {n} on both sides; {told}.", n=FEWEST, told=told)
                if w.figure == "csat_ai"
                else _("Too few: there are not {n} on both sides; {told}.", n=FEWEST, told=told)
            )
            return Sign(title, "unknown", few, refs)
        nothing = ngettext(
            "Nothing beyond noise in {n} comparison; {told}.", "Nothing beyond noise in {n} comparisons; {told}.",
            w.tested, told=told,
        )  # fmt: skip
        return Sign(title, "off", nothing, refs)

    def queue(self, q: OfQueue, owners: Mapping[str, Owner]) -> Queue:
        """One of the busiest queues."""
        name = q.queue or ""
        command = f"grader trace episodes {self._brief.period.flags}{_named('queue', q.queue)}"
        return Queue(
            q.queue or _("(no queue)"), owners[name].owner if name in owners else None,
            ngettext("{n} conversation", "{n} conversations", q.n_episodes),
            tuple(self.line(t) for t in q.figures),
            self.refs.number(_("Conversations, queue {name}", name=q.queue or _("(not known)")), command),
        )  # fmt: skip

    def item(self, t: Theme) -> Item:
        """One cause, with where it shows most."""
        n, volume, unknown = int(t.total("n")), t.total("volume"), int(t.total("n_hours_unknown"))
        return Item(
            fix=_(t.fix) if t.fix else "–",
            what=f"{_(KINDS[t.kind])}: {_(CAUSES[t.cause]) if t.cause in CAUSES else words(t.cause)}",
            volume=_("{volume} ({n} judged)", volume=rounded(volume), n=n)
            if abs(volume - n) > 0.5
            else rounded(volume),
            returned=_("{n} of {of}", n=round(t.total("n_came_back")), of=round(t.total("n_matured"))),
            hours=_("{hours}, of {n} not known", hours=rounded(t.total("hours"), 1), n=unknown)
            if unknown
            else rounded(t.total("hours"), 1),
            places=tuple(self._place(line) for line in t.lines[:LINES_OF_A_THEME]),
            more=max(0, len(t.lines) - LINES_OF_A_THEME),
            ref=self.refs.number(words(t.cause), self._caused(t.kind, t.cause, "")),
        )

    def _place(self, c: Cause) -> Place:
        where = _(
            "{reason} in queue {queue}",
            reason=words(c.reason) if c.reason else _("reason not known"), queue=c.queue or _("(none)"),
        )  # fmt: skip
        flags = _named("reason", c.reason) + _named("queue", c.queue)
        number = self.refs.number(f"{words(c.cause)}, {where}", self._caused(c.kind, c.cause, flags))
        text = _(
            "{where}: {volume}, {n} of {of} came back, {hours} h",
            where=where, volume=rounded(c.volume), n=c.n_came_back, of=c.n_matured, hours=rounded(c.hours, 1),
        )  # fmt: skip
        return Place(text, tuple((name, self._link(name)) for name in c.examples), number)

    def _caused(self, kind: str, cause: str, flags: str) -> str:
        figure = "escalation_cause" if kind == "escalation" else "non_resolution_cause"
        period = self._brief.backlog.flags
        return f"grader trace {figure} --cause {shlex.quote(cause)} {period}{flags}{self._window}{self._run}"


def _notices(brief: Brief, trusted: Trusted) -> tuple[str, ...]:
    found, missing = [], unasked(trusted, brief.undecided)
    if brief.n_synthetic:
        found.append(_(
            "Synthetic data: {n} of the conversations in this database were made up. Their rates say nothing of any "
            "agent.",
            n=number(brief.n_synthetic),
        ))  # fmt: skip
    if not brief.over:
        found.append(_(
            "Not over: the data end before {weeks} did. Expect figures to move.", weeks=_named_weeks(brief.period)
        ))  # fmt: skip
    if any(" · signals · " in instrument for instrument in brief.instruments):
        undecided = ", ".join(small(_(TITLES[f])) for f in QUALITY if f in brief.undecided - missing)
        offline = _("Judged by the offline detectors `signals`, not by a model: they do not decide every code.")
        found.append(offline + (" " + _("Not decided: {figures}.", figures=undecided) if undecided else ""))
    if brief.n_judged:
        if missing:
            rubrics = ", ".join(dict.fromkeys(r.rubric for r in trusted.rubrics()))
            found.append(_(
                "The run that counts asked only {rubrics}: defects are of these alone, and nothing is known of "
                "{figures}. Another run: {option}.",
                rubrics=rubrics, figures="; ".join(small(_(TITLES[f])) for f in QUALITY if f in missing),
                option="`--run`",
            ))  # fmt: skip
        found += map(retold, trusted.warnings())
        together = any(t.calibrated for t in trusted.composites.values())
        if not together and not any(r.n_calibrated for r in trusted.rubrics()):
            found.append(_(
                "Not calibrated: nothing corrects what the judge found, so its own errors are in every figure of "
                "verdicts. `grader calibrate` says what is missing."
            ))  # fmt: skip
    else:
        found.append(_(
            "Nothing of these weeks was judged: `grader grade` adds defects, hand-offs, mood and the backlog."
        ))  # fmt: skip
    found += [
        _("Run {run} did not come to its end: {n} conversations wait, and what was judged is no random part of it.",
          run=run, n=number(n))
        for run, n in brief.waiting.items()
    ]  # fmt: skip
    if brief.weighted:
        found.append(_("Figures of verdicts are weighted by how the conversations were drawn."))
    if brief.coverage.rate is not None and brief.coverage.rate < 0.8:
        found.append(_("Of more than one conversation in five nobody can tell whether the customer came back."))
    if by_judge := brief.told_by_judge.n:
        found.append(ngettext(
            "Of {n} of {of} returns only the judge's contact reasons tell what they are about.",
            "Of {n} of {of} returns only the judge's contact reasons tell what they are about.",
            by_judge, of=number(brief.told_by_judge.of),
        ))  # fmt: skip
    return tuple(found)


def _named_weeks(period: Period) -> str:
    if period.n_weeks == 1:
        return _("week {week}", week=period.name)
    return _("the {n} weeks to {week}", n=period.n_weeks, week=period.name)


def _days(period: Period) -> str:
    return days(period.first, period.last + WEEK - timedelta(days=1))


def _hours(n: int) -> str:
    return _("{n} days", n=n // 24) if n % 24 == 0 and n > 72 else _("{n} hours", n=n)


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
    states = {"worse": _("worse"), "better": _("better"), "changed": _("changed")}
    return template("brief.md").render(page=found, md=markdown_text, code=markdown_code, states=states)


def html(found: Page) -> str:
    """The page as one HTML file without any script."""
    return page_html("brief.html", ("tokens.css", "brief.css"), page=found)
