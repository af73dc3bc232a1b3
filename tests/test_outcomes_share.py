"""Shares: the interval against published values, and a rounding that never makes something into nothing or all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.outcomes import Bounds, Share, counted, dollars, percent, wilson

REFERENCE = Path(__file__).parent.parent.parent / "shared" / "data" / "statistics_reference.json"

# R. G. Newcombe (1998), Stat. Med. 17:857, table I, method 3, as printed to four digits.
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("n", "of", "low", "high"), NEWCOMBE)
def test_the_wilson_interval_is_the_published_one(n: int, of: int, low: float, high: float) -> None:
    assert wilson(n, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.realdata
def test_the_wilson_interval_equals_the_reference_to_nine_digits() -> None:
    if not REFERENCE.exists():
        pytest.skip(f"{REFERENCE} is absent")
    for case in json.loads(REFERENCE.read_text())["wilson"]:
        assert wilson(case["k"], case["n"]) == pytest.approx(case["ci95"], abs=1e-9)


@given(st.integers(1, 10**7), st.data())
def test_the_interval_holds_the_rate_and_stays_within_0_and_1(of: int, data: st.DataObject) -> None:
    share = Share(data.draw(st.integers(0, of)), of)
    assert share.interval is not None
    assert share.rate is not None
    low, high = share.interval
    assert 0 <= low <= share.rate <= high <= 1
    assert (low == 0) == (share.n == 0)
    assert (high == 1) == (share.n == of)


def test_a_share_of_nothing_has_no_rate_and_no_interval() -> None:
    assert Share(0, 0).rate is None
    assert Share(0, 0).interval is None
    assert wilson(0, 0) == (0, 1)
    assert percent(None) == "–"


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0 %"), (1, "100 %"), (0.5, "50.0 %"), (1 / 3, "33.3 %"), (0.0004, "<0.1 %"), (0.0005, "0.1 %"),
        (0.9994, "99.9 %"), (0.9996, ">99.9 %"), (1e-300, "<0.1 %"), (1 - 1e-16, ">99.9 %"),
    ],
)  # fmt: skip
def test_rounding_never_shows_nothing_or_all(rate: float, text: str) -> None:
    assert percent(rate) == text


@given(st.integers(1, 10**9), st.data())
def test_only_an_exact_0_or_1_is_written_as_such(of: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, of))
    text = percent(n / of)
    assert (text == "0 %") == (n == 0)
    assert (text == "100 %") == (n == of)
    assert text not in {"0.0 %", "100.0 %"}


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unknown"), (0, "0 USD"), (1e-9, "<0.0001 USD"), (0.0042, "0.0042 USD"), (0.41, "0.41 USD"),
        (12.5, "12.50 USD"), (12345.678, "12,345.68 USD"),
    ],
)  # fmt: skip
def test_an_amount_is_never_rounded_to_nothing_and_unknown_is_never_0(amount: float | None, text: str) -> None:
    assert dollars(amount) == text


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_what_is_not_known_lies_between_the_bounds(n: int, unknown: int, other: int, never: int) -> None:
    of = n + unknown + other + never
    bounds = Bounds(n, unknown, of, n + unknown + other)
    assert bounds.known == Share(n, of - unknown)
    if of:
        assert bounds.interval is not None
        assert bounds.low.rate is not None
        assert bounds.high.rate is not None
        low, high = bounds.interval
        for truth in range(unknown + 1):
            assert low <= bounds.low.rate <= (n + truth) / of <= bounds.high.rate <= high
    else:
        assert bounds.interval is None
    if not unknown:
        assert bounds.low == bounds.high == bounds.known


def test_shares_are_written_with_what_they_are_made_of() -> None:
    assert counted(Share(3, 126)) == "2.4 % (3 of 126)"
    assert counted(Share(0, 0)) == "– (0 of 0)"
