"""What tokens cost: the workspace's own prices first, then the kept list, and unknown stays unknown."""

from __future__ import annotations

import pytest

from grader.config import Price
from grader.judge.prices import PriceList

MILLION = 1_000_000


def test_own_prices_come_first_and_cached_tokens_have_their_own() -> None:
    prices = PriceList({"m": Price(input=2, output=8, cached_input=0.5), "free": Price(input=0, output=0)})
    # 1M tokens of which 400k cached: 0.6 × 2 + 0.4 × 0.5 = 1.4; 250k written at 8 = 2
    assert prices.cost("m", MILLION, 400_000, MILLION // 4) == pytest.approx(3.4)
    assert prices.cost("free", MILLION, 0, MILLION) == 0


def test_without_a_price_for_cached_tokens_they_cost_as_much_as_others() -> None:
    assert PriceList({"m": Price(input=2, output=8)}).cost("m", MILLION, MILLION, 0) == pytest.approx(2)


def test_more_cached_than_sent_does_not_make_it_cheaper_than_nothing() -> None:
    assert (PriceList({"m": Price(input=2, output=8, cached_input=1)}).cost("m", 10, 1_000, 0) or 0) >= 0


def test_the_kept_list_knows_the_common_models_by_what_input_cached_input_and_output_cost() -> None:
    prices = PriceList({})
    whole = prices.cost("gpt-4.1-mini", MILLION, 0, 0)
    cached = prices.cost("gpt-4.1-mini", MILLION, MILLION, 0)
    written = prices.cost("gpt-4.1-mini", 0, 0, MILLION)
    assert whole == pytest.approx(0.4)  # openai.com/api/pricing: 0.40, 0.10 cached, 1.60 written
    assert cached == pytest.approx(0.1)
    assert written == pytest.approx(1.6)


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("no-such-model-anywhere", None),
        ("gpt-4.1-mini", "http://localhost:11434/v1"),  # a local model costs nothing that a list knows
        ("gpt-4.1-mini", "https://gateway.example.com/v1"),  # a gateway sells at its own prices
        ("", None),
    ],
)
def test_an_unknown_price_is_none_and_not_nought(model: str, url: str | None) -> None:
    assert PriceList({}, url).cost(model, MILLION, 0, MILLION) is None


def test_azure_is_priced_by_its_address() -> None:
    assert PriceList({}, "https://shop.openai.azure.com").cost("gpt-4.1-mini", MILLION, 0, 0) == pytest.approx(0.4)
