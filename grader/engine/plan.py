"""What a run will do: which conversations, which rubrics, which of it is there already, and about what it will cost.

Nothing is called and nothing is written here. Texts are read for a few conversations only, to estimate the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from functools import cached_property
from itertools import groupby, islice

from grader.errors import InputError
from grader.judge import Case, Judge, Question
from grader.model import Conversation, Policy, digest
from grader.rubric import Rubric, applicable
from grader.sampling import Draw, simple_random
from grader.store import Member, RunItem, Store

PLANNED_AT_ONCE = 500  # conversations looked up at a time
MEASURED = 24  # conversations whose prompts are rendered for the estimate
# English, Portuguese and Spanish JSON run from 3 to 4.5 characters a token in the tokenizers of the common models; one
# criterion's reply (reasoning, quotes, answer) from 45 tokens (absent) to 160 (present, with quotes).
CHARS_PER_TOKEN = (4.5, 3.0)
REPLY_TOKENS_PER_CODE = (45, 160)


@dataclass(frozen=True, slots=True)
class Planned:
    """One drawn conversation, without its text: what is known of it, and which calls it needs.

    `keys` has one verdict key per repeat and rubric, those of a repeat one after the other; `calls` the keys (by index)
    of each call, which are of one repeat. A run holds all of these at once, so they are small and share what they can.
    """

    conversation_id: str
    inclusion_probability: float
    stratum: str | None
    content_hash: str
    policy_hash: str | None
    keys: tuple[str, ...]
    calls: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Work:
    """One call to be made: a conversation, the rubrics (by index in the plan) that it answers, in their order with its
    verdict keys, and which repeat it is.
    """

    planned: Planned
    rubrics: tuple[int, ...]
    keys: tuple[str, ...]
    repeat: int

    @property
    def conversation_id(self) -> str:
        """The conversation that is judged."""
        return self.planned.conversation_id


@dataclass(frozen=True, slots=True)
class Estimate:
    """Low and high ends of what the calls will take. Costs are None where the price is not known."""

    prompt_tokens: tuple[int, int]
    completion_tokens: tuple[int, int]
    cost_usd: tuple[float, float] | None


@dataclass(frozen=True)
class Plan:
    """A run before it starts. Counts are of judgements: conversation × rubric × repeat. A piece of work is one call."""

    rubrics: tuple[Rubric, ...]
    drawn: Sequence[Planned]
    n_population: int  # that were to be drawn from
    n_everything: int  # that are there, selected or not
    policies: Mapping[str, tuple[Policy, ...]]  # by policy hash
    failed_before: frozenset[str]  # keys of failures that stand, and are only tried again when asked to
    repeats: range = range(1)  # the numbers under which each conversation is judged

    @cached_property
    def n_failed_before(self) -> int:
        """Judgements that failed before and are left alone."""
        if not self.failed_before:
            return 0
        return sum(key in self.failed_before for planned in self.drawn for key in planned.keys)

    @property
    def n_items(self) -> int:
        """Judgements that the run is about."""
        return len(self.drawn) * len(self.rubrics) * len(self.repeats)

    @property
    def n_reused(self) -> int:
        """Judgements that are there, or that this run makes for another conversation with the very same content."""
        return self.n_items - self.n_todo - self.n_failed_before

    @cached_property
    def n_todo(self) -> int:
        """Judgements to be made."""
        return sum(len(places) for planned in self.drawn for places in planned.calls)

    @cached_property
    def n_calls(self) -> int:
        """Calls to be made: one per conversation, repeat and rubric, or one for all rubrics where they are grouped."""
        return sum(len(planned.calls) for planned in self.drawn)

    def work(self) -> Iterator[Work]:
        """The calls to be made, those of one conversation and repeat one after the other. A repeat begins when every
        conversation had the one before: what is cut short has judged as many conversations as it could.
        """
        n = len(self.rubrics)
        for lap, repeat in enumerate(self.repeats):
            for planned in self.drawn:
                for places in planned.calls:
                    if places[0] // n == lap:
                        keys = tuple(planned.keys[place] for place in places)
                        yield Work(planned, tuple(place % n for place in places), keys, repeat)

    def items(self) -> Iterator[RunItem]:
        """Everything that the run is about, as the store lists it. An item is reused when it is not worked on: it is
        there already, or is worked on for a conversation before it.
        """
        for planned in self.drawn:
            open_now = {place for places in planned.calls for place in places}
            for place, key in enumerate(planned.keys):
                rubric = self.rubrics[place % len(self.rubrics)]
                reused = place not in open_now and key not in self.failed_before
                chance = planned.inclusion_probability
                yield planned.conversation_id, rubric.name, key, reused, chance, planned.stratum

    def case(self, conversation: Conversation, work: Work) -> Case:
        """What the judge is handed for this piece of work."""
        policy_hash = work.planned.policy_hash
        in_force = self.policies[policy_hash] if policy_hash else ()
        return Case(
            conversation, in_force, tuple(question(self.rubrics[i], conversation, in_force) for i in work.rubrics)
        )


def question(rubric: Rubric, conversation: Conversation, policies: Sequence[Policy]) -> Question:
    """What is asked by this rubric, and what is answered without asking."""
    ask, ruled = applicable(
        rubric.criteria, has_tools=conversation.has_tools, has_policy=bool(policies),
        has_human=conversation.has_human, has_handoff=conversation.has_handoff,
    )  # fmt: skip
    return Question(rubric, ask, ruled)


def make_plan(
    store: Store,
    judge: Judge,
    rubrics: Sequence[Rubric],
    *,
    select: Sequence[tuple[str, str]] = (),
    sample: int | None = None,
    seed: int = 0,
    drawn_before: tuple[Sequence[Draw], int] | None = None,
    group_all: bool = False,
    repeat: int = 0,
    repeats: int = 1,
    retry_failed: bool = False,
    zone: tzinfo = UTC,
    also_judged: Collection[str] = (),
) -> Plan:
    """Draw the sample, make the verdict keys, find what is there.

    `zone` is for times in `select` without an offset; `also_judged` are keys whose judgements the database does not
    hold yet. `drawn_before`: a sample that is there already, and of how many it was drawn, instead of `select`,
    `sample` and `seed`. Each conversation is judged `repeats` times, under the numbers from `repeat` on. Two
    conversations with the very same content have the same keys, and are judged once. A failure
    that may pass by itself (time-out, 429, 5xx) is tried again by a plain second run; one that will not (the
    conversation is too long, the model refuses) only with `retry_failed`. Raises InputError when nothing is selected.
    """
    if drawn_before is not None:
        draws, n_population = drawn_before
    else:
        population = store.population(select, zone=zone)
        if not population:
            raise nothing_selected(select)
        draws, n_population = simple_random(population, sample, seed), len(population)
        del population
    in_force = InForce(store.policies())
    constant = [judge.name, judge.model, digest("pa", dict(judge.parameters)), judge.prompt_hash]
    meanings = [rubric.meaning_hash for rubric in rubrics]
    together = meanings if group_all and len(rubrics) > 1 else None
    numbers = range(repeat, repeat + repeats)
    shapes: dict[tuple[int, ...], tuple[tuple[int, ...], ...]] = {}  # what is open → its calls; few, shared by all
    seen: set[str] = set()
    drawn: list[Planned] = []
    standing: set[str] = set()
    for start in range(0, len(draws), PLANNED_AT_ONCE):
        chunk = draws[start : start + PLANNED_AT_ONCE]
        members = {m.conversation_id: m for m in store.members([d.conversation_id for d in chunk])}
        hashes = {i: in_force.of(m) for i, m in members.items()}
        keys = {
            i: tuple(
                digest("vk", [m.content_hash, meaning, together, hashes[i], *constant, number])
                for number in numbers
                for meaning in meanings
            )
            for i, m in members.items()
        }
        every = {key for row in keys.values() for key in row}
        judged = store.judged(every) | (every & set(also_judged))
        failed = set() if retry_failed else store.failed_for_good(every - judged)
        standing |= failed
        for draw in chunk:
            i, row = draw.conversation_id, keys[draw.conversation_id]
            # The same content under the same policies has the same keys, all of them.
            twin = row[0] in seen
            seen.add(row[0])
            todo = tuple(n for n, key in enumerate(row) if not twin and key not in judged and key not in failed)
            if todo not in shapes:
                laps = (tuple(g) for _, g in groupby(todo, key=lambda place: place // len(rubrics)))
                shapes[todo] = tuple(laps) if together else tuple((place,) for place in todo)
            drawn.append(Planned(
                i, draw.inclusion_probability, draw.stratum, members[i].content_hash, hashes[i], row, shapes[todo]
            ))  # fmt: skip
    n_everything = store.count() if select or drawn_before else n_population
    return Plan(tuple(rubrics), drawn, n_population, n_everything, in_force.sets, frozenset(standing), numbers)


def nothing_selected(select: Sequence[tuple[str, str]]) -> InputError:
    """The error for a frame without conversations."""
    if not select:
        return InputError("there are no conversations yet", cure="grader ingest PATH…")
    chosen = ", ".join(f"{name}:{value}" for name, value in select)
    return InputError(f"no conversation meets {chosen}", cure="loosen --select; `grader db info` shows what is there")


class InForce:
    """Which policies were in force for a conversation, by the hash of the set."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = policies
        self._known: dict[tuple[str | None, date | None], str | None] = {}
        self.sets: dict[str, tuple[Policy, ...]] = {}

    def of(self, member: Member) -> str | None:
        """The hash of the set that this conversation's agent had to follow, None where there was none."""
        # The day is the customer's own where the source gave an offset, else UTC.
        where = (member.queue, member.happened_at.date() if member.happened_at else None)
        if where not in self._known:
            found = tuple(p for p in self._policies if p.in_force(*where))
            name = self._known[where] = digest("ps", [p.policy_hash for p in found]) if found else None
            if name:
                self.sets[name] = found
        return self._known[where]


