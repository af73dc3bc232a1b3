"""A report without personal data: conversations, verdicts and figures are masked before anything is made of them.

One `Masker` a report. It meets all conversations first (`learn`), so that ids and queues are the same everywhere.
Within a conversation the same value has the same mark, and quotes are taken from the masked text where they stand, so
that they are still found in it. Nothing that comes after needs to know that something was masked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil
from typing import Any, TypeVar

from grader.evidence import POLICY, locate, written
from grader.language import N_, _
from grader.model import Contact, Conversation, Event, Evidence, Kind, Message, Policy, Reference, Role, ToolCall
from grader.outcomes import Case, Figures, Followup, Found, Missing, Ranked, Reader, Return, conversation_ids
from grader.outcomes.front import Front
from grader.redaction import (
    Redaction,
    Span,
    colleagues,
    hailed,
    introduced,
    longer,
    masked,
    moved,
    signed,
    spoken_of,
    tax_numbers,
    thanked,
    told,
    told_in,
)  # fmt: skip
from grader.report.renamed import FIELDS, Renamed, short
from grader.report.transcript import LENGTHS, sender

_KINDS = {
    "email": N_("email"), "phone": N_("phone"), "card": N_("card"), "document": N_("document"), "link": N_("link"),
    "address": N_("address"), "postcode": N_("postcode"), "birth date": N_("birth date"), "handle": N_("handle"),
    "name": N_("name"),
}  # fmt: skip
_LITERAL = {"phone", "email", "whatsapp_id", "cpf", "whatsapp"}  # identities that are a value of their own
_AT_ONCE = 200
_READS = 50  # at most so many batches: each one goes through all messages that there are
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Masks:
    """What is masked: personal data (`redact`), who the people are that work there (`anonymous_agents`)."""

    redact: bool = False
    anonymous_agents: bool = False

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return self.redact or self.anonymous_agents

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of it."""
        found = []
        if self.redact:
            found.append(_(
                "Personal data was masked by rules. Names and addresses in free text may remain: read it before you "
                "pass it on."
            ))  # fmt: skip
        if self.anonymous_agents:
            found.append(_(
                "People who answered are called Agent 1, Agent 2 …, counted anew in each conversation, as far as rules "
                "find their names. Some may remain in free text: read it before you pass it on."
            ))  # fmt: skip
        return tuple(found)


