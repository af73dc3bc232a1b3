"""The LLM judge: one call per case to any OpenAI-compatible endpoint, through openai and instructor.

Owners: `wire` retries transport, instructor re-asks when a reply does not fit the schema, and this module re-asks once
when a quote does not hold. Whatever a model says, a present defect counts only with a quote that code has found.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import instructor
import tenacity
from instructor.core import IncompleteOutputException, InstructorRetryException, ResponseParsingError
from pydantic import BaseModel, ValidationError

from grader.config import Judge as Endpoint
from grader.errors import ConfigError
from grader.evidence import Transcript
from grader.judge import Case, Opinion, Question, identity
from grader.judge.completion import Completion, mended, readable
from grader.judge.pace import Pace
from grader.judge.prices import PriceList
from grader.judge.wire import (
    TALLY,
    MustAlternate,
    Tally,
    UnsupportedBound,
    UnsupportedMode,
    Wire,
    alternated,
    as_failure,
    is_openais,
    request_parameters,
)
from grader.model import Answer, CallStats, Evidence, Failure, JsonValue, Support, Verdict
from grader.prompt import Prompt, Templates, render
from grader.rubric import Answered, Criterion, Rubric, read_reply, reply_model, reply_schema
from grader.text import neutralise

# A model gone wrong may return thousands of quotes; what is kept of one answer is bounded.
MAX_QUOTES = 20
MAX_TEXT = 4_000
MAX_PROBLEMS = 20  # of one reply that a re-ask names
NO_MESSAGE = -1  # where a judge cites a message number that no conversation can have

_FALLBACK = {"json_schema": "tools", "tools": "json"}
_OURS = frozenset({
    "messages", "model", "response_format", "tools", "tool_choice", "functions", "function_call", "stream", "n",
})  # fmt: skip

Messages = Sequence[Mapping[str, JsonValue]]
Asked = Sequence[tuple[Rubric, Sequence[str]]]
_Said = Mapping[str, Mapping[str, Answered]]  # rubric name → code → answer


@dataclass(frozen=True, slots=True)
class _Reply:
    """A reply that fits the schema. No pydantic record, so that instructor hangs nothing on it."""

    fields: BaseModel


@functools.lru_cache(maxsize=256)
def _shape(model: type[BaseModel], bounded: bool) -> Any:
    """What instructor is handed: the reply's name, schema and check, but none of its fields.

    instructor walks through all fields of a response model four times per call, to look for asynchronous validators;
    that alone would take longer than the rest of the call.
    """
    schema = reply_schema(model, bounded=bounded)

    class Reply(instructor.OpenAISchema):
        @classmethod
        def model_json_schema(cls, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
            return dict(schema)

        @classmethod
        def model_validate_json(cls, json_data: Any, **_kwargs: Any) -> Any:
            try:
                return _Reply(_validated(model, json_data))
            except ValidationError as error:
                if error.error_count() <= MAX_PROBLEMS:
                    raise
                told = "; ".join(_problems(error)[:MAX_PROBLEMS])
                raise ResponseParsingError(f"{error.error_count()} problems, the first: {told}") from error

    return Reply


def _validated(model: type[BaseModel], text: str) -> BaseModel:
    """Not strict: neither "3" for 3 nor a raw line break in a string is a reason to pay for another call."""
    try:
        return model.model_validate_json(text, strict=False)
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] != "json_invalid" or (other := mended(text)) is None:
            raise
    return model.model_validate_json(other, strict=False)


@dataclass(frozen=True)
class _Checked:
    """One criterion's answer with its evidence checked."""

    criterion: Criterion
    said: Answered
    evidence: tuple[Evidence, ...]

    @property
    def support(self) -> Support:
        """Verified needs a quote of a role that can prove it and, where a rule is broken, the clause."""
        if self.criterion.scale != "defect" or self.said.answer != Answer.PRESENT:
            return Support.NOT_NEEDED
        quoted = any(e.verified for e in self.evidence if e.message > 0)
        cited = not self.criterion.cites_policy or any(e.verified for e in self.evidence if e.message == 0)
        return Support.VERIFIED if quoted and cited else Support.UNSUPPORTED

    def verdict(self) -> Verdict:
        """As it is stored."""
        return Verdict(
            criterion=self.criterion.code,
            answer=self.said.answer,
            reasoning=_bounded(self.said.reasoning) or None,
            evidence=self.evidence,
            support=self.support,
        )


