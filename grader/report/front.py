"""The front page in words: six figures, what to fix first, and the pictures below them.

What happened is told of the weeks that the run lies in, what the judge found of the run itself; each says which.
Nothing here counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from grader.calibration.trust import Trusted
from grader.language import N_, _, days, ngettext, number, numerals
from grader.outcomes import Figure, Figures, percent, rate
from grader.outcomes.changes import Reading, change
from grader.outcomes.front import PLACES, Front, Weeks
from grader.outcomes.period import WEEK, Period
from grader.outcomes.quality import QUALITY, Cause, Theme
from grader.report.believed import (
    CRITICAL,
    NOBODY,
    Believed,
    believed,
    critical_by_people,
    of_cause,
    of_figure,
    unasked,
)
from grader.report.causes import CAUSES, KINDS
from grader.report.front_charts import Chart, Matrix, Ratios, chart, count, interval, matrix, ratios, value
from grader.report.front_findings import Found, findings_first
from grader.report.reading import MEANS
from grader.report.spark import Spark, spark

NAMES: Mapping[str, str] = {
    "ai_resolution": N_("AI resolution"),
    "false_containment": N_("False containment"),
    "recontact": N_("Came back, same issue"),
    "csat": N_("CSAT, AI and human"),
    "handoff_resolved": N_("Hand-off quality"),
    "critical_defect": N_("Critical defects"),
}
_OF = {
    "ai_resolution": N_("closed conversations whose 7 days are over"),
    "false_containment": N_("that the AI alone closed, whose 7 days are over"),
    "recontact": N_("closed conversations whose 7 days are over"),
    "handoff_resolved": N_("hand-offs of this run that could be assessed"),
    "critical_defect": N_("conversations of this run in which a critical code could be assessed"),
}
_LOWER = frozenset({"false_containment", "recontact", "critical_defect"})
_CSAT = N_("ratings of 1 to 5 by customers whom the AI alone answered, and by those to whom a human spoke")


@dataclass(frozen=True)
class Value:
    """A number of a card. `name` where there are two of them."""

    name: str
    shape: str
    value: str
    interval: str
    count: str
    spark: Spark | None
    trend: str  # the picture in words
    bounded: bool = True

    @property
    def told_interval(self) -> str:
        """The interval by its name; of a mean of few ratings it says why there is none."""
        return _("95 %: {ends}", ends=self.interval) if self.bounded else self.interval


@dataclass(frozen=True)
class Card:
    """One of the six. `why`: there is no number, and this is why. `basis`: weeks, or the run alone."""

    key: str
    title: str
    means: str
    better: str
    values: tuple[Value, ...]
    of: str
    basis: str
    believed: Believed
    notes: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Place:
    """Where a cause shows, with what it costs there."""

    text: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Fix:
    """One thing to fix: the next step, what is behind it, what it costs. `facts`: (name, value)."""

    step: str
    what: str
    facts: tuple[tuple[str, str], ...]
    places: tuple[Place, ...]


@dataclass(frozen=True)
class FrontPage:
    """The whole front page. `lead` says what the figures are of; `no_fixes`, `no_trends` why there is nothing."""

    lead: tuple[str, ...]
    cards: tuple[Card, ...]
    fixes: tuple[Fix, ...]
    more_fixes: int
    fixes_believed: tuple[tuple[str, Believed], ...]
    findings: tuple[Found, ...]  # in place of causes, where there are none
    no_fixes: str
    trends: tuple[Chart, ...]
    trends_about: str
    no_trends: str
    matrix: Matrix | None
    ratios: Ratios | None


def front_page(found: Front, figures: Figures, trusted: Trusted = NOBODY) -> FrontPage:
    """The front of one run; `trusted` is what is known of its judges."""
    weeks = found.weeks
    return FrontPage(
        lead=_lead(found, figures),
        cards=(
            *(_happened(found, name, trusted) for name in ("ai_resolution", "false_containment", "recontact")),
            _csat(found), _handoff(found, trusted), _critical(found, figures, trusted),
        ),
        fixes=tuple(_fix(theme) for theme in found.fixes),
        more_fixes=found.n_fixes - len(found.fixes),
        fixes_believed=tuple(
            (_(KINDS[kind]), believed(of_cause(trusted, kind)))
            for kind in KINDS if any(theme.kind == kind for theme in found.fixes)
        ),
        findings=() if found.fixes else findings_first(figures.defects),
        no_fixes=_("No cause that a change can fix was named in this run.") if found.causes_decided
        else _("This judge names no cause that a change can fix."),
        trends=_trends(found),
        trends_about="" if weeks is None else _about_trends(weeks, found),
        no_trends=_("No conversation of this run has a time, so that there are no weeks."),
        matrix=matrix(figures.defects, [h.queue for h in figures.headlines[1:]], lambda queue: queue or _("no queue")),
        ratios=ratios(found.associations),
    )  # fmt: skip


def named_weeks(period: Period) -> str:
    """`2026-W32` or `2026-W32 to 2026-W38`, with the days."""
    first = Period(period.first).name
    name = first if period.n_weeks == 1 else _("{low} to {high}", low=first, high=period.name)
    return f"{name} ({days(period.first, period.last + WEEK - timedelta(days=1))})"


def _lead(found: Front, figures: Figures) -> tuple[str, ...]:
    n = figures.headline.n_conversations
    run = ngettext("This run judged {n} conversation.", "This run judged {n} conversations.",
                   figures.headline.n_judged_conversations)  # fmt: skip
    if found.weeks is None:
        why = _("None of them has a time, so that nothing is known of what happened around it.")
        return (run, why if n else _("No conversation is part of it."))
    told = [run]
    weeks, metrics = found.weeks, found.metrics
    when = {"weeks": named_weeks(weeks.period)}
    if weeks.n_inside < weeks.n:
        inside = _("{n} of {of} began in the weeks {weeks}; the others are further off, or have no time.",
                   n=number(weeks.n_inside), of=number(weeks.n), **when)  # fmt: skip
    elif weeks.n != figures.headline.n_judged_conversations:  # some were not judged, or are gone
        inside = _("All {n} that are in the database began in the weeks {weeks}.", n=number(weeks.n), **when)
    elif weeks.n == 1:
        inside = _("It began in week {weeks}.", **when)
    elif weeks.period.n_weeks == 1:
        inside = _("All of them began in week {weeks}.", **when)
    else:
        inside = _("All of them began in the weeks {weeks}.", **when)
    told.append(inside)
    if metrics is None:
        told.append(_("No conversation that a customer began is known of these weeks."))
    else:
        told.append(ngettext(
            "What happened is counted over the one conversation that a customer began in them, judged or not.",
            "What happened is counted over all {n} conversations that customers began in them, judged or not.",
            metrics.n_episodes,
        ))  # fmt: skip
    return tuple(told)


def _counted(found: Front, name: str, trusted: Trusted) -> Believed:
    """Of what happened. A judge is in it where only the contact reasons that it gave tell what a return was about."""
    m = found.metrics
    n, of = (0, 0) if m is None else (
        (m.n_issue_judged, m.n_came_back) if name == "recontact" else (m.n_ai_issue_judged, m.n_ai_came_back)
    )  # fmt: skip
    how = _("Counted from what happened. Whether a return is about the same issue is told by orders and tickets that "
            "both name, else by the contact reasons, else by the customer's own words; where none of these tells, both "
            "ends are shown.")  # fmt: skip
    if not n:
        return Believed("counted", _("counted, no judge in it"), how)
    status = trusted.choice("resolution", "contact_reason")
    judged = ngettext("Of {n} of {of} returns the reasons are the judge's ({status}).",
                      "Of {n} of {of} returns the reasons are the judge's ({status}).",
                      n, of=number(of), status=believed(status).short)  # fmt: skip
    short = _("counted; of {n} of {of} returns the judge tells the issue", n=number(n), of=number(of))
    return Believed("counted" if status.calibrated else "part", short, f"{how} {judged}")


def _better(name: str) -> str:
    return _("↓ lower is better") if name in _LOWER else _("↑ higher is better")


def _value(reading: Reading | None, line: Spark | None, name: str = "", shape: str = "circle") -> Value:
    told = count(reading) if reading else ""
    bounded = reading is None or reading.bounded
    return Value(name, shape, value(reading), interval(reading), told, line, _by_week(line), bounded)


def _by_week(line: Spark | None) -> str:
    if line is None:
        return ""
    told = ", ".join(f"{week} {text}" for week, text, _broken in line.rows)
    return _("Week by week: {weeks}", weeks=told)


def _spark(found: Front, name: str) -> Spark | None:
    line = found.trends.get(name, ())
    return spark(line, name) if any(week.reading for week in line) else None


def _happened(found: Front, name: str, trusted: Trusted) -> Card:
    reading = found.readings[name]
    metrics = found.metrics
    notes = []
    waiting = _waiting(found, name)
    if reading is not None and waiting:
        notes.append(
            ngettext("{n} more is still within its 7 days.", "{n} more are still within their 7 days.", waiting)
        )
    if reading is not None and reading.n_unknown:
        notes.append(ngettext("A range, since of {n} return the issue is not known.",
                              "A range, since of {n} returns the issue is not known.",
                              reading.n_unknown))  # fmt: skip
    coverage = metrics.coverage if metrics is not None else None
    if reading is not None and coverage is not None and coverage.rate is not None and coverage.rate < 0.8:
        notes.append(_("A return would be noticed of {n} of {of} closed ones only.",
                       n=number(coverage.n), of=number(coverage.of)))  # fmt: skip
    return Card(
        name, _(NAMES[name]), _(MEANS[name]), _better(name), (_value(reading, _spark(found, name)),), _(_OF[name]),
        "weeks", _counted(found, name, trusted), tuple(notes), "" if reading is not None else _why(found, name),
    )  # fmt: skip


def _waiting(found: Front, name: str) -> int:
    """Of the conversations that a figure is of, those whose windows are not over."""
    if found.metrics is None:
        return 0
    return found.metrics.n_ai_not_yet_known if name == "false_containment" else found.metrics.n_not_yet_known


def _why(found: Front, name: str = "") -> str:
    """Why nothing can be said of returns."""
    metrics = found.metrics
    if found.weeks is None:
        return _("Not known: no conversation of this run has a time.")
    if metrics is None:
        return _("Not known: no conversation that a customer began is known of these weeks.")
    if waiting := _waiting(found, name):
        return ngettext("Not yet known: the 7 days of {n} conversation are not over.",
                        "Not yet known: the 7 days of {n} conversations are not over.",
                        waiting)  # fmt: skip
    if metrics.n_closed and not metrics.n_visible:
        return _("Not known: who the customers are, or when they wrote, is not in the data.")
    return _("Nothing to count: no such conversation in these weeks.")


def _csat(found: Front) -> Card:
    alone, human = found.readings["csat_ai"], found.readings["csat_human"]
    why = ""
    if alone is None and human is None:
        why = _("No ratings in these weeks.") if found.metrics is not None else _why(found)
    return Card(
        "csat", _(NAMES["csat"]), _(_CSAT), _("↑ higher is better"),
        (
            _value(alone, _spark(found, "csat_ai"), _("AI alone"), "circle"),
            _value(human, _spark(found, "csat_human"), _("With a human"), "square"),
        ),
        "", "weeks", Believed("counted", _("counted, no judge in it"), _(
            "As customers rated. Who rates is no random part of them, and what a human takes over is harder than what "
            "the AI closes: the two are not the same work."
        )),
        _apart(alone, human) if not why else (), why,
    )  # fmt: skip


def _apart(alone: Reading | None, human: Reading | None) -> tuple[str, ...]:
    """Whether the two means differ; nothing is claimed that the interval of their difference does not say."""
    found = change(human, alone)
    if found is None or alone is None or human is None:
        return (_("Too few ratings on one side to tell them apart."),)
    if not (alone.bounded and human.bounded):
        return (_("The ratings of one side are all the same: nothing can be told of the difference."),)
    ends = {"low": _signed(found.low), "high": _signed(found.high)}
    if found.low <= 0 <= found.high:
        return (_("No difference is shown: {low} to {high}.", **ends),)
    if found.point < 0:
        return (_("The AI alone is rated lower, by {by} ({low} to {high}).", by=_signed(abs(found.point), ""), **ends),)
    return (_("The AI alone is rated higher, by {by} ({low} to {high}).", by=_signed(found.point, ""), **ends),)


def _signed(x: float, plus: str = "+") -> str:
    text = f"{abs(x):.2f}"
    return numerals(text if float(text) == 0 else f"{plus if x > 0 else '−'}{text}")


def _handoff(found: Front, trusted: Trusted) -> Card:
    name = "handoff_resolved"
    reading = found.readings[name]
    status = of_figure(trusted, name)
    why = ""
    if reading is None:
        if name in unasked(trusted, found.undecided) or not _asked(trusted, name):
            why = _("Not known: the run did not ask the rubrics that it rests on (experience, resolution).")
        else:
            why = _("Not known: no hand-off of this run could be assessed on all that it takes.")
    return Card(
        name, _(NAMES[name]), _(MEANS[name]), _better(name), (_value(reading, _spark(found, name)),), _(_OF[name]),
        "run", believed(status), tuple(_parts(found)) if why else (), why,
    )  # fmt: skip


def _parts(found: Front) -> Iterator[str]:
    """What is known of hand-offs where not all of it is."""
    for part, r in found.handoffs.items():
        yield _("{title}: {share}, {count}.", title=_(QUALITY[part].title), share=value(r), count=count(r))


def _asked(trusted: Trusted, name: str) -> bool:
    rubrics = {j.instrument.rubric for j in trusted.judges}
    return not trusted.judges or set(QUALITY[name].rubrics) <= rubrics


def _critical(found: Front, figures: Figures, trusted: Trusted) -> Card:
    """Any critical defect: corrected for the judge's errors where labels do for that, else as the judge has it."""
    name = "critical_defect"
    raw = rate(figures.headline, lambda h: h.critical)
    line, status = _spark(found, name), trusted.defects(CRITICAL)
    blind = [d.title for d in figures.defects if d.slice == "all" and d.severity == "critical" and not d.n_assessable]
    unread = [_("Not in it, since it could not be assessed anywhere: {titles}.", titles=", ".join(blind))] * bool(blind)
    people = critical_by_people(figures, trusted)
    if people is not None:
        one, corrected = people
        told = numerals(percent(corrected.point))
        shown = Value("", "circle", told, _interval(corrected), number(raw.of), line, _by_week(line))
        notes = [
            _(
                "The judge itself flagged {share}: {count}. Weeks show its own rate.",
                share=numerals(percent(raw.point)),
                count=_count(raw),
            ),
        ]
        if one.carried:
            notes.append(_("Its errors are taken to be as they were in an earlier run."))
        means = _("at least one critical code, as reviewers would find it: corrected by labels")
        return Card(name, _(NAMES[name]), means, _better(name), (shown,), _(_OF[name]), "run", believed(status),
                    (*notes, *unread))  # fmt: skip
    notes = []
    if raw.of:
        notes.append(_("Not corrected: the judge's own errors are in it."))
        if not raw.n:
            notes.append(_("0 is not none: {why}.", why=status.excluded))
    shown = Value(
        "", "circle", numerals(percent(raw.point)), _interval(raw), _count(raw) if raw.of else "", line, _by_week(line)
    )
    why = "" if raw.of else _("Not known: no critical code could be assessed.")
    return Card(name, _(NAMES[name]), _(MEANS[name]), _better(name), (shown,), _(_OF[name]), "run", believed(status),
                (*notes, *unread) if raw.of else (), why)  # fmt: skip