class Masker:
    """Masks the records of one report. Ids of conversations that hold personal data become `conversation-1` and so on,
    queues, channels, languages and reasons `queue-1`, the same in the whole report.
    """

    def __init__(self, masks: Masks) -> None:
        self.masks = masks
        self._rules = Redaction(_label, personal=masks.redact)
        self._names = Renamed(self._rules)

    def learn(self, reader: Reader, run_id: str) -> None:
        """Meet all conversations of the run. What is written before has only its own conversation and the rules."""
        if not self.masks.any:
            return
        ids = conversation_ids(reader, run_id)
        self._meet(reader, ids, max(_AT_ONCE, ceil(len(ids) / _READS)))
        self._names.settle()

    def id(self, conversation_id: str) -> str:
        """The id as it is written. Without its conversation only the rules tell."""
        return self._names.of("conversation", conversation_id) if self.masks.any else conversation_id

    def cases(self, reader: Reader, cases: Sequence[Case]) -> Sequence[Case]:
        """The cases as they are, after the conversations that they name were met: those need not be of the run."""
        if self.masks.any:
            self._learn(reader, (i for case in cases for i in _beside(case.followup)))
        return cases

    def case(self, case: Case) -> Case:
        """The case with everything in it masked."""
        if not self.masks.any:
            return case
        talk = self._talk(case.conversation, [case.followup.csat_comment or ""])
        return replace(
            case, conversation=talk.conversation, verdicts=tuple(map(talk.found, case.verdicts)),
            missing=tuple(talk.missing(m) for m in case.missing),
            followup=self._followup(case.followup, talk.redaction), people=(),
        )  # fmt: skip

    def verdicts(self, reader: Reader, verdicts: Iterable[Found]) -> Iterator[Found]:
        """Verdicts that come without their conversations, masked by what these tell."""
        if not self.masks.any:
            yield from verdicts
            return
        for batch in _batches(verdicts, _AT_ONCE * 10):
            ids = list(dict.fromkeys(v.conversation_id for v in batch))
            talks: dict[str, _Talk] = {}
            for some in _batches(ids, _AT_ONCE):
                talks |= {c.conversation_id: self._talk(c) for c in reader.conversations(some)}
            for verdict in batch:
                talk = talks.get(verdict.conversation_id) or self._talk(_unknown(verdict.conversation_id))
                yield talk.found(verdict)

    def missing(self, missing: Sequence[Missing]) -> tuple[Missing, ...]:
        """The same of what could not be judged."""
        if not self.masks.any:
            return tuple(missing)
        return tuple(
            replace(m, conversation_id=self.id(m.conversation_id), detail=self._rules(m.detail or "") or None)
            for m in missing
        )

    def rows(self, ranked: Sequence[Ranked]) -> tuple[Ranked, ...]:
        """What a list shows beside the conversations, under their ids as they are."""
        return tuple(map(self._named, ranked)) if self.masks.any else tuple(ranked)

    def policies(self, policies: Sequence[Policy]) -> tuple[Policy, ...]:
        """Policies as they are, in force for the queues as these are written."""
        if not self.masks.any:
            return tuple(policies)
        return tuple(
            p.model_copy(update={"queues": tuple(self._short("queue", q) or "" for q in p.queues)}) for p in policies
        )

    def figures(self, reader: Reader, figures: Figures) -> Figures:
        """The figures with queues and the ids of their examples as they are written, and what a command line may tell
        masked.
        """
        if not self.masks.any:
            return figures
        self._learn(reader, [i for c in figures.choices for i in c.examples])
        self._learn(reader, [i for u in figures.unjudged for i in u.examples])
        about = figures.about
        return replace(
            figures,
            about=replace(
                about, selection=self._names.inside(about.selection),
                command=about.command and self._names.text(about.command),
            ),
            layers=tuple(replace(x, name=x.name and self._names.text(x.name)) for x in figures.layers),
            headlines=tuple(map(self._named, figures.headlines)),
            recontacts=tuple(map(self._named, figures.recontacts)),
            defects=tuple(map(self._named, figures.defects)),
            choices=tuple(
                replace(
                    self._named(c), examples=tuple(map(self.id, c.examples)),
                    reasons=tuple((self._short("reason", reason) or "", n) for reason, n in c.reasons),
                )
                for c in figures.choices
            ),
            unjudged=tuple(
                replace(u, detail=u.detail and self._rules(u.detail), examples=tuple(map(self.id, u.examples)))
                for u in figures.unjudged
            ),
        )  # fmt: skip

    def front(self, reader: Reader, front: Front) -> Front:
        """The front page with queues and the ids of its examples as they are written."""
        if not self.masks.any:
            return front
        self._learn(reader, [i for theme in front.fixes for line in theme.lines for i in line.examples])
        return replace(front, fixes=tuple(
            replace(theme, lines=tuple(
                replace(self._named(line), examples=tuple(map(self.id, line.examples))) for line in theme.lines
            ))
            for theme in front.fixes
        ))  # fmt: skip

    def _learn(self, reader: Reader, ids: Iterable[str]) -> None:
        """How these are written: by what their conversations tell."""
        self._meet(reader, [i for i in dict.fromkeys(ids) if not self._names.known("conversation", i)], _AT_ONCE * 10)

    def _meet(self, reader: Reader, ids: Iterable[str], at_once: int) -> None:
        for some in _batches(ids, at_once):
            for conversation in reader.conversations(some):
                self._names.meet(conversation, _learnt(conversation, self.masks))

    def _named(self, record: _R) -> _R:
        """The record with its short fields as they are called."""
        fields = [name for name in FIELDS if getattr(record, name, None)]
        return replace(record, **{name: self._short(name, getattr(record, name)) for name in fields})  # type: ignore[type-var]

    def _short(self, kind: str, value: str | None, redaction: Redaction | None = None) -> str | None:
        return self._names.of(kind, value, redaction) if value else value

    def _talk(self, conversation: Conversation, besides: Iterable[str] = ()) -> _Talk:
        redaction = _learnt(conversation, self.masks, besides)
        self._names.of("conversation", conversation.conversation_id, redaction, known=True)
        return _Talk(self, conversation, redaction)

    def _followup(self, followup: Followup, redaction: Redaction) -> Followup:
        def other(back: Return) -> Return:
            shared = tuple((short(kind, redaction), redaction(value)) for kind, value in back.shared)
            return replace(back, id=self.id(back.id), shared=shared)

        return replace(
            followup, conversation_id=self.id(followup.conversation_id),
            next_id=self.id(followup.next_id) if followup.next_id else None,
            csat_comment=redaction(followup.csat_comment) if followup.csat_comment else followup.csat_comment,
            returns=tuple(map(other, followup.returns)), before=tuple(map(other, followup.before)),
        )  # fmt: skip


