"""Which conversations are labelled, by whom, in which order: pure, by hashes of seed and identifier.

A conversation is labelled on all questions at once, so it stands in one stratum: that of the rarest code that the judge
flags in it, else `rest`; `unjudged` where nothing is flagged and a judgement is missing. Within a stratum everybody has
the same chance, whatever the code. Order, reviewers, copies and splits know nothing of strata.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.errors import ConfigError
from grader.model import Answer, digest
from grader.sampling import Drawn, weighted

REST, UNJUDGED = "rest", "unjudged"
SPLITS = (("train", 0.15), ("dev", 0.50), ("test", 1.0))  # the upper ends of the hash
MINIMUM = 5  # of a stratum: below, nothing can be said of it
AT_MOST = 0.4  # of the places go to small strata of what is flagged: with more, the rest is known too badly
UNSUPPORTED = "unsupported"  # present without proof


@dataclass(frozen=True, slots=True)
class Member:
    """A judged conversation: its verdicts in the order of the questions, None where none could be had."""

    conversation_id: str
    content_hash: str
    contact_id: str | None
    verdicts: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, as far as the design goes."""

    name: str  # accuracy.invented_deadline
    is_choice: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """A reviewer's item: the conversation, and whether it is there a second time (copy 1)."""

    item_id: str
    reviewer: str
    position: int
    conversation_id: str
    copy: int


def strata(
    members: Sequence[Member], asked: Sequence[Asked], counts: Sequence[Counter[str | None]] | None = None
) -> dict[str, str]:
    """conversation → stratum. Of a choice, what is not its commonest answer counts as flagged. `counts` of verdicts by
    question decide which code is rarer: those of the members, or those of an earlier day.
    """
    if counts is None:
        counts = [Counter(m.verdicts[i] for m in members) for i in range(len(asked))]
    positive = [_positive(one, counted) for one, counted in zip(asked, counts, strict=True)]
    n_flagged = [sum(n for answer, n in c.items() if answer in p) for c, p in zip(counts, positive, strict=True)]
    by_rarity = sorted(range(len(asked)), key=lambda i: (n_flagged[i], asked[i].name))
    found = {}
    for m in members:
        first = next((i for i in by_rarity if m.verdicts[i] in positive[i]), None)
        if first is not None:
            found[m.conversation_id] = f"flagged: {asked[first].name}"
        else:
            found[m.conversation_id] = UNJUDGED if None in m.verdicts else REST
    return found


def _positive(asked: Asked, counted: Counter[str | None]) -> set[str | None]:
    if not asked.is_choice:
        return {Answer.PRESENT.value}
    told: dict[str | None, int] = {
        answer: n for answer, n in counted.items() if answer not in (None, Answer.CANNOT_ASSESS.value)
    }
    commonest = min(told, key=lambda answer: (-told[answer], answer or ""), default=None)
    return set(told) - {commonest}


def draw(strata: Mapping[str, str], n: int, seed: int, positives: float) -> Drawn:
    """`positives` of the places for what is flagged, evenly by stratum; the others in proportion. Never fewer flagged
    ones than in a simple sample: where more than that share is flagged, they get as many places as they make up.
    """
    if not 0 < positives < 1:
        raise ConfigError(
            f"--positives {positives:g} leaves out what is flagged, or what is not", cure="0.2 to 0.3 is best"
        )
    sizes = Counter(strata.values())
    flagged = [name for name in sizes if name not in (REST, UNJUDGED)]
    n_flagged = sum(sizes[name] for name in flagged)
    share = max(positives, n_flagged / len(strata)) if strata else positives
    n_other = len(strata) - n_flagged
    weights = {
        name: share / len(flagged) if name in flagged else (1 - share) * size / n_other for name, size in sizes.items()
    }
    if n < len(sizes):
        raise ConfigError(
            f"{n} conversations are too few for {len(sizes)} strata, of which each needs one",
            cure=f"-n {len(sizes) * MINIMUM} or more, or fewer codes (--code)",
        )
    minimum = min(MINIMUM, int(n * max(share, AT_MOST) / len(flagged))) if flagged else MINIMUM
    return weighted(strata, weights, n, seed, minimum=max(minimum, 1))


def assign(
    conversation_ids: Iterable[str], reviewers: Sequence[str], seed: int, *, overlap: int, duplicates: int
) -> list[Assignment]:
    """Who labels what, by reviewer and position.

    `overlap` conversations go to two reviewers, each pair of neighbours in turn; the others to one each, in turn.
    `duplicates` of each reviewer's first third come again in the second half, so that they are not next to each other.
    """
    mixed = sorted(conversation_ids, key=lambda i: _rank(seed, "who", i))
    count = len(reviewers)
    of: dict[str, list[str]] = {name: [] for name in reviewers}
    for turn, i in enumerate(mixed):
        of[reviewers[turn % count]].append(i)
        if count > 1 and turn < overlap:
            of[reviewers[(turn + 1) % count]].append(i)
    found = []
    for reviewer, theirs in of.items():
        order = [(i, 0) for i in sorted(theirs, key=lambda i: _rank(seed, "order", reviewer, i))]
        early = sorted((i for i, _ in order[: len(order) // 3]), key=lambda i: _rank(seed, "again", reviewer, i))
        half = len(order) // 2
        late = order[half:] + [(i, 1) for i in early[:duplicates]]
        late.sort(key=lambda one: _rank(seed, "late", reviewer, f"{one[0]}\0{one[1]}"))
        for position, (i, copy) in enumerate(order[:half] + late, 1):
            found.append(Assignment(item_id(seed, reviewer, i, copy), reviewer, position, i, copy))
    return found


def item_id(seed: int, reviewer: str, conversation_id: str, copy: int) -> str:
    """The name under which a reviewer sees a conversation; made of nothing that a judge has said."""
    return digest("it", [seed, reviewer, conversation_id, copy])[:15]


def split(conversation_id: str, contact_id: str | None) -> str:
    """train, dev or test, by a hash of the contact: 15 %, 35 %, 50 %. One contact is in one split, in every plan; a
    conversation without a contact stands for itself.
    """
    key = f"contact\0{contact_id}" if contact_id is not None else f"conversation\0{conversation_id}"
    place = int.from_bytes(hashlib.sha256(f"split\0{key}".encode("utf-8", "surrogatepass")).digest()[:8]) / 2**64
    return next(name for name, end in SPLITS if place < end or end == 1.0)


def _rank(seed: int, *parts: str) -> bytes:
    return hashlib.sha256("\0".join([str(seed), *parts]).encode("utf-8", "surrogatepass")).digest()