def estimate(
    plan: Plan, store: Store, chars: Callable[[Case], int], cost: Callable[[int, int], float | None]
) -> Estimate:
    """Tokens and cost of the plan's calls, from the prompts of a few of its conversations.

    `chars(case)` is the length of a case's prompt, 0 where no call is needed; `cost(prompt, completion)` USD, or None.
    """
    if not plan.n_calls:
        return Estimate((0, 0), (0, 0), (0.0, 0.0))
    probes = list(islice(plan.work(), 0, None, max(1, plan.n_calls // MEASURED)))[:MEASURED]
    texts = {c.conversation_id: c for c in store.conversations([w.conversation_id for w in probes])}
    cases = [plan.case(texts[w.conversation_id], w) for w in probes]
    scale = plan.n_calls / len(cases)
    n_chars = sum(chars(case) for case in cases) * scale
    n_codes = sum(len(q.ask) for case in cases for q in case.questions) * scale
    prompt = (round(n_chars / CHARS_PER_TOKEN[0]), round(n_chars / CHARS_PER_TOKEN[1]))
    reply = (round(n_codes * REPLY_TOKENS_PER_CODE[0]), round(n_codes * REPLY_TOKENS_PER_CODE[1]))
    low, high = cost(prompt[0], reply[0]), cost(prompt[1], reply[1])
    return Estimate(prompt, reply, None if low is None or high is None else (low, high))
