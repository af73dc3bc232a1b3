"""From settings to what a run needs: rubrics with their options filled in, and the judge that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader.config import Settings
from grader.errors import ConfigError
from grader.judge import Case, Judge, Opinion
from grader.model import JsonValue
from grader.rubric import Rubric, find, newest


class Deferred:
    """A judge whose identity is known, and which is made when it is first needed.

    A run that finds everything judged need not import what a judge is made of, which takes longer than all the rest.
    """

    def __init__(
        self, name: str, model: str, parameters: Mapping[str, object], prompt_hash: str, make: Callable[[], Judge]
    ) -> None:
        self.name, self.model, self.parameters, self.prompt_hash = name, model, parameters, prompt_hash
        self._make = make
        self._made: Judge | None = None

    def open(self) -> Judge:
        """The judge itself. Raises JudgeError or ConfigError when it cannot be made."""
        if self._made is None:
            judge = self._make()
            for what in ("name", "model", "parameters", "prompt_hash"):  # verdicts are filed under these
                if getattr(judge, what) != getattr(self, what):
                    raise AssertionError(f"the {what} of a judge is not what was announced")
            self._made = judge
        return self._made

    async def judge(self, case: Case) -> Opinion:
        """Answer one case. Raises JudgeError when no case can be answered."""
        return await self.open().judge(case)

    async def close(self) -> None:
        """Give connections back, if there are any."""
        if self._made is not None:
            await self._made.close()


@dataclass(frozen=True)
class Bench:
    """A judge with what is known of its cost. `prompt_chars` is None where asking costs nothing."""

    judge: Deferred
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
    """The judge that the settings ask for, not made yet. Raises PromptError when its templates do not hold."""
    if settings.judge.resolved_kind == "signals":
        from grader.judge.signals import SignalsJudge

        signals = SignalsJudge()
        judge = Deferred(signals.name, signals.model, signals.parameters, signals.prompt_hash, lambda: signals)
        return Bench(judge, None, None, lambda _prompt, _reply: 0.0)
    from grader.judge.identity import parameters
    from grader.judge.prices import PriceList
    from grader.prompt import Templates, render

    templates = Templates.load(settings.workspace.prompts, language=settings.workspace.language)
    endpoint = settings.judge
    prices = PriceList(settings.prices, endpoint.azure_endpoint if endpoint.provider == "azure" else endpoint.base_url)

    def make() -> Judge:
        from grader.judge.llm import LlmJudge
        from grader.judge.pace import Pace

        return LlmJudge(endpoint, templates, prices, Pace(concurrency, settings.engine.start_concurrency))

    judge = Deferred("llm", endpoint.model, parameters(endpoint), templates.prompt_hash, make)

    def prompt_chars(case: Case) -> int:
        asked = [(q.rubric, q.ask) for q in case.questions if q.ask]
        if not asked:
            return 0
        prompt = render(case.conversation, asked, case.policies, templates, max_chars=endpoint.context_chars)
        return prompt.n_chars

    def cost(prompt_tokens: int, completion_tokens: int) -> float | None:
        return prices.cost(endpoint.model, prompt_tokens, 0, completion_tokens)

    return Bench(judge, templates.sources, prompt_chars, cost)