def _interval(found: Figure) -> str:
    if found.low is None or found.high is None:
        return ""
    return _("{low} to {high}", low=numerals(percent(found.low)), high=numerals(percent(found.high)))


def _count(found: Figure) -> str:
    told = _("{n} of {of}", n=number(found.n), of=number(found.of))
    return _("{count}, weighted", count=told) if found.weighted else told


# ── what to fix first ──


def _fix(theme: Theme) -> Fix:
    n, volume, unknown = int(theme.total("n")), theme.total("volume"), int(theme.total("n_hours_unknown"))
    cause = CAUSES.get(theme.cause)
    named = _(cause) if cause is not None else theme.cause.replace("_", " ")
    fix = theme.fix or ""
    step = _(fix)
    told = number(round(volume))
    if abs(volume - n) > 0.5:
        told = _("{volume} ({n} judged)", volume=told, n=number(n))
    hours = number(round(theme.total("hours"), 6), 1)
    if unknown == n:
        hours = _("not known")
    elif unknown:
        hours = _("{hours}, not known of {n}", hours=hours, n=number(unknown))
    return Fix(
        step=step[:1].upper() + step[1:], what=_("{kind}: {cause}", kind=_(KINDS[theme.kind]), cause=named),
        facts=(
            (_("conversations"), told),
            (_("came back, same issue, at least"), _("{n} of {of}", n=number(theme.total("n_came_back")),
                                           of=number(theme.total("n_matured")))),
            (_("hours of humans"), hours),
        ),
        places=tuple(_place(line) for line in theme.lines[:PLACES]),
    )  # fmt: skip


