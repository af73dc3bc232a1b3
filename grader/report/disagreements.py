"""Disagreements as rows for programs and as one page for people: both answers side by side, the transcript below them.

The page needs no script: what is far from any quote is folded, and opens by itself on paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from grader.calibration.disagreements import Disagreement, Disagreements, Group, JudgesQuote, Said
from grader.language import N_, _, day, ngettext
from grader.language import number as written
from grader.model import Conversation, Evidence, JsonValue, Policy, Role
from grader.report.case_view import PROBLEMS, ClauseView, clause
from grader.report.overview import words
from grader.report.render import page_html
from grader.report.transcript import Line, Piece, Quote, Segment, lines

STYLES = ("tokens.css", "transcript.css", "disagreements.css")
BEFORE, AFTER = 3, 2  # messages around a quote that are not folded
FEW = 10  # messages: a conversation of so many is shown whole
LONG, HEAD = 1_600, 900  # characters of a text: a longer one is folded after its head
_JUDGE, _PEOPLE, _UNPROVED = 1, 2, 3  # whose words a mark is
_MARKS = {_JUDGE: "c5", _PEOPLE: "c3", _UNPROVED: "c5 loose"}
_WHOSE = {
    _JUDGE: N_("the judge's quote"), _PEOPLE: N_("the reviewers' quote"),
    _UNPROVED: N_("quoted by the judge, no proof"),
}  # fmt: skip
NOT_VERIFIED = N_("not verified")
_ROLES = {
    "customer": N_("Customer"), "ai": N_("AI"), "human": N_("Human"), "system": N_("System"),
    "unknown": N_("Unknown speaker"),
}  # fmt: skip
_KINDS = {"voice": N_("Voice note"), "image": N_("Image"), "file": N_("File"), "note": N_("Internal note")}
_HOW = {"adjudicated": N_("decided"), "agreed": N_("agreed"), "single": N_("one reviewer")}
# Of a scale, as people read them; an option of a choice is the rubric's own word.
_ANSWERS = {
    "present": N_("present"), "absent": N_("absent"), "not_applicable": N_("not applicable"),
    "cannot_assess": N_("cannot assess"),
}  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """A stretch of text; `kind` is the style of its highlight, "" for none."""

    text: str
    kind: str
    whose: str


@dataclass(frozen=True)
class Text:
    """A text of a message: its head, and the rest where it is long. `open`: a quote stands in the rest."""

    title: str
    data: bool
    blank: bool
    head: tuple[Mark, ...]
    rest: tuple[Mark, ...]
    n_rest: int
    open: bool


@dataclass(frozen=True)
class Entry:
    """A message, an event, or a day, as it is drawn. `role` and `who` are "" for what has no speaker."""

    day: str
    event: str
    number: int | None
    role: str
    who: str
    what: str
    time: str
    texts: tuple[Text, ...]
    tool: bool
    error: bool


@dataclass(frozen=True)
class Stretch:
    """Entries that stand together; the folded ones are far from any quote."""

    folded: bool
    n_messages: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class QuoteView:
    """A quote and the message that it cites, with the place on the page; `problem` is "" where it holds."""

    where: str
    anchor: str
    text: str
    problem: str


@dataclass(frozen=True)
class Person:
    """What one person said beside the answer; of those with nothing to say, several with the same answer."""

    name: str
    decided: bool
    answer: str
    note: str
    quote: QuoteView | None


@dataclass(frozen=True)
class Item:
    """One disagreement. `gone`: the conversation is no longer there to be read."""

    number: int
    id: str
    about: tuple[str, ...]
    judge_answer: str
    people_answer: str
    how: str
    reasoning: str
    quotes: tuple[QuoteView, ...]
    clauses: tuple[ClauseView, ...]
    people: tuple[Person, ...]
    stretches: tuple[Stretch, ...]
    n_messages: int


@dataclass(frozen=True)
class Section:
    """One code in one direction. `n_left_out` are beyond the limit."""

    number: int
    group: Group
    told: str
    share: float  # of the labels, in percent
    definitions: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    n_left_out: int


@dataclass(frozen=True)
class Page:
    """The whole page."""

    run_id: str
    plan_id: str
    splits: str
    opened_test: bool
    judges: tuple[str, ...]
    offline: bool
    counts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]


def rows(
    found: Disagreements, conversations: Mapping[str, Conversation], limit: int | None = None
) -> Iterator[dict[str, JsonValue]]:
    """A row a disagreement, group by group, at most `limit` of each, with the transcript."""
    for group in found.groups:
        for item in group.items[:limit]:
            yield _row(group, item, conversations.get(item.conversation_id))


def _row(group: Group, item: Disagreement, conversation: Conversation | None) -> dict[str, Any]:
    return {
        "code": item.code, "direction": item.direction.name, "conversation_id": item.conversation_id,
        "title": group.title, "severity": group.severity or None, "rubric_version": item.rubric_version,
        "split": item.split, "queue": item.queue, "reason": item.reason, "channel": item.channel,
        "language": item.language, "started_at": item.started_at.isoformat() if item.started_at else None,
        "judge": {
            "answer": item.judge_answer, "support": item.support, "reasoning": item.reasoning,
            "quotes": [asdict(q) for q in item.quotes if q.message],
            "clauses": [{"text": q.text, "verified": q.verified} for q in item.clauses],
        },
        "people": {"answer": item.people_answer, "how": item.how, "said": [asdict(s) for s in item.said]},
        "transcript": None if conversation is None else [
            {"number": n, **m.model_dump(mode="json", exclude_defaults=True), "role": m.role.value, "text": m.text}
            for n, m in enumerate(conversation.messages, 1)
        ],
    }  # fmt: skip


def page(
    found: Disagreements, conversations: Mapping[str, Conversation], policies: Sequence[Policy] = (),
    limit: int | None = None,
) -> Page:  # fmt: skip
    """The page of these disagreements, at most `limit` of each code and direction."""
    number = 0
    sections = []
    for n, group in enumerate(found.groups, 1):
        shown = []
        for one in group.items[:limit]:
            number += 1
            shown.append(_item(number, one, conversations.get(one.conversation_id), policies))
        sections.append(Section(
            n, group, told(group), 100 * len(group.items) / group.n_labels, _definitions(group), tuple(shown),
            len(group.items) - len(shown),
        ))  # fmt: skip
    return Page(
        run_id=found.run_id, plan_id=found.plan.plan_id, splits=", ".join(found.splits),
        opened_test="test" in found.splits, judges=tuple(i.name for i in found.instruments.values()),
        offline=any(i.judge == "signals" for i in found.instruments.values()),
        counts=(
            (_("labels held against a verdict"), written(found.n_compared)),
            (_("the same"), written(found.total("n_same"))), (_("differ"), written(found.total("n_differ"))),
            (_("conversations with any"), written(len({i.conversation_id for i in found.items}))),
        ),
        notes=apart(found), sections=tuple(sections),
    )  # fmt: skip


def html(found: Page) -> str:
    """The page as one HTML file without any script."""
    return page_html("disagreements.html", STYLES, page=found, words=words, answer=answer_words)


def told(group: Group) -> str:
    """The direction as people read it: `missed`, `resolved instead of partly`."""
    if group.pair is None:
        return _(group.direction.title)
    judge, people = map(answer_words, group.pair)
    return _("{judge} instead of {people}", judge=judge, people=people)


def apart(found: Disagreements) -> tuple[str, ...]:
    """What is no disagreement and no agreement, a sentence each."""
    states = {
        "pending": _("not judged yet"), "absent": _("not of this run"), "gone": _("no longer there"),
        "changed": _("changed since they were judged or labelled"),
    }  # fmt: skip
    told_ = [f"{written(n)} {states.get(state, state)}" for state, n in found.not_judged.items()]
    notes = []
    if told_:
        notes.append(ngettext(
            "{n} label could not be held: {states}.", "{n} labels could not be held: {states}.",
            sum(found.not_judged.values()), states=", ".join(told_),
        ))  # fmt: skip
    if n := found.total("n_open"):
        notes.append(ngettext(
            "{n} label wait for somebody to decide between reviewers: grader label adjudicate.",
            "{n} labels wait for somebody to decide between reviewers: grader label adjudicate.", n,
        ))  # fmt: skip
    if n := found.total("n_people_cannot"):
        notes.append(ngettext(
            "{n} label of people who could not assess it say nothing of the judge.",
            "{n} labels of people who could not assess it say nothing of the judge.", n,
        ))  # fmt: skip
    if undecided := [f"{c.code} ({c.n_undecided})" for c in found.codes if c.n_undecided]:
        notes.append(_("The judge could assess none of the labels of {codes}.", codes=", ".join(undecided)))
    if found.not_asked:
        notes.append(_("The run does not ask {codes}.", codes=", ".join(found.not_asked)))
    return tuple(notes)


def answer_words(answer: str) -> str:
    """An answer as people read it."""
    return _(_ANSWERS[answer]) if answer in _ANSWERS else answer.replace("_", " ")


def _definitions(group: Group) -> tuple[tuple[str, str], ...]:
    c = group.criterion
    if c.scale == "choice":
        return tuple((answer_words(option), meaning) for option, meaning in (c.options or {}).items())
    pairs = ((_("present"), c.present), (_("absent"), c.absent), (_("not applicable"), c.not_applicable))
    return tuple((name, text) for name, text in pairs if text)


def _item(number: int, one: Disagreement, conversation: Conversation | None, policies: Sequence[Policy]) -> Item:
    began = conversation.happened_at if conversation else one.started_at
    about = (
        _("queue {name}", name=one.queue) if one.queue else "", words(one.reason) if one.reason else "",
        one.channel or "", one.language or "", f"{day(began)}, {began:%H:%M}" if began else "",
        _("{name} split", name=one.split),
    )  # fmt: skip
    n_messages = len(conversation.messages) if conversation else 0
    quotes = tuple(_quote(number, q, n_messages) for q in one.quotes if q.message or not q.verified)
    in_force = sorted(policies, key=lambda p: not p.in_force(one.queue, began.date() if began else None))
    clauses = tuple(
        clause(Evidence(message=q.message, quote=q.text, verified=True), in_force) for q in one.clauses if q.verified
    )
    stretches = _stretches(conversation, one) if conversation else ()
    return Item(
        number, one.conversation_id, tuple(a for a in about if a), one.judge_answer, one.people_answer,
        _(_HOW[one.how]), one.reasoning or "", quotes, clauses,
        _people(number, one.said, n_messages), stretches, n_messages,
    )  # fmt: skip


def _quote(number: int, q: JudgesQuote, n_messages: int) -> QuoteView:
    found = PROBLEMS.get(q.problem or "", NOT_VERIFIED)
    problem = "" if q.verified else _(found)
    return _cited(number, q.message, q.text, problem, n_messages)


def _cited(number: int, message: int, text: str, problem: str, n_messages: int) -> QuoteView:
    anchor = f"i{number}m{message}" if 1 <= message <= n_messages else ""
    where = _("message {n}", n=message) if message else _("policy")
    return QuoteView(where, anchor, text, problem)


def _people(number: int, said: Sequence[Said], n_messages: int) -> tuple[Person, ...]:
    found = [_person(number, s, n_messages) for s in said if s.note or s.quote or s.message]
    silent: dict[tuple[bool, str], list[str]] = {}
    for s in said:
        if not (s.note or s.quote or s.message):
            silent.setdefault((s.role == "adjudicator", s.answer), []).append(s.reviewer)
    found += [Person(", ".join(names), decided, answer, "", None) for (decided, answer), names in silent.items()]
    return tuple(sorted(found, key=lambda p: not p.decided))


def _person(number: int, s: Said, n_messages: int) -> Person:
    quote = _cited(number, s.message or 0, s.quote or "", "", n_messages) if s.quote or s.message else None
    if quote and not s.message:
        quote = replace(quote, where="")
    return Person(s.reviewer, s.role == "adjudicator", s.answer, s.note or "", quote)


def _stretches(conversation: Conversation, one: Disagreement) -> tuple[Stretch, ...]:
    """The transcript, with what is far from any quote folded."""
    quotes = [
        Quote(_JUDGE if q.verified else _UNPROVED, q.message, q.text) for q in one.quotes if q.message
    ] + [Quote(_PEOPLE, s.message, s.quote) for s in one.said if s.message and s.quote]  # fmt: skip
    entries = [_entry(line) for line in lines(conversation, quotes)]
    anchors = {q.message for q in one.quotes} | {s.message for s in one.said if s.message}
    near = _near(len(conversation.messages), anchors)
    place, shown = 0, []
    for entry in entries:
        place = entry.number or place
        shown.append((max(place, 1) in near, entry))
    found = []
    for is_near, group in groupby(shown, key=lambda pair: pair[0]):
        kept = tuple(entry for _, entry in group)
        n = sum(entry.number is not None for entry in kept)
        found.append(Stretch(not is_near and n > 1, n, kept))
    return tuple(found)


def _near(n_messages: int, anchors: set[int]) -> set[int]:
    every = set(range(1, n_messages + 1))
    around = {n for a in anchors & every for n in range(a - BEFORE, a + AFTER + 1)}
    if n_messages <= FEW:
        return every
    return around & every or {n for n in every if n <= FEW // 2 or n > n_messages - FEW // 2}


def _entry(line: Line) -> Entry:
    texts = tuple(_text(piece) for piece in line.pieces)
    tool = bool(texts) and all(t.data for t in texts)
    what = (_("Call") if line.kind == "tool_call" else _("Error") if line.error else _("Result")) if tool else ""
    role = line.role if line.role in _ROLES else Role.UNKNOWN.value
    if line.kind == "note":
        role += " note"
    return Entry(
        line.day, line.event, line.number, role, _(_ROLES[line.role]) if line.role in _ROLES else words(line.role),
        what or (_(_KINDS[line.kind]) if line.kind in _KINDS else ""), line.time, texts, tool, line.error,
    )  # fmt: skip


def _text(piece: Piece) -> Text:
    head, rest = _cut(piece.segments, HEAD if piece.n_chars > LONG else piece.n_chars)
    return Text(
        piece.title, piece.data, not piece.n_chars, _marks(head), _marks(rest), sum(len(s.text) for s in rest),
        any(s.findings for s in rest),
    )  # fmt: skip


def _cut(segments: Sequence[Segment], at: int) -> tuple[list[Segment], list[Segment]]:
    """The segments before and after this character."""
    head, rest = [], []
    for s in segments:
        inside = max(0, min(len(s.text), at))
        at -= len(s.text)
        head += [replace(s, text=s.text[:inside])] if inside else []
        rest += [replace(s, text=s.text[inside:])] if inside < len(s.text) else []
    return head, rest


def _marks(segments: Sequence[Segment]) -> tuple[Mark, ...]:
    found = []
    for s in segments:
        kinds = sorted(set(s.findings))
        whose = _(" and ").join(_(_WHOSE[k]) for k in kinds)
        kind = "c1" if _PEOPLE in kinds and len(kinds) > 1 else _MARKS[kinds[0]] if kinds else ""
        found.append(Mark(s.text, kind, whose))
    return tuple(found)
