"""A draw is decided by seed and identifiers alone, every conversation has the chance that is written beside it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import ConfigError
from grader.sampling import Draw, Drawn, risk_enriched, simple, simple_random, stratified, top_queues

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


# ── designs ──

strata = st.dictionaries(st.text(max_size=6), st.sampled_from("abcd"), min_size=1, max_size=60)


def designs(of: dict[str, str], n: int, seed: int) -> list[Drawn]:
    return [
        simple(list(of), n, seed),
        stratified(of, n, seed, minimum=3),
        stratified(of, n, seed, allocation="equal", minimum=1),
        top_queues({i: None if name == "d" else name for i, name in of.items()}, n, seed, top=2),
        risk_enriched({i: None if name == "d" else name for i, name in of.items()}, n, seed, share=0.4),
    ]


@given(strata, st.integers(4, 40), st.integers(), st.data())
def test_no_design_looks_at_the_order_of_the_input(of: dict[str, str], n: int, seed: int, data: st.DataObject) -> None:
    assert designs(dict(data.draw(st.permutations(list(of.items())))), n, seed) == designs(of, n, seed)


@given(strata, st.integers(4, 40), st.integers())
def test_weights_add_up_to_the_population_and_every_chance_is_its_stratums(
    of: dict[str, str], n: int, seed: int
) -> None:
    for drawn in designs(of, n, seed):
        assert len(drawn.draws) == min(n, drawn.n_population)
        assert drawn.n_population + drawn.n_left_out == len(of)
        by_name = {layer.name: layer for layer in drawn.layers}
        for draw in drawn.draws:
            assert draw.inclusion_probability == by_name[draw.stratum].inclusion_probability
        for name, layer in by_name.items():
            mine = [d for d in drawn.draws if d.stratum == name]
            assert len(mine) == layer.n_drawn >= 1
            assert math.isclose(sum(1 / d.inclusion_probability for d in mine), layer.n_population)


@given(strata, st.integers(4, 40), st.integers(0, 40), st.integers())
def test_a_larger_sample_of_any_design_holds_the_smaller_one(of: dict[str, str], n: int, more: int, seed: int) -> None:
    for small, large in zip(designs(of, n, seed), designs(of, n + more, seed), strict=True):
        assert {d.conversation_id for d in small.draws} <= {d.conversation_id for d in large.draws}


def ids(n: int, name: str = "c") -> list[str]:
    return [f"{name}{i}" for i in range(n)]


def placed(drawn: Drawn) -> dict[str | None, int]:
    return {layer.name: layer.n_drawn for layer in drawn.layers}


def test_places_are_in_proportion_and_small_strata_have_their_least() -> None:
    of = dict.fromkeys(ids(700, "a"), "a") | dict.fromkeys(ids(280, "b"), "b") | dict.fromkeys(ids(16, "c"), "c")
    of |= dict.fromkeys(ids(4, "d"), "d")
    # 100 of 1,000: 70, 28, 1.6 and 0.4 by size; c gets 5, d all of its 4, and the others share 91 as 700 to 280.
    assert placed(stratified(of, 100, 1)) == {"a": 65, "b": 26, "c": 5, "d": 4}
    assert placed(stratified(of, 100, 1, allocation="equal")) == {"a": 40, "b": 40, "c": 16, "d": 4}
    assert placed(stratified(of, 9, 1)) == {"a": 3, "b": 2, "c": 2, "d": 2}  # not enough for 5 each: as even as can be


def test_fewer_places_than_strata_are_refused() -> None:
    with pytest.raises(ConfigError, match="3 conversations are too few for 4 strata") as error:
        stratified({i: i for i in "abcd"}, 3, 0)
    assert "-n 4" in str(error.value.cure)


def test_the_top_queues_are_the_largest_and_the_rest_is_counted_not_drawn() -> None:
    queues: dict[str, str | None] = dict.fromkeys(ids(50, "n")) | dict.fromkeys(ids(30, "r"), "returns")
    queues |= dict.fromkeys(ids(10, "x"), "exchanges") | dict.fromkeys(ids(10, "o"), "orders")
    drawn = top_queues(queues, 20, 0, top=2)
    # Of the two with 10, the first by name; what has no queue is in no queue, however many they are.
    assert placed(drawn) == {"exchanges": 5, "returns": 15}
    assert drawn.n_left_out == 60


def test_risks_get_their_share_evenly_and_the_rest_the_other_places() -> None:
    of: dict[str, str | None] = dict.fromkeys(ids(900))
    of |= dict.fromkeys(ids(60, "e"), "escalated") | dict.fromkeys(ids(30, "r"), "recontacted")
    of |= dict.fromkeys(ids(10, "l"), "low_csat")
    found = placed(risk_enriched(of, 100, 0))
    # Half of 100 to three risks of like weight; low_csat has 10 only, and what it cannot take goes round.
    assert found["low_csat"] == 10
    assert abs((found["escalated"] or 0) - (found["recontacted"] or 0)) <= 1
    assert found["rest"] == 100 - sum(found[r] for r in ("escalated", "recontacted", "low_csat"))
    assert 50 <= found["rest"] <= 65
    # Where most have a risk, a smaller share would draw them less often than the others.
    most: dict[str, str | None] = dict.fromkeys(ids(20)) | dict.fromkeys(ids(80, "e"), "escalated")
    assert placed(risk_enriched(most, 50, 0)) == {"escalated": 40, "rest": 10}
    for share in (0.0, 1.0):
        with pytest.raises(ConfigError, match="leaves the rest out"):
            risk_enriched(of, 100, 0, share=share)


def test_a_stratified_draw_is_the_same_in_every_version_of_the_program() -> None:
    of = {f"c{i}": "ab"[i % 2] for i in range(100)}
    drawn = [d.conversation_id for d in stratified(of, 6, 1, minimum=1).draws]
    assert drawn == ["c24", "c36", "c41", "c45", "c82", "c91"]
