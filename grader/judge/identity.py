"""What of the settings is part of a verdict's identity. Kept apart from `llm`, which takes seconds to import."""

from __future__ import annotations

from collections.abc import Mapping

from grader.config import Judge as Endpoint


def parameters(endpoint: Endpoint) -> Mapping[str, object]:
    """What changes the answers besides model, rubric and wording. How the endpoint is reached does not."""
    e = endpoint
    return {
        "temperature": e.temperature, "seed": e.seed, "max_output_tokens": e.max_output_tokens,
        "reasoning_effort": e.reasoning_effort, "extra_body": dict(e.extra_body), "context_chars": e.context_chars,
    }  # fmt: skip