def _place(line: Cause) -> Place:
    reason = line.reason.replace("_", " ") if line.reason else _("reason not known")
    where = _("{reason} in {queue}", reason=reason, queue=line.queue or _("no queue"))
    return Place(f"{where}: {number(round(line.volume))}", line.examples)


# ── trends ──


def _trends(found: Front) -> tuple[Chart, ...]:
    if found.weeks is None or not found.trends:
        return ()
    known = found.weeks.known.last.isoformat()
    lines: Sequence[tuple[str, list[tuple[str, str]]]] = [
        *((name, [(name, "")]) for name in ("ai_resolution", "false_containment", "recontact")),
        ("csat", [("csat_ai", _("AI alone")), ("csat_human", _("With a human"))]),
        *((name, [(name, "")]) for name in ("handoff_resolved", "critical_defect")),
    ]  # fmt: skip
    waits = {"ai_resolution", "false_containment", "recontact"}
    return tuple(
        chart(
            key, _(NAMES[key]), [(name, found.trends[figure]) for figure, name in parts],
            known if key in waits else "",
        )
        for key, parts in lines
    )  # fmt: skip


def _about_trends(weeks: Weeks, found: Front) -> str:
    line = next(iter(found.trends.values()), ())
    if not line:
        return ""
    first = date.fromisoformat(line[0].week)
    span = Period(weeks.period.last, (weeks.period.last - first).days // 7 + 1)
    told = _(
        "Weeks {weeks}. Bars are 95 % intervals; a week with nothing to count has no point.", weeks=named_weeks(span)
    )
    if any(w.reading and w.reading.n_unknown for points in found.trends.values() for w in points):
        told += " " + _("A thick bar has both ends of what is not known, its dot the middle of them.")
    if weeks.known.last < weeks.period.last:
        told += " " + _("Returns are known up to {week}: later windows are not over.", week=weeks.known.name)
    return told