class _Talk:
    """One conversation as it was and masked, so that quotes can be carried from one to the other."""

    def __init__(self, masker: Masker, conversation: Conversation, redaction: Redaction) -> None:
        self._masker = masker
        self.redaction = redaction
        self._passages: dict[int, list[tuple[str, list[Span]]]] = {}
        messages = tuple(self._message(number, m) for number, m in enumerate(conversation.messages, 1))
        self.conversation = conversation.model_copy(update={
            "conversation_id": masker.id(conversation.conversation_id),
            **{name: masker._short(name, getattr(conversation, name), redaction) for name in FIELDS},
            "contact": Contact(name=redaction(conversation.contact.name) if conversation.contact.name else None),
            "references": tuple(
                Reference(kind=short(r.kind, redaction), value=redaction(r.value)) for r in conversation.references
            ),
            "messages": messages,
            "events": tuple(self._event(e) for e in conversation.events),
            "attributes": {},
        })  # fmt: skip

    def found(self, verdict: Found) -> Found:
        """The verdict with its reasoning and quotes masked."""
        return replace(
            self._masker._named(verdict), conversation_id=self._masker.id(verdict.conversation_id),
            stratum=verdict.stratum and self._masker._names.text(verdict.stratum),
            reasoning=self.redaction(verdict.reasoning) if verdict.reasoning else verdict.reasoning,
            evidence=tuple(e if e.message == POLICY and e.verified else self._quote(e) for e in verdict.evidence),
        )  # fmt: skip

    def missing(self, missing: Missing) -> Missing:
        """The judgement that is not there, masked."""
        detail = self.redaction(missing.detail) if missing.detail else missing.detail
        return replace(missing, conversation_id=self._masker.id(missing.conversation_id), detail=detail)

    def _quote(self, evidence: Evidence) -> Evidence:
        for text, spans in self._passages.get(evidence.message, ()):
            if there := locate(text, evidence.quote):
                start, end = moved(there, spans)
                return evidence.model_copy(update={"quote": masked(text, spans)[start:end]})
        return evidence.model_copy(update={"quote": self.redaction(evidence.quote)})

    def _passage(self, number: int, text: str) -> str:
        spans = self.redaction.spans(text)
        if _is_json(text):
            spans = [_in_json(text, span) for span in spans]
        self._passages.setdefault(number, []).append((text, spans))
        return masked(text, spans)

    def _message(self, number: int, message: Message) -> Message:
        text = self._passage(number, message.text) if message.text else message.text
        name = sender(message) if message.role is not Role.TOOL else short(message.name or "", self.redaction)
        return message.model_copy(update={
            "text": text,
            "tool_calls": tuple(self._call(number, c) for c in message.tool_calls),
            "name": (name if message.role is Role.TOOL else self.redaction(name)) or None,
            "attributes": {key: value for key, value in message.attributes.items() if key in LENGTHS},
        })  # fmt: skip

    def _call(self, number: int, call: ToolCall) -> ToolCall:
        whole, name = written(call), short(call.name, self.redaction)
        arguments = self._passage(number, whole[len(call.name) :].lstrip()) if len(whole) > len(call.name) else ""
        if isinstance(call.arguments, str):
            return call.model_copy(update={"name": name, "arguments": arguments})
        try:
            told_so = json.loads(arguments) if arguments else call.arguments
        except ValueError:  # a mark went over the end of a text
            told_so = _inside(call.arguments, self.redaction)
        return call.model_copy(update={"name": name, "arguments": told_so})

    def _event(self, event: Event) -> Event:
        return event.model_copy(update={
            "kind": short(event.kind, self.redaction), "note": self.redaction(event.note) if event.note else event.note,
        })  # fmt: skip


def _batches(items: Iterable[_T], n: int) -> Iterator[list[_T]]:
    left = iter(items)
    while some := list(islice(left, n)):
        yield some


