"""What a run will do: which conversations, which rubrics, which of it is there already, and about what it will cost.

Nothing is called and nothing is written here. Texts are read for a few conversations only, to estimate the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from itertools import islice

from grader.errors import InputError
from grader.judge import Case, Judge, Question
from grader.model import Conversation, Policy, digest
from grader.rubric import Rubric, applicable
from grader.sampling import Draw, simple_random
from grader.store import Member, RunItem, Store

MEASURED = 24  # conversations whose prompts are rendered for the estimate
# English, Portuguese and Spanish JSON run from 3 to 4.5 characters a token in the tokenizers of the common models; one
# criterion's reply (reasoning, quotes, answer) from 45 tokens (absent) to 160 (present, with quotes).
CHARS_PER_TOKEN = (4.5, 3.0)
REPLY_TOKENS_PER_CODE = (45, 160)


@dataclass(frozen=True, slots=True)
class Work:
    """One call to be made: a conversation and the rubrics (by index in the plan) that it answers, with their keys."""

    conversation_id: str
    rubrics: tuple[int, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Low and high ends of what the calls will take. Costs are None where the price is not known."""

    prompt_tokens: tuple[int, int]
    completion_tokens: tuple[int, int]
    cost_usd: tuple[float, float] | None


@dataclass(frozen=True)
class Plan:
    """A run before it starts. Counts are of judgements (conversation × rubric); a piece of work is one call."""

    rubrics: tuple[Rubric, ...]
    draws: Sequence[Draw]
    n_population: int
    keys: Sequence[tuple[str, ...]]  # per draw, per rubric
    policy_hashes: Mapping[str, str | None]  # by conversation
    policies: Mapping[str, tuple[Policy, ...]]  # by policy hash
    content_hashes: Mapping[str, str]
    work: Sequence[Work]
    failed_before: frozenset[str]  # keys of failures that stand, and are only tried again when asked to

    @property
    def n_failed_before(self) -> int:
        """Judgements that failed before and are left alone."""
        if not self.failed_before:
            return 0
        return sum(key in self.failed_before for row in self.keys for key in row)

    @property
    def n_items(self) -> int:
        """Judgements that the run is about."""
        return len(self.draws) * len(self.rubrics)

    @property
    def n_reused(self) -> int:
        """Judgements that are there, or that this run makes for another conversation with the very same content."""
        return self.n_items - self.n_todo - self.n_failed_before

    @property
    def n_todo(self) -> int:
        """Judgements to be made."""
        return sum(len(w.rubrics) for w in self.work)

    def items(self) -> Iterator[RunItem]:
        """Everything that the run is about, as the store lists it. An item is reused when its key is not worked on,
        or was worked on for a conversation before it.
        """
        open_keys = {key for w in self.work for key in w.keys}
        for draw, row in zip(self.draws, self.keys, strict=True):
            for rubric, key in zip(self.rubrics, row, strict=True):
                reused = key not in open_keys and key not in self.failed_before
                open_keys.discard(key)
                yield draw.conversation_id, rubric.name, key, reused, draw.inclusion_probability, draw.stratum

    def case(self, conversation: Conversation, work: Work) -> Case:
        """What the judge is handed for this piece of work."""
        in_force = self.in_force(conversation.conversation_id)
        return Case(
            conversation, in_force, tuple(_question(self.rubrics[i], conversation, in_force) for i in work.rubrics)
        )

    def in_force(self, conversation_id: str) -> tuple[Policy, ...]:
        """The policies that this conversation's agent had to follow."""
        found = self.policy_hashes[conversation_id]
        return self.policies[found] if found else ()


