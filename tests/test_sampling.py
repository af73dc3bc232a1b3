"""A draw is decided by seed and identifiers alone, every conversation has the chance that is written beside it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sampling import Draw, simple_random

populations = st.lists(st.text(max_size=8), unique=True, max_size=30)


@given(populations, st.integers(1, 40), st.integers(), st.data())
def test_the_order_of_the_input_does_not_matter(ids: list[str], n: int, seed: int, data: st.DataObject) -> None:
    assert simple_random(data.draw(st.permutations(ids)), n, seed) == simple_random(ids, n, seed)


@given(populations, st.integers(1, 40), st.integers())
def test_a_draw_has_its_size_its_probability_and_nobody_twice(ids: list[str], n: int, seed: int) -> None:
    drawn = simple_random(ids, n, seed)
    names = [d.conversation_id for d in drawn]
    assert len(names) == min(n, len(ids))
    assert names == sorted(set(names))
    assert set(names) <= set(ids)
    if ids:
        assert {d.inclusion_probability for d in drawn} == {min(1.0, n / len(ids))}


@given(populations, st.integers(1, 40), st.integers(0, 40), st.integers())
def test_a_larger_sample_holds_the_smaller_one(ids: list[str], n: int, more: int, seed: int) -> None:
    small, large = simple_random(ids, n, seed), simple_random(ids, n + more, seed)
    assert {d.conversation_id for d in small} <= {d.conversation_id for d in large}


@given(populations, st.text(max_size=8), st.integers(1, 40), st.integers())
def test_a_newcomer_takes_at_most_one_place(ids: list[str], new: str, n: int, seed: int) -> None:
    before = {d.conversation_id for d in simple_random(ids, n, seed)}
    after = {d.conversation_id for d in simple_random([*ids, *{new} - set(ids)], n, seed)}
    assert len(before - after) <= 1


@pytest.mark.parametrize("n", [None, 3, 4, 10**9])
def test_all_of_a_population_is_in_with_certainty(n: int | None) -> None:
    assert simple_random(["b", "a", "c"], n, 0) == [Draw(i, 1.0) for i in "abc"]


def test_nobody_is_drawn_from_nobody() -> None:
    assert simple_random([], 5, 0) == []
    assert simple_random([], None, 0) == []


def test_over_many_seeds_everybody_and_every_pair_is_drawn_as_often_as_it_should_be() -> None:
    ids = [f"c{i}" for i in range(10)]
    n_seeds = 4_000
    single = dict.fromkeys(ids, 0)
    pairs: dict[tuple[str, str], int] = {}
    for seed in range(n_seeds):
        drawn = [d.conversation_id for d in simple_random(ids, 3, seed)]
        for i, a in enumerate(drawn):
            single[a] += 1
            for b in drawn[i + 1 :]:
                pairs[a, b] = pairs.get((a, b), 0) + 1
    # One: 3/10. A pair, without replacement: 3/10 · 2/9 = 1/15. Five standard deviations either way.
    for count, share in [*((c, 3 / 10) for c in single.values()), *((c, 1 / 15) for c in pairs.values())]:
        assert abs(count - n_seeds * share) < 5 * math.sqrt(n_seeds * share * (1 - share))
    assert len(pairs) == 45


def test_a_draw_is_the_same_in_every_version_of_the_program() -> None:
    # Written down once: a change of the rule would quietly draw other conversations for a seed that is in use.
    drawn = [d.conversation_id for d in simple_random([f"c{i}" for i in range(100)], 5, 1)]
    assert drawn == ["c24", "c36", "c41", "c45", "c82"]
