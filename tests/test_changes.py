"""Whether something changed beyond noise: known answers, what is not known, many questions at once; and weeks."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from grader.errors import InputError
from grader.outcomes.changes import adjusted, change, of_bounds, of_estimate, of_mean, of_share
from grader.outcomes.period import Period, last_whole, monday
from grader.outcomes.share import Bounds, Mean, Share
from grader.statistics.stratified import Estimate


def test_two_shares_have_newcombes_interval() -> None:
    """R. G. Newcombe (1998), Stat. Med. 17:873, example (a), method 10: 56/70 - 48/80 = 0.2000 [0.0524, 0.3339]."""
    found = change(of_share(Share(48, 80)), of_share(Share(56, 70)))
    assert found is not None
    assert (found.point, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert found.p < 0.05
    assert found.direction == "up"
    back = change(of_share(Share(56, 70)), of_share(Share(48, 80)))
    assert back is not None
    assert (back.low, back.high, back.p) == pytest.approx((-found.high, -found.low, found.p))
    assert back.direction == "down"


def test_a_p_under_5_percent_and_an_interval_without_0_are_the_same() -> None:
    rng = random.Random(3)
    for _ in range(400):
        of = [rng.randrange(10, 90) for _ in range(2)]
        one, two = (Share(rng.randrange(n + 1), n) for n in of)
        found = change(of_share(one), of_share(two))
        assert found is not None
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
        assert found.low <= found.point <= found.high


def test_what_is_not_known_is_put_against_the_change() -> None:
    before = of_bounds(Bounds(2, 0, 100, 20))
    clear, unclear = of_bounds(Bounds(20, 0, 100, 25)), of_bounds(Bounds(3, 17, 100, 25))
    known, maybe = change(before, clear), change(before, unclear)
    assert known is not None
    assert known.direction == "up"
    assert maybe is not None
    assert maybe.direction == "none"
    assert maybe.low < 0 < maybe.high
    assert maybe.high == pytest.approx(known.high)


def test_too_few_say_nothing() -> None:
    assert change(of_share(Share(0, 9)), of_share(Share(50, 50))) is None
    assert change(None, of_share(Share(5, 50))) is None
    assert of_share(Share(0, 0)) is None
    assert of_bounds(Bounds(0, 0, 0, 0)) is None
    assert of_estimate(None) is None
    nine = of_mean(Mean(9, 40, 180), 50)
    assert change(nine, nine) is None


def test_ratings_that_are_all_the_same_are_no_certainty() -> None:
    """Ten fives have no spread to make an interval of: the whole scale is one."""
    fives, low = of_mean(Mean(10, 50, 250), 40), of_mean(Mean(60, 150, 430), 90)
    found = change(low, fives)
    assert fives is not None
    assert (fives.lowest.low, fives.lowest.high) == (1, 5)
    assert found is not None
    assert found.direction == "none"


def test_of_many_questions_one_small_p_is_no_news() -> None:
    small = change(of_share(Share(48, 80)), of_share(Share(56, 70)))
    none = change(of_share(Share(20, 80)), of_share(Share(20, 80)))
    assert small is not None
    assert none is not None
    assert none.p == 1
    found = adjusted([small, None, *[none] * 30])
    assert found[1] is None
    assert found[0] is not None
    assert found[0].direction == "none"
    assert found[0].p_adjusted == pytest.approx(min(1, small.p * 31))


def test_a_weighted_rate_is_compared_by_its_own_interval() -> None:
    one, two = (Estimate(p, p - 0.05, p + 0.05, 10, 40, "stratified") for p in (0.2, 0.3))
    found = change(of_estimate(one), of_estimate(two))
    assert found is not None
    assert found.low == pytest.approx(0.1 - (2 * 0.05**2) ** 0.5)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-W38", date(2026, 9, 14)), ("2026w1", date(2025, 12, 29)), ("2026-09-20", date(2026, 9, 14)),
     (" 2026-09-14 ", date(2026, 9, 14))],
)  # fmt: skip
def test_a_week_is_its_monday(text: str, day: date) -> None:
    assert monday(text) == day


@pytest.mark.parametrize("text", ["2026-W60", "38", "next", "2026-13-01", "", "2026-W0"])
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no week"):
        monday(text)


def test_a_period_knows_its_ends_its_words_and_what_was_before() -> None:
    four = Period(date(2026, 9, 14), 4)
    assert four.ends == ("2026-08-24", "2026-09-14")
    assert four.days == "24 August to 20 September 2026"
    assert (four.name, four.flags) == ("2026-W38", "--week 2026-W38 --weeks 4")
    assert four.before(2) == Period(date(2026, 8, 17), 2)
    assert Period(date(2026, 9, 14)).days == "14 to 20 September 2026"
    assert Period(date(2026, 12, 28)).days == "28 December 2026 to 3 January 2027"
    assert Period(date(2026, 12, 28)).name == "2026-W53"
    assert Period(date(2026, 10, 19)).ends_at(ZoneInfo("Europe/Lisbon")) == datetime(2026, 10, 26, tzinfo=UTC)


def test_the_last_whole_week_is_over_when_the_data_end() -> None:
    sunday_evening = datetime(2026, 9, 20, 23, 30)  # noqa: DTZ001 - UTC, as the database has it
    assert last_whole(sunday_evening, UTC) == date(2026, 9, 7)
    assert last_whole(sunday_evening, ZoneInfo("Europe/Lisbon")) == date(2026, 9, 14)  # half past midnight there