class LlmJudge:
    """Asks a model. Made once per run: it holds the connections, the pace and what it learned of the endpoint."""

    name = "llm"

    def __init__(self, endpoint: Endpoint, templates: Templates, prices: PriceList, pace: Pace) -> None:
        """Raises JudgeError where there is no endpoint or key to use, ConfigError for an `extra_body` that is ours."""
        if taken := sorted(_OURS & set(endpoint.extra_body)):
            raise ConfigError(
                f"[judge] extra_body sets {', '.join(taken)}, which Grader itself sends", cure="take it out"
            )
        self._endpoint = endpoint
        self._templates = templates
        self._prices = prices
        self._wire = Wire(endpoint, pace)
        self._mode: str = "json_schema" if endpoint.mode == "auto" else endpoint.mode
        self._alternating = False
        self._bounded = not is_openais(endpoint)  # their models stop by themselves, and Azure refuses the keyword
        self._proved: set[str] = set()  # modes that have worked: what goes wrong with one is not the mode
        self._parameters = request_parameters(endpoint)
        in_content = instructor.patch(create=self._send, mode=instructor.Mode.JSON_SCHEMA)
        in_tool = instructor.patch(create=self._send, mode=instructor.Mode.TOOLS)
        # instructor types its patched function as the synchronous one.
        self._create: dict[str, Any] = {"json_schema": in_content, "json": in_content, "tools": in_tool}

    @property
    def model(self) -> str:
        """The model's name at the endpoint."""
        return self._endpoint.model

    @property
    def mode(self) -> str:
        """The structured mode in use: what was set, or what the endpoint was found to support."""
        return self._mode

    @property
    def prompt_hash(self) -> str:
        """Identity of the templates."""
        return self._templates.prompt_hash

    @property
    def parameters(self) -> Mapping[str, object]:
        """What changes the answers besides model, rubric and wording."""
        return identity.parameters(self._endpoint)

    async def close(self) -> None:
        """Give the connections back."""
        await self._wire.close()

    async def judge(self, case: Case) -> Opinion:
        """One call, with its re-asks; see the module's docstring for who retries what."""
        # A rubric with nothing to ask stays in the prompt, so that its prefix is the same for every conversation.
        asked: Asked = [(q.rubric, q.ask) for q in case.questions]
        if not any(codes for _, codes in asked):
            return Opinion(verdicts={q.rubric.name: _in_order(q, ()) for q in case.questions})
        prompt = render(
            case.conversation, asked, case.policies, self._templates, max_chars=self._endpoint.context_chars
        )
        tally = Tally()
        token = TALLY.set(tally)
        try:
            checked = await self._prove(case, prompt, asked, await self._ask(prompt.messages, asked))
        except (InstructorRetryException, IncompleteOutputException) as error:
            return Opinion(failure=_failure(error), stats=self._stats(tally), truncated=prompt.truncated)
        finally:
            TALLY.reset(token)
        verdicts = {q.rubric.name: _in_order(q, checked.get(q.rubric.name, ())) for q in case.questions}
        return Opinion(verdicts=verdicts, stats=self._stats(tally), truncated=prompt.truncated)

    async def _prove(self, case: Case, prompt: Prompt, asked: Asked, said: _Said) -> dict[str, list[_Checked]]:
        """Check every quote; ask once more, naming them, about present defects whose proof does not hold."""
        transcript = Transcript(case.conversation.messages, case.policies)
        checked = {
            rubric.name: [_check(transcript, rubric.criterion(code), said[rubric.name][code]) for code in codes]
            for rubric, codes in asked
        }
        doubted = {name: [c for c in found if c.support is Support.UNSUPPORTED] for name, found in checked.items()}
        again = [(r, tuple(c.criterion.code for c in doubted[r.name])) for r, _ in asked if doubted[r.name]]
        if not again or not self._endpoint.max_reasks:
            return checked
        complaint = _complaint([c for found in doubted.values() for c in found], transcript)
        messages = [
            *prompt.messages,
            {"role": "assistant", "content": _repeated(again, said, grouped=len(asked) > 1)},
            {"role": "user", "content": complaint},
        ]
        try:
            second = await self._ask(messages, again, grouped=len(asked) > 1)
        except (InstructorRetryException, IncompleteOutputException) as error:
            # Where the endpoint failed, the proof could not be asked for: no verdict is made out of that. Where the
            # model could not answer, the first answers stand, unsupported.
            if _failure(error).cause not in _MODELS_OWN:
                raise
            return checked
        for rubric, codes in again:
            newer = {code: _check(transcript, rubric.criterion(code), second[rubric.name][code]) for code in codes}
            checked[rubric.name] = [newer.get(c.criterion.code, c) for c in checked[rubric.name]]
        return checked

    async def _ask(self, messages: Messages, asked: Asked, *, grouped: bool | None = None) -> _Said:
        grouped = len(asked) > 1 if grouped is None else grouped
        model = reply_model(asked, grouped=grouped)
        tally = TALLY.get()
        while True:
            mode = tally.mode = self._mode
            alternating, bounded = self._alternating, self._bounded
            try:
                reply: _Reply = await self._create[mode](
                    response_model=_shape(model, bounded),
                    # A fresh one per call: its state is on the object, and calls run side by side.
                    max_retries=tenacity.AsyncRetrying(
                        stop=tenacity.stop_after_attempt(1 + self._endpoint.max_reasks),
                        retry=tenacity.retry_if_exception_type(
                            (ValidationError, ResponseParsingError, IncompleteOutputException)
                        ),
                        reraise=True,
                    ),
                    messages=list(messages),
                )
            except InstructorRetryException as error:
                if isinstance(error.__cause__, MustAlternate) and not alternating:
                    self._alternating = True  # another call may have found that out in the meantime
                elif isinstance(error.__cause__, UnsupportedBound) and bounded:
                    self._bounded = False
                elif not (isinstance(error.__cause__, UnsupportedMode) and self._next_mode(mode)):
                    raise
                tally.asks -= 1  # the same question in another form
            else:
                self._proved.add(mode)
                return read_reply(reply.fields, asked, grouped=grouped)

    def _next_mode(self, tried: str) -> bool:
        """Step to the next way of asking, unless another call has done so already; False when there is none."""
        if self._endpoint.mode != "auto" or tried in self._proved:
            return False
        if self._mode == tried:
            if tried not in _FALLBACK:
                return False
            self._mode = _FALLBACK[tried]
        return True

    async def _send(self, **body: Any) -> Completion:
        """What instructor calls in place of openai's `create`: the same request, by the short way."""
        tally = TALLY.get()
        tally.asks += 1
        if tally.mode == "json":
            body["response_format"] = {"type": "json_object"}
        elif shape := body.get("response_format"):
            shape["json_schema"]["strict"] = True  # instructor never says it
        if self._alternating:
            body["messages"] = alternated(body["messages"])
        completion = await self._wire.post({**self._parameters, **body, **self._endpoint.extra_body})
        return completion.saying(readable(completion.message, as_call=tally.mode == "tools"))

    def _stats(self, tally: Tally) -> CallStats:
        known = tally.known
        costs = [
            None if usage is None
            else self._prices.cost(self._endpoint.model, usage.prompt, usage.cached or 0, usage.completion)
            for usage in tally.usages
        ]  # fmt: skip
        priced = [cost for cost in costs if cost is not None]
        cached = [usage.cached for usage in known if usage.cached is not None]
        return CallStats(
            model=self._endpoint.model, mode=tally.mode, attempts=tally.attempts, reasks=max(0, tally.asks - 1),
            prompt_tokens=sum(usage.prompt for usage in known) if known else None,
            cached_tokens=sum(cached) if cached else None,
            completion_tokens=sum(usage.completion for usage in known) if known else None,
            cost_usd=sum(priced) if costs and len(priced) == len(costs) else None,
            latency_ms=tally.latency_ms, waited_ms=tally.waited_ms, request_id=tally.request_id,
            finish_reason=tally.finish_reason,
        )  # fmt: skip


