"""The figures of everything, from a sample alone: those of a census when it is one, and near it when it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from report_data import T0, World, handoff, world

from grader.engine.draw import Design, draw
from grader.errors import ConfigError
from grader.outcomes.metrics import metrics
from grader.outcomes.risk import risks
from grader.outcomes.sampled import sampled_metrics
from grader.sampling.plan import document


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    """300 conversations: each tenth handed over, each fifteenth came back."""
    with world(tmp_path) as w:
        for i in range(300):
            events = (handoff(1),) if i % 10 == 0 else ()
            queue = "orders" if i % 3 else "returns"
            w.talk(f"c{i:03}", queue=queue, contact=f"+55119{i:08}", events=events)
            if i % 15 == 0:
                w.talk(f"c{i:03}-back", contact=f"+55119{i:08}", start=T0 + timedelta(days=2))
        w.talk("end", contact="+5511988887777", start=T0 + timedelta(days=40))
        w.save()
        yield w


def sample(w: World, name: str, n: int, **how: Any) -> str:
    seen = risks(w.store)
    named = ("recontacted", "escalated")
    drawn = draw(
        w.store, Design(name, n, 1, risks=named, **how), now=T0,
        risks=lambda ids: {i: next((r for r in named if r in seen[i]), None) for i in ids},
    )  # fmt: skip
    w.store.add_sample(document(drawn))
    return drawn.sample_id


def test_a_sample_of_everybody_is_the_census(shop: World) -> None:
    [everything] = metrics(shop.store)
    [found] = sampled_metrics(shop.store, sample(shop, "simple", 1000))
    assert (found.counts, found.parts) == (everything, ())
    assert found.rate(lambda m: m.contained).point == everything.contained.rate


def test_a_risk_enriched_sample_is_off_as_counted_and_right_when_weighted(shop: World) -> None:
    [everything] = metrics(shop.store)
    [found] = sampled_metrics(shop.store, sample(shop, "risk", 100))
    contained, back = found.rate(lambda m: m.contained), found.rate(lambda m: m.came_back)
    assert everything.contained.rate is not None
    assert everything.came_back.rate is not None
    assert contained.point == pytest.approx(everything.contained.rate, abs=0.03)
    assert back.point == pytest.approx(everything.came_back.rate, abs=0.03)
    assert back.low is not None
    assert back.high is not None
    assert back.low <= everything.came_back.rate <= back.high
    plain = found.counts.came_back.rate
    assert plain is not None
    assert plain > 2 * everything.came_back.rate
    same = found.ends(lambda m: m.same_issue)
    assert same.high.point == pytest.approx(everything.same_issue.high.rate, abs=0.03)


def test_slices_are_those_of_the_sample(shop: World) -> None:
    found = sampled_metrics(shop.store, sample(shop, "stratified", 60, by=("queue",), allocation="equal"), by="queue")
    by_queue = {s.counts.slice: s.rate(lambda m: m.contained).point for s in found}
    truth = {m.slice: m.contained.rate for m in metrics(shop.store, by="queue")}
    assert by_queue.keys() == truth.keys()
    for queue, rate in by_queue.items():
        assert rate == pytest.approx(truth[queue], abs=0.12)


def test_a_sample_that_there_is_not_is_refused(shop: World) -> None:
    with pytest.raises(ConfigError, match="no sample 'sa_x'"):
        sampled_metrics(shop.store, "sa_x")


class Counting:
    """The store, counting how often a table is made."""

    def __init__(self, w: World) -> None:
        self._store, self.made = w.store, 0

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        self.made += "create or replace temp table" in sql
        return self._store.rows(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_the_episodes_are_made_once_whatever_the_number_of_strata(shop: World) -> None:
    made = []
    for name in ("simple", "risk"):
        counting = Counting(shop)
        sampled_metrics(counting, sample(shop, name, 100), by="queue")
        made.append(counting.made)
    assert made[0] == made[1]
