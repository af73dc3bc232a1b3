"""A conversation as the detectors see it: who said what in words, what each tool was asked and answered, and when a
human took over. Built once per case; every detector is a pure function of it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Protocol

from grader.evidence import Transcript
from grader.judge.signals import lexicon
from grader.judge.signals.amounts import Amount, money, numbers_in
from grader.judge.signals.language import Language, language_of
from grader.judge.signals.times import FIRST_YEAR, LAST_YEAR, Mention, mentions
from grader.judge.signals.tools import Use, uses_of
from grader.judge.signals.words import Words, read
from grader.model import Conversation, Kind, Policy, Role

_FEW_WORDS = 30  # too few to tell a language by


@dataclass(frozen=True)
class Said:
    """A message with words for the customer, or of the customer's."""

    number: int
    role: Role
    kind: Kind
    words: Words

    @cached_property
    def times(self) -> list[Mention]:
        """The dates, weekdays and lengths that it names."""
        return mentions(self.words)

    @cached_property
    def numbers(self) -> frozenset[float]:
        """All numbers that it names."""
        return frozenset(numbers_in(self.words.text))

    @cached_property
    def sums(self) -> list[Amount]:
        """The sums of money that it names."""
        return money(self.words)


@dataclass(frozen=True, slots=True)
class Quote:
    """What is offered as evidence."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """A detector's answer. `why` is one sentence; `clause` the policy's own words, where a rule is broken."""

    answer: str
    why: str
    quotes: tuple[Quote, ...] = ()
    clause: str | None = None


class Span(Protocol):
    """Words `first` to `last` of a sentence: a hit, a mention, a question."""

    @property
    def sentence(self) -> int:
        """The sentence's number in its text."""
        ...

    @property
    def first(self) -> int:
        """The first word."""
        ...

    @property
    def last(self) -> int:
        """The word after the last."""
        ...


def quote(said: Said, at: Span) -> Quote:
    """The sentence of what was found, or the part of it that holds it."""
    return Quote(said.number, said.words.quote(at.sentence, at.first, at.last))


def present(why: str, said: Said, at: Span, *more: Quote, clause: str | None = None) -> Ruling:
    """A defect that was found at these words."""
    return Ruling("present", why, (quote(said, at), *more), clause)


@dataclass(frozen=True, slots=True)
class Rules:
    """A policy's text as words, with the times it names. The same for every conversation, so it is kept."""

    words: Words
    times: tuple[Mention, ...]
    numbers: frozenset[float]


@lru_cache(maxsize=256)
def rules_of(text: str) -> Rules:
    """A policy read, tagged with what its clauses are about."""
    words = read(text, lexicon.POLICY)
    return Rules(words, tuple(mentions(words)), frozenset(numbers_in(text)))


def announces(said: Said) -> bool:
    """The assistant says that it hands over; an offer, or that it cannot, is something else."""
    words = said.words
    return any(
        not words.sentences[hit.sentence].asks and not words.within(hit.sentence, "offers", "negates")
        for hit in words.of("announces")
    )