def _in_order(question: Question, checked: Sequence[_Checked]) -> tuple[Verdict, ...]:
    """The verdicts on one rubric in the order of its criteria: asked ones, and those that followed without asking."""
    found = {c.criterion.code: c.verdict() for c in checked}
    found |= {
        code: Verdict(criterion=code, answer=answer, support=Support.RULED) for code, answer in question.ruled.items()
    }
    return tuple(found[code] for code in question.rubric.codes if code in found)


def _check(transcript: Transcript, criterion: Criterion, said: Answered) -> _Checked:
    proof = [role.value for role in criterion.proof]
    found = [
        transcript.check(number if 1 <= number < 2**31 else NO_MESSAGE, _bounded(quote), proof)
        for number, quote in said.evidence[:MAX_QUOTES]
    ]
    if criterion.cites_policy and said.clause:
        found.append(transcript.check_clause(_bounded(said.clause)))
    return _Checked(criterion, said, tuple(found))


def _repeated(asked: Asked, said: _Said, *, grouped: bool) -> str:
    """What the judge said of these codes and no others, as it goes back to it."""
    repeated: dict[str, Any] = {}
    for rubric, codes in asked:
        part = repeated.setdefault(rubric.name, {}) if grouped else repeated
        for code in codes:
            one = said[rubric.name][code]
            quotes = [{"message": n, "quote": _bounded(quote)} for n, quote in one.evidence[:MAX_QUOTES]]
            clause = {} if one.clause is None else {"clause": _bounded(one.clause)}
            part[code] = {"reasoning": _bounded(one.reasoning), "evidence": quotes, **clause, "answer": one.answer}
    return json.dumps(repeated, ensure_ascii=False)