def _question(rubric: Rubric, conversation: Conversation, policies: Sequence[Policy]) -> Question:
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
    group_all: bool = False,
    repeat: int = 0,
    retry_failed: bool = False,
    zone: tzinfo = UTC,
    also_judged: Collection[str] = (),
) -> Plan:
    """Draw the sample, make the verdict keys, find what is there.

    `zone` is for times in `select` without an offset; `also_judged` are keys whose judgements the database does not
    hold yet. Two conversations with the very same content have the same keys, and are judged once. A failure that may
    pass by itself (time-out, 429, 5xx) is tried again by a plain second run; one that will not (the conversation is too
    long, the model refuses) only with `retry_failed`. Raises InputError when nothing is selected.
    """
    population = store.population(select, zone=zone)
    if not population:
        if select:
            chosen = ", ".join(f"{name}:{value}" for name, value in select)
            raise InputError(
                f"no conversation meets {chosen}", cure="loosen --select; `grader db info` shows what is there"
            )
        raise InputError("there are no conversations yet", cure="grader ingest PATH…")
    draws = simple_random(population, sample, seed)
    by_id = {m.conversation_id: m for m in store.members([d.conversation_id for d in draws])}
    drawn = [by_id[d.conversation_id] for d in draws]
    policy_hashes, policies = _policies(store.policies(), drawn)
    constant = [judge.name, judge.model, digest("pa", dict(judge.parameters)), judge.prompt_hash, repeat]
    meanings = [rubric.meaning_hash for rubric in rubrics]
    together = meanings if group_all and len(rubrics) > 1 else None
    keys = [
        tuple(
            digest("vk", [m.content_hash, meaning, together, policy_hashes[m.conversation_id], *constant])
            for meaning in meanings
        )
        for m in drawn
    ]
    every = {key for row in keys for key in row}
    judged = store.judged(every) | (every & set(also_judged))
    standing = set() if retry_failed else store.failed_for_good(every - judged)
    taken = judged | standing
    work: list[Work] = []
    for member, row in zip(drawn, keys, strict=True):
        todo = [i for i, key in enumerate(row) if key not in taken]
        taken.update(row)
        parts = [todo] if together and todo else [[i] for i in todo]
        work.extend(Work(member.conversation_id, tuple(p), tuple(row[i] for i in p)) for p in parts)
    return Plan(
        rubrics=tuple(rubrics), draws=draws, n_population=len(population), keys=keys, policy_hashes=policy_hashes,
        policies=policies, content_hashes={m.conversation_id: m.content_hash for m in drawn}, work=work,
        failed_before=frozenset(standing),
    )  # fmt: skip


def _policies(
    all_policies: Sequence[Policy], members: Sequence[Member]
) -> tuple[dict[str, str | None], dict[str, tuple[Policy, ...]]]:
    """Which policies were in force for each conversation, by the hash of the set."""
    known: dict[tuple[str | None, date | None], str | None] = {}
    sets: dict[str, tuple[Policy, ...]] = {}
    found: dict[str, str | None] = {}
    for member in members:
        # The day is the customer's own where the source gave an offset, else UTC.
        where = (member.queue, member.happened_at.date() if member.happened_at else None)
        if where not in known:
            in_force = tuple(p for p in all_policies if p.in_force(*where))
            known[where] = digest("ps", [p.policy_hash for p in in_force]) if in_force else None
            if name := known[where]:
                sets[name] = in_force
        found[member.conversation_id] = known[where]
    return found, sets


def estimate(
    plan: Plan, store: Store, chars: Callable[[Case], int], cost: Callable[[int, int], float | None]
) -> Estimate:
    """Tokens and cost of the plan's calls, from the prompts of a few of its conversations.

    `chars(case)` is the length of a case's prompt, 0 where no call is needed; `cost(prompt, completion)` USD, or None.
    """
    if not plan.work:
        return Estimate((0, 0), (0, 0), (0.0, 0.0))
    step = max(1, len(plan.work) // MEASURED)
    probes = list(islice(plan.work[::step], MEASURED))
    texts = {c.conversation_id: c for c in store.conversations([w.conversation_id for w in probes])}
    cases = [plan.case(texts[w.conversation_id], w) for w in probes]
    scale = len(plan.work) / len(cases)
    n_chars = sum(chars(case) for case in cases) * scale
    n_codes = sum(len(q.ask) for case in cases for q in case.questions) * scale
    prompt = (round(n_chars / CHARS_PER_TOKEN[0]), round(n_chars / CHARS_PER_TOKEN[1]))
    reply = (round(n_codes * REPLY_TOKENS_PER_CODE[0]), round(n_codes * REPLY_TOKENS_PER_CODE[1]))
    low, high = cost(prompt[0], reply[0]), cost(prompt[1], reply[1])
    return Estimate(prompt, reply, None if low is None or high is None else (low, high))