class View:
    """One case, digested. All lists are in the order of the conversation."""

    def __init__(self, conversation: Conversation, policies: tuple[Policy, ...]) -> None:
        self.conversation = conversation
        self.policies = policies
        self.transcript = Transcript(conversation.messages, policies)
        self.said: list[Said] = []
        for number, message in enumerate(conversation.messages, 1):
            if message.text and message.kind not in (Kind.TOOL_RESULT, Kind.NOTE, Kind.EVENT):
                phrases = lexicon.CUSTOMER if message.role is Role.CUSTOMER else lexicon.AGENT
                if message.role in (Role.CUSTOMER, Role.AI, Role.HUMAN):
                    self.said.append(Said(number, message.role, message.kind, read(message.text, phrases)))
        self.customer = [s for s in self.said if s.role is Role.CUSTOMER]
        self.ai = [s for s in self.said if s.role is Role.AI]
        self.human = [s for s in self.said if s.role is Role.HUMAN]
        self.uses = list(uses_of(conversation.messages))

    @cached_property
    def rules(self) -> tuple[Rules, ...]:
        """The policies in force, read."""
        return tuple(rules_of(policy.text) for policy in self.policies)

    @cached_property
    def ai_alone(self) -> list[Said]:
        """The AI's words before a human spoke: after that, it may know from them."""
        return [s for s in self.ai if not self.human or s.number < self.human[0].number]

    @cached_property
    def handed_over(self) -> int | None:
        """The number of the last message before a human took over: a hand-off that went through, an event that says
        so, or the first human words. None when no human was brought in.
        """
        found = [use.number for use in self.uses if use.purpose == "transfer" and not use.failed]
        found += [e.after for e in self.conversation.events if e.kind == "handoff"]
        found += [s.number - 1 for s in self.human[:1]]
        if not self.conversation.has_tools:  # no call can be seen: what the AI says of it must do
            found += [s.number for s in self.ai if announces(s)][:1]
        return min(found, default=None)

    @cached_property
    def transfer(self) -> Use | None:
        """The call by which a human was brought in, where one is recorded."""
        return next((use for use in self.uses if use.purpose == "transfer" and not use.failed), None)

    @cached_property
    def tickets(self) -> list[Use]:
        """Calls that leave the case with people."""
        return [use for use in self.uses if use.purpose == "ticket" and not use.failed]

    @cached_property
    def language(self) -> Language | None:
        """The language in which most is said; None when it is none that is read here, or when little is said."""
        return language_of(s.words for s in self.said)

    @cached_property
    def readable(self) -> bool:
        """Whether the words are in languages that the detectors know; a handful of words passes."""
        count = sum(len(s.words.tokens) for s in self.said)
        return self.language is not None or count < _FEW_WORDS

    @cached_property
    def day(self) -> date | None:
        """The day on which the conversation began, by its own clock."""
        return _plausible(self.conversation.happened_at)

    def day_of(self, number: int) -> date | None:
        """The day of a message, by its own clock."""
        return _plausible(self.conversation.messages[number - 1].at) or self.day

    def shown_before(self, number: int) -> list[Use]:
        """Tool uses whose result came before this message."""
        return [use for use in self.uses if use.result_number is not None and use.result_number < number]

    def said_before(self, said: Said) -> list[Said]:
        """All words before these, whoever's."""
        return self.said[: bisect_left(self.said, said.number, key=lambda s: s.number)]

    def customer_before(self, number: int) -> list[Said]:
        """The customer's words before this message."""
        return self.customer[: bisect_left(self.customer, number, key=lambda s: s.number)]

    def ai_before(self, use: Use) -> list[Said]:
        """The AI's words before the customer's last ones before this call."""
        answer = self.customer_before(use.number)[-1:]
        return self.ai[: bisect_left(self.ai, answer[0].number if answer else 0, key=lambda s: s.number)]

    def turn_before(self, said: Said) -> list[Said]:
        """What the customer wrote between the AI's last words and these."""
        i = bisect_left(self.ai, said.number, key=lambda s: s.number)
        since = self.ai[i - 1].number if i else 0
        before = self.customer_before(said.number)
        return before[bisect_left(before, since, key=lambda s: s.number) :]

    def photos_before(self, number: int) -> list[int]:
        """Numbers of the images that the customer had sent before this message."""
        return [
            n for n, m in enumerate(self.conversation.messages[: number - 1], 1)
            if m.role is Role.CUSTOMER and m.kind is Kind.IMAGE
        ]  # fmt: skip


def _plausible(at: datetime | None) -> date | None:
    """The day, unless days cannot be counted from it: some sources write year 1 or 9999 for unknown."""
    return at.date() if at and FIRST_YEAR <= at.year <= LAST_YEAR else None