_PROBLEMS = {
    "no_such_message": "there is no message with that number",
    "not_found": "these words do not stand there",
    "wrong_role": "that speaker cannot prove this criterion",
    "too_short": "it is too short to prove anything",
}


def _complaint(doubted: Sequence[_Checked], transcript: Transcript) -> str:
    """The one re-ask: names every quote that does not hold, and why."""
    lines = ["Your proof for these codes does not hold. A program compared every quote with the transcript:"]
    for c in doubted:
        roles = "|".join(role.value for role in c.criterion.proof)
        for e in c.evidence:
            if e.problem == "wrong_message":
                why = f"it stands in message {transcript.found_in(e.quote)}"
            else:
                why = _PROBLEMS.get(e.problem or "", "")
            place = f"message {e.message}" if e.message else "the policy"
            if why:
                quote = json.dumps(neutralise(e.quote), ensure_ascii=False)
                lines.append(f"- {c.criterion.code}: {quote} ({place}): {why}.")
        if not any(e.verified for e in c.evidence if e.message):
            lines.append(f"- {c.criterion.code}: no quote by {roles} that holds.")
        if c.criterion.cites_policy and not any(e.verified for e in c.evidence if not e.message):
            lines.append(f"- {c.criterion.code}: `clause` must be copied word for word from the policy.")
    lines.append(
        "Answer these codes again, and only these. Copy each quote character by character from the message with that "
        "number. If no such quote exists, the defect is not proved: answer absent."
    )
    return "\n".join(lines)


_MODELS_OWN = frozenset({"truncated_reply", "bad_reply", "refused", "too_long", "bad_request"})


def _failure(error: Exception) -> Failure:
    """The failure that ended a call. Raises what is no property of this case: JudgeError, and our own mistakes."""
    if isinstance(error, IncompleteOutputException):
        return Failure(cause="truncated_reply", detail="the reply ended at the token limit", retryable=True)
    cause = error.__cause__ or error
    if isinstance(cause, IncompleteOutputException):
        return Failure(cause="truncated_reply", detail="the reply ended at the token limit", retryable=True)
    if isinstance(cause, ValidationError):
        return Failure(cause="bad_reply", detail=_bounded("; ".join(_problems(cause)[:5]), 500), retryable=True)
    if isinstance(cause, ResponseParsingError):
        return Failure(cause="bad_reply", detail="the reply holds no answer in the schema", retryable=True)
    failure = as_failure(cause)
    if failure is None:
        raise cause
    return failure


def _problems(error: ValidationError) -> list[str]:
    """What is wrong with a reply, without what it said."""
    return [
        f"{'.'.join(str(part) for part in item['loc']) or 'reply'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _bounded(text: str, longest: int = MAX_TEXT) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