def _label(kind: str, n: int) -> str:
    if kind == "agent":
        return _("Agent {n}", n=n)
    return f"[{_(_KINDS[kind]) if kind in _KINDS else kind} {n}]"


def _beside(followup: Followup) -> Iterator[str]:
    """The conversations that this one came before and after."""
    yield from (back.id for back in (*followup.returns, *followup.before))
    if followup.next_id:
        yield followup.next_id


def _unknown(conversation_id: str) -> Conversation:
    return Conversation(conversation_id=conversation_id, messages=())


def _learnt(conversation: Conversation, masks: Masks, besides: Iterable[str] = ()) -> Redaction:
    """What is known of the people in the conversation, before anything in it is masked."""
    redaction = Redaction(_label, personal=masks.redact)
    agents = "agent" if masks.anonymous_agents else "name"
    answered = False
    personas = {word for m in conversation.messages if m.role is Role.AI for word in sender(m).casefold().split()}
    for message in conversation.messages:
        if message.role is Role.CUSTOMER and answered:
            for name in thanked(message.text):
                if not set(name.casefold().split()) <= personas:  # the AI is nobody
                    redaction.know(agents, name)
        if message.role is Role.HUMAN:
            answered = True
            said = () if message.kind is Kind.NOTE else (*introduced(message.text), *signed(message.text))
            for name in (sender(message), *said, *colleagues(message.text)):
                redaction.know(agents, name)
            if masks.anonymous_agents:
                for value in _agents_own(message.attributes):
                    redaction.know(agents, value)
    if not masks.redact:
        return redaction
    if conversation.contact.name:
        redaction.know("name", conversation.contact.name)
    for identity in conversation.contact.identities:
        if identity.kind in _LITERAL:
            redaction.know(identity.kind if identity.kind in ("phone", "email") else "phone", identity.value)
    for message in conversation.messages:
        for kind, value in (*told_in(message.text), *(t for c in message.tool_calls for t in told(c.arguments))):
            redaction.know(kind, value)
        if message.role in (Role.CUSTOMER, Role.UNKNOWN):
            for name in introduced(message.text):
                redaction.know("name", name)
        elif message.role in (Role.AI, Role.HUMAN):
            for name in hailed(message.text):
                redaction.know("name", name)
    for text in besides:
        for name in introduced(text):
            redaction.know("name", name)
    _of_others(conversation, redaction)
    return redaction


def _of_others(conversation: Conversation, redaction: Redaction) -> None:
    """Who is spoken of, and whose number it is, in words and in what tools are told and tell."""
    texts = [t for m in conversation.messages for t in _texts(_read(m.text))]
    texts += [t for m in conversation.messages for c in m.tool_calls for t in _texts(c.arguments)]
    for text in texts:
        for name in spoken_of(text):
            redaction.know("name", name)
    for name in longer(texts, redaction.names()):
        redaction.know("name", name)
    for number in tax_numbers(texts):
        redaction.know("document", number)


def _read(text: str) -> Any:
    return json.loads(text) if _is_json(text) else text


def _texts(value: Any) -> Iterator[str]:
    """All texts in a tool's data, however deep they are."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            left += reversed(list(one.values()) if isinstance(one, dict) else one)
        elif isinstance(one, str) and one:
            yield one


def _agents_own(attributes: Mapping[str, Any]) -> Iterator[str]:
    """E-mail addresses of whoever wrote, as sources keep them beside a message."""
    for key in ("author", "sender", "user", "agent"):
        if isinstance(given := attributes.get(key), dict) and isinstance(email := given.get("email"), str):
            yield email
    for key in ("author_email", "agent_email"):
        if isinstance(email := attributes.get(key), str):
            yield email


def _inside(value: Any, redaction: Redaction) -> Any:
    """The same JSON with every text and number in it masked."""
    if isinstance(value, dict):
        return {key: _inside(inner, redaction) for key, inner in value.items()}
    if isinstance(value, list):
        return [_inside(inner, redaction) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    text = redaction(str(value))
    return value if text == str(value) else text


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _in_json(text: str, span: Span) -> Span:
    """A mark that takes the place of a bare number is a text there: else it would be no JSON any more."""
    start, end, mark = span
    quotes = text.count('"', 0, start) - text.count('\\"', 0, start)
    return span if quotes % 2 else (start, end, json.dumps(mark, ensure_ascii=False))
