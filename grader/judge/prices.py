"""What tokens cost: the workspace's own prices first, then the list that genai-prices keeps. Unknown is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from grader.config import Price

MILLION = 1_000_000


@dataclass(frozen=True)
class PriceList:
    """Prices by model name. `provider_url` narrows the built-in list to the endpoint that is really used."""

    own: Mapping[str, Price]
    provider_url: str | None = None

    def cost(self, model: str, prompt_tokens: int, cached_tokens: int, completion_tokens: int) -> float | None:
        """USD for one request, None where the price is not known."""
        price = self.own.get(model) or listed(model, self.provider_url)
        if price is None:
            return None
        cached_price = price.input if price.cached_input is None else price.cached_input
        plain = max(0, prompt_tokens - cached_tokens)
        return (plain * price.input + cached_tokens * cached_price + completion_tokens * price.output) / MILLION


@lru_cache(maxsize=64)
def listed(model: str, provider_url: str | None) -> Price | None:
    """The price in the built-in list, by asking it for a million tokens of each kind."""
    if provider_url and not provider_url.startswith("https://"):
        return None  # a local model has no list price, whatever it is called
    from genai_prices import Usage, calc_price

    def usd(usage: Usage) -> float:
        # Input and output are asked apart: some models have tiers, whose first step is what is read here.
        if provider_url:
            found = calc_price(usage, model_ref=model, provider_api_url=provider_url)
        else:
            found = calc_price(usage, model_ref=model, provider_id="openai")
        return float(found.total_price) * MILLION / 1000

    try:
        return Price(
            input=usd(Usage(input_tokens=1000)),
            cached_input=usd(Usage(input_tokens=1000, cache_read_tokens=1000)),
            output=usd(Usage(output_tokens=1000)),
        )
    except LookupError:
        return None
