"""How many requests are in flight: never too many, never forgotten, fewer after a no."""

from __future__ import annotations

import asyncio
import random

import pytest

from grader.judge import pace as pace_module
from grader.judge.pace import Pace


async def hold_slot(pace: Pace, seconds: float, seen: list[int] | None = None) -> None:
    async with pace.slot():
        if seen is not None:
            seen.append(pace.in_flight)
        await asyncio.sleep(seconds)


async def test_never_more_than_the_limit_and_everybody_comes_in() -> None:
    pace, seen = Pace(5, 5), list[int]()
    await asyncio.gather(*(hold_slot(pace, 0.001, seen) for _ in range(100)))
    assert len(seen) == 100
    assert max(seen) == 5
    assert pace.in_flight == 0


async def test_it_starts_small_and_ramps_up_to_the_limit() -> None:
    pace, seen = Pace(40, 4, step_seconds=0.002), list[int]()
    tasks = [asyncio.create_task(hold_slot(pace, 0.3, seen)) for _ in range(60)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(seen) == 4
    await asyncio.sleep(0.2)
    assert len(seen) == 40
    assert pace.allowed == 40
    await asyncio.gather(*tasks)
    assert max(seen) == 40


async def test_who_waits_comes_in_in_the_order_of_arrival() -> None:
    pace, order = Pace(1, 1), list[int]()

    async def enter(number: int) -> None:
        async with pace.slot():
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(enter(n) for n in range(20)))
    assert order == list(range(20))


async def test_nothing_leaves_before_a_pause_is_over() -> None:
    pace = Pace(8, 8)
    loop = asyncio.get_running_loop()
    pace.hold(0.1)
    pace.hold(0.05)  # a shorter one does not shorten it
    began = loop.time()
    left: list[float] = []

    async def enter() -> None:
        async with pace.slot():
            left.append(loop.time() - began)

    await asyncio.gather(*(enter() for _ in range(20)))
    assert min(left) >= 0.099
    assert pace.held_for() == 0


async def test_a_pause_that_begins_while_others_wait_holds_them_too() -> None:
    pace = Pace(1, 1)
    loop = asyncio.get_running_loop()
    first = asyncio.create_task(hold_slot(pace, 0.02))
    second = asyncio.create_task(hold_slot(pace, 0))
    await asyncio.sleep(0.01)
    began = loop.time()
    pace.hold(0.1)
    await asyncio.gather(first, second)
    assert loop.time() - began >= 0.099


async def test_one_no_costs_one_place_many_cost_half_and_both_at_most_once_a_second() -> None:
    pace = Pace(64, 64)
    pace.hold(0)
    assert pace.allowed == 63
    for _ in range(8):
        pace.hold(0)
    assert pace.allowed == 63  # told together
    pace.hold(0)
    assert pace.allowed == 31  # ten answers, all of them no
    for _ in range(100):
        pace.hold(0)
    assert pace.allowed == 31


async def test_after_a_halving_successes_bring_it_back() -> None:
    pace = Pace(8, 8)
    for _ in range(10):
        pace.hold(0)
    assert pace.allowed == 3
    for needed in (3, 4, 5, 6, 7):
        for _ in range(needed):
            pace.succeeded()
    assert pace.allowed == 8
    for _ in range(50):
        pace.succeeded()
    assert pace.allowed == 8


async def test_it_never_stops_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "EASE_EVERY_SECONDS", 0.0)
    pace = Pace(4, 4)
    for _ in range(200):
        pace.hold(0)
    assert pace.allowed == 1
    await asyncio.wait_for(hold_slot(pace, 0), 1)


@pytest.mark.parametrize("seed", range(6))
async def test_cancelled_waiters_and_holders_never_cost_a_place(seed: int) -> None:
    chance = random.Random(seed)
    pace = Pace(4, 2, step_seconds=0.001)
    tasks = []
    for _ in range(200):
        tasks.append(asyncio.create_task(hold_slot(pace, chance.choice([0, 0.001, 0.003]))))
        if chance.random() < 0.5:
            chance.choice(tasks).cancel()
        if chance.random() < 0.05:
            pace.hold(chance.choice([0, 0.002]))
        if chance.random() < 0.3:
            pace.succeeded()
        if chance.random() < 0.4:
            await asyncio.sleep(chance.choice([0, 0, 0.001]))
        assert 0 <= pace.in_flight <= pace.limit
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    assert pace.in_flight == 0
    await asyncio.wait_for(hold_slot(pace, 0), 1)


async def crowd(pace: Pace, refuses: object, calls: int = 400) -> int:
    """Calls that try until they get through an endpoint that `refuses(in_flight)`; returns how often it said no."""
    assert callable(refuses)
    in_flight = n_refused = 0

    async def call() -> None:
        nonlocal in_flight, n_refused
        while True:
            async with pace.slot():
                in_flight += 1
                no = refuses(in_flight)
                await asyncio.sleep(0.0005 if no else 0.005)
                in_flight -= 1
                if not no:
                    pace.succeeded()
                    return
                n_refused += 1
                pace.hold(0)
            await asyncio.sleep(0.01)

    await asyncio.wait_for(asyncio.gather(*(call() for _ in range(calls))), 20)
    return n_refused


async def test_it_settles_near_what_the_endpoint_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "EASE_EVERY_SECONDS", 0.01)
    pace = Pace(64, 64)
    await crowd(pace, lambda in_flight: in_flight > 10)
    assert 5 <= pace.allowed <= 20


async def test_a_refusal_now_and_then_does_not_slow_it_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "EASE_EVERY_SECONDS", 0.01)
    pace, chance = Pace(64, 64), random.Random(1)
    assert await crowd(pace, lambda _: chance.random() < 0.1) > 20
    assert pace.allowed >= 32
