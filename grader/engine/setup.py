"""From settings to what a run needs: rubrics with their options filled in, and the judge that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grader.config import Settings
from grader.errors import ConfigError
from grader.judge import Case, Judge
from grader.model import JsonValue
from grader.rubric import Rubric, find, newest


@dataclass(frozen=True)
class Bench:
    """A judge with what is known of its cost. `prompt_chars` is None where asking costs nothing."""

    judge: Judge
    prompt_body: JsonValue
    prompt_chars: Callable[[Case], int] | None
    cost: Callable[[int, int], float | None]


def load_rubrics(settings: Settings, references: Sequence[str] = ()) -> tuple[Rubric, ...]:
    """The rubrics named (`accuracy`, `accuracy@1.0.0`, a path), or the newest version of each in the workspace.

    Raises RubricError, or ConfigError when the same rubric is named twice or there is none.
    """
    folder = settings.workspace.rubrics
    found = [find(folder, reference) for reference in references] if references else newest(folder)
    if not found:
        raise ConfigError(f"{folder} holds no rubric", cure="grader init puts the four that ship with Grader there")
    names = [rubric.name for rubric in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"rubric {name} is named twice", cure="grade one version at a time")
    lists = {"contact_reasons": dict(settings.workspace.contact_reasons)}
    return tuple(rubric.with_options(lists) for rubric in found)


def make_judge(settings: Settings, *, concurrency: int) -> Bench:
    """The judge that the settings ask for. Raises JudgeError, ConfigError or PromptError when it cannot be made."""
    if settings.judge.resolved_kind == "signals":
        from grader.judge.signals import SignalsJudge

        return Bench(SignalsJudge(), None, None, lambda _prompt, _reply: 0.0)
    from grader.judge.llm import LlmJudge
    from grader.judge.pace import Pace
    from grader.judge.prices import PriceList
    from grader.prompt import Templates, render

    templates = Templates.load(settings.workspace.prompts, language=settings.workspace.language)
    endpoint = settings.judge
    prices = PriceList(settings.prices, endpoint.azure_endpoint if endpoint.provider == "azure" else endpoint.base_url)
    judge = LlmJudge(endpoint, templates, prices, Pace(concurrency, settings.engine.start_concurrency))

    def prompt_chars(case: Case) -> int:
        asked = [(q.rubric, q.ask) for q in case.questions if q.ask]
        if not asked:
            return 0
        prompt = render(case.conversation, asked, case.policies, templates, max_chars=endpoint.context_chars)
        return prompt.n_chars

    def cost(prompt_tokens: int, completion_tokens: int) -> float | None:
        return prices.cost(endpoint.model, prompt_tokens, 0, completion_tokens)

    return Bench(judge, templates.sources, prompt_chars, cost)
